"""Calls of reductions, running sums and norms."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np

from operations.harness import DTYPES, EXTREMES, INF, NAN, SHAPES, call, draw

_CUBE = draw(2, 3, 4)
_DIMS: list[Any] = [0, -1, 2, -3, 3, -4, None, (0,), (0, 2), (-1, 0), (0, 0), (), [1, 2], 0.5, "x"]
_TIES = [[1.0, 3.0, 3.0], [3.0, 2.0, 3.0], [1.0, 1.0, 1.0]]
_NANS = [[1.0, NAN, 3.0], [NAN, NAN, 2.0], [1.0, 2.0, -1.0]]
_INFS = [[INF, 1.0, -INF], [-INF, -INF, -INF], [INF, INF, 2.0]]
_ZEROS = [[2.0, 0.0, 3.0], [0.0, 4.0, 0.0], [1.0, -2.0, 0.5]]
_EXTREME_ROWS = [[x, 1.5] for x in EXTREMES]
_GREAT = 70_000  # more than float16 counts to
TABLES = {"ties": _TIES, "NaN": _NANS, "inf": _INFS, "zeros": _ZEROS}


def over_axes(name: str, dims: list[Any], shapes: Any = SHAPES, dtypes: Any = DTYPES) -> None:
    """Calls of ``lib.name(x, dim, keepdim)`` with everything that a reduction may meet."""
    for shape in shapes:
        call(name, f"{shape}", lambda lib, x: getattr(lib, name)(x), draw(*shape))
        call(name, f"{shape}, dim=-1", lambda lib, x: getattr(x, name)(-1), draw(*shape))
        call(
            name, f"{shape}, dim=0, keepdim", lambda lib, x: getattr(x, name)(0, True), draw(*shape)
        )
    for dim in dims:
        call(name, f"dim={dim!r}", lambda lib, x, d=dim: getattr(lib, name)(x, d), _CUBE)
        call(
            name,
            f"dim={dim!r}, keepdim",
            lambda lib, x, d=dim: getattr(lib, name)(x, dim=d, keepdim=True),
            _CUBE,
        )
    for dim in [0, -1, 1]:
        call(name, f"0-d, dim={dim}", lambda lib, x, d=dim: getattr(lib, name)(x, d), 1.5)
    for dtype in dtypes:
        call(name, dtype, lambda lib, x: getattr(lib, name)(x), draw(3, 2, dtype=dtype))
        call(
            name,
            f"{dtype}, dim=1",
            lambda lib, x: getattr(lib, name)(x, 1),
            draw(3, 2, dtype=dtype),
        )
    for what, rows in TABLES.items():
        for dim in [0, 1]:
            call(name, f"{what}, dim={dim}", lambda lib, x, d=dim: getattr(lib, name)(x, d), rows)
        call(name, what, lambda lib, x: getattr(lib, name)(x), rows)
    call(name, "extremes", lambda lib, x: getattr(lib, name)(x, -1), _EXTREME_ROWS)
    call(name, "a transposed view", lambda lib, x: getattr(lib, name)(x.T, 0), _CUBE[0])
    call(name, "every second", lambda lib, x: getattr(lib, name)(x[::2], -1), _CUBE[1])
    call(name, "keepdim, an int", lambda lib, x: getattr(lib, name)(x, 0, 1), _CUBE)
    call(name, "NumPy's names", lambda lib, x: getattr(lib, name)(x, axis=0, keepdims=True), _CUBE)
    call(name, "a list", lambda lib: getattr(lib, name)([1.0]))


over_axes("sum", _DIMS)
over_axes("mean", _DIMS)
over_axes("amax", _DIMS)
over_axes("amin", _DIMS)
over_axes("prod", [d for d in _DIMS if d is not None])
over_axes("argmax", _DIMS)
over_axes("argmin", _DIMS)
over_axes("logsumexp", [d for d in _DIMS if d != ()])
for _name in ["all", "any"]:
    over_axes(_name, _DIMS)
    call(_name, "0-d, dim=()", lambda lib, x, n=_name: getattr(lib, n)(x, ()), 2.0)
    call(_name, "dim=[]", lambda lib, x, n=_name: getattr(lib, n)(x, []), [0, 3])

for _name in ["sum", "mean", "prod"]:
    for _dtype in DTYPES:
        for _wanted in ["float64", "float16", "float32", "int64", "int8"]:
            call(
                _name,
                f"{_dtype}, dtype={_wanted}",
                lambda lib, x, n=_name, w=_wanted: getattr(lib, n)(
                    x.detach() if w.startswith("i") else x, dtype=getattr(lib, w)
                ),
                draw(2, 3, dtype=_dtype),
                tolerance=2e-2 if "float16" in (_dtype, _wanted) else 2e-5,
            )
    call(_name, "dtype=bool", lambda lib, x, n=_name: getattr(lib, n)(
        x.detach(), dim=0, dtype=getattr(lib, "bool_", None) or lib.bool
    ), [0.0, 2.0])  # fmt: skip
    call(_name, "dtype='x'", lambda lib, x, n=_name: getattr(lib, n)(x, dtype="x"), [1.0])
    call(
        _name,
        "many in float16",
        lambda lib, x, n=_name: getattr(lib, n)(x, 0),
        np.ones((_GREAT, 2), np.float16),
    )
call("sum", "few enough in float16", lambda lib, x: lib.sum(x, 0), np.ones((5000, 2), np.float16))

# -- running sums and products -------------------------------------------------------------------

for _name in ["cumsum", "cumprod"]:
    for _shape in SHAPES:
        for _dim in [0, -1, 1]:
            call(
                _name,
                f"{_shape}, dim={_dim}",
                lambda lib, x, n=_name, d=_dim: getattr(lib, n)(x, d),
                draw(*_shape),
            )
    for _dim in [None, (0,), 0.5, 3]:
        call(_name, f"dim={_dim}", lambda lib, x, n=_name, d=_dim: getattr(lib, n)(x, d), _CUBE)
    for _dtype in DTYPES:
        call(_name, _dtype, lambda lib, x, n=_name: getattr(x, n)(0), draw(3, 2, dtype=_dtype))
        for _wanted in ["float64", "int8", "int64"]:
            call(
                _name,
                f"{_dtype}, dtype={_wanted}",
                lambda lib, x, n=_name, w=_wanted: getattr(lib, n)(
                    x.detach(), 0, dtype=getattr(lib, w)
                ),
                draw(3, 2, dtype=_dtype),
            )
    for _what, _rows in TABLES.items():
        for _dim in [0, 1]:
            call(
                _name,
                f"{_what}, dim={_dim}",
                lambda lib, x, n=_name, d=_dim: getattr(lib, n)(x, d),
                _rows,
            )
    call(_name, "a transposed view", lambda lib, x, n=_name: getattr(x.T, n)(0), _CUBE[0])
    call(_name, "every second", lambda lib, x, n=_name: getattr(x[:, ::2], n)(1), _CUBE[0])
    call(_name, "no dim", lambda lib, x, n=_name: getattr(lib, n)(x), [1.0])
    call(_name, "dtype=bool", lambda lib, x, n=_name: getattr(lib, n)(
        x.detach(), 0, dtype=getattr(lib, "bool_", None) or lib.bool
    ), [0.0, 2.0])  # fmt: skip
    call(_name, "axis", lambda lib, x, n=_name: getattr(lib, n)(x, axis=0), _CUBE)
    call(_name, "a list", lambda lib, n=_name: getattr(lib, n)([1.0], 0))
call("cumsum", "many in float16", lambda lib, x: lib.cumsum(x, 0), np.ones(5000, np.float16))
call("cumprod", "long", lambda lib, x: lib.cumprod(x, 0), draw(300, low=0.9, high=1.1))

# -- spread --------------------------------------------------------------------------------------


def _spread(lib: Any, name: str, x: Any, *arguments: Any, **options: Any) -> Any:
    """Without PyTorch's warning that no degrees of freedom are left."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(lib, name)(x, *arguments, **options)


