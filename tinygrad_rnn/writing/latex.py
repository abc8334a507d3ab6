"""Written formulas as LaTeX: "∂L/∂h₂ ⊙ (1 − h₂²)" becomes a fraction, indices and powers."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import zip_longest

from tinygrad_rnn.writing.mathematics import (
    FUNCTIONS,
    Fraction,
    Index,
    Matrix,
    Name,
    Number,
    Part,
    Script,
    Sign,
    Word,
    read,
    read_name,
)

SIGNS = {
    "⊙": r"\odot ", "@": r"\,", "−": "-", "Σ": r"\sum ", "∂": r"\partial ", "σ": r"\sigma ",
    "√": r"\surd ", "…": r"\dots ", "≤": r"\le ", "≥": r"\ge ", "⌊": r"\lfloor ",
    "⌋": r"\rfloor ", "‖": r"\|", "×": r"\times ", "·": r"\cdot ", "∞": r"\infty ", "′": "'",
    "*": r"\odot ", "^": r"\wedge ", "~": r"\sim ", "\\": r"\backslash ",
    "**": r"\mathbin{\text{**}}", "\u00a0": " ",
}  # fmt: skip
_IN_TEXT = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "$": r"\textdollar{}",  # without a dollar, which Markdown would take for the end of a formula
}  # fmt: skip


def latex(text: str, names: Collection[str] = ()) -> str:
    r"""A line of mathematics as LaTeX, for math mode; ``names`` are read as wholes.

    Arrays such as "[[1 2] [3 4]]" become matrices. The result needs no package but amsmath.

    Examples
    --------
    >>> print(latex("∂L/∂h₂ ⊙ (1 − h₂²)", ["L", "h₂"]))
    \frac{\partial L}{\partial h_{2}} \odot (1 - {h_{2}}^{2})
    >>> print(latex("[0 1]ᵀ @ [2.5 -3]"))
    \begin{bmatrix}0 & 1\end{bmatrix}^{\top} \, \begin{bmatrix}2.5 & -3\end{bmatrix}
    """
    return _line(read(text, names))


def name(text: str) -> str:
    r"""A tensor's name as LaTeX: letters in italics, words upright, indices low.

    Examples
    --------
    >>> print(name("h₁₂"), name("b_out"), name("weight_hh_l0"))
    h_{12} b_{\text{out}} \mathrm{weight\_hh\_l0}
    >>> print(name("a_i₁"), name("(f⊙c′)₁⁽⁰⁾"), name("(W_hh h₁)"))
    a_{i,1} (f\odot c')_{1}^{(0)} (W_{\text{hh}} h_{1})
    """
    return _name(read_name(text))


def _line(parts: Sequence[Part]) -> str:
    written = (_written(part, then) for part, then in zip_longest(parts, parts[1:]))
    return " ".join("".join(written).split())


def _written(part: Part, follows: Part | None) -> str:
    if isinstance(part, Name | Fraction):
        text = _fraction(part) if isinstance(part, Fraction) else _name(part)
        has_marks = "_" in text or "^" in text
        return f"{{{text}}}" if isinstance(follows, Script) and has_marks else text
    if isinstance(part, Script):
        return f"{'^' if part.is_high else '_'}{{{_line(part.parts)}}}"
    if isinstance(part, Matrix):
        rows = r" \\ ".join(" & ".join(map(_number, row)) for row in part.rows)
        return rf"\begin{{bmatrix}}{rows}\end{{bmatrix}}"
    if isinstance(part, Number):
        return _number(part)
    if isinstance(part, Index):
        return _index(part)
    return _word(part) if isinstance(part, Word) else _sign(part)


def _name(read: Name) -> str:
    written = _letters(read.stem) if isinstance(read.stem, str) else _line(read.stem)
    low = ",".join(map(_index, read.low))
    written = f"{written}_{{{low}}}" if low else written
    return rf"{written}^{{({read.layer})}}" if read.layer else written


def _index(index: Index) -> str:
    if index.is_word:
        return rf"\text{{{escaped(index.text)}}}"
    return index.text.replace("⊤", r"\top")


def _letters(stem: str) -> str:
    if re.fullmatch("[A-Za-z]", stem):
        return stem
    if stem in SIGNS:
        return SIGNS[stem].strip()
    style = "mathrm" if re.fullmatch(r"\w+", stem, re.ASCII) else "text"
    return rf"\{style}{{{escaped(stem)}}}"


def _fraction(fraction: Fraction) -> str:
    return rf"\frac{{\partial {_name(fraction.above)}}}{{\partial {_name(fraction.below)}}}"


def _number(number: Number) -> str:
    mantissa = number.mantissa.replace("∞", SIGNS["∞"].strip())
    if "nan" in mantissa:
        mantissa = r"\text{ nan }"
    return rf"{mantissa} \cdot 10^{{{number.exponent}}}" if number.exponent else mantissa


def _word(word: Word) -> str:
    if len(word.text) == 1:
        return word.text
    if word.text in FUNCTIONS:
        return rf"\{word.text}"
    return rf"\operatorname{{{word.text}}}" if word.calls else rf"\text{{ {word.text} }}"


def _sign(sign: Sign) -> str:
    text = sign.text
    return SIGNS.get(text) or (text if text in " ()[]+-=/<>|,;:." else rf"\text{{{escaped(text)}}}")


def escaped(text: str) -> str:
    """Text for the command of that name, whatever is in it."""
    return "".join(_IN_TEXT.get(c) or (rf"\{c}" if c in "_#%&{}" else c) for c in text)
