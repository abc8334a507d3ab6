"""The cross-check with PyTorch: agreement is seen as such, and each mistake is named."""

from __future__ import annotations

import copy
import dataclasses
import subprocess
import sys

import numpy as np
import pytest
from cases import REGISTRY

import tinygrad_rnn as tg
from tinygrad_rnn import bptt
from tinygrad_rnn.cli import demo
from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.engine.sums import Part
from tinygrad_rnn.operations.traits import traits_of, twin_of
from tinygrad_rnn.testing import (
    Tolerance,
    assert_gradients,
    assert_matches_torch,
    crosscheck,
    crosscheck_module,
    three_way,
)
from tinygrad_rnn.testing.cases import CASES
from tinygrad_rnn.testing.complex_step import complex_step, obstacle
from tinygrad_rnn.testing.divergence import (
    operations,
    walked,
    wrong_contribution,
    wrong_output,
    wrong_second_order,
)
from tinygrad_rnn.testing.modules import paired_by_step
from tinygrad_rnn.testing.pairs import written
from tinygrad_rnn.testing.runs import OURS, run

SEED = [np.array(value) for value in demo.INPUTS.values()]


# -- wrong on purpose ----------------------------------------------------------------------------


def scaled(c, factor=1.01):
    """A contribution, dense or a part, that is wrong by one in a hundred."""
    return dataclasses.replace(c, g=c.g * factor) if isinstance(c, Part) else c * factor


def plant_vjp(monkeypatch, name, only=lambda g: True):
    """Make the rules of a primitive wrong (for the cotangents that ``only`` picks)."""
    primitive = REGISTRY[name]

    def wrong(pull):
        def pulled(g, node):
            right = pull(g, node)
            if not only(g):
                return right
            return [scaled(c) for c in right] if isinstance(right, list) else scaled(right)

        return pulled

    if primitive.joint is not None:
        joint = copy.copy(primitive.joint)
        joint.pull = wrong(joint.pull)
        monkeypatch.setattr(primitive, "joint", joint)
        return
    pulls = [pull and wrong(pull) for pull in primitive.pulls]
    monkeypatch.setattr(primitive, "pulls", pulls)
    monkeypatch.setattr(primitive, "gathers", pulls)


def plant_forward(monkeypatch, name):
    primitive = REGISTRY[name]
    right = primitive.forward

    def wrong(*xs, **params):
        return right(*xs, **params) + 0.5

    monkeypatch.setattr(primitive, "forward", wrong)
    lane = primitive.apply  # bound by those who call it, and has the forward bound in turn
    for variable, cell in zip(lane.__code__.co_freevars, lane.__closure__ or ()):
        if variable == "forward":
            monkeypatch.setattr(cell, "cell_contents", wrong)


def program(lib, x, w, b):
    """Many operations, of which a wrong one changes the gradients."""
    f = lib.nn.functional
    h = f.linear(x, w, b)
    i, g = lib.chunk(lib.tanh(h), 2, -1)
    i = lib.sigmoid(i) * lib.exp(-g * g) / (1 + i * i)
    h = lib.cat([i, g], -1) @ w
    h = lib.stack([h, f.layer_norm(h, h.shape[-1:]), lib.relu(h)])
    h = lib.softmax(h, -1) - lib.log(h * h + 1)
    h = h[:, 1:] * lib.cumsum(h, 0)[..., :1, :] + lib.sqrt(lib.var(h, 1, keepdim=True) + 1)
    h = h.transpose(0, 1).reshape(2, -1)
    h = lib.where(h > 1.3, h, h**2)
    return h.mean(0).amax() + lib.logsumexp(h, 1).sum()


def arrays_of_program(dtype="float64"):
    rng = np.random.default_rng(8)
    return [rng.uniform(-1, 1, shape).astype(dtype) for shape in [(3, 2), (4, 2), (4,)]]


