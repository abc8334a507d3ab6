"""The same elements in another shape or order.

Shape, axes and the like are given one by one, as one tuple or list, or by PyTorch's keyword.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.operations import node_names, twins
from tinygrad_rnn.operations.arguments import (
    Dims,
    Shape,
    common_shape,
    dim_of,
    dims_of,
    integer_of,
    integers_of,
    one_or_more,
    tensor_of,
)
from tinygrad_rnn.operations.kinds import dtype
from tinygrad_rnn.operations.memory import in_c_order, owned
from tinygrad_rnn.operations.operation import Operation, in_rules, operation
from tinygrad_rnn.operations.traits import primitive

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

# -- another shape -------------------------------------------------------------------------------


@operation(lambda x, *, shape: x.reshape(shape), view=True, node=node_names.reshaped)
def reshape(input: Any, *sizes: Any, shape: Any = None) -> Tensor:
    """The same elements in another shape; one size may be −1 and is inferred.

    Shares the input's memory where strides can express the new shape, else copies.

    Raises
    ------
    RuntimeError
        If the elements do not fill the shape.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.reshape(tg.tensor([1.0, 2.0, 3.0, 4.0]), (2, -1))
    tensor([[1., 2.],
            [3., 4.]])
    """
    x = tensor_of("reshape", input)
    return _reshaped(x, _inferred("reshape", integers_of("reshape", sizes, shape), x.array.shape))


reshape.vjp("x", lambda g, x_shape: g.reshape(x_shape), formula="g")


def view(input: Any, *sizes: Any, size: Any = None) -> Tensor:
    """`reshape`, but never a copy.

    Raises
    ------
    RuntimeError
        If the new shape needs one: use `reshape`, or `contiguous` first.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.zeros(4)
    >>> y = x.view(2, 2).fill_(3.0)
    >>> x
    tensor([3., 3., 3., 3.])
    """
    x = tensor_of("view", input)
    if len(sizes) == 1 and isinstance(sizes[0], dtype | np.dtype | type):
        raise TypeError(f"view: other element types are not supported; use x.to({sizes[0]})")
    wanted = _inferred("view", integers_of("view", sizes, size), x.array.shape)
    if not _viewable(x.array, wanted):
        raise RuntimeError(
            f"view: shape {x.array.shape} in memory with strides {x.array.strides} cannot be seen "
            f"as {wanted} without a copy: use reshape, or contiguous() first"
        )
    return reshape.apply(x, shape=wanted)


def _inferred(name: str, sizes: Shape, old: Shape) -> Shape:
    """Shape for the elements of the shape ``old``, where −1 stood filled in."""
    count, unknown = math.prod(old), sizes.count(-1)
    known = math.prod(n for n in sizes if n != -1) if unknown else math.prod(sizes)
    if min(sizes, default=0) >= -1:
        if not unknown and known == count:
            return sizes
        if unknown == 1 and known and count % known == 0:
            return tuple(count // known if n == -1 else n for n in sizes)
    raise RuntimeError(f"{name}: the {count} elements of {old} cannot take the shape {sizes}")


def _reshaped(x: Any, sizes: Shape) -> Tensor:
    if not x.array.flags.c_contiguous and not _viewable(x.array, sizes):
        x = clone.apply(x, order="C")
    return reshape.apply(x, shape=sizes)


def _viewable(array: np.ndarray[Any, Any], sizes: Shape) -> bool:
    """Whether strides can express another shape of the same elements.

    They can if the new shape, like the old one, is cut wherever memory has a gap: where as many
    elements follow as follow the gap.
    """
    if array.flags.c_contiguous:
        return True
    axes = [axis for axis in zip(array.shape, array.strides) if axis[0] != 1]
    after = itertools.accumulate([n for n, _ in reversed(axes)], operator.mul)
    pairs = itertools.pairwise(reversed(axes))
    gaps = {
        count for count, ((size, stride), (_, outer)) in zip(after, pairs) if outer != size * stride
    }
    return gaps <= set(itertools.accumulate(reversed(sizes), operator.mul))


def view_as(input: Any, other: Any) -> Tensor:
    """`view` in the shape of another tensor.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.ones(4).view_as(tg.zeros(2, 2)).shape
    torch.Size([2, 2])
    """
    return view(input, tensor_of("view_as", other).array.shape)


def reshape_as(input: Any, other: Any) -> Tensor:
    """`reshape` to the shape of another tensor.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.ones(4).reshape_as(tg.zeros(2, 2)).shape
    torch.Size([2, 2])
    """
    return reshape(input, tensor_of("reshape_as", other).array.shape)


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The axes from ``start_dim`` to ``end_dim``, both included, made one.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.flatten(tg.zeros(2, 3, 4), 1).shape
    torch.Size([2, 12])
    """
    x = tensor_of("flatten", input)
    sizes = x.array.shape or (1,)
    first, last = (dim_of("flatten", d, len(sizes)) for d in (start_dim, end_dim))
    if first > last:
        raise RuntimeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    if first == last and x.array.ndim:
        return x
    return _reshaped(x, (*sizes[:first], math.prod(sizes[first : last + 1]), *sizes[last + 1 :]))


