"""The gradient's flow through time beside a player: ‖∂L/∂state‖ by time step, as small lines."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from tinygrad_rnn.bptt import Record
from tinygrad_rnn.reading.states import recurrences
from tinygrad_rnn.viz.marks import xy
from tinygrad_rnn.writing.norms import norm

WIDE, HIGH = 320.0, 48.0  # of a plot
_EDGE = 4.0
_MOST = 6  # plots


@dataclass(frozen=True)
class FlowPlot:
    """The line of one state: where it stands among the places of a record, oldest step first.

    Its logarithmic axis reaches a decade beyond the norms of the record that it was made for, so
    that it stays where it is when they change.
    """

    label: str
    seats: tuple[int, ...]
    low: float
    high: float

    def line(self, record: Record) -> str:
        """The path of the norms in a record of the same places; zeros and infinities break it."""
        points, pen = "", "M"
        for i, size in enumerate(_norms(record, self.seats)):
            if not 0 < size < math.inf:
                pen = "M"
                continue
            x = _EDGE + i * (WIDE - 2 * _EDGE) / (len(self.seats) - 1)
            part = (math.log10(size) - self.low) / (self.high - self.low)
            y = HIGH - _EDGE - min(1.0, max(0.0, part)) * (HIGH - 2 * _EDGE)
            points += f"{pen}{xy((x, y))}"
            pen = "L"
        return points


def plots_of(record: Record) -> list[FlowPlot]:
    """A plot for each state of each recurrent layer, if it has several steps; not too many."""
    seats = {place: i for i, place in enumerate(record.places)}
    found = []
    for layer in recurrences(record.places):
        where = ", ".join(layer.layer.words())
        for state in layer.states:
            steps = sorted(state.places)
            if len(steps) > 1:
                label = f"‖∂L/∂{state.name}ₜ‖, t = {steps[0]} … {steps[-1]}"
                at = tuple(seats[state.places[step]] for step in steps)
                found.append(FlowPlot(f"{label}  {where}".rstrip(), at, *_range(record, at)))
    return found[:_MOST]


def _norms(record: Record, seats: tuple[int, ...]) -> list[float]:
    gradients: list[Any] = [record.gradient(record.places[seat]) for seat in seats]
    return [0.0 if gradient is None else norm(gradient) for gradient in gradients]


def _range(record: Record, seats: tuple[int, ...]) -> tuple[float, float]:
    """The ends of an axis, as powers of ten."""
    powers = [math.log10(x) for x in _norms(record, seats) if 0 < x < math.inf] or [0.0]
    return min(powers) - 1, max(powers) + 1
