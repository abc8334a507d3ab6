"""The rule of a visit, written out: "g ⊙ (1 − y²)" becomes "G ⊙ (1 − h₁²)", or numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.viz import figures
from tinygrad_rnn.viz.formulas import bracketed, subscript
from tinygrad_rnn.viz.names import is_inline
from tinygrad_rnn.viz.text import clean

_WORD = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z_]+(?![A-Za-z0-9_ₜ])")
_NOT_ELEMENTWISE = re.compile(r"[@Σᵀ\[,]|einsum|\bat\b|added")
_SPREAD = "g, to each element"
_BLANK = "\u00a0"  # at which lines do not break
_FEW = 6  # elements of an array that is written into a formula


def in_names(node: Node, operand: int, names: Mapping[Node, str]) -> str:
    """What an operand receives from a node, in the names of their tensors."""
    formula = _formula(node, operand)
    if not formula:
        return f"vjp of {clean(node.primitive.name)} (G)"
    words = {word: _atom(names[place]) for word, place in _places(node).items()}
    return _filled(formula, {**_settings(node, operand), **words, "g": "G"})


def in_numbers(
    node: Node,
    operand: int,
    names: Mapping[Node, str],
    cotangent: Any,
    value: Callable[[Node], Any | None],
) -> str | None:
    """The same in numbers; ``None`` where they are many, or say no more than the cotangent."""
    formula = _formula(node, operand)
    if formula in ("", "g", _SPREAD):
        return None
    words, used = _settings(node, operand), set(_WORD.findall(formula))
    lines = {"g": _inline(cotangent)}
    for word, place in _places(node).items():
        if word in used:
            lines[word] = _atom(names[place]) if is_inline(place) else _inline(value(place))
    for word, line in lines.items():
        if line is None:
            return None
        words[word] = line
    return _filled(formula, words).replace(" − ", f"{_BLANK}−{_BLANK}")


def _formula(node: Node, operand: int) -> str:
    """The rule as its primitive states it, and what happens besides where shapes differ."""
    primitive = node.primitive
    if not isinstance(primitive, Primitive):
        return ""
    rule = primitive.joint or primitive.rules[operand]
    formula = rule.formula.replace("ᵇ⁻¹", "^(b − 1)") if rule else ""
    receives, sends = math.prod(node.parents[operand].shape), math.prod(node.shape)
    if formula == "g" and receives != sends:
        return "Σ g" if receives < sends else _SPREAD
    if formula and receives < sends and not _NOT_ELEMENTWISE.search(formula):
        return f"Σ ({formula})"  # the engine sums over what was broadcast
    return formula


def _places(node: Node) -> dict[str, Node]:
    """Which place each word of a formula stands for."""
    words = dict(zip(node.primitive.inputs, node.parents, strict=False))
    if "weight" in words:
        words["W"] = words["weight"]
    return words | {"y": node}


def _settings(node: Node, operand: int) -> dict[str, str]:
    """What the formula's other words stand for: parameters, a count, a part."""
    params = node.params
    words = {
        name: figures.number(setting)
        for name, setting in params.items()
        if isinstance(setting, int | float)
    }
    size = math.prod(node.shape)
    if size:
        words["n"] = str(math.prod(node.parents[operand].shape) // size)
    if "index" in params:
        index = params["index"]
        words["index"] = subscript(index[operand] if node.primitive.joint else index)
    if node.primitive.name in ("cat", "stack"):
        words["part"] = _part(node, operand)
    return words


def _part(node: Node, operand: int) -> str:
    """Which part of the cotangent of `cat` or `stack` belongs to an operand."""
    dim = node.params["dim"] % len(node.shape)
    if node.primitive.name == "stack":
        return ", ".join([":"] * dim + [str(operand)])
    sizes = [parent.shape[dim] if parent.shape else 0 for parent in node.parents]
    start = sum(sizes[:operand])
    return ", ".join([":"] * dim + [f"{start}:{start + sizes[operand]}"])


def _filled(formula: str, words: Mapping[str, str]) -> str:
    return _WORD.sub(lambda found: words.get(found[0], found[0]), formula)


def _atom(name: str) -> str:
    """A name in brackets where a sign beside it could be read into it."""
    return f"({name})" if name.startswith(("-", "−")) else bracketed(name)


def _inline(array: Any) -> str | None:
    """A small array on one line, the rows of a matrix parted by semicolons."""
    if array is None:
        return None
    array = np.asarray(array)
    if not 0 < array.size <= _FEW or array.ndim > 2:
        return None
    if array.ndim == 0:
        return _atom(figures.number(array[()]))
    rows = [_BLANK.join(figures.number(x) for x in row) for row in np.atleast_2d(array)]
    return f"[{'; '.join(rows)}]"
