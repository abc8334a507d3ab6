"""Where the gradients of states come from: against PyTorch, and as pictures."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_loops import IDIOMS, Loop

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, viz
from tinygrad_rnn.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from tinygrad_rnn.reading.layers import Layer
from tinygrad_rnn.reading.states import recurrences
from tinygrad_rnn.viz import text
from tinygrad_rnn.viz.chart import TimeAxis, ValueAxis
from tinygrad_rnn.writing.norms import norm

SVG = "{http://www.w3.org/2000/svg}"
KINDS = {"RNN": tg.nn.RNN, "LSTM": tg.nn.LSTM, "GRU": tg.nn.GRU}
LENGTHS, FEATURES, HIDDEN = (4, 3, 3, 1), 2, 3


# -- against PyTorch --------------------------------------------------------------------------


def equations(torch, kind, x, state, w):
    """One step in PyTorch, as its documentation writes it; h first."""
    a, b = x @ w["weight_ih"].T + w["bias_ih"], state[0] @ w["weight_hh"].T + w["bias_hh"]
    if kind == "RNN":
        return (torch.tanh(a + b),)
    if kind == "GRU":
        (r_x, z_x, n_x), (r_h, z_h, n_h) = a.chunk(3), b.chunk(3)
        z = torch.sigmoid(z_x + z_h)
        return ((1 - z) * torch.tanh(n_x + torch.sigmoid(r_x + r_h) * n_h) + z * state[0],)
    i, f, g, o = (a + b).chunk(4)
    c = torch.sigmoid(f) * state[1] + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def unrolled(torch, layer, kind, xs, onward):
    """States of one sequence by (layer, direction, name, t), and the outputs of the last layer.

    What goes to the next step is ``onward(state, key)``: the way through time.
    """
    state_dict = layer.state_dict().items()
    weights = {k: torch.tensor(v.numpy(), requires_grad=True) for k, v in state_dict}
    names, found = ("h", "c")[: 2 if kind == "LSTM" else 1], {}
    for number in range(layer.num_layers):
        sides = []
        for direction in ("forward", "reverse")[: 1 + layer.bidirectional]:
            suffix = f"_l{number}" + "_reverse" * (direction == "reverse")
            w = {k.removesuffix(suffix): v for k, v in weights.items() if k.endswith(suffix)}
            state = tuple(torch.zeros(HIDDEN, dtype=torch.float64) for _ in names)
            hs = [None] * len(xs)
            for t in range(len(xs))[:: -1 if direction == "reverse" else 1]:
                state = equations(torch, kind, xs[t], state, w)
                keys = [(number, direction, name, t + 1) for name in names]
                for key, s in zip(keys, state, strict=True):
                    found[key] = s
                    s.retain_grad()
                hs[t] = state[0]
                state = tuple(onward(s, key) for s, key in zip(state, keys, strict=True))
            sides.append(hs)
        xs = [torch.cat(pair) for pair in zip(*sides, strict=True)]
    return found, xs


def torch_loss(torch, found, outputs, weights):
    """The same of one sequence as `loss_of`: outputs, and the last state of each layer."""
    loss = (torch.stack(outputs) * torch.tensor(weights)).pow(2).sum()
    for (_, direction, _, t), state in found.items():
        if t == (1 if direction == "reverse" else len(outputs)):
            loss = loss + state.pow(2).sum()
    return loss


def network(kind, layers, bidirectional, lengths=LENGTHS, seed=0):
    """A layer, sequences of these lengths, and weights of a loss for every output."""
    tg.manual_seed(seed)
    rng = np.random.default_rng(seed)
    layer = KINDS[kind](
        FEATURES, HIDDEN, num_layers=layers, bidirectional=bidirectional, dtype=tg.float64
    )
    x = rng.normal(size=(max(lengths), len(lengths), FEATURES))
    loss = rng.normal(size=(max(lengths), len(lengths), HIDDEN * (1 + bidirectional)))
    return layer, x, loss


def loss_of(layer, x, weights, lengths):
    packed = pack_padded_sequence(tg.tensor(x), list(lengths)) if min(lengths) < len(x) else None
    output, last = layer(tg.tensor(x) if packed is None else packed)
    output = output if packed is None else pad_packed_sequence(output)[0]
    last = last if isinstance(last, tuple) else (last,)
    return (output * tg.tensor(weights)).pow(2).sum() + sum(s.pow(2).sum() for s in last)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])
@pytest.mark.parametrize("lengths", [(3, 3), LENGTHS], ids=["equal", "packed"])
def test_parts_equal_those_of_a_manual_loop_in_torch(torch, kind, layers, bidirectional, lengths):
    layer, x, weights = network(kind, layers, bidirectional, lengths)
    flow = bptt.flow(bptt.record(loss_of(layer, x, weights, lengths)))
    states = 2 if kind == "LSTM" else 1
    assert len(flow) == layers * (1 + bidirectional) * states
    for b, length in enumerate(lengths):
        through = {}

        def onward(state, key, through=through):
            through[key] = copy = state.clone()  # only the next step uses the copy
            copy.retain_grad()
            return copy

        xs = list(torch.tensor(x[:length, b]))
        found, outputs = unrolled(torch, layer, kind, xs, onward)
        torch_loss(torch, found, outputs, weights[:length, b]).backward()
        for series in flow:
            assert series.steps == list(range(1, max(lengths) + 1))
            for t in range(1, length + 1):
                key = (series.layer.number, series.layer.direction, series.name, t)
                whole, later = found[key].grad.numpy(), through[key].grad
                later = np.zeros(HIDDEN) if later is None else later.numpy()
                near = {"rtol": 1e-9, "atol": 1e-13}
                np.testing.assert_allclose(series.gradient[t][b], whole, **near)
                np.testing.assert_allclose(series.through_time[t][b], later, **near)
                np.testing.assert_allclose(series.direct[t][b], whole - later, **near)


@pytest.mark.parametrize("kind", KINDS)
def test_the_direct_part_is_what_remains_when_the_way_on_is_cut(torch, kind):
    layer, x, weights = network(kind, 2, False, (4,))
    flow = bptt.flow(bptt.record(loss_of(layer, x, weights, (4,))))
    for series in flow:
        for t in series.steps:
            cut = (series.layer.number, "forward", series.name, t)
            found, outputs = unrolled(
                torch,
                layer,
                kind,
                list(torch.tensor(x[:, 0])),
                lambda state, key, cut=cut: state.detach() if key == cut else state,
            )
            torch_loss(torch, found, outputs, weights[:, 0]).backward()
            expected = found[cut].grad.numpy()
            np.testing.assert_allclose(series.direct[t][0], expected, rtol=1e-9, atol=1e-13)


@given(
    kind=st.sampled_from(sorted(KINDS)),
    layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    seed=st.integers(0, 1000),
)
def test_the_parts_add_up_to_the_recorded_gradient(kind, layers, bidirectional, lengths, seed):
    lengths = sorted(lengths, reverse=True)
    layer, x, weights = network(kind, layers, bidirectional, lengths, seed)
    record = bptt.record(loss_of(layer, x, weights, lengths))
    values = {}
    for found in recurrences(record.places):
        for state in found.states:
            values[found.layer, state.name] = state.places
    for series in bptt.flow(record):
        for t, place in values[series.layer, series.name].items():
            np.testing.assert_array_equal(series.gradient[t], record.gradient(place))
            total = series.direct[t] + series.through_time[t]
            np.testing.assert_allclose(total, series.gradient[t], rtol=1e-12, atol=1e-14)


# -- loops of one's own -----------------------------------------------------------------------


class Net(tg.nn.Module):
    """An RNN whose recurrence runs through linear layers, and which sums its losses in time."""

    def __init__(self) -> None:
        super().__init__()
        self.i2h, self.h2h = tg.nn.Linear(2, 3), tg.nn.Linear(3, 3)
        self.out = tg.nn.Linear(3, 1)

    def forward(self, xs):
        h, loss = tg.zeros(1, 3), tg.tensor(0.0)
        for t, x in enumerate(xs, 1):
            with tg.step(t):
                h = tg.tanh(self.i2h(x) + self.h2h(h))
                loss = loss + self.out(h).sum()
        return loss


def test_states_of_a_loop_without_names():
    """The last state, which no step uses, is found; the running loss is no state."""
    net = Net()
    (series,) = bptt.flow(bptt.record(net(tg.ones(4, 1, 2))))
    assert (str(series.layer), series.name, series.steps) == ("net", "h", [1, 2, 3, 4])
    for t in series.steps:
        np.testing.assert_allclose(series.direct[t], net.out.weight.detach().numpy(), rtol=1e-6)
        assert series.through_time[t].any() == (t < 4)


def test_the_first_step_may_have_fewer_operations():
    w, u = (tg.tensor([[0.5]], requires_grad=True) for _ in range(2))
    h = None
    for t in range(1, 5):
        with tg.step(t):
            a = tg.ones(1, 1) @ w
            h = tg.tanh(a if h is None else h @ u + a)
    (series,) = bptt.flow(bptt.record(h.sum()))
    assert series.steps == [1, 2, 3, 4]
    assert not any(series.direct[t].any() for t in (1, 2, 3))
    assert series.direct[4].any()


def test_a_loss_that_is_itself_a_state():
    w, x = tg.tensor(0.5, requires_grad=True), tg.tensor(1.0)
    for t in (1, 2):
        with tg.step(t):
            x = w * x
    (series,) = bptt.flow(bptt.record(x))
    assert {t: float(g) for t, g in series.direct.items()} == {1: 0.0, 2: 1.0}
    assert {t: float(g) for t, g in series.through_time.items()} == {1: 0.5, 2: 0.0}


def test_a_layer_that_goes_on_with_its_state_goes_on_counting():
    rnn = tg.nn.RNN(1, 2)
    _, h = rnn(tg.ones(3, 1, 1))
    output, _ = rnn(tg.ones(2, 1, 1), h)
    (series,) = bptt.flow(bptt.record(output.sum()))
    assert (series.layer, series.steps) == (Layer("rnn", 0, "forward"), [1, 2, 3, 4, 5])
    assert series.through_time[3].any()  # it is where the second call begins, and no output
    assert not series.direct[3].any()


def test_two_layers_without_scopes():
    """Only the name tells them from each other: the second h of a step is another layer's."""
    w = tg.tensor([0.5], requires_grad=True)
    lower = upper = tg.zeros(1)
    for t in (1, 2, 3):
        with tg.step(t):
            lower = tg.tanh(w * lower + 1.0).named("h", "state")
            upper = tg.tanh(w * upper + lower).named("h", "state")
    low, high = bptt.flow(bptt.record(upper.sum()))
    assert [low.layer.run, high.layer.run] == [1, 2]
    assert [bool(low.direct[t].any()) for t in (1, 2, 3)] == [True] * 3
    assert [bool(high.direct[t].any()) for t in (1, 2, 3)] == [False, False, True]


