"""Putting tensors together and taking them apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_rnn.functions.arguments import dim_of, several, tensor_of
from tinygrad_rnn.ops import indexing, shape


def cat(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Tensors put together along an existing axis.

    Raises
    ------
    ValueError
        If there are none.
    RuntimeError
        If their other sizes differ.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.cat([tg.tensor([1.0, 2.0]), tg.tensor([3.0])])
    tensor([1., 2., 3.])
    """
    xs = several("cat", tensors)
    if any(x.array.ndim != 1 for x in xs):  # PyTorch skips empty vectors beside matrices
        xs = [x for x in xs if x.array.shape != (0,)]
    return shape.cat.general(*xs, dim=dim_of("cat", dim, xs[0].array.ndim))


def stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Tensors of one shape put together along a new axis.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.stack([tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0])], dim=1)
    tensor([[1., 3.],
            [2., 4.]])
    """
    xs = several("stack", tensors)
    return shape.stack.general(*xs, dim=dim_of("stack", dim, xs[0].array.ndim + 1))


def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """The slices of a tensor along ``dim``, without that axis: x₁ … x_T of a sequence.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.unbind(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    (tensor([1., 2.]), tensor([3., 4.]))
    """
    x = tensor_of("unbind", input)
    if x.array.ndim == 0:
        raise IndexError("unbind: a 0-d tensor has no axis to take apart")
    before = (slice(None),) * dim_of("unbind", dim, x.array.ndim)
    n = x.array.shape[len(before)]
    return tuple(indexing.getitem.apply(x, index=(*before, i)) for i in range(n))


def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most ``chunks`` equal parts along ``dim``, the last smaller: the gates of a cell.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.chunk(tg.tensor([1.0, 2.0, 3.0, 4.0, 5.0]), 2)
    (tensor([1., 2., 3.]), tensor([4., 5.]))
    """
    x = tensor_of("chunk", input)
    if x.array.ndim == 0:
        raise RuntimeError("chunk: a 0-d tensor has no axis to take apart")
    if chunks < 1:
        raise RuntimeError(f"chunk: expected at least 1 chunk, got {chunks}")
    dim = dim_of("chunk", dim, x.array.ndim)
    size = x.array.shape[dim]
    step = -(-size // chunks)
    starts = range(0, size, step) if size else [0] * chunks
    spans = [(dim, i, min(i + step, size)) for i in starts]
    return tuple(indexing.narrow.apply(x, index=indexing.slices(*s), span=s) for s in spans)
