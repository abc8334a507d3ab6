"""Jacobians of recurrent states against PyTorch's, differences, and what is known by hand."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_jacobians import check
from random_layers import layers

import tinygrad_rnn as tg
from tinygrad_rnn import bptt
from tinygrad_rnn.cli import demo
from tinygrad_rnn.nn.utils.rnn import pack_sequence

T, B, X, H = 4, 2, 3, 2
KINDS = ["RNN", "GRU", "LSTM"]


def made(kind: str, **options: object) -> tuple[tg.nn.Module, tg.Tensor]:
    tg.manual_seed(0)
    layer = getattr(tg.nn, kind)(X, H, **options, dtype=tg.float64)
    return layer, tg.randn(T, B, X, dtype=tg.float64)


def torch_steps(torch, kind: str, layer: tg.nn.Module, x: np.ndarray, suffix: str = "_l0"):
    """One step of torch's cell, as a function of (h, c) side by side, for each x_t."""
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    w = [torch.tensor(getattr(layer, name + suffix).detach().numpy()) for name in names]

    def step(x_t, state):
        h, c = state[None, :H], state[None, H:]
        if kind == "LSTM":
            return torch.cat(torch.lstm_cell(x_t[None], (h, c), *w), 1)[0]
        cell = torch.gru_cell if kind == "GRU" else torch.rnn_tanh_cell
        return cell(x_t[None], h, *w)[0]

    return [lambda s, x_t=x_t: step(x_t, s) for x_t in torch.tensor(x)]


