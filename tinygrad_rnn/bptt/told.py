"""Integers that operations were told: which rows they looked up, which class was right.

They are no leaves of the graph, for nothing flows back to them; but who asks what would have been
may want to change them as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.operations.traits import traits_of
from tinygrad_rnn.reading.names import distinct

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Index:
    """Integers among the parameters of one node, and what they are called."""

    node: Node
    name: str
    numbers: Array


def indices(places: Iterable[Node], taken: Collection[str]) -> dict[Node, list[Index]]:
    """What the operations of a graph were told by integers that may be changed.

    Parameters
    ----------
    places : iterable of Node
    taken : collection of str
        Names that are not to be used.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> from tinygrad_rnn.engine.graph import tape
    >>> table = tg.ones(3, 2, requires_grad=True)
    >>> rows = tg.nn.functional.embedding(tg.tensor([2, 0]), table)
    >>> ((found,),) = indices(tape([rows.node]), ()).values()
    >>> found.name, found.numbers
    ('index', array([2, 0]))
    """
    names, found = set(taken), {}
    for place in places:
        if given := [] if place.is_leaf else _told(place):
            stem = "target" if traits_of(place.primitive).expects else "index"
            found[place] = [Index(place, distinct(stem, names), array) for array in given]
    return found


def arrays(params: Any, kinds: str) -> Iterator[Array]:
    """The arrays of some kinds among parameters: "iu" integers, "b" conditions."""
    if isinstance(params, np.ndarray):
        if params.dtype.kind in kinds:
            yield params
    elif isinstance(params, dict | tuple | list):
        for each in params.values() if isinstance(params, dict) else params:
            yield from arrays(each, kinds)


def exchanged(params: Any, new: Mapping[int, Any]) -> Any:
    """Parameters with others in the place of some arrays, which are known by their ``id``."""
    if isinstance(params, dict):
        return {key: exchanged(each, new) for key, each in params.items()}
    if isinstance(params, tuple | list):
        parts = [exchanged(each, new) for each in params]
        return type(params)(*parts) if hasattr(params, "_fields") else type(params)(parts)
    return new.get(id(params), params)


def _told(place: Node) -> list[Array]:
    given = list(arrays(place.params, "iu"))
    if traits_of(place.primitive).expects and given:
        given = [given[min(len(given) - 1, 1)]]  # the first says where the classes stand
    else:
        given = [array for array in given if not _counts(array)]
    alone = len(given) == 1  # several arrays of one index belong together
    return given if alone and not _is_weighed(place.params) else []


def _counts(array: Array) -> bool:
    """Whether integers are no choice, but count the places along an axis: 0, 1, 2, …"""
    counting: tuple[Array, ...] = np.indices(array.shape, sparse=True)
    return not array.size or any(
        n > 1 and np.array_equal(np.broadcast_to(along, array.shape), array)
        for n, along in zip(array.shape, counting)
    )


def _is_weighed(params: Mapping[str, Any]) -> bool:
    """Whether other arrays of an operation follow from what it was told."""
    others = [x for x in params.values() if isinstance(x, np.ndarray) and x.dtype.kind not in "iu"]
    return any(not np.all(x == 1) for x in others)
