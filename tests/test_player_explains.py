"""The player explains: formulas, reasons, chapters, weights that fill up; to every reader."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path

import numpy as np
import pytest
from browsing import Page, open_chromium
from test_player import NETWORKS, lstm, perceptron, rnn

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, viz
from tinygrad_rnn.viz.build import scene_of
from tinygrad_rnn.viz.player.chapters import chapters_of
from tinygrad_rnn.viz.player.filling import MOST_BARS, fillings
from tinygrad_rnn.viz.player.walk import boxed, walk_of
from tinygrad_rnn.viz.source import source_of
from tinygrad_rnn.writing import figures
from tinygrad_rnn.writing.norms import norm


def dead():
    """A loop of ReLUs that are all dead at t = 2, so that nothing comes to what was before."""
    w = tg.tensor([[0.5, -0.3]], requires_grad=True).named("w", "parameter")
    h = tg.tensor([[1.0, 1.0]]).named("h₀", "state")
    for t in range(1, 4):
        with tg.step(t):
            h = tg.relu(h * w + (-9.0 if t == 2 else 1.0)).named("h", "state")
    return (h * h).sum().named("L")


@pytest.fixture(scope="module")
def browser():
    chromium = open_chromium()
    yield chromium
    chromium.quit()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder, known = tmp_path_factory.mktemp("explains"), {}

    def make(network):
        if network not in known:
            walk = bptt.record(network())
            known[network] = walk, viz.play(walk, folder / f"{network.__name__}.html")
        return known[network]

    return make


@pytest.fixture
def page(browser, made):
    shown = []

    def open_page(network=rnn, link=""):
        shown.append(Page(browser, made(network)[1]).open(link))
        return shown[-1]

    yield open_page
    assert not [c for each in shown for c in each.complaints()]
    if shown:
        shown[-1].emulate()


# -- formulas --------------------------------------------------------------------------------


def test_a_visit_is_set_as_a_formula_in_symbols_and_in_numbers(page) -> None:
    shown = page(link="#step=10")
    rule, inserted = shown.formulas("#sent .card")
    assert rule == "G ⊙ (1 − h₁²)"
    assert inserted.replace("\u00a0", " ") == "[1.114 2.254] ⊙ (1 − [0.537 0.462]²)"
    assert shown.texts("#sent .rule msubsup > *") == ["h", "1", "2"]
    assert shown.texts("#sent dd mtd") == ["1.114", "2.254", "0.537", "0.462"]
    high, low = (
        shown.run(
            "return document.querySelector(arguments[0]).getBoundingClientRect().bottom", selector
        )
        for selector in (
            "#sent .rule msubsup > :nth-child(3)",
            "#sent .rule msubsup > :nth-child(2)",
        )
    )
    assert high < low  # it is laid out: the power stands above the index


@pytest.mark.parametrize("network", NETWORKS, ids=lambda f: f.__name__)
def test_every_formula_is_set_and_says_what_is_written(made, page, network) -> None:
    walk = made(network)[0]
    data = walk_of(walk, scene_of(source_of(walk), steps="all", max_nodes=5000))
    shown = page(network)
    for number in range(1, len(walk.visits) + 1, max(1, len(walk.visits) // 12)):
        shown.go(number)
        sends = data["visits"][number - 1]["to"]
        assert shown.formulas("#sent .card p") == [send["formula"] for send in sends]
        widths = shown.run(
            "return [...document.querySelectorAll('#sent .rule')].map(e => e.clientWidth)"
        )
        assert all(width > 5 for width in widths)


# -- reasons ---------------------------------------------------------------------------------


def test_a_zero_says_why_on_its_box_and_in_the_panel(made, page) -> None:
    walk, shown = made(dead)[0], page(dead, "#step=1")
    signs = """return [...document.querySelectorAll(".why")]
      .filter((sign) => getComputedStyle(sign).visibility === "visible")
      .map((sign) => sign.closest(".box").id)"""
    zeros = {
        f"n{i}": place
        for i, place in enumerate(boxed(walk.root))
        if (g := walk.gradient(place)) is not None and not g.any()
    }
    assert len(zeros) > 3
    for number in range(len(walk.visits) + 1):
        shown.go(number)
        complete = {
            box for box, place in zeros.items()
            if all(v.number <= number for v in walk.visits if place in v.node.parents)
        }  # fmt: skip
        assert set(shown.run(signs)) == complete
    for box, place in zeros.items():
        shown.run("inspect(Number(arguments[0].slice(1)))", box)
        told = bptt.why_zero(walk, place)
        assert shown.text("#why h3") == "Why is this zero?"
        assert shown.texts("#why li") == [f"{r.kind}: {r.what} ({r.where})" for r in told]
        assert ("dead unit", (2,)) in [(reason.kind, reason.steps) for reason in told]
    last = walk.visits[-1]
    assert shown.texts("#zero li") == shown.texts("#why li")
    assert "which is zero: dead unit" in shown.text("#spoken")
    assert not last.cotangent.any()
    shown.go(1)
    assert not shown.texts("#zero li")


def test_what_was_detached_says_so(browser, tmp_path) -> None:
    w = tg.tensor([2.0], requires_grad=True).named("w")
    cut = (w * 3).detach().named("cut")
    walk = bptt.record((cut * w).sum())
    shown = Page(browser, viz.play(walk, tmp_path / "cut.html")).open()
    (i,) = (i for i, place in enumerate(boxed(walk.root)) if place is cut.node)
    shown.run("inspect(arguments[0])", i)
    assert shown.text("#why h3") == "Why is there no gradient?"
    assert shown.texts("#why b") == ["detached"]


# -- weights that fill up --------------------------------------------------------------------


@pytest.mark.parametrize("network", [rnn, lstm, dead, perceptron], ids=lambda f: f.__name__)
def test_weights_fill_up_by_what_the_visits_give(made, page, network) -> None:
    walk, shown = made(network)[0], page(network)
    index = {place: i for i, place in enumerate(boxed(walk.root))}
    rows = fillings(walk, index)
    places = [boxed(walk.root)[row["node"]] for row in rows]
    for k in [
        0,
        1,
        *range(2, len(walk.visits) + 1, 1 + len(walk.visits) // 10),
        len(walk.visits),
        3,
    ]:
        shown.go(k)
        sums = shown.texts("#weights .sum")
        heights = shown.run(
            """return [...document.querySelectorAll("#weights li")].map((row) =>
              [...row.querySelectorAll("rect")].map((bar) => bar.height.baseVal.value / 10))"""
        )
        for place, said, bars in zip(places, sums, heights, strict=True):
            given: dict[int | None, np.ndarray] = {}
            most = 0.0
            for visit in walk.visits:
                for parent, c in zip(visit.node.parents, visit.contributions, strict=True):
                    if parent is place:
                        so_far = given.get(visit.step, 0) + c
                        most = max(most, norm(so_far))
                        if visit.number <= k:
                            given[visit.step] = so_far
            now = {step: norm(g) for step, g in given.items()}
            expected = sorted(size / (most or 1) for size in now.values())
            assert sorted(bars)[len(bars) - len(now) :] == pytest.approx(expected, abs=1e-3)
            total = sum(given.values())
            one = np.size(place.value) == 1
            size = "not yet" if not given else figures.number(np.sum(total) if one else norm(total))
            assert said.strip("‖") == size
    shown.go(len(walk.visits))
    finals = [figures.number(norm(walk.gradient(place))) for place in places]
    for said, whole, final in zip(
        shown.texts("#weights .sum"), shown.texts("#weights p"), finals, strict=True
    ):
        assert whole == f"{said} of {said}"  # in the end it is .grad
        assert said.strip("‖-") == final


def test_many_steps_share_bars() -> None:
    tg.manual_seed(0)
    output, _ = tg.nn.RNN(1, 1)(tg.randn(201, 1))
    walk = bptt.record(output.sum())
    index = {place: i for i, place in enumerate(boxed(walk.root))}
    for row in fillings(walk, index):
        assert len(row["bars"]) == 67
        assert len(row["bars"]) <= MOST_BARS
        assert {gift["bar"] for gift in row["gifts"]} == set(range(67))
        assert row["bars"][0] == "t = 1–3"


# -- chapters and pace -----------------------------------------------------------------------


def test_chapters_cover_the_walk() -> None:
    for network in NETWORKS:
        walk = bptt.record(network())
        chapters = chapters_of(walk)
        starts = [chapter["at"] for chapter in chapters]
        assert starts[:2] == [0, 1]
        assert starts == sorted(set(starts))
        for chapter, end in zip(chapters[1:], [*starts[2:], len(walk.visits) + 1], strict=True):
            steps = {walk.visits[k - 1].step for k in range(chapter["at"], end)}
            if any(visit.step is not None for visit in walk.visits):
                (step,) = steps
                assert (f"t = {step}" in chapter["title"]) == (step is not None)
    titles = [chapter["title"] for chapter in chapters_of(bptt.record(lstm()))]
    assert titles[1:4] == [
        "Loss",
        "Back through t = 4, lstm layer 1",
        "Back through t = 3, lstm layer 1",
    ]


def test_chapters_are_jumped_to_by_list_and_keys(page) -> None:
    shown = page()
    up, down = "\ue00e", "\ue00f"
    assert shown.texts("#chapters option") == [
        "Forward: all values", "Loss", "Back through t = 2", "Back through t = 1",
    ]  # fmt: skip
    steps = []
    for key in (down, down, down, down, up, up, up, up):
        shown.press(key)
        steps.append(shown.step)
    assert steps == [1, 2, 8, 8, 2, 1, 0, 0]
    shown.go(10)
    assert shown.find("#chapters").get_property("value") == "3"
    shown.press(up)
    assert shown.step == 8
    shown.find("#chapters").send_keys("Loss")
    assert shown.step == 1


def test_the_pace_is_slow_enough_to_talk(page) -> None:
    shown = page(link="#step=2")
    speed = shown.find("#speed")
    speed.send_keys("\ue011")
    assert speed.get_attribute("aria-valuetext") == "30 s a visit"
    assert shown.text("#pace output") == "30 s a visit"
    shown.run("document.getElementById('play').click()")
    time.sleep(0.3)
    assert shown.step == 2
    speed.send_keys("\ue010")  # which counts at once
    shown.wait("Number(document.getElementById('slider').value) > 5")
    assert shown.text("#pace output") == "0.05 s a visit"
    shown.wait("document.getElementById('count').textContent === '13 / 13'")


def test_who_listens_hears_each_visit_if_there_is_time(page) -> None:
    shown = page(link="#step=2")
    heard = """window.heard = []; new MutationObserver(() => heard.push(
      document.getElementById("spoken").textContent)).observe(
      document.getElementById("spoken"), { childList: true })"""
    shown.run(heard)
    shown.run("document.getElementById('speed').value = 12; play()")
    shown.wait("document.getElementById('count').textContent === '13 / 13'")
    assert len(shown.run("return heard")) <= 2  # the end, but no chatter on the way
    shown.run(f"go(2); {heard}; PACES[12] = 2; play(); clearTimeout(timer); go(3); go(4)")
    shown.wait("heard.length >= 2")
    assert shown.run("return heard").pop().startswith("step 4 of 13")
    shown.run("pause(); PACES[12] = 0.05")


def test_the_screen_can_be_filled(page) -> None:
    shown = page()
    assert shown.find("#full").is_displayed()
    shown.find("#full").click()
    shown.wait("document.fullscreenElement === document.documentElement")
    shown.wait("document.getElementById('full').ariaPressed === 'true'")
    shown.press("f")
    shown.wait("document.fullscreenElement === null")


# -- every reader ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def axe():
    """The rules of axe-core, as a script."""
    found = importlib.util.find_spec("axe_core_python")
    if found is None or found.origin is None:
        pytest.skip("pages are checked by axe-core: pip install axe-core-python")
    return (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")


def violations(shown, axe):
    shown.run(axe)
    found = shown.browser.execute_async_script(
        """const done = arguments[0];
        axe.run(document, { resultTypes: ["violations"], iframes: false }).then(
          ({ violations, passes }) => done([passes.length, violations.map(
            ({ id, nodes }) => `${id}: ${nodes[0].html} ${nodes[0].failureSummary}`)]),
          (error) => done([0, [String(error)]]))"""
    )
    passed, failures = found
    assert passed > 8 or failures
    return failures


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("network", [rnn, dead], ids=lambda f: f.__name__)
def test_the_player_can_be_read_by_all(page, axe, network, scheme) -> None:
    shown = page(network, "#step=12&node=0")
    shown.emulate(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
    assert not violations(shown, axe)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_beside_it_can_be_read_by_all(browser, axe, scheme, tmp_path) -> None:
    walk = bptt.record(rnn())
    w, player = np.array([[1.0], [2.0]]), viz.play(walk)
    for path in (
        viz.play(walk, tmp_path / "sliders.html", sliders={"w": np.linspace(w, w + 1, 3)}),
        viz.draw(walk).save(tmp_path / "still.html"),
        viz.draw(walk, level="rolled").save(tmp_path / "rolled.html"),
    ):
        shown = Page(browser, path).open()
        shown.emulate(prefers_color_scheme=scheme)
        assert not violations(shown, axe), path
    cell = tmp_path / "notebook.html"
    cell.write_text(
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>A notebook</title>'
        "</head><body><main><h1>A notebook</h1>"
        f"{player._repr_html_()}</main></body></html>",
        encoding="utf-8",
    )
    shown = Page(browser, cell).open()
    shown.emulate(prefers_color_scheme=scheme)
    assert not violations(shown, axe)
    inside = shown.find("iframe").get_attribute("srcdoc")  # a frame into which no script may reach
    assert inside == player.page  # the page that is read above


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_live_player_can_be_read_by_all(browser, axe, scheme) -> None:
    with viz.play(bptt.record(rnn()), live=True) as player:
        shown = Page(browser, None)
        browser.get(f"{player.address}#step=12&node=0")
        shown.emulate(prefers_color_scheme=scheme)
        assert len(shown.all("#elements input[type=number]")) == 6
        assert not violations(shown, axe)
        browser.get("about:blank")


def test_reasons_and_weights_follow_what_is_changed(browser) -> None:
    walk = bptt.record(dead())
    with viz.play(walk, live=True) as player:
        shown = Page(browser, None)
        browser.get(f"{player.address}#step={len(walk.visits)}&node=0")
        assert shown.text("#zero h3") == "Why is this zero?"
        before = shown.texts("#weights .sum")
        (w,) = (
            i for i, place in enumerate(boxed(walk.root)) if place.requires_grad and place.is_leaf
        )
        shown.run("inspect(arguments[0]); change(`${arguments[0]},0`, 30, null)", w)
        shown.wait("document.querySelectorAll('#zero li').length === 0")
        again = bptt.again(walk, {"w": [[30.0, -0.3]]})
        (final,) = shown.texts("#weights .sum")
        assert [final] != before
        leaf = next(place for place in again.places if place.is_leaf and place.requires_grad)
        assert final == f"‖{figures.number(norm(again.gradient(leaf)))}‖"
        browser.get("about:blank")


def test_focus_is_seen_on_every_control(page) -> None:
    shown = page(link="#step=5&node=9")
    seen = set()
    for _ in range(20):
        shown.press("\ue004")
        if shown.run("return document.activeElement === document.body"):
            continue
        seen.add(shown.run("return document.activeElement.id"))
        outline = shown.run(
            "const s = getComputedStyle(document.activeElement);"
            "return [s.outlineStyle, parseFloat(s.outlineWidth)]"
        )
        assert outline == ["solid", 3]
    assert {"play", "slider", "chapters", "speed", "full", "nodes", "panel"} <= seen
