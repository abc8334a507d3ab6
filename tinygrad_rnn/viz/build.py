"""From a graph to a scene: which boxes and edges there are, and how warm they look."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from tinygrad_rnn.engine.graph import Node, tape
from tinygrad_rnn.reading.cells import Wires, gather_outputs, wires_of
from tinygrad_rnn.reading.given import is_inline
from tinygrad_rnn.reading.layers import Layer
from tinygrad_rnn.reading.names import names
from tinygrad_rnn.reading.roles import Roles, roles_of
from tinygrad_rnn.utils.progress import progress_if_long
from tinygrad_rnn.viz import measure
from tinygrad_rnn.viz.boxes import Boxes
from tinygrad_rnn.viz.grouping import Columns, Group, Steps, groups_of
from tinygrad_rnn.viz.midst import without_midst
from tinygrad_rnn.viz.options import TooManyBoxes, most, title_or
from tinygrad_rnn.viz.scene import Box, Course, Edge, Lane, Row, Scene, Strip
from tinygrad_rnn.viz.source import NOT_KEPT, NOT_YET, Source
from tinygrad_rnn.writing import figures
from tinygrad_rnn.writing.figures import Scale, count, ordinal
from tinygrad_rnn.writing.norms import add_to

READABLE = 300  # boxes of an operation-level picture
ENDS = (8, 6, 4, 3, 2, 1)  # operations at both ends of a graph without time that is too long
_FEW = 10  # operations of a time step that are still looked at one by one: a plain RNN, not a GRU


def scene_of(
    source: Source,
    *,
    level: str = "op",
    steps: Steps = "auto",
    values: bool = True,
    grads: bool = True,
    order: bool = True,
    max_nodes: int = READABLE,
    title: str | None = None,
    ends: int | None = None,
) -> Scene:
    """Turn a graph into boxes and edges; for the parameters see `draw`.

    Of a graph without time steps only so many operations are drawn at both ``ends``.

    Raises
    ------
    ValueError
        If there would be more than ``max_nodes`` boxes, or for steps that do not exist.
    """
    places = tape([source.root])
    boxed = boxed_of(places, source.root)
    columns = Columns({p.tag.step for p in places if not p.is_leaf}, steps)
    for drawn_at, fold, kept in _attempts(level, boxed, columns, ends):
        roles = roles_of(places, source.root, sums_in_time=drawn_at == "op" and not columns.runs)
        gather_outputs(places, roles)
        columns = Columns(set(roles.steps.values()), steps)
        wires = wires_of(places, roles) if drawn_at == "cell" else Wires({}, set())
        groups = groups_of(places, boxed, roles, drawn_at, columns, wires, fold)
        if kept is not None:
            groups = without_midst(groups, places, roles, kept)
        if len(groups) <= most("max_nodes", max_nodes):
            break
    else:
        raise too_many(len(groups), max_nodes, drawn_at, columns)
    boxes = Boxes(
        source, roles, names(places, source.called), groups, wires,
        values=values, grads=grads, order=order and bool(source.visits),
    )  # fmt: skip
    return Builder(source, roles, boxes, columns).scene(title)


def _attempts(
    level: str, boxed: list[Node], columns: Columns, ends: int | None
) -> list[tuple[str, bool, int | None]]:
    """At which levels to draw, whether to fold like boxes, and what to leave out without time.

    The first is taken that has not too many boxes.
    """
    if level != "auto":
        return [(level, level == "cell", ends)]
    best = _best_level(boxed, columns)
    if columns.times:
        coarser = [("op", True, None)] if best == "op" else []
        return [(best, best == "cell", None), *coarser, ("cell", True, None)]
    if ends is not None:
        return [("op", True, ends)]
    return [("op", False, None), ("op", True, None), *(("op", True, few) for few in ENDS)]


def _best_level(boxed: list[Node], columns: Columns) -> str:
    """Cells for built-in recurrent layers and where the steps drawn have many operations."""
    if not columns.times:
        return "op"
    if any(Layer.of(place).number is not None for place in boxed):
        return "cell"
    drawn = [p for p in boxed if p.tag.step is None or columns.of(p.tag.step) not in columns.runs]
    busiest = Counter(p.tag.step for p in drawn if not p.is_leaf and p.tag.step is not None)
    many = max(busiest.values(), default=0) > _FEW or len(drawn) > READABLE
    return "cell" if many else "op"


def boxed_of(places: list[Node], root: Node) -> list[Node]:
    """Those places of a graph that have boxes: all but numbers in the program."""
    return [place for place in places if place is root or not is_inline(place)]


def too_many(boxes: int, allowed: int, level: str, columns: Columns) -> TooManyBoxes:
    coarser = ("cell", "step")[level != "op" :] if columns.times else ()
    ways = [f'level="{level}"' for level in coarser]
    ways += ["fewer steps=…"] if columns.times else []
    ways.append(f"a larger max_nodes (now {allowed:,})")
    return TooManyBoxes(
        f"this graph has {boxes:,} boxes, more than a readable picture: use {', '.join(ways[:-1])}"
        f"{' or ' if ways[:-1] else ''}{ways[-1]}",
        boxes,
        allowed,
        coarser,
    )


class Builder:
    """Makes the scene from its boxes: adds the edges, their looks and the words."""

    def __init__(self, source: Source, roles: Roles, boxes: Boxes, columns: Columns) -> None:
        self.source, self.roles, self.boxes, self.columns = source, roles, boxes, columns
        self.mains = {group.index: boxes.main(group) for group in boxes.groups}

    def scene(self, title: str | None) -> Scene:
        columns = self.columns
        groups = progress_if_long(self.boxes.groups, "reading the graph")
        built = {group.index: self.boxes.box(group) for group in groups}
        scene = Scene(
            title="",
            aid="",
            boxes=built,
            edges=self._edges(built),
            steps=columns.keys,
            labels={key: columns.label(key) for key in columns.keys},
            ordered=self.boxes.order,
            paired=self.boxes.cells and bool(columns.keys),
        )
        heat([scene])
        for box in built.values():
            measure.fit(box)
        _level(built)
        scene.title = title_or(title, self._title())
        scene.aid = self._aid(scene)
        return scene

    # -- edges -------------------------------------------------------------------------------

    def _edges(self, built: dict[int, Box]) -> list[Edge]:
        """The edges between boxes; the flows back along all that run together are added up."""
        edges: dict[Hashable, Edge] = {}
        flows: dict[Hashable, dict[Node, Any]] = {}
        inside: dict[Node, Any] = {}
        for target in self.boxes.groups:
            for node in target.members:
                for operand in range(len(node.parents)):
                    parent = self.boxes.read_by(node, operand)
                    source = self.boxes.source_of(node, operand)
                    if source is target and parent in self.boxes.shown:
                        self._add_flow(inside, parent, node, operand)
                    if source is None or source is target:
                        continue
                    key = self._key(source, target, parent, node, operand)
                    if key not in edges:
                        edges[key] = self._edge(source, target, parent, operand, built)
                    if not (self.boxes.cells and edges[key].kind == "parameter"):
                        self._add_flow(flows.setdefault(key, {}), parent, node, operand)
        ways: dict[Node, list[tuple[str, float]]] = defaultdict(list)
        for place, flow in inside.items():
            ways[place].append(("within", figures.norm(flow)))
        for key, edge in edges.items():
            if flows.get(key):
                norms = {place: figures.norm(flow) for place, flow in flows[key].items()}
                edge.norm = math.hypot(*norms.values())
                if len(norms) > 1:
                    self._name_bundle(edge, norms, built)
                else:
                    (flow,) = flows[key].values()
                    edge.flow = in_one_line(flow, figures.array(flow))
                for place, norm in norms.items():
                    ways[place].append((self._where(built[edge.target]), norm))
        for place, part in self.boxes.shown.items():
            if place in ways and part.norm is not None:
                part.ways = figures.agreement(ways[place], part.norm)
        found = list(edges.values())
        return _without_taps_of_hidden_steps(found, built) if self.boxes.cells else found

    def _where(self, box: Box) -> str:
        """A box as the sender of a gradient."""
        timed = self.boxes.cells and box.style == "cell" and box.step is not None
        return f"{box.name}, {self.columns.label(box.step or 0)}" if timed else box.name

    def _name_bundle(self, edge: Edge, norms: dict[Node, float], built: dict[int, Box]) -> None:
        """Say of an arrow that stands for several steps which they are, and where most flows."""
        if built[edge.source].style != "elided":
            return
        first, *_, last = sorted(norms, key=lambda place: place.order)
        most = max(norms, key=lambda place: (not math.isfinite(norms[place]), norms[place]))
        names = self.boxes.names
        edge.label = f"{names[first]}…{names[last]}" if edge.label else ""
        if self.boxes.cells and norms[most]:
            edge.peak = f"peak {figures.number(norms[most])} {names[most]}"

    def _key(
        self, source: Group, target: Group, parent: Node, node: Node, operand: int
    ) -> Hashable:
        if source.style == "weights" or (source.style == "elided" and not _is_cell(source)):
            return source.index, target.index
        if "alike" in (source.style, target.style):
            return source.index, target.index
        if source.style == "elided":
            return source.index, target.index, self.boxes.lane_name(parent)
        if len(target.members) == 1:
            return source.index, target.index, operand
        return source.index, target.index, parent

    def _add_flow(self, flows: dict[Node, Any], parent: Node, node: Node, operand: int) -> None:
        if not self.boxes.grads:
            return
        if node in self.boxes.wires.carries:  # what it was handed on in holds other states too
            sent = self.source.gradient(node)
        else:
            sent = self.source.contribution(node, operand)
        if sent is not None:
            sent = getattr(sent, "array", sent)
            handed_on = parent is not node.parents[operand] and np.size(sent) == math.prod(
                parent.shape
            )
            add_to(flows, parent, np.reshape(sent, parent.shape) if handed_on else sent)

    def _edge(
        self, source: Group, target: Group, parent: Node, operand: int, built: dict[int, Box]
    ) -> Edge:
        edge = Edge(source.index, target.index, operand, self._kind(source, target))
        if source.style in ("cell", "elided", "initial") and self.boxes.cells:
            edge.label = self.boxes.names[parent] if _is_cell(source) else ""
            edge.lanes = self._lanes(source, target, parent, built)
        return edge

    def _kind(self, source: Group, target: Group) -> str:
        main = self.mains[source.index]
        if self.roles.kinds[main] == "parameter":
            return "parameter"
        if self.roles.regions[main] in ("before", "after"):
            return "recurrent"
        crosses = source.step is not None and target.step is not None
        return "recurrent" if crosses and source.step != target.step else "forward"

    def _lanes(
        self, source: Group, target: Group, parent: Node, built: dict[int, Box]
    ) -> tuple[int, int] | None:
        """The lanes that an edge joins, of boxes that stand side by side in a band."""
        name = self.boxes.lane_name(source.state or parent)
        starts, ends = (
            _lane_at(built[group.index], name) if group.style != "initial" else 0
            for group in (source, target)
        )
        beside = source.style == "initial" or (
            _is_cell(source) and source.section == target.section
        )
        if not beside or source.step == target.step or starts is None or ends is None:
            return None
        return starts, ends

    # -- words -------------------------------------------------------------------------------

    def _title(self) -> str:
        said = count(sum(not place.is_leaf for place in self.roles.kinds), "operation")
        said += self.source.which
        times, before = self.columns.times, max(p.tag.backward for p in self.roles.kinds)
        if not self.source.visits or not self.boxes.grads:
            steps = count(len(times), "time step")
            said += ", a backward among them" if before else ""
            return f"The graph of {steps}, {said}" if times else f"A graph of {said}"
        through = [count(len(times), "time step")] if times else []
        through += [f"the {ordinal(turn)} backward" for turn in range(1, before + 1)]
        if not through:
            return f"A graph of {said}"
        what = f"{ordinal(before + 1).capitalize()} backward, through" if before else ""
        return f"{what or 'Backpropagation through'} {' and '.join(through)}, {said}"

    def _aid(self, scene: Scene) -> str:
        way = "bottom to top and step to step" if scene.steps else "left to right"
        flows = any(edge.bin is not None for edge in scene.edges)
        parts = [f"Thin arrows: the forward computation, {way}."]
        if flows and scene.paired:
            parts.append(
                "Thick orange arrows: the gradient that crosses there on its way back, with its "
                "norm. Weights stand once; their gradient is the sum over the time steps."
            )
        elif flows:
            parts.append(
                "Orange underlay: the gradient flowing back along the same edge "
                "(width and colour: log of its norm)."
            )
        if self.columns.runs and self.boxes.grads:
            longest = max(map(len, self.columns.runs.values()))
            each = "each" if longest <= measure.MOST_SLIVERS else "for the largest of several"
            parts.append(f"Steps left out keep their gradients: one sliver {each}.")
        elif self.boxes.grads and any(group.depth for group in self.boxes.groups):
            parts.append("Operations left out keep their gradients: one sliver for each depth.")
        if any(edge.peak for edge in scene.edges):
            parts.append("An arrow for many steps has the norm of all, and its peak.")
        if NOT_KEPT in self.boxes.missing:
            parts.append("Gradients that read not kept: use bptt.record.")
        elif NOT_YET in self.boxes.missing:
            parts.append("No backward has run yet.")
        return " ".join(parts)


def heat(scenes: Sequence[Scene]) -> None:
    """Give gradients and backward flows their bins on the one scale of these pictures."""
    parts = [part for scene in scenes for box in scene.boxes.values() for part in box.parts]
    edges = [edge for scene in scenes for edge in scene.edges]
    strips: list[Strip | Course] = [part for part in parts if isinstance(part, Strip)]
    strips += [part for part in parts if isinstance(part, Course) and part.warm]
    strips += [edge.strip for edge in edges if edge.strip is not None]
    warm = [*(part for part in parts if isinstance(part, Row | Lane)), *edges]
    norms = [one.norm for one in warm if one.norm is not None]
    norms += [norm for strip in strips for norm in strip.norms if norm is not None]
    scale = Scale.of(norms)
    for scene in scenes:
        scene.scale = scale
    for one in warm:
        one.bin = figures.bin_of(scale, one.norm)
    for strip in strips:
        strip.bins = [figures.bin_of(scale, norm) for norm in strip.norms]


def in_one_line(flow: Any, lines: tuple[str, ...]) -> str:
    """All numbers of a small array, which has been written in lines; of a scalar nothing."""
    said = lines if np.ndim(flow) else ()
    return "" if any("‖" in line or "(" in line for line in said) else " ".join(said)


def _is_cell(group: Group) -> bool:
    """Whether a group is a cell, or many of one: its states have names on their wires."""
    return group.section is not None and group.section.is_cell


def _lane_at(box: Box, name: str) -> int | None:
    """Which part of a box is the lane, or the strip, of that name."""
    for i, part in enumerate(box.parts):
        if isinstance(part, Lane | Strip) and part.name == name:
            return i
    return None


def _without_taps_of_hidden_steps(edges: list[Edge], built: dict[int, Box]) -> list[Edge]:
    """Weights feed every step; what is left out needs no wire, unless it is the only use."""
    seen = {
        edge.source
        for edge in edges
        if edge.kind == "parameter" and built[edge.target].style != "elided"
    }
    return [
        edge
        for edge in edges
        if edge.kind != "parameter"
        or built[edge.target].style != "elided"
        or edge.source not in seen
    ]


def _level(built: dict[int, Box]) -> None:
    """Make the boxes of a band as high as its cells, so that their lanes lie side by side."""
    cells = {box.band for box in built.values() if box.style == "cell"}
    inside = [b for b in built.values() if b.style in ("cell", "elided") and b.band in cells]
    heights: dict[str, float] = {}
    for box in inside:
        heights[box.band] = max(heights.get(box.band, 0.0), box.height)
    for box in inside:
        box.height = heights[box.band]
