"""``tinygrad-rnn play``."""

from __future__ import annotations

import argparse
from typing import Any

from tinygrad_rnn import viz
from tinygrad_rnn.cli.arguments import add_language, add_net, add_output, check_boxes, net_of, wrote
from tinygrad_rnn.compat.script import PLAYERS, check_output


def add(commands: Any) -> None:
    """Say what it takes."""
    command = commands.add_parser(
        "play",
        help="write a page that steps through the backward walk of a recurrent net",
        description="Write an HTML page that steps through the backward walk of a recurrent layer "
        "with a readout, on a random sequence; or, live, show one in which numbers can be changed.",
    )
    add_net(command)
    where = command.add_mutually_exclusive_group(required=True)
    add_output(where, "where to write it: an .html file", required=False)
    where.add_argument(
        "--live", action="store_true",
        help="open it in the browser and compute again whatever is changed there, until it is "
        "closed, or Ctrl-C",
    )  # fmt: skip
    add_language(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Carry it out; returns the exit status."""
    if not options.live:
        check_output("play", options.output, PLAYERS)
    check_boxes(options, "play", viz.player.MOST)
    if not options.live:
        return wrote(viz.play(net_of(options), options.output, language=options.language))
    player = viz.play(net_of(options), live=True, language=options.language)
    print(f"the player is at {player.address} until it is closed, or Ctrl-C", flush=True)
    player.open()
    return 0
