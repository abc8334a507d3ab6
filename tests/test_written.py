"""`bptt.program`: whatever it writes computes what the walk does."""

from __future__ import annotations

import contextlib
import io
import itertools
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_loops import KINDS, program

import tinygrad_rnn as tg
from tinygrad_rnn import bptt
from tinygrad_rnn.bptt import written
from tinygrad_rnn.compat.script import Program
from tinygrad_rnn.compat.watching import Watch

F = tg.nn.functional
TUTORIALS = sorted((Path(__file__).parent / "programs" / "tutorials").glob("*.py"))
NO_LOOP = {"attention_over_states"}  # each step looks at all before it
IN_PART = {"gradient_penalty"}  # the walk was asked for the gradient of the input alone


def executed(text: str) -> dict[str, Any]:
    """The functions of a program that has NumPy and nothing else."""
    assert [line for line in text.splitlines() if "import" in line] == ["import numpy as np"]
    namespace: dict[str, Any] = {}
    exec(text, namespace)
    return namespace


def gradients(walk: bptt.Record, of: list[Any]) -> Any:
    """What a walk brought to the leaves that are one argument of a program."""
    found = [walk.gradient(leaf) for leaf in of]
    dense = [np.zeros(at.shape) if g is None else g for g, at in zip(found, of)]
    return dense[0] if len(dense) == 1 else np.stack(dense)


def agree(walk: bptt.Record, text: Any, in_part: bool = False, **tolerance: float) -> None:
    """The program computes the loss and the gradients of the walk, or all that it has."""
    run = executed(text)
    loss, saved = run["forward"](**text.arguments)
    np.testing.assert_allclose(loss, walk.value(walk.root), **tolerance)
    g = walk.visits[0].cotangent
    found = run["backward"](g if g.shape else g.item(), saved)
    found = found if isinstance(found, tuple) else (found,)
    wanted = [leaves for leaves in text.leaves.values() if leaves and leaves[0].requires_grad]
    for g, leaves in zip(found, wanted, strict=True):
        if in_part and walk.gradient(leaves[0]) is None:
            continue
        np.testing.assert_allclose(g, gradients(walk, leaves), **tolerance)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", KINDS)
