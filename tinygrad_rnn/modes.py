"""What a forward pass runs under: recording or not, which values to keep, where it is in time.

The contexts here change it for a block, each also usable as a decorator.  They act on the
current thread only, nest, and undo themselves whatever happens inside.
"""

from __future__ import annotations

import functools
import inspect
import math
import operator
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

SMALL = 16  # an output of at most so many elements stays on the tape: what a picture prints


class Tag(NamedTuple):
    """Where and when in a recurrent net something was made; arithmetic never reads it."""

    scope: str = ""
    step: int | None = None


@dataclass(frozen=True, slots=True)
class Mode:
    """The settings of one thread.  Immutable: contexts swap the whole of it."""

    recording: bool
    keep: float
    tag: Tag


class _Here(threading.local):
    mode = Mode(True, SMALL, Tag())


here = _Here()
"""``here.mode`` is the current thread's mode: the one place an operation looks at."""


def _get(mode: Mode, field: str) -> Any:
    return getattr(mode if field in ("recording", "keep") else mode.tag, field)


def _with(mode: Mode, field: str, value: Any) -> Mode:
    """The mode with one field replaced."""
    if field == "recording":
        return Mode(value, mode.keep, mode.tag)
    if field == "keep":
        return Mode(mode.recording, value, mode.tag)
    scope, step = mode.tag
    tag = Tag(value, step) if field == "scope" else Tag(scope, value)
    return Mode(mode.recording, mode.keep, tag)


class _Context:
    """A context, and decorator, that sets one field of the thread's mode.

    On leaving, that field alone gets its former value back: a generator may be left late, when
    other contexts have come and gone.
    """

    field: str

    def __init__(self) -> None:
        self._outer: list[Any] = []  # a stack: one object may be entered again inside itself

    def value(self, outer: Any) -> Any:
        """The field's value inside, from the one outside."""
        raise NotImplementedError

    def __enter__(self) -> None:
        outer = _get(here.mode, self.field)
        self._outer.append(outer)
        here.mode = _with(here.mode, self.field, self.value(outer))

    def __exit__(self, *exception: object) -> None:
        here.mode = _with(here.mode, self.field, self._outer.pop())

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isgeneratorfunction(function):
            return self._around_generator(function)

        @functools.wraps(function)
        def wrapped(*arguments: Any, **options: Any) -> Any:
            with self:
                return function(*arguments, **options)

        return wrapped

    def _around_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(*arguments: Any, **options: Any) -> Any:
            generator = function(*arguments, **options)
            answer = None
            while True:  # the mode holds while the generator runs, not while it waits
                try:
                    with self:
                        value = generator.send(answer)
                except StopIteration as end:
                    return end.value
                answer = yield value

        return wrapped


class set_grad_enabled(_Context):
    """Record operations, or do not: at once as a plain call, for a block as a context.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([1.0], requires_grad=True)
    >>> with tg.set_grad_enabled(False):
    ...     (x * 2).requires_grad
    False
    """

    field = "recording"

    def __init__(self, mode: bool) -> None:
        super().__init__()
        if not isinstance(mode, bool):
            raise TypeError(f"set_grad_enabled: expected a bool, got {mode!r}")
        self.mode = mode
        self._before: bool | None = here.mode.recording
        here.mode = _with(here.mode, "recording", mode)

    def value(self, outer: bool) -> bool:
        """Whether to record inside."""
        return self.mode

    def _settle(self) -> None:
        """Take back what the call did, once it turns out to be a context or decorator."""
        if self._before is not None:
            here.mode, self._before = _with(here.mode, "recording", self._before), None

    def __enter__(self) -> None:
        self._settle()
        super().__enter__()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        self._settle()
        return super().__call__(function)


class _Switch(_Context):
    """Recording on or off, for a block; as a decorator also without parentheses."""

    field = "recording"
    recording: bool

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        self = super().__new__(cls)
        if function is None:
            return self
        self.__init__()  # type: ignore[misc]
        return self(function)

    def __init__(self, function: None = None) -> None:
        super().__init__()

    def value(self, outer: bool) -> bool:
        """Whether to record inside."""
        return self.recording


class no_grad(_Switch):
    """Do not record operations: for evaluation, and for updating parameters in place.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor([1.0], requires_grad=True)
    >>> with tg.no_grad():
    ...     w -= 0.5
    >>> w
    tensor([0.5000], requires_grad=True)
    """

    recording = False


class enable_grad(_Switch):
    """Record operations, also inside `no_grad`."""

    recording = True


def is_grad_enabled() -> bool:
    """Whether operations are recorded in this thread now."""
    return here.mode.recording


class keep_values(_Context):
    """Keep the value of every result in the graph, not only small ones, for pictures.

    Without it a node keeps its output if that has at most 16 elements.
    """

    field = "keep"

    def value(self, outer: float) -> float:
        """The largest output that is kept inside: any."""
        return math.inf


class scope(_Context):
    """Tag what is computed inside with a name, such as a layer's; names nest with dots.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([1.0], requires_grad=True)
    >>> with tg.scope("rnn"), tg.scope("l0"), tg.step(1):
    ...     (x * 2).grad_fn.tag
    Tag(scope='rnn.l0', step=1)
    """

    field = "scope"

    def __init__(self, name: str) -> None:
        super().__init__()
        if not isinstance(name, str):
            raise TypeError(f"scope: expected a string, got {name!r}")
        self.name = name

    def value(self, outer: str) -> str:
        """The dotted name inside."""
        return f"{outer}.{self.name}" if outer else self.name


class step(_Context):
    """Tag what is computed inside with a time step: 1 … T as in the equations (0 is h₀).

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> h = tg.tensor([0.0], requires_grad=True)
    >>> for t in range(1, 3):
    ...     with tg.step(t):
    ...         h = tg.tanh(h + 1)
    >>> h.grad_fn.tag.step
    2
    """

    field = "step"

    def __init__(self, t: int | None) -> None:
        super().__init__()
        if isinstance(t, bool) or not (t is None or hasattr(t, "__index__")):
            raise TypeError(f"step: expected an integer, or None for no step, got {t!r}")
        self.t = None if t is None else operator.index(t)

    def value(self, outer: int | None) -> int | None:
        """The time step inside."""
        return self.t
