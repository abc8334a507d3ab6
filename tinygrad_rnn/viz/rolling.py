"""Rolled pictures: the time steps that do the same are drawn as one.

What stands for each other at different steps is what `bptt.program` writes as one loop, and
besides what feeds such a loop step by step.  Of what goes on in time the arrow goes round.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from itertools import groupby, pairwise
from typing import Any

from tinygrad_rnn.bptt.loops import Loop, Loops, operands_of
from tinygrad_rnn.engine.graph import Node, tape
from tinygrad_rnn.reading.cells import Wires, gather_outputs
from tinygrad_rnn.reading.names import expression, names, stem
from tinygrad_rnn.reading.roles import OUTER, Roles, roles_of
from tinygrad_rnn.viz.boxes import Boxes
from tinygrad_rnn.viz.build import READABLE, Builder, boxed_of, too_many
from tinygrad_rnn.viz.grouping import Columns, Group
from tinygrad_rnn.viz.options import most
from tinygrad_rnn.viz.scene import Bars, Box, Caption, Course, Edge, Row, Scene, Strip
from tinygrad_rnn.viz.source import Source
from tinygrad_rnn.writing import figures
from tinygrad_rnn.writing.figures import count

_SUBSCRIPT = re.compile("([₀-₉]+)")
_NUMBERED = re.compile(r"^v\d+$")  # what has no other name
_STEP = re.compile("ₜ(?:([₊₋])([₀-₉]+))?")
_NUMERALS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class Rolling:
    """Which places of a graph stand for each other at other time steps.

    Attributes
    ----------
    alike : dict of list of Node, by place
        All that are drawn as one with a place, in the order of time.
    columns : Columns
        Of the steps that are drawn, each run of steps that is drawn as one.

    Raises
    ------
    ValueError
        If no time step does again what another one did.
    """

    def __init__(self, places: Sequence[Node], boxed: Sequence[Node], roles: Roles) -> None:
        self.roles, self._boxed = roles, set(boxed)
        self.alike: dict[Node, list[Node]] = {}
        nodes = [place for place in places if not place.is_leaf]
        loops = [block for block in Loops(nodes).blocks if isinstance(block, Loop)]
        self.columns = Columns(set(roles.steps.values()), "all")
        rows = [list(same) for loop in loops for same in zip(*self._runs(loop), strict=True)]
        self._lengthen(rows, nodes)
        self._cut(rows)
        self._spot = {place: k for row in rows for k, place in enumerate(row)}
        for row in rows:
            for members in self._by_column(row):
                for same in self._by_weights(members):
                    self._put(same)
        if not any(roles.steps[place] is not None for place in self.alike):
            steps = count(len(self.columns.times), "time step")
            raise ValueError(
                f'draw: level="rolled" needs time steps that do the same again; of this graph '
                f'({steps}) no two do: use level="op" or level="cell"'
            )
        waiting = list({id(members): members for members in self.alike.values()}.values())
        while waiting:
            waiting += self._fed_by(waiting.pop())

    def _lengthen(self, rows: list[list[Node]], nodes: Sequence[Node]) -> None:
        """Add to the operations of loops those behind them that go on, as far as they do."""
        at = {place: (i, k) for i, row in enumerate(rows) for k, place in enumerate(row)}

        def does(place: Node, k: int) -> Hashable:
            spots = ((at.get(parent), parent) for parent in operands_of(place))
            found = [(s[0], k - s[1]) if s else self._weight(parent) for s, parent in spots]
            return tuple(found) if any(found) else place

        by_kind = defaultdict[Hashable, list[int]](list)
        for i, row in enumerate(rows):
            by_kind[row[0].primitive, row[0].shape].append(i)
        for place in nodes:
            if place in at:
                continue
            for i in by_kind.get((place.primitive, place.shape), ()):
                row, k = rows[i], len(rows[i])
                if does(place, k) == does(row[-1], k - 1):
                    row.append(place)
                    at[place] = i, k
                    break

    def _weight(self, parent: Node) -> Node | None:
        return parent if self.roles.kinds.get(parent) == "parameter" else None

    def _cut(self, rows: Sequence[Sequence[Node]]) -> None:
        """Draw as one those steps that follow each other and do the same."""
        inside: dict[int, list[int]] = {}
        for i, row in enumerate(rows):
            for t in {t for at in row if (t := self.roles.steps[at]) is not None}:
                inside.setdefault(t, []).append(i)
        columns, times = self.columns, self.columns.times
        columns.keys, columns.runs = [], {}
        for _, same in groupby(times, lambda t: inside.get(t, [-1 - t])):
            run = list(same)
            columns.keys.append(run[0])
            if len(run) > 1:
                columns.runs[run[0]] = run

    def _runs(self, loop: Loop) -> list[list[Node]]:
        """What a loop does at each of its steps, or else in each of its passes.

        What reads states of several steps before goes through a loop so many steps at a time.
        """
        key = self.roles.steps.get
        single = [list(run) for body in loop.runs for _, run in groupby(body, key)]
        spot = {place: (k, p) for k, run in enumerate(single) for p, place in enumerate(run)}
        first = len(single) // loop.steps  # runs, which may read what was before the loop
        ways = {tuple(self._way(place, spot) for place in run) for run in single[first:]}
        return single if len(ways) == 1 else loop.runs

    def _way(self, place: Node, spot: dict[Node, tuple[int, int]]) -> Hashable:
        """What an operation does, and on what: from how many runs before, or which weight."""
        (k, _), found = spot[place], list[Hashable]()
        for parent in operands_of(place):
            before, p = spot.get(parent, (k, -1))
            found.append((k - before, p, self._weight(parent)))
        return place.primitive, place.shape, tuple(found)

    def _by_column(self, column: Sequence[Node]) -> Iterator[list[Node]]:
        key = self._column_of
        for _, members in groupby(sorted(column, key=key), key):
            yield sorted(members, key=lambda place: self.roles.steps[place] or 0)

    def _by_weights(self, members: Sequence[Node]) -> list[list[Node]]:
        """Those of one set of weights each, which may take turns."""
        found: dict[Hashable, list[Node]] = {}
        for place in members:
            found.setdefault(tuple(map(self._weight, place.parents)), []).append(place)
        return list(found.values())

    def _column_of(self, place: Node) -> int:
        step = self.roles.steps[place]
        return -1 if step is None else self.columns.of(step)

    def _put(self, members: list[Node]) -> bool:
        """Draw some places as one, if they are several and have boxes of their own so far.

        What is alike within a step, such as the layers of a net, stays apart.
        """
        fresh = self._boxed.issuperset(members) and self.alike.keys().isdisjoint(members)
        steps = [step for place in members if (step := self.roles.steps[place]) is not None]
        apart = len(set(members)) == len(members) and len(set(steps)) == len(steps)
        if len(members) < 2 or not (fresh and apart):
            return False
        self.alike |= dict.fromkeys(members, members)
        return True

    def _fed_by(self, members: list[Node]) -> Iterator[list[Node]]:
        """What feeds places that are drawn as one, each one of them: it is drawn as one too."""
        if len({len(place.parents) for place in members}) > 1:
            return
        for parents in map(list, zip(*(place.parents for place in members), strict=True)):
            looks = {(p.primitive, p.shape, self._column_of(p)) for p in parents}
            outer = any(self.roles.regions.get(p) in OUTER for p in parents)
            if len(looks) == 1 and not outer and self._put(parents):
                self._spot |= {p: self._spot[place] for p, place in zip(parents, members)}
                yield parents

    def delay(self, parent: Node, node: Node) -> int:
        """How many steps, or passes where there are no steps, lie between two that are alike."""
        if parent not in self.alike or node not in self.alike:
            return 0
        there, here = self.roles.steps[node], self.roles.steps[parent]
        if there is not None and here is not None:
            return there - here if self._column_of(parent) == self._column_of(node) else 0
        both = there is None and here is None
        return self._spot[node] - self._spot[parent] if both else 0

    def when(self, place: Node) -> int:
        """The time step of a place, or which of those it is that are drawn as one."""
        step = self.roles.steps[place]
        return step if step is not None else self._spot.get(place, 0) + 1

    def axis(self, place: Node) -> str:
        """What is counted by `when`."""
        return "pass" if self.roles.steps[place] is None else "t"

    def groups(self, boxed: Sequence[Node]) -> list[Group]:
        """The places that share boxes, oldest first."""
        found: dict[int, Group] = {}
        for index, place in enumerate(boxed):
            members = self.alike.get(place, [place])
            step = self.roles.steps[place]
            column = None if step is None else self.columns.of(step)
            style = "rolled" if len(members) > 1 else "tensor"
            style = "initial" if self.roles.regions[place] in OUTER else style
            found.setdefault(id(members), Group(index, style, members, None, column))
        return list(found.values())


class RolledBoxes(Boxes):
    """Boxes of which each may stand for many time steps."""

    def __init__(
        self, source: Source, roles: Roles, named: dict[Node, str], rolling: Rolling,
        groups: list[Group], **shown: bool,
    ) -> None:  # fmt: skip
        super().__init__(source, roles, named, groups, Wires({}, set()), **shown)
        self.rolling, self.cells = rolling, False
        self.called = {group.index: self._called(group) for group in groups}

    def outgoing(self, group: Group) -> list[Node]:
        """What a box is named after: of those that are alike, the last."""
        return group.members[-1:]

    def box(self, group: Group) -> Box:
        """The box of a group."""
        box = super().box(group)
        kinds = {self.roles.kinds[place] for place in group.members}
        box.kind = next((kind for kind in ("loss", "state") if kind in kinds), box.kind)
        return box

    def _fill(self, box: Box, group: Group, main: Node) -> None:
        if group.style == "rolled":
            self._fill_rolled(box, group, main)
        else:
            self._fill_single(box, group, main)
            self._add_shares(box, main)

    def _fill_rolled(self, box: Box, group: Group, main: Node) -> None:
        members = group.members
        box.name = self.called[group.index]
        if not main.is_leaf:
            written = self._said(members, lambda place: expression(place, self.names))
            box.expression = written or self._written_with_calls(main)
            box.signature = f"rolled {box.signature}"
        steps, axis = [self.rolling.when(place) for place in members], self.rolling.axis(main)
        box.note = f"{self._note(main)} ×{len(members)}".lstrip()
        if steps[1] - steps[0] != 1:
            box.note += f": {axis} = {steps[0]}, {steps[1]}{' …' if len(steps) > 2 else ''}"
        if self.values:
            values = [self.source.value(place) for place in members]
            norms = [None if value is None else figures.norm(value) for value in values]
            kept = any(norm is not None for norm in norms)
            shape = Row("value", (f"shape {figures.shape(main.shape)}",))
            box.parts.append(_course("value", steps, norms, axis) if kept else shape)
        if self.grads and main.requires_grad:
            found = [self._gradient(place) for place in members]
            norms = [None if gradient is None else figures.norm(gradient) for gradient in found]
            if any(norm is not None for norm in norms):
                box.parts.append(_course("grad", steps, norms, axis))
            else:
                box.parts.append(Row("grad", (self._absent(main),)))

    def _add_shares(self, box: Box, place: Node) -> None:
        """What each time step gave to the gradient of a weight."""
        if self.grads and self.roles.kinds[place] == "parameter":
            shares = self._shares(place)
            if len(shares) > 1:
                box.parts.append(Bars(box.name, list(shares.items())))
                box.parts.append(Caption("∂L/∂θ = Σₜ: ‖share‖ of each t"))

    def _called(self, group: Group) -> str:
        """What a box is called: with t for the step, if it stands for several."""
        last = group.members[-1]
        if group.style != "rolled":
            return self.names[last]
        if said := self._said(group.members, lambda place: self.names[place]):
            return said
        return f"{_NUMBERED.sub('v', stem(last, self.names))}ₜ"

    def called_by(self, parent: Node, node: Node) -> str:
        """What a place is called by one that reads it."""
        name = self.called[self.group_of[parent].index]
        return _shifted(name, -self.rolling.delay(parent, node))

    def _written_with_calls(self, main: Node) -> str:
        """How the last of several was made, which is not said alike at all steps."""
        boxed = [parent for parent in main.parents if parent in self.group_of]
        own = {parent: self.called_by(parent, main) for parent in boxed}
        return expression(main, {p: own.get(p, self.names[p]) for p in main.parents})

    def _said(self, members: Sequence[Node], say: Any) -> str:
        """What is said of all that are alike, with t for the step; "" if it is not alike."""
        pairs = list(pairwise(members))
        for one, two in [*pairs[-2:-1], *pairs[-1:], *pairs[:1]]:
            when = self.rolling.when(one), self.rolling.when(two)
            if said := _by_step(say(one), say(two), *when):
                return said
        return ""


class RolledBuilder(Builder):
    """The scene of a rolled picture."""

    boxes: RolledBoxes

    def _edges(self, built: dict[int, Box]) -> list[Edge]:
        """The arrows between boxes, each with the gradients that flow back along it over time."""
        rolling, edges = self.boxes.rolling, dict[Hashable, Edge]()
        flows: dict[Hashable, dict[int, dict[Node, Any]]] = {}
        used: dict[Hashable, dict[Node, Node]] = {}
        for target in self.boxes.groups:
            for node in target.members:
                for operand, parent in enumerate(node.parents):
                    source = self.boxes.group_of.get(parent)
                    delay = rolling.delay(parent, node)
                    if source is None or (source is target and not delay):
                        continue
                    joined = source.style == "rolled" and target.style != "rolled"
                    which = -1 if joined else _seat(node, operand)
                    key = source.index, target.index, which, delay
                    if key not in edges:
                        edges[key] = self._edge(source, target, parent, operand, built)
                        edges[key].delay = delay
                        edges[key].kind = "recurrent" if delay else edges[key].kind
                    used.setdefault(key, {})[parent] = node
                    timed = parent if source.style == "rolled" else node
                    flow = flows.setdefault(key, {}).setdefault(rolling.when(timed), {})
                    self._add_flow(flow, parent, node, operand)
        for each, edge in edges.items():
            home = self.boxes.group_of[next(iter(used[each]))]
            self._tell(edge, flows[each], used[each], home)
        uses = Counter(edge.source for edge in edges.values())
        for edge in edges.values():
            if edge.kind == "parameter" and uses[edge.source] == 1:
                edge.strip = None  # the same shares stand in the box
        return list(edges.values())

    def _tell(
        self, edge: Edge, flows: dict[int, dict[Node, Any]], used: dict[Node, Node], source: Group
    ) -> None:
        """Write on an arrow which steps it joins, and what flows back along it at each."""
        parents = list(used)
        if edge.delay:
            name = self.boxes.called_by(*list(used.items())[-1])
            edge.label = f"{name} ×{len(parents)}"
        elif source.style == "rolled" and len(parents) < len(source.members):
            when = [self.boxes.rolling.when(place) for place in parents]
            ends = f"{when[0]}" if len(when) == 1 else f"{when[0]} … {when[-1]}"
            edge.label = f"{self.boxes.rolling.axis(parents[0])} = {ends}"
        norms = {
            t: math.hypot(*map(figures.norm, flow.values()))
            for t, flow in sorted(flows.items())
            if flow
        }
        if norms:
            edge.norm = max(norms.values(), key=lambda x: (not math.isfinite(x), x))
        if len(norms) > 1:
            edge.strip = Strip("", list(norms), list(norms.values()))
            if source.style == "rolled":
                edge.strip.axis = self.boxes.rolling.axis(source.members[0])

    def _title(self) -> str:
        return f"{super()._title()}, rolled"

    def _aid(self, scene: Scene) -> str:
        runs = self.columns.runs.values()
        longest = max(map(len, runs))
        said = (
            f"What up to {count(longest, 'time step')} do alike is drawn once: an arrow with a "
            "square goes round to the next step, and only there does one step touch another."
        )
        if self.boxes.values or self.boxes.grads:
            said += (
                " Strips run over time, from the first step at the left to the last one; the "
                "numbers beside them are of these two."
            )
        if any(edge.strip for edge in scene.edges):
            said += (
                " Those on arrows: the gradient that flows back there, whose largest norm gives "
                "the arrow its width and colour."
            )
        return said


def _seat(node: Node, operand: int) -> int:
    """Which operand it is, whatever the order in which a sum that begins with 0 was written."""
    swapped = operands_of(node) is not node.parents
    return len(node.parents) - 1 - operand if swapped else operand


def _course(label: str, steps: list[int], norms: list[float | None], axis: str) -> Course:
    return Course(label, steps, norms, axis=axis, warm=label == "grad")


def _by_step(one: str, two: str, when: int, later: int) -> str:
    """What two steps say alike, with t for the step; "" if they do not.

    Examples
    --------
    >>> _by_step("= h₁W₇ + x₂", "= h₂W₇ + x₃", 2, 3)
    '= hₜ₋₁W₇ + xₜ'
    >>> _by_step("loss₂", "loss", 2, 3)
    ''
    """
    said, again = _SUBSCRIPT.split(one), _SUBSCRIPT.split(two)
    if said[::2] != again[::2] or len(said) != len(again):
        return ""
    for i in range(1, len(said), 2):
        if said[i] != again[i]:
            away = int(said[i].translate(_NUMERALS)) - when
            if int(again[i].translate(_NUMERALS)) - later != away:
                return ""
            said[i] = _relative(away)
    return "".join(said)


def _shifted(name: str, by: int) -> str:
    """A name so many steps later.

    Examples
    --------
    >>> _shifted("hₜW", -1), _shifted("hₜ₋₁", 1)
    ('hₜ₋₁W', 'hₜ')
    """

    def shifted(found: re.Match[str]) -> str:
        away = int((found[2] or "0").translate(_NUMERALS))
        return _relative(by + (-away if found[1] == "₋" else away))

    return _STEP.sub(shifted, name)


def _relative(away: int) -> str:
    """The index of a step so many steps away."""
    sign = "₋" if away < 0 else "₊"
    return f"ₜ{sign}{str(abs(away)).translate(_SUBSCRIPTS)}" if away else "ₜ"


def rolled_scene(
    source: Source,
    *,
    values: bool = True,
    grads: bool = True,
    order: bool = True,
    max_nodes: int = READABLE,
    title: str | None = None,
) -> Scene:
    """Turn a graph into a scene in which steps that do the same are one; see `draw`.

    Raises
    ------
    ValueError
        If no steps do the same, or if there would be more than ``max_nodes`` boxes.
    """
    places = tape([source.root])
    boxed = boxed_of(places, source.root)
    roles = roles_of(places, source.root)
    gather_outputs(places, roles)
    rolling = Rolling(places, boxed, roles)
    groups = rolling.groups(boxed)
    if len(groups) > most("max_nodes", max_nodes):
        raise too_many(len(groups), max_nodes, "rolled", rolling.columns)
    boxes = RolledBoxes(
        source, roles, names(places, source.called), rolling, groups,
        values=values, grads=grads, order=order and bool(source.visits),
    )  # fmt: skip
    return RolledBuilder(source, roles, boxes, rolling.columns).scene(title)
