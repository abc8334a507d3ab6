"""Tensors are called as the program calls them, at every step.

Each program is a text of its own, run as a file would be; what is expected stands beside it.
"""

from __future__ import annotations

import gc
import linecache
import re
import sys
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
import test_time

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, nn, viz
from tinygrad_rnn.bptt import Record
from tinygrad_rnn.reading.given import is_inline
from tinygrad_rnn.reading.names import expression, names
from tinygrad_rnn.reading.time import in_time

WAYS = ("variables", "lines")
INVENTED = re.compile(r"\bv\d+|#\d")  # a number where there is no name, or not one of its own


def run(program: str, way: str) -> Record:
    """What a program's variable ``walk`` holds at its end, its lines traced or not."""
    file = f"<program {hash(program)}>"
    linecache.cache[file] = (len(program), None, program.splitlines(keepends=True), file)
    space: dict[str, Any] = {"torch": tg, "nn": nn, "F": nn.functional, "record": bptt.record}
    tg.manual_seed(0)
    code = compile(program, file, "exec")
    if way == "lines":
        with bptt.traced():
            exec(code, space)
    else:
        exec(code, space)
    walk = space["walk"]
    assert isinstance(walk, Record)
    return walk


def named(walk: Record) -> list[str]:
    """The names of all that has a box, oldest first."""
    known = names(walk.places, walk.called)
    return [known[place] for place in walk.places if not is_inline(place)]


def has(walk: Record, wanted: str) -> None:
    found = named(walk)
    assert not {*wanted.split()} - {*found}, found


BY_LINEAR_AND_CAT = """
i2h, i2o = nn.Linear(5, 3), nn.Linear(5, 2)
hidden = torch.zeros(1, 3)
for x in torch.randn(3, 1, 2):
    combined = torch.cat((x, hidden), 1)
    hidden = i2h(combined)
    output = i2o(combined)
loss = F.cross_entropy(output, torch.tensor([1]))
walk = record(loss)
"""


@pytest.mark.parametrize("way", WAYS)
def test_the_first_step_looks_like_the_others(way: str) -> None:
    walk = run(BY_LINEAR_AND_CAT, way)
    known = names(walk.places, walk.called)
    told = {known[place]: expression(place, known) for place in walk.places}
    assert told["combined₁"] == "= [x₁ ; hidden₀]"
    assert told["combined₂"] == "= [x₂ ; hidden₁]"
    assert told["hidden₂"] == "= combined₂ @ i2h.weightᵀ + i2h.bias"
    assert {"x₂", "x₃", "hidden₁", "combined₃", "i2o.weight", "i2o.bias", "loss"} <= {*told}


@pytest.mark.parametrize("way", WAYS)
def test_lists_of_parameters(way: str) -> None:
    walk = run(
        """
W = nn.ParameterList([torch.randn(2, 3), torch.randn(3, 3)])
h = torch.zeros(1, 3)
for x in torch.randn(3, 1, 2):
    h = torch.tanh(x @ W[0] + h @ W[1])
walk = record(h.sum())
""",
        way,
    )
    has(walk, "W[0] W[1] x₁ x₂ x₃ h₀ h₁ h₂ h₃ a_h₁ a_h₂ a_h₃ loss")


@pytest.mark.parametrize("way", WAYS)
def test_an_lstm_by_hand(way: str) -> None:
    walk = run(
        """
W, U, b = (torch.randn(*n, requires_grad=True) for n in ((2, 12), (3, 12), (12,)))
h, c = torch.zeros(1, 3), torch.zeros(1, 3)
for x in torch.randn(3, 1, 2):
    gates = x @ W + h @ U + b
    i, f, g, o = gates.chunk(4, 1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    h = torch.sigmoid(o) * torch.tanh(c)
walk = record(h.sum())
""",
        way,
    )
    has(walk, "W U b h₀ c₀ gates₁ gates₃ i₁ f₂ g₃ o₁ c₁ c₂ c₃ h₁ h₂ h₃")


