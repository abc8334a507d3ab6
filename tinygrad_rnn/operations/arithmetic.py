"""Elementwise arithmetic, with broadcasting and type promotion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_rnn.engine.errors import silent
from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.engine.memory import requires_grad
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.operations.memory import first_decides
from tinygrad_rnn.operations.promotion import promoted


def in_rules(primitive: Primitive) -> Callable[..., Any]:
    """A primitive as rules use it: on arrays its forward, on tensors itself, so recorded."""

    def function(*inputs: Any, **params: Any) -> Any:
        recorded = any(isinstance(x, Variable) for x in inputs)
        return (primitive if recorded else primitive.forward)(*inputs, **params)

    return function


add = Primitive("add", np.add, "a b", symbol="+", prepare=promoted("add"), arrange=first_decides)
add.vjp("a", lambda g: g, formula="g")
add.vjp("b", lambda g: g, formula="g")


_promoted_difference = promoted("sub")


def _without_bools(inputs: Sequence[Any]) -> Sequence[Any]:
    for x in inputs:
        if isinstance(x, bool) or getattr(x, "dtype", None) == np.bool_:
            raise RuntimeError("sub: bools cannot be subtracted; use != or convert them first")
    return _promoted_difference(inputs)


sub = Primitive(
    "sub", np.subtract, "a b", symbol="−", prepare=_without_bools, arrange=first_decides
)
sub.vjp("a", lambda g: g, formula="g")
sub.vjp("b", lambda g: -g, formula="−g")

mul = Primitive(
    "mul", np.multiply, "a b", symbol="*", prepare=promoted("mul"), arrange=first_decides
)
mul.vjp("a", lambda g, b: g * b, formula="g ⊙ b")
mul.vjp("b", lambda g, a: g * a, formula="g ⊙ a")

div = Primitive(
    "div",
    silent(np.true_divide),
    "a b",
    symbol="/",
    prepare=promoted("div", to_float=True),
    arrange=first_decides,
)
div.vjp("a", lambda g, b: g / b, formula="g / b")
div.vjp("b", lambda g, a, b: -g * (a / b / b), formula="−g ⊙ a / b²")

neg = Primitive("neg", np.negative, "x", symbol="−", prepare=promoted("neg", bools=False))
neg.vjp("x", lambda g: -g, formula="−g")

exp = Primitive("exp", silent(np.exp), "x", prepare=promoted("exp", to_float=True))
exp.vjp("x", lambda g, y: g * y, formula="g ⊙ y")

log = Primitive("log", silent(np.log), "x", prepare=promoted("log", to_float=True))
log.vjp("x", lambda g, x: g / x, formula="g / x")

# ``order``: "K" keeps the order in memory, "C" makes it that of the indices
clone = Primitive("clone", lambda x, *, order="K": x.copy(order), "x")
clone.vjp("x", lambda g: g, formula="g")

where = Primitive("where", np.where, "condition a b", arrange=first_decides)
where.vjp("a", lambda g, condition: np.where(condition, g, 0), formula="g where condition")
where.vjp("b", lambda g, condition: np.where(condition, 0, g), formula="g where not condition")


def _power(a: Any, b: Any) -> Any:
    if b.dtype.kind != "i" or not (b < 0).any():
        return np.power(a, b)
    # 1/aᵇ rounded towards 0, where NumPy refuses: only ±1 leave something
    return np.where((b >= 0) | (abs(a) == 1), np.power(a, abs(b)), 0)


power = Primitive(
    "pow", silent(_power), "a b",
    symbol="**", prepare=promoted("pow", bools=False, numbers=False), arrange=first_decides,
)  # fmt: skip
power.vjp("a", lambda g, a, b: _power_slope(g, a, b), formula="g ⊙ b ⊙ a^(b − 1)")
power.vjp(
    "b",
    lambda g, a, b, y: g * y * np.log(np.where((a == 0) * (b >= 0), 1, a)),
    formula="g ⊙ y ⊙ ln a",
)


def _power_slope(g: Any, a: Any, b: Any) -> Any:
    """g·b·a^(b−1), and 0 for b = 0 even where that is not finite."""
    none = b == 0
    if not none.any():
        return g * (b * a ** (b - 1))
    if requires_grad(b):  # there is a derivative by b even where b is 0: 1/a, if that is finite
        return g * (b * np.where(none * ((a == 0) + (a != a)), 1, a) ** (b - 1))
    return np.where(none, 0, g * (b * a ** np.where(none, 0, b - 1)))
