"""What training scripts need around the model: options, and the curve beside a bar."""

from __future__ import annotations

import contextlib
import math
import runpy
import sys

import pytest

from tinygrad_rnn.utils import options
from tinygrad_rnn.writing.curves import curve


def test_a_curve_has_a_bar_for_every_share_of_the_numbers() -> None:
    assert curve([]) == ""
    assert curve([3.0]) == curve([3.0, 3.0])[0] == "▁"
    assert curve([math.nan, math.inf]) == "  "
    assert len(curve(range(1000))) == 24
    assert list(curve(range(1000))) == sorted(curve(range(1000)))


# -- options -------------------------------------------------------------------------------------

SCRIPT = '''
"""A script that is told things.

At 100 %.
"""
from tinygrad_rnn.utils import options
print(options(epochs=(20, "passes, 5 % each"), hidden_size=3, rate=0.5, text="", live=False))
'''


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        ("", "namespace(epochs=20, hidden_size=3, rate=0.5, text='', live=False)"),
        ("--epochs 2 --hidden-size=4 --rate 1 --text a --live",
         "namespace(epochs=2, hidden_size=4, rate=1.0, text='a', live=True)"),
        ("--help", "A script that is told things.\n\nAt 100 %."),
        ("--help", "passes, 5 % each; default: 20"),
        ("--help", "--text str\n"),
    ],
)  # fmt: skip
def test_options_are_what_the_command_line_says(line, printed, tmp_path, monkeypatch, capsys):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", [str(script), *line.split()])
    with contextlib.suppress(SystemExit):
        runpy.run_path(str(script), run_name="__main__")
    assert printed in capsys.readouterr().out


def test_what_the_command_line_says_wrong_is_named(tmp_path, monkeypatch, capsys) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    for wrong in ("--epochs x", "--epoch 3", "3"):
        monkeypatch.setattr(sys, "argv", [str(script), *wrong.split()])
        with pytest.raises(SystemExit, match="2"):
            runpy.run_path(str(script), run_name="__main__")
        assert wrong.split()[-1] in capsys.readouterr().err


def test_the_command_line_of_another_program_is_not_read(monkeypatch) -> None:
    monkeypatch.setattr(sys, "argv", ["kernel", "-f", "connection.json"])
    assert options(epochs=20).epochs == 20
    exec("from tinygrad_rnn.utils import options\nfound = options(n=1)", {"__name__": "__main__"})
    with pytest.raises(TypeError, match="options: sizes must be a bool, int, float or str"):
        options(sizes=[1, 2])
    for pair in ((), (1,), (1, 2), (1, "x", "y")):
        with pytest.raises(TypeError, match=r"options: n must be .* or a pair of one and what"):
            options(n=pair)
