"""Reading and writing parts of a tensor."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.functions.arguments import tensor_of
from tinygrad_rnn.ops import indexing


def getitem(input: Any, index: Any) -> Any:
    """``input[index]``: integers, slices, ``None``, ``...``, masks and integer arrays.

    Integers and slices share the input's memory, as in NumPy and PyTorch.

    Raises
    ------
    IndexError
        If an index is out of range.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.tensor([[1.0, 2.0], [3.0, 4.0]])[:, 1]
    tensor([2., 4.])
    """
    x = input if isinstance(input, Variable) else tensor_of("getitem", input)
    parts = index if type(index) is tuple else (index,)
    for part in parts:
        if type(part) is slice and part.step is not None and operator.index(part.step) < 1:
            raise ValueError(f"getitem: the step of a slice must be positive, got {part.step}")
    if _PLAIN.issuperset(map(type, parts)) and parts.count(...) < 2:
        return _slice(x, parts)
    return _pick(x, tuple(map(_index, parts)))


_PLAIN = {int, slice, type(None), type(Ellipsis)}
"""The parts of an index that NumPy takes as they are, and that share memory."""


def _slice(x: Any, parts: tuple[Any, ...]) -> Any:
    if len(parts) >= x.array.ndim and Ellipsis not in parts:
        parts = (*parts, ...)  # so that NumPy gives a 0-d view, not a copy, of a single element
    return indexing.getitem.apply(x, index=parts)


def _pick(x: Any, parts: tuple[Any, ...]) -> Any:
    """Index with arrays among integers and slices: the latter first, as PyTorch does it.

    NumPy counts an integer beside an array as an array, and then orders axes differently.
    """
    used = sum(_axes(part) for part in parts)
    dots = [i for i, part in enumerate(parts) if part is ...]
    if dots and used <= x.array.ndim:
        rest = tuple(part for part in parts[dots[0] + 1 :] if part is not ...)
        parts = (*parts[: dots[0]], *[slice(None)] * (x.array.ndim - used), *rest)
    first: list[Any] = []
    then: list[Any] = []
    for part in parts:
        if isinstance(part, np.ndarray):
            first += [slice(None)] * _axes(part)
            then.append(part)
        else:
            first.append(part)
            then += [] if isinstance(part, int) else [slice(None)]
    if any(part != slice(None) for part in first):
        x = _slice(x, tuple(first))
    return indexing.take.apply(x, index=tuple(then)) if any(map(_is_array, then)) else x


def _axes(part: Any) -> int:
    """How many axes a part of an index takes up."""
    return part.ndim if _is_mask(part) else int(part is not None and part is not ...)


def _is_array(part: Any) -> bool:
    return isinstance(part, np.ndarray)


def _is_mask(part: Any) -> bool:
    return isinstance(part, np.ndarray) and part.dtype.kind == "b"


def _index(i: Any) -> Any:
    """One part of an index: an integer, a slice, ``None``, ``...`` or an index array."""
    if isinstance(i, Variable):
        i = i.array
    if isinstance(i, list | tuple | bool):
        i = np.asarray(i) if i not in ([], ()) else np.zeros(0, np.int64)
    if isinstance(i, np.integer):
        return int(i)
    if isinstance(i, np.ndarray) and not i.ndim and i.dtype.kind == "i":
        return int(i)
    if isinstance(i, np.ndarray) and i.dtype == np.uint8:
        i = i.astype(bool)
    if isinstance(i, np.ndarray) and i.dtype not in (np.int64, np.int32, np.bool_):
        raise IndexError(f"getitem: index arrays must be int64, int32 or bool, not {i.dtype}")
    if type(i) not in _PLAIN and not isinstance(i, np.ndarray):
        kind = TypeError if isinstance(i, str | bytes) else IndexError
        raise kind(f"getitem: an index cannot be a {type(i).__name__}: {i!r:.60}")
    return i
