"""Recurrent layers by compiled programs: one operation for each layer and direction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.compiled.sealed import Quick, sealed, through_tensors
from tinygrad_rnn.compiled.trace import StepFunction
from tinygrad_rnn.compiled.unit import Ran, program_for, run
from tinygrad_rnn.engine.mode import here
from tinygrad_rnn.nn.cells import KINDS, Kind, State, Weights, as_given
from tinygrad_rnn.nn.functional import dropout as drop
from tinygrad_rnn.operations import cat, flip, stack
from tinygrad_rnn.operations.layers import dropout as masked
from tinygrad_rnn.tensor import Tensor, wrap

if TYPE_CHECKING:
    from tinygrad_rnn.nn.recurrent import Packing, RNNBase

Literal = Callable[[Tensor, Any, list[Weights]], tuple[Tensor, Any]]


def forward(
    module: RNNBase, input: Tensor, hx: State | None, weights: Sequence[Weights],
    literal: Literal, packing: Packing | None = None,
) -> tuple[Tensor, list[Tensor]]:  # fmt: skip
    """The output and the last states of a recurrent layer, in one node.

    ``literal``: how they are computed step by step, from input, states and weights.
    ``packing``: of packed sequences, how many have each step, and the way back to their order.
    """
    states = len(hx or ())

    def apart(given: Sequence[Tensor]) -> tuple[State | None, list[Weights]]:
        rest = iter(given[1 + states :])
        return tuple(given[1 : 1 + states]) or None, [each.made_of(rest) for each in weights]

    def step_by_step(*given: Tensor) -> list[Tensor]:
        hx, own = apart(given)
        output, last = literal(given[0], as_given(hx), own)
        return [output, *(last if isinstance(last, tuple) else (last,))]

    def layer_by_layer(*given: Tensor) -> list[Tensor]:
        return _layers(module, given[0], *apart(given), packing)

    quick = through_tensors(layer_by_layer)
    if len(weights) == 1 and packing is None:
        quick = _single(module, weights[0], states)
    given = [input, *(hx or ()), *[w for each in weights for w in each.present()]]
    draws = bool(module.dropout) and module.training and module.num_layers > 1
    output, *last = sealed(module.mode.lower(), step_by_step, quick, given, draws)
    return output, last


def flat_step(kind: Kind, weights: Weights) -> StepFunction:
    """A cell's equation as a function of lists: states, what comes in, and its weights."""

    def step(state: Any, x: Any, consts: Any) -> Any:
        after = kind.step(x[0], tuple(state), weights.made_of(consts))
        return after, after[:1]

    return step


# -- one layer in one direction ------------------------------------------------------------------


def _single(module: RNNBase, weights: Weights, states: int) -> Quick:
    """The quick way of a single layer in one direction, without a graph inside."""

    def quick(given: Sequence[Tensor]) -> tuple[list[Any], _Single]:
        x, *rest = [each.array for each in given]
        wants = [here.mode.recording and each.requires_grad for each in given]
        back = _Single(module.batch_first and x.ndim == 3, states)
        xs, kind = back.turned(x), KINDS[module.mode]
        start = [s[0] for s in rest[:states]] or _zeros(kind, xs, weights)
        back.ran = Ran(
            program_for(
                _key(module.mode, weights), flat_step(kind, weights), [xs], start, rest[states:],
                (wants[:1], any(wants[1 : 1 + states]), wants[1 + states :]),
            ),
            [xs], start, rest[states:],
        )  # fmt: skip
        return [back.turned(back.ran.ys[0]), *[end[None] for end in back.ran.ends]], back

    return quick


class _Single:
    """The way back through a single layer: time first, and no axis that counts the layers."""

    ran: Ran

    def __init__(self, time_second: bool, states: int) -> None:
        self._time_second, self._states = time_second, states

    def turned(self, array: Any) -> Any:
        """Time first, or back to where users have it."""
        return array if array is None or not self._time_second else array.swapaxes(0, 1)

    def pull(self, gs: Sequence[Any]) -> list[Any]:
        """What input, states and weights receive."""
        g, *ends = gs
        g_ends = [None if end is None else end[0] for end in ends]
        d, *rest = self.ran.pull([self.turned(g), *g_ends])
        count = len(ends)
        starts = [None if s is None else s[None] for s in rest[:count]] if self._states else []
        return [self.turned(d), *starts, *rest[count:]]


def _key(mode: str, w: Weights) -> tuple[Any, ...]:
    return (mode, *[each is not None for each in w])


