"""Cases of reductions, running sums and norms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_rnn.testing.cases.table import Array, add_case, positive, signed

_OVER = [
    ((), None, False),
    ((), 0, True),
    ((4,), 0, False),
    ((4,), -1, True),
    ((2, 3), None, False),
    ((2, 3), 0, False),
    ((2, 3), -1, True),
    ((2, 3, 4), (0, 2), False),
    ((2, 3, 4), (-1, 0), True),
    ((1, 3, 1), 0, False),
]
_OVER_NOTHING = [((0, 3), 1, False), ((2, 0), 0, True)]


def _add(
    name: str,
    ref: Callable[..., Any],
    over: list[Any],
    options: dict[str, Any] | None = None,
    numpys: dict[str, Any] | None = None,
    draw: Callable[..., Any] = signed,
) -> None:
    """Cases of ``lib.name(x, dim=…, keepdim=…, **options)`` and of a transposed view."""
    options = options or {}
    what = "".join(f", {key}={value}" for key, value in options.items())
    for shape, dim, keep in over:
        add_case(
            name,
            f"{shape}, dim={dim}, keepdim={keep}{what}",
            lambda lib, x, d=dim, k=keep: (
                getattr(lib, name)(x, **options)
                if d is None
                else getattr(lib, name)(x, dim=d, keepdim=k, **options)
            ),
            [draw(*shape)],
            lambda x, d=dim if shape else None, k=keep: ref(
                x, axis=d, keepdims=k, **(numpys or options)
            ),
        )
    add_case(
        name,
        f"of a transposed view{what}",
        lambda lib, x: getattr(lib, name)(x.T, dim=0, **options),
        [draw(3, 3)],
        lambda x: ref(x.T, axis=0, **(numpys or options)),
    )


def _logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))


_ONE_AXIS = [o for o in _OVER if not isinstance(o[1], tuple)]
_add("sum", np.sum, _OVER + _OVER_NOTHING)
_add("mean", np.mean, _OVER + _OVER_NOTHING[:1] + [((2, 0), 0, True)])
_add("prod", np.prod, _ONE_AXIS + _OVER_NOTHING)
_add("amax", np.max, _OVER + _OVER_NOTHING)
_add("amin", np.min, _OVER + _OVER_NOTHING)
_add("logsumexp", _logsumexp, [o for o in _OVER if o[1] is not None] + _OVER_NOTHING[1:])
for _name, _ref in [("var", np.var), ("std", np.std)]:
    _several = [o for o in _OVER if o[0] != () and (o[0], o[1]) != ((1, 3, 1), 0)]
    _add(_name, _ref, _several, {"correction": 1}, {"ddof": 1})
    _add(_name, _ref, _several, {"correction": 0}, {"ddof": 0})
add_case("var", "of one", lambda lib, x: lib.var(x, correction=0), [2.0], lambda x: x * 0)

for _name, _ref in [("max", np.max), ("min", np.min)]:
    for _shape in [(), (4,), (2, 3), (1, 3, 2)]:
        add_case(
            _name,
            f"{_shape}",
            lambda lib, x, n=_name: getattr(lib, n)(x),
            [signed(*_shape)],
            lambda x, r=_ref: r(x),
        )
for _shape in [(), (4,), (5,), (2, 3)]:
    add_case(
        "median",
        f"{_shape}",
        lambda lib, x: lib.median(x),
        [signed(*_shape)],
        lambda x: np.sort(x.ravel())[(x.size - 1) // 2],
    )

_ZEROS = {
    "one zero": [2.0, 0.0, -3.0, 0.5],
    "two zeros": [0.0, 1.5, 0.0, 3.0],
    "zeros only": [0.0, 0.0, 0.0],
    "zeros in columns": [[1.0, 0.0], [0.0, 0.0], [2.0, -3.0]],
}
for _what, _values in _ZEROS.items():
    add_case("prod", _what, lambda lib, x: lib.prod(x), [_values], np.prod)
    add_case(
        "prod",
        f"{_what}, along an axis",
        lambda lib, x: lib.prod(x, 0),
        [_values],
        lambda x: np.prod(x, 0),
    )
    add_case(
        "cumprod", _what, lambda lib, x: lib.cumprod(x, 0), [_values], lambda x: np.cumprod(x, 0)
    )

for _name, _ref in [("cumsum", np.cumsum), ("cumprod", np.cumprod)]:
    for _shape, _dim in [((4,), 0), ((1,), 0), ((2, 3), 0), ((2, 3), -1), ((2, 9, 2), 1),
                         ((0,), 0), ((2, 0), 0), ((0, 2), 0)]:  # fmt: skip
        add_case(
            _name,
            f"{_shape}, dim={_dim}",
            lambda lib, x, n=_name, d=_dim: getattr(lib, n)(x, d),
            [signed(*_shape)],
            lambda x, r=_ref, d=_dim: r(x, d),
        )
    add_case(
        _name,
        "of a transposed view",
        lambda lib, x, n=_name: getattr(lib, n)(x.T, 0),
        [signed(2, 3)],
        lambda x, r=_ref: r(x.T, 0),
    )


def _slope_of_cumprod(lib: Any, x: Any, g: Any, dim: int) -> Any:
    """The gradient through a running product, which is computed by scans."""
    recorded = x.requires_grad
    with lib.enable_grad():
        x = x if recorded else x.detach().requires_grad_()
        return lib.autograd.grad(lib.cumprod(x, dim), x, g, create_graph=recorded)[0]


def _slope_of_cumprod_ref(x: Any, g: Any, dim: int) -> Any:
    x, g = np.moveaxis(x, dim, 0), np.moveaxis(g, dim, 0)
    total = np.zeros_like(x)
    for j in range(len(x)):
        for k in range(j, len(x)):
            total[j] += g[k] * np.prod(np.delete(x[: k + 1], j, 0), 0)
    return np.moveaxis(total, 0, dim)


# of inputs without zeros it is computed by division
for _x, _dim in [([2.0, 0.0, -3.0, 0.0, 0.5], 0), ([[0.0, 1.5, 2.0], [0.5, -2.0, 1.0]], 1)]:
    add_case(
        "linear_scan",
        f"{np.shape(_x)}, dim={_dim}",
        lambda lib, x, g, d=_dim: _slope_of_cumprod(lib, x, g, d),
        [np.array(_x), signed(*np.shape(_x))],
        lambda x, g, d=_dim: _slope_of_cumprod_ref(x, g, d),
        eps=1e-2,  # exact, as it is linear in each element; near 0 division loses digits
    )


def _norm_ref(x: Any, axis: Any = None, keepdims: bool = False, ord: float = 2) -> Any:
    sizes = np.abs(x)
    if abs(ord) == np.inf:
        return (np.max if ord > 0 else np.min)(sizes, axis=axis, keepdims=keepdims)
    if ord == 0:
        return np.sum(sizes != 0, axis=axis, keepdims=keepdims) * 1.0
    return np.sum(sizes**ord, axis=axis, keepdims=keepdims) ** (1 / ord)


_NORMS = [2, 1, np.inf, -np.inf, 3, 2.5, 1.5, 0.5, -1, -2]
for _ord in _NORMS:
    _power = 2 if _ord in (1, np.inf, -np.inf) else 1  # so that there are second derivatives
    for _shape, _dim, _keep in _OVER if _ord == 2 else _OVER[:3] + _OVER[5:9:3]:
        add_case(
            "vector_norm",
            f"{_ord}, {_shape}, dim={_dim}, keepdim={_keep}",
            lambda lib, x, o=_ord, d=_dim, k=_keep, p=_power: (
                lib.linalg.vector_norm(x, o, d, k) ** p
            ),
            [positive(*_shape) * np.sign(signed(*_shape))],
            lambda x, o=_ord, d=_dim if _shape else None, k=_keep, p=_power: (
                _norm_ref(x, d, k, o) ** p
            ),
        )
add_case(
    "vector_norm",
    "2, zeros among the elements",
    lambda lib, x: lib.linalg.vector_norm(x),
    [[0.0, 3.0, -4.0]],
    _norm_ref,
)


def _by_pieces(x: Array, dim: int) -> Array:
    pieces = np.cumsum(np.exp(x), dim)
    return np.asarray(np.log(pieces))


for _shape, _dim in [((4,), 0), ((2, 3), 0), ((2, 3), -1), ((2, 3, 2), 1), ((1,), 0), ((0, 2), 0)]:
    add_case(
        "logcumsumexp",
        f"{_shape}, {_dim}",
        lambda lib, x, d=_dim: lib.logcumsumexp(x, d),
        [signed(*_shape)],
        lambda x, d=_dim: _by_pieces(x, d),
    )
