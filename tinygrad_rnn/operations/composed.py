"""Small compositions of other operations that PyTorch has names for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.errors import within_memory
from tinygrad_rnn.operations.arguments import dim_of, integer_of, tensor_of
from tinygrad_rnn.operations.arithmetic import mul, sub
from tinygrad_rnn.operations.comparison import isnan
from tinygrad_rnn.operations.dtypes import DTypeLike, as_dtype, int64
from tinygrad_rnn.operations.elementwise import erf, masked_fill, trunc
from tinygrad_rnn.operations.gathering import narrow, nonzero
from tinygrad_rnn.operations.joining import stack
from tinygrad_rnn.operations.node_names import made_by
from tinygrad_rnn.operations.reduction import sum
from tinygrad_rnn.operations.shape import clone, contiguous, diag, flip, movedim, reshape, transpose
from tinygrad_rnn.operations.types import on_cpu

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


# -- elementwise --


def erfc(input: Any) -> Tensor:
    """1 − erf(x), elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.erfc(tg.tensor([0.0, 1.0]))
    tensor([1.0000, 0.1573])
    """
    return made_by("ErfcBackward0", sub(1, erf(tensor_of("erfc", input))))


def frac(input: Any) -> Tensor:
    """What is behind the point, with the sign: x − trunc(x).

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.frac(tg.tensor([1.25, -1.5]))
    tensor([ 0.2500, -0.5000])
    """
    x = tensor_of("frac", input)
    if x.array.dtype.kind != "f":
        raise RuntimeError(f"frac: only defined for floating-point tensors, not {x.array.dtype}")
    return made_by("FracBackward0", sub(x, trunc(x)))


def deg2rad(input: Any) -> Tensor:
    """Degrees in radians."""
    return made_by("Deg2RadBackward0", mul(tensor_of("deg2rad", input), math.pi / 180))


def rad2deg(input: Any) -> Tensor:
    """Radians in degrees."""
    return made_by("Rad2DegBackward0", mul(tensor_of("rad2deg", input), 180 / math.pi))


# -- shape --


def fliplr(input: Any) -> Tensor:
    """The columns in reverse order.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.fliplr(tg.tensor([[1, 2], [3, 4]]))
    tensor([[2, 1],
            [4, 3]])
    """
    x = tensor_of("fliplr", input)
    if x.array.ndim < 2:
        raise RuntimeError(f"fliplr: expected at least two axes, got shape {x.array.shape}")
    return flip(x, (1,))


def unfold(input: Any, dimension: int, size: int, step: int = 1) -> Tensor:
    """All windows of some length along an axis: a new last axis runs through each.

    As `Tensor.unfold` of PyTorch, but a copy, no view.

    Raises
    ------
    RuntimeError
        If the windows are longer than the axis, or the step is no positive number.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.arange(5).unfold(0, 3, 2)
    tensor([[0, 1, 2],
            [2, 3, 4]])
    """
    x = tensor_of("unfold", input)
    d = dim_of("unfold", dimension, x.array.ndim)
    length, by = integer_of("unfold", "size", size), integer_of("unfold", "step", step)
    longest = x.array.shape[d] if x.array.ndim else 1
    if not 0 <= length <= longest:
        raise RuntimeError(f"unfold: size is {length}, but the axis has {longest} elements")
    if by < 1:
        raise RuntimeError(f"unfold: step is {by}, but must be at least 1")
    whole = x if x.array.ndim else reshape(x, (1,))
    windows = [narrow(whole, d, i, length) for i in range(0, longest - length + 1, by)]
    return movedim(stack(windows, d), d + 1, -1) if x.array.ndim else windows[0]


def flipud(input: Any) -> Tensor:
    """The rows in reverse order.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.flipud(tg.tensor([1, 2, 3]))
    tensor([3, 2, 1])
    """
    x = tensor_of("flipud", input)
    if not x.array.ndim:
        raise RuntimeError("flipud: a 0-d tensor has no rows")
    return flip(x, (0,))


def rot90(input: Any, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """The plane of two axes turned ``k`` times by a quarter, from the first to the second.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.rot90(tg.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    x, turns = tensor_of("rot90", input), integer_of("rot90", "k", k) % 4
    if not isinstance(dims, tuple | list) or len(dims) != 2 or x.array.ndim < 2:
        raise RuntimeError(f"rot90: expected two of the axes of shape {x.array.shape}, got {dims}")
    a, b = (dim_of("rot90", d, x.array.ndim) for d in dims)
    if a == b:
        raise RuntimeError(f"rot90: dims {tuple(dims)} are the same axis")
    if turns == 1:
        turned = transpose(flip(x, (b,)), a, b)
    elif turns == 3:
        turned = transpose(flip(x, (a,)), a, b)
    else:
        turned = flip(x, (a, b)) if turns else x
    return made_by("Rot90Backward0", contiguous(turned) if turns else clone(x))


def fill_diagonal(input: Any, fill_value: Any, wrap: bool = False) -> Tensor:
    """A matrix, or a cube, with one number on its main diagonal: of `Tensor.fill_diagonal_`.

    Parameters
    ----------
    input : Tensor of two or more axes, which are equal if there are more than two
    fill_value : number
    wrap : bool
        Of a matrix with more rows than columns: begin the diagonal anew below it.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.ones(2, 2).fill_diagonal_(0)
    tensor([[0., 1.],
            [1., 0.]])
    """
    x = tensor_of("fill_diagonal_", input)
    shape = x.array.shape
    if len(shape) < 2 or (len(shape) > 2 and len(set(shape)) > 1):
        raise RuntimeError(
            f"fill_diagonal_: expected a matrix, or more axes of equal sizes, got shape {shape}"
        )
    mask = np.zeros(shape, bool)
    np.fill_diagonal(mask, True, wrap)
    return masked_fill(x, graph.make_tensor(mask, None), fill_value)


def diagflat(input: Any, offset: int = 0) -> Tensor:
    """A square matrix with the elements, flattened, on a diagonal.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.diagflat(tg.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    return diag(reshape(tensor_of("diagflat", input), (-1,)), offset)


def atleast_1d(input: Any) -> Tensor:
    """The tensor; a 0-d one gets an axis."""
    x = tensor_of("atleast_1d", input)
    return x if x.array.ndim else reshape(x, (1,))


def atleast_2d(input: Any) -> Tensor:
    """The tensor with two axes at least, of which new ones come first."""
    x = tensor_of("atleast_2d", input)
    return x if x.array.ndim > 1 else reshape(x, (1, x.array.size))


# -- counting and places --


def argwhere(input: Any) -> Tensor:
    """The indices of all elements that are not 0, one row each."""
    return nonzero(input)


@within_memory
def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Tensor:
    """How often each of 0, 1, 2, … is there.

    Parameters
    ----------
    input : Tensor of integers, not negative, of shape (n,)
    weights : Tensor of shape (n,), optional
        What each of them counts, instead of 1.
    minlength : int
        The number of counts at least.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.bincount(tg.tensor([0, 2, 2]))
    tensor([1, 0, 2])
    """
    x = tensor_of("bincount", input).array
    least = integer_of("bincount", "minlength", minlength)
    if x.ndim != 1 or x.dtype.kind not in "iu" or (x.size and x.min() < 0):
        raise RuntimeError(
            f"bincount: expected integers of shape (n,), not negative, got {x.dtype} of {x.shape}"
        )
    if least < 0:
        raise RuntimeError(f"bincount: minlength must not be negative, got {least}")
    if weights is None or not x.size:
        return graph.make_tensor(np.bincount(x, minlength=least).astype(int64), None)
    w = tensor_of("bincount", weights).array
    if w.shape != x.shape:
        raise RuntimeError(f"bincount: weights of shape {w.shape} do not fit {x.shape} elements")
    counts = np.bincount(x, w, least)
    return graph.make_tensor(counts.astype(w.dtype if w.dtype == np.float32 else np.float64), None)


@within_memory
def tril_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: DTypeLike = None,
    requires_grad: bool | None = False,
    device: Any = None,
) -> Tensor:
    """Rows and columns, of shape (2, n), of a matrix's elements on and below a diagonal.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    return _indices("tril_indices", np.tri, row, col, offset, dtype, requires_grad, device)


@within_memory
def triu_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: DTypeLike = None,
    requires_grad: bool | None = False,
    device: Any = None,
) -> Tensor:
    """Rows and columns, of shape (2, n), of a matrix's elements on and above a diagonal."""

    def above(rows: int, columns: int, offset: int) -> Any:
        return 1 - np.tri(rows, columns, offset - 1)

    return _indices("triu_indices", above, row, col, offset, dtype, requires_grad, device)


