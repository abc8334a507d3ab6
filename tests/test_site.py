"""What the documentation site is made with; the site itself is built, and checked, by CI."""

from __future__ import annotations

import runpy
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from test_typing import FACES

SITE = Path(__file__).parents[1] / "docs" / "_site"
REFERENCE = runpy.run_path(str(SITE / "reference.py"))
GALLERY = runpy.run_path(str(SITE / "gallery.py"))
PAGES = dict(REFERENCE["pages"]())


def test_every_face_that_is_typed_has_a_page() -> None:
    assert set(FACES) <= set(REFERENCE["FACES"])


@pytest.mark.parametrize("face", REFERENCE["FACES"], ids=lambda face: face or "tinygrad_rnn")
def test_the_reference_has_every_public_name(face: str) -> None:
    module = import_module(f"tinygrad_rnn.{face}" if face else "tinygrad_rnn")
    families = [*(f"tinygrad_rnn.{family}" for family in REFERENCE["FAMILIES"]), "Tensor"]
    mine = "".join(PAGES[page] for page in ([module.__name__] if face else families))
    for name in module.__all__:
        if isinstance(getattr(module, name), ModuleType):
            continue
        entries = (f"{kind}:: {module.__name__}.{name}\n" for kind in ("autoclass", "autofunction"))
        here = (f"{kind}:: {name}\n" for kind in ("py:class", "py:data"))
        assert any(entry in mine for entry in (*entries, *here)), name


def test_every_page_is_reached() -> None:
    assert all(f"   {page}\n" in PAGES["index"] for page in PAGES if page != "index")


@pytest.mark.parametrize(
    ("line", "escaped"),
    [
        ("|x − t| if *reduction* is 'none'", r"\|x − t\| if *reduction* is 'none'"),
        ("``|x|`` of *size, **strong**", r"``|x|`` of \*size, **strong**"),
        ("a * b, 2*x, *args and *kin*", r"a * b, 2*x, \*args and *kin*"),
        (">>> print(*xs) | y", ">>> print(*xs) | y"),
    ],
)
def test_mathematics_is_no_markup(line: str, escaped: str) -> None:
    lines = [line]
    REFERENCE["plain"](lines)
    assert lines == [escaped]


def test_lessons_run_with_small_settings_in_a_folder_of_their_own(tmp_path: Path) -> None:
    docs, workshop = SITE.parent, tmp_path / "workshop"
    copied = GALLERY["_copied"](docs.parent / "examples", workshop)
    assert (copied / "programs" / "names.py").exists()
    told = GALLERY["_Arguments"](docs.parent / "examples" / "small.json")
    assert set(told.small) < {path.stem for path in copied.glob("*.py")}
    assert told({}, {"src_file": str(copied / "07_digits.py")}) == ["--epochs", "8"]
    assert told({}, {"src_file": str(copied / "02_grid.py")}) == []
