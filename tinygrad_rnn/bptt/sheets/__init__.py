"""Walks as live spreadsheets: written, with formulas for everything, and read back."""

from __future__ import annotations

import io
import os

from tinygrad_rnn import files
from tinygrad_rnn.bptt.record import Record
from tinygrad_rnn.bptt.sheets.plan import planned
from tinygrad_rnn.bptt.sheets.workbook import filled

__all__ = ["spreadsheet"]


def spreadsheet(record: Record, path: str | os.PathLike[str], *, rate: float = 0.1) -> None:
    """Write a walk as a live spreadsheet: forward and backward as formulas.

    Leaves are numbers that may be changed; everything else follows, in any spreadsheet program.
    """
    plan = planned(record, rate)
    stream = io.BytesIO()
    filled(plan, stream).close()
    files.write(path, stream.getvalue())
