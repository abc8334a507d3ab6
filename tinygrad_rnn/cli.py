"""The command line: ``tinygrad-rnn …``, also ``python -m tinygrad_rnn …``."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from tinygrad_rnn import __version__, demo


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with status 2."""
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="tinygrad-rnn", description="See backpropagation through time.")
    parser.add_argument("--version", action="version", version=f"tinygrad-rnn {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    command = commands.add_parser(
        "demo",
        help="work out a two-step RNN in full, check it, and draw it",
        description="Print the forward pass, the backward walk and the gradients by time step of "
        "a two-step RNN, check them, and write bptt.svg and bptt.dot. Exit status 1 if a gradient "
        "is wrong.",
    )
    command.add_argument(
        "--out", type=Path, default=Path(), metavar="DIR",
        help="where to write the pictures (default: the current directory; made if missing)",
    )  # fmt: skip
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a console may not know every formula sign
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        right = demo.run(options.out)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        place = error.filename or "standard output"
        print(f"tinygrad-rnn: error: cannot write {place}: {error.strerror}", file=sys.stderr)
        return 2
    return 0 if right else 1
