"""The command line: ``tinygrad-rnn …``, also ``python -m tinygrad_rnn …``."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from tinygrad_rnn import __version__, bptt, viz
from tinygrad_rnn.bptt import sheets
from tinygrad_rnn.bptt.exercises import TOLERANCE
from tinygrad_rnn.cli import completion, demo, output, program, samples
from tinygrad_rnn.compat.script import PICTURES, PLAYERS, SHEETS, check_output, steps_of
from tinygrad_rnn.files import write
from tinygrad_rnn.testing.pytorch import installed_torch
from tinygrad_rnn.viz.build import READABLE
from tinygrad_rnn.viz.options import TooManyBoxes, check_count
from tinygrad_rnn.viz.worksheet import FORMS as EXERCISES
from tinygrad_rnn.writing.palette import THEMES


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with status 2."""
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


ENDINGS = """\
exit status:
  0    it is done, and what was checked is right
  1    something that was checked is wrong, or the program that was run failed
  2    it cannot be done: unknown arguments, a file that cannot be read or written, …
  130  interrupted by Ctrl-C

`tinygrad-rnn COMMAND --help` tells more of each.
"""


def parser() -> argparse.ArgumentParser:
    """What reads the command line.

    Examples
    --------
    >>> parser().parse_args(["draw", "--cell", "gru", "-o", "gru.svg"]).cell
    'gru'
    """
    parser = _Parser(
        prog="tinygrad-rnn", description="See backpropagation through time.",
        epilog=ENDINGS, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "--version", action="version", version=f"tinygrad-rnn {__version__}",
        help="print the version",
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (
        _add_demo, _add_run, _add_draw, _add_play, _add_program, _add_sheet, _add_worksheet,
        _add_grade, _add_check, _add_completion,
    ):  # fmt: skip
        add(commands)
    return parser


# Each command: its arguments, and a function of them that returns the exit status.


def _add_demo(commands: Any) -> None:
    command = commands.add_parser(
        "demo",
        help="work out a two-step RNN in full, check it, and draw it",
        description="Print the forward pass, the backward walk and the gradients by time step of "
        "a two-step RNN, check them, and write bptt.svg, bptt.dot, bptt.html and, as a NumPy "
        "program, bptt.py. Exit status 1 if a gradient is wrong.",
    )
    command.add_argument(
        "--out", type=Path, default=Path(), metavar="DIR",
        help="where to write the pictures (default: the current directory; made if missing)",
    )  # fmt: skip
    command.set_defaults(run=_demo)


def _demo(options: argparse.Namespace) -> int:
    options.out.mkdir(parents=True, exist_ok=True)
    return 0 if demo.run(options.out) else 1


def _add_run(commands: Any) -> None:
    command = commands.add_parser(
        "run",
        help="run a program written for PyTorch, unchanged, and draw its backward walk",
        usage="tinygrad-rnn run [--draw FILE] [--play FILE] [--sheet FILE] [--at N]\n"
        "                        [--level LEVEL] [--steps STEPS] [--width POINTS] [--literal]\n"
        "                        SCRIPT [ARGUMENT …]",
        description="Run a program written for PyTorch as it is, in a process where torch means "
        "this package. What follows its name are its own arguments. Its exit status is this "
        "command's; 2 if it cannot be read, or there is nothing to draw.",
        allow_abbrev=False,
    )
    command.add_argument(
        "--draw", type=Path, metavar="FILE",
        help="draw a backward walk of it: .svg, .html, .dot, .tex, .png or .pdf",
    )  # fmt: skip
    command.add_argument(
        "--play", type=Path, metavar="FILE", help="write an .html page that steps through the walk"
    )
    command.add_argument(
        "--sheet", type=Path, metavar="FILE", help="write the walk as a live spreadsheet: .xlsx"
    )
    command.add_argument(
        "--at", type=_positive, default=1, metavar="N",
        help="which walk, counting its calls of backward() and autograd.grad (default: 1)",
    )  # fmt: skip
    _add_level(command)
    command.add_argument(
        "--steps", type=steps_of, default="auto", metavar="STEPS",
        help="which time steps to draw: all, the first and last as 2:3, or those of a list as "
        "1,5,9 (default: all of a few, else 2:3)",
    )  # fmt: skip
    _add_width(command)
    command.add_argument(
        "--literal", action="store_true",
        help="compute recurrent layers operation by operation, not fused",
    )  # fmt: skip
    command.add_argument("script", type=Path, metavar="SCRIPT", help="the program's file")
    rest = command.add_argument(
        "arguments", nargs=argparse.REMAINDER, metavar="ARGUMENT", help="what the program is given"
    )
    rest.required = False  # as it is, but argparse would say otherwise
    command.set_defaults(run=program.run)


def _add_draw(commands: Any) -> None:
    command = commands.add_parser(
        "draw",
        help="draw a recurrent net, unrolled, with its gradients",
        description="Draw the unrolled graph of a recurrent layer with a readout, on a random "
        "sequence, and the gradients that flow back through it.",
    )
    _add_net(command)
    _add_level(command)
    command.add_argument(
        "--theme", choices=tuple(THEMES), default="light",
        help="colours for light or for dark paper (default: light)",
    )  # fmt: skip
    _add_width(command)
    command.add_argument(
        "--size", choices=("slide", "column"),
        help="of an .svg, .png or .pdf: for a slide of 16:9, or for a column of a paper, which a "
        ".tex has, too",
    )  # fmt: skip
    _add_output(command, "where to write it: .svg, .html, .dot, .tex, .png or .pdf")
    command.set_defaults(run=_draw)


def _add_level(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--level", choices=viz.picture.LEVELS, default="auto",
        help="what a box stands for: an operation (op), a cell, in the rolled picture an operation "
        "of all steps; step: a heat map (default: auto)",
    )  # fmt: skip


def _add_width(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--width", type=_positive, metavar="POINTS",
        help="the widest that a picture may be, such as 1200 for a page",
    )  # fmt: skip


def _draw(options: argparse.Namespace) -> int:
    check_output("draw", options.output, PICTURES)
    given = {name: getattr(options, name) for name in ("level", "theme", "width")}
    picture = viz.draw(bptt.record(_net(options)), **given)
    return _wrote(picture.save(options.output, size=options.size))


def _add_play(commands: Any) -> None:
    command = commands.add_parser(
        "play",
        help="write a page that steps through the backward walk of a recurrent net",
        description="Write an HTML page that steps through the backward walk of a recurrent layer "
        "with a readout, on a random sequence; or, live, show one in which numbers can be changed.",
    )
    _add_net(command)
    where = command.add_mutually_exclusive_group(required=True)
    _add_output(where, "where to write it: an .html file", required=False)
    where.add_argument(
        "--live", action="store_true",
        help="open it in the browser and compute again whatever is changed there, until it is "
        "closed, or Ctrl-C",
    )  # fmt: skip
    command.set_defaults(run=_play)


def _play(options: argparse.Namespace) -> int:
    if not options.live:
        check_output("play", options.output, PLAYERS)
    _check_boxes(options, "play", viz.player.MOST)
    if not options.live:
        return _wrote(viz.play(_net(options), options.output))
    player = viz.play(_net(options), live=True)
    print(f"the player is at {player.address} until it is closed, or Ctrl-C", flush=True)
    player.open()
    return 0


def _add_program(commands: Any) -> None:
    command = commands.add_parser(
        "program",
        help="write backpropagation through time of a recurrent net as a NumPy program",
        description="Write the forward and the backward of a recurrent layer, over time, as a "
        "program that imports NumPy and nothing else. It is written from the graph of one step.",
    )
    _add_cell(command)
    _add_numbers(command, ("layers", "hidden", "inputs"))
    command.add_argument("--bidirectional", action="store_true", help="read it both ways")
    command.add_argument("--optimised", action="store_true", help="as it is run, not as it is read")
    command.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="where to write it (default: print it)"
    )
    command.set_defaults(run=_program)


