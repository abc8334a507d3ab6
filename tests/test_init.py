"""Initial values are PyTorch's for the same seed, and so are refusals and warnings."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import ROUNDING

import tinygrad_rnn as tg

Call = Callable[[Any, Any], Any]


def answer(lib: Any, call: Call, seed: int) -> tuple[Any, list[str], float]:
    """What a call returns or raises, what it warns of, and where the stream is then."""
    lib.manual_seed(seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = call(lib, lib.nn.init)
        except Exception as error:
            refusal = type(error)
            result = RuntimeError if refusal is NotImplementedError else refusal
    return result, [w.category.__name__ for w in caught], lib.rand(1).item()


def agree(torch: Any, call: Call, tolerance: float = 0) -> None:
    for seed in range(3):
        (ours, said, at), (theirs, expected, there) = (answer(x, call, seed) for x in (tg, torch))
        assert (said, at) == (expected, there)
        if isinstance(theirs, type | float | int):
            assert ours == theirs
        else:
            assert (ours.dtype.name, ours.shape) == (str(theirs.dtype)[6:], tuple(theirs.shape))
            a, b = ours.detach().numpy(), theirs.detach().numpy()
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    "call",
    [
        *(lambda lib, init, n=n: init.calculate_gain(n) for n in (
            "linear", "conv1d", "conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu",
            "selu", "elu", "identity", "x",
        )),
        *(lambda lib, init, p=p: init.calculate_gain("leaky_relu", p) for p in (
            0.2, 1, -1, 0, "a", True, None,
        )),
        lambda lib, init: init.calculate_gain("tanh", 3),
    ],
)  # fmt: skip
def test_gains(torch, call) -> None:
    agree(torch, call)


FLOATS = ("float32", "float64", "float16")
SHAPES = [(3, 2), (2, 3), (1, 1), (5, 7), (20, 3), (3, 20), (3, 2, 4), (40, 30), (0, 3), (3, 0)]
UNIFORM: dict[str, Callable[[Any, Any], Any]] = {
    "uniform_": lambda init, x: init.uniform_(x),
    "uniform_(a, b)": lambda init, x: init.uniform_(x, -0.3, 0.4),
    "xavier_uniform_": lambda init, x: init.xavier_uniform_(x),
    "xavier_uniform_(gain)": lambda init, x: init.xavier_uniform_(x, gain=2.5),
    "kaiming_uniform_": lambda init, x: init.kaiming_uniform_(x),
    "kaiming_uniform_(a)": lambda init, x: init.kaiming_uniform_(x, a=5**0.5),
    "kaiming_uniform_(fan_out)": lambda init, x: init.kaiming_uniform_(
        x, mode="fan_out", nonlinearity="relu"
    ),
    "constant_": lambda init, x: init.constant_(x, 0.3),
    "ones_": lambda init, x: init.ones_(x),
    "zeros_": lambda init, x: init.zeros_(x),
    "eye_": lambda init, x: init.eye_(x),
}
NORMAL: dict[str, Callable[[Any, Any], Any]] = {
    "normal_": lambda init, x: init.normal_(x),
    "normal_(mean, std)": lambda init, x: init.normal_(x, 1.5, 0.7),
    "xavier_normal_": lambda init, x: init.xavier_normal_(x, 1.5),
    "kaiming_normal_": lambda init, x: init.kaiming_normal_(x),
    "kaiming_normal_(tanh)": lambda init, x: init.kaiming_normal_(
        x, mode="FAN_OUT", nonlinearity="tanh"
    ),
    "trunc_normal_": lambda init, x: init.trunc_normal_(x),
    "trunc_normal_(1, 2, -1, 1)": lambda init, x: init.trunc_normal_(x, 1, 2, -1, 1),
    "trunc_normal_(0, 0.02)": lambda init, x: init.trunc_normal_(x, 0, 0.02),
    "trunc_normal_(0.5, 0.7, 0.2, 3)": lambda init, x: init.trunc_normal_(x, 0.5, 0.7, 0.2, 3),
    "trunc_normal_(0, 1, 2, 2.5)": lambda init, x: init.trunc_normal_(x, 0, 1, 2, 2.5),
    "trunc_normal_(10, 1)": lambda init, x: init.trunc_normal_(x, 10, 1),
    "sparse_": lambda init, x: init.sparse_(x, 0.3),
    "sparse_(std)": lambda init, x: init.sparse_(x, 0.6, std=0.5),
    "orthogonal_": lambda init, x: init.orthogonal_(x),
    "orthogonal_(gain)": lambda init, x: init.orthogonal_(x, 2.5),
}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", FLOATS)
def test_values(torch, dtype, shape) -> None:
    for fill in UNIFORM.values():
        agree(
            torch,
            lambda lib, init, f=fill: f(init, lib.empty(shape, dtype=getattr(lib, dtype))),
            10 * ROUNDING[dtype],  # of limits up to 10
        )
    for name, fill in NORMAL.items():
        tolerance = {"float32": 1e-5, "float64": 1e-12, "float16": 1e-2}[dtype]
        if name.startswith("orthogonal"):
            tolerance *= 10
        agree(
            torch,
            lambda lib, init, f=fill: f(init, lib.empty(shape, dtype=getattr(lib, dtype))),
            tolerance,
        )


@pytest.mark.parametrize("name", [*UNIFORM, *NORMAL])
@pytest.mark.parametrize("shape", [(3,), (), (0,)], ids=str)
def test_vectors(torch, name, shape) -> None:
    fill = (UNIFORM | NORMAL)[name]
    agree(torch, lambda lib, init: fill(init, lib.zeros(shape)), 1e-5)


@pytest.mark.parametrize("name", [*UNIFORM, *NORMAL])
def test_order_in_memory(torch, name) -> None:
    fill = (UNIFORM | NORMAL)[name]
    agree(torch, lambda lib, init: fill(init, lib.zeros(7, 5).T), 3e-5)
    agree(torch, lambda lib, init: fill(init, lib.zeros(7, 10)[:, ::2]), 3e-5)


@pytest.mark.parametrize(
    "name", [n for n in [*UNIFORM, *NORMAL] if n not in ("constant_", "ones_", "zeros_", "eye_")]
)
def test_parameters_and_generators(torch, name) -> None:
    """The parameter itself is filled and returned, outside the graph, from the generator given."""

    def call(lib: Any, init: Any) -> Any:
        p, g = lib.nn.Parameter(lib.zeros(4, 3)), lib.Generator().manual_seed(8)
        short = name.partition("(")[0]
        assert getattr(init, short)(p, generator=g) is p
        assert p.requires_grad
        assert p.is_leaf
        return lib.cat([p.reshape(12), lib.rand(3, generator=g)])

    agree(torch, call, 3e-5)


REFUSED: dict[str, Call] = {
    "mode": lambda lib, init: init.kaiming_normal_(lib.zeros(2, 3), mode="x"),
    "nonlinearity": lambda lib, init: init.kaiming_normal_(lib.zeros(2, 3), nonlinearity="x"),
    "std": lambda lib, init: init.normal_(lib.zeros(3), 1, -2),
    "limits": lambda lib, init: init.uniform_(lib.zeros(3), 1, -2),
    "negative gain": lambda lib, init: init.xavier_uniform_(lib.zeros(3, 2), -1),
    "no gain": lambda lib, init: init.xavier_uniform_(lib.zeros(3, 2), 0),
    "integers": lambda lib, init: init.uniform_(lib.zeros(3, dtype=lib.int64)),
    "integers, constant": lambda lib, init: init.ones_(lib.zeros(3, dtype=lib.int64)),
    "string": lambda lib, init: init.constant_(lib.zeros(3), "a"),
    "list": lambda lib, init: init.uniform_([1.0]),
    "eye_ of 3": lambda lib, init: init.eye_(lib.zeros(2, 3, 1)),
    "eye_ of ints": lambda lib, init: init.eye_(lib.zeros(2, 3, dtype=lib.int64)),
    "both empty": lambda lib, init: init.xavier_normal_(lib.zeros(0, 0)),
    "limits of trunc_normal_": lambda lib, init: init.trunc_normal_(lib.zeros(3), 0, 1, 3, 2),
    "std 0 of trunc_normal_": lambda lib, init: init.trunc_normal_(lib.zeros(3), 0, 0),
    "one point": lambda lib, init: init.trunc_normal_(lib.zeros(3), 0, 1, 2, 2),
    "not a generator": lambda lib, init: init.uniform_(lib.zeros(3), generator=3),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(torch, what) -> None:
    agree(torch, REFUSED[what])


def test_the_graph_notices() -> None:
    w = tg.ones(2, 2, requires_grad=True)
    y = (w * w).sum()
    tg.nn.init.orthogonal_(w)
    with pytest.raises(RuntimeError, match="inplace"):
        y.backward()
