"""Pages that list what the code has: they list all of it."""

from __future__ import annotations

import ast
import re
import runpy
from pathlib import Path

import pytest
from test_architecture import PRIMITIVES, dotted, imports, modules

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, viz

ROOT = Path(__file__).parents[1]
VIZ = Path(viz.__file__).parent
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")


def words(module: str) -> set[str]:
    """What a module of pictures may say in a legend: its strings that are phrases."""
    tree = ast.parse((VIZ / module).read_text(encoding="utf-8"))
    told = [ast.get_docstring(node, clean=False) for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)]  # fmt: skip
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value.strip()
            if (
                node.value not in told
                and re.search(r"[a-z]{2,}", text)
                and not re.search('[<="]', text)
            ):
                found.add(text)
    return found


# Strings of these modules that are no words for readers: kinds, attributes, names of styles.
OF_THE_CODE = {
    "recurrent", "loss", "ways", "norm", "tensor", "cell", "weights", "grad", "rect", "ifgo", "rzn",
    "initial", "elided",
}  # fmt: skip


@pytest.mark.parametrize("module", ["legend.py", "glossary.py"])
def test_the_glossary_has_what_legends_say(module: str) -> None:
    said = words(module) - OF_THE_CODE
    assert len(said) > 8
    assert not {phrase for phrase in said if phrase.removeprefix(": ") not in GLOSSARY}


def test_the_glossary_has_the_signs_of_formulas() -> None:
    signs = set()
    for primitive in PRIMITIVES:
        rules = [*primitive.rules, primitive.joint]
        for formula in [primitive.symbol, *(rule.formula for rule in rules if rule)]:
            signs |= {sign for sign in str(formula or "") if ord(sign) > 126}
    assert len(signs) > 15
    assert not {sign for sign in signs if sign not in GLOSSARY}


def test_the_glossary_has_the_columns_of_tables() -> None:
    tg.manual_seed(0)
    rnn = tg.nn.RNN(1, 2)
    walk = bptt.record(rnn(tg.randn(4, 1))[0][-1].sum())
    tables = [
        bptt.contributions(walk, rnn.weight_hh_l0), bptt.flow(walk), bptt.jacobians(walk),
        bptt.compare_truncation(walk, [1, 4]),
    ]  # fmt: skip
    for table in tables:
        heads = [
            line for line in str(table).splitlines() if re.match(r"\s+(step|layer|t|k)\s", line)
        ]
        assert heads, table
        for head in re.split(r"\s{2,}", heads[0].strip()):
            assert head in GLOSSARY, head


def test_the_map_shows_every_room_and_what_it_uses() -> None:
    drawn = runpy.run_path(str(ROOT / "docs" / "draw_map.py"))
    rooms = {dotted(path).split(".")[0] for path in modules()} - {"", "__main__"}
    assert set(drawn["rooms"]()) == rooms
    uses = {
        (dotted(path).split(".")[0], name.split(".")[0])
        for path in modules()
        for name in imports(path)
    }
    uses = {(a, b) for a, b in uses if a != b and {a, b} <= rooms}
    assert drawn["uses"]() == uses
    kept = drawn["shortest"](uses)
    assert kept < uses
    assert closure(kept) == closure(uses)
    for edge in kept:
        assert closure(kept - {edge}) != closure(uses), edge


def closure(edges: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """All pairs between which there is a way."""
    for room in {a for edge in edges for a in edge}:
        before, behind = ({a for a, b in edges if b == room}, {b for a, b in edges if a == room})
        edges = edges | {(a, b) for a in before for b in behind}
    return edges


def test_the_page_of_the_map_names_every_room() -> None:
    page = (ROOT / "docs" / "map.md").read_text(encoding="utf-8")
    rooms = runpy.run_path(str(ROOT / "docs" / "draw_map.py"))["rooms"]()
    assert not {room for room in rooms if f"`{room}`" not in page}


def test_the_page_of_installation_names_every_extra() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = project.split("[project.optional-dependencies]")[1].split("\n[")[0]
    extras = re.findall(r"^(\w+) = \[", section, re.M)
    assert "images" in extras
    page = (ROOT / "docs" / "installation.md").read_text(encoding="utf-8")
    assert extras_in(page) >= set(extras)


def extras_in(page: str) -> set[str]:
    return set(re.findall(r"^\| `(\w+)` \|", page, re.M))


# -- pages in Chinese -----------------------------------------------------------------------------

TRANSLATED = {"README.md": "docs/zh/README.md", "docs/start.md": "docs/zh/start.md"}


def skeleton(page: Path) -> tuple[list[str], list[str], list[Path]]:
    """What a translation must have alike: levels of headings, blocks but for comments, pictures.

    What it draws, and shows drawn, is in its own language.
    """
    text = page.read_text(encoding="utf-8").replace(".zh.svg", ".svg")
    text = re.sub(r',? (?:--language zh|language="zh")', "", text)
    text = re.sub(r'title="[^"]*"', "", text)
    blocks = re.findall(r"^```.*?^```$", text, re.M | re.S)
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    code = [re.sub(r" +#.*", "", block) for block in blocks]
    pictures = [(page.parent / to).resolve() for to in re.findall(r"!\[.*?\]\((.*?)\)", prose)]
    return re.findall(r"^#+(?= )", prose, re.M), code, pictures


@pytest.mark.parametrize(("english", "chinese"), TRANSLATED.items())
def test_translations_keep_step(english: str, chinese: str) -> None:
    headings, code, pictures = skeleton(ROOT / english)
    assert len(headings) > 2
    assert len(code) > 3
    assert skeleton(ROOT / chinese) == (headings, code, pictures)
    prose = re.sub(r"^```.*?^```$", "", (ROOT / chinese).read_text("utf-8"), flags=re.M | re.S)
    heads = re.findall(r"^#+ (.*)", prose, re.M)[1:]
    assert all(re.search("[\u4e00-\u9fff]", head) for head in heads)
