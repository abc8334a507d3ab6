"""`Independent`: several numbers drawn at once as one event."""

from __future__ import annotations

from typing import Any

from tinygrad_rnn.distributions.distribution import Distribution
from tinygrad_rnn.tensor import Tensor


class Independent(Distribution):
    """A distribution whose last batch axes make one event: their log-probabilities are added.

    Parameters
    ----------
    base_distribution : Distribution
    reinterpreted_batch_ndims : int
        How many of its batch axes.
    validate_args : bool, optional
        Without effect: the base checks.

    Raises
    ------
    ValueError
        If the base has fewer batch axes.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> from tinygrad_rnn.distributions import Independent, Normal
    >>> step = Independent(Normal(tg.zeros(5, 2), tg.ones(5, 2)), 1)
    >>> step.batch_shape, step.event_shape, step.log_prob(tg.zeros(5, 2)).shape
    ((5,), (2,), torch.Size([5]))
    """

    def __init__(
        self,
        base_distribution: Distribution,
        reinterpreted_batch_ndims: int,
        validate_args: bool | None = None,
    ) -> None:
        shape, n = base_distribution.batch_shape, reinterpreted_batch_ndims
        if n > len(shape):
            raise ValueError(
                f"Independent: reinterpreted_batch_ndims must be at most {len(shape)}, the number "
                f"of batch axes, got {n}"
            )
        super().__init__(shape[: len(shape) - n], validate_args)
        self.base_dist, self.reinterpreted_batch_ndims = base_distribution, n
        self.event_shape = shape[len(shape) - n :]
        self.has_rsample = base_distribution.has_rsample  # type: ignore[misc]

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draws of the base."""
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draws of the base through which gradients flow."""
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value: Any) -> Tensor:
        """The sum over an event."""
        return self._summed(self.base_dist.log_prob(value))

    def entropy(self) -> Tensor:
        """The sum over an event."""
        return self._summed(self.base_dist.entropy())

    def _summed(self, x: Tensor) -> Tensor:
        n = self.reinterpreted_batch_ndims
        return x.sum(tuple(range(-n, 0))) if n else x

    @property
    def mean(self) -> Tensor:
        """The base's."""
        return self.base_dist.mean

    @property
    def variance(self) -> Tensor:
        """The base's."""
        return self.base_dist.variance

    def __repr__(self) -> str:
        return f"Independent({self.base_dist}, {self.reinterpreted_batch_ndims})"
