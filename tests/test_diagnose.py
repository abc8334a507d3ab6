"""Each illness is planted, found and located; its healthy twin is not reported."""

from __future__ import annotations

import numpy as np
import pytest
from healthy import ODD, task
from planted import FAULTS

import tinygrad_rnn as tg
from tinygrad_rnn import bptt
from tinygrad_rnn.bptt.illnesses.rates import rates
from tinygrad_rnn.cli import demo
from tinygrad_rnn.reading.layers import moments

F = tg.nn.functional


def found(loss, module=None, kind=None) -> list[bptt.Finding]:
    """The findings of one kind, or all."""
    diagnosis = bptt.diagnose(bptt.record(loss), module)
    return [finding for finding in diagnosis if kind in (None, finding.kind)]


def layer(kind, *sizes, seed=0, **options):
    """A default layer, and outputs for ten steps of four sequences."""
    tg.manual_seed(seed)
    net = getattr(tg.nn, kind)(*sizes, **options)
    return net, tg.randn(10, 4, sizes[0])


def energy(output):
    return (output * output).sum()


# -- the healthy ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("options", [{}, {"num_layers": 2}, {"bidirectional": True}], ids=str)
@pytest.mark.parametrize("hidden", [8, 32])
@pytest.mark.parametrize("loss", ["last", "all"])
def test_fresh_layers_are_healthy(kind, options, hidden, loss) -> None:
    for seed in range(3):
        net, x = layer(kind, 3, hidden, seed=seed, **options)
        _, state = net(x)
        h = state[0] if kind == "LSTM" else state
        output = h if loss == "last" else net(x)[0]
        diagnosis = bptt.diagnose(bptt.record(energy(output)), net)
        assert not diagnosis, str(diagnosis)
        assert "nothing found" in str(diagnosis)


@pytest.mark.parametrize("options", [{}, {"num_layers": 2}], ids=str)
def test_fresh_relu_layers_are_healthy(options) -> None:
    for seed in range(3):
        net, x = layer("RNN", 3, 32, seed=seed, nonlinearity="relu", **options)
        assert not found(energy(net(x)[0]), net)


def test_healthy_all_the_same() -> None:
    assert not found(demo.forward()[2])
    lengths = tg.tensor([5, 3, 1])
    net = tg.nn.LSTM(3, 8, bidirectional=True)
    packed = tg.nn.utils.rnn.pack_padded_sequence(tg.randn(5, 3, 3), lengths)
    assert not found(energy(net(packed)[0].data), net)
    tagger = tg.nn.Sequential(tg.nn.Linear(4, 32), tg.nn.ReLU(), tg.nn.Linear(32, 2))
    assert not found(energy(tagger(tg.randn(16, 4))), tagger)


# -- the document whose gradients are all zero ----------------------------------------------------


@pytest.fixture
def stacked():
    """Seed 000: three ReLU layers of one unit, outputs and last states."""
    tg.manual_seed(0)
    rnn = tg.nn.RNN(1, 1, num_layers=3, nonlinearity="relu")
    data = tg.tensor([[1.0], [2.0], [3.0]]).reshape(3, 1, 1)
    return rnn, *rnn(data, tg.zeros(3, 1, 1))


def test_why_all_gradients_of_the_document_are_zero(stacked) -> None:
    rnn, output, _ = stacked
    loss = F.mse_loss(output.view(-1), tg.tensor([2.0, 3.0, 4.0]))
    findings = found(loss, rnn)
    (zero,) = [finding for finding in findings if finding.kind == "zero gradient"]
    assert zero.severity == "error"
    assert set(zero.parameters) == {name for name, _ in rnn.named_parameters()}
    assert all(not p.grad.any() for p in rnn.parameters())
    assert zero.what == (
        "all 12 gradients are exactly 0: the relu (called h) of rnn layer 2 passes nothing at "
        "t = 1–3: its outputs are 0 there, and so is its slope"
    )
    assert zero.steps == (1, 2, 3)
    assert zero.visit == 6  # of the first ReLU that the walk meets
    dead = [finding for finding in findings if finding.kind == "dead ReLU"]
    assert [(d.where, d.share) for d in dead] == [
        ("rnn layer 0, t = 1–3", 1.0),
        ("rnn layer 2, t = 1–3", 1.0),
    ]


