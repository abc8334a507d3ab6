"""Recurrent layers and cells beside PyTorch's, over all their options."""

from __future__ import annotations

import copy
import itertools
import pickle

import numpy as np
import pytest
from cases import ROUNDING, assert_outcome, leaf, numpy, outcome

import tinygrad_rnn as tg
from tinygrad_rnn import bptt
from tinygrad_rnn.engine.graph import tape

KINDS = ["RNN", "LSTM", "GRU"]
T, B, X, H = 4, 3, 2, 5
LENGTHS = {"sorted": [4, 3, 1], "unsorted": [2, 4, 3], "equal": [4, 4, 4]}


def options():
    """Every combination that makes sense, as keyword arguments."""
    for kind, layers, both, bias, first in itertools.product(
        KINDS, (1, 2), (False, True), (True, False), (False, True)
    ):
        more = [{}]
        if kind == "RNN":
            more = [{"nonlinearity": "tanh"}, {"nonlinearity": "relu"}]
        if kind == "LSTM":
            more = [{}, {"proj_size": 3}]
        for extra in more:
            yield (
                kind,
                {"num_layers": layers, "bidirectional": both, "bias": bias, "batch_first": first}
                | extra,
            )


GRID = list(options())


def made(lib, kind, given, dtype="float64"):
    """A layer drawn from the same seed."""
    lib.manual_seed(3)
    return getattr(lib.nn, kind)(X, H, **given, dtype=getattr(lib, dtype))


def state_of(lib, kind, given, batch=(B,), dtype=np.float64):
    """The leaves of an initial state."""
    rng = np.random.default_rng(9)
    count = given["num_layers"] * (2 if given["bidirectional"] else 1)
    sizes = [given.get("proj_size", 0) or H, *([H] if kind == "LSTM" else [])]
    return [leaf(lib, rng.uniform(-1, 1, (count, *batch, n)).astype(dtype)) for n in sizes]


def run(lib, kind, given, packed=None, batch=True, initial=True, dtype="float64"):
    """Outputs, last states, and all gradients of a sum over both."""
    layer = made(lib, kind, given, dtype)
    rng = np.random.default_rng(1)
    shape = (T, B, X) if batch else (T, X)
    if batch and given["batch_first"]:
        shape = (B, T, X)
    x = leaf(lib, rng.standard_normal(shape).astype(dtype))
    states = state_of(lib, kind, given, (B,) if batch else (), np.dtype(dtype)) if initial else []
    hx = None if not states else tuple(states) if kind == "LSTM" else states[0]
    given_x = x
    if packed:
        given_x = lib.nn.utils.rnn.pack_padded_sequence(
            x, LENGTHS[packed], given["batch_first"], enforce_sorted=packed != "unsorted"
        )
    output, last = layer(given_x, hx)
    if packed:
        output, lengths = lib.nn.utils.rnn.pad_packed_sequence(output, given["batch_first"])
        assert lengths.tolist() == LENGTHS[packed]
    ends = [output, *(last if kind == "LSTM" else [last])]
    rng = np.random.default_rng(2)
    weights = [lib.from_numpy(rng.uniform(0.5, 1.5, tuple(y.shape)).astype(dtype)) for y in ends]
    sum((y * y * w).sum() for y, w in zip(ends, weights, strict=True)).backward()
    parameters = dict(layer.named_parameters())
    return (
        {f"end {i}": y for i, y in enumerate(ends)}
        | {"x": x.grad}
        | {f"state {i}": s.grad for i, s in enumerate(states)}
        | {name: p.grad for name, p in parameters.items()}
    )


def assert_like_torch(torch, *arguments, tolerance=1e-9, **more):
    ours, theirs = (run(lib, *arguments, **more) for lib in (tg, torch))
    assert list(ours) == list(theirs)
    for name, expected in theirs.items():
        a, b = numpy(ours[name]), numpy(expected)
        assert a.shape == b.shape, name
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=name)


def label(value):
    if isinstance(value, dict):
        return ",".join(f"{k}={v}" for k, v in value.items() if v)
    return str(value)


