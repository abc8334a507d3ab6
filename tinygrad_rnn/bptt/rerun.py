"""A recorded graph, computed again with other leaves: what if this weight had been another?

The graph has all that this takes: each node its operation, with the parameters it was applied
with, and what its rules asked for.  So the operations' own forwards run, in the order in which they
ran, and the engine's own walk follows.  What the graph does not know stays as it was: masks of
dropout, places that `max` has chosen, branches of the program, what was detached.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from tinygrad_rnn.bptt.record import Record, Seen, expect_record
from tinygrad_rnn.bptt.told import Index, exchanged, indices
from tinygrad_rnn.engine.errors import silently_among_users
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.engine.traversal import walk
from tinygrad_rnn.reading.given import is_inline
from tinygrad_rnn.reading.names import distinct_names, names
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.writing.text import clean

Array = np.ndarray[Any, Any]


def again(record: Record, values: Mapping[Tensor | Node | str, Any]) -> Record:
    """The walk that there would have been, had some leaves had other values.

    Nothing of the program changes: no tensor, no ``.grad``.  Hooks that a gradient passes are
    called again.  What the graph has not recorded stays as it was: masks of dropout, chosen places,
    branches, what was detached.

    Parameters
    ----------
    record : Record
    values : dict
        New values by leaf: a weight, an input or an initial state, or its name in pictures. Each
        has the leaf's shape, and becomes of its type. Integers that operations were told have names
        as well: "target" the classes of a loss, "index" rows that were looked up, as far as they
        may be changed; of several the second is "target (2)".

    Returns
    -------
    Record
        Of the same places, in copies.

    Raises
    ------
    KeyError
        If there is no leaf of that name, or there are several.
    ValueError
        If a value has another shape; if a leaf cannot be changed, because something that depends
        on it cannot be computed again: a custom `Function`, or what needs a large constant of which
        only the shape was kept (see `keep_values`); or it holds no real numbers.
    RuntimeError
        If an array of the graph has been changed in place since.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor(0.2, requires_grad=True).named("w")
    >>> walk = tg.bptt.record(w * w)
    >>> other = again(walk, {"w": 0.5})
    >>> float(other.value(other.root)), other.visits[0].contributions
    (0.25, (array(0.5, dtype=float32), array(0.5, dtype=float32)))
    >>> w.grad
    tensor(0.4000)
    """
    expect_record(record, "again")
    rerun = Rerun(record)
    told: dict[Index, Any] = {}
    leaves: dict[Node, Any] = {}
    for of, value in values.items():
        index = rerun.told.get(of) if isinstance(of, str) else None
        if index is not None:
            told[index] = value
        elif not rerun.is_left(leaf := rerun.meant(of), value):
            leaves[rerun.changeable(leaf)] = value
    return rerun(leaves, told)


class Rerun:
    """What computes a recorded graph again, as often as one likes.

    Attributes
    ----------
    record : Record
        The walk that was recorded; it stays as it is.
    leaves : list of Node
        The leaves that may be changed, oldest first.
    """

    def __init__(self, record: Record) -> None:
        if not record.visits:
            raise ValueError("again: nothing was walked; record the backward by bptt.record(loss)")
        self.record = record
        self._saved = {place: record.saved(place) for place in record.places}
        self._known = {place: _operand(record, place) for place in record.places}
        stuck = self._stuck()
        self.leaves = [at for at in record.places if self._holds_numbers(at) and at not in stuck]

    def __call__(
        self, values: Mapping[Node, Any], told: Mapping[Index, Any] = MappingProxyType({})
    ) -> Record:
        """The walk with other values of some leaves, and of integers that operations were told."""
        known = dict(self._known)
        params = self._params(told)
        for leaf, value in values.items():
            known[leaf] = self._fitting(leaf, value)
        copies: dict[Node, Node] = {}
        changed = {*values, *params}
        for place in self.record.places:
            new = copies[place] = _copy(place, copies)
            if place.is_leaf:
                new.value = known[place] if place in changed else place.value
            elif changed.isdisjoint((place, *place.parents)):
                new.saved = self._saved[place]
            else:
                changed.add(place)
                new.params = params.get(place, place.params)
                known[place] = self._compute(place, new, known)
        return self._walk(copies)

    def _params(self, told: Mapping[Index, Any]) -> dict[Node, Any]:
        """The parameters of the operations that are told otherwise."""
        new: dict[Node, Any] = {}
        for index, value in told.items():
            given = np.array(getattr(value, "array", value))
            if given.shape != index.numbers.shape or given.dtype.kind not in "iu":
                raise ValueError(
                    f"again: {index.name} has integers of shape {index.numbers.shape}, but its new "
                    f"value has {given.dtype} of {given.shape}"
                )
            own = {id(index.numbers): given.astype(index.numbers.dtype)}
            new[index.node] = exchanged(new.get(index.node, index.node.params), own)
        return new

    def _compute(self, place: Node, new: Node, known: Mapping[Node, Any]) -> Array:
        """Run an operation again; its place keeps what it kept when it ran before."""
        operands = [known[parent] for parent in place.parents]
        output: Array = place.primitive.compute(operands, new.params)
        kept = zip((*operands, output), self.record.kept(place))
        new.saved = tuple([array if wanted else None for array, wanted in kept])
        new.value = None if place.value is None else output
        return output

    def _walk(self, copies: Mapping[Node, Node]) -> Record:
        """Walk back through the copies, from the gradient that the walk began with."""
        record, seen = self.record, Seen()
        root = copies[record.root]
        if root.notes is not None:
            root.notes.hooks = None  # what the walk began with has been through them
        start = {root: np.array(record.visits[0].cotangent)}
        silently_among_users(walk, start, retain_graph=True, observer=seen)
        called = {copies[place]: name for place, name in record.called.items() if place in copies}
        found = seen.record(root, "given", called)
        found.steps_from, found.turn = record.steps_from, record.turn
        found.before = {copies[place]: held for place, held in record.before.items()}
        return found

    # -- which leaves ------------------------------------------------------------------------

    def leaf(self, of: Tensor | Node | str) -> Node:
        """The leaf that is meant and may be changed; see `again` for errors."""
        return self.changeable(self.meant(of))

    def meant(self, of: Tensor | Node | str) -> Node:
        """A tensor's leaf, or the one of a name."""
        if isinstance(of, str):
            return self._named(of)
        place = self.record.place_of(of, "again")
        if place not in self._known:
            raise KeyError("again: this tensor is no leaf of the recorded graph")
        assert place is not None
        return place

    def is_left(self, leaf: Node, value: Any) -> bool:
        """Whether a leaf that cannot be changed is given what it holds, to 15 digits."""
        known, given = self._known[leaf], np.asarray(getattr(value, "array", value))
        if leaf in self.leaves or known is None or np.shape(known) != given.shape:
            return False
        return np.allclose(known, given, rtol=1e-15, atol=0, equal_nan=True)

    def _named(self, name: str) -> Node:
        found = [leaf for leaf, called in self.names.items() if called == name]
        if len(found) != 1:
            found = [at for at, called in self._distinct.items() if called == name and at.is_leaf]
        if len(found) != 1:
            there = ", ".join(clean(other) for other in self.names.values())
            alike = sum(called == name for called in self.names.values())
            many = "no leaf" if not alike else "more than one leaf"
            raise KeyError(f"again: there is {many} called {name!r}; there are: {there}")
        return found[0]

    @cached_property
    def told(self) -> dict[str, Index]:
        """Integers that operations were told, by name."""
        found = indices(self.record.places, self._distinct.values())
        return {index.name: index for each in found.values() for index in each}

    @cached_property
    def _called(self) -> Any:
        return names(self.record.places, self.record.called)

    @cached_property
    def _distinct(self) -> dict[Node, str]:
        return distinct_names(self.record.places, self._called)

    @cached_property
    def names(self) -> dict[Node, str]:
        """What pictures call the leaves."""
        called = self._called
        return {at: called[at] for at in self.record.places if at.is_leaf and not is_inline(at)}

    def changeable(self, place: Node) -> Node:
        """The place itself, if it may be changed."""
        if place not in self.leaves:
            why = (
                "it is not a leaf" if not place.is_leaf
                else "it holds no real numbers that were kept" if not self._holds_numbers(place)
                else "something that depends on it cannot be computed again: a Function, or what "
                "takes a large constant of which only the shape was kept (see keep_values)"
            )  # fmt: skip
            raise ValueError(f"again: {self.names.get(place, 'a place')} cannot be changed: {why}")
        return place

    def _fitting(self, leaf: Node, value: Any) -> Array:
        """A new value as the leaf's own: of its shape and type."""
        self.changeable(leaf)
        old = np.asarray(self._known[leaf])
        new = np.array(getattr(value, "array", value), old.dtype)
        if new.shape != old.shape:
            raise ValueError(
                f"again: {self.names.get(leaf, 'the leaf')} has shape {old.shape}, but its new "
                f"value has {new.shape}"
            )
        return new

    def _holds_numbers(self, place: Node) -> bool:
        value = self._known[place] if place.is_leaf and not is_inline(place) else None
        return value is not None and np.asarray(value).dtype.kind == "f" and np.size(value) > 0

    def _stuck(self) -> set[Node]:
        """The places on which something depends that cannot be computed again."""
        stuck: set[Node] = set()
        for place in reversed(self.record.places):  # users before what they use
            if not place.is_leaf and (place in stuck or not self._can_compute(place)):
                stuck |= {place, *place.parents}
        return stuck

    def _can_compute(self, place: Node) -> bool:
        known: Iterable[Any] = (self._known[parent] for parent in place.parents)
        return isinstance(place.primitive, Primitive) and all(x is not None for x in known)


def _operand(record: Record, place: Node) -> Any:
    """A place's value as operations were given it: a number of the program is no array."""
    plain = place.is_leaf and place.value is not None and not isinstance(place.value, np.ndarray)
    return place.value if plain else record.value(place)


def _copy(place: Node, copies: Mapping[Node, Node]) -> Node:
    """A place that has its own name and hooks, but keeps no gradient and tells nobody of it."""
    new = copy.copy(place)
    new.parents = tuple([copies[parent] for parent in place.parents])
    if place.notes is not None:
        new.notes = replace(place.notes, grad=None, retain=False, after=None)
    return new
