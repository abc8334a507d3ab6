"""`torch.nn.modules.transformer`: nets without recurrence, which this package is not about."""

from __future__ import annotations

from tinygrad_rnn.compat.stubs.refusal import Refused


class _Transformer(Refused):
    instead = (
        "This package is about recurrent nets; nn.functional.scaled_dot_product_attention, "
        "nn.LayerNorm and nn.Linear are here to build one of"
    )


class Transformer(_Transformer):
    """Refused when built."""


class TransformerEncoder(_Transformer):
    """Refused when built."""


class TransformerEncoderLayer(_Transformer):
    """Refused when built."""


class TransformerDecoder(_Transformer):
    """Refused when built."""


class TransformerDecoderLayer(_Transformer):
    """Refused when built."""
