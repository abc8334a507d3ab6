"""Mathematical functions of single elements, and choices between two of them.

At kinks and ties the derivatives are PyTorch's: 0 for |x| at 0, one half each for two equal
candidates of a maximum, 1 for a clamped value that lies on the bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.errors import silent
from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.operations.arguments import (
    check_no_bools,
    common_shape,
    fitting,
    integer_of,
    mask_of,
    number_of,
    raw,
    tensor_of,
)
from tinygrad_rnn.operations.dtypes import is_floating
from tinygrad_rnn.operations.memory import first_decides, owned
from tinygrad_rnn.operations.node_names import made_by
from tinygrad_rnn.operations.operation import Operation, elementwise, in_rules, operation
from tinygrad_rnn.operations.promotion import promoted, to_dtype
from tinygrad_rnn.operations.traits import KEEP_OFF_ZERO, primitive

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

Fn = Callable[..., Any]

# -- roots, exponentials and logarithms --


@elementwise(np.sqrt, symbol="√", remedy=KEEP_OFF_ZERO)
def sqrt(input: Any) -> Tensor:
    """Square root, elementwise: NaN below 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.sqrt(tg.tensor([4.0, 9.0]))
    tensor([2., 3.])
    """


sqrt.vjp("x", lambda g, y: g / (2 * y), formula="g / (2·y)")


@elementwise(lambda x: np.reciprocal(np.sqrt(x)), remedy=KEEP_OFF_ZERO)
def rsqrt(input: Any) -> Tensor:
    """Reciprocal of the square root, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.rsqrt(tg.tensor([4.0, 16.0]))
    tensor([0.5000, 0.2500])
    """


rsqrt.vjp("x", lambda g, y: -0.5 * g * (y * y * y), formula="−g ⊙ y³ / 2")
_promoted_square = promoted("square")


def _as_a_power(inputs: Sequence[Any]) -> Sequence[Any]:
    """The operand in the type that ``x ** 2`` has."""
    return _promoted_square((*inputs, 2))[:1]


@elementwise(np.square, symbol="²", prepare=_as_a_power, node="PowBackward0")
def square(input: Any) -> Tensor:
    """Square, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.square(tg.tensor([-1.0, 3.0]))
    tensor([1., 9.])
    """


square.vjp("x", lambda g, x: g * x * 2, formula="g ⊙ 2·x")  # 2·x may overflow alone


@elementwise(np.reciprocal, symbol="1/", remedy=KEEP_OFF_ZERO)
def reciprocal(input: Any) -> Tensor:
    """Reciprocal, elementwise: ``1 / input``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.reciprocal(tg.tensor([2.0, -4.0]))
    tensor([ 0.5000, -0.2500])
    """


reciprocal.vjp("x", lambda g, y: -g * (y * y), formula="−g ⊙ y²")


@elementwise(
    np.exp,
    remedy="use log_softmax, logsumexp or softplus, which do not overflow, or clamp its argument",
)
def exp(input: Any) -> Tensor:
    """Exponential, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.exp(tg.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """


exp.vjp("x", lambda g, y: g * y, formula="g ⊙ y")


@elementwise(np.exp2, symbol="2^")
def exp2(input: Any) -> Tensor:
    """2 to the power of ``input``, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.exp2(tg.tensor([0.0, 3.0, -1.0]))
    tensor([1.0000, 8.0000, 0.5000])
    """


exp2.vjp("x", lambda g, y: g * y * math.log(2), formula="g ⊙ y ⊙ ln 2")


@elementwise(np.expm1)
def expm1(input: Any) -> Tensor:
    """Exponential minus 1, elementwise, exact also near 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.expm1(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 1.7183])
    """


expm1.vjp("x", lambda g, y: g * (y + 1), formula="g ⊙ (y + 1)")


@elementwise(np.log, remedy=KEEP_OFF_ZERO)
def log(input: Any) -> Tensor:
    """Natural logarithm, elementwise: −inf at 0, NaN below.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.log(tg.tensor([1.0, 10.0]))
    tensor([0.0000, 2.3026])
    """


log.vjp("x", lambda g, x: g / x, formula="g / x")


@elementwise(np.log1p, node="Log1PBackward0")
def log1p(input: Any) -> Tensor:
    """Natural logarithm of 1 + ``input``, elementwise, exact also near 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.log1p(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.6931])
    """


log1p.vjp("x", lambda g, x: g / (x + 1), formula="g / (x + 1)")


@elementwise(np.log2, remedy=KEEP_OFF_ZERO)
def log2(input: Any) -> Tensor:
    """Logarithm to base 2, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.log2(tg.tensor([1.0, 10.0]))
    tensor([0.0000, 3.3219])
    """


log2.vjp("x", lambda g, x: g / (x * math.log(2)), formula="g / (x ⊙ ln 2)")


@elementwise(np.log10, remedy=KEEP_OFF_ZERO)
def log10(input: Any) -> Tensor:
    """Logarithm to base 10, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.log10(tg.tensor([1.0, 2.0]))
    tensor([0.0000, 0.3010])
    """


log10.vjp("x", lambda g, x: g / (x * math.log(10)), formula="g / (x ⊙ ln 10)")


def _floats(name: str) -> Fn:
    fit = promoted(name, numbers=False)

    def prepare(inputs: Sequence[Any]) -> Sequence[Any]:
        fitted = fit(inputs)
        if not all(is_floating(x.dtype) for x in fitted):
            raise RuntimeError(f"{name}: only defined for floating-point numbers, convert them")
        return fitted

    return prepare


@elementwise(np.logaddexp, prepare=_floats("logaddexp"), analytic=False)
def logaddexp(input: Any, other: Any) -> Tensor:
    """Logarithm of the sum of exponentials, log(exp(a) + exp(b)), elementwise, without overflow.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.logaddexp(tg.tensor([0.0, -500.0]), tg.tensor([0.0, -500.0]))
    tensor([   0.6931, -499.3069])
    """


logaddexp.vjp("a", lambda g, a, b: g / (1 + np.exp(b - a)), formula="g / (1 + exp(b − a))")
logaddexp.vjp("b", lambda g, a, b: g / (1 + np.exp(a - b)), formula="g / (1 + exp(a − b))")


@silent
def _xlogy(a: Any, b: Any) -> Any:
    return np.where((a == 0) & (b == b), 0, a * np.log(b))


def _xlogy_a(g: Any, a: Any, b: Any) -> Any:
    return np.where((a == 0) & (b <= 0), 0, _xlogy_in_rules(g, b))


@elementwise(_xlogy, quiet=False, numbers=False, symbol="{a} ⊙ ln {b}", analytic=False)
def xlogy(input: Any, other: Any) -> Tensor:
    """``input`` · ln ``other``, elementwise: 0 where ``input`` is 0, unless ``other`` is NaN.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.xlogy(tg.tensor([0.0, 2.0]), tg.tensor([0.0, 1.0]))
    tensor([0., 0.])
    """


_xlogy_in_rules = in_rules(xlogy)
xlogy.vjp("a", _xlogy_a, formula="g ⊙ ln b")
xlogy.vjp("b", lambda g, a, b: g * a / b, formula="g ⊙ a / b")


@silent
def _logit(x: Any, *, eps: float | None) -> Any:
    """ln(x / (1 − x)) of x, which ``eps`` keeps away from 0 and 1."""
    if eps is not None:
        x = np.where(x < eps, x.dtype.type(eps), np.where(x > 1 - eps, x.dtype.type(1 - eps), x))
    return np.log(x / (1 - x))


def _logit_slope(g: Any, x: Any, eps: float | None) -> Any:
    low, outside = (0, math.nan) if eps is None else (eps, 0)
    return np.where((x < low) | (x > 1 - low), outside, g / ((x + 0) * (1 - x)))  # −0 + 0 is 0


@operation(
    _logit,
    prepare=promoted("logit", to_float=True),
    remedy="give it an eps, which keeps its argument away from 0 and 1",
)
def logit(input: Any, eps: float | None = None) -> Tensor:
    """ln(x / (1 − x)), elementwise: what `sigmoid` makes x of; NaN outside 0 … 1.

    Parameters
    ----------
    input : Tensor
    eps : float, optional
        First keep x between ``eps`` and 1 − ``eps``; the derivative outside is 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.logit(tg.tensor([0.5, 1.0]), eps=0.25)
    tensor([0.0000, 1.0986])
    """
    bound = None if eps is None else float(number_of("logit", "eps", eps))
    return logit.apply(input, eps=None if bound is None or bound < 0 else bound)


logit.vjp("x", _logit_slope, formula="g / (x ⊙ (1 − x))")
# -- angles, and their likes --


@elementwise(np.sin)
def sin(input: Any) -> Tensor:
    """Sine, elementwise, of angles in radians.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.sin(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8415])
    """


sin.vjp("x", lambda g, x: g * np.cos(x), formula="g ⊙ cos x")


@elementwise(np.cos)
def cos(input: Any) -> Tensor:
    """Cosine, elementwise, of angles in radians.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.cos(tg.tensor([0.0, 1.0]))
    tensor([1.0000, 0.5403])
    """


cos.vjp("x", lambda g, x: -g * np.sin(x), formula="−g ⊙ sin x")


@elementwise(np.tan)
def tan(input: Any) -> Tensor:
    """Tangent, elementwise, of angles in radians.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.tan(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5574])
    """


tan.vjp("x", lambda g, y: g * (1 + y * y), formula="g ⊙ (1 + y²)")


@elementwise(np.arcsin)
def asin(input: Any) -> Tensor:
    """Angle in radians with the given sine, elementwise: NaN outside −1 … 1.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.asin(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5708])
    """


asin.vjp("x", lambda g, x: g / np.sqrt(1 - x * x), formula="g / √(1 − x²)")


@elementwise(np.arccos)
def acos(input: Any) -> Tensor:
    """Angle in radians with the given cosine, elementwise: NaN outside −1 … 1.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.acos(tg.tensor([0.0, 1.0]))
    tensor([1.5708, 0.0000])
    """


acos.vjp("x", lambda g, x: -g / np.sqrt(1 - x * x), formula="−g / √(1 − x²)")


@elementwise(np.arctan)
def atan(input: Any) -> Tensor:
    """Angle in radians with the given tangent, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.atan(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7854])
    """


atan.vjp("x", lambda g, x: g / (x * x + 1), formula="g / (x² + 1)")


def _inverse(d: Any) -> Any:
    """1/d, and 0 for 0: at the origin, where it has no angle, a point receives nothing."""
    return np.where(d == 0, 0, 1 / d)


@elementwise(np.arctan2, numbers=False, analytic=False)
def atan2(input: Any, other: Any) -> Tensor:
    """Angle in radians of the points (x, y) = (``other``, ``input``), in −π … π, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.atan2(tg.tensor([1.0, 1.0]), tg.tensor([1.0, -1.0]))
    tensor([0.7854, 2.3562])
    """


atan2.vjp("a", lambda g, a, b: g * b * _inverse(a * a + b * b), formula="g ⊙ b / (a² + b²)")
atan2.vjp("b", lambda g, a, b: -g * a * _inverse(a * a + b * b), formula="−g ⊙ a / (a² + b²)")


@elementwise(np.sinh)
def sinh(input: Any) -> Tensor:
    """Hyperbolic sine, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.sinh(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 1.1752])
    """


sinh.vjp("x", lambda g, x: g * np.cosh(x), formula="g ⊙ cosh x")


@elementwise(np.cosh)
def cosh(input: Any) -> Tensor:
    """Hyperbolic cosine, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.cosh(tg.tensor([0.0, 1.0]))
    tensor([1.0000, 1.5431])
    """


cosh.vjp("x", lambda g, x: g * np.sinh(x), formula="g ⊙ sinh x")


@elementwise(np.arcsinh)
def asinh(input: Any) -> Tensor:
    """Inverse of the hyperbolic sine, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.asinh(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8814])
    """


asinh.vjp("x", lambda g, x: g / np.sqrt(x * x + 1), formula="g / √(x² + 1)")


@elementwise(np.arccosh)
def acosh(input: Any) -> Tensor:
    """Inverse of the hyperbolic cosine, elementwise: NaN below 1.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.acosh(tg.tensor([1.0, 2.0]))
    tensor([0.0000, 1.3170])
    """


acosh.vjp("x", lambda g, x: g / np.sqrt(x * x - 1), formula="g / √(x² − 1)")


@elementwise(np.arctanh)
def atanh(input: Any) -> Tensor:
    """Inverse of the hyperbolic tangent, elementwise: NaN outside −1 … 1.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.atanh(tg.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5493])
    """


atanh.vjp("x", lambda g, x: g / (1 - x * x), formula="g / (1 − x²)")
# -- the error function --


def _each(function: Callable[[float], float]) -> Fn:
    """A function of Python's `math`, of every element."""

    def apply(x: Any) -> Any:
        y = np.empty_like(x)  # which keeps the order in memory
        y.flat = np.fromiter(map(function, x.ravel().tolist()), x.dtype, x.size)
        return y

    return apply


