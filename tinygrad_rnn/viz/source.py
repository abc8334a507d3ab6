"""What a picture can know: one face for a recorded walk and for a plain tensor's graph."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from tinygrad_rnn.bptt import Record
from tinygrad_rnn.engine.graph import Node, Variable, place, tape
from tinygrad_rnn.reading.called import Called, alive
from tinygrad_rnn.reading.time import in_time

NOT_YET, NOT_KEPT, NOTHING = "not yet", "not kept", "none"


class Source(Protocol):
    """Where the scene asks for numbers; asking changes nothing and runs no backward."""

    root: Node
    visits: dict[Node, int]
    called: Called  # what the program calls tensors, by their places
    which: str  # walk of its program, as titles add it

    def value(self, place: Node) -> Any | None:
        """The tensor's array, if it is still to be had."""

    def gradient(self, place: Node) -> Any | None:
        """The whole gradient of the place, if it is known."""

    def missing(self, place: Node) -> str:
        """What to write where there is no gradient."""

    def contribution(self, node: Node, operand: int) -> Any | None:
        """What the node sent to one of its parents, if that was observed."""


def source_of(what: Any) -> Source:
    """A source for a record of a backward walk, or for a tensor.

    Raises
    ------
    TypeError
        If it is neither.
    """
    if isinstance(what, Variable):
        return _Tensor(what)
    if isinstance(what, Record):
        return _Record(what)
    raise TypeError(
        "a picture is drawn of a Tensor or of what bptt.record(loss) returns, "
        f"not of {type(what).__name__}"
    )


class _Record:
    def __init__(self, record: Record) -> None:
        self.record, self.which = record, record.which
        self.root: Node = record.root
        self.visits: dict[Node, int] = {v.node: v.number for v in record.visits}
        self.called = alive(record.places, record.standing_for) | record.called
        self._by_node = {visit.node: visit for visit in record.visits}

    def value(self, place: Node) -> Any | None:
        return self.record.value(place)

    def gradient(self, place: Node) -> Any | None:
        return self.record.gradient(place)

    def missing(self, place: Node) -> str:
        return NOTHING  # the walk is over, and did not come here

    def contribution(self, node: Node, operand: int) -> Any | None:
        visit = self._by_node.get(node)  # asked only for what is drawn: slices come with zeros
        return None if visit is None else visit.contribution(operand)


class _Tensor:
    def __init__(self, tensor: Variable) -> None:
        timed = in_time(place(tensor))
        self.root = timed.root
        self.visits: dict[Node, int] = {}
        self.which = ""
        self._array = tensor.array
        places = tape([self.root])
        self.called = alive(places, timed.of)
        nodes = [p for p in places if not p.is_leaf]
        self._walked = any(node.saved is None for node in nodes)
        if not any(node.saved for node in nodes):  # nothing that a walk could have freed
            self._walked |= any(p.is_leaf and _held(p) is not None for p in places)

    def value(self, place: Node) -> Any | None:
        return self._array if place is self.root else place.value

    def gradient(self, place: Node) -> Any | None:
        grad = _held(place)
        return None if grad is None else np.asarray(getattr(grad, "array", grad))

    def missing(self, place: Node) -> str:
        if place.is_leaf:
            return NOTHING if self._walked else NOT_YET
        return NOT_KEPT if self._walked and not place.saved else NOT_YET

    def contribution(self, node: Node, operand: int) -> Any | None:
        return None


def _held(place: Node) -> Any:
    """The gradient that a place still holds."""
    return place.notes.grad if place.notes else None
