"""Units that are the same, and remain so: equal weights with equal gradients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tinygrad_rnn.bptt.illnesses.finding import Finding
from tinygrad_rnn.bptt.record import Record
from tinygrad_rnn.engine.graph import Node

CLOSE = 1e-5  # of the largest gradient: what sums in another order may differ by
_ADVICE = (
    "draw initial weights at random (nn.init): units that begin alike, and get the same gradient, "
    "never learn different things"
)


def identical_units(record: Record, parameters: Sequence[tuple[str, Node]]) -> Iterator[Finding]:
    """Rows, or columns, of weights that have the same values and the same gradients.

    Gradients of zero are none: what is not used, or dead, is said elsewhere.
    """
    found: dict[str, list[str]] = {}
    for name, place in parameters:
        value, gradient = record.value(place), record.gradient(place)
        if value is None or gradient is None or np.ndim(value) != 2 or not value.size:
            continue
        for word, axis in (("rows", 0), ("columns", 1)):
            count = _twins(np.moveaxis(value, axis, 0), np.moveaxis(gradient, axis, 0))
            if count:
                found.setdefault(name, []).append(f"{count} of {value.shape[axis]} {word}")
    if found:
        listed = "; ".join(f"{' and '.join(words)} of {name}" for name, words in found.items())
        what = f"these have another's values, and its gradient: {listed}"
        listing = ", ".join(found)
        yield Finding("warning", "identical units", listing, what, _ADVICE, parameters=tuple(found))


def _twins(values: Any, gradients: Any) -> int:
    """How many of some rows are equal to another, in value and in gradient."""
    groups: dict[bytes, list[int]] = {}
    for i, row in enumerate(values):
        groups.setdefault(np.ascontiguousarray(row).tobytes(), []).append(i)
    largest = float(np.max(np.abs(gradients), initial=0))
    count = 0
    for rows in groups.values():
        if len(rows) > 1:
            count += _alike(gradients[rows], largest)
    return count


def _alike(gradients: Any, largest: float) -> int:
    """How many of some gradients, none of which is zero, another one is equal to."""
    alive = gradients[np.abs(gradients).max(axis=-1) > CLOSE * largest]
    alive = alive[np.lexsort(alive.T[::-1])]  # equal ones stand side by side: rows may be many
    same = np.abs(np.diff(alive, axis=0)).max(axis=-1) <= CLOSE * largest
    return int((np.append(same, False) | np.insert(same, 0, False)).sum()) if len(alive) else 0
