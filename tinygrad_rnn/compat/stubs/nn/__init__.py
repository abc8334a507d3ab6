"""What `torch.nn` has besides what is in `tinygrad_rnn.nn`."""

from __future__ import annotations

from tinygrad_rnn.compat.stubs.nn import modules, utils
from tinygrad_rnn.compat.stubs.nn.modules.transformer import (
    Transformer,
    TransformerDecoder,
    TransformerDecoderLayer,
    TransformerEncoder,
    TransformerEncoderLayer,
)

__all__ = [
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "modules",
    "utils",
]
