"""Cases of elementwise primitives."""

from __future__ import annotations

import math

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.operations import arithmetic
from tinygrad_rnn.testing.cases.table import Array, add_case, plain, positive, signed


def _between(*shape: int) -> Array:
    """Values away from whole numbers and from the middle between them."""
    whole: Array = np.trunc(2 * signed(*shape))
    return whole + np.where(signed(*shape) > 0, 0.25, 0.75)


_UNARY = {  # an operation, how it is called, what NumPy says, where it is defined
    tg.tanh: (plain(tg.tanh), np.tanh, signed),
    tg.sigmoid: (plain(tg.sigmoid), lambda x: 1 / (1 + np.exp(-x)), signed),
    tg.relu: (plain(tg.relu), lambda x: np.where(x > 0, x, 0), signed),
    tg.neg: (lambda lib, x: -x, np.negative, signed),
    tg.exp: (plain(tg.exp), np.exp, signed),
    tg.log: (plain(tg.log), np.log, positive),
    tg.log1p: (plain(tg.log1p), np.log1p, positive),
    tg.log2: (plain(tg.log2), np.log2, positive),
    tg.log10: (plain(tg.log10), np.log10, positive),
    tg.expm1: (plain(tg.expm1), np.expm1, signed),
    tg.sqrt: (plain(tg.sqrt), np.sqrt, positive),
    tg.rsqrt: (plain(tg.rsqrt), lambda x: x**-0.5, positive),
    tg.reciprocal: (plain(tg.reciprocal), np.reciprocal, signed),
    tg.square: (plain(tg.square), np.square, signed),
    tg.sin: (plain(tg.sin), np.sin, signed),
    tg.cos: (plain(tg.cos), np.cos, signed),
    tg.tan: (lambda lib, x: lib.tan(x / 2), lambda x: np.tan(x / 2), signed),
    tg.sinh: (plain(tg.sinh), np.sinh, signed),
    tg.cosh: (plain(tg.cosh), np.cosh, signed),
    tg.asin: (lambda lib, x: lib.asin(x / 3), lambda x: np.arcsin(x / 3), signed),
    tg.acos: (lambda lib, x: lib.acos(x / 3), lambda x: np.arccos(x / 3), signed),
    tg.atan: (plain(tg.atan), np.arctan, signed),
    tg.asinh: (plain(tg.asinh), np.arcsinh, signed),
    tg.acosh: (lambda lib, x: lib.acosh(x + 1), lambda x: np.arccosh(x + 1), positive),
    tg.atanh: (lambda lib, x: lib.atanh(x / 3), lambda x: np.arctanh(x / 3), signed),
    tg.exp2: (plain(tg.exp2), np.exp2, signed),
    tg.logit: (lambda lib, x: lib.logit(x / 3), lambda x: np.log(x / (3 - x)), positive),
    tg.nan_to_num: (lambda lib, x: lib.nan_to_num(x) * x, lambda x: x * x, signed),
    tg.erf: (plain(tg.erf), np.vectorize(math.erf, otypes="d"), signed),
    # flat or straight, so times x, for a second derivative that is not 0 everywhere
    tg.abs: (lambda lib, x: lib.abs(x) * x, lambda x: np.abs(x) * x, signed),
    tg.sign: (lambda lib, x: lib.sign(x) * x, lambda x: np.sign(x) * x, signed),
    tg.floor: (lambda lib, x: lib.floor(x) * x, lambda x: np.floor(x) * x, _between),
    tg.ceil: (lambda lib, x: lib.ceil(x) * x, lambda x: np.ceil(x) * x, _between),
    tg.trunc: (lambda lib, x: lib.trunc(x) * x, lambda x: np.trunc(x) * x, _between),
    tg.round: (lambda lib, x: lib.round(x) * x, lambda x: np.round(x) * x, _between),
}
for _operation, (_fn, _ref, _draw) in _UNARY.items():
    for _shape in [(), (5,), (3, 4), (1, 3, 1), (0,), (2, 0, 3)]:
        add_case(_operation, str(_shape), _fn, [_draw(*_shape)], _ref)
    add_case(
        _operation,
        "of a transposed view",
        lambda lib, x, f=_fn: f(lib, x.T),
        [_draw(3, 2)],
        lambda x, r=_ref: r(x.T),
    )
    add_case(
        _operation,
        "of every second",
        lambda lib, x, f=_fn: f(lib, x[:, ::2]),
        [_draw(2, 5)],
        lambda x, r=_ref: r(x[:, ::2]),
    )

