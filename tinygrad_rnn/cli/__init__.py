"""The command line: ``tinygrad-rnn …``, also ``python -m tinygrad_rnn …``."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

from tinygrad_rnn.cli import completion, output
from tinygrad_rnn.cli.output import refused
from tinygrad_rnn.cli.parser import parser
from tinygrad_rnn.viz.options import TooManyBoxes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 130 if it is interrupted."""
    try:
        return _main(arguments)
    except KeyboardInterrupt:
        print("tinygrad-rnn: interrupted", file=sys.stderr)
        return 130  # as shells have it: 128 and the number of the signal


def _main(arguments: Sequence[str] | None) -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a console may not know every formula sign
    try:
        status = _carried_out(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        if output.is_broken_pipe(error):  # the reader, such as head, has seen enough
            output.give_up()
            return 0
        if error.filename is None:
            output.give_up()  # else Python would try again when it ends
        return refused(_not_written(error))
    except TooManyBoxes as error:
        ways = [f"--level {level}" for level in error.coarser] + ["fewer --steps or --layers"]
        return refused(
            f"this net has {error.boxes:,} boxes, and a readable picture at most "
            f"{error.allowed:,}: use {', '.join(ways)}"
        )
    except (ValueError, RuntimeError, ImportError) as error:  # such as nothing that makes a PNG
        return refused(str(error))
    except MemoryError as error:
        return refused(f"not enough memory: {str(error) or 'make it smaller'}")
    return status


def _carried_out(arguments: Sequence[str] | None) -> int:
    commands = parser()
    completion.answer(commands)
    try:
        options = commands.parse_args(arguments)
    except SystemExit as said:  # after --help or --version, or what is wrong with the arguments
        return int(said.code or 0)
    status: int = options.run(options)
    return status


def _not_written(error: OSError) -> str:
    place = error.filename or "standard output"
    return f"cannot write {place}: {error.strerror or error}"
