"""Tensor, and all that belongs to it."""

from tinygrad_rnn.tensor.tensor import (
    RemovableHandle,
    Tensor,
    accumulate,
    run_walk,
    sequence,
    wrap,
)

__all__ = ["RemovableHandle", "Tensor", "accumulate", "run_walk", "sequence", "wrap"]
