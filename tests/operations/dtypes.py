"""Calls about types of elements: changes of type, questions, limits."""

from __future__ import annotations

from itertools import product

import numpy as np

from operations.harness import DTYPES, INF, NAN, call, draw

_FLOATS = [0.0, -0.0, 0.9, -0.9, 1.5, -1.5, 300.7, -300.0, 1e10, -1e10, NAN, INF, -INF, 1e20, 255.9,
           256.0, 2.0**31, -129.0, 65504.0, 1e-8]  # fmt: skip
_INTS = [0, 1, -1, 127, 128, 255, 256, -128, -129, 2**31, 2**40, -(2**40), 65504, 65520]


def _values(dtype: str) -> np.ndarray:
    """Values of every size, also in a number that is not a multiple of a vector's width."""
    with np.errstate(all="ignore"):
        return np.array((_FLOATS if dtype.startswith("f") else _INTS) * 3 + [2]).astype(dtype)


METHODS = {
    "float32": "float",
    "float64": "double",
    "float16": "half",
    "int64": "long",
    "int32": "int",
    "int16": "short",
    "int8": "char",
    "uint8": "byte",
    "bool": "bool",
}
for _one, _two in product(DTYPES, DTYPES):
    call("to", f"{_one} to {_two}", lambda lib, x, d=_two: x.to(getattr(lib, d)), _values(_one))
    call(
        "to",
        f"{_one}.{METHODS[_two]}()",
        lambda lib, x, m=METHODS[_two]: getattr(x, m)(),
        draw(2, 3, dtype=_one),
    )
    call(
        "to",
        f"{_one}, 0-d, to {_two}",
        lambda lib, x, d=_two: x.to(getattr(lib, d)),
        draw(dtype=_one),
    )
    call(
        "to",
        f"{_one}, type_as {_two}",
        lambda lib, x, y: x.type_as(y),
        draw(2, dtype=_one),
        draw(3, dtype=_two),
    )
    call(
        "to",
        f"{_one} to another of {_two}",
        lambda lib, x, y: x.to(y),
        draw(2, dtype=_one),
        draw(3, dtype=_two),
    )
for _label, _fn in {
    "the CPU": lambda lib, x: x.to("cpu") is x,
    "its type": lambda lib, x: x.to(lib.float32) is x,
    "a copy": lambda lib, x: x.to(lib.float32, copy=True),
    "a copy is another": lambda lib, x: x.to(lib.float32, copy=True) is x,
    "a copy on the CPU": lambda lib, x: x.to("cpu", copy=True) is x,
    "a copy in another type": lambda lib, x: x.to(lib.float64, copy=True),
    "the CPU and a type": lambda lib, x: x.to("cpu", lib.float64),
    "both by name": lambda lib, x: x.to(device="cpu", dtype=lib.int64),
    "dtype=": lambda lib, x: x.to(dtype=lib.float16),
    "non_blocking": lambda lib, x: x.to(lib.float64, non_blocking=True),
    "None": lambda lib, x: x.to(None) is x,
    "Python's float": lambda lib, x: x.to(float),
    "a list": lambda lib, x: x.to([1]),
    "a type, a flag": lambda lib, x: x.to(lib.float64, True),
    "a type, two flags": lambda lib, x: x.to(lib.float32, False, True) is x,
    "all by position": lambda lib, x: x.to("cpu", lib.float64, False, True),
    "no type": lambda lib, x: x.to("cpu", None, False) is x,
    "no device": lambda lib, x: x.to(None, lib.float64),
    "another tensor": lambda lib, x: x.to(x.double(), False, True),
    "nothing": lambda lib, x: x.to() is x,
    "a copy only": lambda lib, x: x.to(copy=True) is x,
    "too much": lambda lib, x: x.to(lib.float64, False, False, True),
    "a flag after the device": lambda lib, x: x.to("cpu", False),
    "two types": lambda lib, x: x.to(lib.float64, lib.float64),
    "a type twice": lambda lib, x: x.to("cpu", lib.float64, dtype=lib.float64),
    "the device last": lambda lib, x: x.to(lib.float64, "cpu"),
    "two devices": lambda lib, x: x.to("cpu", "cpu"),
    "a type and a device": lambda lib, x: x.to(lib.float64, device="cpu"),
    "a number for a flag": lambda lib, x: x.to(lib.float64, copy=1),
    "a number for a flag by position": lambda lib, x: x.to(lib.float64, 1),
    "there and back": lambda lib, x: x.double().half().float() * 2,
    "type()": lambda lib, x: x.type(),
    "type(dtype)": lambda lib, x: x.type(lib.float64),
    "type of its own": lambda lib, x: x.type(lib.float32) is x,
    "type(name)": lambda lib, x: x.type("torch.LongTensor"),
    "type(1)": lambda lib, x: x.type(1),
    "type_as a number": lambda lib, x: x.type_as(1.0),
    "cpu": lambda lib, x: x.cpu() is x,
}.items():
    call("to", _label, _fn, draw(2, 3))
