"""The player: its numbers are the walk's, and a reader can drive it, in a real browser."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from alike import assert_alike
from browsing import Page, open_chromium

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, viz
from tinygrad_rnn.cli import demo
from tinygrad_rnn.reading.given import given_name, is_inline
from tinygrad_rnn.viz.build import scene_of
from tinygrad_rnn.viz.player import still
from tinygrad_rnn.viz.player.walk import walk_of
from tinygrad_rnn.viz.source import source_of
from tinygrad_rnn.writing import figures
from tinygrad_rnn.writing.norms import norm
from tinygrad_rnn.writing.palette import THEMES
from tinygrad_rnn.writing.text import clean

HOSTILE = [
    'quo"te',
    "a'b",
    "<script>document.title = 'taken'</script>",
    "</script><script>document.title = 'taken'</script>",
    "<!-- <script>",
    "<img src=x onerror=\"document.title='taken'\">",
    "a & b &amp; &lt;",
    "two\nlines\ttab",
    "back\\slash\\u003c\\",
    "\u202egnp.exe\u2066",
    "zero\u200bwidth\x00\x07",
    "line\u2028separator\u2029",
    "😀 emoji 👩‍🔬",
    "状態",
    "x" * 200,
    "{a|b} ${x} {{y}} $svg $$",
    "]]></svg></style>",
    '","nodes":[],"',
    "`${document.title='taken'}`",
    "=1+1",
]
LEFT, RIGHT, HOME, END, ESCAPE = "\ue012", "\ue014", "\ue011", "\ue010", "\ue00c"


# -- networks ---------------------------------------------------------------------------------


def rnn():
    return demo.forward()[2]


def lstm():
    """Two layers over four steps."""
    tg.manual_seed(0)
    output, _ = tg.nn.LSTM(2, 2, num_layers=2)(tg.randn(4, 1, 2))
    return (output * output).sum().named("L")


def perceptron():
    """A graph without time steps, in which one node feeds two and one feeds itself twice."""
    w = tg.tensor([[0.5, -1.0], [0.25, 2.0]], dtype=tg.float64, requires_grad=True).named("w")
    b = tg.tensor([0.1, 0.2], dtype=tg.float64, requires_grad=True).named("b")
    h = tg.tanh(tg.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=tg.float64) @ w + b).named("h")
    return ((h * h).mean() + tg.exp(h).sum() / 3).named("L")


def second_backward():
    """A penalty on a gradient: the walk goes through the first walk's graph."""
    w = tg.tensor([0.5, -0.3], dtype=tg.float64, requires_grad=True).named("w", "parameter")
    h = tg.tensor([0.1, 0.2], dtype=tg.float64)
    for t in range(1, 4):
        with tg.step(t):
            h = tg.tanh(h * w + 0.5).named("h", "state")
    (gradient,) = tg.autograd.grad(h.sum(), w, create_graph=True)
    return (gradient * gradient).sum().named("P")


def odd_arrays():
    """Empty, scalar, infinite, undefined, integer and large values."""
    a = tg.tensor([1.0, 0.0, -1.0], dtype=tg.float64, requires_grad=True).named("a")
    empty = tg.zeros(0, 3, dtype=tg.float64, requires_grad=True).named("empty")
    wide = tg.ones(40, 30, dtype=tg.float64, requires_grad=True).named("wide")
    index = tg.tensor([2, 0]).named("index")
    picked = tg.log(a)[index].sum()
    return (picked + empty.sum() + wide.sum() / 0 * 0 + a[0] * float("inf")).named("L")


NETWORKS = [rnn, lstm, perceptron, second_backward, odd_arrays]


def told(loss):
    walk = bptt.record(loss)
    return walk, walk_of(walk, scene_of(source_of(walk), steps="all", max_nodes=5000))


def ids(walk):
    """The box of every place: they are counted from the oldest, numbers in the program left out."""
    boxed = [p for p in walk.places if p is walk.root or not is_inline(p)]
    return {place: f"n{i}" for i, place in enumerate(boxed)}


def sums_after(walk, k):
    """What every place has received after k visits, added up from the visits themselves."""
    sums = {walk.root: walk.visits[0].cotangent}
    for visit in walk.visits[:k]:
        for parent, c in zip(visit.node.parents, visit.contributions, strict=True):
            if c is not None:
                with np.errstate(all="ignore"):
                    sums[parent] = sums[parent] + c if parent in sums else c
    return sums


# -- the data ---------------------------------------------------------------------------------


@pytest.mark.parametrize("network", NETWORKS, ids=lambda f: f.__name__)
def test_the_last_state_of_every_node_is_its_gradient(network) -> None:
    walk, data = told(network())
    assert len(data["visits"]) == len(walk.visits)
    for place, node in zip(ids(walk), data["nodes"], strict=True):
        gradient = walk.gradient(place)
        if gradient is None:
            assert not node["states"]
        else:
            assert node["states"][-1]["sum"] == figures.array(gradient)


