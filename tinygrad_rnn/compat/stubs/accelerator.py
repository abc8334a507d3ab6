"""`torch.accelerator`: there is none."""

from __future__ import annotations

from tinygrad_rnn.cuda import device_count, is_available, synchronize


def current_accelerator(check_available: bool = False) -> None:
    """The device to compute on, if it is not the computer's own: none."""


__all__ = ["current_accelerator", "device_count", "is_available", "synchronize"]
