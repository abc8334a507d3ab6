"""`Normal`: numbers around a mean."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from tinygrad_rnn import operations
from tinygrad_rnn.distributions.distribution import Distribution, of_numbers
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.creation import empty
from tinygrad_rnn.tensor.random import normal


class Normal(Distribution):
    """Normally distributed numbers.

    Parameters
    ----------
    loc : Tensor or number
        The mean.
    scale : Tensor or number
        The standard deviation, larger than 0.
    validate_args : bool, optional
        Whether to look for values that are none (by default it does).

    Raises
    ------
    ValueError
        If a parameter is none.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> mu, sigma = tg.tensor(0.0, requires_grad=True), tg.tensor(2.0)
    >>> tg.distributions.Normal(mu, sigma).log_prob(tg.tensor(1.0)).backward()
    >>> mu.grad  # (x − μ) / σ²
    tensor(0.2500)
    """

    has_rsample: ClassVar[bool] = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = operations.broadcast_tensors(of_numbers(loc), of_numbers(scale))
        super().__init__(self.loc.shape, validate_args)
        self._check("loc", self.loc, ~np.isnan(self.loc.array), "numbers")
        self._check("scale", self.scale, self.scale.array > 0, "larger than 0")

    @property
    def mean(self) -> Tensor:
        """μ."""
        return self.loc

    @property
    def mode(self) -> Tensor:
        """μ."""
        return self.loc

    @property
    def stddev(self) -> Tensor:
        """σ."""
        return self.scale

    @property
    def variance(self) -> Tensor:
        """σ²."""
        return self.scale**2

    def _drawn(self, shape: tuple[int, ...]) -> Tensor:
        return normal(self.loc.expand(shape), self.scale.expand(shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """``loc + scale · ε`` with ε of mean 0 and variance 1: gradients flow to both."""
        shape = self._extended(sample_shape)
        noise = empty(shape, dtype=self.loc.dtype).normal_()
        return self.loc + noise * self.scale

    def log_prob(self, value: Any) -> Tensor:
        """−(x − μ)² / 2σ² − ln σ − ln √2π."""
        x = self._value(value)
        self._check("value", x, ~np.isnan(x.array), "numbers")
        distance = -((x - self.loc) ** 2) / (2 * self.variance)
        return distance - self.scale.log() - math.log(math.sqrt(2 * math.pi))

    def entropy(self) -> Tensor:
        """½ + ½ ln 2π + ln σ."""
        return 0.5 + 0.5 * math.log(2 * math.pi) + self.scale.log()

    def cdf(self, value: Any) -> Tensor:
        """The probability of a smaller number than each of ``value``."""
        x = self._value(value)
        return 0.5 * (1 + operations.erf((x - self.loc) * self.scale.reciprocal() / math.sqrt(2)))

    def _parameters(self) -> dict[str, Tensor]:
        return {"loc": self.loc, "scale": self.scale}
