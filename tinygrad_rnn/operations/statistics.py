"""Covariances, counts in bins, and areas under curves."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.errors import within_memory
from tinygrad_rnn.operations.arguments import (
    check_no_bools,
    dim_of,
    integer_of,
    number_of,
    raw,
    tensor_of,
)
from tinygrad_rnn.operations.arithmetic import div, mul, sub
from tinygrad_rnn.operations.dtypes import get_default_dtype
from tinygrad_rnn.operations.elementwise import clamp, sqrt
from tinygrad_rnn.operations.indexing import getitem
from tinygrad_rnn.operations.linalg import matmul
from tinygrad_rnn.operations.promotion import to_dtype
from tinygrad_rnn.operations.reduction import cumsum, mean, sum
from tinygrad_rnn.operations.shape import diagonal, reshape, squeeze, transpose, unsqueeze

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

# -- covariances ---------------------------------------------------------------------------------


def cov(input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Tensor:
    """How much variables, the rows, vary together: a matrix of covariances.

    Parameters
    ----------
    input : Tensor of shape (variables, observations) or (observations,)
    correction : int
        What is taken from the number of observations; 1 makes the estimate unbiased.
    fweights : Tensor of integers, of shape (observations,), optional
        How often each of them was made.
    aweights : Tensor of floats, of shape (observations,), optional
        How much each of them counts.

    Raises
    ------
    RuntimeError
        If a shape or type does not fit, or a weight is negative.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.cov(tg.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    x = tensor_of("cov", input)
    if x.array.ndim > 2 or x.array.dtype.kind == "b":
        raise RuntimeError(
            f"cov: expected at most two axes of numbers, got {x.array.dtype} of {x.array.shape}"
        )
    rows = reshape(x, (1, -1)) if x.array.ndim < 2 else x
    if rows.array.dtype.kind != "f":
        rows = to_dtype(rows, get_default_dtype())
    n, taken = rows.array.shape[1], integer_of("cov", "correction", correction)
    often = _weights("fweights", fweights, n, "iu")
    counted = _weights("aweights", aweights, n, "f")
    weights = _both(often, counted, rows.array.dtype)
    total = n if weights is None else sum(weights)
    apart = sub(rows, _mean(rows, weights, total))
    scaled = apart if weights is None else mul(apart, weights)
    left = _left(total, weights, counted, taken)
    if raw(left) <= 0:
        warnings.warn("cov: not more observations than correction", stacklevel=2)
    together = matmul(scaled, transpose(apart, 0, 1)) / left
    return squeeze(together)


def _mean(rows: Any, weights: Any, total: Any) -> Any:
    if weights is None:
        return mean(rows, 1, True)
    return div(sum(mul(rows, weights), 1, True), total)


def _left(total: Any, weights: Any, counted: Any, taken: int) -> Any:
    """What covariances are divided by: not less than 0."""
    if weights is None:
        return max(total - taken, 0)
    if counted is None or not taken:
        return clamp(sub(total, taken), 0)
    share = div(sum(mul(weights, counted)), total)
    return clamp(sub(total, mul(share, taken)), 0)


def _both(often: Any, counted: Any, dtype: Any) -> Any:
    if often is not None and counted is not None:
        return mul(to_dtype(often, dtype), counted)
    return to_dtype(often, dtype) if often is not None else counted


def _weights(what: str, given: Any, n: int, kinds: str) -> Any:
    if given is None:
        return None
    w = tensor_of("cov", given)
    if w.array.ndim > 1 or w.array.size != n or w.array.dtype.kind not in kinds:
        raise RuntimeError(
            f"cov: {what} must have one element for each of {n} observations, got {w.array.dtype} "
            f"of shape {w.array.shape}"
        )
    if (w.array < 0).any():
        raise RuntimeError(f"cov: {what} must not be negative")
    return w


def corrcoef(input: Any) -> Tensor:
    """How much variables, the rows, vary together, from −1 to 1: Pearson's correlation.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.corrcoef(tg.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    x = tensor_of("corrcoef", input)
    if x.array.ndim > 2:
        raise RuntimeError(f"corrcoef: expected at most two axes, got shape {x.array.shape}")
    together = cov(x)
    if not together.array.ndim:
        return div(together, together)
    spread = sqrt(diagonal(together))
    return clamp(div(div(together, unsqueeze(spread, 1)), unsqueeze(spread, 0)), -1, 1)


# -- bins ----------------------------------------------------------------------------------------


@within_memory
def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements lie in each of as many equal bins, as floats.

    Parameters
    ----------
    input : Tensor, floating-point
    bins : int
    min, max : float
        Where bins begin and end; if equal, the smallest and the largest element. What lies beyond
        does not count.

    Raises
    ------
    RuntimeError
        If there are no bins between these.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.histc(tg.tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3)
    tensor([0., 2., 1., 0.])
    """
    x, n = tensor_of("histc", input).array, integer_of("histc", "bins", bins)
    low, high = number_of("histc", "min", min), number_of("histc", "max", max)
    if x.dtype.kind != "f":
        raise RuntimeError(f"histc: only of floating-point tensors, not of {x.dtype}")
    if n < 1:
        raise RuntimeError(f"histc: bins must be positive, got {bins}")
    if low == high and x.size:
        low, high = float(x.min()), float(x.max())
    if low == high:
        low, high = low - 1, high + 1
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise RuntimeError(f"histc: there are no bins between {low} and {high}")
    start, end = x.dtype.type(low), x.dtype.type(high)  # rounded as PyTorch rounds
    inside = x[(x >= start) & (x <= end)]
    at = np.minimum(((inside - start) / (end - start) * n).astype(np.int64), n - 1)
    return graph.make_tensor(np.bincount(at, minlength=n).astype(x.dtype), None)


# -- areas ---------------------------------------------------------------------------------------


def trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The area under straight lines between points, along ``dim``.

    Parameters
    ----------
    y : Tensor
        Heights.
    x : Tensor, optional
        Where they are: of the shape of ``y``, or a vector, or one that broadcasts.
    dx : number, optional
        How far apart they are instead; 1 if absent.
    dim : int

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.trapezoid(tg.tensor([1.0, 5.0, 10.0]))
    tensor(10.5000)
    """
    heights, d = _heights("trapezoid", y, dim)
    if not heights.array.shape[d]:  # no points, no area
        shape = heights.array.shape
        return graph.make_tensor(np.zeros(shape[:d] + shape[d + 1 :], heights.array.dtype), None)
    return div(sum(_areas("trapezoid", heights, x, dx, d), d), 2.0)


def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The areas so far: see `trapezoid`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.cumulative_trapezoid(tg.tensor([1.0, 5.0, 10.0]))
    tensor([ 3.0000, 10.5000])
    """
    heights, d = _heights("cumulative_trapezoid", y, dim)
    if x is None:
        step = 1.0 if dx is None else float(number_of("cumulative_trapezoid", "dx", dx))
        return cumsum(_areas("cumulative_trapezoid", heights, None, step / 2, d), d)
    return div(cumsum(_areas("cumulative_trapezoid", heights, x, dx, d), d), 2.0)


trapz = trapezoid


def _heights(name: str, y: Any, dim: Any) -> tuple[Any, int]:
    heights = tensor_of(name, y)
    d = dim_of(name, dim, heights.array.ndim)
    if not heights.array.ndim:
        raise IndexError(f"{name}: a 0-d tensor has no neighbours")
    return heights, d


def _areas(name: str, heights: Any, x: Any, dx: Any, dim: int) -> Any:
    """Twice the areas between neighbours."""
    if x is not None and dx is not None:
        raise TypeError(f"{name}: x and dx say the same: give one of them")
    check_no_bools(name, heights)
    sums = _later(heights, dim) + _earlier(heights, dim)
    if x is None:
        return mul(sums, 1.0 if dx is None else float(number_of(name, "dx", dx)))
    at, axes = tensor_of(name, x), heights.array.ndim
    check_no_bools(name, at)
    if at.array.ndim == 1:
        if len(at.array) != heights.array.shape[dim]:
            raise RuntimeError(
                f"{name}: {len(at.array)} places of {heights.array.shape[dim]} heights"
            )
        at = reshape(at, (1,) * dim + (-1,) + (1,) * (axes - dim - 1))
    elif at.array.ndim < axes:
        at = reshape(at, (1,) * (axes - at.array.ndim) + at.array.shape)
    return mul(sums, sub(_later(at, dim), _earlier(at, dim)))


def _later(x: Any, dim: int) -> Any:
    return getitem(x, (*(slice(None),) * dim, slice(1, None)))


def _earlier(x: Any, dim: int) -> Any:
    return getitem(x, (*(slice(None),) * dim, slice(None, -1)))
