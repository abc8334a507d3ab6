"""A step over a sequence, operation by operation or as a compiled program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from tinygrad_rnn.autograd.contexts import step as time_step
from tinygrad_rnn.compiled import unit
from tinygrad_rnn.compiled.captured import captured
from tinygrad_rnn.compiled.sealed import sealed
from tinygrad_rnn.compiled.symbols import CannotWrite
from tinygrad_rnn.compiled.trace import StepFunction, Traced, verified
from tinygrad_rnn.engine.mode import Mode, here
from tinygrad_rnn.operations import stack
from tinygrad_rnn.operations.node_names import made_by
from tinygrad_rnn.tensor import Tensor, wrap

Tensors = Any
"""A tensor, or a tuple of them."""
S = TypeVar("S")
X = TypeVar("X")
Y = TypeVar("Y")


def scan(
    step: Callable[[S, X], tuple[S, Y]], state: S, xs: X, *, compiled: bool = False
) -> tuple[S, Y]:
    """Apply a step again and again: ``state, y = step(state, x)`` for every x of a sequence.

    Parameters
    ----------
    step : function of (state, x) that returns (state, y)
        May use weights, modules and other tensors of the program.
    state : Tensor, or tuple of them
        Before the first step. What the step returns has the same form, shapes and types.
    xs : Tensor of shape (T, ...), or tuple of them
        ``x`` is one slice of each.
    compiled : bool
        Compute it by a program that is written from the graph of one step (see
        `tinygrad_rnn.bptt.program`). Results and gradients are the same but for the order of sums,
        and who looks at the graph finds it operation by operation. What a step decides by Python
        it must decide the same way at every step.

    Returns
    -------
    state
        After the last step.
    ys : Tensor of shape (T, ...), or tuple of them
        ``y`` of every step; ``None`` if it is ``None``.

    Raises
    ------
    TypeError
        If something that should be a tensor is none.
    ValueError
        If the sequences differ in length or have no step, or the state changes its form.
    RuntimeError
        If the step cannot be compiled; the message says why.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor(0.5, requires_grad=True)
    >>> def leaky(h, x):
    ...     h = w * h + x
    ...     return h, h
    >>> last, hs = tg.bptt.scan(leaky, tg.tensor(0.0), tg.ones(3), compiled=True)
    >>> hs
    tensor([1.0000, 1.5000, 1.7500], grad_fn=<StackBackward0>)
    >>> last.backward()
    >>> w.grad
    tensor(2.)
    """
    _check(state, "state")
    _check(xs, "xs")
    sequences = flat(xs)
    lengths = {x.array.shape[:1] for x in sequences}
    if len(lengths) != 1 or lengths in ({()}, {(0,)}):
        shapes = ", ".join(str(x.array.shape) for x in sequences)
        raise ValueError(f"scan: xs must have one length of at least 1 in front, got {shapes}")
    if not isinstance(compiled, bool):
        raise TypeError(f"scan: compiled must be a bool, got {compiled!r}")
    way = _compiled if compiled and type(here.mode) is Mode else _literal
    done: tuple[S, Y] = way(step, state, xs)
    return done


def _literal(step: Any, state: Tensors, xs: Tensors) -> tuple[Tensors, Tensors]:
    outs = []
    for t in range(len(flat(xs)[0].array)):
        with time_step(t + 1):
            x = like(xs, [each[t].named("x", "input") for each in flat(xs)])
            after, y = _checked(step(state, x), state)
        state = after
        outs.append(y)
    return state, _stacked(outs)


def _stacked(outs: Sequence[Tensors]) -> Tensors:
    if outs[0] is None:
        return None
    columns = zip(*map(flat, outs), strict=True)
    return like(outs[0], [stack(column, 0) for column in columns])


def _compiled(step: Any, state: Tensors, xs: Tensors) -> tuple[Tensors, Tensors]:
    for what, given, fitting in (("state", state, "f"), ("xs", xs, "fi")):
        kinds = {str(x.array.dtype) for x in flat(given) if x.array.dtype.kind not in fitting}
        if kinds:
            also = " or integers" if "i" in fitting else ""
            raise RuntimeError(
                f"scan: of a compiled step {what} must be floating-point{also}, got "
                f"{', '.join(kinds)}; leave compiled=False"
            )
    known, decides = captured(step)
    forms: list[Any] = []  # of what goes out

    def flat_step(states: Any, x: Any, _: Any) -> Any:
        after, y = _checked(step(like(state, states), like(xs, x)), state)
        forms.append(None if y is None else _hollow(y))
        return flat(after), [] if y is None else flat(y)

    sequences, states = flat(xs), flat(state)
    count = len(sequences), len(sequences) + len(states)

    def literal(*given: Tensor) -> list[Tensor]:
        rows, start = given[: count[0]], given[count[0] : count[1]]
        after, ys = _literal(step, like(state, start), like(xs, rows))
        return [*([] if ys is None else flat(ys)), *flat(after)]

    def trace(of: StepFunction, a: Any, b: Any, consts: Any) -> Traced:
        return verified(of, a, b, known, [x.array for x in sequences])

    form: list[Any] = []

    def quick(given: Sequence[Tensor]) -> tuple[list[Any], unit.Ran]:
        key = ("scan", decides, _form(state), _form(xs))
        try:
            back = unit.ran(key, flat_step, sequences, states, known, trace)
        except CannotWrite as error:
            raise RuntimeError(
                f"scan: this step cannot be compiled, because of {error}; leave compiled=False"
                f"{error.where}"
            ) from None
        if forms:  # it has been traced just now
            back.program.form = forms[-1]
        form.append(back.program.form)
        return [*back.ys, *back.ends], back

    made = sealed("scan", literal, quick, [*sequences, *states, *known])
    y = form[0]
    ys = [made_by("StackBackward0", y) for y in made[: len(made) - len(states)]]
    after = [made_by("ScanBackward0", s) for s in made[len(ys) :]]
    return like(state, after), None if y is None else like(y, ys)


def _hollow(tensors: Tensors) -> Tensors:
    """Something of the same form that holds on to nothing."""
    return _EMPTY if isinstance(tensors, Tensor) else (_EMPTY,) * len(tensors)


_EMPTY = wrap(np.zeros(()), None)


def _form(tensors: Tensors) -> int:
    return -1 if isinstance(tensors, Tensor) else len(tensors)


# -- tensors, or tuples of them ------------------------------------------------------------------


def flat(tensors: Tensors) -> list[Tensor]:
    """One tensor, or several, as a list."""
    return list(tensors) if isinstance(tensors, tuple | list) else [tensors]


def like(form: Tensors, tensors: Sequence[Tensor]) -> Tensors:
    """A list in the form of what it was made of."""
    return tuple(tensors) if isinstance(form, tuple | list) else tensors[0]


def _check(tensors: Any, what: str) -> None:
    several = flat(tensors)
    if several and all(isinstance(x, Tensor) for x in several):
        return
    raise TypeError(f"scan: {what} must be a Tensor or a tuple of them, got {tensors!r:.60}")


def _checked(made: Any, state: Tensors) -> tuple[Tensors, Tensors]:
    """What a step returned, if it has the form that it should have."""
    if not isinstance(made, tuple) or len(made) != 2:
        raise TypeError(f"scan: the step must return (state, y), got {made!r:.60}")
    after, y = made
    _check(after, "the state that the step returns")
    if y is not None:
        _check(y, "what the step returns beside the state")
    kinds = [[(x.array.shape, x.array.dtype) for x in flat(each)] for each in (state, after)]
    if kinds[0] != kinds[1]:
        raise ValueError(
            f"scan: the state had {_said(kinds[0])} and became {_said(kinds[1])} in a step"
        )
    return after, y


def _said(kinds: Sequence[Any]) -> str:
    return ", ".join(f"shape {shape} of {dtype}" for shape, dtype in kinds)
