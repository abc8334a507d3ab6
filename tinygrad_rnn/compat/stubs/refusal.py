"""What stands for functions and classes of PyTorch that are beyond the purpose of this package."""

from __future__ import annotations

from typing import Any


class Refused:
    """Base of classes that can be imported, and inherited from, but not built."""

    instead = ""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        raise NotImplementedError(
            f"tinygrad_rnn has no {type(self).__name__}: it is there to be imported only. "
            + self.instead
        )
