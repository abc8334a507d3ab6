"""A curve of numbers in a line of text."""

from __future__ import annotations

import math
from collections.abc import Sequence

_HEIGHTS = "▁▂▃▄▅▆▇█"
_WIDTH = 24  # characters


def curve(values: Sequence[float], width: int = _WIDTH) -> str:
    """Numbers as a line of bars, each the mean of its share of them, from the least to the most.

    Examples
    --------
    >>> curve([4.0, 3.0, 2.5, 2.0, 1.5, 1.0, 0.5, 0.5])
    '█▆▅▄▃▂▁▁'
    >>> curve([1.0, float("nan"), 2.0])
    '▁ █'
    """
    n, bars = len(values), min(len(values), width)
    shares = [values[i * n // bars : (i + 1) * n // bars] for i in range(bars)]
    means = [sum(share) / len(share) for share in shares]
    finite = [mean for mean in means if math.isfinite(mean)]
    if not finite:
        return " " * bars
    least, span = min(finite), (max(finite) - min(finite)) or 1.0
    top = len(_HEIGHTS) - 1
    return "".join(
        _HEIGHTS[round((mean - least) / span * top)] if math.isfinite(mean) else " "
        for mean in means
    )
