"""The command line."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from alike import assert_alike, holds

from tinygrad_rnn import cli
from tinygrad_rnn.cli import completion, demo
from tinygrad_rnn.testing import three_way
from tinygrad_rnn.testing.cases import CASES


def run(*arguments: str, cwd=None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tinygrad_rnn", *arguments],
        capture_output=True, text=True, cwd=cwd, encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
    )  # fmt: skip


def test_demo_prints_and_draws(tmp_path) -> None:
    done = run("demo", "--out", str(tmp_path / "new" / "folder"))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for text in (
        "[0.53704957 0.46211716]", "[0.85973818 0.88366641]", "1.56128388", "2.72707101",
        "4.28835489", "(13 visits)", "[1.3142 2.6488]", "[0.7925 1.7723]", "[0.5217 0.8765]",
        "[1.0534 2.2106]", "[1.1137 2.2536]", "all gradients agree",
    ):  # fmt: skip
        assert holds(done.stdout, text), text
    root = ET.parse(tmp_path / "new" / "folder" / "bptt.svg").getroot()
    assert root.tag.endswith("svg")
    assert (tmp_path / "new" / "folder" / "bptt.dot").read_text().startswith("digraph")
    program: dict = {}
    exec((tmp_path / "new" / "folder" / "bptt.py").read_text(encoding="utf-8"), program)
    W, b, w, b_out, h, *xs = map(np.array, demo.INPUTS.values())
    (ys,), _, saved = program["forward"](np.stack(xs), h, W=W, b=b, w=w, b_out=b_out)
    _, _, (dW, *_) = program["backward"](np.ones_like(ys), np.zeros(2), saved)
    np.testing.assert_allclose(ys.sum(), 4.28835489, rtol=1e-8)
    np.testing.assert_allclose(dW[2], [1.3142, 2.6488], atol=1e-4)


def test_demo_is_the_same_in_every_run(tmp_path) -> None:
    outputs = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        done = run("demo", cwd=folder, PYTHONHASHSEED=seed)
        files = {p.name: p.read_text(encoding="utf-8") for p in folder.iterdir()}
        outputs.append(files | {"printed": done.stdout})
    assert outputs[0].keys() == outputs[1].keys()
    for name, text in outputs[0].items():
        assert_alike(outputs[1][name], text, what=name)


def test_demo_without_torch(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert cli.main(["demo", "--out", str(tmp_path)]) == 0
    assert "torch is not installed" in capsys.readouterr().out


def test_a_wrong_gradient_gives_status_1(tmp_path, monkeypatch, capsys) -> None:
    from tinygrad_rnn.operations.activation import tanh

    wrong = [lambda g, node: g * node.saved[1]]
    monkeypatch.setattr(tanh.primitive, "pulls", wrong)
    monkeypatch.setattr(tanh.primitive, "gathers", wrong)
    assert cli.main(["demo", "--out", str(tmp_path)]) == 1
    assert "MISMATCH" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["demo", "--nonsense"], ["nonsense"], [], ["demo", "--out"]])
def test_unknown_arguments_give_one_line_and_status_2(arguments) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("tinygrad-rnn")
    assert done.stderr.count("\n") == 1


def test_a_directory_that_cannot_be_written(tmp_path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    for out in (blocked, blocked / "below"):
        done = run("demo", "--out", str(out))
        assert done.returncode == 2
        assert done.stderr.startswith(f"tinygrad-rnn: error: cannot write {blocked}")
        assert done.stderr.count("\n") == 1
        assert done.stdout == ""


def test_version_and_help() -> None:
    assert run("--version").stdout.startswith("tinygrad-rnn 0.")
    assert "demo" in run("--help").stdout


def commands() -> dict[str, argparse.ArgumentParser]:
    """The parsers of all commands, and that of the command line itself, which is called ""."""
    whole = cli.parser()
    (below,) = (a for a in whole._actions if isinstance(a, argparse._SubParsersAction))
    return {"": whole, **below.choices}


@pytest.mark.parametrize("name", commands())
def test_help_tells_of_every_argument(name: str) -> None:
    command = commands()[name]
    for action in command._actions:
        if not isinstance(action, argparse._SubParsersAction):
            assert action.help, f"{name} {action.dest}"
    assert command.description
    lines = command.format_help().splitlines()
    assert max(map(len, lines)) < 90, max(lines, key=len)


def test_help_names_every_command() -> None:
    told = cli.parser().format_help()
    assert all(re.search(rf"^    {name}\b", told, re.M) for name in commands() if name)


def test_a_closed_pipe_is_no_error(tmp_path) -> None:
    command = f'"{sys.executable}" -m tinygrad_rnn demo --out "{tmp_path}" | head -n 1'
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert done.stderr == ""
    assert (tmp_path / "bptt.svg").exists()


PRINTS = (["--help"], ["--version"], ["run", "--help"], ["program", "--cell", "rnn"])


@pytest.mark.parametrize("arguments", PRINTS, ids=" ".join)
def test_whatever_is_printed_may_meet_a_closed_pipe(arguments: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "tinygrad_rnn", *arguments], stdout=write, stderr=subprocess.PIPE
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no disk here is always full")
@pytest.mark.parametrize("arguments", PRINTS, ids=" ".join)
def test_what_cannot_be_printed_is_one_line_and_status_2(arguments: list[str]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tinygrad_rnn", *arguments],
            stdout=full, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    said = "tinygrad-rnn: error: cannot write standard output: No space left on device\n"
    assert (done.returncode, done.stderr) == (2, said)


# What a shell offers after the words on the left. Each shell reads its own part as a user's would.
OFFERED = {
    "tinygrad-rnn draw --cell ": {"gru", "lstm", "rnn"},
    "tinygrad-rnn play --li": {"--live"},
    "tinygrad-rnn run a_prog": {"a_program.py"},
}
ASKED = {
    "bash": """
        source completion
        for line; do
            COMP_LINE=$line COMP_POINT=${#line}
            _python_argcomplete tinygrad-rnn
            echo ${COMPREPLY[@]}
        done
    """,
    "zsh": """
        autoload -U compinit && compinit -u -d "$PWD/.zcompdump"
        source ./completion
        [[ $_comps[tinygrad-rnn] = _python_argcomplete ]] || exit 1
        _describe() { print -r -- ${${(P)2}%%:*} }  # shows what it is given: here is no editor
        for line; do
            BUFFER=$line CURSOR=${#line} words=(${=line})
            _python_argcomplete
        done
    """,
    "fish": """
        source completion
        for line in $argv[2..]
            echo (complete -C "$line" | string replace -r '\\t.*' '')
        end
    """,
}


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_shells_complete_it(shell: str, tmp_path: Path) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    command = tmp_path / "bin" / "tinygrad-rnn"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tinygrad_rnn "$@"\n')
    command.chmod(0o755)
    (tmp_path / "a_program.py").touch()
    (tmp_path / "completion").write_text(completion.script(shell), encoding="utf-8")
    done = subprocess.run(
        [shell, "-c", ASKED[shell], shell, *OFFERED],
        capture_output=True, text=True, cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path), "PATH": f"{command.parent}:{os.environ['PATH']}"},
    )  # fmt: skip
    offered = [set(line.split()) for line in done.stdout.splitlines()]
    assert offered == list(OFFERED.values()), done


def test_operations_are_completed() -> None:
    (ops,) = (a for a in commands()["check"]._actions if a.dest == "ops")
    offered = ops.completer()  # type: ignore[attr-defined]
    assert "tanh" in offered
    assert offered == sorted(CASES)


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_the_command_prints_what_a_shell_reads(shell: str, capsys) -> None:
    assert cli.main(["completion", shell]) == 0
    assert capsys.readouterr().out == completion.script(shell)


def test_completion_says_what_it_lacks(monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "argcomplete", None)
    assert cli.main(["completion", "zsh"]) == 2
    assert capsys.readouterr().err == (
        "tinygrad-rnn: error: completion in the shell needs: "
        "pip install 'tinygrad_rnn[completion]'\n"
    )


# Python raises nothing out of what is called when memory is freed: it says so, and goes on.
_LOST = re.compile(r"Exception ignored in: <function (?s:.)*\nKeyboardInterrupt: ?\n")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("command", ["check", "draw"])
def test_an_interruption_is_one_line_and_130(command, tmp_path) -> None:
    """The signal comes when the command is at work, at several moments."""
    files = {"draw": ["-o", "a.svg"]}
    code = (
        "import signal, sys, threading, time\n"
        "from tinygrad_rnn import cli\n"
        "from tinygrad_rnn.__main__ import main\n"
        "at_work, work = threading.Event(), cli._main\n"
        "def interrupt(): at_work.wait(); time.sleep({delay}); signal.raise_signal(signal.SIGINT)\n"
        "def _main(arguments): at_work.set(); return work(arguments)\n"
        "cli._main = _main\n"
        "threading.Thread(target=interrupt, daemon=True).start()\n"
        "sys.argv[0] = 'tinygrad-rnn'; sys.exit(main())"
    )
    for delay in (0.0, 0.1):
        arguments = [*files[command], "--steps", "80"] if command in files else []
        done = subprocess.run(
            [sys.executable, "-c", code.format(delay=delay), command, *arguments],
            capture_output=True, text=True, cwd=tmp_path,
        )  # fmt: skip
        if _LOST.fullmatch(done.stderr):
            continue
        assert (done.returncode, done.stderr) in ((130, "tinygrad-rnn: interrupted\n"), (0, ""))
    assert {path.suffix for path in tmp_path.iterdir()} <= {".svg", ".dot", ".html"}


def test_a_console_that_knows_only_ascii(tmp_path) -> None:
    done = run("demo", "--out", str(tmp_path), PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert holds(done.stdout, "W += [[0.1401 0.2354]")


def test_three_way_finds_each_wrong_gradient() -> None:
    good = three_way(demo.two_step_rnn, {k: demo.np.array(v) for k, v in demo.INPUTS.items()})
    assert good.ok
    assert good.worst_differences_error < 1e-8
    bad = three_way(lambda lib, x: (x.detach() * x).sum(), {"x": demo.np.array([1.0, 2.0])})
    assert not bad.ok
    with pytest.raises(TypeError, match="float64"):
        three_way(demo.two_step_rnn, {"x": demo.np.ones(2, "float32")})


def test_program_writes_one_to_run(tmp_path) -> None:
    printed = run("program", "--cell", "gru", "--hidden", "3")
    assert printed.returncode == 0
    namespace: dict = {}
    exec(printed.stdout, namespace)
    assert {"forward", "backward"} <= set(namespace)
    file = tmp_path / "gru.py"
    done = run("program", "--cell", "gru", "--hidden", "3", "-o", str(file))
    assert done.stdout == f"wrote {file}\n"
    assert file.read_text(encoding="utf-8") == printed.stdout
    many = ("program", "--layers", "2", "--bidirectional")
    exec(run(*many).stdout, namespace := {})
    assert namespace["forward"].__code__.co_argcount == 1 + 2 + 4 * 4
    refused = run(*many, "--optimised")
    assert refused.returncode == 2
    assert "optimised=True writes a step" in refused.stderr
