"""Time steps: given, found by the beat of the graph, or by the program's own lines.

What a loop means must not depend on who counted its steps: every program here is compared with
itself, told its steps by `step`, and every laboratory function must say the same.
"""

from __future__ import annotations

import contextlib
import functools
import os
import random
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
import random_loops
from random_writers import Writer

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, nn
from tinygrad_rnn.autograd.tracing import is_of_package
from tinygrad_rnn.engine.graph import Node, tape
from tinygrad_rnn.reading.time import in_time

WAYS = ("structure", "lines")


def looked_at(way: str) -> Any:
    """What a program runs in, so that its steps are found in this way."""
    return bptt.traced() if way == "lines" else contextlib.nullcontext()


def steps_of(loss: tg.Tensor) -> dict[int | None, list[str]]:
    """The names of the operations by the step that they are found to be of."""
    found: dict[int | None, list[str]] = {}
    assert isinstance(loss.node, Node)
    for place in tape([in_time(loss.node).root]):
        if not place.is_leaf:
            found.setdefault(place.tag.step, []).append(place.primitive.name)
    return found


# -- loops as people write them --------------------------------------------------------------------

PROGRAMS: dict[str, tuple[Callable[[], tg.Tensor], int]] = {}


def program(steps: int) -> Callable[[Callable[[], tg.Tensor]], Callable[[], tg.Tensor]]:
    """A program, which has so many time steps."""

    def known(function: Callable[[], tg.Tensor]) -> Callable[[], tg.Tensor]:
        PROGRAMS[function.__name__] = function, steps
        return function

    return known


@program(4)
def cell() -> tg.Tensor:
    rnn, h = nn.RNNCell(2, 3), tg.zeros(1, 3)
    for x in tg.randn(4, 1, 2):
        h = rnn(x, h)
    return h.sum()


@program(4)
def linear_and_cat() -> tg.Tensor:
    """The RNN of many tutorials, whose output of the last step alone is read."""
    i2h, i2o, h = nn.Linear(5, 3), nn.Linear(5, 2), tg.zeros(1, 3)
    for x in tg.randn(4, 1, 2):
        combined = tg.cat((x, h), 1)
        h, output = i2h(combined), i2o(combined)
    return nn.functional.nll_loss(tg.log_softmax(output, 1), tg.tensor([1]))


@program(4)
def bare_tensors() -> tg.Tensor:
    w, u = (tg.randn(n, 3, requires_grad=True) for n in (3, 2))
    h: Any = tg.zeros(1, 3)
    loss: Any = 0
    for x in tg.randn(4, 1, 2):
        h = tg.tanh(x @ u + h @ w)
        loss = loss + (h**2).sum()
    return loss / 4


@program(4)
def first_step_without_state() -> tg.Tensor:
    w, u = (tg.randn(n, 3, requires_grad=True) for n in (3, 2))
    h: Any = None
    for x in tg.randn(4, 1, 2):
        h = tg.tanh(x @ u if h is None else x @ u + h @ w)
    return h.sum()


@program(6)
def encoder_then_decoder() -> tg.Tensor:
    """The decoder's first step follows the encoder's last."""
    encoder, decoder, out = nn.GRUCell(2, 3), nn.GRUCell(2, 3), nn.Linear(3, 2)
    h, y, loss = tg.zeros(1, 3), tg.zeros(1, 2), tg.zeros(())
    for x in tg.randn(3, 1, 2):
        h = encoder(x, h)
    for _ in range(3):
        h = decoder(y, h)
        y = out(h)
        loss = loss + (y**2).sum()
    return loss


@program(5)
def encoder_then_decoder_layers() -> tg.Tensor:
    encoder, decoder = nn.GRU(2, 3), nn.GRU(2, 3)
    _, h = encoder(tg.randn(3, 1, 2))
    return decoder(tg.randn(2, 1, 2), h)[0].sum()


@program(5)
def one_cell_in_two_loops() -> tg.Tensor:
    rnn, h = nn.RNNCell(2, 3), tg.zeros(1, 3)
    for x in tg.randn(3, 1, 2):
        h = rnn(x, h)
    for x in tg.randn(2, 1, 2):
        h = rnn(x, h)
    return h.sum()


