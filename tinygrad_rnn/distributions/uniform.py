"""`Uniform`: numbers between two ends."""

from __future__ import annotations

from typing import Any, ClassVar

from tinygrad_rnn import operations
from tinygrad_rnn.distributions.distribution import Distribution, of_numbers
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.random import rand


class Uniform(Distribution):
    """Numbers of which each between two ends is as likely as any other.

    Parameters
    ----------
    low, high : Tensor or number
        The ends; the upper one is never drawn.
    validate_args : bool, optional
        Whether to look for values that are none (by default it does).

    Raises
    ------
    ValueError
        If an upper end is not larger than the lower one.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.distributions.Uniform(0.0, 4.0).log_prob(tg.tensor(1.0)).exp()
    tensor(0.2500)
    """

    has_rsample: ClassVar[bool] = True

    def __init__(self, low: Any, high: Any, validate_args: bool | None = None) -> None:
        self.low, self.high = operations.broadcast_tensors(of_numbers(low), of_numbers(high))
        super().__init__(self.low.shape, validate_args)
        self._check("high", self.high, self.high.array > self.low.array, "larger than low")

    @property
    def mean(self) -> Tensor:
        """The middle."""
        return (self.high + self.low) / 2

    @property
    def stddev(self) -> Tensor:
        """(high − low) / √12."""
        return (self.high - self.low) / 12**0.5

    @property
    def variance(self) -> Tensor:
        """(high − low)² / 12."""
        return (self.high - self.low) ** 2 / 12

    def _drawn(self, shape: tuple[int, ...]) -> Tensor:
        return self._stretched(shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """``low + (high − low) · u`` with u from 0 to 1: gradients flow to both."""
        return self._stretched(self._extended(sample_shape))

    def _stretched(self, shape: tuple[int, ...]) -> Tensor:
        return self.low + rand(shape, dtype=self.low.dtype) * (self.high - self.low)

    def log_prob(self, value: Any) -> Tensor:
        """−ln(high − low) inside, −∞ outside."""
        x = self._value(value)
        self._check("value", x, self._holds(x), "between low and high")
        inside = (self.low <= x) & (self.high > x)
        return inside.to(self.low.dtype).log() - (self.high - self.low).log()

    def _holds(self, x: Tensor) -> Any:
        return (x.array >= self.low.array) & (x.array <= self.high.array)

    def entropy(self) -> Tensor:
        """ln(high − low)."""
        return (self.high - self.low).log()

    def cdf(self, value: Any) -> Tensor:
        """The probability of a smaller number than each of ``value``."""
        return ((self._value(value) - self.low) / (self.high - self.low)).clamp(0, 1)

    def _parameters(self) -> dict[str, Tensor]:
        return {"low": self.low, "high": self.high}