@elementwise(owned(_each(math.erf)), analytic=False)
def erf(input: Any) -> Tensor:
    """Error function, elementwise: 2/√π times the integral of exp(−t²) from 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.erf(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8427])
    """


erf.vjp(
    "x",
    lambda g, x: g * np.exp(-x * x) * (2 / math.sqrt(math.pi)),
    formula="g ⊙ 2 exp(−x²) / √π",
)
# -- sizes and signs --


@elementwise(
    np.absolute,
    quiet=False,
    to_float=False,
    bools=False,
    analytic=lambda z: np.where(z.real < 0, -z, z),
)
def abs(input: Any) -> Tensor:
    """Absolute value, elementwise; its derivative at 0 is 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.abs(tg.tensor([-1.0, 2.0]))
    tensor([1., 2.])
    """


abs.vjp("x", lambda g, x: g * np.where(x != x, 0, np.sign(x)), formula="g ⊙ sign x")


def _sign(x: Any) -> Any:
    return x.copy("K") if x.dtype.kind == "b" else np.where(x != x, 0, np.sign(x))  # 0 for NaN


@elementwise(_sign, quiet=False, to_float=False, analytic=False)
def sign(input: Any) -> Tensor:
    """Sign, elementwise: −1, 0 or 1 (0 also of NaN); its derivative is 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.sign(tg.tensor([-5.0, 0.0, 2.0]))
    tensor([-1.,  0.,  1.])
    """


