"""Norms of vectors and matrices. Their derivative at 0 is 0."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tinygrad_rnn.dtypes import DTypeLike, as_dtype
from tinygrad_rnn.functions.arguments import (
    Dims,
    dim_of,
    dims_of,
    number_of,
    numpy_names,
    tensor_of,
)
from tinygrad_rnn.functions.reduction import amax, amin, sum
from tinygrad_rnn.functions.shape import squeeze
from tinygrad_rnn.ops import promotion, reduction


def _floating(name: str, input: Any, dtype: DTypeLike) -> Any:
    """The input in the floating-point type to compute in."""
    x = tensor_of(name, input)
    wanted = x.array.dtype if dtype is None else as_dtype(dtype)
    for given in (x.array.dtype, wanted):
        if given.kind != "f":
            raise RuntimeError(f"{name}: only of floating-point tensors, not of {given}")
    if wanted.itemsize < x.array.dtype.itemsize:
        raise RuntimeError(f"{name}: dtype {wanted} is narrower than the input's {x.array.dtype}")
    return promotion.to_dtype(x, wanted)


@numpy_names
def vector_norm(
    x: Any, ord: float = 2, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike = None
) -> Any:
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
    if (ord < 0 or math.isinf(ord)) and not reduction.count(x.array.shape, axes):
        raise RuntimeError(
            f"vector_norm: there is no {ord:g} norm of no elements (shape {x.array.shape})"
        )
    return reduction.vector_norm.apply(x, ord=ord, axis=axes, keepdims=keepdim)


@numpy_names
def linalg_norm(
    input: Any, ord: Any = None, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike = None
) -> Any:
    """Norm of vectors, as of `vector_norm`, or of matrices, which lie in two axes.

    Parameters
    ----------
    input : Tensor
        Floating-point.
    ord : number or "fro", optional
        Of vectors as of `vector_norm`. Of matrices "fro", the root of the sum of squares; 1 and
        ∞, the largest sum of sizes in a column and in a row; −1 and −∞, the smallest. Those of
        singular values (2, −2, "nuc") are not offered. ``None``: the root of the sum of squares
        over ``dim``, or of all.
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
        return _matrix_norm(_floating("linalg.norm", x, dtype), ord, axes, keepdim)
    if isinstance(ord, str):
        raise RuntimeError(f"linalg.norm: ord {ord!r} is of matrices, with two axes")
    return vector_norm(x, ord, axes, keepdim, dtype=dtype)


def _matrix_norm(x: Any, ord: Any, dim: tuple[int, ...], keepdim: bool) -> Any:
    if x.array.ndim < 2:
        raise RuntimeError(f"linalg.norm: no matrices in a tensor of shape {x.array.shape}")
    if ord in (2, -2, "nuc"):
        raise NotImplementedError(
            f"linalg.norm: ord {ord!r} is of singular values, which are not computed here; "
            "use 'fro', 1, -1, inf or -inf"
        )
    if ord not in ("fro", 1, -1, math.inf, -math.inf):
        raise RuntimeError(f"linalg.norm: matrices have no ord {ord!r}; use 'fro', ±1 or ±inf")
    rows, columns = (dim_of("linalg.norm", d, x.array.ndim) for d in dim)
    if rows == columns:
        raise RuntimeError(f"linalg.norm: dim must be two different axes, got {dim}")
    if ord == "fro":
        return vector_norm(x, 2, (rows, columns), keepdim)
    added, chosen = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = vector_norm(x, 1, added, True)
    if ord > 0 and not sums.array.shape[chosen]:
        return sum(sums, (rows, columns), keepdim).detach()  # of an empty matrix: 0
    sums = (amax if ord > 0 else amin)(sums, chosen, True)
    return sums if keepdim else squeeze(sums, (rows, columns))


@numpy_names
def norm(
    input: Any, p: Any = "fro", dim: Dims = None, keepdim: bool = False, dtype: DTypeLike = None
) -> Any:
    """The p-norm of all elements or over the axes ``dim``, seen as one vector.

    Also of matrices: for their norms see ``linalg.norm``.

    Parameters
    ----------
    input : Tensor
        Floating-point.
    p : number or "fro"
        As ``ord`` of ``linalg.vector_norm``; "fro" is 2.
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
    if p == "nuc":
        raise NotImplementedError("norm: p 'nuc' is of singular values, which are not computed")
    if isinstance(p, str) and p != "fro":
        raise RuntimeError(f"norm: p must be a number or 'fro', got {p!r}")
    return vector_norm(input, 2 if p in (None, "fro") else p, dim, keepdim, dtype=dtype)
