"""Small multiples of a recurrent net: gradients of its states and means of its gates, over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_rnn.bptt import Flow, Record, StateFlow
from tinygrad_rnn.bptt.loss_terms import steps_of_terms
from tinygrad_rnn.bptt.state_flow import flow_for
from tinygrad_rnn.operations.traits import traits_of
from tinygrad_rnn.reading.layers import Layer
from tinygrad_rnn.reading.states import Series, recurrences
from tinygrad_rnn.viz import marks
from tinygrad_rnn.viz.chart import Chart, Item, TimeAxis, ValueAxis, entries_item, page, theme_of
from tinygrad_rnn.viz.curves import Curve, curve, curve_item, path
from tinygrad_rnn.viz.languages import Say, speaking
from tinygrad_rnn.viz.layout.model import Rect
from tinygrad_rnn.viz.options import title_or
from tinygrad_rnn.viz.text import fitted, xml
from tinygrad_rnn.writing.figures import count
from tinygrad_rnn.writing.palette import Theme
from tinygrad_rnn.writing.text import clean

_STATE, _ONLY_STATE, _GATE, _HIGH = 270.0, 650.0, 130.0, 150.0  # sizes of panels
_LEFT, _RIGHT, _HEAD, _FOOT, _BETWEEN = 50.0, 18.0, 58.0, 40.0, 18.0  # room around them
_BOUNDS: dict[str, Any] = {"least": np.min, "largest": np.max, "mean": np.mean}
_AID = (
    "How much the loss depends on the state at each step, and by which way the gradient came: "
    "directly, or through other time steps."
)


@dataclass(frozen=True, eq=False, repr=False)
class FlowChart(Chart):
    """The chart of `gradient_flow`; ``flow`` holds its arrays, as `bptt.flow` returns them."""

    flow: Flow


def gradient_flow(
    record: Record, *, theme: str = "light", title: str | None = None, language: str = "en"
) -> FlowChart:
    """Draw how gradients flow back through time, layer by layer.

    A row for each recurrent layer and direction: for each of its states ‖∂L/∂state_t‖ over t on
    a logarithmic axis, which all rows share, with the part that arrives directly and the part
    that comes through time (`bptt.flow`); and for each gate its mean over batch and units, in
    the band from its least to its largest element.

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
        If there are no states, or for an unknown theme or language.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> output, _ = tg.nn.LSTM(1, 2)(tg.ones(30, 1))
    >>> chart = tg.viz.gradient_flow(tg.bptt.record(output[-1].sum()))
    >>> chart
    <FlowChart: Gradient flow through 30 time steps>
    >>> [series.name for series in chart.flow]
    ['c', 'h']
    """
    look, say, flow = theme_of(theme), speaking(language), flow_for("gradient_flow", record)
    painter = _FlowPainter(record, flow, look, say)
    steps = count(len({t for series in flow for t in series.steps}), "time step")
    heading = title_or(title, say(f"Gradient flow through {steps}{record.which}"))
    size = painter.width, painter.height
    svg = page(heading, say(_AID), painter.lines, size, painter.legend(), look, language)
    return FlowChart(heading, svg, flow, language=language)


class _FlowPainter:
    def __init__(self, record: Record, flow: Flow, theme: Theme, say: Say) -> None:
        self.record, self.theme, self.say, self.lines = record, theme, say, list[str]()
        blue = theme.boxes["input"].border
        self.looks = (
            Curve(say("‖∂L/∂state‖"), theme.gradient, 2.2, "", "disc"),
            Curve(say("the part that arrives directly"), blue, 1.5, "7 3", "ring"),
            Curve(say("the part that comes through time"), theme.recurrent, 1.5, "2 3", "triangle"),
        )
        self.entries = steps_of_terms(record)
        self.gate_look = Curve(say("mean of a gate"), blue, 1.8, "", "disc")
        self.norms = {series: series.norms() for series in flow}
        self.values = [float(x) for norms in self.norms.values() for part in norms for x in part]
        rows: dict[Layer, list[StateFlow]] = {}
        for series in flow:
            rows.setdefault(series.layer, []).append(series)
        self.gates = {found.layer: found.gates for found in recurrences(record.places)}
        alone = max(len(states) + len(self.gates[layer]) for layer, states in rows.items()) == 1
        self.state_width = _ONLY_STATE if alone else _STATE
        self.width = self.height = 0.0
        for layer, states in reversed(rows.items()):  # the top layer on top
            self._row(layer, states, self.height)
            self.height += _HEAD + _HIGH + _FOOT + _BETWEEN
        self.height -= _BETWEEN
        self._frames([*reversed(rows)])

    def _frames(self, layers: list[Layer]) -> None:
        """A frame round each row, under all else, once it is known how wide they are."""
        frames = []
        look = f' class="layer" stroke="{self.theme.frame}" stroke-width="1.2"'
        for i, layer in enumerate(layers):
            y = i * (_HEAD + _HIGH + _FOOT + _BETWEEN)
            box = Rect(0, y, self.width, _HEAD + _HIGH + _FOOT)
            label = fitted(self.say(clean(str(layer))), 12, self.width - 20, bold=True)
            frames.append(marks.rect(box, 8, fill=self.theme.paper, extra=look))
            frames.append(marks.text(12, y + 20, label, 12, fill=self.theme.muted, bold=True))
        self.lines = frames + self.lines

    def _row(self, layer: Layer, states: list[StateFlow], top: float) -> None:
        x = 0.0
        for series in states:
            plot = Rect(x + _LEFT, top + _HEAD, self.state_width, _HIGH)
            self._state(series, plot)
            x = plot.right + _RIGHT
        for gate in self.gates[layer]:
            plot = Rect(x + _LEFT - 12, top + _HEAD, _GATE, _HIGH)
            if self._gate(gate, plot):
                x = plot.right + _RIGHT
        self.width = max(self.width, x)

    def _panel(self, plot: Rect, name: str, steps: list[int], values: ValueAxis) -> TimeAxis:
        """The ground of a panel, its heading and its axes."""
        theme, time = self.theme, TimeAxis(steps, plot.x, plot.width)
        self.lines.append(marks.rect(plot, 3, fill=theme.band, extra=' class="plot"'))
        heading = fitted(self.say(f"{name} over t"), 12, plot.width, bold=True)
        self.lines.append(marks.text(plot.x, plot.y - 10, heading, 12, bold=True, label="heading"))
        self.lines += values.paint(plot.x, plot.right, theme)
        self.lines += time.paint(plot.bottom, theme)
        return time

    def _state(self, series: StateFlow, plot: Rect) -> None:
        values = ValueAxis.logarithmic(self.values, plot.y + 8, plot.bottom - 8)
        self.lines.append(f'<g class="state" data-name="{_attribute(series.name)}">')
        name = f"‖∂L/∂{clean(series.name)}ₜ‖"
        time = self._panel(plot, name, series.steps, values)
        parts = zip(self.looks, self.norms[series], ("gradient", "direct", "through"), strict=True)
        for look, norms, kind in parts:
            points = [(time.middle(i), values.y(float(x))) for i, x in enumerate(norms)]
            self.lines += curve(points, look, kind)
        self.lines += time.entries(self.entries, plot.bottom - 4, self.theme)
        self.lines.append("</g>")

    def _gate(self, gate: Series, plot: Rect) -> bool:
        """The panel of one gate, unless its values are not to be had."""
        found = {t: self.record.value(place) for t, place in gate.places.items()}
        arrays = {t: a for t, a in found.items() if a is not None and a.size}
        if not arrays:
            return False
        bounds = {kind: [float(of(a)) for a in arrays.values()] for kind, of in _BOUNDS.items()}
        low, high = traits_of(next(iter(gate.places.values())).primitive).squashes or (-1, 1)
        values = ValueAxis.linear(low, high, bounds["mean"], plot.y + 8, plot.bottom - 8)
        self.lines.append(f'<g class="gate" data-name="{_attribute(gate.name)}">')
        time = self._panel(plot, f"{clean(gate.name)}ₜ", list(arrays), values)
        curves = {
            kind: [(time.middle(i), values.y(x)) for i, x in enumerate(bound)]
            for kind, bound in bounds.items()
        }
        ends = path(curves["least"] + curves["largest"][::-1])
        self.lines.append(f'<path class="band" d="{ends}Z"{self._band_look}/>')
        self.lines += curve(curves["mean"], self.gate_look, "mean")
        self.lines.append("</g>")
        return True

    @property
    def _band_look(self) -> str:
        colour = self.gate_look.colour
        return f' fill="{colour}" stroke="{colour}" stroke-width="2" opacity="0.25"'

    def legend(self) -> list[Item]:
        """What the lines mean, as far as there are such lines."""
        items = [curve_item(look) for look in self.looks]
        if any(self.gates.values()):
            items.append(curve_item(self.gate_look))
            items.append(Item(self.say("from its least to its largest element"), 44, self._band))
        items.append(entries_item(self.theme, self.say))
        axis = ValueAxis.logarithmic(self.values, 0, _HIGH)
        rows = (axis.zero, "0: zero exactly"), (axis.floor, "≈0: too small for the axis")
        items += [Item(self.say(note), 0, lambda x, y: []) for row, note in rows if row is not None]
        return items

    def _band(self, x: float, y: float) -> list[str]:
        return [f'<path d="M{marks.xy((x, y + 2))}h36v16h-36Z"{self._band_look}/>']


def _attribute(name: str) -> str:
    return xml(clean(name))
