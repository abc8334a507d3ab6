"""``tinygrad-rnn check``."""

from __future__ import annotations

import argparse
import json
from typing import Any

from tinygrad_rnn.cli import completion
from tinygrad_rnn.cli.arguments import whole
from tinygrad_rnn.cli.output import refused
from tinygrad_rnn.testing.pytorch import installed_torch


def add(commands: Any) -> None:
    """Say what it takes."""
    command = commands.add_parser(
        "check",
        help="check every operation and recurrent layer: NumPy, differences, PyTorch",
        description="Check operations and recurrent layers against NumPy, central differences and, "
        "where it is installed, PyTorch: all of them, or those that are asked for. Exit status 1 "
        "if anything is wrong, 2 if it cannot be checked.",
    )
    completion.offer_operations(
        command.add_argument("--ops", nargs="+", metavar="NAME", help="these operations, as tanh")
    )
    command.add_argument("--modules", action="store_true", help="the recurrent layers")
    command.add_argument("--seed", type=whole, metavar="N", help="other inputs, dealt out by N")
    command.add_argument("--json", action="store_true", help="print the results as JSON")
    command.add_argument("--torch", action="store_true", help="refuse to do without PyTorch")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Carry it out; returns the exit status."""
    from tinygrad_rnn.testing.check import check  # its cases take a while to draw

    if options.torch and installed_torch() is None:
        return refused("--torch was given, but PyTorch is not installed: pip install torch")
    everything = not options.ops and not options.modules
    operations = None if everything else options.ops or []
    result = check(operations, layers=everything or options.modules, seed=options.seed)
    if options.json:
        print(json.dumps(result.as_dict(), indent=2, ensure_ascii=False))
    else:
        print(result, *result.failures(), sep="\n")
    return 0 if result.ok else 1
