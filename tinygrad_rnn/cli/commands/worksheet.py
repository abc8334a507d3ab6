"""``tinygrad-rnn worksheet``."""

from __future__ import annotations

import argparse
from typing import Any

from tinygrad_rnn import bptt, viz
from tinygrad_rnn.bptt.exercises import TOLERANCE
from tinygrad_rnn.cli.arguments import add_language, add_net, add_output, check_boxes, net_of, wrote
from tinygrad_rnn.compat.script import check_output
from tinygrad_rnn.viz.build import READABLE
from tinygrad_rnn.viz.worksheet import FORMS


def add(commands: Any) -> None:
    """Say what it takes."""
    command = commands.add_parser(
        "worksheet",
        help="write an exercise: a recurrent net to be computed by hand",
        description="Write an exercise on a recurrent layer with a readout: a spreadsheet that "
        "checks itself, or a page to print with its key in a file beside it. Its numbers have one "
        "decimal; each --seed makes another exercise.",
    )
    add_net(command)
    command.add_argument(
        "--hide", type=_hidden, default="gradients", metavar="WHAT",
        help="what is asked: gradients, values, names or time steps, or several as gradients,2 "
        "(default: gradients)",
    )  # fmt: skip
    command.add_argument(
        "--tolerance", type=float, default=TOLERANCE, metavar="PART",
        help=f"how far off, relatively, an answer may be (default: {TOLERANCE})",
    )  # fmt: skip
    command.add_argument("--no-hints", action="store_true", help="do not name the rules")
    add_language(command)
    add_output(command, "where to write it: .xlsx, .html or .pdf")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Carry it out; returns the exit status."""
    check_output("worksheet", options.output, FORMS)
    has_picture = options.output.suffix.lower() != ".xlsx"
    check_boxes(options, "worksheet", READABLE if has_picture else viz.player.MOST)
    paths = viz.worksheet(
        bptt.record(net_of(options)), options.output, options.hide, seed=options.seed, nice=True,
        tolerance=options.tolerance, hints=not options.no_hints,
        language=options.language,
    )  # fmt: skip
    for path in paths:
        wrote(path)
    return 0


def _hidden(text: str) -> list[str | int]:
    return [int(part) if part.isdecimal() else part for part in text.split(",") if part]
