"""What `torch.nn` has besides what is in `tinygrad_rnn.nn`."""

from tinygrad_rnn.compat.stubs.nn import modules, utils

__all__ = ["modules", "utils"]
