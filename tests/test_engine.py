"""The engine: what it records, how it walks, what it keeps, and what it refuses."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import tracemalloc
import weakref
from contextlib import suppress

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.autograd import growing_graph
from tinygrad_rnn.engine.graph import tape
from tinygrad_rnn.engine.sums import FEW_ROWS
from tinygrad_rnn.engine.traversal import walk


def leaf(data, **options) -> tg.Tensor:
    return tg.tensor(data, dtype=tg.float64, requires_grad=True, **options)


# -- recording --------------------------------------------------------------------------------


def test_a_node_keeps_what_rules_name_and_nothing_else() -> None:
    x, w = tg.ones(5, 8), tg.ones(8, 6, requires_grad=True)
    product = (x @ w).node
    assert product.saved[0] is x.array  # the weight's rule needs x
    assert product.saved[1:] == (None, None)  # x is constant: no rule asks for w
    y = tg.tanh(x @ w)
    assert y.node.saved[0] is None
    assert y.node.saved[1] is y.array
    assert (y + 1).node.saved == ()


def test_constants_record_nothing() -> None:
    y = tg.ones(2) * 3 + 1
    assert y.node is None
    with tg.no_grad():
        assert (tg.ones(2, requires_grad=True) * 3).node is None


def test_small_outputs_stay_on_the_tape_large_ones_when_asked() -> None:
    small, large = tg.ones(16, requires_grad=True), tg.ones(17, requires_grad=True)
    assert (small + 1).node.value is not None
    assert (large + 1).node.value is None
    with tg.keep_values():
        assert (large + 1).node.value is not None


def test_tags_come_from_the_contexts_and_nest() -> None:
    x = leaf([1.0])
    with tg.scope("net"), tg.step(3), tg.scope("cell"):
        y = x * 2
    assert y.node.tag[:2] == ("net.cell", 3)
    assert (y * 2).node.tag[:2] == ("", None)


def test_a_context_is_left_when_its_block_raises() -> None:
    x = leaf([1.0])
    with pytest.raises(ZeroDivisionError), tg.no_grad(), tg.step(1):
        _ = 1 / 0
    assert (x * 2).node.tag.step is None


def test_modes_belong_to_their_thread() -> None:
    seen = []
    with tg.no_grad(), tg.step(7):
        thread = threading.Thread(target=lambda: seen.append((leaf([1.0]) * 2).node.tag.step))
        thread.start()
        thread.join()
    assert seen == [None]


def test_tape_is_topological_and_complete() -> None:
    x, w = leaf([1.0]), leaf([2.0])
    a = x * w
    b = a + x
    places = tape([b.node])
    assert places == [x.node, w.node, a.node, b.node]
    assert all(p.order < n.order for n in places for p in n.parents)


# -- walking ----------------------------------------------------------------------------------


def test_every_node_is_visited_once_after_its_consumers() -> None:
    x = leaf([0.5, -1.0])
    y = tg.tanh(x)
    loss = (y * y + y).sum()
    visits = tg.bptt.record(loss).visits
    nodes = [visit.node for visit in visits]
    assert len(set(nodes)) == len(nodes) == 4
    position = {node: i for i, node in enumerate(nodes)}
    for node in nodes:
        for parent in node.parents:
            if not parent.is_leaf:
                assert position[node] < position[parent]


def test_a_constant_input_costs_no_rule(monkeypatch) -> None:
    from tinygrad_rnn.operations.arithmetic import mul

    def fail(g, node):
        raise AssertionError("the rule of a constant input ran")

    x, constant = leaf([1.0, 2.0]), tg.tensor([3.0, 4.0], dtype=tg.float64)
    y = x * constant
    rules = mul.primitive
    monkeypatch.setattr(rules, "pulls", [rules.pulls[0], fail])
    monkeypatch.setattr(rules, "gathers", [rules.gathers[0], fail])
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 4.0]


def test_only_the_path_to_wanted_inputs_is_walked() -> None:
    x, w = leaf([1.0]), leaf([2.0])
    side = tg.exp(w)
    loss = x * 3 + side
    visited = []
    walk({loss.node: np.ones(1)}, wanted={x.node}, observer=lambda n, g, c: visited.append(n))
    assert side.node not in visited
    assert w.node not in visited
    assert x.node in visited


def test_gradients_of_shared_cotangents_are_not_shared() -> None:
    a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    (a + b).sum().backward()
    a.grad.zero_()
    assert b.grad.tolist() == [1.0, 1.0]


def test_accumulation_of_0d_gradients() -> None:
    w = leaf(0.2)
    x = leaf(0.9)
    y = x
    for _ in range(5):
        y = w * y + x
    y.backward()
    expected = sum((i + 1) * 0.9 * 0.2**i for i in range(4)) + 5 * 0.9 * 0.2**4
    assert w.grad.item() == pytest.approx(expected)
    y = w * w
    y.backward()
    assert w.grad.item() == pytest.approx(expected + 0.4)


@pytest.mark.parametrize("batch", [1, 3, FEW_ROWS, FEW_ROWS + 1])
def test_gathered_products_equal_single_ones(batch: int) -> None:
    """A walk that gathers a weight's rows gives what one that is observed gives."""
    rng = np.random.default_rng(0)
    w, b = leaf(rng.standard_normal((4, 4))), leaf(rng.standard_normal(4))
    h0 = tg.tensor(rng.standard_normal((batch, 4)))

    def loss() -> tg.Tensor:
        h = h0
        for t in range(1, 51):
            with tg.step(t):
                h = tg.tanh(h @ w + b)
        return (h * h).sum()

    loss().backward()
    gathered = [w.grad.numpy().copy(), b.grad.numpy().copy()]
    w.grad = b.grad = None
    record = tg.bptt.record(loss())
    for parameter, expected in zip((w, b), gathered, strict=True):
        np.testing.assert_allclose(parameter.grad.numpy(), expected, rtol=1e-12)
        shares = tg.bptt.contributions(record, parameter)
        assert list(shares) == list(range(1, 51))
        np.testing.assert_allclose(sum(shares.values()), expected, rtol=1e-12)


