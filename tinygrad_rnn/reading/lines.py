"""Loops found by the program's own lines, where they were traced (`bptt.traced`).

An instruction that is run again in one call of a function is in a loop; a loop is time if a pass
computes with what an earlier one made, and if its passes use the same weights: a stack of layers,
each with its own, is no time, nor is a sum over a list.
"""

from __future__ import annotations

import dis
from collections import defaultdict
from collections.abc import Collection, Iterator
from functools import lru_cache
from itertools import pairwise
from types import CodeType
from typing import NamedTuple

from tinygrad_rnn.autograd.tracing import Trace
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.operations.traits import traits_of
from tinygrad_rnn.reading import beat


class _Execution(NamedTuple):
    """What one instruction of a function made, once."""

    at: int
    nodes: list[Node]


Passes = list[list[Node]]


def loops(places: list[Node], free: Collection[Node]) -> list[Passes]:
    """The loops of a traced graph that are time, as their passes, oldest first.

    Parameters
    ----------
    places : list of Node
        Oldest first.
    free : set of Node
        What may be in a pass.
    """
    traced = [p for p in places if not p.is_leaf and isinstance(p.tag.line, Trace)]
    found: list[Passes] = []
    for passes in (part for together in _of_calls(traced) for part in _parted(together)):
        whole = all(node in free or node.tag.step is None for nodes in passes for node in nodes)
        if whole and _is_time(passes):
            found.append(passes)
    chosen = _finest(found)
    kept = [[[n for n in nodes if n in free] for nodes in passes] for passes in chosen]
    kept = [[nodes for nodes in passes if nodes] for passes in kept]
    return sorted((p for p in kept if len(p) > 1), key=lambda passes: passes[0][0].order)


# -- what was run again ----------------------------------------------------------------------------


def _of_calls(traced: list[Node]) -> Iterator[Passes]:
    """The passes of every loop in every call of a function."""
    under: dict[int, list[Node]] = defaultdict(list)
    depth: dict[int, int] = {}
    for node in traced:
        for i, call in enumerate(node.tag.line.calls):
            under[call.number].append(node)
            depth[call.number] = i
    for number, nodes in under.items():
        executions = list(_executions(nodes, depth[number]))
        code = nodes[0].tag.line.calls[depth[number]].code
        for loop in _loops_of(code):
            yield from _passes(executions, loop, _loops_of(code))


def _executions(nodes: list[Node], depth: int) -> Iterator[_Execution]:
    """What a call ran, one instruction after another, with what each made at whatever depth."""
    key, at = None, 0
    made: list[Node] = []
    for node in nodes:
        trace = node.tag.line
        inner = trace.calls[depth + 1 :]
        its = (trace.calls[depth].at, inner[0].number if inner else ("operation", trace.operation))
        if its != key and made:
            yield _Execution(at, made)
            made = []
        key, at = its, its[0]
        made.append(node)
    if made:
        yield _Execution(at, made)


@lru_cache(1024)
def _loops_of(code: CodeType) -> tuple[tuple[int, int], ...]:
    """The loops of a function, outermost first: from where to where its instructions go.

    What handles exceptions stands at the end of the code and may go on with a loop from there.
    """
    instructions = list(dis.get_instructions(code))
    handlers = [i.offset for i in instructions if i.opname == "PUSH_EXC_INFO"]
    exits = {i.offset: i.argval for i in instructions if i.opname == "FOR_ITER"}
    ends: dict[int, list[int]] = defaultdict(list)
    for jump in instructions:
        goes_to = jump.argval if jump.opcode in _JUMPS else None
        if isinstance(goes_to, int) and goes_to <= jump.offset:
            ends[goes_to].append(jump.offset)
    loops = {}
    for start, jumps in ends.items():
        plain = [at for at in jumps if at < min(handlers, default=at + 1)]
        loops[start] = min(max(plain or jumps), exits.get(start, max(jumps)))
    return tuple(sorted(loops.items(), key=lambda loop: (loop[0], -loop[1])))


_JUMPS = {*dis.hasjrel, *dis.hasjabs}


