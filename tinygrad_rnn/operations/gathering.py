"""Parts of a tensor along an axis, element by element or under a mask; and what puts them back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.errors import within_memory
from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.operations import indexing
from tinygrad_rnn.operations.arguments import (
    Array,
    check_flags,
    check_range,
    common_shape,
    dim_of,
    indices_of,
    integer_of,
    mask_of,
    number_of,
    tensor_of,
)
from tinygrad_rnn.operations.elementwise import masked_fill
from tinygrad_rnn.operations.indexing import (
    FULL,
    added_at,
    check_same_dtype,
    expanded,
    region,
    shaped,
    value_of,
)
from tinygrad_rnn.operations.node_names import made_by
from tinygrad_rnn.operations.operation import operation
from tinygrad_rnn.operations.shape import contiguous, ravel, reshape

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

# -- along one axis ------------------------------------------------------------------------------


def select(input: Any, dim: int, index: int) -> Tensor:
    """The slice of a tensor at ``index`` along ``dim``, without that axis; shares memory.

    Raises
    ------
    IndexError
        If there is no such axis or index.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.select(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), 1, -1)
    tensor([2., 4.])
    """
    x = tensor_of("select", input)
    at = integer_of("select", "index", index)
    if x.array.ndim == 0:
        raise IndexError("select: a 0-d tensor has no axis to select from")
    d = dim_of("select", dim, x.array.ndim)
    size = x.array.shape[d]
    if not -size <= at < size:
        raise IndexError(f"select: index {at} is out of range for size {size} along dim {d}")
    return indexing.getitem.apply(x, index=(FULL,) * d + (at, ...))


def narrow(input: Any, dim: int, start: Any, length: int) -> Tensor:
    """``length`` slices of a tensor along ``dim``, from ``start`` on; shares memory.

    Raises
    ------
    IndexError
        If there is no such axis or start.
    RuntimeError
        If they reach beyond the end.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.narrow(tg.tensor([1.0, 2.0, 3.0, 4.0]), 0, 1, 2)
    tensor([2., 3.])
    """
    x = tensor_of("narrow", input)
    if isinstance(start, Variable) and (start.array.ndim or start.array.dtype.kind not in "iu"):
        raise RuntimeError(
            f"narrow: start must be an integer or 0-d, of integers, got {start!r:.60}"
        )
    first, n = integer_of("narrow", "start", start), integer_of("narrow", "length", length)
    if x.array.ndim == 0 or n < 0:
        what = f"a length of {n}" if n < 0 else "a 0-d tensor"
        raise RuntimeError(f"narrow: cannot work on {what}")
    d = dim_of("narrow", dim, x.array.ndim)
    size = x.array.shape[d]
    if not -size <= first <= size:
        raise IndexError(f"narrow: start {first} is out of range for size {size} along dim {d}")
    first += size if first < 0 else 0
    if first + n > size:
        raise RuntimeError(f"narrow: start {first} + length {n} exceeds size {size} along dim {d}")
    return indexing.getitem.apply(x, index=indexing.slices(d, first, first + n))


@within_memory
def index_select(input: Any, dim: int, index: Any) -> Tensor:
    """The slices of a tensor along ``dim`` that a vector of indices names, as a copy.

    Raises
    ------
    IndexError
        If an index is negative or too large.
    RuntimeError
        If the index is neither int64 nor int32.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.index_select(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), 0, tg.tensor([1, 1, 0]))
    tensor([[3., 4.],
            [3., 4.],
            [1., 2.]])
    """
    x, at = tensor_of("index_select", input), tensor_of("index_select", index).array
    if x.array.ndim == 0 and at.size != 1:
        raise RuntimeError(f"index_select: a 0-d tensor takes 1 index, got {at.size}")
    is_empty = x.array.ndim > 1 and not x.array.size
    picks = _along("index_select", x, dim, index, RuntimeError if is_empty else IndexError)
    y = contiguous(indexing.take.apply(vector(x), index=picks))
    return made_by("IndexSelectBackward0", y if x.array.ndim else shaped(y, ()))


@within_memory
def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Tensor:
    """A tensor with ``alpha`` times the slices of ``source`` added where ``index`` says.

    Parameters
    ----------
    input : Tensor
    dim : int
    index : vector of int64 or int32
        For each slice of ``source`` along ``dim`` the slice of ``input`` to add it to.
    source : Tensor
        Of the input's type, and of its sizes but for ``dim``.

    Raises
    ------
    RuntimeError
        If a shape or type does not fit, or an index is negative or too large.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.index_add(tg.zeros(3), 0, tg.tensor([2, 0, 2]), tg.tensor([1.0, 2.0, 3.0]))
    tensor([2., 0., 4.])
    """
    x, src = tensor_of("index_add", input), tensor_of("index_add", source)
    picks = _along("index_add", x, dim, index, RuntimeError)
    check_same_dtype("index_add", x, src)
    place = region("index_add", x.array.shape or (1,), picks)
    if bool(src.array.ndim) != bool(x.array.ndim) or (src.array.shape or (1,)) != place:
        raise RuntimeError(
            f"index_add: {picks[-1].size} indices and an input of shape {x.array.shape} ask for a "
            f"source of shape {place if x.array.ndim else ()}, got {src.array.shape}"
        )
    factor = number_of("index_add", "alpha", alpha)
    factor = value_of("index_add", factor, x.array.dtype).item()
    parts = vector(src) if factor == 1 else vector(src) * factor
    return added_at(contiguous(x), picks, parts)


@within_memory
def index_copy(input: Any, dim: int, index: Any, source: Any) -> Tensor:
    """A tensor with the slices of ``source`` in the places along ``dim`` that ``index`` names.

    Parameters
    ----------
    input : Tensor
    dim : int
    index : vector of int64 or int32
    source : Tensor
        Of the input's type, and of its sizes but for ``dim``.

    Raises
    ------
    IndexError
        If an index is out of range, or there is another number of slices.
    RuntimeError
        If a shape or type does not fit.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.index_copy(tg.zeros(3), 0, tg.tensor([2, 0]), tg.tensor([1.0, 2.0]))
    tensor([2., 0., 1.])
    """
    x, src = tensor_of("index_copy", input), tensor_of("index_copy", source)
    picks = _along("index_copy", x, dim, index, IndexError)
    check_same_dtype("index_copy", x, src)
    place = region("index_copy", x.array.shape or (1,), picks)
    shape = src.array.shape
    if (shape or (1,)) != place:
        behind = len(shape) == len(place) and shape[len(picks) :] != place[len(picks) :]
        raise (RuntimeError if behind or not shape else IndexError)(
            f"index_copy: {picks[-1].size} indices and an input of shape {x.array.shape} ask for a "
            f"source of shape {place}, got {shape}"
        )
    made = indexing.put.general(vector(x), vector(src), index=picks)
    return made_by("IndexCopyBackward0", reshape(made, x.array.shape))


def index_fill(input: Any, dim: int, index: Any, value: Any) -> Tensor:
    """A tensor with one number in all places along ``dim`` that ``index`` names.

    Parameters
    ----------
    input : Tensor
    dim : int
    index : vector of int64 or int32
    value : number or 0-d Tensor

    Raises
    ------
    IndexError
        If an index is out of range.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.index_fill(tg.zeros(2, 3), 1, tg.tensor([0, 2]), 1.0)
    tensor([[1., 0., 1.],
            [1., 0., 1.]])
    """
    x = tensor_of("index_fill", input)
    size = (x.array.shape or (1,))[dim_of("index_fill", dim, x.array.ndim)]
    at = indices_of("index_fill", "index", index)
    if at.ndim > 1:
        raise RuntimeError(f"index_fill: the index must be a vector, got shape {at.shape}")
    forward = graph.make_tensor(np.where(at < 0, at + size, at), None)
    mask = np.zeros(x.array.shape, bool)
    np.atleast_1d(mask)[_along("index_fill", x, dim, forward, IndexError)] = True
    return made_by("IndexFillBackward0", masked_fill(x, graph.make_tensor(mask, None), value))


def _along(name: str, x: Any, dim: int, index: Any, kind: type[Exception]) -> tuple[Any, ...]:
    """What picks slices along an axis; a 0-d tensor counts as a vector of one element."""
    d, at = dim_of(name, dim, x.array.ndim), indices_of(name, "index", index)
    if at.ndim > 1:
        raise IndexError(f"{name}: the index must be a vector, got shape {at.shape}")
    check_range(name, at, (x.array.shape or (1,))[d], kind)
    return (*[FULL] * d, at.reshape(-1))


# -- element by element --------------------------------------------------------------------------


@within_memory
def gather(input: Any, dim: int, index: Any) -> Tensor:
    """The elements that ``index`` names along ``dim``, one for each of its own elements.

    ``output[i][j] = input[index[i][j]][j]`` for ``dim`` 0 of a matrix, and so on.

    Parameters
    ----------
    input : Tensor
    dim : int
    index : Tensor of int64 or int32
        With as many axes as ``input``; along those other than ``dim`` no longer.

    Raises
    ------
    RuntimeError
        If a shape or type does not fit, or an index is negative or too large.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.gather(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), 1, tg.tensor([[0], [1]]))
    tensor([[1.],
            [4.]])
    """
    x = tensor_of("gather", input)
    at, picks = meshed("gather", x, dim, index)
    picked = shaped(indexing.take.apply(vector(x), index=picks), at.shape)
    return made_by("GatherBackward0", picked)


def take(input: Any, index: Any) -> Tensor:
    """The elements whose places in the flattened tensor ``index`` names; −1 is the last one.

    Parameters
    ----------
    input : Tensor
    index : Tensor of int64
        The result has its shape.

    Raises
    ------
    IndexError
        If an index is out of range.
    RuntimeError
        If the index is not int64.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.take(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), tg.tensor([0, -1]))
    tensor([1., 4.])
    """
    x, at = tensor_of("take", input), indices_of("take", "index", index, np.int64)
    size = x.array.size
    at = np.where(at < 0, at + size, at)
    check_range("take", at, size)
    return shaped(indexing.take.apply(ravel(x), index=(at.reshape(-1),)), at.shape)


@within_memory
def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Tensor:
    """As `gather`, but input and indices broadcast along the axes other than ``dim``.

    For what `argmax` and `argsort` return. Without ``dim`` both are flattened first.

    Raises
    ------
    IndexError
        If an index is out of range.
    RuntimeError
        If the shapes do not broadcast, or the indices are not int64 (int32 without ``dim``).

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([[10.0, 30.0, 20.0], [60.0, 40.0, 50.0]])
    >>> tg.take_along_dim(x, tg.tensor([[1], [0]]), dim=1)
    tensor([[30.],
            [60.]])
    """
    x = tensor_of("take_along_dim", input)
    if dim is None:
        x, dim, at = ravel(x), 0, indices_of("take_along_dim", "indices", indices).reshape(-1)
        check_range("take_along_dim", at, x.array.size, RuntimeError)
    else:
        at = indices_of("take_along_dim", "indices", indices, np.int64)
    if at.ndim != x.array.ndim:
        raise RuntimeError(
            f"take_along_dim: expected indices with {x.array.ndim} axes, got shape {at.shape}"
        )
    if at.ndim == 0:
        raise IndexError("take_along_dim: a 0-d tensor has no axis to take along")
    d = dim_of("take_along_dim", dim, at.ndim)
    sizes = [list(x.array.shape), list(at.shape)]
    sizes[0][d] = sizes[1][d] = 1
    common = list(common_shape("take_along_dim", *map(tuple, sizes)))
    common[d] = at.shape[d]
    picks = _grid(np.broadcast_to(at, common), d)
    common[d] = x.array.shape[d]
    return indexing.take.apply(expanded(x, tuple(common)), index=picks)


@within_memory
def scatter(
    input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: Any = None
) -> Tensor:
    """A tensor with elements of ``src`` put where ``index`` names along ``dim``: undoes `gather`.

    ``output[index[i][j]][j] = src[i][j]`` for ``dim`` 0 of a matrix, and so on; where two go to
    the same place, the last one stays.

    Parameters
    ----------
    input : Tensor
    dim : int
    index : Tensor of int64 or int32
        With as many axes as ``input``; along those other than ``dim`` no longer.
    src : Tensor of the input's type and at least the index's sizes, or number
    value : number
        For all places, instead of ``src``.
    reduce : "add"
        Add instead (see `scatter_add`).

    Raises
    ------
    RuntimeError
        If a shape or type does not fit, or an index is negative or too large.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.scatter(tg.zeros(2, 3), 1, tg.tensor([[2], [0]]), 1.0)
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    if reduce not in (None, "add"):
        raise RuntimeError(f"scatter: reduce can only be 'add', not {reduce!r:.60}")
    if (src is None) == (value is None):
        raise TypeError("scatter: expected either src or value")
    x = contiguous(tensor_of("scatter", input))
    at, picks = meshed("scatter", x, dim, index)
    if isinstance(src, Variable | np.ndarray):
        new = trimmed("scatter", x, src, at)
    else:
        new = value_of("scatter", src if value is None else value, x.array.dtype)
        if new.ndim:
            raise RuntimeError(f"scatter: the value must be a number, got shape {new.shape}")
    if reduce == "add":
        return added_at(x, picks, expanded(tensor_of("scatter", new), at.shape or (1,)))
    return shaped(indexing.put.general(vector(x), new, index=picks), x.array.shape)