for _name in ["var", "std", "var_mean", "std_mean"]:
    for _shape in SHAPES:
        for _options in [{}, {"correction": 0}, {"dim": 0}, {"dim": -1, "keepdim": True},
                         {"dim": (0,), "correction": 0.5}]:  # fmt: skip
            call(
                _name,
                f"{_shape}, {_options}",
                lambda lib, x, n=_name, o=_options: _spread(lib, n, x, **o),
                draw(*_shape),
            )
    for _dim in _DIMS:
        if _dim != ():  # PyTorch's gradient is infinite there: it counts no elements
            call(
                _name, f"dim={_dim!r}", lambda lib, x, n=_name, d=_dim: _spread(lib, n, x, d), _CUBE
            )
    for _options in [
        {"unbiased": False}, {"unbiased": True}, {"dim": 1, "unbiased": False}, {"keepdim": True},
        {"dim": (0, 1), "unbiased": True, "keepdim": True}, {"correction": 2}, {"correction": -1},
        {"correction": None}, {"correction": True}, {"correction": 12}, {"correction": "1"},
        {"unbiased": 0}, {"unbiased": "no"}, {"unbiased": True, "correction": 1},
        {"axis": 0, "keepdims": True},
    ]:  # fmt: skip
        call(
            _name,
            f"{_options}",
            lambda lib, x, n=_name, o=_options: _spread(lib, n, x, **o),
            _CUBE,
        )
    for _correction in [24, 25]:  # PyTorch's gradients are not the same with and without dim then
        call(
            _name,
            f"correction={_correction}",
            lambda lib, x, n=_name, c=_correction: _spread(lib, n, x.detach(), correction=c),
            _CUBE,
        )
    for _given in [(False,), (True,), (1, False), (1, True, True), (1, 0), (True, True)]:
        call(
            _name,
            f"positional {_given}",
            lambda lib, x, n=_name, a=_given: _spread(lib, n, x, *a),
            _CUBE,
        )
    for _dtype in DTYPES:
        call(_name, _dtype, lambda lib, x, n=_name: _spread(lib, n, x), draw(4, dtype=_dtype))
    for _what, _rows in TABLES.items():
        if _name.endswith("mean") and _what == "inf":
            continue  # PyTorch's mean beside a variance of infinities is NaN; alone it is ∞
        for _correction in [0, 1, 3, 5]:
            call(
                _name,
                f"{_what}, correction={_correction}",
                lambda lib, x, n=_name, c=_correction: _spread(lib, n, x, 1, correction=c),
                _rows,
            )
    call(_name, "no spread", lambda lib, x, n=_name: _spread(lib, n, x, 1), [[2.0, 2.0], [1, 3]])
    call(_name, "far from 0", lambda lib, x, n=_name: _spread(lib, n, x), draw(9) + 100,
         tolerance=1e-4)  # fmt: skip
    call(_name, "wide float16", lambda lib, x, n=_name: _spread(lib, n, x),
         draw(9, low=-600, high=600, dtype=np.float16))  # fmt: skip
    call(_name, "of a transposed view", lambda lib, x, n=_name: _spread(lib, n, x.T, 0), _CUBE[0])
    call(_name, "a list", lambda lib, n=_name: _spread(lib, n, [1.0]))

