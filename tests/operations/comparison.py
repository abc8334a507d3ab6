"""Calls of comparisons, logic and bits."""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np

from operations.harness import DTYPES, EXTREMES, INF, NAN, SHAPES, call, draw

_PAIRS = [
    ((), ()), ((3,), (3,)), ((), (2, 3)), ((2, 3), ()), ((3, 1), (1, 4)), ((2, 1, 3), (3,)),
    ((0, 3), (1, 3)), ((2, 1), (0,)), ((2, 3), (2,)), ((4,), (0,)),
]  # fmt: skip
_CROSS = np.array(list(itertools.product(EXTREMES, repeat=2)), np.float32).T
_NUMBERS = [0, 1, 2, 0.5, -1, 300, True, INF, NAN]

COMPARISONS = ["eq", "ne", "lt", "le", "gt", "ge"]
LOGIC = ["logical_and", "logical_or", "logical_xor"]
BITS = ["bitwise_and", "bitwise_or", "bitwise_xor"]

for _name in [*COMPARISONS, *LOGIC, *BITS]:

    def _fn(lib, a, b, n=_name):
        return getattr(lib, n)(a, b)

    def _method(lib, a, b, n=_name):
        return getattr(a, n)(b)

    _dtype = "int64" if _name in BITS else "float32"
    for _one, _two in _PAIRS:
        call(_name, f"{_one}, {_two}", _fn, draw(*_one, dtype=_dtype), draw(*_two, dtype=_dtype))
    for _one, _two in itertools.product(DTYPES, repeat=2):
        call(_name, f"{_one}, {_two}", _method, draw(4, dtype=_one), draw(4, dtype=_two))
        call(_name, f"{_one}, 0-d {_two}", _fn, draw(4, dtype=_one), draw(dtype=_two))
    call(_name, "extremes", _fn, *_CROSS)
    call(_name, "views", lambda lib, a, b, n=_name: getattr(lib, n)(a.T, b[::2]),
         draw(2, 3, dtype=_dtype), draw(6, 2, dtype=_dtype))  # fmt: skip
    for _wrong in ("1", None, [1.0]):
        call(_name, f"{_wrong!r}", lambda lib, a, n=_name, w=_wrong: getattr(lib, n)(a, w), [1, 2])

for _name, _number, _dtype in itertools.product([*COMPARISONS, *BITS], _NUMBERS, DTYPES):
    call(_name, f"{_dtype}, {_number}", lambda lib, a, n=_name, m=_number: getattr(lib, n)(a, m),
         np.array([0, 1, 2, 3]).astype(_dtype))  # fmt: skip

OPERATORS = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
}
for _sign, _fn in OPERATORS.items():
    for _dtype in ("int64", "uint8", "bool", "float32"):
        _a, _b = draw(4, dtype=_dtype), draw(4, dtype=_dtype)
        call(f"operator {_sign}", _dtype, lambda lib, a, b, f=_fn: f(a, b), _a, _b)
        for _number in (0, 1, 2, True, 0.5):
            call(f"operator {_sign}", f"{_dtype}, {_number}",
                 lambda lib, a, f=_fn, m=_number: f(a, m), _a)  # fmt: skip
            call(f"operator {_sign}", f"{_number}, {_dtype}",
                 lambda lib, a, f=_fn, m=_number: f(m, a), _a)  # fmt: skip
    for _wrong in ("1", None, [1], object):
        call(f"operator {_sign}", f"{_wrong!r}", lambda lib, a, f=_fn, w=_wrong: f(a, w), [1, 2])
        call(f"operator {_sign}", f"{_wrong!r} first", lambda lib, a, f=_fn, w=_wrong: f(w, a), [1])

