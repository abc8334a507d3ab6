"""``tinygrad-rnn draw``."""

from __future__ import annotations

import argparse
from typing import Any

from tinygrad_rnn import bptt, viz
from tinygrad_rnn.cli.arguments import (
    add_language,
    add_level,
    add_net,
    add_output,
    add_theme,
    add_width,
    net_of,
    wrote,
)
from tinygrad_rnn.compat.script import PICTURES, check_output


def add(commands: Any) -> None:
    """Say what it takes."""
    command = commands.add_parser(
        "draw",
        help="draw a recurrent net, unrolled, with its gradients",
        description="Draw the unrolled graph of a recurrent layer with a readout, on a random "
        "sequence, and the gradients that flow back through it.",
    )
    add_net(command)
    add_level(command)
    add_theme(command)
    add_width(command)
    add_language(command)
    command.add_argument(
        "--size", choices=("slide", "column"),
        help="of an .svg, .png or .pdf: for a slide of 16:9, or for a column of a paper, which a "
        ".tex has, too",
    )  # fmt: skip
    add_output(command, "where to write it: .svg, .html, .dot, .tex, .png or .pdf")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Carry it out; returns the exit status."""
    check_output("draw", options.output, PICTURES)
    given = {name: getattr(options, name) for name in ("level", "theme", "width", "language")}
    picture = viz.draw(bptt.record(net_of(options)), **given)
    return wrote(picture.save(options.output, size=options.size))
