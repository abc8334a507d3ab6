"""Products of matrices, and what is made of them."""

from __future__ import annotations

from typing import Any

from tinygrad_rnn.functions.arguments import tensor_of
from tinygrad_rnn.functions.shape import transpose
from tinygrad_rnn.ops import linalg


def matmul(input: Any, other: Any) -> Any:
    """Product of matrices, ``input @ other``, of every rank that NumPy and PyTorch take.

    Parameters
    ----------
    input : Tensor of shape (..., n, k) or (k,)
    other : Tensor of shape (..., k, m) or (k,)
        Of the same type. Leading axes broadcast; a vector is a row on the left and a column on
        the right, and its axis is dropped from the result.

    Raises
    ------
    RuntimeError
        If the inner sizes differ, an operand is 0-d, or the types differ.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.matmul(tg.tensor([1.0, 2.0]), tg.tensor([[1.0, 0.0], [0.0, 3.0]]))
    tensor([1., 6.])
    """
    return linalg.matmul.apply(input, other)


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """Affine map ``input @ weightᵀ + bias``.

    Parameters
    ----------
    input : Tensor of shape (..., in_features)
    weight : Tensor of shape (out_features, in_features)
    bias : Tensor of shape (out_features,), optional

    Returns
    -------
    Tensor of shape (..., out_features)

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.linear(tg.tensor([1.0, 2.0]), tg.tensor([[3.0, 4.0]]), tg.tensor([0.5]))
    tensor([11.5000])
    """
    x, w = tensor_of("linear", input), tensor_of("linear", weight)
    if w.array.ndim > 2 or (w.array.ndim != 2 and bias is not None):
        raise RuntimeError(f"linear: the weight must be a matrix, got shape {w.array.shape}")
    if not x.array.ndim or x.array.shape[-1] != w.array.shape[-1]:
        raise RuntimeError(
            f"linear: the input of shape {x.array.shape} does not fit a weight of shape "
            f"{w.array.shape}: their last sizes must be equal"
        )
    if bias is None:
        return linalg.matmul.apply(x, transpose(w, 0, 1) if w.array.ndim == 2 else w)
    return linalg.linear.general(x, w, bias)
