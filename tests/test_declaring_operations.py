"""What the decorators of operations make: plain functions that know their primitive."""

from __future__ import annotations

import ast
import doctest
import inspect
import pickle

import numpy as np
import pytest
from cases import CASES, sequence

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, operations
from tinygrad_rnn.engine.graph import tape
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.operations.operation import elementwise, in_rules, operation
from tinygrad_rnn.operations.traits import Traits, is_linear, traits_of, twin_of

DECLARED = sorted(
    name for name in operations.__all__ if hasattr(getattr(operations, name), "apply")
)


@pytest.fixture(autouse=True)
def _registry_as_it_was(monkeypatch):
    monkeypatch.setattr(Primitive, "registry", dict(Primitive.registry))


@pytest.mark.parametrize("name", DECLARED)
def test_an_operation_is_a_plain_function(name):
    function = getattr(operations, name)
    assert inspect.isfunction(function)
    assert pickle.loads(pickle.dumps(function)) is function
    assert function.__doc__
    assert function.apply == function.primitive.apply
    if hasattr(tg.Tensor, name):  # a method
        assert inspect.isfunction(getattr(tg.Tensor, name)) or name == "where"


@pytest.mark.parametrize("name", ["tanh", "sinh", "maximum", "sum", "reshape"])
def test_its_doctests_are_found(name):
    function = getattr(operations, name)
    module = inspect.getmodule(function)
    (found,) = [
        test
        for test in doctest.DocTestFinder().find(module, module.__name__)
        if test.name == f"{module.__name__}.{function.__name__}"
    ]
    assert found.examples


def test_what_only_hands_on_takes_its_operands_by_name_too():
    x, y = tg.tensor([1.0, -2.0]), tg.tensor([0.5, 3.0])
    assert tg.tanh(input=x).tolist() == x.tanh().tolist()
    assert tg.maximum(input=x, other=y).tolist() == [1.0, 3.0]
    with pytest.raises(
        TypeError, match=r"^tanh\(\) missing 1 required positional argument: 'input'"
    ):
        tg.tanh()
    with pytest.raises(TypeError, match=r"^maximum\(\) got an unexpected keyword argument 'to'"):
        tg.maximum(x, to=y)


def test_an_operation_of_ones_own():
    @elementwise(np.sinh, twin="sinh", analytic=False)
    def of_ones_own(input):
        """Hyperbolic sine."""

    of_ones_own.vjp("x", lambda g, x: g * np.cosh(x), formula="g ⊙ cosh x")
    assert of_ones_own.__doc__ == "Hyperbolic sine."
    assert of_ones_own.__module__ == __name__
    x = tg.tensor([0.5, -1.0], dtype=tg.float64, requires_grad=True)
    assert tg.autograd.gradcheck(of_ones_own, x)
    assert tg.autograd.gradgradcheck(of_ones_own, x)
    assert of_ones_own(tg.tensor([1, 2])).dtype == tg.float32
    assert traits_of(of_ones_own.primitive) == Traits(twin="sinh", analytic=False)


def test_a_trait_that_there_is_not_is_refused():
    with pytest.raises(TypeError, match="analytical"):

        @operation(np.sinh, analytical=True)
        def misspelt(input):
            """Never made."""

    assert "misspelt" not in Primitive.registry


def test_of_a_primitive_of_a_users_own_nothing_is_known():
    alone = Primitive("of_a_user", np.tanh, "x")
    assert traits_of(alone) == Traits(analytic=False)
    assert twin_of(alone) is None


def test_rules_call_an_operation_recorded_or_not():
    tanh = in_rules(tg.tanh)
    assert isinstance(tanh(np.ones(2)), np.ndarray)
    assert tanh(tg.ones(2, requires_grad=True)).grad_fn is not None


def test_nothing_hands_on_by_hand():
    """A function that only applies its primitive to its operands is stated by `elementwise`."""
    for name in DECLARED:
        function = getattr(operations, name)
        if hasattr(function, "__wrapped__"):
            continue
        (made,) = ast.parse(inspect.getsource(function)).body
        assert isinstance(made, ast.FunctionDef)
        operands = ", ".join(argument.arg for argument in made.args.args)
        body = [ast.unparse(line) for line in made.body[1:]]
        assert body != [f"return {name}.apply({operands})"] or name == "matmul", name


def _operands_of(node):
    """Each operand alone, and all together."""
    alone = [[i] for i in range(len(node.parents))]
    return alone if len(alone) == 1 else [*alone, list(range(len(node.parents)))]


@pytest.mark.parametrize("name", CASES)
def test_linear_is_what_keeps_nothing_of_its_operands(name):
    """A second difference along some operands vanishes where `is_linear` says so."""
    rng = np.random.default_rng(7)
    for case in CASES[name]:
        with bptt.keep_values():
            tensors = [tg.tensor(a, requires_grad=True) for a in case.arrays]
            made = sequence(case.fn(tg, *tensors))
        places = {p for y in made for p in tape([y.node]) if y.node is not None}
        for node in places:
            values = [p.value for p in node.parents]
            if node.is_leaf or node.primitive.name != name or any(v is None for v in values):
                continue
            for operands in _operands_of(node):
                if not is_linear(node.primitive, operands):
                    continue
                ways = {i: 1e-5 * rng.standard_normal(np.shape(values[i])) for i in operands}
                at = [
                    node.primitive.forward(
                        *[v + k * ways.get(i, 0) for i, v in enumerate(values)], **node.params
                    )
                    for k in (0, 1, 2)
                ]
                rounding = 1e-12 if at[0].dtype == np.float64 else 1e-6
                np.testing.assert_allclose(at[0] - 2 * at[1] + at[2], 0, atol=rounding)


def test_an_operation_of_a_users_own_may_have_any_name() -> None:
    """What this package knows of its own operations is not said of others that are called so."""
    power = Primitive.registry["pow"]
    try:
        own = Primitive("pow", np.square, "x")
        own.vjp("x", lambda g, x: 2 * g * x)
        assert repr(own.apply(tg.ones(1, requires_grad=True))) == (
            "tensor([1.], grad_fn=<PowBackward0>)"
        )
    finally:
        Primitive.registry["pow"] = power
