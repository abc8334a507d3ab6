"""Calls of operations that put tensors together and take them apart."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from operations.harness import DTYPES, call, draw
from operations.shape import calls, function, memory

# -- together ----------------------------------------------------------------------------------

_SHAPES: list[list[tuple[int, ...]]] = [
    [(2, 3)], [(2, 3), (2, 3)], [(2, 3), (1, 3)], [(2, 3), (2, 1)], [(2,), (3,), (1,)],
    [(2, 3), (2,)], [(2, 3), (2, 3, 1)], [(2, 3), (0, 3)], [(0, 3), (0, 3)], [(0, 4), (2, 3)],
    [(0,), (2, 3)], [(2, 3), (0,), (1, 3)], [(0,), (0,)], [(0,), (3,)], [(), ()], [()],
    [(2,), ()], [(2, 3), ()], [(2, 2, 3), (2, 2, 3)], [(1, 2), (3, 2)], [(3,), (1, 3)], [],
]  # fmt: skip
for _name in ["cat", "concat", "stack"]:
    for _shapes, _dim in product(_SHAPES, [0, 1, -1, -2, 2, 3]):
        if _dim not in (0, -1) and set(_shapes) == {(0,)}:
            continue  # PyTorch joins empty vectors along axes that they do not have
        call(
            _name,
            f"{_shapes}, {_dim}",
            lambda lib, *xs, n=_name, d=_dim: getattr(lib, n)(xs, d),
            *[draw(*s) for s in _shapes],
        )
for _name in ["hstack", "vstack"]:
    for _shapes in _SHAPES:
        call(
            _name,
            f"{_shapes}",
            lambda lib, *xs, n=_name: getattr(lib, n)(xs),
            *[draw(*s) for s in _shapes],
        )
for _name in ["cat", "stack", "hstack", "vstack"]:
    for _one, _two in product(DTYPES, repeat=2):
        call(
            _name,
            f"{_one} and {_two}",
            lambda lib, *xs, n=_name: getattr(lib, n)(xs),
            draw(2, dtype=_one),
            draw(2, dtype=_two),
        )
    for _label, _wrong in {
        "number": lambda lib, x: 1,
        "tensor": lambda lib, x: x,
        "numbers": lambda lib, x: [1, 2],
        "tensor and number": lambda lib, x: [x, 1],
        "generator": lambda lib, x: (y for y in [x]),
        "None": lambda lib, x: None,
    }.items():
        call(
            _name,
            _label,
            lambda lib, x, n=_name, w=_wrong: getattr(lib, n)(w(lib, x)),
            draw(2, 3),
        )
    call(_name, "a list", lambda lib, x, n=_name: getattr(lib, n)([x, x.T]), draw(2, 2))
    call(_name, "by name", lambda lib, x, n=_name: getattr(lib, n)(tensors=[x, x]), draw(2, 2))
    call(
        _name,
        "views",
        lambda lib, x, n=_name: getattr(lib, n)([x.T, x.T[:, :], x.T.expand(3, 2)]),
        draw(2, 3),
    )
for _name in ["cat", "stack"]:
    call(_name, "dim=", lambda lib, x, n=_name: getattr(lib, n)([x, x], dim=1), draw(2, 2))
    for _dim in [None, 1.0, "0"]:
        call(_name, f"{_dim!r}", lambda lib, x, n=_name, d=_dim: getattr(lib, n)([x], d), draw(2))
for _one, _two in product(["float64", "float32", "int64", "uint8"], repeat=2):
    for _shape, _other in [((), ()), ((2,), ()), ((0,), (2, 3))]:
        call(
            "hstack",
            f"{_shape} {_one}, {_other} {_two}",
            lambda lib, *xs: lib.hstack(xs),
            draw(*_shape, dtype=_one),
            draw(*_other, dtype=_two),
        )
        call(
            "cat",
            f"{_shape} {_one}, {_other} {_two}",
            lambda lib, *xs: lib.cat(xs),
            draw(*_shape, dtype=_one),
            draw(*_other, dtype=_two),
        )
        call(
            "stack",
            f"{_shape} {_one}, {_two}",
            lambda lib, *xs: lib.stack(xs),
            draw(*_shape, dtype=_one),
            draw(*_shape, dtype=_two),
        )

# -- apart -------------------------------------------------------------------------------------

_SPLITS: list[Any] = [
    1, 2, 3, 10, 0, -1, [1, 3], (2, 2), [1, 1], [4, 0], [5, -1], [], (0, 1, 1), [4], 2.0, True,
    [1.0, 3], "a", None,
]  # fmt: skip
_CHUNKS: list[Any] = [1, 2, 3, 4, 9, 0, -1, 2.0, True, None]
_SECTIONS: list[Any] = [
    1, 2, 3, 5, 0, -1, (1,), [1, 2], [2, 1], [-1], [-10, 10], (), (0, 0), (9,), 2.0, True, None,
    [1.0],
]  # fmt: skip
for _shape in [(4,), (2, 4), (4, 3, 2), (0,), (2, 0), ()]:
    for _name, _options in [("split", _SPLITS), ("chunk", _CHUNKS), ("tensor_split", _SECTIONS)]:
        function(_name, _shape, *[(o, *dim) for o in _options for dim in [(), (0,), (-1,)]])
        function(_name, _shape, *[(2, dim) for dim in [1, 2, -2, -4, 5, 0.0, None]])
    function("unbind", _shape, (), *[(dim,) for dim in [0, 1, -1, 5, 0.0, None]])
    for _name, _option in [("split", 2), ("split", [1, 3]), ("chunk", 2), ("tensor_split", 3)]:
        calls(_name, _shape, (_name, _option), (_name, _option, -1))
    calls("unbind", _shape, ("unbind",), ("unbind", -1), ("unbind", 0))
for _name in ["split", "chunk", "tensor_split"]:
    call(_name, "dim=", lambda lib, x, n=_name: getattr(lib, n)(x, 2, dim=1), draw(2, 3))
    if _name != "split":  # there PyTorch looks for a method of the list
        call(_name, "no tensor", lambda lib, n=_name: getattr(lib, n)([1.0, 2.0], 2))
    for _dtype in DTYPES:
        call(_name, _dtype, lambda lib, x, n=_name: getattr(x, n)(2), draw(3, 2, dtype=_dtype))
    memory(_name, lambda lib, x, n=_name: getattr(x, n)(2, 1), 2, 3, 4)
call("chunk", "chunks=", lambda lib, x: lib.chunk(x, chunks=2, dim=1), draw(2, 3))
for _label, _split in {
    "sections=": lambda lib, x: [
        lib.tensor_split(x, sections=2, dim=1),
        x.tensor_split(sections=2),
    ],
    "indices=": lambda lib, x: [lib.tensor_split(x, indices=[1]), x.tensor_split(indices=(1,))],
    "both": lambda lib, x: lib.tensor_split(x, sections=2, indices=[1]),
    "neither": lambda lib, x: lib.tensor_split(x),
    "sections= a list": lambda lib, x: lib.tensor_split(x, sections=[1]),
    "indices= a number": lambda lib, x: lib.tensor_split(x, indices=2),
}.items():
    call("tensor_split", _label, _split, draw(3, 4))
call("split", "split_size=", lambda lib, x: x.split(split_size=2, dim=1), draw(2, 3))
call(
    "split",
    "by name",
    lambda lib, x: lib.split(x, split_size_or_sections=[1, 2], dim=1),
    draw(2, 3),
)
call("unbind", "no tensor", lambda lib: lib.unbind([1.0]))
for _dtype in DTYPES:
    call("unbind", _dtype, lambda lib, x: x.unbind(1), draw(3, 2, dtype=_dtype))
memory("unbind", lambda lib, x: x.unbind(1), 2, 3, 4)
memory("unbind", lambda lib, x: x.unbind(), 4)
for _indices in [
    np.array(2), np.array([1, 2]), np.array([[1]]), np.array([1, 2], np.int32), np.array(0),
    np.zeros(0, np.int64), np.array([True]), np.array([2, 1]),
]:  # fmt: skip
    call(
        "tensor_split",
        f"{_indices!r}",
        lambda lib, x, i: lib.tensor_split(x, i, 1),
        draw(2, 3),
        _indices,
    )
call(
    "split",
    "a part of some parts",
    lambda lib, x: [x.split(2)[1], x.chunk(2, 1)[0], x[1:, 1:], *x.unbind(1)],
    draw(5, 4),
)
