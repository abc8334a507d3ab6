"""How a tensor is printed: as PyTorch prints it, numbers, line breaks and summaries included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_rnn.dtypes import bool_, get_default_dtype, int64
from tinygrad_rnn.engine.graph import Node

Array = np.ndarray[Any, Any]

LINE_WIDTH = 80
SUMMARISED_ABOVE = 1000  # elements
EDGE_ITEMS = 3  # printed at each end of a summarised axis


def tensor_repr(array: Array, requires_grad: bool, node: Node | None) -> str:
    """``tensor([0.5370, 0.4621], grad_fn=<TanhBackward0>)``."""
    indent = len("tensor(")
    text = "tensor(" + ("[]" if array.size == 0 else _body(array, indent))
    for suffix in _suffixes(array, requires_grad, node):
        last_line = len(text) - text.rfind("\n") + 1
        fits = last_line + len(suffix) + 2 <= LINE_WIDTH
        text += f", {suffix}" if fits else f",\n{' ' * indent}{suffix}"
    return text + ")"


def _suffixes(array: Array, requires_grad: bool, node: Node | None) -> list[str]:
    suffixes = []
    if array.size == 0 and array.ndim != 1:
        suffixes.append(f"size={array.shape}")
    if array.dtype not in (get_default_dtype(), int64, bool_) or (
        array.size == 0 and array.dtype != get_default_dtype()
    ):
        suffixes.append(f"dtype={array.dtype}")
    if node is not None:
        suffixes.append(f"grad_fn=<{backward_name(node)}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    return suffixes


def backward_name(node: Node) -> str:
    """PyTorch's name of a node: ``TanhBackward0``."""
    words = node.primitive.name.split("_")
    return "".join(word.capitalize() for word in words) + "Backward0"


def _body(array: Array, indent: int) -> str:
    summarise = array.size > SUMMARISED_ABOVE
    shown = _edges(array) if summarise else array
    write = _float_writer(shown) if array.dtype.kind == "f" else str
    width = max(len(write(x)) for x in _measured(shown))
    return _nested(array, indent, summarise, lambda x: write(x).rjust(width), width)


def _edges(array: Array) -> Array:
    """The elements that a summary prints."""
    for axis, size in enumerate(array.shape):
        if size > 2 * EDGE_ITEMS:
            ends = [*range(EDGE_ITEMS), *range(size - EDGE_ITEMS, size)]
            array = array.take(ends, axis)
    return array


def _measured(array: Array) -> list[Any]:
    """The elements that decide the width of all: of floats the finite ones other than 0."""
    if array.dtype.kind != "f":
        return array.ravel().tolist()
    return array[np.isfinite(array) & (array != 0)].tolist() or [0.0]


def _float_writer(array: Array) -> Callable[[Any], str]:
    """4 decimals; none if all are whole numbers; powers of ten if they differ too much."""
    sizes = np.abs(np.array(_measured(array)))
    low, high = sizes.min(), sizes.max()
    spread = high > 1000 * low or high > 1e8
    if bool(np.all(sizes == np.ceil(sizes))):
        if spread:
            return lambda x: format(x, ".4e")
        return lambda x: format(x, ".0f") + ("." if np.isfinite(x) else "")
    spec = ".4e" if spread or 0 < low < 1e-4 else ".4f"
    return lambda x: format(x, spec)


def _nested(
    array: Array, indent: int, summarise: bool, write: Callable[[Any], str], width: int
) -> str:
    if array.ndim == 0:
        return write(array.item()).strip()
    cut = summarise and len(array) > 2 * EDGE_ITEMS
    rows: list[Any] = list(array[:EDGE_ITEMS]) if cut else list(array)
    ends: list[Any] = list(array[-EDGE_ITEMS:]) if cut else []
    if array.ndim == 1:
        cells = [write(x.item()) for x in rows]
        cells += [" ...", *(write(x.item()) for x in ends)] if cut else []
        per_line = max(1, (LINE_WIDTH - indent) // (width + 2))
        lines = [", ".join(cells[i : i + per_line]) for i in range(0, len(cells), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    parts = [_nested(row, indent + 1, summarise, write, width) for row in rows]
    if cut:
        parts += ["...", *(_nested(row, indent + 1, summarise, write, width) for row in ends)]
    return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(parts) + "]"
