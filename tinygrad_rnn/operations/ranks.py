"""Elements by their rank in order, the largest so far, and where something would stand in order.

NaN counts as larger than any number, as in `ordering`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.errors import silent, within_memory
from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.operations.arguments import (
    check_flags,
    check_no_bools,
    dim_of,
    indices_of,
    integer_of,
    number_of,
    numpy_names,
    tensor_of,
)
from tinygrad_rnn.operations.arithmetic import lerp, mul, sub
from tinygrad_rnn.operations.comparison import isnan
from tinygrad_rnn.operations.dtypes import int32, int64, result_type
from tinygrad_rnn.operations.elementwise import ceil, clamp_min, floor, round, where
from tinygrad_rnn.operations.gathering import gather
from tinygrad_rnn.operations.node_names import made_by
from tinygrad_rnn.operations.ordering import Selection, order, selected, selection, sort
from tinygrad_rnn.operations.promotion import to_dtype
from tinygrad_rnn.operations.reduction import amax, amin, some, sum
from tinygrad_rnn.operations.shape import clone, movedim, reshape

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


# -- by rank -------------------------------------------------------------------------------------


@within_memory
@numpy_names
def kthvalue(input: Any, k: int, dim: int = -1, keepdim: bool = False) -> Selection:
    """The ``k``-th smallest element along ``dim``, and where it is.

    Parameters
    ----------
    input : Tensor
    k : int
        1 is the smallest.
    dim : int
    keepdim : bool

    Returns
    -------
    A named tuple ``(values, indices)``

    Raises
    ------
    RuntimeError
        If there is no ``k``-th.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.kthvalue(tg.tensor([4.0, 1.0, 3.0]), 2)
    torch.return_types.kthvalue(
    values=tensor(3.),
    indices=tensor(2))
    """
    x = tensor_of("kthvalue", input)
    check_no_bools("kthvalue", x)
    d = dim_of("kthvalue", dim, x.array.ndim)
    some("kthvalue", x, d)
    place, n = integer_of("kthvalue", "k", k), x.array.shape[d] if x.array.ndim else 1
    if not 1 <= place <= n:
        raise RuntimeError(f"kthvalue: k must be 1 … {n}, the size of axis {d}, got {k}")
    index = order(x.array, d, False)
    chosen = np.take(index, [place - 1], d) if x.array.ndim else index
    return selection("kthvalue", x, chosen, d, keepdim)


@within_memory
@numpy_names
def mode(input: Any, dim: int = -1, keepdim: bool = False) -> Selection:
    """The most frequent element along ``dim``, the smallest of several, and where it is last.

    Returns
    -------
    A named tuple ``(values, indices)``

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.mode(tg.tensor([3, 1, 1, 2])).values
    tensor(1)
    """
    x = tensor_of("mode", input)
    d = dim_of("mode", dim, x.array.ndim)
    if x.array.ndim:
        some("mode", x, d)
    index = np.zeros([1 if i == d else n for i, n in enumerate(x.array.shape)], int64)
    if x.array.ndim and x.array.size:
        index[...] = np.expand_dims(np.apply_along_axis(_last_of_most, d, x.array), d)
    return selection("mode", x, index, d, keepdim)


def _last_of_most(row: Any) -> Any:
    """Where the most frequent element of a vector is for the last time."""
    values, counts = np.unique(row, return_counts=True, equal_nan=False)
    most = values[counts.argmax()]
    return np.flatnonzero((row == most) | ((row != row) & (most != most)))[-1]


def quantile(
    input: Any, q: Any, dim: int | None = None, keepdim: bool = False, *,
    interpolation: str = "linear",
) -> Tensor:  # fmt: skip
    """What a part ``q`` of the elements is not larger than, of all or along ``dim``.

    Parameters
    ----------
    input : Tensor of float32 or float64
        Where an element is NaN, the result is NaN.
    q : number, or Tensor of the input's type and of at most one axis
        From 0 to 1. An axis of it is the first one of the result.
    dim : int, optional
    keepdim : bool
    interpolation : "linear", "lower", "higher", "midpoint" or "nearest"
        What stands between two elements.

    Raises
    ------
    RuntimeError
        If types or numbers do not fit, or there are no elements.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.quantile(tg.tensor([4.0, 1.0, 3.0, 2.0]), 0.5)
    tensor(2.5000)
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation)


def nanquantile(
    input: Any, q: Any, dim: int | None = None, keepdim: bool = False, *,
    interpolation: str = "linear",
) -> Tensor:  # fmt: skip
    """`quantile` of those elements that are not NaN; NaN if there are none.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nanquantile(tg.tensor([4.0, float("nan"), 2.0]), 0.5)
    tensor(3.)
    """
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation)


_ROUNDED = {"lower": floor, "higher": ceil, "nearest": round}
_BETWEEN = ("linear", "midpoint", *_ROUNDED)


