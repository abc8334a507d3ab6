"""Layers that bring numbers to a common size."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from tinygrad_rnn.nn import functional as F
from tinygrad_rnn.nn import init
from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.nn.parameter import Parameter
from tinygrad_rnn.operations.dtypes import DTypeLike, int64
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.creation import ones, tensor, zeros


def _shape(owner: str, shape: Any) -> tuple[int, ...]:
    """The last axes of an input, given by their sizes or by one size."""
    try:
        return tuple(map(operator.index, shape if isinstance(shape, Sequence) else (shape,)))
    except TypeError:
        raise TypeError(
            f"{owner}: normalized_shape must be an int or a tuple of them, got {shape!r}"
        ) from None


class LayerNorm(Module):
    """(x − mean) / √(variance + ε) over the last axes, times ``weight`` plus ``bias``.

    https://arxiv.org/abs/1607.06450

    Parameters
    ----------
    normalized_shape : int or sequence of int
        Sizes of these axes.
    eps : float
    elementwise_affine : bool
        Whether there are ``weight`` and ``bias``.
    bias : bool
        Whether there is a ``bias`` then.
    device : "cpu", optional
    dtype : optional
        Type of the parameters.

    Attributes
    ----------
    weight : Parameter of shape normalized_shape, or None
        At first 1.
    bias : Parameter of shape normalized_shape, or None
        At first 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.LayerNorm(3)(tg.tensor([1.0, 2.0, 3.0])).detach()
    tensor([-1.2247,  0.0000,  1.2247])
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = shape = _shape("LayerNorm", normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        _add_affine(self, shape, elementwise_affine, elementwise_affine and bias, device, dtype)

    def reset_parameters(self) -> None:
        """Set the parameters to 1 and 0."""
        _reset_affine(self)

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """x / √(mean x² + ε) over the last axes, times ``weight``.

    https://arxiv.org/abs/1910.07467

    Parameters
    ----------
    normalized_shape : int or sequence of int
        Sizes of these axes.
    eps : float, optional
        The distance from 1 to the next number, if absent.
    elementwise_affine : bool
        Whether there is ``weight``.
    device : "cpu", optional
    dtype : optional
        Type of the parameter.

    Attributes
    ----------
    weight : Parameter of shape normalized_shape, or None
        At first 1.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.RMSNorm(2)(tg.tensor([3.0, 4.0])).detach()
    tensor([0.8485, 1.1314])
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = shape = _shape("RMSNorm", normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        weight = Parameter(ones(shape, device=device, dtype=dtype)) if elementwise_affine else None
        self.register_parameter("weight", weight)

    def reset_parameters(self) -> None:
        """Set the parameter to 1."""
        if self.weight is not None:
            init.constant_(self.weight, 1.0)

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class _BatchNorm(Module):
    """What batch normalizations of inputs with any axes behind their channels have in common."""

    axes: tuple[int, ...] = ()  # an input may have so many

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: DTypeLike = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        _add_affine(self, (num_features,), affine, affine and bias, device, dtype)
        buffers: dict[str, Tensor | None] = {
            "running_mean": zeros(num_features, device=device, dtype=dtype),
            "running_var": ones(num_features, device=device, dtype=dtype),
            "num_batches_tracked": tensor(0, dtype=int64),
        }
        for name, value in buffers.items():
            self.register_buffer(name, value if track_running_stats else None)

    def reset_running_stats(self) -> None:
        """Forget the batches seen."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Set the parameters to 1 and 0, and forget the batches seen."""
        self.reset_running_stats()
        _reset_affine(self)

    def forward(self, input: Tensor) -> Tensor:
        """Of an input of shape (batch, features, …) one like it."""
        if input.ndim not in self.axes:
            expected = " or ".join(f"{n}D" for n in self.axes)
            name = type(self).__name__
            raise ValueError(f"{name}: expected {expected} input (got {input.ndim}D input)")
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                momentum = 1 / self.num_batches_tracked.item()
        known = not self.training or self.track_running_stats
        return F.batch_norm(
            input,
            self.running_mean if known else None,
            self.running_var if known else None,
            self.weight,
            self.bias,
            self.training or self.running_mean is None,
            momentum,
            self.eps,
        )

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """(x − mean) / √(variance + ε) per feature over a batch, times ``weight`` plus ``bias``.

    In training mean and variance are the batch's, and go into running averages; afterwards (in
    `eval`) these are used. https://arxiv.org/abs/1502.03167

    Parameters
    ----------
    num_features : int
    eps : float
    momentum : float or None
        The part of each new batch in the running averages; ``None``: all batches count the same.
    affine : bool
        Whether there are ``weight`` and ``bias``.
    track_running_stats : bool
        Whether there are running averages; without, batches are always normalized by themselves.
    device : "cpu", optional
    dtype : optional
        Type of parameters and averages.
    bias : bool
        Whether there is a ``bias``, if ``affine``.

    Attributes
    ----------
    weight, bias : Parameters of shape (num_features,), or None
        At first 1 and 0.
    running_mean, running_var : buffers of shape (num_features,), or None
        At first 0 and 1; the variances are unbiased estimates (a division by n − 1).
    num_batches_tracked : 0-d buffer of int64, or None

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> norm = tg.nn.BatchNorm1d(1)
    >>> norm(tg.tensor([[1.0], [3.0]])).detach()
    tensor([[-1.0000],
            [ 1.0000]])
    >>> norm.running_mean, norm.running_var
    (tensor([0.2000]), tensor([1.1000]))
    """

    axes = (2, 3)


class BatchNorm2d(_BatchNorm):
    """`BatchNorm1d` of pictures: of inputs of shape (batch, channels, height, width).

    Parameters
    ----------
    num_features, eps, momentum, affine, track_running_stats, device, dtype, bias
        As of `BatchNorm1d`.
    """

    axes = (4,)


class _InstanceNorm(Module):
    """What instance normalizations of inputs with any axes behind their channels have in common."""

    rank = 0  # of a single sample

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: DTypeLike = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if track_running_stats:
            raise NotImplementedError(
                f"{type(self).__name__}: there are no running averages here; leave "
                "track_running_stats away, as by default"
            )
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        _add_affine(self, (num_features,), affine, affine and bias, device, dtype)
        for name in ("running_mean", "running_var", "num_batches_tracked"):
            self.register_buffer(name, None)

    def reset_parameters(self) -> None:
        """Set the parameters to 1 and 0."""
        _reset_affine(self)

    def forward(self, input: Tensor) -> Tensor:
        """Of an input of shape (batch, features, …), or of one sample, one like it."""
        name, single = type(self).__name__, input.ndim == self.rank
        if input.ndim not in (self.rank, self.rank + 1):
            raise ValueError(
                f"{name}: expected {self.rank}D or {self.rank + 1}D input (got {input.ndim}D input)"
            )
        x = input.unsqueeze(0) if single else input
        if self.affine and x.shape[1] != self.num_features:
            raise ValueError(
                f"{name}: expected {self.num_features} features, got an input of shape "
                f"{input.array.shape}"
            )
        y = F.instance_norm(x, weight=self.weight, bias=self.bias, eps=self.eps)
        return y.squeeze(0) if single else y

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class InstanceNorm1d(_InstanceNorm):
    """(x − mean) / √(variance + ε) per feature and sample, times ``weight`` plus ``bias``.

    https://arxiv.org/abs/1607.08022

    Parameters
    ----------
    num_features : int
    eps : float
    momentum : float
        Without effect, as there are no running averages.
    affine : bool
        Whether there are ``weight`` and ``bias``.
    track_running_stats : bool
        False.
    device : "cpu", optional
    dtype : optional
        Type of the parameters.
    bias : bool
        Whether there is a ``bias``, if ``affine``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.InstanceNorm1d(1)(tg.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.0000,  1.0000]]])
    """

    rank = 2


class InstanceNorm2d(_InstanceNorm):
    """`InstanceNorm1d` of pictures: of inputs of shape (batch, channels, height, width).

    Parameters
    ----------
    num_features, eps, momentum, affine, track_running_stats, device, dtype, bias
        As of `InstanceNorm1d`.
    """

    rank = 3


class GroupNorm(Module):
    """(x − mean) / √(variance + ε) over groups of channels, times ``weight`` plus ``bias``.

    https://arxiv.org/abs/1803.08494

    Parameters
    ----------
    num_groups : int
        Into how many groups the channels fall; each is normalized by itself.
    num_channels : int
    eps : float
    affine : bool
        Whether there are ``weight`` and ``bias``.
    device : "cpu", optional
    dtype : optional
        Type of the parameters.
    bias : bool
        Whether there is a ``bias``, if ``affine``.

    Attributes
    ----------
    weight, bias : Parameters of shape (num_channels,), or None
        At first 1 and 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.GroupNorm(2, 4)(tg.tensor([[1.0, 3.0, 2.0, 6.0]])).detach()
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: DTypeLike = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_groups <= 0 or num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: num_groups {num_groups} must divide num_channels {num_channels}"
            )
        self.num_groups, self.num_channels = num_groups, num_channels
        self.eps, self.affine = eps, affine
        _add_affine(self, (num_channels,), affine, affine and bias, device, dtype)

    def reset_parameters(self) -> None:
        """Set the parameters to 1 and 0."""
        _reset_affine(self)

    def forward(self, input: Tensor) -> Tensor:
        """Of an input of shape (batch, channels, …) one like it."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


def _add_affine(
    module: Module, shape: tuple[int, ...], weight: bool, bias: bool, device: Any, dtype: DTypeLike
) -> None:
    """Give a module the parameters that scale and shift what is normalized."""
    w = Parameter(ones(shape, device=device, dtype=dtype)) if weight else None
    b = Parameter(zeros(shape, device=device, dtype=dtype)) if bias else None
    module.register_parameter("weight", w)
    module.register_parameter("bias", b)


def _reset_affine(module: Module) -> None:
    for parameter, value in ((module.weight, 1.0), (module.bias, 0.0)):
        if parameter is not None:
            init.constant_(parameter, value)
