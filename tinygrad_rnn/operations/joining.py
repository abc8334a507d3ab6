"""Putting tensors together and taking them apart.

The parts of a tensor are views of it, each an operation of its own.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.engine.lanes import each
from tinygrad_rnn.engine.sums import Part
from tinygrad_rnn.operations import indexing
from tinygrad_rnn.operations.arguments import (
    dim_of,
    indices_of,
    integer_of,
    integers_of,
    raw,
    tensor_of,
)
from tinygrad_rnn.operations.dtypes import get_default_dtype
from tinygrad_rnn.operations.indexing import add_slices, add_spans
from tinygrad_rnn.operations.memory import in_c_order
from tinygrad_rnn.operations.node_names import made_by
from tinygrad_rnn.operations.operation import operation
from tinygrad_rnn.operations.padding import pad
from tinygrad_rnn.operations.promotion import promoted
from tinygrad_rnn.operations.shape import reshape

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


# -- together ------------------------------------------------------------------------------------


@operation(
    in_c_order(lambda *xs, dim: np.concatenate(xs, dim)),
    "*xs",
    twin=lambda torch, *xs, dim: torch.cat(xs, dim),
    joins="along",
)
def cat(tensors: Sequence[Any], dim: int = 0) -> Tensor:
    """Tensors put together along an existing axis, in their common type.

    Empty vectors, of shape (0,), go with tensors of any shape, as in PyTorch.

    Raises
    ------
    ValueError
        If there are none.
    RuntimeError
        If their other sizes differ.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.cat([tg.tensor([1.0, 2.0]), tg.tensor([3.0])])
    tensor([1., 2., 3.])
    """
    xs = _tensors("cat", tensors)
    for i, x in enumerate(xs):
        if not x.array.ndim:
            raise RuntimeError(
                f"cat: a zero-dimensional tensor (at position {i}) cannot be concatenated; stack "
                "makes a vector of them"
            )
    sizes = next((x.array.shape for x in xs if x.array.shape != (0,)), (0,))
    d = dim_of("cat", dim, len(sizes))
    if len(sizes) != 1:
        nothing = (*sizes[:d], 0, *sizes[d + 1 :])
        xs = [x if x.array.shape != (0,) else reshape(x, nothing) for x in xs]
    return cat.apply(*xs, dim=d)


cat.joint_vjp(lambda g, shapes, dim: _split_back(g, shapes, dim), formula="g[part]")


def _split_back(g: Any, shapes: list[tuple[int, ...]], dim: int) -> list[Any]:
    """The slices of ``g`` that belong to the tensors put together."""
    parts, start = [], 0
    before = (slice(None),) * (dim % g.ndim)
    for shape in shapes:
        parts.append(g[(*before, slice(start, start + shape[dim]))])
        start += shape[dim]
    return parts


concat = cat


@operation(
    in_c_order(lambda *xs, dim: np.stack(xs, dim)),
    "*xs",
    twin=lambda torch, *xs, dim: torch.stack(xs, dim),
    joins="anew",
)
def stack(tensors: Sequence[Any], dim: int = 0) -> Tensor:
    """Tensors of one shape put together along a new axis.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.stack([tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0])], dim=1)
    tensor([[1., 3.],
            [2., 4.]])
    """
    xs = _tensors("stack", tensors)
    return stack.apply(*xs, dim=dim_of("stack", dim, xs[0].array.ndim + 1))


stack.joint_vjp(lambda g, dim: list(np.moveaxis(g, dim, 0)), formula="g[part]")


def hstack(tensors: Sequence[Any]) -> Tensor:
    """Tensors side by side: vectors along their axis, others along the second.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.hstack([tg.tensor([1.0, 2.0]), tg.tensor(3.0)])
    tensor([1., 2., 3.])
    """
    xs = _tensors("hstack", tensors, 1)
    return cat(xs, dim=0 if xs[0].array.ndim == 1 else 1)


def vstack(tensors: Sequence[Any]) -> Tensor:
    """Tensors on top of each other: vectors are rows.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.vstack([tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0])])
    tensor([[1., 2.],
            [3., 4.]])
    """
    return cat(_tensors("vstack", tensors, 2))


def dstack(tensors: Sequence[Any]) -> Tensor:
    """Tensors one behind the other, along the third axis.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.dstack([tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0])])
    tensor([[[1., 3.],
             [2., 4.]]])
    """
    return cat([atleast_3d(x) for x in _tensors("dstack", tensors)], dim=2)


def atleast_3d(input: Any) -> Tensor:
    """The tensor with three axes at least: a vector lies along the second, a matrix along two."""
    x = tensor_of("atleast_3d", input)
    before = {0: (1, 1, 1), 1: (1, *x.array.shape, 1), 2: (*x.array.shape, 1)}
    return reshape(x, before[x.array.ndim]) if x.array.ndim < 3 else x


def column_stack(tensors: Sequence[Any]) -> Tensor:
    """Tensors side by side: vectors, and numbers, are columns.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.column_stack([tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0])])
    tensor([[1., 3.],
            [2., 4.]])
    """
    xs = _tensors("column_stack", tensors)
    return cat([reshape(x, (-1, 1)) if x.array.ndim < 2 else x for x in xs], dim=1)


def block_diag(*tensors: Any) -> Tensor:
    """Matrices along the diagonal of a larger one, zeros elsewhere; vectors are rows.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.block_diag(tg.tensor([[1, 2], [3, 4]]), tg.tensor([5]))
    tensor([[1, 2, 0],
            [3, 4, 0],
            [0, 0, 5]])
    """
    xs = _tensors("block_diag", tensors or (np.zeros((1, 0), get_default_dtype()),), 2)
    if max(x.array.ndim for x in xs) > 2:
        raise RuntimeError("block_diag: expected matrices, vectors or numbers")
    width, before, rows = sum(x.array.shape[1] for x in xs), 0, []
    for x in xs:
        rows.append(pad(x, (before, width - before - x.array.shape[1])))
        before += x.array.shape[1]
    return made_by("BlockDiagBackward0", cat(rows))


def _tensors(name: str, tensors: Any, axes: int = 0) -> Sequence[Any]:
    """The tensors in a list in their common type, with leading axes so that they have ``axes``."""
    if not isinstance(tensors, tuple | list):
        raise TypeError(
            f"{name}: expected a tuple or list of tensors, got {type(tensors).__name__}"
        )
    xs = [tensor_of(name, x) for x in tensors]
    if not xs:
        kind = ValueError if name == "cat" else RuntimeError
        raise kind(f"{name}: expected a non-empty list of tensors")
    more = [axes - x.array.ndim for x in xs]
    xs = [reshape(x, (1,) * n + x.array.shape) if n > 0 else x for x, n in zip(xs, more)]
    return promoted(name)(xs)


# -- apart ---------------------------------------------------------------------------------------


@operation(indexing.read, view=True, **indexing.READS)
def unbind(input: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices of a tensor along ``dim``, without that axis: x₁ … x_T of a sequence.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.unbind(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    (tensor([1., 2.]), tensor([3., 4.]))
    """
    x = tensor_of("unbind", input)
    before = (slice(None),) * dim_of("unbind", dim, x.array.ndim)
    if x.array.ndim == 0:
        raise IndexError("unbind: a 0-d tensor has no axis to take apart")
    n = x.array.shape[len(before)]
    # with the ellipsis NumPy gives a view, not a copy, of the elements of a vector too
    return each(unbind.primitive, x, [{"index": (*before, i, ...)} for i in range(n)])


