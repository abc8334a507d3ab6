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

from tinygrad_rnn.engine.errors import silent
from tinygrad_rnn.operations import twins
from tinygrad_rnn.operations.arguments import dim_of, number_of, tensor_of
from tinygrad_rnn.operations.dtypes import DTypeLike, as_dtype, float16, float32
from tinygrad_rnn.operations.elementwise import erf
from tinygrad_rnn.operations.inplace import change
from tinygrad_rnn.operations.memory import in_c_order
from tinygrad_rnn.operations.operation import Operation, elementwise, in_rules, operation
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


@elementwise(
    np.tanh,
    quiet=False,
    activation=True,
    squashes=(-1, 1),
    steepest=1.0,
    stops=_AT_THEIR_ENDS,
)
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
    activation=True,
    squashes=(0, 1),
    makes="probabilities",
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
    activation=True,
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


def _of_floats(name: str, twin: str | Fn = "") -> dict[str, Any]:
    """The traits of one of floating-point tensors; PyTorch's is in ``nn.functional``."""
    return {
        "prepare": floats(name),
        "twin": twin or f"nn.functional.{name}",
        "activation": True,
    }


_sigma = in_rules(sigmoid)

# -- made of straight lines --


def _hardtanh(x: Any, *, low: float, high: float) -> Any:
    return np.minimum(np.maximum(x, x.dtype.type(low)), x.dtype.type(high))


