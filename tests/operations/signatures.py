"""Calls that random ones by PyTorch's signatures found to differ (see `test_signatures`)."""

from __future__ import annotations

import numpy as np

from operations.harness import call, draw

for _arguments in [(0, 2), (1, 0, 2), (-1, 1), (), ((),), (0, 0), (3, 0), ((0, 2),), ("a",)]:
    for _name in ("squeeze", "count_nonzero"):
        call(
            _name,
            f"one by one: {_arguments}",
            lambda lib, x, n=_name, a=_arguments: getattr(x, n)(*a),
            draw(1, 3, 1),
        )
call("count_nonzero", "by name", lambda lib, x: lib.count_nonzero(x, dim=(0, 1)), draw(2, 3))
call("squeeze", "by name", lambda lib, x: lib.squeeze(x, dim=0), draw(1, 3))

for _shape in [(3,), (1,), (), (1, 3), (2,), (2, 3)]:
    call("copy_", f"{_shape}", lambda lib, x, y: (x * 1).copy_(y), draw(3), draw(*_shape))
    call("copy_", f"{_shape} to 0-d", lambda lib, x, y: (x * 1).copy_(y), draw(), draw(*_shape))
call(
    "copy_",
    "by name",
    lambda lib, x, y: (x * 1).copy_(other=y, non_blocking=True),
    draw(3),
    draw(3),
)
call("copy_", "a number for a flag", lambda lib, x, y: (x * 1).copy_(y, 1), draw(3), draw(3))

for _flags in [{"stable": None}, {"stable": True}, {"stable": 0}, {"descending": None}]:
    for _name in ("sort", "argsort"):
        call(
            _name,
            f"{_flags}",
            lambda lib, x, n=_name, f=_flags: getattr(lib, n)(x, **f),
            draw(4),
        )

for _name in ("cumsum_", "cumprod_"):
    for _dtype in (None, "float32", "float64", "float16", "int64"):
        call(
            _name,
            f"dtype {_dtype}",
            lambda lib, x, n=_name, d=_dtype: getattr(x * 1, n)(0, dtype=d and getattr(lib, d)),
            draw(3),
        )

for _name in ("remainder", "fmod", "floor_divide"):
    for _divisor in (0, np.zeros((), np.int64), np.zeros(3, np.int64)):
        call(
            _name,
            f"nothing by {_divisor!r}",
            lambda lib, x, n=_name, d=_divisor: getattr(lib, n)(
                x, lib.from_numpy(d) if isinstance(d, np.ndarray) else d
            ),
            draw(0, 3, dtype="int64"),
        )

for _bounds in [(True,), (None, False), (False, True)]:
    call(
        "clamp",
        f"bools {_bounds}",
        lambda lib, x, b=_bounds: lib.clamp(x, *b),
        draw(3, dtype="bool"),
    )
call("clamp", "bool tensors", lambda lib, x: lib.clamp(x, x, x), draw(3, dtype="bool"))

for _at in ([0, 3], [4], [-1]):
    call(
        "take_along_dim",
        f"{_at} of all",
        lambda lib, x, i: lib.take_along_dim(x, i),
        draw(2, 2),
        _at,
    )

for _shape in [(3,), (2, 3), (), (0, 4)]:
    call(
        "scatter_add",
        f"nothing of {_shape}",
        lambda lib, x, i, y: lib.scatter_add(x, 0, i, y.detach()),
        draw(2, 3),
        np.zeros((0,), np.int64),
        draw(*_shape),
    )

for _dtype in ("int64", "uint8", "float16", "float32"):
    for _arguments in [(0.5, 2.7, 1), (0.5, 2.7, 4), (2.7, 1, 1), (-1.5, 2, 3), (3, 1, 3, 2)]:
        call(
            "logspace",
            f"{_arguments} in {_dtype}",
            lambda lib, a=_arguments, d=_dtype: lib.logspace(*a, dtype=getattr(lib, d)),
            tolerance=1e-3,
        )

for _shape, _dim in [((0,), 0), ((0, 3), 0), ((2, 0), 1), ((2, 0), 0)]:
    for _at in ([0], [5], []):
        call(
            "index_select",
            f"{_at} of {_shape} along {_dim}",
            lambda lib, x, i, d=_dim: lib.index_select(x, d, i.detach()),
            draw(*_shape),
            np.array(_at, np.int64),
        )
call("isin", "an element", lambda lib, x: lib.isin(element=1, test_elements=x), [1, 2])
call("isin", "a test element", lambda lib, x: lib.isin(x, test_element=2.0, invert=True), [1, 2])
call("rsub", "alpha by position", lambda lib, x: lib.rsub(x, 1.0, 2), draw(3))
