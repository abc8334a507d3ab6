"""Gradients taken apart: every share, its sum, and what PyTorch says of each."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_layers import layers

import tinygrad_rnn as tg
from tinygrad_rnn import bptt
from tinygrad_rnn.cli import demo
from tinygrad_rnn.reading.given import name_of

ASPECTS = ["step", "operation", "scope", "layer", "direction", "visit", "run", "loss"]


def check_shares(walk: bptt.Record, tensor: tg.Tensor) -> None:
    """All the ways to take a gradient apart put together again."""
    gradient = walk.gradient(tensor)
    for by in [*ASPECTS, ("step", "operation"), ("layer", "direction", "step")]:
        shares = bptt.contributions(walk, tensor, by)
        np.testing.assert_array_equal(shares.total, gradient)  # the same bits
        np.testing.assert_allclose(sum(shares.values()), gradient, rtol=1e-9, atol=1e-12)
        assert np.asarray(shares).shape == (len(shares), *tensor.shape)
        assert all(share.shape == tensor.shape for share in shares.values())


@settings(max_examples=25)
@given(layers())
def test_shares_of_layers_add_up_to_the_gradient(made) -> None:
    loss, layer, x = made
    walk = bptt.record(loss)
    for tensor in (x, *layer.parameters()):
        check_shares(walk, tensor)
        np.testing.assert_array_equal(walk.gradient(tensor), tensor.grad.numpy())


@settings(max_examples=40)
@given(
    steps=st.integers(1, 6),
    uses=st.lists(st.sampled_from(["matmul", "linear", "mul", "row", "add"]), min_size=1),
    outside=st.booleans(),
    seed=st.integers(0, 99),
)
def test_shares_of_loops_add_up_to_the_gradient(steps, uses, outside, seed) -> None:
    """One tensor used in many ways, also several times in a step and outside of any."""
    rng = np.random.default_rng(seed)
    w = tg.tensor(rng.standard_normal((3, 3)), requires_grad=True)
    h = tg.tensor(rng.standard_normal((2, 3)))
    ways = {
        "matmul": lambda h: h @ w,
        "linear": lambda h: tg.nn.functional.linear(h, w, w[0]),
        "mul": lambda h: h * w[1],
        "row": lambda h: h - w[[0, 2, 0]].sum(0),
        "add": lambda h: h + w[:2],
    }
    for t in range(steps):
        with tg.step(t):
            for use in uses:
                h = tg.tanh(ways[use](h))
    walk = bptt.record((h * h).sum() + ((w * w).sum() if outside else 0))
    check_shares(walk, w)
    shares = bptt.contributions(walk, w)
    assert list(shares) == [*range(steps), *([None] if outside else [])]


def test_shares_by_step_are_those_of_clones_in_torch(torch) -> None:
    """PyTorch has them if every step gets clones of the weights of its own."""
    rng = np.random.default_rng(0)
    weights = {
        "weight_ih_l0": rng.standard_normal((8, 3)), "weight_hh_l0": rng.standard_normal((8, 2)),
        "bias_ih_l0": rng.standard_normal(8), "bias_hh_l0": rng.standard_normal(8),
    }  # fmt: skip
    x = rng.standard_normal((5, 4, 3))
    lstm = tg.nn.LSTM(3, 2, dtype=tg.float64)
    lstm.load_state_dict(weights)
    output, _ = lstm(tg.tensor(x))
    walk = bptt.record((output * output).sum())

    h, c, loss, clones = torch.zeros(4, 2).double(), torch.zeros(4, 2).double(), 0, []
    for x_t in torch.tensor(x):
        own = {name: torch.tensor(value, requires_grad=True) for name, value in weights.items()}
        clones.append(own)
        h, c = torch.lstm_cell(x_t, (h, c), *own.values())
        loss = loss + (h * h).sum()
    loss.backward()
    for name in weights:
        shares = bptt.contributions(walk, getattr(lstm, name))
        for t, own in enumerate(clones, 1):
            np.testing.assert_allclose(shares[t], own[name].grad.numpy(), atol=1e-12)


def test_shares_by_direction_and_layer_are_those_of_two_nets_in_torch(torch) -> None:
    theirs = torch.nn.GRU(2, 3, bidirectional=True).double()
    ours = tg.nn.GRU(2, 3, bidirectional=True, dtype=tg.float64)
    ours.load_state_dict({name: w.detach().numpy() for name, w in theirs.named_parameters()})
    x = np.random.default_rng(0).standard_normal((4, 2, 2))
    mine = tg.tensor(x, requires_grad=True)
    xs = [mine[t] for t in range(4)]
    walk = bptt.record(ours(tg.stack(xs))[0].pow(2).sum())

    state, want = theirs.state_dict(), {}
    for direction, ending in (("forward", "_l0"), ("reverse", "_l0_reverse")):
        one = torch.nn.GRU(2, 3).double()
        names = {name: name.replace("_l0", ending) for name in one.state_dict()}
        one.load_state_dict({name: state[other] for name, other in names.items()})
        given = torch.tensor(x, requires_grad=True)
        one(given if direction == "forward" else given.flip(0))[0].pow(2).sum().backward()
        want[direction] = given.grad.numpy()
    reads = [visit.node for visit in walk.visits if visit.node.primitive.name == "getitem"]
    for t, node in enumerate(n for n in reversed(reads) if n.tag.step is not None):
        shares = bptt.contributions(walk, node, by="direction")
        assert list(shares) == ["forward", "reverse"]
        for direction, share in shares.items():
            np.testing.assert_allclose(share, want[direction][t], atol=1e-12)
        assert list(bptt.contributions(walk, node, by=("layer", "direction"))) == [
            (0, "forward"), (0, "reverse"),
        ]  # fmt: skip


def test_shares_by_operation_of_a_tied_embedding(torch) -> None:
    """A weight that embeds and reads out: the two parts, as with two separate weights in torch."""
    rng = np.random.default_rng(0)
    table, words = rng.standard_normal((5, 3)), np.array([1, 4, 1])
    w = tg.tensor(table, requires_grad=True)
    scores = tg.nn.functional.linear(tg.tanh(tg.nn.functional.embedding(tg.tensor(words), w)), w)
    shares = bptt.contributions(bptt.record((scores * scores).sum()), w, by="operation")

    a, b = (torch.tensor(table, requires_grad=True) for _ in range(2))
    scores = torch.nn.functional.linear(torch.tanh(a[torch.tensor(words)]), b)
    (scores * scores).sum().backward()
    embedding, read_out = shares.values()
    assert list(shares) == sorted(shares)
    np.testing.assert_allclose(embedding, a.grad.numpy(), atol=1e-12)
    np.testing.assert_allclose(read_out, b.grad.numpy(), atol=1e-12)


def test_total_is_what_this_walk_brought() -> None:
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    for _ in range(2):
        walk = bptt.record((w * w).sum())
    assert w.grad.tolist() == [4.0, 8.0]
    assert bptt.contributions(walk, w).total.tolist() == [2.0, 4.0]


def test_a_sequence_read_step_by_step_takes_memory_linear_in_its_length() -> None:
    steps = 300
    x = tg.zeros(steps, 20, requires_grad=True)
    total = tg.zeros(20)
    for t in range(steps):
        with tg.step(t + 1):
            total = total + x[t] * x[t]
    walk = bptt.record(total.sum())
    tracemalloc.start()
    shares = bptt.contributions(walk, x)
    assert sum(1 for _ in shares.values()) == steps
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * x.array.nbytes  # not 300 times


def test_shares_print_as_a_table_and_convert() -> None:
    tensors, _, loss = demo.forward()
    walk = bptt.record(loss)
    shares = bptt.contributions(walk, tensors["W"])
    heading, header, *rows = str(shares).splitlines()
    assert heading == "Gradient of W by step"
    assert header.split() == ["step", "norm", "along", "the", "gradient"]
    assert [row.split()[0] for row in rows] == ["1", "2", "sum"]
    parts = [float(row.split()[2].rstrip("%")) for row in rows[:2]]
    assert sum(parts) == pytest.approx(100, abs=0.2)
    assert float(rows[-1].split()[1]) == pytest.approx(np.linalg.norm(shares.total), rel=1e-3)
    assert "<td" in shares._repr_html_()
    assert np.asarray(shares).shape == (2, 3, 2)
    assert np.asarray(shares, np.float32).dtype == np.float32
    assert 1 in shares
    assert 3 not in shares
    assert shares.get(3) is None
    first = bptt.contributions(walk, tensors["x₁"])
    assert str(first).startswith("Gradient of x_1 by step")
    with pytest.raises(ValueError, match="read-only"):
        shares[1][0] = 0


def test_the_middle_of_a_long_table_is_left_out() -> None:
    w, h = tg.tensor(0.9, requires_grad=True), tg.tensor(1.0)
    for t in range(1, 31):
        with tg.step(t):
            h = w * h
    rows = str(bptt.contributions(bptt.record(h), w)).splitlines()[2:]
    assert [row.split()[0] for row in rows] == "1 2 3 … 26 27 28 29 30 sum".split()


def test_nothing_comes_to_a_constant() -> None:
    x, w = tg.ones(2), tg.ones(2, requires_grad=True)
    shares = bptt.contributions(bptt.record((x * w).sum()), x)
    assert len(shares) == 0
    assert shares.total.tolist() == [0, 0]
    assert np.asarray(shares).shape == (0, 2)
    assert str(shares).splitlines()[-1].split() == ["sum", "0", "–"]


def test_contributions_refuse_what_makes_no_sense() -> None:
    w = tg.ones(2, requires_grad=True)
    loss = (w * w).sum()
    walk = bptt.record(loss)
    with pytest.raises(ValueError, match="walk starts at this tensor"):
        bptt.contributions(walk, loss)
    for by in ("time", (), ("step", "step"), ["step", "gate"], None, 3, ["step", ["layer"]]):
        with pytest.raises(ValueError, match="by must be one or several of step, operation"):
            bptt.contributions(walk, w, by=by)
    with pytest.raises(TypeError, match="expected a Tensor"):
        bptt.contributions(walk, 3.0)
    for foreign in (3.0, "w", None):
        for ask in (walk.gradient, walk.value):
            with pytest.raises(TypeError, match="expected a Tensor, such as a parameter, got"):
                ask(foreign)


@pytest.mark.parametrize("factor", [1e-6, 1e5])
def test_the_parts_of_a_gradient_whose_square_is_no_number(factor) -> None:
    w = tg.tensor(factor, dtype=tg.float64, requires_grad=True)
    x = tg.tensor(1.0, dtype=tg.float64)
    for t in range(1, 41):
        with tg.step(t):
            x = w * x
    cells = bptt.contributions(bptt.record(x), w).rows()
    assert {row[-1] for row in cells[1:-1]} == {"2.5%", "…"}
    assert cells[-1][-1] == "100%"


def test_there_are_no_parts_of_nothing() -> None:
    w = tg.ones(2, requires_grad=True)
    shares = bptt.contributions(bptt.record((w * tg.zeros(2)).sum()), w)
    assert [row[-1] for row in shares.rows()[1:]] == ["–", "–"]


def test_arrays_keep_their_type() -> None:
    w = tg.ones(2, requires_grad=True)
    shares = bptt.contributions(bptt.record((w * w).sum()), w)
    assert np.asarray(shares).dtype == np.float32
    assert np.asarray(shares, np.float64).dtype == np.float64


# -- loss term by step of use: Pascanu, Mikolov and Bengio (2013), eq. 3–5 ------------------------

WAYS = {
    "stack, mean": lambda terms: tg.stack(terms).mean(),
    "sum": lambda terms: sum(terms),
    "root of the sum": lambda terms: (tg.stack(terms) ** 2).sum().sqrt(),
    "weighted": lambda terms: sum(term * 0.9**i for i, term in enumerate(terms)),
}


def theirs(torch, weights, x, way) -> np.ndarray:
    """∂E_t/∂W by step k: in PyTorch, a clone of W at each step, and each E_t by itself."""
    W, U = (torch.tensor(w) for w in weights)
    clones = [W.clone().requires_grad_() for _ in x]
    h, terms = torch.zeros(len(W)).double(), []
    for own, x_t in zip(clones, torch.tensor(x)):
        h = torch.tanh(own @ h + U @ x_t)
        terms.append((h * h).sum())
    slopes = {  # of the whole loss by each of its terms
        "stack, mean": [1 / len(x)] * len(x),
        "root of the sum": (torch.stack(terms) / torch.stack(terms).norm()).tolist(),
        "weighted": [0.9**i for i in range(len(x))],
    }.get(way, [1.0] * len(x))
    rows = []
    for term, slope in zip(terms, slopes):
        g = torch.autograd.grad(term, clones, retain_graph=True, allow_unused=True)
        rows.append([np.zeros_like(weights[0]) if c is None else slope * c.numpy() for c in g])
    return np.array(rows)


def ours(weights, x, way, inside=None) -> tuple[bptt.Record, tg.Tensor]:
    """The same net here; the loss is put together outside of the steps, or ``inside`` them."""
    W, U = tg.tensor(weights[0], requires_grad=True), tg.tensor(weights[1])
    h, terms, total = tg.zeros(len(weights[0]), dtype=tg.float64), [], None
    for t, x_t in enumerate(tg.tensor(x), 1):
        with tg.step(t):
            h = tg.tanh(W @ h + U @ x_t).named("h", "state")
            terms.append((h * h).sum())
            if inside is not None:
                total = terms[-1] * 1.0 if total is None else inside(total, terms[-1])
    return bptt.record(WAYS[way](terms) if inside is None else total), W


@pytest.mark.parametrize("way", list(WAYS))
def test_the_matrix_of_loss_terms_is_that_of_clones_in_torch(torch, way) -> None:
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((3, 3)), rng.standard_normal((3, 2))
    x = np.eye(2)[[0, 1, 1, 0]]
    walk, W = ours(weights, x, way)
    matrix = bptt.contributions(walk, W, by=("loss", "step"))
    assert (matrix.lines, matrix.columns) == ([1, 2, 3, 4], [1, 2, 3, 4])
    np.testing.assert_allclose(np.asarray(matrix), theirs(torch, weights, x, way), atol=1e-12)
    by_step = bptt.contributions(walk, W)
    np.testing.assert_allclose(np.asarray(matrix).sum(0), np.asarray(by_step), atol=1e-12)
    across = bptt.contributions(walk, W, by=("step", "loss"))
    np.testing.assert_array_equal(np.asarray(across), np.asarray(matrix).swapaxes(0, 1))
    assert not np.triu(matrix.norms(), 1).any()  # no loss term sees later steps


INSIDE = {  # how steps hand on a total, and the slopes of the whole by each of three terms
    "add": (lambda total, term: total + term, [1, 1, 1]),
    "discount": (lambda total, term: 0.5 * total + term, [0.25, 0.5, 1]),
    "subtract": (lambda total, term: total - term, [1, -1, -1]),
}


@pytest.mark.parametrize("name", list(INSIDE))
def test_a_loss_that_is_put_together_in_the_steps_has_its_terms_too(torch, name) -> None:
    inside, slopes = INSIDE[name]
    rng = np.random.default_rng(1)
    weights, x = (rng.standard_normal((3, 3)), rng.standard_normal((3, 2))), np.eye(2)[[0, 1, 1]]
    walk, W = ours(weights, x, "sum", inside)
    matrix = np.asarray(bptt.contributions(walk, W, by=("loss", "step")))
    want = theirs(torch, weights, x, "sum") * np.reshape(slopes, (-1, 1, 1, 1))
    np.testing.assert_allclose(matrix, want, atol=1e-12)


def test_a_linear_rnn_by_the_formula_of_the_textbook() -> None:
    """d2l.ai, 9.7.2: h_t = W_hx x_t + W_hh h_{t-1}, o_t = W_qh h_t, L = 1/T Σ_t l(o_t, y_t);
    ∂L/∂h_t = Σ_{i=t}^T (W_hhᵀ)^(T-i) W_qhᵀ ∂L/∂o_{T+t-i}, ∂L/∂W_hh = Σ_t ∂L/∂h_t h_{t-1}ᵀ.
    """
    rng, T = np.random.default_rng(0), 5
    W_hx, W_hh, W_qh = (rng.standard_normal(shape) for shape in ((3, 2), (3, 3), (1, 3)))
    x, y = rng.standard_normal((T, 2)), rng.standard_normal((T, 1))
    weight = tg.tensor(W_hh, requires_grad=True)
    h, hs, losses = tg.zeros(3, dtype=tg.float64), [], []
    for t in range(T):
        with tg.step(t + 1):
            h = tg.tensor(W_hx) @ tg.tensor(x[t]) + weight @ h
            losses.append(((tg.tensor(W_qh) @ h - tg.tensor(y[t])) ** 2).sum() / 2)
            hs.append(h)
    walk = bptt.record(tg.stack(losses).mean())
    H = [np.zeros(3)] + [h.detach().numpy() for h in hs]
    by_o = [(W_qh @ H[t] - y[t - 1]) / T for t in range(1, T + 1)]
    matrix = bptt.contributions(walk, weight, by=("loss", "step"))
    for t in range(1, T + 1):
        by_h = [
            np.linalg.matrix_power(W_hh.T, T - i) @ W_qh.T @ by_o[T + t - i - 1]
            for i in range(t, T + 1)
        ]
        np.testing.assert_allclose(walk.gradient(hs[t - 1]), sum(by_h), atol=1e-12)
        column = [np.outer(part, H[t - 1]) for part in by_h[::-1]]  # of the losses t, …, T
        got = np.asarray(matrix)[t - 1 :, t - 1]
        np.testing.assert_allclose(got, column, atol=1e-12)


@settings(max_examples=20)
@given(layers())
def test_loss_terms_of_layers_add_up_to_the_shares(made) -> None:
    loss, layer, _ = made
    walk = bptt.record(loss)
    for tensor in layer.parameters():
        matrix, shares = (bptt.contributions(walk, tensor, by) for by in (("loss", "step"), "step"))
        assert matrix.columns == list(shares)
        np.testing.assert_allclose(np.asarray(matrix).sum(0), np.asarray(shares), atol=1e-9)


def test_what_never_enters_time_is_a_loss_term_without_a_step() -> None:
    w, h = tg.tensor(0.5, dtype=tg.float64, requires_grad=True), tg.tensor(1.0, dtype=tg.float64)
    for t in (1, 2):
        with tg.step(t):
            h = tg.tanh(w * h).named("h", "state")
    matrix = bptt.contributions(bptt.record(h + 0.1 * w**2), w, by=("loss", "step"))
    assert list(matrix) == [(2, 1), (2, 2), (None, None)]
    assert float(matrix[None, None]) == pytest.approx(0.1)
    assert str(matrix).splitlines()[1].split() == ["loss", "/", "step", "1", "2", "–"]


def test_what_comes_to_a_state_is_taken_apart_too() -> None:
    net = tg.nn.RNN(1, 2, dtype=tg.float64)
    output, _ = net(tg.randn(4, 1, dtype=tg.float64))
    walk = bptt.record((output * output).sum())
    place = next(p for p in walk.places if p.tag.step == 2 and name_of(p) == "h")
    by_term = bptt.contributions(walk, place, by="loss")
    assert list(by_term) == [2, 3, 4]
    np.testing.assert_allclose(sum(by_term.values()), walk.gradient(place), atol=1e-12)


def test_runs_of_a_layer_over_the_same_steps(torch) -> None:
    cell = tg.nn.RNNCell(2, 2, dtype=tg.float64)
    xs = tg.randn(2, 3, 1, 2, dtype=tg.float64)
    ends = []
    for x in xs:
        h = tg.zeros(1, 2, dtype=tg.float64)
        for t in range(3):
            with tg.step(t + 1):
                h = cell(x[t], h)
        ends.append(h.sum())
    walk = bptt.record(ends[0] + ends[1], retain_graph=True)
    whole = bptt.contributions(walk, cell.weight_hh, "run")
    assert list(whole) == [1, 2]
    for run, end in enumerate(ends, 1):
        alone = bptt.record(end, retain_graph=True).gradient(cell.weight_hh)
        np.testing.assert_allclose(whole[run], alone, atol=1e-12)


def test_without_time_steps_the_table_says_what_to_do() -> None:
    w = tg.ones(2, requires_grad=True).named("w")
    assert "no time steps were found" in str(bptt.contributions(bptt.record((w * w).sum()), w))
    with tg.step(1):
        h = tg.tanh(tg.ones(2, requires_grad=True))
    shares = bptt.contributions(bptt.record((h * w).sum()), w)
    assert str(shares).startswith("Gradient of w by step: it is used outside of all time steps")
