"""Cases of what looks at windows of its input: convolutions and pooling."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from tinygrad_rnn.testing.cases.table import add_case, received, signed

# (input, weight), options: over one axis, then over two
GEOMETRIES: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((2, 3, 5), (4, 3, 2), {}),
    ((2, 2, 6), (3, 2, 3), {"stride": 2, "padding": 2}),
    ((1, 4, 7), (2, 2, 2), {"dilation": 3, "groups": 2, "padding": 1}),
    ((1, 2, 4), (2, 1, 4), {"groups": 2}),
    ((0, 2, 4), (3, 2, 2), {}),
    ((2, 2, 4, 3), (3, 2, 2, 2), {}),
    ((1, 2, 5, 4), (2, 1, 2, 3), {"stride": (2, 1), "padding": (1, 2), "groups": 2}),
    ((1, 1, 5, 5), (2, 1, 2, 2), {"dilation": (2, 1), "stride": 3}),
]


def _each(value: Any, n: int) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,) * n


def _convolved(x: Any, w: Any, **options: Any) -> Any:
    """By the definition: a loop over all windows."""
    n, groups = x.ndim - 2, options.get("groups", 1)
    stride, dilation = (_each(options.get(o, 1), n) for o in ("stride", "dilation"))
    padding = _each(options.get("padding", 0), n)
    x = np.pad(x, ((0, 0), (0, 0), *((p, p) for p in padding)))
    sizes = [
        (m - d * (k - 1) - 1) // s + 1
        for m, k, s, d in zip(x.shape[2:], w.shape[2:], stride, dilation)
    ]
    y = np.zeros((len(x), len(w), *sizes))
    ins, outs = x.shape[1] // groups, len(w) // groups
    for at, o in product(np.ndindex(*sizes), range(len(w))):
        window = tuple(
            slice(i * s, i * s + d * (k - 1) + 1, d)
            for i, s, d, k in zip(at, stride, dilation, w.shape[2:])
        )
        group = slice(o // outs * ins, (o // outs + 1) * ins)
        products = x[(slice(None), group, *window)] * w[o]
        y[(slice(None), o, *at)] = products.sum(tuple(range(1, n + 2)))
    return y


def _back(x: Any, w: Any, g: Any, of: str, **options: Any) -> Any:
    """What input or weight receive, one element after the other: a convolution is linear in it."""
    made = np.zeros((x if of == "x" else w).shape)
    for at in np.ndindex(*made.shape):
        one = np.zeros(made.shape)
        one[at] = 1
        y = _convolved(one, w, **options) if of == "x" else _convolved(x, one, **options)
        made[at] = (y * g).sum()
    return made


for _x, _w, _options in GEOMETRIES:
    _n = len(_x) - 2
    _label = f"{_x}, {_w}, {_options}"

    def _conv(lib: Any, x: Any, w: Any, n: int = _n, options: Any = _options) -> Any:
        return getattr(lib.nn.functional, f"conv{n}d")(x, w, **options)

    def _ref(x: Any, w: Any, options: Any = _options) -> Any:
        return _convolved(x, w, **options)

    _one, _two = signed(*_x), signed(*_w)
    add_case("convolution", _label, _conv, [_one, _two], _ref)
    if not len(_one):  # in PyTorch nothing receives nothing, not zeros
        continue
    _g = signed(*_convolved(_one, _two, **_options).shape)
    add_case(
        "convolution_input", _label,
        lambda lib, g, w, x=_one, f=_conv: received(lib, x, lambda x: f(lib, x, w), g),
        [_g, _two], lambda g, w, x=_one, o=_options: _back(x, w, g, "x", **o),
    )  # fmt: skip
    add_case(
        "convolution_weight", _label,
        lambda lib, g, x, w=_two, f=_conv: received(lib, w, lambda w: f(lib, x, w), g),
        [_g, _one], lambda g, x, w=_two, o=_options: _back(x, w, g, "w", **o),
    )  # fmt: skip

# -- pooling -------------------------------------------------------------------------------------


def _starts(size: int, kernel: int, stride: int, padding: int) -> list[int]:
    return [i * stride for i in range((size + 2 * padding - kernel) // stride + 1)]


def _pooled(x: Any, n: int, kernel: int, stride: int, padding: int, of: Any) -> Any:
    """By the definition: a loop over all windows."""
    outside = -np.inf if of is np.max else 0
    ends = ((0, 0),) * (x.ndim - n) + ((padding, padding),) * n
    x = np.pad(x, ends, constant_values=outside)
    starts = [_starts(m - 2 * padding, kernel, stride, padding) for m in x.shape[-n:]]
    y = np.zeros((*x.shape[:-n], *map(len, starts)))
    for at in np.ndindex(*y.shape[-n:]):
        window = tuple(slice(s[i], s[i] + kernel) for s, i in zip(starts, at))
        y[(..., *at)] = of(x[(..., *window)], tuple(range(-n, 0)))
    return y


for _shape, _n, _windows in [
    ((2, 3, 6), 1, (2, 2, 0)),
    ((2, 6), 1, (3, 1, 1)),
    ((2, 2, 5), 1, (2, 3, 1)),
    ((1, 2, 4, 5), 2, (2, 2, 0)),
    ((2, 4, 4), 2, (3, 2, 1)),
]:
    _label = f"{_shape}, kernel, stride and padding {_windows}"
    for _name, _of in (("max", np.max), ("avg", np.mean)):

        def _pool(
            lib: Any, x: Any, name: str = f"{_name}_pool{_n}d",
            options: Any = _windows,
        ) -> Any:  # fmt: skip
            return getattr(lib.nn.functional, name)(x, *options)

        def _by_loop(
            x: Any, of: Any = _of, n: int = _n, windows: tuple[int, int, int] = _windows
        ) -> Any:
            return _pooled(x, n, *windows, of)

        def _sent_back(g: Any, x: Any, f: Any = _by_loop) -> Any:
            """The sum over windows of g times their slopes; of straight lines they are exact."""
            steps = np.eye(x.size).reshape(x.size, *x.shape) * 1e-3
            slopes = [((f(x + e) - f(x - e)) * g).sum() / 2e-3 for e in steps]
            return np.array(slopes).reshape(x.shape).round(9)

        _one = signed(*_shape)
        add_case(f"{_name}_pool", _label, _pool, [_one], _by_loop)
        _g = signed(*_by_loop(_one).shape).round(3)
        if _name == "avg":
            _g = _g * _windows[0] ** _n  # so that its parts are short numbers, too
        add_case(
            f"{_name}_unpool", _label,
            lambda lib, g, x=_one, f=_pool: received(lib, x, lambda x: f(lib, x), g),
            [_g], lambda g, x=_one, f=_sent_back: f(g, x),
        )  # fmt: skip
