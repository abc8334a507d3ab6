"""The marks that pictures consist of: SVG text for one shape, or for one line of writing.

Every picture is made of these, so that they all look alike: a line of text, a rectangle, the
path of a wire, an arrowhead, the pill round a number.
"""

from __future__ import annotations

import math
from itertools import pairwise

from tinygrad_rnn.viz.layout.model import Point, Rect, Wire, towards
from tinygrad_rnn.viz.measure import PILL, pill_width
from tinygrad_rnn.viz.text import MONO, has_han, xml
from tinygrad_rnn.writing.palette import Theme

MOST_DELAYS = 4  # squares on a wire; its name counts the steps
HALO_OPACITY = 0.55  # of a gradient under its wire
_BEND = 8.0  # the radius of a wire's corners
_STOP = 6.0  # half of the bar at the end of a wire along which nothing flows


def n(x: float) -> str:
    """A coordinate, as short as it can be at a tenth of a point.

    Examples
    --------
    >>> n(12.04), n(1 / 3)
    ('12', '0.3')
    """
    return f"{x:.1f}".removesuffix(".0")


def xy(point: Point) -> str:
    """A point as paths have it.

    Examples
    --------
    >>> xy((1.0, 2.5))
    '1 2.5'
    """
    return f"{point[0]:.1f} {point[1]:.1f}".replace(".0", "")  # as `n`, both at once


def text(
    x: float,
    y: float,
    line: str,
    size: float,
    *,
    fill: str = "",
    bold: bool = False,
    italic: bool = False,
    mono: bool = False,
    anchor: str = "",
    label: str = "",
) -> str:
    """One line of writing; ``label`` is its class, by which tests and style sheets find it.

    Chinese writing has no italics, and no type in which all letters are equally wide.

    Examples
    --------
    >>> text(0, 9, "a < b", 9, label="name")
    '<text x="0" y="9" font-size="9" class="name">a &lt; b</text>'
    """
    if has_han(line):
        italic = mono = False
    look = f' class="{label}"' if label else ""
    look += f' fill="{fill}"' if fill else ""
    look += ' font-weight="bold"' if bold else ""
    look += ' font-style="italic"' if italic else ""
    look += f' font-family="{MONO}"' if mono else ""
    look += f' text-anchor="{anchor}"' if anchor else ""
    look += ' xml:space="preserve"' if "  " in line else ""
    place = f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:.1f}"'.replace(".0", "")
    return f"{place}{look}>{xml(line)}</text>"


def rect(r: Rect, radius: float = 0, *, fill: str, extra: str = "") -> str:
    """A rectangle; ``extra`` holds further attributes, each with a blank before it."""
    place = f'<rect x="{r.x:.1f}" y="{r.y:.1f}" width="{r.width:.1f}" height="{r.height:.1f}" '
    return f'{place.replace(".0", "")}rx="{n(radius)}" fill="{fill}"{extra}/>'


def foot(r: Rect, radius: float) -> str:
    """The path of a rectangle whose lower corners are round: the last row of a box."""
    k = n(radius)
    return (
        f"M{n(r.x)} {n(r.y)}H{n(r.right)}V{n(r.bottom - radius)}a{k} {k} 0 0 1 -{k} {k}"
        f"H{n(r.x + radius)}a{k} {k} 0 0 1 -{k} -{k}Z"
    )


def roof(r: Rect, radius: float) -> str:
    """The path of a rectangle whose upper corners are round: the header of a box."""
    k = n(radius)
    return (
        f"M{n(r.x)} {n(r.bottom)}V{n(r.y + radius)}a{k} {k} 0 0 1 {k} -{k}"
        f"H{n(r.right - radius)}a{k} {k} 0 0 1 {k} {k}V{n(r.bottom)}Z"
    )


