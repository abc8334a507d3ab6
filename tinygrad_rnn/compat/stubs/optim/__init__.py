"""What `torch.optim` has besides what is in `tinygrad_rnn.optim`."""

from tinygrad_rnn.compat.stubs.optim import lr_scheduler

__all__ = ["lr_scheduler"]
