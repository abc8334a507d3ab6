"""VJP rules in the names, or the numbers, of the tensors that they were applied to."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.writing.formulas import subscript

RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻ᵀ′"
_WORD = re.compile(r"(?<![A-Za-z])[A-Za-z]+(?![A-Za-z])")
_SHORT = {"W": "weight", "w": "weight", "t": "target"}  # what formulas call some inputs
_POWERS = {"ᵇ⁻¹": "^(b − 1)", "eˣ": "exp(x)", "eʸ": "exp(y)"}  # names are not to be raised


def vjp(node: Node, operand: int, names: Mapping[Node, str], cotangent: str) -> str:
    """What an operand of a node receives from it, when ``cotangent`` has come to the node.

    Parameters
    ----------
    node : Node
    operand : int
        Which of its parents.
    names : mapping
        What to write for the node and its parents.
    cotangent : str
        What to write for ∂L/∂node.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> a = tg.tensor(0.5, requires_grad=True)
    >>> h = tg.tanh(a)
    >>> vjp(h.node, 0, {a.node: "a", h.node: "h"}, "∂L/∂h")
    '∂L/∂h ⊙ (1 − h²)'
    """
    formula = formula_of(node, operand)
    if not formula:
        return f"backward of {node.primitive.name}({cotangent})"
    for power, written in _POWERS.items():
        formula = formula.replace(power, written)
    named = {"g": cotangent, "y": names[node]}
    inputs = dict(zip(node.primitive.inputs, node.parents))
    named |= {name: names[parent] for name, parent in inputs.items()}
    named |= {short: names[inputs[name]] for short, name in _SHORT.items() if name in inputs}
    text = _filled(formula, named)
    text = text.replace("[index]", _index(node)).replace("[part]", _part(node, operand))
    if not _is_summed(node, operand, formula):
        return text
    return f"Σ ({text})" if " " in text else f"Σ {text}"


def formula_of(node: Node, operand: int) -> str:
    """The formula of the rule by which a node serves one of its parents; "" if it has none."""
    primitive = node.primitive
    if primitive.joint is not None:
        return getattr(primitive.joint, "formula", "")
    rules = primitive.rules
    rule = rules[operand] if operand < len(rules) else None
    return "" if rule is None else rule.formula


def _filled(formula: str, named: Mapping[str, str]) -> str:
    def fill(found: re.Match[str]) -> str:
        if found[0] not in named:
            return found[0]
        text, after = named[found[0]], formula[found.end() : found.end() + 1]
        is_power = after != "" and after in f"{RAISED}^["
        whole = found[0] == formula
        if (text.startswith("-") and not whole) or ("/" in text and is_power):
            return f"({text})"
        return text

    return _WORD.sub(fill, formula)


def _index(node: Node) -> str:
    return f"[{subscript(node.params['index'])}]" if "index" in node.params else "[index]"


def _part(node: Node, operand: int) -> str:
    """Which part of a joined tensor one of the joined is."""
    name, shape = node.primitive.name, node.shape
    if name not in ("cat", "stack"):
        return "[part]"
    axis = node.params["dim"] % len(shape)
    start, stop = operand, operand + 1
    if name == "cat":
        sizes = [p.shape[axis] if len(p.shape) == len(shape) else 0 for p in node.parents]
        start, stop = sum(sizes[:operand]), sum(sizes[: operand + 1])
    span = f"{start}:{stop}" if name == "cat" else f"{start}"
    return f"[{', '.join([':'] * axis + [span])}]"


def _is_summed(node: Node, operand: int, formula: str) -> bool:
    """Whether the engine sums what a rule gives over axes along which the operand was stretched."""
    smaller = math.prod(node.parents[operand].shape) < math.prod(node.shape)
    contracts = any(sign in formula for sign in ("@", "einsum", "["))
    return len(node.parents) > 1 and smaller and not contracts
