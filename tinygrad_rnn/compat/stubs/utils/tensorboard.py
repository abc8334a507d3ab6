"""`torch.utils.tensorboard`: logs for a program that shows them."""

from __future__ import annotations

from tinygrad_rnn.compat.stubs.refusal import Refused


class SummaryWriter(Refused):
    """Refused when built."""

    instead = (
        "Print the numbers, or keep them in a list; pip install tensorboardX gives a SummaryWriter "
        "that needs no PyTorch"
    )


__all__ = ["SummaryWriter"]
