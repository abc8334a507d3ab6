"""Cases of reductions."""

from __future__ import annotations

import numpy as np

from cases.harness import add_case, signed

for _name, _ref in [("sum", np.sum), ("mean", np.mean)]:
    for _shape, _dim, _keep in [
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
        ((0, 3), 1, False),
        ((2, 0), 0, True),
    ]:
        _axis = None if not _shape else _dim
        add_case(
            _name,
            f"{_shape}, dim={_dim}, keepdim={_keep}",
            lambda lib, x, n=_name, d=_dim, k=_keep: (
                getattr(lib, n)(x) if d is None else getattr(lib, n)(x, dim=d, keepdim=k)
            ),
            [signed(*_shape)],
            lambda x, r=_ref, d=_axis, k=_keep: r(x, axis=d, keepdims=k),
        )
    add_case(
        _name,
        "of a transposed view",
        lambda lib, x, n=_name: getattr(lib, n)(x.T, 0),
        [signed(2, 3)],
        lambda x, r=_ref: r(x.T, 0),
    )
