"""Sums, means and the like, over some axes or all."""

from __future__ import annotations

from typing import Any

from tinygrad_rnn.dtypes import DTypeLike, as_dtype, int64
from tinygrad_rnn.functions.arguments import Dims, dims_of, numpy_names, tensor_of
from tinygrad_rnn.ops import promotion, reduction


@numpy_names
def sum(input: Any, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike = None) -> Any:
    """Sum over the axes ``dim`` (default: all); of bools and integers as int64.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.sum(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([4., 6.])
    """
    x = tensor_of("sum", input)
    if dtype is not None:
        x = promotion.to_dtype(x, as_dtype(dtype))
    elif x.array.dtype.kind != "f":
        x = promotion.to_dtype(x, int64)
    return reduction.sum.apply(x, axis=dims_of("sum", dim, x.array.ndim), keepdims=keepdim)


@numpy_names
def mean(input: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """Arithmetic mean over the axes ``dim`` (default: all) of a floating-point tensor.

    Raises
    ------
    RuntimeError
        If ``input`` is not floating-point (as in PyTorch).

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.mean(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=1, keepdim=True)
    tensor([[1.5000],
            [3.5000]])
    """
    x = tensor_of("mean", input)
    if x.array.dtype.kind != "f":
        raise RuntimeError(f"mean: the input must be floating-point, got {x.array.dtype}")
    return reduction.mean.apply(x, axis=dims_of("mean", dim, x.array.ndim), keepdims=keepdim)
