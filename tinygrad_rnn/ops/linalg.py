"""Products of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.ops.promotion import same_dtype


def mT(x: Any) -> Any:
    """The transpose of the last two axes; of a vector, itself."""
    return x.swapaxes(-1, -2) if x.ndim > 1 else x


def _rows(x: Any) -> Any:
    """All rows of a stack of matrices as one matrix."""
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])


def _matmul_a(g: Any, b: Any, a_shape: tuple[int, ...]) -> Any:
    if b.ndim == 1:  # y_…i = Σ_j a_…ij b_j
        return g[..., None] * b
    if len(a_shape) == 1:  # a vector is one row
        return (g[..., None, :] @ mT(b))[..., 0, :]
    return g @ mT(b)


def _matmul_b(g: Any, a: Any, b_shape: tuple[int, ...]) -> Any:
    if len(b_shape) == 1:  # y_…i = Σ_j a_…ij b_j
        return (mT(a) @ g[..., None])[..., 0] if a.ndim > 1 else a * g
    if a.ndim == 1:
        return a[:, None] * g[..., None, :]
    return _rows(a).T @ _rows(g) if len(b_shape) == 2 else mT(a) @ g


matmul = Primitive("matmul", np.matmul, "a b", symbol="@", prepare=same_dtype("matmul"))
matmul.vjp("a", _matmul_a, formula="g @ bᵀ")
matmul.vjp("b", _matmul_b, formula="aᵀ @ g", rows=True)


def _linear(x: Any, weight: Any, bias: Any) -> Any:
    return x @ weight.T + bias


linear = Primitive(
    "linear", _linear, "x weight bias",
    symbol="{x} @ {weight}ᵀ + {bias}", prepare=same_dtype("linear"),
)  # fmt: skip
linear.vjp("x", lambda g, weight: g @ weight, formula="g @ W")
linear.vjp("weight", lambda g, x: _rows(g).T @ _rows(x) if g.ndim > 1 else g[:, None] * x,
           formula="gᵀ @ x", rows=True)  # fmt: skip
linear.vjp("bias", lambda g: g, formula="g")
