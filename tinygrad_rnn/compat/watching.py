"""Watching a program that knows nothing of it: one of the backward walks it runs, seen as data."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from tinygrad_rnn.autograd.contexts import enable_grad, keep_values, traced
from tinygrad_rnn.autograd.tracing import Traced
from tinygrad_rnn.bptt.record import Record, Seen
from tinygrad_rnn.engine.graph import Node, place
from tinygrad_rnn.engine.mode import Mode, here
from tinygrad_rnn.engine.traversal import walk
from tinygrad_rnn.operations.arguments import raw
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.tensor import walks, wrap


class NotDrawn(RuntimeError):
    """There is no picture, and why."""


class Watch:
    """Waits for a walk, lets it go its way, and hands it over as a record.

    Until then the program's lines are traced, and not after.

    Attributes
    ----------
    at : int
        Which walk, from 1.
    count : int
        How many there were.
    record : Record or None
        The walk, once it is there.
    error : Exception or None
        What went wrong when it was shown: the program goes on all the same.
    keep : bool
        Whether the values of large constants are kept until then, too.
    then : callable
        Called when that is over.
    """

    def __init__(self, at: int, show: Callable[[Record], None], keep: bool = False) -> None:
        if isinstance(at, bool) or not isinstance(at, int) or at < 1:
            raise ValueError(f"at={at!r}: which walk is meant is a whole number from 1")
        self.at, self.count, self.show, self.keep = at, 0, show, keep
        self.record: Record | None = None
        self.error: Exception | None = None
        self.then: Callable[[], None] = lambda: None
        self._tracing = ExitStack()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Watch what is run inside."""
        outer, walks.watcher = walks.watcher, self._walk
        self._tracing.enter_context(traced())
        if self.keep:
            self._tracing.enter_context(keep_values())
        try:
            yield
        finally:
            walks.watcher = outer
            self._tracing.close()

    @property
    def problem(self) -> str | None:
        """Why there is no picture, if there is none."""
        if self.error is not None:
            return f"cannot draw its backward {self.at}: {self.error}"
        if self.count == 0:
            return "it never called backward(): there is nothing to draw"
        if self.count < self.at:
            times = "once" if self.count == 1 else f"{self.count} times"
            return f"it called backward() {times}: there is no backward {self.at} to draw"
        return None

    def _walk(
        self, outputs: Sequence[Tensor], roots: Mapping[Node, Any], **options: Any
    ) -> dict[Node, Any]:
        self.count += 1
        if self.count >= self.at:
            self._end_tracing()
        if self.count != self.at:
            return walk(roots, **options)
        seen = Seen()
        if len(roots) > 1:
            roots = _together(outputs, roots)
        arrived = walk(roots, observer=seen, **options)
        try:  # a program does not end because it cannot be drawn
            self.record = seen.record(_operation(*roots))
            self.record.turn = self.count
            self.show(self.record)
        except Exception as error:
            self.error = error
        self.then()
        return arrived

    def _end_tracing(self) -> None:
        self._tracing.close()
        if here.mode.get("kind") is Traced:  # left behind by a context that was entered before
            here.mode = here.mode.having("kind", Mode)


def _together(outputs: Sequence[Tensor], roots: Mapping[Node, Any]) -> dict[Node, Any]:
    """One tensor whose gradient is that of several, with these cotangents: their sum.

    Of what is no number with the cotangent 1 it is the sum of all elements, each by its own.
    """
    distinct = {place(output): output for output in outputs}
    with enable_grad():
        terms = [
            distinct[root] if not root.shape and raw(g) == 1 else (distinct[root] * g).sum()
            for root, g in roots.items()
        ]
        total = functools.reduce(operator.add, terms)
    one = np.ones((), total.array.dtype)
    recorded = any(isinstance(g, Tensor) for g in roots.values())
    return {place(total): wrap(one, None) if recorded else one}


def _operation(root: Node) -> Node:
    if root.is_leaf:
        raise NotDrawn("this walk starts from a leaf: no operation led to it, nothing to draw")
    return root
