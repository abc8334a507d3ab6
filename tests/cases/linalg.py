"""Cases of products of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

import tinygrad_rnn as tg
from cases.harness import add_case, signed

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
