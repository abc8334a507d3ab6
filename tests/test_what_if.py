"""What if a number were another: the page shows what the engine computes, to this machine alone."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from browsing import Page, open_chromium
from test_player import HOSTILE, NETWORKS, lstm, perceptron, rnn

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, viz
from tinygrad_rnn.bptt.rerun import Rerun
from tinygrad_rnn.viz.build import scene_of
from tinygrad_rnn.viz.player.flow_plot import HIGH, plots_of
from tinygrad_rnn.viz.player.server import MOST_BYTES
from tinygrad_rnn.viz.player.walk import boxed
from tinygrad_rnn.viz.source import source_of
from tinygrad_rnn.writing import figures
from tinygrad_rnn.writing.norms import norm
from tinygrad_rnn.writing.palette import LIGHT


@pytest.fixture(scope="module")
def browser():
    chromium = open_chromium()
    yield chromium
    chromium.quit()


@pytest.fixture
def live(browser):
    """Opens a walk's live player; at the end the console must have been silent."""
    players = []

    def open_player(walk: bptt.Record, link: str = "") -> LivePage:
        players.append(viz.play(walk, live=True))
        return LivePage(browser, players[-1], walk).reload(link)

    yield open_player
    complaints = Page(browser, None).complaints()
    browser.get("about:blank")
    for player in players:
        player.close()
    assert not complaints


class LivePage(Page):
    """A page of a live player, and the walk that it should show."""

    def __init__(self, browser: Any, player: viz.LivePlayer, walk: bptt.Record) -> None:
        super().__init__(browser, None)
        self.player, self.walk, self.rerun = player, walk, Rerun(walk)
        self.boxes = boxed(walk.root)
        self.scale = scene_of(source_of(walk), steps="all", max_nodes=5000).scale

    def reload(self, link: str = "") -> LivePage:
        self.browser.get("about:blank")
        self.browser.get(self.player.address + link)
        return self

    def answered(self, state: dict[str, float]) -> None:
        """Wait until the page shows what follows from these changes."""
        self.wait(
            """((shown, wanted) => Object.keys(shown).length === Object.keys(wanted).length
            && Object.keys(wanted).every((key) => shown[key] === wanted[key]))(
              JSON.parse(document.body.dataset.answered ?? "{}"), arguments[0])""",
            state,
        )

    def field(self, element: int) -> Any:
        return self.all("#elements input[type=number]")[element]

    def choose(self, box: int) -> None:
        self.run("inspect(arguments[0])", box)

    def type(self, element: int, value: float) -> None:
        all_of_it, tab = "\ue009a\ue000", "\ue004"
        self.field(element).send_keys(f"{all_of_it}{value}{tab}")

    def assert_shows(self, values: dict[int, Any]) -> None:
        """Everything on the page is what the engine says of the walk with these leaves."""
        again = self.rerun({self.boxes[box]: value for box, value in values.items()})
        places = boxed(again.root)
        self.go(len(again.visits))
        shown = self.run(
            """return boxes.map(({ element }) => ["value", "grad"].map((name) =>
              [...element.querySelectorAll(`text.${name}`)].map((e) => e.textContent)))"""
        )
        bins = self.run("return nodes.map((node) => node.states.at(-1)?.bin ?? null)")
        fills = self.run("return boxes.map(({ back }) => back?.getAttribute('fill'))")
        lines = self.run(
            """return boxes.map(({ zero }) => zero !== null && zero.style.display !== "none"
              && zero.classList.contains("final"))"""
        )
        for place, (value, grad), bin, fill, is_under in zip(
            places, shown, bins, fills, lines, strict=True
        ):
            assert tuple(value) == figures.array(again.value(place))
            gradient = again.gradient(place)
            if gradient is not None:
                assert tuple(grad) == figures.array(gradient)
                assert bin == figures.bin_of(self.scale, norm(gradient))
                assert fill == f"var(--heat-{bin}-fill)"
                assert is_under == (norm(gradient) == 0)
        self.assert_flows(again, places)

    def assert_flows(self, again: bptt.Record, places: list[Any]) -> None:
        flows: dict[tuple[str, str], list[tuple[float, int]]] = {}
        index = {place: f"n{i}" for i, place in enumerate(places)}
        for visit in again.visits:
            for parent, sent in zip(visit.node.parents, visit.contributions, strict=True):
                if sent is not None:
                    ends = index[visit.node], index[parent]
                    bin = figures.bin_of(self.scale, norm(sent))
                    width = LIGHT.heat[bin].width + (3.4 if bin else 1.7)
                    head = 2 if norm(sent) == 0 else int(bin > 0)
                    flows.setdefault(ends, []).append((round(width, 1), head))
        lines: dict[tuple[str, str], list[tuple[float, int]]] = {}
        for source, target, width, head in self.run(
            """return flowLines.map((line, i) => [line.dataset.from, line.dataset.to,
              line.getAttribute("stroke-width"),
              !heads[i] || heads[i].style.display === "none" ? 0
                : heads[i].classList.contains("stop") ? 2 : 1])"""
        ):
            lines.setdefault((source, target), []).append((float(width), head))
        assert lines.keys() == flows.keys()
        for ends, found in lines.items():
            assert sorted(found) == sorted(flows[ends])
        heights = [float(x) for x in self.run("return [...byId('bars').children].map(bar => "
                                              "bar.getAttribute('height'))")]  # fmt: skip
        norms = [norm(visit.cotangent) for visit in again.visits]
        assert heights == [figures.bin_of(self.scale, n) + 1 for n in norms]
        lines = self.run("return plotLines.map((line) => line.getAttribute('d'))")
        assert lines == [plot.line(again) for plot in plots_of(self.walk)]


