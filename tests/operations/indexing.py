"""Calls that read parts of tensors, replace them or add to them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

import tinygrad_rnn as tg
from operations.harness import DTYPES, INF, NAN, call, draw
from tinygrad_rnn.testing.cases.indexing import as_index, replaced

I32, NONE = np.int32, np.zeros(0, np.int64)


def ints(*values: Any, dtype: Any = np.int64) -> np.ndarray:
    return np.array(values[0] if isinstance(values[0], list) else values, dtype)


@contextmanager
def quiet() -> Iterator[None]:
    """Without PyTorch's warnings that something is deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def both(name: str, label: str, arrays: Any, *before: Any, **options: Any) -> None:
    """A call of a function and of a method: ``before`` goes before the tensors behind the first."""

    def fn(lib: Any, x: Any, *others: Any) -> Any:
        with quiet():
            function = getattr(lib, name)(x, *before, *others, **options)
            return function, getattr(x, name)(*before, *others, **options)

    call(name, label, fn, *arrays)


def put(label: str, index: Any, *arrays: Any, value: Any = None, **options: Any) -> None:
    """``x[index] = v`` of two arrays, or of one and a number."""

    def fn(lib: Any, x: Any, v: Any = value) -> Any:
        return replaced(lib, x, as_index(lib, index), v)

    call("setitem", label, fn, *arrays, **options)


# -- x[index], and x[index] = value --------------------------------------------------------------

ROWS = ints(1, 0, -1)
MASK = np.array([[True, False, True], [False, True, True]])
INDICES: dict[tuple[int, ...], list[Any]] = {
    (): [(), ..., None, True, False, (None, True), (True, None, True), np.array(True), 0, ROWS],
    (1,): [0, -1, slice(None), np.array([True]), ints(0), (0, True), (None, ints(-1)), 1],
    (0, 3): [slice(None), (slice(None), 1), np.zeros(0, bool), NONE, [], 0, (slice(None), ROWS)],
    (5,): [
        *[slice(1, 3), slice(-2, None), slice(4, 1), slice(-9, 9), slice(None, None, 2)],
        *[slice(1, 9, 3), slice(np.int64(1), np.array(3)), slice(None, None, 0)],
        *[slice(None, None, -1), slice(0.5, 2), slice("a", None), slice(2, 2)],
    ],
    (2, 3): [
        *[0, -1, 2, -3, True, False, None, ..., (), (0, 1), (-1, ...), (0, 1, 2), (0, 1, None)],
        *[np.array(1), np.array(-2, np.int16), np.array(1, np.uint8), np.int64(1), np.array(9)],
        *[(True, True), (True, 0), (False, 0), (ROWS, True), (True, ROWS), (False, ROWS)],
        *[[1, 0, 1], [True, False], [], ([0, 1], [1, 2]), ([0, 1], 2), (slice(1), [])],
        *[1.5, "a", b"a", {0}, 1j, object, np.float64(1), ["a"], (0, "a")],
        *[MASK, MASK[:, 0], (slice(None), MASK[0]), (MASK[:, 0], MASK[0]), MASK & False],
        *[(MASK[:, 0], 1), (MASK, None), (MASK, ...), (None, MASK), MASK[0], MASK.T, (MASK, 0)],
        *[(MASK[:, 0], ints(1, 2)), (MASK[0][:2], MASK[0])],
        *[ints(2), ints(-3), ints([[1], [0]]), (ROWS, ROWS), (ROWS, ROWS[:2]), (0, 0, ROWS)],
        *[ints(1, dtype=d) for d in (I32, np.int8, np.uint8, np.float32)],
        *[(ROWS, ROWS, ROWS), (NONE, 1), ints([[], []]), ROWS[:1]],
    ],
    (2, 3, 4): [
        *[(0, slice(None), ROWS), (ROWS, slice(None), ROWS), (ROWS, 0), (..., ROWS), (0, ROWS, 0)],
        *[(0, ROWS, slice(1, 3)), (slice(1), ROWS, ROWS), (ROWS, None, ROWS), (None, ROWS)],
        *[(None, ROWS, ..., None), (MASK, slice(1, 3)), (MASK, ints(0)), (MASK, 0), (1, MASK[0])],
        *[(slice(1, None), MASK[1], ints(3, 1)), (-1, MASK[0], 2), (ints([[1], [0]]), ..., ROWS)],
        *[(True, MASK[:, 0], ..., ints(2)), (slice(0, 0), ROWS), (ROWS, slice(None, None, 2), 1)],
    ],
}