def unflatten(input: Any, dim: int, sizes: Sequence[int]) -> Tensor:
    """The axis ``dim`` taken apart into several, of these sizes; one may be −1.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.unflatten(tg.zeros(2, 12), 1, (3, -1)).shape
    torch.Size([2, 3, 4])
    """
    x = tensor_of("unflatten", input)
    old = x.array.shape
    d = dim_of("unflatten", dim, len(old))
    if not isinstance(sizes, tuple | list):
        raise TypeError(f"unflatten: sizes must be a tuple of integers, got {sizes!r:.60}")
    if not old or not sizes:
        raise RuntimeError(f"unflatten: cannot make sizes {sizes} of an axis of shape {old}")
    new = _inferred("unflatten", integers_of("unflatten", (sizes,)), old[d : d + 1])
    return _reshaped(x, (*old[:d], *new, *old[d + 1 :]))


def ravel(input: Any) -> Tensor:
    """All elements in one axis; a copy unless they lie in memory that way.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.ravel(tg.tensor([[1.0, 2.0], [3.0, 4.0]]).T)
    tensor([1., 3., 2., 4.])
    """
    x = contiguous(input)
    return reshape.apply(x, shape=(x.array.size,))


def squeeze(input: Any, *axes: Any, dim: Dims = None) -> Tensor:
    """The tensor without its axes of size 1 (those named by ``dim``; default: all).

    The axes may be given one by one, too.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.squeeze(tg.zeros(1, 3, 1), 0).shape
    torch.Size([3, 1])
    """
    x = tensor_of("squeeze", input)
    given = one_or_more("squeeze", axes, dim)
    none = isinstance(given, tuple | list) and not given
    dropped = () if none else dims_of("squeeze", given, x.array.ndim)
    left = tuple(n for i, n in enumerate(x.array.shape) if n != 1 or i not in dropped)
    form = 0 if given is None else 2 if isinstance(given, tuple | list) else 1
    return node_names.made_by(f"SqueezeBackward{form}", reshape.apply(x, shape=left))


def unsqueeze(input: Any, dim: int) -> Tensor:
    """The tensor with a new axis of size 1 at ``dim``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.unsqueeze(tg.zeros(2, 3), -1).shape
    torch.Size([2, 3, 1])
    """
    x = tensor_of("unsqueeze", input)
    at = dim_of("unsqueeze", dim, x.array.ndim + 1)
    return reshape.apply(x, shape=(*x.array.shape[:at], 1, *x.array.shape[at:]))


# -- another order of axes -----------------------------------------------------------------------


def transpose(input: Any, dim0: int, dim1: int) -> Tensor:
    """The tensor with two axes exchanged.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.transpose(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), 0, 1)
    tensor([[1., 3.],
            [2., 4.]])
    """
    x = tensor_of("transpose", input)
    dims = list(range(x.array.ndim))
    a, b = (dim_of("transpose", d, x.array.ndim) for d in (dim0, dim1))
    if dims:
        dims[a], dims[b] = dims[b], dims[a]
    return permute.apply(x, dims=tuple(dims))


