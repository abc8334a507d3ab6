"""Writes the pages of the API reference: every public name of every face, under its face.

A *face* is a module whose ``__all__`` is for users. What a face lists is documented there, with
its types, from its docstring; the package's own face is long, so it is divided by family.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

PACKAGE = "tinygrad_rnn"

# Face and title, in the order of the sidebar; "" is the package itself.
FACES = {
    "": "The package",
    "bptt": "The laboratory",
    "viz": "Pictures and the player",
    "testing": "Checks",
    "compat": "Programs written for PyTorch",
    "autograd": "Autograd",
    "autograd.functional": "Jacobians, Hessians and kin",
    "func": "Functions of functions",
    "nn": "Modules",
    "nn.functional": "Functions of nets",
    "nn.init": "Initial values",
    "nn.utils": "Helpers for nets",
    "nn.utils.rnn": "Packed sequences",
    "nn.utils.parametrize": "Parameters that are computed",
    "nn.utils.parametrizations": "Orthogonal weights and others",
    "optim": "Optimizers",
    "optim.lr_scheduler": "Learning rates",
    "optim.swa_utils": "Averaged weights",
    "utils": "Helpers",
    "utils.data": "Data",
    "utils.checkpoint": "Checkpoints",
    "linalg": "Linear algebra",
    "distributions": "Distributions",
    "serialization": "Keeping what was learned",
    "amp": "Mixed precision",
    "cuda": "The device that is not there",
}

# How the package's own face is divided: page, title, and the modules whose names it holds.
# Names of operations' modules come last of all, a section for each.
FAMILIES = {
    "tensors": ("Making tensors", ("tensor.", "operations.kinds", "operations.dtypes")),
    "operations": ("Operations", ("operations.", "nn.")),
    "contexts": ("Contexts, and the rest", ("",)),
}
# A bar, and a star before a word that no star behind it closes.
_MARKUP = re.compile(r"(?<!\\)\||(?<![\\*\w])\*(?=[^\s*])(?![^*]*[^\s*]\*(?!\w))")

TENSOR = "Tensor"  # has a page of its own

# For who adds operations: no face lists these.
WORKSHOP = {
    "tinygrad_rnn.engine.primitive": ("Primitive",),
    "tinygrad_rnn.operations.operation": ("operation", "elementwise"),
    "tinygrad_rnn.operations.traits": ("Traits",),
}


def full(face: str) -> str:
    """The dotted name of a face's module."""
    return f"{PACKAGE}.{face}" if face else PACKAGE


def names(face: str) -> list[str]:
    """What a face shows, modules among them left out: they have pages of their own."""
    module = import_module(full(face))
    shown = sorted(module.__all__, key=str.lower)
    return [name for name in shown if not isinstance(getattr(module, name), ModuleType)]


def write(folder: Path) -> None:
    """Write all pages; what is the same stays untouched, so that Sphinx need not read it."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {folder / f"{page}.rst": text for page, text in pages()}
    for old in set(folder.iterdir()) - texts.keys():
        old.unlink()
    for path, text in texts.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def pages() -> Iterator[tuple[str, str]]:
    """Every page's name and text."""
    listed = [page for page, _ in _family_pages()] + [TENSOR]
    listed += [full(face) for face in FACES if face] + ["workshop"]
    intro = "Every public name, with its types, as its docstring has it.\n\n"
    yield "index", _title("API reference") + intro + _tree(listed)
    yield from _family_pages()
    tensor = _entry(PACKAGE, TENSOR, import_module(PACKAGE).Tensor)
    yield TENSOR, f"{_title('Tensor')}.. currentmodule:: {PACKAGE}\n\n{tensor}"
    for face, title in FACES.items():
        if face:
            yield full(face), _face_page(face, title)
    sections = [f"{_module(name)}{_entries(name, which)}" for name, which in WORKSHOP.items()]
    yield "workshop", _title("For who adds operations") + "\n".join(sections)


def _face_page(face: str, title: str) -> str:
    module, shown = full(face), names(face)
    heading = _title(f"{title}: ``{module}``")
    told = inspect.cleandoc(import_module(module).__doc__ or "").partition("\n")[0]
    return f"{heading}{_module(module)}{told}\n\n{_table(shown)}{_entries(module, shown)}"


def _family_pages() -> Iterator[tuple[str, str]]:
    """The package's own names by what they are for."""
    left = [name for name in names("") if name != TENSOR]
    for page, (title, rooms) in FAMILIES.items():
        here = [name for name in left if _home(name).startswith(rooms)]
        left = [name for name in left if name not in here]
        head = f".. py:module:: {PACKAGE}\n\n" if page == "tensors" else ""
        text = _title(f"{title}: ``{PACKAGE}``") + head + f".. currentmodule:: {PACKAGE}\n\n"
        homes = sorted({_home(name) for name in here}) if page == "operations" else [""]
        for home in homes:
            own = [name for name in here if _home(name).startswith(home)]
            if home:
                text += _title(home.rpartition(".")[2].capitalize(), "-")
            text += _table(own) + _entries(PACKAGE, own)
        yield f"{PACKAGE}.{page}", text


def _home(name: str) -> str:
    """The module of the package that a public name comes from."""
    value = getattr(import_module(PACKAGE), name)
    return str(getattr(value, "__module__", None) or "").removeprefix(f"{PACKAGE}.")


def _title(text: str, line: str = "=") -> str:
    return f"{text}\n{line * len(text)}\n\n"


def _module(name: str) -> str:
    return f".. py:module:: {name}\n\n.. currentmodule:: {name}\n\n"


def _tree(listed: Iterable[str]) -> str:
    return ".. toctree::\n   :maxdepth: 1\n\n" + "".join(f"   {page}\n" for page in listed)


def _table(shown: Iterable[str]) -> str:
    rows = "".join(f"   {name}\n" for name in shown)
    return f".. autosummary::\n   :nosignatures:\n\n{rows}\n"


def _entries(module: str, shown: Iterable[str]) -> str:
    found = import_module(module)
    return "".join(_entry(module, name, getattr(found, name)) for name in shown)


def _first_face(value: object) -> str:
    """Under which name an object is documented that several faces, or one, have several times."""
    for face in FACES:
        module = import_module(full(face))
        for name in names(face):
            if getattr(module, name) is value:
                return f"{full(face)}.{name}"
    return ""


def plain(lines: list[str]) -> None:
    """Escape, in place, what is mathematics in a docstring and markup in reStructuredText.

    |x − t| is an absolute value and a star before a word that no star ends any number of arguments;
    *emphasis*, **strong** and ``code`` stay, and so do examples.
    """
    example = False
    for i, line in enumerate(lines):
        example = bool(line.strip()) and (example or line.lstrip().startswith(">>>"))
        if not example:
            parts = re.split(r"(``.*?``)", line)
            lines[i] = "".join(
                part if part.startswith("``") else _MARKUP.sub(r"\\\g<0>", part) for part in parts
            )


def _entry(module: str, name: str, value: object) -> str:
    if inspect.isclass(value):
        first = _first_face(value)
        if first not in ("", f"{module}.{name}"):
            return f".. py:class:: {name}\n\n   The same as :class:`{first}`.\n\n"
        return f".. autoclass:: {module}.{name}\n   :members:\n\n"
    if callable(value) and hasattr(value, "__qualname__"):
        return f".. autofunction:: {module}.{name}\n\n"
    kind = type(value).__name__
    said = re.sub(r" at 0x\w+", "", repr(value)).split("\n")[0]
    return f".. py:data:: {name}\n   :type: {kind}\n   :value: {said[:80]}\n\n"
