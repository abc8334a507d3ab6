"""The same elements in another shape or order."""

from __future__ import annotations

from typing import Any

from tinygrad_rnn.functions.arguments import Dims, dim_of, dims_of, sizes_of, tensor_of
from tinygrad_rnn.ops import shape


def reshape(input: Any, *shape_: Any) -> Any:
    """The same elements in another shape; one size may be −1 and is inferred.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.reshape(tg.tensor([1.0, 2.0, 3.0, 4.0]), (2, -1))
    tensor([[1., 2.],
            [3., 4.]])
    """
    sizes = sizes_of("reshape", shape_)
    if any(size < -1 for size in sizes):
        raise RuntimeError(f"reshape: sizes must not be negative (but one −1), got {sizes}")
    return shape.reshape.apply(tensor_of("reshape", input), shape=sizes)


def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """The tensor with two axes exchanged.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.transpose(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), 0, 1)
    tensor([[1., 3.],
            [2., 4.]])
    """
    x = tensor_of("transpose", input)
    dims = list(range(x.array.ndim))
    a, b = (dim_of("transpose", d, x.array.ndim) for d in (dim0, dim1))
    if dims:
        dims[a], dims[b] = dims[b], dims[a]
    return shape.permute.apply(x, dims=tuple(dims))


def permute(input: Any, *dims: Any) -> Any:
    """The tensor with its axes in the order ``dims``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.permute(tg.zeros(2, 3, 5), (2, 0, 1)).shape
    (5, 2, 3)
    """
    x = tensor_of("permute", input)
    order = tuple(dim_of("permute", d, x.array.ndim) for d in sizes_of("permute", dims))
    if sorted(order) != list(range(x.array.ndim)):
        raise RuntimeError(f"permute: dims {dims} is no order of {x.array.ndim} axes")
    return shape.permute.apply(x, dims=order)


def expand(input: Any, *sizes: Any) -> Any:
    """The tensor repeated along axes of size 1, and along new leading ones; −1 keeps a size.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.expand(tg.tensor([[1.0], [2.0]]), 2, 3)
    tensor([[1., 1., 1.],
            [2., 2., 2.]])
    """
    x = tensor_of("expand", input)
    wanted = sizes_of("expand", sizes)
    lead = len(wanted) - x.array.ndim
    full = tuple(x.array.shape[i - lead] if n == -1 and i >= lead else n
                 for i, n in enumerate(wanted))  # fmt: skip
    return shape.expand.apply(x, shape=full)


def squeeze(input: Any, dim: Dims = None) -> Any:
    """The tensor without its axes of size 1 (those named by ``dim``; default: all).

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.squeeze(tg.zeros(1, 3, 1), 0).shape
    (3, 1)
    """
    x = tensor_of("squeeze", input)
    axes = () if dim == () else dims_of("squeeze", dim, x.array.ndim)
    return shape.reshape.apply(
        x, shape=tuple(n for i, n in enumerate(x.array.shape) if n != 1 or i not in axes)
    )


def unsqueeze(input: Any, dim: int) -> Any:
    """The tensor with a new axis of size 1 at ``dim``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.unsqueeze(tg.zeros(2, 3), -1).shape
    (2, 3, 1)
    """
    x = tensor_of("unsqueeze", input)
    at = dim_of("unsqueeze", dim, x.array.ndim + 1)
    return shape.reshape.apply(x, shape=(*x.array.shape[:at], 1, *x.array.shape[at:]))