def _zeros(kind: Kind, xs: Any, w: Weights) -> list[Any]:
    hidden = w.hh.array.shape[0] // kind.gates
    sizes = [w.hh.array.shape[1], hidden][: len(kind.states)]
    return [np.zeros((*xs.shape[1:-1], size), xs.dtype) for size in sizes]


# -- several -------------------------------------------------------------------------------------


def _layers(
    module: RNNBase, input: Tensor, hx: State | None, weights: Sequence[Weights],
    packing: Packing | None,
) -> list[Tensor]:  # fmt: skip
    """The output and the last states of all layers and directions."""
    padding = None if packing is None else _Padding(*packing)
    time_second = padding is None and module.batch_first and input.ndim == 3
    xs = input.transpose(0, 1) if time_second else input
    xs = xs if padding is None else padding.padded(xs)
    last: list[list[Tensor]] = []
    directions = 1 + bool(module.bidirectional)
    for number in range(module.num_layers):
        if number and module.dropout and module.training:
            xs = _dropped(xs, module.dropout, packing)
        both = []
        for reverse in range(directions):
            i = len(last)
            start = None if hx is None else tuple(s[i] for s in hx)
            turned = _turned(xs, padding) if reverse else xs
            ys, ends = _layer(module.mode, turned, start, weights[i], padding)
            both.append(_turned(ys, padding) if reverse else ys)
            last.append(ends)
        xs = both[0] if directions == 1 else cat(both, -1)
    states = [stack(parts, 0) for parts in zip(*last, strict=True)]
    xs = xs if padding is None else padding.packed(xs)
    return [xs.transpose(0, 1) if time_second else xs, *states]


def _layer(
    mode: str, xs: Tensor, start: State | None, w: Weights, padding: _Padding | None
) -> tuple[Tensor, list[Tensor]]:
    """Of one layer in one direction h of every step, and the last state."""
    kind, key = KINDS[mode], _key(mode, w)
    states = start or [wrap(array, None) for array in _zeros(kind, xs.array, w)]
    step = flat_step(kind, w)
    if padding is None:
        (ys,), ends = run(key, step, [xs], states, w.present())
        return ys, ends
    every, _ = run(("every state", *key), _every_state(step), [xs], states, w.present())
    return every[0], [padding.last(each) for each in every]


def _every_state(step: StepFunction) -> StepFunction:
    """The same step, of which the whole state goes out."""

    def with_all(state: Any, x: Any, consts: Any) -> Any:
        after, _ = step(state, x, consts)
        return after, after

    return with_all


def _turned(xs: Tensor, padding: _Padding | None) -> Tensor:
    """Time from the end to the beginning."""
    return flip(xs, 0) if padding is None else xs[padding.backward, padding.rows]


class _Padding:
    """Packed sequences as a padded batch, through which a program runs as if all were as long.

    What it computes beyond the end of a sequence nobody reads.
    """

    def __init__(self, counts: Sequence[int], back: Tensor | None) -> None:
        self.rows = np.arange(counts[0])
        self._back = self.rows if back is None else back.array
        steps = np.arange(len(counts))[:, None]
        self._there = self.rows < np.asarray(counts)[:, None]
        self._lengths = self._there.sum(0)
        self._place = np.where(self._there, np.cumsum(self._there).reshape(self._there.shape), 0)
        self.backward = np.where(self._there, self._lengths - 1 - steps, steps)

    def padded(self, data: Tensor) -> Tensor:
        """(T, batch, …), with zeros where a sequence has ended."""
        nothing = wrap(np.zeros((1, *data.array.shape[1:]), data.array.dtype), None)
        return cat([nothing, data], 0)[self._place]

    def packed(self, xs: Tensor) -> Tensor:
        """Of all steps what belongs to a sequence, one step after the other."""
        steps, rows = np.nonzero(self._there)
        return xs[steps, rows]

    def last(self, xs: Tensor) -> Tensor:
        """Of every sequence the last step, in the callers' order."""
        return xs[(self._lengths - 1)[self._back], self._back]


def _dropped(xs: Tensor, p: float, packing: Packing | None) -> Tensor:
    """What passes between layers, of which the literal way drops step by step."""
    mask = np.ones(xs.array.shape, xs.array.dtype)
    outer = here.mode
    here.mode = outer.having("recording", False)
    try:
        for t in range(len(mask)):
            part = mask[t] if packing is None else mask[t, : packing[0][t]]
            part[...] = drop(wrap(part.copy(), None), p).array
    finally:
        here.mode = outer
    return masked(xs, wrap(mask, None))
