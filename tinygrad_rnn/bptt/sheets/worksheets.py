"""Exercises as spreadsheets that check themselves.

What is asked for stays empty on the sheet of the walk.  Whatever is computed of it refers to what
the student fills in, and waits until that is there: the rest of the net follows from the student's
own numbers.  So an answer is right in one of two ways: it is the one that the file keeps, or it
follows by the rule from what the student has found before (one mistake costs one point, not all
that come after it).  Both are compared on a sheet that is hidden, as the answers are.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_rnn import files
from tinygrad_rnn.bptt.exercises import TOLERANCE, Exercise, Hide, Task, exercise
from tinygrad_rnn.bptt.record import Record
from tinygrad_rnn.bptt.sheets.blocks import Block
from tinygrad_rnn.bptt.sheets.checking import (
    ANSWERS,
    FOLLOWING,
    FOLLOWS,
    LISTED,
    NO_NUMBER,
    NOT_YET,
    RIGHT,
    WRONG,
    Asked,
    Checking,
)
from tinygrad_rnn.bptt.sheets.lines import computed
from tinygrad_rnn.bptt.sheets.plan import WALK, Plan, planned
from tinygrad_rnn.bptt.sheets.signs import A4
from tinygrad_rnn.bptt.sheets.workbook import Writing, digest, needs, numbers_only
from tinygrad_rnn.compiled.cells import Cell
from tinygrad_rnn.compiled.symbols import Value
from tinygrad_rnn.writing.palette import LIGHT
from tinygrad_rnn.writing.text import cut

Array = np.ndarray[Any, Any]

EXERCISE, CHECKS, KEPT = "exercise", "checks", "kept"
FORMAT = "tinygrad_rnn worksheet, format 1"
NAME = Cell(2, 1)
"""Where the student's name is to be written, on the sheet `EXERCISE`."""
_SIGNS = {RIGHT: "✓", FOLLOWING: "→", WRONG: "✗", NO_NUMBER: "?"}
_FIRST = 9  # row of the tasks
_HEADS = ("task", "asked for", "element", "cell", "your number", "check", "points", "hint")
_WIDTHS = (8, 26, 10, 8, 14, 12, 8, 100)
_CHUNK = 30_000  # characters of a cell, which holds at most 32,767
_MOST_ARGUMENTS = 250
_REFERENCE = re.compile(r"(?<![\w.$!])([A-Z]{1,3})(\d+)(?::([A-Z]{1,3})(\d+))?(?![\w.(])")


def worksheet(
    record: Record,
    path: str | os.PathLike[str],
    hide: Hide = "gradients",
    *,
    seed: int | None = None,
    nice: bool = False,
    tolerance: float = TOLERANCE,
    hints: bool = True,
) -> Path:
    """Write an exercise as a spreadsheet that checks itself.

    What is hidden is left empty, to be filled in with numbers, or with formulas: they are the
    student's own calculation. Beside each number stands whether it is right, wrong, or not there
    yet; points are summed. What is computed of a hidden number waits for it, and then follows from
    what was filled in. An answer that is wrong only because of an earlier one, and follows from
    that by the rule, is marked as such, and gets its point. The answers are on a hidden sheet, and
    all cells but those to be filled in are locked, without a password.

    A page to print is written by `viz.worksheet`.

    Parameters
    ----------
    record : Record
        Of `bptt.record`.
    path : path
        Ends in ``.xlsx``.
    hide, seed, nice, tolerance
        What is asked, and of which numbers: see `bptt.exercise`.
    hints : bool
        Whether each task says by which rule it is computed.

    Returns
    -------
    Path

    Raises
    ------
    TypeError, ValueError
        As `bptt.exercise` and `bptt.spreadsheet`; for any other suffix.
    ImportError
        If the extra ``spreadsheet`` is not installed.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor(0.5, requires_grad=True).named("w")
    >>> walk = tg.bptt.record(tg.tanh(w * 3).named("h"))
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = worksheet(walk, f"{directory}/exercise.xlsx", nice=True)
    ...     (grade,) = tg.bptt.grade(path)
    >>> grade.points, grade.empty
    (0, 2)
    """
    path = Path(path)
    if path.suffix.lower() != ".xlsx":
        raise ValueError(
            f"worksheet: {path.name!r} does not end in .xlsx; a page to print, .html or .pdf, is "
            "written by viz.worksheet"
        )
    files.writable(path)  # or it says why not, before anything runs
    writer = needs("xlsxwriter")
    asked = exercise(record, hide, seed=seed, nice=nice, tolerance=tolerance)
    stream = io.BytesIO()
    book = writer.Workbook(stream, {"in_memory": True, "strings_to_urls": False})
    Asking(asked, book, hints).run()
    book.close()
    files.write(path, stream.getvalue())
    return path