@program(4)
def attention() -> tg.Tensor:
    rnn, query = nn.GRUCell(3, 3), nn.Linear(3, 3)
    memory, h, loss = tg.randn(5, 3), tg.zeros(1, 3), tg.zeros(())
    for _ in range(4):
        weights = tg.softmax(query(h) @ memory.t(), 1)
        h = rnn(weights @ memory, h)
        loss = loss + h.sum()
    return loss


@program(6)
def teacher_by_chance() -> tg.Tensor:
    toss = random.Random(1)
    rnn, out = nn.GRUCell(2, 3), nn.Linear(3, 2)
    h, y, loss = tg.zeros(1, 3), tg.zeros(1, 2), tg.zeros(())
    for _ in range(6):
        h = rnn(tg.randn(1, 2) if toss.random() < 0.5 else y, h)
        y = out(h)
        loss = loss + (y**2).mean()
    return loss / 6


@program(4)
def embedded() -> tg.Tensor:
    embedding, rnn, out = nn.Embedding(5, 2), nn.LSTMCell(2, 3), nn.Linear(3, 5)
    state, loss = None, tg.zeros(())
    for word in (1, 2, 3, 4):
        state = rnn(embedding(tg.tensor([word])), state)
        loss = loss + nn.functional.cross_entropy(out(state[0]), tg.tensor([word]))
    return loss


@program(4)
def two_directions() -> tg.Tensor:
    one, other, x = nn.RNNCell(2, 3), nn.RNNCell(2, 3), tg.randn(4, 1, 2)
    h, forward, backward = tg.zeros(1, 3), [], []
    for t in range(4):
        h = one(x[t], h)
        forward.append(h)
    h = tg.zeros(1, 3)
    for t in reversed(range(4)):
        h = other(x[t], h)
        backward.append(h)
    return tg.stack([tg.cat(pair, 1) for pair in zip(forward, backward[::-1])]).sum()


@program(4)
def layers_inside_time() -> tg.Tensor:
    cells, hs = [nn.RNNCell(2, 3), nn.RNNCell(3, 3)], [tg.zeros(1, 3)] * 2
    for x in tg.randn(4, 1, 2):
        for i, rnn in enumerate(cells):
            hs[i] = x = rnn(x, hs[i])
    return x.sum()


@program(4)
def time_inside_layers() -> tg.Tensor:
    xs = list(tg.randn(4, 1, 2))
    for rnn in (nn.RNNCell(2, 3), nn.RNNCell(3, 3)):
        h, hs = tg.zeros(1, 3), []
        for x in xs:
            h = rnn(x, h)
            hs.append(h)
        xs = hs
    return xs[-1].sum()


@program(4)
def several_sequences() -> tg.Tensor:
    """Time inside an outer loop whose passes have nothing to do with one another."""
    rnn, total = nn.RNNCell(2, 3), tg.zeros(())
    for _ in range(3):
        h = tg.zeros(1, 3)
        for x in tg.randn(4, 1, 2):
            h = rnn(x, h)
        total = total + h.sum()
    return total


@program(3)
def words_of_characters() -> tg.Tensor:
    """A loop that begins anew at each pass of another is part of its step."""
    word, character, h = nn.RNNCell(3, 3), nn.RNNCell(2, 3), tg.zeros(1, 3)
    for _ in range(3):
        k = tg.zeros(1, 3)
        for x in tg.randn(4, 1, 2):
            k = character(x, k)
        h = word(k, h)
    return h.sum()


@program(4)
def layer_step_by_step() -> tg.Tensor:
    lstm, out = nn.LSTM(2, 3, num_layers=2), nn.Linear(3, 1)
    state, loss = None, tg.zeros(())
    for x in tg.randn(4, 1, 1, 2):
        y, state = lstm(x, state)
        loss = loss + out(y[-1]).sum()
    return loss


