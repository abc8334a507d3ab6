"""Connectionist temporal classification: how likely is a labelling, however it is aligned.

https://www.cs.toronto.edu/~graves/icml_2006.pdf (Graves et al. 2006)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn import operations
from tinygrad_rnn.operations.arguments import integer_of, raw, tensor_of
from tinygrad_rnn.operations.loss import check_reduction, reduced
from tinygrad_rnn.tensor import wrap

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

Array = np.ndarray[Any, Any]

# The logarithm of 0. A finite one, because −∞ − (−∞) has no value and no derivative; sums of it
# over a million steps are still numbers of float32.
_NEVER = -1e30


def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """−ln p(labelling | input), summed over all alignments of the labels with the time steps.

    A net says at every step which class it reads, or that it reads none (``blank``). A path is
    read as the labelling that remains when repetitions are merged and blanks then removed. The
    sum over all paths is a recursion over time (equations 6 and 7 of Graves et al. 2006), written
    here in logarithms and in the operations of this package, so derivatives of any order follow.

    Parameters
    ----------
    log_probs : Tensor of shape (T, batch, classes)
        Logarithms of probabilities (see `log_softmax`); (T, classes) of one sequence.
    targets : Tensor of integers, of shape (batch, S)
        The labels, padded; or those of all sequences one after the other, in one vector.
    input_lengths, target_lengths : Tensors of integers, of shape (batch,), or sequences of ints
        How many steps of each input, and how many labels of each target, count.
    blank : int
        The class that stands for no label.
    reduction : "none", "mean" or "sum"
        "mean" divides the loss of each sequence by the number of its labels first.
    zero_infinity : bool
        Whether an input that is too short for its labels gives 0, with zero gradients; otherwise
        its loss is infinite, and its gradient not finite.

    Returns
    -------
    Tensor
        The loss; with ``reduction="none"`` that of each sequence.

    Raises
    ------
    RuntimeError
        If a shape, a length or a class does not fit, or the probabilities are not float32 or
        float64.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> evens = tg.log(tg.tensor([[0.5, 0.5], [0.5, 0.5]]))
    >>> p = tg.exp(-tg.nn.functional.ctc_loss(evens, tg.tensor([1]), [2], [1]))
    >>> p  # three of four paths are read as "1": 01, 10 and 11
    tensor(0.7500)
    """
    check_reduction("ctc_loss", reduction)
    x = _batch(tensor_of("ctc_loss", log_probs))
    steps, batch, classes = x.shape
    blank = integer_of("ctc_loss", "blank", blank)
    if not 0 <= blank < classes:
        raise RuntimeError(f"ctc_loss: blank must be one of the {classes} classes, got {blank}")
    read = _lengths("input_lengths", input_lengths, batch, steps)
    sizes = _lengths("target_lengths", target_lengths, batch)
    labels = _labels(tensor_of("ctc_loss", targets).array, sizes, classes, blank)
    losses = _losses(_log_likelihood(x, labels, read, sizes, blank), zero_infinity)
    if raw(log_probs).ndim == 2:
        losses = losses[0]
    if reduction == "mean":
        losses = losses / wrap(np.maximum(sizes, 1).astype(x.dtype).reshape(losses.shape), None)
    return reduced(losses, reduction)


def _log_likelihood(x: Any, labels: Array, read: Array, sizes: Array, blank: int) -> Any:
    """The logarithm of the probability of each labelling.

    αₜ(s) is the probability of all paths that at step t have got to position s of the labelling
    with blanks in between, blank l₁ blank l₂ … blank. A path arrives there from the same position,
    from the one before, or, past a blank between two different labels, from the one before that.
    """
    batch, positions = labels.shape
    emissions = operations.gather(
        operations.clamp(x, min=_NEVER),
        2,
        wrap(np.broadcast_to(labels, (len(x), *labels.shape)), None),
    )
    skips = np.zeros(labels.shape, bool)
    skips[:, 2:] = (labels[:, 2:] != blank) & (labels[:, 2:] != labels[:, :-2])
    may_skip = wrap(skips, None)
    never = wrap(np.full((batch, positions), _NEVER, x.dtype), None)
    start = never.array.copy()
    start[:, 0] = 0  # before the first step nothing has been read, for certain
    alpha = wrap(start, None)
    for t in range(max(int(read.max()), 1)):
        one_before = operations.cat([never[:, :1], alpha[:, :-1]], 1)
        two_before = operations.cat([never[:, :2], alpha[:, :-2]], 1)
        skipped = operations.where(may_skip, two_before, never)
        arrived = operations.logaddexp(operations.logaddexp(alpha, one_before), skipped)
        after = arrived + emissions[t]
        goes_on = (t < read)[:, None]
        alpha = after if goes_on.all() else operations.where(wrap(goes_on, None), after, alpha)
    ends = 2 * sizes[:, None] - np.arange(positions)  # the last label, or the blank behind it
    return operations.logsumexp(
        operations.where(wrap((ends == 0) | (ends == 1), None), alpha, never), 1
    )


def _losses(likelihood: Any, zero_infinity: bool) -> Any:
    """The losses −ln p, where p = 0 infinity or 0."""
    impossible = likelihood.array < _NEVER / 2
    if not impossible.any():
        return -likelihood
    if zero_infinity:
        return operations.where(wrap(impossible, None), 0.0, -likelihood)
    return -likelihood * wrap(np.where(impossible, np.inf, 1).astype(likelihood.dtype), None)


# -- arguments ---------------------------------------------------------------------------------


def _batch(x: Any) -> Any:
    """The logarithms of probabilities as (T, batch, classes)."""
    if x.dtype not in (np.float32, np.float64):
        raise RuntimeError(f"ctc_loss: log_probs must be float32 or float64, not {x.array.dtype}")
    if x.ndim not in (2, 3) or not x.array.size:
        raise RuntimeError(
            f"ctc_loss: log_probs must have shape (T, batch, classes) or (T, classes), none of "
            f"them 0, got {x.array.shape}"
        )
    return x if x.ndim == 3 else operations.unsqueeze(x, 1)


def _lengths(name: str, given: Any, batch: int, most: int | None = None) -> Array:
    """The lengths of a batch of sequences."""
    lengths: Array = np.asarray(raw(given))
    if lengths.dtype.kind not in "iu":
        raise RuntimeError(f"ctc_loss: {name} must be integers, got {lengths.dtype}")
    if lengths.size != batch or lengths.ndim > 1:
        raise RuntimeError(
            f"ctc_loss: expected {name} of shape ({batch},), one for each sequence, got "
            f"{lengths.shape}"
        )
    least, largest = lengths.min(), lengths.max()
    if least < 0 or (most is not None and largest > most):
        limit = "" if most is None else f" and at most {most}, the number of time steps"
        raise RuntimeError(f"ctc_loss: {name} must be at least 0{limit}, got {lengths.tolist()}")
    return lengths.astype(np.int64).reshape(batch)


def _labels(targets: Array, sizes: Array, classes: int, blank: int) -> Array:
    """The labels of every sequence with blanks in between: blank l₁ blank … blank."""
    if targets.dtype.kind not in "iu":
        raise RuntimeError(f"ctc_loss: targets must be integers, not {targets.dtype}")
    given: Array = np.arange(max(sizes.max(), 1)) < sizes[:, None]
    rows: Array = np.full(given.shape, blank, np.int64)
    if targets.ndim == 1 and targets.size == sizes.sum():  # one after the other
        rows[given] = targets
    elif targets.ndim == 2 and len(targets) == len(sizes) and targets.shape[1] >= sizes.max():
        rows[given] = targets[:, : sizes.max()][given[:, : sizes.max()]]
    else:
        raise RuntimeError(
            f"ctc_loss: targets of shape {targets.shape} do not fit target_lengths "
            f"{sizes.tolist()}: expected {(len(sizes), int(sizes.max()))} or more columns, or all "
            f"{sizes.sum()} labels in one vector"
        )
    wrong = rows[given & ((rows < 0) | (rows >= classes) | (rows == blank))]
    if wrong.size:
        raise RuntimeError(
            f"ctc_loss: {wrong[0]} is no label: expected one of the {classes} classes, but not the "
            f"blank {blank}"
        )
    labels = np.full((len(rows), 2 * rows.shape[1] + 1), blank, np.int64)
    labels[:, 1::2] = rows
    return labels
