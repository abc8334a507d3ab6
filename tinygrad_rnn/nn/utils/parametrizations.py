"""Parametrizations of weights: orthogonal ones, of bounded norm, and as length and direction."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.nn.conv import ConvTranspose1d, ConvTranspose2d
from tinygrad_rnn.nn.functional import normalize, pad
from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.nn.utils.parametrize import register_parametrization, tensor_of
from tinygrad_rnn.nn.utils.weight_norm import length, of_length
from tinygrad_rnn.operations import cat, dot, mv
from tinygrad_rnn.operations.systems import matrix_exp, solve
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.creation import eye
from tinygrad_rnn.tensor.random import randn

M = TypeVar("M", bound=Module)


# -- length and direction --------------------------------------------------------------------------


class _WeightNorm(Module):
    def __init__(self, dim: int | None) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return of_length(weight_g, weight_v, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return length(weight, self.dim), weight


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Let a weight be a length times a direction: https://arxiv.org/abs/1602.07868.

    Parameters
    ----------
    module : Module
        It is changed, and returned.
    name : str
        Of the parameter; ``parametrizations.weight.original0`` is its length then, and
        ``original1`` its direction.
    dim : int, optional
        Each slice along it has a length of its own; ``None``: the whole has one.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> layer = tg.nn.utils.parametrizations.weight_norm(tg.nn.Linear(2, 3))
    >>> [(name, tuple(p.shape)) for name, p in layer.named_parameters()][1]
    ('parametrizations.weight.original0', (3, 1))
    """
    return register_parametrization(module, name, _WeightNorm(dim), unsafe=True)


# -- orthogonal ------------------------------------------------------------------------------------


class _Orthogonal(Module):
    base: Tensor | None

    def __init__(self, kind: str, use_trivialization: bool) -> None:
        super().__init__()
        self.kind, self.trivial = kind, use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Tensor) -> Tensor:
        wide = X.shape[-2] < X.shape[-1]
        tall = X.mT if wide else X
        Q = _reflections(tall) if self.kind == "householder" else self._turned(tall)
        if self.trivial and self.base is not None:
            Q = self.base @ Q
        return Q.mT if wide else Q

    def _turned(self, X: Tensor) -> Tensor:
        """The orthogonal matrix of a skew one: its exponential, or by Cayley's formula."""
        n, k = X.shape[-2:]
        lower = X.tril()
        A = pad(lower, (0, n - k)) if n > k else lower
        A = A - A.mT
        if self.kind == "matrix_exp":
            return matrix_exp(A)[..., :k]
        one = eye(n, dtype=A.dtype)
        return solve(one - A / 2, one + A / 2)[..., :k]

    def right_inverse(self, Q: Tensor) -> Tensor:
        if not self.trivial:
            return self._reflectors(Q)
        tall = Q.mT if Q.shape[-2] < Q.shape[-1] else Q
        *batch, n, k = tall.shape
        square = cat([tall, randn(*batch, n, n - k, dtype=Q.dtype)], -1)
        q, r = np.linalg.qr(square.array)
        signs = np.sign(np.diagonal(r, axis1=-2, axis2=-1))
        self.base = graph.make_tensor(q * signs[..., None, :], None)
        start = np.zeros(Q.shape, Q.array.dtype)
        start[..., range(k), range(k)] = -1
        return graph.make_tensor(start, None)

    def _reflectors(self, Q: Tensor) -> Tensor:
        if self.kind != "householder":
            raise NotImplementedError(
                f"orthogonal: without use_trivialization there is no inverse of {self.kind!r}; "
                "use orthogonal_map='householder'"
            )
        wide = Q.shape[-2] < Q.shape[-1]
        h, tau = np.linalg.qr(Q.mT.array if wide else Q.array, mode="raw")
        A = h.swapaxes(-1, -2).copy()
        diagonal = np.einsum("...ii->...i", A[..., : A.shape[-1], :])
        diagonal[...] = np.sign(diagonal) * np.where(tau == 0, -1, 1)
        return graph.make_tensor(A.swapaxes(-1, -2).copy() if wide else A, None)


def _reflections(X: Tensor) -> Tensor:
    """The product of the reflections by the columns below the diagonal, with its signs there."""
    n, k = X.shape[-2:]
    Q = eye(n, k, dtype=X.dtype)
    below = X.tril(-1)
    for i in reversed(range(k)):
        v = below[..., i] + eye(n, dtype=X.dtype)[i]
        tau = 2 / (v * v).sum(-1, keepdim=True)
        Q = Q - (tau * v).unsqueeze(-1) * (v.unsqueeze(-2) @ Q)
    return Q * X.diagonal(0, -2, -1).detach().trunc().unsqueeze(-2)


