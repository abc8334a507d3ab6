"""The operations as users call them: PyTorch's names, arguments and errors.

Each function checks and completes its arguments and applies a primitive from the tables in
`tinygrad_rnn.ops`, where the derivative stands.  Everything takes tensors, NumPy arrays or (where
elementwise) Python numbers, and broadcasts as NumPy does.  The methods and operators of
`Tensor` are these functions.
"""

from __future__ import annotations

import builtins
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_rnn.dtypes import DTypeLike, as_dtype, int64
from tinygrad_rnn.engine import primitive
from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.errors import cannot_compute
from tinygrad_rnn.ops import activation, arithmetic, indexing, linalg, promotion, reduction, shape

Dims = int | Sequence[int] | None

_add, _sub, _mul = arithmetic.add.apply, arithmetic.sub.apply, arithmetic.mul.apply
_tanh, _sigmoid = activation.tanh.apply, activation.sigmoid.apply


# -- elementwise ------------------------------------------------------------------------------


def add(input: Any, other: Any) -> Any:
    """Sum, elementwise: ``input + other``.

    Parameters
    ----------
    input, other : Tensor or number
        Of shapes that broadcast; the result has their common type (see `dtypes`).

    Raises
    ------
    RuntimeError
        If the shapes do not broadcast.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.add(tg.tensor([1.0, 2.0]), 10)
    tensor([11., 12.])
    """
    return _add(input, other)


def sub(input: Any, other: Any) -> Any:
    """Difference, elementwise: ``input − other``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.sub(tg.tensor([1.0, 2.0]), tg.tensor([[1.0], [3.0]]))
    tensor([[ 0.,  1.],
            [-2., -1.]])
    """
    return _sub(input, other)


def mul(input: Any, other: Any) -> Any:
    """Product, elementwise: ``input ⊙ other``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.mul(tg.tensor([1, 2]), 0.5)
    tensor([0.5000, 1.0000])
    """
    return _mul(input, other)


def div(input: Any, other: Any) -> Any:
    """Quotient, elementwise: ``input / other``; of integers it is a float.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.div(tg.tensor([1, 2]), 4)
    tensor([0.2500, 0.5000])
    """
    return arithmetic.div.apply(input, other)


def pow(input: Any, exponent: Any) -> Any:
    """Power, elementwise: ``input ** exponent``.

    The derivative with respect to ``input`` at exponent 0 is 0, even at input 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.pow(tg.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    """
    if type(exponent) is int and _is_integer(input):
        limits = np.iinfo(input.array.dtype)
        if not limits.min <= exponent <= limits.max:
            raise RuntimeError(f"pow: the exponent {exponent} does not fit {input.array.dtype}")
    return arithmetic.power.apply(input, exponent)


def _is_integer(input: Any) -> bool:
    return isinstance(input, Variable) and input.array.dtype.kind in "iu"


def neg(input: Any) -> Any:
    """Negative, elementwise: ``−input``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.neg(tg.tensor([1.0, -2.0]))
    tensor([-1.,  2.])
    """
    return arithmetic.neg.apply(input)


