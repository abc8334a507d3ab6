"""Nonlinearities that are methods of tensors too; the others are in ``nn.functional``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinygrad_rnn.dtypes import DTypeLike, as_dtype
from tinygrad_rnn.operations.arguments import dim_of, tensor_of
from tinygrad_rnn.operations.primitives import activation
from tinygrad_rnn.operations.promotion import to_dtype
from tinygrad_rnn.operations.shape import reshape

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


def relu(input: Any) -> Tensor:
    """max(x, 0), elementwise; the derivative at 0 is 0, as in PyTorch.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.relu(tg.tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 2.])
    """
    return activation.relu.apply(input)


def softmax(input: Any, dim: int, dtype: DTypeLike = None) -> Tensor:
    """exp(x) / Σ exp(x) along ``dim``: positive numbers that sum to 1, without overflow.

    Parameters
    ----------
    input : Tensor, floating-point
    dim : int
    dtype : optional
        Convert the input to this type first.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.softmax(tg.tensor([0.0, 1.0, -10000.0]), 0)
    tensor([0.2689, 0.7311, 0.0000])
    """
    return _along("softmax", activation.softmax, input, dim, dtype)


def log_softmax(input: Any, dim: int, dtype: DTypeLike = None) -> Tensor:
    """``ln softmax(x)`` along ``dim``, which is x − ln Σ exp(x); exact where softmax rounds to 0.

    Parameters
    ----------
    input : Tensor, floating-point
    dim : int
    dtype : optional
        Convert the input to this type first.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.log_softmax(tg.tensor([0.0, 1.0, -10000.0]), 0)
    tensor([-1.3133e+00, -3.1326e-01, -1.0001e+04])
    """
    return _along("log_softmax", activation.log_softmax, input, dim, dtype)


def _along(name: str, primitive: Any, input: Any, dim: int, dtype: DTypeLike) -> Any:
    x = tensor_of(name, input)
    if dtype is not None:
        x = to_dtype(x, as_dtype(dtype))
    d = dim_of(name, dim, x.array.ndim)
    return primitive.apply(x, axis=(d,) if x.array.ndim else ())


def prelu(input: Any, weight: Any) -> Tensor:
    """``x`` for x > 0, else weight · x: a leaky ReLU whose slope is learnt.

    Parameters
    ----------
    input : Tensor of shape (N, C, ...)
    weight : Tensor of one element, or of shape (C,): one slope per channel

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.prelu(tg.tensor([[-1.0, -1.0], [1.0, 1.0]]), tg.tensor([0.5, 0.25]))
    tensor([[-0.5000, -0.2500],
            [ 1.0000,  1.0000]])
    """
    x, w = tensor_of("prelu", input), tensor_of("prelu", weight)
    if w.array.ndim > 1:
        raise RuntimeError(f"prelu: the weight must be 0-d or 1-d, got shape {w.array.shape}")
    if w.array.size != 1:
        channels = x.array.shape[1] if x.array.ndim > 1 else 1
        if not x.array.ndim or w.array.size != channels:
            raise RuntimeError(
                f"prelu: {w.array.size} weights do not fit the {channels} channels (axis 1) of an "
                f"input of shape {x.array.shape}"
            )
        w = reshape(w, (-1,) + (1,) * (x.array.ndim - 2))
    elif w.array.ndim:
        w = reshape(w, ())
    return activation.prelu.apply(x, w)