def test_the_documents_other_loss_reaches_the_layer_that_lives(stacked) -> None:
    rnn, _, hn = stacked
    zeros = found(hn.sum(), rnn, "zero gradient")
    concerned = {name for finding in zeros for name in finding.parameters}
    assert concerned == {name for name, p in rnn.named_parameters() if not p.grad.any()}
    assert "weight_hh_l1" not in concerned
    (fed,) = [finding for finding in zeros if finding.parameters == ("weight_ih_l1",)]
    assert "the linear of rnn layer 1 passes nothing at t = 1–3" in fed.what  # layer 0 is dead


# -- dead ReLUs -----------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.5, 0.75])
def test_dead_units_of_one_layer(share) -> None:
    net, x = layer("RNN", 3, 16, num_layers=2, nonlinearity="relu")
    dead = int(share * 16)
    with tg.no_grad():
        net.bias_ih_l1[:] = 1.0
        net.bias_ih_l1[:dead] = -50.0
    (finding,) = found(energy(net(x)[0]), net, "dead ReLU")
    assert (finding.severity, finding.where) == ("warning", "rnn layer 1, t = 1–10")
    assert finding.share == share
    assert f"{dead} of 16 units of h" in finding.what


def test_steps_that_are_dark() -> None:
    net, x = layer("RNN", 3, 16, nonlinearity="relu")
    x = x.detach().numpy().copy()
    x[3:5] = 0
    x[3:5, :, 0] = 1000
    with tg.no_grad():
        net.bias_ih_l0[:] = 1.0
        net.weight_ih_l0[:, 0] = -1.0
    (finding,) = found(energy(net(tg.tensor(x))[0]), net, "dead ReLU")
    assert finding.steps == (4, 5)


def test_a_dead_layer_outside_of_time() -> None:
    net = tg.nn.Sequential(tg.nn.Linear(4, 8), tg.nn.ReLU(), tg.nn.Linear(8, 1))
    with tg.no_grad():
        net[0].bias[:] = -100.0
    findings = found(net(tg.randn(16, 4)).sum(), net)
    (dead,) = [finding for finding in findings if finding.kind == "dead ReLU"]
    assert (dead.severity, dead.share, dead.steps) == ("error", 1.0, ())
    zeros = [finding for finding in findings if finding.kind == "zero gradient"]
    assert {name for z in zeros for name in z.parameters} == {"0.weight", "0.bias", "2.weight"}


# -- saturated gates ------------------------------------------------------------------------------


@pytest.mark.parametrize(("gate", "position"), [("i", 0), ("f", 1), ("g", 2), ("o", 3)])
@pytest.mark.parametrize("sign", [-1, 1])
def test_each_gate_of_an_lstm(gate, position, sign) -> None:
    net, x = layer("LSTM", 3, 8, 2)
    with tg.no_grad():
        net.bias_ih_l1[8 * position : 8 * position + 8] = 15.0 * sign
    gates = found(energy(net(x)[0]), net, "saturated gate")
    (finding,) = [finding for finding in gates if f" of {gate} " in finding.what]
    assert finding.where == "lstm layer 1, t = 1–10"
    assert finding.share == 1.0
    end = "1" if sign > 0 else "-1" if gate == "g" else "0"
    assert f"100% near {end}" in finding.what
    others = {f.what.split(" of ")[2].split()[0] for f in gates} - {gate}
    assert others <= {"tanh(c)", "h"}  # what the cell makes of it


def test_saturation_only_where_it_is() -> None:
    net, x = layer("GRU", 3, 8)
    x = x.detach().numpy().copy()
    x[6:8] = 500
    steps = {f.steps for f in found(energy(net(tg.tensor(x))[0]), net, "saturated gate")}
    assert steps == {(7, 8)}