# -- what is drawn ---------------------------------------------------------------------------------


def test_the_lines_of_the_flow_are_the_norms() -> None:
    walk = bptt.record(lstm())
    again = bptt.again(walk, {Rerun(walk).leaves[0]: np.full((8, 2), 0.9)})
    plots, series = plots_of(walk), bptt.flow(again).series
    assert len(plots) == len(series) == 4
    for plot, state in zip(plots, series, strict=True):
        assert f"∂{state.name}ₜ" in plot.label
        heights = [float(pair.split()[1]) for pair in re.split("[ML]", plot.line(again))[1:]]
        part = (HIGH - 4 - np.array(heights)) / (HIGH - 8)
        found = 10 ** (plot.low + part * (plot.high - plot.low))
        inside = (part > 0) & (part < 1)
        assert inside.any()
        np.testing.assert_allclose(found[inside], state.norms().gradient[inside], rtol=0.05)


# -- in the browser: numbers -----------------------------------------------------------------------


@pytest.mark.parametrize("network", NETWORKS, ids=lambda f: f.__name__)
def test_the_numbers_after_each_change_are_the_engines(live, network) -> None:
    walk = bptt.record(network())
    page, rng = live(walk), np.random.default_rng(0)
    values: dict[int, Any] = {}
    state: dict[str, float] = {}
    offered = page.run("return Object.keys(leaves).map(Number)")
    assert offered
    for box in (*offered[:3], offered[-1]):
        old = values.get(box, np.array(walk.value(page.boxes[box])))
        element, value = int(rng.integers(old.size)), round(float(rng.uniform(-2, 2)), 2)
        new = old.copy()
        new.reshape(-1)[element] = value
        values[box], state[f"{box},{element}"] = new, value
        page.choose(box)
        page.type(element, value)
        page.answered(state)
        page.assert_shows(values)


