"""A compiled step over a whole sequence, as an operation."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_rnn.compiled import native
from tinygrad_rnn.compiled.program import Program, Wants, compiled
from tinygrad_rnn.compiled.sealed import Quickly
from tinygrad_rnn.compiled.trace import StepFunction, Traced, traced
from tinygrad_rnn.engine.mode import here
from tinygrad_rnn.tensor import Tensor, wrap

MANY = 128
_programs: OrderedDict[Any, Program] = OrderedDict()


class Ran:
    """A program that has run over whole sequences, and the way back through it.

    Its workspace is its own for as long as somebody may walk back.
    """

    def __init__(
        self, program: Program, xs: Sequence[Any], states: Sequence[Any], consts: Sequence[Any]
    ) -> None:
        self.program, self.xs, self.consts = program, xs, consts
        self.workspace = program.workspace(len(xs[0]))
        self.ys, self.ends = program.forward(self.workspace, xs, states, consts)
        self._kinds = [(array.shape, array.dtype) for array in (*self.ys, *self.ends)]

    def __del__(self) -> None:
        if hasattr(self, "workspace"):
            self.program.give_back(len(self.xs[0]), self.workspace)

    def pull(self, gs: Sequence[Any]) -> list[Any]:
        """What sequences, initial states and weights receive."""
        full = [
            np.zeros(shape, dtype) if g is None else g
            for g, (shape, dtype) in zip(gs, self._kinds, strict=True)
        ]
        count = len(self.ys)
        found = self.program.backward(
            self.workspace, self.xs, self.consts, full[:count], full[count:]
        )
        return [c for group in found for c in group]


_unit = Quickly("compiled")  # the joint rule of a step is its compiled backward
Trace = Callable[[StepFunction, Any, Any, Any], Traced]


Arrays = Sequence[Any]


def program_for(
    key: Any, step: StepFunction, xs: Arrays, states: Arrays, consts: Arrays, wants: Wants,
    trace: Trace = traced,
) -> Program:  # fmt: skip
    """The program of a step for these shapes and types, and for the gradients that are wanted.

    ``key`` tells the step from others.
    """
    kinds = [(x.dtype, x.shape) for x in (*states, *consts)]
    given = [(x.dtype, x.shape[1:]) for x in xs]
    full = (key, *given, *kinds, *wants[0], wants[1], *wants[2])
    found = _programs.get(full)
    if found is not None:
        _programs.move_to_end(full)  # those that nobody asks for go first
        found.calls += 1
        if found.calls == native.CALLS:
            found = _programs[full] = _compiled_further(found)
    else:
        fixed = [wrap(array, None) for array in consts]
        found = compiled(trace(step, states, [x[0] for x in xs], fixed), *wants)
        _programs[full] = found
        if len(_programs) > MANY:
            _programs.popitem(last=False)
    return found


def _compiled_further(program: Program) -> Program:
    """A program that is run often, compiled by numba if that can be done."""
    further = program.rewritten()
    if further is None:
        return program
    further.form = program.form
    return further


def ran(
    key: Any, step: StepFunction, xs: Sequence[Tensor], states: Sequence[Tensor],
    consts: Sequence[Tensor], trace: Trace = traced,
) -> Ran:  # fmt: skip
    """A step over whole sequences, of which nothing is recorded."""
    recording = here.mode.recording
    wants = [[recording and x.requires_grad for x in group] for group in (xs, states, consts)]
    a, b, c = ([x.array for x in group] for group in (xs, states, consts))
    program = program_for(key, step, a, b, c, (wants[0], any(wants[1]), wants[2]), trace)
    return Ran(program, a, b, c)


def run(
    key: Any, step: StepFunction, xs: Sequence[Tensor], states: Sequence[Tensor],
    consts: Sequence[Tensor],
) -> tuple[list[Tensor], list[Tensor]]:  # fmt: skip
    """(what goes out at every step, the last state), over whole sequences."""
    back = ran(key, step, xs, states, consts)
    made = [*back.ys, *back.ends]
    if back.program.differentiates:
        outputs = _unit.outputs([*xs, *states, *consts], made, back)
    else:
        outputs = [wrap(array, None) for array in made]
    return outputs[: len(back.ys)], outputs[len(back.ys) :]
