"""``tinygrad-rnn completion``."""

from __future__ import annotations

import argparse
from typing import Any

from tinygrad_rnn.cli import completion


def add(commands: Any) -> None:
    """Say what it takes."""
    command = commands.add_parser(
        "completion",
        help="print what makes a shell complete this command",
        description="Print what a shell has to read so that Tab completes commands, options, names "
        "and\nfiles.",
        epilog="bash, in ~/.bashrc:\n"
        '  eval "$(tinygrad-rnn completion bash)"\n'
        "zsh, in ~/.zshrc, below compinit:\n"
        '  eval "$(tinygrad-rnn completion zsh)"\n'
        "fish, once:\n"
        "  tinygrad-rnn completion fish > ~/.config/fish/completions/tinygrad-rnn.fish",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("shell", choices=completion.SHELLS, help="bash, zsh or fish")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Carry it out; returns the exit status."""
    print(completion.script(options.shell), end="")
    return 0
