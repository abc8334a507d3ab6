"""Paths that gradients cannot take: parameters without one, states cut off from their past."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from tinygrad_rnn.bptt.illnesses.finding import Finding
from tinygrad_rnn.bptt.record import Record
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.reading.given import is_inline
from tinygrad_rnn.reading.layers import where
from tinygrad_rnn.reading.steps import Position, of_another_step, positions
from tinygrad_rnn.tensor import Tensor

Parameters = Sequence[tuple[str, Tensor]]


def unused_parameters(record: Record, parameters: Parameters) -> Iterator[Finding]:
    """Parameters that require grad, and from which nothing leads to the loss."""
    places = set(record.places)
    unused = [name for name, p in parameters if p.requires_grad and p.node not in places]
    if unused:
        what = "nothing leads from there to the loss: no gradient came"
        advice = "use it in the forward pass, or freeze it with requires_grad_(False)"
        named = tuple(unused)
        yield Finding(
            "warning", "unused parameter", ", ".join(unused), what, advice, parameters=named
        )


_Uses = dict[int, Node]  # by time step, in the order in which they were made


def detached_states(record: Record) -> Iterator[Finding]:
    """Time steps that start from a constant where others go on from a state with a history.

    A layer's first step may: that is the initial state. If it is so at every step, states are
    told from inputs by `Tensor.detach`'s mark, and by having a value of the step before.
    """
    steps: dict[int | None, list[Node]] = {}
    for place in record.places:
        if not place.is_leaf:
            steps.setdefault(place.tag.step, []).append(place)
    cut: dict[str, set[int]] = {}
    for (position, _), uses in _corresponding(record).items():
        constant = {t: p for t, p in uses.items() if _is_constant(p)}
        carried = any(not p.is_leaf and of_another_step(p, t) for t, p in uses.items())
        if carried:
            constant.pop(next(iter(uses)), None)
        else:
            before = dict(itertools.pairwise(reversed(uses)))
            constant = {
                t: p for t, p in constant.items()
                if t in before and _was_detached(record, p, steps[before[t]])
            }  # fmt: skip
        if constant:
            cut.setdefault(position.layer.spoken, set()).update(constant)
    for layer, found in cut.items():
        what = "the state that comes in is a constant: gradients do not go further back than here"
        advice = "right for truncated BPTT; else keep detach(), .data and numpy() out of the loop"
        order = tuple(sorted(found))
        yield Finding("warning", "detached state", where(layer, order), what, advice, order)


def _corresponding(record: Record) -> dict[tuple[Position, int], _Uses]:
    """What the same operand of the same operation is at each time step of a layer."""
    found: dict[tuple[Position, int], _Uses] = {}
    for node, position in positions(p for p in record.places if not p.is_leaf).items():
        if (step := node.tag.step) is not None:
            for operand, parent in enumerate(node.parents):
                found.setdefault((position, operand), {})[step] = parent
    return found


def _is_constant(parent: Node) -> bool:
    return parent.is_leaf and not parent.requires_grad and not is_inline(parent)


def _was_detached(record: Record, leaf: Node, before: list[Node]) -> bool:
    """Whether a constant was made by `Tensor.detach` of something of the step before."""
    is_marked = leaf.notes is not None and leaf.notes.detached
    return is_marked and any(_is_copy(record, leaf, node) for node in before)


def _is_copy(record: Record, leaf: Node, of: Node) -> bool:
    """Whether a constant may have been made of a node; of large ones only the shape tells."""
    if leaf.shape != of.shape:
        return False
    return leaf.value is None or np.array_equal(leaf.value, np.asarray(record.value(of)))
