"""`torch.version`: that of the PyTorch whose behaviour this package follows."""

from __future__ import annotations

import re
from typing import Any


class TorchVersion(str):
    """A version that compares by its numbers, with strings and tuples of numbers.

    Examples
    --------
    >>> TorchVersion("2.13.0") >= "2.4", TorchVersion("2.13.0") > (1, 8)
    (True, True)
    """

    __slots__ = ()

    def __lt__(self, other: Any) -> bool:
        return _numbers(self) < _numbers(other)

    def __le__(self, other: Any) -> bool:
        return _numbers(self) <= _numbers(other)

    def __gt__(self, other: Any) -> bool:
        return _numbers(self) > _numbers(other)

    def __ge__(self, other: Any) -> bool:
        return _numbers(self) >= _numbers(other)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str | tuple | list) and _numbers(self) == _numbers(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


def _numbers(version: Any) -> list[int]:
    """The numbers of a version, without zeros at its end; what follows ``+`` does not count."""
    if isinstance(version, str):
        found = re.match(r"\d+(\.\d+)*", version.strip().removeprefix("v"))
        parts = found[0].split(".") if found else []
    else:
        parts = list(version)
    numbers = [int(part) for part in parts]
    while numbers and not numbers[-1]:
        numbers.pop()
    return numbers


__version__ = TorchVersion("2.13.0+cpu")
cuda = hip = xpu = None
git_version, debug = "", False
