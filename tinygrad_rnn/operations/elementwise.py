"""Arithmetic and mathematical functions of each element."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.operations import arithmetic
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
from tinygrad_rnn.operations.primitives import activation, elementwise
from tinygrad_rnn.operations.promotion import promoted, to_dtype

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

_add, _sub, _mul = arithmetic.add.apply, arithmetic.sub.apply, arithmetic.mul.apply
_tanh, _sigmoid = activation.tanh.apply, activation.sigmoid.apply

# -- arithmetic ------------------------------------------------------------------------------------


def add(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """Sum, elementwise: ``input + alpha · other``.

    Parameters
    ----------
    input, other : Tensor or number
        Of shapes that broadcast; the result has their common type (see `dtypes`).
    alpha : number
        No float if the result is an integer.

    Raises
    ------
    RuntimeError
        If the shapes do not broadcast, or ``alpha`` does not fit the result's type.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.add(tg.tensor([1.0, 2.0]), 10)
    tensor([11., 12.])
    """
    return (
        _add(input, other)
        if alpha == 1 and alpha is not True
        else _add(*_scaled(arithmetic.add, input, other, alpha))
    )


def sub(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """Difference, elementwise: ``input − alpha · other``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.sub(tg.tensor([1.0, 2.0]), tg.tensor([[1.0], [3.0]]))
    tensor([[ 0.,  1.],
            [-2., -1.]])
    """
    return (
        _sub(input, other)
        if alpha == 1 and alpha is not True
        else _sub(*_scaled(arithmetic.sub, input, other, alpha))
    )


def rsub(input: Any, other: Any, alpha: Any = 1) -> Tensor:
    """Difference the other way round, elementwise: ``other − alpha · input``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.rsub(tg.tensor([1.0, 2.0]), 10)
    tensor([9., 8.])
    """
    return sub(other, input, alpha=alpha)


def _scaled(kind: Primitive, input: Any, other: Any, alpha: Any) -> tuple[Any, Any]:
    """The operands as ``kind`` takes them, the second one multiplied by ``alpha``."""
    name = kind.name
    factor = number_of(name, "alpha", alpha)
    a, b = kind.prepare((input, other))
    dtype = (b if isinstance(a, bool | int | float) else a).dtype
    if isinstance(factor, bool) and dtype.kind != "b":
        raise RuntimeError(
            f"{name}: a bool alpha is for bools only, not for {dtype}; use {int(factor)}"
        )
    if dtype.kind != "f" and not isinstance(factor, int):
        raise RuntimeError(f"{name}: alpha {alpha!r} does not fit a result of {dtype}")
    return a, b * (bool(factor) if dtype.kind == "b" else fitting(name, factor, dtype))


def mul(input: Any, other: Any) -> Tensor:
    """Product, elementwise: ``input ⊙ other``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.mul(tg.tensor([1, 2]), 0.5)
    tensor([0.5000, 1.0000])
    """
    return _mul(input, other)


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """Quotient, elementwise: ``input / other``; of integers it is a float.

    Parameters
    ----------
    input, other : Tensor or number
    rounding_mode : "trunc", "floor" or None
        Rounded towards 0, or down: then integers stay integers, and the derivative is 0.

    Raises
    ------
    RuntimeError
        If integers are divided by 0 and rounded, or the rounding mode is another.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.div(tg.tensor([1, 2]), 4)
    tensor([0.2500, 0.5000])
    >>> tg.div(tg.tensor([-7, 7]), 2, rounding_mode="trunc")
    tensor([-3,  3])
    """
    if rounding_mode is None:
        return arithmetic.div.apply(input, other)
    if rounding_mode == "floor":
        return elementwise.floor_divide.apply(input, other)
    if rounding_mode == "trunc":
        return elementwise.trunc_divide.apply(input, other)
    kind = RuntimeError if isinstance(rounding_mode, str) else TypeError
    raise kind(f"div: rounding_mode must be None, 'trunc' or 'floor', got {rounding_mode!r}")


def true_divide(input: Any, other: Any) -> Tensor:
    """Quotient, elementwise: another name of `div`, without rounding.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.true_divide(tg.tensor([1, 2]), 4)
    tensor([0.2500, 0.5000])
    """
    return arithmetic.div.apply(input, other)


def floor_divide(input: Any, other: Any) -> Tensor:
    """Quotient rounded down, elementwise: ``input // other``; its derivative is 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.floor_divide(tg.tensor([-7, 7]), 2)
    tensor([-4,  3])
    """
    return elementwise.floor_divide.apply(input, other)


def remainder(input: Any, other: Any) -> Tensor:
    """What `floor_divide` leaves, elementwise: ``input % other``, of the sign of ``other``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.remainder(tg.tensor([-7, 7]), 3)
    tensor([2, 1])
    """
    return elementwise.remainder.apply(input, other)


def fmod(input: Any, other: Any) -> Tensor:
    """What a division rounded towards 0 leaves, elementwise: it has the sign of ``input``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.fmod(tg.tensor([-7, 7]), 3)
    tensor([-1,  1])
    """
    return elementwise.fmod.apply(input, other)


def pow(input: Any, exponent: Any) -> Tensor:
    """Power, elementwise: ``input ** exponent``.

    The derivative with respect to ``input`` at exponent 0 is 0, even at input 0.

    Raises
    ------
    RuntimeError
        If an integer tensor is raised to a negative integer. (Negative integers in a tensor of
        exponents give 1/input rounded towards 0, as in PyTorch.)

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.pow(tg.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    """
    if type(exponent) is int:
        dtype = np.asarray(raw(input)).dtype
        if dtype.kind != "f" and fitting("pow", exponent, dtype) < 0:
            raise RuntimeError(f"pow: an integer to the power {exponent} is none; use floats")
    return arithmetic.power.apply(input, exponent)


def neg(input: Any) -> Tensor:
    """Negative, elementwise: ``−input``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.neg(tg.tensor([1.0, -2.0]))
    tensor([-1.,  2.])
    """
    return arithmetic.neg.apply(input)


# -- roots, exponentials and logarithms ------------------------------------------------------------


def sqrt(input: Any) -> Tensor:
    """Square root, elementwise: NaN below 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.sqrt(tg.tensor([4.0, 9.0]))
    tensor([2., 3.])
    """
    return elementwise.sqrt.apply(input)


def rsqrt(input: Any) -> Tensor:
    """Reciprocal of the square root, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.rsqrt(tg.tensor([4.0, 16.0]))
    tensor([0.5000, 0.2500])
    """
    return elementwise.rsqrt.apply(input)


def square(input: Any) -> Tensor:
    """Square, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.square(tg.tensor([-1.0, 3.0]))
    tensor([1., 9.])
    """
    return elementwise.square.apply(input)


def reciprocal(input: Any) -> Tensor:
    """Reciprocal, elementwise: ``1 / input``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.reciprocal(tg.tensor([2.0, -4.0]))
    tensor([ 0.5000, -0.2500])
    """
    return elementwise.reciprocal.apply(input)


def exp(input: Any) -> Tensor:
    """Exponential, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.exp(tg.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    return arithmetic.exp.apply(input)


def exp2(input: Any) -> Tensor:
    """2 to the power of ``input``, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.exp2(tg.tensor([0.0, 3.0, -1.0]))
    tensor([1.0000, 8.0000, 0.5000])
    """
    return elementwise.exp2.apply(input)


def expm1(input: Any) -> Tensor:
    """Exponential minus 1, elementwise, exact also near 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.expm1(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 1.7183])
    """
    return elementwise.expm1.apply(input)


def log(input: Any) -> Tensor:
    """Natural logarithm, elementwise: −inf at 0, NaN below.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.log(tg.tensor([1.0, 10.0]))
    tensor([0.0000, 2.3026])
    """
    return arithmetic.log.apply(input)


def log1p(input: Any) -> Tensor:
    """Natural logarithm of 1 + ``input``, elementwise, exact also near 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.log1p(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.6931])
    """
    return elementwise.log1p.apply(input)


def log2(input: Any) -> Tensor:
    """Logarithm to base 2, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.log2(tg.tensor([1.0, 10.0]))
    tensor([0.0000, 3.3219])
    """
    return elementwise.log2.apply(input)


def log10(input: Any) -> Tensor:
    """Logarithm to base 10, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.log10(tg.tensor([1.0, 2.0]))
    tensor([0.0000, 0.3010])
    """
    return elementwise.log10.apply(input)


def logaddexp(input: Any, other: Any) -> Tensor:
    """Logarithm of the sum of exponentials, log(exp(a) + exp(b)), elementwise, without overflow.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.logaddexp(tg.tensor([0.0, -500.0]), tg.tensor([0.0, -500.0]))
    tensor([   0.6931, -499.3069])
    """
    return elementwise.logaddexp.apply(input, other)


def xlogy(input: Any, other: Any) -> Tensor:
    """``input`` · ln ``other``, elementwise: 0 where ``input`` is 0, unless ``other`` is NaN.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.xlogy(tg.tensor([0.0, 2.0]), tg.tensor([0.0, 1.0]))
    tensor([0., 0.])
    """
    return elementwise.xlogy.apply(input, other)


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
    return elementwise.logit.apply(input, eps=None if bound is None or bound < 0 else bound)


# -- angles, and their likes -----------------------------------------------------------------------


def sin(input: Any) -> Tensor:
    """Sine, elementwise, of angles in radians.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.sin(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8415])
    """
    return elementwise.sin.apply(input)


def cos(input: Any) -> Tensor:
    """Cosine, elementwise, of angles in radians.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.cos(tg.tensor([0.0, 1.0]))
    tensor([1.0000, 0.5403])
    """
    return elementwise.cos.apply(input)


def tan(input: Any) -> Tensor:
    """Tangent, elementwise, of angles in radians.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.tan(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5574])
    """
    return elementwise.tan.apply(input)


def asin(input: Any) -> Tensor:
    """Angle in radians with the given sine, elementwise: NaN outside −1 … 1.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.asin(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5708])
    """
    return elementwise.asin.apply(input)


def acos(input: Any) -> Tensor:
    """Angle in radians with the given cosine, elementwise: NaN outside −1 … 1.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.acos(tg.tensor([0.0, 1.0]))
    tensor([1.5708, 0.0000])
    """
    return elementwise.acos.apply(input)


def atan(input: Any) -> Tensor:
    """Angle in radians with the given tangent, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.atan(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7854])
    """
    return elementwise.atan.apply(input)


def atan2(input: Any, other: Any) -> Tensor:
    """Angle in radians of the points (x, y) = (``other``, ``input``), in −π … π, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.atan2(tg.tensor([1.0, 1.0]), tg.tensor([1.0, -1.0]))
    tensor([0.7854, 2.3562])
    """
    return elementwise.atan2.apply(input, other)


def sinh(input: Any) -> Tensor:
    """Hyperbolic sine, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.sinh(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 1.1752])
    """
    return elementwise.sinh.apply(input)


def cosh(input: Any) -> Tensor:
    """Hyperbolic cosine, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.cosh(tg.tensor([0.0, 1.0]))
    tensor([1.0000, 1.5431])
    """
    return elementwise.cosh.apply(input)


def asinh(input: Any) -> Tensor:
    """Inverse of the hyperbolic sine, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.asinh(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8814])
    """
    return elementwise.asinh.apply(input)


def acosh(input: Any) -> Tensor:
    """Inverse of the hyperbolic cosine, elementwise: NaN below 1.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.acosh(tg.tensor([1.0, 2.0]))
    tensor([0.0000, 1.3170])
    """
    return elementwise.acosh.apply(input)


def atanh(input: Any) -> Tensor:
    """Inverse of the hyperbolic tangent, elementwise: NaN outside −1 … 1.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.atanh(tg.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5493])
    """
    return elementwise.atanh.apply(input)


def tanh(input: Any) -> Tensor:
    """Hyperbolic tangent, elementwise; its derivative is 1 − tanh².

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.tanh(tg.tensor([0.5, 1.0]))
    tensor([0.4621, 0.7616])
    """
    return _tanh(input)


def sigmoid(input: Any) -> Tensor:
    """Logistic function σ(x) = 1 / (1 + e⁻ˣ), elementwise, without overflow at any x.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.sigmoid(tg.tensor([-10000.0, 0.0, 10000.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    return _sigmoid(input)


def erf(input: Any) -> Tensor:
    """Error function, elementwise: 2/√π times the integral of exp(−t²) from 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.erf(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8427])
    """
    return elementwise.erf.apply(input)


# -- sizes, signs and whole numbers ----------------------------------------------------------------


def abs(input: Any) -> Tensor:
    """Absolute value, elementwise; its derivative at 0 is 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.abs(tg.tensor([-1.0, 2.0]))
    tensor([1., 2.])
    """
    return elementwise.absolute.apply(input)


def sign(input: Any) -> Tensor:
    """Sign, elementwise: −1, 0 or 1 (0 also of NaN); its derivative is 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.sign(tg.tensor([-5.0, 0.0, 2.0]))
    tensor([-1.,  0.,  1.])
    """
    return elementwise.sign.apply(input)


def floor(input: Any) -> Tensor:
    """The largest whole number not above, elementwise; its derivative is 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.floor(tg.tensor([-1.5, 1.5]))
    tensor([-2.,  1.])
    """
    return elementwise.floor.apply(input)


def ceil(input: Any) -> Tensor:
    """The smallest whole number not below, elementwise; its derivative is 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.ceil(tg.tensor([-1.5, 1.5]))
    tensor([-1.,  2.])
    """
    return elementwise.ceil.apply(input)


def round(input: Any, *, decimals: int = 0) -> Tensor:
    """The nearest number with so many decimals, elementwise; its derivative is 0.

    Halves go to the even neighbour. With negative ``decimals``, tens, hundreds … are rounded to.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.round(tg.tensor([0.5, 1.5, 2.4]))
    tensor([0., 2., 2.])
    """
    return elementwise.rounding.apply(input, decimals=integer_of("round", "decimals", decimals))


def trunc(input: Any) -> Tensor:
    """The whole part (towards 0), elementwise; its derivative is 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.trunc(tg.tensor([-1.5, 1.5]))
    tensor([-1.,  1.])
    """
    return elementwise.trunc.apply(input)


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
    return elementwise.nan_to_num.apply(x, **numbers)


# -- one of two ------------------------------------------------------------------------------------


def maximum(input: Any, other: Any) -> Tensor:
    """The larger of two numbers, elementwise; NaN if one is NaN.

    Equal numbers receive one half of the gradient each.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.maximum(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 0.0]))
    tensor([3., 2.])
    """
    return elementwise.maximum.apply(input, other)


def minimum(input: Any, other: Any) -> Tensor:
    """The smaller of two numbers, elementwise; NaN if one is NaN.

    Equal numbers receive one half of the gradient each.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.minimum(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 0.0]))
    tensor([1., 0.])
    """
    return elementwise.minimum.apply(input, other)


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
        return _clamped(elementwise.clamp_min, input, min)
    if min is None:
        return _clamped(elementwise.clamp_max, input, max)
    return _clamped(elementwise.clamp, input, min, max)


clip = clamp


def clamp_min(input: Any, min: Any) -> Tensor:
    """``input`` where it is not below ``min``, else ``min``; elementwise: see `clamp`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.clamp_min(tg.tensor([-1.0, 0.5, 3.0]), 0)
    tensor([0.0000, 0.5000, 3.0000])
    """
    return _clamped(elementwise.clamp_min, input, min)


def clamp_max(input: Any, max: Any) -> Tensor:
    """``input`` where it is not above ``max``, else ``max``; elementwise: see `clamp`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.clamp_max(tg.tensor([-1.0, 0.5, 3.0]), 1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    return _clamped(elementwise.clamp_max, input, max)


def _clamped(kind: Primitive, *operands: Any) -> Any:
    fitted = _fit_bounds(operands)
    if len(operands) == 3 or not isinstance(operands[1], Variable):  # maximum and minimum do know
        check_no_bools("clamp", fitted[0])
    for bound in operands[1:]:
        if isinstance(bound, bool | int | float):
            fitting("clamp", bound, fitted[0].dtype)
    return kind.apply(*fitted)


_fit_bounds = promoted("clamp", numbers=False)


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
    return arithmetic.where.general(c, *_fit_choices((input, other)))


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
    return arithmetic.where.general(m, to_dtype(fill, dtype), x)
