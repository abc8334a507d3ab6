"""Modes that look at the program: which line, and which calls, led to an operation."""

from __future__ import annotations

import functools
import itertools
import linecache
import os
import sys
import threading
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType
from typing import NamedTuple

from tinygrad_rnn.engine.mode import Mode, Tag

_PACKAGE = str(Path(__file__).parents[1]) + os.sep


class Call(NamedTuple):
    """Where in one call of a function the program was.

    Attributes
    ----------
    number : int
        Of the call; another call of the same function has another one.
    code : code
        What was called.
    at : int
        The instruction, as an offset in the code's bytes.
    """

    number: int
    code: CodeType
    at: int

    @property
    def line(self) -> int:
        """The line of the instruction."""
        for start, end, line in self.code.co_lines():
            if start <= self.at < end and line is not None:
                return line
        return self.code.co_firstlineno


class Trace(NamedTuple):
    """The program's calls that led to an operation, outermost first; ``operation`` numbers it."""

    calls: tuple[Call, ...]
    operation: int

    def __str__(self) -> str:
        return _written(self.calls[-1].code, self.calls[-1].line) if self.calls else ""


class _Looking(Mode):
    """A mode whose tag says more than what was set: what is running now."""

    __slots__ = ("_tag",)

    @property
    def tag(self) -> Tag:
        """The tag as set, and what is running now."""
        return self._tag._replace(line=self.look())

    @tag.setter
    def tag(self, tag: Tag) -> None:
        self._tag = tag

    def look(self) -> object:
        """What is running now."""
        raise NotImplementedError


class Naming(_Looking):
    """A mode that tags each operation with the line of the program that asked for it."""

    __slots__ = ()

    def look(self) -> str:
        """Where in the user's program the call into this package stands, as tracebacks say it."""
        frame = sys._getframe(2)
        while frame.f_back is not None and is_own(frame):
            frame = frame.f_back
        return _written(frame.f_code, frame.f_lineno)


class CheckingNaN(Naming):
    """A mode in which walks, besides, stop at the first derivative that is NaN."""

    __slots__ = ()
    check_nan = True


class Traced(_Looking):
    """A mode that tags each operation with all calls of the program that led to it."""

    __slots__ = ()

    def look(self) -> Trace:
        """The program's calls, and the call into this package."""
        frames = [frame := sys._getframe(2)]
        while frame.f_back is not None:
            frames.append(frame := frame.f_back)
        frames.reverse()
        program = [i for i, frame in enumerate(frames) if not _is_tool(frame)]
        inside = frames[program[-1] + 1 if program else 0]
        calls = [frames[i] for i in program]
        *numbers, operation = _numbers(*calls, inside)
        known = zip(numbers, calls, strict=True)
        return Trace(tuple([Call(n, f.f_code, _instruction(f)) for n, f in known]), operation)


class _Stack(threading.local):
    def __init__(self) -> None:
        self.frames: list[FrameType] = []
        self.numbers: list[int] = []


_stack, _counter = _Stack(), itertools.count(1)


def _numbers(*frames: FrameType) -> list[int]:
    """A number for each call on the stack, which it keeps as long as it is there."""
    same = 0  # frames are held, so that no other can take the place of one in memory
    for held, frame in zip(_stack.frames, frames):
        if held is not frame:
            break
        same += 1
    _stack.frames = list(frames)
    _stack.numbers = [*_stack.numbers[:same], *(next(_counter) for _ in frames[same:])]
    return _stack.numbers


def forget_calls() -> None:
    """Let go of the calls that ran last."""
    _stack.frames, _stack.numbers = [], []


def _instruction(frame: FrameType) -> int:
    """Which instruction runs: the interpreter moves its own count of it as it goes."""
    first = _first_of_position(frame.f_code)
    return first[frame.f_lasti // 2] if first else frame.f_lasti


@lru_cache(1024)
def _first_of_position(code: CodeType) -> list[int]:
    """For each instruction the first one that stands for the same piece of source."""
    if sys.version_info < (3, 11):
        return []
    seen: dict[object, int] = {}
    return [seen.setdefault(at, 2 * i) for i, at in enumerate(code.co_positions())]


def is_own(frame: FrameType) -> bool:
    """Whether a call is one of this package, not of the program."""
    return is_of_package(frame.f_code.co_filename)


def is_of_package(filename: str) -> bool:
    """Whether code lies in this package, not in a program, which may lie beside it."""
    return filename.startswith(_PACKAGE)


def _is_tool(frame: FrameType) -> bool:
    """Whether a call is of this package, or of what it calls by way of `functools`."""
    return is_own(frame) or frame.f_code.co_filename == functools.__file__


def _written(code: CodeType, line: int) -> str:
    source = linecache.getline(code.co_filename, line).strip()
    return f'File "{code.co_filename}", line {line}, in {code.co_name}' + (
        f"\n    {source}" if source else ""
    )
