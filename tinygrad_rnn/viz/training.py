"""How a training went: curves of its loss, of other numbers, and of the norms of its gradients."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from tinygrad_rnn.bptt.history import OF, TOTAL, History
from tinygrad_rnn.utils.progress import in_a_notebook
from tinygrad_rnn.viz import marks
from tinygrad_rnn.viz.chart import Chart, Item, TimeAxis, ValueAxis, page, theme_of
from tinygrad_rnn.viz.curves import Curve, curve, curve_item, path
from tinygrad_rnn.viz.languages import Say, speaking
from tinygrad_rnn.viz.layout.model import Rect
from tinygrad_rnn.viz.options import title_or
from tinygrad_rnn.viz.text import fitted
from tinygrad_rnn.writing.figures import count
from tinygrad_rnn.writing.palette import Theme
from tinygrad_rnn.writing.text import clean

_WIDE, _HIGH, _LEFT, _TOP, _BETWEEN, _FOOT = 400.0, 190.0, 56.0, 26.0, 34.0, 22.0
_DASHES = ("", "7 3", "2 3")
_MARKED = ("disc", "ring", "triangle")
_ACROSS = 3  # panels
_MOST = 5  # parameters with a line of their own
_POINTS = 300  # of a line
_LARGEST = 8e307  # end of an axis: half of what there is, so that it has a length
_PAUSE = 0.5  # seconds between two pictures in a notebook, at least
_SHARE = 10  # a picture takes at most one in so many seconds
_AID = "What the training loop added, iteration by iteration."
_NORMS = " Last: the norm of the gradient of all parameters together"


def training_curves(
    history: History, *, theme: str = "light", title: str | None = None, language: str = "en"
) -> Chart:
    """Draw what a `bptt.History` holds: losses, other numbers, and the norms of gradients.

    Losses (what has "loss" in its name) share a panel; every other number has one; the last one
    has the norm of all gradients, and those of the five parameters whose norms were largest. Axes
    are logarithmic where numbers differ tenfold and none is negative. Of many iterations each line
    shows the least and the largest of neighbouring ones.

    Parameters
    ----------
    history
        What a training loop added to.
    theme
        "light", "dark" or "auto", as of `draw`.
    title
        A title in place of the one that counts iterations.
    language
        Of its words: "en", or "zh", Chinese; names stay.

    Raises
    ------
    TypeError
        If it is no history.
    ValueError
        If nothing was added yet, or for an unknown theme or language.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> history = tg.bptt.History()
    >>> for t in range(1, 101):
    ...     history.add(loss=1 / t)
    >>> training_curves(history)
    <Chart: Training, 100 iterations>
    """
    if not isinstance(history, History):
        raise TypeError(f"training_curves: expected a History, got {type(history).__name__}")
    look, say = theme_of(theme), speaking(language)
    if not len(history):
        raise ValueError("training_curves: nothing was added to this history yet")
    painter = _Painter(history, look, say)
    heading = title_or(title, say(f"Training, {count(len(history), 'iteration')}"))
    size, aid = (painter.width, painter.height), say(painter.aid)
    svg = page(heading, aid, painter.lines, size, painter.items, look, language)
    return Chart(heading, svg, language=language)


class _Painter:
    """The panels of a history, three side by side."""

    def __init__(self, history: History, theme: Theme, say: Say) -> None:
        self.history, self.theme = history, theme
        self.lines, self.items, self.panels = list[str](), list[Item](), 0
        self.time = range(1, len(history) + 1)
        losses = [name for name in history.numbers if "loss" in name.lower()]
        panels = [losses] if losses else []
        panels += [[name] for name in history.numbers if name not in losses]
        for names in panels:
            self._panel(", ".join(names), names, names)
        self.shown = self._largest()
        if self.shown:
            labels = [say("all gradients"), *(name.removeprefix(OF) for name in self.shown[1:])]
            self._panel(say("‖gradient‖"), self.shown, labels)

    @property
    def width(self) -> float:
        """Of all panels together."""
        return min(self.panels, _ACROSS) * (_LEFT + _WIDE + _BETWEEN) - _BETWEEN

    @property
    def height(self) -> float:
        """Of all panels together."""
        return -(-self.panels // _ACROSS) * (_TOP + _HIGH + _FOOT)

    @property
    def aid(self) -> str:
        """The line below the title."""
        others, drawn = len(self.history.gradients) - 1, len(self.shown) - 1
        if drawn < 0:
            return _AID
        if drawn < others:
            return f"{_AID}{_NORMS}, and of the {drawn} of {others} parameters with the largest."
        return f"{_AID}{_NORMS}, and of each."

    def _largest(self) -> list[str]:
        """The norm of all, and of the parameters where it was largest, in their order."""
        if TOTAL not in self.history.gradients:
            return []
        of = self.history.gradients[1:]
        kept = sorted(of, key=lambda name: -_usual(self.history.given(name)[1]))[:_MOST]
        return [TOTAL, *(name for name in of if name in kept)]

    def _panel(self, heading: str, columns: list[str], labels: list[str]) -> None:
        theme, (row, column) = self.theme, divmod(self.panels, _ACROSS)
        x, y = column * (_LEFT + _WIDE + _BETWEEN), row * (_TOP + _HIGH + _FOOT)
        plot = Rect(x + _LEFT, y + _TOP, _WIDE, _HIGH)
        self.panels += 1
        drawn = [_thinned(*self.history.given(name)) for name in columns]
        values = _axis([float(y) for thin in drawn for part in thin[1:] for y in part], plot)
        axis = TimeAxis(self.time, plot.x, plot.width)
        self.lines.append(marks.rect(plot, 3, fill=theme.band, extra=' class="plot"'))
        heading = fitted(clean(heading), 12, plot.width, bold=True)
        self.lines.append(marks.text(plot.x, plot.y - 10, heading, 12, bold=True, label="heading"))
        self.lines += values.paint(plot.x, plot.right, theme)
        self.lines += axis.paint(plot.bottom, theme)
        for i, (label, thin) in reversed(list(enumerate(zip(labels, drawn, strict=True)))):
            self._line(thin, axis, values, self._look(i, label))
        if len(labels) > 1:  # what stands alone is named by the heading
            self.items += [curve_item(self._look(i, label)) for i, label in enumerate(labels)]

    def _line(self, thin: _Thin, axis: TimeAxis, values: ValueAxis, look: Curve) -> None:
        across = [axis.middle(int(x) - 1) for x in thin.iterations]
        least, median, largest = (
            list(zip(across, (values.y(float(y)) for y in ys), strict=True)) for ys in thin[1:]
        )
        if not thin.is_whole:
            band = f'fill="{look.colour}" opacity="0.25"'
            self.lines.append(f'<path class="band" d="{path(least + largest[::-1])}Z" {band}/>')
        self.lines += curve(median, look, "curve")

    def _look(self, i: int, label: str) -> Curve:
        theme = self.theme
        colours = (
            theme.gradient, theme.boxes["input"].border, theme.recurrent, theme.rail, theme.muted,
        )  # fmt: skip
        dashes, mark = _DASHES[i % len(_DASHES)], _MARKED[(i + i // 3) % len(_MARKED)]
        called, colour = fitted(clean(label), 12.5, 220), colours[i % len(colours)]
        return Curve(called, colour, 1.5 if i else 2.2, dashes, mark)


def _usual(norms: Any) -> float:
    """The median of what is finite; of what never is, infinity."""
    finite = norms[np.isfinite(norms)]
    return float(np.median(finite)) if finite.size else math.inf


def _axis(values: list[float], plot: Rect) -> ValueAxis:
    """From the least to the largest; logarithmic, if they are far apart and none is negative.

    Within a decade, such as an accuracy from 0.5 to 1, a whole one would flatten every curve.
    """
    top, bottom = plot.y + 8, plot.bottom - 8
    known = [x for x in values if not math.isnan(x)] or [0.0]
    least, largest = min(known), max(known)
    if least >= 0 and not least < largest < 10 * least:
        return ValueAxis.logarithmic(values, top, bottom)
    finite = [x for x in values if np.isfinite(x)] or [0.0]
    low, high = _rounded(min(finite), np.floor), _rounded(max(finite), np.ceil)
    high = high if high > low else low + max(1.0, abs(low) / 8)
    return ValueAxis.linear(low, high, values, top, bottom)


def _rounded(x: float, to: Any) -> float:
    """To two digits, downwards or upwards.

    Examples
    --------
    >>> _rounded(-4.1234, np.floor), _rounded(0.02391, np.ceil)
    (-4.2, 0.024)
    """
    mantissa, exponent = f"{x:.15e}".split("e")
    rounded = float(f"{to(float(mantissa) * 10):.0f}e{int(exponent) - 1}")
    return min(max(rounded, -_LARGEST), _LARGEST)


class _Thin(NamedTuple):
    """A line of at most so many points; of neighbours there are the least, median and largest."""

    iterations: Any
    least: Any
    median: Any
    largest: Any

    @property
    def is_whole(self) -> bool:
        """Whether there are no points but those."""
        return self.median is self.least


def _thinned(iterations: Any, values: Any) -> _Thin:
    """Of many points some; one that is NaN makes its neighbours so.

    Examples
    --------
    >>> thin = _thinned(np.arange(10_000), np.arange(10_000) % 7)
    >>> len(thin.iterations), thin.least.tolist()[:2], thin.largest.tolist()[:2]
    (295, [0, 0], [6, 6])
    """
    together = -(-len(values) // _POINTS)
    if together < 2:
        return _Thin(iterations, values, values, values)
    firsts = range(0, len(values), together)
    runs = [values[first : first + together] for first in firsts]
    middles = [min(first + together // 2, len(values) - 1) for first in firsts]
    with np.errstate(all="ignore"):
        found = [np.array([of(run) for run in runs]) for of in (np.min, np.median, np.max)]
    return _Thin(iterations[middles], *found)


@contextmanager
def watch(history: History, *, theme: str = "light", language: str = "en") -> Iterator[History]:
    """Show the curves of a history in a notebook's cell while a loop adds to it.

    There is one picture, which is drawn anew in its place, at most twice a second and in a tenth of
    the time; at the end it is complete. Outside of notebooks nothing is shown.

    Parameters
    ----------
    history
        What the loop inside adds to.
    theme
        "light", "dark" or "auto", as of `draw`.
    language
        Of its words: "en", or "zh", Chinese; names stay.

    Raises
    ------
    TypeError
        If it is no history.
    ValueError
        For an unknown theme or language.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> with tg.viz.watch(tg.bptt.History()) as history:
    ...     for t in range(1, 4):
    ...         history.add(loss=1 / t)
    >>> len(history)
    3
    """
    if not isinstance(history, History):
        raise TypeError(f"watch: expected a History, got {type(history).__name__}")
    theme_of(theme)
    speaking(language)
    show = getattr(sys.modules.get("IPython.display"), "display", None)
    if show is None or not in_a_notebook():
        yield history
        return
    screen = _Screen(history, partial(training_curves, theme=theme, language=language), show)
    history.observers.append(screen.look)
    try:
        yield history
    finally:
        history.observers.remove(screen.look)
        screen.draw()


class _Screen:
    """The place in a notebook where the newest picture stands."""

    def __init__(self, history: History, drawn: Callable[[History], Chart], show: Any) -> None:
        self.history, self.drawn, self.show = history, drawn, show
        self.handle: Any = None
        self.next = 0.0

    def look(self) -> None:
        """Draw, if it is time."""
        if time.monotonic() >= self.next:
            self.draw()

    def draw(self) -> None:
        if not len(self.history):
            return
        began = time.monotonic()
        chart = self.drawn(self.history)
        if self.handle is None:
            self.handle = self.show(chart, display_id=True)
        else:
            self.handle.update(chart)
        ended = time.monotonic()
        self.next = ended + max(_PAUSE, _SHARE * (ended - began))
