"""What layers are made of, besides products of matrices and nonlinearities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_rnn.engine.errors import silent
from tinygrad_rnn.engine.sums import Part
from tinygrad_rnn.operations import twins
from tinygrad_rnn.operations.activation import wide
from tinygrad_rnn.operations.indexing import add_at
from tinygrad_rnn.operations.memory import in_c_order
from tinygrad_rnn.operations.promotion import floats
from tinygrad_rnn.operations.traits import primitive

# ``mask``: 0 for what is dropped, 1 / (1 − p) for what is kept
dropout = primitive("dropout", np.multiply, "x mask", twin=lambda torch, x, mask: x * mask)
dropout.vjp("x", lambda g, mask: g * mask, formula="g ⊙ mask")


def _embedding_rule(g: Any, index: Any, padding: int | None) -> Any:
    if padding is not None:
        g = np.where((index[0] != padding)[..., None], g, 0)
    return Part(g, index, add_at)


embedding = primitive(
    "embedding", lambda weight, *, index, padding: weight[index], "weight",
    symbol="{weight}[{index}]", twin=twins.embedding,
)  # fmt: skip
embedding.vjp("weight", _embedding_rule, formula="g added at the rows looked up, else 0")


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


layer_norm = primitive(
    "layer_norm", in_c_order(_layer_norm), "x", prepare=floats("layer_norm"), twin=twins.layer_norm
)
layer_norm.vjp("x", _layer_norm_rule, formula="(g − mean g − y ⊙ mean(g ⊙ y)) / σ")


def _pad(x: Any, *, index: tuple[slice, ...], shape: tuple[int, ...], value: Any) -> Any:
    y = np.full(shape, value, x.dtype)
    y[index] = x
    return y


pad = primitive("pad", _pad, "x", twin=twins.pad)
pad.vjp("x", lambda g, index: g[index], formula="g[index]")
