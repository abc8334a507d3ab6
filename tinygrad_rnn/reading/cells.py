"""What belongs together at a time step: recurrent cells, and what stands around them.

Every place of a time step is given a *section*, which is the same at every step.  A built-in layer
in one direction is a section.  In a loop that somebody wrote, a cell is a cycle of the graph folded
over time: operations through which a state reaches its own successor, together with whatever
feeds nothing else; of cells of `nn` on such a cycle each is one of its own.  What weighs parts of
a memory is attention.  The rest of the step, such as its output and its error, lies between cells.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from numbers import Integral
from typing import Any, NamedTuple

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.operations.traits import moves_only, traits_of
from tinygrad_rnn.reading.given import given_name, role_of
from tinygrad_rnn.reading.layers import Layer, module_of
from tinygrad_rnn.reading.roles import Roles
from tinygrad_rnn.reading.steps import Counterparts
from tinygrad_rnn.writing.text import clean

_KINDS = {frozenset("ifgo"): "LSTM", frozenset("rzn"): "GRU"}


class Section(NamedTuple):
    """What a place belongs to, whatever the step: the same at every one."""

    kind: str  # layer, join (of two directions), cell, attention, rest or input
    scope: str
    layer: int | None = None
    direction: str | None = None
    number: int = 0  # of a layer: its run; of a cell: which of the step's; of the rest: how high
    name: str = ""  # of an input

    @property
    def is_cell(self) -> bool:
        """Whether a state goes through it from step to step."""
        return self.kind in ("layer", "cell")


def are_weights(place: Node) -> bool:
    """Whether a place is a distribution over an axis, such as attention's over its memory."""
    return traits_of(place.primitive).makes == "probabilities" and "axis" in place.params


def sections_of(places: list[Node], roles: Roles) -> dict[Node, Section]:
    """The sections of all places that stand in a time step; ``places`` are oldest first."""
    return _Sections(places, roles).sections


def titles(members: Mapping[Section, Collection[str]]) -> dict[Section, str]:
    """What cells are called: as short as tells them from each other.

    Parameters
    ----------
    members : mapping of collections of str
        For each cell the names that the program gave to what is in it: gates tell its kind.
    """
    scopes = {section.scope for section in members}
    called = Counter(map(module_of, scopes))
    layers = Counter(
        scope for scope, _ in {(s.scope, s.layer) for s in members if s.kind == "layer"}
    )
    given: Counter[str] = Counter()
    found: dict[Section, str] = {}
    for section, names in members.items():
        kind = next((title for gates, title in _KINDS.items() if gates <= set(names)), "")
        kind = kind or ("RNN" if section.kind == "layer" else "cell")
        scope = module_of(section.scope)
        scope = clean(section.scope) if called[scope] > 1 else scope
        title = f"{scope}: {kind}" if scope and len(scopes) > 1 else kind
        number = section.layer if layers[section.scope] > 1 else None
        where = "".join(f", {word}" for word in Layer("", number, section.direction).words())
        given[title + where] += 1
        again = given[title + where]
        found[section] = f"{title} {again}{where}" if again > 1 else title + where
    return found


class Wires(NamedTuple):
    """How calls of a layer hand tensors on, of which pictures make wires from cell to cell.

    Attributes
    ----------
    carries : dict of Node, by node
        Of what is one state, or one input, in another shape or place: that tensor.
    hidden : set of Node
        What the layer made for no other purpose.
    """

    carries: dict[Node, Node]
    hidden: set[Node]

    def source(self, node: Node, operand: int) -> Node:
        """What a node reads, whatever it was handed on through."""
        parent = node.parents[operand]
        handed_on = node if node in self.carries else parent if parent in self.hidden else None
        return parent if handed_on is None else self.carries[handed_on]


def wires_of(places: list[Node], roles: Roles) -> Wires:
    """The wires of a graph whose places are given oldest first."""
    wires = Wires({}, set())
    for place in places:
        made_by_layer = place.tag.call is not None and place.tag.layer is None
        origin = None if place.is_leaf else _handed_on(place, made_by_layer)
        if origin is not None:
            wires.carries[place] = wires.carries.get(origin, origin)
            if made_by_layer and roles.uses[place]:
                wires.hidden.add(place)
    for bundle in {place.parents[0]: None for place in wires.carries}:
        if _is_bundle(bundle) and all(user in wires.carries for user, _ in roles.uses[bundle]):
            wires.hidden.add(bundle)
    return wires


def _handed_on(place: Node, made_by_layer: bool) -> Node | None:
    """The tensor that a place is, if it is one that a layer has put into another place."""
    first = place.parents[0]
    if traits_of(place.primitive).part and _is_bundle(first):
        at = place.params.get("index")
        if isinstance(at, tuple) and len(at) == 1 and _is_number(at[0]):
            return first.parents[at[0]]
    alone = made_by_layer and len(place.parents) == 1 and not first.is_leaf
    traits = traits_of(place.primitive)
    moved = traits.part or traits.joins == "anew" or moves_only(place.primitive)
    return first if alone and moved and _sizes(place) == _sizes(first) else None


