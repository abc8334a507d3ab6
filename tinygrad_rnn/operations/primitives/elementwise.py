"""Mathematical functions of single elements, and choices between two of them.

At kinks and ties the derivatives are PyTorch's: 0 for |x| at 0, one half each for two equal
candidates of a maximum, 1 for a clamped value that lies on the bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_rnn.dtypes import is_floating
from tinygrad_rnn.engine.errors import silent
from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.operations.arithmetic import in_rules
from tinygrad_rnn.operations.memory import first_decides, owned
from tinygrad_rnn.operations.promotion import promoted

Fn = Callable[..., Any]


def _function(name: str, forward: Fn, slope: Fn, formula: str, symbol: str = "") -> Primitive:
    """A function from floats to floats; other types are converted first."""
    made = Primitive(
        name, silent(forward), "x", symbol=symbol, prepare=promoted(name, to_float=True)
    )
    made.vjp("x", slope, formula=formula)
    return made


# -- roots, exponentials and logarithms --

sqrt = _function("sqrt", np.sqrt, lambda g, y: g / (2 * y), "g / (2·y)", "√")
rsqrt = _function(
    "rsqrt", lambda x: np.reciprocal(np.sqrt(x)), lambda g, y: -0.5 * g * (y * y * y), "−g ⊙ y³ / 2"
)
reciprocal = _function("reciprocal", np.reciprocal, lambda g, y: -g * (y * y), "−g ⊙ y²", "1/")
expm1 = _function("expm1", np.expm1, lambda g, y: g * (y + 1), "g ⊙ (y + 1)")
log1p = _function("log1p", np.log1p, lambda g, x: g / (x + 1), "g / (x + 1)")
log2 = _function("log2", np.log2, lambda g, x: g / (x * math.log(2)), "g / (x ⊙ ln 2)")
log10 = _function("log10", np.log10, lambda g, x: g / (x * math.log(10)), "g / (x ⊙ ln 10)")

# -- angles --

sin = _function("sin", np.sin, lambda g, x: g * np.cos(x), "g ⊙ cos x")
cos = _function("cos", np.cos, lambda g, x: -g * np.sin(x), "−g ⊙ sin x")
tan = _function("tan", np.tan, lambda g, y: g * (1 + y * y), "g ⊙ (1 + y²)")
sinh = _function("sinh", np.sinh, lambda g, x: g * np.cosh(x), "g ⊙ cosh x")
cosh = _function("cosh", np.cosh, lambda g, x: g * np.sinh(x), "g ⊙ sinh x")
asin = _function("asin", np.arcsin, lambda g, x: g / np.sqrt(1 - x * x), "g / √(1 − x²)")
acos = _function("acos", np.arccos, lambda g, x: -g / np.sqrt(1 - x * x), "−g / √(1 − x²)")
atan = _function("atan", np.arctan, lambda g, x: g / (x * x + 1), "g / (x² + 1)")

atan2 = Primitive(
    "atan2",
    silent(np.arctan2),
    "a b",
    prepare=promoted("atan2", to_float=True, numbers=False),
    arrange=first_decides,
)
atan2.vjp("a", lambda g, a, b: g * b * _inverse(a * a + b * b), formula="g ⊙ b / (a² + b²)")
atan2.vjp("b", lambda g, a, b: -g * a * _inverse(a * a + b * b), formula="−g ⊙ a / (a² + b²)")


def _inverse(d: Any) -> Any:
    """1/d, and 0 for 0: at the origin, where it has no angle, a point receives nothing."""
    return np.where(d == 0, 0, 1 / d)


# -- powers of two, inverse hyperbolic functions, odds --

exp2 = _function("exp2", np.exp2, lambda g, y: g * y * math.log(2), "g ⊙ y ⊙ ln 2", "2^")
asinh = _function("asinh", np.arcsinh, lambda g, x: g / np.sqrt(x * x + 1), "g / √(x² + 1)")
acosh = _function("acosh", np.arccosh, lambda g, x: g / np.sqrt(x * x - 1), "g / √(x² − 1)")
atanh = _function("atanh", np.arctanh, lambda g, x: g / (1 - x * x), "g / (1 − x²)")


@silent
def _logit(x: Any, *, eps: float | None) -> Any:
    """ln(x / (1 − x)) of x, which ``eps`` keeps away from 0 and 1."""
    if eps is not None:
        x = np.where(x < eps, x.dtype.type(eps), np.where(x > 1 - eps, x.dtype.type(1 - eps), x))
    return np.log(x / (1 - x))


def _logit_slope(g: Any, x: Any, eps: float | None) -> Any:
    low, outside = (0, math.nan) if eps is None else (eps, 0)
    return np.where((x < low) | (x > 1 - low), outside, g / ((x + 0) * (1 - x)))  # −0 + 0 is 0


logit = Primitive("logit", _logit, "x", prepare=promoted("logit", to_float=True))
logit.vjp("x", _logit_slope, formula="g / (x ⊙ (1 − x))")


@silent
def _xlogy(a: Any, b: Any) -> Any:
    return np.where((a == 0) & (b == b), 0, a * np.log(b))


xlogy: Primitive = Primitive(
    "xlogy", _xlogy, "a b", symbol="{a} ⊙ ln {b}",
    prepare=promoted("xlogy", to_float=True, numbers=False), arrange=first_decides,
)  # fmt: skip


def _xlogy_a(g: Any, a: Any, b: Any) -> Any:
    part = xlogy.apply(g, b) if isinstance(g, Variable) or isinstance(b, Variable) else _xlogy(g, b)
    return np.where((a == 0) & (b <= 0), 0, part)


xlogy.vjp("a", _xlogy_a, formula="g ⊙ ln b")
xlogy.vjp("b", lambda g, a, b: g * a / b, formula="g ⊙ a / b")

# -- the error function --


def _each(function: Callable[[float], float]) -> Fn:
    """A function of Python's `math`, of every element."""

    def apply(x: Any) -> Any:
        y = np.empty_like(x)  # which keeps the order in memory
        y.flat = np.fromiter(map(function, x.ravel().tolist()), x.dtype, x.size)
        return y

    return apply


