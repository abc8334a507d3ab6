"""Integers that come into a step: where they go, and others to try it with.

A step looks rows up by them, or is told by them which class was right.  They pass through its
operations as arrays, which know where they came from as long as they are only moved: what is
computed of them is none of them any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_rnn.compiled.symbols import Symbol

Array = np.ndarray[Any, Any]
_TRIES = 100


class Known(np.ndarray[Any, Any]):
    """An array, or a view or copy of one, that knows it: its ``source``."""

    source: Any = None

    def __array_finalize__(self, of: Any) -> None:
        self.source = getattr(of, "source", None)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """What is computed of it is an ordinary array."""
        plain = [x.view(np.ndarray) if isinstance(x, Known) else x for x in inputs]
        return getattr(ufunc, method)(*plain, **options)


def known(array: Array) -> Array:
    """A copy of integers that will be recognized; other arrays as a copy.

    Examples
    --------
    >>> a = known(np.array([3, 1]))
    >>> isinstance(a.reshape(2, 1).copy(), Known), isinstance(a + 0, Known)
    (True, False)
    """
    made = np.array(array)
    if made.dtype.kind not in "iu":
        return made
    own = made.view(Known)
    own.source = made
    return own


def with_symbols(params: Any, symbols: Sequence[tuple[Array, Symbol]]) -> Any:
    """Parameters of an operation with symbols for integers that came in."""
    if isinstance(params, dict):
        return {name: with_symbols(each, symbols) for name, each in params.items()}
    if isinstance(params, tuple | list):
        parts = [with_symbols(each, symbols) for each in params]
        return type(params)(*parts) if hasattr(params, "_fields") else type(params)(parts)
    if isinstance(params, Known):
        for array, symbol in symbols:
            same = isinstance(array, Known) and params.source is array.source
            if same and np.array_equal(params.ravel(), array.ravel()):
                return symbol.reshape(params.shape)
    return params


def bounds(array: Array) -> tuple[int, int]:
    """Between which integers lie those of an array, and at least one other."""
    if array.dtype.kind not in "iu" or not array.size:
        return 0, 0
    low, high = int(array.min()), int(array.max())
    return (low, high) if low < high else (min(low, max(0, low - 1)), max(high, 1))


def others(
    xs: Sequence[Array], ends: Sequence[tuple[int, int]], numbers: np.random.Generator
) -> list[Array]:
    """Other integers within bounds; by chance, but no array reads the same from its end."""
    made: list[Array] = []
    for x, (low, high) in zip(xs, ends, strict=True):
        new, tries = x, 0
        while x.dtype.kind in "iu" and tries < _TRIES:
            new = numbers.integers(low, high + 1, x.shape).astype(x.dtype)
            flat = new.ravel()
            turned = flat.size > 1 and np.array_equal(flat, flat[::-1])
            tries += 1 if turned or np.array_equal(new, x) else _TRIES
        made.append(new)
    return made
