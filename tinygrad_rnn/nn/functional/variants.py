"""Nonlinearities where `torch.nn.functional` takes other arguments than `torch`, or is alone.

``inplace`` overwrites the input and returns it.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from tinygrad_rnn import operations
from tinygrad_rnn.operations.arguments import dim_of, tensor_of
from tinygrad_rnn.operations.dtypes import DTypeLike
from tinygrad_rnn.operations.indexing import getitem
from tinygrad_rnn.operations.inplace import change
from tinygrad_rnn.operations.node_names import made_by

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


def relu(input: Any, inplace: bool = False) -> Tensor:
    """max(x, 0), elementwise; the derivative at 0 is 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.relu(tg.tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 2.])
    """
    if inplace:
        return change("relu_", operations.relu, tensor_of("relu", input))
    return operations.relu(tensor_of("relu", input))


def glu(input: Any, dim: int = -1) -> Tensor:
    """``a · σ(b)``, where a and b are the halves of the input along ``dim``.

    Raises
    ------
    RuntimeError
        If the size along ``dim`` is odd.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.glu(tg.tensor([2.0, 4.0, 0.0, 10000.0]))
    tensor([1., 4.])
    """
    x = tensor_of("glu", input)
    if not x.array.ndim:
        raise RuntimeError("glu: a 0-d tensor has no halves")
    if x.array.dtype.kind != "f":
        raise RuntimeError(f"glu: only defined for floating-point tensors, not {x.array.dtype}")
    axis = dim_of("glu", dim, x.array.ndim)
    half, rest = divmod(x.array.shape[axis], 2)
    if rest:
        raise RuntimeError(
            f"glu: the size along dim {dim} must be even, the input has shape {x.array.shape}"
        )
    before = (slice(None),) * axis
    a, b = getitem(x, (*before, slice(half))), getitem(x, (*before, slice(half, None)))
    return made_by("GluBackward0", operations.mul(a, operations.sigmoid(b)))


def softmax(input: Any, dim: int | None = None, *, dtype: DTypeLike = None) -> Tensor:
    """exp(x) / Σ exp(x) along ``dim``: see `tinygrad_rnn.softmax`.

    Without ``dim`` an axis is chosen as in PyTorch, with a warning.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.softmax(tg.tensor([[0.0, 1.0]]), dim=1)
    tensor([[0.2689, 0.7311]])
    """
    return operations.softmax(input, _chosen("softmax", input, dim), dtype)


def log_softmax(input: Any, dim: int | None = None, *, dtype: DTypeLike = None) -> Tensor:
    """``ln softmax(x)`` along ``dim``: see `tinygrad_rnn.log_softmax`.

    Without ``dim`` an axis is chosen as in PyTorch, with a warning.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.log_softmax(tg.tensor([[0.0, 1.0]]), dim=1)
    tensor([[-1.3133, -0.3133]])
    """
    return operations.log_softmax(input, _chosen("log_softmax", input, dim), dtype)


def softmin(input: Any, dim: int | None = None, *, dtype: DTypeLike = None) -> Tensor:
    """softmax(−x) along ``dim``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.softmin(tg.tensor([[0.0, 1.0]]), dim=1)
    tensor([[0.7311, 0.2689]])
    """
    dim = _chosen("softmin", input, dim)
    return operations.softmax(operations.neg(tensor_of("softmin", input)), dim, dtype)


def _chosen(name: str, input: Any, dim: int | None) -> int:
    """``dim``; if there is none, the axis that PyTorch used to take."""
    if dim is not None:
        return dim
    warnings.warn(
        f"{name}: choosing dim by the number of axes is deprecated; pass dim", stacklevel=3
    )
    return 0 if tensor_of(name, input).array.ndim in (0, 1, 3) else 1
