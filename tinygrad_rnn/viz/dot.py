"""The scene as DOT, with plain labels that any Graphviz draws acceptably."""

from __future__ import annotations

import graphviz

from tinygrad_rnn.viz.scene import Box, Edge, Scene
from tinygrad_rnn.viz.text import dot as escaped
from tinygrad_rnn.writing.palette import Theme


def digraph(scene: Scene, theme: Theme) -> graphviz.Digraph:
    """Build the graph."""
    look = {"label": _label([scene.title]), "labelloc": "t", "fontname": "Helvetica"}
    look |= {"rankdir": "BT" if scene.steps else "LR", "bgcolor": theme.paper}
    graph = graphviz.Digraph("bptt", engine="dot", graph_attr=look)
    graph.attr("node", shape="box", style="rounded,filled", fontname="Helvetica", fontsize="10")
    graph.attr("edge", fontname="Helvetica", fontsize="9")
    _steps(graph, scene, theme)
    for edge in scene.edges:
        graph.edge(f"n{edge.source}", f"n{edge.target}", **_edge_look(edge, theme))
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