@pytest.mark.parametrize("idiom", IDIOMS)
def test_what_only_gathers_is_no_state(idiom):
    """A running loss, mean, product, in whichever idiom: just h is listed, with all its numbers."""
    loop = Loop(tg, np.random.default_rng(0))
    w, u = (loop.weight(name, 3, 3) for name in "wu")
    h, total = loop.constant(3), None
    for n in range(4):
        with tg.step(n + 1):
            h = tg.tanh(h @ u + loop.constant(3) @ w)
            total = loop.loss(n, total, -tg.log(tg.softmax(h, -1)[0]), idiom)
    (series,) = bptt.flow(bptt.record(total.sum()))
    assert (series.name, series.steps) == ("h", [1, 2, 3, 4])


def test_initial_states_are_not_among_the_steps():
    lstm = tg.nn.LSTM(1, 2)
    start = tuple(tg.zeros(1, 1, 2, requires_grad=True) for _ in range(2))
    output, _ = lstm(tg.ones(2, 1, 1), start)
    assert [s.steps for s in bptt.flow(bptt.record(output.sum()))] == [[1, 2], [1, 2]]


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("step", [0, 1])
def test_nor_are_they_if_a_step_computes_them(named, step):
    w, u = (tg.randn(3, 3).requires_grad_() for _ in range(2))
    with tg.step(step):
        h = tg.ones(3) @ w
        h = h.named("h", "state") if named else h
    for t in range(step + 1, step + 4):
        with tg.step(t):
            h = tg.tanh(h @ u)
            h = h.named("h", "state") if named else h
    (series,) = bptt.flow(bptt.record(h.sum()))
    assert series.steps == [step + 1, step + 2, step + 3]


