"""Pooling as layers: `nn.functional`'s, with their options kept.

Those that may return indices as well are typed as what they return without.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from tinygrad_rnn.nn import functional as F
from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.operations.convolution import per_axis
from tinygrad_rnn.tensor import Tensor

Sizes = int | Sequence[int]


class _MaxPool(Module):
    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size, self.padding, self.dilation = kernel_size, padding, dilation
        self.stride = kernel_size if stride is None else stride
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def _options(self) -> tuple[Any, ...]:
        return (
            self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
            self.return_indices,
        )  # fmt: skip

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """The largest element of each window: see `nn.functional.max_pool1d`.

    Parameters
    ----------
    kernel_size, stride, padding, dilation, return_indices, ceil_mode
        As of `nn.functional.max_pool1d`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.MaxPool1d(2)(tg.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[3., 2.]])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Of an input of shape (batch, channels, length), or without batch, one like it."""
        return cast("Tensor", F.max_pool1d(input, *self._options()))


class MaxPool2d(_MaxPool):
    """`MaxPool1d` over two axes: see `nn.functional.max_pool2d`.

    Parameters
    ----------
    kernel_size, stride, padding, dilation, return_indices, ceil_mode
        As of `nn.functional.max_pool2d`.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Of an input of shape (batch, channels, height, width), or without batch, one like it."""
        return cast("Tensor", F.max_pool2d(input, *self._options()))


class AvgPool1d(Module):
    """The mean of each window: see `nn.functional.avg_pool1d`.

    Parameters
    ----------
    kernel_size, stride, padding, ceil_mode, count_include_pad
        As of `nn.functional.avg_pool1d`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.AvgPool1d(2)(tg.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[2., 1.]])
    """

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = per_axis("AvgPool1d", "kernel_size", kernel_size, 1)
        step = kernel_size if stride is None else stride
        self.stride = per_axis("AvgPool1d", "stride", step, 1)
        self.padding = per_axis("AvgPool1d", "padding", padding, 1)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        """Of an input of shape (batch, channels, length), or without batch, one like it."""
        return F.avg_pool1d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad,
        )  # fmt: skip

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(Module):
    """`AvgPool1d` over two axes: see `nn.functional.avg_pool2d`.

    Parameters
    ----------
    kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
        As of `nn.functional.avg_pool2d`.
    """

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        """Of an input of shape (batch, channels, height, width), or without batch, one like it."""
        return F.avg_pool2d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad, self.divisor_override,
        )  # fmt: skip

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _AdaptiveAvgPool(Module):
    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The means of so many windows: see `nn.functional.adaptive_avg_pool1d`.

    Parameters
    ----------
    output_size : int
    """

    def forward(self, input: Tensor) -> Tensor:
        """Of an input of shape (batch, channels, length), or without batch, one like it."""
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The means of so many windows over two axes: see `nn.functional.adaptive_avg_pool2d`.

    Parameters
    ----------
    output_size : int, or two, of which one may be None
    """

    def forward(self, input: Tensor) -> Tensor:
        """Of an input of shape (batch, channels, height, width), or without batch, one like it."""
        return F.adaptive_avg_pool2d(input, self.output_size)


class _AdaptiveMaxPool(Module):
    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size, self.return_indices = output_size, return_indices

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest elements of so many windows: see `nn.functional.adaptive_max_pool1d`.

    Parameters
    ----------
    output_size : int
    return_indices : bool
    """

    def forward(self, input: Tensor) -> Tensor:
        """Of an input of shape (batch, channels, length), or without batch, one like it."""
        return cast("Tensor", F.adaptive_max_pool1d(input, self.output_size, self.return_indices))


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest elements of so many windows: see `nn.functional.adaptive_max_pool2d`.

    Parameters
    ----------
    output_size : int, or two, of which one may be None
    return_indices : bool
    """

    def forward(self, input: Tensor) -> Tensor:
        """Of an input of shape (batch, channels, height, width), or without batch, one like it."""
        return cast("Tensor", F.adaptive_max_pool2d(input, self.output_size, self.return_indices))
