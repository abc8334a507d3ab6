"""What type checkers and editors see: types instead of Any, names that exist, methods to complete.

mypy and pyright (as basedpyright, which brings its own Node and so needs no network) read
`programs/typed.py`, and a list of all public names.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from importlib import import_module
from inspect import getattr_static
from pathlib import Path
from types import FunctionType
from typing import Any

import jedi
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.engine.primitive import Primitive

HERE = Path(__file__).parent
PROGRAM = HERE / "programs" / "typed.py"
TYPICAL = HERE / "programs" / "typical.py"
PACKAGE_HOME = Path(tg.__file__).parents[1]

# Faces whose public names are checked one by one.
FACES = (
    "", "autograd", "autograd.functional", "bptt", "linalg", "nn", "nn.functional", "nn.init",
    "nn.utils", "nn.utils.rnn", "optim", "optim.lr_scheduler", "testing", "utils", "utils.data",
    "viz",
)  # fmt: skip

# Whose type hangs on what is given: a file, how deep lists go, what a batch is made of, functions
# and modules of one's own, a dict's values; the side of PyTorch, which need not be installed; and
# graphviz, which has no types.
ANYTHING = {
    "load", "Tensor.tolist", "utils.data.default_collate", "utils.data.default_convert",
    "nn.Module.forward", "nn.ParameterDict.get", "nn.ParameterDict.pop",
    "nn.ParameterDict.setdefault", "autograd.Function.apply", "autograd.Function.forward",
    "autograd.Function.backward", "autograd.Function.setup_context", "autograd.Function.vjp",
    "testing.from_torch", "testing.to_torch", "viz.to_dot",
}  # fmt: skip

Checker = Callable[..., list[Any]]

WRONG = """\
import tinygrad_rnn as tg
from tinygrad_rnn import bptt, nn

