"""Reading a written formula: "∂L/∂h₂ ⊙ (1 − h₂²)" as names, fractions, signs, powers, numbers.

What is read is a sequence of parts, in the order in which they are written; LaTeX and MathML are
two ways of writing it down again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

# TeX's own words, whatever operations there are
FUNCTIONS = frozenset(re.findall(r"\w+", "tanh exp log ln sin cos tan sinh cosh max min"))
POWERS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ᵀʳᵈˣʸᵇᵒ"
INDICES = "₀₁₂₃₄₅₆₇₈₉₋₊ₜ"
_NUMBER = r"-?(?:\d+(?:\.\d+)?(?:e-?\d+)?|∞|nan)"
_BLANK = "[ \u00a0]"
_ROW = rf"{_NUMBER}(?:{_BLANK}{_NUMBER})*"
# A name, which may have an index and a layer: in a formula, a line of text, another name.
NAME = re.compile(rf"[^\W\d_][^\W{POWERS}]*(?:⁽[{POWERS}]+⁾)?")
_FORMULA = re.compile(rf"[(\[](?:{NAME.pattern}|[\d .;()\[\]⊙·−+/,′{POWERS}⁽⁾])*[)\]]")
_SYMBOL = rf"[^\W\d_{POWERS}{INDICES}](?:_[A-Za-z]+)?[{INDICES}]*(?:⁽[{POWERS}]+⁾)?"
_JOINT = re.compile(rf"(?<=[{INDICES}])(?=[^\W\d_{INDICES}{POWERS}])")  # of names beside each other
_PRODUCT = re.compile(rf"{_SYMBOL}(?: {_SYMBOL})+")  # as a name: "W_hh h₁"; no words are
_TOKEN = re.compile(
    "|".join(
        f"(?P<{kind}>{pattern})"
        for kind, pattern in {
            "matrix": rf"\[\[{_ROW}\](?: \[{_ROW}\])*\]|\[{_ROW}(?:;{_BLANK}{_ROW})*\]",
            "number": r"\d+(?:\.\d+)?(?:e-?\d+)?",
            "to_the": r"\^\([^()]*\)",
            "power": r"\*\*",
            "raised": f"[{POWERS}]+",
            "lowered": f"[{INDICES}]+",
            "word": "[A-Za-z]+",
            "sign": ".",
        }.items()
    ),
    re.DOTALL,
)


@dataclass(frozen=True)
class Index:
    """What stands at the foot of a name, or high: marks such as "12", or a word."""

    text: str
    is_word: bool = False


@dataclass(frozen=True)
class Name:
    """A tensor's name: what it is called, or the formula that it is; at its foot; its layer."""

    stem: str | tuple[Part, ...]
    low: tuple[Index, ...] = ()
    layer: str = ""


@dataclass(frozen=True)
class Fraction:
    """A derivative, ∂ above/∂ below."""

    above: Name
    below: Name


@dataclass(frozen=True)
class Number:
    """A number without a sign, or with one; 1.5e-4 has the exponent "-4"."""

    mantissa: str
    exponent: str = ""


@dataclass(frozen=True)
class Matrix:
    """Rows of numbers."""

    rows: tuple[tuple[Number, ...], ...]


@dataclass(frozen=True)
class Word:
    """Letters that are no name; what ``calls`` has its argument in brackets."""

    text: str
    calls: bool = False


@dataclass(frozen=True)
class Sign:
    """Any other character: an operator, a bracket, a blank; or "**"."""

    text: str


@dataclass(frozen=True)
class Script:
    """What stands high, or low, beside what was written before it."""

    parts: tuple[Part, ...]
    is_high: bool


Part: TypeAlias = "Name | Fraction | Number | Matrix | Word | Sign | Script | Index"


def read(text: str, names: Collection[str] = ()) -> tuple[Part, ...]:
    """The parts of a line of mathematics; ``names`` are read as wholes.

    Examples
    --------
    >>> for part in read("2·h₁", ["h₁"]):
    ...     print(part)
    Number(mantissa='2', exponent='')
    Sign(text='·')
    Name(stem='h', low=(Index(text='1', is_word=False),), layer='')
    """
    known = sorted(filter(None, names), key=len, reverse=True)
    parts: list[Part] = []
    at = 0
    while at < len(text):
        part, at = _named(text, at, known) or _token(text, at)
        parts.append(part)
    return tuple(parts)


