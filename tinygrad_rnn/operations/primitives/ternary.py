"""Arithmetic of three operands: on the way from one to another, and products added to something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.operations.memory import first_decides
from tinygrad_rnn.operations.promotion import promoted


def _lerp(start: Any, end: Any, weight: Any) -> Any:
    """From the nearer end, so that weights 0 and 1 give exactly the ends."""
    way = end - start
    return np.where(np.abs(weight) < 0.5, start + weight * way, end - way * (1 - weight))


lerp = Primitive(
    "lerp", _lerp, "start end weight",
    symbol="lerp({start}, {end}, {weight})", arrange=first_decides,
)  # fmt: skip
lerp.vjp("start", lambda g, weight: g * (1 - weight), formula="g ⊙ (1 − weight)")
lerp.vjp("end", lambda g, weight: g * weight, formula="g ⊙ weight")
lerp.vjp("weight", lambda g, start, end: g * (end - start), formula="g ⊙ (end − start)")


def _as_element(value: Any, x: Any) -> Any:
    """A number in the type of ``x``: of integers without its fraction, as in PyTorch."""
    return np.asarray(value).astype(x.dtype)


addcmul = Primitive(
    "addcmul", lambda x, a, b, *, value: x + a * b * _as_element(value, x), "x a b",
    symbol="{x} + value·{a} ⊙ {b}", prepare=promoted("addcmul", bools=False, numbers=False),
    arrange=first_decides,
)  # fmt: skip
addcmul.vjp("x", lambda g: g, formula="g")
addcmul.vjp("a", lambda g, b, value: g * (b * value), formula="g ⊙ value·b")
addcmul.vjp("b", lambda g, a, value: g * (a * value), formula="g ⊙ value·a")

_fit_quotient = promoted("addcdiv", numbers=False)


def _quotients(inputs: Sequence[Any]) -> Sequence[Any]:
    _, a, b = inputs
    if a.dtype.kind != "f" and b.dtype.kind != "f":
        raise RuntimeError(
            f"addcdiv: not defined for a quotient of integers ({a.dtype} and {b.dtype}); convert "
            "one of them to float first"
        )
    return _fit_quotient(inputs)


addcdiv = Primitive(
    "addcdiv", lambda x, a, b, *, value: x + a / b * _as_element(value, x), "x a b",
    symbol="{x} + value·{a} / {b}", prepare=_quotients,
    arrange=first_decides,
)  # fmt: skip
addcdiv.vjp("x", lambda g: g, formula="g")
addcdiv.vjp("a", lambda g, b, value: g * (value / b), formula="g ⊙ value / b")
addcdiv.vjp(
    "b", lambda g, a, b, value: -g * (a / (b * b) * value), formula="−g ⊙ value·a / b²"
)  # fmt: skip