def swapaxes(input: Any, axis0: int, axis1: int) -> Tensor:
    """`transpose` by NumPy's name.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.swapaxes(tg.zeros(2, 3), 0, 1).shape
    torch.Size([3, 2])
    """
    return transpose(input, axis0, axis1)


def t(input: Any) -> Tensor:
    """The transpose of a matrix; a vector or number as it is.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.t(tg.zeros(2, 3)).shape
    torch.Size([3, 2])
    """
    x = tensor_of("t", input)
    if x.array.ndim > 2:
        raise RuntimeError(
            f"t: expected at most 2 axes, got shape {x.array.shape}: use transpose, mT or permute"
        )
    turned = permute.apply(x, dims=(1, 0)[2 - x.array.ndim :] if x.array.ndim else ())
    return node_names.made_by("TBackward0", turned)


@operation(
    lambda x, *, dims: x.transpose(dims), symbol="transpose", view=True, node=node_names.permuted
)
def permute(input: Any, *order: Any, dims: Any = None) -> Tensor:
    """The tensor with its axes in the order ``dims``.

    Raises
    ------
    RuntimeError
        If ``dims`` does not name each axis once.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.permute(tg.zeros(2, 3, 5), (2, 0, 1)).shape
    torch.Size([5, 2, 3])
    """
    x = tensor_of("permute", input)
    n, given = x.array.ndim, integers_of("permute", order, dims)
    axes = tuple(dim_of("permute", d, n) for d in given) if len(given) == n else ()
    if len(given) != n or len(set(axes)) < n:
        raise RuntimeError(f"permute: {given} is no order of the axes of shape {x.array.shape}")
    return permute.apply(x, dims=axes)


permute.vjp("x", lambda g, dims: g.transpose(_inverse(dims)), formula="gᵀ")


def _inverse(dims: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(dims)), key=dims.__getitem__))


