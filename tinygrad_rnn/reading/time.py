"""When was each operation of a graph made: at which time step?

The program may say it (`step`), and its word stands.  Recurrent layers of `nn` count the steps of
each of their calls.  What neither says is found: whatever carries something on in a loop is time.
This is the one place that decides; everything else is given a graph whose nodes bear their steps.

A call of a layer, and a loop, is a *stretch* of time with passes 1 … n.  It begins after the steps
that its first state comes from: a decoder goes on where its encoder ended, a layer called again
with the state that it returned goes on counting.
"""

from __future__ import annotations

import copy
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import permutations
from operator import attrgetter
from typing import NamedTuple

from tinygrad_rnn.engine.graph import Node, tape
from tinygrad_rnn.engine.mode import Tag
from tinygrad_rnn.operations.traits import traits_of
from tinygrad_rnn.reading import beat, lines
from tinygrad_rnn.reading.given import is_inline, role_of, was_detached
from tinygrad_rnn.reading.uses import users_of

SOURCES = ("found", "given", "none")
_order = attrgetter("order")


class Timed(NamedTuple):
    """A graph whose nodes bear the time steps at which they were made.

    Attributes
    ----------
    root : Node
    new : dict of Node, by node
        What took the place of nodes whose step, or that of what they depend on, was not known.
    origin : str
        Where steps come from: "given" (by the program, or by layers of `nn`), "structure" (some
        were found by the beat of the graph), "lines" (by the program's own) or "none".
    """

    root: Node
    new: Mapping[Node, Node]
    origin: str

    def of(self, place: Node) -> Node:
        """What stands for a place of the graph as it was recorded."""
        return self.new.get(place, place)


def in_time(root: Node, steps: str = "found") -> Timed:
    """The graph that ends at ``root``, with time steps for all that was made in one.

    Nothing is changed: nodes whose step is found are copied, and all that depends on them.

    Parameters
    ----------
    root : Node
    steps : "found", "given" or "none"
        Whether loops are looked for where the program says nothing; or only what it says itself;
        or no time at all.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> cell, h = tg.nn.RNNCell(1, 1), tg.zeros(1, 1)
    >>> for x in tg.randn(3, 1, 1):
    ...     h = cell(x, h)
    >>> timed = in_time(h.sum().node)
    >>> timed.origin, [place.tag.step for place in tape([timed.root]) if place.notes][-3:]
    ('structure', [1, 2, 3])
    """
    places = tape([root])
    if steps == "none":
        timed = [place for place in places if place.tag.step is not None]
        change = {place: Change(place.tag._replace(step=None)) for place in timed}
        origin = "none"
    else:
        timeline = _Timeline(places if steps == "found" else [])
        change = timeline.change
        origin = "given" if any(place.tag.step for place in places) else "none"
        origin = timeline.origin if any(m.found for m in change.values()) else origin
    new = _copies(places, change)
    return Timed(new.get(root, root), new, origin)


class Change(NamedTuple):
    """What is to become of a place's tag; whether it was found; whether its name holds no more."""

    tag: Tag
    found: bool = False
    hands_on: bool = False


def _copies(places: list[Node], change: Mapping[Node, Change]) -> dict[Node, Node]:
    new: dict[Node, Node] = {}
    for place in places if change else ():
        if place in change or any(parent in new for parent in place.parents):
            it = new[place] = copy.copy(place)
            it.parents = tuple(new.get(parent, parent) for parent in place.parents)
            if place in change:
                it.tag, _, hands_on = change[place]
                it.notes = None if hands_on else place.notes
    return new


# -- stretches of time ---------------------------------------------------------------------------


@dataclass(eq=False)
class _Stretch:
    """A loop or a call of a layer: its places by pass, from 1, and what its first state is."""

    passes: dict[int, list[Node]]
    initial: list[Node] = field(default_factory=list)
    reads: list[Node] = field(default_factory=list)  # at its first pass, from outside
    is_loop: bool = False
    base: int = 0
    reverse: bool = False

    @property
    def start(self) -> float:
        return min(nodes[0].order for nodes in self.passes.values())

    def step(self, number: int) -> int:
        """The time step of a pass."""
        return self.base + (len(self.passes) + 1 - number if self.reverse else number)


