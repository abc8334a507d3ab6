"""Pictures of cells: what stands in them, that nothing collides, and that the numbers are right."""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
from collections import defaultdict
from itertools import combinations, pairwise

import numpy as np
import pytest
from alike import assert_alike
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import (
    SVG,
    Reader,
    along,
    check_geometry,
    check_texts,
    check_writing,
    corners,
    in_two_runs,
    size_of,
)
from recurrences import LAYERS, LOOPS, NETWORKS, cells, elman, layer, packed, plain_lstm, rnn_cell
from test_viz import HOSTILE, tangle

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, viz
from tinygrad_rnn.viz.build import scene_of
from tinygrad_rnn.viz.layout import lay_out
from tinygrad_rnn.viz.scene import Lane
from tinygrad_rnn.viz.source import source_of
from tinygrad_rnn.writing import figures


def cell_picture(loss, **options):
    record = bptt.record(loss)
    return record, Reader(viz.draw(record, **{"level": "cell"} | options).svg)


def check(reader):
    check_geometry(reader)
    check_texts(reader)
    check_writing(reader)


def named(record, name, step, layer=0, direction="forward"):
    """The one place of that name at a step of a built-in layer."""
    (found,) = (
        place
        for place in record.places
        if place.notes is not None
        and (place.notes.name, place.tag.step) == (name, step)
        and (place.tag.layer, place.tag.direction) == (layer, direction)
    )
    return found


def norm(array):
    return figures.number(float(np.sqrt(np.sum(np.asarray(array, dtype=float) ** 2))))


# -- nothing collides -------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_collides(name):
    _, reader = cell_picture(NETWORKS[name]())
    check(reader)


@st.composite
def layers(draw):
    """A built-in layer of any kind, with its loss."""
    kind = draw(st.sampled_from(["RNN", "LSTM", "GRU"]))
    count, both = draw(st.integers(1, 2)), draw(st.booleans())
    if draw(st.integers(0, 3)) == 0:
        return packed(kind, num_layers=count, bidirectional=both)
    more = {"dropout": 0.5} if count > 1 and draw(st.booleans()) else {}
    more |= {"proj_size": 1} if kind == "LSTM" and draw(st.booleans()) else {}
    more |= {"batch": draw(st.sampled_from([0, 0, 1, 3])), "given": draw(st.booleans())}
    steps = draw(st.sampled_from([1, 2, 3, 4, 9, 50]))
    last = draw(st.booleans())
    return layer(kind, steps, layers=count, bidirectional=both, last=last, **more)


@settings(max_examples=25)
@given(layers())
def test_any_layer_has_a_picture_without_collisions(loss):
    _, reader = cell_picture(loss)
    check(reader)


@pytest.mark.parametrize("seed", range(8))
def test_any_graph_has_a_picture_of_cells_without_collisions(seed):
    _, reader = cell_picture(tangle(seed), max_nodes=1000)
    check(reader)


@pytest.mark.parametrize("name", ["LSTM, given states", "LSTM, both ways", "swap", "fed back"])
def test_wires_of_different_tensors_do_not_run_on_top_of_each_other(name):
    record = bptt.record(NETWORKS[name]())
    straight = [
        (wire.edge, a, b)
        for wire in lay_out(scene_of(source_of(record), level="cell")).wires
        for a, b in pairwise([] if wire.curved else wire.points)
    ]
    for (e, a, b), (f, c, d) in combinations(straight, 2):
        if e.source == f.source or e.target == f.target:
            continue
        for k in (0, 1):
            same = abs(a[k] - b[k]) < 0.1 and abs(c[k] - d[k]) < 0.1 and abs(a[k] - c[k]) < 2
            ends = sorted([a[1 - k], b[1 - k]]), sorted([c[1 - k], d[1 - k]])
            overlap = min(ends[0][1], ends[1][1]) - max(ends[0][0], ends[1][0])
            assert not (same and overlap > 3), (e, f)


@pytest.mark.parametrize("name", ["cells, twelve steps", "Elman, twenty steps", "buffer", "skip"])
def test_nothing_collides_at_the_level_of_operations(name):
    reader = Reader(viz.draw(bptt.record(NETWORKS[name]()), level="op").svg)
    check(reader)


