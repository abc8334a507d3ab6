"""Making tensors: from numbers and arrays, filled with one value, or of evenly spaced numbers.

All of them take, by name,

dtype
    The type of the elements. By default the default type (`set_default_dtype`), or what the
    function says.
requires_grad
    Whether operations on the new leaf are recorded.
device
    ``"cpu"`` or ``None``: there is no other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.errors import no_memory, silently
from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.engine.memory import apart
from tinygrad_rnn.operations.arguments import (
    fitting,
    integer_of,
    integers_of,
    number_of,
    raw,
    tensor_of,
)
from tinygrad_rnn.operations.dtypes import (
    DTypeLike,
    as_dtype,
    float16,
    float32,
    get_default_dtype,
    int64,
    is_floating,
    of_number,
)
from tinygrad_rnn.operations.promotion import to_dtype
from tinygrad_rnn.operations.types import on_cpu

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

Array = np.ndarray[Any, Any]


def _leaf(
    name: str, make: Callable[[], Array], requires_grad: bool | None, device: Any = None
) -> Tensor:
    """A new tensor around the array that ``make`` returns."""
    on_cpu(name, device)
    if not isinstance(requires_grad, bool | None):
        raise TypeError(f"{name}: requires_grad must be a bool, got {requires_grad!r}")
    try:
        made = graph.make_tensor(silently(make), None)
    except MemoryError as error:
        raise no_memory(name, error) from None
    return made.requires_grad_() if requires_grad else made


# -- of data -----------------------------------------------------------------------------------


def tensor(
    data: Any, *, dtype: DTypeLike = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A new leaf with a copy of ``data``.

    Parameters
    ----------
    data : number, nested sequence, NumPy array or Tensor
        Python floats become float32 (`set_default_dtype`), integers int64; arrays keep their
        type.
    dtype, device, requires_grad : optional
        See `tinygrad_rnn.tensor.creation`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.tensor([[1, 2], [3, 4]], dtype=tg.float64)
    tensor([[1., 2.],
            [3., 4.]], dtype=torch.float64)
    """
    return _leaf("tensor", lambda: to_array(data, dtype), requires_grad, device)


def as_tensor(data: Any, dtype: DTypeLike = None, device: Any = None) -> Tensor:
    """``data`` as a tensor, copied only if it must be.

    A tensor is returned as it is, or cast (and that recorded); a NumPy array lends its memory if
    it is of the right type.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.ones(2)
    >>> tg.as_tensor(x) is x
    True
    """
    on_cpu("as_tensor", device)
    if isinstance(data, Variable):
        given: Any = data
        return given if dtype is None else to_dtype(data, as_dtype(dtype))
    if isinstance(data, np.ndarray):
        wanted = as_dtype(data.dtype if dtype is None else dtype)
        return _leaf("as_tensor", lambda: apart(data.astype(wanted, copy=False)), False)
    return tensor(data, dtype=dtype)


