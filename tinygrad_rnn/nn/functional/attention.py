"""Attention: a mean of values, each weighted by how well its key answers a query."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn import operations
from tinygrad_rnn.nn.functional.dropping import dropout
from tinygrad_rnn.nn.functional.variants import softmax
from tinygrad_rnn.operations.arguments import broadcasts, check_flags, number_of, tensor_of
from tinygrad_rnn.operations.dtypes import float32
from tinygrad_rnn.operations.promotion import to_dtype
from tinygrad_rnn.tensor import wrap

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

_NAME = "scaled_dot_product_attention"


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """``softmax(query @ keyᵀ · scale + mask) @ value`` (Vaswani et al. 2017, equation 1).

    https://arxiv.org/abs/1706.03762

    Parameters
    ----------
    query : Tensor of shape (..., L, E)
    key : Tensor of shape (..., S, E)
    value : Tensor of shape (..., S, Ev)
    attn_mask : Tensor that broadcasts to (..., L, S), optional
        Bools, True where a query may see a key; or numbers to be added to the scores.
    dropout_p : float
        Probability that a weight is dropped: always, so pass 0 when not in training.
    is_causal : bool
        Whether query i sees keys 0 … i only; then there is no mask.
    scale : float, optional
        1/√E if absent.
    enable_gqa : bool
        Whether each head of keys and values, the third axis from the end, serves several heads
        of queries.

    Returns
    -------
    Tensor of shape (..., L, Ev)
        A query that may see no key gets zeros, as in PyTorch.

    Raises
    ------
    RuntimeError
        If shapes or types do not fit, or there are a mask and ``is_causal``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> query, key = tg.tensor([[9.0, 0.0]]), tg.tensor([[9.0, 0.0], [0.0, 9.0]])
    >>> tg.nn.functional.scaled_dot_product_attention(query, key, tg.tensor([[1.0], [2.0]]))
    tensor([[1.]])
    """
    q, k, v = (tensor_of(_NAME, x) for x in (query, key, value))
    check_flags(_NAME, is_causal=is_causal, enable_gqa=enable_gqa)
    _check(q, k, v)
    if enable_gqa:
        k, v = _for_each_query_head(q, k), _for_each_query_head(q, v)
    factor = 1 / math.sqrt(q.shape[-1] or 1) if scale is None else number_of(_NAME, "scale", scale)
    scores = operations.matmul(operations.mul(q, factor), operations.transpose(k, -2, -1))
    if is_causal:
        if attn_mask is not None:
            raise RuntimeError(f"{_NAME}: pass either attn_mask or is_causal=True, not both")
        attn_mask = wrap(np.tri(*scores.shape[-2:], dtype=bool), None)
    dropout_p = number_of(_NAME, "dropout_p", dropout_p)
    if not 0 <= dropout_p <= 1:
        raise RuntimeError(f"{_NAME}: dropout_p must be between 0 and 1, got {dropout_p}")
    weights = softmax(scores, -1) if attn_mask is None else _masked_softmax(scores, attn_mask)
    return operations.matmul(dropout(weights, dropout_p), v)


def _masked_softmax(scores: Any, mask: Any) -> Any:
    """The softmax of what a mask leaves of scores: zeros where it leaves nothing."""
    m = tensor_of(_NAME, mask)
    if m.dtype not in (np.bool_, float32, scores.dtype):
        raise RuntimeError(
            f"{_NAME}: attn_mask must be of bools, of float32 or of the query's type "
            f"{scores.array.dtype}, not {m.array.dtype}"
        )
    if not broadcasts(m.shape, scores.shape):
        raise RuntimeError(
            f"{_NAME}: an attn_mask of shape {m.array.shape} does not broadcast to the scores' "
            f"shape {scores.array.shape}"
        )
    if m.dtype == np.bool_:
        scores = operations.where(m, scores, -math.inf)
    else:
        scores = operations.add(scores, to_dtype(m, scores.dtype))
    nothing = wrap(np.all(scores.array == -math.inf, -1, keepdims=True), None)
    if not nothing.array.any():
        return softmax(scores, -1)
    return operations.masked_fill(
        softmax(operations.masked_fill(scores, nothing, 0), -1), nothing, 0
    )


def _for_each_query_head(q: Any, x: Any) -> Any:
    """Each head of keys or values as often as there are heads of queries for it."""
    heads, of_queries = x.shape[-3] if x.ndim > 2 else 0, q.shape[-3] if q.ndim > 2 else 0
    if not heads or of_queries % heads:
        raise RuntimeError(
            f"{_NAME}: {heads} heads of keys or values (shape {x.array.shape}) do not divide "
            f"the {of_queries} of queries (shape {q.array.shape})"
        )
    return operations.repeat_interleave(x, of_queries // heads, -3)


def _check(q: Any, k: Any, v: Any) -> None:
    if min(x.ndim for x in (q, k, v)) < 2:
        raise RuntimeError(
            f"{_NAME}: query, key and value need at least 2 axes, got shapes "
            f"{q.array.shape}, {k.array.shape} and {v.array.shape}"
        )
    if len({x.dtype for x in (q, k, v)}) > 1 or q.dtype.kind != "f":
        raise RuntimeError(
            f"{_NAME}: query, key and value must be of one floating-point type, got "
            f"{q.array.dtype}, {k.array.dtype} and {v.array.dtype}"
        )
    if q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2]:
        raise RuntimeError(
            f"{_NAME}: shapes {q.array.shape}, {k.array.shape} and {v.array.shape} do not "
            "fit: expected (..., L, E), (..., S, E) and (..., S, Ev)"
        )
