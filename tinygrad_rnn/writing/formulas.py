"""How formulas are written: the expression beside a name, and the names that are formulas.

An expression is the program's, as PyTorch would have it: ``f₁ * c₀``.  A name is the equation's:
``f⊙c′``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.operations.traits import traits_of
from tinygrad_rnn.writing import figures
from tinygrad_rnn.writing.text import clean

_SIGNS = {"+": "+", "−": "−", "*": "⊙", "/": "/"}  # of programs and of equations
_SUBSCRIPTS = "₋₀₁₂₃₄₅₆₇₈₉"
_LOWERED = str.maketrans("-0123456789", _SUBSCRIPTS)
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_TORCH_WEIGHT = re.compile(r"(?:.*?([^.]+)\.)?weight(_\w+?)??(?:_l\d+(?:_reverse)?)?")
LOOSE = (" + ", " − ", " - ", " / ", " @ ")  # what binds less than a product
_LONGEST_TERM = 3
_MOST_OPERANDS = 8  # that are all written out
_MOST_INDICES = 4  # of an index array that is written out


def number(value: Any) -> str:
    """A number as a program would write it."""
    value = value.item() if hasattr(value, "item") else value
    return f"{value:.6g}" if isinstance(value, float) else figures.number(value)


def in_step(name: str, step: int | None) -> str:
    """A name with its time step as a subscript, unless it ends in a subscript already.

    Examples
    --------
    >>> in_step("h", 12), in_step("h₀", 12), in_step("W", None)
    ('h₁₂', 'h₀', 'W')
    """
    ends_low = unicodedata.decomposition(name[-1]).startswith("<sub>")
    return name if step is None or ends_low else name + str(step).translate(_LOWERED)


def without_step(name: str) -> str:
    """A name without the number at its foot: the same at every time step.

    Examples
    --------
    >>> without_step("h₁₂")
    'h'
    """
    return name.rstrip(_SUBSCRIPTS)


def bracketed(name: str, signs: Sequence[str] = " ⊙·/") -> str:
    """A name in brackets, if it is a formula that would otherwise fall apart.

    Examples
    --------
    >>> bracketed("c₁"), bracketed("f⊙c′"), bracketed("(h′−n)"), bracketed("max(a, b)")
    ('c₁', '(f⊙c′)', '(h′−n)', 'max(a, b)')
    """
    outside = _outside(name)
    return f"({name})" if any(sign in outside for sign in signs) else name


def enclosed(name: str) -> str:
    """A name in brackets, unless one pair of them holds all of it.

    Examples
    --------
    >>> enclosed("f⊙c′"), enclosed("(h′−n)"), enclosed("(h′−n)⊙(z+f)")
    ('(f⊙c′)', '(h′−n)', '((h′−n)⊙(z+f))')
    """
    return name if _outside(name) in ("()", "[]") else f"({name})"


def opened(name: str) -> str:
    """A name without the pair of brackets that holds all of it.

    Examples
    --------
    >>> opened("(h′−n)"), opened("(h′−n)⊙(z+f)")
    ('h′−n', '(h′−n)⊙(z+f)')
    """
    return name[1:-1] if _outside(name) == "()" else name


def _outside(name: str) -> str:
    """What of a name stands outside of its brackets, and the outermost brackets themselves."""
    depth, outside = 0, ""
    for character in name:
        depth -= character in ")]"
        outside += character if depth == 0 else ""
        depth += character in "(["
    return outside


# -- names ---------------------------------------------------------------------------------------


def formula(node: Node, operands: list[str]) -> str:
    """The name that says how a node was made; empty if it would not be short and plain.

    What multiplies by a transposed matrix is written as equations have it, ``W_ih x₁``.
    """
    traits, symbol = traits_of(node.primitive), clean(node.primitive.symbol)
    if traits.joins == "along":
        return f"[{';'.join(operands)}]"
    if traits.product:
        return _product(*operands, transposed="ᵀ" in symbol or _turned(node))
    if len(operands) == 2:
        return _joined(symbol, operands)
    if node.primitive.name == "permute":
        return f"{bracketed(operands[0])}ᵀ" if len(node.shape) == 2 else ""
    return "" if len(operands) != 1 or _is_pattern(symbol, node) else _applied(symbol, operands[0])


def _product(x: str, weight: str, *, transposed: bool) -> str:
    """``Wx``, ``W_ih x₁``; or ``xW`` and ``QKᵀ``, if the program multiplies so."""
    plain = weight.removesuffix("ᵀ")
    if found := _TORCH_WEIGHT.fullmatch(plain):
        module, gates = found.groups()
        plain = f"W{gates or ''}{f'_{module}' if module else ''}"
    if transposed:
        return f"{plain}{' ' * (len(plain) > 2 or len(x) > 3)}{bracketed(x)}"
    plain = weight if weight.endswith("ᵀ") else plain
    return f"{bracketed(x)}{' ' * (len(plain) > 2 or len(x) > 2)}{plain}"


def _turned(node: Node) -> bool:
    """Whether it multiplies by a weight that the program has transposed, not by a ``Kᵀ``.

    That is made by operations, or is a matrix that is given as its partner ``Q`` is.
    """
    given, turned = node.parents[0], node.parents[-1]
    if turned.is_leaf or turned.primitive.name != "permute":
        return False
    weight = turned.parents[0]
    kinds = [(at.is_leaf, at.requires_grad, len(at.shape)) for at in (given, weight)]
    return weight.is_leaf and kinds[0] != kinds[1]


def _joined(symbol: str, operands: list[str]) -> str:
    """``f⊙c``, ``2·x``, ``(h′−n)``; of long names no sum, for which a number is the better name."""
    if symbol == "**" and operands[1].isdigit():
        return bracketed(operands[0]) + operands[1].translate(_RAISED)
    sign = _SIGNS.get(symbol, "")
    if sign in ("+", "−"):
        return "" if any(len(x) > _LONGEST_TERM for x in operands) else f"({sign.join(operands)})"
    if sign != "⊙":
        return sign and sign.join(map(bracketed, operands))
    return ("·" if any(x.lstrip("-")[:1].isdigit() for x in operands) else "⊙").join(operands)


def _applied(symbol: str, x: str) -> str:
    """``tanh c``, ``−x``, ``x²``."""
    if symbol == "²":
        return bracketed(x) + symbol
    return f"{symbol}{' ' * symbol[-1].isalpha()}{bracketed(x)}"


# -- expressions ---------------------------------------------------------------------------------


def computed(node: Node, operands: list[str]) -> str:
    """How a node was computed, in the names of its operands, as a program would say it."""
    traits, symbol = traits_of(node.primitive), clean(node.primitive.symbol)
    first = bracketed(operands[0]) if operands else ""
    if len(operands) > _MOST_OPERANDS:
        operands = [*operands[:2], "…", operands[-1]]
    if traits.joins == "along":
        return f"[{' ; '.join(operands)}]"
    if node.primitive.name == "permute" and len(node.shape) == 2:
        return f"{first}ᵀ"
    if symbol == "²":
        return f"{first}{symbol}"
    if _is_pattern(symbol, node):
        return _filled(symbol, node, operands)
    if len(operands) == 2 and not _is_word(symbol):
        if symbol == "*":
            operands = [bracketed(operand, LOOSE) for operand in operands]
        elif symbol != "+":
            operands = list(map(bracketed, operands))
        return f" {symbol} ".join(operands)
    if len(operands) == 1 and not _is_word(symbol):
        return f"{symbol}{first}"
    return f"{symbol}({opened(operands[0]) if len(operands) == 1 else ', '.join(operands)})"


_PLACE = re.compile(r"(← )?\{(\w+)\}")  # of an operand or a parameter


def _is_pattern(symbol: str, node: Node) -> bool:
    """Whether a symbol has places for operands; a name with braces in it has none."""
    known = {*getattr(node.primitive, "inputs", ()), *node.params}
    words = {word for _, word in _PLACE.findall(symbol)}
    return bool(words) and words <= known


def _filled(pattern: str, node: Node, operands: list[str]) -> str:
    """A symbol such as "beta·{x} + alpha·{a} @ {w}ᵀ" with its names and factors filled in."""
    pattern = factored(pattern, node.params).replace("+ -", "− ")
    called = dict(zip(node.primitive.inputs, operands, strict=True))

    def fill(found: re.Match[str]) -> str:
        arrow, word = found.groups()
        if word not in called:
            return subscript(node.params[word])
        return f"{arrow}{called[word]}" if arrow else bracketed(called[word])

    return _PLACE.sub(fill, pattern)


def factored(pattern: str, params: Mapping[str, Any]) -> str:
    """A pattern with numbers for the parameters that are factors; a factor of 1 is left out.

    Examples
    --------
    >>> factored("beta·g + alpha·x", {"alpha": 0.5, "beta": 1})
    'g + 0.5·x'
    """

    def fill(found: re.Match[str]) -> str:
        factor = params.get(found[1])
        return found[0] if factor is None else "" if factor == 1 else f"{number(factor)}·"

    return re.sub(r"([a-z]+)·", fill, pattern)


def _is_word(symbol: str) -> bool:
    return any(c.isalpha() for c in symbol)


def subscript(index: Any) -> str:
    """An index as one writes it; of a large index array only its shape."""
    parts = index if isinstance(index, tuple) else (index,)
    if len(parts) > 1 and parts[-1] is Ellipsis:
        parts = parts[:-1]  # x[0, …] is x[0]
    return ", ".join(map(_part, parts)) or "()"


def _part(index: Any) -> str:
    if index is Ellipsis:
        return "…"
    if isinstance(index, slice):
        ends = ["" if end is None else str(end) for end in (index.start, index.stop, index.step)]
        return ":".join(ends if ends[2] else ends[:2])
    array = np.asarray(index)
    if index is None or array.ndim == 0:
        return str(index)
    if array.size > _MOST_INDICES:
        return f"{'mask' if array.dtype == bool else 'indices'} {figures.shape(array.shape)}"
    return str(array.tolist())
