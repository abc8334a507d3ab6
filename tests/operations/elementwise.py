"""Calls of elementwise operations."""

from __future__ import annotations

import itertools

import numpy as np
from cases import TOLERANCE

from operations.harness import DTYPES, EXTREMES, INF, NAN, SHAPES, call, draw

_WIDE = [0.0, -0.0, 0.3, -0.3, 1.0, -1.0, 1.5, -1.5, 2.5, -2.5, 60.0, -60.0, INF, -INF, NAN]
FUNCTIONS = [
    "exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "rsqrt", "square", "reciprocal",
    "neg", "abs", "sign", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan",
    "sigmoid", "erf", "floor", "ceil", "trunc", "round", "exp2", "asinh", "acosh", "atanh", "logit",
    "nan_to_num",
]  # fmt: skip


def _wide_of(name: str) -> list[float]:
    """Without −0 for logit: the sign of its slope there is that of PyTorch's vectors, or not."""
    return [x + 0.0 for x in _WIDE] if name == "logit" else _WIDE


for _name in FUNCTIONS:
    for _shape in SHAPES:
        call(_name, f"{_shape}", lambda lib, x, n=_name: getattr(lib, n)(x), draw(*_shape))
    for _dtype in DTYPES:
        call(_name, _dtype, lambda lib, x, n=_name: getattr(x, n)(), draw(3, dtype=_dtype))
        call(_name, f"0-d {_dtype}", lambda lib, x, n=_name: getattr(x, n)(), draw(dtype=_dtype))
    for _dtype in ("float64", "float32", "float16"):
        call(
            _name,
            f"wide {_dtype}",
            lambda lib, x, n=_name: getattr(lib, n)(x),
            np.array(_wide_of(_name), _dtype),
        )
    call(_name, "extremes", lambda lib, x, n=_name: getattr(lib, n)(x), _wide_of(_name))
    call(_name, "transposed", lambda lib, x, n=_name: getattr(lib, n)(x.T), draw(2, 3))
    call(_name, "every second", lambda lib, x, n=_name: getattr(lib, n)(x[::2]), draw(5))
    call(_name, "a list", lambda lib, n=_name: getattr(lib, n)([1.0]))
    call(_name, "a str", lambda lib, n=_name: getattr(lib, n)("1"))
    call(_name, "None", lambda lib, n=_name: getattr(lib, n)(None))
for _name in ["exp", "log", "tanh", "sigmoid", "neg", "abs", "sign", "sqrt", "square", "floor"]:
    call(_name, "largest", lambda lib, x, n=_name: getattr(lib, n)(x), EXTREMES)
for _decimals in (0, 1, 3, -1):
    for _dtype in ("float64", "float32", "int64"):
        if _dtype == "float64" or _decimals or _dtype == "float32":
            call(
                "round",
                f"to {_decimals} decimals, {_dtype}",
                lambda lib, x, d=_decimals: lib.round(x, decimals=d),
                draw(40, dtype=_dtype, low=-20, high=20),
            )
call("round", "halves", lambda lib, x: x.round(), np.arange(-4, 4.5, 0.5))
call("round", "extremes to decimals", lambda lib, x: x.round(decimals=2), _WIDE)
call("round", "to half a decimal", lambda lib, x: x.round(decimals=0.5), [1.0])
for _dtype in DTYPES:
    call("unary plus", _dtype, lambda lib, x: +x, draw(3, dtype=_dtype))
call("abs", "operator", lambda lib, x: abs(x), draw(3))
call("abs", "of the smallest integer", lambda lib, x: abs(x), np.array([-128, 127], np.int8))

# -- of two operands --

PAIRS = [
    ((), ()), ((3,), (3,)), ((), (2, 3)), ((2, 3), ()), ((3, 1), (1, 4)), ((2, 1, 3), (3,)),
    ((1,), (4,)), ((0, 3), (1, 3)), ((2, 1), (0,)), ((2, 3), (2,)), ((4,), (0,)),
]  # fmt: skip
_SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.5, -7.0, 1e30, INF, -INF, NAN]
_CROSS = np.array(list(itertools.product(_SPECIAL, repeat=2)), np.float32).T


def coarsest(*dtypes: str) -> float | None:
    """The tolerance for numbers that may have been rounded to any of the types."""
    return max(TOLERANCE.get(dtype, 0) for dtype in dtypes) or None


