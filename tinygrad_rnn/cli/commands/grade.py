"""``tinygrad-rnn grade``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tinygrad_rnn import bptt
from tinygrad_rnn.cli.arguments import wrote


def add(commands: Any) -> None:
    """Say what it takes."""
    command = commands.add_parser(
        "grade",
        help="mark worksheets that were filled in",
        description="Mark spreadsheets that the command worksheet, or bptt.worksheet, has written "
        "and students have filled in. Exit status 1 if one of them could not be graded.",
    )
    command.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="worksheets, as exercise/*.xlsx"
    )
    command.add_argument("--csv", type=Path, metavar="FILE", help="write the table as CSV, too")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Carry it out; returns the exit status."""
    grades = bptt.grade([file for given in options.files for file in _meant(given)])
    print(grades)
    if options.csv is not None:
        wrote(grades.save(options.csv))
    return int(any(grade.refused for grade in grades))


def _meant(path: Path) -> list[Path]:
    """The files of a pattern, which the shells of Windows leave as it is written."""
    is_pattern = any(sign in path.name for sign in "*?[") and not path.exists()
    return (sorted(path.parent.glob(path.name)) if is_pattern else []) or [path]