# -- counting ------------------------------------------------------------------------------------

for _shape in SHAPES:
    call("count_nonzero", f"{_shape}", lambda lib, x: lib.count_nonzero(x), draw(*_shape))
for _dim in _DIMS:
    call("count_nonzero", f"dim={_dim!r}", lambda lib, x, d=_dim: lib.count_nonzero(x, d), _CUBE)
for _dtype in DTYPES:
    call("count_nonzero", _dtype, lambda lib, x: x.count_nonzero(0), draw(5, 2, dtype=_dtype))
call("count_nonzero", "NaN", lambda lib, x: lib.count_nonzero(x), [NAN, 0.0, -0.0, INF])
call("count_nonzero", "keepdim", lambda lib, x: lib.count_nonzero(x, keepdim=True), [1.0])
call("count_nonzero", "0-d, dim=1", lambda lib, x: lib.count_nonzero(x, 1), 1.0)

# -- norms ---------------------------------------------------------------------------------------

_ORDS = [2, 1, INF, -INF, 3, 2.5, 1.5, 0.5, -1, -2, 4, True]
_POINTS = {
    "zeros": [0.0, 0.0],
    "one zero": [3.0, -4.0, 0.0],
    "ties": [2.0, -2.0],
    "0": [0.0],
    "inf": [INF, 1.0],
    "two infs": [-INF, INF],
    "NaN": [NAN, 1.0],
    "small and large": [1e-4, 1e4],
}
for _name, _norm in [
    ("linalg.vector_norm", lambda lib: lib.linalg.vector_norm),
    ("norm", lambda lib: lib.norm),
]:
    for _ord in _ORDS:
        for _what, _point in _POINTS.items():
            call(
                _name,
                f"{_ord}, {_what}",
                lambda lib, x, f=_norm, o=_ord: f(lib)(x, o),
                _point,
                tolerance=1e-4,
            )
        for _shape in SHAPES:
            call(
                _name,
                f"{_ord}, {_shape}",
                lambda lib, x, f=_norm, o=_ord: f(lib)(x, o),
                draw(*_shape, low=0.5),
                tolerance=1e-4,
            )
            call(
                _name,
                f"{_ord}, {_shape}, dim=0",
                lambda lib, x, f=_norm, o=_ord: f(lib)(x, o, 0, True),
                draw(*_shape, low=-2, high=-0.5),
                tolerance=1e-4,
            )
    for _dim in _DIMS:
        if not (_name == "norm" and _dim in ("x", 0.5)):
            call(_name, f"dim={_dim!r}", lambda lib, x, f=_norm, d=_dim: f(lib)(x, 2, d), _CUBE)
            call(
                _name,
                f"dim={_dim!r}, keepdim",
                lambda lib, x, f=_norm, d=_dim: f(lib)(x, 1, dim=d, keepdim=True),
                _CUBE,
            )
    for _dtype in DTYPES:
        call(_name, _dtype, lambda lib, x, f=_norm: f(lib)(x), draw(4, dtype=_dtype))
        for _wanted in ["float16", "float32", "float64", "int64"]:
            call(
                _name,
                f"{_dtype}, dtype={_wanted}",
                lambda lib, x, f=_norm, w=_wanted: f(lib)(x, dtype=getattr(lib, w)),
                draw(4, dtype=_dtype),
            )
    # whatever is counted, there is no derivative: PyTorch's gradient is None, ours are zeros
    for _dim in [None, 0, -1]:
        call(
            _name,
            f"0, dim={_dim}",
            lambda lib, x, f=_norm, d=_dim: f(lib)(x.detach(), 0, d),
            [[0.0, 1.0, NAN], [2.0, 0.0, 0.0]],
        )
    call(_name, "large float16", lambda lib, x, f=_norm: f(lib)(x), np.full(9, 300, np.float16))
    call(_name, "a transposed view", lambda lib, x, f=_norm: f(lib)(x.T, 3, 0), _CUBE[0])
    call(_name, "ord 'x'", lambda lib, x, f=_norm: f(lib)(x, "x"), _CUBE[0])
