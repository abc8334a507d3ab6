"""Attention as a layer."""

from __future__ import annotations

from typing import Any

from tinygrad_rnn.nn import functional as F
from tinygrad_rnn.nn import init
from tinygrad_rnn.nn.linear import NonDynamicallyQuantizableLinear
from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.nn.parameter import Parameter
from tinygrad_rnn.operations.dtypes import DTypeLike
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.creation import empty


class MultiheadAttention(Module):
    """Several heads, each of which weights values by how well their keys answer a query.

    https://arxiv.org/abs/1706.03762, section 3.2.2

    Parameters
    ----------
    embed_dim : int
        Features of queries and of the output.
    num_heads : int
        Each head has ``embed_dim // num_heads`` of them, without rest.
    dropout : float
        Probability that a weight is dropped in training.
    bias : bool
        Whether projections have one.
    add_bias_kv : bool
        Whether a key and a value that are learned follow those of every sequence.
    add_zero_attn : bool
        Whether there follow a key and a value of zeros.
    kdim, vdim : int, optional
        Features of keys and of values, if others than ``embed_dim``.
    batch_first : bool
        Whether tensors are (batch, sequence, features), not (sequence, batch, features).
    device : "cpu", optional
    dtype : optional
        Type of the parameters.

    Attributes
    ----------
    in_proj_weight : Parameter of shape (3 · embed_dim, embed_dim), or None
        What makes queries, keys and values; with ``kdim`` or ``vdim`` there are ``q_proj_weight``,
        ``k_proj_weight`` and ``v_proj_weight`` instead. Drawn by Glorot's uniform rule.
    in_proj_bias : Parameter of shape (3 · embed_dim,), or None
    bias_k, bias_v : Parameters of shape (1, 1, embed_dim), or None
    out_proj : Linear

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> attention = tg.nn.MultiheadAttention(4, 2)
    >>> x = tg.ones(3, 1, 4)
    >>> output, weights = attention(x, x, x)
    >>> output.shape, weights.shape
    (torch.Size([3, 1, 4]), torch.Size([1, 3, 3]))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"MultiheadAttention: embed_dim {embed_dim} and num_heads {num_heads} must be "
                "positive"
            )
        if embed_dim % num_heads:
            raise AssertionError(
                f"MultiheadAttention: num_heads {num_heads} must divide embed_dim {embed_dim}"
            )
        self.embed_dim, self.num_heads, self.dropout = embed_dim, num_heads, dropout
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.batch_first, self.add_zero_attn = batch_first, add_zero_attn
        self.head_dim = embed_dim // num_heads
        self._qkv_same_embed_dim = self.kdim == self.vdim == embed_dim

        def made(*shape: int) -> Parameter:
            return Parameter(empty(*shape, device=device, dtype=dtype))

        same = self._qkv_same_embed_dim
        for name, features in (("q", embed_dim), ("k", self.kdim), ("v", self.vdim)):
            weight = None if same else made(embed_dim, features)
            self.register_parameter(f"{name}_proj_weight", weight)
        together = made(3 * embed_dim, embed_dim) if same else None
        self.register_parameter("in_proj_weight", together)
        self.register_parameter("in_proj_bias", made(3 * embed_dim) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(
            embed_dim, embed_dim, bias, device=device, dtype=dtype
        )
        self.bias_k = made(1, 1, embed_dim) if add_bias_kv else None
        self.bias_v = made(1, 1, embed_dim) if add_bias_kv else None
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for weight in (
            self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight
        ):  # fmt: skip
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            init.constant_(self.out_proj.bias, 0.0)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """What the heads find, and how they weighted the values.

        Parameters
        ----------
        query : Tensor of shape (L, N, embed_dim); (N, L, …) if ``batch_first``; or without N
        key, value : Tensors of shapes (S, N, kdim) and (S, N, vdim), likewise
        key_padding_mask, need_weights, attn_mask, average_attn_weights, is_causal
            See `nn.functional.multi_head_attention_forward`, also for what is returned.
        """
        turned = self.batch_first and query.ndim == 3
        if turned:
            query, key, value = (x.transpose(0, 1) for x in (query, key, value))
        output, weights = F.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads,
            self.in_proj_weight, self.in_proj_bias, self.bias_k, self.bias_v, self.add_zero_attn,
            self.dropout, self.out_proj.weight, self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )  # fmt: skip
        return (output.transpose(0, 1) if turned else output), weights
