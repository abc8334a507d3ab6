"""What `torch.utils.data` has besides what is in `tinygrad_rnn.utils.data`."""

from tinygrad_rnn.compat.stubs.utils.data import dataloader

__all__ = ["dataloader"]
