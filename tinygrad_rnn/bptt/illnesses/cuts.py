"""States that do not come from the step before: detached, set back, never carried on."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_rnn.bptt.illnesses.finding import Finding
from tinygrad_rnn.bptt.record import Record
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.operations.traits import inputs_of, traits_of
from tinygrad_rnn.reading.given import given_name, role_of, was_detached
from tinygrad_rnn.reading.layers import Layer, where
from tinygrad_rnn.reading.steps import Position, positions

ADVICE_ON_DETACHED = (
    "right for truncated BPTT; else keep detach(), .data, numpy() and no_grad() out of the loop"
)
_DETACHED = (
    "the state that comes in is a constant: gradients do not go further back than here",
    ADVICE_ON_DETACHED,
)
_RESET = (
    "the state that comes in does not come from the step before: what was there is forgotten",
    "hand the state on from step to step, as in h = cell(x, h), or h, c = cell(x, (h, c))",
)
Slot = tuple[Position, int]  # an operation of a layer, and which of its operands
Uses = dict[int, Node]  # by time step, in the order in which they were made


def cut_states(record: Record) -> Iterator[Finding]:
    """Time steps that start from a constant where a state with a history should come in.

    The first step may: that is the initial state. In a layer of `nn` it is clear what comes in as
    a state. In a loop of one's own it is what other steps carry on; what has a value of the step
    before, by `Tensor.detach` or by way of NumPy; and what a walk starts from that does not reach
    the first steps.
    """
    graph = _Steps(record)
    cut: dict[tuple[bool, str], set[int]] = defaultdict(set)
    certain: set[tuple[bool, str]] = set()
    for slot, uses in graph.slots.items():
        position, _ = slot
        for t, constant in graph.constants(uses):
            why = graph.reason(slot, uses, t, constant)
            if why:
                key = why.is_reset, position.layer.spoken
                cut[key].add(t)
                if why.is_certain:
                    certain.add(key)
    for (is_reset, layer), found in cut.items():
        order = tuple(sorted(found))
        what, advice = _RESET if is_reset else _DETACHED
        minor = (is_reset, layer) not in certain or (not is_reset and graph.is_truncation(found))
        kind = "state reset" if is_reset else "detached state"
        severity = "note" if minor else "warning"
        yield Finding(severity, kind, where(layer, order), what, advice, order)


@dataclass(frozen=True)
class _Why:
    """That a constant stands for a state: set back, or detached; for certain, or by its looks."""

    is_reset: bool
    is_certain: bool = True


@dataclass
class _Steps:
    """The time steps of a record, in the order in which the program made them."""

    record: Record
    slots: dict[Slot, Uses] = field(default_factory=dict)
    nodes: dict[int, list[Node]] = field(default_factory=dict)
    at: dict[tuple[Position, int], Node] = field(default_factory=dict)
    users: dict[Node, list[Node]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.step = _steps_of(self.record.places)
        for node, position in positions(self.step, self.step.__getitem__).items():
            step = self.step[node]
            self.nodes.setdefault(step, []).append(node)
            self.at[position, step] = node
            for operand, parent in enumerate(node.parents):
                self.slots.setdefault((position, operand), {})[step] = parent
                self.users[parent].append(node)
        self.first = next(iter(self.nodes), 0)
        self.reading: set[int] = set()  # the steps that go on from another one
        self.carried: set[tuple[int, ...]] = set()  # shapes of what they go on from
        self.weights: dict[tuple[Layer, int], set[Node]] = defaultdict(set)  # of states of `nn`
        self.carrying = {  # slots in which something of another step comes in at some step
            slot for slot, uses in self.slots.items()
            if any(self.is_of_another(place, t) for t, place in uses.items())
        }  # fmt: skip
        for node, step in self.step.items():
            elsewhere = [p for p in node.parents if self.is_of_another(p, step)]
            self.carried.update(parent.shape for parent in elsewhere)
            self.reading.update([step] if elsewhere else [])
            if weight := _weight(node, "weight_hh"):
                self.weights[Layer.of(node), step].add(weight)

    def is_of_another(self, place: Node, step: int) -> bool:
        """Whether a place was made in a time step, and not in the given one."""
        return self.step.get(place, step) != step

    @property
    def begins_late(self) -> bool:
        """Whether the walk does not reach the first steps, by their numbers."""
        steps = sorted(self.nodes)
        strides = [b - a for a, b in itertools.pairwise(steps)]
        is_first = bool(steps) and self.first == steps[0]
        backwards = any(Layer.of(n).direction == "reverse" for n in self.nodes.get(self.first, ()))
        return is_first and not backwards and self.first > min(strides, default=1)

    def constants(self, uses: Uses) -> Iterator[tuple[int, Node]]:
        """What of a slot is a constant where there was a step before, or may have been."""
        for t, place in uses.items():
            if self._is_cut(place) and (t != self.first or self._may_have_begun(place)):
                yield t, place

    def _is_cut(self, place: Node) -> bool:
        """Whether it is a constant, or detached and then asked for a gradient, and used once."""
        steps = {self.step[user] for user in self.users[place]}
        return is_constant(place) or (was_detached(place) and len(steps) == 1)

    def _may_have_begun(self, constant: Node) -> bool:
        """Whether there may have been steps before the first one of the walk."""
        return self.begins_late or (was_detached(constant) and not self._is_blank(constant))

    def reason(self, slot: Slot, uses: Uses, t: int, constant: Node) -> _Why | None:
        """Why a constant stands for a state, if it does."""
        position, _ = slot
        if self._is_joined_to_a_state(self.at[position, t], t):
            return None
        is_carried = slot in self.carrying
        weights = self.weights.get((position.layer, t))
        if weights and not self._is_state_of_layer(position, t):
            return None
        if t == self.first and not self.begins_late:
            return _Why(False, False) if weights or is_carried else None
        if weights:
            begun = t == self.first or any(self._is_used_before(weight, t) for weight in weights)
            if begun or was_detached(constant):
                return _Why(self._is_blank(constant) and not self._is_copied(uses, t, constant))
            return None
        if self._is_copied(uses, t, constant):
            return _Why(False, t not in self.reading)
        if is_carried:
            return self._where_others_carry(uses, t, constant)
        if t == self.first:
            width = any(node.shape == constant.shape for node in self.nodes[t])
            is_reset = self._is_blank(constant) or self._has_blank_part([constant])
            return _Why(is_reset, width) if self._seems_carried(t, constant) else None
        return self._never_carried(self.at[position, t], uses, t, constant)

    def _is_used_before(self, weight: Node, t: int) -> bool:
        """Whether a weight serves other steps that the program made before."""
        return self.step[self.users[weight][0]] != t

    def _is_state_of_layer(self, position: Position, t: int) -> bool:
        """Whether a layer of `nn` uses it as a state: it is not what meets the input's weights."""
        node = self.at[position, t]
        return not traits_of(node.primitive).product or _weight(node, "weight_hh") is not None

    def _is_joined_to_a_state(self, node: Node, t: int) -> bool:
        """Whether it begins beside what goes on, as sequences of a pack do that are shorter."""
        joins = traits_of(node.primitive).joins
        return bool(joins) and any(self.is_of_another(p, t) for p in node.parents)

    def _where_others_carry(self, uses: Uses, t: int, constant: Node) -> _Why | None:
        """At other steps a state comes in here; or an output is fed back, or a target instead."""
        if t == next(iter(uses)) and t != self.first:
            return None
        if t not in self.reading or was_detached(constant):
            return _Why(self._is_blank(constant), t not in self.reading)
        return _Why(True) if self._is_blank(constant) else None

    def _seems_carried(self, t: int, constant: Node) -> bool:
        """Whether a step makes of a constant, and of others, something of the same shape."""
        inside = set(self.nodes[t])
        others = {p for n in inside for p in n.parents if is_constant(p)} - {constant}
        alone = not others and not was_detached(constant)
        shapes = {node.shape for node in self._made_of(constant, inside)}
        if not alone and constant.shape in shapes:
            return True
        return any(_is_wider(constant.shape, shape) for shape in shapes)  # put beside an input

    def _made_of(self, place: Node, inside: set[Node]) -> set[Node]:
        found, waiting = set(), [place]
        while waiting:
            for user in self.users[waiting.pop()]:
                if user in inside and user not in found:
                    found.add(user)
                    waiting.append(user)
        return found

    def _never_carried(self, node: Node, uses: Uses, t: int, constant: Node) -> _Why | None:
        """The same at every step: zeros that take the part of a state, or an initial state."""
        if len(uses) < 2 or not all(map(is_constant, uses.values())):
            return None
        blank = all(self._is_blank(p) for p in uses.values())
        if self.reading:  # such as c, where h is carried on
            factor = traits_of(node.primitive).stops == "the other factor is 0"
            return _Why(True) if blank and factor and constant.shape in self.carried else None
        same = len(set(uses.values())) == 1 or self._has_blank_part(uses.values())
        return _Why(True) if (blank or same) and self._seems_carried(t, constant) else None

    def _has_blank_part(self, constants: Iterable[Node]) -> bool:
        """Whether all have the same columns of zeros, as wide as what a step makes."""
        shapes = {node.shape for node in self.nodes[self.first]}
        values = [self.record.value(constant) for constant in constants]
        return any(
            all(_is_blank_in(value, shape, side) for value in values)
            for shape in shapes for side in (0, -1)
        )  # fmt: skip

    def _is_blank(self, constant: Node) -> bool:
        """Whether it is all the same number, as initial states are."""
        value = self.record.value(constant)
        if value is None:
            return role_of(constant) == "state"
        return is_uniform(value)

    def _is_copied(self, uses: Uses, t: int, constant: Node) -> bool:
        """Whether it has the value of something of the step before, of which there may be traces.

        Of a large constant whose value nobody kept the shape must do, if it was detached.
        """
        before = self.nodes.get(dict(itertools.pairwise(reversed(uses))).get(t, t), ())
        value = self.record.value(constant)
        if value is None:
            return was_detached(constant) and any(p.shape == constant.shape for p in before)
        return any(
            not is_uniform(part) and are_equal(part, self.record.value(place))
            for place in before if before is not self.nodes[t]
            for part in parts_of(value, place.shape)
        )  # fmt: skip

    def is_truncation(self, cuts: set[int]) -> bool:
        """Whether cuts part the steps into windows of one length of at least 2, the last shorter.

        What a walk does not reach may have been parted in the same way.
        """
        order = {t: i for i, t in enumerate(self.nodes, self.first - 1 if self.begins_late else 0)}
        starts = sorted(order[t] for t in cuts if order[t])
        if not starts:
            return True  # the first step, of which nobody knows what was before
        lengths = {b - a for a, b in itertools.pairwise(starts)} or {starts[0]}
        last = max(order.values()) + 1 - starts[-1]
        if self.begins_late and len(order) == 1:
            return False
        (length, *more) = lengths
        return not more and length > 1 and last <= length and starts[0] % length == 0


