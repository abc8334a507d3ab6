"""Pooling: of each window of the last axes its largest element, or its mean.

Windows lie apart by a stride, or so that there are as many as one asks for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, overload

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.errors import silent
from tinygrad_rnn.operations import twins
from tinygrad_rnn.operations.activation import wide
from tinygrad_rnn.operations.arguments import Shape, check_flags, number_of, tensor_of
from tinygrad_rnn.operations.convolution import per_axis
from tinygrad_rnn.operations.memory import in_c_order, owned
from tinygrad_rnn.operations.node_names import made_by
from tinygrad_rnn.operations.operation import in_rules
from tinygrad_rnn.operations.promotion import floats
from tinygrad_rnn.operations.traits import primitive

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

    Pooled: TypeAlias = Tensor | tuple[Tensor, Tensor]


# -- the largest ---------------------------------------------------------------------------------


def _flat(x: Any, axes: int) -> Any:
    """The last axes as one, the others as another."""
    lead = math.prod(x.shape[: x.ndim - axes])
    return x.reshape(lead, math.prod(x.shape[x.ndim - axes :]))


def _picked(x: Any, *, index: Any, axes: int) -> Any:
    return np.take_along_axis(_flat(x, axes), _flat(index, axes), 1).reshape(index.shape)


def _put_back(sent: Any, *, index: Any, axes: int, shape: Shape) -> Any:
    whole = np.zeros(shape, sent.dtype)
    at = _flat(index, axes)
    np.add.at(_flat(whole, axes), (np.arange(len(at))[:, None], at), _flat(sent, axes))
    return whole


# ``index``: where in the last axes, flattened, lies what is chosen for each window
_max_pool = primitive(
    "max_pool", owned(in_c_order(_picked)), "x", prepare=floats("max_pool"),
    twin=twins.max_pool, node="MaxPool2DWithIndicesBackward0",
)  # fmt: skip
_max_unpool = primitive(
    "max_unpool", _put_back, "sent", twin=twins.max_unpool,
    node="MaxPool2DWithIndicesBackwardBackward0",
)  # fmt: skip
_picked_of, _put_back_of = in_rules(_max_pool), in_rules(_max_unpool)

_max_pool.vjp(
    "x",
    lambda g, x_shape, index, axes: _put_back_of(g, index=index, axes=axes, shape=x_shape),
    formula="g at [index], else 0",
)
_max_unpool.vjp(
    "sent",
    lambda g, index, axes: _picked_of(g, index=index, axes=axes),
    formula="g[index]",
)


# -- the mean ------------------------------------------------------------------------------------


class Spans(NamedTuple):
    """Windows along one axis without gaps: where each begins and ends, and its divisor."""

    starts: tuple[int, ...]
    stops: tuple[int, ...]
    divisors: tuple[float, ...]


def _part(axis: int, at: Any) -> tuple[Any, ...]:
    """What picks something along an axis, counted from the end."""
    return (..., at, *(slice(None),) * (-1 - axis))


@wide
def _average(x: Any, *, spans: tuple[Spans, ...]) -> Any:
    for axis, along in zip(range(-len(spans), 0), spans):
        sums = [
            x[_part(axis, slice(start, stop))].sum(axis) / divisor
            for start, stop, divisor in zip(*along)
        ]
        x = np.stack(sums, axis)
    return x


@wide
def _spread(sent: Any, *, spans: tuple[Spans, ...], sizes: Shape) -> Any:
    for axis, along, size in zip(range(-len(spans), 0), spans, sizes):
        shape = list(sent.shape)
        shape[axis] = size
        whole = np.zeros(shape, sent.dtype)
        for i, (start, stop, divisor) in enumerate(zip(*along)):
            one = sent[_part(axis, slice(i, i + 1))]
            whole[_part(axis, slice(start, stop))] += one / divisor
        sent = whole
    return sent


_avg_pool = primitive(
    "avg_pool", owned(in_c_order(_average)), "x", prepare=floats("avg_pool"),
    twin=twins.avg_pool, node="AvgPool2DBackward0",
)  # fmt: skip
_avg_unpool = primitive(
    "avg_unpool", owned(in_c_order(_spread)), "sent", twin=twins.avg_unpool,
    node="AvgPool2DBackwardBackward0",
)  # fmt: skip
_average_of, _spread_of = in_rules(_avg_pool), in_rules(_avg_unpool)

_avg_pool.vjp(
    "x",
    lambda g, x_shape, spans: _spread_of(g, spans=spans, sizes=x_shape[-len(spans) :]),
    formula="g / |spans| added at [spans]",
)
_avg_unpool.vjp(
    "sent",
    lambda g, spans: _average_of(g, spans=spans),
    formula="mean g[spans]",
)


# -- windows by their stride ---------------------------------------------------------------------


@overload
def max_pool1d(
    input: Any,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def max_pool1d(
    input: Any,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Pooled: ...
def max_pool1d(
    input: Any,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Pooled:
    """The largest element of each window.

    Parameters
    ----------
    input : Tensor of shape (batch, channels, length) or (channels, length)
    kernel_size : int
        Elements of a window.
    stride : int, optional
        How far apart windows begin; ``kernel_size`` if absent.
    padding : int
        How far windows may begin before the first element, and end behind the last; there is
        nothing there to choose.
    dilation : int
        How far apart the elements of a window lie.
    ceil_mode : bool
        Whether a last window may be there that ends further out.
    return_indices : bool
        Whether to return, too, where they lie (int64).

    Returns
    -------
    Tensor of shape (batch, channels, windows), or a tuple of it and its indices

    Raises
    ------
    RuntimeError
        If shapes or numbers do not fit.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.max_pool1d(tg.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    return _max_pooled(
        "max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


@overload
def max_pool2d(
    input: Any,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def max_pool2d(
    input: Any,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Pooled: ...
def max_pool2d(
    input: Any,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Pooled:
    """`max_pool1d` over two axes; indices are places in both, flattened.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.max_pool2d(tg.arange(8.0).reshape(1, 2, 4), 2)
    tensor([[[5., 7.]]])
    """
    return _max_pooled(
        "max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def avg_pool1d(
    input: Any,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window.

    Parameters
    ----------
    input, kernel_size, stride, ceil_mode
        As of `max_pool1d`.
    padding : int
        Zeros on either side.
    count_include_pad : bool
        Whether these count.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.avg_pool1d(tg.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[2., 1.]])
    """
    return _avg_pooled(
        "avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None
    )


def avg_pool2d(
    input: Any,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """`avg_pool1d` over two axes.

    Parameters
    ----------
    input, kernel_size, stride, padding, ceil_mode, count_include_pad
        As of `avg_pool1d`.
    divisor_override : int, optional
        What sums are divided by, instead of their number of elements.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.avg_pool2d(tg.arange(8.0).reshape(1, 2, 4), 2)
    tensor([[[2.5000, 4.5000]]])
    """
    return _avg_pooled(
        "avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad,
        divisor_override,
    )  # fmt: skip


class _Windows(NamedTuple):
    """Windows along one axis, by their options."""

    size: int
    kernel: int
    stride: int
    padding: int
    dilation: int
    ceil_mode: bool

    @property
    def number(self) -> int:
        """How many there are; in ``ceil_mode`` the last one may end outside."""
        room = self.size + 2 * self.padding - self.dilation * (self.kernel - 1) - 1
        n = (room + (self.stride - 1 if self.ceil_mode else 0)) // self.stride + 1
        begins_outside = self.ceil_mode and (n - 1) * self.stride >= self.size + self.padding
        return n - 1 if begins_outside else n

    @property
    def starts(self) -> list[int]:
        """Where they begin."""
        return [i * self.stride - self.padding for i in range(self.number)]


def _windows(
    name: str, x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: Any, n: int
) -> list[_Windows]:
    """The windows along each of the last axes, if there are any."""
    check_flags(name, ceil_mode=ceil_mode)
    if x.array.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"{name}: expected an input of {n + 2} axes, or {n + 1} without a batch, got shape "
            f"{x.array.shape}"
        )
    sizes = x.array.shape[-n:]
    kernels = per_axis(name, "kernel_size", kernel, n)
    strides = kernels if stride in (None, (), []) else per_axis(name, "stride", stride, n)
    paddings = per_axis(name, "padding", padding, n)
    dilations = per_axis(name, "dilation", dilation, n)
    if min(*kernels, *strides, *dilations) < 1:
        raise RuntimeError(f"{name}: kernel_size, stride and dilation must be positive")
    made = [
        _Windows(*along, ceil_mode)
        for along in zip(sizes, kernels, strides, paddings, dilations)
    ]  # fmt: skip
    for w in made:
        if not 0 <= w.padding <= ((w.kernel - 1) * w.dilation + 1) // 2:
            raise RuntimeError(
                f"{name}: padding must be from 0 to half the window, got {w.padding} for windows "
                f"of {w.kernel}"
            )
        if w.number < 1 or not w.size:
            raise RuntimeError(f"{name}: no window of {w.kernel} fits into shape {x.array.shape}")
    return made


def _max_pooled(
    name: str, n: int, input: Any, kernel: Any, stride: Any, padding: Any, dilation: Any,
    ceil_mode: Any, return_indices: Any,
) -> Pooled:  # fmt: skip
    x = tensor_of(name, input)
    along = _windows(name, x, kernel, stride, padding, dilation, ceil_mode, n)
    places = [
        np.array(w.starts)[:, None] + np.arange(w.kernel) * w.dilation  # (windows, kernel)
        for w in along
    ]
    return _largest(name, x, places, return_indices)


def _largest(name: str, x: Any, places: list[Any], return_indices: Any) -> Pooled:
    """The largest element at the places that each window has along each axis, and where it is.

    Places outside, negative or too large, are none.
    """
    check_flags(name, return_indices=return_indices)
    sizes = x.array.shape[-len(places) :]
    flat, inside = np.zeros((), np.int64), np.ones((), bool)
    for i, (at, size) in enumerate(zip(places, sizes)):
        grid = [1] * (2 * len(places))
        grid[i], grid[len(places) + i] = at.shape
        flat = flat * size + np.clip(at, 0, size - 1).reshape(grid)
        inside = inside & ((at >= 0) & (at < size)).reshape(grid)
    outputs = flat.shape[: len(places)]
    flat, inside = (
        a.reshape(*outputs, math.prod(flat.shape[len(places) :])) for a in (flat, inside)
    )
    chosen = _chosen(_flat(x.array, len(places)), flat, inside)
    index = np.take_along_axis(flat[None], chosen[..., None], -1)[..., 0]
    index = index.reshape(*x.array.shape[: -len(places)], *outputs)
    y = _max_pool.apply(x, index=index, axes=len(places))
    node = "SqueezeBackward1" if len(places) == 1 else _NODES.get(name)
    y = y if node is None else made_by(node, y)
    return (y, graph.make_tensor(index.copy(), None)) if return_indices else y


_NODES = {"adaptive_max_pool2d": "AdaptiveMaxPool2DBackward0"}


@silent
def _chosen(rows: Any, flat: Any, inside: Any) -> Any:
    """Which of the places of each window holds its largest element, be it −∞ or NaN."""
    seen = np.where(inside, rows[:, flat].astype(np.float64), -np.inf)
    chosen = seen.argmax(-1)
    nowhere = ~np.take_along_axis(inside[None], chosen[..., None], -1)[..., 0]
    return np.where(nowhere, inside.argmax(-1), chosen)


def _avg_pooled(
    name: str, n: int, input: Any, kernel: Any, stride: Any, padding: Any, ceil_mode: Any,
    count_include_pad: Any, divisor: Any,
) -> Tensor:  # fmt: skip
    x = tensor_of(name, input)
    check_flags(name, count_include_pad=count_include_pad)
    along = _windows(name, x, kernel, stride, padding, 1, ceil_mode, n)
    if divisor is not None and not number_of(name, "divisor_override", divisor):
        raise RuntimeError(f"{name}: divisor_override must not be 0")
    spans: list[Spans] = []
    for w in along:
        ends = [min(start + w.kernel, w.size + w.padding) for start in w.starts]
        starts = tuple(max(start, 0) for start in w.starts)
        stops = tuple(min(end, w.size) for end in ends)
        if divisor is not None:  # once, along the first axis
            counts = [float(divisor) if not spans else 1.0] * w.number
        elif count_include_pad:
            counts = [float(end - start) for start, end in zip(w.starts, ends)]
        else:
            counts = [float(stop - start) for start, stop in zip(starts, stops)]
        spans.append(Spans(starts, stops, tuple(counts)))
    y = _avg_pool.apply(x, spans=tuple(spans))
    return made_by("SqueezeBackward1", y) if n == 1 else y


# -- so many windows -----------------------------------------------------------------------------


def adaptive_avg_pool1d(input: Any, output_size: int | Sequence[int]) -> Tensor:
    """The means of so many windows, which lie as evenly as may be.

    Parameters
    ----------
    input : Tensor of shape (batch, channels, length) or (channels, length)
    output_size : int

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.adaptive_avg_pool1d(tg.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[2., 1.]])
    """
    return made_by("SqueezeBackward1", _adaptive_mean("adaptive_avg_pool1d", 1, input, output_size))


def adaptive_avg_pool2d(input: Any, output_size: int | Sequence[int | None] | None) -> Tensor:
    """`adaptive_avg_pool1d` over two axes.

    Parameters
    ----------
    input : Tensor of shape (batch, channels, height, width), or without batch
    output_size : int, or two
        ``None`` for one of them: as many windows as there are elements.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.adaptive_avg_pool2d(tg.arange(8.0).reshape(1, 2, 4), (1, 2))
    tensor([[[2.5000, 4.5000]]])
    """
    y = _adaptive_mean("adaptive_avg_pool2d", 2, input, output_size)
    whole = y.array.shape[-2:] == (1, 1)
    return made_by("MeanBackward1" if whole else "AdaptiveAvgPool2DBackward0", y)


@overload
def adaptive_max_pool1d(
    input: Any,
    output_size: int | Sequence[int],
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def adaptive_max_pool1d(
    input: Any,
    output_size: int | Sequence[int],
    return_indices: bool = False,
) -> Pooled: ...
def adaptive_max_pool1d(
    input: Any, output_size: int | Sequence[int], return_indices: bool = False
) -> Pooled:
    """The largest elements of so many windows, which lie as evenly as may be.

    Parameters
    ----------
    input, output_size
        As of `adaptive_avg_pool1d`.
    return_indices : bool
        Whether to return, too, where they lie (int64).

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.adaptive_max_pool1d(tg.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    return _adaptive_largest("adaptive_max_pool1d", 1, input, output_size, return_indices)


@overload
def adaptive_max_pool2d(
    input: Any,
    output_size: int | Sequence[int | None],
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def adaptive_max_pool2d(
    input: Any,
    output_size: int | Sequence[int | None],
    return_indices: bool = False,
) -> Pooled: ...
def adaptive_max_pool2d(
    input: Any, output_size: int | Sequence[int | None] | None, return_indices: bool = False
) -> Pooled:
    """`adaptive_max_pool1d` over two axes; ``output_size`` is that of `adaptive_avg_pool2d`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.adaptive_max_pool2d(tg.arange(8.0).reshape(1, 2, 4), (1, 2))
    tensor([[[5., 7.]]])
    """
    return _adaptive_largest("adaptive_max_pool2d", 2, input, output_size, return_indices)


def _even(name: str, n: int, x: Any, output_size: Any) -> list[tuple[list[int], list[int]]]:
    """Where so many windows begin and end, for each of the last axes."""
    if x.array.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"{name}: expected an input of {n + 2} axes, or {n + 1} without a batch, got shape "
            f"{x.array.shape}"
        )
    given = output_size if isinstance(output_size, tuple | list) else (output_size,) * n
    sizes = x.array.shape[-n:]
    if len(given) != n:
        raise RuntimeError(f"{name}: output_size must be one number or {n}, got {output_size!r}")
    if n > 1 and given is output_size:
        given = [m if wanted is None else wanted for wanted, m in zip(given, sizes)]
    wanted = per_axis(name, "output_size", given, n)
    if min(wanted) < 0 or not all(sizes):
        raise RuntimeError(
            f"{name}: {wanted} windows of an input of shape {x.array.shape}: sizes must be positive"
        )
    return [
        ([i * m // w for i in range(w)], [-(-(i + 1) * m // w) for i in range(w)])
        for m, w in zip(sizes, wanted)
    ]


def _adaptive_mean(name: str, n: int, input: Any, output_size: Any) -> Tensor:
    x = tensor_of(name, input)
    spans = [
        Spans(tuple(starts), tuple(stops), tuple(float(b - a) for a, b in zip(starts, stops)))
        for starts, stops in _even(name, n, x, output_size)
    ]
    return _avg_pool.apply(x, spans=tuple(spans))


def _adaptive_largest(
    name: str, n: int, input: Any, output_size: Any, return_indices: Any
) -> Pooled:
    x = tensor_of(name, input)
    places = []
    for (starts, stops), size in zip(_even(name, n, x, output_size), x.array.shape[-n:]):
        longest = max((b - a for a, b in zip(starts, stops)), default=1)
        at = np.array(starts, np.int64)[:, None] + np.arange(longest)
        places.append(np.where(at < np.array(stops, np.int64)[:, None], at, size))  # else nowhere
    return _largest(name, x, places, return_indices)
