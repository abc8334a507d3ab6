"""Calls of what asks for places in order, of products and distances, and of statistics."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from operations.harness import DTYPES, INF, NAN, call, draw

F = Callable[..., Any]


def of(name: str, *arguments: Any, **options: Any) -> F:
    """A call of a function of tensors."""
    return lambda lib, *xs: getattr(lib, name)(*xs, *arguments, **options)


def listed(name: str) -> F:
    """A call of a function of a list of tensors."""
    return lambda lib, *xs: getattr(lib, name)(list(xs))


SHAPES: list[tuple[int, ...]] = [(), (1,), (5,), (2, 3), (3, 1, 2), (0,), (2, 0, 3)]

# -- by rank -------------------------------------------------------------------------------------

for _shape, _dim in product(SHAPES, (0, -1, 1, -2)):
    _x = draw(*_shape)
    for _name, _arguments in (("kthvalue", (2,)), ("kthvalue", (1,)), ("mode", ()), ("cummax", ()),
                              ("cummin", ()), ("logcumsumexp", ())):  # fmt: skip
        if _x.size or _dim in (0, -1):  # of nothing PyTorch takes any dim
            call(_name, f"{_shape}, {_arguments}, {_dim}", of(_name, *_arguments, _dim), _x)
for _name in ("cummax", "cummin"):
    for _dtype in DTYPES:
        call(_name, f"{_dtype}, ties", of(_name, 0), draw(9, dtype=_dtype, low=-1, high=1))
    call(_name, "NaN", of(_name, 0), [1.0, NAN, 3.0, INF, NAN, -INF])
    call(_name, "the same again", of(_name, -1), [[2.0, 2.0, 1.0, 1.0, 3.0, 3.0]])
for _dtype in DTYPES:
    _x = draw(7, dtype=_dtype, low=-3, high=3)
    call("mode", _dtype, of("mode"), np.sort(_x) if _dtype.startswith("float") else _x)
    if _dtype != "bool":
        call("kthvalue", _dtype, of("kthvalue", 3), np.unique(_x))
for _k in (0, 6, -1, 1.5, "1"):
    call("kthvalue", f"k={_k}", of("kthvalue", _k), draw(5))
call("kthvalue", "keepdim", of("kthvalue", 2, 0, True), draw(3, 2))
call("mode", "keepdim", of("mode", 0, keepdim=True), draw(3, 2))

_QS: list[Any] = [0.0, 0.5, 1.0, 0.3, 1, -0.1, 1.5, "a", NAN]
for _name in ("quantile", "nanquantile"):
    for _shape, _q, _dim, _keep in product(
        [(), (1,), (5,), (2, 3), (0,), (2, 0)], (0.3, 1.0), (None, 0, -1), (False, True)
    ):
        _label = f"{_shape}, {_q}, {_dim}, {_keep}"
        call(_name, _label, of(_name, _q, _dim, _keep), draw(*_shape))
    for _q in _QS:
        call(_name, f"q={_q}", of(_name, _q), draw(6))
    for _way in ("linear", "lower", "higher", "midpoint", "nearest", "other"):
        for _q in (0.0, 0.3, 0.5, 0.875, 1.0):
            call(_name, f"{_way}, {_q}", of(_name, _q, 0, interpolation=_way), draw(5, 2))
            _gaps = np.where(draw(6, 3) > 1, NAN, draw(6, 3))
            call(_name, f"{_way}, {_q}, NaN", of(_name, _q, 0, interpolation=_way), _gaps)
    for _parts, _dim in product(([0.2, 0.7], [1.0], np.float32(0.4), [[0.5]], [-1.0]), (None, 1)):
        call(
            _name, f"q={_parts}, {_dim}",
            lambda lib, x, q, n=_name, d=_dim: getattr(lib, n)(x, q, d),
            draw(3, 4), np.asarray(_parts, np.float32),
        )  # fmt: skip
    call(_name, "nothing but NaN", of(_name, 0.5), [NAN, NAN])
    for _dtype in DTYPES:
        call(_name, _dtype, of(_name, 0.4), draw(5, dtype=_dtype))
for _shape, _options in product(SHAPES, ({}, {"dim": 0}, {"dim": -1, "keepdim": True})):
    call("aminmax", f"{_shape}, {_options}", of("aminmax", **_options), draw(*_shape))
for _shape in SHAPES:
    call("msort", f"{_shape}", of("msort"), draw(*_shape))
call("logcumsumexp", "far", of("logcumsumexp", 0), np.array([-1e4, 1e4, 0.0, 1e4]))
_fn = lambda lib, x: x.detach().logcumsumexp(0)  # noqa: E731  # PyTorch's derivative there is NaN
call("logcumsumexp", "infinite", _fn, [-INF, -INF, 1.0, 2.0, -INF])
call("logcumsumexp", "integers", of("logcumsumexp", 0), [1, 2])

_SORTED = np.sort(draw(6))
for _right, _values in product((False, True), ((), (4,), (2, 3), (0,))):
    _options = {"right": _right, "out_int32": _right}
    _label, _ties = f"{_values}, {_options}", np.resize(_SORTED, _values)
    for _wanted in (draw(*_values), _ties):
        call("searchsorted", _label, of("searchsorted", **_options), _SORTED, _wanted)
        _fn = lambda lib, s, x, o=_options: lib.bucketize(x, s, **o)  # noqa: E731
        call("bucketize", _label, _fn, _SORTED, _wanted)
for _side in (None, "left", "right", "x"):
    for _right in (False, True):
        _fn = of("searchsorted", side=_side, right=_right)
        call("searchsorted", f"{_side}, {_right}", _fn, _SORTED, _SORTED[1:4])
for _one, _two in [((2, 4), (2, 3)), ((2, 4), (3, 3)), ((2, 4), (3,)), ((2, 2, 3), (2, 2, 1))]:
    call("searchsorted", f"{_one}, {_two}", of("searchsorted"), np.sort(draw(*_one)), draw(*_two))
call("searchsorted", "in a number", of("searchsorted"), draw(), draw(2))
call("searchsorted", "a number", of("searchsorted", 0.5), _SORTED)
call("searchsorted", "two types", of("searchsorted"), [1, 3, 5], [2.5, 3.0])
_fn = lambda lib, s, x: lib.searchsorted(s, x, sorter=s.argsort())  # noqa: E731
call("searchsorted", "a sorter", _fn, draw(5), draw(3))
call("bucketize", "a number", lambda lib, s: lib.bucketize(0.5, s), _SORTED)
call(
    "bucketize",
    "a matrix of boundaries",
    lambda lib, s, x: lib.bucketize(x, s),
    draw(2, 2),
    draw(2),
)

# -- put together and taken apart ----------------------------------------------------------------

for _name in ("dstack", "column_stack"):
    for _shapes in [((),), ((2,), (2,)), ((2, 3), (2, 3)), ((2,), (2, 3)), ((2, 2, 1), (2, 2, 3)),
                    ((), (1,)), ((2,), (3,))]:  # fmt: skip
        call(_name, f"{_shapes}", listed(_name), *(draw(*s) for s in _shapes))
    call(_name, "two types", listed(_name), draw(2), draw(2, dtype="int64"))
    call(_name, "nothing", listed(_name))
for _shapes in [((2, 3), (1, 1)), ((2,), (2, 2), ()), ((0, 2), (2, 1)), ((2, 2, 2),), ((0,),), ()]:
    call("block_diag", f"{_shapes}", of("block_diag"), *(draw(*s) for s in _shapes))
call("block_diag", "two types", of("block_diag"), draw(1, 2), draw(2, 1, dtype="int64"))
for _name, _shape in product(("hsplit", "vsplit", "dsplit"), [(4,), (4, 2), (2, 4, 4), ()]):
    for _parts in (1, 2, 3, 0, -1, (1, 3), [2], (3, 1)):
        call(_name, f"{_shape}, {_parts}", of(_name, _parts), draw(*_shape))
for _k, _dims in product((0, 1, 2, 3, -1, 5), [(0, 1), (1, 0), (-1, 0), (0, 0), (0,), (0, 5)]):
    call("rot90", f"{_k}, {_dims}", of("rot90", _k, _dims), draw(2, 3))
call("rot90", "of three axes", of("rot90", 1, (0, 2)), draw(2, 3, 4))
call("rot90", "of one axis", of("rot90"), draw(3))
for _shape, _offset, _dims in product(
    [(3,), (2, 3), (), (0,)], (0, 1, -2), [(-2, -1), (0, 1), (0, -1), (0, 0), (0, 5)]
):
    _fn = of("diag_embed", _offset, *_dims)
    call("diag_embed", f"{_shape}, {_offset}, {_dims}", _fn, draw(*_shape))

# -- products and distances ----------------------------------------------------------------------

for _shapes, _dim in product(
    [((3,), (3,)), ((2, 3), (2, 3)), ((3, 3), (3, 3)), ((2, 3), (1, 3)), ((2, 3), (3,)),
     ((2, 2), (2, 2)), ((3, 2), (3, 2))], (None, 0, -1),
):  # fmt: skip
    if _dim is not None:  # else it warns
        call("cross", f"{_shapes}, {_dim}", of("cross", dim=_dim), *(draw(*s) for s in _shapes))
for _dtype in DTYPES:
    call("cross", _dtype, of("cross", dim=0), draw(3, dtype=_dtype), draw(3, dtype=_dtype))
call("cross", "two types", of("cross", dim=0), draw(3), draw(3, dtype="float64"))
for _shapes in [((), ()), ((2,), (3,)), ((2, 2), (3,)), ((2, 1, 2), (2, 3)), ((0,), (2,))]:
    call("kron", f"{_shapes}", of("kron"), *(draw(*s) for s in _shapes))
call("kron", "two types", of("kron"), draw(2), draw(2, dtype="int64"))
for _shapes, _p in product(
    [((2, 3), (4, 3)), ((2, 2, 3), (4, 3)), ((2, 3), (2, 3, 3)), ((0, 3), (2, 3)), ((2, 3), (2, 2)),
     ((3,), (2, 3)), ((2, 0), (3, 0))], (2.0, 1, 0, 3, INF, -1),
):  # fmt: skip
    if 0 not in _shapes[1] or 0 < _p < INF:
        call("cdist", f"{_shapes}, {_p}", of("cdist", _p), *(draw(*s) for s in _shapes))
_SAME = draw(3, 2)
call("cdist", "with itself", lambda lib, x: lib.cdist(x, x.detach() + 0, 2.0), _SAME)
call("cdist", "two types", of("cdist"), _SAME, _SAME.astype("float64"))
call("cdist", "integers", of("cdist"), _SAME.astype("int64"), _SAME.astype("int64"))
for _p in (2, 1, 3, INF, 0.5):
    call("dist", f"{_p}", of("dist", _p), draw(2, 3), draw(3))
for _sizes in [(2, 3), (2,), (2, 1, 2), (0, 2)]:
    call("cartesian_prod", f"{_sizes}", of("cartesian_prod"), *(draw(n) for n in _sizes))
call("cartesian_prod", "a matrix", of("cartesian_prod"), draw(2, 2), draw(2))
for _r, _again in product((0, 1, 2, 3, 5, -1), (False, True)):
    call("combinations", f"{_r}, {_again}", of("combinations", _r, _again), draw(4))
call("combinations", "a matrix", of("combinations"), draw(2, 2))

# -- statistics ----------------------------------------------------------------------------------

for _shape, _correction in product([(), (4,), (2, 4), (3, 1), (2, 0), (2, 2, 2)], (0, 1, 2)):
    call("cov", f"{_shape}, {_correction}", of("cov", correction=_correction), draw(*_shape))
_OBSERVED = draw(2, 4)
for _often, _much in product((None, [1, 2, 0, 3], [1, 2], [-1, 1, 1, 1], [1.0] * 4),
                             (None, [0.5, 1.0, 2.0, 0.0], [1, 1, 1, 1])):  # fmt: skip
    for _correction in (0, 1):
        call("cov", f"weights {_often}, {_much}, {_correction}",
             lambda lib, x, f=_often, a=_much, c=_correction: lib.cov(
                 x, correction=c, fweights=None if f is None else lib.tensor(f),
                 aweights=None if a is None else lib.tensor(a)),
             _OBSERVED)  # fmt: skip
for _shape in [(), (4,), (2, 4), (3, 4), (2, 2, 2)]:
    call("corrcoef", f"{_shape}", of("corrcoef"), draw(*_shape))
for _options in [(), (4,), (4, -1, 1), (3, 0, 0), (0,), (2, 1, -1), (5, 0, INF), (3, -5, -4)]:
    call("histc", f"{_options}", lambda lib, x, o=_options: lib.histc(x.detach(), *o), draw(9))
call("histc", "all equal", lambda lib, x: lib.histc(x.detach(), 4), [2.0, 2.0])
call("histc", "nothing", lambda lib, x: lib.histc(x.detach(), 4), np.zeros(0, np.float32))
call("histc", "float64", lambda lib, x: lib.histc(x.detach(), 4, 0, 1), draw(9, dtype="float64"))
for _name in ("trapezoid", "cumulative_trapezoid", "trapz"):
    for _shape, _dim in product([(4,), (2, 3), (1,), (0,), (2, 0), ()], (-1, 0)):
        call(_name, f"{_shape}, {_dim}", of(_name, dim=_dim), draw(*_shape))
    for _dx in (2, 0.5, -1):
        call(_name, f"dx={_dx}", of(_name, dx=_dx), draw(2, 3))
    for _shapes in [
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((2, 3), (2, 3)),
        ((2, 3), (1, 3)),
        ((2, 3), (2,)),
    ]:
        call(_name, f"{_shapes}", of(_name), *(draw(*s) for s in _shapes))
    call(_name, "of rows", of(_name, dim=0), draw(3, 2), draw(3))
