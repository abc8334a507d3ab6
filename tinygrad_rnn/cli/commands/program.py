"""``tinygrad-rnn program``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tinygrad_rnn import bptt
from tinygrad_rnn.cli import samples
from tinygrad_rnn.cli.arguments import add_cell, add_numbers, wrote
from tinygrad_rnn.files import write


def add(commands: Any) -> None:
    """Say what it takes."""
    command = commands.add_parser(
        "program",
        help="write backpropagation through time of a recurrent net as a NumPy program",
        description="Write the forward and the backward of a recurrent layer, over time, as a "
        "program that imports NumPy and nothing else. It is written from the graph of one step.",
    )
    add_cell(command)
    add_numbers(command, ("layers", "hidden", "inputs"))
    command.add_argument("--bidirectional", action="store_true", help="read it both ways")
    command.add_argument("--optimised", action="store_true", help="as it is run, not as it is read")
    command.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="where to write it (default: print it)"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Carry it out; returns the exit status."""
    net = samples.CELLS[options.cell](
        options.inputs, options.hidden, options.layers, bidirectional=options.bidirectional
    )
    text = bptt.program(net, optimised=options.optimised)
    if options.output is None:
        print(text, end="")
        return 0
    write(options.output, text)
    return wrote(options.output)
