"""Calls of functions of three operands, and of those with numbers for NaN and infinity."""

from __future__ import annotations

import itertools

import numpy as np

from operations.elementwise import coarsest
from operations.harness import DTYPES, EXTREMES, INF, NAN, call, draw

# -- on the way from one to another --

_SHAPES = [
    ((), (), ()),
    ((3,), (3,), (3,)),
    ((2, 1), (3,), ()),
    ((0, 3), (1, 3), (3,)),
    ((2,),) * 3,
]
for _one, _two, _three in _SHAPES:
    _drawn = draw(*_one), draw(*_two), draw(*_three)
    call("lerp", f"{_one}, {_two}, {_three}", lambda lib, a, b, w: lib.lerp(a, b, w), *_drawn)
for _weight in (0, 1, 0.25, 0.5, 0.75, -2, True, INF, "a", None):
    for _dtype in DTYPES:
        call(
            "lerp",
            f"{_dtype}, weight {_weight}",
            lambda lib, a, b, w=_weight: a.lerp(b, w),
            draw(3, dtype=_dtype),
            draw(3, dtype=_dtype),
        )
for _one, _two, _three in itertools.product(("float64", "float32", "float16", "int64"), repeat=3):
    for _shape in ((3,), ()):
        if _shape == () and (_one == "int64" or _three == "int64"):
            continue  # PyTorch computes some of it, of integers in float32
        call(
            "lerp",
            f"{_one}, {_two}, {_three} of shape {_shape}",
            lambda lib, a, b, w: lib.lerp(a, b, w),
            draw(3, dtype=_one),
            draw(3, dtype=_two),
            draw(*_shape, dtype=_three),
            tolerance=coarsest(_one, _two, _three),
        )
call("lerp", "a number as the end", lambda lib, a: lib.lerp(a, 1.0, 0.5), draw(3))
call("lerp", "by name", lambda lib, a, b: lib.lerp(a, end=b, weight=0.5), draw(3), draw(3))

# -- products and quotients added --

for _name in ("addcmul", "addcdiv"):
    for _one, _two, _three in [*_SHAPES, ((4, 1), (2, 3), (3,))]:
        call(
            _name,
            f"{_one}, {_two}, {_three}",
            lambda lib, *xs, n=_name: getattr(lib, n)(*xs, value=-1.5),
            draw(*_one),
            draw(*_two),
            draw(*_three),
        )
    for _one, _two, _three in itertools.product(DTYPES, repeat=3):
        if "bool" in (_one, _two) and _three == "bool":
            continue  # a sum of bools, which PyTorch computes in its own way
        kinds = np.dtype(_two).kind, np.dtype(_three).kind
        if _name == "addcdiv" and kinds[0] == "f" != kinds[1]:
            continue  # PyTorch's backward casts the quotient to integers, and fails
        call(
            _name,
            f"{_one}, {_two}, {_three}",
            lambda lib, *xs, n=_name: getattr(xs[0], n)(*xs[1:]),
            draw(3, dtype=_one),
            draw(3, dtype=_two),
            np.ones(3, _three),
            tolerance=coarsest(_one, _two, _three),
        )
    for _value in (0, 2, -1, 1.5, True, INF, "a", None):
        for _dtype in ("float32", "int64", "uint8", "float16"):
            if _dtype in ("int64", "uint8") and _value == INF:
                continue  # undefined in C
            call(
                _name,
                f"{_dtype}, value {_value}",
                lambda lib, *xs, n=_name, v=_value: getattr(lib, n)(*xs, value=v),
                *[draw(3, dtype=_dtype, low=1, high=3) for _ in range(3)],
            )
    call(_name, "no", lambda lib, a, n=_name: getattr(lib, n)(a, 2.0, a), draw(3))
    call(_name, "0-d", lambda lib, a, b, n=_name: getattr(lib, n)(a, a, b), draw(3), np.array(2.0))

# -- logarithms --

for _one, _two in [((), ()), ((3,), (3,)), ((2, 1), (3,)), ((0,), (1,)), ((2,), (3,))]:
    call("xlogy", f"{_one}, {_two}", lambda lib, a, b: lib.xlogy(a, b), draw(*_one), draw(*_two))
_VALUES = [0.0, -0.0, 1.0, -1.0, 2.5, INF, -INF, NAN]
_PAIRS = np.array(list(itertools.product(_VALUES, repeat=2)), np.float32).T
call("xlogy", "specials", lambda lib, a, b: lib.xlogy(a, b), *_PAIRS)
for _one, _two in itertools.product(DTYPES, repeat=2):
    call(
        "xlogy",
        f"{_one}, {_two}",
        lambda lib, a, b: a.xlogy(b),
        draw(3, dtype=_one),
        np.arange(1, 4).astype(_two),
        tolerance=coarsest(_one, _two),
    )
for _number in (0, 2, 0.5, -1, True, "a", None):
    call("xlogy", f"{_number} first", lambda lib, x, a=_number: lib.xlogy(a, x), [0.5, 2.0, 0.0])
    call("xlogy", f"{_number} last", lambda lib, x, a=_number: lib.xlogy(x, a), [0.5, 2.0, 0.0])
_ODDS = [-0.1, 0.0, 0.05, 0.1, 0.5, 0.9, 1.0, 1.1, NAN, INF]
for _eps in (None, 0, 0.1, 0.7, -1, True, "a"):
    call("logit", f"eps {_eps}", lambda lib, x, e=_eps: lib.logit(x, e), _ODDS)
    call("logit", f"eps {_eps}, float64", lambda lib, x, e=_eps: x.logit(eps=e), np.array(_ODDS))
    call("logit", f"eps {_eps}, int64", lambda lib, x, e=_eps: x.logit(e), [0, 1, 2])

# -- numbers for what is none --

for _dtype in ("float16", "float32", "float64"):
    with np.errstate(all="ignore"):
        _extreme = np.array(EXTREMES).astype(_dtype)
    for _given in [(), (1.0,), (None, 2, -3), (True, 5.0), (NAN, INF, -INF), (0, 1e10, 1e300)]:
        call(
            "nan_to_num",
            f"{_dtype} {_given}",
            lambda lib, x, g=_given: lib.nan_to_num(x, *g),
            _extreme,
        )
call("nan_to_num", "by name", lambda lib, x: x.nan_to_num(posinf=1, neginf=-1, nan=0.5), EXTREMES)
call("nan_to_num", "a str", lambda lib, x: x.nan_to_num("a"), EXTREMES)

# -- other names --

for _dtype in DTYPES:
    call(
        "true_divide",
        _dtype,
        lambda lib, a, b: lib.true_divide(a, b),
        draw(3, dtype=_dtype),
        [1, 2, 4],
    )
    for _name in ("clamp_min", "clamp_max"):
        for _bound in (0, 1, 0.5, -1, None, "a"):
            call(
                _name,
                f"{_dtype} {_bound}",
                lambda lib, x, n=_name, b=_bound: getattr(lib, n)(x, b),
                draw(4, dtype=_dtype),
            )
call(
    "true_divide",
    "with rounding",
    lambda lib, x: lib.true_divide(x, 2, rounding_mode="floor"),
    draw(3),
)
for _name, _key in (("clamp_min", "min"), ("clamp_max", "max")):
    call(_name, "by name", lambda lib, x, n=_name, k=_key: getattr(x, n)(**{k: 0.5}), draw(4))
    call(_name, "a tensor", lambda lib, x, b, n=_name: getattr(x, n)(b), draw(4), draw(2, 1))
    call(_name, "nothing", lambda lib, x, n=_name: getattr(x, n)(), draw(4))
