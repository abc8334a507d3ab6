"""Transformers: layers of attention between positions, and of nets for each of them.

https://arxiv.org/abs/1706.03762
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

from tinygrad_rnn.nn import functional as F
from tinygrad_rnn.nn import init
from tinygrad_rnn.nn.attention import MultiheadAttention
from tinygrad_rnn.nn.container import ModuleList
from tinygrad_rnn.nn.dropout import Dropout
from tinygrad_rnn.nn.linear import Linear
from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.nn.normalization import LayerNorm
from tinygrad_rnn.operations.dtypes import DTypeLike
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.creation import full

Activation = str | Callable[[Tensor], Tensor]
Mask = Tensor | None
_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu}


class TransformerEncoderLayer(Module):
    """Attention of a sequence to itself, then a net of two layers for each position.

    Each of them is added to what goes in, and the sum normalized.

    Parameters
    ----------
    d_model, nhead : int
        Features, and heads of attention.
    dim_feedforward : int
        Units between the two layers.
    dropout : float
    activation : "relu", "gelu" or function
    layer_norm_eps : float
    batch_first : bool
        Whether sequences are (batch, length, features), not (length, batch, features).
    norm_first : bool
        Whether to normalize what goes into each part, not the sum.
    bias : bool
    device : "cpu", optional
    dtype : optional
        Type of the parameters.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> layer = tg.nn.TransformerEncoderLayer(4, 2, dim_feedforward=8)
    >>> layer(tg.ones(3, 1, 4)).shape
    torch.Size([3, 1, 4])
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout=dropout, batch_first=batch_first, **made
        )
        self.linear1 = Linear(d_model, dim_feedforward, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **made)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, **made)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, **made)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self.activation = _activation(activation)

    def forward(
        self,
        src: Tensor,
        src_mask: Mask = None,
        src_key_padding_mask: Mask = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Of a sequence one like it.

        Parameters
        ----------
        src : Tensor of shape (length, batch, features), or without batch
        src_mask, src_key_padding_mask, is_causal
            See `nn.functional.multi_head_attention_forward`.
        """

        def attend(x: Tensor) -> Tensor:
            found, _ = self.self_attn(
                x, x, x,
                attn_mask=src_mask,
                key_padding_mask=src_key_padding_mask,
                need_weights=False,
                is_causal=is_causal,
            )  # fmt: skip
            return self.dropout1(found)

        def feed(x: Tensor) -> Tensor:
            return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))

        x = _added(src, attend, self.norm1, self.norm_first)
        return _added(x, feed, self.norm2, self.norm_first)


class TransformerDecoderLayer(Module):
    """Attention of a sequence to itself, then to another, then a net for each position.

    Parameters
    ----------
    d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, device, dtype
        As of `TransformerEncoderLayer`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> layer = tg.nn.TransformerDecoderLayer(4, 2, dim_feedforward=8)
    >>> layer(tg.ones(3, 1, 4), tg.ones(5, 1, 4)).shape
    torch.Size([3, 1, 4])
    """  # noqa: E501

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        attention: dict[str, Any] = {"dropout": dropout, "batch_first": batch_first, **made}
        self.self_attn = MultiheadAttention(d_model, nhead, **attention)
        self.multihead_attn = MultiheadAttention(d_model, nhead, **attention)
        self.linear1 = Linear(d_model, dim_feedforward, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **made)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, **made)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, **made)
        self.norm3 = LayerNorm(d_model, layer_norm_eps, **made)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self.dropout3 = Dropout(dropout)
        self.activation = _activation(activation)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Mask = None,
        memory_mask: Mask = None,
        tgt_key_padding_mask: Mask = None,
        memory_key_padding_mask: Mask = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Of a sequence one like it, given another, ``memory``.

        Parameters
        ----------
        tgt, memory : Tensors of shapes (length, batch, features), or without batch
        tgt_mask, tgt_key_padding_mask, tgt_is_causal
            What of itself the sequence sees: see `nn.functional.multi_head_attention_forward`.
        memory_mask, memory_key_padding_mask, memory_is_causal
            What it sees of the other.
        """

        def attend(x: Tensor) -> Tensor:
            found, _ = self.self_attn(
                x, x, x,
                attn_mask=tgt_mask,
                key_padding_mask=tgt_key_padding_mask,
                is_causal=tgt_is_causal,
                need_weights=False,
            )  # fmt: skip
            return self.dropout1(found)

        def look(x: Tensor) -> Tensor:
            found, _ = self.multihead_attn(
                x, memory, memory,
                attn_mask=memory_mask,
                key_padding_mask=memory_key_padding_mask,
                is_causal=memory_is_causal,
                need_weights=False,
            )  # fmt: skip
            return self.dropout2(found)

        def feed(x: Tensor) -> Tensor:
            return self.dropout3(self.linear2(self.dropout(self.activation(self.linear1(x)))))

        x = _added(tgt, attend, self.norm1, self.norm_first)
        x = _added(x, look, self.norm2, self.norm_first)
        return _added(x, feed, self.norm3, self.norm_first)


class TransformerEncoder(Module):
    """Several encoder layers, one after the other.

    Parameters
    ----------
    encoder_layer : Module
        Copied as often.
    num_layers : int
    norm : Module, optional
        What comes last.
    enable_nested_tensor, mask_check
        Without effect: they are about how PyTorch computes.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> layer = tg.nn.TransformerEncoderLayer(4, 2, dim_feedforward=8)
    >>> tg.nn.TransformerEncoder(layer, 2)(tg.ones(3, 1, 4)).shape
    torch.Size([3, 1, 4])
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = ModuleList([deepcopy(encoder_layer) for _ in range(num_layers)])
        self.num_layers, self.norm = num_layers, norm
        self.enable_nested_tensor, self.mask_check = enable_nested_tensor, mask_check

    def forward(
        self,
        src: Tensor,
        mask: Mask = None,
        src_key_padding_mask: Mask = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """Of a sequence one like it; the masks are those of `TransformerEncoderLayer`.

        ``is_causal``: ``None`` looks whether ``mask`` is one that hides what comes later.
        """
        causal = _is_causal(mask, is_causal)
        for layer in self.layers:
            src = layer(
                src, src_mask=mask, is_causal=causal, src_key_padding_mask=src_key_padding_mask
            )
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """Several decoder layers, one after the other.

    Parameters
    ----------
    decoder_layer : Module
        Copied as often.
    num_layers : int
    norm : Module, optional
        What comes last.
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = ModuleList([deepcopy(decoder_layer) for _ in range(num_layers)])
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Mask = None,
        memory_mask: Mask = None,
        tgt_key_padding_mask: Mask = None,
        memory_key_padding_mask: Mask = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Of a sequence one like it; the arguments are those of `TransformerDecoderLayer`."""
        causal = _is_causal(tgt_mask, tgt_is_causal)
        for layer in self.layers:
            tgt = layer(
                tgt,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder of one sequence, and a decoder that makes another of it.

    Parameters
    ----------
    d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, device, dtype
        As of `TransformerEncoderLayer`.
    num_encoder_layers, num_decoder_layers : int
    custom_encoder, custom_decoder : Module, optional
        Instead of those that would be made.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> net = tg.nn.Transformer(4, 2, 1, 1, dim_feedforward=8)
    >>> net(tg.ones(5, 1, 4), tg.ones(3, 1, 4)).shape
    torch.Size([3, 1, 4])
    """  # noqa: E501

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        options = (
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
            norm_first,
        )  # fmt: skip
        if custom_encoder is None:
            layer: Module = TransformerEncoderLayer(*options, **made)
            last = LayerNorm(d_model, layer_norm_eps, **made)
            custom_encoder = TransformerEncoder(layer, num_encoder_layers, last)
        self.encoder = custom_encoder
        if custom_decoder is None:
            layer = TransformerDecoderLayer(*options, **made)
            last = LayerNorm(d_model, layer_norm_eps, **made)
            custom_decoder = TransformerDecoder(layer, num_decoder_layers, last)
        self.decoder = custom_decoder
        self._reset_parameters()
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def _reset_parameters(self) -> None:
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Mask = None,
        tgt_mask: Mask = None,
        memory_mask: Mask = None,
        src_key_padding_mask: Mask = None,
        tgt_key_padding_mask: Mask = None,
        memory_key_padding_mask: Mask = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Of two sequences one like the second; masks as of the layers."""
        batch = 0 if self.batch_first else 1
        if src.ndim == 3 and src.shape[batch] != tgt.shape[batch]:
            raise RuntimeError(
                f"Transformer: batches of shapes {src.array.shape} and {tgt.array.shape} differ"
            )
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise RuntimeError(
                f"Transformer: expected {self.d_model} features, got shapes {src.array.shape} and "
                f"{tgt.array.shape}"
            )
        memory = self.encoder(
            src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal
        )
        decoded: Tensor = self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )
        return decoded

    @staticmethod
    def generate_square_subsequent_mask(
        sz: int, device: Any = None, dtype: DTypeLike = None
    ) -> Tensor:
        """What hides from each position those that come later: −∞ above the diagonal, else 0.

        Examples
        --------
        >>> import tinygrad_rnn as tg
        >>> tg.nn.Transformer.generate_square_subsequent_mask(2)
        tensor([[0., -inf],
                [0., 0.]])
        """
        return full((sz, sz), -np.inf, device=device, dtype=dtype).triu(1)


def _added(x: Tensor, part: Callable[[Tensor], Tensor], norm: Module, norm_first: bool) -> Tensor:
    """What goes in and what a part makes of it, normalized before or after."""
    return x + part(norm(x)) if norm_first else norm(x + part(x))


def _activation(given: Activation) -> Callable[[Tensor], Tensor]:
    if not isinstance(given, str):
        return given
    if given not in _ACTIVATIONS:
        raise RuntimeError(f"activation should be relu/gelu, not {given}")
    return _ACTIVATIONS[given]


def _is_causal(mask: Mask, is_causal: bool | None) -> bool:
    """Whether a mask hides what comes later, and only that."""
    if is_causal is not None or mask is None:
        return bool(is_causal)
    size = mask.shape[0]
    later = np.triu(np.ones((size, size), bool), 1)
    if mask.array.shape != later.shape:
        return False
    if mask.array.dtype.kind == "b":
        return bool((mask.array == later).all())
    return bool((mask.array == np.where(later, -np.inf, 0)).all())
