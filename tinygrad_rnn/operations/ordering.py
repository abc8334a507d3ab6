"""Largest, smallest and middle elements, sorting, and differences of neighbours.

NaN counts as larger than any number. Of elements that tie, the first one's index is given, so
sorting is always stable; PyTorch leaves that open where it is not asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.errors import within_memory
from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.operations import arithmetic, elementwise, twins
from tinygrad_rnn.operations.arguments import (
    check_flags,
    check_no_bools,
    dim_of,
    integer_of,
    numpy_names,
    tensor_of,
)
from tinygrad_rnn.operations.comparison import ne
from tinygrad_rnn.operations.indexing import getitem, slices, zeros_for
from tinygrad_rnn.operations.joining import cat
from tinygrad_rnn.operations.memory import in_c_order, owned
from tinygrad_rnn.operations.node_names import made_by
from tinygrad_rnn.operations.operation import in_rules
from tinygrad_rnn.operations.reduction import (
    Axes,
    equal_or_nan,
    largest,
    share_among_ties,
    smallest,
    some,
)
from tinygrad_rnn.operations.shape import clone
from tinygrad_rnn.operations.traits import primitive

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


class Selection(NamedTuple):
    """Elements chosen along an axis, and their places there (int64)."""

    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        kind = type(self).__name__
        return f"torch.return_types.{kind}(\nvalues={self.values!r},\nindices={self.indices!r})"

    def __reduce__(self) -> Any:
        return selected, (type(self).__name__, *self)


# One type for each function, as in PyTorch, whose name is what is printed.
_KINDS = "max min median sort topk kthvalue mode cummax cummin"
_SELECTIONS = {name: type(name, (Selection,), {"__slots__": ()}) for name in _KINDS.split()}


def selected(name: str, values: Any, indices: Any) -> Selection:
    selection: Selection = _SELECTIONS[name](values, indices)
    return selection


def _pick(x: Any, *, index: Any, dim: int, keepdims: bool) -> Any:
    y = np.take_along_axis(x, index, dim)
    if isinstance(y, np.ndarray):
        picked, y = y, np.empty_like(index, x.dtype)  # which lies as the index does
        y[...] = picked
    return y if keepdims else y.squeeze(dim)


def _put_back(g: Any, *, index: Any, dim: int, keepdims: bool, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with the elements of ``g`` at the places, all different, of ``index``."""
    whole = zeros_for(g, shape)
    np.put_along_axis(whole, index, g if keepdims else np.expand_dims(g, dim), dim)
    return whole


_pick_along: Primitive = primitive("pick", owned(_pick), "x", twin=twins.pick, node="MaxBackward0")
_put_back_along: Primitive = primitive("put_back", _put_back, "x", twin=twins.put_back)
_pick_of, _put_back_of = in_rules(_pick_along), in_rules(_put_back_along)

_pick_along.vjp(
    "x",
    lambda g, x_shape, index, dim, keepdims: _put_back_of(
        g, index=index, dim=dim, keepdims=keepdims, shape=x_shape
    ),
    formula="g at [index], else 0",
)
_put_back_along.vjp(
    "x",
    lambda g, index, dim, keepdims: _pick_of(g, index=index, dim=dim, keepdims=keepdims),
    formula="g[index]",
)


def selection(name: str, x: Any, index: Any, dim: int, keepdim: bool = True) -> Selection:
    """The elements at an index array that keeps the axis; g goes back to these places."""
    node = f"{name.capitalize()}Backward{int(name == 'median')}"
    if not x.array.ndim:
        one = made_by(node, clone.apply(x))
        return selected(name, one, graph.make_tensor(index.reshape(()), None))
    values = made_by(node, _pick_along.apply(x, index=index, dim=dim, keepdims=keepdim))
    places = index if keepdim else index.squeeze(dim)  # a copy: the graph needs its own
    return selected(name, values, graph.make_tensor(places.copy("K"), None))


