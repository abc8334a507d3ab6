"""Calls of what depends on the order of elements, and of differences."""

from __future__ import annotations

from typing import Any

import numpy as np

from operations.harness import DTYPES, EXTREMES, INF, NAN, SHAPES, call, draw
from operations.reduction import TABLES, over_axes

_CUBE = draw(2, 3, 4)
_TIED = np.array([2, 1, 2, 0, 1, 2, 0], np.float32)  # fewer than 17: PyTorch's order is stable
_INTEGERS: list[Any] = [0, -1, 2, 3, -4, None, (0, 1), 0.5]


# -- max, min, median ----------------------------------------------------------------------------

for _name in ["max", "min", "median"]:
    over_axes(
        _name,
        [0, -1, 2, 3, -4, (0, 1), 0.5],
        # an integer tensor without elements has a median in PyTorch: the smallest integer
        shapes=SHAPES,
    )
    for _labels in ["values", "indices"]:
        call(
            _name,
            f".{_labels}",
            lambda lib, x, n=_name, p=_labels: getattr(getattr(x, n)(1), p),
            _CUBE,
        )
    call(_name, "keepdim without dim", lambda lib, x, n=_name: getattr(lib, n)(x, keepdim=True),
         _CUBE)  # fmt: skip
    call(_name, "of many ties", lambda lib, x, n=_name: getattr(lib, n)(x, 0), _TIED)
    call(_name, "of many ties, full", lambda lib, x, n=_name: getattr(lib, n)(x), _TIED)
    for _row in [[1.0, NAN], [NAN, NAN, 0.0], [INF, -INF, INF], [0.0, -0.0, 0.0]]:
        call(_name, f"{_row}", lambda lib, x, n=_name: getattr(lib, n)(x), _row)
        call(_name, f"{_row}, dim=0", lambda lib, x, n=_name: getattr(lib, n)(x, 0), _row)
for _name in ["max", "min"]:
    for _a, _b in [((3,), (3,)), ((2, 3), (3,)), ((), (2,)), ((2, 1), (1, 3)), ((2,), (3,))]:
        call(
            _name,
            f"of two, {_a}, {_b}",
            lambda lib, a, b, n=_name: getattr(lib, n)(a, b),
            draw(*_a),
            draw(*_b),
        )
    call(
        _name,
        "of two, ties and NaN",
        lambda lib, a, b, n=_name: getattr(a, n)(b),
        [1.0, NAN, 2.0, INF],
        [1.0, 0.0, NAN, INF],
    )
    call(
        _name,
        "of two, other=",
        lambda lib, a, b, n=_name: getattr(lib, n)(a, other=b),
        [1, 2],
        [1.5, 0.5],
    )

# -- sort, argsort, topk -------------------------------------------------------------------------

_OPTIONS: list[dict[str, Any]] = [
    {}, {"descending": True}, {"stable": True}, {"dim": 0, "descending": True, "stable": True},
    {"dim": -1}, {"dim": 1}, {"dim": 5}, {"dim": -4}, {"dim": None}, {"dim": 0.5}, {"dim": (0,)},
    {"descending": 1}, {"stable": 1}, {"descending": None}, {"axis": 0},
]  # fmt: skip
for _name in ["sort", "argsort"]:
    for _options in _OPTIONS:
        if "stable" in _options and _name == "argsort" and "dim" not in _options:
            _options = {**_options, "dim": -1}
        for _array in [_CUBE, _TIED]:
            call(
                _name,
                f"{_array.shape}, {_options}",
                lambda lib, x, n=_name, o=_options: getattr(lib, n)(x, **o),
                _array,
            )
    for _shape in SHAPES:
        for _dim in [0, -1]:
            for _down in [False, True]:
                call(
                    _name,
                    f"{_shape}, dim={_dim}, descending={_down}",
                    lambda lib, x, n=_name, d=_dim, r=_down: getattr(lib, n)(x, d, r),
                    draw(*_shape),
                )
    for _dtype in DTYPES:
        for _down in [False, True]:
            call(
                _name,
                f"{_dtype}, descending={_down}",
                lambda lib, x, n=_name, r=_down: getattr(x, n)(descending=r),
                draw(9, dtype=_dtype),
            )
    for _down in [False, True]:
        call(
            _name,
            f"extremes, descending={_down}",
            lambda lib, x, n=_name, r=_down: getattr(lib, n)(x, -1, r),
            [*EXTREMES, NAN],
        )
        call(
            _name,
            f"least integers, descending={_down}",
            lambda lib, x, n=_name, r=_down: getattr(lib, n)(x, -1, r),
            np.array([-128, 127, 0, -128], np.int8),
        )
    for _what, _rows in TABLES.items():
        for _dim in [0, 1]:
            call(
                _name,
                f"{_what}, dim={_dim}",
                lambda lib, x, n=_name, d=_dim: getattr(lib, n)(x, dim=d, stable=True),
                _rows,
            )
    call(
        _name,
        "many ties, stable",
        lambda lib, x, n=_name: getattr(lib, n)(x, dim=0, stable=True, descending=True),
        np.round(draw(200)),
    )
    call(_name, "a transposed view", lambda lib, x, n=_name: getattr(lib, n)(x.T, 0), _CUBE[0])
    call(_name, "a list", lambda lib, n=_name: getattr(lib, n)([1.0]))

