"""Layers, nonlinearities and losses as modules, beside PyTorch's with the same seed or weights."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from cases import ROUNDING, assert_outcome, assert_same, outcome
from operations import compare
from operations.harness import draw

import tinygrad_rnn as tg
from tinygrad_rnn import nn

DTYPES = ["float32", "float64"]
TOLERANCE = {"float32": 3e-5, "float64": 1e-10}


def results(lib, module, *inputs):
    """The output, first derivatives by inputs and parameters, and those of their squares."""
    y = module(*inputs)
    wanted = [x for x in [*inputs, *module.parameters()] if x.requires_grad]
    if not y.requires_grad:
        return [y]
    curved = y * lib.exp(y / 8)  # its slope is nowhere near 0, where only rounding is left
    first = lib.autograd.grad(curved.sum(), wanted, create_graph=True)
    loss = sum((g * g).sum() for g in first)
    return [y, *first, *lib.autograd.grad(loss, wanted, materialize_grads=True, allow_unused=True)]


def made(lib, make):
    """A module drawn from one seed; of PyTorch's numbers, those that are the same everywhere."""
    lib.manual_seed(7)
    module = make(lib)
    with lib.no_grad():
        for parameter in module.parameters():
            parameter.copy_((parameter * 2**10).round() / 2**10)
    return module


def alike(torch, make, arrays, what="", dtype="float32", tolerance=None, rebuild=True):
    """A module made by ``make(lib)``, drawn from one seed, gives the same results."""

    def fn(lib, *inputs):
        module = made(lib, make).to(getattr(lib, dtype))
        return [t.detach() for t in results(lib, module, *inputs)]

    def state(lib, *_):
        lib.manual_seed(7)
        return list(make(lib).state_dict().values())

    arrays = [a.astype(dtype) if a.dtype.kind == "f" else a for a in arrays]
    compare(fn, arrays, torch, what, tolerance or TOLERANCE[dtype])
    if rebuild:
        pair = [outcome(lambda lib=lib: repr(make(lib))) for lib in (tg, torch)]
        assert_outcome(*pair)
        compare(state, [], torch, f"{what}: state", ROUNDING["float32"])


def refused(torch, fn):
    """Both raise the same type of exception."""
    ours, theirs = (outcome(lambda lib=lib: fn(lib)) for lib in (tg, torch))
    assert isinstance(theirs, Exception), theirs
    assert_outcome(ours, theirs)


# -- linear --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch", [(), (1,), (3,), (2, 3), (0,)])
def test_linear(torch, dtype, bias, batch) -> None:
    alike(torch, lambda lib: lib.nn.Linear(4, 3, bias), [draw(*batch, 4)], dtype=dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
def test_bilinear(torch, dtype, bias, batch) -> None:
    arrays = [draw(*batch, 2), draw(*batch, 3)]
    tolerance = {"float32": 1e-3, "float64": 1e-10}[dtype]  # second derivatives: some cancel
    alike(
        torch, lambda lib: lib.nn.Bilinear(2, 3, 4, bias), arrays, dtype=dtype, tolerance=tolerance
    )


@pytest.mark.parametrize("seed", [0, 1, 12345])
@pytest.mark.parametrize(
    "make",
    [
        lambda lib: lib.nn.Linear(5, 3),
        lambda lib: lib.nn.Linear(1, 1, dtype=lib.float64),
        lambda lib: lib.nn.Linear(64, 33, bias=False, device="cpu"),
        lambda lib: lib.nn.Bilinear(3, 5, 2),
        lambda lib: lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.Tanh(), lib.nn.Linear(4, 1)),
    ],
)
def test_equal_seeds_give_equal_parameters(torch, seed, make) -> None:
    def fn(lib):
        lib.manual_seed(seed)
        module = make(lib)
        after = lib.rand(2)
        again = [p.detach().clone() for p in module.parameters()]
        module.apply(lambda m: m.reset_parameters() if hasattr(m, "reset_parameters") else None)
        return [*again, after, *[p.detach() for p in module.parameters()], lib.rand(2)]

    compare(fn, [], torch, "parameters", ROUNDING["float32"])


@pytest.mark.parametrize("make", [lambda lib: lib.nn.Linear(0, 2), lambda lib: lib.nn.Linear(2, 0)])
def test_layers_without_elements(torch, make) -> None:
    for lib in (tg, torch):
        with pytest.warns(UserWarning, match="zero-element|no elements"):
            make(lib)