_BINARY = {
    tg.add: (lambda lib, a, b: a + b, np.add, signed),
    tg.sub: (lambda lib, a, b: a - b, np.subtract, signed),
    tg.mul: (lambda lib, a, b: a * b, np.multiply, signed),
    tg.div: (lambda lib, a, b: a / b, np.true_divide, positive),
    tg.pow: (lambda lib, a, b: a**b, np.power, positive),
}
_PAIRS = [
    ((), ()),
    ((3,), (3,)),
    ((), (2, 3)),
    ((2, 3), ()),
    ((3, 1), (1, 4)),
    ((2, 1, 3), (3,)),
    ((3,), (2, 1, 3)),
    ((1,), (4,)),
    ((1, 1), (3,)),
    ((0, 3), (1, 3)),
    ((2, 1), (0,)),
]
for _operation, (_fn, _ref, _draw) in _BINARY.items():
    for _one, _two in _PAIRS:
        add_case(_operation, f"{_one}, {_two}", _fn, [_draw(*_one), _draw(*_two)], _ref)
    add_case(
        _operation,
        "with itself",
        lambda lib, x, f=_fn: f(lib, x, x),
        [_draw(2, 3)],
        lambda x, r=_ref: r(x, x),
    )
    add_case(
        _operation,
        "number on the right",
        lambda lib, x, f=_fn: f(lib, x, 2.5),
        [positive(2, 3)],
        lambda x, r=_ref: r(x, 2.5),
    )
    add_case(
        _operation,
        "number on the left",
        lambda lib, x, f=_fn: f(lib, 3, x),
        [_draw(3)],
        lambda x, r=_ref: r(3, x),
    )
    add_case(
        _operation,
        "views",
        lambda lib, a, b, f=_fn: f(lib, a.T, b[1::2]),
        [_draw(2, 3), _draw(6, 2)],
        lambda a, b, r=_ref: r(a.T, b[1::2]),
    )
_OF_TENSORS = {
    tg.xlogy: (plain(tg.xlogy), lambda a, b: a * np.log(b), positive),
    tg.atan2: (plain(tg.atan2), np.arctan2, signed),
    tg.logaddexp: (plain(tg.logaddexp), np.logaddexp, signed),
    tg.maximum: (plain(tg.maximum), np.maximum, signed),
    tg.minimum: (plain(tg.minimum), np.minimum, signed),
    tg.remainder: (lambda lib, a, b: a % b, np.remainder, signed),
    tg.fmod: (plain(tg.fmod), np.fmod, signed),
    tg.floor_divide: (
        lambda lib, a, b: lib.div(a, b, rounding_mode="floor") * b,
        lambda a, b: np.floor_divide(a, b) * b,
        signed,
    ),
    arithmetic.trunc_divide: (
        lambda lib, a, b: lib.div(a, b, rounding_mode="trunc") * b,
        lambda a, b: np.trunc(a / b) * b,
        signed,
    ),
    tg.clamp_min: (lambda lib, a, b: lib.clamp(a, min=b), np.maximum, signed),
    tg.clamp_max: (lambda lib, a, b: lib.clamp(a, max=b), np.minimum, signed),
    tg.clamp: (
        lambda lib, a, b: lib.clamp(a, b, b + 0.5),
        lambda a, b: np.clip(a, b, b + 0.5),
        signed,
    ),
}
for _operation, (_fn, _ref, _draw) in _OF_TENSORS.items():
    for _one, _two in _PAIRS:
        add_case(_operation, f"{_one}, {_two}", _fn, [_draw(*_one), _draw(*_two)], _ref)
    add_case(
        _operation,
        "views",
        lambda lib, a, b, f=_fn: f(lib, a.T, b[1::2]),
        [_draw(2, 3), _draw(6, 2)],
        lambda a, b, r=_ref: r(a.T, b[1::2]),
    )
