"""Operations that move elements without changing them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_rnn.engine.primitive import Primitive

reshape = Primitive("reshape", lambda x, *, shape: x.reshape(shape), "x")
reshape.vjp("x", lambda g, x_shape: g.reshape(x_shape), formula="g")

permute = Primitive("permute", lambda x, *, dims: x.transpose(dims), "x", symbol="transpose")
permute.vjp("x", lambda g, dims: g.transpose(_inverse(dims)), formula="gᵀ")

expand = Primitive("expand", lambda x, *, shape: np.broadcast_to(x, shape), "x")
expand.vjp("x", lambda g: g, formula="Σ g")  # the engine sums over what was broadcast

cat = Primitive("cat", lambda *xs, dim: np.concatenate(xs, dim), "*xs")
cat.joint_vjp(lambda g, shapes, dim: _split(g, shapes, dim), formula="g[part]")

stack = Primitive("stack", lambda *xs, dim: np.stack(xs, dim), "*xs")
stack.joint_vjp(lambda g, dim: list(np.moveaxis(g, dim, 0)), formula="g[part]")


def _inverse(dims: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(dims)), key=dims.__getitem__))


def _split(g: Any, shapes: list[tuple[int, ...]], dim: int) -> list[Any]:
    """The slices of ``g`` that belong to the tensors put together."""
    parts, start = [], 0
    before = (slice(None),) * (dim % g.ndim)
    for shape in shapes:
        parts.append(g[(*before, slice(start, start + shape[dim]))])
        start += shape[dim]
    return parts