def test_members_that_are_made_in_turn_have_their_variables_names() -> None:
    walk = run(
        """
def cell(x, h, c, w):
    xh = torch.cat([x, h], 1)
    a = {k: xh @ w[k] for k in "ifog"}
    i, f, o = (torch.sigmoid(a[k]) for k in "ifo")
    g, = [torch.tanh(a[k]) for k in "g"]
    c = f * c + i * g
    return o * torch.tanh(c), c

w = {k: torch.randn(5, 3, requires_grad=True) for k in "ifog"}
h = c = torch.zeros(2, 3)
for x in torch.randn(3, 2, 2):
    h, c = cell(x, h, c, w)
walk = record(h.sum())
""",
        "lines",
    )
    gates = " ".join(f"{gate}{t} a_{gate}{t}" for gate in "ifog" for t in "₁₂₃")
    has(walk, f"{gates} c₁ c₂ c₃ h₁ h₂ h₃ xh₂ xh₃")
    assert not [name for name in named(walk) if "#" in name and "w" not in name]


@pytest.mark.parametrize("way", WAYS)
def test_attention(way: str) -> None:
    walk = run(
        """
memory, query = torch.randn(4, 3), nn.Linear(3, 3)
cell, h = nn.GRUCell(3, 3), torch.zeros(1, 3)
for t in range(3):
    scores = query(h) @ memory.t()
    weights = torch.softmax(scores, 1)
    context = weights @ memory
    h = cell(context, h)
walk = record(h.sum())
""",
        way,
    )
    has(walk, "memory h₀ scores₁ scores₃ weights₁ weights₂ context₁ context₃ h₁ h₃")


