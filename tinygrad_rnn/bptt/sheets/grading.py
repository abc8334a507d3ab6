"""Marking worksheets that were filled in, many at once."""

from __future__ import annotations

import csv
import io
import math
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinygrad_rnn import files
from tinygrad_rnn.bptt.exercises import exercise
from tinygrad_rnn.bptt.record import Record, expect_record
from tinygrad_rnn.bptt.sheets.checking import (
    ANSWERS,
    FOLLOWING,
    FOLLOWS,
    LISTED,
    NOT_YET,
    RIGHT,
    WRONG,
    Asked,
    checks,
)
from tinygrad_rnn.bptt.sheets.lines import Refused
from tinygrad_rnn.bptt.sheets.plan import WALK
from tinygrad_rnn.bptt.sheets.reading import held, loaded
from tinygrad_rnn.bptt.sheets.workbook import digest
from tinygrad_rnn.bptt.sheets.worksheets import (
    CHECKS,
    EXERCISE,
    FORMAT,
    KEPT,
    NAME,
    Asking,
    unpacked,
)
from tinygrad_rnn.writing.text import Report, clean

_LONGEST = 200  # characters of a file's name, and of what is said of it
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what begins so, spreadsheets take for a formula
_CELL = re.compile(r"[A-Z]{1,3}[1-9]\d{0,5}")
_LIKE_A_NUMBER = re.compile(r"[-+−]?\d*[.,]?\d+ ?%?")
_LOOKS = re.compile(rf"\b({CHECKS}|{ANSWERS}|{FOLLOWS}|{LISTED}|{KEPT})\b", re.IGNORECASE)
_SEVERAL = 4  # numbers, of which it is no accident that they are all the same
_SAME = 1e-9  # relative: a number that nobody has changed, whatever program saved it


@dataclass(frozen=True)
class Grade:
    """What one file is worth.

    Attributes
    ----------
    file : str
    name : str
        What the student wrote as such.
    seed : int or None
        Of which the numbers of the exercise were dealt out: which sheet the student had.
    right, follows, wrong, empty : int
        Numbers of each kind: ``follows`` are wrong only because of earlier ones.
    first : str
        What went wrong first, in the order of the tasks.
    notes : tuple of str
        What else was noticed: given numbers or formulas that were changed, and the like.
    refused : str
        Why it could not be graded; "" if it could.
    """

    file: str
    name: str = ""
    seed: int | None = None
    right: int = 0
    follows: int = 0
    wrong: int = 0
    empty: int = 0
    first: str = ""
    notes: tuple[str, ...] = ()
    refused: str = ""

    @property
    def points(self) -> int:
        """One for each number that is right, or follows by the rule from those before."""
        return self.right + self.follows

    @property
    def of(self) -> int:
        """How many there are to be had."""
        return self.right + self.follows + self.wrong + self.empty

    @property
    def said(self) -> str:
        """All that there is to say."""
        return self.refused or "; ".join([*self.notes, *filter(None, [self.first])])


