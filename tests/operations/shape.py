"""Calls of operations on shapes and on the order of elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from operations.harness import DTYPES, call, draw

VIEWS: dict[str, Any] = {
    "contiguous": lambda lib, x: x,
    "transposed": lambda lib, x: x.mT.contiguous().mT if x.ndim > 1 else x,
    "strided": lambda lib, x: lib.stack([x, x], -1)[..., 0],
    "expanded": lambda lib, x: x[..., :1].expand(x.shape) if x.ndim else x,
}
"""The same shape, laid out in memory in several ways."""


def calls(operation: str, shape: tuple[int, ...], *expressions: Any) -> None:
    """Calls of methods, ``(name, *arguments)``, of all views, one by one where some must fail."""
    views = list(VIEWS.values())
    for name, *arguments in expressions:
        for i, some in enumerate([[v] for v in views] if operation == "view" else [views]):
            call(
                operation,
                f"{shape}.{name}{tuple(arguments)}, view {i}",
                lambda lib, x, n=name, a=arguments, vs=some: [
                    getattr(v(lib, x), n)(*a) for v in vs
                ],
                draw(*shape),
            )


def function(operation: str, shape: tuple[int, ...], *argument_lists: tuple[Any, ...]) -> None:
    """Calls of ``lib.operation(x, *arguments)``."""
    for arguments in argument_lists:
        call(
            operation,
            f"{shape}, {arguments}",
            lambda lib, x, a=arguments: getattr(lib, operation)(x, *a),
            draw(*shape),
        )


def memory(operation: str, fn: Any, *shape: int) -> None:
    """Whether the result shares memory with the input, in both libraries."""
    for label, make in VIEWS.items():

        def shares(lib: Any, x: Any, make: Any = make) -> Any:
            before = make(lib, x.detach())
            after = fn(lib, before)
            results = list(after) if isinstance(after, tuple | list) else [after]
            return [bool(np.shares_memory(before.numpy(), y.numpy())) for y in results]

        call(operation, f"shares memory, {label}", shares, draw(*shape))


# -- another shape -----------------------------------------------------------------------------

_SIZES: list[tuple[tuple[int, ...], list[Any]]] = [
    ((2, 4), [(8,), (4, 2), (-1,), (2, 2, 2), (1, 8, 1), (2, -1, 1), (2, 4), (3, 3), (-1, 3),
              (-1, -1), (-2, 4), (-2, -4), (0, -1), (10**12,), (True, 8), (2.0, 4), ("8",),
              (None,), ()]),
    ((2, 3, 4), [(6, 4), (2, 12), (24,), (4, 3, 2), (2, 3, 2, 2), (-1, 4)]),
    ((), [(1,), (1, 1), (), (2,), (-1,)]),
    ((0,), [(0,), (2, 0), (0, -1), (-1,), (-1, 2)]),
    ((2, 0), [(0, 5), (-1,), (1,), (3, 0, 2)]),
]  # fmt: skip
for _shape, _options in _SIZES:
    for _name in ["reshape", "view"]:
        calls(_name, _shape, *[(_name, size) for size in _options])
        calls(_name, _shape, *[(_name, list(size)) for size in _options])
        calls(_name, _shape, *[(_name, *size) for size in _options if True not in size])
    function("reshape", _shape, *[(size,) for size in _options])
call("reshape", "shape=", lambda lib, x: x.reshape(shape=(3, 2)), draw(2, 3))
call("reshape", "function, shape=", lambda lib, x: lib.reshape(x, shape=(3, 2)), draw(2, 3))
call("reshape", "NumPy's integers", lambda lib, x: x.reshape(np.int64(3), 2), draw(2, 3))
call("reshape", "one of NumPy's", lambda lib, x: x.reshape(np.int64(6)), draw(2, 3))
call("reshape", "tensors", lambda lib, x: x.reshape(lib.tensor(3), 2), draw(2, 3))
call("reshape", "one tensor", lambda lib, x: x.reshape(lib.tensor(6)), draw(2, 3))
call("reshape", "tensor of two", lambda lib, x: x.reshape(lib.tensor([3, 2])), draw(2, 3))
call("reshape", "the shape of another", lambda lib, x: x.reshape(lib.ones(3, 2).shape), draw(6))
call("reshape", "no tensor", lambda lib: lib.reshape([1.0], (1,)))
call("view", "size=", lambda lib, x: x.view(size=(3, 2)), draw(2, 3))
call("view_as", "", lambda lib, x: x.view_as(lib.ones(3, 2)), draw(2, 3))
call("view_as", "transposed", lambda lib, x: x.T.view_as(lib.ones(2, 3)), draw(2, 3))
call("view_as", "no tensor", lambda lib, x: x.view_as(6), draw(2, 3))
call("reshape_as", "", lambda lib, x: x.T.reshape_as(lib.ones(2, 3)), draw(2, 3))
call("reshape_as", "size", lambda lib, x: x.reshape_as(lib.ones(5)), draw(2, 3))

calls("flatten", (2, 4), ("flatten",), ("flatten", 0), ("flatten", -1), ("flatten", 1, 0),
      ("flatten", 2), ("flatten", 0, 5), ("flatten", 0.0), ("flatten", None))  # fmt: skip
calls("flatten", (2, 3, 4), ("flatten",), ("flatten", 1), ("flatten", 0, 1), ("flatten", -2, -1),
      ("flatten", 1, 1))  # fmt: skip
calls("flatten", (2, 0, 3), ("flatten",), ("flatten", 0, 1))
calls("flatten", (), ("flatten",), ("flatten", 0), ("flatten", 1), ("flatten", 0, 0))
call("flatten", "by name", lambda lib, x: lib.flatten(x, start_dim=1, end_dim=2), draw(2, 3, 2, 1))
call("flatten", "a vector is itself", lambda lib, x: x.flatten() is x, draw(3))
call("ravel", "a vector is not", lambda lib, x: x.ravel() is x, draw(3))

for _name in ["unflatten"]:
    calls(_name, (2, 4), *[
        (_name, *arguments) for arguments in [
            (1, (4, 1)), (1, (-1, 1)), (1, [4]), (1, 4), (1, ()), (1, (2, 3)), (1, (-1, 3)),
            (2, (1,)), (-1, (-1, -1)), (0, (1, -1, 1)), (-1, (2, 2)), (1, (2, -2)), (0.0, (2,)),
        ]
    ])  # fmt: skip
    calls(_name, (0,), (_name, 0, (0, -1)), (_name, 0, (0, 2)), (_name, 0, (-1, 2)))
    calls(_name, (), (_name, 0, (1,)))
call("unflatten", "by name", lambda lib, x: lib.unflatten(x, dim=0, sizes=(2, 2)), draw(4))

for _shape in [(2, 4), (2, 3, 4), (4,), (), (2, 0)]:
    calls("ravel", _shape, ("ravel",))
    calls("t", _shape, ("t",))
    calls("contiguous", _shape, ("contiguous",))
    calls("clone", _shape, ("clone",))
    call("is_contiguous", f"{_shape}", lambda lib, x: x.is_contiguous(), draw(*_shape))
    for _name in ["ravel", "t", "clone"]:
        function(_name, _shape, ())
for _name in ["ravel", "t", "clone"]:
    call(_name, "no tensor", lambda lib, n=_name: getattr(lib, n)(1.0))
call("contiguous", "is itself", lambda lib, x: x.contiguous() is x, draw(2, 3))
call("contiguous", "is a copy", lambda lib, x: x.T.contiguous() is x, draw(2, 3))
for _label, _view in {
    "transposed": lambda x: x.T,
    "clone": lambda x: x.T.contiguous(),
    "rows": lambda x: x[1:],
    "columns": lambda x: x[:, 1:],
    "one column": lambda x: x[:, :1],
    "one row, transposed": lambda x: x[:1].T,
    "expanded": lambda x: x.expand(2, 2, 3),
    "nothing": lambda x: x[:0].T,
}.items():
    call("is_contiguous", _label, lambda lib, x, v=_view: v(x).is_contiguous(), draw(2, 3))

calls("squeeze", (1, 2, 1), ("squeeze",), *[
    ("squeeze", dim) for dim in [
        0, 1, -1, 3, -4, (0, 2), [0, 2], (0, -3), (0, 1), (1,), (), [], 0.0, "0", (0, 5), True
    ]
])  # fmt: skip
calls("squeeze", (), ("squeeze",), ("squeeze", 0), ("squeeze", -1), ("squeeze", 1),
      ("squeeze", (0,)), ("squeeze", (0, -1)))  # fmt: skip
calls("squeeze", (1, 0), ("squeeze",), ("squeeze", 1))
call("squeeze", "by name", lambda lib, x: lib.squeeze(x, dim=0), draw(1, 2))
for _shape in [(2, 4), (), (0,)]:
    calls("unsqueeze", _shape, *[
        ("unsqueeze", dim) for dim in [0, 1, 2, 3, -1, -2, -3, -4, 0.0, None, (0,)]
    ])  # fmt: skip
call("unsqueeze", "by name", lambda lib, x: lib.unsqueeze(x, dim=1), draw(2, 3))

# -- another order of axes ---------------------------------------------------------------------

for _name in ["transpose", "swapaxes"]:
    for _shape in [(2, 4), (2, 3, 4), (3,), (), (0, 2)]:
        _pairs = [(0, 1), (1, 0), (-1, 0), (0, 0), (0, 2), (1, -1), (-3, 0), (0.0, 1), (None, 1)]
        calls(_name, _shape, *[(_name, *pair) for pair in _pairs if None not in pair])
        function(_name, _shape, *_pairs)
call("swapaxes", "by name", lambda lib, x: x.swapaxes(axis0=0, axis1=1), draw(2, 3))
call("transpose", "by name", lambda lib, x: lib.transpose(x, dim0=0, dim1=1), draw(2, 3))
for _shape in [(2, 3), (), (3,)]:
    if len(_shape) == 2:
        call("T", f"{_shape}", lambda lib, x: x.T, draw(*_shape))
    call("mT", f"{_shape}", lambda lib, x: x.mT, draw(*(_shape or (2, 2, 3))))
call("t", "three axes", lambda lib, x: x.t(), draw(2, 3, 1))

_ORDERS: list[tuple[tuple[int, ...], list[tuple[Any, ...]]]] = [
    ((2, 4), [(1, 0), (0, 1), (-1, 0), (1,), (0, 1, 2), (1, 1), (1, 2), (-3, 0), (1.0, 0), ()]),
    ((2, 3, 4), [(2, 0, 1), (-1, 1, 0), (0, 1, 1)]),
    ((3,), [(0,), (-1,), (1,), ()]),
    ((), [(), (0,)]),
]
for _shape, _dims in _ORDERS:
    calls("permute", _shape, *[("permute", d) for d in _dims], *[("permute", *d) for d in _dims])
    function("permute", _shape, *[(d,) for d in _dims], *[(list(d),) for d in _dims])
call("permute", "dims=", lambda lib, x: x.permute(dims=(1, 0)), draw(2, 3))
call("permute", "function, dims=", lambda lib, x: lib.permute(x, dims=(1, 0)), draw(2, 3))

for _name in ["movedim", "moveaxis"]:
    for _shape, _moves in [
        ((2, 4), [(0, 1), (1, 0), (0, -1), (0, 2), ((0, 1), (1, 0)), ([0], [1]), ((0, 0), (1, 0)),
                  ((0, 1), (1, 1)), ((0,), (1, 0)), ((), ()), (0.0, 1), (None, 1)]),
        ((2, 3, 4), [(0, 2), (2, 0), (1, -1), ((0, 2), (1, 0)), ((2, 0), (0, 2)),
                     ((0, 1, 2), (2, 0, 1))]),
        ((), [(0, 0), ((), ()), (1, 0)]),
        ((3,), [(0, -1), (0, 1)]),
    ]:  # fmt: skip
        calls(_name, _shape, *[(_name, *move) for move in _moves])
        function(_name, _shape, *_moves)
call("movedim", "by name", lambda lib, x: lib.movedim(x, source=0, destination=1), draw(2, 3))

# -- repeated without a copy -------------------------------------------------------------------

_EXPANDED: list[tuple[tuple[int, ...], list[tuple[Any, ...]]]] = [
    ((2, 1), [(2, 3), (-1, 3), (4, 2, 3), (4, -1, -1), (2, 0), (-1, -1), (3, 3), (2,), (-1, 2, 3),
              (2, -2), (2.0, 3), ()]),
    ((3,), [(3,), (2, 3), (0, 3), (-1,), (4,), (1,)]),
    ((), [(), (3,), (0,), (2, 2), (-1,)]),
    ((0,), [(0,), (2, 0), (2,), (-1,)]),
    ((1, 1), [(2, 3), (0, 0), (1, 1)]),
]  # fmt: skip
for _shape, _sizes in _EXPANDED:
    for _name in ["expand", "broadcast_to"]:
        calls(_name, _shape, *[(_name, s) for s in _sizes], *[(_name, *s) for s in _sizes])
    calls("expand", _shape, *[("expand", list(s)) for s in _sizes])
    function("broadcast_to", _shape, *[(s,) for s in _sizes])
call("expand", "bool", lambda lib, x: x.expand(True, 3), draw(1, 3))
call("expand", "size=", lambda lib, x: x.expand(size=(2, 3)), draw(1, 3))
call("broadcast_to", "size=", lambda lib, x: lib.broadcast_to(x, size=(2, 3)), draw(1, 3))
call("expand_as", "", lambda lib, x: x.expand_as(lib.ones(2, 3)), draw(3))
call("expand_as", "size", lambda lib, x: x.expand_as(lib.ones(2, 2)), draw(3))
call("expand_as", "no tensor", lambda lib, x: x.expand_as((2, 3)), draw(3))
for _shapes in [[(2, 3), (3,), (1, 1)], [(2, 3)], [], [(), (2,)], [(2, 1), (0,)], [(2,), (3,)],
                [(2, 3), (2,)]]:  # fmt: skip
    call(
        "broadcast_tensors",
        f"{_shapes}",
        lambda lib, *xs: lib.broadcast_tensors(*xs),
        *[draw(*s) for s in _shapes],
    )
call("broadcast_tensors", "a list", lambda lib, *xs: lib.broadcast_tensors(xs), draw(2), draw(1))
call("broadcast_tensors", "a number", lambda lib, x: lib.broadcast_tensors(x, 1), draw(2))
call("broadcast_tensors", "integers", lambda lib, *xs: lib.broadcast_tensors(*xs), draw(2), [1])

# -- copies ------------------------------------------------------------------------------------

_FLIPS: list[Any] = [(0,), (0, 1), (-1,), (), (0, 0), (0, -2), (2,), (0.0,)]
for _shape in [(2, 4), (0, 3), (2, 1)]:
    calls("flip", _shape, *[("flip", d) for d in _FLIPS], *[("flip", *d) for d in _FLIPS])
    function("flip", _shape, *[(d,) for d in _FLIPS], *[(list(d),) for d in _FLIPS], ())
function("flip", (), ((0,),), ((),), ((1,),))
function("flip", (3,), ((0,),), ((-1,),), (None,), ("0",))
call("flip", "dims=", lambda lib, x: x.flip(dims=(0,)), draw(2, 3))

_ROLLS: list[tuple[Any, ...]] = [
    (1,), (-4,), (0,), (7,), (1, 0), (-1, 1), (5, -1), ((1,), (0,)), ((1, 2), (0, 1)),
    ([1, 2], [0, 0]), ((1, 2),), ((1, 2), ()), (1, ()), ((1,), ()), (1, (0, 1)), ((1, 2), 0),
    ((),), ((), ()), (1, 2), (1, None), (1.0,), (None,), (True,), (1, 0.0), (10**18, 1),
]  # fmt: skip
calls("roll", (2, 4), *[("roll", *r) for r in _ROLLS])
function("roll", (2, 4), *_ROLLS)
function("roll", (), (1,), (1, 0), (1, 1), ((1, 2),))
function("roll", (0,), (1,), (1, 0))
function("roll", (0, 2), (1,), (1, 0), (1, 1))
function("roll", (2, 3, 2), ((1, -1), (0, -1)), (3,), ((1, 1, 1), (0, 1, 2)))
call("roll", "by name", lambda lib, x: lib.roll(x, shifts=1, dims=0), draw(3))

_COUNTS: list[tuple[Any, ...]] = [
    (2, 1), (1, 2), (3, 2), (2, 1, 2), (1, 1), (2,), (0, 1), (0, 0), (2.0, 1), (), (None,)
]  # fmt: skip
for _shape in [(2, 4), (2, 1), (0, 2), (2, 3, 2), ()]:
    for _name in ["repeat", "tile"]:
        calls(_name, _shape, *[(_name, c) for c in _COUNTS], *[(_name, *c) for c in _COUNTS])
    function("tile", _shape, *[(c,) for c in _COUNTS], *[(list(c),) for c in _COUNTS])
for _name in ["repeat", "tile"]:
    calls(_name, (), (_name, 2), (_name, (2, 3)), (_name, 0))
    call(_name, "bool", lambda lib, x, n=_name: getattr(x, n)(True, 1), draw(2, 3))
call("repeat", "repeats=", lambda lib, x: x.repeat(repeats=(2, 1)), draw(2, 3))
call("tile", "dims=", lambda lib, x: lib.tile(x, dims=(2,)), draw(2, 3))

_TIMES: list[tuple[Any, ...]] = [
    (2,), (2, 1), (3, 0), (1, -1), (0,), (0, 1), (-1,), (2.0,), (True,), (2, 2), (2, 0.0),
    ([1, 2], 0),
]  # fmt: skip
for _shape in [(2, 4), (0, 2), (2, 3, 2), ()]:
    calls("repeat_interleave", _shape, *[("repeat_interleave", *n) for n in _TIMES])
    function("repeat_interleave", _shape, *_TIMES)
for _times in [
    np.array([1, 2]), np.array([2]), np.array(2), np.array([0, 2]), np.array([0, 0]),
    np.array([1, 2, 3]), np.array([-1, 2]), np.array([-1]), np.array([1, 2], np.int32),
    np.array([1, 2], np.int16), np.array([True, True]), np.array([[1, 2]]), np.zeros(0, np.int64),
    np.array([3, 0, 1, 2]),
]:  # fmt: skip
    for _dim in [0, 1, -1, None]:
        call(
            "repeat_interleave",
            f"{_times!r}, {_dim}",
            lambda lib, x, n, d=_dim: lib.repeat_interleave(x, n, d),
            draw(2, 4),
            _times,
        )
    call("repeat_interleave", f"{_times!r}", lambda lib, n: lib.repeat_interleave(n), _times)
for _size in [2, 3, 4, 5]:
    call(
        "repeat_interleave",
        f"output_size={_size}",
        lambda lib, x, n, s=_size: lib.repeat_interleave(x, n, 0, output_size=s),
        draw(2, 3),
        [1, 2],
    )
    call(
        "repeat_interleave",
        f"by number, output_size={_size}",
        lambda lib, x, s=_size: lib.repeat_interleave(x, 2, 0, output_size=s),
        draw(2, 3),
    )
call("repeat_interleave", "0-d, by tensor", lambda lib, x, n: x.repeat_interleave(n), 1.0, [2])
call("repeat_interleave", "names", lambda lib, x: x.repeat_interleave(repeats=2, dim=0), draw(2))
call("repeat_interleave", "floats alone", lambda lib, x: lib.repeat_interleave(x), draw(2))

# -- diagonals ---------------------------------------------------------------------------------

_OFFSETS: list[tuple[Any, ...]] = [(), (0,), (1,), (-1,), (5,), (-5,), (1.0,), (True,), (None,)]
for _name in ["tril", "triu"]:
    for _shape in [(3, 3), (2, 4), (4, 2), (2, 3, 4), (2, 0, 3), (3,), ()]:
        calls(_name, _shape, *[(_name, *k) for k in _OFFSETS])
        function(_name, _shape, *_OFFSETS)
    call(_name, "diagonal=", lambda lib, x, n=_name: getattr(lib, n)(x, diagonal=1), draw(2, 3))
    _values = np.array([[np.nan, np.inf], [-np.inf, -0.0]], np.float32)
    call(_name, "extremes", lambda lib, x, n=_name: getattr(lib, n)(x), _values)
for _shape in [(3,), (0,), (2, 4), (4, 2), (0, 3), (), (2, 2, 2)]:
    calls("diag", _shape, *[("diag", *k) for k in _OFFSETS])
    function("diag", _shape, *_OFFSETS)
call("diag", "diagonal=", lambda lib, x: lib.diag(x, diagonal=1), draw(2, 3))
_PLANES: list[tuple[Any, ...]] = [
    *_OFFSETS, (0, 0, 1), (1, 1, 0), (-1, 0, -1), (0, 0, 0), (0, 0, -2), (0, 0, 2), (0, -1, -2),
    (0, 0.0, 1), (2, -2, -1), (0, 0, 3),
]  # fmt: skip
for _shape in [(2, 4), (2, 3, 4), (3,), (), (0, 2)]:
    calls("diagonal", _shape, *[("diagonal", *plane) for plane in _PLANES])
    function("diagonal", _shape, *_PLANES)
call("diagonal", "by name", lambda lib, x: lib.diagonal(x, offset=1, dim1=1, dim2=0), draw(2, 3))

# -- dims that are bools -----------------------------------------------------------------------

for _name, _fn in {
    "sum": lambda lib, x: x.sum(False),
    "cumsum": lambda lib, x: x.cumsum(True),
    "softmax": lambda lib, x: x.softmax(True),
    "sort": lambda lib, x: x.sort(dim=True),
    "argmax": lambda lib, x: x.argmax(False),
    "flatten": lambda lib, x: lib.flatten(x, True),
    "transpose": lambda lib, x: x.transpose(True, False),
    "unsqueeze": lambda lib, x: x.unsqueeze(True),
    "squeeze": lambda lib, x: x.squeeze(False),
    "cat": lambda lib, x: lib.cat([x], True),
    "stack": lambda lib, x: lib.stack([x], False),
    "unbind": lambda lib, x: x.unbind(True),
    "chunk": lambda lib, x: x.chunk(2, True),
    "select": lambda lib, x: x.select(False, 0),
    "gather": lambda lib, x: x.gather(False, lib.tensor([[0]])),
}.items():
    call(_name, "a dim that is a bool", _fn, draw(2, 3))

# -- every type, and memory --------------------------------------------------------------------

_SIMPLE: dict[str, Any] = {
    "reshape": lambda lib, x: x.T.reshape(-1),
    "view": lambda lib, x: x.view(3, 2),
    "flatten": lambda lib, x: x.flatten(),
    "transpose": lambda lib, x: x.transpose(0, 1),
    "permute": lambda lib, x: x.permute(1, 0),
    "movedim": lambda lib, x: x.movedim(0, 1),
    "squeeze": lambda lib, x: x[:1].squeeze(),
    "unsqueeze": lambda lib, x: x.unsqueeze(1),
    "expand": lambda lib, x: x.expand(2, 2, 3),
    "clone": lambda lib, x: x.clone(),
    "contiguous": lambda lib, x: x.T.contiguous(),
    "flip": lambda lib, x: x.flip(0, 1),
    "roll": lambda lib, x: x.roll(1, 1),
    "repeat": lambda lib, x: x.repeat(2, 2),
    "tile": lambda lib, x: x.tile(2),
    "repeat_interleave": lambda lib, x: x.repeat_interleave(2, 1),
    "tril": lambda lib, x: x.tril(),
    "triu": lambda lib, x: x.triu(),
    "diag": lambda lib, x: x[0].diag(1),
    "diagonal": lambda lib, x: x.diagonal(),
}
for _name, _fn in _SIMPLE.items():
    for _dtype in DTYPES:
        call(_name, _dtype, _fn, draw(2, 3, dtype=_dtype))

for _name, _fn in {
    "reshape": lambda lib, x: [x.reshape(6, 4), x.reshape(-1), x.reshape(2, 1, 3, 4)],
    "flatten": lambda lib, x: [x.flatten(), x.flatten(0, 1), x.flatten(1)],
    "unflatten": lambda lib, x: x.unflatten(1, (3, 1)),
    "ravel": lambda lib, x: x.ravel(),
    "transpose": lambda lib, x: x.transpose(0, 2),
    "permute": lambda lib, x: x.permute(2, 0, 1),
    "movedim": lambda lib, x: x.movedim(0, 2),
    "squeeze": lambda lib, x: [x.squeeze(), x[:1].squeeze(), x[:, 1:2].squeeze(1)],
    "unsqueeze": lambda lib, x: x.unsqueeze(1),
    "expand": lambda lib, x: x.expand(2, 2, 3, -1),
    "diagonal": lambda lib, x: x.diagonal(0, 1, 2),
    "contiguous": lambda lib, x: x.contiguous(),
    "clone": lambda lib, x: x.clone(),
    "flip": lambda lib, x: [x.flip(0), x.flip(())],
    "roll": lambda lib, x: [x.roll(1, 0), x.roll(0, 0)],
    "repeat": lambda lib, x: x.repeat(1, 1, 1),
    "tile": lambda lib, x: x.tile(1),
    "repeat_interleave": lambda lib, x: [x.repeat_interleave(1), x.repeat_interleave(1, 0)],
    "tril": lambda lib, x: [x.tril(), x.tril(9)],
    "diag": lambda lib, x: [x[0].diag(), x[0, 0].diag()],
    "broadcast_tensors": lambda lib, x: lib.broadcast_tensors(x, lib.zeros(2, 1, 1, 1))[0],
}.items():
    memory(_name, _fn, 2, 3, 4)
for _name, _fn in {
    "t": lambda lib, x: [x.t(), x[0].t()],
    "T": lambda lib, x: [x.T],
    "mT": lambda lib, x: [x.mT],
}.items():
    memory(_name, _fn, 2, 3)

# -- NumPy's functions on tensors --------------------------------------------------------------

for _label, (_numpys, _torchs) in {
    "reshape": (lambda x: np.reshape(x, (3, 2)), lambda lib, x: x.reshape(3, 2)),
    "reshape, order": (lambda x: np.reshape(x, -1, order="C"), lambda lib, x: x.reshape(-1)),
    "ravel": (lambda x: np.ravel(x), lambda lib, x: x.ravel()),
    "squeeze": (lambda x: np.squeeze(x[:1], axis=0), lambda lib, x: x[0]),
    "squeeze all": (lambda x: np.squeeze(x[:, :1]), lambda lib, x: x[:, 0]),
    "expand_dims": (lambda x: np.expand_dims(x, axis=-1), lambda lib, x: x[..., None]),
    "transpose": (lambda x: np.transpose(x), lambda lib, x: x.T),
    "transpose, axes": (lambda x: np.transpose(x, (0, 1)), lambda lib, x: x.permute(0, 1)),
    "swapaxes": (lambda x: np.swapaxes(x, 0, 1), lambda lib, x: x.T),
    "moveaxis": (lambda x: np.moveaxis(x, 0, -1), lambda lib, x: x.T),
    "moveaxis, several": (lambda x: np.moveaxis(x, (0, 1), (1, 0)), lambda lib, x: x.T),
    "broadcast_to": (lambda x: np.broadcast_to(x, (2, 2, 3)), lambda lib, x: x.expand(2, 2, 3)),
    "broadcast_arrays": (
        lambda x: list(np.broadcast_arrays(x, x[0])),
        lambda lib, x: [x, x[0].expand(2, 3)],
    ),
    "copy": (lambda x: np.copy(x), lambda lib, x: x.clone()),
    "flip": (lambda x: np.flip(x), lambda lib, x: x.flip(0, 1)),
    "flip, axis": (lambda x: np.flip(x, axis=1), lambda lib, x: x.flip(1)),
    "roll": (lambda x: np.roll(x, 1), lambda lib, x: x.roll(1)),
    "roll, axis": (lambda x: np.roll(x, 1, axis=1), lambda lib, x: x.roll(1, 1)),
    "tile": (lambda x: np.tile(x, 2), lambda lib, x: x.tile(2)),
    "tile, several": (lambda x: np.tile(x, (2, 1, 1)), lambda lib, x: x.tile(2, 1, 1)),
    "repeat": (lambda x: np.repeat(x, 2), lambda lib, x: x.repeat_interleave(2)),
    "repeat, axis": (lambda x: np.repeat(x, 2, axis=1), lambda lib, x: x.repeat_interleave(2, 1)),
    "repeat, array": (
        lambda x: np.repeat(x, np.array([1, 2]), axis=0),
        lambda lib, x: x.repeat_interleave(lib.tensor([1, 2]), 0),
    ),
    "tril": (lambda x: np.tril(x, -1), lambda lib, x: x.tril(-1)),
    "triu": (lambda x: np.triu(x, k=1), lambda lib, x: x.triu(1)),
    "diag": (lambda x: np.diag(x, k=1), lambda lib, x: x.diag(1)),
    "diagonal": (
        lambda x: np.diagonal(x, offset=-1, axis1=1, axis2=0),
        lambda lib, x: x.diagonal(-1, 1, 0),
    ),
    "concatenate": (lambda x: np.concatenate([x, x], axis=1), lambda lib, x: lib.cat([x, x], 1)),
    "stack": (lambda x: np.stack([x, x], axis=1), lambda lib, x: lib.stack([x, x], 1)),
    "hstack": (lambda x: np.hstack([x, x]), lambda lib, x: lib.hstack([x, x])),
    "vstack": (lambda x: np.vstack([x, x[0]]), lambda lib, x: lib.vstack([x, x[0]])),
    "array_split": (
        lambda x: np.array_split(x, 2, axis=1),
        lambda lib, x: list(lib.tensor_split(x, 2, 1)),
    ),
    "array_split, indices": (
        lambda x: np.array_split(x, [1, 2], axis=1),
        lambda lib, x: list(lib.tensor_split(x, [1, 2], 1)),
    ),
}.items():
    call(
        "NumPy's shapes",
        _label,
        lambda lib, x, a=_numpys, b=_torchs: b(lib, x) if lib.__name__ == "torch" else a(x),
        draw(2, 3),
    )
