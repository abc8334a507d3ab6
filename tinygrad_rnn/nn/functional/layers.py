"""What layers do, as functions of their input and their weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn import operations
from tinygrad_rnn.engine.errors import within_memory
from tinygrad_rnn.operations.arguments import indices_of, raw, tensor_of
from tinygrad_rnn.operations.dtypes import int64
from tinygrad_rnn.tensor import wrap

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Tensor:
    """y_k = x₁ᵀ W_k x₂ + b_k.

    Parameters
    ----------
    input1 : Tensor of shape (..., in1_features)
    input2 : Tensor of shape (..., in2_features)
    weight : Tensor of shape (out_features, in1_features, in2_features)
    bias : Tensor of shape (out_features,), optional

    Returns
    -------
    Tensor of shape (..., out_features)

    Raises
    ------
    RuntimeError
        If the shapes do not fit, or the types differ.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([1.0, 2.0])
    >>> tg.nn.functional.bilinear(x, x, tg.ones(1, 2, 2))
    tensor([9.])
    """
    x1, x2, w = (tensor_of("bilinear", x) for x in (input1, input2, weight))
    s1, s2, sw = x1.array.shape, x2.array.shape, w.array.shape
    if len(sw) != 3 or s1[-1:] != sw[1:2] or s2[-1:] != sw[2:] or s1[:-1] != s2[:-1]:
        raise RuntimeError(
            f"bilinear: inputs of shapes {s1} and {s2} do not fit each other and a weight of "
            f"shape {sw}: expected (..., i), (..., j) and (out, i, j)"
        )
    if bias is not None and tensor_of("bilinear", bias).shape != sw[:1]:
        raise RuntimeError(f"bilinear: expected a bias of shape {sw[:1]}, got {raw(bias).shape}")
    x1, x2 = operations.reshape(x1, (-1, 1, 1, sw[1])), operations.reshape(x2, (-1, 1, sw[2], 1))
    y = operations.reshape(x1 @ w @ x2, (*s1[:-1], sw[0]))
    return y if bias is None else operations.add(y, bias)


@within_memory
def one_hot(tensor: Any, num_classes: int = -1) -> Tensor:
    """Zeros with a 1 at each class: of shape (*tensor.shape, num_classes), int64.

    Parameters
    ----------
    tensor : Tensor of int64
        Classes, counted from 0.
    num_classes : int
        −1: one more than the largest class.

    Raises
    ------
    RuntimeError
        If a class is negative or not below ``num_classes``, or there is none to count by.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.one_hot(tg.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    classes = indices_of("one_hot", "classes", tensor, int64)
    if not classes.size and num_classes <= 0:
        raise RuntimeError("one_hot: an empty tensor needs num_classes")
    if classes.size and classes.min() < 0:
        raise RuntimeError(f"one_hot: classes must not be negative, got {classes.min()}")
    if num_classes == -1:
        num_classes = int(classes.max()) + 1
    if classes.size and classes.max() >= num_classes:
        raise RuntimeError(
            f"one_hot: classes must be below num_classes {num_classes}, got {classes.max()}"
        )
    return wrap((classes[..., None] == np.arange(num_classes)).astype(int64), None)
