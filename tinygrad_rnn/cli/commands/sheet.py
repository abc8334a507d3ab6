"""``tinygrad-rnn sheet``."""

from __future__ import annotations

import argparse
from typing import Any

from tinygrad_rnn import bptt
from tinygrad_rnn.bptt import sheets
from tinygrad_rnn.cli.arguments import add_net, add_output, net_of, wrote
from tinygrad_rnn.compat.script import SHEETS, check_output


def add(commands: Any) -> None:
    """Say what it takes."""
    command = commands.add_parser(
        "sheet",
        help="write backpropagation through time of a recurrent net as a live spreadsheet",
        description="Write the forward and the backward of a recurrent layer with a readout, on a "
        "random sequence, as a spreadsheet in which numbers can be changed and all else follows.",
    )
    add_net(command)
    command.add_argument(
        "--rate", type=float, default=0.1, metavar="η",
        help="of the step of gradient descent that the sheet makes (default: 0.1)",
    )  # fmt: skip
    add_output(command, "where to write it: an .xlsx file")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Carry it out; returns the exit status."""
    check_output("sheet", options.output, SHEETS)
    sheets.check_steps(options.steps)  # before the net is unrolled, which may take long
    bptt.spreadsheet(bptt.record(net_of(options)), options.output, rate=options.rate)
    return wrote(options.output)
