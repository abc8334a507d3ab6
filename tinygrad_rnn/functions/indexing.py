"""Reading parts of a tensor, and tensors with parts replaced or added to."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tinygrad_rnn.dtypes import is_floating
from tinygrad_rnn.engine import primitive
from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.functions.arguments import dim_of, tensor_of
from tinygrad_rnn.functions.elementwise import fitting
from tinygrad_rnn.ops import arithmetic, indexing, shape
from tinygrad_rnn.ops.promotion import to_dtype

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
FULL = slice(None)

# -- x[index] and what replaces it ---------------------------------------------------------------


def getitem(input: Any, index: Any) -> Any:
    """``input[index]``: integers, slices, ``None``, ``...``, masks and integer arrays.

    Integers and slices share the input's memory, as in NumPy and PyTorch; a mask or an integer
    array makes a copy.  A bool adds an axis, of size 1 or 0.

    Raises
    ------
    IndexError
        If an index is out of range, there are too many, or arrays do not fit together.
    ValueError
        If the step of a slice is not positive.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> x[:, 1]
    tensor([2., 4.])
    >>> x[x > 1]
    tensor([2., 3., 4.])
    """
    x = input if isinstance(input, Variable) else tensor_of("getitem", input)
    if type(index) is int and x.array.ndim > 1:  # x[t], the commonest, in less time
        return indexing.getitem.apply(x, index=(index,))
    view, picks = steps("getitem", x.array.ndim, index)
    if view is not None:
        x = indexing.getitem.apply(x, index=view)
    return x if picks is None else indexing.take.apply(x, index=picks)


def setitem(input: Any, index: Any, value: Any) -> Any:
    """A new tensor: ``input`` with ``input[index]`` replaced by ``value``.

    Where an integer array names a place twice, the last value stays.

    Parameters
    ----------
    input : Tensor
    index : whatever `getitem` takes
    value : number or Tensor
        Broadcast to the shape of ``input[index]``; surplus leading axes of size 1 do not matter.
        It is converted to the type of ``input``; but a tensor that goes where masks or integer
        arrays point must have it already, unless it is a single element for a mask.

    Raises
    ------
    IndexError, ValueError
        As `getitem`.
    RuntimeError
        If the shape or the type of the value does not fit.
    TypeError
        If it is neither a number nor a tensor.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.functions.setitem(tg.zeros(2, 2), 1, tg.tensor([1.0, 2.0]))
    tensor([[0., 0.],
            [1., 2.]])
    """
    x = tensor_of("setitem", input)
    view, picks = steps("setitem", x.array.ndim, index)
    value = _value("setitem", value, x.array.dtype, picks)
    if picks is None:
        return _put("setitem", x, view, value)
    if view is None:
        return _put("setitem", x, picks, value)
    part = indexing.getitem.apply(x, index=view)
    return indexing.put.general(x, _put("setitem", part, picks, value), index=view)


def steps(name: str, ndim: int, index: Any) -> tuple[Any, Any]:
    """An index as two of NumPy's, one to follow the other; ``None``: nothing is left for it.

    The first gives a view: integers, slices, new axes.  The second has the index arrays, among
    full slices for the other axes of the view.  This is PyTorch's order: to NumPy an integer
    beside an array is an array too, and the result's axes would stand elsewhere.
    """
    parts = index if type(index) is tuple else (index,)
    plain = True  # for NumPy to take as it is; asked in the fastest way
    for part in parts:
        kind = type(part)
        if kind is slice:
            if (
                part.step is not None
                or type(part.start) not in _BOUNDS
                or type(part.stop) not in _BOUNDS
            ):
                plain = False
        elif kind not in _PLAIN:
            plain = False
    if not plain:
        parts = tuple([_part(name, part) for part in parts])
    arrays = not plain and np.ndarray in map(type, parts)
    dots = 0 if arrays else parts.count(...)
    if not arrays and dots < 2:
        # an Ellipsis makes NumPy give a 0-d view, not a copy, of a single element
        return parts if dots or len(parts) < ndim else (*parts, ...), None
    used = sum(map(_axes, parts))
    if used > ndim:
        raise IndexError(f"{name}: indices for {used} axes, but the tensor has {ndim}")
    others = [FULL] * (ndim - used)
    view: list[Any] = []
    picks: list[Any] = []
    for part in parts:
        if part is ...:
            view, picks, others = view + others, picks + others, []
        elif isinstance(part, np.ndarray):
            view += [FULL] * _axes(part) or [None]  # a 0-d mask points to an axis of its own
            picks.append(np.atleast_1d(part))
        else:
            view.append(part)
            picks += [] if isinstance(part, int) else [FULL]
    if not arrays:
        return (*view, ...), None
    return tuple(view) if any(part != FULL for part in view) else None, tuple(picks)


_BOUNDS = {int, type(None)}
_PLAIN = {*_BOUNDS, type(...)}


def _axes(part: Any) -> int:
    """How many axes a part of an index takes up."""
    if isinstance(part, np.ndarray) and part.dtype.kind == "b":
        return part.ndim
    return int(part is not None and part is not ...)


def _part(name: str, part: Any) -> Any:
    """One part of an index: an integer, a slice of integers, ``None``, ``...`` or an array.

    An array is a copy, so that changing it later does not falsify gradients.
    """
    if part is None or part is ...:
        return part
    if isinstance(part, slice):
        return _slice(name, part)
    if isinstance(part, bool | list | tuple | range):
        part = _array(name, part)
    array = part.array if isinstance(part, Variable) else part
    if isinstance(array, np.ndarray):
        if not array.ndim and array.dtype.kind == "i":
            return int(array)
        if array.dtype == np.uint8:
            return np.asarray(array != 0)
        if array.dtype not in (np.int64, np.int32, np.bool_):
            raise IndexError(
                f"{name}: index arrays must be int64, int32 or bool, not {array.dtype}"
            )
        return np.array(array, order="C")
    try:
        return operator.index(part)
    except TypeError:
        kind = TypeError if isinstance(part, str | bytes) else IndexError
        what = f"{type(part).__name__} {part!r:.60}"
        raise kind(f"{name}: an index cannot be a {what}") from None


def _array(name: str, part: Any) -> Array:
    """An index array written as a list."""
    try:
        array = np.asarray(part)
    except ValueError:  # lists that differ in length, or hold more than numbers
        array = np.asarray(None)
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"{name}: a list as an index must hold integers or bools, in rows of one length, not "
            f"{part!r:.60}; write indices for several axes as a tuple"
        )
    return array if array.size else array.astype(np.int64)


def _slice(name: str, part: slice) -> slice:
    try:
        bounds = [i if i is None else operator.index(i) for i in (part.start, part.stop, part.step)]
    except TypeError:
        raise TypeError(f"{name}: a slice must be made of integers, got {part}") from None
    if bounds[2] is not None and bounds[2] < 1:
        raise ValueError(f"{name}: the step of a slice must be positive, got {bounds[2]}")
    return slice(*bounds)


def _value(name: str, value: Any, dtype: np.dtype[Any], picks: Any = None) -> Any:
    """A number or tensor as the ``dtype`` of the tensor that it is written into."""
    if isinstance(value, Variable | np.ndarray):
        v = tensor_of(name, value)
        arrays = [i for i in picks or () if i is not FULL]
        one_for_a_mask = v.array.size == len(arrays) == 1 and arrays[0].dtype.kind == "b"
        if arrays and v.array.dtype != dtype and not one_for_a_mask:
            raise RuntimeError(
                f"{name}: expected a value of {dtype}, as the tensor is, got {v.array.dtype}"
            )
        return to_dtype(v if is_floating(dtype) else v.array, dtype)
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, bool | int | float):
        raise TypeError(
            f"{name}: expected a number or a tensor, got {type(value).__name__} {value!r:.60}"
        )
    return np.asarray(fitting(name, value, dtype)).astype(dtype)


def _put(name: str, x: Any, index: Any, value: Any) -> Any:
    """``x`` with ``value``, of its type, at an index for NumPy."""
    place = _region(name, x.array.shape, index)
    surplus = value.ndim - len(place)
    if surplus > 0 and set(value.shape[:surplus]) == {1}:
        value = shape.reshape.general(value, shape=value.shape[surplus:])
    if not _broadcasts(value.shape, place):
        raise RuntimeError(
            f"{name}: a value of shape {value.shape} does not fit a place of shape {place}"
        )
    return indexing.put.general(x, value, index=index)


def _region(name: str, shape: Shape, index: Any) -> Shape:
    """The shape of what an index for NumPy picks from a tensor of ``shape``."""
    try:
        return np.broadcast_to(np.False_, shape)[index].shape
    except IndexError as error:
        raise IndexError(f"{name}: cannot index a tensor of shape {shape}: {error}") from None


def _broadcasts(shape: Shape, to: Shape) -> bool:
    pairs = zip(reversed(shape), reversed(to))
    return len(shape) <= len(to) and all(m in (1, n) for m, n in pairs)


# -- along one axis ------------------------------------------------------------------------------


def select(input: Any, dim: int, index: int) -> Any:
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
    at = _integer("select", "index", index)
    if x.array.ndim == 0:
        raise IndexError("select: a 0-d tensor has no axis to select from")
    d = dim_of("select", dim, x.array.ndim)
    size = x.array.shape[d]
    if not -size <= at < size:
        raise IndexError(f"select: index {at} is out of range for size {size} along dim {d}")
    return indexing.getitem.apply(x, index=(FULL,) * d + (at, ...))


def narrow(input: Any, dim: int, start: Any, length: int) -> Any:
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
    first, n = _integer("narrow", "start", start), _integer("narrow", "length", length)
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
    span = (d, first, first + n)
    return indexing.narrow.apply(x, index=indexing.slices(*span), span=span)


def index_select(input: Any, dim: int, index: Any) -> Any:
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
    picks = _along("index_select", x, dim, at, IndexError)
    y = indexing.take.apply(_vector(x), index=picks)
    return y if x.array.ndim else _shaped(y, ())


def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
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
    _check_dtype("index_add", x, src)
    place = _region("index_add", x.array.shape or (1,), picks)
    if bool(src.array.ndim) != bool(x.array.ndim) or (src.array.shape or (1,)) != place:
        raise _misfit("index_add", x, picks, place, src)
    factor = alpha.array.item() if isinstance(alpha, Variable) else alpha
    factor = _value("index_add", factor, x.array.dtype).item()
    return _added(x, picks, _vector(src) if factor == 1 else _vector(src) * factor)


def index_copy(input: Any, dim: int, index: Any, source: Any) -> Any:
    """A tensor with the slices of ``source`` along ``dim`` put where ``index`` says.

    The index is an int64 vector; where it names a place twice, the last slice stays.

    Raises
    ------
    IndexError
        If an index is out of range, or there are more or fewer than slices.
    RuntimeError
        If a shape or type does not fit.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.index_copy(tg.zeros(3), 0, tg.tensor([2, 0]), tg.tensor([1.0, 2.0]))
    tensor([2., 0., 1.])
    """
    x, src = tensor_of("index_copy", input), tensor_of("index_copy", source)
    picks = _along("index_copy", x, dim, index, IndexError, np.int64)
    _check_dtype("index_copy", x, src)
    place, d = _region("index_copy", x.array.shape or (1,), picks), len(picks) - 1
    given = src.array.shape or (1,)
    if given != place:
        slices_fit = (given[:d], given[d + 1 :]) == (place[:d], place[d + 1 :])
        axes_fit = src.array.ndim in (0, len(place))
        kind = RuntimeError if axes_fit and not slices_fit else IndexError
        raise _misfit("index_copy", x, picks, place, src, kind)
    return _shaped(indexing.put.general(_vector(x), _vector(src), index=picks), x.array.shape)


def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """A tensor with its slices along ``dim`` that ``index`` names filled with one value.

    The index is an int64 vector, the value a number or a 0-d tensor.

    Raises
    ------
    IndexError
        If an index is out of range.
    RuntimeError
        If the value is not 0-d.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.index_fill(tg.zeros(3), 0, tg.tensor([0, -1]), 5)
    tensor([5., 0., 5.])
    """
    x = tensor_of("index_fill", input)
    picks = _along("index_fill", x, dim, index, None, np.int64)
    fill = _value("index_fill", value, x.array.dtype)
    if fill.ndim:
        raise RuntimeError(f"index_fill: the value must be a number or 0-d, got {fill.shape}")
    return _shaped(_put("index_fill", _vector(x), picks, fill), x.array.shape)


def _along(name: str, x: Any, dim: int, index: Any, error: Any, *dtypes: Any) -> tuple[Any, ...]:
    """What picks slices along an axis; a 0-d tensor counts as a vector of one element.

    ``error`` is raised for an index that is negative or too large (``None``: not here).
    """
    d, at = dim_of(name, dim, x.array.ndim), _integers(name, index, *dtypes)
    if at.ndim > 1:
        raise IndexError(f"{name}: the index must be a vector, got shape {at.shape}")
    if error is not None:
        _check_range(name, at, (x.array.shape or (1,))[d], error)
    return (*[FULL] * d, at.reshape(-1))


def _misfit(
    name: str, x: Any, picks: Any, place: Shape, src: Any, kind: type[Exception] = RuntimeError
) -> Exception:
    return kind(
        f"{name}: {picks[-1].size} indices and an input of shape {x.array.shape} ask for a source "
        f"of shape {place if x.array.ndim else ()}, got {src.array.shape}"
    )


# -- element by element --------------------------------------------------------------------------


def gather(input: Any, dim: int, index: Any) -> Any:
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
    at, picks = _mesh("gather", x, dim, index)
    return _shaped(indexing.take.apply(_vector(x), index=picks), at.shape)


def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Any:
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
        return take(x, _integers("take_along_dim", indices).reshape(-1))
    at = _integers("take_along_dim", indices, np.int64)
    if at.ndim != x.array.ndim:
        raise RuntimeError(
            f"take_along_dim: expected indices with {x.array.ndim} axes, got shape {at.shape}"
        )
    if at.ndim == 0:
        raise IndexError("take_along_dim: a 0-d tensor has no axis to take along")
    d = dim_of("take_along_dim", dim, at.ndim)
    sizes = [list(x.array.shape), list(at.shape)]
    sizes[0][d] = sizes[1][d] = 1
    common = list(_common("take_along_dim", *map(tuple, sizes)))
    common[d] = at.shape[d]
    picks = _grid(np.broadcast_to(at, common), d)
    common[d] = x.array.shape[d]
    return indexing.take.apply(_expanded(x, tuple(common)), index=picks)


def take(input: Any, index: Any) -> Any:
    """The elements of a tensor that ``index`` names, counted as if it were flattened.

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
    x, at = tensor_of("take", input), _integers("take", index, np.int64)
    v = _vector(x)
    size = v.array.size
    _check_range("take", at, size, IndexError, low=-size)
    picks = np.unravel_index(at % size, v.array.shape) if at.size else _nowhere(v.array.ndim, at)
    return indexing.take.apply(v, index=tuple(picks))


