"""Recurrent layers by compiled programs: one operation for each layer and direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.compiled import unit
from tinygrad_rnn.compiled.sealed import sealed
from tinygrad_rnn.compiled.trace import StepFunction
from tinygrad_rnn.engine.mode import here
from tinygrad_rnn.nn.cells import KINDS, Kind, State, Weights
from tinygrad_rnn.nn.functional import dropout as drop
from tinygrad_rnn.operations import cat, flip, stack
from tinygrad_rnn.operations.layers import dropout as masked
from tinygrad_rnn.tensor import Tensor, wrap

if TYPE_CHECKING:
    from tinygrad_rnn.nn.recurrent import At, RNNBase


def forward(
    module: RNNBase, input: Tensor, hx: State | None, batch: tuple[int, ...],
    weights: Sequence[Weights], at: At,
) -> tuple[Tensor, list[Tensor]]:  # fmt: skip
    """The output and the last states of a recurrent layer, in one node."""
    count = len(hx or ())

    def apart(given: Sequence[Tensor]) -> tuple[State | None, list[Weights]]:
        rest = iter(given[1 + count :])
        return tuple(given[1 : 1 + count]) or None, [each.made_of(rest) for each in weights]

    def literal(*given: Tensor) -> list[Tensor]:
        states, own = apart(given)
        hx = states[0] if states and count == 1 else states
        output, last = module._forward_literal(given[0], hx, batch, own, at)
        return [output, *(last if isinstance(last, tuple) else (last,))]

    def quick(*given: Tensor) -> list[Tensor]:
        return _layers(module, given[0], *apart(given))

    flat = [w for each in weights for w in each.present()]
    draws = bool(module.dropout) and module.training and module.num_layers > 1
    output, *last = sealed(module.mode.lower(), literal, quick, [input, *(hx or ()), *flat], draws)
    return output, last


def flat_step(kind: Kind, weights: Weights) -> StepFunction:
    """A cell's equation as a function of lists: states, what comes in, and its weights."""

    def step(state: Any, x: Any, consts: Any) -> Any:
        after = kind.step(x[0], tuple(state), weights.made_of(consts))
        return after, after[:1]

    return step


def _layers(
    module: RNNBase, input: Tensor, hx: State | None, weights: Sequence[Weights]
) -> list[Tensor]:
    """The output and the last states of all layers and directions."""
    time_second = module.batch_first and input.ndim == 3
    xs = input.transpose(0, 1) if time_second else input
    kind = KINDS[module.mode]
    last: list[list[Tensor]] = []
    directions = 1 + bool(module.bidirectional)
    for number in range(module.num_layers):
        if number and module.dropout and module.training:
            xs = _dropped(xs, module.dropout)
        both = []
        for reverse in range(directions):
            i = len(last)
            start = None if hx is None else tuple(s[i] for s in hx)
            states = _start(kind, xs, weights[i]) if start is None else start
            ys, ends = _layer(module.mode, flip(xs, 0) if reverse else xs, states, weights[i])
            both.append(flip(ys, 0) if reverse else ys)
            last.append(ends)
        xs = both[0] if directions == 1 else cat(both, -1)
    states = [stack(parts, 0) for parts in zip(*last, strict=True)]
    return [xs.transpose(0, 1) if time_second else xs, *states]


def _layer(
    mode: str, xs: Tensor, states: Sequence[Tensor], w: Weights
) -> tuple[Tensor, list[Tensor]]:
    """Of one layer in one direction h of every step, and the last state."""
    key = (mode, *[each is not None for each in w])
    (ys,), ends, _ = unit.run(key, flat_step(KINDS[mode], w), [xs], states, w.present())
    return ys, ends


def _start(kind: Kind, xs: Tensor, w: Weights) -> list[Tensor]:
    """Zeros."""
    hidden = w.hh.array.shape[0] // kind.gates
    sizes = [w.hh.array.shape[1], hidden][: len(kind.states)]
    shape, dtype = xs.array.shape[1:-1], xs.array.dtype
    return [wrap(np.zeros((*shape, size), dtype), None) for size in sizes]


def _dropped(xs: Tensor, p: float) -> Tensor:
    """What passes between layers, of which the literal way drops step by step."""
    outer = here.mode
    here.mode = outer.having("recording", False)
    try:
        one = wrap(np.ones(xs.array.shape[1:], xs.array.dtype), None)
        mask = np.stack([drop(one, p).array for _ in range(len(xs.array))])
    finally:
        here.mode = outer
    return masked(xs, wrap(mask, None))
