"""What the engine says when something is wrong: the operation, the shapes, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context, copy_context
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])
P = ParamSpec("P")
R = TypeVar("R")

_SILENT = Context()  # in which NumPy says nothing: it looks there for how to treat errors
_SILENT.run(np.seterr, all="ignore")


def silently(function: Callable[P, R], *arrays: P.args, **params: P.kwargs) -> R:
    """Call a function of arrays without NumPy's warnings: ln 0 is −∞, ∞ − ∞ is NaN, as in PyTorch.

    Nothing is set that would have to be set back, whatever interrupts; and a ``with np.errstate``
    takes ten times as long.
    """
    return _SILENT.copy().run(function, *arrays, **params)


def silently_among_users(function: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> R:
    """As `silently`, for what may call functions of users: hooks find their context variables."""

    def quiet() -> R:
        np.seterr(all="ignore")
        return function(*arguments, **options)

    return copy_context().run(quiet)


def silent(function: Function) -> Function:
    """The function, called `silently`."""
    return wraps(function)(partial(silently, function))  # type: ignore[return-value]


def cannot_compute(name: str, error: Exception, arrays: list[Any], params: Any) -> Exception:
    """A forward failed on these inputs; PyTorch's kind of exception for it."""
    shapes = " and ".join(str(np.shape(a)) for a in arrays)
    extra = "".join(f", {key}={value!r}" for key, value in params.items())
    if isinstance(error, MemoryError):
        return no_memory(name, error, f" for inputs of shape {shapes}{extra}")
    kind = RuntimeError if isinstance(error, ValueError) else type(error)
    return kind(f"{name}: cannot work on shape {shapes}{extra}: {error}")


def no_memory(name: str, error: MemoryError, inputs: str = "") -> RuntimeError:
    """An array is too large; PyTorch's kind of exception for it."""
    return RuntimeError(f"{name}: not enough memory{inputs}: {str(error) or 'it is too large'}")


def within_memory(function: Function) -> Function:
    """A function that makes arrays by itself, and says as a primitive does if they are too large.

    Examples
    --------
    >>> @within_memory
    ... def digits(n):
    ...     return np.zeros((n, 2**40))
    >>> digits(2**14)
    Traceback (most recent call last):
        ...
    RuntimeError: digits: not enough memory: Unable to allocate ...
    """

    @wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except MemoryError as error:
            asked = "" if str(error) else f" for {', '.join(f'{x!r:.40}' for x in args)}"
            raise no_memory(function.__name__, error, asked) from error

    return checked  # type: ignore[return-value]


def origin(node: Any) -> str:
    """Which operation a node is: where in a net, when, and the line that asked for it, if known."""
    scope, step, layer, direction, _, line = node.tag[:6]
    text = str(node.primitive.name) + (f" in {scope}" if scope else "")
    text += f" layer {layer}" if layer is not None else ""
    text += f" ({direction})" if direction == "reverse" else ""
    text += f" at step {step}" if step is not None else ""
    return text + (f" ({line})" if line else "")


def check_nan(c: Any, node: Any, parent: Any) -> None:
    """Raise if a derivative that ``node`` sends to one of its inputs is NaN."""
    array = getattr(c, "array", getattr(c, "g", c))
    if np.isnan(getattr(array, "array", array)).any():
        raise RuntimeError(
            f"Function '{node.name()}' returned nan values in its "
            f"{node.parents.index(parent)}th output.\nIt is the derivative of {origin(node)}"
        )


def freed(node: Any) -> RuntimeError:
    """A walk came to a node whose saved arrays an earlier walk has freed."""
    return RuntimeError(
        f"{origin(node)}: trying to backward through the graph a second time, but the first walk "
        "freed what it had saved. Pass retain_graph=True to the first backward, or detach() what "
        "is carried over from one backward to the next (a hidden state, say)."
    )


def changed_in_place(node: Any, shape: tuple[int, ...], version: int) -> RuntimeError:
    """A walk came to a node one of whose saved arrays is not what it was."""
    return RuntimeError(
        f"{origin(node)}: an array of shape {shape} that its derivative needs has been modified by "
        f"an inplace operation and is at version {version} now. Change a clone() instead, or make "
        "the change before it is used; if it was an optimizer's step, detach() the state that is "
        "carried over."
    )


def check_hook_answer(answer: Any, g: Any) -> None:
    """Raise unless what a gradient hook returned can stand for the gradient ``g``."""
    if not hasattr(answer, "requires_grad"):
        raise TypeError(f"a gradient hook must return None or a tensor, got {answer!r:.200}")
    if (answer.shape, answer.dtype) != (g.shape, g.dtype):
        raise RuntimeError(
            f"a gradient hook must return a tensor of shape {tuple(g.shape)} and {g.dtype.name}, "
            f"as it was given, not of shape {tuple(answer.shape)} and {answer.dtype.name}"
        )
