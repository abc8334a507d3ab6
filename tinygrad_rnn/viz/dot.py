"""The scene as DOT, with plain labels that any Graphviz draws acceptably."""

from __future__ import annotations

from itertools import pairwise

import graphviz

from tinygrad_rnn.viz.layout.model import Layout, Rect, Wire, towards
from tinygrad_rnn.viz.scene import Box, Edge, Scene
from tinygrad_rnn.viz.style import Theme
from tinygrad_rnn.viz.text import dot as escaped

_ARROW = 8.0  # the length of an arrowhead


def digraph(scene: Scene, theme: Theme, layout: Layout | None = None) -> graphviz.Digraph:
    """Build the graph; with a layout it carries positions, and ``neato -n2`` draws them."""
    look = {"label": _label([scene.title]), "labelloc": "t", "fontname": "Helvetica"}
    look |= {"rankdir": "BT" if scene.steps else "LR", "bgcolor": theme.paper}
    engine = "dot" if layout is None else "neato"
    graph = graphviz.Digraph("bptt", engine=engine, graph_attr=look)
    graph.attr("node", shape="box", style="rounded,filled", fontname="Helvetica", fontsize="10")
    graph.attr("edge", fontname="Helvetica", fontsize="9")
    if layout is None:
        _steps(graph, scene, theme)
    else:
        for i, frame in enumerate(layout.frames):
            graph.node(
                f"f{i}",
                escaped(frame.label) + "\\l",  # to the left
                labelloc="t",
                color=theme.band if frame.kind == "step" else theme.frame,
                fillcolor=theme.band if frame.kind == "step" else theme.paper,
                **_placed(frame.rect),
            )
        for index, box in scene.boxes.items():
            graph.node(box.id, _text(box), **_look(box, theme), **_placed(layout.boxes[index]))
    for i, edge in enumerate(scene.edges):
        spline = {} if layout is None else {"pos": _spline(layout.wires[i])}
        graph.edge(f"n{edge.source}", f"n{edge.target}", **_edge_look(edge, theme), **spline)
    return graph


def _steps(graph: graphviz.Digraph, scene: Scene, theme: Theme) -> None:
    """Boxes in a cluster for each time step, and those outside of time."""
    for place, step in enumerate(scene.steps):
        with graph.subgraph(name=f"cluster_{place}") as cluster:
            cluster.attr(label=scene.labels[step], style="filled,rounded", color=theme.band)
            for box in scene.boxes.values():
                if box.step == step:
                    cluster.node(box.id, _text(box), **_look(box, theme))
    for box in scene.boxes.values():
        if box.step is None:
            graph.node(box.id, _text(box), **_look(box, theme))


def _text(box: Box) -> str:
    """A box's label: its header and its rows, one below the other."""
    said = box.expression or (f"({box.note})" if box.note else "")
    visit = f"   visit {box.visit}" if box.visit else ""
    lines = [f"{box.name} {said}".rstrip() + visit]
    for part in box.parts:
        lines += part.words()
    return _label(lines)


def _label(lines: list[str]) -> str:
    """Lines as a label that is never taken for markup, whatever stands in it."""
    label: str = graphviz.nohtml("\\n".join(map(escaped, lines)))
    return label


def _look(box: Box, theme: Theme) -> dict[str, str]:
    paint = theme.boxes[box.kind]
    look = {"fillcolor": paint.fill, "color": paint.border, "penwidth": str(paint.thickness)}
    look["tooltip"] = _label([f"{box.name} {box.expression}".strip()])
    return look


def _edge_look(edge: Edge, theme: Theme) -> dict[str, str]:
    """An edge is as wide as the gradient that flows back along it, where that is known."""
    colours = {"recurrent": theme.recurrent, "parameter": theme.rail}
    look = {"color": colours.get(edge.kind, theme.forward), "arrowsize": "0.7"}
    if edge.bin is not None:
        heat = theme.heat[edge.bin]
        back = heat.fill if edge.bin > 2 else theme.heat[3].fill
        look |= {"penwidth": str(heat.width), "color": back if edge.bin else theme.muted}
    if edge.bin == 0:
        look["style"] = "dotted"
    if edge.kind == "recurrent":
        look["constraint"] = "false"
    return look


def _placed(rect: Rect) -> dict[str, str]:
    """Position and size of a box; Graphviz's y grows upwards."""
    x, y = rect.x + rect.width / 2, -(rect.y + rect.height / 2)
    return {
        "pos": f"{x:.2f},{y:.2f}!",
        "width": f"{rect.width / 72:.4f}",
        "height": f"{rect.height / 72:.4f}",
        "fixedsize": "true",
    }


def _spline(wire: Wire) -> str:
    """A wire as Graphviz writes it: the arrow's tip, then cubic Bézier control points."""
    points = list(wire.points)
    tip = f"e,{points[-1][0]:.2f},{-points[-1][1]:.2f}"
    points[-1] = towards(points[-1], points[-2::-1], _ARROW)
    if not wire.curved:
        corners, points = points, points[:1]
        for a, b in pairwise(corners):
            points += [a, b, b]  # a straight piece
    return " ".join([tip, *(f"{x:.2f},{-y:.2f}" for x, y in points)])
