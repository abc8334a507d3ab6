"""Writing a sheet as a file: formulas with the numbers that they come to, named and coloured."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from importlib import import_module
from itertools import accumulate
from typing import IO, Any

import numpy as np

from tinygrad_rnn.bptt.sheets.blocks import Block
from tinygrad_rnn.bptt.sheets.lines import INFINITE
from tinygrad_rnn.bptt.sheets.plan import (
    AFTER,
    LOSS,
    NEW_LOSS,
    RATE,
    SHARES,
    TOP,
    WALK,
    Column,
    Plan,
)
from tinygrad_rnn.bptt.sheets.signs import A4, signs
from tinygrad_rnn.compiled.cells import Cell
from tinygrad_rnn.writing.palette import LIGHT
from tinygrad_rnn.writing.text import cut, width

Array = np.ndarray[Any, Any]
SIGNS, CONTENTS = "signs", "contents"
FORMAT = "tinygrad_rnn spreadsheet, format 2"
"""What the first cell of the hidden sheet `CONTENTS` says."""
_WIDEST = 42  # characters of a label
_LONGEST_GATE = 8  # characters
_WIDE, _NARROW, _SHUT = 9, 3, 1  # columns with numbers, between, and with nothing in them
_NUMBER = "0.0000"
_PAGE = 490.0, 725.0  # points between the margins of A4
_LINE = 15.0  # points
_TITLE = 32  # characters of the title of a message
_LARGEST_WHOLE = 2**53  # that a spreadsheet can tell from the next one
_SMALLEST = 0.5  # of its size, which can still be read
_SPARE = 1.2  # where Excel's font is missing, columns are so much wider


def needs(name: str) -> Any:
    """A library of the extra "spreadsheet".

    Raises
    ------
    RuntimeError
        If it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise RuntimeError(
            f"spreadsheets need {name}: pip install 'tinygrad_rnn[spreadsheet]'"
        ) from error


def filled(
    plan: Plan, stream: IO[bytes], hide: Callable[[Block], bool] = lambda block: False
) -> Any:
    """A workbook of XlsxWriter with all sheets, which its ``close`` writes to a stream.

    The cells of what is to ``hide`` stay empty; formulas go on referring to them.
    """
    book = needs("xlsxwriter").Workbook(stream, {"in_memory": True, "strings_to_urls": False})
    book.set_properties({"created": datetime(2000, 1, 1), "title": "Backpropagation through time"})
    Writing(plan, book, hide).run()
    return book


class Formats:
    """The looks of cells, each made once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[Any, Any] = {}

    def __call__(self, **look: Any) -> Any:
        """The format with these properties, as XlsxWriter names them."""
        key = tuple(sorted(look.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format({"font_color": LIGHT.ink, **look})
        return self._made[key]

    def label(self, block: Block) -> Any:
        """Of what stands above a block's cells."""
        if block.what in ("gradient", "share", "part"):
            return self(font_color=LIGHT.gradient, font_size=9)
        if block.what == "aid":
            return self(font_color=LIGHT.muted, italic=True, font_size=9)
        return self(font_color=LIGHT.boxes[block.kind].border, bold=True)

    def numbers(self, block: Block, whole: bool = False, is_input: bool | None = None) -> Any:
        """Of a block's cells; ``whole``: numbers that are no fractions."""
        is_input = block.is_input if is_input is None else is_input
        look: dict[str, Any] = {"num_format": "0" if whole else _NUMBER}
        paint = LIGHT.boxes[block.kind]
        if block.what in ("gradient", "share", "part"):
            fill = LIGHT.heat[2 if block.what == "gradient" else 1].fill
            return self(**look, bg_color=fill, font_color=LIGHT.gradient, border=1,
                        border_color=LIGHT.frame)  # fmt: skip
        if block.what == "aid":
            return self(**look, font_color=LIGHT.muted, italic=True)
        border = 2 if is_input else 1
        look |= {"bg_color": paint.fill, "border": border, "border_color": paint.border}
        return self(**look, bold=True, locked=False) if is_input else self(**look)


