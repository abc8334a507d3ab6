"""Which places share a box: one each at operation level, a cell's at cell level, and those of
all the time steps that a long picture leaves out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field
from numbers import Integral

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.reading.cells import Section, Wires, sections_of
from tinygrad_rnn.reading.given import given_name
from tinygrad_rnn.reading.roles import OUTER, Roles

LONGEST = 8  # time steps that are all drawn; of more, the first and the last
FIRST, LAST = 2, 3
MOST_ALIKE = 4  # boxes of one look, side by side, that are all drawn

Steps = str | Sequence[int]


@dataclass(slots=True)
class Group:
    """Places that share a box.

    ``style`` is "tensor" (what is shown is the last of the members), "cell" (members that go out
    are its lanes), "initial" (a state before the first step), "weights", "elided" or "alike" (many
    of one look, side by side).
    """

    index: int  # of its first member, among the places that have boxes
    style: str
    members: list[Node]
    section: Section | None = None
    step: int | None = None  # its column: a time step, or the first of a run that is left out
    state: Node | None = None  # of what is before the first step: what takes its part later
    depth: dict[Node, int] = field(default_factory=dict)  # of what is left out without any steps


class Columns:
    """The time steps that are drawn, and the runs of steps between them that are left out."""

    def __init__(self, found: Collection[int | None], steps: Steps) -> None:
        self.times = times = sorted(step for step in found if step is not None)
        shown = set(_shown(times, steps))
        self.runs: dict[int, list[int]] = {}  # by the first step of each run
        self.keys: list[int] = []  # of the columns, left to right
        for i, step in enumerate(times):
            if step in shown:
                self.keys.append(step)
            elif i and times[i - 1] not in shown:
                self.runs[self.keys[-1]].append(step)
            else:
                self.keys.append(step)
                self.runs[step] = [step]

    def of(self, step: int) -> int:
        """The key of the column in which a time step stands."""
        return self.keys[bisect_right(self.keys, step) - 1]

    def label(self, key: int) -> str:
        """What is written over a column."""
        run = self.runs.get(key, [key])
        return f"t = {run[0]}" if len(run) == 1 else f"t = {run[0]} … {run[-1]}"


def _shown(times: list[int], steps: Steps) -> Sequence[int]:
    """The time steps to draw.

    Raises
    ------
    ValueError
        If ``steps`` is not one of the ways to say it, or names no step of the graph.
    """
    if isinstance(steps, str) and steps == "auto":
        steps = "all" if len(times) <= LONGEST else (FIRST, LAST)
    if isinstance(steps, str) and steps == "all":
        return times
    if isinstance(steps, tuple | list) and all(isinstance(step, Integral) for step in steps):
        if isinstance(steps, tuple) and len(steps) == 2 and min(steps) >= 0:
            first, last = steps
            return [*times[:first], *times[max(len(times) - last, first) :]]
        if isinstance(steps, list) and set(steps) <= set(times):
            return steps
    known = f"{times[0]} to {times[-1]}" if times else "none: the graph has no time steps"
    raise ValueError(
        f'steps={steps!r}: give "auto", "all", a pair such as (2, 3) for the first two and the '
        f"last three, or a list of time steps (here {known})"
    )


def groups_of(
    places: list[Node],
    boxed: list[Node],
    roles: Roles,
    level: str,
    columns: Columns,
    wires: Wires,
    fold: bool,
) -> list[Group]:
    """Put every place that is drawn into a group; groups are oldest first.

    What the wires hide is in none; with ``fold`` many of one look share one.
    """
    hidden_or_cells = level == "cell" or bool(columns.runs)
    boxed = [place for place in boxed if place not in wires.hidden]
    sections = sections_of(places, roles) if hidden_or_cells else {}
    grouping = _Grouping(roles, sections, columns, cells=level == "cell")
    if level == "cell" or columns.runs:
        grouping.collapse(boxed)
    groups: dict[Hashable, Group] = {}
    for index, place in enumerate(boxed):
        key, style, section, column = grouping.of(place)
        if key is not None:
            group = groups.setdefault(key, Group(index, style, [], section, column))
            group.members.append(place)
    found = list(groups.values())
    for group in groups.values():
        if group.style == "initial":
            found += _shared_out(group, roles, len(boxed) + len(found))
    for group in found:
        if group.step is None and roles.regions[group.members[-1]] in OUTER:
            group.step = _late(group, roles, columns)
    return _folded(found, roles) if fold else found


def _folded(groups: list[Group], roles: Roles) -> list[Group]:
    """Draw as one what stands side by side, was made alike, and is used by the same."""
    group_of = {place: group.index for group in groups for place in group.members}
    first: dict[Hashable, int] = {}  # of those that are alike
    stands_for: dict[int, int] = {}
    alike: dict[int, list[Group]] = {}
    for group in sorted(groups, key=lambda group: -group.index):
        place, like = group.members[-1], group.index
        if _may_be_one_of_many(group, roles):
            users = {group_of.get(user) for user, _ in roles.uses[place]}
            users = {stands_for.get(user, user) for user in users if user is not None}
            looks = place.primitive, place.shape, place.tag.scope, group.step, given_name(place)
            like = first.setdefault((looks, frozenset(users)), group.index)
        stands_for[group.index] = like
        alike.setdefault(like, []).insert(0, group)
    found = []
    for same in alike.values():
        if len(same) <= MOST_ALIKE:
            found += same
        else:
            members = [group.members[-1] for group in same]
            found.append(Group(same[0].index, "alike", members, same[0].section, same[0].step))
    return sorted(found, key=lambda group: group.index)


def _may_be_one_of_many(group: Group, roles: Roles) -> bool:
    place = group.members[-1]
    single = group.style == "tensor" and len(group.members) == 1
    return single and roles.kinds[place] in ("input", "operation") and bool(roles.uses[place])


def _late(group: Group, roles: Roles, columns: Columns) -> int | None:
    """The column of an initial state that is read in the midst of time, as a decoder's is."""
    steps = {
        roles.steps[use[0]]
        for place in group.members
        for use in roles.uses[place]
        if group.state is None or roles.carried.get(use, group.state) is group.state
    }
    read = {columns.of(step) for step in steps if step is not None}
    outermost = columns.keys[0 if roles.regions[group.members[-1]] == "before" else -1]
    return read.pop() if len(read) == 1 and outermost not in read else None


