"""Checking gradients against PyTorch and against finite differences."""

from tinygrad_rnn.testing.three_way import Comparison, ThreeWay, three_way

__all__ = ["Comparison", "ThreeWay", "three_way"]
