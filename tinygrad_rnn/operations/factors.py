"""Matrices as products of simpler ones: QR, Cholesky's, eigenvectors; and what follows from them.

Where there are two factors they are one result, one above the other, so that one rule serves both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.mode import here
from tinygrad_rnn.operations import twins
from tinygrad_rnn.operations.arguments import check_flags, number_of, tensor_of
from tinygrad_rnn.operations.arithmetic import div
from tinygrad_rnn.operations.decomposition import svdvals
from tinygrad_rnn.operations.joining import cat
from tinygrad_rnn.operations.linalg import matmul, mT
from tinygrad_rnn.operations.node_names import made_by
from tinygrad_rnn.operations.norms import matrix_norm
from tinygrad_rnn.operations.operation import in_rules, operation
from tinygrad_rnn.operations.shape import contiguous, squeeze, tril, triu
from tinygrad_rnn.operations.systems import inv, matrices_of, solve, solved

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

_solve = in_rules(solve)


# -- QR ----------------------------------------------------------------------------------------


def _qr(x: Any) -> Any:
    return np.concatenate(np.linalg.qr(x), axis=-2)


def _qr_x(g: Any, y: Any) -> Any:
    """The derivative of S. F. Walter and L. Lehmann (2018), for full column rank."""
    n = y.shape[-1]
    (q, r), (gq, gr) = ((z[..., :-n, :], z[..., -n:, :]) for z in (y, g))
    m = r @ mT(gr) - mT(gq) @ q
    lower = np.tril(m, -1)
    symmetric = lower + mT(lower) + m * np.eye(n, dtype=y.dtype)
    return mT(_solve(r, mT(gq + q @ symmetric)))


class QR(NamedTuple):
    """What `qr` returns."""

    Q: Tensor
    R: Tensor


@operation(_qr, twin=lambda torch, x: torch.cat(torch.linalg.qr(x), -2), analytic=False)
def qr(A: Any, mode: str = "reduced") -> QR:
    """A = Q R, with orthonormal columns in Q and an upper triangle R.

    Parameters
    ----------
    A : Tensor of shape (..., m, n)
        float32 or float64. For the derivative its first min(m, n) columns must be independent.
    mode : {"reduced"}
        Q has shape (..., m, min(m, n)).

    Raises
    ------
    RuntimeError
        If there are no matrices, the type is another, or another mode is asked for.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> A = tg.tensor([[3.0, 1.0], [4.0, 2.0]])
    >>> Q, R = tg.linalg.qr(A)
    >>> tg.allclose(Q @ R, A), tg.allclose(Q.T @ Q, tg.eye(2), atol=1e-6)
    (True, True)
    """
    x = matrices_of("linalg.qr", A, square=False)
    if mode != "reduced":
        raise RuntimeError(f"linalg.qr: mode must be 'reduced', got {mode!r}")
    m, n = x.array.shape[-2:]
    k = min(m, n)
    y = qr.apply(x[..., :k] if k < n else x)
    q, r = y[..., :m, :], y[..., m:, :]
    r = cat([r, mT(q) @ x[..., k:]], -1) if k < n else r
    return QR(*(made_by("LinalgQrBackward0", factor) for factor in (q, r)))


qr.vjp(
    "x",
    _qr_x,
    formula="(gQ + Q M) R⁻ᵀ, where M is symmetric, below as R gRᵀ − gQᵀ Q; y is Q above R",
)


# -- Cholesky's --------------------------------------------------------------------------------


def _cholesky_x(g: Any, y: Any) -> Any:
    """I. Murray, *Differentiation of the Cholesky decomposition* (2016)."""
    half = np.tril(mT(y) @ np.tril(g)) * (1 - np.eye(y.shape[-1], dtype=y.dtype) / 2)
    moved = _solve(mT(y), mT(_solve(mT(y), mT(half))))
    return (moved + mT(moved)) / 2


@operation(
    solved("cholesky", np.linalg.cholesky),
    twin="linalg.cholesky", analytic=False, node="LinalgCholeskyExBackward0",
)  # fmt: skip
def cholesky(A: Any, *, upper: bool = False) -> Tensor:
    """The lower triangle L with A = L Lᵀ, of symmetric matrices with positive eigenvalues.

    Parameters
    ----------
    A : Tensor of shape (..., n, n)
        float32 or float64; only the lower triangle is looked at.
    upper : bool
        Give Lᵀ.

    Raises
    ------
    LinAlgError
        If an eigenvalue is not positive; also a RuntimeError.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.linalg.cholesky(tg.tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    check_flags("linalg.cholesky", upper=upper)
    lower = cholesky.apply(matrices_of("linalg.cholesky", A))
    return mT(lower) if upper else lower


cholesky.vjp(
    "x",
    _cholesky_x,
    formula="L⁻ᵀ M L⁻¹, symmetric, where M is tril(Lᵀ gL), its diagonal halved; y is L",
)


# -- eigenvalues -------------------------------------------------------------------------------


def _eigh(x: Any) -> Any:
    values, vectors = np.linalg.eigh(x)
    return np.concatenate([values[..., None, :], vectors], axis=-2)


def _eigh_x(g: Any, y: Any) -> Any:
    (w, v), (gw, gv) = ((z[..., :1, :], z[..., 1:, :]) for z in (y, g))
    one = np.eye(y.shape[-1], dtype=y.dtype)
    inside = mT(v) @ gv
    turned = (inside - mT(inside)) / 2 / (w - mT(w) + one)  # symmetric, as the matrix is
    return v @ (turned + one * gw) @ mT(v)


class Eigh(NamedTuple):
    """What `eigh` returns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


@operation(_eigh, twin=twins.eigh, analytic=False)
def eigh(A: Any, UPLO: str = "L") -> Eigh:
    """Eigenvalues, in ascending order, and eigenvectors of symmetric matrices.

    The signs of the vectors are not determined; where eigenvalues are equal their vectors are not
    either, and have no derivative.

    Parameters
    ----------
    A : Tensor of shape (..., n, n)
        float32 or float64.
    UPLO : {"L", "U"}
        The triangle that is looked at.

    Returns
    -------
    Eigh(eigenvalues, eigenvectors)
        The vectors are columns.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.linalg.eigh(tg.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """
    x = matrices_of("linalg.eigh", A)
    if UPLO not in ("L", "U"):
        raise RuntimeError(f"linalg.eigh: UPLO must be 'L' or 'U', got {UPLO!r}")
    y = eigh.apply(x if UPLO == "L" else mT(x))
    values, vectors = contiguous(squeeze(y[..., :1, :], -2)), y[..., 1:, :]
    return Eigh(*(made_by("LinalgEighBackward0", part) for part in (values, vectors)))


eigh.vjp("x", _eigh_x, formula="V (gw + what turns V) Vᵀ, where y is w above V")


def eigvalsh(A: Any, UPLO: str = "L") -> Tensor:
    """The eigenvalues of symmetric matrices, in ascending order.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.linalg.eigvalsh(tg.tensor([[0.0, 1.0], [1.0, 0.0]]))
    tensor([-1.,  1.])
    """
    return eigh(A, UPLO).eigenvalues


class Eigenvalues:
    """Complex numbers, as what they are measured by; there are no complex tensors here.

    Attributes
    ----------
    real, imag : Tensor
        Their parts.
    """

    def __init__(self, real: Tensor, imag: Tensor) -> None:
        self.real, self.imag = real, imag

    def abs(self) -> Tensor:
        """How far they are from 0."""
        return graph.make_tensor(np.hypot(self.real.array, self.imag.array), None)

    def __abs__(self) -> Tensor:
        return self.abs()

    def angle(self) -> Tensor:
        """Their directions, in radians from −π to π."""
        return graph.make_tensor(np.arctan2(self.imag.array, self.real.array), None)

    def __repr__(self) -> str:
        return f"Eigenvalues(real={self.real}, imag={self.imag})"


def eigvals(A: Any) -> Eigenvalues:
    """The eigenvalues of square matrices, as constants: how fast a recurrence grows or decays.

    ``eigvals(W_hh).abs().max()`` is the spectral radius of a recurrent weight.

    Parameters
    ----------
    A : Tensor of shape (..., n, n)
        float32 or float64.

    Returns
    -------
    Eigenvalues(real, imag)
        In no particular order; with ``abs()`` and ``angle()``.

    Raises
    ------
    RuntimeError
        If gradients would be lost: that is, of what is recorded.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> turn = tg.tensor([[0.0, -0.5], [0.5, 0.0]])
    >>> tg.linalg.eigvals(turn).abs()
    tensor([0.5000, 0.5000])
    """
    x = matrices_of("linalg.eigvals", A)
    if x.requires_grad and here.mode.recording:
        raise RuntimeError(
            "linalg.eigvals: complex eigenvalues have no derivative here; give it x.detach(), or "
            "use linalg.eigvalsh of a symmetric matrix, or linalg.svdvals"
        )
    values = np.linalg.eigvals(x.array)
    parts = (np.ascontiguousarray(part, x.array.dtype) for part in (values.real, values.imag))
    return Eigenvalues(*(graph.make_tensor(part, None) for part in parts))


# -- what follows from singular values ---------------------------------------------------------


def _least_counting(x: Any, rtol: Any) -> Any:
    """Which part of the largest singular value counts as more than 0."""
    return max(x.shape[-2:]) * np.finfo(x.dtype).eps if rtol is None else rtol


def _pinv_x(g: Any, x: Any, y: Any) -> Any:
    """G. H. Golub and V. Pereyra (1973), where the rank stays."""
    above, beside = mT(g) @ y @ mT(y), mT(y) @ y @ mT(g)
    return above - x @ (y @ above) + beside - (beside @ y) @ x - mT(y) @ g @ mT(y)


@operation(
    solved("pinv", lambda x, rtol: np.linalg.pinv(x, rcond=rtol), np.ascontiguousarray),
    twin="linalg.pinv", analytic=False, node="LinalgPinvBackward0",
)  # fmt: skip
def pinv(A: Any, *, rtol: float | None = None) -> Tensor:
    """Moore and Penrose's inverse of matrices of any shape, by their singular values.

    Parameters
    ----------
    A : Tensor of shape (..., m, n)
        float32 or float64.
    rtol : float, optional
        Singular values smaller than the largest times this count as 0; by default the larger size
        times the type's precision.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.linalg.pinv(tg.tensor([[2.0], [0.0]]))
    tensor([[0.5000, 0.0000]])
    """
    x = matrices_of("linalg.pinv", A, square=False)
    given = None if rtol is None else number_of("linalg.pinv", "rtol", rtol)
    return pinv.apply(x, rtol=float(_least_counting(x.array, given)))


pinv.vjp("x", _pinv_x, formula="−yᵀ g yᵀ + (1 − x y) gᵀ y yᵀ + yᵀ y gᵀ (1 − y x)")


def pinverse(input: Any, rcond: float = 1e-15) -> Tensor:
    """`pinv`, whose argument ``rtol`` PyTorch calls otherwise here."""
    return pinv(input, rtol=rcond)


def matrix_rank(A: Any, *, rtol: float | None = None) -> Tensor:
    """How many rows of matrices are independent, as integers.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.linalg.matrix_rank(tg.ones(3, 3))
    tensor(1)
    """
    x = matrices_of("linalg.matrix_rank", A, square=False)
    s = np.linalg.svd(x.array, compute_uv=False)
    least = s.max(-1, keepdims=True, initial=0) * _least_counting(x.array, rtol)
    rank = (s > least).sum(-1)
    return graph.make_tensor(np.asarray(rank, np.int64), None)


def cond(A: Any, p: Any = None) -> Tensor:
    """The condition number of matrices: ‖A‖·‖A⁻¹‖.

    Parameters
    ----------
    A : Tensor of shape (..., m, n)
        float32 or float64.
    p : optional
        The norm, as of `matrix_norm`; by default 2: the quotient of the largest and the smallest
        singular value.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.linalg.cond(tg.tensor([[4.0, 0.0], [0.0, 0.5]]))
    tensor(8.)
    """
    if p in (None, 2, -2):
        s = svdvals(A)
        first, last = s[..., 0], s[..., -1]
        return div(last, first) if p == -2 else div(first, last)
    return matrix_norm(A, p) * matrix_norm(inv(A), p)


class Lstsq(NamedTuple):
    """What `lstsq` returns."""

    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


def lstsq(A: Any, B: Any, rcond: float | None = None) -> Lstsq:
    """What A must be multiplied by to come nearest to B: the readout of an echo-state network, say.

    Parameters
    ----------
    A : Tensor of shape (..., m, n)
        float32 or float64.
    B : Tensor of shape (..., m, k)
        Of the same type.
    rcond : float, optional
        Singular values smaller than the largest times this count as 0.

    Returns
    -------
    Lstsq(solution, residuals, rank, singular_values)
        Residuals and singular values are empty, as they are by PyTorch's default method.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> nearest = tg.linalg.lstsq(tg.tensor([[1.0], [1.0]]), tg.tensor([[1.0], [3.0]])).solution
    >>> nearest.round(decimals=4)
    tensor([[2.]])
    """
    a, b = matrices_of("linalg.lstsq", A, square=False), tensor_of("linalg.lstsq", B)
    if b.array.ndim < 2 or b.array.shape[-2] != a.array.shape[-2]:
        raise RuntimeError(
            f"linalg.lstsq: B of shape {b.array.shape} does not fit A of shape {a.array.shape}"
        )
    solution, rank = matmul(pinv(a, rtol=rcond), b), matrix_rank(a, rtol=rcond)
    residuals, values = (graph.make_tensor(np.empty(0, a.array.dtype), None) for _ in range(2))
    return Lstsq(solution, residuals, rank, values)


def solve_triangular(A: Any, B: Any, *, upper: bool, unitriangular: bool = False) -> Tensor:
    """`solve` of triangles: what is beyond the diagonal of A does not count.

    Parameters
    ----------
    A : Tensor of shape (..., n, n)
        float32 or float64.
    B : Tensor of shape (..., n, k)
    upper : bool
        Which triangle.
    unitriangular : bool
        Whether the diagonal counts as 1, whatever it is.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> A, B = tg.tensor([[2.0, 9.0], [1.0, 1.0]]), tg.tensor([[2.0], [3.0]])
    >>> tg.linalg.solve_triangular(A, B, upper=False)
    tensor([[1.],
            [2.]])
    """
    check_flags("linalg.solve_triangular", upper=upper, unitriangular=unitriangular)
    x, beyond = matrices_of("linalg.solve_triangular", A), int(unitriangular)
    triangle = triu(x, beyond) if upper else tril(x, -beyond)
    if unitriangular:
        triangle = triangle + graph.make_tensor(np.eye(x.array.shape[-1], dtype=x.dtype), None)
    return solve(triangle, B)
