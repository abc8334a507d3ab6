"""Cases of nonlinearities, and of what layers and losses are made of."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.operations import activation as ops
from tinygrad_rnn.testing.cases.table import CATEGORIES, add_case, name_of, positive, signed


def _f(lib: Any) -> Any:
    return lib.nn.functional


def _log1pexp(x: Any) -> Any:
    return np.log1p(np.exp(x))


def _ref_elu(x: Any, alpha: float = 1.0, scale: float = 1.0) -> Any:
    return scale * np.where(x > 0, x, alpha * np.expm1(x))


def _ref_gelu(x: Any) -> Any:
    return x / 2 * (1 + np.vectorize(math.erf, otypes=[float])(x / math.sqrt(2)))


def _ref_gelu_tanh(x: Any) -> Any:
    return x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def _hardsigmoid(f: Any, x: Any) -> Any:
    """PyTorch's has no second derivative; what it is made of has."""
    return f.hardsigmoid(x) if f is tg.nn.functional else f.relu6(x + 3) / 6


_SELU = {"alpha": 1.6732632423543772, "scale": 1.0507009873554805}
_CALLS = {  # what users call: whose cases these are, a call, the same in NumPy
    ops.hardtanh: (ops.hardtanh, lambda f, x: f.hardtanh(x), lambda x: np.clip(x, -1, 1)),
    ops.relu6: (ops.hardtanh, lambda f, x: f.relu6(x * 4), lambda x: np.clip(4 * x, 0, 6)),
    ops.leaky_relu: (
        ops.leaky_relu, lambda f, x: f.leaky_relu(x, 0.2), lambda x: np.where(x > 0, x, 0.2 * x)
    ),
    ops.elu: (ops.elu, lambda f, x: f.elu(x, 1.5), lambda x: _ref_elu(x, 1.5)),
    ops.selu: (ops.elu, lambda f, x: f.selu(x), lambda x: _ref_elu(x, **_SELU)),
    ops.softplus: (
        ops.softplus, lambda f, x: f.softplus(x, 2, 1.7),
        lambda x: np.where(2 * x > 1.7, x, _log1pexp(2 * x) / 2),
    ),
    ops.logsigmoid: (ops.logsigmoid, lambda f, x: f.logsigmoid(x), lambda x: -_log1pexp(-x)),
    ops.softsign: (ops.softsign, lambda f, x: f.softsign(x), lambda x: x / (1 + abs(x))),
    ops.silu: (ops.silu, lambda f, x: f.silu(x), lambda x: x / (1 + np.exp(-x))),
    ops.mish: (ops.mish, lambda f, x: f.mish(x), lambda x: x * np.tanh(_log1pexp(x))),
    ops.gelu: (ops.gelu, lambda f, x: f.gelu(x), _ref_gelu),
    ops.celu: (
        ops.celu, lambda f, x: f.celu(x, 1.5),
        lambda x: np.where(x > 0, x, 1.5 * np.expm1(np.minimum(x, 0) / 1.5)),
    ),
    ops.hardswish: (
        ops.hardswish, lambda f, x: f.hardswish(x * 2), lambda x: 2 * x * np.clip(x / 3 + 0.5, 0, 1)
    ),
    ops.hardsigmoid: (  # made of lines, so times x, for a second derivative
        ops.hardsigmoid, lambda f, x: _hardsigmoid(f, x * 2) * x,
        lambda x: np.clip(x / 3 + 0.5, 0, 1) * x,
    ),
    ops.gelu_tanh: (ops.gelu_tanh, lambda f, x: f.gelu(x, approximate="tanh"), _ref_gelu_tanh),
}  # fmt: skip
for _function, (_operation, _call, _ref) in _CALLS.items():
    _label = name_of(_function)
    for _shape in [(), (5,), (3, 4), (0,), (2, 0, 3)]:
        add_case(
            _operation,
            f"{_label} {_shape}",
            lambda lib, x, c=_call: c(_f(lib), x),
            [signed(*_shape)],
            _ref,
        )
    add_case(
        _operation,
        f"{_label} of a view",
        lambda lib, x, c=_call: c(_f(lib), x.T[::2]),
        [signed(2, 3)],
        lambda x, r=_ref: r(x.T[::2]),
    )

