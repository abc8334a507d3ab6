"""Calls that make tensors."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from operations.harness import DTYPES, INF, NAN, call, draw


def _type(lib: Any, name: Any) -> Any:
    return name if name is None else getattr(lib, name)


def _made(name: str, *arguments: Any, dtype: str | None = None, **options: Any) -> Any:
    return lambda lib: getattr(lib, name)(*arguments, dtype=_type(lib, dtype), **options)


def _all(name: str, many: list[tuple[Any, ...]], dtypes: Any = (None,), **options: Any) -> None:
    for arguments, dtype in product(many, dtypes):
        label = f"{arguments}, {dtype}, {options}"
        call(name, label, _made(name, *arguments, dtype=dtype, **options))


_SIZES: list[tuple[Any, ...]] = [
    (2, 3), ((2, 3),), ([2, 3],), (), ([],), ((),), (0,), (2, 0), (np.int64(2), 3),
    ((np.int64(2), 3),), (-1,), (2, -1), (2.0,), ((2.0, 3),), (True,), (None,), ("a",), ((2,), 3),
    (range(3),), ((2, 3), (2,)), (2**40, 2**40), ([2, "a"],),
]  # fmt: skip
for _name in ("zeros", "ones"):
    _all(_name, _SIZES)
    _all(_name, [(2, 3)], DTYPES)
    _all(_name, [(2,)], ("float64", "int64", "bool", None), requires_grad=True)
    _all(_name, [()], size=(2, 3))
    _all(_name, [(2,)], device="cpu")
    _all(_name, [(2,)], device=None)
    _all(_name, [(2,)], device="nowhere")
    _all(_name, [(2,)], requires_grad="yes")
    call(_name, "sizes in tensors", lambda lib, n=_name: getattr(lib, n)(lib.tensor(2), 3))
    call(_name, "a size in a tensor", lambda lib, n=_name: getattr(lib, n)(lib.tensor(2)))
    call(_name, "sizes in one tensor", lambda lib, n=_name: getattr(lib, n)(lib.tensor([2, 3])))
    call(
        _name,
        "Python's types",
        lambda lib, n=_name: [getattr(lib, n)(2, dtype=kind) for kind in (float, int, bool)],
    )
for _arguments in _SIZES:
    call("empty", f"{_arguments}", lambda lib, a=_arguments: lib.empty(*a).fill_(1))
call("empty", "a type", lambda lib: lib.empty(2, 3, dtype=lib.int8).zero_())
call("empty", "requires grad", lambda lib: lib.empty(2, requires_grad=True).requires_grad)

_NUMBERS = [
    1, 1.5, True, 0, -1, -1.5, NAN, INF, 2**40, 2**63, 300, 1e39, 1e10, -300, np.float64(2),
    np.int32(2), "a", None, [1], 255, 256, -128, -129, 65504.0, 65536.0, False,
]  # fmt: skip
_all("full", [((2, 3), 1), ([2], 2), ((), 3), (2, 1), ((-1,), 1), ((2.0,), 1), ((2,),)])
_all("full", [((2,), number) for number in _NUMBERS], [None, *DTYPES])
_all("full", [((2,), 5)], requires_grad=True)
_all("full", [((2,), 5.0)], requires_grad=True)
_all("full", [()], size=(2,), fill_value=3)
call("full", "a 0-d tensor", lambda lib, x: lib.full((2,), x.detach()), np.array(1.5, np.float32))
call("full", "an int in a 0-d tensor", lambda lib, x: lib.full((2,), x), np.array(2))
call("full", "a vector", lambda lib, x: lib.full((2,), x), draw(1))

for _name in ("zeros_like", "ones_like"):
    for _dtype, _other in product(DTYPES, [None, "float64", "int8"]):
        call(
            _name,
            f"{_dtype} as {_other}",
            lambda lib, x, n=_name, o=_other: getattr(lib, n)(x, dtype=_type(lib, o)),
            draw(2, 3, dtype=_dtype),
        )
    for _shape in [(), (0,), (2, 0, 3), (4,)]:
        call(_name, f"{_shape}", lambda lib, x, n=_name: getattr(lib, n)(x), draw(*_shape))
    call(
        _name,
        "requires grad",
        lambda lib, x, n=_name: getattr(lib, n)(x, requires_grad=True),
        draw(2),
    )
    call(
        _name,
        "ints cannot",
        lambda lib, x, n=_name: getattr(lib, n)(x, requires_grad=True),
        draw(2, dtype="int64"),
    )
    call(
        _name, "order of memory", lambda lib, x, n=_name: getattr(lib, n)(x.T).stride(), draw(2, 3)
    )
    call(_name, "of a list", lambda lib, n=_name: getattr(lib, n)([1.0]))
    call(_name, "of None", lambda lib, n=_name: getattr(lib, n)(None))
    call(_name, "on the CPU", lambda lib, x, n=_name: getattr(lib, n)(x, device="cpu"), draw(2))
for _number, _dtype in product(_NUMBERS, ["int32", "uint8", "float32", "float16", "bool"]):
    call(
        "full_like",
        f"{_number!r}, {_dtype}",
        lambda lib, x, v=_number: lib.full_like(x, v),
        draw(2, dtype=_dtype),
    )
call("full_like", "a type", lambda lib, x: lib.full_like(x, 2, dtype=lib.int64), draw(2, 3))
call("full_like", "no value", lambda lib, x: lib.full_like(x), draw(2, 3))
call("empty_like", "filled", lambda lib, x: lib.empty_like(x).fill_(3), draw(2, 3))
call("empty_like", "a type", lambda lib, x: lib.empty_like(x, dtype=lib.int8).fill_(3), draw(2))
for _label, _fn in {
    "its stream": lambda lib, x: lib.rand_like(x),
    "in the order of memory": lambda lib, x: lib.rand_like(x.T),
    "every second": lambda lib, x: lib.rand_like(x[:, ::2]),
    "another type": lambda lib, x: lib.rand_like(x, dtype=lib.float64),
    "of ints": lambda lib, x: lib.rand_like(lib.ones(2, dtype=lib.int64)),
    "a leaf": lambda lib, x: lib.rand_like(x, requires_grad=True),
    "0-d": lambda lib, x: lib.rand_like(x[0, 0]),
    "then rand": lambda lib, x: (lib.rand_like(x), lib.rand(2))[1],
}.items():
    call(
        "rand_like", _label, lambda lib, x, fn=_fn: (lib.manual_seed(3), fn(lib, x))[1], draw(2, 3)
    )

_all(
    "eye",
    [
        (3,),
        (2, 3),
        (3, 2),
        (0,),
        (3, 0),
        (-1,),
        (2, -1),
        (2.0,),
        ((2, 3),),
        (True,),
        (None,),
        (2, 2.0),
    ],
)
_all("eye", [(2, 3)], DTYPES)
_all("eye", [(2,)], requires_grad=True)
_all("eye", [()], n=2, m=3)

_all(
    "arange",
    [
        (5,),
        (2, 5),
        (0, 1, 0.25),
        (5, 0, -2),
        (5, 0),
        (0,),
        (1.5,),
        (0, 5, 0),
        (0, 5, -1),
        (5, 0, 1),
        (1, 2.5),
        (-3,),
        (True,),
        (0, 1, 0.1),
        (0.0,),
        (NAN,),
        (0, INF),
        (2**62, 2**62 + 3),
        (1, 4, 1.5),
        (0, 3, True),
        ("a",),
        (None,),
        (),
        (1, 2, 3, 4),
        ([1],),
        (1, 5, None),
        (3.0,),
        (-1, 1, 0.5),
        (1, -1, -0.5),
        (0, 10, 3),
        (0, 9, 3),
        (10, 0, -3),
        (np.int64(3),),
        (0, -0.0),
        (np.float32(2.5),),
        (-5, 5),
        (0, 1, 1 / 3),
        (1e10, 1e10 + 3),
        (0, 5, 1e-1),
        (0.5, 3),
    ],
)
_all("arange", [(5,), (1, 4), (0, 6, 2), (0, 300, 100), (1.5, 5), (0, 5, 1.5), (2.5,)], DTYPES)
_all("arange", [(4,), (4.0,)], requires_grad=True)
_all("arange", [()], start=1, end=4, step=2)
_all("arange", [()], end=4)
_all("arange", [(1,)], end=4)
call("arange", "of tensors", lambda lib: lib.arange(lib.tensor(1), lib.tensor(5.0)))
call("arange", "of a vector", lambda lib: lib.arange(lib.tensor([1, 2])))
call("arange", "0.5 as an integer step", lambda lib: lib.arange(0.5, 5, 0.5, dtype=lib.int64))

_SPANS: list[tuple[Any, ...]] = [
    (0, 1, 5), (0, 1, 1), (0, 1, 0), (0, 1, -1), (0, 1), (0, 1, 2.0), (1, 0, 3), (0, 10, 4),
    ("a", 1, 2), (0, None, 3), (0, 1, True), (NAN, 1, 3), (0, INF, 3), (-3, 10, 6), (-1, 1, 7),
    (0.1, 0.9, 11), (2, 2, 3), (-2.5, 2.5, 100), (0, 1, np.int64(3)), (0.5, 2.7, 4), (0, 1, "3"),
]  # fmt: skip
for _name in ("linspace", "logspace"):
    _all(_name, _SPANS)
    _all(_name, [(0, 2, 3), (0, 2, 4), (-1, 2, 6), (0.5, 2.7, 4), (0, 2, 0), (2, 0, 5)], DTYPES)
    _all(_name, [()], start=0, end=1, steps=3)
    _all(_name, [(0, 1, 3)], requires_grad=True)
    call(
        _name, "of tensors", lambda lib, n=_name: getattr(lib, n)(lib.tensor(0.5), lib.tensor(1), 3)
    )
    call(_name, "steps in a tensor", lambda lib, n=_name: getattr(lib, n)(0, 1, lib.tensor(3)))
    call(_name, "of a vector", lambda lib, n=_name: getattr(lib, n)(lib.tensor([0.0]), 1, 3))
_all("linspace", [(0, 300, 4)], ["uint8", "int8"])
_all("logspace", [(0, 1, 3, base) for base in (2, 2.5, -2.0, 0, 1)] + [(-5, 5, 5, 10.0)])
_all("logspace", [(0, 3, 4)], base=2)

# -- of data -----------------------------------------------------------------------------------

for _value, _dtype in product([300.7, NAN, INF, -1.5, 2.5, -1, 300, 255, True, [1, 2.5]], DTYPES):
    call(
        "tensor",
        f"{_value} as {_dtype}",
        lambda lib, v=_value, d=_dtype: lib.tensor(v, dtype=_type(lib, d)),
    )
for _label, _fn in {
    "on the CPU": lambda lib: lib.tensor([1.0], device="cpu"),
    "by name": lambda lib: lib.tensor(data=[1]),
    "a type by position": lambda lib: lib.tensor([1.0], lib.float64),
    "requires_grad of 1": lambda lib: lib.tensor([1.0], requires_grad=1),
}.items():
    call("tensor", _label, _fn)
for _label, _fn in {
    "a list": lambda lib, x: lib.as_tensor([1, 2]),
    "a number": lambda lib, x: lib.as_tensor(1.5),
    "a NumPy scalar": lambda lib, x: lib.as_tensor(np.float64(1)),
    "an array": lambda lib, x: lib.as_tensor(np.ones(2)),
    "an array, cast": lambda lib, x: lib.as_tensor(np.ones(2), dtype=lib.float32),
    "a tensor": lambda lib, x: lib.as_tensor(x) is x,
    "a tensor of its type": lambda lib, x: lib.as_tensor(x, dtype=lib.float32) is x,
    "a tensor, cast": lambda lib, x: lib.as_tensor(x, dtype=lib.float64),
    "a result": lambda lib, x: lib.as_tensor(x * 2),
    "on the CPU": lambda lib, x: lib.as_tensor(x, device="cpu") is x,
    "a str": lambda lib, x: lib.as_tensor("a"),
    "None": lambda lib, x: lib.as_tensor(None),
    "requires_grad": lambda lib, x: lib.as_tensor([1.0], requires_grad=True),
    "memory shared": lambda lib, x: np.shares_memory(lib.as_tensor(_SHARED).numpy(), _SHARED),
}.items():
    call("as_tensor", _label, _fn, draw(2))
_SHARED = np.ones(3)
for _dtype in [*DTYPES, ">f4"]:
    call("from_numpy", _dtype, lambda lib, d=_dtype: lib.from_numpy(np.ones((2, 3), d).T))
call("from_numpy", "a number", lambda lib: lib.from_numpy(1.0))
call("from_numpy", "a list", lambda lib: lib.from_numpy([1.0]))
call("from_numpy", "memory shared", lambda lib: np.shares_memory(
     lib.from_numpy(_SHARED).numpy(), _SHARED))  # fmt: skip

# -- methods -----------------------------------------------------------------------------------

for _label, _fn in {
    "new_tensor": lambda lib, x: x.new_tensor([1, 2]),
    "new_tensor of an array": lambda lib, x: x.new_tensor(np.ones(2)),
    "new_tensor of a float": lambda lib, x: x.new_tensor(2.7),
    "new_tensor of bools": lambda lib, x: x.new_tensor([True]),
    "new_tensor, another type": lambda lib, x: x.new_tensor([1], dtype=lib.int32),
    "new_zeros": lambda lib, x: x.new_zeros(2, 3),
    "new_zeros of a tuple": lambda lib, x: x.new_zeros((2, 3)),
    "new_zeros, 0-d": lambda lib, x: x.new_zeros(()),
    "new_zeros, negative": lambda lib, x: x.new_zeros(-1),
    "new_zeros, size=": lambda lib, x: x.new_zeros(size=(2,)),
    "new_zeros, no size": lambda lib, x: x.new_zeros(),
    "new_zeros, another type": lambda lib, x: x.new_zeros(2, dtype=lib.int8),
    "new_zeros on the CPU": lambda lib, x: x.new_zeros(2, device="cpu"),
    "new_ones": lambda lib, x: x.new_ones([2, 3]),
    "new_ones that requires grad": lambda lib, x: x.new_ones(2, requires_grad=True),
    "new_full": lambda lib, x: x.new_full((2,), 1.7),
    "new_full of inf": lambda lib, x: x.new_full((2,), INF),
    "new_full of 300": lambda lib, x: x.new_full((2,), 300),
    "new_full, another type": lambda lib, x: x.new_full((2,), 1, dtype=lib.int64),
    "new_full, no tuple": lambda lib, x: x.new_full(2, 1),
    "new_full of a tensor": lambda lib, x: x.new_full((2,), lib.tensor(2)),
    "new_empty": lambda lib, x: x.new_empty((2, 3)).fill_(1),
    "new_empty, another type": lambda lib, x: x.new_empty(2, dtype=lib.int64).fill_(1),
}.items():
    for _dtype in ("float32", "float64", "int64", "uint8", "bool"):
        call(_label.replace(",", " ").split()[0], f"{_label}, {_dtype}", _fn, draw(2, dtype=_dtype))