def scatter(
    input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: Any = None
) -> Any:
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
    x = tensor_of("scatter", input)
    at, picks = _mesh("scatter", x, dim, index)
    if isinstance(src, Variable | np.ndarray):
        new = _trimmed("scatter", x, src, at)
    else:
        new = _value("scatter", src if value is None else value, x.array.dtype)
        if new.ndim:
            raise RuntimeError(f"scatter: the value must be a number, got shape {new.shape}")
    if reduce == "add":
        return _added(x, picks, _expanded(tensor_of("scatter", new), at.shape or (1,)))
    return _shaped(indexing.put.general(_vector(x), new, index=picks), x.array.shape)


def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
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
    x = tensor_of("scatter_add", input)
    at, picks = _mesh("scatter_add", x, dim, index)
    return _added(x, picks, _trimmed("scatter_add", x, src, at))


def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """A tensor with ``values`` put, or added, where a tuple of index tensors points.

    Parameters
    ----------
    input : Tensor
    indices : tuple of Tensors
        Integers or masks for the leading axes, as in ``input[indices]``.
    values : Tensor
        Of the input's type; broadcast to the shape of ``input[indices]``.
    accumulate : bool
        Add the values, also those that go to the same place; else the last one stays.

    Raises
    ------
    IndexError
        If an index is out of range.
    RuntimeError
        If the shape or type of the values does not fit.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> at = (tg.tensor([0, 0]),)
    >>> tg.index_put(tg.zeros(2), at, tg.tensor([1.0, 2.0]), accumulate=True)
    tensor([3., 0.])
    """
    x, v = tensor_of("index_put", input), tensor_of("index_put", values)
    if not isinstance(indices, tuple | list):
        raise TypeError(f"index_put: expected a tuple of tensors, got {type(indices).__name__}")
    if not isinstance(accumulate, bool):
        raise TypeError(f"index_put: accumulate must be a bool, got {accumulate!r:.60}")
    parts = [_part("index_put", tensor_of("index_put", i)) for i in indices]
    picks = tuple(map(np.atleast_1d, parts))
    if not picks:
        raise RuntimeError("index_put: expected at least one index tensor")
    _check_dtype("index_put", x, v)
    if accumulate:
        return _added(x, picks, _expanded(v, _region("index_put", x.array.shape, picks)))
    return _put("index_put", x, picks, v)


