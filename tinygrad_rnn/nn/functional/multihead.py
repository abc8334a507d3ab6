"""Attention by several heads, each of which looks at a part of what is projected."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinygrad_rnn import operations
from tinygrad_rnn.nn.functional.attention import scaled_dot_product_attention
from tinygrad_rnn.nn.functional.dropping import dropout
from tinygrad_rnn.nn.functional.variants import softmax
from tinygrad_rnn.operations import linear
from tinygrad_rnn.operations.arguments import tensor_of
from tinygrad_rnn.operations.padding import pad
from tinygrad_rnn.tensor import wrap

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

_NAME = "multi_head_attention_forward"


class _Sizes(NamedTuple):
    """Sizes of a call: of the batch, of its sequences, of heads."""

    queries: int
    batch: int
    features: int
    heads: int

    @property
    def stacked(self) -> int:
        """Heads of all sequences, which stand in one axis."""
        return self.batch * self.heads


def multi_head_attention_forward(
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    static_k: Any = None,
    static_v: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """What `nn.MultiheadAttention` computes, which keeps the weights and options.

    Parameters
    ----------
    query : Tensor of shape (L, N, E) or (L, E)
    key, value : Tensors of shapes (S, N, …) or (S, …)
    embed_dim_to_check, num_heads : int
        E, and how many heads share it.
    in_proj_weight, in_proj_bias : Tensors of shapes (3E, E) and (3E,)
        What makes queries, keys and values, on top of each other.
    bias_k, bias_v : Tensors of shape (1, 1, E), or None
        A key and a value that follow those of every sequence.
    add_zero_attn : bool
        Whether there follow a key and a value of zeros.
    dropout_p : float
        Probability that a weight is dropped, if ``training``.
    out_proj_weight, out_proj_bias : Tensors of shapes (E, E) and (E,)
    key_padding_mask : Tensor of shape (N, S) or (S,), optional
        Bools, True where a key counts for nothing; or numbers to be added to its scores.
    need_weights, average_attn_weights : bool
        Whether to return the weights, and their mean over the heads.
    attn_mask : Tensor of shape (L, S) or (N · num_heads, L, S), optional
        Bools, True where a query may not see a key; or numbers to be added to the scores.
    use_separate_proj_weight : bool
        Whether ``q_proj_weight``, ``k_proj_weight``, ``v_proj_weight`` stand for
        ``in_proj_weight``.
    static_k, static_v : Tensors of shape (N · num_heads, S, E / num_heads), optional
        Keys and values that are projected already.
    is_causal : bool
        A hint that ``attn_mask``, which must be given, lets query i see keys 0 … i only.

    Returns
    -------
    Tensor of shape (L, N, E) or (L, E), and the weights, of shape (N, L, S) or (L, S) if they are
    averaged, else (N, num_heads, L, S) or (num_heads, L, S), or None

    Raises
    ------
    AssertionError, RuntimeError
        If shapes or types do not fit.
    """
    query, key, value = (tensor_of(_NAME, x) for x in (query, key, value))
    masks = [None if m is None else tensor_of(_NAME, m) for m in (key_padding_mask, attn_mask)]
    _check_axes(query, key, value, *masks)
    is_batched = query.array.ndim == 3
    if not is_batched:
        query, key, value = _as_batches_of_one(query, key, value)
        masks[0] = None if masks[0] is None else operations.unsqueeze(masks[0], 0)
    length, batch, features = query.array.shape
    sizes = _Sizes(length, batch, features, num_heads)
    _check_sizes(sizes, embed_dim_to_check, key, value, use_separate_proj_weight)
    if is_causal and attn_mask is None:
        raise RuntimeError(f"{_NAME}: is_causal is a hint on attn_mask, which is missing")
    is_causal = is_causal and masks[0] is None and not need_weights
    padding, seen = (_added_to_scores(m, query) for m in masks)
    _check_mask(seen, sizes, len(key.array))

    weights = (
        [q_proj_weight, k_proj_weight, v_proj_weight]
        if use_separate_proj_weight
        else _thirds(in_proj_weight)
    )
    biases = [None] * 3 if in_proj_bias is None else _thirds(in_proj_bias)
    q, k, v = (linear(*of) for of in zip((query, key, value), weights, biases, strict=True))
    if bias_k is not None and bias_v is not None:
        k, v = (
            operations.cat([x, operations.repeat(bias, (1, batch, 1))])
            for x, bias in ((k, bias_k), (v, bias_v))
        )
        padding, seen = (_one_more(m) for m in (padding, seen))
    q = _by_heads(q, sizes)
    k = _by_heads(k, sizes) if static_k is None else tensor_of(_NAME, static_k)
    v = _by_heads(v, sizes) if static_v is None else tensor_of(_NAME, static_v)
    if add_zero_attn:
        k, v = (pad(x, (0, 0, 0, 1)) for x in (k, v))
        padding, seen = (_one_more(m) for m in (padding, seen))
    mask = None if is_causal else _merged(padding, seen, sizes, k.array.shape[1])
    dropped = dropout_p if training else 0.0
    if need_weights:
        answer, attention = _with_weights(q, k, v, mask, dropped)
        attention = operations.reshape(attention, (batch, num_heads, length, -1))
        if average_attn_weights:
            attention = operations.mean(attention, 1)
        attention = attention if is_batched else operations.squeeze(attention, 0)
    else:
        answer, attention = _without_weights(q, k, v, mask, dropped, is_causal, sizes), None
    answer = operations.reshape(operations.transpose(answer, 0, 1), (length * batch, features))
    answer = linear(answer, out_proj_weight, out_proj_bias)
    answer = operations.reshape(answer, (length, batch, -1))
    return (answer if is_batched else operations.squeeze(answer, 1)), attention


# -- attention of all heads ----------------------------------------------------------------------


def _with_weights(q: Any, k: Any, v: Any, mask: Any, dropped: float) -> tuple[Tensor, Tensor]:
    """What each head finds, and how it weighted the values."""
    scaled = operations.mul(q, math.sqrt(1 / q.array.shape[-1]))
    keys = operations.transpose(k, -2, -1)
    scores = operations.bmm(scaled, keys) if mask is None else operations.baddbmm(
        mask, scaled, keys
    )  # fmt: skip
    weights = softmax(scores, -1)
    if dropped > 0:
        weights = dropout(weights, dropped)
    return operations.bmm(weights, v), weights


def _without_weights(
    q: Any, k: Any, v: Any, mask: Any, dropped: float, is_causal: bool, sizes: _Sizes
) -> Tensor:
    """What each head finds; here a query that may see no key finds zeros."""
    apart = (sizes.batch, sizes.heads)
    if mask is not None:
        by_head = len(mask.array) > 1 or sizes.stacked == 1
        mask = operations.reshape(mask, (*(apart if by_head else (1, 1)), *mask.array.shape[1:]))
    q, k, v = (operations.reshape(x, (*apart, *x.array.shape[1:])) for x in (q, k, v))
    found = scaled_dot_product_attention(q, k, v, mask, dropped, is_causal)
    return operations.reshape(found, (sizes.stacked, *found.array.shape[2:]))


def _by_heads(x: Any, sizes: _Sizes) -> Tensor:
    """Of shape (length, batch, features) one of (batch · heads, length, features of a head)."""
    return operations.transpose(
        operations.reshape(x, (len(x.array), sizes.stacked, sizes.features // sizes.heads)), 0, 1
    )


def _thirds(x: Any) -> Any:
    """What makes queries, keys and values of a tensor in which they lie on top of each other."""
    return operations.chunk(x, 3)


# -- masks ---------------------------------------------------------------------------------------


def _added_to_scores(mask: Any, query: Any) -> Any:
    """A mask as numbers: −∞ where it is True."""
    if mask is None or mask.array.dtype.kind == "f":
        return mask
    if mask.array.dtype.kind != "b":
        raise AssertionError(
            f"{_NAME}: masks must be of bools or floating-point, not {mask.array.dtype}"
        )
    return wrap(np.where(mask.array, -np.inf, 0).astype(query.array.dtype), None)


def _one_more(mask: Any) -> Any:
    """A mask that hides nothing of one more key."""
    return None if mask is None else pad(mask, (0, 1))


def _merged(padding: Any, seen: Any, sizes: _Sizes, keys: int) -> Any:
    """Both masks in one, of shape (1 or batch · heads, 1 or L, S)."""
    if seen is not None and seen.array.ndim == 2:
        seen = operations.unsqueeze(seen, 0)
    if padding is None:
        return seen
    if padding.array.shape != (sizes.batch, keys):
        raise AssertionError(
            f"{_NAME}: expected a key_padding_mask for {sizes.batch} sequences of {keys} keys, got "
            f"one of shape {padding.array.shape}"
        )
    rows = operations.reshape(padding, (sizes.batch, 1, 1, keys))
    rows = operations.expand(rows, (-1, sizes.heads, -1, -1))
    rows = operations.reshape(rows, (sizes.stacked, 1, keys))
    return rows if seen is None else operations.add(seen, rows)


def _check_mask(seen: Any, sizes: _Sizes, keys: int) -> None:
    if seen is None:
        return
    expected = ((sizes.queries, keys), (sizes.stacked, sizes.queries, keys))[seen.array.ndim - 2]
    if seen.array.shape != expected:
        raise RuntimeError(
            f"{_NAME}: attn_mask has shape {seen.array.shape}, but should have {expected}"
        )


# -- shapes --------------------------------------------------------------------------------------


def _as_batches_of_one(query: Any, key: Any, value: Any) -> tuple[Tensor, Tensor, Tensor]:
    q, k, v = (operations.unsqueeze(x, 1) for x in (query, key, value))
    return q, k, v


def _check_axes(query: Any, key: Any, value: Any, padding: Any, seen: Any) -> None:
    axes = query.array.ndim
    if axes not in (2, 3):
        raise AssertionError(
            f"{_NAME}: a query is (L, N, E) or, without a batch, (L, E); got {query.array.shape}"
        )
    for what, x, fitting in (
        ("key", key, (axes,)),
        ("value", value, (axes,)),
        ("key_padding_mask", padding, (axes - 1,)),
        ("attn_mask", seen, (2, 3)),
    ):
        if x is not None and x.array.ndim not in fitting:
            raise AssertionError(
                f"{_NAME}: a {what} of shape {x.array.shape} has not the axes that go with a query "
                f"of shape {query.array.shape}"
            )


def _check_sizes(sizes: _Sizes, features: int, key: Any, value: Any, apart: bool) -> None:
    if sizes.features != features:
        raise AssertionError(
            f"{_NAME}: expected queries of {features} features, got {sizes.features}"
        )
    if sizes.features % sizes.heads:
        raise AssertionError(
            f"{_NAME}: {sizes.heads} heads do not divide {sizes.features} features"
        )
    compared = 2 if apart else 3
    if key.array.shape[:compared] != value.array.shape[:compared]:
        raise AssertionError(
            f"{_NAME}: shapes of keys {key.array.shape} and of values {value.array.shape} do not "
            "fit each other"
        )