def torch_jacobians(torch, steps, size: int) -> list[np.ndarray]:
    state, found = torch.zeros(size).double(), []
    for step in steps:
        found.append(torch.autograd.functional.jacobian(step, state).numpy())
        state = step(state)
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_layers_against_torch(torch, kind, layer, direction) -> None:
    net, x = made(kind, num_layers=2, bidirectional=True)
    output, _ = net(x)
    js = bptt.jacobians(output, layer=layer, direction=direction)
    reads = x.numpy()
    if layer:
        first = made(kind, bidirectional=True)[0]
        first.load_state_dict({n: w for n, w in net.state_dict().items() if "_l0" in n})
        reads = first(x)[0].detach().numpy()
    suffix = f"_l{layer}" + ("_reverse" if direction == "reverse" else "")
    order = range(1, T + 1) if direction == "forward" else range(T, 0, -1)
    assert list(js) == list(order)
    assert js.before == {t: t - 1 if direction == "forward" else t + 1 for t in order}
    size = 2 * H if kind == "LSTM" else H
    for b in range(B):
        steps = torch_steps(torch, kind, net, reads[[t - 1 for t in order], b], suffix)
        want = torch_jacobians(torch, steps, size)
        for t, matrix in zip(order, want, strict=True):
            np.testing.assert_allclose(js[t][b], matrix, atol=1e-12)
            np.testing.assert_allclose(
                js.singular_values()[t][b], np.linalg.svd(matrix)[1], atol=1e-12
            )
            radius = abs(np.linalg.eigvals(matrix)).max()
            np.testing.assert_allclose(js.spectral_radius()[t][b], radius, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_spans_against_torch(torch, kind) -> None:
    """∂h_t/∂h_s of the whole function in between, for an LSTM with every way through its cell."""
    net, x = made(kind)
    js = bptt.jacobians(net, x)
    size = 2 * H if kind == "LSTM" else H
    steps = torch_steps(torch, kind, net, x.numpy()[:, 0])
    states = [torch.zeros(size).double()]
    for step in steps:
        states.append(step(states[-1]))
    for s in range(T):
        for t in range(s, T + 1):

            def onward(state, s=s, t=t):
                for step in steps[s:t]:
                    state = step(state)
                return state

            want = torch.autograd.functional.jacobian(onward, states[s]).numpy()
            np.testing.assert_allclose(js.between(s, t)[0], want, atol=1e-12)
            np.testing.assert_allclose(js.between(s, t, "h")[0], want[:H, :H], atol=1e-12)
            if kind == "LSTM":
                np.testing.assert_allclose(js.between(s, t, "h", "c")[0], want[:H, H:], atol=1e-12)
    if kind == "LSTM":
        assert js.states == {"h": slice(0, H), "c": slice(H, 2 * H)}
        np.testing.assert_array_equal(js.part("c", "h")[2], js[2][:, H:, :H])


@settings(max_examples=30)
@given(
    steps=st.integers(2, 4),
    first=st.integers(0, 1),
    size=st.integers(1, 3),
    squash=st.sampled_from(["tanh", "sigmoid"]),
    feedback=st.booleans(),
    seed=st.integers(0, 99),
)
def test_loops_against_central_differences(steps, first, size, squash, feedback, seed) -> None:
    """A loop with h and an output y, of which both are carried on if y is fed back."""
    rng = np.random.default_rng(seed)
    w, u, v = (rng.standard_normal((size, size)) for _ in range(3))

    def numbers(state: np.ndarray) -> np.ndarray:
        h, y = state[:size], state[size:]
        a = h @ w + (y @ u if feedback else 0)
        h = np.tanh(a) if squash == "tanh" else 1 / (1 + np.exp(-a))
        return np.concatenate([h, np.sin(h @ v)] if feedback else [h])

    h, y = (tg.tensor(rng.standard_normal(size)) for _ in range(2))
    state = np.concatenate([h.numpy(), y.numpy()] if feedback else [h.numpy()])
    tw, tu, tv = (tg.tensor(m, requires_grad=True) for m in (w, u, v))
    loss = tg.zeros(1)
    for t in range(first, first + steps):
        with tg.step(t):
            a = h @ tw + y @ tu if feedback else h @ tw
            h = getattr(tg, squash)(a)
            y = tg.sin(h @ tv)
        loss = loss + y.sum()
    js = bptt.jacobians(loss)
    assert list(js) == list(range(first, first + steps))
    for t in js:
        want = np.empty_like(js[t])
        for j, unit in enumerate(np.eye(len(state)) * 1e-6):
            want[:, j] = (numbers(state + unit) - numbers(state - unit)) / 2e-6
        if feedback:  # y follows from h: of the state after the step it is the second part
            assert list(js.states) == [squash, "sin"]
        np.testing.assert_allclose(js[t], want, atol=1e-8)
        state = numbers(state)


@settings(max_examples=25)
@given(layers())
def test_products_carry_gradients_back(made) -> None:
    """Of a loss that sees the last state alone: what has come to h_s is g ∂h_T/∂h_s."""
    _, layer, x = made
    for number in range(layer.num_layers):
        for i, direction in enumerate(["forward", "reverse"][: 1 + layer.bidirectional]):
            last = layer(x)[1]
            last = last[0] if isinstance(last, tuple) else last
            row = number * (1 + layer.bidirectional) + i
            walk = bptt.record((last[row] * last[row]).sum())
            end = last[row].detach().numpy() * 2
            if x.shape[1 if layer.batch_first else 0] == 1:
                with pytest.raises(ValueError, match="no second time step"):
                    bptt.jacobians(walk, layer=number, direction=direction)
                continue
            js = bptt.jacobians(walk, layer=number, direction=direction)
            for t, h in walk.over_time("h", layer=number, direction=direction).items():
                place = next(p for p in walk.places if walk.value(p) is h)
                want = np.einsum("bi,bij->bj", end, js.between(t, list(js)[-1], "h"))
                np.testing.assert_allclose(walk.gradient(place), want, atol=1e-12)


@pytest.mark.parametrize("between", [1.0, 0.5])
def test_cells_in_a_loop(torch, between) -> None:
    """Also if what is carried on passes through something outside of the steps."""
    layer, x = made("LSTM")
    cell = tg.nn.LSTMCell(X, H, dtype=tg.float64)
    cell.load_state_dict({n.removesuffix("_l0"): w for n, w in layer.state_dict().items()})
    h = c = tg.zeros(B, H, dtype=tg.float64)
    for t in range(T):
        with tg.step(t + 1):
            h, c = cell(x[t], (h, c))
        h = h if between == 1 else h * between
    js = bptt.jacobians(h.sum())
    assert list(js) == ([1, 2, 3, 4] if between == 1 else [2, 3, 4])
    scale = torch.tensor([between] * H + [1.0] * H)
    steps = torch_steps(torch, "LSTM", layer, x.numpy()[:, 0])
    scaled = [steps[0], *(lambda s, step=step: step(s * scale) for step in steps[1:])]
    for t, want in enumerate(torch_jacobians(torch, scaled, 2 * H), 1):
        if t in js:
            np.testing.assert_allclose(js[t][0], want, atol=1e-12)


def test_two_runs_of_one_layer_inside_a_net() -> None:
    class Twins(tg.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = tg.nn.RNN(X, H, dtype=tg.float64)

        def forward(self, a: tg.Tensor, b: tg.Tensor) -> dict[str, tg.Tensor]:
            return {"a": self.rnn(a)[1], "b": self.rnn(b)[1]}

    net, (a, b) = Twins(), (tg.randn(T, B, X, dtype=tg.float64) for _ in range(2))
    with pytest.raises(ValueError, match=r"several: .*rnn.*run 2.*Say which"):
        bptt.jacobians(net, a, b)
    for run, x in ((1, a), (2, b)):
        js = bptt.jacobians(net, a, b, scope="rnn", run=run)
        alone = bptt.jacobians(net.rnn, x)
        for t in alone:
            np.testing.assert_allclose(js[t], alone[t], atol=1e-14)


def test_functions_of_users_are_walked_too() -> None:
    class Rotate(tg.autograd.Function):
        @staticmethod
        def forward(ctx, h, c, w):
            ctx.save_for_backward(h, w)
            return w * h - c, h + c

        @staticmethod
        def backward(ctx, a, b):
            h, w = ctx.saved_tensors
            return w * a + b, b - a, h * a

    w = tg.tensor([0.5, -2.0], dtype=tg.float64, requires_grad=True)
    h, c = (tg.ones(2, dtype=tg.float64, requires_grad=True) for _ in range(2))
    for t in (1, 2, 3):
        with tg.step(t):
            h, c = Rotate.apply(h, c, w)
    walk = bptt.record((h * c).sum())
    one = np.eye(2)
    want = np.block([[np.diag(w.detach().numpy()), -one], [one, one]])
    js = bptt.jacobians(walk)
    for t in js:
        np.testing.assert_allclose(js[t], want)


def test_the_document() -> None:
    js = bptt.jacobians(bptt.record(demo.forward()[2]))
    assert js.spectral_radius()[2] == pytest.approx(0.12303, abs=5e-6)
    assert js.singular_values()[2][0] == pytest.approx(0.12778, abs=5e-6)
    w_hh = np.array(demo.INPUTS["W"])[:2]
    assert js.bound == pytest.approx(np.linalg.norm(w_hh, 2))
    np.testing.assert_allclose(js.between(1, 1), np.eye(2))


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_bound_of_pascanu(nonlinearity) -> None:
    net, x = made("RNN", nonlinearity=nonlinearity, num_layers=2)
    for layer, w in enumerate((net.weight_hh_l0, net.weight_hh_l1)):
        js = bptt.jacobians(net, x, layer=layer)
        assert js.bound == pytest.approx(np.linalg.norm(w.detach().numpy(), 2))
        assert all((sigma <= js.bound + 1e-12).all() for sigma in js.singular_values().values())
        assert (np.linalg.norm(js.between(0, T), 2, (1, 2)) <= js.bound**T).all()


def test_bound_where_it_applies() -> None:
    rng = np.random.default_rng(0)
    w = tg.tensor(rng.standard_normal((3, 3)), requires_grad=True)
    h0 = tg.tensor(rng.standard_normal(3))
    ways = {
        lambda h: tg.sigmoid(h @ w + 1): 0.25,
        lambda h: tg.tanh(tg.cat([h[:1], h[1:]]) @ w.T - h0): 1,
        lambda h: tg.tanh(-0.5 * tg.addmv(h0, w, h, alpha=4)): 2,  # all that is linear counts
        lambda h: tg.tanh((h @ w) * h): None,  # not linear inside
        lambda h: tg.tanh(h @ tg.outer(h, w[0])): None,
        lambda h: tg.tanh(tg.stack([h, h, h]) @ h + w[0]): None,  # linear only at first sight
        lambda h: tg.exp(h @ w): None,  # no bound on its slope
    }
    for step, slope in ways.items():
        h = h0
        for t in (1, 2, 3):
            with tg.step(t):
                h = step(h)
        bound = bptt.jacobians(h.sum()).bound
        norm = np.linalg.norm(w.detach().numpy(), 2)
        assert bound == (None if slope is None else pytest.approx(norm * slope))
    for kind in ("LSTM", "GRU"):
        assert bptt.jacobians(*made(kind)).bound is None


def test_packed_sequences_are_measured_as_each_by_itself() -> None:
    net = made("LSTM", bidirectional=True)[0]
    xs = [tg.randn(n, X, dtype=tg.float64) for n in (5, 3, 2)]
    for direction in ("forward", "reverse"):
        packed = bptt.jacobians(net, pack_sequence(xs), direction=direction)
        for b, x in enumerate(xs):
            alone = bptt.jacobians(net, x, direction=direction)
            shared = [t for t in alone if t in packed and b < len(packed[t])]
            assert len(shared) >= len(x) - 1
            for t in shared:
                np.testing.assert_allclose(packed[t][b], alone[t], atol=1e-12)
    np.testing.assert_allclose(packed.between(5, 1)[0], bptt.jacobians(
        net, xs[0], direction="reverse").between(5, 1), atol=1e-12)  # fmt: skip
    with pytest.raises(ValueError, match="several shapes"):
        packed.numpy()


def test_a_record_a_tensor_and_a_module_give_the_same() -> None:
    net, x = made("GRU")
    of_module = bptt.jacobians(net, x)
    loss = net(x)[0].sum()
    of_tensor = bptt.jacobians(loss)
    walk = bptt.record(loss)
    with tg.no_grad():  # as an optimizer would
        for w in net.parameters():
            w += 1
    of_record = bptt.jacobians(walk)
    for other in (of_tensor, of_record):
        assert list(other) == list(of_module)
        for t in other:
            np.testing.assert_allclose(other[t], of_module[t], atol=1e-14)
    for w in net.parameters():
        w.requires_grad_(False)
    frozen = bptt.jacobians(net, x)  # where nothing is recorded of the constant initial state
    assert list(frozen) == [2, 3, 4]


def test_a_record_outlives_an_optimizer_also_where_views_of_weights_were_saved() -> None:
    w = tg.randn(6, 6, requires_grad=True)
    h = tg.ones(6)
    for t in (1, 2, 3):
        with tg.step(t):
            h = tg.tanh(h @ w.T)
    walk = bptt.record(h.sum())
    views = [place for place in walk.places if place.shape == (6, 6) and not place.is_leaf]
    values, before = [walk.value(view).copy() for view in views], bptt.jacobians(walk)
    assert views
    with tg.no_grad():
        w += 1
    after = bptt.jacobians(walk)
    for view, value in zip(views, values, strict=True):
        np.testing.assert_array_equal(walk.value(view), value)
    for t in before:
        np.testing.assert_array_equal(after[t], before[t])


def test_measuring_leaves_no_trace() -> None:
    net, x = made("LSTM")
    output, _ = net(x)
    loss = output.sum()
    seen: list[object] = []
    output.register_hook(seen.append)
    output.retain_grad()
    nodes = [n for n in bptt.record(loss, retain_graph=True).places if not n.is_leaf]
    before = [(w.grad.numpy().copy(), w._version) for w in net.parameters()]
    saved, kept, calls = [n.saved for n in nodes], output.grad.numpy().copy(), len(seen)
    bptt.jacobians(loss)
    assert [n.saved for n in nodes] == saved
    assert len(seen) == calls
    np.testing.assert_array_equal(output.grad.numpy(), kept)
    for w, (grad, version) in zip(net.parameters(), before, strict=True):
        np.testing.assert_array_equal(w.grad.numpy(), grad)
        assert w._version == version
    loss.backward()  # the graph is still there
    with pytest.raises(RuntimeError, match="second time"):
        bptt.jacobians(loss)


def test_weights_changed_before_are_noticed() -> None:
    net, x = made("RNN")
    loss = net(x)[0].sum()
    with tg.no_grad():
        net.weight_hh_l0 += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        bptt.jacobians(loss)


def test_a_state_of_several_axes_without_a_batch() -> None:
    rng = np.random.default_rng(0)
    w = tg.tensor(rng.standard_normal((3, 3)), requires_grad=True)
    h = tg.tensor(rng.standard_normal((3, 1)))
    for t in (1, 2):
        with tg.step(t):
            h = tg.tanh(w @ h)
    with pytest.raises(ValueError, match="it is no batch"):
        bptt.jacobians(h.sum())
    js = bptt.jacobians(h.sum(), batch=False)
    slope = 1 - h.detach().numpy() ** 2
    np.testing.assert_allclose(js[2], slope * w.detach().numpy())


def test_constant_error_carousel() -> None:
    """With an open forget gate ∂c_t/∂c_{t−1} = 1 in an LSTM: its product does not vanish."""
    net, x = made("LSTM")
    with tg.no_grad():
        for w in net.parameters():
            w.zero_()
        net.bias_ih_l0[H : 2 * H] = 50
    js = bptt.jacobians(net, x)
    np.testing.assert_allclose(js.between(0, T, "c"), np.broadcast_to(np.eye(H), (B, H, H)))


def test_nan_and_infinity_are_shown() -> None:
    w = tg.tensor(np.inf, requires_grad=True)
    h = tg.tensor(1.0)
    for t in (1, 2):
        with tg.step(t):
            h = w * h
    js = bptt.jacobians(h)
    assert np.isnan(js.singular_values()[2]).all()
    assert np.isnan(js.spectral_radius()[2])
    assert "nan" in str(js)


def test_tables_of_jacobians() -> None:
    js = bptt.jacobians(*made("LSTM"))
    heading, header, *rows = str(js).splitlines()
    assert heading.startswith("J_t: how (h, c)_t of lstm, layer 0 depends on the step before")
    assert heading.endswith("; largest of 2 in the batch")
    assert header.split()[:3] == ["t", "largest", "σ"]
    assert [row.split()[0] for row in rows] == ["1", "2", "3", "4"]
    largest = max(np.linalg.norm(js.between(1, T), 2, (1, 2)))
    assert rows[1].split()[-1] == f"{largest:.4g}"
    assert np.asarray(js).shape == (T, B, 2 * H, 2 * H)
    assert "<caption>" in js._repr_html_()


def test_jacobians_refuse_what_makes_no_sense() -> None:
    net, x = made("RNN", num_layers=2)
    with pytest.raises(ValueError, match=r"several: rnn, layer 0; rnn, layer 1.*Say which"):
        bptt.jacobians(net, x)
    with pytest.raises(ValueError, match=r"no such one; there are: rnn, layer 0; rnn, layer 1"):
        bptt.jacobians(net, x, layer=2)
    js = bptt.jacobians(net, x, layer=1, scope="rnn")
    with pytest.raises(KeyError, match="no part 'c'; it has h"):
        js.part("c")
    for s, t in ((2, 1), (1, 9), (-1, 2)):
        with pytest.raises(ValueError, match=f"no way leads from step {s} to step {t}"):
            js.between(s, t)
    w = tg.ones(2, requires_grad=True)
    for what, message in (((w * w).sum(), "by `with bptt.step"), (net, "second time step")):
        with pytest.raises(ValueError, match=message):
            bptt.jacobians(
                what, *([x[:1]] if what is net else []), layer=None if what is not net else 0
            )
    with pytest.raises(ValueError, match="no output of the module requires grad"):
        bptt.jacobians(tg.nn.Identity(), tg.ones(2, dtype=tg.int64))
    with pytest.raises(TypeError, match="inputs go with a module"):
        bptt.jacobians((w * w).sum(), x)
    with pytest.raises(TypeError, match="expected a Record, a Tensor or a Module, got int"):
        bptt.jacobians(3)
    for leaf in (tg.ones(2), w):
        with pytest.raises(RuntimeError, match="jacobians: this tensor has no graph"):
            bptt.jacobians(leaf)
    with pytest.raises(ValueError, match="the state of loop has no elements"):
        bptt.jacobians(loop(tg.zeros(2, 0), tg.zeros(0, 0, requires_grad=True), lambda x: x))


def loop(h, w, squash):
    """The sum of three states h_t = squash(h_{t−1} W)."""
    for t in (1, 2, 3):
        with tg.step(t):
            h = squash(h @ w)
    return h.sum()


def test_nan_in_one_element_of_a_batch_is_no_influence_on_others() -> None:
    w = tg.eye(2, dtype=tg.float64).requires_grad_()
    h = tg.tensor([[0.5, 0.5], [np.nan, 0.5]], dtype=tg.float64)
    js = bptt.jacobians(loop(h, w, tg.tanh))
    assert np.isfinite(js[3][0]).all()
    assert np.isnan(js[3][1]).any()


def test_products_may_overflow() -> None:
    w = tg.full((1, 1), 1e200, dtype=tg.float64).requires_grad_()
    js = bptt.jacobians(loop(tg.ones(2, 1, dtype=tg.float64), w, lambda x: x))
    assert js.between(1, 3)[0, 0, 0] == np.inf
    assert "nan" in str(js)


def test_states_that_skip_steps_have_no_spans() -> None:
    """∂h_3/∂h_1 goes by way of h_2, and past it."""
    before, h = tg.tensor([0.2]), tg.tensor([0.4], requires_grad=True)
    for t in (1, 2, 3, 4):
        with tg.step(t):
            before, h = h, tg.tanh(0.5 * h + 0.3 * before)
    js = bptt.jacobians(h.sum())
    assert js.skips
    assert js.bound is None
    np.testing.assert_array_equal(js.between(3, 4), js[4])
    with pytest.raises(ValueError, match="depend also on ones before the last"):
        js.between(1, 3)
    assert "from there to the end" not in str(js)


def test_states_that_skip_steps_joined_to_one(torch) -> None:
    def after(lib, h, steps):
        for t in steps:
            with tg.step(t):
                new = lib.tanh(0.5 * h[:, 1:] + 0.3 * h[:, :1])
                h = lib.cat([h[:, 1:], new], -1)
        return h

    start = [[0.2, 0.4]]
    js = bptt.jacobians(after(tg, tg.tensor(start, requires_grad=True), (1, 2, 3)).sum())
    first = after(torch, torch.tensor(start), (1,))
    expected = torch.autograd.functional.jacobian(lambda h: after(torch, h, (2, 3)), first)
    assert not js.skips
    np.testing.assert_allclose(js.between(1, 3)[0], expected[0, :, 0], rtol=1e-6)


def test_random_loops_against_torch(torch) -> None:
    """Clocks, skips, feedback, detached parts, steps in any order: each J_t and each span."""
    counts = Counter()
    for seed in range(60):
        counts += Counter(check(torch, seed))
    assert set(counts) <= {
        "loops", "J", "spans", "refused spans", "other states", "constant",
        "jacobians: there is no second time step",
    }  # fmt: skip
    assert counts["loops"] > 40
    assert counts["J"] > 120
    assert counts["spans"] > 100


def test_the_order_is_that_of_the_walk() -> None:
    w, h0 = tg.tensor(1.5, dtype=tg.float64, requires_grad=True), 0.2
    h = tg.tensor(h0, dtype=tg.float64)
    for t in (2, 1, 3):
        with tg.step(t):
            h = tg.tanh(w * h)
    js = bptt.jacobians(h)
    assert js.before == {2: 0, 1: 2, 3: 1}  # 0: a number that no step has
    np.testing.assert_allclose(js[2], 1.5 * (1 - np.tanh(1.5 * h0) ** 2))
    np.testing.assert_allclose(js.between(0, 3), js[3] * js[1] * js[2])
    with pytest.raises(ValueError, match="no way leads from step 3 to step 1"):
        js.between(3, 1)


def clocked(steps: int) -> bptt.Jacobians:
    w = tg.tensor(0.5, requires_grad=True)
    s, f = (tg.ones(1).named(name, "state") for name in "sf")
    for t in range(1, steps + 1):
        with tg.step(t):
            if t % 2:
                s = (w * s + f).named("s", "state")
            f = (w * f + s).named("f", "state")
    return bptt.jacobians((s + f).sum())


def test_parts_that_a_step_does_not_renew_are_carried_on() -> None:
    js = clocked(5)
    assert js.before == {1: 0, 3: 1, 5: 3}
    np.testing.assert_allclose(js[3], [[1.5, 0.5], [2, 0.75]])
    np.testing.assert_allclose(js.between(1, 5), [[3.25, 1.125], [4.5, 1.5625]])
    js = clocked(4)  # of which the last step goes on from the whole state, too
    assert js.before == {1: 0, 3: 1, 4: 3}
    np.testing.assert_allclose(js[4], [[1, 0], [1, 0.5]])


def test_what_comes_back_through_another_module() -> None:
    cell = tg.nn.RNNCell(1, 1, bias=False, nonlinearity="relu")
    read = tg.nn.Linear(1, 1, bias=False)
    with tg.no_grad():
        for weight, value in ((cell.weight_ih, 0.5), (cell.weight_hh, 0.5), (read.weight, 1)):
            weight.fill_(value)
    h = y = tg.ones(1, 1)
    for t in (1, 2, 3):
        with tg.step(t):
            h = cell(y, h)
            y = read(h)
    js = bptt.jacobians(y.sum(), scope="rnncell")
    np.testing.assert_allclose(js.between(1, 3), [[[1.0]]])


@pytest.mark.parametrize("seen", [True, False])
def test_h_of_an_lstm_detached_alone(seen) -> None:
    cell = tg.nn.LSTMCell(1, H, dtype=tg.float64)
    h = c = tg.zeros(B, H, dtype=tg.float64)
    loss = tg.zeros(1)
    for t in range(1, T + 1):
        with tg.step(t):
            h, c = cell(tg.ones(B, 1, dtype=tg.float64), (h, c))
        loss = loss + (h.sum() if seen or t == T else 0)
        h = h.detach() if t == 2 else h
    js = bptt.jacobians(loss)
    assert list(js) == [1, 2, 3, 4]
    assert (js.part("c", "h")[3] == 0).all()
    assert (js.part("h", "c")[3] != 0).any()
    assert js.part("h")[2].any() == seen  # where nothing else uses it the graph does not have it
    np.testing.assert_allclose(js.between(1, 4), js[4] @ js[3] @ js[2])


@pytest.mark.parametrize("pair", [(1, 0), (4, 2), (0, 4)])
def test_the_batch_is_probed_at_every_element(pair) -> None:
    mix = np.eye(5)
    mix[pair] = 1e-9
    h, a = tg.ones(5, 2, dtype=tg.float64), tg.tensor(mix, requires_grad=True)
    for t in (1, 2, 3):
        with tg.step(t):
            h = tg.tanh(a @ h)
    with pytest.raises(ValueError, match="it is no batch"):
        bptt.jacobians(h.sum())
    assert bptt.jacobians(h.sum(), batch=False)[3].shape == (10, 10)


def test_an_empty_batch_and_states_that_grow() -> None:
    w = tg.ones(2, 2, requires_grad=True)
    with pytest.raises(ValueError, match=r"has an empty batch: shape \(0, 2\)"):
        bptt.jacobians(loop(tg.zeros(0, 2), w, tg.tanh))
    h = tg.ones(1) * w[0, 0]
    for t in (1, 2, 3):
        with tg.step(t):
            h = tg.tanh(tg.cat([h, h])).named("h", "state")
    with pytest.raises(ValueError, match="no square matrix"):
        bptt.jacobians(h.sum())


def test_the_carousel_is_the_product_of_the_forget_gates() -> None:
    net, x = made("LSTM")
    walk = bptt.record(net(x)[0].sum())
    js = bptt.jacobians(walk)
    product = np.prod([*walk.over_time("f").values()], axis=0)
    np.testing.assert_allclose(js.along("c"), [np.diag(row) for row in product])
    np.testing.assert_allclose(js.along("c", 2, 3), js.part("c")[3])


F = tg.nn.functional
SLOPES = {
    tg.tanh: 1, tg.sigmoid: 0.25, tg.relu: 1, F.softsign: 1, F.hardtanh: 1, F.elu: 1,
    (lambda x: F.leaky_relu(x, 2.0)): 2, (lambda x: F.elu(x, 1.5)): 1.5, (lambda x: x): 1,
}  # fmt: skip


@pytest.mark.parametrize("inside", [False, True], ids=["σ(W h)", "W σ(h)"])
def test_no_jacobian_exceeds_its_bound(inside) -> None:
    rng = np.random.default_rng(0)
    for squash, slope in SLOPES.items():
        for size in (1, 2, 4):
            w = tg.tensor(rng.standard_normal((size, size)) * 2, requires_grad=True)
            h = tg.tensor(rng.standard_normal((2, size)) * 3)
            for t in range(1, 5):
                with tg.step(t):
                    x = tg.tensor(rng.standard_normal(size))
                    h = squash(h) @ w + x if inside else squash(h @ w + x)
            js = bptt.jacobians(h.sum())
            assert js.bound == pytest.approx(slope * np.linalg.norm(w.detach().numpy(), 2))
            assert max(s.max() for s in js.singular_values().values()) <= js.bound * (1 + 1e-9)
