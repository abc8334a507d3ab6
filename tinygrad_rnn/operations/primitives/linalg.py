"""Products of matrices, and sums of products over named indices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.operations.memory import owned
from tinygrad_rnn.operations.promotion import same_dtype


def mT(x: Any) -> Any:
    """The transpose of the last two axes; of a vector, itself."""
    return x.T if x.ndim <= 2 else x.swapaxes(-1, -2)


def _product(a: Any, b: Any) -> Any:
    """``a @ b``; of arrays that are vectors or matrices by ``dot``, which takes half the time."""
    if not isinstance(a, np.ndarray):
        return a @ b
    return a.dot(b) if 0 < a.ndim <= 2 and 0 < b.ndim <= 2 else np.asarray(a @ b, order="C")


def _rows(x: Any) -> Any:
    """All rows of a stack of matrices as one matrix."""
    return x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def _matmul_a(g: Any, b: Any) -> Any:
    if b.ndim == 2:
        return _product(g, b.T)
    if b.ndim == 1:  # y_…i = Σ_j a_…ij b_j
        return g[..., None] * b
    if g.ndim < b.ndim:  # a is a vector: one row
        return (g[..., None, :] @ mT(b))[..., 0, :]
    return g @ mT(b)


def _matmul_b(g: Any, a: Any) -> Any:
    if a.ndim == 1:  # one row; b a matrix, or a vector if g is one number
        return a[:, None] * g[..., None, :] if g.ndim else a * g
    if g.ndim < a.ndim:  # b is a vector
        return (mT(a) @ g[..., None])[..., 0]
    return _product(mT(a), g)


matmul = Primitive("matmul", _product, "a b", symbol="@", prepare=same_dtype("matmul"))
matmul.vjp("a", _matmul_a, formula="g @ bᵀ")
matmul.vjp("b", _matmul_b, formula="aᵀ @ g", rows=True)


def _linear(x: Any, weight: Any, bias: Any) -> Any:
    y = _product(x, weight.T)
    y += bias
    return y


linear = Primitive(
    "linear", _linear, "x weight bias",
    symbol="{x} @ {weight}ᵀ + {bias}", prepare=same_dtype("linear"),
)  # fmt: skip
linear.vjp("x", lambda g, weight: _product(g, weight), formula="g @ weight")
linear.vjp(
    "weight",
    lambda g, x: _product(_rows(g).T, _rows(x)) if g.ndim > 1 else g[:, None] * x,
    formula="gᵀ @ x",
    rows=True,
)
linear.vjp("bias", lambda g: g, formula="g")


def _added(*arrays: Any, beta: Any, alpha: Any) -> Any:
    """``β·input + α·(a @ b)``; at β = 0 the input does not count, not even if it is NaN."""
    x, a, b = arrays
    y = _product(a, b)
    factor = y.dtype.type  # which makes 1.5 the integer 1 among integers, as in PyTorch
    y = y if alpha == 1 else y * factor(alpha)
    if beta == 0:
        return np.broadcast_to(y, np.broadcast_shapes(x.shape, y.shape)).copy()
    return y + (x if beta == 1 else x * factor(beta))


def _adding(name: str) -> Primitive:
    adding = Primitive(
        name, _added, "input a b",
        symbol="beta·{input} + alpha·{a} @ {b}", prepare=same_dtype(name),
    )  # fmt: skip
    adding.vjp("input", lambda g, beta: _scaled(g, beta), formula="beta·g")
    adding.vjp("a", lambda g, b, alpha: _scaled(_matmul_a(g, b), alpha), formula="alpha·g @ bᵀ")
    adding.vjp("b", lambda g, a, alpha: _scaled(_matmul_b(g, a), alpha), formula="alpha·aᵀ @ g")
    return adding


def _scaled(g: Any, factor: Any) -> Any:
    return g if factor == 1 else g * factor


addmm, addmv, baddbmm = (_adding(name) for name in ("addmm", "addmv", "baddbmm"))


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


def contract(a: Any, b: Any, of_a: str, of_b: str, of_y: str) -> Any:
    """`einsum` of tensors, recorded, or of arrays."""
    equation = f"{of_a},{of_b}->{of_y}"
    if isinstance(a, Variable) or isinstance(b, Variable):
        return einsum.general(a, b, equation=equation)
    return _contract(a, b, equation=equation)


def _einsum_a(g: Any, b: Any, equation: str) -> Any:
    of_a, of_b, of_y = _terms(equation)
    return contract(g, b, of_y, of_b, of_a)


def _einsum_b(g: Any, a: Any, equation: str) -> Any:
    of_a, of_b, of_y = _terms(equation)
    return contract(a, g, of_a, of_y, of_b)


einsum = Primitive("einsum", owned(_contract), "a b")
einsum.vjp("a", _einsum_a, formula="einsum(g, b)")
einsum.vjp("b", _einsum_b, formula="einsum(a, g)")
