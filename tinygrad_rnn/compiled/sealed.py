"""A graph in one node, which unfolds when somebody looks.

Inside is what was computed quickly; beside it, how the same is recorded operation by operation.
Walks that nobody watches go through the inside.  Whoever looks at the graph (a record, a picture, a
second derivative) finds the literal one in its place, with the places in time it would have had.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from tinygrad_rnn.autograd.application import Bare, Cotangents, output_place
from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.errors import changed_in_place, freed
from tinygrad_rnn.engine.graph import Node, node, place, tape
from tinygrad_rnn.engine.memory import changed_since, tick, version
from tinygrad_rnn.engine.mode import Mode, here
from tinygrad_rnn.engine.traversal import walk
from tinygrad_rnn.operations import clone
from tinygrad_rnn.tensor import Tensor, wrap
from tinygrad_rnn.tensor.generator import default_generator

Compute = Callable[..., Sequence[Tensor]]


class WayBack(Protocol):
    """What knows the way from the outputs' cotangents to those of what was given."""

    def pull(self, gs: Sequence[Any]) -> Sequence[Any]:
        """What each of what was given receives; None if nothing."""


Quick = Callable[[Sequence[Tensor]], tuple[Sequence[Any], WayBack]]
"""From what is given to arrays, and the way back."""


class Several:
    """What the node of several outputs tells those who hand on their cotangents."""

    def __init__(self, outputs: Sequence[Any]) -> None:
        self._live = range(len(outputs))
        self._outputs = [(array.shape, array.dtype) for array in outputs]


def cotangents(g: Any) -> list[Any]:
    """What came to each of several outputs, or to the only one."""
    return g.gs if isinstance(g, Cotangents) else [g]


class Inside:
    """A graph in a node: what it was given, as leaves, and what it made."""

    def __init__(self, leaves: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        self.leaves, self.outputs = leaves, outputs

    def pull(self, gs: Sequence[Any]) -> list[Any]:
        """What each of the leaves receives: the walk goes through the inside."""
        roots: dict[Node, Any] = {}
        for x, g in zip(self.outputs, gs, strict=True):
            if g is not None and x.requires_grad:
                at = place(x)
                roots[at] = roots[at] + g if at in roots else g
        wanted = {place(x) for x in self.leaves if x.requires_grad}
        arrived = walk(roots, wanted=wanted, retain_graph=True)
        return [arrived.get(x.node) if x.node is not None else None for x in self.leaves]


def through_tensors(compute: Compute) -> Quick:
    """A quick way that is itself made of operations on tensors."""

    def quick(given: Sequence[Tensor]) -> tuple[list[Any], Inside]:
        mode = here.mode
        leaves = [_inner(x) for x in given] if mode.recording else given
        here.mode = Mode(mode.recording, 0, mode.tag)
        try:
            outputs = list(compute(*leaves))
        finally:
            here.mode = mode
        return [x.array for x in outputs], Inside(leaves, outputs)

    return quick


def _inner(x: Tensor) -> Tensor:
    inner = wrap(x.array, None)
    return inner.requires_grad_() if x.requires_grad else inner


class Quickly(Bare):
    """The primitive of a node that holds a way back: its joint rule goes it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.joint = self

    def outputs(
        self, given: Sequence[Tensor], arrays: Sequence[Any], back: WayBack, **params: Any
    ) -> list[Tensor]:
        """What was made of what is given, as tensors of a node of this primitive."""
        parents, saved = tuple([place(x) for x in given]), (*[x.array for x in given], back)
        at = node(self, parents, saved, {"ctx": Several(arrays), **params}, here.mode, arrays[0])
        return [wrap(array, output_place(at, i, array)) for i, array in enumerate(arrays)]

    def pull(self, g: Any, at: Any) -> list[Any]:
        """What each operand receives."""
        *arrays, back = at.saved
        return [
            np.zeros_like(array) if c is None and parent.requires_grad else c
            for c, array, parent in zip(back.pull(cotangents(g)), arrays, at.parents, strict=True)
        ]


class Sealed(Quickly):
    """The primitive of such a node that can be opened."""

    def unfold(self, at: Node, places: Sequence[Node]) -> None:
        """Put the literal graph into the place of a node and of its outputs."""
        if at.saved is None:
            raise freed(at)
        arrays = at.saved[:-1]
        for array in arrays:
            if changed_since(array, at.order):
                raise changed_in_place(at, array.shape, version(array))
        outer, drawn = here.mode, at.params["drawn"]
        state = None if drawn is None else default_generator.get_state()
        here.mode, start = at.params["mode"], tick()
        try:
            if drawn is not None:
                default_generator.set_state(drawn)
            given = [wrap(array, parent) for array, parent in zip(arrays, at.parents)]
            outputs = _with_places_of_their_own(at.params["literal"](*given), start)
        finally:
            here.mode = outer
            if state is not None:
                default_generator.set_state(state)
        made = [n for n in tape(map(place, outputs), literal=False) if n.order > start]
        for i, each in enumerate(made):  # between the operands and what has been made since
            each.order = at.order - 1 + (i + 1) / (len(made) + 1)
        uses = [use for use in places if use.parents[:1] == (at,)]
        known = {place(outputs[use.primitive.number]): use for use in uses}
        known = {place(outputs[0]): at} if len(outputs) == 1 else known
        for literal, own in known.items():
            _become(own, literal)
        for each in (*made, *known.values()):
            each.parents = tuple([known.get(parent, parent) for parent in each.parents])


graph.folded = (Sealed,)


def _with_places_of_their_own(outputs: Sequence[Tensor], start: float) -> list[Tensor]:
    """The outputs, of which one may be an operand as it came, or another output."""
    own: dict[Node, Tensor] = {}
    for x in outputs:
        x = clone(x) if place(x).order <= start or place(x) in own else x
        own[place(x)] = x
    return list(own.values())


def _become(at: Node, literal: Node) -> None:
    """Make a place that others know the place of a literal result."""
    at.order = literal.order
    at.primitive, at.parents, at.params = literal.primitive, literal.parents, literal.params
    at.saved, at.tag, at.value = literal.saved, literal.tag, literal.value
    if at.notes is None:
        at.notes = literal.notes
    elif literal.notes is not None:
        at.notes.name = at.notes.name or literal.notes.name
        at.notes.role = at.notes.role or literal.notes.role


def sealed(
    name: str, literal: Compute, quick: Quick, given: Sequence[Tensor], draws: bool = False
) -> list[Tensor]:
    """Compute something the quick way, in one node that unfolds into the literal way.

    Parameters
    ----------
    name : str
        What the node is called.
    literal : function of tensors
        How the outputs are computed operation by operation.
    quick : function
        From the tensors to the same outputs as arrays, and the way back.
    given : sequence of Tensor
        What both are given.
    draws : bool
        Whether random numbers are drawn, in both ways the same.

    Returns
    -------
    list of Tensor
    """
    mode, drawn = here.mode, default_generator.get_state() if draws else None
    arrays, back = quick(given)
    if not mode.recording or not any(x.requires_grad for x in given):
        return [wrap(array, None) for array in arrays]
    primitive = Sealed(name)
    return primitive.outputs(given, arrays, back, mode=mode, drawn=drawn, literal=literal)
