"""What a forward pass runs under: recording or not, which values to keep, where it is in time."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

SMALL = 16  # an output of at most so many elements stays on the tape: what a picture prints


class Tag(NamedTuple):
    """Where and when in a recurrent net something was made; arithmetic never reads it."""

    scope: str = ""
    step: int | None = None
    layer: int | None = None  # of a recurrent layer's stack, from 0
    direction: str | None = None  # in which it reads the sequence: "forward" or "reverse"
    call: int | None = None  # of a recurrent layer: which one; < 0 if the program gives the step
    line: Any = None  # of the program that asked for it, where lines are looked at
    backward: int = 0  # of how many walks back, each recorded, it is a part
    rule_of: float | None = None  # there: the order of the node whose rule it is


class Mode:
    """The settings of one thread.  Never changed: contexts swap the whole of it."""

    __slots__ = ("keep", "recording", "tag")
    check_nan = False

    def __init__(self, recording: bool, keep: float, tag: Tag) -> None:
        self.recording, self.keep, self.tag = recording, keep, tag

    def having(self, field: str, value: Any) -> Mode:
        """The same mode but for one field of it or of its tag, or its ``kind``."""
        kind, recording, keep, tag = type(self), self.recording, self.keep, self.tag
        if field == "step":
            tag = Tag(tag[0], value, *tag[2:5])
        elif field == "scope":
            tag = Tag(value, *tag[1:5])
        elif field == "layer":
            tag = Tag(tag[0], tag[1], value[0], value[1], tag[4])
        elif field == "call":
            tag = Tag(*tag[:4], value)
        elif field == "tag":
            tag = value
        elif field == "recording":
            recording = value
        elif field == "keep":
            keep = value
        else:
            kind, tag = value, Tag(*tag[:5])
        return kind(recording, keep, tag)

    def get(self, field: str) -> Any:
        """The field that `having` would change."""
        if field == "kind":
            return type(self)
        if field == "layer":
            return self.tag[2:4]
        return getattr(self.tag if field in ("scope", "step", "call") else self, field)


class _Here(threading.local):
    mode = Mode(True, SMALL, Tag())


here = _Here()
"""``here.mode`` is the current thread's mode: the one place an operation looks at."""
