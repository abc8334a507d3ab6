"""Spans: neighbouring elements of a value along one of its axes."""

from __future__ import annotations

from tinygrad_rnn.compiled.symbols import Book, Value


def span_of(value: Value) -> tuple[Value, int, int, int] | None:
    """(of what, along which axis, from, to), if a value is a span of another along one axis."""
    if value.fn != "getitem":
        return None
    index, whole = value.params["index"], value.args[0]
    if not all(isinstance(i, slice) and i.step in (None, 1) for i in index):
        return None
    cut = [a for a, i in enumerate(index) if i.indices(whole.shape[a]) != (0, whole.shape[a], 1)]
    if len(cut) != 1:
        return None
    start, stop, _ = index[cut[0]].indices(whole.shape[cut[0]])
    return whole, cut[0], start, stop


def span(book: Book, whole: Value, axis: int, start: int, stop: int) -> Value:
    """A span of a value along one axis."""
    if (start, stop) == (0, whole.shape[axis]):
        return whole
    inner = span_of(whole)
    if inner is not None and inner[1] == axis:
        return span(book, inner[0], axis, inner[2] + start, inner[2] + stop)
    return book.line("getitem", whole, index=(slice(None),) * axis + (slice(start, stop),))


def tiling(value: Value) -> tuple[int, list[tuple[int, Value]]] | None:
    """(axis, [(from, part), …]) if the parts of an "assemble" fill it without a gap, in order."""
    found = []
    for part, index in zip(value.args, value.params["indices"], strict=True):
        shape = value.shape
        if not all(isinstance(i, slice) for i in index):
            return None
        ends = [i.indices(n) for i, n in zip(index, shape)]
        cut = [a for a, (i, n) in enumerate(zip(ends, shape)) if i != (0, n, 1)]
        if len(cut) > 1 or any(step != 1 for *_, step in ends):
            return None
        axis = cut[0] if cut else 0
        found.append((axis, *(ends[axis][:2] if ends else (0, shape[axis])), part))
    axes = {axis for axis, *_ in found}
    if len(axes) != 1:
        return None
    (axis,), end, parts = axes, 0, []
    for _, start, stop, part in sorted(found, key=lambda each: each[1]):
        if start != end:
            return None
        end = stop
        parts.append((start, part))
    return (axis, parts) if end == value.shape[axis] else None
