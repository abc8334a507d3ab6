"""Cases of elementwise primitives."""

from __future__ import annotations

import math

import numpy as np

from tinygrad_rnn.testing.cases.table import Array, add_case, positive, signed


def _between(*shape: int) -> Array:
    """Values away from whole numbers and from the middle between them."""
    return np.trunc(2 * signed(*shape)) + np.where(signed(*shape) > 0, 0.25, 0.75)


_UNARY = {  # how it is called, what NumPy says, where it is defined
    "tanh": (lambda lib, x: lib.tanh(x), np.tanh, signed),
    "sigmoid": (lambda lib, x: lib.sigmoid(x), lambda x: 1 / (1 + np.exp(-x)), signed),
    "relu": (lambda lib, x: lib.relu(x), lambda x: np.where(x > 0, x, 0), signed),
    "neg": (lambda lib, x: -x, np.negative, signed),
    "exp": (lambda lib, x: lib.exp(x), np.exp, signed),
    "log": (lambda lib, x: lib.log(x), np.log, positive),
    "log1p": (lambda lib, x: lib.log1p(x), np.log1p, positive),
    "log2": (lambda lib, x: lib.log2(x), np.log2, positive),
    "log10": (lambda lib, x: lib.log10(x), np.log10, positive),
    "expm1": (lambda lib, x: lib.expm1(x), np.expm1, signed),
    "sqrt": (lambda lib, x: lib.sqrt(x), np.sqrt, positive),
    "rsqrt": (lambda lib, x: lib.rsqrt(x), lambda x: x**-0.5, positive),
    "reciprocal": (lambda lib, x: lib.reciprocal(x), np.reciprocal, signed),
    "square": (lambda lib, x: lib.square(x), np.square, signed),
    "sin": (lambda lib, x: lib.sin(x), np.sin, signed),
    "cos": (lambda lib, x: lib.cos(x), np.cos, signed),
    "tan": (lambda lib, x: lib.tan(x / 2), lambda x: np.tan(x / 2), signed),
    "sinh": (lambda lib, x: lib.sinh(x), np.sinh, signed),
    "cosh": (lambda lib, x: lib.cosh(x), np.cosh, signed),
    "asin": (lambda lib, x: lib.asin(x / 3), lambda x: np.arcsin(x / 3), signed),
    "acos": (lambda lib, x: lib.acos(x / 3), lambda x: np.arccos(x / 3), signed),
    "atan": (lambda lib, x: lib.atan(x), np.arctan, signed),
    "asinh": (lambda lib, x: lib.asinh(x), np.arcsinh, signed),
    "acosh": (lambda lib, x: lib.acosh(x + 1), lambda x: np.arccosh(x + 1), positive),
    "atanh": (lambda lib, x: lib.atanh(x / 3), lambda x: np.arctanh(x / 3), signed),
    "exp2": (lambda lib, x: lib.exp2(x), np.exp2, signed),
    "logit": (lambda lib, x: lib.logit(x / 3), lambda x: np.log(x / (3 - x)), positive),
    "nan_to_num": (lambda lib, x: lib.nan_to_num(x) * x, lambda x: x * x, signed),
    "erf": (lambda lib, x: lib.erf(x), np.vectorize(math.erf, otypes="d"), signed),
    # flat or straight, so times x, for a second derivative that is not 0 everywhere
    "abs": (lambda lib, x: lib.abs(x) * x, lambda x: np.abs(x) * x, signed),
    "sign": (lambda lib, x: lib.sign(x) * x, lambda x: np.sign(x) * x, signed),
    "floor": (lambda lib, x: lib.floor(x) * x, lambda x: np.floor(x) * x, _between),
    "ceil": (lambda lib, x: lib.ceil(x) * x, lambda x: np.ceil(x) * x, _between),
    "trunc": (lambda lib, x: lib.trunc(x) * x, lambda x: np.trunc(x) * x, _between),
    "round": (lambda lib, x: lib.round(x) * x, lambda x: np.round(x) * x, _between),
}
for _name, (_fn, _ref, _draw) in _UNARY.items():
    for _shape in [(), (5,), (3, 4), (1, 3, 1), (0,), (2, 0, 3)]:
        add_case(_name, str(_shape), _fn, [_draw(*_shape)], _ref)
    add_case(
        _name,
        "of a transposed view",
        lambda lib, x, f=_fn: f(lib, x.T),
        [_draw(3, 2)],
        lambda x, r=_ref: r(x.T),
    )
    add_case(
        _name,
        "of every second",
        lambda lib, x, f=_fn: f(lib, x[:, ::2]),
        [_draw(2, 5)],
        lambda x, r=_ref: r(x[:, ::2]),
    )