sign.vjp("x", lambda g: np.zeros_like(g), formula="0")


@silent
def _nan_to_num(x: Any, *, nan: float, posinf: float, neginf: float) -> Any:
    if x.dtype.kind != "f":
        return x.copy()
    # what does not fit becomes inf again, as in PyTorch
    nan, posinf, neginf = (np.float64(value).astype(x.dtype) for value in (nan, posinf, neginf))
    return np.where(
        x != x, nan, np.where(x == math.inf, posinf, np.where(x == -math.inf, neginf, x))
    )


@operation(_nan_to_num, prepare=promoted("nan_to_num"), analytic=False)
def nan_to_num(
    input: Any, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """Numbers for NaN, ∞ and −∞, elementwise; what is replaced receives no gradient.

    Parameters
    ----------
    input : Tensor
    nan : number, optional
        For NaN; 0 if missing.
    posinf, neginf : number, optional
        For ∞ and −∞; the largest and the smallest number of the type if missing.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nan_to_num(tg.tensor([1.0, float("nan"), float("inf")]), posinf=9.0)
    tensor([1., 0., 9.])
    """
    x = tensor_of("nan_to_num", input)
    largest = float(np.finfo(x.array.dtype).max) if x.array.dtype.kind == "f" else 0.0
    given = {"nan": (nan, 0.0), "posinf": (posinf, largest), "neginf": (neginf, -largest)}
    numbers = {
        what: missing if value is None else float(number_of("nan_to_num", what, value))
        for what, (value, missing) in given.items()
    }
    return nan_to_num.apply(x, **numbers)


nan_to_num.vjp("x", lambda g, x: np.where(np.isfinite(x), g, 0), formula="g where |x| < ∞")

# -- whole numbers --


def _whole(ufunc: Fn) -> Fn:
    """A rounding function, which leaves integers as they are (np.floor might make floats)."""
    return lambda x: ufunc(x) if x.dtype.kind == "f" else x.copy("K")


@elementwise(_whole(np.floor), quiet=False, to_float=False, bools=False, analytic=False)
def floor(input: Any) -> Tensor:
    """The largest whole number not above, elementwise; its derivative is 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.floor(tg.tensor([-1.5, 1.5]))
    tensor([-2.,  1.])
    """


floor.vjp("x", lambda g: np.zeros_like(g), formula="0")


@elementwise(_whole(np.ceil), quiet=False, to_float=False, bools=False, analytic=False)
def ceil(input: Any) -> Tensor:
    """The smallest whole number not below, elementwise; its derivative is 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.ceil(tg.tensor([-1.5, 1.5]))
    tensor([-1.,  2.])
    """


ceil.vjp("x", lambda g: np.zeros_like(g), formula="0")


@elementwise(_whole(np.trunc), quiet=False, to_float=False, bools=False, analytic=False)
def trunc(input: Any) -> Tensor:
    """The whole part (towards 0), elementwise; its derivative is 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.trunc(tg.tensor([-1.5, 1.5]))
    tensor([-1.,  1.])
    """


trunc.vjp("x", lambda g: np.zeros_like(g), formula="0")


@silent
def _round(x: Any, *, decimals: int) -> Any:
    if decimals and x.dtype.kind != "f":
        raise ValueError("only floating-point numbers are rounded to decimals")
    return np.round(x, decimals)


@operation(_round, prepare=promoted("round", bools=False), analytic=False)
def round(input: Any, *, decimals: int = 0) -> Tensor:
    """The nearest number with so many decimals, elementwise; its derivative is 0.

    Halves go to the even neighbour. With negative ``decimals``, tens, hundreds … are rounded to.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.round(tg.tensor([0.5, 1.5, 2.4]))
    tensor([0., 2., 2.])
    """
    return round.apply(input, decimals=integer_of("round", "decimals", decimals))


round.vjp("x", lambda g: np.zeros_like(g), formula="0")
# -- one of two --


def _winner(g: Any, one: Any, other: Any) -> Any:
    """What ``one`` receives that is taken unless it is below ``other``."""
    return np.where(one == other, g / 2, np.where(one < other, 0, g))


@elementwise(np.maximum, to_float=False, numbers=False, symbol="max")
def maximum(input: Any, other: Any) -> Tensor:
    """The larger of two numbers, elementwise; NaN if one is NaN.

    Equal numbers receive one half of the gradient each.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.maximum(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 0.0]))
    tensor([3., 2.])
    """


maximum.vjp("a", lambda g, a, b: _winner(g, a, b), formula="g where a > b, g/2 where equal")
maximum.vjp("b", lambda g, a, b: _winner(g, b, a), formula="g where b > a, g/2 where equal")


@elementwise(np.minimum, to_float=False, numbers=False, symbol="min")
def minimum(input: Any, other: Any) -> Tensor:
    """The smaller of two numbers, elementwise; NaN if one is NaN.

    Equal numbers receive one half of the gradient each.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.minimum(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 0.0]))
    tensor([1., 0.])
    """


minimum.vjp("a", lambda g, a, b: _winner(g, b, a), formula="g where a < b, g/2 where equal")
minimum.vjp("b", lambda g, a, b: _winner(g, a, b), formula="g where b < a, g/2 where equal")


@operation(
    lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "x low high",
    arrange=first_decides,
    stops="its argument is out of bounds",
    node="ClampBackward1",
)
def clamp(input: Any, min: Any = None, max: Any = None) -> Tensor:
    """``input`` where it lies between the bounds, else the nearer bound; elementwise.

    Where ``min`` is larger than ``max``, the result is ``max``. What lies outside receives no
    gradient, what lies on a bound receives all of it.

    Parameters
    ----------
    input : Tensor
    min, max : number or Tensor, optional
        At least one of them.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.clamp(tg.tensor([-1.0, 0.5, 3.0]), 0, 1)
    tensor([0.0000, 0.5000, 1.0000])
    """
    if max is None and min is None:
        raise RuntimeError("clamp: at least one of min and max must not be None")
    if max is None:
        return _clamped(clamp_min, input, min)
    if min is None:
        return _clamped(clamp_max, input, max)
    return _clamped(clamp, input, min, max)


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

clip = clamp


@operation(np.maximum, "x low", arrange=first_decides, node="ClampBackward1")
def clamp_min(input: Any, min: Any) -> Tensor:
    """``input`` where it is not below ``min``, else ``min``; elementwise: see `clamp`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.clamp_min(tg.tensor([-1.0, 0.5, 3.0]), 0)
    tensor([0.0000, 0.5000, 3.0000])
    """
    return made_by(_clamp_node("Min", min), _clamped(clamp_min, input, min))


clamp_min.vjp("x", lambda g, x, low: np.where(x >= low, g, 0), formula="g where x ≥ low")
clamp_min.vjp("low", lambda g, x, low: np.where(x < low, g, 0), formula="g where x < low")


@operation(np.minimum, "x high", arrange=first_decides, node="ClampBackward1")
def clamp_max(input: Any, max: Any) -> Tensor:
    """``input`` where it is not above ``max``, else ``max``; elementwise: see `clamp`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.clamp_max(tg.tensor([-1.0, 0.5, 3.0]), 1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    return made_by(_clamp_node("Max", max), _clamped(clamp_max, input, max))


clamp_max.vjp("x", lambda g, x, high: np.where(x <= high, g, 0), formula="g where x ≤ high")
clamp_max.vjp("high", lambda g, x, high: np.where(x > high, g, 0), formula="g where x > high")


def _clamp_node(side: str, bound: Any) -> str:
    return f"Clamp{side}Backward{int(isinstance(bound, Variable))}"


def _clamped(kind: Operation[..., Tensor], *operands: Any) -> Tensor:
    fitted = _fit_bounds(operands)
    if len(operands) == 3 or not isinstance(operands[1], Variable):  # maximum and minimum do know
        check_no_bools("clamp", fitted[0])
    for bound in operands[1:]:
        if isinstance(bound, bool | int | float):
            fitting("clamp", bound, fitted[0].dtype)
    return kind.apply(*fitted)


_fit_bounds = promoted("clamp", numbers=False)


_where = primitive(
    "where", np.where, "condition a b", arrange=first_decides, stops="the other choice was taken"
)
_where.vjp("a", lambda g, condition: np.where(condition, g, 0), formula="g where condition")
_where.vjp("b", lambda g, condition: np.where(condition, 0, g), formula="g where not condition")


@overload
def where(condition: Any) -> tuple[Tensor, ...]: ...
@overload
def where(condition: Any, input: Any, other: Any) -> Tensor: ...
def where(condition: Any, input: Any = None, other: Any = None) -> Tensor | tuple[Tensor, ...]:
    """``input`` where the condition holds, else ``other``; elementwise, broadcast.

    Called as ``where(condition)`` it gives the places where the condition is not 0: a tuple of
    one int64 tensor of indices for each axis.

    Parameters
    ----------
    condition : Tensor of bools
    input, other : Tensor or number

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([-1.0, 2.0])
    >>> tg.where(x > 0, x, 0)
    tensor([0., 2.])
    >>> tg.where(x > 0)
    (tensor([1]),)
    """
    if input is None and other is None:
        places = np.atleast_1d(tensor_of("where", condition).array).nonzero()
        return tuple(graph.make_tensor(i, None) for i in places)
    c = mask_of("where", "condition", condition)
    return _where.general(c, *_fit_choices((input, other)))


_fit_choices = promoted("where", numbers=False)


def masked_fill(input: Any, mask: Any, value: Any) -> Tensor:
    """``value`` where the mask holds, else ``input``; elementwise, broadcast.

    Parameters
    ----------
    input : Tensor
    mask : Tensor of bools
    value : number or 0-d Tensor
        Converted to the type of ``input``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([-1.0, 2.0])
    >>> tg.masked_fill(x, x < 0, 5)
    tensor([5., 2.])
    """
    x, m = tensor_of("masked_fill", input), mask_of("masked_fill", "mask", mask)
    if not isinstance(value, Variable | np.ndarray | np.generic | bool | int | float):
        raise TypeError(f"masked_fill: the value must be a number, got {value!r:.60}")
    array = np.asarray(raw(value))
    if array.ndim:
        raise RuntimeError(f"masked_fill: the value must be a number or 0-d, got {array.shape}")
    dtype = x.array.dtype
    fitting("masked_fill", array.item(), dtype)
    fill = value if isinstance(value, Variable) else array
    if not (x.array.flags.c_contiguous and m.array.flags.c_contiguous):  # the result always is
        shape = common_shape("masked_fill", m.array.shape, x.array.shape)
        m = graph.make_tensor(np.array(np.broadcast_to(m.array, shape), order="C"), None)
    return made_by("MaskedFillBackward0", _where.general(m, to_dtype(fill, dtype), x))