def test_what_stands_between_the_steps_is_followed_to_its_ends(torch):
    """Twice h goes to the next step and to the loss, through one operation outside of the steps."""

    def run(lib, read):
        h, w = lib.tensor([1.0, 2.0]), lib.tensor([[0.5, -0.3], [0.2, 0.4]], requires_grad=True)
        loss, hs = 0.0, []
        for t in range(1, 5):
            with tg.step(t):
                h = lib.tanh(read(h) @ w)
            h.retain_grad()
            hs.append(h)
            h = h * h
            loss = loss + h.sum()
        return loss, hs

    (series,) = bptt.flow(bptt.record(run(tg, lambda h: h)[0]))
    loss, hs = run(torch, lambda h: h)
    loss.backward()
    direct, apart = run(torch, lambda h: h.detach())
    direct.backward()
    for t, h, alone in zip(range(1, 5), hs, apart, strict=True):
        np.testing.assert_allclose(series.gradient[t], h.grad, rtol=1e-5)
        np.testing.assert_allclose(series.direct[t], alone.grad, rtol=1e-5)
        np.testing.assert_allclose(series.through_time[t], h.grad - alone.grad, atol=1e-6)


def test_an_array_that_steps_write_their_outputs_to_is_no_state(torch):
    def outputs(lib):
        w = lib.full((2, 2), 0.3).requires_grad_()
        h, written, hs = lib.ones(2), lib.zeros(4, 2), []
        for t in range(1, 4):
            with tg.step(t):
                h = lib.tanh(h @ w)
                h.retain_grad()
                written[t] = h
            hs.append(h)
        return (written * written).sum(), hs

    (series,) = bptt.flow(bptt.record(outputs(tg)[0]))
    loss, hs = outputs(torch)
    loss.backward()
    assert series.name == "h"
    for t, h in enumerate(hs, 1):
        np.testing.assert_allclose(series.gradient[t], h.grad, rtol=1e-5)
        np.testing.assert_allclose(series.direct[t], 2 * h.detach(), rtol=1e-5)