ARITHMETIC = {
    "add": lambda lib, a, b: lib.add(a, b),
    "sub": lambda lib, a, b: lib.sub(a, b),
    "rsub": lambda lib, a, b: lib.rsub(a, b),
    "mul": lambda lib, a, b: lib.mul(a, b),
    "div": lambda lib, a, b: lib.div(a, b),
    "div, floor": lambda lib, a, b: lib.div(a, b, rounding_mode="floor"),
    "div, trunc": lambda lib, a, b: lib.div(a, b, rounding_mode="trunc"),
    "floor_divide": lambda lib, a, b: lib.floor_divide(a.detach(), b.detach()),
    "remainder": lambda lib, a, b: lib.remainder(a, b),
    "fmod": lambda lib, a, b: lib.fmod(a, b),
    "pow": lambda lib, a, b: lib.pow(a, b),
    "atan2": lambda lib, a, b: lib.atan2(a, b),
    "logaddexp": lambda lib, a, b: lib.logaddexp(a, b),
    "maximum": lambda lib, a, b: lib.maximum(a, b),
    "minimum": lambda lib, a, b: lib.minimum(a, b),
    "clamp, min": lambda lib, a, b: lib.clamp(a, min=b),
    "clamp, max": lambda lib, a, b: lib.clamp(a, max=b),
}
for _name, _fn in ARITHMETIC.items():
    for _one, _two in PAIRS:
        call(_name, f"{_one}, {_two}", _fn, draw(*_one), draw(*_two))
    for _one, _two in itertools.product(DTYPES, repeat=2):
        if _name in ("pow", "atan2", "logaddexp") and {_one, _two} & {"bool", "uint8"}:
            continue  # PyTorch computes some of it, but its gradients fail or are wrong
        _low = 0 if _name == "pow" else -2  # 0 ** -1 has its own calls
        _divisors = np.arange(1, 5)[::-1].astype(_two)
        _some, _rough = draw(4, dtype=_one, low=_low), coarsest(_one, _two)
        call(_name, f"{_one}, {_two}", _fn, _some, _divisors, tolerance=_rough)
        call(_name, f"{_one}, 0-d {_two}", _fn, _some, np.ones((), _two), tolerance=_rough)
    for _dtype in ("float32", "float64"):
        call(_name, f"specials, {_dtype}", _fn, *_CROSS.astype(_dtype))
    call(_name, "views", lambda lib, a, b, f=_fn: f(lib, a.T, b[::2]), draw(2, 3), draw(6, 2))
    call(_name, "with itself", lambda lib, a, f=_fn: f(lib, a, a), [0.5, -1.5])
    call(_name, "str", lambda lib, a, f=_fn: f(lib, a, "1"), [0.5, -1.5])

NUMBERS = [0, 1, 2, 3, 0.5, -2, -2.5, True, INF, NAN]
OPERATORS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
}
for _sign, _fn in OPERATORS.items():
    for _number, _dtype in itertools.product(NUMBERS, DTYPES):
        _x = np.array([1, 2, 3, 5]).astype(_dtype)
        call(
            f"operator {_sign}",
            f"{_dtype} {_sign} {_number}",
            lambda lib, x, f=_fn, n=_number: f(x.detach(), n),
            _x,
        )
        call(
            f"operator {_sign}",
            f"{_number} {_sign} {_dtype}",
            lambda lib, x, f=_fn, n=_number: f(n, x.detach()),
            _x,
        )
    call(f"operator {_sign}", "None", lambda lib, x, f=_fn: f(x, None), [1.0])
    call(f"operator {_sign}", "str", lambda lib, x, f=_fn: f(x, "1"), [1.0])
for _name in ("remainder", "fmod", "pow", "div", "add", "sub", "mul"):
    for _number in (1, 2, 0.5, -2.5, 3):
        call(
            _name,
            f"tensor, {_number}",
            lambda lib, x, n=_name, m=_number: getattr(x, n)(m),
            draw(4),
        )

