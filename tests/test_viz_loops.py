"""Pictures of loops as people write them, whose steps nobody counted."""

from __future__ import annotations

import re

import numpy as np
import pictures
import pytest
import test_time
from random_loops import KINDS, program

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, nn, viz
from tinygrad_rnn.nn import functional as F

WIDEST = 6000  # points


def drawn(function, **options):
    tg.manual_seed(0)
    return pictures.Reader(viz.draw(bptt.record(function()), **options).svg)


def names(reader, style):
    return [reader.texts(i, "name")[0] for i in reader.styled(style)]


# -- programs ----------------------------------------------------------------------------------


class TwoCells(nn.Module):
    """Its outputs are collected; of the last steps each is the next one's input."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.out = nn.LSTMCell(1, 4), nn.LSTMCell(4, 4), nn.Linear(4, 1)

    def forward(self, xs, future):
        first, second, outputs = None, None, []
        steps = list(xs.split(1, dim=1))
        for t in range(len(steps) + future):
            first = self.one(steps[t] if t < len(steps) else y, first)  # noqa: F821
            second = self.two(first[0], second)
            y = self.out(second[0])
            outputs.append(y)
        return tg.cat(outputs, dim=1)


def two_cells_and_an_output(future=0):
    return (TwoCells()(tg.randn(3, 5), future) ** 2).mean()


def layer_with_attention():
    """The decoder of a well-known tutorial: additive attention, and a layer called in a loop."""
    encoder, decoder = nn.GRU(3, 4, batch_first=True), nn.GRU(7, 4, batch_first=True)
    query, key, score = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 1)
    memory, h = encoder(tg.randn(2, 5, 3))
    outputs = []
    for x in tg.randn(3, 2, 1, 3):
        scores = score(tg.tanh(query(h.permute(1, 0, 2)) + key(memory)))
        weights = F.softmax(scores.permute(0, 2, 1), dim=-1)
        y, h = decoder(tg.cat((x, weights @ memory), dim=2), h)
        outputs.append(y)
    return tg.cat(outputs, dim=1).sum()


def own_lstm():
    w, u = (tg.randn(n, 12, requires_grad=True) for n in (2, 3))
    h, c = tg.zeros(1, 3), tg.zeros(1, 3)
    for x in tg.randn(5, 1, 2):
        i, f, g, o = (x @ w + h @ u).chunk(4, 1)
        c = tg.sigmoid(f) * c + tg.sigmoid(i) * tg.tanh(g)
        h = tg.sigmoid(o) * tg.tanh(c)
    return h.sum()


MORE = {
    "two cells": two_cells_and_an_output,
    "two cells and the future": lambda: two_cells_and_an_output(3),
    "layer with attention": layer_with_attention,
    "own LSTM": own_lstm,
}
PROGRAMS = MORE | {name: function for name, (function, _) in test_time.PROGRAMS.items()}


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_has_a_readable_picture(name):
    reader = drawn(PROGRAMS[name])
    assert float(reader.root.get("width")) <= WIDEST
    pictures.check_geometry(reader)
    pictures.check_texts(reader)
    for i in reader.styled("cell"):
        assert reader.step_of(i), "a cell is of one step"


# -- levels ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("bare_tensors", False),
        ("cell", False),
        ("linear_and_cat", False),
        ("own LSTM", True),
        ("in_a_function", True),
        ("encoder_then_decoder", True),
        ("embedded", True),
    ],
)
def test_the_level_goes_by_the_operations_of_a_step(name, cells):
    assert bool(drawn(PROGRAMS[name]).styled("cell")) == cells


def test_what_would_be_very_wide_is_drawn_in_cells():
    def long():
        rnn, h = nn.RNNCell(2, 3), tg.zeros(1, 3)
        for x in tg.randn(8, 1, 2):
            h = rnn(x, h)
        return h.sum()

    assert drawn(long).styled("cell")
    assert not drawn(long, steps=(1, 1)).styled("cell")
    assert not drawn(long, level="op").styled("cell")


# -- a layer called in a loop ------------------------------------------------------------------


def test_what_a_layer_hands_on_is_a_wire():
    reader = drawn(test_time.layer_step_by_step)
    assert len(reader.styled("cell")) == 8
    assert len(reader.styled("tensor")) == 2 * 4 + 1  # an input and an error each, and the loss
    wires = {(a, b) for a, b, _, path in reader.edges if "recurrent" in path.get("class")}
    cells = set(reader.styled("cell"))
    assert sum(a in cells and b in cells for a, b in wires) == 2 * 3


def test_a_wire_has_the_gradient_that_goes_through_what_was_handed_on():
    tg.manual_seed(0)
    walk = bptt.record(test_time.layer_step_by_step())
    reads = [p for p in walk.places if not p.is_leaf and p.primitive.name == "getitem"]
    svg = viz.draw(walk).svg
    for place in reads:
        norm = float((walk.gradient(place) ** 2).sum() ** 0.5)
        assert f"‖gradient‖ = {norm:.3f}" in svg


# -- what stands where -------------------------------------------------------------------------


@pytest.mark.parametrize("function", [test_time.attention, layer_with_attention])
def test_attention_shows_its_weights_and_its_context(function):
    reader = drawn(function)
    boxes = [i for i in reader.ids if reader.texts(i, "name")[0] == "attention"]
    assert len(boxes) == (4 if function is test_time.attention else 3)
    for i in boxes:
        assert reader.texts(i, "name") == ["attention", "weights", "context"]
        assert len(reader.marks(i, "bar")) == 5
    assert "GRU" in " ".join(names(reader, "cell"))


def test_attention_that_is_left_out_has_a_sliver_for_each_step_of_both():
    walk = bptt.record(test_time.attention())
    reader = pictures.Reader(viz.draw(walk, level="cell", steps=(1, 1)).svg)
    strips = [i for i in reader.styled("elided") if "weights" in reader.texts(i, "name")]
    for i in strips:
        steps = [note.split(":")[0] for note, _ in reader.marks(i, "sliver")]
        assert len(steps) == 2 * len(set(steps))
    assert strips


def test_a_decoders_first_input_stands_where_it_is_read():
    reader = drawn(test_time.encoder_then_decoder)
    first, later = reader.styled("initial")
    assert reader.rects[first].right < min(reader.rects[i].left for i in reader.styled("cell"))
    assert reader.step_of(later) == 4


def test_outputs_that_are_collected_stand_in_their_steps():
    reader = drawn(two_cells_and_an_output)
    outputs = [i for i in reader.styled("tensor") if reader.texts(i, "name")[0].startswith("W")]
    assert [reader.step_of(i) for i in outputs] == [1, 2, 3, 4, 5]


def test_cells_of_nn_stay_cells_where_an_output_is_fed_back():
    reader = drawn(lambda: two_cells_and_an_output(3))
    assert len(reader.styled("cell")) == 2 * 8
    assert len({reader.rects[i].top for i in reader.styled("cell")}) <= 3


def test_runs_of_one_cell_are_told_apart_by_their_order():
    reader = drawn(test_time.several_sequences, level="cell")
    titles = names(reader, "cell")
    assert sorted(set(titles)) == ["cell", "cell 2", "cell 3"]
    assert len(titles) == 12


# -- rows of like boxes ------------------------------------------------------------------------


def many_inputs(count):
    rnn, h = nn.GRUCell(3, 3), tg.zeros(1, 3)
    for t in range(1, 4):
        with tg.step(t):
            parts = [tg.randn(1, 3, requires_grad=True) for _ in range(count)]
            h = rnn(tg.cat(parts).sum(0, keepdim=True), h)
    return h.sum()


@pytest.mark.parametrize(("count", "boxes"), [(4, 4), (5, 1), (64, 1)])
def test_many_like_boxes_of_a_step_are_one(count, boxes):
    reader = drawn(lambda: many_inputs(count))
    assert len([i for i in reader.ids if reader.step_of(i) == 1]) == 1 + boxes
    assert len(reader.styled("alike")) == (3 if boxes == 1 else 0)
    for i in reader.styled("alike"):
        assert reader.texts(i, "note") == [f"{count} alike"]
    pictures.check_geometry(reader)


def test_what_is_folded_has_the_gradient_of_all():
    tg.manual_seed(0)
    walk = bptt.record(many_inputs(6))
    reader = pictures.Reader(viz.draw(walk).svg)
    for t, i in enumerate(reader.styled("alike"), 1):
        inputs = [p for p in walk.places if p.is_leaf and p.tag.step == t and p.requires_grad]
        norm = sum(float((walk.gradient(p) ** 2).sum()) for p in inputs) ** 0.5
        (text,) = reader.texts(i, "grad")
        assert float(text.split()[-1]) == pytest.approx(norm, rel=0.1, abs=1e-3)


def test_a_graph_with_too_many_operations_is_folded_before_it_is_refused():
    def sums():
        w = tg.randn(200, 3, requires_grad=True)
        return tg.stack([tg.tanh(w[i] * 2).sum() for i in range(200)]).sum()

    assert len(drawn(sums).ids) < 10
    with pytest.raises(ValueError, match="more than a readable picture"):
        drawn(sums, level="op")


def test_a_picture_may_be_asked_to_fit_a_page():
    tg.manual_seed(0)
    walk = bptt.record(two_cells_and_an_output(7))
    wide, narrow = viz.draw(walk), viz.draw(walk, width=1600)
    assert narrow.width <= 1600 < wide.width
    for page in (1600, 700, 300):
        reader = pictures.Reader(viz.draw(walk, width=page).svg)
        wide_, high = (float(reader.root.get(side)) for side in ("width", "height"))
        assert wide_ <= page
        _, _, *box = map(float, reader.root.get("viewBox").split())
        assert wide_ / box[0] == pytest.approx(high / box[1], abs=0.01)  # smaller, not squeezed
    assert viz.draw(walk, width=10**5).svg == wide.svg
    with pytest.raises(TypeError, match="width='a page': give a whole number"):
        viz.draw(walk, width="a page")
    with pytest.raises(ValueError, match="width=-5: give at least 1"):
        viz.draw(walk, width=-5)


def deep(layers: int) -> tg.Tensor:
    """A net without time, whose every layer is a product, a sum and a squash."""
    tg.manual_seed(0)
    h = tg.ones(2)
    for i in range(layers):
        w = tg.randn(2, 2, requires_grad=True).named(f"w{i}", "parameter")
        h = tg.tanh(h @ w)
    return h.sum().named("L")


@pytest.mark.parametrize("layers", [20, 60, 600])
def test_of_a_deep_graph_without_time_the_midst_is_left_out(layers):
    walk = bptt.record(deep(layers))
    picture = viz.draw(walk)
    reader = pictures.Reader(picture.svg)
    assert picture.width < 4000
    (midst,) = reader.styled("elided")
    left = int(reader.texts(midst, "name")[0].split()[0].replace(",", ""))
    drawn = [i for i in reader.ids if i != midst and reader.texts(i, "visit")]
    assert left + len(drawn) == 2 * layers + 1
    norms = [float(np.linalg.norm(v.cotangent)) for v in walk.visits[::-1]]
    start = int(re.fullmatch(r"\d+–(\d+)", reader.texts(midst, "visit")[0])[1])
    hidden = norms[2 * layers + 1 - start :][:left]
    notes = [note for note, _ in reader.marks(midst, "sliver")]
    if left <= 400:
        first = 2 * layers + 2 - start
        assert notes == [f"depth = {first + i}: ‖∂‖ {x:.3g}" for i, x in enumerate(hidden)]
    else:
        assert 200 <= len(notes) <= 400
    narrow = pictures.Reader(viz.draw(walk, width=1200).svg)
    assert float(narrow.root.get("width")) <= 1200
    for each in (reader, narrow):
        pictures.check_texts(each)
        assert "w0" in {name for i in each.ids for name in each.texts(i, "name")}


def test_a_graph_without_time_that_can_be_read_keeps_its_midst():
    assert not pictures.drawn(deep(4)).styled("elided")
    with pytest.raises(ValueError, match="more than a readable picture"):
        viz.draw(deep(200), level="op")


@pytest.mark.parametrize("width", [None, 1200])
@pytest.mark.parametrize("kind", KINDS)
def test_any_loop_fits_a_screen_and_a_page(kind, width):
    loss, _ = program(kind, 1, tg, steps=len(kind) % 2 == 0, named=True)
    reader = pictures.Reader(viz.draw(bptt.record(loss), width=width).svg)
    assert float(reader.root.get("width")) <= (width or 6000)
    pictures.check_geometry(reader)
    pictures.check_texts(reader)
    pictures.check_writing(reader)


def test_the_signs_of_a_picture_are_explained_under_its_legend():
    svg = viz.draw(bptt.record(test_time.layer_step_by_step())).svg
    assert "gates: i input, f forget, g candidate, o output" in svg
    assert "bars at weights: what each step gave" in svg
    assert "r reset" not in svg
