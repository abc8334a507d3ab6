"""The public face: draw a graph, look at it, save it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import graphviz

from tinygrad_rnn.engine.graph import tape
from tinygrad_rnn.tensor.collector import resting_collector
from tinygrad_rnn.viz.build import ENDS, READABLE, boxed_of, scene_of
from tinygrad_rnn.viz.chart import Chart, theme_of
from tinygrad_rnn.viz.dot import digraph
from tinygrad_rnn.viz.drawing import Drawing
from tinygrad_rnn.viz.grouping import Steps
from tinygrad_rnn.viz.heat_map import heat_map_for
from tinygrad_rnn.viz.languages import LANGUAGES, painted_in, told_in
from tinygrad_rnn.viz.layout import Layout, lay_out
from tinygrad_rnn.viz.options import TooManyBoxes, check_count, most, one_of
from tinygrad_rnn.viz.page import EDGE_OF_PAGE
from tinygrad_rnn.viz.player.page import still
from tinygrad_rnn.viz.rolling import rolled_scene
from tinygrad_rnn.viz.scene import Scene
from tinygrad_rnn.viz.schemes import in_the_light, settled
from tinygrad_rnn.viz.source import Source, source_of
from tinygrad_rnn.viz.svg import paint
from tinygrad_rnn.writing.figures import count
from tinygrad_rnn.writing.palette import THEMES, Theme

WIDEST = 4000.0  # points: of the operations of a picture that chooses its level itself
WIDEST_CELLS = 6000.0  # and of its cells
FEWER: tuple[Steps, ...] = ((2, 2), (1, 2), (1, 1))
SMALLEST = 0.8  # of a picture's size, before it would rather show less
_APART = 90.0  # at most, between two boxes that stand side by side
LEVELS = ("auto", "op", "cell", "rolled", "step")


class Picture(Drawing):
    """A drawn graph.  Notebooks show it; `save` writes it to a file.

    It is made when it is first looked at, and holds no tensors.
    """

    def __init__(
        self, scene: Scene, theme: Theme, language: str = "en", room: float = math.inf,
        turned: Drawing | None = None,
    ) -> None:  # fmt: skip
        told_in(language, scene)
        self._scene, self._theme, self._room, self._turned = scene, theme, room, turned
        self.title, self.language = scene.title, language

    @cached_property
    def _layout(self) -> Layout:
        with resting_collector():
            return lay_out(self._scene)

    @property
    def width(self) -> float:
        """How wide the drawing is, in points, without the title and the legend."""
        return min(self._room, self._layout.width + 2 * EDGE_OF_PAGE)

    def is_wider_than(self, limit: float) -> bool:
        """Whether its boxes and wires reach further; where they cannot they are not laid out."""
        boxes = sum(box.width + _APART for box in self._scene.boxes.values())
        return boxes > limit and self._layout.width + 2 * EDGE_OF_PAGE > limit

    @property
    def sprawls(self) -> bool:
        """Whether it reaches further across than anyone would scroll."""
        return self.is_wider_than(WIDEST_CELLS if self._scene.paired else WIDEST)

    def narrower(self, level: str, steps: Steps, page: bool) -> Iterator[dict[str, Any]]:
        """Other options for what was drawn with these, ever narrower.

        For a page steps are left out before operations, and at last values and visits.
        """
        fewer = FEWER if isinstance(steps, str) and steps == "auto" else ()
        form: dict[str, Any] = {"level": level}
        if not self._scene.steps:
            for ends in ENDS if level == "auto" else ():
                form |= {"ends": ends}
                yield form
        else:
            if level == "auto" and not self._scene.paired:
                yield from ({"steps": few} for few in fewer if page)
                form = {"level": "cell"}
                yield form
            for few in fewer:
                form |= {"steps": few}
                yield form
        if page:
            yield form | {"values": False}
            yield form | {"values": False, "order": False}

    @cached_property
    def svg(self) -> str:  # type: ignore[override]
        """The picture as SVG text."""
        with resting_collector():
            drawn = paint(self._scene, self._layout, self._theme, self._room)
        return settled(painted_in(self.language, drawn))

    @cached_property
    def dot(self) -> str:
        """The graph as DOT text, for any Graphviz."""
        return in_the_light(str(digraph(self._scene, self._theme).source))

    def _writers(self) -> dict[str, Callable[[], str]]:
        writers = {**super()._writers(), ".dot": lambda: self.dot}
        if self._turned is not None:
            other = self._turned
            writers[".html"] = lambda: still(self.svg, self.title, other.svg, self.language)
        return writers

    def __repr__(self) -> str:
        return f"<Picture: {self.title}, {count(len(self._scene.boxes), 'box', 'boxes')}>"


def draw(
    record_or_tensor: Any,
    *,
    level: str = "auto",
    values: bool = True,
    grads: bool = True,
    order: bool = True,
    steps: Steps = "auto",
    max_nodes: int = READABLE,
    theme: str = "light",
    title: str | None = None,
    width: int | None = None,
    language: str = "en",
) -> Picture | Chart:
    """Draw the graph of a tensor, or of a recorded backward walk.

    A graph with time steps (``bptt.step``) is laid out like a score: a column for each step, the
    layers in bands, parameters at the left.  Any other graph runs from left to right.  Drawing
    changes no gradient and runs no backward.

    Parameters
    ----------
    record_or_tensor
        What ``bptt.record(loss)`` returned, with all gradients and the order of the walk; or a
        tensor, with the gradients that tensors still hold.
    level
        How much one box stands for. "op": one operation. "cell": a recurrent cell at one time
        step, with its states, the gradients that cross its sides, its gates and weights.
        "rolled": one operation of all time steps that do the same, with arrows that go round to
        the next step and strips over time; saved as a page it turns into the unrolled picture by a
        click, and back.
        "step": no boxes, but a heat map of gradient norms, layers by time steps, for thousands
        of steps (see `heat_map`; of a record only, since a tensor does not know the gradients of
        its states, and always of all steps). "auto": "cell" for
        the recurrent layers of ``nn``, and for loops with more than 10 operations in a step
        (such as an LSTM of one's own), with more than 300 in the steps drawn, or that would be
        very wide; else "op". What would be wider than 6,000 points all the same is drawn with
        fewer steps, or without what lies in the midst of a graph that has none.
    values, grads, order
        Whether to show values, gradients, and the numbers of the backward visits.
    steps
        Which time steps to draw: "all"; the first a and the last b as ``(a, b)``; those of a
        list; "auto": all, if there are at most 8, else (2, 3). Those that are left out keep a
        column with the norms of their gradients.
    max_nodes
        The most boxes to draw.
    theme
        "light", "dark", or "auto": light, and dark in an ``.svg``, an ``.html`` or a notebook where
        what is round it is dark on the reader's screen.
    title
        A title in place of the one that counts steps and operations.
    width
        How wide it may be, in points, such as 1200 for a page: ever fewer steps are drawn, then
        cells, at last neither values nor visits, until it fits at four fifths of its size; what
        never does is drawn as small as it takes.
    language
        Of legends, titles and what boxes say besides names and formulas: "en", or "zh", Chinese.

    Raises
    ------
    ValueError
        If there are more than ``max_nodes`` boxes, for an unknown level, theme or language, for
        steps that the graph does not have, and for a width below 1.
    TypeError
        If it is given neither a tensor nor a record, or for a heat map no record; for a title that
        is no text.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor(0.2, requires_grad=True).named("w")
    >>> h = tg.tensor(0.9, requires_grad=True).named("h₀")
    >>> for t in range(1, 3):
    ...     with tg.step(t):
    ...         h = (w * h).named("h")
    >>> tg.viz.draw(tg.bptt.record(h))
    <Picture: Backpropagation through 2 time steps, 2 operations, 4 boxes>
    """
    one_of("level", level, LEVELS)
    one_of("language", language, LANGUAGES)
    look = theme_of(theme)
    if level == "step":
        return heat_map_for('draw(level="step")', record_or_tensor, theme, title, language)
    room = math.inf if width is None else most("width", width, 1)
    options: dict[str, Any] = {"level": level, "steps": steps, "values": values, "order": order}
    options |= {"grads": grads, "max_nodes": max_nodes, "title": title}
    with resting_collector():
        source = source_of(record_or_tensor)
        if level == "rolled":
            if steps != "auto":
                raise ValueError(f'steps={steps!r}: level="rolled" draws all steps as one')
            unrolled = _unrolled(source, options, look, language)
            del options["level"], options["steps"]
            return Picture(rolled_scene(source, **options), look, language, room, unrolled)
        drawn = Picture(scene_of(source, **options), look, language, room)
        if level == "auto" or width is not None:
            for form in drawn.narrower(level, steps, page=width is not None):
                if not (drawn.sprawls if width is None else drawn.is_wider_than(width / SMALLEST)):
                    break
                other = Picture(scene_of(source, **options | form), look, language, room)
                drawn = min(drawn, other, key=lambda each: each._layout.width)
        return drawn


def _unrolled(
    source: Source, options: dict[str, Any], look: Theme, language: str
) -> Picture | None:
    """The picture that a rolled one turns into on a page, if there is one to be read."""
    try:
        return Picture(scene_of(source, **options | {"level": "auto"}), look, language)
    except TooManyBoxes:
        return None


def to_dot(record_or_tensor: Any, *, max_nodes: int = 2000) -> graphviz.Digraph:
    """The graph as a ``graphviz.Digraph``, to go on with by yourself.

    Parameters
    ----------
    record_or_tensor
        As of `draw`.
    max_nodes
        The most boxes: one for each operation and each tensor that is given.

    Raises
    ------
    ValueError
        If there are more.
    TypeError
        If it is given neither a tensor nor a record.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor(0.2, requires_grad=True).named("w")
    >>> "w * 3" in tg.viz.to_dot(w * 3).source
    True
    """
    source = source_of(record_or_tensor)
    check_count("to_dot", len(boxed_of(tape([source.root]), source.root)), max_nodes)
    with resting_collector():
        scene = scene_of(source, steps="all", max_nodes=max_nodes)
        return digraph(scene, THEMES["light"])
