"""Derivations: what a page says in symbols is what the walk computed in numbers."""

from __future__ import annotations

import re

import numpy as np
import pytest
from cases import cases, leaf, sequence
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tinygrad_rnn import bptt
from tinygrad_rnn.cli import demo
from tinygrad_rnn.reading.given import is_inline
from tinygrad_rnn.reading.names import names
from tinygrad_rnn.writing.latex import latex
from tinygrad_rnn.writing.latex import name as latex_name
from tinygrad_rnn.writing.rules import vjp

# -- formulas are read again, as a student would, and must give the numbers beside them -----------

_ARRAY = re.compile(r"\[\[.*?\]\]|\[-?\d[^\[\]:,]*\]")
_PYTHON = {"⊙": "*", "−": "-", "σ": "sigmoid"}


def row(a) -> np.ndarray:
    """Vectors are rows, as in the formulas."""
    return np.atleast_2d(np.asarray(a, np.float64))


def evaluated(formula: str, values: dict[str, np.ndarray]) -> np.ndarray:
    """What a formula comes to, in Python's arithmetic; ``values`` by what is written."""
    formula = formula.removesuffix(", to each element")
    known: dict[str, object] = {
        "total": lambda a: a.sum(0, keepdims=True),
        "exp": np.exp,
        "ln": np.log,
    }
    written = sorted(values, key=len, reverse=True)
    either = "|".join(map(re.escape, written))
    formula = re.sub(
        rf"(?<![A-Za-z])(?:{either})(?![A-Za-z0-9_₀-₉])",
        lambda found: f"_{written.index(found[0])}_",
        formula,
    )
    known |= {f"_{i}_": row(values[text]) for i, text in enumerate(written)}
    for sign, word in _PYTHON.items():
        formula = formula.replace(sign, word)
    formula = formula.replace("²", "**2").replace("ᵀ", ".T").replace("^", "**")
    formula = re.sub(r"\[(\d+:\d+)\]", r"[..., \1]", formula)
    formula = re.sub(r"^Σ (.*)$", r"total(\1)", formula)
    formula = formula.replace("·", "*")
    formula = re.sub(r"ln (\S+)", r"ln(\1)", formula)
    return eval(formula, known)


def close(a, b, **tolerance) -> None:
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    a = a.reshape(b.shape) if a.size == b.size else np.broadcast_to(a, b.shape)
    np.testing.assert_allclose(a, b, **tolerance)


def values_of(walk, by=None) -> dict[str, np.ndarray]:
    """Numbers for all that a formula can name: no name may stand for two things.

    ``by`` is the place whose gradient the formula gives.
    """
    called, values = names(walk.places), {}
    called[walk.root] = "L"
    for place in walk.places:
        name = called.atom(place, by)
        meant = [(name, walk.value(place)), (f"∂L/∂{name}", walk.gradient(place))]
        for written, value in meant:
            if value is not None and not is_inline(place):
                assert written not in values, f"{written} is ambiguous"
                values[written] = value
    return values


def check_every_term(walk, explanation) -> int:
    """Symbols give the values; values add up; visits sent them. Returns how many terms."""
    count = 0
    for place in explanation.path:
        equation, values = explanation.equation(place), values_of(walk, place)
        np.testing.assert_array_equal(equation.value, walk.gradient(place))
        close(sum(term.value for term in equation.terms), equation.value, rtol=1e-5, atol=1e-7)
        for term in equation.terms:
            if not term.visits:
                assert place is walk.root
                continue
            (number,) = term.visits
            visit = walk.visits[number - 1]
            assert visit.number == number
            assert term.steps == (visit.step,)
            sent = [
                c
                for parent, c in zip(visit.node.parents, visit.contributions, strict=True)
                if parent is place
            ]
            assert any(np.array_equal(term.value, c) for c in sent)
            if " at [" not in term.formula and "stack" not in visit.node.primitive.name:
                close(evaluated(term.formula, values), term.value, rtol=1e-5, atol=1e-6)
            count += 1
    return count


