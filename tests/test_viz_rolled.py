"""Rolled pictures: what time steps do alike is drawn once, and nothing is lost by it."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pictures
import pytest
from random_loops import KINDS, program

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, nn, viz
from tinygrad_rnn.cli import samples
from tinygrad_rnn.engine.graph import tape
from tinygrad_rnn.reading.cells import gather_outputs
from tinygrad_rnn.reading.roles import roles_of
from tinygrad_rnn.viz.build import boxed_of
from tinygrad_rnn.viz.rolling import Rolling, rolled_scene
from tinygrad_rnn.viz.scene import Course
from tinygrad_rnn.viz.source import source_of

SVG = pictures.SVG


def rnn_by_hand(steps=6):
    """A loss at each step, added up in the loop."""
    tg.manual_seed(0)
    W, U = (tg.randn(n, 3, requires_grad=True).named(name) for n, name in ((3, "W"), (2, "U")))
    h, loss = tg.zeros(1, 3), 0
    for x in tg.randn(steps, 1, 2):
        h = tg.tanh(h @ W + x @ U).named("h")
        loss = loss + (h**2).sum()
    return bptt.record(loss)


def layer(kind="RNN", steps=5, **options):
    tg.manual_seed(0)
    output, _ = getattr(nn, kind)(2, 3, **options)(tg.randn(steps, 2, 2))
    return bptt.record((output**2).mean())


def rolled(walk, **options):
    return pictures.Reader(viz.draw(walk, level="rolled", **options).svg)


def delays(reader):
    return [r for r in reader.root.iter(f"{SVG}rect") if r.get("class") == "delay"]


def notes(reader):
    return {reader.texts(i, "name")[0]: reader.texts(i, "note") for i in reader.ids}


# -- what is drawn -----------------------------------------------------------------------------


def test_a_step_is_drawn_once_and_its_state_goes_round():
    reader = rolled(rnn_by_hand())
    names = [reader.texts(i, "name")[0] for i in reader.styled("rolled")]
    assert {"hₜ", "xₜ", "lossₜ", "hₜ₋₁W", "xₜU"} <= set(names)
    h, product = reader.named("hₜ"), reader.named("hₜ₋₁W")
    assert reader.texts(h, "note") == ["×6"]
    assert reader.texts(product, "expression") == ["= hₜ₋₁ @ W"]
    round_ = [(a, b) for a, b, _, path in reader.edges if "recurrent" in path.get("class")]
    assert (h, product) in round_
    assert {"hₜ₋₁ ×5", "lossₜ₋₁ ×5"} <= set(reader.labels())
    assert len(delays(reader)) == 2


def test_strips_tell_norms_of_every_step():
    walk = rnn_by_hand()
    reader = rolled(walk)
    h = reader.named("hₜ")
    states = {p.tag.step: p for p in walk.places if getattr(p.primitive, "name", "") == "tanh"}
    for kind, of in (("sliver", walk.gradient), ("bar", walk.value)):
        told = [float(said.split()[-1]) for said, _ in reader.marks(h, kind)]
        if kind == "bar":
            told = [float(said.split(": ")[1]) for said, _ in reader.marks(h, kind)]
        want = [np.linalg.norm(of(states[t])) for t in sorted(states)]
        np.testing.assert_allclose(told, want, rtol=5e-3)


def test_weights_have_the_contributions_of_all_steps():
    walk = rnn_by_hand()
    reader = rolled(walk)
    (W,) = (p for p in walk.places if walk.called.get(p) == "W" or p.shape == (3, 3))
    shares = bptt.contributions(walk, W)
    told = [float(said.split(": ")[1]) for said, _ in reader.marks(reader.named("W"), "bar")]
    want = [np.linalg.norm(shares[t]) for t in sorted(shares)]
    np.testing.assert_allclose(told, want, rtol=5e-3, atol=1e-12)


def test_the_boxes_do_not_grow_with_time():
    sizes = {len(rolled(layer("LSTM", steps=steps)).boxes) for steps in (4, 9, 60)}
    assert len(sizes) == 1


def test_a_reversed_layer_goes_round_to_the_step_before():
    reader = rolled(layer(bidirectional=True))
    assert {"hₜ₋₁ ×4", "hₜ₊₁ ×4"} <= set(reader.labels())


def test_states_of_several_steps_before():
    tg.manual_seed(0)
    W, V = (tg.randn(3, 3, requires_grad=True).named(name) for name in "WV")
    hs = [tg.zeros(1, 3), tg.zeros(1, 3)]
    for t in range(1, 9):
        with tg.step(t):
            hs.append(tg.tanh(hs[-1] @ W + hs[-2] @ V).named("h"))
    reader = rolled(bptt.record(hs[-1].sum()))
    assert {"hₜ₋₁ ×7", "hₜ₋₂ ×6", "t = 8"} <= set(reader.labels())
    assert len(delays(reader)) == 1 + 2


def test_a_first_step_that_is_another_stands_apart():
    tg.manual_seed(0)
    W, U = (tg.randn(n, 3, requires_grad=True).named(name) for n, name in ((3, "W"), (2, "U")))
    h = None
    for x in tg.randn(5, 1, 2):
        h = tg.tanh(x @ U if h is None else x @ U + h @ W)
    reader = rolled(bptt.record(h.sum()))
    assert {"t = 1", "t = 2 … 5"} <= set(reader.labels())
    assert notes(reader)["hₜ"] == ["×4"]
    assert "h₁" in notes(reader)


def test_weights_that_take_turns_are_two_boxes_of_every_other_step():
    tg.manual_seed(0)
    weights = [tg.randn(3, 3, requires_grad=True).named(name) for name in "PQ"]
    h = tg.ones(1, 3)
    for t in range(1, 9):
        with tg.step(t):
            h = tg.tanh(h @ weights[t % 2])
    reader = rolled(bptt.record(h.sum()))
    said = {note for i in reader.ids for note in reader.texts(i, "note")}
    assert {"×4: t = 1, 3 …", "×4: t = 2, 4 …"} <= said


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_nothing_collides(kind, theme):
    reader = rolled(layer(kind), theme=theme)
    pictures.check_geometry(reader)
    pictures.check_texts(reader)
    pictures.check_writing(reader)


def test_without_values_gradients_or_order():
    plain = rolled(rnn_by_hand(), values=False, grads=False, order=False)
    assert not plain.halos
    assert not any(plain.texts(i, "visit") for i in plain.ids)
    assert not any(plain.marks(i, kind) for i in plain.ids for kind in ("bar", "sliver"))


def test_a_tensor_can_be_rolled_before_any_backward():
    tg.manual_seed(0)
    output, _ = nn.RNN(2, 3)(tg.randn(5, 2))
    reader = pictures.Reader(viz.draw(output.sum(), level="rolled").svg)
    assert notes(reader)["hₜ"] == ["×5"]
    assert reader.texts(reader.named("hₜ"), "grad") == ["not yet"]


# -- refusals ----------------------------------------------------------------------------------


def test_what_cannot_be_rolled_is_refused():
    timeless = tg.tanh(tg.ones(2, requires_grad=True)).sum()
    with pytest.raises(ValueError, match=r'level="rolled" needs time steps.*0 time steps'):
        viz.draw(timeless, level="rolled")
    h = tg.ones(1, requires_grad=True)
    for t, f in enumerate((tg.tanh, tg.sigmoid, tg.exp), 1):
        with tg.step(t):
            h = f(h)
    with pytest.raises(ValueError, match=r'time steps\) no two do: use level="op"'):
        viz.draw(bptt.record(h.sum(), steps="given"), level="rolled")


def test_options_that_mean_nothing_are_refused():
    with pytest.raises(ValueError, match=r"steps='all'.*draws all steps"):
        viz.draw(rnn_by_hand(), level="rolled", steps="all")
    with pytest.raises(ValueError, match="max_nodes"):
        viz.draw(rnn_by_hand(), level="rolled", max_nodes=3)


@pytest.mark.parametrize("kind", samples.CELLS)
def test_layers_alike_within_one_step_are_no_steps(kind):
    walk = bptt.record(samples.unrolled(kind, layers=2, steps=1))
    with pytest.raises(ValueError, match=r'1 time step\) no two do: use level="op"'):
        viz.draw(walk, level="rolled")


def test_values_that_were_not_kept_leave_the_shape():
    tg.manual_seed(0)
    W, wide = tg.randn(9, 9, requires_grad=True).named("W"), tg.randn(5, 30, 1, 9)
    h = tg.zeros(30, 9)
    for x in wide:
        h = tg.tanh((h + x[:, 0]) @ W).named("h")
    loss = (h**2).sum()
    loss.backward()
    reader = rolled(loss)
    assert reader.texts(reader.named("hₜ"), "value") == ["shape 30×9"]


# -- a search ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_and_nothing_is_made_up(kind, seed):
    loss, _ = program(kind, seed, tg, named=seed % 2 == 0)
    walk = bptt.record(loss)
    places = tape([walk.root])
    boxed, roles = boxed_of(places, walk.root), roles_of(places, walk.root)
    gather_outputs(places, roles)
    try:
        scene = rolled_scene(source_of(walk))
    except ValueError as refusal:
        assert "no two do" in str(refusal)  # noqa: PT017
        return
    rolling = Rolling(places, boxed, roles)
    groups = rolling.groups(boxed)
    assert Counter(p for group in groups for p in group.members) == Counter(boxed)
    home = {p: group for group in groups for p in group.members}
    for group in groups:
        assert len({(p.primitive, p.shape) for p in group.members}) == 1
        assert len({rolling.when(p) for p in group.members}) == len(group.members)
        box = scene.boxes[group.index]
        for part in (part for part in box.parts if isinstance(part, Course) and part.warm):
            want = [walk.gradient(p) for p in group.members]
            want = [None if g is None else float(np.linalg.norm(g.ravel())) for g in want]
            assert part.norms == pytest.approx(want)
    wanted = {
        (home[parent].index, home[node].index, rolling.delay(parent, node))
        for node in boxed
        for parent in node.parents
        if parent in home
    }
    assert {(e.source, e.target, e.delay) for e in scene.edges} == wanted
    assert all(e.delay or e.source != e.target for e in scene.edges)
    assert re.search(r"rolled$", scene.title)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("every_step", [False, True])
@pytest.mark.parametrize("kind", samples.CELLS)
def test_every_sample_of_several_steps_is_drawn(kind, every_step, bidirectional):
    options = {"every_step": every_step, "bidirectional": bidirectional}
    for layers, steps in ((1, 2), (2, 3), (3, 2), (2, 5)):
        loss = samples.unrolled(kind, layers=layers, steps=steps, **options)
        reader = rolled(bptt.record(loss))
        said = {note for i in reader.ids for note in reader.texts(i, "note")}
        assert any(f"×{steps}" in note for note in said)
