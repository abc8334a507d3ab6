"""Which run of a layer a node belongs to, where a layer runs several times over the same steps."""

from __future__ import annotations

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.reading.states import recurrences


def runs_of(places: list[Node]) -> dict[Node, int]:
    """The run, from 1, of what leads to a state of a layer, or from it, at the state's step.

    What serves several runs belongs to the first of them; what serves none is not there.
    """
    runs = {
        place: found.layer.run
        for found in recurrences(places)
        for state in found.states
        for place in state.places.values()
    }
    states = set(runs)
    for node in reversed(places):  # users first
        if node in runs:
            for parent in node.parents:
                if parent not in states and _together(parent, node):
                    runs[parent] = min(runs[node], runs.get(parent, runs[node]))
    for node in places:
        before = [runs[p] for p in node.parents if p in runs and _together(p, node)]
        if before and node not in runs:
            runs[node] = max(before)
    return runs


def _together(place: Node, user: Node) -> bool:
    """Whether both are operations of one time step."""
    return not place.is_leaf and place.tag.step == user.tag.step is not None