def exp(input: Any) -> Any:
    """Exponential, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.exp(tg.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    return arithmetic.exp.apply(input)


def log(input: Any) -> Any:
    """Natural logarithm, elementwise: −inf at 0, NaN below.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.log(tg.tensor([1.0, 10.0]))
    tensor([0.0000, 2.3026])
    """
    return arithmetic.log.apply(input)


def tanh(input: Any) -> Any:
    """Hyperbolic tangent, elementwise; its derivative is 1 − tanh².

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.tanh(tg.tensor([0.6, 0.5]))
    tensor([0.5370, 0.4621])
    """
    return _tanh(input)


def sigmoid(input: Any) -> Any:
    """Logistic function σ(x) = 1 / (1 + e⁻ˣ), elementwise, without overflow at any x.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.sigmoid(tg.tensor([-10000.0, 0.0, 10000.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    return _sigmoid(input)


def relu(input: Any) -> Any:
    """max(x, 0), elementwise; the derivative at 0 is 0, as in PyTorch.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.relu(tg.tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 2.])
    """
    return activation.relu.apply(input)


# -- comparisons: no derivative ---------------------------------------------------------------


def _comparison(ufunc: np.ufunc, sign: str) -> Any:
    fit = promotion.promoted(sign, numbers=False)

    def compare(input: Any, other: Any) -> Any:
        if not isinstance(other, Variable | np.ndarray | np.generic | bool | int | float):
            return NotImplemented
        a, b = (x.array if isinstance(x, Variable) else x for x in fit((input, other)))
        try:
            return primitive.make_tensor(np.asarray(ufunc(a, b)), None)
        except ValueError as error:
            raise cannot_compute(sign, error, [a, b], {}) from error

    compare.__doc__ = f"``input {sign} other``, elementwise, as a bool tensor."
    return compare


eq = _comparison(np.equal, "==")
ne = _comparison(np.not_equal, "!=")
lt = _comparison(np.less, "<")
le = _comparison(np.less_equal, "<=")
gt = _comparison(np.greater, ">")
ge = _comparison(np.greater_equal, ">=")


def where(condition: Any, input: Any, other: Any) -> Any:
    """``input`` where the condition holds, else ``other``; elementwise, broadcast.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([-1.0, 2.0])
    >>> tg.where(x > 0, x, 0)
    tensor([0., 2.])
    """
    c = _tensor("where", condition)
    if c.array.dtype.kind != "b":
        raise RuntimeError(f"where: the condition must be a bool tensor, got {c.array.dtype}")
    return arithmetic.where.general(c, *promotion.promoted("where", numbers=False)((input, other)))


# -- products of matrices ---------------------------------------------------------------------


def matmul(input: Any, other: Any) -> Any:
    """Product of matrices, ``input @ other``, of every rank that NumPy and PyTorch take.

    Parameters
    ----------
    input : Tensor of shape (..., n, k) or (k,)
    other : Tensor of shape (..., k, m) or (k,)
        Of the same type. Leading axes broadcast; a vector is a row on the left and a column on
        the right, and its axis is dropped from the result.

    Raises
    ------
    RuntimeError
        If the inner sizes differ, an operand is 0-d, or the types differ.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.matmul(tg.tensor([1.0, 2.0]), tg.tensor([[1.0, 0.0], [0.0, 3.0]]))
    tensor([1., 6.])
    """
    return linalg.matmul.apply(input, other)


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """Affine map ``input @ weightᵀ + bias``.

    Parameters
    ----------
    input : Tensor of shape (..., in_features)
    weight : Tensor of shape (out_features, in_features)
    bias : Tensor of shape (out_features,), optional

    Returns
    -------
    Tensor of shape (..., out_features)

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.linear(tg.tensor([1.0, 2.0]), tg.tensor([[3.0, 4.0]]), tg.tensor([0.5]))
    tensor([11.5000])
    """
    x, w = _tensor("linear", input), _tensor("linear", weight)
    if w.array.ndim > 2 or (w.array.ndim != 2 and bias is not None):
        raise RuntimeError(f"linear: the weight must be a matrix, got shape {w.array.shape}")
    if not x.array.ndim or x.array.shape[-1] != w.array.shape[-1]:
        raise RuntimeError(
            f"linear: the input of shape {x.array.shape} does not fit a weight of shape "
            f"{w.array.shape}: their last sizes must be equal"
        )
    if bias is None:
        return linalg.matmul.apply(x, transpose(w, 0, 1) if w.array.ndim == 2 else w)
    return linalg.linear.general(x, w, bias)


# -- reductions -------------------------------------------------------------------------------


def _dims(name: str, dim: Dims, ndim: int) -> tuple[int, ...]:
    """The axes that ``dim`` names, counted from 0; all of them for ``None`` and ``()``."""
    if dim is None or (isinstance(dim, tuple | list) and not dim):
        return tuple(range(ndim))
    if isinstance(dim, bool) or not isinstance(dim, int | tuple | list | np.integer):
        raise TypeError(f"{name}: dim must be an integer or a tuple of integers, got {dim!r}")
    given = tuple(dim) if isinstance(dim, tuple | list) else (dim,)
    axes = tuple(_dim(name, d, ndim) for d in given)
    if len(set(axes)) < len(axes):
        raise RuntimeError(f"{name}: dim {dim} names an axis twice")
    return axes if ndim else ()


def _dim(name: str, dim: Any, ndim: int) -> int:
    """One axis, counted from 0; a 0-d tensor counts as having one."""
    try:
        d = operator.index(dim)
    except TypeError:
        raise TypeError(f"{name}: dim must be an integer, got {dim!r}") from None
    size = max(ndim, 1)
    if not -size <= d < size:
        raise IndexError(
            f"{name}: dim {d} is out of range for a tensor with {ndim} dimensions "
            f"(expected {-size} … {size - 1})"
        )
    return d % size


def sum(
    input: Any, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike = None, **numpy: Any
) -> Any:
    """Sum over the axes ``dim`` (default: all); of bools and integers as int64.

    ``axis`` and ``keepdims``, NumPy's spellings, are accepted too.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.sum(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([4., 6.])
    """
    dim, keepdim = _numpy_spelling("sum", dim, keepdim, numpy)
    x = _tensor("sum", input)
    if dtype is not None:
        x = promotion.to_dtype(x, as_dtype(dtype))
    elif x.array.dtype.kind != "f":
        x = promotion.to_dtype(x, int64)
    return reduction.sum.apply(x, axis=_dims("sum", dim, x.array.ndim), keepdims=keepdim)


def mean(input: Any, dim: Dims = None, keepdim: bool = False, **numpy: Any) -> Any:
    """Arithmetic mean over the axes ``dim`` (default: all) of a floating-point tensor.

    Raises
    ------
    RuntimeError
        If ``input`` is not floating-point (as in PyTorch).

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.mean(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=1, keepdim=True)
    tensor([[1.5000],
            [3.5000]])
    """
    dim, keepdim = _numpy_spelling("mean", dim, keepdim, numpy)
    x = _tensor("mean", input)
    if x.array.dtype.kind != "f":
        raise RuntimeError(f"mean: the input must be floating-point, got {x.array.dtype}")
    return reduction.mean.apply(x, axis=_dims("mean", dim, x.array.ndim), keepdims=keepdim)


def _numpy_spelling(
    name: str, dim: Dims, keepdim: bool, numpy: dict[str, Any]
) -> tuple[Dims, bool]:
    """PyTorch's ``dim``, ``keepdim`` from NumPy's ``axis``, ``keepdims`` where those are given."""
    axis, keepdims = numpy.pop("axis", dim), numpy.pop("keepdims", keepdim)
    numpy = {key: value for key, value in numpy.items() if value is not None}  # np.sum's out=None
    if numpy:
        raise TypeError(f"{name}: got an unexpected keyword argument {next(iter(numpy))!r}")
    if not isinstance(keepdims, bool | np.bool_):
        raise TypeError(f"{name}: keepdim must be a bool, got {keepdims!r}")
    return axis, bool(keepdims)


def _tensor(name: str, input: Any) -> Any:
    """``input`` as a tensor (a constant one, of an array)."""
    if isinstance(input, Variable):
        return input
    if isinstance(input, np.ndarray):
        return primitive.make_tensor(input, None)
    raise TypeError(f"{name}: expected a tensor, got {type(input).__name__} {input!r:.60}")


# -- shape ------------------------------------------------------------------------------------


def reshape(input: Any, *shape_: Any) -> Any:
    """The same elements in another shape; one size may be −1 and is inferred.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.reshape(tg.tensor([1.0, 2.0, 3.0, 4.0]), (2, -1))
    tensor([[1., 2.],
            [3., 4.]])
    """
    sizes = _sizes("reshape", shape_)
    if any(size < -1 for size in sizes):
        raise RuntimeError(f"reshape: sizes must not be negative (but one −1), got {sizes}")
    return shape.reshape.apply(_tensor("reshape", input), shape=sizes)


def _sizes(name: str, sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """Sizes given one by one or as one sequence."""
    if len(sizes) == 1 and not isinstance(sizes[0], int):
        sizes = tuple(sizes[0])
    try:
        return tuple(operator.index(size) for size in sizes)
    except TypeError:
        raise TypeError(f"{name}: sizes must be integers, got {sizes!r}") from None


def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """The tensor with two axes exchanged.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.transpose(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), 0, 1)
    tensor([[1., 3.],
            [2., 4.]])
    """
    x = _tensor("transpose", input)
    dims = list(range(x.array.ndim))
    a, b = (_dim("transpose", d, x.array.ndim) for d in (dim0, dim1))
    if dims:
        dims[a], dims[b] = dims[b], dims[a]
    return shape.permute.apply(x, dims=tuple(dims))


def permute(input: Any, *dims: Any) -> Any:
    """The tensor with its axes in the order ``dims``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.permute(tg.zeros(2, 3, 5), (2, 0, 1)).shape
    (5, 2, 3)
    """
    x = _tensor("permute", input)
    order = tuple(_dim("permute", d, x.array.ndim) for d in _sizes("permute", dims))
    if sorted(order) != list(range(x.array.ndim)):
        raise RuntimeError(f"permute: dims {dims} is no order of {x.array.ndim} axes")
    return shape.permute.apply(x, dims=order)


def expand(input: Any, *sizes: Any) -> Any:
    """The tensor repeated along axes of size 1, and along new leading ones; −1 keeps a size.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.expand(tg.tensor([[1.0], [2.0]]), 2, 3)
    tensor([[1., 1., 1.],
            [2., 2., 2.]])
    """
    x = _tensor("expand", input)
    wanted = _sizes("expand", sizes)
    lead = len(wanted) - x.array.ndim
    full = tuple(x.array.shape[i - lead] if n == -1 and i >= lead else n
                 for i, n in enumerate(wanted))  # fmt: skip
    return shape.expand.apply(x, shape=full)


def squeeze(input: Any, dim: Dims = None) -> Any:
    """The tensor without its axes of size 1 (those named by ``dim``; default: all).

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.squeeze(tg.zeros(1, 3, 1), 0).shape
    (3, 1)
    """
    x = _tensor("squeeze", input)
    axes = () if dim == () else _dims("squeeze", dim, x.array.ndim)
    return shape.reshape.apply(
        x, shape=tuple(n for i, n in enumerate(x.array.shape) if n != 1 or i not in axes)
    )


def unsqueeze(input: Any, dim: int) -> Any:
    """The tensor with a new axis of size 1 at ``dim``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.unsqueeze(tg.zeros(2, 3), -1).shape
    (2, 3, 1)
    """
    x = _tensor("unsqueeze", input)
    at = _dim("unsqueeze", dim, x.array.ndim + 1)
    return shape.reshape.apply(x, shape=(*x.array.shape[:at], 1, *x.array.shape[at:]))


# -- putting together and taking apart --------------------------------------------------------


def cat(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Tensors put together along an existing axis.

    Raises
    ------
    ValueError
        If there are none.
    RuntimeError
        If their other sizes differ.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.cat([tg.tensor([1.0, 2.0]), tg.tensor([3.0])])
    tensor([1., 2., 3.])
    """
    xs = _several("cat", tensors)
    if any(x.array.ndim != 1 for x in xs):  # PyTorch skips empty vectors beside matrices
        xs = [x for x in xs if x.array.shape != (0,)]
    return shape.cat.general(*xs, dim=_dim("cat", dim, xs[0].array.ndim))


def stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Tensors of one shape put together along a new axis.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.stack([tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0])], dim=1)
    tensor([[1., 3.],
            [2., 4.]])
    """
    xs = _several("stack", tensors)
    return shape.stack.general(*xs, dim=_dim("stack", dim, xs[0].array.ndim + 1))


def _several(name: str, tensors: Sequence[Any]) -> Sequence[Any]:
    xs = [_tensor(name, x) for x in tensors]
    if not xs:
        kind = ValueError if name == "cat" else RuntimeError
        raise kind(f"{name}: expected a non-empty list of tensors")
    return promotion.promoted(name)(xs)


def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """The slices of a tensor along ``dim``, without that axis: x₁ … x_T of a sequence.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.unbind(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    (tensor([1., 2.]), tensor([3., 4.]))
    """
    x = _tensor("unbind", input)
    if x.array.ndim == 0:
        raise IndexError("unbind: a 0-d tensor has no axis to take apart")
    before = (slice(None),) * _dim("unbind", dim, x.array.ndim)
    n = x.array.shape[len(before)]
    return tuple(indexing.getitem.apply(x, index=(*before, i)) for i in range(n))


def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most ``chunks`` equal parts along ``dim``, the last smaller: the gates of a cell.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.chunk(tg.tensor([1.0, 2.0, 3.0, 4.0, 5.0]), 2)
    (tensor([1., 2., 3.]), tensor([4., 5.]))
    """
    x = _tensor("chunk", input)
    if x.array.ndim == 0:
        raise RuntimeError("chunk: a 0-d tensor has no axis to take apart")
    if chunks < 1:
        raise RuntimeError(f"chunk: expected at least 1 chunk, got {chunks}")
    dim = _dim("chunk", dim, x.array.ndim)
    size = x.array.shape[dim]
    step = -(-size // chunks)
    starts = range(0, size, step) if size else [0] * chunks
    spans = [(dim, i, builtins.min(i + step, size)) for i in starts]
    return tuple(indexing.narrow.apply(x, index=indexing.slices(*s), span=s) for s in spans)


def getitem(input: Any, index: Any) -> Any:
    """``input[index]``: integers, slices, ``None``, ``...``, masks and integer arrays.

    Integers and slices share the input's memory, as in NumPy and PyTorch.

    Raises
    ------
    IndexError
        If an index is out of range.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.tensor([[1.0, 2.0], [3.0, 4.0]])[:, 1]
    tensor([2., 4.])
    """
    x = input if isinstance(input, Variable) else _tensor("getitem", input)
    parts = index if type(index) is tuple else (index,)
    for part in parts:
        if type(part) is slice and part.step is not None and operator.index(part.step) < 1:
            raise ValueError(f"getitem: the step of a slice must be positive, got {part.step}")
    if _PLAIN.issuperset(map(type, parts)) and parts.count(...) < 2:
        return _slice(x, parts)
    return _pick(x, tuple(map(_index, parts)))


_PLAIN = {int, slice, type(None), type(Ellipsis)}
"""The parts of an index that NumPy takes as they are, and that share memory."""


def _slice(x: Any, parts: tuple[Any, ...]) -> Any:
    if len(parts) >= x.array.ndim and Ellipsis not in parts:
        parts = (*parts, ...)  # so that NumPy gives a 0-d view, not a copy, of a single element
    return indexing.getitem.apply(x, index=parts)


def _pick(x: Any, parts: tuple[Any, ...]) -> Any:
    """Index with arrays among integers and slices: the latter first, as PyTorch does it.

    NumPy counts an integer beside an array as an array, and then orders axes differently.
    """
    used = builtins.sum(_axes(part) for part in parts)
    dots = [i for i, part in enumerate(parts) if part is ...]
    if dots and used <= x.array.ndim:
        rest = tuple(part for part in parts[dots[0] + 1 :] if part is not ...)
        parts = (*parts[: dots[0]], *[slice(None)] * (x.array.ndim - used), *rest)
    first: list[Any] = []
    then: list[Any] = []
    for part in parts:
        if isinstance(part, np.ndarray):
            first += [slice(None)] * _axes(part)
            then.append(part)
        else:
            first.append(part)
            then += [] if isinstance(part, int) else [slice(None)]
    if any(part != slice(None) for part in first):
        x = _slice(x, tuple(first))
    return indexing.take.apply(x, index=tuple(then)) if any(map(_is_array, then)) else x


def _axes(part: Any) -> int:
    """How many axes a part of an index takes up."""
    return part.ndim if _is_mask(part) else int(part is not None and part is not ...)


def _is_array(part: Any) -> bool:
    return isinstance(part, np.ndarray)


def _is_mask(part: Any) -> bool:
    return isinstance(part, np.ndarray) and part.dtype.kind == "b"


def _index(i: Any) -> Any:
    """One part of an index: an integer, a slice, ``None``, ``...`` or an index array."""
    if isinstance(i, Variable):
        i = i.array
    if isinstance(i, list | tuple | bool):
        i = np.asarray(i) if i not in ([], ()) else np.zeros(0, np.int64)
    if isinstance(i, np.integer):
        return int(i)
    if isinstance(i, np.ndarray) and not i.ndim and i.dtype.kind == "i":
        return int(i)
    if isinstance(i, np.ndarray) and i.dtype == np.uint8:
        i = i.astype(bool)
    if isinstance(i, np.ndarray) and i.dtype not in (np.int64, np.int32, np.bool_):
        raise IndexError(f"getitem: index arrays must be int64, int32 or bool, not {i.dtype}")
    if type(i) not in _PLAIN and not isinstance(i, np.ndarray):
        kind = TypeError if isinstance(i, str | bytes) else IndexError
        raise kind(f"getitem: an index cannot be a {type(i).__name__}: {i!r:.60}")
    return i
