"""Walks as live spreadsheets: written, with formulas for everything, and read back."""

from __future__ import annotations

import io
import math
import os
from pathlib import Path

from tinygrad_rnn import files
from tinygrad_rnn.bptt.record import Record
from tinygrad_rnn.bptt.sheets.lines import Refused
from tinygrad_rnn.bptt.sheets.plan import check_steps, planned
from tinygrad_rnn.bptt.sheets.reading import from_spreadsheet
from tinygrad_rnn.bptt.sheets.workbook import filled

__all__ = ["check_steps", "from_spreadsheet", "spreadsheet"]

SUFFIXES = (".xlsx",)


def spreadsheet(record: Record, path: str | os.PathLike[str], *, rate: float = 0.1) -> None:
    """Write a walk as a live spreadsheet: its forward and its backward as formulas.

    Leaves are numbers that may be changed, and everything else follows, in any spreadsheet program:
    each operation's value, each gradient by the rule that the walk used, what every time step gives
    to each weight, the loss, and the loss after a step of gradient descent. Columns are time steps,
    bands are layers, colours and names those of `viz.draw`; a sheet explains the signs.

    Parameters
    ----------
    record : Record
        Of `record`: of any net up to 64 time steps, with arrays of up to 1,024 elements.
    path : path
        Where it goes: an .xlsx file, which shows the engine's numbers also where nothing can
        calculate them.
    rate : float
        η, the rate of the step; it can be changed in the sheet.

    Raises
    ------
    ValueError
        If the net is too large, or an operation or its rule is not made of arithmetic that a
        spreadsheet has (the message names it); if values are NaN or infinite.
    RuntimeError
        If the extra ``spreadsheet`` is not installed.

    Notes
    -----
    A spreadsheet computes in double precision, whatever the program's. What the graph has not
    recorded stays as it was: masks of dropout, branches, what was detached. Classes and rows that
    were looked up are numbers that may be changed, too, but for those that the sheet says are
    fixed.

    Examples
    --------
    >>> import tempfile, tinygrad_rnn as tg
    >>> lstm = tg.nn.LSTM(1, 2)
    >>> walk = tg.bptt.record(lstm(tg.randn(3, 1))[0].sum())
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     tg.bptt.spreadsheet(walk, f"{directory}/lstm.xlsx")
    """
    if Path(path).suffix.lower() not in SUFFIXES:
        raise Refused(f"spreadsheet: {os.fspath(path)} does not end in .xlsx")
    files.writable(path)
    if not math.isfinite(rate):
        raise Refused(f"spreadsheet: rate must be finite, not {rate}")
    plan, stream = planned(record, rate), io.BytesIO()
    filled(plan, stream).close()
    files.write(path, stream.getvalue())
