"""Sums, products, extremes and spread over some axes or all, and running sums and products.

Everything takes ``dim``, ``keepdim`` as PyTorch does, and NumPy's ``axis``, ``keepdims`` too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.dtypes import DTypeLike, as_dtype, int64, is_floating
from tinygrad_rnn.engine import graph, primitive
from tinygrad_rnn.functions.arguments import (
    Dims,
    check_no_bools,
    dim_of,
    dims_of,
    number_of,
    numpy_names,
    one_or_more,
    tensor_of,
)
from tinygrad_rnn.ops import arithmetic, promotion, reduction

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


def _summable(name: str, input: Any, dtype: DTypeLike) -> Any:
    """The input in the type to add up or multiply in: int64 for bools and integers."""
    x = tensor_of(name, input)
    if dtype is not None:
        return promotion.to_dtype(x, as_dtype(dtype))
    return x if x.array.dtype.kind == "f" else promotion.to_dtype(x, int64)


# -- sums and products -------------------------------------------------------------------------


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
    return reduction.sum.apply(x, axis=dims_of("sum", dim, x.array.ndim), keepdims=keepdim)


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
    x = promotion.to_dtype(x, wanted)
    return reduction.mean.apply(x, axis=dims_of("mean", dim, x.array.ndim), keepdims=keepdim)


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
    return reduction.prod.apply(x, axis=axes, keepdims=keepdim)


def _axis(name: str, dim: int | None, ndim: int) -> tuple[int, ...]:
    """One axis, or all for ``None``, as the tuple that primitives take."""
    return dims_of(name, None if dim is None else dim_of(name, dim, ndim), ndim)


@numpy_names
def cumsum(input: Any, dim: int, *, dtype: DTypeLike = None) -> Tensor:
    """Running sum along ``dim``; of bools and integers as int64.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.cumsum(tg.tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 3., 6.])
    """
    return _running(reduction.cumsum, input, dim, dtype)


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
    return _running(reduction.cumprod, input, dim, dtype)


def _running(made: primitive.Primitive, input: Any, dim: int, dtype: DTypeLike) -> Any:
    x = _summable(made.name, input, dtype)
    d = dim_of(made.name, dim, x.array.ndim)
    return made.apply(x, dim=d, reverse=False) if x.array.ndim else arithmetic.clone.apply(x)


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
    return reduction.logsumexp.apply(x, axis=axes, keepdims=keepdim)


# -- spread ------------------------------------------------------------------------------------


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
    return _varied(reduction.var, input, dim, unbiased, keepdim, correction)


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
    return _varied(reduction.std, input, dim, unbiased, keepdim, correction)


def _varied(
    made: primitive.Primitive,
    input: Any,
    dim: Dims | bool,
    unbiased: bool | None,
    keepdim: bool,
    correction: Any,
) -> Any:
    name, x = made.name, tensor_of(made.name, input)
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
    return spread, mean(input, None if isinstance(dim, bool) else dim, keepdim)


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
    return spread, mean(input, None if isinstance(dim, bool) else dim, keepdim)


# -- extremes ----------------------------------------------------------------------------------


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
    return _extreme(reduction.amax, input, dim, keepdim)


@numpy_names
def amin(input: Any, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The smallest element over the axes ``dim`` (default: all); see `amax`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.amin(tg.tensor([[1.0, 2.0], [4.0, 3.0]]), dim=1)
    tensor([1., 3.])
    """
    return _extreme(reduction.amin, input, dim, keepdim)


def _extreme(made: primitive.Primitive, input: Any, dim: Dims, keepdim: bool) -> Any:
    x = tensor_of(made.name, input)
    axes = dims_of(made.name, dim, x.array.ndim)
    if dim is None or dim in ((), []):
        some(made.name, x)
    for axis in axes:
        some(made.name, x, axis)
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


def _place(search: Any, input: Any, dim: int | None, keepdim: bool) -> Any:
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


def _truth(quantifier: Any, input: Any, dim: Dims, keepdim: bool) -> Any:
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
