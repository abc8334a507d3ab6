"""The parts of charts: axes and their ticks, legends, and the result that notebooks show."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tinygrad_rnn.viz import marks
from tinygrad_rnn.viz.drawing import Drawing
from tinygrad_rnn.viz.languages import Say
from tinygrad_rnn.viz.options import one_of
from tinygrad_rnn.viz.page import (
    EDGE_OF_PAGE,
    LEGEND,
    LEGEND_ROW,
    heading_width,
    opening,
    title_room,
)
from tinygrad_rnn.viz.schemes import THEMES, settled
from tinygrad_rnn.viz.text import width
from tinygrad_rnn.writing.palette import Theme

TICK = 10.5  # the size of the writing at axes
_GAP = 10.0  # between the labels of neighbouring ticks
_EXPONENTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_DEEPEST = 16  # decades below the largest value: what is smaller would not change it if added
_FIRST_DECADE, _LAST_DECADE = -307, 308  # of float64
_EVERY_OTHER = 2  # steps at most are told from the first; further apart, by round numbers
_APART = 6.0  # slots at least so wide have marks of their own
_ENTRY, _WIDE = 4.0, 26.0  # height of the marks of steps at which the loss enters; at most
_ROW = 16.0  # the height of a floor or a ceiling


@dataclass(frozen=True, eq=False)
class Chart(Drawing):
    """A chart.  Notebooks show it; `save` writes it to a file.

    Attributes
    ----------
    title : str
    svg : str
        The picture as SVG text.
    language : str
        Of its words, as `draw` knows them.
    """

    title: str
    svg: str
    language: str = field(default="en", kw_only=True)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.title}>"


def theme_of(name: str) -> Theme:
    """The theme of that name.

    Raises
    ------
    ValueError
        If there is none.
    """
    return THEMES[one_of("theme", name, THEMES)]


# -- axes ------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class TimeAxis:
    """Time steps side by side from ``left``, each on a slot of the same width."""

    steps: Sequence[int]
    left: float
    width: float

    @property
    def slot(self) -> float:
        """The width of a step's slot."""
        return self.width / len(self.steps)

    def middle(self, index: int) -> float:
        """Where the step of that index stands."""
        return self.left + (index + 0.5) * self.slot

    def ticks(self) -> list[int]:
        """The indices of the steps that get a label: round numbers, and the ends if there is room.

        Of a few steps those at the same distance from the first, if that leads to the last.

        Examples
        --------
        >>> TimeAxis(range(1, 51), 0, 200).ticks()
        [0, 9, 19, 29, 39, 49]
        >>> [TimeAxis(range(1, n + 1), 0, 80).ticks() for n in (6, 7)]
        [[1, 3, 5], [0, 2, 4, 6]]
        """
        last = len(self.steps) - 1
        for every in _round_numbers():
            labelled = [i for i, t in enumerate(self.steps) if t % every == 0]
            if every <= _EVERY_OTHER and last % every == 0:
                labelled = list(range(0, last + 1, every))
            if not any(map(self._close, labelled, labelled[1:])):
                break
        if not labelled or not self._close(0, labelled[0]):
            labelled.insert(0, 0)
        if not self._close(labelled[-1], last):
            labelled.append(last)
        return labelled

    def _close(self, i: int, j: int) -> bool:
        """Whether the labels of two steps would touch."""
        room = sum(width(str(self.steps[k]), TICK) for k in (i, j)) / 2 + _GAP
        return self.middle(j) - self.middle(i) < room

    def paint(self, y: float, theme: Theme) -> list[str]:
        """Ticks and labels under a chart whose lower side is at ``y``."""
        lines = []
        for i in self.ticks():
            x, label = self.middle(i), str(self.steps[i])
            lines.append(_line(x, y, x, y + 4, theme.muted))
            lines.append(
                marks.text(x, y + 15, label, TICK, fill=theme.muted, anchor="middle", label="t")
            )
        return lines

    def entries(self, steps: Collection[int], y: float, theme: Theme) -> list[str]:
        """Marks at ``y`` under the steps at which the loss enters."""
        runs: list[list[int]] = []
        for i in (i for i, t in enumerate(self.steps) if t in steps):
            if not runs or runs[-1][-1] != i - 1 or self.slot > _APART:
                runs.append([])
            runs[-1].append(i)
        gap = max(0.15 * self.slot, (self.slot - _WIDE) / 2) if self.slot > _APART else 0.0
        return [
            _entry(self.left + run[0] * self.slot + gap, y, len(run) * self.slot - 2 * gap, theme)
            for run in runs
        ]