# -- of all elements ------------------------------------------------------------------------------


def _median(x: Any, *, axis: Axes, keepdims: bool) -> Any:
    """The lower median of all elements; NaN if one is NaN, or if there are none."""
    flat = x.ravel()
    if not flat.size or np.isnan(flat).any():
        return np.array(np.nan, x.dtype)
    middle = (flat.size - 1) // 2
    return np.partition(flat, middle)[middle]


_largest = primitive(
    "max",
    in_c_order(lambda x, **over: largest(x, **over)),
    "x",
    twin=twins.whole("max"),
    node="MaxBackward1",
)
_smallest = primitive(
    "min",
    in_c_order(lambda x, **over: smallest(x, **over)),
    "x",
    twin=twins.whole("min"),
    node="MinBackward1",
)
_middle = primitive("median", in_c_order(_median), "x", twin=twins.whole("median"), analytic=False)
for _made in (_largest, _smallest, _middle):
    share_among_ties(_made, equal_or_nan)


# -- largest, smallest and middle ----------------------------------------------------------------


@overload
def max(input: Any, dim: int, keepdim: bool = False) -> Selection: ...
@overload
def max(input: Any, dim: Tensor) -> Tensor: ...
@overload
def max(input: Any, *, other: Tensor) -> Tensor: ...
@overload
def max(input: Any, dim: None = None, keepdim: bool = False) -> Tensor: ...
@within_memory
@numpy_names
def max(
    input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None
) -> Tensor | Selection:
    """The largest element; with ``dim``, the largest along it and their indices.

    Parameters
    ----------
    input : Tensor
    dim : int, optional
        The axis to search. A tensor instead (or ``other=``) gives the larger of two elements.
    keepdim : bool
        Keep the axis with size 1.

    Returns
    -------
    Tensor, or with ``dim`` a named tuple ``(values, indices)``
        Elements that tie share the derivative of the full form; with ``dim`` it goes to the
        first of them.

    Raises
    ------
    RuntimeError, IndexError
        If there are no elements to choose from; ``IndexError`` with ``dim``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([[1.0, 5.0], [7.0, 3.0]])
    >>> tg.max(x)
    tensor(7.)
    >>> tg.max(x, dim=1).indices
    tensor([1, 0])
    >>> tg.max(x, tg.tensor(4.0))
    tensor([[4., 5.],
            [7., 4.]])
    """
    pair = _other("max", dim, other)
    if pair is not None:
        return elementwise.maximum(input, pair)
    return _extreme(_largest, np.argmax, input, dim, keepdim)


@overload
def min(input: Any, dim: int, keepdim: bool = False) -> Selection: ...
@overload
def min(input: Any, dim: Tensor) -> Tensor: ...
@overload
def min(input: Any, *, other: Tensor) -> Tensor: ...
@overload
def min(input: Any, dim: None = None, keepdim: bool = False) -> Tensor: ...
@within_memory
@numpy_names
def min(
    input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None
) -> Tensor | Selection:
    """The smallest element; with ``dim``, the smallest along it and their indices: see `max`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.min(tg.tensor([[1.0, 5.0], [7.0, 3.0]]), dim=0).values
    tensor([1., 3.])
    """
    pair = _other("min", dim, other)
    if pair is not None:
        return elementwise.minimum(input, pair)
    return _extreme(_smallest, np.argmin, input, dim, keepdim)


def _other(name: str, dim: Any, other: Any) -> Any:
    """The second tensor of the elementwise form; ``None`` if it is not that form."""
    if isinstance(dim, Variable | np.ndarray):
        dim, other = None, dim
    if dim is not None and other is not None:
        raise TypeError(f"{name}: of two tensors there is no dim")
    return None if other is None else tensor_of(name, other)