@pytest.mark.parametrize("seed", [0, 5])
@pytest.mark.parametrize("shape", [(3, 2), (4, 4), (7, 9)])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("padding", [None, 0, -1])
def test_embedding_is_drawn_as_in_torch(torch, seed, shape, dtype, padding) -> None:
    def fn(lib):
        lib.manual_seed(seed)
        table = lib.nn.Embedding(*shape, padding_idx=padding, dtype=getattr(lib, dtype))
        return table.weight.detach(), lib.rand(1), repr(table)

    compare(fn, [], torch, "table", 2e-6)


@pytest.mark.parametrize("index", [0, [1], [[1, 2], [0, 1]], [2, 2, 2]])
@pytest.mark.parametrize("options", [{}, {"padding_idx": 1}, {"padding_idx": -2}])
def test_embedding(torch, index, options) -> None:
    array = np.asarray(index, np.int64)
    make = lambda lib: lib.nn.Embedding(4, 3, **options)  # noqa: E731
    alike(torch, make, [array], tolerance=1e-4, rebuild=False)


def test_embedding_of_nothing(torch) -> None:
    def fn(lib):
        table = lib.nn.Embedding(4, 3)
        y = table(lib.tensor([], dtype=lib.int64))
        return y.detach(), *lib.autograd.grad(y.sum(), table.weight)

    compare(fn, [], torch, "no indices", None)


@pytest.mark.parametrize("norm_type", [2.0, 1.0, float("inf"), 3])
@pytest.mark.parametrize("max_norm", [0.5, 100.0])
def test_embedding_max_norm(torch, norm_type, max_norm) -> None:
    def fn(lib, weight):
        table = lib.nn.Embedding.from_pretrained(
            weight.detach().clone(), False, max_norm=max_norm, norm_type=norm_type
        )
        before = table.weight._version
        y = table(lib.tensor([[2, 0], [2, 2]]))
        (g,) = lib.autograd.grad((y * y).sum(), table.weight)
        return [y.detach(), g, table.weight.detach()], table.weight._version > before, repr(table)

    compare(fn, [draw(4, 3)], torch, "max_norm", 1e-6)


def test_embedding_max_norm_is_noticed_by_walks(torch) -> None:
    def fn(lib):
        table = lib.nn.Embedding.from_pretrained(lib.ones(2, 2) * 5, freeze=False, max_norm=1.0)
        early = (table.weight * table.weight).sum()
        table(lib.tensor([0]))
        early.backward()

    refused(torch, fn)


@pytest.mark.parametrize(
    "fn",
    [
        lambda lib: lib.nn.Embedding.from_pretrained(lib.ones(2, 3)).weight,
        lambda lib: lib.nn.Embedding.from_pretrained(lib.ones(2, 3), False, 0).weight,
        lambda lib: lib.nn.Embedding(0, 2)(lib.tensor([], dtype=lib.int64)),
        lambda lib: lib.nn.Embedding(3, 2)(lib.tensor([1], dtype=lib.int32)) * 0,
        lambda lib: lib.nn.Embedding(2, 2, _weight=lib.ones(2, 2), _freeze=True).weight,
    ],
)
def test_pretrained(torch, fn) -> None:
    compare(fn, [], torch, "pretrained", None)


def test_pretrained_memory_is_shared() -> None:
    weight = tg.ones(2, 3)
    assert np.shares_memory(nn.Embedding.from_pretrained(weight).weight.array, weight.array)


