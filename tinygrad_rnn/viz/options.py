"""What callers of this package ask for, checked: each error names the option and what there is."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tinygrad_rnn.writing.text import clean

LONGEST_TITLE = 200


class TooManyBoxes(ValueError):
    """A graph has more boxes than a caller allows.

    Attributes
    ----------
    boxes, allowed : int
    coarser : tuple of str
        The levels of pictures that have fewer.
    """

    def __init__(self, said: str, boxes: int, allowed: int, coarser: tuple[str, ...] = ()) -> None:
        super().__init__(said)
        self.boxes, self.allowed, self.coarser = boxes, allowed, coarser


def one_of(option: str, given: Any, known: Collection[str]) -> str:
    """The option's value, if it is one of those that exist.

    Raises
    ------
    ValueError
        If it is not.
    """
    if not isinstance(given, str) or given not in known:
        names = ", ".join(map(repr, known))
        raise ValueError(f"{option}={given!r} does not exist; there is {names}")
    return given


def title_or(given: str | None, default: str) -> str:
    """The title that a caller gave, made safe, or else the default one.

    Raises
    ------
    TypeError
        If it is not a text.
    """
    if not isinstance(given, str | None):
        raise TypeError(f"title={given!r}: give a text, or None for the default one")
    return default if given is None else clean(given, LONGEST_TITLE)


def most(option: str, given: int, least: int | None = None) -> int:
    """The largest number of something that a caller allows.

    Raises
    ------
    TypeError
        If it is not a whole number.
    ValueError
        If it is smaller than the least that makes sense.
    """
    if not isinstance(given, int):
        raise TypeError(f"{option}={given!r}: give a whole number")
    if least is not None and given < least:
        raise ValueError(f"{option}={given!r}: give at least {least}")
    return given


def check_count(caller: str, boxes: int, max_nodes: int) -> None:
    """Raise `TooManyBoxes` if a whole graph has more boxes than are allowed."""
    if boxes > most("max_nodes", max_nodes):
        raise TooManyBoxes(
            f"{caller}: this graph has {boxes:,} boxes: take the graph of fewer time steps, or "
            f"raise max_nodes (now {max_nodes:,})",
            boxes,
            max_nodes,
        )
