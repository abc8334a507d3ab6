"""Running a program of somebody else: what it prints, raises and returns stays its own."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from tinygrad_rnn.cli import output
from tinygrad_rnn.compat.missing import hint_for, is_machinery
from tinygrad_rnn.compat.script import Program, watch_of
from tinygrad_rnn.compat.watching import Watch
from tinygrad_rnn.viz.options import TooManyBoxes


def run(options: argparse.Namespace) -> int:
    """Run the script; returns its exit status, or 2 if it cannot be read or drawn."""
    script = options.script
    try:
        program = Program(script)
    except OSError as error:
        raise ValueError(f"cannot read {script}: {error.strerror or error}") from error
    except SyntaxError as error:
        where = f" in line {error.lineno}" if error.lineno else ""
        _say(f"{script} is no Python program: {error.msg}{where}")
        return 1  # as Python has it
    names = ("draw", "play", "sheet", "at", "level", "steps", "width", "theme", "language")
    watch = watch_of(**{name: getattr(options, name) for name in names})
    if watch is None:
        _check_unused(options)
        status = _ended(program, options, None)
        if said := _given_to_the_script(options):
            _say(said)
        return status
    watch.then = lambda: _say(_not_drawn(script, watch))
    status = _ended(program, options, watch)
    if watch.problem and not watch.error:  # else it was said when it happened
        _say(_not_drawn(script, watch))
    return status or (2 if watch.problem else 0)


def _check_unused(options: argparse.Namespace) -> None:
    """Refuse what says how to draw where nothing is drawn."""
    usual = {"at": 1, "level": "auto", "steps": "auto", "width": None}
    usual |= {"theme": "light", "language": "en"}
    given = [f"--{name}" for name, value in usual.items() if getattr(options, name) != value]
    if given:
        raise ValueError(
            f"there is nothing to draw for {', '.join(given)}: put --draw FILE, --play FILE "
            "or --sheet FILE before the script's name"
        )


def _given_to_the_script(options: argparse.Namespace) -> str | None:
    """What somebody may have meant for this command, who wrote it behind the script's name."""
    meant = [word for word in ("--draw", "--play", "--sheet") if word in options.arguments]
    if not meant:
        return None
    return (
        f"{meant[0]} stands behind {options.script}, and was given to it: for a picture of its "
        "walk write it before the name"
    )


def _not_drawn(script: Path, watch: Watch) -> str | None:
    """Why there is no picture, in terms of the command's options."""
    if isinstance(watch.error, TooManyBoxes):
        ways = "".join(f" or --level {level}" for level in watch.error.coarser)
        return (
            f"{script}: backward {watch.at} has {watch.error.boxes:,} boxes, and at most "
            f"{watch.error.allowed:,} can be shown: use fewer --steps{ways}"
        )
    return watch.problem and f"{script}: {' '.join(watch.problem.split())}"


def _ended(program: Program, options: argparse.Namespace, watch: Watch | None) -> int:
    """How the program ended: its status, after what has to be said of it."""
    status = 0
    try:
        try:
            program.run(options.arguments, watch, options.literal)
        except SystemExit as leaving:
            status = _status(leaving)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except KeyboardInterrupt:
        raise
    except BrokenPipeError:
        output.give_up()
        _say(f"{program.path}: nobody reads what it prints any more (broken pipe)")
        return status or 1
    except BaseException as error:
        sys.stderr.writelines(_traceback(error))
        return 1
    return status


def _status(leaving: SystemExit) -> int:
    if leaving.code is None or isinstance(leaving.code, int):
        return leaving.code or 0
    print(leaving.code, file=sys.stderr)
    return 1


def _traceback(error: BaseException) -> Iterator[str]:
    """What Python prints of it, but for the calls inside this package."""
    yield from _of_the_program(traceback.TracebackException.from_exception(error)).format()
    if hint := hint_for(error):
        yield f"{hint}\n"


def _of_the_program(said: traceback.TracebackException) -> traceback.TracebackException:
    """The same without the package's calls, and without causes that the program had no part in."""
    said.stack[:] = [frame for frame in said.stack if not is_machinery(frame.filename)]
    for name in ("__cause__", "__context__"):
        if (other := getattr(said, name)) is not None and not _of_the_program(other).stack:
            setattr(said, name, None)
    return said


def _say(what: str | None) -> None:
    if what:
        output.refused(what)
