"""Sheets of paper: a picture on one of its own, and tables that run on from sheet to sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tinygrad_rnn.viz import marks
from tinygrad_rnn.viz.layout.model import Rect
from tinygrad_rnn.viz.marks import n
from tinygrad_rnn.viz.text import SANS, fitted, width, wrapped, xml
from tinygrad_rnn.writing.palette import LIGHT

A4 = 595.0, 842.0  # points
EDGE = 40.0  # round what is printed
HEAD, TEXT = 18.0, 10.5  # type sizes
_LINE = 14.0
_FOOT = 20.0
LEGIBLE = 0.52  # of its size: its numbers, of 6.5 points then, can be read, and others be written


@dataclass(slots=True)
class Sheet:
    """One sheet, as it is written: what stands on it, and how far down it is filled."""

    wide: float
    high: float
    lines: list[str] = field(default_factory=list)
    y: float = EDGE

    @property
    def room(self) -> float:
        """How much is left below."""
        return self.high - EDGE - _FOOT - self.y

    @property
    def inner(self) -> float:
        """How wide what stands on it may be."""
        return self.wide - 2 * EDGE

    def heading(self, text: str) -> None:
        """A title."""
        said = fitted(text, HEAD, self.inner, bold=True)
        self.lines.append(marks.text(EDGE, self.y + HEAD, said, HEAD, bold=True, label="heading"))
        self.y += HEAD + 12

    def paragraph(self, text: str) -> None:
        """Text on as many lines as it needs."""
        for line in lines_for(text, self.inner):
            self.lines.append(marks.text(EDGE, self.y + TEXT, line, TEXT, label="text"))
            self.y += _LINE
        self.y += 6

    def fields(self, names: Sequence[tuple[str, float]]) -> None:
        """Names with lines to write on, each so wide a part of the sheet."""
        x = EDGE
        for name, part in names:
            room = part * self.inner
            self.lines.append(marks.text(x, self.y + 16, name, TEXT, label="field"))
            start = x + width(name, TEXT) + 6
            self.lines.append(rule(start, self.y + 18, x + room - 12 - start))
            x += room
        self.y += 34

    def picture(self, drawn: Sequence[str], wide: float, high: float) -> None:
        """A picture, as large as there is room."""
        scale = self.scale(wide, high)
        x = EDGE + (self.inner - wide * scale) / 2
        self.lines += [f'<g transform="translate({n(x)} {n(self.y)}) scale({scale:.4f})">']
        self.lines += [*drawn, "</g>"]
        self.y += high * scale + 8

    def scale(self, wide: float, high: float, above: float = 0.0) -> float:
        """How large a picture can stand there, of its own size, below something else."""
        return min(self.inner / wide, (self.room - above) / high, 1.0)

    def svg(self, title: str, foot: str) -> str:
        """The sheet, finished."""
        wide, high = self.wide, self.high
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.6g}" height="{high:.6g}" '
            f'viewBox="0 0 {wide:.6g} {high:.6g}" role="img" font-family="{SANS}" '
            f'fill="{LIGHT.ink}">',
            f"<title>{xml(title)}</title>",
            f'<rect width="{wide:.6g}" height="{high:.6g}" fill="{LIGHT.paper}"/>',
            *self.lines,
            marks.text(wide - EDGE, high - EDGE, foot, 9, fill=LIGHT.muted, anchor="end"),
            "</svg>\n",
        ])  # fmt: skip


def rule(x: float, y: float, wide: float, colour: str = LIGHT.muted) -> str:
    """A line to write on, or between two rows."""
    return f'<path d="M{n(x)} {n(y)}h{n(wide)}" stroke="{colour}" stroke-width="0.8"/>'


def lines_for(text: str, room: float, size: float = TEXT) -> list[str]:
    """A text on lines that are not wider than ``room``; a word that is, is cut.

    Examples
    --------
    >>> lines_for("a long line of text", 55)
    ['a long line', 'of text']
    """
    return [fitted(line, size, room) for line in wrapped(text, room, size)]


def sheet_for(wide: float, high: float, above: float) -> Sheet:
    """A sheet, upright or across, as it suits a picture.

    Parameters
    ----------
    wide, high : float
        Of the picture.
    above : float
        The height of what stands over it.
    """
    upright, across = Sheet(*A4), Sheet(*A4[::-1])
    return max(upright, across, key=lambda sheet: sheet.scale(wide, high, above))


class Column:
    """A column of a table: what stands over it, where it begins and how wide it is."""

    def __init__(self, name: str, at: float, wide: float) -> None:
        self.name, self.x, self.wide = name, EDGE + at, wide


class Table:
    """A table that runs on from sheet to sheet, its heads on each.

    Parameters
    ----------
    heading : str
    columns : sequence of Column
    first : Sheet, optional
        On which it begins, below what is there.
    """

    def __init__(self, heading: str, columns: Sequence[Column], first: Sheet | None = None) -> None:
        self.heading, self.columns, self.sheets = heading, columns, list[Sheet]()
        self._begin(first or Sheet(*A4))

    def _begin(self, sheet: Sheet) -> None:
        self.sheets.append(sheet)
        sheet.heading(self.heading)
        for column in self.columns:
            sheet.lines.append(
                marks.text(column.x, sheet.y + 9, column.name, 9, fill=LIGHT.muted, label="head")
            )
        sheet.y += 14

    def row(self, high: float) -> tuple[Sheet, Rect]:
        """Room for a row, on a new sheet if there is too little on this one."""
        if high > self.sheets[-1].room:
            self._begin(Sheet(*A4))
        sheet = self.sheets[-1]
        place = Rect(EDGE, sheet.y, sheet.inner, high)
        sheet.lines.append(rule(place.x, place.y, place.width, LIGHT.frame))
        sheet.y += high
        return sheet, place