for _shape, _slopes in [((), ()), ((3,), (1,)), ((2, 3), (3,)), ((2, 3, 2), (3,)), ((0, 2), (2,))]:
    add_case(
        "prelu",
        f"{_shape}, {_slopes}",
        lambda lib, x, w: _f(lib).prelu(x, w),
        [signed(*_shape), signed(*_slopes)],
        lambda x, w: np.where(
            x > 0, x, x * (w.reshape((-1,) + (1,) * (x.ndim - 2)) if w.size > 1 else w.reshape(()))
        ),
    )


def _ref_log_softmax(x: Any, dim: int) -> Any:
    return x - np.log(np.sum(np.exp(x), axis=dim if np.ndim(x) else None, keepdims=True))


for _shape, _dim in [((), 0), ((4,), -1), ((2, 3), 0), ((2, 3), 1), ((2, 3, 2), 1), ((0, 3), 1)]:
    add_case(
        "softmax",
        f"{_shape}, dim={_dim}",
        lambda lib, x, d=_dim: lib.softmax(x, d),
        [signed(*_shape)],
        lambda x, d=_dim: np.exp(_ref_log_softmax(x, d)),
    )
    add_case(
        "log_softmax",
        f"{_shape}, dim={_dim}",
        lambda lib, x, d=_dim: lib.log_softmax(x, d),
        [signed(*_shape)],
        lambda x, d=_dim: _ref_log_softmax(x, d),
    )

# -- losses --

for _delta in (0.7, 1.0):
    add_case(
        "huber",
        f"delta {_delta}",
        lambda lib, x, t, d=_delta: _f(lib).huber_loss(x, t, reduction="none", delta=d),
        [[0.1, -0.2, 3.0, -4.0], [0.0, 0.3, 0.4, 0.0]],
        lambda x, t, d=_delta: np.where(abs(x - t) < d, (x - t) ** 2 / 2, d * (abs(x - t) - d / 2)),
    )
add_case(
    "huber",
    "smooth l1, empty",
    lambda lib, x: _f(lib).smooth_l1_loss(x, x.detach(), reduction="none", beta=0.5),
    [signed(0, 2)],
    lambda x: x,
)

_CLASSES = {(3,): np.array(2), (2, 3): np.array([2, -100]), (2, 3, 2): np.array([[0, 1], [2, 2]])}
for _shape, _target in _CLASSES.items():
    add_case(
        "nll_loss",
        f"{_shape}",
        lambda lib, x, t=_target: _f(lib).nll_loss(x, lib.tensor(t), reduction="none"),
        [signed(*_shape)],
        lambda x, t=_target: np.where(
            t < 0, 0, -np.take_along_axis(np.moveaxis(x, min(x.ndim - 1, 1), -1),
                                          np.maximum(t, 0)[..., None], -1)[..., 0]
        ),
    )  # fmt: skip
add_case(
    "nll_loss",
    "with weights",
    lambda lib, x: _f(lib).nll_loss(
        x, lib.tensor([1, 0, 1]), lib.tensor([2.0, 0.5]).to(x.dtype), reduction="none"
    ),
    [signed(3, 2)],
    lambda x: -x[[0, 1, 2], [1, 0, 1]] * [0.5, 2, 0.5],
)