for _k in [0, 1, 2, 4, 5, -1, 1.5, True, None]:
    for _options in [{}, {"dim": 0}, {"largest": False}, {"dim": 1, "sorted": True}]:
        call(
            "topk", f"{_k}, {_options}", lambda lib, x, k=_k, o=_options: lib.topk(x, k, **o), _CUBE
        )
for _options in [{"dim": 3}, {"dim": None}, {"largest": 1}, {"sorted": 0}, {"axis": 0}]:
    call("topk", f"{_options}", lambda lib, x, o=_options: lib.topk(x, 1, **o), _CUBE)
for _shape in SHAPES:
    for _k in [0, 1]:
        call("topk", f"{_shape}, {_k}", lambda lib, x, k=_k: lib.topk(x, k), draw(*_shape))
call("topk", "0-d, 2", lambda lib, x: lib.topk(x, 2), 1.0)
for _dtype in DTYPES:
    call("topk", _dtype, lambda lib, x: x.topk(2), np.arange(5).astype(_dtype))
for _largest in [False, True]:
    for _row in [[3.0, NAN, 2.0], [INF, 1.0, -INF], [5.0, NAN, 7.0]]:
        call(
            "topk",
            f"{_row}, largest={_largest}",
            lambda lib, x, n=_largest: lib.topk(x, 2, largest=n),
            _row,
        )
call("topk", "k a tensor", lambda lib, x: lib.topk(x, lib.tensor(1)), [2.0, 3.0])
call("topk", "a transposed view", lambda lib, x: lib.topk(x.T, 2, 0), _CUBE[0])

# -- differences -----------------------------------------------------------------------------------

for _shape in SHAPES:
    for _n in [0, 1, 2, 5]:
        call("diff", f"{_shape}, n={_n}", lambda lib, x, n=_n: lib.diff(x, n), draw(*_shape))
for _dim in _INTEGERS:
    call("diff", f"dim={_dim!r}", lambda lib, x, d=_dim: lib.diff(x, 1, d), _CUBE)
for _n in [-1, 1.0, None]:
    call("diff", f"n={_n!r}", lambda lib, x, n=_n: lib.diff(x, n), _CUBE)
for _dtype in DTYPES:
    for _n in [1, 2]:
        call("diff", f"{_dtype}, n={_n}", lambda lib, x, n=_n: x.diff(n), draw(5, dtype=_dtype))
for _before, _after in [
    ((2, 1), None), (None, (2, 2)), ((2, 2), (2, 3)), ((2,), None), ((3, 1), None), ((), None),
    (None, (1, 2)), ((2, 0), None),
]:  # fmt: skip
    for _n in [0, 1, 2]:
        call(
            "diff",
            f"n={_n}, prepend={_before}, append={_after}",
            lambda lib, x, *ends, b=_before, a=_after, n=_n: lib.diff(
                x, n, 1, ends[0] if b is not None else None, ends[-1] if a is not None else None
            ),
            draw(2, 3),
            *[draw(*shape) for shape in (_before, _after) if shape is not None],
        )
for _dtype in DTYPES:
    call(
        "diff",
        f"prepend {_dtype}",
        lambda lib, x, end: lib.diff(x, prepend=end),
        draw(3, dtype=np.int64),
        draw(1, dtype=_dtype),
    )
call("diff", "prepend a number", lambda lib, x: lib.diff(x, prepend=0), [1.0, 2.0])
call("diff", "a transposed view", lambda lib, x: lib.diff(x.T, dim=0), _CUBE[0])
call("diff", "infinities", lambda lib, x: lib.diff(x), [INF, INF, -INF, NAN, 1.0])
