"""Notebooks: ``%load_ext tinygrad_rnn``, and then ``%%bptt`` on a cell written for PyTorch."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import Any, NoReturn

from tinygrad_rnn import viz
from tinygrad_rnn.bptt.record import Record
from tinygrad_rnn.compat.script import PLAYERS, check_output, steps_of
from tinygrad_rnn.compat.watching import Watch
from tinygrad_rnn.compat.world import as_torch
from tinygrad_rnn.viz.languages import LANGUAGES
from tinygrad_rnn.viz.schemes import THEMES


def register(shell: Any) -> None:
    """Give a notebook's shell the magic ``%%bptt``.

    Parameters
    ----------
    shell : InteractiveShell
        IPython's.

    Examples
    --------
    >>> class Shell:
    ...     def register_magic_function(self, function, kind, name):
    ...         print(kind, name)
    >>> register(Shell())
    cell bptt
    """

    def bptt(line: str, cell: str) -> Any:
        """Run a cell in which torch means tinygrad_rnn, and show one of its backward walks."""
        return _bptt(shell, line, cell)

    shell.register_magic_function(bptt, "cell", "bptt")


def _bptt(shell: Any, line: str, cell: str) -> Any:
    options = _options().parse_args(shlex.split(line))
    check_output("play", options.play, PLAYERS)
    drawn: list[Any] = []

    def show(walk: Record) -> None:
        names = ("level", "steps", "width", "theme", "language")
        drawn.append(viz.draw(walk, **{name: getattr(options, name) for name in names}))
        if options.play is not None:
            viz.play(walk, options.play, language=options.language)

    watch = Watch(options.at, show)
    with as_torch(), watch():
        result = shell.run_cell(cell)  # which shows what goes wrong in it
    if watch.problem and getattr(result, "success", True):
        print(f"%%bptt: {watch.problem}")
    return drawn[0] if drawn else None


class _Options(argparse.ArgumentParser):
    """A parser that raises: a notebook does not exit."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong."""
        raise ValueError(f"%%bptt: {message}: {self.format_usage().strip()}")


def _options() -> argparse.ArgumentParser:
    options = _Options(prog="%%bptt", add_help=False, allow_abbrev=False)
    options.add_argument("--at", type=int, default=1, metavar="N")
    options.add_argument("--level", choices=viz.picture.LEVELS, default="auto")
    options.add_argument("--steps", type=steps_of, default="auto")
    options.add_argument("--width", type=int, metavar="POINTS")
    options.add_argument("--theme", choices=tuple(THEMES), default="light")
    options.add_argument("--language", choices=LANGUAGES, default="en")
    options.add_argument("--play", type=Path, metavar="FILE")
    return options
