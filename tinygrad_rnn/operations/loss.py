"""Loss functions: how far predictions are from targets, as one number or per element."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.errors import silent
from tinygrad_rnn.engine.sums import Part
from tinygrad_rnn.operations import twins
from tinygrad_rnn.operations.activation import hardtanh, log1pexp, log_softmax, logsigmoid, sigmoid
from tinygrad_rnn.operations.arguments import broadcasts, check_range, number_of, tensor_of
from tinygrad_rnn.operations.arithmetic import mul, sub
from tinygrad_rnn.operations.elementwise import abs, exp, log, square, where
from tinygrad_rnn.operations.indexing import add_slices
from tinygrad_rnn.operations.memory import first_decides
from tinygrad_rnn.operations.node_names import made_by
from tinygrad_rnn.operations.operation import in_rules, operation
from tinygrad_rnn.operations.promotion import floats, promoted, to_dtype
from tinygrad_rnn.operations.reduction import mean, sum
from tinygrad_rnn.operations.shape import reshape
from tinygrad_rnn.operations.traits import primitive

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

REDUCTIONS = ("none", "mean", "sum")
_sigma = in_rules(sigmoid)


def reduction_of(
    name: str, size_average: bool | None, reduce: bool | None, reduction: str, *more: str
) -> str:
    """The reduction asked for, be it by PyTorch's older flags, if it is one of those there are."""
    reduction = reduction_by_flags(name, size_average, reduce, reduction)
    check_reduction(name, reduction, *more)
    return reduction


def reduction_by_flags(
    name: str, size_average: bool | None, reduce: bool | None, reduction: str
) -> str:
    """What PyTorch's older flags stand for, with a warning; without them ``reduction``."""
    if size_average is None and reduce is None:
        return reduction
    warnings.warn(f"{name}: size_average and reduce are deprecated; pass reduction", stacklevel=4)
    if reduce is False:
        return "none"
    return "sum" if size_average is False else "mean"


def check_reduction(name: str, reduction: str, *more: str) -> None:
    """Raise unless a reduction is one of those that there are."""
    if reduction not in (*REDUCTIONS, *more):
        known = ", ".join(map(repr, (*REDUCTIONS, *more)))
        raise ValueError(f"{name}: reduction must be one of {known}, not {reduction!r}")


def reduced(losses: Tensor, reduction: str, total: Any = None) -> Tensor:
    """Losses per element, their sum, or their mean (``total``: what the sum is divided by)."""
    if reduction == "none":
        return losses
    if reduction == "sum":
        return sum(losses)
    return mean(losses) if total is None else sum(losses) / total


# -- regression --


def _difference(name: str, input: Any, target: Any) -> Any:
    """``input − target`` in floating point, with a warning if one of them is broadcast."""
    x, t = tensor_of(name, input), tensor_of(name, target)
    if x.shape != t.shape:
        warnings.warn(
            f"{name}: the target's shape {t.array.shape} is not the input's, {x.array.shape}; they "
            "are broadcast, which is seldom meant. Give both the same shape.",
            stacklevel=3,
        )
    d = sub(*_without_bools(name, x, t))
    if d.dtype.kind != "f":
        raise RuntimeError(
            f"{name}: not defined for {d.array.dtype} tensors; convert them to floats"
        )
    return d


def _without_bools(name: str, x: Any, t: Any) -> tuple[Any, Any]:
    """Bools beside floats as numbers, where PyTorch's losses take them: labels, as a rule."""
    if name in ("mse_loss", "smooth_l1_loss"):
        if x.dtype.kind == "f" and t.dtype.kind == "b":
            t = to_dtype(t, x.dtype)
        elif x.dtype.kind == "b" and t.dtype.kind == "f":
            x = to_dtype(x, t.dtype)
    return x, t