def _twice(shape: tuple[int, ...], index: Any) -> bool:
    """Whether an index names a place twice: which value stays is open in PyTorch."""
    try:
        places = np.arange(np.prod(shape, dtype=int)).reshape(shape)[index]
    except (IndexError, TypeError, ValueError):
        return False
    return len(set(places.ravel().tolist())) < places.size


for _shape, _indices in INDICES.items():
    for _index in _indices:
        _label = f"{_shape}[{_index!r}]"

        def _read(lib: Any, x: Any, i: Any = _index) -> Any:
            with quiet():
                return x[as_index(lib, i)]

        def _set(lib: Any, x: Any, v: Any, i: Any = _index) -> Any:
            with quiet():
                return replaced(lib, x, as_index(lib, i), v[as_index(lib, i)])

        def _set_number(lib: Any, x: Any, i: Any = _index) -> Any:
            with quiet():
                return replaced(lib, x, as_index(lib, i), 2)

        call("getitem", _label, _read, draw(*_shape))
        if not _twice(_shape, _index) and _index is not False:  # then nothing is written at all
            call("setitem", _label, _set, draw(*_shape), draw(*_shape))
        if getattr(_index, "dtype", None) != np.uint8:  # which PyTorch refuses as masks here
            call("setitem", f"{_label} = 2", _set_number, draw(*_shape))


def _read_at(lib: Any, x: Any, i: Any) -> Any:
    with quiet():
        return x[i]


call("getitem", "a uint8 mask", _read_at, draw(3, dtype="int64"), ints(2, 0, 1, dtype=np.uint8))
for _dtype in DTYPES:
    _x = draw(3, 2, dtype=_dtype)
    call("getitem", _dtype, lambda lib, x: (x[1], x[::2], x[lib.tensor([2, 0])], x[x > 0]), _x)
    for _value in [0, 1.7, True, -1, 255, 300, 1e300, INF, NAN]:
        if _dtype != "float16":  # where PyTorch writes 1e300 as inf
            put(f"{_dtype} = {_value}", 1, _x, value=_value)
    for _other in DTYPES if _x.dtype.kind == "f" else DTYPES[3:]:
        for _index in [1, ints(1), np.array([True, False, False]), (ints(0), 1)]:
            for _shape in [(), (1,), (2,)]:
                _v = draw(*_shape, dtype=_other, low=0)
                put(f"{_dtype}{_shape}[{_index!r}] = {_other}", _index, _x, _v, tolerance=2e-3)
for _index in [0, slice(1, 3), ints(0, 2), np.array([True, False, True]), (0, 1), (ints(0, 1), 1)]:
    for _shape in [
        (),
        (1,),
        (2,),
        (3,),
        (1, 2),
        (2, 1),
        (2, 2),
        (1, 1, 2),
        (3, 1, 2),
        (0,),
        (2, 0),
    ]:
        put(f"(3, 2)[{_index!r}] = {_shape}", _index, draw(3, 2), draw(*_shape))
for _bad in [[1.0, 2.0], (1,), "a"]:
    put(f"{_bad!r}", 0, draw(3, 2), value=_bad)
put("None", 0, draw(3, 2))
call("setitem", "of a transposed tensor", lambda lib, x, v: replaced(lib, x.T, (0, slice(2)), v),
     draw(3, 2), draw(2))  # fmt: skip
call("setitem", "of an expanded tensor", lambda lib, x, v: replaced(lib, x.expand(3, 2), 1, v),
     draw(2), draw(2))  # fmt: skip

_MANY = draw(2, 150, dtype="int64", low=-20, high=19)  # cotangents are added in another way
for _index in [
    *[_MANY, _MANY[0], (slice(None), _MANY[0]), (..., _MANY[1]), (_MANY[0], _MANY[1], slice(1, 9))],
    *[(_MANY[0], slice(None, None, 2), _MANY[1]), (slice(2, 17), None, _MANY[0], slice(None))],
    *[(draw(20, 21, dtype="bool"), slice(None)), (None, _MANY[:, :1] * 0, _MANY), (0, _MANY)],
]:
    call("getitem", f"many of {_index!s:.40}", lambda lib, x, i=_index: x[as_index(lib, i)],
         draw(20, 21, 22, dtype="float64"))  # fmt: skip

