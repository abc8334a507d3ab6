"""Initial values of parameters, with PyTorch's names and, for the same seed, its numbers.

All of them change the tensor in place, unseen by the graph, and return it. Those that draw random
numbers take a `tinygrad_rnn.Generator` by the name ``generator``.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

import numpy as np

from tinygrad_rnn.autograd.contexts import no_grad
from tinygrad_rnn.tensor import Tensor, wrap
from tinygrad_rnn.tensor.generator import source_of
from tinygrad_rnn.tensor.random import randperm

Given = ParamSpec("Given")

__all__ = [
    "calculate_gain",
    "constant",
    "constant_",
    "eye",
    "eye_",
    "kaiming_normal",
    "kaiming_normal_",
    "kaiming_uniform",
    "kaiming_uniform_",
    "normal",
    "normal_",
    "ones_",
    "orthogonal",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform",
    "uniform_",
    "xavier_normal",
    "xavier_normal_",
    "xavier_uniform",
    "xavier_uniform_",
    "zeros_",
]


def __dir__() -> list[str]:
    return __all__


_GAINS = {"tanh": 5 / 3, "relu": math.sqrt(2.0), "selu": 3 / 4} | dict.fromkeys(
    ("linear", "sigmoid", *(f"conv{way}{n}d" for way in ("", "_transpose") for n in (1, 2, 3))), 1
)


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much a nonlinearity shrinks its inputs, to be made up for by larger weights.

    Parameters
    ----------
    nonlinearity : str
        "linear", "sigmoid", "tanh", "relu", "leaky_relu" or "selu".
    param : float, optional
        The slope of "leaky_relu" for negative numbers, by default 0.01.

    Raises
    ------
    ValueError
        If there is no gain for the nonlinearity, or ``param`` is not a number.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.init.calculate_gain("tanh")
    1.6666666666666667
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, int | float):
            raise ValueError(f"calculate_gain: the slope must be a number, got {slope!r:.60}")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        known = ", ".join([*_GAINS, "leaky_relu"])
        raise ValueError(f"calculate_gain: {nonlinearity!r} is not one of {known}")
    return _GAINS[nonlinearity]


# -- the same for all shapes -------------------------------------------------------------------


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform random numbers from [a, b).

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.init.uniform_(tg.empty(2), -1, 1)
    tensor([-0.0075,  0.5364])
    """
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Normally distributed random numbers.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.init.normal_(tg.empty(2), std=0.1)
    tensor([ 0.1541, -0.0293])
    """
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Any = None,
) -> Tensor:
    """Normally distributed random numbers, those outside [a, b] drawn again.

    Warns
    -----
    UserWarning
        If the mean is more than two standard deviations outside [a, b].

    Notes
    -----
    Where [a, b] holds 0.3 of the distribution or less, numbers are drawn uniformly from there
    instead, and drawn again with a probability that depends on their density.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.init.trunc_normal_(tg.empty(3))
    tensor([ 1.5410, -0.2934, -1.3986])
    """
    if not a - 2 * std <= mean <= b + 2 * std:
        warnings.warn(
            f"trunc_normal_: the mean {mean} is more than 2 standard deviations of {std} outside "
            f"[{a}, {b}]; the distribution may be incorrect",
            stacklevel=2,
        )
    source, like, kind = source_of("trunc_normal_", generator), tensor.array, tensor.dtype
    low, high = kind.type(a), kind.type(b)
    likely = _normal_cdf((b - mean) / std) - _normal_cdf((a - mean) / std) > 0.3
    peak = ((max(a, min(mean, b)) - mean) / std) ** 2
    values, pending = np.zeros(like.shape, kind), np.ones(like.shape, np.bool_)
    while pending.any():
        if likely:
            drawn = source.normal(like, mean, std)
            refused = (drawn < low) | (drawn > high)
        else:
            drawn = source.uniform(like, a, b)
            with np.errstate(divide="ignore"):
                refused = np.log(source.uniform(like)) > (((drawn - mean) / std) ** 2 - peak) / -2
        values, like = np.where(pending, drawn, values), drawn
        pending &= refused
    with no_grad():
        return tensor.copy_(wrap(values, None))


def _normal_cdf(x: float) -> float:
    return (1 + math.erf(x / math.sqrt(2))) / 2


def constant_(tensor: Tensor, val: float) -> Tensor:
    """One number for all elements.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.init.constant_(tg.empty(2), 0.5)
    tensor([0.5000, 0.5000])
    """
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Ones."""
    return constant_(tensor, 1)


