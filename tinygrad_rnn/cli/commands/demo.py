"""``tinygrad-rnn demo``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tinygrad_rnn.cli import demo
from tinygrad_rnn.cli.arguments import add_language


def add(commands: Any) -> None:
    """Say what it takes."""
    command = commands.add_parser(
        "demo",
        help="work out a two-step RNN in full, check it, and draw it",
        description="Print the forward pass, the backward walk and the gradients by time step of "
        "a two-step RNN, check them, and write bptt.svg, bptt.dot, bptt.html and, as a NumPy "
        "program, bptt.py. Exit status 1 if a gradient is wrong.",
    )
    command.add_argument(
        "--out", type=Path, default=Path(), metavar="DIR",
        help="where to write the pictures (default: the current directory; made if missing)",
    )  # fmt: skip
    add_language(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Carry it out; returns the exit status."""
    options.out.mkdir(parents=True, exist_ok=True)
    return 0 if demo.run(options.out, options.language) else 1
