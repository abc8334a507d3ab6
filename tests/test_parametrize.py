"""Parameters that are computed of others (`nn.utils.parametrize`), beside PyTorch's."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from cases import assert_same

import tinygrad_rnn as tg


def parametrizations(lib: Any) -> Any:
    return lib.nn.utils.parametrizations


def parametrize(lib: Any) -> Any:
    from torch.nn.utils import parametrize as theirs

    return tg.nn.utils.parametrize if lib is tg else theirs


def skew(lib: Any, inverse: bool = False) -> Any:
    class Skew(lib.nn.Module):
        def forward(self, X: Any) -> Any:
            return X.triu(1) - X.triu(1).transpose(-1, -2)

    if inverse:
        Skew.right_inverse = lambda self, A: A.triu(1)
    return Skew()


def scaled(lib: Any) -> Any:
    class Scaled(lib.nn.Module):
        def forward(self, X: Any) -> Any:
            return X * 2

        def right_inverse(self, A: Any) -> Any:
            return A / 2

    return Scaled()


def linear(lib: Any, *sizes: int) -> Any:
    lib.manual_seed(3)
    return lib.nn.Linear(*sizes or (3, 3)).double()


MADE = {
    "skew": lambda lib: parametrize(lib).register_parametrization(
        linear(lib), "weight", skew(lib)),
    "skew with an inverse": lambda lib: parametrize(lib).register_parametrization(
        linear(lib), "weight", skew(lib, True)),
    "two": lambda lib: parametrize(lib).register_parametrization(
        parametrize(lib).register_parametrization(linear(lib), "weight", skew(lib, True)),
        "weight", scaled(lib), unsafe=True),
    "a bias": lambda lib: parametrize(lib).register_parametrization(
        linear(lib), "bias", scaled(lib)),
    "weight_norm": lambda lib: parametrizations(lib).weight_norm(linear(lib, 4, 2)),
    "weight_norm of the whole": lambda lib: parametrizations(lib).weight_norm(
        linear(lib), dim=None),
    "weight_norm along 1": lambda lib: parametrizations(lib).weight_norm(linear(lib), dim=1),
    "spectral_norm": lambda lib: parametrizations(lib).spectral_norm(linear(lib, 4, 2)),
    "spectral_norm of a bias": lambda lib: parametrizations(lib).spectral_norm(
        linear(lib), "bias"),
    "spectral_norm, three steps": lambda lib: parametrizations(lib).spectral_norm(
        linear(lib), n_power_iterations=3),
    **{
        f"{kind} {sizes}": lambda lib, k=kind, s=sizes: parametrizations(lib).orthogonal(
            linear(lib, *s), orthogonal_map=k)
        for kind in (None, "matrix_exp", "cayley", "householder")
        for sizes in ((3, 3), (2, 4), (4, 2)) if kind != "matrix_exp" or sizes == (3, 3)
    },
    "householder, not trivial": lambda lib: parametrizations(lib).orthogonal(
        linear(lib, 2, 4), orthogonal_map="householder", use_trivialization=False),
}  # fmt: skip


@pytest.mark.parametrize("name", MADE)
def test_trains_as_in_pytorch(torch, name):
    """What it is called, what is kept, and three steps of training."""
    seen = []
    for lib in (tg, torch):
        layer = MADE[name](lib)
        optimizer = lib.optim.SGD(layer.parameters(), lr=0.1)
        x = lib.from_numpy(np.linspace(-1, 1, 5 * layer.in_features).reshape(5, -1))
        values = []
        for _ in range(3):
            optimizer.zero_grad()
            (layer(x) - 1).square().mean().backward()
            values += [p.grad for p in layer.parameters()]
            optimizer.step()
        values += layer.state_dict().values()
        seen.append((repr(layer), list(layer.state_dict()), values))
    (ours, keys, mine), (theirs, wanted, reference) = seen
    assert keys == wanted
    assert ours == theirs
    for a, b in zip(mine, reference, strict=True):
        assert_same(a, b, name, 1e-6)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU", "RNNCell"])
def test_recurrent_weights(torch, kind):
    seen = []
    for lib in (tg, torch):
        lib.manual_seed(0)
        layer = getattr(lib.nn, kind)(2, 3).double()
        name = "weight_hh" if kind == "RNNCell" else "weight_ih_l0"
        parametrizations(lib).weight_norm(layer, name)
        y = layer(lib.from_numpy(np.linspace(-1, 1, 8).reshape(4, 2)))
        y = y[0] if isinstance(y, tuple) else y
        y.square().sum().backward()
        seen.append([y, *(p.grad for _, p in sorted(layer.named_parameters()))])
    for a, b in zip(*seen, strict=True):
        assert_same(a, b, kind, 1e-9)


def test_an_orthogonal_recurrence_keeps_gradients():
    """Through 60 linear steps nothing of a gradient is lost."""
    tg.manual_seed(0)
    layer = tg.nn.utils.parametrizations.orthogonal(tg.nn.Linear(4, 4, bias=False))
    h = start = tg.randn(4, requires_grad=True)
    W = layer.weight
    for _ in range(60):
        h = W @ h
    h[0].backward()
    assert start.grad.norm().item() == pytest.approx(1, rel=1e-4)


def test_is_removed(torch):
    for lib in (tg, torch):
        p = parametrize(lib)
        for leave in (True, False):
            layer = linear(lib)
            before, kind = layer.weight.detach().clone(), type(layer)
            p.register_parametrization(layer, "weight", skew(lib))
            assert p.is_parametrized(layer)
            assert p.is_parametrized(layer, "weight")
            assert not p.is_parametrized(layer, "bias")
            assert p.type_before_parametrizations(layer) is kind
            made = layer.weight.detach()
            p.remove_parametrizations(layer, "weight", leave_parametrized=leave)
            assert type(layer) is kind
            assert not p.is_parametrized(layer)
            assert layer.weight.equal(made if leave else before)
            assert {name for name, _ in layer.named_parameters()} == {"weight", "bias"}


def test_an_optimizer_goes_on_with_the_original():
    layer = linear(tg)
    optimizer = tg.optim.SGD(layer.parameters(), lr=1.0)
    tg.nn.utils.parametrize.register_parametrization(layer, "weight", scaled(tg))
    before = layer.weight.detach()
    layer.weight.sum().backward()
    optimizer.step()
    assert tg.allclose(before - layer.weight, tg.full((3, 3), 4.0, dtype=tg.float64))


def test_is_assigned_and_copied():
    layer = linear(tg)
    tg.nn.utils.parametrize.register_parametrization(layer, "weight", scaled(tg))
    layer.weight = tg.ones(3, 3, dtype=tg.float64)
    assert layer.parametrizations.weight.original.detach().equal(
        tg.full((3, 3), 0.5, dtype=tg.float64)
    )
    other = copy.deepcopy(layer)
    layer.weight = tg.zeros(3, 3, dtype=tg.float64)
    assert other.weight.detach().sum().item() == 9


def test_is_computed_once_where_it_is_cached():
    layer = tg.nn.utils.parametrizations.weight_norm(tg.nn.Linear(2, 2))
    assert layer.weight is not layer.weight
    with tg.nn.utils.parametrize.cached():
        first = layer.weight
        with tg.nn.utils.parametrize.cached():
            assert layer.weight is first
        assert layer.weight is first
    assert layer.weight is not first


def test_mistakes(torch):
    class Narrow:
        def __new__(cls, lib: Any) -> Any:
            kind = type("Narrow", (lib.nn.Module,), {"forward": lambda self, X: X[:1]})
            return kind()

    for lib in (tg, torch):
        p = parametrize(lib)
        with pytest.raises(ValueError, match="weigth"):
            p.register_parametrization(linear(lib), "weigth", skew(lib))
        layer = linear(lib)
        with pytest.raises(ValueError, match="shape"):
            p.register_parametrization(layer, "weight", Narrow(lib))
        assert not p.is_parametrized(layer)
        with pytest.raises(ValueError, match="parametriz"):
            p.remove_parametrizations(layer, "weight")
        with pytest.raises(ValueError, match="orthogonal"):
            parametrizations(lib).orthogonal(layer, orthogonal_map="exp")
        with pytest.raises(ValueError, match="matrix"):
            parametrizations(lib).orthogonal(layer, "bias")
        parametrizations(lib).orthogonal(layer, use_trivialization=False)
        with pytest.raises(NotImplementedError):
            layer.weight = lib.eye(3)


@pytest.mark.parametrize("kind", ["orthogonal", "spectral_norm", "weight_norm"])
def test_a_name_that_a_module_does_not_have(kind) -> None:
    with pytest.raises(ValueError, match="Linear has no parameter or buffer 'nix'"):
        getattr(tg.nn.utils.parametrizations, kind)(tg.nn.Linear(2, 2), "nix")
