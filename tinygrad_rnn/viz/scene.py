"""The picture as data: boxes with their parts, edges, time steps; nothing about coordinates."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinygrad_rnn.writing.figures import Scale, number


@dataclass(slots=True)
class Row:
    """A labelled value in a box: one line, or one for each row of a matrix."""

    label: str
    lines: tuple[str, ...]
    norm: float | None = None  # of a gradient that is known
    bin: int | None = None  # of the heat scale
    ways: str = ""  # in which a gradient came, and how far they agree
    blank: bool = False  # to be filled in by hand, and so with room to write

    def words(self) -> list[str]:
        """The part as plain lines."""
        return [f"{self.label} {self.lines[0]}", *self.lines[1:]]


@dataclass(slots=True)
class Lane:
    """A tensor on one line: its name, its value, and the norm of its gradient on a chip."""

    name: str
    value: str
    chip: str  # empty: there is none
    norm: float | None = None  # of a gradient that is known
    bin: int | None = None
    ways: str = ""  # in which a gradient came, and how far they agree
    tall: bool = True  # with room for the wires of a state; in a list of weights there are none
    expression: str = ""  # how it was computed, where that is not the cell's own business

    def words(self) -> list[str]:
        """The part as plain lines."""
        said = f"{self.name} {self.expression}".rstrip()
        return [" ".join(text for text in (said, self.value, self.chip) if text)]


@dataclass(slots=True)
class Gates:
    """Mean activations, each as a bar between the ends of its range."""

    means: list[tuple[str, float, float]]  # name, lower end (0 or −1), mean

    def words(self) -> list[str]:
        """The part as plain lines."""
        return ["mean gates: " + ", ".join(f"{name} {mean:.2f}" for name, _, mean in self.means)]


@dataclass(slots=True)
class Bars:
    """The norm of what each time step gave to the gradient of a parameter."""

    name: str
    norms: list[tuple[int, float]]  # step, norm

    def says(self, step: str, norm: float) -> str:
        """What one bar says."""
        return f"{self.name}, t = {step}: {norm:.3g}"

    def words(self) -> list[str]:
        """The part as plain lines."""
        step, norm = max(self.norms, key=lambda item: item[1])
        return [f"most of it from t = {step} (‖{norm:.3g}‖)"]


@dataclass(slots=True)
class Weighing:
    """How attention weighs the places of its memory, each as a bar."""

    norms: list[tuple[int, float]]  # place, weight

    @property
    def caption(self) -> str:
        """What is written over the bars."""
        place, weight = max(self.norms, key=lambda item: item[1])
        return f"weights of {len(self.norms)} places, most {weight:.2f} at {place}"

    def says(self, place: str, weight: float) -> str:
        """What one bar says."""
        return f"place {place}: {weight:.3g}"

    def words(self) -> list[str]:
        """The part as plain lines."""
        return [self.caption]


@dataclass(slots=True)
class Strip:
    """The gradient norms of one tensor at time steps that are left out, as slivers of colour.

    Without time steps they are those of all tensors, depth by depth.
    """

    name: str
    steps: list[int]
    norms: list[float | None]
    bins: list[int | None] = field(default_factory=list)
    axis: str = "t"

    def words(self) -> list[str]:
        """The part as plain lines."""
        known = [norm for norm in self.norms if norm is not None]
        if not known:
            return [self.name]
        ends = f"first {known[0]:.1e}, last {known[-1]:.1e}"
        return [f"{self.name} ‖∂‖ {ends}, largest {max(known):.1e}"]


@dataclass(slots=True)
class Caption:
    """A line that says what the parts above it are."""

    text: str

    def words(self) -> list[str]:
        """The part as plain lines."""
        return []


@dataclass(slots=True)
class Course:
    """The norms of a tensor, or of its gradient, at all the time steps that a box stands for.

    Those of gradients are ``warm``: they have colours of the heat scale.
    """

    label: str
    steps: list[int]
    norms: list[float | None]
    bins: list[int | None] = field(default_factory=list)
    axis: str = "t"
    warm: bool = False

    @property
    def ends(self) -> str:
        """The first and the last norm."""
        return " … ".join(
            "none" if x is None else number(x) for x in (self.norms[0], self.norms[-1])
        )

    def says(self, step: str, norm: float) -> str:
        """What one bar says."""
        return f"‖{self.label}‖, {self.axis} = {step}: {norm:.3g}"

    def words(self) -> list[str]:
        """The part as plain lines."""
        return [f"{self.label} {self.ends}"]


BoxPart = Row | Lane | Gates | Bars | Weighing | Strip | Course | Caption


@dataclass(slots=True)
class Box:
    """One tensor and the operation that made it, or several that belong together.

    The boxes of a ``style`` are built alike; the ``kind`` decides the colours.
    """

    index: int  # of its first place on the tape: the same in every run
    style: str  # see `grouping.Group`
    kind: str  # input, parameter, operation, state or loss
    region: str  # see `reading.roles`
    step: int | None  # the key of its column
    band: str  # the layer it is a part of, "" outside of layers
    name: str
    expression: str = ""
    note: str = ""
    signature: str = ""  # boxes with the same one at several steps are laid out alike
    mark: str = ""  # how it differs from its like in another picture
    visit: str = ""  # its number in the backward walk, or the range of its members' numbers
    parts: list[BoxPart] = field(default_factory=list)
    peer: int | None = None  # of an initial state: the box that stands for it later
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
    flow: str = ""  # itself, if it is small
    bin: int | None = None
    label: str = ""  # the tensor's name, or names, where the boxes do not say it
    peak: str = ""  # of a bundle, the flows of several steps: the largest single norm, and whose
    lanes: tuple[int, int] | None = None  # the parts of source and target that it joins
    delay: int = 0  # of steps that are drawn as one: how many later it arrives
    strip: Strip | None = None  # what flows back at each of them


@dataclass(slots=True)
class Scene:
    """All that a layout and a painter need to know."""

    title: str
    aid: str
    boxes: dict[int, Box] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)  # the keys of the columns, left to right
    labels: dict[int, str] = field(default_factory=dict)  # of the columns
    scale: Scale | None = None
    ordered: bool = False  # whether visit numbers are shown
    paired: bool = False  # whether gradients have arrows of their own, beside the forward ones
    language: str = "en"  # of the words that are laid out when it is painted
