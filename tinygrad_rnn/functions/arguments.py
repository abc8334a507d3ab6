"""Checking and completing the arguments of the functions in this package."""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from tinygrad_rnn.engine import primitive
from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.ops.promotion import promoted

Dims = int | Sequence[int] | None
F = TypeVar("F", bound=Callable[..., Any])


def tensor_of(name: str, input: Any) -> Any:
    """``input`` as a tensor (a constant one, of an array)."""
    if isinstance(input, Variable):
        return input
    if isinstance(input, np.ndarray):
        return primitive.make_tensor(input, None)
    raise TypeError(f"{name}: expected a tensor, got {type(input).__name__} {input!r:.60}")


def several(name: str, tensors: Sequence[Any]) -> Sequence[Any]:
    xs = [tensor_of(name, x) for x in tensors]
    if not xs:
        kind = ValueError if name == "cat" else RuntimeError
        raise kind(f"{name}: expected a non-empty list of tensors")
    return promoted(name)(xs)


def dims_of(name: str, dim: Dims, ndim: int) -> tuple[int, ...]:
    """The axes that ``dim`` names, counted from 0; all of them for ``None`` and ``()``."""
    if dim is None or (isinstance(dim, tuple | list) and not dim):
        return tuple(range(ndim))
    if isinstance(dim, bool) or not isinstance(dim, int | tuple | list | np.integer):
        raise TypeError(f"{name}: dim must be an integer or a tuple of integers, got {dim!r}")
    given = tuple(dim) if isinstance(dim, tuple | list) else (dim,)
    axes = tuple(dim_of(name, d, ndim) for d in given)
    if len(set(axes)) < len(axes):
        raise RuntimeError(f"{name}: dim {dim} names an axis twice")
    return axes if ndim else ()


def dim_of(name: str, dim: Any, ndim: int) -> int:
    """One axis, counted from 0; a 0-d tensor counts as having one."""
    try:
        d = operator.index(dim)
    except TypeError:
        raise TypeError(f"{name}: dim must be an integer, got {dim!r}") from None
    size = max(ndim, 1)
    if not -size <= d < size:
        raise IndexError(
            f"{name}: dim {d} is out of range for a tensor with {ndim} dimensions "
            f"(expected {-size} … {size - 1})"
        )
    return d % size


def sizes_of(name: str, sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """Sizes given one by one or as one sequence."""
    if len(sizes) == 1 and not isinstance(sizes[0], int):
        sizes = tuple(sizes[0])
    try:
        return tuple(operator.index(size) for size in sizes)
    except TypeError:
        raise TypeError(f"{name}: sizes must be integers, got {sizes!r}") from None


def numpy_names(function: F) -> F:
    """Let a function of ``dim``, ``keepdim`` be called with NumPy's ``axis``, ``keepdims``."""
    names = list(inspect.signature(function).parameters)
    at = names.index("keepdim") if "keepdim" in names else len(names)

    @functools.wraps(function)
    def renamed(*arguments: Any, **options: Any) -> Any:
        for numpys, ours in (("axis", "dim"), ("keepdims", "keepdim")):
            if numpys in options:
                if ours in options:
                    raise TypeError(f"{function.__name__}: got both {numpys} and {ours}")
                options[ours] = options.pop(numpys)
        keepdim = arguments[at] if len(arguments) > at else options.get("keepdim", False)
        if not isinstance(keepdim, bool | np.bool_):
            raise TypeError(f"{function.__name__}: keepdim must be a bool, got {keepdim!r}")
        return function(*arguments, **options)

    return renamed  # type: ignore[return-value]
