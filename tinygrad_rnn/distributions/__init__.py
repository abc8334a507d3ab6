"""Distributions to draw from, and the gradients of their log-probabilities.

A policy gradient, say: the gradient of ``−log_prob(action) · reward``.
"""

from tinygrad_rnn.distributions.bernoulli import Bernoulli
from tinygrad_rnn.distributions.categorical import Categorical
from tinygrad_rnn.distributions.distribution import Distribution
from tinygrad_rnn.distributions.divergence import kl_divergence
from tinygrad_rnn.distributions.independent import Independent
from tinygrad_rnn.distributions.normal import Normal
from tinygrad_rnn.distributions.uniform import Uniform


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "Bernoulli",
    "Categorical",
    "Distribution",
    "Independent",
    "Normal",
    "Uniform",
    "kl_divergence",
]
