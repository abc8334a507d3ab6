"""Pictures in Chinese: every word of a legend has one, names and formulas stay."""

from __future__ import annotations

import re
from html import unescape
from itertools import pairwise

import numpy as np
import pytest
import random_loops
from test_pages import OF_THE_CODE, words

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, cli, compat, viz
from tinygrad_rnn.cli import demo, samples
from tinygrad_rnn.viz.chinese import PHRASES
from tinygrad_rnn.viz.languages import said_in
from tinygrad_rnn.viz.text import width, wrapped

CHINESE = re.compile("[\u4e00-\u9fff]")
ENGLISH = re.compile(
    r"[a-z]{3,} [a-z]{2,}|\b(value|grad|input|result|backward|forward|none|first|last|largest"
    r"|smallest|sum|mean|step|from|together|visit)\b"
)
OF_A_LAYER = re.compile(r", (layer|reverse|run)\b|not in|only here")
OF_THE_PROGRAM = re.compile(r"^= |^(L|mean) = mean")  # formulas


def drawn(kind: str, **options):
    if kind == "operations":
        return viz.draw(bptt.record(demo.forward()[2]), **options)
    if kind == "before":
        return viz.draw(demo.forward()[2], **options)
    if kind == "deep":
        x = y = tg.tensor(1.0, requires_grad=True)
        for _ in range(600):
            y = (y * x).named("y")
        return viz.draw(bptt.record(y), **options)
    if kind == "second":
        w = tg.tensor([[0.5]], requires_grad=True).named("w")
        (g,) = tg.autograd.grad((w @ w).sum().named("L"), w, create_graph=True)
        return viz.draw(bptt.record((g * g).sum()), **options)
    if kind == "both ways":
        loss = samples.unrolled("gru", steps=3, bidirectional=True, every_step=True)
        return viz.draw(bptt.record(loss), **options)
    if kind == "dead":
        tg.manual_seed(0)
        net = tg.nn.RNN(1, 1, num_layers=3, nonlinearity="relu")
        return viz.draw(bptt.record(net(tg.ones(3, 1, 1))[1].sum()), **options)
    walk = bptt.record(samples.unrolled("lstm", layers=2, steps=30))
    return viz.draw(walk, level=kind, **options)


def charted(kind: str, **options):
    tg.manual_seed(0)
    walk = bptt.record(samples.unrolled("lstm", layers=2, steps=30, bidirectional=True))
    if kind == "flow":
        return viz.gradient_flow(walk, **options)
    if kind == "heat map":
        return viz.heat_map(walk, **options)
    if kind == "compared":
        other = bptt.record(samples.unrolled("lstm", layers=1, steps=20))
        return viz.compare(walk, other, names=("old", "new"), **options)
    if kind == "training":
        history = bptt.History()
        net = tg.nn.LSTM(1, 2, num_layers=2)
        for t in range(1, 30):
            loss = net(tg.ones(3, 1))[0].sum()
            loss.backward()
            history.add(net=net, loss=loss.item(), value=t)
        return viz.training_curves(history, **options)
    w, b = (tg.tensor(0.5, requires_grad=True).named(name) for name in "wb")
    if kind == "surface":
        surface = bptt.error_surface(lambda: (w**9 + b) ** 2, w, b, (0, 2), (-1, 1), points=5)
        return viz.error_surface(surface, **options)
    rnn = tg.nn.RNN(1, 2)
    walk = bptt.record(rnn(tg.ones(9, 1))[0].sum())
    shares = bptt.contributions(walk, rnn.weight_hh_l0, by=("loss", "step"))
    return viz.contribution_map(shares, **options)


CHARTS = ("flow", "heat map", "compared", "training", "surface", "contributions")
KINDS = ("operations", "before", "deep", "second", "both ways", "dead", "auto", "rolled", "step")


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)<", svg)


