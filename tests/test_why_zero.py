"""Why a gradient is zero: every stated reason is taken away, until a gradient comes."""

from __future__ import annotations

import random

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, nn
from tinygrad_rnn.bptt.zero import Zeros
from tinygrad_rnn.testing.cases import CASES
from tinygrad_rnn.testing.cases.table import sequence

F = nn.functional


def vector(*numbers):
    return tg.tensor(numbers, dtype=tg.float64)


# -- causes that are planted in random programs --------------------------------------------------

SIZE = 4
ELEMENTWISE = {  # that let something through, wherever the values are as small as here
    "tanh": lambda x, chance: tg.tanh(0.3 * x),
    "sigmoid": lambda x, chance: tg.sigmoid(x),
    "add": lambda x, chance: x + vector(*(chance.uniform(-1, 1) for _ in range(SIZE))),
    "scale": lambda x, chance: x * vector(*(chance.uniform(0.3, 1) for _ in range(SIZE))),
    "where": lambda x, chance: tg.where(vector(1, 1, 1, 1) > 0, x, vector(9, 9, 9, 9)),
    "leaky": lambda x, chance: F.leaky_relu(x, 0.5),
}
MIXING = {
    "matmul": lambda x, chance: x @ tg.tensor(
        [[chance.uniform(0.2, 0.7) for _ in range(SIZE)] for _ in range(SIZE)], dtype=tg.float64
    ),
    "softmax": lambda x, chance: tg.softmax(x, -1) * vector(1, -2, 3, -4),
    "cumsum": lambda x, chance: tg.cumsum(0.5 * x, 0),
}  # fmt: skip


def hooked(x, at):
    y = x * 1.0
    y.register_hook(lambda g: g * (1 - at))
    return y


# By the kind of reason: what brings it about where ``at`` is 1, and lets all through where it is 0.
CAUSES = {
    "zero factor": lambda x, at: x * (1 - at),
    "dead unit": lambda x, at: tg.relu(x + 20 - 200 * at) - 20 * (1 - at),
    "saturated": lambda x, at: tg.tanh(0.1 * x + 100 * at),
    "flat": lambda x, at: x * (1 - at) + tg.round(x) * at,
    "closed": lambda x, at: tg.where(at > 0, vector(1, 2, 3, 4), x),
    "cancels": lambda x, at: x - x * at,
    "too small": lambda x, at: x * (1 - at + 1e-200 * at) * (1 - at + 1e-200 * at),
    "hook": hooked,
}
SAID = {kind: {kind} for kind in CAUSES} | {"flat": {"flat", "zero factor", "cancels"}}


def planted(chance, size):
    """A plan: operations by name, among them causes with the elements that they concern."""
    plan = [(chance.choice([*ELEMENTWISE]), None) for _ in range(size)]
    for _ in range(chance.randint(1, 3)):
        cause = chance.choice([*CAUSES])
        concerned = frozenset(chance.sample(range(SIZE), chance.randint(1, SIZE)))
        plan.insert(chance.randint(0, len(plan)), (cause, concerned))
    return plan


def walked(plan, seed, taken=(), mixing=False):
    """The leaf and the walk of a plan; causes that are taken away let everything through.

    Between the operations elements are put elsewhere, at random: ``concerned`` are those of the
    leaf, wherever they have got to.
    """
    chance = random.Random(seed)
    leaf = vector(*(chance.uniform(-1, 1) for _ in range(SIZE))).requires_grad_().named("leaf")
    x, places = leaf, list(range(SIZE))  # by element of the leaf, where it is now
    for i, (name, concerned) in enumerate(plan):
        if concerned is None:
            x = ELEMENTWISE[name](x, chance)
        else:
            at = np.zeros(SIZE)
            at[[places[e] for e in concerned if (i, e) not in taken]] = 1
            x = CAUSES[name](x, tg.tensor(at))
        shift = chance.randrange(SIZE)
        places = [(at + shift) % SIZE for at in places]
        x = chance.choice([rolled, stacked, indexed])(x, shift)
    if mixing:
        x = MIXING[chance.choice([*MIXING])](x, chance)
    return leaf, bptt.record((x * vector(1.0, -0.7, 0.6, 1.3)).sum())


def rolled(x, shift):
    return tg.roll(x, shift, 0)


