"""The singular value decomposition, from which the norms of singular values are made.

The three factors of X = U diag(S) Vᵀ are one result, so that one rule serves them: U above S above
V, one column for each singular value.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.operations.primitives.linalg import mT


def _svd(x: Any) -> Any:
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    return np.concatenate([u, s[..., None, :], mT(vt)], axis=-2)


def factors(y: Any, rows: int) -> tuple[Any, Any, Any]:
    """U, S (as one row) and V of X with so many rows."""
    return y[..., :rows, :], y[..., rows : rows + 1, :], y[..., rows + 1 :, :]


def _svd_x(g: Any, y: Any, x_shape: tuple[int, ...]) -> Any:
    """The derivative of J. Townsend, *Differentiating the singular value decomposition* (2016)."""
    m, n = x_shape[-2:]
    (u, s, v), (gu, gs, gv) = factors(y, m), factors(g, m)
    turns = _skew(mT(u) @ gu) * s + mT(s) * _skew(mT(v) @ gv)
    one = np.eye(min(m, n), dtype=y.dtype)
    core = _quotient(turns, s * s - mT(s * s) + one) + one * gs
    total = u @ core @ mT(v)
    if m > n:
        out = _quotient(gu, s)
        total = total + (out - u @ (mT(u) @ out)) @ mT(v)
    if n > m:
        out = _quotient(gv, s)
        total = total + u @ mT(out - v @ (mT(v) @ out))
    return total


def _skew(x: Any) -> Any:
    return x - mT(x)


def _quotient(a: Any, b: Any) -> Any:
    """``a / b``, but 0 for 0/0: what does not turn the vectors of equal singular values is fine."""
    return a / np.where((a == 0) & (b == 0), 1, b)


svd = Primitive("svd", _svd, "x", symbol="svd")
svd.vjp("x", _svd_x, formula="U gS Vᵀ + what turns U and V, where y is U, S, V")
