"""Elementwise arithmetic, with broadcasting and type promotion."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.ops.promotion import promoted

add = Primitive("add", np.add, "a b", symbol="+", prepare=promoted("add"))
add.vjp("a", lambda g: g, formula="g")
add.vjp("b", lambda g: g, formula="g")

sub = Primitive("sub", np.subtract, "a b", symbol="−", prepare=promoted("sub"))
sub.vjp("a", lambda g: g, formula="g")
sub.vjp("b", lambda g: -g, formula="−g")

mul = Primitive("mul", np.multiply, "a b", symbol="*", prepare=promoted("mul"))
mul.vjp("a", lambda g, b: g * b, formula="g ⊙ b")
mul.vjp("b", lambda g, a: g * a, formula="g ⊙ a")

div = Primitive("div", np.true_divide, "a b", symbol="/", prepare=promoted("div", to_float=True))
div.vjp("a", lambda g, b: g / b, formula="g / b")
div.vjp("b", lambda g, b, y: -g * (y / b), formula="−g ⊙ y / b")

neg = Primitive("neg", np.negative, "x", symbol="−", prepare=promoted("neg"))
neg.vjp("x", lambda g: -g, formula="−g")

exp = Primitive("exp", np.exp, "x", prepare=promoted("exp", to_float=True))
exp.vjp("x", lambda g, y: g * y, formula="g ⊙ y")

log = Primitive("log", np.log, "x", prepare=promoted("log", to_float=True))
log.vjp("x", lambda g, x: g / x, formula="g / x")

power = Primitive("pow", np.power, "a b", symbol="**", prepare=promoted("pow"))
power.vjp("a", lambda g, a, b: g * _slope(a, b), formula="g ⊙ b ⊙ aᵇ⁻¹")
power.vjp("b", lambda g, a, y: g * y * np.log(a + (a == 0)), formula="g ⊙ y ⊙ ln a")


def _slope(a: Any, b: Any) -> Any:
    """b·a^(b−1), and 0 for b = 0 even at a = 0, where 0·∞ would give NaN."""
    return b * a ** (b - (b != 0))
