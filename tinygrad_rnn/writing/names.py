"""What places are called in a picture, and the expression that made them."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.text import clean
from tinygrad_rnn.writing import figures

_SUBSCRIPTS = str.maketrans("-0123456789", "₋₀₁₂₃₄₅₆₇₈₉")
LONGEST_EXPRESSION = 120  # the layout cuts again, by width


def is_inline(place: Node) -> bool:
    """Whether a place is a number written into the program, and so needs no box."""
    if not place.is_leaf or place.requires_grad or place.value is None:
        return False
    return place.shape == () and not _given(place)


def names(places: list[Node]) -> dict[Node, str]:
    """The display names: given ones with their step as a subscript, the rest v1, v2, …"""
    found: dict[Node, str] = {}
    unnamed = 0
    for place in places:
        if is_inline(place):
            found[place] = _written(place.value)
        elif name := _given(place):
            found[place] = _in_step(name, place.tag.step)
        else:
            unnamed += 1
            found[place] = f"v{unnamed}"
    return found


def _written(value: Any) -> str:
    """A number as a program would write it."""
    value = value.item() if hasattr(value, "item") else value
    return f"{value:.6g}" if isinstance(value, float) else figures.number(value)


def _given(place: Node) -> str:
    return clean(place.notes.name) if place.notes is not None and place.notes.name else ""


def _in_step(name: str, step: int | None) -> str:
    ends_low = unicodedata.decomposition(name[-1]).startswith("<sub>")
    return name if step is None or ends_low else name + str(step).translate(_SUBSCRIPTS)


def expression(node: Node, names: dict[Node, str]) -> str:
    """How a node was computed, in the names of its operands: "= tanh(a₁)"."""
    if node.is_leaf:
        return ""
    operands = [names[parent] for parent in node.parents]
    name, symbol = node.primitive.name, clean(node.primitive.symbol)
    if name == "cat":
        text = f"[{' ; '.join(operands)}]"
    elif name in ("getitem", "index", "slice"):
        text = f"{operands[0]}[{subscript(node.params['index'])}]"
    elif name == "permute" and len(node.shape) == 2:
        text = f"{operands[0]}ᵀ"
    elif "{" in symbol:
        text = _filled(symbol, dict(zip(node.primitive.inputs, operands, strict=False)))
    elif len(operands) == 2 and not _is_word(symbol):
        text = f"{operands[0]} {symbol} {operands[1]}"
    elif len(operands) == 1 and not _is_word(symbol):
        text = f"{symbol}{operands[0]}"
    else:
        text = f"{symbol}({', '.join(operands)})"
    return "= " + clean(text, LONGEST_EXPRESSION)


def _filled(pattern: str, operands: dict[str, str]) -> str:
    """A symbol such as "{x} @ {w}ᵀ" with the operands' names in it."""
    return re.sub(r"\{(\w+)\}", lambda found: operands.get(found[1], found[1]), pattern)


def _is_word(symbol: str) -> bool:
    return any(c.isalnum() for c in symbol)


def subscript(index: Any) -> str:
    """An index as one writes it; of an index array only that it was one.

    Examples
    --------
    >>> subscript((slice(None), slice(3, 6)))
    ':, 3:6'
    """
    parts = index if isinstance(index, tuple) else (index,)
    if len(parts) > 1 and parts[-1] is Ellipsis:
        parts = parts[:-1]  # x[0, …] is x[0]
    return ", ".join(map(_part, parts))


def _part(index: Any) -> str:
    if index is Ellipsis:
        return "…"
    if isinstance(index, slice):
        ends = ["" if end is None else str(end) for end in (index.start, index.stop, index.step)]
        return ":".join(ends if ends[2] else ends[:2])
    plain = index is None or (hasattr(index, "__index__") and not _shape(index))
    return str(index) if plain else "…"


def _shape(index: Any) -> tuple[int, ...]:
    return tuple(getattr(index, "shape", ()))
