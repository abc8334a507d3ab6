"""A recorded graph as the stages of a program: what was done once, and loops of like steps.

Operations stand in the order in which they were made, in runs of one time step each.  Runs that
follow each other are a loop if all do the same operations, with the same numbers, on what

* comes in from elsewhere, always the same or another element of one sequence each time,
* was made in the same run,
* or at the same place of the run before: that is what the loop carries.

What is not alike, as a first step often is, is written out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Any, NamedTuple

import numpy as np

from tinygrad_rnn.compiled.lines import lines
from tinygrad_rnn.compiled.symbols import CannotWrite
from tinygrad_rnn.compiled.text import Read, Stage, Variable
from tinygrad_rnn.compiled.trace import Traced, traced
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.operations import flatten, movedim
from tinygrad_rnn.operations.traits import traits_of
from tinygrad_rnn.reading.given import is_inline, name_of
from tinygrad_rnn.tensor import Tensor, wrap

Array = np.ndarray[Any, Any]
Run = list[Node]
MOST = 300
"""Operations that are written one by one; whoever has more has a loop that is none here."""
WIDEST, MOST_UNTIMED = 6, 12
"""Runs that may make up one pass of a loop, as calls of layers have runs of their own; and of one
over what has no time step, where each operation is a run."""


class Parts(NamedTuple):
    """What a program is made of; of each argument its leaves, and what they were, if known."""

    arguments: list[Variable]
    stages: list[Stage]
    results: list[Read]
    leaves: list[list[Node]]
    numbers: list[Any]


def rolled(
    places: Sequence[Node], roots: Sequence[Node], value: Callable[[Node], Array | None],
    called: Mapping[Node, str],
) -> Parts:  # fmt: skip
    """The stages that compute some places of a graph.

    Parameters
    ----------
    places : list of Node
        All that they depend on, oldest first; each bears its time step.
    roots : list of Node
    value : callable
        What a place was, if that is known.
    called : dict of str, by place
        What the program calls some of them.

    Raises
    ------
    CannotWrite
        If something cannot be written, or the steps are too many to be written one by one.
    """
    return _Rolling(places, roots, value, called).parts()


# -- sequences -----------------------------------------------------------------------------------


class Along(NamedTuple):
    """The elements of something at every step t: at ``first`` + ``by``·t of ``index``'s hole."""

    first: int
    by: int

    def text(self, steps: int) -> str:
        """The place at step t."""
        if self == (steps - 1, -1):
            return "T - 1 - t"
        if self.by == 1:
            return (
                f"t + {self.first}"
                if self.first > 0
                else f"t - {-self.first}"
                if self.first
                else "t"
            )
        scaled = "-t" if self.by == -1 else f"{self.by} * t"
        return (
            f"{self.first} - t"
            if self.by == -1
            else f"{scaled} + {self.first}"
            if self.first
            else scaled
        )

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


def _hole(indices: Sequence[tuple[Any, ...]]) -> tuple[int, Along] | None:
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


def _moving_index(index: tuple[Any, ...], hole: int, how: Along, steps: int) -> str:
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
            for a, b in zip(_operands(one), _operands(two)):
                if self.place.get(b) == (0, p):
                    return a
        raise AssertionError("nothing is carried there")