def _weighted(name: str, losses: Any, input: Any, weight: Any, reduction: str) -> Tensor:
    """Reduce losses that may have weights; the mean is then the sum over that of the weights."""
    if weight is None:
        return reduced(losses, reduction)
    w = _element_weights(name, input, weight)
    total = sum(w) if reduction == "mean" else None
    return reduced(mul(losses, w), reduction, total)


def _element_weights(name: str, input: Any, weight: Any) -> Any:
    w = tensor_of(name, weight)
    if w.shape != input.shape:
        raise ValueError(
            f"{name}: expected a weight of shape {input.array.shape}, got {w.array.shape}"
        )
    return w


def mse_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Tensor:
    """Squared error (x − t)².

    Parameters
    ----------
    input, target : Tensors of one shape
        Others that broadcast are accepted with a warning.
    size_average, reduce
        Deprecated in favour of ``reduction``.
    reduction : "none", "mean" or "sum"
    weight : Tensor of the same shape, optional
        Multiplies each element's loss; the mean is then divided by the sum of the weights.

    Raises
    ------
    ValueError
        If ``reduction`` is something else.
    RuntimeError
        If the shapes do not broadcast, or neither tensor is floating-point.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.mse_loss(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
    tensor(2.)
    """
    reduction = reduction_of("mse_loss", size_average, reduce, reduction)
    losses = square(_difference("mse_loss", input, target))
    return made_by("MseLossBackward0", _weighted("mse_loss", losses, input, weight, reduction))


def l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Tensor:
    """Absolute error |x − t|; its derivative where they are equal is 0. Arguments of `mse_loss`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.l1_loss(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
    tensor(1.)
    """
    reduction = reduction_of("l1_loss", size_average, reduce, reduction)
    losses = abs(_difference("l1_loss", input, target))
    return _weighted("l1_loss", losses, input, weight, reduction)


_clipped = in_rules(hardtanh)


@silent
def _huber(d: Any, *, delta: float, slope: float) -> Any:
    size = np.abs(d)
    return np.where(size < delta, d * d * (0.5 * slope / delta), (size - 0.5 * delta) * slope)


# straight from |d| = delta on, where it has this slope
huber = primitive(
    "huber", _huber, "d", prepare=floats("huber_loss"), twin=twins.huber, analytic=False
)
huber.vjp(
    "d",
    lambda g, d, delta, slope: g * (_clipped(d, low=-delta, high=delta) * (slope / delta)),
    formula="slope/delta·g ⊙ clip(d, −delta, delta)",
)


def smooth_l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """With d = |x − t|: d² / 2β where d < β, else d − β/2; for β = 0 the same as `l1_loss`.

    Raises
    ------
    RuntimeError
        If ``beta`` is negative.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.smooth_l1_loss(tg.tensor([1.0, 2.0]), tg.tensor([1.5, 4.0]))
    tensor(0.8125)
    """
    reduction = reduction_of("smooth_l1_loss", size_average, reduce, reduction)
    beta = number_of("smooth_l1_loss", "beta", beta)
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss: beta must not be negative, got {beta}")
    d = _difference("smooth_l1_loss" if beta else "l1_loss", input, target)
    losses = huber.apply(d, delta=beta, slope=1.0) if beta else abs(d)
    return made_by("SmoothL1LossBackward0", reduced(losses, reduction))


def huber_loss(
    input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None
) -> Tensor:
    """With d = |x − t|: d² / 2 where d < δ, else δ · (d − δ/2).

    The other arguments are those of `mse_loss`, but a mean with weights is divided by the number
    of elements.

    Raises
    ------
    RuntimeError
        If ``delta`` is not positive.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.huber_loss(tg.tensor([1.0, 2.0]), tg.tensor([1.5, 4.0]))
    tensor(0.8125)
    """
    reduction = reduction_of("huber_loss", None, None, reduction)
    d = _difference("huber_loss", input, target)
    delta = number_of("huber_loss", "delta", delta)
    if not delta > 0:
        raise RuntimeError(f"huber_loss: delta must be positive, got {delta}")
    losses = huber.apply(d, delta=delta, slope=delta)
    if weight is not None:
        losses = mul(losses, _element_weights("huber_loss", input, weight))
    return made_by("HuberLossBackward0", reduced(losses, reduction))


