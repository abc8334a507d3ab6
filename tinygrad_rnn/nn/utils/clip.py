"""Gradients made smaller, against their exploding: https://arxiv.org/abs/1211.5063."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_rnn import operations
from tinygrad_rnn.autograd.contexts import no_grad
from tinygrad_rnn.tensor import Tensor, sequence
from tinygrad_rnn.tensor.creation import tensor


def _gradients(parameters: Any) -> list[Tensor]:
    if not isinstance(parameters, Iterable):
        raise TypeError(f"expected parameters to clip, got {type(parameters).__name__}")
    return [p.grad for p in sequence(parameters) if p.grad is not None]


@no_grad()
def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of several tensors as if they were one long vector.

    Parameters
    ----------
    tensors : Tensor or iterable of Tensors
    norm_type : float
        The p of the p-norm, ``float("inf")`` included.
    error_if_nonfinite : bool
        Whether a norm that is infinite or NaN is an error.
    foreach : bool, optional
        Without effect.

    Raises
    ------
    RuntimeError
        See ``error_if_nonfinite``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.utils.get_total_norm([tg.tensor([3.0]), tg.tensor([4.0])])
    tensor(5.)
    """
    norm_type = float(norm_type)
    norms = [operations.vector_norm(x, norm_type) for x in sequence(tensors)]
    if not norms:
        return tensor(0.0)
    total: Tensor = operations.vector_norm(operations.stack(norms), norm_type)
    if error_if_nonfinite and not np.isfinite(total.array):
        raise RuntimeError(
            f"get_total_norm: the total norm of order {norm_type} is {total.item()}; pass "
            "error_if_nonfinite=False to go on nevertheless"
        )
    return total


@no_grad()
def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    total_norm: Tensor,
    foreach: bool | None = None,
) -> None:
    """Scale gradients in place by max_norm / (total_norm + 1e-6), if that is below 1.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensors
        Whose ``grad`` is scaled.
    max_norm : float
    total_norm : Tensor
        See `get_total_norm`.
    foreach : bool, optional
        Without effect.
    """
    factor = operations.clamp(max_norm / (total_norm + 1e-6), max=1.0)
    for grad in _gradients(parameters):
        grad.mul_(factor)


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale gradients in place such that their norm, as one long vector, is at most ``max_norm``.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensors
        Those without a ``grad`` do not count.
    max_norm : float
    norm_type, error_if_nonfinite, foreach
        See `get_total_norm`.

    Returns
    -------
    Tensor
        The norm that the gradients had.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor([0.0, 0.0], requires_grad=True)
    >>> (w * tg.tensor([3.0, 4.0])).sum().backward()
    >>> tg.nn.utils.clip_grad_norm_([w], 1.0), w.grad
    (tensor(5.), tensor([0.6000, 0.8000]))
    """
    owners = sequence(parameters)  # an iterator can be used but once
    total = get_total_norm(_gradients(owners), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(owners, max_norm, total)
    return total


@no_grad()
def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    """Cut gradients off in place at ``−clip_value`` and ``clip_value``.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensors
    clip_value : float
    foreach : bool, optional
        Without effect.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor([0.0, 0.0], requires_grad=True)
    >>> (w * tg.tensor([0.5, -4.0])).sum().backward()
    >>> tg.nn.utils.clip_grad_value_([w], 1.0)
    >>> w.grad
    tensor([ 0.5000, -1.0000])
    """
    limit = float(clip_value)
    for grad in _gradients(parameters):
        grad.clamp_(-limit, limit)
