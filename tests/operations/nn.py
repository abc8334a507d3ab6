"""Calls of ``nn.functional``, and of what PyTorch offers of it elsewhere too."""

from __future__ import annotations

import warnings
from itertools import product
from typing import Any

import numpy as np

from operations.harness import DTYPES, EXTREMES, INF, NAN, SHAPES, call, draw

I64 = np.int64


def of(name: str, *arguments: Any, **options: Any) -> Any:
    """A call of ``nn.functional.<name>`` in either library, warnings being errors."""

    def fn(lib: Any, *xs: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return getattr(lib.nn.functional, name)(*xs, *arguments, **options)

    return fn


def quietly(name: str, *arguments: Any, **options: Any) -> Any:
    """The same, warnings being ignored."""

    def fn(lib: Any, *xs: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return getattr(lib.nn.functional, name)(*xs, *arguments, **options)

    return fn


# -- elementwise activations -------------------------------------------------------------------

_ACTIVATIONS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("relu", (), {}),
    ("relu6", (), {}),
    ("hardtanh", (), {}),
    ("hardtanh", (-0.5, 2.0), {}),
    ("hardtanh", (0.5, 0.5), {}),
    ("hardtanh", (-2, 1), {}),
    ("leaky_relu", (), {}),
    ("leaky_relu", (0.3,), {}),
    ("leaky_relu", (0.0,), {}),
    ("leaky_relu", (-0.5,), {}),
    ("elu", (), {}),
    ("elu", (0.5,), {}),
    ("elu", (), {"alpha": -0.7}),
    ("celu", (), {}),
    ("celu", (0.5,), {}),
    ("celu", (), {"alpha": -0.7}),
    ("selu", (), {}),
    ("hardsigmoid", (), {}),
    ("hardswish", (), {}),
    ("silu", (), {}),
    ("mish", (), {}),
    ("gelu", (), {}),
    ("gelu", (), {"approximate": "tanh"}),
    ("softplus", (), {}),
    ("softplus", (2,), {}),
    ("softplus", (0.5, 1.0), {}),
    ("softplus", (-1.0,), {}),
    ("softsign", (), {}),
    ("logsigmoid", (), {}),
    ("tanh", (), {}),
    ("sigmoid", (), {}),
]
_KINKS = [0.0, -0.0, 6.0, 3.0, -3.0, 1.0, -1.0, 0.5, -0.5, 2.0, 20.0, 10.0, -2.0]
_LARGE = [1e4, -1e4, 100.0, -100.0, 1e-40, NAN]
# PyTorch's float32 GELU of ∞ is NaN, and so is the derivative of its approximation from 1e13 on
_FINITE = [x for x in EXTREMES if abs(x) < 1e5 or x == -1e30]
# Softsign's derivative at ∞ is 0 here and NaN there
_EXTREME = {"gelu": _FINITE, "softsign": _FINITE}
# The derivative at NaN is NaN, in PyTorch only where the processor computes many at once
_COPIES = dict.fromkeys(["elu", "selu", "celu", "hardswish"], 64)
_ROUGH = {"celu": 1e-5, "hardsigmoid": 1e-6}  # constants that PyTorch rounds to float32
for _name, _args, _options in _ACTIVATIONS:
    _fn, _label = of(_name, *_args, **_options), f"{_args} {_options}"
    _exact = _ROUGH.get(_name)
    for _shape in SHAPES:
        call(_name, f"{_label} {_shape}", _fn, draw(*_shape))
    for _dtype in DTYPES:
        # F.tanh and F.sigmoid also take integers, F.relu does not take bools
        call(
            _name,
            f"{_label} {_dtype}",
            _fn,
            draw(7, dtype=_dtype),
            tolerance=_exact if _dtype == "float64" else None,
        )
    for _dtype in ("float64", "float32", "float16"):
        call(
            _name,
            f"{_label} kinks {_dtype}",
            _fn,
            np.array(_KINKS, _dtype),
            tolerance=_exact if _dtype == "float64" else None,
        )
    for _dtype in ("float64", "float32"):
        _arrays = np.tile(np.array(_LARGE).astype(_dtype), _COPIES.get(_name, 1))
        call(_name, f"{_label} large {_dtype}", _fn, _arrays, tolerance=_exact)
    if _options.get("approximate") == "tanh":
        continue
    _arrays = np.tile(np.float32(_EXTREME.get(_name, EXTREMES)), _COPIES.get(_name, 1))
    call(_name, f"{_label} extremes", _fn, _arrays)
    call(_name, f"{_label} transposed", lambda lib, x, f=_fn: f(lib, x.T), draw(2, 3))
    call(_name, f"{_label} every second", lambda lib, x, f=_fn: f(lib, x[::2]), draw(5))

call("hardtanh", "uint8 from 0", of("hardtanh", 0, 3), draw(4, dtype="uint8", high=5))
call("hardtanh", "bounds the wrong way round", of("hardtanh", 1.0, 0.0), draw(3))
call("hardtanh", "bounds that are no numbers", of("hardtanh", "0", 1.0), draw(3))
call("relu6", "int8", of("relu6"), np.array([-3, 5, 7], np.int8))
call("leaky_relu", "slope that is no number", of("leaky_relu", "0.1"), draw(3))
call("elu", "alpha that is no number", of("elu", [1.0]), draw(3))
call("celu", "alpha 0", of("celu", 0), draw(3))
call("celu", "alpha that is no number", of("celu", "1"), draw(3))
call("softplus", "beta 0", of("softplus", 0), draw(3))
call("softplus", "beta that is no number", of("softplus", "1"), draw(3))
call("gelu", "another approximation", of("gelu", approximate="erf"), draw(3))


def _in_place(lib: Any, x: Any, name: str, *arguments: Any) -> Any:
    """The result, what became of the input, and what came before it."""
    y = x * 1
    z = y * 2
    result = getattr(lib.nn.functional, name)(y, *arguments, inplace=True)
    return result is y, result, y + z


for _name, *_args in [
    ("relu",), ("relu6",), ("hardtanh", -0.5, 1.0), ("leaky_relu", 0.3), ("elu", 0.5), ("selu",),
    ("celu", 0.5), ("hardsigmoid",), ("hardswish",),
    ("silu",), ("mish",), ("dropout", 1.0), ("dropout", 0.0), ("dropout", 0.5, False),
]:  # fmt: skip
    call(
        _name, f"in place {_args}",
        lambda lib, x, n=_name, a=_args: _in_place(lib, x, n, *a), draw(5),
    )  # fmt: skip
    call(
        _name, f"in place, detached {_args}",
        lambda lib, x, n=_name, a=_args: _in_place(lib, x.detach(), n, *a), draw(5),
    )  # fmt: skip
    call(_name, f"in place of a leaf {_args}", of(_name, *_args, inplace=True), draw(5))
for _name in (
    "relu", "relu6", "elu", "selu", "silu", "mish", "gelu", "leaky_relu", "softplus", "celu",
    "hardsigmoid", "hardswish",
):  # fmt: skip
    call(_name, "a list", lambda lib, n=_name: getattr(lib.nn.functional, n)([1.0]))

for _shape, _slopes in [
    ((), ()), ((), (1,)), ((3,), (1,)), ((3,), ()), ((2, 3), (3,)), ((2, 3), (1,)),
    ((2, 3, 2), (3,)), ((0, 3), (3,)), ((2, 1), (1,)),
    ((3,), (3,)), ((2, 3), (2,)), ((2, 3), (1, 3)), ((), (2,)), ((2, 3), (0,)),
]:  # fmt: skip
    _pair = draw(*_shape), draw(*_slopes)
    call("prelu", f"{_shape}, {_slopes}", of("prelu"), *_pair)
    call("prelu", f"{_shape}, {_slopes}, method", lambda lib, x, w: x.prelu(w), *_pair)
    call("prelu", f"{_shape}, {_slopes}, function", lambda lib, x, w: lib.prelu(x, w), *_pair)
call("prelu", "kinks", of("prelu"), [0.0, -0.0, NAN, INF, -1e4], [0.25])
call("prelu", "two types", of("prelu"), draw(3), draw(1, dtype="float64"))
call("prelu", "float16", of("prelu"), draw(2, 3, dtype="float16"), draw(3, dtype="float16"))
call("prelu", "integers", of("prelu"), draw(3, dtype="int64"), draw(1))
call("prelu", "a number", lambda lib, x: lib.nn.functional.prelu(x, 0.5), draw(3))

for _shape, _dim in [
    ((4,), -1), ((2, 4), 0), ((2, 4), 1), ((2, 4, 3), -2), ((0, 4), 1), ((0, 4), 0), ((2, 0), 1),
    ((3,), 0), ((), 0), ((4,), 1), ((2, 4), "0"),
]:  # fmt: skip
    call("glu", f"{_shape}, {_dim}", of("glu", _dim), draw(*_shape))
for _dtype in DTYPES:
    call("glu", _dtype, of("glu"), draw(2, 4, dtype=_dtype))
call("glu", "large", of("glu"), [1.0, 1e4, 1e4, -1e4])

# -- softmax and its kin -------------------------------------------------------------------------

for _name in ("softmax", "log_softmax", "softmin"):
    for _shape, _dim in [
        ((), 0), ((), -1), ((4,), 0), ((4,), -1), ((2, 3), 0), ((2, 3), 1), ((2, 3, 2), 1),
        ((2, 3, 2), -3), ((0,), 0), ((0, 3), 0), ((0, 3), 1), ((2, 0, 3), 1), ((1, 1), 1),
        ((), 1), ((4,), 1), ((2, 3), -3),
    ]:  # fmt: skip
        call(_name, f"{_shape}, dim={_dim}", of(_name, _dim), draw(*_shape))
        if _name != "softmin":
            call(
                _name, f"{_shape}, dim={_dim}, method",
                lambda lib, x, n=_name, d=_dim: getattr(x, n)(d), draw(*_shape),
            )  # fmt: skip
            call(
                _name, f"{_shape}, dim={_dim}, function",
                lambda lib, x, n=_name, d=_dim: getattr(lib, n)(x, dim=d), draw(*_shape),
            )  # fmt: skip
    for _shape in SHAPES:
        call(_name, f"{_shape}, warns without dim", of(_name), draw(*_shape))
        call(_name, f"{_shape}, without dim", quietly(_name), draw(*_shape))
    for _dtype in DTYPES:
        call(_name, _dtype, of(_name, 0), draw(5, dtype=_dtype))
        for _to in ("float64", "float32", "float16", "int64"):
            call(
                _name, f"{_dtype} as {_to}",
                lambda lib, x, n=_name, t=_to: getattr(lib.nn.functional, n)(
                    x, 0, dtype=getattr(lib, t)
                ),
                draw(5, dtype=_dtype), tolerance=2e-2 if "float16" in (_dtype, _to) else 2e-5,
            )  # fmt: skip
    for _i, _row in enumerate([
        [1e4, -1e4, 0.0], [1e4, 1e4], [-1e4, -1e4], [-INF, 0.0, 1.0], [-INF, -INF], [INF, 0.0],
        [NAN, 0.0], [-INF, NAN], [INF, -INF], [1e30, -1e30], [3e38, -3e38], [0.0, -0.0], [-INF],
    ]):  # fmt: skip
        call(_name, f"extreme row {_i}", of(_name, -1), [_row, [0.5] * len(_row)])
    if _name != "log_softmax":  # whose sum overflows in PyTorch
        call(_name, "float16, many", of(_name, 0), np.zeros(70_000, np.float16))
    _fn = of(_name, 1)
    call(_name, "transposed", lambda lib, x, f=_fn: f(lib, x.T), draw(3, 4))
    call(_name, "dim that is no integer", of(_name, 0.5), draw(3))
    call(_name, "dim that is text", of(_name, "0"), draw(3))
call("softmax", "method without dim", lambda lib, x: x.softmax(), draw(3))
call("softmax", "function with dtype", lambda lib, x: lib.softmax(x, 0, lib.float64), draw(3))
call("softmax", "method with dtype", lambda lib, x: x.softmax(0, dtype=lib.float64), draw(3))

# -- layers --------------------------------------------------------------------------------------

for _shape, _weight, _bias in [
    ((3,), (2, 3), (2,)), ((4, 3), (2, 3), (2,)), ((4, 3), (2, 3), None), ((2, 4, 3), (2, 3), (2,)),
    ((0, 3), (2, 3), (2,)), ((4, 3), (3,), None), ((4, 3), (2, 4), None), ((), (2, 3), None),
]:  # fmt: skip
    _arrays = [draw(*s) for s in (_shape, _weight, _bias) if s is not None]
    call("linear", f"{_shape}, {_weight}, {_bias}", of("linear"), *_arrays)

for _one, _two, _weight, _bias in [
    ((2, 3), (2, 4), (5, 3, 4), (5,)), ((3,), (4,), (5, 3, 4), None),
    ((2, 6, 3), (2, 6, 4), (5, 3, 4), (5,)), ((0, 3), (0, 4), (5, 3, 4), (5,)),
    ((2, 3), (2, 4), (1, 3, 4), (1,)), ((2, 3), (3, 4), (5, 3, 4), None),
    ((2, 3), (1, 4), (5, 3, 4), None), ((2, 3), (2, 4), (5, 4, 4), None),
    ((2, 3), (2, 4), (3, 4), None), ((2, 3), (2, 4), (5, 3, 4), (4,)),
    ((2, 3), (4,), (5, 3, 4), None),
]:  # fmt: skip
    _arrays = [draw(*s) for s in (_one, _two, _weight, _bias) if s is not None]
    call("bilinear", f"{_one}, {_two}, {_weight}, {_bias}", of("bilinear"), *_arrays)
call(
    "bilinear", "two types", of("bilinear"),
    draw(2, 3), draw(2, 4), draw(5, 3, 4, dtype="float64"),
)  # fmt: skip


def _dropped(lib: Any, x: Any, p: float, **options: Any) -> Any:
    """Dropout's result if this PyTorch draws as ours does (one built on Intel's does not)."""
    lib.manual_seed(3)
    kept = lib.nn.functional.dropout(lib.ones(24), 0.5).tolist()
    lib.manual_seed(5)
    y = lib.nn.functional.dropout(x, p, **options)
    return y if [k > 0 for k in kept] == _KEPT else y * 0


_KEPT = [c == "1" for c in "110100111010110110010011"]
for _shape, _p in product(SHAPES, (0.0, 0.3, 0.5, 1.0)):
    call("dropout", f"{_shape}, p={_p}", lambda lib, x, p=_p: _dropped(lib, x, p), draw(*_shape))
for _dtype, _p in product(DTYPES, (0.0, 0.3, 1.0)):
    call(
        "dropout", f"{_dtype}, p={_p}", lambda lib, x, p=_p: _dropped(lib, x, p),
        draw(40, dtype=_dtype),
    )  # fmt: skip
call("dropout", "evaluation", of("dropout", 0.5, False), draw(9))
call("dropout", "of NaN", lambda lib, x: _dropped(lib, x, 0.5), [NAN, INF, -INF] * 8)
call("dropout", "of NaN, all", of("dropout", 1.0), [NAN, INF, -INF, 1.0])


def _undrawn(lib: Any, x: Any) -> Any:
    """Where nothing is left to chance no random numbers are used up."""
    lib.manual_seed(4)
    for p in (0.0, 1.0):
        lib.nn.functional.dropout(x, p)
    first = lib.nn.functional.dropout(x, 0.5).tolist()
    lib.manual_seed(4)
    return first == lib.nn.functional.dropout(x, 0.5).tolist()


call(
    "dropout", "in place", lambda lib, x: _dropped(lib, x * 1, 0.5, inplace=True), draw(40)
)  # fmt: skip
call("dropout", "certain outcomes", _undrawn, draw(20))
call("dropout", "a second draw is another", lambda lib: _draws(lib))
call("dropout", "frequency and scale", lambda lib: _frequency(lib))
for _p in (-0.1, 1.1, "0.5", None):
    call("dropout", f"p={_p}", of("dropout", _p), draw(3))


def _draws(lib: Any) -> Any:
    x = lib.ones(1000)
    dropout = lib.nn.functional.dropout
    return (dropout(x) == dropout(x)).tolist().count(True) < 700


def _frequency(lib: Any) -> Any:
    y = lib.nn.functional.dropout(lib.ones(20_000), 0.2).tolist()
    return abs(y.count(0.0) / 20_000 - 0.2) < 0.03, sorted({round(v, 5) for v in y})


_TABLE = draw(5, 3)
for _index in [2, [0, 4, 4, 1], [[1, 1], [2, 2]], np.zeros(0, I64), np.zeros((2, 0), I64)]:
    for _padding in (None, 4, 1, -1, -4):
        call("embedding", f"{_index}, {_padding}", _embed := (
            lambda lib, i, w, p=_padding: lib.nn.functional.embedding(i, w, p)
        ), np.asarray(_index, I64), _TABLE)  # fmt: skip
    call("embedding", f"{_index}, int32", of("embedding"), np.asarray(_index, np.int32), _TABLE)
for _index in [[5], [-1], [0, -6], [100]]:
    call("embedding", f"{_index} out of range", of("embedding"), _index, _TABLE)
for _dtype in ("uint8", "int16", "bool", "float32"):
    call("embedding", f"{_dtype} indices", of("embedding"), np.ones(2, _dtype), _TABLE)
for _padding in (5, -6):
    call("embedding", f"padding_idx={_padding}", of("embedding", _padding), [0], _TABLE)
call("embedding", "a vector", of("embedding"), [0], draw(4))
call("embedding", "a stack", of("embedding"), [0], draw(4, 2, 2))
call("embedding", "integer table", of("embedding"), [1, 0], draw(3, 2, dtype="int64"))
call("embedding", "empty table", of("embedding"), np.zeros(0, I64), draw(0, 2))
call("embedding", "a list", lambda lib, w: lib.nn.functional.embedding([0], w), _TABLE)
for _dtype in ("float64", "float16"):
    call("embedding", _dtype, of("embedding"), [1, 1, 0], draw(3, 2, dtype=_dtype))

for _shape, _sizes in [
    ((3,), (3,)), ((2, 3), (3,)), ((2, 3), [3]), ((2, 3), (2, 3)), ((2, 4, 3), (4, 3)),
    ((0, 3), (3,)), ((2, 0), (0,)), ((2, 1), (1,)), ((2, 3), (2,)), ((2, 3), ()), ((2, 3), (4, 3)),
    ((2, 3), (1, 2, 3)), ((), (1,)), ((), ()), ((2, 3), 3),
]:  # fmt: skip
    call("layer_norm", f"{_shape}, {_sizes}", of("layer_norm", _sizes), draw(*_shape))
    if isinstance(_sizes, tuple):
        call(
            "layer_norm", f"{_shape}, {_sizes}, affine",
            lambda lib, x, w, b, s=_sizes: lib.nn.functional.layer_norm(x, s, w, b, 0.1),
            draw(*_shape), draw(*_sizes), draw(*_sizes),
        )  # fmt: skip
for _dtype in DTYPES:
    call("layer_norm", _dtype, of("layer_norm", (7,)), draw(2, 7, dtype=_dtype))
call(
    "layer_norm", "only a bias",
    lambda lib, x, b: lib.nn.functional.layer_norm(x, (3,), None, b), draw(2, 3), draw(3),
)  # fmt: skip
for _name, _w in {"shape": draw(2), "stack": draw(1, 3), "type": draw(3, dtype="float64")}.items():
    call(
        "layer_norm", f"wrong {_name} of the weight",
        lambda lib, x, w: lib.nn.functional.layer_norm(x, (3,), w), draw(2, 3), _w,
    )  # fmt: skip
call("layer_norm", "large float16", of("layer_norm", (4,)), np.float16([1e4, -1e4, 3e4, 1.0]))
call("layer_norm", "large", of("layer_norm", (4,)), [1e4, -1e4, 1e4, 1e4])
call("layer_norm", "one NaN", of("layer_norm", (2,)), [[NAN, 1.0], [1.0, 2.0]])
call("layer_norm", "negative eps", of("layer_norm", (3,), eps=-9.0), draw(2, 3))
call("layer_norm", "eps that is text", of("layer_norm", (3,), eps="0"), draw(2, 3))

for _classes in [[0, 2], [[1, 1], [0, 3]], 2, np.zeros(0, I64), np.zeros((2, 0), I64), [-1]]:
    for _n in (-1, 0, 2, 4, 6, -2):
        call("one_hot", f"{_classes}, {_n}", of("one_hot", _n), np.asarray(_classes, I64))
for _dtype in ("float32", "int32", "uint8", "bool"):
    call("one_hot", _dtype, of("one_hot"), np.ones(2, _dtype))
call("one_hot", "a list", lambda lib: lib.nn.functional.one_hot([0]))

# -- padding -------------------------------------------------------------------------------------

_PADS: list[Any] = [
    (), (1, 2), (0, 0), (2, 0), (-1, 1), (1, -1), (-1, -1), (-2, -2), (-1, -2), (3, 3), (4, 0),
    (2, 2, 1, 0), (1, 1, 1, 1), (-1, 1, 1, -1), (0, 1, -1, 0, 1, 0), (1, 1, 0, 0, 1, 1), (1,),
    (1, 1, 1), [1, 0],
]  # fmt: skip
for _shape, _pad in product(
    [(), (3,), (2, 3), (1, 2, 3), (2, 1, 2, 3), (1, 2, 2, 2, 3), (2, 0), (0, 3), (0, 2, 3)], _PADS
):
    call("pad", f"{_shape}, {_pad}", of("pad", _pad), draw(*_shape))
    for _mode in ("reflect", "replicate", "circular"):
        if _mode == "circular" and _shape == (2, 0):
            continue  # PyTorch allows a pad of (0, 0) only there, and says that it wraps
        call("pad", f"{_shape}, {_pad}, {_mode}", of("pad", _pad, _mode), draw(*_shape))
for _dtype, _mode in product(DTYPES[:-1], ("constant", "replicate", "circular", "reflect")):
    call("pad", f"{_dtype}, {_mode}", of("pad", (1, 1), _mode), draw(2, 3, dtype=_dtype))
for _value in (5.0, -1, NAN, None, "0"):
    call("pad", f"value {_value}", of("pad", (1, 0), "constant", _value), draw(2, 3))
call("pad", "value that a type has not", of("pad", (1, 0), value=2.5), draw(3, dtype="int64"))
call("pad", "bool", of("pad", (1, 1)), draw(2, 3, dtype="bool"))
call("pad", "value beside reflections", of("pad", (1, 1), "reflect", 1.0), draw(2, 3))
call("pad", "unknown mode", of("pad", (1, 1), "mirror"), draw(2, 3))
call("pad", "one number", of("pad", 1), draw(3))
call("pad", "a fraction", of("pad", (1.0, 1)), draw(3))
call("pad", "a list for a tensor", lambda lib: lib.nn.functional.pad([1.0], (1, 1)))

# -- normalization -------------------------------------------------------------------------------

for _shape, _dim in [
    ((2, 3), 1), ((2, 3), 0), ((2, 3), -1), ((3,), 0), ((), 0), ((2, 3, 2), 1), ((0, 3), 1),
    ((2, 0), 1), ((3,), 1), ((2, 3), (0, 1)),
]:  # fmt: skip
    for _p in (2.0, 1, 3, INF, 0.5):
        if _p == INF and 0 in _shape:
            continue
        call("normalize", f"{_shape}, {_dim}, {_p}", of("normalize", _p, _dim), draw(*_shape))
call("normalize", "zeros", of("normalize"), [[0.0, 0.0], [3.0, 4.0], [NAN, 1.0], [INF, 1.0]])
call("normalize", "below eps", of("normalize", eps=1e-8), np.float64([[3e-9, 4e-9], [6e-9, 8e-9]]))
for _dtype in DTYPES:
    call("normalize", _dtype, of("normalize"), draw(2, 3, dtype=_dtype, low=1))

for _one, _two, _dim in [
    ((2, 3), (2, 3), 1), ((2, 3), (2, 3), 0), ((2, 3), (3,), -1), ((3,), (2, 3), 1),
    ((3,), (3,), 0), ((), (), 0), ((2, 1, 3), (4, 3), 2), ((2, 0), (2, 0), 1), ((0, 3), (0, 3), 1),
    ((3,), (3,), 1), ((2, 3), (2,), 1), ((2, 3), (2, 3), 2),
]:  # fmt: skip
    call(
        "cosine_similarity", f"{_one}, {_two}, {_dim}", of("cosine_similarity", _dim),
        draw(*_one), draw(*_two),
    )  # fmt: skip
for _one, _two in [
    ([0.0, 0.0], [1.0, 2.0]), ([1.0, 2.0], [0.0, 0.0]), ([3e-9, 4e-9], [1.0, 2.0]),
    ([1e4, 1e4], [1e4, -1e4]), ([NAN, 1.0], [1.0, 1.0]), ([1.0, 2.0], [1.0, 2.0]),
]:  # fmt: skip
    call("cosine_similarity", f"{_one}, {_two}", of("cosine_similarity", 0), _one, _two)
call("cosine_similarity", "0-d zeros", of("cosine_similarity", 0), 0.0, 1.0)
for _one, _two in [("float64", "float32"), ("float32", "int64"), ("int64", "int64")]:
    call(
        "cosine_similarity", f"{_one}, {_two}", of("cosine_similarity"),
        draw(2, 3, dtype=_one, low=1), draw(2, 3, dtype=_two, low=1), tolerance=1e-6,
    )  # fmt: skip
call("cosine_similarity", "a large eps", of("cosine_similarity", 0, 0.5), draw(3), draw(3))

# -- losses of differences -----------------------------------------------------------------------

_REDUCTIONS = ("mean", "sum", "none")
_OPTIONS: dict[str, list[dict[str, Any]]] = {
    "mse_loss": [{}],
    "l1_loss": [{}],
    "smooth_l1_loss": [{}, {"beta": 0.5}, {"beta": 0}, {"beta": 2.0}],
    "huber_loss": [{}, {"delta": 0.5}, {"delta": 2}],
}
_STEPS = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0, 1e4, -1e4, INF, -INF, NAN, 1e-40]
for _name, _several in _OPTIONS.items():
    for _option, _reduce in product(_several, _REDUCTIONS):
        _fn, _label = of(_name, reduction=_reduce, **_option), f"{_option} {_reduce}"
        for _shape in SHAPES:
            call(_name, f"{_label} {_shape}", _fn, draw(*_shape), draw(*_shape))
        call(_name, f"{_label} kinks", _fn, _STEPS, [0.0] * len(_STEPS))
        call(_name, f"{_label} transposed", lambda lib, x, t, f=_fn: f(lib, x.T, t), draw(2, 3),
             draw(3, 2))  # fmt: skip
    for _one, _two in [((3, 1), (2,)), ((2, 3), (3,)), ((2, 3), ()), ((3,), (2,))]:
        call(_name, f"{_one}, {_two} warns", of(_name), draw(*_one), draw(*_two))
        call(_name, f"{_one}, {_two}", quietly(_name), draw(*_one), draw(*_two))
    for _one, _two in [
        ("float64", "float32"), ("float16", "float16"), ("int64", "float32"), ("int64", "int64"),
        ("bool", "bool"), ("float32", "int64"),
    ]:  # fmt: skip
        if _name == "huber_loss" and _one != _two:
            continue  # PyTorch gives the result the input's type there
        call(_name, f"{_one}, {_two}", of(_name), draw(3, dtype=_one), draw(3, dtype=_two))
    for _reduce in ("batchmean", "average", None, 1):
        call(_name, f"reduction {_reduce}", of(_name, reduction=_reduce), draw(3), draw(3))
    if _name != "huber_loss":
        for _flags in product((None, True, False), repeat=2):
            _old = dict(zip(("size_average", "reduce"), _flags, strict=True))
            call(_name, f"{_old}", quietly(_name, **_old), draw(3), draw(3))
        call(_name, "older flags warn", of(_name, reduce=False), draw(3), draw(3))
        call(_name, "older flags by position", quietly(_name, None, None, "sum"), draw(3), draw(3))
    if _name != "smooth_l1_loss":
        for _reduce in _REDUCTIONS:
            call(
                _name, f"weighted {_reduce}",
                lambda lib, x, t, w, n=_name, r=_reduce: getattr(lib.nn.functional, n)(
                    x, t, reduction=r, weight=w
                ),
                draw(2, 3), draw(2, 3), draw(2, 3, low=0),
            )  # fmt: skip
        call(
            _name, "weights of another shape",
            lambda lib, x, t, w, n=_name: getattr(lib.nn.functional, n)(x, t, weight=w),
            draw(2, 3), draw(2, 3), draw(3),
        )  # fmt: skip
    call(_name, "extremes", of(_name, reduction="none"), EXTREMES, EXTREMES[::-1])
