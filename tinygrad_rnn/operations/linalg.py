"""Products of matrices, and what is made of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from string import ascii_letters
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.operations import node_names
from tinygrad_rnn.operations.arguments import broadcasts, dim_of, number_of, tensor_of
from tinygrad_rnn.operations.arithmetic import add, mul
from tinygrad_rnn.operations.memory import owned
from tinygrad_rnn.operations.operation import Operation, operation
from tinygrad_rnn.operations.promotion import promoted, same_dtype
from tinygrad_rnn.operations.reduction import sum
from tinygrad_rnn.operations.shape import diagonal, permute, reshape, transpose, unsqueeze

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


def mT(x: Any) -> Any:
    """The transpose of the last two axes; of a vector, itself."""
    return x.T if x.ndim <= 2 else x.swapaxes(-1, -2)


def _product(a: Any, b: Any) -> Any:
    """``a @ b``; of arrays that are vectors or matrices by ``dot``, which takes half the time."""
    if not isinstance(a, np.ndarray):
        return a @ b
    return a.dot(b) if 0 < a.ndim <= 2 and 0 < b.ndim <= 2 else np.asarray(a @ b, order="C")


def _matmul_a(g: Any, b: Any) -> Any:
    if b.ndim == 2:
        return _product(g, b.T)
    if b.ndim == 1:  # y_…i = Σ_j a_…ij b_j
        return g[..., None] * b if g.ndim else g * b
    if g.ndim < b.ndim:  # a is a vector: one row
        return (g[..., None, :] @ mT(b))[..., 0, :]
    return g @ mT(b)


def _matmul_b(g: Any, a: Any) -> Any:
    if a.ndim == 1:  # one row; b a matrix, or a vector if g is one number
        return a[:, None] * g[..., None, :] if g.ndim else a * g
    if g.ndim < a.ndim:  # b is a vector
        return (mT(a) @ g[..., None])[..., 0]
    return _product(mT(a), g)


@operation(
    _product, "a b",
    symbol="@", prepare=same_dtype("matmul"), product="a b", stops="the other factor is 0",
    node=node_names.product,
)  # fmt: skip
def matmul(input: Any, other: Any) -> Tensor:
    """Product of matrices, ``input @ other``, of every rank that NumPy and PyTorch take.

    Parameters
    ----------
    input : Tensor of shape (..., n, k) or (k,)
    other : Tensor of shape (..., k, m) or (k,)
        Of the same type. Leading axes broadcast; a vector is a row on the left and a column on
        the right, and its axis is dropped from the result.

    Raises
    ------
    RuntimeError
        If the inner sizes differ, an operand is 0-d, or the types differ.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.matmul(tg.tensor([1.0, 2.0]), tg.tensor([[1.0, 0.0], [0.0, 3.0]]))
    tensor([1., 6.])
    """
    return matmul.apply(input, other)


matmul.vjp("a", _matmul_a, formula="g @ bᵀ")
matmul.vjp("b", _matmul_b, formula="aᵀ @ g", rows=True)


def _operands(name: str, ranks: tuple[int, ...], *given: Any) -> tuple[Any, Any]:
    """Two tensors of the ranks that ``name`` multiplies, of one type, with equal inner sizes."""
    a, b = xs = [tensor_of(name, x) for x in given]
    shapes = " and ".join(str(x.array.shape) for x in xs)
    if ranks != (a.array.ndim, b.array.ndim):
        raise RuntimeError(
            f"{name}: expected tensors with {ranks[0]} and {ranks[1]} dimensions, got shapes "
            f"{shapes}; matmul takes other ranks too"
        )
    inner = b.array.shape[0] if ranks[1] == 1 else b.array.shape[-2]
    if a.array.shape[-1] != inner or a.array.shape[:-2] != b.array.shape[:-2]:
        raise RuntimeError(f"{name}: shapes {shapes} cannot be multiplied")
    same_dtype(name)(xs)
    return a, b


def mm(input: Any, mat2: Any) -> Tensor:
    """Product of two matrices, of shapes (n, k) and (k, m).

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.mm(tg.tensor([[1.0, 2.0]]), tg.tensor([[3.0], [4.0]]))
    tensor([[11.]])
    """
    return matmul.apply(*_operands("mm", (2, 2), input, mat2))


def bmm(input: Any, mat2: Any) -> Tensor:
    """Product of each matrix with its partner: shapes (b, n, k) and (b, k, m), not broadcast.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.bmm(tg.ones(5, 2, 3), tg.ones(5, 3, 4)).shape
    torch.Size([5, 2, 4])
    """
    return node_names.made_by("BmmBackward0", matmul.apply(*_operands("bmm", (3, 3), input, mat2)))


def mv(input: Any, vec: Any) -> Tensor:
    """Product of a matrix (n, k) and a vector (k,).

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.mv(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), tg.tensor([1.0, 10.0]))
    tensor([21., 43.])
    """
    return matmul.apply(*_operands("mv", (2, 1), input, vec))


def dot(input: Any, tensor: Any) -> Tensor:
    """Inner product of two vectors.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.dot(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0]))
    tensor(11.)
    """
    return matmul.apply(*_operands("dot", (1, 1), input, tensor))


def _plus_product(*arrays: Any, beta: Any, alpha: Any) -> Any:
    """``β·input + α·(a @ b)``; at β = 0 the input does not count, not even if it is NaN."""
    x, a, b = arrays
    y = _product(a, b)
    factor = y.dtype.type  # which makes 1.5 the integer 1 among integers, as in PyTorch
    y = y if alpha == 1 else y * factor(alpha)
    if beta == 0:
        return np.broadcast_to(y, np.broadcast_shapes(x.shape, y.shape)).copy()
    return y + (x if beta == 1 else x * factor(beta))


def _adding(name: str) -> dict[str, Any]:
    return {
        "symbol": "beta·{input} + alpha·{a} @ {b}",
        "prepare": same_dtype(name),
        "product": "a b",
        "collects": "input",
    }


@operation(_plus_product, "input a b", **_adding("addmm"))
def addmm(input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta · input + alpha · (mat1 @ mat2)``, with ``input`` broadcast to the product.

    With ``beta=0`` the values of ``input`` do not matter, not even NaN.

    Raises
    ------
    RuntimeError
        If the shapes do not fit, or the types differ.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.addmm(tg.tensor([0.5]), tg.tensor([[1.0, 2.0]]), tg.tensor([[3.0], [4.0]]), alpha=2)
    tensor([[22.5000]])
    """
    return _added(addmm, input, _operands("addmm", (2, 2), mat1, mat2), beta, alpha)


