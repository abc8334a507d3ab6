"""What `torch.cuda` has besides what is in `tinygrad_rnn.cuda`."""

from tinygrad_rnn.compat.stubs.cuda import amp

__all__ = ["amp"]
