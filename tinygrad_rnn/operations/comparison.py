"""Comparisons, logic and bits: bool and integer tensors, without derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.errors import cannot_compute, silently
from tinygrad_rnn.operations.arguments import check_flags, raw, tensor_of
from tinygrad_rnn.operations.memory import first_decides
from tinygrad_rnn.operations.promotion import promoted

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


def _pairwise(
    name: str, ufunc: Callable[..., Any], text: str, *, sign: str = "", bits: bool = False
) -> Any:
    """A function of two operands, brought to their common type."""
    said = sign or name
    fit = promoted(said, numbers=False)

    def apply(input: Any, other: Any) -> Tensor:
        a, b = map(raw, fit((input, other)))
        if bits and a.dtype.kind == "f":
            raise RuntimeError(f"{said}: only defined for bools and integers, not {a.dtype}")
        try:
            return graph.make_tensor(first_decides(np.asarray(ufunc(a, b)), (a, b)), None)
        except (ValueError, MemoryError) as error:
            raise cannot_compute(said, error, [a, b], {}) from error

    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = text
    return apply


def _compare(name: str, ufunc: np.ufunc, sign: str) -> Any:
    text = f"``input {sign} other``, elementwise, as a bool tensor."
    return _pairwise(name, ufunc, text, sign=sign)


if TYPE_CHECKING:  # they have one signature

    def eq(input: Any, other: Any) -> Tensor: ...

    ne = lt = le = gt = ge = eq
    logical_and = logical_or = logical_xor = bitwise_and = bitwise_or = bitwise_xor = eq
else:
    eq = _compare("eq", np.equal, "==")
    ne = _compare("ne", np.not_equal, "!=")
    lt = _compare("lt", np.less, "<")
    le = _compare("le", np.less_equal, "<=")
    gt = _compare("gt", np.greater, ">")
    ge = _compare("ge", np.greater_equal, ">=")

    _TRUTH = "elementwise, as a bool tensor; what is not 0 is true."
    logical_and = _pairwise("logical_and", np.logical_and, f"Whether both are true, {_TRUTH}")
    logical_or = _pairwise("logical_or", np.logical_or, f"Whether at least one is true, {_TRUTH}")
    logical_xor = _pairwise("logical_xor", np.logical_xor, f"Whether exactly one is true, {_TRUTH}")

    _BITS = "of integers or bools, elementwise."
    bitwise_and = _pairwise("bitwise_and", np.bitwise_and, f"``input & other`` {_BITS}", bits=True)
    bitwise_or = _pairwise("bitwise_or", np.bitwise_or, f"``input | other`` {_BITS}", bits=True)
    bitwise_xor = _pairwise("bitwise_xor", np.bitwise_xor, f"``input ^ other`` {_BITS}", bits=True)


def bitwise_not(input: Any) -> Tensor:
    """``~input`` of integers (−1 − ``input``) or bools (the opposite), elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> ~tg.tensor([True, False])
    tensor([False,  True])
    """
    x = tensor_of("bitwise_not", input)
    if x.array.dtype.kind == "f":
        raise RuntimeError(f"bitwise_not: only defined for bools and integers, not {x.array.dtype}")
    return graph.make_tensor(np.asarray(~x.array), None)


def logical_not(input: Any) -> Tensor:
    """Whether an element is 0 (false), elementwise, as a bool tensor.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.logical_not(tg.tensor([0.0, 2.0]))
    tensor([ True, False])
    """
    return _test("logical_not", np.logical_not, input)


def isnan(input: Any) -> Tensor:
    """Whether an element is NaN, elementwise, as a bool tensor.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.isnan(tg.tensor([1.0, float("nan")]))
    tensor([False,  True])
    """
    return _test("isnan", np.isnan, input)


def isinf(input: Any) -> Tensor:
    """Whether an element is ∞ or −∞, elementwise, as a bool tensor.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.isinf(tg.tensor([1.0, float("-inf")]))
    tensor([False,  True])
    """
    return _test("isinf", np.isinf, input)


def isfinite(input: Any) -> Tensor:
    """Whether an element is neither infinite nor NaN, elementwise, as a bool tensor.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.isfinite(tg.tensor([1.0, float("inf"), float("nan")]))
    tensor([ True, False, False])
    """
    return _test("isfinite", np.isfinite, input)


def _test(name: str, ufunc: np.ufunc, input: Any) -> Tensor:
    array = tensor_of(name, input).array
    try:
        return graph.make_tensor(np.asarray(ufunc(array)), None)
    except MemoryError as error:
        raise cannot_compute(name, error, [array], {}) from error


def isclose(
    input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """Whether |input − other| ≤ atol + rtol · |other|, elementwise, as a bool tensor.

    Parameters
    ----------
    input, other : Tensor
        Of one type.
    rtol, atol : float
        Not negative.
    equal_nan : bool
        Whether NaN is close to NaN.

    Raises
    ------
    RuntimeError
        If the types differ, the shapes do not broadcast, or a tolerance is negative.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.isclose(tg.tensor([1.0, 2.0]), tg.tensor([1.000001, 2.1]))
    tensor([ True, False])
    """
    a, b = tensor_of("isclose", input).array, tensor_of("isclose", other).array
    if a.dtype != b.dtype:
        raise RuntimeError(f"isclose: expected tensors of one type, got {a.dtype} and {b.dtype}")
    if not (rtol >= 0 and atol >= 0):
        raise RuntimeError(f"isclose: tolerances must not be negative, got {rtol} and {atol}")
    check_flags("isclose", equal_nan=equal_nan)
    x, y = (z if z.dtype.kind == "f" else z.astype(np.float64) for z in (a, b))
    try:
        error = silently(lambda: abs(x - y))
        close = (a == b) | silently(lambda: np.isfinite(error) & (error <= atol + abs(rtol * y)))
    except ValueError as problem:
        raise cannot_compute("isclose", problem, [a, b], {}) from problem
    if equal_nan:
        close = close | ((a != a) & (b != b))
    return graph.make_tensor(np.asarray(close), None)


def allclose(
    input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether all elements are close (see `isclose`).

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.allclose(tg.tensor([1.0, 2.0]), tg.tensor([1.000001, 2.0]))
    True
    """
    return bool(isclose(input, other, rtol, atol, equal_nan).array.all())


def equal(input: Any, other: Any) -> bool:
    """Whether two tensors have the same shape and the same elements (NaN equals nothing).

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.equal(tg.tensor([1.0, 2.0]), tg.tensor([[1.0, 2.0]]))
    False
    """
    return np.array_equal(tensor_of("equal", input).array, tensor_of("equal", other).array)
