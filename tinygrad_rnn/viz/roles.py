"""Which part each place plays in a picture, and where it therefore stands.

A place's *kind* decides its colours.  Its *region* decides where the score layout puts it:
``step`` (in a time step's column), ``initial`` (a state before the first step), ``left`` (a
parameter that steps use), ``bottom`` (what the steps read and no step made) and ``top`` (what is
made of the steps' results, up to the loss).
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field

from tinygrad_rnn.engine.graph import Node

Use = tuple[Node, int]  # a node, and which of its operands the place is
_SLICES = ("getitem", "slice")
_INITIAL_NAME = re.compile(r"[hc]_?(0|₀)$")


@dataclass(slots=True)
class Roles:
    """Kind, region, step and peer of every place.

    The peer of an initial state is the state that takes its part at the next step.
    """

    kinds: dict[Node, str] = field(default_factory=dict)
    regions: dict[Node, str] = field(default_factory=dict)
    steps: dict[Node, int | None] = field(default_factory=dict)
    peers: dict[Node, Node] = field(default_factory=dict)
    uses: dict[Node, list[Use]] = field(default_factory=dict)


def roles_of(places: list[Node], root: Node) -> Roles:
    """Work out the roles of all places of a tape, which is oldest first."""
    return _Casting(places, root).roles


class _Casting:
    def __init__(self, places: list[Node], root: Node) -> None:
        self.places, self.root, self.roles = places, root, Roles()
        uses: dict[Node, list[Use]] = {place: [] for place in places}
        for node in places:
            for operand, parent in enumerate(node.parents):
                uses[parent].append((node, operand))
        self.roles.uses = uses
        steps = {p.tag.step for p in places if not p.is_leaf}
        self.times = sorted(step for step in steps if step is not None)
        self.groups = self._groups()
        self._find_initial_states()
        self.states = self._positions_of_states()
        for place in places:
            self.roles.kinds[place] = self._kind(place)
        for place in reversed(places):  # users first: a place may stand where its users do
            self._put(place)

    def _groups(self) -> dict[tuple[str, int], list[Node]]:
        groups: dict[tuple[str, int], list[Node]] = defaultdict(list)
        for place in self.places:
            if not place.is_leaf and place.tag.step is not None:
                groups[place.tag.scope, place.tag.step].append(place)
        return groups

    def _find_initial_states(self) -> None:
        for key in self.groups:
            for index, node in enumerate(self.groups[key]):
                for operand, parent in enumerate(node.parents):
                    if parent.is_leaf or not _timed(parent):
                        self._compare(key, index, node, operand, parent)

    def _compare(
        self, key: tuple[str, int], index: int, node: Node, operand: int, parent: Node
    ) -> None:
        """An initial state stands where the same operation of the next step has a state."""
        scope, step = key
        at = self.times.index(step)
        for neighbour in self.times[at + 1 : at + 2] + self.times[max(at - 1, 0) : at]:
            group = self.groups.get((scope, neighbour), [])
            twin = group[index] if index < len(group) else None
            if twin is None or twin.primitive is not node.primitive:
                continue
            if operand < len(twin.parents):
                state = twin.parents[operand]
                if not state.is_leaf and state.tag.step == step:
                    self.roles.peers.setdefault(parent, state)

    def _kind(self, place: Node) -> str:
        if place is self.root:
            return "loss"
        role = getattr(place.notes, "role", None)
        if role == "state" or (role is None and self._is_state(place)):
            return "state"
        if not place.is_leaf:
            return "operation"
        return "parameter" if self._is_parameter(place, role) else "input"

    def _is_state(self, place: Node) -> bool:
        """Whether another time step goes on from this place."""
        if place in self.roles.peers:
            return True
        if place.is_leaf:
            return self._is_before_time(place)
        return place in self.states

    def _positions_of_states(self) -> set[Node]:
        """What another step uses, and what has its name, or stands in its position, elsewhere."""
        placed = [
            (node, (scope, index, node.primitive))
            for (scope, _), group in self.groups.items()
            for index, node in enumerate(group)
        ]
        carried = [(node, position) for node, position in placed if self._is_carried(node)]
        positions = {position for _, position in carried}
        names = {_name(node) for node, _ in carried} - {None}
        return {node for node, position in placed if position in positions or _name(node) in names}

    def _is_carried(self, node: Node) -> bool:
        """Whether another time step uses a node (in a reversed layer, an earlier one)."""
        steps = {user.tag.step for user, _ in self.roles.uses[node]}
        return bool(steps - {None, node.tag.step})

    def _is_before_time(self, leaf: Node) -> bool:
        if not self.times:
            return False
        if leaf.tag.step is not None and leaf.tag.step < self.times[0]:
            return True
        name = _name(leaf)
        return bool(name and _INITIAL_NAME.match(name))

    def _is_parameter(self, leaf: Node, role: str | None) -> bool:
        if not leaf.requires_grad or role == "input":
            return False
        if role == "parameter" or not self.times:
            return True
        users = self.roles.uses[leaf]
        if all(user.primitive.name in _SLICES for user, _ in users):
            return False  # read part by part: a sequence
        once = len(self.times) > 1 and len(users) == 1 and _timed(users[0][0])
        return not _timed(leaf) and not once

    def _put(self, place: Node) -> None:
        roles = self.roles
        step, region = self._position(place)
        roles.steps[place], roles.regions[place] = step, region

    def _position(self, place: Node) -> tuple[int | None, str]:
        roles = self.roles
        users = [user for user, _ in roles.uses[place]]
        if not place.is_leaf and _timed(place):
            return place.tag.step, "step"
        if place in roles.peers or (roles.kinds[place] == "state" and place.is_leaf):
            return None, "initial"
        steps = [roles.steps[user] for user in users]
        if roles.kinds[place] == "parameter" and any(step is not None for step in steps):
            return None, "left"
        if place.is_leaf and roles.kinds[place] != "parameter":
            if place.tag.step in self.times:
                return place.tag.step, "step"
            if steps and steps[0] is not None and len(set(steps)) == 1:
                return steps[0], "step"
        feeds = any(roles.regions[user] in ("step", "bottom", "initial") for user in users)
        return None, "bottom" if feeds else "top"


def _timed(place: Node) -> bool:
    return place.tag.step is not None


def _name(place: Node) -> str | None:
    return place.notes.name if place.notes is not None else None
