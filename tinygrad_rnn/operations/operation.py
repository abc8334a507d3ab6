"""How an operation is written down: its forward, the function that users call, and its rules.

What only hands its operands on has a documentation for a body::

    @elementwise(np.sinh)
    def sinh(input: Any) -> Tensor:
        "Hyperbolic sine, elementwise."
    sinh.vjp("x", lambda g, x: g * np.cosh(x), formula="g ⊙ cosh x")

What has arguments to check or to complete does so, and applies its primitive itself::

    @operation(lambda x, *, dims: np.flip(x, dims).copy("K"))
    def flip(input: Any, *dims: Any) -> Tensor:
        "The elements along some axes in reverse order."
        return flip.apply(input, dims=...)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import update_wrapper
from types import FunctionType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, cast, overload

from tinygrad_rnn.engine.errors import silent
from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.operations.memory import first_decides
from tinygrad_rnn.operations.promotion import promoted
from tinygrad_rnn.operations.traits import primitive

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

Fn = Callable[..., Any]
P = ParamSpec("P")
Q = ParamSpec("Q")
R_co = TypeVar("R_co", covariant=True)
F = TypeVar("F", bound=Callable[..., Any])


class Operation(Protocol[P, R_co]):
    """A function that users call, with the primitive that it applies and a way to state its rules.

    It is a plain function: in a class it is a method.
    """

    primitive: Primitive
    apply: Callable[..., Tensor]  # the primitive's quickest way, without any check
    vjp: Fn
    joint_vjp: Fn

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...

    @overload
    def __get__(self, instance: None, owner: type) -> Operation[P, R_co]: ...

    @overload
    def __get__(
        self: Operation[Concatenate[Any, Q], R_co], instance: object, owner: type
    ) -> Callable[Q, R_co]: ...


def _operation(forward: Fn, inputs: str = "x", **traits: Any) -> Callable[[F], F]:
    """Make a function that checks its arguments an operation, with a primitive of its name.

    Parameters
    ----------
    forward : function of arrays
    inputs, **traits
        See `Primitive` and `Traits`.

    Examples
    --------
    >>> import numpy as np
    >>> @operation(lambda x, *, by: np.multiply(x, by))
    ... def multiplied(input, by):
    ...     return multiplied.apply(input, by=float(by))
    >>> multiplied.vjp("x", lambda g, by: g * by, formula="g ⊙ by")
    >>> import tinygrad_rnn as tg
    >>> multiplied(tg.tensor([1.0, 2.0]), "2")
    tensor([2., 4.])
    >>> del Primitive.registry["multiplied"]
    """

    def declared(function: F) -> F:
        name = cast(FunctionType, function).__name__
        return _applying(primitive(name, forward, inputs, **traits), function)

    return declared


def _elementwise(
    forward: Fn,
    *,
    quiet: bool = True,
    to_float: bool = True,
    bools: bool = True,
    numbers: bool = True,
    prepare: Fn | None = None,
    **traits: Any,
) -> Callable[[F], F]:
    """Make an empty function of one or two operands the operation that it documents.

    Parameters
    ----------
    forward : function of arrays
    quiet : bool
        Whether NumPy's warnings must be kept from the user; it takes time, where there are none.
    to_float, bools, numbers : bool
        How the operands are promoted: see `promoted`.
    prepare : function, optional
        What makes the operands fit instead.
    **traits
        See `Primitive` and `Traits`.
    """

    def declared(function: F) -> F:
        given = cast(FunctionType, function)
        name, count = given.__name__, len(inspect.signature(given).parameters)
        fit = prepare or promoted(name, to_float=to_float, bools=bools, numbers=numbers)
        made = primitive(
            name, silent(forward) if quiet else forward, ("x", "a b")[count - 1],
            prepare=fit, arrange=(None, first_decides)[count - 1], **traits,
        )  # fmt: skip
        handing = (_handing_one, _handing_two)[count - 1](made.apply)
        handing = FunctionType(  # which stands where it is written
            handing.__code__, given.__globals__, name, None, handing.__closure__
        )
        return _applying(made, cast(F, update_wrapper(handing, given)))

    return declared


def _handing_one(apply: Fn) -> Any:
    def handing(input: Any) -> Any:
        return apply(input)

    return handing


def _handing_two(apply: Fn) -> Any:
    def handing(input: Any, other: Any) -> Any:
        return apply(input, other)

    return handing


def _applying(applied: Primitive, function: F) -> F:
    """The function, which knows its primitive."""
    made = cast("Operation[..., Any]", function)
    made.primitive, made.apply = applied, applied.apply
    made.vjp, made.joint_vjp = applied.vjp, applied.joint_vjp
    return function


def in_rules(function: Primitive | Operation[..., Any]) -> Fn:
    """An operation as rules use it: on arrays its forward, on tensors itself, so recorded."""
    known = function if isinstance(function, Primitive) else function.primitive

    def applied(*inputs: Any, **params: Any) -> Any:
        recorded = any(isinstance(x, Variable) for x in inputs)
        return (known if recorded else known.forward)(*inputs, **params)

    return applied


MYPY = False
if MYPY:  # it is told what the decorators make; whoever completes a program sees the function

    def operation(
        forward: Fn, inputs: str = ..., **traits: Any
    ) -> Callable[[Callable[P, R_co]], Operation[P, R_co]]: ...

    def elementwise(
        forward: Fn, **traits: Any
    ) -> Callable[[Callable[P, R_co]], Operation[P, R_co]]: ...

else:
    operation, elementwise = _operation, _elementwise