def test_small_and_large_changes_of_what_flows(live) -> None:
    """Flows fade to nothing, get their heads back, and leave the scale above."""
    page = live(bptt.record(perceptron()))
    for value in (0.0, 40.0, 1e-9, -0.5, 300.0):
        page.choose(0)
        page.type(0, value)
        page.answered({"0,0": value})
        new = np.array(page.walk.value(page.boxes[0]))
        new[0, 0] = value
        page.assert_shows({0: new})
    page.find("#reset").click()
    page.answered({})
    page.assert_shows({})


def test_what_becomes_zero_exactly_and_what_was(live) -> None:
    a, b, c = (
        tg.tensor(x, requires_grad=True).named(n) for x, n in ((1.5, "a"), (0.0, "b"), (2.0, "c"))
    )
    page = live(bptt.record(tg.tanh(a * b) * c))
    values: dict[int, Any] = {}
    for box, value in ((1, 0.5), (2, 0.0), (1, 0.0), (2, 1.0), (0, 0.0)):
        values[box] = np.array(value, np.float32)
        page.choose(box)
        page.type(0, value)
        page.wait("!busy")
        page.wait("isChanged()")
        page.assert_shows(values)


def dying(steps: int = 4) -> bptt.Record:
    """A ReLU net which a bias can kill."""
    tg.manual_seed(1)
    W = tg.randn(3, 3, requires_grad=True).named("W")
    b = tg.tensor([1.0, 1.0, 1.0], requires_grad=True).named("b")
    h = tg.ones(1, 3).named("h₀")
    for x in tg.randn(steps, 1, 3):
        h = tg.relu(h @ W + x + b).named("h")
    return bptt.record((h**2).sum().named("L"))


def test_why_it_became_zero_is_told_of_what_is_shown_and_pointed_at(live) -> None:
    walk = dying()
    page = live(walk)
    b = next(i for i, place in enumerate(page.boxes) if walk.called.get(place) == "b")
    page.choose(b)
    page.run("for (const i of [0, 1, 2]) change(`${chosen},${i}`, -50, 1)")
    page.wait("!busy && !waiting")
    again = page.rerun({page.boxes[b]: np.full(3, -50, np.float32)})
    places = boxed(again.root)

    def reasons(place: Any) -> list[str]:
        told = bptt.why_zero(again, place)
        return [f"{r.kind}: {r.what}" + (f" ({r.where})" if r.where else "") for r in told]

    assert page.texts("#why li") == reasons(places[b])  # of what is inspected
    visit = next(v for v in again.visits if norm(v.cotangent) == 0)
    page.go(visit.number)
    page.wait("!busy && !waiting")
    assert page.texts("#zero li") == reasons(visit.node)  # of what is visited
    marked = page.run("return boxes.flatMap((box, i) => (box.sign ? [i] : []))")
    gradients = [again.gradient(place) for place in places]
    zeros = [i for i, g in enumerate(gradients) if g is not None and norm(g) == 0]
    assert marked == zeros
    other = next(i for i in zeros if i not in (b, places.index(visit.node)))
    title = "boxes[arguments[0]].sign.querySelector('title').textContent"
    assert page.run(f"return {title}", other) == ""  # which nobody has asked yet
    page.run(
        "boxes[arguments[0]].sign.dispatchEvent(new Event('pointerover', { bubbles: true }))", other
    )
    page.wait(title, other)
    assert page.run(f"return {title}", other).startswith(reasons(places[other])[0].split(" (")[0])


def test_reasons_which_take_time_are_looked_for_only_where_asked() -> None:
    with viz.play(dying(40), live=True) as player:
        what_if = player._what_if
        box = next(i for i, place in what_if.leaves.items() if what_if.called[place] == "b")
        changes = [(box, i, -50.0) for i in range(3)]
        everything, shown = what_if.answer(changes), what_if.answer(changes, 40, [box])
    told = [[i for i, n in enumerate(each["nodes"]) if n["why"]] for each in (everything, shown)]
    assert len(told[0]) > 100
    assert len(told[1]) == 2
    assert box in told[1]
    assert all(shown["nodes"][i]["why"] == everything["nodes"][i]["why"] for i in told[1])