call("linalg.vector_norm", "ord None", lambda lib, x: lib.linalg.vector_norm(x, None), [1.0])
call("linalg.vector_norm", "a list", lambda lib: lib.linalg.vector_norm([1.0]))
for _p in [None, "fro", "x", "nuc"]:
    for _dim in [None, 0, (0, 2)]:
        call("norm", f"{_p}, dim={_dim}", lambda lib, x, p=_p, d=_dim: lib.norm(x, p, d), _CUBE)
call("norm", "method", lambda lib, x: x.norm(p=1, dim=0, keepdim=True), _CUBE)
call("norm", "keepdim", lambda lib, x: lib.norm(x, keepdim=True), _CUBE)

for _ord in ["fro", 1, -1, INF, -INF, 0, 3, "x", 2, -2, "nuc"]:
    for _shape in [(2, 3), (3, 2, 4), (0, 3), (3, 0), (0, 0), (4,), ()]:
        call(
            "linalg.norm",
            f"{_ord}, {_shape}",
            lambda lib, x, o=_ord: lib.linalg.norm(x, o) if o else lib.linalg.norm(x.detach(), o),
            draw(*_shape, low=0.5),
        )
    for _dim in [(0, 1), (-1, 0), (2, -2), [1, 2], (0, 0), (0, 3), (0,), (0, 1, 2), ()]:
        for _keep in [False, True]:
            call(
                "linalg.norm",
                f"{_ord}, dim={_dim}, keepdim={_keep}",
                lambda lib, x, o=_ord, d=_dim, k=_keep: lib.linalg.norm(
                    x if o else x.detach(), o, d, k
                ),
                _CUBE,
            )
