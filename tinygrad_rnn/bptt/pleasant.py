"""Numbers to compute with by hand: one decimal, and results that neither saturate nor vanish."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_rnn.bptt.record import Record
from tinygrad_rnn.bptt.rerun import Rerun
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.operations.traits import traits_of

Array = np.ndarray[Any, Any]

DECIMALS = 3  # to which results are written
_TRIES = 48  # nets of random numbers, of which the most pleasant one is taken
_MOST = 0.9  # of a number that is dealt out
_FLAT = 0.08  # of a function's range: nearer to its ends it is saturated
_TINY, _LARGE = 0.005, 10.0  # below and above, results are no pleasure
_ZERO = 1e-6  # what of a zero is left by rounding
_BORDER = 0.03  # of the last digit that is written: nearer to ½ it may be rounded either way
_WORST = math.inf


def dealt(record: Record, seed: int, decimals: int = 1) -> Record:
    """The walk with other numbers in its leaves, such that all that follows is pleasant.

    Many are dealt out, and the engine computes the net with each (see `again`). Taken is the one
    with the fewest saturated units, zeros, tensors whose elements are all the same, results that
    are tiny or large, and results that lie near the border between two roundings.  A leaf that
    needs no gradient and holds nothing but zeros and ones, or infinities, such as an initial state
    or a mask, stays as it is; one that needs none and holds nothing negative gets positive numbers.

    Parameters
    ----------
    record : Record
    seed : int
        The same one deals out the same numbers.
    decimals : int
        Of the numbers.

    Returns
    -------
    Record

    Raises
    ------
    ValueError
        If nothing can be changed, or whatever is dealt out leads to infinities or NaN.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor([0.123, 4.5], requires_grad=True).named("w")
    >>> walk = tg.bptt.record(tg.tanh(w).sum())
    >>> other = dealt(walk, seed=3)
    >>> other.value(other.places[0]).round(4)
    array([-0.2,  0.5], dtype=float32)
    """
    rerun = Rerun(record)
    leaves = [leaf for leaf in rerun.leaves if not _is_fixed(leaf, rerun.record)]
    if not leaves:
        raise ValueError("worksheet: no leaf of this walk can be given other numbers")
    random = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        tries = [rerun(_draw(leaves, record, random, decimals)) for _ in range(_TRIES)]
        costs = [_unpleasant(other, record) for other in tries]
        if min(costs) == _WORST:
            raise ValueError(
                "worksheet: whatever numbers are dealt out, this net computes infinities or NaN; "
                "leave out nice and seed to keep its own"
            )
    return tries[int(np.argmin(costs))]


def _is_fixed(leaf: Node, record: Record) -> bool:
    """Whether the numbers of a leaf mean something: nothing, all, or which."""
    value = _value(record, leaf)
    says_which = bool(np.isin(value, (0, 1)).all()) or not np.isfinite(value).all()
    return says_which and not leaf.requires_grad


def _draw(
    leaves: list[Node], record: Record, random: np.random.Generator, decimals: int
) -> dict[Node, Array]:
    """Numbers for each leaf: none is zero, and neighbours differ as long as there are enough."""
    unit = 10**decimals
    most = round(_MOST * unit)
    dealt = {}
    for leaf in leaves:
        signed = leaf.requires_grad or bool((_value(record, leaf) < 0).any())
        pool = np.arange(1, most + 1)
        pool = np.concatenate([-pool, pool]) if signed else pool
        size = math.prod(leaf.shape)
        drawn = random.choice(pool, size, replace=size > pool.size)
        dealt[leaf] = (drawn / unit).reshape(leaf.shape)
    return dealt


def _unpleasant(record: Record, usual: Record) -> float:
    """How little one would like to compute this by hand, instead of the usual walk."""
    cost = 0.0
    for (place, result), (_, before) in zip(_results(record), _results(usual)):
        if (np.isfinite(before) & ~np.isfinite(result)).any():
            return _WORST
        size = np.abs(result)
        cost += 20 * np.count_nonzero(size < _ZERO)
        cost += 3 * np.count_nonzero((size < _TINY) | (size > _LARGE))
        cost += 20 * (result.size > 1 and bool(np.ptp(result) == 0))
        beyond = result * 10**DECIMALS
        cost += np.count_nonzero(np.abs(beyond - np.floor(beyond) - 0.5) < _BORDER)
        ends = traits_of(place.primitive).squashes if result is record.value(place) else None
        if ends is not None:
            part = (result - ends[0]) / (ends[1] - ends[0])
            cost += 100 * np.count_nonzero((part < _FLAT) | (part > 1 - _FLAT))
    return float(cost)


def _results(record: Record) -> Iterator[tuple[Node, Array]]:
    """What is computed of the leaves: values, and gradients."""
    for place in record.places:
        value = None if place.is_leaf else record.value(place)
        for result in (value, record.gradient(place)):
            if result is not None and result.dtype.kind == "f":
                yield place, result


def _value(record: Record, leaf: Node) -> Array:
    return np.asarray(record.value(leaf))
