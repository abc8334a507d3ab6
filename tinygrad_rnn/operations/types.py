"""Questions about tensors and types of elements, and changes of type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.operations import dtypes
from tinygrad_rnn.operations.arguments import check_flags, raw, tensor_of
from tinygrad_rnn.operations.dtypes import DTypeLike, as_dtype
from tinygrad_rnn.operations.promotion import to_dtype
from tinygrad_rnn.operations.shape import clone

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

DEVICES = ("cpu", "cuda", "mps", "xpu", "meta")


def is_tensor(obj: Any) -> bool:
    """Whether an object is a tensor.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.is_tensor(tg.ones(2)), tg.is_tensor(1.0)
    (True, False)
    """
    return isinstance(obj, Variable)


def is_floating_point(input: Any) -> bool:
    """Whether the elements are float16, float32 or float64."""
    return dtypes.is_floating(tensor_of("is_floating_point", input).array.dtype)


def numel(input: Any) -> int:
    """The number of elements.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.numel(tg.ones(2, 3))
    6
    """
    return int(tensor_of("numel", input).array.size)


def promote_types(type1: DTypeLike, type2: DTypeLike) -> np.dtype[Any]:
    """The smallest type of the higher kind that holds both (bool < integer < float).

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.promote_types(tg.int64, tg.float16), tg.promote_types(tg.int8, tg.uint8)
    (dtype('float16'), dtype('int16'))
    """
    return dtypes.meet(as_dtype(type1), as_dtype(type2))


def result_type(tensor1: Any, tensor2: Any) -> np.dtype[Any]:
    """The type of ``tensor1 + tensor2``, tensors or numbers; see `promote_types` and `dtypes`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.result_type(tg.ones(2, dtype=tg.float16), 1.5)
    dtype('float16')
    """
    operands = [raw(tensor1), raw(tensor2)]
    for x in operands:
        if not isinstance(x, np.ndarray | bool | int | float):
            raise TypeError(f"result_type: expected tensors or numbers, got {x!r:.60}")
    arrays = [x for x in operands if isinstance(x, np.ndarray)]
    return dtypes.result_type(arrays, [x for x in operands if not isinstance(x, np.ndarray)])


class device(str):
    """Where tensors are: "cpu", the only device there is.

    Raises
    ------
    RuntimeError
        If another one is asked for.

    Examples
    --------
    >>> device("cpu").type
    'cpu'
    """

    def __new__(cls, type: Any = "cpu", index: int | None = None) -> device:
        """See the class."""
        on_cpu("device", type)
        return super().__new__(cls, "cpu")

    @property
    def type(self) -> str:
        """The kind of device."""
        return "cpu"

    @property
    def index(self) -> None:  # type: ignore[override]
        """Which one of several."""

    def __repr__(self) -> str:
        return "device(type='cpu')"


def on_cpu(name: str, device: Any) -> None:
    """Raise unless ``device`` is the only one there is here, "cpu" (or ``None``)."""
    if device not in (None, "cpu", "cpu:0"):
        raise RuntimeError(
            f"{name}: tensors are in the computer's main memory, so the device can only be 'cpu', "
            f"not {device!r}"
        )


def to(input: Any, *target: Any, **options: Any) -> Tensor:
    """The tensor in another type of elements; itself, if it has that type and no copy is asked for.

    ``x.to(dtype, non_blocking=False, copy=False)``,
    ``x.to(device=None, dtype=None, non_blocking=False, copy=False)``,
    ``x.to(other, non_blocking=False, copy=False)``

    Parameters
    ----------
    dtype : optional
        A type of elements.
    other : Tensor
        One whose type it is.
    device : "cpu", optional
        The only one there is.
    non_blocking : bool
        Without effect.
    copy : bool
        Whether the result shall be a new tensor in any case.

    Notes
    -----
    Floats lose their fraction on the way to integers; what does not fit wraps around or is
    undefined, as in C. The derivative is passed on in the input's type.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.tensor([1.75, -1.75]).to(tg.int64)
    tensor([ 1, -1])
    """
    x = tensor_of("to", input)
    given = _arguments_of_to(target, options)
    on_cpu("to", given.get("device"))
    check_flags("to", **{flag: given.get(flag, False) for flag in ("non_blocking", "copy")})
    other, dtype = given.get("other"), given.get("dtype")
    dtype = other.array.dtype if other is not None else dtype
    changed = x if dtype is None else to_dtype(x, as_dtype(dtype))
    return clone(x) if given.get("copy") and changed is x else changed


def _arguments_of_to(target: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
    """What is meant by the arguments of `to`, of which the first one decides how they are read."""
    first = target[0] if target else None
    if isinstance(first, Variable):
        names = ["other"]
    elif isinstance(first, bool):
        names = []
    elif first is None or (isinstance(first, str) and first.split(":")[0] in DEVICES):
        names = ["device", "dtype"]
    else:
        names = ["dtype"]
    names += ["non_blocking", "copy"]
    unknown = set(options) - set(names)
    if len(target) > len(names) or unknown or set(names[: len(target)]) & set(options):
        raise TypeError(
            f"to: takes ({', '.join(names)}) here, got {len(target)} by position"
            + "".join(f", and {name}" for name in options)
        )
    return dict(zip(names, target)) | options