def test_every_wire_of_cells_has_its_gradient_beside_it():
    """All that flows back has one look: an arrow along its wire, straight or bent, but apart."""
    _, reader = cell_picture(layer(steps=3, layers=2, bidirectional=True))
    back = defaultdict(list)
    for b, a, d, _ in reader.halos:
        back[a, b].append(corners(d))
    straight = bent = 0
    for a, b, d, _ in reader.edges:
        points = corners(d)
        for other in back[a, b]:
            near = [min(math.dist(p, q) for q in along(points)) for p in along(other)]
            assert min(near) > 8 or len(back[a, b]) > 1
            assert max(near) < 22 or len(back[a, b]) > 1
            across, down = (max(p[k] for p in points) - min(p[k] for p in points) for k in (0, 1))
            straight, bent = straight + (min(across, down) < 0.1), bent + (min(across, down) > 1)
    assert straight > 10
    assert bent > 3
    assert not [path for *_, path in reader.halos if path.get("opacity")]


def test_a_wire_is_under_its_gradient_where_boxes_are_operations():
    _, reader = cell_picture(layer(steps=3), level="op")
    assert {path.get("opacity") for *_, path in reader.halos} == {"0.55"}


# -- where cells stand ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["LSTM", "LSTM of fifty", "GRU, both ways, two layers", "LSTM, projected", "packed GRU"],
)
def test_cells_of_a_layer_stand_in_a_row_with_their_lanes_in_line(name):
    _, reader = cell_picture(LAYERS[name]())
    bands = defaultdict(list)
    for i in reader.styled("cell"):
        bands[reader.texts(i, "name")[0]].append(i)
    elided = reader.styled("elided")
    assert bands
    for title, boxes in bands.items():
        rects = [reader.rects[i] for i in boxes]
        assert len({(r.top, r.bottom) for r in rects}) == 1, title
        row = rects[0]
        folded = [i for i in elided if reader.rects[i].top == row.top]
        for lane in "ch":
            heights = {reader.heights(i)[lane] for i in boxes + folded if lane in reader.heights(i)}
            assert len(heights) <= 1, (title, lane)


def test_recurrent_wires_run_along_their_lanes():
    for bidirectional in (False, True):
        _, reader = cell_picture(layer(steps=3, bidirectional=bidirectional))
        level = [p for p in reader.edges if "recurrent" in p[3].get("class")]
        assert len(level) == 6 * (1 + bidirectional)
        for source, target, d, _ in level:
            (x, y), (to_x, to_y) = corners(d)
            assert y == to_y
            lanes = reader.heights(target)
            assert min(abs(lanes[lane] - y) for lane in lanes) < 12
            reverse = "reverse" in reader.texts(target, "name")[0]
            assert (to_x < x) == reverse
            at = reader.rects[source]
            assert x == pytest.approx(at.left if reverse else at.right, abs=0.2)


def test_initial_states_stand_where_their_layer_begins():
    _, reader = cell_picture(layer("GRU", 3, bidirectional=True, given=True))
    columns = [reader.rects[i] for i in reader.styled("cell")]
    initial = [reader.rects[i] for i in reader.styled("initial")]
    assert len(initial) == 2
    before, after = sorted(initial, key=lambda r: r.left)
    assert before.right < min(r.left for r in columns)
    assert after.left > max(r.right for r in columns)


def test_given_states_are_one_box_for_each_layer_with_the_gradient_of_their_part():
    record, reader = cell_picture(layer(steps=3, layers=2, given=True))
    assert len(reader.styled("initial")) == 4
    assert not [i for i in reader.ids if reader.texts(i, "name") in (["h0"], ["c0"])]
    wanted = sorted(
        norm(part)
        for place in record.places
        if place.is_leaf and place.notes and place.notes.name in ("h0", "c0")
        for part in record.gradient(place)
    )
    found = sorted(
        reader.norm_of(source, target)
        for source, target, _, _ in reader.edges
        if source in reader.styled("initial")
    )
    assert found == wanted


def test_one_zero_that_is_several_initial_states_has_a_box_for_each():
    _, reader = cell_picture(plain_lstm(layers=2))
    initial = reader.styled("initial")
    assert len(initial) == 4
    cells_of_first_step = {i for i in reader.styled("cell") if reader.step_of(i) == 1}
    ends = [target for source, target, _, _ in reader.edges if source in initial]
    assert sorted(ends) == sorted([*cells_of_first_step] * 2)


