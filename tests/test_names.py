"""What things are called in pictures: that it reads well, is unique, and cannot break a file."""

from __future__ import annotations

import re
import shutil
import subprocess
import unicodedata
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict

import numpy as np
import pytest
from cases import CASES, leaf, sequence
from hypothesis import given
from hypothesis import strategies as st
from pictures import SVG
from test_viz import NETWORKS, tangle

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, nn, viz
from tinygrad_rnn.engine.graph import tape
from tinygrad_rnn.reading.names import expression, names
from tinygrad_rnn.viz import text
from tinygrad_rnn.viz.build import scene_of
from tinygrad_rnn.viz.source import source_of
from tinygrad_rnn.writing.text import LEFT_TO_RIGHT, clean


class Net(nn.Module):
    """Token numbers through an embedding, a recurrent layer and a linear one."""

    def __init__(self, kind="LSTM", **options):
        super().__init__()
        self.emb = nn.Embedding(5, 2)
        self.rnn = getattr(nn, kind)(2, 3, **options)
        self.out = nn.Linear(3 * (1 + self.rnn.bidirectional), 5)

    def forward(self, tokens):
        return self.out(self.rnn(self.emb(tokens))[0])


def loss_of(kind="LSTM", steps=3, **options):
    scores = Net(kind, **options)(tg.tensor([[t % 5] for t in range(steps)]))
    return nn.functional.cross_entropy(scores.reshape(-1, 5), tg.tensor([0] * steps))


def called(loss):
    places = tape([loss.node])
    return places, names(places)


def lines(loss, step, layer=0, direction="forward"):
    """Name and expression of what a layer computes in a step."""
    places, known = called(loss)
    tag = (step, layer, direction)
    return [f"{known[p]} {expression(p, known)}" for p in places if p.tag[1:4] == tag]


# -- names for what has none ------------------------------------------------------------------


def test_an_lstm_reads_like_its_equations():
    x = "x₂ @ weight_ih_l0ᵀ + bias_ih_l0"
    h = "h₁ @ weight_hh_l0ᵀ + bias_hh_l0"
    assert lines(loss_of(), 2) == [
        f"W_ih x₂ = {x}",
        f"W_hh h₁ = {h}",
        "a₂ = W_ih x₂ + W_hh h₁",
        "a_i₂ = a₂[:, 0:3]",
        "a_f₂ = a₂[:, 3:6]",
        "a_g₂ = a₂[:, 6:9]",
        "a_o₂ = a₂[:, 9:12]",
        "i₂ = σ(a_i₂)",
        "f₂ = σ(a_f₂)",
        "g₂ = tanh(a_g₂)",
        "o₂ = σ(a_o₂)",
        "f⊙c′ = f₂ * c₁",
        "i⊙g = i₂ * g₂",
        "c₂ = f⊙c′ + i⊙g",
        "tanh c₂ = tanh(c₂)",
        "h₂ = o₂ * tanh c₂",
    ]


def test_a_gru_reads_like_its_equations():
    assert lines(loss_of("GRU"), 1)[2:] == [
        "z_x₁ = (W_ih x₁)[:, 3:6]",
        "n_x₁ = (W_ih x₁)[:, 6:9]",
        "W_hh h₀ = h₀ @ weight_hh_l0ᵀ + bias_hh_l0",
        "r_h₁ = (W_hh h₀)[:, 0:3]",
        "z_h₁ = (W_hh h₀)[:, 3:6]",
        "n_h₁ = (W_hh h₀)[:, 6:9]",
        "a_r₁ = r_x₁ + r_h₁",
        "r₁ = σ(a_r₁)",
        "a_z₁ = z_x₁ + z_h₁",
        "z₁ = σ(a_z₁)",
        "r⊙n_h = r₁ * n_h₁",
        "a_n₁ = n_x₁ + r⊙n_h",
        "n₁ = tanh(a_n₁)",
        "(h′−n) = h₀ − n₁",
        "z⊙(h′−n) = z₁ * (h′−n)",
        "h₁ = n₁ + z⊙(h′−n)",
    ]


