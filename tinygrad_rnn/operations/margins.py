"""Losses that ask for a distance: of a score from 0, of two scores, or of two vectors.

Targets of 1 and −1 tell which way. All are compositions, so that a picture shows what they do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tinygrad_rnn.operations.activation import logsigmoid
from tinygrad_rnn.operations.arguments import broadcasts, common_shape, number_of, tensor_of
from tinygrad_rnn.operations.arithmetic import add, div, mul, neg, sub
from tinygrad_rnn.operations.elementwise import clamp_min, minimum, sqrt, where
from tinygrad_rnn.operations.loss import check_reduction, reduced, reduction_of
from tinygrad_rnn.operations.node_names import made_by
from tinygrad_rnn.operations.norms import pairwise_distance
from tinygrad_rnn.operations.promotion import to_dtype
from tinygrad_rnn.operations.reduction import sum

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


# -- of scores -----------------------------------------------------------------------------------


def hinge_embedding_loss(
    input: Any,
    target: Any,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """X where the target is 1, max(0, margin − x) where it is −1; x being a distance.

    Parameters
    ----------
    input : Tensor
    target : Tensor of 1 and −1, of the same shape or one that broadcasts
        Any other number counts as both.
    margin : float
    size_average, reduce
        Deprecated in favour of ``reduction``.
    reduction : "none", "mean" or "sum"

    Raises
    ------
    ValueError
        If ``reduction`` is something else.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x, t = tg.tensor([0.5, 0.2]), tg.tensor([1, -1])
    >>> tg.nn.functional.hinge_embedding_loss(x, t, reduction="none")
    tensor([0.5000, 0.8000])
    """
    name = "hinge_embedding_loss"
    reduction = reduction_of(name, size_average, reduce, reduction)
    x, t = tensor_of(name, input), tensor_of(name, target)
    far = clamp_min(sub(number_of(name, "margin", margin), x), 0)
    return reduced(where(t == 1, 0.0, far) + where(t == -1, 0.0, x), reduction)


def margin_ranking_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, margin − t (x₁ − x₂)): x₁ is to be larger where t is 1, smaller where it is −1.

    Parameters
    ----------
    input1, input2 : Tensors
    target : Tensor of 1 and −1
        All three of shapes that broadcast, with as many axes.
    margin : float
    size_average, reduce
        Deprecated in favour of ``reduction``.
    reduction : "none", "mean" or "sum"

    Raises
    ------
    RuntimeError
        If they have not as many axes.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x1, x2, t = tg.tensor([3.0, 1.0]), tg.tensor([1.0, 2.0]), tg.tensor([1.0, 1.0])
    >>> tg.nn.functional.margin_ranking_loss(x1, x2, t, reduction="none")
    tensor([0., 1.])
    """
    name = "margin_ranking_loss"
    reduction = reduction_of(name, size_average, reduce, reduction)
    x1, x2, t = (tensor_of(name, x) for x in (input1, input2, target))
    _check_axes(name, input1=x1, input2=x2, target=t)
    slack = add(mul(neg(t), sub(x1, x2)), number_of(name, "margin", margin))
    return reduced(clamp_min(slack, 0), reduction)


def soft_margin_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """ln(1 + exp(−t x)), for targets t of 1 and −1; without overflow.

    Parameters
    ----------
    input : Tensor
    target : Tensor of 1 and −1, of the same shape or one that broadcasts
    size_average, reduce
        Deprecated in favour of ``reduction``.
    reduction : "none", "mean" or "sum"

    Raises
    ------
    RuntimeError
        If the targets require grad.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.soft_margin_loss(tg.tensor([0.0, 2.0]), tg.tensor([1.0, -1.0]))
    tensor(1.4100)
    """
    name = "soft_margin_loss"
    reduction = reduction_of(name, size_average, reduce, reduction)
    x, t = tensor_of(name, input), tensor_of(name, target)
    if t.requires_grad:
        raise RuntimeError(f"{name}: targets have no derivative; detach() them")
    if x.dtype.kind != "f" or not broadcasts(t.shape, x.shape):
        raise RuntimeError(
            f"{name}: targets of shape {t.array.shape} do not fit an input of {x.array.dtype} and "
            f"shape {x.array.shape}: it must be floating-point, and not be broadcast"
        )
    losses = neg(logsigmoid(mul(x, to_dtype(t, x.array.dtype))))
    return made_by("SoftMarginLossBackward0", reduced(losses, reduction))


def multilabel_soft_margin_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """−t ln σ(x) − (1 − t) ln σ(−x), its mean over the classes, which are the last axis.

    Parameters
    ----------
    input : Tensor of shape (..., classes)
    target : Tensor of the same shape, or one that broadcasts
        1 for each class that applies, else 0.
    weight : Tensor of shape (classes,), optional
    size_average, reduce
        Deprecated in favour of ``reduction``.
    reduction : "none", "mean" or "sum"

    Raises
    ------
    ValueError
        If ``reduction`` is something else.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x, t = tg.tensor([[2.0, -2.0]]), tg.tensor([[1.0, 0.0]])
    >>> tg.nn.functional.multilabel_soft_margin_loss(x, t)
    tensor(0.1269)
    """
    name = "multilabel_soft_margin_loss"
    reduction = reduction_of(name, size_average, reduce, reduction)
    x, t = tensor_of(name, input), tensor_of(name, target)
    if not x.array.ndim:
        raise IndexError(f"{name}: a 0-d input has no axis of classes")
    losses = neg(add(mul(t, logsigmoid(x)), mul(sub(1, t), logsigmoid(neg(x)))))
    if weight is not None:
        losses = mul(losses, tensor_of(name, weight))
    dim, classes = x.array.ndim - 1, x.array.shape[-1]
    return reduced(div(sum(losses, dim), classes), reduction)