for _name in ("add", "sub", "rsub"):
    for _alpha in (1, 2, -1, 0.5, 0, True, "2", None, INF):
        for _one in ("float64", "float32", "float16", "int64", "uint8", "bool"):
            _two = "int64" if _one == "float64" else _one
            call(
                _name,
                f"alpha {_alpha!r}, {_one}, {_two}",
                lambda lib, a, b, n=_name, k=_alpha: getattr(lib, n)(a, b, alpha=k),
                draw(3, dtype=_one),
                draw(3, dtype=_two),
            )
    call(
        _name, "alpha and a number", lambda lib, a, n=_name: getattr(a, n)(1.5, alpha=2), [1.0, 2.0]
    )
    for _other in (True, np.array(True), np.array([True, False])):
        call(
            _name,
            f"alpha and {_other!r}",
            lambda lib, a, n=_name, b=_other: getattr(lib, n)(
                a, lib.from_numpy(b) if isinstance(b, np.ndarray) else b, alpha=2
            ),
            [1.0, 2.0],
        )
    call(_name, "alpha 0-d", lambda lib, a, k, n=_name: getattr(lib, n)(a, a, alpha=k), [1.0], 2)
    call(_name, "alpha with grad", lambda lib, a, k, n=_name: getattr(lib, n)(a, a, alpha=k),
         [1.0], 2.0)  # fmt: skip
    call(_name, "alpha by position", lambda lib, a, n=_name: getattr(a, n)(a, 2), [1.0, 2.0])
    call(
        _name,
        "alpha does not fit",
        lambda lib, a, n=_name: getattr(a, n)(a, alpha=300),
        np.array([1], np.uint8),
    )

_INTEGERS = ["int64", "int32", "int16", "int8", "uint8"]
for _dtype in _INTEGERS:
    _a = draw(6, dtype=_dtype, low=-9, high=9)
    for _sign in ("//", "%"):
        call(f"operator {_sign}", f"{_dtype} by 0", lambda lib, x, f=OPERATORS[_sign]: f(x, 0), _a)
    for _mode in ("floor", "trunc"):
        call(
            f"div, {_mode}",
            f"{_dtype} of both signs",
            lambda lib, a, b, m=_mode: lib.div(a, b, rounding_mode=m),
            np.array([7, 7, -7, -7]).astype(_dtype),
            np.array([2, -2, 2, -2]).astype(_dtype),
        )
        call(
            f"div, {_mode}",
            f"{_dtype} by 0",
            lambda lib, a, b, m=_mode: lib.div(a, b, rounding_mode=m),
            _a,
            np.zeros(6, _dtype),
        )
    for _name in ("fmod", "remainder"):
        call(
            _name,
            f"{_dtype} of both signs",
            lambda lib, a, b, n=_name: getattr(lib, n)(a, b),
            np.array([7, 7, -7, -7]).astype(_dtype),
            np.array([2, -2, 2, -2]).astype(_dtype),
        )
        call(_name, f"{_dtype} by 0", lambda lib, a, b, n=_name: getattr(lib, n)(a, b), _a, _a * 0)
    call(
        "pow",
        f"{_dtype}, negative exponents",
        lambda lib, a, b: lib.pow(a, b),
        np.array([1, 1, 0, 2, 3]).astype(_dtype),
        np.array([1, 0, 2, 3, 1]).astype(_dtype),
    )
call(
    "pow",
    "integers, negative exponents",
    lambda lib, a, b: a**b,
    [1, -1, -1, 0, 2, -2],
    [-1, -1, -2, -1, -1, -3],
)
call("pow", "integers, a negative number", lambda lib, a: a**-1, [1, 2])
call("pow", "bools, a negative number", lambda lib, a: a**-1, draw(3, dtype="bool"))
call("pow", "a number that does not fit", lambda lib, a: a**300, np.array([1, 2], np.uint8))
call("pow", "of a number", lambda lib, a: 2**a, [1, 2, 0])
call("pow", "bools", lambda lib, a: lib.pow(a, a), draw(3, dtype="bool"))
call("div", "an unknown rounding mode", lambda lib, a: lib.div(a, a, rounding_mode="up"), [1.0])
call("div", "no rounding mode", lambda lib, a: lib.div(a, a, rounding_mode=1), [1.0])

# -- bounds --

_X = [-1.0, -0.0, 0.0, 0.25, 0.5, 1.0, 2.0, INF, -INF, NAN]
for _low, _high in itertools.product(
    [None, 0, 0.0, 0.5, 1, -INF, NAN, True], [None, 0, 1, 0.5, INF, NAN]
):
    call("clamp", f"{_low} … {_high}", lambda lib, x, a=_low, b=_high: lib.clamp(x, a, b), _X)
    for _dtype in ("int64", "int8", "float16"):
        if INF in (_low, _high) or -INF in (_low, _high):
            continue
        call(
            "clamp",
            f"{_dtype}, {_low} … {_high}",
            lambda lib, x, a=_low, b=_high: x.clip(a, b),
            draw(5, dtype=_dtype),
        )
for _low, _high in itertools.product([0.0, 1.0, NAN], [0.0, 1.0, -1.0, NAN]):
    call(
        "clamp",
        f"tensors {_low} … {_high}",
        lambda lib, x, a, b: lib.clamp(x, a, b),
        _X,
        np.float32([_low] * 10),
        np.float32([_high]),
    )
