"""What a layout consists of.  All lengths are points; y grows downwards, as in SVG."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from tinygrad_rnn.viz.scene import Edge

Point = tuple[float, float]
Span = tuple[float, float]  # from one x to another


@dataclass(slots=True)
class Rect:
    """A rectangle, by its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The x of the right side."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The y of the lower side."""
        return self.y + self.height


@dataclass(slots=True)
class Wire:
    """The path of an edge from its source to its target.

    Either the corners of a polyline, which painters round, or, if ``curved``, the control points
    of cubic Bézier curves: the start, and three more for each piece.
    """

    edge: Edge
    points: list[Point]
    curved: bool = False

    def corners(self) -> list[Point]:
        """The path as a polyline, with a few points of each curve."""
        if not self.curved:
            return self.points
        found = self.points[:1]
        for i in range(0, len(self.points) - 1, 3):
            found += [bezier(self.points[i : i + 4], k / 6) for k in range(1, 7)]
        return found

    @property
    def is_straight(self) -> bool:
        """Whether it runs straight up or across."""
        (x, y), (to_x, to_y) = self.points[0], self.points[-1]
        return len(self.points) == 2 and (abs(x - to_x) < 0.5 or abs(y - to_y) < 0.5)


@dataclass(slots=True)
class Frame:
    """A labelled area behind the boxes: a time ``step`` or a ``layer`` at one step."""

    kind: str
    label: str
    rect: Rect


@dataclass(slots=True)
class Layout:
    """A laid-out scene; boxes by their index."""

    boxes: dict[int, Rect] = field(default_factory=dict)
    wires: list[Wire] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    width: float = 0
    height: float = 0

    def settle(self) -> Layout:
        """Move everything so that the upper left corner is at 0, 0, and note the size."""
        rects = [*self.boxes.values(), *(frame.rect for frame in self.frames)]
        points = [point for wire in self.wires for point in wire.points]
        left = min([r.x for r in rects] + [x for x, _ in points])
        top = min([r.y for r in rects] + [y for _, y in points])
        for rect in rects:
            rect.x, rect.y = rect.x - left, rect.y - top
        for wire in self.wires:
            wire.points = [(x - left, y - top) for x, y in wire.points]
        self.width = max([r.right for r in rects] + [x - left for x, _ in points])
        self.height = max([r.bottom for r in rects] + [y - top for _, y in points])
        return self


def bezier(p: list[Point], t: float) -> Point:
    """The point at ``t``, from 0 to 1, of the cubic Bézier curve with four control points.

    Examples
    --------
    >>> bezier([(0.0, 0.0), (0.0, 1.0), (2.0, 1.0), (2.0, 0.0)], 0.5)
    (1.0, 0.75)
    """
    a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
    x, y = (a * p[0][k] + b * p[1][k] + c * p[2][k] + d * p[3][k] for k in (0, 1))
    return x, y


def towards(point: Point, others: list[Point], distance: float) -> Point:
    """The point moved towards the first of the others that lies elsewhere."""
    for x, y in others:
        length = math.dist(point, (x, y))
        if length > 0.01:
            part = min(distance / length, 1)
            return point[0] + (x - point[0]) * part, point[1] + (y - point[1]) * part
    return point


def nearest_clear(x: float, spans: Iterable[Span]) -> float:
    """The place nearest to an x that lies inside of no span; of two as near, the lower one.

    Examples
    --------
    >>> nearest_clear(4.0, [(0.0, 5.0), (3.0, 9.0), (9.0, 12.0)])
    0.0
    >>> nearest_clear(9.0, [(0.0, 5.0), (3.0, 9.0), (9.0, 12.0)])
    9.0
    """
    left = right = -math.inf
    for low, high in sorted(spans):
        if low < right:  # it lengthens what the ones before it cover
            right = max(right, high)
        elif left < x < right:
            break
        else:
            left, right = low, high
    return min(left, right, key=lambda end: abs(end - x)) if left < x < right else x