def test_an_array_that_steps_read_is_a_state():
    memory, w = tg.zeros(4), tg.tensor(0.5, requires_grad=True)
    for t in range(1, 4):
        with tg.step(t):
            value = tg.tanh(memory.sum() + w)
            memory[t] = value
    assert "memory" in [series.name for series in bptt.flow(bptt.record(memory.sum()))]


def test_the_table_as_an_array():
    output, _ = tg.nn.LSTM(1, 2, num_layers=2)(tg.ones(3, 1))
    found = bptt.flow(bptt.record(output.sum()))
    numbers = np.asarray(found)
    assert numbers.shape == (4 * 3, 4)
    assert numbers[:, 0].tolist() == [1, 2, 3] * 4
    np.testing.assert_array_equal(numbers[3:6, 1:], np.transpose([*found][1].norms()))


def test_flow_refuses_what_it_cannot_take_apart():
    x = tg.tensor([1.0], requires_grad=True)
    with pytest.raises(TypeError, match=r"bptt\.record\(loss\) first"):
        bptt.flow(x)
    with pytest.raises(ValueError, match=r"with bptt\.step\(t\)"):
        bptt.flow(bptt.record((x * 2).sum()))


def test_the_table_folds_long_series():
    output, _ = tg.nn.LSTM(1, 2)(tg.ones(40, 1, 1))
    flow = bptt.flow(bptt.record(output[-1].sum()))
    rows = flow.rows()
    assert [row[2] for row in rows[1:10]] == ["1", "2", "3", "…", "36", "37", "38", "39", "40"]
    assert len(rows) == 1 + 2 * 9
    c = next(iter(flow))
    assert rows[1][:2] == ["lstm, layer 0", "c"]
    assert float(rows[9][3]) == pytest.approx(c.norms().gradient[-1], rel=1e-3)
    assert "<table>" in flow._repr_html_()


