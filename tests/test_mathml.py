"""Formulas are read once: MathML says what LaTeX says, in well-formed elements."""

from __future__ import annotations

import random
import re
import unicodedata
from xml.etree import ElementTree

import pytest

from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.writing.latex import latex
from tinygrad_rnn.writing.latex import name as in_latex
from tinygrad_rnn.writing.mathml import markup, mathml, name

NAMES = [
    "h₁",
    "W_hh",
    "a_i₁",
    "b_out",
    "h₁⁽⁰ʳ⁾",
    "(f⊙c′)₁",
    "weight_hh_l0",
    "W_hh h₁",
    "my weight",
    "x",
    "y",
    "g",
    "a",
    "b",
]
BITS = [
    *NAMES,
    " ⊙ ",
    " @ ",
    "²",
    "ᵀ",
    "∂y/∂h₁",
    "[1 2]",
    "[[1 2] [3 -4]]",
    "(",
    ")",
    "−",
    "√(",
    "tanh(",
]
RULES = sorted(
    {
        rule.formula
        for primitive in list(Primitive.registry.values())
        for rule in (*primitive.rules, primitive.joint)
        if rule
    }
)
ARITY = {"mfrac": 2, "msub": 2, "msup": 2, "msubsup": 3}
ROWS = {"mrow", "msqrt", "mtable", "mtr", "mtd"}


def assert_well_formed(element) -> None:
    tag, *inside = element
    if tag in ARITY:
        assert len(inside) == ARITY[tag]
    if tag in {"mi", "mn", "mo", "mtext"}:
        assert [type(part) for part in inside] == [str]
    else:
        assert tag in ARITY or tag in ROWS
        for part in inside:
            assert_well_formed(part)


def letters(text: str) -> str:
    """Letters and digits on the line, in the order in which they are read."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if c.isalnum() and c != "Σ")


def written(seed: int) -> str:
    chance = random.Random(seed)
    return "".join(chance.choice(BITS) for _ in range(chance.randint(1, 8)))


@pytest.mark.parametrize("text", [*RULES, *map(written, range(300))])
def test_a_formula_keeps_all_that_is_written(text) -> None:
    element = mathml(text, NAMES)
    assert_well_formed(element)
    read = "".join(ElementTree.fromstring(markup(element)).itertext())
    assert letters(read.replace("⊤", "T")) == letters(text)


def test_powers_and_indices_stand_at_what_they_belong_to() -> None:
    h = ["msubsup", ["mi", "h"], ["mn", "1"], ["mn", "2"]]
    assert mathml("h₁²", ["h₁"]) == h
    bracket = ["mrow", ["mo", "("], ["mn", "1"], ["mo", "−"], h, ["mo", ")"]]
    assert mathml("(1 − h₁²)ᵀ", ["h₁"]) == ["msup", bracket, ["mtext", "⊤"]]
    assert mathml("x^(b − 1)", ["x", "b"])[0] == "msup"
    assert mathml("√(1 − x)", ["x"]) == ["msqrt", ["mn", "1"], ["mo", "−"], ["mi", "x"]]
    assert name("h₁⁽⁰⁾")[0] == "msubsup"


def test_a_name_that_is_a_product_is_set_as_its_factors() -> None:
    assert name("W_hh h₁") == ["mrow", name("W_hh"), ["mtext", "\u2009"], name("h₁")]
    assert latex("W_hh h₁", ["W_hh h₁"]) == r"W_{\text{hh}}\,h_{1}"
    for words in ("my weight", "W weight"):
        assert name(words) == ["mtext", words]


def test_arrays_are_matrices_however_their_rows_are_parted() -> None:
    rows = mathml("[[1 2] [3 -4.5e-6]]")
    assert rows == mathml("[1\u00a02; 3\u00a0-4.5e-6]")
    assert [len(row) - 1 for row in rows[2][1:]] == [2, 2]
    assert latex("[1 2; 3 4]") == latex("[[1 2] [3 4]]")


def test_what_is_in_a_name_is_text() -> None:
    for hostile in ("<script>alert(1)</script>", "a & b", "]]>", '"x"', "状態", "😀"):
        text = markup(mathml(f"G ⊙ {hostile}", ["G", hostile]))
        read = "".join(ElementTree.fromstring(text).itertext())
        assert read.endswith(hostile)
        assert not re.search("<(?!/?m)", text)


def test_what_follows_an_index_is_another_name() -> None:
    """``h₀W`` is a product; set as one word, its index would be a letter that few fonts have."""
    assert in_latex("h₀W") == r"h_{0}\,W"
    assert in_latex("h₁U⁽⁰⁾") == r"h_{1}\,U^{(0)}"
    assert in_latex("xₜ₋₁") == "x_{t-1}"
    found = markup(name("h₀W"))
    assert "<msub><mi>h</mi><mn>0</mn></msub>" in found
    assert "<mi>W</mi>" in found
