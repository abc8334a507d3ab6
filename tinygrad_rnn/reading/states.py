"""Recurrent layers in a graph: the states they carry from step to step, and their gates.

This is the one place that decides what a state is.  Layers of `nn` say it themselves; in a loop
that users write inside ``with bptt.step(t):`` it is what another time step goes on from.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.operations.traits import inputs_of, traits_of
from tinygrad_rnn.reading.given import name_of, role_of
from tinygrad_rnn.reading.layers import Layer
from tinygrad_rnn.reading.steps import of_another_step, slots


@dataclass(frozen=True, eq=False)
class Series:
    """One quantity of a layer over time: its name, and its place in the graph at each step."""

    name: str
    places: dict[int, Node]

    def as_computed(self) -> list[Node]:
        """The places in the order of the computation: a reverse layer begins at the end."""
        return sorted(self.places.values(), key=lambda place: place.order)


@dataclass(frozen=True, eq=False)
class Recurrence:
    """A recurrent layer: its states, such as c and h, and its named gates, such as i, f, g, o."""

    layer: Layer
    states: tuple[Series, ...]
    gates: tuple[Series, ...]


def recurrences(places: Iterable[Node]) -> list[Recurrence]:
    """The recurrent layers of a graph, whose places are given oldest first.

    A *state* is what has the role "state" (`Tensor.named`), or what another time step uses,
    together with what has its name, or is the same operation, at other steps: nothing uses the
    last state.  What the steps merely collect is none: a loss that they add up, an array that they
    write their outputs to.  A *gate* is any other sigmoid or tanh that has a name.  The order is
    that of the computation.

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
    return _Search(list(places)).found()


class Ways:
    """The ways of a graph through its recurrent layers: which stay inside, which go through time.

    Parameters
    ----------
    places : list of Node
        Oldest first.
    layers : list of Recurrence
        Its recurrent layers.
    """

    def __init__(self, places: list[Node], layers: list[Recurrence]) -> None:
        self.layer = {  # as a bit, since a place may lead to states of several
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

    def through_time(self, state: Node, user: Node) -> bool:
        """Whether a state is used at another step for what leads to a state of its layer there."""
        elsewhere = of_another_step(user, state.tag.step)
        return elsewhere and self.within(self.layer.get(state, 0), user)

    def within(self, layer: int, place: Node) -> bool:
        """Whether a place leads to a layer's state of its own step, and is no other's state."""
        return bool(self._leads[place] & layer & self.layer.get(place, layer))


class Carriers:
    """Whatever carries the state of one step on to others: where a sequence may be cut.

    That is, states that steps compute (not an initial one, which another operation made), and what
    is made of those of one step outside of any, as a dropout between steps.  `Ways` tell what a
    state receives from within its layer; an edge of time may lead anywhere, but only the way that
    its layer reads: from the end of an encoder into the first step of a decoder is another
    sequence.

    Attributes
    ----------
    first : int
        The least time step that has a state.
    """

    def __init__(self, places: list[Node], layers: list[Recurrence]) -> None:
        self._carried: dict[Node, tuple[int, int] | None] = {}  # step and way; None: of several
        for layer in layers:
            for state in layer.states:
                self._add(state)
        for node in places:
            if node.tag.step is None:
                known = {self._carried[p] for p in node.parents if p in self._carried}
                if known:
                    self._carried[node] = known.pop() if len(known) == 1 else None
        self.first = min((carried[0] for carried in self._carried.values() if carried), default=0)

    def _add(self, state: Series) -> None:
        places = state.as_computed()
        way = 1 if places[0].tag.step == min(state.places) else -1
        if len(places) > 1 and places[0].primitive is not places[1].primitive:
            del places[0]
        self._carried.update({place: (place.tag.step or 0, way) for place in places})

    def edge(self, node: Node, operand: int) -> tuple[int, int] | None:
        """The steps of a state and of its user, if it goes on there to another time step."""
        carried, t = self._carried.get(node.parents[operand]), node.tag.step
        if carried is None or t is None or (t - carried[0]) * carried[1] <= 0:
            return None
        return carried[0], t


class _Search:
    def __init__(self, places: list[Node]) -> None:
        timed = [p for p in places if not p.is_leaf and p.tag.step is not None]
        self.uses = Counter(parent for node in places for parent in node.parents)
        self.users_elsewhere: dict[Node, list[Node]] = defaultdict(list)  # in other time steps
        for node in timed:
            for parent in node.parents:
                if not parent.is_leaf and of_another_step(parent, node.tag.step):
                    self.users_elsewhere[parent].append(node)
        carried = [p for p in self.users_elsewhere if not self._is_collected(p)]
        kinds = {p.primitive for p in carried}
        worth = [p for p in timed if p.primitive in kinds or p.notes is not None]
        self.slots = slots(worth)
        self.carrying = self._carrying(carried)
        self.states = [p for p in worth if self._is_state(p)]
        known = set(self.states)
        self.gates = [p for p in worth if p not in known and is_gate(p)]

    def _is_collected(self, place: Node) -> bool:
        """Whether other steps only add to it or write into it; its own, too, if it is no number.

        A running sum of `roles` is less: a total that ends outside of time, and may be drawn there.
        """
        users = self.users_elsewhere[place]
        alone = place.shape == () or len(users) == self.uses[place]
        return alone and all(_collects(user, place) for user in users)

    def _carrying(self, carried: list[Node]) -> set[Hashable]:
        """The slots of states; one that is carried just once has made an initial state."""
        known = Counter(self.slots.values())
        times = Counter(self.slots[place] for place in carried)
        return {slot for slot, n in times.items() if 2 * n > known[slot] - 1}

    def _is_state(self, place: Node) -> bool:
        role = role_of(place)
        if self._is_initial(place):
            return False
        return role == "state" or (role is None and self.slots[place] in self.carrying)

    def _is_initial(self, place: Node) -> bool:
        """Whether it is a state that a layer of `nn` starts from: made before any layer of it."""
        scope, _, layer = place.tag[:3]
        users = self.users_elsewhere.get(place, ()) if layer is None else ()
        return any(user.tag.scope == scope and user.tag.layer is not None for user in users)

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


def _collects(user: Node, place: Node) -> bool:
    """Whether a node adds to a place, or writes something into it."""
    collecting = inputs_of(user, traits_of(user.primitive).collects)
    return collecting.count(place) == user.parents.count(place)


def is_gate(place: Node) -> bool:
    """Whether a place looks like a gate: what squashes to a range, and was given a name."""
    return traits_of(place.primitive).squashes is not None and bool(name_of(place))
