"""In which order the time steps of a graph were walked.

A loop walks through its steps in the order of its computation, whatever their numbers are: 1 2 3,
3 2 1, 2 4 6 or 2 1 3.  Where a number comes again the steps begin anew: that is another *walk*, of
another loop or of the next layer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.reading.steps import own_step


class Moment(NamedTuple):
    """The how-manieth step of which walk.

    They are counted from 0, in a layer of `nn` that reads backwards from its other end: its
    windows are those of the layer that reads forwards beside it.
    """

    walk: int
    number: int


class Walks:
    """When the places of a graph were made.

    What was made outside of any step counts as made when the last step was whose results it uses.
    A step that only prepares initial states, such as step 0 of the layers of `nn`, is before all
    time, and so is what it makes.

    Attributes
    ----------
    given : set of Node
        Leaves, and what is made of them alone outside of any step, such as a transposed weight.
    prepared : set of Node
        What the preparing steps made.
    next_step : dict of int, by Node
        The number of the step that was walked after the one in which it was made, if any was.
    """

    def __init__(self, places: Sequence[Node]) -> None:
        timed = [p for p in places if not p.is_leaf and p.tag.step is not None]
        self.given = _given(places)
        self.prepared: set[Node] = set()
        self.next_step: dict[Node, int] = {}
        self._moments: dict[Node, tuple[Moment, ...]] = dict.fromkeys(timed, ())
        self._count = 0
        layers: dict[Hashable, list[Node]] = defaultdict(list)
        for node in timed:
            if node.tag.layer is not None:
                layers[node.tag[0], node.tag[2:4]].append(node)
        for nodes in [*layers.values(), timed]:
            self._number(nodes)
        self._latest = {node: node for node in timed if self._moments[node]}
        for node in places:
            if not node.is_leaf and node.tag.step is None:
                made = [self._latest[p] for p in node.parents if p in self._latest]
                if made:
                    self._latest[node] = max(made, key=lambda place: place.order)

    def _number(self, nodes: list[Node]) -> None:
        """Say of each node when it was made in the walks through these."""
        visits = [list(group) for _, group in groupby(nodes, key=own_step)]
        numbers = [visit[0].tag.step or 0 for visit in visits]
        walks = [[visits[i] for i in walk] for walk in walked(numbers)]
        for walk, following in pairwise(walks):
            if self._prepares([walk[-1], *following]) and not self._share(walk[-1], walk[:-1]):
                following.insert(0, walk.pop())
        for steps in walks:
            if len(steps) > 1 and self._prepares(steps):
                self.prepared.update(steps.pop(0))
            for step, after in pairwise(steps):
                for node in step:
                    self.next_step.setdefault(node, after[0].tag.step or 0)
            if nodes[0].tag.layer is not None and nodes[0].tag.direction == "reverse":
                steps.reverse()
            for number, step in enumerate(steps):
                moment = (Moment(self._count, number),)
                known: dict[tuple[Moment, ...], tuple[Moment, ...]] = {(): moment}
                for node in step:  # all that were made together share their moments
                    if node not in self.prepared:
                        before = self._moments[node]
                        self._moments[node] = known.get(before) or known.setdefault(
                            before, before + moment
                        )
            self._count += 1

    def _prepares(self, steps: list[list[Node]]) -> bool:
        """Whether the first step makes initial states: of nothing that is given to the others,
        and otherwise than they make states, unless its number says it.
        """
        first, second, *further = steps
        here, later = _used(second), _used(*further)
        made = {node.primitive for node in first if node in here or node in later}
        if not made or self._share(first, steps[1:]):
            return False
        again = {node.primitive for node in second if node in later or node not in here}
        return (first[0].tag.step or 0) <= 0 or not made & again

    def _share(self, step: list[Node], others: list[list[Node]]) -> bool:
        """Whether something that is given is used in a step and in others."""
        return not self.given.isdisjoint(_used(step) & _used(*others))

    def between(self, place: Node, user: Node) -> tuple[Moment, Moment] | None:
        """When a place was made and used, if those are two steps of one walk."""
        made, used = (self._moments.get(self._latest.get(at, at), ()) for at in (place, user))
        for one in made:
            for other in used:
                if one.walk == other.walk:
                    return None if one == other else (one, other)
        return None

    def step(self, place: Node) -> int | None:
        """The number of the step in which a place counts as made."""
        return self._latest[place].tag.step if place in self._latest else None

    def walks_of(self, place: Node) -> int:
        """The walks in which a place was made, as bits."""
        return sum(1 << at.walk for at in self._moments.get(self._latest.get(place, place), ()))


def _used(*steps: list[Node]) -> set[Node]:
    return {parent for step in steps for node in step for parent in node.parents}


def _given(places: Sequence[Node]) -> set[Node]:
    given: set[Node] = set()
    for place in places:
        if place.is_leaf or (place.tag.step is None and given.issuperset(place.parents)):
            given.add(place)
    return given


def walked(steps: Sequence[int]) -> list[list[int]]:
    """The walks through a sequence of step numbers, as indices into it.

    A number that comes again begins a new walk. One that turns round, where one loop goes up and
    another down, has the step in common at which it turns.

    Examples
    --------
    >>> walked([1, 2, 3, 1, 2, 3])
    [[0, 1, 2], [3, 4, 5]]
    >>> walked([1, 2, 3, 2, 1])
    [[0, 1, 2], [2, 3, 4]]
    """
    walks: list[list[int]] = []
    seen: set[int] = set()
    for i, step in enumerate(steps):
        if walks and step in seen:
            walk = walks[-1]
            if len(walks) > 1 and walk[0] == walks[-2][-1] and step == steps[walk[0]]:
                del walk[0]  # it did not turn there: it has that step itself
            else:
                turns = len(walk) > 1 and step == steps[walk[-2]]
                walks.append([walk[-1]] if turns else [])
                seen = {steps[walk[-1]]} if turns else set()
        elif not walks:
            walks.append([])
        walks[-1].append(i)
        seen.add(step)
    return walks
