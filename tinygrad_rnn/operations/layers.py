"""What layers are made of, besides products of matrices and nonlinearities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.engine.errors import within_memory
from tinygrad_rnn.engine.memory import mark_changed
from tinygrad_rnn.engine.sums import Part
from tinygrad_rnn.operations import twins
from tinygrad_rnn.operations.arguments import check_range, indices_of, tensor_of
from tinygrad_rnn.operations.indexing import add_at
from tinygrad_rnn.operations.operation import operation
from tinygrad_rnn.operations.traits import primitive

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

# ``mask``: 0 for what is dropped, 1 / (1 − p) for what is kept
dropout = primitive(
    "dropout", np.multiply, "x mask", twin=lambda torch, x, mask: x * mask, node="MulBackward0"
)
dropout.vjp("x", lambda g, mask: g * mask, formula="g ⊙ mask")


def _embedding_rule(g: Any, index: Any, padding: int | None) -> Any:
    if padding is not None:
        g = np.where((index[0] != padding)[..., None], g, 0)
    return Part(g, index, add_at)


@operation(
    lambda weight, *, index, padding: weight[index], "weight",
    symbol="{weight}[{index}]", twin=twins.embedding,
)  # fmt: skip
@within_memory
def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Rows of a table: ``weight[input]``.

    Parameters
    ----------
    input : Tensor of int64 or int32, of any shape
    weight : Tensor of shape (rows, features)
    padding_idx : int, optional
        A row that receives no gradient; negative ones count from the end.
    max_norm, norm_type : float
        Rows that are looked up and longer than ``max_norm`` are scaled to it, in place.
    scale_grad_by_freq, sparse
        PyTorch's; only their defaults are supported.

    Returns
    -------
    Tensor of shape (*input.shape, features)

    Raises
    ------
    IndexError
        If an index is not that of a row.
    AssertionError
        If ``padding_idx`` is not.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> table = tg.tensor([[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]])
    >>> tg.nn.functional.embedding(tg.tensor([2, 0]), table)
    tensor([[3., 4.],
            [0., 0.]])
    """
    index = indices_of("embedding", "indices", input)
    table = tensor_of("embedding", weight)
    if scale_grad_by_freq or sparse:
        raise NotImplementedError("embedding: scale_grad_by_freq and sparse are not supported")
    if table.ndim != 2:
        raise RuntimeError(f"embedding: the weight must be a matrix, got shape {table.array.shape}")
    rows = len(table.array)
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise AssertionError(f"embedding: padding_idx {padding_idx} is not one of {rows} rows")
    check_range("embedding", index, rows)
    if max_norm is not None:
        _shorten(table.array, np.unique(index), max_norm, norm_type)
    padding = None if padding_idx is None else padding_idx % rows
    return embedding.apply(table, index=(index,), padding=padding)


embedding.vjp("weight", _embedding_rule, formula="g added at the rows looked up, else 0")


def _shorten(table: Any, rows: Any, max_norm: float, norm_type: float) -> None:
    """Scale those of the rows that are longer than ``max_norm``, in place."""
    norms = np.linalg.norm(table[rows], norm_type, axis=1)
    rows, norms = rows[norms > max_norm], norms[norms > max_norm]
    if rows.size:
        table[rows] *= (max_norm / (norms + 1e-7))[:, None].astype(table.dtype)
        mark_changed(table)
