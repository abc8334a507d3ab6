"""Numbers over two axes as coloured cells: loss terms by steps, a loss over two parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_rnn.bptt.contributions import ContributionMatrix
from tinygrad_rnn.bptt.surface import ErrorSurface
from tinygrad_rnn.viz import marks
from tinygrad_rnn.viz.chart import Chart, Item, page, theme_of
from tinygrad_rnn.viz.languages import Say, speaking
from tinygrad_rnn.viz.layout.model import Rect
from tinygrad_rnn.viz.options import title_or
from tinygrad_rnn.viz.page import ends_of, heat_symbol, heat_symbol_width
from tinygrad_rnn.viz.text import fitted, width, xml
from tinygrad_rnn.writing import figures
from tinygrad_rnn.writing.figures import BINS, Scale, bin_of
from tinygrad_rnn.writing.norms import norm
from tinygrad_rnn.writing.palette import Theme
from tinygrad_rnn.writing.text import clean

_CELL, _ROOM, _LABEL, _NUMBER = 46.0, 720.0, 10.5, 10.0
_NUMBERED = 40.0  # cells at least so wide have their number written in them
_APART, _HEAD, _FOOT = 34.0, 30.0, 40.0
_TITLES = {"loss": "loss term", "step": "time step of use", "visit": "visit of the walk"}


def contribution_map(
    shares: ContributionMatrix, *, theme: str = "light", title: str | None = None,
    language: str = "en",
) -> Chart:  # fmt: skip
    """Draw the matrix of a gradient's shares: which loss term gave how much by which step.

    A line for each loss term, a column for each time step that used the parameter, and in each
    cell the norm ‖∂E_t/∂W by step k‖, as a colour and, where there is room, as a number. The
    line below has the norms of the columns' sums: those of the contributions by step.

    Parameters
    ----------
    shares
        What ``bptt.contributions(record, param, by=("loss", "step"))`` returned.
    theme
        "light", "dark" or "auto", as of `draw`.
    title
        A title in place of the one that names the parameter.
    language
        Of its words: "en", or "zh", Chinese; names stay.

    Raises
    ------
    TypeError
        If ``shares`` is no such matrix.
    ValueError
        If it is empty, or for an unknown theme or language.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> rnn = tg.nn.RNN(1, 2)
    >>> walk = tg.bptt.record(rnn(tg.ones(9, 1))[0].sum())
    >>> contribution_map(tg.bptt.contributions(walk, rnn.weight_hh_l0, by=("loss", "step")))
    <Chart: Gradient of weight_hh_l0 by loss, step>
    """
    if not isinstance(shares, ContributionMatrix):
        raise TypeError(
            f"contribution_map: expected the contributions by two aspects, got "
            f'{type(shares).__name__}: bptt.contributions(walk, W, by=("loss", "step")) first'
        )
    if not shares:
        raise ValueError("contribution_map: nothing came to this tensor, so there is no matrix")
    look, say, norms = theme_of(theme), speaking(language), shares.norms()
    sums = [norm(column) for column in shares.numpy().sum(0)]
    known = np.array([[(i, j) in shares for j in shares.columns] for i in shares.lines])
    scale = Scale.of([*norms[known].tolist(), *sums])
    across, down = (say(_TITLES.get(aspect, aspect)) for aspect in reversed(shares.by))
    panel = _Panel(
        "", across, down,
        list(map(_word, shares.columns)), [*map(_word, shares.lines), say("sum")],
        np.vstack([np.where(known, norms, np.nan), sums]),
        np.vstack([known, np.ones((1, len(sums)), bool)]),
        lambda x: bin_of(scale, x),
    )  # fmt: skip
    aid = (
        f"The norm of what each {down} gave to the gradient by each {across}; below, of their sum."
    )
    heading = title_or(title, say(shares.heading))
    size, lines = _painted([panel], look)
    svg = page(heading, say(aid), lines, size, [_scale_item(scale, look, say)], look, language)
    return Chart(heading, svg, language=language)


def error_surface(
    surface: ErrorSurface, *, theme: str = "light", title: str | None = None, language: str = "en"
) -> Chart:
    """Draw the loss over two parameters, beside the norm of its gradient: where its wall is.

    Parameters
    ----------
    surface
        What ``bptt.error_surface`` returned.
    theme
        "light", "dark" or "auto", as of `draw`.
    title
        A title in place of the one that names the parameters.
    language
        Of its words: "en", or "zh", Chinese; names stay.

    Raises
    ------
    TypeError
        If ``surface`` is none.
    ValueError
        For an unknown theme or language.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w, b = (tg.tensor(0.5, requires_grad=True).named(name) for name in "wb")
    >>> surface = tg.bptt.error_surface(lambda: (w**9 + b) ** 2, w, b, (0, 2), (-1, 1), points=9)
    >>> error_surface(surface)
    <Chart: The loss over w and b>
    """
    if not isinstance(surface, ErrorSurface):
        raise TypeError(
            f"error_surface: expected an ErrorSurface, got {type(surface).__name__}: "
            "bptt.error_surface(loss_of, p, q, …) first"
        )
    look, say, (p, q) = theme_of(theme), speaking(language), map(clean, surface.names)
    steep = surface.steepness.T[::-1]  # p across, q upwards
    scale = Scale.of(steep[np.isfinite(steep)].tolist())
    levels = _levels(surface.loss)
    axes = (
        [figures.number(float(x)) for x in surface.p],
        [figures.number(float(x)) for x in surface.q[::-1]],
    )
    known = np.ones(steep.shape, bool)
    highest = np.unravel_index(np.argmax(np.where(np.isfinite(steep), steep, -1)), steep.shape)
    ring = int(highest[0]), int(highest[1])
    panels = [
        _Panel(say("loss"), p, q, *axes, surface.loss.T[::-1], known, levels, ring),
        _Panel(say("‖gradient‖"), p, q, *axes, steep, known, lambda x: bin_of(scale, x), ring),
    ]
    heading = title_or(title, say(f"The loss over {p} and {q}"))
    low, high = (figures.number(float(of(surface.loss))) for of in (np.nanmin, np.nanmax))
    aid = (
        f"Left: the loss, from {low} to {high} in six even steps. Right: the norm of its gradient. "
        f"The ring: the steepest point, {p} = {figures.number(surface.wall[0])}, "
        f"{q} = {figures.number(surface.wall[1])}."
    )
    size, lines = _painted(panels, look)
    svg = page(heading, say(aid), lines, size, [_scale_item(scale, look, say)], look, language)
    return Chart(heading, svg, language=language)


def _levels(values: Any) -> Callable[[float], int | None]:
    """Six even steps from the least to the largest of some values."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)

    def level(x: float) -> int:
        if not math.isfinite(x):
            return BINS
        part = (x - low) / (high - low) if high > low else 0.0
        return 1 + min(BINS - 1, int(part * BINS))

    return level


