"""A recorded graph computed again is the graph of the program run anew, value by value."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_random_programs import SHAPES, STEPS

import tinygrad_rnn as tg
from tinygrad_rnn import bptt
from tinygrad_rnn.bptt.rerun import Rerun
from tinygrad_rnn.nn.utils.rnn import pack_padded_sequence

Build = Callable[[list[tg.Tensor]], tg.Tensor]

# What decides by numbers that no graph records: which places, which elements, what is cut off.
DECIDING = {
    "where", "masked_fill", "max", "median", "sort", "topk", "mask", "gather", "detach",
    "detached from a buffer", "view, then buffer",
}  # fmt: skip
KNOWN = sorted(STEPS.keys() - DECIDING)


def leaves_of(arrays: list[Any]) -> list[tg.Tensor]:
    return [
        tg.tensor(a, dtype=tg.float64, requires_grad=True).named(f"leaf{i}")
        for i, a in enumerate(arrays)
    ]


def assert_like_anew(build: Build, arrays: list[Any], changed: dict[int, Any]) -> None:
    """Values, gradients, and what went from node to node."""
    leaves = leaves_of(arrays)
    with bptt.keep_values():  # of large constants, too
        walk = bptt.record(build(leaves))
        anew = bptt.record(build(leaves_of([changed.get(i, a) for i, a in enumerate(arrays)])))
    again = bptt.again(walk, {leaves[i]: value for i, value in changed.items()})
    assert len(again.places) == len(anew.places) == len(walk.places)
    for place, expected in zip(again.places, anew.places, strict=True):
        assert place.primitive is expected.primitive
        assert place.tag.step == expected.tag.step
        assert_near(again.value(place), anew.value(expected))
        assert_near(again.gradient(place), anew.gradient(expected))
    for visit, expected in zip(again.visits, anew.visits, strict=True):
        for sent, wanted in zip(visit.contributions, expected.contributions, strict=True):
            assert_near(sent, wanted)


def assert_near(found: Any, expected: Any) -> None:
    if expected is None:
        assert found is None
        return
    assert found.dtype == expected.dtype
    largest = np.max(np.abs(expected), initial=1) if np.isfinite(expected).all() else 1
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-11 * largest)


programs = st.lists(
    st.tuples(st.sampled_from(KNOWN), st.integers(0, 30), st.integers(0, 30), st.integers(1, 3)),
    min_size=3,
    max_size=20,
)


def run(program: list[Any], leaves: list[tg.Tensor]) -> tg.Tensor:
    """A program of `test_random_programs`; what is refused, or grows large, it leaves out."""
    pool = list(leaves)
    for name, i, j, k in program:
        try:
            made = STEPS[name](tg, pool[-1 - i % len(pool)], pool[-1 - j % len(pool)], k)
        except (RuntimeError, IndexError, ValueError, TypeError):
            continue
        if made.numel() <= 100:
            pool.append(tg.tanh(made))
    total = pool[0].sum()
    for n, t in enumerate(pool[1:]):
        total = total + (t * (1 + 0.1 * n)).sum()
    return total


@settings(max_examples=60)
@given(programs, st.integers(0, 1000), st.sets(st.integers(0, len(SHAPES) - 1), min_size=1))
def test_random_programs(program, seed, which) -> None:
    rng = np.random.default_rng(seed)
    arrays = [rng.uniform(-1, 1, shape) for shape in SHAPES]
    changed = {i: rng.uniform(-1, 1, SHAPES[i]) for i in which}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the spread of no elements
        assert_like_anew(lambda leaves: run(program, leaves), arrays, changed)


def layered(kind: str, packed: bool, **options: Any) -> tuple[Build, list[Any]]:
    """A loss of a layer whose weights, input and initial state are leaves."""
    layer = getattr(tg.nn, kind)(2, 3, dtype=tg.float64, **options)
    names = [name for name, _ in layer.named_parameters()]
    arrays = [p.detach().numpy().copy() for p in layer.parameters()]
    first = np.random.default_rng(1).normal(size=(options.get("num_layers", 1), 2, 3))
    arrays += [np.random.default_rng(2).normal(size=(4, 2, 2)), first]

    def build(leaves: list[tg.Tensor]) -> tg.Tensor:
        *weights, x, h = leaves
        sequence = pack_padded_sequence(x, [4, 2]) if packed else x
        tg.manual_seed(3)
        state = (h, h * 0.5) if kind == "LSTM" else h
        for name, weight in zip(names, weights, strict=True):
            delattr(layer, name)
            setattr(layer, name, weight)  # a plain tensor, which the layer reads as an attribute
        output, _ = layer(sequence, state)
        output = output.data if packed else output
        return (output * output).sum()

    return build, arrays


@pytest.mark.parametrize("packed", [False, True], ids=["padded", "packed"])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("RNN", {}),
        ("RNN", {"nonlinearity": "relu"}),
        ("LSTM", {}),
        ("GRU", {"num_layers": 2, "dropout": 0.5}),
    ],
)
def test_recurrent_layers(kind, options, packed) -> None:
    build, arrays = layered(kind, packed, **options)
    for which in ([0], [1, len(arrays) - 1], [len(arrays) - 2]):
        changed = {i: arrays[i] * 0.7 + 0.05 for i in which}
        assert_like_anew(build, arrays, changed)


def test_loops_that_the_program_wrote_keep_their_steps() -> None:
    def build(leaves: list[tg.Tensor]) -> tg.Tensor:
        w, h = leaves
        for _ in range(4):
            h = tg.tanh(w * h + 0.5)
        return (h * h).sum()

    assert_like_anew(build, [np.array(0.3), np.array([0.1, -0.4])], {0: np.array(-1.2)})


def test_a_second_backward() -> None:
    def build(leaves: list[tg.Tensor]) -> tg.Tensor:
        w, h = leaves
        for t in range(1, 4):
            with tg.step(t):
                h = tg.tanh(h * w + 0.5)
        (gradient,) = tg.autograd.grad(h.sum(), w, create_graph=True)
        return (gradient * gradient).sum()

    assert_like_anew(build, [np.array([0.5, -0.3]), np.array([0.1, 0.2])], {0: np.array([0.2, 1])})


def test_numbers_of_the_program_leave_types_as_they_are() -> None:
    x = tg.tensor([0.5, 1.0], requires_grad=True)
    y = ((2 * x + 1) ** 2 / 3).sum()
    again = bptt.again(bptt.record(y), {x: [1.0, 0.0]})
    assert again.value(again.root).dtype == np.float32
    np.testing.assert_allclose(again.value(again.root), (9 + 1) / 3, rtol=1e-6)


# -- what stays ----------------------------------------------------------------------------------


def test_masks_of_dropout_stay() -> None:
    x = tg.ones(40, requires_grad=True)
    dropped = tg.nn.functional.dropout(x, 0.5)
    kept = dropped.detach().numpy() != 0
    again = bptt.again(bptt.record(dropped.sum()), {x: np.full(40, 3.0)})
    assert 0 < kept.sum() < 40
    assert again.value(again.root) == pytest.approx(6 * kept.sum())


def test_chosen_places_and_what_was_detached_stay() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    for loss, expected in ((x.max(0).values, -5.0), ((x.detach() * x).sum(), 3 - 10)):
        again = bptt.again(bptt.record(loss), {x: [3.0, -5.0]})
        assert again.value(again.root) == expected


def test_nothing_of_the_program_changes() -> None:
    w = tg.tensor(0.5, requires_grad=True)
    h = w * w
    h.retain_grad()
    seen = []
    w.register_post_accumulate_grad_hook(lambda _: seen.append("after"))
    h.register_hook(lambda g: g * 10)
    walk = bptt.record(h * 2)
    before = walk.gradient(w)
    again = bptt.again(walk, {w: 1.0})
    assert again.gradient(again.places[0]) == 40  # the hook is a part of the walk
    assert (w.item(), w.grad.item(), h.grad.item(), seen) == (0.5, 20, 20, ["after"])
    assert walk.gradient(w) == before
    assert walk.value(walk.root) == 0.5


def test_an_optimizer_may_have_gone_on() -> None:
    w, x = (tg.tensor(v, requires_grad=True) for v in (0.5, 3.0))
    walk = bptt.record(w * x)
    tg.optim.SGD([w, x], lr=1.0).step()
    again = bptt.again(walk, {x: 4.0})
    assert again.value(again.root) == 2
    assert [float(again.gradient(place)) for place in again.places[:2]] == [4, 0.5]


def test_again_of_again() -> None:
    w = tg.tensor(2.0, requires_grad=True).named("w")
    x = tg.tensor(3.0, requires_grad=True).named("x")
    first = bptt.again(bptt.record(w * x), {"w": 5.0})
    second = bptt.again(first, {"x": 7.0})
    assert second.value(second.root) == 35


# -- what cannot be changed -----------------------------------------------------------------------


class Double(tg.autograd.Function):
    """A function of a user's, whose forward no graph has."""

    @staticmethod
    def forward(ctx: Any, x: tg.Tensor) -> tg.Tensor:
        return x * 2

    @staticmethod
    def backward(ctx: Any, g: tg.Tensor) -> tg.Tensor:
        return g * 2