class _Rolling:
    """A graph on its way to stages."""

    def __init__(
        self, places: Sequence[Node], roots: Sequence[Node],
        value: Callable[[Node], Array | None], called: Mapping[Node, str],
    ) -> None:  # fmt: skip
        self.roots, self._value, self._called = roots, value, called
        self._dtype = np.asarray(value(roots[0])).dtype
        self.nodes = [at for at in places if not at.is_leaf]
        for at in self.nodes:
            if not isinstance(at.primitive, Primitive):
                raise CannotWrite(f"{at.primitive.name}: it has a derivative of its own")
        self.loop_of: dict[Node, Loop] = {}
        self.blocks: list[Loop | Run] = self._blocks()
        single = sum(len(block) for block in self.blocks if not isinstance(block, Loop))
        if single > MOST:
            raise CannotWrite(
                f"{single} operations that would have to be written one by one: the steps are not "
                "alike, or there are none"
            )
        self._arguments: dict[Any, Variable] = {}
        self._leaves: dict[Variable, list[Node]] = {}
        self._numbers: dict[Variable, Any] = {}
        self._made: dict[Any, Variable] = {}

    # -- which runs are alike --

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
                self.loop_of |= dict.fromkeys(loop.place, loop)
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
        if runs[0][0].tag.step is None and (len(found) < 3 or _has_own_weights(found)):
            return []  # alike by chance, or layers of a net
        return found if len(found) > 1 else []

    def _goes_on(
        self, runs: Sequence[Run], place: Mapping[Node, tuple[int, int]], starts: dict[int, Node]
    ) -> bool:
        """Whether the last of these runs does what those before it do."""
        first, new, last = runs[0], runs[-1], len(runs) - 1
        if len(first) != len(new):
            return False
        for a, before, b in zip(first, runs[-2], new):
            operands = [_operands(at) for at in (a, before, b)]
            if a.primitive is not b.primitive or a.shape != b.shape:
                return False
            if len({len(each) for each in operands}) != 1 or not all(
                self._same_source(one, two, three, place, last, starts)
                for one, two, three in zip(*operands)
            ):
                return False
        columns = list(zip(*runs[-3:]))  # what goes on in three is so in all
        return all(self._same_numbers(column, place) for column in columns) and all(
            self._sequence(operands) is not None
            for column in columns
            for operands in zip(*map(_operands, column))
            if operands[-1] not in place and not _moves(column)
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
        if _equal(first, new):
            return True
        if _is_read(column[0]) and column[-1].parents[0] not in place:
            whole = column[0].parents[0]
            same = whole not in self.loop_of and all(at.parents[0] is whole for at in column)
            return same and _hole([at.params["index"] for at in column]) is not None
        return _equal(first, new, but_integers=True)

    def _sequence(self, operands: Sequence[Node]) -> tuple[Any, Along | None] | None:
        """What operands from outside are: (one, None), or elements of a sequence; ``None``: no."""
        first = operands[0]
        if all(at is first for at in operands):
            return first, None
        if _is_one_number(operands):
            return first, None
        if all(at.is_leaf for at in operands):
            alike = len({(at.shape, at.requires_grad) for at in operands}) == 1
            return (tuple(operands), Along(0, 1)) if alike else None
        return self._parts_read(operands) or self._elements(operands)

    def _parts_read(self, operands: Sequence[Node]) -> tuple[Any, Along] | None:
        """Operands that are parts of something, one after the other."""
        if not all(_is_read(at) and at.parents[0] is operands[0].parents[0] for at in operands):
            return None
        indices = [at.params["index"] for at in operands]
        whole, found = operands[0].parents[0], _hole(indices)
        if found is None or whole in self.loop_of:
            return None
        return (whole, indices[0], found[0]), found[1]

    def _elements(self, operands: Sequence[Node]) -> tuple[Any, Along] | None:
        """Operands that were made by the steps of a loop before."""
        loop = self.loop_of.get(operands[0])
        if loop is None or not all(self.loop_of.get(at) is loop for at in operands):
            return None
        spots = [loop.place[at] for at in operands]
        how = along([k for k, _ in spots])
        return None if how is None or len({p for _, p in spots}) > 1 else ((loop, spots[0][1]), how)

    # -- variables --

    def name(self, at: Node, otherwise: str = "") -> str:
        """What something is called, in a loop at any of its steps."""
        loop = self.loop_of.get(at)
        for each in reversed(loop.column(loop.place[at][1])) if loop else [at]:
            own, called = name_of(each), self._called.get(each, "")
            if name := (called or own) if each.is_leaf else (own or called):
                name = re.sub(r"\[-?\d+\]$", "", name)  # one element of a list
                return "_".join(filter(None, re.split(r"\W|_", name))) or otherwise
        return otherwise

    def sample(self, at: Node) -> Array:
        """What something was, or might have been."""
        found = self.known(at)
        if found is None:
            found = np.random.default_rng(0).normal(size=at.shape).astype(self._dtype)
        return np.asarray(found)

    def known(self, at: Node) -> Array | None:
        """What something was, if that is known; a number of the program is one like the others."""
        found = self._value(at)
        return (
            np.asarray(found, self._dtype if is_inline(at) else None) if found is not None else None
        )

    def _leaf(self, leaf: Node) -> Variable:
        if leaf in self._arguments:
            return self._arguments[leaf]
        known = self._value(leaf)
        if is_inline(leaf):
            made = Variable("", wanted=False, text=repr(np.asarray(known).item()))
        elif known is not None and not leaf.requires_grad and not np.any(known):
            kind = "" if known.dtype == np.float64 else f", '{known.dtype.char}'"
            made = Variable("", wanted=False, text=f"np.zeros({leaf.shape}{kind})")
        else:
            made = self._argument([leaf], self.name(leaf, _plain(leaf)), _shape(leaf.shape), leaf)
            self._numbers[made] = known
        self._arguments[leaf] = made
        return made

    def _argument(self, leaves: list[Node], name: str, note: str, key: Any) -> Variable:
        made = Variable(name, note, any(leaf.requires_grad for leaf in leaves))
        self._arguments[key], self._leaves[made] = made, leaves
        return made

    def _leaves_of_steps(self, operands: tuple[Node, ...]) -> tuple[Variable, Along]:
        """The argument of which leaves are the elements, and which of them they are."""
        for key, variable in self._arguments.items():
            if isinstance(key, tuple) and set(operands) <= set(key):
                how = along([key.index(leaf) for leaf in operands])
                if how is not None:
                    return variable, how
        first = operands[0]
        if all(a.order > b.order for a, b in pairwise(operands)):
            operands = operands[::-1]  # in the order of time, though it be read from its end
        made = self._argument(
            list(operands),
            self.name(first, _plain(first)),
            _shape((len(operands), *first.shape)),
            operands,
        )
        known = [self.known(leaf) for leaf in operands]
        self._numbers[made] = None if any(k is None for k in known) else np.stack(known)  # type: ignore[arg-type]
        return made, Along(0, 1) if operands[0] is first else Along(len(operands) - 1, -1)

    def _variable(self, at: Node, is_last: bool = False) -> Variable:
        """The variable of something that is made, in a loop of all that is made at its place."""
        loop = self.loop_of.get(at)
        key: Any = at if loop is None else (loop, loop.place[at][1], is_last)
        if key not in self._made:
            self._made[key] = Variable(
                self.name(at, "y" if not is_last else "h" if at.shape else "s")
            )
        return self._made[key]

    def read(self, at: Node) -> Read:
        """Where something that was made, or a leaf, is found."""
        if at.is_leaf:
            return Read(self._leaf(at))
        loop = self.loop_of.get(at)
        if loop is None:
            return self._seen_in(at) or Read(self._variable(at))
        k, p = loop.place[at]
        if k == loop.steps - 1 and p in loop.carried:
            return Read(self._variable(at, True), last=True)
        return Read(self._variable(at), f"[{k if k < loop.steps - 1 else -1}]")

    def _seen_in(self, at: Node) -> Read | None:
        """What is but an element of something, or all steps of a loop, is read there."""
        is_stack = traits_of(at.primitive).joins == "anew" and at.params["dim"] == 0
        if is_stack and (joined := self._joined(at)):
            read, _ = joined
            if read.index:
                return None
            read.of.wish = self.name(at, read.of.wish)
            return read
        if _is_read(at) and at.parents[0] not in self.loop_of:
            index = [i for i in at.params["index"] if i is not Ellipsis]
            whole = self.read(at.parents[0])
            if all(type(i) is int for i in index) and not whole.index and not whole.of.text:
                return Read(whole.of, f"[{', '.join(map(str, index))}]")
        return None

    def read_along(self, operands: Sequence[Node], steps: int) -> Read:
        """Where the element of step t is found."""
        found = self._sequence(operands)
        assert found is not None
        source, how = found
        if how is None:
            return self.read(source)
        if isinstance(source[0], Loop):
            return Read(self._variable(operands[0]), f"[{how.text(steps)}]")
        if all(at.is_leaf for at in operands):
            variable, how = self._leaves_of_steps(source)
            return Read(variable, f"[{how.text(steps)}]")
        whole, index, hole = source
        inner = self.read(whole)
        return Read(inner.of, _moving_index(index, hole, how, steps))

    # -- stages --

    def parts(self) -> Parts:
        """Everything."""
        results = [self.read(root) for root in self.roots]
        stages = []
        for block in reversed(self.blocks):  # who reads comes first, and says what must be there
            made = self._loop(block) if isinstance(block, Loop) else self._once(block)
            if made is not None:
                stages.append(made)
        arguments = [v for v in dict.fromkeys(self._arguments.values()) if not v.text]
        arguments.sort(key=self._age)
        leaves = [self._leaves.get(v, []) for v in arguments]
        return Parts(
            arguments, stages[::-1], results, leaves, list(map(self._numbers.get, arguments))
        )

    def _age(self, variable: Variable) -> tuple[bool, float]:
        """Arguments that want no gradient come first, then those that are older."""
        leaves = self._leaves.get(variable)
        return variable.wanted, leaves[0].order if leaves else 0.0

    def _once(self, run: Run) -> Stage | None:
        wanted = [at for at in run if at in self._made]
        if not wanted:
            return None
        inside = _needed(wanted, set(run))
        given = _Given(self, None)
        nodes = [at for at in run if at in inside]
        for at in nodes:
            joined = self._joined(at)
            if joined is not None:
                first = self.sample(at.parents[0])
                every = np.stack([first] * len(at.parents))
                given.replaces[at] = given.add(joined[0], at.parents[0], every), joined[1]
                continue
            for parent in at.parents:
                if parent not in inside and not is_inline(parent):
                    given.operand[parent] = given.add(self.read(parent), parent)

        def step(_: Any, __: Any, consts: Sequence[Tensor]) -> Any:
            made = given.replayed(nodes, {}, [], consts)
            return [], [made[at] for at in wanted]

        found = _used(traced(step, [], [], given.samples, wants=given.wants))
        return Stage(found, given.reads, [self._variable(at) for at in wanted])

    def _joined(self, at: Node) -> tuple[Read, Callable[[Tensor], Tensor]] | None:
        """(all steps' elements, what makes a stack or a concatenation of them)."""
        parents = at.parents
        joins = traits_of(at.primitive).joins
        if not joins or len(parents) < 2 or parents[0] not in self.loop_of:
            return None
        found = self._elements(parents)
        if found is None:
            return None
        (loop, _), how = found
        read = Read(self._variable(parents[0]), how.slice(len(parents), loop.steps))
        dim = at.params["dim"]
        if joins == "anew":
            return read, lambda x: x if dim == 0 else movedim(x, 0, dim)
        return read, lambda x: flatten(x if dim == 0 else movedim(x, 0, dim), dim, dim + 1)

    def _loop(self, loop: Loop) -> Stage | None:
        width, steps = len(loop.runs[0]), loop.steps
        outs = [p for p in range(width) if (loop, p, False) in self._made]
        lasts = [p for p in loop.carried if (loop, p, True) in self._made]
        if not outs and not lasts:
            return None
        needed = self._needed_in(loop, outs, lasts)
        carried = [p for p in loop.carried if p in needed.carried]
        given = _Given(self, loop)
        for p in sorted(needed.places):
            column = loop.column(p)
            if _moves(column):
                given.along[p] = given.add_along(self.read_along(column, steps), column)
                continue
            for path in _moving_arrays(column[0].params, column[-1].params):
                given.integers[p, path] = given.add_integers(column, path)
            for i, operands in enumerate(zip(*map(_operands, column))):
                source = loop.place.get(operands[-1])
                if source is not None or _is_one_number(operands):
                    continue
                read = self.read_along(operands, steps)
                if all(at is operands[0] for at in operands):
                    given.operand[operands[0]] = given.add(read, operands[0])
                else:
                    given.sequences[p, i] = given.add_along(read, list(operands))
        first = loop.runs[0]
        nodes = [first[p] for p in sorted(needed.places)]
        starts = [loop.start(p) for p in carried]

        def step(states: Sequence[Tensor], xs: Sequence[Tensor], consts: Sequence[Tensor]) -> Any:
            made = given.replayed(nodes, dict(zip(carried, states)), xs, consts)
            return [made[first[p]] for p in carried], [made[first[p]] for p in outs]

        found = traced(
            step, [self.sample(first[p]) for p in carried], given.x_samples, given.samples,
            wants=[*[True] * len(carried), *given.x_wants, *given.wants],
        )  # fmt: skip
        return Stage(
            _used(found), given.reads, [self._variable(first[p]) for p in outs],
            self._times(given.xs, steps), given.xs,
            [self._variable(first[p], True) for p in carried], [self.read(at) for at in starts],
        )  # fmt: skip

    def _needed_in(self, loop: Loop, outs: Sequence[int], lasts: Sequence[int]) -> _Needed:
        places, carried, waiting = set[int](), set[int](), [*outs, *lasts]
        carried |= set(lasts)
        while waiting:
            p = waiting.pop()
            if p in places:
                continue
            places.add(p)
            for parent in loop.runs[1][p].parents:
                k, q = loop.place.get(parent, (None, 0))
                if k is not None:
                    waiting.append(q)
                if k == 0:
                    carried.add(q)
        return _Needed(places, carried)

    def _times(self, xs: Sequence[Read], steps: int) -> int | tuple[Variable, int, int]:
        """How many steps there are: as many as a sequence has elements, if one is read so."""
        for read in xs:
            found = re.match(r"\[((?::, )*)(t|T - 1 - t)[],]", read.index)
            if found is None:
                continue
            axis = found[1].count(":")
            more = (self._shape_of(read.of)[axis:] or (0,))[0] - steps
            if more == 0 or (more > 0 and found[2] == "t"):
                return read.of, axis, more
        return steps

    def _shape_of(self, variable: Variable) -> tuple[int, ...]:
        leaves = self._leaves.get(variable)
        if leaves:
            return (len(leaves), *leaves[0].shape) if len(leaves) > 1 else leaves[0].shape
        if variable in self._numbers:
            return np.shape(self._numbers[variable])
        key = next(key for key, made in self._made.items() if made is variable)
        return key.shape if isinstance(key, Node) else (key[0].steps,)


class _Needed(NamedTuple):
    """Of a loop's run, the places that somebody needs, and those of them that are carried."""

    places: set[int]
    carried: set[int]


class _Given:
    """What a stage is given from outside, and how its operations are done again with that."""

    def __init__(self, rolling: _Rolling, loop: Loop | None) -> None:
        self.rolling, self.loop = rolling, loop
        self.reads: list[Read] = []
        self.wants: list[bool] = []
        self.xs: list[Read] = []
        self.x_wants: list[bool] = []
        self.operand: dict[Node, int] = {}
        self.replaces: dict[Node, tuple[int, Callable[[Tensor], Tensor]]] = {}
        self.along: dict[int, int] = {}
        self.sequences: dict[tuple[int, int], int] = {}
        self.integers: dict[tuple[int, Any], int] = {}
        self.samples: list[Tensor] = []
        self.x_samples: list[Array] = []

    def add(self, read: Read, like: Node, sample: Array | None = None) -> int:
        """Something that is always the same."""
        if read in self.reads:
            return self.reads.index(read)
        self.reads.append(read)
        self.wants.append(like.requires_grad)
        self.samples.append(wrap(self.rolling.sample(like) if sample is None else sample, None))
        return len(self.reads) - 1

    def add_along(self, read: Read, column: Sequence[Node]) -> int:
        """Something that is another at every step."""
        if read in self.xs:
            return self.xs.index(read)
        self.xs.append(read)
        self.x_wants.append(any(at.requires_grad for at in column))
        self.x_samples.append(self.rolling.sample(column[0]))
        return len(self.xs) - 1

    def add_integers(self, column: Sequence[Node], path: Any) -> int:
        """Integers that an operation was told, others at every step."""
        arrays = [_array_at(at.params, path) for at in column]
        key = ("integers", np.stack(arrays).tobytes(), arrays[0].shape)
        made = self.rolling._arguments.get(key)
        if made is None:
            shape = (len(arrays), *arrays[0].shape)
            made = Variable(
                "target" if traits_of(column[0].primitive).expects else "index",
                f"{_shape(shape)}, integers",
                False,
            )
            self.rolling._arguments[key] = made
            self.rolling._numbers[made] = np.stack(arrays)
        read = Read(made, "[t]")
        if read not in self.xs:
            self.xs.append(read)
            self.x_wants.append(False)
            self.x_samples.append(arrays[0])
        return self.xs.index(read)

    def replayed(
        self, nodes: Sequence[Node], before: Mapping[int, Tensor], xs: Sequence[Tensor],
        consts: Sequence[Tensor],
    ) -> dict[Node, Tensor]:  # fmt: skip
        """The same operations on other tensors."""
        made: dict[Node, Tensor] = {}
        for at in nodes:
            p = self.loop.place[at][1] if self.loop else -1
            if at in self.replaces:
                i, function = self.replaces[at]
                made[at] = function(consts[i])
            elif p in self.along:
                made[at] = xs[self.along[p]]
            else:
                params = at.params
                for (q, path), i in self.integers.items():
                    if q == p:
                        params = _with_array(params, path, xs[i].array)
                operands = [
                    self._operand(at, p, i, made, before, xs, consts)
                    for i in range(len(at.parents))
                ]
                made[at] = at.primitive.general(*operands, **params)
            if called := self.rolling.name(at):
                made[at].named(called)
        return made

    def _operand(
        self, at: Node, p: int, i: int, made: Mapping[Node, Tensor],
        before: Mapping[int, Tensor], xs: Sequence[Tensor], consts: Sequence[Tensor],
    ) -> Any:  # fmt: skip
        parent = _operands(at)[i]
        if (p, i) in self.sequences:
            return xs[self.sequences[p, i]]
        if self.loop is not None:
            k, q = self.loop.place.get(_operands(self.loop.runs[1][p])[i], (None, 0))
            if k == 0:
                return before[q]
        if parent in made:
            return made[parent]
        if is_inline(parent):
            return np.asarray(parent.value).item()
        return consts[self.operand[parent]]


def _source(at: Node, place: Mapping[Node, tuple[int, int]], run: int) -> tuple[str, int] | None:
    """Where an operand of a run comes from, and the place there; ``None``: from further back."""
    if at not in place:
        return OUT, 0
    k, p = place[at]
    return (IN, p) if k == run else (BEFORE, p) if k == run - 1 else None


def _operands(at: Node) -> Sequence[Node]:
    """The operands of an operation; 0 comes first, as what a sum begins with."""
    parents = at.parents
    if at.primitive.name == "add" and is_inline(parents[1]) and not np.any(parents[1].value):
        return parents[::-1]
    return parents


def _used(step: Traced) -> Traced:
    """A step all of whose operands are found in its lines: nothing became a constant on the way."""
    there = set(lines([*step.next_states, *step.ys]))
    if not there.issuperset([*step.xs, *step.consts]):
        raise CannotWrite("an operand of another type than the walk's")
    return step


def _has_own_weights(runs: Sequence[Run]) -> bool:
    """Whether some parameter is used in the first of these runs and not in the second."""
    one, two = ({leaf for at in run for leaf in at.parents if leaf.is_leaf} for run in runs[:2])
    return any(leaf.requires_grad for leaf in one ^ two)


def _plain(leaf: Node) -> str:
    """What a leaf without a name is called."""
    return "w" if leaf.requires_grad else "x"


def _is_one_number(operands: Sequence[Node]) -> bool:
    """Whether these are numbers of the program, always the same."""
    inline = all(map(is_inline, operands))
    return inline and all(np.array_equal(at.value, operands[0].value) for at in operands)


def _is_read(at: Node) -> bool:
    """Whether it reads a part by integers and slices."""
    index = at.params.get("index", ()) if traits_of(at.primitive).part else ()
    return bool(index) and not any(isinstance(part, np.ndarray) for part in index)


def _moves(column: Sequence[Node]) -> bool:
    """Whether another part of something is read at every step."""
    return _is_read(column[0]) and not _equal(column[0].params, column[-1].params)


def _needed(ends: Sequence[Node], inside: set[Node]) -> set[Node]:
    found, waiting = set[Node](), list(ends)
    while waiting:
        at = waiting.pop()
        if at in inside and at not in found:
            found.add(at)
            waiting += at.parents
    return found


def _equal(a: Any, b: Any, but_integers: bool = False) -> bool:
    """Whether parameters are the same, but perhaps for the integers in arrays."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        alike = type(a) is type(b) and a.shape == b.shape and a.dtype == b.dtype
        return alike and ((but_integers and a.dtype.kind in "iu") or np.array_equal(a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_equal(a[k], b[k], but_integers) for k in a)
    if isinstance(a, tuple | list) and isinstance(b, tuple | list):
        return len(a) == len(b) and all(map(lambda x, y: _equal(x, y, but_integers), a, b))
    return type(a) is type(b) and bool(a == b)


def _moving_arrays(a: Any, b: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in parameters stand arrays that differ."""
    if isinstance(a, np.ndarray):
        if not np.array_equal(a, b):
            yield path
    elif isinstance(a, dict):
        for key in a:
            yield from _moving_arrays(a[key], b[key], (*path, key))
    elif isinstance(a, tuple | list):
        for i, each in enumerate(a):
            yield from _moving_arrays(each, b[i], (*path, i))


def _array_at(params: Any, path: Sequence[Any]) -> Any:
    for key in path:
        params = params[key]
    return params


def _with_array(params: Any, path: Sequence[Any], array: Any) -> Any:
    if not path:
        return array
    key, *rest = path
    inner = _with_array(params[key], rest, array)
    if isinstance(params, dict):
        return {**params, key: inner}
    return type(params)([inner if i == key else each for i, each in enumerate(params)])


def _shape(shape: Sequence[int]) -> str:
    return f"({', '.join(map(str, shape))})"