@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
@pytest.mark.parametrize(("kind", "given"), GRID, ids=label)
def test_layer(kind, given, torch):
    assert_like_torch(torch, kind, given)
    assert_like_torch(torch, kind, given, initial=False)
    assert_like_torch(torch, kind, given, batch=False)
    assert_like_torch(torch, kind, given, dtype="float32", tolerance=3e-5)


@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
@pytest.mark.parametrize("packed", LENGTHS)
@pytest.mark.parametrize(("kind", "given"), GRID, ids=label)
def test_packed(kind, given, packed, torch):
    assert_like_torch(torch, kind, given, packed)
    assert_like_torch(torch, kind, given, packed, initial=False)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("kind", "given"), GRID, ids=label)
def test_drawn_and_shown_as_in_torch(kind, given, dtype, torch):
    ours, theirs = (made(lib, kind, given, dtype) for lib in (tg, torch))
    assert repr(ours) == repr(theirs)
    mine, reference = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(reference)
    for name, value in reference.items():
        unit = ROUNDING[dtype]
        np.testing.assert_allclose(
            numpy(mine[name]), numpy(value), rtol=unit, atol=unit, err_msg=name
        )
    assert [[w.shape for w in ws] for ws in ours.all_weights] == [
        [tuple(w.shape) for w in ws] for ws in theirs.all_weights
    ]
    theirs.load_state_dict({k: torch.from_numpy(numpy(v)) for k, v in mine.items()})


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_between_layers(kind, torch):
    results = []
    for lib in (tg, torch):
        lib.manual_seed(5)
        layer = getattr(lib.nn, kind)(X, H, num_layers=3, dropout=0.4)
        x = lib.ones(T, B, X)
        lib.manual_seed(6)
        trained = layer(x)[0]
        again = layer.eval()(x)[0]
        results.append((numpy(trained), numpy(again)))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-6)
    assert not np.allclose(*results[0])


