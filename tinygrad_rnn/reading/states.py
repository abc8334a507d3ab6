"""Recurrent layers in a graph: the states they carry from step to step, and their gates.

This is the one place that decides what a state is, and what a time edge: see `TimeEdges`.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import (
    Callable,
    Collection,
    Hashable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
    Set,
)
from dataclasses import dataclass, replace

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.operations.traits import is_known, moves_only, traits_of
from tinygrad_rnn.reading.given import name_of, role_of
from tinygrad_rnn.reading.layers import Layer
from tinygrad_rnn.reading.names import names, stem
from tinygrad_rnn.reading.steps import of_another_step, positions, slots
from tinygrad_rnn.reading.uses import Use, users_of
from tinygrad_rnn.reading.walks import Moment, Walks


@dataclass(frozen=True, eq=False)
class Series:
    """One quantity of a layer over time: its name, and its place in the graph at each step."""

    name: str
    places: dict[int, Node]


@dataclass(frozen=True, eq=False)
class Recurrence:
    """A recurrent layer: its states, such as c and h, and its named gates, such as i, f, g, o."""

    layer: Layer
    states: tuple[Series, ...]
    gates: tuple[Series, ...]


def recurrences(places: Iterable[Node], edges: TimeEdges | None = None) -> list[Recurrence]:
    """The recurrent layers of a graph, whose places are given oldest first, with their edges.

    A *state* is what `TimeEdges` says, together with what has its name, or is the same operation,
    at other steps: nothing uses the last state.  A *gate* is any other sigmoid or tanh that has a
    name.  The order is that of the computation.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> output, _ = tg.nn.LSTM(1, 2, num_layers=2)(tg.zeros(3, 1))
    >>> for found in recurrences(tg.bptt.record(output.sum()).places):
    ...     states, gates = ([s.name for s in kind] for kind in (found.states, found.gates))
    ...     print(found.layer, states, gates)
    lstm, layer 0 ['c', 'h'] ['i', 'f', 'g', 'o']
    lstm, layer 1 ['c', 'h'] ['i', 'f', 'g', 'o']
    """
    places = list(places)
    return _Search(places, edges or TimeEdges(places)).found()


class TimeEdges:
    """What is carried on in a graph: its states, and the edges by which steps go on from them.

    **A state** is what a later step of the same walk computes with. *Computing* is a use from
    which a way leads, in some step of that walk, through a weight or an activation function:
    ``h`` in ``tanh(x @ w + h @ u)``, an output that is fed back now and then, an array that is
    written and read. What only gathers on its way to the loss is no state: a running loss, mean,
    maximum or product, a list that grows, an array of outputs. If nothing else is carried on, a
    sum of which more is made than another sum is one: ``h = h + tanh(x @ w)``, read at the end.
    What has the role "state" (`Tensor.named`) always is.

    **A time edge** is where a step uses a state of an earlier one, be it for another state or
    for its loss; of a sum that gathers states it is none. What just hands elements on (views,
    `cat`, writing into an array) and what stands outside of the steps belongs to whoever uses it:
    the last state of a sequence that has ended goes by later steps to the loss.

    Initial states, whether given or computed in a step that only prepares them, are no states of
    a step. From one walk into another, such as from an encoder into a decoder whose steps begin
    anew, leads no time edge.

    Attributes
    ----------
    walks : Walks
    states : set of Node
        Those that some step goes on from: the last one is not among them.
    """

    def __init__(self, places: Sequence[Node]) -> None:
        self.walks = Walks(places)
        self.users = users_of(places)
        self._operations = [place for place in places if not place.is_leaf]
        self.states = self._read_by(self._computing(self._is_computation))
        self.states |= {place for place in self._timed() if role_of(place) == "state"}
        if not self.states:
            self.states = self._read_by(self._computing(self._is_more_than_a_sum, anywhere=True))
        self._hands_on = self.handing_on(self.states)

    def _timed(self) -> Iterator[Node]:
        prepared = self.walks.prepared
        return (p for p in self._operations if p.tag.step is not None and p not in prepared)

    # -- what computes --

    def _is_computation(self, node: Node) -> bool:
        """Whether it is a product with a weight, an activation function, or a user's own."""
        if not is_known(node.primitive) or traits_of(node.primitive).steepest:
            return True
        return any(
            i < len(node.parents) and node.parents[i] in self.walks.given
            and node.parents[i].requires_grad
            for i in _kept(node)
        )  # fmt: skip

    def _is_more_than_a_sum(self, node: Node) -> bool:
        """Whether it is no linear function of its operands, which constants may multiply."""
        places = (*node.parents, node)
        return self._is_computation(node) or any(places[i].requires_grad for i in _kept(node))

    def _computing(self, computes: Callable[[Node], bool], anywhere: bool = False) -> set[Node]:
        """The operations in steps from which ways lead to computation in steps of their walk."""
        ahead: dict[Node, int] = {}  # by the walks, as bits
        for node in reversed(self._operations):
            found = 0
            for user in self.users[node]:
                found |= ahead[user]
            if (anywhere or node.tag.step is not None) and computes(node):
                found |= -1 if anywhere else self.walks.walks_of(node)
            ahead[node] = found
        return {node for node in self._timed() if ahead[node] & self.walks.walks_of(node)}

    def _read_by(self, readers: Set[Node]) -> set[Node]:
        """What these operations read that an earlier step of their walk has made."""
        found: set[Node] = set()
        for reader in readers:
            if not self.passes_on(reader):
                found.update(self.read_of(reader, reader))
        return found

    def read_of(self, reader: Node, node: Node) -> Iterator[Node]:
        """What a node has of other steps of the reader's walk, also from what passes on to it."""
        waiting, seen = [*node.parents], set[Node]()
        while waiting:
            place = waiting.pop()
            if place.is_leaf or place in seen:
                continue
            seen.add(place)
            own = place.tag.step is not None
            if own and self.walks.between(place, reader):
                yield place
            elif not own or (place.tag.step == reader.tag.step and self.passes_on(place)):
                waiting += place.parents

    def passes_on(self, node: Node) -> bool:
        """Whether it belongs to whoever uses it: it stands outside of the steps, or only moves."""
        return node.tag.step is None or moves_only(node.primitive)

    # -- edges --

    def handing_on(self, states: Iterable[Node]) -> set[Node]:
        """Some states, and what hands on what is made of them outside of the steps."""
        found = set(states)
        for node in self._operations:
            if node.tag.step is None and not found.isdisjoint(node.parents):
                found.add(node)
        return found

    def edge(self, node: Node, operand: int) -> tuple[Moment, Moment] | None:
        """When a state was made and used, if this operand is a time edge."""
        parent = node.parents[operand]
        moments = self.walks.between(parent, node) if parent in self._hands_on else None
        return None if moments and self._gathers(node) else moments

    def totals(self) -> set[Node]:
        """What gathers in the steps, on its way to the loss, by way of later steps."""
        found: set[Node] = set()
        for node in self._timed():
            carried = any(self.walks.between(node, user) for user in self.users[node])
            ends = all(user.tag.step is None for user in self.users[node])
            if node in self.states or self.passes_on(node):
                continue
            if carried or (ends and any(p in found for p in node.parents)):
                found.add(node)
        return found

    def steps(self, node: Node, operand: int) -> tuple[int, int]:
        """The numbers of the steps between which an operand leads."""
        made, used = (self.walks.step(at) for at in (node.parents[operand], node))
        return made or 0, used or 0

    def _gathers(self, node: Node) -> bool:
        """Whether a node adds to what later steps only add to."""
        return (
            node not in self._hands_on
            and not self.passes_on(node)
            and any(self.walks.between(node, user) for user in self.users[node])
        )


