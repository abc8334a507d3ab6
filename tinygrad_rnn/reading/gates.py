"""Gates that one tensor holds side by side: which they are, and where each begins.

An LSTM computes what goes into its four gates at once and cuts the result into four parts.  So does
whatever is told by its cuts: the names of the gates are found behind them, and what the whole is
made of (sums, biases, the rows of weights) is divided in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.operations.traits import inputs_of, moves_only, traits_of
from tinygrad_rnn.reading.names import stem
from tinygrad_rnn.reading.uses import users_of

COLUMNS, ROWS = -1, -2


@dataclass(frozen=True)
class Gates:
    """How a tensor is divided into equal parts.

    Attributes
    ----------
    names : tuple of str
        Of the parts, in their order; what nobody has named is called by its columns, "[0:3]".
    axis : {COLUMNS, ROWS}
        Along which they follow each other.
    """

    names: tuple[str, ...]
    axis: int = COLUMNS


def gates_of(places: list[Node], names: Mapping[Node, str]) -> dict[Node, Gates]:
    """The tensors of a graph that hold several gates; ``places`` are oldest first.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> from tinygrad_rnn.engine.graph import tape
    >>> from tinygrad_rnn.reading.names import names
    >>> cell = tg.nn.LSTMCell(3, 2)
    >>> places = tape([cell(tg.ones(3))[0].node])
    >>> called = names(places)
    >>> for place, gates in gates_of(places, called).items():
    ...     if place.is_leaf:
    ...         print(called[place], place.shape, *gates.names, gates.axis)
    bias_hh (8,) i f g o -1
    bias_ih (8,) i f g o -1
    weight_hh (8, 2) i f g o -2
    weight_ih (8, 3) i f g o -2
    """
    users, found = users_of(places), dict[Node, Gates]()
    for place in reversed(places):  # users first: a tensor is divided as what is made of it
        if gates := _cut(place, users, names) or _as_used(place, users[place], found):
            found[place] = gates
    return found


def _cut(
    place: Node, users: Mapping[Node, list[Node]], names: Mapping[Node, str]
) -> Gates | None:  # fmt: skip
    """The parts into which a tensor is cut along its last axis, if that is all that is done."""
    parts = users[place]
    if len(parts) < 2 or not place.shape:
        return None
    starts = {_start(place, part): part for part in parts}
    wide, odd = divmod(place.shape[-1], len(parts))
    due = [wide * k for k in range(len(parts))]
    if odd or starts.keys() != set(due) or any(part.shape[-1] != wide for part in parts):
        return None
    called = [_gate(starts[start], users, names) for start in due]
    if len(set(called)) < len(parts) or not all(map(str.isidentifier, called)):
        called = [f"[{start}:{start + wide}]" for start in due]
    return Gates(tuple(called))


def _start(place: Node, part: Node) -> int | None:
    """At which column of a tensor a part begins that has all of its rows."""
    if not traits_of(part.primitive).part or len(part.shape) != len(place.shape):
        return None
    numbers = _numbered(place)
    read = part.primitive.forward(numbers, **part.params)
    start = int(read.flat[0])
    wide = part.shape[-1]
    same = np.array_equal(read, numbers[..., start : start + wide])
    return start if same else None


def _gate(part: Node, users: Mapping[Node, list[Node]], names: Mapping[Node, str]) -> str:
    """The gate into which a part goes, or its own name."""
    at = part
    while len(users[at]) == 1:
        (at,) = users[at]
        if traits_of(at.primitive).squashes is not None:
            return stem(at, names)
    return stem(part, names)


def _as_used(place: Node, users: list[Node], found: Mapping[Node, Gates]) -> Gates | None:
    """How a tensor is divided of which something divided is made."""
    for user in users:
        whole = found.get(user)
        if whole is None or whole.axis != COLUMNS:
            continue
        axis = _axis(user, place)
        if axis is not None:
            return Gates(whole.names, axis)
    return None


def _axis(user: Node, place: Node) -> int | None:
    """Which axis of an operand becomes the columns of a result."""
    factors = traits_of(user.primitive).product
    if factors and place in (both := inputs_of(user, factors)):
        return _axis_of_factor(user, place is both[1], len(both[1].shape) == 1)
    size = user.shape[-1]
    if moves_only(user.primitive) and len(user.parents) == 1:
        numbers = _numbered(place)
        read = user.primitive.forward(numbers, **user.params)
        row, column = np.divmod(read, place.shape[-1] if place.shape else 1)
        if (column == np.arange(size)).all():
            return COLUMNS
        return ROWS if len(place.shape) == 2 and (row == np.arange(size)).all() else None
    return COLUMNS if place.shape[-1:] == (size,) else None


def _axis_of_factor(user: Node, is_second: bool, is_by_vector: bool) -> int | None:
    if user.primitive.symbol != "@":  # y = x Wᵀ + b
        return ROWS if is_second else None
    if is_by_vector:  # y = W x
        return None if is_second else ROWS
    return COLUMNS if is_second else None


def _numbered(place: Node) -> Any:
    """An array of a place's shape that says of each element which it is."""
    return np.arange(math.prod(place.shape)).reshape(place.shape)