# -- rates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [0.2, 0.7, 1.0, 1.5])
@pytest.mark.parametrize("everywhere", [False, True])
def test_the_rate_of_a_linear_recurrence_is_its_weight(factor, everywhere) -> None:
    w = tg.tensor(factor, dtype=tg.float64, requires_grad=True).named("w")
    h, loss = tg.tensor(0.9, dtype=tg.float64), 0
    for t in range(1, 21):
        with tg.step(t):
            h = (w * h).named("h")
        loss = loss + h if everywhere else h
    walk = bptt.record(loss)
    (rate,) = rates(walk).values()
    assert rate.rate == pytest.approx(factor)
    assert rate.total == pytest.approx(factor**18)
    assert rate.steps == tuple(range(19, 0, -1))
    kinds = {finding.kind for finding in bptt.diagnose(walk)}
    expected = {0.2: {"vanishing gradient"}, 1.5: {"exploding gradient"}}
    assert kinds == expected.get(factor, set())


@pytest.mark.parametrize("kind", ["RNN", "GRU"])
def test_rates_follow_the_norms_of_a_loss_at_the_end(kind) -> None:
    net, x = layer(kind, 3, 8)
    walk = bptt.record(energy(net(x)[0][-1]))
    norms = [
        np.linalg.norm(walk.gradient(p))
        for p in walk.places
        if p.notes and p.notes.name == "h" and not p.is_leaf
    ]
    (rate,) = rates(walk).values()
    slope = np.polyfit(range(9), np.log(norms[:9]), 1)[0]
    assert rate.rate == pytest.approx(np.exp(-slope), rel=1e-4)
    assert rate.total == pytest.approx(norms[0] / norms[8], rel=1e-4)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_losses_at_every_step_do_not_hide_the_rate(kind) -> None:
    tg.manual_seed(2)
    net, xs = getattr(tg.nn, kind)(3, 16), tg.randn(40, 2, 3)
    last = rates(bptt.record(energy(net(xs)[0][-1])))
    every = rates(bptt.record(energy(net(xs)[0])))
    assert last.keys() == every.keys() == {f"{kind.lower()} layer 0"}
    for name in last:
        assert every[name].rate == pytest.approx(last[name].rate, rel=0.05)


def test_layers_and_directions_have_their_own_rates() -> None:
    net, x = layer("RNN", 3, 16, num_layers=2, bidirectional=True)
    x = tg.cat([x, x, x])
    with tg.no_grad():
        net.weight_hh_l1_reverse *= 12.0
        net.weight_hh_l0 *= 0.1
    net_rates = rates(bptt.record(energy(net(x * 0.01)[0])))
    assert list(net_rates) == [
        "rnn layer 1 reverse", "rnn layer 1", "rnn layer 0 reverse", "rnn layer 0",
    ]  # fmt: skip
    assert net_rates["rnn layer 1 reverse"].rate > 1 > net_rates["rnn layer 1"].rate
    assert net_rates["rnn layer 0"].rate < 0.2
    assert net_rates["rnn layer 1 reverse"].steps == tuple(range(2, 31))
    wheres = {f.kind: f.where for f in found(energy(net(x * 0.01)[0]), net)}
    assert wheres["vanishing gradient"] == "rnn layer 0, t = 1–29"
    assert wheres["exploding gradient"] == "rnn layer 1 reverse, t = 2–30"


def test_cells_in_a_loop_have_rates() -> None:
    tg.manual_seed(0)
    cell, h = tg.nn.LSTMCell(3, 8), None
    for t in range(1, 61):
        with tg.step(t):
            h = cell(tg.randn(2, 3), h)
    (finding,) = found(energy(h[0]), cell, "vanishing gradient")
    assert 0.4 < finding.rate < 0.8


# -- NaN and infinity -----------------------------------------------------------------------------


def chain(first, then):
    """The loss of two steps, of which the second is where it may go wrong."""
    x = tg.tensor([0.0, 1.0], requires_grad=True).named("x")
    with tg.step(1):
        y = first(x).named("y")
    with tg.step(2):
        return then(y).named("z").sum()


ORIGINS = {
    "log of zero": (lambda x: x * 1, tg.log, 2, "z = log(y₁)|z₂ = log(y₁)"),
    "overflow": (lambda x: x * 1000, tg.exp, 2, "z₂ = exp(y₁)"),
    "division": (lambda x: x * 0, lambda y: 1 / y, 2, "z₂ = "),
    "earlier": (lambda x: tg.log(x - 1), lambda y: y * 0, 1, "y₁ = log("),
    "root": (lambda x: tg.sqrt(x - 2), lambda y: y * 2, 1, "y₁ = √"),
}


