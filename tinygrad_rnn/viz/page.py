"""What frames every picture: its page with title and reading aid, and the scale in its legend."""

from __future__ import annotations

import math

from tinygrad_rnn.viz import marks
from tinygrad_rnn.viz.languages import Say
from tinygrad_rnn.viz.layout.model import Rect
from tinygrad_rnn.viz.text import SANS, fitted, width, wrapped, xml
from tinygrad_rnn.writing import figures
from tinygrad_rnn.writing.figures import Scale
from tinygrad_rnn.writing.palette import Theme

EDGE_OF_PAGE = 24.0
TITLE, AID, LEGEND = 20.0, 12.5, 12.5
TITLE_ROOM, AID_LINE, LEGEND_ROW = 66.0, 17.0, 28.0
_LONGEST_AID = 1100.0  # points: of a line, so that a small picture stays small
_NORM, _ZERO, _BIN = "‖grad‖", 26.0, 22.0  # the parts of the heat scale


def heading_width(title: str, aid: str) -> float:
    """The width that the title and the reading aid, on several lines if it is long, need."""
    return max(width(title, TITLE, bold=True), min(width(aid, AID), _LONGEST_AID))


def aid_lines(aid: str, room: float) -> list[str]:
    """The reading aid on as many lines as it needs."""
    return wrapped(aid, room, AID)


def title_room(aid: str, room: float) -> float:
    """The height of title and reading aid."""
    return TITLE_ROOM + AID_LINE * (len(aid_lines(aid, room)) - 1)


def opening(
    title: str,
    aid: str,
    wide: int,
    high: int,
    theme: Theme,
    language: str = "en",
    scale: float = 1.0,
) -> list[str]:
    """The first lines of an SVG: the page, shown at some scale, its title and its reading aid."""
    lines = aid_lines(aid, wide - 2 * EDGE_OF_PAGE)
    shown = math.floor(wide * scale), math.floor(high * scale)
    tongue = "" if language == "en" else f' lang="{language}"'
    heading = fitted(title, TITLE, wide - 2 * EDGE_OF_PAGE, bold=True)
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{shown[0]}" height="{shown[1]}" '
        f'viewBox="0 0 {wide} {high}"{tongue} role="img" font-family="{SANS}" fill="{theme.ink}">',
        f"<title>{xml(title)}</title>",
        f"<desc>{xml(aid)}</desc>",
        f'<rect width="{wide}" height="{high}" fill="{theme.paper}"/>',
        marks.text(EDGE_OF_PAGE, EDGE_OF_PAGE + 17, heading, TITLE, bold=True),
        *(
            marks.text(EDGE_OF_PAGE, EDGE_OF_PAGE + 40 + AID_LINE * i, line, AID, fill=theme.muted)
            for i, line in enumerate(lines)
        ),
    ]


def heat_symbol_width(say: Say) -> float:
    """The width of `heat_symbol`, and of a gap behind it."""
    return width(say(_NORM), LEGEND) + 8 + _ZERO + 1 + _BIN * figures.BINS + 8


def heat_symbol(x: float, y: float, scale: Scale | None, theme: Theme, say: Say) -> list[str]:
    """The heat scale as a legend shows it; of an empty scale only what lies below it."""
    norm = say(_NORM)
    at = x + width(norm, LEGEND) + 8
    line = f' stroke="{theme.muted}" stroke-width="0.5"'
    lines = [
        marks.text(x, y + 14.5, norm, LEGEND, fill=theme.muted),
        marks.rect(Rect(at, y + 2, _ZERO, 16), 0, fill=theme.heat[0].fill, extra=line),
        marks.text(at + _ZERO / 2, y + 14, "≈0", 10.5, fill=theme.muted, anchor="middle"),
    ]
    for i, heat in enumerate(theme.heat[1:] if scale else ()):
        bin = Rect(at + _ZERO + 1 + _BIN * i, y + 2, _BIN, 16)
        lines.append(marks.rect(bin, 0, fill=heat.fill))
    return lines


def ends_of(scale: Scale | None) -> str:
    """The ends of a scale in words.

    Examples
    --------
    >>> ends_of(Scale(0.001, 2.5))
    '0.001 … 2.500 (log scale; ≈0: less, or 0)'
    """
    if scale is None:
        return ""
    low, high = figures.number(scale.low), figures.number(scale.high)
    return low if low == high else f"{low} … {high} (log scale; ≈0: less, or 0)"
