"""Running sums whose terms are known by their logarithms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.engine.errors import silent
from tinygrad_rnn.operations.activation import wide
from tinygrad_rnn.operations.arguments import dim_of, tensor_of
from tinygrad_rnn.operations.memory import in_c_order
from tinygrad_rnn.operations.operation import operation
from tinygrad_rnn.operations.promotion import floats

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


@silent
def _logcumsumexp(x: Any, *, dim: int) -> Any:
    return np.logaddexp.accumulate(x, dim) if x.size else x.copy()


@silent
@wide
def _logcumsumexp_slope(g: Any, x: Any, y: Any, dim: int) -> Any:
    """g[j] exp(x[i] − y[j]), summed over all j from i on: none of these is larger than 1."""
    x, y, g = (np.moveaxis(a, dim, -1)[..., None] for a in (x, y, g))
    n = x.shape[-2]
    shares = np.exp(np.where(np.triu(np.ones((n, n), bool)), x - np.swapaxes(y, -1, -2), -np.inf))
    shares = np.where(x == -np.inf, 0.0, shares)  # where nothing has been added yet
    return np.moveaxis((shares @ g)[..., 0], -1, dim)


@operation(in_c_order(wide(_logcumsumexp)), prepare=floats("logcumsumexp"), analytic=False)
def logcumsumexp(input: Any, dim: int) -> Tensor:
    """Ln of the running sum of exp(x) along ``dim``, without overflow.

    Parameters
    ----------
    input : Tensor, floating-point
    dim : int

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.logcumsumexp(tg.tensor([0.0, 0.0, 0.0]), 0)
    tensor([0.0000, 0.6931, 1.0986])
    """
    x = tensor_of("logcumsumexp", input)
    d = dim_of("logcumsumexp", dim, x.array.ndim)
    if not x.array.ndim:
        return x.clone()
    return logcumsumexp.apply(x, dim=d)


logcumsumexp.vjp("x", _logcumsumexp_slope, formula="Σ g ⊙ exp(x − y) from here on")
