"""What loss functions are made of, besides arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_rnn.contributions import Part
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.ops.activation import floats, hardtanh, in_rules
from tinygrad_rnn.ops.indexing import add_slices
from tinygrad_rnn.ops.memory import first_decides

_clipped = in_rules(hardtanh)


def _huber(d: Any, *, delta: float) -> Any:
    size = np.abs(d)
    with np.errstate(all="ignore"):
        return np.where(size < delta, d * d * 0.5, (size - 0.5 * delta) * delta)


huber = Primitive("huber", _huber, "d", prepare=floats("huber_loss"))
huber.vjp(
    "d",
    lambda g, d, delta: g * _clipped(d, low=-delta, high=delta),
    formula="g ⊙ clip(d, −delta, delta)",
)

# ``index`` picks each target's class; ``weight`` is that of the class, and 0 where not ``kept``
nll_loss = Primitive(
    "nll_loss",
    lambda x, *, index, weight, kept: np.where(kept, x[index] * -weight, x.dtype.type(0)),
    "x",
    prepare=floats("nll_loss"),
)
nll_loss.vjp(
    "x",
    lambda g, index, weight, kept: Part(np.where(kept, g * -weight, 0), index, add_slices),
    formula="−weight ⊙ g at the target, else 0",
)


def _binary_cross_entropy(x: Any, target: Any) -> Any:
    """Logarithms count as at least −100, so that a loss stays finite (as in PyTorch)."""
    with np.errstate(all="ignore"):
        return (target - 1) * np.maximum(np.log1p(-x), -100) - target * np.maximum(np.log(x), -100)


def _binary_cross_entropy_slope(g: Any, x: Any, target: Any) -> Any:
    variance = (1 - x) * x
    return g * (x - target) / np.where(variance < 1e-12, 1e-12, variance)


binary_cross_entropy = Primitive(
    "binary_cross_entropy",
    _binary_cross_entropy,
    "x target",
    prepare=floats("binary_cross_entropy"),
    arrange=first_decides,
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