for _ord in [1, INF, "fro", 2, -2, "nuc"]:
    for _what, _rows in TABLES.items():
        if _ord in (2, -2, "nuc") and not np.isfinite(_rows).all():
            continue  # refused, with an exception of its own
        call(
            "linalg.norm",
            f"{_ord}, {_what}",
            lambda lib, x, o=_ord: lib.linalg.norm(x, o),
            _rows,
        )
for _dtype in DTYPES:
    for _ord in [None, "fro", 2, "nuc"]:
        call(
            "linalg.norm",
            f"{_ord}, {_dtype}",
            lambda lib, x, o=_ord: lib.linalg.norm(x, o),
            draw(2, 3, dtype=_dtype),
        )
        if _dtype == "float16" and _ord in (2, "nuc"):
            continue  # refused by PyTorch, although it is to compute in float32
        call(
            "linalg.norm",
            f"{_ord}, {_dtype}, dtype=float32",
            lambda lib, x, o=_ord: lib.linalg.norm(x, o, dtype=lib.float32),
            draw(2, 3, dtype=_dtype),
        )
for _dim in [None, 0, (1,), (0, 2), (0, 1, 2), ()]:
    for _shape in [(2, 3, 4), ()]:
        call(
            "linalg.norm",
            f"ord None, {_shape}, dim={_dim}",
            lambda lib, x, d=_dim: lib.linalg.norm(x, dim=d),
            draw(*_shape),
        )

for _shape in [(2, 3), (3, 3), (0, 2), (4,)]:
    call("norm", f"nuc of {_shape}", lambda lib, x: lib.norm(x, "nuc"), draw(*_shape))
    call(
        "norm", f"nuc of {_shape}, kept", lambda lib, x: x.norm("nuc", keepdim=True), draw(*_shape)
    )

_MATRIX_ORDS = ["fro", "nuc", 1, -1, 2, -2, INF, -INF, 0, 3, "x", None]
for _ord in _MATRIX_ORDS:
    for _shape in [(2, 3), (3, 3), (3, 2, 4), (0, 3), (3, 0), (2, 0, 0), (4,), ()]:
        call(
            "linalg.matrix_norm",
            f"{_ord}, {_shape}",
            lambda lib, x, o=_ord: lib.linalg.matrix_norm(x, o),
            draw(*_shape, low=0.5),
        )
    for _dim, _keep in itertools.product(
        [(0, 1), [-1, 0], (0, 0), (0, 3), (0,), 0, (0, 1, 2)], [False, True]
    ):
        call(
            "linalg.matrix_norm",
            f"{_ord}, dim={_dim}, keepdim={_keep}",
            lambda lib, x, o=_ord, d=_dim, k=_keep: lib.linalg.matrix_norm(x, o, d, k),
            _CUBE,
        )
for _dtype in DTYPES:
    call(
        "linalg.matrix_norm",
        _dtype,
        lambda lib, x: lib.linalg.matrix_norm(x),
        draw(2, 3, dtype=_dtype),
    )
    call(
        "linalg.matrix_norm",
        f"{_dtype}, 2",
        lambda lib, x: lib.linalg.matrix_norm(x, 2),
        draw(2, 3, dtype=_dtype),
    )
    if _dtype == "float16":
        continue
    call(
        "linalg.matrix_norm",
        f"{_dtype} in float64",
        lambda lib, x: lib.linalg.matrix_norm(x, 2, dtype=lib.float64),
        draw(2, 3, dtype=_dtype),
    )

