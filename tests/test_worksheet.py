"""Exercises: what is hidden and asked, numbers that are pleasant, and the page to print."""

from __future__ import annotations

import io
import re
from importlib.util import find_spec
from itertools import combinations

import numpy as np
import pytest
import random_loops
from browsing import open_chromium

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, viz
from tinygrad_rnn.bptt.exercises import allowance, exercise
from tinygrad_rnn.bptt.pleasant import dealt
from tinygrad_rnn.cli import demo, samples
from tinygrad_rnn.operations.traits import traits_of
from tinygrad_rnn.reading.given import name_of
from tinygrad_rnn.viz.build import scene_of
from tinygrad_rnn.viz.excerpts import parts_of
from tinygrad_rnn.viz.paper import LEGIBLE, sheet_for
from tinygrad_rnn.viz.source import source_of

needs_images = pytest.mark.skipif(
    not all(map(find_spec, ("vl_convert", "pypdf"))), reason="pip install tinygrad_rnn[images]"
)


def walk_of(cell="rnn", **options):
    return bptt.record(samples.unrolled(cell, **options))


def two_steps():
    return bptt.record(demo.forward()[2])


def attention():
    tg.manual_seed(3)
    query, memory = tg.randn(2, requires_grad=True), tg.randn(3, 2, requires_grad=True)
    weights = tg.softmax(memory @ query, 0)
    return bptt.record(((weights @ memory) ** 2).sum())


def classes():
    tg.manual_seed(4)
    layer = tg.nn.Linear(2, 3)
    loss = tg.nn.functional.cross_entropy(layer(tg.randn(2, 2)), tg.tensor([0, 2]))
    return bptt.record(loss)


WALKS = {
    "two steps": two_steps,
    "rnn": walk_of,
    "lstm": lambda: walk_of("lstm", steps=2),
    "gru": lambda: walk_of("gru", steps=2, every_step=True),
    "both ways": lambda: walk_of("rnn", steps=2, bidirectional=True),
    "attention": attention,
    "classes": classes,
}
walks = pytest.mark.parametrize("name", WALKS)


# -- what is asked -------------------------------------------------------------------------------


@walks
@pytest.mark.parametrize("hide", ["gradients", "values"])
def test_the_answers_are_the_walks(name, hide):
    walk = WALKS[name]()
    asked = exercise(walk, hide)
    known = walk.value if hide == "values" else walk.gradient
    for task in asked.tasks:
        np.testing.assert_array_equal(task.answer, known(task.place))
    assert len({task.name for task in asked.tasks}) == len(asked.tasks)
    assert asked.points == sum(np.size(task.answer) for task in asked.tasks)


def test_tasks_come_in_the_order_in_which_one_computes_them():
    asked = exercise(two_steps(), ("values", "gradients"))
    order = {place: i for i, place in enumerate(asked.record.places)}
    values = [order[task.place] for task in asked.tasks if task.kind == "values"]
    gradients = [order[task.place] for task in asked.tasks if task.kind == "gradients"]
    assert values == sorted(values)
    assert gradients == sorted(gradients, reverse=True)
    assert asked.tasks[0].kind == "values"


@pytest.mark.parametrize(
    ("hide", "names"),
    [
        ("h₁", {"h₁", "∂L/∂h₁"}),
        (("gradients", "h"), {"∂L/∂h₀", "∂L/∂h₁", "∂L/∂h₂"}),
        (("values", 2), {"hx₂", "m₂", "a₂", "h₂", "p₂", "y₂"}),
        (["y₁", "W"], {"y₁", "∂L/∂y₁", "∂L/∂W"}),
    ],
)
def test_names_and_steps(hide, names):
    assert {task.name for task in exercise(two_steps(), hide).tasks} == names


@pytest.mark.parametrize(
    ("hide", "error", "said"),
    [
        ("q", ValueError, "nothing is called 'q'; there are: W, b, w"),
        (9, ValueError, "there is no time step 9; there are: 0, 1, 2"),
        (("values", "W"), ValueError, "hides nothing that is computed"),
        ((), TypeError, "give 'gradients', 'values', names, or time steps"),
        (1.5, TypeError, "give 'gradients'"),
        ([True], TypeError, "give 'gradients'"),
        (None, TypeError, "give 'gradients'"),
    ],
)
def test_what_cannot_be_hidden(hide, error, said):
    with pytest.raises(error, match=f"^worksheet: .*{re.escape(said)}"):
        exercise(two_steps(), hide)


def test_what_nobody_would_compute_is_refused_by_count():
    with pytest.raises(ValueError, match=r"^worksheet: .* hides [\d,]+ numbers, and nobody"):
        exercise(walk_of("lstm", hidden=8))
    with pytest.raises(TypeError, match="expected a Record, got Tensor"):
        exercise(samples.unrolled("rnn"))
    with pytest.raises(ValueError, match="tolerance=2 must lie between 0 and 1"):
        exercise(two_steps(), tolerance=2)


