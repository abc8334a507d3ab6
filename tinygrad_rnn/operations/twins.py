"""How PyTorch computes what it knows under another name, or with other parameters.

A twin is a trait of its operation (see `traits`); short ones stand there. Whatever reads or writes
parts is told, by NumPy's own indexing, the place of each element in the flattened tensor.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Twin = Callable[..., Any]
Shape = tuple[int, ...]

# -- parts -------------------------------------------------------------------------------------


def _places(index: Any, shape: Shape) -> Any:
    """Where in the flattened array stands what ``index`` picks."""
    return np.arange(math.prod(shape)).reshape(shape)[index]


def read(torch: Any, x: Any, index: Any) -> Any:
    """The part at an index for NumPy."""
    return x.reshape(-1)[torch.from_numpy(np.array(_places(index, x.shape)))]


def _added(torch: Any, gs: Any, places: list[Any], shape: Shape) -> Any:
    """Zeros of ``shape`` with each tensor added at its places."""
    total = torch.zeros(math.prod(shape), dtype=gs[0].dtype)
    for g, at in zip(gs, places, strict=True):
        at = torch.from_numpy(np.array(at).reshape(-1))
        total = total.index_put((at,), g.reshape(-1), accumulate=True)
    return total.reshape(shape)


def add_parts(torch: Any, *gs: Any, index: list[Any], shape: Shape) -> Any:
    """Parts put together."""
    return _added(torch, gs, [_places(i, shape) for i in index], shape)


def put(torch: Any, x: Any, value: Any, index: Any) -> Any:
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


def diag_embed(torch: Any, x: Any, shape: Shape, offset: int, dim1: int, dim2: int) -> Any:
    """Zeros of ``shape`` with a diagonal."""
    places = _places((...,), shape).diagonal(offset, dim1, dim2)
    return _added(torch, [x], [places], shape)


def pick(torch: Any, x: Any, index: Any, dim: int, keepdims: bool) -> Any:
    """Elements chosen along an axis."""
    y = torch.gather(x, dim, torch.from_numpy(index))
    return y if keepdims else y.squeeze(dim)


def put_back(torch: Any, g: Any, index: Any, dim: int, keepdims: bool, shape: Shape) -> Any:
    """Zeros of ``shape`` with elements at places along an axis."""
    g = g if keepdims else g.unsqueeze(dim)
    return torch.zeros(shape, dtype=g.dtype).scatter(dim, torch.from_numpy(index), g)


def pad(torch: Any, x: Any, index: Any, shape: Shape, value: Any) -> Any:
    """A tensor in a larger one."""
    y = torch.full(shape, value, dtype=x.dtype)
    y[index] = x
    return y


# -- reductions --------------------------------------------------------------------------------


def over(name: str) -> Twin:
    """A reduction that in PyTorch, too, takes several axes."""

    def reduced(torch: Any, x: Any, axis: Shape, keepdims: bool, **options: Any) -> Any:
        return getattr(torch, name)(x, dim=axis, keepdim=keepdims, **options)

    return reduced


def whole(name: str) -> Twin:
    """A reduction that in PyTorch takes one axis, or all of them."""

    def reduced(torch: Any, x: Any, axis: Shape, keepdims: bool) -> Any:
        if len(axis) == 1 and name == "prod":
            return torch.prod(x, axis[0], keepdims)
        y = getattr(torch, name)(x)
        return y.reshape([1] * x.ndim) if keepdims else y

    return reduced


def vector_norm(torch: Any, x: Any, ord: float, axis: Shape, keepdims: bool) -> Any:
    """The norm over some axes."""
    return torch.linalg.vector_norm(x, ord, dim=axis, keepdim=keepdims)


def running(name: str) -> Twin:
    """All partial results along an axis, from either end."""

    def scanned(torch: Any, x: Any, dim: int, reverse: bool) -> Any:
        run = getattr(torch, name)
        return run(x.flip(dim), dim).flip(dim) if reverse else run(x, dim)

    return scanned


def linear_scan(torch: Any, a: Any, b: Any, dim: int, reverse: bool) -> Any:
    """sₜ = bₜ + aₜ sₜ₋₁, step by step."""
    steps = list(zip(a.unbind(dim), b.unbind(dim), strict=True))
    made: list[Any] = []
    for a_t, b_t in reversed(steps) if reverse else steps:
        made.append(b_t + a_t * made[-1] if made else b_t)
    return torch.stack(made[::-1] if reverse else made, dim)


# -- decompositions, layers and losses ---------------------------------------------------------


def svd(torch: Any, x: Any) -> Any:
    """The factors below one another, of the signs that NumPy gives the singular vectors."""
    u, s, vt = torch.linalg.svd(x, full_matrices=False)
    ours = torch.from_numpy(np.linalg.svd(x.detach().numpy(), full_matrices=False)[0])
    signs = torch.where((u.detach() * ours).sum(-2, keepdim=True) < 0, -1, 1)
    return torch.cat([u * signs, s[..., None, :], vt.transpose(-1, -2) * signs], -2)


def eigh(torch: Any, x: Any) -> Any:
    """Eigenvalues above eigenvectors, of the signs that NumPy gives these."""
    w, v = torch.linalg.eigh(x)
    ours = torch.from_numpy(np.linalg.eigh(x.detach().numpy())[1])
    signs = torch.where((v.detach() * ours).sum(-2, keepdim=True) < 0, -1, 1)
    return torch.cat([w[..., None, :], v * signs], -2)


def along_one(name: str) -> Twin:
    """A function along one axis, or of a single number."""

    def along(torch: Any, x: Any, axis: Shape) -> Any:
        return getattr(torch, name)(x, axis[0] if axis else 0)

    return along


def embedding(torch: Any, weight: Any, index: Any, padding: int | None) -> Any:
    """Rows looked up."""
    at = torch.from_numpy(np.array(index[0]))
    return torch.nn.functional.embedding(at, weight, padding)


def layer_norm(torch: Any, x: Any, axis: Shape, eps: float) -> Any:
    """Normalization over the last axes."""
    return torch.nn.functional.layer_norm(x, [x.shape[i] for i in axis], eps=eps)


def huber(torch: Any, d: Any, delta: float, slope: float) -> Any:
    """PyTorch's has the slope ``delta``."""
    losses = torch.nn.functional.huber_loss(d, torch.zeros_like(d), reduction="none", delta=delta)
    return losses * (slope / delta)