@operation(
    _hardtanh,
    prepare=promoted("hardtanh", bools=False),
    activation=True,
    twin=lambda torch, x, low, high: torch.nn.functional.hardtanh(x, low, high),
    steepest=1.0,
)
def hardtanh(
    input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """``x`` cut off at ``min_val`` and ``max_val``, elementwise; the derivative there is 0.

    Raises
    ------
    ValueError
        If ``min_val`` is greater than ``max_val``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.hardtanh(tg.tensor([-3.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if inplace:
        return change("hardtanh_", hardtanh, tensor_of("hardtanh", input), min_val, max_val)
    min_val = number_of("hardtanh", "min_val", min_val)
    max_val = number_of("hardtanh", "max_val", max_val)
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val {min_val} is greater than max_val {max_val}")
    x = tensor_of("hardtanh", input)
    if x.array.dtype.kind == "u" and int(min_val) < 0:
        raise RuntimeError(f"hardtanh: {x.array.dtype} has no {min_val}; convert the tensor first")
    return hardtanh.apply(x, low=min_val, high=max_val)


hardtanh.vjp(
    "x",
    lambda g, x, low, high: np.where(x <= low, 0, np.where(x >= high, 0, g)),
    formula="g where low < x < high",
)


def relu6(input: Any, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6), elementwise; the derivative at 0 and 6 is 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.relu6(tg.tensor([-1.0, 3.0, 9.0]))
    tensor([0., 3., 6.])
    """
    return hardtanh(input, 0.0, 6.0, inplace)


@operation(
    silent(lambda x, *, slope: np.where(x > 0, x, x * slope)),
    **_of_floats("leaky_relu", lambda torch, x, slope: torch.nn.functional.leaky_relu(x, slope)),
    steepest=lambda slope: max(1.0, abs(slope)),
)
def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """``x`` for x > 0, else ``negative_slope`` · x, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.leaky_relu(tg.tensor([-1.0, 2.0]))
    tensor([-0.0100,  2.0000])
    """
    if inplace:
        return change("leaky_relu_", leaky_relu, tensor_of("leaky_relu", input), negative_slope)
    negative_slope = number_of("leaky_relu", "negative_slope", negative_slope)
    return leaky_relu.apply(tensor_of("leaky_relu", input), slope=negative_slope)


leaky_relu.vjp(
    "x", lambda g, x, slope: np.where(x > 0, g, g * slope), formula="g where x > 0, else slope·g"
)


@operation(
    lambda x, weight: np.where(x > 0, x, x * weight),
    "x weight",
    prepare=floats("prelu"),
    node="PreluKernelBackward0",
    twin=lambda torch, x, weight: torch.where(x > 0, x, x * weight),
    activation=True,
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


@operation(
    silent(lambda x: np.minimum(np.maximum(x + 3, 0), 6) / 6),
    **_of_floats("hardsigmoid", _sixth_of_relu6),
    analytic=False,
)
def hardsigmoid(input: Any, inplace: bool = False) -> Tensor:
    """min(max(x + 3, 0), 6) / 6, elementwise: a sigmoid of straight lines.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.hardsigmoid(tg.tensor([-4.0, 0.0, 4.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    if inplace:
        return change("hardsigmoid_", hardsigmoid, tensor_of("hardsigmoid", input))
    return hardsigmoid.apply(tensor_of("hardsigmoid", input))


hardsigmoid.vjp(
    "x", lambda g, x: np.where((x > -3) & (x < 3), g / 6, 0), formula="g / 6 where −3 < x < 3"
)


@operation(
    silent(lambda x: x * np.minimum(np.maximum(x + 3, 0), 6) / 6),
    **_of_floats("hardswish"),
    analytic=False,
)
def hardswish(input: Any, inplace: bool = False) -> Tensor:
    """``x · hardsigmoid(x)``, elementwise: https://arxiv.org/abs/1905.02244.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.hardswish(tg.tensor([-1.5, 1.5, 4.0]))
    tensor([-0.3750,  1.1250,  4.0000])
    """
    if inplace:
        return change("hardswish_", hardswish, tensor_of("hardswish", input))
    return hardswish.apply(tensor_of("hardswish", input))


hardswish.vjp(
    "x",
    lambda g, x: np.where(x <= -3, 0, np.where(x >= 3, g, g * (x / 3 + 0.5))),
    formula="g where x ≥ 3, 0 where x ≤ −3, else g ⊙ (x/3 + 1/2)",
)


# -- made of exponentials --


def _elu(x: Any, *, alpha: float, scale: float) -> Any:
    return np.where(x > 0, x * scale, np.expm1(np.minimum(x, 0)) * (alpha * scale))


def _elu_slope(g: Any, x: Any, alpha: float, scale: float) -> Any:
    e = np.exp(np.where(x >= 0, 0, x))  # NaN stays NaN
    return np.where(x > 0, g * scale, g * e * (alpha * scale))


@operation(
    silent(_elu),
    **_of_floats("elu", lambda torch, x, alpha, scale: torch.nn.functional.elu(x, alpha) * scale),
    steepest=lambda alpha, scale: max(1.0, abs(alpha)) * scale,
)
def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` for x > 0, else α · (eˣ − 1), elementwise: https://arxiv.org/abs/1511.07289.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.elu(tg.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    if inplace:
        return change("elu_", elu, tensor_of("elu", input), alpha)
    alpha = number_of("elu", "alpha", alpha)
    return elu.apply(tensor_of("elu", input), alpha=alpha, scale=1.0)


elu.vjp("x", _elu_slope, formula="scale·g where x > 0, else scale·alpha·g ⊙ exp(x)")


def selu(input: Any, inplace: bool = False) -> Tensor:
    """s·x for x > 0, else s·α·(eˣ − 1), elementwise, with s = 1.0507… and α = 1.6733….

    The constants keep mean 0 and variance 1 from layer to layer: https://arxiv.org/abs/1706.02515.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.selu(tg.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    if inplace:
        return change("selu_", selu, tensor_of("selu", input))
    return elu.apply(tensor_of("selu", input), alpha=_SELU_ALPHA, scale=_SELU_SCALE)


_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


@operation(
    silent(lambda x, *, alpha: np.where(x > 0, x, np.expm1(np.minimum(x, 0) / alpha) * alpha)),
    **_of_floats("celu"),
)
def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` for x > 0, else α · (exp(x/α) − 1), elementwise: https://arxiv.org/abs/1704.07483.

    Unlike `elu` it has no kink at 0, whatever α.

    Raises
    ------
    RuntimeError
        If ``alpha`` is 0, or the input is not floating-point.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.celu(tg.tensor([-1.0, 2.0]), alpha=2.0)
    tensor([-0.7869,  2.0000])
    """
    if inplace:
        return change("celu_", celu, tensor_of("celu", input), alpha)
    alpha = number_of("celu", "alpha", alpha)
    if not alpha:
        raise RuntimeError("celu: ZeroDivisionError: alpha must not be 0")
    return celu.apply(tensor_of("celu", input), alpha=alpha)


celu.vjp(
    "x",
    lambda g, x, alpha: np.where(x > 0, g, g * np.exp(np.where(x > 0, 0, x) / alpha)),
    formula="g where x > 0, else g ⊙ exp(x / alpha)",
)


def log1pexp(x: Any) -> Any:
    """ln(1 + eˣ), without overflow (`np.logaddexp` would take seven times as long)."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _softplus(x: Any, *, beta: float, threshold: float) -> Any:
    z = x * beta
    return np.where(z > threshold, x, log1pexp(z) / beta)


@operation(silent(_softplus), **_of_floats("softplus"), analytic=False)
def softplus(input: Any, beta: float = 1, threshold: float = 20) -> Tensor:
    """ln(1 + exp(β x)) / β, elementwise: a smooth ReLU; x itself where β x > ``threshold``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.softplus(tg.tensor([-1.0, 0.0, 10000.0]))
    tensor([3.1326e-01, 6.9315e-01, 1.0000e+04])
    """
    beta = number_of("softplus", "beta", beta)
    threshold = number_of("softplus", "threshold", threshold)
    x = tensor_of("softplus", input)
    return softplus.apply(x, beta=beta, threshold=threshold)


softplus.vjp(
    "x",
    lambda g, x, beta, threshold: np.where(x * beta > threshold, g, g * _sigma(x * beta)),
    formula="g ⊙ σ(beta·x)",
)


@operation(
    silent(in_c_order(lambda x: -log1pexp(-x))),
    **_of_floats("logsigmoid"),
    analytic=lambda z: -np.log1p(np.exp(-z)),
    node="LogSigmoidBackward0",
)
def logsigmoid(input: Any) -> Tensor:
    """``ln σ(x)``, elementwise, exact also where σ(x) rounds to 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.logsigmoid(tg.tensor([-10000.0, 0.0]))
    tensor([-1.0000e+04, -6.9315e-01])
    """
    return logsigmoid.apply(tensor_of("logsigmoid", input))


logsigmoid.vjp("x", lambda g, x: g * _sigma(-x), formula="g ⊙ σ(−x)")


def _over_square(g: Any, d: Any) -> Any:
    return g / d / d  # d² may overflow


@operation(
    lambda x: x / (1 + np.abs(x)),
    prepare=promoted("softsign", to_float=True, bools=False),
    twin="nn.functional.softsign",
    activation=True,
    analytic=lambda z: z / (1 + np.where(z.real < 0, -z, z)),
    steepest=1.0,
    node="DivBackward0",
)
def softsign(input: Any) -> Tensor:
    """``x / (1 + |x|)``, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.softsign(tg.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """
    return softsign.apply(tensor_of("softsign", input))


softsign.vjp("x", lambda g, x: _over_square(g, 1 + np.abs(x)), formula="g / (1 + |x|)²")


def _silu_slope(g: Any, x: Any) -> Any:
    s = _sigma(x)
    return g * (s + x * (s - s * s))


@operation(
    silent(lambda x: x * _sigmoid(x)),
    **_of_floats("silu"),
    analytic=lambda z: z * _continued_sigmoid(z),
)
def silu(input: Any, inplace: bool = False) -> Tensor:
    """``x · σ(x)``, elementwise, also called swish.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.silu(tg.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """
    if inplace:
        return change("silu_", silu, tensor_of("silu", input))
    return silu.apply(tensor_of("silu", input))


silu.vjp("x", _silu_slope, formula="g ⊙ (σ + x ⊙ σ ⊙ (1 − σ))")


_softplus_in_rules = in_rules(softplus)


def _mish_slope(g: Any, x: Any) -> Any:
    t = np.tanh(_softplus_in_rules(x, beta=1, threshold=math.inf))
    return g * (t + x * _sigma(x) * (1 - t * t))


@operation(silent(lambda x: x * np.tanh(log1pexp(x))), **_of_floats("mish"), analytic=False)
def mish(input: Any, inplace: bool = False) -> Tensor:
    """``x · tanh(softplus(x))``, elementwise: https://arxiv.org/abs/1908.08681.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.mish(tg.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """
    if inplace:
        return change("mish_", mish, tensor_of("mish", input))
    return mish.apply(tensor_of("mish", input))


mish.vjp("x", _mish_slope, formula="g ⊙ (t + x ⊙ σ ⊙ (1 − t²)), t = tanh softplus x")


_erf = in_rules(erf)


def _normal_cdf(x: Any) -> Any:
    return (_erf(x * math.sqrt(0.5)) + 1) * 0.5


@operation(silent(wide(lambda x: x * _normal_cdf(x))), **_of_floats("gelu"), analytic=False)
def gelu(input: Any, *, approximate: str = "none") -> Tensor:
    """``x · Φ(x)``, elementwise, where Φ is the standard normal distribution function.

    ``approximate="tanh"`` takes Φ(x) for (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2.
    https://arxiv.org/abs/1606.08415

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.gelu(tg.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """
    x = tensor_of("gelu", input)
    if approximate == "none":
        return gelu.apply(x)
    if approximate == "tanh":
        return gelu_tanh.apply(x)
    raise RuntimeError(f"gelu: approximate must be 'none' or 'tanh', not {approximate!r}")


gelu.vjp(
    "x",
    wide(
        lambda g, x: g * (_normal_cdf(x) + x * np.exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi)))
    ),
    formula="g ⊙ (Φ(x) + x ⊙ φ(x))",
)


# https://arxiv.org/abs/1606.08415: Φ(x) is about (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2
_C, _K = 0.044715, math.sqrt(2 / math.pi)


def _gelu_tanh_slope(g: Any, x: Any) -> Any:
    t = np.tanh((x + x * x * x * _C) * _K)
    return g * ((1 + t) + x * (1 - t * t) * (1 + x * x * (3 * _C)) * _K) * 0.5


gelu_tanh = primitive(
    "gelu_tanh",
    silent(wide(lambda x: x * ((1 + np.tanh((x + x * x * x * _C) * _K)) * 0.5))),
    prepare=floats("gelu_tanh"),
    twin=lambda torch, x: torch.nn.functional.gelu(x, approximate="tanh"),
    activation=True,
)
gelu_tanh.vjp(
    "x", wide(_gelu_tanh_slope), formula="g ⊙ (1 + t + x ⊙ (1 − t²) ⊙ u′) / 2, t = tanh u"
)

# -- along an axis: `axis` is a tuple, empty for 0-d tensors --


def _softmax(x: Any, *, axis: tuple[int, ...]) -> Any:
    e = np.exp(x - np.max(x, axis=axis, keepdims=True, initial=-math.inf))
    return e / np.sum(e, axis=axis, keepdims=True)


def _log_softmax(x: Any, *, axis: tuple[int, ...]) -> Any:
    z = x - np.max(x, axis=axis, keepdims=True, initial=-math.inf)
    return z - np.log(np.sum(np.exp(z), axis=axis, keepdims=True))


@operation(
    silent(in_c_order(wide(_softmax))),
    prepare=floats("softmax"),
    twin=twins.along_one("softmax"),
    activation=True,
    makes="probabilities",
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
    activation=True,
    makes="log-probabilities",
    expects="logits",
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


def _along(
    name: str, made: Operation[..., Tensor], input: Any, dim: int, dtype: DTypeLike
) -> Tensor:
    x = tensor_of(name, input)
    if dtype is not None:
        x = to_dtype(x, as_dtype(dtype))
    d = dim_of(name, dim, x.array.ndim)
    return made.apply(x, axis=(d,) if x.array.ndim else ())