def _without_a_step(plan: Plan) -> Plan:
    """The sheet without what a step of gradient descent makes, which tells the gradients."""
    plan.stepped, plan.after = [], []
    return plan


class Asking(Writing):
    """The sheets of an exercise, which are written into a book, and what they keep."""

    def __init__(self, asked: Exercise, book: Any = None, hints: bool = True) -> None:
        super().__init__(_without_a_step(planned(asked.record)), book, lambda block: False)
        plan = self.plan
        self.asked, self.hints = asked, hints
        self.tasks = {block: task for block in plan.blocks if (task := self._task(block))}
        self.answers = {
            cell: (task, i) for block, task in self.tasks.items()
            for i, cell in enumerate(block.cells)
        }  # fmt: skip
        hidden = {(task.place, task.kind) for task in self.tasks.values()}
        self.workings = {
            block for block in plan.blocks if block not in self.tasks and _leads_to(block, hidden)
        }
        self.open = {cell for block in self.workings for cell in block.cells}
        self.formulas = {
            cell: formula for block in plan.blocks
            for cell, formula in zip(block.cells, block.formulas)
        }  # fmt: skip
        self.waiting = self._waiting()

    def _task(self, block: Block) -> Task | None:
        """What asks for the numbers of a block."""
        kind = {"value": "values", "gradient": "gradients"}.get(block.what)
        return None if kind is None else self.asked.task_of(block.of, kind)

    def _waiting(self) -> set[Cell]:
        """The cells that are computed of what is to be filled in."""
        empty, found = self.answers.keys() | self.open, set[Cell]()
        readers: dict[Cell, list[Cell]] = {}
        for cell, formula in self.formulas.items():
            for at in _read(formula) if cell not in empty else ():
                readers.setdefault(at, []).append(cell)
        asked = list(empty)
        while asked:
            for reader in readers.get(asked.pop(), ()):
                if reader not in found:
                    found.add(reader)
                    asked.append(reader)
        return found

    def run(self) -> None:
        """Write all sheets: what is hidden comes last."""
        self.book.set_properties({"title": "Backpropagation through time, by hand"})
        front = self.book.add_worksheet(EXERCISE)
        self._walk()
        walk = self.book.get_worksheet_by_name(WALK)
        checks, answers, follows, listed, kept = (
            self.book.add_worksheet(name) for name in (CHECKS, ANSWERS, FOLLOWS, LISTED, KEPT)
        )
        self._compare(checks, answers, listed)
        for cell in self._derived():
            follows.write_formula(*cell, self._following(cell), None, "")
        for block, task in self.tasks.items():
            self._mark(walk, block, task)
        for block in self.workings:
            walk.data_validation(*block.cells[0], *block.cells[-1], numbers_only(block.title))
        self._front(front)
        for i, chunk in enumerate(_chunks(self.kept())):
            kept.write_string(i, 0, chunk)
        for sheet in (checks, answers, follows, listed, kept):
            sheet.protect()
            sheet.very_hidden()
        for sheet in (front, walk):
            sheet.protect("", {"format_columns": True, "format_rows": True})
        front.activate()

    # -- the sheet of the walk --

    def _cells(
        self, sheet: Any, block: Block, formulas: Sequence[str], numbers: Array,
        plain: bool = False,
    ) -> None:  # fmt: skip
        if block in self.tasks or block in self.workings:
            for cell in block.cells:
                sheet.write_blank(*cell, None, self._empty(block in self.tasks))
            return
        whole = block.value.dtype.kind != "f"
        look = self.format.numbers(block, whole)
        if block.is_input:  # given: who changes it has another exercise
            paint = LIGHT.boxes[block.kind]
            look = self.format(
                num_format="0" if whole else "0.0###", bold=True, bg_color=paint.fill, border=1,
                border_color=paint.border,
            )  # fmt: skip
        for i, (cell, number) in enumerate(zip(block.cells, np.ravel(numbers).tolist())):
            if not formulas:
                sheet.write_number(*cell, float(number), look)
            elif cell in self.waiting:
                sheet.write_formula(*cell, _when_known(formulas[i]), look, "")
            else:
                sheet.write_formula(*cell, formulas[i], look, float(number))

    def _expect(self, sheet: Any, block: Block) -> None:
        """Given numbers are locked: nobody is to type there."""

    def _empty(self, is_asked: bool) -> Any:
        """The look of a cell to be filled in, or of one for workings."""
        look = {"num_format": "0.0000", "locked": False}
        if is_asked:
            return self.format(**look, border=2, border_color=LIGHT.gradient)
        return self.format(**look, border=4, border_color=LIGHT.muted, font_color=LIGHT.muted)

    def _result(self, sheet: Any, at: Cell, said: str, where: str, number: Array) -> None:
        loss = self.plan.loss.cell(0)
        if loss not in self.answers and loss not in self.waiting:
            super()._result(sheet, at, said, where, number)

    def _said(self, block: Block) -> str:
        if block not in self.tasks:
            return super()._said(block)
        return f"({self.tasks[block].number}) {block.label if self.hints else block.title}"

    def _mark(self, sheet: Any, block: Block, task: Task) -> None:
        """Show in the cells themselves what the checks say, by colour and by a sign."""
        first, last = block.cells[0], block.cells[-1]
        area = (*first, *last)
        told = numbers_only(f"({task.number}) {task.name}")
        told["input_title"] = told["error_title"]
        if self.hints:
            told["input_message"] = cut(task.hint, 255)
        sheet.data_validation(*area, told)
        for said, look in self._verdicts.items():
            sheet.conditional_format(*area, {
                "type": "formula",
                "criteria": f'=INDIRECT("{CHECKS}!"&ADDRESS(ROW(),COLUMN()))="{said}"',
                "format": look,
            })  # fmt: skip

    @cached_property
    def _verdicts(self) -> dict[str, Any]:
        """The look of a number by what the checks say of it."""
        return {
            said: self.book.add_format({"num_format": f'0.0000" {sign}"', **_paint(said)})
            for said, sign in _SIGNS.items()
        }

    # -- hidden sheets --

    def _compare(self, checks: Any, answers: Any, listed: Any) -> None:
        """Write what is right, and what each number is worth."""
        cells = [cell for cell, _ in self._in_order()]
        asked = {
            str(cell): Asked(task.number, float(task.answer.flat[i]))
            for cell, (task, i) in self.answers.items()
        }
        checking = Checking(list(map(str, cells)), asked, WALK, self.asked.tolerance)
        for row, cell in enumerate(cells):
            answers.write_number(*cell, asked[str(cell)].answer)
            checks.write_formula(*cell, checking.verdict(str(cell)), None, NOT_YET)
            for column, what in enumerate(checking.line(str(cell))):
                listed.write(row, column, what)

    def _derived(self) -> list[Cell]:
        """The empty cells whose numbers follow from others."""
        return [cell for cell in (*self.answers, *self.open) if cell in self.formulas]

    def _following(self, cell: Cell) -> str:
        """What a cell comes to, if the student's numbers are taken for the others."""

        def elsewhere(found: re.Match[str]) -> str:
            own = _cell(found[1], found[2]) in self.open
            return found[0] if own else f"{WALK}!{found[0]}"

        return _REFERENCE.sub(elsewhere, _when_known(self.formulas[cell]))

    def kept(self) -> dict[str, Any]:
        """What a worksheet needs to be graded, and to be told from one that was changed."""
        given, formulas = dict[str, float](), dict[str, list[Any]]()
        for block in self.plan.blocks:
            if block in self.tasks or block in self.workings:
                continue
            cells = list(map(str, block.cells))
            if not block.formulas:
                given |= zip(cells, np.ravel(block.numbers).tolist())
            else:
                written = [
                    _when_known(formula) if cell in self.waiting else formula
                    for cell, formula in zip(block.cells, block.formulas)
                ]
                formulas[block.title] = [cells, digest(written)]
        tasks = [
            {
                "name": task.name, "kind": task.kind, "cells": list(map(str, block.cells)),
                "answers": task.answer.astype(float).ravel().tolist(),
            }
            for block, task in sorted(self.tasks.items(), key=lambda pair: pair[1].number)
        ]  # fmt: skip
        ways = self._derived()
        follows = [list(map(str, ways)), digest(list(map(self._following, ways)))]
        asked = self.asked
        return {
            "follows": follows, "hide": asked.hide, "seed": asked.seed, "nice": asked.nice,
            "tolerance": asked.tolerance, "tasks": tasks, "given": given, "formulas": formulas,
        }  # fmt: skip

    def follows_from(self, given: Mapping[str, float]) -> dict[str, float]:
        """What the answers are by the rules, if one takes other numbers for the others.

        Parameters
        ----------
        given : mapping of float, by cell
            What was filled in.

        Returns
        -------
        dict of float, by cell
            NaN where something is missing of which it is computed.
        """
        home: dict[Value, Block] = {}
        for block in self.plan.blocks:  # formulas read the first that has the numbers
            home.setdefault(block.value, block)
        filled = {
            block.value: np.reshape([given.get(str(at), np.nan) for at in block.cells], block.shape)
            for block in self.tasks if home[block.value] is block
        }  # fmt: skip
        found: dict[str, float] = {}
        for block in self.tasks:
            others = {value: x for value, x in filled.items() if home[value] is not block}
            numbers = np.broadcast_to(computed([block.value], others)[block.value], block.shape)
            found |= zip(map(str, block.cells), np.ravel(numbers).astype(float).tolist())
        return found

    # -- the sheet with the tasks --

    def _front(self, sheet: Any) -> None:
        look, asked = self.format, self.asked
        last = _FIRST + asked.points
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.set_paper(A4)
        sheet.fit_to_pages(1, 0)
        sheet.freeze_panes(_FIRST, 0)
        sheet.write_string(0, 0, "Backpropagation through time, by hand",
                           look(bold=True, font_size=14))  # fmt: skip
        sheet.write_string(1, 0, asked.heading, look(font_color=LIGHT.muted))
        sheet.write_string(NAME.row, 0, "Name", look(bold=True))
        line = look(bottom=1, bottom_color=LIGHT.muted, locked=False)
        sheet.merge_range(*NAME, NAME.row, NAME.column + 2, "", line)
        sheet.write_string(3, 0, "Points", look(bold=True))
        total = f'=SUM(G{_FIRST + 1}:G{last})&" of {asked.points}"'
        sheet.write_formula(3, 1, total, look(bold=True), f"0 of {asked.points}")
        for row, text in enumerate(self._words(), 5):
            sheet.write_string(row, 0, text, look())
        heads = look(bold=True, bottom=2, bottom_color=LIGHT.frame, align="left")
        for column, (head, wide) in enumerate(zip(_HEADS, _WIDTHS)):
            sheet.set_column(column, column, wide)
            if self.hints or head != "hint":
                sheet.write_string(_FIRST - 1, column, head, heads)
        for row, (cell, (task, i)) in enumerate(self._in_order(), _FIRST):
            self._line(sheet, row, cell, task, i)
        for said in _SIGNS:
            sheet.conditional_format(_FIRST, 5, last - 1, 5, {
                "type": "cell", "criteria": "==", "value": f'"{said}"',
                "format": self.book.add_format(_paint(said)),
            })  # fmt: skip

    def _words(self) -> list[str]:
        percent = 100 * self.asked.tolerance
        return [
            f"Fill in the framed cells of the sheet '{WALK}', with numbers or with formulas; the "
            "dashed ones are for your workings. What depends on a number appears when it is there.",
            f"right ✓: within {percent:g} % of the answer. follows →: wrong only because of an "
            "earlier number of yours; it gets its point, too. wrong ✗. no number ?",
        ]

    def _in_order(self) -> list[tuple[Cell, tuple[Task, int]]]:
        return sorted(self.answers.items(), key=lambda item: (item[1][0].number, item[1][1]))

    def _line(self, sheet: Any, row: int, cell: Cell, task: Task, i: int) -> None:
        """One number that is asked for."""
        above = {} if i else {"top": 1, "top_color": LIGHT.frame}
        look = self.format(**above, align="left")
        number = self.format(**above, num_format="0.0000")
        if i == 0:
            sheet.write_number(row, 0, task.number, look)
            sheet.write_string(row, 1, task.name, look)
            sheet.write_string(row, 7, task.hint if self.hints else "", look)
        else:
            for column in (0, 1):
                sheet.write_blank(row, column, None, look)
        sheet.write_string(row, 2, _element(task.answer, i), look)
        sheet.write_url(row, 3, f"internal:{WALK}!{cell}", look, str(cell))
        given, check = f"{WALK}!{cell}", f"{CHECKS}!{cell}"
        sheet.write_formula(row, 4, f'=IF(ISBLANK({given}),"",{given})', number, "")
        beside = self.format(**above, align="left", indent=1)  # the number ends where it begins
        sheet.write_formula(row, 5, f"={check}", beside, NOT_YET)
        points = f'=IF(OR({check}="{RIGHT}",{check}="{FOLLOWING}"),1,0)'
        sheet.write_formula(row, 6, points, look, 0)


