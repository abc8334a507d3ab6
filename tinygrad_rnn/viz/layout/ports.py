"""Where rising wires leave and meet their boxes: straight up wherever that can be."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping

from tinygrad_rnn.viz.layout.lanes import spread
from tinygrad_rnn.viz.layout.paths import EDGE, PORT, Path
from tinygrad_rnn.viz.scene import Box


def choose_ports(
    paths: list[Path],
    boxes: Mapping[int, Box],
    x: Mapping[int, float],
    exits: Mapping[int, float],
    apart: float,
) -> None:
    """Set both ends of all wires that rise, given the centres of the boxes.

    Wires with a port keep it; the others keep ``apart`` from each other where there is room, and
    leave a box no further to the left than its exit.
    """
    arriving: dict[int, list[Path]] = defaultdict(list)
    fixed: dict[int, list[Path]] = defaultdict(list)
    leaving: dict[int, list[Path]] = defaultdict(list)
    for path in paths:
        if path.lane:
            continue
        if path.port is None:
            arriving[path.edge.target].append(path)
            leaving[path.edge.source].append(path)
        else:
            fixed[path.edge.target].append(path)
    margin = EDGE + (apart - PORT) / 2
    for index, wires in arriving.items():
        half, clear = max(0.0, boxes[index].width / 2 - margin), (PORT + apart) / 2
        left, right = (
            [p.end for p in fixed[index] if (p.edge.delay > 0) is at] for at in (False, True)
        )
        high = min([x[index] + half, *(end - clear for end in right)])
        low = max([x[index] - half, *(end + clear for end in left)])
        _arrive(wires, min(low, high), high, apart, x)
    for index, wires in leaving.items():
        high = x[index] + max(0.0, boxes[index].width / 2 - margin)
        _leave(wires, x[index], exits.get(index, -math.inf), high, apart - 1)


def _arrive(
    wires: list[Path], low: float, high: float, apart: float, x: Mapping[int, float]
) -> None:
    """Let wires arrive below where they come from, in order."""
    wanted = [(_comes_at(path, x), path.edge.operand, i) for i, path in enumerate(wires)]
    wanted.sort()
    apart = min(apart, (high - low) / max(1, len(wires) - 1))
    ends = spread([at for at, _, _ in wanted], [apart] * len(wires), 0.0)
    for nth, ((_, _, i), end) in enumerate(zip(wanted, ends, strict=True)):
        still = apart * (len(wires) - 1 - nth)  # what those to the right of it need
        wires[i].end = max(low + apart * nth, min(end, high - still))


def _comes_at(path: Path, x: Mapping[int, float]) -> float:
    if path.upright is not None:
        return path.upright
    return path.through[-1] if path.through else x[path.edge.source]


def _leave(wires: list[Path], centre: float, low: float, high: float, apart: float) -> None:
    """Let wires leave right under where they go, and those that bend beside them."""
    goals = [path.end if path.upright is None else path.upright for path in wires]
    straight: list[float] = []
    bent: list[int] = []
    for i in sorted(range(len(wires)), key=lambda i: abs(goals[i] - centre)):
        goal = goals[i]
        free = all(abs(goal - other) >= apart for other in straight)
        if low <= goal <= high and free and not wires[i].through:
            straight.append(goal)
            wires[i].start = goal
        else:
            bent.append(i)
    for i in bent:
        aside = 1 if goals[i] >= centre else -1
        wishes = [centre + side * k * apart for k in range(4) for side in (aside, -aside)]
        room = [at for at in wishes if low <= at <= high]
        free_of = (at for at in room if all(abs(at - other) >= apart for other in straight))
        wires[i].start = next(free_of, centre)