def test_a_weight_in_products_of_several_shapes() -> None:
    rng = np.random.default_rng(0)
    w = leaf(rng.standard_normal((3, 3)))
    xs = [tg.tensor(rng.standard_normal(shape)) for shape in ((3,), (2, 3), (4, 2, 3), (1, 3))]
    assert tg.autograd.gradcheck(lambda w: sum(((x @ w) ** 2).sum() for x in xs), w)
    b = leaf(rng.standard_normal(3))
    assert tg.autograd.gradcheck(lambda b: sum(((x + b) ** 2).sum() for x in xs), b)


def test_a_recorded_walk_carries_the_steps_of_the_rules() -> None:
    w = leaf(0.5)
    x = tg.tensor(0.9, dtype=tg.float64)
    for t in range(1, 4):
        with tg.step(t):
            x = tg.tanh(w * x)
    (dw,) = tg.autograd.grad(x, w, create_graph=True)
    steps = {p.tag.step for p in tape([dw.node]) if not p.is_leaf}
    assert steps == {1, 2, 3}


def test_derivatives_of_order_four() -> None:
    x = leaf(0.3)
    y = tg.tanh(x)
    for _ in range(4):
        (y,) = tg.autograd.grad(y, x, create_graph=True)
    t = np.tanh(0.3)
    expected = 8 * t * (1 - t**2) * (2 - 3 * t**2)  # d⁴ tanh / dx⁴, by hand
    assert y.item() == pytest.approx(expected, rel=1e-12)


# -- freeing ----------------------------------------------------------------------------------


def test_a_second_walk_is_refused_and_the_graph_can_still_be_read() -> None:
    x = leaf([1.0, 2.0])
    loss = (x * x).sum()
    loss.backward()
    with pytest.raises(RuntimeError, match=r"mul: .*backward through the graph a second time"):
        loss.backward()
    assert len(tape([loss.node])) == 3


def test_retain_graph_allows_a_second_walk() -> None:
    x = leaf([1.0, 2.0])
    loss = (x * x).sum()
    loss.backward(retain_graph=True)
    loss.backward()
    assert x.grad.tolist() == [4.0, 8.0]


