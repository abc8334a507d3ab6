"""Which layer stands on which: the bands of the score layout, bottom to top.

A named scope is one band.  Boxes without a scope, and those of a scope that both feeds and uses
another (a model around its layers), stand between the bands, as low as their inputs allow.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from heapq import heappop, heappush

from tinygrad_rnn.viz.scene import Scene

Unit = tuple[str, int]  # a whole scope is (name, -1), a loose box ("", its index)


@dataclass(frozen=True, slots=True)
class Band:
    """A horizontal band of the picture."""

    name: str  # empty between the layers
    members: tuple[int, ...]


def bands(scene: Scene) -> list[Band]:
    """The bands of all boxes that belong to a time step."""
    members = [box for box in scene.boxes.values() if box.region == "step"]
    loose = {""}
    while True:
        units = {
            box.index: (("", box.index) if box.band in loose else (box.band, -1)) for box in members
        }
        below = _below(scene, units)
        ordered, tangled = _sorted(list(dict.fromkeys(units.values())), below)
        named = [unit[0] for unit in tangled if unit[0]]
        if not named:
            break
        loose.add(min(named, key=lambda s: (len(s), s)))
    ranks = _ranks(ordered, below)
    found: dict[tuple[int, str], list[int]] = defaultdict(list)
    for box in members:
        unit = units[box.index]
        found[ranks[unit], unit[0]].append(box.index)
    keys = sorted(found, key=lambda key: (key[0], found[key][0]))
    return [Band(key[1], tuple(found[key])) for key in keys]


def _below(scene: Scene, units: dict[int, Unit]) -> dict[Unit, dict[Unit, None]]:
    """For each unit those that it uses at the same time step.

    Of steps that are drawn as one, what is younger and used is used by the next step.
    """
    below: dict[Unit, dict[Unit, None]] = {unit: {} for unit in units.values()}
    for edge in scene.edges:
        a, b = units.get(edge.source), units.get(edge.target)
        source, target = scene.boxes[edge.source], scene.boxes[edge.target]
        same = source.step == target.step and not edge.delay
        same &= source.style != "elided" or source.index < target.index
        if a is not None and b is not None and a != b and same:
            below[b][a] = None
    return below


def _sorted(
    units: list[Unit], below: dict[Unit, dict[Unit, None]]
) -> tuple[list[Unit], list[Unit]]:
    """The units, each after those below it, and those that lie on a circle, by age."""
    above: dict[Unit, list[Unit]] = defaultdict(list)
    waits = {unit: len(below[unit]) for unit in units}
    age = {unit: i for i, unit in enumerate(units)}
    for unit in units:
        for other in below[unit]:
            above[other].append(unit)
    ready = [(age[unit], unit) for unit in units if not waits[unit]]
    ordered: list[Unit] = []
    while ready:  # the oldest first, so that layers that run one after the other stay together
        _, unit = heappop(ready)
        ordered.append(unit)
        for user in above[unit]:
            waits[user] -= 1
            if not waits[user]:
                heappush(ready, (age[user], user))
    done = set(ordered)
    tangled = [unit for unit in units if unit not in done]
    return ordered + tangled, tangled


def _ranks(ordered: list[Unit], below: dict[Unit, dict[Unit, None]]) -> dict[Unit, int]:
    """Odd ranks for scopes, each its own, and even ones for what stands between them."""
    ranks: dict[Unit, int] = {}
    top = 1
    for unit in ordered:
        lowest = [_over(ranks[other], unit) for other in below[unit] if other in ranks]
        ranks[unit] = max(lowest, default=0)
        if unit[0]:
            ranks[unit] = max(ranks[unit], top)
            top = ranks[unit] + 2
    above: dict[Unit, list[int]] = defaultdict(list)
    for unit in reversed(ordered):
        if not unit[0] and not below[unit] and above[unit]:
            ranks[unit] = min(above[unit])  # an input stands right under its user
        for other in below[unit]:
            above[other].append(ranks[unit] - (1 if unit[0] else 0))
    return ranks


def _over(rank: int, unit: Unit) -> int:
    """The lowest rank for a unit that uses something of the given rank."""
    scope = bool(unit[0])
    return rank + 1 + (rank % 2 if scope else rank % 2 - 1)
