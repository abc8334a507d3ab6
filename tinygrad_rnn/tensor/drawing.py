"""Draws by the probabilities that a tensor holds: functions that are methods of it as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.errors import within_memory
from tinygrad_rnn.operations.arguments import check_flags, integer_of, number_of, tensor_of
from tinygrad_rnn.operations.dtypes import is_floating
from tinygrad_rnn.tensor.generator import Generator, source_of

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


@within_memory
def bernoulli(input: Any, p: Any = ..., *, generator: Generator | None = None) -> Tensor:
    """1 or 0 for each element, of the type of ``input``, whose elements are the probabilities of 1.

    Parameters
    ----------
    input : Tensor
    p : float, optional
        One probability for all elements, instead of theirs.

    Raises
    ------
    RuntimeError
        If a probability is not between 0 and 1, or not of a floating-point type.

    Notes
    -----
    The result is a constant: PyTorch lets a gradient of zero flow back to ``input``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.bernoulli(tg.tensor([0.0, 0.9, 0.1, 1.0]))
    tensor([0., 1., 1., 1.])
    """
    x = tensor_of("bernoulli", input).array
    if p is not ...:
        p = float(number_of("bernoulli", "p", p))
    elif is_floating(x.dtype):
        p = x
    else:
        raise RuntimeError(f"bernoulli: probabilities must be floating-point, got {x.dtype}")
    source = source_of("bernoulli", generator)
    return graph.make_tensor(source.bernoulli(np.empty(x.shape, x.dtype), p), None)


@within_memory
def multinomial(
    input: Any, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Indices drawn with probabilities in proportion to weights: int64.

    Parameters
    ----------
    input : Tensor of shape (n,) or (rows, n)
        Weights, not negative; each row is one distribution.
    num_samples : int
        How many indices to draw of each row.
    replacement : bool
        Whether an index may be drawn again.

    Returns
    -------
    Tensor of shape (num_samples,) or (rows, num_samples)

    Raises
    ------
    RuntimeError
        If a weight is negative or not finite, a row has none that is positive, or there are fewer
        indices than asked for.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(1)
    >>> tg.multinomial(tg.tensor([0.0, 1.0, 3.0]), 5, replacement=True)
    tensor([1, 1, 1, 1, 2])
    """
    weights = tensor_of("multinomial", input).array
    count = integer_of("multinomial", "num_samples", num_samples)
    check_flags("multinomial", replacement=replacement)
    if weights.ndim not in (1, 2) or not is_floating(weights.dtype):
        raise RuntimeError(
            f"multinomial: expected floating-point weights of shape (n,) or (rows, n), got "
            f"{weights.dtype} of shape {weights.shape}"
        )
    n = weights.shape[-1]
    if count < 1 or not n or (count > n and not replacement):
        with_them = "with" if replacement else "without"
        raise RuntimeError(f"multinomial: cannot draw {count} of {n} {with_them} replacement")
    if not np.all((weights >= 0) & (weights < np.inf)):
        raise RuntimeError("multinomial: weights must be finite and not negative")
    if not np.all(weights.any(-1)):
        raise RuntimeError("multinomial: no weight is positive")
    source = source_of("multinomial", generator)
    drawn = source.multinomial(weights.reshape(-1, n), count, replacement)
    return graph.make_tensor(drawn.reshape(*weights.shape[:-1], count), None)