def initial_uses(timed: Collection[Node], next_step: Mapping[Node, int]) -> dict[Use, Node]:
    """Where initial states are used: where the next step uses a state that this one made.

    Parameters
    ----------
    timed : collection of Node
        What stands in the steps, oldest first. Initial states do not.
    next_step : mapping of int
        `Walks.next_step`.

    Returns
    -------
    dict of Node, by use
        By the operation and the operand at which it uses an initial state, the state whose part
        that takes: what the same operation of the next step uses there.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w, h = tg.tensor(0.5, requires_grad=True).named("w"), tg.tensor(1.0).named("h0")
    >>> for t in (1, 2):
    ...     with tg.step(t):
    ...         h = (w * h).named("h")
    >>> places = tg.bptt.record(h).places
    >>> uses = initial_uses(places[2:], Walks(places).next_step)
    >>> [(name_of(node.parents[i]), name_of(state)) for (node, i), state in uses.items()]
    [('h0', 'h')]
    """
    known = positions(timed)
    alike = {(position, place.tag.step): place for place, position in known.items()}
    found: dict[Use, Node] = {}
    for node in known:
        twin = alike.get((known[node], next_step.get(node)))
        if twin is None:
            continue
        for operand, (mine, state) in enumerate(zip(node.parents, twin.parents)):
            if mine in known or role_of(mine) == "input" or state.is_leaf:
                continue
            if state.tag.step is not None and state.tag.step == node.tag.step:
                found[node, operand] = state
    return found


