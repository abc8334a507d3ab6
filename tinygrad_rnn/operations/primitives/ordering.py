"""Elements selected along an axis by their order: what sort, topk and the like return."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.operations.arithmetic import in_rules
from tinygrad_rnn.operations.memory import owned


def _pick(x: Any, *, index: Any, dim: int, keepdims: bool) -> Any:
    y = np.empty_like(index, x.dtype)  # which lies as the index does
    y[...] = np.take_along_axis(x, index, dim)
    return y if keepdims else y.squeeze(dim)


def _put_back(g: Any, *, index: Any, dim: int, keepdims: bool, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with the elements of ``g`` at the places, all different, of ``index``."""
    whole = np.zeros(shape, g.dtype)
    np.put_along_axis(whole, index, g if keepdims else np.expand_dims(g, dim), dim)
    return whole


pick: Primitive = Primitive("pick", owned(_pick), "x")
put_back: Primitive = Primitive("put_back", _put_back, "x")
_pick_of, _put_back_of = in_rules(pick), in_rules(put_back)

pick.vjp(
    "x",
    lambda g, x_shape, index, dim, keepdims: _put_back_of(
        g, index=index, dim=dim, keepdims=keepdims, shape=x_shape
    ),
    formula="g at [index], else 0",
)
put_back.vjp(
    "x",
    lambda g, index, dim, keepdims: _pick_of(g, index=index, dim=dim, keepdims=keepdims),
    formula="g[index]",
)