def _indices(
    name: str,
    mask: Any,
    row: Any,
    col: Any,
    offset: Any,
    dtype: DTypeLike,
    requires_grad: bool | None,
    device: Any,
) -> Tensor:
    on_cpu(name, device)
    kind = int64 if dtype is None else as_dtype(dtype)
    sizes = [integer_of(name, n, x) for n, x in (("row", row), ("col", col))]
    if min(sizes) < 0:
        raise RuntimeError(f"{name}: row and col must not be negative, got {sizes}")
    at = np.nonzero(mask(*sizes, integer_of(name, "offset", offset)))
    made = graph.make_tensor(np.stack(at).astype(kind), None)
    return made.requires_grad_() if requires_grad else made


# -- sums that leave out what is no number --


def nansum(
    input: Any, dim: Any = None, keepdim: bool = False, *, dtype: DTypeLike = None
) -> Tensor:
    """The sum of all elements, or along axes, without those that are NaN.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nansum(tg.tensor([1.0, float("nan"), 2.0]))
    tensor(3.)
    """
    total = sum(_zeros_for_nan("nansum", input), dim, keepdim, dtype=dtype)
    return made_by("NansumBackward0", total)


def nanmean(
    input: Any, dim: Any = None, keepdim: bool = False, *, dtype: DTypeLike = None
) -> Tensor:
    """The mean of all elements, or along axes, without those that are NaN.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nanmean(tg.tensor([1.0, float("nan"), 2.0]))
    tensor(1.5000)
    """
    x = tensor_of("nanmean", input)
    if x.array.dtype.kind != "f":
        raise RuntimeError(f"nanmean: only of floating-point tensors, not of {x.array.dtype}")
    if dtype is not None and as_dtype(dtype).kind != "f":
        raise RuntimeError(f"nanmean: dtype must be floating-point, not {as_dtype(dtype)}")
    total = sum(_zeros_for_nan("nanmean", x), dim, keepdim, dtype=dtype)
    return total / sum(~isnan(x), dim, keepdim)


def _zeros_for_nan(name: str, input: Any) -> Any:
    x = tensor_of(name, input)
    return masked_fill(x, isnan(x), 0) if x.array.dtype.kind == "f" else x
