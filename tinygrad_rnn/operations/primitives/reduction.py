"""Sums, products, extremes, spread and norms over some axes, and running sums and products."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_rnn.engine.errors import silent
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.operations.arithmetic import in_rules
from tinygrad_rnn.operations.memory import in_c_order, owned
from tinygrad_rnn.operations.promotion import promoted, to_dtype

Axes = tuple[int, ...]

# (array, axes, dtype, out, keepdims); `np.sum` and the like take longer to come to the same
_add: Any = np.add.reduce
_multiply: Any = np.multiply.reduce
_largest: Any = np.maximum.reduce
_smallest: Any = np.minimum.reduce


def _spread(g: Any, shape: Axes, axis: Axes, keepdims: bool) -> Any:
    """What a reduction made, or its cotangent, repeated along the axes that it reduced."""
    if not keepdims:
        g = g.reshape(tuple(1 if i in axis else n for i, n in enumerate(shape)))
    return np.broadcast_to(g, shape)


def count(shape: Axes, axis: Axes) -> int:
    """How many elements are reduced to one."""
    return math.prod(shape[i] for i in axis)


def _wider(x: Any) -> Any:
    """The type to add up in: 70,000 ones overflow float16, and 2049 are 2048 there."""
    return np.float32 if x.dtype == np.float16 else x.dtype


# -- sums and means ----------------------------------------------------------------------------


@silent
def _sum(x: Any, *, axis: Axes, keepdims: bool) -> Any:
    y = _add(x, axis, _wider(x), None, keepdims)
    return y if y.dtype == x.dtype else y.astype(x.dtype)


@silent
def _mean(x: Any, *, axis: Axes, keepdims: bool) -> Any:
    total = _add(x, axis, _wider(x), None, keepdims)
    return (total / (count(x.shape, axis) or math.nan)).astype(x.dtype, copy=False)


sum = Primitive("sum", in_c_order(_sum), "x")
sum.vjp("x", lambda g, x_shape, axis, keepdims: _spread(g, x_shape, axis, keepdims), formula="g")

mean = Primitive("mean", in_c_order(_mean), "x", prepare=promoted("mean", to_float=True))
mean.vjp(
    "x",
    lambda g, x_shape, axis, keepdims: (
        _spread(g, x_shape, axis, keepdims) / (count(x_shape, axis) or 1)
    ),
    formula="g / n",
)
_mean_of = in_rules(mean)


# -- running sums and products -----------------------------------------------------------------


def _running(ufunc: np.ufunc) -> Callable[..., Any]:
    """A forward that gives all partial results along an axis (``reverse``: from its end)."""

    @in_c_order
    @silent
    def forward(x: Any, *, dim: int, reverse: bool) -> Any:
        wide = np.float64 if x.dtype.kind == "f" else x.dtype  # rounding adds up over the length
        y = ufunc.accumulate(np.flip(x, dim) if reverse else x, dim, wide)
        return (np.flip(y, dim) if reverse else y).astype(x.dtype, copy=False)

    return forward


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


def _shifted(x: Any, dim: int, fill: int, back: bool) -> Any:
    """The elements one place further along an axis (``back``: one place back)."""
    n = x.shape[dim]
    edge = np.full((*x.shape[:dim], int(n > 0), *x.shape[dim + 1 :]), fill, x.dtype)
    kept = x[(*(slice(None),) * dim, slice(1, None) if back else slice(None, -1))]
    return np.concatenate([kept, edge] if back else [edge, kept], dim)


cumsum = Primitive("cumsum", _running(np.add), "x", prepare=promoted("cumsum", bools=False))
cumprod = Primitive("cumprod", _running(np.multiply), "x", prepare=promoted("cumprod", bools=False))
linear_scan = Primitive("linear_scan", _scan, "a b", symbol="scan")
_cumsum, _cumprod, _scanned = in_rules(cumsum), in_rules(cumprod), in_rules(linear_scan)

cumsum.vjp(
    "x",
    lambda g, dim, reverse: _cumsum(g, dim=dim, reverse=not reverse),
    formula="Σ g from here on",
)
cumprod.vjp(
    "x",
    lambda g, x, y, dim, reverse: _cumprod_slope(g, x, y, dim, reverse),
    formula="Σ g ⊙ y from here on / x",
)
linear_scan.joint_vjp(
    lambda g, a, y, dim, reverse: _scan_slopes(g, a, y, dim, reverse),
    formula="sₜ ⊙ yₜ₋₁ and sₜ, where sₜ = gₜ + aₜ₊₁ ⊙ sₜ₊₁",
)


def _cumprod_slope(g: Any, x: Any, y: Any, dim: int, reverse: bool) -> Any:
    """Without division if there are zeros: yₜ₋₁ ⊙ sₜ, where sₜ = gₜ + xₜ₊₁ sₜ₊₁."""
    if not (x == 0).any():
        return _cumsum(g * y, dim=dim, reverse=not reverse) / x
    s = _scanned(_shifted(x, dim, 0, not reverse), g, dim=dim, reverse=not reverse)
    return _shifted(y, dim, 1, reverse) * s


def _scan_slopes(g: Any, a: Any, y: Any, dim: int, reverse: bool) -> list[Any]:
    s = _scanned(_shifted(a, dim, 0, not reverse), g, dim=dim, reverse=not reverse)
    return [s * _shifted(y, dim, 0, reverse), s]


# -- products ----------------------------------------------------------------------------------


@silent
def _prod(x: Any, *, axis: Axes, keepdims: bool) -> Any:
    return _multiply(x, axis, _wider(x), None, keepdims).astype(x.dtype, copy=False)


def _others(x: Any, axis: Axes) -> Any:
    """At each place the product of all other elements: those before it, times those after it."""
    if len(axis) != 1:  # all of them
        return _others(x.reshape(-1), (0,)).reshape(x.shape)
    (dim,) = axis
    before = _cumprod(_shifted(x, dim, 1, False), dim=dim, reverse=False)
    return before * _cumprod(_shifted(x, dim, 1, True), dim=dim, reverse=True)


def _prod_slope(g: Any, x: Any, y: Any, axis: Axes, keepdims: bool) -> Any:
    if (x == 0).any():
        return _spread(g, x.shape, axis, keepdims) * _others(x, axis)
    return _spread(g * y, x.shape, axis, keepdims) / x


prod = Primitive("prod", in_c_order(_prod), "x")
prod.vjp("x", _prod_slope, formula="g ⊙ y / x, the product of the others")


# -- extremes: elements that tie share the cotangent -------------------------------------------


def _equal(x: Any, y: Any, axis: Axes, keepdims: bool) -> Any:
    return x == _spread(y, x.shape, axis, keepdims)


def _equal_or_nan(x: Any, y: Any, axis: Axes, keepdims: bool) -> Any:
    y = _spread(y, x.shape, axis, keepdims)
    return (x == y) + (x != x) * (y != y)


def _shared(g: Any, ties: Any, axis: Axes, keepdims: bool) -> Any:
    """The cotangent in equal parts to the elements that tie."""
    parts = to_dtype(ties, g.dtype)
    return _spread(g, parts.shape, axis, keepdims) * (parts / parts.sum(axis=axis, keepdims=True))


def _median(x: Any, *, axis: Axes, keepdims: bool) -> Any:
    """The lower median of all elements; NaN if one is NaN, or if there are none."""
    flat = x.ravel()
    if not flat.size or np.isnan(flat).any():
        return np.array(np.nan, x.dtype)
    middle = (flat.size - 1) // 2
    return np.partition(flat, middle)[middle]


def _extreme(name: str, forward: Callable[..., Any], ties: Callable[..., Any]) -> Primitive:
    primitive = Primitive(name, in_c_order(forward), "x")
    primitive.vjp(
        "x",
        lambda g, x, y, axis, keepdims: _shared(g, ties(x, y, axis, keepdims), axis, keepdims),
        formula="g / number of ties, where x = y",
    )
    return primitive


amax = _extreme("amax", lambda x, **over: _largest(x, **over), _equal)
amin = _extreme("amin", lambda x, **over: _smallest(x, **over), _equal)
max = _extreme("max", lambda x, **over: _largest(x, **over), _equal_or_nan)
min = _extreme("min", lambda x, **over: _smallest(x, **over), _equal_or_nan)
median = _extreme("median", _median, _equal_or_nan)


# -- logsumexp ---------------------------------------------------------------------------------


@silent
def _logsumexp(x: Any, *, axis: Axes, keepdims: bool) -> Any:
    wide = x.astype(_wider(x), copy=False)
    top = _largest(wide, axis, None, None, True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, wide.dtype.type(0))
    y = np.log(_add(np.exp(wide - top), axis, None, None, True)) + top
    return (y if keepdims else y.squeeze(axis)).astype(x.dtype, copy=False)


logsumexp = Primitive(
    "logsumexp", owned(_logsumexp), "x", prepare=promoted("logsumexp", to_float=True)
)
logsumexp.vjp(
    "x",
    lambda g, x, y, axis, keepdims: (
        _spread(g, x.shape, axis, keepdims) * np.exp(x - _spread(y, x.shape, axis, keepdims))
    ),
    formula="g ⊙ softmax(x)",
)


# -- spread ------------------------------------------------------------------------------------


@silent
def _variance(x: Any, *, axis: Axes, correction: float, keepdims: bool) -> Any:
    wide = x.astype(np.promote_types(x.dtype, np.float64), copy=False)  # room for squares
    middle = _mean(wide, axis=axis, keepdims=True)
    if np.isinf(middle).any():  # the sum is too large, not the mean
        middle = _add(wide / count(x.shape, axis), axis, None, None, True)
    d = wide - middle
    freedom = np.maximum(count(x.shape, axis) - correction, 0)
    return _add(d * d, axis, None, None, keepdims) / freedom.astype(wide.dtype)


@silent
def _var(x: Any, **options: Any) -> Any:
    return _variance(x, **options).astype(x.dtype, copy=False)


@silent
def _std(x: Any, **options: Any) -> Any:
    return np.sqrt(_variance(x, **options)).astype(x.dtype, copy=False)


def _deviation(x: Any, axis: Axes, correction: float) -> Any:
    """(x − mean) / (n − correction)."""
    return (x - _mean_of(x, axis=axis, keepdims=True)) / (count(x.shape, axis) - correction)


def _unless_zero(x: Any, y: Any) -> Any:
    """The quotient x/y, and 0 where y = 0; so are its derivatives."""
    return np.where(y == 0, 0, x) / (y + (y == 0))


var = Primitive("var", in_c_order(_var), "x")
var.vjp(
    "x",
    lambda g, x, axis, correction, keepdims: (
        _spread(2 * g, x.shape, axis, keepdims) * _deviation(x, axis, correction)
    ),
    formula="2·g ⊙ (x − mean) / (n − correction)",
)

std = Primitive("std", in_c_order(_std), "x")
std.vjp(
    "x",
    lambda g, x, y, axis, correction, keepdims: (
        _spread(g, x.shape, axis, keepdims)
        * _unless_zero(_deviation(x, axis, correction), _spread(y, x.shape, axis, keepdims))
    ),
    formula="g ⊙ (x − mean) / (y ⊙ (n − correction)), 0 where y = 0",
)


# -- norms -------------------------------------------------------------------------------------


@silent
def _norm(x: Any, *, ord: float, axis: Axes, keepdims: bool) -> Any:
    sizes = np.abs(x.astype(_wider(x), copy=False))
    if math.isinf(ord):
        y = (_largest if ord > 0 else _smallest)(sizes, axis, None, None, keepdims)
    elif ord == 0:
        y = _add(sizes != 0, axis, sizes.dtype, None, keepdims)
    elif ord == 1:
        y = _add(sizes, axis, None, None, keepdims)
    elif ord == 2:
        y = np.sqrt(_add(sizes * sizes, axis, None, None, keepdims))
    else:
        y = _add(sizes**ord, axis, None, None, keepdims) ** (1 / ord)
    return y.astype(x.dtype, copy=False)


def _sign(x: Any) -> Any:
    """Of NaN it is 0, as in PyTorch."""
    return to_dtype(x > 0, x.dtype) - to_dtype(x < 0, x.dtype)


def _norm_slope(g: Any, x: Any, y: Any, ord: float, axis: Axes, keepdims: bool) -> Any:
    if ord == 0:
        return _spread(g * 0, x.shape, axis, keepdims)
    if math.isinf(ord):
        ties = _equal_or_nan(np.abs(x), y, axis, keepdims)
        return _shared(g, ties, axis, keepdims) * _sign(x)
    if ord == 1:
        return _spread(g, x.shape, axis, keepdims) * _sign(x)
    g, y = (_spread(a, x.shape, axis, keepdims) for a in (g, y))
    if ord == 2:
        return g * _unless_zero(x, y)
    size, y, g = np.abs(x) + (x == 0), y + (y == 0), np.where(y == 0, 0, g)  # no powers of 0
    if ord < 1:  # the power of each, for the quotient may be 0
        return g * (size ** (ord - 1) * y ** (1 - ord)) * _sign(x)
    return g * (size / y) ** (ord - 1) * _sign(x)


vector_norm = Primitive("vector_norm", in_c_order(_norm), "x", symbol="norm")
vector_norm.vjp("x", _norm_slope, formula="g ⊙ sign(x) ⊙ (|x| / y)^(ord − 1), 0 where y = 0")
