"""What a forward pass runs under, changed for a block: contexts, each also a decorator.

They act on the current thread only, nest, and undo themselves whatever happens inside.
"""

from __future__ import annotations

import functools
import inspect
import math
import operator
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from tinygrad_rnn.autograd.tracing import CheckingNaN, Naming, Traced, forget_calls
from tinygrad_rnn.engine.memory import tick
from tinygrad_rnn.engine.mode import Mode, here

if TYPE_CHECKING:
    from typing_extensions import Self

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


def _restoring(field: str, outer: Any, before: Mode, inside: Mode) -> Generator[None]:
    """Give a field of the mode its former value back once this is closed, or let go of.

    An interrupt (Ctrl-C) comes with a call, even before the first line of `__exit__`: what is left
    behind then is let go of with the exception, if not before.
    """
    try:
        yield
    finally:  # so without a call where possible
        here.mode = before if here.mode is inside else here.mode.having(field, outer)


class _Context:
    """A context, and decorator, that sets one field of the thread's mode.

    On leaving, that field alone gets its former value back: a generator may be left late, when
    other contexts have come and gone.
    """

    field: str
    _held: Any = None  # a stack of pairs: one object may be entered again inside itself

    def value(self, outer: Any) -> Any:
        """The field's value inside, from the one outside."""
        raise NotImplementedError

    def _entered(self) -> Generator[None]:
        before = here.mode
        outer = before.get(self.field)
        inside = before.having(self.field, self.value(outer))
        held = _restoring(self.field, outer, before, inside)
        next(held)
        here.mode = inside  # from here to a `try` or `with` there is no call
        return held

    def __enter__(self) -> None:
        self._held = self._entered(), self._held

    def __exit__(self, *exception: object) -> None:
        held, self._held = self._held
        held.close()

    def __call__(self, function: Decorated) -> Decorated:
        if inspect.isgeneratorfunction(function):
            return cast("Decorated", self._around_generator(function))

        @functools.wraps(function)
        def wrapped(*arguments: Any, **options: Any) -> Any:
            held = self._entered()
            try:
                return function(*arguments, **options)
            finally:
                held.close()

        return cast("Decorated", wrapped)

    def _around_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        inside: Callable[..., Any] = self(_call)

        @functools.wraps(function)
        def wrapped(*arguments: Any, **options: Any) -> Any:
            generator = function(*arguments, **options)
            go_on, with_ = generator.send, None
            while True:  # the mode holds while the generator runs, not while it waits
                try:
                    value = inside(go_on, with_)
                except StopIteration as end:
                    return end.value
                try:
                    go_on, with_ = generator.send, (yield value)
                except GeneratorExit:
                    inside(generator.close)
                    raise
                except BaseException as error:
                    go_on, with_ = generator.throw, error

        return wrapped


class _Setter(_Context):
    """A context that also works as a plain call: then its value holds from there on."""

    def __init__(self, mode: bool) -> None:
        if not isinstance(mode, bool):
            raise TypeError(f"{type(self).__name__}: expected a bool, got {mode!r}")
        self.mode = mode
        self._before: Mode | None = here.mode
        self._set = here.mode.having(self.field, self.value(None))
        here.mode = self._set

    def _settle(self) -> None:
        """Take back what the call did, once it turns out to be a context or decorator."""
        before, self._before = self._before, None
        if before is not None:
            unchanged = here.mode is self._set
            here.mode = (
                before if unchanged else here.mode.having(self.field, before.get(self.field))
            )

    def __enter__(self) -> None:
        self._settle()
        super().__enter__()

    def __call__(self, function: Decorated) -> Decorated:
        self._settle()
        return super().__call__(function)


class set_grad_enabled(_Setter):
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

    def value(self, outer: Any) -> bool:
        """Whether to record inside."""
        return self.mode


class _Switch(_Context):
    """Recording on or off, for a block; as a decorator also without parentheses."""

    field = "recording"
    recording: bool

    @overload
    def __new__(cls, function: Decorated) -> Decorated: ...  # type: ignore[misc]
    @overload
    def __new__(cls, function: Any = None, **options: Any) -> Self: ...

    def __new__(cls, function: Any = None, **options: Any) -> Any:
        self = super().__new__(cls)
        if not callable(function):
            return self
        self.__init__()  # type: ignore[misc]
        return self(function)

    def __init__(self, function: None = None) -> None:
        """Only what `__new__` takes: a function to decorate has become another one by now."""

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