def test_an_rnn_without_biases():
    assert lines(loss_of("RNN", bias=False), 1) == [
        "weight_ih_l0ᵀ = weight_ih_l0ᵀ",
        "W_ih x₁ = x₁ @ weight_ih_l0ᵀ",
        "weight_hh_l0ᵀ = weight_hh_l0ᵀ",
        "W_hh h₀ = h₀ @ weight_hh_l0ᵀ",
        "a_h₁ = W_ih x₁ + W_hh h₀",
        "h₁ = tanh(a_h₁)",
    ]


def test_round_the_layers():
    places, known = called(loss_of())
    outside = [known[p] for p in places if p.tag.step is None and not p.is_leaf]
    assert outside == [
        *("embedded", "output", "W_out output", "reshape", "log_softmax", "nll_loss", "loss"),
    ]


@pytest.mark.parametrize(
    ("build", "wanted"),
    [
        (lambda x, y, w: tg.tanh(x) * y, "tanh x"),
        (lambda x, y, w: -x * y, "−x"),
        (lambda x, y, w: x.square() * y, "x²"),
        (lambda x, y, w: (x * 0.5) + y, "x·0.5"),
        (lambda x, y, w: (1 - x) * y, "(1−x)"),
        (lambda x, y, w: x / y + 1, "x/y"),
        (lambda x, y, w: x @ w + 1, "xw"),
        (lambda x, y, w: x @ w.T + 1, "wx"),
        (lambda x, y, w: x @ tg.tanh(w).named("k").T + 1, "xkᵀ"),
        (lambda x, y, w: tg.sigmoid(x @ w).named("gate"), "a_gate"),
        (lambda x, y, w: tg.cat([x, y]) * 2, "[x;y]"),
        (lambda x, y, w: tg.exp(x * y) * 2, "exp (x⊙y)"),
        (lambda x, y, w: tg.ones(2, 2, requires_grad=True).named("Q") @ w.T, "Qwᵀ"),
        (lambda x, y, w: tg.ones(2, 2).named("X") @ w.T, "wX"),
    ],
)
def test_formulas_as_names(build, wanted):
    x, y = (tg.tensor([1.0, 2.0], requires_grad=True).named(n) for n in "xy")
    w = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True).named("w")
    assert wanted in called(build(x, y, w))[1].values()


def test_a_formula_that_another_step_reads_says_its_step():
    x = tg.tensor([1.0], requires_grad=True).named("x")
    with tg.step(1):
        product = x.clone().named("r") * x.clone().named("h")
    with tg.step(2):
        loss = (product + 1).named("y")
    places, known = called(loss)
    assert known[product.node] == "(r⊙h)₁"
    assert expression(places[-1], known) == "= (r⊙h)₁ + 1"


def test_what_two_places_could_be_called_is_numbered():
    x = tg.tensor([1.0], requires_grad=True).named("x")
    one, two = tg.exp(x), tg.exp(x)
    known = called((one + two).named("y"))[1]
    assert (known[one.node], known[two.node]) == ("exp x", "exp x#2")


def test_a_number_that_was_given_as_a_name_is_not_given_again():
    x = tg.tensor([1.0, 2.0], requires_grad=True).named("v1")
    known = called((x.cumsum(0) + x.exp()).cumsum(0).named("y"))[1]
    assert sorted(known.values()) == ["cumsum v1", "exp v1", "v1", "v2", "y"]


@pytest.mark.parametrize("build", [NETWORKS["lstm"], NETWORKS["rnn"], loss_of])
def test_the_same_position_has_the_same_name_in_every_step(build):
    places, known = called(build())
    found = defaultdict(dict)
    counts = Counter()
    for place in places:
        if not place.is_leaf and place.tag.step is not None:
            counts[place.primitive, place.tag] += 1
            position = (place.primitive, counts[place.primitive, place.tag], place.tag.scope)
            found[position, place.tag[2:4]][place.tag.step] = known[place]
    for by_step in found.values():
        stems = {re.sub("[₋₀-₉]+", "", name) for name in by_step.values()}
        assert len(stems) == 1, by_step


