"""Calls of `scatter_reduce`, `take`, `meshgrid` and `split_with_sizes`."""

from __future__ import annotations

import itertools

import numpy as np

from operations.harness import DTYPES, NAN, call, draw

REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")
_AT = np.array([[0, 1, 0], [1, 1, 0]])
for _reduce, _self in itertools.product(REDUCTIONS, (True, False)):

    def _fn(lib, x, at, src, r=_reduce, s=_self):
        return x.scatter_reduce(0, at, src, r, include_self=s)

    for _dtype in DTYPES:
        if _reduce == "prod" and _dtype in ("int8", "uint8"):
            continue
        _drawn = draw(2, 3, dtype=_dtype), _AT, draw(2, 3, dtype=_dtype)
        call("scatter_reduce", f"{_reduce}, {_self}, {_dtype}", _fn, *_drawn)
    for _label, _at, _shape, _dim in [
        ("few", _AT[:1, :2], (2, 3), 0), ("none", _AT[:0], (2, 3), 0), ("dim 1", _AT, (2, 4), 1),
        ("dim -1", _AT, (3, 2), -1), ("int32", _AT.astype(np.int32), (2, 3), 0),
        ("long", np.array([0, 3, 3, 3, 1, 0, 3]), (5,), 0), ("0-d", np.array(0), (), 0),
        ("vector for 0-d", np.array([0]), (), 0), ("too large", _AT + 1, (2, 3), 0),
        ("negative", _AT - 1, (2, 3), 0), ("no dim", _AT, (2, 3), 2),
        ("floats", _AT * 1.0, (2, 3), 0),
        ("rank", _AT[0], (2, 3), 0), ("too long", np.zeros((2, 5), np.int64), (2, 3), 0),
    ]:  # fmt: skip
        call(
            "scatter_reduce",
            f"{_reduce}, {_self}, {_label}",
            lambda lib, x, at, src, r=_reduce, s=_self, d=_dim: lib.scatter_reduce(
                x, d, at.detach(), src, reduce=r, include_self=s
            ),
            draw(*_shape),
            _at,
            draw(*_at.shape),
        )
for _reduce in ("prod", "amax"):
    call(
        "scatter_reduce",
        f"{_reduce} of NaN",
        lambda lib, x, r=_reduce: x.scatter_reduce(0, lib.tensor([0, 0, 1]), x * 2, r),
        [1.0, NAN, 3.0],
    )
for _reduce in ("prod", "amax", "amin"):
    call(
        "scatter_reduce",
        f"{_reduce}, ties and zeros",
        lambda lib, x, y, r=_reduce: x.scatter_reduce(0, lib.tensor([0, 0, 1, 1, 2]), y, r),
        [2.0, 0.0, 1.0],
        [2.0, 2.0, 0.0, 0.0, 0.0][:5],
    )
for _reduce in ("multiply", None, 1):
    call(
        "scatter_reduce",
        f"{_reduce}",
        lambda lib, x, r=_reduce: x.scatter_reduce(0, lib.tensor([0]), x, r),
        [1.0],
    )
call(
    "scatter_reduce",
    "types",
    lambda lib, x, y: x.scatter_reduce(0, lib.tensor([0]), y, "sum"),
    [1.0],
    np.ones(1),
)
call(
    "scatter_reduce",
    "a number",
    lambda lib, x: x.scatter_reduce(0, lib.tensor([0]), 2.0, "sum"),
    [1.0],
)
call(
    "scatter_reduce",
    "a short source",
    lambda lib, x: x.scatter_reduce(0, lib.tensor([0, 0]), x[:1], "sum"),
    [1.0, 2.0],
)
call(
    "scatter_reduce",
    "a flag",
    lambda lib, x: x.scatter_reduce(0, lib.tensor([0]), x, "sum", include_self=1),
    [1.0],
)
call(
    "scatter_reduce",
    "by position",
    lambda lib, x: x.scatter_reduce(0, lib.tensor([0]), x, "sum", False),
    [1.0],
)

for _at in ([0, 5, -1], [6], [-7], [[0], [1]], 2, [], [0.0], [True]):
    _index = np.array(_at, np.int64 if not np.size(_at) else None)
    call("take", f"{_at}", lambda lib, x, i: lib.take(x, i.detach()), draw(2, 3), _index)
    call(
        "take",
        f"{_at} of a view",
        lambda lib, x, i: x.mT.take(index=i.detach()),
        draw(2, 3),
        _index,
    )
    call("take", f"{_at} of 0-d", lambda lib, x, i: lib.take(x, i.detach()), draw(), _index)
    call("take", f"{_at} of nothing", lambda lib, x, i: lib.take(x, i.detach()), draw(0, 3), _index)
call("take", "twice", lambda lib, x: lib.take(x, lib.tensor([1, 1, 0])), draw(2, 2))
call("take", "int32", lambda lib, x, i: lib.take(x, i), draw(3), np.array([0], np.int32))
call("take", "a list", lambda lib, x: lib.take(x, [0]), draw(3))

for _how in ({}, {"indexing": "ij"}, {"indexing": "xy"}, {"indexing": "z"}):
    for _shapes in [
        (),
        ((3,),),
        ((3,), (2,)),
        ((3,), (2,), (4,)),
        ((), (2,)),
        ((2,), (0,)),
        ((2, 1), (2,)),
    ]:
        _drawn = [draw(*shape) for shape in _shapes]
        call(
            "meshgrid",
            f"{_how} {_shapes}",
            lambda lib, *xs, h=_how: lib.meshgrid(*xs, **h),
            *_drawn,
        )
        call(
            "meshgrid",
            f"{_how} {_shapes} in a list",
            lambda lib, *xs, h=_how: lib.meshgrid(list(xs), **h),
            *_drawn,
        )
call("meshgrid", "types", lambda lib, x, y: lib.meshgrid(x, y), draw(2), [1, 2])
call("meshgrid", "a number", lambda lib, x: lib.meshgrid(x, 2.0), draw(2))

for _sizes in ([1, 2], [3], (0, 3, 0), [1, 1], [4, -1], [], 1, 1.5, None):
    call(
        "split_with_sizes",
        f"{_sizes}",
        lambda lib, x, s=_sizes: lib.split_with_sizes(x, s),
        draw(3, 2),
    )
    call(
        "split_with_sizes",
        f"{_sizes} along 1",
        lambda lib, x, s=_sizes: x.split_with_sizes(s, dim=-1),
        draw(2, 3),
    )
call("split_with_sizes", "0-d", lambda lib, x: x.split_with_sizes([1]), draw())