@pytest.mark.parametrize("way", WAYS)
def test_attributes_of_modules_and_of_objects(way: str) -> None:
    walk = run(
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.RNNCell(2, 3)
        self.state = None
    def forward(self, x):
        self.state = self.cell(x, self.state) * 0.5
        return self.state
class Head:
    def __init__(self):
        self.V = torch.randn(3, 1, requires_grad=True)
net, head = Net(), Head()
for x in torch.randn(3, 1, 2):
    net(x)
walk = record((net.state @ head.V).sum())
""",
        way,
    )
    has(walk, "V x₁ x₂ x₃ state₁ state₂ state₃")


@pytest.mark.parametrize("way", WAYS)
def test_sums_walrus_and_other_assignments(way: str) -> None:
    walk = run(
        """
w = torch.randn(3, 3, requires_grad=True)
h, total = torch.ones(1, 3), torch.zeros(())
for t in range(3):
    if (z := torch.relu(h @ w)) is not None:
        h = torch.tanh(z) - z
    total += (h ** 2).sum()
walk = record(total)
""",
        way,
    )
    has(walk, "w h₀ z₁ z₂ z₃ h₁ h₂ h₃ total₁ total₂ total")


def test_a_comprehension_by_its_list() -> None:
    program = """
cell, h = nn.GRUCell(2, 3), [torch.zeros(1, 3)]
w = torch.randn(3, 3, requires_grad=True)
[h.append(torch.tanh(h[-1] @ w)) for t in range(3)]
walk = record(torch.stack(h).sum())
"""
    has(run(program, "variables"), "w h₁ h₂ h₃")
    has(run(program, "lines"), "w h₁ h₂ h₃")


IN_A_FUNCTION = """
def step(x, h):
    return torch.tanh(x @ u + h @ w)
def unroll(xs):
    h = torch.zeros(1, 3)
    for x in xs:
        h = step(x, h)
    return h
u, w = torch.randn(2, 3, requires_grad=True), torch.randn(3, 3, requires_grad=True)
out = unroll(torch.randn(3, 1, 2))
walk = record(out.sum())
"""


def test_what_a_function_returns_is_what_its_caller_calls_it() -> None:
    has(run(IN_A_FUNCTION, "lines"), "u w x₁ x₂ h₀ h₁ h₂ h₃")
    has(run(IN_A_FUNCTION, "variables"), "u w out₁ out₂ out₃")  # so far as is known


def test_given_names_win() -> None:
    walk = run(
        """
w = torch.randn(3, 3, requires_grad=True).named("W_hh")
h = torch.ones(1, 3)
for t in range(3):
    h = torch.tanh(h @ w).named("state")
walk = record(h.sum())
""",
        "lines",
    )
    assert {"W_hh", "state₁", "state₂", "state₃"} <= {*named(walk)}
    assert not {"w", "h₁", "h₂", "h₃"} & {*named(walk)}


def test_two_nets_without_a_common_module_keep_their_parameters_apart() -> None:
    def losses() -> tg.Tensor:
        one, other = nn.Linear(2, 2), nn.Linear(2, 2)
        return other(one(tg.ones(1, 2))).sum()

    found = named(bptt.record(losses()))  # whose variables are gone
    assert {"linear.weight", "linear 2.weight", "linear.bias", "linear 2.bias"} <= {*found}
    one, other = nn.Linear(2, 2), nn.Linear(2, 2)
    found = named(bptt.record(other(one(tg.ones(1, 2))).sum()))
    assert {"one.weight", "other.weight", "one.bias", "other.bias"} <= {*found}


def test_only_the_code_that_asks_is_looked_at() -> None:
    def ask(it: tg.Tensor) -> Record:
        return bptt.record(it.sum())

    outer = tg.ones(2, requires_grad=True) * 2
    found = named(ask(outer))
    assert "it" in found
    assert "outer" not in found


def test_draw_and_play_look_too(tmp_path: Any) -> None:
    weight = tg.ones(2, requires_grad=True)
    twice = weight * 2
    assert {"weight", "twice"} <= {*_boxes(viz.draw(twice.exp()).svg)}
    page = viz.play(twice.exp().sum(), tmp_path / "walk.html").read_text(encoding="utf-8")
    assert ">twice</text>" in page


def _boxes(svg: str) -> list[str]:
    return re.findall(r'class="name"[^>]*>([^<]*)<', svg)


def test_nothing_is_kept_alive() -> None:
    def ask() -> tuple[Record, Any, list[int]]:
        big, other = tg.ones(1000), tg.ones(3, requires_grad=True)
        before = locals()
        watched = weakref.ref(big.array)
        walk = bptt.record(other.sum())
        assert "big" in before  # who asked for locals() keeps them
        del big
        before.clear()
        return walk, watched, []

    walk, watched, _ = ask()
    assert watched() is None
    assert [*walk.called.values()] == ["other"]

    def again() -> bool:
        big, other = tg.ones(1000), tg.ones(3, requires_grad=True)
        watched = weakref.ref(big.array)
        bptt.record(other.sum())
        del big
        return watched() is None

    gc.disable()
    try:
        assert again()
    finally:
        gc.enable()


def test_hostile_variables_break_nothing() -> None:
    class Proxy:
        def __getattribute__(self, name: str) -> Any:
            raise RuntimeError("do not touch")

    proxy, loop = Proxy(), []  # noqa: F841
    loop.append(loop)
    space = {"two\nlines\u202e": tg.ones(2, requires_grad=True)}
    found = named(bptt.record((space["two\nlines\u202e"] * 2).sum()))
    assert "space[two lines]" in found


def test_named_as_told_by_steps_of_its_own() -> None:
    w, h = tg.randn(3, 3, requires_grad=True), tg.ones(1, 3)
    for t in range(1, 4):
        with tg.step(t):
            h = tg.tanh(h @ w)
    has(bptt.record(h.sum()), "w h₀ h₁ h₂ h₃")


def test_few_names_are_invented() -> None:
    """Although the variables of these programs are gone when they are asked for."""
    for way in ("structure", "lines"):
        found: list[str] = []
        for program, _ in test_time.PROGRAMS.values():
            with test_time.looked_at(way):
                walk = bptt.record(program())
            found += named(walk)
        invented = [name for name in found if INVENTED.search(name)]
        assert len(invented) < len(found) * {"structure": 0.16, "lines": 0.12}[way], way
        numbered = [name for name in invented if "#" not in name]
        assert len(numbered) < len(found) / 30


def test_first_states_of_a_packed_layer() -> None:
    pack = nn.utils.rnn.pack_padded_sequence
    lstm = nn.LSTM(2, 3)
    packed = pack(tg.randn(4, 2, 2), tg.tensor([4, 2]))
    _, (h, _) = lstm(packed)
    walk = bptt.record(h.sum())
    has(walk, "h₀ c₀")
    assert not [name for name in named(walk) if re.match(r"v\d", name)]


def test_members_of_a_list_are_called_by_their_place() -> None:
    """One statement fills the list; what several fill is not known to be in their order."""
    walk = run(
        """
ws = [torch.randn(2, 2, requires_grad=True) for _ in range(2)]
states = [torch.zeros(1, 2), torch.zeros(1, 2)]
for x in torch.randn(3, 1, 2):
    for layer, w in enumerate(ws):
        states[layer] = torch.tanh(x + states[layer] @ w)
        x = states[layer]
outs = []
for k in range(3):
    outs.append(torch.exp(x * 0.5))
both = []
both.append(torch.sin(x))
both.append(torch.cos(x))
walk = record(torch.stack(outs).sum() + torch.stack(both).sum())
""",
        "lines",
    )
    has(walk, "states[0]₀ states[1]₀ states[0]₃ states[1]₃ outs[0] outs[1] outs[2]")
    assert not [name for name in named(walk) if "[]" in name or name in ("both[0]", "both[1]")]


@pytest.mark.parametrize("order", ["range(3, 0, -1)", "range(1, 4)", "(2, 3, 1)"])
def test_a_list_tells_the_places_that_a_loop_fills(order: str) -> None:
    walk = run(
        f"""
x = torch.randn(3, requires_grad=True)
outs = [None] * 4
for i in {order}:
    outs[i] = torch.sin(x * i)
walk = record(torch.stack(outs[1:]).sum())
""",
        "lines",
    )
    assert "outs[0]" not in named(walk)
    called = names(walk.places, walk.called)
    for place in walk.places:
        if called[place].startswith("outs["):
            factor = place.parents[0].parents[1].value
            assert called[place] == f"outs[{int(factor)}]"


def test_a_state_that_is_wrapped_and_taken_out_again_is_the_same() -> None:
    """The layer is called once for each step, so that each call is given what the last returned."""
    walk = run(
        """
gru, h = nn.GRU(2, 3), None
for x in torch.randn(4, 1, 1, 2):
    out, h = gru(x, h)
walk = record(out.sum())
""",
        "lines",
    )
    has(walk, "h₁ h₂ h₃ h₄ r_h₂ z_h₃ n_h₄ z⊙(h′−n)")
    assert not [name for name in named(walk) if INVENTED.search(name)]


def instructions(of: Callable[[], object]) -> int:
    """How many of Python's instructions a call runs."""
    count = 0

    def see(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return see

    before = sys.gettrace()
    sys.settrace(see)
    try:
        of()
    finally:
        sys.settrace(before)
    return count


def test_long_loops_take_no_square_of_work() -> None:
    took = {}
    for steps in (100, 100, 400):  # Python 3.12 counts from the second time on
        w, h = tg.randn(2, 2, requires_grad=True), tg.ones(1, 2)
        for x in tg.randn(steps, 1, 2):
            h = tg.tanh(h @ w + x)
        walk = bptt.record(loss := h.sum())
        took[steps] = instructions(
            lambda walk=walk, loss=loss: (in_time(loss.node), names(walk.places, walk.called))
        )
    assert took[400] < 5 * took[100]


def test_variables_of_a_program_that_has_run() -> None:
    """Its tensors have the names that it gave them, not one of what holds its variables."""
    space: dict[str, Any] = {"torch": tg}
    exec("w = torch.ones(2, requires_grad=True)\nloss = (w * w).sum()", space)
    walk = bptt.record(space["loss"])
    assert {*walk.called.values()} >= {"w", "loss"}
    has(walk, "w loss")
