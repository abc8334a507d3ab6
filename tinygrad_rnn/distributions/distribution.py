"""What distributions have in common."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from tinygrad_rnn.autograd.contexts import no_grad
from tinygrad_rnn.operations import exp
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.creation import as_tensor


class Distribution:
    """Base of distributions: of a batch of them, of one element each.

    Attributes
    ----------
    batch_shape : tuple of ints
        How many distributions there are, and in which shape.
    event_shape : tuple of ints
        The shape of one draw of one of them: ``()``.
    """

    event_shape: tuple[int, ...] = ()
    has_rsample: ClassVar[bool] = False

    def __init__(self, batch_shape: tuple[int, ...], validate_args: bool | None = None) -> None:
        self.batch_shape = tuple(batch_shape)
        self._validates = validate_args is not False

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draws of shape (*sample_shape, *batch_shape), as constants."""
        with no_grad():
            return self._drawn(self._extended(sample_shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draws through which gradients flow to what the distribution was made of.

        Raises
        ------
        NotImplementedError
            If this distribution has no such draws; use `sample` and `log_prob`.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no rsample: its draws are discrete; use sample() and "
            "log_prob()"
        )

    def log_prob(self, value: Any) -> Tensor:
        """The logarithm of the probability, or of its density, at each element of ``value``."""
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """−E[ln p] of each distribution."""
        raise NotImplementedError

    @property
    def mean(self) -> Tensor:
        """The expectation."""
        raise NotImplementedError

    @property
    def variance(self) -> Tensor:
        """The expected squared distance from the mean."""
        raise NotImplementedError

    @property
    def stddev(self) -> Tensor:
        """The square root of the variance."""
        return self.variance.sqrt()

    def perplexity(self) -> Tensor:
        """Exp of the entropy."""
        return exp(self.entropy())

    def _drawn(self, shape: tuple[int, ...]) -> Tensor:
        raise NotImplementedError

    def _extended(self, sample_shape: Any) -> tuple[int, ...]:
        return (*tuple(sample_shape), *self.batch_shape)

    def _check(self, what: str, x: Tensor, holds: Any, wanted: str) -> None:
        """Raise unless a condition holds everywhere (never, with ``validate_args=False``)."""
        if self._validates and not np.all(holds):
            raise ValueError(
                f"{type(self).__name__}: {what} must be {wanted}, got values from "
                f"{x.array.min()} to {x.array.max()} of shape {x.array.shape}"
            )

    def _value(self, value: Any) -> Tensor:
        if not isinstance(value, Tensor):
            raise ValueError(
                f"{type(self).__name__}: log_prob takes a tensor, got {type(value).__name__}"
            )
        return value

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name}: {x if not x.ndim else f'torch.Size({list(x.shape)})'}"
            for name, x in self._parameters().items()
        )
        return f"{type(self).__name__}({shown})"

    def _parameters(self) -> dict[str, Tensor]:
        """What it was made of, by name."""
        raise NotImplementedError


def one_of(name: str, probs: Any, logits: Any) -> None:
    """Raise unless exactly one of both was given."""
    if (probs is None) == (logits is None):
        raise ValueError(f"{name}: pass either probs or logits, and not both")


def of_numbers(x: Any) -> Tensor:
    """A tensor of floats: a number becomes one."""
    return x if isinstance(x, Tensor) else as_tensor(float(x))


def clamped(probs: Tensor) -> Tensor:
    """Probabilities whose logarithm, and that of 1 − p, is finite."""
    eps = float(np.finfo(probs.array.dtype).eps)
    return probs.clamp(min=eps, max=1 - eps)
