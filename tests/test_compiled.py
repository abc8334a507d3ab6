"""The compiled tape: fused layers and scans are the literal ones, quicker."""

from __future__ import annotations

import functools
import gc
import inspect
import itertools
import random
import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from cases import cases, leaf

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, viz
from tinygrad_rnn.compiled import scan as scan_module
from tinygrad_rnn.compiled import unit
from tinygrad_rnn.compiled.captured import captured
from tinygrad_rnn.compiled.native import is_installed
from tinygrad_rnn.compiled.program import Program, Wants, by_elements, compiled
from tinygrad_rnn.compiled.symbols import CannotWrite
from tinygrad_rnn.compiled.trace import Traced, traced
from tinygrad_rnn.engine.graph import tape
from tinygrad_rnn.nn.cells import KINDS, Weights
from tinygrad_rnn.testing.cases.table import sequence

STEPS, BATCH, SIZE, HIDDEN = 5, 2, 3, 4
LENGTHS = [3, 5, 1, 5]  # of packed sequences
ALL = cases("gradcheck")  # of every primitive

OPTIONS = list(
    itertools.product(
        ["RNN", "RNN_RELU", "LSTM", "GRU"],  # mode
        [1, 2],  # layers
        [False, True],  # bidirectional
        [False, True],  # batch_first
        [0, 2],  # proj_size
        [0.0, 0.4],  # dropout
        ["batch", "alone", "packed"],
        [False, True],  # a state is given
        [False, True],  # bias
    )
)
OPTIONS = [o for o in OPTIONS if (not o[4] or o[0] == "LSTM") and (not o[5] or o[1] > 1)]
CHOSEN = random.Random(0).sample(OPTIONS, 160)


def layer(option: Any, **more: Any) -> Any:
    mode, layers, both, batch_first, proj, dropout, _, _, bias = option
    tg.manual_seed(1)
    options: dict[str, Any] = dict(  # noqa: C408
        num_layers=layers, bidirectional=both, batch_first=batch_first, dropout=dropout,
        bias=bias, dtype=tg.float64,
    )  # fmt: skip
    if proj:
        options["proj_size"] = proj
    if mode == "RNN_RELU":
        options["nonlinearity"] = "relu"
    return getattr(tg.nn, mode.removesuffix("_RELU"))(SIZE, HIDDEN, **options, **more)


def run(module: Any, option: Any, how: str) -> list[Any]:
    """Outputs and all gradients of a loss of everything that the layer returns."""
    mode, layers, both, batch_first, proj, _, form, given, _ = option
    tg.manual_seed(2)
    batch = {"batch": (BATCH,), "alone": (), "packed": (len(LENGTHS),)}[form]
    shape = (*batch, STEPS, SIZE) if batch_first and batch else (STEPS, *batch, SIZE)
    x = tg.randn(*shape, dtype=tg.float64).requires_grad_()
    count = layers * (1 + both)
    h, c = (
        tg.randn(count, *batch, size, dtype=tg.float64).requires_grad_()
        for size in (proj or HIDDEN, HIDDEN)
    )
    states = (h, c) if mode == "LSTM" else (h,)
    module.zero_grad()
    hx = (states if len(states) > 1 else h) if given else None
    rnn, entry = tg.nn.utils.rnn, x
    if form == "packed":
        entry = rnn.pack_padded_sequence(x, LENGTHS, batch_first, enforce_sorted=False)
    with tg.fused(how != "literal"):
        output, last = module(entry, hx)
    if form == "packed":
        output = output.data
    last = last if isinstance(last, tuple) else (last,)
    loss = (output**2).sum() + sum((s**3).sum() for s in last)
    drawn = tg.get_rng_state()
    if how == "recorded":
        bptt.record(loss)
    elif how == "twice":
        loss.backward(retain_graph=True)
        loss.backward()
    else:
        loss.backward()
    assert (tg.get_rng_state() == drawn).all()
    leaves = [*module.parameters(), x, *(states if given else ())]
    factor = 2 if how == "twice" else 1
    results = [output, *last]
    return [r.detach().numpy() for r in results] + [p.grad.numpy() / factor for p in leaves]


