"""Two walks in one picture: one scale, and what differs is marked."""

from __future__ import annotations

import re

import numpy as np
import pictures
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, nn, viz


def by_hand(scale=0.5, cut=None, steps=4):
    tg.manual_seed(0)
    W = (scale * tg.randn(3, 3)).detach().requires_grad_().named("W")
    U = tg.randn(2, 3, requires_grad=True).named("U")
    h = tg.zeros(1, 3)
    for t, x in enumerate(tg.randn(steps, 1, 2)):
        h = tg.tanh((h.detach() if t == cut else h) @ W + x @ U).named("h")
    return bptt.record((h**2).sum())


def layer(kind):
    tg.manual_seed(0)
    output, _ = getattr(nn, kind)(2, 3)(tg.randn(4, 2, 2))
    return bptt.record((output**2).mean())


def compared(*walks, **options):
    return pictures.Reader(viz.compare(*walks, **options).svg)


def tags(reader):
    return {
        (reader.texts(i, "name")[0], *reader.texts(i, "difference"))
        for i in reader.ids
        if reader.texts(i, "difference")
    }


def test_a_walk_differs_in_nothing_from_itself():
    for level in ("op", "cell", "rolled"):
        reader = compared(by_hand(), by_hand(), level=level)
        assert not tags(reader)
        assert len(reader.ids) == len(set(reader.ids)) > 8


def test_tags_are_ratios_of_norms_of_gradients():
    walks = by_hand(), by_hand(scale=1.0)
    reader = compared(*walks, level="op")
    said = dict(tag for tag in tags(reader) if tag[0].startswith("h") or tag[0] in "WU")
    for name in ("h₁", "W"):
        norms = []
        for walk in walks:
            (place,) = (
                p for p in walk.places
                if (p.shape == (3, 3) if name == "W" else p.tag.step == 1 and _is_tanh(p))
            )  # fmt: skip
            norms.append(np.linalg.norm(walk.gradient(place)))
        assert float(said[name].removeprefix("×")) == pytest.approx(norms[1] / norms[0], rel=2e-3)


def _is_tanh(place):
    return not place.is_leaf and place.primitive.name == "tanh"


def test_both_have_one_scale_of_colours():
    walks = by_hand(), by_hand(scale=4.0)
    for reader in (compared(*walks, level="op"), compared(*walks[::-1], level="op")):
        ends = [t for t in reader.root.itertext() if "log scale" in t]
        assert len(ends) == 1
        low, high = map(float, re.findall(r"[\d.e-]+", ends[0])[:2])
        known = [float(pictures.size_of(path)) for *_, path in reader.halos]
        assert low * 0.99 <= min(filter(None, known))
        assert max(known) <= high * 1.01


def test_a_truncated_walk_lacks_what_was_cut_off():
    reader = compared(by_hand(), by_hand(cut=2), level="op", names=("whole", "cut"))
    said = tags(reader)
    assert {("h₁", "not in cut"), ("h₂", "not in cut")} <= said
    assert not {name for name, tag in said if tag == "not in cut"} & {"h₃", "h₄", "W", "U"}
    assert not {name for name, tag in said if tag == "not in whole"}


def test_an_rnn_beside_an_lstm():
    said = tags(compared(layer("RNN"), layer("LSTM"), names=("RNN", "LSTM")))
    assert ("c₀ = 0", "not in RNN") in said
    cells = [tag for name, tag in said if name == "LSTM"]
    assert cells
    assert all(tag.startswith("×") for tag in cells)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("level", ["op", "rolled"])
def test_tags_lie_on_their_own_boxes_only(level, theme):
    reader = compared(by_hand(), by_hand(scale=2.0), level=level, theme=theme)
    marked = 0
    for i, group in reader.boxes.items():
        for mark in (r for r in group.iter(f"{pictures.SVG}rect") if r.get("class") == "mark"):
            marked, tag = marked + 1, pictures.rect_of(mark)
            (text,) = (
                t for t in group.iter(f"{pictures.SVG}text") if t.get("class") == "difference"
            )
            assert tag.covers(pictures.area_of(text))
            names = [t for t in group.iter(f"{pictures.SVG}text") if t.get("class") == "name"]
            assert not any(tag.meets(pictures.area_of(name)) for name in names)
            walk = next(g for g in reader.root.iter(f"{pictures.SVG}g") if group in list(g))
            beside = {g.get("id") for g in walk if g is not group} & set(reader.rects)
            assert not any(tag.meets(reader.rects[j]) for j in beside), i
    assert marked > 3


def test_what_cannot_be_compared_is_refused():
    other = bptt.record(tg.tanh(tg.ones(2, requires_grad=True)).sum())
    with pytest.raises(ValueError, match=r"compare: no box of the one walk.*other programs"):
        viz.compare(by_hand(), other)
    with pytest.raises(TypeError, match="compare: expected a Record, got Tensor"):
        viz.compare(by_hand(), tg.ones(1))
    with pytest.raises(ValueError, match="two names"):
        viz.compare(by_hand(), by_hand(), names=("one",))
    with pytest.raises(ValueError, match="level='step' does not exist"):
        viz.compare(by_hand(), by_hand(), level="step")
    with pytest.raises(ValueError, match="needs time steps"):
        viz.compare(other, other, level="rolled")
