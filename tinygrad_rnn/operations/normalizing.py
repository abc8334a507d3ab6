"""Normalization: numbers brought to a common size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.errors import silent
from tinygrad_rnn.operations import twins
from tinygrad_rnn.operations.activation import wide
from tinygrad_rnn.operations.arguments import (
    check_flags,
    common_shape,
    dim_of,
    integer_of,
    number_of,
    raw,
    tensor_of,
)
from tinygrad_rnn.operations.arithmetic import add, mul
from tinygrad_rnn.operations.dtypes import finfo, float16, float32
from tinygrad_rnn.operations.elementwise import clamp, rsqrt, sqrt, square
from tinygrad_rnn.operations.inplace import overwrite
from tinygrad_rnn.operations.memory import in_c_order
from tinygrad_rnn.operations.node_names import made_by
from tinygrad_rnn.operations.norms import norm
from tinygrad_rnn.operations.operation import operation
from tinygrad_rnn.operations.promotion import floats, promoted, to_dtype
from tinygrad_rnn.operations.reduction import mean, sum
from tinygrad_rnn.operations.shape import contiguous, expand, reshape

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


def _mean(x: Any, axis: tuple[int, ...]) -> Any:
    count = math.prod(x.shape[i] for i in axis)
    return x.sum(axis, keepdims=True) / max(count, 1)


@silent
@wide
def _layer_norm(x: Any, *, axis: tuple[int, ...], eps: float) -> Any:
    c = x - _mean(x, axis)
    return c / np.sqrt(_mean(c * c, axis) + eps)


@wide
def _layer_norm_rule(g: Any, x: Any, axis: tuple[int, ...], eps: float) -> Any:
    c = x - _mean(x, axis)
    sigma = np.sqrt(_mean(c * c, axis) + eps)
    y = c / sigma
    return (g - _mean(g, axis) - y * _mean(g * y, axis)) / sigma


@operation(
    in_c_order(_layer_norm),
    "x",
    prepare=floats("layer_norm"),
    twin=twins.layer_norm,
    node="NativeLayerNormBackward0",
)
def layer_norm(
    input: Any,
    normalized_shape: Sequence[int],
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x − mean) / √(variance + ε) over the last axes, times ``weight`` plus ``bias``.

    The variance is that of the elements themselves (a division by n): https://arxiv.org/abs/1607.06450.

    Parameters
    ----------
    input : Tensor of shape (..., *normalized_shape)
    normalized_shape : sequence of int
    weight, bias : Tensors of shape normalized_shape, optional
    eps : float

    Raises
    ------
    RuntimeError
        If a shape does not fit, or the types differ.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.layer_norm(tg.tensor([[1.0, 2.0, 3.0]]), (3,))
    tensor([[-1.2247,  0.0000,  1.2247]])
    """
    x = tensor_of("layer_norm", input)
    eps = number_of("layer_norm", "eps", eps)
    shape, axis = _last_axes("layer_norm", x, normalized_shape)
    for name, factor in (("weight", weight), ("bias", bias)):
        f = None if factor is None else tensor_of("layer_norm", factor)
        if f is not None and (f.shape, f.dtype) != (shape, x.dtype):
            raise RuntimeError(
                f"layer_norm: expected a {name} of shape {shape} and {x.array.dtype}, got "
                f"{f.array.shape} and {f.array.dtype}"
            )
    y = layer_norm.apply(x, axis=axis, eps=eps)
    if weight is not None:
        y = mul(y, weight)
    if bias is not None:
        y = add(y, bias)
    return y if weight is bias is None else made_by("NativeLayerNormBackward0", y)


layer_norm.vjp("x", _layer_norm_rule, formula="(g − mean g − y ⊙ mean(g ⊙ y)) / σ")


