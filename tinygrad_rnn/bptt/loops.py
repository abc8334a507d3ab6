"""The loops of a recorded graph: runs of operations that do the same again and again.

Operations stand in the order in which they were made, in runs of one time step each.  Runs that
follow each other are a loop if all do the same operations, with the same numbers, on what

* comes in from elsewhere, always the same or another element of one sequence each time,
* was made in the same run,
* or at the same place of the run before: that is what the loop carries.

What is not alike, as a first step often is, stands by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Any, NamedTuple

import numpy as np

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.operations.traits import traits_of
from tinygrad_rnn.reading.given import is_inline

Run = list[Node]
WIDEST, MOST_UNTIMED = 6, 12
"""Runs that may make up one pass of a loop, as calls of layers have runs of their own; and of one
over what has no time step, where each operation is a run."""


# -- sequences -----------------------------------------------------------------------------------


class Along(NamedTuple):
    """The elements of something that steps go through: at step t, from 0, that at first + by·t."""

    first: int
    by: int

    def text(self, steps: int) -> str:
        """The place at step t.

        Examples
        --------
        >>> Along(0, 1).text(5), Along(4, -1).text(5), Along(1, 2).text(5)
        ('t', 'T - 1 - t', '2 * t + 1')
        """
        if self == (steps - 1, -1):
            return "T - 1 - t"
        if self.by == -1:
            return f"{self.first} - t"
        scaled = "t" if self.by == 1 else f"{self.by} * t"
        sign = "+" if self.first > 0 else "-"
        return f"{scaled} {sign} {abs(self.first)}" if self.first else scaled

    def slice(self, steps: int, size: int) -> str:
        """The same of all steps, as an index; "" if that is everything."""
        last = self.first + self.by * (steps - 1)
        stop = last + self.by
        start = "" if self.first == (0 if self.by > 0 else size - 1) else str(self.first)
        end = "" if stop == (size if self.by > 0 else -1) else str(stop)
        step = "" if self.by == 1 else f":{self.by}"
        return "" if (start, end, step) == ("", "", "") else f"[{start}:{end}{step}]"


def along(numbers: Sequence[int]) -> Along | None:
    """How numbers grow by the same at every step, if they do and it is not nothing."""
    by = numbers[1] - numbers[0] if len(numbers) > 1 else 1
    steady = all(b - a == by for a, b in pairwise(numbers))
    return Along(numbers[0], by) if by and steady else None


def hole_of(indices: Sequence[tuple[Any, ...]]) -> tuple[int, Along] | None:
    """(which part of an index moves from step to step, how), if it is just one."""
    if len({len(index) for index in indices}) != 1:
        return None
    columns = [list(column) for column in zip(*indices)]
    moving = [i for i, column in enumerate(columns) if any(part != column[0] for part in column)]
    if len(moving) != 1:
        return None
    column = columns[moving[0]]
    if all(type(part) is int for part in column):
        how = along(column)
    elif all(isinstance(p, slice) and p.step in (None, 1) and p.start is not None for p in column):
        how = along([part.start for part in column])
        widths = {None if part.stop is None else part.stop - part.start for part in column}
        how = how if len(widths) == 1 and None not in widths else None
    else:
        how = None
    return None if how is None else (moving[0], how)


def moving_index(index: tuple[Any, ...], hole: int, how: Along, steps: int) -> str:
    """The index of step t."""

    def part(i: int, each: Any) -> str:
        if i == hole and isinstance(each, slice):
            text = how.text(steps)
            width = each.stop - each.start
            return f"{text}:{Along(how.first + width, how.by).text(0)}"
        if i == hole:
            return how.text(steps)
        if isinstance(each, slice):
            ends = ["" if end is None else str(end) for end in (each.start, each.stop)]
            return ":".join(ends) + ("" if each.step in (None, 1) else f":{each.step}")
        return "..." if each is Ellipsis else str(each)

    parts = [part(i, each) for i, each in enumerate(index)]
    while len(parts) > 1 and parts[-1] in (":", "...") and hole < len(parts) - 1:
        parts.pop()
    return f"[{', '.join(parts)}]"


# -- loops ---------------------------------------------------------------------------------------

IN, BEFORE, OUT = "in", "before", "out"


@dataclass(eq=False)
class Loop:
    """Runs that are alike.

    Attributes
    ----------
    runs : list of Run
    carried : list of int
        The places in a run of what the next run reads.
    """

    runs: list[Run]
    carried: list[int] = field(default_factory=list)
    place: dict[Node, tuple[int, int]] = field(default_factory=dict)  # run, place in it

    @property
    def steps(self) -> int:
        """How often."""
        return len(self.runs)

    def settle(self) -> Loop:
        """Find out what is carried."""
        self.place = {at: (k, p) for k, run in enumerate(self.runs) for p, at in enumerate(run)}
        found = [
            self.place[parent][1]
            for at in self.runs[1]
            for parent in at.parents
            if self.place.get(parent, (1, 0))[0] == 0
        ]
        self.carried = list(dict.fromkeys(found))
        return self

    def column(self, p: int) -> list[Node]:
        """The node at one place of every run."""
        return [run[p] for run in self.runs]

    def start(self, p: int) -> Node:
        """What stands in the first run where the others read what is carried."""
        for one, two in zip(self.runs[0], self.runs[1]):
            for a, b in zip(operands_of(one), operands_of(two)):
                if self.place.get(b) == (0, p):
                    return a
        raise AssertionError("nothing is carried there")


class Loops:
    """The loops among operations, which are given oldest first.

    Attributes
    ----------
    blocks : list of Loop or list of Node
        All operations: loops, and what stands between them.
    of : dict of Loop, by node
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes
        self.of: dict[Node, Loop] = {}
        self.blocks: list[Loop | Run] = self._blocks()

    def _runs(self) -> Iterator[Run]:
        """Operations by time step; those that were made at no step one by one."""
        for (step, *_), group in groupby(self.nodes, lambda at: at.tag[1:4]):
            if step is not None:
                yield list(group)
            else:
                yield from ([at] for at in group)

    def _blocks(self) -> list[Loop | Run]:
        runs, blocks, i = list(self._runs()), list[Loop | Run](), 0
        while i < len(runs):
            widest = WIDEST if runs[i][0].tag.step is not None else MOST_UNTIMED
            found = [(self._alike(runs[i:], width), width) for width in range(1, widest + 1)]
            bodies, width = max(found, key=lambda each: len(each[0]))
            if bodies:
                loop = Loop(bodies).settle()
                self.of |= dict.fromkeys(loop.place, loop)
                blocks.append(loop)
                i += len(bodies) * width
                continue
            if blocks and isinstance(blocks[-1], list):
                blocks[-1] += runs[i]
            else:
                blocks.append(list(runs[i]))
            i += 1
        return blocks

    def _alike(self, runs: Sequence[Run], width: int) -> list[Run]:
        """What stands at the front again and again, so many runs each time; if nothing, nothing."""
        found: list[Run] = []
        place: dict[Node, tuple[int, int]] = {}
        starts: dict[int, Node] = {}
        for k in range(len(runs) // width):
            body = [at for run in runs[k * width : (k + 1) * width] for at in run]
            place |= {at: (k, p) for p, at in enumerate(body)}
            if found and not self._goes_on([*found, body], place, starts):
                break
            found.append(body)
        by_chance = len(found) < (3 if runs[0][0].tag.step is None else 2)
        return [] if by_chance or _are_layers(found) else found

    def _goes_on(
        self, runs: Sequence[Run], place: Mapping[Node, tuple[int, int]], starts: dict[int, Node]
    ) -> bool:
        """Whether the last of these runs does what those before it do."""
        first, new, last = runs[0], runs[-1], len(runs) - 1
        if len(first) != len(new):
            return False
        for a, before, b in zip(first, runs[-2], new):
            operands = [operands_of(at) for at in (a, before, b)]
            if a.primitive is not b.primitive or a.shape != b.shape:
                return False
            if len({len(each) for each in operands}) != 1 or not all(
                self._same_source(one, two, three, place, last, starts)
                for one, two, three in zip(*operands)
            ):
                return False
        columns = list(zip(*runs[-3:]))  # what goes on in three is so in all
        return all(self._same_numbers(column, place) for column in columns) and all(
            self.sequence(operands) is not None
            for column in columns
            for operands in zip(*map(operands_of, column))
            if operands[-1] not in place and not moves(column)
        )

    def _same_source(
        self, a: Node, before: Node, b: Node, place: Mapping[Node, tuple[int, int]], last: int,
        starts: dict[int, Node],
    ) -> bool:  # fmt: skip
        """Whether operands of the first, the last but one and the last run come the same way."""
        source = _source(b, place, last)
        if source is None or (last > 1 and source != _source(before, place, last - 1)):
            return False
        way, p = source
        if way == IN:
            return place.get(a) == (0, p)
        starts_so = way == OUT or starts.setdefault(p, a) is a
        return starts_so and a not in place and a.shape == b.shape

    def _same_numbers(self, column: Sequence[Node], place: Mapping[Node, tuple[int, int]]) -> bool:
        """Whether operations differ in nothing but what can be read along time."""
        first, new = column[0].params, column[-1].params
        if equal(first, new):
            return True
        if is_read(column[0]) and column[-1].parents[0] not in place:
            whole = column[0].parents[0]
            same = whole not in self.of and all(at.parents[0] is whole for at in column)
            return same and hole_of([at.params["index"] for at in column]) is not None
        return equal(first, new, but_integers=True)

    def sequence(self, operands: Sequence[Node]) -> tuple[Any, Along | None] | None:
        """What operands from outside are: (one, None), or elements of a sequence; ``None``: no."""
        first = operands[0]
        if all(at is first for at in operands):
            return first, None
        if is_one_number(operands):
            return first, None
        if all(at.is_leaf for at in operands):
            alike = len({(at.shape, at.requires_grad) for at in operands}) == 1
            return (tuple(operands), Along(0, 1)) if alike else None
        return self._parts_read(operands) or self.elements(operands)

    def _parts_read(self, operands: Sequence[Node]) -> tuple[Any, Along] | None:
        """Operands that are parts of something, one after the other."""
        if not all(is_read(at) and at.parents[0] is operands[0].parents[0] for at in operands):
            return None
        indices = [at.params["index"] for at in operands]
        whole, found = operands[0].parents[0], hole_of(indices)
        if found is None or whole in self.of:
            return None
        return (whole, indices[0], found[0]), found[1]

    def elements(self, operands: Sequence[Node]) -> tuple[Any, Along] | None:
        """Operands that were made by the steps of a loop before."""
        loop = self.of.get(operands[0])
        if loop is None or not all(self.of.get(at) is loop for at in operands):
            return None
        spots = [loop.place[at] for at in operands]
        how = along([k for k, _ in spots])
        return None if how is None or len({p for _, p in spots}) > 1 else ((loop, spots[0][1]), how)


def _source(at: Node, place: Mapping[Node, tuple[int, int]], run: int) -> tuple[str, int] | None:
    """Where an operand of a run comes from, and the place there; ``None``: from further back."""
    if at not in place:
        return OUT, 0
    k, p = place[at]
    return (IN, p) if k == run else (BEFORE, p) if k == run - 1 else None


def operands_of(at: Node) -> Sequence[Node]:
    """The operands of an operation; 0 comes first, as what a sum begins with."""
    parents = at.parents
    if at.primitive.name == "add" and is_inline(parents[1]) and not np.any(parents[1].value):
        return parents[::-1]
    return parents


def _are_layers(runs: Sequence[Run]) -> bool:
    """Whether time stands still from the first of these runs to the second, and weights change."""
    if runs[0][0].tag.step != runs[1][0].tag.step:
        return False
    one, two = ({leaf for at in run for leaf in at.parents if leaf.is_leaf} for run in runs[:2])
    return any(leaf.requires_grad for leaf in one ^ two)


def is_one_number(operands: Sequence[Node]) -> bool:
    """Whether these are numbers of the program, always the same."""
    inline = all(map(is_inline, operands))
    return inline and all(np.array_equal(at.value, operands[0].value) for at in operands)


def is_read(at: Node) -> bool:
    """Whether it reads a part by integers and slices."""
    index = at.params.get("index", ()) if traits_of(at.primitive).part else ()
    return bool(index) and not any(isinstance(part, np.ndarray) for part in index)


def moves(column: Sequence[Node]) -> bool:
    """Whether another part of something is read at every step."""
    return is_read(column[0]) and not equal(column[0].params, column[-1].params)


def equal(a: Any, b: Any, but_integers: bool = False) -> bool:
    """Whether parameters are the same, but perhaps for the integers in arrays."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        alike = type(a) is type(b) and a.shape == b.shape and a.dtype == b.dtype
        return alike and ((but_integers and a.dtype.kind in "iu") or np.array_equal(a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k], but_integers) for k in a)
    if isinstance(a, tuple | list) and isinstance(b, tuple | list):
        return len(a) == len(b) and all(map(lambda x, y: equal(x, y, but_integers), a, b))
    return type(a) is type(b) and bool(a == b)
