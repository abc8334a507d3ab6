"""Types of elements, and PyTorch's rules for mixing them.

They differ from NumPy's: float32 is the default, an integer tensor meets a float one in the
float's type (int64 + float32 is float32), and neither a Python number nor a 0-d tensor widens
a tensor with dimensions, unless it is of a higher kind (bool < integer < float).
https://docs.pytorch.org/docs/stable/tensor_attributes.html#type-promotion-doc
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

float16 = np.dtype(np.float16)
float32 = np.dtype(np.float32)
float64 = np.dtype(np.float64)
int8 = np.dtype(np.int8)
int16 = np.dtype(np.int16)
int32 = np.dtype(np.int32)
int64 = np.dtype(np.int64)
uint8 = np.dtype(np.uint8)
bool_ = np.dtype(np.bool_)

DTypeLike = Any
_SUPPORTED = (bool_, uint8, int8, int16, int32, int64, float16, float32, float64)
_default = float32
_KINDS = {"b": 0, "u": 1, "i": 1, "f": 2}


def get_default_dtype() -> np.dtype[Any]:
    """The type of tensors made from Python floats (float32 unless changed)."""
    return _default


def set_default_dtype(dtype: DTypeLike) -> None:
    """Set the type of tensors made from Python floats.

    Raises
    ------
    TypeError
        If ``dtype`` is not a floating-point type.
    """
    global _default
    new = as_dtype(dtype)
    if not is_floating(new):
        raise TypeError(f"set_default_dtype: only floating-point types are supported, got {new}")
    _default = new


def as_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """The supported NumPy dtype that ``dtype`` names.

    Raises
    ------
    TypeError
        If it is none of bool, uint8, int8 … int64, float16, float32, float64.
    """
    try:
        result = np.dtype(object if dtype is None else dtype).newbyteorder("=")
    except TypeError:
        raise TypeError(f"{dtype!r:.60} is not a type of elements") from None
    if result not in _SUPPORTED:
        raise TypeError(
            f"dtype {result} is not supported: use bool, uint8, int8, int16, int32, int64, "
            "float16, float32 or float64"
        )
    return _SUPPORTED[_SUPPORTED.index(result)]  # one object for each type


def is_floating(dtype: np.dtype[Any]) -> bool:
    """Whether tensors of this type can require gradients."""
    return dtype.kind == "f"


def of_number(number: bool | int | float) -> np.dtype[Any]:
    """The type of a tensor made from a Python number."""
    if isinstance(number, bool):
        return bool_
    return int64 if isinstance(number, int) else _default


def meet(a: np.dtype[Any], b: np.dtype[Any]) -> np.dtype[Any]:
    """The common type of two operands of equal standing."""
    if _KINDS[a.kind] != _KINDS[b.kind]:
        return a if _KINDS[a.kind] > _KINDS[b.kind] else b
    return np.promote_types(a, b)


def _meet(a: np.dtype[Any] | None, b: np.dtype[Any]) -> np.dtype[Any]:
    return b if a is None else meet(a, b)


def result_type(
    arrays: Sequence[np.ndarray[Any, Any]], numbers: Sequence[bool | int | float] = ()
) -> np.dtype[Any]:
    """The type in which arrays and Python numbers meet, by PyTorch's rules.

    Examples
    --------
    >>> result_type([np.zeros(2, np.int64), np.zeros((), np.float32)])
    dtype('float32')
    >>> result_type([np.zeros(2, np.float32), np.zeros((), np.float64)], [1.5])
    dtype('float32')
    """
    ranks: list[np.dtype[Any] | None] = [None, None, None]  # with dimensions, 0-d, numbers
    for array in arrays:
        as_dtype(array.dtype)
        rank = 0 if array.ndim else 1
        ranks[rank] = _meet(ranks[rank], array.dtype)
    for number in numbers:
        ranks[2] = _meet(ranks[2], of_number(number))
    result = ranks[0]
    for lower in ranks[1:]:
        if lower is not None and (result is None or _KINDS[lower.kind] > _KINDS[result.kind]):
            result = _meet(result, lower)
    assert result is not None
    return result


def can_cast(from_: DTypeLike, to: DTypeLike) -> bool:
    """Whether a change in place may turn one type into the other: not into a lower kind.

    Examples
    --------
    >>> can_cast("float64", "float32"), can_cast("float32", "int64")
    (True, False)
    """
    return _KINDS[as_dtype(from_).kind] <= _KINDS[as_dtype(to).kind]


class finfo:
    """The limits of a floating-point type (default: the default type).

    Attributes
    ----------
    bits, eps, max, min, tiny, smallest_normal, resolution : numbers
        ``eps``: the distance from 1 to the next number; ``tiny``, ``smallest_normal``: the
        smallest positive one of full precision; ``resolution``: that of its decimal digits.
    dtype : str
        The name of the type.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.finfo(tg.float16).max
    65504.0
    """

    def __init__(self, type: DTypeLike = None) -> None:
        dtype = _default if type is None else as_dtype(type)
        if not is_floating(dtype):
            raise TypeError(f"finfo: expected a floating-point type, got {dtype}; see iinfo")
        limits = np.finfo(dtype)
        self.dtype, self.bits = dtype.name, 8 * dtype.itemsize
        self.resolution = float(f"1e-{limits.precision}")
        self.min, self.max = float(limits.min), float(limits.max)
        self.eps = float(limits.eps)
        self.tiny = self.smallest_normal = float(limits.tiny)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, finfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        numbers = ", ".join(f"{name}={getattr(self, name):g}" for name in names)
        return f"finfo({numbers}, dtype={self.dtype})"


class iinfo:
    """The limits of an integer type.

    Attributes
    ----------
    bits, max, min : int
    dtype : str
        The name of the type.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.iinfo(tg.int8)
    iinfo(min=-128, max=127, dtype=int8)
    """

    def __init__(self, type: DTypeLike) -> None:
        dtype = as_dtype(type)
        if dtype.kind not in "iu":
            raise TypeError(f"iinfo: expected an integer type, got {dtype}; see finfo")
        limits = np.iinfo(dtype)
        self.dtype, self.bits = dtype.name, limits.bits
        self.min, self.max = int(limits.min), int(limits.max)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
