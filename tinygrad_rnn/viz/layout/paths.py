"""Which way each edge will run in the score layout, before anything has coordinates.

An edge inside a block rises as Graphviz led it.  One from a parameter follows its rail.  One to
another time step turns into the gutter beside its source's column, and any other that has to
pass a row goes straight up (or down) where that row is free.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinygrad_rnn.reading.roles import OUTER
from tinygrad_rnn.viz.layout.rows import PictureRows
from tinygrad_rnn.viz.scene import Box, Edge, Scene

PORT = 15.0  # between two wires' ends on one box
EDGE = 16.0  # from a box's corner to the first wire


@dataclass(slots=True)
class Path:
    """How an edge will run: between which gaps, and where it crosses the rows in between."""

    edge: Edge
    leaves: int = -1  # the gap above the source
    enters: int = 0  # the gap below the target
    gutter: int | None = None
    shared: int = 0  # wires with one origin, or one goal, may share lanes
    sideways: bool = False  # leaves its source at the right side
    upright: float | None = None  # the x at which it crosses rows outside a gutter
    port: float | None = None  # where it meets its target, from the middle of the box, if fixed
    start: float = 0.0  # the x of both ends
    end: float = 0.0
    through: tuple[float, ...] | None = None  # for an edge in a template: x at each row
    lane: bool = False  # straight from one box's side to the next one's, along their lanes

    @property
    def is_rail(self) -> bool:
        """Whether it comes from a parameter, which stands outside all rows."""
        return self.leaves < 0


def paths_of(scene: Scene, rows: PictureRows) -> list[Path]:
    """The paths of all edges, in the edges' order."""
    return _Planner(scene, rows).paths()


class _Planner:
    def __init__(self, scene: Scene, rows: PictureRows) -> None:
        self.scene, self.rows = scene, rows
        self.taken: set[tuple[int, int]] = set()  # lanes' ends: box and lane

    def paths(self) -> list[Path]:
        paths = [self._path(edge) for edge in self.scene.edges]
        self._ports(paths)
        return paths

    def _path(self, edge: Edge) -> Path:
        source, target = self.scene.boxes[edge.source], self.scene.boxes[edge.target]
        path = Path(edge, enters=self.rows.of[edge.target], shared=edge.source)
        if source.region == "left":
            return path
        path.leaves = self.rows.of[edge.source] + 1
        if edge.lanes is not None and self._are_neighbours(source, target):
            ends = {(edge.source, -1 - edge.lanes[0]), (edge.target, edge.lanes[1])}
            if not ends & self.taken:
                self.taken |= ends
                path.lane = True
                return path
        if edge.delay:
            self._go_round(path, source)
            return path
        block = self.rows.block_of.get(edge.source)
        if block is not None and (edge.source, edge.target) in block.pairs:
            if path.leaves > path.enters:  # back down: steps drawn as one feed each other
                return path
            pair = block.pairs[edge.source, edge.target]
            path.through = block.template.passages.get(pair, ())
        elif source.region in OUTER and target.region == "step":
            path.gutter = 0 if source.region == "before" else len(self.scene.steps)
            path.sideways = self._is_alone(source)
        elif source.region == target.region == "step" and source.step != target.step:
            columns = self.rows.column_of
            here, there = columns[source.step], columns[target.step]
            if path.leaves != path.enters:
                path.gutter = here + 1 if there > here else here
        elif target.region == "top":
            path.shared = edge.target
        return path

    def _go_round(self, path: Path, source: Box) -> None:
        """Lead what the next step reads, where steps are drawn as one, out and in again."""
        if source.step is not None:
            path.gutter = self.rows.column_of[source.step] + (path.edge.delay > 0)

    def _are_neighbours(self, source: Box, target: Box) -> bool:
        """Whether nothing stands between two boxes of one row."""
        if self.rows.of[source.index] != self.rows.of[target.index]:
            return False
        blocks = (self.rows.block_of.get(box.index) for box in (source, target))
        if any(block is not None and len(block.members) > 1 for block in blocks):
            return False
        columns, last = self.rows.column_of, len(self.scene.steps)
        outer = {"before": -1, "after": last}
        here, there = (outer.get(b.region, columns.get(b.step, last)) for b in (source, target))
        return abs(here - there) == 1

    def _is_alone(self, box: Box) -> bool:
        """Whether no other initial state can stand between the box and the steps."""
        rows = self.rows
        beside = [b for b in rows.boxes(box.region) if rows.of[b.index] == rows.of[box.index]]
        return len(beside) == 1

    def _ports(self, paths: list[Path]) -> None:
        """Give rails and what comes from other steps their places at the left of their targets."""
        arriving: dict[int, list[Path]] = {}
        for path in paths:
            if path.lane:
                continue
            arriving.setdefault(path.edge.target, []).append(path)
        for index, wires in arriving.items():
            half = self.scene.boxes[index].width / 2
            rails = [p for p in wires if p.is_rail]
            turns = [p for p in wires if p.gutter is not None]
            rising = len(wires) - len(rails) - len(turns)
            round_ = [p for p in turns if p.edge.delay > 0]
            for i, path in enumerate(round_):  # from the gutter at the right
                path.port = half - EDGE - i * PORT
            turns = [p for p in turns if p not in round_]
            turns, middle = (turns, []) if rising else ([], turns)
            room = half - EDGE - PORT * ((rising or len(middle)) + 1) / 2
            edge = [-half + EDGE + x for x in _evenly(len(rails) + len(turns), PORT, room)]
            centre = _centred(len(middle), PORT, 2 * (half - EDGE))
            for path, port in zip([*rails, *turns, *middle], [*edge, *centre], strict=True):
                path.port = port


def _centred(count: int, apart: float, room: float) -> list[float]:
    step = min(apart, room / (count - 1)) if count > 1 else 0.0
    return [(i - (count - 1) / 2) * step for i in range(count)]


def _evenly(count: int, apart: float, room: float) -> list[float]:
    """Offsets from 0, ``apart`` or, where there is no room for that, closer."""
    step = min(apart, max(room, 0.0) / (count - 1)) if count > 1 else 0.0
    return [i * step for i in range(count)]