for _beta in (-1.0, "1", -0.0):
    call("smooth_l1_loss", f"beta {_beta}", of("smooth_l1_loss", beta=_beta), draw(3), draw(3))
for _delta in (-1.0, 0.0):
    call("huber_loss", f"delta {_delta}", of("huber_loss", delta=_delta), draw(3), draw(3))

# -- losses of classes ---------------------------------------------------------------------------


def _targets(*shape: int, classes: int, ignored: int | None = None) -> np.ndarray:
    array = np.asarray(np.arange(np.prod(shape, dtype=int)).reshape(shape) * 7 % classes)
    if ignored is not None:
        array[..., :1] = ignored
    return array.astype(I64)


def _weighted(name: str, **options: Any) -> Any:
    """A loss with weights of classes, which take no part in the derivative."""

    def fn(lib: Any, x: Any, t: Any, w: Any) -> Any:
        w = w.detach()
        return getattr(lib.nn.functional, name)(x, t, w, **options)

    return fn


_SIZES = [((5,), ()), ((3, 5), (3,)), ((2, 5, 3), (2, 3)), ((2, 4, 3, 2), (2, 3, 2)),
          ((0, 5), (0,)), ((2, 5, 0), (2, 0)), ((1, 1), (1,))]  # fmt: skip
for (_shape, _of), _reduce in product(_SIZES, _REDUCTIONS):
    _n = _shape[min(len(_shape) - 1, 1)]
    _x, _t = draw(*_shape), _targets(*_of, classes=_n)
    _w, _label = draw(_n, low=0.1), f"{_shape} {_reduce}"
    for _name in ("nll_loss", "cross_entropy"):
        call(_name, _label, of(_name, reduction=_reduce), _x, _t)
        call(_name, f"{_label}, weighted", _weighted(_name, reduction=_reduce), _x, _t, _w)
        _t2 = _targets(*_of, classes=_n, ignored=-100) if _of else np.array(-100)
        call(_name, f"{_label}, some ignored", of(_name, reduction=_reduce), _x, _t2)
        call(
            _name, f"{_label}, ignored, weighted", _weighted(_name, reduction=_reduce), _x, _t2, _w
        )
        call(
            _name,
            f"{_label}, class 0 ignored",
            of(_name, reduction=_reduce, ignore_index=0),
            _x,
            _t,
        )
        call(_name, f"{_label}, all ignored", of(_name, reduction=_reduce), _x, _t * 0 - 100)
        call(
            _name, f"{_label}, all ignored, weighted", _weighted(_name, reduction=_reduce),
            _x, _t * 0 - 100, _w,
        )  # fmt: skip
    for _smooth in (0.1, 1.0):
        _more = {"reduction": _reduce, "label_smoothing": _smooth}
        _label = f"{_shape} {_more}"
        call("cross_entropy", _label, of("cross_entropy", **_more), _x, _t)
        call(
            "cross_entropy", f"{_label}, weighted", _weighted("cross_entropy", **_more), _x, _t, _w
        )
        call("cross_entropy", f"{_label}, ignored", of("cross_entropy", **_more), _x, _t2)
        call(
            "cross_entropy", f"{_label}, ignored, weighted", _weighted("cross_entropy", **_more),
            _x, _t2, _w,
        )  # fmt: skip
        call(
            "cross_entropy",
            f"{_label}, all ignored",
            of("cross_entropy", **_more),
            _x,
            _t * 0 - 100,
        )