def test_a_graph_that_saved_nothing_can_be_walked_again() -> None:
    x = leaf([1.0, 2.0])
    loss = (x + x).sum()
    loss.backward()
    loss.backward()
    assert x.grad.tolist() == [4.0, 4.0]


def test_graphs_go_away_without_the_garbage_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        w = leaf(np.ones((50, 50)))
        y = tg.tanh(w @ w)
        gone = weakref.ref(y.array)
        loss = (y * y).sum()
        loss.backward(create_graph=True)
        w.grad = None
        del y, loss
        assert gone() is None
    finally:
        gc.enable()


FULL_COLLECTIONS = """
import gc
import tinygrad_rnn as tg

found = []
gc.callbacks.append(lambda phase, info: found.append(info["generation"] == 2 and phase == "start"))


def full(work):
    gc.collect()
    found.clear()
    result = work()
    return sum(found)


def loop(h=tg.tensor(1.0, requires_grad=True)):
    for _ in range(100_000):
        h = tg.tanh(h)
    return h


counts = [full(loop), full(tg.autograd.growing_graph()(loop))]
layer, xs = tg.nn.LSTM(2, 2), tg.zeros(3000, 1, 2)
print(*counts, full(lambda: layer(xs)))
"""


def test_a_growing_graph_is_not_searched_for_cycles_again_and_again() -> None:
    command = [sys.executable, "-c", FULL_COLLECTIONS]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    plain, spared, layer = map(int, output.split())
    assert spared == layer == 0
    assert plain or sys.version_info >= (3, 14)  # which goes through all in small portions


def test_the_collector_is_set_back_as_it_was() -> None:
    before = gc.get_threshold()
    with suppress(ZeroDivisionError), growing_graph():
        inside = gc.get_threshold()
        assert inside[:2] == before[:2]
        assert inside[2] > before[2]
        with growing_graph():
            assert gc.get_threshold() == inside
        assert gc.get_threshold() == inside
        raise ZeroDivisionError
    assert gc.get_threshold() == before


def test_a_million_nodes_run_and_are_freed_without_recursion() -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(150)  # so that any recursion over the graph would fail
    gc.collect()
    gc.disable()
    try:
        x = leaf(1.0)
        before = sys.getallocatedblocks()
        y = x
        for _ in range(1_000_000):
            y = -y
        assert sys.getallocatedblocks() - before > 3_000_000
        y.backward()
        assert x.grad.item() == 1.0
        assert len(tape([y.node])) == 1_000_001
        del y
        assert sys.getallocatedblocks() - before < 10_000  # the interpreter's own caches
    finally:
        gc.enable()
        sys.setrecursionlimit(limit)


def test_the_tape_of_an_lstm_is_small() -> None:
    from workloads import tape_bytes_per_step

    assert tape_bytes_per_step(tg) < 25 * 1024


def slices_cost(steps: int, monkeypatch) -> tuple[int, int]:
    """Full-size arrays made, and peak bytes, in a walk through x[t] in a loop."""
    from tinygrad_rnn.operations.indexing import add_slices

    made = []
    forward = add_slices.forward

    def counted(*gs, **params):
        made.append(len(gs))
        return forward(*gs, **params)

    monkeypatch.setattr(add_slices, "forward", counted)
    x = tg.tensor(np.ones((steps, 32)), requires_grad=True)
    h = tg.zeros(32, dtype=tg.float64)
    for t in range(steps):
        h = h + x[t]
    loss = h.sum()
    tracemalloc.start()
    loss.backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    monkeypatch.setattr(add_slices, "forward", forward)
    assert made == [steps]
    assert x.grad.tolist() == np.ones((steps, 32)).tolist()
    return len(made), peak


def test_slices_in_a_time_loop_cost_linear_time_and_memory(monkeypatch) -> None:
    """One full-size array takes all slices, where one per step would be quadratic."""
    small_arrays, small_peak = slices_cost(500, monkeypatch)
    large_arrays, large_peak = slices_cost(4000, monkeypatch)
    assert small_arrays == large_arrays == 1
    assert large_peak / small_peak < 8 * 1.5  # 8 times the steps; a full array each would be 64


