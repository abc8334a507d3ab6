"""Nonlinearities, with PyTorch's arguments; ``inplace`` overwrites the input and returns it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from tinygrad_rnn import operations as functions
from tinygrad_rnn.dtypes import DTypeLike
from tinygrad_rnn.operations import activation
from tinygrad_rnn.operations.arguments import dim_of, number_of, tensor_of
from tinygrad_rnn.operations.indexing import getitem
from tinygrad_rnn.operations.inplace import change

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


def relu(input: Any, inplace: bool = False) -> Tensor:
    """max(x, 0), elementwise; the derivative at 0 is 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.relu(tg.tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 2.])
    """
    if inplace:
        return change("relu_", functions.relu, tensor_of("relu", input))
    return functions.relu(tensor_of("relu", input))


def relu6(input: Any, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6), elementwise; the derivative at 0 and 6 is 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.relu6(tg.tensor([-1.0, 3.0, 9.0]))
    tensor([0., 3., 6.])
    """
    return hardtanh(input, 0.0, 6.0, inplace)


def hardtanh(
    input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """``x`` cut off at ``min_val`` and ``max_val``, elementwise; the derivative there is 0.

    Raises
    ------
    ValueError
        If ``min_val`` is greater than ``max_val``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.hardtanh(tg.tensor([-3.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if inplace:
        return change("hardtanh_", hardtanh, tensor_of("hardtanh", input), min_val, max_val)
    min_val = number_of("hardtanh", "min_val", min_val)
    max_val = number_of("hardtanh", "max_val", max_val)
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val {min_val} is greater than max_val {max_val}")
    x = tensor_of("hardtanh", input)
    if x.array.dtype.kind == "u" and int(min_val) < 0:
        raise RuntimeError(f"hardtanh: {x.array.dtype} has no {min_val}; convert the tensor first")
    return activation.hardtanh.apply(x, low=min_val, high=max_val)


def hardsigmoid(input: Any, inplace: bool = False) -> Tensor:
    """min(max(x + 3, 0), 6) / 6, elementwise: a sigmoid of straight lines.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.hardsigmoid(tg.tensor([-4.0, 0.0, 4.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    if inplace:
        return change("hardsigmoid_", hardsigmoid, tensor_of("hardsigmoid", input))
    return activation.hardsigmoid.apply(tensor_of("hardsigmoid", input))


def hardswish(input: Any, inplace: bool = False) -> Tensor:
    """``x · hardsigmoid(x)``, elementwise: https://arxiv.org/abs/1905.02244.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.hardswish(tg.tensor([-1.5, 1.5, 4.0]))
    tensor([-0.3750,  1.1250,  4.0000])
    """
    if inplace:
        return change("hardswish_", hardswish, tensor_of("hardswish", input))
    return activation.hardswish.apply(tensor_of("hardswish", input))


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """``x`` for x > 0, else ``negative_slope`` · x, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.leaky_relu(tg.tensor([-1.0, 2.0]))
    tensor([-0.0100,  2.0000])
    """
    if inplace:
        return change("leaky_relu_", leaky_relu, tensor_of("leaky_relu", input), negative_slope)
    negative_slope = number_of("leaky_relu", "negative_slope", negative_slope)
    return activation.leaky_relu.apply(tensor_of("leaky_relu", input), slope=negative_slope)


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` for x > 0, else α · (eˣ − 1), elementwise: https://arxiv.org/abs/1511.07289.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.elu(tg.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    if inplace:
        return change("elu_", elu, tensor_of("elu", input), alpha)
    alpha = number_of("elu", "alpha", alpha)
    return activation.elu.apply(tensor_of("elu", input), alpha=alpha, scale=1.0)


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` for x > 0, else α · (exp(x/α) − 1), elementwise: https://arxiv.org/abs/1704.07483.

    Unlike `elu` it has no kink at 0, whatever α.

    Raises
    ------
    RuntimeError
        If ``alpha`` is 0, or the input is not floating-point.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.celu(tg.tensor([-1.0, 2.0]), alpha=2.0)
    tensor([-0.7869,  2.0000])
    """
    if inplace:
        return change("celu_", celu, tensor_of("celu", input), alpha)
    alpha = number_of("celu", "alpha", alpha)
    if not alpha:
        raise RuntimeError("celu: ZeroDivisionError: alpha must not be 0")
    return activation.celu.apply(tensor_of("celu", input), alpha=alpha)


def selu(input: Any, inplace: bool = False) -> Tensor:
    """s·x for x > 0, else s·α·(eˣ − 1), elementwise, with s = 1.0507… and α = 1.6733….

    The constants keep mean 0 and variance 1 from layer to layer: https://arxiv.org/abs/1706.02515.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.selu(tg.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    if inplace:
        return change("selu_", selu, tensor_of("selu", input))
    return activation.elu.apply(tensor_of("selu", input), alpha=_SELU_ALPHA, scale=_SELU_SCALE)


_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def silu(input: Any, inplace: bool = False) -> Tensor:
    """``x · σ(x)``, elementwise, also called swish.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.silu(tg.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """
    if inplace:
        return change("silu_", silu, tensor_of("silu", input))
    return activation.silu.apply(tensor_of("silu", input))


def mish(input: Any, inplace: bool = False) -> Tensor:
    """``x · tanh(softplus(x))``, elementwise: https://arxiv.org/abs/1908.08681.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.mish(tg.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """
    if inplace:
        return change("mish_", mish, tensor_of("mish", input))
    return activation.mish.apply(tensor_of("mish", input))


def gelu(input: Any, *, approximate: str = "none") -> Tensor:
    """``x · Φ(x)``, elementwise, where Φ is the standard normal distribution function.

    ``approximate="tanh"`` takes Φ(x) for (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2.
    https://arxiv.org/abs/1606.08415

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.gelu(tg.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """
    x = tensor_of("gelu", input)
    if approximate == "none":
        return activation.gelu.apply(x)
    if approximate == "tanh":
        return activation.gelu_tanh.apply(x)
    raise RuntimeError(f"gelu: approximate must be 'none' or 'tanh', not {approximate!r}")


def softplus(input: Any, beta: float = 1, threshold: float = 20) -> Tensor:
    """ln(1 + exp(β x)) / β, elementwise: a smooth ReLU; x itself where β x > ``threshold``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.softplus(tg.tensor([-1.0, 0.0, 10000.0]))
    tensor([3.1326e-01, 6.9315e-01, 1.0000e+04])
    """
    beta = number_of("softplus", "beta", beta)
    threshold = number_of("softplus", "threshold", threshold)
    x = tensor_of("softplus", input)
    return activation.softplus.apply(x, beta=beta, threshold=threshold)


def softsign(input: Any) -> Tensor:
    """``x / (1 + |x|)``, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.softsign(tg.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """
    return activation.softsign.apply(tensor_of("softsign", input))


def logsigmoid(input: Any) -> Tensor:
    """``ln σ(x)``, elementwise, exact also where σ(x) rounds to 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.logsigmoid(tg.tensor([-10000.0, 0.0]))
    tensor([-1.0000e+04, -6.9315e-01])
    """
    return activation.logsigmoid.apply(tensor_of("logsigmoid", input))


def glu(input: Any, dim: int = -1) -> Tensor:
    """``a · σ(b)``, where a and b are the halves of the input along ``dim``.

    Raises
    ------
    RuntimeError
        If the size along ``dim`` is odd.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.glu(tg.tensor([2.0, 4.0, 0.0, 10000.0]))
    tensor([1., 4.])
    """
    x = tensor_of("glu", input)
    if not x.array.ndim:
        raise RuntimeError("glu: a 0-d tensor has no halves")
    if x.array.dtype.kind != "f":
        raise RuntimeError(f"glu: only defined for floating-point tensors, not {x.array.dtype}")
    axis = dim_of("glu", dim, x.array.ndim)
    half, rest = divmod(x.array.shape[axis], 2)
    if rest:
        raise RuntimeError(
            f"glu: the size along dim {dim} must be even, the input has shape {x.array.shape}"
        )
    before = (slice(None),) * axis
    a, b = getitem(x, (*before, slice(half))), getitem(x, (*before, slice(half, None)))
    return functions.mul(a, functions.sigmoid(b))


def softmax(input: Any, dim: int | None = None, *, dtype: DTypeLike = None) -> Tensor:
    """exp(x) / Σ exp(x) along ``dim``: see `tinygrad_rnn.softmax`.

    Without ``dim`` an axis is chosen as in PyTorch, with a warning.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.softmax(tg.tensor([[0.0, 1.0]]), dim=1)
    tensor([[0.2689, 0.7311]])
    """
    return functions.softmax(input, _chosen("softmax", input, dim), dtype)


def log_softmax(input: Any, dim: int | None = None, *, dtype: DTypeLike = None) -> Tensor:
    """``ln softmax(x)`` along ``dim``: see `tinygrad_rnn.log_softmax`.

    Without ``dim`` an axis is chosen as in PyTorch, with a warning.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.log_softmax(tg.tensor([[0.0, 1.0]]), dim=1)
    tensor([[-1.3133, -0.3133]])
    """
    return functions.log_softmax(input, _chosen("log_softmax", input, dim), dtype)


def softmin(input: Any, dim: int | None = None, *, dtype: DTypeLike = None) -> Tensor:
    """softmax(−x) along ``dim``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.softmin(tg.tensor([[0.0, 1.0]]), dim=1)
    tensor([[0.7311, 0.2689]])
    """
    dim = _chosen("softmin", input, dim)
    return functions.softmax(functions.neg(tensor_of("softmin", input)), dim, dtype)


def _chosen(name: str, input: Any, dim: int | None) -> int:
    """``dim``; if there is none, the axis that PyTorch used to take."""
    if dim is not None:
        return dim
    warnings.warn(
        f"{name}: choosing dim by the number of axes is deprecated; pass dim", stacklevel=3
    )
    return 0 if tensor_of(name, input).array.ndim in (0, 1, 3) else 1
