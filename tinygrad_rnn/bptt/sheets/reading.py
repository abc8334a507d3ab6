"""Reading a spreadsheet back: whatever somebody has done to it."""

from __future__ import annotations

import math
import os
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tinygrad_rnn.bptt.record import Record, expect_record
from tinygrad_rnn.bptt.sheets.blocks import cells_from
from tinygrad_rnn.bptt.sheets.lines import INFINITE, Refused
from tinygrad_rnn.bptt.sheets.plan import MOST_ELEMENTS, WALK
from tinygrad_rnn.bptt.sheets.workbook import CONTENTS, FORMAT, digest, needs
from tinygrad_rnn.bptt.told import indices
from tinygrad_rnn.compiled.cells import Cell
from tinygrad_rnn.reading.names import distinct_names, names
from tinygrad_rnn.tensor import Tensor, wrap
from tinygrad_rnn.writing.text import clean

Array = np.ndarray[Any, Any]
_LARGEST = 60_000_000  # bytes, when it is unpacked
_HEAD = 2  # rows of the sheet `CONTENTS` above its list
_TYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")


class Listed(NamedTuple):
    """A block as the file itself lists it."""

    name: str
    what: str
    kind: str
    type: str
    shape: tuple[int, ...]
    first: Cell
    digest: str
    parts: int

    @property
    def cells(self) -> list[Cell]:
        """Where its elements stand, in C order."""
        return cells_from(self.first, self.shape, self.parts)

    def element(self, i: int) -> str:
        """What one element is called: "h₁[0]"."""
        at = ", ".join(map(str, np.unravel_index(i, self.shape)))
        return f"{clean(self.name)}[{at}]" if self.shape else clean(self.name)


@dataclass
class Opened:
    """A spreadsheet that was written by this package, as it is now.

    Attributes
    ----------
    path : path
    formulas, numbers : workbooks of openpyxl
        What was typed into the cells, and what it came to when it was last calculated.
    blocks : list of Listed
    """

    path: str | os.PathLike[str]
    formulas: Any
    numbers: Any
    blocks: list[Listed]

    def typed(self, cell: Cell, sheet: str = WALK) -> Any:
        """What somebody has typed into a cell, a formula as text that begins with "="."""
        return held(self.formulas[sheet].cell(cell.row + 1, cell.column + 1).value)

    def value(self, cell: Cell, sheet: str = WALK) -> Any:
        """What a cell shows; ``None``: nothing, or nobody has calculated it."""
        return self.numbers[sheet].cell(cell.row + 1, cell.column + 1).value

    def refused(self, what: str) -> Refused:
        """An error that names the file."""
        return Refused(f"{os.fspath(self.path)}: {what}")


def opened(path: str | os.PathLike[str]) -> Opened:
    """Open a spreadsheet: nothing in it runs, and nothing that it refers to is followed.

    Raises
    ------
    OSError
        If there is no such file.
    Refused
        If it is none that this package wrote; if it holds macros or links to other files.
    """
    formulas, numbers = loaded(path)
    if CONTENTS not in formulas.sheetnames or WALK not in formulas.sheetnames:
        raise Refused(f"{os.fspath(path)}: is no spreadsheet of bptt.spreadsheet: {_MISSING}")
    found = Opened(path, formulas, numbers, [])
    found.blocks = list(_listed(found))
    return found


def loaded(path: str | os.PathLike[str]) -> tuple[Any, Any]:
    """A spreadsheet twice, as openpyxl has it: what was typed into cells, and what it came to.

    Raises
    ------
    OSError
        If there is no such file.
    Refused
        If it is no .xlsx, is damaged or far too large, holds macros or links to other files.
    """
    library = needs("openpyxl")
    _check_archive(path)
    try:
        with warnings.catch_warnings(), open(path, "rb") as file:
            warnings.simplefilter("ignore")  # of what openpyxl does not know, and we do not need
            formulas = library.load_workbook(file, keep_links=False)
            file.seek(0)
            numbers = library.load_workbook(file, keep_links=False, data_only=True)
    except Exception as error:  # whatever a library says of a file that is damaged
        raise Refused(f"{os.fspath(path)}: is damaged: it cannot be read as .xlsx") from error
    return formulas, numbers


