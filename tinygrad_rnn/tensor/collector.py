"""Python's collector of reference cycles, while many objects are made that all stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

RARELY = 1000  # collections of what has lived for a while, before all is looked through again


@contextmanager
def growing_graph() -> Iterator[None]:
    """Spare a graph that grows over thousands of steps from being searched again and again.

    Each operation leaves two objects that Python's garbage collector looks through. It does so
    twice while they are young, which costs little, and then time and again with all that the
    process holds, as long as it grows: at 10,000 time steps this takes more time than the forward
    itself. A graph has no cycles, so nothing is ever found in it.

    Inside, what is young is collected as ever, and everything only after a hundred times as much
    has been made; the collector's thresholds, which are the whole process's, are put back
    afterwards. The recurrent layers and `backward` do this by themselves; a long loop of one's own
    may, best with its `backward`, before which all would be looked through once.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w, h = tg.tensor(0.5, requires_grad=True), tg.tensor(1.0)
    >>> with tg.autograd.growing_graph():
    ...     for _ in range(1000):
    ...         h = tg.tanh(w * h) + 1.0
    ...     h.backward()
    >>> w.grad
    tensor(1.2072)
    """
    young, older, everything = gc.get_threshold()
    if everything >= RARELY:  # inside another such block, maybe another thread's
        yield
        return
    try:
        gc.set_threshold(young, older, RARELY)
        yield
    finally:  # by a single call: Ctrl-C may come with any
        gc.set_threshold(young, older, everything)


@contextmanager
def resting_collector() -> Iterator[None]:
    """Let the collector rest altogether, and go on afterwards as it was.

    Boxes, wires and lines of text of a picture are many small objects, all of which stay until it
    is done: looking through them again and again for cycles would take a third of the time.
    """
    was_at_work = gc.isenabled()
    try:
        gc.disable()
        yield
    finally:
        if was_at_work:
            gc.enable()
