"""Normalization: numbers brought to a common size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_rnn import functions
from tinygrad_rnn.functions.arguments import common_shape, number_of, tensor_of
from tinygrad_rnn.ops import layers
from tinygrad_rnn.ops.promotion import promoted
from tinygrad_rnn.tensor import wrap


def layer_norm(
    input: Any,
    normalized_shape: Sequence[int],
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
) -> Any:
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
    if not isinstance(normalized_shape, tuple | list):
        raise TypeError(f"layer_norm: normalized_shape must be a tuple, got {normalized_shape!r}")
    eps = number_of("layer_norm", "eps", eps)
    shape = tuple(normalized_shape)
    if not shape or x.shape[-len(shape) :] != shape:
        raise RuntimeError(
            f"layer_norm: normalized_shape {shape} must be the last sizes of the input, which has "
            f"shape {x.shape}"
        )
    for name, factor in (("weight", weight), ("bias", bias)):
        f = None if factor is None else tensor_of("layer_norm", factor)
        if f is not None and (f.shape, f.dtype) != (shape, x.dtype):
            raise RuntimeError(
                f"layer_norm: expected a {name} of shape {shape} and {x.dtype}, got {f.shape} and "
                f"{f.dtype}"
            )
    axis = tuple(range(x.ndim - len(shape), x.ndim))
    y = layers.layer_norm.apply(x, axis=axis, eps=eps)
    if weight is not None:
        y = functions.mul(y, weight)
    return y if bias is None else functions.add(y, bias)


def normalize(input: Any, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Any:
    """``x / max(‖x‖, ε)``, with the p-norm along ``dim``: vectors of length 1.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.normalize(tg.tensor([[3.0, 4.0], [0.0, 0.0]]))
    tensor([[0.6000, 0.8000],
            [0.0000, 0.0000]])
    """
    x = tensor_of("normalize", input)
    return x / functions.clamp(functions.norm(x, p, dim, keepdim=True), eps)


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
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
        raise RuntimeError(f"cosine_similarity: not defined for {a.dtype}; convert to floats")
    shape = common_shape("cosine_similarity", a.shape, b.shape)
    unit1, unit2 = (_unit(functions.expand(x, shape), dim, eps) for x in (a, b))
    return functions.sum(unit1 * unit2, dim)


def _unit(x: Any, dim: int, eps: float) -> Any:
    """``x`` over its norm; a norm below ε counts as ε, but is differentiated as what it is."""
    norm = functions.norm(x, 2, dim, keepdim=True)
    lack = np.asarray(np.maximum(eps - norm.array, 0))
    return x / (norm + wrap(lack, None) if lack.any() else norm)