@pytest.fixture
def seed():
    """The document's network: tensors by name, labelled results, the record."""
    tensors, seen, loss = demo.forward()
    return tensors, seen, bptt.record(loss)


@pytest.mark.parametrize("key", list(demo.INPUTS))
def test_every_term_of_the_document_is_what_its_symbols_say(seed, key) -> None:
    tensors, _, walk = seed
    explanation = bptt.explain(walk, tensors[key])
    assert check_every_term(walk, explanation) >= len(explanation.path) - 1
    np.testing.assert_array_equal(explanation.equation().value, tensors[key].grad.numpy())


def test_what_the_document_promises(seed) -> None:
    tensors, seen, walk = seed
    w = bptt.explain(walk, tensors["W"]).equation()
    assert [term.steps for term in w.terms] == [(1,), (2,)]
    assert [term.visits for term in w.terms] == [(12,), (6,)]
    assert [term.formula for term in w.terms] == ["hx₁ᵀ @ ∂L/∂m₁", "hx₂ᵀ @ ∂L/∂m₂"]
    close(w.value, [[0.1401, 0.2354], [0.1205, 0.2025], [1.3142, 2.6488]], atol=5e-5)
    close(w.terms[0].value, [[0, 0], [0, 0], [0.7925, 1.7723]], atol=5e-5)
    close(w.terms[1].value[2], [0.5217, 0.8765], atol=5e-5)
    for key, expected in (("b", [1.0534, 2.2106]), ("w", [1.3968, 1.3458]), ("b_out", [2.0])):
        close(
            bptt.explain(walk, tensors[key]).equation().value, np.reshape(expected, -1), atol=5e-5
        )
    state = bptt.explain(walk, tensors["W"]).equation(seen["h"][0])
    assert [term.formula for term in state.terms] == ["(∂L/∂hx₂)[0:2]", "∂L/∂p₁ @ wᵀ"]
    close(state.value, [1.1137, 2.2536], atol=5e-5)


@pytest.mark.parametrize("key", list(demo.INPUTS))
def test_the_inserted_numbers_are_those_of_the_tensors(seed, key) -> None:
    tensors, _, walk = seed
    explanation, inserted = bptt.explain(walk, tensors[key]), 0
    for place in explanation.path:
        for term in explanation.equation(place).terms:
            if term.numbers:
                literals = {text: _read(text) for text in _ARRAY.findall(term.numbers)}
                close(evaluated(term.numbers, literals), term.value, atol=3e-3)
                inserted += 1
    assert inserted or key == "b_out"


def _read(text: str) -> np.ndarray:
    rows = re.findall(r"\[([^\[\]]+)\]", text)
    return np.array([[float(x) for x in line.split()] for line in rows])


def test_the_page_of_the_document(seed) -> None:
    tensors, _, walk = seed
    page = str(bptt.explain(walk, tensors["W"]))
    for line in (
        "  t = 1  hx₁ = [h₀ ; x₁],  m₁ = hx₁ @ W,  a₁ = m₁ + b,  h₁ = tanh(a₁),  p₁ = h₁ @ w,",
        "     12  1  ∂L/∂W = hx₁ᵀ @ ∂L/∂m₁",
        "      6  2        + hx₂ᵀ @ ∂L/∂m₂",
        "      7  2  ∂L/∂h₁ = (∂L/∂hx₂)[0:2]",
        "      9  1         + ∂L/∂p₁ @ wᵀ",
    ):
        assert line in page.splitlines()
    assert "[1.114 2.254] ⊙ (1 − [0.537 0.462]²)  = [0.793 1.772]" in page
    assert page.endswith("= [[0.140 0.235] [0.121 0.203] [1.314 2.649]]")
    assert not re.search(r"0x[0-9a-f]+", page)
    again = bptt.record(demo.forward()[2])
    assert str(bptt.explain(again, _leaf(again, "W"))) == page  # the same in every run


