"""`Bernoulli`: yes or no."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from tinygrad_rnn.autograd.contexts import enable_grad
from tinygrad_rnn.distributions.distribution import Distribution, clamped, of_numbers, one_of
from tinygrad_rnn.operations import log1p
from tinygrad_rnn.operations.loss import binary_cross_entropy_with_logits
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.random import bernoulli


class Bernoulli(Distribution):
    """1 with a given probability, else 0.

    Parameters
    ----------
    probs : Tensor or number, optional
        The probabilities of 1.
    logits : Tensor or number, optional
        ln(p / (1 − p)); pass one of the two.
    validate_args : bool, optional
        Whether to look for values that are none (by default it does).

    Raises
    ------
    ValueError
        If both or neither are given, or they are no probabilities.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> coin = tg.distributions.Bernoulli(probs=tg.tensor([0.5, 0.9]))
    >>> coin.log_prob(tg.ones(2))
    tensor([-0.6931, -0.1054])
    """

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        one_of("Bernoulli", probs, logits)
        given = of_numbers(logits if probs is None else probs)
        super().__init__(given.shape, validate_args)
        if probs is not None:
            inside = (given.array >= 0) & (given.array <= 1)
            self._check("probs", given, inside, "probabilities")
            self.probs, self._given = given, "probs"
        else:
            self._check("logits", given, ~np.isnan(given.array), "numbers")
            self.logits, self._given = given, "logits"

    @cached_property
    def probs(self) -> Tensor:
        """The probabilities of 1."""
        with enable_grad():  # also when sample() is the first to ask
            return self.logits.sigmoid()

    @cached_property
    def logits(self) -> Tensor:
        """ln(p / (1 − p))."""
        with enable_grad():  # also when sample() is the first to ask
            p = clamped(self.probs)
            return p.log() - log1p(-p)

    @property
    def mean(self) -> Tensor:
        """P."""
        return self.probs

    @property
    def variance(self) -> Tensor:
        """P (1 − p)."""
        return self.probs * (1 - self.probs)

    def _drawn(self, shape: tuple[int, ...]) -> Tensor:
        return bernoulli(self.probs.detach().expand(shape))

    def log_prob(self, value: Any) -> Tensor:
        """Ln p where the value is 1, ln(1 − p) where it is 0.

        Raises
        ------
        ValueError
            If a value is something else.
        """
        x = self._value(value)
        self._check("value", x, (x.array == 0) | (x.array == 1), "0 or 1")
        logits = self.logits + 0 * x  # of the shape of both
        return -binary_cross_entropy_with_logits(logits, x + 0 * logits, reduction="none")

    def entropy(self) -> Tensor:
        """−p ln p − (1 − p) ln(1 − p)."""
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def _parameters(self) -> dict[str, Tensor]:
        own = vars(self)  # with what was computed from the other meanwhile
        return {name: own[name] for name in ("probs", "logits") if name in own}
