"""Reducing groups of elements that an index sends to one place each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.operations import indexing
from tinygrad_rnn.operations.arguments import Array, check_flags, tensor_of
from tinygrad_rnn.operations.arithmetic import div
from tinygrad_rnn.operations.gathering import meshed, trimmed, vector
from tinygrad_rnn.operations.indexing import added_at, shaped
from tinygrad_rnn.operations.joining import cat
from tinygrad_rnn.operations.promotion import to_dtype
from tinygrad_rnn.operations.reduction import amax, amin, prod
from tinygrad_rnn.operations.shape import ravel

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

_CHOICES: dict[str, Callable[..., Any]] = {"prod": prod, "amax": amax, "amin": amin}
_OF_BOOLS = {"sum": "amax", "prod": "amin"}  # whether any is true, or all are


def scatter_reduce(
    input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True
) -> Tensor:
    """A tensor with the sum (or other) of what ``index`` sends to each place along ``dim``.

    ``output[index[i][j]][j]`` is made of all ``src[i][j]`` that go there, for ``dim`` 0 of a
    matrix, and so on. Places to which nothing goes keep the input's element.

    Parameters
    ----------
    input : Tensor
    dim : int
    index : Tensor of int64 or int32
        With as many axes as ``input``; along those other than ``dim`` no longer.
    src : Tensor
        Of the input's type and at least the index's sizes.
    reduce : "sum", "prod", "mean", "amax" or "amin"
        Elements that tie for the largest or smallest share the gradient. The mean of integers is
        rounded down.
    include_self : bool
        Whether the element of ``input`` at a place counts, too.

    Raises
    ------
    RuntimeError
        If a shape or type does not fit, an index is negative or too large, or there is no such
        reduction.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> at, x = tg.tensor([2, 0, 2]), tg.tensor([1.0, 2.0, 3.0])
    >>> tg.scatter_reduce(tg.ones(3), 0, at, x, "amax")
    tensor([2., 1., 3.])
    >>> tg.scatter_reduce(tg.ones(3), 0, at, x, "mean", include_self=False)
    tensor([2., 1., 2.])
    """
    x = tensor_of("scatter_reduce", input)
    check_flags("scatter_reduce", include_self=include_self)
    if not isinstance(reduce, str):
        raise TypeError(f"scatter_reduce: reduce must be a str, got {reduce!r:.60}")
    if reduce not in ("sum", "mean", *_CHOICES):
        raise RuntimeError(
            f"scatter_reduce: reduce must be sum, prod, mean, amax or amin, not {reduce!r:.60}"
        )
    at, picks = meshed("scatter_reduce", x, dim, index)
    values = trimmed("scatter_reduce", x, src, at)
    if x.array.dtype.kind == "b":
        if reduce == "mean":
            raise RuntimeError("scatter_reduce: bools have no mean; convert them first")
        reduce = _OF_BOOLS.get(reduce, reduce)
    if reduce in _CHOICES:
        return _of_groups(_CHOICES[reduce], x, picks, values, include_self)
    start = x if include_self else _cleared(x, picks)
    total = added_at(start, picks, values)
    return total if reduce == "sum" else _divided(total, x, picks, include_self)


def _cleared(x: Any, picks: tuple[Array, ...]) -> Any:
    """The tensor with 0 wherever something goes."""
    zero = np.zeros((), x.array.dtype)
    return shaped(indexing.put.general(vector(x), zero, index=picks), x.array.shape)


def _divided(total: Any, x: Any, picks: tuple[Array, ...], include_self: bool) -> Any:
    """Sums, divided by the number of elements in each."""
    count = np.zeros(x.array.shape or (1,), np.int64)
    np.add.at(count, picks, 1)
    count = np.maximum(count + include_self, 1).reshape(x.array.shape)
    rounding = None if x.array.dtype.kind == "f" else "floor"
    return div(total, count.astype(x.array.dtype), rounding_mode=rounding)


def _of_groups(
    reduce: Callable[..., Any], x: Any, picks: tuple[Array, ...], values: Any, include_self: bool
) -> Tensor:
    """What ``reduce`` makes of each group, at its place; groups of one size together."""
    sizes = x.array.shape or (1,)
    target = np.ravel_multi_index(np.broadcast_arrays(*picks), sizes).reshape(-1)
    if not target.size:
        return shaped(indexing.put.general(vector(x), values, index=picks), x.array.shape)
    places = np.unique(target)
    candidates = cat([ravel(values), ravel(x)])
    sources = np.arange(target.size)
    if include_self:
        sources = np.append(sources, target.size + places)
        target = np.append(target, places)
    order = np.argsort(target, kind="stable")
    _, starts, counts = np.unique(target[order], return_index=True, return_counts=True)
    made, written = [], []
    for n in np.unique(counts):
        some = counts == n
        table = sources[order[starts[some][:, None] + np.arange(n)]]
        made.append(reduce(indexing.take.apply(candidates, index=(table,)), 1))
        written.append(places[some])
    new = to_dtype(cat(made), x.array.dtype)
    y = indexing.put.general(ravel(x), new, index=(np.concatenate(written),))
    return shaped(y, x.array.shape)
