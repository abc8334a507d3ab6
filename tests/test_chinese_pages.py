"""Pages in Chinese: what the player and stills say, and hear said, is in the catalogue."""

from __future__ import annotations

import ast
import inspect
import json
import re
import textwrap
from importlib.resources import files

import numpy as np
import pytest
from browsing import Page, open_chromium
from test_languages import CHINESE

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, viz
from tinygrad_rnn.bptt.zero import Zeros
from tinygrad_rnn.cli import samples
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.operations.traits import traits_of
from tinygrad_rnn.viz.player.chinese import PHRASES
from tinygrad_rnn.viz.player.wording import _WORDS, told_in

FOLDER = files("tinygrad_rnn.viz.player")
FILES = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir() if path.is_file()}
ENGLISH = re.compile(r"[a-z]{2,} [a-z]{2,}|[a-z]{4,}\?|^[A-Z]?[a-z]{3,}$")
CODE = {"use strict"}


def relu_net() -> tg.Tensor:
    """One whose second layer is dead, with a weight that needs no gradient."""
    tg.manual_seed(0)
    rnn = tg.nn.RNN(2, 2, num_layers=2, nonlinearity="relu", bidirectional=True)
    with tg.no_grad():
        rnn.bias_ih_l1.fill_(-9)
    output, _ = rnn(tg.randn(2, 1, 2).named("x"))
    return (output * tg.ones(1).named("k")).sum()


def powers() -> tg.Tensor:
    w, h = tg.tensor(0.2, requires_grad=True).named("w"), tg.tensor(0.9).named("h₀")
    for _ in range(3):
        h = (w * h).named("h")
    return h


# -- nothing is forgotten ----------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".html")])
def test_every_word_of_a_page_is_in_the_catalogue(name) -> None:
    for found in _WORDS.findall(FILES[name]):
        text = " ".join(found.split())
        assert text in PHRASES or not re.search("[A-Za-z]{2}", text), text


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".js")])
def test_every_word_of_a_script_is_in_the_catalogue(name) -> None:
    code = re.sub(r"/\*.*?\*/|//.*", "", FILES[name], flags=re.S)
    said = set(re.findall(r'worded\(\s*"([^"]+)"', code))
    sentences = {t for t in re.findall(r'"([^"\n]*)"', code) if re.search("[a-z]{2,} [a-z]+", t)}
    for text in said | sentences - CODE:
        if text in PHRASES or re.match(r"[.#\[]", text):  # a selector
            continue
        classes = set(text.split()) - {"card", "send", "gradient", "text"}
        assert not classes, text
    assert not re.findall(r"`[^`$]*[a-z]{2,} [a-z]{2,}[^`]*`", re.sub(r"`for node.*`", "", code))


def test_placeholders_are_put_in_once_each() -> None:
    for english, chinese in PHRASES.items():
        assert sorted(re.findall(r"\{\d\}", english)) == sorted(re.findall(r"\{\d\}", chinese))


