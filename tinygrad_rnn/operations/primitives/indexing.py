"""Reading and replacing parts of a tensor, and putting their cotangents back together.

Parts are slices that share the tensor's memory, or copies picked by index arrays; a slice
along one axis, such as a gate of a recurrent cell, is a case of its own because its cotangents
as a rule do not overlap and need not be added.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.engine.sums import Part
from tinygrad_rnn.operations.memory import owned
from tinygrad_rnn.operations.primitives.shape import reshape

Index = Any
MANY = 2000  # elements, for which it pays to find their places in the flattened array


def slices(dim: int, start: int, stop: int) -> tuple[slice, ...]:
    """The index that selects a span along one axis."""
    return (slice(None),) * dim + (slice(start, stop),)


# -- putting parts together ---------------------------------------------------------------------


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
        if not _may_repeat(i):
            total[i] += g
        elif g.size < MANY:
            np.add.at(total, i, g)
        else:  # at places of a flat array NumPy adds five times as fast
            np.add.at(total.reshape(-1), _places(i, shape), g.reshape(-1))
    return total


def _may_repeat(index: Index) -> bool:
    """Whether an index can name a place twice: integer arrays can, masks and slices cannot."""
    return any(isinstance(i, np.ndarray) and i.dtype.kind != "b" for i in index)


def _places(index: Index, shape: tuple[int, ...]) -> Any:
    """Where in the flattened array stands what ``index`` picks.

    The axes behind those of the index are taken whole, as rows.
    """
    while isinstance(index[-1], slice) and index[-1] == slice(None):
        index = index[:-1]
    n = sum(i.ndim if i.dtype.kind == "b" else 1 for i in index if isinstance(i, np.ndarray))
    n += sum(isinstance(i, slice) for i in index)
    axes, rows = shape[:n], math.prod(shape[n:])
    places = sum(
        np.broadcast_to(np.arange(m).reshape(-1, *[1] * (n - 1 - d)), axes)[index]
        * math.prod(shape[d + 1 : n])
        for d, m in enumerate(axes)
    )
    return (np.reshape(places, (-1, 1)) * rows + np.arange(rows)).reshape(-1)


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


add_slices: Primitive = Primitive("add_slices", _add_slices, "*gs")
add_slices.joint_vjp(lambda g, index: [g[i] for i in index], formula="g[index]")

add_at: Primitive = Primitive("add_at", _add_at, "*gs")
add_at.joint_vjp(lambda g, index: [g[i] for i in index], formula="g[index]")

add_spans: Primitive = Primitive("add_spans", _add_spans, "*gs")
add_spans.joint_vjp(lambda g, index: [g[slices(*i)] for i in index], formula="g[index]")


# -- reading parts ------------------------------------------------------------------------------

getitem = Primitive("getitem", lambda x, *, index: x[index], "x", view=True)
getitem.vjp("x", lambda g, index: Part(g, index, add_slices), formula="g at [index], else 0")

take = Primitive("index", owned(lambda x, *, index: x[index]), "x", symbol="getitem")
take.vjp("x", lambda g, index: Part(g, index, add_at), formula="g added at [index], else 0")

narrow = Primitive("slice", lambda x, *, index, span: x[index], "x", symbol="getitem", view=True)
narrow.vjp("x", lambda g, span: Part(g, span, add_spans), formula="g at [index], else 0")


# -- replacing parts ----------------------------------------------------------------------------


def trimmed(value: Any, ndim: int) -> Any:
    """What is written to a place of ``ndim`` axes, without surplus leading axes of size 1."""
    surplus = value.ndim - ndim
    if surplus <= 0 or set(value.shape[:surplus]) != {1}:
        return value
    apply = reshape.general if isinstance(value, Variable) else reshape.forward
    return apply(value, shape=value.shape[surplus:])


def _put(x: Any, value: Any, *, index: Index) -> Any:
    y = np.array(x)
    if _may_repeat(index):  # NumPy writes in the order of memory: see that the last one is last
        value = np.array(np.broadcast_to(value, y[index].shape), order="C")
    y[index] = value
    return y


def _cleared(g: Any, index: Index) -> Any:
    """``g`` with zeros at ``index``."""
    if isinstance(g, Variable):
        return put.general(g, np.zeros((), g.array.dtype), index=index)
    return _put(g, 0, index=index)


def _at_last(g: Any, index: Index, shape: tuple[int, ...]) -> Any:
    """``g[index]``, but 0 for a value over which a later one was written."""
    part = g[index]
    if not _may_repeat(index):
        return part
    order = np.arange(math.prod(part.shape)).reshape(part.shape)
    writer = np.empty(shape, np.intp)
    writer[index] = order
    last = writer[index] == order
    return part if last.all() else np.where(last, part, 0)


put: Primitive = Primitive("index_put", _put, "x value", symbol="setitem")
put.vjp("x", lambda g, index: _cleared(g, index), formula="g, but 0 at [index]")
put.vjp("value", lambda g, x_shape, index: _at_last(g, index, x_shape), formula="g[index]")
