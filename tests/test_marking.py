"""Wrong gradients that somebody else computed: mistakes are planted, and must be recognised."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import bptt
from tinygrad_rnn.testing import assert_same_gradients


def by_hand(W, U, xs, every, *, mistake=""):
    """A student's backpropagation through time, for h = tanh(h W + x U) and the sum of states."""
    T, batch = len(xs), xs.shape[1]
    hs = [np.zeros((batch, len(W)))]
    for x in xs:
        hs.append(np.tanh(hs[-1] @ W + x @ U))
    dW, dU = np.zeros_like(W), np.zeros_like(U)
    dh = np.ones_like(hs[0])
    for t in reversed(range(T)):
        if every and t < T - 1:
            dh = dh + 1
        da = dh * (1 - hs[t + 1] ** 2)
        if mistake == "overwrites":
            dW, dU = hs[t].T @ da, xs[t].T @ da
        elif not (mistake == "misses the last" and t == T - 1):
            dW, dU = dW + hs[t].T @ da, dU + xs[t].T @ da
        dh = np.zeros_like(dh) if mistake == "cuts" else da @ W.T
    signs = {"sign": -1.0, "mean": 1.0 / batch}
    return dW * signs.get(mistake, 1.0), dU * signs.get(mistake, 1.0)


def planted(seed, mistake):
    rng = np.random.default_rng(seed)
    T, batch, hidden, inputs = (
        int(rng.integers(*span)) for span in ((3, 7), (2, 4), (2, 5), (1, 4))
    )
    W, U = rng.normal(size=(hidden, hidden)), rng.normal(size=(inputs, hidden))
    xs = rng.normal(size=(T, batch, inputs))
    leaves = [tg.tensor(a, requires_grad=True).named(name) for a, name in ((W, "W"), (U, "U"))]
    h, loss = tg.zeros(batch, hidden, dtype=tg.float64), 0.0
    for x in tg.tensor(xs):
        h = tg.tanh(h @ leaves[0] + x @ leaves[1])
        loss = loss + h.sum()
    return loss, leaves, by_hand(W, U, xs, True, mistake=mistake)


def said_of(loss, *pairs):
    with pytest.raises(AssertionError) as caught:
        assert_same_gradients(loss, *pairs)
    return str(caught.value)


@pytest.mark.parametrize("seed", range(4))
def test_right_gradients_pass(seed):
    loss, leaves, given = planted(seed, "")
    assert_same_gradients(loss, *zip(leaves, given))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("mistake", "guess"),
    [
        ("overwrites", "it is the share of step 1 alone"),
        ("misses the last", "the share of step {T} is missing"),
        ("cuts", "gradients of the state have come back through time not at all"),
        ("sign", "its sign is wrong"),
        ("mean", "times what is right"),
    ],
)
def test_a_mistake_is_recognised(mistake, guess, seed):
    loss, (W, U), (dW, dU) = planted(seed, mistake)
    T = len(bptt.contributions(bptt.record(loss, retain_graph=True), U))
    lines = said_of(loss, (W, dW), (U, dU)).splitlines()
    assert [line.split(" is ")[0].split("[")[0] for line in lines] == [
        "gradient of W",
        "gradient of U",
    ]
    assert guess.format(T=T) in lines[1]
    if (
        mistake != "overwrites"
    ):  # h₀ is 0: the first step gives W nothing, which is anybody's nothing
        assert guess.format(T=T) in lines[0]


@pytest.mark.parametrize("seed", range(3))
def test_shapes(seed):
    loss, (W, U), (dW, dU) = planted(seed, "")
    assert "it is transposed" in said_of(loss, (W, dW.T))
    assert "summed over the batch" in said_of(loss, (W, np.stack([dW * 0.25, dW * 0.75])))
    assert "has shape (3,), not" in said_of(loss, (U, np.ones(3)))
    assert said_of(loss, (W, dW + np.eye(len(dW)) * 0.1), (U, dU)).startswith("gradient of W[")


def test_a_freed_record_will_do():
    loss, (W, _), (dW, _) = planted(0, "overwrites")
    assert "gradient of W" in said_of(bptt.record(loss), (W, dW + 1))


@pytest.mark.parametrize(
    ("pairs", "error", "said"),
    [
        ([], ValueError, "give pairs"),
        ([1.0], TypeError, "expected pairs"),
        ([("w", 1.0)], TypeError, "expected pairs"),
    ],
)
def test_what_is_no_pair(pairs, error, said):
    loss, _, _ = planted(0, "")
    with pytest.raises(error, match=said):
        assert_same_gradients(loss, *pairs)


def test_what_is_no_gradient():
    loss, (W, _), _ = planted(0, "")
    with pytest.raises(TypeError, match="an array of numbers, got str"):
        assert_same_gradients(loss, (W, "gradient"))
    with pytest.raises(ValueError, match="no part"):
        assert_same_gradients(loss, (tg.ones(2, requires_grad=True), np.ones(2)))