# -- of vectors ----------------------------------------------------------------------------------

_LEAST = 9.999999960041972e-13  # 1e-12 in float32: what PyTorch adds to squares of lengths


def cosine_embedding_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """With c = x₁·x₂ / (‖x₁‖ ‖x₂‖): 1 − c where the target is 1, max(0, c − margin) where −1.

    Parameters
    ----------
    input1, input2 : Tensors of shape (batch, features) or (features,)
    target : Tensor of 1 and −1, of shape (batch,) or ()
    margin : float
        From −1 to 1; 0 to 0.5 is usual.
    size_average, reduce
        Deprecated in favour of ``reduction``.
    reduction : "none", "mean" or "sum"

    Raises
    ------
    RuntimeError
        If the shapes do not fit.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x1, x2 = tg.tensor([[3.0, 4.0], [1.0, 0.0]]), tg.tensor([[4.0, 3.0], [1.0, 1.0]])
    >>> t = tg.tensor([1, -1])
    >>> tg.nn.functional.cosine_embedding_loss(x1, x2, t, reduction="none")
    tensor([0.0400, 0.7071])
    """
    name = "cosine_embedding_loss"
    reduction = reduction_of(name, size_average, reduce, reduction)
    x1, x2, t = (tensor_of(name, x) for x in (input1, input2, target))
    dim = t.array.ndim
    if dim > 1 or {x1.array.ndim, x2.array.ndim} != {dim + 1}:
        raise RuntimeError(
            f"{name}: inputs of shapes {x1.array.shape} and {x2.array.shape} do not fit a target "
            f"of shape {t.array.shape}: expected (batch, features) and (batch,), or (features,) "
            "and ()"
        )
    squares = mul(sum(x1 * x1, dim) + _LEAST, sum(x2 * x2, dim) + _LEAST)
    cosine = sum(x1 * x2, dim) / sqrt(squares)
    apart = clamp_min(cosine - number_of(name, "margin", margin), 0)
    losses = where(t == 1, 1 - cosine, 0.0) + where(t == -1, apart, 0.0)
    return reduced(losses, reduction)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, margin + d(a, p) − d(a, n)), for d the `pairwise_distance` with ``p`` and ``eps``.

    http://www.bmva.org/bmvc/2016/papers/paper119/index.html (Balntas et al. 2016)

    Parameters
    ----------
    anchor, positive, negative : Tensors of shape (batch, features) or (features,)
    margin : float
        Positive.
    p, eps : float
    swap : bool
        Whether to take for d(a, n) the smaller of itself and d(p, n).
    size_average, reduce
        Deprecated in favour of ``reduction``.
    reduction : "none", "mean" or "sum"

    Raises
    ------
    ValueError
        If the margin is not positive, or ``reduction`` is something else.
    RuntimeError
        If the tensors have not as many axes.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> a, p, n = tg.zeros(2), tg.tensor([0.0, 1.0]), tg.tensor([1.5, 0.0])
    >>> tg.nn.functional.triplet_margin_loss(a, p, n)
    tensor(0.5000)
    """
    name = "triplet_margin_loss"
    reduction = reduction_of(name, size_average, reduce, reduction)
    a, near, far = (tensor_of(name, x) for x in (anchor, positive, negative))
    margin = _positive_margin(name, margin)
    _check_axes(name, anchor=a, positive=near, negative=far)

    def distance(x: Any, y: Any) -> Tensor:
        return pairwise_distance(x, y, p, eps)

    return reduced(_triplet(distance, a, near, far, margin, swap), reduction)


def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` with a distance of one's own.

    Parameters
    ----------
    anchor, positive, negative, margin, swap, reduction
        As of `triplet_margin_loss`.
    distance_function : function of two Tensors, optional
        `pairwise_distance` if absent.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> a, p, n = tg.zeros(2), tg.tensor([0.0, 1.0]), tg.tensor([1.5, 0.0])
    >>> tg.nn.functional.triplet_margin_with_distance_loss(
    ...     a, p, n, distance_function=lambda x, y: (x - y).abs().sum(-1)
    ... )
    tensor(0.5000)
    """
    name = "triplet_margin_with_distance_loss"
    check_reduction(name, reduction)
    a, near, far = (tensor_of(name, x) for x in (anchor, positive, negative))
    margin = _positive_margin(name, margin)
    _check_axes(name, anchor=a, positive=near, negative=far)
    distance = distance_function or pairwise_distance
    return reduced(_triplet(distance, a, near, far, margin, swap), reduction)


def _triplet(
    distance: Callable[[Any, Any], Tensor], a: Any, near: Any, far: Any, margin: float, swap: bool
) -> Tensor:
    to_near, to_far = distance(a, near), distance(a, far)
    if swap:
        to_far = minimum(to_far, distance(near, far))
    return clamp_min(margin + to_near - to_far, 0)


def _positive_margin(name: str, margin: Any) -> float:
    number = number_of(name, "margin", margin)
    if not number > 0:
        raise ValueError(f"{name}: margin must be positive, got {number}")
    return number


def _check_axes(name: str, **tensors: Any) -> None:
    """Raise unless tensors have as many axes, and shapes that broadcast."""
    shapes = [x.array.shape for x in tensors.values()]
    if len({len(shape) for shape in shapes}) > 1:
        said = ", ".join(f"{what} {x.array.shape}" for what, x in tensors.items())
        raise RuntimeError(f"{name}: expected tensors with as many axes, got shapes {said}")
    common_shape(name, *shapes)
