"""Written formulas as LaTeX: "∂L/∂h₂ ⊙ (1 − h₂²)" becomes a fraction, indices and powers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

SIGNS = {
    "⊙": r"\odot ", "@": r"\,", "−": "-", "Σ": r"\sum ", "∂": r"\partial ", "σ": r"\sigma ",
    "√": r"\surd ", "…": r"\dots ", "≤": r"\le ", "≥": r"\ge ", "⌊": r"\lfloor ",
    "⌋": r"\rfloor ", "‖": r"\|", "×": r"\times ", "·": r"\cdot ", "∞": r"\infty ", "′": "'",
    "*": r"\odot ", "^": r"\wedge ", "~": r"\sim ", "\\": r"\backslash ",
}  # fmt: skip
_IN_TEXT = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "$": r"\textdollar{}",  # without a dollar, which Markdown would take for the end of a formula
}  # fmt: skip
# TeX's own words, whatever operations there are
FUNCTIONS = set(re.findall(r"\w+", "tanh exp log ln sin cos tan sinh cosh max min"))
POWERS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ᵀʳᵈˣʸᵇᵒ"
INDICES = "₀₁₂₃₄₅₆₇₈₉₋₊ₜ"
_NUMBER = r"-?(?:\d+(?:\.\d+)?(?:e-?\d+)?|∞|nan)"
_ROW = rf"\[{_NUMBER}(?: {_NUMBER})*\]"
_PART = re.compile(
    rf"[^\W\d_][^\W{POWERS}]*(?:⁽[{POWERS}]+⁾)?"
)  # a name in a name that is a formula
_FORMULA = re.compile(rf"[(\[](?:{_PART.pattern}|[\d .;()\[\]⊙·−+/,′{POWERS}⁽⁾])*[)\]]")
_TOKENS = {
    "matrix": rf"\[{_ROW}(?: {_ROW})*\]",
    "row": _ROW,
    "number": r"\d+(?:\.\d+)?(?:e-?\d+)?",
    "to_the": r"\^\([^()]*\)",
    "power": r"\*\*",
    "raised": f"[{POWERS}]+",
    "lowered": f"[{INDICES}]+",
    "word": "[A-Za-z]+",
    "other": ".",
}


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
    tokens = _TOKENS
    if names:
        whole = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
        ends = rf"(?![^\W{POWERS}])"
        fraction = rf"∂(?P<above>{whole})/∂(?P<below>{whole}){ends}"
        tokens = {"fraction": fraction, "name": rf"(?<![^\W_])(?:{whole}){ends}", **tokens}
    scan = "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in tokens.items())
    written = "".join(_written(found, text) for found in re.finditer(scan, text))
    return " ".join(written.split())


def name(text: str) -> str:
    r"""A tensor's name as LaTeX: letters in italics, words upright, indices low.

    Examples
    --------
    >>> print(name("h₁₂"), name("b_out"), name("weight_hh_l0"))
    h_{12} b_{\text{out}} \mathrm{weight\_hh\_l0}
    >>> print(name("a_i₁"), name("(f⊙c′)₁⁽⁰⁾"), name("(W_hh h₁)"))
    a_{i,1} (f\odot c')_{1}^{(0)} (W_{\text{hh}} h_{1})
    """
    if layer := re.search(f"⁽([{POWERS}]+)⁾$", text):
        return rf"{name(text[: layer.start()])}^{{({_plain(layer[1])})}}"
    stem = text.rstrip(INDICES)
    low = _plain(text[len(stem) :])
    if _FORMULA.fullmatch(stem):
        written = latex(stem, set(_PART.findall(stem)) - FUNCTIONS)
        return f"{written}_{{{low}}}" if low else written
    head, _, tail = stem.partition("_")
    if re.fullmatch(r"[A-Za-z]\d+", stem) and not low:
        stem, low = stem[0], stem[1:]
    elif len(head) == 1 and tail:
        part = tail if re.fullmatch("[A-Za-z]", tail) else rf"\text{{{escaped(tail)}}}"
        stem, low = head, f"{part},{low}" if low else part
    written = _letters(stem)
    return f"{written}_{{{low}}}" if low else written


def _letters(stem: str) -> str:
    if re.fullmatch("[A-Za-z]", stem):
        return stem
    if stem in SIGNS:
        return SIGNS[stem].strip()
    style = "mathrm" if re.fullmatch(r"\w+", stem, re.ASCII) else "text"
    return rf"\{style}{{{escaped(stem)}}}"


def _written(found: re.Match[str], text: str) -> str:
    kind, token = str(found.lastgroup), found[0]
    if kind in ("fraction", "name"):
        return _named(found, text)
    if kind == "matrix":
        return _matrix(re.findall(r"\[([^\[\]]*)\]", token))
    if kind == "row":
        return _matrix([token[1:-1]])
    if kind == "number":
        mantissa, _, exponent = token.partition("e")
        return rf"{mantissa} \cdot 10^{{{exponent}}}" if exponent else mantissa
    if kind == "to_the":
        return f"^{{{latex(token[2:-1])}}}"
    if kind == "power":
        return r"\mathbin{\text{**}}"
    if kind in ("raised", "lowered"):
        return f"{'^' if kind == 'raised' else '_'}{{{_plain(token)}}}"
    if kind == "word":
        return _word(token, calls=text.startswith("(", found.end()))
    return SIGNS.get(token) or (token if token in " ()[]+-=/<>|,;:." else _strange(token))


def _named(found: re.Match[str], text: str) -> str:
    if found.lastgroup == "fraction":
        above, below = name(found["above"]), name(found["below"])
        written = rf"\frac{{\partial {above}}}{{\partial {below}}}"
    else:
        written = name(found[0])
    follows = text[found.end() : found.end() + 1]
    has_marks = "_" in written or "^" in written
    return f"{{{written}}}" if follows and follows in POWERS + INDICES and has_marks else written


def _word(word: str, calls: bool) -> str:
    if len(word) == 1:
        return word
    if word in FUNCTIONS:
        return rf"\{word}"
    return rf"\operatorname{{{word}}}" if calls else rf"\text{{ {word} }}"


def _matrix(rows: list[str]) -> str:
    lines = [" & ".join(latex(number) for number in row.split()) for row in rows]
    return r"\begin{bmatrix}" + r" \\ ".join(lines) + r"\end{bmatrix}"


def _plain(marks: str) -> str:
    """Raised or lowered characters on the line."""
    line = unicodedata.normalize("NFKC", marks).replace("−", "-")
    return line.replace("T", r"\top") if marks == "ᵀ" else line


def _strange(character: str) -> str:
    return rf"\text{{{escaped(character)}}}"


def escaped(text: str) -> str:
    """Text for the command of that name, whatever is in it."""
    return "".join(_IN_TEXT.get(c) or (rf"\{c}" if c in "_#%&{}" else c) for c in text)