@pytest.mark.parametrize("kind", ["RNNCell", "LSTMCell", "GRUCell"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch", [(B,), ()])
def test_cell(kind, bias, batch, torch):
    results = []
    for lib in (tg, torch):
        lib.manual_seed(3)
        cell = getattr(lib.nn, kind)(X, H, bias=bias, dtype=lib.float64)
        rng = np.random.default_rng(4)
        x = leaf(lib, rng.standard_normal((*batch, X)))
        states = [leaf(lib, rng.standard_normal((*batch, H))) for _ in range(2)]
        hx = tuple(states) if kind == "LSTMCell" else states[0]
        answers = []
        for given in ([x, hx], [x]):
            y = cell(*given)
            answers += y if isinstance(y, tuple) else [y]
        sum((y * y).sum() for y in answers).backward()
        grads = [x.grad, *(s.grad for s in states), *(p.grad for p in cell.parameters())]
        results.append([*answers, *(g for g in grads if g is not None)])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(numpy(ours), numpy(theirs), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_second_derivatives(kind, torch):
    results = []
    for lib in (tg, torch):
        layer = made(lib, kind, {"num_layers": 2, "bidirectional": True})
        parameters = list(layer.parameters())
        x = leaf(lib, np.random.default_rng(0).standard_normal((3, 2, X)))
        first = lib.autograd.grad(layer(x)[0].pow(2).sum(), [x, *parameters], create_graph=True)
        total = sum((g * g).sum() for g in first)
        results.append(lib.autograd.grad(total, [x, *parameters]))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(numpy(ours), numpy(theirs), rtol=1e-8, atol=1e-9)


# -- the graph -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_is_the_loop_over_cells(kind):
    """The same graph, up to names and the reading of the sequence."""
    layer, cell = getattr(tg.nn, kind)(X, H), getattr(tg.nn, f"{kind}Cell")(X, H)
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in layer.state_dict().items()})
    x = tg.randn(T, B, X)
    output, _ = layer(x)
    states, outputs = None, []
    for t in range(T):
        states = cell(x[t], states)
        outputs.append(states[0] if kind == "LSTM" else states)
    looped = tg.stack(outputs)
    np.testing.assert_allclose(numpy(output), numpy(looped), rtol=1e-6, atol=1e-7)
    graphs = [
        [place.primitive.name for place in tape([y.grad_fn]) if place.primitive]
        for y in (output, looped)
    ]
    assert graphs[0] == graphs[1]


def test_every_node_knows_where_and_when_it_is():
    net = tg.nn.Sequential(tg.nn.LSTM(X, H, num_layers=2, bidirectional=True))
    output, _ = net(tg.randn(T, B, X))
    tags = {place.tag[:4] for place in tape([output.grad_fn]) if place.primitive and place.tag.step}
    expected = {
        ("sequential.0", t, layer, direction)
        for t in range(1, T + 1)
        for layer in (0, 1)
        for direction in ("forward", "reverse", None)
    }
    assert tags <= expected
    assert {tag for tag in expected if tag[3]} <= tags


@pytest.mark.parametrize("kind", KINDS)
def test_each_parameter_receives_a_share_from_every_step(kind):
    layer = made(tg, kind, {"num_layers": 2, "bidirectional": True})
    output, _ = layer(tg.randn(T, B, X, dtype=tg.float64))
    walk = bptt.record(output.sum())
    for name, parameter in layer.named_parameters():
        shares = bptt.contributions(walk, parameter)
        assert list(shares) == list(range(1, T + 1)), name
        np.testing.assert_allclose(sum(shares.values()), parameter.grad.numpy(), atol=1e-12)


@pytest.mark.parametrize(
    ("kind", "names"), [("LSTM", "i f g o c h"), ("GRU", "r z n h"), ("RNN", "h")]
)
def test_gates_over_time(kind, names):
    layer = made(tg, kind, {})
    x = tg.randn(T, B, X, dtype=tg.float64)
    output, last = layer(x)
    walk = bptt.record(output.sum())
    got = {name: walk.over_time(name) for name in names.split()}
    assert all(
        list(values) == ([0] if name in "hc" else []) + [1, 2, 3, 4] or list(values) == [1, 2, 3, 4]
        for name, values in got.items()
    )
    np.testing.assert_array_equal(
        np.stack([got["h"][t] for t in range(1, T + 1)]), output.detach().numpy()
    )
    if kind == "LSTM":
        c = {0: np.zeros((B, H))} | got["c"]
        for t in range(1, T + 1):
            i, f, g = (got[name][t] for name in "ifg")
            np.testing.assert_allclose(c[t], f * c[t - 1] + i * g)
        np.testing.assert_array_equal(c[T], last[1][0].detach().numpy())


def test_gates_of_one_among_several():
    layer = tg.nn.GRU(X, H, num_layers=2, bidirectional=True)
    output, _ = layer(tg.randn(T, B, X))
    walk = bptt.record(output.sum())
    with pytest.raises(ValueError, match="more than one 'z' at step"):
        walk.over_time("z")
    with pytest.raises(KeyError, match="nothing in this graph is called 'i'"):
        walk.over_time("i")
    z = walk.over_time("z", layer=1, direction="reverse")
    assert sorted(z) == [1, 2, 3, 4]
    assert z[1].shape == (B, H)


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_batch(kind, torch):
    for lib in (tg, torch):
        layer, x = getattr(lib.nn, kind)(X, H), lib.ones(T, 0, X)
        assert tuple(layer(x)[0].shape) == (T, 0, H)


def test_copied_and_pickled():
    layer = tg.nn.LSTM(X, H, 2, bidirectional=True)
    x = tg.randn(T, B, X)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert np.array_equal(numpy(other(x)[0]), numpy(layer(x)[0]))
        assert all(a is not b for a, b in zip(layer.parameters(), other.parameters(), strict=True))


# -- what is refused -----------------------------------------------------------------------------


def zeros(lib, *shape):
    return lib.zeros(*shape)


REFUSED = {
    "unknown nonlinearity": lambda lib: lib.nn.RNN(2, 3, nonlinearity="selu"),
    "dropout above 1": lambda lib: lib.nn.LSTM(2, 3, 2, dropout=2),
    "dropout as a bool": lambda lib: lib.nn.LSTM(2, 3, 2, dropout=True),
    "dropout as a string": lambda lib: lib.nn.LSTM(2, 3, 2, dropout="a"),
    "no layers": lambda lib: lib.nn.GRU(2, 3, num_layers=0),
    "layers as a float": lambda lib: lib.nn.GRU(2, 3, num_layers=1.5),
    "projection as large as the state": lambda lib: lib.nn.LSTM(2, 3, proj_size=3),
    "negative projection": lambda lib: lib.nn.LSTM(2, 3, proj_size=-1),
    "no features": lambda lib: lib.nn.LSTM(0, 3),
    "no state": lambda lib: lib.nn.LSTM(2, 0),
    "features as a float": lambda lib: lib.nn.LSTM(2.0, 3),
    "bias as a number": lambda lib: lib.nn.LSTM(2, 3, bias=1),
    "batch_first as a number": lambda lib: lib.nn.LSTM(2, 3, batch_first=1),
    "one axis": lambda lib: lib.nn.LSTM(2, 3)(lib.ones(2)),
    "four axes": lambda lib: lib.nn.LSTM(2, 3)(lib.ones(1, 1, 1, 2)),
    "other features": lambda lib: lib.nn.LSTM(2, 3)(lib.ones(4, 1, 5)),
    "another dtype": lambda lib: lib.nn.RNN(2, 3)(lib.ones(4, 1, 2).double()),
    "integers": lambda lib: lib.nn.RNN(2, 3)(lib.ones(4, 1, 2).long()),
    "no steps": lambda lib: lib.nn.RNN(2, 3)(lib.ones(0, 1, 2)),
    "state of another batch": lambda lib: lib.nn.RNN(2, 3)(lib.ones(4, 1, 2), zeros(lib, 1, 2, 3)),
    "state of other layers": lambda lib: lib.nn.GRU(2, 3)(lib.ones(4, 1, 2), zeros(lib, 2, 1, 3)),
    "state without a batch": lambda lib: lib.nn.GRU(2, 3)(lib.ones(4, 1, 2), zeros(lib, 1, 3)),
    "state with a batch": lambda lib: lib.nn.GRU(2, 3)(lib.ones(4, 2), zeros(lib, 1, 1, 3)),
    "cell state of another size": lambda lib: lib.nn.LSTM(2, 3)(
        lib.ones(4, 1, 2), (zeros(lib, 1, 1, 3), zeros(lib, 1, 1, 2))
    ),
    "packed data of three axes": lambda lib: lib.nn.LSTM(2, 3)(
        lib.nn.utils.rnn.pack_padded_sequence(lib.ones(2, 1, 2, 2), [2])
    ),
    "packed data of one axis": lambda lib: lib.nn.GRU(2, 3)(
        lib.nn.utils.rnn.pack_padded_sequence(lib.ones(2, 1), [2])
    ),
    "cell: three axes": lambda lib: lib.nn.LSTMCell(2, 3)(lib.ones(1, 1, 2)),
    "cell: other features": lambda lib: lib.nn.GRUCell(2, 3)(lib.ones(1, 3)),
    "cell: state of another batch": lambda lib: lib.nn.RNNCell(2, 3)(
        lib.ones(1, 2), zeros(lib, 2, 3)
    ),
    "cell: another nonlinearity": lambda lib: lib.nn.RNNCell(2, 3, nonlinearity="selu")(
        lib.ones(1, 2)
    ),
}


WEIGHTS = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
LAYERS = [*KINDS, *(f"{kind}Cell" for kind in KINDS)]


def with_computed(lib, kind, how, names):
    """A layer or cell some of whose parameters are computed before every step, and their sources.

    As dropout of weights, weight normalisation and nets that make the weights of another do it.
    """
    lib.manual_seed(3)
    module = getattr(lib.nn, kind)(X, H)
    end = "" if kind.endswith("Cell") else "_l0"
    sources = {}
    for name in names:
        raw = lib.nn.Parameter(getattr(module, name + end).detach().clone())
        sources[name] = raw
        delattr(module, name + end)
        if how == "parameter":
            setattr(module, name + end, lib.nn.Parameter(raw.detach() * 3))
            sources[name] = getattr(module, name + end)
        elif how == "buffer":
            module.register_buffer(name + end, raw.detach() * 3)
        elif how == "property":
            cls = type(module)
            module.__class__ = type(cls.__name__, (cls,), {
                name + end: property(lambda self, raw=raw: raw * raw)
            })  # fmt: skip
        elif how == "hook":

            def compute(module, inputs, name=name + end, raw=raw):
                setattr(module, name, raw * 3)

            compute(module, None)
            module.register_forward_pre_hook(compute)
        else:
            setattr(module, name + end, raw * 3)
    return module, sources


@pytest.mark.parametrize("how", ["tensor", "hook", "property", "parameter", "buffer"])
@pytest.mark.parametrize("name", [*WEIGHTS, "all"])
@pytest.mark.parametrize("kind", LAYERS)
def test_a_weight_that_is_computed(kind, name, how, torch):
    found = []
    for lib in (tg, torch):
        names = WEIGHTS if name == "all" else [name]
        module, sources = with_computed(lib, kind, how, names=names)
        sizes = (B, X) if kind.endswith("Cell") else (T, B, X)
        x = leaf(lib, np.random.default_rng(1).uniform(-1, 1, sizes).astype(np.float32))
        y = module(x)
        y = y[0] if isinstance(y, tuple) else y
        (y * y).sum().backward()
        made = {n: p.grad for n, p in [*sources.items(), *module.named_parameters()]}
        found.append({"y": y, "x": x.grad, **made})
    ours, theirs = found
    assert list(ours) == list(theirs)
    for key, expected in theirs.items():
        assert (ours[key] is None) == (expected is None), key
        if expected is not None:  # float32: what cancels has the rounding of the largest
            wanted = numpy(expected)
            near = 1e-5 * np.abs(wanted).max()
            np.testing.assert_allclose(numpy(ours[key]), wanted, 1e-4, near, err_msg=key)


def test_a_computed_weight_of_another_layer_and_direction(torch):
    """The projection, the second layer, the reverse direction; packed sequences too."""
    name, found = "weight_hr_l1_reverse", []
    for lib in (tg, torch):
        lib.manual_seed(0)
        layer = lib.nn.LSTM(X, H, 2, bidirectional=True, proj_size=2, dtype=lib.float64)
        raw = lib.nn.Parameter(getattr(layer, name).detach().clone())
        delattr(layer, name)
        setattr(layer, name, raw * 2)
        x = leaf(lib, np.random.default_rng(1).uniform(-1, 1, (T, B, X)))
        packed = lib.nn.utils.rnn.pack_padded_sequence(x, [4, 2, 1])
        (layer(packed)[0].data ** 2).sum().backward()
        found.append((raw.grad, x.grad))
        assert [p is not None for p in layer.all_weights[3]] == [True] * 5
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(numpy(ours), numpy(theirs), 1e-9, 1e-12)


@pytest.mark.parametrize("kind", LAYERS)
def test_weights_that_are_missing_or_do_not_fit(kind):
    end = "" if kind.endswith("Cell") else "_l0"
    x = tg.ones(B, X) if kind.endswith("Cell") else tg.ones(T, B, X)

    def called(name, *value):
        module = getattr(tg.nn, kind)(X, H)
        delattr(module, name + end)
        if value:
            setattr(module, name + end, *value)
        return outcome(lambda: module(x))

    for name in WEIGHTS:
        assert isinstance(called(name), AttributeError)
        assert isinstance(called(name, "text"), TypeError)
        assert f"{name}{end} has shape (2, 2)" in str(called(name, tg.ones(2, 2)))
        optional = kind.endswith("Cell") and name.startswith("bias")
        assert isinstance(called(name, None), TypeError) != optional


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, torch):
    ours, theirs = (outcome(lambda lib=lib: REFUSED[name](lib)) for lib in (tg, torch))
    assert isinstance(theirs, Exception)
    if name == "cell: another nonlinearity":  # PyTorch notices when it is called
        assert isinstance(ours, ValueError)
        return
    assert_outcome(ours, theirs, name)


