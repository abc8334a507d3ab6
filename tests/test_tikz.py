"""Pictures as TikZ: they compile, whatever is in their names, and look like the SVG."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_images import PICTURES, walk_of

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, cli, compat, viz
from tinygrad_rnn.viz import marks
from tinygrad_rnn.viz.page import opening
from tinygrad_rnn.viz.tikz import tikz
from tinygrad_rnn.writing import tex
from tinygrad_rnn.writing.palette import THEMES

needs_latex = pytest.mark.skipif(
    not shutil.which("pdflatex") or not shutil.which("pdftoppm"),
    reason="apt-get install texlive-latex-base texlive-pictures lmodern poppler-utils",
)
needs_images = pytest.mark.skipif(
    not all(map(find_spec, ("vl_convert", "PIL"))), reason="pip install tinygrad_rnn[images] pillow"
)
MORE = {
    "rolled": lambda: viz.draw(powers(3), level="rolled"),
    "compared": lambda: viz.compare(powers(1), powers(2)),
    "encoder and decoder": lambda: viz.draw(encoder_and_decoder()),
}
LOOKED_AT = ("operations", "no time", "dark", "contributions", "flow, dark", *MORE)
SIGNS = r"""\ $ % # & _ { } ~ ^ ^^M < > | ' ` - -- ?` ,, \end{document} \input{/x} }}} {{{ ** **2
  @ [ ]""".split()
WORDS = """时间 Ж é λ ο Ω ‖ ½ ′ ″ ᵀ ⁽¹⁾ ⁻¹ ₜ₋₁ h₁⁽⁰⁾′ W_hh x² 🙂 x̂ שלום ∞ ⊙ ° 1e-5 tanh
  mean a""".split()


def powers(steps):
    w, x = tg.tensor(0.5, requires_grad=True).named("w"), tg.tensor(1.0)
    for _ in range(steps):
        x = tg.tanh(w * x)
    return bptt.record(x)


def encoder_and_decoder():
    encoder, decoder = tg.nn.RNN(1, 1), tg.nn.RNN(1, 1)
    _, state = encoder(tg.ones(2, 1))
    return bptt.record(decoder(tg.ones(2, 1), state)[0].sum())


def compiled(directory, name, runs=1):
    """The PDF that LaTeX makes of a file, and what it said."""
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", name]
    for _ in range(runs):
        run = subprocess.run(command, cwd=directory, capture_output=True, timeout=120)
    said = run.stdout.decode("utf-8", "replace")
    assert run.returncode == 0, said[-2000:]
    return directory / f"{name.removesuffix('.tex')}.pdf", said


def pixels(pdf, dpi=72):
    from PIL import Image

    subprocess.run(["pdftoppm", "-r", str(dpi), "-png", "-singlefile", pdf, pdf.stem],
                   cwd=pdf.parent, check=True)  # fmt: skip
    return Image.open(pdf.with_suffix(".png")).convert("RGB")


def blocks(image, side=16):
    """The mean colours of squares: there writing in different fonts looks alike."""
    array = np.asarray(image, float) / 255
    high, wide = (n // side for n in array.shape[:2])
    cut = array[: high * side, : wide * side]
    return cut.reshape(high, side, wide, side, 3).mean((1, 3))


def likeness(one, two):
    return np.corrcoef(one.ravel(), two.ravel())[0, 1]


@needs_latex
@needs_images
@pytest.mark.parametrize("kind", LOOKED_AT)
def test_it_looks_like_the_svg(kind, tmp_path):
    from PIL import Image

    picture = (PICTURES | MORE)[kind]()
    picture.save(tmp_path / "a.tex")
    picture.save(tmp_path / "svg.png", dpi=72)
    pdf, said = compiled(tmp_path, "a.tex")
    assert "(1 page" in said
    mine, other = pixels(pdf), Image.open(tmp_path / "svg.png").convert("RGB")
    assert max(abs(a - b) for a, b in zip(mine.size, other.size)) <= 1
    one, two = blocks(mine.resize(other.size)), blocks(other)
    assert likeness(one, two) > 0.95
    assert np.abs(one - two).max() < 0.35
    assert likeness(np.roll(one, 1, axis=0), two) < 0.9  # which says that the measure sees


@needs_latex
def test_one_file_is_a_document_and_a_part_of_one(tmp_path):
    picture = viz.draw(walk_of("rnn", steps=2))
    picture.save(tmp_path / "a.tex")
    picture.save(tmp_path / "b.tex", size="column", scale=2)
    sizes = r"\immediate\write16{SIZE \the\wd0}"
    (tmp_path / "paper.tex").write_text(
        r"\documentclass{article}\usepackage{tikz,amsmath}\begin{document}"
        rf"\setbox0\hbox{{\input{{a.tex}}}}{sizes}"
        rf"\setbox0\hbox{{\input{{b.tex}}}}{sizes}"
        rf"{{\def\bpttwidth{{5cm}}\setbox0\hbox{{\input{{a}}}}{sizes}}}"
        r"\immediate\write16{LINE \the\linewidth}\copy0"
        r"\newcommand\other[1]{\catcode`#1=13 \lccode`~=`#1 \lowercase{\def~{\error}}}"
        r"\other;\other:\other!\other?\other'\other-\other<"  # as languages of babel do
        r"\begin{figure}\sffamily\input{a.tex}\caption{After it.}\end{figure}\end{document}",
        encoding="utf-8",
    )  # fmt: skip
    pdf, said = compiled(tmp_path, "paper.tex")
    fits, column, chosen = (float(x) for x in re.findall(r"SIZE ([\d.]+)pt", said))
    (line,) = (float(x) for x in re.findall(r"LINE ([\d.]+)pt", said))
    point = 72.27 / 72
    assert fits == pytest.approx(line, rel=2e-3)
    assert column == pytest.approx(2 * 234 * point, rel=2e-3)
    assert chosen == pytest.approx(5 / 2.54 * 72.27, rel=2e-3)
    assert "Overfull" not in said
    assert pdf.stat().st_size > 10_000


def page_of(lines):
    """A picture in which lines are written in every way that there is."""
    svg = opening("Lines $ % \\", "", 800, 30 * len(lines), THEMES["light"])
    for i, line in enumerate(lines):
        ways = {"label": "name", "bold": True}, {"mono": True}, {}, {"label": "expression"}
        svg += [marks.text(20 + 190 * k, 30 * i, line, 9, **way) for k, way in enumerate(ways)]
    return "\n".join([*svg, "</svg>"])


@needs_latex
def test_any_name_compiles_and_none_is_a_command(tmp_path):
    rng = np.random.default_rng(7)
    parts = [*SIGNS, *WORDS, " "]
    random = ["".join(rng.choice(parts, rng.integers(1, 8))) for _ in range(120)]
    lines = [*SIGNS, *WORDS, "", *random]
    (tmp_path / "a.tex").write_text(tikz(page_of(lines), "a\nb % \\ ^^M"), encoding="utf-8")
    pdf, said = compiled(tmp_path, "a.tex")
    assert "(1 page" in said
    text = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, check=True)
    assert "65F6" in text.stdout.decode()  # 时, for which there is no font
    assert "end{document}" in text.stdout.decode()
    assert not set("–¿„") & set(text.stdout.decode())  # which TeX makes of --, ?` and ,,


@given(
    st.text(st.one_of(st.sampled_from("\\$%#&_{}~^'`*-₁ᵀ′⁽⁾σ时 a1."), st.characters()), max_size=20)
)
@example("۰ × ٣")  # digits of other scripts, which TeX does not know
@settings(max_examples=300, deadline=None)
def test_writing_is_closed_whatever_it_is_of(line):
    for written in (tex.text(line), tex.text(line, mono=True), tex.mathematics(line)):
        plain = re.sub(r"\\bpttother\{.\}", "", written, flags=re.DOTALL)
        assert plain.isascii()
        plain = re.sub(r"\\[\\{}$%#&_]", "", plain)
        depth = 0
        for sign in re.findall(r"\\[()]|[{}]", plain):
            depth += 1 if sign in (r"\(", "{") else -1
            assert depth >= 0
        assert depth == 0
        assert not re.search(r"(?<!\\)[$%#&~]", re.sub(r"\\[$%#&]", "", written))


@pytest.mark.parametrize("kind", PICTURES)
def test_every_mark_is_painted_and_every_colour_defined_once(kind):
    picture = PICTURES[kind]()
    written = tikz(picture.svg, picture.title)
    assert written.count(r"\bpttline{") == picture.svg.count("<text ")
    assert written.count(" circle[") == picture.svg.count("<circle ")
    defined = re.findall(r"\\definecolor\{(\w+)\}\{HTML\}\{[0-9A-F]{6}\}", written)
    used = set(re.findall(r"(?:fill|draw|text)=(\w+)", written))
    assert len(defined) == len(set(defined))
    assert set(defined) == used
    shapes = sum(picture.svg.count(f"<{kind} ") for kind in ("rect", "path", "circle"))
    assert written.count("\\path[") == shapes + 1  # and the page itself


def test_sizes_are_checked(tmp_path):
    picture = viz.draw(tg.tensor(1.0, requires_grad=True) * 2)
    for options, error, said in (
        ({"size": "slide"}, ValueError, "for a .tex; there is"),
        ({"size": -1}, ValueError, "positive"),
        ({"size": "wide"}, ValueError, "does not exist"),
        ({"scale": "2"}, TypeError, "number"),
        ({"dpi": 300}, ValueError, "a .tex has no pixels"),
    ):
        with pytest.raises(error, match=said):
            picture.save(tmp_path / "a.tex", **options)
    assert not list(tmp_path.iterdir())


def test_commands_write_it(tmp_path):
    drawn = tmp_path / "a.tex"
    assert cli.main(f"draw --cell rnn --steps 2 --size column -o {drawn}".split()) == 0
    assert r"\begin{tikzpicture}" in drawn.read_text(encoding="utf-8")
    program = tmp_path / "p.py"
    program.write_text("import torch\nw = torch.ones(1, requires_grad=True)\n(w * 2).backward()\n")
    compat.run(program, draw=tmp_path / "b.tex")
    assert r"\begin{tikzpicture}" in (tmp_path / "b.tex").read_text(encoding="utf-8")
