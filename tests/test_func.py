"""Functions of functions (`tg.func`) beside PyTorch's: values, nesting, what is recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import assert_same, leaf

import tinygrad_rnn as tg

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # of PyTorch's own
X = np.array([0.3, -0.7, 1.1])
W = np.array([[0.5, -0.2, 0.1], [0.3, 0.4, -0.6], [-0.1, 0.2, 0.7]])


def rnn(lib: Any, w: Any) -> Callable[[Any], Any]:
    """A loss of three steps."""

    def loss(x: Any) -> Any:
        h = lib.zeros(3, dtype=lib.float64)
        for _ in range(3):
            h = lib.tanh(w @ h + x)
        return (h**2).sum()

    return loss


def two(lib: Any) -> Callable[..., Any]:
    return lambda a, b: (lib.sin(a) * b).sum()


# What is called of `lib`, with `x` and `w` as given: the same in both libraries.
CALLS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "grad": lambda lib, x, w: lib.func.grad(rnn(lib, w))(x),
    "grad and value": lambda lib, x, w: lib.func.grad_and_value(rnn(lib, w))(x),
    "grad of a grad": lambda lib, x, w: lib.func.grad(lib.func.grad(lambda s: s.sin() * s))(x[0]),
    "three grads": lambda lib, x, w: lib.func.grad(
        lib.func.grad(lib.func.grad(lambda s: s**4)))(x[2]),
    "grad inside grad of another": lambda lib, x, w: lib.func.grad(
        lambda a: lib.func.grad(lambda b: (a * b) ** 3)(a * 2) * a)(x[0]),
    "several arguments": lambda lib, x, w: lib.func.grad(two(lib), argnums=(0, 1))(x, x + 1),
    "the second argument": lambda lib, x, w: lib.func.grad(two(lib), argnums=1)(x, x + 1),
    "the last argument": lambda lib, x, w: lib.func.grad(two(lib), -1)(x, x + 1),
    "aux": lambda lib, x, w: lib.func.grad(lambda v: (v.prod(), v * 2), has_aux=True)(x),
    "aux and value": lambda lib, x, w: lib.func.grad_and_value(
        lambda v: (v.prod(), v * 2), has_aux=True)(x),
    "a dict": lambda lib, x, w: list(lib.func.grad(
        lambda p, v: (p["w"] @ v + p["b"][0]).sum())({"w": w, "b": [x, x]}, x)["b"]),
    "an argument that is not used": lambda lib, x, w: lib.func.grad(
        lambda a, b: b.sum(), argnums=(0, 1))(x, x),
    "keywords": lambda lib, x, w: lib.func.grad(lambda v, k: (v * k).sum())(x, k=x * 2),
    "no number": lambda lib, x, w: lib.func.grad(lambda v: v * 2)(x),
    "argnums out of range": lambda lib, x, w: lib.func.grad(lambda v: v.sum(), argnums=2)(x),
    "vjp": lambda lib, x, w: lib.func.vjp(lambda v: w @ v, x)[1](x),
    "vjp of two": lambda lib, x, w: lib.func.vjp(lambda a, b: (a * b, a.sum()), x, w[0])[1](
        (x, x[0])),
    "vjp's output": lambda lib, x, w: lib.func.vjp(lambda v: lib.tanh(w @ v), x)[0],
    "vjp with aux": lambda lib, x, w: lib.func.vjp(lambda v: (w @ v, v * 2), x, has_aux=True)[2],
    "jvp": lambda lib, x, w: lib.func.jvp(lambda v: lib.tanh(w @ v), (x,), (x * 2,)),
    "jvp of two": lambda lib, x, w: lib.func.jvp(two(lib), (x, x + 1), (x, x)),
    "jacrev": lambda lib, x, w: lib.func.jacrev(lambda v: lib.tanh(w @ v))(x),
    "jacfwd": lambda lib, x, w: lib.func.jacfwd(lambda v: lib.tanh(w @ v))(x),
    "jacrev of two": lambda lib, x, w: lib.func.jacrev(
        lambda a, b: lib.outer(a, b), argnums=(0, 1))(x, x[:2]),
    "jacrev of several outputs": lambda lib, x, w: lib.func.jacrev(lambda a: (a * 2, a.sum()))(x),
    "jacrev of a dict": lambda lib, x, w: lib.func.jacrev(lambda p: p["a"] * p["b"])(
        {"a": x, "b": x + 1})["a"],
    "hessian": lambda lib, x, w: lib.func.hessian(rnn(lib, w))(x),
    "grad of a jacobian": lambda lib, x, w: lib.func.grad(
        lambda v: lib.func.jacrev(lambda u: lib.tanh(w @ u))(v).square().sum())(x),
    "vmap": lambda lib, x, w: lib.func.vmap(lib.dot)(w, w + 1),
    "vmap over columns": lambda lib, x, w: lib.func.vmap(lambda r: r * x, in_dims=1, out_dims=1)(w),
    "vmap with a whole": lambda lib, x, w: lib.func.vmap(
        lambda r, v: r @ v, in_dims=(0, None))(w, x),
    "vmap of a dict": lambda lib, x, w: lib.func.vmap(lambda p: p["a"] @ p["b"])({"a": w, "b": w}),
    "vmap of several outputs": lambda lib, x, w: lib.func.vmap(lambda r: (r.sum(), r * 2))(w),
    "gradients of single samples": lambda lib, x, w: lib.func.vmap(
        lib.func.grad(lambda p, r: (p * r).sum().square()), in_dims=(None, 0))(x, w),
    "sizes that differ": lambda lib, x, w: lib.func.vmap(lib.dot)(w, w[:2]),
    "in_dims that do not fit": lambda lib, x, w: lib.func.vmap(lib.dot, in_dims=(0,))(w, w),
}  # fmt: skip


@pytest.mark.parametrize("mode", ["constants", "leaves", "no_grad"])
@pytest.mark.parametrize("name", CALLS)
def test_as_pytorch(torch, name, mode):
    """Values; whether they require grad; and, if so, what flows from there to x and w."""
    answers = []
    for lib in (tg, torch):
        x, w = leaf(lib, X), leaf(lib, W)
        if mode == "constants":
            x, w = x.detach(), w.detach()
        with lib.set_grad_enabled(mode != "no_grad"):
            try:
                made = flat(CALLS[name](lib, x, w))
            except Exception as error:
                answers.append(error)
                continue
        answers.append((made, received(lib, made, (x, w))))
    ours, theirs = answers
    if isinstance(theirs, Exception):
        assert type(ours) is type(theirs), f"{ours!r}, but PyTorch: {theirs!r}"
        return
    assert not isinstance(ours, Exception), repr(ours)
    for mine, wanted in zip(ours, theirs, strict=True):
        for a, b in zip(mine, wanted, strict=True):
            assert_same(a, b, name, 1e-9)
    assert [y.requires_grad for y in ours[0]] == [y.requires_grad for y in theirs[0]]


def flat(made: Any) -> list[Any]:
    return [x for part in made for x in flat(part)] if isinstance(made, tuple | list) else [made]


def received(lib: Any, made: list[Any], wanted: Any) -> list[Any]:
    ends = [y.sum() for y in made if y.requires_grad]
    return list(lib.autograd.grad(sum(ends), wanted, materialize_grads=True)) if ends else []


def net(lib: Any) -> Any:
    lib.manual_seed(0)
    made = lib.nn.Sequential(lib.nn.Linear(3, 2), lib.nn.BatchNorm1d(2), lib.nn.Linear(2, 2))
    made.append(made[2])  # the same, once more
    return made.double()


def test_functional_call(torch):
    """Other weights for one call, tied ones included; gradients flow to them."""
    results = []
    for lib in (tg, torch):
        model = net(lib)
        fast = {n: p.detach() * 2 for n, p in model.named_parameters()}
        for p in fast.values():
            p.requires_grad_()
        out = lib.func.functional_call(model, fast, (lib.from_numpy(W),))
        results.append([out, *lib.autograd.grad(out.square().sum(), list(fast.values()))])
        assert all(p.grad is None for p in model.parameters())
        assert not out.equal(model(lib.from_numpy(W)))
    for a, b in zip(*results, strict=True):
        assert_same(a, b, "functional_call", 1e-9)


def test_functional_call_puts_everything_back():
    model = net(tg)
    before = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    with pytest.raises(RuntimeError):
        tg.func.functional_call(model, {"0.weight": tg.ones(1, 1)}, tg.ones(2, 3))
    after = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    assert all(before[name] is after[name] for name in before)
    with pytest.raises(RuntimeError, match="it has no"):
        tg.func.functional_call(model, {"9.weight": tg.ones(1)}, tg.ones(2, 3))
    with pytest.raises(RuntimeError, match="are missing"):
        tg.func.functional_call(model, {}, tg.ones(2, 3), strict=True)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_functional_call_of_a_recurrent_layer(torch, kind):
    results = []
    for lib in (tg, torch):
        lib.manual_seed(1)
        layer = getattr(lib.nn, kind)(3, 2).double()
        fast = {n: (p.detach() + 0.1).requires_grad_() for n, p in layer.named_parameters()}
        out, _ = lib.func.functional_call(layer, fast, (lib.from_numpy(W),))
        results.append([out, *lib.autograd.grad(out.sum(), list(fast.values()))])
    for a, b in zip(*results, strict=True):
        assert_same(a, b, kind, 1e-9)


def test_an_ensemble(torch):
    results = []
    for lib in (tg, torch):
        lib.manual_seed(2)
        models = [lib.nn.Linear(3, 2) for _ in range(3)]
        parameters, buffers = lib.func.stack_module_state(models)
        x = lib.ones(4, 3)
        made = lib.func.vmap(lambda p, m=models[0], x=x, lib=lib: lib.func.functional_call(m, p, x))
        assert buffers == {}
        assert all(p.requires_grad and p.is_leaf for p in parameters.values())
        results.append([made(parameters), lib.stack([model(x) for model in models])])
        assert_same(*(y.detach() for y in results[-1]), "one by one", 1e-6) if lib is tg else None
    assert_same(results[0][0], results[1][0], "an ensemble", 1e-6)
    for bad in ([], [tg.nn.Linear(1, 1), tg.nn.Linear(1, 1).eval()]):
        with pytest.raises(RuntimeError, match="stack_module_state"):
            tg.func.stack_module_state(bad)


def test_weights_are_called_by_their_keys() -> None:
    """In pictures; where they are differentiated they are tensors of their own."""
    weights = {"W": tg.ones(2, requires_grad=True), "b": tg.ones(2)}
    seen = []

    def loss(given):
        seen.extend(given.values())
        return (given["W"] * given["b"]).sum()

    tg.func.grad(loss)(weights)
    assert [x.name for x in seen] == ["W", "b"]
    assert [x.name for x in weights.values()] == [None, None]


def test_errors_name_the_transform_and_what_it_was_given() -> None:
    with pytest.raises(TypeError, match=r"grad: argument 0 must hold tensors, got 3\.0"):
        tg.func.grad(lambda x: x * 2)(3.0)
    with pytest.raises(ValueError, match=r"vmap: in_dims 5 is no axis of an argument of shape .*2"):
        tg.func.vmap(lambda x: x, in_dims=5)(tg.ones(2))
