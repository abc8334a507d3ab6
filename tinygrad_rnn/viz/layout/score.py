"""The score layout: time steps are columns, layers are bands, boxes stand in rows.

Rows run through the whole picture, and so do the gaps between them: no box ever stands in a gap
or in the gutter between two columns.  Wires run only there, each in a lane of its own, so none
of them can cross a box.  While it is computed y is a height that grows upwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from itertools import pairwise

from tinygrad_rnn.viz.layout.lanes import PAIRED, UNDERLAID, Channel, spread
from tinygrad_rnn.viz.layout.model import Frame, Layout, Point, Rect, Span, Wire, nearest_clear
from tinygrad_rnn.viz.layout.paths import Path, paths_of
from tinygrad_rnn.viz.layout.ports import choose_ports
from tinygrad_rnn.viz.layout.rows import PictureRows
from tinygrad_rnn.viz.measure import lane_middle
from tinygrad_rnn.viz.scene import Box, Scene
from tinygrad_rnn.viz.text import width
from tinygrad_rnn.writing.text import clean

RAIL, ARRIVAL, DEPARTURE = 0, 1, 2  # kinds of lanes in a gap, from its top to its bottom
COLUMN_PAD, FRAME_PAD = 20.0, 10.0
COLUMN_HEAD, COLUMN_FOOT, FRAME_HEAD, FRAME_FOOT = 40.0, 18.0, 24.0, 12.0
LEFT_APART = 12.0
STEP = 16.0  # the size of the labels of steps


def score(scene: Scene) -> Layout:
    """Lay out a scene that has time steps."""
    return _Score(scene).layout()


class _Score:
    def __init__(self, scene: Scene) -> None:
        self.scene, self.rows = scene, PictureRows(scene)
        self.row = self.rows.of
        self.x: dict[int, float] = {}  # centres
        self.gutter_left: list[float] = []
        self.column: list[Span] = []
        self.room = PAIRED if scene.paired else UNDERLAID

    def layout(self) -> Layout:
        self.paths = paths_of(self.scene, self.rows)
        initial = {box.index for box in self.scene.boxes.values() if box.style == "initial"}
        self.goals = {p.edge.source: p for p in self.paths if p.lane and p.edge.source in initial}
        self._columns()
        self._cross_rows()
        exits = {index: self._leftmost_exit(index) for index in self.row}
        choose_ports(self.paths, self.scene.boxes, self.x, exits, self.room.port)
        self._lanes()
        self._heights()
        self._left()
        return self._result()

    # -- x ---------------------------------------------------------------------------------

    def _columns(self) -> None:
        """Fix every x: the initial states, the gutters and the columns, left to right."""
        steps = self.scene.steps
        self.gutters = [Channel() for _ in range(len(steps) + 1)]
        for path in self.paths:
            if path.gutter is not None:
                leaves = path.leaves - 0.5 if path.sideways else path.leaves
                self.gutters[path.gutter].add(0, path.shared, leaves, path.enters)
        widths = [self._column_width(step) for step in steps]
        outer = {0: self._initial("before"), len(steps): self._initial("after")}
        x = 0.0
        for i, gutter in enumerate(self.gutters):
            gutter.assign()
            used = bool(gutter.count) or 0 < i < len(steps) or bool(outer[i])
            self.gutter_left.append(x + self.room.clear)
            x += max(self.room.gutter, self.room.lanes(gutter.count)) if used else 0
            if i < len(steps):
                self.column.append((x, x + widths[i]))
                x += widths[i]
        self._stand(outer[0], 0.0, -1)
        self._stand(outer[len(steps)], x, 1)
        for block in self.rows.blocks:
            left, right = self.column[0][0], self.column[-1][1]
            if block.step is not None:
                left, right = self.column[self.rows.column_of[block.step]]
            start = (left + right - block.template.width) / 2
            for index, (centre, _) in zip(block.members, block.template.slots, strict=True):
                self.x[index] = start + centre
            block.start = start
        for path in self.paths:
            edge = path.edge
            if path.through:
                start = self.rows.block_of[edge.source].start
                path.through = tuple(start + at for at in path.through)
            path.end = self.x[edge.target] + (path.port or 0.0)
            if not path.is_rail:
                path.start = self.x[edge.source] + self._exit(path)

    def _column_width(self, step: int) -> float:
        widths = [
            block.template.width
            + 2 * COLUMN_PAD
            + (2 * FRAME_PAD if self.rows.is_framed(block) else 0)
            for block in self.rows.blocks
            if block.step == step
        ]
        return max(widths)

    def _initial(self, region: str) -> list[list[Box]]:
        """The initial states before, or after, the steps; those of one row stand side by side.

        One above the other they stand if all they have is a wire along a lane each.
        """
        wires = Counter(i for edge in self.scene.edges for i in (edge.source, edge.target))
        boxes = self.rows.boxes(region)
        busy = {self.row[b.index] for b in boxes if self._lane_of(b) < 0 or wires[b.index] > 1}
        rows: dict[Hashable, list[Box]] = {}
        for box in boxes:
            row, lane = self.row[box.index], self._lane_of(box)
            rows.setdefault((row, -1 if row in busy else lane), []).append(box)
        inwards = 1 if region == "before" else -1  # lower lanes are nearer to the steps
        return [sorted(boxes, key=lambda b: inwards * self._lane_of(b)) for boxes in rows.values()]

    def _lane_of(self, box: Box) -> int:
        """The lane to which an initial state leads, counted from the top; -1: to none."""
        goal = self.goals.get(box.index)
        return -1 if goal is None or goal.edge.lanes is None else goal.edge.lanes[1]

    def _stand(self, rows: list[list[Box]], start: float, way: int) -> None:
        """Place boxes side by side, from ``start`` to the left or to the right."""
        for boxes in rows:
            x = start
            for box in boxes[::way]:
                self.x[box.index] = x + way * box.width / 2
                x += way * (box.width + LEFT_APART)

    def _exit(self, path: Path) -> float:
        """Where a wire leaves its source, from the middle of the box."""
        half = self.scene.boxes[path.edge.source].width / 2
        if path.sideways:
            return half if self.scene.boxes[path.edge.source].region == "before" else -half
        if path.gutter is None:
            return 0.0
        if self.x[path.edge.target] > self.x[path.edge.source] or path.edge.delay > 0:
            return half - 24
        return min(self._leftmost_exit(path.edge.source) - self.x[path.edge.source], half - 24)

    def _leftmost_exit(self, index: int) -> float:
        """Where a wire may leave a box near its left side without crossing a step's label."""
        box, top = self.scene.boxes[index], self.rows.first[-2] - 1
        corner = self.x[index] - box.width / 2 + 24
        if self.row[index] != top or box.step is None:
            return corner
        left, _ = self.column[self.rows.column_of[box.step]]
        label = width(self.scene.labels[box.step], STEP, bold=True)
        return max(corner, left + 12 + label + self.room.beside)

    def _cross_rows(self) -> None:
        """Find, for wires that rise past rows outside a gutter, an x where no box stands."""
        boxes, uprights = self._obstacles(), self._uprights()
        apart = self.room.pitch + self.room.beside
        for path in self.paths:
            if path.is_rail or path.lane or path.through is not None or path.gutter is not None:
                continue
            low, high = sorted((path.leaves, path.enters))
            if low == high:
                continue
            to_top = self.scene.boxes[path.edge.target].region == "top"
            wishes = [path.end, path.start]
            if to_top:  # out of its own column, lest it look like an edge between steps
                wishes = [path.start, path.end][
                    : 1 + self._in_column_of(path.edge.source, path.end)
                ]
            spans = [span for row in range(low, high) for span in boxes[row]]
            spans += [
                (x - apart, x + apart)
                for x, bottom, top, shared in uprights
                if shared != path.shared and bottom <= high and low <= top
            ]
            path.upright = _free(wishes, spans)
            uprights.append((path.upright, low, high, path.shared))

    def _in_column_of(self, index: int, x: float) -> bool:
        """Whether an x lies in the column in which a box stands, if it stands in any."""
        step = self.scene.boxes[index].step
        if step is None:
            return True
        left, right = self.column[self.rows.column_of[step]]
        return left < x < right

    def _obstacles(self) -> list[list[Span]]:
        """What stands in each row: boxes, and under the frames' labels it shall stay free too."""
        taken: list[list[Span]] = [[] for _ in range(self.rows.count)]
        for index, row in self.row.items():
            half = self.scene.boxes[index].width / 2 + self.room.beside
            taken[row].append((self.x[index] - half, self.x[index] + half))
        for key, (left, _) in zip(self.scene.steps, self.column, strict=True):
            label = width(self.scene.labels[key], STEP, bold=True)
            taken[self.rows.first[-2] - 1].append((left - 12, left + label + 24))
        for block in self.rows.blocks:
            if self.rows.is_framed(block):
                left = self.column[self.rows.column_of[block.step]][0] + FRAME_PAD
                name = width(self.rows.name_of(block), 12, bold=True)
                taken[self.rows.first[block.tier + 1] - 1].append(
                    (left - FRAME_PAD - 12, left + name + 14)
                )
        return taken

    def _uprights(self) -> list[tuple[float, int, int, int]]:
        """The upright parts of wires that are fixed already: x, from and to which gap, whose."""
        found = []
        for path in self.paths:
            for row, x in enumerate(path.through or (), path.leaves):
                found.append((x, row, row + 1, -1))
            if path.gutter is not None:
                low, high = sorted((path.leaves, path.enters))
                found.append((self._gutter_x(path), low - 1, high + 1, -1))
        return found

    def _gutter_x(self, path: Path) -> float:
        assert path.gutter is not None
        lane = self.gutters[path.gutter].lane(0, path.shared)
        extra = self.room.gutter - self.room.lanes(self.gutters[path.gutter].count)
        return self.gutter_left[path.gutter] + lane * self.room.pitch + max(0.0, extra) / 2

    # -- y ---------------------------------------------------------------------------------

    def _lanes(self) -> None:
        """Collect what runs along each gap, and give it lanes."""
        self.gaps = [Channel() for _ in range(self.rows.count + 1)]
        for path in self.paths:
            key = path.shared
            if path.lane:
                continue
            if path.is_rail:
                self.gaps[path.enters].add(RAIL, key, -1e6, path.end)
                continue
            turn = self._gutter_x(path) if path.gutter is not None else path.upright
            if path.through is not None:
                continue
            if turn is None:
                if path.start != path.end:
                    self.gaps[path.enters].add(ARRIVAL, key, path.start, path.end)
                continue
            if not path.sideways and turn != path.start:
                self.gaps[path.leaves].add(DEPARTURE, key, path.start, turn)
            if turn != path.end:
                self.gaps[path.enters].add(ARRIVAL, key, turn, path.end)
        for gap in self.gaps:
            gap.assign(apart=self.room.pitch)

    def _heights(self) -> None:
        """Stack gaps and rows from the bottom up."""
        tall = [0.0] * self.rows.count
        for index, row in self.row.items():
            tall[row] = max(tall[row], self.scene.boxes[index].height)
        below, above = self._decorations()
        self.row_bottom, self.row_top, self.lane_top = [], [], []
        y = 0.0
        for gap in range(self.rows.count + 1):
            outer = gap in (0, self.rows.count)
            lanes = self.gaps[gap].count
            space = self.room.lanes(lanes) if lanes else 0.0
            space = space if outer else max(self.room.gap - above[gap] - below[gap], space)
            y += above[gap]
            self.lane_top.append(y + (space + max(0, lanes - 1) * self.room.pitch) / 2)
            y += space + below[gap]
            if gap < self.rows.count:
                self.row_bottom.append(y)
                y += tall[gap]
                self.row_top.append(y)

    def _decorations(self) -> tuple[list[float], list[float]]:
        """Heights that frames need in each gap: under the row above, and over the row below."""
        below, above = [0.0] * (self.rows.count + 1), [0.0] * (self.rows.count + 1)
        for tier in range(1, len(self.rows.bands) + 1):
            if self.rows.is_framed_tier(tier):
                below[self.rows.first[tier]] += FRAME_FOOT
                above[self.rows.first[tier + 1]] += FRAME_HEAD
        below[self.rows.first[1]] += COLUMN_FOOT
        above[self.rows.first[-2]] += COLUMN_HEAD
        return below, above

    def _lane_y(self, gap: int, kind: int, key: int) -> float:
        return self.lane_top[gap] - self.gaps[gap].lane(kind, key) * self.room.pitch

    def _left(self) -> None:
        """Stand the parameters left of everything, each near the first of its rails."""
        self.rails: dict[int, list[Path]] = {box.index: [] for box in self.rows.boxes("left")}
        for path in self.paths:
            if path.is_rail:
                self.rails[path.edge.source].append(path)
        first = {
            index: self._lane_y(paths[0].enters, RAIL, index) for index, paths in self.rails.items()
        }
        order = sorted(self.rails, key=lambda index: (first[index], -index))
        heights = [self.scene.boxes[index].height for index in order]
        centres = spread([first[index] for index in order], heights, LEFT_APART)
        self.left_y = dict(zip(order, centres, strict=True))
        self.leaving: dict[int, float] = {}
        risers = Channel()
        for index in order:
            reach = self.scene.boxes[index].height / 2 - 10
            at = self.left_y[index]
            self.leaving[index] = min(max(first[index], at - reach), at + reach)
            for path in self.rails[index]:
                y = self._lane_y(path.enters, RAIL, index)
                if abs(y - self.leaving[index]) > 0.01:
                    risers.add(0, index, self.leaving[index], y)
        risers.assign(apart=self.room.pitch)
        inner = min([self.column[0][0], *self._lefts()])
        self.risers = risers
        self.riser_x = inner - 20
        self.left_x = self.riser_x - max(0, risers.count - 1) * self.room.pitch - 22

    def _lefts(self) -> list[float]:
        """How far to the left anything reaches."""
        boxes = [self.x[index] - self.scene.boxes[index].width / 2 for index in self.row]
        return boxes + [path.upright for path in self.paths if path.upright is not None]

    # -- the result ------------------------------------------------------------------------

    def _result(self) -> Layout:
        layout = Layout()
        for index, box in self.scene.boxes.items():
            if box.region == "left":
                x, y = self.left_x - box.width, self.left_y[index]
            else:
                x, y = self.x[index] - box.width / 2, self._middle(index)
            layout.boxes[index] = Rect(x, -y - box.height / 2, box.width, box.height)
        for path in self.paths:
            layout.wires.append(self._wire(path, layout.boxes))
        layout.frames = self._frames()
        return layout.settle()

    def _middle(self, index: int) -> float:
        """The height of a box's middle: that of its row, or for an initial state of its lane."""
        row = self.row[index]
        y = (self.row_bottom[row] + self.row_top[row]) / 2
        goal = self.goals.get(index)
        if goal is None or goal.edge.lanes is None:
            return y
        box = self.scene.boxes[goal.edge.target]
        return y + box.height / 2 - lane_middle(box, goal.edge.lanes[1])

    def _along(self, path: Path, source: Rect, target: Rect) -> Wire:
        """Straight from a box's side to the next box's."""
        assert path.edge.lanes is not None
        box = self.scene.boxes[path.edge.target]
        y = target.y + lane_middle(box, path.edge.lanes[1])
        ends = (source.right, target.x) if source.x < target.x else (source.x, target.right)
        return Wire(path.edge, [(x, y) for x in ends])

    def _wire(self, path: Path, rects: dict[int, Rect]) -> Wire:
        source, target = rects[path.edge.source], rects[path.edge.target]
        if path.lane:
            return self._along(path, source, target)
        if path.through is not None:
            return self._rising(path, source, target)
        if path.is_rail:
            points = self._rail(path, source)
        elif path.gutter is None and path.upright is None:
            points = [(path.start, -source.y)]
            if path.start != path.end:
                y = self._lane_y(path.enters, ARRIVAL, path.shared)
                points += [(path.start, y), (path.end, y)]
        else:
            points = self._turning(path, source)
        points.append((path.end, -target.bottom))
        return Wire(path.edge, [(x, -y) for x, y in points])

    def _rail(self, path: Path, source: Rect) -> list[Point]:
        index = path.edge.source
        y, leaving = self._lane_y(path.enters, RAIL, index), self.leaving[index]
        points = [(source.right, leaving)]
        if abs(y - leaving) > 0.01:
            x = self.riser_x - self.risers.lane(0, index) * self.room.pitch
            points += [(x, leaving), (x, y)]
        return [*points, (path.end, y)]

    def _turning(self, path: Path, source: Rect) -> list[Point]:
        turn = path.upright if path.gutter is None else self._gutter_x(path)
        assert turn is not None
        points = [(path.start, -source.y)]
        if path.sideways:
            y = -(source.y + source.height / 2)
            side = source.right if turn > source.x else source.x
            points = [(side, y), (turn, y)]
        elif turn != path.start:
            y = self._lane_y(path.leaves, DEPARTURE, path.shared)
            points += [(path.start, y), (turn, y)]
        if turn != path.end:
            y = self._lane_y(path.enters, ARRIVAL, path.shared)
            points += [(turn, y), (path.end, y)]
        return points

    def _rising(self, path: Path, source: Rect, target: Rect) -> Wire:
        """An edge inside a block: straight beside boxes, and bent only in the gaps."""
        xs = [path.start, *(path.through or ()), path.end]
        if max(xs) - min(xs) < 0.5:
            return Wire(path.edge, [(path.end, source.y), (path.end, target.bottom)])
        points: list[Point] = [(path.start, source.y)]
        for gap, (x, to) in enumerate(pairwise(xs), path.leaves):
            low, high = -self.row_top[gap - 1], -self.row_bottom[gap]
            bend = (low - high) * 0.5
            points += [(x, low), (x, low), (x, low)]
            points += [(x, low - bend), (to, high + bend), (to, high)]
        points += [(path.end, target.bottom)] * 3
        return Wire(path.edge, points, curved=True)

    def _frames(self) -> list[Frame]:
        low, high = self.rows.first[1], self.rows.first[-2] - 1
        bottom = -(self.row_bottom[low] - self._foot(1) - COLUMN_FOOT)
        top = -(self.row_top[high] + self._head(len(self.rows.bands)) + COLUMN_HEAD)
        frames = [
            Frame("step", self.scene.labels[step], Rect(x, top, right - x, bottom - top))
            for step, (x, right) in zip(self.scene.steps, self.column, strict=True)
        ]
        for block in self.rows.blocks:
            if self.rows.is_framed(block):
                x, right = self.column[self.rows.column_of[block.step]]
                rows = range(self.rows.first[block.tier], self.rows.first[block.tier + 1])
                y = -(self.row_top[rows[-1]] + FRAME_HEAD)
                height = -(self.row_bottom[rows[0]] - FRAME_FOOT) - y
                rect = Rect(x + FRAME_PAD, y, right - x - 2 * FRAME_PAD, height)
                frames.append(Frame("layer", clean(self.rows.name_of(block)), rect))
        return frames

    def _foot(self, tier: int) -> float:
        return FRAME_FOOT if self.rows.is_framed_tier(tier) else 0.0

    def _head(self, tier: int) -> float:
        return FRAME_HEAD if self.rows.is_framed_tier(tier) else 0.0


def _free(wishes: list[float], spans: list[Span]) -> float:
    """The first wish that no span holds, or else the x nearest to the first that none does."""
    nearest = [nearest_clear(x, spans) for x in wishes]
    return next((x for x, near in zip(wishes, nearest, strict=True) if near == x), nearest[0])