def _sizes(place: Node) -> list[int]:
    """The shape without what is 1: two tensors that agree in it have the same elements in order."""
    return [size for size in place.shape if size != 1]


def _is_bundle(place: Node) -> bool:
    """Whether a layer put states of one time step together."""
    if place.is_leaf or place.tag.call is None or traits_of(place.primitive).joins != "anew":
        return False
    return place.params.get("dim") == 0 and len({state.tag.step for state in place.parents}) == 1


def _is_number(index: Any) -> bool:
    return isinstance(index, Integral) and not isinstance(index, bool)


def gather_outputs(places: list[Node], roles: Roles) -> None:
    """Give what is made of one time step alone its place there, if other steps have it too.

    A program may collect the outputs of its steps, and work on each of them outside of its loop.
    """
    read: dict[Node, set[int]] = {}
    alike: dict[Any, list[Node]] = defaultdict(list)
    for place in places:
        step = roles.steps[place]
        read[place] = (
            {step} if step is not None else set().union(*(read[parent] for parent in place.parents))
        )
        loose = step is None and not place.is_leaf and roles.kinds[place] != "loss"
        if loose and len(read[place]) == 1:
            alike[place.primitive, place.tag.scope, place.shape].append(place)
    for same in alike.values():
        if len({next(iter(read[place])) for place in same}) > 1:
            for place in same:
                roles.steps[place], roles.regions[place] = next(iter(read[place])), "step"


