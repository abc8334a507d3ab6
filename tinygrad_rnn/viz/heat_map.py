"""Layers × time steps of gradient norms: a whole backward walk on one page, however long it is."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from tinygrad_rnn.bptt import Record
from tinygrad_rnn.bptt.loss_terms import steps_of_terms
from tinygrad_rnn.bptt.record import expect_record
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.reading.given import given_name, role_of
from tinygrad_rnn.reading.layers import Layer
from tinygrad_rnn.reading.roles import parameters
from tinygrad_rnn.reading.states import recurrences, with_found_names
from tinygrad_rnn.viz import marks
from tinygrad_rnn.viz.chart import Chart, Item, TimeAxis, entries_item, page, theme_of
from tinygrad_rnn.viz.languages import Say, speaking
from tinygrad_rnn.viz.layout.model import Rect
from tinygrad_rnn.viz.options import title_or
from tinygrad_rnn.viz.page import ends_of, heat_symbol, heat_symbol_width
from tinygrad_rnn.viz.text import fitted, width, xml
from tinygrad_rnn.writing import figures
from tinygrad_rnn.writing.figures import Scale, bin_of, count
from tinygrad_rnn.writing.norms import add_to, norm
from tinygrad_rnn.writing.palette import Theme
from tinygrad_rnn.writing.text import clean

_WIDEST, _THINNEST, _ROOM = 64.0, 2.0, 900.0  # of a sliver, and for all slivers of a band
_NUMBERED = 46.0  # slivers at least so wide have their number written in them
_BAND, _GAP, _GROUP, _AXIS = 20.0, 4.0, 30.0, 34.0  # heights
_NAME, _NUMBER, _LABELS = 12.0, 10.0, 170.0
_SPACE = 16.0  # between the columns of the table
_SUMMARY = ("first", "last", "largest", "smallest")

_AID = "The norm of the gradient of each state, and of each step's share in a parameter's."

_ByStep = dict[int, float | None]  # None where no gradient comes


@dataclass(frozen=True, eq=False)
class _Band:
    """The gradient norms by time step of one state, or of one parameter's shares."""

    name: str
    norms: _ByStep


def heat_map(
    record: Record, *, theme: str = "light", title: str | None = None, language: str = "en"
) -> Chart:
    """Draw the norms of the gradients of all states and parameters over time, as colours.

    A band for each state of each layer and direction, ‖∂L/∂h_t‖, and for each parameter, with
    the norm of what each step contributes to its gradient (`bptt.contributions`); the layers
    from bottom to top. Beside each band stand its first, last, largest and smallest norm; where
    slivers are wide enough, each has its number. Where they would be too thin, one sliver
    stands for several steps and shows the largest of their norms.

    Parameters
    ----------
    record
        What ``bptt.record(loss)`` returned.
    theme
        "light", "dark" or "auto", as of `draw`.
    title
        A title in place of the one that counts steps.
    language
        Of its words: "en", or "zh", Chinese; names stay.

    Raises
    ------
    TypeError
        If ``record`` is not a record of a walk.
    ValueError
        If there are neither states nor shares of parameters, or for an unknown theme or language.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> output, _ = tg.nn.GRU(1, 2)(tg.ones(1000, 1))
    >>> tg.viz.heat_map(tg.bptt.record(output[-1].sum()))
    <Chart: Gradients of 1,000 time steps>
    """
    return heat_map_for("heat_map", record, theme, title, language)


def heat_map_for(
    caller: str, record: Record, theme: str, title: str | None, language: str
) -> Chart:
    """`heat_map`, in whose errors stands the function that the user called."""
    expect_record(record, caller)
    look, say, groups = theme_of(theme), speaking(language), _groups(record)
    steps = sorted({t for bands in groups.values() for band in bands for t in band.norms})
    if not steps:
        raise ValueError(
            f"{caller}: no time step of this graph goes on from another one, and no parameter is "
            "used at several; if steps were not found, tell them by `with bptt.step(t):`"
        )
    painter = _MapPainter(groups, steps, steps_of_terms(record), look, say)
    heading = f"Gradients of {count(len(steps), 'time step')}{record.which}"
    heading = title_or(title, say(heading))
    aid = say(f"{_AID} {painter.unit}")
    size = painter.width, painter.height
    svg = page(heading, aid, painter.lines, size, painter.legend(), look, language)
    return Chart(heading, svg, language=language)


# -- numbers ---------------------------------------------------------------------------------


