"""Parameters from which no path leads to the loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tinygrad_rnn.bptt.illnesses.finding import Finding
from tinygrad_rnn.bptt.record import Record
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
