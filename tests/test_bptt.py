"""The recorded walk, and the numbers that the seed documents promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tinygrad_rnn import bptt
from tinygrad_rnn.cli import demo

GRADIENTS = {
    "W": [[0.1401, 0.2354], [0.1205, 0.2025], [1.3142, 2.6488]],
    "b": [1.0534, 2.2106],
    "w": [[1.3968], [1.3458]],
    "b_out": [2.0],
    "h₀": [0.4337, 0.9467],
    "x₁": [1.4596],
    "x₂": [0.3934],
}


@pytest.fixture
def seed():
    """The document's network: tensors by name, labelled results, the loss."""
    return demo.forward()


def test_forward_of_the_document(seed) -> None:
    _, seen, loss = seed
    states = [h.detach().numpy() for h in seen["h"]]
    np.testing.assert_allclose(states[0], [0.53704957, 0.46211716], atol=5e-9)
    np.testing.assert_allclose(states[1], [0.85973818, 0.88366641], atol=5e-9)
    assert [y.item() for y in seen["y"]] == pytest.approx([1.56128388, 2.72707101], abs=5e-9)
    assert loss.item() == pytest.approx(4.28835489, abs=5e-9)


def test_gradients_the_document_promises(seed) -> None:
    tensors, seen, loss = seed
    record = bptt.record(loss)
    for name, expected in GRADIENTS.items():
        np.testing.assert_allclose(tensors[name].grad.numpy(), expected, atol=5e-5)
    np.testing.assert_allclose(record.gradient(seen["h"][0]), [1.1137, 2.2536], atol=5e-5)
    np.testing.assert_allclose(record.gradient(seen["h"][1]), [1, 2], atol=1e-12)


def test_gradients_by_time_step(seed) -> None:
    tensors, _, loss = seed
    record = bptt.record(loss)
    shares = bptt.contributions(record, tensors["W"])
    np.testing.assert_allclose(shares[1][2], [0.7925, 1.7723], atol=5e-5)
    np.testing.assert_allclose(shares[2][2], [0.5217, 0.8765], atol=5e-5)
    assert not shares[1][:2].any()  # h₀ is zero: W_hh learns from t = 2 alone
    for name in ("W", "b", "w", "b_out"):
        total = sum(bptt.contributions(record, tensors[name]).values())
        np.testing.assert_allclose(total, tensors[name].grad.numpy(), rtol=1e-14)


def test_the_walk_of_the_document(seed) -> None:
    _, _, loss = seed
    record = bptt.record(loss)
    assert [visit.number for visit in record.visits] == list(range(1, 14))
    assert [visit.step for visit in record.visits] == [None, *[2] * 6, *[1] * 6]
    names = [visit.node.notes.name for visit in record.visits]
    assert names == ["L", "y", "p", "h", "a", "m", "hx", "y", "p", "h", "a", "m", "hx"]


def test_stacked_relu_rnn_of_the_other_document() -> None:
    """Layer 1 of document 000 alone: its inputs are zero, since layer 0 is dead."""
    layer = tg.nn.RNN(1, 1, nonlinearity="relu")
    layer.load_state_dict(
        {
            "weight_ih_l0": np.array([[-0.3852]]),
            "weight_hh_l0": np.array([[0.268157]]),
            "bias_ih_l0": np.array([-0.0198]),
            "bias_hh_l0": np.array([0.792876]),
        }
    )
    output, h_n = layer(tg.zeros(3, 1, 1))
    np.testing.assert_allclose(
        output.detach().numpy().ravel(), [0.773076, 0.980382, 1.035973], atol=1e-4
    )
    h_n.sum().backward()
    assert layer.weight_hh_l0.grad.item() == pytest.approx(1.1876886, abs=1e-4)
    assert layer.bias_hh_l0.grad.item() == pytest.approx(1.3400657, abs=1e-5)


