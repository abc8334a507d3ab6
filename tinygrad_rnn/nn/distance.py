"""How near vectors are to each other, as modules."""

from __future__ import annotations

from tinygrad_rnn.nn import functional as F
from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.tensor import Tensor


class CosineSimilarity(Module):
    """x₁·x₂ / (‖x₁‖ ‖x₂‖) along ``dim``: see `nn.functional.cosine_similarity`.

    Parameters
    ----------
    dim : int
    eps : float
        What a norm counts as at least.
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """The similarities."""
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """‖x₁ − x₂ + ε‖ along the last axis: see `nn.functional.pairwise_distance`.

    Parameters
    ----------
    p : float
        Which norm.
    eps : float
    keepdim : bool

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.PairwiseDistance(p=1)(tg.zeros(1, 3), tg.ones(1, 3))
    tensor([3.0000])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """The distances."""
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