def test_a_program_of_a_random_loop(kind: str, seed: int) -> None:
    with bptt.keep_values():
        loss, _ = program(kind, seed, tg)
        walk = bptt.record(loss)
    agree(walk, bptt.program(walk), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_program_of_somebody_elses_walk(path: Path) -> None:
    seen = []

    def show(walk: bptt.Record) -> None:
        text = bptt.program(walk)
        agree(walk, text, path.stem in IN_PART, rtol=2e-3, atol=2e-6)  # in float32
        seen.append(text)

    watch = Watch(1, show)
    with contextlib.redirect_stdout(io.StringIO()), bptt.keep_values():
        Program(path).run((), watch)
    assert watch.error is None, watch.error
    assert ("for t in range(" in seen[0]) == (path.stem not in NO_LOOP)


# -- loops ---------------------------------------------------------------------------------------


def elman(steps: int, losses: str) -> tg.Tensor:
    """The net that every course begins with, and its loss in some idiom."""
    tg.manual_seed(0)
    W, U, V = (tg.randn(*s, dtype=tg.float64).requires_grad_() for s in ((3, 2), (3, 3), (1, 3)))
    xs, ts = tg.randn(steps, 2, 2, dtype=tg.float64), tg.randn(steps, 2, 1, dtype=tg.float64)
    h, total, ys = tg.zeros(2, 3, dtype=tg.float64), 0, []
    for x, t in zip(xs, ts):
        h = tg.tanh(x @ W.t() + h @ U.t())
        y = h @ V.t()
        total, _ = total + ((y - t) ** 2).sum(), ys.append(y)
    if losses == "total":
        return total
    if losses == "sum":
        return sum(((y - t) ** 2).sum() for y, t in zip(ys, ts))
    if losses == "stack":
        return ((tg.stack(ys) - ts) ** 2).sum()
    if losses == "stack 1":
        return ((tg.stack(ys, 1) - ts.transpose(0, 1)) ** 2).sum()
    if losses == "cat":
        return ((tg.cat(ys) - ts.reshape(-1, 1)) ** 2).sum()
    if losses == "some":
        return ys[0].sum() + (ys[2] * ys[-1]).sum()
    if losses == "backwards":
        return ((tg.stack(ys[::-1]) - ts) ** 2).sum()
    return (h**2).sum()


IDIOMS = ("total", "sum", "stack", "stack 1", "cat", "some", "backwards", "last")


@pytest.mark.parametrize("losses", IDIOMS)
def test_loops_are_rolled(losses: str) -> None:
    texts = []
    for steps in (5, 6):
        with bptt.keep_values():
            walk = bptt.record(elman(steps, losses))
        texts.append(bptt.program(walk))
        agree(walk, texts[-1], rtol=1e-12, atol=1e-13)
        assert "np.tanh" in texts[-1].split("for t in range(T):")[1]
    assert max(len(text.splitlines()) for text in texts) < 60


def test_a_sum_reads_like_the_equations() -> None:
    w = tg.tensor(0.5, requires_grad=True)
    xs, h = tg.tensor([[1.0], [2.0], [3.0]]), tg.tensor([0.0])
    for x in xs:
        h = tg.tanh(w * h + x)
    text = bptt.program(bptt.record(h))
    forward, backward = text.split("\n\n\ndef backward")
    assert "        h2 = np.tanh(w * h[t] + xs[t])" in forward
    assert "        dw += (v * h[t]).sum(0)  # mul: g ⊙ b" in backward
    assert list(text.arguments) == ["xs", "w"]
    (lines,) = [line for line in text.splitlines() if "∂L/∂h after" in line]
    assert lines == "    # dh: ∂L/∂h after the last step"


def test_steps_that_differ_are_written_out() -> None:
    w, h = tg.tensor(0.5, requires_grad=True), tg.tensor(1.0)
    for t in range(6):
        with tg.step(t + 1):
            h = tg.tanh(w * h) if t in (0, 3) else w * h
    walk = bptt.record(h)
    text = bptt.program(walk)
    assert text.count("for t in range(2)") == 1, "of three steps each"
    agree(walk, text, rtol=1e-12)


def test_what_has_no_loop_is_refused_if_it_is_long() -> None:
    w, h, draw = tg.tensor(0.5, requires_grad=True), tg.tensor(1.0), random.Random(0)
    for t in range(400):
        with tg.step(t + 1):
            h = draw.choice([tg.tanh, tg.sin, tg.cos, tg.sigmoid, tg.exp])(w * h)
    with pytest.raises(RuntimeError, match=r"\d+ operations .* the steps are not alike"):
        bptt.program(bptt.record(h))


def test_what_has_a_derivative_of_its_own_is_refused() -> None:
    class Twice(tg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return 2 * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return 2 * g

    loss = Twice.apply(tg.tensor(1.0, requires_grad=True)).sum()
    with pytest.raises(RuntimeError, match="Twice: it has a derivative of its own"):
        bptt.program(bptt.record(loss))


def test_a_walk_with_a_fused_layer() -> None:
    net, x = tg.nn.LSTM(2, 3, dtype=tg.float64, fused=True), tg.randn(5, 1, 2, dtype=tg.float64)
    walk = bptt.record((net(x)[0] ** 2).sum())
    agree(walk, bptt.program(walk), rtol=1e-11, atol=1e-12)


def test_numbers_that_nobody_kept_are_left_out() -> None:
    w, x = tg.ones(30, requires_grad=True), tg.ones(30)
    text = bptt.program(bptt.record((w + x).sum()))
    assert [name for name, known in text.arguments.items() if known is None] == ["x"]


# -- layers --------------------------------------------------------------------------------------

OPTIONS = [
    option
    for option in itertools.product(
        ["RNN", "LSTM", "GRU"],  # kind
        [1, 2, 3],  # layers
        [False, True],  # bidirectional
        [False, True],  # batch_first
        [0, 2],  # proj_size
        [False, True],  # bias
    )
    if not option[4] or option[0] == "LSTM"
]


def layers(option: Any) -> Any:
    kind, count, both, batch_first, proj, bias = option
    more = {"proj_size": proj} if proj else {}
    tg.manual_seed(1)
    return getattr(tg.nn, kind)(
        2, 3, num_layers=count, bidirectional=both, batch_first=batch_first, bias=bias,
        dropout=0.5 if count > 1 else 0.0, dtype=tg.float64, **more,
    )  # fmt: skip


@pytest.mark.parametrize("option", random.Random(0).sample(OPTIONS, 24), ids=str)
def test_a_program_of_layers(option: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, count, both, batch_first, proj, _ = option
    net, single = layers(option), count == 1 and not both
    x = tg.randn(*((2, 6) if batch_first and not single else (6, 2)), 2, dtype=tg.float64)
    sizes = (proj or 3, 3) if kind == "LSTM" else (3,)
    states = [tg.randn(count * (1 + both), 2, n, dtype=tg.float64) for n in sizes]
    leaves = [t.requires_grad_() for t in (x, *states)]
    net.eval()
    given = x.transpose(0, 1) if batch_first and single else x
    output, last = net(given, tuple(states) if kind == "LSTM" else states[0])
    output = output.transpose(0, 1) if batch_first and single else output
    outputs = [output, *(last if isinstance(last, tuple) else (last,))]
    numbers = np.random.default_rng(0)
    gs = [numbers.normal(size=y.shape) for y in outputs]
    tg.autograd.backward(outputs, [tg.tensor(g) for g in gs])
    net.train()
    text = bptt.program(net)
    monkeypatch.setattr(written, "STEPS", 7)
    assert text == bptt.program(net), "for any number of steps"
    assert max(map(len, text.splitlines())) <= 110
    run, cut = executed(text), (lambda array: array[0]) if single else (lambda array: array)
    arrays = [x.detach().numpy(), *[cut(s.detach().numpy()) for s in states]]
    (y,), ends, saved = run["forward"](*arrays, *[p.detach().numpy() for p in net.parameters()])
    for a, b in zip((y, *ends), outputs, strict=True):
        b = b.detach().numpy()
        np.testing.assert_allclose(a, b if b.ndim == a.ndim else cut(b), rtol=1e-12, atol=1e-14)
    (d_x,), d_states, d_weights = run["backward"](gs[0], *map(cut, gs[1:]), saved)
    expected = [x.grad.numpy(), *[cut(s.grad.numpy()) for s in leaves[1:]]]
    expected += [p.grad.numpy() for p in net.parameters()]
    for a, b in zip([d_x, *d_states, *d_weights], expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)


def test_dropout_is_left_out_and_the_module_left_alone() -> None:
    net = tg.nn.LSTM(2, 3, num_layers=2, dropout=0.5)
    before = tg.get_rng_state()
    bptt.program(net)
    assert net.training
    assert (tg.get_rng_state() == before).all()
    assert all(p.grad is None for p in net.parameters())


# -- what it reads like --------------------------------------------------------------------------


def test_sigmoid_reads_as_sigmoid() -> None:
    text = bptt.program(tg.nn.GRUCell(2, 3))
    assert "def sigmoid(x):\n    return 1 / (1 + np.exp(-x))\n" in text
    assert " r[t] = sigmoid(" in text
    assert "(r[t] * (1 - r[t]))" in text
    assert "sigmoid" not in bptt.program(tg.nn.RNNCell(2, 3))
    optimised = bptt.program(tg.nn.GRUCell(2, 3), optimised=True)
    assert optimised.count("# σ") == 1, "of both gates at once"


def test_a_notebook_shows_it_highlighted() -> None:
    text = bptt.program(tg.nn.RNN(2, 3))
    assert isinstance(text, str)
    assert text._repr_markdown_() == f"```python\n{text.rstrip()}\n```"


def test_a_step_of_characters() -> None:
    tg.manual_seed(0)
    emb, cell = tg.nn.Embedding(5, 3, dtype=tg.float64), tg.nn.RNNCell(3, 4, dtype=tg.float64)
    head = tg.nn.Linear(4, 5, dtype=tg.float64)

    def step(h: Any, x: Any) -> Any:
        h = cell(emb(x[0]), h)
        return h, F.cross_entropy(head(h), x[1])

    ids = tg.randint(0, 5, (7, 2))
    h = tg.zeros(2, 4, dtype=tg.float64)
    _, losses = bptt.scan(step, h, (ids[:-1], ids[1:]))
    losses.sum().backward()
    text = bptt.program(step, h, (ids[0], ids[1]))
    assert "np.add.at(dweight, x[t], " in text
    run = executed(text)
    weights = [*cell.parameters(), *emb.parameters(), *head.parameters()]
    given = [ids[:-1].numpy(), ids[1:].numpy(), h.numpy()]
    (y,), _, saved = run["forward"](*given, *[w.detach().numpy() for w in weights])
    np.testing.assert_allclose(y, losses.detach().numpy(), rtol=1e-12)
    (none, also), _, found = run["backward"](np.ones_like(y), np.zeros((2, 4)), saved)
    assert none is also is None
    for a, w in zip(found, weights, strict=True):
        np.testing.assert_allclose(a, w.grad.numpy(), rtol=1e-11, atol=1e-13)


def test_names_that_were_given_come_before_the_programs() -> None:
    """And a loss that is one number takes 1.0 for its slope, as the page on programs has it."""
    made = [tg.tensor(x, dtype=tg.float64, requires_grad=True) for x in ([0.5, 0.25], 2.0)]
    for tensor, name in zip(made, ("w", "b"), strict=True):
        tensor.named(name)
    h = tg.tensor([1.0, 3.0], dtype=tg.float64)
    text = bptt.program(bptt.record(h @ made[0] + made[1]))
    assert "def forward(h, w, b):" in text
    run = executed(text)
    loss, saved = run["forward"](**text.arguments)
    assert loss == 3.25
    dw, db = run["backward"](1.0, saved)
    assert (dw.tolist(), db) == ([1.0, 3.0], 1.0)
