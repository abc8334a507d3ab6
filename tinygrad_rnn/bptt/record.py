"""Recording a backward walk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_rnn.contributions import dense
from tinygrad_rnn.engine.graph import Node, tape
from tinygrad_rnn.modes import SMALL
from tinygrad_rnn.tensor import Tensor, accumulate, run_walk

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
        pairs = zip(self._sent, self.node.parents, strict=True)
        return tuple(None if c is None else _fixed(dense(c, parent.shape)) for c, parent in pairs)


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
        Every node and leaf of the graph, oldest first.
    """

    def __init__(self, root: Node, visits: list[Visit], leaves: dict[Node, Array]) -> None:
        self.root = root
        self.visits = tuple(visits)
        self.places = tape([root])
        # leaves change when an optimizer has made its step; a record does not
        self._values = {
            place: np.array(place.value)
            for place in self.places
            if place.value is not None and (place.is_leaf or np.size(place.value) <= SMALL)
        }
        self._gradients: dict[Node, Array] = {visit.node: visit.cotangent for visit in visits}
        self._gradients.update(leaves)

    def gradient(self, of: Tensor | Node) -> Array | None:
        """The whole ∂L/∂tensor that the walk brought to a tensor, node or leaf.

        ``None`` if nothing came there.
        """
        place = of.node if isinstance(of, Tensor) else of
        return None if place is None else self._gradients.get(place)

    def value(self, of: Tensor | Node) -> Array | None:
        """The value of a tensor or node in this walk; ``None`` for a large one not kept."""
        place = of.node if isinstance(of, Tensor) else of
        return None if place is None else self._values.get(place, place.value)

    def __len__(self) -> int:
        return len(self.visits)

    def __repr__(self) -> str:
        steps = {visit.step for visit in self.visits} - {None, 0}
        return f"Record({len(self.visits)} visits, {len(steps)} time steps)"


def record(
    loss: Tensor, gradient: Tensor | None = None, retain_graph: bool | None = None
) -> Record:
    """Run ``loss.backward()`` and return the walk as data.

    Gradients are accumulated in the leaves just as `Tensor.backward` does, and the arguments and
    errors are the same. Nothing need be prepared in the forward pass: structure, gradients and
    contributions are always there, and so are the values of small tensors (at most 16 elements);
    larger ones if the forward ran inside `keep_values`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor(0.2, requires_grad=True)
    >>> x = tg.tensor(0.9)
    >>> for t in range(1, 3):
    ...     with tg.step(t):
    ...         x = w * x
    >>> walk = tg.bptt.record(x)
    >>> for visit in walk.visits:
    ...     print(visit.number, visit.step, visit.node.primitive.name, visit.cotangent)
    1 2 mul 1.0
    2 1 mul 0.2
    """
    if isinstance(loss, Tensor) and loss.requires_grad and loss.is_leaf:
        raise RuntimeError("record: this tensor is a leaf: no operation led to it, nothing to walk")
    visits: list[Visit] = []
    leaves: dict[Node, Array] = {}

    def observe(place: Node, g: Any, sent: list[Any]) -> None:
        if place.is_leaf:
            leaves[place] = np.array(g)
        else:
            visits.append(Visit(len(visits) + 1, place, _fixed(g), sent))

    accumulate(run_walk([loss], [gradient], retain_graph, False, observer=observe))
    assert isinstance(loss.node, Node)
    return Record(loss.node, visits, leaves)
