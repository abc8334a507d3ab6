"""A compiled step over a whole sequence, as an operation."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_rnn.autograd.application import Bare, output_place
from tinygrad_rnn.compiled.program import Program, compiled
from tinygrad_rnn.compiled.sealed import Several, cotangents
from tinygrad_rnn.compiled.trace import StepFunction, Traced, traced
from tinygrad_rnn.engine.graph import node, place
from tinygrad_rnn.engine.mode import here
from tinygrad_rnn.tensor import Tensor, wrap

MANY = 128
_programs: OrderedDict[Any, Program] = OrderedDict()


class _Held:
    """A workspace, for as long as somebody may walk back through what is in it."""

    def __init__(self, program: Program, steps: int) -> None:
        self.program, self.steps = program, steps
        self.workspace = program.workspace(steps)

    def __del__(self) -> None:
        self.program.give_back(self.steps, self.workspace)


class Unit(Bare):
    """The primitive of a compiled step: its joint rule is the compiled backward."""

    def __init__(self) -> None:
        super().__init__("compiled")
        self.joint = self

    def pull(self, g: Any, at: Any) -> list[Any]:
        """What sequences, initial states and weights receive."""
        held, xs, consts, ys, states, dtypes = at.saved[-1]
        gs = [_given(c, x) for c, x in zip(cotangents(g), (*ys, *states), strict=True)]
        count = len(ys)
        d_xs, d_states, d_consts = held.program.backward(
            held.workspace, xs, consts, gs[:count], gs[count:]
        )
        sent = [*d_xs, *d_states, *d_consts]
        return [
            np.zeros(parent.shape, dtype) if c is None and parent.requires_grad else c
            for c, parent, dtype in zip(sent, at.parents, dtypes, strict=True)
        ]


_unit = Unit()


def _given(g: Any, like: Any) -> Any:
    if g is not None:
        return g
    shape, dtype = like
    return np.broadcast_to(np.zeros((), dtype), shape)


Trace = Callable[[StepFunction, Any, Any, Any], Traced]


def program_for(
    key: Any, step: StepFunction, xs: Sequence[Tensor], states: Sequence[Tensor],
    consts: Sequence[Tensor], trace: Trace = traced,
) -> Program:  # fmt: skip
    """The program of a step for these shapes and types, and for the gradients that are wanted.

    ``key`` tells the step from others.
    """
    recording = here.mode.recording
    wants = [[recording and x.requires_grad for x in group] for group in (xs, states, consts)]
    kinds = [(x.array.dtype, x.array.shape) for x in (*states, *consts)]
    given = [(x.array.dtype, x.array.shape[1:]) for x in xs]
    full = (key, *given, *kinds, *[tuple(group) for group in wants])
    found = _programs.get(full)
    if found is not None:
        _programs.move_to_end(full)  # those that nobody asks for go first
    else:
        examples = [x.array[0] for x in xs]
        step_of_one = trace(step, [x.array for x in states], examples, consts)
        found = compiled(step_of_one, wants[0], any(wants[1]), wants[2])
        _programs[full] = found
        if len(_programs) > MANY:
            _programs.popitem(last=False)
    return found


def run(
    key: Any, step: StepFunction, xs: Sequence[Tensor], states: Sequence[Tensor],
    consts: Sequence[Tensor], trace: Trace = traced,
) -> tuple[list[Tensor], list[Tensor], Program]:  # fmt: skip
    """(what goes out at every step, the last state, the program), over whole sequences."""
    program = program_for(key, step, xs, states, consts, trace)
    steps = len(xs[0].array)
    held = _Held(program, steps)
    arrays = [[x.array for x in group] for group in (xs, states, consts)]
    ys, ends = program.forward(held.workspace, *arrays)
    made = [*ys, *ends]
    if not program.differentiates:
        outputs = [wrap(array, None) for array in made]
    else:
        kinds = [[(array.shape, array.dtype) for array in group] for group in (ys, ends)]
        given = [*xs, *states, *consts]
        dtypes = [x.array.dtype for x in given]
        saved = (None,) * len(given) + ((held, arrays[0], arrays[2], *kinds, dtypes),)
        several = Several([wrap(array, None) for array in made])
        at = node(
            _unit, tuple([place(x) for x in given]), saved, {"ctx": several}, here.mode, made[0]
        )
        outputs = [wrap(array, output_place(at, i, array)) for i, array in enumerate(made)]
    return outputs[: len(ys)], outputs[len(ys) :], program
