"""``tinygrad-rnn check``: what it prints, and its exit status."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from cases import REGISTRY

from tinygrad_rnn import cli
from tinygrad_rnn.testing import check as module
from tinygrad_rnn.testing.cases import CASES
from tinygrad_rnn.testing.check import check


@pytest.fixture
def few_options(monkeypatch) -> None:
    """One option of each kind, instead of 48."""
    everything = list(module.options())
    assert len({str(given) for given in everything}) == 48
    monkeypatch.setattr(module, "options", lambda: everything[3::17])


def test_operations_and_layers(torch, few_options, capsys) -> None:
    assert cli.main(["check", "--ops", "tanh", "cat", "--modules"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"check of 7 against PyTorch {torch.__version__}: everything agrees"
    assert lines[1].split() == "cases NumPy differences second order PyTorch".split()
    assert lines[2].split() == ["tanh", "8", "ok", "ok", "ok", "ok"]
    assert [line.split()[0] for line in lines[3:]] == [
        "cat",
        *["nn.RNN,"] * 2,
        *["nn.LSTM", "nn.LSTM,"],
        "nn.GRU",
    ]
    assert "–" in lines[4]


def test_which_are_chosen(torch, few_options, monkeypatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(
        module,
        "check",
        lambda ops, layers, seed: asked.append((ops, layers, seed)) or check([], False),
    )
    for arguments in (
        [],
        ["--modules"],
        ["--ops", "exp"],
        ["--ops", "exp", "--modules", "--seed", "3"],
    ):
        assert cli.main(["check", *arguments]) == 0
    assert asked == [
        (None, True, None),
        ([], True, None),
        (["exp"], False, None),
        (["exp"], True, 3),
    ]


def test_all_of_them_by_default(monkeypatch) -> None:
    monkeypatch.setattr(
        module, "_operation_job", lambda name, seed, torch: lambda: module.Outcome(name, 0, {})
    )
    monkeypatch.setattr(
        module, "_layer_job", lambda name, seed, torch: lambda: module.Outcome(name, 0, {})
    )
    assert [f.name for f in check().findings] == [*CASES, *module.KINDS]
    assert set(CASES) == set(REGISTRY)


def test_json(torch, few_options, capsys) -> None:
    assert cli.main(["check", "--ops", "exp", "--modules", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["ok"] is True
    assert [f["name"] for f in result["checked"]][:2] == ["exp", "nn.RNN, tanh"]
    assert result["checked"][0]["failures"] == {k: [] for k in module.COLUMNS}
    assert set(result["checked"][1]["failures"]) == {"gradcheck", "torch"}


@pytest.mark.parametrize("seed", [1, 2])
def test_seeds_give_other_inputs(seed, torch, few_options) -> None:
    names = ["clamp", "prod", "index_put", "pick", "remainder", "huber", "to_copy"]
    assert check(names, seed=seed).ok
    case = CASES["matmul"][3]
    dealt = [module._dealt(case, s)[1] for s in (None, seed, seed)]
    assert dealt[0].tolist() != dealt[1].tolist() == dealt[2].tolist()
    assert sorted(dealt[0].ravel()) == sorted(dealt[1].ravel())


def test_a_mistake_gives_status_1(torch, few_options, monkeypatch, capsys) -> None:
    tanh = REGISTRY["tanh"]
    wrong = [lambda g, node: g * node.saved[1]]
    monkeypatch.setattr(tanh, "pulls", wrong)
    monkeypatch.setattr(tanh, "gathers", wrong)
    assert cli.main(["check", "--ops", "exp", "tanh", "--modules"]) == 1
    out = capsys.readouterr().out
    first = out.splitlines()[0]
    assert first.endswith("WRONG: tanh, nn.RNN, tanh, nn.LSTM, nn.LSTM, proj_size, nn.GRU")
    row = next(line for line in out.splitlines() if line.startswith("  tanh "))
    assert row.split()[:3] == ["tanh", "8", "ok"]
    assert "6 WRONG" in row  # of the 8, 2 are empty
    assert "tanh, differences: (): GradcheckError" in out
    assert "tanh, PyTorch: (): crosscheck: " in out
    assert "the first operation that differs is tanh" in out
    assert "nn.GRU, differences: batched, num_layers=1" in out


def test_errors_are_mistakes(torch, monkeypatch, capsys) -> None:
    def broken(x):
        raise RuntimeError("broken")

    monkeypatch.setattr(REGISTRY["erf"], "forward", broken)
    monkeypatch.setattr(REGISTRY["erf"], "apply", REGISTRY["erf"].general)
    assert cli.main(["check", "--ops", "erf"]) == 1
    assert "RuntimeError('broken')" in capsys.readouterr().out


def test_unknown_operations_give_status_2(capsys) -> None:
    assert cli.main(["check", "--ops", "tanx"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("tinygrad-rnn: error: check: no operation is called 'tanx'")
    assert "tanh" in error
    assert error.count("\n") == 1


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from tinygrad_rnn.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_without_torch() -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", WITHOUT_TORCH, "check", *arguments]
        return subprocess.run(command, capture_output=True, text=True, encoding="utf-8")

    done = run("--ops", "tanh")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("check of 1 against no PyTorch, which is not installed: everything")
    assert lines[2].split() == ["tanh", "8", "ok", "ok", "ok", "–"]
    refused = run("--ops", "tanh", "--torch")
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert refused.stderr == (
        "tinygrad-rnn: error: --torch was given, but PyTorch is not installed: pip install torch\n"
    )


def test_a_progress_bar_is_shown(monkeypatch) -> None:
    shown: list[object] = []
    monkeypatch.setattr(module, "progress", lambda jobs, **options: shown.append(len(jobs)) or jobs)
    check(["exp", "log"], layers=False)
    assert shown == [2]


def test_seeds_and_names(capsys) -> None:
    assert cli.main(["check", "--ops", "tanh", "--seed", "-1"]) == 2
    assert "must be at least 0, not -1" in capsys.readouterr().err
    with pytest.raises(ValueError, match="the seed must be at least 0, got -1"):
        check(["tanh"], layers=False, seed=-1)
    assert len(check(["tanh", "tanh"], layers=False).findings) == 1
