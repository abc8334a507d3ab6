"""Where rising wires leave and meet their boxes: straight up wherever that can be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from tinygrad_rnn.viz.layout.lanes import spread
from tinygrad_rnn.viz.layout.paths import EDGE, PORT, Path
from tinygrad_rnn.viz.scene import Box


def choose_ports(
    paths: list[Path], boxes: Mapping[int, Box], x: Mapping[int, float], apart: float
) -> None:
    """Set both ends of all wires that rise, given the centres of the boxes.

    Wires with a port keep it; the others keep ``apart`` from each other where there is room.
    """
    arriving: dict[int, list[Path]] = defaultdict(list)
    fixed: dict[int, list[float]] = defaultdict(list)
    leaving: dict[int, list[Path]] = defaultdict(list)
    for path in paths:
        if path.lane:
            continue
        if path.port is None:
            arriving[path.edge.target].append(path)
            leaving[path.edge.source].append(path)
        else:
            fixed[path.edge.target].append(path.end)
    for index, wires in arriving.items():
        half = boxes[index].width / 2
        high = x[index] + half - EDGE
        low = max([x[index] - half + EDGE, *(end + (PORT + apart) / 2 for end in fixed[index])])
        _arrive(wires, min(low, high), high, apart, x)
    for index, wires in leaving.items():
        _leave(wires, x[index], boxes[index].width / 2 - EDGE, apart)


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


def _leave(wires: list[Path], centre: float, reach: float, apart: float) -> None:
    """Let wires leave right under where they go, and those that bend beside them."""
    goals = [path.end if path.upright is None else path.upright for path in wires]
    straight: list[float] = []
    bent = []
    for goal, i in sorted((abs(goal - centre), i) for i, goal in enumerate(goals)):
        free = all(abs(goals[i] - other) >= min(apart, PORT) for other in straight)
        if goal <= reach and free and not wires[i].through:
            straight.append(goals[i])
            wires[i].start = goals[i]
        else:
            bent.append(wires[i])
    steps = (side * k * PORT for k in range(int(reach / PORT) + 1) for side in (1, -1))
    room = (centre + step for step in steps)
    exit = next((at for at in room if all(abs(at - s) >= PORT for s in straight)), centre)
    for path in bent:
        path.start = exit
