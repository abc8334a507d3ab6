"""What a forward pass leaves behind: nodes and leaves.

A node points to where its inputs came from, never back: no cycles, so a graph is freed with
the last tensor that needs it.  Places are numbered as they are made: a topological order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.engine.memory import current, tick
from tinygrad_rnn.engine.mode import Mode, Tag, here
from tinygrad_rnn.engine.notes import Notes

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


class Variable:
    """An array and its place in the graph (``None`` until a constant is used)."""

    __slots__ = ("array", "node")
    array: np.ndarray[tuple[int, ...], np.dtype[Any]]
    node: Node | None


make_tensor: Callable[[Any, Node | None], Tensor]
"""(array, node) -> the tensor that users get; `tinygrad_rnn.tensor` sets it."""


class Node:
    """A place in the graph: one application of one primitive, or a leaf (``primitive`` is None).

    ``saved``: arrays of the inputs and, last, the output; ``None`` where no rule asked for one, and
    for the whole once a walk has freed it.  ``value``: the output, if small.
    """

    # One class for both, because CPython reads slots much faster where it meets one class only.
    __slots__ = (
        "notes", "order", "params", "parents", "primitive", "requires_grad", "saved", "shape",
        "tag", "value",
    )  # fmt: skip
    primitive: Any
    parents: tuple[Node, ...]
    saved: tuple[Any, ...] | None
    params: dict[str, Any]
    order: float  # whole, but of what was unfolded later
    tag: Tag
    shape: tuple[int, ...]
    value: Any
    requires_grad: bool
    notes: Notes | None

    @property
    def is_leaf(self) -> bool:
        """Whether the graph ends here: no recorded operation made this."""
        return self.primitive is None

    def name(self) -> str:
        """PyTorch's name of it: ``TanhBackward0``, or ``AccumulateGrad`` for a leaf."""
        if self.notes is not None and self.notes.made_by:
            return str(self.notes.made_by)
        called = getattr(getattr(self.primitive, "traits", None), "node", "")
        if called:
            return str(called(self) if callable(called) else called)
        words = "accumulate_grad" if self.is_leaf else f"{self.primitive.name}_backward0"
        return "".join(word[:1].upper() + word[1:] for word in words.split("_"))

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"

    @property
    def next_functions(self) -> tuple[tuple[Node | Any, int], ...]:
        """Where the cotangent goes next, as PyTorch lists it; ``None`` stands for a constant."""
        return tuple((parent if parent.requires_grad else None, 0) for parent in self.parents)


def node(primitive: Any, parents: Any, saved: Any, params: Any, mode: Mode, output: Any) -> Node:
    """A new node (by a function, which takes less time than a constructor does)."""
    new = Node()
    new.primitive, new.parents = primitive, parents
    new.saved, new.params = saved, params
    new.order, new.tag, new.shape = tick(), mode.tag, output.shape
    view = primitive is not None and primitive.view  # of what may be changed in place
    new.value = None if output.size > mode.keep else output.copy() if view else output
    new.requires_grad, new.notes = True, None
    return new


def leaf(value: Any, requires_grad: bool) -> Node:
    """The place of a tensor that no operation made, or of a number as it was written."""
    new = node(None, (), (), {}, here.mode, np.asarray(value))
    new.requires_grad = requires_grad
    if requires_grad or not isinstance(value, np.ndarray):
        new.value = value  # of a large constant only the shape is kept
    return new


def place(variable: Variable) -> Node:
    """The variable's place in the graph; a constant gets its leaf when first asked."""
    at = current(variable)
    if at is None:
        variable.node = at = leaf(variable.array, False)
    return at


folded: tuple[type, ...] = ()
"""Primitives whose nodes stand for graphs; ``unfold(node, places)`` puts these in their place."""


def tape(roots: Iterable[Node], literal: bool = True) -> list[Node]:
    """Every node and leaf the roots depend on, oldest first; ``literal``: with all unfolded."""
    roots = list(roots)
    stack, seen = roots[:], set(roots)
    while stack:
        fresh = [parent for parent in stack.pop().parents if parent not in seen]
        seen.update(fresh)
        stack.extend(fresh)
    places = sorted(seen, key=attrgetter("order"))
    folds = [at for at in places if literal and isinstance(at.primitive, folded)]
    for at in folds:
        at.primitive.unfold(at, places)
    return tape(roots) if folds else places
