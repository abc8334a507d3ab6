"""What a tensor's elements are: their type, their place in memory, and new tensors of the type."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any, overload

from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.operations import types
from tinygrad_rnn.operations.arguments import dim_of, tensor_of
from tinygrad_rnn.operations.dtypes import (
    DTypeLike,
    as_dtype,
    bool_,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
)
from tinygrad_rnn.operations.promotion import to_dtype
from tinygrad_rnn.tensor import creation
from tinygrad_rnn.tensor.typed import KINDS, TensorKind, of_one_type

if TYPE_CHECKING:
    from typing_extensions import Self

    from tinygrad_rnn.tensor.tensor import Tensor

_NAMES = {kind.__name__: kind.dtype for kind in KINDS}


class Elements(Variable):
    """Methods about the type of elements and their place in memory."""

    # Methods are called `int`, `bool` and `float` here: annotations cannot mean Python's.

    __slots__ = ()

    # -- changes of type --

    to = types.to

    def float(self) -> Tensor:
        """As float32."""
        return to_dtype(self, float32)

    def double(self) -> Tensor:
        """As float64."""
        return to_dtype(self, float64)

    def half(self) -> Tensor:
        """As float16."""
        return to_dtype(self, float16)

    def long(self) -> Tensor:
        """As int64."""
        return to_dtype(self, int64)

    def int(self) -> Tensor:
        """As int32."""
        return to_dtype(self, int32)

    def short(self) -> Tensor:
        """As int16."""
        return to_dtype(self, int16)

    def char(self) -> Tensor:
        """As int8."""
        return to_dtype(self, int8)

    def byte(self) -> Tensor:
        """As uint8."""
        return to_dtype(self, uint8)

    def bool(self) -> Tensor:
        """As bool: whether an element is not 0."""
        return to_dtype(self, bool_)

    @overload
    def type(self, dtype: None = None) -> str: ...
    @overload
    def type(self, dtype: DTypeLike | TensorKind) -> Tensor: ...

    def type(self, dtype: DTypeLike | TensorKind = None) -> Tensor | str:
        """The name of its type, "torch.FloatTensor" and so on; or the tensor in another type.

        Examples
        --------
        >>> import tinygrad_rnn as tg
        >>> tg.ones(2).type()
        'torch.FloatTensor'
        >>> tg.ones(2).type("LongTensor")
        tensor([1, 1])
        """
        if dtype is None:
            name = next(name for name, known in _NAMES.items() if known == self.array.dtype)
            return f"torch.{name}"
        if isinstance(dtype, str):
            dtype = _NAMES.get(dtype.removeprefix("torch."), dtype)
        if isinstance(dtype, TensorKind):
            dtype = dtype.dtype
        return to_dtype(self, as_dtype(dtype))

    def type_as(self, other: Any) -> Tensor:
        """In the type of another tensor."""
        return to_dtype(self, tensor_of("type_as", other).array.dtype)

    is_floating_point = types.is_floating_point

    # -- devices --

    @property
    def device(self) -> types.device:
        """Where the elements are: always `device` "cpu"."""
        return types.CPU

    @property
    def is_cuda(self) -> builtins.bool:
        """Whether the elements are in a graphics card: never."""
        return False

    @property
    def is_cpu(self) -> builtins.bool:
        """Whether the elements are in main memory: always."""
        return True

    def cpu(self) -> Self:
        """The tensor itself, which is in main memory already."""
        return self

    def cuda(self, device: Any = None) -> Tensor:
        """Refused: there is no other device than "cpu"."""
        return types.to(self, "cuda")

    # -- memory --

    nelement = types.numel

    def ndimension(self) -> builtins.int:
        """The number of its axes."""
        return self.array.ndim

    def element_size(self) -> builtins.int:
        """Bytes per element."""
        return self.array.itemsize

    @property
    def itemsize(self) -> builtins.int:
        """Bytes per element."""
        return self.array.itemsize

    @property
    def nbytes(self) -> builtins.int:
        """Bytes of all elements."""
        return self.array.nbytes

    @overload
    def stride(self, dim: None = None) -> tuple[builtins.int, ...]: ...
    @overload
    def stride(self, dim: builtins.int) -> builtins.int: ...

    def stride(self, dim: Any = None) -> tuple[builtins.int, ...] | builtins.int:
        """How many elements to go on in memory for the next one along each axis, or ``dim``.

        Examples
        --------
        >>> import tinygrad_rnn as tg
        >>> tg.ones(2, 3).stride(), tg.ones(2, 3).T.stride()
        ((3, 1), (1, 3))
        """
        strides = tuple(n // self.array.itemsize for n in self.array.strides)
        return strides if dim is None else strides[dim_of("stride", dim, self.array.ndim)]

    def data_ptr(self) -> builtins.int:
        """The address of the first element."""
        return self.array.ctypes.data

    # -- new tensors of this type --

    def new(self, *data: Any, device: Any = None) -> Tensor:
        """A new tensor of this type, of a sequence or array, or zeros of given sizes.

        New programs write `new_tensor`, `new_zeros`.
        """
        return of_one_type("new", data, self.array.dtype, device)

    def new_tensor(
        self,
        data: Any,
        *,
        dtype: DTypeLike = None,
        requires_grad: Any = False,
        device: Any = None,
    ) -> Tensor:
        """A new leaf with a copy of ``data``, by default in the type of this tensor."""
        return creation.tensor(data, **self._like(dtype, requires_grad, device))

    def new_zeros(
        self,
        *sizes: Any,
        size: Any = None,
        dtype: DTypeLike = None,
        requires_grad: Any = False,
        device: Any = None,
    ) -> Tensor:
        """Zeros of the given sizes, by default in the type of this tensor."""
        return creation.zeros(*sizes, size=size, **self._like(dtype, requires_grad, device))

    def new_ones(
        self,
        *sizes: Any,
        size: Any = None,
        dtype: DTypeLike = None,
        requires_grad: Any = False,
        device: Any = None,
    ) -> Tensor:
        """Ones of the given sizes, by default in the type of this tensor."""
        return creation.ones(*sizes, size=size, **self._like(dtype, requires_grad, device))

    def new_empty(
        self,
        *sizes: Any,
        size: Any = None,
        dtype: DTypeLike = None,
        requires_grad: Any = False,
        device: Any = None,
    ) -> Tensor:
        """A tensor of the given sizes, not filled, by default in the type of this tensor."""
        return creation.empty(*sizes, size=size, **self._like(dtype, requires_grad, device))

    def new_full(
        self,
        size: Any,
        fill_value: Any,
        *,
        dtype: DTypeLike = None,
        requires_grad: Any = False,
        device: Any = None,
    ) -> Tensor:
        """A tensor filled with one number, by default in the type of this tensor."""
        return creation.full(size, fill_value, **self._like(dtype, requires_grad, device))

    def _like(self, dtype: DTypeLike, requires_grad: Any, device: Any) -> dict[str, Any]:
        dtype = self.array.dtype if dtype is None else dtype
        return {"dtype": dtype, "requires_grad": requires_grad, "device": device}
