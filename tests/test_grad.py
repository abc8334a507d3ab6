"""`autograd.grad` and `autograd.backward`: every argument, compared with PyTorch's."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest
from cases import assert_outcome, outcome

import tinygrad_rnn as tg


class Net:
    """The tensors that the calls below are about."""

    def __init__(self, lib: Any) -> None:
        self.lib = lib
        self.x, self.y = self.leaf(1.0, 2.0), self.leaf(3.0, -4.0)
        self.c = self.x.detach() * 5
        self.h = self.x * self.y  # not a leaf
        self.z = (self.h * self.h).sum()
        self.s = self.x.sum()
        self.g = self.c * 0.1

    def leaf(self, *values: float) -> Any:
        return self.lib.from_numpy(np.array(values)).requires_grad_()

    def grad(self, *arguments: Any, **options: Any) -> Any:
        return self.lib.autograd.grad(*arguments, **options)

    def backward(self, *arguments: Any, **options: Any) -> Any:
        """The gradients of x, y and h afterwards."""
        result = self.lib.autograd.backward(*arguments, **options)
        assert result is None
        return self.x.grad, self.y.grad, self.h.grad

    def array(self, values: Any, dtype: str = "float64") -> Any:
        return self.lib.from_numpy(np.array(values, dtype))


GRAD = {
    "leaf": lambda n: n.grad(n.z, n.x),
    "a list of one": lambda n: n.grad([n.z], [n.x]),
    "two leaves": lambda n: n.grad(n.z, (n.x, n.y)),
    "not a leaf": lambda n: n.grad(n.z, n.h),
    "both": lambda n: n.grad(n.z, [n.h, n.x, n.y]),
    "the same twice": lambda n: n.grad(n.z, [n.x, n.x]),
    "two outputs": lambda n: n.grad([n.z, n.s], [n.x]),
    "the same output twice": lambda n: n.grad([n.z, n.z], n.x),
    "an output and what it came from": lambda n: n.grad([n.z, n.h], [n.h, n.x], [None, n.g]),
    "an output as input": lambda n: n.grad(n.h, n.h, n.g),
    "a leaf as output": lambda n: n.grad(n.x, n.x, n.g),
    "leaves as outputs": lambda n: n.grad([n.x, n.z], n.x, [n.g, None]),
    "generators": lambda n: n.grad((t for t in [n.z]), (t for t in [n.x])),
    "a set": lambda n: n.grad(n.z, {n.x}),
    "one element, one axis": lambda n: n.grad(n.h[:1], n.x),
    "one element, two axes": lambda n: n.grad(n.h[:1].reshape(1, 1), n.x),
    "several elements": lambda n: n.grad(n.h, n.x),
    "no elements": lambda n: n.grad(n.h[:0], n.x),
    "outputs: none": lambda n: n.grad([], n.x),
    "outputs: none, allowed": lambda n: n.grad([], n.x, allow_unused=True),
    "outputs: none, zeros": lambda n: n.grad([], n.x, materialize_grads=True),
    "outputs: a constant": lambda n: n.grad(n.c.sum(), n.x),
    "outputs: a constant, allowed": lambda n: n.grad(n.c.sum(), n.x, allow_unused=True),
    "outputs: a constant beside": lambda n: n.grad([n.z, n.c.sum()], n.x),
    "outputs: None": lambda n: n.grad(None, n.x),
    "outputs: a number": lambda n: n.grad(3, n.x),
    "inputs: none": lambda n: n.grad(n.z, []),
    "inputs: a constant": lambda n: n.grad(n.z, n.c),
    "inputs: a constant, allowed": lambda n: n.grad(n.z, n.c, allow_unused=True),
    "inputs: a constant, zeros": lambda n: n.grad(n.z, n.c, materialize_grads=True),
    "inputs: None": lambda n: n.grad(n.z, None),
    "inputs: a list of None": lambda n: n.grad(n.z, [None]),
    "inputs: a number": lambda n: n.grad(n.z, 3),
    "inputs: a list of numbers": lambda n: n.grad(n.z, [3]),
    "unused": lambda n: n.grad(n.s, n.y),
    "unused beside": lambda n: n.grad(n.s, [n.x, n.y]),
    "unused, allowed": lambda n: n.grad(n.s, [n.x, n.y], allow_unused=True),
    "unused, not allowed": lambda n: n.grad(n.s, n.y, allow_unused=False),
    "unused, zeros": lambda n: n.grad(n.s, [n.x, n.y], materialize_grads=True),
    "unused, allowed and zeros": lambda n: n.grad(
        n.s, n.y, allow_unused=True, materialize_grads=True
    ),
    "unused, not allowed and zeros": lambda n: n.grad(
        n.s, n.y, allow_unused=False, materialize_grads=True
    ),
    "unused later output": lambda n: n.grad(n.s, n.h, allow_unused=True),
    "cotangent": lambda n: n.grad(n.h, n.x, n.g),
    "cotangents": lambda n: n.grad([n.h, n.z], [n.x, n.y], [n.g, n.array(2.0)]),
    "cotangents: None": lambda n: n.grad([n.z, n.s], n.x, None),
    "cotangents: Nones": lambda n: n.grad([n.z, n.s], n.x, [None, None]),
    "cotangents: None for one": lambda n: n.grad([n.z, n.h], n.x, [None, n.g]),
    "cotangents: None for several elements": lambda n: n.grad(n.h, n.x, [None]),
    "cotangents: a tuple": lambda n: n.grad(n.h, n.x, (n.g,)),
    "cotangents: too few": lambda n: n.grad([n.z, n.s], n.x, [None]),
    "cotangents: a tensor for two": lambda n: n.grad([n.z, n.h], n.x, n.g),
    "cotangents: another size": lambda n: n.grad(n.h, n.x, n.array([1.0, 2.0, 3.0])),
    "cotangents: broadcastable": lambda n: n.grad(n.h, n.x, n.array([1.0])),
    "cotangents: more axes": lambda n: n.grad(n.h, n.x, n.array([[1.0, 2.0]])),
    "cotangents: float32": lambda n: n.grad(n.h, n.x, n.array([1.0, 2.0], "float32")),
    "cotangents: integers": lambda n: n.grad(n.h, n.x, n.array([1, 2], "int64")),
    "cotangents: a number": lambda n: n.grad(n.z, n.x, 1.0),
    "cotangents: a list of numbers": lambda n: n.grad(n.z, n.x, [1.0]),
    "cotangents: an array": lambda n: n.grad(n.z, n.x, [np.ones(())]),
    "retain_graph None": lambda n: n.grad(n.z, n.x, retain_graph=None),
    "a word as flag": lambda n: n.grad(n.z, n.x, retain_graph="yes"),
    "a word as allow_unused": lambda n: n.grad(n.z, n.x, allow_unused="yes"),
    "all by position": lambda n: n.grad(n.h, n.y, n.g, True, False, True, True, False, True),
    "a second time": lambda n: (n.grad(n.z, n.x), n.grad(n.z, n.x))[1],
    "a second time, retained": lambda n: n.grad(n.z, n.x, retain_graph=True) + n.grad(n.z, n.x),
    "a second time, recorded": lambda n: n.grad(n.z, n.x, create_graph=True) + n.grad(n.z, n.x),
    "recorded but not retained": lambda n: (
        n.grad(n.z, n.x, create_graph=True, retain_graph=False), n.grad(n.z, n.x)
    )[1],
    "of the second order": lambda n: n.grad(
        n.grad(n.z, n.x, create_graph=True)[0].sum(), [n.x, n.y]
    ),
    "with respect to a cotangent": lambda n: n.grad(
        (n.grad(n.h, n.x, n.y, create_graph=True)[0] ** 2).sum(), n.y
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GRAD)
def test_grad_as_torch(name, torch):
    nets = [Net(lib) for lib in (tg, torch)]
    ours, theirs = (outcome(lambda n=n: GRAD[name](n)) for n in nets)
    assert_outcome(ours, theirs, name)
    assert all(t.grad is None for t in (nets[0].x, nets[0].y))


BACKWARD = {
    "one": lambda n: n.backward(n.z),
    "a list": lambda n: n.backward([n.z]),
    "two": lambda n: n.backward([n.z, n.s]),
    "none": lambda n: n.backward([]),
    "None": lambda n: n.backward(None),
    "a constant": lambda n: n.backward(n.c.sum()),
    "several elements": lambda n: n.backward(n.h),
    "cotangent": lambda n: n.backward(n.h, n.g),
    "cotangents": lambda n: n.backward((n.h, n.s), (n.g, None)),
    "cotangents: too few": lambda n: n.backward([n.z, n.s], [None]),
    "cotangents: another size": lambda n: n.backward(n.h, n.array([1.0])),
    "inputs": lambda n: n.backward(n.z, inputs=[n.x]),
    "inputs: a tensor": lambda n: n.backward(n.z, inputs=n.y),
    "inputs: both": lambda n: n.backward(n.z, inputs=(n.x, n.y)),
    "inputs: twice the same": lambda n: n.backward(n.z, inputs=[n.x, n.x]),
    "inputs: not a leaf": lambda n: n.backward(n.z, inputs=[n.h]),
    "inputs: not a leaf beside one": lambda n: n.backward(n.z, inputs=[n.h, n.x]),
    "inputs: unused": lambda n: n.backward(n.s, inputs=[n.y]),
    "inputs: none": lambda n: n.backward(n.z, inputs=[]),
    "inputs: a constant": lambda n: n.backward(n.z, inputs=[n.c]),
    "inputs: a number": lambda n: n.backward(n.z, inputs=[3]),
    "inputs: None in a list": lambda n: n.backward(n.z, inputs=[None]),
    "twice": lambda n: (n.backward(n.z, retain_graph=True), n.backward(n.z))[1],
    "twice, freed": lambda n: (n.backward(n.z), n.backward(n.z))[1],
    "recorded": lambda n: tuple(n.backward(n.z, create_graph=True)),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Using backward")  # PyTorch: with create_graph it leaks
@pytest.mark.filterwarnings("ignore:The .grad attribute")
@pytest.mark.parametrize("name", BACKWARD)
def test_backward_as_torch(name, torch):
    nets = [Net(lib) for lib in (tg, torch)]
    ours, theirs = (outcome(lambda n=n: BACKWARD[name](n)) for n in nets)
    assert_outcome(ours, theirs, name)


def test_dicts_of_inputs(torch):
    for lib in (tg, torch):
        n = Net(lib)
        result = n.grad(n.s, {"a": n.x, "b": n.y}, allow_unused=True)
        assert list(result) == ["a", "b"]
        assert result["a"].tolist() == [1.0, 1.0]
        assert result["b"] is None


@pytest.mark.parametrize("create_graph", [False, True])
def test_zeros_for_what_was_unused_are_leaves(create_graph, torch):
    for lib in (tg, torch):
        n = Net(lib)
        _, zeros = n.grad(n.s, [n.x, n.y], create_graph=create_graph, materialize_grads=True)
        assert zeros.tolist() == [0.0, 0.0]
        assert zeros.requires_grad is create_graph


def test_only_inputs_is_ignored_with_a_warning(torch):
    for lib in (tg, torch):
        n = Net(lib)
        with pytest.warns(FutureWarning, match="only_inputs"):
            assert n.grad(n.s, n.x, only_inputs=False)[0].tolist() == [1.0, 1.0]


def test_what_is_refused_and_torch_allows():
    n = Net(tg)
    with pytest.raises(NotImplementedError, match="in a loop"):
        n.grad(n.h, n.x, n.array(np.eye(2)), is_grads_batched=True)
    with pytest.raises(RuntimeError, match="1 outputs, but 2 gradients"):
        n.grad(n.z, n.x, [None, None])


def test_gradients_are_the_callers():
    """They share nothing with cotangents or the graph."""
    n = Net(tg)
    a, b = n.grad([n.x, n.y], [n.x, n.y], [n.g, n.g])
    a.mul_(0)
    assert b.tolist() == n.g.tolist() == [0.5, 1.0]


# -- only the way from outputs to inputs is walked ---------------------------------------------


def walked(walk) -> list[str]:
    """The rules that a walk runs: the names of the applications they belong to."""
    ran = []

    def marked(name: str, x: tg.Tensor) -> tg.Tensor:
        class Marked(tg.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x * 1

            @staticmethod
            def backward(ctx, g):
                ran.append(name)
                return g

        return Marked.apply(x)

    walk(marked)
    return ran


def test_grad_runs_the_rules_on_the_way_only():
    n = Net(tg)

    def walk(marked) -> None:
        trunk = marked("trunk", n.x * n.y)
        side = marked("side", marked("deep", n.y))
        top = marked("top", trunk + side)
        n.grad(top, n.x, n.g)

    assert walked(walk) == ["top", "trunk"]


def test_grad_stops_at_its_inputs():
    n = Net(tg)

    def walk(marked) -> None:
        before = marked("before", n.x)
        n.grad(marked("after", before), before, n.g)

    assert walked(walk) == ["after"]


def test_backward_runs_all_rules_or_those_towards_inputs():
    n = Net(tg)

    def all_of(marked) -> None:
        (marked("a", n.x) * marked("b", n.y)).sum().backward()

    def some(marked) -> None:
        (marked("a", n.x) * marked("b", n.y)).sum().backward(inputs=[n.y])

    assert sorted(walked(all_of)) == ["a", "b"]
    assert walked(some) == ["b"]


def test_grad_for_a_late_input_does_not_walk_a_long_past():
    """Its cost does not depend on what came before the input."""
    w = Net(tg).x

    def walk(marked) -> None:
        h = w
        for t in range(100):
            h = marked(str(t), h)
        last = h * 2
        tg.autograd.grad((last * last).sum(), last)

    assert walked(walk) == []


# -- parts of a tensor, and their parts -------------------------------------------------------

APART = [
    lambda y, d, n: y.chunk(n, d),
    lambda y, d, n: y.split(n, d),
    lambda y, d, n: y.split([y.shape[d] // 2, y.shape[d] - y.shape[d] // 2], d),
    lambda y, d, n: y.tensor_split(n, d),
    lambda y, d, n: y.unbind(d),
    lambda y, d, n: [y.narrow(d, min(n, y.shape[d]) - 1, 1)],
]


def taken_apart(lib, seed):
    """Names of the parts' nodes, and derivatives of first and second order; some parts unused."""
    draw = Random(seed)
    shape = [draw.randint(1, 5) for _ in range(draw.randint(1, 3))]
    numbers = np.random.default_rng(seed).normal(size=shape)
    x = lib.tensor(numbers, requires_grad=True)
    y = x * 1.5
    total, called = (y**2).sum(), []
    for _ in range(draw.randint(1, 4)):
        axis = draw.randrange(len(shape))
        parts = list(draw.choice(APART)(y, axis, draw.randint(1, 6)))
        called += [part.grad_fn.name() for part in parts]
        draw.shuffle(parts)
        for part in parts[: draw.randint(0, len(parts))]:
            total = total + draw.random() * (part**2 * part.tanh()).sum() + part.sum()
    (g,) = lib.autograd.grad(total, x, create_graph=True)
    (second,) = lib.autograd.grad((g**2).sum(), x)
    return called, g.detach().numpy(), second.numpy()


@pytest.mark.parametrize("seed", range(40))
def test_random_parts_against_torch(torch, seed) -> None:
    ours, theirs = taken_apart(tg, seed), taken_apart(torch, seed)
    assert ours[0] == theirs[0]
    for a, b in zip(ours[1:], theirs[1:], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)