def evaluated(formula, values):
    """A formula of the panel, computed by NumPy."""
    formula = formula.removesuffix(", to each element")
    for sign, code in (
        ("⊙", "*"), ("−", "-"), ("²", "**2"), ("ᵀ", ".T"), ("^", "**"), ("Σ ", "np.sum"),
        ("ln a", "np.log(a)"),
    ):  # fmt: skip
        formula = formula.replace(sign, code)
    return eval(formula, {"np": np}, values)


@pytest.mark.parametrize(
    ("operation", "formulas"),
    [
        (lambda a, b: a * b, ("G ⊙ b", "G ⊙ a")),
        (lambda a, b: a - b, ("G", "−G")),
        (lambda a, b: a / b, ("G / b", "−G ⊙ a / b²")),
        (lambda a, b: a**b, ("G ⊙ b ⊙ a^(b − 1)", "G ⊙ y ⊙ ln a")),
        (lambda a, b: a @ b, ("G @ bᵀ", "aᵀ @ G")),
        (lambda a, b: tg.tanh(a), ("G ⊙ (1 − y²)",)),
        (lambda a, b: tg.sigmoid(a), ("G ⊙ y ⊙ (1 − y)",)),
        (lambda a, b: tg.exp(a), ("G ⊙ y",)),
        (lambda a, b: a.T, ("Gᵀ",)),
        (lambda a, b: a.mean(), ("G / 4",)),
        (lambda a, b: a.sum(), ("G, to each element",)),
        (lambda a, b: a**3, ("G ⊙ 3 ⊙ a^(3 − 1)",)),
        (lambda a, b: tg.nn.functional.linear(a, b, b[0].detach()), ("G @ b", "Gᵀ @ a")),
    ],
)
def test_formulas_are_in_the_tensors_names_and_right(operation, formulas) -> None:
    a = tg.tensor([[0.5, 1.5], [2.0, 0.25]], dtype=tg.float64, requires_grad=True).named("a")
    b = tg.tensor([[1.0, 2.0], [0.5, 3.0]], dtype=tg.float64, requires_grad=True).named("b")
    y = operation(a, b).named("y")
    walk = bptt.record(y, tg.full(y.shape, 0.7, dtype=tg.float64))
    data = walk_of(walk, scene_of(source_of(walk), steps="all"))
    assert tuple(send["formula"] for send in data["visits"][0]["to"]) == formulas
    values = {"a": a.array, "b": b.array, "y": y.array, "G": np.full(y.shape, 0.7)}
    sent = [c for c in walk.visits[0].contributions if c is not None]
    for formula, contribution in zip(formulas, sent, strict=True):
        found = np.broadcast_to(evaluated(formula, values), contribution.shape)
        np.testing.assert_allclose(found, contribution, rtol=1e-12)


def test_formulas_say_when_a_gradient_is_summed_over_what_was_broadcast() -> None:
    a = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True).named("a")
    b = tg.tensor([0.5, -1.0], requires_grad=True).named("b")
    _, data = told(((a * b).named("m") + b).sum())
    formulas = [s["formula"] for visit in data["visits"] for s in visit["to"]]
    assert formulas == ["G, to each element", "G", "Σ G", "G ⊙ b", "Σ (G ⊙ a)"]


def test_numbers_stand_where_they_are_few() -> None:
    small, large = (tg.ones(n, requires_grad=True).named("x") for n in (2, 40))
    for x, expected in ((small, "[1.000\u00a01.000] ⊙ (-2)"), (large, None)):
        _, data = told((x * -2).sum())
        assert data["visits"][-1]["to"][0]["numbers"] == expected


def test_a_walk_starts_with_the_gradient_it_was_given() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True).named("x")
    for given, start in (([1.0, 1.0], "1"), ([0.5, -1.0], "[0.500 -1.000]")):
        walk = bptt.record(x * 2, tg.tensor(given))
        data = walk_of(walk, scene_of(source_of(walk), steps="all"))
        assert data["start"] == start
        assert data["nodes"][data["root"]]["states"][0]["at"] == 0