for _shape, _reduce, _smooth in product(
    [(5,), (3, 5), (2, 5, 3), (0, 5), (1, 1)], _REDUCTIONS, (0.0, 0.2)
):
    _more = {"reduction": _reduce, "label_smoothing": _smooth}
    _n = _shape[min(len(_shape) - 1, 1)]
    _x, _t = draw(*_shape), draw(*_shape, low=0)
    call("cross_entropy", f"probabilities {_shape} {_more}", of("cross_entropy", **_more), _x, _t)
    call(
        "cross_entropy", f"probabilities {_shape} {_more}, weighted",
        lambda lib, x, t, w, m=_more: lib.nn.functional.cross_entropy(x, t, w, **m),
        _x, _t, draw(_n, low=0.1),
    )  # fmt: skip
for _name in ("nll_loss", "cross_entropy"):
    for _shape, _of in [
        ((3, 5), (4,)), ((3, 5), ()), ((3, 5), (3, 1)), ((3, 5), (3, 5)), ((5,), (2,)), ((), ()),
        ((5,), (1, 1)), ((2, 5, 3), (2, 2)), ((2, 5, 3), (3, 3)), ((2, 5, 3), (2,)), ((3, 0), (3,)),
        ((2, 5, 3), (2, 5, 3)), ((2, 5, 3), ()),
    ]:  # fmt: skip
        call(_name, f"{_shape}, {_of} refused", of(_name), draw(*_shape), np.zeros(_of, I64))
    for _dtype in DTYPES:
        call(_name, f"{_dtype} targets", of(_name), draw(3, 5), np.ones(3, _dtype))
        call(_name, f"{_dtype} input", of(_name), draw(3, 5, dtype=_dtype), np.ones(3, I64))
    for _wrong in (5, -1, -101, 1000):
        call(_name, f"target {_wrong}", of(_name), draw(3, 5), [0, _wrong, 1])
    call(  # PyTorch's backward refuses the shape that its forward has taken
        _name, "one target of one input",
        lambda lib, x, t, n=_name: getattr(lib.nn.functional, n)(x.detach(), t), draw(5), [3],
    )  # fmt: skip
    call(_name, "target −1 ignored", of(_name, ignore_index=-1), draw(3, 5), [0, -1, 1])
    call(_name, "target 7 ignored", of(_name, ignore_index=7), draw(3, 5), [0, 7, 1])
    for _kind, _w in {
        "few": draw(4), "matrix": draw(5, 1), "double": draw(5, dtype="float64"),
        "int": draw(5, dtype="int64"),
    }.items():  # fmt: skip
        call(_name, f"weights: {_kind}", _weighted(_name), draw(3, 5), [0, 1, 4], _w)
    call(
        _name, "weights that require grad",
        lambda lib, x, t, w, n=_name: getattr(lib.nn.functional, n)(x, t, w),
        draw(3, 5), [0, 1, 4], draw(5),
    )  # fmt: skip
    call(_name, "weights of zero", _weighted(_name), draw(2, 2), [0, 0], [0.0, 1.0])
    call(_name, "weights of zero, none", _weighted(_name, reduction="none"), [[-INF, 0.0]], [0],
         [0.0, 1.0])  # fmt: skip
    call(_name, "ignored NaN", of(_name, reduction="none"), [[NAN, 0.0], [1.0, 2.0]], [-100, 0])
    call(_name, "extremes", of(_name, reduction="none"),
         [[1e4, -1e4], [-1e4, 1e4], [-INF, 0.0], [0.0, -INF], [NAN, 0.0]],
         [0, 0, 0, 0, 1])  # fmt: skip
    for _reduce in ("batchmean", None):
        call(_name, f"reduction {_reduce}", of(_name, reduction=_reduce), draw(3, 5), [0, 1, 2])
    call(_name, "older flags", quietly(_name, size_average=False), draw(3, 5), [0, 1, 2])
    call(_name, "a list of targets", lambda lib, x, n=_name: getattr(lib.nn.functional, n)(x, [0]),
         draw(1, 5))  # fmt: skip
    _fn = of(_name)
    call(_name, "transposed", lambda lib, x, t, f=_fn: f(lib, x.T, t), draw(5, 3), [0, 1, 4])