def nll_loss(torch: Any, x: Any, index: Any, weight: Any, kept: Any) -> Any:
    """What stands at the targets, negative and weighted."""
    weight, kept = (torch.from_numpy(np.array(a)) for a in (weight, kept))
    return torch.where(kept, read(torch, x, index) * -weight.to(x.dtype), 0)


def each(name: str) -> Twin:
    """A loss of each element."""
    return lambda torch, *xs: getattr(torch.nn.functional, name)(*xs, reduction="none")


# -- windows -----------------------------------------------------------------------------------


def _ends(geometry: Any) -> list[int]:
    """Zeros around the last axes, as PyTorch's ``pad`` takes them."""
    return [width for widths in reversed(geometry.padding) for width in widths]


def _inside(x: Any, geometry: Any) -> Any:
    """What is left of a padded tensor."""
    inner = [slice(p[0], n - p[1]) for n, p in zip(x.shape[2:], geometry.padding)]
    return x[(..., *inner)]


def _padded(shape: Shape, geometry: Any) -> list[int]:
    return [*shape[:2], *(n + sum(p) for n, p in zip(shape[2:], geometry.padding))]


def convolution(torch: Any, x: Any, weight: Any, geometry: Any) -> Any:
    """A convolution over all axes but the first two."""
    convolve = getattr(torch.nn.functional, f"conv{x.ndim - 2}d")
    x = torch.nn.functional.pad(x, _ends(geometry))
    return convolve(x, weight, None, geometry.stride, 0, geometry.dilation, geometry.groups)


def convolution_input(torch: Any, sent: Any, weight: Any, geometry: Any, shape: Shape) -> Any:
    """What its input receives."""
    back = getattr(torch.nn.grad, f"conv{sent.ndim - 2}d_input")
    options = geometry.stride, 0, geometry.dilation, geometry.groups
    return _inside(back(_padded(shape, geometry), weight, sent, *options), geometry)


def convolution_weight(torch: Any, sent: Any, x: Any, geometry: Any, shape: Shape) -> Any:
    """What its weight receives."""
    back = getattr(torch.nn.grad, f"conv{sent.ndim - 2}d_weight")
    x = torch.nn.functional.pad(x, _ends(geometry))
    return back(x, shape, sent, geometry.stride, 0, geometry.dilation, geometry.groups)


def max_pool(torch: Any, x: Any, index: Any, axes: int) -> Any:
    """Elements chosen from the last axes."""
    at = torch.from_numpy(index).flatten(-axes)
    return x.flatten(-axes).gather(-1, at).reshape(index.shape)


def max_unpool(torch: Any, sent: Any, index: Any, axes: int, shape: Shape) -> Any:
    """Zeros of ``shape`` with elements added at places of the last axes."""
    at = torch.from_numpy(index).flatten(-axes)
    whole = torch.zeros(shape, dtype=sent.dtype).flatten(-axes)
    return whole.scatter_add(-1, at, sent.flatten(-axes)).reshape(shape)


def _weights(torch: Any, spans: Any, size: int, dtype: Any) -> Any:
    """How much each element counts in each window along an axis."""
    weights = torch.zeros(len(spans.starts), size, dtype=dtype)
    for row, start, stop, divisor in zip(weights, *spans, strict=True):
        row[start:stop] = 1 / divisor
    return weights


def avg_pool(torch: Any, x: Any, spans: Any) -> Any:
    """Means of windows of the last axes."""
    for axis, along in zip(range(-len(spans), 0), spans, strict=True):
        weights = _weights(torch, along, x.shape[axis], x.dtype)
        x = (x.movedim(axis, -1) @ weights.T).movedim(-1, axis)
    return x


def avg_unpool(torch: Any, sent: Any, spans: Any, sizes: Shape) -> Any:
    """What such windows receive, given back to their elements."""
    for axis, along, size in zip(range(-len(spans), 0), spans, sizes, strict=True):
        weights = _weights(torch, along, size, sent.dtype)
        sent = (sent.movedim(axis, -1) @ weights).movedim(-1, axis)
    return sent
