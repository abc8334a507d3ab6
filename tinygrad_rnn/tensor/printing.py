"""How a tensor is printed: as PyTorch prints it, numbers, line breaks and summaries included."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.operations.dtypes import bool_, get_default_dtype, int64
from tinygrad_rnn.operations.kinds import kind_of

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class _Options:
    precision: int = 4  # digits after the point
    threshold: float = 1000  # the number of elements above which only the edges are printed
    edgeitems: int = 3  # elements at each end of an axis that make the edges
    linewidth: int = 80
    sci_mode: bool | None = None  # powers of ten: always, never, or (None) as the elements want


_PROFILES = {
    "default": _Options(),
    "short": _Options(precision=2, edgeitems=2),
    "full": _Options(threshold=math.inf),
}
_options = _Options()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are printed; what is not given stays, but for ``sci_mode``.

    Parameters
    ----------
    precision : int
        Digits after the decimal point (at first 4).
    threshold : int
        The number of elements above which a summary is printed (1000).
    edgeitems : int
        How many elements a summary shows at each end of an axis (3).
    linewidth : int
        Characters per line (80).
    profile : "default", "short" or "full"
        Values for all of these, to which the others given apply.
    sci_mode : bool or None
        Powers of ten always or never; ``None``: where the elements differ much in size.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> with tg.printoptions():
    ...     tg.set_printoptions(precision=2)
    ...     tg.tensor([1 / 3])
    tensor([0.33])
    """
    global _options
    if profile is not None and profile not in _PROFILES:
        raise ValueError(
            f"set_printoptions: profile must be one of {list(_PROFILES)}, not {profile!r}"
        )
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    numbers: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    for key, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"set_printoptions: {key} must be a number, got {value!r}")
    _options = replace(_PROFILES[profile] if profile else _options, sci_mode=sci_mode, **numbers)


def get_printoptions() -> dict[str, Any]:
    """The options that `set_printoptions` sets, by name.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.get_printoptions()["precision"]
    4
    """
    return asdict(_options)


@contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """Print with other options inside a ``with`` block; see `set_printoptions`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> with tg.printoptions(sci_mode=True):
    ...     tg.tensor([1.5])
    tensor([1.5000e+00])
    """
    global _options
    before = _options
    try:
        set_printoptions(**options)
        yield
    finally:
        _options = before


def tensor_repr(array: Array, requires_grad: bool, node: Node | None) -> str:
    """``tensor([0.5370, 0.4621], grad_fn=<TanhBackward0>)``."""
    indent = len("tensor(")
    text = "tensor(" + ("[]" if array.size == 0 else _body(array, indent))
    last_line = len(text) - text.rfind("\n") + 1
    for suffix in _suffixes(array, requires_grad, node):
        if last_line + len(suffix) + 2 <= _options.linewidth:
            text += f", {suffix}"
            last_line += len(suffix) + 2
        else:
            text += f",\n{' ' * indent}{suffix}"
            last_line = indent + len(suffix)
    return text + ")"


def _suffixes(array: Array, requires_grad: bool, node: Node | None) -> list[str]:
    suffixes = []
    if (array.size == 0 and array.ndim != 1) or (array.size and not _options.edgeitems):
        suffixes.append(f"size={array.shape}")
    if array.dtype not in (get_default_dtype(), int64, bool_) or (
        array.size == 0 and array.dtype != get_default_dtype()
    ):
        suffixes.append(f"dtype={kind_of(array.dtype)}")
    if node is not None:
        suffixes.append(f"grad_fn=<{node.name()}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    return suffixes


def _body(array: Array, indent: int) -> str:
    summarise = array.size > _options.threshold
    write, width = _writer(_edges(array) if summarise else array)
    return _nested(array, indent, summarise, lambda x: write(x).rjust(width), width)


def _edges(array: Array) -> Array:
    """The elements that a summary prints."""
    edge = _options.edgeitems
    for axis, size in enumerate(array.shape):
        if size > 2 * edge:
            array = array.take([*range(edge), *range(size - edge, size)], axis)
    return array


def _writer(array: Array) -> tuple[Callable[[Any], str], int]:
    """How to write an element of an array, and the width that all of them need."""
    if array.dtype.kind != "f":
        return str, max((len(str(x)) for x in array.ravel().tolist()), default=0)
    values = array[np.isfinite(array) & (array != 0)].astype(np.float64)
    if not values.size:
        return _whole, 1
    sizes = np.abs(values)
    low, high = sizes.min(), sizes.max()
    whole = bool(np.all(sizes == np.ceil(sizes)))
    with np.errstate(over="ignore"):
        powers = high / low > 1000 or high > 1e8 or (not whole and low < 1e-4)
    if powers if _options.sci_mode is None else _options.sci_mode:
        write = _written(f".{_options.precision}e")
    else:
        write = _whole if whole else _written(f".{_options.precision}f")
    return write, max(len(write(x)) for x in values.tolist())


def _written(spec: str) -> Callable[[Any], str]:
    return lambda x: format(x, spec)


def _whole(x: Any) -> str:
    return format(x, ".0f") + ("." if math.isfinite(x) else "")


def _nested(
    array: Array, indent: int, summarise: bool, write: Callable[[Any], str], width: int
) -> str:
    if array.ndim == 0:
        return write(array.item())
    edge = _options.edgeitems
    cut = summarise and len(array) > 2 * edge
    rows: list[Any] = list(array[:edge]) if cut else list(array)
    ends: list[Any] = list(array[len(array) - edge :]) if cut else []
    if array.ndim == 1:
        cells = [write(x.item()) for x in rows]
        cells += [" ..." if edge else "...", *(write(x.item()) for x in ends)] if cut else []
        per_line = max(1, (_options.linewidth - indent) // (width + 2))
        lines = [", ".join(cells[i : i + per_line]) for i in range(0, len(cells), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    parts = [_nested(row, indent + 1, summarise, write, width) for row in rows]
    if cut:
        parts += ["...", *(_nested(row, indent + 1, summarise, write, width) for row in ends)]
    return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(parts) + "]"
