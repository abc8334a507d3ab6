"""Products of vectors and matrices that are made of others, and distances."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.operations.arguments import (
    check_flags,
    common_shape,
    dim_of,
    integer_of,
    number_of,
    tensor_of,
)
from tinygrad_rnn.operations.arithmetic import mul, sub
from tinygrad_rnn.operations.indexing import getitem
from tinygrad_rnn.operations.joining import stack
from tinygrad_rnn.operations.linalg import matmul
from tinygrad_rnn.operations.node_names import made_by
from tinygrad_rnn.operations.norms import norm
from tinygrad_rnn.operations.promotion import same_dtype
from tinygrad_rnn.operations.reduction import sum
from tinygrad_rnn.operations.shape import meshgrid, reshape, roll, unsqueeze

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


def vecdot(x: Any, y: Any, *, dim: int = -1) -> Tensor:
    """Inner products of the vectors along an axis.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.linalg.vecdot(tg.ones(2, 3), tg.ones(2, 3))
    tensor([3., 3.])
    """
    return sum(mul(tensor_of("linalg.vecdot", x), tensor_of("linalg.vecdot", y)), dim)


def multi_dot(tensors: Sequence[Any]) -> Tensor:
    """The product of several matrices, beginning where the longest axis vanishes.

    Parameters
    ----------
    tensors : sequence of Tensors
        Matrices; the first may be a row, the last a column, both given as vectors.

    Raises
    ------
    RuntimeError
        If there are less than two, or the shapes do not fit.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.linalg.multi_dot([tg.ones(2, 3), tg.ones(3, 4), tg.ones(4)])
    tensor([12., 12.])
    """
    left = [tensor_of("linalg.multi_dot", x) for x in tensors]
    if len(left) < 2:
        raise RuntimeError(f"linalg.multi_dot: expected two or more matrices, got {len(left)}")
    while len(left) > 1:
        sizes = [one.array.shape[-1] for one in left[:-1]]
        at = sizes.index(max(sizes))
        left[at : at + 2] = [matmul(left[at], left[at + 1])]
    return left[0]


def cross(input: Any, other: Any, dim: int | None = None) -> Tensor:
    """The cross product of vectors of three elements, along ``dim``.

    Parameters
    ----------
    input, other : Tensors
        Of shapes that broadcast.
    dim : int, optional
        The first axis of size 3 if absent.

    Raises
    ------
    RuntimeError
        If the axis has another size.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.cross(tg.tensor([1.0, 0.0, 0.0]), tg.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    a, b = same_dtype("cross")([tensor_of("cross", x) for x in (input, other)])
    if a.array.ndim != b.array.ndim:
        raise RuntimeError(
            f"cross: shapes {a.array.shape} and {b.array.shape} have not as many axes"
        )
    if dim is None:
        dim = next((i for i, n in enumerate(a.array.shape) if n == 3), None)
        if dim is None:
            raise RuntimeError(f"cross: no axis of shape {a.array.shape} has size 3")
    d = dim_of("cross", dim, a.array.ndim)
    if not a.array.ndim or a.array.shape[d] != 3 or b.array.shape[d] != 3:
        raise RuntimeError(
            f"cross: axis {dim} of shapes {a.array.shape} and {b.array.shape} must have size 3"
        )
    common_shape("cross", a.array.shape, b.array.shape)
    (a1, a2), (b1, b2) = ([roll(x, -i, d) for i in (1, 2)] for x in (a, b))
    return made_by("LinalgCrossBackward0", sub(mul(a1, b2), mul(a2, b1)))


def kron(input: Any, other: Any) -> Tensor:
    """Kronecker's product: each element of ``input`` times the whole of ``other``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.kron(tg.tensor([1, 10]), tg.tensor([1, 2]))
    tensor([ 1,  2, 10, 20])
    """
    a, b = tensor_of("kron", input), tensor_of("kron", other)
    axes = np.maximum(a.array.ndim, b.array.ndim)
    ones = [(1,) * (axes - x.array.ndim) + x.array.shape for x in (a, b)]
    apart = [
        tuple(size for pair in zip(*sizes) for size in pair)
        for sizes in ((ones[0], (1,) * axes), ((1,) * axes, ones[1]))
    ]
    every = mul(reshape(a, apart[0]), reshape(b, apart[1]))
    return made_by("UnsafeViewBackward0", reshape(every, [m * n for m, n in zip(*ones)]))


def dist(input: Any, other: Any, p: float = 2) -> Tensor:
    """The p-norm of ``input − other``, of all elements.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.dist(tg.tensor([1.0, 2.0]), tg.tensor([4.0, 6.0]))
    tensor(5.)
    """
    apart = sub(tensor_of("dist", input), tensor_of("dist", other))
    return made_by("DistBackward0", norm(apart, number_of("dist", "p", p)))


def cdist(
    x1: Any,
    x2: Any,
    p: float = 2.0,
    compute_mode: str | None = "use_mm_for_euclid_dist_if_necessary",
) -> Tensor:
    """The p-norms of the differences of each row of the one and each of the other.

    Parameters
    ----------
    x1 : Tensor of shape (..., n, features)
    x2 : Tensor of shape (..., m, features)
    p : float
        Not negative.
    compute_mode : str
        How PyTorch computes it; here it is always by its definition.

    Returns
    -------
    Tensor of shape (..., n, m)

    Raises
    ------
    RuntimeError
        If shapes or types do not fit, or ``p`` is negative.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.cdist(tg.tensor([[0.0, 0.0], [3.0, 0.0]]), tg.tensor([[0.0, 4.0]]))
    tensor([[4.],
            [5.]])
    """
    a, b = tensor_of("cdist", x1), tensor_of("cdist", x2)
    power = number_of("cdist", "p", p)
    if {a.array.dtype.kind, b.array.dtype.kind} != {"f"} or a.array.dtype != b.array.dtype:
        raise RuntimeError(
            f"cdist: expected floats of one type, got {a.array.dtype} and {b.array.dtype}"
        )
    shapes = a.array.shape, b.array.shape
    if min(map(len, shapes)) < 2 or shapes[0][-1] != shapes[1][-1] or power < 0:
        raise RuntimeError(
            f"cdist: expected (..., n, features) and (..., m, features), and a p that is not "
            f"negative, got shapes {shapes[0]} and {shapes[1]} and p={p}"
        )
    common_shape("cdist", shapes[0][:-2], shapes[1][:-2])
    apart = sub(unsqueeze(a, -2), unsqueeze(b, -3))
    return made_by("CdistBackward0", norm(apart, power, -1))


def cartesian_prod(*tensors: Any) -> Tensor:
    """All choices of an element of each vector, one row each.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.cartesian_prod(tg.tensor([1, 2]), tg.tensor([3, 4]))
    tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """
    xs = [tensor_of("cartesian_prod", x) for x in tensors]
    for x in xs:
        if x.array.ndim != 1:
            raise RuntimeError(f"cartesian_prod: expected vectors, got shape {x.array.shape}")
    if len(xs) == 1:
        return xs[0]
    return stack([reshape(x, (-1,)) for x in meshgrid(xs, indexing="ij")], 1)


def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All choices of ``r`` elements of a vector, in its order, one row each.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.combinations(tg.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    x, many = tensor_of("combinations", input), integer_of("combinations", "r", r)
    check_flags("combinations", with_replacement=with_replacement)
    if x.array.ndim != 1 or many < 0:
        raise RuntimeError(
            f"combinations: expected a vector, and r not negative, got shape {x.array.shape} and "
            f"{r}"
        )
    if not many:
        return graph.make_tensor(np.empty(0, x.array.dtype), None)
    choose: Any = (
        itertools.combinations_with_replacement if with_replacement else itertools.combinations
    )
    chosen = list(choose(range(len(x.array)), many))
    return getitem(x, np.array(chosen, np.int64).reshape(-1, many))