def _kept(node: Node) -> Set[int]:
    """The operands, and last the output, that the derivatives of an operation depend on."""
    op = node.primitive
    rules = [op.joint] if op.joint else op.rules
    return frozenset().union(*[rule.kept for rule in rules if rule is not None])


class Ways:
    """The ways of a graph through its recurrent layers: which stay inside, which go through time.

    Parameters
    ----------
    places : list of Node
        Oldest first.
    layers : list of Recurrence
        Its recurrent layers.
    walks : Walks, optional
        Its walks, if they are known already.

    Attributes
    ----------
    layer : dict of int, by Node
        Of each state the layer, as a bit, since a place may lead to states of several.
    marks : dict of set of int, by Node
        Of what stands between the steps and is made of states, what its ways on lead to, as
        `mark` tells it: 0 for those that lead to no step.
    """

    def __init__(
        self, places: list[Node], layers: list[Recurrence], walks: Walks | None = None
    ) -> None:
        self.layer = {
            place: 1 << i
            for i, found in enumerate(layers)
            for state in found.states
            for place in state.places.values()
        }
        self._leads = {place: self.layer.get(place, 0) for place in places}
        for node in reversed(places):
            for parent in node.parents:
                if parent.tag.step == node.tag.step:
                    self._leads[parent] |= self._leads[node]
        names = [found.layer.whatever_run for found in layers]
        self._kin = {  # the runs of the same layer, above the bits of the layers themselves
            1 << i: sum(1 << (len(names) + j) for j, other in enumerate(names) if other == name)
            for i, name in enumerate(names)
        }
        self._above = len(names)
        self._walks = walks = walks or Walks(places)
        timed = [p for p in places if not p.is_leaf and p.tag.step is not None]
        timed = [p for p in timed if p not in walks.prepared]
        self._initial = initial_uses(timed, walks.next_step)
        self.marks = self._marks(places)

    def _marks(self, places: list[Node]) -> dict[Node, set[int]]:
        carried = set(self.layer)
        for node in places:
            if self._is_between(node) and not carried.isdisjoint(node.parents):
                carried.add(node)
        marks: dict[Node, set[int]] = {p: set() for p in carried if self._is_between(p)}
        for node in reversed(places):
            if node in marks and not marks[node]:
                marks[node].add(0)  # the loss
            for operand, parent in enumerate(node.parents):
                if parent in marks:
                    marks[parent] |= marks.get(node) or {self.mark(node, operand)}
        return marks

    def _is_between(self, node: Node) -> bool:
        return not node.is_leaf and (node.tag.step is None or node in self._walks.prepared)

    def mark(self, user: Node, operand: int) -> int:
        """The layers to whose states at other steps an operand leads, as bits.

        In the upper half of the bits, those whose initial state it is.
        """
        place, leads = user.parents[operand], self._leads[user] & self.layer.get(user, -1)
        initial = leads << self._above if (user, operand) in self._initial else 0
        return initial | (leads if self._walks.between(place, user) else 0)

    def goes_on(self, state: Node, mark: int) -> bool:
        """Whether what such a mark says of a state's use is a way on through time."""
        layer = self.layer[state]
        return bool(mark & (layer | self._kin[layer]))

    def through_time(self, state: Node, user: Node) -> bool:
        """Whether a state is used at another step for what leads to a state of its layer there."""
        elsewhere = of_another_step(user, state.tag.step)
        return elsewhere and self.within(self.layer.get(state, 0), user)

    def within(self, layer: int, place: Node) -> bool:
        """Whether a place leads to a layer's state of its own step, and is no other's state."""
        return bool(self._leads[place] & layer & self.layer.get(place, layer))