def _mesh(name: str, x: Any, dim: int, index: Any) -> tuple[Array, tuple[Array, ...]]:
    """The index, and index arrays that pick for each element of it what it names along ``dim``."""
    d, sizes = dim_of(name, dim, x.array.ndim), x.array.shape or (1,)
    at = _integers(name, index)
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
    _check_range(name, full, sizes[d], RuntimeError)
    return at, _grid(full, d)


def _nowhere(ndim: int, at: Array) -> tuple[Array, ...]:
    """Index arrays that pick nothing, in the shape of an empty index."""
    return tuple(np.zeros((ndim, *at.shape), np.int64))


def _grid(at: Array, d: int) -> tuple[Array, ...]:
    grid: list[Array] = list(np.indices(at.shape, sparse=True))
    grid[d] = at
    return tuple(grid)


def _trimmed(name: str, x: Any, src: Any, at: Array) -> Any:
    """The part of ``src`` that goes with the index."""
    src = tensor_of(name, src)
    _check_dtype(name, x, src)
    v, sizes = _vector(src), at.shape or (1,)
    if at.size and (v.array.ndim != len(sizes) or any(n > m for n, m in zip(sizes, v.array.shape))):
        raise RuntimeError(
            f"{name}: an index of shape {at.shape} needs a source with as many axes and no "
            f"smaller, got shape {src.array.shape}"
        )
    if v.array.shape == sizes:
        return v
    return indexing.getitem.apply(v, index=tuple(map(slice, sizes)))


