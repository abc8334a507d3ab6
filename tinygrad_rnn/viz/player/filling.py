"""How the gradient of each parameter fills up: what each time step gave, visit by visit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_rnn.bptt import Record
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.reading.roles import parameters
from tinygrad_rnn.writing import figures
from tinygrad_rnn.writing.norms import norm

Array = np.ndarray[Any, Any]
MOST_BARS = 80  # of a parameter; where there are more steps, several share a bar


def fillings(record: Record, index: dict[Node, int]) -> list[dict[str, Any]]:
    """For each parameter that receives something: its box, its bars, and what fills them.

    Each entry of ``gifts`` is one visit: ``at`` which, to which ``bar``, how ``high`` that is then
    (1 is the highest that any bar of this parameter becomes), and the ``sum`` of all so far, which
    in the end is ``.grad``.
    """
    learned = parameters(record.places, record.root)
    given: dict[Node, list[tuple[int, int | None, Array]]] = {}
    for visit in record.visits:
        for parent, sent in zip(visit.node.parents, visit.contributions, strict=True):
            if parent in learned and parent in index and sent is not None:
                given.setdefault(parent, []).append((visit.number, visit.step, sent))
    return [_filling(record, index[at], at, given[at]) for at in index if at in given]


def _filling(
    record: Record, box: int, place: Node, given: list[tuple[int, int | None, Array]]
) -> dict[str, Any]:
    steps = sorted({step for _, step, _ in given if step is not None})
    share = -(-len(steps) // MOST_BARS) or 1
    bar_of: dict[int | None, int] = {step: i // share for i, step in enumerate(steps)}
    bar_of[None] = max(bar_of.values(), default=-1) + 1  # what belongs to no step comes last
    bars: dict[int, Array] = {}
    at, sums, heights = [], [], []
    total = np.zeros(place.shape)
    with np.errstate(all="ignore"):
        for _, step, sent in given:
            bar = bar_of[step]
            bars[bar] = bars[bar] + sent if bar in bars else sent
            total = total + sent
            at.append(bar)
            heights.append(norm(bars[bar]))
            sums.append(_size(total))
    highest = max(filter(math.isfinite, heights), default=0.0) or 1.0
    gifts = [
        {"at": number, "bar": bar, "high": _part(height, highest), "sum": said}
        for (number, _, _), bar, height, said in zip(given, at, heights, sums, strict=True)
    ]
    final = record.gradient(place)
    return {
        "node": box,
        "bars": _labels(steps, share, any(step is None for _, step, _ in given)),
        "gifts": gifts,
        "final": "" if final is None else _size(final),
    }


def _part(height: float, highest: float) -> float:
    return round(height / highest, 4) if math.isfinite(height) else 1.0


def _labels(steps: list[int], share: int, is_timeless: bool) -> list[str]:
    runs = [steps[i : i + share] for i in range(0, len(steps), share)]
    said = [f"t = {run[0]}" if len(run) == 1 else f"t = {run[0]}–{run[-1]}" for run in runs]
    return [*said, "no step"] if is_timeless else said


def _size(gradient: Array) -> str:
    """A number; of several the norm."""
    if gradient.size == 1:
        return figures.number(gradient.reshape(-1)[0])
    return f"‖{figures.number(norm(gradient))}‖"
