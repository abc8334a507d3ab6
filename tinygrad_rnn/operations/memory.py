"""Where results lie in memory.

The order in which the elements of a tensor lie decides which of them is dropped, or drawn, first.
So it is PyTorch's, not what NumPy happens to make of an input that is a view: elementwise
operations keep the order of their input, the others that are marked here arrange theirs anew.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def first_decides(result: Any, inputs: Sequence[Any]) -> Any:
    """A result of elementwise arithmetic in the order of its first input, as PyTorch lays it.

    Where the first input says nothing of two axes, because it repeats along one of them, the next
    one is asked. NumPy prefers the order of the indices if its inputs disagree.
    """
    first, shape = inputs[0], result.shape
    if (
        result.ndim == 2 == getattr(first, "ndim", 0)
    ):  # as a rule it is a part of a matrix: in less time
        outer, inner = first.strides
        if outer >= inner > 0 and first.shape == shape:
            return result if result.flags.c_contiguous else np.ascontiguousarray(result)
    arrays = [x for x in inputs if getattr(x, "ndim", 0) > 1]
    if len(arrays) < 2 or not result.size:
        return result
    first = arrays[0]
    falling = first.strides == tuple(sorted(first.strides, reverse=True))
    if falling and first.shape == shape and first.strides[-1]:
        return np.asarray(result, order="C")
    steps = [_steps(x, shape) for x in inputs if np.ndim(x)]
    order = _outermost_first(shape, steps)
    if list(order) == _outermost_first(shape, [result.strides]):
        return result
    memory = np.empty([shape[axis] for axis in order], result.dtype)
    arranged = np.empty_like(memory.transpose(np.argsort(order)))  # which owns what it shows
    arranged[...] = result
    return arranged


def _steps(x: Any, shape: Sequence[int]) -> Sequence[int]:
    """How far apart the elements of an input lie along each axis of the result; 0: it repeats."""
    along = [abs(step) if m == n else 0 for step, m, n in zip(x.strides, x.shape, shape[-x.ndim :])]
    return [0] * (len(shape) - x.ndim) + along


def _outermost_first(shape: Sequence[int], steps: Sequence[Sequence[int]]) -> list[int]:
    """The axes by how far apart their elements lie, asking one input after the other.

    Sorted as PyTorch sorts them: where nobody knows of two axes, the result depends on it.
    """
    inner = list(range(len(shape)))[::-1]
    for place in range(1, len(inner)):
        for i in reversed(range(place)):
            further = _further(shape, steps, inner[i], inner[place])
            if further > 0:
                inner[i], inner[place] = inner[place], inner[i]
                place = i
            elif further < 0:
                break
    return inner[::-1]


def _further(shape: Sequence[int], steps: Sequence[Sequence[int]], one: int, other: int) -> int:
    """1 if the elements along one axis lie further apart, −1 if less far, 0 if nobody knows."""
    for step in steps:
        a, b = step[one], step[other]
        if a and b and (a != b or shape[one] > shape[other]):
            return 1 if a >= b else -1
    return 0


def owned(forward: Callable[..., Any]) -> Callable[..., Any]:
    """A forward whose result is no view of some array that NumPy made on the way.

    Changes in place ask where in its memory the elements of a result lie; of what NumPy made and
    turned around, as it does for index arrays, nobody could tell later.
    """

    @functools.wraps(forward)
    def computed(*arrays: Any, **parameters: Any) -> Any:
        result = forward(*arrays, **parameters)
        return result if result.base is None else result.copy()

    return computed


def in_c_order(forward: Callable[..., Any]) -> Callable[..., Any]:
    """A forward whose result lies in the order of its indices, however its inputs lie."""

    @functools.wraps(forward)
    def computed(*arrays: Any, **parameters: Any) -> Any:
        result = forward(*arrays, **parameters)
        numbers = isinstance(result, np.ndarray | np.generic)  # else it stands for some, unordered
        return np.asarray(result, order="C") if numbers else result

    return computed
