"""Cases of the selection of elements by their order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_rnn.testing.cases.table import Array, add_case, received, signed

_KEEP = [((4,), 0, False), ((2, 3), 0, False), ((2, 3), -1, True), ((2, 3, 2), 1, False)]
_SELECTIONS: list[tuple[str, tuple[int, ...], Callable[..., Any], Callable[..., Any]]] = []
for _shape, _dim, _keep in _KEEP:
    for _name, _ref in [("max", np.max), ("min", np.min)]:
        _SELECTIONS.append((
            f"{_name}, {_shape}, dim={_dim}, keepdim={_keep}",
            _shape,
            lambda lib, x, n=_name, d=_dim, k=_keep: getattr(lib, n)(x, d, k)[0],
            lambda x, r=_ref, d=_dim, k=_keep: r(x, axis=d, keepdims=k),
        ))  # fmt: skip
    _SELECTIONS.append((
        f"median, {_shape}, dim={_dim}, keepdim={_keep}",
        _shape,
        lambda lib, x, d=_dim, k=_keep: lib.median(x, d, k)[0],
        lambda x, d=_dim, k=_keep: np.quantile(
            x, 0.5, axis=d, keepdims=k, method="inverted_cdf"
        ),
    ))  # fmt: skip
for _shape, _dim in [((5,), 0), ((2, 3), -1), ((3, 2, 2), 0), ((0, 2), 0)]:
    _SELECTIONS += [
        (
            f"sort, {_shape}, dim={_dim}, descending={_down}",
            _shape,
            lambda lib, x, d=_dim, r=_down: lib.sort(x, d, r)[0],
            lambda x, d=_dim, r=_down: np.flip(np.sort(x, d), d) if r else np.sort(x, d),
        )
        for _down in [False, True]
    ]
    _SELECTIONS += [
        (
            f"topk, {_shape}, dim={_dim}, k={_k}",
            _shape,
            lambda lib, x, d=_dim, k=_k: lib.topk(x, k, d)[0],
            lambda x, d=_dim, k=_k: np.take(np.flip(np.sort(x, d), d), range(k), d),
        )
        for _k in {0, 1, 2} & {*range(_shape[_dim] + 1)}
    ]


def _received_ref(g: Any, array: Array, select: Callable[..., Any]) -> Any:
    """What ``array`` receives: by differences, as selecting is linear near it."""
    total = np.zeros(array.shape)
    for i in np.ndindex(array.shape):
        unit = np.zeros(array.shape)
        unit[i] = 1e-4
        total[i] = np.sum(g * (select(array + unit) - select(array))) * 1e4
    return np.round(total, 9)


for _name, _shape, _fn, _ref in _SELECTIONS:
    _x = signed(*_shape)
    _g = np.round(signed(*_ref(_x).shape), 3)
    add_case("pick", _name, _fn, [_x], _ref)
    add_case(
        "put_back",
        _name,
        lambda lib, g, x=_x, f=_fn: received(lib, x, lambda y: f(lib, y), g),
        [_g],
        lambda g, x=_x, r=_ref: _received_ref(g, x, r),
    )