PROGRAMS = {
    **NETWORKS,
    **{f"random {seed}": lambda seed=seed: tangle(seed) for seed in range(12)},
    "stack": lambda: loss_of("LSTM", num_layers=3),
    "both directions": lambda: loss_of("GRU", bidirectional=True, num_layers=2),
    "projected": lambda: loss_of("LSTM", bias=False),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_names_are_unique_in_a_step_of_a_layer(program):
    places, known = called(PROGRAMS[program]())
    boxes = [p for p in places if not (p.shape == () and p.is_leaf and not p.requires_grad)]
    ours = [p for p in boxes if p.notes is None or p.notes.name is None]
    counts = Counter((known[p], *p.tag[:4]) for p in boxes)
    assert {counts[(known[p], *p.tag[:4])] for p in ours} <= {1}
    assert all(known[p] for p in places)


def test_names_cost_the_graph_nothing():
    loss = loss_of()
    places = tape([loss.node])
    before = [(p.notes and p.notes.name, p.tag) for p in places]
    viz.draw(loss).svg  # noqa: B018
    assert [(p.notes and p.notes.name, p.tag) for p in places] == before
    named = [p for p in places if not p.is_leaf and p.notes is not None and p.notes.name]
    assert len(named) == 3 * 7  # what nn names


# -- parameters -------------------------------------------------------------------------------


def parameters(loss):
    places, known = called(loss)
    return [known[p] for p in places if p.notes and p.notes.role == "parameter"]


def test_parameters_say_their_module_where_a_name_is_used_twice():
    rnn = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
    assert parameters(loss_of()) == ["emb.weight", *rnn, "out.weight", "out.bias"]


def test_parameters_of_a_deep_model_are_called_as_in_its_state_dict():
    class Half(nn.Module):
        def __init__(self):
            super().__init__()
            self.stack = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2))
            self.last = nn.Linear(2, 2, bias=False)

        def forward(self, x):
            return self.last(self.stack(x))

    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder, self.decoder = Half(), Half()

        def forward(self, x):
            return self.decoder(self.encoder(x))

    model = Whole()
    found = parameters(model(tg.ones(2)).sum())
    assert sorted(found) == sorted(name for name, _ in model.named_parameters())


def test_a_shared_parameter_is_the_first_users():
    class Tied(Net):
        def __init__(self):
            super().__init__("RNN", bias=False)
            self.out = nn.Linear(3, 2)
            self.rnn.weight_hh_l0 = self.out.weight = nn.Parameter(tg.ones(3, 3))

    assert "weight_hh_l0" in parameters(Tied().rnn(tg.ones(2, 2))[0].sum())


# -- other layers -----------------------------------------------------------------------------


def test_another_layers_tensor_is_told_by_its_layer():
    loss = loss_of("LSTM", num_layers=2)
    assert lines(loss, 2, 1)[:3] == [
        "W_ih h₂⁽⁰⁾ = h₂⁽⁰⁾ @ weight_ih_l1ᵀ + bias_ih_l1",
        "W_hh h₁ = h₁ @ weight_hh_l1ᵀ + bias_hh_l1",
        "a₂ = W_ih h₂⁽⁰⁾ + W_hh h₁",
    ]
    places, known = called(loss)
    (output,) = (p for p in places if known[p] == "output")
    assert expression(output, known) == "= stack(h₁⁽¹⁾, h₂⁽¹⁾, h₃⁽¹⁾)"
    states = [known.told(p) for p in places if known[p] == "h₀"]
    assert states == ["h₀⁽⁰⁾", "h₀⁽¹⁾"]  # though neither was made in a layer