def test_a_click_on_a_number_lets_it_be_typed_and_slid(live) -> None:
    page = live(bptt.record(rnn()))
    rows = page.all("#n0 text.value")
    rows[1].click()
    assert page.run("return document.activeElement.getAttribute('aria-label')") == "W[1, 0]"
    page.run(
        """const range = byId("range");
        range.value = 0.7;
        for (const kind of ["input", "change"]) range.dispatchEvent(new Event(kind))"""
    )
    page.answered({"0,2": 0.7})
    assert page.texts("#n0 text.value")[0] == "[0.100 0.200]"
    assert page.texts("#n0 text.value")[1] == "[0.700 0.400]"
    page.choose(page.run("return nodes.findIndex((node) => node.name === 'y₁')"))
    assert not page.find("#elements").is_displayed()


def test_what_the_change_did_and_what_the_gradient_had_promised(live) -> None:
    walk = bptt.record(rnn())
    page = live(walk)
    w = walk.value(page.boxes[0]).copy()
    w[2, 1] = 1.25
    page.choose(0)
    page.type(5, 1.25)
    page.answered({"0,5": 1.25})
    again = bptt.again(walk, {"W": w})
    loss, other = (float(x.value(x.root).sum()) for x in (walk, again))
    promised = float(walk.gradient(page.boxes[0])[2, 1] * (1.25 - walk.value(page.boxes[0])[2, 1]))
    assert page.text("#loss") == f"{figures.number(loss)} → {figures.number(other)}"
    assert page.text("#effect-said b.did") == figures.number(other - loss)
    assert page.text("#effect-said b.promised") == figures.number(promised)
    lengths = page.run("return ['did', 'promised'].map((name) => byId(name).getBBox().width)")
    assert lengths[0] / lengths[1] == pytest.approx((other - loss) / promised, rel=1e-2)


def test_formulas_with_numbers_follow(live) -> None:
    page = live(bptt.record(rnn()), "#step=13")
    page.choose(0)
    page.type(0, 2.0)
    page.answered({"0,0": 2.0})
    for step in (13, 10, 4):
        page.go(step)
        page.wait("!busy")
        new = page.walk.value(page.boxes[0]).copy()
        new[0, 0] = 2.0
        again = page.rerun({page.boxes[0]: new})
        fresh = viz.player.walk.walk_of(again, scene_of(source_of(again), steps="all"))
        wanted = [send["numbers"] for send in fresh["visits"][step - 1]["to"]]
        assert page.run("return visits[arguments[0]].to.map(s => s.numbers)", step - 1) == wanted


def test_undo_reset_and_code(live) -> None:
    page = live(bptt.record(rnn()))
    page.choose(0)
    page.type(0, 2.0)
    page.answered({"0,0": 2.0})
    page.choose(4)
    page.type(1, -1.0)
    page.answered({"0,0": 2.0, "4,1": -1.0})
    page.find("#copy").click()
    code = page.find("#code").get_attribute("value")
    found: dict[str, Any] = {"bptt": bptt, "walk": page.walk}
    exec(code, found)
    assert page.texts("#n19 text.value") == list(
        figures.array(found["walk"].value(found["walk"].root))
    )
    page.find("#undo").click()
    page.answered({"0,0": 2.0})
    page.find("#undo").click()
    page.answered({})
    page.assert_shows({})
    assert not page.find("#undo").is_enabled()
    page.type(0, 3.0)
    page.answered({"4,0": 3.0})
    page.find("#reset").click()
    page.answered({})
    page.find("#undo").click()
    page.answered({"4,0": 3.0})


