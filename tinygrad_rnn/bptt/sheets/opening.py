"""Opening spreadsheets that others have written, or changed: each refusal is one sentence."""

from __future__ import annotations

import io
import os
import warnings
import zipfile
from typing import Any, NamedTuple

from tinygrad_rnn.bptt.sheets.workbook import needs

MOST_BYTES = 1 << 25
"""Of a file, and a sixteenth of what it may unpack to."""
_MACROS = ("vbaproject.bin", "/macrosheets/", "vbadata.xml", "/activex/")
_LINKS = ("/externallinks/", "/connections.xml", "/querytables/")


class Unreadable(ValueError):
    """A file that is no spreadsheet, or none that is read; the message says what it is instead.

    Examples
    --------
    >>> raise Unreadable("is no spreadsheet")
    Traceback (most recent call last):
        ...
    tinygrad_rnn.bptt.sheets.opening.Unreadable: is no spreadsheet
    """


class Opened(NamedTuple):
    """A spreadsheet twice, as openpyxl has it: with its formulas, and with what they came to."""

    formulas: Any
    values: Any
    refers_elsewhere: bool
    """Whether it refers to other files, or to databases; that is never followed."""


def opened(path: str | os.PathLike[str]) -> Opened:
    """Open an .xlsx file; nothing in it is run, computed or followed.

    Raises
    ------
    Unreadable
        If it cannot be read, is no .xlsx, is damaged, unpacks to too much, or holds macros.
    ImportError
        If the extra ``spreadsheet`` is not installed.
    """
    load = needs("openpyxl").load_workbook
    data = _data(path)
    names = _parts(data)
    if any(sign in name for name in names for sign in _MACROS):
        raise Unreadable("holds macros, which no exercise needs; it is not read")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of parts that openpyxl does not know
            both = [
                load(io.BytesIO(data), data_only=computed, keep_links=False)
                for computed in (False, True)
            ]
    except Exception as error:  # of many kinds: of XML, of zip, of what openpyxl makes of them
        raise Unreadable(f"is damaged: {type(error).__name__} when its parts were read") from error
    return Opened(*both, any(sign in name for name in names for sign in _LINKS))


def _data(path: str | os.PathLike[str]) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror or error}") from error
    if not data:
        raise Unreadable("is empty")
    if len(data) > MOST_BYTES:
        raise Unreadable(f"is larger than {MOST_BYTES >> 20} MB, which no exercise is")
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise Unreadable("is an old .xls, or has a password: save it as .xlsx, without one")
    if not data.startswith(b"PK"):
        raise Unreadable("is no spreadsheet")
    return data


def _parts(data: bytes) -> list[str]:
    """The names of the parts of a file, in lower case."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            names = ["/" + part.filename.lower() for part in parts]
            kind = archive.read("mimetype")[:200] if "/mimetype" in names else b""
    except (zipfile.BadZipFile, NotImplementedError, OSError, RuntimeError, KeyError) as error:
        raise Unreadable("is truncated or damaged") from error
    if b"opendocument" in kind:
        raise Unreadable("is an OpenDocument file: save it as .xlsx")
    if "/xl/workbook.xml" not in names:
        raise Unreadable("is no spreadsheet of the kind .xlsx")
    if sum(part.file_size for part in parts) > 16 * MOST_BYTES:
        raise Unreadable(f"unpacks to more than {16 * MOST_BYTES >> 20} MB, which no exercise does")
    return names
