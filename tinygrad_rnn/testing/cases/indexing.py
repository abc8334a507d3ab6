"""Cases of reading and writing of parts."""

from __future__ import annotations

from typing import Any

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.operations.indexing import add_at, add_slices, getitem, take
from tinygrad_rnn.testing.cases.table import CATEGORIES, add_case, received, signed

INDICES: dict[str, tuple[tuple[int, ...], Any]] = {
    "integer": ((3, 2), 1),
    "negative integer": ((3, 2), -1),
    "integer of a vector": ((4,), 2),
    "two integers": ((3, 2), (0, 1)),
    "slice": ((5,), slice(1, 4)),
    "slice with a step": ((5, 2), slice(None, None, 2)),
    "empty slice": ((3,), slice(2, 1)),
    "ellipsis": ((2, 3, 2), (..., 1)),
    "new axes": ((2, 3), (None, 1, None)),
    "nothing": ((2, 3), ()),
    "new axis of a 0-d tensor": ((), None),
    "mask": ((2, 3), np.array([[True, False, True], [False, True, False]])),
    "mask of one axis": ((3, 2), np.array([True, False, True])),
    "mask that selects nothing": ((3, 2), np.zeros(3, bool)),
    "integers, repeated": ((4,), np.array([1, 1, 3, -1])),
    "matrix of integers": ((4, 2), np.array([[0, 1], [1, 1]])),
    "pairs of integers": ((3, 3), (np.array([0, 0, 2]), np.array([1, 1, 2]))),
    "integers apart": ((3, 2, 3), (np.array([0, 2]), slice(None), np.array([1, 1]))),
    "integers beside a slice": ((2, 4), (slice(None), np.array([3, 0, 3]))),
    "integers and a new axis": ((3, 2), (np.array([2, 2]), None)),
    "no integers": ((3, 2), np.zeros(0, np.int64)),
    "a slice and a mask": ((3, 3), (slice(1, None), np.array([True, False, True]))),
    "mask of two axes beside a slice": ((2, 2, 3), (np.eye(2, dtype=bool), slice(0, 2))),
    "integers behind a slice": ((2, 3, 2), (slice(0, 1), np.array([[2, 2], [0, 2]]))),
}


def as_index(lib: Any, index: Any) -> Any:
    """An index with its arrays as tensors of ``lib``."""
    if isinstance(index, tuple):
        return tuple(as_index(lib, i) for i in index)
    return lib.from_numpy(index) if isinstance(index, np.ndarray) else index


def _received_ref(*gs: Any, index: Any, shape: tuple[int, ...]) -> Any:
    total = np.zeros(shape)
    for g, i in zip(gs, index, strict=True):
        np.add.at(total, i, g)
    return total


def replaced(lib: Any, x: Any, index: Any, value: Any) -> Any:
    """A copy of ``x`` with a value at ``index``."""
    if lib is tg:
        return tg.operations.setitem(x, index, value)
    x = x.clone()
    x[index] = value
    return x


def _replaced_ref(x: Any, value: Any, index: Any) -> Any:
    x = x.copy()
    x[index] = value
    return x


for _name, (_shape, _index) in INDICES.items():
    _picks = any(
        isinstance(i, np.ndarray) for i in (_index if isinstance(_index, tuple) else [_index])
    )
    _read, _put = (take, add_at) if _picks else (getitem, add_slices)
    _part = np.arange(np.prod(_shape, dtype=int)).reshape(_shape)[_index]
    add_case(
        _read,
        _name,
        lambda lib, x, i=_index: x[as_index(lib, i)],
        [signed(*_shape)],
        lambda x, i=_index: x[i],
    )
    add_case(
        _put,
        _name,
        lambda lib, g, i=_index, s=_shape: received(
            lib, np.zeros(s), lambda x: x[as_index(lib, i)], g
        ),
        [signed(*_part.shape)],
        lambda g, i=_index, s=_shape: _received_ref(g, index=[i], shape=s),
    )
    _twice = len(set(_part.ravel().tolist())) < _part.size
    add_case(
        "index_put",
        _name,
        lambda lib, x, v, i=_index: replaced(lib, x, as_index(lib, i), v),
        [signed(*_shape), signed(*_part.shape)],
        lambda x, v, i=_index: _replaced_ref(x, v, i),
        categories=CATEGORIES[: 3 if _twice else 4],  # PyTorch leaves open which value stays
    )
