"""How a tensor is printed: as PyTorch prints it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_rnn.dtypes import bool_, get_default_dtype, int64
from tinygrad_rnn.engine.graph import Node


def tensor_repr(array: np.ndarray[Any, Any], requires_grad: bool, node: Node | None) -> str:
    """``tensor([0.5370, 0.4621], grad_fn=<TanhBackward0>)``."""
    suffixes = []
    if array.size == 0 and array.ndim != 1:
        suffixes.append(f"size={array.shape}")
    if array.dtype not in (get_default_dtype(), int64, bool_):
        suffixes.append(f"dtype={array.dtype}")
    if node is not None:
        suffixes.append(f"grad_fn=<{backward_name(node)}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    body = _body(array)
    return f"tensor({', '.join([body, *suffixes])})"


def backward_name(node: Node) -> str:
    """PyTorch's name of a node: ``TanhBackward0``."""
    words = node.primitive.name.split("_")
    return "".join(word.capitalize() for word in words) + "Backward0"


def _body(array: np.ndarray[Any, Any]) -> str:
    if array.size == 0:
        return "[]"
    options: dict[str, Any] = {"separator": ", ", "prefix": "tensor(", "threshold": 1000}
    if array.dtype.kind == "f":
        options["formatter"] = {"float_kind": _float_format(array)}
    return str(np.array2string(array, **options))


def _float_format(array: np.ndarray[Any, Any]) -> Any:
    """One format for all elements: 4 decimals; none if all are whole; powers of ten if extreme."""
    finite = np.abs(array[np.isfinite(array) & (array != 0)].astype(np.float64))
    whole = bool(np.all(np.trunc(finite) == finite))
    wide = finite.size > 0 and (
        finite.max() / finite.min() > 1000 or finite.max() > 1e8 or finite.min() < 1e-4
    )
    if wide and (not whole or finite.max() > 1e8):
        spec = ".4e"
    else:
        spec = ".0f" if whole else ".4f"
    mark = "." if spec == ".0f" else ""

    def text(x: float) -> str:
        return format(float(x), spec) + (mark if np.isfinite(x) else "")

    width = max((len(text(x)) for x in array.flat[: min(array.size, 1000)]), default=0)
    return lambda x: text(x).rjust(width)