@pytest.mark.parametrize("name", list(ORIGINS))
def test_the_first_operation_that_is_not_finite(name) -> None:
    first, then, step, made = ORIGINS[name]
    (finding,) = found(chain(first, then), kind="not finite")
    assert (finding.severity, finding.steps) == ("error", (step,))
    assert any(finding.what.startswith(start) for start in made.split("|"))
    assert "although" in finding.what


def test_a_finite_twin() -> None:
    assert not found(chain(lambda x: x + 1, tg.log))
    assert not found(chain(lambda x: x * 10, tg.exp))


def test_nan_that_is_made_of_infinities() -> None:
    x = tg.tensor([1000.0], requires_grad=True).named("x")
    y = tg.exp(x).named("y")
    (finding,) = found((y / y).named("q").sum(), kind="not finite")
    assert finding.what.startswith("y = exp(x) contains infinity, although x is 1000.000")
    assert "it becomes NaN in q = y / y" in finding.what


def test_nan_in_the_data() -> None:
    x = tg.tensor([float("nan"), 1.0]).named("x", "input")
    w = tg.tensor([1.0, 1.0], requires_grad=True)
    (finding,) = found((x * w).sum(), kind="not finite")
    assert finding.what == "x contains NaN"


def test_a_rule_that_is_not_finite() -> None:
    x = tg.tensor([0.0, 4.0], requires_grad=True).named("x")
    with tg.step(3):
        y = tg.sqrt(x).named("y")
    walk = bptt.record((y * 2).sum())
    (finding,) = [f for f in bptt.diagnose(walk) if f.kind == "not finite"]
    assert finding.steps == (3,)
    assert walk.visits[finding.visit - 1].node is y.node
    assert "y₃ = √x₁" in finding.what or "y₃ = √x" in finding.what
    assert not found(tg.sqrt(tg.tensor([0.1, 4.0], requires_grad=True)).sum())


def test_a_hook_that_is_not_finite() -> None:
    x = tg.tensor([1.0], requires_grad=True).named("x")
    y = (x * 2).named("y")
    y.register_hook(lambda g: g * float("nan"))
    (finding,) = found((y * 3).sum(), kind="not finite")
    assert "before any rule" in finding.what


def test_masks_are_no_illness_unless_all_is_masked() -> None:
    scores = tg.tensor([[1.0, 2.0], [0.5, 2.0]], requires_grad=True).named("s")

    def loss(mask):
        masked = scores.masked_fill(tg.tensor(mask), -float("inf"))
        return (tg.softmax(masked, 1)[:, 1] * scores[:, 0]).sum() + scores.sum()

    assert not found(loss([[True, False], [False, False]]))
    (finding,) = found(loss([[True, True], [False, False]]), kind="not finite")
    assert "softmax" in finding.what.split(" contains NaN")[0]
    assert finding.what.endswith("partly infinity")


# -- paths ----------------------------------------------------------------------------------------


def test_unused_parameters_of_a_module_or_a_list() -> None:
    net = tg.nn.Sequential(tg.nn.Linear(2, 3), tg.nn.Linear(3, 1))
    x = tg.randn(4, 2)
    (finding,) = found(net[0](x).sum(), net, "unused parameter")
    assert finding.parameters == ("1.weight", "1.bias")
    (finding,) = found(net[0](x).sum(), list(net.parameters()), "unused parameter")
    assert len(finding.parameters) == 2
    net[1].requires_grad_(False)
    assert not found(net[0](x).sum(), net, "unused parameter")
    net[1].requires_grad_(True)
    assert not found(net(x).sum(), net, "unused parameter")


def test_parameters_may_have_moved_on_since() -> None:
    net = tg.nn.Linear(2, 3)
    walk = bptt.record(energy(net(tg.randn(4, 2))))
    tg.optim.SGD(net.parameters(), lr=0.1).step()
    assert not bptt.diagnose(walk, net)