def test_layers_that_run_one_after_the_other_stay_together():
    _, reader = cell_picture(NETWORKS["encoder and decoder of two layers"]())
    tops = {reader.texts(i, "name")[0]: reader.rects[i].top for i in reader.styled("cell")}
    order = [f"gru{which}: GRU, layer {layer}" for which in ("", " 2") for layer in (0, 1)]
    assert sorted(tops, key=lambda title: -tops[title]) == order


def test_dropout_stands_between_its_layers():
    _, reader = cell_picture(LAYERS["GRU, dropout"]())
    boxes = [i for i in reader.ids if "dropout" in "".join(reader.texts(i, "expression"))]
    assert len(boxes) == 3
    tops = {reader.texts(i, "name")[0]: reader.rects[i] for i in reader.styled("cell")}
    for i in boxes:
        assert tops["GRU, layer 1"].bottom < reader.rects[i].top
        assert reader.rects[i].bottom < tops["GRU, layer 0"].top


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("plain LSTM", 1),
        ("two plain LSTMs", 2),
        ("swap", 1),
        ("skip", 1),
        ("attention", 1),
        ("fed back", 1),
        ("backwards", 1),
        ("cells", 2),
        ("Elman", 1),
        ("gated", 1),
    ],
)
def test_cells_are_found_in_loops(name, count):
    """Every step of a loop has its cells, and each of them what goes from step to step."""
    record, reader = cell_picture(LOOPS[name]())
    steps = {place.tag.step for place in record.places if not place.is_leaf} - {None}
    assert len(reader.styled("cell")) == count * len(steps)


def test_cells_are_called_after_their_modules_and_kinds():
    _, reader = cell_picture(cells())
    assert {reader.texts(i, "name")[0] for i in reader.styled("cell")} == {
        "lower: LSTM",
        "upper: GRU",
    }


# -- numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [2, 4, 9])
def test_lanes_show_the_states_and_their_gradients(steps):
    record, reader = cell_picture(layer(steps=steps, layers=2), steps="all")
    for i in reader.styled("cell"):
        number = int(reader.texts(i, "name")[0][-1])
        step = reader.step_of(i)
        states = [named(record, name, step, number) for name in "ch"]
        chips = [f"‖∂‖ {norm(record.gradient(state))}" for state in states]
        assert reader.texts(i, "grad") == chips
        values = [figures.array(record.value(state))[0] for state in states]
        assert reader.texts(i, "value") == values


def test_gates_show_their_means():
    record, reader = cell_picture(layer(steps=2))
    for i in reader.styled("cell"):
        step = reader.step_of(i)
        assert reader.texts(i, "gate") == ["i", "f", "g", "o"]
        notes = [t.text for t in reader.boxes[i].iter(f"{SVG}title") if ": mean" in t.text]
        means = [np.mean(record.value(named(record, name, step))) for name in "ifgo"]
        assert notes == [f"{n}: mean {m:.3f}" for n, m in zip("ifgo", means, strict=True)]
        assert reader.texts(i, "gate-mean") == [f"{m:.2f}" for m in means]


def crossing(record, tensor, cell):
    """The norm of all that the nodes of a cell sent to a tensor, straight from the visits."""
    sent = [
        np.asarray(c)
        for visit in record.visits
        if visit.node in cell
        for parent, c in zip(visit.node.parents, visit.contributions, strict=True)
        if parent is tensor and c is not None
    ]
    return norm(sum(sent))


def test_the_gradient_that_crosses_a_boundary_is_what_the_cell_sent_across():
    record, reader = cell_picture(layer(steps=3, layers=2))
    cell = defaultdict(set)
    for place in record.places:
        if not place.is_leaf and place.tag.layer is not None:
            cell[place.tag.layer, place.tag.step].add(place)
    by_key = {}
    for i in reader.styled("cell"):
        by_key[int(reader.texts(i, "name")[0][-1]), reader.step_of(i)] = i
    for step in (1, 2):
        for number in (0, 1):
            found = reader.norms_of(by_key[number, step], by_key[number, step + 1])
            states = [named(record, name, step, number) for name in "ch"]
            wanted = [crossing(record, state, cell[number, step + 1]) for state in states]
            assert sorted(found) == sorted(wanted)
    for step in (1, 2, 3):
        found = reader.norms_of(by_key[0, step], by_key[1, step])
        assert found == [crossing(record, named(record, "h", step), cell[1, step])]