def zeros_(tensor: Tensor) -> Tensor:
    """Zeros."""
    return constant_(tensor, 0)


# -- of weights, by their shapes ---------------------------------------------------------------


def eye_(tensor: Tensor) -> Tensor:
    """Ones on the diagonal of a matrix, zeros elsewhere: a layer that passes its input on.

    Raises
    ------
    ValueError
        If it is not a matrix.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.init.eye_(tg.empty(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    if tensor.ndim != 2:
        raise ValueError(f"eye_: expected a matrix, got shape {tensor.array.shape}")
    with no_grad():
        return tensor.copy_(wrap(np.eye(*tensor.shape, dtype=tensor.dtype), None))


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """U(−a, a) with a = gain · √(6 / (fan_in + fan_out)), after Glorot and Bengio (2010).

    https://proceedings.mlr.press/v9/glorot10a.html

    Raises
    ------
    ValueError
        If the tensor has fewer than two dimensions.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.init.xavier_uniform_(tg.empty(1, 2))
    tensor([[-0.0106,  0.7586]])
    """
    bound = math.sqrt(3.0) * _xavier_std("xavier_uniform_", tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """N(0, std²) with std = gain · √(2 / (fan_in + fan_out)), after Glorot and Bengio (2010).

    https://proceedings.mlr.press/v9/glorot10a.html

    Raises
    ------
    ValueError
        If the tensor has fewer than two dimensions.
    """
    return normal_(tensor, 0.0, _xavier_std("xavier_normal_", tensor, gain), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """U(−b, b) with b = gain · √(3 / fan), after He et al. (2015).

    https://arxiv.org/abs/1502.01852

    Parameters
    ----------
    tensor : Tensor of shape (fan_out, fan_in) or (fan_out, fan_in, ...)
    a : float
        The slope of "leaky_relu" for negative numbers.
    mode : "fan_in" or "fan_out"
        Whether the variance is kept on the way forward or on the way back.
    nonlinearity : str
        What comes after the weights; see `calculate_gain`.

    Raises
    ------
    ValueError
        If the tensor has fewer than two dimensions, or the mode or nonlinearity is unknown.

    Warns
    -----
    UserWarning
        If the tensor has no elements: nothing happens.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.init.kaiming_uniform_(tg.empty(1, 2), nonlinearity="relu")
    tensor([[-0.0130,  0.9291]])
    """
    if not _has_elements("kaiming_uniform_", tensor):
        return tensor
    std = _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """N(0, std²) with std = gain / √fan; see `kaiming_uniform_`."""
    if not _has_elements("kaiming_normal_", tensor):
        return tensor
    std = _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity)
    return normal_(tensor, 0.0, std, generator)


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Normally distributed numbers, of which a part of each column is 0.

    After Martens (2010), who trained recurrent nets from there.

    Parameters
    ----------
    tensor : matrix
    sparsity : float
        The part of each column to set to 0.
    std : float

    Raises
    ------
    ValueError
        If it is no matrix.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.nn.init.sparse_(tg.empty(4, 3), sparsity=0.5)
    >>> (w == 0).sum(0)
    tensor([2, 2, 2])
    """
    if tensor.ndim != 2:
        raise ValueError(f"sparse_: expected a matrix, got shape {tensor.array.shape}")
    rows, columns = tensor.shape
    with no_grad():
        normal_(tensor, 0, std, generator)
        for column in range(columns):
            gone = randperm(rows)[: math.ceil(sparsity * rows)]
            tensor[gone, column] = 0
    return tensor


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """A random orthogonal matrix: its rows, or its columns if they are fewer, are orthonormal.

    Dimensions after the first count as one. After Saxe et al. (2013), who found that deep linear
    nets, of which an RNN unrolled in time is one, learn fast from there.
    https://arxiv.org/abs/1312.6120

    Raises
    ------
    ValueError
        If the tensor has fewer than two dimensions.
    RuntimeError
        If it is float16, for which there is no QR decomposition.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.nn.init.orthogonal_(tg.empty(3, 3))
    >>> tg.allclose(w @ w.T, tg.eye(3), atol=1e-6)
    True
    """
    if tensor.ndim < 2:
        raise ValueError(
            f"orthogonal_: expected two or more dimensions, got shape {tensor.array.shape}"
        )
    if not tensor.numel():
        return tensor
    flat = np.empty((len(tensor), tensor.numel() // len(tensor)), tensor.dtype)
    drawn = source_of("orthogonal_", generator).normal(flat)
    if tensor.dtype == np.float16:
        raise RuntimeError("orthogonal_: not defined for float16; fill a float32 tensor, cast it")
    wide = flat.shape[0] < flat.shape[1]
    q, r = np.linalg.qr(drawn.T if wide else drawn)
    q = q * np.sign(np.diagonal(r))  # unique, and so uniform among all orthogonal matrices
    values = ((q.T if wide else q) * gain).astype(tensor.dtype)
    with no_grad():
        return tensor.copy_(wrap(values.reshape(tensor.shape), None))


def _fans(name: str, tensor: Tensor) -> tuple[int, int]:
    """How many inputs each output has, and how many outputs each input has."""
    if tensor.ndim < 2:
        raise ValueError(
            f"{name}: fan in and fan out are defined for weights of two or more dimensions, not "
            f"for shape {tensor.array.shape}"
        )
    outputs, inputs, *rest = tensor.shape
    return inputs * math.prod(rest), outputs * math.prod(rest)


def _xavier_std(name: str, tensor: Tensor, gain: float) -> float:
    return gain * math.sqrt(2.0 / sum(_fans(name, tensor)))


def _kaiming_std(name: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    modes = ("fan_in", "fan_out")
    if mode.lower() not in modes:
        raise ValueError(f"{name}: mode must be 'fan_in' or 'fan_out', not {mode!r}")
    fan = _fans(name, tensor)[modes.index(mode.lower())]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def _has_elements(name: str, tensor: Tensor) -> bool:
    if not tensor.numel():
        warnings.warn(f"{name}: the tensor has no elements to set", stacklevel=3)
    return bool(tensor.numel())


def _deprecated(function: Callable[Given, Tensor]) -> Callable[Given, Tensor]:
    """The older name of a function, which warns."""
    name = function.__name__.removesuffix("_")

    @wraps(function)
    def older(*arguments: Given.args, **options: Given.kwargs) -> Tensor:
        warnings.warn(f"nn.init.{name} is deprecated; use {name}_", FutureWarning, stacklevel=2)
        return function(*arguments, **options)

    older.__name__ = older.__qualname__ = name
    older.__doc__ = f"The older name of `{name}_`."
    return older


uniform = _deprecated(uniform_)
normal = _deprecated(normal_)
constant = _deprecated(constant_)
eye = _deprecated(eye_)
xavier_uniform = _deprecated(xavier_uniform_)
xavier_normal = _deprecated(xavier_normal_)
kaiming_uniform = _deprecated(kaiming_uniform_)
kaiming_normal = _deprecated(kaiming_normal_)
orthogonal = _deprecated(orthogonal_)