unbind.vjp("x", lambda g, index: Part(g, index, add_slices), formula="g at [index], else 0")


def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most ``chunks`` equal parts along ``dim``, the last smaller: the gates of a cell.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.chunk(tg.tensor([1.0, 2.0, 3.0, 4.0, 5.0]), 2)
    (tensor([1., 2., 3.]), tensor([4., 5.]))
    """
    n = integer_of("chunk", "chunks", chunks)
    x, dim, size = _long("chunk", input, dim)
    if n < 1:
        raise RuntimeError(f"chunk: expected at least 1 chunk, got {n}")
    if not size:
        return split_with_sizes(x, [0] * n, dim)
    return each(split.primitive, x, _equal_parts(dim, size, -(-size // n)))


@operation(indexing.read, view=True, **indexing.READS)
def split(
    tensor: Any, split_size_or_sections: int | Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Parts of one size along ``dim``, the last smaller, or of the sizes in a list.

    Raises
    ------
    RuntimeError
        If the sizes in the list do not add up to the size of the axis, or one is negative.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.split(tg.tensor([1.0, 2.0, 3.0]), 2)
    (tensor([1., 2.]), tensor([3.]))
    >>> tg.split(tg.tensor([1.0, 2.0, 3.0]), [1, 2])
    (tensor([1.]), tensor([2., 3.]))
    """
    if isinstance(split_size_or_sections, tuple | list):
        return split_with_sizes(tensor, split_size_or_sections, dim)
    n = integer_of("split", "split_size_or_sections", split_size_or_sections)
    x, dim, size = _long("split", tensor, dim)
    if n < 0 or (size and not n):
        raise RuntimeError(f"split: parts of size {n} of an axis of size {size}")
    return each(split.primitive, x, _equal_parts(dim, size, n))