class _Timeline:
    """All stretches of a graph, one after another or side by side, and what they change."""

    def __init__(self, places: list[Node]) -> None:
        self.places = places
        timed = [place for place in places if place.tag.step is not None]
        self.step = {place: place.tag.step for place in timed if (place.tag.call or -1) < 0}
        self.calls: dict[int, list[Node]] = defaultdict(list)
        for place in timed:
            if place.tag.call is not None and place.tag.call > 0:
                self.calls[place.tag.call].append(place)
        self.home: dict[Node, _Stretch] = {}
        self.readers: dict[object, set[tuple[_Stretch, int]]] = defaultdict(set)
        self.partners: dict[Node, list[Node]] = defaultdict(list)  # what is computed with what
        for node in places:
            if len(node.parents) == 2:
                for one, another in permutations(node.parents):
                    self.partners[one].append(another)
        self.found: set[Node] = set()
        self.change: dict[Node, Change] = {}
        self.scopes = _scopes(places)
        for stretch in sorted([*self._loops(), *self._calls()], key=lambda each: each.start):
            self._place(stretch)
        self._rules()
        self._hand_on()
        for place in places:
            if place not in self.change:
                tag = self._tag(place, self.step.get(place, place.tag.step))
                if tag != place.tag:
                    self.change[place] = Change(tag, found=place in self.found)

    def _tag(self, place: Node, step: int | None) -> Tag:
        scope = self.scopes.get(place.tag.call, place.tag.scope)
        return place.tag._replace(step=step, scope=scope)

    def _long(self, call: int) -> bool:
        return any((place.tag.step or 0) > 1 for place in self.calls[call])

    def _loops(self) -> Iterator[_Stretch]:
        """Loops of the program, perhaps with calls of layers that have one step each."""
        short = {call for call in self.calls if not self._long(call)}
        free = {
            place for place in self.places
            if not place.is_leaf and not place.tag.backward and (
                place.tag.call in short and place.tag.step is not None
                if place.tag.call is not None
                else place.tag.step is None
            )
        }  # fmt: skip
        said = [place.order for place in self.step if not place.is_leaf]
        traced = lines.loops(self.places, free)
        self.origin = "lines" if traced else "structure"
        rest = free - {node for passes in traced for nodes in passes for node in nodes}
        for passes in [*traced, *beat.loops(self.places, rest)]:
            span = bisect_right(said, passes[0][0].order), bisect_right(said, passes[-1][-1].order)
            if span[0] == span[1]:  # where the program tells steps itself it knows better
                yield self._loop(passes)

    def _loop(self, passes: list[list[Node]]) -> _Stretch:
        known = {node: number for number, nodes in enumerate(passes, 1) for node in nodes}
        for node in known:
            if node.tag.call is not None:
                self.calls.pop(node.tag.call, None)  # its one step is that of the loop
        stretch = _Stretch(dict(enumerate(passes, 1)), is_loop=True)
        stretch.initial = _initial(passes)
        stretch.reads = [p for node in passes[0] for p in node.parents if p not in known]
        return stretch

    def _calls(self) -> Iterator[_Stretch]:
        for nodes in self.calls.values():
            passes: dict[int, list[Node]] = defaultdict(list)
            for node in nodes:
                if node.tag.step and not (node.is_leaf and node.requires_grad):
                    passes[node.tag.step].append(node)
            initial = [p for node in nodes if node.tag.step == 0 for p in node.parents]
            if passes:
                first = next(iter(passes.values()))
                own = set(first)
                reads = [p for node in first for p in node.parents if p not in own]
                yield _Stretch(dict(sorted(passes.items())), initial, reads)

    def _place(self, stretch: _Stretch) -> None:
        """Give a stretch its steps: after those that its first state comes from."""
        past = list(self._sources(stretch.initial))
        if past:
            stretch.base = max(self.step[node] or 0 for node in past)
        else:
            beside = {self.home[node] for node in self._sources(stretch.reads) if node in self.home}
            stretch.base = max((other.base for other in beside), default=0)
        if stretch.is_loop and not past:
            stretch.reverse = self._is_backward(stretch)
        for number, nodes in stretch.passes.items():
            for node in nodes:
                self.step[node], self.home[node] = stretch.step(number), stretch
                for read in _reads(node):
                    self.readers[read].add((stretch, number))
        if stretch.is_loop:
            self._found(stretch)

    def _found(self, stretch: _Stretch) -> None:
        """What a found pass made belongs to its step, leaves too, but not what a layer hands on."""
        ends = [nodes[-1].order for nodes in stretch.passes.values()]
        first = stretch.passes[1][0]
        start = bisect_left(self.places, first.order, key=_order)
        while start and _is_constant_of(self.places[start - 1], first):
            start -= 1
        for place in self.places[start : bisect_right(self.places, ends[-1], key=_order)]:
            step = stretch.step(min(bisect_right(ends, place.order - 1) + 1, len(ends)))
            constant = place.is_leaf and not place.requires_grad and not place.tag.backward
            if place in self.home or constant:
                self.step[place] = step
                self.found.add(place)

    def _rules(self) -> None:
        """What a recorded walk back has made is of the step of the operation whose rule it is."""
        at = {place.order: place for place in self.places}
        for place in self.places:
            of = at.get(place.tag.rule_of) if place.tag.rule_of is not None else None
            if of in self.found and place not in self.step:
                self.step[place] = self.step[of]
                self.found.add(place)

    def _sources(self, places: Iterable[Node]) -> Iterator[Node]:
        """What has a step among places and what they are made of, through what has none."""
        waiting, seen = list(places), set()
        while waiting:
            place = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            if was_detached(place):  # it goes on from there all the same
                yield from [node for node in self.home if node.order < place.order][-1:]
            elif self.step.get(place):
                if not place.is_leaf:
                    yield place
            else:
                waiting += place.parents

    def _is_backward(self, stretch: _Stretch) -> bool:
        """Whether a loop reads a sequence from its end, as seen beside one of the same length."""
        met: dict[_Stretch, set[tuple[int, int]]] = defaultdict(set)
        for number, nodes in stretch.passes.items():
            for node in nodes:
                for read in _reads(node):
                    for other, n in self.readers.get(read, ()):
                        met[other].add((n, number))
                for partner in self.partners.get(node, ()):
                    if partner in self.home:
                        other = self.home[partner]
                        met[other].add(((self.step[partner] or 0) - other.base, number))
        return any(
            len(pairs) > 1 and {n + m for n, m in pairs} == {len(stretch.passes) + 1}
            for other, pairs in met.items()
            if len(other.passes) == len(stretch.passes)
        )

    def _hand_on(self) -> None:
        """A layer's first state that comes from another step is no state of its own but the way."""
        users = users_of(self.places)
        for place in self.places:
            if place.tag.step == 0 and place.tag.call is not None:
                steps = [step for user in users[place] if (step := self.step.get(user))]
                if not place.is_leaf and steps and any(True for _ in self._sources(place.parents)):
                    found = self.step.pop(place, None) is not None and place in self.found
                    self.change[place] = Change(self._tag(place, min(steps)), found, hands_on=True)
                elif place in self.found:
                    self.step[place] = 0