def _leads_to(block: Block, hidden: set[tuple[Any, str]]) -> bool:
    """Whether a block is a part of what is asked for, or a number on the way there."""
    if block.what == "aid":
        is_forward = block.key[1][-1] in ("leaf", "value")
        return (block.of, "values" if is_forward else "gradients") in hidden
    return block.what in ("share", "part") and (block.of, "gradients") in hidden


def _paint(said: str) -> dict[str, Any]:
    """The colours of what a check says."""
    kinds = {RIGHT: "state", FOLLOWING: "input"}
    if said in kinds:
        paint = LIGHT.boxes[kinds[said]]
        return {"bg_color": paint.fill, "font_color": paint.border}
    return {"bg_color": LIGHT.heat[2].fill, "font_color": LIGHT.gradient}


def _element(answer: Array, i: int) -> str:
    """Which element of an array a number is, counted from 1."""
    return ", ".join(str(k + 1) for k in np.unravel_index(i, answer.shape)) if answer.ndim else ""


# -- formulas --------------------------------------------------------------------------------------


def _cell(letters: str, row: str) -> Cell:
    column = 0
    for letter in letters:
        column = 26 * column + ord(letter) - ord("A") + 1
    return Cell(int(row) - 1, column - 1)


def _read(formula: str) -> Iterator[Cell]:
    """The cells that a formula reads."""
    for found in _REFERENCE.finditer(formula):
        first = last = _cell(found[1], found[2])
        if found[3]:
            last = _cell(found[3], found[4])
        for row in range(first.row, last.row + 1):
            for column in range(first.column, last.column + 1):
                yield Cell(row, column)