# -- along one axis ------------------------------------------------------------------------------

for _shape in [(), (1,), (3,), (2, 3), (2, 0), (3, 1, 2)]:
    for _dim in [0, 1, -1, -2, 3]:
        for _at in [0, -1, 2, -4]:
            both("select", f"{_shape}, {_dim}, {_at}", [draw(*_shape)], _dim, _at)
        for _at, _n in [(0, 1), (-1, 1), (1, 1), (0, 0), (2, 0), (3, 0), (0, 2), (0, 9), (0, -1)]:
            both("narrow", f"{_shape}, {_dim}, {_at}, {_n}", [draw(*_shape)], _dim, _at, _n)
for _bad in [(0.0, 0, 1), (0, 0.0, 1), (0, 0, 1.0), (0, "a", 1), (0, None, 1), (0, -9, 1)]:
    both("narrow", f"{_bad}", [draw(3)], *_bad)
    both("select", f"{_bad[:2]}", [draw(3)], *_bad[:2])
both("select", "at True", [draw(3)], 0, True)
both("select", "keywords", [draw(4, 2)], dim=0, index=1)
both("narrow", "keywords", [draw(4, 2)], dim=0, start=1, length=2)
call("select", "at a 0-d tensor", lambda lib, x, i: x.select(0, i), draw(4), np.array(1))
call("narrow", "from a 0-d tensor on", lambda lib, x, i: x.narrow(0, i, 2), draw(4), np.array(1))
for _start in (np.array([1]), np.array([[1]]), np.array([0, 1]), np.array(1.0), np.array(True)):
    call(
        "narrow",
        f"from {_start!r} on",
        lambda lib, x, i: x.narrow(0, i.detach(), 2),
        draw(4),
        _start,
    )
call("select", "of a transposed tensor", lambda lib, x: x.T.select(0, 1), draw(4, 2))
call("narrow", "of a transposed tensor", lambda lib, x: x.T.narrow(1, 1, 2), draw(4, 2))

_VECTORS = [
    ints(0),
    ints(0, 0),
    ints(0, 0, 0),
    np.array(0),
    NONE,
    ints(1, 0),
    ints(1, 0, dtype=I32),
]
_WRONG = [ints(9), ints([[0]]), ints(0, dtype=np.int16), np.array([0.0]), ints(0, dtype=np.uint8)]
for _shape in [(), (3,), (2, 3), (3, 2, 2)]:
    for _dim in [0, 1, -1, 4]:
        for _at in _VECTORS if _shape else _VECTORS[:1] + _VECTORS[3:4]:
            _x, _label = draw(*_shape), f"{_shape}, {_dim}, {_at!r}"
            _part = list(_shape)
            if _shape:
                _part[_dim % len(_shape)] = _at.size
            both("index_select", _label, [_x, _at], _dim)
            both("index_add", _label, [_x, _at, draw(*_part)], _dim)
            if _at.dtype == np.int64:  # PyTorch takes no other here
                if len({*_at.flat}) == _at.size:  # who is last of several is not said there
                    both("index_copy", _label, [_x, _at, draw(*_part)], _dim)
                both("index_fill", _label, [_x, _at], _dim, value=0.5)
for _at in _WRONG:
    both("index_select", f"{_at!r}", [draw(3, 2), _at], 0)
    both("index_add", f"{_at!r}", [draw(3, 2), _at, draw(1, 2)], 0)
both("index_select", "a 0-d tensor, twice", [draw(), ints(0, 0)], 0)
both("index_select", "a 0-d tensor, never", [draw(), NONE], 0)
for _at in [ints(-1), ints(0, -1), ints(9)]:
    _x = draw(3, 2)
    both("index_select", f"{_at}", [_x, _at], 0)
    both("index_add", f"{_at}", [_x, _at, draw(_at.size, 2)], 0)
    both("index_copy", f"{_at}", [_x, _at, draw(_at.size, 2)], 0)
    both("index_fill", f"{_at}", [_x, _at], 0, value=1.0)
for _dtype in DTYPES:
    _x, _at = draw(3, 2, dtype=_dtype), ints(2, 0)
    both("index_select", _dtype, [_x, ints(2, 0, 2)], 0)
    for _other in sorted({_dtype, "float32", "int64"}):
        _v = draw(2, 2, dtype=_other, low=0)
        both("index_add", f"{_dtype}, {_other}", [_x, _at, _v], 0)
