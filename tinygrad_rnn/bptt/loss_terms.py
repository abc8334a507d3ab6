"""The terms of a loss: where its gradient enters time, and what each of them sends on alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_rnn.bptt.record import Record, Visit
from tinygrad_rnn.bptt.replica import replica
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.engine.traversal import walk
from tinygrad_rnn.reading.given import role_of
from tinygrad_rnn.reading.states import recurrences
from tinygrad_rnn.reading.steps import of_another_step
from tinygrad_rnn.reading.uses import users_of

Array = np.ndarray[Any, Any]
Sent = tuple[int | None, Visit, Any]  # a loss term, a visit, and what it sent of that term

_WHOLE = 0  # the one mark of a copy: nothing is cut


def sent_by_term(record: Record, place: Node) -> Iterator[Sent]:
    """What visits sent to a place, taken apart by the loss term that it comes from.

    The gradient enters time at some steps; what enters at step t is loss term t, and ``None``
    what never does. The rest of the walk is linear in what enters, so each term is walked alone,
    over copies: the terms add up to what the visits sent.
    """
    visits = {visit.node: visit for visit in record.visits}
    above = _above(record)
    entering: dict[int | None, dict[Node, Array]] = defaultdict(dict)
    if record.root not in above:
        entering[record.root.tag.step][record.root] = np.asarray(record.gradient(record.root))
    for visit in record.visits:
        if visit.node in above:
            for parent, c in zip(visit.node.parents, visit.contributions, strict=True):
                if c is None or parent in above:
                    continue
                term = None if parent.is_leaf else parent.tag.step
                if parent is place:
                    yield term, visit, c
                if not parent.is_leaf:
                    there = entering[term]
                    there[parent] = there[parent] + c if parent in there else c
    for term, starts in entering.items():
        for node, operand, c in _walked(record, place, starts):
            if visits[node].node.parents[operand] is place:
                yield term, visits[node], c


def steps_of_terms(record: Record) -> set[int]:
    """The time steps at which something of the loss's gradient enters.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> output, _ = tg.nn.RNN(1, 2)(tg.ones(5, 1))
    >>> sorted(steps_of_terms(tg.bptt.record(output[2].sum() + output[-1].sum())))
    [3, 5]
    """
    above, found = _above(record), set[int]()
    if record.root not in above and record.root.tag.step:
        found.add(record.root.tag.step)
    for visit in record.visits:
        for parent, c in zip(
            visit.node.parents, visit.contributions if visit.node in above else ()
        ):
            step = None if parent.is_leaf or parent in above else parent.tag.step
            if step and c is not None and np.any(c):
                found.add(step)
    return found


def _walked(record: Record, place: Node, starts: dict[Node, Array]) -> list[tuple[Node, int, Any]]:
    """What nodes send to a place when gradients come to ``starts`` alone."""
    copies = replica(record, [(node, _WHOLE) for node in starts], lambda node, mark, i: _WHOLE)
    at = copies.get((place, None if place.is_leaf else _WHOLE))
    originals = {copy: node for (node, _), copy in copies.items()}
    found: list[tuple[Node, int, Any]] = []

    def observe(copy: Any, g: Any, sent: list[Any]) -> None:
        for operand, (parent, c) in enumerate(zip(copy.parents, sent)):
            if parent is at and c is not None:
                found.append((originals[copy], operand, c))

    if at is not None:
        with np.errstate(all="ignore"):
            walk({copies[node, _WHOLE]: g for node, g in starts.items()}, observer=observe)
    return found


def _above(record: Record) -> set[Node]:
    """Where the loss is put together: outside of time, and in totals that steps hand on."""
    users = users_of(record.places)
    totals = _totals(record.places, users)
    above: set[Node] = set()
    for place in reversed(record.places):  # users first
        puts_together = not place.is_leaf and (place.tag.step is None or place in totals)
        if puts_together and above.issuperset(users[place]):
            above.add(place)
    return above


def _totals(places: list[Node], users: dict[Node, list[Node]]) -> set[Node]:
    """What goes on from another step, but from no state: a running loss, and what it is made of.

    A total is handed on to one step alone; what many steps read, as attention does, is none.
    """
    states = {
        place
        for layer in recurrences(places)
        for series in layer.states
        for place in series.places.values()
        if place.shape or len(users[place]) > 1 or role_of(place) == "state"
    }  # a number that is used once, by the next, is a total
    totals: set[Node] = set()
    for place in places:
        step = place.tag.step
        learns = any(parent.is_leaf and parent.requires_grad for parent in place.parents)
        if place.is_leaf or step is None or place in states or learns:
            continue
        for parent in place.parents:
            elsewhere = {user.tag.step for user in users[parent]} - {parent.tag.step}
            handed_on = of_another_step(parent, step) and len(elsewhere) == 1
            if not parent.is_leaf and parent not in states and (handed_on or parent in totals):
                totals.add(place)
    return totals
