"""Which operations of a loop's passes do the same, at different passes.

Those that do the same in the same layer with the same weights, each with its own operands besides.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Hashable
from itertools import pairwise

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.operations.traits import moves_only, traits_of
from tinygrad_rnn.reading.given import is_inline


class Program:
    """The operations that may be in passes, in the order in which they were made."""

    def __init__(self, nodes: list[Node], weights: dict[Node, Hashable]) -> None:
        self.nodes, self.weights = nodes, weights
        self.index = {node: i for i, node in enumerate(nodes)}
        self.first_user: dict[Node, int] = {}
        for i, node in enumerate(nodes):
            for parent in node.parents:
                self.first_user.setdefault(parent, i)


class Alike:
    """The operations round the beats of a loop, and what tells them again at other passes.

    Attributes
    ----------
    anchors : list of int
        Where the beats are among the program's operations.
    longest : int
        From one beat to the next.
    """

    def __init__(self, program: Program, anchors: list[Node]) -> None:
        self.nodes, self.index, self._weights = program.nodes, program.index, program.weights
        self.anchors = [self.index[node] for node in anchors]
        self.longest = max(b - a for a, b in pairwise(self.anchors))
        self._shared_weights = self._shared()
        self._kinds: dict[Node, Hashable] = {}

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
                if place in self._weights:
                    used[self._weights[place]].add(beat)
            if node in self._weights:
                made[self._weights[node]].add(beat)
        count = len(self.anchors)
        return {
            weight for weight, beats in used.items()
            if 2 * len(beats) > count + 1
            and (not isinstance(weight, int) or len(made[weight]) >= count)
        }  # fmt: skip

    def weight(self, place: Node) -> Hashable:
        """Which weight of the loop a place is, if any."""
        weight = self._weights.get(place)
        return weight if weight in self._shared_weights else None

    def kind(self, node: Node) -> Hashable:
        """What tells that two nodes do the same, at different passes."""
        if node not in self._kinds:
            weights: Hashable = tuple(map(self.weight, node.parents))
            if traits_of(node.primitive).commutes:
                weights = frozenset(Counter(map(self.weight, node.parents)).items())
            self._kinds[node] = self.does(node), weights
        return self._kinds[node]

    def sort(self, node: Node) -> Hashable:
        """Its kind, or of what only moves elements: of which operations' results."""
        if not moves_only(node.primitive):
            return self.kind(node)
        return self.does(node), tuple(parent.primitive for parent in node.parents)

    def does(self, node: Node) -> Hashable:
        """What a node does, and where, whatever with."""
        return node.primitive, node.tag.scope, node.tag[2:4], len(node.parents)

    def reads_anew(self, node: Node, previous: int) -> bool:
        """Whether a node reads something else than what the pass before it made."""
        return any(
            not is_inline(parent) if parent.is_leaf else self.index.get(parent, -1) < previous
            for parent in node.parents
        )