def _quantile(name: str, input: Any, q: Any, dim: Any, keepdim: Any, interpolation: Any) -> Tensor:
    x, parts = tensor_of(name, input), _parts(name, input, q)
    check_flags(name, keepdim=keepdim)
    if interpolation not in _BETWEEN:
        raise RuntimeError(
            f"{name}: interpolation must be one of {_BETWEEN}, not {interpolation!r}"
        )
    if x.array.dtype not in (np.float32, np.float64) or not x.array.size:
        raise RuntimeError(
            f"{name}: expected elements of float32 or float64, got {x.array.dtype} of shape "
            f"{x.array.shape}"
        )
    if not np.all((parts.array >= 0) & (parts.array <= 1)):
        raise RuntimeError(f"{name}: q must be from 0 to 1, got {parts.array}")
    d = None if dim is None else dim_of(name, dim, x.array.ndim)
    rows = reshape(x, (-1,)) if d is None or not x.array.ndim else movedim(x, d, -1)
    between = _at_ranks(name, rows, reshape(parts, (-1,)), interpolation)  # (..., parts)
    between = movedim(between, -1, 0)
    if keepdim and x.array.ndim:
        shape = tuple(1 if d in (None, i) else n for i, n in enumerate(x.array.shape))
        between = reshape(between, (len(between.array), *shape))
    between = between if parts.array.ndim else reshape(between, between.array.shape[1:])
    return made_by("SqueezeBackward4", between)


def _parts(name: str, input: Any, q: Any) -> Any:
    """``q`` as a tensor of the input's type."""
    x = tensor_of(name, input)
    if not isinstance(q, Variable | np.ndarray):
        return graph.make_tensor(np.array(number_of(name, "q", q), x.array.dtype), None)
    parts = tensor_of(name, q)
    if parts.array.dtype != x.array.dtype or parts.array.ndim > 1:
        raise RuntimeError(
            f"{name}: q must be a number or a vector of the input's type {x.array.dtype}, got "
            f"{parts.array.dtype} of shape {parts.array.shape}"
        )
    return parts


def _at_ranks(name: str, rows: Any, parts: Any, interpolation: str) -> Any:
    """What stands in each row, once it is sorted, at parts of the way from its start to its end."""
    last, nan = rows.array.shape[-1] - 1, isnan(rows)
    if name == "nanquantile":
        ends = clamp_min(last - to_dtype(sum(nan, -1, True), parts.array.dtype), 0)
        ranks = mul(parts, ends)
    else:  # NaN, the last in order, is there whatever is asked for
        ranks = where(amax(nan, -1, True), float(last), mul(parts, last))
    if interpolation in _ROUNDED:
        ranks = _ROUNDED[interpolation](ranks)
    below = floor(ranks).detach()
    in_order = sort(rows, -1).values
    low = gather(in_order, -1, below.to(int64))
    if interpolation in _ROUNDED:
        return low
    high = gather(in_order, -1, ceil(ranks).detach().to(int64))
    return lerp(low, high, 0.5 if interpolation == "midpoint" else sub(ranks, below))


@within_memory
def msort(input: Any) -> Tensor:
    """The elements in order along the first axis.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.msort(tg.tensor([3.0, 1.0, 2.0]))
    tensor([1., 2., 3.])
    """
    return sort(input, 0).values


class Extremes(NamedTuple):
    """The smallest and the largest elements."""

    min: Tensor
    max: Tensor

    def __repr__(self) -> str:
        return f"torch.return_types.aminmax(\nmin={self.min!r},\nmax={self.max!r})"


@numpy_names
def aminmax(input: Any, *, dim: int | None = None, keepdim: bool = False) -> Extremes:
    """The smallest and the largest element, of all or along ``dim``: `amin` and `amax`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.aminmax(tg.tensor([3.0, 1.0, 2.0])).max
    tensor(3.)
    """
    x = tensor_of("aminmax", input)
    both = amin(x, dim, keepdim), amax(x, dim, keepdim)
    return Extremes(*(made_by("AminmaxBackward0", y) for y in both))


# -- so far --------------------------------------------------------------------------------------


@within_memory
@numpy_names
def cummax(input: Any, dim: int) -> Selection:
    """The largest element so far along ``dim``, and where it is: the last one of equal ones.

    Returns
    -------
    A named tuple ``(values, indices)``
        Of elements that are NaN all that follow are.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.cummax(tg.tensor([1.0, 3.0, 2.0]), 0).values
    tensor([1., 3., 3.])
    """
    return _so_far("cummax", np.maximum, input, dim)


@within_memory
@numpy_names
def cummin(input: Any, dim: int) -> Selection:
    """The smallest element so far along ``dim``, and where it is: see `cummax`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.cummin(tg.tensor([1.0, 3.0, -2.0]), 0).values
    tensor([ 1.,  1., -2.])
    """
    return _so_far("cummin", np.minimum, input, dim)


