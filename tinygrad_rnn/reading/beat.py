"""Loops found by their beat: an operation with the same weight, each use depending on the last.

A program that carries something on uses its weights again at every pass, and each use depends on
the one before; in a stack of layers each has its own, and a sum over a list depends on nothing.
From such a series of uses, the *beat*, the passes are found in the order in which the operations
were made: a pass begins with what all of them do before the beat and ends where the next begins.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from typing import Any

import numpy as np

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.operations.traits import moves_only, traits_of
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
    program = _Program([place for place in places if place in free], weights)
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
                key: Hashable = (*at, operand, weights[parent])
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


class _Program:
    """The operations that may be in passes, in the order in which they were made."""

    def __init__(self, nodes: list[Node], weights: dict[Node, Hashable]) -> None:
        self.nodes, self.weights = nodes, weights
        self.index = {node: i for i, node in enumerate(nodes)}
        self.first_user: dict[Node, int] = {}
        for i, node in enumerate(nodes):
            for parent in node.parents:
                self.first_user.setdefault(parent, i)


class _Passes:
    """The passes of the loop that a beat belongs to; none if it turns out to be no loop."""

    def __init__(
        self,
        program: _Program,
        taken: set[Node],
        anchors: list[Node],
        on_beat: set[Node],
    ) -> None:
        self.nodes, self.index = program.nodes, program.index
        self.weights, self.first_user = program.weights, program.first_user
        self.taken, self.on_beat = taken, on_beat
        self.anchors = [self.index[node] for node in anchors]
        self.longest = max(b - a for a, b in pairwise(self.anchors))  # from one beat to the next
        self.shared = self._shared()
        before, here = self._before()
        starts = [self.anchors[0] - here]
        for t in range(1, len(self.anchors)):
            starts.append(self._start(t, before, starts[-1]))
        self.passes = [self.nodes[a:b] for a, b in pairwise(starts)]
        self.most = self._most()
        self._end(starts[-1], before)
        self._beginning(starts[0])
        if not self._is_loop():
            self.passes = []

    def _shared(self) -> set[Hashable]:
        """The weights of the loop: what most passes use.

        A constant that is one's target and the next one's input is none, nor is what is computed
        again now and then, as the part of one's output that the next takes out of its state.
        """
        used: dict[Hashable, set[int]] = defaultdict(set)  # by weight: before which beats
        made: dict[Hashable, set[int]] = defaultdict(set)
        start = max(self.anchors[0] - self.longest, 0)
        for i, node in enumerate(self.nodes[start : self.anchors[-1] + self.longest], start):
            beat = bisect_right(self.anchors, i)
            for place in node.parents:
                if place in self.weights:
                    used[self.weights[place]].add(beat)
            if node in self.weights:
                made[self.weights[node]].add(beat)
        count = len(self.anchors)
        return {
            weight for weight, beats in used.items()
            if 2 * len(beats) > count + 1
            and (not isinstance(weight, int) or len(made[weight]) >= count)
        }  # fmt: skip

    def _weight(self, place: Node) -> Hashable:
        """Which weight of the loop a place is, if any."""
        weight = self.weights.get(place)
        return weight if weight in self.shared else None

    def _kind(self, node: Node) -> Hashable:
        """What tells that two nodes do the same, at different passes."""
        return self._does(node), self._made_of(node)

    def _does(self, node: Node) -> Hashable:
        return node.primitive, node.tag.scope, node.tag[2:4], len(node.parents)

    def _made_of(self, node: Node) -> tuple[Hashable, ...]:
        return tuple(map(self._weight, node.parents))

    def _before(self) -> tuple[list[Hashable], int]:
        """What passes do before their beat, and how much of it the first one does.

        Between two beats lie the end of a pass and the beginning of the next. The very first one
        begins so too, and the very last one ends so: where both do something, a pass begins with
        what reads something else than the pass before made.
        """
        latest, matched, t = max(
            map(self._parts, range(1, min(len(self.anchors), 10))),
            key=lambda parts: parts[0] - self.anchors[parts[2] - 1] + len(parts[1]),
        )
        previous, later = self.anchors[t - 1 : t + 1]
        earliest = start = min(matched, default=later)
        usual = {self._kind(node) for node in self.nodes[previous:latest]}
        while start < later and self._ends(start, latest, matched[start], usual, previous + earliest - later):
            start += 1
        ahead = [self._kind(node) for node in self.nodes[start:later]]
        return ahead, sum(matched[at] for at in matched if at >= start)

    def _ends(
        self, at: int, latest: int, by_first: bool, usual: set[Hashable], since: int
    ) -> bool:
        """Whether something is the last that a pass does, not the first that the next does.

        It reads nothing new, and the last pass does it, or neither does, unless that is to bring a
        state into shape. Or neither does, but the last one does such a thing to another state.
        """
        node = self.nodes[at]
        if not by_first and self._kind(node) in usual and not traits_of(node.primitive).joins:
            return True
        may = at < latest or not (by_first or moves_only(node.primitive))
        return may and not self._reads_anew(node, since)

    def _parts(self, t: int) -> tuple[int, dict[int, bool], int]:
        """Up to where the last pass does what lies between two beats, what the first does; and t.

        What comes after the loop may look like the beginning of a pass: what the last one does at
        one go is enough, if the first does the rest.
        """
        previous = self.anchors[t - 1]
        done = {i for i, _ in self._alike_after(previous, self.anchors[-1])}
        latest = max(done, default=previous) + 1
        missing = [i for i in range(previous + 1, latest) if i not in done]
        if missing:
            matched = self._like_first(t, missing[0])
            if all(map(matched.get, missing)):
                return missing[0], matched, t
        return latest, self._like_first(t, latest), t

    def _like_first(self, t: int, end: int) -> dict[int, bool]:
        """What a pass does before its beat as the first does, or where that has a constant.

        As it has of its initial state. Of such things not all are the pass's: up to ``end`` may
        last what the one before does.
        """
        previous, later = self.anchors[t - 1 : t + 1]
        body = {self._kind(node) for node in self.nodes[previous : later + 1]}
        mine = self.anchors[0]
        folded = self._folded(self.nodes[mine], self.nodes[later])
        for i, j in self._alike_after(mine, later):
            folded |= self._folded(self.nodes[i], self.nodes[j])
        found: dict[int, bool] = {}  # whether the first does it
        for its in range(later - 1, previous, -1):
            one, other = self.nodes[mine - 1], self.nodes[its]
            if other in folded and self._may_be_folded(other, its >= end):
                folded.update(other.parents)
                found[its] = False
            elif mine > 0 and one not in self.taken and self._alike(one, other, body, end):
                mine -= 1
                folded |= self._folded(one, other)
                found[its] = True
            else:
                break
        return found

    def _folded(self, one: Node, other: Node) -> set[Node]:
        """What one node has as constants, and another computes."""
        pairs = zip(one.parents, other.parents)
        return {q for p, q in pairs if p.is_leaf and not p.requires_grad and not q.is_leaf}

    def _may_be_folded(self, node: Node, is_later: bool) -> bool:
        """Whether a first pass may have a constant for a node, which it makes of constants.

        What joins the input to the state does so before all else.
        """
        learned = any(p.is_leaf and p.requires_grad for p in node.parents)
        return not learned and (is_later or traits_of(node.primitive).joins)

    def _alike_after(self, beat: int, other: int) -> Iterator[tuple[int, int]]:
        """What follows a beat and also another one, which may lack what would be read later."""
        twins = {self.nodes[beat]: self.nodes[other]}
        end = next(iter(self.anchors[bisect_right(self.anchors, beat) :]), beat + self.longest)
        at = other + 1
        for i in range(beat + 1, min(end, len(self.nodes))):
            operands = {p: twins.get(p) for p in self.nodes[i].parents if self.index.get(p, -1) >= beat}
            found = self._again(self.nodes[i], operands, at, other)
            if found is not None:
                twins[self.nodes[i]] = self.nodes[found]
                yield i, found
                at = found + 1

    def _again(self, node: Node, operands: dict[Node, Node | None], start: int, beat: int) -> int | None:
        """Where the same is next done with other operands, before another weight is used."""
        kind = self._kind(node)
        for at in range(start, min(start + self.longest, len(self.nodes))):
            other = self.nodes[at]
            pairs = zip(node.parents, other.parents)
            if self._kind(other) == kind and all(
                operands[p] is q if p in operands else self.index.get(q, -1) < beat for p, q in pairs
            ):
                return at
            if any(p.is_leaf and p.requires_grad for p in other.parents):
                return None
        return None

    def _alike(self, one: Node, other: Node, body: set[Hashable], end: int) -> bool:
        """Whether two nodes do the same with operands that are alike, or from before the loop.

        What the other has of the pass before, which lasts up to ``end``, is from before the loop.
        """
        if self._does(one) != self._does(other):
            return False
        return all(
            self._weight(q) in (None, self._weight(p))
            if p.is_leaf
            else self.index.get(q, end) < end
            or (not q.is_leaf and self._kind(p) == self._kind(q))
            or self._kind(p) not in body
            for p, q in zip(one.parents, other.parents)
        )

    def _reads_anew(self, node: Node, previous: int) -> bool:
        """Whether a node reads something else than what the pass before it made."""
        return any(
            not is_inline(parent) if parent.is_leaf else self.index.get(parent, -1) < previous
            for parent in node.parents
        )

    def _start(self, t: int, before: list[Hashable], earlier: int) -> int:
        """Where a pass starts: with what they do before the beat, and what it alone reads."""
        at, previous = self.anchors[t], self.anchors[t - 1]
        for kind in reversed(before):
            if at - 1 <= previous or self._kind(self.nodes[at - 1]) != kind:
                while at < self.anchors[t] and not self._reads_anew(self.nodes[at], earlier):
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
            most |= Counter(map(self._kind, each))
        return most

    def _end(self, start: int, before: list[Hashable]) -> None:
        """The last pass goes on while it does what the others did; one more may lack the beat."""
        last, end = self._pass_from(start, self.anchors[-1])
        self.passes.append(last)
        opens = end < len(self.nodes) and before and self._kind(self.nodes[end]) == before[0]
        if opens and self.nodes[end] not in self.taken:
            another, end = self._pass_from(end, end)
            led_to = self.nodes[end : self.first_user.get(another[-1], end) + 1]
            if weights_of(another + led_to[-1:]) and any(
                self._reads_anew(node, start) for node in another
            ):
                self.passes.append(another)

    def _pass_from(self, start: int, surely: int) -> tuple[Pass, int]:
        """What is done from somewhere on, surely up to there, as a pass does; and where it ends."""
        left = self.most.copy()
        for i in range(start, len(self.nodes)):
            kind = self._kind(self.nodes[i])
            if i > surely and left[kind] <= 0:
                return self.nodes[start:i], i
            left[kind] -= 1
        return self.nodes[start:], len(self.nodes)

    def _beginning(self, start: int) -> None:
        """A first pass may lack the beat, having no state yet; it uses weights as all do."""
        left, early = self.most.copy(), []
        for node in reversed(self.nodes[:start]):
            kind = self._kind(node)
            if node in self.taken or left[kind] <= 0:
                break
            left[kind] -= 1
            early.append(node)
        if any(w is not None for node in early for w in self._made_of(node)):
            self.passes.insert(0, early[::-1])

    def _is_loop(self) -> bool:
        """Whether passes have their weights in common, and, if they are but two, read an input."""
        if are_layers(self.passes):
            return False
        one, other = (
            {self._weight(p) or p for n in each for p in n.parents} for each in self.passes[:2]
        )
        return len(self.passes) > 2 or self._reads_input(self.passes[1], one & other)

    def _reads_input(self, nodes: Pass, common: set[Hashable]) -> bool:
        """Whether a pass reads what is no weight of all, and was not made by the one before."""
        here = {*nodes, *self.passes[0]}
        return any(
            not is_inline(parent) and parent not in self.on_beat
            for node in nodes
            for parent in node.parents
            if (parent not in here and self._weight(parent) not in common)
            or (traits_of(parent.primitive).part and self._weight(parent) in common)
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
