"""``tinygrad-rnn run``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tinygrad_rnn.cli import script
from tinygrad_rnn.cli.arguments import add_language, add_level, add_theme, add_width, positive
from tinygrad_rnn.compat.script import steps_of


def add(commands: Any) -> None:
    """Say what it takes."""
    command = commands.add_parser(
        "run",
        help="run a program written for PyTorch, unchanged, and draw its backward walk",
        usage="tinygrad-rnn run [--draw FILE] [--play FILE] [--sheet FILE] [--at N]\n"
        "                        [--level LEVEL] [--steps STEPS] [--width POINTS]\n"
        "                        [--theme THEME] [--language LANGUAGE] [--literal]\n"
        "                        SCRIPT [ARGUMENT …]",
        description="Run a program written for PyTorch as it is, in a process where torch means "
        "this package. What follows its name are its own arguments. Its exit status is this "
        "command's; 2 if it cannot be read, or there is nothing to draw.",
        allow_abbrev=False,
    )
    command.add_argument(
        "--draw", type=Path, metavar="FILE",
        help="draw a backward walk of it: .svg, .html, .dot, .tex, .png or .pdf",
    )  # fmt: skip
    command.add_argument(
        "--play", type=Path, metavar="FILE", help="write an .html page that steps through the walk"
    )
    command.add_argument(
        "--sheet", type=Path, metavar="FILE", help="write the walk as a live spreadsheet: .xlsx"
    )
    command.add_argument(
        "--at", type=positive, default=1, metavar="N",
        help="which walk, counting its calls of backward() and autograd.grad (default: 1)",
    )  # fmt: skip
    add_level(command)
    command.add_argument(
        "--steps", type=steps_of, default="auto", metavar="STEPS",
        help="which time steps to draw: all, the first and last as 2:3, or those of a list as "
        "1,5,9 (default: all of a few, else 2:3)",
    )  # fmt: skip
    add_width(command)
    add_theme(command)
    add_language(command)
    command.add_argument(
        "--literal", action="store_true",
        help="compute recurrent layers operation by operation, not fused",
    )  # fmt: skip
    command.add_argument("script", type=Path, metavar="SCRIPT", help="the program's file")
    rest = command.add_argument(
        "arguments", nargs=argparse.REMAINDER, metavar="ARGUMENT", help="what the program is given"
    )
    rest.required = False  # as it is, but argparse would say otherwise
    command.set_defaults(run=script.run)