class Writing:
    """Writes all sheets of a plan."""

    def __init__(self, plan: Plan, book: Any, hide: Callable[[Block], bool]) -> None:
        self.plan, self.book, self.hide = plan, book, hide
        self.format = Formats(book)

    def run(self) -> None:
        """Write all sheets."""
        self._walk()
        if self.plan.stepped:
            self._after()
        signs(self.book.add_worksheet(SIGNS), self.format, self.plan)
        self._contents()

    # -- sheets --

    def _walk(self) -> None:
        plan, sheet = self.plan, self.book.add_worksheet(WALK)
        title = f"Backpropagation through time, forward and backward{plan.record.which}"
        self._frame(sheet, title, [*plan.bands], is_whole=bool(plan.stepped))
        if plan.stepped:
            sheet.write_string(RATE.row, 1, "= η, the rate of a step", self.format())
            sheet.write_number(*RATE, plan.rate, self._input)
            sheet.data_validation(*RATE, *RATE, numbers_only("η"))
            self._result(sheet, NEW_LOSS, "= the loss after the step", AFTER, self.after_loss)
        self._result(sheet, LOSS, "= the loss", "", plan.loss.numbers)
        for block in [*plan.blocks, *plan.stepped]:
            self._label(sheet, block)
            if not self.hide(block):
                self._cells(sheet, block, block.formulas, self._now(block))
            if block.is_input:
                self._expect(sheet, block)

    def _after(self) -> None:
        plan, sheet = self.plan, self.book.add_worksheet(AFTER)
        title = f"The forward pass once more, after a step with rate η on {WALK!r}"
        self._frame(sheet, title, [band for band in plan.bands if band != SHARES])
        self._result(sheet, LOSS, "= the loss", "", self.after_loss)
        moved = {block.of: block for block in plan.stepped}
        for block in plan.after:
            self._label(sheet, block)
            formulas = block.formulas
            if block.is_input:
                source = moved.get(block.of, block) if block.key[0] != "index" else block
                formulas = [f"={WALK}!{cell}" for cell in source.cells]
            self._cells(sheet, block, formulas, plan.after_numbers[block.value])

    def _frame(
        self, sheet: Any, title: str, bands: Sequence[str], is_whole: bool = False
    ) -> None:  # fmt: skip
        """What the blocks stand in: columns, without those of a step if it is not whole, bands."""
        sheet.hide_gridlines(2)
        sheet.freeze_panes(TOP, 0)
        columns = [c for c in self.plan.columns if is_whole or c.heading != AFTER]
        self._print(sheet, columns)
        sheet.write_string(0, 0, title, self.format(bold=True, font_size=13))
        for column in self.plan.columns:
            if column in columns:
                self._column(sheet, column)
            else:
                sheet.set_column(column.first, column.gap, _SHUT)
        times = [c for c in columns if c.heading.startswith("t = ")]
        for band in bands:
            row, last = self.plan.bands[band], times[-1]
            for at in range(times[0].first, last.gap):
                sheet.write_blank(row, at, None, self.format(bg_color=LIGHT.band))
            look = self.format(bg_color=LIGHT.band, bold=True, font_color=LIGHT.muted)
            sheet.write_string(row, times[0].first, band, look)

    def _print(self, sheet: Any, columns: Sequence[Column]) -> None:
        """On how many pages to print, and how they lie: what is printed can be read."""
        sizes = [column.width * _points(_WIDE) + _points(_gap(column)) for column in columns]
        wide = sum(sizes)
        high = _LINE * max(block.row + block.extent[0] for block in self.plan.blocks)
        sheet.set_paper(A4)
        across, down = sorted(_PAGE, reverse=wide > high)
        if wide > high:
            sheet.set_landscape()
        if wide * _SMALLEST <= across:
            sheet.fit_to_pages(1, math.ceil(high * _SMALLEST / down))
            return
        sheet.set_print_scale(round(100 * _SMALLEST))
        room = across / (_SMALLEST * _SPARE)
        used = list(accumulate(sizes, lambda x, size: _beside(x, size, room)))
        sheet.set_v_pagebreaks([
            column.first for column, size, x in zip(columns, sizes, used) if x == size
        ][1:])  # fmt: skip

    def _column(self, sheet: Any, column: Column) -> None:
        sheet.set_column(column.first, column.gap - 1, _WIDE)
        sheet.set_column(column.gap, column.gap, _gap(column))
        look = self.format(bold=True, bottom=2, bottom_color=LIGHT.frame, font_size=12)
        for at in range(column.first, column.gap):
            sheet.write_blank(TOP - 1, at, None, look)
        sheet.write_string(TOP - 1, column.first, column.heading, look)

    # -- cells --

    @cached_property
    def _input(self) -> Any:
        return self.format.numbers(self.plan.stepped[0], is_input=True)

    @property
    def after_loss(self) -> Array:
        """The loss after a step."""
        return np.asarray(self.plan.after_numbers[self.plan.loss.value], float)

    def _result(self, sheet: Any, at: Cell, said: str, where: str, number: Array) -> None:
        """A number that stands elsewhere, and matters most."""
        if number.size == 1:
            cell = self.plan.loss.cell(0)
            formula = f"='{where}'!{cell}" if where else f"={cell}"
            sheet.write_string(at.row, 1, said, self.format(bold=True))
            paint = LIGHT.boxes["loss"]
            look = self.format(num_format="0.000000", bg_color=paint.fill, bold=True, border=1)
            sheet.write_formula(*at, formula, look, number.item())

    def _label(self, sheet: Any, block: Block) -> None:
        """What stands above a block, and the gates beside it."""
        text = cut(self._said(block), _WIDEST + 4)
        sheet.write_string(block.row - 1, block.column, text, self.format.label(block))
        for cell, gate in block.signs.items():
            look = self.format(font_color=LIGHT.muted, italic=True, font_size=9, indent=1)
            sheet.write_string(*cell, cut(gate, _LONGEST_GATE), look)

    def _said(self, block: Block) -> str:
        return block.label

    def _now(self, block: Block) -> Array:
        if block.what == "stepped":
            return np.asarray(self.plan.after_numbers[block.value], float)
        return block.numbers

    def _cells(self, sheet: Any, block: Block, formulas: Sequence[str], numbers: Array) -> None:
        whole = block.value.dtype.kind != "f"
        look = self.format.numbers(block, whole, block.is_input and not formulas)
        for i, (cell, number) in enumerate(zip(block.cells, np.ravel(numbers).tolist())):
            if formulas:
                sheet.write_formula(*cell, formulas[i], look, float(number))
            else:
                sheet.write_number(*cell, float(number), look)

    def _expect(self, sheet: Any, block: Block) -> None:
        """Refuse, with a word of help, what is no number of the kind that a leaf holds."""
        kind, most = block.value.dtype.kind, block.reach
        if kind == "f":
            told = numbers_only(block.name)
        elif kind == "b":
            told = whole_only(block.name, 0, 1, "1 for true, or 0 for false")
        elif most is None:
            told = whole_only(block.name, -_LARGEST_WHOLE, _LARGEST_WHOLE, "a whole number")
        else:
            said = f"a whole number from 0 to {most - 1}: which one of {most}"
            told = whole_only(block.name, 0, most - 1, said)
        sheet.data_validation(*block.cells[0], *block.cells[-1], told)

    # -- for reading back --

    def _contents(self) -> None:
        sheet = self.book.add_worksheet(CONTENTS)
        sheet.write_string(0, 0, FORMAT)
        for n, block in enumerate([*self.plan.blocks, *self.plan.stepped], 2):
            for column, text in enumerate(said_of(block)):
                sheet.write_string(n, column, text)
        heads = ("name", "what", "kind", "type", "shape", "cell", "digest", "parts")
        for column, text in enumerate(heads):
            sheet.write_string(1, column, text)
        sheet.very_hidden()