def stacked(x, shift):
    return tg.stack([x[(i - shift) % SIZE] for i in range(SIZE)])


def indexed(x, shift):
    return x[tg.tensor([(i - shift) % SIZE for i in range(SIZE)])]


@pytest.mark.parametrize("mixing", [False, True])
@pytest.mark.parametrize("seed", range(40))
def test_what_is_named_is_what_is_to_be_taken_away(seed, mixing) -> None:
    """For each element: the reason next to the loss is named; without it the next one is; …"""
    chance = random.Random(seed)
    plan = planted(chance, chance.randint(1, 4))
    for element in range(SIZE):
        left = [i for i, (_, concerned) in enumerate(plan) if concerned and element in concerned]
        taken: set[tuple[int, int]] = set()
        while True:
            leaf, walk = walked(plan, seed, taken, mixing)
            if not left:
                assert walk.gradient(leaf)[element] != 0
                break
            assert walk.gradient(leaf)[element] == 0
            found = {reason.kind for reason in bptt.why_zero(walk, leaf, element)}
            last = left.pop()
            assert found & SAID[plan[last][0]], (plan, element, found)
            assert found <= set().union(*(SAID[plan[i][0]] for i in [*left, last]))
            taken.add((last, element))


@pytest.mark.parametrize("seed", range(25))
def test_the_visits_that_are_named_got_something_and_sent_nothing(seed) -> None:
    chance = random.Random(seed)
    _, walk = walked(planted(chance, 3), seed)
    zeros = Zeros(walk)
    for place in walk.places:
        gradient = walk.gradient(place)
        if gradient is None or np.any(gradient):
            continue
        for reason in zeros.why(place):
            for number in reason.visits:
                visit = walk.visits[number - 1]
                assert visit.cotangent.any()
                assert any(c is not None and (c == 0).any() for c in visit.contributions)


# -- every operation -----------------------------------------------------------------------------

ELSEWHERE = {"begins with 0", "no path"}  # what is said where nothing of the kind is in the way


def called(case, arrays):
    """The leaves of a case, and what it makes of them."""
    leaves = [tg.tensor(np.array(a), requires_grad=True) for a in arrays]
    return leaves, sequence(case.fn(tg, *leaves))[0]


@pytest.mark.parametrize("case", [case for some in CASES.values() for case in some][::30], ids=str)
def test_elements_of_no_influence_on_what_counts_are_told_so_and_no_others(case) -> None:
    """Half of a result counts.  Who has influence on that half is not told that nothing came."""
    rng = np.random.default_rng(0)
    leaves, y = called(case, case.arrays)
    weights = rng.uniform(0.5, 1.5, tuple(y.shape)) * (rng.random(tuple(y.shape)) < 0.5)
    walk = bptt.record(y, tg.tensor(np.asarray(weights)))
    zeros, before = Zeros(walk), np.array(y.detach().numpy())
    for k, x in enumerate(leaves):
        gradient = walk.gradient(x)
        if gradient is None:
            continue
        for e in map(tuple, np.argwhere(np.asarray(gradient) == 0)[:6]):
            mask = np.zeros(gradient.shape, bool)
            mask[e] = True
            found = {reason.kind for reason in zeros.why(x.node, mask)}
            assert found
            if found <= ELSEWHERE:
                arrays = [np.array(a) for a in case.arrays]
                arrays[k][e] += 1e-4
                after = np.asarray(called(case, arrays)[1].detach().numpy())
                moved = np.abs(after - before) > 1e-9
                assert not moved[weights != 0].any(), (e, found)


# -- what people meet ----------------------------------------------------------------------------


def one(walk, tensor, at=...):
    (reason,) = bptt.why_zero(walk, tensor, at)
    return reason


def test_an_initial_state_of_zeros_teaches_the_recurrent_weights_nothing() -> None:
    tg.manual_seed(0)
    rnn = nn.RNN(2, 3)
    output, _ = rnn(tg.randn(1, 2))
    walk = bptt.record(output.sum())
    reason = one(walk, rnn.weight_hh_l0)
    assert (reason.kind, reason.steps) == ("zero factor", (1,))
    assert reason.what == "what it is multiplied by, h₀, is 0: an initial state"
    output, _ = rnn(tg.randn(1, 2), tg.ones(1, 3))
    rnn.zero_grad()
    assert bptt.record(output.sum()).gradient(rnn.weight_hh_l0).any()


