"""Reading parts of a tensor, and putting their cotangents back together.

Parts are slices that share the tensor's memory, or copies picked by index arrays; a slice
along one axis, such as a gate of a recurrent cell, is a case of its own because its cotangents
as a rule do not overlap and need not be added.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_rnn.contributions import Part
from tinygrad_rnn.engine.primitive import Primitive

Index = Any


def _add_slices(*gs: Any, index: list[Index], shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with each cotangent added at its integers and slices."""
    total = np.zeros(shape, gs[0].dtype)
    for g, i in zip(gs, index, strict=True):
        total[i] += g
    return total


def _add_at(*gs: Any, index: list[Index], shape: tuple[int, ...]) -> Any:
    """The same for index arrays, which may name a place twice."""
    total = np.zeros(shape, gs[0].dtype)
    for g, i in zip(gs, index, strict=True):
        np.add.at(total, i, g)
    return total


def _add_spans(*gs: Any, index: list[tuple[int, int, int]], shape: tuple[int, ...]) -> Any:
    """The same for spans (dim, start, stop): one that begins where others end is just written."""
    end, dim = 0, index[0][0]
    for span in sorted(index):
        if span[0] != dim or span[1] < end:
            return _add_slices(*gs, index=[slices(*i) for i in index], shape=shape)
        end = span[2]
    total = np.zeros(shape, gs[0].dtype)
    before = (slice(None),) * dim
    for g, (_, start, stop) in zip(gs, index, strict=True):
        total[(*before, slice(start, stop))] = g
    return total


def slices(dim: int, start: int, stop: int) -> tuple[slice, ...]:
    """The index that selects a span along one axis."""
    return (slice(None),) * dim + (slice(start, stop),)


add_slices: Primitive = Primitive("add_slices", _add_slices, "*gs")
add_slices.joint_vjp(lambda g, index: [g[i] for i in index], formula="g[index]")

add_at: Primitive = Primitive("add_at", _add_at, "*gs")
add_at.joint_vjp(lambda g, index: [g[i] for i in index], formula="g[index]")

add_spans: Primitive = Primitive("add_spans", _add_spans, "*gs")
add_spans.joint_vjp(lambda g, index: [g[slices(*i)] for i in index], formula="g[index]")

getitem = Primitive("getitem", lambda x, *, index: x[index], "x")
getitem.vjp("x", lambda g, index: Part(g, index, add_slices), formula="g at [index], else 0")

take = Primitive("take", lambda x, *, index: x[index], "x", symbol="getitem")
take.vjp("x", lambda g, index: Part(g, index, add_at), formula="g added at [index], else 0")

narrow = Primitive("narrow", lambda x, *, index, span: x[index], "x", symbol="getitem")
narrow.vjp("x", lambda g, span: Part(g, span, add_spans), formula="g at [index], else 0")
