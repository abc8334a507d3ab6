"""VJP rules in the names, or the numbers, of the tensors that they were applied to."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.operations.traits import traits_of
from tinygrad_rnn.writing.formulas import bracketed, factored, number, subscript
from tinygrad_rnn.writing.text import clean

TO_EACH = "g, to each element"
RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻ᵀ′"
_WORD = re.compile(r"(?<![A-Za-z])[A-Za-z]+(?![A-Za-z])")
_CONTRACTIONS = ("@", "einsum", "[")  # in formulas that say themselves what is summed


def vjp(node: Node, operand: int, names: Mapping[Node, str], cotangent: str) -> str:
    """What an operand of a node receives from it, when ``cotangent`` has come to the node.

    Parameters
    ----------
    node : Node
    operand : int
        Which of its parents.
    names : mapping
        What to write for the node and its parents: names, or numbers. The places that the rule
        does not use need not be there.
    cotangent : str
        What to write for ∂L/∂node.

    Raises
    ------
    KeyError
        If ``names`` lacks a place that `uses` lists.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> a = tg.tensor(0.5, requires_grad=True)
    >>> h = tg.tanh(a)
    >>> vjp(h.node, 0, {h.node: "h"}, "∂L/∂h")
    '∂L/∂h ⊙ (1 − h²)'
    >>> vjp(h.node, 0, {h.node: "0.462"}, "-2")
    '(-2) ⊙ (1 − 0.462²)'
    """
    formula = rule(node, operand)
    if not formula:
        return f"backward of {clean(node.primitive.name)}({cotangent})"
    formula = factored(formula, node.params)
    written = _settings(node, operand)
    used = _used(node, formula)
    written |= {word: bracketed(names[place]) for word, place in used.items()}
    return _filled(formula, written | {"g": cotangent})


def uses(node: Node, operand: int) -> list[Node]:
    """The places, of a node itself and its parents, whose values the rule of an operand uses."""
    return list(dict.fromkeys(_used(node, rule(node, operand)).values()))


def rule(node: Node, operand: int) -> str:
    """The formula of the rule by which a node serves a parent; "" if it has none.

    It is the primitive's own, and says besides what the engine does where shapes differ: "Σ g".
    """
    primitive = node.primitive
    if not isinstance(primitive, Primitive):
        return ""
    stated = primitive.joint or primitive.rules[operand]
    formula = stated.formula if stated else ""
    if "weight" in node.params:
        formula = _unweighted(formula, node.params["weight"], node.params.get("kept", True))
    receives, sends = math.prod(node.parents[operand].shape), math.prod(node.shape)
    if formula == "g" and receives > sends:
        return TO_EACH
    stretched = len(node.parents) > 1 and receives < sends
    if not formula or not stretched or any(sign in formula for sign in _CONTRACTIONS):
        return formula
    return f"Σ ({formula})" if " " in formula else f"Σ {formula}"


def _unweighted(formula: str, weight: Any, kept: Any) -> str:
    """A formula without the weights of classes, if all that count are 1: none were given."""
    none = np.all((np.asarray(weight) == 1) | ~np.asarray(kept))
    return formula.replace("weight ⊙ ", "") if none else formula


def _used(node: Node, formula: str) -> dict[str, Node]:
    """The places that the words of a formula stand for."""
    places = {**dict(zip(node.primitive.inputs, node.parents)), "y": node}
    words = set(_WORD.findall(formula)) - {"g"}
    return {word: place for word, place in places.items() if word in words}


def _settings(node: Node, operand: int) -> dict[str, str]:
    """What a formula's other words stand for: parameters, the count of a mean, an index, a part."""
    params = node.params
    written = {
        name: number(setting)
        for name, setting in params.items()
        if isinstance(setting, int | float)
    }
    if size := math.prod(node.shape):
        written["n"] = str(math.prod(node.parents[operand].shape) // size)
    if "index" in params:
        written["index"] = subscript(_index(node, operand))
    if traits_of(node.primitive).joins:
        written["part"] = _part(node, operand)
    return written


def _index(node: Node, operand: int) -> Any:
    """Where a part was read; of a sum of parts, where this one is added."""
    index = node.params["index"]
    return index[operand] if node.primitive.joint else index


def _part(node: Node, operand: int) -> str:
    """Which part of a joined tensor one of the joined is."""
    axis = node.params["dim"] % len(node.shape)
    if traits_of(node.primitive).joins == "anew":
        return ", ".join([":"] * axis + [str(operand)])
    sizes = [p.shape[axis] if len(p.shape) == len(node.shape) else 0 for p in node.parents]
    start = sum(sizes[:operand])
    return ", ".join([":"] * axis + [f"{start}:{start + sizes[operand]}"])


def _filled(formula: str, written: Mapping[str, str]) -> str:
    def fill(found: re.Match[str]) -> str:
        if found[0] not in written:
            return found[0]
        text, after = written[found[0]], formula[found.end() : found.end() + 1]
        alone = found[0] == formula
        if text.startswith(("-", "−")) and not alone:
            return f"({text})"
        is_power = after != "" and after in f"{RAISED}^["
        return bracketed(text, f"/{RAISED}") if is_power else text

    return _WORD.sub(fill, formula)