def _passes(
    executions: list[_Execution], loop: tuple[int, int], all_loops: tuple[tuple[int, int], ...]
) -> Iterator[Passes]:
    """Each time that a loop was run through, its passes: a jump back begins another one."""
    passes: Passes = []
    last = None
    for run in executions:
        if not loop[0] <= run.at <= loop[1]:
            if len(passes) > 1:
                yield passes
            passes, last = [], None
            continue
        if last is None or (run.at <= last and _innermost(all_loops, run.at, last) == loop):
            passes.append([])
        passes[-1] += run.nodes
        last = run.at
    if len(passes) > 1:
        yield passes


def _innermost(all_loops: tuple[tuple[int, int], ...], *offsets: int) -> tuple[int, int] | None:
    around = [loop for loop in all_loops if all(loop[0] <= at <= loop[1] for at in offsets)]
    return min(around, key=lambda loop: loop[1] - loop[0], default=None)


# -- which of it is time ---------------------------------------------------------------------------


def _parted(passes: Passes) -> Iterator[Passes]:
    """Runs of a loop that follow one another with nothing in between: each with its weights."""
    used = [beat.weights_of(nodes) for nodes in passes]
    start = 0
    for n in range(2, len(passes) - 1):
        alike = used[n - 2] & used[n - 1] and used[n] & used[n + 1]
        if alike and not used[n - 1] & used[n]:
            yield passes[start:n]
            start = n
    yield passes[start:]


def _is_time(passes: Passes) -> bool:
    number = {node: n for n, nodes in enumerate(passes) for node in nodes}
    return not beat.are_layers(passes) and _computes_with_earlier(passes, number)


def _computes_with_earlier(passes: Passes, number: dict[Node, int]) -> bool:
    """Whether what a pass computes of an earlier one's result leads on to a later one, if any.

    Additions and the like do not count: so a sum is collected.
    """
    depends: dict[Node, int] = {}  # the earliest pass that something depends on, its own included
    fruit: dict[Node, int] = {}  # the earliest pass in which an earlier one's result was worked on
    for node in _between(passes):
        n = number.get(node, len(passes))
        earliest = min([n, *(depends[p] for p in node.parents if p in depends)])
        brought = [fruit[p] for p in node.parents if p in fruit]
        depends[node] = earliest
        if n < len(passes) and earliest < n and not traits_of(node.primitive).collects:
            brought.append(n)
        if brought:
            fruit[node] = min(brought)
            if node in number and (len(passes) == 2 or min(brought) < n):
                return True
    return False


def _between(passes: Passes) -> list[Node]:
    """What the passes made, and what they hand on through, oldest first."""
    inside = {node for nodes in passes for node in nodes}
    start = passes[0][0].order
    waiting = [p for node in inside for p in node.parents]
    seen = set(inside)
    while waiting:
        place = waiting.pop()
        if place not in seen and place.order > start and not place.is_leaf:
            seen.add(place)
            waiting += place.parents
    return sorted(seen, key=lambda place: place.order)


def _finest(found: list[Passes]) -> list[Passes]:
    """Of loops inside loops those that carry on through all; others begin anew at each pass."""
    chosen: list[_Loop] = []
    known = [_Loop(passes) for passes in found]
    for loop in sorted(known, key=lambda loop: loop.passes[0][0].order - loop.passes[-1][-1].order):
        inner = [other.passes for other in known if loop.has_inside(other)]
        if inner and _carries_on(inner):
            continue
        if not any(other.has_inside(loop) for other in chosen):
            chosen.append(loop)
    return [loop.passes for loop in chosen]


class _Loop:
    """A loop, and all that its passes made."""

    def __init__(self, passes: Passes) -> None:
        self.passes = passes
        self.nodes = {node for nodes in passes for node in nodes}

    def has_inside(self, other: _Loop) -> bool:
        return len(other.nodes) < len(self.nodes) and other.passes[0][0] in self.nodes


def _carries_on(runs: list[Passes]) -> bool:
    """Whether each run of a loop begins with what the one before it ended with."""
    runs = sorted(runs, key=lambda passes: passes[0][0].order)
    for one, other in pairwise(runs):
        made = {node for nodes in one for node in nodes}
        if not _reaches(other[0], made):
            return False
    return len(runs) > 1


def _reaches(nodes: list[Node], made: set[Node]) -> bool:
    start = min(node.order for node in made)
    waiting, seen = list(nodes), set()
    while waiting:
        place = waiting.pop()
        if place in made:
            return True
        if place not in seen and place.order > start:
            seen.add(place)
            waiting += place.parents
    return False
