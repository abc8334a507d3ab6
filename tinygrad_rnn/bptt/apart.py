"""One recurrent layer or loop, its steps cut apart, and what is measured in each of them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from tinygrad_rnn.bptt.chain import Chain
from tinygrad_rnn.bptt.record import Record
from tinygrad_rnn.bptt.replica import Cut, replica
from tinygrad_rnn.engine.graph import Node, tape
from tinygrad_rnn.engine.traversal import walk
from tinygrad_rnn.operations.traits import is_linear, traits_of
from tinygrad_rnn.reading.states import Recurrence, Series

Floats = np.ndarray[Any, np.dtype[np.float64]]
Columns = Mapping[Node, tuple[int, slice]]  # of which step a copy is, and where in the whole


class StepsApart:
    """Copies of the ways from each state of a layer to the next; the former are their leaves.

    Attributes
    ----------
    layer : Layer
    slices : dict of slice, by name
        Where the parts of the state stand in the whole.
    before : dict of int, by step
        The step that each goes on from, in the order of the walk.
    skipped : dict of int, by step
        Where a step also uses older states of this layer: the last of those.
    """

    def __init__(self, record: Record, recurrence: Recurrence, batch: bool) -> None:
        self.layer = recurrence.layer
        # h before c, as in PyTorch's (h, c)
        states = sorted(recurrence.states, key=lambda state: state.name != "h")
        self.chain = chain = Chain(record.places, states)
        self.numbers = {chain.label(i): i for i in range(chain.first + 1, chain.last + 1)}
        self.before = {t: chain.label(i - 1) for t, i in self.numbers.items()}
        if not self.before:
            names = ", ".join(state.name for state in states)
            whole = f" that has all of its state, {names}" if len(states) > 1 else ""
            raise ValueError(f"jacobians: there is no second time step of {self.layer}{whole}")
        self.batched = batch and chain.has_a_batch()
        sizes = [self._size(state) for state in states]
        ends = np.cumsum([0, *sizes]).tolist()
        self.slices = {s.name: slice(*ends[i : i + 2]) for i, s in enumerate(states)}
        self.columns = list(self.slices.values())
        self.skipped = self._skipped()
        self.held_before = {
            t: {held: part for part, held in chain.states[i - 1].items()}
            for t, i in self.numbers.items()
        }
        self.inside = {t: set(chain.made[i].values()) for t, i in self.numbers.items()}
        starts = [(place, t) for t, places in self.inside.items() for place in places]
        self.copies = replica(record, starts, self._follow)
        self.leaves = self._leaves()

    def _size(self, state: Series) -> int:
        """How many elements of a state one element of the batch has."""
        shapes = sorted({place.shape for place in state.places.values()})
        if len({shape[self.batched :] for shape in shapes}) > 1:
            raise ValueError(
                f"jacobians: {state.name} of {self.layer} has several shapes, "
                f"{', '.join(map(str, shapes[:2]))}: ∂{state.name}_t/∂{state.name}_{{t−1}} is no "
                "square matrix" + ("" if self.batched else "; sequences in a batch need batch=True")
            )
        size = math.prod(shapes[0][self.batched :])
        if not all(map(math.prod, shapes)):
            what = "no elements" if size == 0 else "an empty batch"
            raise ValueError(f"jacobians: the state of {self.layer} has {what}: shape {shapes[0]}")
        return size

    def _skipped(self) -> dict[int, int]:
        found = {}
        for t, i in self.numbers.items():
            latest = self.chain.skipped(i)
            if latest is not None and latest > i:
                raise ValueError(
                    f"jacobians: the state of {self.layer} at step {t} uses that of step "
                    f"{self.chain.label(latest)}, which the walk of the sequence reaches later: "
                    "its parts do not go the same way through time. Compute them in modules of "
                    "their own"
                )
            if self.chain.skips:  # the initial state may be used so as well: nothing tells it
                both = latest, self.chain.replaced(i)
                latest = max((at for at in both if at is not None), default=None)
            if latest is not None:
                found[t] = self.chain.label(latest)
        return found

    # -- cutting --

    def _follow(self, node: Node, t: Any, operand: int) -> Any:
        """Ways that lead to the state before the step are followed, and end there at a leaf.

        They may lead through anything but older states: through other modules, or no step at all.
        """
        before, inside = self.held_before[t], self.inside[t]
        held = self.chain.held(node, operand)
        if held in before:
            return Cut(node, operand, t)
        if held is not None:
            return t if held in inside else None
        reached = self.chain.reach[node.parents[operand]]
        return None if reached.isdisjoint(before) and reached.isdisjoint(inside) else t

    def _leaves(self) -> Columns:
        """Which part of the state before which step the leaves of the copies stand for."""
        leaves = {}
        for (_, mark), copy in self.copies.items():
            if isinstance(mark, Cut):
                t: Any = mark.mark
                held: Any = self.chain.held(mark.user, mark.operand)
                leaves[copy] = t, self.columns[self.held_before[t][held]]
        return leaves

    # -- measuring --

    def jacobians(self) -> dict[int, Floats]:
        """J_t by step: (n, n), or (batch, n, n).

        Raises
        ------
        ValueError
            If elements of the batch influence each other.
        """
        tops: list[dict[int, Node]] = [{} for _ in self.columns]
        for t, i in self.numbers.items():
            for part, place in self.chain.made[i].items():
                tops[part][t] = self.copies[place, t]
        if self.batched:
            self._refuse_influences([top for part in tops for top in part.values()])
        found = {t: np.zeros((self._rows(t), *[self.columns[-1].stop] * 2)) for t in self.numbers}
        for part, rows in enumerate(self.columns):
            measured = self._measured(tops[part], self.leaves) if tops[part] else {}
            for t, i in self.numbers.items():
                if t in measured:
                    found[t][:, rows] = measured[t]
                elif part in self.chain.states[i]:  # carried on
                    found[t][:, rows, rows] = np.eye(rows.stop - rows.start)
        return found if self.batched else {t: matrix[0] for t, matrix in found.items()}

    def bound(self) -> float | None:
        """‖W_hh‖₂ · γ, if h_t = σ(W_hh h_{t−1} + …) or h_t = W_hh σ(h_{t−1}) + …; else ``None``.

        The σ may also be on both sides, or missing.
        """
        if self.skipped or len(self.slices) > 1:
            return None
        tops = {t: self.copies[place, t] for t, (place,) in self.inside.items()}
        slope, ends = 1.0, self.leaves
        if all(map(_steepest, tops.values())):
            slope = max(map(_steepest, tops.values()))
            tops = {t: top.parents[0] for t, top in tops.items()}
        if not self._are_linear(tops, ends):
            ends = self._squashed()
            slope *= max(map(_steepest, ends), default=0.0)
            if len(ends) != len(tops) or not self._are_linear(tops, ends):
                return None
        weights = list(self._measured(tops, ends).values())
        if not all(np.isfinite(w).all() for w in weights):
            return None
        return slope * float(max(np.linalg.norm(w, 2, (1, 2)).max(initial=0) for w in weights))

    def _are_linear(self, tops: dict[int, Node], ends: Collection[Node]) -> bool:
        """Whether copies depend on the state before only by linear functions of those ends."""
        depends, linear = set(self.leaves), set(ends)
        for node in tape(tops.values()):
            ways = [i for i, parent in enumerate(node.parents) if parent in depends]
            if ways:
                depends.add(node)
                if linear.issuperset(node.parents[i] for i in ways) and is_linear(
                    node.primitive, ways
                ):
                    linear.add(node)
        return linear.issuperset(depends.intersection(tops.values()))

    def _squashed(self) -> Columns:
        """What is made of the state before by an activation at once, instead of that state."""
        return {
            user: self.leaves[leaf]
            for user in self.copies.values()
            for leaf in user.parents[:1]
            if leaf in self.leaves and _steepest(user)
        }

    def _measured(self, tops: dict[int, Node], ends: Columns) -> dict[int, Floats]:
        """By step, the derivative of a copy by those ends: (batch, features, n)."""
        rows = []
        for unit in range(max(math.prod(top.shape[self.batched :]) for top in tops.values())):
            cotangents = {top: np.zeros(top.shape) for top in tops.values()}
            for g in cotangents.values():
                self._flat(g)[:, unit] = 1
            found = {t: np.zeros((self._rows(t), self.columns[-1].stop)) for t in tops}
            for end, g in _walked(cotangents, ends).items():
                t, columns = ends[end]
                found[t][:, columns] += self._flat(g)[: len(found[t])]
            rows.append(found)
        return {t: np.stack([found[t] for found in rows], axis=1) for t in tops}

    def _refuse_influences(self, tops: Collection[Node]) -> None:
        """See that what is sent to some of the batch comes to none of the others.

        Any two of its elements have numbers of which a bit differs, so it is parted by each bit.
        """
        size = max(len(self._flat(np.empty(at.shape))) for at in (*tops, *self.leaves))
        rng = np.random.default_rng(0)  # what is sent must not cancel
        for bit in range((size - 1).bit_length()):
            for side in (0, 1):
                others = (np.arange(size) >> bit & 1) != side
                cotangents = {top: rng.uniform(1, 2, top.shape) for top in tops}
                for g in cotangents.values():
                    g[others[: len(g)]] = 0
                for g in _walked(cotangents, self.leaves).values():
                    strange = g[others[: len(g)]]
                    if (np.isfinite(strange) & (strange != 0)).any():  # 0 · ∞ is NaN
                        raise ValueError(
                            f"jacobians: the state of {self.layer} has shape {g.shape}, and what "
                            "stands along its first axis influences each other: it is no batch. "
                            "Pass batch=False"
                        )

    def _rows(self, t: int) -> int:
        """The size of the batch: of packed sequences those that are in the step before as well."""
        if not self.batched:
            return 1
        held = {*self.held_before[t], *self.inside[t]}
        return min(place.shape[0] for place in held if isinstance(place, Node))

    def _flat(self, array: Floats) -> Floats:
        return array.reshape(len(array) if self.batched else 1, -1)


def _walked(cotangents: dict[Node, Floats], ends: Collection[Node]) -> dict[Node, Floats]:
    with np.errstate(all="ignore"):
        return walk(cotangents, wanted=ends, retain_graph=True)


def _steepest(node: Node) -> float:
    """The largest slope of an activation; 0 for any other operation."""
    slope = traits_of(node.primitive).steepest
    return slope(**node.params) if callable(slope) else slope