def left_in_english(svg: str) -> list[str]:
    """What is written or told in English, but for formulas, and names, which are bold."""
    found = re.findall(r"<(?:text|title|desc)\b([^>]*)>([^<]*)<", svg)
    return [
        text
        for look, text in found
        if (OF_A_LAYER if "bold" in look else ENGLISH).search(re.sub("^[^；]+ = [^；]+", "", text))
        and not OF_THE_PROGRAM.search(text)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_in_chinese(kind: str) -> None:
    plain, told = drawn(kind), drawn(kind, language="zh")
    assert CHINESE.search(told.title)
    assert not CHINESE.search(plain.svg)
    assert not left_in_english(told.svg)
    same = [t for t in texts(plain.svg) if re.search(r"[=@⊙]|^[\d.]+$", t) and " of " not in t]
    assert all(t in texts(told.svg) or CHINESE.search(said_in("zh", t)) for t in same)


@pytest.mark.parametrize("kind", list(random_loops.KINDS)[::5])
def test_any_loop_in_chinese(kind: str) -> None:
    loss, _ = random_loops.program(kind, 0, tg)
    walk = bptt.record(loss)
    for level in ("op", "rolled"):
        assert not left_in_english(viz.draw(walk, level=level, language="zh", max_nodes=2000).svg)


@pytest.mark.parametrize("kind", CHARTS)
def test_a_chart_in_chinese(kind: str) -> None:
    plain, told = charted(kind), charted(kind, language="zh")
    assert (plain.language, told.language) == ("en", "zh")
    assert CHINESE.search(told.title)
    assert not CHINESE.search(plain.svg)
    assert not left_in_english(told.svg)
    assert charted(kind, language="zh", title="Mine").title == "Mine"
    with pytest.raises(ValueError, match="language='fr' does not exist; there is 'en', 'zh'"):
        charted(kind, language="fr")


def test_which_walk_of_a_program_it_is(tmp_path) -> None:
    program = tmp_path / "a.py"
    program.write_text(
        "import torch\nimport torch.nn.functional as F\n"
        "w = torch.ones(12, 3, requires_grad=True)\n"
        "for _ in range(21):\n    F.cross_entropy(w, torch.arange(12) % 3).backward()\n"
    )
    for at, said in ((2, "程序的第二次反向传播"), (21, "程序的第 21 次反向传播")):
        compat.run(program, draw=tmp_path / "a.svg", at=at, language="zh")
        svg = (tmp_path / "a.svg").read_text(encoding="utf-8")
        assert f"，{said}</title>" in svg
        assert not left_in_english(svg)
        assert "，共 12 个<" in svg


@pytest.mark.parametrize("module", ["legend.py", "glossary.py"])
def test_every_word_of_a_legend_is_in_the_catalogue(module: str) -> None:
    parts = " ".join(PHRASES)
    for phrase in words(module) - OF_THE_CODE:
        assert phrase in PHRASES or phrase in parts, phrase


def test_phrases_keep_their_signs() -> None:
    for english, chinese in PHRASES.items():
        assert CHINESE.search(chinese), english
        assert set(re.findall(r"[‖∂⊙@σ⁽⁾′Σ≈×]", english)) == set(
            re.findall(r"[‖∂⊙@σ⁽⁾′Σ≈×]", chinese)
        ), english


def test_what_the_program_has_named_stays() -> None:
    x = tg.tensor([0.5], requires_grad=True).named("value")
    w = tg.tensor([2.0], requires_grad=True).named("weights")
    y = ((x @ w).named("input") + w).named("mean, layer 0")
    svg = viz.draw(bptt.record((y * x).named("L")), language="zh").svg
    bold = re.findall(r"<text[^>]*bold[^>]*>([^<]*)<", svg)
    assert {"value", "weights", "input"} <= set(bold)
    said = {"= value @ weights", "= input + weights", "= mean, layer 0 * value"}
    assert said <= set(texts(svg))
    told = " ".join(re.findall("<title>([^<]*)<", svg))
    assert "input = value @ weights；" in told
    assert "input + weights；" in told


def test_where_chinese_is_told(tmp_path) -> None:
    picture = drawn("operations", language="zh")
    assert 'lang="zh"' in picture.svg.partition(">")[0]
    assert "lang=" not in drawn("operations").svg.partition(">")[0]
    assert CHINESE.search(picture.save(tmp_path / "a.html").read_text(encoding="utf-8"))
    with pytest.raises(ValueError, match="language='fr' does not exist; there is 'en', 'zh'"):
        drawn("operations", language="fr")


def test_chinese_lines_end_where_they_may() -> None:
    random = np.random.default_rng(0)
    letters = list("梯度沿时间往回流，。；）：h₁abc")
    for _ in range(300):
        text = "（梯" + "".join(random.choice(letters, 40))
        for room in (30, 75, 200):
            lines = wrapped(text, room, 10)
            assert "".join("".join(lines).split()) == "".join(text.split())
            assert not any(re.match("[，。；）”：]", line) for line in lines[1:] if line[1:]), lines


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", ["operations", "both ways", "dead"])
def test_the_words_of_a_legend_have_room(kind, language) -> None:
    """They are laid out as long as they are in their language."""
    legend = drawn(kind, language=language).svg.partition('<g class="legend"')[2]
    found = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" font-size="([\d.]+)"[^>]*>([^<]+)', legend)
    words = [(float(y), float(x), float(size), unescape(text)) for x, y, size, text in found]
    assert len(words) > 6
    for (y, x, size, text), (below, behind, _, following) in pairwise(sorted(words)):
        assert y != below or x + width(text, size) <= behind, (text, following)


@pytest.mark.parametrize("hide", ["gradients", "values", ("values", "gradients")])
def test_an_exercise_in_chinese(hide, tmp_path) -> None:
    long = tg.ones(30, requires_grad=True, dtype=tg.float64).named("v")  # is written in a table
    walk = bptt.record(demo.forward()[2] + (long @ long).named("p"))
    paths = viz.worksheet(walk, tmp_path / "a.html", hide, seed=3, nice=True, language="zh")
    for path in paths:
        page = path.read_text(encoding="utf-8")
        assert '<html lang="zh">' in page
        assert not left_in_english(re.sub(r'<text[^>]*class="(given|asked)".*?</text>', "", page))
        assert "由种子3生成" in re.sub(r"<.*?>|\s", "", page)  # lines break at spaces
    with pytest.raises(ValueError, match="language='zh' is for pages, not for a spreadsheet"):
        viz.worksheet(walk, tmp_path / "a.xlsx", language="zh")


COMMANDS = {
    "worksheet": ["worksheet", "--steps", "2", "-o", "a.html"],
    "draw": ["draw", "--steps", "2", "-o", "a.svg"],
    "play": ["play", "--steps", "2", "-o", "a.html"],
    "demo": ["demo"],
    "run": ["run", "--draw", "a.svg", "--play", "b.html", "program.py"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_write_in_chinese(command: str, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "program.py").write_text(
        "import torch\nw = torch.ones(1, requires_grad=True)\n(w * w).backward()\n"
    )
    name, *options = COMMANDS[command]
    assert cli.main([name, "--language", "zh", *options]) == 0
    capsys.readouterr()
    written = [*tmp_path.glob("*.svg"), *tmp_path.glob("*.html")]
    assert len(written) == (1 if command in ("draw", "play") else 2)
    for path in written:
        text = path.read_text(encoding="utf-8")
        assert 'lang="zh"' in text
        assert CHINESE.search(re.search("<title>(.*)</title>", text)[1])
    assert cli.main([name, "--language", "fr", *options]) == 2
    assert "invalid choice: 'fr'" in capsys.readouterr().err
