"""The lessons in examples/ run as scripts and as notebooks, say what they say, and draw."""

from __future__ import annotations

import ast
import importlib
import json
import re
import runpy
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from tinygrad_rnn import compat

EXAMPLES = Path(__file__).parents[1] / "examples"
LESSONS = {path.stem: path for path in sorted(EXAMPLES.glob("[0-9][0-9]_*.py"))}
NOTEBOOKS = EXAMPLES.parent / "docs" / "_site" / "notebooks.py"
PROGRAMS = sorted((EXAMPLES / "programs").glob("*.py"))
SMALL = json.loads((EXAMPLES / "small.json").read_text(encoding="utf-8"))  # as on the site
TINY = {  # of those that learn: for what happens, not for what comes of it
    "05_tagger": "--epochs 2",
    "06_characters": "--passes 1 --characters 2000 --units 8",
    "07_digits": "--epochs 1 --units 8",
    "08_long_memory": "--steps 2 --length 20 --pause 8 --units 8",
    "09_attention": "--steps 2",
    "10_sine": "--rounds 1 --length 60 --units 8",
    "12_truncation": "--sequences 3",
    "13_textbooks": "--points 21",
}
CLAIMS = {  # of what is learned; the rest is asserted in the lessons themselves
    "05_tagger": lambda found: (found["said"] == found["tags"]).all(),
    "06_characters": lambda found: (np.diff([np.log(76), *found["of_pass"]]) < -0.1).all(),
    "07_digits": lambda found: found["accuracy"] > 0.94,
    "08_long_memory": lambda found: (
        found["reached"]["GRU", "adding"] < 0.05 < 0.1 < found["reached"]["RNN", "adding"]
        and found["after"]["GRU"] > 100 * found["after"]["RNN"]
    ),
    "09_attention": lambda found: found["right"] > 0.9,
    "10_sine": lambda found: found["losses"][-1] < found["losses"][0] / 50,
    "12_truncation": lambda found: found["reached"][6] < 0.1 < 0.6 < found["reached"][3],
}
NEEDS = {"torch": "from tinygrad_rnn.testing", "sklearn": "import sklearn|from sklearn"}

lessons = pytest.mark.parametrize("lesson", LESSONS)


def needed(lesson: str) -> None:
    """Skip where something is missing that the lesson is about."""
    text = LESSONS[lesson].read_text(encoding="utf-8")
    for module, imported in NEEDS.items():
        if re.search(imported, text):
            pytest.importorskip(module, reason=f"{lesson} is about {module}")


def run(lesson: str, line: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
    """What the lesson's variables are when it has run as a script."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", [str(LESSONS[lesson]), *line.split()])
    return runpy.run_path(str(LESSONS[lesson]), run_name="__main__")


@lessons
def test_it_runs_and_draws(lesson, tmp_path, monkeypatch, capsys) -> None:
    """Its assertions hold, and what it claims; where nobody watches, no bar is shown."""
    needed(lesson)
    line = f"{SMALL.get(lesson, '')} --picture picture.svg"
    found = run(lesson, line, tmp_path, monkeypatch)
    assert CLAIMS.get(lesson, bool)(found)
    said = capsys.readouterr()
    assert said.out
    assert said.err == ""
    assert ET.parse(tmp_path / "picture.svg").getroot().tag.endswith("svg")


@lessons
def test_it_says_what_it_can_be_told(lesson, tmp_path, monkeypatch, capsys) -> None:
    needed(lesson)
    with pytest.raises(SystemExit, match="0"):
        run(lesson, "--help", tmp_path, monkeypatch)
    said = capsys.readouterr().out
    assert "--picture" in said
    title = ast.get_docstring(ast.parse(LESSONS[lesson].read_text(encoding="utf-8")))
    assert title.splitlines()[0] in said
    assert list(tmp_path.iterdir()) == []


@lessons
def test_it_is_a_page_of_the_gallery(lesson) -> None:
    """A title that is underlined, then text and code in turn; a picture that the page shows."""
    parser = pytest.importorskip(
        "sphinx_gallery.py_source_parser", reason="pip install sphinx-gallery"
    )
    from docutils.core import publish_doctree

    _, blocks = parser.split_code_and_text_blocks(str(LESSONS[lesson]))
    title, line = blocks[0].content.strip().splitlines()[:2]
    assert blocks[0].type == "text"
    assert line == "=" * len(title)
    assert sum(block.type == "text" for block in blocks) > 4
    for block in blocks:
        if block.type == "text":
            strictly = {"report_level": 1, "halt_level": 1}
            publish_doctree(block.content, settings_overrides=strictly)
            assert not re.search("(?<!`)`[^`]+`(?!`)", block.content), "`` for code"


def as_notebook(lesson: str):
    """As sphinx-gallery converts it for download."""
    import nbformat
    from sphinx_gallery.gen_gallery import DEFAULT_GALLERY_CONF
    from sphinx_gallery.notebook import jupyter_notebook
    from sphinx_gallery.py_source_parser import split_code_and_text_blocks

    _, blocks = split_code_and_text_blocks(str(LESSONS[lesson]))
    conf = {**DEFAULT_GALLERY_CONF, "first_notebook_cell": None, "last_notebook_cell": None}
    made = jupyter_notebook(blocks, conf, str(EXAMPLES))
    return nbformat.reads(json.dumps(made), as_version=4)


@lessons
def test_it_runs_as_a_notebook(lesson, tmp_path) -> None:
    """Cell by cell in a kernel, with nothing learned; its pictures are shown and saved."""
    for module in ("sphinx_gallery", "nbclient", "ipykernel"):
        pytest.importorskip(module, reason="lessons are converted and run by these")
    needed(lesson)
    line = f"{TINY.get(lesson, '')} --picture picture.svg"
    shutil.copytree(EXAMPLES / "programs", tmp_path / "programs")
    executed = runpy.run_path(str(NOTEBOOKS))["executed"]
    made = executed(as_notebook(lesson), lesson, line, tmp_path)
    importlib.import_module("nbformat").validate(made)
    outputs = [o for cell in made.cells if cell.cell_type == "code" for o in cell.outputs]
    assert any(o.output_type == "stream" and o.name == "stdout" for o in outputs)
    assert any("image/svg+xml" in o.get("data", {}) for o in outputs)
    assert ET.parse(tmp_path / "picture.svg").getroot().tag.endswith("svg")


def test_as_a_process_of_its_own(tmp_path) -> None:
    """In a pipe, from another folder."""
    done = subprocess.run(
        [sys.executable, str(LESSONS["02_grid"]), "--picture", "mine.svg"],
        capture_output=True, text=True, cwd=tmp_path, encoding="utf-8", check=True,
    )  # fmt: skip
    assert done.stderr == ""
    assert "layer 1:  0.773076" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["mine.svg"]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_programs_that_lessons_look_at_run_unchanged(program, capsys) -> None:
    compat.run(program)
    assert capsys.readouterr().out


def test_the_engine_is_as_short_as_its_title_says() -> None:
    text = LESSONS["03_engine_in_80_lines"].read_text(encoding="utf-8")
    engine = text[text.index("count =") : text.index("def loss_of(")]
    blocks = [line for line in engine.splitlines() if not line.startswith("#")]
    lines = re.sub(r"\n{2,}", "\n\n", "\n".join(blocks)).splitlines()
    assert 60 <= len(lines) <= 80


def test_the_page_of_lessons_names_each_by_its_title() -> None:
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| \[(.+?)\]\((\w+)\.py\)", page, re.M))
    titles = {
        ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).splitlines()[0]: stem
        for stem, path in LESSONS.items()
    }
    assert listed == titles