def _points(characters: int) -> float:
    """How wide a column of so many characters is: 7 pixels for each, and 5 around them."""
    return 0.75 * (7 * characters + 5)


def _beside(used: float, size: float, room: float) -> float:
    """How much of a page is used if a column comes there too, or on the next page if it must."""
    return used + size if used + size <= room else size


def numbers_only(name: str) -> dict[str, Any]:
    """What XlsxWriter is told of cells into which numbers are to be typed."""
    said = (
        "This must be a number, with the decimal sign that this program is set to (0.5, or 0,5), "
        "or a formula that comes to one."
    )
    return {
        "validate": "decimal", "criteria": "between", "minimum": -INFINITE, "maximum": INFINITE,
        "error_title": cut(name, _TITLE), "error_message": said,
    }  # fmt: skip


def whole_only(name: str, low: int, high: int, said: str) -> dict[str, Any]:
    """The same of whole numbers in a range."""
    return {
        "validate": "integer", "criteria": "between", "minimum": low, "maximum": high,
        "input_title": cut(name, _TITLE), "input_message": said,
        "error_title": cut(name, _TITLE), "error_message": f"This must be {said}.",
    }  # fmt: skip


def _gap(column: Column) -> int:
    """Characters behind a column, such that its labels have room."""
    longest = min(_WIDEST, max(column.label, width(column.heading)))
    return max(_NARROW, longest - _WIDE * column.width)


def said_of(block: Block) -> tuple[str, ...]:
    """What is kept of a block, so that a changed sheet can be told from a whole one."""
    shape = ",".join(map(str, block.shape))
    said = (block.name, block.what, block.kind, block.type, shape, str(block.cell(0)))
    return (*said, digest(block.formulas), str(block.parts))


def digest(formulas: Sequence[str]) -> str:
    """A short sum over formulas, whatever program has written them; "" for none.

    Examples
    --------
    >>> digest(["=B2*0.57735026918962584"]) == digest(["= $B$2 * 0.577350269189626"])
    True
    >>> digest(["=IF(TRUE,B2,0)"]) == digest(["=IF(TRUE(),B2,0)"])
    True
    """
    plain = re.sub(r"[ $]", "", "\n".join(formulas)).upper()
    plain = re.sub(r"\b(TRUE|FALSE)\(\)", r"\1", plain)
    plain = _DECIMAL.sub(lambda found: f"{float(found[0]):.9g}", plain)
    return hashlib.blake2b(plain.encode(), digest_size=8).hexdigest() if formulas else ""


_DECIMAL = re.compile(r"(?<![A-Z\d.])\d+(\.\d*)?(E[+-]?\d+)?(?![\d.(:])")
