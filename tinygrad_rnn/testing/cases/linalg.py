"""Cases of products of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.testing.cases.table import add_case, signed

for _one, _two in [
    ((3,), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3,)),
    ((2, 3), (3, 4)),
    ((1, 1), (1, 1)),
    ((3,), (2, 3, 4)),
    ((2, 4, 3), (3,)),
    ((2, 4, 3), (3, 2)),
    ((4, 3), (2, 3, 2)),
    ((2, 4, 3), (2, 3, 2)),
    ((2, 1, 4, 3), (3, 3, 2)),
    ((1, 4, 3), (2, 1, 3, 2)),
    ((3,), (2, 1, 3, 2)),
    ((2, 2, 4, 3), (3,)),
    ((0,), (0,)),
    ((2, 0), (0, 3)),
    ((0, 3), (3, 2)),
    ((2, 3), (3, 0)),
    ((2, 3, 0), (0, 4)),
    ((2, 0), (0,)),
    ((0,), (0, 2)),
    ((0, 2, 3), (3, 2)),
    ((0, 2, 3), (1, 3, 2)),
]:
    add_case(
        "matmul",
        f"{_one} @ {_two}",
        lambda lib, a, b: a @ b,
        [signed(*_one), signed(*_two)],
        np.matmul,
    )
add_case(
    "matmul",
    "of transposed views",
    lambda lib, a, b: a.T @ b.T,
    [signed(3, 2), signed(4, 3)],
    lambda a, b: a.T @ b.T,
)
add_case("matmul", "a matrix with itself", lambda lib, a: a @ a, [signed(3, 3)], lambda a: a @ a)


def linear(lib: Any, x: Any, weight: Any, bias: Any = None) -> Any:
    """The affine map of either library."""
    return (lib if lib is tg else lib.nn.functional).linear(x, weight, bias)


def _linear_ref(x: Any, w: Any, b: Any) -> Any:
    return x @ w.T + b


for _one in [(3,), (2, 3), (1, 3), (4, 2, 3), (0, 3), (2, 0, 3)]:
    add_case("linear", f"{_one}", linear, [signed(*_one), signed(4, 3), signed(4)], _linear_ref)
add_case("linear", "no features", linear, [signed(2, 2, 0), signed(4, 0), signed(4)], _linear_ref)


def _added(name: str, **factors: Any) -> Any:
    return lambda lib, x, a, b: getattr(lib, name)(x, a, b, **factors)


for _name, _one, _two, _inputs in [
    ("addmm", (2, 3), (3, 4), [(2, 4), (4,), (), (2, 1)]),
    ("addmm", (2, 0), (0, 4), [(2, 4)]),
    ("addmv", (2, 3), (3,), [(2,), (1,), ()]),
    ("addmv", (0, 3), (3,), [(0,)]),
    ("baddbmm", (2, 3, 4), (2, 4, 2), [(2, 3, 2), (3, 1), ()]),
]:
    for _input in _inputs:
        for _factors in ({}, {"beta": 0.5, "alpha": -2}, {"beta": 0}):
            add_case(
                _name,
                f"{_input} + {_one} @ {_two} {_factors}",
                _added(_name, **_factors),
                [signed(*_input), signed(*_one), signed(*_two)],
                lambda x, a, b, f=_factors: f.get("beta", 1) * x + f.get("alpha", 1) * (a @ b),
            )


def _rebuilt(a: Any) -> Any:
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    return (u * np.tanh(s)[..., None, :]) @ vt


for _shape in [(2, 3), (3, 2), (3, 3), (1, 3), (2, 3, 2), (0, 2), (2, 0)]:
    _matrix = signed(*_shape)
    add_case(
        "svd",
        f"values of {_shape}",
        lambda lib, a: lib.linalg.svdvals(a),
        [_matrix],
        lambda a: np.linalg.svd(a, compute_uv=False),
    )
    add_case(  # does not depend on the signs of the vectors
        "svd",
        f"factors of {_shape}",
        lambda lib, a: _together(lib, *lib.linalg.svd(a, full_matrices=False)),
        [_matrix],
        _rebuilt,
    )


def _together(lib: Any, u: Any, s: Any, vt: Any) -> Any:
    return (u * lib.tanh(s)[..., None, :]) @ vt


for _ord in (2, -2, "nuc"):
    add_case(
        "svd",
        f"norm {_ord}",
        lambda lib, a, o=_ord: lib.linalg.norm(a, o),
        [signed(3, 4)],
        lambda a, o=_ord: np.linalg.norm(a, o),
    )


def _regular(*shape: int) -> Any:
    """Matrices far from singular ones."""
    return signed(*shape) + 3 * np.eye(shape[-1])


def _linalg(name: str) -> Any:
    return lambda lib, *xs: getattr(lib.linalg, name)(*xs)


def _exp_ref(a: Any) -> Any:
    w, v = np.linalg.eig(a)
    return np.real(v * np.exp(w)[..., None, :] @ np.linalg.inv(v))


for _shape in [(1, 1), (3, 3), (2, 3, 3), (0, 0)]:
    for _name, _ref in [("inv", np.linalg.inv), ("det", np.linalg.det), ("matrix_exp", _exp_ref)]:
        add_case(_name, f"of {_shape}", _linalg(_name), [_regular(*_shape)], _ref)
    add_case(
        "slogdet",
        f"of {_shape}",
        lambda lib, a: lib.linalg.slogdet(a)[1],
        [_regular(*_shape)],
        lambda a: np.linalg.slogdet(a)[1],
    )
    add_case(
        "cholesky",
        f"of {_shape}",
        lambda lib, a: lib.linalg.cholesky(a @ a.transpose(-1, -2)),
        [_regular(*_shape)],
        lambda a: np.linalg.cholesky(a @ a.swapaxes(-1, -2)),
    )
    add_case(
        "eigh",
        f"values of {_shape}",
        lambda lib, a: lib.linalg.eigvalsh(a + a.transpose(-1, -2)),
        [_regular(*_shape)],
        lambda a: np.linalg.eigvalsh(a + a.swapaxes(-1, -2)),
    )
    add_case(  # does not depend on the signs of the vectors
        "eigh",
        f"vectors of {_shape}",
        lambda lib, a: _of_eigenvalues(lib, *lib.linalg.eigh(a + a.transpose(-1, -2))),
        [_regular(*_shape)],
        lambda a: _of_eigenvalues(np, *np.linalg.eigh(a + a.swapaxes(-1, -2))),
    )
for _shape in [(3, 3), (4, 2), (2, 4), (2, 3, 2), (3, 0)]:
    add_case("pinv", f"of {_shape}", _linalg("pinv"), [signed(*_shape)], np.linalg.pinv)
add_case(
    "pinv",
    "of equal singular values",
    lambda lib, a: lib.linalg.pinv(lib.eye(3, dtype=a.dtype) + lib.outer(a, a)),
    [signed(3)],
    lambda a: np.linalg.pinv(np.eye(3) + np.outer(a, a)),
)
add_case(
    "pinv",
    "of a lower rank",
    lambda lib, a, b: lib.linalg.pinv(a @ b, rtol=1e-3),
    [signed(4, 2), signed(2, 3)],
    lambda a, b: np.linalg.pinv(a @ b, rcond=1e-3),
)
add_case("matrix_exp", "large", _linalg("matrix_exp"), [2 * signed(3, 3)], _exp_ref)


def _of_eigenvalues(lib: Any, w: Any, v: Any) -> Any:
    """A function of a symmetric matrix by its eigenvalues."""
    return (v * lib.tanh(w)[..., None, :]) @ v.swapaxes(-1, -2)


for _one, _two in [
    ((1, 1), (1, 2)),
    ((3, 3), (3,)),
    ((3, 3), (3, 2)),
    ((2, 3, 3), (2, 3, 2)),
    ((3, 3), (2, 3, 2)),
]:
    add_case(
        "solve",
        f"{_one} and {_two}",
        _linalg("solve"),
        [_regular(*_one), signed(*_two)],
        lambda a, b: np.linalg.solve(a, b),
    )

for _shape in [(1, 1), (3, 3), (4, 2), (2, 3, 2), (2, 3)]:
    add_case(
        "qr",
        f"of {_shape}",
        lambda lib, a: lib.cat([part.flatten() for part in lib.linalg.qr(a)]),
        [signed(*_shape)],
        lambda a: np.concatenate([part.ravel() for part in np.linalg.qr(a)]),
    )

for _equation, _one, _two in [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk->ki", (2, 3), (3, 4)),
    ("i,j->ji", (2,), (3,)),
    ("i,i->", (3,), (3,)),
    ("i,i->i", (3,), (3,)),
    (",i->i", (), (3,)),
    (",->", (), ()),
    ("bij,bjk->bik", (2, 3, 4), (2, 4, 2)),
    ("bij,bjk->kib", (2, 3, 4), (2, 4, 2)),
    ("ijk,kji->", (2, 3, 4), (4, 3, 2)),
    ("ijk,jl->kil", (2, 3, 4), (3, 2)),
    ("bi,bj->bij", (2, 3), (2, 4)),
    ("bij,bi->bj", (2, 3, 4), (2, 3)),
    ("ij,jk->ik", (2, 0), (0, 3)),
    ("bij,bjk->bik", (0, 3, 4), (0, 4, 2)),
]:
    add_case(
        "einsum",
        f"{_equation} of {_one} and {_two}",
        lambda lib, a, b, e=_equation: lib.einsum(e, a, b),
        [signed(*_one), signed(*_two)],
        lambda a, b, e=_equation: np.einsum(e, a, b),
    )
add_case(
    "einsum",
    "diagonals, and an index of one operand only",
    lambda lib, a, b: lib.einsum("iij,jkl->ik", a, b),
    [signed(3, 3, 2), signed(2, 2, 2)],
    lambda a, b: np.einsum("iij,jkl->ik", a, b),
)
add_case(
    "einsum",
    "a bilinear form of one tensor",
    lambda lib, x, a: lib.einsum("bi,ij,bj->b", x, a, x),
    [signed(2, 3), signed(3, 3)],
    lambda x, a: np.einsum("bi,ij,bj->b", x, a, x),
)
