"""Products of matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.ops.promotion import same_dtype


def mT(x: Any) -> Any:
    """The transpose of the last two axes; of a vector, itself."""
    return x.T if x.ndim <= 2 else x.swapaxes(-1, -2)


def _product(a: Any, b: Any) -> Any:
    """``a @ b``; of arrays that are vectors or matrices by ``dot``, which takes half the time."""
    if isinstance(a, np.ndarray) and 0 < a.ndim <= 2 and 0 < b.ndim <= 2:
        return a.dot(b)
    return a @ b


def _rows(x: Any) -> Any:
    """All rows of a stack of matrices as one matrix."""
    return x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def _matmul_a(g: Any, b: Any) -> Any:
    if b.ndim == 2:
        return _product(g, b.T)
    if b.ndim == 1:  # y_…i = Σ_j a_…ij b_j
        return g[..., None] * b
    if g.ndim < b.ndim:  # a is a vector: one row
        return (g[..., None, :] @ mT(b))[..., 0, :]
    return g @ mT(b)


def _matmul_b(g: Any, a: Any) -> Any:
    if a.ndim == 1:  # one row; b a matrix, or a vector if g is one number
        return a[:, None] * g[..., None, :] if g.ndim else a * g
    if g.ndim < a.ndim:  # b is a vector
        return (mT(a) @ g[..., None])[..., 0]
    return _product(mT(a), g)


matmul = Primitive("matmul", _product, "a b", symbol="@", prepare=same_dtype("matmul"))
matmul.vjp("a", _matmul_a, formula="g @ bᵀ")
matmul.vjp("b", _matmul_b, formula="aᵀ @ g", rows=True)


def _linear(x: Any, weight: Any, bias: Any) -> Any:
    return _product(x, weight.T) + bias


linear = Primitive(
    "linear", _linear, "x weight bias",
    symbol="{x} @ {weight}ᵀ + {bias}", prepare=same_dtype("linear"),
)  # fmt: skip
linear.vjp("x", lambda g, weight: _product(g, weight), formula="g @ W")
linear.vjp(
    "weight",
    lambda g, x: _product(_rows(g).T, _rows(x)) if g.ndim > 1 else g[:, None] * x,
    formula="gᵀ @ x",
    rows=True,
)
linear.vjp("bias", lambda g: g, formula="g")