def entries_item(theme: Theme, say: Say) -> Item:
    """What `TimeAxis.entries` mean, for legends."""
    label = say("the loss enters at this step")
    return Item(label, 34, lambda x, y: [_entry(x, y + 8, _WIDE, theme)])


def _entry(x: float, y: float, wide: float, theme: Theme) -> str:
    d = f"M{x:.2f} {marks.n(y)}h{wide:.2f}v{marks.n(_ENTRY)}h-{wide:.2f}Z"
    return f'<path class="entry" d="{d}" fill="{theme.gradient}"/>'


def _round_numbers() -> Iterator[int]:
    power = 1
    while True:
        yield from (power, 2 * power, 5 * power)
        power *= 10


@dataclass(frozen=True, eq=False)
class ValueAxis:
    """Values from ``low`` at the lower side to ``high`` at the upper one, perhaps logarithmic.

    There may be a ``ceiling`` above the range, where stands what is not finite, and, on a
    logarithmic axis, a ``floor`` below it for what is too small, labelled "≈0", and below that
    one for what is ``zero`` exactly, labelled "0": nothing came, or it vanished.
    """

    low: float
    high: float
    top: float
    bottom: float
    log: bool = False
    floor: float | None = None
    ceiling: float | None = None
    zero: float | None = None

    @classmethod
    def linear(
        cls, low: float, high: float, values: Iterable[float], top: float, bottom: float
    ) -> ValueAxis:
        """From ``low`` to ``high``; the values only say whether a ceiling is needed."""
        ceiling = None if all(map(math.isfinite, values)) else top
        return cls(low, high, top + (ceiling is not None) * _ROW, bottom, ceiling=ceiling)

    @classmethod
    def logarithmic(cls, values: Sequence[float], top: float, bottom: float) -> ValueAxis:
        """Whole decades round all values but those that are 10¹⁶ times below the largest.

        Examples
        --------
        >>> axis = ValueAxis.logarithmic([0.0, 0.02, 5.0], 0, 130)
        >>> axis.low, axis.high, axis.y(0.0) == axis.zero == 130, axis.floor, axis.ceiling
        (0.01, 10.0, True, None, None)
        """
        exponents = [math.log10(x) for x in values if 0 < x < math.inf] or [0.0]
        largest = max(exponents)
        least = min(e for e in exponents if e >= largest - _DEEPEST)
        low = min(max(math.floor(least), _FIRST_DECADE), _LAST_DECADE - 1)
        high = min(max(math.ceil(largest), low + 1), _LAST_DECADE)
        zero = bottom if 0 in values else None
        bottom -= (zero is not None) * _ROW
        floor = bottom if any(0 < x < _decade(low) for x in values) else None
        ceiling = None if all(map(math.isfinite, values)) else top
        top, bottom = top + (ceiling is not None) * _ROW, bottom - (floor is not None) * _ROW
        return cls(_decade(low), _decade(high), top, bottom, True, floor, ceiling, zero)

    def y(self, value: float) -> float:
        """Where a value stands."""
        if not math.isfinite(value):
            return self.top if self.ceiling is None else self.ceiling
        if value == 0 and self.zero is not None:
            return self.zero
        if self.log and value < self.low:
            return self.bottom if self.floor is None else self.floor
        low, high = self.low, self.high
        if self.log:
            value, low, high = math.log(value), math.log(low), math.log(high)
        part = min(max((value - low) / (high - low), 0.0), 1.0)
        return self.bottom - part * (self.bottom - self.top)

    def ticks(self) -> list[tuple[float, str]]:
        """Heights and labels, from below.

        Examples
        --------
        >>> [label for _, label in ValueAxis.logarithmic([0.0, 2e-9, 3.0], 0, 130).ticks()]
        ['0', '10⁻⁹', '10⁻⁷', '10⁻⁵', '10⁻³', '10⁻¹', '10¹']
        """
        if self.log:
            low, high = round(math.log10(self.low)), round(math.log10(self.high))
            most = max(1, int((self.bottom - self.top) / (1.4 * TICK)))
            every = next(k for k in _round_numbers() if (high - low) / k <= most)
            ticks = [(self.y(_decade(k)), _power(k)) for k in range(low, high + 1, every)]
        else:
            values = self.low, (self.low + self.high) / 2, self.high
            ticks = [(self.y(value), f"{value:g}") for value in values]
        rows = (self.zero, "0"), (self.floor, "≈0")
        below = [(y, label) for y, label in rows if y is not None]
        return below + ticks + ([] if self.ceiling is None else [(self.ceiling, "nan, ∞")])

    def paint(self, left: float, right: float, theme: Theme) -> list[str]:
        """Labels at the left side of a chart, and thin lines across it."""
        lines = []
        for y, label in self.ticks():
            lines.append(_line(left, y, right, y, theme.frame, 0.6))
            lines.append(
                marks.text(left - 6, y + 3.7, label, TICK, fill=theme.muted, anchor="end",
                           label="value")
            )  # fmt: skip
        return lines