def test_dropout_of_one_layer_is_mentioned():
    with pytest.warns(UserWarning, match="num_layers=1"):
        tg.nn.LSTM(2, 3, dropout=0.5)


# -- packing -------------------------------------------------------------------------------------

PACKING = {
    "pack": lambda u, lib, x: u.pack_padded_sequence(x, [4, 3, 1]),
    "pack, batch first": lambda u, lib, x: u.pack_padded_sequence(
        x.transpose(0, 1), [4, 3, 1], True
    ),
    "pack, unsorted": lambda u, lib, x: u.pack_padded_sequence(x, [1, 4, 2], enforce_sorted=False),
    "pack, lengths as a tensor": lambda u, lib, x: u.pack_padded_sequence(x, lib.tensor([2, 2, 1])),
    "pack and pad": lambda u, lib, x: u.pad_packed_sequence(
        u.pack_padded_sequence(x, [1, 4, 2], enforce_sorted=False), padding_value=7.0
    ),
    "pad to a total length": lambda u, lib, x: u.pad_packed_sequence(
        u.pack_padded_sequence(x, [2, 1, 1]), batch_first=True, total_length=5
    ),
    "pad_sequence": lambda u, lib, x: u.pad_sequence([x[:, 0], x[:2, 0], x[:1, 0]]),
    "pad_sequence on the left": lambda u, lib, x: u.pad_sequence(
        [x[:, 0], x[:2, 0]], True, -1.0, "left"
    ),
    "unpad_sequence": lambda u, lib, x: u.unpad_sequence(x * 1, lib.tensor([4, 2, 1])),
    "pack_sequence": lambda u, lib, x: u.pack_sequence([x[:, 0], x[:2, 0]]),
    "pack_sequence, unsorted": lambda u, lib, x: u.pack_sequence([x[:2, 0], x[:, 0]], False),
    "unpack_sequence": lambda u, lib, x: u.unpack_sequence(
        u.pack_sequence([x[:2, 0], x[:, 0]], enforce_sorted=False)
    ),
    "a length of 0": lambda u, lib, x: u.pack_padded_sequence(x, [4, 3, 0]),
    "a negative length": lambda u, lib, x: u.pack_padded_sequence(x, [4, 3, -1]),
    "too few lengths": lambda u, lib, x: u.pack_padded_sequence(x, [4, 3]),
    "not sorted": lambda u, lib, x: u.pack_padded_sequence(x, [1, 3, 4]),
    "a total length too short": lambda u, lib, x: u.pad_packed_sequence(
        u.pack_padded_sequence(x, [4, 3, 1]), total_length=2
    ),
    "nothing to pad": lambda u, lib, x: u.pad_sequence([]),
}


