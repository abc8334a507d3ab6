"""What each primitive is called in PyTorch: the table by which one operation is checked alone.

A twin is a function ``(torch, *tensors, **parameters)`` that computes what the primitive does with
the same parameters. Most primitives bear the name of PyTorch's function; the others stand in
`TWINS`. Whatever reads or writes parts is told, by NumPy's own indexing, the place of each element
in the flattened tensor.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Twin = Callable[..., Any]
Shape = tuple[int, ...]

SAME_NAME = (
    "abs", "acos", "acosh", "add", "asin", "asinh", "atan", "atan2", "atanh", "ceil", "clamp",
    "cos", "cosh", "div", "erf", "exp", "exp2", "expm1", "floor", "fmod", "lerp", "log",
    "log10", "log1p", "log2", "logaddexp", "matmul", "maximum", "minimum", "mul", "neg",
    "pow", "reciprocal", "relu", "remainder", "rsqrt",
    "sigmoid", "sign", "sin", "sinh", "sqrt", "square", "sub", "tan", "tanh", "trunc",
    "where", "xlogy",
)  # fmt: skip
"""Primitives without parameters that PyTorch has under the same name."""


def twin(name: str) -> Twin | None:
    """PyTorch's way to compute a primitive; ``None`` for one that is not of this package.

    Examples
    --------
    >>> torch = __import__("pytest").importorskip("torch")
    >>> from tinygrad_rnn.testing.twins import twin
    >>> twin("roll")(torch, torch.tensor([1, 2, 3]), shifts=(1,), dims=(0,))
    tensor([3, 1, 2])
    """
    if name in SAME_NAME:
        return lambda torch, *xs: getattr(torch, name)(*xs)
    return TWINS.get(name)


# -- parts -------------------------------------------------------------------------------------


def _places(index: Any, shape: Shape) -> Any:
    """Where in the flattened array stands what ``index`` picks."""
    return np.arange(math.prod(shape)).reshape(shape)[index]


def _read(torch: Any, x: Any, index: Any) -> Any:
    return x.reshape(-1)[torch.from_numpy(np.array(_places(index, x.shape)))]


def _added(torch: Any, gs: Any, places: list[Any], shape: Shape) -> Any:
    """Zeros of ``shape`` with each tensor added at its places."""
    total = torch.zeros(math.prod(shape), dtype=gs[0].dtype)
    for g, at in zip(gs, places, strict=True):
        at = torch.from_numpy(np.array(at).reshape(-1))
        total = total.index_put((at,), g.reshape(-1), accumulate=True)
    return total.reshape(shape)


def _add_parts(torch: Any, *gs: Any, index: list[Any], shape: Shape) -> Any:
    return _added(torch, gs, [_places(i, shape) for i in index], shape)


def _add_spans(torch: Any, *gs: Any, index: list[Any], shape: Shape) -> Any:
    spans = [(*[slice(None)] * dim, slice(start, stop)) for dim, start, stop in index]
    return _add_parts(torch, *gs, index=spans, shape=shape)


def _put(torch: Any, x: Any, value: Any, index: Any) -> Any:
    """Of values for one place the last one stays, which PyTorch leaves open."""
    places = _places(index, x.shape)
    writer = np.full(x.numel(), -1)
    writer[places.reshape(-1)] = np.arange(places.size)
    value = value.reshape(value.shape[max(value.ndim - places.ndim, 0) :])
    values = torch.broadcast_to(value, places.shape).reshape(-1)
    if not places.size:
        return x.clone()
    written = values[torch.from_numpy(np.maximum(writer, 0))]
    return torch.where(torch.from_numpy(writer >= 0), written, x.reshape(-1)).reshape(x.shape)


def _diag_embed(torch: Any, x: Any, shape: Shape, offset: int, dim1: int, dim2: int) -> Any:
    places = _places((...,), shape).diagonal(offset, dim1, dim2)
    return _added(torch, [x], [places], shape)


def _pick(torch: Any, x: Any, index: Any, dim: int, keepdims: bool) -> Any:
    y = torch.gather(x, dim, torch.from_numpy(index))
    return y if keepdims else y.squeeze(dim)


def _put_back(torch: Any, g: Any, index: Any, dim: int, keepdims: bool, shape: Shape) -> Any:
    g = g if keepdims else g.unsqueeze(dim)
    return torch.zeros(shape, dtype=g.dtype).scatter(dim, torch.from_numpy(index), g)


def _pad(torch: Any, x: Any, index: Any, shape: Shape, value: Any) -> Any:
    y = torch.full(shape, value, dtype=x.dtype)
    y[index] = x
    return y


# -- reductions --------------------------------------------------------------------------------


def _over(name: str) -> Twin:
    """A reduction that in PyTorch, too, takes several axes."""

    def reduced(torch: Any, x: Any, axis: Shape, keepdims: bool, **options: Any) -> Any:
        return getattr(torch, name)(x, dim=axis, keepdim=keepdims, **options)

    return reduced


def _whole(name: str) -> Twin:
    """A reduction that in PyTorch takes one axis, or all of them."""

    def reduced(torch: Any, x: Any, axis: Shape, keepdims: bool) -> Any:
        if len(axis) == 1 and name == "prod":
            return torch.prod(x, axis[0], keepdims)
        y = getattr(torch, name)(x)
        return y.reshape([1] * x.ndim) if keepdims else y

    return reduced


def _vector_norm(torch: Any, x: Any, ord: float, axis: Shape, keepdims: bool) -> Any:
    return torch.linalg.vector_norm(x, ord, dim=axis, keepdim=keepdims)


def _running(name: str) -> Twin:
    def scanned(torch: Any, x: Any, dim: int, reverse: bool) -> Any:
        run = getattr(torch, name)
        return run(x.flip(dim), dim).flip(dim) if reverse else run(x, dim)

    return scanned


def _linear_scan(torch: Any, a: Any, b: Any, dim: int, reverse: bool) -> Any:
    """sₜ = bₜ + aₜ sₜ₋₁, step by step."""
    steps = list(zip(a.unbind(dim), b.unbind(dim), strict=True))
    made: list[Any] = []
    for a_t, b_t in reversed(steps) if reverse else steps:
        made.append(b_t + a_t * made[-1] if made else b_t)
    return torch.stack(made[::-1] if reverse else made, dim)


# -- decompositions ----------------------------------------------------------------------------


def _svd(torch: Any, x: Any) -> Any:
    """The factors below one another, of the signs that NumPy gives the singular vectors."""
    u, s, vt = torch.linalg.svd(x, full_matrices=False)
    ours = torch.from_numpy(np.linalg.svd(x.detach().numpy(), full_matrices=False)[0])
    signs = torch.where((u.detach() * ours).sum(-2, keepdim=True) < 0, -1, 1)
    return torch.cat([u * signs, s[..., None, :], vt.transpose(-1, -2) * signs], -2)


# -- layers and losses -------------------------------------------------------------------------


def _functional(name: str, **fixed: Any) -> Twin:
    return lambda torch, *xs, **params: getattr(torch.nn.functional, name)(*xs, **params, **fixed)


def _along_one(name: str) -> Twin:
    def along(torch: Any, x: Any, axis: Shape) -> Any:
        return getattr(torch, name)(x, axis[0] if axis else 0)

    return along


def _adding(name: str) -> Twin:
    return lambda torch, *xs, **factors: getattr(torch, name)(*xs, **factors)


def _embedding(torch: Any, weight: Any, index: Any, padding: int | None) -> Any:
    at = torch.from_numpy(np.array(index[0]))
    return torch.nn.functional.embedding(at, weight, padding)


def _layer_norm(torch: Any, x: Any, axis: Shape, eps: float) -> Any:
    return torch.nn.functional.layer_norm(x, [x.shape[i] for i in axis], eps=eps)


def _huber(torch: Any, d: Any, delta: float, slope: float) -> Any:
    losses = torch.nn.functional.huber_loss(d, torch.zeros_like(d), reduction="none", delta=delta)
    return losses * (slope / delta)


def _nll_loss(torch: Any, x: Any, index: Any, weight: Any, kept: Any) -> Any:
    weight, kept = (torch.from_numpy(np.array(a)) for a in (weight, kept))
    return torch.where(kept, _read(torch, x, index) * -weight.to(x.dtype), 0)


TWINS: dict[str, Twin] = {
    # element types and elements
    "to_copy": lambda torch, x, dtype, origin: x.to(getattr(torch, dtype.name)),
    "round": lambda torch, x, decimals: torch.round(x, decimals=decimals),
    "floor_divide": lambda torch, a, b: torch.div(a, b, rounding_mode="floor"),
    "trunc_divide": lambda torch, a, b: torch.div(a, b, rounding_mode="trunc"),
    "clamp_min": lambda torch, x, low: torch.clamp(x, min=low),
    "clamp_max": lambda torch, x, high: torch.clamp(x, max=high),
    "logit": lambda torch, x, eps: torch.logit(x, eps),
    "nan_to_num": lambda torch, x, **numbers: torch.nan_to_num(x, **numbers),
    "addcmul": lambda torch, x, a, b, value: torch.addcmul(x, a, b, value=value),
    "addcdiv": lambda torch, x, a, b, value: torch.addcdiv(x, a, b, value=value),
    # nonlinearities
    # PyTorch's own has no second derivative
    "hardsigmoid": lambda torch, x: torch.nn.functional.relu6(x + 3) / 6,
    "hardswish": _functional("hardswish"),
    "celu": _functional("celu"),
    "hardtanh": lambda torch, x, low, high: torch.nn.functional.hardtanh(x, low, high),
    "leaky_relu": lambda torch, x, slope: torch.nn.functional.leaky_relu(x, slope),
    "prelu": lambda torch, x, weight: torch.where(x > 0, x, x * weight),
    "elu": lambda torch, x, alpha, scale: torch.nn.functional.elu(x, alpha) * scale,
    "softplus": _functional("softplus"),
    "logsigmoid": _functional("logsigmoid"),
    "softsign": _functional("softsign"),
    "silu": _functional("silu"),
    "mish": _functional("mish"),
    "gelu": _functional("gelu"),
    "gelu_tanh": _functional("gelu", approximate="tanh"),
    "softmax": _along_one("softmax"),
    "log_softmax": _along_one("log_softmax"),
    # shapes
    "reshape": lambda torch, x, shape: x.reshape(shape),
    "clone": lambda torch, x, order="K": x.contiguous() if order == "C" else x.clone(),
    "permute": lambda torch, x, dims: x.permute(dims),
    "expand": lambda torch, x, shape: torch.broadcast_to(x, shape),
    "diagonal": lambda torch, x, **params: torch.diagonal(x, **params),
    "diag_embed": _diag_embed,
    "tril": lambda torch, x, diagonal: torch.tril(x, diagonal),
    "triu": lambda torch, x, diagonal: torch.triu(x, diagonal),
    "flip": lambda torch, x, dims: torch.flip(x, dims),
    "roll": lambda torch, x, shifts, dims: torch.roll(x, shifts, dims),
    "repeat": lambda torch, x, repeats: x.repeat(repeats),
    "repeat_interleave": lambda torch, x, repeats, dim: x.repeat_interleave(repeats, dim),
    "cat": lambda torch, *xs, dim: torch.cat(xs, dim),
    "stack": lambda torch, *xs, dim: torch.stack(xs, dim),
    # parts
    "getitem": lambda torch, x, index: _read(torch, x, index),
    "index": lambda torch, x, index: _read(torch, x, index),
    "slice": lambda torch, x, index, span: _read(torch, x, index),
    "as_strided": lambda torch, x, index: _read(torch, x, index),
    "add_slices": _add_parts,
    "add_at": _add_parts,
    "add_spans": _add_spans,
    "index_put": _put,
    "pick": _pick,
    "put_back": _put_back,
    "pad": _pad,
    # reductions and running results
    **{name: _over(name) for name in ("sum", "mean", "amax", "amin", "logsumexp", "var", "std")},
    **{name: _whole(name) for name in ("prod", "max", "min", "median")},
    "vector_norm": _vector_norm,
    "cumsum": _running("cumsum"),
    "cumprod": _running("cumprod"),
    "linear_scan": _linear_scan,
    # products of matrices
    "linear": _functional("linear"),
    **{name: _adding(name) for name in ("addmm", "addmv", "baddbmm")},
    "einsum": lambda torch, a, b, equation: torch.einsum(equation, a, b),
    "svd": _svd,
    # layers and losses
    "dropout": lambda torch, x, mask: x * mask,
    "embedding": _embedding,
    "layer_norm": _layer_norm,
    "huber": _huber,
    "nll_loss": _nll_loss,
    **{
        name: _functional(name, reduction="none")
        for name in ("binary_cross_entropy", "binary_cross_entropy_with_logits")
    },
}
"""Primitives whose name or parameters are others in PyTorch."""