call("cross_entropy", "probabilities, ignore_index", of("cross_entropy", ignore_index=1),
     draw(3, 5), draw(3, 5))  # fmt: skip
call(
    "cross_entropy",
    "smoothing of 1.5",
    of("cross_entropy", label_smoothing=1.5),
    draw(2, 2),
    [0, 1],
)

# -- losses of probabilities ---------------------------------------------------------------------

_HALVES = [0.0, 1.0, 0.5, 1e-30, 1e-8, 0.9999999, 0.25]
_P, _T = (np.array(a, np.float32) for a in zip(*product(_HALVES, (0.0, 1.0, 0.5)), strict=True))
for _reduce in _REDUCTIONS:
    for _shape in SHAPES:
        for _name in ("binary_cross_entropy", "binary_cross_entropy_with_logits"):
            _pair = draw(*_shape, low=0.01, high=0.99), draw(*_shape, low=0, high=1)
            call(_name, f"{_shape} {_reduce}", of(_name, reduction=_reduce), *_pair)
    for _name, _w in product(
        ("binary_cross_entropy", "binary_cross_entropy_with_logits"),
        [(2, 3), (3,), (2, 1), (), (2,)],
    ):
        call(
            _name, f"weight {_w} {_reduce}", _weighted(_name, reduction=_reduce),
            draw(2, 3, low=0.1, high=0.9), draw(2, 3, low=0, high=1), draw(*_w),
        )  # fmt: skip
    for _w in [(2, 3), (3,), (2, 1), (), (2,)]:
        call(
            "binary_cross_entropy_with_logits", f"pos_weight {_w} {_reduce}",
            lambda lib, x, t, w, r=_reduce: lib.nn.functional.binary_cross_entropy_with_logits(
                x, t, reduction=r, pos_weight=w.detach()
            ),
            draw(2, 3), draw(2, 3, low=0, high=1), draw(*_w, low=0),
        )  # fmt: skip