def orthogonal(
    module: M,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> M:
    """Let a weight be a matrix with orthonormal columns, or rows: it keeps lengths.

    What goes through a recurrent weight of that kind neither vanishes nor explodes:
    https://arxiv.org/abs/1901.08428.

    Parameters
    ----------
    module : Module
        It is changed, and returned.
    name : str
    orthogonal_map : {"matrix_exp", "cayley", "householder"}, optional
        How it is made of what is learned; by default the exponential if it is square, else by
        reflections.
    use_trivialization : bool
        Whether it starts at the orthogonal matrix that is next to its present value.

    Raises
    ------
    ValueError
        If the weight is no matrix, or there is no such map.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> rnn = tg.nn.utils.parametrizations.orthogonal(tg.nn.RNN(2, 3), "weight_hh_l0")
    >>> W = rnn.weight_hh_l0.detach()
    >>> tg.allclose(W @ W.T, tg.eye(3), atol=1e-6)
    True
    """
    weight = tensor_of(module, name)
    if weight.ndim < 2:
        raise ValueError(f"orthogonal: expected a matrix, but {name!r} has shape {weight.shape}")
    square = weight.shape[-1] == weight.shape[-2]
    kind = orthogonal_map or ("matrix_exp" if square else "householder")
    if kind not in ("matrix_exp", "cayley", "householder"):
        raise ValueError(
            f"orthogonal: orthogonal_map must be 'matrix_exp', 'cayley' or 'householder', got "
            f"{kind!r}"
        )
    return register_parametrization(
        module, name, _Orthogonal(kind, use_trivialization), unsafe=True
    )


# -- of bounded norm -------------------------------------------------------------------------------


class _SpectralNorm(Module):
    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int, dim: int, eps: float) -> None:
        super().__init__()
        self.n_power_iterations, self.dim, self.eps = n_power_iterations, dim, eps
        if weight.ndim > 1:
            matrix = self._matrix(weight.detach())
            u, v = (matrix.new_empty(n).normal_() for n in matrix.shape)
            self.register_buffer("_u", normalize(u, dim=0, eps=eps))
            self.register_buffer("_v", normalize(v, dim=0, eps=eps))
            self._iterate(matrix, 15)

    def _matrix(self, weight: Tensor) -> Tensor:
        return weight.movedim(self.dim, 0).flatten(1)

    def _iterate(self, matrix: Tensor, times: int) -> None:
        """Turn both vectors towards those of the largest singular value."""
        W = matrix.detach()
        for _ in range(times):
            self._u = normalize(mv(W, self._v), dim=0, eps=self.eps)
            self._v = normalize(mv(W.T, self._u), dim=0, eps=self.eps)

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return normalize(weight, dim=0, eps=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            self._iterate(matrix, self.n_power_iterations)
        return weight / dot(self._u, mv(matrix, self._v))

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> M:
    """Let a weight be divided by its largest singular value: https://arxiv.org/abs/1802.05957.

    Parameters
    ----------
    module : Module
        It is changed, and returned.
    name : str
    n_power_iterations : int
        By how many steps of the power method that value is estimated anew at each reading in
        training.
    eps : float
        What lengths are at least.
    dim : int, optional
        The axis that is the matrix's rows; by default 0, and 1 for transposed convolutions.

    Raises
    ------
    ValueError
        If there are less than one iteration.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> layer = tg.nn.utils.parametrizations.spectral_norm(tg.nn.Linear(2, 2))
    >>> tg.linalg.svdvals(layer.weight.detach())[0].round(decimals=4)
    tensor(1.)
    """
    if n_power_iterations < 1:
        raise ValueError(
            f"spectral_norm: n_power_iterations must be 1 or more, got {n_power_iterations}"
        )
    if dim is None:
        dim = int(isinstance(module, ConvTranspose1d | ConvTranspose2d))
    made = _SpectralNorm(tensor_of(module, name), n_power_iterations, dim, eps)
    return register_parametrization(module, name, made)


def __dir__() -> list[str]:
    return __all__


__all__ = ["orthogonal", "spectral_norm", "weight_norm"]
