"""The sheet that says how the others are read."""

from __future__ import annotations

from typing import Any

from tinygrad_rnn.bptt.sheets.lines import INFINITE
from tinygrad_rnn.bptt.sheets.plan import Plan
from tinygrad_rnn.writing.palette import LIGHT

A4 = 9  # as spreadsheets number sizes of paper
_KINDS = (
    ("input", "an input or a target"),
    ("parameter", "a weight; it stands once, at the left"),
    ("state", "a state, which the next step goes on from"),
    ("operation", "any other tensor, with the operation that made it"),
    ("loss", "the loss L"),
)
_ABOUT = (
    ("thick frame, bold", "a number that you may change: everything else follows"),
    ("h₁ = tanh(a₁)", "a tensor, its name and how it was computed; the subscript is the time step"),
    ("∂L/∂h₁", "its gradient: by how much L grows if the number above it grows, per unit"),
    ("∂L/∂h₁ from a₂", "what one use of h₁ sends back; the gradient is the sum over all uses"),
    ("∂L/∂W from t = 2", "what time step 2 gives to the gradient of W, which is the sum over t"),
    ("⊙  @  ᵀ  σ", "element by element, matrix product, transposed, 1 / (1 + exp(−x))"),
    ("max for y", "a number on the way, which the operation of y computes inside"),
    ("η", "the rate of gradient descent: the column “after a step” has θ − η · ∂L/∂θ"),
)
_NOTES = (
    "Columns are time steps and bands are layers; time runs to the right, and forward downwards.",
    "Backward runs the other way: follow the gradients from L to the left.",
    "A vector lies in a row; a matrix has its rows below each other, and so stand several of them.",
    "What holds several gates has rows for each of them, with its name beside the first.",
    "Classes and places that were looked up are counted from 0.",
    f"A spreadsheet knows no infinity: where the program has one, there is {INFINITE:.0E} here.",
    "True is 1, and false is 0.",
    "What the program did not record stays as it was: dropped units, branches, what was detached.",
)


def signs(sheet: Any, look: Any, plan: Plan) -> None:
    """Write the sheet."""
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 96)
    sheet.write_string(0, 0, "How to read the sheets", look(bold=True, font_size=13))
    row = 2
    for kind, said in _KINDS:
        paint = LIGHT.boxes[kind]
        name = look(bg_color=paint.fill, border=1, border_color=paint.border, bold=True)
        row = _line(sheet, row, kind, said, name, look)
    fill = look(bg_color=LIGHT.heat[2].fill, font_color=LIGHT.gradient, border=1)
    row = _line(
        sheet, row, "gradient", "what flows back, below the value that it is of", fill, look
    )
    row += 1
    for sign, said in _ABOUT:
        row = _line(sheet, row, sign, said, look(bold=True), look)
    row += 1
    for note in (*_NOTES, *_fixed(plan)):
        sheet.write_string(row, 1, note, look())
        row += 1


def _line(sheet: Any, row: int, sign: str, said: str, name: Any, look: Any) -> int:
    sheet.write_string(row, 0, sign, name)
    sheet.write_string(row, 1, said, look())
    return row + 1


def _fixed(plan: Plan) -> list[str]:
    return [
        f"{name}: its conditions and indices stay as they were when the program ran."
        for name in plan.fixed
    ]
