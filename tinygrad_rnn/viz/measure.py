"""How large a box is: the one place that knows the type sizes and the space around them."""

from __future__ import annotations

from tinygrad_rnn.viz.scene import Box, Row
from tinygrad_rnn.viz.text import fitted, width

NAME, EXPRESSION, NOTE, LABEL, VALUE, PILL = 15.0, 12.5, 11.0, 10.5, 12.5, 11.0
HEADER, LINE, PAD = 27.0, 16.0, 5.0  # heights: the header, a line, and above and below the lines
MARGIN, GAP = 9.0, 7.0  # left and right in a box; between two texts
_LONGEST_NAME, _LONGEST_EXPRESSION, _NARROWEST = 190.0, 240.0, 104.0


def fit(box: Box) -> None:
    """Cut the texts that are too long and set the box's size."""
    box.name = fitted(box.name, NAME, _LONGEST_NAME, bold=True)
    box.expression = fitted(box.expression, EXPRESSION, _LONGEST_EXPRESSION)
    header = 2 * MARGIN + width(box.name, NAME, bold=True)
    if box.expression:
        header += GAP + width(box.expression, EXPRESSION)
    if box.note:
        header += 2 * GAP + width(box.note, NOTE)
    if box.visit is not None:
        header += GAP + pill_width(str(box.visit))
    box.width = float(round(max(_NARROWEST, header, *(_row_width(row) for row in box.rows)) + 1))
    box.height = HEADER + sum(row_height(row) for row in box.rows)


def pill_width(visit: str) -> float:
    """The width of the pill around a visit number."""
    return max(21.0, width(visit, PILL, bold=True) + 13)


def row_height(row: Row) -> float:
    """The height of a row of a box."""
    return LINE * len(row.lines) + PAD


def _row_width(row: Row) -> float:
    longest = max(width(line, VALUE, mono=True) for line in row.lines)
    return 2 * MARGIN + width(row.label, LABEL) + 1.5 * GAP + longest