def test_norms_neither_overflow_nor_underflow():
    assert norm(np.full(4, 1e30, np.float32)) == pytest.approx(2e30)
    assert norm([3e-300, 4e-300]) == pytest.approx(5e-300)
    assert norm([3e250, 4e250]) == pytest.approx(5e250)
    assert norm([3 + 4j]) == pytest.approx(5)
    assert norm([np.inf, 1]) == np.inf
    assert np.isnan(norm([np.nan, 1]))
    assert norm([-np.inf, 1]) == np.inf


# -- the picture ------------------------------------------------------------------------------


def points(path):
    """The corners of a polyline."""
    return [tuple(map(float, pair.split())) for pair in re.split("[ML]", path.get("d"))[1:]]


def texts(root):
    """Every line of writing with its extent: left, right, baseline."""
    shifts = dict.fromkeys(root.iter(f"{SVG}text"), (0.0, 0.0))
    for group in root.iter(f"{SVG}g"):
        if move := re.match(r"translate\((\S+) (\S+)\)", group.get("transform", "")):
            for line in group.iter(f"{SVG}text"):
                shifts[line] = tuple(map(float, move.groups()))
    for line, (dx, dy) in shifts.items():
        x, y, size = (float(line.get(k)) for k in ("x", "y", "font-size"))
        style = {"bold": line.get("font-weight") == "bold"}
        style["mono"] = "Mono" in line.get("font-family", "")
        wide = text.width(line.text or "", size, **style)
        left = dx + x - wide * {"end": 1, "middle": 0.5}.get(line.get("text-anchor"), 0)
        yield line, left, left + wide, dy + y


def check_texts(svg):
    """All writing inside the picture, and none on top of other writing."""
    root = ET.fromstring(svg)
    wide, high = float(root.get("width")), float(root.get("height"))
    lines = sorted(texts(root), key=lambda line: (round(line[3]), line[1]))
    for line, left, right, y in lines:
        assert left >= 0, line.text
        assert right <= wide, line.text
        assert 8 < y < high - 2, line.text
    for (one, _, right, y), (two, left, _, v) in pairwise(lines):
        assert abs(y - v) > 1 or right <= left, (one.text, two.text)


def lstm_loss(steps=20, layers=2):
    tg.manual_seed(1)
    output, _ = tg.nn.LSTM(2, 4, num_layers=layers)(tg.randn(steps, 2, 2))
    return output[-1].pow(2).sum()


