"""Convolutions over one axis or several, and what they are the other way round.

For any g of the output's shape, ``Σ g · convolution(x, weight)`` is linear in g, in x and in the
weight. So there are three operations, each of which gives what one of them receives from the two
others, and they are each other's rules.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinygrad_rnn.operations import twins
from tinygrad_rnn.operations.activation import wide
from tinygrad_rnn.operations.arguments import Shape, integer_of, tensor_of
from tinygrad_rnn.operations.arithmetic import add
from tinygrad_rnn.operations.memory import in_c_order, owned
from tinygrad_rnn.operations.node_names import made_by
from tinygrad_rnn.operations.operation import in_rules
from tinygrad_rnn.operations.padding import pad
from tinygrad_rnn.operations.promotion import same_dtype
from tinygrad_rnn.operations.shape import reshape, squeeze, unsqueeze
from tinygrad_rnn.operations.traits import primitive

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


class Geometry(NamedTuple):
    """Where windows lie, for each axis over which there are any; and the groups of channels."""

    stride: Shape
    padding: tuple[tuple[int, int], ...]  # zeros before and after
    dilation: Shape
    groups: int

    def outputs(self, sizes: Shape, kernel: Shape) -> Shape:
        """How many windows there are along each axis."""
        return tuple(
            (n + sum(p) - d * (k - 1) - 1) // s + 1
            for n, k, s, p, d in zip(sizes, kernel, self.stride, self.padding, self.dilation)
        )

    def inputs(self, outputs: Shape, kernel: Shape) -> Shape:
        """The smallest sizes that have so many windows."""
        return tuple(
            (n - 1) * s - sum(p) + d * (k - 1) + 1
            for n, k, s, p, d in zip(outputs, kernel, self.stride, self.padding, self.dilation)
        )

    def places(self, offset: Shape, outputs: Shape) -> tuple[slice, ...]:
        """Where in what is padded lies the element of all windows that has an offset in them."""
        return tuple(
            slice(i * d, i * d + (n - 1) * s + 1, s)
            for i, n, s, d in zip(offset, outputs, self.stride, self.dilation)
        )


# -- arrays --------------------------------------------------------------------------------------


def _patches(x: Any, kernel: Shape, geometry: Geometry) -> tuple[Any, Shape]:
    """The windows as rows, of shape (groups, batch · windows, channels of a group · kernel)."""
    padded = np.pad(x, ((0, 0), (0, 0), *geometry.padding))
    outputs, axes = geometry.outputs(x.shape[2:], kernel), padded.strides[2:]
    steps = [a * s for a, s in zip(axes, geometry.stride)]
    within = [a * d for a, d in zip(axes, geometry.dilation)]
    windows = np.lib.stride_tricks.as_strided(
        padded,
        (*padded.shape[:2], *outputs, *kernel),
        (*padded.strides[:2], *steps, *within),
        writeable=False,
    )
    groups, n = geometry.groups, len(kernel)
    grouped = windows.reshape(len(x), groups, x.shape[1] // groups, *outputs, *kernel)
    turned = grouped.transpose(1, 0, *range(3, 3 + n), 2, *range(3 + n, 3 + 2 * n))
    size = x.shape[1] // groups * math.prod(kernel)
    return turned.reshape(groups, len(x) * math.prod(outputs), size), outputs


def _rows(g: Any, groups: int) -> Any:
    """Outputs as rows, of shape (groups, batch · windows, channels of a group)."""
    channels, windows = g.shape[1] // groups, math.prod(g.shape[2:])
    grouped = g.reshape(len(g), groups, channels, windows)
    return grouped.transpose(1, 0, 3, 2).reshape(groups, len(g) * windows, channels)


def _filters(weight: Any, groups: int) -> Any:
    """A weight as matrices, of shape (groups, outputs of a group, inputs of a group · kernel)."""
    return weight.reshape(groups, weight.shape[0] // groups, math.prod(weight.shape[1:]))


@wide
def _convolution(x: Any, weight: Any, *, geometry: Geometry) -> Any:
    patches, outputs = _patches(x, weight.shape[2:], geometry)
    rows = patches @ _filters(weight, geometry.groups).swapaxes(1, 2)
    apart = rows.reshape(geometry.groups, len(x), *outputs, rows.shape[-1])
    return np.moveaxis(np.moveaxis(apart, -1, 1), 2, 0).reshape(len(x), len(weight), *outputs)


@wide
def _to_weight(g: Any, x: Any, *, geometry: Geometry, shape: Shape) -> Any:
    patches, _ = _patches(x, shape[2:], geometry)
    return (_rows(g, geometry.groups).swapaxes(1, 2) @ patches).reshape(shape)


@wide
def _to_input(g: Any, weight: Any, *, geometry: Geometry, shape: Shape) -> Any:
    groups, outputs, kernel = geometry.groups, g.shape[2:], weight.shape[2:]
    columns = _rows(g, groups) @ _filters(weight, groups)
    columns = columns.reshape(groups, len(g), *outputs, weight.shape[1], *kernel)
    sizes = [n + sum(p) for n, p in zip(shape[2:], geometry.padding)]
    padded: Any = np.zeros((groups, len(g), weight.shape[1], *sizes), columns.dtype)
    for offset in product(*map(range, kernel)):
        at = geometry.places(offset, outputs)
        padded[(..., *at)] += np.moveaxis(columns[(..., *offset)], -1, 2)
    inner = tuple(slice(p[0], p[0] + n) for n, p in zip(shape[2:], geometry.padding))
    return np.moveaxis(padded[(..., *inner)], 0, 1).reshape(shape)


# -- operations ----------------------------------------------------------------------------------

_convolve = primitive(
    "convolution", owned(in_c_order(_convolution)), "x weight", symbol="{x} ∗ {weight}",
    prepare=same_dtype("convolution"), twin=twins.convolution, node="ConvolutionBackward0",
)  # fmt: skip
_spread = primitive(
    "convolution_input", owned(in_c_order(_to_input)), "sent weight",
    prepare=same_dtype("convolution"), twin=twins.convolution_input, node="ConvolutionBackward0",
)  # fmt: skip
_correlate = primitive(
    "convolution_weight", owned(in_c_order(_to_weight)), "sent x", twin=twins.convolution_weight,
    node="ConvolutionBackwardBackward0",
)  # fmt: skip
_output_of, _input_of, _weight_of = in_rules(_convolve), in_rules(_spread), in_rules(_correlate)

_convolve.vjp(
    "x",
    lambda g, weight, x_shape, geometry: _input_of(g, weight, geometry=geometry, shape=x_shape),
    formula="g ∗ᵀ weight",
)
_convolve.vjp(
    "weight",
    lambda g, x, weight_shape, geometry: _weight_of(g, x, geometry=geometry, shape=weight_shape),
    formula="x ∗ g",
)
_spread.vjp(
    "sent",
    lambda g, weight, geometry: _output_of(g, weight, geometry=geometry),
    formula="g ∗ weight",
)
_spread.vjp(
    "weight",
    lambda g, sent, weight_shape, geometry: _weight_of(
        sent, g, geometry=geometry, shape=weight_shape
    ),
    formula="g ∗ sent",
)
_correlate.vjp("sent", lambda g, x, geometry: _output_of(x, g, geometry=geometry), formula="x ∗ g")
_correlate.vjp(
    "x",
    lambda g, sent, x_shape, geometry: _input_of(sent, g, geometry=geometry, shape=x_shape),
    formula="sent ∗ᵀ g",
)

# -- what users call -----------------------------------------------------------------------------


def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """At each place: a weight times the window that begins there, summed, for each of its filters.

    Parameters
    ----------
    input : Tensor of shape (batch, channels, length) or (channels, length)
    weight : Tensor of shape (outputs, channels / groups, kernel)
    bias : Tensor of shape (outputs,), optional
    stride : int
        How far apart windows begin.
    padding : int, "valid" or "same"
        Zeros on either side; "same": so many that there are as many windows as elements.
    dilation : int
        How far apart the elements of a window lie.
    groups : int
        Parts of the channels that have filters of their own.

    Returns
    -------
    Tensor of shape (batch, outputs, windows) or (outputs, windows)

    Raises
    ------
    RuntimeError
        If shapes do not fit, or there is no window.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x, w = tg.tensor([[1.0, 2.0, 4.0, 8.0]]), tg.tensor([[[-1.0, 1.0]]])
    >>> tg.nn.functional.conv1d(x, w)
    tensor([[1., 2., 4.]])
    """
    return _convolved("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """`conv1d` over two axes: of inputs (batch, channels, height, width).

    The weight has the shape (outputs, channels / groups, height, width); ``stride``, ``padding``
    and ``dilation`` are numbers for both axes, or one for each.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.conv2d(tg.ones(1, 3, 4), tg.ones(1, 1, 2, 2), padding=(0, 1))
    tensor([[[2., 4., 4., 4., 2.],
             [2., 4., 4., 4., 2.]]])
    """
    return _convolved("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """What the input of a `conv1d` receives if its output receives ``input``: the way back.

    Parameters
    ----------
    input : Tensor of shape (batch, channels, length) or (channels, length)
    weight : Tensor of shape (channels, outputs / groups, kernel)
    bias : Tensor of shape (outputs,), optional
    stride, padding, dilation : int
        Those of the `conv1d`.
    output_padding : int
        How much longer the output is than it has to be.
    groups : int

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x, w = tg.tensor([[1.0, 2.0]]), tg.tensor([[[1.0, 10.0]]])
    >>> tg.nn.functional.conv_transpose1d(x, w)
    tensor([[ 1., 12., 20.]])
    """
    return _transposed(
        "conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups,
        dilation,
    )  # fmt: skip


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """`conv_transpose1d` over two axes: the way back through a `conv2d`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x, w = tg.ones(1, 2, 2), tg.ones(1, 1, 2, 2)
    >>> tg.nn.functional.conv_transpose2d(x, w)
    tensor([[[1., 2., 1.],
             [2., 4., 2.],
             [1., 2., 1.]]])
    """
    return _transposed(
        "conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups,
        dilation,
    )  # fmt: skip


def _convolved(
    name: str, n: int, input: Any, weight: Any, bias: Any,
    stride: Any, padding: Any, dilation: Any, groups: Any,
) -> Tensor:  # fmt: skip
    x, w, is_batched = _operands(name, n, input, weight)
    geometry = _geometry(name, n, w.array.shape[2:], stride, padding, dilation, groups)
    channels = w.array.shape[1] * geometry.groups
    if x.array.shape[1] != channels or len(w.array) % geometry.groups:
        raise RuntimeError(
            f"{name}: a weight of shape {w.array.shape} in {geometry.groups} groups is for "
            f"{channels} channels and outputs that the groups divide; the input has shape "
            f"{x.array.shape}"
        )
    if min(geometry.outputs(x.array.shape[2:], w.array.shape[2:])) < 1:
        raise RuntimeError(
            f"{name}: windows of {w.array.shape[2:]} are larger than an input of shape "
            f"{x.array.shape}, padded by {geometry.padding}"
        )
    y = _convolve(x, w, geometry=geometry)
    return _finished(name, y, bias, is_batched)


def _transposed(
    name: str, n: int, input: Any, weight: Any, bias: Any,
    stride: Any, padding: Any, output_padding: Any, groups: Any, dilation: Any,
) -> Tensor:  # fmt: skip
    x, w, is_batched = _operands(name, n, input, weight)
    kernel = w.array.shape[2:]
    widths = per_axis(name, "padding", padding, n)
    geometry = _geometry(name, n, kernel, stride, widths, dilation, groups)
    if x.array.shape[1] != len(w.array) or len(w.array) % geometry.groups:
        raise RuntimeError(
            f"{name}: a weight of shape {w.array.shape} in {geometry.groups} groups does not fit "
            f"an input of shape {x.array.shape}"
        )
    more = per_axis(name, "output_padding", output_padding, n)
    for m, s, d in zip(more, geometry.stride, geometry.dilation):
        if not 0 <= m < max(s, d):
            raise RuntimeError(
                f"{name}: output_padding must be below stride or dilation, got {output_padding}"
            )
    # more output is less padding at its end, and zeros where there is no padding left
    cut = tuple((p, max(p - m, 0)) for p, m in zip(widths, more))
    zeros = [max(m - p, 0) for p, m in zip(widths, more)]
    geometry = geometry._replace(padding=cut)
    sizes = geometry.inputs(x.array.shape[2:], kernel)
    if min(sizes) < 1:
        raise RuntimeError(f"{name}: nothing is left of an output of sizes {sizes}")
    shape = (len(x.array), w.array.shape[1] * geometry.groups, *sizes)
    y = _spread(x, w, geometry=geometry, shape=shape)
    if any(zeros):
        y = pad(y, [width for m in reversed(zeros) for width in (0, m)])
    return _finished(name, y, bias, is_batched)


def _finished(name: str, y: Any, bias: Any, is_batched: bool) -> Tensor:
    """The output with its bias, and of a batch of one that which there is."""
    if bias is not None:
        b = tensor_of(name, bias)
        if b.array.shape != y.array.shape[1:2]:
            raise RuntimeError(
                f"{name}: expected a bias of shape {y.array.shape[1:2]}, got {b.array.shape}"
            )
        y = add(y, reshape(b, (-1,) + (1,) * (y.array.ndim - 2)))
        y = made_by("ConvolutionBackward0", y)
    return y if is_batched else squeeze(y, 0)


def _operands(name: str, n: int, input: Any, weight: Any) -> tuple[Any, Any, bool]:
    """Input and weight, and whether the input had a batch; if not it has one now."""
    x, w = tensor_of(name, input), tensor_of(name, weight)
    if x.array.ndim not in (n + 1, n + 2) or w.array.ndim != n + 2:
        raise RuntimeError(
            f"{name}: expected an input of {n + 2} axes (or {n + 1}, without a batch) and a weight "
            f"of {n + 2}, got shapes {x.array.shape} and {w.array.shape}"
        )
    is_batched = x.array.ndim == n + 2
    return (x if is_batched else unsqueeze(x, 0)), w, is_batched


def _geometry(
    name: str, n: int, kernel: Shape, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Geometry:
    strides = per_axis(name, "stride", stride, n)
    dilations = per_axis(name, "dilation", dilation, n)
    count = integer_of(name, "groups", groups)
    if min(*strides, *dilations, count, *kernel) < 1:
        raise RuntimeError(
            f"{name}: stride, dilation, groups and the kernel must be positive, got {stride}, "
            f"{dilation}, {groups} and {kernel}"
        )
    if isinstance(padding, str):
        widths = _widths(name, padding, kernel, strides, dilations)
    else:
        widths = tuple((m, m) for m in per_axis(name, "padding", padding, n))
    if min(m for width in widths for m in width) < 0:
        raise RuntimeError(f"{name}: padding must not be negative, got {padding}")
    return Geometry(strides, widths, dilations, count)


def _widths(
    name: str, padding: str, kernel: Shape, strides: Shape, dilations: Shape
) -> tuple[tuple[int, int], ...]:
    """How many zeros stand before and after, by a word."""
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding != "same":
        raise RuntimeError(f"{name}: padding must be numbers, 'same' or 'valid', not {padding!r}")
    if max(strides) > 1:
        raise RuntimeError(f"{name}: padding='same' goes with a stride of 1, not {strides}")
    totals = [d * (k - 1) for d, k in zip(dilations, kernel)]
    return tuple((total // 2, total - total // 2) for total in totals)


def per_axis(name: str, what: str, value: Any, n: int) -> Shape:
    """A number for each of ``n`` axes, given as one for all, or one by one."""
    given = tuple(value) if isinstance(value, tuple | list) else (value,)
    numbers = tuple(integer_of(name, what, m) for m in given)
    if len(numbers) not in (1, n):
        raise RuntimeError(f"{name}: {what} must be one number or {n}, got {value!r:.60}")
    return numbers * (n // len(numbers))
