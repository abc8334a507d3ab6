"""Making tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_rnn.dtypes import DTypeLike, as_dtype, get_default_dtype
from tinygrad_rnn.functions.arguments import sizes_of, tensor_of
from tinygrad_rnn.tensor import Tensor, wrap


def tensor(data: Any, *, dtype: DTypeLike = None, requires_grad: bool = False) -> Tensor:
    """A new leaf with a copy of ``data``.

    Parameters
    ----------
    data : number, nested sequence, NumPy array or Tensor
        Python floats become float32 (`set_default_dtype`), integers int64; arrays keep their
        type.
    dtype : optional
        Type of the elements, where it should be another.
    requires_grad : bool
        Whether operations on it are recorded.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.tensor([[1, 2], [3, 4]], dtype=tg.float64)
    tensor([[1., 2.],
            [3., 4.]], dtype=float64)
    """
    return Tensor(data, dtype, requires_grad)


def from_numpy(array: np.ndarray[Any, Any]) -> Tensor:
    """A tensor that shares the array's memory.

    Raises
    ------
    TypeError
        If it is not a NumPy array of a supported type.
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected a NumPy array, got {type(array).__name__}")
    as_dtype(array.dtype)
    if not array.dtype.isnative:
        raise ValueError("from_numpy: the array has the other byte order; convert it first")
    return wrap(array, None)


def _filled(
    name: str, sizes: tuple[Any, ...], value: Any, dtype: DTypeLike, requires_grad: bool
) -> Tensor:
    shape = sizes_of(name, sizes)
    if any(size < 0 for size in shape):
        raise RuntimeError(f"{name}: sizes must not be negative, got {shape}")
    made = wrap(np.full(shape, value, as_dtype(dtype or get_default_dtype())), None)
    return made.requires_grad_() if requires_grad else made


def zeros(*size: Any, dtype: DTypeLike = None, requires_grad: bool = False) -> Tensor:
    """Zeros of the given sizes.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    return _filled("zeros", size, 0, dtype, requires_grad)


def ones(*size: Any, dtype: DTypeLike = None, requires_grad: bool = False) -> Tensor:
    """Ones of the given sizes.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.ones(3)
    tensor([1., 1., 1.])
    """
    return _filled("ones", size, 1, dtype, requires_grad)


def zeros_like(input: Tensor) -> Tensor:
    """Zeros of the shape and type of ``input``."""
    input = tensor_of("zeros_like", input)
    return wrap(np.zeros(input.shape, input.dtype), None)


def ones_like(input: Tensor) -> Tensor:
    """Ones of the shape and type of ``input``."""
    input = tensor_of("ones_like", input)
    return wrap(np.ones(input.shape, input.dtype), None)