def test_directions_are_told_apart():
    loss = loss_of("GRU", bidirectional=True, steps=2)
    places, known = called(loss)
    both = [p for p in places if p.primitive and p.primitive.name == "cat"]
    assert [expression(p, known) for p in both] == ["= [h₁⁽⁰⁾ ; h₁⁽⁰ʳ⁾]", "= [h₂⁽⁰⁾ ; h₂⁽⁰ʳ⁾]"]
    assert [known[p] for p in both] == ["[h;h]₁", "[h;h]₂"]
    assert lines(loss, 2, 0, "reverse")[-1] == "h₂ = n₂ + z⊙(h′−n)"


def test_names_can_be_replaced():
    x = tg.tensor([1.0], requires_grad=True).named("x")
    places, known = called(tg.exp(x * 2))
    inner = known.copy()
    inner[places[-1].parents[0]] = "twice x"
    assert expression(places[-1], inner) == expression(places[-1], dict(inner)) == "= exp(twice x)"
    assert expression(places[-1], known) == "= exp(x·2)"


def test_scopes_are_told_apart():
    loss = NETWORKS["bidirectional"]()
    places, known = called(loss)
    both = [p for p in places if p.primitive and p.primitive.name == "cat"]
    assert expression(both[1], known) == "= [forward.h₁ ; backward.h₁]"
    x = next(p for p in places if known[p] == "w")
    assert known.told(x) == "w"


def test_every_product_and_every_activation_is_named_as_such():
    b, w, u = (tg.ones(*s, requires_grad=True) for s in [(2,), (2, 3), (3, 2)])
    b, w, u, x = b.named("b"), w.named("W"), u.named("U"), tg.ones(1, 3).named("x")
    products = {
        "Wx": [tg.linear(x, w, b), tg.addmm(b, x, w.T), tg.addmv(b, w, x[0].named("x"))],
        "xU": [x @ u, tg.addmm(b, x, u)],
    }
    for name, several in products.items():
        for y in several:
            places, known = called(y * 2)
            assert known[y.node] == name
    slope = tg.full((1,), 0.25, requires_grad=True)
    a = tg.linear(x, w, b)
    places, known = called(tg.prelu(a, slope).named("f") * 2)
    assert [p for p in places if known[p] == "a_f"] == [a.node]


# -- expressions ------------------------------------------------------------------------------


@pytest.mark.parametrize("primitive", CASES)
def test_every_expression_has_all_its_operands(primitive):
    seen = 0
    for case in CASES[primitive]:
        tensors = [leaf(tg, a).named(n) for a, n in zip(case.arrays, "PQRSTUVW", strict=False)]
        roots = [y.node for y in sequence(case.fn(tg, *tensors)) if y.node is not None]
        places = tape(roots)
        known = names(places)
        for place in places:
            if place.primitive and place.primitive.name == primitive:
                found = expression(place, known)
                assert len(found) > 2, case
                assert found.startswith("= "), case
                for parent in place.parents:
                    assert known.told(parent, place) in found, (case.name, found)
                assert found.count("(") == found.count(")"), found
                assert found.count("[") == found.count("]"), found
                assert not re.search(r"[{}αβ]", found), found
                seen += 1
    assert seen


@pytest.mark.parametrize(
    ("build", "wanted"),
    [
        (lambda x, y: x[[0, 1], [1, 0]], "x[[0, 1], [1, 0]]"),
        (lambda x, y: x[tg.tensor([[0, 1, 0], [1, 1, 1]])], "x[indices 2×3]"),
        (lambda x, y: x[x.detach() > 1], "x[[[False, True], [True, True]]]"),
        (lambda x, y: (x * y)[0], "(x⊙y)[0]"),
        (lambda x, y: (x * y).T, "(x⊙y)ᵀ"),
        (lambda x, y: x - (y - x), "x − (y−x)"),
        (lambda x, y: x / (x * y), "x / (x⊙y)"),
        (lambda x, y: tg.exp(x) ** 2, "(exp x) ** 2"),
        (lambda x, y: x.square(), "x²"),
        (lambda x, y: x.reciprocal(), "1/x"),
        (lambda x, y: tg.addmm(x, x, y, alpha=0.5), "x + 0.5·x @ y"),
        (lambda x, y: tg.addmm(x, x, y, beta=2, alpha=-3), "2·x − 3·x @ y"),
        (lambda x, y: nn.functional.embedding(tg.tensor([1, 0]), x), "x[[1, 0]]"),
    ],
)
def test_expressions_read_like_the_program(build, wanted):
    x, y = (tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True).named(n) for n in "xy")
    places, known = called(build(x, y))
    assert expression(places[-1], known) == f"= {wanted}"


