"""Loss functions as modules: `nn.functional`'s, with their options kept."""

from __future__ import annotations

from typing import Any

from tinygrad_rnn.nn import functional as F
from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.operations.loss import reduction_by_flags
from tinygrad_rnn.tensor import Tensor


class _Loss(Module):
    """A loss with a reduction: "none", "mean" or "sum"; PyTorch's older flags are understood."""

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.reduction = reduction_by_flags(name, size_average, reduce, reduction)


class _WeightedLoss(_Loss):
    """A loss with weights, which are a buffer."""

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class MSELoss(_Loss):
    """(x − t)²: see `nn.functional.mse_loss`.

    Parameters
    ----------
    size_average, reduce
        Deprecated in favour of ``reduction``.
    reduction : "none", "mean" or "sum"

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.MSELoss()(tg.tensor([1.0, 3.0]), tg.tensor([1.0, 1.0]))
    tensor(2.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """|x − t|: see `nn.functional.l1_loss`.

    Parameters
    ----------
    size_average, reduce
        Deprecated in favour of ``reduction``.
    reduction : "none", "mean" or "sum"
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return F.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """|x − t|, rounded off by a parabola below ``beta``: see `nn.functional.smooth_l1_loss`.

    Parameters
    ----------
    size_average, reduce
        Deprecated in favour of ``reduction``.
    reduction : "none", "mean" or "sum"
    beta : float
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """(x − t)²/2, straight beyond ``delta``: see `nn.functional.huber_loss`.

    Parameters
    ----------
    reduction : "none", "mean" or "sum"
    delta : float
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class CrossEntropyLoss(_WeightedLoss):
    """−ln softmax(x) at the target class: see `nn.functional.cross_entropy`.

    Parameters
    ----------
    weight : Tensor of shape (classes,), optional
    ignore_index : int
        A target that does not count.
    size_average, reduce
        Deprecated in favour of ``reduction``.
    reduction : "none", "mean" or "sum"
    label_smoothing : float

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.CrossEntropyLoss()(tg.tensor([[2.0, 0.0]]), tg.tensor([0]))
    tensor(0.1269)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return F.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(_WeightedLoss):
    """−x at the target class, x being log-probabilities: see `nn.functional.nll_loss`.

    Parameters
    ----------
    weight : Tensor of shape (classes,), optional
    ignore_index : int
        A target that does not count.
    size_average, reduce
        Deprecated in favour of ``reduction``.
    reduction : "none", "mean" or "sum"
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return F.nll_loss(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class BCELoss(_WeightedLoss):
    """−t ln x − (1 − t) ln(1 − x): see `nn.functional.binary_cross_entropy`.

    Parameters
    ----------
    weight : Tensor, optional
        Multiplies each element's loss.
    size_average, reduce
        Deprecated in favour of ``reduction``.
    reduction : "none", "mean" or "sum"
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_WeightedLoss):
    """`BCELoss` of σ(x), exact: see `nn.functional.binary_cross_entropy_with_logits`.

    Parameters
    ----------
    weight : Tensor, optional
        Multiplies each element's loss.
    size_average, reduce
        Deprecated in favour of ``reduction``.
    reduction : "none", "mean" or "sum"
    pos_weight : Tensor, optional
        Multiplies the part of positive targets.
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class KLDivLoss(_Loss):
    """t (ln t − x), x being log-probabilities: see `nn.functional.kl_div`.

    Parameters
    ----------
    size_average, reduce
        Deprecated in favour of ``reduction``.
    reduction : "none", "mean", "sum" or "batchmean"
        "batchmean" is the divergence by its definition.
    log_target : bool
        Whether targets are log-probabilities too.
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class GaussianNLLLoss(_Loss):
    """(ln σ² + (x − t)² / σ²) / 2: see `nn.functional.gaussian_nll_loss`.

    Parameters
    ----------
    full : bool
        Whether to add the constant ln(2π) / 2.
    eps : float
        What a variance counts as at least.
    reduction : "none", "mean" or "sum"
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Any, target: Any, var: Any) -> Tensor:
        """The loss."""
        return F.gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)


class PoissonNLLLoss(_Loss):
    """eˣ − t x, x being the logarithm of a mean: see `nn.functional.poisson_nll_loss`.

    Parameters
    ----------
    log_input : bool
        Whether inputs are logarithms of means, not means.
    full : bool
        Whether to add Stirling's approximation of ln t!.
    size_average, reduce
        Deprecated in favour of ``reduction``.
    eps : float
        Keeps the logarithm of a mean away from that of 0.
    reduction : "none", "mean" or "sum"
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return F.poisson_nll_loss(
            log_input,
            target,
            log_input=self.log_input,
            full=self.full,
            eps=self.eps,
            reduction=self.reduction,
        )


class CTCLoss(_Loss):
    """−ln p of a labelling, over all its alignments: see `nn.functional.ctc_loss`.

    Parameters
    ----------
    blank : int
        The class that stands for no label.
    reduction : "none", "mean" or "sum"
    zero_infinity : bool
        Whether an input that is too short for its labels gives 0 instead of infinity.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> log_p = tg.randn(6, 2, 5).log_softmax(-1)  # 6 steps, 2 sequences, 4 labels and blank
    >>> tg.nn.CTCLoss()(log_p, tg.tensor([[1, 2, 2], [4, 0, 0]]), (6, 5), (3, 1)).shape
    torch.Size([])
    """

    def __init__(
        self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False
    ) -> None:
        super().__init__(reduction=reduction)
        self.blank, self.zero_infinity = blank, zero_infinity

    def forward(
        self, log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any
    ) -> Tensor:
        """The loss."""
        return F.ctc_loss(
            log_probs, targets, input_lengths, target_lengths,
            self.blank, self.reduction, self.zero_infinity,
        )  # fmt: skip