def loop(cut=(), how=lambda h: h.detach(), steps=6, hidden=4):
    """A loop whose state is cut off from its past at some steps."""
    tg.manual_seed(0)
    cell = tg.nn.RNNCell(3, hidden)
    h, loss = tg.zeros(2, hidden), 0
    for t in range(1, steps + 1):
        with tg.step(t):
            h = cell(tg.randn(2, 3), how(h) if t in cut else h)
            loss = loss + energy(h)
    return loss


@pytest.mark.parametrize("hidden", [4, 40])
@pytest.mark.parametrize("cut", [(4,), (2, 5), (6,)])
@pytest.mark.parametrize(
    "how", [lambda h: h.detach(), lambda h: h.data, lambda h: tg.tensor(h.detach().numpy())]
)
def test_states_that_are_cut_off(cut, how, hidden) -> None:
    (finding,) = found(loop(cut, how, hidden=hidden), kind="detached state")
    assert finding.steps == cut


@pytest.mark.parametrize("hidden", [4, 40])
def test_states_that_are_detached_at_every_step(hidden) -> None:
    every = range(1, 7)
    (finding,) = found(loop(every, hidden=hidden), kind="detached state")
    assert finding.steps == (2, 3, 4, 5, 6)


def test_states_with_their_past() -> None:
    assert not found(loop(), kind="detached state")
    assert not found(loop((1,)), kind="detached state")  # the initial state may be detached
    net = tg.nn.RNN(40, 40)  # inputs of the state's shape
    assert not found(energy(net(tg.randn(6, 2, 40))[0]), kind="detached state")
    h, w, loss = tg.zeros(2), tg.ones(2, requires_grad=True), 0
    for t in range(1, 5):  # inputs that were detached are no states
        with tg.step(t):
            h = tg.tanh(h * w + tg.randn(2, requires_grad=True).detach())
            loss = loss + h.sum()
    assert not found(loss, kind="detached state")


# -- what beginners do, and what only looks like it ------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_named(fault, seed) -> None:
    loss, net, kind = FAULTS[fault](np.random.default_rng(seed))
    diagnosis = bptt.diagnose(bptt.record(loss), net)
    assert kind in {finding.kind for finding in diagnosis}, str(diagnosis)


NATURAL = {"zero gradient", "detached state"}  # as notes: see `is_alarm`
TRUE_OF_SOME = {"vanishing gradient", "saturated gate"}  # of nets that were trained, or are long


def is_alarm(finding) -> bool:
    return not (finding.severity == "note" and finding.kind in NATURAL)


@pytest.mark.parametrize("first", range(0, 60, 10))
def test_fresh_nets_raise_no_alarm(first) -> None:
    for seed in range(first, first + 10):
        net = task(seed)
        diagnosis = bptt.diagnose(bptt.record(net.loss()), net.net)
        assert not any(map(is_alarm, diagnosis)), f"{seed}: {diagnosis}"


@pytest.mark.parametrize("seed", range(1000, 1012))
def test_trained_nets_raise_no_alarm(seed) -> None:
    net = task(seed)
    diagnosis = bptt.diagnose(bptt.record(net.trained(10)), net.net)
    alarms = [f for f in diagnosis if is_alarm(f) and f.kind not in TRUE_OF_SOME]
    assert not alarms, str(diagnosis)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("program", ODD)
def test_programs_that_look_odd_raise_no_alarm(program, seed) -> None:
    rng = np.random.default_rng(seed)
    tg.manual_seed(seed)
    loss, _ = ODD[program](rng, int(rng.integers(2, 5)), int(rng.choice([3, 8, 20])))
    diagnosis = bptt.diagnose(bptt.record(loss))
    assert not any(map(is_alarm, diagnosis)), str(diagnosis)


@pytest.mark.parametrize(("cut", "steps", "severity"), [
    ((4,), 6, "note"), ((4, 7), 9, "note"), ((4, 7), 8, "note"), ((3,), 10, "warning"),
    ((2, 5), 6, "warning"), (range(2, 7), 6, "warning"),
])  # fmt: skip
def test_truncation_by_windows_of_one_length_is_no_mistake(cut, steps, severity) -> None:
    (finding,) = found(loop(cut, steps=steps), kind="detached state")
    assert finding.severity == severity