# -- classes --


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """−ln softmax(x) at the target classes, or on average over the targets' probabilities.

    Parameters
    ----------
    input : Tensor of shape (C,), (N, C) or (N, C, d₁, …)
        Scores, not normalized, of C classes.
    target : Tensor of int64, of shape (), (N,) or (N, d₁, …); or of floats, of the input's shape
        Classes; or probabilities of all classes.
    weight : Tensor of shape (C,), optional
        Of each class. The mean over classes is divided by the weights of the targets.
    size_average, reduce
        Deprecated in favour of ``reduction``.
    ignore_index : int
        A target that does not count, of classes only.
    reduction : "none", "mean" or "sum"
        The mean of nothing (all ignored) is NaN.
    label_smoothing : float
        ε: targets become a mixture of (1 − ε) themselves and ε uniform probabilities.

    Raises
    ------
    ValueError
        If the batch sizes differ, or ``reduction`` is unknown.
    RuntimeError
        If other sizes or types do not fit.
    IndexError
        If a target is not one of the C classes.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> scores = tg.tensor([[0.0, 0.0], [2.0, 0.0]])
    >>> tg.nn.functional.cross_entropy(scores, tg.tensor([1, 0]), reduction="none")
    tensor([0.6931, 0.1269])
    """
    name = "cross_entropy"
    reduction = reduction_of(name, size_average, reduce, reduction)
    x, t = tensor_of(name, input), tensor_of(name, target)
    label_smoothing = number_of(name, "label_smoothing", label_smoothing)
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"{name}: label_smoothing must be from 0 to 1, got {label_smoothing}")
    if x.shape == t.shape:
        if ignore_index >= 0:
            raise RuntimeError(f"{name}: ignore_index is for classes, these are probabilities")
        return _soft_cross_entropy(x, t, weight, reduction, label_smoothing)
    _check_classes(name, x, t)
    dim = min(x.ndim - 1, 1)
    y = log_softmax(x, dim)
    losses, kept, total = _nll(name, y, t, weight, ignore_index)
    if label_smoothing:
        share = label_smoothing / max(x.shape[dim], 1)
        uniform = sum(_times_weight(name, y, weight, dim), dim)
        uniform = where(graph.make_tensor(kept, None), uniform, 0.0)
        losses = losses * (1 - label_smoothing) - uniform * share
    loss = reduced(losses, reduction, total)
    if not label_smoothing:
        return made_by(_nll_of(x), loss)
    return loss if reduction == "none" else made_by("AddBackward0", loss)


def _soft_cross_entropy(
    x: Any, t: Any, weight: Any, reduction: str, label_smoothing: float
) -> Tensor:
    """Cross entropy with probabilities for targets."""
    name = "cross_entropy"
    if t.dtype.kind != "f":
        raise RuntimeError(
            f"{name}: targets of the input's shape are probabilities and must be floating-point, "
            f"not {t.array.dtype}; classes have the shape without the axis of classes"
        )
    dim = min(x.ndim - 1, 1)
    classes = x.shape[dim] if x.ndim else 1
    if label_smoothing:
        t = t * (1 - label_smoothing) + label_smoothing / max(classes, 1)
    y = _times_weight(name, log_softmax(x, dim), weight, dim)
    losses = -sum(y * t, dim)
    loss = reduced(losses, reduction, losses.numel())
    return made_by("DivBackward1", loss) if reduction == "mean" else loss


def _times_weight(name: str, y: Any, weight: Any, dim: int) -> Any:
    """``y`` times the weight of each class, an axis of it."""
    if weight is None:
        return y
    w = tensor_of(name, weight)
    _check_weight(name, w, y.shape[dim])
    return y * reshape(w, (-1,) + (1,) * (y.ndim - dim - 1))