def _added(x: Any, picks: tuple[Any, ...], parts: Any) -> Any:
    """``x`` plus parts, each where an index array points."""
    total = indexing.add_at.general(parts, index=[picks], shape=x.array.shape or (1,))
    return arithmetic.add.apply(x, _shaped(total, x.array.shape))


# -- masks ---------------------------------------------------------------------------------------


def masked_select(input: Any, mask: Any) -> Any:
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
    x, m = tensor_of("masked_select", input), tensor_of("masked_select", mask)
    if m.array.dtype.kind != "b":
        raise RuntimeError(f"masked_select: the mask must be a bool tensor, got {m.array.dtype}")
    common = _common("masked_select", x.array.shape, m.array.shape, (1,))
    picks = (np.array(np.broadcast_to(m.array, common)),)
    return indexing.take.apply(_expanded(x, common), index=picks)


def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
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
    if not isinstance(as_tuple, bool):
        raise TypeError(f"nonzero: as_tuple must be a bool, got {as_tuple!r:.60}")
    if as_tuple:
        return tuple(primitive.make_tensor(i, None) for i in np.atleast_1d(array).nonzero())
    return primitive.make_tensor(np.ascontiguousarray(np.argwhere(array)), None)


# -- checks --------------------------------------------------------------------------------------


