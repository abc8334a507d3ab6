"""Which operation is wrong: each one checked alone, in the order in which it ran.

The graphs of the two libraries cannot be laid side by side: PyTorch's nodes are others, and fewer
or more. So nothing is paired. Each of our nodes has recorded what went into it and what came out;
PyTorch's operation of the same name, its *twin*, is given the very same inputs and, walking back,
the very same cotangent. The first node whose answer is another one is the guilty one: what comes
after it is checked from our own values, and so does not inherit the mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_rnn.bptt import Visit
from tinygrad_rnn.engine.errors import origin
from tinygrad_rnn.engine.graph import Node, tape
from tinygrad_rnn.engine.memory import current
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.operations.traits import twin_of
from tinygrad_rnn.tensor import Tensor, run_walk, wrap
from tinygrad_rnn.testing.pairs import Pair, Tolerance, gaps, paired, written
from tinygrad_rnn.testing.runs import OURS, Run, array_of, run

Array = np.ndarray[Any, Any]
_DIFFERENCES = Tolerance(1e-4, 1e-6)  # what central differences are good for


@dataclass(frozen=True, eq=False)
class Divergence:
    """One operation that differs from its reference on the same inputs.

    Attributes
    ----------
    direction : str
        "forward", "backward" or "second order".
    node : Node
        The operation as recorded; ``node.tag`` says where in a net and when.
    number : int
        Which of the operations it is, in the order of the tape or of the walk, from 1.
    what : str
        What differs: "output", or "what x receives".
    ours, theirs : arrays
    reference : str
        "PyTorch", or "central differences" for an operation that PyTorch does not have.
    """

    direction: str
    node: Node
    number: int
    what: str
    ours: Array
    theirs: Array
    reference: str

    @property
    def operation(self) -> str:
        """The name of the primitive."""
        return str(self.node.primitive.name)

    def __str__(self) -> str:
        count = "visit" if self.direction == "backward" else "operation"
        text = (
            f"{self.direction}: the first operation that differs is {origin(self.node)} "
            f"({count} {self.number}), on the same inputs. {self.what[:1].upper()}{self.what[1:]}: "
            f"{written(self.ours)}, {self.reference} {written(self.theirs)}"
        )
        if self.ours.shape != self.theirs.shape or self.ours.size <= 12:
            return text
        at = np.unravel_index(np.argmax(gaps(self.ours, self.theirs)), self.ours.shape)
        where = tuple(int(i) for i in at)
        return f"{text}; most at {where}: {self.ours[at]:.8g}, {self.theirs[at]:.8g}"


def walked(outputs: Sequence[Tensor], cotangents: Sequence[Tensor | None]) -> list[Visit]:
    """The backward walk from tensors as data; no `grad` is touched, and the graph is kept."""
    visits: list[Visit] = []

    def observe(place: Node, g: Any, sent: list[Any]) -> None:
        if not place.is_leaf:
            visits.append(Visit(len(visits) + 1, place, np.asarray(g), sent))

    run_walk(list(outputs), list(cotangents), True, False, observer=observe)
    return visits


def operations(outputs: Iterable[Any]) -> list[Node]:
    """The operations that tensors were made by, oldest first."""
    roots = [at for y in outputs if isinstance(y, Tensor) and (at := current(y)) is not None]
    return [place for place in tape(roots) if not place.is_leaf]


# -- one operation alone -------------------------------------------------------------------------


class Unchecked(Exception):
    """An operation has no reference: its class is the user's, or its inputs were not kept."""


class Reference:
    """What one operation should have made of its recorded inputs, by its twin in PyTorch.

    Without PyTorch, or a twin, it is what central differences of the operation's own forward say.
    """

    def __init__(self, torch: Any, node: Node) -> None:
        self.torch, self.node = torch, node
        self.values = [parent.value for parent in node.parents]
        self.compute = twin_of(node.primitive) if torch else None
        known = self.compute is not None or isinstance(node.primitive, Primitive)
        if not known or any(value is None for value in self.values):
            raise Unchecked

    @property
    def name(self) -> str:
        """Who says so."""
        return "PyTorch" if self.compute else "central differences"

    def _operands(self) -> list[Any]:
        """The inputs as PyTorch's tensors; a number is of the type of the arrays beside it."""
        arrays = [x for x in self.values if isinstance(x, np.ndarray) and x.dtype.kind == "f"]
        beside = arrays[0].dtype if arrays else None
        made = []
        for parent, x in zip(self.node.parents, self.values, strict=True):
            array = np.array(x) if isinstance(x, np.ndarray) else np.array(x, beside)
            made.append(self.torch.from_numpy(array).requires_grad_(parent.requires_grad))
        return made

    def output(self) -> Array:
        """The forward's result."""
        if self.compute is None:
            raise Unchecked
        y = self.compute(self.torch, *self._operands(), **self.node.params)
        return np.asarray(array_of(y))

    def contributions(self, g: Array) -> list[Array | None]:
        """What each operand receives from the cotangent ``g``."""
        if self.compute is None:
            return self._differences(g)
        xs = self._operands()
        y = self.compute(self.torch, *xs, **self.node.params)
        wanted = [x for x in xs if x.requires_grad]
        back = self.torch.from_numpy(np.array(g)).to(y.dtype)
        gs = [self.torch.zeros_like(x) for x in wanted]
        if y.requires_grad:
            gs = self.torch.autograd.grad(y, wanted, back, materialize_grads=True)
        found = iter(gs)
        return [array_of(next(found)) if x.requires_grad else None for x in xs]

    def _differences(self, g: Array, eps: float = 1e-6) -> list[Array | None]:
        """Σ g ⊙ (f(x + ε) − f(x − ε)) / 2ε for each element of each operand, in float64."""
        values = [
            np.array(x, np.float64) if np.asarray(x).dtype.kind == "f" else x for x in self.values
        ]
        found: list[Array | None] = []
        for parent, x in zip(self.node.parents, values, strict=True):
            if not parent.requires_grad:
                found.append(None)
                continue
            slopes = np.zeros(x.shape)
            for i in np.ndindex(x.shape):
                kept, ends = x[i], []
                for x[i] in (kept + eps, kept - eps):
                    with np.errstate(all="ignore"):
                        y = self.node.primitive.forward(*values, **self.node.params)
                    ends.append(np.array(y))  # it may be a view of x
                x[i] = kept
                slopes[i] = np.sum(g * (ends[0] - ends[1])) / (2 * eps)
            found.append(slopes)
        return found