def from_numpy(array: Array) -> Tensor:
    """A tensor that shares the array's memory.

    Raises
    ------
    TypeError
        If it is not a NumPy array of a supported type.

    Examples
    --------
    >>> import numpy as np
    >>> import tinygrad_rnn as tg
    >>> tg.from_numpy(np.arange(3))
    tensor([0, 1, 2])
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected a NumPy array, got {type(array).__name__}")
    as_dtype(array.dtype)
    if not array.dtype.isnative:
        raise ValueError("from_numpy: the array has the other byte order; convert it first")
    return graph.make_tensor(apart(array), None)


def to_array(data: Any, dtype: DTypeLike = None) -> Array:
    """A new array of ``data``, with the default types of Python numbers."""
    if isinstance(data, Variable):
        data = data.array
    if isinstance(data, list | tuple) and any(isinstance(x, Variable) for x in data):
        data = [raw(x) for x in data]
    several = data if isinstance(data, list | tuple) and data else [data]
    given = all(isinstance(x, np.ndarray | np.generic) for x in several)
    try:
        array = np.array(data)
    except ValueError as error:
        kind = TypeError if len({isinstance(x, list | tuple) for x in data}) > 1 else ValueError
        raise kind(f"tensor: the nested sequences differ in length: {error}") from None
    if array.dtype.kind not in "biufc" and not given:
        raise _not_numbers(data, array)
    if dtype is None:
        dtype = array.dtype if given else _DEFAULTS[array.dtype.kind]()
    wanted = as_dtype(dtype)
    if not given and wanted.kind in "iu":
        _check_range(array, wanted)
    return silently(array.astype, wanted, copy=False)


def _not_numbers(data: Any, array: Array) -> Exception:
    first = array.ravel().tolist()[0] if array.size else None
    kind: type[Exception] = RuntimeError
    if isinstance(first, str | int) and not isinstance(data, str):
        kind = ValueError
    elif isinstance(first, str | bytes):
        kind = TypeError
    return kind(f"tensor: cannot make numbers of {type(data).__name__} {data!r:.60}")


_DEFAULTS: dict[str, Callable[[], Any]] = {
    "b": lambda: of_number(True),
    "i": lambda: of_number(0),
    "u": lambda: of_number(0),
    "f": lambda: of_number(0.0),
    "c": lambda: np.complex128,
}


def _check_range(array: Array, dtype: np.dtype[Any]) -> None:
    """Raise if numbers written in a program do not fit the integer type they are to have."""
    limits = np.iinfo(dtype)
    wraps = dtype.kind == "u" and array.dtype.kind != "f"  # −1 in uint8 is 255, as in C
    low = -limits.max - 1 if wraps else limits.min
    if array.size and not (np.all(array >= low) and np.all(array <= limits.max)):
        kind = ValueError if dtype == np.int64 and array.dtype.kind == "u" else RuntimeError
        raise kind(f"tensor: a value in {array.ravel()[:5]} does not fit {dtype}")


# -- filled with one value ---------------------------------------------------------------------


def shape_of(name: str, sizes: tuple[Any, ...], size: Any) -> tuple[int, ...]:
    """The shape that sizes one by one, or one sequence of them, or ``size=`` stand for."""
    if not isinstance(size, tuple | list | None):
        raise TypeError(f"{name}: size must be a tuple of integers, got {size!r:.60}")
    shape = integers_of(name, sizes, size)
    if any(n < 0 for n in shape):
        raise RuntimeError(f"{name}: sizes must not be negative, got {shape}")
    if math.prod(shape) > np.iinfo(np.intp).max // 8:
        raise RuntimeError(f"{name}: no memory has room for shape {shape}")
    return shape


def _or_default(dtype: DTypeLike) -> np.dtype[Any]:
    return get_default_dtype() if dtype is None else as_dtype(dtype)


def zeros(
    *sizes: Any,
    size: Any = None,
    dtype: DTypeLike = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Zeros of the given sizes, one by one or as one sequence.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    shape, kind = shape_of("zeros", sizes, size), _or_default(dtype)
    return _leaf("zeros", lambda: np.zeros(shape, kind), requires_grad, device)


def ones(
    *sizes: Any,
    size: Any = None,
    dtype: DTypeLike = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Ones of the given sizes, one by one or as one sequence.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.ones(3)
    tensor([1., 1., 1.])
    """
    shape, kind = shape_of("ones", sizes, size), _or_default(dtype)
    return _leaf("ones", lambda: np.ones(shape, kind), requires_grad, device)