for _shape in [(), (1,), (2,), (1, 3), (2, 1), (2, 2), (2, 3), (1, 2, 3)]:
    for _at in [ints(0), ints(0, 1)]:
        if _shape or _at.size == 1:
            both("index_add", f"{_shape} for {_at}", [draw(2, 3), _at, draw(*_shape)], 0)
            both("index_copy", f"{_shape} for {_at}", [draw(2, 3), _at, draw(*_shape)], 0)
for _alpha in [2, 0.5, -1.0, True, 0, "a", None]:
    for _dtype in ["float32", "float64", "float16", "int64"]:
        _v = [draw(3, 2, dtype=_dtype), ints(1, 1), draw(2, 2, dtype=_dtype)]
        both("index_add", f"{_dtype}, alpha {_alpha!r}", _v, 0, alpha=_alpha)
for _value in [2, 0.5, True, np.float32(1.5)]:
    for _dtype in ["float32", "float64", "int64", "uint8"]:
        both(
            "index_fill",
            f"{_dtype}, {_value!r}",
            [draw(3, 2, dtype=_dtype), ints(1)],
            0,
            value=_value,
        )
both("index_fill", "a matrix for an index", [draw(3, 2), ints([[1]])], 0, value=1.0)
for _name in ["index_select", "index_add"]:
    both(_name, "no tensors", [draw(3)], 0, [1], *[[2.0]] * (_name != "index_select"))

# -- element by element --------------------------------------------------------------------------

_RIGHT = [ints([[1, 0, 1]]), ints([[0], [1]]), ints([[0, 1]] * 4), ints(0), ints(1, 0), np.array(0)]
_RIGHT += [NONE, np.zeros((0, 5), np.int64), np.zeros((2, 0), np.int64), ints([[1, 0]], dtype=I32)]
_RIGHT += [np.array(1), ints([[0, 1, 0, 1]]), np.zeros((1, 1, 1), np.int64)]
_WRONG = [ints([[1, 0]], dtype=d) for d in (np.int16, bool, np.float32)]
for _shape in [(), (1,), (3,), (2, 3), (3, 2), (2, 2, 2), (0, 3)]:
    for _dim in [0, 1, -1, 3]:
        for _at in [*_RIGHT, *_WRONG, ints([[2, 0]]), ints([[-1]]), ints(-1)]:
            _x, _label = draw(*_shape), f"{_shape}, {_dim}, {_at.dtype}{_at.shape} {_at.tolist()}"
            both("gather", _label, [_x, _at], _dim)
            both("scatter_add", _label, [_x, _at, draw(*_at.shape)], _dim)
            call("scatter", _label, lambda lib, x, i, d=_dim: (
                 lib.scatter(x, d, i, 7), x.scatter(d, i, value=7)), _x, _at)  # fmt: skip
for _at in [ints([[0, 2, 1], [1, 0, 2]]), ints([[2], [0]]), ints([[2, 0]])]:
    for _shape in [(2, 3), (3, 4), (2, 1), (1, 2), (1, 3), (), (2, 3, 1), (0, 3)]:
        for _name in ["scatter", "scatter_add"]:
            _v = draw(
                *_shape, dtype="int64"
            )  # PyTorch has no derivative where the source is larger
            both(_name, f"{_shape} for {_at.tolist()}", [draw(2, 3, dtype="int64"), _at, _v], 1)
both("scatter", "0-d", [draw(), np.array(0), draw()], 0)
both("scatter", "0-d, vectors", [draw(), ints(0), draw(1)], 0)
both("scatter", "empty", [draw(2, 3), NONE, draw(0)], 0)
both("scatter_add", "0-d", [draw(), ints(0, 0), draw(2)], 0)
both("scatter_add", "a number", [draw(3), ints(0)], 0, src=2.0)
_x = draw(3, dtype="int64")
both("scatter", "add", [_x, ints(1, 1), draw(2, dtype="int64")], 0, reduce="add")
both("scatter", "add a number", [_x, ints(1, 1)], 0, value=3, reduce="add")
both("scatter", "reduce by max", [_x, ints(1, 1)], 0, value=3, reduce="max")
for _bad in [{"src": "a"}, {"src": [1.0]}, {"value": "a"}, {}]:
    call("scatter", f"{_bad}", lambda lib, x, i, o=_bad: x.scatter(0, i, **o), draw(3), ints(1, 1))