@program(6)
def layer_on_pieces() -> tg.Tensor:
    gru, state, loss = nn.GRU(2, 3), None, tg.zeros(())
    for x in tg.randn(3, 2, 1, 2):
        y, state = gru(x, state)
        loss = loss + y.sum()
    return loss


@program(4)
def detached_by_hand() -> tg.Tensor:
    """Who cuts the gradient goes on counting."""
    rnn, h, loss = nn.RNNCell(2, 3), tg.zeros(1, 3), tg.zeros(())
    for t, x in enumerate(tg.randn(4, 1, 2)):
        h = rnn(x, h.detach() if t == 2 else h)
        loss = loss + h.sum()
    return loss


@program(5)
def buffer() -> tg.Tensor:
    w, out = tg.randn(3, 3, requires_grad=True), tg.zeros(6, 3)
    for t in range(1, 6):
        out[t] = tg.tanh(out[t - 1].clone() @ w + 1)
    return out.sum()


@program(4)
def in_a_function() -> tg.Tensor:
    rnn = nn.GRUCell(2, 3)

    def run(xs: tg.Tensor, h: tg.Tensor) -> Iterator[tg.Tensor]:
        for x in xs:
            yield (h := rnn(x, h))

    return tg.stack(list(run(tg.randn(4, 1, 2), tg.zeros(1, 3)))).sum()


@program(4)
def in_a_comprehension() -> tg.Tensor:
    rnn, h = nn.GRUCell(2, 3), [tg.zeros(1, 3)]
    [h.append(rnn(x, h[-1])) for x in tg.randn(4, 1, 2)]
    return tg.stack(h).sum()


@program(4)
def no_weights_but_one_input() -> tg.Tensor:
    x, h = tg.randn(4, 3, requires_grad=True), tg.zeros(3)
    for t in range(4):
        h = tg.tanh(h + x[t])
    return h.sum()


@program(4)
def weights_computed_at_each_step() -> tg.Tensor:
    g, v, h = tg.randn(3, 1, requires_grad=True), tg.randn(3, 3, requires_grad=True), tg.ones(1, 3)
    for t in range(4):
        h = tg.tanh(h @ (g * v / v.norm()) + t)
    return h.sum()


@program(3)
def frozen_weights() -> tg.Tensor:
    rnn, h = nn.RNNCell(2, 3).requires_grad_(False), tg.zeros(1, 3, requires_grad=True) * 1
    for x in tg.randn(3, 1, 2):
        h = rnn(x, h)
    return h.sum()


@program(0)
def tied_encoder_and_decoder() -> tg.Tensor:
    w, x = tg.randn(3, 5, requires_grad=True), tg.randn(2, 3)
    return ((tg.tanh(x @ w) @ w.t() - x) ** 2).mean()


@program(0)
def one_layer_twice() -> tg.Tensor:
    layer = nn.Linear(4, 4)
    return layer(tg.relu(layer(tg.randn(2, 4)))).sum()


@program(0)
def stack_of_layers() -> tg.Tensor:
    x, shared = tg.randn(2, 4), nn.PReLU()
    for layer in [nn.Linear(4, 4) for _ in range(4)]:
        x = shared(layer(x))
    return x.sum()


@program(0)
def sum_over_a_list() -> tg.Tensor:
    w, total = tg.randn(3, requires_grad=True), tg.zeros(())
    for x in tg.randn(5, 3):
        total = total + (w * x).sum()
    return total


@pytest.mark.parametrize(("name", "way"), [*product(PROGRAMS, WAYS)])
def test_steps_are_found(name: str, way: str) -> None:
    function, expected = PROGRAMS[name]
    with looked_at(way):
        loss = function()
    steps = [step for step in steps_of(loss) if step is not None]
    assert sorted(steps) == [*range(1, expected + 1)]


def test_each_step_does_the_same() -> None:
    found = steps_of(bare_tensors())
    assert [found[t] for t in (1, 2, 3, 4)] == 4 * [
        ["matmul", "matmul", "add", "tanh", "pow", "sum", "add"]
    ]
    assert found[None] == ["div"]


