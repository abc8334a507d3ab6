"""Putting tensors together and taking them apart.

The parts of a tensor are views of it, each an operation of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.functions.arguments import dim_of, several, tensor_of
from tinygrad_rnn.functions.shape import (
    atleast_1d,
    atleast_2d,
    atleast_3d,
    integers,
    reshape,
)
from tinygrad_rnn.ops import indexing, shape

Parts = tuple[Any, ...]


# -- together ------------------------------------------------------------------------------------


def cat(tensors: Sequence[Any], dim: int = 0) -> Any:
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
    xs = several("cat", _listed("cat", tensors))
    sizes = next((x.array.shape for x in xs if x.array.shape != (0,)), (0,))
    d = dim_of("cat", dim, len(sizes))
    if len(sizes) != 1:
        nothing = (*sizes[:d], 0, *sizes[d + 1 :])
        xs = [x if x.array.shape != (0,) else reshape(x, nothing) for x in xs]
    return shape.cat.general(*xs, dim=d)


def stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Tensors of one shape put together along a new axis.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.stack([tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0])], dim=1)
    tensor([[1., 3.],
            [2., 4.]])
    """
    xs = several("stack", _listed("stack", tensors))
    return shape.stack.general(*xs, dim=dim_of("stack", dim, xs[0].array.ndim + 1))


def hstack(tensors: Sequence[Any]) -> Any:
    """Tensors side by side: vectors along their axis, others along the second.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.hstack([tg.tensor([1.0, 2.0]), tg.tensor(3.0)])
    tensor([1., 2., 3.])
    """
    xs = _filled("hstack", atleast_1d, tensors)
    return cat(xs, dim=0 if xs[0].array.ndim == 1 else 1)


def vstack(tensors: Sequence[Any]) -> Any:
    """Tensors on top of each other: vectors are rows.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.vstack([tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0])])
    tensor([[1., 2.],
            [3., 4.]])
    """
    return cat(_filled("vstack", atleast_2d, tensors))


def dstack(tensors: Sequence[Any]) -> Any:
    """Tensors behind each other, along a third axis.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.dstack([tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0])])
    tensor([[[1., 3.],
             [2., 4.]]])
    """
    return cat(_filled("dstack", atleast_3d, tensors), dim=2)


def _listed(name: str, tensors: Any) -> Sequence[Any]:
    if not isinstance(tensors, tuple | list):
        raise TypeError(
            f"{name}: expected a tuple or list of tensors, got {type(tensors).__name__}"
        )
    return tensors


def _filled(name: str, atleast: Any, tensors: Any) -> Parts:
    """The tensors, with as many axes as ``atleast`` gives them; there must be some."""
    if not _listed(name, tensors):
        raise RuntimeError(f"{name}: expected a non-empty list of tensors")
    return tuple(atleast(x) for x in tensors)


# -- apart ---------------------------------------------------------------------------------------


def unbind(input: Any, dim: int = 0) -> Parts:
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
    return tuple(indexing.getitem.apply(x, index=(*before, i, ...)) for i in range(n))


def chunk(input: Any, chunks: int, dim: int = 0) -> Parts:
    """At most ``chunks`` equal parts along ``dim``, the last smaller: the gates of a cell.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.chunk(tg.tensor([1.0, 2.0, 3.0, 4.0, 5.0]), 2)
    (tensor([1., 2., 3.]), tensor([4., 5.]))
    """
    (n,) = integers("chunk", (chunks,))
    x, dim, size = _long("chunk", input, dim)
    if n < 1:
        raise RuntimeError(f"chunk: expected at least 1 chunk, got {n}")
    step = -(-size // n)
    return _spans(x, dim, _steps(size, step) if size else [(0, 0)] * n)


def split(tensor: Any, split_size_or_sections: int | Sequence[int], dim: int = 0) -> Parts:
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
    sizes = integers("split", (split_size_or_sections,))
    x, dim, size = _long("split", tensor, dim)
    if min(sizes, default=0) < 0:
        raise RuntimeError(f"split: sizes must not be negative, got {split_size_or_sections}")
    if isinstance(split_size_or_sections, tuple | list):
        if sum(sizes) != size:
            raise RuntimeError(f"split: the sizes {sizes} do not add up to {size}, the axis's size")
        return _spans(x, dim, itertools.pairwise(itertools.accumulate(sizes, initial=0)))
    if size and not sizes[0]:
        raise RuntimeError(f"split: parts of size 0 of an axis of size {size}")
    return _spans(x, dim, _steps(size, sizes[0]) if size else [(0, 0)])


def tensor_split(input: Any, indices_or_sections: int | Sequence[int] | Any, dim: int = 0) -> Parts:
    """So many parts along ``dim``, the first larger by one if need be, or cut at these indices.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.tensor_split(tg.tensor([1.0, 2.0, 3.0]), 2)
    (tensor([1., 2.]), tensor([3.]))
    >>> tg.tensor_split(tg.tensor([1.0, 2.0, 3.0]), (1,))
    (tensor([1.]), tensor([2., 3.]))
    """
    given = _cuts(indices_or_sections)
    cuts = integers("tensor_split", (given,))
    x, dim, size = _long("tensor_split", input, dim)
    if not isinstance(given, tuple | list):
        (n,) = cuts
        if n < 1:
            raise RuntimeError(f"tensor_split: expected at least 1 section, got {n}")
        cuts = tuple(i * (size // n) + min(i, size % n) for i in range(1, n))
    ends = [slice(*span).indices(size)[:2] for span in itertools.pairwise((0, *cuts, size))]
    return _spans(x, dim, [(start, max(start, stop)) for start, stop in ends])


def _cuts(given: Any) -> Any:
    """What tells `tensor_split` where to cut, of a tensor its numbers."""
    array = given.array if isinstance(given, Variable) else given
    if not isinstance(array, np.ndarray):
        return given
    if array.dtype != np.int64 or array.ndim > 1:
        raise RuntimeError(
            "tensor_split: expected int64 indices in at most one axis, got shape "
            f"{array.shape} and {array.dtype}"
        )
    return array.tolist()


def _long(name: str, input: Any, dim: Any) -> tuple[Any, int, int]:
    """A tensor with axes, and the one of them that is taken apart, and its size."""
    x = tensor_of(name, input)
    dim = dim_of(name, dim, x.array.ndim)
    if x.array.ndim == 0:
        raise RuntimeError(f"{name}: a 0-d tensor has no axis to take apart")
    return x, dim, x.array.shape[dim]


def _steps(size: int, step: int) -> list[tuple[int, int]]:
    return [(i, min(i + step, size)) for i in range(0, size, step)]


def _spans(x: Any, dim: int, spans: Iterable[tuple[int, int]]) -> Parts:
    return tuple(
        indexing.narrow.apply(x, index=indexing.slices(dim, *span), span=(dim, *span))
        for span in spans
    )


# -- PyTorch's second names ----------------------------------------------------------------------

concat = concatenate = cat
