"""Dropout."""

from __future__ import annotations

from tinygrad_rnn.nn import functional as F
from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.tensor import Tensor


class Dropout(Module):
    """Elements set to 0 with probability p in training, the others scaled by 1 / (1 − p).

    https://jmlr.org/papers/v15/srivastava14a.html

    Parameters
    ----------
    p : float
        Probability that an element is dropped.
    inplace : bool
        Whether to overwrite the input.

    Raises
    ------
    ValueError
        If ``p`` is not a probability.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> dropout = tg.nn.Dropout(0.5)
    >>> dropout(tg.ones(4)), dropout.eval()(tg.ones(4))
    (tensor([0., 0., 2., 0.]), tensor([1., 1., 1., 1.]))
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout: p must be between 0 and 1, got {p}")
        self.p, self.inplace = p, inplace

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return f"p={self.p}, inplace={self.inplace}"