def read_name(text: str) -> Name:
    """A tensor's name, taken apart.

    Examples
    --------
    >>> read_name("b_out")
    Name(stem='b', low=(Index(text='out', is_word=True),), layer='')
    >>> read_name("h₁⁽⁰⁾")
    Name(stem='h', low=(Index(text='1', is_word=False),), layer='0')
    >>> [str(part.text) for part in read_name("W h").stem if isinstance(part, Sign)]
    ['@']
    >>> len(read_name("h₀W").stem)  # the same: what follows an index is another name
    3
    """
    if _PRODUCT.fullmatch(text):
        return _product(text.split())
    layer = ""
    if found := re.search(f"⁽([{POWERS}]+)⁾$", text):
        text, layer = text[: found.start()], on_the_line(found[1])
    if NAME.fullmatch(text) and len(factors := _JOINT.split(text)) > 1:
        return _product(factors, layer)
    stem = text.rstrip(INDICES)
    low = (Index(on_the_line(text[len(stem) :])),) if len(stem) < len(text) else ()
    if _FORMULA.fullmatch(stem):
        return Name(read(stem, set(NAME.findall(stem)) - FUNCTIONS), low, layer)
    head, _, tail = stem.partition("_")
    if re.fullmatch(r"[A-Za-z]\d+", stem) and not low:
        stem, low = stem[0], (Index(stem[1:]),)
    elif len(head) == 1 and tail:
        is_word = not re.fullmatch("[A-Za-z]", tail)
        stem, low = head, (Index(tail, is_word), *low)
    return Name(stem, low, layer)


def _product(factors: Sequence[str], layer: str = "") -> Name:
    return Name(read("@".join(factors), factors), (), layer)


def on_the_line(marks: str) -> str:
    """Raised or lowered characters on the line.

    Examples
    --------
    >>> on_the_line("ₜ₋₁"), on_the_line("ᵀ")
    ('t-1', '⊤')
    """
    return "⊤" if marks == "ᵀ" else unicodedata.normalize("NFKC", marks).replace("−", "-")


def _named(text: str, at: int, known: Sequence[str]) -> tuple[Part, int] | None:
    """A derivative, or a name, if one stands here, and where it ends."""
    if text.startswith("∂", at) and (above := _whole(text, at + 1, known)):
        middle = at + 1 + len(above)
        if text.startswith("/∂", middle) and (below := _whole(text, middle + 2, known)):
            return Fraction(read_name(above), read_name(below)), middle + 2 + len(below)
    begins = not at or not text[at - 1].isalnum()
    name = _whole(text, at, known) if begins else ""
    return (read_name(name), at + len(name)) if name else None


def _whole(text: str, at: int, known: Sequence[str]) -> str:
    """The longest of some names that stands here, and does not go on as another one."""
    for name in known:
        if text.startswith(name, at):
            follows = text[at + len(name) : at + len(name) + 1]
            if not (follows == "_" or follows.isalnum()) or follows in POWERS:
                return name
    return ""


def _token(text: str, at: int) -> tuple[Part, int]:
    found = _TOKEN.match(text, at)
    assert found is not None  # it takes any character
    kind, token, end = str(found.lastgroup), found[0], found.end()
    return _part(kind, token, calls=text.startswith("(", end)), end


def _part(kind: str, token: str, calls: bool) -> Part:
    if kind == "matrix":
        rows = re.findall(_ROW, token)
        return Matrix(tuple(tuple(map(_number, re.split(_BLANK, row))) for row in rows))
    if kind == "number":
        return _number(token)
    if kind == "to_the":
        return Script(read(token[2:-1]), is_high=True)
    if kind in ("raised", "lowered"):
        return Script((Index(on_the_line(token)),), is_high=kind == "raised")
    return Word(token, calls) if kind == "word" else Sign(token)


def _number(token: str) -> Number:
    mantissa, _, exponent = token.partition("e")
    return Number(mantissa, exponent)
