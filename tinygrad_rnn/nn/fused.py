"""Recurrent layers by compiled programs: one operation for each layer and direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.compiled import unit
from tinygrad_rnn.engine.mode import here
from tinygrad_rnn.nn.cells import KINDS, Kind, State, Weights
from tinygrad_rnn.nn.functional import dropout as drop
from tinygrad_rnn.operations import cat, flip, stack
from tinygrad_rnn.operations.layers import dropout as masked
from tinygrad_rnn.tensor import Tensor, wrap

if TYPE_CHECKING:
    from tinygrad_rnn.nn.recurrent import RNNBase


def fused_layers(
    module: RNNBase, input: Tensor, hx: State | None, weights: Sequence[Weights]
) -> list[Tensor]:
    """The output and the last states of a recurrent layer's stack."""
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
    present = [each is not None for each in w]
    kind = KINDS[mode]

    def step(state: Any, x: Any, consts: Any) -> Any:
        given = iter(consts)
        own = Weights(*[next(given) if there else None for there in present])
        after = kind.step(x[0], tuple(state), own)
        return after, after[:1]

    given = [each for each in w if each is not None]
    (ys,), ends, _ = unit.run((mode, *present), step, [xs], states, given)
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