@operation(indexing.read, view=True, **indexing.READS)
def split_with_sizes(input: Any, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of the given sizes along ``dim``: `split` with a list.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.split_with_sizes(tg.tensor([1.0, 2.0, 3.0]), [1, 2])
    (tensor([1.]), tensor([2., 3.]))
    """
    if not isinstance(split_sizes, tuple | list):
        raise TypeError(f"split_with_sizes: expected a list of sizes, got {split_sizes!r:.60}")
    sizes = integers_of("split_with_sizes", (split_sizes,))
    x, dim, size = _long("split_with_sizes", input, dim)
    if min(sizes, default=0) < 0:
        raise RuntimeError(f"split_with_sizes: sizes must not be negative, got {split_sizes}")
    if sum(sizes) != size:
        raise RuntimeError(f"split_with_sizes: {sizes} do not add up to {size}, the axis's size")
    return each(split_with_sizes.primitive, x, _parts_of_sizes(dim, sizes))


for _split in (split, split_with_sizes):
    _split.vjp("x", lambda g, index: Part(g, index, add_spans), formula="g at [index], else 0")


def tensor_split(
    input: Any,
    indices_or_sections: int | Sequence[int] | Any = None,
    dim: int = 0,
    *,
    sections: int | None = None,
    indices: Sequence[int] | None = None,
) -> tuple[Tensor, ...]:
    """So many parts along ``dim``, the first larger by one if need be, or cut at these indices.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.tensor_split(tg.tensor([1.0, 2.0, 3.0]), 2)
    (tensor([1., 2.]), tensor([3.]))
    >>> tg.tensor_split(tg.tensor([1.0, 2.0, 3.0]), (1,))
    (tensor([1.]), tensor([2., 3.]))
    """
    ways = [way for way in (indices_or_sections, sections, indices) if way is not None]
    if len(ways) != 1 or not isinstance(indices, tuple | list | None):
        raise TypeError("tensor_split: expected a number of sections, or a tuple of indices")
    given = _cuts(ways[0] if sections is None else integer_of("tensor_split", "sections", sections))
    cuts = integers_of("tensor_split", (given,))
    x, dim, size = _long("tensor_split", input, dim)
    if not isinstance(given, tuple | list):
        (n,) = cuts
        if n < 1:
            raise RuntimeError(f"tensor_split: expected at least 1 section, got {n}")
        cuts = tuple(i * (size // n) + min(i, size % n) for i in range(1, n))
    ends = [slice(*span).indices(size)[:2] for span in itertools.pairwise((0, *cuts, size))]
    parts = _parts(dim, [(start, max(start, stop)) for start, stop in ends])
    return each(indexing.getitem.primitive, x, parts)


def hsplit(
    input: Any,
    indices_or_sections: int | Sequence[int] | None = None,
    *,
    sections: int | None = None,
    indices: Sequence[int] | None = None,
) -> tuple[Tensor, ...]:
    """Equal parts along the second axis (of a vector: its only one), or cut at these indices.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.hsplit(tg.tensor([1.0, 2.0, 3.0, 4.0]), 2)
    (tensor([1., 2.]), tensor([3., 4.]))
    """
    x = tensor_of("hsplit", input)
    dim = 0 if x.array.ndim == 1 else 1
    return _split_evenly("hsplit", x, indices_or_sections, sections, indices, 1, dim)


def vsplit(
    input: Any,
    indices_or_sections: int | Sequence[int] | None = None,
    *,
    sections: int | None = None,
    indices: Sequence[int] | None = None,
) -> tuple[Tensor, ...]:
    """Equal parts along the first axis of two or more, or cut at these indices: see `hsplit`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.vsplit(tg.tensor([[1.0], [2.0]]), 2)
    (tensor([[1.]]), tensor([[2.]]))
    """
    x = tensor_of("vsplit", input)
    return _split_evenly("vsplit", x, indices_or_sections, sections, indices, 2, 0)


def dsplit(
    input: Any,
    indices_or_sections: int | Sequence[int] | None = None,
    *,
    sections: int | None = None,
    indices: Sequence[int] | None = None,
) -> tuple[Tensor, ...]:
    """Equal parts along the third axis of three or more, or cut at these indices: see `hsplit`."""
    x = tensor_of("dsplit", input)
    return _split_evenly("dsplit", x, indices_or_sections, sections, indices, 3, 2)


def _split_evenly(
    name: str, x: Any, given: Any, sections: Any, indices: Any, axes: int, dim: int
) -> tuple[Tensor, ...]:
    if x.array.ndim < axes:
        raise RuntimeError(f"{name}: expected at least {axes} axes, got shape {x.array.shape}")
    parts = given if sections is None else sections
    if parts is not None and not isinstance(parts, tuple | list):
        n = integer_of(name, "sections", parts)
        if n <= 0 or x.array.shape[dim] % n:
            raise RuntimeError(f"{name}: {n} parts of an axis of size {x.array.shape[dim]}")
    return tensor_split(x, given, dim, sections=sections, indices=indices)


def _cuts(given: Any) -> Any:
    """What tells `tensor_split` where to cut, of a tensor its numbers."""
    if not isinstance(raw(given), np.ndarray):
        return given
    array = indices_of("tensor_split", "indices", given, np.int64)
    if array.ndim > 1:
        raise RuntimeError(f"tensor_split: indices must be a vector, got shape {array.shape}")
    return array.tolist()


def _long(name: str, input: Any, dim: Any) -> tuple[Any, int, int]:
    """A tensor with axes, and the one of them that is taken apart, and its size."""
    x, d = tensor_of(name, input), integer_of(name, "dim", dim)
    if x.array.ndim == 0:
        raise RuntimeError(f"{name}: a 0-d tensor has no axis to take apart")
    d = dim_of(name, d, x.array.ndim)
    return x, d, x.array.shape[d]


def _parts(dim: int, spans: Iterable[tuple[int, int]]) -> list[dict[str, Any]]:
    """What primitives that read a part are told, for parts that begin and end there."""
    return [{"index": indexing.slices(dim, start, stop)} for start, stop in spans]


@functools.lru_cache(maxsize=256)  # a recurrent net takes the same gates apart at every step
def _equal_parts(dim: int, size: int, step: int) -> list[dict[str, Any]]:
    starts = range(0, size, step) if size else [0]
    return _parts(dim, [(start, min(start + step, size)) for start in starts])


@functools.lru_cache(maxsize=256)
def _parts_of_sizes(dim: int, sizes: tuple[int, ...]) -> list[dict[str, Any]]:
    return _parts(dim, itertools.pairwise(itertools.accumulate(sizes, initial=0)))