call("binary_cross_entropy", "at the ends", of("binary_cross_entropy", reduction="none"), _P, _T)
call("binary_cross_entropy", "at the ends, double", of("binary_cross_entropy", reduction="none"),
     _P.astype("float64"), _T.astype("float64"), tolerance=1e-8)  # fmt: skip
call(
    "binary_cross_entropy_with_logits", "extremes",
    of("binary_cross_entropy_with_logits", reduction="none"),
    *zip(*product(EXTREMES, (0.0, 1.0, 0.5)), strict=True),
)  # fmt: skip
for _name in ("binary_cross_entropy", "binary_cross_entropy_with_logits"):
    for _one, _two in [((3,), (2,)), ((3, 1), (3,)), ((2, 3), (3,)), ((), (1,))]:
        _pair = draw(*_one, low=0.1, high=0.9), draw(*_two, low=0, high=1)
        call(_name, f"{_one}, {_two}", of(_name), *_pair)
    for _one, _two in [("float64", "float64"), ("float16", "float16"), ("int64", "float32"),
                       ("float32", "int64"), ("bool", "bool"), ("int64", "int64")]:  # fmt: skip
        _pair = np.array([1, 0, 1]).astype(_one), np.array([1, 1, 0]).astype(_two)
        call(
            _name,
            f"{_one}, {_two}",
            of(_name),
            *_pair,
            tolerance=1e-8 if _two == "float64" else None,
        )
    for _reduce in ("batchmean", None):
        call(_name, f"reduction {_reduce}", of(_name, reduction=_reduce), [0.5], [1.0])
    call(_name, "older flags", quietly(_name, reduce=False), [0.5, 0.25], [1.0, 0.0])
    call(_name, "weight too large", _weighted(_name), draw(2, 3, low=0.1, high=0.9),
         draw(2, 3, low=0, high=1), draw(4, 2, 3))  # fmt: skip