def wrong_output(torch: Any, node: Node, tolerance: Tolerance) -> Pair | None:
    """The node's value beside its reference, if they differ."""
    if node.value is None:
        raise Unchecked
    value = np.asarray(node.value)
    found = paired("output", value, Reference(torch, node).output(), tolerance)
    return None if found.ok else found


def wrong_contribution(torch: Any, visit: Visit, tolerance: Tolerance) -> Pair | None:
    """The first contribution of a visit that differs from its reference."""
    reference = Reference(torch, visit.node)
    limits = tolerance if reference.compute else _DIFFERENCES
    theirs = reference.contributions(visit.cotangent)
    names = operand_names(visit.node)
    for name, c, expected in zip(names, visit.contributions, theirs, strict=True):
        if c is not None and expected is not None:
            what = f"what {name} receives"
            found = paired(what, np.asarray(c), expected.astype(c.dtype), limits)
            if not found.ok:
                return found
    return None


def wrong_second_order(torch: Any, node: Node, tolerance: Tolerance) -> Pair | None:
    """The node's primitive beside its twin, both differentiated twice at the recorded inputs."""
    reference = Reference(torch, node)
    compute = reference.compute
    if compute is None:
        raise Unchecked
    inputs = [
        wrap(np.array(v), None).requires_grad_(p.requires_grad) if isinstance(v, np.ndarray) else v
        for p, v in zip(node.parents, reference.values, strict=True)
    ]

    def alone(lib: Any, *xs: Any) -> Any:
        if lib is OURS:
            return node.primitive.general(*xs, **node.params)
        return compute(torch, *xs, **node.params)

    ours, theirs = (run(lib, alone, inputs, second_order=True).second for lib in (OURS, torch))
    for name in (name for name in ours if name in theirs):
        what = f"second-order gradient of {name}"
        found = paired(what, array_of(ours[name]), array_of(theirs[name]), tolerance)
        if not found.ok:
            return found
    return None


def operand_names(node: Node) -> list[str]:
    """What the rules call a node's operands: "a", "b", or "xs[0]", "xs[1]"."""
    inputs = node.primitive.inputs
    if len(inputs) == 1 and inputs[0].startswith("*"):
        return [f"{inputs[0][1:]}[{i}]" for i in range(len(node.parents))]
    return [*inputs, *(f"operand {i}" for i in range(len(inputs), len(node.parents)))]


# -- the first of all ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Search:
    """What checking every operation alone came to.

    ``first`` by direction, and the names of operations that could not be checked.
    """

    first: tuple[Divergence, ...]
    unchecked: tuple[str, ...]


def search(torch: Any, ours: Run, tolerance: Tolerance, second_order: bool = False) -> Search:
    """The first operation, forward, backward and of second order, that differs by itself."""
    nodes = operations(ours.outputs.values())
    plan: list[tuple[str, Sequence[Any], Check]] = []
    if torch:
        plan.append(("forward", nodes, wrong_output))
    if ours.ends:
        plan.append(("backward", walked(ours.ends, ours.cotangents), wrong_contribution))
    if torch and second_order:
        plan.append(("second order", nodes, wrong_second_order))
    found: dict[str, Divergence] = {}
    unchecked: dict[str, None] = {}
    for direction, items, check in plan:
        if direction == "second order" and "backward" in found:
            continue  # wrong slopes have wrong slopes
        for number, item in enumerate(items, 1):
            node = item.node if isinstance(item, Visit) else item
            wrong = _tried(check, torch, item, tolerance)
            if isinstance(wrong, Pair):
                values = wrong.what, wrong.ours, wrong.theirs, Reference(torch, node).name
                found[direction] = Divergence(direction, node, number, *values)
                break
            if wrong is not None:
                unchecked[node.primitive.name] = None
    return Search(tuple(found.values()), tuple(unchecked))


Check = Callable[[Any, Any, Tolerance], Pair | None]


def _tried(check: Check, torch: Any, item: Any, tolerance: Tolerance) -> Pair | Exception | None:
    """What a check finds, or why it cannot be made."""
    try:
        return check(torch, item, tolerance)
    except (Unchecked, TypeError, ValueError, IndexError, RuntimeError, KeyError) as error:
        return error
