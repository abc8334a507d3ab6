"""What several commands take, and what becomes of it."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tinygrad_rnn import viz
from tinygrad_rnn.cli import samples
from tinygrad_rnn.viz.languages import LANGUAGES
from tinygrad_rnn.viz.options import check_count
from tinygrad_rnn.viz.schemes import THEMES


def add_cell(command: argparse.ArgumentParser) -> None:
    """Add --cell."""
    command.add_argument(
        "--cell", choices=tuple(samples.CELLS), default="lstm",
        help="the kind of layer (default: lstm)",
    )  # fmt: skip


def add_net(command: argparse.ArgumentParser) -> None:
    """Add what describes a net."""
    add_cell(command)
    add_numbers(command, NUMBERS)
    command.add_argument("--bidirectional", action="store_true", help="read it both ways")
    command.add_argument(
        "--every-step", action="store_true", help="a loss at every step, not at the last one only"
    )
    command.add_argument("--seed", type=int, default=0, metavar="N", help="of all random numbers")


NUMBERS = {
    "layers": (1, "layers of the stack"),
    "steps": (4, "time steps"),
    "hidden": (2, "elements of a state"),
    "inputs": (2, "elements of an input"),
}


def add_numbers(command: argparse.ArgumentParser, names: Iterable[str]) -> None:
    """Add some of a net's sizes."""
    for name in names:
        default, what = NUMBERS[name]
        command.add_argument(
            f"--{name}", type=positive, default=default, metavar="N",
            help=f"{what} (default: {default})",
        )  # fmt: skip


def add_level(command: argparse.ArgumentParser) -> None:
    """Add --level."""
    command.add_argument(
        "--level", choices=viz.picture.LEVELS, default="auto",
        help="what a box stands for: an operation (op), a cell, in the rolled picture an operation "
        "of all steps; step: a heat map (default: auto)",
    )  # fmt: skip


def add_width(command: argparse.ArgumentParser) -> None:
    """Add --width."""
    command.add_argument(
        "--width", type=positive, metavar="POINTS",
        help="the widest that a picture may be, such as 1200 for a page",
    )  # fmt: skip


def add_theme(command: argparse.ArgumentParser) -> None:
    """Add --theme."""
    command.add_argument(
        "--theme", choices=tuple(THEMES), default="light",
        help="colours for light or for dark paper; auto: of an .svg or .html, for what is round it "
        "on the reader's screen (default: light)",
    )  # fmt: skip


def add_language(command: argparse.ArgumentParser) -> None:
    """Add --language."""
    command.add_argument(
        "--language", choices=LANGUAGES, default="en",
        help="of the words in pictures and on pages: en, English, or zh, Chinese (default: en)",
    )  # fmt: skip


def add_output(command: Any, text: str, required: bool = True) -> None:
    """Add -o."""
    command.add_argument("-o", "--output", type=Path, required=required, metavar="FILE", help=text)


def whole(text: str, least: int = 0) -> int:
    """A whole number that is large enough."""
    number = int(text)
    if number < least:
        raise argparse.ArgumentTypeError(f"must be at least {least}, not {number}")
    return number


def positive(text: str) -> int:
    """A whole number from 1."""
    return whole(text, least=1)


whole.__name__ = positive.__name__ = "whole number"  # as argparse calls it when it refuses a text


def net_of(options: argparse.Namespace) -> Any:
    """The loss of the net that was described."""
    names = ("layers", "steps", "hidden", "inputs", "bidirectional", "every_step", "seed")
    return samples.unrolled(options.cell, **{name: getattr(options, name) for name in names})


def check_boxes(options: argparse.Namespace, command: str, most: int) -> None:
    """Refuse what has too many boxes before the net is unrolled, which may take long."""
    names = ("layers", "steps", "bidirectional", "every_step")
    boxes = samples.boxes_of(options.cell, **{name: getattr(options, name) for name in names})
    check_count(command, boxes, most)


def wrote(path: Path) -> int:
    """Say what was written; the exit status of having done so."""
    print(f"wrote {path}")
    return 0
