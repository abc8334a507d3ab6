"""The nonlinearities of neural nets.

At kinks the derivatives are PyTorch's, and nothing overflows: the exponentials in here are of
negative numbers only, or their infinities end in a finite result.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.dtypes import DTypeLike, as_dtype, float16, float32
from tinygrad_rnn.engine.errors import silent
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.operations import twins
from tinygrad_rnn.operations.arguments import dim_of, tensor_of
from tinygrad_rnn.operations.elementwise import erf
from tinygrad_rnn.operations.memory import in_c_order
from tinygrad_rnn.operations.operation import elementwise, in_rules, operation
from tinygrad_rnn.operations.promotion import floats, promoted, to_dtype
from tinygrad_rnn.operations.shape import reshape
from tinygrad_rnn.operations.traits import primitive

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

Fn = Callable[..., Any]

# σ(x) is 1 to the last bit from here on, and exp does not overflow yet. 0-d arrays of the
# operand's type, because NumPy takes twice as long over Python's numbers.
_SATURATED = {
    np.dtype(dtype): (np.array(limit, dtype), np.array(1, dtype))
    for dtype, limit in ((np.float16, 10), (np.float32, 40), (np.float64, 40))
}


def _sigmoid(x: Any) -> Any:
    limit, one = _SATURATED[x.dtype]
    e = np.exp(np.minimum(x, limit))
    return e / (e + one)


_AT_THEIR_ENDS = "its outputs are at their ends, where the slope is 0"


@elementwise(np.tanh, quiet=False, squashes=(-1, 1), steepest=1.0, stops=_AT_THEIR_ENDS)
def tanh(input: Any) -> Tensor:
    """Hyperbolic tangent, elementwise; its derivative is 1 − tanh².

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.tanh(tg.tensor([0.5, 1.0]))
    tensor([0.4621, 0.7616])
    """


tanh.vjp("x", lambda g, y: g * (1 - y * y), formula="g ⊙ (1 − y²)")


def _continued_sigmoid(z: Any) -> Any:
    """For complex numbers."""
    return 1 / (1 + np.exp(-z))


@elementwise(
    _sigmoid,
    quiet=False,
    prepare=promoted("σ", to_float=True),
    symbol="σ",
    analytic=_continued_sigmoid,
    squashes=(0, 1),
    steepest=0.25,
    stops=_AT_THEIR_ENDS,
)
def sigmoid(input: Any) -> Tensor:
    """Logistic function σ(x) = 1 / (1 + e⁻ˣ), elementwise, without overflow at any x.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.sigmoid(tg.tensor([-10000.0, 0.0, 10000.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """


sigmoid.vjp("x", lambda g, y: g * (y - y * y), formula="g ⊙ y ⊙ (1 − y)")


def _relu(x: Any) -> Any:
    return np.maximum(x, 0)


@elementwise(
    _relu,
    quiet=False,
    to_float=False,
    bools=False,
    analytic=lambda z: np.where(z.real > 0, z, 0),
    steepest=1.0,
    stops="its outputs are 0 there, and so is its slope",
)
def relu(input: Any) -> Tensor:
    """max(x, 0), elementwise; the derivative at 0 is 0, as in PyTorch.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.relu(tg.tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 2.])
    """


relu.vjp("x", lambda g, y: np.where(y <= 0, 0, g), formula="g where y > 0")


def wide(fn: Fn) -> Fn:
    """Compute float16 in float32 and round once, as PyTorch does: sums of squares overflow soon.

    For forwards and for rules.
    """

    @functools.wraps(fn)
    def widened(x: Any, *rest: Any, **params: Any) -> Any:
        if x.dtype != float16:
            return fn(x, *rest, **params)
        rest = tuple(to_dtype(a, float32) if hasattr(a, "dtype") else a for a in rest)
        return to_dtype(fn(to_dtype(x, float32), *rest, **params), float16)

    return widened


def _activation(name: str, forward: Fn, slope: Fn, formula: str, **traits: Any) -> Primitive:
    made = primitive(
        name, silent(forward), prepare=floats(name), **{"twin": f"nn.functional.{name}", **traits}
    )
    made.vjp("x", slope, formula=formula)
    return made


_sigma = in_rules(sigmoid)

# -- made of straight lines --


def _hardtanh(x: Any, *, low: float, high: float) -> Any:
    return np.minimum(np.maximum(x, x.dtype.type(low)), x.dtype.type(high))


hardtanh = primitive(
    "hardtanh",
    _hardtanh,
    "x",
    prepare=promoted("hardtanh", bools=False),
    twin=lambda torch, x, low, high: torch.nn.functional.hardtanh(x, low, high),
)
hardtanh.vjp(
    "x",
    lambda g, x, low, high: np.where(x <= low, 0, np.where(x >= high, 0, g)),
    formula="g where low < x < high",
)

leaky_relu = _activation(
    "leaky_relu",
    lambda x, *, slope: np.where(x > 0, x, x * slope),
    lambda g, x, slope: np.where(x > 0, g, g * slope),
    "g where x > 0, else slope·g",
    twin=lambda torch, x, slope: torch.nn.functional.leaky_relu(x, slope),
)


@operation(
    lambda x, weight: np.where(x > 0, x, x * weight),
    "x weight",
    prepare=floats("prelu"),
    twin=lambda torch, x, weight: torch.where(x > 0, x, x * weight),
)
def prelu(input: Any, weight: Any) -> Tensor:
    """``x`` for x > 0, else weight · x: a leaky ReLU whose slope is learnt.

    Parameters
    ----------
    input : Tensor of shape (N, C, ...)
    weight : Tensor of one element, or of shape (C,): one slope per channel

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.prelu(tg.tensor([[-1.0, -1.0], [1.0, 1.0]]), tg.tensor([0.5, 0.25]))
    tensor([[-0.5000, -0.2500],
            [ 1.0000,  1.0000]])
    """
    x, w = tensor_of("prelu", input), tensor_of("prelu", weight)
    if w.array.ndim > 1:
        raise RuntimeError(f"prelu: the weight must be 0-d or 1-d, got shape {w.array.shape}")
    if w.array.size != 1:
        channels = x.array.shape[1] if x.array.ndim > 1 else 1
        if not x.array.ndim or w.array.size != channels:
            raise RuntimeError(
                f"prelu: {w.array.size} weights do not fit the {channels} channels (axis 1) of an "
                f"input of shape {x.array.shape}"
            )
        w = reshape(w, (-1,) + (1,) * (x.array.ndim - 2))
    elif w.array.ndim:
        w = reshape(w, ())
    return prelu.apply(x, w)


prelu.vjp(
    "x",
    lambda g, x, weight: np.where(x > 0, g, g * weight),
    formula="g where x > 0, else g ⊙ weight",
)
prelu.vjp("weight", lambda g, x: np.where(x > 0, 0, g * x), formula="g ⊙ x where x ≤ 0")


def _sixth_of_relu6(torch: Any, x: Any) -> Any:
    """PyTorch's own hardsigmoid has no second derivative."""
    return torch.nn.functional.relu6(x + 3) / 6


hardsigmoid = _activation(
    "hardsigmoid",
    lambda x: np.minimum(np.maximum(x + 3, 0), 6) / 6,
    lambda g, x: np.where((x > -3) & (x < 3), g / 6, 0),
    "g / 6 where −3 < x < 3",
    twin=_sixth_of_relu6,
    analytic=False,
)

hardswish = _activation(
    "hardswish",
    lambda x: x * np.minimum(np.maximum(x + 3, 0), 6) / 6,
    lambda g, x: np.where(x <= -3, 0, np.where(x >= 3, g, g * (x / 3 + 0.5))),
    "g where x ≥ 3, 0 where x ≤ −3, else g ⊙ (x/3 + 1/2)",
    analytic=False,
)

# -- made of exponentials --


def _elu(x: Any, *, alpha: float, scale: float) -> Any:
    return np.where(x > 0, x * scale, np.expm1(np.minimum(x, 0)) * (alpha * scale))


def _elu_slope(g: Any, x: Any, alpha: float, scale: float) -> Any:
    e = np.exp(np.where(x >= 0, 0, x))  # NaN stays NaN
    return np.where(x > 0, g * scale, g * e * (alpha * scale))


elu = _activation(
    "elu",
    _elu,
    _elu_slope,
    "scale·g where x > 0, else scale·alpha·g ⊙ exp(x)",
    twin=lambda torch, x, alpha, scale: torch.nn.functional.elu(x, alpha) * scale,
)

celu = _activation(
    "celu",
    lambda x, *, alpha: np.where(x > 0, x, np.expm1(np.minimum(x, 0) / alpha) * alpha),
    lambda g, x, alpha: np.where(x > 0, g, g * np.exp(np.where(x > 0, 0, x) / alpha)),
    "g where x > 0, else g ⊙ exp(x / alpha)",
)


def log1pexp(x: Any) -> Any:
    """ln(1 + eˣ), without overflow (`np.logaddexp` would take seven times as long)."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _softplus(x: Any, *, beta: float, threshold: float) -> Any:
    z = x * beta
    return np.where(z > threshold, x, log1pexp(z) / beta)


softplus = _activation(
    "softplus",
    _softplus,
    lambda g, x, beta, threshold: np.where(x * beta > threshold, g, g * _sigma(x * beta)),
    "g ⊙ σ(beta·x)",
    analytic=False,
)

logsigmoid = _activation(
    "logsigmoid",
    in_c_order(lambda x: -log1pexp(-x)),
    lambda g, x: g * _sigma(-x),
    "g ⊙ σ(−x)",
    analytic=lambda z: -np.log1p(np.exp(-z)),
)


def _over_square(g: Any, d: Any) -> Any:
    return g / d / d  # d² may overflow


softsign = primitive(
    "softsign",
    lambda x: x / (1 + np.abs(x)),
    "x",
    prepare=promoted("softsign", to_float=True, bools=False),
    twin="nn.functional.softsign",
    analytic=lambda z: z / (1 + np.where(z.real < 0, -z, z)),
)
softsign.vjp("x", lambda g, x: _over_square(g, 1 + np.abs(x)), formula="g / (1 + |x|)²")


def _silu_slope(g: Any, x: Any) -> Any:
    s = _sigma(x)
    return g * (s + x * (s - s * s))


silu = _activation(
    "silu",
    lambda x: x * _sigmoid(x),
    _silu_slope,
    "g ⊙ (σ + x ⊙ σ ⊙ (1 − σ))",
    analytic=lambda z: z * _continued_sigmoid(z),
)

_softplus_in_rules = in_rules(softplus)


def _mish_slope(g: Any, x: Any) -> Any:
    t = np.tanh(_softplus_in_rules(x, beta=1, threshold=math.inf))
    return g * (t + x * _sigma(x) * (1 - t * t))


mish = _activation(
    "mish",
    lambda x: x * np.tanh(log1pexp(x)),
    _mish_slope,
    "g ⊙ (t + x ⊙ σ ⊙ (1 − t²)), t = tanh softplus x",
    analytic=False,
)

_erf = in_rules(erf)


def _normal_cdf(x: Any) -> Any:
    return (_erf(x * math.sqrt(0.5)) + 1) * 0.5


gelu = _activation(
    "gelu",
    wide(lambda x: x * _normal_cdf(x)),
    wide(
        lambda g, x: g * (_normal_cdf(x) + x * np.exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi)))
    ),
    "g ⊙ (Φ(x) + x ⊙ φ(x))",
    analytic=False,
)

# https://arxiv.org/abs/1606.08415: Φ(x) is about (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2
_C, _K = 0.044715, math.sqrt(2 / math.pi)


def _gelu_tanh_slope(g: Any, x: Any) -> Any:
    t = np.tanh((x + x * x * x * _C) * _K)
    return g * ((1 + t) + x * (1 - t * t) * (1 + x * x * (3 * _C)) * _K) * 0.5


gelu_tanh = _activation(
    "gelu_tanh",
    wide(lambda x: x * ((1 + np.tanh((x + x * x * x * _C) * _K)) * 0.5)),
    wide(_gelu_tanh_slope),
    "g ⊙ (1 + t + x ⊙ (1 − t²) ⊙ u′) / 2, t = tanh u",
    twin=lambda torch, x: torch.nn.functional.gelu(x, approximate="tanh"),
)

# -- along an axis: `axis` is a tuple, empty for 0-d tensors --


def _softmax(x: Any, *, axis: tuple[int, ...]) -> Any:
    e = np.exp(x - np.max(x, axis=axis, keepdims=True, initial=-math.inf))
    return e / np.sum(e, axis=axis, keepdims=True)


def _log_softmax(x: Any, *, axis: tuple[int, ...]) -> Any:
    z = x - np.max(x, axis=axis, keepdims=True, initial=-math.inf)
    return z - np.log(np.sum(np.exp(z), axis=axis, keepdims=True))


@operation(
    silent(in_c_order(wide(_softmax))), prepare=floats("softmax"), twin=twins.along_one("softmax")
)
def softmax(input: Any, dim: int, dtype: DTypeLike = None) -> Tensor:
    """exp(x) / Σ exp(x) along ``dim``: positive numbers that sum to 1, without overflow.

    Parameters
    ----------
    input : Tensor, floating-point
    dim : int
    dtype : optional
        Convert the input to this type first.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.softmax(tg.tensor([0.0, 1.0, -10000.0]), 0)
    tensor([0.2689, 0.7311, 0.0000])
    """
    return _along("softmax", softmax, input, dim, dtype)


softmax.vjp(
    "x",
    wide(lambda g, y, axis: y * (g - (g * y).sum(axis, keepdims=True))),
    formula="y ⊙ (g − Σ g ⊙ y)",
)


@operation(
    silent(in_c_order(wide(_log_softmax))),
    prepare=floats("log_softmax"),
    twin=twins.along_one("log_softmax"),
)
def log_softmax(input: Any, dim: int, dtype: DTypeLike = None) -> Tensor:
    """``ln softmax(x)`` along ``dim``, which is x − ln Σ exp(x); exact where softmax rounds to 0.

    Parameters
    ----------
    input : Tensor, floating-point
    dim : int
    dtype : optional
        Convert the input to this type first.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.log_softmax(tg.tensor([0.0, 1.0, -10000.0]), 0)
    tensor([-1.3133e+00, -3.1326e-01, -1.0001e+04])
    """
    return _along("log_softmax", log_softmax, input, dim, dtype)


log_softmax.vjp(
    "x",
    wide(lambda g, y, axis: g - np.exp(y) * g.sum(axis, keepdims=True)),
    formula="g − exp(y) ⊙ Σ g",
)


def _along(name: str, primitive: Any, input: Any, dim: int, dtype: DTypeLike) -> Any:
    x = tensor_of(name, input)
    if dtype is not None:
        x = to_dtype(x, as_dtype(dtype))
    d = dim_of(name, dim, x.array.ndim)
    return primitive.apply(x, axis=(d,) if x.array.ndim else ())
