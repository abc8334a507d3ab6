"""Sums, products, extremes and spread over some axes or all, and running sums and products.

Everything takes ``dim``, ``keepdim`` as PyTorch does, and NumPy's ``axis``, ``keepdims`` too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.errors import silent
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.operations import node_names, twins
from tinygrad_rnn.operations.arguments import (
    Dims,
    check_no_bools,
    dim_of,
    dims_of,
    number_of,
    numpy_names,
    one_or_more,
    tensor_of,
)
from tinygrad_rnn.operations.dtypes import DTypeLike, as_dtype, int64, is_floating
from tinygrad_rnn.operations.memory import in_c_order, owned
from tinygrad_rnn.operations.node_names import made_by
from tinygrad_rnn.operations.operation import Operation, in_rules, operation
from tinygrad_rnn.operations.promotion import promoted, to_dtype
from tinygrad_rnn.operations.shape import clone
from tinygrad_rnn.operations.traits import primitive

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


Axes = tuple[int, ...]
Fn = Callable[..., Any]

# (array, axes, dtype, out, keepdims); `np.sum` and the like take longer to come to the same
add_up: Any = np.add.reduce
_multiply: Any = np.multiply.reduce
largest: Any = np.maximum.reduce
smallest: Any = np.minimum.reduce


def spread(g: Any, shape: Axes, axis: Axes, keepdims: bool) -> Any:
    """What a reduction made, or its cotangent, repeated along the axes that it reduced."""
    if not keepdims:
        g = g.reshape(tuple(1 if i in axis else n for i, n in enumerate(shape)))
    return np.broadcast_to(g, shape)


def count(shape: Axes, axis: Axes) -> int:
    """How many elements are reduced to one."""
    return math.prod(shape[i] for i in axis)


def wider(x: Any) -> Any:
    """The type to add up in: 70,000 ones overflow float16, and 2049 are 2048 there."""
    return np.float32 if x.dtype == np.float16 else x.dtype


def _summable(name: str, input: Any, dtype: DTypeLike) -> Any:
    """The input in the type to add up or multiply in: int64 for bools and integers."""
    x = tensor_of(name, input)
    if dtype is not None:
        return to_dtype(x, as_dtype(dtype))
    return x if x.array.dtype.kind == "f" else to_dtype(x, int64)


# -- sums and products -------------------------------------------------------------------------


@silent
def _sum(x: Any, *, axis: Axes, keepdims: bool) -> Any:
    y = add_up(x, axis, wider(x), None, keepdims)
    return y if y.dtype == x.dtype else y.astype(x.dtype)


@operation(in_c_order(_sum), twin=twins.over("sum"), node=node_names.over_axes("Sum"))
@numpy_names
def sum(input: Any, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike = None) -> Tensor:
    """Sum over the axes ``dim`` (default: all); of bools and integers as int64.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.sum(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([4., 6.])
    """
    x = _summable("sum", input, dtype)
    total = sum.apply(x, axis=dims_of("sum", dim, x.array.ndim), keepdims=keepdim)
    return node_names.along("Sum", dim, total)


sum.vjp("x", lambda g, x_shape, axis, keepdims: spread(g, x_shape, axis, keepdims), formula="g")


@silent
def _mean(x: Any, *, axis: Axes, keepdims: bool) -> Any:
    total = add_up(x, axis, wider(x), None, keepdims)
    return (total / (count(x.shape, axis) or math.nan)).astype(x.dtype, copy=False)


@operation(
    in_c_order(_mean),
    prepare=promoted("mean", to_float=True),
    twin=twins.over("mean"),
    node=node_names.over_axes("Mean"),
)
@numpy_names
def mean(input: Any, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike = None) -> Tensor:
    """Arithmetic mean over the axes ``dim`` (default: all); NaN of no elements.

    Raises
    ------
    RuntimeError
        If ``input`` (or ``dtype``, in which it is computed) is not floating-point.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.mean(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=1, keepdim=True)
    tensor([[1.5000],
            [3.5000]])
    """
    x = tensor_of("mean", input)
    wanted = x.array.dtype if dtype is None else as_dtype(dtype)
    if wanted.kind != "f":
        raise RuntimeError(
            f"mean: only of floating-point tensors, not of {wanted}; pass dtype=tg.float32"
        )
    x = to_dtype(x, wanted)
    average = mean.apply(x, axis=dims_of("mean", dim, x.array.ndim), keepdims=keepdim)
    return node_names.along("Mean", dim, average)


mean.vjp(
    "x",
    lambda g, x_shape, axis, keepdims: (
        spread(g, x_shape, axis, keepdims) / (count(x_shape, axis) or 1)
    ),
    formula="g / n",
)
_mean_in_rules = in_rules(mean)


@silent
def _prod(x: Any, *, axis: Axes, keepdims: bool) -> Any:
    return _multiply(x, axis, wider(x), None, keepdims).astype(x.dtype, copy=False)


@operation(in_c_order(_prod), twin=twins.whole("prod"), node=node_names.over_axes("Prod"))
@numpy_names
def prod(
    input: Any, dim: int | None = None, keepdim: bool = False, *, dtype: DTypeLike = None
) -> Tensor:
    """Product along ``dim`` (default: of all elements); of bools and integers as int64.

    The derivative is exact where elements are 0, too.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([2.0, 0.0, 3.0], requires_grad=True)
    >>> tg.prod(x).backward()
    >>> x.grad
    tensor([0., 6., 0.])
    """
    x = _summable("prod", input, dtype)
    axes = _axis("prod", dim, x.array.ndim)
    product = prod.apply(x, axis=axes, keepdims=keepdim)
    return node_names.along("Prod", dim, product)


prod.vjp(
    "x",
    lambda g, x, y, axis, keepdims: _prod_slope(g, x, y, axis, keepdims),
    formula="g ⊙ y / x, the product of the others",
)


def _others(x: Any, axis: Axes) -> Any:
    """At each place the product of all other elements: those before it, times those after it."""
    if len(axis) != 1:  # all of them
        return _others(x.reshape(-1), (0,)).reshape(x.shape)
    (dim,) = axis
    before = _cumprod(_shifted(x, dim, 1, False), dim=dim, reverse=False)
    return before * _cumprod(_shifted(x, dim, 1, True), dim=dim, reverse=True)


def _prod_slope(g: Any, x: Any, y: Any, axis: Axes, keepdims: bool) -> Any:
    if (x == 0).any():
        return spread(g, x.shape, axis, keepdims) * _others(x, axis)
    return spread(g * y, x.shape, axis, keepdims) / x


def _axis(name: str, dim: int | None, ndim: int) -> tuple[int, ...]:
    """One axis, or all for ``None``, as the tuple that primitives take."""
    return dims_of(name, None if dim is None else dim_of(name, dim, ndim), ndim)


def _accumulated(ufunc: np.ufunc) -> Fn:
    """A forward that gives all partial results along an axis (``reverse``: from its end)."""

    @in_c_order
    @silent
    def forward(x: Any, *, dim: int, reverse: bool) -> Any:
        wide = np.float64 if x.dtype.kind == "f" else x.dtype  # rounding adds up over the length
        y = ufunc.accumulate(np.flip(x, dim) if reverse else x, dim, wide)
        return (np.flip(y, dim) if reverse else y).astype(x.dtype, copy=False)

    return forward


@operation(
    _accumulated(np.add), prepare=promoted("cumsum", bools=False), twin=twins.running("cumsum")
)
@numpy_names
def cumsum(input: Any, dim: int, *, dtype: DTypeLike = None) -> Tensor:
    """Running sum along ``dim``; of bools and integers as int64.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.cumsum(tg.tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 3., 6.])
    """
    return _running(cumsum, input, dim, dtype)


_cumsum = in_rules(cumsum)
cumsum.vjp(
    "x",
    lambda g, dim, reverse: _cumsum(g, dim=dim, reverse=not reverse),
    formula="Σ g from here on",
)


@operation(
    _accumulated(np.multiply),
    prepare=promoted("cumprod", bools=False),
    twin=twins.running("cumprod"),
)
@numpy_names
def cumprod(input: Any, dim: int, *, dtype: DTypeLike = None) -> Tensor:
    """Running product along ``dim``; of bools and integers as int64.

    The derivative is exact where elements are 0, too.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.cumprod(tg.tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 2., 6.])
    """
    return _running(cumprod, input, dim, dtype)


_cumprod = in_rules(cumprod)
cumprod.vjp(
    "x",
    lambda g, x, y, dim, reverse: _cumprod_slope(g, x, y, dim, reverse),
    formula="Σ g ⊙ y from here on / x",
)


def _cumprod_slope(g: Any, x: Any, y: Any, dim: int, reverse: bool) -> Any:
    """Without division if there are zeros: yₜ₋₁ ⊙ sₜ, where sₜ = gₜ + xₜ₊₁ sₜ₊₁."""
    if not (x == 0).any():
        return _cumsum(g * y, dim=dim, reverse=not reverse) / x
    s = _scanned(_shifted(x, dim, 0, not reverse), g, dim=dim, reverse=not reverse)
    return _shifted(y, dim, 1, reverse) * s


@in_c_order
@silent
def _scan(a: Any, b: Any, *, dim: int, reverse: bool) -> Any:
    """sₜ = bₜ + aₜ sₜ₋₁ (``reverse``: aₜ sₜ₊₁), in log₂ n sweeps that each double the reach."""
    arrays = [np.moveaxis(np.array(x, np.float64), dim, 0) for x in (a, b)]
    product, s = (x[::-1] for x in arrays) if reverse else arrays
    reach = 1
    while reach < len(s):
        s[reach:] += product[reach:] * s[:-reach]
        product[reach:] *= product[:-reach]
        reach *= 2
    return np.moveaxis(arrays[1], 0, dim).astype(b.dtype)


_linear_scan = primitive(
    "linear_scan", _scan, "a b", symbol="scan", twin=twins.linear_scan, analytic=False
)
_linear_scan.joint_vjp(
    lambda g, a, y, dim, reverse: _scan_slopes(g, a, y, dim, reverse),
    formula="sₜ ⊙ yₜ₋₁ and sₜ, where sₜ = gₜ + aₜ₊₁ ⊙ sₜ₊₁",
)
_scanned = in_rules(_linear_scan)


def _scan_slopes(g: Any, a: Any, y: Any, dim: int, reverse: bool) -> list[Any]:
    s = _scanned(_shifted(a, dim, 0, not reverse), g, dim=dim, reverse=not reverse)
    return [s * _shifted(y, dim, 0, reverse), s]


def _shifted(x: Any, dim: int, fill: int, back: bool) -> Any:
    """The elements one place further along an axis (``back``: one place back)."""
    n = x.shape[dim]
    edge = np.full((*x.shape[:dim], int(n > 0), *x.shape[dim + 1 :]), fill, x.dtype)
    kept = x[(*(slice(None),) * dim, slice(1, None) if back else slice(None, -1))]
    return np.concatenate([kept, edge] if back else [edge, kept], dim)


def _running(made: Operation[..., Tensor], input: Any, dim: int, dtype: DTypeLike) -> Tensor:
    name = made.primitive.name
    x = _summable(name, input, dtype)
    d = dim_of(name, dim, x.array.ndim)
    return made.apply(x, dim=d, reverse=False) if x.array.ndim else clone.apply(x)


@silent
def _logsumexp(x: Any, *, axis: Axes, keepdims: bool) -> Any:
    wide = x.astype(wider(x), copy=False)
    top = largest(wide, axis, None, None, True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, wide.dtype.type(0))
    y = np.log(add_up(np.exp(wide - top), axis, None, None, True)) + top
    return (y if keepdims else y.squeeze(axis)).astype(x.dtype, copy=False)


@operation(
    owned(_logsumexp), prepare=promoted("logsumexp", to_float=True), twin=twins.over("logsumexp")
)
@numpy_names
def logsumexp(input: Any, dim: Dims, keepdim: bool = False) -> Tensor:
    """Logarithm of the sum of exponentials, ln Σ eˣ, over ``dim``, without overflow.

    A smooth maximum: its derivative is the softmax. Of no elements, or of −∞ only, it is −∞.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.logsumexp(tg.tensor([1000.0, 1000.0]), 0)
    tensor(1000.6932)
    """
    x = tensor_of("logsumexp", input)
    if dim is None:
        raise TypeError("logsumexp: say which dim (a tuple of all of them for the whole tensor)")
    axes = dims_of("logsumexp", dim, x.array.ndim)
    return logsumexp.apply(x, axis=axes, keepdims=keepdim)


logsumexp.vjp(
    "x",
    lambda g, x, y, axis, keepdims: (
        spread(g, x.shape, axis, keepdims) * np.exp(x - spread(y, x.shape, axis, keepdims))
    ),
    formula="g ⊙ softmax(x)",
)


# -- spread ------------------------------------------------------------------------------------


@silent
def _variance(x: Any, *, axis: Axes, correction: float, keepdims: bool) -> Any:
    wide = x.astype(np.promote_types(x.dtype, np.float64), copy=False)  # room for squares
    middle = _mean(wide, axis=axis, keepdims=True)
    numbers = isinstance(x, np.ndarray | np.generic)  # else it stands for some
    if numbers and np.isinf(middle).any():  # the sum is too large, not the mean
        middle = add_up(wide / count(x.shape, axis), axis, None, None, True)
    d = wide - middle
    freedom = np.maximum(count(x.shape, axis) - correction, 0)
    return add_up(d * d, axis, None, None, keepdims) / freedom.astype(wide.dtype)


@silent
def _var(x: Any, **options: Any) -> Any:
    return _variance(x, **options).astype(x.dtype, copy=False)


@operation(in_c_order(_var), twin=twins.over("var"))
@numpy_names
def var(
    input: Any,
    dim: Dims | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """Variance over the axes ``dim`` (default: all): Σ (x − mean)² / (n − correction).

    Parameters
    ----------
    input : Tensor
        Floating-point.
    dim : int or tuple of ints, optional
        Axes; a bool stands for ``unbiased``, as in PyTorch.
    unbiased : bool, optional
        An older way to say ``correction=1`` or ``correction=0``.
    keepdim : bool
        Keep the axes with size 1.
    correction : number
        Degrees of freedom taken off, 1 by default (Bessel's correction). If none remain, the
        result is NaN or ∞.

    Raises
    ------
    RuntimeError
        If ``input`` is not floating-point.
    TypeError
        If both ``unbiased`` and ``correction`` are given, or not a bool and a number.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.var(tg.tensor([1.0, 2.0, 3.0, 4.0]))
    tensor(1.6667)
    >>> tg.var(tg.tensor([1.0, 2.0, 3.0, 4.0]), correction=0)
    tensor(1.2500)
    """
    return _varied(var, input, dim, unbiased, keepdim, correction)


var.vjp(
    "x",
    lambda g, x, axis, correction, keepdims: (
        spread(2 * g, x.shape, axis, keepdims) * _deviation(x, axis, correction)
    ),
    formula="2·g ⊙ (x − mean) / (n − correction)",
)


@silent
def _std(x: Any, **options: Any) -> Any:
    return np.sqrt(_variance(x, **options)).astype(x.dtype, copy=False)


@operation(in_c_order(_std), twin=twins.over("std"))
@numpy_names
def std(
    input: Any,
    dim: Dims | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """Standard deviation, the root of `var`, with its arguments; its derivative at 0 is 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.std(tg.tensor([[1.0, 3.0], [5.0, 5.0]]), dim=1)
    tensor([1.4142, 0.0000])
    """
    return _varied(std, input, dim, unbiased, keepdim, correction)


std.vjp(
    "x",
    lambda g, x, y, axis, correction, keepdims: (
        spread(g, x.shape, axis, keepdims)
        * unless_zero(_deviation(x, axis, correction), spread(y, x.shape, axis, keepdims))
    ),
    formula="g ⊙ (x − mean) / (y ⊙ (n − correction)), 0 where y = 0",
)


def _deviation(x: Any, axis: Axes, correction: float) -> Any:
    """(x − mean) / (n − correction)."""
    return (x - _mean_in_rules(x, axis=axis, keepdims=True)) / (count(x.shape, axis) - correction)


def unless_zero(x: Any, y: Any) -> Any:
    """The quotient x/y, and 0 where y = 0; so are its derivatives."""
    return np.where(y == 0, 0, x) / (y + (y == 0))


def _varied(
    made: Operation[..., Tensor],
    input: Any,
    dim: Dims | bool,
    unbiased: bool | None,
    keepdim: bool,
    correction: Any,
) -> Tensor:
    name = made.primitive.name
    x = tensor_of(name, input)
    if not is_floating(x.array.dtype):
        raise RuntimeError(f"{name}: only of floating-point tensors, not of {x.array.dtype}")
    if isinstance(dim, bool) and unbiased is None:
        dim, unbiased = None, dim
    if unbiased is not None:
        if not isinstance(unbiased, bool) or correction is not None:
            raise TypeError(
                f"{name}: unbiased is a bool and excludes correction, got unbiased={unbiased!r}, "
                f"correction={correction!r}"
            )
        correction = int(unbiased)
    correction = 1 if correction is None else number_of(name, "correction", correction)
    axes = dims_of(name, dim, x.array.ndim)
    return made.apply(x, axis=axes, correction=correction, keepdims=keepdim)


@numpy_names
def var_mean(
    input: Any,
    dim: Dims | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """The variance and the mean; see `var`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.var_mean(tg.tensor([1.0, 2.0, 3.0]))
    (tensor(1.), tensor(2.))
    """
    spread = var(input, dim, unbiased, keepdim, correction=correction)
    middle = mean(input, None if isinstance(dim, bool) else dim, keepdim)
    return made_by("VarMeanBackward0", spread), made_by("VarMeanBackward0", middle)


@numpy_names
def std_mean(
    input: Any,
    dim: Dims | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """The standard deviation and the mean; see `var`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.std_mean(tg.tensor([1.0, 2.0, 3.0]))
    (tensor(1.), tensor(2.))
    """
    spread = std(input, dim, unbiased, keepdim, correction=correction)
    middle = mean(input, None if isinstance(dim, bool) else dim, keepdim)
    return made_by("StdMeanBackward0", spread), made_by("StdMeanBackward0", middle)


# -- extremes ----------------------------------------------------------------------------------


def _equal(x: Any, y: Any, axis: Axes, keepdims: bool) -> Any:
    return x == spread(y, x.shape, axis, keepdims)


def equal_or_nan(x: Any, y: Any, axis: Axes, keepdims: bool) -> Any:
    y = spread(y, x.shape, axis, keepdims)
    return (x == y) + (x != x) * (y != y)


def shared(g: Any, ties: Any, axis: Axes, keepdims: bool) -> Any:
    """The cotangent in equal parts to the elements that tie."""
    parts = to_dtype(ties, g.dtype)
    return spread(g, parts.shape, axis, keepdims) * (parts / parts.sum(axis=axis, keepdims=True))


def share_among_ties(made: Primitive, ties: Fn) -> None:
    """State the rule of an extreme: the elements that tie share the cotangent."""
    made.vjp(
        "x",
        lambda g, x, y, axis, keepdims: shared(g, ties(x, y, axis, keepdims), axis, keepdims),
        formula="g / number of ties, where x = y",
    )


@operation(in_c_order(lambda x, **over: largest(x, **over)), twin=twins.over("amax"))
@numpy_names
def amax(input: Any, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The largest element over the axes ``dim`` (default: all); elements that tie share g.

    Raises
    ------
    RuntimeError, IndexError
        If there are no elements; if an axis named by ``dim`` has none.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([1.0, 3.0, 3.0], requires_grad=True)
    >>> tg.amax(x).backward()
    >>> x.grad
    tensor([0.0000, 0.5000, 0.5000])
    """
    return _extreme(amax, input, dim, keepdim)


share_among_ties(amax.primitive, _equal)


@operation(in_c_order(lambda x, **over: smallest(x, **over)), twin=twins.over("amin"))
@numpy_names
def amin(input: Any, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The smallest element over the axes ``dim`` (default: all); see `amax`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.amin(tg.tensor([[1.0, 2.0], [4.0, 3.0]]), dim=1)
    tensor([1., 3.])
    """
    return _extreme(amin, input, dim, keepdim)


share_among_ties(amin.primitive, _equal)


def _extreme(made: Operation[..., Tensor], input: Any, dim: Dims, keepdim: bool) -> Tensor:
    name = made.primitive.name
    x = tensor_of(name, input)
    axes = dims_of(name, dim, x.array.ndim)
    if dim is None or dim in ((), []):
        some(name, x)
    for axis in axes:
        some(name, x, axis)
    return made.apply(x, axis=axes, keepdims=keepdim)


def some(name: str, x: Any, dim: int | None = None, empty: type[Exception] = RuntimeError) -> None:
    """Raise if there is nothing to choose from, along ``dim`` or at all."""
    if dim is None and not x.array.size:
        raise empty(f"{name}: a tensor of shape {x.array.shape} has no elements; give a dim")
    if dim is not None and x.array.ndim and not x.array.shape[dim]:
        raise IndexError(f"{name}: axis {dim} of shape {x.array.shape} has no elements")


@numpy_names
def argmax(input: Any, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the largest element is along ``dim`` (default: in the flattened tensor).

    The first of those that tie; the first NaN, if there is one.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.argmax(tg.tensor([[1.0, 3.0], [4.0, 2.0]]), dim=1)
    tensor([1, 0])
    """
    return _place(np.argmax, input, dim, keepdim)


@numpy_names
def argmin(input: Any, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the smallest element is along ``dim`` (default: flattened); see `argmax`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.argmin(tg.tensor([[1.0, 3.0], [4.0, 2.0]]))
    tensor(0)
    """
    return _place(np.argmin, input, dim, keepdim)


def _place(search: Any, input: Any, dim: int | None, keepdim: bool) -> Tensor:
    name, x = search.__name__, tensor_of(search.__name__, input)
    check_no_bools(name, x)
    d = None if dim is None else dim_of(name, dim, x.array.ndim)
    some(name, x, d, IndexError)
    place = search(x.array, axis=d if x.array.ndim else None, keepdims=keepdim)
    return graph.make_tensor(np.asarray(place, int64), None)


# -- counting: no derivatives ------------------------------------------------------------------


@numpy_names
def all(input: Any, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether all elements over the axes ``dim`` are true, that is not 0 (uint8 stays uint8).

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.all(tg.tensor([[True, False], [True, True]]), dim=1)
    tensor([False,  True])
    """
    return _truth(np.all, input, dim, keepdim)


@numpy_names
def any(input: Any, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether any element over the axes ``dim`` is true, that is not 0 (uint8 stays uint8).

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.any(tg.tensor([[True, False], [False, False]]), dim=1)
    tensor([ True, False])
    """
    return _truth(np.any, input, dim, keepdim)


def _truth(quantifier: Any, input: Any, dim: Dims, keepdim: bool) -> Tensor:
    name, x = quantifier.__name__, tensor_of(quantifier.__name__, input)
    none = isinstance(dim, Sequence) and not dim  # here PyTorch takes () at its word
    axes = () if none else dims_of(name, dim, x.array.ndim)
    answer = np.asarray(quantifier(x.array, axis=axes, keepdims=keepdim), order="C")
    return graph.make_tensor(answer.astype(np.uint8) if x.array.dtype == np.uint8 else answer, None)


@numpy_names
def count_nonzero(input: Any, *axes: Any, dim: Dims = None) -> Tensor:
    """How many elements over the axes ``dim`` (default: all) are not 0, as int64.

    The axes may be given one by one, too.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.count_nonzero(tg.tensor([[1.0, 0.0], [2.0, 3.0]]), dim=0)
    tensor([2, 1])
    """
    x = tensor_of("count_nonzero", input)
    over = dims_of("count_nonzero", one_or_more("count_nonzero", axes, dim), x.array.ndim)
    number = np.asarray(np.sum(x.array != 0, axis=over, dtype=int64))
    return graph.make_tensor(number, None)