def _leaf(walk, name):
    """A tensor at a place of a walk, found by its name."""
    (place,) = [p for p in walk.places if p.notes and p.notes.name == name]
    tensor = tg.tensor(place.value, dtype=tg.float64)
    tensor.node = place
    return tensor


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("name", ["weight_ih_l0", "weight_hh_l0", "bias_hh_l0"])
def test_every_term_of_a_layer(kind, name) -> None:
    tg.manual_seed(1)
    net = getattr(tg.nn, kind)(3, 2)
    output, _ = net(tg.randn(4, 5, 3))
    walk = bptt.record((output * output).sum())
    parameter = getattr(net, name)
    explanation = bptt.explain(walk, parameter)
    check_every_term(walk, explanation)
    np.testing.assert_array_equal(explanation.equation().value, parameter.grad.numpy())
    assert [term.steps for term in explanation.equation().terms] == [(1,), (2,), (3,), (4,)]


# -- formulas in names ----------------------------------------------------------------------------

EXPRESSIONS = {
    "mul": lambda a, b: a * b,
    "sub": lambda a, b: a - b,
    "div": lambda a, b: a / b,
    "pow": lambda a, b: a**b,
    "matmul": lambda a, b: a @ b.T,
    "number": lambda a, b: 2 * a - b / -3 + a**2,
    "tanh": lambda a, b: tg.tanh(a) * b,
    "sigmoid": lambda a, b: tg.sigmoid(a * b),
    "chain": lambda a, b: tg.tanh(a @ b.T) @ a,
    "broadcast": lambda a, b: a * b[:1],
    "added": lambda a, b: tg.tanh(a + b[:1]),
    "same": lambda a, b: a * a * b,
    "linear": lambda a, b: tg.nn.functional.linear(a, b, b[:, 0]),
    "exp": lambda a, b: tg.exp(a) / b,
    "square": lambda a, b: tg.square(a) * b,
}


@pytest.mark.parametrize("name", list(EXPRESSIONS))
def test_formulas_in_names_compute_what_the_rules_do(name) -> None:
    rng = np.random.default_rng(3)
    a, b = (tg.tensor(rng.uniform(0.5, 1.5, (3, 3)), requires_grad=True).named(n) for n in "ab")
    walk = bptt.record(EXPRESSIONS[name](a, b).sum())
    for tensor in (a, b):
        if walk.gradient(tensor) is not None:
            explanation = bptt.explain(walk, tensor)
            values, checked = values_of(walk), 0
            called = {place: explanation._chain.called(place) for place in walk.places}
            for visit in walk.visits:
                for i, parent in enumerate(visit.node.parents):
                    formula = vjp(visit.node, i, called, _gradient(explanation, visit.node))
                    if parent.requires_grad and not re.search(r" at \[|gᵀ|\[\d", formula):
                        close(evaluated(formula, values), visit.contributions[i], rtol=1e-9)
                        checked += 1
            assert checked >= 2


def _gradient(explanation, node) -> str:
    return explanation._chain.gradient_of(node)


def test_parts_of_joined_tensors_are_named() -> None:
    a, b = (tg.ones(2, 2, requires_grad=True).named(n) for n in "ab")
    walk = bptt.record((tg.cat([a, b], 1).named("c") * 2).sum())
    assert bptt.explain(walk, b).equation().terms[0].formula == "(∂L/∂c)[:, 2:4]"
    walk = bptt.record((tg.stack([a, b], 1).named("c") * 2).sum())
    assert bptt.explain(walk, b).equation().terms[0].formula == "(∂L/∂c)[:, 1]"
    walk = bptt.record((a[0].named("c") * 2).sum())
    assert bptt.explain(walk, a).equation().terms[0].formula == "∂L/∂c at [0], else 0"