def _check_weight(name: str, weight: Any, classes: int) -> None:
    if weight.shape != (classes,):
        raise RuntimeError(
            f"{name}: expected a weight of shape ({classes},), one for each class, got "
            f"{weight.array.shape}"
        )


# ``index`` picks each target's class; ``weight`` is that of the class, and 0 where not ``kept``
@operation(
    lambda x, *, index, weight, kept: np.where(kept, x[index] * -weight, x.dtype.type(0)),
    "x",
    prepare=floats("nll_loss"),
    twin=twins.nll_loss,
    expects="log-probabilities",
    target=lambda index, kept, **_: np.ma.masked_array(index[min(len(index) - 1, 1)], ~kept),
)
def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """−x at the target classes, for x the logarithms of probabilities (see `log_softmax`).

    The arguments, shapes and errors are those of `cross_entropy` with classes for targets.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> log_p = tg.log(tg.tensor([[0.5, 0.5], [0.9, 0.1]]))
    >>> tg.nn.functional.nll_loss(log_p, tg.tensor([1, 0]), reduction="none")
    tensor([0.6931, 0.1054])
    """
    reduction = reduction_of("nll_loss", size_average, reduce, reduction)
    x, t = tensor_of("nll_loss", input), tensor_of("nll_loss", target)
    _check_classes("nll_loss", x, t)
    losses, _, total = _nll("nll_loss", x, t, weight, ignore_index)
    return made_by(_nll_of(x), reduced(losses, reduction, total))


def _nll_of(x: Any) -> str:
    return "NllLossBackward0" if x.ndim <= 2 else "NllLoss2DBackward0"


nll_loss.vjp(
    "x",
    lambda g, index, weight, kept: Part(np.where(kept, g * -weight, 0), index, add_slices),
    formula="−weight ⊙ g at the target, else 0",
)


def _check_classes(name: str, x: Any, t: Any) -> None:
    """Raise unless targets are classes, of a shape that fits the input's."""
    message = (
        f"{name}: a target of shape {t.array.shape} does not fit an input of shape "
        f"{x.array.shape}: "
    )
    if not x.ndim:
        raise ValueError(message + "it needs an axis of classes")
    if x.ndim <= 2 and t.ndim > 1:
        raise RuntimeError(message + "it must have one axis less (or be floats, of the same shape)")
    if x.ndim == 1 and t.shape not in ((), (1,)):
        raise ValueError(message + "it must have one element")
    if x.ndim > 1 and t.shape[:1] != x.shape[:1]:
        raise ValueError(message + "the batch sizes differ")
    if x.ndim > 1 and t.shape[1:] != x.shape[2:]:
        raise RuntimeError(message + f"expected {(x.shape[0], *x.shape[2:])}")
    if t.dtype not in (np.int64, np.uint8):
        raise RuntimeError(f"{name}: classes must be int64, not {t.array.dtype}")


def _nll(name: str, x: Any, t: Any, weight: Any, ignore_index: int) -> tuple[Any, Any, Any]:
    """The losses, which targets count, and the sum of their weights (``None``: all count once)."""
    dim = min(x.ndim - 1, 1)
    classes, targets = x.shape[dim], t.array.reshape(() if x.ndim == 1 else t.shape).copy()
    kept = np.asarray(targets != ignore_index)
    safe = targets if kept.all() else np.where(kept, targets, 0)
    check_range(name, targets[kept], classes)
    if weight is None:
        chosen, total = x.dtype.type(1), None if safe is targets else np.count_nonzero(kept)
    else:
        chosen = _class_weights(name, weight, x, classes)[safe]
        total = np.where(kept, chosen, 0).sum(dtype=x.dtype).item()
    grid = [np.arange(n).reshape((-1,) + (1,) * i) for i, n in enumerate(targets.shape[::-1])]
    index = (*grid[::-1][:dim], safe, *grid[::-1][dim:])
    return nll_loss.apply(x, index=index, weight=chosen, kept=kept), kept, total