def sentences_of(code: type) -> set[str]:
    """What methods say, but for their documentation and errors; names stand where braces do."""
    found = set()
    tree = ast.parse(textwrap.dedent(inspect.getsource(code)))
    for node in ast.walk(tree):
        for field in ("body", "orelse"):
            parts = getattr(node, field, None)
            if isinstance(parts, list):
                setattr(node, field, [part for part in parts if not _is_aside(part)])
    inside = {id(part) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for part in n.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(p.value if isinstance(p, ast.Constant) else "3" for p in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = "" if id(node) in inside else node.value
        else:
            continue
        if " " in text.strip():
            found.add(text.replace("{}", "h₁"))
    return found


def _is_aside(part: ast.stmt) -> bool:
    is_text = isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)
    return is_text or isinstance(part, ast.Raise)


def test_every_reason_for_a_zero_is_in_the_catalogue() -> None:
    told = {text: told_in("zh", text) for text in sentences_of(Zeros)}
    assert len(told) > 15
    for text, said in told.items():
        if text not in PHRASES and text != " there":  # kinds; what is put into another
            assert CHINESE.search(said), text
            assert not re.search("[a-z]{2,} [a-z]{2,}", said), said


def test_every_way_in_which_an_operation_lets_nothing_through_is_in_the_catalogue() -> None:
    stops = {traits_of(primitive).stops for primitive in Primitive.registry.values()} - {""}
    assert len(stops) > 3
    for stop in stops:
        said = told_in("zh", f"h, made by tanh, lets nothing through: {stop}")
        assert not re.search("[a-z]{3,} [a-z]{2,}", said), said


# -- pages -------------------------------------------------------------------------------------

SEEN = """
const found = [], hidden = "script, style, #loop, math, [role=math], kbd, noscript, template";
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  if (!walker.currentNode.parentElement.closest(hidden)) found.push(walker.currentNode.textContent);
}
for (const name of ["aria-label", "aria-valuetext", "title", "data-otherwise"]) {
  for (const element of document.querySelectorAll(`body [${name}]`)) {
    if (!element.closest(hidden)) found.push(element.getAttribute(name));
  }
}
return [...new Set(found.map((text) => text.trim()))];
"""


@pytest.fixture(scope="module")
def browser():
    opened = open_chromium()
    yield opened
    opened.quit()


def left_in_english(page: Page, names: set[str]) -> list[str]:
    """What a page shows and tells in English, but for names and formulas."""
    known = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    texts = (re.sub(f"({known})(?![a-z])", "x", text) for text in page.run(SEEN))
    return [t for t in texts if ENGLISH.search(re.sub(r"= .*?(?=[；·:]|$)|∂\S+", "", t))]


def test_a_player_in_chinese(browser, tmp_path) -> None:
    walk = bptt.record(relu_net())
    page = Page(browser, viz.play(walk, tmp_path / "a.html", language="zh")).open()
    assert page.run("return document.documentElement.lang") == "zh"
    names = set(page.run("return nodes.map((node) => node.name)")) | {"rnn", "grad", "relu", "vjp"}
    for k in range(0, len(walk.visits) + 1, 3):
        page.run("go(arguments[0]); inspect(arguments[0] % nodes.length)", k)
        assert not left_in_english(page, names)
    page.run("go(20); inspect(nodes.findIndex((node) => node.zero))")
    assert page.text("#why h3") == "为什么它为零？"
    assert page.text("#why b") in {"死单元", "零因子"}
    assert page.text("#play") == "▶ 播放"
    page.run("play()")
    assert page.text("#play") == "❚❚ 暂停"


def test_numbers_are_changed_in_chinese(browser, tmp_path) -> None:
    sliders = {"w": np.linspace(-1, 1, 5)}
    path = viz.play(bptt.record(powers()), tmp_path / "a.html", language="zh", sliders=sliders)
    page = Page(browser, path).open()
    assert page.text("#elements output") == "记录时的值"
    move = "const r = document.querySelector('#elements input'); r.value = 1;"
    page.run(f"{move} r.dispatchEvent(new Event('input'))")
    assert page.text("#effect-said").startswith("实际改变 ")
    assert not left_in_english(page, {"w", "grad", "vjp"})


def test_a_live_player_in_chinese(browser) -> None:
    with viz.play(bptt.record(relu_net()), live=True, language="zh") as player:
        browser.get(player.address)
        page = Page(browser, None)
        names = set(page.run("return nodes.map((node) => node.name)")) | {"rnn", "grad", "relu"}
        assert not left_in_english(page, names | {"dropout", "vjp"})
        answer = json.dumps(player._answer({"changes": [], "visit": 3, "why": []}), ensure_ascii=0)
        assert "‖梯度‖ = " in answer
        assert not re.search("‖gradient‖|made by|not kept", answer)


def test_a_still_in_chinese(browser, tmp_path) -> None:
    walk = bptt.record(samples.unrolled("rnn", steps=3))
    picture = viz.draw(walk, level="rolled", language="zh")
    page = Page(browser, picture.save(tmp_path / "a.html")).open()
    assert page.run("return document.documentElement.lang") == "zh"
    assert page.text("#turn") == "展开"
    page.find("#turn").click()
    assert page.text("#turn") == "重新卷起"
    assert page.run("return document.querySelector('#stage').ariaLabel").startswith("图：")


def test_a_page_in_english_stays_as_it_was(tmp_path) -> None:
    page = viz.play(bptt.record(powers()), tmp_path / "a.html").read_text(encoding="utf-8")
    assert '<html lang="en">' in page
    assert not CHINESE.search(page)
    with pytest.raises(ValueError, match="language='fr' does not exist; there is 'en', 'zh'"):
        viz.play(powers(), language="fr")


def test_what_users_write_stays_in_a_page(tmp_path) -> None:
    a = tg.tensor(0.5, requires_grad=True).named("Loss {0} value")
    path = viz.play((a * 2).named("now"), tmp_path / "a.html", language="zh", title="Play step")
    data = path.read_text(encoding="utf-8")
    assert '"name":"Loss {0} value"' in data
    assert '"name":"now"' in data
    assert "<title>Play step</title>" in data
