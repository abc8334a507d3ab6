"""Noticing changes in place.

The graph saves references to arrays, so a change between forward and backward would falsify
gradients.  Whoever changes an array stamps its memory with the clock that also numbers the
graph's nodes; a backward walk compares the stamp with the age of the node that saved the
array.  The forward pass pays nothing for this.
"""

from __future__ import annotations

import itertools
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tinygrad_rnn.engine.graph import Node

tick = itertools.count().__next__
"""The clock: numbers nodes, leaves and changes in the order in which they happen."""

changes: dict[int, tuple[weakref.ref[Any], int, int]] = {}
"""By memory (its owner's id): the owner, when it was changed last, and how often."""


latest = [0]
"""When something was changed last: a walk over what was made after that need not look."""


def family(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array that this one is a view of, through views of views; of what is none, itself.

    It stands for all its views: what is recorded of a change of one of them, they all follow.
    """
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


class _Border:
    """What a family apart stands on: NumPy looks through views of views, but not through this."""

    __slots__ = ("__array_interface__", "owner")

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.__array_interface__, self.owner = array.__array_interface__, owner(array)


def apart(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The same memory, as the first of a family of its own: of ``x.detach()`` and its views, or
    of a view that was made while nothing was recorded.
    """
    return np.asarray(_Border(array))


def owner(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array whose memory this one shows, across the borders of families."""
    array = family(array)
    border: Any = array.base
    return border.owner if type(border) is _Border else array


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


def changed_since(array: Any, time: float) -> bool:
    """Whether the memory of ``array`` was changed in place after ``time`` on the clock."""
    change = changes.get(id(owner(array))) if isinstance(array, np.ndarray) else None
    return change is not None and change[1] > time


histories: dict[int, Any] = {}
"""By family: what became of it if it was changed while recording (see `operations.inplace`)."""


def current(tensor: Any) -> Node | None:
    """A tensor's place in the graph, after changes in place; ``None`` for what has none."""
    if (history := _overtaking(tensor)) is not None:
        history.settle(tensor)
    return getattr(tensor, "node", None)


def requires_grad(tensor: Any) -> bool:
    """Whether `current` requires grad, without giving the tensor a new place: looking at it does
    not change what its gradient will be.
    """
    node = getattr(tensor, "node", None)
    return (node is not None and node.requires_grad) or _overtaking(tensor) is not None


def noted(tensor: Any) -> Any:
    """The place with a tensor's notes: as `current`, but a view keeps its own until it is used."""
    if (history := _overtaking(tensor)) is not None and history.is_whole(tensor):
        history.settle(tensor)
    return getattr(tensor, "node", None)


def _overtaking(tensor: Any) -> Any:
    """The history of a tensor's family, if that has gone on since the tensor got its place."""
    if histories and hasattr(tensor, "array"):
        history = histories.get(id(family(tensor.array)))
        if history is not None and history.overtook(tensor):
            return history
    return None
