"""Running a program written for PyTorch as it is, and drawing one of its backward walks."""

from __future__ import annotations

import builtins
import os
import sys
from argparse import ArgumentTypeError
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from tinygrad_rnn import bptt, files, viz
from tinygrad_rnn.bptt.record import Record
from tinygrad_rnn.bptt.sheets.workbook import needs
from tinygrad_rnn.compat.watching import NotDrawn, Watch
from tinygrad_rnn.compat.world import as_torch
from tinygrad_rnn.compiled.choice import fused
from tinygrad_rnn.engine.mode import here
from tinygrad_rnn.operations.dtypes import get_default_dtype, set_default_dtype
from tinygrad_rnn.tensor.printing import printoptions
from tinygrad_rnn.viz import images
from tinygrad_rnn.viz.chart import theme_of
from tinygrad_rnn.viz.grouping import Steps
from tinygrad_rnn.viz.languages import speaking

PICTURES = (".svg", ".html", ".dot", ".tex", ".png", ".pdf")
PLAYERS = (".html", ".htm")
SHEETS = (".xlsx",)


@dataclass(frozen=True, eq=False)
class Ran:
    """A program that has run.

    Attributes
    ----------
    namespace : dict
        The program's global names.
    walk : Record or None
        The backward walk that was drawn or played.
    """

    namespace: dict[str, Any] = field(repr=False)
    walk: Record | None = None


def run(
    path: str | Path,
    argv: Sequence[str] = (),
    *,
    draw: str | Path | None = None,
    play: str | Path | None = None,
    sheet: str | Path | None = None,
    at: int = 1,
    level: str = "auto",
    steps: Steps | None = None,
    width: int | None = None,
    theme: str = "light",
    language: str = "en",
    literal: bool = False,
) -> Ran:
    """Run a program written for PyTorch, unchanged, in a world where ``torch`` is this package.

    It runs as ``python path …`` does: as ``__main__``, its directory first on ``sys.path``.  What
    it raises comes through, `SystemExit` included.

    Parameters
    ----------
    path : path
        The program.
    argv : sequence of str
        What it finds in ``sys.argv[1:]``.
    draw : path, optional
        Where a picture of one of its backward walks goes: .svg, .html, .dot, .tex, .png or .pdf.
    play : path, optional
        Where the page goes on which one steps through that walk: .html.
    sheet : path, optional
        Where that walk goes as a live spreadsheet: .xlsx.
    at : int
        Which walk, counted from 1: each ``backward()`` and each ``autograd.grad`` is one.
        The program's lines are traced until then.
    level, steps, width, theme, language
        As of `viz.draw`; the language is that of the page, too, which takes the reader's colours.
    literal : bool
        Compute recurrent layers operation by operation, where they would be `fused`.

    Returns
    -------
    Ran
        Its global names, and the walk.

    Raises
    ------
    OSError
        If the program cannot be read, or the files not be written: then nothing has run.
    SyntaxError
        If it is no Python program.
    NotDrawn
        If it ran, but ended before that walk came, or the walk could not be drawn.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = Path(directory, "program.py")
    ...     _ = path.write_text('''
    ... import torch
    ... w = torch.tensor([0.5], requires_grad=True)
    ... h = torch.ones(1)
    ... for x in range(3):
    ...     h = torch.tanh(w * h)
    ... h.backward()
    ... print(h)''')
    ...     ran = run(path, draw=f"{directory}/walk.svg")
    ...     ran, Path(directory, "walk.svg").exists()
    tensor([0.1130], grad_fn=<TanhBackward0>)
    (Ran(walk=Record(6 visits, 3 time steps)), True)
    """
    program = Program(path)
    watch = watch_of(
        draw=draw, play=play, sheet=sheet, at=at, level=level, steps=steps, width=width,
        theme=theme, language=language,
    )  # fmt: skip
    ran = program.run(argv, watch, literal)
    if watch is not None and (why := watch.problem):
        raise NotDrawn(f"{program.path}: {why}") from watch.error
    return ran