def _is_constant_of(leaf: Node, node: Node) -> bool:
    return leaf.is_leaf and not leaf.requires_grad and leaf in node.parents


def _scopes(places: list[Node]) -> dict[int | None, str]:
    """Calls whose scope is that of another layer, with other weights: what tells them apart.

    Layers that are no attributes of a module have but the name of their class.
    """
    weights: dict[tuple[int, str], set[Node]] = defaultdict(set)
    for node in places:
        if node.tag.call is not None:
            used = {parent for parent in node.parents if role_of(parent) == "parameter"}
            weights[node.tag.call, node.tag.scope] |= used
    layers: dict[str, list[set[Node]]] = defaultdict(list)
    found: dict[int | None, str] = {}
    for (call, scope), used in weights.items():
        if not used:
            continue
        number = next((i for i, known in enumerate(layers[scope]) if known & used), None)
        if number is None:
            number = len(layers[scope])
            layers[scope].append(used)
        if number:
            found[call] = f"{scope} {number + 1}"
    return found


def _initial(passes: list[list[Node]]) -> list[Node]:
    """What the first pass reads where the second reads what the first has made."""
    first, second = passes[:2]
    made, seen = set(first), Counter[object]()
    alike: dict[object, Node] = {}
    for node in first:
        key = node.primitive, node.tag.scope, node.tag[2:4], len(node.parents)
        seen[key] += 1
        alike[key, seen[key]] = node
    seen.clear()
    found = []
    for node in second:
        key = node.primitive, node.tag.scope, node.tag[2:4], len(node.parents)
        seen[key] += 1
        twin = alike.get((key, seen[key]))
        for mine, its in zip(node.parents, twin.parents if twin else ()):
            if its not in made and _comes_from(mine, made):
                found.append(its)
    return found


def _comes_from(place: Node, made: Collection[Node]) -> bool:
    """Whether a place is one of some, or a layer put it together from one."""
    while place not in made and place.tag.call is not None and place.parents:
        place = place.parents[0]
    return place in made


def _reads(node: Node) -> Iterator[object]:
    """What a node reads that tells where in a sequence it is: a part of something, a constant."""
    if traits_of(node.primitive).part:
        yield node.primitive, node.parents[0], repr(node.params)
    for parent in node.parents:
        if parent.is_leaf and not parent.requires_grad and not is_inline(parent):
            yield parent