for _name in ["logical_not", "bitwise_not", "isnan", "isinf", "isfinite"]:
    for _dtype in DTYPES:
        call(_name, _dtype, lambda lib, x, n=_name: getattr(x, n)(), draw(4, dtype=_dtype))
    for _shape in SHAPES:
        call(_name, f"{_shape}", lambda lib, x, n=_name: getattr(lib, n)(x), draw(*_shape))
        call(_name, f"ints {_shape}", lambda lib, x, n=_name: getattr(lib, n)(x),
             draw(*_shape, dtype="int64"))  # fmt: skip
    call(_name, "extremes", lambda lib, x, n=_name: getattr(lib, n)(x), EXTREMES)
    for _wrong in (1.0, "1", None, [1]):
        call(_name, f"{_wrong!r}", lambda lib, n=_name, w=_wrong: getattr(lib, n)(w))
for _dtype in DTYPES:
    call("bitwise_not", f"~{_dtype}", lambda lib, x: ~x, draw(4, dtype=_dtype))

_NEAR = [1.0, 1.00001, 1.000001, 1.1, 0.0, 1e-9, -1.0, INF, -INF, NAN]
_NEARS = np.array(list(itertools.product(_NEAR, repeat=2))).T
for _name in ("isclose", "allclose"):

    def _close(lib, a, b, n=_name, **options):
        return getattr(lib, n)(a, b, **options)

    for _dtype in ("float64", "float32"):
        for _options in ({}, {"rtol": 0.1}, {"atol": 0.2}, {"rtol": 0.0, "atol": 0.0},
                         {"equal_nan": True}, {"atol": INF}, {"rtol": INF}):  # fmt: skip
            _tolerant = partial(_close, **_options)
            call(_name, f"{_dtype}, {_options}", _tolerant, *_NEARS.astype(_dtype))
    for _one, _two in itertools.product(DTYPES, repeat=2):
        call(_name, f"{_one}, {_two}", _close, draw(4, dtype=_one), draw(4, dtype=_two))
    for _dtype in DTYPES:
        call(_name, f"{_dtype}, within 1", lambda lib, a, b, f=_close: f(lib, a, b, atol=1.0),
             draw(5, dtype=_dtype), draw(5, dtype=_dtype))  # fmt: skip
        call(
            _name,
            f"{_dtype}, with itself",
            lambda lib, a, f=_close: f(lib, a, a),
            draw(5, dtype=_dtype),
        )
    for _one, _two in _PAIRS:
        call(_name, f"{_one}, {_two}", _close, draw(*_one), draw(*_two))
    for _options in ({"rtol": -1.0}, {"atol": -1.0}, {"atol": NAN}, {"rtol": "1"}, {"atol": None},
                     {"equal_nan": None}, {"equal_nan": 1}):  # fmt: skip
        call(_name, f"{_options}", lambda lib, a, f=_close, o=_options: f(lib, a, a, **o), [1.0])
    call(_name, "method", lambda lib, a, n=_name: getattr(a, n)(a, 0.1, 0.1, True), [1.0, NAN])
    call(_name, "a number", lambda lib, a, n=_name: getattr(a, n)(1.0), [1.0])

for _one, _two in itertools.product(DTYPES, repeat=2):
    call(
        "equal",
        f"{_one}, {_two}",
        lambda lib, a, b: lib.equal(a, b),
        np.ones(3, _one),
        np.ones(3, _two),
    )
for _one, _two in [*_PAIRS, ((1,), ()), ((2, 0), (0, 2)), ((0,), (0,))]:
    call("equal", f"{_one}, {_two}", lambda lib, a, b: a.equal(b), np.ones(_one), np.ones(_two))
call("equal", "NaN", lambda lib, a: lib.equal(a, a + 0), [NAN])
call("equal", "zeros of both signs", lambda lib, a, b: lib.equal(a, b), [0.0], [-0.0])
call("equal", "a number", lambda lib, a: lib.equal(a, 1.0), [1.0])
call("equal", "a list", lambda lib, a: lib.equal(a, [1.0]), [1.0])