def watch_of(
    *,
    draw: str | Path | None = None,
    play: str | Path | None = None,
    sheet: str | Path | None = None,
    at: int = 1,
    level: str = "auto",
    steps: Steps | None = None,
    width: int | None = None,
    theme: str = "light",
    language: str = "en",
) -> Watch | None:
    """What waits for a walk to draw it, if that is asked for (see `run`).

    Raises
    ------
    ValueError, RuntimeError, OSError
        If the files could not be written: before anything is computed.
    """
    theme_of(theme)
    speaking(language)
    check_output("draw", draw, PICTURES)
    check_output("play", play, PLAYERS)
    check_output("sheet", sheet, SHEETS)
    if draw is not None and play is not None and Path(draw).resolve() == Path(play).resolve():
        raise ValueError(f"the picture and the page to play cannot both be {draw}")

    def show(walk: Record) -> None:
        if draw is not None:
            shown = "auto" if steps is None else steps
            look: dict[str, Any] = {"width": width, "theme": theme, "language": language}
            viz.draw(walk, level=level, steps=shown, **look).save(draw)
        if play is not None:
            viz.play(walk, play, language=language)
        if sheet is not None:
            bptt.spreadsheet(walk, sheet)

    if draw is None and play is None and sheet is None:
        return None
    return Watch(at, show, keep=sheet is not None)


class Program:
    """A program, read and compiled.

    Attributes
    ----------
    path : Path

    Raises
    ------
    OSError
        If it cannot be read.
    SyntaxError
        If it is no Python.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        source = self.path.read_bytes()
        self._name = os.path.abspath(path)  # as Python has it in ``__file__`` and in tracebacks
        try:
            self._code = compile(source, self._name, "exec", dont_inherit=True)
        except ValueError as error:  # null bytes, before Python 3.12
            raise SyntaxError(str(error)) from error

    def run(
        self, argv: Sequence[str] = (), watch: Watch | None = None, literal: bool = False
    ) -> Ran:
        """Run it as ``__main__``, watched or not; what it raises comes through."""
        main = ModuleType("__main__")
        vars(main).update(__file__=self._name, __builtins__=builtins)
        with self._as_a_process(main, argv), as_torch(), fused(not literal):
            if watch is None:
                exec(self._code, vars(main))
            else:
                with watch():
                    exec(self._code, vars(main))
        return Ran(vars(main), None if watch is None else watch.record)

    @contextmanager
    def _as_a_process(self, main: ModuleType, argv: Sequence[str]) -> Iterator[None]:
        """Give a program what a process gives; afterwards all is as it was before."""
        directory = os.path.dirname(os.path.realpath(self.path))
        modules = dict(sys.modules)
        before = sys.argv, sys.path, here.mode, get_default_dtype()
        sys.modules["__main__"] = main
        sys.argv, sys.path = [str(self.path), *argv], [directory, *sys.path]
        try:
            with printoptions():
                yield
        finally:
            sys.argv, sys.path, here.mode, dtype = before
            set_default_dtype(dtype)
            sys.modules["__main__"] = modules["__main__"]
            for name, module in [*sys.modules.items()]:
                if name not in modules and _lies_in(directory, module):
                    del sys.modules[name]  # another program may have a module of this name


def _lies_in(directory: str, module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and file.startswith(os.path.join(directory, ""))


def check_output(option: str, path: str | Path | None, suffixes: Sequence[str]) -> None:
    """Raise if a file could not be written, before anything is computed.

    Raises
    ------
    ValueError
        If the name has none of the suffixes.
    RuntimeError
        If it is to be an image, and what makes them is not installed.
    OSError
        If there can be no such file.
    """
    if path is None:
        return
    if Path(path).suffix.lower() not in suffixes:
        *others, last = suffixes
        ends = f"{', '.join(others)} or {last}" if others else last
        raise ValueError(f"{path} does not end in {ends}")
    if Path(path).suffix.lower() in images.FORMS:
        images.library()
    if Path(path).suffix.lower() in SHEETS:
        needs("xlsxwriter")
    files.writable(path)


def steps_of(text: str) -> Steps:
    """Time steps as an option of a command names them.

    Examples
    --------
    >>> steps_of("all"), steps_of("2:3"), steps_of("1,5,9")
    ('all', (2, 3), [1, 5, 9])
    """
    if text in ("all", "auto"):
        return text
    try:
        if ":" in text:
            first, last = text.split(":")
            return int(first), int(last)
        return [int(t) for t in text.split(",")]
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is neither all, nor as 2:3, nor as 1,5,9") from None