def test_the_norms_are_written_on_the_picture():
    _, reader = cell_picture(layer(steps=3, layers=2))
    told = sorted(size_of(path) for *_, path in reader.halos)
    written = sorted(t.text for t in reader.root.iter(f"{SVG}text") if t.get("class") == "norm")
    assert written == told


@pytest.mark.parametrize("steps", [4, 9])
def test_one_panel_of_weights_for_each_layer_and_direction(steps):
    _, reader = cell_picture(layer("GRU", steps, layers=2, bidirectional=True))
    panels = {reader.texts(i, "name")[0]: i for i in reader.styled("weights")}
    where = ["layer 0", "layer 0, reverse", "layer 1", "layer 1, reverse"]
    assert sorted(panels) == sorted([*(f"GRU, {w}" for w in where), "linear"])
    drawn = {reader.texts(i, "name")[0]: set() for i in reader.styled("cell")}
    for source, target, _, _ in reader.edges:
        for title, panel in panels.items():
            if source == panel and title in drawn:
                assert reader.texts(target, "name")[0] == title
                drawn[title].add(reader.step_of(target))
    shown = set(range(1, 5)) if steps == 4 else {1, 2, 7, 8, 9}
    assert all(taps == shown for taps in drawn.values())


def test_bars_are_the_contributions_of_the_time_steps():
    tg.manual_seed(0)
    net = tg.nn.LSTM(2, 2, dtype=tg.float64)
    output, _ = net(tg.randn(12, 2, dtype=tg.float64))
    record, reader = cell_picture((output**2).sum())
    (panel,) = reader.styled("weights")
    bars = iter(reader.marks(panel, "bar"))
    for name, parameter in net.named_parameters():
        shares = bptt.contributions(record, parameter)
        sizes = [float(np.linalg.norm(shares[step])) for step in range(1, 13)]
        row = [next(bars) for _ in sizes]
        assert [note for note, _ in row] == [
            f"{name}, t = {step}: {size:.3g}" for step, size in enumerate(sizes, 1)
        ]
        heights = [float(mark.get("height")) for _, mark in row]
        for size, height in zip(sizes, heights, strict=True):  # each row up to its own largest
            assert height == pytest.approx(max(heights) * size / max(sizes), abs=0.7)
            assert (height > 0) == (size > 0)
    assert next(bars, None) is None
    chips = [f"‖∂‖ {norm(parameter.grad.numpy())}" for parameter in net.parameters()]
    assert reader.texts(panel, "grad") == chips


def test_slivers_are_the_gradients_of_the_steps_that_are_left_out():
    record, reader = cell_picture(layer(steps=50, layers=2, last=True))
    folded = [i for i in reader.styled("elided") if reader.texts(i, "name")[0] != "x"]
    folded = [i for i in folded if reader.marks(i, "sliver")]
    assert len(folded) == 2
    folded.sort(key=lambda i: -reader.rects[i].top)
    shades = set()
    for number, i in enumerate(folded):
        slivers = reader.marks(i, "sliver")
        assert len(slivers) == 2 * 45
        for lane, name in enumerate("ch"):
            for step, (note, mark) in zip(
                range(3, 48), slivers[45 * lane : 45 * lane + 45], strict=True
            ):
                size = float(np.linalg.norm(record.gradient(named(record, name, step, number))))
                assert note == f"t = {step}: ‖∂‖ {size:.3g}"
                shades.add((size, mark.get("fill")))
    fills = [fill for _, fill in sorted(shades)]
    changes = sum(a != b for a, b in pairwise(fills))
    assert changes == len(set(fills)) - 1  # one colour after the other as norms grow
    assert changes >= 3