@pytest.mark.parametrize(("start", "severity"), [(11, "note"), (20, "warning"), (4, "warning")])
def test_a_walk_that_does_not_reach_the_first_steps(start, severity) -> None:
    """A chunk of ten of which five were before, or a loop that detaches; 4 … 20 is no chunk."""
    cell = tg.nn.GRUCell(3, 4)
    h = cell(tg.randn(2, 3)).detach()
    for t in range(start, 21):
        with tg.step(t):
            h = cell(tg.randn(2, 3), h)
    (finding,) = found(energy(h), cell, "detached state")
    assert (finding.severity, finding.steps) == (severity, (start,))


def test_a_detached_state_that_was_asked_for_its_gradient() -> None:
    (finding,) = found(loop((4,), lambda h: h.detach().requires_grad_()), kind="detached state")
    assert finding.steps == (4,)


@pytest.mark.parametrize("how", [lambda h: h.detach(), lambda h: tg.tensor(h.item())])
def test_states_of_one_number(how) -> None:
    w, u = (tg.tensor(v, requires_grad=True) for v in (0.7, 0.4))
    h, loss = tg.tensor(0.1), 0
    for t in range(1, 9):
        with tg.step(t):
            h = tg.tanh(w * (how(h) if t == 4 else h) + u * tg.tensor(0.3 * t))
            loss = loss + h
    (finding,) = found(loss, kind="detached state")
    assert finding.steps == (4,)


def test_loops_that_are_cut_everywhere_need_no_numbers() -> None:
    """Nothing tells then that they are loops, except values that come again."""
    i2h, h, loss = tg.nn.Linear(7, 4), tg.zeros(2, 4), 0
    for _ in range(5):
        h = tg.tanh(i2h(tg.cat([tg.randn(2, 3), h.detach()], 1)))
        loss = loss + energy(h)
    (finding,) = found(loss, i2h, "detached state")
    assert "made before, 4 times" in finding.what
    rnn = tg.nn.LSTM(3, 4)
    hs = [rnn(tg.randn(1, 2, 3))[0] for _ in range(5)]
    (finding,) = found(energy(tg.cat(hs)), rnn, "state reset")
    assert finding.where == "lstm layer 0"


def test_only_what_is_wrong_is_cut() -> None:
    """Two cells, of which the upper one's state is detached; where it is said which."""
    lower, upper = tg.nn.GRUCell(3, 4), tg.nn.GRUCell(4, 4)
    a = b = tg.zeros(2, 4)
    loss = 0
    for t in range(1, 6):
        with tg.step(t):
            with tg.scope("lower"):
                a = lower(tg.randn(2, 3), a)
            with tg.scope("upper"):
                b = upper(a, b.detach())
            loss = loss + energy(b)
    (finding,) = found(loss, kind="detached state")
    assert "upper" in finding.where
    assert finding.steps == (2, 3, 4, 5)


def test_what_is_left_of_earlier_walks() -> None:
    net, x = layer("RNN", 3, 4)
    walk = bptt.record(energy(net(x)[0]))
    assert not bptt.diagnose(walk, net)
    again = bptt.record(energy(net(x)[0]))
    assert not bptt.diagnose(walk, net)  # what comes after it is no fault of the first
    (finding,) = bptt.diagnose(again, net)
    assert finding.kind == "leftover gradient"
    assert finding.parameters == ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    for set_to_none in (True, False):
        net.zero_grad(set_to_none)
        walk = bptt.record(energy(net(x)[0]))
        tg.nn.utils.clip_grad_norm_(net.parameters(), 0.01)
        assert not bptt.diagnose(walk, net)


def test_inputs_that_require_grad_are_no_parameters() -> None:
    net, x = layer("RNN", 3, 4)
    x.requires_grad_()
    loss = energy(net(x * tg.zeros(10, 4, 3))[0])
    (finding,) = found(loss, net, "zero gradient")
    assert finding.parameters == ("weight_ih_l0",)