def _extreme(
    made: Primitive, search: Any, input: Any, dim: Any, keepdim: bool
) -> Tensor | Selection:
    x = tensor_of(made.name, input)
    if dim is None:
        return _of_all(made, x, keepdim)
    d = dim_of(made.name, dim, x.array.ndim)
    some(made.name, x, d)
    return selection(made.name, x, _searched(search, x.array, d), d, keepdim)


def _searched(search: Any, array: Any, dim: int) -> Any:
    if not array.ndim:
        return np.zeros((), np.int64)
    return search(array, axis=dim, keepdims=True).astype(np.int64, copy=False)


def _of_all(made: Primitive, x: Any, keepdim: bool) -> Tensor:
    if keepdim:
        raise TypeError(f"{made.name}: keepdim goes with a dim; a{made.name} has it without")
    some(made.name, x)
    return made.apply(x, axis=tuple(range(x.array.ndim)), keepdims=False)


@overload
def median(input: Any) -> Tensor: ...
@overload
def median(input: Any, dim: int, keepdim: bool = False) -> Selection: ...
@within_memory
@numpy_names
def median(input: Any, dim: int | None = None, keepdim: bool = False) -> Tensor | Selection:
    """The middle element in order, the lower one of two; with ``dim``, along it and its index.

    (NumPy's median is their mean instead.) The result is NaN if an element is.

    Returns
    -------
    Tensor, or with ``dim`` a named tuple ``(values, indices)``
        Elements that tie share the derivative of the full form.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.median(tg.tensor([4.0, 1.0, 3.0, 2.0]))
    tensor(2.)
    >>> tg.median(tg.tensor([4.0, 1.0, 3.0, 2.0]), dim=0)
    torch.return_types.median(
    values=tensor(2.),
    indices=tensor(3))
    """
    x = tensor_of("median", input)
    check_no_bools("median", x)
    if dim is None:
        if keepdim:
            raise TypeError("median: keepdim goes with a dim")
        if x.array.dtype.kind != "f":
            some("median", x)
        return _middle.apply(x, axis=tuple(range(x.array.ndim)), keepdims=False)
    d = dim_of("median", dim, x.array.ndim)
    some("median", x, d)
    index = order(x.array, d, False)
    if x.array.ndim:
        nan, m = np.isnan(x.array), (x.array.shape[d] - 1) // 2
        middle = _slice(index, d, m, m + 1)
        index = np.where(nan.any(d, keepdims=True), _searched(np.argmax, nan, d), middle)
    return selection("median", x, index, d, keepdim)


# -- sorting -----------------------------------------------------------------------------------


def order(array: Any, dim: int, descending: bool) -> Any:
    """The places of the elements in order; NaN is largest, and the first of a tie comes first."""
    if not array.ndim:
        return np.zeros((), np.int64)
    if not descending:
        return np.argsort(array, dim, kind="stable")
    backward = np.argsort(np.flip(array, dim), dim, kind="stable")
    return array.shape[dim] - 1 - np.flip(backward, dim)


def _lying_like(array: Any, index: Any) -> Any:
    """An index array in the order in memory of what it sorts."""
    arranged = np.empty_like(array, index.dtype)
    arranged[...] = index
    return arranged


def _slice(array: Any, dim: int, start: int, stop: int) -> Any:
    return array[slices(dim, start, stop)]


@within_memory
@numpy_names
def sort(
    input: Any, dim: int = -1, descending: bool = False, *, stable: bool | None = False
) -> Selection:
    """The elements in order along ``dim``, and where they were.

    Parameters
    ----------
    input : Tensor
    dim : int
    descending : bool
        Largest first.
    stable : bool
        Keep the order of elements that tie; it is always kept here.

    Returns
    -------
    A named tuple ``(values, indices)``

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> values, indices = tg.sort(tg.tensor([2.0, 3.0, 1.0]), descending=True)
    >>> values, indices
    (tensor([3., 2., 1.]), tensor([1, 0, 2]))
    """
    check_flags("sort", descending=descending, stable=stable is not None and stable)
    x = tensor_of("sort", input)
    d = dim_of("sort", dim, x.array.ndim)
    return selection("sort", x, _lying_like(x.array, order(x.array, d, descending)), d)


