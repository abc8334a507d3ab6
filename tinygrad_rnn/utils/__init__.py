"""What training loops need around the model: data, and a look at how far they are."""

from tinygrad_rnn.utils import checkpoint, data
from tinygrad_rnn.utils.progress import progress


def __dir__() -> list[str]:
    return __all__


__all__ = ["checkpoint", "data", "progress"]