@within_memory
def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Tensor:
    """A tensor with elements of ``src`` added where ``index`` names along ``dim``.

    ``output[index[i][j]][j] += src[i][j]`` for ``dim`` 0 of a matrix, and so on: the derivative
    of `gather`.

    Raises
    ------
    RuntimeError
        If a shape or type does not fit, or an index is negative or too large.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.scatter_add(tg.zeros(3), 0, tg.tensor([2, 0, 2]), tg.tensor([1.0, 2.0, 3.0]))
    tensor([2., 0., 4.])
    """
    x = contiguous(tensor_of("scatter_add", input))
    at, picks = meshed("scatter_add", x, dim, index)
    return added_at(x, picks, trimmed("scatter_add", x, src, at))


def meshed(name: str, x: Any, dim: int, index: Any) -> tuple[Array, tuple[Array, ...]]:
    """The index, and index arrays that pick for each element of it what it names along ``dim``."""
    d, sizes = dim_of(name, dim, x.array.ndim), x.array.shape or (1,)
    at = indices_of(name, "index", index)
    if at.size == 0:
        return at, _nowhere(len(sizes), at)
    full = np.atleast_1d(at)
    if full.ndim != len(sizes) or any(
        n > m for i, (n, m) in enumerate(zip(full.shape, sizes)) if i != d
    ):
        raise RuntimeError(
            f"{name}: an index of shape {at.shape} must have as many axes as the input, of shape "
            f"{x.array.shape}, and be no longer along any but dim {d}"
        )
    check_range(name, full, sizes[d], RuntimeError)
    return at, _grid(full, d)