for _dtype in DTYPES:
    call("to", f"type() of {_dtype}", lambda lib, x: x.type(), draw(1, dtype=_dtype))

# -- questions ---------------------------------------------------------------------------------

for _label, _fn in {
    "device": lambda lib, x: str(x.device),
    "is_cuda": lambda lib, x: x.is_cuda,
    "is_floating_point": lambda lib, x: [x.is_floating_point(), lib.is_floating_point(x)],
    "is_tensor": lambda lib, x: [lib.is_tensor(x), lib.is_tensor(1.0)],
    "numel": lambda lib, x: [lib.numel(x), x.numel(), x.nelement()],
    "dims": lambda lib, x: [x.dim(), x.ndimension(), x.ndim],
    "bytes": lambda lib, x: [x.element_size(), x.itemsize, x.nbytes],
    "stride": lambda lib, x: x.stride(),
    "stride of a transposed view": lambda lib, x: x.transpose(0, -1).stride(),
    "stride of every second": lambda lib, x: x[..., ::2].stride(),
    "stride of a dim": lambda lib, x: x.stride(-1),
    "stride of no dim": lambda lib, x: x.stride(7),
    "stride of a str": lambda lib, x: x.stride("0"),
    "is it where it was": lambda lib, x: x.data_ptr() == x.detach().data_ptr(),
    "result_type with a number": lambda lib, x: str(lib.result_type(x, 1.5)),
    "result_type with an int": lambda lib, x: str(lib.result_type(2, x)),
    "result_type with a bool": lambda lib, x: str(lib.result_type(x, True)),
    "result_type with a str": lambda lib, x: str(lib.result_type(x, "a")),
}.items():
    for _shape, _dtype in product([(2, 3), (3, 1, 2), (4,)], DTYPES):
        call("what it is", f"{_label}, {_shape}, {_dtype}", _fn, draw(*_shape, dtype=_dtype))
for _label, _fn in {
    "is_floating_point of a number": lambda lib: lib.is_floating_point(1.0),
    "numel of a list": lambda lib: lib.numel([1]),
    "result_type of numbers": lambda lib: str(lib.result_type(1, 1.5)),
    "result_type of one": lambda lib: lib.result_type(1),
    "promote_types of numbers": lambda lib: lib.promote_types(1, 2),
    "can_cast of numbers": lambda lib: lib.can_cast(1, 2),
    "iinfo of nothing": lambda lib: lib.iinfo(),
    "finfo by default": lambda lib: repr(lib.finfo()),
    "names": lambda lib: [
        getattr(lib, name) == getattr(lib, dtype)
        for dtype, name in METHODS.items()
        if name not in ("char", "byte")
    ],
}.items():
    call("types", _label, _fn)
for _one, _two in product(DTYPES, DTYPES):
    for _name in ("promote_types", "can_cast"):
        call(
            "types",
            f"{_name} {_one}, {_two}",
            lambda lib, a=_one, b=_two, n=_name: str(
                getattr(lib, n)(getattr(lib, a), getattr(lib, b))
            ),
        )
    for _shapes in [((2,), (2,)), ((), (2,)), ((), ())]:
        call(
            "types",
            f"result_type {_one}{_shapes[0]}, {_two}{_shapes[1]}",
            lambda lib, a, b: str(lib.result_type(a, b)),
            draw(*_shapes[0], dtype=_one),
            draw(*_shapes[1], dtype=_two),
        )
for _name, _dtype in product(("finfo", "iinfo"), DTYPES):
    call(
        "types",
        f"{_name} of {_dtype}",
        lambda lib, n=_name, d=_dtype: repr(getattr(lib, n)(getattr(lib, d))),
    )
    for _field in ("bits", "min", "max", "dtype", *(("eps", "tiny", "smallest_normal", "resolution")
                                                    if _name == "finfo" else ())):  # fmt: skip
        call(
            "types",
            f"{_name} of {_dtype}: {_field}",
            lambda lib, n=_name, d=_dtype, f=_field: getattr(getattr(lib, n)(getattr(lib, d)), f),
        )
