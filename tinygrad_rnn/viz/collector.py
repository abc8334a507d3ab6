"""The garbage collector, while a large picture is made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def resting_collector() -> Iterator[None]:
    """Let the collector of reference cycles rest, and go on afterwards as it was.

    Boxes, wires and lines of text are many small objects, all of which stay until the picture is
    done: looking through them again and again for cycles would take a third of the time.
    """
    was_at_work = gc.isenabled()
    try:
        gc.disable()
        yield
    finally:
        if was_at_work:
            gc.enable()
