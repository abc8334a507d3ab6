"""Calls of elementwise operations."""

from __future__ import annotations

from operations.harness import DTYPES, EXTREMES, SHAPES, call, draw

for _name in ["exp", "log", "tanh", "sigmoid", "neg"]:
    for _shape in SHAPES:
        call(_name, f"{_shape}", lambda lib, x, n=_name: getattr(lib, n)(x), draw(*_shape))
    for _dtype in DTYPES:
        call(_name, _dtype, lambda lib, x, n=_name: getattr(x, n)(), draw(3, dtype=_dtype))
    call(_name, "extremes", lambda lib, x, n=_name: getattr(lib, n)(x), EXTREMES)
    call(_name, "a list", lambda lib, n=_name: getattr(lib, n)([1.0]))