erf = _function(
    "erf", owned(_each(math.erf)), lambda g, x: g * np.exp(-x * x) * (2 / math.sqrt(math.pi)),
    "g ⊙ 2 exp(−x²) / √π",
)  # fmt: skip

# -- sizes and signs --

square = Primitive(
    "square", silent(np.square), "x",
    symbol="²", prepare=lambda inputs: promoted("square")((*inputs, 2))[:1],  # the type of x ** 2
)  # fmt: skip
square.vjp("x", lambda g, x: g * x * 2, formula="g ⊙ 2·x")  # 2·x may overflow alone

absolute = Primitive("abs", np.absolute, "x", prepare=promoted("abs", bools=False))
absolute.vjp("x", lambda g, x: g * np.where(x != x, 0, np.sign(x)), formula="g ⊙ sign x")

sign = Primitive(
    "sign",
    lambda x: x.copy("K") if x.dtype.kind == "b" else np.where(x != x, 0, np.sign(x)),  # 0 for NaN
    "x", prepare=promoted("sign"),
)  # fmt: skip


@silent
def _nan_to_num(x: Any, *, nan: float, posinf: float, neginf: float) -> Any:
    if x.dtype.kind != "f":
        return x.copy()
    # what does not fit becomes inf again, as in PyTorch
    nan, posinf, neginf = (np.float64(value).astype(x.dtype) for value in (nan, posinf, neginf))
    return np.where(
        x != x, nan, np.where(x == math.inf, posinf, np.where(x == -math.inf, neginf, x))
    )


nan_to_num = Primitive("nan_to_num", _nan_to_num, "x", prepare=promoted("nan_to_num"))
nan_to_num.vjp("x", lambda g, x: np.where(np.isfinite(x), g, 0), formula="g where |x| < ∞")

# -- whole numbers --


@silent
def _round(x: Any, *, decimals: int) -> Any:
    if decimals and x.dtype.kind != "f":
        raise ValueError("only floating-point numbers are rounded to decimals")
    return np.round(x, decimals)


def _whole(ufunc: Fn) -> Fn:
    """A rounding function, which leaves integers as they are (np.floor might make floats)."""
    return lambda x: ufunc(x) if x.dtype.kind == "f" else x.copy("K")


floor = Primitive("floor", _whole(np.floor), "x", prepare=promoted("floor", bools=False))
ceil = Primitive("ceil", _whole(np.ceil), "x", prepare=promoted("ceil", bools=False))
trunc = Primitive("trunc", _whole(np.trunc), "x", prepare=promoted("trunc", bools=False))
rounding = Primitive("round", _round, "x", prepare=promoted("round", bools=False))


def _division(name: str, forward: Fn, symbol: str = "") -> Primitive:
    """A division with a whole result or a remainder; integers cannot be divided by 0."""

    def divide(a: Any, b: Any) -> Any:
        if b.dtype.kind != "f" and not b.all() and np.broadcast(a, b).size:
            raise ValueError("ZeroDivisionError: integers cannot be divided by 0")
        return forward(a, b)

    fit = promoted(name, bools=False, numbers=False)
    return Primitive(name, silent(divide), "a b", symbol=symbol, prepare=fit, arrange=first_decides)