def test_slivers_stand_in_the_order_of_time_in_both_directions():
    _, reader = cell_picture(layer(steps=12, bidirectional=True))
    for i in reader.styled("elided"):
        steps = [note.split(":")[0] for note, _ in reader.marks(i, "sliver")]
        assert steps == [f"t = {t}" for t in range(3, 10)] * (len(steps) // 7)


def test_visits_are_the_range_of_the_members():
    record, reader = cell_picture(layer(steps=3))
    for i in reader.styled("cell"):
        numbers = [
            visit.number
            for visit in record.visits
            if (visit.node.tag.layer, visit.step) == (0, reader.step_of(i))
        ]
        assert reader.texts(i, "visit") == [f"{min(numbers)}–{max(numbers)}"]


def test_visits_that_lie_apart_are_no_range():
    _, reader = cell_picture(plain_lstm(steps=12))
    numbers = [text for i in reader.ids for text in reader.texts(i, "visit")]
    assert {i for i in reader.styled("elided") if "–" in "".join(reader.texts(i, "visit"))} == set()
    assert any("…" in text for text in numbers)
    assert any("–" in text for text in numbers)


def test_what_is_left_out_says_what_its_slivers_are():
    _, reader = cell_picture(layer(steps=12))
    for i in reader.styled("elided"):
        assert reader.texts(i, "caption") == ["‖∂‖ at each step"] * bool(reader.marks(i, "sliver"))
    check(reader)


def readouts(steps=3):
    """A loop whose outputs and errors have names."""
    tg.manual_seed(0)
    U, w = (
        tg.randn(2, n, requires_grad=True).named(k, "parameter") for n, k in ((2, "U"), (1, "w"))
    )
    h, loss = tg.zeros(2).named("h₀"), 0.0
    for t in range(1, steps + 1):
        with tg.step(t):
            h = tg.tanh(h @ U + 1).named("h", "state")
            y = (h @ w).named("y")
            loss = loss + ((y - 0.5) ** 2).sum().named("e")
    return loss


def test_an_output_says_how_it_and_its_error_were_computed():
    _, reader = cell_picture(readouts())
    outputs = [i for i in reader.ids if reader.texts(i, "name")[0] == "output"]
    said = [reader.texts(i, "expression") for i in outputs if len(reader.texts(i, "name")) > 2]
    assert said == [[f"= h{t} @ w", f"= sum((y{t} − 0.5) ** 2)"] for t in "₁₂₃"]
    check(reader)


@pytest.mark.parametrize("factor", [1e200, 1e-200])
def test_bars_of_gradients_whose_squares_are_no_numbers(factor):
    tg.manual_seed(0)
    net = tg.nn.LSTM(1, 2, dtype=tg.float64)
    output, _ = net(tg.ones(3, 1, dtype=tg.float64))
    record, reader = cell_picture(output.sum() * factor)
    (panel,) = reader.styled("weights")
    notes = [note for note, _ in reader.marks(panel, "bar")]
    assert notes == [
        f"{name}, t = {step}: {math.hypot(*map(float, np.ravel(share))):.3g}"
        for name, parameter in net.named_parameters()
        for step, share in bptt.contributions(record, parameter).items()
    ]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_gates_and_bars_that_are_no_numbers(value):
    w = tg.tensor([[0.5, 0.1], [0.2, 0.3]], requires_grad=True).named("w", "parameter")
    h = tg.tensor([value, 0.0]).named("h₀")
    for t in range(1, 4):
        with tg.step(t):
            z = tg.sigmoid(h @ w - h @ w).named("z")
            h = (z * tg.tanh(h @ w)).named("h", "state")
    with np.errstate(all="ignore"):
        _, reader = cell_picture(h.sum())
    sizes = ("x", "y", "width", "height", "d")
    drawn = [e.get(key) for e in reader.root.iter() for key in sizes if e.get(key)]
    assert not [text for text in drawn if "nan" in text or "inf" in text]
    assert {text for i in reader.styled("cell") for text in reader.texts(i, "gate-mean")} == {"nan"}
    (panel,) = reader.styled("weights")
    heights = {float(mark.get("height")) for _, mark in reader.marks(panel, "bar")}
    assert len(heights) == 1
    check(reader)


def test_infinities_that_cancel_are_no_reason_for_a_warning(tmp_path):
    w = tg.tensor([1.0], requires_grad=True).named("w", "parameter")
    h = tg.zeros(1).named("h₀")
    for t in range(1, 4):
        with tg.step(t), np.errstate(all="ignore"):
            h = (tg.tanh(h) + w * math.inf - w * math.inf).named("h", "state")
    record, reader = cell_picture(h.sum())  # warnings are errors in tests
    (panel,) = reader.styled("weights")
    assert {note.partition(": ")[2] for note, _ in reader.marks(panel, "bar")} == {"nan"}
    assert ">nan<" in viz.draw(record, level="step").svg
    viz.play(record, tmp_path / "walk.html")


@pytest.mark.parametrize("name", [*HOSTILE, "W" * 60])
@pytest.mark.parametrize("level", ["cell", "op"])
def test_hostile_names_of_states_weights_and_scopes(name, level):
    w = tg.tensor([1.0], requires_grad=True).named(name, "parameter")
    v = tg.tensor([1.0], requires_grad=True).named(name, "parameter")
    h = tg.zeros(1).named(name, "state")
    for t in range(1, 12):
        with tg.scope(name), tg.step(t):
            h = tg.tanh(w * h + v).named(name, "state")
    picture = viz.draw(bptt.record(h.sum()), level=level, title=name)
    check(Reader(picture.svg))
    assert not re.search(r"<script|<b>", picture.svg)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\u200b]", picture.svg + picture.dot)


