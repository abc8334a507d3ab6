"""What stands at the same place of every time step, though no operation of a step made it.

An input and an initial state are leaves: they are told again by who reads them, and as what.  That
is a *seat*: an operation's position in its step, and which of its operands.  What one seat holds at
all steps is one quantity over time; the first step may have a constant there, where the others have
what an operation computed.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.reading.steps import Position, positions


class Seat(NamedTuple):
    """Who reads something, and as which operand."""

    reader: Position
    operand: int


class Sitting(NamedTuple):
    """What a seat holds at a step."""

    step: int
    place: Node

    @property
    def shift(self) -> int | None:
        """How many steps before its reader it was made by an operation; ``None`` for others."""
        made = None if self.place.is_leaf else self.place.tag.step
        return None if made is None else made - self.step


class Seats:
    """The groups of places that are one quantity over time."""

    def __init__(self, places: list[Node]) -> None:
        timed = [p for p in places if not p.is_leaf and p.tag.step is not None]
        self.position = positions(timed)
        self.sittings: dict[Seat, list[Sitting]] = defaultdict(list)
        self.of: dict[Node, list[Seat]] = defaultdict(list)
        for node, position in self.position.items():
            for operand, parent in enumerate(node.parents):
                seat = Seat(position, operand)
                self.sittings[seat].append(Sitting(node.tag.step or 0, parent))
                if parent not in self.position:
                    self.of[parent].append(seat)

    def step(self, place: Node) -> int | None:
        """When a place is: when it was made, or when it is read where other steps read others."""
        if place in self.position:
            return place.tag.step
        seats = self.of.get(place, ())
        steps = {at.step for seat in seats for at in self.sittings[seat] if at.place is place}
        varies = any(len(self._leaves(seat)) > 1 for seat in seats)
        return steps.pop() if len(steps) == 1 and (varies or place.tag.step in steps) else None

    def groups(self, places: list[Node]) -> list[list[Node]]:
        """Places that are one quantity, each place once, in their order."""
        found: dict[object, list[Node]] = defaultdict(list)
        for place in places:
            found[self._key(place)].append(place)
        return list(found.values())

    def _key(self, place: Node) -> object:
        if place in self.position:
            return self.position[place]
        varied = [seat for seat in self.of.get(place, ()) if len(self._leaves(seat)) > 1]
        return varied[0] if varied and self.step(place) is not None else place

    def _leaves(self, seat: Seat) -> set[Node]:
        return {at.place for at in self.sittings[seat] if at.place not in self.position}

    def carried(self) -> set[Node]:
        """What operations of one step made and those of another read."""
        everything = (at for sittings in self.sittings.values() for at in sittings)
        return {at.place for at in everything if at.shift}

    def stands_for(self, place: Node) -> tuple[Sitting, int] | None:
        """What an operation computes at another step where this constant is read, if one does.

        And the step that reads the constant.

        Of what was made before, only the first step's constant takes the part: later on another
        tensor may have been put there by chance.
        """
        for seat in self.of.get(place, ()):
            sittings = self.sittings[seat]
            read = next(at.step for at in sittings if at.place is place)
            for at in sittings:
                if at.shift == 0 or (at.shift is not None and sittings[0].place is place):
                    return at, read
        return None


def whole(name: str) -> str:
    """The list that a member is of: ``hs`` for ``hs[2]``."""
    return name.rpartition("[")[0] if name.endswith("]") else name