@pytest.mark.parametrize("start", [0, 0.0, tg.tensor(0.0)], ids=["0", "0.0", "a tensor"])
@pytest.mark.parametrize("write", [
    lambda h, w, x: w * h + x, lambda h, w, x: h * w + x, lambda h, w, x: x + h * w,
    lambda h, w, x: x + w * h,
], ids=["w·h + x", "h·w + x", "x + h·w", "x + w·h"])  # fmt: skip
def test_a_scalar_recurrence_from_a_number(write: Callable[..., Any], start: Any) -> None:
    """Python hands ``0 * w`` over as ``w * 0``: the first step does the same all the same."""
    w, x, h = tg.tensor(0.5, requires_grad=True), tg.tensor(0.3), start
    for _ in range(4):
        h = tg.tanh(write(h, w, x))
    assert steps_of(h) == {t: ["mul", "add", "tanh"] for t in (1, 2, 3, 4)}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("steps", [2, 3, 5])
@pytest.mark.parametrize("kind", ["by hand", "RNNCell", "LSTMCell", "Linear"])
def test_a_recorded_walk_back_has_the_steps_of_what_it_differentiates(
    kind: str, steps: int, way: str
) -> None:
    """The steps of its operations are those that the program itself would have told."""

    def penalty(told: bool) -> list[tuple[str, int | None, int]]:
        tg.manual_seed(0)
        layer = {
            "by hand": None, "RNNCell": nn.RNNCell(2, 3), "LSTMCell": nn.LSTMCell(2, 3),
            "Linear": nn.Linear(5, 3),
        }[kind]  # fmt: skip
        A, B = (tg.randn(n, 3, requires_grad=True) for n in (3, 2))
        h = c = tg.zeros(1, 3)
        for t, x in enumerate(tg.randn(steps, 1, 2), 1):
            with tg.step(t) if told else contextlib.nullcontext():
                if layer is None:
                    h = tg.tanh(h @ A + x @ B)
                elif kind == "LSTMCell":
                    h, c = layer(x, (h, c))
                else:
                    h = layer(x, h) if kind == "RNNCell" else layer(tg.cat((x, h), 1)).tanh()
        weights = [A] if layer is None else [*layer.parameters()]
        slopes = tg.autograd.grad(h.square().sum(), weights, create_graph=True)
        root = sum(slope.square().sum() for slope in slopes).node
        places = [place for place in tape([in_time(root).root]) if not place.is_leaf]
        return [(p.primitive.name, p.tag.step, p.tag.backward) for p in places]

    with looked_at(way):
        found, wanted = penalty(told=False), penalty(told=True)
    assert found == wanted
    assert {step for _, step, back in found if back} - {None} == {*range(1, steps + 1)}


def test_the_reverse_direction_counts_down() -> None:
    walk = bptt.record(two_directions())
    met = [p for p in walk.places if not p.is_leaf and p.primitive.name == "cat"]
    assert [[h.tag.step for h in node.parents] for node in met] == [[t, t] for t in (1, 2, 3, 4)]


def test_lines_tell_what_the_graph_leaves_open() -> None:
    """Two states that come of each other: is it one pass, or two?"""
    w, u = (tg.randn(3, 3, requires_grad=True) for _ in range(2))

    def swap() -> tg.Tensor:
        a, b = tg.ones(3), tg.zeros(3)
        for _ in range(4):
            a, b = tg.tanh(b @ w), tg.sigmoid(a @ u)
        return (a * b).sum()

    with bptt.traced():
        walk = bptt.record(swap())
    assert walk.steps_from == "lines"
    assert list(bptt.contributions(walk, w)) == [1, 2, 3, 4]


def test_built_in_loops_have_no_lines() -> None:
    rnn = nn.RNNCell(2, 3)
    with bptt.traced():
        h = functools.reduce(lambda h, x: rnn(x, h), tg.randn(4, 1, 2), tg.zeros(1, 3))
    assert bptt.record(h.sum()).steps_from == "structure"
    assert sorted(filter(None, steps_of(h.sum()))) == [1, 2, 3, 4]


