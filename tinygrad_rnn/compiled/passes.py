"""Making a program quicker without changing what it computes, but for the order of sums.

Each pass takes the results of a program (its roots) and gives them back, computed otherwise.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from tinygrad_rnn.compiled.lines import CARRIED, Dependence, exchanged, lines, replaced, uses
from tinygrad_rnn.compiled.products import (
    with_columns_apart,
    with_quotients_simple,
    with_rows_apart,
    with_signs_in_weights,
)
from tinygrad_rnn.compiled.spans import span, span_of, tiling
from tinygrad_rnn.compiled.symbols import Book, Value, is_elementwise

Roots = Sequence[Value | None]
How = Callable[[Value], int]


# -- products ------------------------------------------------------------------------------------


def with_factors_together(book: Book, roots: Roots, dependence: How) -> list[Value | None]:
    """What is carried is multiplied once, by a factor that need not wait for it.

    The backward of a cell is full of (g ⊙ a) ⊙ b − (g ⊙ a) ⊙ c, where only g is carried.
    """
    scaled: dict[Value, tuple[Value, Value]] = {}

    def factored(value: Value) -> tuple[Value, Value | None]:
        return scaled.get(value, (value, None))

    def product(a: Value | None, b: Value) -> Value:
        return b if a is None else book.line("multiply", a, b)

    def of(value: Value) -> tuple[Value, Value] | None:
        """A carried value and its factor, if this is their product."""
        if value.fn == "multiply":
            a, b = value.args
            if dependence(a) < dependence(b):
                a, b = b, a
            if dependence(b) == CARRIED:
                return None
            base, factor = factored(a)
            return base, product(factor, b)
        if value.fn == "negative":
            base, factor = factored(value.args[0])
            return None if factor is None else (base, book.line("negative", factor))
        if value.fn in ("add", "subtract"):
            (base, one), (other, two) = map(factored, value.args)
            if base is other and (one is not None or two is not None):
                unit = book.const(base.dtype.type(1))
                return base, book.line(value.fn, one or unit, two or unit)
        return None

    def change(_: Value, value: Value) -> Value:
        if dependence(value) != CARRIED or value.dtype.kind != "f":
            return value
        found = of(value)
        if found is None:
            return value
        together = book.line("multiply", *found)
        if together.shape != value.shape or together.dtype != value.dtype:
            return value
        scaled[together] = found
        return together

    return replaced(book, roots, change)


def with_terms_in_order(book: Book, roots: Roots, dependence: How) -> list[Value | None]:
    """Of a sum of several terms those that need not wait are added up first."""
    count = uses(roots)
    inner = {
        arg
        for value in lines(roots)
        for arg in value.args
        if value.fn == arg.fn == "add" and count[arg] == 1 and arg.dtype == value.dtype
    }
    terms: dict[Value, list[Value]] = {}

    def change(value: Value, now: Value) -> Value:
        if value.fn != "add":
            return now
        found = [t for arg, own in zip(value.args, now.args) for t in terms.get(arg, [own])]
        if value in inner:
            terms[value] = found
            return now
        total, *rest = sorted(found, key=dependence)
        for term in rest if len(found) > 2 else ():
            total = book.line("add", total, term)
        return total if len(found) > 2 and total.dtype == value.dtype else now

    return replaced(book, roots, change)


# -- neighbours ----------------------------------------------------------------------------------


def with_neighbours_together(book: Book, roots: Roots) -> list[Value | None]:
    """Equal operations on neighbouring spans of one value are done at once (σ of i and f)."""
    while True:
        runs = _runs(lines(roots))
        if not runs:
            return list(roots)
        new: dict[Value, Value] = {}
        for run in runs:
            whole_args, axis = [], 0
            for args in zip(*[value.args for _, _, value in run], strict=True):
                found = span_of(args[0])
                if found is None:
                    whole_args.append(args[0])
                else:
                    axis = found[1]
                    whole_args.append(span(book, found[0], axis, run[0][0], run[-1][1]))
            together = book.line(run[0][2].fn, *whole_args, **run[0][2].params)
            for start, stop, value in run:
                new[value] = span(book, together, axis, start - run[0][0], stop - run[0][0])
        old = roots
        roots = exchanged(book, roots, new)
        if all(a is b for a, b in zip(old, roots, strict=True)):
            return list(roots)


def _runs(values: Sequence[Value]) -> list[list[tuple[int, int, Value]]]:
    """Neighbours: (from, to, value), at least two in each run."""
    groups: dict[Any, list[tuple[int, int, Value]]] = defaultdict(list)
    for value in values:
        if not is_elementwise(value):
            continue
        spans = [span_of(arg) for arg in value.args]
        cut = [found for found in spans if found is not None]
        plain = [arg for arg, found in zip(value.args, spans) if found is None]
        if not cut or len({found[1:] for found in cut}) != 1:
            continue
        if any(math.prod(arg.shape) != 1 for arg in plain):
            continue
        axis, ndim = cut[0][1], len(value.shape)
        if any(len(found[0].shape) != ndim for found in cut):
            continue
        key = tuple(
            arg.number if found is None else (found[0].number, found[1])
            for arg, found in zip(value.args, spans)
        )
        groups[value.fn, axis, key].append((cut[0][2], cut[0][3], value))
    found_runs = []
    for members in groups.values():
        members.sort(key=lambda member: member[:2])
        run = [members[0]]
        for member in members[1:]:
            if member[0] == run[-1][1]:
                run.append(member)
            else:
                found_runs.append(run)
                run = [member]
        found_runs.append(run)
    return [run for run in found_runs if len(run) > 1]


def with_parts_together(
    book: Book, roots: Roots, dependence: How, awaited: Roots
) -> list[Value | None]:
    """Neighbouring parts of one array that are the same carried value times a factor each.

    (dL/di, dL/df, dL/dg of an LSTM are all ∂L/∂c times something.) A part may be one of several
    arrays; it goes with what the loop waits for, if any, to make ``awaited``.
    """
    new: dict[Value, Value] = {}
    inside = set(lines(awaited))
    for value in sorted(lines(roots), key=lambda value: (value not in inside, value.number)):
        if value.fn != "assemble":
            continue
        tiles = tiling(value)
        if tiles is None:
            continue
        axis, parts = tiles
        merged, changed = [], False
        for run in _same_base(parts, dependence):
            if len(run) == 1 or any(part in new for _, part in run):
                merged += [(start, start + part.shape[axis], part) for start, part in run]
                continue
            together = _together(book, run, axis)
            start = run[0][0]
            for at, part in run:
                size = part.shape[axis]
                new[part] = span(book, together, axis, at - start, at - start + size)
            merged.append((start, start + together.shape[axis], together))
            changed = True
        if changed:
            before = (slice(None),) * axis
            new[value] = merged[0][2] if len(merged) == 1 else book.line(
                "assemble", *[part for _, _, part in merged],
                indices=tuple((*before, slice(a, b)) for a, b, _ in merged), shape=value.shape,
            )  # fmt: skip
    return exchanged(book, roots, new)


def _same_base(
    parts: Sequence[tuple[int, Value]], dependence: How
) -> list[list[tuple[int, Value]]]:
    """Runs of parts that are one carried value, of their shape, times a factor of their shape."""

    def base(part: Value) -> Value | None:
        if part.fn != "multiply" or any(arg.shape != part.shape for arg in part.args):
            return None
        a, b = part.args
        if (dependence(a) == CARRIED) == (dependence(b) == CARRIED):
            return None
        return a if dependence(a) == CARRIED else b

    runs: list[list[tuple[int, Value]]] = []
    for start, part in parts:
        last = runs[-1][-1][1] if runs else None
        alike = last is not None and last.shape == part.shape and base(part) is not None
        if last is not None and alike and base(last) is base(part):
            runs[-1].append((start, part))
        else:
            runs.append([(start, part)])
    return runs


def _together(book: Book, run: Sequence[tuple[int, Value]], axis: int) -> Value:
    """A carried value times several factors, side by side along an axis."""
    first = run[0][1]
    shared = next(arg for arg in first.args if all(arg in part.args for _, part in run))
    factors = [part.args[1 - part.args.index(shared)] for _, part in run]
    shape, n = first.shape, len(run)
    whole = (*shape[:axis], n * shape[axis], *shape[axis + 1 :])
    before = (slice(None),) * axis
    size = shape[axis]
    factor = book.line(
        "assemble", *factors,
        indices=tuple((*before, slice(i * size, (i + 1) * size)) for i in range(n)), shape=whole,
    )  # fmt: skip
    apart = (*shape[:axis], n, *shape[axis:])
    spread = book.line("reshape", shared, shape=(*shape[:axis], 1, *shape[axis:]))
    return book.line(
        "reshape",
        book.line("multiply", spread, book.line("reshape", factor, shape=apart)),
        shape=whole,
    )


def quicker(
    book: Book, roots: Roots, forward: Dependence, backward: Dependence, awaited: slice
) -> list[Value | None]:
    """All passes, in the order in which each makes room for the next.

    ``awaited``: which of the roots the backward's loop hands from step to step.
    """
    roots = with_quotients_simple(book, roots)
    roots = with_rows_apart(book, roots, forward)
    roots = with_columns_apart(book, roots, forward)
    roots = with_neighbours_together(book, roots)
    roots = with_terms_in_order(book, roots, forward)
    roots = with_signs_in_weights(book, roots, forward)
    roots = with_factors_together(book, roots, backward)
    roots = with_neighbours_together(book, roots)
    return with_parts_together(book, roots, backward, roots[awaited])


def apart(
    book: Book, roots: Roots, forward: Dependence, backward: Dependence, awaited: slice
) -> list[Value | None]:
    """Only what takes products out of the loop: loops over elements need nothing else."""
    return with_terms_in_order(book, with_rows_apart(book, roots, forward), forward)
