"""Loops found by their beat: an operation with the same weight, each use depending on the last.

A program that carries something on uses its weights again at every pass, and each use depends on
the one before; in a stack of layers each has its own, and a sum over a list depends on nothing.
From such a series of uses, the *beat*, the passes are found in the order in which the operations
were made: a pass begins with what all of them do before the beat and ends where the next begins.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from typing import Any

import numpy as np

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.operations.traits import traits_of
from tinygrad_rnn.reading.alike import Alike, Program
from tinygrad_rnn.reading.border import opening
from tinygrad_rnn.reading.given import is_inline, may_be_parameter, was_detached

Pass = list[Node]
_order = attrgetter("order")


def loops(places: list[Node], free: Collection[Node]) -> list[list[Pass]]:
    """The loops of a graph as their passes, oldest first: made of the ``free`` nodes alone.

    Parameters
    ----------
    places : list of Node
        Oldest first.
    free : set of Node
        What may be in a pass; of the rest it is known when it was made.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> from tinygrad_rnn.engine.graph import tape
    >>> w, h = tg.tensor(0.5, requires_grad=True), tg.tensor(1.0)
    >>> for _ in range(3):
    ...     h = tg.tanh(w * h)
    >>> places = tape([(h + 1).node])
    >>> (passes,) = loops(places, {place for place in places if not place.is_leaf})
    >>> [[node.primitive.name for node in each] for each in passes]
    [['mul', 'tanh'], ['mul', 'tanh'], ['mul', 'tanh']]
    """
    weights = _weights(places)
    program = Program([place for place in places if place in free], weights)
    taken: set[Node] = set()
    found = []
    for beat in _main(_runs(places, program.nodes, weights)):
        if taken.isdisjoint(beat.anchors):
            start, end = (bisect_left(places, at, key=_order) for at in (beat.start, beat.end))
            on_beat = _depending(places[start : end + 1])
            passes = _Passes(program, taken, beat.anchors, on_beat).passes
            taken.update(node for each in passes for node in each)
            found += [passes] if passes else []
    return sorted(found, key=lambda passes: passes[0][0].order)


# -- weights -------------------------------------------------------------------------------------


def _weights(places: list[Node]) -> dict[Node, Hashable]:
    """What a loop may use again at every pass, equal where it comes from the same leaves.

    That is a leaf that several operations use, and what is made of it alone (a transpose, a part);
    or what is computed from several such leaves in the same way again and again.
    """
    uses = Counter(parent for node in places for parent in node.parents)
    found: dict[Node, Hashable] = {
        place: place for place in places if place.is_leaf and uses[place] > 1
    }
    computed: dict[Node, int] = {}
    numbers: dict[Hashable, int] = {}  # of computations
    for node in places:
        wanted = [parent for parent in node.parents if not is_inline(parent)]
        if node.is_leaf:
            continue
        if len(wanted) == 1 and wanted[0] in found:
            found[node] = found[wanted[0]]
        if all(parent in found or parent in computed for parent in wanted):
            operands = tuple(computed.get(parent, parent) for parent in wanted)
            key = node.primitive, operands, repr(node.params)
            computed[node] = numbers.setdefault(key, len(numbers))
    again = Counter(computed.values())
    repeated = {node: number for node, number in computed.items() if again[number] > 1}
    return repeated | found


# -- beats ---------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Run:
    """Uses of a weight, the first at each depth of a chain of dependence, oldest first."""

    series: Hashable
    anchors: list[Node]
    last: Node

    @property
    def start(self) -> float:
        return self.anchors[0].order

    @property
    def end(self) -> float:
        return self.last.order


def _runs(places: list[Node], nodes: list[Node], weights: dict[Node, Hashable]) -> list[_Run]:
    """Every series of uses in which each depends on the one before, and computes with it."""
    series: dict[Hashable, list[Node]] = defaultdict(list)
    for node in nodes:
        for operand, parent in enumerate(node.parents):
            if parent in weights and len(node.parents) > 1:
                at = node.primitive, node.tag.scope, node.tag[2:4]
                seat = 0 if traits_of(node.primitive).commutes else operand
                key: Hashable = (*at, seat, weights[parent])
                if not series[key] or series[key][-1] is not node:
                    series[key].append(node)
    several = {key: members for key, members in series.items() if len(members) > 1}
    runs = []
    for (key, members), depths in zip(several.items(), _depths(places, list(several.values()))):
        for anchors, last in _risings(members, depths):
            if len(anchors) > 1 and not _merely_collects(anchors):
                runs.append(_Run(key, anchors, last))
    return sorted(runs, key=lambda run: run.start)


def _depths(places: list[Node], series: list[list[Node]]) -> list[list[int]]:
    """For each member of each series, how many of the series follow one another up to it.

    What the program detached goes on, too, from whatever there is by then.
    """
    belongs: dict[Node, list[int]] = defaultdict(list)
    for number, members in enumerate(series):
        for node in members:
            belongs[node].append(number)
    none = np.zeros(len(series), np.int32)
    depth: dict[Node, Any] = {}
    so_far = none.copy()
    for place in places if series else ():
        deepest = so_far.copy() if was_detached(place) else none
        for parent in place.parents:
            below = depth.get(parent, none)
            if below is not none and below is not deepest:
                deepest = below if deepest is none else np.maximum(deepest, below)
        if place in belongs:
            deepest = deepest.copy()
            deepest[belongs[place]] += 1
            so_far = np.maximum(so_far, deepest)
        if deepest is not none:
            depth[place] = deepest
    return [[int(depth[node][i]) for node in members] for i, members in enumerate(series)]


def _risings(members: list[Node], depths: list[int]) -> Iterator[tuple[list[Node], Node]]:
    """Members as long as the chain grows; one that starts it anew begins another run."""
    anchors: list[Node] = []
    first = deepest = 0
    last = members[0]
    for node, depth in zip(members, depths):
        if anchors and depth <= first and deepest > first:
            yield anchors, last
            anchors = []
        if not anchors:
            anchors, first, deepest = [node], depth, depth
        elif depth > deepest:
            anchors.append(node)
            deepest = depth
        last = node
    yield anchors, last


def _merely_collects(anchors: list[Node]) -> bool:
    """Whether one use goes on to the next by nothing but additions and the like: a running sum."""
    first, second = anchors[:2]
    below, waiting = {second}, [second]
    while waiting:
        fresh = {p for p in waiting.pop().parents if p.order >= first.order} - below
        below |= fresh
        waiting += fresh
    cycle = {first}
    for node in sorted(below, key=lambda node: node.order):
        if not cycle.isdisjoint(node.parents):
            cycle.add(node)
    return all(traits_of(node.primitive).collects for node in cycle)


def _main(runs: list[_Run]) -> list[_Run]:
    """Of runs that lie in one another's time the longest; those that begin anew come last.

    A loop inside a loop begins anew at each pass of the one around it.
    """
    times = Counter(run.series for run in runs)
    leading: list[_Run] = []
    for run in sorted(runs, key=lambda run: (times[run.series] > 1, -len(run.anchors), run.start)):
        if all(run.end < it.start or it.end < run.start for it in leading):
            leading.append(run)
    return leading


# -- passes --------------------------------------------------------------------------------------


class _Passes:
    """The passes of the loop that a beat belongs to; none if it turns out to be no loop."""

    def __init__(
        self,
        program: Program,
        taken: set[Node],
        anchors: list[Node],
        on_beat: set[Node],
    ) -> None:
        self.alike = Alike(program, anchors)
        self.nodes, self.index, self.anchors = program.nodes, program.index, self.alike.anchors
        self.first_user, self.taken, self.on_beat = program.first_user, taken, on_beat
        before, here = opening(self.alike, taken)
        starts = [self.anchors[0] - here]
        for t in range(1, len(self.anchors)):
            starts.append(self._start(t, before, starts[-1]))
        self.passes = [self.nodes[a:b] for a, b in pairwise(starts)]
        self.most = self._most()
        self._end(starts[-1], before)
        self._beginning(starts[0])
        if not self._is_loop():
            self.passes = []

    def _start(self, t: int, before: list[Hashable], earlier: int) -> int:
        """Where a pass starts: with what they do before the beat, and what it alone reads."""
        at, previous = self.anchors[t], self.anchors[t - 1]
        for kind in reversed(before):
            if at - 1 <= previous or self.alike.kind(self.nodes[at - 1]) != kind:
                while at < self.anchors[t] and not self.alike.reads_anew(self.nodes[at], earlier):
                    at += 1
                break
            at -= 1
        while at - 1 > previous and self._belongs_to_next(self.nodes[at - 1], at):
            at -= 1
        return at

    def _belongs_to_next(self, node: Node, start: int) -> bool:
        """Whether a layer called there made a node, or it is of no use but to be read there."""
        if node.tag.call is not None and node.tag.call == self.nodes[start].tag.call:
            return True
        return node not in self.on_beat and self.first_user.get(node, -1) >= start

    def _most(self) -> Counter[Hashable]:
        """How often a pass does the same thing at most."""
        most: Counter[Hashable] = Counter()
        for each in self.passes:
            most |= Counter(map(self.alike.kind, each))
        return most

    def _end(self, start: int, before: list[Hashable]) -> None:
        """The last pass goes on while it does what the others did; one more may lack the beat."""
        last, end = self._pass_from(start, self.anchors[-1])
        self.passes.append(last)
        opens = end < len(self.nodes) and before and self.alike.kind(self.nodes[end]) == before[0]
        if opens and self.nodes[end] not in self.taken:
            another, end = self._pass_from(end, end)
            led_to = self.nodes[end : self.first_user.get(another[-1], end) + 1]
            if weights_of(another + led_to[-1:]) and any(
                self.alike.reads_anew(node, start) for node in another
            ):
                self.passes.append(another)

    def _pass_from(self, start: int, surely: int) -> tuple[Pass, int]:
        """What is done from somewhere on, surely up to there, as a pass does; and where it ends."""
        left = self.most.copy()
        for i in range(start, len(self.nodes)):
            kind = self.alike.kind(self.nodes[i])
            if i > surely and left[kind] <= 0:
                return self.nodes[start:i], i
            left[kind] -= 1
        return self.nodes[start:], len(self.nodes)

    def _beginning(self, start: int) -> None:
        """A first pass may lack the beat, having no state yet; it uses weights as all do."""
        left, early = self.most.copy(), []
        for node in reversed(self.nodes[:start]):
            kind = self.alike.kind(node)
            if node in self.taken or left[kind] <= 0:
                break
            left[kind] -= 1
            early.append(node)
        if any(self.alike.weight(p) is not None for node in early for p in node.parents):
            self.passes.insert(0, early[::-1])

    def _is_loop(self) -> bool:
        """Whether passes have their weights in common, and, if they are but two, read an input."""
        if are_layers(self.passes):
            return False
        one, other = (
            {self.alike.weight(p) or p for n in each for p in n.parents} for each in self.passes[:2]
        )
        return len(self.passes) > 2 or self._reads_input(self.passes[1], one & other)

    def _reads_input(self, nodes: Pass, common: set[Hashable]) -> bool:
        """Whether a pass reads what is no weight of all, and was not made by the one before."""
        here = {*nodes, *self.passes[0]}
        return any(
            not is_inline(parent) and parent not in self.on_beat
            for node in nodes
            for parent in node.parents
            if (parent not in here and self.alike.weight(parent) not in common)
            or (traits_of(parent.primitive).part and self.alike.weight(parent) in common)
        )


def are_layers(passes: list[Pass]) -> bool:
    """Whether passes are the layers of a net: each has weights of its own, no fewer than shared.

    Or none has a weight of the one before: then the layers are run through again and again.
    """
    used = [weights_of(nodes) for nodes in passes]
    times = Counter(weight for each in used for weight in each)
    own = [sum(times[weight] == 1 for weight in each) for each in used]
    if all(mine >= max(len(each) - mine, 1) for mine, each in zip(own, used)):
        return True
    return all(used) and all(one.isdisjoint(other) for one, other in pairwise(used))


def weights_of(nodes: Pass) -> set[Node]:
    """The leaves that a pass reads and that may be parameters."""
    return {p for node in nodes for p in node.parents if p.is_leaf and may_be_parameter(p)}


def _depending(places: list[Node]) -> set[Node]:
    """What of these depends on the first, itself included."""
    found = set(places[:1])
    for node in places:
        if not found.isdisjoint(node.parents):
            found.add(node)
    return found
