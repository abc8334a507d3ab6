"""The nonlinearities of recurrent nets."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.ops.promotion import promoted

# σ(x) is 1 to the last bit from here on, and exp does not overflow yet. 0-d arrays of the
# operand's type, because NumPy takes twice as long over Python's numbers.
_SATURATED = {
    np.dtype(dtype): (np.array(limit, dtype), np.array(1, dtype))
    for dtype, limit in ((np.float16, 10), (np.float32, 40), (np.float64, 40))
}


def _sigmoid(x: Any) -> Any:
    limit, one = _SATURATED[x.dtype]
    e = np.exp(np.minimum(x, limit))
    return e / (e + one)


tanh = Primitive("tanh", np.tanh, "x", prepare=promoted("tanh", to_float=True))
tanh.vjp("x", lambda g, y: g * (1 - y * y), formula="g ⊙ (1 − y²)")

sigmoid = Primitive("sigmoid", _sigmoid, "x", symbol="σ", prepare=promoted("σ", to_float=True))
sigmoid.vjp("x", lambda g, y: g * (y - y * y), formula="g ⊙ y ⊙ (1 − y)")

relu = Primitive("relu", lambda x: np.maximum(x, 0), "x", prepare=promoted("relu", bools=False))
relu.vjp("x", lambda g, y: np.where(y <= 0, 0, g), formula="g where y > 0")
