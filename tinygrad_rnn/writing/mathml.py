"""Written formulas as MathML, which browsers set without a font or a script of ours.

An element is a list: its tag, and what is in it, texts and elements.  A page makes elements of it,
so that no name can become markup; `markup` is the same as text.
"""

from __future__ import annotations

import html
from collections.abc import Collection, Sequence
from typing import Any, TypeAlias

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

Element: TypeAlias = list[Any]
_BRACKETS = {"(": ")", "[": "]", "⌊": "⌋"}
_SIGNS = {"*": "⊙", "-": "−", "Σ": "∑", "^": "∧"}
_THIN, _BLANK = "\u2009", "\u00a0"
_APPLIED = ["mo", "\u2061"]  # nothing to be seen, but to be heard: "tanh of"


def mathml(text: str, names: Collection[str] = ()) -> Element:
    """A line of mathematics as one element; ``names`` are read as wholes.

    Examples
    --------
    >>> mathml("1 − h₁²", ["h₁"])
    ['mrow', ['mn', '1'], ['mo', '−'], ['msubsup', ['mi', 'h'], ['mn', '1'], ['mn', '2']]]
    >>> print(markup(mathml("∂L/∂a ⊙ b", ["L", "a", "b"])))
    <mrow><mfrac><mrow><mo>∂</mo><mi>L</mi></mrow><mrow><mo>∂</mo><mi>a</mi></mrow></mfrac><mo>⊙</mo><mi>b</mi></mrow>
    """
    return _line(read(text, names))


def name(text: str) -> Element:
    """A tensor's name.

    Examples
    --------
    >>> name("W_hh")
    ['msub', ['mi', 'W'], ['mtext', 'hh']]
    """
    return _name(read_name(text))


def markup(element: Element | str) -> str:
    """An element as text.

    Examples
    --------
    >>> markup(["mi", "<b>"])
    '<mi>&lt;b&gt;</mi>'
    """
    if isinstance(element, str):
        return html.escape(element, quote=False)
    tag, *inside = element
    return f"<{tag}>{''.join(map(markup, inside))}</{tag}>"


def _line(parts: Sequence[Part]) -> Element:
    rows: list[Element] = [[]]  # of the brackets that are open, the innermost last
    for part in parts:
        row = rows[-1]
        if isinstance(part, Script):
            is_alone = len(row) == (len(rows) > 1)  # but for a bracket that has just been opened
            base = ["mrow"] if is_alone else row.pop()
            row.append(_scripted(base, _line(part.parts), part.is_high))
        elif isinstance(part, Word) and part.text not in FUNCTIONS and _is_prose(part):
            _say(row, part.text)
        elif not isinstance(part, Sign):
            row += _written(part)
        elif part.text in _BRACKETS:
            rows.append([["mo", part.text]])
        elif len(rows) > 1 and part.text == _BRACKETS[row[0][1]]:
            rows.pop()
            _close(rows[-1], [*row, ["mo", part.text]])
        elif part.text.strip():
            row.append(_sign(part.text))
        elif row and row[-1] == _APPLIED:
            row.append(["mtext", _THIN])  # tanh x
    return _row([element for row in rows for element in row])


def _row(elements: list[Element]) -> Element:
    return elements[0] if len(elements) == 1 else ["mrow", *elements]


def _close(row: list[Element], bracketed: list[Element]) -> None:
    """End with what was in brackets; under a root there are none."""
    if row and row[-1] == ["mo", "√"]:
        row[-1] = ["msqrt", *bracketed[1:-1]]
    else:
        row.append(["mrow", *bracketed])


def _scripted(base: Element, script: Element, is_high: bool) -> Element:
    """With something high or low beside it; high over low, if that is there."""
    if is_high and base[0] == "msub":
        return ["msubsup", *base[1:], script]
    return ["msup" if is_high else "msub", base, script]


def _is_prose(word: Word) -> bool:
    return len(word.text) > 1 and not word.calls


def _say(row: list[Element], word: str) -> None:
    """Words in a formula, "where", as one text with blanks around."""
    if row and row[-1][0] == "mtext" and row[-1][1].endswith(_BLANK):
        word = f"{row.pop()[1]}{word}".lstrip(_BLANK)
    row.append(["mtext", f"{_BLANK}{word}{_BLANK}"])


def _written(part: Part) -> list[Element]:
    if isinstance(part, Name):
        return [_name(part)]
    if isinstance(part, Fraction):
        above, below = (
            ["mrow", ["mo", "∂"], _name(name)] for name in (part.above, part.below)
        )  # fmt: skip
        return [["mfrac", above, below]]
    if isinstance(part, Matrix):
        rows = [["mtr", *(["mtd", _number(number)] for number in row)] for row in part.rows]
        return [["mrow", ["mo", "["], ["mtable", *rows], ["mo", "]"]]]
    if isinstance(part, Number):
        return [_number(part)]
    if isinstance(part, Index):
        return [_index(part)]
    assert isinstance(part, Word)
    letters = ["mi", part.text]
    return [letters] if len(part.text) == 1 else [letters, _APPLIED]


def _name(read: Name) -> Element:
    written = _letters(read.stem) if isinstance(read.stem, str) else _line(read.stem)
    if read.low:
        commas = [[["mo", ","], _index(index)] for index in read.low]
        written = ["msub", written, _row([part for pair in commas for part in pair][1:])]
    layer = ["mrow", ["mo", "("], _index(Index(read.layer)), ["mo", ")"]]
    return _scripted(written, layer, True) if read.layer else written


def _letters(stem: str) -> Element:
    letters = stem.rstrip("′")
    if letters and letters != stem:
        return ["msup", _letters(letters), ["mo", stem[len(letters) :]]]
    return ["mi" if stem.isidentifier() else "mtext", stem]


def _index(index: Index) -> Element:
    if index.is_word:
        return ["mtext", index.text]
    text = index.text.replace("-", "−")
    if text.lstrip("−").isdigit():
        return ["mn", text]
    return ["mi" if text.isalpha() else "mtext", text]


def _number(number: Number) -> Element:
    mantissa = ["mn", number.mantissa.replace("-", "−")]
    if not number.exponent:
        return mantissa
    power = ["msup", ["mn", "10"], ["mn", number.exponent.replace("-", "−")]]
    return ["mrow", mantissa, ["mo", "·"], power]


def _sign(text: str) -> Element:
    if text == "@":
        return ["mtext", _THIN]  # a product of matrices has no sign
    return ["mi" if text.isalpha() and text != "Σ" else "mo", _SIGNS.get(text, text)]
