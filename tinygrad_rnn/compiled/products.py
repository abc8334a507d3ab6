"""Products with weights, computed so that what follows takes less time.

A weight is the same at every step.  What is done to the columns of a product, and is linear, can be
done to the weight instead, once: choosing columns, and changing signs.
"""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from tinygrad_rnn.compiled.lines import CARRIED, SAME, Dependence, exchanged, lines
from tinygrad_rnn.compiled.spans import span, span_of
from tinygrad_rnn.compiled.symbols import Book, Value

Roots = Sequence[Value | None]
Columns = Callable[[Value], Value]


def with_quotients_simple(book: Book, roots: Roots) -> list[Value | None]:
    """Of e / (e + 1), where e is exp(min(x, …)), they make 1 / (1 + exp(−x)).

    The engine's σ takes the minimum so that nothing overflows.  Here nobody is warned, and NumPy's
    minimum takes as long as its exp.
    """
    new = {}
    for value in lines(roots):
        if value.fn != "divide" or value.args[0].fn != "exp":
            continue
        e, below = value.args
        (least,) = e.args
        one = [arg for arg in below.args if arg is not e]
        if below.fn != "add" or e not in below.args or least.fn != "minimum" or len(one) != 1:
            continue
        limit, x = sorted(least.args, key=lambda arg: arg.fn != "const")
        if one[0].fn == limit.fn == "const" and one[0].sample == 1 and _saturates(limit, x):
            below = book.line("add", book.line("exp", book.line("negative", x)), one[0])
            new[value] = book.line("divide", one[0], below)
    return exchanged(book, roots, new)


def _saturates(limit: Value, x: Value) -> bool:
    """Whether 1 / (1 + exp(−x)) is 1 from this limit on."""
    return bool(1 + np.exp(-np.asarray(limit.sample, x.dtype)) == 1)


def with_columns_apart(book: Book, roots: Roots, dependence: Dependence) -> list[Value | None]:
    """Columns of a product that go different ways are computed by products of their own.

    (z of an LSTM: i, f and o go through σ, g goes through tanh.)  Those of one way lie side by
    side then, and in memory of their own, through which NumPy goes twice as fast.  Of a single row
    all memory is of one piece: there one product does, its columns in the order of their ways.
    """
    new: dict[Value, Value] = {}
    readers = _readers(roots)
    for value in _products(roots, readers, dependence):
        parts = _columns_read(value, readers)
        ways: dict[Any, list[Value]] = defaultdict(list)
        for part in parts:
            ways[_way(part, readers[part])].append(part)
        groups = list(ways.values())
        if math.prod(value.shape[:-1]) == 1:
            groups = [[part for group in groups for part in group]]
        if groups == [parts]:
            continue
        made = [_linear(book, value, dependence, readers, _chosen(book, group)) for group in groups]
        wholes = [whole for whole in made if whole is not None]
        for whole, group in zip(wholes, groups) if len(wholes) == len(made) else ():
            at = 0
            for part in group:
                new[part] = span(book, whole, len(value.shape) - 1, at, at + part.shape[-1])
                at += part.shape[-1]
    return exchanged(book, roots, new)


def with_signs_in_weights(book: Book, roots: Roots, dependence: Dependence) -> list[Value | None]:
    """Of what is only read negated the weights are negated instead."""
    new: dict[Value, Value] = {}
    readers, ends = _readers(roots), set(roots)
    for value in _products(roots, readers, dependence):
        parts = _columns_read(value, readers) or [value]
        signs = [
            part not in ends and all(reader.fn == "negative" for reader in readers[part])
            for part in parts
        ]
        if any(signs):
            negated = _negated(book, value, parts, signs)
            made = _linear(book, value, dependence, readers, negated)
            if made is None:
                continue
            for part, sign in zip(parts, signs):
                now = made if part is value else book.line("getitem", made, **part.params)
                new |= dict.fromkeys(readers[part], now) if sign else {part: now}
    return exchanged(book, roots, new)


# -- who reads which columns ---------------------------------------------------------------------

Readers = dict[Value, list[Value]]


def _readers(roots: Roots) -> Readers:
    """Who reads each value; of what nobody reads, nobody."""
    found: Readers = defaultdict(list)
    for value in lines(roots):
        for arg in set(value.args):
            found[arg].append(value)
    return found