def _steps_of(places: list[Node]) -> dict[Node, int]:
    """The time step of each operation that has one; without any, how often its cell was called.

    Of a loop over cells in which no state is handed on nothing tells that it is time.
    """
    nodes = [place for place in places if not place.is_leaf]
    known = {node: int(node.tag.step) for node in nodes if node.tag.step is not None}
    if known:
        return known
    calls: Counter[Layer] = Counter()
    for node in nodes:
        layer = Layer.of(node)
        calls[layer] += _weight(node, "weight_ih") is not None
        if calls[layer]:
            known[node] = calls[layer]
    return known


def _weight(node: Node, name: str) -> Node | None:
    """What a product multiplies by, if it is called as the weights of layers of `nn` are."""
    factors = inputs_of(node, traits_of(node.primitive).product)
    return factors[1] if factors and given_name(factors[1]).startswith(name) else None


def is_constant(place: Node) -> bool:
    """Whether a place is a tensor without a history that requires no grad; a number is none."""
    is_number = place.value is not None and not isinstance(place.value, np.ndarray)
    return place.is_leaf and not place.requires_grad and not is_number


def _is_wider(shape: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether one has room for the columns of the other, and more."""
    return len(shape) == len(other) > 1 and shape[:-1] == other[:-1] and shape[-1] > other[-1] > 1


def fits_in(shape: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether something of a shape may be all of another, or columns of it."""
    return shape == other or _is_wider(other, shape)


def parts_of(value: Any, shape: tuple[int, ...]) -> list[Any]:
    """A value, if it has the shape; of a wider one, as of `cat`, the first and last columns."""
    if np.shape(value) == shape:
        return [value]
    if _is_wider(np.shape(value), shape):
        return [value[..., : shape[-1]], value[..., -shape[-1] :]]
    return []


def _is_blank_in(value: Any, shape: tuple[int, ...], side: int) -> bool:
    parts = () if value is None else parts_of(value, shape)
    return len(parts) > 1 and not np.any(parts[side])


def is_uniform(value: Any) -> bool:
    """Whether it is one number throughout, which says nothing of where it comes from."""
    same = bool(np.all(value == np.ravel(value)[:1]))
    return same and (np.size(value) != 1 or abs(np.ravel(value)[0]) in (0, 1))


def are_equal(value: Any, other: Any) -> bool:
    """Whether two values are one, which may have gone through NumPy and another type."""
    if other is None:
        return False
    with np.errstate(all="ignore"):
        return bool(np.allclose(value, other, rtol=1e-6, atol=0, equal_nan=True))


def never_carried(record: Record) -> Iterator[Finding]:
    """Layers that are called for one step at a time, always without the state before."""
    met: dict[Node, list[Node]] = defaultdict(list)
    for node in record.places:
        if not node.is_leaf and (weight := _weight(node, "weight_hh")):
            met[weight].append(node)
    for products in met.values():
        states = [inputs_of(node, traits_of(node.primitive).product)[0] for node in products]
        values = [record.value(state) if is_constant(state) else None for state in states]
        if len(values) > 1 and all(v is not None and is_uniform(v) for v in values):
            place = Layer.of(products[0]).spoken
            yield Finding("warning", "state reset", place, *_RESET)
            return
