"""theme="auto": light by itself, and dark where the reader's page is."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from browsing import Page, open_chromium

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, cli, viz
from tinygrad_rnn.cli import demo, samples
from tinygrad_rnn.writing.palette import THEMES

KINDS = {
    "operations": lambda walk, theme: viz.draw(walk, level="op", theme=theme, max_nodes=999),
    "cells": lambda walk, theme: viz.draw(walk, theme=theme),
    "rolled": lambda walk, theme: viz.draw(walk, level="rolled", theme=theme),
    "in Chinese": lambda walk, theme: viz.draw(walk, theme=theme, language="zh"),
    "heat map": lambda walk, theme: viz.heat_map(walk, theme=theme),
    "flow": lambda walk, theme: viz.gradient_flow(walk, theme=theme),
    "compared": lambda walk, theme: viz.compare(walk, walk, theme=theme),
}


@pytest.fixture(scope="module")
def walk():
    return bptt.record(samples.unrolled("lstm", layers=2, steps=12))


def in_the_dark(svg: str) -> str:
    """What a browser makes of a picture where it is dark, as a dark picture is written."""
    style = re.search(r"<style>.*?</style>\n", svg, re.DOTALL)
    rules = dict(re.findall(r"\.bptt-([\w-]+) { \w+: (#\w{6}) }", style[0]))

    def tag(found: re.Match[str]) -> str:
        text = found[0]
        for name in re.findall(r"bptt-([\w-]+)", text):
            what, _, _ = name.partition("-")
            text = re.sub(rf'\b{what}="[^"]*"', f'{what}="{rules[name]}"', text)
        text = re.sub(r"(?<= class=\")bptt-[\w -]+|(?<=\w) bptt-[\w-]+", "", text)
        return text.replace(' class=""', "")

    return re.sub(r"<[^<>]*bptt-[^<>]*>", tag, svg.replace(style[0], ""))


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_light_picture_and_in_the_dark_the_dark_one(walk, kind, tmp_path) -> None:
    light, dark, auto = (KINDS[kind](walk, theme) for theme in ("light", "dark", "auto"))
    assert in_the_dark(auto.svg) == dark.svg
    marks = [
        dict(mark.attrib) for mark in ET.fromstring(auto.svg).iter() if "style" not in mark.tag
    ]
    for mark, plain in zip(marks, ET.fromstring(light.svg).iter(), strict=True):
        kept = [name for name in mark.pop("class", "").split() if not name.startswith("bptt-")]
        assert kept == plain.attrib.get("class", "").split()
        assert mark == {key: value for key, value in plain.attrib.items() if key != "class"}
    assert "var(" not in auto.svg
    if kind == "in Chinese":
        return
    texts = [each.save(tmp_path / "a.tex").read_text("utf-8") for each in (light, auto)]
    assert texts[0] == texts[1]
    if kind in ("cells", "operations", "rolled"):
        assert auto.dot == light.dot


def test_on_a_slide_its_paper_is_dark_too(walk, tmp_path) -> None:
    picture = viz.draw(walk, theme="auto")
    slide = picture.save(tmp_path / "a.svg", size="slide").read_text("utf-8")
    assert (
        slide.count('class="bptt-fill-paper"') == picture.svg.count('class="bptt-fill-paper"') + 1
    )


@pytest.mark.parametrize("form", [".png", ".pdf"])
def test_what_is_printed_is_light(form, tmp_path) -> None:
    pytest.importorskip("vl_convert", reason="pip install vl-convert-python")
    image = pytest.importorskip("PIL.Image", reason="pip install pillow")
    walk = bptt.record(demo.forward()[2])
    made = [viz.draw(walk, theme=t).save(tmp_path / f"{t}{form}") for t in ("light", "auto")]
    if form == ".png":
        shown = [image.open(path).convert("RGB").getpixel((2, 2)) for path in made]
        assert shown == [(255, 255, 255)] * 2
    assert made[0].stat().st_size == pytest.approx(made[1].stat().st_size, rel=0.01)


@pytest.mark.parametrize("scheme", THEMES)
def test_in_the_browser(scheme, tmp_path) -> None:
    """As a page, whose policy lets just these rules in; as an image, that asks its own page."""
    walk = bptt.record(samples.unrolled("rnn", steps=3))
    picture = viz.draw(walk, level="rolled", theme="auto")  # as a page it holds two
    picture.save(tmp_path / "a.html")
    picture.save(tmp_path / "a.svg")
    paper = tuple(bytes.fromhex(THEMES[scheme].paper[1:]))
    page = Page(open_chromium(), tmp_path / "a.html")
    try:
        page.emulate(prefers_color_scheme=scheme)
        page.open()
        assert page.style("svg > rect", "fill") == f"rgb{paper}"
        assert page.complaints() == []
        other = "dark" if scheme == "light" else "light"  # what the page says goes before
        page.emulate(prefers_color_scheme=other)
        (tmp_path / "b.html").write_text(
            f'<html style="color-scheme: {scheme}"><body><img src="a.svg"></body></html>'
        )
        page.path = tmp_path / "b.html"
        page.open()
        (tmp_path / "shot.png").write_bytes(page.find("img").screenshot_as_png)
    finally:
        page.browser.quit()
    image = pytest.importorskip("PIL.Image", reason="pip install pillow")
    assert image.open(tmp_path / "shot.png").convert("RGB").getpixel((6, 6)) == paper


@pytest.mark.parametrize("command", ["draw --steps 2 -o", "run --draw"])
def test_on_the_command_line(command, tmp_path, capsys) -> None:
    program = tmp_path / "a.py"
    program.write_text("import torch\nw = torch.ones(1, requires_grad=True)\n(w * w).backward()\n")
    line = [*command.split(), str(tmp_path / "a.svg"), "--theme"]
    rest = [str(program)] * command.startswith("run")
    assert cli.main([*line, "auto", *rest]) == 0
    assert "prefers-color-scheme" in (tmp_path / "a.svg").read_text("utf-8")
    assert cli.main([*line, "neon", *rest]) == 2
    assert "'light', 'dark', 'auto'" in capsys.readouterr().err


def test_in_a_notebook_cell(walk) -> None:
    assert "prefers-color-scheme" in viz.draw(walk, theme="auto")._repr_html_()
    assert "prefers-color-scheme" not in viz.draw(walk)._repr_html_()


def test_training_curves_and_grids() -> None:
    history = bptt.History()
    for loss in (3.0, 2.0, 1.5):
        history.add(loss=loss)
    assert in_the_dark(viz.training_curves(history, theme="auto").svg) == (
        viz.training_curves(history, theme="dark").svg
    )
    w, b = (tg.tensor(x, requires_grad=True).named(name) for name, x in (("w", 1.0), ("b", 2.0)))
    surface = bptt.error_surface(lambda: (w * b - 1) ** 2, w, b, (0, 2), (0, 2), points=5)
    grids = [viz.error_surface(surface, theme=t).svg for t in ("auto", "dark")]
    assert in_the_dark(grids[0]) == grids[1]
