"""Steps at which a state that is handed on is multiplied by 0, or passes nothing back otherwise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from tinygrad_rnn.bptt.illnesses.finding import Finding
from tinygrad_rnn.bptt.illnesses.zeros import reason
from tinygrad_rnn.bptt.record import Record, Visit
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.operations.traits import traits_of
from tinygrad_rnn.reading.layers import Layer, where
from tinygrad_rnn.reading.steps import of_another_step

FAINT = 1e-30  # what is less may become 0 by a product with any number
_ADVICE = (
    "nothing after this step teaches anything before it; take the factor, mask or rounding out of "
    "the way of the state, or right where sequences begin anew here"
)


def blocked_states(record: Record) -> Iterator[Finding]:
    """States to which nothing comes back from other steps, though something came to these.

    Constants are at fault here, as a mask of zeros is, or an operation that is flat: what weights
    and saturated units stop is told elsewhere.
    """
    blocked: dict[str, list[Visit]] = defaultdict(list)
    by_step: dict[int | None, list[Visit]] = defaultdict(list)
    for visit in record.visits:
        by_step[visit.step].append(visit)
    visited = {visit.node: visit for visit in record.visits}
    for place, users in _carried(record).items():
        own = visited.get(place)
        stops = _stops(place, users, by_step)
        if own and own.cotangent.any() and not _passes(own, set(place.parents)):
            stops = [own]  # it was made 0 before it was handed on
        if stops and all(map(_is_to_blame, stops)):
            blocked[Layer.of(stops[0].node).spoken].extend(stops)
    for layer, visits in blocked.items():
        steps = tuple(sorted({int(visit.step or 0) for visit in visits}))
        what = f"the state passes no gradient back: {reason(list(dict.fromkeys(visits)))}"
        yield Finding(
            "warning", "blocked state", where(layer, steps), what, _ADVICE, steps,
            visit=min(visit.number for visit in visits),
        )  # fmt: skip


def _carried(record: Record) -> dict[Node, list[Visit]]:
    """The places that other steps use, and the visits of those that do."""
    found: dict[Node, list[Visit]] = defaultdict(list)
    for visit in record.visits:
        if visit.step is not None:
            for parent in visit.node.parents:
                if not parent.is_leaf and of_another_step(parent, visit.step):
                    found[parent].append(visit)
    return found


def _stops(place: Node, users: list[Visit], by_step: dict[int | None, list[Visit]]) -> list[Visit]:
    """Where all that comes back to a place from other steps ends; none if something arrives."""
    if any(_passes(visit, {place}) for visit in users):
        return []
    return [
        stop for step in dict.fromkeys(visit.step for visit in users)
        for stop in _dead_ends(place, by_step[step])
    ]  # fmt: skip


def _dead_ends(place: Node, visits: list[Visit]) -> list[Visit]:
    """The visits of one step to which a gradient came, and that sent none on towards a place."""
    leading, stops = {place}, []
    for visit in reversed(visits):  # oldest first: what leads there is known
        if leading.isdisjoint(visit.node.parents):
            continue
        if visit.cotangent.any() and not _passes(visit, leading):
            stops.append(visit)
        leading.add(visit.node)
    return stops


def _passes(visit: Visit, towards: set[Node]) -> bool:
    """Whether a visit sent anything but zeros to some places."""
    pairs = zip(visit.node.parents, visit.contributions, strict=True)
    return any(c is not None and c.any() for parent, c in pairs if parent in towards)


def _is_to_blame(visit: Visit) -> bool:
    """Whether no weight, gate or saturated unit, nor faintness, is the reason."""
    computed = sum(parent.requires_grad for parent in visit.node.parents)
    faint = np.abs(visit.cotangent).max(initial=0) < FAINT
    return computed == 1 and not faint and not traits_of(visit.node.primitive).activation
