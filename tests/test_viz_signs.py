"""What a reader who has never seen a picture needs: each sign there is explained, and no other.

What vanished is apart from what is only small, and parts that cancel say so.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
from pictures import SVG, Reader, check_geometry, check_texts, drawn, size_of

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, compat, viz

SAID = re.compile(r"(.*): together ‖(.*)‖, they agree by (\d+) %")


def loop(scale: float, steps: int = 3) -> tg.Tensor:
    """A loop in whose every step a gradient is scaled: to nothing, to next to nothing, or not."""
    w = tg.tensor([[0.5, 0.1], [0.2, 0.3]], requires_grad=True).named("w", "parameter")
    h = tg.tensor([0.1, 0.2]).named("h", "state")
    for t in range(1, steps + 1):
        with tg.step(t):
            side = (tg.tensor([0.3, 0.7], requires_grad=True).named("side") * scale).named("scaled")
            h = tg.tanh(h @ w + side).named("h", "state")
    return h.sum().named("L")


def under(reader: Reader) -> list[str]:
    """What the legend says."""
    (legend,) = (g for g in reader.root.iter(f"{SVG}g") if g.get("class") == "legend")
    return [text.text for text in legend.iter(f"{SVG}text")]


@pytest.mark.parametrize("level", ["op", "cell"])
@pytest.mark.parametrize(("scale", "zero", "nearly"), [(0.0, 1, 0), (1e-9, 0, 1), (1.0, 0, 0)])
def test_zero_is_apart_from_almost_zero(level, scale, zero, nearly):
    reader = drawn(loop(scale), level=level)
    stops = [p for p in reader.root.iter(f"{SVG}path") if (p.get("class") or "").endswith(" stop")]
    dotted = [p for *_, p in reader.halos if p.get("stroke-dasharray")]
    exact = [p for p in dotted if size_of(p) == "0"]
    assert bool(stops) == bool(exact) == bool(zero)
    assert len(stops) == len(exact)
    assert bool(len(dotted) - len(exact)) == bool(nearly)
    assert ("backward: zero exactly" in under(reader)) == bool(zero)
    assert ("backward: ≈0" in under(reader)) == bool(nearly)
    underlined = [p for p in reader.root.iter(f"{SVG}path") if p.get("class") == "zero"]
    assert bool(underlined) == bool(zero)
    assert ("underlined: zero exactly" in under(reader)) == bool(zero)
    check_geometry(reader)
    check_texts(reader)


def test_a_sliver_of_zero_is_underlined():
    tg.manual_seed(0)
    output, _ = tg.nn.LSTM(2, 2)(tg.randn(12, 2))
    reader = drawn((output[5] ** 2).sum(), level="cell")  # what comes later gets zeros
    for i in reader.styled("elided"):
        slivers = reader.marks(i, "sliver")
        zeros = [note for note, _ in slivers if note.endswith("‖∂‖ 0")]
        lines = [p for p in reader.boxes[i].iter(f"{SVG}path") if p.get("class") == "zero"]
        assert len(lines) == len(zeros)
        assert (len(zeros) > 0) == (len(slivers) > 0)


def told(reader: Reader) -> list[str]:
    return [t.text for t in reader.root.iter(f"{SVG}title") if "they agree by" in (t.text or "")]


def test_parts_that_cancel_say_how_far():
    a = tg.tensor([3.0, 4.0], requires_grad=True).named("a")
    up, down = (a * 2.0).named("up"), (a * -1.0).named("down")
    reader = drawn((up + down).sum().named("L"), level="op")
    size = np.sqrt(2)
    assert told(reader) == [
        f"‖{2 * size:.3f}‖ from up, ‖{size:.3f}‖ from down: together ‖{size:.3f}‖, "
        "they agree by 33 %"
    ]
    assert any(word.startswith("norms of parts do not add up") for word in under(reader))


def test_where_nothing_comes_together_nothing_is_said_of_it():
    a = tg.tensor([3.0, 4.0], requires_grad=True).named("a")
    reader = drawn((a * 2.0).sum().named("L"), level="op")
    assert not told(reader)
    assert not any("add up" in word for word in under(reader))


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("level", ["op", "cell"])
def test_what_is_said_of_parts_is_so(kind, level):
    """The ways into every state and weight add up to what is said to be all of them."""
    tg.manual_seed(1)
    output, _ = getattr(tg.nn, kind)(2, 2, 2)(tg.randn(3, 2))
    reader = drawn((output**2).sum(), level=level)
    assert len(told(reader)) > 5
    for words in told(reader):
        parts, whole, share = SAID.fullmatch(words).groups()
        norms = [float(size) for size in re.findall(r"‖([^‖]*)‖ from", parts)]
        if " more" not in parts and min([*norms, float(whole)]) > 0.05:  # three decimals
            assert float(whole) <= sum(norms) * 1.02
            assert int(share) == pytest.approx(100 * float(whole) / sum(norms), abs=3)


def test_a_tensor_that_needs_no_gradient_is_apart_from_one_that_has_none():
    a, b = (tg.ones(2, requires_grad=True).named(name) for name in "ab")
    loss = (a * b * tg.ones(2).named("c")).sum().named("L")
    loss.backward()
    b.grad = None
    reader = Reader(viz.draw(loss).svg)
    assert reader.texts(reader.named("a"), "grad") == ["[1.000 1.000]"]
    assert reader.texts(reader.named("b"), "grad") == ["none"]
    assert reader.texts(reader.named("c"), "grad") == []
    assert "no gradient shown: it needs none" in under(reader)
    assert "none: it needs a gradient, and has none" in under(reader)
    words = under(drawn((a * b).sum().named("L"), level="op"))
    assert not [word for word in words if "needs" in word]


@pytest.mark.parametrize("level", ["op", "cell"])
@pytest.mark.parametrize(
    ("target", "shown"),
    [([2, 0, 1, -100, 1, 0, 2, 2], "[2 0 1 – 1 0 …]  of 8"), ([2, 1], "[2 1]"), (1, "[1]")],
)
def test_a_loss_shows_the_classes_that_it_compares_with(target, shown, level):
    tg.manual_seed(0)
    classes = tg.tensor(target)
    output, _ = tg.nn.GRU(2, 3)(tg.randn(8, 2))
    scores = output[: len(classes)] if classes.ndim else output[-1]
    reader = drawn(tg.nn.functional.cross_entropy(scores, classes), level=level)
    assert [text for i in reader.ids for text in reader.texts(i, "target")] == [shown]
    check_texts(reader)


def derivative(order: int) -> tg.Tensor:
    w = tg.tensor(0.5, requires_grad=True).named("w")
    h = tg.tensor(0.9).named("h")
    for _ in range(3):
        h = tg.tanh(w * h).named("h")
    for _ in range(order):
        (h,) = tg.autograd.grad(h, w, create_graph=True)
    return h


@pytest.mark.parametrize(
    ("order", "title"),
    [
        (0, r"Backpropagation through 3 time steps, 6 operations"),
        (1, r"Second backward, through \d time steps? and the first backward, \d+ operations"),
        (2, r"Third backward, through .* and the first backward and the second backward, .*"),
    ],
)
def test_the_title_says_which_backward_a_walk_is(order, title):
    assert re.fullmatch(title, drawn(derivative(order)).root[0].text)
    before = Reader(viz.draw(derivative(order)).svg).root[0].text
    assert before.endswith(", a backward among them") == (order > 0)


def test_the_title_says_which_backward_of_its_program_a_walk_is(tmp_path):
    path = tmp_path / "descent.py"
    path.write_text(
        "import torch\n"
        "w = torch.tensor(0.5, requires_grad=True)\n"
        "for _ in range(4):\n"
        "    (w * w).backward()\n"
    )
    titles = []
    for at in (1, 3):
        compat.run(path, draw=tmp_path / "walk.svg", at=at)
        titles.append(Reader((tmp_path / "walk.svg").read_text()).root[0].text)
    assert titles == [
        "A graph of 1 operation",
        "A graph of 1 operation, the third backward of its program",
    ]


def test_the_parts_of_a_states_gradient_stand_where_they_come_together():
    """So that ∂L/∂h₁ can be read off: beside h₁, not where each was sent."""
    w = tg.tensor([[0.5, 0.1], [0.2, 0.3]], requires_grad=True).named("w", "parameter")
    h, total = tg.tensor([0.1, 0.2]).named("h₀"), 0.0
    for t in range(1, 4):
        with tg.step(t):
            h = tg.tanh(h @ w).named("h", "state")
            total = total + (h * h).sum()
    reader = drawn(total.named("L"), level="op")
    norms = [(text.text, area) for text, area in reader.writing() if text.get("class") == "norm"]
    for name in ("h₁", "h₂"):
        box = reader.named(name)
        parts = [size_of(path) for _, parent, _, path in reader.halos if parent == box]
        assert len(parts) > 2
        for part in parts:
            near = min(
                reader.rects[box].distance((area.left + area.right) / 2, area.bottom)
                for said, area in norms
                if said == part
            )
            assert near < 60


def test_a_frozen_weight_stands_with_the_others_and_says_so():
    tg.manual_seed(0)
    net = tg.nn.LSTM(2, 2)
    net.weight_hh_l0.requires_grad_(False)
    output, _ = net(tg.randn(3, 2))
    loss = (output**2).sum()
    reader = Reader(viz.draw(bptt.record(loss, retain_graph=True)).svg)
    (panel,) = reader.styled("weights")
    chips = dict(zip(reader.texts(panel, "name")[1:], reader.texts(panel, "grad"), strict=True))
    assert chips.keys() == {name for name, _ in net.named_parameters()}
    frozen = [name for name, chip in chips.items() if chip == "frozen"]
    assert frozen == ["weight_hh_l0"]
    assert len(reader.marks(panel, "bar")) == 3 * 3
    reader = Reader(viz.draw(bptt.record(loss), level="op").svg)
    notes = {i: reader.texts(i, "note") for i in reader.ids}
    assert [note for (note,) in filter(None, notes.values()) if "frozen" in note] == [
        "param, frozen, used ×3"
    ]
