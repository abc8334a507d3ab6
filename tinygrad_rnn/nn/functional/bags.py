"""Bags of words: rows of a table, reduced to one for each bag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn import operations
from tinygrad_rnn.operations.arguments import indices_of, tensor_of
from tinygrad_rnn.operations.layers import embedding
from tinygrad_rnn.operations.node_names import made_by
from tinygrad_rnn.tensor import wrap

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

_NAME = "embedding_bag"


def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The sum, the mean or the largest elements of the rows of a table that each bag names.

    Parameters
    ----------
    input : Tensor of int64 or int32, of shape (bags, n), or (n,) with ``offsets``
    weight : Tensor of shape (rows, features)
    offsets : Tensor of integers, of shape (bags,), optional
        Where in a vector each bag begins, the first at 0.
    max_norm, norm_type, scale_grad_by_freq, sparse
        As of `embedding`.
    mode : "mean", "sum" or "max"
    per_sample_weights : Tensor of the input's shape, optional
        What each row counts in a sum.
    include_last_offset : bool
        Whether the last of ``offsets`` is where the last bag ends.
    padding_idx : int, optional
        A row that does not count.

    Returns
    -------
    Tensor of shape (bags, features)
        Zeros for a bag of nothing.

    Raises
    ------
    ValueError, RuntimeError
        If shapes or types do not fit, or an index is not that of a row.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> table = tg.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    >>> tg.nn.functional.embedding_bag(tg.tensor([0, 2, 1]), table, tg.tensor([0, 2]))
    tensor([[2., 3.],
            [2., 3.]])
    """
    table, words = tensor_of(_NAME, weight), tensor_of(_NAME, input)
    factors = _factors(words, mode, per_sample_weights)
    index = indices_of(_NAME, "indices", input)
    bags, count = _bags(index, offsets, include_last_offset)
    index = index.reshape(-1)
    if index.size and not 0 <= index.min() <= index.max() < len(table.array):
        raise RuntimeError(f"{_NAME}: an index is not that of one of {len(table.array)} rows")
    kept = bags >= 0
    if padding_idx is not None:
        kept &= index != padding_idx % len(table.array)
    if not kept.all():
        index, bags = index[kept], bags[kept]
        factors = None if factors is None else operations.getitem(factors, wrap(kept, None))
    rows = embedding(
        wrap(index, None), table, None, max_norm, norm_type, scale_grad_by_freq, sparse
    )
    if factors is not None:
        rows = operations.mul(rows, operations.unsqueeze(factors, 1))
    return made_by("EmbeddingBagBackward0", _reduced(rows, bags, count, mode))


def _reduced(rows: Any, bags: Any, count: int, mode: str) -> Tensor:
    zeros = wrap(np.zeros((count, rows.array.shape[1]), rows.array.dtype), None)
    if mode == "max":
        places = operations.expand(wrap(bags[:, None], None), rows.array.shape)
        return operations.scatter_reduce(zeros, 0, places, rows, "amax", include_self=False)
    total = operations.index_add(zeros, 0, wrap(bags, None), rows)
    if mode == "sum":
        return total
    sizes = np.maximum(np.bincount(bags, minlength=count), 1)[:, None]
    return operations.div(total, wrap(sizes.astype(rows.array.dtype), None))


def _factors(words: Any, mode: str, per_sample_weights: Any) -> Any:
    """What each row counts, as a vector."""
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"{_NAME}: mode must be 'sum', 'mean' or 'max', not {mode!r}")
    if per_sample_weights is None:
        return None
    factors = tensor_of(_NAME, per_sample_weights)
    if factors.array.shape != words.array.shape:
        raise ValueError(
            f"{_NAME}: per_sample_weights of shape {factors.array.shape} are not of the input's "
            f"shape {words.array.shape}"
        )
    if mode != "sum":
        raise NotImplementedError(f"{_NAME}: per_sample_weights go with mode='sum', not {mode!r}")
    return operations.reshape(factors, (-1,))


def _bags(index: Any, offsets: Any, ends: bool) -> tuple[Any, int]:
    """Of each word the bag it is in, −1 if in none, and how many bags there are."""
    if index.ndim == 2:
        if offsets is not None:
            raise ValueError(f"{_NAME}: an input of bags of one size has no offsets")
        return np.repeat(np.arange(len(index)), index.shape[1]), len(index)
    if index.ndim != 1:
        raise ValueError(f"{_NAME}: expected an input of one or two axes, got {index.shape}")
    if offsets is None:
        raise ValueError(f"{_NAME}: an input of one axis needs offsets")
    starts = indices_of(_NAME, "offsets", offsets)
    if starts.ndim != 1:
        raise ValueError(f"{_NAME}: offsets must be a vector, got shape {starts.shape}")
    if starts.size and starts[0]:
        raise RuntimeError(f"{_NAME}: the first bag must begin at 0, not {starts[0]}")
    if (np.diff(starts) < 0).any() or (starts > index.size).any():
        raise RuntimeError(f"{_NAME}: offsets {starts} are not in order, or beyond the input")
    end = index.size
    if ends and starts.size:
        starts, end = starts[:-1], starts[-1]
    bags = np.searchsorted(starts, np.arange(index.size), "right") - 1
    bags[end:] = -1
    return bags.astype(np.int64), len(starts)