@pytest.mark.parametrize(
    ("steps", "theme"), [(1, "light"), (2, "dark"), (7, "light"), (50, "dark"), (300, "light")]
)
def test_every_step_is_drawn_once_where_its_norm_belongs(steps, theme):
    chart = viz.gradient_flow(bptt.record(lstm_loss(steps)), theme=theme)
    check_texts(chart.svg)
    root = ET.fromstring(chart.svg)
    panels = [g for g in root.iter(f"{SVG}g") if g.get("class") == "state"]
    assert len(panels) == len(chart.flow) == 4
    by_layer = [list(chart.flow)[i] for i in (2, 3, 0, 1)]  # the top layer on top
    for panel, series in zip(panels, by_layer, strict=True):
        assert panel.get("data-name") == series.name
        plot = panel.find(f"{SVG}rect[@class='plot']")
        top = float(plot.get("y"))
        bottom = top + float(plot.get("height"))
        values = [x for s in chart.flow for part in s.norms() for x in part]
        axis = ValueAxis.logarithmic(values, top + 8, bottom - 8)
        for kind, norms in zip(("gradient", "direct", "through"), series.norms(), strict=True):
            corners = points(panel.find(f"{SVG}path[@class='{kind}']"))
            assert len(corners) == steps
            assert all(a < b for (a, _), (b, _) in pairwise(corners))
            for (_, y), value in zip(corners, norms, strict=True):
                assert y == pytest.approx(axis.y(value), abs=0.06)
                assert top <= y <= bottom


def test_a_thousand_steps_are_legible():
    output, _ = tg.nn.GRU(2, 3)(tg.randn(1000, 1, 2))
    check_texts(viz.gradient_flow(bptt.record(output.sum())).svg)


def test_gates_are_drawn_in_their_range():
    record = bptt.record(lstm_loss(6, layers=1))
    root = ET.fromstring(viz.gradient_flow(record).svg)
    panels = {g.get("data-name"): g for g in root.iter(f"{SVG}g") if g.get("class") == "gate"}
    assert list(panels) == ["i", "f", "g", "o"]
    for name, panel in panels.items():
        plot = panel.find(f"{SVG}rect[@class='plot']")
        low, top = -1.0 if name == "g" else 0.0, float(plot.get("y")) + 8
        height = float(plot.get("height")) - 16
        for (_, y), gate in zip(
            points(panel.find(f"{SVG}path[@class='mean']")),
            record.over_time(name).values(),
            strict=True,
        ):
            expected = top + height * (1 - gate.mean()) / (1 - low)
            assert y == pytest.approx(expected, abs=0.06)


def test_zeros_and_what_is_not_finite_have_places_of_their_own():
    axis = ValueAxis.logarithmic([0.0, 1e-30, 1e-3, 1.0, np.inf, np.nan], 0, 100)
    assert axis.y(1e-30) == axis.floor < axis.y(0.0) == axis.zero == 100
    assert axis.y(np.inf) == axis.y(np.nan) == axis.ceiling == 0
    assert 0 < axis.y(1.0) < axis.y(1e-3) < axis.floor
    for odd in ([0.0], [np.nan], [5e-324, 1e308], [1e-310], []):
        assert all(0 <= y <= 100 for y, _ in ValueAxis.logarithmic(odd, 0, 100).ticks())
    x = tg.ones(5, 1, 2)
    x[2] = float("nan")
    output, _ = tg.nn.LSTM(2, 3)(x)
    svg = viz.gradient_flow(bptt.record(output.sum())).svg
    check_texts(svg)
    assert ">nan, ∞<" in svg
    assert not re.search(r'd="[^"]*(nan|inf)', svg)


@pytest.mark.parametrize(("factor", "labels"), [(0.0, {"0"}), (1e-30, {"0", "≈0"})])
def test_what_is_zero_exactly_is_told_from_what_is_almost(factor, labels):
    """Nothing comes through time to the last step's state: that is zero, not almost."""
    output, _ = tg.nn.RNN(2, 3)(tg.ones(3, 1, 2))
    svg = viz.gradient_flow(bptt.record((output[0] + output[2] * factor).sum())).svg
    check_texts(svg)
    texts = {text.text for text in ET.fromstring(svg).iter(f"{SVG}text")}
    assert texts & {"0", "≈0"} == labels
    assert "0: zero exactly" in texts
    assert ("≈0: too small for the axis" in texts) == ("≈0" in labels)


