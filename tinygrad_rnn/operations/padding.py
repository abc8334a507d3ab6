"""Padding: more elements around those of a tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.operations import twins
from tinygrad_rnn.operations.arguments import number_of, tensor_of
from tinygrad_rnn.operations.indexing import getitem
from tinygrad_rnn.operations.node_names import made_by
from tinygrad_rnn.operations.operation import operation
from tinygrad_rnn.operations.shape import clone

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

_NODES = {"reflect": "ReflectionPad", "replicate": "ReplicationPad"}
_NUMPY_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def _pad(x: Any, *, index: tuple[slice, ...], shape: tuple[int, ...], value: Any) -> Any:
    y = np.full_like(x, value, shape=shape, order="C")
    y[index] = x
    return y


@operation(_pad, "x", twin=twins.pad, node="ConstantPadNdBackward0")
def pad(
    input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """Elements put around a tensor, or taken away where a number is negative.

    Parameters
    ----------
    input : Tensor
    pad : sequence of int
        (before, after) of the last axis, then of the last but one, and so on.
    mode : "constant", "reflect", "replicate" or "circular"
        What to put there: ``value``, the elements mirrored at the edge, the edge itself, or those
        from the other side.  The last three pad the last 1, 2 or 3 axes of a tensor that has one
        or two more.
    value : float, optional
        0 if absent.

    Raises
    ------
    RuntimeError
        If the numbers do not fit the shape.
    NotImplementedError
        If there is no such mode, or not for so many axes.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.pad(tg.tensor([[1.0, 2.0, 3.0]]), (1, 2), "reflect")
    tensor([[2., 1., 2., 3., 2., 1.]])
    """
    x = tensor_of("pad", input)
    widths = _widths(x.ndim, pad)
    if mode == "constant":
        return _constant(x, widths, 0 if value is None else value)
    if mode not in _NUMPY_MODES:
        raise NotImplementedError(
            f"pad: mode must be 'constant', 'reflect', 'replicate' or 'circular', not {mode!r}"
        )
    if value is not None:
        raise RuntimeError(f"pad: mode {mode!r} takes no value")
    if not len(widths) + 1 <= x.ndim <= len(widths) + 2 or not 1 <= len(widths) <= 3:
        raise NotImplementedError(
            f"pad: mode {mode!r} pads the last 1 to 3 axes of a tensor that has one or two more; "
            f"this one has shape {x.array.shape}, pad is {tuple(pad)}"
        )
    if mode != "circular" and 0 in x.shape[-1 - len(widths) :]:
        raise RuntimeError(
            f"pad: mode {mode!r} needs elements, the tensor has shape {x.array.shape}"
        )
    for i, width in enumerate(widths):
        axis = x.ndim - 1 - i
        if any(width):
            places = _places(x.shape, axis, width, mode)
            x = getitem(x, (*(slice(None),) * axis, places))
    node = "CopySlices" if mode == "circular" else f"{_NODES[mode]}{len(widths)}DBackward0"
    return made_by(node, x) if any(map(any, widths)) else x


pad.vjp("x", lambda g, index: g[index], formula="g[index]")


def _widths(ndim: int, pad: Sequence[int]) -> list[tuple[int, int]]:
    """(before, after) of each padded axis, the last axis first."""
    if not isinstance(pad, tuple | list) or not all(type(n) is int for n in pad):
        raise TypeError(f"pad: expected a tuple of integers, got {pad!r}")
    if len(pad) % 2:
        raise RuntimeError(f"pad: expected two numbers for each axis, got {tuple(pad)}")
    if len(pad) > 2 * ndim:
        raise RuntimeError(f"pad: {tuple(pad)} is for more axes than the {ndim} of the tensor")
    return list(zip(pad[::2], pad[1::2]))


def _constant(x: Any, widths: list[tuple[int, int]], value: float) -> Tensor:
    value = number_of("pad", "value", value)
    widths = [(0, 0)] * (x.ndim - len(widths)) + widths[::-1]
    shape = tuple(n + before + after for n, (before, after) in zip(x.shape, widths))
    if any(n + min(a, 0) + min(b, 0) < 0 for n, (a, b) in zip(x.shape, widths)):
        raise RuntimeError(f"pad: more is taken away than there is in shape {x.shape}")
    inner = tuple(
        slice(max(-before, 0), n - max(-after, 0)) for n, (before, after) in zip(x.shape, widths)
    )
    place = tuple(
        slice(max(before, 0), size - max(after, 0)) for size, (before, after) in zip(shape, widths)
    )
    if min((n for width in widths for n in width), default=0) < 0:
        x = getitem(x, inner)
    if x.shape == shape:  # nothing is added: as PyTorch, which copies it as it lies
        return clone(x)
    return pad.apply(x, index=place, shape=shape, value=value)


def _places(shape: tuple[int, ...], axis: int, width: tuple[int, int], mode: str) -> Any:
    """Which element of an axis stands at each place of the padded one."""
    size, (before, after) = shape[axis], width
    limit = {"reflect": size - 1, "replicate": max(width), "circular": size}[mode]
    if max(width) > limit or size + before + after < (mode != "circular"):
        raise RuntimeError(
            f"pad: {width} is too much in mode {mode!r} for axis {axis} of shape {shape}"
        )
    places = np.arange(size)
    if mode == "circular":  # what is taken away does not come round again
        places, before, after = _cut(places, before, after), max(before, 0), max(after, 0)
    ends = max(before, 0), max(after, 0)
    if any(ends):
        places = np.pad(places, ends, mode=_NUMPY_MODES[mode])  # type: ignore[call-overload]
    return _cut(places, before, after)


def _cut(places: Any, before: int, after: int) -> Any:
    return places[max(-before, 0) : len(places) - max(-after, 0)]
