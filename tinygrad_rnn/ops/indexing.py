"""Reading parts of a tensor, and putting their cotangents back together."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_rnn.contributions import Part
from tinygrad_rnn.engine.primitive import Primitive

getitem = Primitive("getitem", lambda x, *, index: x[index], "x")
getitem.vjp("x", lambda g, index: Part(g, index, place_parts), formula="g at [index], else 0")

narrow = Primitive("narrow", lambda x, *, index: x[_span(*index)], "x", symbol="getitem")
narrow.vjp("x", lambda g, index: Part(g, index, place_spans), formula="g at [index], else 0")


def _span(dim: int, start: int, stop: int) -> tuple[slice, ...]:
    return (slice(None),) * dim + (slice(start, stop),)


def _place_parts(*gs: Any, index: list[Any], shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with each cotangent added at its index."""
    total = np.zeros(shape, gs[0].dtype)
    for g, i in zip(gs, index, strict=True):
        if is_basic(i):
            total[i] += g
        else:
            np.add.at(total, i, g)  # an index array may name a place twice
    return total


def is_basic(index: Any) -> bool:
    """Whether an index selects by integers and slices alone, so names no place twice."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(i is None or i is Ellipsis or isinstance(i, int | slice) for i in parts)


def _place_spans(*gs: Any, index: list[tuple[int, int, int]], shape: tuple[int, ...]) -> Any:
    """`_place_parts` for slices along one axis: as a rule they do not overlap."""
    end = 0
    for dim, start, stop in sorted(index):
        if start < end or dim != index[0][0]:
            return _place_parts(*gs, index=[_span(*i) for i in index], shape=shape)
        end = stop
    total = np.zeros(shape, gs[0].dtype)
    for g, i in zip(gs, index, strict=True):
        total[_span(*i)] = g
    return total


place_parts: Primitive = Primitive("place", _place_parts, "*gs")
place_parts.joint_vjp(lambda g, index: [g[i] for i in index], formula="g[index]")

place_spans: Primitive = Primitive("place_spans", _place_spans, "*gs", symbol="place")
place_spans.joint_vjp(lambda g, index: [g[_span(*i)] for i in index], formula="g[index]")