def _products(roots: Roots, readers: Readers, dependence: Dependence) -> list[Value]:
    """Sums with a product with weights in them, of which no more than that is read."""
    return [
        value
        for value in lines(roots)
        if value not in roots and readers[value] and _is_product(value, dependence)
    ]


def _is_product(value: Value, dependence: Dependence) -> bool:
    if value.fn == "matmul":
        return dependence(value.args[1]) == SAME != dependence(value)
    return value.fn == "add" and any(_is_product(arg, dependence) for arg in value.args)


def _columns_read(value: Value, readers: Readers) -> list[Value]:
    """The spans of columns, apart from each other, in which a value is read; none if otherwise."""
    cuts = [span_of(reader) for reader in readers[value]]
    places = [
        (*cut[2:], part)
        for cut, part in zip(cuts, readers[value])
        if cut is not None and cut[1] == len(value.shape) - 1
    ]
    places.sort(key=lambda place: place[:2])
    apart = all(end <= start for (_, end, _), (start, *_) in pairwise(places))
    return [part for *_, part in places] if apart and len(places) == len(cuts) else []


def _way(part: Value, readers: Iterable[Value]) -> Any:
    """What is done with a span, but for the place of the other spans that it meets there."""

    def other(arg: Value) -> Any:
        cut = span_of(arg)
        return arg.number if cut is None else (cut[0].number, cut[1])

    return frozenset((reader.fn, *[other(arg) for arg in reader.args]) for reader in readers)


# -- what is done to columns ---------------------------------------------------------------------


def _chosen(book: Book, parts: Sequence[Value]) -> Columns:
    """Some of the columns of whatever has as many, side by side."""
    places: list[tuple[int, int]] = []
    for part in parts:
        start = part.params["index"][-1].start or 0
        end = start + part.shape[-1]
        if places and places[-1][1] == start:
            places[-1] = places[-1][0], end
        else:
            places.append((start, end))

    def columns(value: Value) -> Value:
        axis = len(value.shape) - 1
        spans = [span(book, value, axis, *place) for place in places]
        return spans[0] if len(spans) == 1 else book.line("concatenate", *spans, axis=axis)

    return columns


def _negated(book: Book, value: Value, parts: Sequence[Value], signs: Sequence[bool]) -> Columns:
    """Some of the columns of whatever has as many, negated."""
    if all(signs):
        return lambda x: book.line("negative", x)
    row = np.ones(value.shape[-1], value.dtype)
    for part, sign in zip(parts, signs):
        if sign:
            row[part.params["index"][-1]] = -1
    return lambda x: book.line("multiply", x, book.const(row))


def _linear(
    book: Book, value: Value, dependence: Dependence, readers: Readers, columns: Columns
) -> Value | None:
    """What is done to the columns of a sum of products, done to its weights; None if it cannot."""

    def inner(arg: Value) -> Value | None:
        if arg.shape[-1:] != value.shape[-1:]:
            return None
        if dependence(arg) == SAME:
            return columns(arg)
        if len(readers[arg]) == 1 and _is_product(arg, dependence):
            return _linear(book, arg, dependence, readers, columns)
        return None if dependence(arg) == CARRIED else columns(arg)

    if value.fn == "matmul":
        factor, weight = value.args
        return book.line("matmul", factor, columns(weight)) if len(weight.shape) == 2 else None
    one, two = map(inner, value.args)
    return None if one is None or two is None else book.line("add", one, two)


def with_rows_apart(book: Book, roots: Roots, dependence: Dependence) -> list[Value | None]:
    """[x ; h] W is x W₁ + h W₂, of which the product with x need not wait for h."""
    new = {}
    for value in lines(roots):
        if value.fn != "matmul" or value.args[0].fn != "concatenate":
            continue
        whole, weight = value.args
        axis = whole.params["axis"]
        ways = {dependence(part) for part in whole.args}
        if len(ways) == 1 or dependence(weight) != SAME or axis != len(whole.shape) - 1:
            continue
        if len(weight.shape) == 2:
            at, terms = 0, []
            for part in whole.args:
                rows = span(book, weight, 0, at, at + part.shape[-1])
                terms.append(book.line("matmul", part, rows))
                at += part.shape[-1]
            new[value] = functools.reduce(lambda a, b: book.line("add", a, b), terms)
    return exchanged(book, roots, new)
