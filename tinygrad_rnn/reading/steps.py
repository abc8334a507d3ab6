"""Which place is this one at another time step?

A step does what the others do, so a place is told again there by what stays the same: a name that
the program gave to it, or else its *position*, the how-manieth of its operation that it is in its
layer and step.  Whoever asks says among which places it is counted, and whether names count.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, NamedTuple

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.reading.given import given_name, name_of
from tinygrad_rnn.reading.layers import Layer


class Position(NamedTuple):
    """What tells a place again at other steps: the how-manieth of its kind in its layer."""

    layer: Layer
    kind: Any
    number: int


def own_step(place: Node) -> int | None:
    """The time step in which a place was made."""
    return place.tag.step


def of_another_step(place: Node, step: int | None) -> bool:
    """Whether a place was made in a time step, and not in the given one."""
    return place.tag.step not in (None, step)


def operation(place: Node) -> Any:
    """What made a place; ``None`` for a leaf."""
    return place.primitive


def positions(
    places: Iterable[Node],
    step: Callable[[Node], int | None] = own_step,
    kind: Callable[[Node], Hashable] = operation,
) -> dict[Node, Position]:
    """The position of each place among these, which are oldest first.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> h, places = tg.ones(1, requires_grad=True), []
    >>> for t in (1, 2):
    ...     with tg.step(t):
    ...         h = tg.tanh(h * 0.5 * 3)
    ...     places += [h.node.parents[0].parents[0], h.node.parents[0], h.node]
    >>> [(at.kind.name, at.number) for at in positions(places).values()]
    [('mul', 1), ('mul', 2), ('tanh', 1), ('mul', 1), ('mul', 2), ('tanh', 1)]
    """
    seen: dict[Hashable, int] = {}
    found: dict[Node, Position] = {}
    for place in places:
        layer, made_by = Layer.of(place), kind(place)
        key = layer, made_by, step(place)
        number = seen[key] = seen.get(key, 0) + 1
        found[place] = Position(layer, made_by, number)
    return found


def slots(
    places: list[Node], made_with: Callable[[Node], Hashable] = operation
) -> dict[Node, Hashable]:
    """What stays the same from step to step: a name that other steps use too, or else a position.

    Equal for all places that are one quantity over time, whichever step one asks from.  Where
    some steps have more of a kind than others, what they were ``made_with`` tells them apart.
    """
    named: dict[Hashable, set[int | None]] = defaultdict(set)  # the steps that use a name
    for place in places:
        named[Layer.of(place), name_of(place)].add(place.tag.step)
    found: dict[Node, Hashable] = {}
    known = positions(places)
    uneven = _uneven(known)
    apart = positions(places, kind=lambda place: (place.primitive, made_with(place)))
    for place, position in known.items():
        if (position.layer, position.kind) in uneven:
            position = apart[place]
        by_name = position.layer, name_of(place)
        found[place] = by_name if by_name[1] and len(named[by_name]) > 1 else position
    return found


def _uneven(known: Mapping[Node, Position]) -> set[tuple[Layer, Any]]:
    """The kinds of places of which some steps have several and others fewer."""
    counts: dict[tuple[Layer, Any], Counter[int | None]] = defaultdict(Counter)
    for place, at in known.items():
        counts[at.layer, at.kind][place.tag.step] += 1
    return {kind for kind, by_step in counts.items() if len({*by_step.values()}) > 1}


class Counterparts:
    """What a place is at one given step: what bears its name there, or else has its position.

    Unlike `slots` this looks for the name at that step alone.  A place may bear it only from the
    second step on, as ``h`` does where the first step begins with another operation; its
    counterpart at the first step is then the one in its position.
    """

    def __init__(self, steps: Mapping[int, list[Node]]) -> None:
        step = {node: t for t, nodes in steps.items() for node in nodes}
        self._positions = positions(step, step.__getitem__)
        self._placed = {(step[node], at): node for node, at in self._positions.items()}
        self._bears: dict[Node, tuple[str, str, int]] = {}  # scope, name, the how-manieth of it
        self._named: dict[tuple[int, tuple[str, str, int]], Node] = {}
        seen: Counter[Hashable] = Counter()
        for node, t in step.items():
            if name := given_name(node):
                key = node.tag.scope, name
                seen[t, key] += 1
                self._bears[node] = *key, seen[t, key]
                self._named[t, self._bears[node]] = node

    def of(self, place: Node, step: int) -> Node | None:
        """The counterpart of a place at a step; ``None`` if there is none."""
        if place not in self._positions:
            return None
        named = self._named.get((step, self._bears[place])) if place in self._bears else None
        return named or self._placed.get((step, self._positions[place]))
