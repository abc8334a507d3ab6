"""Derivatives without subtraction: the imaginary part of f(x + ih), divided by h.

A difference of two nearly equal numbers loses half the digits; here nothing is subtracted, so h may
be 1e-30 and the derivative is exact to the last digits (Squire and Trapp 1998, SIAM Review 40(1)).
The recorded operations are computed again with complex numbers, so each must be an analytic
function that NumPy knows how to continue. What only chooses between branches, such as relu, is
analytic on either side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_rnn.engine.graph import Node, tape
from tinygrad_rnn.engine.memory import current
from tinygrad_rnn.operations.traits import traits_of
from tinygrad_rnn.tensor import Tensor

Array = np.ndarray[Any, Any]
STEP = 1e-30


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
        if not place.is_leaf and not _analytic(place.primitive):
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
    at = current(output)
    return [] if at is None else tape([at])


def _analytic(primitive: Any) -> Any:
    """Whether, or how, a primitive can be computed with complex numbers."""
    return traits_of(primitive).analytic


def _complex(value: Any) -> Any:
    """Real numbers as complex ones; conditions and indices as they are."""
    array = np.asarray(value)
    return array.astype(np.complex128) if array.dtype.kind == "f" else array


def _replayed(places: Sequence[Node], leaves: dict[Node, Any]) -> Any:
    values = dict(leaves)
    with np.errstate(all="ignore"):
        for place in places:
            if not place.is_leaf:
                continued = _analytic(place.primitive)
                forward = continued if callable(continued) else place.primitive.forward
                values[place] = np.asarray(
                    forward(*[values[parent] for parent in place.parents], **place.params)
                )
    return values[places[-1]]
