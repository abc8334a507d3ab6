"""Aligned tables for terminals."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def width(text: str) -> int:
    """How many columns a terminal gives to a text: combining marks none, East Asian two."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = (), indent: str = "  ") -> str:
    """Rows of cells as aligned columns; the columns in ``right`` are aligned at their right end.

    Examples
    --------
    >>> print(table([["t", "h"], ["1", "0.537"], ["10", "-0.2"]], right=[0, 1]))
       t      h
       1  0.537
      10   -0.2
    """
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = []
        for i, (cell, size) in enumerate(zip(row, widths, strict=True)):
            blank = " " * (size - width(cell))
            cells.append(blank + cell if i in right else cell + blank)
        lines.append((indent + "  ".join(cells)).rstrip())
    return "\n".join(lines)
