"""What a forward pass leaves behind: nodes and leaves.

A node points to where its inputs came from, never back: no cycles, so a graph is freed with
the last tensor that needs it.  Places are numbered as they are made: a topological order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, ClassVar, TypeAlias

import numpy as np

from tinygrad_rnn.modes import Mode, here
from tinygrad_rnn.versions import tick

Array: TypeAlias = "np.ndarray[Any, Any]"
Place: TypeAlias = "Node | Leaf"


class Variable:
    """An array and its place in the graph (``None`` until a constant is used)."""

    __slots__ = ("array", "node")
    make: ClassVar[Callable[[Any, Any], Any]]  # (array, node) -> the tensor users get; set there
    array: Array
    node: Place | None


@dataclass(slots=True)
class Notes:
    """What a user attached to a place: name and role for pictures, gradient hooks, `retain`."""

    name: str | None = None
    role: str | None = None
    hooks: dict[int, Callable[[Any], Any]] = field(default_factory=dict)
    retain: bool = False
    grad: Any = None


class Node:
    """One application of one primitive: what its backward, or a picture, needs of it.

    ``saved``: the inputs' arrays and, last, the output's; ``None`` for each that no rule asked
    for, and for the whole once a walk has freed it.  ``value``: the output, if small.
    """

    __slots__ = (
        "notes", "order", "params", "parents", "primitive", "saved", "shape", "tag", "value"
    )  # fmt: skip
    requires_grad = True
    notes: Notes | None

    def __init__(
        self, primitive: Any, parents: Any, saved: Any, params: Any, mode: Mode, output: Array
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
    """Where the graph ends: a tensor that no recorded operation made, or a number as written.

    ``grad`` accumulates gradients; a large constant keeps only its shape.
    """

    __slots__ = ("grad", "notes", "order", "requires_grad", "shape", "tag", "value")
    primitive = saved = params = None
    parents: tuple[Place, ...] = ()
    notes: Notes | None

    def __init__(self, value: Any, requires_grad: bool) -> None:
        self.shape: tuple[int, ...] = np.shape(value)
        self.value = value if requires_grad or np.size(value) <= here.mode.keep else None
        self.requires_grad, self.grad, self.notes = requires_grad, None, None
        self.order, self.tag = tick(), here.mode.tag


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
        fresh = [parent for parent in stack.pop().parents if parent not in seen]
        seen.update(fresh)
        stack.extend(fresh)
    return sorted(seen, key=attrgetter("order"))
