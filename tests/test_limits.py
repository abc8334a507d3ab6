"""What is too much: refused by count or by size before it costs anything, and in one line."""

from __future__ import annotations

import random
import re
import time
from itertools import product

import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, cli, viz
from tinygrad_rnn.cli import samples
from tinygrad_rnn.engine.graph import place
from tinygrad_rnn.viz.player.walk import boxed

F = tg.nn.functional

# -- graphs that share much ----------------------------------------------------------------------

SECONDS = 20.0  # of processor time; a tree of any of these graphs would take years
KINDS = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b * 0.5,
    "mul": lambda a, b: a * b,
    "tanh": lambda a, b: tg.tanh(a) * b,
    "stack": lambda a, b: tg.stack([a, b, a]).mean(),
}


def shared(seed, size):
    """A random graph in which nearly every operation uses the one before it twice."""
    chance = random.Random(seed)
    w = tg.tensor(0.5, requires_grad=True).named("w")
    pool = [tg.tensor(0.25, requires_grad=True), w]
    kinds = chance.choice([["add"], ["add", "mul"], ["add", "sub", "mul", "tanh", "stack"]])
    timed, named = chance.random() < 0.6, chance.random() < 0.5
    each = chance.choice((1, 3, 10))
    for i in range(size):
        with tg.step(i // each + 1 if timed else None):
            a, b = pool[-1], pool[-1] if chance.random() < 0.7 else chance.choice(pool[-4:])
            y = KINDS[chance.choice(kinds)](a, b) * (0.5 if chance.random() < 0.3 else 1.0)
            pool.append(y.named(chance.choice("abc")) if named and chance.random() < 0.3 else y)
    return pool[-1], w


@pytest.mark.parametrize("seed", range(12))
def test_everything_of_a_graph_that_shares_much(seed, tmp_path):
    loss, w = shared(seed, 60)
    walk = bptt.record(loss)
    told = bptt.explain(walk, w)
    everything = {
        **{
            f"{level}, {steps}": lambda level=level, steps=steps: (
                viz.draw(walk, level=level, steps=steps).svg
            )
            for level, steps in product(("op", "cell", "auto"), ("auto", "all"))
        },
        "step": lambda: viz.draw(walk, level="step"),
        "dot": lambda: viz.to_dot(walk).source,
        "play": lambda: viz.play(walk, tmp_path / "a.html"),
        "text": lambda: str(told),
        "latex": lambda: told.latex,
        "markdown": lambda: told.markdown,
        "contributions": lambda: bptt.contributions(walk, w),
        "flow": lambda: bptt.flow(walk),
        "gradient_flow": lambda: viz.gradient_flow(walk),
        "jacobians": lambda: bptt.jacobians(walk),
        "diagnose": lambda: str(bptt.diagnose(walk)),
    }
    for name, do in everything.items():
        began = time.process_time()
        try:
            do()
        except ValueError as error:  # no states, no steps
            assert re.search("step|state", str(error)), name  # noqa: PT017
        assert time.process_time() - began < SECONDS, name


@pytest.mark.parametrize("level", ["op", "cell", "auto"])
def test_a_sum_of_sums_of_sums(level):
    y = tg.tensor(1.0, requires_grad=True).named("y")
    for _ in range(24):
        y = y + y
    assert viz.draw(y, level=level).svg


def test_a_sum_says_how_often_a_term_comes():
    x, y = (tg.tensor(1.0, requires_grad=True).named(name) for name in "xy")
    total = x + y
    for n, said in ((1, "2·x + 2·y"), (2, "4·x + 4·y"), (30, "…·x + …·y")):
        for _ in range(n):
            total = total + total
        total = total + x
        svg = viz.draw(total, level="cell").svg
        expected = said.replace("2·x", "3·x").replace("4·x", "13·x").replace("4·y", "8·y")
        assert f"= {expected}" in svg, re.findall("= [^<]*", svg)


def test_a_long_sum_in_one_box_is_linear():
    x = tg.tensor(1.0, requires_grad=True).named("x")
    for _ in range(3000):
        x = x + tg.tanh(x)  # each sum is used by more than the next one
    began = time.process_time()
    viz.draw(x, level="cell")
    assert time.process_time() - began < SECONDS


# -- arrays that are too large -------------------------------------------------------------------

MANY = 2**46  # 256 TiB of float32: more than any address space


def wide():
    return tg.ones(1).expand(MANY)


x, column = tg.ones(2, requires_grad=True), tg.ones(2**23)
index = tg.zeros(1, dtype=tg.int64)
TOO_LARGE = {
    "randn": lambda: tg.randn(MANY),
    "rand": lambda: tg.rand(MANY),
    "randint": lambda: tg.randint(0, 9, (MANY,)),
    "randperm": lambda: tg.randperm(MANY),
    "normal": lambda: tg.normal(0.0, 1.0, (MANY,)),
    "randn_like": lambda: tg.randn_like(wide()),
    "multinomial": lambda: tg.multinomial(tg.ones(2), MANY, replacement=True),
    "zeros": lambda: tg.zeros(MANY),
    "ones": lambda: tg.ones(2**23, 2**23),
    "full": lambda: tg.full((MANY,), 1.0),
    "empty": lambda: tg.empty(MANY),
    "zeros_like": lambda: tg.zeros_like(wide()),
    "arange": lambda: tg.arange(MANY),
    "linspace": lambda: tg.linspace(0, 1, MANY),
    "linspace of more than there are addresses": lambda: tg.linspace(0, 1, 2**62),
    "eye": lambda: tg.eye(2**23),
    "eye of more than there are addresses": lambda: tg.eye(2**40),
    "repeat": lambda: x.repeat(MANY),
    "repeat of more than there are addresses": lambda: x.repeat(2**62),
    "repeat_interleave": lambda: x.repeat_interleave(MANY),
    "outer": lambda: tg.outer(column, column),
    "matmul": lambda: column[:, None] @ column[None],
    "add": lambda: column[:, None] + column,
    "mul": lambda: column[:, None] * column,
    "gt": lambda: column[:, None] > column,
    "isnan": lambda: tg.isnan(wide()),
    "tanh": lambda: tg.tanh(wide()),
    "contiguous": lambda: wide().contiguous(),
    "clone": lambda: wide().clone(),
    "to": lambda: wide().double(),
    "cat": lambda: tg.cat([wide(), wide()]),
    "stack": lambda: tg.stack([wide(), wide()]),
    "one_hot": lambda: F.one_hot(tg.arange(3), MANY),
    "pad": lambda: F.pad(x, (0, MANY)),
    "linear": lambda: F.linear(column[:, None], column[:, None]),
    "dropout": lambda: F.dropout(wide()),
    "index_select": lambda: tg.index_select(tg.zeros(3), 0, index.expand(MANY)),
    "gather": lambda: tg.gather(tg.zeros(3), 0, index.expand(MANY)),
    "masked_select": lambda: tg.masked_select(wide(), tg.ones(1, dtype=tg.bool)),
    "sort": lambda: tg.sort(wide()),
    "Linear": lambda: tg.nn.Linear(2**23, 2**23),
    "LSTM": lambda: tg.nn.LSTM(2**23, 2**23),
    "Embedding": lambda: tg.nn.Embedding(MANY, 2),
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_is_too_large_is_a_runtime_error(name):
    """As PyTorch's, in one line that names the operation and a size."""
    with pytest.raises(RuntimeError, match=r"^\S+: .*\d") as caught:
        TOO_LARGE[name]()
    assert "\n" not in str(caught.value)


def test_an_operation_works_after_one_was_too_large():
    with pytest.raises(RuntimeError, match=r"^outer: not enough memory|^mul: not enough memory"):
        tg.outer(column.requires_grad_(), column)
    y = x * 2
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


# -- the command line ----------------------------------------------------------------------------

OPTIONS = {"--steps", "--layers", "--level", "--hidden", "--inputs", "--seed", "--ops", "--torch"}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("play --steps 200000", "this net has 3,400,017 boxes, and a readable picture at most"),
        (
            "play --steps 200000 --layers 3 --bidirectional --every-step",
            "fewer --steps or --layers",
        ),
        ("play --layers 100000", "fewer --steps or --layers"),
        ("draw --level op --layers 90", "--level cell, --level step, fewer --steps or --layers"),
        ("draw --level cell --layers 60", "use --level step, fewer --steps or --layers"),
        ("draw --hidden 10000000000", "not enough memory"),
        ("draw --steps 99999999999999999", "not enough memory"),
        ("draw --steps 5000000000000000000", "randn: "),
        ("draw --seed 99999999999999999999999", "does not fit 64 bits"),
    ],
)
def test_commands_refuse_in_one_line_what_is_too_much(command, said, tmp_path, capsys):
    path = tmp_path / ("a.html" if command.startswith("play") else "a.svg")
    began = time.process_time()
    assert cli.main([*command.split(), "-o", str(path)]) == 2
    assert time.process_time() - began < SECONDS
    error = capsys.readouterr().err
    assert error.startswith("tinygrad-rnn: error: ")
    assert said in error
    assert error.count("\n") == 1
    assert not re.search(r"max_nodes|level=|steps=|`", error)  # none of which the command has
    assert set(re.findall(r"--\w+", error)) <= OPTIONS
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["draw", "play"])
@pytest.mark.parametrize("name", ["a.gif", "a", "missing/a.html"])
def test_commands_refuse_a_file_before_they_compute(command, name, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(samples, "unrolled", lambda *args, **kwargs: pytest.fail("too late"))
    assert cli.main([command, "-o", str(tmp_path / name)]) == 2
    error = capsys.readouterr().err
    assert str(tmp_path / name) in error
    assert error.count("\n") == 1


def test_the_boxes_of_a_net_are_known_before_it_is_unrolled():
    for cell, layers, steps, bidirectional, every_step in product(
        samples.CELLS, (1, 2, 4), (1, 2, 5), (False, True), (False, True)
    ):
        net = {
            "layers": layers,
            "steps": steps,
            "bidirectional": bidirectional,
            "every_step": every_step,
        }
        known = samples.boxes_of(cell, **net)
        if steps > 1 or not every_step:
            assert known == len(boxed(place(samples.unrolled(cell, **net))))


def test_an_interrupted_command_is_one_line(monkeypatch, capsys, tmp_path):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(samples, "unrolled", interrupt)
    for command in (["draw", "-o", "a.svg"], ["play", "-o", "a.html"]):
        assert cli.main([*command[:2], str(tmp_path / command[2])]) == 130
        assert capsys.readouterr().err == "tinygrad-rnn: interrupted\n"


# -- pictures ------------------------------------------------------------------------------------


def test_to_dot_has_a_limit():
    y = tg.tensor(1.0, requires_grad=True)
    for _ in range(2001):
        y = tg.tanh(y)
    with pytest.raises(ValueError, match=r"^to_dot: this graph has 2,002 boxes.*max_nodes"):
        viz.to_dot(y)
    assert viz.to_dot(y, max_nodes=2002).source.count("->") == 2001
    with pytest.raises(TypeError, match="whole number"):
        viz.to_dot(y, max_nodes="all")


@pytest.mark.parametrize("steps", [400, 401, 5000])
def test_slivers_are_not_thinner_than_can_be_seen(steps):
    output, _ = tg.nn.RNN(1, 2)(tg.ones(steps + 5, 1))
    svg = viz.draw(bptt.record(output[-1].sum())).svg
    slivers, bars = (len(re.findall(f'class="{kind}"', svg)) for kind in ("sliver", "bar"))
    assert 200 <= slivers <= 400
    assert 200 <= bars / 4 <= 400  # of each weight
    assert ("one sliver each." in svg) == (steps == 400)
    assert ("for the largest of several" in svg) == (steps > 400)


def test_a_long_net_is_drawn_in_linear_time():
    """Of 100,000 steps in ten seconds where this was written; here a tenth of that, generously."""
    output, _ = tg.nn.RNN(2, 2)(tg.randn(10_000, 2))
    walk = bptt.record(output[-1].sum())
    began = time.process_time()
    assert len(viz.draw(walk).svg) < 10**6
    assert time.process_time() - began < SECONDS


def test_what_needs_a_record_says_so_by_its_own_name():
    output, _ = tg.nn.RNN(1, 2)(tg.ones(3, 1))
    loss = output.sum()
    calls = {
        'draw(level="step")': lambda what: viz.draw(what, level="step"),
        "gradient_flow": viz.gradient_flow,
        "heat_map": viz.heat_map,
        "flow": bptt.flow,
    }
    timeless = bptt.record(tg.tensor(1.0, requires_grad=True) * 2)
    for name, call in calls.items():
        with pytest.raises(TypeError) as caught:
            call(loss)
        expected = f"{name}: expected a Record, got Tensor: bptt.record(loss) first"
        assert str(caught.value) == expected
        with pytest.raises(ValueError, match=f"^{re.escape(name)}: no time step"):
            call(timeless)