def test_writing_into_a_tensor_says_where():
    out = tg.zeros(3, 2).named("out")
    h = tg.ones(2, requires_grad=True).named("h₀")
    for t in range(1, 3):
        with tg.step(t):
            h = (h * 2).named("h")
            out[t] = h
    places, known = called(out)
    puts = [p for p in places if p.primitive and p.primitive.name == "index_put"]
    assert [expression(p, known) for p in puts] == ["= out[1] ← h₁", f"= {known[puts[0]]}[2] ← h₂"]


# -- hostile names ----------------------------------------------------------------------------

HOSTILE = {
    "markup": "<b onload='x'>bold</b>",
    "script": "</script><script>alert(1)</script>",
    "entity": "&lt;b&gt; &amp; &#65; &nbsp; &bogus;",
    "quotes": "\"double\" 'single' `back`",
    "lines": "two\nlines\r\nand\ta tab\u2028separator",
    "controls": "nul\x00 bell\x07 escape\x1b[31m \x7f\x9b",
    "right to left": "שלום עולם",
    "override": "\u202egnp.exe\u202c \u2066isolate\u2069",
    "tower": "Z" + "\u0351\u036b\u0343\u036a" * 30 + "algo",
    "loose mark": "\u0338h",
    "half a pair": "\ud83d lone \udc00",
    "family": "👩\u200d👩\u200d👧\u200d👦 🇩🇪 👍🏽",
    "wide": "状態ベクトル",
    "long": "w" * 5000,
    "blank": " \t\u00a0\u3000 ",
    "empty": "",
    "invisible": "\u200b\ufeff\u00ad",
    "dot escapes": "\\N \\G \\E \\T \\l \\r \\n \\",
    "dot html": "<<table><tr><td>x</td></tr></table>>",
    "dot record": "{a|<port>b}",
    "dot keyword": "strict digraph { node [label=x]; }",
    "cdata": "]]> <![CDATA[ x ]]>",
    "comment": "<!-- -- --> /* */ // #",
    "json": '{"a": [1, "\\u0041\\"}',
    "format": "%s %(x)d {0} {x} ${y} #{z}",
    "not in xml": "a\ufffe\uffff\ud800b\x0b\x0c",
    "private": "\ue000\U000f0000x",
    "subscript": "h₁₂",
    "number": "12",
}


def hostile_sum():
    total = tg.tensor([0.0], requires_grad=True).named("start")
    for name in HOSTILE.values():
        with tg.scope(name):
            total = total + tg.tensor([1.0], requires_grad=True).named(name)
    return total.named(HOSTILE["quotes"])


@pytest.fixture(scope="module")
def hostile():
    loss = hostile_sum()
    scene = scene_of(source_of(loss), title=" ".join(HOSTILE.values()))
    return scene, viz.draw(loss, level="op")


def shown(name):
    return clean(name).replace(LEFT_TO_RIGHT, "")


def test_hostile_names_in_svg(hostile):
    scene, picture = hostile
    root = ET.fromstring(picture.svg)  # refuses what XML forbids
    allowed = {f"{SVG}{tag}" for tag in ("svg", "g", "path", "rect", "text", "title", "desc")}
    assert {element.tag for element in root.iter()} <= allowed
    for group in root.iter(f"{SVG}g"):
        if "box" in group.get("class", "").split():
            box = scene.boxes[int(group.get("id")[1:])]
            (name,) = (t.text for t in group.iter(f"{SVG}text") if t.get("class") == "name")
            assert name == box.name
    assert not [c for c in picture.svg + picture.dot if c not in "\n\t" and is_hidden(c)]