class inference_mode(_Switch):
    """Do not record operations, as `no_grad`; ``inference_mode(False)`` changes nothing.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor([1.0], requires_grad=True)
    >>> with tg.inference_mode():
    ...     (w * 2).requires_grad
    False
    """

    def __init__(self, mode: Any = True) -> None:
        if not isinstance(mode, bool):
            raise TypeError(f"inference_mode: expected a bool, got {mode!r}")
        self.mode = mode

    def value(self, outer: bool) -> bool:
        """Whether to record inside."""
        return outer and not self.mode


def is_grad_enabled() -> bool:
    """Whether operations are recorded in this thread now."""
    return here.mode.recording


class set_detect_anomaly(_Setter):
    """Switch `detect_anomaly` on or off: at once as a plain call, for a block as a context."""

    field = "kind"

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.check_nan = check_nan
        super().__init__(mode)

    def value(self, outer: Any) -> type[Mode]:
        """The kind of mode inside."""
        return (CheckingNaN if self.check_nan else Naming) if self.mode else Mode


class detect_anomaly(_Context):
    """Tell where a derivative that is NaN, or an error in a walk, comes from.

    Operations remember the line of the program that asked for them, so errors in a walk back
    over them can name it, beside the scope and the time step; and the walk stops at the first
    derivative that is NaN. Slow: for hunting errors only.

    Parameters
    ----------
    check_nan : bool
        Whether to look for NaN.

    Raises
    ------
    RuntimeError
        In a walk: where a derivative is NaN.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor(0.0, requires_grad=True)
    >>> with tg.autograd.detect_anomaly(), tg.scope("rnn"), tg.step(3):
    ...     try:
    ...         (tg.relu(x) / x).backward()
    ...     except RuntimeError as error:
    ...         print(str(error).splitlines()[0])
    Function 'DivBackward0' returned nan values in its 1th output.
    """

    field = "kind"

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan

    def value(self, outer: Any) -> type[Mode]:
        """The kind of mode inside."""
        return CheckingNaN if self.check_nan else Naming


class traced(_Context):
    """Remember, for each operation, which calls and instructions of the program led to it.

    From these `bptt.record` and `viz.draw` find the program's loops and their passes, where the
    graph alone leaves open what a pass is: two uses of one cell in a pass, steps that leave the
    state as it is. Slow, as it looks at the stack at every operation: for looking at a graph, not
    for training. Of a compiled or built-in loop (`functools.reduce`, `map`) nothing is seen.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w, a, b = tg.tensor(0.5, requires_grad=True), tg.tensor(1.0), tg.tensor(2.0)
    >>> def swap(a, b):
    ...     for _ in range(3):
    ...         a, b = tg.tanh(b * w), tg.sin(a)
    ...     return a + b
    >>> with tg.bptt.traced():
    ...     loss = swap(a, b)
    >>> walk = tg.bptt.record(loss)
    >>> walk.steps_from, [visit.step for visit in walk.visits]
    ('lines', [None, 3, 3, 3, 2, 2, 2, 1, 1])
    """

    field = "kind"

    def value(self, outer: Any) -> type[Mode]:
        """The kind of mode inside."""
        return Traced

    def _entered(self) -> Generator[None]:
        outer = super()._entered()

        def held() -> Generator[None]:
            try:
                yield
            finally:
                outer.close()
                forget_calls()  # and what lives in them

        inside = held()
        next(inside)
        return inside


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
    ...     (x * 2).grad_fn.tag[:2]
    ('rnn.l0', 1)
    """

    field = "scope"

    def __init__(self, name: str) -> None:
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
        if isinstance(t, bool) or not (t is None or hasattr(t, "__index__")):
            raise TypeError(f"step: expected an integer, or None for no step, got {t!r}")
        self.t = None if t is None else operator.index(t)

    def value(self, outer: int | None) -> int | None:
        """The time step inside."""
        return self.t


class layer(_Context):
    """Tag what is computed inside with the layer of a stack, and the direction it reads in.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([1.0], requires_grad=True)
    >>> with layer(0, "reverse"), tg.step(3):
    ...     tag = (x * 2).grad_fn.tag
    >>> tag.layer, tag.direction, tag.step
    (0, 'reverse', 3)
    """

    field = "layer"

    def __init__(self, number: int | None, direction: str | None = None) -> None:
        self.place = (number, direction)

    def value(self, outer: Any) -> tuple[int | None, str | None]:
        """The layer and direction inside."""
        return self.place


class call(_Context):
    """Tag what is computed inside as one call of a recurrent layer.

    The layer counts its own steps, unless the program gives the step: then the number that is
    the tag is negative.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([1.0], requires_grad=True)
    >>> with call(), tg.step(1):
    ...     (x * 2).grad_fn.tag.call is None
    False
    """

    field = "call"

    def value(self, outer: int | None) -> int | None:
        """The number of the call inside, by which it is told from others."""
        number = 1 + tick()
        return number if here.mode.tag.step is None else -number
