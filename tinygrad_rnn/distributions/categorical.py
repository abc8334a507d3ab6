"""`Categorical`: one of several classes, as the next character or an action."""

from __future__ import annotations

from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from tinygrad_rnn import operations
from tinygrad_rnn.autograd.contexts import enable_grad
from tinygrad_rnn.distributions.distribution import Distribution, clamped, one_of
from tinygrad_rnn.operations.arguments import tensor_of
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.random import multinomial


class Categorical(Distribution):
    """Classes 0 … K − 1, drawn with given probabilities.

    Parameters
    ----------
    probs : Tensor of shape (..., K), optional
        Not negative; they are divided by their sum.
    logits : Tensor of shape (..., K), optional
        The logarithms of the probabilities, up to a constant; pass one of the two.
    validate_args : bool, optional
        Whether to look for values that are none (by default it does).

    Raises
    ------
    ValueError
        If both or neither are given, they have no axis, or are no probabilities.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> policy = tg.distributions.Categorical(logits=tg.tensor([1.0, 2.0, 3.0]))
    >>> action = policy.sample()
    >>> policy.log_prob(action)
    tensor(-0.4076)
    """

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        one_of("Categorical", probs, logits)
        given = tensor_of("Categorical", logits if probs is None else probs)
        if not given.ndim:
            raise ValueError("Categorical: probs and logits need an axis for the classes")
        super().__init__(given.shape[:-1], validate_args)
        if probs is not None:
            total = given.sum(-1, keepdim=True)
            self._check("probs", given, (given.array >= 0) & (total.array > 0), "probabilities")
            self.probs, self._given = given / total, "probs"
        else:
            self._check("logits", given, ~np.isnan(given.array), "numbers")
            self.logits, self._given = given - given.logsumexp(-1, keepdim=True), "logits"
        self._num_events = given.shape[-1]

    @cached_property
    def probs(self) -> Tensor:
        """The probabilities, of shape (*batch_shape, K)."""
        with enable_grad():  # also when sample() is the first to ask
            return self.logits.softmax(-1)

    @cached_property
    def logits(self) -> Tensor:
        """Their logarithms."""
        with enable_grad():  # also when sample() is the first to ask
            return clamped(self.probs).log()

    @property
    def param_shape(self) -> tuple[int, ...]:
        """The shape of the probabilities."""
        return getattr(self, self._given).shape  # type: ignore[no-any-return]

    @property
    def mode(self) -> Tensor:
        """The most probable class."""
        return self.probs.argmax(-1)

    def _drawn(self, shape: tuple[int, ...]) -> Tensor:
        count = prod(shape[: len(shape) - len(self.batch_shape)])
        rows = self.probs.detach().reshape(-1, self._num_events)
        if not count:
            return rows.new_zeros(shape, dtype=np.int64)
        return multinomial(rows, count, True).T.reshape(shape)

    def log_prob(self, value: Any) -> Tensor:
        """The logarithm of the probability of each class in ``value``.

        Raises
        ------
        ValueError
            If there is no such class.
        """
        classes = self._value(value)
        inside = (classes.array >= 0) & (classes.array < self._num_events)
        whole = classes.array == np.floor(classes.array)
        self._check("value", classes, inside & whole, f"classes from 0 to {self._num_events - 1}")
        index, logits = operations.broadcast_tensors(classes.long().unsqueeze(-1), self.logits)
        return logits.gather(-1, index[..., :1]).squeeze(-1)

    def entropy(self) -> Tensor:
        """−Σ p ln p of each distribution."""
        least = float(np.finfo(self.logits.array.dtype).min)
        return -(self.logits.clamp(min=least) * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All classes, along a new first axis."""
        classes = self.probs.new_tensor(np.arange(self._num_events), dtype=np.int64)
        classes = classes.reshape(-1, *(1,) * len(self.batch_shape))
        return classes.expand(-1, *self.batch_shape) if expand else classes

    def _parameters(self) -> dict[str, Tensor]:
        own = vars(self)  # with what was computed from the other meanwhile
        return {name: own[name] for name in ("probs", "logits") if name in own}
