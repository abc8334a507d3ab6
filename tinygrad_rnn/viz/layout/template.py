"""The layout of one group of boxes, such as a layer at a time step, by Graphviz.

Graphviz ranks the boxes and orders each rank so that few edges cross.  Its ranks become rows;
how high a row is, and what runs between the rows, is decided for the whole picture later.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tinygrad_rnn.viz.graphviz_backend import Coordinates, Point, coordinates
from tinygrad_rnn.viz.layout.model import bezier, nearest_clear

Pair = tuple[int, int]
_LOOK = "rankdir=BT nodesep=.17 ranksep=.45"  # inches: 12 and 32 points


@dataclass(frozen=True, slots=True)
class Template:
    """Where the members of a group stand: centre x and row, counted from the bottom.

    ``passages`` has, for an edge that spans several rows, the x at which it crosses each.
    """

    width: float
    rows: int
    slots: tuple[tuple[float, int], ...]
    passages: dict[Pair, tuple[float, ...]]


def template(sizes: list[tuple[float, float]], pairs: list[Pair]) -> Template:
    """Lay out members of the given sizes, joined by the given edges."""
    if len(sizes) == 1:
        return Template(sizes[0][0], 1, ((sizes[0][0] / 2, 0),), {})
    height = max(h for _, h in sizes)  # one for all: an edge may pass anywhere beside a box
    even = {i: (w, height) for i, (w, _) in enumerate(sizes)}
    found = placed(even, pairs, _LOOK)
    centres = [found.nodes[f"n{i}"] for i in range(len(sizes))]
    levels = _levels([y for _, y in centres])
    left = min(x - w / 2 for (x, _), (w, _) in zip(centres, sizes, strict=True))
    right = max(x + w / 2 for (x, _), (w, _) in zip(centres, sizes, strict=True))
    slots = tuple((x - left, bisect_left(levels, y - 1)) for x, y in centres)
    passages = {}
    for a, b in pairs:
        between = range(slots[a][1] + 1, slots[b][1])
        spline = found.splines[f"n{a}", f"n{b}"]
        if between:
            crossed = [_at(spline, levels[row]) - left for row in between]
            passages[a, b] = tuple(
                _beside(x, row, slots, sizes) for x, row in zip(crossed, between, strict=True)
            )
    reach = [x for xs in passages.values() for x in xs]
    shift = max(0.0, *(8 - x for x in reach)) if reach else 0.0
    return Template(
        max([right - left, *(x + 8 for x in reach)]) + shift,
        len(levels),
        tuple((x + shift, row) for x, row in slots),
        {pair: tuple(x + shift for x in xs) for pair, xs in passages.items()},
    )


def placed(
    sizes: Mapping[int, tuple[float, float]],
    pairs: list[Pair],
    look: str,
    loose: Collection[Pair] = (),
) -> Coordinates:
    """Where Graphviz puts plain boxes of fixed size (points); ``loose`` edges do not rank."""
    lines = [f"digraph {{ graph [{look}]; node [shape=box fixedsize=true]; edge [dir=none];"]
    lines += [f"n{i} [width={w / 72:.4f} height={h / 72:.4f}];" for i, (w, h) in sizes.items()]
    lines += [f"n{a} -> n{b}{' [constraint=false]' if (a, b) in loose else ''};" for a, b in pairs]
    edges = [(f"n{a}", f"n{b}") for a, b in pairs]
    return coordinates("\n".join([*lines, "}"]), [f"n{i}" for i in sizes], edges)


def _levels(ys: list[float]) -> list[float]:
    """The distinct heights, but for rounding."""
    levels: list[float] = []
    for y in sorted(ys):
        if not levels or y - levels[-1] > 1:
            levels.append(y)
    return levels


def _at(spline: list[Point], y: float) -> float:
    """The x at which a rising Bézier spline reaches the height ``y``."""
    for i in range(0, len(spline) - 1, 3):
        piece = spline[i : i + 4]
        if piece[0][1] <= y <= piece[3][1]:
            low, high = 0.0, 1.0
            for _ in range(30):
                middle = (low + high) / 2
                low, high = (middle, high) if bezier(piece, middle)[1] < y else (low, middle)
            return bezier(piece, low)[0]
    return min(spline, key=lambda p: abs(p[1] - y))[0]


def _beside(
    x: float, row: int, slots: tuple[tuple[float, int], ...], sizes: list[tuple[float, float]]
) -> float:
    """The x nearest to the given one that keeps clear of the row's boxes."""
    placed = zip(slots, sizes, strict=True)
    spans = [(at - wide / 2 - 6, at + wide / 2 + 6) for (at, r), (wide, _) in placed if r == row]
    return nearest_clear(x, spans)
