"""Dropout, of elements and of whole channels: noise from the default generator, as PyTorch's.

The elements that PyTorch drops after the same seed are dropped (where it is not built on Intel's
random numbers).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn import operations
from tinygrad_rnn.engine.errors import within_memory
from tinygrad_rnn.operations import layers
from tinygrad_rnn.operations.arguments import number_of, tensor_of
from tinygrad_rnn.operations.inplace import change
from tinygrad_rnn.tensor import wrap
from tinygrad_rnn.tensor.generator import default_generator

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

Array = np.ndarray[Any, Any]

_SELU_FLOOR = 1.7580993408473766  # what SELU tends to at −∞, but for the sign


@within_memory
def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Elements set to 0 with probability ``p``, the others scaled by 1 / (1 − p).

    Parameters
    ----------
    input : Tensor
    p : float
        Probability that an element is dropped, from 0 to 1.
    training : bool
        Whether to drop at all.
    inplace : bool
        Whether to overwrite the input.

    Raises
    ------
    ValueError
        If ``p`` is not a probability.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.functional.dropout(tg.ones(4))
    tensor([0., 0., 2., 0.])
    """
    return _dropped("dropout", input, p, training, inplace, lambda x: x)


@within_memory
def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Whole channels set to 0 with probability ``p``, the others scaled by 1 / (1 − p).

    Parameters
    ----------
    input : Tensor of shape (batch, channels, length) or (channels, length)
    p, training, inplace
        As those of `dropout`.

    Raises
    ------
    RuntimeError
        If the input is of another shape.
    """
    x = tensor_of("dropout1d", input)
    if x.array.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: expected (batch, channels, length) or (channels, length), got an input "
            f"of shape {x.shape}"
        )
    return _dropped("dropout1d", x, p, training, inplace, _channels(x.array.ndim - 1))


@within_memory
def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Whole channels set to 0 with probability ``p``, the others scaled by 1 / (1 − p).

    Parameters
    ----------
    input : Tensor of shape (batch, channels, …), as a rule with two axes more
        The first two axes tell channels apart, whatever follows.
    p, training, inplace
        As those of `dropout`.

    Raises
    ------
    RuntimeError
        If the input has fewer than two axes.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.functional.dropout2d(tg.ones(2, 2, 3))
    tensor([[[0., 0., 0.],
             [0., 0., 0.]],
    <BLANKLINE>
            [[2., 2., 2.],
             [0., 0., 0.]]])
    """
    return _dropped("dropout2d", input, p, training, inplace, _channels(2))


@within_memory
def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Whole channels set to 0 with probability ``p``, the others scaled by 1 / (1 − p).

    Parameters
    ----------
    input : Tensor of shape (batch, channels, …) with three axes more, or (channels, …)
    p, training, inplace
        As those of `dropout`.

    Raises
    ------
    RuntimeError
        If the input is a single number.
    """
    x = tensor_of("dropout3d", input)
    leading = 2 if x.array.ndim == 5 else 1  # of one sample, the channels come first
    return _dropped("dropout3d", x, p, training, inplace, _channels(leading))


@within_memory
def alpha_dropout(
    input: Any, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Elements set to SELU's least value with probability ``p``; all scaled and shifted then.

    So mean 0 and variance 1 stay as they are. https://arxiv.org/abs/1706.02515

    Parameters
    ----------
    input : Tensor
    p : float
        Probability that an element is dropped, from 0 to 1.
    training : bool
        Whether to drop at all.
    inplace : bool
        Whether to overwrite the input.

    Raises
    ------
    ValueError
        If ``p`` is not a probability.
    """
    x = tensor_of("alpha_dropout", input)
    p = _probability("alpha_dropout", p)
    if not training or p == 0 or not x.array.size:
        return x
    if inplace:
        return change("alpha_dropout_", alpha_dropout, x, p, True)
    kept = _kept("alpha_dropout", x, x.array, p)
    if p == 1:
        return layers.dropout.apply(x, kept)
    scale = 1 / math.sqrt((_SELU_FLOOR**2 * p + 1) * (1 - p))
    shift = (kept.array - 1) * (_SELU_FLOOR * scale) + _SELU_FLOOR * scale * p
    kind = x.array.dtype
    mask = wrap(np.asarray(kept.array * scale, kind), None)
    return operations.add(layers.dropout.apply(x, mask), wrap(np.asarray(shift, kind), None))


def _dropped(
    name: str, input: Any, p: Any, training: bool, inplace: bool, blank: Callable[[Array], Array]
) -> Tensor:
    """The input times noise of the shape of ``blank(input)``, if there is anything to drop."""
    x = tensor_of(name, input)
    p = _probability(name, p)
    if not training or p == 0 or not x.array.size:
        return x
    if inplace:
        return change(f"{name}_", _noisy, x, name, p, blank)
    return _noisy(x, name, p, blank)


def _noisy(x: Any, name: str, p: float, blank: Callable[[Array], Array]) -> Tensor:
    if p == 1:
        return operations.mul(x, wrap(np.zeros((), x.array.dtype), None))
    mask = _kept(name, x, blank(x.array), p).array / x.array.dtype.type(1 - p)
    return layers.dropout.apply(x, wrap(np.asarray(mask), None))


def _kept(name: str, x: Any, like: Array, p: float) -> Any:
    """1 for what stays, 0 for what is dropped."""
    if x.array.dtype.kind != "f":
        raise RuntimeError(f"{name}: expected a floating-point tensor, got {x.array.dtype}")
    return wrap(default_generator.bernoulli(like, 1 - p), None)


def _channels(leading: int) -> Callable[[Array], Array]:
    """What gives an array with one element for each channel, as the leading axes tell them."""

    def blank(x: Array) -> Array:
        if x.ndim < leading:
            raise RuntimeError(
                f"dropout of channels: expected at least {leading} axes, got an input of shape "
                f"{x.shape}"
            )
        return np.empty(x.shape[:leading] + (1,) * (x.ndim - leading), x.dtype)

    return blank


def _probability(name: str, p: Any) -> float:
    p = number_of(name, "p", p)
    if not 0 <= p <= 1:
        raise ValueError(f"{name}: p must be between 0 and 1, got {p}")
    return float(p)
