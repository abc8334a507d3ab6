"""A graph without time steps that is too long to be read: what lies in its midst shares a box."""

from __future__ import annotations

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.reading.roles import Roles
from tinygrad_rnn.viz.grouping import Group


def depths(places: list[Node]) -> dict[Node, int]:
    """How many operations lie one behind the other from the leaves to each place, itself included.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> from tinygrad_rnn.engine.graph import place, tape
    >>> x = tg.ones(2, requires_grad=True)
    >>> list(depths(tape([place(tg.tanh(x) + x)])).values())
    [0, 1, 2]
    """
    found: dict[Node, int] = {}
    for place in places:
        found[place] = 1 + max((found[parent] for parent in place.parents), default=-1)
    return found


def without_midst(groups: list[Group], places: list[Node], roles: Roles, ends: int) -> list[Group]:
    """Draw as one what is farther than ``ends`` operations from the leaves and from the result.

    Leaves go with those that use them.
    """
    depth = depths(places)
    last = depth[places[-1]] - ends
    inside = {p for p, at in depth.items() if ends < at <= last and not p.is_leaf}
    inside |= {p for p in places if p.is_leaf and all(user in inside for user, _ in roles.uses[p])}
    hidden = [group for group in groups if inside.issuperset(group.members)]
    if sum(not group.members[-1].is_leaf for group in hidden) < 2:
        return groups
    members = sorted((p for group in hidden for p in group.members), key=lambda p: p.order)
    midst = Group(hidden[0].index, "elided", members, depth={p: depth[p] for p in members})
    left = [group for group in groups if not inside.issuperset(group.members)]
    return sorted([*left, midst], key=lambda group: group.index)