add_case(
    "index",
    "an integer, and integers apart",  # NumPy orders the axes otherwise
    lambda lib, x: x[1, :, lib.tensor([2, 0])],
    [signed(2, 3, 3)],
    lambda x: x[1][:, [2, 0]],
)
add_case(
    "index_put",
    "an integer, and integers apart",
    lambda lib, x, v: replaced(lib, x, (1, slice(None), lib.tensor([2, 0])), v),
    [signed(2, 3, 3), signed(3, 2)],
    lambda x, v: np.stack([x[0], np.stack([v[:, 1], x[1, :, 1], v[:, 0]], 1)]),
)
add_case(
    "index_put",
    "value broadcast",
    lambda lib, x, v: replaced(lib, x, slice(1, None), v),
    [signed(3, 2), signed(1, 1, 2)],
    lambda x, v: np.stack([x[0], v[0, 0], v[0, 0]]),
)
add_case(
    "index_put",
    "value broadcast, places named twice",
    lambda lib, x, v: replaced(lib, x, lib.tensor([0, 2, 0]), v),
    [signed(3, 2), signed(3, 1)],
    lambda x, v: np.stack([v[[2, 2], 0], x[1], v[[1, 1], 0]]),
    categories=CATEGORIES[:3],
)
add_case(
    "unbind",
    "the last axis",
    lambda lib, x: lib.unbind(x, -1),
    [signed(2, 3)],
    lambda x: [x[:, i] for i in range(3)],
)
add_case(
    "add_slices",
    "overlapping slices",
    lambda lib, *gs: received(lib, np.zeros((3, 2)), lambda x: [x[0], x[:2], x[1:]], *gs),
    [signed(2), signed(2, 2), signed(2, 2)],
    lambda *gs: _received_ref(*gs, index=[0, slice(2), slice(1, None)], shape=(3, 2)),
)
add_case(
    "add_at",
    "overlapping parts of both kinds",
    lambda lib, *gs: received(lib, np.zeros((3, 2)), lambda x: [x[0], x[1:], x[[2, 2]]], *gs),
    [signed(2), signed(2, 2), signed(2, 2)],
    lambda *gs: _received_ref(*gs, index=[0, slice(1, None), [2, 2]], shape=(3, 2)),
)

for _shape, _chunks, _dim in [
    ((4,), 2, 0),
    ((5, 2), 3, 0),
    ((2, 6), 4, -1),
    ((2, 3), 9, 1),
    ((3, 0), 2, 1),
    ((1,), 1, 0),
]:
    _n = -(-_shape[_dim] // _chunks) or 1
    _cuts = list(range(_n, _shape[_dim], _n))
    _count = len(_cuts) + 1 if _shape[_dim] else _chunks
    add_case(
        "split" if _shape[_dim] else "split_with_sizes",
        f"chunk({_shape}, {_chunks}, {_dim})",
        lambda lib, x, c=_chunks, d=_dim: lib.chunk(x, c, d),
        [signed(*_shape)],
        lambda x, c=_cuts, n=_count, d=_dim: np.split(x, c, d) if x.size else [x] * n,
    )
add_case(
    "split_with_sizes",
    "sizes that differ",
    lambda lib, x: lib.split(x, [2, 0, 1], -1),
    [signed(2, 3)],
    lambda x: np.split(x, [2, 2], -1),
)
add_case(
    "add_spans",
    "chunks",
    lambda lib, *gs: received(lib, np.zeros((2, 3)), lambda x: lib.chunk(x, 2, -1), *gs),
    [signed(2, 2), signed(2, 1)],
    lambda a, b: np.concatenate([a, b], 1),
)
add_case(
    "add_spans",
    "overlapping chunks",
    lambda lib, *gs: received(
        lib, np.zeros((2, 4)), lambda x: [*lib.chunk(x, 2), *lib.chunk(x, 4, -1)[1:2]], *gs
    ),
    [signed(1, 4), signed(1, 4), signed(2, 1)],
    lambda a, b, c: np.concatenate([a, b]) + np.pad(c, ((0, 0), (1, 2))),
)
