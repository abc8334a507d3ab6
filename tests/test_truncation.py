"""Truncated gradients against PyTorch with ``.detach()``, and by hand."""

from __future__ import annotations

import math
from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from random_layers import layers

import tinygrad_rnn as tg
from tinygrad_rnn import bptt
from tinygrad_rnn.nn.utils.rnn import pack_sequence
from tinygrad_rnn.tensor import wrap

T, B, X, H = 7, 2, 3, 2
KINDS = ["RNN", "LSTM", "GRU"]


def nothing(_: object) -> nullcontext[None]:
    return nullcontext()


def powers(steps: int, first: int = 1) -> tuple[tg.Tensor, tg.Tensor]:
    """x_k = w·x_{k−1} with x₀ = 0.9 and w = 0.2."""
    w = tg.tensor(0.2, dtype=tg.float64, requires_grad=True).named("w")
    x = tg.tensor(0.9, dtype=tg.float64)
    for t in range(first, first + steps):
        with tg.step(t):
            x = w * x
    return x, w


@pytest.mark.parametrize("first", [0, 1])
def test_golden_case(first) -> None:
    for steps, whole in ((1, 0.9), (2, 0.36), (3, 0.108)):
        x, w = powers(steps, first)
        if steps == 1:
            with pytest.raises(ValueError, match="no state is carried"):
                bptt.truncate(x, 1)
            continue
        found = bptt.compare_truncation(x, [1, 2, 3])
        share = whole / steps
        assert found[3].gradient(w) == pytest.approx(whole)
        assert found[1].gradient(w) == pytest.approx(share)
        # windows are counted from the first step: the last one of three has one step
        assert found[2].gradient(w) == pytest.approx(share if steps == 3 else whole)
        sliding = bptt.compare_truncation(x, [1, 2, 3], windows="sliding")
        for k, each in sliding.items():
            assert each.gradient(w) == pytest.approx(share * min(k, steps))
            assert each.full(w) == pytest.approx(whole)
            assert each.angle(w) == pytest.approx(0, abs=1e-9)
            assert each.relative_error(w) == pytest.approx(1 - min(k, steps) / steps)
        assert w.grad is None


def twins(torch, kind: str, layers: int) -> tuple:
    torch.manual_seed(0)
    theirs = getattr(torch.nn, kind)(X, H, layers).double()
    ours = getattr(tg.nn, kind)(X, H, layers, dtype=tg.float64)
    ours.load_state_dict({name: w.detach().numpy() for name, w in theirs.named_parameters()})
    return ours, theirs, np.random.default_rng(0).standard_normal((T, B, X))


def detached(state: object) -> object:
    return tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()


def check_against_torch(found: bptt.Truncation, ours, theirs) -> None:
    for name, w in theirs.named_parameters():
        mine = getattr(ours, name)
        np.testing.assert_allclose(found.gradient(mine), w.grad.numpy(), atol=1e-12)
        u, v = found.gradient(mine).ravel(), found.full(mine).ravel()
        cosine = u @ v / (np.linalg.norm(u) * np.linalg.norm(v))
        assert found.angle(mine) == pytest.approx(np.degrees(np.arccos(min(cosine, 1))), abs=1e-5)
        error = np.linalg.norm(u - v) / np.linalg.norm(v)
        assert found.relative_error(mine) == pytest.approx(error, abs=1e-12)
        assert mine.grad is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("everywhere", [True, False])