def _integer(name: str, what: str, value: Any) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name}: {what} must be an integer, got {value!r:.60}")
    return operator.index(value)


def _integers(name: str, index: Any, *dtypes: Any) -> Array:
    """An index tensor's integers: a copy, so that changing it later does not falsify gradients."""
    array = tensor_of(name, index).array
    allowed = dtypes or (np.int64, np.int32)
    if array.dtype not in allowed:
        names = " or ".join(np.dtype(d).name for d in allowed)
        raise RuntimeError(f"{name}: the index must be {names}, got {array.dtype}")
    return np.array(array, np.int64, order="C")


def _check_range(name: str, index: Array, size: int, kind: type[Exception], low: int = 0) -> None:
    wrong = index[(index < low) | (index >= size)]
    if wrong.size:
        raise kind(f"{name}: index {wrong[0]} is out of range for size {size}")


def _check_dtype(name: str, x: Any, src: Any) -> None:
    if src.array.dtype != x.array.dtype:
        raise RuntimeError(
            f"{name}: expected a source of {x.array.dtype}, as the input is, got {src.array.dtype}"
        )


# -- shapes --------------------------------------------------------------------------------------


def _vector(x: Any) -> Any:
    """A 0-d tensor as a vector of one element, others as they are."""
    return x if x.array.ndim else shape.reshape.apply(x, shape=(1,))


def _shaped(x: Any, sizes: Shape) -> Any:
    return x if x.array.shape == sizes else shape.reshape.apply(x, shape=sizes)


def _expanded(x: Any, sizes: Shape) -> Any:
    return x if x.array.shape == sizes else shape.expand.apply(x, shape=sizes)


def _common(name: str, *shapes: Shape) -> Shape:
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        written = " and ".join(map(str, shapes))
        raise RuntimeError(f"{name}: shapes {written} do not broadcast") from None