def test_two_tabs_have_changes_of_their_own(live, browser) -> None:
    page = live(bptt.record(rnn()))
    first = browser.current_window_handle
    browser.switch_to.new_window("tab")
    try:
        page.reload()
        page.choose(0)
        page.type(0, 9.0)
        page.answered({"0,0": 9.0})
        second = page.texts("#n0 text.value")
    finally:
        browser.close()
        browser.switch_to.window(first)
    assert page.texts("#n0 text.value") != second
    page.choose(0)
    page.type(1, 8.0)
    page.answered({"0,1": 8.0})
    assert page.texts("#n0 text.value")[0] == "[0.100 8.000]"


def test_when_the_program_is_gone_the_page_goes_on_as_a_still(browser) -> None:
    player = viz.play(bptt.record(rnn()), live=True)
    page = LivePage(browser, player, bptt.record(rnn())).reload()
    page.choose(0)
    page.type(0, 2.0)
    page.answered({"0,0": 2.0})
    player.close()
    page.wait("!byId('connection').hidden")
    assert "goes on as a still" in page.text("#connection")
    assert not page.field(0).is_enabled()
    assert page.texts("#n0 text.value")[0] == "[2.000 0.200]"
    page.go(10)
    assert page.step == 10
    page.complaints()  # the browser's own, of the connection
    browser.get("about:blank")


def test_it_is_closed_with_its_page(browser) -> None:
    player = viz.play(bptt.record(rnn()), live=True)
    waiting = threading.Thread(target=player.wait)
    waiting.start()
    page = LivePage(browser, player, bptt.record(rnn())).reload()
    page.reload()
    page.choose(0)
    page.type(0, 2.0)
    page.answered({"0,0": 2.0})
    assert waiting.is_alive()  # it was only loaded anew
    browser.get("about:blank")
    waiting.join(30)
    assert not waiting.is_alive()
    with pytest.raises(ConnectionRefusedError):
        ask(player, "GET", "")


def test_a_cell_of_a_notebook_shows_it(live, browser, tmp_path) -> None:
    page = live(bptt.record(rnn()))
    notebook = tmp_path / "notebook.html"
    notebook.write_text(f"<!DOCTYPE html><title>It</title>{page.player._repr_html_()}", "utf-8")
    browser.get(notebook.as_uri())
    browser.switch_to.frame(page.find("iframe"))
    try:
        page.wait("document.querySelector('#count') !== null")
        page.choose(0)
        page.type(0, 2.0)
        page.answered({"0,0": 2.0})
        assert page.texts("#n0 text.value")[0] == "[2.000 0.200]"
    finally:
        browser.switch_to.default_content()


def test_hostile_names(live, browser) -> None:
    tensors = [tg.tensor([1.0], requires_grad=True).named(name) for name in HOSTILE]
    page = live(bptt.record(sum(tensors[1:], tensors[0])))
    for box in range(len(HOSTILE)):
        page.choose(box)
    page.type(0, 5.0)
    page.wait("document.body.dataset.answered")
    page.find("#copy").click()
    assert browser.title != "taken"


def test_many_visits_and_names_for_readers_of_screens(live, browser) -> None:
    page = live(bptt.record(lstm()))
    page.choose(0)
    tree = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = ("button", "slider", "combobox", "checkbox", "spinbutton", "textbox")
    nameless = [
        node
        for node in tree
        if node.get("role", {}).get("value") in roles and not node.get("name", {}).get("value")
    ]
    assert not nameless


# -- the server: who may ask -----------------------------------------------------------------------


NOTHING: dict[str, Any] = {"changes": [], "visit": 0, "why": []}  # a question


@pytest.fixture
def player():
    with viz.play(bptt.record(rnn()), live=True) as player:
        yield player


