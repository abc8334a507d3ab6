"""`gradcheck` and `gradgradcheck`: what they find, what they say, and that PyTorch's agree."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from cases import outcome

import tinygrad_rnn as tg
from tinygrad_rnn.autograd import GradcheckError, gradcheck, gradgradcheck


def leaf(lib: Any, *values: float, dtype: str = "float64") -> Any:
    return lib.from_numpy(np.array(values, dtype)).requires_grad_()


def define(lib: Any, forward: Any, backward: Any) -> Any:
    methods = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type("F", (lib.autograd.Function,), methods)


def doubling(lib, backward):
    return define(lib, lambda ctx, x: x * 2, backward).apply


def pair(lib, backward):
    return define(lib, lambda ctx, a, b: (a * b, a + b), backward).apply


def drifting(lib):
    """A backward that gives a little more every time."""
    calls = []
    return doubling(lib, lambda ctx, g: calls.append(1) or g * 2 * (1 + 1e-9 * len(calls)))


def without_none(lib):
    """A backward that cannot do with an output that nothing used."""

    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 2, x * 3

    return define(lib, forward, lambda ctx, g, h: g * 2 + h * 3).apply


def constant_square(lib):
    """Right at first, but its backward treats what it saved as a constant."""

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    return define(lib, forward, lambda ctx, g: 2 * g * ctx.saved_tensors[0].detach()).apply


X, Y = (0.5, -1.0), (3.0, 4.0)


def right(lib):
    return lib.tanh


def two(lib):
    return lambda a, b: (a * b, lib.exp(a))


def half(lib):
    return doubling(lib, lambda ctx, g: g)


def wrong_in_one(lib):
    return pair(lib, lambda ctx, g, h: (g + h, g - h))


def inexact(lib):
    return doubling(lib, lambda ctx, g: g * 2.01)


def offset(lib):
    return doubling(lib, lambda ctx, g: g * 2 + 1e-7)


def narrow(lib):
    return doubling(lib, lambda ctx, g: (g * 2).float())


def integers_beside(lib):
    return lambda x: (x * 2, lib.from_numpy(np.ones(2, int)))


ONCE, TWICE = "gradcheck", "gradgradcheck"

# name: check, function of lib, values of each input, options
CHECKS = {
    "right": (ONCE, right, [X], {}),
    "two inputs, two outputs": (ONCE, two, [X, Y], {}),
    "a list of outputs": (ONCE, lambda lib: lambda a: [a * 2, a * 3], [X], {}),
    "wrong": (ONCE, half, [X], {}),
    "wrong, not raised": (ONCE, half, [X], {"raise_exception": False}),
    "wrong for one input": (ONCE, wrong_in_one, [X, Y], {}),
    "within tolerance": (ONCE, inexact, [X], {"rtol": 0.1}),
    "out of tolerance": (ONCE, inexact, [X], {}),
    "NaN": (ONCE, lambda lib: lambda x: x * float("nan"), [X], {}),
    "nothing recorded": (ONCE, lambda lib: lambda x: x.detach() * 2, [X], {}),
    "a constant": (ONCE, lambda lib: lambda x: lib.ones(2).double(), [X], {}),
    "a constant beside": (ONCE, lambda lib: lambda x: (x * 2, x.detach() * 2), [X], {}),
    "integers beside": (ONCE, integers_beside, [X], {}),
    "empty": (ONCE, lambda lib: lambda x: x * 2, [()], {}),
    "an offset": (ONCE, offset, [X], {}),
    "an offset, unchecked": (ONCE, offset, [X], {"check_undefined_grad": False}),
    "drifting": (ONCE, drifting, [X], {}),
    "drifting, tolerated": (ONCE, drifting, [X], {"nondet_tol": 1e-5}),
    "float32 gradient": (ONCE, narrow, [X], {"check_grad_dtypes": True}),
    "cannot do without": (ONCE, without_none, [X], {}),
    "error": (ONCE, lambda lib: lambda x: x / (1 // 0), [X], {"raise_exception": False}),
    "changes its input": (ONCE, lambda lib: lambda x: x.mul_(1), [X], {}),
    "no inputs": (ONCE, lambda lib: lambda: lib.ones(1), [], {}),
    "fast, right": (ONCE, two, [X, Y], {"fast_mode": True}),
    "fast, wrong": (ONCE, half, [X], {"fast_mode": True}),
    "fast, wrong for one input": (ONCE, wrong_in_one, [X, Y], {"fast_mode": True}),
    "masked": (ONCE, right, [X], {"masked": True}),
    "second": (TWICE, right, [X], {}),
    "second, two": (TWICE, two, [X, Y], {}),
    "second of linear": (TWICE, lambda lib: lambda x: x * 2, [X], {}),
    "second with constant beside": (TWICE, lambda lib: lambda x: (x.detach(), x * x), [X], {}),
    "second, wrong": (TWICE, constant_square, [X], {}),
    "second, wrong, not raised": (TWICE, constant_square, [X], {"raise_exception": False}),
    "second, strided": (TWICE, right, [X], {"gen_non_contig_grad_outputs": True}),
    "second, fast": (TWICE, right, [X], {"fast_mode": True}),
    "second, fast, wrong": (TWICE, constant_square, [X], {"fast_mode": True}),
}


@pytest.mark.parametrize("name", CHECKS)
def test_verdicts_are_torchs(name, torch):
    check, make, values, options = CHECKS[name]
    verdicts = []
    for lib in (tg, torch):
        run, function = getattr(lib.autograd, check), make(lib)
        inputs = [leaf(lib, *v) for v in values]
        verdicts.append(outcome(lambda r=run, f=function, xs=inputs: r(f, xs, **options)))
    ours, theirs = verdicts
    if isinstance(theirs, Exception):
        assert type(ours).__name__ == type(theirs).__name__, f"{ours!r}, not {theirs!r}"
    else:
        assert ours is theirs


@pytest.mark.parametrize("name", ["gradcheck", "gradgradcheck"])
def test_arguments_are_torchs(name, torch):
    signatures = [inspect.signature(getattr(lib.autograd, name)) for lib in (tg, torch)]
    ours, theirs = (
        [(p.name, p.kind, p.default) for p in s.parameters.values()] for s in signatures
    )
    assert ours == theirs


# -- what they say -----------------------------------------------------------------------------


def test_the_first_wrong_entry_is_named():
    def backward(ctx, g, h):
        wrong = np.ones((2, 2))
        wrong[1, 0] = 3  # for b[1, 0] only
        return g, h * tg.tensor(wrong)

    f = define(tg, lambda ctx, a, b: (a * 1, b * 1), backward).apply
    k = 5.0
    a, b = tg.tensor(np.eye(2), requires_grad=True), tg.tensor(np.eye(2), requires_grad=True)
    with pytest.raises(GradcheckError) as caught:
        gradcheck(lambda a, k, b: f(a, b), [a, k, b])
    assert str(caught.value) == (
        "gradcheck: output 1, input 2: entry (2, 2) of the Jacobian, ∂output[1, 0] / ∂input[1, 0], "
        "is 3 by the backward walk and 1 by central differences (1 of 16 entries differ)"
    )


def test_entries_of_tensors_without_axes():
    with pytest.raises(GradcheckError, match=r"entry \(0, 0\) of the Jacobian, ∂output / ∂input,"):
        gradcheck(doubling(tg, lambda ctx, g: g), tg.tensor(1.0).double().requires_grad_())


@pytest.mark.parametrize(("name", "message"), [
    ("nothing recorded", "no output requires grad"),
    ("an offset", "input 0 gets .* from cotangents of zero: backward is not multiplied"),
    ("drifting", r"not deterministic: .* nondet_tol=0.0"),
])  # fmt: skip
def test_other_messages(name, message):
    _, make, values, options = CHECKS[name]
    with pytest.raises(GradcheckError, match=message):
        gradcheck(make(tg), [leaf(tg, *v) for v in values], **options)


def test_an_output_left_out_must_count_as_zero():
    """A backward that gives something for an output which nothing used."""

    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 2, x * 3

    def backward(ctx, g, h):
        if g is None:
            return h * 3
        return 2 * g + (1e-9 if h is None else h * 3)

    f = define(tg, forward, backward).apply
    with pytest.raises(GradcheckError, match="of zero and none for output 1"):
        gradcheck(f, leaf(tg, *X))
    assert gradcheck(f, leaf(tg, *X), check_undefined_grad=False)


def test_dtypes_of_gradients_are_checked():
    x = leaf(tg, *X)
    x.register_hook(lambda g: g)
    assert gradcheck(lambda x: x * 2, x, check_grad_dtypes=True)


def test_fast_mode_takes_few_evaluations():
    calls = []
    x = tg.tensor(np.linspace(-1, 1, 200), requires_grad=True)
    assert gradcheck(lambda x: calls.append(1) or tg.tanh(x), x, fast_mode=True)
    assert len(calls) == 3


def test_fast_mode_names_the_entry():
    with pytest.raises(GradcheckError, match=r"output 0, input 0: entry \(0, 0\)"):
        gradcheck(doubling(tg, lambda ctx, g: g), leaf(tg, *X), fast_mode=True)


def test_fast_mode_that_disagrees_with_the_entries():
    calls = []

    def backward(ctx, g):
        calls.append(1)
        return g * (1 if len(calls) == 1 else 2)

    with pytest.raises(GradcheckError, match=r"uᵀJv .* although every entry of J is right"):
        gradcheck(doubling(tg, backward), leaf(tg, *X), fast_mode=True)


def test_undefined_gradients_and_repetition_cost_three_walks():
    x = tg.tensor(np.linspace(-1, 1, 50), requires_grad=True)
    walks = []
    assert gradcheck(doubling(tg, lambda ctx, g: walks.append(1) or 2 * g), x)
    assert len(walks) == 50 + 3


# -- what they refuse --------------------------------------------------------------------------


@pytest.mark.parametrize(("check", "option"), [
    (ONCE, "check_batched_grad"), (ONCE, "check_batched_forward_grad"),
    (ONCE, "check_forward_ad"), (TWICE, "check_batched_grad"),
    (TWICE, "check_fwd_over_rev"),
])  # fmt: skip
def test_modes_that_do_not_exist(check, option):
    with pytest.raises(NotImplementedError, match=option):
        getattr(tg.autograd, check)(tg.tanh, leaf(tg, *X), **{option: True})


def test_checking_nothing_is_refused():
    with pytest.raises(ValueError, match="check_backward_ad"):
        gradcheck(tg.tanh, leaf(tg, *X), check_backward_ad=False)
    with pytest.raises(ValueError, match="check_rev_over_rev"):
        gradgradcheck(tg.tanh, leaf(tg, *X), check_rev_over_rev=False)


@pytest.mark.parametrize("raising", [True, False])
def test_no_input_requires_grad(raising, torch):
    for lib in (tg, torch):
        with pytest.raises(ValueError, match=r"requires? .*grad"):
            lib.autograd.gradcheck(lib.tanh, leaf(lib, *X).detach(), raise_exception=raising)


def test_other_types_than_float64_are_warned_of(torch):
    for lib in (tg, torch):
        x = leaf(lib, *X, dtype="float32")
        with pytest.warns(UserWarning, match="likely.* fail"):
            assert lib.autograd.gradcheck(lambda x: x * 2, x, eps=1e-2, atol=1e-2)


def test_one_element_in_several_places_of_memory(torch):
    for lib in (tg, torch):
        x = lib.ones(1).double().expand(3).requires_grad_()
        with pytest.raises(RuntimeError, match=r"clone|contiguous"):
            lib.autograd.gradcheck(lambda x: x * 2, x)


def test_outputs_that_are_no_tensors():
    for output in (3, None, (leaf(tg, 1.0), 3)):
        with pytest.raises(TypeError, match="gradcheck: "):
            gradcheck(lambda x, output=output: output, leaf(tg, *X))


def test_given_cotangents(torch):
    for lib in (tg, torch):
        for v in (leaf(lib, 2.0, 3.0), leaf(lib, 2.0, 3.0).detach()):
            assert lib.autograd.gradgradcheck(lib.tanh, leaf(lib, *X), v)
            assert lib.autograd.gradgradcheck(lib.tanh, [leaf(lib, *X)], [v])


def test_inputs_are_as_they_were():
    x = leaf(tg, *X)
    with pytest.raises(GradcheckError):
        gradcheck(doubling(tg, lambda ctx, g: g), x)
    assert x.tolist() == list(X)
    assert x.grad is None

    def fails(y):
        if y.tolist() != list(X):
            raise ArithmeticError
        return y * 2

    with pytest.raises(ArithmeticError):
        gradcheck(fails, x)
    assert x.tolist() == list(X)


def test_views_and_transposes_as_inputs():
    x = tg.tensor(np.arange(12.0).reshape(3, 4).T[::2] / 7)
    assert gradcheck(lambda x: tg.exp(x) * x, x.requires_grad_())
    assert gradcheck(lambda x: tg.exp(x) * x, x, fast_mode=True)


def test_jacobians():
    analytical, numerical = tg.autograd.jacobians(lambda x: (x * x, x.detach()), leaf(tg, *X))
    np.testing.assert_allclose(analytical[0][0], np.diag([1.0, -2.0]))
    np.testing.assert_allclose(numerical[0][0], np.diag([1.0, -2.0]), atol=1e-8)
    assert not analytical[1][0].any()
    np.testing.assert_allclose(numerical[1][0], np.eye(2), atol=1e-8)