def _groups(record: Record) -> dict[str, list[_Band]]:
    """The bands under the names of their layers, the first layer first."""
    groups: dict[str, list[_Band]] = defaultdict(list)
    home: dict[Layer, str] = {}
    layers = with_found_names(recurrences(record.places), record.places, record.called)
    for found in layers:
        name = home[found.layer.whatever_run] = str(found.layer)
        for state in found.states:
            groups[name].append(_Band(clean(state.name), _state_norms(record, state.places)))
    for place, (layer, norms) in _shares(record).items():
        name = given_name(place) or "parameter"
        groups[home.get(layer) or layer.scope or "parameters"].append(_Band(name, norms))
    return groups


def _state_norms(record: Record, places: dict[int, Node]) -> _ByStep:
    gradients = {t: record.gradient(place) for t, place in places.items()}
    return {t: None if g is None else norm(g) for t, g in gradients.items()}


def _shares(record: Record) -> dict[Node, tuple[Layer, _ByStep]]:
    """The norms of the steps' shares in each parameter's gradient, and where it is used."""
    learned = parameters(record.places, record.root)
    sums: dict[Node, dict[int, Any]] = {}
    layers: dict[Node, Layer] = {}
    for visit in record.visits:
        t, sent = visit.step, None
        for operand, parent in enumerate(visit.node.parents):
            if t is None or parent not in learned:
                continue
            sent = sent or visit.contributions
            c, share = sent[operand], sums.setdefault(parent, {})
            if c is not None:
                add_to(share, t, c)
                layers[parent] = Layer.of(visit.node)
    return {
        place: (layers[place], {t: norm(share[t]) for t in sorted(share)})
        for place in sorted(layers, key=lambda place: place.order)
        if len(share := sums[place]) > 1 or role_of(place) == "parameter"
    }


# -- painting --------------------------------------------------------------------------------