def _nowhere(ndim: int, at: Array) -> tuple[Array, ...]:
    """Index arrays that pick nothing, in the shape of an empty index."""
    return tuple(np.zeros((ndim, *at.shape), np.int64))


def _grid(at: Array, d: int) -> tuple[Array, ...]:
    grid: list[Array] = list(np.indices(at.shape, sparse=True))
    grid[d] = at
    return tuple(grid)


def trimmed(name: str, x: Any, src: Any, at: Array) -> Tensor:
    """The part of ``src`` that goes with the index."""
    src = tensor_of(name, src)
    check_same_dtype(name, x, src)
    v, sizes = vector(src), at.shape or (1,)
    if at.size and (v.array.ndim != len(sizes) or any(n > m for n, m in zip(sizes, v.array.shape))):
        raise RuntimeError(
            f"{name}: an index of shape {at.shape} needs a source with as many axes and no "
            f"smaller, got shape {src.array.shape}"
        )
    if v.array.shape == sizes:
        return v
    if not at.size:
        return shaped(indexing.getitem.apply(v, index=(slice(0),)), sizes)
    return indexing.getitem.apply(v, index=tuple(map(slice, sizes)))


def vector(x: Any) -> Tensor:
    """A 0-d tensor as a vector of one element, others as they are."""
    return x if x.array.ndim else reshape.apply(x, shape=(1,))


