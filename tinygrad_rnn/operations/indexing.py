"""``x[index]``: reading parts of a tensor, and tensors with parts replaced."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.engine.sums import Part
from tinygrad_rnn.operations import node_names, twins
from tinygrad_rnn.operations.arguments import (
    Array,
    Shape,
    broadcasts,
    check_flags,
    fitting,
    raw,
    tensor_of,
)
from tinygrad_rnn.operations.arithmetic import add
from tinygrad_rnn.operations.dtypes import is_floating
from tinygrad_rnn.operations.memory import owned
from tinygrad_rnn.operations.operation import in_rules, operation
from tinygrad_rnn.operations.promotion import to_dtype
from tinygrad_rnn.operations.shape import expand, reshape
from tinygrad_rnn.operations.traits import primitive

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

FULL = slice(None)
Index = Any
MANY = 2000  # elements, for which it pays to find their places in the flattened array


def slices(dim: int, start: int, stop: int) -> tuple[slice, ...]:
    """The index that selects a span along one axis."""
    return (slice(None),) * dim + (slice(start, stop),)


# -- putting parts together ---------------------------------------------------------------------


def zeros_for(g: Any, shape: Shape) -> Any:
    """Zeros to add cotangents to; for what only stands for arrays, NumPy asks it for some."""
    if type(g) is np.ndarray:
        return np.zeros(shape, g.dtype)
    return np.zeros_like(g, shape=shape, order="C")


def _add_slices(*gs: Any, index: list[Index], shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with each cotangent added at its integers and slices."""
    total = zeros_for(gs[0], shape)
    for g, i in zip(gs, index, strict=True):
        total[i] += g
    return total


def _add_at(*gs: Any, index: list[Index], shape: tuple[int, ...]) -> Any:
    """The same for index arrays, which may name a place twice."""
    total = zeros_for(gs[0], shape)
    for g, i in zip(gs, index, strict=True):
        if not _may_repeat(i):
            total[i] += g
        elif g.size < MANY or type(g) is not np.ndarray:
            np.add.at(total, i, g)
        else:  # at places of a flat array NumPy adds five times as fast
            np.add.at(total.reshape(-1), _places(i, shape), g.reshape(-1))
    return total


def _may_repeat(index: Index) -> bool:
    """Whether an index can name a place twice: integer arrays can, masks and slices cannot."""
    return any(getattr(i, "ndim", 0) and i.dtype.kind != "b" for i in index)


def _places(index: Index, shape: tuple[int, ...]) -> Any:
    """Where in the flattened array stands what ``index`` picks.

    The axes behind those of the index are taken whole, as rows.
    """
    while isinstance(index[-1], slice) and index[-1] == slice(None):
        index = index[:-1]
    n = sum(i.ndim if i.dtype.kind == "b" else 1 for i in index if isinstance(i, np.ndarray))
    n += sum(isinstance(i, slice) for i in index)
    axes, rows = shape[:n], math.prod(shape[n:])
    places = sum(
        np.broadcast_to(np.arange(m).reshape(-1, *[1] * (n - 1 - d)), axes)[index]
        * math.prod(shape[d + 1 : n])
        for d, m in enumerate(axes)
    )
    return (np.reshape(places, (-1, 1)) * rows + np.arange(rows)).reshape(-1)


def _add_spans(*gs: Any, index: list[tuple[slice, ...]], shape: tuple[int, ...]) -> Any:
    """The same for spans of one axis: what comes from its end on, as from a split, is written."""
    axes, end = len(index[0]), math.inf
    for i in index:
        if len(i) != axes or i[-1].stop > end:
            return _add_slices(*gs, index=index, shape=shape)
        end = i[-1].start
    total = zeros_for(gs[0], shape)
    for g, i in zip(gs, index, strict=True):
        total[i] = g
    return total


add_slices: Primitive = primitive("add_slices", _add_slices, "*gs", twin=twins.add_parts)
add_slices.joint_vjp(lambda g, index: [g[i] for i in index], formula="g[index]")

add_at: Primitive = primitive("add_at", _add_at, "*gs", twin=twins.add_parts)
add_at.joint_vjp(lambda g, index: [g[i] for i in index], formula="g[index]")

add_spans: Primitive = primitive("add_spans", _add_spans, "*gs", twin=twins.add_parts)
add_spans.joint_vjp(lambda g, index: [g[i] for i in index], formula="g[index]")


# -- reading parts ------------------------------------------------------------------------------


def read(x: Any, *, index: Index) -> Any:
    """``x[index]``: the forward of whatever reads a part."""
    return x[index]


READS: dict[str, Any] = {"symbol": "{x}[{index}]", "part": True, "twin": twins.read}

take = primitive("index", owned(read), **READS)
take.vjp("x", lambda g, index: Part(g, index, add_at), formula="g added at [index], else 0")


# -- replacing parts ----------------------------------------------------------------------------


_reshaped = in_rules(reshape)


def trimmed(value: Any, ndim: int) -> Any:
    """What is written to a place of ``ndim`` axes, without surplus leading axes of size 1."""
    surplus = value.ndim - ndim
    if surplus <= 0 or set(value.shape[:surplus]) != {1}:
        return value
    return _reshaped(value, shape=value.shape[surplus:])


def _replaced(x: Any, value: Any, *, index: Index) -> Any:
    y = np.array(x) if isinstance(x, np.ndarray | np.generic) else x.copy()
    if isinstance(value, np.ndarray) and _may_repeat(
        index
    ):  # NumPy writes in the order of memory: see that the last one is last
        value = np.array(np.broadcast_to(value, y[index].shape), order="C")
    y[index] = value
    return y


def _cleared(g: Any, index: Index) -> Any:
    """``g`` with zeros at ``index``."""
    return _put_in_rules(g, np.zeros((), g.dtype), index=index)


