"""The layout of a graph without time steps: Graphviz's own, from left to right."""

from __future__ import annotations

from tinygrad_rnn.viz.layout.model import Layout, Rect, Wire
from tinygrad_rnn.viz.layout.template import placed
from tinygrad_rnn.viz.scene import Scene

_MANY = 200  # boxes; from here on Graphviz is asked to hurry
_HURRY = "nslimit=1 nslimit1=1 mclimit=.05 splines=line"


def flat(scene: Scene) -> Layout:
    """Place the boxes of a scene by ``dot``, rank by rank from left to right."""
    hurry = len(scene.boxes) > _MANY
    pairs = list(dict.fromkeys((edge.source, edge.target) for edge in scene.edges))
    loose = {
        (edge.source, edge.target) for edge in scene.edges if hurry and edge.kind == "parameter"
    }
    sizes = {box.index: (box.width, box.height) for box in scene.boxes.values()}
    look = f"rankdir=LR nodesep=.22 ranksep=.65 {_HURRY if hurry else ''}"
    found = placed(sizes, pairs, look, loose)
    layout = Layout()
    for box in scene.boxes.values():
        x, y = found.nodes[box.id]
        layout.boxes[box.index] = Rect(
            x - box.width / 2, found.height - y - box.height / 2, box.width, box.height
        )
    seen: dict[tuple[int, int], int] = {}
    for edge in scene.edges:
        spline = found.splines[f"n{edge.source}", f"n{edge.target}"]
        again = seen[edge.source, edge.target] = seen.get((edge.source, edge.target), -1) + 1
        points = [(x, found.height - y + 9 * again) for x, y in spline]
        layout.wires.append(Wire(edge, points, curved=True))
    return layout.settle()