def test_hints_name_the_rule():
    hints = {task.name: task.hint for task in exercise(two_steps()).tasks}
    assert hints["∂L/∂a₂"] == "rule of tanh: ∂L/∂a₂ = ∂L/∂h₂ ⊙ (1 − h₂²)"
    assert hints["∂L/∂w"] == "sum over 2 uses, by matmul: ∂L/∂w = h₁ᵀ @ ∂L/∂p₁ + h₂ᵀ @ ∂L/∂p₂"
    values = {task.name: task.hint for task in exercise(two_steps(), "values").tasks}
    assert values["h₁"] == "tanh: h₁ = tanh(a₁)"


@pytest.mark.parametrize("answer", [3.0, -0.4, 0.012, 0.0])
def test_a_tolerance_lets_nothing_pass_that_is_plainly_wrong(answer):
    allowed = allowance(answer, 0.02)
    assert allowed > 0.0005  # a result that was rounded to three decimals is right
    assert allowed < abs(2 * answer) or answer == 0  # and one of the wrong sign is not


# -- pleasant numbers ----------------------------------------------------------------------------


@walks
@pytest.mark.parametrize("seed", range(2))
def test_numbers_are_pleasant(name, seed):
    walk = dealt(WALKS[name](), seed)
    changed = [p for p in walk.places if p.is_leaf and p.requires_grad]
    assert changed
    for leaf in changed:
        value = np.asarray(walk.value(leaf), float)
        np.testing.assert_allclose(value * 10, np.round(value * 10), atol=1e-5)
        assert (value != 0).all()
        assert np.abs(value).max() < 1
        assert value.size > 18 or len(np.unique(value)) == value.size
    for place in walk.places:
        ends = traits_of(place.primitive).squashes if place.primitive else None
        if ends is not None:
            value = (np.asarray(walk.value(place), float) - ends[0]) / (ends[1] - ends[0])
            assert np.abs(value - 0.5).max() < 0.49  # of a tanh less than ±0.98
        for array in (walk.value(place), walk.gradient(place)):
            assert array is None or np.isfinite(array).all()


def test_pleasant_numbers_are_better_than_any():
    """The share of results that are zero, tiny, saturated or on a border, of some nets."""
    from tinygrad_rnn.bptt.pleasant import _unpleasant

    for walk in map(WALKS.get, ("two steps", "rnn")):
        usual = np.mean([_unpleasant(dealt_once(walk(), seed), walk()) for seed in range(6)])
        chosen = np.mean([_unpleasant(dealt(walk(), seed), walk()) for seed in range(2)])
        assert chosen < 0.9 * usual


def dealt_once(walk, seed):
    random = np.random.default_rng(seed)
    leaves = {p: random.normal(size=p.shape) for p in walk.places if p.is_leaf and p.requires_grad}
    return bptt.again(walk, leaves)


def test_a_seed_is_an_exercise():
    walk = two_steps()
    one, same, other = (exercise(walk, nice=True, seed=seed) for seed in (5, 5, 6))
    for a, b in zip(one.tasks, same.tasks, strict=True):
        np.testing.assert_array_equal(a.answer, b.answer)
    assert any((a.answer != b.answer).any() for a, b in zip(one.tasks, other.tasks, strict=True))
    assert exercise(walk, nice=True).seed == 0
    assert exercise(walk).seed is None
    np.testing.assert_array_equal(exercise(walk).record.gradient(walk.root), 1)


def test_what_means_something_stays():
    """Initial states of zeros and masks stay; what was positive stays so."""
    w = tg.tensor([0.3, -2.0], requires_grad=True).named("w")
    mask = tg.tensor([1.0, 0.0]).named("mask")
    positive = tg.tensor([4.0, 0.5]).named("positive")
    walk = bptt.record((w * mask + positive * w).sum())
    for seed in range(2):
        values = {
            name_of(place): made.value(place)
            for made in [dealt(walk, seed)]
            for place in made.places
            if place.is_leaf
        }
        assert values["mask"].tolist() == [1, 0]
        assert (values["positive"] > 0).all()
    with pytest.raises(ValueError, match="no leaf of this walk can be given other numbers"):
        exercise(bptt.record(doubled()), nice=True)


