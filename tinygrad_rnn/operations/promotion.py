"""Making the inputs of a primitive fit each other before its forward runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.errors import silent
from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.operations.dtypes import get_default_dtype, is_floating, result_type
from tinygrad_rnn.operations.traits import primitive

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

A = TypeVar("A", bound=np.ndarray[Any, Any])
Prepare = Callable[[Sequence[Any]], Sequence[Any]]


@silent
def _converted(x: Any, dtype: np.dtype[Any], copy: bool = False) -> Any:
    return x.astype(dtype, copy=copy)  # what does not fit becomes inf, as in PyTorch


cast = primitive(
    "to_copy",
    lambda x, *, dtype, origin: _converted(x, dtype, copy=True),
    "x",
    symbol="to",
    twin=lambda torch, x, dtype, origin: x.to(getattr(torch, dtype.name)),
    analytic=False,
)
"""Change of element type: an operation of its own, so that its derivative is one too."""

cast.vjp("x", lambda g, origin: to_dtype(g, origin), formula="g")


@overload
def to_dtype(x: Variable, dtype: np.dtype[Any]) -> Tensor: ...
@overload
def to_dtype(x: A, dtype: np.dtype[Any]) -> A: ...


def to_dtype(x: Any, dtype: np.dtype[Any]) -> Any:
    """A tensor or array in another element type; itself if it has that type already."""
    if not isinstance(x, Variable):
        return _converted(x, dtype)
    if x.array.dtype == dtype:
        return x
    if not is_floating(dtype):  # integers have no derivatives
        return graph.make_tensor(to_dtype(x.array, dtype), None)
    return cast.apply(x, dtype=dtype, origin=x.array.dtype)


def promoted(
    name: str, *, to_float: bool = False, bools: bool = True, numbers: bool = True
) -> Prepare:
    """A `Primitive.prepare` that brings operands to their common type (see `dtypes`).

    Parameters
    ----------
    name : of the operation, for errors.
    to_float : for operations whose result is never an integer, such as division.
    bools : whether the operation is defined for bools.
    numbers : whether Python numbers may stay what they are beside float tensors.
    """

    def prepare(inputs: Sequence[Any]) -> Sequence[Any]:
        if _fit(inputs, numbers):
            return inputs
        operands = [_operand(x, name) for x in inputs]
        arrays = [
            x.array if isinstance(x, Variable) else x
            for x in operands
            if isinstance(x, Variable | np.ndarray)
        ]
        written = [x for x in operands if isinstance(x, bool | int | float)]
        dtype = result_type(arrays, written)
        if not bools and dtype.kind == "b":
            raise RuntimeError(f"{name}: not defined for bool tensors; convert them first")
        if to_float and not is_floating(dtype):
            dtype = get_default_dtype()
        keep = numbers and bool(arrays) and is_floating(dtype)
        return [
            x if keep and isinstance(x, bool | int | float) else to_dtype(_arrayed(x), dtype)
            for x in operands
        ]

    return prepare


def _fit(inputs: Sequence[Any], numbers: bool) -> bool:
    """Whether these are tensors of one floating-point type, and perhaps Python numbers."""
    found = None
    for x in inputs:
        if isinstance(x, Variable):
            dtype = x.array.dtype
            if dtype.kind != "f" or (found is not None and found != dtype):
                return False
            found = dtype
        elif not numbers or (type(x) is not float and type(x) is not int):
            return False
    return found is not None


def _arrayed(x: Any) -> Any:
    return np.asarray(x) if isinstance(x, bool | int | float) else x


def _operand(x: Any, name: str) -> Any:
    """A tensor, an array or a Python number; anything else cannot be computed with."""
    if isinstance(x, np.generic):
        return x.item()
    if isinstance(x, np.ndarray) and not x.dtype.isnative:
        return x.astype(x.dtype.newbyteorder("="))
    if isinstance(x, Variable | np.ndarray | bool | int | float):
        return x
    raise TypeError(
        f"{name}: expected a tensor, an array or a number, got {type(x).__name__} {x!r:.60}; "
        "make a tensor of it with tinygrad_rnn.tensor(...)"
    )


def same_dtype(name: str) -> Prepare:
    """A `Primitive.prepare` for products of matrices, which do not promote (as in PyTorch)."""

    def prepare(inputs: Sequence[Any]) -> Sequence[Any]:
        arrays = [x.array if isinstance(x, Variable) else x for x in inputs]
        for array in arrays:
            if not isinstance(array, np.ndarray):
                raise TypeError(f"{name}: expected tensors, got {type(array).__name__}")
            if array.dtype.kind == "b":
                raise RuntimeError(f"{name}: not defined for bool tensors; convert them first")
        if len({array.dtype for array in arrays}) > 1:
            found = " and ".join(str(array.dtype) for array in arrays)
            raise RuntimeError(f"{name}: expected operands of the same dtype, got {found}")
        return inputs

    return prepare


def floats(name: str) -> Prepare:
    """A `Primitive.prepare` for functions of floating-point tensors, all of one type."""

    def prepare(inputs: Sequence[Any]) -> Sequence[Any]:
        for x in inputs:
            array = x.array if isinstance(x, Variable) else x
            if not isinstance(array, np.ndarray):
                raise TypeError(f"{name}: expected tensors, got {type(x).__name__} {x!r:.60}")
            if not is_floating(array.dtype):
                raise RuntimeError(
                    f"{name}: only defined for floating-point tensors, not for {array.dtype}; "
                    "convert it first"
                )
        if len({x.dtype for x in inputs}) > 1:
            found = " and ".join(str(x.dtype) for x in inputs)
            raise RuntimeError(f"{name}: expected tensors of the same dtype, got {found}")
        return inputs

    return prepare
