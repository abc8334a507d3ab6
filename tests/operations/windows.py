"""Calls of convolutions and pooling."""

from __future__ import annotations

from itertools import product

import numpy as np

from operations.harness import DTYPES, INF, NAN, call, draw
from operations.nn import of, quietly

# -- convolutions --------------------------------------------------------------------------------

_RNG = np.random.default_rng(2)


def some(*values: object) -> object:
    """One of them, by chance."""
    return values[_RNG.integers(len(values))]


for _i in range(160):
    _n = 1 + _i % 2
    _groups = int(some(1, 1, 1, 2, 3))
    _ins, _outs = _groups * int(some(1, 2)), _groups * int(some(1, 2))
    _kernel = tuple(int(some(1, 2, 2, 3)) for _ in range(_n))
    _sizes = tuple(int(some(2, 3, 5, 6)) for _ in range(_n))
    _batch = some((), (1,), (2,), (2,))
    _options: dict[str, object] = {"groups": _groups}
    for _what, _values in (
        ("stride", (1, 1, 2, 3, (1,) * _n, tuple(range(1, _n + 1)), 0)),
        ("padding", (0, 0, 1, 2, (1,) * _n, tuple(range(_n)), "same", "valid", -1)),
        ("dilation", (1, 1, 2, (2,) * _n)),
    ):
        if some(True, False):
            _options[_what] = some(*_values)
    _bias = [(_outs,)] if some(True, False) else []
    call(
        f"conv{_n}d", f"{_batch} {_ins} {_sizes}, {_outs} {_kernel}, {_options}, {_bias}",
        quietly(f"conv{_n}d", **_options),
        *(draw(*s) for s in ((*_batch, _ins, *_sizes), (_outs, _ins // _groups, *_kernel), *_bias)),
    )  # fmt: skip
    _options.pop("padding", None)
    _sizes = tuple(m + 1 for m in _sizes)  # of nothing that is left PyTorch thinks now so, now so
    for _what, _values in (("padding", (0, 1, (1,) * _n)), ("output_padding", (0, 0, 1, 2))):
        _options[_what] = some(*_values)
    call(
        f"conv_transpose{_n}d", f"{_batch} {_ins} {_sizes}, {_outs} {_kernel}, {_options}, {_bias}",
        of(f"conv_transpose{_n}d", **_options),
        *(draw(*s) for s in ((*_batch, _ins, *_sizes), (_ins, _outs // _groups, *_kernel), *_bias)),
    )  # fmt: skip
for _name, _n in (("conv1d", 1), ("conv2d", 2), ("conv_transpose1d", 1), ("conv_transpose2d", 2)):
    _x, _w = draw(2, 3, *(4, 5)[:_n]), draw(3, 3, *(2, 2)[:_n])
    for _dtype in DTYPES:
        if _dtype not in ("bool", "float16"):
            call(_name, f"{_dtype} and float32", of(_name), _x, _w.astype(_dtype))
            if _dtype not in ("uint8", "int8", "int16", "int32"):  # PyTorch: not all of them
                call(_name, _dtype, of(_name), _x.astype(_dtype), _w.astype(_dtype))
    for _wrong in [draw(3), draw(2, 3), draw(3, 3, *(9, 9)[:_n]), draw(3, 2, *(2, 2)[:_n])]:
        call(_name, f"weight {_wrong.shape}", of(_name), _x, _wrong)
    for _wrong in [draw(3), draw(2, 2, 3, 4, 4), draw(2, 4, *(4, 4)[:_n])]:
        call(_name, f"input {_wrong.shape}", of(_name), _wrong, _w)
    call(_name, "bias of another size", of(_name), _x, _w, draw(2))
    call(_name, "no batch", of(_name), draw(0, 3, *(4, 5)[:_n]), _w)
    for _what, _values in {
        "stride": (0, (1, 2, 3), 1.5), "dilation": (0, -1), "groups": (0, 2, 3), "padding": ("x",),
    }.items():  # fmt: skip
        for _value in _values:
            call(_name, f"{_what}={_value}", of(_name, **{_what: _value}), _x, _w)
    _fn = of(_name)
    call(_name, "transposed", lambda lib, x, w, f=_fn: f(lib, x.mT, w.mT), _x, _w)
    call(_name, "by position", of(_name, None, 2, 1), _x, _w)
    call(_name, "infinite", of(_name), np.where(_x > 1.8, INF, _x), _w)

# -- pooling -------------------------------------------------------------------------------------

for _i in range(200):
    _n = 1 + _i % 2
    _batch = some((), (2,), (1,))
    _sizes = tuple(int(some(3, 4, 5, 7)) for _ in range(_n))
    _options = {"kernel_size": some(1, 2, 2, 3, 4, (2, 3)[:_n])}
    for _what, _values in (
        ("stride", (None, 1, 2, 3, (2, 1)[:_n], (), 0)),
        ("padding", (0, 0, 1, (1, 0)[:_n], 2, -1)),
        ("ceil_mode", (True, False)),
    ):
        if some(True, False):
            _options[_what] = some(*_values)
    _x = draw(*_batch, 2, *_sizes)
    _dilation = 1 if _options.get("padding") == 2 else some(1, 2)  # PyTorch's backward refuses it
    _more = {
        "max_pool": {"dilation": _dilation, "return_indices": some(False, True)},
        "avg_pool": {"count_include_pad": some(True, False)},
    }
    if _n == 2:
        _more["avg_pool"]["divisor_override"] = some(None, None, 3, -2, 0)
    for _name, _others in _more.items():
        _all = _options | _others
        call(f"{_name}{_n}d", f"{_x.shape}, {_all}", of(f"{_name}{_n}d", **_all), _x)
    _wanted = some(1, 2, 3, 5, (2, 3)[:_n], *((None, (None, 2)) if _n == 2 else ()))
    for _name in ("adaptive_avg_pool", "adaptive_max_pool"):
        call(f"{_name}{_n}d", f"{_x.shape}, {_wanted}", of(f"{_name}{_n}d", _wanted), _x)
_NAMES = [
    (name, (2,)) for name in ("max_pool", "avg_pool", "adaptive_avg_pool", "adaptive_max_pool")
]
for (_stem, _arguments), _n in product(_NAMES, (1, 2)):
    _name = f"{_stem}{_n}d"
    _fn = of(_name, *_arguments)
    _many, _sizes = _name.startswith("adaptive"), (4, 5)[:_n]
    for _dtype in ("float64", "float16"):
        call(_name, _dtype, _fn, draw(2, 3, *_sizes, dtype=_dtype))
    for _shape in [(), (3,), (2, 3), (2, 2, 3, 3, 3), (1, 2, 1)]:
        if _name != "avg_pool2d" or len(_shape) > 2:  # else it is an IndexError
            call(_name, f"shape {_shape}", _fn, draw(*_shape))
    call(_name, "transposed", lambda lib, x, f=_fn: f(lib, x.mT), draw(2, 4, 4, 4)[..., :4])
    _odd = np.array([[INF, 1, -INF, -INF, NAN, 2, 0, 0]] * 2, np.float32)
    call(_name, "infinite", _fn, _odd[:, None] if _n == 2 else _odd)
    call(_name, "ties", _fn, np.zeros((1, *(4, 4)[:_n]), np.float32))
    for _wrong in ("a", None, 1.5, (1, 2, 3), -1):
        if not _many or (_wrong is not None and _wrong != (1, 2, 3)):
            call(_name, f"of {_wrong}", of(_name, _wrong), draw(2, *_sizes))
for _name in ("adaptive_max_pool1d", "adaptive_max_pool2d"):
    call(_name, "indices", of(_name, 2, True), draw(2, 5, 6))
call("max_pool1d", "all −∞", of("max_pool1d", 2, 1, 1, return_indices=True), [[-INF] * 4])
