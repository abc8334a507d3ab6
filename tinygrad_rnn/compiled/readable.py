"""The lines of a step as a teacher would write them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from tinygrad_rnn.compiled.lines import lines
from tinygrad_rnn.compiled.symbols import FUNCTIONS, Book, Value, is_elementwise
from tinygrad_rnn.compiled.trace import Traced

FUNCTIONS["sigmoid"] = lambda x: 1 / (1 + np.exp(-x))


def readable(step: Traced) -> Traced:
    """The same step in the functions that a reader knows, without what nobody would write."""
    names = ("next_states", "ys", "d_states", "d_xs", "d_consts")
    groups = [getattr(step, name) for name in names]
    before = lines([value for group in groups for value in group])
    book = Book(1 + max([value.number for value in before], default=0))  # lines stay in their order
    new = plainest(book, before)
    again: dict[str, Any] = {
        name: [v and new[v] for v in group] for name, group in zip(names, groups)
    }
    return replace(step, book=book, **again)


def plainest(book: Book, before: Iterable[Value]) -> dict[Value, Value]:
    """For each line, of which none comes before what it needs, what a reader would write."""
    new: dict[Value, Value] = {}
    for value in before:
        new[value] = value
        if value.fn not in ("input", "const"):
            own = book.line(value.fn, *[new[arg] for arg in value.args], **value.params)
            new[value] = _plain(book, own).described_as(value)
    return new


def _plain(book: Book, value: Value) -> Value:
    """A line in its plainest form."""
    for change in (_named, _without_units, _turned_once, _outer, _spread_late):
        found = change(book, value)
        if found is not None and (found.shape, found.dtype) == (value.shape, value.dtype):
            return found
    return value


def _named(book: Book, value: Value) -> Value | None:
    """σ(x), and y (1 − y) for its derivative."""
    args = value.args
    x = logistic(value)
    if x is not None:
        return book.line("sigmoid", x)
    if value.fn == "subtract" and args[1].fn == "multiply" and args[1].args == (args[0],) * 2:
        return book.line("multiply", args[0], book.line("subtract", book.const(1), args[0]))
    return None


def logistic(value: Value) -> Value | None:
    """x, if a value is the quotient by which σ(x) is computed without overflow."""
    if value.fn != "divide" or value.args[1].fn != "add":
        return None
    e, (same, one) = value.args[0], value.args[1].args
    if same is not e or e.fn != "exp" or not _is_const(one, 1) or e.args[0].fn != "minimum":
        return None
    x, limit = e.args[0].args
    return x if limit.fn == "const" else None


def is_sigma(value: Value) -> bool:
    """Whether it is σ of something, in either of the ways in which that is computed."""
    if value.fn != "divide" or value.args[1].fn != "add":
        return False
    above, parts = value.args[0], value.args[1].args
    quotient = _is_const(above, 1) and any(arg.fn == "exp" for arg in parts)
    return logistic(value) is not None or (quotient and any(_is_const(arg, 1) for arg in parts))


def _without_units(book: Book, value: Value) -> Value | None:
    """Neither times 1 or −1, nor to the power of 1, nor where it is true anyway."""
    args = value.args
    if value.fn in ("multiply", "divide") and _is_const(args[1], 1):
        return args[0]
    if value.fn == "multiply" and _is_const(args[1], -1):
        return book.line("negative", args[0])
    if value.fn == "power" and _is_const(args[1], 1):
        return args[0]
    if value.fn == "where" and _is_const(args[0], True):
        return args[1]
    return None


def _turned_once(book: Book, value: Value) -> Value | None:
    """(aᵀ b)ᵀ = bᵀ a."""
    if value.fn != "transpose" or value.args[0].fn != "matmul" or len(value.shape) != 2:
        return None
    a, b = value.args[0].args
    if a.fn != "transpose" or len(a.shape) != 2 or len(b.shape) != 2:
        return None
    turned = book.line("matmul", book.line("transpose", b, axes=(1, 0)), a.args[0])
    operation, _, formula = value.args[0].why.partition(": ")
    turned.why = turned.why or (f"{operation}: ({formula})ᵀ" if formula else "")
    return turned


def _outer(book: Book, value: Value) -> Value | None:
    """A column times a row."""
    if value.fn != "multiply" or any(arg.fn != "getitem" for arg in value.args):
        return None
    (a, b), column, row = value.args, (slice(None), None), (None, slice(None))
    if (a.params["index"], b.params["index"]) != (column, row):
        return None
    vectors = a.args[0], b.args[0]
    return book.line("outer", *vectors) if all(len(v.shape) == 1 for v in vectors) else None


def _spread_late(book: Book, value: Value) -> Value | None:
    """What is the same all over is made so at last, or not at all where arithmetic does it."""
    if value.fn == "broadcast_to":
        (x,) = value.args
        alone = x.fn == "reshape" and x.args[0].shape == ()
        return book.line("broadcast_to", x.args[0], **value.params) if alone else None
    if not is_elementwise(value) or value.fn == "where":
        return None
    spread = [arg for arg in value.args if arg.fn == "broadcast_to"]
    others = [arg for arg in value.args if arg not in spread]
    if len(spread) != 1:
        return None
    args = [arg.args[0] if arg is spread[0] else arg for arg in value.args]
    if all(arg.fn == "const" and arg.shape == () for arg in others):
        return book.line("broadcast_to", book.line(value.fn, *args), shape=value.shape)
    return book.line(value.fn, *args)


def _is_const(value: Value, number: Any) -> bool:
    return value.fn == "const" and bool(np.all(np.asarray(value.sample) == number))