@within_memory
@numpy_names
def argsort(input: Any, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Tensor:
    """The indices that `sort` gives.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.argsort(tg.tensor([2.0, 3.0, 1.0]))
    tensor([2, 0, 1])
    """
    check_flags("argsort", descending=descending, stable=stable)
    x = tensor_of("argsort", input)
    d = dim_of("argsort", dim, x.array.ndim)
    return graph.make_tensor(_lying_like(x.array, order(x.array, d, descending)), None)


@within_memory
@numpy_names
def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Selection:
    """The ``k`` largest (or smallest) elements along ``dim`` in order, and where they were.

    Parameters
    ----------
    input : Tensor
    k : int
        Not more than there are.
    dim : int
    largest : bool
        Largest first; otherwise smallest first.
    sorted : bool
        Whether their order matters; they come in order in any case.

    Returns
    -------
    A named tuple ``(values, indices)``

    Raises
    ------
    RuntimeError
        If ``k`` is negative or larger than the axis.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.topk(tg.tensor([2.0, 5.0, 3.0]), 2).values
    tensor([5., 3.])
    """
    check_flags("topk", largest=largest, sorted=sorted)
    x = tensor_of("topk", input)
    check_no_bools("topk", x)
    d = dim_of("topk", dim, x.array.ndim)
    n, k = (x.array.shape[d] if x.array.ndim else 1), integer_of("topk", "k", k)
    if not 0 <= k <= n:
        raise RuntimeError(f"topk: k must be 0 … {n}, the size of axis {d}, got {k}")
    index = order(x.array, d, largest)
    return selection("topk", x, _slice(index, d, 0, k) if x.array.ndim else index, d)


# -- differences -------------------------------------------------------------------------------


@numpy_names
def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
    """The ``n``-th differences of neighbours along ``dim``: x[i + 1] − x[i], of bools whether ≠.

    Parameters
    ----------
    input : Tensor
    n : int
        How often to take differences.
    dim : int
    prepend, append : Tensor, optional
        Put before and after ``input`` along ``dim`` first.

    Raises
    ------
    RuntimeError
        If ``input`` is 0-d, ``n`` negative, or what is put before or after does not fit.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.diff(tg.tensor([1.0, 4.0, 9.0, 16.0]), n=2)
    tensor([2., 2.])
    """
    x = tensor_of("diff", input)
    if not x.array.ndim:
        raise RuntimeError("diff: a 0-d tensor has no neighbours")
    d, times = dim_of("diff", dim, x.array.ndim), integer_of("diff", "n", n)
    if times < 0:
        raise RuntimeError(f"diff: n must not be negative, got {n}")
    ends = [None if end is None else tensor_of("diff", end) for end in (prepend, append)]
    for end in ends:
        if end is not None and _without(end, d) != _without(x, d):
            raise RuntimeError(
                f"diff: prepend and append must have the input's shape {x.array.shape} except "
                f"along axis {d}, got {end.array.shape}"
            )
    parts = [part for part in (ends[0], x, ends[1]) if part is not None]
    if times and len(parts) > 1:
        x = cat(parts, d)
    before = (slice(None),) * d
    for _ in range(times if times < x.array.shape[d] else x.array.shape[d]):
        later, earlier = (getitem(x, (*before, s)) for s in (slice(1, None), slice(None, -1)))
        x = (ne if x.array.dtype.kind == "b" else arithmetic.sub)(later, earlier)
    return x


def _without(x: Any, dim: int) -> tuple[Any, ...]:
    """The number of axes, and the sizes of all but one."""
    return x.array.ndim, *x.array.shape[:dim], *x.array.shape[dim + 1 :]