@given(st.integers(-50, 1), st.integers(1, 6000), st.floats(20, 900))
def test_labels_of_ticks_do_not_touch(first, steps, wide):
    axis = TimeAxis(range(first, first + steps), 10.0, wide)
    ticks = axis.ticks()
    apart = {b - a for a, b in pairwise(ticks[1:-1])}
    assert len(apart) <= 1, "but for the ends they stand at one distance"
    spans = []
    for i in ticks:
        half = text.width(str(axis.steps[i]), 10.5) / 2
        spans.append((axis.middle(i) - half, axis.middle(i) + half))
    assert all(right < left for (_, right), (left, _) in pairwise(spans))


@pytest.mark.parametrize(("steps", "theme"), [(6, "light"), (40, "dark"), (700, "light")])
def test_steps_at_which_the_loss_enters_are_marked(steps, theme):
    tg.manual_seed(0)
    output, _ = tg.nn.LSTM(2, 3)(tg.randn(steps, 1, 2))
    record = bptt.record(output[steps // 2].sum() + output[-1].sum())
    for draw in (viz.heat_map, viz.gradient_flow):
        svg = draw(record, theme=theme).svg
        assert "the loss enters at this step" in svg
        marks = [path.get("d") for path in ET.fromstring(svg).iter(f"{SVG}path")
                 if path.get("class") == "entry"]  # fmt: skip
        panels = svg.count('class="state"') or 1
        assert len(marks) == 2 * panels + 1  # of the legend


def test_titles_say_which_backward_of_its_program_it_is():
    record = bptt.record(lstm_loss(3))
    assert "backward" not in viz.gradient_flow(record).title + viz.heat_map(record).title
    record.turn = 2
    for draw in (viz.heat_map, viz.gradient_flow):
        assert draw(record).title.endswith("3 time steps, the second backward of its program")


def test_lines_differ_without_colour():
    svg = viz.gradient_flow(bptt.record(lstm_loss(5, layers=1))).svg
    looks = {
        re.sub(r' (d|stroke|class)="[^"]*"', "", path)
        for path in re.findall(r'<path class="(?:gradient|direct|through)"[^>]*>', svg)
    }
    assert len(looks) == 3


def test_a_chart_is_shown_and_saved(tmp_path):
    chart = viz.gradient_flow(bptt.record(lstm_loss(3)), title="A <b>title</b>")
    assert chart.title == "A <b>title</b>"
    assert "A &lt;b&gt;title&lt;/b&gt;" in chart.svg
    assert chart._repr_mimebundle_()["image/svg+xml"] == chart.svg
    assert chart.save(tmp_path / "a.svg").read_text(encoding="utf-8") == chart.svg
    assert "</svg>" in chart.save(tmp_path / "a.html").read_text(encoding="utf-8")
    for bad in ("a.gif", "a.dot", "a"):
        with pytest.raises(ValueError, match=r"use \.svg, \.html, \.tex, \.png or \.pdf"):
            chart.save(tmp_path / bad)
    with pytest.raises(ValueError, match="'light', 'dark'"):
        viz.gradient_flow(bptt.record(lstm_loss(3)), theme="neon")
    with pytest.raises(TypeError, match=r"bptt\.record\(loss\) first"):
        viz.gradient_flow(lstm_loss(3))


def test_names_that_users_give_are_escaped():
    w, h = tg.tensor([0.5], requires_grad=True), tg.zeros(1)
    for t in (1, 2):
        with tg.scope("<i>&\u202e"), tg.step(t):
            z = tg.sigmoid(w * 2.0).named("]]><script>")
            h = tg.tanh(w * h + z).named('"<b>' + "x" * 90, "state")
    record = bptt.record(h.sum())
    for chart in (viz.gradient_flow(record), viz.heat_map(record)):
        check_texts(chart.svg)
        assert "<script>" not in chart.svg
        assert "\u202e" not in chart.svg