for _dtype in DTYPES:
    _x, _v = draw(3, 2, dtype=_dtype), draw(2, 2, dtype=_dtype)
    _at = ints([[2, 0], [1, 1]])
    both("gather", _dtype, [_x, _at], 0)
    both("scatter", _dtype, [_x, _at, _v], 0)
    both("scatter", f"{_dtype}, float64", [_x, _at, draw(2, 2, dtype="float64")], 0)
    both("scatter_add", _dtype, [_x, _at * 0, _v], 0)
    for _value in [2, 0.5, True, -1, 300]:
        both("scatter", f"{_dtype}, {_value!r}", [_x, _at], 0, value=_value)
for _name in ["gather", "scatter_add", "take_along_dim"]:
    call(
        _name, "a list", lambda lib, x, n=_name: getattr(x, n)(*[0] * (n[0] in "gs"), [0]), draw(3)
    )

for _shape in [(), (1,), (3,), (2, 3), (3, 2), (2, 2, 2)]:
    for _at in [*_RIGHT, *_WRONG]:
        _x, _label = draw(*_shape), f"{_shape}, {_at.dtype}{_at.shape} {_at.tolist()}"
        if (_at < np.prod(_shape)).all():  # else PyTorch reads some other element
            both("take_along_dim", _label, [_x, _at])
        for _dim in [0, 1, -1]:
            if len(_shape) <= _dim < _at.ndim or (_at < min(_shape, default=1)).all():
                call("take_along_dim", f"{_label}, {_dim}", lambda lib, x, i, d=_dim: (
                     lib.take_along_dim(x, i, d), x.take_along_dim(i, dim=d)), _x, _at)  # fmt: skip
for _shape, _sizes, _dim in [
    *[((2, 3), (1, 4), 1), ((2, 3), (2, 1), 0), ((1, 3), (4, 2), 1), ((2, 3), (3, 3), 1)],
    *[((2, 1, 3), (1, 2, 2), -1), ((2, 3), (0, 3), 0), ((3,), (2,), 0), ((2, 0), (2, 0), 1)],
]:
    _at = draw(*_sizes, dtype="int64", low=-1, high=1)
    both("take_along_dim", f"{_shape}, {_sizes}, {_dim}", [draw(*_shape), _at], dim=_dim)
for _axis in [0, 1, -1]:
    call("take_along_dim", f"NumPy's along axis {_axis}", lambda lib, x, i, d=_axis: (
         np.take_along_axis(x, i, d) if lib is tg else lib.take_along_dim(x, i, d)),
         draw(2, 3), ints([[1], [0]]))  # fmt: skip
    call("index_select", f"NumPy's along axis {_axis}", lambda lib, x, i, d=_axis: (
         np.take(x, i, d) if lib is tg else lib.index_select(x, d, i)),
         draw(2, 3), ints(1, 0))  # fmt: skip
call("index_select", "NumPy's of all", lambda lib, x, i: (
     np.take(x, i) if lib is tg else lib.take(x, i)), draw(2, 3), ints(3, -1))  # fmt: skip
call("nonzero", "NumPy's", lambda lib, x: (
     np.nonzero(x) if lib is tg else lib.nonzero(x, as_tuple=True)), MASK)  # fmt: skip
call("take_along_dim", "of a transposed tensor", lambda lib, x, i: x.T.take_along_dim(i, 0),
     draw(2, 3), ints([[1, 0], [2, 2]]))  # fmt: skip
call("gather", "of every other row", lambda lib, x, i: x[::2].gather(0, i), draw(4, 3), ints([[1]]))

# -- index_put -----------------------------------------------------------------------------------

