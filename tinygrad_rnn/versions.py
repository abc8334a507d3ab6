"""Noticing changes in place.

The graph saves references to arrays, so a change between forward and backward would falsify
gradients.  Whoever changes an array stamps its memory with the clock that also numbers the
graph's nodes; a backward walk compares the stamp with the age of the node that saved the
array.  The forward pass pays nothing for this.
"""

from __future__ import annotations

import itertools
import weakref
from typing import Any

import numpy as np

tick = itertools.count().__next__
"""The clock: numbers nodes, leaves and changes in the order in which they happen."""

changes: dict[int, tuple[weakref.ref[Any], int, int]] = {}
"""By memory (its owner's id): the owner, when it was changed last, and how often."""


latest = [0]
"""When something was changed last: a walk over what was made after that need not look."""


def owner(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array whose memory this one, perhaps a view, shows."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def mark_changed(array: np.ndarray[Any, Any]) -> None:
    """Stamp the memory of ``array``, which all its views share, as changed in place now."""
    memory = owner(array)
    key = id(memory)
    reference = weakref.ref(memory, lambda _: changes.pop(key, None))
    latest[0] = now = tick()
    changes[key] = (reference, now, version(array) + 1)


def version(array: np.ndarray[Any, Any]) -> int:
    """How often the memory of ``array`` was changed in place."""
    change = changes.get(id(owner(array)))
    return change[2] if change else 0


def changed_since(array: Any, time: int) -> bool:
    """Whether the memory of ``array`` was changed in place after ``time`` on the clock."""
    change = changes.get(id(owner(array))) if isinstance(array, np.ndarray) else None
    return change is not None and change[1] > time


histories: dict[int, Any] = {}
"""By memory: what became of it if it was changed while recording (see `ops.inplace`)."""


def current(tensor: Any) -> Any:
    """A tensor's place in the graph, after changes in place; ``None`` for what has none."""
    if histories and hasattr(tensor, "array"):
        history = histories.get(id(owner(tensor.array)))
        if history is not None:
            history.renew(tensor)
    return getattr(tensor, "node", None)
