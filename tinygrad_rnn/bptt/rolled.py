"""A recorded graph as the stages of a program: what was done once, and loops."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from tinygrad_rnn.bptt.loops import (
    Along,
    Loop,
    Loops,
    Run,
    along,
    is_one_number,
    is_read,
    moves,
    moving_index,
    operands_of,
)
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
MOST = 300
"""Operations that are written one by one; whoever has more has a loop that is none here."""


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
        self.loops = Loops(self.nodes)
        single = sum(len(block) for block in self.loops.blocks if not isinstance(block, Loop))
        if single > MOST:
            raise CannotWrite(
                f"{single} operations that would have to be written one by one: the steps are not "
                "alike, or there are none"
            )
        self._arguments: dict[Any, Variable] = {}
        self._leaves: dict[Variable, list[Node]] = {}
        self._numbers: dict[Variable, Any] = {}
        self._made: dict[Any, Variable] = {}

    # -- variables --

    def name(self, at: Node, otherwise: str = "") -> str:
        """What something is called, in a loop at any of its steps."""
        loop = self.loops.of.get(at)
        for each in reversed(loop.column(loop.place[at][1])) if loop else [at]:
            own, called = name_of(each), self._called.get(each, "")
            if name := own or called:
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
        if found is None:
            return None
        return np.asarray(found, self._dtype if is_inline(at) else None)

    def _leaf(self, leaf: Node) -> Variable:
        if leaf in self._arguments:
            return self._arguments[leaf]
        known = self._value(leaf)
        if is_inline(leaf):
            made = Variable("", wanted=False, text=repr(np.asarray(known).item()))
        elif known is not None and self._is_nothing(leaf, known):
            kind = "" if known.dtype == np.float64 else f", '{known.dtype.char}'"
            made = Variable("", wanted=False, text=f"np.zeros({leaf.shape}{kind})")
        else:
            made = self._argument([leaf], self.name(leaf, _plain(leaf)), _shape(leaf.shape), leaf)
            self._numbers[made] = known
        self._arguments[leaf] = made
        return made

    def _is_nothing(self, leaf: Node, known: Array) -> bool:
        """Whether a constant is zeros for which the program has no name, as a first state is."""
        is_named = leaf in self._called or leaf.requires_grad
        return not is_named and not np.any(known)

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
        note = _shape((len(operands), *first.shape))
        made = self._argument(list(operands), self.name(first, _plain(first)), note, operands)
        known = [array for leaf in operands if (array := self.known(leaf)) is not None]
        self._numbers[made] = np.stack(known) if len(known) == len(operands) else None
        return made, Along(0, 1) if operands[0] is first else Along(len(operands) - 1, -1)

    def _variable(self, at: Node, is_last: bool = False) -> Variable:
        """The variable of something that is made, in a loop of all that is made at its place."""
        loop = self.loops.of.get(at)
        key: Any = at if loop is None else (loop, loop.place[at][1], is_last)
        if key not in self._made:
            plain = "y" if not is_last else "h" if at.shape else "s"
            self._made[key] = Variable(self.name(at, plain))
        return self._made[key]

    def read(self, at: Node) -> Read:
        """Where something that was made, or a leaf, is found."""
        if at.is_leaf:
            return Read(self._leaf(at))
        loop = self.loops.of.get(at)
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
        if is_read(at) and at.parents[0] not in self.loops.of:
            index = [i for i in at.params["index"] if i is not Ellipsis]
            whole = self.read(at.parents[0])
            if all(type(i) is int for i in index) and not whole.index and not whole.of.text:
                return Read(whole.of, f"[{', '.join(map(str, index))}]")
        return None

    def read_along(self, operands: Sequence[Node], steps: int) -> Read:
        """Where the element of step t is found."""
        found = self.loops.sequence(operands)
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
        return Read(inner.of, inner.index + moving_index(index, hole, how, steps))

    # -- stages --

    def parts(self) -> Parts:
        """Everything."""
        results = [self.read(root) for root in self.roots]
        stages = []
        for block in reversed(self.loops.blocks):  # who reads says what must be there
            made = self._loop(block) if isinstance(block, Loop) else self._once(block)
            if made is not None:
                stages.append(made)
        arguments = [v for v in dict.fromkeys(self._arguments.values()) if not v.text]
        arguments.sort(key=self._age)
        leaves = [self._leaves.get(v, []) for v in arguments]
        uses = Counter(leaf for group in leaves for leaf in group if leaf.requires_grad)
        if uses and max(uses.values()) > 1:
            raise CannotWrite("a parameter that is one of several for some steps, not for others")
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
        if not joins or len(parents) < 2 or parents[0] not in self.loops.of:
            return None
        found = self.loops.elements(parents)
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
            if moves(column):
                given.along[p] = given.add_along(self.read_along(column, steps), column)
                continue
            for path in _moving_arrays(column[0].params, column[-1].params):
                given.integers[p, path] = given.add_integers(column, path)
            for i, operands in enumerate(zip(*map(operands_of, column))):
                source = loop.place.get(operands[-1])
                if source is not None or is_one_number(operands):
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
        parent = operands_of(at)[i]
        if (p, i) in self.sequences:
            return xs[self.sequences[p, i]]
        if self.loop is not None:
            k, q = self.loop.place.get(operands_of(self.loop.runs[1][p])[i], (None, 0))
            if k == 0:
                return before[q]
        if parent in made:
            return made[parent]
        if is_inline(parent):
            return np.asarray(parent.value).item()
        return consts[self.operand[parent]]


def _used(step: Traced) -> Traced:
    """A step all of whose operands are found in its lines: nothing became a constant on the way."""
    there = set(lines([*step.next_states, *step.ys]))
    if not there.issuperset([*step.xs, *step.consts]):
        raise CannotWrite("an operand of another type than the walk's")
    return step


def _plain(leaf: Node) -> str:
    """What a leaf without a name is called."""
    return "w" if leaf.requires_grad else "x"


def _needed(ends: Sequence[Node], inside: set[Node]) -> set[Node]:
    found, waiting = set[Node](), list(ends)
    while waiting:
        at = waiting.pop()
        if at in inside and at not in found:
            found.add(at)
            waiting += at.parents
    return found


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
