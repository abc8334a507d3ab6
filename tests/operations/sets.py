"""Calls of what tells which elements there are."""

from __future__ import annotations

import itertools

import numpy as np

from operations.harness import DTYPES, NAN, call, draw

_X = np.array([[1, 2, 1], [1, 2, 1], [0, 2, 0]])
for _dtype in DTYPES:
    for _inverse, _counts in itertools.product((False, True), repeat=2):
        for _dim in (None, 0, 1, -1, 2):
            call(
                "unique",
                f"{_dtype}, {_inverse}, {_counts}, {_dim}",
                lambda lib, x, i=_inverse, c=_counts, d=_dim: lib.unique(
                    x.detach(), return_inverse=i, return_counts=c, dim=d
                ),
                _X.astype(_dtype),
            )
for _shape in [(), (0,), (1,), (0, 3), (3, 0), (2, 2, 2)]:
    for _dim in (None, 0, 1):
        call(
            "unique",
            f"{_shape} along {_dim}",
            lambda lib, x, d=_dim: x.unique(True, True, True, d),
            draw(*_shape, dtype="int64", low=0, high=1),
        )
call(
    "unique", "NaN", lambda lib, x: lib.unique(x.detach(), True, False, True), [NAN, 1.0, NAN, 2.0]
)
call("unique", "unsorted flag", lambda lib, x: lib.unique(x, sorted=1), [1, 2])
call("unique", "a list", lambda lib: lib.unique([1, 2]))

for _one, _two in itertools.product(DTYPES, repeat=2):
    call(
        "isin",
        f"{_one} in {_two}",
        lambda lib, a, b: lib.isin(a, b),
        _X.astype(_one),
        _X[2].astype(_two),
    )
for _number in (1, 1.0, 1.5, True, NAN, "a", None):
    call("isin", f"{_number} first", lambda lib, x, a=_number: lib.isin(a, x), [1, 2])
    call("isin", f"{_number} last", lambda lib, x, a=_number: lib.isin(x, a), [1, 2])
for _one, _two in itertools.product([(), (0,), (2, 0), (2, 3)], repeat=2):
    call(
        "isin",
        f"{_one} in {_two}",
        lambda lib, a, b: lib.isin(a, b),
        draw(*_one, dtype="int64"),
        draw(*_two, dtype="int64"),
    )
call("isin", "not", lambda lib, x: lib.isin(x, x[:1], assume_unique=True, invert=True), _X)
call("isin", "by position", lambda lib, x: lib.isin(x, x, True), _X)
call("isin", "NaN", lambda lib, x: lib.isin(x.detach(), x.detach()), [NAN, 1.0])

for _dtype in DTYPES:
    for _inverse, _counts in itertools.product((False, True), repeat=2):
        for _dim in (None, 0, 1, -1, 2):
            call(
                "unique_consecutive",
                f"{_dtype}, {_inverse}, {_counts}, {_dim}",
                lambda lib, x, i=_inverse, c=_counts, d=_dim: lib.unique_consecutive(
                    x.detach(), return_inverse=i, return_counts=c, dim=d
                ),
                _X.astype(_dtype),
            )
for _some in ([NAN, NAN, 1.0], [], [[1.0, 1.0], [1.0, 1.0]], 2.0):
    call(
        "unique_consecutive",
        f"{_some}",
        lambda lib, x: x.detach().unique_consecutive(True, True),
        _some,
    )