def _when_known(formula: str) -> str:
    """The formula, empty as long as a cell is empty that it reads."""
    cells = len(set(_read(formula)))
    areas = list(dict.fromkeys(found[0] for found in _REFERENCE.finditer(formula)))
    if sum(len(set(_read(area))) for area in areas) != cells:  # they overlap
        areas = list(map(str, dict.fromkeys(_read(formula))))
    parts = [areas[i : i + _MOST_ARGUMENTS] for i in range(0, len(areas), _MOST_ARGUMENTS)]
    counted = "+".join(f"COUNT({','.join(part)})" for part in parts)
    return f'=IF({counted}={cells},{formula.removeprefix("=")},"")' if areas else formula


# -- what is kept ----------------------------------------------------------------------------------


def _chunks(kept: dict[str, Any]) -> list[str]:
    """Data as cells of text, the first of them a sum over the others."""
    packed = zlib.compress(json.dumps(kept, sort_keys=True).encode(), 9)
    text = base64.b64encode(packed).decode()
    return [_sum(text), *(text[i : i + _CHUNK] for i in range(0, len(text), _CHUNK))]


def _sum(text: str) -> str:
    return f"{FORMAT}: {hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}"


def unpacked(chunks: Iterable[str]) -> dict[str, Any] | None:
    """What a worksheet keeps; ``None`` if it was changed.

    Examples
    --------
    >>> unpacked(_chunks({"tasks": []})), unpacked(["changed", ""])
    ({'tasks': []}, None)
    """
    first, *rest = chunks
    text = "".join(rest)
    if first != _sum(text):
        return None
    limited = zlib.decompressobj().decompress(base64.b64decode(text), 1 << 26)
    found: dict[str, Any] = json.loads(limited)
    return found