@dataclass(frozen=True, repr=False)
class Grades(Report):
    """What `grade` returns: it prints as a table, and notebooks show it as one.

    Attributes
    ----------
    grades : tuple of Grade
        In the order of the files.
    """

    grades: tuple[Grade, ...] = field(default=())
    numeric = (2, 3, 4, 5, 6, 7)

    @property
    def heading(self) -> str:
        """How many files there are, and how many of them could not be graded."""
        refused = sum(bool(grade.refused) for grade in self.grades)
        said = f"{len(self.grades)} worksheet{'s' * (len(self.grades) != 1)}"
        return f"{said}, {refused} of them not graded" if refused else said

    def rows(self) -> list[list[str]]:
        """A row for each file."""
        heads = ["file", "name", "seed", "points", "right", "follows", "wrong", "empty",
                 "what went wrong first"]  # fmt: skip
        return [heads, *map(_row, self.grades)]

    def __iter__(self) -> Iterator[Grade]:
        return iter(self.grades)

    def __len__(self) -> int:
        return len(self.grades)

    @property
    def csv(self) -> str:
        """The table for spreadsheets, in which nothing that students wrote becomes a formula."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        heads = ("file", "name", "seed", "points", "of", "right", "follows", "wrong", "empty",
                 "remarks")  # fmt: skip
        writer.writerow(heads)
        for one in self.grades:
            seed = "" if one.seed is None else one.seed
            counts: Sequence[Any] = (
                seed, one.points, one.of, one.right, one.follows, one.wrong, one.empty,
            )  # fmt: skip
            counts = [""] * len(counts) if one.refused else counts
            writer.writerow([_text(one.file), _text(one.name), *counts, _text(one.said)])
        return stream.getvalue()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the table as a CSV file, of UTF-8 with a mark by which Excel knows it.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        files.write(path, "\ufeff" + self.csv)
        return Path(path)


def grade(
    worksheets: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    record: Record | None = None,
) -> Grades:
    """Mark worksheets that were filled in: one, or many.

    A number is right if it is near enough to the answer, and gets its point as well if it follows
    by the rule from the student's own earlier numbers. A file that cannot be graded has one
    sentence in its row, and the others are graded all the same.

    A worksheet keeps its answers, with a sum over them that tells if anyone has changed them; that
    keeps accidents out, but not somebody who is bent on it. With the ``record`` of which the
    worksheets were made the engine computes each exercise again, from its seed, and nothing in a
    file is believed but what the student has filled in; what follows from that is computed as well.

    Parameters
    ----------
    worksheets : path, or iterable of paths
        Files that `worksheet` has written.
    record : Record, optional
        The walk of which they were made.

    Returns
    -------
    Grades

    Raises
    ------
    ImportError
        If the extra ``spreadsheet`` is not installed.
    TypeError
        If it is given something else than paths, and a record.

    Examples
    --------
    >>> for one in grade(["missing.xlsx"]):
    ...     print(one.file, one.said)
    missing.xlsx cannot be read: No such file or directory
    """
    if record is not None:
        expect_record(record, "grade")
    paths = [worksheets] if isinstance(worksheets, str | os.PathLike) else worksheets
    paths = list(paths) if isinstance(paths, Iterable) else [paths]
    if strange := [path for path in paths if not isinstance(path, str | os.PathLike)]:
        raise TypeError(f"grade: {clean(repr(strange[0]), 40)} is no path of a worksheet")
    marking = _Marking(record)
    return Grades(tuple([marking.grade(path) for path in paths]))


class _Marking:
    """Marks files, and computes each exercise once."""

    def __init__(self, record: Record | None) -> None:
        self.record = record
        self._asking: dict[str, Asking] = {}

    def grade(self, path: str | os.PathLike[str]) -> Grade:
        """The grade of one file."""
        called = clean(os.fspath(path), _LONGEST)
        try:
            typed, shown = loaded(path)
            kept = self._kept(shown)
            asking = None if self.record is None else self._again(self.record, kept)
            return _Marked(typed, shown, kept, asking).grade(called)
        except OSError as error:
            return Grade(called, refused=f"cannot be read: {error.strerror or error}")
        except Refused as error:
            said = str(error).removeprefix(f"{os.fspath(path)}: ")
            return Grade(called, refused=clean(said, _LONGEST))

    def _kept(self, shown: Any) -> dict[str, Any]:
        """What was asked and given, and the answers, as the file has it."""
        if KEPT not in shown.sheetnames:
            raise Refused("is no worksheet of tinygrad_rnn")
        chunks = [str(row[0]) for row in shown[KEPT].iter_rows(max_col=1, values_only=True)]
        if not chunks or not chunks[0].startswith(FORMAT.rpartition(",")[0]):
            raise Refused("is no worksheet of tinygrad_rnn")
        if missing := [name for name in (WALK, FOLLOWS) if name not in shown.sheetnames]:
            raise Refused(f"has no sheet {missing[0]!r}: undo its removal, or its other name")
        kept = unpacked(chunks)
        if kept is None or not _is_whole(kept):
            raise Refused("keeps answers that somebody has changed; it is not graded")
        return kept

    def _again(self, record: Record, kept: dict[str, Any]) -> Asking:
        """The same exercise, as the engine makes it of the record."""
        how = {name: kept[name] for name in ("hide", "seed", "nice", "tolerance")}
        key = repr(how)
        if key not in self._asking:
            try:
                self._asking[key] = Asking(exercise(record, **how))
            except (TypeError, ValueError) as error:
                raise Refused(f"is a worksheet of another net: {error}") from error
        asking = self._asking[key]
        if not _are_alike(asking.kept(), kept):
            raise Refused("is a worksheet of another net, or keeps other answers than this one")
        return asking


def _is_whole(kept: Any) -> bool:
    """Whether what a file keeps is of the kind that worksheets keep."""
    try:
        tasks, formulas = kept["tasks"], kept["formulas"].values()
        lists = [*(task["cells"] for task in tasks), *(cells for cells, _ in formulas)]
        cells = [*kept["given"], *kept["follows"][0], *(cell for each in lists for cell in each)]
        numbers = [*kept["given"].values(), *(x for task in tasks for x in task["answers"])]
        pairs = all(len(task["cells"]) == len(task["answers"]) for task in tasks)
        texts = all(isinstance(task["name"], str) for task in tasks)
        return (
            pairs and texts and all(map(_CELL.fullmatch, cells)) and all(map(_is_number, numbers))
            and 0 < kept["tolerance"] < 1 and {"hide", "nice"} <= kept.keys()
            and (kept["seed"] is None or type(kept["seed"]) is int)
        )  # fmt: skip
    except (TypeError, KeyError, ValueError, AttributeError):
        return False


def _are_alike(one: dict[str, Any], two: dict[str, Any]) -> bool:
    """Whether two exercises ask, give and expect the same."""
    asked = [[(task["name"], task["cells"]) for task in each["tasks"]] for each in (one, two)]
    if asked[0] != asked[1] or one["given"].keys() != two["given"].keys():
        return False
    numbers = [
        [
            *map(each["given"].get, one["given"]),
            *(x for task in each["tasks"] for x in task["answers"]),
        ]
        for each in (one, two)
    ]
    return all(math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-7) for a, b in zip(*numbers))


class _Marked:
    """One file, read."""

    def __init__(
        self, typed: Any, shown: Any, kept: dict[str, Any], asking: Asking | None = None
    ) -> None:
        self.typed, self.shown, self.values = typed, shown, shown[WALK]
        self.kept = kept if asking is None else asking.kept()
        self.asked = {
            cell: Asked(number, answer)
            for number, task in enumerate(self.kept["tasks"], 1)
            for cell, answer in zip(task["cells"], task["answers"], strict=True)
        }
        given = {cell: self.values[cell].value for cell in self.asked}
        numbers = {cell: float(x) for cell, x in given.items() if _is_number(x)}
        if asking is None:
            follows = {cell: shown[FOLLOWS][cell].value for cell in self.asked}
        else:
            follows = asking.follows_from(numbers)
        self.is_calculated = any(x is not None for x in follows.values())
        known = {cell: float(x) for cell, x in follows.items() if _is_number(x)}
        self.checks = checks(self.asked, numbers, known, self.kept["tolerance"])

    def grade(self, file: str) -> Grade:
        """Its grade."""
        found = dict.fromkeys((RIGHT, FOLLOWING, WRONG, NOT_YET), 0)
        first, unknown = "", []
        for cell, asked in self.asked.items():
            said = self.check(cell)
            found[said] += 1
            if said == WRONG and not first:
                name = self.kept["tasks"][asked.task - 1]["name"]
                first = f"{name} in {cell}: {self._written(cell)}, not {asked.answer:.4g}"
            if said == NOT_YET and self._is_formula(cell):
                unknown.append(cell)
        cells = list(self.asked)
        notes = [
            *self._changes(), *self._not_computed(unknown),
            *self._not_calculated(found[WRONG]), *self._looked_up(cells),
            *self._no_numbers(cells), *self._all_the_same(cells),
        ]  # fmt: skip
        return Grade(
            file, self._name(), self.kept["seed"],
            found[RIGHT], found[FOLLOWING], found[WRONG], found[NOT_YET],
            clean(first, _LONGEST), tuple(notes),
        )  # fmt: skip

    def check(self, cell: str) -> str:
        """What the sheet of checks says, worked out once more."""
        is_empty = self.values[cell].value in (None, "")
        return self.checks.get(cell, NOT_YET if is_empty else WRONG)

    def _written(self, cell: str) -> str:
        """What stands in a cell."""
        value = self.values[cell].value
        if value is None:
            return "nothing"
        if _is_number(value):
            return f"{value:.4g}"
        is_text = self.values[cell].data_type == "s"
        return f"the text {clean(value, 20)!r}" if is_text else clean(str(value), 20)

    def _is_formula(self, cell: str) -> bool:
        return bool(self.typed[WALK][cell].data_type == "f")

    def _not_computed(self, cells: list[str]) -> list[str]:
        if not cells:
            return []
        return [
            f"{cells[0]} holds a formula whose result is not in the file: open it in a spreadsheet "
            "program, and save it"
        ]

    def _not_calculated(self, wrong: int) -> list[str]:
        """Whether the file does not say what would follow from wrong answers."""
        if self.is_calculated or not wrong:
            return []
        return [
            "no spreadsheet program has calculated what follows from wrong answers, so that none "
            "is said to follow: open the file in one, and save it, or grade it with the walk"
        ]

    def _looked_up(self, cells: list[str]) -> list[str]:
        """Whether formulas of the student read what is hidden, instead of computing it."""
        found = [
            cell for cell in cells
            if self._is_formula(cell) and _LOOKS.search(str(held(self.typed[WALK][cell].value)))
        ]  # fmt: skip
        if not found:
            return []
        return [f"{_answers(len(found))} looked up on a hidden sheet, first in {found[0]}"]

    def _no_numbers(self, cells: list[str]) -> list[str]:
        """Whether numbers were typed as a program of another language wants them."""
        values = [self.values[cell].value for cell in cells]
        found = [x for x in values if isinstance(x, str) and _LIKE_A_NUMBER.fullmatch(x.strip())]
        if not found:
            return []
        return [
            f"{_answers(len(found))} typed as text, which a spreadsheet does not take for a "
            f"number: {clean(found[0], 20)!r}"
        ]

    def _all_the_same(self, cells: list[str]) -> list[str]:
        """Whether somebody has filled in one number everywhere, some of which may be right."""
        values = [x for cell in cells if _is_number(x := self.values[cell].value)]
        if len(values) < _SEVERAL or len(set(values)) > 1 or WRONG not in self.checks.values():
            return []
        return [f"all {len(values)} answers are the same number"]

    def _changes(self) -> list[str]:
        """What was changed of what was given."""
        given = [
            f"the given number in {cell} was {number:.6g}, and is {self._written(cell)}"
            for cell, number in self.kept["given"].items()
            if not _is_same(self.values[cell].value, number)
        ]
        formulas = [
            f"the formula of {clean(title)} in {cells[0]} was changed"
            for title, (cells, was) in self.kept["formulas"].items()
            if self._digest(WALK, cells) != was
        ]
        cells, was = self.kept["follows"]
        if self._digest(FOLLOWS, cells) != was:
            formulas.append("formulas on a hidden sheet were changed")
        found = [*given, *formulas]
        return [*found[:1], *([f"and {len(found) - 1} more changes"] if len(found) > 1 else [])]

    def _digest(self, sheet: str, cells: list[str]) -> str:
        """A sum over the formulas of some cells."""
        return digest([str(held(self.typed[sheet][cell].value)) for cell in cells])

    def _name(self) -> str:
        """What the student is called."""
        if EXERCISE not in self.shown.sheetnames:
            return ""
        name = self.shown[EXERCISE].cell(NAME.row + 1, NAME.column + 1).value
        return "" if name is None else clean(str(name))


def _answers(count: int) -> str:
    return "1 answer was" if count == 1 else f"{count} answers were"


def _is_number(value: Any) -> bool:
    real = isinstance(value, int | float) and not isinstance(value, bool)
    return real and math.isfinite(value)


def _is_same(value: Any, number: float) -> bool:
    return _is_number(value) and math.isclose(value, number, rel_tol=_SAME, abs_tol=1e-12)


def _row(one: Grade) -> list[str]:
    counts = [
        "–" if one.seed is None else str(one.seed),
        f"{one.points} of {one.of}",
        *map(str, (one.right, one.follows, one.wrong, one.empty)),
    ]
    return [one.file, one.name, *(["–"] * len(counts) if one.refused else counts), one.said]


def _text(said: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{said}" if said.startswith(_FORMULA) else said
