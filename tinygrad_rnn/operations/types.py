"""Questions about tensors and types of elements, and changes of type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.operations import dtypes
from tinygrad_rnn.operations.arguments import check_flags, raw, tensor_of
from tinygrad_rnn.operations.dtypes import DTypeLike, as_dtype
from tinygrad_rnn.operations.kinds import dtype, kind_of
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


def get_default_dtype() -> dtype:
    """The type of tensors made from Python floats (float32 unless changed).

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.get_default_dtype()
    torch.float32
    """
    return kind_of(dtypes.get_default_dtype())


def promote_types(type1: DTypeLike, type2: DTypeLike) -> dtype:
    """The smallest type of the higher kind that holds both (bool < integer < float).

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.promote_types(tg.int64, tg.float16), tg.promote_types(tg.int8, tg.uint8)
    (torch.float16, torch.int16)
    """
    return kind_of(dtypes.meet(as_dtype(type1), as_dtype(type2)))


def result_type(tensor1: Any, tensor2: Any) -> dtype:
    """The type of ``tensor1 + tensor2``, tensors or numbers; see `promote_types` and `dtypes`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.result_type(tg.ones(2, dtype=tg.float16), 1.5)
    torch.float16
    """
    operands = [raw(tensor1), raw(tensor2)]
    for x in operands:
        if not isinstance(x, np.ndarray | bool | int | float):
            raise TypeError(f"result_type: expected tensors or numbers, got {x!r:.60}")
    arrays = [x for x in operands if isinstance(x, np.ndarray)]
    numbers = [x for x in operands if not isinstance(x, np.ndarray)]
    return kind_of(dtypes.result_type(arrays, numbers))


class device:
    """Where tensors are: "cpu", the only device there is.

    Parameters
    ----------
    type : str or device
        "cpu", or "cpu:0" with the index.
    index : int, optional
        Which one of several; PyTorch numbers the CPU too, and makes nothing of it.

    Raises
    ------
    RuntimeError
        If another one is asked for.

    Examples
    --------
    >>> device("cpu"), device("cpu").type, device("cpu") == "cpu"
    (device(type='cpu'), 'cpu', True)
    """

    __slots__ = ("index", "type")

    def __init__(self, type: Any = "cpu", index: int | None = None) -> None:
        if not isinstance(type, str | int | device) or not _is_index(index):
            raise TypeError(f"device: expected a name and a number, got {type!r} and {index!r}")
        on_cpu("device", type)
        name, _, number = str(type).partition(":")
        if number and index is not None:
            raise RuntimeError(f"device: {type!r} has an index already, and {index} was given too")
        self.type, self.index = name, int(number) if number else index

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other) if isinstance(other, str | device) else NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{index})"

    def __enter__(self) -> device:
        return self

    def __exit__(self, *exception: object) -> None:
        """Nothing changes: tensors were made here before."""


def _is_index(index: Any) -> bool:
    return index is None or (type(index) is int and index >= 0)


def is_device(x: Any) -> bool:
    """Whether an argument is a device or the name of one."""
    return isinstance(x, device) or (isinstance(x, str) and x.split(":")[0] in DEVICES)


def on_cpu(name: str, device: Any) -> None:
    """Raise unless ``device`` is the only one there is here, "cpu" (or ``None``)."""
    if device is not None and not re.fullmatch(r"cpu(:(0|[1-9]\d*))?", str(device)):
        raise RuntimeError(
            f"{name}: tensors are in the computer's main memory, so the device can only be 'cpu', "
            f"not {device!r}"
        )


CPU = device("cpu")


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
    elif first is None or is_device(first):
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