def movedim(input: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """The tensor with the axes ``source`` at the places ``destination``, the others in order.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.movedim(tg.zeros(2, 3, 5), 0, -1).shape
    torch.Size([3, 5, 2])
    >>> tg.movedim(tg.zeros(2, 3, 5), (0, 1), (1, 2)).shape
    torch.Size([5, 2, 3])
    """
    x = tensor_of("movedim", input)
    pairs = [integers_of("movedim", (dims,)) for dims in (source, destination)]
    n = x.array.ndim
    here, there = ([dim_of("movedim", d, n) for d in dims] for dims in pairs)
    if len(here) != len(there) or len(set(here)) + len(set(there)) < 2 * len(here):
        raise RuntimeError(
            f"movedim: {source} and {destination} must be as many axes, none of them twice"
        )
    order = [i for i in range(n) if i not in here]
    for at, axis in sorted(zip(there, here)):
        order.insert(at, axis)
    return permute.apply(x, dims=tuple(order[:n]))


moveaxis = movedim


# -- repeated without a copy ---------------------------------------------------------------------


@operation(
    lambda x, *, shape: np.broadcast_to(x, shape),
    view=True,
    twin=lambda torch, x, shape: torch.broadcast_to(x, shape),
)
def expand(input: Any, *sizes: Any, size: Any = None) -> Tensor:
    """The tensor repeated along axes of size 1, and along new leading ones; −1 keeps a size.

    No element is copied: the result's memory is the input's.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.expand(tg.tensor([[1.0], [2.0]]), 2, 3)
    tensor([[1., 1., 1.],
            [2., 2., 2.]])
    """
    x = tensor_of("expand", input)
    wanted = integers_of("expand", sizes, size)
    lead = len(wanted) - x.array.ndim
    full = tuple(x.array.shape[i - lead] if n == -1 and i >= lead else n
                 for i, n in enumerate(wanted))  # fmt: skip
    return expand.apply(x, shape=full)


expand.vjp("x", lambda g: g, formula="Σ g")  # the engine sums over what was broadcast


broadcast_to = expand


def expand_as(input: Any, other: Any) -> Tensor:
    """`expand` to the shape of another tensor.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.ones(3).expand_as(tg.zeros(2, 3)).shape
    torch.Size([2, 3])
    """
    return expand(input, tensor_of("expand_as", other).array.shape)


def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """The tensors, each expanded to the shape in which they meet.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> a, b = tg.broadcast_tensors(tg.zeros(3), tg.zeros(2, 1))
    >>> a.shape, b.shape
    (torch.Size([2, 3]), torch.Size([2, 3]))
    """
    xs = [tensor_of("broadcast_tensors", x) for x in tensors]
    sizes = common_shape("broadcast_tensors", *[x.array.shape for x in xs])
    return tuple(x if x.array.shape == sizes else expand(x, sizes) for x in xs)


# -- copies --------------------------------------------------------------------------------------


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """The coordinates of a grid: each vector repeated along the axes of all the others.

    Parameters
    ----------
    *tensors : Tensor
        Vectors (or numbers) of one type, one by one or as a sequence.
    indexing : "ij" or "xy", optional
        "ij" (default): the first vector runs along the first axis; "xy": along the second.

    Returns
    -------
    tuple of Tensor
        As many as vectors, views of them.

    Raises
    ------
    RuntimeError
        If there are none, one has more than one axis, or the types differ.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.meshgrid(tg.tensor([1, 2]), tg.tensor([3, 4, 5]), indexing="ij")[1]
    tensor([[3, 4, 5],
            [3, 4, 5]])
    """
    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], tuple | list) else tensors
    xs = [tensor_of("meshgrid", x) for x in given]
    if not xs:
        raise RuntimeError("meshgrid: expected at least one tensor")
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(f"meshgrid: indexing must be 'ij' or 'xy', not {indexing!r:.60}")
    if len({x.array.dtype for x in xs}) > 1:
        found = ", ".join(str(x.array.dtype) for x in xs)
        raise RuntimeError(f"meshgrid: expected tensors of one type, got {found}")
    if any(x.array.ndim > 1 for x in xs):
        found = ", ".join(str(x.array.shape) for x in xs)
        raise RuntimeError(f"meshgrid: expected vectors, got shapes {found}")
    swapped = indexing == "xy" and len(xs) > 1
    axes = [1, 0, *range(2, len(xs))] if swapped else list(range(len(xs)))
    sizes = [0] * len(xs)
    for x, axis in zip(xs, axes):
        sizes[axis] = x.array.size
    lines = [
        reshape(x, [-1 if i == axis else 1 for i in range(len(xs))]) for x, axis in zip(xs, axes)
    ]
    return tuple(expand(line, sizes) for line in lines)


# ``order``: "K" keeps the order in memory, "C" makes it that of the indices


@operation(
    lambda x, *, order="K": x.copy(order),
    twin=lambda torch, x, order="K": x.contiguous() if order == "C" else x.clone(),
    moves=True,
)
def clone(input: Any) -> Tensor:
    """A copy, connected to the input in the graph.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([1.0, 2.0])
    >>> y = tg.clone(x).fill_(0.0)
    >>> x
    tensor([1., 2.])
    """
    return clone.apply(tensor_of("clone", input))


clone.vjp("x", lambda g: g, formula="g")


def contiguous(input: Any) -> Tensor:
    """The tensor itself if its elements lie in memory in the order of their indices, else a clone.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.zeros(2, 3).T.contiguous().is_contiguous()
    True
    """
    x = tensor_of("contiguous", input)
    return x if x.array.flags.c_contiguous else clone.apply(x, order="C")


@operation(lambda x, *, dims: np.flip(x, dims).copy("K"))
def flip(input: Any, *axes: Any, dims: Any = None) -> Tensor:
    """The elements in reverse order along the axes ``dims``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.flip(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), (0,))
    tensor([[3., 4.],
            [1., 2.]])
    """
    x = tensor_of("flip", input)
    given = integers_of("flip", axes, dims)
    return flip.apply(x, dims=dims_of("flip", given, x.array.ndim) if given else ())


flip.vjp("x", lambda g, dims: np.flip(g, dims), formula="g, flipped back")