def doubled():
    class Double(tg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    return Double.apply(tg.tensor(1.5, requires_grad=True))


def test_numbers_that_only_lead_to_infinities_are_refused():
    w = tg.tensor(30.0, requires_grad=True)
    loss = tg.log(tg.log(tg.tensor(1.0) + w * 0 + 2) - w * 0 - 100 * w**0 + 200) * w
    walk = bptt.record(tg.log(-(w**2) - 1 + tg.tensor(2000.0)) + loss)
    assert exercise(walk).points
    impossible = bptt.record(tg.log(w - 10).named("L"))
    with pytest.raises(ValueError, match="computes infinities or NaN; leave out nice and seed"):
        exercise(impossible, nice=True)


# -- the page ------------------------------------------------------------------------------------


def texts(page):
    """The lines of writing in an SVG or an HTML page."""
    return [re.sub("<[^>]*>", "", text) for text in re.findall(r"<text[^>]*>(.*?)</text>", page)]


@walks
@pytest.mark.parametrize("hide", ["gradients", "values"])
def test_the_page_gives_nothing_away(name, hide, tmp_path):
    """Not one answer stands in it that is not given elsewhere; the key has them all."""
    path, key = viz.worksheet(WALKS[name](), tmp_path / "a.html", hide, seed=2)
    page, whole = (p.read_text(encoding="utf-8") for p in (path, key))
    asked = exercise(WALKS[name](), hide, seed=2)
    given = {
        f"{x:.3f}"
        for place in asked.record.places
        for kind, array in (
            ("values", asked.record.value(place)), ("gradients", asked.record.gradient(place)),
        )
        if array is not None and asked.task_of(place, kind) is None
        for x in np.asarray(array, float).ravel()
    }  # fmt: skip
    answers = {f"{x:.3f}" for task in asked.tasks for x in task.answer.ravel()} - given
    answers -= {"1.000", "0.000", "-0.000"}
    assert len(answers) > 2
    assert not answers & numbers(*texts(page), *re.findall("<title>.*?</title>", page))
    assert answers <= numbers(*texts(whole))


def numbers(*lines):
    """The numbers of three decimals that are written there."""
    return set(re.findall(r"-?\d+\.\d{3}(?!\d)", "\n".join(lines)))


@walks
def test_the_page_asks_for_every_number_once(name, tmp_path):
    asked = exercise(WALKS[name](), nice=True)
    path, key = viz.worksheet(WALKS[name](), tmp_path / "a.html", nice=True)
    said = texts(path.read_text(encoding="utf-8"))
    for task in asked.tasks:
        assert sum(text.startswith(f"({task.number}) ") for text in said) == 1
    rows = re.findall(r'class="points"[^>]*>([^<]*)<', path.read_text(encoding="utf-8"))
    assert [int(row.split("/")[1]) for row in rows] == [task.points for task in asked.tasks]
    assert "the key" not in " ".join(said)
    assert "the key" in " ".join(texts(key.read_text(encoding="utf-8")))


def test_hints_may_be_left_out(tmp_path):
    path, _ = viz.worksheet(two_steps(), tmp_path / "a.html", hints=False)
    assert 'class="hint"' not in path.read_text(encoding="utf-8")


def test_hostile_names_are_text(tmp_path):
    w = tg.tensor([0.5], requires_grad=True).named('<script>alert("1")</script>')
    x = tg.tensor([2.0], requires_grad=True).named("=cmd|' /C calc'!A0 \u202e&amp;")
    walk = bptt.record(tg.tanh(w * x).sum())
    path, key = viz.worksheet(walk, tmp_path / "a.html", title="</title><script>1</script>\n!")
    for file in (path, key):
        page = file.read_text(encoding="utf-8")
        assert page.count("<script>") == 1  # the page's own, which is empty
        assert "\u202e" not in page
        assert "&lt;script&gt;" in page


LARGE = {
    "lstm": lambda: walk_of("lstm", steps=2),
    "two layers, every step": lambda: walk_of("lstm", steps=2, layers=2, every_step=True),
    "gru": lambda: walk_of("gru", steps=3, hidden=3),
    "gru, both ways": lambda: walk_of("gru", steps=2, bidirectional=True),
    "long": lambda: walk_of("rnn", steps=9),
    "skip": lambda: loop_of("skip", 3),
    "one after the other": lambda: loop_of("one after the other", 1),
    "no steps": lambda: bptt.record(tg.nn.TransformerEncoderLayer(2, 1, 2)(tg.ones(2, 2)).sum()),
}


def loop_of(kind, seed):
    with bptt.keep_values():
        return bptt.record(random_loops.program(kind, seed, tg)[0])


@pytest.mark.parametrize("name", LARGE)
def test_every_sheet_is_a4_and_legible(name, tmp_path):
    """Also of nets that no sheet could hold: their pictures go on from sheet to sheet."""
    files = viz.worksheet(LARGE[name](), tmp_path / "a.html", "gradients")
    for file in files:
        page = file.read_text(encoding="utf-8")
        sheets = re.findall(r'<svg [^>]*?width="(\d+)" height="(\d+)"', page)
        assert set(sheets) <= {("595", "842"), ("842", "595")}
        scales = [float(x) for x in re.findall(r"scale\(([\d.]+)\)", page)]
        assert len(scales) > 1
        assert min(scales) >= LEGIBLE
        ids = re.findall(r'<g id="([^"]*)"', page)
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", [*LARGE, *random_loops.KINDS])
def test_parts_of_a_picture_hold_all_of_it(name):
    """Each box is in one part and repeated in others, each wire is drawn; whatever people write."""
    walk = LARGE[name]() if name in LARGE else loop_of(name, 1)
    scene = scene_of(source_of(walk), steps="all")
    parts = parts_of(scene, lambda layout, _: legible(layout))
    assert all(map(legible, (layout for _, layout in parts)))
    own = [i for part, _ in parts for i, box in part.boxes.items() if box.style != "initial"]
    assert sorted(own) == sorted(scene.boxes)
    drawn = {(edge.source, edge.target, edge.operand) for part, _ in parts for edge in part.edges}
    assert drawn == {(edge.source, edge.target, edge.operand) for edge in scene.edges}
    for part, layout in parts:
        for box in part.boxes.values():
            joined = any(box.index in (edge.source, edge.target) for edge in part.edges)
            assert joined or box.style != "initial"
        pairs = combinations(layout.boxes.values(), 2)
        assert not [(a, b) for a, b in pairs if overlap(a, b)]


def legible(layout):
    wide, high = layout.width, layout.height
    return sheet_for(wide, high, 40).scale(wide, high, 40) >= LEGIBLE


def overlap(a, b):
    return a.x < b.right and b.x < a.right and a.y < b.bottom and b.y < a.bottom


def test_a_net_without_an_end_is_still_cut():
    """If nothing fits, each box has a part of its own."""
    scene = scene_of(source_of(walk_of("lstm", steps=2)), steps="all")
    parts = parts_of(scene, lambda layout, is_first: False)
    assert len(parts) == len(scene.boxes)


@needs_images
def test_a_pdf_has_the_same_sheets(tmp_path):
    from pypdf import PdfReader

    html, _ = viz.worksheet(two_steps(), tmp_path / "a.html", nice=True)
    pdf, key = viz.worksheet(two_steps(), tmp_path / "a.pdf", nice=True)
    sheets = html.read_text(encoding="utf-8").count("<section")
    pages = PdfReader(io.BytesIO(pdf.read_bytes())).pages
    assert len(pages) == sheets >= 2
    assert [round(float(side)) for side in pages[-1].mediabox[2:]] == [595, 842]
    text = " ".join(page.extract_text() for page in pages)
    assert "rule of tanh" in text
    answers = " ".join(page.extract_text() for page in PdfReader(key).pages)
    assert "Answers" in answers
    assert "Answers" not in text


@pytest.mark.parametrize("name", ["a", "a.svg", "a.ods"])
def test_other_files_are_refused(name, tmp_path):
    with pytest.raises(ValueError, match=r"does not end in .xlsx, .html, .pdf"):
        viz.worksheet(two_steps(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_nothing_is_written_where_something_is_wrong(tmp_path):
    with pytest.raises(ValueError, match="nothing is called"):
        viz.worksheet(two_steps(), tmp_path / "a.html", "nothing")
    with pytest.raises(ValueError, match=r"this walk has \d+ boxes, and a picture to write in"):
        viz.worksheet(walk_of(steps=60), tmp_path / "a.html", "y")
    with pytest.raises(FileNotFoundError):
        viz.worksheet(two_steps(), tmp_path / "missing" / "a.html")
    assert not list(tmp_path.iterdir())


def test_every_sheet_is_a_page_of_its_own_in_a_browser(tmp_path):
    """Nothing reaches beyond its sheet, and printing makes as many pages as there are sheets."""
    import base64

    pypdf = pytest.importorskip("pypdf")
    path, _ = viz.worksheet(walk_of("lstm", steps=2), tmp_path / "a.html", nice=True)
    browser = open_chromium()
    try:
        browser.get(path.as_uri())
        beyond = browser.execute_script(
            """const found = [];
            for (const sheet of document.querySelectorAll("section")) {
              const paper = sheet.getBoundingClientRect();
              for (const text of sheet.querySelectorAll("text")) {
                const r = text.getBoundingClientRect();
                if (r.right > paper.right || r.bottom > paper.bottom || r.left < paper.left)
                  found.push(text.textContent);
              }
            }
            return found"""
        )
        assert not beyond
        sheets = browser.execute_script("return document.querySelectorAll('section').length")
        printed = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
        pages = pypdf.PdfReader(io.BytesIO(base64.b64decode(printed["data"]))).pages
        assert len(pages) == sheets
    finally:
        browser.quit()
