"""Lines of writing as pictures have them, for a LaTeX document: text, or mathematics in math mode.

Whatever is in a line, it compiles: TeX's own signs are escaped, signs of formulas are those of
math mode, and a character for which the document has no font becomes its number.
"""

from __future__ import annotations

import re
import unicodedata

from tinygrad_rnn.writing.latex import SIGNS, name
from tinygrad_rnn.writing.mathematics import FUNCTIONS, INDICES, NAME, POWERS, on_the_line

OTHER = r"\bpttother"  # what a picture defines for characters that not every document has
_MATHEMATICAL = {
    **{sign: command.strip() for sign, command in SIGNS.items() if sign not in "@*^~\\\u00a0"},
    "@": r"\mathbin{@}", "*": "*", "≈": r"\approx", "→": r"\to", "←": r"\gets", "↑": r"\uparrow",
    "↓": r"\downarrow", "≠": r"\ne", "±": r"\pm", "÷": r"\div", "∈": r"\in", "∑": r"\sum",
    "∏": r"\prod", "∇": r"\nabla", "∫": r"\int", "½": r"\frac12", "η": r"\eta", "°": r"{}^{\circ}",
}  # fmt: skip
_PLAIN = {"–": "--", "—": "---", "…": r"\dots{}", "“": "``", "”": "''", "‘": "`", "’": "'"}
_ESCAPED = {  # \/ keeps two signs from becoming one
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "$": r"\(\$\)", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"{''}",
    "#": r"\#", "%": r"\%", "&": r"\&", "_": r"\_", "{": r"\{", "}": r"\}", "'": r"'\/",
    "-": r"-\/", "`": r"`\/", "?": r"?\/", "!": r"!\/",
}  # fmt: skip
_GREEK = re.findall(
    r"\w+",
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau "
    "upsilon phi chi psi omega",
)
_CAPITALS = re.findall(r"\w+", "gamma delta theta lambda xi pi sigma upsilon phi psi omega")
_SCRIPTS = POWERS + INDICES + "′"
_PARTS = re.compile(
    rf"(?P<raised>⁽[{POWERS}]+⁾|[{POWERS}]+)|(?P<lowered>[{INDICES}]+)|(?P<word>{NAME.pattern}′*)"
    r"|(?P<power>\s*\*\*\s*[0-9]+)|(?P<number>[0-9][0-9.,]*(?:e[-−+]?[0-9]+)?)|(?P<blank>\s+)|(?P<other>.)",
    re.DOTALL,
)


def text(line: str, mono: bool = False) -> str:
    r"""A line of text; names with an index, Greek letters and signs in it are mathematics.

    With ``mono`` for numbers that stand under each other: a minus sign is as wide as a digit.

    Examples
    --------
    >>> print(text("σ: sigmoid, 50 %"), text("c′: c of h₁"), text("a_b #1"))
    \(\sigma\): sigmoid, 50 \% \(c{}'\): c of \(h_{1}\) a\_b \#1
    """
    written = []
    for part in _PARTS.finditer(line):
        kind, token = part.lastgroup, part[0]
        if kind == "word" and not set(token).isdisjoint(_SCRIPTS):
            written.append(rf"\({_named(token)}\)")
        elif kind in ("raised", "lowered"):
            written.append(rf"\({_script(token, kind)}\)")
        elif kind == "blank" and (mono or len(token) > 1):
            written.append(r"\ " * len(token))
        elif token == "−" and mono:
            written.append(r"\bpttminus{}")
        else:
            written.append("".join(map(_letter, token)))
    return "".join(written).replace(r"\)\(", " ").replace(",,", r",\/,")


def mathematics(line: str) -> str:
    r"""A name or an expression, in math mode as a whole.

    Examples
    --------
    >>> print(mathematics("= tanh(W_hh @ h₀ + b)"))
    \(=\tanh(W_{\text{hh}}\mathbin{@}h_{0}+b)\)
    >>> print(mathematics("‖∂L/∂hₜ‖ over t"))
    \(\|\partial L/\partial h_{t}\|\ \mathrm{over}\ t\)
    """
    written, after, blank = list[str](), "", False
    for part in _PARTS.finditer(line):
        kind, token = str(part.lastgroup), part[0]
        if kind == "blank":
            blank = True
            continue
        spaced = {kind, after} <= {"word", "number", "foreign"}
        if blank and after and (spaced or (after == "closed" and kind in ("word", "number"))):
            written.append(r"\ ")
        elif written and re.search(r"\\[A-Za-z]+$", written[-1]) and token[0].isalnum():
            written.append(" ")
        written.append(_mathematical(token, kind))
        after, blank = kind if kind != "other" else _side(token), False
    return rf"\({''.join(written)}\)" if written else ""


def _side(token: str) -> str:
    """What a sign is for the blank behind it."""
    if token in ")]‖":
        return "closed"
    return "sign" if token in _MATHEMATICAL or token.isascii() else "foreign"


def _mathematical(token: str, kind: str) -> str:
    if kind == "word":
        return rf"\{token}" if token in FUNCTIONS else _named(token)
    if kind in ("raised", "lowered"):
        return _script(token, kind)
    if kind == "power":
        return f"{{}}^{{{token.strip(' *')}}}"
    if kind == "number":
        return token.replace(",", "{,}").replace("−", "-")
    if token == "′":
        return "{}'"
    if token in _MATHEMATICAL:
        return _MATHEMATICAL[token]
    if greek := _greek(token):
        return greek
    if token in "+=/()[],;:.!?-<>|":
        return token
    return rf"\text{{{_letter(token)}}}"


def _named(token: str) -> str:
    """A name, perhaps with primes, which must not meet the indices that it has above."""
    stem = token.rstrip("′")
    return _defined(name(stem)) + "{}'" * (len(token) - len(stem))


def _script(token: str, kind: str) -> str:
    line = on_the_line(token).replace("⊤", r"\top")
    return f"{{}}{'^' if kind == 'raised' else '_'}{{{line}}}"


def _letter(character: str) -> str:
    """One character outside of math mode."""
    if character in _ESCAPED:
        return _ESCAPED[character]
    if " " <= character <= "~":
        return character
    if character in _PLAIN:
        return _PLAIN[character]
    if character == "′":
        return r"\({}'\)"
    command = _MATHEMATICAL.get(character) or _greek(character)
    return rf"\({command}\)" if command else _other(character)


def _greek(character: str) -> str:
    r"""A Greek letter, if TeX has it: those that look Latin it has not.

    Examples
    --------
    >>> _greek("λ"), _greek("Ω"), _greek("a")
    ('\\lambda', '\\Omega', '')
    """
    found = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER (\w+)", unicodedata.name(character, ""))
    if not found:
        return ""
    word = {"LAMDA": "lambda"}.get(found[2], found[2].lower())
    known = _GREEK if found[1] == "SMALL" else _CAPITALS
    return rf"\{word if found[1] == 'SMALL' else word.capitalize()}" if word in known else ""


def _defined(written: str) -> str:
    """A formula in which what TeX does not know stands as signs that it does."""
    written = re.sub(r"\\text\{([^\x00-\x7f])\}", lambda one: _greek(one[1]) or one[0], written)
    return "".join(c if c.isascii() else rf"\text{{{_letter(c)}}}" for c in written)


def _other(character: str) -> str:
    r"""A character that the document may or may not have.

    Examples
    --------
    >>> print(_other("é"))
    \bpttother{é}{E9}
    """
    if unicodedata.combining(character) or unicodedata.category(character).startswith("C"):
        return ""  # a mark stands on its letter or nowhere
    return f"{OTHER}{{{character}}}{{{ord(character):X}}}"
