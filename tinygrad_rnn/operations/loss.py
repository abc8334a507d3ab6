"""What loss functions are made of, besides arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_rnn.engine.errors import silent
from tinygrad_rnn.engine.sums import Part
from tinygrad_rnn.operations import twins
from tinygrad_rnn.operations.activation import hardtanh, log1pexp, sigmoid
from tinygrad_rnn.operations.indexing import add_slices
from tinygrad_rnn.operations.memory import first_decides
from tinygrad_rnn.operations.operation import in_rules
from tinygrad_rnn.operations.promotion import floats, promoted
from tinygrad_rnn.operations.traits import primitive

_clipped = in_rules(hardtanh)


@silent
def _huber(d: Any, *, delta: float, slope: float) -> Any:
    size = np.abs(d)
    return np.where(size < delta, d * d * (0.5 * slope / delta), (size - 0.5 * delta) * slope)


# straight from |d| = delta on, where it has this slope
huber = primitive(
    "huber", _huber, "d", prepare=floats("huber_loss"), twin=twins.huber, analytic=False
)
huber.vjp(
    "d",
    lambda g, d, delta, slope: g * (_clipped(d, low=-delta, high=delta) * (slope / delta)),
    formula="slope/delta·g ⊙ clip(d, −delta, delta)",
)

# ``index`` picks each target's class; ``weight`` is that of the class, and 0 where not ``kept``
nll_loss = primitive(
    "nll_loss",
    lambda x, *, index, weight, kept: np.where(kept, x[index] * -weight, x.dtype.type(0)),
    "x",
    prepare=floats("nll_loss"),
    twin=twins.nll_loss,
    expects="log-probabilities",
)
nll_loss.vjp(
    "x",
    lambda g, index, weight, kept: Part(np.where(kept, g * -weight, 0), index, add_slices),
    formula="−weight ⊙ g at the target, else 0",
)


@silent
def _binary_cross_entropy(x: Any, target: Any) -> Any:
    """Logarithms count as at least −100, so that a loss stays finite (as in PyTorch)."""
    return (target - 1) * np.maximum(np.log1p(-x), -100) - target * np.maximum(np.log(x), -100)


def _binary_cross_entropy_slope(g: Any, x: Any, target: Any) -> Any:
    variance = (1 - x) * x
    return g * (x - target) / np.where(variance < 1e-12, 1e-12, variance)


binary_cross_entropy = primitive(
    "binary_cross_entropy",
    _binary_cross_entropy,
    "x target",
    prepare=floats("binary_cross_entropy"),
    arrange=first_decides,
    twin=twins.each("binary_cross_entropy"),
)
binary_cross_entropy.vjp(
    "x",
    _binary_cross_entropy_slope,
    formula="g ⊙ (x − target) / (x ⊙ (1 − x))",
)
binary_cross_entropy.vjp(
    "target",
    lambda g, x: g * (np.log1p(-x) - np.log(x)),
    formula="g ⊙ (ln(1 − x) − ln x)",
)

_sigma = in_rules(sigmoid)


@silent
def _cross_entropy_of_logits(x: Any, target: Any) -> Any:
    return (1 - target) * x + log1pexp(-x)


binary_cross_entropy_with_logits = primitive(
    "binary_cross_entropy_with_logits",
    _cross_entropy_of_logits,
    "x target",
    prepare=promoted("binary_cross_entropy_with_logits", numbers=False),
    twin=twins.each("binary_cross_entropy_with_logits"),
    expects="logits",
    analytic=False,
)
binary_cross_entropy_with_logits.vjp(
    "x",  # not σ(x) − target, in which a σ(x) near 1 loses its digits
    lambda g, x, target: g * ((1 - target) * _sigma(x) - target * _sigma(-x)),
    formula="g ⊙ (σ(x) − target)",
)
binary_cross_entropy_with_logits.vjp("target", lambda g, x: -g * x, formula="−g ⊙ x")