for _one, _two in PAIRS:
    call("clamp", f"{_one}, {_two}", lambda lib, x, a: x.clamp(a, a + 1), draw(*_one), draw(*_two))
for _one, _two in itertools.product(DTYPES, DTYPES[:-1]):
    call(
        "clamp",
        f"{_one}, {_two}",
        lambda lib, x, a: lib.clamp(x, a, a),
        draw(3, dtype=_one),
        draw(3, dtype=_two),
    )
call("clamp", "keywords", lambda lib, x: lib.clamp(x, max=1, min=0), _X)
call("clamp", "no bounds", lambda lib, x: lib.clamp(x), _X)
call("clamp", "a bound that does not fit", lambda lib, x: x.clamp(0, 300), np.array([1], np.int8))
call("clamp", "a large bound", lambda lib, x: x.clamp(max=1e6), np.array([1], np.float16))
call("clamp", "str", lambda lib, x: x.clamp("0", "1"), _X)
call("clip", "is clamp", lambda lib, x: [lib.clip(x, 0.5), x.clip(max=0.5), lib.clip(x, 0, 1)], _X)

# -- choices --

_MASK = np.array([[True], [False]])
for _one, _two in PAIRS:
    call(
        "where",
        f"{_one}, {_two}",
        lambda lib, a, b: lib.where(lib.from_numpy(_MASK), a, b),
        draw(*_one),
        draw(*_two),
    )
for _one, _two in itertools.product(DTYPES, repeat=2):
    call(
        "where",
        f"{_one}, {_two}",
        lambda lib, c, a, b: lib.where(c, a, b),
        draw(3, dtype="bool"),
        draw(3, dtype=_one),
        draw(dtype=_two),
    )
for _dtype, _number in itertools.product(DTYPES, [1, 0.5, True, INF]):
    call(
        "where",
        f"{_dtype}, {_number}",
        lambda lib, c, a, n=_number: lib.where(c, a, n),
        draw(3, dtype="bool"),
        draw(3, dtype=_dtype),
    )
for _a, _b in itertools.product([1, 0.5, True], repeat=2):
    call(
        "where", f"{_a}, {_b}", lambda lib, c, a=_a, b=_b: lib.where(c, a, b), draw(3, dtype="bool")
    )
call("where", "method", lambda lib, a, b: a.where(a > 0, b), draw(2, 3), draw(3))
call(
    "where", "NaN in the other branch", lambda lib, a: lib.where(a > 0, lib.log(a), a), [-1.0, 2.0]
)
call("where", "condition of floats", lambda lib, a: lib.where(a, a, a), [1.0])
call("where", "condition of a list", lambda lib, a: lib.where([True], a, a), [1.0])
call("where", "two arguments", lambda lib, a: lib.where(a > 0, a), [1.0])
call("where", "str", lambda lib, a: lib.where(a > 0, a, "0"), [1.0])
for _shape in SHAPES:
    call("where", f"places in {_shape}", lambda lib, a: lib.where(a), draw(*_shape, dtype="bool"))
    call("where", f"places of floats in {_shape}", lambda lib, a: lib.where(a), draw(*_shape))

for _dtype, _value in itertools.product(
    DTYPES, [0, 7, -1, 1.5, True, 300, 1e6, 1e60, INF, -INF, NAN, "a", None]
):
    call(
        "masked_fill",
        f"{_dtype}, {_value!r}",
        lambda lib, x, m, v=_value: lib.masked_fill(x, m, v),
        draw(2, 3, dtype=_dtype),
        draw(3, dtype="bool"),
    )
for _one, _two in itertools.product(DTYPES, repeat=2):
    call(
        "masked_fill",
        f"{_one}, 0-d {_two}",
        lambda lib, x, m, v: x.masked_fill(m, v if x.requires_grad else v.detach()),
        draw(2, 3, dtype=_one),
        draw(2, 1, dtype="bool"),
        draw(dtype=_two),
    )
for _one, _two in PAIRS:
    call(
        "masked_fill",
        f"{_one}, {_two}",
        lambda lib, x, m: x.masked_fill(m > 0, -5.0),
        draw(*_one),
        draw(*_two).astype(np.int64),
    )
call("masked_fill", "1-d value", lambda lib, x, v: x.masked_fill(x > 0, v), draw(3), draw(1))
call("masked_fill", "mask of integers", lambda lib, x, m: x.masked_fill(m, 0), draw(3), [1, 0, 1])
call("masked_fill", "mask of a bool", lambda lib, x: x.masked_fill(True, 0), draw(3))