@pytest.mark.parametrize("option", CHOSEN, ids=str)
def test_fused_is_literal(option: Any) -> None:
    module = layer(option)
    expected = run(module, option, "literal")
    for how in ("fused", "recorded", "twice"):
        for a, b in zip(run(module, option, how), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


def test_a_fused_layer_is_one_node() -> None:
    lstm = tg.nn.LSTM(SIZE, HIDDEN, num_layers=2, fused=True)
    output, _ = lstm(tg.zeros(STEPS, BATCH, SIZE))
    made = [at for at in tape([output.node], literal=False) if not at.is_leaf]
    assert [at.primitive.name for at in made] == ["lstm", "output"]
    assert output.grad_fn.name() == "MkldnnRnnLayerBackward0"
    assert len(tape([output.node])) > 100
    assert output.grad_fn.name() == "MkldnnRnnLayerBackward0"


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_pictures_of_a_fused_net_are_those_of_the_literal_one(kind: str) -> None:
    texts = []
    for fused in (False, True):
        tg.manual_seed(0)
        net, head = getattr(tg.nn, kind)(2, 3, fused=fused), tg.nn.Linear(3, 1)
        output, _ = net(tg.randn(3, 1, 2))
        walk = bptt.record(head(output[-1]).sum())
        flow = bptt.contributions(walk, net.weight_hh_l0)
        names = [(at.tag[:4], at.shape, at.is_leaf) for at in walk.places]
        texts.append((viz.draw(walk).svg, [t for t, _ in flow.items()], names))
    literal, quick = texts
    assert quick[1:] == literal[1:]
    assert len(quick[0]) == len(literal[0])


def test_packed_sequences_are_fused_but_where_states_grow_beyond_their_end() -> None:
    for options, sealed in (({}, True), ({"nonlinearity": "relu"}, False)):
        net = tg.nn.RNN(SIZE, HIDDEN, fused=True, **options)
        data = [tg.randn(3, SIZE), tg.randn(2, SIZE)]
        output, _ = net(tg.nn.utils.rnn.pack_sequence(data))
        made = [at for at in tape([output.data.node], literal=False) if not at.is_leaf]
        assert any(at.primitive.name == "rnn_tanh" for at in made) == sealed


def test_second_derivatives_are_those_of_the_literal_graph() -> None:
    results = []
    for fused in (False, True):
        tg.manual_seed(0)
        gru = tg.nn.GRU(2, 3, dtype=tg.float64, fused=fused)
        x = tg.randn(4, 2, 2, dtype=tg.float64).requires_grad_()
        output, _ = gru(x)
        (g,) = tg.autograd.grad((output**2).sum(), x, create_graph=True)
        (g**2).sum().backward()
        results.append(gru.weight_hh_l0.grad.numpy().copy())
    np.testing.assert_allclose(results[1], results[0], rtol=1e-9)


def test_what_was_freed_or_changed_is_said() -> None:
    lstm = tg.nn.LSTM(2, 3, fused=True)
    output, _ = lstm(tg.ones(4, 1, 2))
    loss = output.sum()
    loss.backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        loss.backward()
    x = tg.ones(4, 1, 2)
    output, _ = lstm(x)
    x.add_(1)
    with pytest.raises(RuntimeError, match=r"changed in place|modified"):
        output.sum().backward()
    output, _ = lstm(tg.ones(4, 1, 2))
    with tg.no_grad():
        lstm.weight_hh_l0.mul_(2)
    with pytest.raises(RuntimeError, match=r"changed in place|modified"):
        bptt.record(output.sum())


def test_without_gradients_nothing_is_recorded() -> None:
    lstm = tg.nn.LSTM(2, 3, fused=True)
    with tg.no_grad():
        output, _ = lstm(tg.ones(4, 1, 2))
    assert output.node is None or not output.requires_grad
    expected, _ = tg.nn.LSTM.forward(lstm, tg.ones(4, 1, 2))
    np.testing.assert_allclose(output.numpy(), expected.detach().numpy(), rtol=1e-6)


def test_workspaces_are_for_one_walk_at_a_time() -> None:
    rnn = tg.nn.RNN(2, 3, dtype=tg.float64, fused=True)
    a, b = (tg.randn(6, 1, 2, dtype=tg.float64).requires_grad_() for _ in range(2))
    first, second = rnn(a)[0].sum(), rnn(b)[0].sum()
    second.backward()
    first.backward()
    rnn.fused = False
    for x in (a, b):
        found = x.grad.numpy().copy()
        x.grad = None
        rnn(x)[0].sum().backward()
        np.testing.assert_allclose(found, x.grad.numpy(), rtol=1e-9)


# -- what programs do with layers ---------------------------------------------------------------


def grads(*tensors: Any) -> list[Any]:
    return [None if t.grad is None else t.grad.numpy().copy() for t in tensors]


def frozen(net: Any, x: Any) -> list[Any]:
    net.weight_hh_l0.requires_grad_(False)
    net(x)[0].sum().backward()
    return grads(*net.parameters(), x)


def only_the_last_state(net: Any, x: Any) -> list[Any]:
    _, last = net(x)
    states = last if isinstance(last, tuple) else (last,)
    sum((s**2).sum() for s in states).backward()
    return grads(*net.parameters(), x)


def over_batches(net: Any, x: Any) -> list[Any]:
    state = None
    for _ in range(3):
        y, state = net(x, state)
        (y**2).sum().backward()
        state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
    return grads(*net.parameters(), x)


def called_again(net: Any, x: Any) -> list[Any]:
    y, state = net(x)
    z, _ = net(x * 2, state)
    (y.sum() + (z**2).sum()).backward()
    return grads(*net.parameters(), x)


def changed_in_place(net: Any, x: Any) -> list[Any]:
    y, _ = net(x)
    y[1] = 0
    y.mul_(2)
    (y**2).sum().backward()
    return grads(*net.parameters(), x)


def watched(net: Any, x: Any) -> list[Any]:
    y, _ = net(x)
    y.retain_grad()
    net.weight_hh_l0.register_hook(lambda g: 3 * g)
    y.register_hook(lambda g: 2 * g)
    (y**2).sum().backward()
    return grads(*net.parameters(), x, y)


def packed(net: Any, x: Any) -> list[Any]:
    both = tg.cat([x, x], 1)
    y, _ = net(tg.nn.utils.rnn.pack_padded_sequence(both, tg.tensor([4, 2])))
    y.data.sum().backward()
    return grads(*net.parameters(), x)


def on_the_way(net: Any, x: Any) -> list[Any]:
    z = x * 2
    y, _ = net(z)
    return [g.numpy() for g in tg.autograd.grad((y**2).sum(), [z, y, net.weight_ih_l0])]


def other_axes(net: Any, x: Any) -> list[Any]:
    y, _ = net(x.permute(1, 0, 2).contiguous().permute(1, 0, 2))
    (y.permute(1, 2, 0) ** 2).sum().backward()
    return grads(*net.parameters(), x)


def computed_weight(net: Any, x: Any) -> list[Any]:
    weight = net.weight_hh_l0
    del net.weight_hh_l0
    net.weight_hh_l0 = weight * 0.5
    (net(x)[0] ** 2).sum().backward()
    return grads(weight, x)


def half_precision(net: Any, x: Any) -> list[Any]:
    return [net.half()(x.detach().half())[0].detach().numpy()]


def second_order(net: Any, x: Any) -> list[Any]:
    return [tg.autograd.functional.hessian(lambda x: (net(x)[0] ** 2).sum(), x.detach()).numpy()]


def looked_at_for_nan(net: Any, x: Any) -> list[Any]:
    with tg.autograd.detect_anomaly():
        net(x)[0].sum().backward()
    return grads(*net.parameters(), x)


PROGRAMS = [
    frozen, only_the_last_state, over_batches, called_again, changed_in_place, watched, packed,
    on_the_way, other_axes, computed_weight, half_precision, second_order, looked_at_for_nan,
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*[Aa]nomaly")
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_programs_do_not_notice(program: Any, kind: str) -> None:
    results = []
    for fused in (False, True):
        tg.manual_seed(0)
        net = getattr(tg.nn, kind)(SIZE, HIDDEN, dtype=tg.float64, fused=fused)
        x = tg.randn(4, 1, SIZE, dtype=tg.float64).requires_grad_()
        results.append(program(net, x))
    for a, b in zip(*results, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(b, a, rtol=1e-9, atol=1e-12)


# -- random steps --------------------------------------------------------------------------------


def random_step(seed: int) -> tuple[Any, list[tuple[int, ...]], list[tuple[int, ...]]]:
    """A step of random operations, and the shapes of its states and of its weights."""
    draw = random.Random(seed)
    count = draw.randint(1, 3)
    weights = [(HIDDEN, HIDDEN)] * 3 + [(HIDDEN, SIZE), (HIDDEN,), (2 * HIDDEN, HIDDEN)]
    plan = [draw.randrange(len(OPERATIONS)) for _ in range(draw.randint(3, 14))]
    picks = [(draw.random(), draw.random()) for _ in plan]
    ends = [draw.random() for _ in range(count + 1)]

    def step(states: Any, xs: Any, w: Any) -> Any:
        at = [*states, tg.nn.functional.linear(xs[0], w[3], w[4])]
        for op, (p, q) in zip(plan, picks):
            a, b = at[int(p * len(at))], at[int(q * len(at))]
            at.append(OPERATIONS[op](a, b, w))
        after = [at[-1 - int(e * min(4, len(at)))] for e in ends]
        return after[:count], [after[-1]]

    return step, [(BATCH, HIDDEN)] * count, weights


OPERATIONS: list[Any] = [
    lambda a, b, w: a + b,
    lambda a, b, w: a - b,
    lambda a, b, w: a * b,
    lambda a, b, w: tg.tanh(a),
    lambda a, b, w: tg.sigmoid(a),
    lambda a, b, w: tg.relu(a + 0.1),
    lambda a, b, w: a @ w[0],
    lambda a, b, w: tg.nn.functional.linear(a, w[1], w[4]),
    lambda a, b, w: tg.tanh(a @ w[2].t()) * b,
    lambda a, b, w: tg.cat([a[:, :2], b[:, 2:]], 1),
    lambda a, b, w: a * tg.sigmoid(b) + (1 - tg.sigmoid(b)) * a,
    lambda a, b, w: tg.softmax(a, 1),
    lambda a, b, w: tg.mul(*tg.chunk(tg.nn.functional.linear(a, w[5]), 2, 1)),
    lambda a, b, w: a / (1 + b * b),
    lambda a, b, w: tg.exp(-a * a) + w[4],
    lambda a, b, w: a.mean(1, keepdim=True) + b,
    lambda a, b, w: a.cumsum(1) * 0.5,
    lambda a, b, w: a.flip(1) * b,
    lambda a, b, w: a[:, [2, 0, 1, 1]] + b[[1, 0]],
    lambda a, b, w: tg.index_select(w[0], 0, tg.tensor([3, 3])) * a,
    lambda a, b, w: a / (1 + b.var(1, keepdim=True)),
    lambda a, b, w: a.roll(1, 1) - b,
    lambda a, b, w: tg.tril(a) + tg.triu(b, 1),
    lambda a, b, w: tg.nn.functional.pad(a, (1, 0))[:, :HIDDEN],
    lambda a, b, w: a - b.logsumexp(1, keepdim=True),
    lambda a, b, w: tg.einsum("bi,ij->bj", a, w[1]),
    lambda a, b, w: tg.nn.functional.layer_norm(a, (HIDDEN,), w[4]),
    lambda a, b, w: a[:, :1].repeat(1, HIDDEN) * b,
    lambda a, b, w: a.where(tg.tensor([True, False, True, True]), b),
    lambda a, b, w: tg.index_add(a, 1, tg.tensor([0, 2, 2, 1]), b),
]


@pytest.mark.parametrize("seed", range(90))
def test_random_steps(seed: int) -> None:
    step, states, weights = random_step(seed)
    numbers = np.random.default_rng(seed)

    def leaf(*shape: int) -> Any:
        return tg.tensor(0.5 * numbers.normal(size=shape), requires_grad=True)

    start, consts = [leaf(*s) for s in states], [leaf(*s) for s in weights]
    x = leaf(STEPS, BATCH, SIZE)
    state, ys = start, []
    for t in range(STEPS):
        state, (y,) = step(state, [x[t]], consts)
        ys.append(y)
    output = tg.stack(ys)
    g_y = numbers.normal(size=output.shape)
    g_states = [numbers.normal(size=s) for s in states]
    loss = (output * tg.tensor(g_y)).sum()
    for s, g in zip(state, g_states):
        loss = loss + (s * tg.tensor(g)).sum()
    if loss.requires_grad:
        loss.backward()
    one = traced(step, [s.array for s in start], [x.array[0]], consts)
    arrays = [c.array for c in consts]
    for found in programs(one, ([True], True, [True] * 6)):
        workspace = found.workspace(STEPS)
        (got,), ends = found.forward(workspace, [x.array], [s.array for s in start], arrays)
        (d_x,), d_states, d_consts = found.backward(workspace, [x.array], arrays, [g_y], g_states)
        np.testing.assert_allclose(got, output.detach().numpy(), rtol=1e-9, atol=1e-12)
        for a, b in zip(ends, state, strict=True):
            np.testing.assert_allclose(a, b.detach().numpy(), rtol=1e-9, atol=1e-12)
        for a, leaf_ in zip([d_x, *d_states, *d_consts], [x, *start, *consts], strict=True):
            expected = np.zeros(leaf_.shape) if leaf_.grad is None else leaf_.grad.numpy()
            np.testing.assert_allclose(
                np.zeros(leaf_.shape) if a is None else a, expected, rtol=1e-8, atol=1e-10
            )


def programs(one: Traced, wants: Wants) -> Iterator[Program]:
    """A step in NumPy's calls, and if it can be in loops over elements, as Python runs them."""
    yield compiled(one, *wants)
    if is_installed():
        import numba

        jit, numba.config.DISABLE_JIT = numba.config.DISABLE_JIT, True
        try:
            yield by_elements(one, wants)
        except CannotWrite:
            pass
        finally:
            numba.config.DISABLE_JIT = jit


def checked(case: Any, way: str) -> None:
    """A primitive in a step whose operands are sequences, made of the state, or weights."""
    steps, as_weights = 3, way == "weights"

    def step(states: Any, xs: Any, consts: Any) -> Any:
        given = list(consts or xs)
        if way == "state":
            given = [a * (1 + 0.01 * states[0]) for a in given]
        elif as_weights:
            given[0] = given[0] * (1 + 0.01 * states[0] * xs[0])
        outs = [y for y in sequence(case.fn(tg, *given)) if y.dtype.is_floating_point]
        return [tg.tanh(sum((0.1 * tg.tanh(y).sum() for y in outs), states[0]))], outs

    many = [np.stack([a * (1 + 0.01 * k) for k in range(steps)]) for a in case.arrays]
    xs = [leaf(tg, a) for a in ([np.ones(steps)] if as_weights else many)]
    consts = [leaf(tg, a) for a in case.arrays] if as_weights else []
    state = start = leaf(tg, np.array(0.3))
    rows = []
    for t in range(steps):
        (state,), outs = step([state], [x[t] for x in xs], consts)
        rows.append(outs)
    ys = [tg.stack(column) for column in zip(*rows, strict=True)]
    numbers = np.random.default_rng(0)
    g_ys = [np.asarray(numbers.normal(size=y.shape)).astype(y.array.dtype) for y in ys]
    tg.autograd.backward([state, *ys], [tg.tensor(0.7).double(), *map(tg.from_numpy, g_ys)])
    try:
        one = traced(step, [start.array], [x.array[0] for x in xs], consts)
    except CannotWrite:
        assert case.primitive in NOT_WRITTEN
        return
    for found in programs(one, ([True] * len(xs), True, [True] * len(consts))):
        workspace, arrays = found.workspace(steps), [c.array for c in consts]
        sequences = [x.array for x in xs]
        got, (end,) = found.forward(workspace, sequences, [start.array], arrays)
        grads = found.backward(workspace, sequences, arrays, g_ys, [np.array(0.7)])
        for a, b in zip([*got, end], [*ys, state], strict=True):
            assert a.dtype == b.array.dtype
            np.testing.assert_allclose(a, b.array, rtol=1e-9, atol=1e-11)
        for a, b in zip(itertools.chain(*grads), [*xs, start, *consts], strict=True):
            zero = np.zeros(b.shape)
            expected = zero if b.grad is None else b.grad.array
            np.testing.assert_allclose(zero if a is None else a, expected, rtol=1e-6, atol=1e-7)


# Whoever teaches symbols one of these takes it away: then its cases are compared.
NOT_WRITTEN = set(
    """as_strided avg_pool avg_unpool cholesky convolution convolution_input convolution_weight
    cumprod det diag_embed diagonal eigh einsum erf gelu index_put inv linear_scan logcumsumexp
    matrix_exp max_pool max_unpool median pinv pow prod qr round slogdet solve svd""".split()
)


@pytest.mark.parametrize("number", range(len(ALL)), ids=lambda n: str(ALL[n]))
def test_every_primitive_is_written_rightly_or_refused(number: int) -> None:
    checked(ALL[number], ("sequences", "state", "weights")[number % 3])


# -- compiled by numba ---------------------------------------------------------------------------


@pytest.fixture
def numba_here(tmp_path: Any, monkeypatch: Any) -> Any:
    if not is_installed():
        pytest.skip("numba is not installed")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("tinygrad_rnn.compiled.native.CALLS", 2)
    monkeypatch.setattr(unit, "_programs", type(unit._programs)())
    return tmp_path


def trained(kind: str, hidden: int) -> tuple[list[Any], Program]:
    """All gradients of three calls of a small layer, and the program that ran last."""
    tg.manual_seed(0)
    net, found = getattr(tg.nn, kind)(2, hidden, fused=True), []
    for _ in range(3):
        net.zero_grad()
        output, _ = net(tg.randn(4, 1, 2))
        (output**2).sum().backward()
        found += [w.grad.numpy().copy() for w in net.parameters()]
    return found, next(reversed(unit._programs.values()))


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_numba_compiles_what_runs_often(kind: str, numba_here: Any, monkeypatch: Any) -> None:
    found, program = trained(kind, 3)
    assert type(program.namespace["loop_b"]).__name__ == "CPUDispatcher"
    assert "loop_b(" in program.source
    assert list(numba_here.glob("tinygrad_rnn/*.py"))
    monkeypatch.setattr("tinygrad_rnn.compiled.native.CALLS", 1000)
    unit._programs.clear()
    expected, program = trained(kind, 3)
    assert "loop_b" not in program.namespace
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_numba_is_for_few_elements(numba_here: Any) -> None:
    assert "loop_b" not in trained("RNN", 300)[1].namespace


def test_without_a_place_to_keep_it_numba_compiles_for_now(
    numba_here: Any, monkeypatch: Any
) -> None:
    (numba_here / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(numba_here / "file"))
    assert "loop_b" in trained("RNN", 3)[1].namespace


def test_what_numba_cannot_do_goes_on_in_numpy(numba_here: Any, monkeypatch: Any) -> None:
    def broken(*args: Any) -> Any:
        raise RuntimeError("the compiler is broken")

    monkeypatch.setattr("tinygrad_rnn.compiled.program.loaded", broken)
    assert "loop_b" not in trained("RNN", 3)[1].namespace


# -- what the program costs ----------------------------------------------------------------------


def of_cell(kind: str, batch: int = BATCH, hidden: int = HIDDEN) -> Program:
    cell = KINDS[kind]
    rows = cell.gates * hidden
    consts = [tg.zeros(*s) for s in ((rows, SIZE), (rows, hidden), (rows,), (rows,))]

    def step(states: Any, xs: Any, w: Any) -> Any:
        after = cell.step(xs[0], tuple(states), Weights(*w))
        return after, after[:1]

    zero = np.zeros((batch, hidden), np.float32)
    example = traced(step, [zero] * len(cell.states), [zero[:, :1].repeat(SIZE, 1)], consts)
    return compiled(example, [True], True, [True] * 4)


@pytest.mark.parametrize(
    ("kind", "batch", "forward", "backward"),
    [
        ("RNN_TANH", 1, 3, 3), ("LSTM", 1, 11, 7), ("GRU", 1, 13, 5),
        ("RNN_TANH", 2, 3, 3), ("LSTM", 2, 13, 7), ("GRU", 2, 13, 5),
    ],
)  # fmt: skip
def test_calls_in_the_loop(kind: str, batch: int, forward: int, backward: int) -> None:
    """The gates' derivatives are one product, and all that need not wait is outside.

    Of several rows what goes through σ and what goes through tanh are two products.
    """
    source = of_cell(kind, batch).source
    counts = []
    for part in source.split("\ndef ")[1:]:
        inside = part.split(" in zip(" if "backward" in part[:9] else "for (r")[1]
        calls = [line for line in inside.splitlines() if line.startswith(" " * 12)]
        counts.append(sum("(" in line for line in calls))
    assert counts[0] <= forward
    assert counts[1] <= backward


def test_memory_of_a_fused_layer() -> None:
    steps, batch, hidden = 400, 16, 64
    lstm = tg.nn.LSTM(hidden, hidden, fused=True)
    x = tg.randn(steps, batch, hidden)
    lstm(tg.randn(2, batch, hidden))[0].sum().backward()  # traced
    gc.collect()
    tracemalloc.start()
    output, _ = lstm(x)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert output.shape == (steps, batch, hidden)
    assert held <= 11 * steps * batch * hidden * 4


# -- scan ----------------------------------------------------------------------------------------


def test_scan_compiled_is_literal() -> None:
    results = []
    for fast in (False, True):
        tg.manual_seed(0)
        cell, head = tg.nn.LSTMCell(2, 3, dtype=tg.float64), tg.nn.Linear(3, 1, dtype=tg.float64)
        context = tg.randn(3, dtype=tg.float64).requires_grad_()
        scale = (context * 2).exp()  # computed before, and differentiated

        def step(state: Any, x: Any, cell: Any = cell, head: Any = head, s: Any = scale) -> Any:
            h, c = cell(x[0] * x[1], state)
            return (h, c), (head(h * s), h)

        x, z = (tg.randn(5, 4, 2, dtype=tg.float64).requires_grad_() for _ in range(2))
        zero = tg.zeros(4, 3, dtype=tg.float64)
        for _ in range(2):  # the second time the program is there
            (h, c), (y, hs) = bptt.scan(step, (zero, zero), (x, z), compiled=fast)
        loss = (y**2).sum() + hs.sum() + (c * h).sum()
        loss.backward()
        leaves = [*cell.parameters(), *head.parameters(), x, z, context]
        results.append([loss.item(), *[p.grad.numpy() for p in leaves]])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_scan_has_time() -> None:
    w = tg.tensor(0.5, requires_grad=True)
    for fast in (False, True):
        last, _ = bptt.scan(
            lambda h, x: (w * h + x, None), tg.tensor(1.0), tg.ones(4), compiled=fast
        )
        shares = bptt.contributions(bptt.record(last), w)
        assert [t for t, _ in shares.items()] == [1, 2, 3, 4]


def places(compiled: bool, step: Any, *state: Any) -> list[Any]:
    """What a record of a scan has in it, and the gradients of what the step starts from."""
    tg.manual_seed(0)
    states = [s.detach().requires_grad_() for s in state]
    after, ys = bptt.scan(step, tuple(states), tg.ones(3, 2), compiled=compiled)
    walk = bptt.record(sum((s**2).sum() for s in after) + ys.sum())
    known = {at: i for i, at in enumerate(walk.places)}
    graph = [
        (at.primitive and at.primitive.name, at.tag.step, at.shape, [known[p] for p in at.parents])
        for at in walk.places
    ]
    return [graph, *[None if s.grad is None else s.grad.numpy().tolist() for s in states]]


W = tg.tensor([0.5, -0.3], requires_grad=True)


@pytest.mark.parametrize(
    "step",
    [
        lambda s, x: ((tg.tanh(W * s[0] + x), s[0] + s[1]), s[0]),
        lambda s, x: ((tg.tanh(W * s[0] + x), s[1]), s[1]),  # one stays as it came
        lambda s, x: ((s[1], s[0]), W * s[0]),  # two change places
        lambda s, x: ((h := tg.sin(W * s[0] + s[1]), h), h),  # two are the same
    ],
)
def test_an_unfolded_scan_is_the_literal_one(step: Any) -> None:
    start = tg.tensor([0.1, 0.2]), tg.tensor([0.3, -0.4])
    (literal, *grads), (graph, *found) = places(False, step, *start), places(True, step, *start)
    clones = [i for i, at in enumerate(graph) if at[0] == "clone"]
    assert len(graph) - len(clones) == len(literal), "each place once, but for outputs of their own"
    assert clones or graph == literal
    np.testing.assert_allclose(found, grads, rtol=1e-6)


class Slots:
    __slots__ = ("by",)

    def __init__(self, by: int) -> None:
        self.by = by

    def __call__(self, x: Any) -> Any:
        return self.by * x


class Stepping:
    """A step whose every part can be changed."""

    def __init__(self) -> None:
        self.settings = {"factor": 2.0}
        self.mask, self.more = tg.ones(3), tg.ones(3) / 2
        self.array = np.ones(3, np.float32)
        self.function: Any = tg.tanh
        self.functions = [tg.sin, lambda x: x * 2]

    def __call__(self, h: Any, x: Any) -> Any:
        h = self.functions[1](self.function(h * self.mask) + self.settings["factor"] * x)
        h = h * self.more + self.array.tolist()[0] * self.functions[0](h)
        return h, h


def test_scan_sees_what_has_changed() -> None:
    step = Stepping()
    same = step.__call__

    def agree() -> None:
        x, h = tg.ones(2, 3), tg.tensor([0.1, 0.2, 0.3])
        found, _ = bptt.scan(same, h, x, compiled=True)
        expected, _ = bptt.scan(same, h, x)
        assert tg.allclose(found, expected)

    agree()
    for change in (
        lambda: step.settings.update(factor=3.0),
        lambda: step.settings.update(factor=3),
        lambda: step.mask.fill_(0.5),
        lambda: setattr(step, "function", tg.relu),
        lambda: setattr(step, "mask", step.more),  # one tensor where there were two
        lambda: setattr(step, "more", tg.ones(3) * 3),
        lambda: step.array.fill(0.25),
        lambda: step.functions.__setitem__(0, tg.cos),
        lambda: step.functions.__setitem__(1, lambda x: x * 3),
        lambda: step.functions.reverse(),
        lambda: setattr(step, "function", np.tanh),
        lambda: setattr(step, "function", np.sin),
        lambda: setattr(step, "function", functools.partial(tg.mul, 2)),
        lambda: setattr(step, "function", functools.partial(tg.mul, 5)),
        lambda: setattr(step, "function", Slots(7)),
        lambda: setattr(step.function, "by", 8),
    ):
        change()
        agree()


class Forwards(tg.nn.Module):
    """A module whose step is made anew at every call."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.factor = tg.nn.RNNCell(3, 3), 2.0

    def forward(self, x: Any, bias: Any, compiled: bool, scale: Any = 1.0, **more: Any) -> Any:
        def step(h: Any, x: Any, *, add: Any = scale) -> Any:
            h = self.cell(x * self.factor, h) + bias * add + sum(more.get("terms", ()))
            return h, h

        return bptt.scan(step, tg.zeros(1, 3), x, compiled=compiled)[0]


def test_a_step_made_anew_is_traced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    traces: list[int] = []
    verified = scan_module.verified
    monkeypatch.setattr(
        scan_module, "verified", lambda *given: (traces.append(1), verified(*given))[1]
    )
    net, other = Forwards(), Forwards()
    x, one, two = tg.randn(4, 1, 3), tg.randn(3).requires_grad_(), tg.randn(3).requires_grad_()

    def agree(net: Any, bias: Any, count: int, *scale: Any, **more: Any) -> None:
        traces.clear()
        found = [net(x, bias, fast, *scale, **more) for fast in (False, True)]
        assert tg.allclose(*found, rtol=1e-5)
        grads = [tg.autograd.grad(y.sum(), [bias, *net.cell.parameters()]) for y in found]
        assert all(tg.allclose(a, b, rtol=1e-4, atol=1e-5) for a, b in zip(*grads))
        assert len(traces) == count

    agree(net, one, 1)
    agree(net, one, 0)
    agree(net, two, 0)  # another tensor of the same shape
    agree(other, two, 0)  # another module, whose parts are alike
    agree(net, one, 1, 2.0)
    agree(net, one, 1, 2)
    agree(net, one, 1, -0.0)
    agree(net, one, 1, 0.0)
    agree(net, one, 0, -0.0)
    agree(net, one, 1, tg.tensor(0.5))
    agree(net, one, 0, tg.tensor(0.25))
    agree(net, one, 1, tg.tensor(2))  # integers are constants of the program
    agree(net, one, 1, tg.tensor(3))
    agree(net, one, 1, terms=[1.0, 2.0])
    agree(net, one, 1, terms=[1.0, 3.0])
    agree(net, one, 1, terms=[1.0, 3.0, 0.5])
    agree(net, one, 0, terms=[1.0, 3.0])
    agree(net, one, 0)
    net.factor = 3.0
    agree(net, one, 1)
    net.eval()
    agree(net, one, 1)


def test_what_cannot_be_looked_into_is_the_same_only_as_itself() -> None:
    hidden = [iter([1.0]), iter([2.0])]
    deep: list[Any] = [[[[[[[[1.0]]]]]]], [[[[[[[2.0]]]]]]]]

    def step_of(known: Any) -> Any:
        return lambda h, x: (h, known)

    for one, other in (hidden, deep):
        assert captured(step_of(one)) == captured(step_of(one))
        assert captured(step_of(one)) != captured(step_of(other))
    assert captured(step_of([1.0])) == captured(step_of([1.0])) != captured(step_of([[1.0]]))


def test_what_cannot_be_compiled_is_refused() -> None:
    w = tg.tensor(0.5, requires_grad=True)

    def noisy(h: Any, x: Any) -> Any:
        h = tg.nn.functional.dropout(w * h + x, 0.5)
        return h, h

    def by_numbers(h: Any, x: Any) -> Any:
        h = w * h + x if x.sum() > 0.5 else w * h - x
        return h, h

    def by_a_weight(h: Any, x: Any) -> Any:
        h = w * h + (x if w.item() > 0.25 else -x)
        return h, h

    def in_place(h: Any, x: Any) -> Any:
        h.add_(w * x)
        return h, h

    for step, why in (
        (noisy, "random numbers|dropout"),
        (by_numbers, "depends on the numbers"),
        (by_a_weight, "depends on the numbers"),
        (lambda h, x: (tg.where(x > 5, w * h, x), h), "depends on the numbers"),
        (lambda h, x: (tg.where(h.abs() < 7, w * h, x), h), "depends on the numbers"),
        (lambda h, x: (w * h + x[x.argmax()], h), "an index|depends on the numbers"),
        (lambda h, x: (w * h.detach() + x, h), "depends on the numbers"),
        (in_place, "a change in place of what the step was given"),
    ):
        with pytest.raises(RuntimeError, match=f"scan: this step cannot be compiled.*({why})"):
            bptt.scan(step, tg.zeros(3), tg.ones(2, 3), compiled=True)
    for state, x, why in (
        (tg.zeros(3).long(), tg.ones(2, 3), "state must be floating-point, got int64"),
        (tg.zeros(3), tg.ones(2, 3) > 0, "xs must be floating-point or integers, got bool"),
        (tg.zeros(3), tg.ones(2, 3).long(), "cannot be compiled.*depends on the numbers"),
    ):
        with pytest.raises(RuntimeError, match=why):
            bptt.scan(lambda h, x: (h + 1, x * w), state, x, compiled=True)
    with pytest.raises(RuntimeError, match=r"program: this cannot be written.*on the numbers"):
        bptt.program(lambda h, x: (tg.where(x > 5, w * h, x), h), tg.zeros(3), tg.ones(3))


def test_a_refusal_names_the_operation_and_the_line() -> None:
    w = tg.tensor(0.5, requires_grad=True)

    def deciding(h: Any, x: Any) -> Any:
        y = w * h + x
        y = tg.where(x > 5, y, x)  # here
        return y, y

    def branching(h: Any, x: Any) -> Any:
        y = w * h
        if x.sum() > 0:
            y = y + x  # here
        else:
            y = y - x
        return y, y

    def unknown(h: Any, x: Any) -> Any:
        y = w * h + x
        return y * y.median(), y  # here

    def without_rule(h: Any, x: Any) -> Any:
        y = tg.prod(w * h) + x  # here
        return y, y

    for step, operation in (
        (deciding, "decision"), (branching, "decision"), (unknown, "median: its forward"),
        (without_rule, "prod: its derivative rule"),
    ):  # fmt: skip
        code, first = inspect.getsourcelines(step)
        line = next(n for n, text in enumerate(code, first) if "# here" in text)
        where = rf"{operation}[\s\S]*line {line}, in {step.__name__}\n"
        with pytest.raises(RuntimeError, match=f"cannot be compiled[\\s\\S]*{where}"):
            bptt.scan(step, tg.zeros(3), tg.ones(2, 3), compiled=True)
        with pytest.raises(RuntimeError, match=f"cannot be written[\\s\\S]*{where}"):
            bptt.program(step, tg.zeros(3), tg.ones(3))


def test_a_step_may_know_integers() -> None:
    w, mask = tg.tensor(0.5, requires_grad=True), tg.tensor([1, 0, 1])

    def step(h: Any, x: Any) -> Any:
        h = tg.where(mask == 1, w * h + x, h - w) + mask
        return h, h

    for values in ([1, 0, 1], [0, 0, 1]):
        mask.copy_(tg.tensor(values))
        found, _ = bptt.scan(step, tg.zeros(3), tg.ones(2, 3), compiled=True)
        expected, _ = bptt.scan(step, tg.zeros(3), tg.ones(2, 3))
        assert tg.allclose(found, expected)


def character_model(kind: str, size: int = 5) -> tuple[Any, list[Any]]:
    """A step that reads characters and is told the next ones, and its weights."""
    emb = tg.nn.Embedding(size, 3, padding_idx=1 if kind == "padding" else None, dtype=tg.float64)
    cell, head = tg.nn.GRUCell(3, 4, dtype=tg.float64), tg.nn.Linear(4, size, dtype=tg.float64)
    table, F = emb.weight, tg.nn.functional

    def step(h: Any, x: Any) -> Any:
        now, then = x
        if kind == "index":
            read = table[now]
        elif kind == "select":
            read = tg.index_select(table, 0, now)
        elif kind == "flat":
            read = emb(now.reshape(-1, 1)).view(len(now), 3) + emb(then)
        elif kind == "of the state":
            read = emb(now) * h.sum() + table[4 - now]
        else:
            read = emb(now)
        h = cell(read, h)
        if kind == "gathered":
            return h, F.log_softmax(head(h), 1).gather(1, then.unsqueeze(1)).squeeze(1)
        return h, F.cross_entropy(head(h), then, reduction="sum" if kind == "sum" else "mean")

    return step, [p for m in (emb, cell, head) for p in m.parameters()]


@pytest.mark.parametrize("size", [2, 5])  # of few, many are alike
@pytest.mark.parametrize("batch", [1, 2, 6])
@pytest.mark.parametrize("kind", ["plain", "padding", "index", "select", "flat", "gathered", "sum"])
def test_a_step_may_be_given_integers(kind: str, batch: int, size: int) -> None:
    tg.manual_seed(batch)
    step, weights = character_model(kind, size)
    zero = tg.zeros(batch, 4, dtype=tg.float64)
    for _ in range(2):  # other integers, by the same program
        text = tg.randint(0, size, (7, batch))
        results = []
        for fast in (False, True):
            h, losses = bptt.scan(step, zero, (text[:-1], text[1:]), compiled=fast)
            grads = tg.autograd.grad(losses.sum() + (h**2).sum(), weights)
            results.append([losses.detach().numpy(), *[g.numpy() for g in grads]])
        for a, b in zip(*results, strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-9, atol=1e-12)


def test_integers_that_are_computed_with_are_refused() -> None:
    step, _ = character_model("of the state")
    x = tg.randint(0, 5, (3, 2)), tg.randint(0, 5, (3, 2))
    with pytest.raises(RuntimeError, match="depends on the numbers"):
        bptt.scan(step, tg.zeros(2, 4, dtype=tg.float64), x, compiled=True)


def test_scan_says_what_is_wrong() -> None:
    def step(h: Any, x: Any) -> Any:
        return h + x, h

    with pytest.raises(TypeError, match="state must be a Tensor"):
        bptt.scan(step, 1.0, tg.ones(2, 3))
    with pytest.raises(ValueError, match="one length of at least 1"):
        bptt.scan(step, tg.zeros(3), tg.ones(0, 3))
    with pytest.raises(ValueError, match="one length of at least 1"):
        bptt.scan(step, tg.zeros(3), (tg.ones(2, 3), tg.ones(3, 3)))
    with pytest.raises(TypeError, match=r"must return \(state, y\)"):
        bptt.scan(lambda h, x: h + x, tg.zeros(3), tg.ones(2, 3))
    with pytest.raises(ValueError, match=r"the state had shape \(1,\)"):
        bptt.scan(step, tg.zeros(1), tg.ones(2, 3))


# -- the program to read -------------------------------------------------------------------------


def executed(text: str) -> dict[str, Any]:
    """The functions of a program that has NumPy and nothing else."""
    assert [line for line in text.splitlines() if "import" in line] == ["import numpy as np"]
    namespace: dict[str, Any] = {}
    exec(text, namespace)
    return namespace


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("bias", [True, False])
def test_the_program_of_a_layer_computes_what_the_walk_does(kind: str, bias: bool) -> None:
    tg.manual_seed(0)
    net = getattr(tg.nn, kind)(SIZE, HIDDEN, bias=bias, dtype=tg.float64)
    x = tg.randn(STEPS, BATCH, SIZE, dtype=tg.float64).requires_grad_()
    count = 2 if kind == "LSTM" else 1
    states = [tg.randn(1, BATCH, HIDDEN, dtype=tg.float64).requires_grad_() for _ in range(count)]
    output, last = net(x, tuple(states) if count == 2 else states[0])
    last = last if count == 2 else (last,)
    numbers = np.random.default_rng(0)
    g_y, *g_states = (numbers.normal(size=r.shape) for r in (output, *last))
    tg.autograd.backward([output, *last], [tg.tensor(g) for g in (g_y, *g_states)])
    text = bptt.program(net, batch=BATCH)
    assert max(map(len, text.splitlines())) <= 110
    run = executed(text)
    weights = [w.detach().numpy() for w in net.parameters()]
    (y,), ends, saved = run["forward"](
        x.detach().numpy(), *[s.detach().numpy()[0] for s in states], *weights
    )
    np.testing.assert_allclose(y, output.detach().numpy(), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(ends[0], last[0].detach().numpy()[0], rtol=1e-12, atol=1e-14)
    (d_x,), d_states, d_weights = run["backward"](g_y, *[g[0] for g in g_states], saved)
    expected = [x.grad, *[s.grad[0] for s in states], *[w.grad for w in net.parameters()]]
    for a, b in zip([d_x, *d_states, *d_weights], expected, strict=True):
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("seed", range(40))
def test_programs_of_random_steps(seed: int) -> None:
    step, states, weights = random_step(seed)
    numbers = np.random.default_rng(seed)
    start = [tg.tensor(0.5 * numbers.normal(size=s), requires_grad=True) for s in states]
    w = [tg.tensor(0.5 * numbers.normal(size=s), requires_grad=True) for s in weights]
    x = tg.tensor(numbers.normal(size=(STEPS, BATCH, SIZE)), requires_grad=True)

    def one(state: Any, x: Any) -> Any:
        after, (y,) = step(list(state), [x], w)
        return tuple(after), y

    state, y = bptt.scan(one, tuple(start), x)
    g_y, g_states = numbers.normal(size=y.shape), [numbers.normal(size=s) for s in states]
    loss = (y * tg.tensor(g_y)).sum()
    for s, g in zip(state, g_states):
        loss = loss + (s * tg.tensor(g)).sum()
    if loss.requires_grad:
        loss.backward()
    run = executed(bptt.program(one, tuple(start), x[0]))
    given = list(inspect.signature(run["forward"]).parameters)[1 + len(start) :]
    w = [w[int(name.removeprefix("w")) - 1] for name in given]  # the others are not used
    (got,), _, saved = run["forward"](x.array, *[s.array for s in start], *[c.array for c in w])
    np.testing.assert_allclose(got, y.detach().numpy(), rtol=1e-10, atol=1e-12)
    (d_x,), d_states, d_weights = run["backward"](g_y, *g_states, saved)
    for a, b in zip([d_x, *d_states, *d_weights], [x, *start, *w], strict=True):
        expected = np.zeros(b.shape) if b.grad is None else b.grad.numpy()
        np.testing.assert_allclose(a, expected, rtol=1e-8, atol=1e-10)


def test_what_has_no_program_is_said() -> None:
    with pytest.raises(TypeError, match="expected a Record, a recurrent layer, a cell, or a step"):
        bptt.program(3)
    with pytest.raises(TypeError, match="an example of its state is needed"):
        bptt.program(lambda h, x: (h, h))
    with pytest.raises(RuntimeError, match="program: this cannot be written, because of"):
        bptt.program(lambda h, x: (h * h.median(), h), tg.ones(3), tg.ones(3))
