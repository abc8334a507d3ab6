"""The lines of charts: no two differ in colour alone."""

from __future__ import annotations

from dataclasses import dataclass

from tinygrad_rnn.viz import marks
from tinygrad_rnn.viz.chart import Item
from tinygrad_rnn.viz.layout.model import Point

_MARKS = 12  # at most so many points of a line are marked


@dataclass(frozen=True, slots=True)
class Curve:
    """How a line looks, and what it is called in legends."""

    label: str
    colour: str
    thickness: float
    dashes: str
    mark: str  # disc, ring or triangle


def curve(points: list[Point], look: Curve, kind: str) -> list[str]:
    """A line through the points, some of them marked: always the last one."""
    dashes = f' stroke-dasharray="{look.dashes}"' if look.dashes else ""
    line = (
        f'<path class="{kind}" d="{path(points)}" fill="none" stroke="{look.colour}" '
        f'stroke-width="{look.thickness}" stroke-linejoin="round"{dashes}/>'
    )
    every = -(-len(points) // _MARKS)
    return [line, *(_mark(x, y, look) for x, y in points[::-every])]


def _mark(x: float, y: float, look: Curve) -> str:
    if look.mark == "triangle":
        d = f"M{marks.xy((x - 3.6, y + 2.6))}h7.2L{marks.xy((x, y - 3.8))}Z"
        return f'<path d="{d}" fill="{look.colour}"/>'
    fill, radius = (look.colour, 2.4) if look.mark == "disc" else ("none", 3.8)
    ring = f' stroke="{look.colour}" stroke-width="1.4"' if look.mark == "ring" else ""
    return f'<circle cx="{marks.n(x)}" cy="{marks.n(y)}" r="{radius}" fill="{fill}"{ring}/>'


def curve_item(look: Curve) -> Item:
    """What a line means, for legends."""

    def paint(x: float, y: float) -> list[str]:
        return curve([(x + step, y + 10) for step in (4, 20, 36)], look, "key")

    return Item(look.label, 46, paint)


def path(points: list[Point]) -> str:
    """The path through points, by straight lines."""
    return "M" + "L".join(map(marks.xy, points))