def _truncated_quotient(a: Any, b: Any) -> Any:
    return np.trunc(a / b) if a.dtype.kind == "f" else (a - np.fmod(a, b)) // b


floor_divide = _division("floor_divide", np.floor_divide, "//")
trunc_divide = _division("trunc_divide", _truncated_quotient, "trunc({a} / {b})")

remainder = _division("remainder", np.remainder, "%")
remainder.vjp("a", lambda g: g, formula="g")
remainder.vjp("b", lambda g, a, b: -g * np.floor_divide(a, b), formula="−g ⊙ ⌊a / b⌋")

fmod = _division("fmod", np.fmod)
_truncated = in_rules(trunc_divide)  # whose derivatives are 0 even where b is 0
fmod.vjp("a", lambda g: g, formula="g")
fmod.vjp("b", lambda g, a, b: -g * _truncated(a, b), formula="−g ⊙ trunc(a / b)")

for _flat in (sign, floor, ceil, trunc, rounding, floor_divide, trunc_divide):
    for _input in _flat.inputs:
        _flat.vjp(_input, lambda g: np.zeros_like(g), formula="0")

# -- the larger and the smaller --

maximum = Primitive(
    "maximum",
    silent(np.maximum),
    "a b",
    symbol="max",
    prepare=promoted("maximum", numbers=False),
    arrange=first_decides,
)
minimum = Primitive(
    "minimum",
    silent(np.minimum),
    "a b",
    symbol="min",
    prepare=promoted("minimum", numbers=False),
    arrange=first_decides,
)


def _winner(g: Any, one: Any, other: Any) -> Any:
    """What ``one`` receives that is taken unless it is below ``other``."""
    return np.where(one == other, g / 2, np.where(one < other, 0, g))


maximum.vjp("a", lambda g, a, b: _winner(g, a, b), formula="g where a > b, g/2 where equal")
maximum.vjp("b", lambda g, a, b: _winner(g, b, a), formula="g where b > a, g/2 where equal")
minimum.vjp("a", lambda g, a, b: _winner(g, b, a), formula="g where a < b, g/2 where equal")
minimum.vjp("b", lambda g, a, b: _winner(g, a, b), formula="g where b < a, g/2 where equal")

clamp_min = Primitive("clamp_min", np.maximum, "x low", arrange=first_decides)
clamp_min.vjp("x", lambda g, x, low: np.where(x >= low, g, 0), formula="g where x ≥ low")
clamp_min.vjp("low", lambda g, x, low: np.where(x < low, g, 0), formula="g where x < low")

clamp_max = Primitive("clamp_max", np.minimum, "x high", arrange=first_decides)
clamp_max.vjp("x", lambda g, x, high: np.where(x <= high, g, 0), formula="g where x ≤ high")
clamp_max.vjp("high", lambda g, x, high: np.where(x > high, g, 0), formula="g where x > high")

clamp = Primitive(
    "clamp",
    lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "x low high",
    arrange=first_decides,
)
clamp.vjp(
    "x", lambda g, x, low, high: np.where((x >= low) & (x <= high), g, 0),
    formula="g where low ≤ x ≤ high",
)  # fmt: skip
clamp.vjp(
    "low", lambda g, x, low, high: np.where((x < low) & (low < high), g, 0),
    formula="g where x < low < high",
)  # fmt: skip
clamp.vjp(
    "high", lambda g, x, low, high: np.where((x > high) | (high < low), g, 0),
    formula="g where x > high or low > high",
)  # fmt: skip


def _floats(name: str) -> Fn:
    fit = promoted(name, numbers=False)

    def prepare(inputs: Sequence[Any]) -> Sequence[Any]:
        fitted = fit(inputs)
        if not all(is_floating(x.dtype) for x in fitted):
            raise RuntimeError(f"{name}: only defined for floating-point numbers, convert them")
        return fitted

    return prepare


logaddexp = Primitive(
    "logaddexp", silent(np.logaddexp), "a b", prepare=_floats("logaddexp"), arrange=first_decides
)
logaddexp.vjp("a", lambda g, a, b: g / (1 + np.exp(b - a)), formula="g / (1 + exp(b − a))")
logaddexp.vjp("b", lambda g, a, b: g / (1 + np.exp(a - b)), formula="g / (1 + exp(a − b))")
