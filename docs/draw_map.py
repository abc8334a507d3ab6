"""Draw the map of the package from what its rooms import; `draw_pictures.py` keeps it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap

import graphviz

import tinygrad_rnn
from tinygrad_rnn.viz.graphviz_backend import render
from tinygrad_rnn.viz.schemes import COLOURS, IN_VARIABLES, settled

PACKAGE = Path(tinygrad_rnn.__file__).parent

# The rooms by what they are for, and as what such boxes are painted.
PARTS = {
    "state": "engine files",
    "input": "operations tensor autograd linalg cuda",
    "operation": "compiled nn optim utils serialization objects amp distributions func",
    "parameter": "reading writing bptt viz testing",
    "loss": "compat cli",
}
Edges = set[tuple[str, str]]


def rooms() -> dict[str, str]:
    """Every room of the package, and the first line of what it says of itself."""
    found = {}
    for path in sorted(PACKAGE.iterdir()):
        source = path / "__init__.py" if path.is_dir() else path
        if source.suffix == ".py" and source.exists() and not path.stem.startswith("__"):
            told = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
            found[path.stem] = told.partition("\n")[0].replace("`", "")
    return found


def uses() -> Edges:
    """Which room imports which, at once or when it is needed; for annotations does not count."""
    known, found = rooms(), set()
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).with_suffix("").parts[0]
        for name in _imported(ast.parse(path.read_text(encoding="utf-8"))):
            package, _, inside = name.partition(".")
            target = inside.partition(".")[0]
            if package == "tinygrad_rnn" and {room, target} <= known.keys() and room != target:
                found.add((room, target))
    return found


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def shortest(edges: Edges) -> Edges:
    """Without the edges that a longer way stands for."""

    def reached(room: str) -> set[str]:
        below = {b for a, b in edges if a == room}
        return below.union(*map(reached, below))

    return {
        (a, b)
        for a, b in edges
        if not any(b in reached(c) for start, c in edges if start == a and c != b)
    }


def package_map() -> str:
    """The rooms of the package and what they stand on, as SVG laid out by Graphviz."""
    # Graphviz knows no CSS variables: each has a number for a colour until it has drawn.
    codes = {f"var(--{name})": f"#{number:06x}" for number, name in enumerate(COLOURS, 1)}
    paint = IN_VARIABLES
    graph = graphviz.Digraph()
    graph.attr(bgcolor=codes[paint.paper], ranksep="0.3", nodesep="0.12", rankdir="TB")
    graph.attr("node", shape="box", style="rounded,filled", fontname="Helvetica", fontsize="11")
    graph.attr("node", margin="0.28,0.08")
    graph.attr("edge", color=codes[paint.forward], arrowsize="0.6")
    painted = {room: kind for kind, part in PARTS.items() for room in part.split()}
    for room, told in rooms().items():
        look = paint.boxes[painted[room]]
        colours = {"fillcolor": look.fill, "color": look.border, "fontcolor": paint.ink}
        name = f"{room}/" if (PACKAGE / room).is_dir() else f"{room}.py"
        label = "\\n".join([name, *wrap(told, 26)])
        graph.node(room, label, **{key: codes[colour] for key, colour in colours.items()})
    for a, b in sorted(shortest(uses())):
        graph.edge(a, b)
    svg = render(graph.source, "svg").decode()
    for variable, code in codes.items():
        svg = svg.replace(f'"{code}"', f'"{variable}"')
    return settled(svg)
