"""NumPy's functions on tensors: ``np.tanh(x)`` is ``tg.tanh(x)``, recorded and differentiable.

Derivative rules are NumPy arithmetic, so what they use is here; and what is here works for users.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_rnn import operations
from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.graph import Variable

NUMPY: dict[Any, Any] = {
    # -- elementwise --
    np.add: operations.add,
    np.subtract: operations.sub,
    np.multiply: operations.mul,
    np.true_divide: operations.div,
    np.power: operations.pow,
    np.negative: operations.neg,
    np.exp: operations.exp,
    np.log: operations.log,
    np.tanh: operations.tanh,
    np.where: operations.where,
    np.floor_divide: operations.floor_divide,
    np.remainder: operations.remainder,
    np.fmod: operations.fmod,
    np.absolute: operations.abs,
    np.sign: operations.sign,
    np.sqrt: operations.sqrt,
    np.square: operations.square,
    np.reciprocal: operations.reciprocal,
    np.expm1: operations.expm1,
    np.log1p: operations.log1p,
    np.exp2: operations.exp2,
    np.log2: operations.log2,
    np.log10: operations.log10,
    np.logaddexp: operations.logaddexp,
    np.sin: operations.sin,
    np.cos: operations.cos,
    np.tan: operations.tan,
    np.arcsin: operations.asin,
    np.arccos: operations.acos,
    np.arctan: operations.atan,
    np.arctan2: operations.atan2,
    np.arcsinh: operations.asinh,
    np.arccosh: operations.acosh,
    np.arctanh: operations.atanh,
    np.sinh: operations.sinh,
    np.cosh: operations.cosh,
    np.floor: operations.floor,
    np.ceil: operations.ceil,
    np.trunc: operations.trunc,
    np.round: lambda a, decimals=0: operations.round(a, decimals=decimals),
    np.maximum: operations.maximum,
    np.minimum: operations.minimum,
    np.nan_to_num: lambda x, copy=True, nan=0.0, posinf=None, neginf=None: operations.nan_to_num(
        x, nan, posinf, neginf
    ),
    np.clip: lambda a, a_min=None, a_max=None: operations.clamp(a, a_min, a_max),
    np.zeros_like: lambda a: _constant(np.zeros_like, a),
    np.ones_like: lambda a: _constant(np.ones_like, a),
    # -- comparison --
    np.equal: operations.eq,
    np.not_equal: operations.ne,
    np.less: operations.lt,
    np.less_equal: operations.le,
    np.greater: operations.gt,
    np.greater_equal: operations.ge,
    np.logical_and: operations.logical_and,
    np.logical_or: operations.logical_or,
    np.logical_xor: operations.logical_xor,
    np.logical_not: operations.logical_not,
    np.bitwise_and: operations.bitwise_and,
    np.bitwise_or: operations.bitwise_or,
    np.bitwise_xor: operations.bitwise_xor,
    np.invert: operations.bitwise_not,
    np.isnan: operations.isnan,
    np.isinf: operations.isinf,
    np.isfinite: operations.isfinite,
    # these take lists, numbers and any types, which PyTorch's do not
    np.isclose: lambda *xs, **options: _constant(np.isclose, *xs, **options),
    np.allclose: lambda *xs, **options: np.allclose(*_arrays(xs), **options),
    np.array_equal: lambda *xs, **options: np.array_equal(*_arrays(xs), **options),
    # -- linear algebra --
    np.matmul: operations.matmul,
    np.dot: lambda a, b: _dot(a, b),
    np.inner: operations.inner,
    np.outer: lambda a, b: operations.outer(*(operations.reshape(x, (-1,)) for x in (a, b))),
    np.einsum: lambda *operands, optimize=False: operations.einsum(*operands),
    np.tensordot: lambda a, b, axes=2: operations.tensordot(a, b, _two_lists(axes)),
    np.trace: lambda a: operations.trace(a),
    # -- reduction --
    np.sum: operations.sum,
    np.mean: operations.mean,
    np.prod: operations.prod,
    np.var: lambda a, axis=None, ddof=0, keepdims=False: operations.var(
        a, axis, keepdim=keepdims, correction=ddof
    ),
    np.std: lambda a, axis=None, ddof=0, keepdims=False: operations.std(
        a, axis, keepdim=keepdims, correction=ddof
    ),
    np.max: operations.amax,
    np.amax: operations.amax,
    np.min: operations.amin,
    np.amin: operations.amin,
    np.argmax: operations.argmax,
    np.argmin: operations.argmin,
    np.all: operations.all,
    np.any: operations.any,
    np.count_nonzero: operations.count_nonzero,
    np.cumsum: lambda a, axis=None: operations.cumsum(*_flat(a, axis)),
    np.cumprod: lambda a, axis=None: operations.cumprod(*_flat(a, axis)),
    np.linalg.norm: operations.linalg_norm,
    # -- ordering --
    np.sort: lambda a, axis=-1: operations.sort(*_flat(a, axis)).values,
    np.argsort: lambda a, axis=-1: operations.argsort(*_flat(a, axis)),
    np.diff: lambda a, n=1, axis=-1: operations.diff(a, n, axis),
    # -- shape --
    np.reshape: lambda a, shape, order="C": operations.reshape(_in_c_order(a, order), shape),
    np.ravel: lambda a, order="C": operations.ravel(_in_c_order(a, order)),
    np.squeeze: lambda a, axis=None: operations.squeeze(a, axis),
    np.expand_dims: lambda a, axis: operations.unsqueeze(a, axis),
    np.transpose: lambda a, axes=None: a.T if axes is None else operations.permute(a, axes),
    np.swapaxes: operations.transpose,
    np.moveaxis: operations.movedim,
    np.broadcast_to: operations.expand,
    np.broadcast_arrays: operations.broadcast_tensors,
    np.copy: lambda a, order="K": operations.clone(a),
    np.flip: lambda m, axis=None: operations.flip(
        m, tuple(range(m.ndim)) if axis is None else axis
    ),
    np.roll: lambda a, shift, axis=None: operations.roll(a, shift, axis),
    np.tile: lambda A, reps: operations.tile(A, reps),
    np.repeat: lambda a, repeats, axis=None: operations.repeat_interleave(a, repeats, axis),
    np.tril: lambda m, k=0: operations.tril(m, k),
    np.triu: lambda m, k=0: operations.triu(m, k),
    np.diag: lambda v, k=0: operations.diag(v, k),
    np.diagonal: lambda a, offset=0, axis1=0, axis2=1: operations.diagonal(a, offset, axis1, axis2),
    # -- joining and splitting --
    np.concatenate: lambda arrays, axis=0: operations.cat(arrays, axis),
    np.stack: lambda arrays, axis=0: operations.stack(arrays, axis),
    np.hstack: operations.hstack,
    np.vstack: operations.vstack,
    np.array_split: lambda ary, parts, axis=0: operations.tensor_split(ary, parts, axis),
    # -- indexing --
    np.take: lambda a, indices, axis=None: _take(a, indices, axis),
    np.take_along_axis: lambda arr, indices, axis=-1: operations.take_along_dim(arr, indices, axis),
    np.nonzero: lambda a: operations.nonzero(a, as_tuple=True),
}


def _arrays(xs: tuple[Any, ...]) -> list[Any]:
    return [x.array if isinstance(x, Variable) else x for x in xs]


def _constant(function: Any, *xs: Any, **options: Any) -> Any:
    """What NumPy makes of the arrays, as a tensor through which no gradient flows."""
    return graph.make_tensor(np.asarray(function(*_arrays(xs), **options)), None)


def _in_c_order(a: Any, order: str) -> Any:
    if order != "C":
        raise TypeError(f"tensors are read in order 'C' only, not {order!r}")
    return a


def _dot(a: Any, b: Any) -> Any:
    ranks = [getattr(x, "ndim", 0) for x in (a, b)]
    if ranks[0] and ranks[1] > 2:
        return operations.tensordot(a, b, ([-1], [-2]))
    return (operations.matmul if all(ranks) else operations.mul)(a, b)


def _two_lists(axes: Any) -> Any:
    return axes if isinstance(axes, int) else [[i] if isinstance(i, int) else i for i in axes]


def _flat(a: Any, axis: int | None) -> tuple[Any, int]:
    """The tensor and the axis to work along: of all elements in a row for ``None``."""
    return (operations.reshape(a, -1), 0) if axis is None else (a, axis)


def _take(a: Any, indices: Any, axis: int | None) -> Any:
    a, axis = _flat(a, axis)
    at = indices if isinstance(indices, Variable) else np.asarray(indices)
    return operations.getitem(a, (slice(None),) * (axis % a.ndim) + (at,))
