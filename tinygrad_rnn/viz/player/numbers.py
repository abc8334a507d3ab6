"""The rule of a visit with numbers in it: "G ⊙ (1 − h₁²)" as "[1.114 2.254] ⊙ (1 − …²)"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.reading.given import is_inline
from tinygrad_rnn.writing import figures
from tinygrad_rnn.writing.rules import TO_EACH, rule, uses, vjp

_FEW = 6  # elements of an array that is written into a formula
_BLANK = "\u00a0"  # at which lines do not break


def in_numbers(
    node: Node,
    operand: int,
    names: Mapping[Node, str],
    cotangent: Any,
    value: Callable[[Node], Any | None],
) -> str | None:
    """What an operand receives; ``None`` where that takes many numbers, or is the cotangent."""
    if rule(node, operand) in ("", "g", TO_EACH):
        return None
    written, sent = {}, _inline(cotangent)
    for place in uses(node, operand):
        text = names[place] if is_inline(place) else _inline(value(place))
        if text is None:
            return None
        written[place] = text
    if sent is None:
        return None
    return vjp(node, operand, written, sent).replace(" − ", f"{_BLANK}−{_BLANK}")


def _inline(array: Any) -> str | None:
    """A small array on one line, the rows of a matrix parted by semicolons."""
    if array is None or not 0 < np.size(array) <= _FEW or np.ndim(array) > 2:
        return None
    array = np.asarray(array)
    if array.ndim == 0:
        return figures.number(array[()])
    rows = [_BLANK.join(figures.number(x) for x in row) for row in np.atleast_2d(array)]
    return f"[{'; '.join(rows)}]"