@operation(owned(in_c_order(lambda x, *, shifts, dims: np.roll(x, shifts, dims))))
def roll(
    input: Any, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None
) -> Tensor:
    """The elements moved along the axes ``dims``; what leaves at one end comes in at the other.

    Without ``dims`` the tensor is rolled as if flattened.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.roll(tg.tensor([1.0, 2.0, 3.0]), 1)
    tensor([3., 1., 2.])
    """
    x = tensor_of("roll", input)
    steps = integers_of("roll", (shifts,))
    axes = () if dims is None else integers_of("roll", (dims,))
    if not steps or len(steps) != (len(axes) or 1):
        raise RuntimeError(f"roll: {shifts} and {dims} must be as many shifts as axes")
    if axes and not x.array.ndim:
        raise IndexError(f"roll: a 0-d tensor has no axis {dims}")
    at = tuple(dim_of("roll", d, x.array.ndim) for d in axes) or None
    return roll.apply(x, shifts=steps, dims=at)


roll.vjp(
    "x",
    lambda g, shifts, dims: np.roll(g, tuple(-s for s in shifts), dims),
    formula="g, rolled back",
)


@operation(
    owned(lambda x, *, repeats: np.tile(x, repeats)),
    twin=lambda torch, x, repeats: x.repeat(repeats),
)
def repeat(input: Any, *counts: Any, repeats: Any = None) -> Tensor:
    """Copies of the whole tensor, so many along each axis; more counts than axes add leading ones.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.tensor([1.0, 2.0]).repeat(2, 2)
    tensor([[1., 2., 1., 2.],
            [1., 2., 1., 2.]])
    """
    return _repeated("repeat", input, integers_of("repeat", counts, repeats))


repeat.vjp("x", lambda g, x_shape, repeats: _folded(g, x_shape, repeats), formula="Σ g")


def _folded(g: Any, shape: Shape, repeats: Shape) -> Any:
    """The sum of the copies that ``repeats`` made of a tensor of ``shape``."""
    full = (1,) * (len(repeats) - len(shape)) + shape
    apart = g.reshape(tuple(n for pair in zip(repeats, full) for n in pair))
    return apart.sum(axis=tuple(range(0, apart.ndim, 2))).reshape(shape)


def tile(input: Any, *counts: Any, dims: Any = None) -> Tensor:
    """`repeat`, where fewer counts than axes are for the last axes.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.tile(tg.tensor([[1.0], [2.0]]), (3,))
    tensor([[1., 1., 1.],
            [2., 2., 2.]])
    """
    x, counts = tensor_of("tile", input), integers_of("tile", counts, dims)
    return _repeated("tile", x, (1,) * (x.array.ndim - len(counts)) + counts)


def _repeated(name: str, input: Any, counts: Shape) -> Tensor:
    x = tensor_of(name, input)
    if len(counts) < x.array.ndim or min(counts, default=0) < 0:
        raise RuntimeError(
            f"{name}: expected counts ≥ 0, at least one per axis of shape {x.array.shape}, "
            f"got {counts}"
        )
    return repeat.apply(x, repeats=counts)


# -- diagonals -----------------------------------------------------------------------------------


@operation(in_c_order(lambda x, *, diagonal: np.tril(x, diagonal)))
def tril(input: Any, diagonal: int = 0) -> Tensor:
    """The lower triangle of a matrix or of each of a batch; elements above ``diagonal`` are 0.

    Parameters
    ----------
    input : Tensor of shape (..., n, m)
    diagonal : int
        0 is the main diagonal; positive ones lie above it.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.tril(tg.ones(2, 3))
    tensor([[1., 0., 0.],
            [1., 1., 0.]])
    """
    return _triangle(tril, input, diagonal)


tril.vjp("x", lambda g, diagonal: np.tril(g, diagonal), formula="tril(g)")


@operation(in_c_order(lambda x, *, diagonal: np.triu(x, diagonal)))
def triu(input: Any, diagonal: int = 0) -> Tensor:
    """The upper triangle of a matrix or of each of a batch; elements below ``diagonal`` are 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.triu(tg.ones(2, 3), 1)
    tensor([[0., 1., 1.],
            [0., 0., 1.]])
    """
    return _triangle(triu, input, diagonal)


