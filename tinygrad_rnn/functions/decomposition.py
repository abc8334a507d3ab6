"""Singular values and vectors of matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.functions.arguments import check_flags, tensor_of
from tinygrad_rnn.functions.joining import cat
from tinygrad_rnn.functions.shape import contiguous, squeeze, transpose
from tinygrad_rnn.ops import svd as ops
from tinygrad_rnn.ops.linalg import mT

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


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
    _, s, _ = ops.factors(ops.svd.apply(x), x.array.shape[-2])
    return contiguous(squeeze(s, -2))


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
    u, s, v = ops.factors(ops.svd.apply(x), m)
    if full_matrices and m != n:
        u_all, _, vt_all = np.linalg.svd(x.array)
        u = _completed(u, u_all)
        v = _completed(v, mT(vt_all))
    return Svd(u, contiguous(squeeze(s, -2)), transpose(v, -2, -1))


def _completed(u: Any, all_vectors: Any) -> Any:
    """The vectors and, as constants, those that make the matrix square."""
    rest = np.ascontiguousarray(all_vectors[..., u.array.shape[-1] :])
    return cat([u, graph.make_tensor(rest, None)], -1) if rest.shape[-1] else u
