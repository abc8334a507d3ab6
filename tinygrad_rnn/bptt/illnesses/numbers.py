"""Where NaN and infinity come from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_rnn.bptt.illnesses.finding import Finding
from tinygrad_rnn.bptt.record import Record, Visit
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.operations.traits import traits_of
from tinygrad_rnn.reading.layers import Layer, where
from tinygrad_rnn.reading.names import expression, names
from tinygrad_rnn.writing import figures

_GENERAL = "look at the values that came in: smaller steps, clipped gradients, or scaled inputs"


def not_finite(record: Record) -> Iterator[Finding]:
    """The operation or the rule by which a loss or a gradient first stopped being finite.

    Infinity on the way (in a mask, say) is none of our business if neither is affected.
    """
    value = record.value(record.root)
    if value is not None and not _finite(value):
        yield _in_forward(record)
        return
    gradients = map(record.gradient, record.places)
    if all(g is None or _finite(g) for g in gradients):
        return  # so was everything that they are sums of
    if visit := _first_bad(record):
        yield _in_backward(record, visit)


def _in_forward(record: Record) -> Finding:
    """Follow the loss's NaN back to the first NaN, and whatever made that to the first ∞."""
    values = {place: record.value(place) for place in record.places}
    bad = {place: v for place, v in values.items() if v is not None and not _finite(v)}
    if _has_nan(values[record.root]):
        origin = next(place for place, value in bad.items() if _has_nan(value))
    else:
        origin = record.root
    result = origin
    while sources := [parent for parent in origin.parents if parent in bad]:
        origin = sources[0]
    if origin.is_leaf and not origin.requires_grad and not _has_nan(values[origin]):
        origin = result  # an infinity that was put there, as in a mask
    called = names(record.places, record.called)
    what = f"{_made(origin, called)} contains {_kind(values[origin])}"
    if origin.is_leaf:
        advice = "the forward pass began with it: check the data, and parameters after each step"
    else:
        operands = [(called[p], values[p]) for p in origin.parents if values[p] is not None]
        what += ", although " if all(_finite(v) for _, v in operands) else ", where "
        what += " and ".join(f"{name} is {_range(v)}" for name, v in operands)
        advice = _remedy(origin)
    if result is not origin and _has_nan(values[result]):
        what += f"; it becomes NaN in {_made(result, called)}"
    return _finding(origin, what, advice)


def _first_bad(record: Record) -> Visit | None:
    """The first visit to which a finite gradient came, and that sent on one that is not."""
    for visit in record.visits:
        if not _finite(visit.cotangent):
            return visit  # so came from the loss's own, or from a hook
        if not all(c is None or _finite(c) for c in visit.contributions):
            return visit
    return None


def _in_backward(record: Record, visit: Visit) -> Finding:
    called, node = names(record.places, record.called), visit.node
    if not _finite(visit.cotangent):
        what = f"∂L/∂{called[node]} contains {_kind(visit.cotangent)} before any rule has made it"
        advice = "look at the gradient given to record, and at hooks"
        return _finding(node, what, advice, visit.number)
    sent = zip(node.parents, visit.contributions, strict=True)
    parent, c = next((p, c) for p, c in sent if c is not None and not _finite(c))
    what = (
        f"the gradient is finite up to {_made(node, called)}, whose rule sends {_kind(c)} to "
        f"{called[parent]}"
    )
    value = record.value(parent)
    if value is not None:
        what += f", which is {_range(value)}"
    return _finding(node, what, _remedy(node), visit.number)


def _remedy(node: Node) -> str:
    return traits_of(node.primitive).remedy or _GENERAL


def _finding(node: Node, what: str, advice: str, visit: int | None = None) -> Finding:
    step = node.tag.step
    place = where(Layer.of(node).spoken, [step])
    steps = () if step is None else (step,)
    return Finding("error", "not finite", place, what, advice, steps, visit=visit)


def _made(place: Node, called: dict[Node, str]) -> str:
    return f"{called[place]} {expression(place, called)}".rstrip()


def _finite(a: Any) -> bool:
    return bool(np.isfinite(a).all())


def _has_nan(a: Any) -> bool:
    return a is not None and bool(np.isnan(a).any())


def _kind(a: Any) -> str:
    return "NaN" if _has_nan(a) else "infinity"


def _range(a: Any) -> str:
    """The numbers in an array, in a word or two."""
    if not np.size(a):
        return "empty"
    if not _finite(a):
        return f"partly {_kind(a)}"
    low, high = figures.number(np.min(a)), figures.number(np.max(a))
    return low if low == high else f"from {low} to {high}"
