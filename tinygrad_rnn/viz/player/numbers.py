"""The rule of a visit with numbers in it: "G ⊙ (1 − h₁²)" as "[1.114 2.254] ⊙ (1 − …²)"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.writing import figures
from tinygrad_rnn.writing.names import is_inline
from tinygrad_rnn.writing.rules import formula_of, vjp

_FEW = 6  # elements of an array that is written into a formula
_MANY = "\0"  # stands for any other
_BLANK = "\u00a0"  # at which lines do not break


def in_numbers(
    node: Node,
    operand: int,
    names: Mapping[Node, str],
    cotangent: Any,
    value: Callable[[Node], Any | None],
) -> str | None:
    """What an operand receives; ``None`` where that takes many numbers, or is the cotangent."""
    if formula_of(node, operand) in ("", "g"):
        return None
    written = {
        place: names[place] if is_inline(place) else _inline(value(place))
        for place in (node, *node.parents)
    }
    text = vjp(node, operand, written, _inline(cotangent))
    return None if _MANY in text else text.replace(" − ", f"{_BLANK}−{_BLANK}")


def _inline(array: Any) -> str:
    """A small array on one line, the rows of a matrix parted by semicolons."""
    if array is None or not 0 < np.size(array) <= _FEW or np.ndim(array) > 2:
        return _MANY
    array = np.asarray(array)
    if array.ndim == 0:
        return figures.number(array[()])
    rows = [_BLANK.join(figures.number(x) for x in row) for row in np.atleast_2d(array)]
    return f"[{'; '.join(rows)}]"
