"""Which elements there are in a tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.operations.arguments import check_flags, dim_of, one_or_more, raw, tensor_of
from tinygrad_rnn.operations.promotion import promoted

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


@overload
def unique(
    input: Any,
    sorted: bool = True,
    return_inverse: Literal[False] = False,
    return_counts: Literal[False] = False,
    dim: int | None = None,
) -> Tensor: ...
@overload
def unique(
    input: Any,
    sorted: bool = True,
    *,
    return_inverse: Literal[True],
    return_counts: Literal[True],
    dim: int | None = None,
) -> tuple[Tensor, Tensor, Tensor]: ...
@overload
def unique(
    input: Any,
    sorted: bool = True,
    *,
    return_inverse: Literal[True],
    return_counts: Literal[False] = False,
    dim: int | None = None,
) -> tuple[Tensor, Tensor]: ...
@overload
def unique(
    input: Any,
    sorted: bool = True,
    return_inverse: Literal[False] = False,
    *,
    return_counts: Literal[True],
    dim: int | None = None,
) -> tuple[Tensor, Tensor]: ...
@overload
def unique(
    input: Any,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Tensor | tuple[Tensor, ...]: ...
def unique(
    input: Any,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Tensor | tuple[Tensor, ...]:
    """The different elements of a tensor, in ascending order; constants, without gradient.

    Parameters
    ----------
    input : Tensor
    sorted : bool
        Without effect: they are sorted anyhow.
    return_inverse : bool
        Return also, in the input's shape, where in the result each element stands.
    return_counts : bool
        Return also how often each occurs.
    dim : int, optional
        Compare the slices along this axis instead of single elements.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.unique(tg.tensor([3, 1, 3, 2]), return_counts=True)
    (tensor([1, 2, 3]), tensor([1, 1, 2]))
    """
    x = tensor_of("unique", input).array
    check_flags("unique", sorted=sorted, return_inverse=return_inverse, return_counts=return_counts)
    if dim is None:
        return _result(x.reshape(-1), x.shape, return_inverse, return_counts)
    d = dim_of("unique", dim, x.ndim)
    if not x.ndim:
        raise IndexError("unique: a 0-d tensor has no slices; leave dim away")
    if 0 in x.shape[:d] + x.shape[d + 1 :]:
        raise RuntimeError(f"unique: along dim {dim} a tensor of shape {x.shape} has empty slices")
    return _result(x, x.shape[d : d + 1], return_inverse, return_counts, d)


def _result(
    x: Any, shape: tuple[int, ...], inverse: bool, counts: bool, axis: int | None = None
) -> Tensor | tuple[Tensor, ...]:
    found, where, often = np.unique(
        x, return_inverse=True, return_counts=True, axis=axis, equal_nan=False
    )
    parts = [found, *[where.reshape(shape)] * inverse, *[often] * counts]
    return _of_parts(parts)


def _of_parts(parts: list[Any]) -> Tensor | tuple[Tensor, ...]:
    """One tensor or several, as was asked for."""
    made = tuple(graph.make_tensor(np.array(part, order="C"), None) for part in parts)
    return made if len(made) > 1 else made[0]


def unique_consecutive(
    input: Any, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Tensor | tuple[Tensor, ...]:
    """A tensor without the elements that equal the one before them; constants, without gradient.

    What is left of the letters of a CTC net, before the blanks go, is this.

    Parameters
    ----------
    input : Tensor
    return_inverse : bool
        Return also, in the input's shape, where in the result each element stands.
    return_counts : bool
        Return also how many there were of each.
    dim : int, optional
        Compare the slices along this axis instead of single elements.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.unique_consecutive(tg.tensor([1, 1, 2, 1]), return_counts=True)
    (tensor([1, 2, 1]), tensor([2, 1, 1]))
    """
    x = tensor_of("unique_consecutive", input).array
    check_flags("unique_consecutive", return_inverse=return_inverse, return_counts=return_counts)
    d = 0 if dim is None else dim_of("unique_consecutive", dim, x.ndim)
    runs = x.reshape(-1) if dim is None else np.moveaxis(np.atleast_1d(x), d, 0)
    rest = tuple(range(1, runs.ndim))
    starts = np.ones(len(runs), bool)
    starts[1:] = (runs[1:] != runs[:-1]).any(rest)
    found = np.moveaxis(runs[starts], 0, d)
    where = np.cumsum(starts) - 1
    often = np.diff(np.flatnonzero([*starts, True]))
    parts = [
        found,
        *[where.reshape(x.shape if dim is None else -1)] * return_inverse,
        *[often] * return_counts,
    ]
    return _of_parts(parts)


def isin(
    elements: Any = None,
    test_elements: Any = None,
    *,
    element: Any = None,
    test_element: Any = None,
    assume_unique: bool = False,
    invert: bool = False,
) -> Tensor:
    """Whether each element is among ``test_elements``, as a bool tensor (NaN is nowhere).

    Parameters
    ----------
    elements, test_elements : Tensor or number
        Not of bools. By keyword, a number is an ``element`` or ``test_element``.
    assume_unique : bool
        Without effect: a promise that no element occurs twice.
    invert : bool
        Tell whether it is not among them instead.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.isin(tg.tensor([1, 2, 3]), tg.tensor([3, 1, 5]))
    tensor([ True, False,  True])
    """
    check_flags("isin", assume_unique=assume_unique, invert=invert)
    one = one_or_more("isin", () if elements is None else (elements,), element)
    other = one_or_more("isin", () if test_elements is None else (test_elements,), test_element)
    x, among = map(raw, _fit((one, other)))
    return graph.make_tensor(np.asarray(np.isin(x, among, invert=invert)), None)


_promoted = promoted("isin", numbers=False)


def _fit(given: tuple[Any, Any]) -> Any:
    for x in given:
        if isinstance(x, bool) or getattr(x, "dtype", None) == np.bool_:
            raise RuntimeError("isin: not defined for bools; convert them first")
    return _promoted(given)