def test_negative_numbers_stand_in_parentheses() -> None:
    x = tg.tensor(2.0, requires_grad=True).named("x")
    (term,) = bptt.explain(bptt.record(x * -1.5), x).equation().terms
    assert (term.formula, term.numbers) == ("∂L/∂L ⊙ (-1.5)", "1.000 ⊙ (-1.500)")


def test_a_function_of_the_user_has_no_formula_but_a_name() -> None:
    class Double(tg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = tg.tensor([1.0], requires_grad=True).named("x")
    walk = bptt.record((Double.apply(x).named("y") * 1).sum())
    terms = bptt.explain(walk, x).equation().terms
    assert any("Double" in term.formula for term in terms)
    assert "Double" in str(bptt.explain(walk, x))


@pytest.mark.parametrize("case", cases("gradcheck"), ids=str)
def test_every_operation_can_be_explained(case) -> None:
    xs = [leaf(tg, a) for a in case.arrays]
    outputs = sequence(case.fn(tg, *xs))
    walk = bptt.record(sum((y * y).sum() for y in outputs if y.requires_grad))
    for x in xs:
        if walk.gradient(x) is not None:
            explanation = bptt.explain(walk, x)
            equation = explanation.equation()
            close(sum(term.value for term in equation.terms), equation.value, rtol=1e-6)
            assert str(explanation)
            check_latex(explanation.latex)
    assert "not finite" not in {finding.kind for finding in bptt.diagnose(walk, xs)}


# -- folding --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_long_sequences_fold_to_one_page(kind) -> None:
    tg.manual_seed(0)
    net = getattr(tg.nn, kind)(3, 20)
    pages = []
    for steps in (50, 200):
        output, _ = net(tg.randn(steps, 4, 3))
        walk = bptt.record((output * output).mean())
        net.zero_grad()
        pages.append(str(bptt.explain(walk, net.weight_hh_l0)))
    lines = pages[0].splitlines()
    assert abs(len(lines) - len(pages[1].splitlines())) <= 2  # where lines are wrapped
    assert len(lines) < 130
    assert max(map(len, lines)) < 140
    assert "… 47 steps likewise, t = 3 … 49" in pages[0]
    assert "3…49" in pages[0]
    assert "… 47 more" in pages[0]


@given(steps=st.integers(1, 12), seed=st.integers(0, 99))
def test_what_is_shown_adds_up(steps, seed) -> None:
    tg.manual_seed(seed)
    net = tg.nn.RNN(2, 2)
    output, _ = net(tg.randn(steps, 1, 2))
    walk = bptt.record((output * output).sum())
    equation = bptt.explain(walk, net.weight_ih_l0).equation()
    shown = equation.shown
    assert len(equation.terms) == steps
    assert len(shown) == min(steps, 4)
    close(sum(term.value for term in shown), net.weight_ih_l0.grad.numpy(), rtol=1e-4, atol=1e-6)
    assert sorted(n for term in shown for n in term.visits) == sorted(
        n for term in equation.terms for n in term.visits
    )


def test_many_operations_outside_of_time_fold_too() -> None:
    x = tg.tensor([1.0], requires_grad=True).named("x")
    y = x
    for _ in range(300):
        y = y * 1.01
    page = str(bptt.explain(bptt.record(y.sum()), x))
    assert len(page.splitlines()) < 60
    assert "more operations" in page


def test_loops_fold_to_their_first_and_last_steps() -> None:
    w = tg.tensor(0.9, requires_grad=True).named("w")
    h = tg.tensor(1.0).named("h₀")
    for t in range(1, 11):
        with tg.step(t):
            h = (w * h).named("h")
    page = str(bptt.explain(bptt.record((h * h).named("L")), w))
    forward, _, walk = page.split("\n\n")[1:4]
    assert [line.split("  ")[1] for line in forward.splitlines()[1:]] == [
        "t = 1", "t = 2", "… 7 steps likewise, t = 3 … 9", "t = 10", "L = h₁₀ * h₁₀",
    ]  # fmt: skip
    shown = [name for name in ("h₁₀", "h₉", "h₈", "h₂", "h₁") if f"∂L/∂{name} =" in walk]
    assert shown == ["h₁₀", "h₉", "h₁"]


def test_infinities_are_explained_without_a_word() -> None:
    x = tg.tensor([0.0, 1.0], requires_grad=True).named("x")
    page = str(bptt.explain(bptt.record((1 / x - 1 / x).sum()), x))
    assert "nan" in page


def test_the_loss_itself_can_be_explained() -> None:
    loss = (tg.ones(2, requires_grad=True) * 2).sum().named("L")
    explanation = bptt.explain(bptt.record(loss), loss)
    assert explanation.equation().terms[0].formula == "1"
    assert "∂L/∂L = 1" in str(explanation)
    check_latex(explanation.latex)


def test_layers_are_told_apart() -> None:
    net = tg.nn.RNN(2, 2, 2, bidirectional=True)
    output, _ = net(tg.randn(3, 1, 2))
    page = str(bptt.explain(bptt.record(output.sum()), net.weight_hh_l0_reverse))
    assert "rnn layer 0 reverse:" in page
    assert "rnn layer 1:" in page


def listed(walk: str) -> list[int]:
    """The visits of a page's lines, in their order."""
    return [int(found[1]) for found in re.finditer(r"^ +(\d+) ", walk, re.M)]


def test_modules_in_modules_are_explained_in_walk_order() -> None:
    class Net(tg.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lin = tg.nn.Linear(2, 2)

        def forward(self, x):
            return tg.tanh(self.lin(x * 2))

    net = Net()
    for steps in (None, (1, 2, 3), range(1, 10)):
        x = tg.ones(1, 2, requires_grad=True).named("x")
        y = x
        for t in steps or [None]:
            with tg.step(t):
                y = net(y)
        explanation = bptt.explain(bptt.record(y.sum()), x)
        _, forward, _, walk, _ = str(explanation).split("\n\n")
        assert listed(walk) == sorted(listed(walk))
        forward = re.sub(r"t = [\d …]+(?=\s)", "", forward)
        made = re.findall(r"(\S+) = ", forward)
        for name, written in re.findall(r"(\S+) = ([^,\n]*)", forward):
            before = made[: made.index(name)]
            assert all(other not in written.split() or other in before for other in made)
    assert "… 6 steps likewise, t = 3 … 8" in str(explanation)


def test_large_arrays_are_shown_whole_on_request() -> None:
    tg.manual_seed(0)
    net = tg.nn.RNN(2, 6)
    walk = bptt.record(net(tg.randn(6, 2))[0].sum())
    short, whole = (str(bptt.explain(walk, net.weight_hh_l0, full=f)) for f in (False, True))
    assert "6×6  ‖" in short
    assert "6×6  ‖" not in whole
    assert "likewise" not in whole
    for line in net.weight_hh_l0.grad.tolist():
        numbers = r"\s+".join(re.escape(f"{x:.3f}") for x in line if abs(x) >= 5e-4)
        assert re.search(numbers, whole)
    page = bptt.explain(walk, net.weight_hh_l0, step=2)
    assert "  t = 2  " in str(page)
    assert "  t = 3  " not in str(page)
    check_latex(page.latex)
    check_latex(bptt.explain(walk, net.weight_hh_l0, full=True).latex)
    with pytest.raises(ValueError, match=r"nothing on the way is of step 9; there are: 1, 2, 3"):
        bptt.explain(walk, net.weight_hh_l0, step=9)


def test_weights_of_classes_are_written_if_there_are_any() -> None:
    x, target = tg.zeros(2, 3, requires_grad=True).named("x"), tg.tensor([0, 2])
    formulas = [
        bptt.explain(bptt.record(loss.named("L")), x).equation().terms[0].formula
        for loss in (
            tg.nn.functional.nll_loss(x, target, reduction="sum"),
            tg.nn.functional.nll_loss(x, target, ignore_index=2, reduction="sum"),
            tg.nn.functional.nll_loss(x, target, tg.tensor([1.0, 2.0, 3.0]), reduction="sum"),
        )
    ]
    assert [formula.startswith("−∂L/∂") for formula in formulas] == [True, True, False]
    assert formulas[2].startswith("−weight ⊙ ∂L/∂")


# -- what is odd ----------------------------------------------------------------------------------


def test_a_hook_is_a_term_of_its_own() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True).named("x")
    y = (x * 3).named("y")
    y.register_hook(lambda g: g * 10)
    explanation = bptt.explain(bptt.record((y * y).sum()), x)
    equation = explanation.equation(y)
    assert equation.terms[-1].formula == "what a hook changed"
    close(sum(term.value for term in equation.terms), equation.value)
    assert equation.value.tolist() == [60.0, 120.0]


def test_other_roots_and_other_targets() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True).named("x")
    y = (x * 3).named("y")
    walk = bptt.record(y, tg.tensor([1.0, 5.0]))
    page = str(bptt.explain(walk, x))
    assert "∂L/∂y = as given to record" in page
    assert "∂L/∂x = ∂L/∂y ⊙ 3" in page
    z = (y := (x * 3).named("y")).sum().named("z")
    explanation = bptt.explain(bptt.record(z), y)  # not a leaf
    assert explanation.path[-1] is y.node
    assert "∂z/∂y = ∂z/∂z" in str(explanation)


