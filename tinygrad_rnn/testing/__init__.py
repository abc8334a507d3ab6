"""PyTorch beside this package: the same gradients, and modules carried from one to the other."""

from tinygrad_rnn.testing.asserts import assert_gradients, assert_matches_torch
from tinygrad_rnn.testing.crosscheck import CrossCheck, crosscheck
from tinygrad_rnn.testing.divergence import Divergence
from tinygrad_rnn.testing.exchange import from_torch, to_torch
from tinygrad_rnn.testing.marking import assert_same_gradients
from tinygrad_rnn.testing.modules import crosscheck_module
from tinygrad_rnn.testing.pairs import TOLERANCES, Pair, Tolerance
from tinygrad_rnn.testing.three_way import Comparison, ThreeWay, three_way


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "TOLERANCES",
    "Comparison",
    "CrossCheck",
    "Divergence",
    "Pair",
    "ThreeWay",
    "Tolerance",
    "assert_gradients",
    "assert_matches_torch",
    "assert_same_gradients",
    "crosscheck",
    "crosscheck_module",
    "from_torch",
    "three_way",
    "to_torch",
]