add_case(
    "pow", "integer powers of negatives", lambda lib, x: x**3, [[-2.0, -0.5, 1.5]], lambda x: x**3
)

add_case(
    "logit",
    "kept away from 0 and 1",
    lambda lib, x: lib.logit(x, eps=0.25),
    [[0.1, 0.4, 0.7, 0.9]],
    lambda x: np.log(np.clip(x, 0.25, 0.75) / (1 - np.clip(x, 0.25, 0.75))),
)
_THREE = {
    tg.lerp: (plain(tg.lerp), lambda a, b, c: a + c * (b - a)),
    tg.addcmul: (
        lambda lib, a, b, c: lib.addcmul(a, b, c, value=1.5), lambda a, b, c: a + 1.5 * b * c
    ),
    tg.addcdiv: (
        lambda lib, a, b, c: lib.addcdiv(a, b, c, value=-2), lambda a, b, c: a - 2 * b / c
    ),
}  # fmt: skip
for _operation, (_fn, _ref) in _THREE.items():
    for _shapes in [((), (), ()), ((3,), (3,), (3,)), ((2, 1), (3,), ()), ((0, 3), (1, 3), (3,))]:
        add_case(_operation, f"{_shapes}", _fn, [signed(*shape) for shape in _shapes], _ref)
    add_case(
        _operation,
        "views",
        lambda lib, a, b, c, f=_fn: f(lib, a.T, b[1::2], c),
        [signed(2, 3), signed(6, 2), signed(3, 2)],
        lambda a, b, c, r=_ref: r(a.T, b[1::2], c),
    )
add_case(
    "lerp",
    "a number",
    lambda lib, a, b: lib.lerp(a, b, 0.75),
    [signed(3), signed(3)],
    lambda a, b: a + 0.75 * (b - a),
)

# linear, so exact with large steps at such numbers: differences of float32 are mostly rounding
_EXACT = {"eps": 0.25}
add_case(
    "to_copy", "to float32", lambda lib, x: x.to(lib.float32), [[-1.5, 0.25]], lambda x: x, **_EXACT
)
add_case(
    "to_copy",
    "there and back",
    lambda lib, x: x.to(lib.float32).to(lib.float64),
    [0.75],
    lambda x: x,
    **_EXACT,
)
add_case(
    "to_copy",
    "in a product",
    lambda lib, x: x.to(lib.float32) * x,
    [[[0.5, -2.0]]],
    lambda x: x * x,
    **_EXACT,
)
add_case(
    "to_copy", "empty", lambda lib, x: x.to(lib.float32), [np.zeros((0, 2))], lambda x: x, **_EXACT
)

for _shape in [(), (3,), (2, 0)]:
    add_case("clone", str(_shape), lambda lib, x: x.clone() * x, [signed(*_shape)], lambda x: x * x)
add_case("clone", "negative zero", lambda lib, x: x.clone(), [[-0.0, 1.0]], lambda x: x)

_TRUTH = np.array([[True], [False]])
for _a, _b in [((), ()), ((2, 3), (3,)), ((2, 1), (1, 3)), ((2, 0), ())]:
    add_case(
        "where",
        f"{_a}, {_b}",
        lambda lib, a, b: lib.where(lib.tensor(_TRUTH), a, b),
        [signed(*_a), signed(*_b)],
        lambda a, b: np.where(_TRUTH, a, b),
    )
add_case(
    "where",
    "a number",
    lambda lib, a: lib.where(a > 0, a, 0.0),
    [signed(5)],
    lambda a: np.where(a > 0, a, 0.0),
)
