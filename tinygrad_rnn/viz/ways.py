"""How an edge is drawn, there and back, and where its name and its norm are written."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import NamedTuple

from tinygrad_rnn.utils.progress import progress_if_long
from tinygrad_rnn.viz.layout.model import Layout, Point, Rect, Wire
from tinygrad_rnn.viz.scene import Edge, Scene
from tinygrad_rnn.viz.taken import WRITING, Taken
from tinygrad_rnn.viz.text import fitted, width
from tinygrad_rnn.writing import figures

ON_WIRE, STRIP = 11.5, 44.0
_ASCENT, _DESCENT = 9.0, 3.0  # of writing of that size, with a little air
_BESIDE, _ABOVE, _BELOW = 7.0, 6.0, 15.0  # from a wire to writing, or to its base line
_FIRST, _NEXT = 10.0, 13.0  # along a wire: from its end to the first place, and to the next
_ROOMY, _NEAR, _FAR = 9.0, 3.0, 6.5  # from an edge's middle to its arrows there and back
_LONGEST_LABEL = 70.0  # it has to stand between two boxes
_FEW = 3  # gradients whose norms have room where they come together
_MOST_TRIED = 80  # places: what is farther from a wire's end says nothing of it


class Way(NamedTuple):
    """An edge as it is painted: there and back, on one path or on two side by side."""

    forward: Wire
    back: Wire
    apart: bool


class Label(NamedTuple):
    """What is written beside a wire, and where its base line begins."""

    kind: str  # "carried" (a name), "norm" (of its gradient), "strip" (over time), "peak" (of many)
    text: str
    x: float
    y: float
    edge: Edge | None = None  # of a norm, or of a strip


def ways_of(scene: Scene, layout: Layout) -> list[Way]:
    """How the wires of a layout are painted: beside or under them what flows back."""
    return [_way(wire, scene.paired) for wire in layout.wires]


def _way(wire: Wire, paired: bool) -> Way:
    if not paired or wire.edge.kind == "parameter":
        return Way(wire, wire, False)
    if wire.is_straight and not _is_level(wire):
        return Way(_beside(wire, -_ROOMY), _beside(wire, _ROOMY), True)
    left = -1 if _is_level(wire) and wire.points[0][0] > wire.points[-1][0] else 1
    return Way(_beside(wire, -_NEAR * left), _beside(wire, _FAR * left), True)


def _beside(wire: Wire, apart: float) -> Wire:
    """A wire's parallel, to its right, seen from its source, or to its left if that is less."""
    points = wire.points
    if wire.curved:  # rising: beside operations there are no parallels
        return Wire(wire.edge, [(x + apart, y) for x, y in points], curved=True)
    corners = [p for i, p in enumerate(points) if not i or math.dist(p, points[i - 1]) > 0.01]
    turns = [((b[0] - a[0]), (b[1] - a[1])) for a, b in pairwise(corners)]
    sides = [(-dy / math.hypot(dx, dy), dx / math.hypot(dx, dy)) for dx, dy in turns]
    ends = zip(corners, sides[:1] + sides, sides + sides[-1:], strict=True)
    return Wire(wire.edge, [_aside(corner, one, two, apart) for corner, one, two in ends])


def _aside(corner: Point, one: Point, two: Point, apart: float) -> Point:
    """Where the parallels of two pieces meet, given which way is to the side of each."""
    (a, b), (c, d) = one, two
    share = apart / (1 + a * c + b * d)
    return corner[0] + (a + c) * share, corner[1] + (b + d) * share