def test_regular_windows_against_torch(torch, kind, layers, everywhere) -> None:
    ours, theirs, x = twins(torch, kind, layers)
    output, _ = ours(tg.tensor(x))
    loss = (output * output).sum() if everywhere else (output[-1] * output[-1]).sum()
    found = bptt.compare_truncation(loss, [1, 2, 3, T, T + 1])
    for k, each in found.items():
        theirs.zero_grad()
        state, outputs = None, []
        for start in range(0, T, k):
            state = None if state is None else detached(state)
            part, state = theirs(torch.tensor(x[start : start + k]), state)
            outputs.append(part)
        read = torch.cat(outputs) if everywhere else outputs[-1][-1:]
        (read * read).sum().backward()
        check_against_torch(each, ours, theirs)
        edges = {severed.steps for severed in each.severed}
        assert edges == {(t, t + 1) for t in range(k, T, k)}
    assert found.relative_errors()[-1] == found.angles()[-1] == 0
    for w in ours.parameters():  # nothing cut: the gradient itself
        (want,) = tg.autograd.grad(loss, w, retain_graph=True)
        np.testing.assert_allclose(found[T].gradient(w), want.numpy(), atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("k", [1, 2, 4, T])
def test_sliding_windows_against_torch(torch, kind, layers, k) -> None:
    """Each loss term by itself, from a state that was detached k steps before."""
    ours, theirs, x = twins(torch, kind, layers)
    output, _ = ours(tg.tensor(x))
    found = bptt.truncate((output * output).sum(), k, windows="sliding")
    theirs.zero_grad()
    for t in range(1, T + 1):
        state = None
        if t > k:
            state = detached(theirs(torch.tensor(x[: t - k]))[1])
        part, _ = theirs(torch.tensor(x[max(t - k, 0) : t]), state)
        (part[-1] * part[-1]).sum().backward()
    check_against_torch(found, ours, theirs)
    assert {severed.steps for severed in found.severed} == {(t, t + 1) for t in range(1, T - k + 1)}


@pytest.mark.parametrize("k", [1, 2, 3])
def test_both_directions_against_torch(torch, k) -> None:
    """Of a layer that reads both ways, the windows of one end where those of the other begin."""
    torch.manual_seed(0)
    theirs = torch.nn.RNN(X, H, bidirectional=True).double()
    ours = tg.nn.RNN(X, H, bidirectional=True, dtype=tg.float64)
    ours.load_state_dict({name: w.detach().numpy() for name, w in theirs.named_parameters()})
    x = np.random.default_rng(0).standard_normal((T, B, X))
    output, h_n = ours(tg.tensor(x))
    found = bptt.truncate((output * output).sum() + h_n.sum(), k)
    loss = 0
    for suffix, order in (("_l0", range(T)), ("_l0_reverse", range(T - 1, -1, -1))):
        w = [
            getattr(theirs, name + suffix)
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        ]
        h, last = torch.zeros(B, H).double(), None
        for t in order:
            if last is not None and last // k != t // k:
                h = h.detach()
            h = torch.rnn_tanh_cell(torch.tensor(x[t]), h, *w)
            loss, last = loss + (h * h).sum(), t
        loss = loss + h.sum()
    loss.backward()
    check_against_torch(found, ours, theirs)
    assert {severed.steps for severed in found.severed} == {
        edge for t in range(k, T, k) for edge in ((t, t + 1), (t + 1, t))
    }


@settings(max_examples=60)
@given(
    steps=st.integers(2, 6),
    k=st.integers(1, 7),
    first=st.integers(0, 1),
    learned=st.booleans(),
    named=st.booleans(),
    inside=st.booleans(),
    residual=st.booleans(),
)
def test_loops_against_torch(torch, steps, k, first, learned, named, inside, residual) -> None:
    """Also if losses are added up inside the steps, and if the initial state is learned."""
    rng = np.random.default_rng(steps)
    arrays = [rng.standard_normal(shape) for shape in ((3, 3), (3, 3), (2, 3))]

    def run(lib, step=nothing, name=lambda h: h, detach=lambda h: h):
        w, u, z = tensors = [lib.tensor(a, requires_grad=True) for a in arrays]
        with step(first - 1):
            h = name(z @ u) if learned else z
        loss = 0
        for t in range(first, first + steps):
            if t > first and (t - first) % k == 0:
                h = detach(h)
            with step(t):
                h = name(h + lib.tanh(h @ w) if residual else lib.tanh(h @ w))
                loss = loss + (h * h).sum(-1) if inside else loss
            loss = loss if inside else loss + (h * h).sum()
        return loss.sum(), tensors

    loss, ours = run(tg, tg.step, lambda h: h.named("h") if named else h)
    found = bptt.truncate(loss, k)
    loss, theirs = run(torch, detach=lambda h: h.detach())
    loss.backward()
    for mine, its in zip(ours, theirs, strict=True):
        if its.grad is not None:
            np.testing.assert_allclose(found.gradient(mine), its.grad.numpy(), atol=1e-12)


def test_what_stands_between_steps_and_what_another_sequence_starts_from(torch) -> None:
    """An encoder whose state is scaled outside of any step, and a decoder with steps of its own."""
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((3, 3)) for _ in range(2)]

    def run(lib, scope=nothing, step=nothing, name=lambda h: h, detach=lambda h: h):
        h, loss, weights = lib.tensor(np.ones(3)), 0, []
        for part, array in zip(("encoder", "decoder"), arrays, strict=True):
            w = lib.tensor(array, requires_grad=True)
            weights.append(w)
            for t in range(1, 5):
                h = detach(h) if t == 3 else h
                with scope(part), step(t):
                    h = name(lib.tanh(h @ w))
                h = h * 0.9
            loss = loss + (h * h).sum()
        return loss, weights

    loss, ours = run(tg, tg.scope, tg.step, lambda h: h.named("h", "state"))
    found = bptt.truncate(loss, 2)
    loss, theirs = run(torch, detach=lambda h: h.detach())
    loss.backward()
    for mine, its in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(found.gradient(mine), its.grad.numpy(), atol=1e-12)
    assert [each.steps for each in found.severed] == [(2, 3), (2, 3)]
    assert (
        bptt.truncate(run(tg, tg.scope, tg.step, lambda h: h.named("h", "state"))[0], 4).angle()
        == 0
    )


