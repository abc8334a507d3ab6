"""PyTorch's older constructors: `LongTensor` and its kin, which are kinds of tensors as well.

A kind makes tensors, of data or of given sizes, says whether something is one, and may be asked
for by ``x.type(kind)``. There are no objects of it: its tensors are of the class `Tensor`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.operations import dtypes
from tinygrad_rnn.operations.dtypes import DTypeLike, as_dtype, get_default_dtype
from tinygrad_rnn.operations.kinds import Size
from tinygrad_rnn.operations.types import on_cpu
from tinygrad_rnn.tensor.creation import to_array

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

Array = np.ndarray[Any, Any]


class TensorKind(type):
    """The class of `FloatTensor` and its kin, whose ``dtype`` is that of their tensors."""

    dtype: np.dtype[Any]

    def __call__(cls, *data: Any, device: Any = None) -> Tensor:
        """A new tensor: of a sequence, array or tensor of this type, or zeros of given sizes."""
        return of_one_type(cls.__name__, data, cls.dtype, device)

    def __instancecheck__(cls, x: Any) -> bool:
        """Whether ``x`` is a tensor of this type."""
        return isinstance(x, Variable) and bool(x.array.dtype == cls.dtype)


def of_one_type(name: str, data: tuple[Any, ...], dtype: np.dtype[Any], device: Any) -> Tensor:
    """A new tensor of a type: of a sequence or array, of a tensor of that type, or of sizes."""
    on_cpu(name, device)
    if len(data) == 1 and isinstance(data[0], Variable) and data[0].array.dtype != dtype:
        raise TypeError(
            f"{name}: expected a tensor of {dtype}, got one of {data[0].array.dtype}; convert it "
            "with .to()"
        )
    return graph.make_tensor(data_or_sizes(name, data, dtype), None)


def data_or_sizes(name: str, data: tuple[Any, ...], dtype: DTypeLike = None) -> Array:
    """What PyTorch's older constructors make: zeros of sizes, or a sequence in one type.

    Without ``dtype`` in the default type, but for tensors, which keep theirs.
    """
    if dtype is None and len(data) == 1 and isinstance(data[0], Variable):
        dtype = data[0].array.dtype
    kind = as_dtype(dtype or get_default_dtype())
    if len(data) == 1 and isinstance(data[0], Size):
        data = tuple(data[0])
    if all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in data):
        if any(n < 0 for n in data):
            raise RuntimeError(f"{name}: sizes must not be negative, got {data!r:.60}")
        return np.zeros(data or 0, kind)
    if len(data) > 1:
        raise TypeError(f"{name}: expected sizes or one sequence, got {data!r:.60}")
    if isinstance(data[0], range):
        data = (list(data[0]),)
    if not isinstance(data[0], list | tuple | np.ndarray | Variable):
        raise TypeError(f"{name}: expected sizes or a sequence, got {data[0]!r:.60}")
    return to_array(data[0], kind)


class FloatTensor(metaclass=TensorKind):
    """Tensors of float32.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.FloatTensor([1, 2])
    tensor([1., 2.])
    >>> tg.FloatTensor(1, 2)
    tensor([[0., 0.]])
    >>> isinstance(tg.ones(2), tg.FloatTensor)
    True
    """

    dtype = dtypes.float32


class DoubleTensor(metaclass=TensorKind):
    """Tensors of float64."""

    dtype = dtypes.float64


class HalfTensor(metaclass=TensorKind):
    """Tensors of float16."""

    dtype = dtypes.float16


class LongTensor(metaclass=TensorKind):
    """Tensors of int64.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.LongTensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    >>> tg.tensor([1.5]).type(tg.LongTensor)
    tensor([1])
    """

    dtype = dtypes.int64


class IntTensor(metaclass=TensorKind):
    """Tensors of int32."""

    dtype = dtypes.int32


class ShortTensor(metaclass=TensorKind):
    """Tensors of int16."""

    dtype = dtypes.int16


class CharTensor(metaclass=TensorKind):
    """Tensors of int8."""

    dtype = dtypes.int8


class ByteTensor(metaclass=TensorKind):
    """Tensors of uint8."""

    dtype = dtypes.uint8


class BoolTensor(metaclass=TensorKind):
    """Tensors of bool."""

    dtype = dtypes.bool_


KINDS = (
    FloatTensor, DoubleTensor, HalfTensor, LongTensor, IntTensor, ShortTensor, CharTensor,
    ByteTensor, BoolTensor,
)  # fmt: skip


def set_default_tensor_type(t: TensorKind | str) -> None:
    """Set the default type of elements by a kind of tensors; see `set_default_dtype`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.set_default_tensor_type("torch.FloatTensor")
    >>> tg.get_default_dtype()
    torch.float32
    """
    names = {kind.__name__: kind for kind in KINDS}
    kind = names.get(t.removeprefix("torch."), t) if isinstance(t, str) else t
    if not isinstance(kind, TensorKind):
        raise TypeError(f"set_default_tensor_type: {t!r:.60} is no kind of tensors")
    dtypes.set_default_dtype(kind.dtype)