# -- which steps are drawn --------------------------------------------------------------------


def columns(reader):
    return [t for t in reader.labels() if t.startswith("t = ")]


@pytest.mark.parametrize(
    ("steps", "options", "wanted"),
    [
        (8, "auto", [*range(1, 9)]),
        (9, "auto", [1, 2, (3, 6), 7, 8, 9]),
        (9, "all", [*range(1, 10)]),
        (9, (1, 1), [1, (2, 8), 9]),
        (9, (0, 2), [(1, 7), 8, 9]),
        (9, (3, 0), [1, 2, 3, (4, 9)]),
        (9, (5, 4), [*range(1, 10)]),
        (9, [2, 5], [1, 2, (3, 4), 5, (6, 9)]),
        (3, (1, 1), [1, 2, 3]),
        (9, (np.int64(1), np.int32(1)), [1, (2, 8), 9]),
        (9, [np.int64(2), np.int64(5)], [1, 2, (3, 4), 5, (6, 9)]),
    ],
)
def test_steps(steps, options, wanted):
    _, reader = cell_picture(layer("RNN", steps), steps=options)
    spans = [f"t = {w[0]} … {w[1]}" if isinstance(w, tuple) else f"t = {w}" for w in wanted]
    assert columns(reader) == spans
    check(reader)


@pytest.mark.parametrize("steps", ["some", (1, 2, 3), [7], (-1, 2), 3, [1.5], "3", np.arange(1, 3)])
def test_steps_that_make_no_sense(steps):
    with pytest.raises(ValueError, match=r'steps=.*"auto", "all", a pair.*here 1 to 4'):
        viz.draw(layer(steps=4), level="cell", steps=steps)


def test_steps_of_a_graph_without_any():
    x = tg.tensor([1.0], requires_grad=True)
    with pytest.raises(ValueError, match="the graph has no time steps"):
        viz.draw(x * 2, steps=[1])


def test_folding_at_the_level_of_operations():
    reader = Reader(viz.draw(bptt.record(elman(20)), level="op").svg)
    assert len(columns(reader)) == 6
    assert reader.styled("elided")
    check(reader)


# -- levels and rows --------------------------------------------------------------------------


def test_the_level_is_cells_for_layers_and_operations_for_small_loops():
    assert Reader(viz.draw(layer(steps=2)).svg).styled("cell")
    assert not Reader(viz.draw(rnn_cell()).svg).styled("cell")
    assert not Reader(viz.draw(layer(steps=2), level="op").svg).styled("cell")


def test_rows_can_be_left_out():
    record = bptt.record(layer(steps=3))
    bare = Reader(viz.draw(record, values=False, grads=False, order=False).svg)
    for i in bare.styled("cell"):
        assert not bare.texts(i, "value") + bare.texts(i, "grad") + bare.texts(i, "visit")
        assert not bare.texts(i, "gate")
    assert not bare.halos
    assert not any(bare.marks(i, "bar") for i in bare.ids)
    check(bare)


def test_before_a_backward_no_gradient_is_there_yet():
    loss = layer(steps=9)
    svg = viz.draw(loss).svg
    reader = Reader(svg)
    boxes = reader.styled("cell") + reader.styled("weights")
    told = {t for i in boxes for t in reader.texts(i, "grad")}
    assert told == {"not yet"}
    assert not reader.halos
    assert "No backward has run yet." in svg
    check(reader)
    loss.backward()


