"""Choices that are drawn, with a gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn import operations
from tinygrad_rnn.nn.functional.variants import softmax
from tinygrad_rnn.operations.arguments import dim_of, number_of, tensor_of
from tinygrad_rnn.tensor import wrap
from tinygrad_rnn.tensor.generator import default_generator

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


def gumbel_softmax(
    logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """``softmax((x + n) / τ)``, where n is drawn so that the largest is drawn by softmax(x).

    https://arxiv.org/abs/1611.01144

    Parameters
    ----------
    logits : Tensor
        Logarithms of probabilities, not normalized.
    tau : float
        The smaller, the nearer to a choice.
    hard : bool
        Whether to return the choice itself, 1 and zeros, with the gradient of the softmax.
    eps
        Has no effect, as in PyTorch.
    dim : int

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.functional.gumbel_softmax(tg.zeros(2, 3))
    tensor([[0.1047, 0.2984, 0.5969],
            [0.1974, 0.4831, 0.3195]])
    """
    name = "gumbel_softmax"
    x = tensor_of(name, logits)
    d, temperature = dim_of(name, dim, x.array.ndim), number_of(name, "tau", tau)
    with np.errstate(divide="ignore"):
        noise = -np.log(default_generator.exponential(x.array))
    soft = softmax((x + wrap(noise, None)) / temperature, d)
    if not hard:
        return soft
    chosen = np.zeros_like(soft.array)
    rows = np.atleast_1d(chosen)
    np.put_along_axis(rows, np.expand_dims(np.atleast_1d(soft.array).argmax(d), d), 1, d)
    chosen = rows.reshape(chosen.shape)
    return operations.add(operations.sub(wrap(chosen, None), soft.detach()), soft)