def is_hidden(character):
    return unicodedata.category(character)[0] == "C" and character != "\u200e"


@pytest.mark.skipif(not shutil.which("dot"), reason="no system Graphviz")
def test_hostile_names_in_dot(hostile):
    scene, picture = hostile
    run = subprocess.run(["dot", "-Tsvg"], input=picture.dot.encode(), capture_output=True)
    assert (run.returncode, run.stderr) == (0, b"")
    found = {}
    for group in ET.fromstring(run.stdout).iter(f"{SVG}g"):
        if group.get("class") == "node":
            header = next(group.iter(f"{SVG}text")).text
            found[group.find(f"{SVG}title").text] = " ".join(header.split())
    wanted = {
        box.id: " ".join(f"{box.name} {box.expression or f'({box.note})'}".split())
        for box in scene.boxes.values()
    }
    assert found == wanted


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_left_of_a_hostile_name(kind):
    kept = shown(HOSTILE[kind])
    assert kept == shown(kept)
    assert len(kept) <= 60
    assert kept.isprintable()
    bare = kind in ("blank", "empty", "invisible")
    assert bool(kept) != bare
    if bare:  # the same as no name
        x = tg.tensor([1.0], requires_grad=True).named(HOSTILE[kind])
        assert called(x)[1][x.node] == "v1"


def test_marks_do_not_pile_up():
    assert clean(HOSTILE["tower"]) == "Z\u0351\u036b\u0343algo"
    assert clean("\u0338h") == "h"
    assert clean("Việt é นี้") == "Việt é นี้"


def test_right_to_left_names_leave_formulas_in_order():
    """An invisible left-to-right mark ends the name, so what follows stands to its right."""
    x, y = (tg.tensor([1.0], requires_grad=True).named(n) for n in ("שלום", "עולם"))
    places, known = called((x - y).named("d"))
    assert expression(places[-1], known) == "= שלום\u200e − עולם\u200e"
    assert text.width("שלום\u200e", 10) == text.width("שלום", 10)


@given(st.text(max_size=80))
def test_any_name_is_one_clean_line(name):
    kept = clean(name)
    assert clean(kept) == kept
    assert len(kept) <= 61
    assert not any(is_hidden(c) for c in kept)
    ET.fromstring(f'<a b="{text.xml(kept)}">{text.xml(kept)}</a>')


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_any_names_give_a_name_to_everything(one, two):
    x = tg.tensor([1.0, 2.0], requires_grad=True).named(one)
    with tg.step(1), tg.scope(two):
        y = tg.tanh(x * x).named(two)
    places, known = called((y * x).sum())
    assert all(known[p] and known.told(p) for p in places)
    assert all(expression(p, known).startswith("= ") for p in places if not p.is_leaf)


def test_records_are_drawn_with_these_names():
    svg = viz.draw(bptt.record(loss_of(steps=2)), level="op").svg
    for name in ("a_i₁", "f⊙c′", "tanh c₂", "W_hh h₁", "out.weight", "loss"):
        assert f">{name}</text>" in svg
    assert np.count_nonzero(["v4" in svg, "v5" in svg]) == 0


def test_names_are_the_same_where_anomalies_are_looked_for():
    """A place then knows the line that made it; its number among its like is still the same."""

    def program():
        h = x = tg.ones(2, requires_grad=True)
        for t in (1, 2):
            with tg.step(t):
                a = tg.tanh(x.exp().exp() * 3.0 - h)
                b = tg.tanh(h.exp().exp() * a + 5.0)
                h = a * b.exp() + x
        return h.sum()

    places, known = called(program())
    with tg.autograd.detect_anomaly():
        watched, others = called(program())
    assert [known[p] for p in places] == [others[p] for p in watched]
