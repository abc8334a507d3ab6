"""Sums and means."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.ops.promotion import promoted


def _spread(g: Any, shape: tuple[int, ...], axis: tuple[int, ...], keepdims: bool) -> Any:
    """The cotangent of a reduction, repeated along the axes that it summed."""
    if not keepdims:
        g = g.reshape(tuple(1 if i in axis else n for i, n in enumerate(shape)))
    return np.broadcast_to(g, shape)


def _count(shape: tuple[int, ...], axis: tuple[int, ...]) -> int:
    return math.prod(shape[i] for i in axis)


def _sum(x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    return np.sum(x, axis=axis, keepdims=keepdims, dtype=x.dtype)


def _mean(x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    wide = np.float32 if x.dtype == np.float16 else x.dtype  # 70,000 ones overflow float16
    total = np.sum(x, axis=axis, keepdims=keepdims, dtype=wide)
    return (total / (_count(x.shape, axis) or math.nan)).astype(x.dtype)


sum = Primitive("sum", _sum, "x")
sum.vjp("x", lambda g, x_shape, axis, keepdims: _spread(g, x_shape, axis, keepdims), formula="g")

mean = Primitive("mean", _mean, "x", prepare=promoted("mean", to_float=True))
mean.vjp(
    "x",
    lambda g, x_shape, axis, keepdims: (
        _spread(g, x_shape, axis, keepdims) / (_count(x_shape, axis) or 1)
    ),
    formula="g / n",
)
