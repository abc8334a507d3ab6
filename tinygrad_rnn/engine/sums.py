"""Adding up what a tensor receives from its consumers, without doing work twice.

A contribution normally has its receiver's shape and is added at once.  Two kinds wait until
the receiver is visited, and are then summed together:

* slices of one tensor, such as x[t] in a time loop, send a `Part` each: put together once, the
  loop costs time and memory linear in its length;
* a weight used at every step receives gᵀx from each; with few rows in a step, one product of
  the `Rows` of many steps costs less than many small ones.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tinygrad_rnn.engine.graph import Variable

FEW_ROWS = 8  # contributions of at most so many rows are worth gathering
GATHERED_ROWS = 256  # and are multiplied out when they are so many together


@dataclass(slots=True, eq=False)
class Part:
    """A cotangent that fills ``index`` of its receiver and is zero elsewhere.

    ``assemble(*gs, index=[…], shape=…)`` adds several into zeros of the receiver's shape; it
    is a primitive, so that a walk which is itself recorded can differentiate it.
    """

    g: Any
    index: Any
    assemble: Any
    shape: ClassVar[None] = None  # unlike any receiver's


@dataclass(slots=True, eq=False)
class Rows:
    """Arguments of ``fn(g, …)``, a function that sums over the rows of all of them."""

    fn: Callable[..., Any]
    g: Any
    arguments: list[Any]
    shape: ClassVar[None] = None


class Waiting:
    """The contributions that wait for one receiver, by kind."""

    __slots__ = ("groups",)

    def __init__(self) -> None:
        self.groups: dict[Any, list[Any]] = {}

    def add(self, c: Any, g: Any, shape: tuple[int, ...]) -> Any:
        """Let ``c`` wait; returns the sum ``g``, to which a group is added once it is large."""
        kind = c.assemble if type(c) is Part else (c.fn, c.g.shape[1:])
        group = self.groups.setdefault(kind, [])
        group.append(c)
        if type(c) is Rows and len(group) * len(c.g) >= GATHERED_ROWS:
            rows = merged(group, shape)
            g = rows if g is None else g + rows
            group.clear()
        return g

    def total(self, g: Any, shape: tuple[int, ...]) -> Any:
        """The sum ``g`` (``None``: nothing yet) and all that waited."""
        for group in self.groups.values():
            if group:
                c = merged(group, shape)
                g = c if g is None else g + c
        return g


def merged(group: list[Any], shape: tuple[int, ...]) -> Any:
    """The sum, in the receiver's ``shape``, of contributions of one kind."""
    gs, first = [c.g for c in group], group[0]
    if type(first) is Part:
        assemble = first.assemble if isinstance(first.g, Variable) else first.assemble.forward
        return assemble(*gs, index=[c.index for c in group], shape=shape)
    columns = zip(*[c.arguments for c in group])
    stacked = [np.concatenate(column) for column in (gs, *columns)]
    return unbroadcast(first.fn(*stacked), shape)


def summable(g: Any) -> Any:
    """The rows of a bias need no more than to be summed: `unbroadcast` does it."""
    return g


def fitted(c: Any, shape: tuple[int, ...], gather: bool) -> Any:
    """A contribution made to fit its receiver's shape, at once or (``gather``) by waiting."""
    if c.shape is None:
        return c
    if gather and c.ndim > len(shape) and len(c) <= FEW_ROWS:
        return Rows(summable, c, [])
    return unbroadcast(c, shape)


def unbroadcast(c: Any, shape: tuple[int, ...]) -> Any:
    """Sum a contribution over the axes along which its receiver, of ``shape``, was broadcast."""
    lead = c.ndim - len(shape)
    if lead < 0:
        c = c.reshape((1,) * -lead + c.shape)  # the rule took leading axes of size 1 away
    if lead == 1 and c.ndim == 2 and isinstance(c, np.ndarray) and c.dtype.itemsize >= 4:
        c = _ones(len(c), c.dtype).dot(c)  # a third of the time of c.sum(axis=0)
    elif lead > 0:
        c = c.sum(axis=tuple(range(lead)))
    if c.shape != shape:
        stretched = tuple(i for i, n in enumerate(shape) if n == 1 != c.shape[i])
        c = c.sum(axis=stretched, keepdims=True)
        if c.shape != shape:
            raise RuntimeError(
                f"backward: a rule gave a cotangent of shape {c.shape} to an input of shape {shape}"
            )
    return c


@functools.lru_cache(maxsize=64)
def _ones(n: int, dtype: np.dtype[Any]) -> Any:
    return np.ones(n, dtype)


def dense(c: Any, shape: tuple[int, ...]) -> Any:
    """A contribution in its receiver's shape, zeros and all."""
    return merged([c], shape) if type(c) is Part else c