_MISSING = f"it has no sheets {WALK!r} and {CONTENTS!r} as that writes them"


def _check_archive(path: str | os.PathLike[str]) -> None:
    said = os.fspath(path)
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                members = archive.infolist()
                is_large = sum(member.file_size for member in members) > _LARGEST
                is_broken = not is_large and archive.testzip() is not None
        except Exception as error:  # whatever a library says of a file that is damaged
            is_odd = Path(path).suffix.lower() != ".xlsx"
            why = (
                "it is no .xlsx file: save it as one"
                if is_odd
                else "it is damaged, or not complete"
            )
            raise Refused(f"{said}: cannot be read: {why}") from error
    inside = {member.filename for member in members}
    if is_large:
        raise Refused(f"{said}: is far larger than any that bptt.spreadsheet writes")
    if is_broken:
        raise Refused(f"{said}: cannot be read: it is damaged, or not complete")
    if "content.xml" in inside:
        raise Refused(f"{said}: is an OpenDocument file: save it as .xlsx")
    if "xl/workbook.xml" not in inside:
        raise Refused(f"{said}: is no spreadsheet: it is some other archive")
    if any("vbaproject" in name.lower() or "/macrosheets/" in name.lower() for name in inside):
        raise Refused(f"{said}: holds macros, which are never run: save it as .xlsx without them")
    if any("/externallinks/" in f"/{name.lower()}" for name in inside):
        raise Refused(
            f"{said}: refers to other files, which are never followed: replace those references "
            "by numbers"
        )


def _listed(book: Opened) -> Iterator[Listed]:
    """The blocks that the hidden sheet lists."""
    rows = book.formulas[CONTENTS].iter_rows(values_only=True)
    first, *rows = [["" if x is None else str(x) for x in row] for row in rows] or [[""]]
    if first[0] != FORMAT:
        raise book.refused(f"its sheet {CONTENTS!r} is not of {FORMAT!r}")
    for row in rows[_HEAD - 1 :]:
        block = _one(row)
        if block is None:
            raise book.refused(f"its sheet {CONTENTS!r} was changed; take the file as it was")
        yield block


def _one(row: Sequence[str]) -> Listed | None:
    name, what, kind, dtype, shape, cell, own, parts, *_ = [*row, *[""] * 8]
    at = re.fullmatch(r"([A-Z]{1,3})([1-9]\d{0,6})", cell)
    sizes = re.fullmatch(r"(\d{1,4}(,\d{1,4})*)?", shape)
    divided = re.fullmatch(r"[1-9]\d{0,3}", parts)
    if at is None or sizes is None or divided is None or dtype not in _TYPES:
        return None
    column = 0
    for letter in at[1]:
        column = 26 * column + ord(letter) - ord("A") + 1
    numbers = tuple(map(int, shape.split(","))) if shape else ()
    if not 0 < math.prod(numbers) <= MOST_ELEMENTS or (numbers or (1,))[-1] % int(parts):
        return None
    first = Cell(int(at[2]) - 1, column - 1)
    return Listed(name, what, kind, dtype, numbers, first, own, int(parts))


def from_spreadsheet(
    path: str | os.PathLike[str], record: Record | None = None
) -> dict[str, Tensor]:
    """The leaves of a spreadsheet that `spreadsheet` wrote, with the numbers that it has now.

    `again` takes them, so the engine confirms what the sheet says:
    ``bptt.again(walk, bptt.from_spreadsheet("bptt.xlsx", walk))``.

    Parameters
    ----------
    path : path
        An .xlsx file, as any spreadsheet program has saved it.
    record : Record, optional
        The walk of which it should be.

    Returns
    -------
    dict of Tensor, by name
        In the order of the sheet, of the types that they had in the program. Integers are among
        them that operations were told, such as "target".

    Raises
    ------
    OSError
        If there is no such file.
    ValueError
        If a cell holds no number where there should be one, or another formula than was written; if
        it is a sheet of another net; if the file is none of `spreadsheet`, is damaged, holds macros
        or refers to other files. Nothing in it is run, and nothing followed.

    Examples
    --------
    >>> import tempfile, tinygrad_rnn as tg
    >>> w = tg.tensor([0.2, 0.3], requires_grad=True).named("w")
    >>> walk = tg.bptt.record((w * w).sum())
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     tg.bptt.spreadsheet(walk, f"{directory}/squares.xlsx")
    ...     tg.bptt.from_spreadsheet(f"{directory}/squares.xlsx", walk)
    {'w': tensor([0.2000, 0.3000])}
    """
    if record is not None:
        expect_record(record, "from_spreadsheet")
    try:
        book = opened(path)
        leaves = {b.name: b for b in book.blocks if b.what == "leaf"}
        if record is not None:
            _check_net(book, leaves, record)
        for block in book.blocks:
            if block.digest:
                _check_formulas(book, block)
        return {name: _tensor(book, block) for name, block in leaves.items()}
    except Refused as error:
        raise Refused(f"from_spreadsheet: {error}") from error.__cause__


