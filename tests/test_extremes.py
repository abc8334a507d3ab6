"""Derivatives at NaN, ±∞, ±0, huge and tiny numbers, of first and second order, beside PyTorch's.

Nothing may overflow, or become NaN, on the way to a finite result.  Where PyTorch itself gives
∞ or NaN and the limit is finite, finite numbers are right too (`FINITE_HERE`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import leaf, numpy

import tinygrad_rnn as tg

Fn = Callable[..., Any]


def _values(dtype: Any) -> np.ndarray:
    """Numbers of a type where something may go wrong, each with either sign; many at once, as
    PyTorch's code for many and for few elements differs at NaN.
    """
    kind = np.finfo(dtype)
    tiny, huge = float(kind.tiny), float(kind.max)
    sizes = [
        0.0, 0.3, 0.5, 1.0, 1.5, 2.0, 3.0, 6.0, 8.0, 18.0, 40.0, 85.0, 100.0, 300.0, 700.0, 750.0,
        1e4, 1e10, huge**0.34, huge**0.5, huge**0.5 * 4, huge / 8, huge, np.inf,
        kind.smallest_subnormal, tiny, tiny * 8, tiny**0.5 / 8, tiny**0.5, 1e-10, 8 / huge,
    ]  # fmt: skip
    return np.tile(np.array([np.nan, *sizes, *[-x for x in sizes]], dtype), 4)


def _pairs(dtype: Any) -> list[np.ndarray]:
    kind = np.finfo(dtype)
    tiny, huge = float(kind.tiny), float(kind.max)
    sizes = [0.0, 0.5, 1.0, 2.0, 3.0, 100.0, huge**0.5 * 4, huge / 8, np.inf, tiny, tiny**0.5 / 8]
    values = [np.nan, *sizes, *[-x for x in sizes]]
    return list(np.array(list(itertools.product(values, repeat=2)), dtype).T.copy())


def _named(name: str) -> Fn:
    return lambda lib, x: getattr(lib, name)(x)


def _functional(name: str, *arguments: Any, **options: Any) -> Fn:
    return lambda lib, x: getattr(lib.nn.functional, name)(x, *arguments, **options)


UNARY: dict[str, Fn] = {
    **{
        name: _named(name)
        for name in (
            "exp expm1 log log1p log2 log10 sqrt rsqrt square reciprocal neg abs sign sin cos tan "
            "sinh cosh tanh asin acos atan sigmoid erf floor ceil trunc round relu"
        ).split()
    },
    **{
        name: _functional(name)
        for name in "elu selu gelu silu mish softplus logsigmoid softsign leaky_relu".split()
    },
    "elu, alpha 2": _functional("elu", 2.0),
    "gelu, tanh": _functional("gelu", approximate="tanh"),
    "softplus, beta 2": _functional("softplus", beta=2.0, threshold=5.0),
    "clamp": lambda lib, x: x.clamp(-0.5, 1.0),
    "clamp from below": lambda lib, x: x.clamp(min=0.0),
    "clamp from above": lambda lib, x: x.clamp(max=0.0),
    **{f"x ** {p}": lambda lib, x, p=p: x**p for p in (-2, -1, 0, 1, 2, 3, 0.5, -0.5, 1.5, 2.5)},
    **{f"{b} ** x": lambda lib, x, b=b: b**x for b in (2.0, 0.5, 0.0, 1.0, -2.0)},
    "1 / x": lambda lib, x: 1 / x,
    "x / 0": lambda lib, x: x / 0.0,
    "x * 0": lambda lib, x: x * 0.0,
    "x % 2": lambda lib, x: x % 2.0,
    "fmod by 2": lambda lib, x: lib.fmod(x, 2.0),
    "where": lambda lib, x: lib.where(x > 0, x, -x),
    "masked_fill": lambda lib, x: x.masked_fill(x.detach() > 0, 1.0),
}
BINARY: dict[str, Fn] = {
    "add": lambda lib, a, b: a + b,
    "sub": lambda lib, a, b: a - b,
    "mul": lambda lib, a, b: a * b,
    "div": lambda lib, a, b: a / b,
    "pow": lambda lib, a, b: a**b,
    "atan2": lambda lib, a, b: lib.atan2(a, b),
    "maximum": lambda lib, a, b: lib.maximum(a, b),
    "minimum": lambda lib, a, b: lib.minimum(a, b),
    "logaddexp": lambda lib, a, b: lib.logaddexp(a, b),
    "fmod": lambda lib, a, b: lib.fmod(a, b),
    "remainder": lambda lib, a, b: lib.remainder(a, b),
    "clamp by tensors": lambda lib, a, b: lib.clamp(a, a.detach() - 1, b),
}
# Where PyTorch has ∞ or NaN: in half steps on the way (erf″ of what is squared), in its own
# approximations (gelu), in 0 · ∞, and in a − b⌊a/b⌋ for remainders
FINITE_HERE = {
    "sinh", "cosh", "erf", "gelu", "gelu, tanh", "silu", "mish", "softsign", "0.0 ** x",
    "pow", "fmod", "remainder", "x ** 0.5", "x ** -0.5", "x ** 1.5",
}  # fmt: skip
# PyTorch's second derivatives of these say 0 where the sigmoid is 1 to the last bit; its softsign
# in float32 is an approximation, as is its gelu
COARSE = {"logsigmoid": 1e-6, "softplus": 1e-6, "softsign": 1e-2, "gelu": 1e-6, "gelu, tanh": 1e-6}


def _derivatives(lib: Any, fn: Fn, arrays: list[np.ndarray], weight: float) -> dict[str, Any]:
    """The gradients of inputs, and of these again (by inputs and by the cotangent)."""
    xs = [leaf(lib, a) for a in arrays]
    y = fn(lib, *xs)
    g = leaf(lib, np.full(y.shape, weight, arrays[0].dtype))
    first = lib.autograd.grad(y, xs, g, create_graph=True, materialize_grads=True)
    found = {"value": y} | {f"by input {i}": d for i, d in enumerate(first)}
    for i, d in enumerate(first):
        if d.requires_grad:
            ones = lib.ones_like(d).detach()
            second = lib.autograd.grad(d, [*xs, g], ones, retain_graph=True, allow_unused=True)
            found |= {f"by input {i}, then {j}": s for j, s in enumerate(second) if s is not None}
    return found


def _assert_alike(
    ours: np.ndarray, theirs: np.ndarray, what: str, name: str, at: list[np.ndarray]
) -> None:
    ours, theirs = ours.astype(np.float64), theirs.astype(np.float64)
    rough = at[0].dtype == np.float32
    kind = np.finfo(at[0].dtype)
    atol = max(float(kind.tiny) * 8, COARSE.get(name, 0.0), float(kind.eps) ** 2)
    rtol = max(1e-4 if rough else 1e-7, COARSE.get(name, 0.0))
    alike = np.isclose(ours, theirs, rtol, atol, equal_nan=True)
    alike |= np.isclose(ours, theirs, rtol, float(kind.eps) * 4)  # 1 − y of a y near 1
    if name in FINITE_HERE:
        alike |= ~np.isfinite(theirs) & ~np.isnan(ours)
    if name == "pow" and what == "by input 0, then 1":
        alike |= at[1] == 0  # 1/a here (tested below), but 0 in PyTorch
    wrong = [(*(a[i] for a in at), ours[i], theirs[i]) for i in np.flatnonzero(~alike)[:5]]
    assert not wrong, f"{name}, {what}: (inputs, ours, PyTorch's) {wrong}"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [*UNARY, *BINARY])
def test_derivatives_of_elements(torch, name, dtype):
    arrays = [_values(dtype)] if name in UNARY else _pairs(dtype)
    fn = (UNARY | BINARY)[name]
    with np.errstate(all="ignore"):
        ours, theirs = (_derivatives(lib, fn, arrays, 0.75) for lib in (tg, torch))
    for what, mine in ours.items():
        reference = theirs.get(what)
        array = np.zeros_like(arrays[0]) if reference is None else reference.numpy(force=True)
        _assert_alike(numpy(mine), array, what, name, arrays)


@pytest.mark.parametrize("name", ["elu", "selu", "elu, alpha 2"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [1, 64])
def test_nan_stays_nan(name, dtype, count):
    found = _derivatives(tg, UNARY[name], [np.full(count, np.nan, dtype)], 1.0)
    assert all(np.isnan(numpy(d)).all() for d in found.values())


@pytest.mark.parametrize("cotangent", [0.0, np.inf, np.nan])
def test_a_constant_power_sends_nothing_back(cotangent):
    x = leaf(tg, _values(np.float64))
    (x**0).backward(tg.full(x.shape, cotangent, dtype=tg.float64))
    np.testing.assert_array_equal(x.grad.numpy(), 0)


@pytest.mark.parametrize("a", [0.5, 1.0, 2.0, 3.0])
def test_mixed_second_derivative_of_a_power_where_the_exponent_is_0(a):
    x, p = leaf(tg, a), leaf(tg, 0.0)
    (first,) = tg.autograd.grad(x**p, x, create_graph=True)
    np.testing.assert_allclose(first.item(), 0)
    by_x, by_p = tg.autograd.grad(first, [x, p])
    np.testing.assert_allclose(by_x.item(), 0)
    np.testing.assert_allclose(by_p.item(), 1 / a)  # ∂/∂p of p·x^(p − 1)


# -- losses and reductions ------------------------------------------------------------------------


def _loss(name: str, **options: Any) -> Fn:
    return lambda lib, x, t: getattr(lib.nn.functional, name)(x, t, **options)


LOSSES: dict[str, Fn] = {
    f"{name} {options}": _loss(name, **options)
    for name, options in [
        *[("mse_loss", {"reduction": r}) for r in ("mean", "sum", "none")],
        *[("l1_loss", {"reduction": r}) for r in ("mean", "sum", "none")],
        *[("smooth_l1_loss", {"beta": b}) for b in (0.0, 0.5, 1.0, 2.0)],
        *[("smooth_l1_loss", {"beta": b, "reduction": "none"}) for b in (0.5, 2.0)],
        *[("huber_loss", {"delta": d}) for d in (0.5, 1.0, 3.0)],
        ("kl_div", {"reduction": "sum"}),
        ("kl_div", {"reduction": "sum", "log_target": True}),
    ]
}
REDUCTIONS: dict[str, Fn] = {
    f"{name} over {dim}": (lambda lib, x, f=f, d=dim: f(lib, x, (0, 1) if d is None else (d,)))
    for dim in (None, 0, 1)
    for name, f in {
        "sum": lambda lib, x, d: x.sum(d),
        "mean": lambda lib, x, d: x.mean(d),
        "var": lambda lib, x, d: x.var(d),
        "var of all": lambda lib, x, d: x.var(d, correction=0),
        "std": lambda lib, x, d: x.std(d),
        "logsumexp": lambda lib, x, d: lib.logsumexp(x, d),
        "amax": lambda lib, x, d: x.amax(d),
        "1-norm": lambda lib, x, d: lib.linalg.vector_norm(x, 1, d),
        "2-norm": lambda lib, x, d: lib.linalg.vector_norm(x, 2, d),
        "0.5-norm": lambda lib, x, d: lib.linalg.vector_norm(x, 0.5, d),
        "maximum norm": lambda lib, x, d: lib.linalg.vector_norm(x, float("inf"), d),
    }.items()
}


def _matrices(dtype: Any, count: int) -> list[np.ndarray]:
    kind = np.finfo(dtype)
    tiny, huge = float(kind.tiny), float(kind.max)
    values = [
        0.0, 0.5, -2.0, huge / 7, -huge / 8, huge**0.5 * 2, tiny, tiny**0.5 / 4, 100.0, -100.0,
        1e3, 0.25,
    ]  # fmt: skip
    equal = [*values, huge / 1.2, -huge / 1.2, huge / 4]  # sums of six do, or do not, overflow
    rng = np.random.default_rng(4)
    mixed = [np.array(rng.choice(values, (2, 3)), dtype) for _ in range(count)]
    return [*[np.full((2, 3), v, dtype) for v in equal], *mixed]


def _assert_no_avoidable_overflow(torch: Any, fn: Fn, arrays: list[np.ndarray]) -> None:
    """Where PyTorch's value or gradient is finite, so is ours, and the same."""
    results = []
    for lib in (tg, torch):
        xs = [leaf(lib, a) for a in arrays]
        y = fn(lib, *xs)
        grads = lib.autograd.grad(y, xs, lib.ones_like(y) * 0.75, materialize_grads=True)
        results.append([numpy(t).astype(np.float64) for t in (y, *grads)])
    kind = np.finfo(arrays[0].dtype)
    for i, (ours, theirs) in enumerate(zip(*results, strict=True)):
        finite = np.isfinite(theirs)
        terms = [theirs[finite], *(arrays if i == 0 else [])]  # which may cancel in a sum
        scale = max(float(np.max(np.abs(a), initial=0)) for a in terms)
        atol = max(float(kind.tiny), float(kind.eps) * 16 * scale)
        np.testing.assert_allclose(
            ours[finite], theirs[finite], 1e-3, atol, err_msg=f"{i} (0: value) of {arrays}"
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", LOSSES)
def test_losses_do_not_overflow(torch, name, dtype):
    inputs, rng = _matrices(dtype, 40), np.random.default_rng(9)
    with np.errstate(all="ignore"):
        for x in inputs:
            for target in (np.zeros((2, 3), dtype), inputs[rng.integers(len(inputs))]):
                _assert_no_avoidable_overflow(torch, LOSSES[name], [x, target])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_do_not_overflow(torch, name, dtype):
    with np.errstate(all="ignore"):
        for x in _matrices(dtype, 60):
            _assert_no_avoidable_overflow(torch, REDUCTIONS[name], [x])


def test_gradient_of_a_squared_error_of_huge_numbers():
    x = tg.full((2, 3), 3e38, requires_grad=True)
    tg.nn.functional.mse_loss(x, tg.zeros(2, 3)).backward()
    np.testing.assert_allclose(x.grad.numpy(), 1e38, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_small_derivatives_of_the_cross_entropy_of_logits(dtype):
    x = leaf(tg, np.array([-30.0, -60.0, 30.0, 60.0], dtype))
    target = tg.tensor([0.0, 0.0, 1.0, 1.0], dtype=x.dtype)
    fn = tg.nn.functional.binary_cross_entropy_with_logits
    fn(x, target, reduction="sum").backward()
    small = np.exp([-30.0, -60.0])
    np.testing.assert_allclose(x.grad.numpy(), [*small, *-small], rtol=1e-5)