def test_reshaping_where_axes_should_change_places() -> None:
    words = tg.nn.Embedding(9, 3)(tg.tensor(np.arange(20).reshape(4, 5) % 9))
    (finding,) = found(energy(tg.nn.GRU(3, 4)(words.view(5, 4, 3))[0]), kind="mixed-up axes")
    assert "(4, 5, 3) becomes (5, 4, 3)" in finding.what
    assert not found(energy(tg.nn.GRU(3, 4)(words.transpose(0, 1))[0]), kind="mixed-up axes")


# -- zero gradients -------------------------------------------------------------------------------


def test_one_time_step_teaches_recurrent_weights_nothing() -> None:
    for kind in ("RNN", "LSTM", "GRU"):
        net = getattr(tg.nn, kind)(3, 8)
        (finding,) = found(energy(net(tg.randn(1, 2, 3))[0]), net)
        assert (finding.severity, finding.parameters) == ("note", ("weight_hh_l0",))


def test_the_last_output_of_a_reversed_layer_has_seen_one_step() -> None:
    net, x = layer("LSTM", 3, 8, bidirectional=True)
    (finding,) = found(energy(net(x)[0][-1]), net)
    assert (finding.severity, finding.parameters) == ("note", ("weight_hh_l0_reverse",))


def test_what_stops_a_gradient_is_named() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True).named("x")
    with tg.step(5):
        y = (x * 3 * tg.zeros(2)).named("y")
    (finding,) = found(y.sum(), kind="zero gradient")
    assert "the mul (called y) passes nothing at t = 5: the other factor is 0" in finding.what
    (finding,) = found(tg.clamp(x * 100, 0, 1).sum(), kind="zero gradient")
    assert "clamp" in finding.what
    both = (x * tg.zeros(2)).sum() + tg.relu(x - 100).sum()
    (finding,) = found(both, kind="zero gradient")
    assert finding.severity == "error"
    assert "mul" in finding.what
    assert "relu" in finding.what
    (finding,) = found((x - x).sum(), kind="zero gradient")
    assert "cancel" in finding.what


# -- the report -----------------------------------------------------------------------------------


def test_reports_print_and_show_themselves(stacked) -> None:
    rnn, output, _ = stacked
    walk = bptt.record(F.mse_loss(output.view(-1), tg.tensor([2.0, 3.0, 4.0])))
    diagnosis = bptt.diagnose(walk, rnn)
    lines = str(diagnosis).splitlines()
    assert lines[0] == "Diagnosis of a walk of 41 visits: 3 findings"
    assert max(map(len, lines)) <= 150
    assert len(diagnosis) == 3
    assert diagnosis[0] is next(iter(diagnosis))
    page = diagnosis._repr_html_()
    assert page.count("<tr>") == 4
    assert "all 12 gradients are exactly 0" in page
    healthy = bptt.diagnose(bptt.record(demo.forward()[2]))
    assert not healthy
    assert healthy._repr_html_() == "<p>Diagnosis of a walk of 13 visits: nothing found</p>"
    again = bptt.record(F.mse_loss(rnn(tg.tensor([[[1.0]], [[2.0]], [[3.0]]]))[0].view(-1),
                                   tg.tensor([2.0, 3.0, 4.0])))  # fmt: skip
    assert str(bptt.diagnose(again, rnn)) == str(diagnosis)


def test_the_worst_comes_first() -> None:
    net = tg.nn.Sequential(tg.nn.Linear(1, 1), tg.nn.Linear(1, 1))
    loss = tg.relu(net[0](tg.ones(4, 1)) - 100).sum()
    severities = [finding.severity for finding in found(loss, net)]
    assert severities == ["error", "error", "warning"]  # dead, zero; then what is unused


def test_what_cannot_be_diagnosed() -> None:
    x = tg.tensor([1.0], requires_grad=True)
    walk = bptt.record((x * 2).sum())
    with pytest.raises(TypeError, match=r"bptt.record\(loss\) first"):
        bptt.diagnose(x)
    with pytest.raises(TypeError, match="expected a Module or a list of parameters, got Tensor"):
        bptt.diagnose(walk, x)
    with pytest.raises(TypeError, match="parameter 0 is no Tensor but str"):
        bptt.diagnose(walk, ["weight"])


def test_moments() -> None:
    assert moments([3, 1, 2, 7, 7]) == "t = 1–3, 7"
    assert moments([None]) == ""
