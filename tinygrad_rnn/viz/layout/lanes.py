"""Parallel tracks: stretches of wires that share a channel are put side by side."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Spacing:
    """The room between boxes, and between wires and what they pass."""

    gutter: float  # the least width between two columns
    gap: float  # the least height between two rows
    clear: float  # free on both sides of the lanes of either
    pitch: float  # between lanes: more than the widest gradient, so that no two touch
    port: float  # between two wires' ends on one box
    beside: float  # between a box and a wire that passes it

    def lanes(self, count: int) -> float:
        """How wide some lanes are, with what is free on both sides."""
        return 2 * self.clear + (count - 1) * self.pitch


UNDERLAID = Spacing(gutter=36, gap=38, clear=16, pitch=10, port=15, beside=8)
# where gradients have arrows of their own
PAIRED = Spacing(gutter=52, gap=68, clear=18, pitch=19, port=32, beside=18)


@dataclass(slots=True)
class Channel:
    """A straight channel, such as the gap between two rows, and the lanes in it.

    Stretches with the same key, such as all uses of one parameter, run in one lane.  ``kind``
    orders the lanes: those of a lower kind come first.
    """

    spans: dict[tuple[int, Hashable], tuple[float, float]] = field(default_factory=dict)
    lanes: dict[tuple[int, Hashable], int] = field(default_factory=dict)
    count: int = 0

    def add(self, kind: int, key: Hashable, a: float, b: float) -> None:
        """Ask for a lane from ``a`` to ``b``."""
        low, high = self.spans.get((kind, key), (a, b))
        self.spans[kind, key] = min(low, a, b), max(high, a, b)

    def assign(self, apart: float = 0) -> None:
        """Give every stretch the first lane of its kind that is free where it runs."""
        self.count = 0
        for kind in sorted({kind for kind, _ in self.spans}):
            ends: list[float] = []  # of the last stretch in each lane
            mine = [(span, key) for key, span in self.spans.items() if key[0] == kind]
            for (low, high), key in sorted(mine, key=lambda item: item[0]):
                lane = next((i for i, end in enumerate(ends) if end + apart < low), len(ends))
                ends[lane : lane + 1] = [high]
                self.lanes[key] = self.count + lane
            self.count += len(ends)

    def lane(self, kind: int, key: Hashable) -> int:
        """The number of a stretch's lane."""
        return self.lanes[kind, key]


def spread(wanted: list[float], sizes: list[float], apart: float) -> list[float]:
    """Positions for things of the given sizes, near the wanted ones, in order, without overlap.

    Things that would overlap are packed around the mean of where they want to be (the "pool
    adjacent violators" algorithm: the least sum of squared moves).

    Examples
    --------
    >>> spread([0.0, 1.0, 50.0], [10.0, 10.0, 10.0], 0.0)
    [-4.5, 5.5, 50.0]
    """
    offsets, total = [], 0.0
    for i, size in enumerate(sizes):
        total += (sizes[i - 1] + size) / 2 + apart if i else 0.0
        offsets.append(total)
    pools: list[tuple[float, int]] = []  # mean of wanted − offset, and how many share it
    for want, offset in zip(wanted, offsets, strict=True):
        mean, n = want - offset, 1
        while pools and pools[-1][0] > mean:
            other, m = pools.pop()
            mean, n = (mean * n + other * m) / (n + m), n + m
        pools.append((mean, n))
    bases = [mean for mean, n in pools for _ in range(n)]
    return [base + offset for base, offset in zip(bases, offsets, strict=True)]
