"""Inverses, systems of linear equations, determinants, and functions of square matrices."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.operations.arguments import integer_of, tensor_of
from tinygrad_rnn.operations.decomposition import LinAlgError
from tinygrad_rnn.operations.elementwise import masked_fill
from tinygrad_rnn.operations.linalg import matmul, mT
from tinygrad_rnn.operations.node_names import made_by
from tinygrad_rnn.operations.operation import in_rules, operation
from tinygrad_rnn.operations.promotion import same_dtype
from tinygrad_rnn.operations.shape import clone, contiguous, squeeze, transpose, unsqueeze

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


def by_columns(x: Any) -> Any:
    """Stacked matrices that lie in memory column by column."""
    columns = np.ascontiguousarray(x.swapaxes(-1, -2))
    return columns.swapaxes(-1, -2).copy("K")


def solved(
    name: str, compute: Callable[..., Any], lying: Callable[[Any], Any] = by_columns
) -> Callable[..., Any]:
    """LAPACK's answer, lying in memory as PyTorch's; where there is none, the error it raises."""

    def computed(*arrays: Any, **params: Any) -> Any:
        try:
            return lying(compute(*arrays, **params))
        except np.linalg.LinAlgError as error:
            raise LinAlgError(
                f"linalg.{name}: {str(error).lower()} among those of shape {arrays[0].shape}"
            ) from None

    return computed


def _stacked(name: str, A: Any, square: bool) -> Any:
    """Stacked matrices, of whatever type."""
    x = tensor_of(name, A)
    shape = x.array.shape
    if len(shape) < 2 or (square and shape[-1] != shape[-2]):
        wanted = "square matrices" if square else "matrices"
        raise RuntimeError(f"{name}: expected {wanted}, got shape {shape}")
    return x


def matrices_of(name: str, A: Any, *, square: bool = True) -> Any:
    """Stacked matrices of a type that LAPACK knows."""
    x = _stacked(name, A, square)
    if x.array.dtype not in (np.float32, np.float64):
        raise RuntimeError(f"{name}: only of float32 and float64, not of {x.array.dtype}; convert")
    return x


# -- inverses and systems --------------------------------------------------------------------------


@operation(
    solved("inv", np.linalg.inv),
    twin="linalg.inv", analytic=False, node="LinalgInvExBackward0",
)  # fmt: skip
def inv(A: Any) -> Tensor:
    """The inverses of square matrices; to multiply by one, `solve` is more exact.

    Parameters
    ----------
    A : Tensor of shape (..., n, n)
        float32 or float64.

    Raises
    ------
    RuntimeError
        If the matrices are not square, or the type is another.
    LinAlgError
        If one of them has no inverse; also a RuntimeError.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.linalg.inv(tg.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    return inv.apply(matrices_of("linalg.inv", A))


inv.vjp("x", lambda g, y: -(mT(y) @ g @ mT(y)), formula="−yᵀ @ g @ yᵀ")


def _solve(a: Any, b: Any) -> Any:
    return np.linalg.solve(a, b)


@operation(
    solved("solve", _solve), "a b",
    symbol="{a}⁻¹ {b}", twin="linalg.solve", analytic=False, node="LinalgSolveExBackward0",
)  # fmt: skip
def solve(A: Any, B: Any, *, left: bool = True) -> Tensor:
    """What A must be multiplied by to give B: X in A X = B.

    Parameters
    ----------
    A : Tensor of shape (..., n, n)
        float32 or float64.
    B : Tensor of shape (..., n, k) or (..., n)
        Of the same type. Vectors, if it has one axis, or all axes of A but the last.
    left : bool
        False: X in X A = B.

    Raises
    ------
    RuntimeError
        If the shapes do not fit, or the types differ.
    LinAlgError
        If a matrix is singular; also a RuntimeError.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> A, b = tg.tensor([[2.0, 1.0], [1.0, 3.0]]), tg.tensor([3.0, 5.0])
    >>> x = tg.linalg.solve(A, b)
    >>> x, A @ x
    (tensor([0.8000, 1.4000]), tensor([3., 5.]))
    """
    a, b = matrices_of("linalg.solve", A), tensor_of("linalg.solve", B)
    same_dtype("linalg.solve")((a, b))
    shape, of_b = a.array.shape, b.array.shape
    vectors = len(of_b) == 1 or of_b == shape[:-1]
    if not of_b or of_b[-1 if vectors or not left else -2] != shape[-1]:
        raise RuntimeError(f"linalg.solve: B of shape {of_b} does not fit A of shape {shape}")
    if vectors:
        return made_by("LinalgSolveExBackward0", squeeze(solve.apply(a, unsqueeze(b, -1)), -1))
    if left:
        return solve.apply(a, b)
    return transpose(solve.apply(mT(a), mT(b)), -1, -2)


_solve_in_rules = in_rules(solve)
solve.vjp(
    "a", lambda g, a, y: -(_solve_in_rules(mT(a), g) @ mT(y)), formula="−(a⁻ᵀ @ g) @ yᵀ"
)  # fmt: skip
solve.vjp("b", lambda g, a: _solve_in_rules(mT(a), g), formula="a⁻ᵀ @ g")


# -- determinants ----------------------------------------------------------------------------------


def _inverse_transposed(x: Any) -> Any:
    return mT(in_rules(inv)(x))


@operation(np.linalg.det, twin="linalg.det", analytic=False, node="LinalgDetBackward0")
def det(A: Any) -> Tensor:
    """The determinants of square matrices.

    The derivative at a singular matrix is an error: `linalg.svdvals` says how far one is from it.

    Parameters
    ----------
    A : Tensor of shape (..., n, n)
        float32 or float64.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.linalg.det(tg.tensor([[2.0, 1.0], [1.0, 3.0]]))
    tensor(5.)
    """
    return det.apply(matrices_of("linalg.det", A))


det.vjp(
    "x", lambda g, x, y: (g * y)[..., None, None] * _inverse_transposed(x), formula="g·y·x⁻ᵀ"
)  # fmt: skip


class Slogdet(NamedTuple):
    """What `slogdet` returns."""

    sign: Tensor
    logabsdet: Tensor


def _slogdet(x: Any) -> Any:
    return np.stack(np.linalg.slogdet(x), axis=-1)


@operation(
    _slogdet, twin=lambda torch, x: torch.stack(torch.linalg.slogdet(x), -1), analytic=False
)  # fmt: skip
def slogdet(A: Any) -> Slogdet:
    """The signs of determinants, and the logarithms of their absolute values.

    Parameters
    ----------
    A : Tensor of shape (..., n, n)
        float32 or float64.

    Returns
    -------
    Slogdet(sign, logabsdet)
        0 and −∞ of singular matrices.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.linalg.slogdet(tg.tensor([[0.0, 1.0], [1.0, 0.0]]))
    Slogdet(sign=tensor(-1.), logabsdet=tensor(0.))
    """
    y = slogdet.apply(matrices_of("linalg.slogdet", A))
    return Slogdet(*(made_by("LinalgSlogdetBackward0", contiguous(y[..., i])) for i in (0, 1)))


slogdet.vjp(
    "x", lambda g, x: g[..., 1, None, None] * _inverse_transposed(x), formula="g·x⁻ᵀ"
)  # fmt: skip


def logdet(input: Any) -> Tensor:
    """The logarithms of determinants; NaN of negative ones.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.logdet(tg.eye(3) * 2)
    tensor(2.0794)
    """
    sign, logabsdet = slogdet(input)
    return made_by("WhereBackward0", masked_fill(logabsdet, sign < 0, math.nan))


# -- functions of matrices -------------------------------------------------------------------------


def matrix_power(input: Any, n: int) -> Tensor:
    """The n-th power of square matrices; of their inverses, if n is negative.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.linalg.matrix_power(tg.tensor([[1.0, 1.0], [1.0, 0.0]]), 10)
    tensor([[89., 55.],
            [55., 34.]])
    """
    x = _stacked("linalg.matrix_power", input, square=True)
    times = integer_of("linalg.matrix_power", "n", n)
    if times < 0:
        x, times = inv(x), -times
    if not times:
        shape = x.array.shape
        one = np.broadcast_to(np.eye(shape[-1], dtype=x.array.dtype), shape)
        return graph.make_tensor(one.copy(), None)
    power = None
    while times:  # by the binary digits of n
        if times % 2:
            power = x if power is None else matmul(power, x)
        times //= 2
        x = matmul(x, x) if times else x
    return clone(power) if n == 1 else power  # type: ignore[return-value]


_TERMS = 18  # of the exponential's series for matrices of norm ½: the next is below 1e-23


def _matrix_exp(x: Any) -> Any:
    """Taylor's series of x / 2ᵏ, squared k times; in double precision."""
    wide = np.asarray(x, np.float64)
    norm = np.abs(wide).sum(-2).max(initial=0)
    halvings = max(0, math.ceil(math.log2(norm)) + 1) if 0 < norm < math.inf else 0
    small = wide / 2.0**halvings
    term = total = np.broadcast_to(np.eye(x.shape[-1]), x.shape)
    for k in range(1, _TERMS + 1):
        term = term @ small / k
        total = total + term
    for _ in range(halvings):
        total = total @ total
    return np.array(total, x.dtype)


@operation(
    _matrix_exp,
    symbol="exp({x})", twin="linalg.matrix_exp", analytic=False, node="LinalgMatrixExpBackward0",
)  # fmt: skip
def matrix_exp(A: Any) -> Tensor:
    """The exponential of square matrices, I + A + A²/2 + A³/6 + …

    That of A − Aᵀ is orthogonal, so that recurrent weights made of it neither stretch nor shrink.

    Parameters
    ----------
    A : Tensor of shape (..., n, n)
        float32 or float64.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> rotation = tg.linalg.matrix_exp(tg.tensor([[0.0, -1.0], [1.0, 0.0]]))
    >>> tg.allclose(rotation @ rotation.T, tg.eye(2), atol=1e-6)
    True
    """
    return matrix_exp.apply(matrices_of("linalg.matrix_exp", A))


def _matrix_exp_x(g: Any, x: Any) -> Any:
    """How exp(xᵀ) moves with its argument in the direction of g: a block of a larger exponential.

    R. Mathias, *A chain rule for matrix functions and applications* (1996), theorem 2.1.
    """
    n, xt = x.shape[-1], mT(x)
    upper = np.concatenate([xt, g], axis=-1)
    lower = np.concatenate([np.zeros(x.shape, x.dtype), xt], axis=-1)
    return in_rules(matrix_exp)(np.concatenate([upper, lower], axis=-2))[..., :n, n:]


matrix_exp.vjp("x", _matrix_exp_x, formula="the derivative of exp at xᵀ along g")
