"""Calls of products of matrices and of what is made of them."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from operations.harness import DTYPES, INF, NAN, call, draw


def _named(name: str, **options: Any) -> Any:
    return lambda lib, *xs: getattr(lib, name)(*xs, **options)


def _method(name: str, **options: Any) -> Any:
    return lambda lib, x, *more: getattr(x, name)(*more, **options)


def _strided(name: str) -> Any:
    """On every second element along every axis."""
    return lambda lib, *xs: getattr(lib, name)(*(x[(slice(None, None, 2),) * x.ndim] for x in xs))


FITTING: dict[str, list[tuple[tuple[int, ...], ...]]] = {
    "matmul": [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)),
               ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((5, 1, 2, 3), (4, 3, 2)),
               ((5, 2, 3), (3,)), ((3,), (5, 3, 2)), ((0, 3), (3, 2)), ((2, 0), (0, 2)),
               ((0,), (0,)), ((3, 0, 2), (3, 2, 4)), ((1, 1), (1, 1))],
    "mm": [((2, 3), (3, 4)), ((1, 3), (3, 1)), ((0, 3), (3, 2)), ((2, 0), (0, 3)),
           ((2, 3), (3, 0))],
    "bmm": [((2, 3, 4), (2, 4, 5)), ((1, 1, 1), (1, 1, 1)), ((0, 3, 4), (0, 4, 2)),
            ((2, 3, 0), (2, 0, 2))],
    "mv": [((2, 3), (3,)), ((0, 3), (3,)), ((2, 0), (0,))],
    "dot": [((3,), (3,)), ((0,), (0,)), ((1,), (1,))],
    "outer": [((3,), (2,)), ((0,), (2,)), ((1,), (1,))],
    "inner": [((3,), (3,)), ((2, 3), (3,)), ((2, 3), (4, 3)), ((2, 3), (4, 5, 3)), ((), (3,)),
              ((2, 3), ()), ((), ()), ((0,), (0,)), ((2, 0), (3, 0)), ((0, 3), (2, 3))],
    "addmm": [(x, (2, 3), (3, 4)) for x in [(2, 4), (4,), (1, 4), (2, 1), (1,), ()]]
    + [((2, 3), (2, 0), (0, 3)), ((3,), (0, 2), (2, 3))],
    "addmv": [(x, (4, 3), (3,)) for x in [(4,), (1,), ()]] + [((2,), (2, 0), (0,))],
    "baddbmm": [(x, (2, 4, 3), (2, 3, 5)) for x in [(2, 4, 5), (4, 5), (5,), (1, 4, 1), ()]],
}  # fmt: skip
UNFITTING: dict[str, list[tuple[tuple[int, ...], ...]]] = {
    "matmul": [((2, 3), (2, 3)), ((), (3,)), ((3,), (2,)), ((2, 2, 3), (3, 3, 2)), ((2, 3), ())],
    "mm": [((2, 3), (2, 3)), ((3,), (3, 2)), ((2, 3), (3,)), ((1, 2, 3), (1, 3, 2)), ((), ())],
    "bmm": [((2, 3, 2), (3, 2, 2)), ((1, 3, 2), (3, 2, 2)), ((2, 3), (3, 2)),
            ((2, 3, 4), (2, 3, 4))],
    "mv": [((2, 3), (2,)), ((2, 3), (3, 1)), ((3,), (3,)), ((2, 1), (3,))],
    "dot": [((2,), (3,)), ((2, 1), (2,)), ((), ()), ((1,), (3,))],
    "outer": [((2, 1), (2,)), ((), (2,)), ((2,), ())],
    "inner": [((2, 3), (2,)), ((3,), (1,)), ((2, 3), (3, 2))],
    "addmm": [((3, 4), (2, 3), (3, 4)), ((2,), (2, 3), (3, 4)), ((1, 2, 4), (2, 3), (3, 4)),
              ((2, 4), (2, 3), (2, 4)), ((2, 4), (3,), (3, 4)), ((0,), (2, 3), (3, 4))],
    "addmv": [((2, 4), (4, 3), (3,)), ((3,), (4, 3), (3,)), ((4,), (4, 3), (4,)),
              ((4,), (4, 3), (3, 1))],
    "baddbmm": [((2, 4), (2, 4, 3), (2, 3, 5)), ((2, 4, 5), (1, 4, 3), (2, 3, 5)),
                ((1, 2, 4, 5), (2, 4, 3), (2, 3, 5))],
}  # fmt: skip
for _name, _shapes in FITTING.items():
    for _some in _shapes:
        call(_name, f"{_some}", _named(_name), *(draw(*s) for s in _some))
        call(_name, f"method, {_some}", _method(_name), *(draw(*s) for s in _some))
    for _dtype in DTYPES:
        _arrays = [draw(*s, dtype=_dtype) for s in _shapes[0]]
        call(_name, _dtype, _named(_name), *_arrays)
    for _mixed in product(["float32", "float64", "int64", "bool"], repeat=2):
        if _mixed[0] != _mixed[1]:
            _arrays = [draw(*s, dtype=d) for s, d in zip(_shapes[0][-2:], _mixed)]
            _arrays = [draw(*s, dtype=_mixed[0]) for s in _shapes[0][:-2]] + _arrays
            call(_name, f"{_mixed}", _named(_name), *_arrays)
    call(_name, "views", _strided(_name), *(draw(*(2 * n for n in s)) for s in _shapes[0]))
    call(
        _name,
        "of a list",
        lambda lib, *xs, n=_name: getattr(lib, n)(*xs[:-1], [1.0]),
        *(draw(*s) for s in _shapes[0]),
    )
    call(
        _name,
        "of None",
        lambda lib, *xs, n=_name: getattr(lib, n)(*xs[:-1], None),
        *(draw(*s) for s in _shapes[0]),
    )
    call(_name, "too few", lambda lib, x, n=_name: getattr(lib, n)(x), draw(2, 2))
for _name, _shapes in UNFITTING.items():
    for _some in _shapes:
        call(_name, f"unfitting {_some}", _named(_name), *(draw(*s) for s in _some))
call("matmul", "inf and nan", _named("matmul"), [[INF, 1.0], [NAN, 0.0]], [[1.0, 0.0], [2.0, 1.0]])

for _name in ("addmm", "addmv", "baddbmm"):
    _some = FITTING[_name][0]
    _made = [draw(*s) for s in _some]
    _int = [draw(*s, dtype="int64") for s in _some]
    for _factors in [{"beta": 0.5}, {"alpha": 2}, {"beta": 0}, {"alpha": 0},
                     {"beta": 0.0, "alpha": 3}, {"beta": True, "alpha": -1.5}]:  # fmt: skip
        call(_name, f"{_factors}", _named(_name, **_factors), *_made)
        call(
            _name,
            f"{_factors} of float16",
            _named(_name, **_factors),
            *(a.astype(np.float16) for a in _made),
        )
        call(_name, f"{_factors} of ints", _named(_name, **_factors), *_int)
    call(_name, "β = 0 and NaN", _named(_name, beta=0), np.full_like(_made[0], NAN), *_made[1:])
    call(_name, "β a str", _named(_name, beta="1"), *_made)
    call(_name, "α None", _named(_name, alpha=None), *_made)
    call(_name, "positional factors", lambda lib, *xs, n=_name: getattr(lib, n)(*xs, 1, 2), *_made)

for _shape in [(2, 2), (2, 3), (3, 2), (0, 3), (0, 0), (3,), (), (2, 2, 2)]:
    call("trace", f"{_shape}", _named("trace"), draw(*_shape))
    call("trace", f"method, {_shape}", _method("trace"), draw(*_shape))
for _dtype in DTYPES:
    call("trace", _dtype, _named("trace"), draw(3, 3, dtype=_dtype))
call("trace", "of a list", lambda lib: lib.trace([[1.0]]))

# -- einsum ------------------------------------------------------------------------------------


def _einsum(equation: str) -> Any:
    return lambda lib, *xs: lib.einsum(equation, *xs)


for _equation, *_some in [
    ("ii", (3, 3)), ("ii->i", (3, 3)), ("ii->", (3, 1)), ("ij->", (2, 3)), ("ij->ji", (2, 3)),
    ("ij->ij", (2, 3)), ("i->ii", (3,)), ("...i", (2, 3)), ("...i->i", (2, 3)),
    ("i...->...", (2, 3)), ("ij->k", (2, 3)), ("i", (2, 3)), ("ij...->ji", (2, 3, 4)), ("", ()),
    ("->", ()), ("iij->j", (2, 2, 3)), ("i j -> j i", (2, 3)), ("i.j", (2, 3)), ("ij-ji", (2, 3)),
    ("1", (2,)), ("ij->i->j", (2, 3)), ("ij,", (2, 3)), ("ba", (2, 3)), ("Ab", (2, 3)),
    ("aB", (2, 3)), ("......", (2, 3)), ("...->...", (2, 3)), ("i...i->...i", (2, 3, 2)),
    ("i->i j", (2,)), ("i j- > j i", (2, 3)), ("ij->j...", (2, 3)), ("...ij", (2, 3, 4)),
    ("ij->ij ->", (2, 3)), ("iii->i", (2, 2, 2)), ("iijj->ij", (2, 2, 3, 3)),
    ("iijj", (2, 2, 3, 3)),
    ("ijij->", (2, 3, 2, 3)), ("ij->i...", (2, 3)), ("ä", (2,)), ("i>i", (2,)), ("ij", (0, 3)),
    ("ij->j", (0, 3)), ("ii", (0, 0)), ("...", ()), ("abc...->...ca", (2, 3, 4, 5, 6)),
]:  # fmt: skip
    call("einsum", f"{_equation!r} of {_some}", _einsum(_equation), *(draw(*s) for s in _some))
    for _dtype in ("int64", "bool", "float16"):
        call(
            "einsum",
            f"{_equation!r} of {_some}, {_dtype}",
            _einsum(_equation),
            *(draw(*s, dtype=_dtype) for s in _some),
        )
for _equation, *_some in [
    ("ij,jk", (2, 3), (3, 4)), ("ij,jk", (2, 3), (4, 2)), ("ij,jk", (2, 1), (4, 2)),
    ("ij,jk->", (2, 3), (3, 4)), ("ij,jk->j", (2, 3), (3, 4)), ("ij,kl->", (2, 3), (4, 5)),
    ("...ij,...jk", (5, 1, 2, 3), (4, 3, 2)), ("...ij,...jk->...ik", (5, 2, 3), (3, 2)),
    ("i,i", (1,), (3,)), ("i,i", (3,), (1,)), ("i,j->i", (2,), (3,)), ("i,j->k", (2,), (3,)),
    ("ij,jk->ik", (2, 3)), ("ij", (2, 3), (3, 4)), ("i...,i...->...", (3, 1), (3, 4)),
    ("i...,i...", (3, 1), (3, 4)), ("ii,i->i", (2, 2), (2,)), ("...,...", (2, 1), (3,)),
    ("a,b->ba", (2,), (3,)), ("i,ij,j->", (2,), (2, 3), (3,)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    ("bn,anm,bm->ba", (2, 3), (4, 3, 5), (2, 5)), ("ij,ij,ij->ij", (2, 3), (2, 3), (2, 3)),
    ("ij,ij,ij->", (2, 3), (2, 1), (1, 3)), ("i,j,k->kji", (2,), (3,), (4,)),
    ("i,i,i,i", (2,), (2,), (2,), (2,)), ("...i,...i->...", (2, 3, 4), (4,)), (",", (), ()),
    ("ij,->ij", (2, 3), ()), ("...ii,...i->...", (2, 3, 3), (2, 3)), ("ij,jk", (2, 0), (0, 3)),
    ("i,i->i", (0,), (0,)), ("bhqd,bhkd->bhqk", (2, 2, 3, 4), (2, 2, 5, 4)),
    ("ij ,jk", (2, 3), (3, 1)),
    ("i...j,j...k->ki...", (2, 5, 3), (3, 5, 4)), ("aab,bcc->ac", (2, 2, 3), (3, 4, 4)),
]:  # fmt: skip
    call("einsum", f"{_equation!r} of {_some}", _einsum(_equation), *(draw(*s) for s in _some))
    call(
        "einsum",
        f"{_equation!r} of {_some}, ints",
        _einsum(_equation),
        *(draw(*s, dtype="int64") for s in _some),
    )
    call(
        "einsum",
        f"{_equation!r} of a list of {_some}, float64",
        lambda lib, *xs, e=_equation: lib.einsum(e, xs),
        *(draw(*s, dtype="float64") for s in _some),
    )
for _mixed in product(["float32", "float64", "int64", "bool"], repeat=2):
    for _equation in ("i,j->ij", "i,i->i", "i,i"):
        call(
            "einsum",
            f"{_equation} of {_mixed}",
            _einsum(_equation),
            *(draw(2, dtype=d) for d in _mixed),
        )
_a, _b = draw(2, 3), draw(3, 4)
for _label, _fn in {
    "lists": lambda lib, a, b: lib.einsum(a, [0, 1], b, [1, 2]),
    "lists and an output": lambda lib, a, b: lib.einsum(a, [0, 1], b, [1, 2], [2, 0]),
    "lists with an ellipsis": lambda lib, a, b: lib.einsum(a, [..., 1], [1, ...]),
    "lists, beyond 51": lambda lib, a, b: lib.einsum(a, [0, 52]),
    "lists of str": lambda lib, a, b: lib.einsum(a, ["a", "b"]),
    "a number": lambda lib, a, b: lib.einsum("i", 1.0),
    "a list of numbers": lambda lib, a, b: lib.einsum("i", [1.0]),
    "no operand": lambda lib, a, b: lib.einsum("i"),
    "no equation": lambda lib, a, b: lib.einsum(1, a),
    "transposed views": lambda lib, a, b: lib.einsum("ij,jk->ik", b.T, a.T),
    "one tensor twice": lambda lib, a, b: lib.einsum("ij,ij->i", a, a),
    "in capitals": lambda lib, a, b: lib.einsum("Xy,yZ", a, b),
}.items():
    call("einsum", _label, _fn, _a, _b)

# -- tensordot ---------------------------------------------------------------------------------

for _one, _two, _dims in [
    ((2, 3), (3, 4), 1), ((2, 3), (3, 4), 0), ((2, 3), (2, 3), 2), ((2, 3), (3, 4), 2),
    ((2, 3), (3, 4), 3), ((2, 3), (3, 4), -1), ((2, 3, 4), (4, 3), ([1, 2], [1, 0])),
    ((2, 3, 4), (4, 3), ([1, -1], [-1, 0])), ((2, 3), (3, 4), ([0], [0])),
    ((2, 3), (3, 4), ([0, 1], [0])), ((2, 3), (3, 4), ([2], [0])),
    ((2, 3), (3, 4), ([1, 1], [0, 0])),
    ((1, 3), (3, 4), ([0], [1])), ((2, 3), (3, 4), (1, 0)), ((2, 3), (3, 4), [[1], [0]]),
    ((2, 3), (3, 4), 1.0), ((), (3,), 0), ((), (), 0), ((2, 3), (3, 4), None),
    ((2, 3), (3, 4), True),
    ((2, 3), (3, 4), ([], [])), ((2, 3), (3, 4), (1,)), ((2, 3), (3, 4), ((1,), (0,))),
    ((2, 3, 4, 5), (5, 4, 3), ([3, 1], [0, 2])), ((2, 0), (0, 3), 1), ((0, 3), (3, 2), 1),
]:  # fmt: skip
    for _dtype in ("float32", "int64"):
        call(
            "tensordot",
            f"{_one}, {_two}, {_dims}, {_dtype}",
            lambda lib, a, b, d=_dims: lib.tensordot(a, b, d),
            draw(*_one, dtype=_dtype),
            draw(*_two, dtype=_dtype),
        )
call("tensordot", "two dims by default", _named("tensordot"), draw(2, 3, 4), draw(3, 4, 2))
call(
    "tensordot",
    "dims in a tensor",
    lambda lib, a, b: lib.tensordot(a, b, lib.tensor([[1], [0]])),
    _a,
    _b,
)
for _dtype in DTYPES:
    call(
        "tensordot", _dtype, _named("tensordot"), draw(2, 3, dtype=_dtype), draw(2, 3, dtype=_dtype)
    )
for _mixed in product(["float32", "float64", "int64", "bool"], repeat=2):
    call("tensordot", f"{_mixed}", _named("tensordot"), *(draw(2, 3, dtype=d) for d in _mixed))

# -- NumPy's functions -------------------------------------------------------------------------

for _label, _ours, _theirs, *_some in [
    ("np.dot of vectors", lambda np, a, b: np.dot(a, b), "dot", (3,), (3,)),
    ("np.dot of matrices", lambda np, a, b: np.dot(a, b), "mm", (2, 3), (3, 4)),
    ("np.dot with a 0-d tensor", lambda np, a, b: np.dot(a, b), "mul", (), (3, 4)),
    ("np.dot of a stack and a vector", lambda np, a, b: np.dot(a, b), "matmul", (2, 2, 3), (3,)),
    ("np.inner", lambda np, a, b: np.inner(a, b), "inner", (2, 3), (4, 3)),
    ("np.outer", lambda np, a, b: np.outer(a, b), "outer", (2,), (4,)),
    ("np.tensordot", lambda np, a, b: np.tensordot(a, b), "tensordot", (2, 3), (2, 3)),
    ("np.trace", lambda np, a: np.trace(a), "trace", (3, 3)),
]:
    call(
        "NumPy's products",
        _label,
        lambda lib, *xs, ours=_ours, theirs=_theirs: (
            getattr(lib, theirs)(*xs) if lib.__name__ == "torch" else ours(np, *xs)
        ),
        *(draw(*s) for s in _some),
    )
call(
    "NumPy's products",
    "np.einsum",
    lambda lib, a, b: (lib if lib.__name__ == "torch" else np).einsum("ij,jk->ki", a, b),
    _a,
    _b,
)
call(
    "NumPy's products",
    "np.dot of stacks",
    lambda lib, a, b: (
        lib.einsum("ijk,lkm->ijlm", a, b) if lib.__name__ == "torch" else np.dot(a, b)
    ),
    draw(2, 3, 4),
    draw(2, 4, 5),
)
call(
    "NumPy's products",
    "np.outer of matrices",
    lambda lib, a, b: (
        lib.outer(a.reshape(-1), b.reshape(-1)) if lib.__name__ == "torch" else np.outer(a, b)
    ),
    _a,
    _b,
)
call(
    "NumPy's products",
    "np.tensordot of one axis each",
    lambda lib, a, b: (
        lib.tensordot(a, b, 1) if lib.__name__ == "torch" else np.tensordot(a, b, (1, 0))
    ),
    _a,
    _b,
)

# -- linear ------------------------------------------------------------------------------------

for _shapes in [((2, 3), (4, 3), (4,)), ((3,), (4, 3), (4,)), ((5, 2, 3), (4, 3), (4,)),
                ((2, 3), (4, 3)), ((3,), (3,)), ((2, 3), (3,)), ((0, 3), (4, 3), (4,)),
                ((2, 3), (4, 2), (4,)), ((2, 3), (4, 3), (3,)), ((2, 3), (4, 3), (1,)),
                ((), (4, 3)), ((2, 3), (1, 4, 3))]:  # fmt: skip
    for _dtype in ("float32", "float16", "float64", "int64"):
        call(
            "linear",
            f"{_shapes}, {_dtype}",
            lambda lib, *xs: (lib.nn.functional.linear if lib.__name__ == "torch" else lib.linear)(
                *xs
            ),
            *(draw(*s, dtype=_dtype) for s in _shapes),
        )

# -- torch.linalg ------------------------------------------------------------------------------


def _of_linalg(name: str, *more: Any, **options: Any) -> Any:
    return lambda lib, *xs: getattr(lib.linalg, name)(*xs, *more, **options)


def _spd(*shape: int, dtype: Any = "float64") -> np.ndarray:
    """Symmetric matrices with positive eigenvalues."""
    a = draw(*shape, dtype="float64")
    return np.asarray(a @ a.swapaxes(-1, -2) + np.eye(shape[-1]), dtype)


_WRONG_MATRICES = [draw(2, 3), draw(3), draw(), draw(2, 2, dtype="int64"), draw(2, 3, 2)]
for _name in ["inv", "det", "matrix_exp", "cholesky", "eigvalsh", "cond"]:
    for _shape in [(1, 1), (3, 3), (2, 3, 3), (1, 2, 2, 2), (0, 0)]:
        if _shape != (0, 0) or _name != "cond":
            call(f"linalg.{_name}", f"{_shape}", _of_linalg(_name), _spd(*_shape))
    call(f"linalg.{_name}", "float32", _of_linalg(_name), _spd(3, 3, dtype="float32"))
    for _matrix in _WRONG_MATRICES[: 1 if _name == "cond" else None]:
        call(f"linalg.{_name}", f"of {_matrix.shape}", _of_linalg(_name), _matrix)
for _name in ["det", "logdet", "inverse", "matrix_exp", "pinverse"]:
    call(_name, "method", _method(_name), _spd(3, 3))
    call(_name, "function", _named(_name), _spd(3, 3))
for _name in ["slogdet", "linalg.slogdet"]:
    for _some in [_spd(3, 3), _spd(2, 1, 1), -_spd(3, 3), _spd(0, 0), draw(2, 3)]:
        _fn = lambda lib, x, n=_name: tuple((lib.linalg if "." in n else lib).slogdet(x))  # noqa: E731
        call(_name, f"{_some.shape}, {_some.sum() > 0}", _fn, _some)
call("linalg.matrix_power", "0", lambda lib, x: lib.linalg.matrix_power(x.detach(), 0), _spd(2, 2))
call("logdet", "negative", lambda lib, x: lib.logdet(x.detach()), [[0.0, 1.0], [1.0, 0.0]])
for _n in [-2, -1, 1, 2, 3, 7]:
    call("linalg.matrix_power", f"{_n}", _of_linalg("matrix_power", _n), _spd(2, 2))
    call("matrix_power", f"{_n}", _method("matrix_power", n=_n), _spd(2, 2, 2))
call("linalg.matrix_power", "of (2, 3)", _of_linalg("matrix_power", 2), draw(2, 3))
call("linalg.cholesky", "upper", _of_linalg("cholesky", upper=True), _spd(3, 3))
_DOUBLE = {"dtype": "float64"}
_rank = lambda lib, x: lib.linalg.matrix_rank(x.detach())  # noqa: E731
for _one, _two in [((2, 2), (2,)), ((2, 2), (2, 3)), ((3, 2, 2), (3, 2)), ((3, 2, 2), (2, 2)),
                   ((2, 2), (3, 2, 1)), ((2, 2), (3,)), ((2, 2), (3, 2)), ((3, 2, 2), (2,)),
                   ((2, 2), ())]:  # fmt: skip
    _given = _spd(*_one), draw(*_two, **_DOUBLE)
    call("linalg.solve", f"{_one}, {_two}", _of_linalg("solve"), *_given)
call("linalg.solve", "right", _of_linalg("solve", left=False), _spd(2, 2), draw(3, 2, **_DOUBLE))
call("linalg.solve", "types", _of_linalg("solve"), _spd(2, 2), draw(2, 2))
for _shape in [(3, 3), (4, 2), (2, 4), (2, 3, 2), (0, 2)]:
    _matrix = draw(*_shape, **_DOUBLE)
    call("linalg.qr", f"{_shape}", lambda lib, x: tuple(lib.linalg.qr(x)), _matrix)
    call("linalg.pinv", f"{_shape}", _of_linalg("pinv"), _matrix)
    call("linalg.matrix_rank", f"{_shape}", _rank, _matrix)
call("linalg.pinv", "rtol", lambda lib, x: lib.linalg.pinv(x.detach(), rtol=0.9), draw(3, 3))
call("linalg.matrix_rank", "1", _rank, np.ones((3, 3)))
for _p in (2, -2, "fro", 1, float("inf")):  # PyTorch cannot differentiate some
    call("linalg.cond", f"{_p}", lambda lib, x, p=_p: lib.linalg.cond(x.detach(), p), _spd(3, 3))
call("linalg.eigvalsh", "upper", _of_linalg("eigvalsh", UPLO="U"), _spd(3, 3))


def _measured(by: str) -> Any:
    """A part of complex eigenvalues, in order."""

    def fn(lib: Any, x: Any) -> Any:
        part = getattr(lib.linalg.eigvals(x.detach()), by)
        return (part() if callable(part) else part).sort()[0]

    return fn


for _part in ("abs", "angle", "real", "imag"):
    call("linalg.eigvals", _part, _measured(_part), draw(4, 4, **_DOUBLE))

for _one, _two in [((4, 2), (4, 1)), ((2, 4), (2, 3)), ((3, 3), (3, 2)), ((2, 4, 2), (2, 4, 1))]:
    call("linalg.lstsq", f"{_one}, {_two}", lambda lib, a, b: lib.linalg.lstsq(a, b).solution,
         draw(*_one, **_DOUBLE), draw(*_two, **_DOUBLE))  # fmt: skip
call("linalg.lstsq", "unfitting", lambda lib, a, b: lib.linalg.lstsq(a, b).solution,
     draw(3, 2), draw(2, 2))  # fmt: skip
for _upper, _unit in product((True, False), repeat=2):
    _fn = _of_linalg("solve_triangular", upper=_upper, unitriangular=_unit)
    call("linalg.solve_triangular", f"{_upper}, {_unit}", _fn, _spd(3, 3), draw(3, 2, **_DOUBLE))
call("linalg.vecdot", "matrices", _of_linalg("vecdot"), draw(2, 3), draw(2, 3))
call("linalg.vecdot", "dim", _of_linalg("vecdot", dim=0), draw(2, 3), draw(2, 3))
for _some in [((2, 3), (3, 4)), ((2, 3), (3, 1), (1, 5)), ((3,), (3, 2), (2, 4), (4,)), ((2, 3),),
              ((2, 3), (2, 3))]:  # fmt: skip
    call("linalg.multi_dot", f"{_some}", lambda lib, *xs: lib.linalg.multi_dot(list(xs)),
         *(draw(*s) for s in _some))  # fmt: skip