@pytest.mark.parametrize("name", PACKING)
def test_packing(name, torch):
    answers = []
    for lib in (tg, torch):
        x = leaf(lib, np.random.default_rng(0).standard_normal((4, 3, 2)))
        answer = outcome(lambda lib=lib, x=x: PACKING[name](lib.nn.utils.rnn, lib, x))
        if isinstance(answer, tuple | list):
            answer = [part for part in answer if part is not None]
        answers.append(answer)
    assert_outcome(*answers, name)


def test_a_length_beyond_the_sequence_is_refused():
    """PyTorch reads on in the memory behind it."""
    with pytest.raises(RuntimeError, match="a length of 5 is more than the 4 time steps"):
        tg.nn.utils.rnn.pack_padded_sequence(tg.zeros(4, 3, 2), [5, 3, 1])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda u, lib: u.pack_padded_sequence(None, [1]),
        lambda u, lib: u.pad_sequence(None),
        lambda u, lib: u.pad_sequence([lib.tensor(1.0)]),
    ],
)
def test_packing_refuses(wrong, torch):
    for lib in (tg, torch):
        with pytest.raises((TypeError, RuntimeError)):
            wrong(lib.nn.utils.rnn, lib)


def test_copies_of_parameters_have_no_gradient(torch):
    for lib in (tg, torch):
        layer = lib.nn.Linear(2, 1)
        layer(lib.ones(1, 2)).sum().backward()
        for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
            assert other.weight.grad is None
        x = lib.ones(2, requires_grad=True)
        x.sum().backward()
        assert copy.deepcopy(x).grad.tolist() == [1, 1]
        assert copy.copy(x).grad is pickle.loads(pickle.dumps(x)).grad is None