def _last_axes(
    name: str, x: Any, normalized_shape: Sequence[int]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The sizes over which to normalize, which must be the last of the input, and their axes."""
    if not isinstance(normalized_shape, tuple | list):
        raise TypeError(f"{name}: normalized_shape must be a tuple, got {normalized_shape!r}")
    shape = tuple(normalized_shape)
    if not shape or x.shape[-len(shape) :] != shape:
        raise RuntimeError(
            f"{name}: normalized_shape {shape} must be the last sizes of the input, which has "
            f"shape {x.array.shape}"
        )
    return shape, tuple(range(x.ndim - len(shape), x.ndim))


def rms_norm(
    input: Any, normalized_shape: Sequence[int], weight: Any = None, eps: float | None = None
) -> Tensor:
    """``x / √(mean x² + ε)`` over the last axes, times ``weight``.

    https://arxiv.org/abs/1910.07467

    Parameters
    ----------
    input : Tensor of shape (..., *normalized_shape), floating-point
    normalized_shape : sequence of int
    weight : Tensor of shape normalized_shape, optional
    eps : float, optional
        The distance from 1 to the next number, if absent.

    Raises
    ------
    RuntimeError
        If a shape does not fit.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.rms_norm(tg.tensor([3.0, 4.0]), (2,))
    tensor([0.8485, 1.1314])
    """
    x = tensor_of("rms_norm", input)
    if x.dtype.kind != "f":
        raise RuntimeError(
            f"rms_norm: only defined for floating-point tensors, not {x.array.dtype}"
        )
    shape, axis = _last_axes("rms_norm", x, normalized_shape)
    if weight is not None and tensor_of("rms_norm", weight).shape != shape:
        raise RuntimeError(
            f"rms_norm: expected a weight of shape {shape}, got {tuple(weight.shape)}"
        )
    wide = to_dtype(x, float32) if x.dtype == float16 else x  # squares overflow soon
    eps = finfo(wide.dtype).eps if eps is None else number_of("rms_norm", "eps", eps)
    wide = contiguous(wide)
    y = wide * rsqrt(mean(square(wide), axis, True) + eps)
    return to_dtype(y if weight is None else mul(y, weight), x.array.dtype)


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x − mean) / √(variance + ε) for each channel, times ``weight`` plus ``bias``.

    In training, mean and variance are the input's, over all axes but that of channels, and the
    running ones move towards them in place: https://arxiv.org/abs/1502.03167.

    Parameters
    ----------
    input : Tensor of shape (batch, channels, ...)
    running_mean, running_var : Tensors of shape (channels,), or both None
        Needed if not ``training``.
    weight, bias : Tensors of shape (channels,), optional
    training : bool
    momentum : float
        The part of the input in the new running averages (for the variance, of the unbiased
        estimate: a division by n − 1).
    eps : float

    Raises
    ------
    ValueError
        If ``training`` and there is one value per channel only.
    RuntimeError
        If a shape does not fit, the types differ, or averages are missing or require grad.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([[1.0], [3.0]])
    >>> tg.nn.functional.batch_norm(x, None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    x = tensor_of("batch_norm", input)
    check_flags("batch_norm", training=training)
    eps = number_of("batch_norm", "eps", eps)
    channels = x.shape[dim_of("batch_norm", 1, x.ndim)]
    _check_channels(
        "batch_norm", x, channels,
        running_mean=running_mean, running_var=running_var, weight=weight, bias=bias,
    )  # fmt: skip
    if training:
        if (running_mean is None) != (running_var is None):
            raise ValueError("batch_norm: give both running_mean and running_var, or neither")
        if math.prod(x.shape[2:], start=x.shape[0]) == 1:
            raise ValueError(
                "batch_norm: expected more than 1 value per channel when training, got an input of "
                f"shape {x.array.shape}"
            )
        axis = (0, *range(2, x.ndim))
        if running_mean is not None and x.array.size:
            values = x.array.astype(np.result_type(x.dtype, float32), copy=False)
            _move(running_mean, values.mean(axis), momentum)
            _move(running_var, values.var(axis, ddof=1), momentum)
        y = layer_norm.apply(x, axis=axis, eps=eps)
    elif running_mean is None or running_var is None:
        raise RuntimeError("batch_norm: running averages are needed if not in training")
    else:
        scale = sqrt(running_var + eps)
        y = (contiguous(x) - _per_channel(running_mean, x)) / _per_channel(scale, x)
    if weight is not None:
        y = mul(y, _per_channel(weight, x))
    if bias is not None:
        y = add(y, _per_channel(bias, x))
    return made_by("NativeBatchNormBackward0", to_dtype(y, x.array.dtype))


def group_norm(
    input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Tensor:
    """(x − mean) / √(variance + ε) over groups of channels, times ``weight`` plus ``bias``.

    https://arxiv.org/abs/1803.08494

    Parameters
    ----------
    input : Tensor of shape (batch, channels, ...)
    num_groups : int
        Into how many groups the channels fall; each is normalized by itself.
    weight, bias : Tensors of shape (channels,), optional
    eps : float

    Raises
    ------
    RuntimeError
        If the groups do not divide the channels, a shape does not fit, or the types differ.
    ValueError
        If there is one value in a group only.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.group_norm(tg.tensor([[1.0, 3.0, 2.0, 6.0]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    x = tensor_of("group_norm", input)
    groups, eps = (
        integer_of("group_norm", "num_groups", num_groups),
        number_of("group_norm", "eps", eps),
    )
    shape = x.array.shape
    if len(shape) < 2 or groups < 1 or shape[1] % groups:
        raise RuntimeError(
            f"group_norm: {groups} groups do not divide the channels, the second axis of an input "
            f"of shape {shape}"
        )
    if x.array.size == groups:
        raise ValueError(f"group_norm: one value in each group of an input of shape {shape}")
    _check_channels("group_norm", x, shape[1], weight=weight, bias=bias)
    apart = reshape(x, (shape[0], groups, -1)) if x.array.size else x
    y = reshape(layer_norm.apply(apart, axis=(apart.array.ndim - 1,), eps=eps), shape)
    if weight is not None:
        y = mul(y, _per_channel(weight, x))
    if bias is not None:
        y = add(y, _per_channel(bias, x))
    return made_by("NativeGroupNormBackward0", to_dtype(y, x.array.dtype))


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x − mean) / √(variance + ε) for each channel of each sample, times ``weight`` plus ``bias``.

    https://arxiv.org/abs/1607.08022

    Parameters
    ----------
    input : Tensor of shape (batch, channels, ...)
    running_mean, running_var : None
        There are no running averages here.
    weight, bias : Tensors of shape (channels,), optional
    use_input_stats : bool
        True: there are no others.
    momentum : float
        Without effect.
    eps : float

    Raises
    ------
    NotImplementedError
        If running averages are given or asked for.
    ValueError
        If a channel has one value only.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.instance_norm(tg.tensor([[[1.0, 3.0], [2.0, 6.0]]]))
    tensor([[[-1.0000,  1.0000],
             [-1.0000,  1.0000]]])
    """
    if running_mean is not None or running_var is not None or not use_input_stats:
        raise NotImplementedError(
            "instance_norm: there are no running averages here; each sample is normalized by itself"
        )
    x = tensor_of("instance_norm", input)
    shape = x.array.shape
    if math.prod(shape[2:]) == 1:
        raise ValueError(
            f"instance_norm: expected more than 1 value in a channel, got an input of shape {shape}"
        )
    made = group_norm(x, shape[dim_of("instance_norm", 1, len(shape))], weight, bias, eps)
    return made_by("ViewBackward0", made)


def _per_channel(values: Any, x: Any) -> Any:
    """Values of channels as factors of an input."""
    return reshape(values, (-1,) + (1,) * (x.ndim - 2)) if x.ndim > 2 else values


def _move(average: Any, new: Any, momentum: float) -> None:
    """Let a running average come nearer to a new value."""
    overwrite("batch_norm", average, (1 - momentum) * average.array + momentum * new)


def _check_channels(owner: str, x: Any, channels: int, **given: Any) -> None:
    allowed = (float16, float32) if x.dtype == float16 else (x.dtype,)
    for name, values in given.items():
        if values is None:
            continue
        if tensor_of(owner, values).shape != (channels,):
            raise RuntimeError(
                f"{owner}: {name} must have an element for each of {channels} channels, got "
                f"shape {raw(values).shape}"
            )
        if values.dtype not in allowed:
            raise RuntimeError(
                f"{owner}: {name} is {raw(values).dtype}, but the input {x.array.dtype}"
            )
        if name.startswith("running") and values.requires_grad:
            raise RuntimeError(f"{owner}: {name} has no derivative and cannot require grad")


def normalize(input: Any, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Tensor:
    """``x / max(‖x‖, ε)``, with the p-norm along ``dim``: vectors of length 1.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.normalize(tg.tensor([[3.0, 4.0], [0.0, 0.0]]))
    tensor([[0.6000, 0.8000],
            [0.0000, 0.0000]])
    """
    x = tensor_of("normalize", input)
    return x / clamp(norm(x, p, dim, keepdim=True), eps)


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x₁·x₂ / (‖x₁‖ ‖x₂‖) along ``dim``; norms count as at least ε.

    Parameters
    ----------
    x1, x2 : Tensors, floating-point
        Of shapes that broadcast.
    dim : int
        Of the broadcast shape.
    eps : float

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x1, x2 = tg.tensor([[3.0, 4.0]]), tg.tensor([[4.0, 3.0]])
    >>> tg.nn.functional.cosine_similarity(x1, x2)
    tensor([0.9600])
    """
    tensors = [tensor_of("cosine_similarity", x) for x in (x1, x2)]
    a, b = promoted("cosine_similarity")(tensors)
    if a.dtype.kind != "f":
        raise RuntimeError(f"cosine_similarity: not defined for {a.array.dtype}; convert to floats")
    shape = common_shape("cosine_similarity", a.shape, b.shape)
    unit1, unit2 = (_unit(expand(x, shape), dim, eps) for x in (a, b))
    return sum(unit1 * unit2, dim)


def _unit(x: Any, dim: int, eps: float) -> Any:
    """``x`` over its norm; a norm below ε counts as ε, but is differentiated as what it is."""
    size = norm(x, 2, dim, keepdim=True)
    lack = np.asarray(np.maximum(eps - size.array, 0))
    return x / (size + graph.make_tensor(lack, None) if lack.any() else size)
