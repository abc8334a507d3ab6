"""Which part each place plays in a picture, and where it therefore stands.

A place's *kind* decides its colours.  Its *region* decides where the score layout puts it:
``step`` (in a time step's column), ``before`` (a state before the first step) and ``after`` (one
of a reversed layer, which begins at the last step), ``left`` (a parameter that steps use),
``bottom`` (what the steps read and no step made) and ``top`` (what is made of the steps' results,
up to the loss).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.operations.traits import traits_of
from tinygrad_rnn.reading.given import given_name, may_be_parameter, role_of
from tinygrad_rnn.reading.states import TimeEdges, initial_uses, recurrences
from tinygrad_rnn.reading.uses import Use, uses_of

OUTER = ("before", "after")  # the regions of initial states
_BELOW = ("step", "bottom", *OUTER)  # regions whose boxes use what lies below
_INITIAL_NAME = re.compile(r"[hc]_?(0|₀)$")


@dataclass(slots=True)
class Roles:
    """Kind, region, step and peer of every place.

    The peer of an initial state is the state that takes its part at the next step; one tensor,
    such as a zero, may be several initial states, so ``carried`` has that state for each use.
    """

    kinds: dict[Node, str] = field(default_factory=dict)
    regions: dict[Node, str] = field(default_factory=dict)
    steps: dict[Node, int | None] = field(default_factory=dict)
    peers: dict[Node, Node] = field(default_factory=dict)
    carried: dict[Use, Node] = field(default_factory=dict)
    uses: dict[Node, list[Use]] = field(default_factory=dict)


def roles_of(places: list[Node], root: Node, *, sums_in_time: bool = True) -> Roles:
    """Work out the roles of all places of a tape, which is oldest first.

    With ``sums_in_time`` a loss that is added up inside the time steps stands in them, as it was
    computed; otherwise it stands above them, as the sum that it is.
    """
    return _Casting(places, root, sums_in_time).roles


def parameters(places: list[Node], root: Node) -> set[Node]:
    """The leaves whose kind is "parameter"; how they are used is looked at only if it matters."""
    leaves = [place for place in places if place.is_leaf and place.requires_grad]
    if all(role_of(leaf) for leaf in leaves):  # those of modules say it
        return {leaf for leaf in leaves if role_of(leaf) == "parameter"}
    kinds = roles_of(places, root).kinds
    return {leaf for leaf in leaves if kinds[leaf] == "parameter"}


class _Casting:
    def __init__(self, places: list[Node], root: Node, sums_in_time: bool) -> None:
        self.places, self.root, self.roles = places, root, Roles()
        self.roles.uses = uses_of(places)
        edges = TimeEdges(places)
        before = edges.walks.prepared
        sums = set() if sums_in_time else edges.totals()
        nodes = [p for p in places if not p.is_leaf and p.tag.step is not None and p not in before]
        self.times = sorted({p.tag.step for p in nodes if p.tag.step is not None})
        self.known_times = set(self.times)
        self.timed = dict.fromkeys(p for p in nodes if p not in sums)
        self.roles.carried = initial_uses(self.timed, edges.walks.next_step)
        for (node, operand), state in self.roles.carried.items():
            self.roles.peers.setdefault(node.parents[operand], state)
        self.states = {
            place
            for layer in recurrences(places, edges)
            for state in layer.states
            for place in state.places.values()
        }
        for place in places:
            self.roles.kinds[place] = self._kind(place)
        for place in reversed(places):  # users first: a place may stand where its users do
            self._put(place)

    def _kind(self, place: Node) -> str:
        if place is self.root:
            return "loss"
        role = role_of(place)
        if role == "state" or (role is None and self._is_state(place)):
            return "state"
        if not place.is_leaf:
            return "input" if role == "input" else "operation"
        return "parameter" if self._is_parameter(place) else "input"

    def _is_state(self, place: Node) -> bool:
        """Whether another time step goes on from this place."""
        if place in self.roles.peers:
            return True
        if place.is_leaf:
            return self._is_before_time(place)
        return place in self.states

    def _is_before_time(self, leaf: Node) -> bool:
        if not self.times:
            return False
        if leaf.tag.step is not None and leaf.tag.step < self.times[0]:
            return True
        name = given_name(leaf)
        return bool(name and _INITIAL_NAME.match(name))

    def _is_parameter(self, leaf: Node) -> bool:
        """By what is said of a leaf, and where that leaves it open, by how the steps use it."""
        if role_of(leaf) == "parameter":
            return True  # frozen or not
        if not (leaf.requires_grad and may_be_parameter(leaf)):
            return False
        if not self.times:
            return True
        users = self.roles.uses[leaf]
        if all(traits_of(user.primitive).part for user, _ in users):
            return False  # read part by part: a sequence
        once = len(self.times) > 1 and len(users) == 1 and users[0][0] in self.timed
        return leaf.tag.step is None and not once

    def _put(self, place: Node) -> None:
        roles = self.roles
        step, region = self._position(place)
        roles.steps[place], roles.regions[place] = step, region

    def _position(self, place: Node) -> tuple[int | None, str]:
        roles = self.roles
        users = [user for user, _ in roles.uses[place]]
        if place in self.timed:
            return place.tag.step, "step"
        states = [user for user in users if roles.regions[user] in OUTER]
        if place in roles.peers or (roles.kinds[place] == "state" and self.times and not states):
            return None, "after" if self._begins_at_the_end(users) else "before"
        steps = [roles.steps[user] for user in users]
        if roles.kinds[place] == "parameter" and any(step is not None for step in steps):
            return None, "left"
        if roles.kinds[place] != "parameter":
            if place.is_leaf and place.tag.step in self.known_times:
                return place.tag.step, "step"
            if self._serves_one(place, steps):
                return steps[0], "step"
        feeds = any(roles.regions[user] in _BELOW for user in users)
        return None, "bottom" if feeds else "top"

    def _serves_one(self, place: Node, steps: list[int | None]) -> bool:
        """Whether one step alone reads the place, which itself reads no other step."""
        if not steps or steps[0] is None or len(set(steps)) > 1:
            return False
        read = {parent.tag.step for parent in place.parents if parent in self.timed}
        ready = place.is_leaf or len(self.times) > 1  # of one step, what is below it stays there
        return read == {steps[0]} or (not read and ready)

    def _begins_at_the_end(self, users: list[Node]) -> bool:
        """Whether an initial state is that of a layer which reads the sequence backwards."""
        if any(user.tag.direction for user in users):
            return any(user.tag.direction == "reverse" for user in users)
        first, last = self.times[0], self.times[-1]
        return first != last and all(user.tag.step == last for user in users)
