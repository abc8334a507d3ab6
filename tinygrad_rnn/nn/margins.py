"""Losses that ask for a distance, as modules: `nn.functional`'s, with their options kept."""

from __future__ import annotations

from collections.abc import Callable

from tinygrad_rnn.nn import functional as F
from tinygrad_rnn.nn.criterion import _Loss, _WeightedLoss
from tinygrad_rnn.nn.distance import PairwiseDistance
from tinygrad_rnn.tensor import Tensor


class HingeEmbeddingLoss(_Loss):
    """x or max(0, margin − x), by the target: see `nn.functional.hinge_embedding_loss`.

    Parameters
    ----------
    margin : float
    size_average, reduce
        Deprecated in favour of ``reduction``.
    reduction : "none", "mean" or "sum"
    """

    def __init__(
        self,
        margin: float = 1.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return F.hinge_embedding_loss(input, target, self.margin, reduction=self.reduction)


class MarginRankingLoss(_Loss):
    """max(0, margin − t (x₁ − x₂)): see `nn.functional.margin_ranking_loss`.

    Parameters
    ----------
    margin : float
    size_average, reduce
        Deprecated in favour of ``reduction``.
    reduction : "none", "mean" or "sum"
    """

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return F.margin_ranking_loss(input1, input2, target, self.margin, reduction=self.reduction)


class CosineEmbeddingLoss(_Loss):
    """1 − cos or max(0, cos − margin): see `nn.functional.cosine_embedding_loss`.

    Parameters
    ----------
    margin : float
    size_average, reduce
        Deprecated in favour of ``reduction``.
    reduction : "none", "mean" or "sum"
    """

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return F.cosine_embedding_loss(
            input1, input2, target, self.margin, reduction=self.reduction
        )


class SoftMarginLoss(_Loss):
    """ln(1 + exp(−t x)): see `nn.functional.soft_margin_loss`.

    Parameters
    ----------
    size_average, reduce
        Deprecated in favour of ``reduction``.
    reduction : "none", "mean" or "sum"
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """−t ln σ(x) − (1 − t) ln σ(−x): see `nn.functional.multilabel_soft_margin_loss`.

    Parameters
    ----------
    weight : Tensor of shape (classes,), optional
    size_average, reduce
        Deprecated in favour of ``reduction``.
    reduction : "none", "mean" or "sum"
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return F.multilabel_soft_margin_loss(input, target, self.weight, reduction=self.reduction)


class TripletMarginLoss(_Loss):
    """max(0, margin + d(a, p) − d(a, n)): see `nn.functional.triplet_margin_loss`.

    Parameters
    ----------
    margin : float
        Positive.
    p, eps : float
        Of the distance d, a `PairwiseDistance`.
    swap : bool
        Whether to take for d(a, n) the smaller of itself and d(p, n).
    size_average, reduce
        Deprecated in favour of ``reduction``.
    reduction : "none", "mean" or "sum"

    Raises
    ------
    ValueError
        If the margin is not positive.
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        _check_margin(type(self).__name__, margin)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """The loss."""
        return F.triplet_margin_loss(
            anchor,
            positive,
            negative,
            margin=self.margin,
            p=self.p,
            eps=self.eps,
            swap=self.swap,
            reduction=self.reduction,
        )


class TripletMarginWithDistanceLoss(_Loss):
    """`TripletMarginLoss` with a distance of one's own.

    Parameters
    ----------
    distance_function : function of two Tensors, optional
        `PairwiseDistance` if absent.
    margin, swap, reduction
        As of `TripletMarginLoss`.
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        _check_margin(type(self).__name__, margin)
        self.distance_function = distance_function or PairwiseDistance()
        self.margin, self.swap = margin, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """The loss."""
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )


def _check_margin(name: str, margin: float) -> None:
    if not margin > 0:
        raise ValueError(f"{name}: margin must be positive, got {margin}")