def _shared_out(group: Group, roles: Roles, index: int) -> list[Group]:
    """Further boxes for what is more than one initial state, such as ``h = c = zeros(2)``."""
    place = group.members[-1]
    uses = [use for use in roles.uses[place] if use in roles.carried]
    first, *others = dict.fromkeys(roles.carried[use] for use in uses) or [roles.peers.get(place)]
    group.state = first
    if len(group.members) > 1 or not place.is_leaf:
        return []
    return [Group(index + i, "initial", [place], state=state) for i, state in enumerate(others)]


class _Grouping:
    def __init__(
        self, roles: Roles, sections: dict[Node, Section], columns: Columns, cells: bool
    ) -> None:
        self.roles, self.sections, self.columns, self.cells = roles, sections, columns, cells
        self.into: dict[Node, Node] = {}  # of what is drawn with its only user

    def of(self, place: Node) -> tuple[Hashable, str, Section | None, int | None]:
        """The key of a place's group, its style, section and column; no key: it is not drawn."""
        step, section = self.roles.steps[place], self.sections.get(place)
        if step is not None:
            column = self.columns.of(step)
            if column in self.columns.runs:
                return ("elided", section, column), "elided", section, column
            if not self.cells or section is None or section.kind == "input":
                return place, "tensor", section, column
            return (section, column), "cell" if section.is_cell else "tensor", section, column
        if place in self.into:
            return self.of(self.into[place])
        if self.cells and self.roles.regions[place] in OUTER:
            return place, "initial", None, None
        if self.cells and self.roles.kinds[place] == "parameter":
            user = self.roles.uses[place][0][0]
            section = self.sections.get(user)
            return ("weights", section or user.tag.scope), "weights", section, None
        if self.cells and place.is_leaf and self._is_shared_out(place):
            return None, "", None, None
        return place, "tensor", None, None

    def collapse(self, places: list[Node]) -> None:
        """Draw what stands outside of time, and has one user, with that."""
        for place in reversed(places):
            uses = self.roles.uses[place]
            goals = {self.into.get(user, user) for user, _ in uses}
            if len(goals) == 1 and self._is_drawn_with(place, uses[0][0]):
                self.into[place] = goals.pop()

    def _is_drawn_with(self, place: Node, user: Node) -> bool:
        region, above = self.roles.regions[place], self.roles.regions[user]
        if region not in ("top", "bottom") or self.roles.kinds[place] == "parameter":
            return False
        if self.cells and above in OUTER:
            return True  # an initial state is one box
        if region != above or given_name(place) or (place.is_leaf and place.requires_grad):
            return False
        if place.is_leaf:
            return self.cells
        sums = place.primitive is user.primitive and user.primitive.name == "add"
        return sums or (self.cells and place.tag.scope == user.tag.scope)

    def _is_shared_out(self, place: Node) -> bool:
        """Whether a place is a given state, of which each layer has its part."""
        users = [self.into.get(user, user) for user, _ in self.roles.uses[place]]
        return bool(users) and all(self.roles.regions[user] in OUTER for user in users)