class _Sections:
    def __init__(self, places: list[Node], roles: Roles) -> None:
        self.roles = roles
        self.sections: dict[Node, Section] = {}
        self.steps: dict[int, list[Node]] = defaultdict(list)  # of loops, by time
        self.runs: dict[tuple[Any, ...], tuple[int, set[int], int]] = {}
        for place in places:
            step = roles.steps[place]
            if step is None:
                continue
            if place.is_leaf or self._is_input(place):
                self.sections[place] = Section("input", place.tag.scope, name=given_name(place))
            elif place.tag.layer is not None:
                self.sections[place] = self._section_of_layer(place, step)
            else:
                self.steps[step].append(place)
        self.counterparts = Counterparts(self.steps)
        for step in self.steps:
            self._cells(step)
            self._attention(step)
            self._absorb(step)
            self._rest(step)

    def _section_of_layer(self, place: Node, step: int) -> Section:
        """A built-in layer's section; a layer that is run anew, as time shows, is another one."""
        scope, _, layer, direction = place.tag[:4]
        kind = "join" if direction is None else "layer"
        key = kind, scope, layer, direction
        last, seen, number = self.runs.get(key, (step, set(), 0))
        if step != last and step in seen:
            seen, number = set(), number + 1
        seen.add(step)
        self.runs[key] = step, seen, number
        return Section(*key, number)

    def _is_input(self, place: Node) -> bool:
        """Whether a place just brings something from outside into its step."""
        if role_of(place) == "input":
            return True
        outside = all(self.roles.steps[parent] is None for parent in place.parents)
        return traits_of(place.primitive).part and outside

    def _counterpart(self, place: Node, step: int) -> Node | None:
        """What is, at the given step, what ``place`` is at its own."""
        if self.roles.steps[place] == step:
            return place
        return self.counterparts.of(place, step)

    def _cells(self, step: int) -> None:
        """The cycles of the step's graph when what a state becomes leads to what it is used by."""
        nodes = self.steps[step]
        after: dict[Node, list[Node]] = {node: [] for node in nodes}
        for node in nodes:
            for operand, parent in enumerate(node.parents):
                state = self.roles.carried.get((node, operand), parent)
                twin = self._counterpart(state, step)
                if twin in after and twin is not None:
                    after[twin].append(node)
        seen: Counter[str] = Counter()
        for cycle in _cycles(nodes, after):
            modules = {node.tag.scope for node in cycle if role_of(node) == "state"} - {""}
            scopes = {node.tag.scope for node in cycle if self.roles.kinds[node] == "state"}
            whole = scopes.pop() if len(scopes) == 1 else ""
            for node in cycle:  # cells of `nn` are cells, whatever closes the cycle besides
                if not modules or node.tag.scope in modules:
                    scope = node.tag.scope if modules else whole
                    self.sections[node] = Section("cell", scope, number=seen[scope])
            seen.update(modules or {whole})

    def _absorb(self, step: int) -> None:
        """What feeds one cell, or one attention, alone belongs to it."""
        for node in reversed(self.steps[step]):
            users = {self.sections.get(user) for user, _ in self.roles.uses[node]}
            steps = {self.roles.steps[user] for user, _ in self.roles.uses[node]}
            section = users.pop() if len(users) == 1 and steps == {step} else None
            alone = section is not None and section.kind in ("cell", "attention")
            if node not in self.sections and section is not None and alone:
                self.sections[node] = section

    def _rest(self, step: int) -> None:
        """What remains lies above as many cells as it takes to compute it."""
        below: dict[Node, int] = {}
        for node in self.steps[step]:
            here = [p for p in node.parents if self.roles.steps[p] == step]
            below[node] = max((below.get(p, 0) + self._is_apart(p) for p in here), default=0)
            if node not in self.sections:
                self.sections[node] = Section("rest", "", number=below[node])
        for node in self.steps[step]:
            for parent in node.parents:
                if self.sections[node].kind == "rest" and self._is_constant_of(parent, node):
                    self.sections[parent] = self.sections[node]

    def _is_apart(self, place: Node) -> bool:
        """Whether a place is in a box of its own kind: what is computed of it lies above."""
        return self.sections[place].is_cell or self.sections[place].kind == "attention"

    # -- attention --

    def _attention(self, step: int) -> None:
        """What weighs parts of a memory is looked at by itself, not hidden in a cell."""
        nodes, number = set(self.steps[step]), 0
        for weights in self.steps[step]:
            if not are_weights(weights):
                continue
            weighed = self._weighed_by(weights, nodes)
            if not weighed:
                continue
            members = {weights, *weighed}
            for node in reversed(self.steps[step]):
                users = {user for user, _ in self.roles.uses[node]}
                if node.order < weights.order and users and users <= members:
                    members.add(node)
            if not self._is_amid_a_cell(members, step):
                for node in members:
                    self.sections[node] = Section("attention", "", number=number)
                number += 1

    def _weighed_by(self, weights: Node, nodes: Collection[Node]) -> list[Node]:
        """The way from weights to the sum that they weigh; empty if they weigh none."""
        way, node = [], weights
        while True:
            users = [user for user, _ in self.roles.uses[node]]
            if len(users) != 1 or users[0] not in nodes:
                return []
            user = users[0]
            way.append(user)
            if traits_of(user.primitive).product:
                others = [parent for parent in user.parents if parent is not node]
                return [] if any(role_of(other) == "parameter" for other in others) else way
            if user.primitive.name == "sum" and any(each.primitive.name == "mul" for each in way):
                return way
            if not (user.primitive.name == "mul" or moves_only(user.primitive)):
                return []
            node = user

    def _is_amid_a_cell(self, members: Collection[Node], step: int) -> bool:
        """Whether one cell both feeds and uses them at the same step: it cannot stand apart."""
        below, above = set(members), set(members)
        for node in reversed(self.steps[step]):
            if any(user in below for user, _ in self.roles.uses[node]):
                below.add(node)
        for node in self.steps[step]:
            if any(parent in above for parent in node.parents):
                above.add(node)
        around = [{self.sections.get(n) for n in side - set(members)} for side in (below, above)]
        return any(section is not None and section.is_cell for section in around[0] & around[1])

    def _is_constant_of(self, place: Node, node: Node) -> bool:
        """Whether a place is no more than a number of its only user, such as a target."""
        only = len(self.roles.uses[place]) == 1 and self.roles.steps[place] is not None
        return only and place.is_leaf and not (place.requires_grad or given_name(place))


def _cycles(nodes: list[Node], after: Mapping[Node, list[Node]]) -> list[list[Node]]:
    """The strongly connected components that are cycles, in the nodes' order (Kosaraju's way)."""
    before: dict[Node, list[Node]] = {node: [] for node in nodes}
    for node in nodes:
        for later in after[node]:
            before[later].append(node)
    component: dict[Node, Node] = {}
    for root in reversed(_finished(nodes, after)):
        waiting = [root]
        while waiting:
            node = waiting.pop()
            if node not in component:
                component[node] = root
                waiting += before[node]
    found: dict[Node, list[Node]] = defaultdict(list)
    for node in nodes:
        found[component[node]].append(node)
    return [cycle for root, cycle in found.items() if len(cycle) > 1 or root in after[root]]


def _finished(nodes: list[Node], after: Mapping[Node, list[Node]]) -> list[Node]:
    """The nodes in the order in which a depth-first search leaves them."""
    order, seen = [], set()
    for root in nodes:
        way = [] if root in seen else [(root, iter(after[root]))]
        seen.add(root)
        while way:
            node, ahead = way[-1]
            further = next((n for n in ahead if n not in seen), None)
            if further is None:
                order.append(node)
                way.pop()
            else:
                seen.add(further)
                way.append((further, iter(after[further])))
    return order