@pytest.mark.parametrize(
    "fn",
    [
        lambda lib: lib.nn.Linear(-1, 2),
        lambda lib: lib.nn.Linear(2, 2.0),
        lambda lib: lib.nn.Linear(2, 2, dtype=lib.int64),
        lambda lib: lib.nn.Linear(2, 2)(lib.ones(3)),
        lambda lib: lib.nn.Linear(2, 2)(lib.ones(2, dtype=lib.float64)),
        lambda lib: lib.nn.Linear(2, 2)([1.0, 2.0]),
        lambda lib: lib.nn.Bilinear(0, 2, 3),
        lambda lib: lib.nn.Bilinear(2, 3, 4)(lib.ones(3), lib.ones(3)),
        lambda lib: lib.nn.Unflatten(1, 2),
        lambda lib: lib.nn.Unflatten(1, (2, "a")),
        lambda lib: lib.nn.Unflatten(1, (2, 3))(lib.ones(2, 7)),
        lambda lib: lib.nn.Flatten()(lib.ones(2)),
        lambda lib: lib.nn.Embedding(3, 2, padding_idx=3),
        lambda lib: lib.nn.Embedding(3, 2, padding_idx=-4),
        lambda lib: lib.nn.Embedding(3, 2, _weight=lib.ones(2, 2)),
        lambda lib: lib.nn.Embedding.from_pretrained(lib.ones(3)),
        lambda lib: lib.nn.Embedding(3, -2),
        lambda lib: lib.nn.Embedding(3, 2.0),
        lambda lib: lib.nn.Embedding(3, 2)(lib.tensor([3])),
        lambda lib: lib.nn.Embedding(3, 2)(lib.tensor([-1])),
        lambda lib: lib.nn.Embedding(3, 2, max_norm=1.0)(lib.tensor([3])),
        lambda lib: lib.nn.Embedding(3, 2)(lib.tensor([1.0])),
        lambda lib: lib.nn.Embedding(3, 2, max_norm=1.0)(lib.tensor([1.0])),
        lambda lib: lib.nn.Dropout(1.5),
        lambda lib: lib.nn.Dropout(-1),
        lambda lib: lib.nn.Dropout("a"),
        lambda lib: lib.nn.LayerNorm("a"),
        lambda lib: lib.nn.LayerNorm(2.0),
        lambda lib: lib.nn.LayerNorm(3)(lib.ones(2)),
        lambda lib: lib.nn.RMSNorm(3)(lib.ones(2)),
        lambda lib: lib.nn.RMSNorm(3)(lib.ones(2, 3, dtype=lib.int64)),
        lambda lib: lib.nn.BatchNorm1d(3)(lib.ones(1, 3)),
        lambda lib: lib.nn.BatchNorm1d(3)(lib.ones(1, 3, 1)),
        lambda lib: lib.nn.BatchNorm1d(3, track_running_stats=False).eval()(lib.ones(1, 3)),
        lambda lib: lib.nn.BatchNorm1d(3)(lib.ones(3)),
        lambda lib: lib.nn.BatchNorm1d(3)(lib.ones(2, 3, 2, 2)),
        lambda lib: lib.nn.BatchNorm1d(3)(lib.ones(2, 4)),
        lambda lib: lib.nn.BatchNorm1d(3).eval()(lib.ones(2, 4)),
        lambda lib: lib.nn.BatchNorm1d(3)(lib.ones(2, 3, dtype=lib.float64)),
        lambda lib: lib.nn.BatchNorm1d(3)(lib.ones(2, 3, dtype=lib.int64)),
        lambda lib: lib.nn.Hardtanh(1, -1),
        lambda lib: lib.nn.GELU("x")(lib.ones(2)),
        lambda lib: lib.nn.GLU()(lib.ones(3)),
        lambda lib: lib.nn.PReLU(2)(lib.ones(2, 3)),
        lambda lib: lib.nn.MSELoss(reduction="x")(lib.ones(2), lib.ones(2)),
        lambda lib: lib.nn.CrossEntropyLoss(weight=[1.0]),
        lambda lib: lib.nn.CrossEntropyLoss()(lib.ones(2, 3), lib.tensor([0, 3])),
        lambda lib: lib.nn.HuberLoss(delta=-1.0)(lib.ones(2), lib.ones(2)),
        lambda lib: lib.nn.Tanh(3),
    ],
)
def test_refused(torch, fn) -> None:
    refused(torch, fn)


def test_what_is_not_supported_says_so() -> None:
    for option in ("scale_grad_by_freq", "sparse"):
        with pytest.raises(NotImplementedError, match=option):
            nn.Embedding(3, 2, **{option: True})


# -- shapes, dropout -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda lib: lib.nn.Identity(1, 2, a=3),
        lambda lib: lib.nn.Flatten(),
        lambda lib: lib.nn.Flatten(0, 1),
        lambda lib: lib.nn.Unflatten(2, (2, 2)),
        lambda lib: lib.nn.Unflatten(-1, [2, -1]),
    ],
)
def test_shapes(torch, make) -> None:
    alike(torch, make, [draw(2, 3, 4)])