def _program(options: argparse.Namespace) -> int:
    net = samples.CELLS[options.cell](
        options.inputs, options.hidden, options.layers, bidirectional=options.bidirectional
    )
    text = bptt.program(net, optimised=options.optimised)
    if options.output is None:
        print(text, end="")
        return 0
    write(options.output, text)
    return _wrote(options.output)


def _add_sheet(commands: Any) -> None:
    command = commands.add_parser(
        "sheet",
        help="write backpropagation through time of a recurrent net as a live spreadsheet",
        description="Write the forward and the backward of a recurrent layer with a readout, on a "
        "random sequence, as a spreadsheet in which numbers can be changed and all else follows.",
    )
    _add_net(command)
    command.add_argument(
        "--rate", type=float, default=0.1, metavar="η",
        help="of the step of gradient descent that the sheet makes (default: 0.1)",
    )  # fmt: skip
    _add_output(command, "where to write it: an .xlsx file")
    command.set_defaults(run=_sheet)


def _sheet(options: argparse.Namespace) -> int:
    check_output("sheet", options.output, SHEETS)
    sheets.check_steps(options.steps)  # before the net is unrolled, which may take long
    bptt.spreadsheet(bptt.record(_net(options)), options.output, rate=options.rate)
    return _wrote(options.output)


def _add_worksheet(commands: Any) -> None:
    command = commands.add_parser(
        "worksheet",
        help="write an exercise: a recurrent net to be computed by hand",
        description="Write an exercise on a recurrent layer with a readout: a spreadsheet that "
        "checks itself, or a page to print with its key in a file beside it. Its numbers have one "
        "decimal; each --seed makes another exercise.",
    )
    _add_net(command)
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
    _add_output(command, "where to write it: .xlsx, .html or .pdf")
    command.set_defaults(run=_worksheet)


def _hidden(text: str) -> list[str | int]:
    return [int(part) if part.isdecimal() else part for part in text.split(",") if part]