def test_a_program_may_be_left_without_steps() -> None:
    expected = {"found": "structure", "given": "none", "none": "none"}
    for steps, origin in expected.items():
        walk = bptt.record(cell(), steps=steps)
        assert walk.steps_from == origin
        assert {visit.step for visit in walk.visits} <= (
            {1, 2, 3, 4, None} if origin != "none" else {None}
        )
    with pytest.raises(ValueError, match="steps must be one of found, given, none, not 'auto'"):
        bptt.record(cell(), steps="auto")


def test_what_the_program_says_stands() -> None:
    rnn, h = nn.RNNCell(2, 3), tg.zeros(1, 3)
    for t, x in enumerate(tg.randn(3, 1, 2)):
        with tg.step(10 * t + 10):
            h = rnn(x, h)
    walk = bptt.record(h.sum())
    assert walk.steps_from == "given"
    assert list(bptt.contributions(walk, rnn.weight_hh)) == [10, 20, 30]


def test_reading_changes_nothing() -> None:
    loss = cell()
    before = [(p, p.tag, p.parents, p.notes) for p in tape([loss.node])]
    bptt.record(loss)
    after = [(p, p.tag, p.parents, p.notes) for p in tape([loss.node])]
    assert before == after


def test_a_tensor_is_found_in_the_record_of_its_walk() -> None:
    rnn, h, hs = nn.RNNCell(2, 3), tg.zeros(1, 3), []
    for x in tg.randn(4, 1, 2):
        h = rnn(x, h)
        h.retain_grad()
        hs.append(h)
    walk = bptt.record(tg.stack(hs).sum())
    for h in hs:
        np.testing.assert_allclose(walk.gradient(h), h.grad.numpy())
        np.testing.assert_allclose(walk.value(h), h.detach().numpy())


# -- random loops ----------------------------------------------------------------------------------

LEFT_OPEN = {"conditional", "two that swap"}  # by the graph alone
APART = {"loss outside", "stream", "between steps"}  # whose steps are by intent not whole passes


def shares(name: str, seed: int, way: str) -> dict[str, dict[int | None, Any]]:
    """What each pass contributes to each weight, passes being numbered as they were walked."""
    with looked_at(way):
        loss, loop = random_loops.program(name, seed, tg, steps=way == "given")
    walk = bptt.record(loss)
    order: dict[int | None, int] = {}
    for place in walk.places:
        before_all = name == "learned start" and not place.tag.step
        if not (place.is_leaf or place.tag.step is None or before_all):
            order.setdefault(place.tag.step, len(order) + 1)
    places = set(walk.places)
    return {
        weight: {order.get(t): g for t, g in bptt.contributions(walk, tensor).items()}
        for weight, tensor in loop.weights.items()
        if tensor.node in places
    }


def compare(name: str, seed: int, way: str) -> None:
    given, found = shares(name, seed, "given"), shares(name, seed, way)
    assert given.keys() == found.keys()
    for weight, expected in given.items():
        assert expected.keys() == found[weight].keys(), weight
        for t, g in expected.items():
            np.testing.assert_allclose(found[weight][t], g, atol=1e-12)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", sorted({*random_loops.KINDS} - APART - LEFT_OPEN))
def test_random_loops(name: str, way: str) -> None:
    for seed in range(2):
        compare(name, seed, way)


def test_random_loops_by_their_lines() -> None:
    for seed in range(3):
        compare("two that swap", seed, "lines")


@pytest.mark.parametrize("way", WAYS)
def test_programs_of_many_habits(way: str) -> None:
    """What stands in a pass is of that step, and nothing else is of a step that no pass has."""
    for seed in range(150):
        told, found = written(seed, told=True), written(seed, told=False, way=way)
        assert [name for name, _ in told] == [name for name, _ in found], seed
        for (name, step), (_, at) in zip(told, found):
            assert step in (None, at), (seed, name)
        assert {at for _, at in found} <= {step for _, step in told} | {None}, seed