@pytest.mark.parametrize("p", [0, 0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("training", [True, False])
def test_dropout(torch, p, training) -> None:
    def fn(lib, x):
        lib.manual_seed(1)
        module = lib.nn.Dropout(p).train(training)
        return module(x) * 1, module(x * 1) * 1

    compare(fn, [draw(5, 4)], torch, "dropout", None)
    alike(torch, lambda lib: lib.nn.Dropout(p).train(training), [draw(5, 4)])
    assert repr(nn.Dropout(p, True)) == repr(torch.nn.Dropout(p, True))


# -- normalization -------------------------------------------------------------------------------

NORMS = {
    "layer": lambda lib: lib.nn.LayerNorm(4),
    "layer 2": lambda lib: lib.nn.LayerNorm((3, 4), eps=0.1),
    "layer plain": lambda lib: lib.nn.LayerNorm([4], elementwise_affine=False),
    "layer no bias": lambda lib: lib.nn.LayerNorm([4], bias=False),
    "rms": lambda lib: lib.nn.RMSNorm(4),
    "rms 2": lambda lib: lib.nn.RMSNorm((3, 4), eps=0.1),
    "rms plain": lambda lib: lib.nn.RMSNorm([4], elementwise_affine=False),
}


def shaken(make):
    """The same module, with parameters that are not all alike."""

    def shaking(lib):
        module = make(lib)
        with lib.no_grad():
            for parameter in module.parameters():
                parameter.copy_(lib.rand(parameter.shape) + 0.5)
        return module

    return shaking


@pytest.mark.parametrize("name", NORMS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_norms(torch, name, dtype) -> None:
    alike(torch, NORMS[name], [draw(2, 3, 4)], name, dtype, 1e-4 if dtype == "float32" else None)
    alike(torch, shaken(NORMS[name]), [draw(2, 3, 4)], name, "float64")


@pytest.mark.parametrize("name", NORMS)
def test_norms_of_half_precision(torch, name) -> None:
    def fn(lib, x):
        return NORMS[name](lib).half()(x)

    # numbers of its own: where a row is nearly constant, PyTorch's gradients are off by 0.08
    x = np.random.default_rng(0).uniform(-2, 2, (2, 3, 4)).astype("float16")
    # without vectors PyTorch itself adds up in half precision
    is_old = torch.backends.cpu.get_cpu_capability() == "DEFAULT"
    compare(fn, [x], torch, name, 5e-2 if is_old else 5e-3)
    compare(fn, [np.full((2, 3, 4), 500, "float16")], torch, name, 5e-3)


@pytest.mark.parametrize("momentum", [0.1, 0.7, 1.0, 0.0, None])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("track", [True, False])
@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 5), (2, 3, 1), (1, 3, 2)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_batch_norm(torch, momentum, affine, track, shape, dtype) -> None:
    def make(lib):
        return lib.nn.BatchNorm1d(3, 1e-3, momentum, affine, track)

    alike(torch, make, [draw(*shape)], "repr", "float64")

    def fn(lib, *inputs):
        lib.manual_seed(0)
        module = shaken(make)(lib).to(getattr(lib, dtype))
        found = []
        for x in inputs:
            found += [t.detach() for t in results(lib, module, x)]
            found += [b.clone() for b in module.buffers()]
        module.eval()
        for x in inputs:
            found += [t.detach() for t in results(lib, module, x)]
        found += list(module.buffers())
        return found

    arrays = [draw(*shape, dtype=dtype), 3 * draw(*shape, dtype=dtype) + 1]
    compare(fn, arrays, torch, "batch norm", 2e-3 if dtype == "float32" else 1e-9)


@pytest.mark.parametrize(
    "fn",
    [
        lambda lib: lib.nn.BatchNorm1d(3, bias=False),
        lambda lib: lib.nn.BatchNorm1d(3, dtype=lib.float64),
        lambda lib: lib.nn.BatchNorm1d(3, momentum=None, affine=False, track_running_stats=False),
        lambda lib: lib.nn.LayerNorm(3, elementwise_affine=False, bias=True),
        lambda lib: lib.nn.LayerNorm(()),
        lambda lib: lib.nn.RMSNorm((2, 3), 1e-3),
    ],
)
def test_states_of_norms(torch, fn) -> None:
    def states(lib):
        module = fn(lib)
        state = module.state_dict()
        return [repr(module), *state], list(state.values())

    compare(states, [], torch, "state", None)


def test_batch_norm_without_elements_and_of_mixed_types(torch) -> None:
    def fn(lib, x):
        norm = lib.nn.BatchNorm1d(3)
        y = norm(x)
        return y.detach(), *[b.clone() for b in norm.buffers()], norm.eval()(x).detach()

    compare(fn, [np.zeros((0, 3), "float32")], torch, "no rows", None)
    compare(fn, [np.zeros((2, 3, 0), "float32")], torch, "no columns", None)
    compare(fn, [draw(4, 3, dtype="float16")], torch, "half with float", 2e-3)


def test_statistics_can_be_reset(torch) -> None:
    def fn(lib, x):
        norm = lib.nn.BatchNorm1d(3)
        with lib.no_grad():
            norm.weight.add_(1)
            norm.bias.add_(1)
        norm(x)
        seen = [t.clone() for t in norm.buffers()]
        norm.reset_running_stats()
        seen += [t.clone() for t in norm.buffers()]
        norm(x)
        norm.reset_parameters()
        for kind in (lib.nn.LayerNorm, lib.nn.RMSNorm):
            other = kind(2)
            with lib.no_grad():
                other.weight.add_(1)
            other.reset_parameters()
            seen += [p.detach() for p in other.parameters()]
        return seen + [t.detach() for t in norm.state_dict().values()]

    compare(fn, [draw(4, 3)], torch, "reset", 1e-6)


def test_batch_norm_in_eval_without_tracking_afterwards(torch) -> None:
    def fn(lib, x):
        norm = lib.nn.BatchNorm1d(3)
        norm(x)
        norm.track_running_stats = False
        norm(x)
        return [b.clone() for b in norm.buffers()], norm.eval()(x).detach()

    compare(fn, [draw(4, 3)], torch, "switched off", 1e-5)


FUNCTIONAL = [
    lambda F, lib, x: F.batch_norm(x, None, None),
    lambda F, lib, x: F.batch_norm(x, None, None, training=True),
    lambda F, lib, x: F.batch_norm(x, None, None, lib.ones(3) * 2, lib.ones(3), True, eps=0.5),
    lambda F, lib, x: F.batch_norm(x, lib.zeros(2), lib.ones(3)),
    lambda F, lib, x: F.batch_norm(x, lib.zeros(3), None),
    lambda F, lib, x: F.batch_norm(x, lib.zeros(3), None, training=True),
    lambda F, lib, x: F.batch_norm(x, lib.zeros(3), lib.ones(3), weight=lib.ones(2)),
    lambda F, lib, x: F.batch_norm(x, lib.zeros(3), lib.ones(3), bias=lib.ones(3)),
    lambda F, lib, x: F.batch_norm(x, lib.zeros(3), lib.ones(3).double()),
    lambda F, lib, x: F.batch_norm(x, lib.zeros(3), lib.ones(3), lib.ones(3).double()),
    lambda F, lib, x: F.batch_norm(x, lib.zeros(3, requires_grad=True), lib.ones(3)),
    lambda F, lib, x: F.batch_norm(x[:, 0], None, None, training=True),
    lambda F, lib, x: F.batch_norm(x.reshape(2, 3, 2, 1), lib.zeros(3), lib.ones(3)),
    lambda F, lib, x: F.batch_norm(
        x.reshape(2, 3, 2, 1), lib.zeros(3), lib.ones(3), None, None, True
    ),
    lambda F, lib, x: F.batch_norm(x, lib.zeros(3), lib.ones(3), None, None, 1),
    lambda F, lib, x: F.batch_norm(x, None, lib.ones(3)),
    lambda F, lib, x: F.rms_norm(x, (3,)),
    lambda F, lib, x: F.rms_norm(x, (4, 3), eps=0.25),
    lambda F, lib, x: F.rms_norm(x, [3], lib.ones(3) * 2, 0.5),
    lambda F, lib, x: F.rms_norm(x, (3,), lib.ones(3).double() * 2),
    lambda F, lib, x: F.rms_norm(x, (3,), lib.ones(2)),
    lambda F, lib, x: F.rms_norm(x, (2,)),
    lambda F, lib, x: F.rms_norm(x, ()),
    lambda F, lib, x: F.rms_norm(x * 0, (3,)),
    lambda F, lib, x: F.rms_norm(x * 0 + 1e30, (3,)),
]


@pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight:UserWarning")
@pytest.mark.parametrize("call", FUNCTIONAL)
def test_functional_norms(torch, call) -> None:
    compare(lambda lib, x: call(lib.nn.functional, lib, x), [draw(4, 3)], torch, "call", 3e-5)


# -- nonlinearities ------------------------------------------------------------------------------

ACTIVATIONS = {
    "ReLU": [(), (False,)],
    "ReLU6": [()],
    "LeakyReLU": [(), (0.2,)],
    "PReLU": [(), (3,), (1, 0.5)],
    "ELU": [(), (0.5,)],
    "CELU": [(), (0.5,)],
    "Hardswish": [()],
    "SELU": [()],
    "SiLU": [()],
    "Mish": [()],
    "GELU": [(), ("tanh",)],
    "Hardtanh": [(), (-0.5, 0.75)],
    "Softplus": [(), (2, 1.0)],
    "Softsign": [()],
    "Tanh": [()],
    "Sigmoid": [()],
    "LogSigmoid": [()],
    "GLU": [(), (0,)],
    "Softmax": [(1,), (-1,)],
    "LogSoftmax": [(0,), (1,)],
    "Softmin": [(0,), (1,)],
}
CALLS = [(name, arguments) for name, calls in ACTIVATIONS.items() for arguments in calls]


@pytest.mark.parametrize(("name", "arguments"), CALLS)
def test_activations(torch, name, arguments) -> None:
    shape = (4, 6) if name == "GLU" else (4, 3)
    alike(torch, lambda lib: getattr(lib.nn, name)(*arguments), [draw(*shape)], tolerance=1e-4)


OVERWRITING = [
    "ReLU",
    "ReLU6",
    "LeakyReLU",
    "ELU",
    "SELU",
    "SiLU",
    "Mish",
    "Hardtanh",
    "CELU",
    "Hardsigmoid",
    "Hardswish",
]


@pytest.mark.parametrize("name", OVERWRITING)
def test_activations_in_place(torch, name) -> None:
    def fn(lib, x):
        module = getattr(lib.nn, name)(inplace=True)
        y = x * 1
        z = module(y)
        assert z is y
        return y, repr(module)

    compare(fn, [draw(3, 2)], torch, name, None)


@pytest.mark.parametrize("name", ["Softmax", "LogSoftmax", "Softmin"])
def test_an_axis_is_chosen_with_a_warning(torch, name) -> None:
    for lib in (tg, torch):
        with pytest.warns(UserWarning, match="dim"):
            getattr(lib.nn, name)()(lib.ones(2, 3))
    assert repr(getattr(nn, name)()) == f"{name}(dim=None)"


def test_prelu_can_be_reset(torch) -> None:
    module = nn.PReLU(2, 0.5)
    module.weight.detach().fill_(3)
    module.reset_parameters()
    assert module.weight.tolist() == [0.5, 0.5]


# -- losses --------------------------------------------------------------------------------------

RNG = np.random.default_rng(1)
X, T = (RNG.uniform(-2, 2, (4, 3)).astype("float32") for _ in range(2))
PROBABILITIES = [RNG.random((4, 3)).astype("float32") * 0.8 + 0.1 for _ in range(2)]
CLASSES = np.array([0, 2, 1, 2])
ROWS = np.log(PROBABILITIES[0] / PROBABILITIES[0].sum(1, keepdims=True))
FACTORS = [0.5, 2.0, 1.0]
LOSSES = [
    (name, arrays, options)
    for name, arrays, choices in [
        ("MSELoss", [X, T], [{}]),
        ("L1Loss", [X, T], [{}]),
        ("SmoothL1Loss", [X, T], [{}, {"beta": 0.5}]),
        ("HuberLoss", [X, T], [{}, {"delta": 0.5}]),
        ("CrossEntropyLoss", [X, CLASSES], [
            {}, {"weight": FACTORS}, {"ignore_index": 2}, {"label_smoothing": 0.2},
            {"weight": FACTORS, "ignore_index": 0, "label_smoothing": 0.1},
        ]),
        ("CrossEntropyLoss", [X, PROBABILITIES[1]], [{}, {"weight": FACTORS}]),
        ("NLLLoss", [ROWS, CLASSES], [{}, {"weight": FACTORS}, {"ignore_index": 2}]),
        ("BCELoss", PROBABILITIES, [{}, {"weight": FACTORS}]),
        ("BCEWithLogitsLoss", [X, PROBABILITIES[1]], [
            {}, {"weight": FACTORS}, {"pos_weight": FACTORS},
            {"weight": FACTORS, "pos_weight": FACTORS},
        ]),
        ("KLDivLoss", [ROWS, PROBABILITIES[1]], [{}]),
        ("KLDivLoss", [ROWS, ROWS[::-1].copy()], [{"log_target": True}]),
        ("GaussianNLLLoss", [X, T, PROBABILITIES[0]], [{}, {"full": True}, {"eps": 0.5}]),
    ]
    for options in choices
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("name", "arrays", "options"), LOSSES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_losses(torch, name, arrays, options, reduction, dtype) -> None:
    def make(lib):
        given = {
            key: lib.tensor(value) if isinstance(value, list) else value
            for key, value in options.items()
        }
        return getattr(lib.nn, name)(**given, reduction=reduction)

    alike(torch, make, arrays, name, dtype, 1e-4 if dtype == "float32" else 1e-9)


def test_kl_div_by_its_definition(torch) -> None:
    arrays = [ROWS, PROBABILITIES[1]]
    alike(torch, lambda lib: lib.nn.KLDivLoss(reduction="batchmean"), arrays, tolerance=1e-4)


@pytest.mark.parametrize("arguments", [(), (0,), (-1, 0.5)])
def test_cosine_similarity(torch, arguments) -> None:
    alike(torch, lambda lib: lib.nn.CosineSimilarity(*arguments), [X, T], tolerance=1e-4)


def test_weights_of_losses_are_state(torch) -> None:
    def fn(lib):
        w = lib.tensor(FACTORS)
        losses = [lib.nn.CrossEntropyLoss(w), lib.nn.BCEWithLogitsLoss(pos_weight=w)]
        return [list(loss.double().state_dict().items()) for loss in losses]

    compare(fn, [], torch, "state", None)


# -- all of them ---------------------------------------------------------------------------------

_RECURRENT = ("RNN", "LSTM", "GRU")  # PyTorch's take *args; tests/test_recurrent.py has them
MODULES = sorted(
    name
    for name, value in vars(nn).items()
    if inspect.isclass(value) and name != "Parameter" and not name.startswith(_RECURRENT)
)


@pytest.mark.parametrize("name", MODULES)
def test_arguments_are_pytorchs(torch, name) -> None:
    """By name, order and default, but for those that are deprecated or for other devices."""
    dropped = {"min_value", "max_value"}
    ours, theirs = (inspect.signature(getattr(lib.nn, name)).parameters for lib in (tg, torch))
    generic = {"args", "kwargs", "modules", "values", "parameters"}
    found, wanted = (
        {
            # a function, as F.relu, is each library's own; a class is p.empty, the same for both
            key: p.default.__name__ if inspect.isroutine(p.default) else p.default
            for key, p in parameters.items()
            if key not in unlike
        }
        for parameters, unlike in ((ours, generic), (theirs, generic | dropped))
    )
    assert found == wanted
    assert list(found) == list(wanted)


def test_a_small_net_learns_as_in_torch(torch) -> None:
    def fn(lib, x):
        lib.manual_seed(0)
        net = lib.nn.Sequential(
            lib.nn.Linear(3, 8), lib.nn.BatchNorm1d(8), lib.nn.GELU(), lib.nn.Dropout(0.25),
            lib.nn.LayerNorm(8), lib.nn.Linear(8, 3), lib.nn.LogSoftmax(dim=1),
        )  # fmt: skip
        loss, losses = lib.nn.NLLLoss(), []
        for _ in range(10):
            net.zero_grad()
            value = loss(net(x.detach()), lib.tensor(CLASSES.tolist()))
            value.backward()
            with lib.no_grad():
                for parameter in net.parameters():
                    parameter -= 0.1 * parameter.grad
            losses.append(value.detach())
        return losses, net.eval()(x.detach()).detach()

    compare(fn, [X], torch, "training", 1e-4)


def test_layers_keep_numbers_that_are_not(torch) -> None:
    x = np.array([[np.nan, 1.0], [2.0, np.inf]], "float32")
    for make in (lambda lib: lib.nn.LayerNorm(2), lambda lib: lib.nn.RMSNorm(2)):
        assert_same(make(tg)(tg.from_numpy(x)), make(torch)(torch.from_numpy(x)))