def test_what_cannot_be_explained() -> None:
    x = tg.tensor([1.0], requires_grad=True).named("x")
    other = tg.tensor([1.0], requires_grad=True)
    c = tg.tensor([2.0])
    loss = (x * c).sum()
    with pytest.raises(TypeError, match=r"bptt.record\(loss\) first"):
        bptt.explain(loss, x)
    walk = bptt.record(loss)
    with pytest.raises(TypeError, match="expected a Tensor"):
        bptt.explain(walk, "x")
    for lost in (other, c):
        with pytest.raises(ValueError, match="no gradient came"):
            bptt.explain(walk, lost)
    with pytest.raises(ValueError, match="does not lie between the loss and x"):
        bptt.explain(walk, x).equation(other)


# -- LaTeX and Markdown ---------------------------------------------------------------------------

COMMAND = re.compile(r"\\([A-Za-z]+)")
KNOWN = set(
    "frac partial top odot sum sigma tanh text textbackslash textasciitilde textasciicircum "
    "textdollar mathrm operatorname begin end quad cdot times dots surd exp log le ge infty "
    "mathbin paragraph wedge sim backslash sin cos sinh cosh tan ln max min lfloor rfloor".split()
)


def check_latex(text: str) -> None:
    """Braces and environments are closed, commands are amsmath's, no index stands on an index."""
    bare = re.sub(r"\\[\\{}_#%&|$, ]", "", text)
    depth = 0
    for c in bare:
        depth += (c == "{") - (c == "}")
        assert depth >= 0
    assert depth == 0
    assert set(COMMAND.findall(text)) <= KNOWN
    for environment in ("aligned", "bmatrix"):
        assert text.count(rf"\begin{{{environment}}}") == text.count(rf"\end{{{environment}}}")
    assert not re.search(r"_\{[^{}]*\}_|\^\{[^{}]*\}\^", bare)
    outside = re.sub(r"\\text\{[^{}]*(?:\{\}[^{}]*)*\}", "", bare)
    assert outside.isascii(), set(outside) - set(map(chr, range(128)))