tg.nonexistent()
bptt.nonexistent()
tg.tensor(1.0).nonexistent()
nn.Linear(1, 2)("text")
"""


STRICTLY = ("--strict", "--config-file=", "--follow-imports=silent")


def mypy(folder: Path, *files: Path, options: Sequence[str] = STRICTLY) -> list[str]:
    """What mypy says, line by line."""
    cache = f"--cache-dir={folder.parent / 'mypy'}"  # of all tests of a session
    done = subprocess.run(
        [sys.executable, "-m", "mypy", cache, *options, *map(str, files)],
        env={**os.environ, "MYPYPATH": str(PACKAGE_HOME)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout.splitlines()


def pyright(folder: Path, *files: Path) -> list[tuple[str, int, str]]:
    """What pyright finds: severity, line and message."""
    settings = {
        "typeCheckingMode": "standard",
        "extraPaths": [str(PACKAGE_HOME)],
        "include": [str(file) for file in files],
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable, "-m", "basedpyright", "--outputjson", f"--pythonpath={sys.executable}",
            f"--project={folder}",
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["summary"]["filesAnalyzed"] == len(files)
    return [
        (one["severity"], one["range"]["start"]["line"] + 1, one["message"])
        for one in found["generalDiagnostics"]
    ]


def asked() -> list[str]:
    """Every public name, and the public methods of every public class."""
    names: list[str] = []
    known: set[object] = set()
    for face in FACES:
        module = import_module(f"tinygrad_rnn.{face}".rstrip("."))
        for name in dir(module):
            names.append(f"{face}.{name}".lstrip("."))
            value = getattr(module, name)
            if isinstance(value, type) and value.__module__.startswith("tinygrad_rnn"):
                fresh = {name: m for name, m in methods(value).items() if m not in known}
                names += [f"{names[-1]}.{name}" for name in fresh]
                known.update(fresh.values())
    return names


def methods(kind: type) -> dict[str, object]:
    """The public methods and properties of a class."""
    kinds = (FunctionType, property, cached_property, classmethod, staticmethod)
    found = {name: getattr_static(kind, name) for name in dir(kind) if not name.startswith("_")}
    return {name: value for name, value in found.items() if isinstance(value, kinds)}


def gives_any(shown: str) -> bool:
    """Whether a type as mypy shows it is Any, or of a function that returns Any or a tuple of it.

    >>> gives_any("def (fn: def (*Any, **Any) -> Any, x: Any =) -> bool")
    False
    >>> gives_any("Overload(def (x: Any) -> tuple[Any, ...], def (x: Any, dim: int) -> int)")
    True
    """
    if shown.startswith("Overload("):
        shown = shown[len("Overload(") : -1]
    count = 1
    while count:  # what stands in parentheses are parameters
        shown, count = re.subn(r"\([^()]*\)", "", shown)
    return bool(re.search(r"(^|-> )(tuple\[)?Any\b", shown))


# -- types -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["typed", "typical"])
def test_the_programs_run(name: str) -> None:
    import_module(f"programs.{name}")


def test_nothing_is_said_of_a_typical_program(tmp_path: Path) -> None:
    """Its bodies are checked, too, although it has no types of its own."""
    text = TYPICAL.read_text(encoding="utf-8")
    assert "->" not in text
    assert "ignore" not in text
    options = ["--config-file=", "--check-untyped-defs", "--follow-imports=silent"]
    assert mypy(tmp_path, TYPICAL, options=options)[0].startswith("Success")
    assert pyright(tmp_path, TYPICAL) == []


def test_the_program_asks_for_enough() -> None:
    text = PROGRAM.read_text(encoding="utf-8")
    assert text.count("assert_type(") >= 40
    assert text.count("Any") == 2  # imported, and named MaybeNone


def test_mypy_sees_the_types_of_a_program(tmp_path: Path) -> None:
    said = mypy(tmp_path, PROGRAM)
    assert [line.split(":")[0] for line in said] == ["Success"], said


def test_pyright_sees_the_types_of_a_program(tmp_path: Path) -> None:
    assert pyright(tmp_path, PROGRAM) == []


def test_no_public_name_gives_any(tmp_path: Path) -> None:
    names = asked()
    assert len(names) > 1000
    path = tmp_path / "names.py"
    heads = ["import tinygrad_rnn as tg", "x = tg.tensor(1.0)"]
    lines = [re.sub(r"\(tg\.Tensor\.", "(x.", f"reveal_type(tg.{name})") for name in names]
    path.write_text("\n".join(heads + lines) + "\n", encoding="utf-8")
    loose = []
    for line in mypy(tmp_path, path):
        found = re.search(r"names\.py:(\d+): (\w+): (.*)", line)
        if not found:
            continue
        name = names[int(found[1]) - len(heads) - 1]
        assert found[2] == "note", line
        if gives_any(found[3].removeprefix('Revealed type is "').rstrip('"')):
            loose.append(name)
    assert set(loose) == ANYTHING


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_what_does_not_exist_is_an_error(checker: Checker, tmp_path: Path) -> None:
    path = tmp_path / "wrong.py"
    path.write_text(WRONG, encoding="utf-8")
    said = "\n".join(map(str, checker(tmp_path, path)))
    assert said.count("nonexistent") >= 3, said
    assert "text" in said or '"str"; expected "Tensor"' in said, said


def test_types_cost_nothing_when_it_runs() -> None:
    for operator, name in (("add", "add"), ("radd", "add"), ("mul", "mul"), ("sub", "sub")):
        assert getattr_static(tg.Tensor, f"__{operator}__") is Primitive.registry[name].apply


# -- completion --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "expression",
    [
        "tg.tensor([1.0])", "(tg.tensor([1.0]) + 1).sum()", "tg.rand(3).max(0).values",
        "tg.ones(2)[0]", "tg.ones(2).add_(1)", "tg.nn.functional.relu(tg.ones(2))",
        "tg.nn.GRU(1, 2)(tg.ones(3, 1))[0]",
    ],
)  # fmt: skip
def test_methods_are_offered_for_completion(expression: str) -> None:
    source = f"import tinygrad_rnn as tg\nx = {expression}\nx."
    script = jedi.Script(source, project=jedi.Project(str(PACKAGE_HOME)))
    offered = {completion.name for completion in script.complete(3, 2)}
    methods = {name for name in dir(tg.Tensor) if not name.startswith("_")}
    assert len(methods) > 300
    assert methods <= offered


# -- dir() -------------------------------------------------------------------------------------


@pytest.mark.parametrize("face", [*FACES, "cuda", "autograd.function"])
def test_dir_names_what_is_public_and_nothing_inner(face: str) -> None:
    module = import_module(f"tinygrad_rnn.{face}".rstrip("."))
    assert set(dir(module)) - {"__version__"} == set(module.__all__)
    assert all(hasattr(module, name) for name in dir(module))


def test_dir_names_from_the_start_what_is_imported_late() -> None:
    code = "import tinygrad_rnn as tg; print(*dir(tg)); print(*dir(tg.bptt))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    face, bptt = (line.split() for line in out.stdout.splitlines())
    assert {"optim", "viz", "utils", "testing", "save", "load"} <= set(face)
    assert not {"engine", "functions", "ops", "tensor_", "TYPE_CHECKING"} & set(face)
    assert {"explain", "flow", "diagnose"} <= set(bptt)