for _x, _t in [([1.5], [1.0]), ([0.5], [1.5]), ([-0.1], [0.0]), ([NAN], [0.0])]:
    call("binary_cross_entropy", f"{_x}, {_t}", of("binary_cross_entropy"), _x, _t)
call("binary_cross_entropy", "two types", of("binary_cross_entropy"), [0.5], np.float64([1.0]))
call("binary_cross_entropy_with_logits", "two types", of("binary_cross_entropy_with_logits"), [0.5],
     np.float64([1.0]), tolerance=1e-7)  # fmt: skip
call("binary_cross_entropy", "weight that requires grad", lambda lib, x, t, w: (
    lib.nn.functional.binary_cross_entropy(x, t, w)), [0.5], [1.0], [2.0])  # fmt: skip

for _reduce, _log in product((*_REDUCTIONS, "batchmean"), (False, True)):
    _fn = quietly("kl_div", reduction=_reduce, log_target=_log)
    for _shape in SHAPES:
        call("kl_div", f"{_shape} {_reduce} {_log}", _fn, draw(*_shape), draw(*_shape, low=0.1))
    call("kl_div", f"broadcast {_reduce} {_log}", _fn, draw(2, 3), draw(3, low=0.1))
    call("kl_div", f"extremes {_reduce} {_log}", _fn, [1.0, -INF, 2.0, -1e4, NAN, 0.5],
         [0.0, 0.0, -1.0, 1.0, 0.5, 0.25])  # fmt: skip