class _Search:
    def __init__(self, places: list[Node], edges: TimeEdges) -> None:
        kinds = {p.primitive for p in edges.states}
        timed = [p for p in places if not p.is_leaf and p.tag.step is not None]
        worth = [
            p for p in timed
            if (p.primitive in kinds or p.notes is not None) and p not in edges.walks.prepared
        ]  # fmt: skip
        given = edges.walks.given
        self.slots = slots(worth, lambda place: _weights_of(place, given, kinds))
        carrying = self._carrying(edges.states)
        self.states = [p for p in worth if role_of(p) == "state" or self._is_state(p, carrying)]
        known = set(self.states)
        self.gates = [p for p in worth if p not in known and is_gate(p)]

    def _carrying(self, states: Set[Node]) -> set[Hashable]:
        """The slots of states; what is carried just once, of many, is none over time."""
        known = Counter(self.slots.values())
        times = Counter(self.slots[place] for place in states)
        return {slot for slot, n in times.items() if n > 1 or 2 * n > known[slot] - 1}

    def _is_state(self, place: Node, carrying: Set[Hashable]) -> bool:
        return role_of(place) is None and self.slots[place] in carrying

    def found(self) -> list[Recurrence]:
        states, gates = self._series(self.states), self._series(self.gates)
        return [
            Recurrence(layer, tuple(series), tuple(gates.get(layer, ())))
            for layer, series in states.items()
        ]

    def _series(self, places: list[Node]) -> dict[Layer, list[Series]]:
        """Places of one slot, step by step; a second one at the same step is of a second run."""
        seen: Counter[Hashable] = Counter()
        by_slot: dict[Layer, dict[Hashable, dict[int, Node]]] = defaultdict(dict)
        for place in places:
            slot, step = self.slots[place], place.tag.step
            assert step is not None
            seen[slot, step] += 1
            layer = Layer.of(place, run=seen[slot, step])
            by_slot[layer].setdefault(slot, {})[step] = place
        return {layer: _named(found.values()) for layer, found in by_slot.items()}


def _weights_of(place: Node, given: Set[Node], kinds: Set[object]) -> Set[Node]:
    """The weights that a place is made with in its step, without those of other states."""
    waiting, found = [place], set[Node]()
    while waiting:
        for parent in waiting.pop().parents:
            if parent in given:
                found |= {parent} if parent.requires_grad else set()
            elif parent.tag.step == place.tag.step and parent.primitive not in kinds:
                waiting.append(parent)
    return frozenset(found)


def _named(found: Iterable[dict[int, Node]]) -> list[Series]:
    """Series under the names of their places, or of the operation, each name once."""
    taken: Counter[str] = Counter()
    series = []
    for places in found:
        first = next(iter(places.values()))
        name = name_of(first) or first.primitive.name
        taken[name] += 1
        unique = name if taken[name] == 1 else f"{name} {taken[name]}"
        series.append(Series(unique, dict(sorted(places.items()))))
    return series


def with_found_names(
    layers: list[Recurrence], places: list[Node], called: Mapping[Node, str]
) -> list[Recurrence]:
    """The layers, whose states that bear no given name are called as pictures call them.

    Parameters
    ----------
    layers : list of Recurrence
    places : list of Node
        Of their graph, oldest first.
    called : mapping of str, by Node
        What the program calls some of them.
    """
    every = [state for layer in layers for state in layer.states]
    if all(name_of(place) for state in every for place in state.places.values()):
        return layers
    found = names(places, called)
    named = []
    for layer in layers:
        taken: set[str] = set()
        states = []
        for state in layer.states:
            stems = Counter(stem(place, found) for place in state.places.values())
            name = stems.most_common(1)[0][0]
            keeps = name_of(next(iter(state.places.values()))) or _INVENTED.match(name)
            name = state.name if keeps or name in taken else name
            taken.add(name)
            states.append(replace(state, name=name))
        named.append(replace(layer, states=tuple(states)))
    return named


_INVENTED = re.compile(r"v\d+$|.*#\d")


def is_gate(place: Node) -> bool:
    """Whether a place looks like a gate: what squashes to a range, and was given a name."""
    return traits_of(place.primitive).squashes is not None and bool(name_of(place))
