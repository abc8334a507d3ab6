"""Sums over all time steps: of a weight's gᵀx one product does the work of many."""

from __future__ import annotations

from collections.abc import Sequence

from tinygrad_rnn.compiled.symbols import AT, FUNCTIONS, Book, Value

# Of one step, as samples; of many they are summed over the steps.
FUNCTIONS["total"] = lambda x: x
FUNCTIONS["total_rows"] = lambda x: x.sum(0)
FUNCTIONS["total_product"] = lambda a, b: a.T @ b
FUNCTIONS["total_outer"] = lambda a, b: a.reshape(-1, 1) * b.reshape(1, -1)
FUNCTIONS["total_at"] = lambda g, at, shape: FUNCTIONS["add_at"](g, at, index=(AT,), shape=shape)

TOTALS = ("total", "total_rows", "total_product", "total_outer", "total_at")
"""What sums over the steps: anything; over rows, too; aᵀ b; the outer product of vectors; what goes
to the rows of a table that were looked up."""


def total(book: Book, value: Value) -> Value:
    """The sum of a value over all steps, by few and large operations."""
    args = value.args
    if value.fn in ("add", "subtract") and all(arg.shape == value.shape for arg in args):
        return book.line(value.fn, *[total(book, arg) for arg in args])
    if value.fn in ("negative", "transpose", "reshape"):
        return book.line(value.fn, total(book, args[0]), **value.params)
    if value.fn == "matmul" and all(len(arg.shape) == 2 for arg in args):
        a, b = args
        turned = a.fn == "transpose"
        return book.line(
            "total_product", a.args[0] if turned else book.line("transpose", a, axes=(1, 0)), b
        )
    if value.fn == "add_at" and value.params["index"] == (AT,) and args[1].fn == "input":
        return book.line("total_at", *args, shape=value.shape)
    if value.fn == "multiply" and _is_outer([arg.shape for arg in args]):
        a, b = args if args[0].shape[-1] == 1 else args[::-1]
        return book.line("total_outer", a, b)
    over_rows = value.fn == "sum" and value.params == {"axis": (0,), "keepdims": False}
    if over_rows and len(args[0].shape) == 2:
        return book.line("total_rows", args[0])
    return book.line("total", value)


def _is_outer(shapes: Sequence[tuple[int, ...]]) -> bool:
    """Whether these are the shapes of a column and of a row."""
    columns = [shape for shape in shapes if len(shape) == 2 and shape[1] == 1]
    rows = [shape for shape in shapes if shape[:-1] in ((), (1,)) and len(shape) > 0]
    return len(columns) == 1 and len(rows) == 1 and columns[0] is not rows[0]
