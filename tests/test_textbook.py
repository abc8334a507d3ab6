"""Figures of textbooks: Pascanu's regulariser and wall, against PyTorch and by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, viz


def rnn_states(W, steps: int) -> list[tg.Tensor]:
    """The states of h_t = tanh(h_{t-1} W + .1)."""
    states = [tg.tensor([0.5, -0.2, 0.1], dtype=tg.float64, requires_grad=True)]
    for _ in range(steps):
        states.append(tg.tanh(states[-1] @ W + 0.1))
    return states


def test_the_penalty_is_the_formula_of_the_paper(torch) -> None:
    """Σ (‖g_{k+1} diag(1 − h²) Wᵀ‖ / ‖g_{k+1}‖ − 1)², eq. 9, and its whole derivative."""
    weight = np.random.default_rng(0).standard_normal((3, 3))
    W = tg.tensor(weight, requires_grad=True)
    states = rnn_states(W, 4)
    omega = bptt.vanishing_penalty((states[-1] ** 2).sum(), states)
    omega.backward()

    V = torch.tensor(weight, requires_grad=True)
    hs = [torch.tensor([0.5, -0.2, 0.1]).double()]
    hs[0] = torch.tensor(states[0].detach().numpy())
    for _ in range(4):
        hs.append(torch.tanh(hs[-1] @ V + 0.1))
    g, want = 2 * hs[-1], 0
    for h in hs[:0:-1]:
        sent = (g * (1 - h**2)) @ V.T
        want, g = want + (sent.norm() / g.norm() - 1) ** 2, sent
    want.backward()
    assert omega.item() == pytest.approx(want.item(), rel=1e-12)
    np.testing.assert_allclose(W.grad.numpy(), V.grad.numpy(), atol=1e-12)


def test_the_penalty_of_an_lstm_is_that_of_its_jacobians(torch) -> None:
    """h is computed of c: what goes that way counts once. Some error comes in mid-sequence."""
    tg.manual_seed(0)
    cell = tg.nn.LSTMCell(2, 3, dtype=tg.float64)
    x = tg.randn(4, 5, 2, dtype=tg.float64)
    states = [tuple(tg.zeros(5, 3, dtype=tg.float64, requires_grad=True) for _ in "hc")]
    for x_t in x:
        states.append(cell(x_t, states[-1]))
    omega = bptt.vanishing_penalty((states[-1][0] ** 2).sum() + (states[2][0] ** 3).sum(), states)
    omega.backward()

    net = torch.nn.LSTMCell(2, 3).double()
    net.load_state_dict({k: torch.tensor(v.detach().numpy()) for k, v in cell.state_dict().items()})
    want = 0
    for xs in torch.tensor(x.numpy()).swapaxes(0, 1):
        whole = [torch.zeros(6).double().requires_grad_()]
        for x_t in xs:
            z = whole[-1][None]
            whole.append(torch.cat(net(x_t[None], (z[:, :3], z[:, 3:])), 1)[0])
        loss = (whole[-1][:3] ** 2).sum() + (whole[2][:3] ** 3).sum()
        for before, after in pairwise(whole):
            (g,) = torch.autograd.grad(loss, after, create_graph=True)
            (sent,) = torch.autograd.grad(after, before, g, create_graph=True)
            want = want + (sent.norm() / g.norm() - 1) ** 2 / 5
    want.backward()
    assert omega.item() == pytest.approx(want.item(), rel=1e-12)
    for name, parameter in net.named_parameters():
        got = getattr(cell, name).grad.numpy()
        np.testing.assert_allclose(got, parameter.grad.numpy(), atol=1e-12)


def test_an_orthogonal_linear_net_has_no_penalty() -> None:
    W = tg.tensor([[0.6, 0.8], [-0.8, 0.6]], dtype=tg.float64, requires_grad=True)
    states = [tg.tensor([1.0, 2.0], dtype=tg.float64, requires_grad=True)]
    for _ in range(6):
        states.append(states[-1] @ W)
    assert bptt.vanishing_penalty(states[-1].sum(), states).item() == pytest.approx(0, abs=1e-24)


def test_what_the_penalty_cannot_be_taken_of() -> None:
    W = tg.eye(3, dtype=tg.float64, requires_grad=True)
    states = rnn_states(W, 2)
    loss = states[1].sum()
    with pytest.raises(ValueError, match="two states or more"):
        bptt.vanishing_penalty(loss, states[:1])
    with pytest.raises(ValueError, match="the loss does not depend on state 2"):
        bptt.vanishing_penalty(loss, states)
    with pytest.raises(ValueError, match="state 1 does not depend on state 0"):
        bptt.vanishing_penalty(states[2].sum(), [states[2], states[1]])


# -- the wall of Pascanu, Mikolov and Bengio (2013, fig. 6) ---------------------------------------


@pytest.fixture
def unit():
    """One unit, x_t = w σ(x_{t-1}) + b for fifty steps, whose σ(x) is to be .7."""
    w, b = (tg.tensor(x, dtype=tg.float64, requires_grad=True) for x in (5.0, -2.0))

    def loss_of():
        x = tg.tensor(0.5, dtype=tg.float64)
        for _ in range(50):
            x = w * tg.sigmoid(x) + b
        return (tg.sigmoid(x) - 0.7) ** 2

    return w.named("w"), b.named("b"), loss_of


def test_the_error_surface_has_its_wall(unit) -> None:
    w, b, loss_of = unit
    w.grad = tg.tensor(3.0, dtype=tg.float64)
    surface = bptt.error_surface(loss_of, w, b, (4.0, 7.0), (-3.0, -1.5), points=31)
    assert (w.item(), b.item(), w.grad.item(), b.grad) == (5.0, -2.0, 3.0, None)
    assert np.asarray(surface).shape == surface.curvature.shape == (31, 31)

    def error(p: float, q: float) -> float:
        x = 0.5
        for _ in range(50):
            x = p / (1 + np.exp(-x)) + q
        return (1 / (1 + np.exp(-x)) - 0.7) ** 2

    want = [[error(p, q) for q in surface.q] for p in surface.p]
    np.testing.assert_allclose(surface.loss, want, atol=1e-12)
    p, q = surface.wall
    slope = [error(p + e, q + f) - error(p - e, q - f) for e, f in ((1e-7, 0), (0, 1e-7))]
    assert surface.steepness.max() == pytest.approx(np.hypot(*slope) / 2e-7, rel=1e-3)
    assert surface.steepness.max() > 50 * np.median(surface.steepness)
    chart = viz.error_surface(surface)
    assert chart.svg.count('class="cell"') == 2 * 31 * 31
    assert chart.svg.count('class="steepest"') == 2


def test_parameters_are_restored_whatever_happens(unit) -> None:
    w, b, _ = unit

    def fails():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bptt.error_surface(fails, w, b, (0, 1), (0, 1))
    assert (w.item(), b.item()) == (5.0, -2.0)


def test_two_elements_of_one_weight() -> None:
    W = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True).named("W")
    surface = bptt.error_surface(
        lambda: W[0, 1] * W[1, 0], (W, (0, 1)), (W, (1, 0)), (0, 2), (0, 3), points=(3, 4)
    )
    np.testing.assert_allclose(surface.loss, np.outer([0, 1, 2], [0, 1, 2, 3]))
    np.testing.assert_allclose(surface.gradient[2, 3], [3, 2])
    assert surface.names == ("W[0, 1]", "W[1, 0]")
    assert W.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    with pytest.raises(ValueError, match=r"p must be one number of a tensor of shape \(2, 2\)"):
        bptt.error_surface(W.sum, W, (W, (0, 1)), (0, 1), (0, 1))
    with pytest.raises(TypeError, match="q must be a leaf that requires grad"):
        bptt.error_surface(W.sum, (W, (0, 1)), 3.0, (0, 1), (0, 1))
    with pytest.raises(ValueError, match="2 points or more"):
        bptt.error_surface(W.sum, (W, (0, 1)), (W, (1, 0)), (0, 1), (0, 1), points=1)
    for ends in (1.0, (0, "a"), (0, 1, 2), None):
        with pytest.raises(ValueError, match="q_range must be two numbers, not"):
            bptt.error_surface(W.sum, (W, (0, 1)), (W, (1, 0)), (0, 1), ends)
    with pytest.raises(ValueError, match="must return a scalar"):
        bptt.error_surface(lambda: W * 1, (W, (0, 1)), (W, (1, 0)), (0, 1), (0, 1))


# -- the picture of the matrix --------------------------------------------------------------------


def test_the_map_of_contributions_has_every_number() -> None:
    net = tg.nn.RNN(1, 2)
    walk = bptt.record((net(tg.ones(5, 1))[0] ** 2).sum())
    shares = bptt.contributions(walk, net.weight_hh_l0, by=("loss", "step"))
    chart = viz.contribution_map(shares)
    assert chart.svg.count('class="cell"') == 15 + 5  # a triangle, and the sums
    for share in shares.values():
        assert f"{np.linalg.norm(share):.3f}"[:5] in chart.svg or np.linalg.norm(share) < 5e-4
    assert "loss term 4, time step of use 2:" in chart.svg
    with pytest.raises(TypeError, match="contributions by two aspects"):
        viz.contribution_map(bptt.contributions(walk, net.weight_hh_l0))
