"""What training scripts need around the model: data, options, and a look at how far they are."""

from tinygrad_rnn.utils import checkpoint, data
from tinygrad_rnn.utils.options import options
from tinygrad_rnn.utils.progress import progress


def __dir__() -> list[str]:
    return __all__


__all__ = ["checkpoint", "data", "options", "progress"]