_BINARY = {
    "add": (lambda lib, a, b: a + b, np.add, signed),
    "sub": (lambda lib, a, b: a - b, np.subtract, signed),
    "mul": (lambda lib, a, b: a * b, np.multiply, signed),
    "div": (lambda lib, a, b: a / b, np.true_divide, positive),
    "pow": (lambda lib, a, b: a**b, np.power, positive),
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
for _name, (_fn, _ref, _draw) in _BINARY.items():
    for _one, _two in _PAIRS:
        add_case(_name, f"{_one}, {_two}", _fn, [_draw(*_one), _draw(*_two)], _ref)
    add_case(
        _name,
        "with itself",
        lambda lib, x, f=_fn: f(lib, x, x),
        [_draw(2, 3)],
        lambda x, r=_ref: r(x, x),
    )
    add_case(
        _name,
        "number on the right",
        lambda lib, x, f=_fn: f(lib, x, 2.5),
        [positive(2, 3)],
        lambda x, r=_ref: r(x, 2.5),
    )
    add_case(
        _name,
        "number on the left",
        lambda lib, x, f=_fn: f(lib, 3, x),
        [_draw(3)],
        lambda x, r=_ref: r(3, x),
    )
    add_case(
        _name,
        "views",
        lambda lib, a, b, f=_fn: f(lib, a.T, b[1::2]),
        [_draw(2, 3), _draw(6, 2)],
        lambda a, b, r=_ref: r(a.T, b[1::2]),
    )
_OF_TENSORS = {
    "xlogy": (lambda lib, a, b: lib.xlogy(a, b), lambda a, b: a * np.log(b), positive),
    "atan2": (lambda lib, a, b: lib.atan2(a, b), np.arctan2, signed),
    "logaddexp": (lambda lib, a, b: lib.logaddexp(a, b), np.logaddexp, signed),
    "maximum": (lambda lib, a, b: lib.maximum(a, b), np.maximum, signed),
    "minimum": (lambda lib, a, b: lib.minimum(a, b), np.minimum, signed),
    "remainder": (lambda lib, a, b: a % b, np.remainder, signed),
    "fmod": (lambda lib, a, b: lib.fmod(a, b), np.fmod, signed),
    "floor_divide": (
        lambda lib, a, b: lib.div(a, b, rounding_mode="floor") * b,
        lambda a, b: np.floor_divide(a, b) * b,
        signed,
    ),
    "trunc_divide": (
        lambda lib, a, b: lib.div(a, b, rounding_mode="trunc") * b,
        lambda a, b: np.trunc(a / b) * b,
        signed,
    ),
    "clamp_min": (lambda lib, a, b: lib.clamp(a, min=b), np.maximum, signed),
    "clamp_max": (lambda lib, a, b: lib.clamp(a, max=b), np.minimum, signed),
    "clamp": (
        lambda lib, a, b: lib.clamp(a, b, b + 0.5),
        lambda a, b: np.clip(a, b, b + 0.5),
        signed,
    ),
}
for _name, (_fn, _ref, _draw) in _OF_TENSORS.items():
    for _one, _two in _PAIRS:
        add_case(_name, f"{_one}, {_two}", _fn, [_draw(*_one), _draw(*_two)], _ref)
    add_case(
        _name,
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
    "lerp": (lambda lib, a, b, c: lib.lerp(a, b, c), lambda a, b, c: a + c * (b - a)),
    "addcmul": (
        lambda lib, a, b, c: lib.addcmul(a, b, c, value=1.5), lambda a, b, c: a + 1.5 * b * c
    ),
    "addcdiv": (
        lambda lib, a, b, c: lib.addcdiv(a, b, c, value=-2), lambda a, b, c: a - 2 * b / c
    ),
}  # fmt: skip
for _name, (_fn, _ref) in _THREE.items():
    for _shapes in [((), (), ()), ((3,), (3,), (3,)), ((2, 1), (3,), ()), ((0, 3), (1, 3), (3,))]:
        add_case(_name, f"{_shapes}", _fn, [signed(*shape) for shape in _shapes], _ref)
    add_case(
        _name,
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