# -- masks ---------------------------------------------------------------------------------------


@within_memory
def masked_select(input: Any, mask: Any) -> Tensor:
    """The elements where the mask holds, as a vector; input and mask broadcast.

    Raises
    ------
    RuntimeError
        If the mask is not of bools, or the shapes do not broadcast.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([[1.0, -2.0], [3.0, -4.0]])
    >>> tg.masked_select(x, x > 0)
    tensor([1., 3.])
    """
    x, m = tensor_of("masked_select", input), mask_of("masked_select", "mask", mask)
    common = common_shape("masked_select", x.array.shape, m.array.shape, (1,))
    picks = (np.array(np.broadcast_to(m.array, common)),)
    return indexing.take.apply(expanded(x, common), index=picks)


@within_memory
def masked_scatter(input: Any, mask: Any, source: Any) -> Tensor:
    """A tensor with elements of ``source``, one after the other, where the mask holds.

    Parameters
    ----------
    input : Tensor
    mask : Tensor of bools
        Broadcast with the input.
    source : Tensor
        Of the input's type, with at least as many elements as there are to replace.

    Raises
    ------
    RuntimeError
        If the mask is not of bools, a shape or type does not fit, or there are too few elements.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> mask = tg.tensor([True, False, True])
    >>> tg.masked_scatter(tg.zeros(3), mask, tg.tensor([1.0, 2.0, 3.0]))
    tensor([1., 0., 2.])
    """
    x, src = tensor_of("masked_scatter", input), tensor_of("masked_scatter", source)
    m = mask_of("masked_scatter", "mask", mask)
    check_same_dtype("masked_scatter", x, src)
    common = common_shape("masked_scatter", x.array.shape, m.array.shape)
    picks = np.nonzero(np.atleast_1d(np.broadcast_to(m.array, common)))
    count = picks[0].size
    if count > src.array.size:
        raise RuntimeError(
            f"masked_scatter: the mask holds at {count} places, but the source has only "
            f"{src.array.size} elements"
        )
    into = vector(expanded(x, common))
    made = indexing.put.general(into, indexing.getitem(ravel(src), slice(count)), index=picks)
    return made_by("MaskedScatterBackward0", reshape(made, common))