@operation(_plus_product, "input a b", **_adding("addmv"))
def addmv(input: Any, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta · input + alpha · (mat @ vec)``: `addmm` for a vector.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.addmv(tg.tensor([0.5]), tg.tensor([[1.0, 2.0]]), tg.tensor([3.0, 4.0]))
    tensor([11.5000])
    """
    return _added(addmv, input, _operands("addmv", (2, 1), mat, vec), beta, alpha)


@operation(_plus_product, "input a b", **_adding("baddbmm"))
def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta · input + alpha · (batch1 @ batch2)``: `addmm` for stacks of matrices.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.baddbmm(tg.ones(3), tg.ones(5, 2, 4), tg.ones(5, 4, 3)).shape
    torch.Size([5, 2, 3])
    """
    return _added(baddbmm, input, _operands("baddbmm", (3, 3), batch1, batch2), beta, alpha)


def _scaled(g: Any, factor: Any) -> Any:
    return g if factor == 1 else g * factor


for _sum in (addmm, addmv, baddbmm):
    _sum.vjp("input", lambda g, beta: _scaled(g, beta), formula="beta·g")
    _sum.vjp("a", lambda g, b, alpha: _scaled(_matmul_a(g, b), alpha), formula="alpha·g @ bᵀ")
    _sum.vjp("b", lambda g, a, alpha: _scaled(_matmul_b(g, a), alpha), formula="alpha·aᵀ @ g")


def _added(
    added: Operation[..., Tensor], input: Any, factors: tuple[Any, Any], beta: Any, alpha: Any
) -> Tensor:
    name, (a, b) = added.primitive.name, factors
    x = tensor_of(name, input)
    beta, alpha = number_of(name, "beta", beta), number_of(name, "alpha", alpha)
    shape = (*a.array.shape[:-1], *(b.array.shape[-1:] if b.array.ndim > 1 else ()))
    if not broadcasts(x.array.shape, shape):
        raise RuntimeError(
            f"{name}: the input of shape {x.array.shape} does not broadcast to {shape}, the shape "
            "of the product"
        )
    return added.primitive(x, a, b, beta=beta, alpha=alpha)


def outer(input: Any, vec2: Any) -> Tensor:
    """Products of all pairs of elements of two vectors, of shape (n, m).

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.outer(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 10.0]))
    tensor([[ 1., 10.],
            [ 2., 20.]])
    """
    a, b = tensor_of("outer", input), tensor_of("outer", vec2)
    if (a.array.ndim, b.array.ndim) != (1, 1):
        raise RuntimeError(
            f"outer: expected two vectors, got shapes {a.array.shape} and {b.array.shape}"
        )
    return mul(unsqueeze(a, 1), b)


def inner(input: Any, other: Any) -> Tensor:
    """Inner products over the last axes, of shape (*input.shape[:-1], *other.shape[:-1]).

    With a 0-d tensor it is the product.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.inner(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), tg.tensor([1.0, 10.0]))
    tensor([21., 43.])
    """
    a, b = tensor_of("inner", input), tensor_of("inner", other)
    if not a.array.ndim or not b.array.ndim:
        return mul(a, b)
    if a.array.shape[-1] != b.array.shape[-1]:
        raise RuntimeError(
            f"inner: the last sizes of shapes {a.array.shape} and {b.array.shape} must be equal"
        )
    return tensordot(a, b, ([-1], [-1]))


def tensordot(a: Any, b: Any, dims: Any = 2) -> Tensor:
    """Sum of products over several axes of two tensors.

    Parameters
    ----------
    a, b : Tensor
        Of the same type.
    dims : int, or a pair of lists
        The last ``dims`` axes of ``a`` with the first of ``b``; or the axes of each, in order.

    Returns
    -------
    Tensor
        Its axes are the other axes of ``a``, then those of ``b``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.tensordot(tg.ones(2, 3, 4), tg.ones(4, 3, 5), ([1, 2], [1, 0])).shape
    torch.Size([2, 5])
    """
    x, y = tensor_of("tensordot", a), tensor_of("tensordot", b)
    same_dtype("tensordot")((x, y))
    of_x, of_y = _summed_dims(dims, x.array.ndim, y.array.ndim)
    for i, j in zip(of_x, of_y):
        if x.array.shape[i] != y.array.shape[j] and 1 not in (x.array.shape[i], y.array.shape[j]):
            raise RuntimeError(
                f"tensordot: axis {i} of shape {x.array.shape} and axis {j} of shape "
                f"{y.array.shape} are to be summed together but differ in size"
            )
    names = [chr(ord("a") + i) for i in range(x.array.ndim + y.array.ndim)]
    one, two = names[: x.array.ndim], names[x.array.ndim :]
    for i, j in zip(of_x, of_y):
        two[j] = one[i]
    kept = [i for i in (*one, *two) if (i in one) != (i in two)]
    return _sum_of_products([(x, "".join(one)), (y, "".join(two))], "".join(kept))


def _summed_dims(dims: Any, *ndims: int) -> tuple[tuple[int, ...], ...]:
    """For each of two tensors the axes that `tensordot` sums over, counted from 0."""
    if isinstance(dims, Variable):
        dims = dims.array.tolist()
    if isinstance(dims, int):
        if not 0 <= dims <= min(ndims):
            raise RuntimeError(f"tensordot: dims={dims} is not possible for ranks {ndims}")
        return tuple(range(ndims[0] - dims, ndims[0])), tuple(range(dims))
    if not isinstance(dims, tuple | list):
        raise RuntimeError(f"tensordot: dims must be an int or two lists of ints, got {dims!r}")
    if len(dims) != 2:
        raise ValueError(f"tensordot: dims must be an int or two lists of ints, got {dims!r}")
    if not all(isinstance(some, tuple | list) for some in dims):
        raise TypeError(f"tensordot: dims must be an int or two lists of ints, got {dims!r}")
    axes = tuple(tuple(dim_of("tensordot", d, n) for d in some) for some, n in zip(dims, ndims))
    if len(axes[0]) != len(axes[1]) or any(len(set(some)) < len(some) for some in axes):
        raise RuntimeError(
            f"tensordot: dims must be two lists of equal length, no axis twice, got {dims}"
        )
    return axes


def trace(input: Any) -> Tensor:
    """Sum of the diagonal of a matrix.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.trace(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    x = tensor_of("trace", input)
    if x.array.ndim != 2 or x.array.dtype.kind == "b":
        raise RuntimeError(
            f"trace: expected a matrix of numbers, got shape {x.array.shape} and {x.array.dtype}"
        )
    return node_names.made_by("TraceBackward0", sum(diagonal(x)))


def _terms(equation: str) -> list[str]:
    return equation.replace("->", ",").split(",")


def _contract(a: Any, b: Any, *, equation: str) -> Any:
    """The sum of products that ``equation`` names: one multiplication of (stacks of) matrices.

    ``"bij,bjk->bik"``: every index occurs in at least two of the three terms, and in each once.
    """
    of_a, of_b, of_y = _terms(equation)
    size = dict(zip(of_a + of_b, a.shape + b.shape))
    batch = [i for i in of_a if i in of_b and i in of_y]
    summed = [i for i in of_a if i in of_b and i not in of_y]
    rows, columns = [i for i in of_a if i not in of_b], [i for i in of_b if i not in of_a]

    def arranged(x: Any, term: str, *groups: list[str]) -> Any:
        """The axes of ``x`` in groups, each of them made one axis."""
        x = x.transpose([term.index(i) for group in groups for i in group])
        return x.reshape([math.prod(size[i] for i in group) for group in groups])

    if not summed:  # a matrix product over an axis of size 1 would be slow
        y = arranged(a, of_a, batch, rows, []) * arranged(b, of_b, batch, [], columns)
    elif batch:
        y = arranged(a, of_a, batch, rows, summed) @ arranged(b, of_b, batch, summed, columns)
    else:
        y = arranged(a, of_a, rows, summed).dot(arranged(b, of_b, summed, columns))
    found = [*batch, *rows, *columns]
    return y.reshape([size[i] for i in found]).transpose([found.index(i) for i in of_y])


@operation(owned(_contract), "a b", twin=lambda torch, a, b, equation: torch.einsum(equation, a, b))
def einsum(equation: Any, *operands: Any) -> Tensor:
    """Sum of products over named indices, after Einstein's convention.

    Parameters
    ----------
    equation : str
        A term for each operand, with a letter for each axis, and the indices of the result:
        ``"bij,bjk->bik"``. Indices that the result lacks are summed over. An index twice in a
        term takes the diagonal; ``...`` stands for any axes, which broadcast. Without ``->`` the
        result has the axes of ``...`` and those indices that occur once, in alphabetical order.
    operands : Tensor
        Also as a list; or alternating with lists of integers in place of the equation:
        ``einsum(a, [0, 1], b, [1, 2], [0, 2])``.

    Raises
    ------
    RuntimeError
        If the equation cannot be read or does not fit the operands.

    Notes
    -----
    Two operands at a time are multiplied as (stacks of) matrices, those first that take the
    least multiplications.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> m = tg.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> tg.einsum("ij,j->i", m, tg.tensor([1.0, 10.0]))
    tensor([21., 43.])
    >>> tg.einsum("ii", m)
    tensor(5.)
    """
    if isinstance(equation, Variable | np.ndarray):
        equation, operands = _from_lists((equation, *operands))
    elif not operands:
        raise ValueError("einsum: expected an equation and at least one operand")
    if not isinstance(equation, str):
        raise TypeError(f"einsum: the equation must be a str, got {equation!r}")
    if len(operands) == 1 and isinstance(operands[0], tuple | list):
        operands = tuple(operands[0])
    xs = [tensor_of("einsum", x) for x in operands]
    terms, output = _read_equation(equation, [x.array.ndim for x in xs])
    result = _sum_of_products([_once(x, term) for x, term in zip(xs, terms)], output)
    if result.node is xs[0].node:  # nothing had to be done
        return result
    return node_names.made_by(node_names.product_of(terms, output), result)


def contract(a: Any, b: Any, of_a: str, of_b: str, of_y: str) -> Any:
    """`einsum` of tensors, recorded, or of arrays, whose result may be a view here."""
    equation = f"{of_a},{of_b}->{of_y}"
    if isinstance(a, Variable) or isinstance(b, Variable):
        return einsum.primitive(a, b, equation=equation)
    return _contract(a, b, equation=equation)


def _einsum_a(g: Any, b: Any, equation: str) -> Any:
    of_a, of_b, of_y = _terms(equation)
    return contract(g, b, of_y, of_b, of_a)


def _einsum_b(g: Any, a: Any, equation: str) -> Any:
    of_a, of_b, of_y = _terms(equation)
    return contract(a, g, of_a, of_y, of_b)


einsum.vjp("a", _einsum_a, formula="einsum(g, b)")
einsum.vjp("b", _einsum_b, formula="einsum(a, g)")


def _from_lists(given: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """The equation and the operands of ``a, [0, 1], b, [1, 2], [0, 2]``."""
    operands, lists = given[: 2 * (len(given) // 2) : 2], [*given[1::2], *given[len(given) & ~1 :]]

    def term(some: Any) -> str:
        try:
            return "".join("..." if i is ... else ascii_letters[range(52)[i]] for i in some)
        except (TypeError, IndexError) as error:
            kind = ValueError if isinstance(error, IndexError) else TypeError
            raise kind(f"einsum: {some!r} is no list of integers from 0 to 51") from None

    terms = [term(some) for some in lists]
    equation = ",".join(terms[: len(operands)])
    return "->".join([equation, *terms[len(operands) :]]), operands


def _read_equation(equation: str, ranks: list[int]) -> tuple[list[str], str]:
    """The terms of the operands, and that of the result, with letters for the axes of ``...``."""

    def wrong(what: str) -> RuntimeError:
        return RuntimeError(f"einsum: {equation!r} does not fit operands of ranks {ranks}: {what}")

    left, arrow, right = equation.replace("...", "…").partition("->")
    *terms, output = (*left.replace(" ", "").split(","), right.replace(" ", ""))
    for term in (*terms, output):
        if set(term) - {*ascii_letters, "…"} or term.count("…") > 1:
            raise wrong(f"{term!r} is not made of letters and at most one '...'")
    if len(terms) != len(ranks):
        raise wrong(f"it has {len(terms)} terms")
    more = [rank - len(term.replace("…", "")) for term, rank in zip(terms, ranks)]
    for term, n in zip(terms, more):
        if n < 0 or (n and "…" not in term):
            raise wrong(f"{term!r} has another number of axes")
    widest = max(n if "…" in term else 0 for term, n in zip(terms, more))
    ellipsis = [chr(ord("α") + i) for i in range(widest)]
    terms = [term.replace("…", "".join(ellipsis[widest - n :])) for term, n in zip(terms, more)]
    together = "".join(terms)
    if not arrow:
        once = sorted(i for i in set(together) if i not in ellipsis and together.count(i) == 1)
        output = "".join(["…", *once])
    output = output.replace("…", "".join(ellipsis))
    if len(set(output)) < len(output) or set(output) - set(together):
        raise wrong("each index of the result must occur in an operand, and once in the result")
    return terms, output


def _once(x: Any, term: str) -> tuple[Tensor, str]:
    """The diagonals of a tensor for every index that its term has twice."""
    for i in term:
        while term.count(i) > 1:
            first = term.index(i)
            second = term.index(i, first + 1)
            if x.array.shape[first] != x.array.shape[second]:
                raise RuntimeError(
                    f"einsum: {i!r} stands for two axes of shape {x.array.shape} that differ"
                )
            x = diagonal(x, 0, first, second)  # it becomes the last axis
            term = term.replace(i, "", 2) + i
    return x, term


def _sum_of_products(operands: Sequence[tuple[Tensor, str]], output: str) -> Tensor:
    """The operands multiplied, and summed over the indices that ``output`` lacks."""
    size: dict[str, int] = {}
    for x, term in operands:
        for i, n in zip(term, x.array.shape):
            if size.setdefault(i, n) == 1:
                size[i] = n
            elif n not in (1, size[i]):
                raise RuntimeError(f"einsum: index {i!r} stands for sizes {size[i]} and {n}")
    left = [_unstretched(x, term, size) for x, term in operands]
    if len(left) == 1:
        x, term = _summed(*left[0], output)
        return permute(x, tuple(term.index(i) for i in output))

    def cost(pair: tuple[int, int]) -> int:
        return math.prod(size[i] for i in {*left[pair[0]][1], *left[pair[1]][1]})

    while len(left) > 1:
        first, second = min(combinations(range(len(left)), 2), key=cost)
        two, one = left.pop(second), left.pop(first)
        later = "".join(dict.fromkeys([*output, *(k for _, term in left for k in term)]))
        left.append(_pair_product(one, two, later if left else output))
    return left[0][0]


def _unstretched(x: Any, term: str, size: dict[str, int]) -> tuple[Tensor, str]:
    """A tensor without its axes of size 1 that others stretch: multiplying does that by itself."""
    kept = [axis for axis, i in enumerate(term) if x.array.shape[axis] == size[i]]
    if len(kept) < len(term):
        x = reshape(x, [x.array.shape[axis] for axis in kept])
    return x, "".join(term[axis] for axis in kept)


def _summed(x: Any, term: str, wanted: str) -> tuple[Tensor, str]:
    """The tensor summed over the indices that nobody wants any more."""
    axes = [axis for axis, i in enumerate(term) if i not in wanted]
    return (sum(x, axes) if axes else x), "".join(i for i in term if i in wanted)


def _pair_product(
    one: tuple[Tensor, str], two: tuple[Tensor, str], wanted: str
) -> tuple[Tensor, str]:
    """Two operands multiplied, and summed over what is not wanted."""
    x, of_x = _summed(*one, wanted + two[1])
    y, of_y = _summed(*two, wanted + one[1])
    result = "".join(i for i in wanted if i in of_x or i in of_y)
    summed = {*of_x, *of_y} - {*result}  # only sums of products must be of one type, as in PyTorch
    prepared = (same_dtype if summed else promoted)("einsum")((x, y))
    return einsum.primitive(*prepared, equation=f"{of_x},{of_y}->{result}"), result


def _rows(x: Any) -> Any:
    """All rows of a stack of matrices as one matrix."""
    return x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def _linear(x: Any, weight: Any, bias: Any) -> Any:
    y = _product(x, weight.T)
    y += bias
    return y


@operation(
    _linear,
    "x weight bias",
    symbol="{x} @ {weight}ᵀ + {bias}",
    prepare=same_dtype("linear"),
    product="x weight",
    stops="what it is multiplied with is 0",
    twin="nn.functional.linear",
    node=node_names.affine,
)
def linear(input: Any, weight: Any, bias: Any = None) -> Tensor:
    """Affine map ``input @ weightᵀ + bias``.

    Parameters
    ----------
    input : Tensor of shape (..., in_features)
    weight : Tensor of shape (out_features, in_features)
        (in_features,): one output without an axis for it.
    bias : Tensor of shape (out_features,), optional
        () for a weight that is a vector; as in PyTorch, an input of 2 axes takes none then.

    Returns
    -------
    Tensor of shape (..., out_features)

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.linear(tg.tensor([1.0, 2.0]), tg.tensor([[3.0, 4.0]]), tg.tensor([0.5]))
    tensor([11.5000])
    """
    x, w = tensor_of("linear", input), tensor_of("linear", weight)
    if w.array.ndim not in (1, 2):
        raise RuntimeError(
            f"linear: the weight must be a matrix or a vector, got shape {w.array.shape}"
        )
    if not x.array.ndim or x.array.shape[-1] != w.array.shape[-1]:
        raise RuntimeError(
            f"linear: the input of shape {x.array.shape} does not fit a weight of shape "
            f"{w.array.shape}: their last sizes must be equal"
        )
    if bias is None:
        return matmul.apply(x, transpose(w, 0, 1) if w.array.ndim == 2 else w)
    if w.array.ndim == 1:
        b = tensor_of("linear", bias)
        if b.array.ndim or x.array.ndim == 2:
            raise RuntimeError(
                "linear: beside a weight that is a vector a bias must have shape (), and the input "
                f"1, 3 or more axes; got shapes {b.array.shape} and {x.array.shape}: make the "
                "weight a matrix of one row"
            )
        return add.apply(matmul.apply(x, w), b)
    return linear.apply(x, w, tensor_of("linear", bias))


linear.vjp("x", lambda g, weight: _product(g, weight), formula="g @ weight")
linear.vjp(
    "weight",
    lambda g, x: _product(_rows(g).T, _rows(x)) if g.ndim > 1 else g[:, None] * x,
    formula="gᵀ @ x",
    rows=True,
)
linear.vjp("bias", lambda g: g, formula="g")
