"""Lists of a program's lines: in order, by what they depend on, and with some replaced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from tinygrad_rnn.compiled.symbols import Book, Value

SAME, FREE, CARRIED = 0, 1, 2
"""How a line depends on time: it is the same at every step; other, but of no use to wait for; or
made of what the step before has left."""


def lines(
    roots: Iterable[Value | None], until: Callable[[Value], bool] = lambda value: False
) -> list[Value]:
    """Everything that the roots depend on, in an order in which it can be computed.

    ``until``: what is taken as it is, so that nothing it depends on counts.
    """
    stack = [root for root in roots if root is not None]
    seen = set(stack)
    while stack:
        value = stack.pop()
        fresh = [arg for arg in value.args if arg not in seen] if not until(value) else []
        seen.update(fresh)
        stack.extend(fresh)
    return sorted(seen, key=lambda value: value.number)


def uses(roots: Iterable[Value | None]) -> Counter[Value]:
    """How often each line is read by another, or is a root."""
    ends = [root for root in roots if root is not None]
    found = Counter(ends)
    for value in lines(ends):
        found.update(value.args)
    return found


def replaced(
    book: Book, roots: Iterable[Value | None], change: Callable[[Value, Value], Value]
) -> list[Value | None]:
    """The roots after a change of some lines: of (a line, the same with its new operands)."""
    roots, new = list(roots), dict[Value, Value]()
    for value in lines(roots):
        new[value] = change(value, again(book, value, new))
        new[value].described_as(value)
    return [None if root is None else new[root] for root in roots]


def exchanged(
    book: Book, roots: Iterable[Value | None], new: Mapping[Value, Value]
) -> list[Value | None]:
    """The roots with some values replaced by others, which need not depend on the same lines."""
    done: dict[Value, Value] = {}

    def now(value: Value) -> Value:
        stack = [value]
        while stack:
            at = stack[-1]
            if at in done:
                stack.pop()
                continue
            source = new.get(at, at)
            needs = [source] if source is not at else list(at.args)
            missing = [need for need in needs if need not in done]
            if missing:
                stack += missing
            else:
                done[at] = again(book, at, done) if source is at else done[source]
                done[at].described_as(at)
        return done[value]

    return [None if root is None else now(root) for root in roots]


def again(book: Book, value: Value, new: Mapping[Value, Value]) -> Value:
    """The same line of new operands."""
    args = [new[arg] for arg in value.args]
    return book.line(value.fn, *args, **value.params) if args != [*value.args] else value


class Dependence:
    """How lines depend on time, seen from the forward pass or from the backward one.

    Seen from the backward pass only the cotangents of the states are carried.
    """

    def __init__(
        self, carried: Iterable[Value], same: Iterable[Value], free: Iterable[Value] = ()
    ) -> None:
        self._known = dict.fromkeys(carried, CARRIED) | dict.fromkeys(same, SAME)
        self._known |= dict.fromkeys(free, FREE)

    def __call__(self, value: Value) -> int:
        """`SAME`, `FREE` or `CARRIED`."""
        stack, known = [value], self._known
        while stack:
            at = stack[-1]
            if at in known:
                stack.pop()
            elif missing := [arg for arg in at.args if arg not in known]:
                stack += missing
            else:
                first = {"const": SAME, "input": FREE}.get(at.fn, SAME)
                known[at] = max([first, *(known[arg] for arg in at.args)])
        return known[value]
