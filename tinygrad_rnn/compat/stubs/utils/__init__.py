"""What `torch.utils` has besides what is in `tinygrad_rnn.utils`."""

from tinygrad_rnn.compat.stubs.utils import data, tensorboard

__all__ = ["data", "tensorboard"]