def _so_far(name: str, better: Any, input: Any, dim: Any) -> Selection:
    x = tensor_of(name, input)
    d = dim_of(name, dim, x.array.ndim)
    if not x.array.ndim:
        return selected(name, clone(x), graph.make_tensor(np.zeros((), int64), None))
    index = graph.make_tensor(_places_so_far(x.array, better, d), None)
    values = made_by(f"{name.capitalize()}Backward0", gather(x, d, index))
    return selected(name, values, graph.make_tensor(index.array.copy(), None))


@silent
def _places_so_far(array: Any, better: Any, dim: int) -> Any:
    """Where the best element so far is: the last one that is as good, or NaN."""
    best = better.accumulate(array, dim) if array.size else array
    is_best = (array == best) | (array != array)
    shape = [-1 if i == dim else 1 for i in range(array.ndim)]
    places = np.where(is_best, np.arange(array.shape[dim]).reshape(shape), 0)
    return np.maximum.accumulate(places, dim).astype(int64, copy=False) if array.size else places


# -- where it would stand ------------------------------------------------------------------------


@within_memory
def searchsorted(
    sorted_sequence: Any,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
) -> Tensor:
    """Where values would have to be put into what is sorted, so that it stays sorted.

    Parameters
    ----------
    sorted_sequence : Tensor of shape (..., n)
        In order along the last axis, or brought into order by ``sorter``.
    input : Tensor of shape (..., m), or of any shape if the sequence is a vector, or a number
    out_int32 : bool
        Whether the result is int32, not int64.
    right : bool
        Whether behind equal elements, not before them; ``side="right"`` is the same.
    side : "left" or "right", optional
    sorter : Tensor of int64, of the sequence's shape, optional
        What `argsort` gives.

    Raises
    ------
    RuntimeError
        If shapes or options do not fit.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.searchsorted(tg.tensor([1, 3, 5]), tg.tensor([3, 6]))
    tensor([1, 3])
    """
    name = "searchsorted"
    check_flags(name, out_int32=out_int32, right=right)
    if side not in (None, "left", "right") or (side == "left" and right):
        raise RuntimeError(f"{name}: side {side!r} and right={right} do not fit each other")
    known = tensor_of(name, sorted_sequence).array
    if sorter is not None:
        known = _sorted_by(known, indices_of(name, "sorter", sorter, int64))
    wanted = _values(name, input)
    if not known.ndim or (
        known.ndim > 1 and (wanted.ndim != known.ndim or wanted.shape[:-1] != known.shape[:-1])
    ):
        raise RuntimeError(
            f"{name}: values of shape {wanted.shape} do not fit a sequence of shape {known.shape}: "
            "it must be a vector, or be like it but for the last axis"
        )
    return _places(known, wanted, right or side == "right", out_int32)


@within_memory
def bucketize(
    input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False
) -> Tensor:
    """In which of the buckets between boundaries values lie: `searchsorted` in a vector.

    Parameters
    ----------
    input : Tensor, or a number
    boundaries : Tensor of shape (n,)
        In order.
    out_int32, right
        As of `searchsorted`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.bucketize(tg.tensor([0.5, 2.0, 9.0]), tg.tensor([1.0, 2.0, 3.0]))
    tensor([0, 1, 3])
    """
    check_flags("bucketize", out_int32=out_int32, right=right)
    known = tensor_of("bucketize", boundaries).array
    if known.ndim != 1:
        raise RuntimeError(f"bucketize: boundaries must be a vector, got shape {known.shape}")
    return _places(known, _values("bucketize", input), right, out_int32)


def _values(name: str, input: Any) -> Any:
    is_tensor = isinstance(input, Variable | np.ndarray)
    return tensor_of(name, input).array if is_tensor else np.array(number_of(name, "input", input))


def _sorted_by(known: Any, sorter: Any) -> Any:
    if sorter.shape != known.shape:
        raise RuntimeError(
            f"searchsorted: a sorter of shape {sorter.shape} does not fit a sequence of shape "
            f"{known.shape}"
        )
    if sorter.size and not 0 <= sorter.min() <= sorter.max() < known.shape[-1]:
        raise RuntimeError("searchsorted: the sorter has places beyond the sequence")
    return np.take_along_axis(known, sorter, -1)


def _places(known: Any, wanted: Any, right: bool, narrow: bool) -> Tensor:
    common = result_type([known, wanted], [])
    known, wanted = known.astype(common, copy=False), wanted.astype(common, copy=False)
    side: Any = "right" if right else "left"
    found = np.empty(wanted.shape, int64)
    if known.ndim == 1:
        found[...] = np.searchsorted(known, wanted, side)
    else:
        for at in np.ndindex(*known.shape[:-1]):
            found[at] = np.searchsorted(known[at], wanted[at], side)
    return graph.make_tensor(found.astype(int32 if narrow else int64, copy=False), None)