@overload
def nonzero(input: Any, *, as_tuple: Literal[False] = False) -> Tensor: ...
@overload
def nonzero(input: Any, *, as_tuple: Literal[True]) -> tuple[Tensor, ...]: ...
@within_memory
def nonzero(input: Any, *, as_tuple: bool = False) -> Tensor | tuple[Tensor, ...]:
    """The indices of the elements that are not 0, one row for each.

    Parameters
    ----------
    input : Tensor
    as_tuple : bool
        Return one vector of indices for each axis instead, so that ``input[nonzero(input,
        as_tuple=True)]`` are these elements.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nonzero(tg.tensor([[0, 5], [6, 0]]))
    tensor([[0, 1],
            [1, 0]])
    """
    array = tensor_of("nonzero", input).array
    check_flags("nonzero", as_tuple=as_tuple)
    if as_tuple:
        return tuple(graph.make_tensor(i, None) for i in np.atleast_1d(array).nonzero())
    return graph.make_tensor(np.ascontiguousarray(np.argwhere(array)), None)


# -- repeated in their places --


@operation(lambda x, *, repeats, dim: np.repeat(x, repeats, dim))
def repeat_interleave(
    input: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Each element (with ``dim``: each slice along that axis) repeated in its place.

    Parameters
    ----------
    input : Tensor
        Flattened without ``dim``. Alone, it is ``repeats``, and what is repeated are 0, 1, 2, …
    repeats : int or integer Tensor
        How often: all of them, or one by one.
    dim : int, optional
    output_size : int, optional
        The size along ``dim`` of the result, if known; it is checked.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.repeat_interleave(tg.tensor([1.0, 2.0]), 2)
    tensor([1., 1., 2., 2.])
    >>> tg.repeat_interleave(tg.tensor([1.0, 2.0]), tg.tensor([0, 3]))
    tensor([2., 2., 2.])
    """
    name = "repeat_interleave"
    x = tensor_of(name, input)
    counts = _counts(name, x if repeats is None else repeats)
    if repeats is None:
        if x.array.ndim != 1:
            raise RuntimeError(f"{name}: repeats alone must be a vector, not {x.array.shape}")
        x = tensor_of(name, np.arange(x.array.size, dtype=x.array.dtype))
    x, axis = (ravel(x), 0) if dim is None else (x, dim_of(name, dim, x.array.ndim))
    if not x.array.ndim:
        raise IndexError(f"{name}: a 0-d tensor has no axis {dim}")
    n = x.array.shape[axis]
    if np.ndim(counts) and len(counts) != n:
        raise RuntimeError(f"{name}: {len(counts)} repeats for {n} slices")
    size = int(counts.sum()) if np.ndim(counts) else n * counts
    if output_size is not None and output_size != size:
        raise RuntimeError(f"{name}: output_size is {output_size}, but the result has {size}")
    if np.ndim(counts):
        picks = np.repeat(np.arange(n), counts)
        return indexing.take.apply(x, index=(*[slice(None)] * axis, picks))
    return repeat_interleave.apply(x, repeats=counts, dim=axis)


repeat_interleave.vjp(
    "x",
    lambda g, x_shape, repeats, dim: g.reshape(
        (*x_shape[: dim + 1], repeats, *x_shape[dim + 1 :])
    ).sum(dim + 1),
    formula="Σ g",
)


def _counts(name: str, repeats: Any) -> Any:
    """How often each slice is repeated: an int for all, or a vector."""
    if isinstance(repeats, int | np.integer):
        counts: Any = integer_of(name, "repeats", repeats)
    else:
        counts = indices_of(name, "repeats", repeats)
        if counts.ndim > 1:
            raise RuntimeError(f"{name}: repeats must be a vector, got shape {counts.shape}")
        counts = int(counts.item()) if counts.size == 1 else counts
    if np.any(np.less(counts, 0)):
        raise RuntimeError(f"{name}: repeats must not be negative, got {repeats!r:.60}")
    return counts
