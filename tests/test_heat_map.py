"""The heat map: every norm once, in its colour, and legible beside it."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import Reader
from test_flow import Net, check_texts

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, viz
from tinygrad_rnn.compat.watching import Watch
from tinygrad_rnn.writing.figures import Scale, number
from tinygrad_rnn.writing.palette import THEMES

SVG = "{http://www.w3.org/2000/svg}"


class Map:
    """What stands in a heat map, by the name of the band (each given once)."""

    def __init__(self, svg):
        check_texts(svg)
        self.root = ET.fromstring(svg)
        groups = [g for g in self.root.iter(f"{SVG}g") if g.get("class") == "band"]
        self.names = [group.get("data-name") for group in groups]
        self.bands = dict(zip(self.names, groups, strict=True))

    def slivers(self, name):
        """Left, width, colour, the steps and the number of each sliver."""
        for path in self.bands[name].findall(f"{SVG}path[@class='sliver']"):
            left, _, wide = map(float, re.findall(r"[\d.]+", path.get("d"))[:3])
            when, shown = path.find(f"{SVG}title").text.removeprefix("t = ").split(": ")
            first, _, last = when.partition("–")
            yield left, wide, path.get("fill"), range(int(first), int(last or first) + 1), shown

    def texts(self, name, kind):
        return [t.text for t in self.bands[name].iter(f"{SVG}text") if t.get("class") == kind]


def network(kind=tg.nn.LSTM, steps=12, loss=lambda output: output[-1].pow(2).sum(), **options):
    tg.manual_seed(0)
    layer = kind(2, 3, **options)
    output, _ = layer(tg.randn(steps, 2, 2))
    return layer, bptt.record(loss(output))


def expected(layer, record):
    """The norms by band, from `bptt.flow` and `bptt.contributions`."""
    norms = {s.name: dict(zip(s.steps, s.norms().gradient, strict=True)) for s in bptt.flow(record)}
    for name, parameter in layer.named_parameters():
        shares = bptt.contributions(record, parameter)
        norms[name] = {t: float(np.linalg.norm(share.astype(float))) for t, share in shares.items()}
    return norms


@pytest.mark.parametrize("kind", [tg.nn.RNN, tg.nn.LSTM, tg.nn.GRU])
@pytest.mark.parametrize(("steps", "theme"), [(3, "light"), (30, "dark"), (500, "light")])
def test_every_step_is_in_one_sliver_with_the_records_number(kind, steps, theme):
    layer, record = network(kind, steps)
    norms = expected(layer, record)
    chart = Map(viz.heat_map(record, theme=theme).svg)
    assert set(chart.names) == set(norms)
    scale = Scale.of(x for band in norms.values() for x in band.values())
    colours = [heat.fill for heat in THEMES[theme].heat]
    for name, band in norms.items():
        seen, right = [], None
        for left, wide, colour, here, shown in chart.slivers(name):
            assert right is None or left == pytest.approx(right, abs=0.02)
            assert wide >= 1.79 or here.stop > steps
            right = left + wide
            largest = max(band[t] for t in here)
            assert shown == number(largest)
            assert colour == colours[scale.bin(largest)]
            seen += here
        assert seen == list(range(1, steps + 1))
        first, last, largest, smallest = chart.texts(name, "summary")
        assert (first, last) == (number(band[1]), number(band[steps]))
        assert largest == f"{number(max(band.values()))} (t={max(band, key=band.get)})"
        assert smallest == f"{number(min(band.values()))} (t={min(band, key=band.get)})"
        if steps == 3:
            assert chart.texts(name, "number") == [number(x) for x in band.values()]


def test_the_picture_says_what_a_sliver_stands_for():
    assert "One sliver per time step." in viz.heat_map(network(tg.nn.RNN, 400)[1]).svg
    assert "One sliver stands for 2 time steps" in viz.heat_map(network(tg.nn.RNN, 800)[1]).svg


def test_layers_stand_on_top_of_each_other():
    _, record = network(tg.nn.GRU, num_layers=2, bidirectional=True)
    svg = viz.heat_map(record).svg
    labels = re.findall(r">(gru, [^<]*)<", svg)
    lower, upper = ([f"gru, layer {n}, reverse", f"gru, layer {n}"] for n in (0, 1))
    assert labels == upper + lower
    chart = Map(svg)
    assert chart.names.count("h") == 4
    assert chart.names.index("weight_hh_l1") < chart.names.index("weight_hh_l0_reverse")


def test_steps_that_a_band_does_not_have_stay_blank():
    w, u = (tg.tensor([0.5], requires_grad=True).named(name) for name in "wu")
    h = tg.zeros(1)
    for t in (1, 2, 3, 4):
        with tg.step(t):
            h = tg.tanh(w * h + (u if t % 2 else 1.0)).named("h")
    chart = Map(viz.heat_map(bptt.record(h.sum())).svg)
    assert chart.names == ["h", "w", "u"]
    steps = [t for *_, here, _ in chart.slivers("u") for t in here]
    assert steps == [1, 3]


def test_inputs_and_initial_states_are_no_parameters():
    x = tg.ones(3, 1, 2, requires_grad=True)
    start = tg.zeros(1, 1, 2, requires_grad=True)
    output, _ = tg.nn.RNN(2, 2, bias=False)(x, start)
    chart = Map(viz.heat_map(bptt.record(output.sum())).svg)
    assert chart.names == ["h", "weight_ih_l0", "weight_hh_l0"]


def read_at(index):
    """A loop whose input requires grad, and is read by an index of its own kind at each step."""

    def program(w, x, h):
        for t in (1, 2, 3):
            with tg.step(t):
                h = tg.tanh(w * h + index(x, t)).named("h")
        return h

    return program


def made_within(w, x, h):
    for t in (1, 2, 3):
        with tg.step(t):
            if t == 1:
                bias = tg.ones(2, requires_grad=True).named("x")
            h = tg.tanh(w * h + bias).named("h")
    return h


def from_a_start(w, x, h):
    start = tg.zeros(2, requires_grad=True).named("h0")
    h = start
    for t in (1, 2, 3):
        with tg.step(t):
            h = tg.tanh(w * h + 0.5 * start).named("h")
    return h


def whole_and_in_parts(w, x, h):
    for t in (1, 2, 3):
        with tg.step(t):
            h = tg.tanh(w * h + (x.sum() if t == 1 else x[t])).named("h")
    return h


SAME_LEAVES = {
    "a slice": (read_at(lambda x, t: x[t]), "w"),
    "a span": (read_at(lambda x, t: x[t : t + 1].sum(0)), "w"),
    "a list of indices": (read_at(lambda x, t: x[[t]].sum(0)), "w"),
    "a mask": (read_at(lambda x, t: x[tg.arange(4) == t].sum(0)), "w"),
    "made within a step": (made_within, "w"),
    "an initial state": (from_a_start, "w"),
    "read in parts, and as a whole": (whole_and_in_parts, "wx"),
}


@pytest.mark.parametrize("program", SAME_LEAVES)
def test_the_map_and_the_picture_call_the_same_leaves_parameters(program):
    build, parameters = SAME_LEAVES[program]
    w, x = (
        tg.ones(*shape, requires_grad=True).named(n) for n, shape in (("w", (2,)), ("x", (4, 2)))
    )
    record = bptt.record(build(w, x, tg.zeros(2)).sum())
    reader = Reader(viz.draw(record, level="op").svg)
    painted = {name for box in reader.styled("parameter") for name in reader.texts(box, "name")}
    chart = Map(viz.heat_map(record).svg)
    assert painted == set(parameters) == {*chart.names} - {"h"}
    if "x" in parameters:
        steps = {t for *_, here, _ in chart.slivers("x") for t in here}
        assert steps == set(bptt.contributions(record, x))


READS = {
    "at": lambda x, t: x[t],
    "span": lambda x, t: x[t : t + 1].sum(0),
    "list": lambda x, t: x[[t]].sum(0),
    "whole": lambda x, t: x.sum(0),
    "square": lambda x, t: (x * x)[t],
}


@settings(max_examples=25)
@given(st.lists(st.sampled_from(sorted(READS)), min_size=2, max_size=4))
def test_however_steps_read_a_leaf_map_and_picture_agree_on_it(reads):
    w, x = tg.ones(2, requires_grad=True).named("w"), tg.ones(4, 2, requires_grad=True).named("x")
    h = tg.zeros(2)
    for t, read in enumerate(reads):
        with tg.step(t):
            h = tg.tanh(w * h + READS[read](x, t)).named("h")
    record = bptt.record(h.sum())
    reader = Reader(viz.draw(record, level="op", steps="all").svg)
    painted = {name for box in reader.styled("parameter") for name in reader.texts(box, "name")}
    assert {*Map(viz.heat_map(record).svg).names} == painted | {"h"}


def test_a_loop_of_ones_own_with_modules():
    chart = Map(viz.heat_map(bptt.record(Net()(tg.ones(4, 1, 2)))).svg)
    assert sorted(chart.names) == ["bias"] * 3 + ["h"] + ["weight"] * 3


def test_time_may_begin_anywhere():
    w, h = tg.tensor(0.5, requires_grad=True).named("w"), tg.tensor(1.0)
    for t in range(-2, 3):
        with tg.step(10 * t):
            h = (w * h).named("h")
    chart = Map(viz.heat_map(bptt.record(h)).svg)
    assert chart.texts("h", "summary")[2:] == ["1.000 (t=20)", "0.062 (t=-20)"]


def test_nothing_but_zeros_and_nothing_finite():
    for factor, shown in ((0.0, "0"), (math.inf, "nan")):
        _, record = network(steps=3, loss=lambda output, k=factor: (output * k).sum() * 0.0)
        chart = Map(viz.heat_map(record).svg)
        assert set(chart.texts("h", "number")) == {shown}


def test_a_step_that_is_not_finite_is_the_largest():
    x = tg.ones(6, 1, 2)
    output, _ = tg.nn.RNN(2, 2)(x)
    weights = tg.ones(6, 1, 2)
    weights[2] = math.nan
    chart = Map(viz.heat_map(bptt.record((output * weights).sum())).svg)
    first, last, largest, smallest = chart.texts("h", "summary")
    assert (first, largest) == ("nan", "nan (t=1)")
    assert "nan" not in last + smallest


@settings(max_examples=25)
@given(
    steps=st.integers(1, 40),
    layers=st.integers(1, 2),
    bidirectional=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_layer_has_a_legible_map(steps, layers, bidirectional, seed):
    tg.manual_seed(seed)
    layer = tg.nn.LSTM(1, 2, num_layers=layers, bidirectional=bidirectional)
    output, _ = layer(tg.randn(steps, 1, 1) * 10.0 ** (seed % 7))
    chart = Map(viz.heat_map(bptt.record(output.sum())).svg)
    assert len(chart.names) == layers * (1 + bidirectional) * 6


def test_the_same_record_gives_the_same_bytes():
    texts = {viz.heat_map(network(tg.nn.GRU, num_layers=2)[1]).svg for _ in range(2)}
    assert len(texts) == 1


def test_heat_map_refuses_what_it_cannot_draw():
    x = tg.tensor([1.0], requires_grad=True)
    with pytest.raises(TypeError, match=r"bptt\.record\(loss\) first"):
        viz.heat_map(x)
    with pytest.raises(ValueError, match="no time step of this graph goes on from another"):
        viz.heat_map(bptt.record((x * 2).sum()))
    for theme in ("neon", None, ["light"]):
        with pytest.raises(ValueError, match="'light', 'dark'"):
            viz.heat_map(network()[1], theme=theme)
    with pytest.raises(TypeError, match="title=5: give a text"):
        viz.heat_map(network()[1], title=5)


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", THEMES)
def test_numbers_and_lines_stand_out_from_what_is_behind_them(theme):
    look = THEMES[theme]

    def contrast(one, two):
        light, dark = sorted((luminance(one), luminance(two)), reverse=True)
        return (light + 0.05) / (dark + 0.05)

    writing = [(look.ink, look.paper), (look.muted, look.paper), (look.ink, look.band)]
    writing += [(heat.text, heat.fill) for heat in look.heat]
    assert min(contrast(*pair) for pair in writing) >= 4.5
    lines = (look.gradient, look.recurrent, look.boxes["input"].border)
    assert min(contrast(line, look.band) for line in lines) >= 3


def test_slivers_of_exact_zeros_are_underlined():
    """The loss reads the first two of five states: what comes after gets zeros, not little."""
    output, _ = tg.nn.RNN(2, 3)(tg.ones(5, 1, 2))
    svg = viz.heat_map(bptt.record((output[0] + output[1] * 1e-30).sum())).svg
    root = ET.fromstring(svg)
    band = next(g for g in root.iter(f"{SVG}g") if g.get("data-name") == "h")
    starts = {
        kind: [p.get("d")[1:].split()[0] for p in band.iter(f"{SVG}path") if p.get("class") == kind]
        for kind in ("sliver", "zero")
    }
    assert starts["zero"] == starts["sliver"][2:]
    assert len(starts["zero"]) == 3
    assert "underlined: zero exactly" in svg
    output, _ = tg.nn.RNN(2, 3)(tg.ones(5, 1, 2), tg.ones(1, 1, 3))
    without = viz.heat_map(bptt.record(output.sum())).svg
    assert 'class="zero"' not in without


def test_no_gradient_is_told_from_a_zero():
    """A walk to one weight alone passes the states by; of what comes to them nothing is known."""
    tg.manual_seed(0)
    cell, out = tg.nn.RNNCell(2, 3), tg.nn.Linear(3, 1)
    h, total = tg.zeros(1, 3), tg.zeros(())
    for x in tg.randn(4, 1, 2):
        h = cell(x, h)
        total = total + out(h).sum()
    watch = Watch(1, lambda record: None)
    with watch():
        total.backward(inputs=[out.weight])
    svg = viz.heat_map(watch.record).svg
    chart = Map(svg)
    assert not list(chart.slivers("h"))
    assert len(chart.bands["h"].findall(f"{SVG}path[@class='none']")) == 4
    assert chart.texts("h", "summary") == ["none"] * 4
    assert "dotted: no gradient comes" in svg
    assert "dotted" not in viz.heat_map(network()[1]).svg
