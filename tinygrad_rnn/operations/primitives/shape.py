"""Operations that move elements without changing them.

`reshape`, `permute`, `expand` and `diagonal` are views: their result shares the input's memory,
which changes in place rely on.  (`reshape` is only given what can be one.)  The others copy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.operations.memory import in_c_order, owned

Shape = tuple[int, ...]

# -- views --

reshape = Primitive("reshape", lambda x, *, shape: x.reshape(shape), "x", view=True)
reshape.vjp("x", lambda g, x_shape: g.reshape(x_shape), formula="g")

permute = Primitive(
    "permute", lambda x, *, dims: x.transpose(dims), "x", symbol="transpose", view=True
)
permute.vjp("x", lambda g, dims: g.transpose(_inverse(dims)), formula="gᵀ")

expand = Primitive("expand", lambda x, *, shape: np.broadcast_to(x, shape), "x", view=True)
expand.vjp("x", lambda g: g, formula="Σ g")  # the engine sums over what was broadcast


def _inverse(dims: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(dims)), key=dims.__getitem__))


def _diagonal(x: Any, *, offset: int, dim1: int, dim2: int) -> Any:
    y = x.diagonal(offset, dim1, dim2)
    if x.flags.writeable:
        y.flags.writeable = True  # NumPy makes it read-only
    return y


def _on_diagonal(x: Any, *, shape: Shape, offset: int, dim1: int, dim2: int) -> Any:
    y = np.zeros(shape, x.dtype)
    _diagonal(y, offset=offset, dim1=dim1, dim2=dim2)[...] = x
    return y


def _diagonal_vjp(g: Any, x_shape: Shape, offset: int, dim1: int, dim2: int) -> Any:
    embed = diag_embed if isinstance(g, Variable) else _on_diagonal
    return embed(g, shape=x_shape, offset=offset, dim1=dim1, dim2=dim2)


diagonal = Primitive("diagonal", _diagonal, "x", view=True)
diagonal.vjp("x", _diagonal_vjp, formula="g on the diagonal, else 0")

# -- copies --

diag_embed = Primitive("diag_embed", _on_diagonal, "x")
"""Zeros of ``shape``, and the input on a diagonal of them."""

diag_embed.vjp(
    "x",
    lambda g, offset, dim1, dim2: np.diagonal(g, offset, dim1, dim2),
    formula="the diagonal of g",
)

tril = Primitive("tril", in_c_order(lambda x, *, diagonal: np.tril(x, diagonal)), "x")
tril.vjp("x", lambda g, diagonal: np.tril(g, diagonal), formula="tril(g)")

triu = Primitive("triu", in_c_order(lambda x, *, diagonal: np.triu(x, diagonal)), "x")
triu.vjp("x", lambda g, diagonal: np.triu(g, diagonal), formula="triu(g)")

flip = Primitive("flip", lambda x, *, dims: np.flip(x, dims).copy("K"), "x")
flip.vjp("x", lambda g, dims: np.flip(g, dims), formula="g, flipped back")

roll = Primitive(
    "roll", owned(in_c_order(lambda x, *, shifts, dims: np.roll(x, shifts, dims))), "x"
)
roll.vjp(
    "x",
    lambda g, shifts, dims: np.roll(g, tuple(-s for s in shifts), dims),
    formula="g, rolled back",
)

repeat = Primitive("repeat", owned(lambda x, *, repeats: np.tile(x, repeats)), "x")
repeat.vjp("x", lambda g, x_shape, repeats: _folded(g, x_shape, repeats), formula="Σ g")


def _folded(g: Any, shape: Shape, repeats: Shape) -> Any:
    """The sum of the copies that ``repeats`` made of a tensor of ``shape``."""
    full = (1,) * (len(repeats) - len(shape)) + shape
    apart = g.reshape(tuple(n for pair in zip(repeats, full) for n in pair))
    return apart.sum(axis=tuple(range(0, apart.ndim, 2))).reshape(shape)


repeat_interleave = Primitive(
    "repeat_interleave", lambda x, *, repeats, dim: np.repeat(x, repeats, dim), "x"
)
repeat_interleave.vjp(
    "x",
    lambda g, x_shape, repeats, dim: g.reshape(
        (*x_shape[: dim + 1], repeats, *x_shape[dim + 1 :])
    ).sum(dim + 1),
    formula="Σ g",
)

cat = Primitive("cat", in_c_order(lambda *xs, dim: np.concatenate(xs, dim)), "*xs")
cat.joint_vjp(lambda g, shapes, dim: _split(g, shapes, dim), formula="g[part]")

stack = Primitive("stack", in_c_order(lambda *xs, dim: np.stack(xs, dim)), "*xs")
stack.joint_vjp(lambda g, dim: list(np.moveaxis(g, dim, 0)), formula="g[part]")


def _split(g: Any, shapes: list[Shape], dim: int) -> list[Any]:
    """The slices of ``g`` that belong to the tensors put together."""
    parts, start = [], 0
    before = (slice(None),) * (dim % g.ndim)
    for shape in shapes:
        parts.append(g[(*before, slice(start, start + shape[dim]))])
        start += shape[dim]
    return parts
