"""From a graph to a scene: what each box says, which edges there are, how warm they look."""

from __future__ import annotations

from typing import Any

from tinygrad_rnn.engine.graph import Node, tape
from tinygrad_rnn.text import clean
from tinygrad_rnn.viz import measure
from tinygrad_rnn.viz.roles import Roles, roles_of
from tinygrad_rnn.viz.scene import Box, Edge, Row, Scene
from tinygrad_rnn.viz.source import NOT_KEPT, NOT_YET, Source
from tinygrad_rnn.writing import figures
from tinygrad_rnn.writing.figures import Scale
from tinygrad_rnn.writing.names import expression, is_inline, names


def scene_of(
    source: Source,
    *,
    values: bool = True,
    grads: bool = True,
    order: bool = True,
    max_nodes: int = 300,
    title: str | None = None,
) -> Scene:
    """Turn a graph into boxes and edges.

    Raises
    ------
    ValueError
        If there would be more than ``max_nodes`` boxes.
    """
    places = tape([source.root])
    boxed = [place for place in places if place is source.root or not is_inline(place)]
    if len(boxed) > max_nodes:
        raise ValueError(
            f"this graph has {len(boxed):,} boxes, more than a readable picture: draw the loss of "
            f"fewer time steps, or raise max_nodes (now {max_nodes:,})"
        )
    return _Builder(source, places, boxed, values, grads, order).scene(title)


class _Builder:
    def __init__(
        self,
        source: Source,
        places: list[Node],
        boxed: list[Node],
        values: bool,
        grads: bool,
        order: bool,
    ) -> None:
        self.source, self.boxed, self.values, self.grads = source, boxed, values, grads
        self.order = order and bool(source.visits)
        self.names = names(places)
        self.roles: Roles = roles_of(places, source.root)
        self.index = {place: i for i, place in enumerate(boxed)}
        self.missing: set[str] = set()

    def scene(self, title: str | None) -> Scene:
        boxes = {self.index[place]: self._box(place) for place in self.boxed}
        edges = [edge for place in self.boxed for edge in self._edges(place)]
        steps = sorted({box.step for box in boxes.values() if box.step is not None})
        scene = Scene("", "", boxes, edges, steps, ordered=self.order)
        self._heat(scene)
        for box in boxes.values():
            measure.fit(box)
        scene.title = self._title(scene) if title is None else clean(title, 200)
        scene.aid = self._aid(scene)
        return scene

    def _box(self, place: Node) -> Box:
        roles = self.roles
        peer = roles.peers.get(place)
        return Box(
            index=self.index[place],
            kind=roles.kinds[place],
            region=roles.regions[place],
            step=roles.steps[place],
            scope=place.tag.scope,
            name=self.names[place],
            expression=expression(place, self.names),
            note=self._note(place),
            primitive="" if place.primitive is None else place.primitive.name,
            visit=self.source.visits.get(place) if self.order else None,
            rows=self._rows(place),
            peer=None if peer is None else self.index[peer],
        )

    def _note(self, place: Node) -> str:
        if place.primitive is not None:
            return ""
        kind, times = self.roles.kinds[place], len(self.roles.uses[place])
        if kind == "parameter":
            return f"param, used ×{times}" if times > 1 else "param"
        if kind == "state":
            return "initial state"
        return "input" if place.requires_grad else "constant"

    def _rows(self, place: Node) -> list[Row]:
        rows = []
        if self.values:
            value = self.source.value(place)
            shape_only = (f"shape {figures.shape(place.shape)}",)
            rows.append(Row("value", shape_only if value is None else figures.array(value)))
        if self.grads and place.requires_grad:
            gradient = self.source.gradient(place)
            if gradient is None:
                missing = self.source.missing(place)
                self.missing.add(missing)
                rows.append(Row("grad", (missing,)))
            else:
                rows.append(Row("grad", figures.array(gradient)))
        return rows

    def _edges(self, node: Node) -> list[Edge]:
        edges = []
        for operand, parent in enumerate(node.parents):
            if parent in self.index:
                sent = self.source.contribution(node, operand) if self.grads else None
                norm = None if sent is None else figures.norm(_array(sent))
                ends = self.index[parent], self.index[node]
                edges.append(Edge(*ends, operand, self._edge_kind(parent, node), norm))
        return edges

    def _edge_kind(self, parent: Node, node: Node) -> str:
        if self.roles.kinds[parent] == "parameter":
            return "parameter"
        before, after = self.roles.steps[parent], self.roles.steps[node]
        if self.roles.regions[parent] == "initial":
            return "recurrent"
        crosses = before is not None and after is not None and before != after
        return "recurrent" if crosses else "forward"

    def _heat(self, scene: Scene) -> None:
        """Give gradients and backward flows their bins on the scale of this picture."""
        norms: dict[int, float] = {}
        for place in self.boxed if self.grads else ():
            gradient = self.source.gradient(place)
            if gradient is not None and place.requires_grad:
                norms[self.index[place]] = figures.norm(_array(gradient))
        sent = [edge.norm for edge in scene.edges if edge.norm is not None]
        scene.scale = Scale.of([*norms.values(), *sent])
        for index, norm in norms.items():
            scene.boxes[index].rows[-1].bin = figures.bin_of(scene.scale, norm)
        for edge in scene.edges:
            edge.bin = figures.bin_of(scene.scale, edge.norm)

    def _title(self, scene: Scene) -> str:
        nodes = sum(box.primitive != "" for box in scene.boxes.values())
        operations = f"{nodes} operation{'s' * (nodes != 1)}"
        if not scene.steps:
            return f"A graph of {operations}"
        steps = f"{len(scene.steps)} time step{'s' * (len(scene.steps) != 1)}"
        if self.source.visits and self.grads:
            return f"Backpropagation through {steps}, {operations}"
        return f"The graph of {steps}, {operations}"

    def _aid(self, scene: Scene) -> str:
        way = "bottom to top and step to step" if scene.steps else "left to right"
        parts = [f"Thin arrows: the forward computation, {way}."]
        if any(edge.bin is not None for edge in scene.edges):
            parts.append(
                "Orange underlay: the gradient flowing back along the same edge "
                "(width and colour: log of its norm)."
            )
        if NOT_KEPT in self.missing:
            parts.append("Gradients that read not kept: use bptt.record.")
        elif NOT_YET in self.missing:
            parts.append("No backward has run yet.")
        return " ".join(parts)


def _array(a: Any) -> Any:
    return getattr(a, "array", a)