def test_a_function_of_ones_own_is_named() -> None:
    class Twice(tg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    _, data = told(Twice.apply(tg.tensor([1.0, 2.0], requires_grad=True)).sum())
    assert data["visits"][-1]["to"][0]["formula"] == "backward of Twice(G)"


def test_what_hooks_change_is_shown_apart() -> None:
    w = tg.tensor([1.0, 2.0], requires_grad=True).named("w")
    h = (w * 3).named("h")
    h.register_hook(lambda g: g * 10)
    walk, data = told((h * h).sum())
    (node,) = (n for n in data["nodes"] if n["name"] == "h")
    *sums, last = node["states"]
    assert [state["from"] is None for state in (*sums, last)] == [False, False, True]
    assert sums[-1]["sum"] == ("[6.000 12.000]",)
    assert last["sum"] == ("[60.000 120.000]",)
    assert last["at"] == 3
    assert walk.gradient(w).tolist() == [180.0, 360.0]


# -- the file ---------------------------------------------------------------------------------


class Parts(HTMLParser):
    """The elements of a page, and what stands in those that matter."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.inside: dict[str, str] = {}
        self.policy = ""
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes) -> None:
        given = dict(attributes)
        self.tags.append(tag)
        self.policy = given.get("content", self.policy) if "http-equiv" in given else self.policy
        self._open = given.get("id", tag) if tag in ("style", "script") else ""

    def handle_data(self, data) -> None:
        if self._open:
            self.inside[self._open] = self.inside.get(self._open, "") + data

    def handle_endtag(self, tag) -> None:
        self._open = ""


def test_the_policy_allows_this_style_and_script_and_nothing_else(tmp_path) -> None:
    for text in (
        viz.play(rnn(), tmp_path / "a.html").read_text("utf-8"),
        still(viz.draw(rnn()).svg, "still"),
    ):
        parts = Parts(text)
        hashes = {
            kind: base64.b64encode(hashlib.sha256(parts.inside[kind].encode()).digest()).decode()
            for kind in ("style", "script")
        }
        assert parts.policy == (
            f"default-src 'none'; style-src 'sha256-{hashes['style']}'; "
            f"script-src 'sha256-{hashes['script']}'; base-uri 'none'; form-action 'none'"
        )
        assert not re.search(r"\s(?:src|href|style|on\w+)\s*=", text.split("<script>")[0])
        namespaces = {"http://www.w3.org/2000/svg", "http://www.w3.org/1998/Math/MathML"}
        assert set(re.findall(r"https?://[\w./]*", text)) <= namespaces


def test_names_cannot_leave_the_data(tmp_path) -> None:
    tensors = [tg.tensor([1.0], requires_grad=True).named(name or "v") for name in HOSTILE]
    total = sum(tensors[1:], tensors[0])
    text = viz.play(total, tmp_path / "a.html", title=HOSTILE[3]).read_text("utf-8")
    parts = Parts(text)
    assert parts.tags.count("script") == 2
    assert "img" not in parts.tags
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u2028\u2029\x00\x07]", text)
    data = json.loads(parts.inside["walk"])
    found = [node["name"] for node in data["nodes"] if node["kind"] == "param"]
    assert found == list(map(clean, HOSTILE))


def test_the_same_program_writes_the_same_page(tmp_path) -> None:
    code = (
        "import sys; from tinygrad_rnn import viz; from tinygrad_rnn.cli import demo; "
        "viz.play(demo.forward()[2], sys.argv[1])"
    )
    paths = [tmp_path / "here.html", tmp_path / "there.html"]
    viz.play(rnn(), paths[0])
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", code, str(paths[1])], env=environment, check=True)
    assert_alike(*(path.read_text("utf-8") for path in paths))


def test_playing_a_loss_is_a_backward_and_playing_a_record_is_none(tmp_path) -> None:
    w = tg.tensor([1.0, 2.0], requires_grad=True).named("w")
    assert viz.play((w * w).sum(), tmp_path / "a.html") == tmp_path / "a.html"
    assert w.grad.tolist() == [2.0, 4.0]
    walk = bptt.record((w * w).sum())
    viz.play(walk, str(tmp_path / "b.htm"))
    assert w.grad.tolist() == [4.0, 8.0]


def test_refusals_come_before_any_backward(tmp_path) -> None:
    w = tg.tensor(1.0, requires_grad=True).named("w")
    loss = w * 2 * 3 * 4
    with pytest.raises(ValueError, match=r"'a\.svg' does not end in \.html"):
        viz.play(loss, tmp_path / "a.svg")
    with pytest.raises(FileNotFoundError, match="No such file or directory"):
        viz.play(loss, tmp_path / "missing" / "a.html")
    with pytest.raises(ValueError, match=r"4 boxes.*max_nodes"):
        viz.play(loss, tmp_path / "a.html", max_nodes=3)
    with pytest.raises(TypeError, match=r"Tensor or of what bptt\.record"):
        viz.play(3, tmp_path / "a.html")
    assert w.grad is None
    assert not list(tmp_path.iterdir())
    viz.play(loss, tmp_path / "a.html")
    assert w.grad.item() == 24


# -- in the browser: what it shows ------------------------------------------------------------


@pytest.fixture(scope="session")
def browser():
    chromium = open_chromium()
    yield chromium
    chromium.quit()


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The walk and the file of each network, made once."""
    found = {}

    def make(network):
        if network not in found:
            walk = bptt.record(network())
            path = tmp_path_factory.mktemp("player") / f"{network.__name__}.html"
            found[network] = walk, viz.play(walk, path, title=f"The {network.__name__}")
        return found[network]

    return make


@pytest.fixture
def page(browser, made):
    """Opens a network's player; at the end the console must have been silent."""
    pages = []

    def open_page(network=rnn, link=""):
        pages.append(Page(browser, made(network)[1]).open(link))
        return pages[-1]

    yield open_page
    last = Page(browser, None)
    last.emulate()
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert not last.complaints()


@pytest.mark.parametrize("network", NETWORKS, ids=lambda f: f.__name__)
def test_the_numbers_at_every_step_are_the_walks(page, made, network) -> None:
    walk, shown, boxes = made(network)[0], page(network), ids(made(network)[0])
    number = len(walk.visits)
    steps = list(range(number + 1)) if number < 30 else [0, 1, 7, 40, 39, number - 1, number]
    for k in [*steps, 3, number, 0]:
        shown.go(k)
        sums, found = sums_after(walk, k), shown.gradients()
        for place, box in boxes.items():
            if not place.requires_grad:
                assert box not in found
                continue
            lines = [line for line in found[box] if line]
            expected = figures.array(sums[place]) if place in sums else ("not yet",)
            if k == number and place in sums:
                expected = figures.array(walk.gradient(place))
            assert tuple(lines) == expected, (k, box)
        gone = walk.visits[:k]
        assert shown.flows() == {
            (boxes[visit.node], boxes[parent])
            for visit in gone
            for parent, c in zip(visit.node.parents, visit.contributions, strict=True)
            if c is not None
        }
        now = walk.visits[k - 1] if k else None
        assert shown.marked("current") == ({boxes[now.node]} if now else set())
        fed = {boxes[walk.root]}
        if now:
            pairs = zip(now.node.parents, now.contributions, strict=True)
            fed = {boxes[parent] for parent, c in pairs if c is not None}
        assert shown.marked("fed") == fed
        assert {to for _, to in shown.flows("active")} == (fed if now else set())


def test_the_panel_tells_one_visit_in_full(page) -> None:
    shown = page(link="#step=10")
    assert shown.text("#where") == "step 10 of 13 · time step 1"
    assert shown.text("#what b") == "h₁"
    assert shown.formulas("#what") == ["= tanh(a₁)"]
    assert shown.texts("#loop .lit") == ["    G = node.grad", "        parent.grad += vjp(G)"]
    assert shown.texts("#loop li")[0] == "L.grad = 1"
    assert shown.text("#arrived-head") == "G = ∂L/∂h₁: final, all 2 consumers were visited before"
    assert shown.rows("#arrived") == {
        "from hx₂": "[0.114 0.254]",
        "from p₁": "[1.000 2.000]",
        "sum = G": "[1.114 2.254]",
    }
    assert shown.text("#sent .card b") == "a₁.grad += "
    rule, inserted = shown.formulas("#sent .card")
    assert rule == "G ⊙ (1 − h₁²)"
    assert inserted.replace("\u00a0", " ") == "[1.114 2.254] ⊙ (1 − [0.537 0.462]²)"
    rows = shown.rows("#sent .card")
    del rows["numbers"]  # which are that formula
    assert rows == {
        "contribution": "[0.793 1.772]",
        "first use": "grad was empty",
    }


def test_the_panel_adds_to_what_was_there(page) -> None:
    shown = page(link="#step=12")
    assert shown.texts("#sent .card b") == ["hx₁.grad += ", "W.grad += "]
    assert shown.formulas("#sent .card p") == ["G @ Wᵀ", "hx₁ᵀ @ G"]
    rows = shown.rows("#sent .card:nth-child(2)")
    assert rows["contribution"].splitlines() == ["[0 0]", "[0 0]", "[0.793 1.772]"]
    assert rows["had"].splitlines() == ["[0.140 0.235]", "[0.121 0.203]", "[0.522 0.877]"]
    assert rows["now"].splitlines() == ["[0.140 0.235]", "[0.121 0.203]", "[1.314 2.649]"]
    assert shown.text("#arrived-head").endswith("final, its only consumer was visited before")
    assert list(shown.rows("#arrived")) == ["G"]


def test_before_the_walk_only_the_seed_is_there(page) -> None:
    shown = page()
    assert shown.step == 0
    assert shown.text("#where") == "before step 1 of 13 · nothing has flowed yet"
    assert shown.texts("#loop .lit") == ["L.grad = 1"]
    assert "where the walk starts" in shown.text("#arrived-head")
    assert not shown.flows()
    assert not shown.texts("#sent .card")
    values = set(map(tuple, shown.gradients().values()))
    assert values == {("[1.000]",), ("not yet",), ("not yet", ""), ("not yet", "", "")}


def test_the_layer_and_the_scope_are_named(page, made) -> None:
    walk = made(lstm)[0]
    (visit,) = (
        visit
        for visit in walk.visits
        if visit.step == 2 and visit.node.tag.layer == 1 and given_name(visit.node) == "c"
    )
    shown = page(lstm, f"#step={visit.number}")
    assert shown.text("#where") == f"step {visit.number} of 131 · time step 2 · lstm · layer 1"


def test_the_second_backward_keeps_its_time_steps(page, made) -> None:
    walk, shown = made(second_backward)[0], page(second_backward)
    assert {visit.step for visit in walk.visits} == {None, 1, 2, 3}
    for visit in walk.visits:
        shown.go(visit.number)
        label = f"time step {visit.step}"
        assert (label in shown.text("#where")) == (visit.step is not None)
    assert {"t=3", "t=2"} <= set(shown.texts("#marks span"))


def test_the_inspector_shows_a_node_now_and_in_the_end(page) -> None:
    shown = page(link="#step=10")
    shown.find("#n0 .name").click()
    assert shown.marked("inspected") == {"n0"}
    assert shown.text("#inspected") == "W"
    assert shown.text("#kind") == "param, used ×2 · shape 3×2"
    rows = shown.rows("#inspector dl")
    assert rows["value"].splitlines() == ["[0.1000 0.2000]", "[0.3000 0.4000]", "[0.5000 0.6000]"]
    final = ["[0.1401 0.2354]", "[0.1205 0.2025]", "[1.3142 2.6488]"]
    assert rows["grad final"].splitlines() == final
    assert rows["grad now"].splitlines() == rows["✓ from m₂"].splitlines()
    assert rows["· from m₁"].splitlines() == ["[0 0]", "[0 0]", "[0.793 1.772]"]
    assert not shown.find("#jump").is_displayed()  # a leaf is not visited
    shown.go(12)
    assert "✓ from m₁" in shown.rows("#inspector dl")
    shown.go(5)
    assert shown.rows("#inspector dl")["grad now"] == "not yet"
    assert "· from m₂" in shown.rows("#inspector dl")


def test_the_inspector_jumps_to_a_visit_and_closes(page) -> None:
    shown = page()
    choice = shown.find("#nodes")
    choice.send_keys("hx₁")
    assert shown.text("#inspected") == "hx₁"
    assert shown.find("#jump").text == "jump to its visit (step 13)"
    shown.find("#jump").click()
    assert shown.step == 13
    shown.press(ESCAPE)
    assert not shown.marked("inspected")
    assert not shown.find("#inspector").is_displayed()


# -- in the browser: what a reader does -------------------------------------------------------


def test_keys_step(page) -> None:
    shown = page()
    for key, step in (
        (RIGHT, 1), (RIGHT, 2), (LEFT, 1), (LEFT, 0), (LEFT, 0), (END, 13), (RIGHT, 13), (HOME, 0)
    ):  # fmt: skip
        shown.press(key)
        assert shown.step == step


def test_keys_zoom(page) -> None:
    shown = page()
    fitted = shown.place()
    shown.press("+")
    assert shown.place()[2] == pytest.approx(fitted[2] * 1.25)
    shown.press("-", "-")
    assert shown.place()[2] == pytest.approx(fitted[2] / 1.25)
    shown.press("0")
    assert shown.place() == fitted
    shown.press("+")
    shown.find("#fit").click()
    assert shown.place() == fitted


def test_keys_leave_to_controls_what_is_theirs(page) -> None:
    shown = page(link="#step=5")
    shown.find("#forward").click()
    assert shown.step == 6
    shown.press(" ")  # presses the button again
    assert shown.step == 7
    assert shown.text("#play") == "▶ Play"
    shown.find("#speed").send_keys(HOME)
    assert shown.step == 7
    assert shown.find("#speed").get_property("value") == "0"
    shown.find("#slider").send_keys(RIGHT)
    assert shown.step == 8
    shown.find("#follow").send_keys(" ")
    assert shown.find("#follow").is_selected()


def test_buttons_step(page) -> None:
    shown = page()
    for button, step in (("forward", 1), ("forward", 2), ("back", 1), ("last", 13), ("first", 0)):
        shown.find(f"#{button}").click()
        assert shown.step == step
    assert not shown.find("#first").is_enabled()
    assert not shown.find("#back").is_enabled()
    assert shown.find("#forward").is_enabled()


def test_playing_runs_to_the_end_and_again(page) -> None:
    shown = page(link="#step=9")
    shown.run("document.getElementById('speed').value = 12")
    shown.press(" ")
    assert shown.text("#play") == "❚❚ Pause"
    shown.wait("document.getElementById('count').textContent === '13 / 13'")
    assert shown.text("#play") == "▶ Play"
    assert shown.text("#where").endswith("the walk ends here")
    shown.run("document.getElementById('speed').value = 9")
    shown.find("#play").click()
    shown.wait("Number(document.getElementById('slider').value) > 0")
    shown.press(" ")
    assert shown.text("#play") == "▶ Play"
    assert shown.step < 13


def test_the_slider_and_the_strip(page) -> None:
    shown = page()
    shown.run(
        """const slider = document.getElementById("slider");
        slider.value = 6; slider.dispatchEvent(new Event("input", { bubbles: true }));"""
    )
    assert shown.step == 6
    assert shown.find("#slider").get_attribute("aria-valuetext") == "step 6 of 13 · time step 2"
    strip, actions = shown.find("#strip"), mouse(shown)
    width = strip.size["width"]
    for visit in (4, 10, 13, 1):
        offset = round((visit - 0.5) / 13 * width - width / 2)
        actions.move_to_element_with_offset(strip, offset, 8).click().perform()
        assert shown.step == visit
    assert shown.texts("#marks span") == ["t=2", "t=1"]


PANEL = """return ["where", "what", "arrived-head", "arrived", "sent", "zero"]
    .map((id) => document.getElementById(id).innerHTML)"""
HELD = """for (let i = 0; i < arguments[1]; i++) document.body.dispatchEvent(
    new KeyboardEvent("keydown", { key: arguments[0], repeat: i > 0, bubbles: true }))"""


@pytest.mark.parametrize(("key", "start", "end"), [("ArrowRight", 2, 11), ("ArrowLeft", 12, 3)])
def test_a_held_key_is_told_where_it_rests(page, key, start, end) -> None:
    shown = page()
    shown.go(end)
    panel, told = shown.run(PANEL), shown.text("#spoken")
    shown.go(start)
    reached = shown.run(f"{HELD}; return now", key, abs(end - start))
    assert 1 <= abs(reached - start) <= 2  # at once; the others wait for the next frame
    shown.wait("now === arguments[0]", end)
    shown.wait("!byId('panel').classList.contains('passing')")
    assert shown.run(PANEL) == panel
    assert shown.text("#spoken") == told
    assert shown.style("#sent", "visibility") == "visible"


def test_what_is_passed_by_fast_says_which_visit_it_is_and_no_more(page) -> None:
    shown = page()
    shown.go(3)
    told = shown.text("#spoken")
    where, spoken, sent = shown.run(
        """go(9, true);
        return [byId("where").textContent, byId("spoken").textContent,
          getComputedStyle(byId("sent")).visibility]"""
    )
    assert where.startswith("step 9 of 13")
    assert (spoken, sent) == (told, "hidden")  # nothing of the third stands under the ninth's name
    shown.wait("!byId('panel').classList.contains('passing')")
    assert shown.text("#spoken").startswith("step 9 of 13")


def test_the_strip_is_as_high_as_the_norms(page, made) -> None:
    bars = page().run(
        "return [...document.querySelectorAll('#bars rect')].map(e => e.height.baseVal.value)"
    )
    norms = [norm(visit.cotangent) for visit in made(rnn)[0].visits]
    assert [bars[i] for i in np.argsort(norms)] == sorted(bars)
    assert len(bars) == 13
    assert len(set(bars)) > 3


def mouse(shown):
    from selenium.webdriver import ActionChains

    return ActionChains(shown.browser, duration=10)


def test_dragging_moves_the_drawing_and_selects_nothing(page) -> None:
    shown = page()
    x, y, scale = shown.place()
    mouse(shown).move_to_element(shown.find("#n0 .name")).click_and_hold().move_by_offset(
        60, -35
    ).release().perform()
    assert shown.place() == pytest.approx((x + 60, y - 35, scale), abs=0.6)
    assert not shown.marked("inspected")
    shown.find("#n0 .name").click()
    assert shown.marked("inspected") == {"n0"}


def test_the_wheel_zooms_where_it_points(page) -> None:
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

    shown = page()
    box = shown.find("#n0 .name")
    before, scale = box.rect, shown.place()[2]
    middle = {"x": before["x"] + before["width"] / 2, "y": before["y"] + before["height"] / 2}
    mouse(shown).scroll_from_origin(ScrollOrigin.from_element(box), 0, -300).perform()
    after = box.rect
    assert shown.place()[2] == pytest.approx(scale * np.exp(0.45), rel=1e-3)
    assert after["x"] + after["width"] / 2 == pytest.approx(middle["x"], abs=1.5)
    assert after["y"] + after["height"] / 2 == pytest.approx(middle["y"], abs=1.5)
    assert shown.run("return scrollY") == 0


def test_two_fingers_pinch(page) -> None:
    shown = page()
    scale = shown.place()[2]

    def touch(kind, *points):
        shown.browser.execute_cdp_cmd(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": x, "y": y, "id": i} for i, (x, y) in points]},
        )

    touch("touchStart", (0, (300, 300)), (1, (500, 300)))
    for spread in (120, 140, 160, 180, 200):
        touch("touchMove", (0, (400 - spread, 300)), (1, (400 + spread, 300)))
    touch("touchEnd")
    assert shown.place()[2] == pytest.approx(2 * scale, rel=0.02)


def test_follow_keeps_the_current_node_in_sight(page) -> None:
    shown = page(lstm)
    assert shown.find("#follow").is_selected()  # the whole would be too small to read
    for k in (1, 60, 131, 20):
        shown.go(k)
        (current,) = shown.marked("current")
        inside = shown.run(
            """const a = document.getElementById(arguments[0]).getBoundingClientRect();
            const b = document.getElementById("stage").getBoundingClientRect();
            return a.left >= b.left && a.right <= b.right
              && a.top >= b.top && a.bottom <= b.bottom""",
            current,
        )
        assert inside
    before = shown.place()
    shown.find("#follow").click()
    shown.go(120)
    assert shown.place() == before


def test_the_address_names_what_is_shown(page) -> None:
    shown = page(link="#step=10&node=0")
    assert shown.step == 10
    assert shown.marked("inspected") == {"n0"}
    shown.press(RIGHT, ESCAPE)
    shown.wait("location.hash === '#step=11'")
    shown.find("#n3 .name").click()
    shown.wait("location.hash === '#step=11&node=3'")
    shown.run("location.hash = '#step=4&node=1'")
    shown.wait("document.getElementById('count').textContent === '4 / 13'")
    assert shown.marked("inspected") == {"n1"}


@pytest.mark.parametrize("link", ["#step=x&node=-1", "#node=999", "#step=&node=1e1", "#%", "#<b>"])
def test_an_address_that_makes_no_sense_is_ignored(page, link) -> None:
    shown = page(link=link)
    assert shown.step == 0
    assert not shown.marked("inspected")
    assert page(link="#step=9999").step == 13


# -- in the browser: other readers ------------------------------------------------------------


def rgb(colour):
    return "rgb({}, {}, {})".format(*(int(colour[i : i + 2], 16) for i in (1, 3, 5)))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_colours_follow_the_readers_and_the_button(page, scheme) -> None:
    other = {"light": "dark", "dark": "light"}[scheme]
    shown = page(link="#step=13")
    shown.emulate(prefers_color_scheme=scheme)

    def check(name):
        theme = THEMES[name]
        assert shown.style("body", "backgroundColor") == rgb(theme.paper)
        assert shown.style("body", "color") == rgb(theme.ink)
        assert shown.style("#n0 .body", "fill") == rgb(theme.boxes["parameter"].fill)
        assert shown.style("#n0 .border", "stroke") == rgb(theme.boxes["parameter"].border)
        row = shown.style("#n0 .grad-row", "fill")
        assert row in {rgb(heat.fill) for heat in theme.heat}
        pressed = f'#dark[aria-pressed="{str(name == "dark").lower()}"]'
        shown.wait("document.querySelector(arguments[0])", pressed)  # an event tells it later

    check(scheme)
    shown.find("#dark").click()
    check(other)
    shown.find("#dark").click()
    check(scheme)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_writing_on_the_page_can_be_read(page, scheme) -> None:
    shown = page(link="#step=12&node=0")
    shown.emulate(prefers_color_scheme=scheme)
    poor = shown.run(
        """const parse = (c) => c.match(/[\\d.]+/g).map(Number);
        const light = (c) => parse(c).slice(0, 3).map(v => v / 255)
          .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
          .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
        const behind = (e) => {
          const colour = getComputedStyle(e).backgroundColor;
          return parse(colour)[3] === 0 ? behind(e.parentElement) : colour;
        };
        const writes = (e) => [...e.childNodes].some(c => c.nodeType === 3 && c.data.trim());
        return [...document.querySelectorAll("#panel *, #foot *")]
          .filter(e => writes(e) && !e.disabled)
          .map(e => { const [a, b] = [light(getComputedStyle(e).color), light(behind(e))];
            return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.outerHTML.slice(0, 80)]; })
          .filter(([contrast]) => contrast < 4.5)"""
    )
    assert not poor


def test_a_phone_has_the_panel_below(page) -> None:
    shown = page(link="#step=10")
    shown.resize(390, 844)
    places = {name: shown.find(f"#{name}").rect for name in ("stage", "foot", "panel")}
    assert all(rect["x"] == 0 and rect["width"] == 390 for rect in places.values())
    assert places["stage"]["y"] < places["foot"]["y"] < places["panel"]["y"]
    assert places["stage"]["height"] > 250
    assert places["panel"]["height"] > 250
    assert shown.run("return document.documentElement.scrollWidth") <= 390
    controls = "first back play forward last slider chapters speed fit full follow"
    for control in controls.split():
        rect = shown.find(f"#{control}").rect
        assert rect["x"] >= 0
        assert rect["x"] + rect["width"] <= 390
    shown.find("#forward").click()
    assert shown.step == 11


def test_a_window_of_another_size_shows_the_same(page) -> None:
    shown = page(lstm)
    shown.resize(1500, 950)
    shown.go(60)
    (current,) = shown.marked("current")
    from_middle = """const a = document.getElementById(arguments[0]).getBoundingClientRect();
        const b = document.getElementById("stage").getBoundingClientRect();
        return [a.left + a.right - b.left - b.right, a.top + a.bottom - b.top - b.bottom]"""
    before = shown.run(from_middle, current)
    shown.resize(390, 844)
    shown.wait("document.getElementById('stage').clientWidth === 390")
    assert shown.run(from_middle, current) == pytest.approx(before, abs=4)


def test_nothing_moves_by_itself(page) -> None:
    """Who asked for less motion need not ask: nothing is animated but what they play."""
    shown = page(lstm, "#step=5")
    assert shown.run("return document.getAnimations().length") == 0
    rules = "[...document.styleSheets].flatMap(s => [...s.cssRules]).map(r => r.cssText).join()"
    assert not re.search("animation|transition", shown.run(f"return {rules}"))


def test_screen_readers_hear_what_happens(page) -> None:
    shown = page(link="#step=10")
    spoken = shown.find("#spoken")
    assert spoken.get_attribute("aria-live") == "polite"
    assert shown.text("#spoken") == (
        "step 10 of 13 · time step 1: h₁ = tanh(a₁); gradient [1.114 2.254]; "
        "adds to the gradient of a₁"
    )
    tree = shown.browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = ("button", "slider", "combobox", "checkbox")
    nameless = [
        node
        for node in tree
        if node.get("role", {}).get("value") in roles and not node.get("name", {}).get("value")
    ]
    assert not nameless
    landmarks = {node.get("role", {}).get("value") for node in tree}
    assert {"main", "complementary", "contentinfo", "heading", "status"} <= landmarks


def test_everything_is_reached_by_the_tab_key(page) -> None:
    shown = page(link="#step=5&node=9")
    order = []
    for _ in range(20):
        shown.press("\ue004")
        order.append(shown.run("return document.activeElement.id"))
    controls = "first back play forward last slider chapters speed fit full follow".split()
    assert [x for x in order if x in controls][: len(controls)] == controls
    assert {"dark", "nodes", "jump", "panel"} <= set(order)


# -- in the browser: nothing gets in or out ---------------------------------------------------


def test_the_page_can_load_nothing_and_run_nothing_else(page, browser) -> None:
    shown = page()
    blocked = browser.execute_async_script(
        """const done = arguments[0], found = [];
        document.addEventListener("securitypolicyviolation", e => found.push(e.effectiveDirective));
        fetch("https://example.org/").catch(() => found.push("fetch failed"));
        const image = new Image(); image.src = "https://example.org/a.png";
        const script = document.createElement("script");
        script.textContent = "document.title = 'taken'"; document.body.append(script);
        document.body.insertAdjacentHTML("beforeend", "<p style='color: red' onclick='1'>x</p>");
        const style = document.createElement("style");
        style.textContent = "body { display: none }"; document.head.append(style);
        setTimeout(() => done(found.sort()), 300)"""
    )
    assert "fetch failed" in blocked
    assert {"connect-src", "img-src", "script-src-elem", "style-src-attr", "style-src-elem"} <= set(
        blocked
    )
    assert browser.title == "The rnn"
    assert all("Content Security Policy" in message for message in shown.complaints())


def test_hostile_names_are_text(browser, page, tmp_path) -> None:
    tensors = [tg.tensor([1.0], requires_grad=True).named(name or "v") for name in HOSTILE]
    with tg.scope(HOSTILE[3]), tg.step(1):
        total = sum(tensors[1:], tensors[0]).named(HOSTILE[2])
    path = viz.play(total, tmp_path / "hostile.html", title=HOSTILE[5])
    shown = Page(browser, path).open("#step=1&node=3")
    assert browser.title == clean(HOSTILE[5], 200)
    assert shown.text("#panel h1") == clean(HOSTILE[5], 200)
    options = shown.texts("#nodes option")
    assert {f"{clean(name)} param" for name in HOSTILE} <= set(options)
    assert shown.text("#inspected") == clean(HOSTILE[3])
    for k in range(len(HOSTILE)):
        shown.go(k)
    assert not shown.complaints()
    assert shown.run("return document.querySelectorAll('img').length") == 0
    assert shown.run("return document.scripts.length") == 2
    assert browser.title != "taken"


def test_a_rolled_picture_is_unrolled_by_a_click_and_back(browser, page, tmp_path) -> None:
    picture = viz.draw(bptt.record(rnn()), level="rolled")
    shown = Page(browser, picture.save(tmp_path / "rolled.html")).open()
    boxes = "return document.querySelectorAll('#drawing .box.rolled').length"
    rolled, fitted = shown.run(boxes), shown.place()
    assert rolled > 2
    assert shown.text("#turn") == "Unrolled"
    shown.find("#turn").click()
    assert shown.run(boxes) == 0
    assert shown.place() != fitted
    before = shown.place()
    shown.press("+")  # the keys are those of what is shown
    assert shown.place()[2] == pytest.approx(before[2] * 1.25)
    shown.find("#turn").click()
    assert shown.run(boxes) == rolled
    assert shown.text("#turn") == "Unrolled"
    assert shown.place() == pytest.approx(fitted, abs=0.6)
    assert not shown.complaints()


def test_a_still_picture_moves_and_zooms(browser, page, tmp_path) -> None:
    path = tmp_path / "still.html"
    path.write_text(still(viz.draw(bptt.record(rnn())).svg, "A < still"), encoding="utf-8")
    shown = Page(browser, path).open()
    assert browser.title == "A < still"
    fitted = shown.place()
    shown.press("+")
    assert shown.place()[2] == pytest.approx(fitted[2] * 1.25)
    shown.press("0")
    assert shown.place() == fitted
    mouse(shown).move_to_element(shown.find("#stage")).click_and_hold().move_by_offset(
        40, 30
    ).release().perform()
    assert shown.place() == pytest.approx((fitted[0] + 40, fitted[1] + 30, fitted[2]), abs=0.6)
