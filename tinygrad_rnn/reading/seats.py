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
        self._read: dict[Node, dict[Seat, int]] = defaultdict(dict)  # at which step, the first
        self._steps: dict[Node, set[int]] = defaultdict(set)
        guests: dict[Seat, set[Node]] = defaultdict(set)  # whom no step made
        for node, position in self.position.items():
            for operand, parent in enumerate(node.parents):
                seat, step = Seat(position, operand), node.tag.step or 0
                self.sittings[seat].append(Sitting(step, parent))
                if parent not in self.position:
                    self._read[parent].setdefault(seat, step)
                    self._steps[parent].add(step)
                    guests[seat].add(parent)
        self._varied = {seat for seat, known in guests.items() if len(known) > 1}
        self._computed = {
            seat: made for seat, all_ in self.sittings.items() if (made := _made(all_))
        }

    def step(self, place: Node) -> int | None:
        """When a place is: when it was made, or when it is read where other steps read others."""
        if place in self.position:
            return place.tag.step
        steps = self._steps.get(place, set())
        own = place.tag.step in steps or not self._varied.isdisjoint(self._read.get(place, ()))
        return next(iter(steps)) if len(steps) == 1 and own else None

    def groups(self, places: list[Node]) -> list[list[Node]]:
        """Places that are one quantity, each place once, in their order."""
        found: dict[object, list[Node]] = defaultdict(list)
        for place in places:
            found[self._key(place)].append(place)
        return list(found.values())

    def _key(self, place: Node) -> object:
        if place in self.position:
            return self.position[place]
        varied = (seat for seat in self._read.get(place, ()) if seat in self._varied)
        return place if self.step(place) is None else next(varied, place)

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
        for seat, read in self._read.get(place, {}).items():
            now, before = self._computed[seat]
            if now is not None:
                return now, read
            if before is not None and self.sittings[seat][0].place is place:
                return before, read
        return None


def _made(sittings: list[Sitting]) -> tuple[Sitting | None, Sitting | None]:
    """The first thing that an operation made, in the step of its reader; and in another step."""
    now = next((at for at in sittings if at.shift == 0), None)
    return now, next((at for at in sittings if at.shift), None)


def whole(name: str) -> str:
    """The list that a member is of: ``hs`` for ``hs[2]``."""
    return name.rpartition("[")[0] if name.endswith("]") else name