def _class_weights(name: str, weight: Any, x: Any, classes: int) -> Any:
    """The array of the weights of classes whose targets are given."""
    w = tensor_of(name, weight)
    _check_weight(name, w, classes)
    if w.dtype != x.dtype:
        raise RuntimeError(f"{name}: expected a weight of {x.array.dtype}, got {w.array.dtype}")
    if w.requires_grad:
        raise RuntimeError(f"{name}: weights of classes have no derivative; detach() them")
    return w.array


# -- probabilities --


@silent
def _binary_cross_entropy(x: Any, target: Any) -> Any:
    """Logarithms count as at least −100, so that a loss stays finite (as in PyTorch)."""
    return (target - 1) * np.maximum(np.log1p(-x), -100) - target * np.maximum(np.log(x), -100)


def _binary_cross_entropy_slope(g: Any, x: Any, target: Any) -> Any:
    variance = (1 - x) * x
    return g * (x - target) / np.where(variance < 1e-12, 1e-12, variance)


@operation(
    _binary_cross_entropy,
    "x target",
    prepare=floats("binary_cross_entropy"),
    arrange=first_decides,
    twin=twins.each("binary_cross_entropy"),
)
def binary_cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """−t ln x − (1 − t) ln(1 − x), with logarithms of at least −100.

    Parameters
    ----------
    input, target : Tensors of one shape and type
        Probabilities.
    weight : Tensor, optional
        Multiplies each element's loss; broadcast.
    size_average, reduce
        Deprecated in favour of ``reduction``.
    reduction : "none", "mean" or "sum"

    Raises
    ------
    ValueError
        If the shapes differ, or ``reduction`` is unknown.
    RuntimeError
        If a number is not from 0 to 1, or the types differ.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.binary_cross_entropy(tg.tensor([0.5, 0.0]), tg.tensor([1.0, 1.0]))
    tensor(50.3466)
    """
    name = "binary_cross_entropy"
    reduction = reduction_of(name, size_average, reduce, reduction)
    x, t = tensor_of(name, input), tensor_of(name, target)
    _check_same_shape(name, x, t)
    for kind, array in (("input", x.array), ("target", t.array)):
        if not np.all((array >= 0) & (array <= 1)):
            raise RuntimeError(f"{name}: the {kind} must be probabilities, from 0 to 1")
    losses = binary_cross_entropy.apply(x, t)
    if weight is not None:
        w = _check_factor(name, "weight", weight, x)
        if w.requires_grad:
            raise RuntimeError(f"{name}: weights have no derivative; detach() them")
        losses = losses * w
    return made_by("BinaryCrossEntropyBackward0", reduced(losses, reduction))


binary_cross_entropy.vjp(
    "x",
    _binary_cross_entropy_slope,
    formula="g ⊙ (x − target) / (x ⊙ (1 − x))",
)
binary_cross_entropy.vjp(
    "target",
    lambda g, x: g * (np.log1p(-x) - np.log(x)),
    formula="g ⊙ (ln(1 − x) − ln x)",
)


@silent
def _cross_entropy_of_logits(x: Any, target: Any) -> Any:
    return (1 - target) * x + log1pexp(-x)


