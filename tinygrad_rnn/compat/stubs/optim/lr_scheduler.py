"""`torch.optim.lr_scheduler`: the name from which older programs derive their schedules."""

from tinygrad_rnn.optim.lr_scheduler import LRScheduler as _LRScheduler

__all__ = ["_LRScheduler"]
