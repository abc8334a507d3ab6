"""States that are cut off where nothing says which steps there are: values that come again."""

from __future__ import annotations

from collections.abc import Iterator

from tinygrad_rnn.bptt.illnesses.cuts import (
    ADVICE_ON_DETACHED,
    fits_in,
    is_constant,
    is_uniform,
    parts_of,
)
from tinygrad_rnn.bptt.illnesses.finding import Finding
from tinygrad_rnn.bptt.record import Record
from tinygrad_rnn.engine.graph import Node, tape
from tinygrad_rnn.operations.traits import inputs_of, traits_of
from tinygrad_rnn.reading.given import was_detached
from tinygrad_rnn.reading.layers import Layer

Shape = tuple[int, ...]
_Made = dict[Shape, dict[bytes, Node]]


def values_that_come_again(record: Record) -> Iterator[Finding]:
    """What some weights have made, given to the same weights again, but as a constant.

    That is a loop whose state is detached: its passes hang together no more, so that they are no
    time steps, unless the program says so; nor are calls of a layer for one step each. Of a loop
    of which the walk sees one pass only, this is all that is left: a detached value, beside other
    inputs, of which one of its kind is made.
    """
    meeting = _meeting(record)
    made = _values_made(record, {constant.shape for constant in meeting.values()})
    again = [node for node, c in meeting.items() if _has_come_before(record, node, c, made)]
    if again:
        what = (
            f"a constant that comes in has the value of something that the same weights made "
            f"before, {len(again)} times: gradients do not go back from there"
        )
        yield _finding("warning", again[0], what)
        return
    if any(place.tag.step for place in record.places):
        return
    for node, constant in meeting.items():
        if was_detached(constant) and _is_made_anew(record, constant):
            what = "a detached value comes in, as a state of an earlier step would"
            yield _finding("note", node, what)
            return


def _finding(severity: str, node: Node, what: str) -> Finding:
    place = Layer.of(node).spoken or node.primitive.name
    return Finding(severity, "detached state", place, what, ADVICE_ON_DETACHED)


def _meeting(record: Record) -> dict[Node, Node]:
    """The products of a constant with weights, and the constant."""
    found = {}
    for node in record.places:
        factors = inputs_of(node, traits_of(node.primitive).product) if not node.is_leaf else []
        if factors and is_constant(factors[0]) and factors[1].requires_grad:
            found[node] = factors[0]
    return found


def _values_made(record: Record, wanted: set[Shape]) -> _Made:
    """What was computed, by its value; only of shapes that may be all of a constant, or columns."""
    shapes = {place.shape for place in record.places if not place.is_leaf}
    useful = {shape for shape in shapes if any(fits_in(shape, other) for other in wanted)}
    made: _Made = {shape: {} for shape in useful}
    for place in record.places:
        if not place.is_leaf and place.shape in useful:
            value = record.value(place)
            if value is not None and not is_uniform(value):
                made[place.shape].setdefault(value.tobytes(), place)
    return made


def _has_come_before(record: Record, node: Node, constant: Node, made: _Made) -> bool:
    """Whether what was made with the weights of a product has the value of its constant."""
    value = record.value(constant)
    if value is None:
        return False
    weight = inputs_of(node, traits_of(node.primitive).product)[1]
    for shape, values in made.items():
        for part in parts_of(value, shape):
            place = values.get(part.tobytes())
            if place is not None and place.order < node.order and weight in tape([place]):
                return True
    return False


def _is_made_anew(record: Record, constant: Node) -> bool:
    """Whether of a constant, and of another one, something of the same shape is made."""
    made, mixed = {constant}, set()
    for place in record.places:
        others = [p for p in place.parents if p is not constant]
        if any(is_constant(p) or p in mixed for p in others):
            mixed.add(place)
        if not made.isdisjoint(place.parents):
            made.add(place)
            if place.shape == constant.shape and place in mixed:
                return True
    return False