def test_windows_count_steps_in_the_order_of_the_walk() -> None:
    """5 4 | 3 2 | 1, and so of any other numbers."""
    for order in ([5, 4, 3, 2, 1], [2, 4, 6, 8, 10], [2, 1, 3, 5, 4], [-1, 7, 0, 3, 2]):
        w, x = tg.tensor(0.5, requires_grad=True), tg.tensor(1.0)
        for t in order:
            with tg.step(t):
                x = tg.tanh(w * x)
        cuts = [cut.steps for cut in bptt.truncate(x, 2).severed]
        assert cuts == [(order[3], order[4]), (order[1], order[2])]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("both", [False, True])
def test_packed_sequences_are_truncated_as_each_by_itself(kind, layers, both) -> None:
    """Also if the loss is on the last states, which later steps hand on for those that ended."""
    rng, k = np.random.default_rng(layers), 1 + both
    net = getattr(tg.nn, kind)(X, H, layers, bidirectional=both, dtype=tg.float64)
    xs = [tg.tensor(rng.standard_normal((n, X)), requires_grad=True) for n in (6, 4, 4, 2)]

    def loss(x):
        _, last = net(x)
        return ((last[0] if kind == "LSTM" else last) ** 2).sum()

    found = bptt.truncate(loss(pack_sequence(xs)), k)
    alone = [bptt.truncate(loss(x), k) for x in xs]
    for x, each in zip(xs, alone, strict=True):
        np.testing.assert_allclose(found.gradient(x), each.gradient(x), atol=1e-12)
    for w in net.parameters():
        total = sum(each.gradient(w) for each in alone)
        np.testing.assert_allclose(found.gradient(w), total, atol=1e-12)


def test_truncation_through_the_gates_against_torch(torch) -> None:
    """As in 1997: nothing comes back through the recurrent connections, c alone carries it."""
    ours, theirs, x = twins(torch, "LSTM", 1)
    output, _ = ours(tg.tensor(x))
    found = bptt.truncate((output * output).sum(), along="c")
    h = c = torch.zeros(B, H).double()
    loss = 0
    for x_t in torch.tensor(x):
        gates = x_t @ theirs.weight_ih_l0.T + h.detach() @ theirs.weight_hh_l0.T
        i, f, g, o = (gates + theirs.bias_ih_l0 + theirs.bias_hh_l0).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        loss = loss + (h * h).sum()
    loss.backward()
    check_against_torch(found, ours, theirs)
    assert [cut.state.notes.name for cut in found.severed] == ["h"] * (T - 1)
    assert str(found).startswith(f"Gradients truncated along c alone; time edges cut: {T - 1}\n")
    assert (found.k, found.along) == (None, ("c",))
    both = bptt.truncate((output * output).sum(), 3, along=["h", "c"])
    for w in ours.parameters():
        want = bptt.truncate((output * output).sum(), 3).gradient(w)
        np.testing.assert_array_equal(both.gradient(w), want)


def test_random_windows_are_right_on_average() -> None:
    """Of all draws of where windows end, weighed by their probability, the mean is the whole."""
    x, w = powers(4)
    found = [bptt.truncate(x, 3, "random", seed=seed) for seed in range(400)]
    by_cuts = {tuple(cut.steps for cut in each.severed): each.gradient(w) for each in found}
    assert len(by_cuts) == 2**3
    mean = sum(
        float(g) * (1 / 3) ** len(cuts) * (2 / 3) ** (3 - len(cuts)) for cuts, g in by_cuts.items()
    )
    assert mean == pytest.approx(float(found[0].full(w)))
    again = bptt.truncate(x, 3, "random", seed=7)
    assert again.gradient(w) == found[7].gradient(w)
    assert again.heading.startswith("Gradients truncated after 3 steps, random windows; ")
    assert len(bptt.truncate(x, 1, "random").severed) == 3