PLANTED = [
    "linear", "tanh", "split", "sigmoid", "exp", "mul", "div", "cat", "matmul", "stack",
    "layer_norm", "relu", "softmax", "log", "getitem", "cumsum", "sqrt", "var", "permute",
    "reshape", "where", "pow", "mean", "amax", "logsumexp", "sub", "add", "neg", "sum",
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_right_as_it_is(dtype, torch):
    result = crosscheck(program, *arrays_of_program(dtype), second_order=dtype == "float64")
    assert result.ok, str(result)
    assert result.divergences == ()
    assert str(result).startswith("crosscheck: agrees with PyTorch\n")


@pytest.mark.parametrize("name", PLANTED)
def test_a_wrong_vjp_is_named(name, torch, monkeypatch):
    plant_vjp(monkeypatch, name)
    result = crosscheck(program, *arrays_of_program())
    assert not result.ok
    assert result["output"].ok
    assert result.operation == name
    (found,) = result.divergences
    assert (found.direction, found.reference) == ("backward", "PyTorch")
    np.testing.assert_allclose(found.ours, found.theirs * 1.01, atol=1e-12)
    assert f"backward: the first operation that differs is {name} (visit " in str(result)
    assert f": {written(found.ours)}, PyTorch {written(found.theirs)}" in str(result)
    if found.ours.size > 12:
        assert "; most at (" in str(found)


FLAT = {"sign", "floor", "ceil", "trunc", "round", "floor_divide", "trunc_divide"}  # slope 0
UNSEEN = {"as_strided"}  # never run


@pytest.mark.parametrize("plant", [plant_vjp, plant_forward])
@pytest.mark.parametrize("name", CASES)
def test_every_primitive_is_named_if_it_is_wrong(name, plant, torch, monkeypatch):
    plant(monkeypatch, name)
    for case in CASES[name]:
        if "torch" in case.categories and any(array.size for array in case.arrays):
            result = crosscheck(case.fn, *case.arrays)
            if not result.ok:
                assert result.operation == name, str(result)
                return
    assert name in (FLAT if plant is plant_vjp else UNSEEN)


@pytest.mark.parametrize("name", ["tanh", "cat", "getitem", "mul"])
def test_a_wrong_vjp_is_named_in_float32(name, torch, monkeypatch):
    plant_vjp(monkeypatch, name)
    assert crosscheck(program, *arrays_of_program("float32")).operation == name


@pytest.mark.parametrize("name", ["linear", "cumsum", "layer_norm", "logsumexp", "stack", "var"])
def test_a_wrong_forward_is_named(name, torch, monkeypatch):
    plant_forward(monkeypatch, name)
    result = crosscheck(program, *arrays_of_program())
    assert result.operation == name
    assert result.divergences[0].direction == "forward"
    np.testing.assert_allclose(result.divergences[0].ours, result.divergences[0].theirs + 0.5)


@pytest.mark.parametrize("name", ["tanh", "exp", "softmax", "div"])
def test_a_wrong_second_derivative_is_named(name, torch, monkeypatch):
    plant_vjp(monkeypatch, name, only=lambda g: isinstance(g, Variable))
    assert crosscheck(program, *arrays_of_program()).ok
    result = crosscheck(program, *arrays_of_program(), second_order=True)
    assert result.operation == name
    assert result.divergences[0].direction == "second order"


def test_the_first_of_two_is_named_where_and_when_it_ran(torch, monkeypatch):
    plant_vjp(monkeypatch, "tanh")
    plant_vjp(monkeypatch, "matmul")
    rnn = tg.nn.RNN(2, 3, dtype=tg.float64)
    result = crosscheck_module(rnn, np.ones((4, 1, 2)))
    assert result.operation == "tanh"  # newest first: that of the last step
    assert result.divergences[0].node.tag.step == 4
    assert "tanh in rnn layer 0 at step 4 (visit" in str(result)
    assert not result["gradient of weight_hh_l0 by step"].ok


def test_wrong_sums_of_right_contributions(torch, monkeypatch):
    linear = REGISTRY["linear"]
    monkeypatch.setattr(
        linear, "gathers", [p and (lambda g, n, p=p: p(g, n) * 2) for p in linear.pulls]
    )
    result = crosscheck(program, *arrays_of_program())
    assert not result.ok
    assert result.divergences == ()
    assert "adding up of contributions" in result.heading


# -- the twins, and central differences, on every case -------------------------------------------


def test_every_primitive_has_a_twin():
    assert [name for name in REGISTRY if twin_of(REGISTRY[name]) is None] == []


@pytest.mark.parametrize("name", CASES)
def test_twins_compute_the_same(name, torch):
    for case in CASES[name]:
        with bptt.keep_values():
            done = run(OURS, case.fn, case.arrays)
        assert done.error is None
        for node in operations(done.outputs.values()):
            assert wrong_output(torch, node, Tolerance()) is None, str(case)
            if "torch" in case.categories:
                assert wrong_second_order(torch, node, Tolerance()) is None, str(case)
        for visit in walked(done.ends, done.cotangents):
            assert wrong_contribution(torch, visit, Tolerance()) is None, str(case)


@pytest.mark.parametrize("name", CASES)
def test_complex_steps_are_exact(name):
    passed = 0
    for case in CASES[name]:
        if "gradcheck" not in case.categories:
            continue
        with bptt.keep_values():
            done = run(OURS, case.fn, case.arrays)
            pairs = zip(done.ends, done.cotangents, strict=True)
            total = sum((y * v).sum() for y, v in pairs)
        if not obstacle(total):
            for x, g in zip(complex_step(total, list(done.wanted.values())), done.first.values()):
                g = np.zeros(x.shape) if g is None else g.array
                np.testing.assert_allclose(x, g, rtol=1e-11, atol=1e-12, err_msg=str(case))
            passed += 1
    assert bool(passed) == bool(traits_of(REGISTRY[name]).analytic)


# -- agreement ------------------------------------------------------------------------------------


def in_place(lib, x, v):
    y = x * 1
    view = y[1]
    y[0] = v
    y.T.mul_(2)
    return y, view


CALLS = {
    "views": lambda lib, x, v: (x.T, x[:, ::2], x.reshape(-1)[2:], x.unsqueeze(0).expand(2, 2, 3)),
    "in place": in_place,
    "indexing": lambda lib, x, v: (x[lib.tensor([0, 0, 1])], x[x > 0], x[..., None, 1]),
    "reductions": lambda lib, x, v: (x.sum(), x.var(0), x.prod(1), x.max(1), x.median()),
    "integers": lambda lib, x, v: (x.argmax(1), lib.arange(3), (x > 0).sum()),
    "no gradient": lambda lib, x, v: (x.detach() * 2, lib.zeros(2), x * v),
    "nested": lambda lib, x, v: {"a": [x, (v, 3)], "b": {"c": x.shape, "d": None, "e": x.dtype}},
    "unused": lambda lib, x, v: x.sum(),
    "nan": lambda lib, x, v: lib.log(x - 10) + v / 0,
    "nothing": lambda lib, x, v: None,
    "random": lambda lib, x, v: lib.nn.functional.dropout(x, 0.5) * lib.rand(3),
    "own derivative": lambda lib, x, v: lib.autograd.grad((x**3 * v).sum(), x, create_graph=True),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", CALLS)
def test_functions_of_every_kind_agree(name, dtype, torch, rng):
    x, v = (rng.uniform(-2, 2, shape).astype(dtype) for shape in [(2, 3), (3,)])
    result = crosscheck(CALLS[name], x, v)
    assert result.ok, str(result)


def test_gradients_are_compared_also_where_none_are_recorded(torch):
    with tg.no_grad(), torch.no_grad():
        result = crosscheck(CALLS["views"], np.ones((2, 3)), np.ones(3))
    assert result.ok
    assert "gradient of x" in str(result)


def test_integers_numbers_and_constants_as_inputs(torch):
    def fn(lib, table, index, scale, parts, mask):
        assert not mask.requires_grad
        return (
            lib.nn.functional.embedding(index, table) * scale + parts["w"] * parts["xs"][0] * mask
        )

    result = crosscheck(
        fn, np.ones((4, 2)), np.array([1, 1, 3]), 2.5,
        {"w": np.arange(2.0), "xs": [np.ones((3, 2)), "text"]}, tg.ones(2, dtype=tg.float64),
    )  # fmt: skip
    assert result.ok
    gradients = [pair.what for pair in result.pairs if pair.what.startswith("gradient")]
    assert gradients == [
        "gradient of table", "gradient of parts['w']", "gradient of parts['xs'][0]"
    ]  # fmt: skip


def test_the_seed_from_every_tool(torch):
    result = crosscheck(demo.two_step_rnn, *SEED, second_order=True)
    assert result.ok
    assert result["output"].ours.item() == pytest.approx(4.28835489, abs=5e-9)
    for what, expected in {
        "W": [[0.1401, 0.2354], [0.1205, 0.2025], [1.3142, 2.6488]],
        "b": [1.0534, 2.2106], "w": [[1.3968], [1.3458]], "b_out": [2.0],
    }.items():  # fmt: skip
        pair = result[f"gradient of {what}"]
        for values in (pair.ours, pair.theirs):
            np.testing.assert_allclose(values, expected, atol=5e-5)
    inputs = {key: np.array(value) for key, value in demo.INPUTS.items()}
    table = three_way(demo.two_step_rnn, inputs)
    assert table.ok
    assert table.obstacle == ""
    assert table.worst_complex_error < 1e-14
    np.testing.assert_allclose(table.comparisons[0].gradient, result["gradient of W"].ours)
    assert_matches_torch(demo.two_step_rnn, *SEED)
    assert_gradients(lambda *xs: demo.two_step_rnn(tg, *xs), *SEED)


def test_the_seeds_rnn_step_by_step(torch):
    """nn.RNN with the weights of the seed: its shares are those worked out by hand."""
    rnn = tg.nn.RNN(1, 2, dtype=tg.float64)
    weights = {
        "weight_ih_l0": [[0.5], [0.6]], "weight_hh_l0": [[0.1, 0.3], [0.2, 0.4]],
        "bias_ih_l0": [0.1, -0.1], "bias_hh_l0": [0.0, 0.0],
    }  # fmt: skip
    rnn.load_state_dict({k: tg.tensor(v, dtype=tg.float64) for k, v in weights.items()})
    w = np.array([1.0, 2.0])

    result = crosscheck(lambda lib, x, m: (m(x)[0] * lib.tensor(w)).sum(), [[[1.0]], [[2.0]]] @
                        np.ones((1, 1)), modules=[rnn])  # fmt: skip
    np.testing.assert_allclose(
        result["gradient of weight_ih_l0"].theirs[:, 0], [1.3142, 2.6488], atol=5e-5
    )
    # the same loss as a module's outputs, each with its own cotangent
    check = crosscheck_module(rnn, np.array([[[1.0]], [[2.0]]]))
    steps = check["gradient of weight_ih_l0 by step"]
    assert steps.ours.shape == (2, 2, 1)
    assert np.all(np.abs(steps.theirs) > 0)
    np.testing.assert_allclose(steps.ours.sum(0), check["gradient of weight_ih_l0"].theirs)
    hh = check["gradient of weight_hh_l0 by step"].theirs
    np.testing.assert_array_equal(hh[0], 0)  # h₀ is 0: all of it comes from t = 2


LAYERS = [
    (kind, given, form)
    for kind, extra in [
        ("RNN", {"nonlinearity": "tanh"}), ("RNN", {"nonlinearity": "relu"}),
        ("LSTM", {}), ("LSTM", {"proj_size": 2}), ("GRU", {}),
    ]
    for given in [
        extra,
        extra | {"num_layers": 2, "bidirectional": True},
        extra | {"bias": False, "batch_first": True, "bidirectional": True},
    ]
    for form in ("state", "unbatched", "packed")
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("kind", "given", "form"), LAYERS, ids=str)
def test_recurrent_layers_step_by_step(kind, given, form, dtype, torch, rng):
    layer = getattr(tg.nn, kind)(2, 3, **given, dtype=dtype)
    x = rng.standard_normal((4, 3, 2)).astype(dtype)
    inputs = [x]
    if form == "unbatched":
        inputs = [x[:, 0]]
    if form == "packed":
        lengths = [2, 3, 1, 3] if layer.batch_first else [2, 4, 3]
        padded = tg.tensor(x, requires_grad=True)
        pack = tg.nn.utils.rnn.pack_padded_sequence
        inputs = [pack(padded, lengths, layer.batch_first, enforce_sorted=False)]
    if form == "state":
        count = layer.num_layers * (1 + layer.bidirectional)
        batch = 4 if layer.batch_first else 3
        sizes = [layer.proj_size or 3, *([3] if kind == "LSTM" else [])]
        states = [rng.uniform(-1, 1, (count, batch, n)).astype(dtype) for n in sizes]
        inputs = [x, tuple(states) if kind == "LSTM" else states[0]]
    result = crosscheck_module(layer, *inputs)
    assert result.ok, str(result)
    for name, _ in layer.named_parameters():
        shares = result[f"gradient of {name} by step"]
        total = result[f"gradient of {name}"]
        tolerance = 1e-10 if dtype == "float64" else 1e-4
        np.testing.assert_allclose(shares.theirs.sum(0), total.theirs, tolerance, tolerance)
        np.testing.assert_allclose(shares.ours.sum(0), total.ours, tolerance, tolerance)


def test_modules_that_are_not_recurrent(torch, rng):
    net = tg.nn.Sequential(tg.nn.Linear(3, 4), tg.nn.Tanh(), tg.nn.Dropout(0.5), tg.nn.Linear(4, 2))
    result = crosscheck_module(net, rng.standard_normal((5, 3)).astype("float32"))
    assert result.ok, str(result)  # dropout, too: the generators are the same
    assert result["gradient of 3.weight"].ok
    assert result["weights, there and back"].gap == 0


def own(lib):
    class Net(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = lib.nn.GRUCell(2, 3)
            self.out = lib.nn.Linear(3, 1)

        def forward(self, xs):
            h = None
            for x in xs:
                h = self.cell(x, h)
            return self.out(h)

    return Net()


def test_pairs_of_modules_get_the_same_weights(torch, rng):
    ours, theirs = own(tg), own(torch)
    before = [w.detach().clone() for w in theirs.parameters()]
    xs = rng.standard_normal((4, 1, 2)).astype("float32")
    result = crosscheck_module((ours, theirs), xs)
    assert result.ok, str(result)
    assert all(torch.equal(a, b) for a, b in zip(before, theirs.parameters(), strict=True))
    assert all(w.grad is None for w in ours.parameters())
    both = crosscheck(
        lambda lib, x, net, line: line(net(x)), xs, modules=[(ours, theirs), tg.nn.Linear(1, 1)]
    )
    assert both.ok
    assert both["gradient of modules[0].cell.weight_hh"].ok
    with pytest.raises(TypeError, match="load_state_dict"):
        crosscheck_module(ours, xs)
    with pytest.raises(TypeError, match="crosscheck: modules are Modules of this package"):
        crosscheck(lambda lib, m: m, modules=[theirs])


def test_random_numbers_go_on_as_if_nothing_had_happened(torch):
    tg.manual_seed(3)
    torch.manual_seed(3)
    expected = tg.rand(2)
    tg.manual_seed(3)
    crosscheck(CALLS["random"], np.ones((2, 3)), np.ones(3))
    np.testing.assert_array_equal(tg.rand(2).numpy(), expected.numpy())
    np.testing.assert_array_equal(torch.rand(2).numpy(), expected.numpy())


# -- disagreement ----------------------------------------------------------------------------------

DIFFERENT = {
    "value": (lambda lib, x: x * (2 if lib is tg else 3), "output", "2 at (0,), PyTorch 3"),
    "shape": (lambda lib, x: x if lib is tg else x[:1], "output", "shape (3,), PyTorch (1,)"),
    "dtype": (
        lambda lib, x: x if lib is tg else x.float(), "output", "dtype float64, PyTorch float32"
    ),
    "requires_grad": (
        lambda lib, x: x if lib is tg else x.detach(), "output",
        "requires_grad True, PyTorch False",
    ),
    "kind": (
        lambda lib, x: x.sum() if lib is tg else 3.0, "output", "a tensor of shape (), PyTorch 3.0"
    ),
    "text": (lambda lib, x: (x, str(lib is tg)), "output[1]", "True, PyTorch False"),
    "count": (lambda lib, x: [x] * (1 if lib is tg else 2), "output[1]", "nothing, PyTorch"),
    "nan": (lambda lib, x: x / (0 if lib is tg else 1), "output", "inf at (0,), PyTorch 1"),
    "unused": (
        lambda lib, x: x.sum() if lib is tg else lib.ones(()).requires_grad_(), "gradient of x",
        "a tensor of shape (3,), PyTorch None",
    ),
    "gradient": (
        lambda lib, x: x * x if lib is tg else x * x.detach(), "gradient of x", "PyTorch",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENT)
def test_differences_are_told(name, torch):
    fn, what, trouble = DIFFERENT[name]
    result = crosscheck(fn, np.ones(3))
    assert not result.ok
    assert not result[what].ok
    assert trouble in str(result)
    assert result.operation is None


def test_where_two_programs_part(torch, rng):
    """The GRU of the seed's notebook, whose reset comes before the product, is not PyTorch's."""

    def gru(lib, x, h, w_x, w_h):
        x_r, x_z, x_n = lib.chunk(x @ w_x, 3, -1)
        h_r, h_z, h_n = lib.chunk(h @ w_h, 3, -1)
        r, z = lib.sigmoid(x_r + h_r), lib.sigmoid(x_z + h_z)
        reset = (r * h) @ w_h[:, 4:] if lib is tg else r * h_n
        return (1 - z) * lib.tanh(x_n + reset) + z * h

    arrays = [rng.standard_normal(shape) for shape in [(2, 3), (2, 2), (3, 6), (2, 6)]]
    result = crosscheck(gru, *arrays)
    assert result.operation is None
    part = result.parting
    x, h, w_x, w_h = arrays
    r = 1 / (1 + np.exp(-(x @ w_x[:, :2] + h @ w_h[:, :2])))
    np.testing.assert_allclose(part.node.value, r * h)
    assert part.node.primitive.name == "mul"
    assert part.theirs[0] == "mul"
    np.testing.assert_allclose(part.theirs[1], r * (h @ w_h[:, 4:]))
    assert "the programs differ" in str(result)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_where_two_programs_part_inside_layers(dtype, torch, rng):
    x = rng.standard_normal((4, 2, 3)).astype(dtype)

    def fn(lib, x, lstm):
        y = x + 1 if lib is tg else x * 2
        return lstm(x)[0][-1] * y[-1, :, :2]

    result = crosscheck(fn, x, modules=[tg.nn.LSTM(3, 2, dtype=dtype)])
    assert result.parting.node.primitive.name == "add"
    assert result.parting.theirs[0] == "mul"
    np.testing.assert_allclose(result.parting.theirs[1], x * 2)


def test_an_exception_of_one_library_is_a_difference(torch):
    def refuse(lib):
        if lib is not tg:
            raise ValueError("not here")

    for fn, who in [
        (lambda lib, x: refuse(lib) or x, "PyTorch raises an exception, this package does not"),
        (lambda lib, x: lib.nonsense if lib is tg else x, "this package raises an exception"),
        (lambda lib, x: x.nonsense if lib is tg else lib.erf(x).backward(), "this package raises"),
    ]:
        result = crosscheck(fn, np.ones(()))
        assert not result.ok
        assert who in result.heading
        assert not result["what is raised"].ok
    assert "ValueError (forward): not here" in str(crosscheck(lambda lib, x: refuse(lib) or x, 1.0))


def test_an_exception_of_both_is_the_callers(torch):
    with pytest.raises(AttributeError, match="nonsense"):
        crosscheck(lambda lib, x: x.nonsense(), np.ones(2))


def test_tolerances(torch):
    def off(lib, x):
        return x * (1 + 1e-6) if lib is tg else x

    assert not crosscheck(off, np.ones(2)).ok
    assert crosscheck(off, np.ones(2, "float32")).ok
    assert crosscheck(off, np.ones(2), rtol=1e-5).ok
    assert crosscheck(off, np.ones(2), atol=1e-5).ok
    # an entry of 0 beside entries of a thousand: what is left of large terms
    assert crosscheck(lambda lib, x: x + (lib is tg) * 1e-9, np.array([0.0, 1e3])).ok
    assert not crosscheck(lambda lib, x: x + (lib is tg) * 1e-9, np.array([0.0, 1.0])).ok

    for wrong in (-1, float("nan"), "1e-3"):
        with pytest.raises(ValueError, match="rtol must be a number that is not negative"):
            crosscheck(off, np.ones(2), rtol=wrong)


def test_crosscheck_refuses_what_makes_no_sense(torch):
    with pytest.raises(TypeError, match="crosscheck: expected a function first, got NoneType"):
        crosscheck(None, np.ones(2))
    layer = tg.nn.Linear(2, 2)
    with pytest.raises(TypeError, match="crosscheck: modules must be a list, got Linear"):
        crosscheck(lambda lib, x, m: m(x), np.ones((1, 2)), modules=layer)
    with pytest.raises(TypeError, match="or pairs of one and PyTorch's, got Linear and int"):
        crosscheck_module((layer, 3), np.ones((1, 2)))


def test_tensors_of_pytorch_as_inputs(torch):
    """Both libraries get their own: else a method is compared with itself."""
    kinds = []
    x = torch.ones(2, requires_grad=True)
    result = crosscheck(lambda lib, x: kinds.append(type(x)) or (x * (2 + (lib is tg))).sum(), x)
    assert kinds[:2] == [tg.Tensor, torch.Tensor]
    assert not result.ok
    assert result["gradient of x"].theirs.tolist() == [2.0, 2.0]
    assert x.grad is None


def test_reports_in_notebooks_and_at_prompts(torch):
    for result in (
        crosscheck(lambda lib, x: x, np.ones(2)),
        three_way(lambda lib, x: x.sum(), {"x": np.ones(2)}),
    ):
        assert repr(result) == str(result)
    html = crosscheck(lambda lib, x: x < 1, np.ones(2))._repr_html_()
    assert "<table>" in html
    assert "<caption>crosscheck: agrees with PyTorch</caption>" in html


def test_operations_of_ones_own_are_checked_by_differences(torch, monkeypatch):
    monkeypatch.setattr(Primitive, "registry", dict(REGISTRY))
    cube = Primitive("cube", lambda x: x**3, "x")
    cube.vjp("x", lambda g, x: g * 2 * x)
    result = crosscheck(lambda lib, x: (cube(x) if lib is tg else x**3).sum(), np.array([1.0, 2.0]))
    assert result.operation == "cube"
    assert result.divergences[0].reference == "central differences"
    np.testing.assert_allclose(result.divergences[0].theirs, [3.0, 12.0])


def test_functions_of_ones_own_cannot_be_checked_alone(torch):
    class Wrong(tg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g * 2

    result = crosscheck(lambda lib, x: Wrong.apply(x) if lib is tg else x * 1, np.ones(2))
    assert not result.ok
    assert "not checked by themselves: Wrong\nlook there first" in result.heading


# -- time steps of which little arrives, and weights that are tied --------------------------------


def wrong_sign_at_the_first_step(monkeypatch, name):
    primitive = REGISTRY[name]
    (right,) = primitive.pulls

    def wrong(g, node):
        tag = getattr(node, "tag", None)
        return -right(g, node) if tag and tag.step == 1 else right(g, node)

    monkeypatch.setattr(primitive, "pulls", [wrong])
    monkeypatch.setattr(primitive, "gathers", [wrong])


def long_loop(lib, w, u, x):
    """Forty steps with the loss at the end: of the first 1e-15 and less arrives."""
    h = lib.zeros(2, 4, dtype=x.dtype)
    for t in range(40):
        with tg.step(t + 1):
            h = lib.tanh(x[t] @ w + h @ u)
    return (h * h).sum()


def arrays_of_long_loop(dtype="float64"):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s) / 5 for s in [(3, 4), (4, 4), (40, 2, 3)]]
    return [a.astype(dtype) for a in arrays]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_wrong_sign_far_back_is_seen_on_its_own_scale(dtype, torch, monkeypatch):
    arrays = arrays_of_long_loop(dtype)
    assert crosscheck(long_loop, *arrays, own_scale=True).ok
    wrong_sign_at_the_first_step(monkeypatch, "tanh")
    assert crosscheck(long_loop, *arrays).ok
    result = crosscheck(long_loop, *arrays, own_scale=True)
    assert not result.ok
    assert result.divergences[0].node.tag.step == 1
    assert "but an operation DIFFERS on its own scale" in result.heading
    with pytest.raises(AssertionError, match="tanh at step 1"):
        assert_matches_torch(long_loop, *arrays, own_scale=True)


def test_the_share_of_a_step_is_measured_on_its_own_scale():
    theirs = np.geomspace(1e-15, 1, 40)[:, None] * np.ones(3)
    ours = theirs.copy()
    ours[0, 1] *= -1
    for own_scale in (False, True):
        found = paired_by_step("shares", ours, theirs, Tolerance(own_scale=own_scale))
        assert found.ok is not own_scale
    assert found.trouble == "at step 1: -1e-15 at (1,), PyTorch 1e-15"
    theirs[0] = ours[0] = 1e-310  # what has lost its digits counts as 0
    ours[0, 1] *= 1.01
    assert paired_by_step("shares", ours, theirs, Tolerance(own_scale=True)).ok


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("length", [5, 40])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_layers_agree_on_the_scale_of_each_step(kind, length, dtype, torch, rng):
    net = getattr(tg.nn, kind)(3, 4, 2, bidirectional=True, dtype=getattr(tg, dtype))
    x = rng.normal(size=(length, 2, 3)).astype(dtype)
    result = crosscheck_module(net, x, own_scale=True)
    assert result.ok, str(result)


def tied(kind, options, rng):
    """A layer some of whose weights, layers and directions are one tensor."""
    net = getattr(tg.nn, kind)(3, 3, dtype=tg.float64, **options)
    names = [name for name, _ in net.named_parameters()]
    shapes = {name: net.get_parameter(name).shape for name in names}
    for name in names[1:]:
        if rng.random() < 0.5:
            same = [first for first in names if shapes[first] == shapes[name] and first < name]
            if same:
                setattr(net, name, getattr(net, str(rng.choice(same))))
    return net


@pytest.mark.parametrize("seed", range(12))
def test_tied_layers_and_directions_agree(seed, torch):
    rng = np.random.default_rng(seed)
    options = [{"num_layers": 2}, {"bidirectional": True}, {"num_layers": 3, "bias": False}]
    net = tied(["RNN", "LSTM", "GRU"][seed % 3], options[seed // 3 % 3], rng)
    result = crosscheck_module(net, rng.normal(size=(4, 2, 3)))
    assert result.ok, str(result)


def test_a_layer_tied_throughout_agrees(torch):
    net = tg.nn.GRU(3, 3, 2, dtype=tg.float64)
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        setattr(net, f"{name}_l1", getattr(net, f"{name}_l0"))
    result = crosscheck_module(net, np.ones((4, 2, 3)))
    assert result.ok, str(result)
    assert result["gradient of weight_hh_l0 by step"].ours.shape == (4, 9, 3)


# -- three ways ------------------------------------------------------------------------------------


def test_three_way_says_where_there_is_no_complex_step(torch):
    result = three_way(lambda lib, x: lib.erf(x).sum(), {"x": np.array([0.5])})
    assert result.ok
    assert result.obstacle == "erf"
    assert result.worst_complex_error is None
    assert "none for erf" in str(result)


def test_three_way_sees_by_complex_steps_what_differences_cannot(torch, monkeypatch):
    tanh = REGISTRY["tanh"]
    off = [lambda g, node, p=tanh.pulls[0]: p(g, node) * (1 + 1e-8)]
    monkeypatch.setattr(tanh, "pulls", off)
    monkeypatch.setattr(tanh, "gathers", off)
    result = three_way(lambda lib, x: lib.tanh(x).sum(), {"x": np.array([0.5])})
    assert result.worst_differences_error < 1e-7
    assert result.worst_complex_error == pytest.approx(1e-8, rel=1e-3)
    assert not result.ok


def test_three_way_wants_one_number():
    with pytest.raises(ValueError, match=r"a single number.*\(2,\)"):
        three_way(lambda lib, x: x, {"x": np.ones(2)})
    for result in (None, 3.0):
        with pytest.raises(ValueError, match=f"a single number, such as a sum, got {result}"):
            three_way(lambda lib, x, y=result: y, {"x": np.ones(2)})
    with pytest.raises(ValueError, match="does not depend on any input"):
        three_way(lambda lib, x: lib.ones(1), {"x": np.ones(2)})
    for inputs in (3, None, {}, [np.ones(2)]):
        with pytest.raises(TypeError, match="inputs must be a dict from names to arrays"):
            three_way(lambda lib, x: x.sum(), inputs)
    with pytest.raises(TypeError, match="three_way: expected a function first"):
        three_way(None, {"x": np.ones(2)})


def test_random_draws_are_the_same_for_all_witnesses(torch):
    def dropped(lib, x):
        return lib.nn.functional.dropout(lib.tanh(x), 0.5)

    tg.manual_seed(5)
    state = tg.get_rng_state()
    assert three_way(lambda lib, x: dropped(lib, x).sum(), {"x": np.ones(20)}).ok
    assert_gradients(lambda x: dropped(tg, x), np.ones(20), second_order=True)
    assert tg.equal(tg.get_rng_state(), state)


# -- assertions ------------------------------------------------------------------------------------


def test_assertions_pass_and_fail_with_the_report(torch, monkeypatch):
    assert_matches_torch(program, *arrays_of_program(), second_order=True)
    assert_gradients(lambda *xs: program(tg, *xs), *arrays_of_program(), second_order=True)
    plant_vjp(monkeypatch, "sigmoid")
    with pytest.raises(AssertionError, match="the first operation that differs is sigmoid"):
        assert_matches_torch(program, *arrays_of_program())
    with pytest.raises(AssertionError, match="central differences") as caught:
        assert_gradients(lambda *xs: program(tg, *xs), *arrays_of_program())
    assert "the first operation that differs is sigmoid" in str(caught.value)


def test_assertions_hide_themselves_from_tracebacks(torch):
    with pytest.raises(AssertionError) as caught:
        assert_matches_torch(lambda lib, x: x if lib is tg else x + 1, np.ones(2))
    assert caught.traceback[-1].frame.f_locals["__tracebackhide__"]


def test_assert_gradients_refuses_what_it_cannot_check():
    with pytest.raises(TypeError, match="input 1 must be float64, got float32"):
        assert_gradients(lambda x, y: x * y, np.ones(2), np.ones(2, "float32"))
    with pytest.raises(TypeError, match="assert_gradients: expected a function first, got int 3"):
        assert_gradients(3, np.ones(2))
    with pytest.raises(ValueError, match="assert_gradients: nothing to differentiate"):
        assert_gradients(lambda x: x, 3.0)
    constant = tg.ones(2)  # float32, but not differentiated
    assert_gradients(lambda x, c: (x * c, x.sum()), np.ones(2), constant)


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
import numpy as np
import tinygrad_rnn as tg
from tinygrad_rnn.operations.activation import tanh

try:
    tg.testing.crosscheck(lambda lib, x: x, np.ones(2))
except ImportError as error:
    print(error)
tg.testing.assert_gradients(tg.tanh, np.ones(2))
tanh.vjp("x", lambda g, y: g * y)
try:
    tg.testing.assert_gradients(lambda x: tg.exp(tg.tanh(x)), np.ones(2))
except AssertionError as error:
    print(error)
print("pytest" in sys.modules)
"""


def test_without_torch():
    command = [sys.executable, "-c", WITHOUT_TORCH]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines[0] == "crosscheck needs PyTorch: pip install torch"
    assert "the first operation that differs is tanh (visit 2)" in lines[2]
    assert "central differences [" in lines[2]
    assert lines[3] == "False"
