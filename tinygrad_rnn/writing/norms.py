"""Sums of gradients, and their size: one number that pictures and tables show for an array."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from typing import Any, TypeVar

import numpy as np

Key = TypeVar("Key", bound=Hashable)
_FEW = 16  # elements
_SAFE = 1e-200, 1e200  # sums of squares between these have neither over- nor underflowed


def norm(a: Any) -> float:
    """The Euclidean norm of all elements, in float64 and without overflow on the way.

    Infinite where an element is, NaN where one is NaN.

    Examples
    --------
    >>> norm([[3.0], [4.0]]), norm([]), norm([1e200, 1e200]) < 1.5e200
    (5.0, 0.0, True)
    """
    a = np.asarray(a)
    if a.size <= _FEW and a.dtype.kind == "f":  # in a fraction of the time
        few = float(sum([x * x for x in a.ravel().tolist()]))
        if _SAFE[0] < few < _SAFE[1]:
            return math.sqrt(few)
    flat = (np.abs(a) if a.dtype.kind == "c" else a).astype(float).ravel()
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        squares = float(flat @ flat)
        if _SAFE[0] < squares < _SAFE[1]:
            return math.sqrt(squares)
        largest = float(np.abs(flat).max(initial=0))
        if not math.isfinite(largest) or largest == 0:
            return largest
        scaled = flat / largest
        return math.sqrt(float(scaled @ scaled)) * largest


def add_to(sums: dict[Key, Any], key: Key, gradient: Any) -> None:
    """Add a gradient to the sum that stands under a key.

    What is infinite and cancels is NaN in the sum, as in the walk, and no reason for a warning.

    Examples
    --------
    >>> sums = {}
    >>> for gradient in (np.ones(2), np.ones(2)):
    ...     add_to(sums, "w", gradient)
    >>> sums["w"]
    array([2., 2.])
    """
    with np.errstate(all="ignore"):
        sums[key] = sums[key] + gradient if key in sums else gradient


def norms(arrays: Iterable[Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The `norm` of each of several arrays.

    Examples
    --------
    >>> norms([[3.0, 4.0], [1.0]])
    array([5., 1.])
    """
    return np.array([norm(a) for a in arrays])