def _at_last(g: Any, index: Index, shape: tuple[int, ...]) -> Any:
    """``g[index]``, but 0 for a value over which a later one was written."""
    part = g[index]
    if not _may_repeat(index):
        return part
    order = np.arange(math.prod(part.shape)).reshape(part.shape)
    writer = np.empty(shape, np.intp)
    writer[index] = order
    last = writer[index] == order
    return part if last.all() else np.where(last, part, 0)


put: Primitive = primitive(
    "index_put", _replaced, "x value",
    symbol="{x}[{index}] ← {value}", collects="x", moves=True, twin=twins.put,
)  # fmt: skip
_put_in_rules = in_rules(put)
put.vjp("x", lambda g, index: _cleared(g, index), formula="g, but 0 at [index]")
put.vjp("value", lambda g, x_shape, index: _at_last(g, index, x_shape), formula="g[index]")


# -- what users call ----------------------------------------------------------------------------


@operation(read, view=True, **READS, node=node_names.read)
def getitem(input: Any, index: Any) -> Tensor:
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
    x: Any = input if isinstance(input, Variable) else tensor_of("getitem", input)
    if type(index) is int and x.array.ndim > 1:  # x[t], the commonest, in less time
        return getitem.apply(x, index=(index,))
    view, picks = steps("getitem", x.array.ndim, index)
    if view is not None:
        x = getitem.apply(x, index=view)
    return x if picks is None else take.apply(x, index=picks)


getitem.vjp("x", lambda g, index: Part(g, index, add_slices), formula="g at [index], else 0")


def setitem(input: Any, index: Any, value: Any) -> Tensor:
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
    >>> tg.operations.setitem(tg.zeros(2, 2), 1, tg.tensor([1.0, 2.0]))
    tensor([[0., 0.],
            [1., 2.]])
    """
    x = tensor_of("setitem", input)
    view, picks = steps("setitem", x.array.ndim, index)
    value = value_of("setitem", value, x.array.dtype, picks)
    if picks is None or view is None:
        return _set(x, view if picks is None else picks, value)
    part = getitem.apply(x, index=view)
    return put.general(x, _set(part, picks, value), index=view)


def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Tensor:
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
    check_flags("index_put", accumulate=accumulate)
    parts = [_part("index_put", tensor_of("index_put", i)) for i in indices]
    picks = tuple(map(np.atleast_1d, parts))
    if not picks:
        raise RuntimeError("index_put: expected at least one index tensor")
    check_same_dtype("index_put", x, v)
    if accumulate:
        place = region("index_put", x.array.shape, picks)
        _check_fits("index_put", v, place)
        return added_at(x, picks, expanded(v, place))
    return _put("index_put", x, picks, v)


# -- what an index is made of ---------------------------------------------------------------------


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
    arrays = not plain and any(isinstance(part, np.ndarray) for part in parts)
    dots = 0 if arrays else parts.count(...)
    if not ndim and not arrays and any(type(part) is int or type(part) is slice for part in parts):
        raise IndexError(
            f"{name}: a 0-d tensor has no axis to index; use .item() to get its number"
        )
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
    array = raw(part)
    if isinstance(array, np.ndarray):
        if not array.ndim and array.dtype.kind == "i":
            return int(array)
        if array.dtype == np.uint8:
            return np.asarray(array != 0)
        if array.dtype not in (np.int64, np.int32, np.bool_):
            raise IndexError(
                f"{name}: index arrays must be int64, int32 or bool, not {array.dtype}"
            )
        return array.copy()
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


# -- what is written, and where -------------------------------------------------------------------


def value_of(name: str, value: Any, dtype: np.dtype[Any], picks: Any = None) -> Any:
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


def _set(x: Any, index: Any, value: Any) -> Tensor:
    """`_put` of a value that may have surplus leading axes of size 1."""
    ndim = len(region("setitem", x.array.shape, index))
    return _put("setitem", x, index, trimmed(value, ndim))


def _put(name: str, x: Any, index: Any, value: Any) -> Tensor:
    """``x`` with ``value``, of its type, at an index for NumPy."""
    _check_fits(name, value, region(name, x.array.shape, index))
    return put.general(x, value, index=index)


def _check_fits(name: str, value: Any, place: Shape) -> None:
    if not broadcasts(value.shape, place):
        raise RuntimeError(
            f"{name}: a value of shape {raw(value).shape} does not fit a place of shape {place}"
        )


def region(name: str, shape: Shape, index: Any) -> Shape:
    """The shape of what an index for NumPy picks from a tensor of ``shape``."""
    try:
        return tuple(np.broadcast_to(np.False_, shape)[index].shape)
    except IndexError as error:
        raise IndexError(f"{name}: cannot index a tensor of shape {shape}: {error}") from None


def check_same_dtype(name: str, x: Any, src: Any) -> None:
    """Raise unless what is written or added has the tensor's type."""
    if src.array.dtype != x.array.dtype:
        raise RuntimeError(
            f"{name}: expected a source of {x.array.dtype}, as the input is, got {src.array.dtype}"
        )


def added_at(x: Any, picks: tuple[Any, ...], parts: Any) -> Tensor:
    """``x`` plus parts, each where an index array points."""
    total = add_at.general(parts, index=[picks], shape=x.array.shape or (1,))
    return add.apply(x, shaped(total, x.array.shape))


def shaped(x: Any, sizes: Shape) -> Tensor:
    """`reshape`, but of the same shape the tensor itself."""
    return x if x.array.shape == sizes else reshape.apply(x, shape=sizes)


def expanded(x: Any, sizes: Shape) -> Tensor:
    """`expand`, but to the same shape the tensor itself."""
    return x if x.array.shape == sizes else expand.apply(x, shape=sizes)
