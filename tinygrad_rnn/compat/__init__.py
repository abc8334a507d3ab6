"""The world in which ``torch`` means this package: programs written for PyTorch run unchanged."""

from tinygrad_rnn.compat.script import Ran, run
from tinygrad_rnn.compat.watching import NotDrawn
from tinygrad_rnn.compat.world import as_torch


def __dir__() -> list[str]:
    return __all__


__all__ = ["NotDrawn", "Ran", "as_torch", "run"]
