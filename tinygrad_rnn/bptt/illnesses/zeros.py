"""Why a gradient is zero: where on the way to it nothing was let through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tinygrad_rnn.bptt.illnesses.finding import Finding
from tinygrad_rnn.bptt.record import Record, Visit
from tinygrad_rnn.bptt.zero import Zeros
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.operations.traits import inputs_of, traits_of
from tinygrad_rnn.reading.given import name_of
from tinygrad_rnn.reading.layers import Layer, moments

_IDLE = (
    "natural after one time step from an initial state of zeros, as in the reverse direction's "
    "output[-1]; else look at what it is used with"
)
_SHIFT = "natural for what shifts all scores of a softmax alike: leave it out (bias=False)"
_ADVICE = "let something through there: other initial values, a smaller learning rate, leaky_relu"


def zero_gradients(record: Record, parameters: Sequence[tuple[str, Node]]) -> Iterator[Finding]:
    """Parameters whose gradient is exactly zero, with the operations that let nothing through."""
    gradients = [(name, place, record.gradient(place)) for name, place in parameters]
    known = [(name, place, g) for name, place, g in gradients if g is not None and g.size]
    zeros = Zeros(record)
    groups: dict[tuple[str, tuple[Visit, ...]], list[str]] = {}
    for name, place, g in known:
        if not g.any():
            stops = tuple(zeros.visits(place))
            groups.setdefault((_advice(record, place, stops), stops), []).append(name)
    for (advice, stops), concerned in groups.items():
        everything = len(concerned) == len(known)
        severity = "note" if advice is not _ADVICE else "error" if everything else "warning"
        why = reason(() if advice is _SHIFT else stops)
        yield Finding(
            severity, "zero gradient", _listed(concerned, everything),
            f"{_are(len(concerned), everything)} exactly 0: {why}", advice,
            tuple(sorted({visit.step for visit in stops if visit.step is not None})),
            visit=stops[0].number if stops else None,
            parameters=tuple(concerned),
        )  # fmt: skip


def _advice(record: Record, place: Node, stops: Sequence[Visit]) -> str:
    """What to do where a gradient stops: natural is a constant of zeros, and what cancels."""
    if stops and all(meets_zeros(record, visit.node) for visit in stops):
        return _IDLE
    if stops and all(_only_adds_up(visit.node, place) for visit in stops):
        return _SHIFT
    return _ADVICE


def _listed(concerned: list[str], everything: bool) -> str:
    count = len(concerned)
    if everything and count > 1:
        return f"all {count} parameters"
    more = f" and {count - 3} more" if count > 4 else ""
    return ", ".join(concerned[:3] if more else concerned) + more


def _are(count: int, everything: bool) -> str:
    if count == 1:
        return "the gradient is"
    return f"all {count} gradients are" if everything else f"{count} gradients are"


def meets_zeros(record: Record, node: Node) -> bool:
    """Whether a node uses a constant of zeros, such as an initial state."""
    constants = [p for p in node.parents if p.is_leaf and not p.requires_grad]
    values = [record.value(p) for p in constants]
    return any(value is not None and not np.any(value) for value in values)


def _only_adds_up(node: Node, place: Node) -> bool:
    """Whether a place is added to many elements, so that what it receives is their sum."""
    factors = inputs_of(node, traits_of(node.primitive).product)
    return place in node.parents and place not in factors and len(place.shape) < len(node.shape)


def reason(stops: Sequence[Visit]) -> str:
    if not stops:
        return "no gradient came to the loss, or contributions cancel"
    kinds: dict[Any, list[Visit]] = {}
    for visit in stops:
        name, given = visit.node.primitive.name, name_of(visit.node)
        called = f"{name} (called {given})" if given else name
        kinds.setdefault((Layer.of(visit.node).spoken, name, called), []).append(visit)
    words = []
    for (layer, _, called), visits in kinds.items():
        place = f" of {layer}" if layer else ""
        time = moments([visit.step for visit in visits])
        why = traits_of(visits[0].node.primitive).stops or "its rule gives 0 there"
        words.append(f"the {called}{place} passes nothing{time and f' at {time}'}: {why}")
    return "; ".join(words)
