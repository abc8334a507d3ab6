"""Norms of vectors and matrices. Their derivative at 0 is 0."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.engine.errors import silent
from tinygrad_rnn.operations import twins
from tinygrad_rnn.operations.arguments import (
    Dims,
    dim_of,
    dims_of,
    number_of,
    numpy_names,
    tensor_of,
)
from tinygrad_rnn.operations.arithmetic import sub
from tinygrad_rnn.operations.decomposition import svdvals
from tinygrad_rnn.operations.dtypes import DTypeLike, as_dtype
from tinygrad_rnn.operations.memory import in_c_order
from tinygrad_rnn.operations.node_names import made_by
from tinygrad_rnn.operations.operation import operation
from tinygrad_rnn.operations.promotion import to_dtype
from tinygrad_rnn.operations.reduction import (
    Axes,
    add_up,
    amax,
    amin,
    count,
    equal_or_nan,
    largest,
    shared,
    smallest,
    spread,
    sum,
    unless_zero,
    wider,
)
from tinygrad_rnn.operations.shape import movedim, squeeze, unsqueeze

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


def _floating(name: str, input: Any, dtype: DTypeLike) -> Any:
    """The input in the floating-point type to compute in."""
    x = tensor_of(name, input)
    wanted = x.array.dtype if dtype is None else as_dtype(dtype)
    for given in (x.array.dtype, wanted):
        if given.kind != "f":
            raise RuntimeError(f"{name}: only of floating-point tensors, not of {given}")
    if wanted.itemsize < x.array.dtype.itemsize:
        raise RuntimeError(f"{name}: dtype {wanted} is narrower than the input's {x.array.dtype}")
    return to_dtype(x, wanted)


@silent
def _norm(x: Any, *, ord: float, axis: Axes, keepdims: bool) -> Any:
    sizes = np.abs(x.astype(wider(x), copy=False))
    if math.isinf(ord):
        y = (largest if ord > 0 else smallest)(sizes, axis, None, None, keepdims)
    elif ord == 0:
        y = add_up(sizes != 0, axis, sizes.dtype, None, keepdims)
    elif ord == 1:
        y = add_up(sizes, axis, None, None, keepdims)
    elif ord == 2:
        y = np.sqrt(add_up(sizes * sizes, axis, None, None, keepdims))
    else:
        y = add_up(sizes**ord, axis, None, None, keepdims) ** (1 / ord)
    return y.astype(x.dtype, copy=False)


@operation(
    in_c_order(_norm),
    symbol="norm",
    remedy="the norm has no derivative at 0: add a small number under the root",
    twin=twins.vector_norm,
    analytic=False,
    node="LinalgVectorNormBackward0",
)
@numpy_names
def vector_norm(
    x: Any, ord: float = 2, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike = None
) -> Tensor:
    """(Σ |x|ᵒʳᵈ)^(1/ord) over the axes ``dim`` (default: all), whatever their number.

    Parameters
    ----------
    x : Tensor
        Floating-point.
    ord : number
        ∞ and −∞ give the largest and the smallest size, whose elements share the derivative if
        they tie; 0 counts the elements that are not 0.
    dim : int or tuple of ints, optional
    keepdim : bool
    dtype : optional
        Type to compute in, not narrower than the input's.

    Raises
    ------
    RuntimeError
        If the tensor is not floating-point; if there is nothing to take a norm of negative or
        infinite ``ord`` of.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([[3.0, -4.0], [0.0, 0.0]])
    >>> tg.linalg.vector_norm(x, dim=1)
    tensor([5., 0.])
    >>> tg.linalg.vector_norm(x, ord=float("inf"))
    tensor(4.)
    """
    x = _floating("vector_norm", x, dtype)
    ord = float(number_of("vector_norm", "ord", ord))
    axes = dims_of("vector_norm", dim, x.array.ndim)
    if (ord < 0 or math.isinf(ord)) and not count(x.array.shape, axes):
        raise RuntimeError(
            f"vector_norm: there is no {ord:g} norm of no elements (shape {x.array.shape})"
        )
    return vector_norm.apply(x, ord=ord, axis=axes, keepdims=keepdim)


vector_norm.vjp(
    "x",
    lambda g, x, y, ord, axis, keepdims: _norm_slope(g, x, y, ord, axis, keepdims),
    formula="g ⊙ sign(x) ⊙ (|x| / y)^(ord − 1), 0 where y = 0",
)


def _norm_slope(g: Any, x: Any, y: Any, ord: float, axis: Axes, keepdims: bool) -> Any:
    if ord == 0:
        return spread(g * 0, x.shape, axis, keepdims)
    if math.isinf(ord):
        ties = equal_or_nan(np.abs(x), y, axis, keepdims)
        return shared(g, ties, axis, keepdims) * _sign(x)
    if ord == 1:
        return spread(g, x.shape, axis, keepdims) * _sign(x)
    g, y = (spread(a, x.shape, axis, keepdims) for a in (g, y))
    if ord == 2:
        return g * unless_zero(x, y)
    size, y, g = np.abs(x) + (x == 0), y + (y == 0), np.where(y == 0, 0, g)  # no powers of 0
    if ord < 1:  # the power of each, for the quotient may be 0
        return g * (size ** (ord - 1) * y ** (1 - ord)) * _sign(x)
    return g * (size / y) ** (ord - 1) * _sign(x)


def _sign(x: Any) -> Any:
    """Of NaN it is 0, as in PyTorch."""
    return to_dtype(x > 0, x.dtype) - to_dtype(x < 0, x.dtype)


@numpy_names
def linalg_norm(
    input: Any, ord: Any = None, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike = None
) -> Tensor:
    """Norm of vectors, as of `vector_norm`, or of matrices, which lie in two axes.

    Parameters
    ----------
    input : Tensor
        Floating-point.
    ord : number or "fro", optional
        Of vectors as of `vector_norm`. Of matrices "fro", the root of the sum of squares; 1 and
        ∞, the largest sum of sizes in a column and in a row; −1 and −∞, the smallest; 2, −2 and
        "nuc", the largest and the smallest singular value and their sum. ``None``: the root of
        the sum of squares over ``dim``, or of all.
    dim : int or two ints, optional
        One axis for vectors, two for matrices; if missing, all, which must be one or two.
    keepdim : bool
    dtype : optional
        Type to compute in, not narrower than the input's.

    Raises
    ------
    RuntimeError
        If ``input`` is not floating-point, or there is no such norm over so many axes.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> A = tg.tensor([[1.0, -2.0], [3.0, 4.0]])
    >>> tg.linalg.norm(A), tg.linalg.norm(A, 1), tg.linalg.norm(A, 1, dim=1)
    (tensor(5.4772), tensor(6.), tensor([3., 7.]))
    """
    x = tensor_of("linalg.norm", input)
    given = tuple(dim) if isinstance(dim, Sequence) else dim
    if isinstance(given, tuple) and len(given) not in (1, 2):
        raise RuntimeError(f"linalg.norm: dim must be one or two axes, got {given}")
    if ord is None:
        return vector_norm(x, 2, dim, keepdim, dtype=dtype)
    if dim is None and x.array.ndim not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: with ord and without dim, the input must have one or two axes, got "
            f"shape {x.array.shape}"
        )
    axes = given if given is not None else tuple(range(x.array.ndim))
    if isinstance(axes, tuple) and len(axes) == 2:
        return matrix_norm(x, ord, axes, keepdim, dtype=dtype)
    if isinstance(ord, str):
        raise RuntimeError(f"linalg.norm: ord {ord!r} is of matrices, with two axes")
    return vector_norm(x, ord, axes, keepdim, dtype=dtype)


@numpy_names
def matrix_norm(
    input: Any,
    ord: Any = "fro",
    dim: Sequence[int] = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: DTypeLike = None,
) -> Tensor:
    """Norm of matrices, which lie in two axes.

    Parameters
    ----------
    input : Tensor
        Floating-point.
    ord : "fro", "nuc", 1, -1, 2, -2, inf or -inf
        See `linalg.norm`. Those of singular values (2, −2, "nuc") are not of float16.
    dim : two ints
    keepdim : bool
    dtype : optional
        Type to compute in, not narrower than the input's.

    Raises
    ------
    RuntimeError
        If there are no matrices, or no such norm of them.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> A = tg.tensor([[3.0, 0.0], [0.0, -4.0]])
    >>> tg.linalg.matrix_norm(A, 2), tg.linalg.matrix_norm(A, "nuc")
    (tensor(4.), tensor(7.))
    """
    name = "linalg.matrix_norm"
    if not isinstance(dim, Sequence):
        raise TypeError(f"{name}: dim must be two axes, got {dim!r:.60}")
    if ord is None or (isinstance(ord, Sequence) and not isinstance(ord, str)):
        raise TypeError(f"{name}: ord must be a number or a str, got {ord!r:.60}")
    x = _floating(name, input, dtype)
    if x.array.ndim < 2:
        raise RuntimeError(f"{name}: no matrices in a tensor of shape {x.array.shape}")
    if len(dim) != 2:
        raise RuntimeError(f"{name}: dim must be two axes, got {tuple(dim)}")
    if ord not in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf):
        raise RuntimeError(
            f"{name}: matrices have no ord {ord!r:.60}; use 'fro', 'nuc', ±1, ±2 or ±inf"
        )
    rows, columns = (dim_of(name, d, x.array.ndim) for d in dim)
    if rows == columns:
        raise RuntimeError(f"{name}: dim must be two different axes, got {tuple(dim)}")
    if ord == "fro":
        return vector_norm(x, 2, (rows, columns), keepdim)
    if ord in (2, -2, "nuc"):
        return _of_singular_values(x, ord, rows, columns, keepdim)
    added, chosen = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = vector_norm(x, 1, added, True)
    if ord > 0 and not sums.array.shape[chosen]:
        return sum(sums, (rows, columns), keepdim).detach()  # of an empty matrix: 0
    sums = (amax if ord > 0 else amin)(sums, chosen, True)
    return sums if keepdim else squeeze(sums, (rows, columns))


def _of_singular_values(x: Any, ord: Any, rows: int, columns: int, keepdim: bool) -> Tensor:
    s = svdvals(movedim(x, (rows, columns), (-2, -1)))
    if ord == 2 and not s.array.shape[-1]:  # of an empty matrix: 0
        y = sum(s, -1).detach()
    elif ord == "nuc":
        y = sum(s, -1)
    else:
        y = (amax if ord == 2 else amin)(s, -1)
    for axis in sorted((rows, columns)) if keepdim else ():
        y = unsqueeze(y, axis)
    return y


@numpy_names
def norm(
    input: Any, p: Any = "fro", dim: Dims = None, keepdim: bool = False, dtype: DTypeLike = None
) -> Tensor:
    """The p-norm of all elements or over the axes ``dim``, seen as one vector.

    Also of matrices: for their norms see ``linalg.norm``.

    Parameters
    ----------
    input : Tensor
        Floating-point.
    p : number, "fro" or "nuc"
        As ``ord`` of ``linalg.vector_norm``; "fro" is 2. "nuc" is the sum of the singular values of
        matrices, which lie in the two axes ``dim`` (default: the only two).
    dim : int or tuple of ints, optional
    keepdim : bool
    dtype : optional
        Type to compute in, not narrower than the input's.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.norm(tg.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor(5.)
    """
    if isinstance(p, str) and p == "nuc":
        x = tensor_of("norm", input)
        axes = range(x.array.ndim) if dim is None else dim if isinstance(dim, Sequence) else (dim,)
        return matrix_norm(x, "nuc", tuple(axes), keepdim, dtype=dtype)
    if isinstance(p, str) and p != "fro":
        raise RuntimeError(f"norm: p must be a number, 'fro' or 'nuc', got {p!r:.60}")
    return vector_norm(input, 2 if p in (None, "fro") else p, dim, keepdim, dtype=dtype)


def pairwise_distance(
    x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """The p-norm of x₁ − x₂ + ε along the last axis.

    Parameters
    ----------
    x1, x2 : Tensors of shape (..., features)
        Of shapes that broadcast.
    p : float
    eps : float
        What keeps the norm's derivative finite where they are equal.
    keepdim : bool

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.pairwise_distance(tg.tensor([[1.0, 2.0]]), tg.tensor([[4.0, 6.0]]))
    tensor([5.0000])
    """
    name = "pairwise_distance"
    a, b = tensor_of(name, x1), tensor_of(name, x2)
    last = (a.array.ndim if a.array.ndim > b.array.ndim else b.array.ndim) - 1
    apart = sub(a, b) + number_of(name, "eps", eps)
    return made_by("NormBackward1", norm(apart, number_of(name, "p", p), last, keepdim))
