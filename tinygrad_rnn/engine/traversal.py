"""The one reverse loop: it visits nodes newest first and hands cotangents to their parents.

Backpropagation through time is this loop and nothing else.  A node is visited once, when all
that used it has been, because its consumers were created later than it was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from heapq import heappop, heappush
from typing import Any

import numpy as np

from tinygrad_rnn.engine.graph import Node, Place, Variable, here, set_mode, tape
from tinygrad_rnn.engine.primitive import Part, Rows, Rule, result
from tinygrad_rnn.versions import changed_since, changes, version

GATHERED_ROWS = 256  # waiting contributions to a weight are multiplied out at so many rows
SUM = Rule(lambda g: g, "", True, [])  # of contributions that need only be summed: a bias's


def walk(
    roots: Mapping[Place, Any],
    *,
    wanted: Collection[Place] | None = None,
    retain_graph: bool = False,
    create_graph: bool = False,
    observer: Callable[[Place, Any, list[Any]], None] | None = None,
) -> dict[Place, Any]:
    """Carry the roots' cotangents (arrays; tensors with ``create_graph``) back to the leaves.

    Returns the cotangents of the leaves that were reached, or of the ``wanted`` places; then
    only what lies on the way to them is visited.  ``retain_graph`` keeps what the rules saved
    for another walk; ``create_graph`` records this one.  The ``observer`` is called at each
    visit with the node, its cotangent and what each parent receives.
    """
    path = None if wanted is None else _between(roots, wanted)
    gather = observer is None and not create_graph
    sums = {root: g for root, g in roots.items() if path is None or root in path}
    queue = sorted((-root.order, root) for root in sums)
    owned: set[Place] = set()  # whose sum is a buffer made here, and so is added to in place
    waiting: dict[Place, dict[Any, list[Any]]] = {}  # contributions that will be summed together
    arrived: dict[Place, Any] = {}
    with set_mode(recording=create_graph):
        while queue:
            node = heappop(queue)[1]
            g = sums.pop(node)
            if node in waiting:
                g = _plus(g, waiting.pop(node), node.shape)
            if node.notes is not None:
                g = _attended(node, g, create_graph)
            primitive, source = node.primitive, node
            if primitive is None or (path is not None and node in wanted):
                arrived[node] = g if create_graph else np.array(g)
            if primitive is None or (path is not None and path.isdisjoint(node.parents)):
                if observer is not None:
                    observer(node, g, [])
                continue
            if changes or node.saved is None:
                _check_saved(node)
            if create_graph:
                source, here.mode = _Recorded(node), replace(here.mode, tag=node.tag)
            pulls = primitive.gathers if gather else primitive.pulls
            if primitive.joint is not None:  # one rule for all has done their work
                pulls = [lambda g, node, c=c: c for c in primitive.joint.pull(g, source)]
            sent = []
            for parent, pull in zip(node.parents, pulls):
                if not parent.requires_grad or (path is not None and parent not in path):
                    sent.append(None)
                    continue
                c = pull(g, source)
                if c.shape != parent.shape and c.shape is not None:
                    c = _fitted(c, parent.shape, gather)
                if not gather:
                    sent.append(c)
                old = sums.get(parent)
                if old is None and parent not in sums:
                    heappush(queue, (-parent.order, parent))
                if c.shape is None:
                    sums[parent] = _wait(c, old, waiting.setdefault(parent, {}), parent.shape)
                elif old is None:
                    sums[parent] = c
                elif parent in owned:
                    old += c
                    sums[parent] = old  # += makes a new NumPy scalar
                else:
                    sums[parent] = old + c
                    if gather:
                        owned.add(parent)
            if observer is not None:
                observer(node, g, sent)
            if node.saved and not retain_graph:
                node.saved = None
    return arrived


def _fitted(c: Any, shape: tuple[int, ...], gather: bool) -> Any:
    """A contribution in its parent's shape, or one that waits to be summed with others."""
    return Rows(SUM, c, []) if gather and c.ndim > len(shape) else unbroadcast(c, shape)