@operation(
    _cross_entropy_of_logits,
    "x target",
    prepare=promoted("binary_cross_entropy_with_logits", numbers=False),
    twin=twins.each("binary_cross_entropy_with_logits"),
    expects="logits",
    analytic=False,
)
def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Tensor:
    """`binary_cross_entropy` of σ(x), without overflow or clamping.

    Parameters
    ----------
    input : Tensor
        Logits: any numbers.
    target : Tensor of the same shape
        Probabilities.
    weight : Tensor, optional
        Multiplies each element's loss; broadcast.
    size_average, reduce
        Deprecated in favour of ``reduction``.
    reduction : "none", "mean" or "sum"
    pos_weight : Tensor, optional
        Multiplies the part −t ln σ(x); broadcast.

    Raises
    ------
    ValueError
        If the shapes differ, or ``reduction`` is unknown.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x, t = tg.tensor([-10000.0, 10000.0]), tg.tensor([1.0, 1.0])
    >>> tg.nn.functional.binary_cross_entropy_with_logits(x, t, reduction="none")
    tensor([10000.,     0.])
    """
    name = "binary_cross_entropy_with_logits"
    reduction = reduction_of(name, size_average, reduce, reduction)
    x, t = tensor_of(name, input), tensor_of(name, target)
    _check_same_shape(name, x, t)
    for kind, dtype in (("input", x.array.dtype), ("target", t.array.dtype)):
        if dtype.kind != "f":
            raise RuntimeError(f"{name}: the {kind} must be floating-point, not {dtype}")
    losses = binary_cross_entropy_with_logits.apply(x, t)
    if pos_weight is not None:
        losses = losses - (_check_factor(name, "pos_weight", pos_weight, x) - 1) * t * logsigmoid(x)
    if weight is not None:
        losses = losses * _check_factor(name, "weight", weight, x)
    return made_by("BinaryCrossEntropyWithLogitsBackward0", reduced(losses, reduction))


binary_cross_entropy_with_logits.vjp(
    "x",  # not σ(x) − target, in which a σ(x) near 1 loses its digits
    lambda g, x, target: g * ((1 - target) * _sigma(x) - target * _sigma(-x)),
    formula="g ⊙ (σ(x) − target)",
)
binary_cross_entropy_with_logits.vjp("target", lambda g, x: -g * x, formula="−g ⊙ x")


def _check_same_shape(name: str, x: Any, t: Any) -> None:
    if x.shape != t.shape:
        raise ValueError(
            f"{name}: the target's shape {t.array.shape} must be the input's, {x.array.shape}"
        )


def _check_factor(name: str, kind: str, factor: Any, x: Any) -> Any:
    """A factor as a tensor, which must broadcast to the shape of ``x``."""
    f = tensor_of(name, factor)
    if not broadcasts(f.shape, x.shape):
        raise RuntimeError(
            f"{name}: {kind} of shape {f.array.shape} does not fit shape {x.array.shape}"
        )
    return f


def kl_div(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """Kullback–Leibler divergence, per element: t · (ln t − x), for x the logarithm of q.

    Parameters
    ----------
    input : Tensor
        Logarithms of probabilities.
    target : Tensor of the same shape (or one that broadcasts)
        Probabilities, or their logarithms with ``log_target``.
    size_average, reduce
        Deprecated in favour of ``reduction``.
    reduction : "none", "mean", "sum" or "batchmean"
        "batchmean", the sum divided by the batch size, is the divergence by its definition.
    log_target : bool

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> p, q = tg.tensor([[0.5, 0.5]]), tg.tensor([[0.25, 0.75]])
    >>> tg.nn.functional.kl_div(tg.log(q), p, reduction="batchmean")
    tensor(0.1438)
    """
    reduction = reduction_of("kl_div", size_average, reduce, reduction, "batchmean")
    x, t = tensor_of("kl_div", input), tensor_of("kl_div", target)
    for kind, tensor in (("input", x), ("target", t)):
        if tensor.dtype.kind != "f":
            raise RuntimeError(
                f"kl_div: the {kind} must be floating-point, not {tensor.array.dtype}"
            )
    if log_target:
        losses = exp(t) * (t - x)
    else:
        losses = where(t == 0, 0.0, t * log(t)) - t * x
    if reduction == "batchmean":
        return sum(losses) / (x.shape[0] if x.ndim else 1)
    return reduced(losses, reduction)