def _worksheet(options: argparse.Namespace) -> int:
    check_output("worksheet", options.output, EXERCISES)
    _check_boxes(options, "worksheet", READABLE)
    paths = viz.worksheet(
        bptt.record(_net(options)), options.output, options.hide, seed=options.seed, nice=True,
        tolerance=options.tolerance, hints=not options.no_hints,
    )  # fmt: skip
    for path in paths:
        _wrote(path)
    return 0


def _add_grade(commands: Any) -> None:
    command = commands.add_parser(
        "grade",
        help="mark worksheets that were filled in",
        description="Mark spreadsheets that the command worksheet, or bptt.worksheet, has written "
        "and students have filled in. Exit status 1 if one of them could not be graded.",
    )
    command.add_argument("files", nargs="+", type=Path, metavar="FILE")
    command.add_argument("--csv", type=Path, metavar="FILE", help="write the table as CSV, too")
    command.set_defaults(run=_grade)


def _grade(options: argparse.Namespace) -> int:
    grades = bptt.grade(options.files)
    print(grades)
    if options.csv is not None:
        _wrote(grades.save(options.csv))
    return int(any(grade.refused for grade in grades))


def _add_check(commands: Any) -> None:
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
    command.add_argument("--seed", type=_whole, metavar="N", help="other inputs, dealt out by N")
    command.add_argument("--json", action="store_true", help="print the results as JSON")
    command.add_argument("--torch", action="store_true", help="refuse to do without PyTorch")
    command.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> int:
    from tinygrad_rnn.testing.check import check  # its cases take a while to draw

    if options.torch and installed_torch() is None:
        return _refused("--torch was given, but PyTorch is not installed: pip install torch")
    everything = not options.ops and not options.modules
    operations = None if everything else options.ops or []
    result = check(operations, layers=everything or options.modules, seed=options.seed)
    if options.json:
        print(json.dumps(result.as_dict(), indent=2, ensure_ascii=False))
    else:
        print(result, *result.failures(), sep="\n")
    return 0 if result.ok else 1


def _add_completion(commands: Any) -> None:
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
    command.set_defaults(run=_completion)


def _completion(options: argparse.Namespace) -> int:
    print(completion.script(options.shell), end="")
    return 0


# What the commands share.


def _add_cell(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--cell", choices=tuple(samples.CELLS), default="lstm",
        help="the kind of layer (default: lstm)",
    )  # fmt: skip


def _add_net(command: argparse.ArgumentParser) -> None:
    _add_cell(command)
    _add_numbers(command, _NUMBERS)
    command.add_argument("--bidirectional", action="store_true", help="read it both ways")
    command.add_argument(
        "--every-step", action="store_true", help="a loss at every step, not at the last one only"
    )
    command.add_argument("--seed", type=int, default=0, metavar="N", help="of all random numbers")


_NUMBERS = {
    "layers": (1, "layers of the stack"),
    "steps": (4, "time steps"),
    "hidden": (2, "elements of a state"),
    "inputs": (2, "elements of an input"),
}


def _add_numbers(command: argparse.ArgumentParser, names: Iterable[str]) -> None:
    for name in names:
        default, what = _NUMBERS[name]
        command.add_argument(
            f"--{name}", type=_positive, default=default, metavar="N",
            help=f"{what} (default: {default})",
        )  # fmt: skip


def _whole(text: str, least: int = 0) -> int:
    number = int(text)
    if number < least:
        raise argparse.ArgumentTypeError(f"must be at least {least}, not {number}")
    return number


def _positive(text: str) -> int:
    return _whole(text, least=1)


_whole.__name__ = _positive.__name__ = "whole number"  # as argparse calls it when it refuses a text


def _net(options: argparse.Namespace) -> Any:
    names = ("layers", "steps", "hidden", "inputs", "bidirectional", "every_step", "seed")
    return samples.unrolled(options.cell, **{name: getattr(options, name) for name in names})


def _check_boxes(options: argparse.Namespace, command: str, most: int) -> None:
    """Refuse what has too many boxes before the net is unrolled, which may take long."""
    names = ("layers", "steps", "bidirectional", "every_step")
    boxes = samples.boxes_of(options.cell, **{name: getattr(options, name) for name in names})
    check_count(command, boxes, most)


def _add_output(command: Any, text: str, required: bool = True) -> None:
    command.add_argument("-o", "--output", type=Path, required=required, metavar="FILE", help=text)


def _wrote(path: Path) -> int:
    print(f"wrote {path}")
    return 0


def _refused(why: str) -> int:
    print(f"tinygrad-rnn: error: {why}", file=sys.stderr)
    return 2


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
        return _refused(_not_written(error))
    except TooManyBoxes as error:
        ways = [f"--level {level}" for level in error.coarser] + ["fewer --steps or --layers"]
        return _refused(
            f"this net has {error.boxes:,} boxes, and a readable picture at most "
            f"{error.allowed:,}: use {', '.join(ways)}"
        )
    except (
        ValueError,
        RuntimeError,
        ImportError,
    ) as error:  # too many boxes, nothing that makes a PNG, …
        return _refused(str(error))
    except MemoryError as error:
        return _refused(f"not enough memory: {str(error) or 'make it smaller'}")
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