def empty(
    *sizes: Any,
    size: Any = None,
    dtype: DTypeLike = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """A tensor of the given sizes whose elements are whatever its memory holds.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.empty(2, 3).shape
    torch.Size([2, 3])
    """
    shape, kind = shape_of("empty", sizes, size), _or_default(dtype)
    return _leaf("empty", lambda: np.empty(shape, kind), requires_grad, device)


def full(
    size: Any,
    fill_value: Any,
    *,
    dtype: DTypeLike = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """A tensor with every element ``fill_value``, a number whose type it has.

    Raises
    ------
    RuntimeError
        If the number does not fit ``dtype``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.full((2,), 7)
    tensor([7, 7])
    """
    shape, value = shape_of("full", (), size), number_of("full", "fill_value", fill_value)
    kind = of_number(value) if dtype is None else as_dtype(dtype)
    value = _element("full", "fill_value", value, kind)
    return _leaf("full", lambda: np.full(shape, value, kind), requires_grad, device)


def _element(name: str, what: str, value: Any, dtype: np.dtype[Any]) -> Any:
    """A number as an element of ``dtype``, which must be able to hold it."""
    number = fitting(name, number_of(name, what, value), dtype)
    if dtype.kind == "b":
        return bool(number)
    return float(number) if is_floating(dtype) else np.int64(int(number)).astype(dtype).item()


def zeros_like(
    input: Any, *, dtype: DTypeLike = None, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """Zeros of the shape and, unless ``dtype`` is given, of the type of ``input``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.zeros_like(tg.tensor([1, 2]))
    tensor([0, 0])
    """
    return _like("zeros_like", np.zeros_like, input, dtype, requires_grad, device)


def ones_like(
    input: Any, *, dtype: DTypeLike = None, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """Ones of the shape and, unless ``dtype`` is given, of the type of ``input``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.ones_like(tg.tensor([1.5, 2.5]))
    tensor([1., 1.])
    """
    return _like("ones_like", np.ones_like, input, dtype, requires_grad, device)


def empty_like(
    input: Any, *, dtype: DTypeLike = None, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """A tensor of the shape and type of ``input`` whose elements are whatever its memory holds.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.empty_like(tg.ones(2, 3)).shape
    torch.Size([2, 3])
    """
    return _like("empty_like", np.empty_like, input, dtype, requires_grad, device)


def full_like(
    input: Any,
    fill_value: Any,
    *,
    dtype: DTypeLike = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """A tensor of the shape and type of ``input`` with every element ``fill_value``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.full_like(tg.tensor([1.5, 2.5]), 7)
    tensor([7., 7.])
    """
    kind = tensor_of("full_like", input).array.dtype if dtype is None else as_dtype(dtype)
    value = _element("full_like", "fill_value", fill_value, kind)

    def make(array: Array, dtype: Any) -> Array:
        return np.full_like(array, value, dtype)

    return _like("full_like", make, input, kind, requires_grad, device)


def _like(
    name: str,
    make: Callable[..., Array],
    input: Any,
    dtype: DTypeLike,
    requires_grad: bool,
    device: Any,
) -> Tensor:
    x = tensor_of(name, input).array
    kind = x.dtype if dtype is None else as_dtype(dtype)
    return _leaf(name, lambda: make(x, dtype=kind), requires_grad, device)


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: DTypeLike = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Ones on the diagonal and zeros elsewhere, of shape (n, m); square by default.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    counts = _count("eye", n), _count("eye", n if m is None else m)
    rows, columns = shape_of("eye", counts, None)
    kind = _or_default(dtype)
    return _leaf("eye", lambda: np.eye(rows, columns, dtype=kind), requires_grad, device)


def _count(name: str, n: Any) -> int:
    """A number of things."""
    count = integer_of(name, "a number of things", n)
    if count < 0:
        raise RuntimeError(f"{name}: there cannot be {count} of anything")
    return count


# -- evenly spaced -----------------------------------------------------------------------------


def arange(
    start: Any = None,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: DTypeLike = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Numbers from ``start`` (by default 0) to ``end``, exclusive, in steps of ``step``.

    There are ⌈(end − start) / step⌉ of them: int64 if all arguments are integers, else of the
    default type.

    Raises
    ------
    RuntimeError
        If ``step`` is 0 or leads away from ``end``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.arange(3)
    tensor([0, 1, 2])
    >>> tg.arange(1, 2, 0.25)
    tensor([1.0000, 1.2500, 1.5000, 1.7500])
    """
    if end is None:
        start, end = 0, start
    given = {"start": 0 if start is None else start, "end": end, "step": step}
    limits = [number_of("arange", what, x) for what, x in given.items()]
    if dtype is None:
        kind = get_default_dtype() if any(isinstance(x, float) for x in limits) else int64
    else:
        kind = as_dtype(dtype)
    if kind.kind == "b":
        raise RuntimeError("arange: not defined for bools")
    if not limits[2] or not all(map(math.isfinite, limits[:2])) or math.isnan(limits[2]):
        raise RuntimeError(f"arange: cannot count from {limits[0]} to {limits[1]} by {limits[2]}")
    if kind == int64:
        limits = [_element("arange", what, x, kind) for what, x in zip(given, limits)]
        if not limits[2]:
            raise ValueError(f"arange: the step {step} is 0 as an integer")
    first, last, by = limits
    if (last - first) * by < 0:
        raise RuntimeError(f"arange: the step {by} leads from {first} away from {last}")
    length = -((first - last) // by) if kind == int64 else math.ceil((last - first) / by)
    if length >= 2**48:
        raise RuntimeError(f"arange: {length} elements are more than fit in memory")
    if not is_floating(kind):
        first, by = int(first), int(by)

    def make() -> Array:
        return (first + by * np.arange(length)).astype(kind)

    return _leaf("arange", make, requires_grad, device)


def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    dtype: DTypeLike = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """``steps`` evenly spaced numbers from ``start`` to ``end``, inclusive.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    kind = _or_default(dtype)
    make = _spaced("linspace", start, end, steps, kind)
    return _leaf("linspace", lambda: make().astype(kind), requires_grad, device)


def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    dtype: DTypeLike = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Powers of ``base`` with ``steps`` evenly spaced exponents from ``start`` to ``end``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    kind, b = _or_default(dtype), number_of("logspace", "base", base)
    _check_ends("logspace", start, end)
    wide, first = kind, number_of("logspace", "start", start)
    if kind == float16:  # is enough for the ends, but not for the exponents between them
        wide = float32
        start, end = (kind.type(_element("logspace", "an end", x, kind)) for x in (start, end))
    make = _spaced("logspace", start, end, steps, wide)

    def powers() -> Array:
        exponents = make()
        if exponents.size == 1:  # a single one is not rounded to the type
            power = np.power(float(b), float(first))
            if is_floating(kind):
                return np.full(1, power, kind)
            return np.full(1, _element("logspace", "the power", float(power), kind), kind)
        made: Array = np.power(exponents.dtype.type(b), exponents)
        return made.astype(kind)

    return _leaf("logspace", powers, requires_grad, device)


def _check_ends(name: str, *ends: Any) -> None:
    for x in ends:
        if isinstance(x, Variable) and x.array.ndim:
            raise RuntimeError(f"{name}: expected numbers or 0-d tensors, got {x.array.shape}")


def _spaced(
    name: str, start: Any, end: Any, steps: Any, dtype: np.dtype[Any]
) -> Callable[[], Array]:
    """Makes the numbers of `linspace`: counted from both ends, so that they are symmetrical."""
    (n,) = shape_of(name, (_count(name, steps),), None)
    _check_ends(name, start, end)
    if n and dtype.kind == "b":
        raise RuntimeError(f"{name}: not defined for bools")
    first, last = (_element(name, "an end", x, dtype) for x in (start, end))

    def make() -> Array:
        kind = dtype.type if is_floating(dtype) else np.float64
        low, high, i = kind(first), kind(last if n > 1 else first), np.arange(n, dtype=kind)
        step = (high - low) / kind(max(n - 1, 1))
        return np.where(i < n // 2, low + step * i, high - step * (n - 1 - i))

    return make