def _check_net(book: Opened, leaves: dict[str, Listed], record: Record) -> None:
    called = distinct_names(record.places, names(record.places, record.called))
    there = {name: place.shape for place, name in called.items() if place.is_leaf}
    told = indices(record.places, called.values()).values()
    there |= {index.name: index.numbers.shape for each in told for index in each}
    for name, block in leaves.items():
        if there.get(name) != block.shape:
            own = f"has it of {there[name]}" if name in there else "has nothing of that name"
            raise book.refused(
                f"is a sheet of another net: it holds {clean(name)!r} of shape {block.shape}, and "
                f"the walk {own}"
            )


def _check_formulas(book: Opened, block: Listed) -> None:
    """Raise unless a block has the formulas with which it was written."""
    typed = [book.typed(cell) for cell in block.cells]
    for i, (cell, text) in enumerate(zip(block.cells, typed)):
        if not (isinstance(text, str) and text.startswith("=")):
            found = "nothing" if text is None else "a number" if _is_number(text) else "a text"
            raise book.refused(
                f"{WALK}!{cell} ({block.element(i)}, {block.what}) holds {found} where there was a "
                "formula; undo that, and change leaves only"
            )
    if digest(typed) != block.digest:
        raise book.refused(
            f"the formulas of {clean(block.name)} ({block.what}) at {WALK}!{block.first} are not "
            "those that were written; undo that, and change leaves only"
        )


def _tensor(book: Opened, block: Listed) -> Tensor:
    """A leaf as it is now."""
    numbers = [number_at(book, block, i) for i in range(len(block.cells))]
    dtype = np.dtype(block.type)
    array = np.array(numbers, np.float64)
    if dtype.kind == "f":
        array[abs(array) >= INFINITE] *= np.inf
    elif (odd := array != np.trunc(array)).any():
        i = int(np.flatnonzero(odd)[0])
        raise book.refused(
            f"{WALK}!{block.cells[i]} ({block.element(i)}) holds {array[i]:g}, but must be whole"
        )
    with np.errstate(over="ignore"):
        return wrap(array.astype(dtype).reshape(block.shape), None)


def number_at(book: Opened, block: Listed, i: int) -> float:
    """The number in one cell of a block.

    Raises
    ------
    Refused
        If there is nothing, or anything else; the message names the cell.
    """
    cell = block.cells[i]
    typed, value = book.typed(cell), book.value(cell)
    if _is_number(value) and math.isfinite(value):
        return float(value)
    if typed is None:
        found = "is empty"
    elif isinstance(typed, str) and typed.startswith("=") and value is None:
        found = "holds a formula that nobody has calculated"
    elif isinstance(value, str) and value.startswith("#"):
        found = f"holds the error {clean(value)}"
    elif isinstance(value, str):
        found = f"holds the text {clean(value)!r}"
    else:
        found = "holds a date" if hasattr(value, "isoformat") else "holds no number"
    raise book.refused(f"{WALK}!{cell} ({block.element(i)}) {found}; it must be a number")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def held(value: Any) -> Any:
    """What a cell holds: openpyxl has classes of its own for formulas of ranges."""
    return getattr(value, "text", None) or value if not isinstance(value, str) else value