def test_latex_of_the_document(seed) -> None:
    tensors, _, walk = seed
    for key in demo.INPUTS:
        explanation = bptt.explain(walk, tensors[key])
        check_latex(explanation.latex)
        assert explanation.latex.count(r"\[") == 4
    text = bptt.explain(walk, tensors["W"]).latex
    assert (
        r"\frac{\partial L}{\partial a_{1}} &= \frac{\partial L}{\partial h_{1}} \odot "
        r"(1 - {h_{1}}^{2}) && \text{visit 10}"
    ) in text
    assert r"0.140 & 0.235 \\ 0.121 & 0.203 \\ 1.314 & 2.649" in text


HOSTILE = [
    "状态", "h_t", "a b", "x^2", "100%", "w'", "#1", "{x}", "\\frac{", "$y$", "∂L", "h²", "σ", "😀",
    "_", "[0 1]", "<b>", "&amp;", "~", "e", "nan", "x''", "α₂", "²", "₂", "]", "(", "=", "\\",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_can_be_written(name) -> None:
    x = tg.tensor([0.5, -2.0], requires_grad=True).named(name)
    with tg.step(1):
        y = (tg.tanh(x) * x).named(name + "y")
    explanation = bptt.explain(bptt.record((y**2 / x + -1.5 * x).sum()), x)
    check_latex(explanation.latex)
    assert str(explanation)
    for formula in re.findall(r"\$\$\n(.*?)\n\$\$", explanation.markdown, re.S):
        assert "$" not in formula
        check_latex(formula)


def test_latex_of_names_numbers_and_arrays() -> None:
    assert latex_name("h₁₂") == "h_{12}"
    assert latex_name("a_i₁") == "a_{i,1}"
    assert latex_name("h₁⁽⁰ʳ⁾") == "h_{1}^{(0r)}"
    assert latex_name("(f⊙c′)₁⁽¹⁾") == r"(f\odot c')_{1}^{(1)}"
    assert latex_name("(W_ih h₁⁽⁰⁾)") == r"(W_{\text{ih}} h_{1}^{(0)})"
    assert latex("∂L/∂(tanh c₁) ⊙ x", ["L", "(tanh c₁)", "x"]) == (
        r"\frac{\partial L}{\partial (\tanh c_{1})} \odot x"
    )
    assert latex("-1.5e-4") == r"-1.5 \cdot 10^{-4}"
    assert latex("[[1 2] [3 4.5e-6]]") == (
        r"\begin{bmatrix}1 & 2 \\ 3 & 4.5 \cdot 10^{-6}\end{bmatrix}"
    )
    assert latex("a @ bᵀ", ["a", "b"]) == r"a \, b^{\top}"
    assert latex("abc", ["a", "b"]) == r"\text{ abc }"
    assert latex("x^(b − 1)", ["x", "b"]) == "x^{b - 1}"


def test_notebooks_show_markdown(seed) -> None:
    tensors, _, walk = seed
    explanation = bptt.explain(walk, tensors["b_out"])
    page = explanation._repr_markdown_()
    assert page == explanation.markdown
    assert page.startswith("### The derivative of $L$ with respect to $b_{\\text{out}}$")
    assert page.count("$$") == 8


def test_an_element_that_is_called_by_its_index_has_no_equation() -> None:
    """Its name says how it was made; xs[0] = xs[0] would say nothing."""
    W = tg.eye(2, requires_grad=True).named("W")

    def last_state(xs):
        h = tg.zeros(2)
        for x in xs:
            h = tg.tanh(h @ W + x)
        return h

    xs = tg.ones(3, 2, requires_grad=True).named("xs")
    told = bptt.explain(bptt.record(last_state(xs).sum()), W)
    assert "t = 1  h₀W = h₀ @ W,  a_h₁ = h₀W + xs[0],  h₁ = tanh(a_h₁)" in str(told)
    for text in (str(told), told.latex, told.markdown):
        assert not re.search(r"(xs\S*) &?= \1", text)
