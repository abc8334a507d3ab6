"""Losses that do not get what they expect: probabilities for logits, or no logarithms of them."""

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
from tinygrad_rnn.reading.uses import users_of
from tinygrad_rnn.writing import figures

_Trouble = tuple[str, str, str]  # the kind of finding, what was seen, what to do
_OVER_SAMPLES = "softmax over samples"
NEAR = 0.05  # to a sum of 1, which a small number beside the probabilities may shift
_TWICE = (
    "it makes probabilities of its input itself, but gets what {} made: differences between "
    "classes are squashed twice, and gradients are small however wrong the net is"
)
_ONCE = "leave {} out before it: the loss wants scores, any numbers"
_NO_LOGS = "give it log_softmax(scores, 1), or the scores themselves to cross_entropy"
_AXIS = "softmax with the axis of the classes, the last of what a Linear makes: dim=-1"


def misfed_losses(record: Record) -> Iterator[Finding]:
    """Operations that make probabilities of probabilities, or take logarithms for granted.

    And a softmax along another axis than that of the classes, of which a loss is made. Attention
    weighs by a softmax over time, which is none of this: it is multiplied and summed.
    """
    seen: dict[_Trouble, list[Node]] = defaultdict(list)
    for node in record.places:
        if trouble := _trouble(record, node):
            seen[trouble].append(node)
    if all(kind != _OVER_SAMPLES for kind, *_ in seen):
        for node in _crossed(record):
            seen[_over_samples(node)].append(node)
    for (kind, what, advice), nodes in seen.items():
        yield _finding(kind, what, advice, nodes)


def _trouble(record: Record, node: Node) -> _Trouble | None:
    """What is wrong with what an operation gets, if it expects something."""
    match traits_of(node.primitive).expects:
        case "logits":
            return _made_already(node)
        case "log-probabilities":
            return _no_logarithms(record, node)
    return None


def _crossed(record: Record) -> Iterator[Node]:
    """Each softmax of which a loss is made, along another axis than that of the units."""
    users = users_of(record.places)
    for node in record.places:
        if _is_softmax(node) and len(node.shape) > 1:
            axis, units = _axis_of(node), _axis_of_units(node.parents[0])
            crossed = units is not None and axis != units
            if crossed and node.shape[units or 0] > 1 and _is_distribution(node, users):
                yield node


def _over_samples(node: Node) -> _Trouble:
    what = (
        f"{node.primitive.name} sums to 1 along axis {_axis_of(node)} of {node.shape}, over "
        "samples or steps, not over the classes"
    )
    return _OVER_SAMPLES, what, _AXIS


def _is_softmax(node: Node) -> bool:
    """Whether an operation makes probabilities along one axis."""
    axes = node.params.get("axis") if traits_of(node.primitive).makes else None
    return axes is not None and len(axes) == 1


def _axis_of(softmax: Node) -> int:
    (axis,) = softmax.params["axis"]
    return int(axis % len(softmax.shape))


def _finding(kind: str, what: str, advice: str, nodes: list[Node]) -> Finding:
    steps = [node.tag.step for node in nodes]
    known = tuple(sorted({step for step in steps if step is not None}))
    name = nodes[0].primitive.name
    place = where(" of ".join(filter(None, (name, Layer.of(nodes[0]).spoken))), steps)
    return Finding("warning", kind, place, what, advice, known)


def _made_already(node: Node) -> _Trouble | None:
    """Whether what comes in for logits are probabilities."""
    for origin in _origins(node.parents[0]):
        if traits_of(origin.primitive).makes == "probabilities":
            name = origin.primitive.name
            return "probabilities as logits", _TWICE.format(f"a {name}"), _ONCE.format(name)
    return None


def _origins(place: Node) -> Iterator[Node]:
    """What made the elements of a place, which may have been put elsewhere or together since."""
    waiting, seen = [place], {place}
    while waiting:
        at = waiting.pop()
        traits = traits_of(at.primitive)
        if at.is_leaf or not (traits.part or traits.joins or at.primitive.view):
            yield at
            continue
        waiting += [parent for parent in at.parents if parent not in seen]
        seen.update(at.parents)


def _no_logarithms(record: Record, node: Node) -> _Trouble | None:
    """Whether numbers cannot be logarithms of probabilities of classes: their exp sum to 1."""
    value = record.value(node.parents[0])
    if value is None or not np.size(value) or np.isnan(value).any():
        return None
    values = np.asarray(value, np.float64)
    axis = min(values.ndim - 1, 1)
    with np.errstate(over="ignore"):
        sums = np.exp(values).sum(axis)
    if (abs(sums - 1) < NEAR).all():
        return None
    kind = "no log-probabilities"
    if values.min() >= 0 and (abs(values.sum(axis) - 1) < NEAR).all():
        return kind, "it gets probabilities, and wants their logarithms", _NO_LOGS
    for origin in _origins(node.parents[0]):
        if traits_of(origin.primitive).makes == "log-probabilities" and _is_softmax(origin):
            return _over_samples(origin)
    for other in (i for i in range(values.ndim) if i != axis and values.shape[i] > 1):
        if (abs(np.exp(values).sum(other) - 1) < NEAR).all():
            what = f"the exp of what it gets sum to 1 along axis {other}, not over the classes"
            return _OVER_SAMPLES, what, _AXIS
    low, high = (figures.number(end) for end in (sums.min(), sums.max()))
    what = (
        f"the exp of what it gets should sum to 1 over the classes, as those of logarithms of "
        f"probabilities do, and sum to {low if low == high else f'{low} to {high}'}: the loss has "
        "no lower bound"
    )
    return kind, what, _NO_LOGS


def _axis_of_units(place: Node) -> int | None:
    """The axis of a place along which units lie, whose weights made it; ``None``: unknown."""
    rank = len(place.shape)
    while not place.is_leaf:
        factors = inputs_of(place, traits_of(place.primitive).product)
        if factors:
            first, second = factors
            is_column = _is_weight(first) and not _is_weight(second)
            return max(rank - 1 - (is_column and len(second.shape) > 1), 0)
        if role_of(place) == "state":
            return rank - 1
        alike = [p for p in place.parents if p.shape == place.shape and not p.is_leaf]
        if len(alike) < 1:
            return None
        place = alike[0]
    return None


def _is_weight(place: Node) -> bool:
    return place.is_leaf and place.requires_grad and role_of(place) != "input"


def _is_distribution(node: Node, users: dict[Node, list[Node]]) -> bool:
    """Whether a loss is made of it: its logarithm is taken, or a target subtracted."""
    if traits_of(node.primitive).makes == "log-probabilities":
        return True
    waiting, seen = [node], {node}
    while waiting:
        at = waiting.pop()
        for user in users[at]:
            name, others = user.primitive.name, [p for p in user.parents if p is not at]
            is_number = all(p.is_leaf and p.shape == () for p in others)
            if name == "log" or traits_of(user.primitive).expects:
                return True
            if name == "sub" and all(p.is_leaf and not p.requires_grad for p in others):
                return not is_number
            hands_on = is_number or user.primitive.view or traits_of(user.primitive).joins
            if hands_on and user not in seen:
                seen.add(user)
                waiting.append(user)
    return False
