"""What a tensor is, as users see it: its sizes and the type of its elements, printed as in PyTorch.

Inside the package arrays have NumPy's own; these are equal to them, and taken wherever they are.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

import numpy as np

if TYPE_CHECKING:
    from typing_extensions import Self


class Size(tuple[int, ...]):
    """The sizes of a tensor along its axes: a tuple that knows how many elements they make.

    Raises
    ------
    TypeError
        If a size is not an integer.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.zeros(2, 3).shape
    torch.Size([2, 3])
    >>> tg.Size([2, 3]) + (4,)
    torch.Size([2, 3, 4])
    """

    __slots__ = ()

    def __new__(cls, sizes: Iterable[Any] = ()) -> Size:
        """See the class."""
        given = tuple(sizes)
        try:
            return tuple.__new__(cls, map(operator.index, given))
        except TypeError:
            raise TypeError(f"Size: expected integers, got {given!r:.60}") from None

    def numel(self) -> int:
        """The number of elements: the product of the sizes.

        Examples
        --------
        >>> import tinygrad_rnn as tg
        >>> tg.zeros(2, 3).shape.numel()
        6
        """
        return math.prod(self)

    @overload
    def __getitem__(self, index: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Size: ...

    def __getitem__(self, index: Any) -> Any:
        found = tuple.__getitem__(self, index)
        return size_of(found) if isinstance(index, slice) else found

    def __add__(self, other: Any) -> Size:
        return Size(tuple(self) + other) if isinstance(other, tuple) else NotImplemented

    def __radd__(self, other: Any) -> Size:
        return Size(other + tuple(self)) if isinstance(other, tuple) else NotImplemented

    def __mul__(self, times: SupportsIndex) -> Size:
        return size_of(tuple(self) * times)

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"


def size_of(shape: tuple[int, ...]) -> Size:
    """The shape of an array as users see it, not checked again."""
    return _new(Size, shape)


_new: Callable[[type[Size], tuple[int, ...]], Size] = tuple.__new__


class dtype:
    """A type of elements; there is one object for each, so that ``is`` compares them.

    Attributes
    ----------
    dtype, kind, type, itemsize, name
        NumPy's dtype, and what that says.
    is_floating_point, is_complex, is_signed : bool
        What numbers of this type are.

    Examples
    --------
    >>> import numpy as np
    >>> import tinygrad_rnn as tg
    >>> tg.zeros(2).dtype
    torch.float32
    >>> tg.float64 == np.float64, tg.float64.itemsize, np.zeros(2, tg.int64)
    (True, 8, array([0, 0]))
    """

    __slots__ = (
        "dtype", "is_complex", "is_floating_point", "is_signed", "itemsize", "kind", "name", "type",
    )  # fmt: skip
    dtype: np.dtype[Any]
    kind: str
    type: Any
    itemsize: int
    name: str
    is_floating_point: bool
    is_complex: bool
    is_signed: bool

    def __new__(cls, type: Any) -> Self:
        """The type that ``type`` names, or whose NumPy dtype it is."""
        wanted = np.dtype(object if type is None else type).newbyteorder("=")
        wanted = np.dtype(wanted.str)  # long long and long are one type here
        self: Self
        if wanted in _known:
            self = _known[wanted]
            return self
        self = object.__new__(cls)
        self.dtype, self.kind, self.type = wanted, wanted.kind, wanted.type
        self.itemsize, self.name = wanted.itemsize, wanted.name
        self.is_floating_point, self.is_complex = wanted.kind == "f", wanted.kind == "c"
        self.is_signed = wanted.kind in "ifc"
        self = _known.setdefault(wanted, self)
        return self

    def to_real(self) -> Self:
        """The type of the real part: itself, unless it is complex."""
        return type(self)(np.zeros(0, self.dtype).real.dtype)

    def __eq__(self, other: object) -> bool:
        return self is other or (other is not None and bool(self.dtype == other))

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return dtype, (self.name,)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self


class _Known(dict[Any, Any]):
    """The types that were met, by NumPy's dtypes."""

    def __missing__(self, key: Any) -> dtype:
        self[key] = kind = dtype(key)  # in the other byte order, or by C's second name for it
        return kind


_known = _Known()
kind_of: Callable[[Any], dtype] = _known.__getitem__

float16 = dtype(np.float16)
float32 = dtype(np.float32)
float64 = dtype(np.float64)
int8 = dtype(np.int8)
int16 = dtype(np.int16)
int32 = dtype(np.int32)
int64 = dtype(np.int64)
uint8 = dtype(np.uint8)
bool_ = dtype(np.bool_)