def _decade(exponent: int) -> float:
    """A power of ten as it is written: what ``10.0**k`` gives differs in places by its last bit."""
    return float(f"1e{exponent}")


def _power(exponent: int) -> str:
    return "1" if exponent == 0 else "10" + str(exponent).translate(_EXPONENTS)


def _line(x: float, y: float, u: float, v: float, colour: str, thickness: float = 1) -> str:
    d = f"M{marks.xy((x, y))}L{marks.xy((u, v))}"
    return f'<path d="{d}" stroke="{colour}" stroke-width="{thickness}"/>'


# -- pages -----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Item:
    """One entry of a legend: a symbol, painted at x, y and so wide, and what it means."""

    label: str
    width: float
    paint: Callable[[float, float], list[str]]


def page(
    title: str, aid: str, body: list[str], size: tuple[float, float], items: list[Item],
    theme: Theme, language: str,
) -> str:  # fmt: skip
    """The whole SVG: title, reading aid, the chart's body of that size, and its legend."""
    inner = max(size[0], heading_width(title, aid))
    top = EDGE_OF_PAGE + title_room(aid, math.ceil(inner))
    foot = top + size[1] + 20
    legend, height = _legend(items, inner, theme)
    wide, high = math.ceil(inner + 2 * EDGE_OF_PAGE), math.ceil(foot + height + EDGE_OF_PAGE)
    lines = opening(title, aid, wide, high, theme, language)
    for name, lower, inside in ("chart", top, body), ("legend", foot, legend):
        move = f"translate({marks.n(EDGE_OF_PAGE)} {marks.n(lower)})"
        lines += [f'<g class="{name}" transform="{move}">', *inside, "</g>"]
    return settled("\n".join([*lines, "</svg>"]) + "\n")


def _legend(items: list[Item], room: float, theme: Theme) -> tuple[list[str], float]:
    """The items in as many rows as they need, and the height of the rows."""
    lines, x, y = [], 0.0, 0.0
    for item in items:
        length = item.width + width(item.label, LEGEND)
        if x and x + length > room:
            x, y = 0.0, y + LEGEND_ROW
        lines += item.paint(x, y)
        lines.append(marks.text(x + item.width, y + 14.5, item.label, LEGEND, fill=theme.muted))
        x += length + 24
    return lines, y + LEGEND_ROW
