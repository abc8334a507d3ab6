"""Losses that are −ln of a distribution's density, up to a constant."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.operations.arguments import number_of, tensor_of
from tinygrad_rnn.operations.arithmetic import mul, sub
from tinygrad_rnn.operations.dtypes import get_default_dtype
from tinygrad_rnn.operations.elementwise import exp, log, masked_fill, square
from tinygrad_rnn.operations.loss import check_reduction, reduced, reduction_of
from tinygrad_rnn.operations.shape import clone, unsqueeze

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


def gaussian_nll_loss(
    input: Any,
    target: Any,
    var: Any,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """−ln of a normal distribution's density: (ln σ² + (x − t)² / σ²) / 2.

    https://doi.org/10.1109/ICNN.1994.374138 (Nix and Weigend 1994)

    Parameters
    ----------
    input : Tensor
        The means x.
    target : Tensor of the same shape, or one that broadcasts
    var : Tensor or float
        The variances σ²: of the input's shape, or with its last axis missing, or one axis of
        size 1.
    full : bool
        Whether to add the constant ln(2π) / 2.
    eps : float
        What a variance counts as at least; its gradient does not notice.
    reduction : "none", "mean" or "sum"

    Raises
    ------
    ValueError
        If a variance is negative, or their shape or ``reduction`` is something else.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.gaussian_nll_loss(tg.tensor([1.0]), tg.tensor([3.0]), 4.0)
    tensor(1.1931)
    """
    name = "gaussian_nll_loss"
    check_reduction(name, reduction)
    x, t, eps = tensor_of(name, input), tensor_of(name, target), number_of(name, "eps", eps)
    variance = clone(_variances(x, var))
    np.maximum(variance.array, eps, out=variance.array)  # its own, which nobody has seen yet
    losses = 0.5 * (log(variance) + square(sub(x, t)) / variance)
    return reduced(losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction)


def _variances(x: Any, var: Any) -> Any:
    """The variances of a normal distribution as a tensor that broadcasts to its means."""
    name = "gaussian_nll_loss"
    if not isinstance(var, Variable | np.ndarray):
        kind = x.dtype if x.dtype.kind == "f" else get_default_dtype()
        var = np.full(x.shape, number_of(name, "var", var), kind)
    v = tensor_of(name, var)
    if v.dtype.kind != "f":
        raise RuntimeError(f"{name}: variances must be floating-point, not {v.array.dtype}")
    if (v.array < 0).any():
        raise ValueError(f"{name}: a variance is negative, {v.array.min()}; pass exp of something")
    if v.shape == x.shape[:-1] and v.shape != x.shape:
        return unsqueeze(v, -1)
    others = [m for n, m in zip(x.shape, v.shape) if n != m]
    if v.shape != x.shape and (v.ndim != x.ndim or others != [1]):
        raise ValueError(
            f"{name}: variances of shape {v.array.shape} do not fit means of shape {x.array.shape}"
            ": expected the same, without the last axis, or one axis of size 1"
        )
    return v


def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """−ln of a Poisson distribution's probabilities: eˣ − t x, for x the logarithm of the mean.

    Parameters
    ----------
    input : Tensor
        Logarithms of means, or with ``log_input=False`` means x, whose loss is x − t ln(x + ε).
    target : Tensor of the same shape, or one that broadcasts
        Counts.
    log_input : bool
    full : bool
        Whether to add Stirling's approximation of ln t!, t ln t − t + ln(2πt) / 2, where t > 1.
    size_average, reduce
        Deprecated in favour of ``reduction``.
    eps : float
        Keeps the logarithm away from 0.
    reduction : "none", "mean" or "sum"

    Raises
    ------
    ValueError
        If ``reduction`` is something else.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.poisson_nll_loss(tg.tensor([0.0, 1.0]), tg.tensor([2.0, 3.0]))
    tensor(0.3591)
    """
    name = "poisson_nll_loss"
    reduction = reduction_of(name, size_average, reduce, reduction)
    x, t = tensor_of(name, input), tensor_of(name, target)
    if log_input:
        losses = sub(exp(x), mul(t, x))
    else:
        losses = sub(x, mul(t, log(x + number_of(name, "eps", eps))))
    if full:
        stirling = t * log(t) - t + 0.5 * log(2 * math.pi * t)
        losses = losses + masked_fill(stirling, t <= 1, 0)
    return reduced(losses, reduction)
