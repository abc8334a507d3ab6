"""One recurrent layer or loop, its steps cut apart, and what is measured in each of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_rnn.bptt.record import Record
from tinygrad_rnn.bptt.replica import Cut, replica
from tinygrad_rnn.engine.graph import Node, tape
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.engine.traversal import walk
from tinygrad_rnn.operations.traits import is_linear, traits_of
from tinygrad_rnn.reading.roles import Use
from tinygrad_rnn.reading.states import Recurrence
from tinygrad_rnn.reading.steps import abreast, of_another_step

Floats = np.ndarray[Any, np.dtype[np.float64]]


class StepsApart:
    """Copies of the steps of a layer, each with leaves for the state before it.

    Attributes
    ----------
    layer : Layer
    slices : dict of slice, by name
        Where the parts of the state stand in the whole.
    before : dict of int, by step
        The step that each goes on from, in the order in which the sequence is read.
    skips : bool
        Whether a step also uses states of this layer that are older than the one before.
    """

    def __init__(self, record: Record, recurrence: Recurrence, batch: bool) -> None:
        self.record, self.layer = record, recurrence.layer
        # h before c, as in PyTorch's (h, c)
        states = sorted(recurrence.states, key=lambda state: state.name != "h")
        common = set.intersection(*[set(state.places) for state in states])
        self.parts = parts = {t: [state.places[t] for state in states] for t in common}
        self.steps = [t for place in states[0].as_computed() if (t := place.tag.step) in parts]
        self.before = dict(zip(self.steps[1:], self.steps))
        self.initial = self._initial_uses()
        if self.initial:
            first, second = self.steps[:2]
            self.before = {first: first - (1 if first < second else -1)} | self.before
        if not self.before:
            raise ValueError(f"jacobians: there is no second time step of {self.layer}")
        self.batched = batch and len(parts[self.steps[0]][0].shape) > 1
        ends = np.cumsum([0, *map(self._features, parts[self.steps[0]])]).tolist()
        if ends[-1] == 0:
            raise ValueError(f"jacobians: the state of {self.layer} has no elements")
        names = [state.name for state in states]
        self.slices = {name: slice(*ends[i : i + 2]) for i, name in enumerate(names)}
        self.copies = replica(record, [(p, t) for t in self.before for p in parts[t]], self._follow)
        self.leaves = self._leaves()
        own = {place for at_t in parts.values() for place in at_t}
        self.skips = any(
            place in own and isinstance(mark, Cut) and copy not in self.leaves
            for (place, mark), copy in self.copies.items()
        )

    # -- cutting --

    def _initial_uses(self) -> dict[Use, int]:
        """Where the first step uses its initial state, by its part: as the second uses the first.

        Empty unless that is to be seen for every part of the state.
        """
        uses: dict[Use, int] = {}
        if len(self.steps) < 2:
            return uses
        part = {place: i for i, place in enumerate(self.parts[self.steps[0]])}
        first, second = (self.parts[t][0] for t in self.steps[:2])
        for node, twin in abreast(self.record.places, first, second):
            for operand, (mine, its) in enumerate(zip(node.parents, twin.parents, strict=True)):
                pullable = mine.requires_grad or isinstance(node.primitive, Primitive)
                if its in part and pullable and mine.shape == its.shape:
                    uses[node, operand] = part[its]
        return uses if set(uses.values()) == set(part.values()) else {}

    def _follow(self, node: Node, t: Any, operand: int) -> Any:
        """What is copied for step t ends at other steps, and where no way leads to the last one."""
        parent = node.parents[operand]
        if (node, operand) in self.initial:
            return Cut(node, operand, t)
        if parent.is_leaf:
            return t
        oldest = min([p.order for p in self.parts.get(self.before[t], ())], default=-1)
        elsewhere = of_another_step(parent, t) or parent.order < oldest
        return Cut(node, operand, t) if elsewhere else t

    def _leaves(self) -> dict[Node, tuple[int, slice]]:
        """The leaves that stand for the state before: which step's, and which part of the state."""
        slices = list(self.slices.values())
        leaves = {}
        for (place, mark), copy in self.copies.items():
            if isinstance(mark, Cut):
                t: Any = mark.mark
                earlier = self.parts.get(self.before[t], [])
                i = self.initial.get((mark.user, mark.operand))
                if i is None and place in earlier:
                    i = earlier.index(place)
                if i is not None:
                    leaves[copy] = (t, slices[i])
        return leaves

    # -- measuring --

    def jacobians(self) -> dict[int, Floats]:
        """J_t by step: (n, n), or (batch, n, n).

        Raises
        ------
        ValueError
            If elements of the batch influence each other.
        """
        tops = [[(t, self.copies[place, t]) for place in self.parts[t]] for t in self.before]
        if self.batched:
            self._check_batch([top for at_t in tops for _, top in at_t])
        return self._measured([dict(part) for part in zip(*tops)])

    def bound(self) -> float | None:
        """‖W_hh‖₂ · γ if every step is h_t = σ(W_hh h_{t−1} + …); else ``None``."""
        nodes = {t: self.copies[self.parts[t][0], t] for t in self.before}
        traits = [traits_of(node.primitive) for node in nodes.values()]
        slopes = [known.steepest if known else 0.0 for known in traits]
        if self.skips or len(self.slices) > 1 or not all(slopes):
            return None
        sums = {t: node.parents[0] for t, node in nodes.items()}
        if not all(map(self._is_linear, sums.values())):
            return None
        weights = self._measured([sums]).values()
        norms = [np.linalg.norm(w, 2, axis=(-2, -1)).max(initial=0) for w in weights]
        return float(max(norms)) * max(slopes)

    def _is_linear(self, top: Node) -> bool:
        """Whether a copy is a linear function of the state before its step, and of inputs."""
        depends = set(self.leaves)
        for place in tape([top]):
            ways = [i for i, parent in enumerate(place.parents) if parent in depends]
            if ways:
                if not is_linear(place.primitive, ways):
                    return False
                depends.add(place)
        return True

    def _measured(self, tops: list[dict[int, Node]]) -> dict[int, Floats]:
        """By step, the derivative of some copies by the state before, one below the other."""
        rows = []
        for part in tops:
            for unit in range(self._features(next(iter(part.values())))):
                cotangents = {top: np.zeros(top.shape) for top in part.values()}
                for g in cotangents.values():
                    g.reshape(self._rows(g), -1)[:, unit] = 1
                rows.append(self._pulled(cotangents))
        matrices = {t: np.stack([row[t] for row in rows], axis=1) for t in self.before}
        return matrices if self.batched else {t: matrix[0] for t, matrix in matrices.items()}

    def _pulled(self, cotangents: dict[Node, Floats]) -> dict[int, Floats]:
        """By step, what comes to the state before it: (batch, n).

        Of packed sequences only those come that are in both steps.
        """
        found = {}
        for t, s in self.before.items():
            rows = min(self._rows(self.parts[at][0]) for at in (t, s) if at in self.parts)
            found[t] = np.zeros((rows, list(self.slices.values())[-1].stop))
        with np.errstate(all="ignore"):
            arrived = walk(cotangents, wanted=self.leaves, retain_graph=True)
        for leaf, g in arrived.items():
            t, part = self.leaves[leaf]
            found[t][:, part] += g.reshape(self._rows(g), -1)[: len(found[t])]
        return found

    def _check_batch(self, tops: list[Node]) -> None:
        """Send something to the first element of the batch alone, and see that no other gets it."""
        cotangents = {}
        for top in tops:
            g = cotangents[top] = np.zeros(top.shape)
            g[:1] = np.linspace(1, 2, g[:1].size).reshape(g[:1].shape)
        arrived = [pulled[1:] for pulled in self._pulled(cotangents).values()]
        if any((np.isfinite(others) & (others != 0)).any() for others in arrived):  # 0 · ∞ is NaN
            raise ValueError(
                f"jacobians: the state of {self.layer} has shape {tops[0].shape}, and what stands "
                "along its first axis influences each other: it is no batch. Pass batch=False"
            )

    def _rows(self, at: Any) -> int:
        return int(at.shape[0]) if self.batched else 1

    def _features(self, place: Node) -> int:
        return math.prod(place.shape[1:] if self.batched else place.shape)
