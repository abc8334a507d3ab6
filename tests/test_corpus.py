"""Programs written for PyTorch, unchanged: they print what they print there, and show their time.

The programs are in ``programs/torch``: pages as tutorials have them, each with a fixed seed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alike import assert_alike

import tinygrad_rnn as tg
from tinygrad_rnn import compat, viz

PROGRAMS = Path(__file__).parent / "programs" / "torch"
STEPS = {  # of the first backward, as its graph and its lines tell them
    "adding_problem": 8,
    "attention_over_states": 6,
    "bidirectional_packed": 8,
    "char_lstm": 6,
    "clipping": 8,
    "copy_task": 8,
    "dataset_loader": 7,
    "digits_by_rows": 7,
    "early_stopping": 5,
    "gru_time_series": 7,
    "lr_schedule": 5,
    "lstm_by_hand": 6,
    "many_to_many": 10,
    "many_to_one": 6,
    "mean_pooling": 5,
    "min_char": 6,
    "names_classifier": 6,
    "names_generator": 4,
    "policy_gradient": 8,
    "pos_tagger": 5,
    "save_and_load": 5,
    "scheduled_sampling": 5,
    "scratch_parameter_list": 6,
    "seq2seq": 8,
    "seq2seq_attention": 8,
    "sine_waves": 8,
    "stacked_gru": 5,
    "stateful": 5,
    "teacher_forcing": 8,
    "variable_lengths": 6,
    "word_model": 5,
}
WIDEST = 6000  # of a picture, in px

_RUN_ALL = """
import contextlib, io, json, os, runpy, sys
import torch
torch.set_num_threads(1)
printed = {}
for path in sys.argv[1:]:
    out = io.StringIO()
    torch.set_default_dtype(torch.float32)  # one of them sets it
    with contextlib.redirect_stdout(out):
        runpy.run_path(path, run_name="__main__")
    printed[path] = out.getvalue()
print(json.dumps(printed))
"""


@pytest.fixture(scope="module")
def printed(torch: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the programs print under PyTorch, all in one process of its own."""
    paths = [str(PROGRAMS / f"{name}.py") for name in STEPS]
    found = subprocess.run(
        [sys.executable, "-c", _RUN_ALL, *paths],
        cwd=tmp_path_factory.mktemp("torch"), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {Path(path).stem: text for path, text in json.loads(found.stdout).items()}


def test_every_program_is_listed() -> None:
    assert {path.stem for path in PROGRAMS.glob("*.py")} == {*STEPS}


@pytest.mark.parametrize("name", STEPS)
def test_a_program_prints_what_it_prints_under_pytorch(
    name: str,
    printed: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    compat.run(PROGRAMS / f"{name}.py")
    assert_alike(capsys.readouterr().out, printed[name], rtol=2e-4, what=name)


@pytest.mark.parametrize("name", STEPS)
def test_the_time_of_a_program_is_seen(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = compat.run(PROGRAMS / f"{name}.py", draw=tmp_path / "picture.svg")
    assert ran.walk is not None
    steps = {visit.step for visit in ran.walk.visits} - {None, 0}
    assert sorted(steps) == [*range(1, STEPS[name] + 1)]
    width = float((tmp_path / "picture.svg").read_text().split('width="')[1].split('"')[0])
    assert width < WIDEST
    assert tg.bptt.flow(ran.walk)
    assert viz.draw(ran.walk, level="step")