def wire(way: Wire, start: float = 0, end: float = 0) -> str:
    """The path of a wire, shortened at its ends to make room for arrowheads."""
    points = list(way.points)
    points[0] = towards(points[0], points[1:], start)
    points[-1] = towards(points[-1], points[-2::-1], end)
    if way.curved:
        pieces = (points[i : i + 3] for i in range(1, len(points) - 2, 3))
        return f"M{xy(points[0])}" + "".join("C" + " ".join(map(xy, piece)) for piece in pieces)
    return _rounded(points)


def _rounded(points: list[Point]) -> str:
    """A polyline with round corners."""
    d = f"M{xy(points[0])}"
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        radius = min(_BEND, math.dist(before, corner) / 2, math.dist(corner, after) / 2)
        enters, leaves = towards(corner, [before], radius), towards(corner, [after], radius)
        d += f"L{xy(enters)}Q{xy(corner)} {xy(leaves)}"
    return d + f"L{xy(points[-1])}"


def head(
    tip: Point, others: list[Point], length: float, half: float, fill: str, extra: str = ""
) -> str:
    """An arrowhead at ``tip``, coming from the first of the others that lies elsewhere."""
    return f'<path d="{head_path(tip, others, length, half)}" fill="{fill}"{extra}/>'


def head_path(tip: Point, others: list[Point], length: float, half: float) -> str:
    """The path of an arrowhead."""
    far = towards(tip, others, 1e9)
    size = math.dist(tip, far) or 1
    ux, uy = (far[0] - tip[0]) / size, (far[1] - tip[1]) / size
    x, y = tip[0] + ux * length, tip[1] + uy * length
    wings = (x - uy * half, y + ux * half), (x + uy * half, y - ux * half)
    return f"M{xy(tip)}L{xy(wings[0])}L{xy(wings[1])}Z"


def delays(way: Wire, fill: str) -> list[str]:
    """A square on a wire for each time step that passes, on its longest upright part."""
    a, b = max(pairwise(way.points), key=lambda ends: abs(ends[0][1] - ends[1][1]))
    x, y, steps = (a[0] + b[0]) / 2, (a[1] + b[1]) / 2, abs(way.edge.delay)
    tops = [y - 4.5 + 13 * (i - (steps - 1) / 2) for i in range(min(steps, MOST_DELAYS))]
    return [rect(Rect(x - 4.5, top, 9, 9), fill=fill, extra=' class="delay"') for top in tops]


def stop(tip: Point, others: list[Point], look: str) -> str:
    """A bar across the end of a wire, which comes from the first of the others elsewhere."""
    return f'<path d="{stop_path(tip, others)}"{look}/>'


def stop_path(tip: Point, others: list[Point]) -> str:
    """The path of such a bar."""
    far = towards(tip, others, 1e9)
    size = math.dist(tip, far) or 1
    ux, uy = (far[0] - tip[0]) / size, (far[1] - tip[1]) / size
    x, y = tip[0] + ux * 3, tip[1] + uy * 3
    ends = (x - uy * _STOP, y + ux * _STOP), (x + uy * _STOP, y - ux * _STOP)
    return f"M{xy(ends[0])}L{xy(ends[1])}"


def zero(x: float, bottom: float, wide: float, theme: Theme) -> str:
    """The line at the lower side of an area: the gradient that it shows is zero exactly."""
    d = f"M{n(x)} {n(bottom - 1.5)}h{n(wide)}"
    return f'<path class="zero" d="{d}" stroke="{theme.muted}" stroke-width="2"/>'


def pill(right: float, y: float, visit: str, theme: Theme) -> list[str]:
    """The pill round a number in the backward walk, by the middle of its right side."""
    size = pill_width(visit)
    ring = f' stroke="{theme.heat[5].fill}" stroke-width="1.5"'
    return [
        rect(Rect(right - size, y - 9, size, 18), 9, fill=theme.paper, extra=ring),
        text(right - size / 2, y + 4, visit, PILL, fill=theme.gradient, bold=True,
              anchor="middle", label="visit"),
    ]  # fmt: skip