for _one, _two in [("float64", "float32"), ("float16", "float16"), ("int64", "float32"),
                   ("int64", "int64")]:  # fmt: skip
    call("kl_div", f"{_one}, {_two}", quietly("kl_div"), np.ones(3, _one), np.ones(3, _two))
call("kl_div", "shapes that do not fit", quietly("kl_div"), draw(3), draw(2))
call("kl_div", "unknown reduction", quietly("kl_div", reduction="x"), draw(3), draw(3))

# -- bools beside floats -------------------------------------------------------------------------

for _name, _several in _OPTIONS.items():
    for _option in _several if _name != "huber_loss" else ():  # whose gradient PyTorch refuses
        for _dtype in ("float32", "float64"):
            _x, _t = draw(2, 3, dtype=_dtype), draw(2, 3, dtype="bool")
            call(_name, f"{_option}, {_dtype} and bools", of(_name, **_option), _x, _t)
            call(_name, f"{_option}, bools and {_dtype}", of(_name, **_option), _t, _x)

# -- a vector for a weight -----------------------------------------------------------------------

for _shape, _bias in [
    ((3,), ()),
    ((4, 2, 3), ()),
    ((2, 3), ()),
    ((3,), (1,)),
    ((2, 3), (2,)),
    ((2, 3), (3,)),
]:
    _arrays = (draw(*_shape), draw(3), draw(*_bias))
    call("linear", f"{_shape}, a vector, {_bias}", of("linear"), *_arrays)

# -- negative log likelihood of normal distributions -------------------------------------------

_VARIANCES = [(2, 3), (2,), (2, 1), (1, 3), (3,), (), (1, 1), (2, 3, 1)]
for _shape, _reduce, _full in product(_VARIANCES, _REDUCTIONS, (False, True)):
    _fn = of("gaussian_nll_loss", reduction=_reduce, full=_full)
    _arrays = (draw(2, 3), draw(2, 3), draw(*_shape, low=0.1))
    call("gaussian_nll_loss", f"{_shape}, {_reduce}, full: {_full}", _fn, *_arrays)
for _dtype in ("float64", "float16"):
    _arrays = (draw(2, 3, dtype=_dtype), draw(2, 3, dtype=_dtype), draw(2, 3, dtype=_dtype, low=1))
    call("gaussian_nll_loss", _dtype, of("gaussian_nll_loss"), *_arrays)
for _eps in (1e-6, 0.5, 0.0):
    call(
        "gaussian_nll_loss", f"small variances, eps {_eps}", of("gaussian_nll_loss", eps=_eps),
        draw(4), draw(4), [0.0, 1e-9, 0.3, 2.0],
    )  # fmt: skip
for _label, _arguments in {
    "a number": (2.0,), "a negative number": (-2.0,), "text": ("a",), "a list": ([1.0],),
}.items():  # fmt: skip
    call("gaussian_nll_loss", _label, of("gaussian_nll_loss", *_arguments), draw(3), draw(3))
call("gaussian_nll_loss", "negative", of("gaussian_nll_loss"), draw(2), draw(2), [1.0, -1.0])
call("gaussian_nll_loss", "NaN", of("gaussian_nll_loss"), draw(2), draw(2), [1.0, NAN])
call("gaussian_nll_loss", "numbers", of("gaussian_nll_loss", 2.0), draw(), draw())
call("gaussian_nll_loss", "one target", of("gaussian_nll_loss", 2.0), draw(2, 3), draw(1, 3))
call("gaussian_nll_loss", "reduction", of("gaussian_nll_loss", 2.0, reduction="x"), [1], [1])

# -- connectionist temporal classification ----------------------------------------------------


def ctc(*arguments: Any, **options: Any) -> Any:
    """A call of ``ctc_loss`` behind ``log_softmax``."""

    def fn(lib: Any, x: Any, *targets: Any) -> Any:
        loss = lib.nn.functional.ctc_loss
        return loss(x.log_softmax(-1), *targets, *arguments, **options)

    return fn


