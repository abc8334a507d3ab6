"""Exercises to print: the picture of a walk with blanks, the tasks, and the key in another file."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_rnn import bptt, files
from tinygrad_rnn.bptt.exercises import TOLERANCE, Exercise, Hide, Task, exercise
from tinygrad_rnn.bptt.record import Record
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.tensor.collector import resting_collector
from tinygrad_rnn.viz import images, marks, measure
from tinygrad_rnn.viz.build import READABLE, heat, scene_of
from tinygrad_rnn.viz.excerpts import parts_of
from tinygrad_rnn.viz.languages import painted_in, speaking, told_in
from tinygrad_rnn.viz.layout import Layout
from tinygrad_rnn.viz.options import TooManyBoxes, title_or
from tinygrad_rnn.viz.paper import EDGE, LEGIBLE, Column, Sheet, Table, lines_for, rule, sheet_for
from tinygrad_rnn.viz.player.page import printed
from tinygrad_rnn.viz.player.walk import boxed
from tinygrad_rnn.viz.scene import Row, Scene
from tinygrad_rnn.viz.source import source_of
from tinygrad_rnn.viz.svg import graph
from tinygrad_rnn.writing import figures
from tinygrad_rnn.writing.figures import count
from tinygrad_rnn.writing.palette import LIGHT

Array = np.ndarray[Any, Any]

FORMS = (".xlsx", ".html", ".pdf")
_ROWS = {"values": "value", "gradients": "grad"}  # the rows of boxes, by kinds of tasks
_BLANK, _ACROSS = 56.0, 5  # the room of a number, and how many stand side by side
_NUMBER, _NAME, _ANSWER, _POINTS = 0.0, 26.0, 150.0, 455.0  # where the columns of tasks begin
_LINE, _HINT = 24.0, 9.0
_ABOVE, _HEADING = 190.0, 30.0  # a picture, at most: on the first sheet, and on others


def worksheet(
    record: Record,
    path: str | Path,
    hide: Hide = "gradients",
    *,
    seed: int | None = None,
    nice: bool = False,
    tolerance: float = TOLERANCE,
    hints: bool = True,
    title: str | None = None,
    language: str = "en",
) -> tuple[Path, ...]:
    """Write an exercise: a page to print, or a spreadsheet that checks itself.

    On paper it is the picture of the walk with blanks, and tasks with points.

    The key, which is the whole picture and all answers, is a file of its own beside it, so that
    what is handed out does not hold it: of ``exercise.pdf`` it is ``exercise.key.pdf``. A
    spreadsheet is that of `bptt.worksheet`.

    Parameters
    ----------
    record : Record
        Of `bptt.record`.
    path : path
        Ends in ``.html``; in ``.pdf``, which needs the extra ``images``; or in ``.xlsx``, which
        needs the extra ``spreadsheet``.
    hide, seed, nice, tolerance
        What is asked, and of which numbers: see `bptt.exercise`.
    hints : bool
        Whether each task says by which rule it is computed.
    title : str, optional
        What stands over a page.
    language : str
        Of a page: "en", or "zh", Chinese; names and formulas stay.

    Returns
    -------
    tuple of Path
        The exercise, and the key of a page.

    Raises
    ------
    TypeError, ValueError
        As `bptt.exercise`; for any other suffix; if the picture has too many boxes; for a title, or
        another language, of a spreadsheet; for an unknown language.
    RuntimeError, ImportError
        If a PDF, or a spreadsheet, is asked for and the extra is not installed.
    OSError
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor(0.5, requires_grad=True).named("w")
    >>> walk = tg.bptt.record(tg.tanh(w * 3).named("h"))
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     found = tg.viz.worksheet(walk, f"{directory}/exercise.html", nice=True)
    ...     [path.name for path in found]
    ['exercise.html', 'exercise.key.html']
    """
    path = Path(path)
    form = path.suffix.lower()
    if form not in FORMS:
        raise ValueError(f"worksheet: {path.name!r} does not end in {', '.join(FORMS)}")
    say = speaking(language)
    how: dict[str, Any] = {"hide": hide, "seed": seed, "nice": nice, "tolerance": tolerance}
    if form == ".xlsx":
        if title is not None:
            raise ValueError(f"worksheet: title={title!r} is for pages, not for a spreadsheet")
        if language != "en":
            raise ValueError(
                f"worksheet: language={language!r} is for pages, not for a spreadsheet"
            )
        return (bptt.worksheet(record, path, **how, hints=hints),)
    both = path, path.with_suffix(f".key{path.suffix}")
    for file in both:
        files.writable(file)  # or it says why not, before anything runs
    if form == ".pdf":
        images.library()
    _check_size(record)
    asked = exercise(record, **how)
    said = title_or(title, say("Backpropagation through time, by hand"))
    with resting_collector():
        papers = (
            _Paper(asked, said, hints, language),
            _Paper(asked, said, True, language, key=True),
        )
        sheets = [paper.sheets() for paper in papers]
    for file, svgs in reversed(list(zip(both, sheets, strict=True))):
        page = form == ".html"
        files.write(file, printed(svgs, said, language) if page else images.document(svgs))
    return both


def _check_size(record: Record) -> None:
    boxes = len(boxed(source_of(record).root))
    if boxes > READABLE:
        raise TooManyBoxes(
            f"worksheet: this walk has {boxes:,} boxes, and a picture to write in at most "
            f"{READABLE}: take fewer time steps or layers",
            boxes,
            READABLE,
        )


class _Paper:
    """An exercise, or its key, on sheets of paper."""

    def __init__(
        self, asked: Exercise, title: str, hints: bool, language: str, key: bool = False
    ) -> None:
        self.asked, self.hints, self.language, self.key = asked, hints, language, key
        self.say = speaking(language)
        self.title = self.say(f"{title}: the key") if key else title
        self.kinds = {task.kind for task in asked.tasks}
        self.grads = key or "gradients" in self.kinds  # which would give values away
        source = source_of(asked.record)
        scene = scene_of(source, steps="all", grads=self.grads, order=self.grads, title=title)
        self.boxes = dict(zip(boxed(asked.record.root), scene.boxes.values(), strict=True))
        self.summed = [place for place in self.boxes if self._is_summed_up(place)]
        self._write_plainly()
        if not key:
            self._blank(scene)
        told_in(language, scene)
        self.parts = parts_of(scene, _fits)

    def sheets(self) -> list[str]:
        """All of them, as SVG."""
        all_sheets = [*self._pictures(), *self._given(), *self._tasks()]
        return [
            sheet.svg(self.title, f"{self.title} · {i} / {len(all_sheets)}")
            for i, sheet in enumerate(all_sheets, 1)
        ]

    def _pictures(self) -> list[Sheet]:
        """The picture on as many sheets as it takes, the first one with what is to be done."""
        found: list[Sheet] = []
        for i, (scene, layout) in enumerate(self.parts):
            wide, high = layout.width, layout.height
            if not found:
                found.append(sheet_for(wide, high, _ABOVE))
                self._opening(found[0])
            elif found[-1].scale(wide, high, _HEADING) < LEGIBLE:
                found.append(sheet_for(wide, high, _HEADING))
            if i:
                found[-1].heading(self.say(f"Part {i + 1}{_where(scene)}"))
            drawn = painted_in(self.language, "\n".join(graph(scene, layout, LIGHT)))
            if i:  # in a page an id is there once
                drawn = drawn.replace('<g id="', f'<g id="part{i}-')
            found[-1].picture([drawn], wide, high)
        return found

    def _opening(self, sheet: Sheet) -> None:
        sheet.heading(self.title)
        if not self.key:
            fields = ("Name", 0.5), ("Date", 0.22), (f"Points (of {self.asked.points})", 0.28)
            sheet.fields([(self.say(name), part) for name, part in fields])
        for text in self._words():
            sheet.paragraph(self.say(text))

    def _words(self) -> list[str]:
        asked = self.asked
        dealt = "" if asked.seed is None else f" Its numbers are those of seed {asked.seed}."
        parts = " A dashed box stands in another part." * (len(self.parts) > 1)
        if self.key:
            return [f"{asked.heading}. What had to be found stands here in full.{dealt}{parts}"]
        against = "them" if "values" in self.kinds else "the arrows"
        what = " and ".join(
            said for kind, said in (("values", "values (going forward, along the arrows)"),
                                    ("gradients", f"gradients (going back, against {against})"))
            if kind in self.kinds
        )  # fmt: skip
        order = " Numbers in pills give the order of the backward walk." * self.grads
        return [
            f"Find the {what} that are left blank; a number in brackets is that of the task. In "
            f"every box stands a tensor and how it was computed.{order}{parts} Use three decimals: "
            f"each number is one point, if it is right within {100 * asked.tolerance:g} %.{dealt}"
        ]

    # -- the picture --

    def _write_plainly(self) -> None:
        """Write numbers of one decimal with one decimal."""
        for place, box in self.boxes.items():
            for row in box.parts:
                value = self.asked.record.value(place)
                if isinstance(row, Row) and row.label == "value" and value is not None:
                    row.lines = tuple(_plain(value, row.lines))
            measure.fit(box)

    def _blank(self, scene: Scene) -> None:
        """Take out of the picture what is asked for, and whatever would give it away."""
        hidden = set()
        for task in self.asked.tasks:
            box = self.boxes[task.place]
            rows = (part for part in box.parts if isinstance(part, Row))
            row = next(row for row in rows if row.label == _ROWS[task.kind])
            row.lines, row.norm, row.ways, row.blank = _blanks(task, row.lines), None, "", True
            if task.kind == "gradients":
                hidden.add(box.index)
            measure.fit(box)
        for part in self.boxes[self.asked.record.root].parts:
            if isinstance(part, Row):  # 1, as it always is: no reason to be the darkest of all
                part.norm = None
        for edge in scene.edges:
            if edge.source in hidden or "values" in self.kinds:
                # what flows along it is a part of an answer, or a value times what is known
                edge.norm, edge.bin, edge.flow = None, None, ""
        heat([scene])

    def _is_summed_up(self, place: Node) -> bool:
        """Whether the picture says only the shape and the norm of something."""
        rows = (part for part in self.boxes[place].parts if isinstance(part, Row))
        return any("‖" in line for row in rows for line in row.lines)

    # -- the tables --

    def _given(self) -> list[Sheet]:
        """What is known, but too large for the picture."""
        say = self.say
        columns = [
            Column(say("tensor"), _NUMBER, _ANSWER), Column(say("its numbers"), _ANSWER, 365.0)
        ]  # fmt: skip
        table = Table(say("Given"), columns)
        for name, value in self._known():
            rows = _numbers(value)
            sheet, row = table.row(14.0 * len(rows) + 6)
            sheet.lines.append(marks.text(row.x, row.y + 14, name, 10.5, bold=True, label="given"))
            for i, line in enumerate(rows):
                for k, x in enumerate(line):
                    at = EDGE + _ANSWER + _BLANK * (k + 1) - 12
                    sheet.lines.append(_written(at, row.y + 14 + 14 * i, x))
        return table.sheets if self.summed else []

    def _known(self) -> list[tuple[str, Array]]:
        """The tensors that the picture only sums up, as far as they are not asked for."""
        known, record, called = [], self.asked.record, self.asked.called
        for place in self.summed:
            gradient = record.gradient(place) if self.grads else None
            for kind, name, array in (
                ("values", called(place), record.value(place)),
                ("gradients", self.asked.gradient_of(place), gradient),
            ):
                given = self.key or self.asked.task_of(place, kind) is None
                if array is not None and array.size and given and array.dtype.kind == "f":
                    known.append((name, array))
        return known

    def _tasks(self) -> list[Sheet]:
        """What is asked for, with blanks, or with the answers."""
        say = self.say
        columns = [
            Column(say("task"), _NUMBER, _NAME), Column(say("asked for"), _NAME, _ANSWER - _NAME),
            Column(say("answer"), _ANSWER, _POINTS - _ANSWER), Column(say("points"), _POINTS, 60.0),
        ]  # fmt: skip
        table = Table(say("Answers" if self.key else "Tasks"), columns)
        for task in self.asked.tasks:
            self._task(table, task)
        return table.sheets

    def _task(self, table: Table, task: Task) -> None:
        rows, hint = _numbers(task.answer), []
        if self.hints:
            hint = lines_for(self.say(task.hint), 515.0 - _NAME, _HINT)
        sheet, r = table.row(_LINE * len(rows) + 12.0 * len(hint) + 10)
        y = r.y + _LINE - 4
        points = f"{task.points}" if self.key else f"      / {task.points}"
        sheet.lines += [
            marks.text(r.x + _NUMBER, y, f"{task.number}", 10.5, label="task"),
            *self._name(task.name, r.x + _NAME, y),
            marks.text(r.x + _POINTS, y, points, 10.5, label="points"),
        ]
        for i, line in enumerate(rows):
            for k, x in enumerate(line):
                at = r.x + _ANSWER + _BLANK * k
                if self.key:
                    sheet.lines.append(_written(at + _BLANK - 12, y + _LINE * i, x))
                else:
                    sheet.lines.append(rule(at, y + 3 + _LINE * i, _BLANK - 10))
        for i, words in enumerate(hint):
            down = y + _LINE * (len(rows) - 1) + 15 + 12 * i
            sheet.lines.append(
                marks.text(r.x + _NAME, down, words, _HINT, fill=LIGHT.muted, label="hint")
            )

    def _name(self, name: str, x: float, y: float) -> list[str]:
        """What is asked for, on two lines if it is long."""
        room = _ANSWER - _NAME - 6
        lines = lines_for(f"{name} =", room)[:2]
        return [
            marks.text(x, y + 12 * i, line, 10.5, bold=True, label="asked")
            for i, line in enumerate(lines)
        ]


def _fits(layout: Layout, is_first: bool) -> bool:
    """Whether a part of the picture can be read, and written on, on a sheet of its own."""
    above = _ABOVE if is_first else _HEADING
    sheet = sheet_for(layout.width, layout.height, above)
    return sheet.scale(layout.width, layout.height, above) >= LEGIBLE


def _where(scene: Scene) -> str:
    """Which time steps a part of the picture shows."""
    labels = [scene.labels[step] for step in scene.steps]
    if len(labels) < 2:
        return "".join(f": {label}" for label in labels)
    return f": {labels[0]} … {labels[-1].removeprefix('t = ')}"


def _blanks(task: Task, lines: Sequence[str]) -> tuple[str, ...]:
    """Lines to write on in place of numbers, the first of them with the number of the task."""
    if any("‖" in line for line in lines):
        return (f"({task.number}) {count(task.points, 'number')}: see the task",)
    blanked = [" ".join(["______"] * len(line.split())) for line in lines]
    bare = task.answer.ndim == 0
    blanked = blanked if bare else [f"[{line}]" for line in blanked]
    return (f"({task.number}) {blanked[0]}", *blanked[1:])


def _plain(value: Array, lines: Sequence[str]) -> list[str]:
    """The lines of an array in a box, with one decimal where that is all there is."""
    if any("‖" in line for line in lines) or not _has_one_decimal(value):
        return list(lines)
    rows = np.asarray(value, float).reshape(len(lines), -1)
    said = [" ".join(_number(x, True) for x in row) for row in rows]
    return said if value.ndim == 0 else [f"[{line}]" for line in said]


def _has_one_decimal(value: Array) -> bool:
    if value.dtype.kind != "f" or not value.size or not np.isfinite(value).all():
        return False
    return bool(np.allclose(value * 10, np.round(value * 10), rtol=0, atol=1e-5))


def _number(x: float, one_decimal: bool) -> str:
    return f"{x + 0.0:.1f}" if one_decimal else figures.number(x)


def _numbers(value: Array) -> list[list[str]]:
    """All numbers of an array, a row of its last axis on each line, or on several if it is long."""
    rows = np.asarray(value, float).reshape(-1, value.shape[-1] if value.ndim else 1)
    one = _has_one_decimal(value)
    cuts = [*range(0, rows.shape[1], _ACROSS), rows.shape[1]]
    return [[_number(x, one) for x in row[a:b]] for row in rows for a, b in pairwise(cuts)]


def _written(right: float, y: float, number: str) -> str:
    return marks.text(right, y, number, 10.5, mono=True, anchor="end", label="number")