def test_record_is_backward_with_the_same_effects_and_errors() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    loss = (x * x).sum()
    bptt.record(loss, retain_graph=True)
    bptt.record(loss)
    assert x.grad.tolist() == [4.0, 8.0]
    with pytest.raises(RuntimeError, match="second time"):
        bptt.record(loss)
    with pytest.raises(RuntimeError, match="does not require grad"):
        bptt.record(tg.ones(1))
    with pytest.raises(RuntimeError, match="scalar outputs"):
        bptt.record(x * 2)
    leaf = tg.tensor(1.0, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf"):
        bptt.record(leaf)
    assert leaf.grad is None


def test_record_shows_every_contribution_in_its_parents_shape() -> None:
    x = tg.tensor(np.arange(6.0).reshape(3, 2), requires_grad=True)
    b = tg.tensor([1.0, 1.0], dtype=tg.float64, requires_grad=True)
    loss = (x[0] * x[2] + b).sum() + (x + b).sum()
    record = bptt.record(loss)
    arrived: dict = {}
    for visit in record.visits:
        assert visit.cotangent.shape == visit.node.shape
        for parent, c in zip(visit.node.parents, visit.contributions, strict=True):
            assert c.shape == parent.shape
            arrived[parent] = arrived.get(parent, 0) + c
    for tensor in (x, b):
        np.testing.assert_allclose(arrived[tensor.node], tensor.grad.numpy())
        np.testing.assert_allclose(record.gradient(tensor), tensor.grad.numpy())


def test_a_record_does_not_change_with_the_gradients() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    record = bptt.record((x * 3).sum())
    x.grad.zero_()
    assert record.gradient(x).tolist() == [3.0, 3.0]


def test_golden_powers() -> None:
    """x_k = w·x_{k−1}, x₀ = 0.9, w = 0.2: dx_k/dw = 0.9, 0.36, 0.108."""
    for k, expected in ((1, 0.9), (2, 0.36), (3, 0.108)):
        w = tg.tensor(0.2, dtype=tg.float64, requires_grad=True)
        x = tg.tensor(0.9, dtype=tg.float64)
        for t in range(1, k + 1):
            with tg.step(t):
                x = w * x
        shares = bptt.contributions(bptt.record(x), w)
        assert w.grad.item() == pytest.approx(expected)
        assert [float(s) for s in shares.values()] == pytest.approx([expected / k] * k)


@given(
    steps=st.integers(1, 6),
    batch=st.integers(0, 3),
    hidden=st.integers(1, 4),
    inputs=st.integers(1, 3),
    nonlinearity=st.sampled_from(["tanh", "relu"]),
    bias=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_contributions_add_up(steps, batch, hidden, inputs, nonlinearity, bias, seed) -> None:
    tg.manual_seed(seed)
    layer = tg.nn.RNN(inputs, hidden, nonlinearity=nonlinearity, bias=bias)
    shape = (steps, batch, inputs) if batch else (steps, inputs)
    output, h_n = layer(tg.rand(*shape))
    record = bptt.record((output * output).sum() + h_n.sum())
    for parameter in layer.parameters():
        shares = bptt.contributions(record, parameter)
        assert set(shares) <= set(range(1, steps + 1)) | {None}
        np.testing.assert_allclose(
            sum(shares.values()), parameter.grad.numpy(), rtol=1e-5, atol=1e-6
        )


def test_a_record_keeps_the_values_of_its_walk() -> None:
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    record = bptt.record((w * w).sum())
    with tg.no_grad():
        w -= w.grad
    assert record.value(w).tolist() == [1.0, 2.0]


def test_what_a_record_shows_cannot_be_written_to() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    visit = bptt.record(((x + 0) * 2).sum()).visits[1]
    for array in (visit.cotangent, visit.contributions[0]):
        with pytest.raises(ValueError, match="read-only"):
            array += 1


def test_contributions_ask_for_a_record_and_a_tensor_of_it() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    loss = (x * 2).sum()
    with pytest.raises(TypeError, match=r"bptt.record\(loss\) first"):
        bptt.contributions(loss, x)
    with pytest.raises(ValueError, match="no part of the recorded graph"):
        bptt.contributions(bptt.record(loss), tg.ones(2))
    for odd in (None, 3.0):
        with pytest.raises(TypeError, match="expected a Tensor"):
            bptt.record(odd)


def test_what_is_imported_late_can_be_completed_at_a_prompt() -> None:
    assert set(bptt.__all__) <= set(dir(bptt))


def test_results_show_themselves_at_prompts() -> None:
    w, h = tg.tensor(0.5, requires_grad=True), tg.tensor(1.0)
    for t in (1, 2):
        with tg.step(t):
            h = w * h
    walk = bptt.record(h)
    for result in (
        bptt.contributions(walk, w),
        bptt.flow(walk),
        bptt.jacobians(walk),
        bptt.truncate(walk, 1),
        bptt.compare_truncation(walk, [1]),
        bptt.explain(walk, w),
        bptt.diagnose(walk),
    ):
        assert repr(result) == str(result)
