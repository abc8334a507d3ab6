"""Units that do not pass gradients: dead ReLUs and saturated gates."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np

from tinygrad_rnn.bptt.illnesses.finding import Finding
from tinygrad_rnn.bptt.record import Record
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.operations.traits import traits_of
from tinygrad_rnn.reading.given import name_of
from tinygrad_rnn.reading.layers import where
from tinygrad_rnn.reading.steps import positions

DEAD_SHARE = 0.5  # of a layer's units; fresh ReLU layers reach a third
ENOUGH = 8  # samples, before a unit that was 0 in all of them is called dead
MANY = 16  # outputs, which are not all 0 at one time step by chance
END = 0.01  # nearer to an end than this, a gate's slope is below 2 % of 1
SATURATED_SHARE = 0.5  # of a gate's outputs at a time step

_REVIVE = "lower the learning rate, start with positive biases, or use leaky_relu or tanh"
_DESATURATE = "smaller weights or inputs, clipping of gradients, or layer normalisation"


def dead_relus(record: Record) -> Iterator[Finding]:
    """ReLU units that are 0 for every sample and time step, and steps at which all are."""
    for (layer, _, name), nodes in _alike(record, ("relu",)).items():
        off = [(node.tag.step, _by_unit(record.value(node)) <= 0) for node in nodes]
        dead = np.logical_and.reduce([zeros.all(axis=0) for _, zeros in off])
        samples = sum(len(zeros) for _, zeros in off)
        share = float(dead.mean()) if dead.size else 0.0
        steps = [step for step, _ in off]
        every = f"in all of {samples} samples" if samples > 1 else "in the only sample"
        if share == 1:
            units = f"all {dead.size} units of {name} are" if dead.size > 1 else f"{name} is"
            what = f"{units} 0 {every}: no gradient passes"
            yield _finding("error", layer, what, steps, share)
        elif share >= DEAD_SHARE and samples >= ENOUGH:
            what = f"{dead.sum()} of {dead.size} units of {name} ({share:.0%}) are 0 {every}"
            yield _finding("warning", layer, what, steps, share)
        elif dark := [t for t, zeros in off if zeros.size >= MANY and zeros.all()]:
            what = f"all units of {name} are 0 at these steps: no gradient passes them"
            yield _finding("warning", layer, what, dark, share)


def _finding(severity: str, layer: str, what: str, steps: Any, share: float) -> Finding:
    known = tuple(sorted({step for step in steps if step is not None}))
    return Finding(severity, "dead ReLU", where(layer, steps), what, _REVIVE, known, share)


def saturated_gates(record: Record) -> Iterator[Finding]:
    """Sigmoid and tanh outputs in time steps most of which are at an end of their range."""
    ends = _ends(record)
    for (layer, primitive, name), nodes in _alike(record, ends).items():
        low: dict[int, float] = {}
        high: dict[int, float] = {}
        bottom, top = ends[primitive]
        for node in nodes:
            value, step = record.value(node), node.tag.step
            if value is not None and step is not None and np.size(value):
                low[step] = float(np.mean(value < bottom + END))
                high[step] = float(np.mean(value > top - END))
        full = [step for step in sorted(low) if low[step] + high[step] >= SATURATED_SHARE]
        if not full:
            continue
        near_low, near_high = (np.mean([side[step] for step in full]) for side in (low, high))
        what = (
            f"{near_low + near_high:.0%} of the outputs of {name} are within {END} of an end "
            f"({near_low:.0%} near {bottom}, {near_high:.0%} near {top}), where the slope is "
            "almost 0"
        )
        share = float(near_low + near_high)
        place = where(layer, full)
        yield Finding("warning", "saturated gate", place, what, _DESATURATE, tuple(full), share)


def _ends(record: Record) -> dict[str, tuple[int, int]]:
    """By its name, the ends of the range of each operation that makes gates."""
    used = {place.primitive for place in record.places if not place.is_leaf}
    known = {primitive.name: traits_of(primitive) for primitive in used}
    return {name: traits.squashes for name, traits in known.items() if traits.squashes}


def _alike(record: Record, primitives: Collection[str]) -> dict[tuple[str, str, str], list[Node]]:
    """What the same line of a layer made at different time steps, with a name for it."""
    made = [
        node
        for node in record.places
        if not node.is_leaf and node.primitive.name in primitives and record.value(node) is not None
    ]
    found: dict[tuple[str, str, str], list[Node]] = {}
    for node, (layer, (primitive, name), number) in positions(made, kind=_kind).items():
        numbered = name if number == 1 else f"{name} (number {number})"
        found.setdefault((layer.spoken, primitive, numbered), []).append(node)
    return found


def _kind(node: Node) -> tuple[str, str]:
    return node.primitive.name, _name(node)


def _name(node: Node) -> str:
    """The name that a node was given, or the operation: "tanh(c)"."""
    if name := name_of(node):
        return name
    (operand,) = node.parents
    primitive = str(node.primitive.name)
    named = name_of(operand)
    return f"{primitive}({named})" if named else primitive


def _by_unit(value: Any) -> Any:
    """Samples × units."""
    a = np.atleast_1d(value)
    return a.reshape(math.prod(a.shape[:-1]), a.shape[-1])
