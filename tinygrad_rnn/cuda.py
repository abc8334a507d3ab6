"""What programs ask before they choose a device: there is only the computer's own."""

from __future__ import annotations


def is_available() -> bool:
    """Whether there is a graphics processor to compute on: never.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.device("cuda" if tg.cuda.is_available() else "cpu")
    device(type='cpu')
    """
    return False


def device_count() -> int:
    """How many there are: none."""
    return 0


def __dir__() -> list[str]:
    return __all__


__all__ = ["device_count", "is_available"]
