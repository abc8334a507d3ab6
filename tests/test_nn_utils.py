"""Clipping of gradients, and parameters as one vector, beside PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
from cases import assert_outcome, outcome
from operations import compare
from operations.harness import draw

import tinygrad_rnn as tg
from tinygrad_rnn.nn import utils

INF, NAN = float("inf"), float("nan")
SETS = {
    "usual": [[3.0, -4.0], [[1.0, 2.0]], 0.5],
    "small": [[1e-3, 2e-3]],
    "zero": [[0.0, 0.0]],
    "some missing": [[3.0, 4.0], None],
    "all missing": [None],
    "none": [],
    "nan": [[3.0, NAN], [1.0]],
    "infinite": [[3.0, INF], [1.0]],
    "empty": [[], [2.0]],
}


def parameters(lib, grads, dtype="float32"):
    """Parameters with these gradients."""
    made = []
    for grad in grads:
        array = np.asarray([1.0] if grad is None else grad, dtype)
        made.append(lib.nn.Parameter(lib.from_numpy(array.copy())))
        made[-1].grad = None if grad is None else lib.from_numpy(array)
    return made


def clipped(torch, grads, fn, dtype="float32", tolerance=1e-6):
    """What ``fn(lib, parameters)`` returns, and the gradients afterwards, are the same."""

    def run(lib):
        made = parameters(lib, grads, dtype)
        answer = fn(lib, made)
        return [answer, *[p.grad for p in made if p.grad is not None]]

    compare(run, [], torch, "clipping", tolerance)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("norm_type", [2.0, 1, INF, "inf", 0, 3.5, -1.0, -INF])
@pytest.mark.parametrize("max_norm", [0.1, 1.0, 100, 0, -1.0])
def test_clip_grad_norm(torch, name, norm_type, max_norm) -> None:
    clipped(
        torch, SETS[name],
        lambda lib, made: lib.nn.utils.clip_grad_norm_(made, max_norm, norm_type),
    )  # fmt: skip


@pytest.mark.parametrize(
    "fn",
    [
        lambda lib, made: lib.nn.utils.clip_grad_norm_(iter(made), 1.0),
        lambda lib, made: lib.nn.utils.clip_grad_norm_(made[0], 1.0),
        lambda lib, made: lib.nn.utils.clip_grad_norm_(made, max_norm=1.0, foreach=False),
        lambda lib, made: lib.nn.utils.clip_grad_norm_(made, lib.tensor(1.0)),
        lambda lib, made: lib.nn.utils.clip_grad_norm_(made, 1.0, error_if_nonfinite=True),
        lambda lib, made: lib.nn.utils.clip_grads_with_norm_(made, 1.0, lib.tensor(4.0)),
        lambda lib, made: lib.nn.utils.clip_grads_with_norm_(iter(made), 1.0, lib.tensor(0.5)),
        lambda lib, made: lib.nn.utils.clip_grad_value_(made, 1.0),
        lambda lib, made: lib.nn.utils.clip_grad_value_(iter(made), 2, foreach=False),
        lambda lib, made: lib.nn.utils.clip_grad_value_(made[1], 1.5),
        lambda lib, made: lib.nn.utils.get_total_norm([p.grad for p in made]),
        lambda lib, made: lib.nn.utils.get_total_norm((p.grad for p in made), 1.0),
        lambda lib, made: lib.nn.utils.get_total_norm(made[0].grad),
        lambda lib, made: lib.nn.utils.get_total_norm([]),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_clipping(torch, fn, dtype) -> None:
    clipped(torch, SETS["usual"], fn, dtype)


@pytest.mark.parametrize("value", [1.0, 0, -2.0, INF])
@pytest.mark.parametrize("name", ["usual", "some missing", "nan", "infinite"])
def test_clip_grad_value(torch, value, name) -> None:
    clipped(torch, SETS[name], lambda lib, made: lib.nn.utils.clip_grad_value_(made, value))


@pytest.mark.parametrize(
    "fn",
    [
        lambda lib, made: lib.nn.utils.clip_grad_norm_(made, 1.0, error_if_nonfinite=True),
        lambda lib, made: lib.nn.utils.clip_grad_norm_(made, 1.0, INF, True),
        lambda lib, made: lib.nn.utils.get_total_norm([p.grad for p in made], 2.0, True),
        lambda lib, made: lib.nn.utils.clip_grad_norm_(made, 1.0, "fro"),
        lambda lib, made: lib.nn.utils.clip_grad_norm_(3, 1.0),
        lambda lib, made: lib.nn.utils.clip_grad_norm_([3], 1.0),
        lambda lib, made: lib.nn.utils.clip_grad_value_(made, "a"),
    ],
)
@pytest.mark.parametrize("name", ["nan", "infinite"])
def test_refused(torch, fn, name) -> None:
    answers = []
    for lib in (tg, torch):
        made = parameters(lib, SETS[name])
        answers.append(outcome(lambda lib=lib, made=made: fn(lib, made)))
        assert made[1].grad.tolist() == [1.0]
    assert isinstance(answers[1], Exception)
    assert_outcome(*answers)


def test_the_gradient_stays_the_same_object() -> None:
    (p,) = parameters(tg, [[3.0, 4.0]])
    grad = p.grad
    utils.clip_grad_norm_(p, 1.0)
    assert p.grad is grad
    assert p._version == 0


def test_recorded_gradients_are_clipped_too() -> None:
    p = tg.nn.Parameter([3.0])
    (p * p).sum().backward(create_graph=True)
    assert utils.clip_grad_norm_(p, 1.0).item() == 6
    np.testing.assert_allclose(p.grad.detach().numpy(), [1.0], rtol=1e-6)


# -- vectors -------------------------------------------------------------------------------------


def test_parameters_as_a_vector(torch) -> None:
    def fn(lib, a, b, c):
        return lib.nn.utils.parameters_to_vector([a, b, c])

    compare(fn, [draw(2, 3), draw(4), draw()], torch, "vector", None)
    compare(lambda lib, a: fn(lib, a[1:], a[0], a[1, 0]), [draw(3, 2)], torch, "views", None)


def test_a_vector_as_parameters(torch) -> None:
    def fn(lib, v):
        made = parameters(lib, [[1.0, 2.0], [[3.0], [4.0]], 5.0])
        kept = [p.grad for p in made]
        vector = v.detach().clone()
        lib.nn.utils.vector_to_parameters(vector, made)
        vector[0] = 9.0
        flags = [p.grad is g for p, g in zip(made, kept)]
        return [p.detach() for p in made], flags, type(made[0]).__name__

    for size in (5, 7):
        compare(fn, [draw(size)], torch, "parameters", None)


def test_there_and_back() -> None:
    net = tg.nn.Sequential(tg.nn.Linear(2, 3), tg.nn.Linear(3, 1))
    v = utils.parameters_to_vector(net.parameters()).detach()
    utils.vector_to_parameters(v * 2, net.parameters())
    np.testing.assert_array_equal(
        utils.parameters_to_vector(net.parameters()).detach().numpy(), 2 * v.numpy()
    )
    net(tg.ones(2)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())


@pytest.mark.parametrize(
    "fn",
    [
        lambda lib, made: lib.nn.utils.parameters_to_vector([]),
        lambda lib, made: lib.nn.utils.vector_to_parameters(lib.ones(1), made),
        lambda lib, made: lib.nn.utils.vector_to_parameters([1.0, 2.0], made),
    ],
)
def test_vectors_refused(torch, fn) -> None:
    answers = [
        outcome(lambda lib=lib: fn(lib, parameters(lib, [[1.0, 2.0]]))) for lib in (tg, torch)
    ]
    assert isinstance(answers[1], Exception)
    assert_outcome(*answers)