# -- in-place changes -------------------------------------------------------------------------


def test_a_saved_array_that_was_changed_is_noticed() -> None:
    x = leaf([1.0, 2.0])
    y = tg.tanh(x)
    loss = y.sum()
    with tg.no_grad():
        y.mul_(2)
    with pytest.raises(RuntimeError, match=r"tanh: .*\(2,\).*inplace.*version 1"):
        loss.backward()


def test_a_change_through_a_view_is_noticed() -> None:
    x = leaf(np.ones((3, 2)))
    y = tg.exp(x)
    with tg.no_grad():
        y[1].zero_()
    with pytest.raises(RuntimeError, match=r"exp: .*inplace"):
        y.sum().backward()


def test_a_change_before_the_use_is_harmless() -> None:
    w = leaf([2.0])
    with tg.no_grad():
        w -= 0.5
    (w * w).sum().backward()
    assert w.grad.tolist() == [3.0]
    assert w._version == 1


def test_a_change_of_what_no_rule_saved_is_harmless() -> None:
    x = leaf([1.0, 2.0])
    y = x + 1
    loss = y.sum()
    with tg.no_grad():
        y.zero_()
    loss.backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_stamps_of_freed_memory_are_forgotten() -> None:
    from tinygrad_rnn.engine.memory import changes

    before = len(changes)
    made = [tg.zeros(3).fill_(1) for _ in range(100)]
    assert len(changes) == before + 100
    del made
    assert len(changes) == before


# -- errors leave things as they were ---------------------------------------------------------


def test_a_failing_walk_restores_the_mode() -> None:
    x = leaf([1.0])
    y = tg.tanh(x)
    y.register_hook(lambda g: "nonsense")
    with pytest.raises(TypeError, match="hook must return None or a tensor"):
        y.backward()
    assert tg.is_grad_enabled()
    assert x.is_leaf
    assert x.grad is None


def test_a_failing_forward_records_nothing_and_names_the_shapes() -> None:
    x = leaf([1.0, 2.0])
    for bad in (lambda: x + leaf([1.0, 2.0, 3.0]), lambda: x @ leaf(np.ones((3, 2)))):
        with pytest.raises(RuntimeError, match=r"(add|matmul): .*\(2,\) and \(3"):
            bad()
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_a_hook_cannot_change_shape_or_type() -> None:
    for answer in (tg.zeros(3), tg.tensor([1, 0])):
        x = tg.tensor([1.0, 2.0], requires_grad=True)
        x.register_hook(lambda g, answer=answer: answer)
        with pytest.raises(RuntimeError, match="as it was given"):
            (x * 2).sum().backward()
        assert x.grad is None


def test_contexts_left_in_another_order_than_entered() -> None:
    x = leaf([1.0])

    def loader():
        with tg.no_grad():
            yield 1

    generator = loader()
    with tg.step(1):
        next(generator)
    assert not (x * 2).requires_grad
    generator.close()
    assert (x * 2).node.tag.step is None


def test_threads_accumulate_into_one_leaf_without_loss() -> None:
    w = tg.zeros(4, requires_grad=True)

    def work() -> None:
        for _ in range(200):
            (w * 1.0).sum().backward()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert w.grad.tolist() == [1600.0] * 4


@pytest.mark.parametrize("t", ["a", 1.5, True])
def test_a_step_is_an_integer(t) -> None:
    with pytest.raises(TypeError, match="step: expected an integer"):
        tg.step(t)


def test_a_decorated_function_may_run_in_several_threads_at_once() -> None:
    entered, leave = threading.Barrier(2), threading.Event()
    after = []

    @tg.no_grad()
    def meet() -> None:
        entered.wait(10)
        leave.wait(10)

    def run(outside: bool) -> None:
        with tg.set_grad_enabled(outside):
            meet()
            after.append((outside, tg.is_grad_enabled()))

    threads = [threading.Thread(target=run, args=(outside,)) for outside in (True, False)]
    for thread in threads:
        thread.start()
    leave.set()
    for thread in threads:
        thread.join()
    assert sorted(after) == [(False, False), (True, True)]