def _wait(c: Any, g: Any, groups: dict[Any, list[Any]], shape: tuple[int, ...]) -> Any:
    """Let a contribution wait; returns ``g``, with the whole group in it once that is large."""
    if type(c) is Part:
        groups.setdefault(c.assemble, []).append(c)
        return g
    group = groups.setdefault((c.rule, c.g.shape[1:]), [])
    group.append(c)
    if len(group) * len(c.g) >= GATHERED_ROWS:
        rows, g = _merged(group, shape), g
        group.clear()
        g = rows if g is None else g + rows
    return g


def _plus(g: Any, groups: dict[Any, list[Any]], shape: tuple[int, ...]) -> Any:
    """The cotangent ``g`` (``None``: nothing yet) and the contributions that waited."""
    for group in groups.values():
        if group:
            c = _merged(group, shape)
            g = c if g is None else g + c
    return g


def _merged(group: list[Any], shape: tuple[int, ...]) -> Any:
    gs, first = [c.g for c in group], group[0]
    if type(first) is Part:
        recorded = isinstance(first.g, Variable)
        assemble = first.assemble if recorded else first.assemble.forward
        return assemble(*gs, index=[c.index for c in group], shape=shape)
    columns = zip(*[c.arguments for c in group], strict=True)
    stacked = [np.concatenate(column) for column in (gs, *columns)]
    return unbroadcast(first.rule.fn(*stacked), shape)


def dense(c: Any, shape: tuple[int, ...]) -> Any:
    """A contribution as the walk's observer sees it, in its parent's ``shape``, zeros and all."""
    return _merged([c], shape) if type(c) is Part else c


def unbroadcast(c: Any, shape: tuple[int, ...]) -> Any:
    """Sum a cotangent over the axes along which its input, of ``shape``, was broadcast."""
    lead = tuple(range(c.ndim - len(shape)))
    if lead:
        c = c.sum(axis=lead)
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 != c.shape[i])
    return c.sum(axis=stretched, keepdims=True) if stretched else c


def _between(roots: Iterable[Place], wanted: Collection[Place]) -> set[Place]:
    """The wanted places, and every node through which they reach a root."""
    path = set(wanted)
    for node in tape(roots):
        if not path.isdisjoint(node.parents):
            path.add(node)
    return path


class _Recorded:
    """What rules see of a node when the walk is itself recorded: tensors for arrays."""

    def __init__(self, node: Node) -> None:
        self.params, self.parents = node.params, node.parents
        self.saved = [
            result(array, place) if isinstance(array, np.ndarray) else array
            for array, place in zip(node.saved or (), (*node.parents, node))
        ]


def _attended(node: Place, g: Any, recorded: bool) -> Any:
    """Show a finished cotangent to the place's hooks, any of which may replace it."""
    assert node.notes is not None
    for hook in list(node.notes.hooks.values()):
        answer = hook(g if recorded else result(np.asarray(g), None))
        if answer is None:
            continue
        if not isinstance(answer, Variable) or answer.array.shape != node.shape:
            raise RuntimeError(
                f"a gradient hook must return None or a tensor of shape {node.shape}, got {answer}"
            )
        g = answer if recorded else answer.array
    if node.notes.retain:
        node.notes.grad = g if recorded else np.array(g)
    return g


def _check_saved(node: Node) -> None:
    name = node.primitive.name
    if node.saved is None:
        raise RuntimeError(
            f"{name}: trying to backward through the graph a second time, but the first walk freed "
            "what it had saved. Pass retain_graph=True to the first backward, or detach() what is "
            "carried over from one backward to the next (a hidden state, say)."
        )
    for array in node.saved:
        if changed_since(array, node.order):
            raise RuntimeError(
                f"{name}: an array of shape {array.shape} that its derivative needs has been "
                f"modified by an inplace operation and is at version {version(array)} now. Change "
                "a clone() instead, or change it before it is used."
            )
