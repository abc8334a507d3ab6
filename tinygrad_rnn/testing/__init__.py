"""PyTorch beside this package: the same gradients, and modules carried from one to the other."""

from tinygrad_rnn.testing.exchange import from_torch, to_torch
from tinygrad_rnn.testing.three_way import Comparison, ThreeWay, three_way

__all__ = ["Comparison", "ThreeWay", "from_torch", "three_way", "to_torch"]
