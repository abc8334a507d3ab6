"""Recording a backward walk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tinygrad_rnn.engine.errors import changed_in_place, freed
from tinygrad_rnn.engine.graph import Node, tape
from tinygrad_rnn.engine.memory import changed_since, current, version
from tinygrad_rnn.engine.mode import SMALL
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.engine.sums import Part, dense
from tinygrad_rnn.operations.arguments import raw
from tinygrad_rnn.operations.inplace import root_of
from tinygrad_rnn.reading.called import Called, alive
from tinygrad_rnn.reading.given import name_of
from tinygrad_rnn.reading.layers import Layer
from tinygrad_rnn.reading.names import expression, names
from tinygrad_rnn.reading.time import SOURCES, in_time
from tinygrad_rnn.tensor import Tensor, accumulate, run_walk
from tinygrad_rnn.writing.figures import ordinal
from tinygrad_rnn.writing.norms import norm
from tinygrad_rnn.writing.text import folded, html_table

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Visit:
    """One visit of a backward walk: a node, what came in, and what it sent on.

    Attributes
    ----------
    number : int
        Position in the walk, from 1.
    node : Node
    cotangent : ndarray of the node's shape
        ∂L/∂output, complete: everything that used the output has been visited before.
    """

    number: int
    node: Node
    cotangent: Array
    _sent: list[Any] = field(repr=False)

    @property
    def step(self) -> int | None:
        """The time step in which the node was made."""
        return self.node.tag.step

    @property
    def contributions(self) -> tuple[Array | None, ...]:
        """What each parent of the node received from it; ``None`` where it needs no gradient."""
        return tuple(map(self.contribution, range(len(self._sent))))

    def contribution(self, operand: int) -> Array | None:
        """What the parent at one position received; see `contributions`."""
        sent = self._sent[operand]
        return None if sent is None else _fixed(dense(sent, self.node.parents[operand].shape))


def _numbers(sent: Any) -> Any:
    """What was sent to a parent, without the graph of a walk that is itself recorded."""
    return replace(sent, g=raw(sent.g)) if isinstance(sent, Part) else raw(sent)


def _fixed(array: Any) -> Array:
    """A view that cannot be written to: visits share arrays."""
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view


class Record:
    """A backward walk as data.

    Attributes
    ----------
    root : Node
        The node of the loss.
    visits : tuple of Visit
        In the order in which the walk made them: newest node first.
    places : list of Node
        Every node and leaf of the graph, oldest first; each bears its time step.
    steps_from : str
        Where the time steps come from: "given" (by the program's `step`, or by layers of `nn`),
        "structure" (what the program did not say was found in the graph: a loop that carries
        something on), "lines" (of the program, see `bptt.traced`) or "none".
    before : dict of float, by leaf
        The norm of what ``.grad`` held when the walk came, of leaves where it was not zero.
    called : dict of str, by place
        What the program called tensors of this graph where the walk was asked for.
    turn : int
        Which walk of its program it is, from 1, where `tinygrad_rnn.compat` runs one.
    """

    def __init__(
        self,
        root: Node,
        visits: list[Visit],
        leaves: dict[Node, Array],
        saved: dict[Node, tuple[Any, ...]],
        steps: str = "found",
        before: dict[Node, float] | None = None,
        called: Called | None = None,
    ) -> None:
        self._timed = timed = in_time(root, steps)
        self.root, self.steps_from = timed.root, timed.origin
        self.visits = tuple([replace(visit, node=timed.of(visit.node)) for visit in visits])
        self.places = tape([self.root])
        leaves = {timed.of(leaf): g for leaf, g in leaves.items()}
        saved = {timed.of(node): arrays for node, arrays in saved.items()}
        self.before = {timed.of(at): held for at, held in (before or {}).items()}
        self.called = alive(self.places, timed.of) if called is None else called
        self.turn = 1
        self._saved = saved
        kept = {
            at: array
            for node, arrays in saved.items()
            if isinstance(node.primitive, Primitive)
            for at, array in zip((*node.parents, node), arrays)
            if array is not None and not _is_of_a_leaf(array, at)
        }
        # leaves change when an optimizer has made its step; a record does not
        self._values: dict[Node, Array] = kept | {
            place: np.array(place.value)
            for place in self.places
            if place.value is not None and (place.is_leaf or np.size(place.value) <= SMALL)
        }
        self._gradients: dict[Node, Array] = {v.node: v.cotangent for v in self.visits}
        self._gradients.update(leaves)

    @property
    def which(self) -> str:
        """Which walk of its program it is, as titles add it; "" for the first."""
        return f", the {ordinal(self.turn)} backward of its program" if self.turn > 1 else ""

    def place_of(self, of: Any, caller: str) -> Node | None:
        """The place of a tensor or node in this record's graph, if it has one.

        A node whose time step was found stands here with that step.
        """
        place = place_of(of, caller)
        return None if place is None else self.standing_for(place)

    def standing_for(self, node: Node) -> Node:
        """What stands in this record's graph for a node as it was recorded."""
        return self._timed.of(node)

    def gradient(self, of: Tensor | Node) -> Array | None:
        """The whole ∂L/∂tensor that the walk brought to a tensor, node or leaf.

        ``None`` if nothing came there.
        """
        place = self.place_of(of, "gradient")
        return None if place is None else self._gradients.get(place)

    def value(self, of: Tensor | Node) -> Array | None:
        """The value of a tensor or node in this walk.

        What the forward pass did not keep is computed again from what it did; ``None`` if that
        takes a large constant of which only the shape is known.
        """
        place = self.place_of(of, "value")
        return None if place is None else self._replayed(place)

    def saved(self, node: Node) -> tuple[Array | None, ...]:
        """The arrays that the node's rules asked for, though the walk has freed them there.

        Raises
        ------
        RuntimeError
            If one that the graph shared with a tensor has been changed in place since.
        """
        arrays = self._saved.get(node, ())
        if arrays and isinstance(node.primitive, Primitive):
            owners = (*node.parents, node)
            arrays = tuple(
                self._replayed(at) if _is_of_a_leaf(array, at) else array
                for at, array in zip(owners, arrays, strict=True)
            )
        _check_unchanged(node, arrays)
        return arrays

    def kept(self, node: Node) -> tuple[bool, ...]:
        """Of which operands, and whether of the output, the node's rules asked for the array."""
        return tuple(array is not None for array in self._saved.get(node, ()))

    def _replayed(self, place: Node) -> Array | None:
        values, wanted = self._values, [place]
        while wanted:
            at = wanted[-1]
            if at in values:
                wanted.pop()
            elif at.value is not None:
                values[at] = at.value
            elif not isinstance(at.primitive, Primitive):  # a large constant, or a `Function`
                return None
            elif missing := [parent for parent in at.parents if parent not in values]:
                wanted += missing
            else:
                operands = [values[parent] for parent in at.parents]
                values[at] = at.primitive.compute(operands, at.params)
        return values[place]

    def over_time(
        self,
        name: str,
        scope: str | None = None,
        layer: int | None = None,
        direction: str | None = None,
    ) -> dict[int, Array]:
        """The values, by time step, of what has a name: gates and states of recurrent layers.

        Parameters
        ----------
        name : str
            "h" of an `nn.RNN`; "i", "f", "g", "o", "c", "h" of an `nn.LSTM`; "r", "z", "n", "h"
            of an `nn.GRU`; or what was given by `Tensor.named`.
        scope, layer, direction : optional
            Which one is meant, where there are several: the module's dotted name, the number of
            the layer from 0, "forward" or "reverse".

        Raises
        ------
        KeyError
            If there is nothing of that name.
        ValueError
            If there is more than one at a time step.

        Examples
        --------
        >>> import tinygrad_rnn as tg
        >>> lstm = tg.nn.LSTM(1, 1)
        >>> output, _ = lstm(tg.zeros(3, 1))
        >>> walk = tg.bptt.record(output.sum())
        >>> sorted(walk.over_time("f"))
        [1, 2, 3]
        """
        found: dict[int, Array] = {}
        for place in self.places:
            tag = place.tag
            if not name or name_of(place) != name or tag.step is None:
                continue
            if not Layer.of(place).is_meant_by(scope, layer, direction):
                continue
            if tag.step in found:
                raise ValueError(
                    f"over_time: there is more than one {name!r} at step {tag.step}; say which by "
                    "scope, layer or direction"
                )
            value = self._replayed(place)
            if value is not None:
                found[tag.step] = value
        if not found:
            raise KeyError(self._missing(name))
        return dict(sorted(found.items()))

    def _missing(self, name: str) -> str:
        """Why nothing of that name was found, and what there is."""
        named = [place for place in self.places if name_of(place)]
        tags = sorted({str(p.tag[:4]) for p in named if name_of(p) == name})
        if not tags:
            names = ", ".join(sorted(set(map(name_of, named))))
            return f"over_time: nothing in this graph is called {name!r}; there are: {names}"
        return (
            f"over_time: {name!r} stands elsewhere, at (scope, step, layer, direction) "
            f"{', '.join(tags[:4])}; what has no step was made outside tg.step(t)"
        )

    def __len__(self) -> int:
        return len(self.visits)

    def __repr__(self) -> str:
        steps = {visit.step for visit in self.visits} - {None, 0}
        return f"Record({len(self.visits)} visits, {len(steps)} time steps)"

    def _repr_html_(self) -> str:
        """What a notebook shows: the walk as a table, the middle of a long one left out."""
        called = names(self.places, self.called)
        rows = [["visit", "t", "tensor", "‖gradient‖", "hands it on to"]]
        for (number,) in folded([[str(visit.number)] for visit in self.visits]):
            visit = self.visits[int(number) - 1] if number.isdigit() else None
            rows.append(["…"] * 5 if visit is None else _row(visit, called))
        return html_table(rows, f"{self!r}: the backward walk", right=(0, 1, 3))


def _row(visit: Visit, called: Mapping[Node, str]) -> list[str]:
    """A visit in a table: where, how much came, and who received of it."""
    made = f"{called[visit.node]} {expression(visit.node, called)}"
    fed = [
        called[parent]
        for parent, sent in zip(visit.node.parents, visit._sent, strict=True)
        if sent is not None
    ]
    step = "" if visit.step is None else str(visit.step)
    return [str(visit.number), step, made, f"{norm(visit.cotangent):.4g}", ", ".join(fed)]


def record(
    loss: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    *,
    steps: str = "found",
) -> Record:
    """Run ``loss.backward()`` and return the walk as data.

    Gradients are accumulated in the leaves just as `Tensor.backward` does, and the arguments and
    errors are the same. Nothing need be prepared in the forward pass: structure, gradients,
    contributions, values and time steps are there; values are computed again where they were not
    kept.

    Parameters
    ----------
    loss : Tensor
    gradient, retain_graph : optional
        As for `Tensor.backward`.
    steps : "found", "given" or "none"
        Which time steps there are: those that the program and its layers give, and besides what is
        found (whatever carries something on in a loop is time); or only those given; or none.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor(0.2, requires_grad=True)
    >>> x = tg.tensor(0.9)
    >>> for t in range(3):
    ...     x = w * x
    >>> walk = tg.bptt.record(x)
    >>> for visit in walk.visits:
    ...     print(visit.number, visit.step, visit.node.primitive.name, visit.cotangent.round(3))
    1 3 mul 1.0
    2 2 mul 0.2
    3 1 mul 0.04
    """
    if isinstance(loss, Tensor) and loss.requires_grad and loss.is_leaf:
        raise RuntimeError("record: this tensor is a leaf: no operation led to it, nothing to walk")
    if steps not in SOURCES:
        raise ValueError(f"record: steps must be one of {', '.join(SOURCES)}, not {steps!r}")
    seen = Seen()
    accumulate(run_walk([loss], [gradient], retain_graph, False, observer=seen))
    assert isinstance(loss.node, Node)
    return seen.record(loss.node, steps)


class Seen:
    """An observer of a walk, which notes what there is to see."""

    def __init__(self) -> None:
        self._visits: list[Visit] = []
        self._leaves: dict[Node, Array] = {}
        self._saved: dict[Node, tuple[Any, ...]] = {}
        self._before: dict[Node, float] = {}

    def __call__(self, place: Node, g: Any, sent: list[Any]) -> None:
        """Note a visit; what flows are arrays, or tensors if the walk is itself recorded."""
        if place.is_leaf:
            self._leaves[place] = np.array(raw(g))
            if held := _held(place):
                self._before[place] = held
        else:
            self._saved[place] = place.saved or ()
            number = len(self._visits) + 1
            numbers = list(map(_numbers, sent)) or [None] * len(place.parents)  # the walk ends here
            self._visits.append(Visit(number, place, _fixed(raw(g)), numbers))

    def record(self, root: Node, steps: str = "found", called: Called | None = None) -> Record:
        """The walk from this place, now that it is done."""
        return Record(root, self._visits, self._leaves, self._saved, steps, self._before, called)


def _held(leaf: Node) -> float:
    """The norm of what a leaf has in ``.grad``."""
    grad = leaf.notes.grad if leaf.notes is not None else None
    return 0.0 if grad is None else norm(grad.array if isinstance(grad, Tensor) else grad)


def expect_record(record: Any, caller: str) -> None:
    """Raise a `TypeError`, which says who needs a record and how to get it, unless it is one."""
    if not isinstance(record, Record):
        found = type(record).__name__
        raise TypeError(f"{caller}: expected a Record, got {found}: bptt.record(loss) first")


def place_of(tensor: Any, caller: str) -> Node | None:
    """The place of a tensor in graphs; a node is its own."""
    if not isinstance(tensor, Tensor | Node):
        found = type(tensor).__name__
        raise TypeError(f"{caller}: expected a Tensor, such as a parameter, got {found}")
    return tensor.node if isinstance(tensor, Tensor) else tensor


def unwalked(loss: Tensor, caller: str) -> Record:
    """The graph of a tensor as a record without visits: nothing is walked, freed or changed.

    Raises
    ------
    RuntimeError
        If no operation is recorded that led to it; if a walk has freed what the graph saved, or
        an array of it was changed in place.
    """
    root, saved = current(loss), {}
    if root is None or root.is_leaf:
        raise RuntimeError(
            f"{caller}: this tensor has no graph: compute it from one that requires grad, outside "
            "no_grad()"
        )
    for node in tape([root]):
        if node.saved is None:
            raise freed(node)
        _check_unchanged(node, node.saved)
        saved[node] = node.saved
    return Record(root, [], {}, saved)


def _is_of_a_leaf(array: Any, at: Node) -> bool:
    """Whether an array at a place is a leaf's memory, perhaps a view of it: that may change."""
    root = root_of(at)
    if array is None or root is None or not root.is_leaf or root.value is None:
        return False
    return root is not at or array is root.value


def _check_unchanged(node: Node, arrays: tuple[Any, ...]) -> None:
    for array in arrays:
        if changed_since(array, node.order):
            raise changed_in_place(node, array.shape, version(array))