for _shape in [(), (4,), (2, 3), (0,)]:
    add_case(
        "binary_cross_entropy",
        f"{_shape}",
        # a hundredth, because PyTorch adds 1e-12 to the divisor of second derivatives
        lambda lib, x, t: _f(lib).binary_cross_entropy(x, t, reduction="none") / 100,
        [0.5 + signed(*_shape) / 20, positive(*_shape) / 4],
        lambda x, t: (-t * np.log(x) - (1 - t) * np.log1p(-x)) / 100,
    )
    add_case(
        "binary_cross_entropy_with_logits",
        f"{_shape}",
        lambda lib, x, t: _f(lib).binary_cross_entropy_with_logits(x, t, reduction="none"),
        [signed(*_shape), positive(*_shape) / 4],
        lambda x, t: (1 - t) * x + _log1pexp(-x),
    )

# -- layers --


def _dropout(lib: Any, x: Any) -> Any:
    """Dropout with the same mask at every call."""
    lib.manual_seed(1)
    return _f(lib).dropout(x, 0.5)


for _shape in [(), (1,), (2, 3)]:
    add_case(
        "dropout",
        f"{_shape}",
        _dropout,
        [signed(*_shape)],
        lambda x: x,
        categories=("gradcheck", "gradgradcheck"),
    )
    add_case(
        "dropout",
        f"{_shape}, nothing is dropped",
        lambda lib, x: _f(lib).dropout(x, 1e-12),
        [signed(*_shape)],
        lambda x: x / (1 - 1e-12),
        categories=("forward", "torch"),
    )

_INDICES = [np.array(1), np.array([0, 2, 2, 0]), np.array([[1, 1], [3, 0]])]
for _index, _padding in product(_INDICES, (None, 2, -4)):
    add_case(
        "embedding",
        f"{_index.tolist()}, padding {_padding}",
        lambda lib, w, i=_index, p=_padding: _f(lib).embedding(lib.from_numpy(i), w, p),
        [signed(4, 2)],
        lambda w, i=_index: w[i],
        # the padding row has no gradient, though the output depends on it
        categories=CATEGORIES if _padding is None else ("forward", "torch"),
    )
add_case(
    "embedding",
    "no indices",  # PyTorch has no second derivative then
    lambda lib, w: _f(lib).embedding(lib.from_numpy(np.zeros(0, np.int64)), w),
    [signed(4, 2)],
    lambda w: w[:0],
    categories=("forward", "gradcheck", "gradgradcheck"),
)


def _ref_layer_norm(x: Any, n: int) -> Any:
    axes = tuple(range(x.ndim - n, x.ndim))
    c = x - x.mean(axes, keepdims=True)
    return c / np.sqrt((c * c).mean(axes, keepdims=True) + 1e-5)


for _shape, _n in [((3,), 1), ((2, 3), 1), ((2, 3), 2), ((2, 2, 3), 2), ((0, 3), 1)]:
    add_case(
        "layer_norm",
        f"{_shape}, last {_n}",
        lambda lib, x, n=_n: _f(lib).layer_norm(x, tuple(x.shape[-n:])),
        [signed(*_shape)],
        lambda x, n=_n: _ref_layer_norm(x, n),
    )
add_case(
    "layer_norm",
    "with weight and bias",
    lambda lib, x, w, b: _f(lib).layer_norm(x, (3,), w, b),
    [signed(2, 3), signed(3), signed(3)],
    lambda x, w, b: _ref_layer_norm(x, 1) * w + b,
)

for _shape, _pad in [((3,), (1, 2)), ((2, 3), (0, 1, 2, 0)), ((2, 3), (-1, 2)), ((0, 2), (1, 1))]:
    add_case(
        "pad",
        f"{_shape}, {_pad}",
        lambda lib, x, p=_pad: _f(lib).pad(x, p, value=0.5),
        [signed(*_shape)],
        lambda x, p=_pad: np.pad(
            x[..., max(-p[0], 0) :],
            [(0, 0)] * (x.ndim - len(p) // 2)
            + [(max(a, 0), b) for a, b in zip(p[::2], p[1::2])][::-1],
            constant_values=0.5,
        ),
    )
