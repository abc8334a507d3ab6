"""What reads the command line."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from typing import Any, NoReturn

from tinygrad_rnn import __version__
from tinygrad_rnn.cli.commands import COMMANDS


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with status 2."""
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print help or version: argparse of some Pythons is silent where that cannot be done."""
        with suppress(AttributeError):  # a process may have no standard output at all
            (file or sys.stderr).write(message)


ENDINGS = """\
exit status:
  0    it is done, and what was checked is right
  1    something that was checked is wrong, or the program that was run failed
  2    it cannot be done: unknown arguments, a file that cannot be read or written, …
  130  interrupted by Ctrl-C

`tinygrad-rnn COMMAND --help` tells more of each.
"""


def parser() -> argparse.ArgumentParser:
    """What reads the command line.

    Examples
    --------
    >>> parser().parse_args(["draw", "--cell", "gru", "-o", "gru.svg"]).cell
    'gru'
    """
    parser = _Parser(
        prog="tinygrad-rnn", description="See backpropagation through time.",
        epilog=ENDINGS, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "--version", action="version", version=f"tinygrad-rnn {__version__}",
        help="print the version",
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser
