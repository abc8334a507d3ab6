"""Every primitive: its forward, its rules, the rules of its rules, and PyTorch's answer."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from cases import (
    CASES,
    REGISTRY,
    Case,
    assert_all_same,
    assert_same,
    cases,
    leaf,
    missing,
    numpy,
    run,
    sequence,
)

import tinygrad_rnn as tg
from tinygrad_rnn.autograd import GradcheckError, gradcheck, gradgradcheck
from tinygrad_rnn.engine.graph import tape
from tinygrad_rnn.engine.primitive import Primitive


def inputs(case: Case):
    return [leaf(tg, a) for a in case.arrays]


# -- nothing is left out -----------------------------------------------------------------------


def test_every_primitive_has_cases():
    assert missing(REGISTRY) == []
    assert set(CASES) <= set(REGISTRY), "cases of primitives that are no more"


def test_a_primitive_without_cases_is_noticed(monkeypatch):
    monkeypatch.setattr(Primitive, "registry", {})
    Primitive("forgotten", np.negative, "x")
    assert missing(Primitive.registry) == [
        "forgotten: forward", "forgotten: gradcheck", "forgotten: gradgradcheck", "forgotten: torch"
    ]  # fmt: skip


@pytest.mark.parametrize("case", cases("gradcheck"), ids=str)
def test_case_runs_its_primitive(case):
    outputs = sequence(case.fn(tg, *inputs(case)))
    used = {node.primitive.name for node in tape(y.node for y in outputs) if node.primitive}
    assert case.primitive in used


@pytest.mark.parametrize("case", cases("gradcheck"), ids=str)
def test_results_own_their_memory(case):
    """Changes in place rely on it: only views show the memory of others."""
    transposed = [x.mT.clone().mT if x.ndim > 1 else x for x in inputs(case)]
    for xs in (inputs(case), transposed):
        for y in sequence(case.fn(tg, *xs)):
            node = y.grad_fn
            assert node is None or node.primitive.view or y.array.base is None


def test_gradcheck_notices_a_wrong_rule(monkeypatch):
    monkeypatch.setattr(Primitive, "registry", dict(REGISTRY))
    wrong = Primitive("wrong", np.sin, "x")
    wrong.vjp("x", lambda g, x: g * x)
    with pytest.raises(GradcheckError, match="differ"):
        gradcheck(wrong, leaf(tg, [0.5]))


# -- the four categories -----------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("forward"), ids=str)
def test_forward(case):
    outputs = sequence(case.fn(tg, *[tg.from_numpy(a) for a in case.arrays]))
    expected = sequence(case.ref(*case.arrays))
    assert len(outputs) == len(expected)
    for y, e in zip(outputs, expected, strict=True):
        assert isinstance(y, tg.Tensor)
        assert type(y.numpy()) is np.ndarray
        assert y.shape == np.shape(e)
        np.testing.assert_allclose(y.numpy(), e, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("case", cases("gradcheck"), ids=str)
def test_gradcheck(case):
    assert gradcheck(lambda *xs: case.fn(tg, *xs), inputs(case), eps=case.eps)


@pytest.mark.parametrize("case", cases("gradgradcheck"), ids=str)
def test_gradgradcheck(case):
    assert gradgradcheck(lambda *xs: case.fn(tg, *xs), inputs(case), eps=case.eps)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", cases("torch"), ids=str)
def test_as_torch(case, dtype, torch):
    ours, theirs = (run(lib, case.fn, case.arrays, dtype) for lib in (tg, torch))
    assert_all_same(ours, theirs, str(case))


LAPACK = {"cholesky", "det", "eigh", "inv", "matrix_exp", "pinv", "qr", "slogdet", "solve", "svd"}
IN_FLOAT16 = [c for c in cases("torch") if c.primitive not in {"to_copy", *LAPACK}]


@pytest.mark.parametrize("case", IN_FLOAT16, ids=str)
def test_no_rule_widens_float16(case):
    for tensors in run(tg, case.fn, case.arrays, np.float16):
        assert {t.dtype for t in tensors} <= {tg.float16}


# -- one tensor used many times: contributions are gathered ------------------------------------

W, B = np.random.default_rng(0).uniform(-1, 1, (2, 3, 3)) / 2
REPEATED = {
    "matrix, rows of a batch": lambda lib, x, w, b: sum(x[t] @ w for t in range(9)),
    "matrix, more rows than are gathered": lambda lib, x, w, b: sum(
        x @ w for _ in range(40)
    ),
    "matrix, vectors": lambda lib, x, w, b: sum(x[t, 0] @ w for t in range(9)),
    "matrix, mixed ranks": lambda lib, x, w, b: (x[0, 0] @ w + x[1] @ w + (x @ w)[0]) @ w.T,
    "matrix on both sides": lambda lib, x, w, b: w @ x[0].T @ w + w @ (w @ w),
    "bias, mixed ranks": lambda lib, x, w, b: ((x + b[0]) * b[0] + x[0] - b[0]) @ b,
    "bias, many": lambda lib, x, w, b: sum(x * t + b[0] for t in range(70)),
    "scalar": lambda lib, x, w, b: (x * b[0, 0] + b[0, 0]) / b[0, 0] + w * b[0, 0],
    "stretched": lambda lib, x, w, b: x * b[:, :1] + w[:1] * b[:, :1] - b[:1, :1],
    "recurrence": lambda lib, x, w, b: lib.stack(_recurrence(lib, x, w, b)),
    "parts of every kind": lambda lib, x, w, b: (
        sum(x[t] for t in range(9)) + x.sum(0) * x[:4][-1] + lib.cat(lib.chunk(x, 4, 1), 0)[0]
        + sum(lib.unbind(x, 2))[0] + x[lib.tensor([0, 0, 8])].sum(0)
    ),
}  # fmt: skip


def _recurrence(lib, x, w, b):
    h = b[0]
    for t in range(9):
        h = lib.tanh(x[t] @ w + b[0] + h @ w.T)
        yield h


@pytest.mark.parametrize("name", REPEATED)
def test_tensor_used_many_times(name, torch, rng):
    arrays = [rng.uniform(-1, 1, (9, 3, 3)), W, B]

    def fn(lib, *xs):
        return REPEATED[name](lib, *xs) + 0 * sum(x.sum() for x in xs)

    if name == "recurrence":

        def fn(lib, x, w, b):
            return lib.stack(list(_recurrence(lib, x, w, b)))

    assert_all_same(*(run(lib, fn, arrays) for lib in (tg, torch)), name)


# -- kinks and extremes: values and gradients are PyTorch's, and nothing warns ------------------

INF, NAN = float("inf"), float("nan")
EXTREMES = [0.0, -0.0, 1e4, -1e4, 1e300, -1e300, 5e-324, INF, -INF, NAN]
KINKS = {
    "relu": (lambda lib, x: lib.relu(x), EXTREMES),
    "relu, infinite gradient": (lambda lib, x: lib.relu(x) * INF, [-1.0, 0.0, 1.0]),
    "tanh, infinite gradient": (lambda lib, x: lib.tanh(x) * INF, [-1.0, 0.0, 0.5, 1e4]),
    "sigmoid, infinite gradient": (lambda lib, x: lib.sigmoid(x) * INF, [-1.0, 0.0, 0.5, 1e4]),
    "tanh": (lambda lib, x: lib.tanh(x), EXTREMES),
    "sigmoid": (lambda lib, x: lib.sigmoid(x), [*EXTREMES, 39.9, 40.1, -745.0, -700.0]),
    "exp": (lambda lib, x: lib.exp(x), [*EXTREMES, 710.0, -746.0]),
    "log": (lambda lib, x: lib.log(x), [*EXTREMES, -1.0]),
    "neg": (lambda lib, x: -x, EXTREMES),
    "1 / x": (lambda lib, x: 1 / x, EXTREMES),
    "x / 0": (lambda lib, x: x / 0, EXTREMES),
    "x * 0": (lambda lib, x: x * 0, EXTREMES),
    "x * x": (lambda lib, x: x * x, EXTREMES),
    "x - x": (lambda lib, x: x - x, EXTREMES),
    "mean of nothing": (lambda lib, x: x[:0].mean() + x.sum() * 0, [1.0]),
    **{
        f"x ** {p}": (lambda lib, x, p=p: x**p, [*EXTREMES, -2.0, 2.0])
        for p in [0, 1, 2, 3, -1, 1.5, -1.5, 0.0, 2.0]
    },
    **{  # at −0 and −∞ PyTorch's shortcut for roots leaves IEEE's pow
        f"x ** {p}": (lambda lib, x, p=p: x**p, [0.0, 1e4, -1e4, 1e300, 5e-324, INF, NAN])
        for p in [0.5, -0.5]
    },
    **{f"{b} ** x": (lambda lib, x, b=b: b**x, [*EXTREMES, -2.0, 2.0]) for b in [0, 1, 2, 0.5]},
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", KINKS)
def test_kinks(name, dtype, torch):
    fn, values = KINKS[name]
    with np.errstate(over="ignore", under="ignore"):
        array = np.array(values).astype(dtype)
    results = []
    for lib in (tg, torch):
        x = leaf(lib, array)
        with np.errstate(all="ignore"):  # that nothing warns has its own test
            y = fn(lib, x)
        (g,) = lib.autograd.grad(y, x, lib.ones_like(y), retain_graph=True)
        (created,) = lib.autograd.grad(y, x, lib.ones_like(y), create_graph=True)
        results.append((y, g, created.detach()))
    for ours, theirs, what in zip(*results, ("output", "gradient", "recorded"), strict=True):
        assert_same(ours, theirs, f"{name}: {what}")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", KINKS)
def test_kinks_do_not_warn(name, dtype):
    fn, values = KINKS[name]
    with np.errstate(over="ignore", under="ignore"):
        array = np.array(values).astype(dtype)
    x = leaf(tg, array)
    fn(tg, x).sum().backward()
    fn(tg, x.detach())
    (g,) = tg.autograd.grad(fn(tg, x).sum(), x, create_graph=True)
    if g.requires_grad:
        g.sum().backward()


@pytest.mark.parametrize(("base", "exponent"), list(product([0.0, -0.0, 2.0, -2.0, INF], repeat=2)))
def test_pow_of_two_tensors_at_kinks(base, exponent, torch):
    results = []
    for lib in (tg, torch):
        a, b = leaf(lib, base), leaf(lib, exponent)
        with np.errstate(all="ignore"):
            y = a**b
        y.backward()
        results.append((a.grad, b.grad))
    for ours, theirs, what in zip(*results, ("base", "exponent"), strict=True):
        assert_same(ours, theirs, f"{base} ** {exponent}: gradient of {what}")


@pytest.mark.parametrize("value", [1e4, -1e4])
@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_saturated_in_float32_and_float16(name, value, torch):
    for dtype in ("float32", "float16"):
        y, z = (getattr(lib, name)(leaf(lib, [value], dtype)) for lib in (tg, torch))
        assert_same(y, z, name)
        y.sum().backward()


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_slopes_near_saturation_are_as_exact_as_torchs(name, torch):
    x64 = np.linspace(-8, 8, 65)  # beyond, 1 − y rounds away all digits: nobody is exact
    errors = []
    for lib in (tg, torch):
        x, exact = leaf(lib, x64, np.float32), leaf(lib, x64)
        for t in (x, exact):
            getattr(lib, name)(t).sum().backward()
        errors.append(np.abs(numpy(x.grad) - numpy(exact.grad)))
    ours, theirs = errors
    rounding = 4 * np.finfo(np.float32).eps  # two units of y, which its slope cannot mend
    assert np.all(ours <= 2 * theirs + 1e-6 * numpy(exact.grad) + rounding)


def test_zero_cotangents_pass_through_infinite_slopes(torch):
    grads = []
    for lib in (tg, torch):
        x = leaf(lib, [0.0, 4.0])
        with np.errstate(all="ignore"):
            y = lib.log(x)[1] + (x**0.5)[1]
        y.backward()
        grads.append(x.grad)
    assert_same(*grads)
    assert np.isnan(numpy(grads[0])[0])