# -- singular values ------------------------------------------------------------------------------

for _shape in [
    (2, 3),
    (3, 2),
    (3, 3),
    (2, 4, 3),
    (2, 1, 2, 2),
    (0, 2),
    (2, 0),
    (0, 2, 3),
    (3,),
    (),
]:
    call("linalg.svdvals", f"{_shape}", lambda lib, x: lib.linalg.svdvals(x), draw(*_shape))
    for _full in (True, False):  # up to the signs of the vectors
        call(
            "linalg.svd",
            f"{_shape}, {_full}",
            lambda lib, x, f=_full: tuple(abs(part) for part in lib.linalg.svd(x, full_matrices=f)),
            draw(*_shape, dtype="float64"),
            tolerance=1e-8,
        )
for _dtype in DTYPES:
    call("linalg.svdvals", _dtype, lambda lib, x: lib.linalg.svdvals(A=x), draw(2, 3, dtype=_dtype))
    call("linalg.svd", _dtype, lambda lib, x: lib.linalg.svd(A=x).S, draw(2, 3, dtype=_dtype))
for _what, _matrix in {
    "zeros": np.zeros((2, 3)), "eye": np.eye(3),
}.items():  # fmt: skip
    call("linalg.svdvals", _what, lambda lib, x: lib.linalg.svdvals(x).sum(), _matrix)
call("linalg.svdvals", "a list", lambda lib: lib.linalg.svdvals([[1.0]]))
call("linalg.svd", "a flag", lambda lib, x: lib.linalg.svd(x, 1), draw(2, 2))

# -- NumPy's functions -----------------------------------------------------------------------------

_NUMPYS: dict[str, tuple[Any, Any]] = {
    "sum": (lambda x: np.sum(x, axis=0), lambda torch, x: torch.sum(x, 0)),
    "mean": (lambda x: np.mean(x, keepdims=True), lambda torch, x: torch.mean(x, (0, 1), True)),
    "prod": (lambda x: np.prod(x, 1), lambda torch, x: torch.prod(x, 1)),
    "var": (lambda x: np.var(x, axis=1), lambda torch, x: torch.var(x, 1, correction=0)),
    "std": (lambda x: np.std(x, 0, ddof=1), lambda torch, x: torch.std(x, 0)),
    "max": (lambda x: np.max(x, axis=(0, 1)), lambda torch, x: torch.amax(x)),
    "min": (lambda x: np.amin(x, 1, keepdims=True), lambda torch, x: torch.amin(x, 1, True)),
    "argmax": (lambda x: np.argmax(x, axis=1), lambda torch, x: torch.argmax(x, 1)),
    "argmin": (lambda x: np.argmin(x), lambda torch, x: torch.argmin(x)),
    "all": (lambda x: np.all(x, axis=0), lambda torch, x: torch.all(x, 0)),
    "any": (lambda x: np.any(x), lambda torch, x: torch.any(x)),
    "count_nonzero": (lambda x: np.count_nonzero(x), lambda torch, x: torch.count_nonzero(x)),
    "cumsum": (lambda x: np.cumsum(x), lambda torch, x: torch.cumsum(x.reshape(-1), 0)),
    "cumprod": (lambda x: np.cumprod(x, axis=1), lambda torch, x: torch.cumprod(x, 1)),
    "linalg.norm": (lambda x: np.linalg.norm(x, 1), lambda torch, x: torch.linalg.norm(x, 1)),
    "sort": (lambda x: np.sort(x, axis=None), lambda torch, x: torch.sort(x.reshape(-1))[0]),
    "argsort": (lambda x: np.argsort(x), lambda torch, x: torch.argsort(x)),
    "diff": (lambda x: np.diff(x, axis=0), lambda torch, x: torch.diff(x, dim=0)),
}
for _name, (_ours, _theirs) in _NUMPYS.items():
    call(
        f"np.{_name}",
        "of a matrix",
        lambda lib, x, a=_ours, b=_theirs: b(lib, x) if lib.__name__ == "torch" else a(x),
        draw(3, 4),
    )
