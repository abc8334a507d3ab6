"""Gradients that vanish or explode on their way back through time."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from tinygrad_rnn.bptt.illnesses.finding import Finding
from tinygrad_rnn.bptt.record import Record
from tinygrad_rnn.bptt.state_flow import Arrivals
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.engine.sums import dense, fitted
from tinygrad_rnn.reading.layers import where
from tinygrad_rnn.reading.states import Ways, recurrences
from tinygrad_rnn.writing import figures

VANISHED = 1e-6  # less than this float32 hardly notices beside 1
EXPLODED = 1e3
FEWEST = 4  # time steps for a rate
_SMALL = (
    "vanishing gradient",
    "shrinks",
    "what is so long ago is not learned: use an LSTM or GRU (with a forget bias of 1), orthogonal "
    "recurrent weights, or shorter sequences",
)
_LARGE = (
    "exploding gradient",
    "grows",
    "clip gradients (nn.utils.clip_grad_norm_), or scale the recurrent weights down",
)


class Rate(NamedTuple):
    """How the gradient of a layer's state changes on its way back.

    ``rate``: the factor per time step, by a line fitted to the logarithm of its norm; ``total``:
    the factor from the last to the first of ``steps``, which are in the order of the walk.
    """

    rate: float
    total: float
    steps: tuple[int, ...]


def vanishing_or_exploding(record: Record) -> Iterator[Finding]:
    """Layers through which gradients do not come, or grow out of bounds."""
    for layer, (rate, total, steps) in rates(record).items():
        if VANISHED < total < EXPLODED:
            continue
        kind, verb, advice = _SMALL if total <= VANISHED else _LARGE
        what = (
            f"∂L/∂h {verb} on its way back: a factor of {rate:.2g} per step, {total:.1e} over "
            f"{len(steps) - 1} steps"
        )
        order = tuple(sorted(steps))
        yield Finding("warning", kind, where(layer, order), what, advice, order, rate=rate)


def rates(record: Record) -> dict[str, Rate]:
    """The rate of every recurrent layer that has a few time steps.

    What the last time step sent back is followed through the layer alone, without what losses at
    other steps add on the way: that would hide how little of it arrives. An LSTM's h and c count
    as one state.
    """
    layers = recurrences(record.places)
    arrived = Arrivals(record, layers)
    found = {}
    for i, each in reversed([*enumerate(layers)]):
        states = {place for state in each.states for place in state.places.values()}
        sent = {state: g for state, g in arrived.through_time.items() if state in states}
        if not sent:
            continue
        last = next(visit.step for visit in record.visits if visit.node in sent)
        start = {state: g for state, g in sent.items() if state.tag.step == last}
        norms = _norms(record, arrived.ways, 1 << i, start)
        steps = [step for step, norm in norms.items() if 0 < norm < np.inf]
        if len(steps) == len(norms) >= FEWEST:
            logs = np.log([norms[step] for step in steps])
            slope = np.polyfit(np.arange(len(logs)), logs, 1)[0]
            with np.errstate(over="ignore"):
                rate, total = np.exp(slope), np.exp(logs[-1] - logs[0])
            found[each.layer.spoken] = Rate(float(rate), float(total), tuple(steps))
    return found


def _norms(record: Record, ways: Ways, layer: int, start: dict[Node, Any]) -> dict[int, float]:
    """By time step, newest first, the norm of what comes through time if ``start`` is sent."""
    sums, through = dict(start), dict(start)
    for visit in record.visits:
        node = visit.node
        if node not in sums:
            continue
        inside = [ways.within(layer, parent) for parent in node.parents]
        for parent, c in _pulled(record, node, sums.pop(node), inside):
            sums[parent] = sums[parent] + c if parent in sums else c
            if ways.through_time(parent, node):
                through[parent] = through[parent] + c if parent in through else c
    norms: dict[int, float] = {}
    for state, g in through.items():
        step = int(state.tag.step or 0)
        norms[step] = float(np.hypot(norms.get(step, 0.0), figures.norm(g)))
    return norms


def _pulled(record: Record, node: Node, g: Any, inside: list[bool]) -> Iterator[tuple[Node, Any]]:
    """What a node sends to those parents when it receives ``g``: its rules once more."""
    primitive = node.primitive
    if not isinstance(primitive, Primitive):
        return  # a Function, whose saved tensors are gone
    inside = [p.requires_grad and wanted for p, wanted in zip(node.parents, inside, strict=True)]
    rules = [primitive.joint] if primitive.joint else primitive.rules
    needed = {i for rule in rules if rule is not None for i in rule.kept}
    places = (*node.parents, node)
    saved = [record.value(place) if i in needed else None for i, place in enumerate(places)]
    at = SimpleNamespace(saved=saved, parents=node.parents, params=node.params)
    with np.errstate(all="ignore"):
        if primitive.joint:
            sent = primitive.joint.pull(g, at)
        else:
            pairs = zip(inside, primitive.pulls, strict=True)
            sent = [pull(g, at) if wanted else None for wanted, pull in pairs]
    for parent, wanted, c in zip(node.parents, inside, sent, strict=True):
        if wanted:
            yield parent, dense(fitted(c, parent.shape, False), parent.shape)