def ask(player: viz.LivePlayer, method: str, place: str, **options: Any) -> tuple[int, str]:
    """A request as the page would make it, but for what is said otherwise."""
    address = urlsplit(player.address)
    headers = {"Origin": f"http://{address.netloc}", "Content-Type": "application/json"}
    headers |= options.get("headers", {})
    body = options.get("body", json.dumps(options.get("question", NOTHING)))
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=20)
    try:
        path = options.get("path", address.path + place)
        sent = {name: value for name, value in headers.items() if value is not None}
        connection.request(method, path, body if method == "POST" else None, sent)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def test_it_serves_the_page_and_answers_to_itself(player) -> None:
    status, page = ask(player, "GET", "", headers={"Origin": None})
    assert status == 200
    assert "connect-src 'self'" in page
    status, answer = ask(player, "POST", "again", question=NOTHING | {"changes": [[0, 0, 2]]})
    assert status == 200
    assert json.loads(answer)["boxes"][0][0] == "[2.000 0.200]"
    assert player.address.startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    ("status", "method", "options"),
    [
        (421, "GET", {"headers": {"Host": "evil.example"}}),
        (421, "GET", {"headers": {"Host": "127.0.0.1"}}),
        (421, "POST", {"headers": {"Host": "evil.example:80"}}),
        (403, "GET", {"headers": {"Origin": "https://evil.example"}}),
        (403, "POST", {"headers": {"Origin": "null"}}),
        (403, "POST", {"headers": {"Origin": "http://localhost:1"}}),
        (403, "POST", {"headers": {"Origin": None}}),
        (403, "GET", {"path": "/"}),
        (403, "GET", {"path": "/wrong/"}),
        (403, "POST", {"path": "/%00/again"}),
        (415, "POST", {"headers": {"Content-Type": "text/plain"}}),
        (413, "POST", {"headers": {"Content-Length": str(MOST_BYTES + 1)}, "body": ""}),
        (413, "POST", {"headers": {"Content-Length": "9" * 5000}, "body": ""}),
        (411, "POST", {"headers": {"Content-Length": "-1"}, "body": ""}),
        (400, "POST", {"body": "{"}),
        (400, "POST", {"body": "[" * 100_000}),
        (400, "POST", {"body": b"\xff\xfe"}),
        (404, "GET", {"place": "other"}),
        (404, "GET", {"place": "../../etc/passwd"}),
        (404, "POST", {"place": ""}),
        (501, "PUT", {}),
    ],
)
def test_it_refuses_all_others(player, status, method, options) -> None:
    place = options.pop("place", "again" if method == "POST" else "")
    found, body = ask(player, method, place, **options)
    assert found == status
    assert "svg" not in body
    assert ask(player, "POST", "again")[0] == 200  # and goes on


@pytest.mark.parametrize(
    "question",
    [
        None, [], {}, {"changes": []}, NOTHING | {"changes": 1},
        *(NOTHING | {"changes": [change]} for change in (
            3, [], [0, 0], [0, 0, "1"], [0, 0, None], [0, 0, True], [0.5, 0, 1], [-1, 0, 1],
            [0, 6, 1], [0, -1, 1], [19, 0, 1], [10**30, 0, 1], [0, 0, 10**400],
        )),
        NOTHING | {"changes": [[0, 0, float("nan")]]},
        NOTHING | {"changes": [[0, 0, 1]] * 10_001},
        NOTHING | {"visit": "1"}, NOTHING | {"visit": None}, NOTHING | {"more": 1},
        *(NOTHING | {"why": why} for why in (1, None, [-1], ["1"], [0.5], [1, 2, 3])),
    ],
)  # fmt: skip
def test_questions_that_make_no_sense(player, question) -> None:
    assert ask(player, "POST", "again", question=question)[0] == 400
    assert ask(player, "POST", "again")[0] == 200


def test_closing_twice_and_what_it_is_called(player) -> None:
    assert player.address in repr(player)
    cell = player._repr_html_()
    assert f'src="{player.address}"' in cell
    player.close()
    player.close()


def test_what_is_live_takes_no_path(tmp_path) -> None:
    w = tg.tensor(1.0, requires_grad=True)
    with pytest.raises(ValueError, match="served, not written"):
        viz.play(w * w, tmp_path / "a.html", live=True)
    with pytest.raises(ValueError, match="no sliders"):
        viz.play(w * w, live=True, sliders={"w": [1.0]})
    assert w.grad is None


