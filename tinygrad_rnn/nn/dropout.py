"""Dropout."""

from __future__ import annotations

from tinygrad_rnn.nn import functional as F
from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.tensor import Tensor


class _Dropout(Module):
    """What drops with a probability, in training."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"{type(self).__name__}: p must be between 0 and 1, got {p}")
        self.p, self.inplace = p, inplace

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
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

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_Dropout):
    """Whole channels dropped, along one axis: see `nn.functional.dropout1d`.

    Between embeddings and a recurrent layer it drops a feature at every step alike, if the axes
    are (batch, features, steps).

    Parameters
    ----------
    p : float
        Probability that a channel is dropped.
    inplace : bool
        Whether to overwrite the input.
    """

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """Whole channels dropped, planes as a rule: see `nn.functional.dropout2d`.

    Parameters
    ----------
    p : float
        Probability that a channel is dropped.
    inplace : bool
        Whether to overwrite the input.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.Dropout2d(0.5)(tg.ones(1, 3, 1, 2))
    tensor([[[[0., 0.]],
    <BLANKLINE>
             [[0., 0.]],
    <BLANKLINE>
             [[2., 2.]]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_Dropout):
    """Whole channels dropped, of three axes as a rule: see `nn.functional.dropout3d`.

    Parameters
    ----------
    p : float
        Probability that a channel is dropped.
    inplace : bool
        Whether to overwrite the input.
    """

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """Dropout that keeps mean and variance behind SELU: see `nn.functional.alpha_dropout`.

    Parameters
    ----------
    p : float
        Probability that an element is dropped.
    inplace : bool
        Whether to overwrite the input.
    """

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.alpha_dropout(input, self.p, self.training)
