"""Rules written in names and in numbers: every word has a meaning, and nothing falls apart."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest
from cases import cases, leaf, sequence

import tinygrad_rnn as tg
from tinygrad_rnn import bptt
from tinygrad_rnn.engine.graph import tape
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.reading.names import names
from tinygrad_rnn.writing.rules import TO_EACH, rule, uses, vjp
from tinygrad_rnn.writing.text import Report

# what formulas say besides the names of inputs and parameters
WORDS = set(
    "g y n index part mean exp ln sin cos sinh cosh trunc sign clip softmax softplus tanh "
    "einsum tril triu number ties the of at on in from here and or not where else but added back "
    "flipped rolled diagonal looked up rows product others equal target s t u a x "
    "U S V gS what turns is L Q R M w V gL gQ gR gw above below as along derivative "
    "symmetric its halved".split()
)


@pytest.mark.parametrize("name", sorted(Primitive.registry))
def test_formulas_use_the_names_of_inputs_and_parameters(name) -> None:
    primitive = Primitive.registry[name]
    assert "g" not in primitive.inputs  # which is what comes to the output
    for each in [primitive.joint] if primitive.joint else filter(None, primitive.rules):
        known = {*primitive.inputs, *inspect.signature(each.fn).parameters} | WORDS
        assert set(re.findall(r"[A-Za-z]+", each.formula)) <= known, each.formula


@pytest.mark.parametrize("case", cases("gradcheck"), ids=str)
def test_rules_need_only_what_they_use_and_say_every_setting(case) -> None:
    roots = [y.node for y in sequence(case.fn(tg, *[leaf(tg, a) for a in case.arrays]))]
    for node in tape([root for root in roots if root is not None]):
        for operand, parent in enumerate(node.parents):
            if parent.requires_grad:
                written = {place: f"<{i}>" for i, place in enumerate(uses(node, operand))}
                text = vjp(node, operand, written, "∂L/∂y")
                assert text.count("(") == text.count(")")
                assert text.count("[") == text.count("]")
                assert all(mark in text for mark in written.values())
                assert not re.search(r"\b(index|part|alpha|beta|slope|delta|ord)\b", text)


def rules_of(tensor, written=None, cotangent="G") -> list[str]:
    """The rules of the operation that made a tensor, in the names of the graph or other words."""
    called = names(tape([tensor.node])) if written is None else written
    return [vjp(tensor.node, i, called, cotangent) for i in range(len(tensor.node.parents))]


@pytest.fixture
def ab():
    rng = np.random.default_rng(0)
    return [tg.tensor(rng.uniform(0.5, 1.5, (2, 2)), requires_grad=True).named(n) for n in "ab"]


def test_parameters_indices_counts_and_parts(ab) -> None:
    a, b = ab
    assert rules_of(tg.nn.functional.leaky_relu(a, 0.2)) == ["G where a > 0, else 0.2·G"]
    assert rules_of(tg.nn.functional.hardtanh(a, -2, 3)) == ["G where (-2) < a < 3"]
    assert rules_of(tg.addmm(a, a, b, beta=0.5, alpha=1)) == ["0.5·G", "G @ bᵀ", "aᵀ @ G"]
    assert rules_of(a.mean(0)) == ["G / 2"]
    assert rules_of(a.sum()) == ["G, to each element"]
    c = tg.ones(2, dtype=tg.float64, requires_grad=True).named("c")
    assert rules_of(a * c) == ["G ⊙ c", "Σ (G ⊙ a)"]
    assert rules_of(tg.cat([a, b, a], 1))[1] == "G[:, 2:4]"
    assert rules_of(tg.stack([a, b], 2))[1] == "G[:, :, 1]"
    assert rules_of(a[1, 0]) == ["G at [1, 0], else 0"]
    assert rules_of(tg.nn.functional.elu(a)) == ["G where a > 0, else G ⊙ exp(a)"]


def test_brackets_keep_names_and_numbers_apart(ab) -> None:
    a, b = ab
    product, power = a @ b, a**b
    called = {a.node: "f⊙c′", b.node: "Wᵀ"}
    assert rules_of(product, called, "∂L/∂y") == ["∂L/∂y @ (Wᵀ)ᵀ", "(f⊙c′)ᵀ @ ∂L/∂y"]
    numbers = {a.node: "-2", b.node: "3", power.node: "-8"}
    of_a, of_b = rules_of(power, numbers, "-1")
    assert (of_a, of_b) == ("(-1) ⊙ 3 ⊙ (-2)^(3 − 1)", "(-1) ⊙ (-8) ⊙ ln (-2)")
    assert rules_of(tg.square(a), {a.node: "0.5"}, "1") == ["1 ⊙ 2·0.5"]


def test_what_a_rule_uses(ab) -> None:
    a, b = ab
    y = a * b
    assert uses(y.node, 0) == [b.node]
    assert uses((a * a).node, 0) == [a.node]
    assert uses((a + b).node, 0) == []
    assert rule(a.sum().node, 0) == TO_EACH
    with pytest.raises(KeyError):
        vjp(y.node, 0, {a.node: "a"}, "G")


@pytest.mark.parametrize(
    "read",
    [lambda a, i: a[:, i : i + 1], lambda a, i: a.narrow(1, i, 1), lambda a, i: a.split(1, 1)[i]],
)
def test_the_sum_of_parts_says_which_part_each_is(ab, read) -> None:
    a, _ = ab
    y = (read(a, 0) ** 2 * read(a, 1) ** 2).sum()
    (g,) = tg.autograd.grad(y, a, create_graph=True)
    assert sorted(rules_of(g)) == ["G[:, 0:1]", "G[:, 1:2]"]


# -- names in formulas ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_no_two_places_have_one_name_in_formulas(kind) -> None:
    net = getattr(tg.nn, kind)(2, 2, num_layers=2, bidirectional=True)
    places = bptt.record(net(tg.zeros(3, 2))[0].sum()).places
    called = names(places)
    atoms = [called.atom(place) for place in places]
    assert len(set(atoms)) == len(atoms)


def test_names_in_formulas_say_steps_and_layers() -> None:
    net = tg.nn.LSTM(2, 2, num_layers=2)
    places = bptt.record(net(tg.zeros(2, 2))[0].sum()).places
    called = names(places)
    atoms = {called.atom(place) for place in places}
    assert {"(f⊙c′)₁⁽⁰⁾", "(f⊙c′)₂⁽¹⁾", "(tanh c₂)⁽⁰⁾", "(W_hh h₁)⁽¹⁾", "(W_ih h₁⁽⁰⁾)"} <= atoms
    (inner,) = (p for p in places if called.atom(p) == "(f⊙c′)₁⁽⁰⁾")
    assert called.atom(inner, by=inner) == "(f⊙c′)₁"


# -- results as tables ------------------------------------------------------------------------


def test_reports_have_constants_or_properties() -> None:
    class Fixed(Report):
        heading = "fixed"
        numeric = (0,)

        def rows(self) -> list[list[str]]:
            return [["long name"], ["1"]]

    class Found(Fixed):
        @property
        def heading(self) -> str:
            return "found"

    class Bare(Report):
        def rows(self) -> list[list[str]]:
            return [["a"], ["b"]]

    assert str(Fixed()) == "fixed\n  long name\n          1"
    assert str(Found()).startswith("found\n")
    assert str(Bare()) == "  a\n  b"
    assert "caption" not in Bare()._repr_html_()


def test_tables_of_results_clean_names() -> None:
    hostile = "h\u202e\nx"
    w, unused = (tg.tensor(0.5, requires_grad=True).named(hostile) for _ in range(2))
    h, hs = tg.tensor(1.0), []
    for t in range(1, 6):
        with tg.step(t), tg.bptt.scope(hostile):
            h = tg.tanh(w * h).named(hostile)
        hs.append(h)
    walk = bptt.record(tg.stack(hs).sum())
    for report in (
        bptt.flow(walk),
        bptt.diagnose(walk, [w, unused]),
        bptt.contributions(walk, w),
        bptt.truncate(walk, 2),
        bptt.compare_truncation(walk, [1, 2]),
        bptt.jacobians(walk),
    ):
        assert len(report.rows()) > 1
        for text in (str(report), report._repr_html_()):
            assert "\u202e" not in text
            assert "h\nx" not in text
