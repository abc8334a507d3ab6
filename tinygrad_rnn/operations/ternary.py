"""Functions of each element of three operands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.operations.arguments import fitting, number_of, raw, tensor_of
from tinygrad_rnn.operations.primitives import ternary
from tinygrad_rnn.operations.promotion import to_dtype

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


def lerp(input: Any, end: Any, weight: Any) -> Tensor:
    """``input`` + ``weight`` · (``end`` − ``input``), elementwise: between the two.

    Parameters
    ----------
    input, end : Tensor
        Floating-point, of one type.
    weight : number or Tensor of that type
        0 gives ``input``, 1 gives ``end``.

    Raises
    ------
    RuntimeError
        If the types differ or are no floating-point ones, or the shapes do not broadcast.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.lerp(tg.tensor([0.0, 10.0]), tg.tensor([4.0, 20.0]), 0.25)
    tensor([ 1.0000, 12.5000])
    """
    a, b = tensor_of("lerp", input), tensor_of("lerp", end)
    dtype = a.array.dtype
    is_tensor = isinstance(raw(weight), np.ndarray)
    w: Any = tensor_of("lerp", weight) if is_tensor else float(number_of("lerp", "weight", weight))
    if dtype.kind != "f":
        raise RuntimeError(f"lerp: only of floating-point tensors, not of {dtype}; convert them")
    if is_tensor and not w.array.ndim:  # counts as a number
        w = to_dtype(w, dtype)
    for what, x in [("end", b), ("weight", w)][: 1 + is_tensor]:
        if x.array.dtype != dtype:
            raise RuntimeError(f"lerp: the {what} must be {dtype} like input, not {x.array.dtype}")
    return ternary.lerp.apply(a, b, w)


def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Tensor:
    """``input`` + ``value`` · ``tensor1`` ⊙ ``tensor2``, elementwise, in their common type.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.addcmul(tg.tensor([1.0, 1.0]), tg.tensor([2.0, 3.0]), tg.tensor([4.0, 5.0]), value=0.5)
    tensor([5.0000, 8.5000])
    """
    return _added(ternary.addcmul, input, tensor1, tensor2, value)


def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Tensor:
    """``input`` + ``value`` · ``tensor1`` / ``tensor2``, elementwise, in their common type.

    Raises
    ------
    RuntimeError
        If both tensors are of integers.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.addcdiv(tg.tensor([1.0, 1.0]), tg.tensor([2.0, 3.0]), tg.tensor([4.0, 6.0]), value=2)
    tensor([2., 2.])
    """
    return _added(ternary.addcdiv, input, tensor1, tensor2, value)


def _added(kind: Any, *given: Any) -> Any:
    *operands, value = given
    factor = number_of(kind.name, "value", value)
    tensors = kind.prepare([tensor_of(kind.name, x) for x in operands])
    return kind.apply(*tensors, value=fitting(kind.name, factor, tensors[0].dtype))
