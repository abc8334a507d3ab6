"""Where one pass of a loop ends and the next one begins.

Between two beats lie the end of a pass and the beginning of the next. The very first pass begins so
too, though it has a constant where others compute something of a state; and the very last one ends
so, though it lacks what only another one would have read.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Hashable, Iterator
from typing import NamedTuple

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.operations.traits import moves_only, traits_of
from tinygrad_rnn.reading.alike import Alike


class Opening(NamedTuple):
    """What passes do before their beat: the kinds of it, and how much of it the first one does."""

    kinds: list[Hashable]
    here: int


def opening(alike: Alike, taken: Collection[Node]) -> Opening:
    """What the passes of a loop begin with, of which some operations are known to be others'."""
    return _Border(alike, taken).opening()


class _Between(NamedTuple):
    """What lies between the beat before and the t-th: how far the last pass does it, what the first
    does, by its place; of the rest of what stands there the first has constants.
    """

    t: int
    latest: int
    by_first: dict[int, bool]


class _Border:
    """Between which operations passes border."""

    def __init__(self, alike: Alike, taken: Collection[Node]) -> None:
        self.alike, self.taken = alike, taken
        self.nodes, self.index, self.anchors = alike.nodes, alike.index, alike.anchors

    def opening(self) -> Opening:
        """What both ends of the loop tell best, between a few beats.

        Where both do something, a pass begins with what reads something else than the one before
        made.
        """
        told = map(self._between, range(1, min(len(self.anchors), 10)))
        best = max(told, key=lambda it: it.latest - self.anchors[it.t - 1] + len(it.by_first))
        previous, later = self.anchors[best.t - 1 : best.t + 1]
        earliest = min(best.by_first, default=later)
        usual = {self.alike.sort(node) for node in self.nodes[previous : best.latest]}
        written = [at for at, first in best.by_first.items() if not first and self._writes(at)]
        start = max(written, default=earliest - 1) + 1  # what a pass writes down it has made
        while start < later and self._ends(start, best, usual, previous + earliest - later):
            start += 1
        kinds = [self.alike.kind(node) for node in self.nodes[start:later]]
        return Opening(kinds, sum(first for at, first in best.by_first.items() if at >= start))

    def _ends(self, at: int, between: _Between, usual: set[Hashable], since: int) -> bool:
        """Whether something is the last that a pass does, not the first that the next does.

        It reads nothing new, and the last pass does it, or neither does, unless that is to bring a
        state into shape. Or neither does, but the last one does such a thing to another state.
        """
        node, by_first = self.nodes[at], between.by_first[at]
        if not by_first and self.alike.sort(node) in usual and not traits_of(node.primitive).joins:
            return True
        may = at < between.latest or not (by_first or moves_only(node.primitive))
        return may and not self.alike.reads_anew(node, since)

    def _writes(self, at: int) -> bool:
        traits = traits_of(self.nodes[at].primitive)
        return bool(traits.moves and traits.collects)

    def _between(self, t: int) -> _Between:
        """What the ends of the loop tell of what lies before a beat.

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
                return _Between(t, missing[0], matched)
        return _Between(t, latest, self._like_first(t, latest))

    def _like_first(self, t: int, end: int) -> dict[int, bool]:
        """What a pass does before its beat as the first does, or where that has a constant.

        As it has of its initial state. Of such things not all are the pass's: up to ``end`` may
        last what the one before does.
        """
        previous, later = self.anchors[t - 1 : t + 1]
        body = {self.alike.kind(node) for node in self.nodes[previous : later + 1]}
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
        return not learned and (is_later or bool(traits_of(node.primitive).joins))

    def _alike_after(self, beat: int, other: int) -> Iterator[tuple[int, int]]:
        """What follows a beat and also another one, which may lack what would be read later."""
        twins = {self.nodes[beat]: self.nodes[other]}
        end = next(
            iter(self.anchors[bisect_right(self.anchors, beat) :]), beat + self.alike.longest
        )
        at = other + 1
        for i in range(beat + 1, min(end, len(self.nodes))):
            operands = {
                p: twins.get(p) for p in self.nodes[i].parents if self.index.get(p, -1) >= beat
            }
            found = self._again(self.nodes[i], operands, at, other)
            if found is not None:
                twins[self.nodes[i]] = self.nodes[found]
                yield i, found
                at = found + 1

    def _again(
        self, node: Node, operands: dict[Node, Node | None], start: int, beat: int
    ) -> int | None:
        """Where the same is next done with other operands, before another weight is used."""
        kind, part = self.alike.kind(node), traits_of(node.primitive).part
        for at in range(start, min(start + self.alike.longest, len(self.nodes))):
            other = self.nodes[at]
            pairs = zip(node.parents, other.parents)
            same = self.alike.kind(other) == kind and (not part or other.shape == node.shape)
            if same and all(
                operands[p] is q if p in operands else self.index.get(q, -1) < beat
                for p, q in pairs
            ):
                return at
            if any(p.is_leaf and p.requires_grad for p in other.parents):
                return None
        return None

    def _alike(self, one: Node, other: Node, body: set[Hashable], end: int) -> bool:
        """Whether two nodes do the same with operands that are alike, or from before the loop.

        What the other has of the pass before, which lasts up to ``end``, is from before the loop.
        """
        if self.alike.does(one) != self.alike.does(other):
            return False
        return all(
            self.alike.weight(q) in (None, self.alike.weight(p))
            if p.is_leaf
            else self.index.get(q, end) < end
            or (not q.is_leaf and self.alike.kind(p) == self.alike.kind(q))
            or self.alike.kind(p) not in body
            for p, q in zip(one.parents, other.parents)
        )
