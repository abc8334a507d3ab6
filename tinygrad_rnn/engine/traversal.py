"""The one reverse loop: it visits nodes newest first and hands cotangents to their parents.

Backpropagation through time is nothing else.  A node comes after its consumers: they are younger.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from heapq import heappop, heappush
from typing import Any

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.errors import changed_in_place, check_nan, freed
from tinygrad_rnn.engine.graph import Node, tape
from tinygrad_rnn.engine.memory import changed_since, latest, version
from tinygrad_rnn.engine.mode import here
from tinygrad_rnn.engine.sums import Waiting, fitted


def walk(
    roots: Mapping[Node, Any], *, wanted: Collection[Node] | None = None,
    retain_graph: bool = False, create_graph: bool = False,
    observer: Callable[[Node, Any, list[Any]], None] | None = None,
) -> dict[Node, Any]:  # fmt: skip
    """Carry the roots' cotangents (arrays; tensors with ``create_graph``) back to the leaves.

    Returns what came to the leaves, or to the ``wanted`` places, in which case only the way there
    is walked.  The ``observer`` sees each node, its cotangent and what it sends to its parents.
    """
    outer, inside = here.mode, here.mode.having("recording", create_graph)
    here.mode = inside
    try:  # the loop stands apart: Python 3.13 lets an interrupt of a loop in a `try` pass it by
        return _visit_all(roots, wanted, retain_graph, create_graph, observer)
    finally:
        here.mode = outer


def _visit_all(
    roots: Mapping[Node, Any], wanted: Collection[Node] | None, retain_graph: bool,
    create_graph: bool, observer: Callable[[Node, Any, list[Any]], None] | None,
) -> dict[Node, Any]:  # fmt: skip
    path = None if wanted is None else _between(roots, wanted)
    gather, checking = observer is None and not create_graph, here.mode.check_nan
    sums = {root: g for root, g in roots.items() if path is None or root in path}
    queue = sorted((-root.order, root) for root in sums)
    owned: set[Node] = set()  # whose sum is a buffer made here, and so is added to in place
    aside: dict[Node, Waiting] = {}  # contributions that will be summed together
    arrived: dict[Node, Any] = {}
    while queue:
        node: Any = heappop(queue)[1]
        g = sums.pop(node)
        if node in aside:
            g = aside.pop(node).total(g, node.shape)
        if node.notes is not None and node.notes.attentive:
            g = node.notes.attended(g, None if create_graph else graph.make_tensor)
        op, source = node.primitive, node
        sent: Any = None if gather else []
        if op is None or (wanted is not None and node in wanted):
            arrived[node] = g if create_graph else np.array(g)
        pulls: Any = ()
        if op is not None and (path is None or not path.isdisjoint(node.parents)):
            if latest[0] > node.order or node.saved is None:
                _check_saved(node)
            if create_graph:
                source, tag = _Recorded(node), node.tag
                tag = tag._replace(backward=tag.backward + 1, rule_of=node.order)
                here.mode = here.mode.having("tag", tag)
            pulls = op.gathers if gather else op.pulls
            if op.joint is not None:  # one rule has done the work of all
                pulls = [lambda g, node, c=c: c for c in op.joint.pull(g, source)]
        for parent, pull in zip(node.parents, pulls):
            c = None
            if parent.requires_grad and (path is None or parent in path):
                c = pull(g, source)
                if checking:
                    check_nan(c, node, parent)
                old = sums.get(parent, sums)
                if old is sums:  # nothing has come here yet
                    heappush(queue, (-parent.order, parent))
                    old = None
                if c.shape != parent.shape and (c := fitted(c, parent.shape, gather)).shape is None:
                    waiting = aside.get(parent) or aside.setdefault(parent, Waiting())
                    sums[parent] = waiting.add(c, old, parent.shape)
                elif old is None:
                    sums[parent] = c
                elif parent in owned:
                    old += c
                    sums[parent] = old  # += makes a new NumPy scalar
                else:
                    sums[parent] = old + c
                    if gather:
                        owned.add(parent)
            if sent is not None:
                sent.append(c)
        if observer is not None:
            observer(node, g, sent)
        if node.saved and pulls and not retain_graph:
            node.saved = None
    return arrived


def _between(roots: Iterable[Node], wanted: Collection[Node]) -> set[Node]:
    """The wanted places, and every node through which they reach a root."""
    path = set(wanted)
    for node in tape(roots, literal=False):
        if not path.isdisjoint(node.parents):
            path.add(node)
    return path


class _Recorded:
    """What rules see of a node when the walk is itself recorded: tensors for arrays."""

    def __init__(self, node: Any) -> None:
        self.node, self.params, self.parents = node, node.params, node.parents
        make, places = graph.make_tensor, zip(node.saved, (*node.parents, node))
        self.saved = [make(a, p) if isinstance(a, np.ndarray) else a for a, p in places]


def _check_saved(node: Any) -> None:
    if node.saved is None:
        raise freed(node)
    for array in node.saved:
        if changed_since(array, node.order):
            raise changed_in_place(node, array.shape, version(array))