def test_a_dead_unit_is_told_of_its_row_of_the_weights() -> None:
    tg.manual_seed(0)
    layer = nn.Linear(3, 4)
    with tg.no_grad():
        layer.bias[:] = tg.tensor([50.0, 50.0, -50.0, 50.0])
    walk = bptt.record(tg.relu(layer(tg.rand(5, 3))).sum())
    assert walk.gradient(layer.weight)[0].any()
    for place, at in ((layer.weight, 2), (layer.bias, 2), (layer.weight, (2, 1))):
        assert one(walk, place, at).kind == "dead unit"
    with pytest.raises(ValueError, match=r"^why_zero: the gradient of weight is not 0 there"):
        bptt.why_zero(walk, layer.weight)


def test_padded_steps_are_told_of_the_mask() -> None:
    tg.manual_seed(0)
    cell, h, states = nn.RNNCell(2, 3), tg.zeros(1, 3), []
    for _ in range(4):
        h = cell(tg.randn(1, 2), h)
        states.append(h)
    mask = tg.tensor([1.0, 1.0, 0.0, 0.0]).reshape(4, 1, 1).named("mask")
    walk = bptt.record((tg.stack(states) * mask).sum())
    for state in states[2:]:
        reason = one(walk, state)
        assert reason.kind == "zero factor"
        assert "mask" in reason.what


def test_what_is_not_there_for_a_gradient_says_so() -> None:
    w = vector(2.0).requires_grad_().named("w")
    unused = vector(1.0).requires_grad_().named("unused")
    h = (w * 3).named("h")
    cut = h.detach().named("cut")
    walk = bptt.record((cut * w + h.detach()).sum())
    assert one(walk, cut).kind == "detached"
    assert one(walk, unused).kind == "no path"
    assert one(walk, h).kind == "no path"
    assert one(walk, vector(1.0)).kind == "needs none"
    walk = bptt.record(w * 2, tg.zeros(1, dtype=tg.float64))
    assert one(walk, w).kind == "begins with 0"


def test_elements_that_nobody_reads_have_no_path() -> None:
    x = vector(1.0, 2.0).requires_grad_()
    walk = bptt.record(x[1:].sum())
    assert one(walk, x, 0).kind == "no path"


def test_a_function_that_sends_nothing() -> None:
    class Nothing(tg.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a * 1.0 + b

        @staticmethod
        def backward(ctx, g):
            return g * 0, g

    a, b = (vector(1.0).requires_grad_() for _ in range(2))
    walk = bptt.record(Nothing.apply(a, b).sum())
    assert one(walk, a).kind == "function"


def test_what_cannot_be_asked() -> None:
    w = vector(2.0).requires_grad_().named("w")
    walk = bptt.record((w * 0).sum())
    with pytest.raises(TypeError, match=r"^why_zero: expected a Record"):
        bptt.why_zero(w, w)
    with pytest.raises(TypeError, match=r"^why_zero: expected a Tensor"):
        bptt.why_zero(walk, 3)
    with pytest.raises(IndexError, match=r"^why_zero: w has no such elements: index 7 is out"):
        bptt.why_zero(walk, w, 7)
    with pytest.raises(IndexError, match=r"^why_zero: at=\[\] is no element of w$"):
        bptt.why_zero(walk, w, [])


def test_a_deep_graph_is_told_without_recursion_and_in_linear_time() -> None:
    x = vector(0.5).requires_grad_()
    y = x
    for _ in range(5000):
        y = y * 0.999 + 0.001
    walk = bptt.record((y * 0.0).sum())
    assert one(walk, x).kind == "zero factor"


def test_what_is_the_same_at_many_steps_is_said_once() -> None:
    tg.manual_seed(0)
    rnn = nn.RNN(2, 3, nonlinearity="relu")
    with tg.no_grad():
        rnn.bias_hh_l0.fill_(-50.0)
    output, _ = rnn(tg.randn(30, 2))
    reason = one(bptt.record(output.sum()), rnn.weight_ih_l0)
    assert reason.where == "rnn layer 0, t = 1–30"
    assert reason.steps == tuple(range(1, 31))
    assert len(reason.visits) == 30
    assert reason.what == "h, made by relu, is 0 there, and so is its slope"