class _MapPainter:
    def __init__(
        self, groups: dict[str, list[_Band]], steps: list[int], entries: set[int], theme: Theme,
        say: Say,
    ) -> None:  # fmt: skip
        self.theme, self.steps, self.entries, self.lines = theme, steps, entries, list[str]()
        self.say, self.headings = say, [say(heading) for heading in _SUMMARY]
        bands = [band for group in groups.values() for band in group]
        self.scale = Scale.of(x for band in bands for x in band.norms.values() if x is not None)
        names = max(width(band.name, _NAME, bold=True) for band in bands)
        self.left = min(names, _LABELS) + 28
        room = min(_ROOM, _WIDEST * len(steps))
        self.together = math.ceil(len(steps) * _THINNEST / room)  # steps that share a sliver
        self.time = TimeAxis(steps, self.left, room)
        self.table = [self._summary(band.norms) for band in bands]
        self.columns = self._columns()
        self.width = self.columns[-1] + 12
        self.height, self.has_zeros, self.has_none = 0.0, False, False
        for name, group in reversed(groups.items()):
            self._group(name, group)
        self._axis()

    @property
    def unit(self) -> str:
        """What one sliver stands for."""
        if self.together == 1:
            return "One sliver per time step."
        return f"One sliver stands for {self.together} time steps: for the largest of their norms."

    def _columns(self) -> list[float]:
        """The right ends of the columns of the table beside the bands."""
        x, ends = self.time.left + self.time.width, []
        for cells in zip(self.headings, *self.table, strict=True):
            x += _SPACE + max(width(cell, _NUMBER, mono=True) for cell in cells)
            ends.append(x)
        return ends

    def _group(self, name: str, bands: list[_Band]) -> None:
        theme, top = self.theme, self.height
        box = Rect(0, top, self.width, _GROUP + (_BAND + _GAP) * len(bands) + 6)
        look = f' class="layer" stroke="{theme.frame}" stroke-width="1.2"'
        self.lines.append(marks.rect(box, 8, fill=theme.paper, extra=look))
        label = fitted(self.say(clean(name)), 12, self.columns[0] - 100, bold=True)
        self.lines.append(marks.text(12, top + 19, label, 12, fill=theme.muted, bold=True))
        for x, heading in zip(self.columns, self.headings, strict=True):
            self.lines.append(
                marks.text(x, top + 19, heading, _NUMBER, fill=theme.muted, mono=True, anchor="end")
            )
        for i, band in enumerate(bands):
            self._band(band, top + _GROUP + (_BAND + _GAP) * i)
        self.height = box.bottom + 14

    def _band(self, band: _Band, y: float) -> None:
        theme = self.theme
        name = fitted(band.name, _NAME, _LABELS, bold=True)
        self.lines.append(
            f'<g class="band" data-name="{xml(band.name)}" shape-rendering="crispEdges">'
        )
        self.lines.append(marks.text(16, y + 14.5, name, _NAME, bold=True, label="name"))
        for first in range(0, len(self.steps), self.together):
            self._sliver(band.norms, self.steps[first : first + self.together], first, y)
        for x, cell in zip(self.columns, self._summary(band.norms), strict=True):
            self.lines.append(
                marks.text(x, y + 13.5, cell, _NUMBER, fill=theme.ink, mono=True, anchor="end",
                           label="summary")
            )  # fmt: skip
        self.lines.append("</g>")

    def _sliver(self, norms: _ByStep, steps: list[int], first: int, y: float) -> None:
        """The colour of the largest norm of some neighbouring steps; nothing where none is."""
        known = [x for t in steps if (x := norms.get(t)) is not None]
        bin = bin_of(self.scale, _largest(known) if known else None)
        when = f"{steps[0]}" if len(steps) == 1 else f"{steps[0]}–{steps[-1]}"
        x, wide = self.time.left + first * self.time.slot, len(steps) * self.time.slot
        if bin is None:
            if not norms.keys().isdisjoint(steps):
                self.has_none = True
                note = f"<title>t = {when}: {self.say('none')}</title>"
                self.lines.append(self._none(x, y, wide, note))
            return
        heat, number = self.theme.heat[bin], figures.number(_largest(known))
        d = f"M{x:.2f} {marks.n(y)}h{wide:.2f}v{marks.n(_BAND)}h-{wide:.2f}Z"
        note = f"<title>t = {when}: {number}</title>"
        self.lines.append(f'<path class="sliver" d="{d}" fill="{heat.fill}">{note}</path>')
        if _largest(known) == 0:  # apart from what is only too small for a colour
            self.has_zeros = True
            self.lines.append(self._zero(x, y + _BAND, wide))
        if self.time.slot >= _NUMBERED:
            self.lines.append(
                marks.text(x + wide / 2, y + 13.5, number, _NUMBER, fill=heat.text, mono=True,
                           anchor="middle", label="number")
            )  # fmt: skip

    def _zero(self, x: float, bottom: float, wide: float) -> str:
        """The line at the lower side of a sliver whose norm is zero exactly."""
        d = f"M{x:.2f} {marks.n(bottom - 1.5)}h{wide:.2f}"
        return f'<path class="zero" d="{d}" stroke="{self.theme.muted}" stroke-width="2"/>'

    def _none(self, x: float, y: float, wide: float, note: str = "") -> str:
        """The dotted line of a sliver to which no gradient comes, not even a zero."""
        look = f'stroke="{self.theme.muted}" stroke-width="1.5" stroke-dasharray="1.5 3"'
        d = f"M{x:.2f} {marks.n(y + _BAND / 2)}h{wide:.2f}"
        return f'<path class="none" d="{d}" {look}>{note}</path>'

    def _axis(self) -> None:
        self.lines += self.time.entries(self.entries, self.height - 10, self.theme)
        y = self.height - 4
        self.lines.append(
            marks.text(self.left - 12, y + 15, "t", _NAME, fill=self.theme.muted, anchor="end")
        )
        self.lines += self.time.paint(y, self.theme)
        self.height = y + 18

    def legend(self) -> list[Item]:
        """The scale of colours, and what else there is to tell."""
        items = [
            Item(
                self.say(ends_of(self.scale)),
                heat_symbol_width(self.say),
                lambda x, y: heat_symbol(x, y, self.scale, self.theme, self.say),
            )
        ]
        if not self.entries.isdisjoint(self.steps):
            items.append(entries_item(self.theme, self.say))
        if self.has_zeros:
            label = self.say("underlined: zero exactly")
            items.append(Item(label, 34, lambda x, y: [self._zero(x, y + 18, 26)]))
        if self.has_none:
            label = self.say("dotted: no gradient comes")
            items.append(Item(label, 34, lambda x, y: [self._none(x, y, 26)]))
        return items

    def _summary(self, norms: _ByStep) -> list[str]:
        """The first, last, largest and smallest norm over time; the latter two with their step."""
        known, none = {t: x for t, x in norms.items() if x is not None}, self.say("none")
        if not known:
            return [none] * len(_SUMMARY)
        largest = max(known, key=lambda t: (not math.isfinite(known[t]), known[t]))
        smallest = min(known, key=lambda t: (not math.isfinite(known[t]), known[t]))
        first, last = norms[min(norms)], norms[max(norms)]
        ends = [none if end is None else figures.number(end) for end in (first, last)]
        return ends + [f"{figures.number(known[t])} (t={t})" for t in (largest, smallest)]


def _largest(norms: list[float]) -> float:
    """The largest, or one that is not finite if there is such a one."""
    return max(norms, key=lambda x: (not math.isfinite(x), x))
