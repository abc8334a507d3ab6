"""Singular values and vectors of matrices.

The three factors of X = U diag(S) Vᵀ are one result, so that one rule serves them: U above S above
V, one column for each singular value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.operations import twins
from tinygrad_rnn.operations.arguments import check_flags, tensor_of
from tinygrad_rnn.operations.joining import cat
from tinygrad_rnn.operations.linalg import mT
from tinygrad_rnn.operations.operation import operation
from tinygrad_rnn.operations.shape import contiguous, squeeze, transpose

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


def _svd(x: Any) -> Any:
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    return np.concatenate([u, s[..., None, :], mT(vt)], axis=-2)


def _factors(y: Any, rows: int) -> tuple[Any, Any, Any]:
    """U, S (as one row) and V of X with so many rows."""
    return y[..., :rows, :], y[..., rows : rows + 1, :], y[..., rows + 1 :, :]


def _svd_x(g: Any, y: Any, x_shape: tuple[int, ...]) -> Any:
    """The derivative of J. Townsend, *Differentiating the singular value decomposition* (2016)."""
    m, n = x_shape[-2:]
    (u, s, v), (gu, gs, gv) = _factors(y, m), _factors(g, m)
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


class LinAlgError(RuntimeError):
    """Raised where linear algebra finds no answer, as for matrices with NaN."""


class Svd(NamedTuple):
    """What `svd` returns."""

    U: Tensor
    S: Tensor
    Vh: Tensor


def _matrices(name: str, A: Any) -> Any:
    """Stacked matrices that LAPACK decomposes."""
    x = tensor_of(name, A)
    if x.array.ndim < 2:
        raise RuntimeError(f"{name}: expected matrices, got shape {x.array.shape}")
    if x.array.dtype not in (np.float32, np.float64):
        raise RuntimeError(f"{name}: only of float32 and float64, not of {x.array.dtype}; convert")
    if not np.isfinite(x.array).all():
        raise LinAlgError(f"{name}: a matrix with NaN or infinite elements has no singular values")
    return x


def svdvals(A: Any) -> Tensor:
    """The singular values of matrices, in descending order.

    The derivative of a value that occurs once is u vᵀ, from its two singular vectors.

    Parameters
    ----------
    A : Tensor of shape (..., m, n)
        float32 or float64.

    Returns
    -------
    Tensor of shape (..., min(m, n))

    Raises
    ------
    RuntimeError
        If there are no matrices, or the type is another.
    LinAlgError
        If there is NaN or ∞ in them; also a RuntimeError.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.linalg.svdvals(tg.tensor([[3.0, 0.0], [0.0, -4.0]]))
    tensor([4., 3.])
    """
    x = _matrices("linalg.svdvals", A)
    _, s, _ = _factors(svd.apply(x), x.array.shape[-2])
    return contiguous(squeeze(s, -2))


@operation(_svd, twin=twins.svd, analytic=False)
def svd(A: Any, full_matrices: bool = True) -> Svd:
    """The singular value decomposition A = U diag(S) Vh of matrices.

    Parameters
    ----------
    A : Tensor of shape (..., m, n)
        float32 or float64.
    full_matrices : bool
        Whether U and Vh are square, with vectors that belong to no singular value. Gradients
        are right only of what does not depend on these.

    Returns
    -------
    Svd(U, S, Vh)
        S in descending order.

    Notes
    -----
    The singular vectors are defined up to their common sign (and up to a rotation, where values
    are equal): only what does not depend on this choice has a gradient with a meaning. Where
    singular values are equal, that of their vectors is infinite or NaN, as in PyTorch.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> U, S, Vh = tg.linalg.svd(tg.tensor([[3.0, 0.0], [0.0, -4.0]]))
    >>> S
    tensor([4., 3.])
    >>> U @ tg.diag(S) @ Vh
    tensor([[ 3.,  0.],
            [ 0., -4.]])
    """
    x = _matrices("linalg.svd", A)
    check_flags("linalg.svd", full_matrices=full_matrices)
    m, n = x.array.shape[-2:]
    u, s, v = _factors(svd.apply(x), m)
    if full_matrices and m != n:
        u_all, _, vt_all = np.linalg.svd(x.array)
        u = _completed(u, u_all)
        v = _completed(v, mT(vt_all))
    return Svd(u, contiguous(squeeze(s, -2)), transpose(v, -2, -1))


svd.vjp("x", _svd_x, formula="U gS Vᵀ + what turns U and V, where y is U, S, V")


def _completed(u: Any, all_vectors: Any) -> Any:
    """The vectors and, as constants, those that make the matrix square."""
    rest = np.ascontiguousarray(all_vectors[..., u.array.shape[-1] :])
    return cat([u, graph.make_tensor(rest, None)], -1) if rest.shape[-1] else u
