"""A recorded graph again, in part and with cuts, to be walked without leaving a trace."""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, NamedTuple

from tinygrad_rnn.bptt.record import Record
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.engine.memory import tick


class Cut(NamedTuple):
    """The mark of an operand that is cut off: its copy is a leaf, for this one use alone."""

    user: Node
    operand: int
    mark: Hashable


Key = tuple[Node, Hashable]  # a place and a mark: there is one copy for each mark


def replica(
    record: Record, starts: Iterable[Key], follow: Callable[[Node, Any, int], Hashable]
) -> dict[Key, Node]:
    """Copies of places and of all they depend on, by place and mark.

    The copies have neither hooks nor gradients, and what the originals had saved though it be
    freed: the engine's walk goes over them as often as one likes and changes nothing of the
    graph.

    Parameters
    ----------
    record : Record
    starts : iterable of (Node, mark)
        A mark is anything hashable; nodes are copied once for each mark they are reached with.
    follow : callable
        ``follow(node, mark, operand)`` is the mark of an operand of the node's copy; a `Cut` makes
        it a leaf that requires grad, ``None`` a constant. Leaves of the graph are shared: theirs
        is always ``None``.
    """
    operands: dict[Key, list[Key]] = {}
    waiting = list(starts)
    while waiting:
        key = waiting.pop()
        if key not in operands:
            operands[key] = _operands(key, follow)
            waiting += operands[key]
    copies: dict[Key, Node] = {}
    for key in sorted(operands, key=lambda key: key[0].order):  # parents before users
        copies[key] = _copy(record, key, [copies[parent] for parent in operands[key]])
    return copies


def _operands(key: Key, follow: Callable[[Node, Any, int], Hashable]) -> list[Key]:
    node, mark = key
    if mark is None or isinstance(mark, Cut):
        return []
    found: list[Key] = []
    for i, parent in enumerate(node.parents):
        next_mark = follow(node, mark, i)
        shared = parent.is_leaf and not isinstance(next_mark, Cut)
        found.append((parent, None if shared else next_mark))
    return found


def _copy(record: Record, key: Key, parents: Sequence[Node]) -> Node:
    node, mark = key
    new = copy.copy(node)
    new.order, new.notes, new.parents = tick(), None, tuple(parents)
    if isinstance(mark, Cut):
        new.primitive, new.saved, new.requires_grad = None, (), True
    elif mark is None and not node.is_leaf:
        new.primitive, new.saved, new.requires_grad = None, (), False
    elif not node.is_leaf:
        new.saved = _saved(record, node, parents)
    return new


def _saved(record: Record, node: Node, parents: Sequence[Node]) -> tuple[Any, ...]:
    """What the rules of the copy need: more than was saved, if it sends to more operands."""
    wants = [parent.requires_grad for parent in parents]
    if all(had.requires_grad for had, want in zip(node.parents, wants) if want):
        return record.saved(node)
    op = node.primitive
    rules = [op.joint] if op.joint else [r for r, want in zip(op.rules, wants) if want]
    kept = frozenset().union(*[rule.kept for rule in rules])
    places = (*node.parents, node)
    return tuple([record.value(at) if i in kept else None for i, at in enumerate(places)])
