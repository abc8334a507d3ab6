"""NumPy's functions on tensors: ``np.tanh(x)`` is ``tg.tanh(x)``, recorded and differentiable.

Derivative rules are NumPy arithmetic, so what they use is here; and what is here works for users.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_rnn import operations as functions
from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.graph import Variable

NUMPY: dict[Any, Any] = {
    # -- elementwise --
    np.add: functions.add,
    np.subtract: functions.sub,
    np.multiply: functions.mul,
    np.true_divide: functions.div,
    np.power: functions.pow,
    np.negative: functions.neg,
    np.exp: functions.exp,
    np.log: functions.log,
    np.tanh: functions.tanh,
    np.where: functions.where,
    np.floor_divide: functions.floor_divide,
    np.remainder: functions.remainder,
    np.fmod: functions.fmod,
    np.absolute: functions.abs,
    np.sign: functions.sign,
    np.sqrt: functions.sqrt,
    np.square: functions.square,
    np.reciprocal: functions.reciprocal,
    np.expm1: functions.expm1,
    np.log1p: functions.log1p,
    np.exp2: functions.exp2,
    np.log2: functions.log2,
    np.log10: functions.log10,
    np.logaddexp: functions.logaddexp,
    np.sin: functions.sin,
    np.cos: functions.cos,
    np.tan: functions.tan,
    np.arcsin: functions.asin,
    np.arccos: functions.acos,
    np.arctan: functions.atan,
    np.arctan2: functions.atan2,
    np.arcsinh: functions.asinh,
    np.arccosh: functions.acosh,
    np.arctanh: functions.atanh,
    np.sinh: functions.sinh,
    np.cosh: functions.cosh,
    np.floor: functions.floor,
    np.ceil: functions.ceil,
    np.trunc: functions.trunc,
    np.round: lambda a, decimals=0: functions.round(a, decimals=decimals),
    np.maximum: functions.maximum,
    np.minimum: functions.minimum,
    np.nan_to_num: lambda x, copy=True, nan=0.0, posinf=None, neginf=None: functions.nan_to_num(
        x, nan, posinf, neginf
    ),
    np.clip: lambda a, a_min=None, a_max=None: functions.clamp(a, a_min, a_max),
    np.zeros_like: lambda a: _constant(np.zeros_like, a),
    np.ones_like: lambda a: _constant(np.ones_like, a),
    # -- comparison --
    np.equal: functions.eq,
    np.not_equal: functions.ne,
    np.less: functions.lt,
    np.less_equal: functions.le,
    np.greater: functions.gt,
    np.greater_equal: functions.ge,
    np.logical_and: functions.logical_and,
    np.logical_or: functions.logical_or,
    np.logical_xor: functions.logical_xor,
    np.logical_not: functions.logical_not,
    np.bitwise_and: functions.bitwise_and,
    np.bitwise_or: functions.bitwise_or,
    np.bitwise_xor: functions.bitwise_xor,
    np.invert: functions.bitwise_not,
    np.isnan: functions.isnan,
    np.isinf: functions.isinf,
    np.isfinite: functions.isfinite,
    # these take lists, numbers and any types, which PyTorch's do not
    np.isclose: lambda *xs, **options: _constant(np.isclose, *xs, **options),
    np.allclose: lambda *xs, **options: np.allclose(*_arrays(xs), **options),
    np.array_equal: lambda *xs, **options: np.array_equal(*_arrays(xs), **options),
    # -- linear algebra --
    np.matmul: functions.matmul,
    np.dot: lambda a, b: _dot(a, b),
    np.inner: functions.inner,
    np.outer: lambda a, b: functions.outer(*(functions.reshape(x, (-1,)) for x in (a, b))),
    np.einsum: lambda *operands, optimize=False: functions.einsum(*operands),
    np.tensordot: lambda a, b, axes=2: functions.tensordot(a, b, _two_lists(axes)),
    np.trace: lambda a: functions.trace(a),
    # -- reduction --
    np.sum: functions.sum,
    np.mean: functions.mean,
    np.prod: functions.prod,
    np.var: lambda a, axis=None, ddof=0, keepdims=False: functions.var(
        a, axis, keepdim=keepdims, correction=ddof
    ),
    np.std: lambda a, axis=None, ddof=0, keepdims=False: functions.std(
        a, axis, keepdim=keepdims, correction=ddof
    ),
    np.max: functions.amax,
    np.amax: functions.amax,
    np.min: functions.amin,
    np.amin: functions.amin,
    np.argmax: functions.argmax,
    np.argmin: functions.argmin,
    np.all: functions.all,
    np.any: functions.any,
    np.count_nonzero: functions.count_nonzero,
    np.cumsum: lambda a, axis=None: functions.cumsum(*_flat(a, axis)),
    np.cumprod: lambda a, axis=None: functions.cumprod(*_flat(a, axis)),
    np.linalg.norm: functions.linalg_norm,
    # -- ordering --
    np.sort: lambda a, axis=-1: functions.sort(*_flat(a, axis)).values,
    np.argsort: lambda a, axis=-1: functions.argsort(*_flat(a, axis)),
    np.diff: lambda a, n=1, axis=-1: functions.diff(a, n, axis),
    # -- shape --
    np.reshape: lambda a, shape, order="C": functions.reshape(_in_c_order(a, order), shape),
    np.ravel: lambda a, order="C": functions.ravel(_in_c_order(a, order)),
    np.squeeze: lambda a, axis=None: functions.squeeze(a, axis),
    np.expand_dims: lambda a, axis: functions.unsqueeze(a, axis),
    np.transpose: lambda a, axes=None: a.T if axes is None else functions.permute(a, axes),
    np.swapaxes: functions.transpose,
    np.moveaxis: functions.movedim,
    np.broadcast_to: functions.expand,
    np.broadcast_arrays: functions.broadcast_tensors,
    np.copy: lambda a, order="K": functions.clone(a),
    np.flip: lambda m, axis=None: functions.flip(m, tuple(range(m.ndim)) if axis is None else axis),
    np.roll: lambda a, shift, axis=None: functions.roll(a, shift, axis),
    np.tile: lambda A, reps: functions.tile(A, reps),
    np.repeat: lambda a, repeats, axis=None: functions.repeat_interleave(a, repeats, axis),
    np.tril: lambda m, k=0: functions.tril(m, k),
    np.triu: lambda m, k=0: functions.triu(m, k),
    np.diag: lambda v, k=0: functions.diag(v, k),
    np.diagonal: lambda a, offset=0, axis1=0, axis2=1: functions.diagonal(a, offset, axis1, axis2),
    # -- joining and splitting --
    np.concatenate: lambda arrays, axis=0: functions.cat(arrays, axis),
    np.stack: lambda arrays, axis=0: functions.stack(arrays, axis),
    np.hstack: functions.hstack,
    np.vstack: functions.vstack,
    np.array_split: lambda ary, parts, axis=0: functions.tensor_split(ary, parts, axis),
    # -- indexing --
    np.take: lambda a, indices, axis=None: _take(a, indices, axis),
    np.take_along_axis: lambda arr, indices, axis=-1: functions.take_along_dim(arr, indices, axis),
    np.nonzero: lambda a: functions.nonzero(a, as_tuple=True),
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
        return functions.tensordot(a, b, ([-1], [-2]))
    return (functions.matmul if all(ranks) else functions.mul)(a, b)


def _two_lists(axes: Any) -> Any:
    return axes if isinstance(axes, int) else [[i] if isinstance(i, int) else i for i in axes]


def _flat(a: Any, axis: int | None) -> tuple[Any, int]:
    """The tensor and the axis to work along: of all elements in a row for ``None``."""
    return (functions.reshape(a, -1), 0) if axis is None else (a, axis)


def _take(a: Any, indices: Any, axis: int | None) -> Any:
    a, axis = _flat(a, axis)
    at = indices if isinstance(indices, Variable) else np.asarray(indices)
    return functions.getitem(a, (slice(None),) * (axis % a.ndim) + (at,))
