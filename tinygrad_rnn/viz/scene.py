"""The picture as data: boxes with their texts, edges, time steps; nothing about coordinates."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinygrad_rnn.writing.figures import Scale


@dataclass(slots=True)
class Row:
    """A labelled value in a box: one line, or one for each row of a matrix."""

    label: str
    lines: tuple[str, ...]
    bin: int | None = None  # of the heat scale, for a gradient that is known


@dataclass(slots=True)
class Box:
    """A tensor and the operation that made it."""

    index: int  # among the places of the tape: the same in every run
    kind: str  # input, parameter, operation, state or loss
    region: str  # see `roles`
    step: int | None
    scope: str
    name: str
    expression: str
    note: str
    primitive: str
    visit: int | None
    rows: list[Row]
    peer: int | None = None  # of an initial state: the state that stands for it later
    width: float = 0
    height: float = 0

    @property
    def id(self) -> str:
        """The element's id in every format."""
        return f"n{self.index}"


@dataclass(slots=True)
class Edge:
    """A tensor's way into an operation, and the gradient's way back."""

    source: int
    target: int
    operand: int
    kind: str  # forward, recurrent or parameter
    norm: float | None = None  # of what flows back, if that is known
    bin: int | None = None


@dataclass(slots=True)
class Scene:
    """All that a layout and a painter need to know."""

    title: str
    aid: str
    boxes: dict[int, Box] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    scale: Scale | None = None
    ordered: bool = False  # whether visit numbers are shown