def labels_of(
    scene: Scene, layout: Layout, ways: list[Way], writing: Iterable[Rect] = ()
) -> list[Label]:
    """Write names and norms beside their wires, clear of boxes, of other writing and of wires.

    Beside boxes of operations, whose own gradients are written in them, only the parts of a sum
    have their norms written on their wires.  Each stands in the first place along its wire that
    is free, or in the least bad one; names and peaks are left out where there is none.
    """
    page = _Page()
    for rect in (*layout.boxes.values(), *writing):
        page.taken.add(rect.x, rect.y, rect.right, rect.bottom, WRITING)
    for way in ways:
        for wire in (way.forward, way.back) if way.apart else (way.forward,):
            page.taken.add_wire(wire.corners())
    flows = Counter(way.back.edge.source for way in ways if way.back.edge.norm is not None)
    branching = {source for source, times in flows.items() if times > 1}
    named = set()
    ways = sorted(ways, key=lambda way: not way.back.is_straight)  # which leave no choice
    for way in progress_if_long(ways, "writing beside wires"):
        edge = way.forward.edge
        if edge.strip is not None:
            page.write("strip", "", STRIP, _spots(way.back, STRIP, False, 1), edge)
        elif edge.norm is not None and (scene.paired or edge.source in branching):
            text = figures.number(edge.norm)
            first = scene.boxes[edge.target].region == "top"  # where many arrive, and few leave
            if way.apart:
                first |= way.back.is_straight and not _is_level(way.back)
            else:
                first |= flows[edge.source] <= _FEW and edge.kind != "parameter"
            size = width(text, ON_WIRE, mono=True)
            page.write("norm", text, size, _spots(way.back, size, first, 1), edge)
        origin = edge.source, edge.label, way.forward.points[0]
        if edge.label and origin not in named:
            named.add(origin)
            text = fitted(edge.label, ON_WIRE, _LONGEST_LABEL, bold=True)
            size = width(text, ON_WIRE, bold=True)
            page.write("carried", text, size, _spots(way.forward, size, True, -1), most=WRITING)
    for way in ways:
        if peak := way.forward.edge.peak:
            size = width(peak, ON_WIRE, mono=True)
            page.write("peak", peak, size, _spots(way.back, size, True, 1), most=WRITING)
    return page.written


def _is_level(wire: Wire) -> bool:
    """Whether a wire runs across: its norm stands at one end, and its name at the other."""
    return abs(wire.points[0][1] - wire.points[-1][1]) < 0.5


def _spots(wire: Wire, size: float, from_start: bool, side: int) -> Iterator[Point]:
    """Places for writing along a wire: where the base line would begin, the best one first.

    ``side`` is 1 for right of it and below, −1 for left and above.
    """
    points = wire.corners()
    for (x, y), (u, v) in pairwise(points if from_start else points[::-1]):
        length = math.dist((x, y), (u, v))
        down = _ASCENT if v > y else -2.0
        for along in _steps(length):
            at_x, at_y = x + (u - x) * along / length, y + (v - y) * along / length
            if abs(y - v) > 0.5:
                right, left = (at_x + _BESIDE, at_y + down), (at_x - _BESIDE - size, at_y + down)
                yield from (right, left) if side > 0 else (left, right)
            if abs(x - u) > 0.5:
                start = at_x if u > x else at_x - size
                below, above = (start, at_y + _BELOW), (start, at_y - _ABOVE)
                yield from (below, above) if side > 0 else (above, below)


def _steps(length: float) -> Iterator[float]:
    """How far along a piece writing may stand; of a short piece, in its middle."""
    if 1 < length < 2 * _FIRST:
        yield length / 2
    along = _FIRST
    while along <= length - _FIRST:
        yield along
        along += _NEXT


@dataclass(slots=True)
class _Page:
    """What is written, and what has its place already."""

    taken: Taken = field(default_factory=Taken)
    written: list[Label] = field(default_factory=list)

    def write(
        self,
        kind: str,
        text: str,
        size: float,
        spots: Iterable[Point],
        edge: Edge | None = None,
        most: float = math.inf,
    ) -> None:
        """Write in the first place that is free, or else in the least bad one, unless that is as
        bad as ``most``.
        """
        best: Point | None = None
        least = most
        for spot in islice(spots, _MOST_TRIED):
            cost = self.taken.cost(*_sides(*spot, size), least)
            if cost < least:
                best, least = spot, cost
            if not cost:
                break
        if best is not None:
            self.taken.add(*_sides(*best, size), WRITING)
            self.written.append(Label(kind, text, *best, edge))


def _sides(x: float, y: float, size: float) -> tuple[float, float, float, float]:
    """What writing covers: its left, upper, right and lower side."""
    return x - 2, y - _ASCENT, x + size + 2, y + _DESCENT
