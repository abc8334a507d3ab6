"""What a forward pass leaves behind: nodes, leaves, and the mode it ran in.

A node points to the nodes its inputs came from, never the other way round: no cycles, so a
graph is freed with the last tensor that needs it.  Nodes are numbered as they are made, and
an operation can only use what exists already: the numbering is a topological order.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, Union

import numpy as np

from tinygrad_rnn.versions import tick

if TYPE_CHECKING:
    from tinygrad_rnn.engine.primitive import Primitive

Array: TypeAlias = "np.ndarray[Any, Any]"
Place: TypeAlias = "Union[Node, Leaf]"

SMALL = 16  # an output of at most so many elements stays on the tape: what a picture prints


class Tag(NamedTuple):
    """Where and when in a recurrent net a node was made; arithmetic never reads it."""

    scope: str = ""
    step: int | None = None


@dataclass(frozen=True, slots=True)
class Mode:
    """What a forward runs under.  Immutable: contexts swap the thread's whole mode."""

    recording: bool = True
    keep: float = SMALL
    tag: Tag = Tag()


class _Here(threading.local):
    mode = Mode()


here = _Here()


@contextmanager
def set_mode(**changes: Any) -> Iterator[None]:
    """Run a block with parts of the thread's mode replaced; afterwards the old one returns."""
    old = here.mode
    here.mode = replace(old, **changes)
    try:
        yield
    finally:
        here.mode = old


class Variable:
    """An array and its place in the graph (``None`` until a constant is used)."""

    __slots__ = ("array", "node")
    array: Array
    node: Place | None


class Node:
    """One application of one primitive: what its backward, or a picture, needs of it.

    ``saved`` holds the inputs' arrays and, last, the output's, with ``None`` for each that no
    rule asked for; all of it is ``None`` once a walk has freed it.  ``value`` is the output
    if it is small.
    """

    __slots__ = (
        "notes", "order", "params", "parents", "primitive", "saved", "shape", "tag", "value",
    )  # fmt: skip
    requires_grad = True
    notes: Notes | None

    def __init__(
        self, primitive: Primitive, parents: Any, saved: Any, params: Any, mode: Mode, output: Array
    ) -> None:
        self.primitive = primitive
        self.parents: tuple[Place, ...] = parents
        self.saved: tuple[Any, ...] | None = saved
        self.params: dict[str, Any] = params
        self.order = tick()
        self.tag = mode.tag
        self.shape: tuple[int, ...] = output.shape
        self.value = output if output.size <= mode.keep else None
        self.notes = None


class Leaf:
    """Where the graph ends: a tensor that no recorded operation made, or a written number.

    ``grad`` is where a walk leaves what it brings; a large constant keeps only its shape.
    """

    __slots__ = ("grad", "notes", "order", "requires_grad", "shape", "tag", "value")
    primitive = None
    parents: tuple[Place, ...] = ()
    saved = params = None
    notes: Notes | None

    def __init__(self, value: Any, requires_grad: bool) -> None:
        self.order, self.tag = tick(), here.mode.tag
        self.shape = np.shape(value)
        self.value = value if requires_grad or np.size(value) <= here.mode.keep else None
        self.requires_grad = requires_grad
        self.grad: Any = None
        self.notes = None


@dataclass
class Notes:
    """What is attached to a place: a name and role for pictures, gradient hooks, the wish to
    keep the gradient."""

    name: str | None = None
    role: str | None = None
    hooks: dict[int, Callable[[Any], Any]] = field(default_factory=dict)
    retain: bool = False
    grad: Any = None


def place(variable: Variable) -> Place:
    """The variable's place in the graph; a constant gets its leaf when first asked."""
    if variable.node is None:
        variable.node = Leaf(variable.array, False)
    return variable.node


def tape(roots: Iterable[Place]) -> list[Place]:
    """Every node and leaf the roots depend on, oldest first."""
    stack = list(roots)
    seen = set(stack)
    while stack:
        for parent in stack.pop().parents:
            if parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return sorted(seen, key=attrgetter("order"))
