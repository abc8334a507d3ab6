"""What programs ask before they choose a device: there is only the computer's own."""

from __future__ import annotations

from typing import Any


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


def manual_seed(seed: int) -> None:
    """Seed the generator of a device that is not there: nothing to do."""


def manual_seed_all(seed: int) -> None:
    """Seed the generators of all of them: nothing to do."""


def empty_cache() -> None:
    """Give back memory that is not used: there is none."""


def synchronize(device: Any = None) -> None:
    """Wait until everything is computed: it is."""


def memory_allocated(device: Any = None) -> int:
    """Bytes on such a device: none."""
    return 0


max_memory_allocated = memory_reserved = max_memory_reserved = memory_allocated


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "device_count",
    "empty_cache",
    "is_available",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_reserved",
    "memory_allocated",
    "memory_reserved",
    "synchronize",
]