_PADDED = np.array([[1, 2, 2], [3, 1, 99], [2, 99, 99]])
_JOINED = np.array([1, 2, 2, 3, 1, 2])
for _reduce, _targets, _blank, _dtype in product(
    _REDUCTIONS, (_PADDED, _JOINED), (0, 4), ("float32", "float64")
):
    _label = f"{_reduce}, {_targets.shape}, blank {_blank}, {_dtype}"
    _fn = ctc((6, 5, 3), (3, 2, 1), blank=_blank, reduction=_reduce)
    call("ctc_loss", _label, _fn, draw(6, 3, 5, dtype=_dtype), _targets)
for _label, _fn, _x, _targets in [
    ("lengths in tensors", ctc(), draw(6, 2, 4), _PADDED[:2]),
    ("one sequence", ctc([5], [3]), draw(6, 4), _PADDED[0]),
    ("one sequence, none", ctc([5], [3], 0, "none"), draw(6, 4), _PADDED[0]),
    ("no labels", ctc([6, 4], [0, 2], 0, "none"), draw(6, 2, 4), _PADDED[:2]),
    ("no labels at all", ctc([6, 4], [0, 0]), draw(6, 2, 4), np.zeros((2, 0), np.int64)),
    ("no steps", ctc([0, 4], [0, 2], 0, "none"), draw(6, 2, 4), _PADDED[:2]),
    ("too short, zeroed", ctc([3, 4], [3, 2], 0, "none", True), draw(6, 2, 4), _PADDED[:2]),
    ("too short, mean", ctc([3, 4], [3, 2], zero_infinity=True), draw(6, 2, 4), _PADDED[:2]),
    ("int32", ctc([3, 4], [1, 2]), draw(6, 2, 4), _PADDED[:2].astype(np.int32)),
    ("unlikely", ctc([6, 6], [3, 2]), draw(6, 2, 4, low=-99, high=99), _PADDED[:2]),
    ("half precision", ctc([6, 6], [3, 2]), draw(6, 2, 4, dtype="float16"), _PADDED[:2]),
    ("too long an input", ctc([7, 6], [3, 2]), draw(6, 2, 4), _PADDED[:2]),
    ("a negative length", ctc([-1, 6], [3, 2]), draw(6, 2, 4), _PADDED[:2]),
    ("a negative target length", ctc([6, 6], [-1, 2]), draw(6, 2, 4), _PADDED[:2]),
    ("too long a target", ctc([6, 6], [4, 2]), draw(6, 2, 4), _PADDED[:2]),
    ("too many targets", ctc([6, 6], [3, 2]), draw(6, 2, 4), _JOINED),
    ("too many lengths", ctc([6, 6, 6], [3, 2, 1]), draw(6, 2, 4), _PADDED),
    ("a blank that is no class", ctc([6, 6], [3, 2], 4), draw(6, 2, 4), _PADDED[:2]),
    ("a reduction", ctc([6, 6], [3, 2], 0, "x"), draw(6, 2, 4), _PADDED[:2]),
    ("four axes", ctc([6, 6], [3, 2]), draw(1, 6, 2, 4), _PADDED[:2]),
    ("no classes", ctc([6, 6], [3, 2]), draw(6, 2, 0), _PADDED[:2]),
]:
    _more = (np.array([5, 4]), np.array([3, 2])) if "tensors" in _label else ()
    call("ctc_loss", _label, _fn, _x, _targets, *_more)

# -- attention --------------------------------------------------------------------------------

_ATTENTION = "scaled_dot_product_attention"
for _q, _k, _v in [
    ((3, 4), (5, 4), (5, 6)), ((2, 3, 4), (2, 5, 4), (2, 5, 6)), ((2, 2, 3, 4),) * 3,
    ((2, 3, 4), (1, 5, 4), (1, 5, 6)), ((2, 3, 4), (2, 0, 4), (2, 0, 6)), ((4,), (5, 4), (5, 6)),
    ((2, 3, 4), (2, 5, 3), (2, 5, 6)), ((2, 3, 4), (2, 5, 4), (2, 4, 6)),
]:  # fmt: skip
    for _options in ({}, {"is_causal": True}, {"scale": 0.3}, {"scale": -1.0}, {"dropout_p": 1.0}):
        for _dtype in ("float32", "float64"):
            _arrays = tuple(draw(*shape, dtype=_dtype) for shape in (_q, _k, _v))
            call(_ATTENTION, f"{_q}, {_k}, {_v}, {_options}, {_dtype}", of(_ATTENTION, **_options),
                 *_arrays)  # fmt: skip


def masked(lib: Any, q: Any, k: Any, v: Any, mask: Any, **options: Any) -> Any:
    """Attention with a mask, which gets no gradient."""
    return lib.nn.functional.scaled_dot_product_attention(q, k, v, mask.detach(), **options)


_TRIPLE = (draw(2, 3, 4), draw(2, 5, 4), draw(2, 5, 6))
for _label, _mask in {
    "bools": draw(3, 5, dtype="bool"), "one row": draw(5, dtype="bool"), "numbers": draw(2, 3, 5),
    "nothing": np.zeros((3, 5), bool), "one query sees nothing": np.tri(3, 5, -1) > 0,
    "minus infinity": np.where(np.tri(3, 5, -1) > 0, 0, -INF).astype(np.float32),
    "integers": np.ones((3, 5), np.int64), "another type": draw(3, 5, dtype="float64"),
    "another shape": draw(4, 5), "more axes": draw(4, 2, 3, 5),
}.items():  # fmt: skip
    call(_ATTENTION, f"mask: {_label}", masked, *_TRIPLE, _mask)
call(_ATTENTION, "mask and causal", lambda *a: masked(*a, is_causal=True), *_TRIPLE, draw(3, 5))
for _heads, _of_keys in ((6, 2), (4, 4), (5, 2)):
    _arrays = (draw(2, _heads, 3, 4), draw(2, _of_keys, 5, 4), draw(2, _of_keys, 5, 6))
    for _shared in (True, False):
        _label = f"{_heads} heads for {_of_keys}, {_shared}"
        call(_ATTENTION, _label, of(_ATTENTION, enable_gqa=_shared), *_arrays)
call(_ATTENTION, "two types", of(_ATTENTION), _TRIPLE[0].astype("float64"), *_TRIPLE[1:])
call(_ATTENTION, "integers", of(_ATTENTION), *(draw(2, 2, dtype="int64") for _ in range(3)))
call(_ATTENTION, "probability", of(_ATTENTION, dropout_p=1.5), *_TRIPLE)
call(_ATTENTION, "scale by position", of(_ATTENTION, None, 0.0, False, 0.3), *_TRIPLE)


def dropping(lib: Any, *xs: Any) -> Any:
    """Attention that drops weights."""
    lib.manual_seed(0)
    return lib.nn.functional.scaled_dot_product_attention(*xs, dropout_p=0.5)


call(_ATTENTION, "dropout", dropping, *_TRIPLE)
