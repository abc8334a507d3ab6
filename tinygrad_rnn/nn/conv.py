"""Convolutions as layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tinygrad_rnn.nn import functional as F
from tinygrad_rnn.nn import init
from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.nn.parameter import Parameter
from tinygrad_rnn.operations.convolution import per_axis
from tinygrad_rnn.operations.dtypes import DTypeLike
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.creation import empty

Sizes = int | Sequence[int]
_MODES = ("zeros", "reflect", "replicate", "circular")


class _Convolution(Module):
    """What convolutions over any number of axes, and their transposes, have in common.

    The weight and bias are drawn from U(−k, k), where 1/k² is the number of products in a sum.
    """

    axes = 0
    transposed = False
    output_padding: tuple[int, ...] = ()
    padding: Any  # numbers, or a word

    def _build(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any, padding: Any,
        dilation: Any, groups: int, bias: bool, padding_mode: str, device: Any, dtype: DTypeLike,
    ) -> None:  # fmt: skip
        name, n = type(self).__name__, self.axes
        if groups <= 0:
            raise ValueError(f"{name}: groups must be positive, got {groups}")
        if in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{name}: groups {groups} must divide in_channels {in_channels} and out_channels "
                f"{out_channels}"
            )
        if padding_mode not in _MODES:
            raise ValueError(f"{name}: padding_mode must be one of {_MODES}, not {padding_mode!r}")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = per_axis(name, "kernel_size", kernel_size, n)
        self.stride = per_axis(name, "stride", stride, n)
        self.dilation = per_axis(name, "dilation", dilation, n)
        self.padding = (
            padding if isinstance(padding, str) else per_axis(name, "padding", padding, n)
        )
        self.output_padding, self.padding_mode = (0,) * n, padding_mode
        self._check_word(name)
        ends = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        shape = (ends[0], ends[1] // groups, *self.kernel_size)
        self.weight = Parameter(empty(shape, device=device, dtype=dtype))
        made = Parameter(empty(out_channels, device=device, dtype=dtype)) if bias else None
        self.register_parameter("bias", made)
        self.reset_parameters()

    def _check_word(self, name: str) -> None:
        if not isinstance(self.padding, str):
            return
        if self.padding not in ("same", "valid"):
            raise ValueError(f"{name}: padding must be 'same' or 'valid', not {self.padding!r}")
        if self.padding == "same" and max(self.stride) > 1:
            raise ValueError(f"{name}: padding='same' goes with a stride of 1, not {self.stride}")

    def reset_parameters(self) -> None:
        """Draw the parameters again."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        summed = math.prod(self.weight.shape[1:])
        if self.bias is not None and summed:
            init.uniform_(self.bias, -1 / math.sqrt(summed), 1 / math.sqrt(summed))

    def _padded(self, input: Tensor) -> tuple[Tensor, Any]:
        """The input, and the zeros to put around it: none if it has something else around it."""
        if self.padding_mode == "zeros":
            return input, self.padding
        ends = [width for pair in reversed(self._widths()) for width in pair]
        return F.pad(input, ends, self.padding_mode), 0

    def _widths(self) -> list[tuple[int, int]]:
        if self.padding == "valid":
            return [(0, 0)] * self.axes
        if self.padding == "same":
            totals = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size)]
            return [(total // 2, total - total // 2) for total in totals]
        return [(m, m) for m in self.padding]

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        none, once = (0,) * self.axes, (1,) * self.axes
        for name, default in (
            ("padding", none), ("dilation", once), ("output_padding", none), ("groups", 1),
        ):  # fmt: skip
            if getattr(self, name) != default:
                text += f", {name}={getattr(self, name)}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class _Forward(_Convolution):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        self._build(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip


class Conv1d(_Forward):
    """At each place of a sequence filters see a window of it: see `nn.functional.conv1d`.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size : int
        Elements of a window.
    stride, padding, dilation, groups
        As of `nn.functional.conv1d`.
    bias : bool
    padding_mode : "zeros", "reflect", "replicate" or "circular"
        What stands around the input: see `nn.functional.pad`.
    device : "cpu", optional
    dtype : optional
        Type of the parameters.

    Attributes
    ----------
    weight : Parameter of shape (out_channels, in_channels / groups, kernel_size)
    bias : Parameter of shape (out_channels,), or None

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.Conv1d(3, 5, kernel_size=2)(tg.ones(1, 3, 8)).shape
    torch.Size([1, 5, 7])
    """

    axes = 1

    def forward(self, input: Tensor) -> Tensor:
        """Of an input of shape (batch, channels, length), or without batch, an output like it."""
        x, padding = self._padded(input)
        return F.conv1d(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv2d(_Forward):
    """At each place of a picture filters see a window of it: `Conv1d` over two axes.

    Parameters
    ----------
    in_channels, out_channels, groups, bias, padding_mode, device, dtype
        As of `Conv1d`.
    kernel_size, stride, padding, dilation : int, or two
        For both axes, or for height and width.

    Attributes
    ----------
    weight : Parameter of shape (out_channels, in_channels / groups, height, width)
    bias : Parameter of shape (out_channels,), or None

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.Conv2d(1, 5, kernel_size=3, padding=1)(tg.ones(2, 1, 8, 8)).shape
    torch.Size([2, 5, 8, 8])
    """

    axes = 2

    def forward(self, input: Tensor) -> Tensor:
        """Of an input of shape (batch, channels, height, width), or without batch, one like it."""
        x, padding = self._padded(input)
        return F.conv2d(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class _Transposed(_Convolution):
    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        if padding_mode != "zeros":
            raise ValueError(f"{name}: padding_mode must be 'zeros', not {padding_mode!r}")
        self._build(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip
        self.output_padding = per_axis(name, "output_padding", output_padding, self.axes)

    def _more(self, input: Tensor, output_size: Sequence[int] | None) -> tuple[int, ...]:
        """The output's padding, as given or so that it has a size."""
        if output_size is None:
            return self.output_padding
        name, n = type(self).__name__, self.axes
        wanted = tuple(output_size)[-n:]
        if len(output_size) not in (n, n + 1, n + 2) or len(input.shape) not in (n + 1, n + 2):
            raise ValueError(f"{name}: output_size {tuple(output_size)} is not of {n} axes")
        least = [
            (m - 1) * s - 2 * p + d * (k - 1) + 1
            for m, s, p, d, k in zip(
                input.shape[-n:], self.stride, self.padding, self.dilation, self.kernel_size
            )
        ]
        more = tuple(w - m for w, m in zip(wanted, least))
        if any(not 0 <= m < s for m, s in zip(more, self.stride)):
            raise ValueError(
                f"{name}: an output of sizes {wanted} is out of reach: the least is {least}, and "
                f"there may be less than a stride {self.stride} more"
            )
        return more


class ConvTranspose1d(_Transposed):
    """The way back through a `Conv1d`: see `nn.functional.conv_transpose1d`.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, groups, bias, dilation, device, dtype
        As of `Conv1d`.
    output_padding : int
        How much longer the output is than it has to be.
    padding_mode : "zeros"

    Attributes
    ----------
    weight : Parameter of shape (in_channels, out_channels / groups, kernel_size)
    bias : Parameter of shape (out_channels,), or None

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.ConvTranspose1d(3, 5, kernel_size=2)(tg.ones(1, 3, 7)).shape
    torch.Size([1, 5, 8])
    """

    axes = 1

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Of an input of shape (batch, channels, length) one like it; its length may be given."""
        return F.conv_transpose1d(
            input, self.weight, self.bias, self.stride, self.padding,
            self._more(input, output_size), self.groups, self.dilation,
        )  # fmt: skip


class ConvTranspose2d(_Transposed):
    """The way back through a `Conv2d`: `ConvTranspose1d` over two axes.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, groups, bias, dilation, device, dtype
        As of `Conv2d`.
    output_padding : int, or two
        How much larger the output is than it has to be.
    padding_mode : "zeros"

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.ConvTranspose2d(3, 5, kernel_size=2, stride=2)(tg.ones(1, 3, 4, 4)).shape
    torch.Size([1, 5, 8, 8])
    """

    axes = 2

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Of an input of shape (batch, channels, height, width) one like it."""
        return F.conv_transpose2d(
            input, self.weight, self.bias, self.stride, self.padding,
            self._more(input, output_size), self.groups, self.dilation,
        )  # fmt: skip