def test_what_a_function_depends_on_cannot_be_changed_but_all_else_can() -> None:
    a, b = (tg.tensor(v, requires_grad=True).named(n) for v, n in ((1.0, "a"), (2.0, "b")))
    walk = bptt.record(Double.apply(a) * b)
    assert list(Rerun(walk).names.values()) == ["a", "b"]
    again = bptt.again(walk, {"b": 5.0})
    assert again.value(again.root) == 10
    assert again.gradient(again.places[0]) == 10
    with pytest.raises(ValueError, match="a cannot be changed: something that depends on it"):
        bptt.again(walk, {"a": 5.0})


def test_a_large_constant_that_was_not_kept() -> None:
    w = tg.tensor(1.0, requires_grad=True).named("w")

    def loss() -> tg.Tensor:
        return (w + tg.ones(300)).sum()

    with pytest.raises(ValueError, match="only the shape was kept"):
        bptt.again(bptt.record(loss()), {"w": 2.0})
    with tg.bptt.keep_values():
        again = bptt.again(bptt.record(loss()), {"w": 2.0})
    assert again.value(again.root) == 900


def test_what_was_changed_in_place_since() -> None:
    w = tg.tensor([1.0, 2.0], requires_grad=True).named("w")
    h = w * 2
    walk = bptt.record((h * h).sum())
    with tg.no_grad():
        h.zero_()
    with pytest.raises(RuntimeError, match=r"in.?place"):
        bptt.again(walk, {"w": [3.0, 4.0]})


def test_bad_requests_say_what_there_is() -> None:
    w = tg.tensor([1.0, 2.0], requires_grad=True).named("w")
    i = tg.tensor([1, 0]).named("i")
    walk = bptt.record((w[i] * w).sum())
    with pytest.raises(KeyError, match="no leaf called 'v'; there are: w"):
        bptt.again(walk, {"v": 1.0})
    with pytest.raises(KeyError, match="no leaf of the recorded graph"):
        bptt.again(walk, {tg.ones(2): 1.0})
    with pytest.raises(ValueError, match=r"w has shape \(2,\), but its new value has \(\)"):
        bptt.again(walk, {w: 1.0})
    with pytest.raises(ValueError, match="not a leaf"):
        bptt.again(walk, {walk.root: 1.0})
    with pytest.raises(TypeError, match="expected a Record"):
        bptt.again(w, {})
