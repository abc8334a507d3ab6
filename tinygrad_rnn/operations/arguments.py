"""Checking and completing the arguments of the functions in this package.

What PyTorch refuses is refused here, with its type of exception and a message that begins with
the ``name`` of the operation.
"""

from __future__ import annotations

import functools
import inspect
import math
import operator
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.engine.memory import apart
from tinygrad_rnn.operations.dtypes import as_dtype

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
Dims = int | Sequence[int] | None
F = TypeVar("F", bound=Callable[..., Any])

# -- tensors -------------------------------------------------------------------------------------


def raw(x: Any) -> Any:
    """The array of a tensor; anything else as it is."""
    return x.array if isinstance(x, Variable) else x


def tensor_of(name: str, input: Any) -> Tensor:
    """``input`` as a tensor (a constant one, of an array)."""
    if isinstance(input, Variable):
        return input  # type: ignore[return-value]  # every variable is a tensor
    if isinstance(input, np.ndarray):
        return graph.make_tensor(apart(input.astype(as_dtype(input.dtype), copy=False)), None)
    if isinstance(input, tuple) and any(isinstance(x, Variable) for x in input):
        raise TypeError(
            f"{name}: expected a tensor, got a tuple with tensors; a recurrent layer, for one, "
            "returns (output, state)"
        )
    raise TypeError(f"{name}: expected a tensor, got {type(input).__name__} {input!r:.60}")


def check_no_bools(name: str, x: Any) -> None:
    """Raise if a tensor is of bools."""
    if x.array.dtype.kind == "b":
        raise RuntimeError(f"{name}: not defined for bool tensors; convert them first")


def mask_of(name: str, what: str, mask: Any) -> Tensor:
    """A tensor of bools."""
    m = tensor_of(name, mask)
    if m.array.dtype.kind != "b":
        raise RuntimeError(f"{name}: the {what} must be a bool tensor, got {m.array.dtype}")
    return m


def indices_of(name: str, what: str, index: Any, *dtypes: Any) -> Array:
    """A tensor's integers: a copy, so that changing it later does not falsify gradients."""
    array = tensor_of(name, index).array
    allowed = dtypes or (np.int64, np.int32)
    if array.dtype not in allowed:
        names = " or ".join(np.dtype(d).name for d in allowed)
        raise RuntimeError(f"{name}: the {what} must be {names}, got {array.dtype}")
    return array.astype(np.int64, order="C")


def check_range(name: str, index: Array, size: int, kind: type[Exception] = IndexError) -> None:
    """Raise unless all indices are 0 … ``size`` − 1."""
    wrong = index[(index < 0) | (index >= size)]
    if wrong.size:
        raise kind(f"{name}: index {wrong[0]} is out of range for size {size}")


# -- axes and shapes -----------------------------------------------------------------------------


def dim_of(name: str, dim: Any, ndim: int) -> int:
    """One axis, counted from 0; a 0-d tensor counts as having one."""
    d = dim if type(dim) is int else integer_of(name, "dim", dim)
    size = max(ndim, 1)
    if not -size <= d < size:
        raise IndexError(
            f"{name}: dim {d} is out of range for a tensor with {ndim} dimensions "
            f"(expected {-size} … {size - 1})"
        )
    return d % size


def dims_of(name: str, dim: Dims, ndim: int) -> Shape:
    """The axes that ``dim`` names, counted from 0; all of them for ``None`` and ``()``."""
    if dim is None or (isinstance(dim, tuple | list) and not dim):
        return tuple(range(ndim))
    given = dim if isinstance(dim, tuple | list) else (dim,)
    axes = tuple([dim_of(name, d, ndim) for d in given])
    if len(set(axes)) < len(axes):
        raise RuntimeError(f"{name}: dim {dim} names an axis twice")
    return axes if ndim else ()


def one_or_more(name: str, given: tuple[Any, ...], named: Any) -> Any:
    """Axes given one by one, as one argument, or by keyword, as one argument."""
    if given and named is not None:
        raise TypeError(f"{name}: the same argument came by position and by keyword")
    if not given:
        return named
    return given[0] if len(given) == 1 else given


