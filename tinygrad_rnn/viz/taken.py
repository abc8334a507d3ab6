"""What of a page is taken: by boxes, wires and writing, and how bad it is to write over them."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from tinygrad_rnn.viz.layout.model import Point

WIRE, WRITING = 1, 100  # how bad it is to write over something
_WIDE, _HIGH = 96.0, 24.0  # of a square in which what lies there is looked up
_THICK = 3.0  # half of a wire, with the gradient that may lie under it

_Sides = tuple[float, float, float, float]  # of a rectangle: left, right, top and bottom
_NO_SQUARE: dict[_Sides, int] = {}
_NO_ROW: dict[tuple[float, float], _Stretches] = {}


@dataclass(slots=True)
class _Stretches:
    """Pieces of wires on one level, many of them on one another: where they begin, and end."""

    starts: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)

    def add(self, start: float, end: float) -> None:
        insort(self.starts, start)
        insort(self.ends, end)

    def between(self, start: float, end: float) -> int:
        """How many have a part there: those that begin before its end but for those that end
        before its start.
        """
        return bisect_left(self.starts, end) - bisect_right(self.ends, start)


class Taken:
    """What has its place already, looked up in a grid; the rail of a weight, in rows.

    A square has, of each rectangle in it, the sides that lie in it, endless where it goes on, and
    how bad it is to write there; a row has the levels on which wires run across.
    """

    def __init__(self) -> None:
        self._squares: dict[tuple[int, int], dict[_Sides, int]] = defaultdict(dict)
        self._rows: dict[int, dict[tuple[float, float], _Stretches]] = defaultdict(dict)

    def add(self, x: float, y: float, right: float, bottom: float, weight: int) -> None:
        """Take a rectangle, by its left, upper, right and lower side."""
        first, last, lowest = int(x // _WIDE), int(right // _WIDE), int(bottom // _HIGH)
        top = int(y // _HIGH)
        for i in range(first, last + 1):
            a, b = x if i == first else -math.inf, right if i == last else math.inf
            for j in range(top, lowest + 1):
                sides = a, b, y if j == top else -math.inf, bottom if j == lowest else math.inf
                square = self._squares[i, j]
                square[sides] = square.get(sides, 0) + weight

    def add_wire(self, corners: Iterable[Point]) -> None:
        """Take what a polyline covers."""
        for (x, y), (u, v) in pairwise(corners):
            left, right = min(x, u) - _THICK, max(x, u) + _THICK
            top, bottom = min(y, v) - _THICK, max(y, v) + _THICK
            if y == v:
                for j, over, under in _cut(top, bottom, _HIGH):
                    self._rows[j].setdefault((over, under), _Stretches()).add(left, right)
            else:
                self.add(left, top, right, bottom, WIRE)

    def cost(self, x: float, y: float, right: float, bottom: float, most: float) -> float:
        """How bad it is to write here, as far as it is not as bad as ``most``.

        What lies in several squares counts in the first one.
        """
        first, top = int(x // _WIDE), int(y // _HIGH)
        cost = 0
        for j in range(top, int(bottom // _HIGH) + 1):
            from_y = -math.inf if j == top else j * _HIGH
            for (over, under), stretches in self._rows.get(j, _NO_ROW).items():
                if from_y <= over < bottom and y < under:
                    cost += WIRE * stretches.between(x, right)
            for i in range(first, int(right // _WIDE) + 1):
                from_x = -math.inf if i == first else i * _WIDE
                for (a, b, c, d), weight in self._squares.get((i, j), _NO_SQUARE).items():
                    if from_x <= a < right and x < b and from_y <= c < bottom and y < d:
                        cost += weight
                        if cost >= most:
                            return most
        return cost


def _cut(start: float, end: float, size: float) -> list[tuple[int, float, float]]:
    """The squares of that size in which a stretch lies, each with those of its ends in there."""
    first, last = int(start // size), int(end // size)
    if first == last:
        return [(first, start, end)]
    within = [(i, -math.inf, math.inf) for i in range(first + 1, last)]
    return [(first, start, math.inf), *within, (last, -math.inf, end)]