triu.vjp("x", lambda g, diagonal: np.triu(g, diagonal), formula="triu(g)")


def _triangle(made: Operation[..., Tensor], input: Any, diagonal: Any) -> Tensor:
    name = made.primitive.name
    x, k = tensor_of(name, input), integer_of(name, "diagonal", diagonal)
    if x.array.ndim < 2:
        raise RuntimeError(f"{name}: expected at least 2 axes, got shape {x.array.shape}")
    return made.apply(x, diagonal=k)


def _diagonal(x: Any, *, offset: int, dim1: int, dim2: int) -> Any:
    y = x.diagonal(offset, dim1, dim2)
    if x.flags.writeable:
        y.flags.writeable = True  # NumPy makes it read-only
    return y


def _on_diagonal(x: Any, *, shape: Shape, offset: int, dim1: int, dim2: int) -> Any:
    y = np.zeros(shape, x.dtype)
    _diagonal(y, offset=offset, dim1=dim1, dim2=dim2)[...] = x
    return y


_diag_embed = primitive("diag_embed", _on_diagonal, "x", twin=twins.diag_embed)
"""Zeros of ``shape``, and the input on a diagonal of them."""

_diag_embed.vjp(
    "x",
    lambda g, offset, dim1, dim2: np.diagonal(g, offset, dim1, dim2),
    formula="the diagonal of g",
)
_embedded = in_rules(_diag_embed)


def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Zeros with the last axis of the input on a diagonal of the plane of two new axes.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.diag_embed(tg.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    x, k = tensor_of("diag_embed", input), integer_of("diag_embed", "offset", offset)
    a, b = (dim_of("diag_embed", d, x.array.ndim + 1) for d in (dim1, dim2))
    if a == b:
        raise RuntimeError(f"diag_embed: dim1 and dim2 are the same axis: {dim1}, {dim2}")
    if not x.array.ndim:
        raise IndexError("diag_embed: a 0-d tensor has no axis to lie on a diagonal")
    others, n = list(x.array.shape[:-1]), x.array.shape[-1] + abs(k)
    for axis in sorted((a, b)):
        others.insert(axis, n)
    return _diag_embed.apply(x, shape=tuple(others), offset=k, dim1=a, dim2=b)


@operation(_diagonal, view=True)
def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal of the planes of two axes, as a new last axis; shares the input's memory.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.diagonal(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1., 4.])
    """
    x, k = tensor_of("diagonal", input), integer_of("diagonal", "offset", offset)
    a, b = (dim_of("diagonal", d, x.array.ndim) for d in (dim1, dim2))
    if a == b:
        raise RuntimeError(f"diagonal: dim1 and dim2 are the same axis: {dim1}, {dim2}")
    return diagonal.apply(x, offset=k, dim1=a, dim2=b)


_on_its_diagonal = diagonal.apply
diagonal.vjp(
    "x",
    lambda g, x_shape, offset, dim1, dim2: _embedded(
        g, shape=x_shape, offset=offset, dim1=dim1, dim2=dim2
    ),
    formula="g on the diagonal, else 0",
)


def diag(input: Any, diagonal: int = 0) -> Tensor:
    """A matrix with this vector on a diagonal, or the diagonal of this matrix (a copy).

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.diag(tg.tensor([1.0, 2.0]))
    tensor([[1., 0.],
            [0., 2.]])
    >>> tg.diag(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), 1)
    tensor([2.])
    """
    x, k = tensor_of("diag", input), integer_of("diag", "diagonal", diagonal)
    if x.array.ndim not in (1, 2):
        raise RuntimeError(f"diag: expected a vector or a matrix, got shape {x.array.shape}")
    if x.array.ndim == 1:
        n = x.array.size + abs(k)
        return _diag_embed.apply(x, shape=(n, n), offset=k, dim1=0, dim2=1)
    copied = clone(_on_its_diagonal(x, offset=k, dim1=0, dim2=1))
    return node_names.made_by("DiagonalBackward0_copy", copied)
