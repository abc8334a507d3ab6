"""What a forward pass runs under: recording or not, which values to keep, where it is in time.

The contexts here change it for a block, each also usable as a decorator.  They act on the
current thread only, nest, and undo themselves whatever happens inside.
"""

from __future__ import annotations

import functools
import inspect
import math
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


class _Context:
    """A context, and decorator, that replaces the thread's mode by ``self.changed(mode)``."""

    def __init__(self) -> None:
        self._outer: list[Mode] = []  # a stack: one object may be entered again inside itself

    def changed(self, mode: Mode) -> Mode:
        """The mode inside, from the one outside."""
        raise NotImplementedError

    def __enter__(self) -> None:
        self._outer.append(here.mode)
        here.mode = self.changed(here.mode)

    def __exit__(self, *exception: object) -> None:
        here.mode = self._outer.pop()

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

    def __init__(self, mode: bool) -> None:
        super().__init__()
        if not isinstance(mode, bool):
            raise TypeError(f"set_grad_enabled: expected a bool, got {mode!r}")
        self.mode = mode
        self._before: Mode | None = here.mode
        here.mode = self.changed(here.mode)

    def changed(self, mode: Mode) -> Mode:
        """The mode inside, from the one outside."""
        return Mode(self.mode, mode.keep, mode.tag)

    def _settle(self) -> None:
        """Take back what the call did, once it turns out to be a context or decorator."""
        if self._before is not None:
            here.mode, self._before = self._before, None

    def __enter__(self) -> None:
        self._settle()
        super().__enter__()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        self._settle()
        return super().__call__(function)


class _Switch(_Context):
    """Recording on or off, for a block; as a decorator also without parentheses."""

    recording: bool

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        self = super().__new__(cls)
        self.__init__()  # type: ignore[misc]
        return self if function is None else self(function)

    def __init__(self, function: None = None) -> None:
        super().__init__()

    def changed(self, mode: Mode) -> Mode:
        """The mode inside, from the one outside."""
        return Mode(self.recording, mode.keep, mode.tag)


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

    Without it a node keeps its output if that has at most 16 elements, or if its derivative
    needs it.
    """

    def changed(self, mode: Mode) -> Mode:
        """The mode inside, from the one outside."""
        return Mode(mode.recording, math.inf, mode.tag)


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

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def changed(self, mode: Mode) -> Mode:
        """The mode inside, from the one outside."""
        outer = mode.tag.scope
        tag = Tag(f"{outer}.{self.name}" if outer else self.name, mode.tag.step)
        return Mode(mode.recording, mode.keep, tag)


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

    def __init__(self, t: int) -> None:
        super().__init__()
        self.t = t

    def changed(self, mode: Mode) -> Mode:
        """The mode inside, from the one outside."""
        return Mode(mode.recording, mode.keep, Tag(mode.tag.scope, self.t))