def _word(key: Any) -> str:
    return "–" if key is None or key == "" else clean(str(key))


def _scale_item(scale: Scale | None, theme: Theme, say: Say) -> Item:
    return Item(
        say(ends_of(scale)),
        heat_symbol_width(say),
        lambda x, y: heat_symbol(x, y, scale, theme, say),
    )


# -- painting --------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Panel:
    """One grid: its title, the names of its axes, their labels, and its numbers, from the top."""

    title: str
    across: str
    down: str
    columns: Sequence[str]
    lines: Sequence[str]
    values: Any
    known: Any
    bin: Callable[[float], int | None]
    ring: tuple[int, int] | None = None


def _painted(panels: list[_Panel], theme: Theme) -> tuple[tuple[float, float], list[str]]:
    """The panels side by side: their size together, and the marks."""
    x, height, lines = 0.0, 0.0, list[str]()
    for panel in panels:
        wide, high = _paint(panel, x, _ROOM / len(panels), theme, lines)
        x, height = x + wide + _APART, max(height, high)
    return (x - _APART, height), lines


def _paint(
    panel: _Panel, left: float, room: float, theme: Theme, lines: list[str]
) -> tuple[float, float]:
    count = len(panel.columns)
    cell = min(_CELL, room / count)
    cell = float(int(cell)) if cell > 4 else cell  # whole pixels leave no gaps between cells
    tall = min(26.0, cell) if cell < _NUMBERED else 26.0
    margin = 22 + max(width(label, _LABEL) for label in panel.lines)
    x, y, wide = left + margin, _HEAD, cell * count
    if panel.title:
        lines.append(marks.text(x, 14, panel.title, 12, bold=True, label="heading"))
    lines.append(marks.text(left, y - 6, panel.down, _LABEL, fill=theme.muted, label="axis"))
    lines.append('<g class="cells" shape-rendering="crispEdges">')
    for i, line in enumerate(panel.lines):
        for j, column in enumerate(panel.columns):
            if panel.known[i, j]:
                box = Rect(x + j * cell, y + i * tall, cell, tall)
                spoken = f"{panel.down} {line}, {panel.across} {column}"
                lines += _cell(panel, float(panel.values[i, j]), box, spoken, theme)
    lines.append("</g>")
    if panel.ring is not None:
        i, j = panel.ring
        at = marks.xy((x + (j + 0.5) * cell, y + (i + 0.5) * tall)).split()
        look = f'r="7" fill="none" stroke="{theme.ink}" stroke-width="2"'
        lines.append(f'<circle class="steepest" cx="{at[0]}" cy="{at[1]}" {look}/>')
    bottom = y + tall * len(panel.lines)
    for i in _labelled([_LABEL + 3] * len(panel.lines), tall):
        label = fitted(panel.lines[i], _LABEL, 120)
        lines.append(
            marks.text(x - 6, y + (i + 0.5) * tall + 3.7, label, _LABEL, fill=theme.muted,
                       anchor="end", label="line")
        )  # fmt: skip
    for j in _labelled([width(label, _LABEL) + 8 for label in panel.columns], cell):
        lines.append(
            marks.text(x + (j + 0.5) * cell, bottom + 15, panel.columns[j], _LABEL,
                       fill=theme.muted, anchor="middle", label="column")
        )  # fmt: skip
    lines.append(
        marks.text(x + wide / 2, bottom + 32, panel.across, _LABEL, fill=theme.muted,
                   anchor="middle", label="axis")
    )  # fmt: skip
    return margin + wide, bottom + _FOOT


def _cell(panel: _Panel, value: float, box: Rect, spoken: str, theme: Theme) -> list[str]:
    heat, number = theme.heat[panel.bin(value) or 0], figures.number(value)
    note = f"<title>{xml(spoken)}: {number}</title>"
    lines = [f"<g>{note}", marks.rect(box, fill=heat.fill, extra=' class="cell"')]
    if box.width >= _NUMBERED:
        lines.append(
            marks.text(box.x + box.width / 2, box.y + box.height / 2 + 3.5, number, _NUMBER,
                       fill=heat.text, mono=True, anchor="middle", label="number")
        )  # fmt: skip
    return [*lines, "</g>"]


def _labelled(sizes: Sequence[float], slot: float) -> list[int]:
    """Which of neighbouring labels are written, so that none touch; the last one always is."""
    every = max(1, math.ceil(max(sizes) / slot))
    last = len(sizes) - 1
    return [i for i in range(0, last, every) if last - i >= every] + [last]
