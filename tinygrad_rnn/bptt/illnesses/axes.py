"""Batch and time mixed up: what a loss makes of the axis that a layer takes for the batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from tinygrad_rnn.bptt.illnesses.finding import Finding
from tinygrad_rnn.bptt.record import Record
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.operations.traits import inputs_of, traits_of
from tinygrad_rnn.reading.given import role_of
from tinygrad_rnn.reading.layers import Layer, where

_ADVICE = (
    "look whether batch and time are mixed up: without batch_first=True layers of nn take and "
    "give (T, batch, features), and output[-1], not output[:, -1], is the last step"
)
_TRANSPOSE = "use transpose(0, 1): only that makes the one axis the other"


def mixed_up_axes(record: Record) -> Iterator[Finding]:
    """Layers of whose batch the loss sees one sequence at all steps, or an average as features.

    That is what remains of ``output[:, -1]`` and ``output.mean(1)`` where the second axis is not
    time. It is rarely meant, but may be.
    """
    yield from _reshaped(record)
    for layer, states in _states(record).items():
        shapes = {state.shape for state in states}
        steps = tuple(sorted(int(state.tag.step or 0) for state in states))
        shape = shapes.pop()
        if shapes or len(shape) != 2 or shape[0] < 2 or len(steps) < 2:
            continue
        users = _users(record)
        what = _one_sequence(record, states, users, shape[0]) or _average(states, users)
        if what:
            yield Finding("note", "mixed-up axes", where(layer, steps), what, _ADVICE, steps)
            return  # the layers below are read in the same way


def _reshaped(record: Record) -> Iterator[Finding]:
    """Two axes that change places by `reshape`, which leaves elements in their order."""
    for node in record.places:
        if "shape" in node.params and node.primitive.view and len(node.shape) > 2:
            before, after = node.parents[0].shape, node.shape
            swapped = (before[1], before[0], *before[2:]) if len(before) > 2 else None
            if swapped == after and before[0] != before[1] and 1 not in before[:2]:
                what = (
                    f"{before} becomes {after} by {node.primitive.name}, which keeps the order of "
                    "elements: sequences are torn apart"
                )
                place = where(Layer.of(node).spoken or node.primitive.name, [node.tag.step])
                yield Finding("warning", "mixed-up axes", place, what, _TRANSPOSE)
                return


def _states(record: Record) -> dict[str, list[Node]]:
    """By layer, the last first, the states that leave the time steps in a stack."""
    found: dict[str, list[Node]] = defaultdict(list)
    stacked = {p for node in record.places if _is_stack(node) for p in node.parents}
    for place in reversed(record.places):
        if place in stacked and role_of(place) == "state" and place.tag.step:
            found[Layer.of(place).spoken].append(place)
    return found


def _is_stack(node: Node) -> bool:
    return traits_of(node.primitive).joins == "anew" and node.params["dim"] == 0


def _users(record: Record) -> dict[Node, list[Node]]:
    found: dict[Node, list[Node]] = defaultdict(list)
    for node in record.places:
        for parent in node.parents:
            found[parent].append(node)
    return found


def _one_sequence(
    record: Record, states: list[Node], users: dict[Node, list[Node]], batch: int
) -> str:
    """That of all sequences only one reaches the loss, but at every step."""
    stacks = {user for user in users[states[0]] if _is_stack(user)}
    gradients = [record.gradient(stack) for stack in stacks]
    alive = [np.abs(g).max(axis=tuple(range(2, g.ndim))) > 0 for g in gradients if g is not None]
    if len(alive) != 1 or not alive[0].any(axis=1).all():
        return ""
    reached = np.flatnonzero(alive[0].any(axis=0))
    if len(reached) != 1:
        return ""
    return (
        f"of {batch} sequences in the batch only number {reached[0] + 1} reaches the loss, but at "
        f"every one of {len(states)} steps"
    )


def _average(states: list[Node], users: dict[Node, list[Node]]) -> str:
    """That a reduction over the batch alone goes on into weights, as if it were over time."""
    waiting = [(user, 1) for user in users[states[0]] if _is_stack(user)]
    while waiting:
        node, batch = waiting.pop()
        for user in users[node]:
            reduced = user.params.get("axis") == (batch,) and len(user.shape) < len(node.shape)
            if "dims" in user.params:
                waiting.append((user, user.params["dims"].index(batch)))
            elif reduced and any(map(_meets_weights, users[user])):
                return (
                    f"{user.primitive.name} over the {node.shape[batch]} sequences of the batch "
                    "goes on into weights: sequences are mixed, and each step is a sample"
                )
    return ""


def _meets_weights(node: Node) -> bool:
    factors = inputs_of(node, traits_of(node.primitive).product)
    return any(factor.is_leaf and factor.requires_grad for factor in factors)