def test_truncating_leaves_no_trace() -> None:
    net = tg.nn.GRU(X, H)
    output, _ = net(tg.randn(T, X))
    loss = output.sum()
    seen: list[object] = []
    output.register_hook(seen.append)
    before = bptt.truncate(loss, 2)
    assert all(w.grad is None for w in net.parameters())
    assert not seen
    walk = bptt.record(loss)
    assert len(seen) == 1
    after = bptt.truncate(walk, 2)  # of a graph that has been freed
    assert len(seen) == 1
    for w in net.parameters():
        np.testing.assert_allclose(after.gradient(w), before.gradient(w), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(after.full(w), w.grad.numpy(), rtol=1e-5, atol=1e-6)
    with pytest.raises(RuntimeError, match="second time"):
        bptt.truncate(loss, 2)


def check_whole(found: bptt.Truncation, loss: tg.Tensor, tensor: tg.Tensor) -> None:
    """What was severed, sent on from where it was cut off, makes the gradient whole."""
    (want,) = tg.autograd.grad(loss, tensor, retain_graph=True, materialize_grads=True)
    np.testing.assert_allclose(found.full(tensor), want.numpy(), atol=1e-12)
    total = found.gradient(tensor)
    for cut in found.severed:
        (rest,) = tg.autograd.grad(
            wrap(cut.gradient, cut.state), tensor, wrap(cut.gradient, None),
            retain_graph=True, materialize_grads=True,
        )  # fmt: skip
        total = total + rest.numpy()
    np.testing.assert_allclose(total, want.numpy(), atol=1e-10)


@settings(max_examples=25)
@given(made=layers(), k=st.integers(1, 5), windows=st.sampled_from(["regular", "sliding"]))
def test_what_is_severed_is_what_is_missing(made, k, windows) -> None:
    loss, layer, x = made
    assume(x.shape[1 if layer.batch_first else 0] > 1)
    found = bptt.truncate(loss, k, windows)
    for tensor in (x, *layer.parameters()):
        check_whole(found, loss, tensor)


@pytest.mark.parametrize("windows", ["regular", "sliding"])
@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_edges_that_skip_a_step(windows, k) -> None:
    """h_t goes on from h_{t−1} and h_{t−2}, which lies two steps back."""
    rng = np.random.default_rng(0)
    u, v = (tg.tensor(rng.standard_normal((3, 3)), requires_grad=True) for _ in range(2))
    h, before = tg.ones(3, dtype=tg.float64), tg.zeros(3, dtype=tg.float64)
    loss = tg.zeros((), dtype=tg.float64)
    for t in range(1, 7):
        with tg.step(t):
            h, before = tg.tanh(h @ u + before @ v), h
        loss = loss + (h * h).sum()
    found = bptt.truncate(loss, k, windows)
    for w in (u, v):
        check_whole(found, loss, w)
    edges = [(s, t) for s in range(1, 7) for t in (s + 1, s + 2) if t <= 6]
    if windows == "regular":
        want = {(s, t) for s, t in edges if (s - 1) // k != (t - 1) // k}
    else:  # some term, the last at step 6, lies k steps or more after s
        want = {(s, t) for s, t in edges if s + k <= 6}
    assert {cut.steps for cut in found.severed} == want


def test_what_is_severed() -> None:
    """At a cut arrives what the walk, cut there, brings to the state from later steps."""
    x, _ = powers(4)
    (cut,) = bptt.truncate(x, 2).severed
    assert cut.steps == (2, 3)
    assert cut.gradient == pytest.approx(0.2**2)
    assert (cut.state, cut.user) == (cut.user.parents[1], cut.user)
    cuts = bptt.truncate(x, 1).severed
    assert [each.steps for each in cuts] == [(3, 4), (2, 3), (1, 2)]
    assert [float(each.gradient) for each in cuts] == pytest.approx([0.2, 0, 0])
    assert repr(cuts[0]) == "<Severed: steps 3 → 4, 0.2>"


def test_angles() -> None:
    """A gradient turned by truncation: [1, 0] instead of [1, 1] is 45° off."""
    a, b = (tg.tensor(1.0, requires_grad=True).named(name) for name in "ab")
    h = tg.tensor(1.0)
    with tg.step(1):
        h = (b * h).named("h", "state")
    with tg.step(2):
        h = (a * h).named("h", "state")
    found = bptt.truncate(h, 1)
    assert found.angle() == pytest.approx(45)
    assert found.relative_error() == pytest.approx(math.sqrt(0.5))
    assert (found.angle(a), found.relative_error(a)) == (0, 0)
    assert math.isnan(found.angle(b))  # nothing of it is left
    assert found.relative_error(b) == 1
    heading, header, *rows = str(found).splitlines()
    assert heading == "Gradients truncated after 1 steps, regular windows; time edges cut: 1"
    assert header.split() == ["parameter", "norm", "full", "norm", "angle", "relative", "error"]
    assert [row.split() for row in rows] == [
        ["a", "1", "1", "0.00°", "0"],
        ["b", "0", "1", "–", "1"],
        ["all", "1", "1.414", "45.00°", "0.7071"],
    ]


def test_comparison_prints_and_converts() -> None:
    x, w = powers(3)
    found = bptt.compare_truncation(x, (1, 3), windows="sliding")
    assert list(found) == [1, 3]
    np.testing.assert_allclose(np.asarray(found), [[1, 0, 2 / 3], [3, 0, 0]], atol=1e-7)
    np.testing.assert_array_equal(found.relative_errors(w), found.relative_errors())
    lines = str(found).splitlines()
    assert lines[0] == "Truncated gradients beside the full ones, sliding windows"
    assert lines[2].split()[:3] == ["1", "2", "all"]
    assert "<th" in found._repr_html_()


def test_truncation_refuses_what_makes_no_sense() -> None:
    x, w = powers(3)
    for k, error in ((0, ValueError), (-1, ValueError), (1.5, TypeError), (True, TypeError)):
        with pytest.raises(error, match="k must be"):
            bptt.truncate(x, k)
    with pytest.raises(ValueError, match="ks is empty"):
        bptt.compare_truncation(x, [])
    for ks in (3, None, "12"):
        with pytest.raises(TypeError, match="compare_truncation: ks must be integers"):
            bptt.compare_truncation(x, ks)
    with pytest.raises(ValueError, match="compare_truncation: k must be at least 1"):
        bptt.compare_truncation(x, [1, 0])
    for windows in ("long", ["regular"]):
        with pytest.raises(ValueError, match="'sliding' or 'random', not "):
            bptt.truncate(x, 1, windows=windows)
    with pytest.raises(TypeError, match="k must be an integer"):
        bptt.truncate(x)
    with pytest.raises(ValueError, match="along names states, of which there are mul, not c"):
        bptt.truncate(x, along="c")
    with pytest.raises(ValueError, match="not nothing"):
        bptt.truncate(x, 1, along=())
    for seed in ("x", -1, 1.5):
        with pytest.raises(ValueError, match="a seed is an integer, not negative, or None"):
            bptt.truncate(x, 2, windows="random", seed=seed)
    with pytest.raises(ValueError, match="a seed goes with windows='random'"):
        bptt.truncate(x, 1, seed=0)
    with pytest.raises(TypeError, match="expected a Tensor or a Record, got float"):
        bptt.truncate(3.0, 1)
    with pytest.raises(RuntimeError, match="one element"):
        bptt.truncate(w * tg.ones(2), 1)
    with pytest.raises(RuntimeError, match="truncate: this tensor has no graph"):
        bptt.truncate(w, 1)
    with pytest.raises(KeyError, match="no leaf of this graph"):
        bptt.truncate(x, 1).gradient(x)
    with pytest.raises(ValueError, match=r"by `with bptt\.step"):
        bptt.truncate((w * w).sum(), 1)


def test_whatever_is_an_integer_is_a_number_of_steps() -> None:
    x, w = powers(3)
    for k in (np.int64(2), tg.tensor(2)):
        assert bptt.truncate(x, k).gradient(w) == bptt.truncate(x, 2).gradient(w)


def test_the_numbers_of_one_truncation() -> None:
    x, w = powers(3)
    truncation = bptt.truncate(x, 1)
    figures = [truncation.gradient(w), truncation.full(w), 0, truncation.relative_error()]
    np.testing.assert_allclose(np.asarray(truncation), [figures, figures], atol=1e-12)