for _accumulate in [False, True]:
    for _indices in [
        *[(ints(1, 0),), (ints(1), ints(2)), (ints([[0], [1]]), ints(0, 2)), (ints(-1),), (NONE,)],
        *[(MASK,), (MASK[:, 0],), (MASK[0],), (np.array(1),), (np.array(1), ints(0, 1))],
        *[(ints(0),) * 3, (ints(0, 1, 1), ints(0, 1))],
        *[(ints(1, dtype=I32),), (ints(1, dtype=np.int16),)],
    ]:
        for _shape in [(), (1,), (2,), (3,), (2, 1), (2, 3)]:
            call("index_put", f"{_indices}, {_shape}, {_accumulate}",
                 lambda lib, x, v, i=_indices, a=_accumulate: (
                     lib.index_put(x, as_index(lib, i), v, a), x.index_put(as_index(lib, i), v, a)),
                 draw(2, 3), draw(*_shape))  # fmt: skip
    for _dtype in DTYPES:
        for _other in sorted({_dtype, "float32"}):
            call("index_put", f"{_dtype}, {_other}, {_accumulate}",
                 lambda lib, x, i, v, a=_accumulate: x.index_put((i,), v, accumulate=a),
                 draw(3, 2, dtype=_dtype), ints(0, 2), draw(2, dtype=_other))  # fmt: skip
    call("index_put", f"out of range, {_accumulate}",
         lambda lib, x, i, v, a=_accumulate: x.index_put((i,), v, a),
         draw(2, 3), ints(2), draw(3))  # fmt: skip
call("index_put", "added where places repeat",
     lambda lib, x, i, v: x.index_put((i, i), v, accumulate=True),
     draw(3, 3), ints(0, 2, 0, 0), draw(4))  # fmt: skip
for _label, _bad in {
    "tensor": lambda i: i,
    "integer": lambda i: (1,),
    "slice": lambda i: (slice(1),),
    "list": lambda i: ([1],),
    "None": lambda i: (None, i),
    "nothing": lambda i: (),
}.items():
    call("index_put", _label, lambda lib, x, i, v, b=_bad: x.index_put(b(i), v),
         draw(3), ints(1), draw(1))  # fmt: skip
call("index_put", "a number", lambda lib, x, i: x.index_put((i,), 5.0), draw(3), ints(1))
call("index_put", "accumulate: 1", lambda lib, x, i, v: x.index_put((i,), v, 1), draw(3), ints(1),
     draw(1))  # fmt: skip

# -- masks ---------------------------------------------------------------------------------------

for _shape in [(), (1,), (3,), (2, 3), (2, 1), (0, 3), (2, 2, 3)]:
    for _mask in [MASK, MASK[0], MASK[0, :2], MASK[:, :1], MASK[:0], *map(np.array, [True, False])]:
        both("masked_select", f"{_shape}, {_mask.tolist()}", [draw(*_shape), _mask])
        both("masked_scatter", f"{_shape}, {_mask.tolist()}", [draw(*_shape), _mask, draw(4)])
for _dtype in DTYPES:
    both("masked_select", _dtype, [draw(2, 3, dtype=_dtype), MASK])
    both("masked_select", f"mask of {_dtype}", [draw(3), draw(3, dtype=_dtype).round()])
    for _shape in [(), (4,), (2, 3), (2, 0), (0,), (2, 1, 2)]:
        _x = draw(*_shape, dtype=_dtype, low=0, high=1)
        both("nonzero", f"{_dtype}{_shape}", [_x if _dtype == "bool" else _x.round()])
        both("nonzero", f"{_dtype}{_shape}", [_x], as_tuple=True)
both("masked_select", "a list", [draw(1)], [True])
both("masked_scatter", "too few", [draw(2, 3), MASK, draw(2)])
both("masked_scatter", "another type", [draw(2, 3), MASK, draw(6, dtype="float64")])
both("masked_scatter", "no mask", [draw(3), ints(1, 0, 1), draw(3)])
both("masked_scatter", "a matrix", [draw(2, 3), MASK, draw(3, 2)])
for _shape in [(2, 2), (2, 4), (5, 2), (3, 3, 3), (3,), (2, 3, 2), (0, 2)]:
    for _wrap in (False, True):
        call("fill_diagonal_", f"{_shape}, {_wrap}", lambda lib, x, w=_wrap: (
             (x * 1).fill_diagonal_(0.5, w)), draw(*_shape))  # fmt: skip
both("nonzero", "extremes", [[0.0, -0.0, NAN, INF, -INF, 1e-40]])
both("nonzero", "as_tuple 1", [draw(2)], as_tuple=1)
both("nonzero", "by position", [draw(2)], True)
call("nonzero", "a transposed tensor", lambda lib, x: x.T.nonzero(), MASK)
call("nonzero", "a list", lambda lib: lib.nonzero([1]))
