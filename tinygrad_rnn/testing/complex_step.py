"""Derivatives without subtraction: the imaginary part of f(x + ih), divided by h.

A difference of two nearly equal numbers loses half the digits; here nothing is subtracted, so h may
be 1e-30 and the derivative is exact to the last digits (Squire and Trapp 1998, SIAM Review 40(1)).
The recorded operations are computed again with complex numbers, so each must be an analytic
function that NumPy knows how to continue. What only chooses between branches, such as relu, is
analytic on either side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_rnn.engine.graph import Node, tape
from tinygrad_rnn.engine.memory import current
from tinygrad_rnn.tensor import Tensor

Array = np.ndarray[Any, Any]
STEP = 1e-30


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


CONTINUED: dict[str, Callable[..., Any]] = {
    "sigmoid": _sigmoid,
    "silu": lambda z: z * _sigmoid(z),
    "logsigmoid": lambda z: -np.log1p(np.exp(-z)),
    "relu": lambda z: np.where(z.real > 0, z, 0),
    "abs": lambda z: np.where(z.real < 0, -z, z),
    "softsign": lambda z: z / (1 + np.where(z.real < 0, -z, z)),
}
"""Operations whose forward knows real numbers only, for complex ones."""

# Rounding, the error function, norms and changes of type have no place here.
ANALYTIC = frozenset(CONTINUED) | {
    "acosh", "addcdiv", "addcmul", "asinh", "atanh", "celu", "exp2", "logit",
    "acos", "add", "add_at", "add_slices", "add_spans", "addmm", "addmv", "amax", "amin",
    "as_strided", "asin", "atan", "baddbmm", "binary_cross_entropy", "cat", "clamp", "clamp_max",
    "clamp_min", "clone", "cos", "cosh", "cumprod", "cumsum", "diag_embed", "diagonal", "div",
    "dropout", "einsum", "elu", "embedding", "exp", "expand", "expm1", "flip", "gelu_tanh",
    "getitem", "hardtanh", "index", "index_put", "layer_norm", "leaky_relu", "linear", "log",
    "log10", "log1p", "log2", "log_softmax", "logsumexp", "matmul", "max", "maximum", "mean",
    "min", "minimum", "mul", "neg", "nll_loss", "pad", "permute", "pick", "pow", "prelu", "prod",
    "put_back", "reciprocal", "repeat", "repeat_interleave", "reshape", "roll", "rsqrt", "sin",
    "sinh", "slice", "softmax", "sqrt", "square", "stack", "std", "sub", "sum", "tan",
    "tanh", "tril", "triu", "var", "where",
}  # fmt: skip
"""Primitives that can be computed with complex numbers."""


def obstacle(output: Tensor) -> str:
    """The first recorded operation that a complex step cannot pass; empty if there is none.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> from tinygrad_rnn.testing.complex_step import obstacle
    >>> x = tg.tensor(0.5, requires_grad=True)
    >>> obstacle(tg.tanh(x)), obstacle(tg.erf(x))
    ('', 'erf')
    """
    for place in _places(output):
        if not place.is_leaf and place.primitive.name not in ANALYTIC:
            return str(place.primitive.name)
        if place.is_leaf and place.value is None:
            return "a constant of which only the shape was kept"
    return ""


def complex_step(output: Tensor, inputs: Sequence[Tensor]) -> list[Array]:
    """The gradient of a single number with respect to inputs, by complex steps.

    The forward must have run inside `keep_values`, and must have no `obstacle`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> from tinygrad_rnn.testing.complex_step import complex_step
    >>> x = tg.tensor([0.0, 1.0], dtype=tg.float64, requires_grad=True)
    >>> complex_step(tg.exp(x).sum(), [x])
    [array([1.        , 2.71828183])]
    """
    places = _places(output)
    values = {place: _complex(place.value) for place in places if place.is_leaf}
    found = []
    for x in inputs:
        slopes = np.zeros(x.shape)
        if x.node in values:
            z = values[x.node]
            for i in np.ndindex(x.shape):
                z[i] += 1j * STEP
                slopes[i] = _replayed(places, values).imag.item() / STEP
                z[i] = z[i].real
        found.append(slopes)
    return found


def _places(output: Tensor) -> list[Node]:
    return tape([current(output)]) if output.node else []


def _complex(value: Any) -> Any:
    """Real numbers as complex ones; conditions and indices as they are."""
    array = np.asarray(value)
    return array.astype(np.complex128) if array.dtype.kind == "f" else array


def _replayed(places: Sequence[Node], leaves: dict[Node, Any]) -> Any:
    values = dict(leaves)
    with np.errstate(all="ignore"):
        for place in places:
            if not place.is_leaf:
                forward = CONTINUED.get(place.primitive.name, place.primitive.forward)
                values[place] = np.asarray(
                    forward(*[values[parent] for parent in place.parents], **place.params)
                )
    return values[places[-1]]