def common_shape(name: str, *shapes: Shape) -> Shape:
    """The shape in which tensors of these shapes meet."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        written = " and ".join(map(str, shapes))
        raise RuntimeError(f"{name}: shapes {written} do not broadcast") from None


def broadcasts(shape: Shape, to: Shape) -> bool:
    """Whether a tensor of one shape can be expanded to the other."""
    pairs = zip(reversed(shape), reversed(to))
    return len(shape) <= len(to) and all(m in (1, n) for m, n in pairs)


# -- numbers -------------------------------------------------------------------------------------


def integer_of(name: str, what: str, value: Any) -> int:
    """An integer, be it NumPy's or a 0-d tensor, but no bool."""
    try:
        if not isinstance(value, bool):
            return operator.index(value)
    except TypeError:
        pass
    raise TypeError(f"{name}: {what} must be an integer, got {value!r:.60}")


def integers_of(name: str, given: tuple[Any, ...], named: Any = None) -> Shape:
    """Integers given one by one, as one sequence, or by keyword."""
    if given and named is not None:
        raise TypeError(f"{name}: got integers by position and by keyword")
    values = given if named is None else (named,)
    if len(values) == 1 and isinstance(values[0], tuple | list):
        values = tuple(values[0])
    elif not values:
        raise TypeError(f"{name}: integers are missing, one by one or as a tuple")
    try:
        if bool not in map(type, values):
            return tuple(map(operator.index, values))
    except TypeError:
        pass
    raise TypeError(f"{name}: expected integers, one by one or as a tuple, got {values!r:.60}")


def number_of(name: str, what: str, value: Any) -> bool | int | float:
    """A Python number, also of a NumPy scalar or a 0-d tensor (which then gets no gradient)."""
    array = raw(value)
    if isinstance(array, np.ndarray | np.generic) and not array.ndim:
        number = array.item()
    else:
        number = value
    if not isinstance(number, bool | int | float) or getattr(value, "requires_grad", False):
        raise TypeError(f"{name}: {what} must be a number, got {value!r:.60}")
    return number


def fitting(name: str, number: bool | int | float, dtype: np.dtype[Any]) -> bool | int | float:
    """A Python number that an element of ``dtype`` can be; others raise, as in PyTorch."""
    if dtype.kind == "f":
        fits = not float(np.finfo(dtype).max) < abs(number) < math.inf
    elif dtype.kind == "b":
        fits = True
    else:
        limits = np.iinfo(dtype)
        wraps = dtype.kind == "u" and isinstance(number, int)  # −1 in uint8 is 255, as in C
        fits = (-limits.max if wraps else limits.min) <= number <= limits.max
    if not fits:
        raise RuntimeError(f"{name}: {number!r} does not fit {dtype}; convert the tensor first")
    return number


def check_flags(name: str, **flags: Any) -> None:
    """Raise unless every flag is a bool (a number in its place is often a misplaced size)."""
    for flag, value in flags.items():
        if not isinstance(value, bool | np.bool_):
            raise TypeError(f"{name}: {flag} must be a bool, got {value!r:.60}")


# -- names ---------------------------------------------------------------------------------------


def numpy_names(function: F) -> F:
    """Let a function of ``dim``, ``keepdim`` be called with NumPy's ``axis``, ``keepdims``."""
    names = list(inspect.signature(function).parameters)
    at = names.index("keepdim") if "keepdim" in names else sys.maxsize

    @functools.wraps(function)
    def renamed(*arguments: Any, **options: Any) -> Any:
        for numpys, ours in (("axis", "dim"), ("keepdims", "keepdim")):
            if numpys in options:
                if ours in options:
                    raise TypeError(f"{function.__name__}: got both {numpys} and {ours}")
                options[ours] = options.pop(numpys)
        keepdim = arguments[at] if len(arguments) > at else options.get("keepdim", False)
        if type(keepdim) is not bool:
            check_flags(function.__name__, keepdim=keepdim)
        return function(*arguments, **options)

    return renamed  # type: ignore[return-value]