def test_after_a_plain_backward_the_weights_gradients_are_shown():
    loss = layer(steps=3)
    loss.backward()
    svg = viz.draw(loss).svg
    reader = Reader(svg)
    assert {t for i in reader.styled("cell") for t in reader.texts(i, "grad")} == {"not kept"}
    for i in reader.styled("weights"):
        assert all(t.startswith("‖∂‖ ") for t in reader.texts(i, "grad"))
    assert "use bptt.record" in svg
    check(reader)


def test_drawing_changes_no_gradient():
    loss = cells()
    record = bptt.record(loss)
    noted = [place for place in record.places if place.notes and place.notes.grad is not None]
    held = {place: np.array(place.notes.grad) for place in noted}
    assert held
    viz.draw(record, level="cell").svg  # noqa: B018
    viz.draw(loss, level="cell").dot  # noqa: B018
    for place, grad in held.items():
        np.testing.assert_array_equal(grad, np.array(place.notes.grad))


def test_weights_of_several_modules_in_a_cell_tell_theirs():
    _, reader = cell_picture(elman())
    names = sorted(t for i in reader.styled("weights") for t in reader.texts(i, "name"))
    assert {"i2h.weight", "h2h.weight", "i2h.bias", "h2h.bias"} <= set(names)


# -- formats ----------------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("dot"), reason="no system Graphviz")
@pytest.mark.parametrize("name", ["LSTM of fifty", "LSTM, given states", "cells", "gated"])
def test_graphviz_accepts_the_dot(name):
    picture = viz.draw(bptt.record(NETWORKS[name]()), level="cell")
    run = subprocess.run(["dot", "-Tplain"], input=picture.dot, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    boxes = sum(line.startswith("node ") for line in run.stdout.splitlines())
    assert boxes == len(Reader(picture.svg).ids)


SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
import test_viz_cells as t
t.draw_some()
"""


def draw_some():
    """Print some pictures, in both formats."""
    for name in (
        "LSTM of fifty",
        "GRU, both ways, two layers",
        "cells",
        "attention",
        "second walk",
    ):
        picture = viz.draw(bptt.record(NETWORKS[name]()), level="cell")
        print(picture.svg, picture.dot)


def test_the_same_program_gives_the_same_picture():
    script = SCRIPT.format(tests=os.path.dirname(__file__))
    first, second = in_two_runs(script)
    assert first.count("</svg>") == 5
    assert_alike(first, second)


# -- any loop ---------------------------------------------------------------------------------

OPERATIONS = {
    "tanh": lambda a, b: tg.tanh(a),
    "add": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "mix": lambda a, b: tg.sigmoid(a) * b + 0.5 * a,
    "cut": lambda a, b: tg.cat([a[:1], b[1:]]),
}


@st.composite
def programs(draw):
    """Operations of one step: each takes two of what is there, states of the last step first."""
    states = draw(st.integers(1, 3))
    lines = []
    for i in range(draw(st.integers(states, 7))):
        last = states + 2 + i  # of the last step's states, an input, a weight and what was made
        pick = st.integers(0, last - 1)
        name = draw(st.sampled_from([None, None, "h", "g"]))
        scope = draw(st.sampled_from(["", "", "a", "b"]))
        operation = draw(st.sampled_from(sorted(OPERATIONS)))
        lines.append((operation, draw(pick), draw(pick), name, scope))
    steps = draw(st.integers(1, 11))
    reverse, outputs = draw(st.booleans()), draw(st.sampled_from(["last", "sum", "stack"]))
    return states, lines, steps, reverse, outputs


def run(program):
    states, lines, steps, reverse, outputs = program
    w = tg.tensor([0.5, -0.3], dtype=tg.float64, requires_grad=True)
    carried = [tg.zeros(2, dtype=tg.float64) for _ in range(states)]
    made = []
    times = range(1, steps + 1)
    for t in reversed(times) if reverse else times:
        with tg.step(t):
            pool = [*carried, tg.tensor([0.1 * t, 1.0], dtype=tg.float64), w]
            for name, a, b, called, scope in lines:
                with tg.scope(scope):
                    new = OPERATIONS[name](pool[a], pool[b])
                pool.append(new if called is None else new.named(called))
            carried = pool[-states:]
            made.append(pool[-1].sum())
    if outputs == "stack":
        return tg.stack(made).sum() + (w * w).sum()
    return (sum(made) if outputs == "sum" else made[-1]) + (w * w).sum()


@settings(max_examples=25)
@given(programs(), st.sampled_from(["cell", "op"]))
def test_any_loop_has_a_picture_without_collisions(program, level):
    record = bptt.record(run(program))
    reader = Reader(viz.draw(record, level=level, max_nodes=1000).svg)
    check_geometry(reader)
    check_texts(reader)


def test_an_arrow_of_many_steps_says_so_and_has_its_peak():
    tg.manual_seed(0)
    net = tg.nn.RNN(2, 3)
    output, _ = net(tg.randn(12, 2))
    walk = bptt.record((output * output).sum())
    svg = viz.draw(walk).svg
    stacked = next(v for v in walk.visits if v.node.primitive.name == "stack")
    norms = [np.linalg.norm(c) for c in stacked.contributions[2:9]]
    most = int(np.argmax(norms))
    assert "h₃…h₉" in svg
    whole, peak = f"{np.linalg.norm(norms):.3f}", f"peak {norms[most]:.3f} h{chr(0x2083 + most)}"
    assert f"‖gradient‖ = {whole}, {peak}" in svg
    assert f">{peak}</text>" in svg
    assert "An arrow for many steps has the norm of all, and its peak." in svg


def test_folded_columns_of_operations_keep_their_rails():
    """What is drawn to flow into a weight is all of its gradient."""
    tg.manual_seed(0)
    net = tg.nn.RNN(1, 1, bias=False)
    walk = bptt.record((net(tg.randn(12, 1))[0] ** 2).sum())
    source = source_of(walk)
    scene = scene_of(source, level="op", steps=(2, 3))
    (weight,) = [i for i, box in scene.boxes.items() if box.name == "weight_hh_l0"]
    shares = bptt.contributions(walk, net.weight_hh_l0)
    drawn = sorted(edge.norm for edge in scene.edges if edge.source == weight)
    want = [abs(float(shares[t].item())) for t in (1, 2, 10, 11, 12)]
    want.append(abs(sum(float(shares[t].item()) for t in range(3, 10))))
    np.testing.assert_allclose(drawn, sorted(want), rtol=1e-5)


def test_weights_of_modules_called_alike_are_told_apart_in_one_box():
    """Such as the embeddings of an encoder and a decoder, each of which is its ``embedding``."""

    class Encoder(tg.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.rnn = tg.nn.Embedding(4, 3), tg.nn.RNN(3, 3)

        def forward(self, index, h):
            return self.rnn(self.embedding(index).view(1, 1, -1), h)[1]

    class Decoder(Encoder):
        pass

    tg.manual_seed(0)
    encoder, decoder, h = Encoder(), Decoder(), tg.zeros(1, 1, 3)
    for net in (encoder, decoder):
        for index in (1, 2):
            h = net(tg.tensor([index]), h)
    scene = scene_of(source_of(bptt.record(h.sum())), level="cell")
    told = set()
    for box in [box for box in scene.boxes.values() if box.style == "weights"]:
        lanes = [part.name for part in box.parts if isinstance(part, Lane)]
        assert len({*lanes}) == len(lanes), lanes
        told |= {name.split(".embedding")[0] for name in lanes if ".embedding" in name}
    assert told == {"encoder", "decoder"}


def test_sequences_that_join_on_the_way_back_bring_their_first_state():
    """It is no input of that step, though nothing before computed it."""
    tg.manual_seed(0)
    net = tg.nn.GRU(2, 3, bidirectional=True)
    packed = tg.nn.utils.rnn.pack_sequence([tg.randn(3, 2), tg.randn(2, 2)])
    walk = bptt.record((net(packed)[0].data ** 2).sum())
    scene = scene_of(source_of(walk), level="cell")
    inputs = {box.name for box in scene.boxes.values() if box.kind == "input"}
    assert inputs == {"x₁", "x₂", "x₃"}
    assert [box.name for box in scene.boxes.values()].count("x₂") == 1
