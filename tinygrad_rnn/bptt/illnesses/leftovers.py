"""Gradients of an earlier walk that this one was added to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tinygrad_rnn.bptt.illnesses.finding import Finding
from tinygrad_rnn.bptt.record import Record
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.writing.norms import norm

_ADVICE = (
    "call optimizer.zero_grad() before each backward pass; right only where gradients of several "
    "losses are to be added up"
)


def leftover_gradients(record: Record, parameters: Sequence[tuple[str, Node]]) -> Iterator[Finding]:
    """Parameters whose ``.grad`` was not zero when the walk came, so that it is not its sum."""
    found = {}
    for name, place in parameters:
        gradient = record.gradient(place)
        if place in record.before and gradient is not None:
            found[name] = record.before[place], norm(gradient)
    if found:
        name, (before, brought) = max(found.items(), key=lambda item: item[1][0])
        what = (
            f".grad held something already when the walk added to it: of {name} ‖.grad‖ was "
            f"{before:.3g}, and the walk brought {brought:.3g}"
        )
        count = len(found)
        listed = ", ".join([*found][:3]) + (f" and {count - 3} more" if count > 3 else "")
        named = tuple(found)
        yield Finding("warning", "leftover gradient", listed, what, _ADVICE, parameters=named)
