"""The chapters of a walk: the loss, then back through step T, T−1, …"""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import Any

from tinygrad_rnn.bptt import Record, Visit
from tinygrad_rnn.reading.layers import Layer

FORWARD = "Forward: all values"


def chapters_of(record: Record) -> list[dict[str, Any]]:
    """Titles, and the visit that each begins with; the first is what was before the walk.

    A chapter is a run of visits of one time step; of a walk without steps, of one layer.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w, h = tg.tensor(0.5, requires_grad=True), tg.tensor(1.0)
    >>> for t in (1, 2):
    ...     with tg.step(t):
    ...         h = tg.tanh(w * h)
    >>> [chapter["title"] for chapter in chapters_of(tg.bptt.record((h * h).sum()))]
    ['Forward: all values', 'Loss', 'Back through t = 2', 'Back through t = 1']
    """
    timed = any(visit.step is not None for visit in record.visits)
    runs = [list(run) for _, run in groupby(record.visits, lambda visit: _key(visit, timed))]
    often = Counter(_key(run[0], timed) for run in runs)
    found = [{"title": FORWARD, "at": 0}]
    for i, run in enumerate(runs):
        first = run[0]
        if timed and first.step is None:
            title = (
                "Loss" if i == 0 else "Between steps" if i + 1 < len(runs) else "Before the steps"
            )
        else:
            title = _title(first, timed, alone=often[_key(first, timed)] == 1)
        found.append({"title": title, "at": first.number})
    return found


def _key(visit: Visit, timed: bool) -> Any:
    return visit.step if timed else Layer.of(visit.node).spoken


def _title(visit: Visit, timed: bool, alone: bool) -> str:
    layer = Layer.of(visit.node).spoken
    if not timed:
        return f"Back through {layer or 'the graph'}"
    where = "" if alone or not layer else f", {layer}"
    return f"Back through t = {visit.step}{where}"