@pytest.mark.skipif(sys.platform == "win32", reason="signals are others there")
def test_the_command_ends_with_control_c() -> None:
    command = [sys.executable, "-m", "tinygrad_rnn", "play", "--cell", "rnn", "--live"]
    environment = os.environ | {"BROWSER": "true"}  # a program that opens nothing
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # if a shell
    ) as process:  # runs the tests in the background, they and what they start ignore it
        try:
            assert process.stdout is not None
            assert "the player is at http://127.0.0.1:" in process.stdout.readline()
            process.send_signal(signal.SIGINT)
            _, complaints = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode in (0, 130)
    assert "Traceback" not in complaints


# -- a file with sliders ---------------------------------------------------------------------------


def test_a_file_with_sliders(browser, tmp_path) -> None:
    walk = bptt.record(perceptron())
    sliders = {"w[0, 1]": np.linspace(-2, 2, 5), "b": np.linspace([0.0, 0.0], [1.0, -1.0], 3)}
    path = viz.play(walk, tmp_path / "a.html", sliders=sliders)
    page = Page(browser, path).open()
    w, b = (np.array(walk.value(Rerun(walk).leaf(name))) for name in ("w", "b"))
    assert page.texts("#elements output") == ["as recorded"] * 2
    move = """const range = document.querySelectorAll("#elements input")[arguments[0]];
        range.value = arguments[1];
        for (const kind of ["input", "change"]) range.dispatchEvent(new Event(kind))"""
    root = f"#n{len(boxed(walk.root)) - 1} text.value"
    for i, j in ((4, None), (0, None), (0, 2), (3, 0)):
        page.run(move, 0, i)
        w[0, 1] = sliders["w[0, 1]"][i]
        values = {"w": w}
        if j is not None:
            page.run(move, 1, j)
            values["b"] = sliders["b"][j]
        again = bptt.again(walk, values)
        assert page.texts(root) == list(figures.array(again.value(again.root)))
        page.go(len(walk.visits))
        gradients = [again.gradient(place) for place in boxed(again.root)]
        known = {f"n{i}": list(figures.array(g)) for i, g in enumerate(gradients) if g is not None}
        assert {box: lines for box, lines in page.gradients().items() if box in known} == known
    page.find("#undo").click()
    assert page.texts("#elements output")[1] == figures.array(sliders["b"][2])[0].strip()
    page.find("#reset").click()
    assert page.texts("#elements output") == ["as recorded"] * 2
    assert page.texts(root) == list(figures.array(walk.value(walk.root)))
    assert not page.complaints()
    assert "connect-src" not in path.read_text(encoding="utf-8")
    assert b.shape == (2,)


@pytest.mark.parametrize(
    ("sliders", "error", "said"),
    [
        ({}, ValueError, "sliders is empty"),
        ({"v": [1.0]}, KeyError, "no leaf called 'v'"),
        ({"w": [1.0, 2.0]}, ValueError, "name one element"),
        ({"w[0]": [1.0]}, ValueError, "has shape"),
        ({"w[0, 2]": [1.0]}, ValueError, "has shape"),
        ({"w[0, 0]": []}, ValueError, "several values"),
        ({"w[0, 0]": 1.0}, ValueError, "several values"),
        ({"w[0, 0]": [np.nan]}, ValueError, "finite"),
        ({"w[0, 0]": np.zeros(300), "w[0, 1]": np.zeros(300)}, ValueError, "too large a page"),
        ({"h": [[[1.0]]]}, KeyError, "no leaf"),
    ],
)
def test_sliders_that_make_no_sense(sliders, error, said) -> None:
    with pytest.raises(error, match=said):
        viz.play(bptt.record(perceptron()), sliders=sliders)