def written(seed: int, *, told: bool, way: str = "structure") -> list[tuple[str, int | None]]:
    """The operations of a random program, and their steps."""
    with looked_at(way):
        loss = Writer(seed, told=told).write()
    places = tape([in_time(loss.node).root])
    return [(place.primitive.name, place.tag.step) for place in places if not place.is_leaf]


# -- one net in several ways -----------------------------------------------------------------------


def net(kind: str, way: str, seed: int, told: bool = False) -> tuple[tg.Tensor, nn.Module]:
    """The loss of a net that is a layer, calls of one, or a loop over cells; and its weights."""
    rng = np.random.default_rng(seed)
    length, batch, sizes = 2 * rng.integers(2, 4), int(rng.integers(1, 3)), (2, 3)
    tg.manual_seed(seed)
    layer = getattr(nn, kind)(*sizes, bias=bool(rng.integers(2)), dtype=tg.float64)
    small = getattr(nn, f"{kind}Cell")(*sizes, bias=layer.bias, dtype=tg.float64)
    small.load_state_dict({k.removesuffix("_l0"): v for k, v in layer.state_dict().items()})
    x = tg.randn(length, batch, 2, dtype=tg.float64)
    hs: list[tg.Tensor] = []
    state = None
    size = {"whole": length, "pieces": 2, "calls": 1, "cells": 1}[way]
    for t in range(0, length, size):
        with tg.step(t + 1) if told else contextlib.nullcontext():
            if way == "cells":
                state = small(x[t], state)
                hs.append(state[0] if kind == "LSTM" else state)
            else:
                ys, state = layer(x[t : t + size], state)
                hs += list(ys)
    return (hs[-1] ** 2).sum() + 0.3 * tg.stack(hs).sum(), small if way == "cells" else layer


def findings(loss: tg.Tensor, net: nn.Module) -> dict[str, Any]:
    """What every function of the laboratory says."""
    walk = bptt.record(loss)
    found: dict[str, Any] = {}
    jacobians = bptt.jacobians(walk)
    for t in jacobians:
        found[f"J {t}"] = jacobians[t]
    found["between"] = jacobians.between(1, max(jacobians))
    found["bound"] = jacobians.bound or 0
    for series in bptt.flow(walk):
        for part in ("gradient", "direct", "through_time"):
            found |= {f"{part} {series.name} {t}": g for t, g in getattr(series, part).items()}
    truncations = {
        (k, windows): bptt.truncate(walk, k, windows)
        for k in (1, 2, 3)
        for windows in ("regular", "sliding")
    }
    for name, p in net.named_parameters():
        called = name.removesuffix("_l0")
        shares = bptt.contributions(walk, p)
        found |= {f"{called} {t}": g for t, g in shares.items()}
        found |= {f"{called} {how}": each.gradient(p) for how, each in truncations.items()}
    found["diagnosis"] = [(each.kind, each.steps) for each in bptt.diagnose(walk, net)]
    return found


@pytest.mark.parametrize(("kind", "seed"), [*product(("RNN", "LSTM", "GRU"), range(2))])
def test_all_ways_to_run_a_net_are_told_alike(kind: str, seed: int) -> None:
    expected = findings(*net(kind, "whole", seed))
    for way, told, looked in (
        ("pieces", False, "structure"),
        ("pieces", False, "lines"),
        ("calls", False, "structure"),
        ("calls", False, "lines"),
        ("calls", True, "structure"),
        ("cells", False, "structure"),
        ("cells", False, "lines"),
        ("cells", True, "structure"),
    ):
        with looked_at(looked):
            loss, module = net(kind, way, seed, told)
        found = findings(loss, module)
        assert found.keys() == expected.keys(), (way, told, looked)
        assert found.pop("diagnosis") == expected["diagnosis"]
        for what, numbers in found.items():
            np.testing.assert_allclose(numbers, expected[what], atol=1e-10, err_msg=what)


def test_what_lies_beside_the_package_is_the_programs() -> None:
    package = tg.__path__[0]
    assert is_of_package(f"{package}/nn/module.py".replace("/", os.sep))
    assert not is_of_package(f"{package}_notes/program.py".replace("/", os.sep))
