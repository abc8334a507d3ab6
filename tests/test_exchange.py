"""Modules, tensors and state_dicts carried over from PyTorch and back."""

from __future__ import annotations

import sys
import warnings
from collections import OrderedDict

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn
from tinygrad_rnn.testing import from_torch, to_torch

X = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
BACKWARDS = X[::-1].copy()
PROBABILITIES = 1 / (1 + np.exp(-X))
CLASSES = np.array([0, 2, 1, 2])
SEQUENCE = np.random.default_rng(1).normal(size=(5, 4, 3)).astype(np.float32)
LINES = np.random.default_rng(2).normal(size=(2, 4, 9)).astype(np.float32)
IMAGES = np.random.default_rng(3).normal(size=(2, 4, 7, 9)).astype(np.float32)
SIGNS = np.array([1, -1, -1, 1])

# Layers made with the given library, and what they are called with.
LAYERS = {
    "Linear": (lambda lib: lib.nn.Linear(3, 2), [X]),
    "Linear without bias": (lambda lib: lib.nn.Linear(3, 2, bias=False), [X]),
    "Bilinear": (lambda lib: lib.nn.Bilinear(3, 3, 2), [X, X]),
    "Identity": (lambda lib: lib.nn.Identity(3, option=1), [X]),
    "Flatten": (lambda lib: lib.nn.Flatten(0, 1), [SEQUENCE]),
    "Unflatten": (lambda lib: lib.nn.Unflatten(1, (3, 1)), [X]),
    "Dropout": (lambda lib: lib.nn.Dropout(0.25).eval(), [X]),
    "Dropout1d": (lambda lib: lib.nn.Dropout1d(0.25).eval(), [np.ones((2, 3, 4), np.float32)]),
    "Dropout2d": (lambda lib: lib.nn.Dropout2d(0.25).eval(), [np.ones((2, 3, 4, 5), np.float32)]),
    "Dropout3d": (lambda lib: lib.nn.Dropout3d().eval(), [np.ones((2, 3, 2, 2, 2), np.float32)]),
    "AlphaDropout": (lambda lib: lib.nn.AlphaDropout(0.25).eval(), [X]),
    "Embedding": (lambda lib: lib.nn.Embedding(3, 2), [CLASSES]),
    "Embedding with options": (
        lambda lib: lib.nn.Embedding(3, 2, padding_idx=-1, max_norm=0.5, norm_type=1.0),
        [CLASSES],
    ),
    "Embedding from_pretrained": (
        lambda lib: lib.nn.Embedding.from_pretrained(lib.tensor(X)), [CLASSES],
    ),
    "LayerNorm": (lambda lib: lib.nn.LayerNorm((4, 3), eps=0.1), [SEQUENCE]),
    "LayerNorm without bias": (lambda lib: lib.nn.LayerNorm(3, bias=False), [X]),
    "LayerNorm without weight": (lambda lib: lib.nn.LayerNorm(3, elementwise_affine=False), [X]),
    "RMSNorm": (lambda lib: lib.nn.RMSNorm(3, eps=0.1), [X]),
    "BatchNorm1d": (lambda lib: lib.nn.BatchNorm1d(3, momentum=0.5), [X]),
    "BatchNorm1d in eval": (lambda lib: lib.nn.BatchNorm1d(3, momentum=None).eval(), [X]),
    "BatchNorm1d without averages": (
        lambda lib: lib.nn.BatchNorm1d(3, affine=False, track_running_stats=False), [X],
    ),
    "RNN": (lambda lib: lib.nn.RNN(3, 2, nonlinearity="relu"), [SEQUENCE]),
    "RNN with options": (
        lambda lib: lib.nn.RNN(3, 2, 2, batch_first=True, bias=False, bidirectional=True),
        [SEQUENCE],
    ),
    "LSTM": (lambda lib: lib.nn.LSTM(3, 4, num_layers=2, proj_size=2), [SEQUENCE]),
    "LSTM with dropout": (
        lambda lib: lib.nn.LSTM(3, 4, 2, dropout=0.5, bidirectional=True).eval(), [SEQUENCE],
    ),
    "GRU": (lambda lib: lib.nn.GRU(3, 2, batch_first=True, bidirectional=True), [SEQUENCE]),
    "RNNCell": (lambda lib: lib.nn.RNNCell(3, 2, nonlinearity="relu"), [X]),
    "LSTMCell": (lambda lib: lib.nn.LSTMCell(3, 2, bias=False), [X]),
    "GRUCell": (lambda lib: lib.nn.GRUCell(3, 2), [X]),
    "CELU": (lambda lib: lib.nn.CELU(0.5), [X]),
    "ELU": (lambda lib: lib.nn.ELU(0.5), [X]),
    "GELU": (lambda lib: lib.nn.GELU("tanh"), [X]),
    "GLU": (lambda lib: lib.nn.GLU(0), [X]),
    "Hardtanh": (lambda lib: lib.nn.Hardtanh(-0.5, 0.25), [X]),
    "LeakyReLU": (lambda lib: lib.nn.LeakyReLU(0.3), [X]),
    "LogSoftmax": (lambda lib: lib.nn.LogSoftmax(0), [X]),
    "PReLU": (lambda lib: lib.nn.PReLU(3, 0.1), [X]),
    "Softmax": (lambda lib: lib.nn.Softmax(dim=1), [X]),
    "Softmin": (lambda lib: lib.nn.Softmin(dim=1), [X]),
    "Softplus": (lambda lib: lib.nn.Softplus(2.0, 1.0), [X]),
    **{
        name: (lambda lib, name=name: getattr(lib.nn, name)(), [X])
        for name in ("Hardsigmoid", "Hardswish", "LogSigmoid", "Mish", "ReLU", "ReLU6", "SELU",
                     "Sigmoid", "SiLU", "Softsign", "Tanh", "Tanhshrink")
    },
    "BCELoss": (lambda lib: lib.nn.BCELoss(reduction="none"), [PROBABILITIES, PROBABILITIES]),
    "BCEWithLogitsLoss": (
        lambda lib: lib.nn.BCEWithLogitsLoss(pos_weight=lib.tensor([1.0, 2.0, 3.0])),
        [X, PROBABILITIES],
    ),
    "CosineSimilarity": (lambda lib: lib.nn.CosineSimilarity(0, 0.1), [X, PROBABILITIES]),
    "CTCLoss": (
        lambda lib: lib.nn.CTCLoss(2, "sum", True),
        [X.reshape(-1, 1, 3), np.array([[0, 1]]), np.array([2]), np.array([1])],
    ),
    "CrossEntropyLoss": (
        lambda lib: lib.nn.CrossEntropyLoss(
            lib.tensor([1.0, 2.0, 3.0]), ignore_index=0, reduction="sum", label_smoothing=0.1
        ),
        [X, CLASSES],
    ),
    "GaussianNLLLoss": (
        lambda lib: lib.nn.GaussianNLLLoss(full=True, eps=0.1), [X, PROBABILITIES, PROBABILITIES],
    ),
    "HuberLoss": (lambda lib: lib.nn.HuberLoss("sum", 0.5), [X, PROBABILITIES]),
    "KLDivLoss": (
        lambda lib: lib.nn.KLDivLoss(reduction="batchmean", log_target=True), [X, PROBABILITIES],
    ),
    "L1Loss": (lambda lib: lib.nn.L1Loss(reduction="sum"), [X, PROBABILITIES]),
    "MSELoss": (lambda lib: lib.nn.MSELoss(), [X, PROBABILITIES]),
    "NLLLoss": (lambda lib: lib.nn.NLLLoss(ignore_index=1), [X, CLASSES]),
    "SmoothL1Loss": (lambda lib: lib.nn.SmoothL1Loss(beta=0.5), [X, PROBABILITIES]),
    "BatchNorm2d": (lambda lib: lib.nn.BatchNorm2d(4, 0.1, momentum=0.5), [IMAGES]),
    "BatchNorm2d without bias": (lambda lib: lib.nn.BatchNorm2d(4, bias=False), [IMAGES]),
    "ConstantPad1d": (lambda lib: lib.nn.ConstantPad1d((2, 1), 0.5), [SEQUENCE]),
    "ConstantPad2d": (lambda lib: lib.nn.ConstantPad2d(1, -1.0), [IMAGES]),
    "ZeroPad1d": (lambda lib: lib.nn.ZeroPad1d((2, 0)), [SEQUENCE]),
    "ZeroPad2d": (lambda lib: lib.nn.ZeroPad2d((1, 2, 0, 3)), [IMAGES]),
    **{
        f"{kind}{axes}": (lambda lib, k=f"{kind}{axes}": getattr(lib.nn, k)(2), [IMAGES[0]])
        for kind in ("ReflectionPad", "ReplicationPad", "CircularPad") for axes in ("1d", "2d")
    },
    "InstanceNorm1d": (lambda lib: lib.nn.InstanceNorm1d(4, affine=True), [SEQUENCE]),
    "InstanceNorm1d of one sample": (lambda lib: lib.nn.InstanceNorm1d(4), [X]),
    "InstanceNorm2d": (lambda lib: lib.nn.InstanceNorm2d(4, 0.1, affine=True), [IMAGES]),
    "GroupNorm": (lambda lib: lib.nn.GroupNorm(2, 4, eps=0.1), [IMAGES]),
    "GroupNorm without weight": (lambda lib: lib.nn.GroupNorm(2, 4, affine=False), [IMAGES]),
    "GroupNorm without bias": (lambda lib: lib.nn.GroupNorm(2, 4, bias=False), [IMAGES]),
    "Conv1d": (lambda lib: lib.nn.Conv1d(4, 6, 3, 2, 2, 2, 2, False, "circular"), [LINES]),
    "Conv1d padded by name": (lambda lib: lib.nn.Conv1d(4, 2, 3, padding="same"), [LINES]),
    "Conv2d": (
        lambda lib: lib.nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 2), (1, 2), 2, False, "reflect"),
        [IMAGES],
    ),
    "Conv2d padded by name": (lambda lib: lib.nn.Conv2d(4, 2, 3, padding="valid"), [IMAGES]),
    "ConvTranspose1d": (lambda lib: lib.nn.ConvTranspose1d(4, 6, 3, 2, 1, 1, 2, False, 2), [LINES]),
    "ConvTranspose2d": (
        lambda lib: lib.nn.ConvTranspose2d(4, 2, (3, 2), (2, 3), 1, (1, 0), 2, dilation=(2, 1)),
        [IMAGES],
    ),
    "AdaptiveAvgPool1d": (lambda lib: lib.nn.AdaptiveAvgPool1d(4), [LINES]),
    "AdaptiveAvgPool2d": (lambda lib: lib.nn.AdaptiveAvgPool2d((3, None)), [IMAGES]),
    "AdaptiveMaxPool1d": (lambda lib: lib.nn.AdaptiveMaxPool1d(4, True), [LINES]),
    "AdaptiveMaxPool2d": (lambda lib: lib.nn.AdaptiveMaxPool2d((3, 2), True), [IMAGES]),
    "AvgPool1d": (lambda lib: lib.nn.AvgPool1d(4, 2, 1, True, False), [LINES]),
    "AvgPool2d": (lambda lib: lib.nn.AvgPool2d((4, 2), 3, (1, 0), True, False, 5), [IMAGES]),
    "MaxPool1d": (lambda lib: lib.nn.MaxPool1d(3, 2, 1, 2, True, True), [LINES]),
    "MaxPool2d": (lambda lib: lib.nn.MaxPool2d((3, 2), (2, 3), 1, 2, True, True), [IMAGES]),
    "EmbeddingBag": (
        lambda lib: lib.nn.EmbeddingBag(3, 2, 0.5, 1.0, mode="sum", include_last_offset=True),
        [CLASSES, np.array([0, 1, 4])],
    ),
    "EmbeddingBag with padding": (
        lambda lib: lib.nn.EmbeddingBag(3, 2, mode="max", padding_idx=-1),
        [CLASSES.reshape(2, 2)],
    ),
    "MultiheadAttention": (
        lambda lib: lib.nn.MultiheadAttention(4, 2, 0.25, True, True, True, 3, 3, True).eval(),
        [rows.transpose(0, 2, 1) for rows in (LINES, LINES[:, :3], LINES[:, 1:])],
    ),
    "MultiheadAttention without bias": (
        lambda lib: lib.nn.MultiheadAttention(3, 1, bias=False), [SEQUENCE] * 3,
    ),
    "TransformerEncoderLayer": (
        lambda lib: lib.nn.TransformerEncoderLayer(
            3, 1, 5, 0.25, "gelu", 0.1, batch_first=True, norm_first=True, bias=False
        ).eval(),
        [SEQUENCE],
    ),
    "TransformerEncoderLayer with a module": (
        lambda lib: lib.nn.TransformerEncoderLayer(3, 3, 5, 0.0, activation=lib.nn.ELU(0.5)),
        [SEQUENCE],
    ),
    "TransformerDecoderLayer": (
        lambda lib: lib.nn.TransformerDecoderLayer(
            3, 3, 5, 0.25, lib.nn.functional.silu, 0.1, batch_first=True, norm_first=True
        ).eval(),
        [SEQUENCE, SEQUENCE[:, 1:]],
    ),
    "TransformerEncoder": (
        lambda lib: lib.nn.TransformerEncoder(
            lib.nn.TransformerEncoderLayer(3, 1, 5), 2, lib.nn.RMSNorm(3), False, False
        ).eval(),
        [SEQUENCE],
    ),
    "TransformerDecoder": (
        lambda lib: lib.nn.TransformerDecoder(lib.nn.TransformerDecoderLayer(3, 3, 5), 2).eval(),
        [SEQUENCE, SEQUENCE[1:]],
    ),
    "Transformer": (
        lambda lib: lib.nn.Transformer(
            3, 3, 2, 1, 5, 0.25, lib.tanh, layer_norm_eps=0.1, batch_first=True, bias=False
        ).eval(),
        [SEQUENCE, SEQUENCE[:, 1:]],
    ),
    "CosineEmbeddingLoss": (lambda lib: lib.nn.CosineEmbeddingLoss(0.25), [X, BACKWARDS, SIGNS]),
    "HingeEmbeddingLoss": (
        lambda lib: lib.nn.HingeEmbeddingLoss(0.5, reduction="sum"), [X[:, 0], SIGNS],
    ),
    "MarginRankingLoss": (
        lambda lib: lib.nn.MarginRankingLoss(0.5, reduction="none"), [X[:, 0], X[:, 1], SIGNS],
    ),
    "MultiLabelSoftMarginLoss": (
        lambda lib: lib.nn.MultiLabelSoftMarginLoss(lib.tensor([1.0, 2.0, 3.0]), reduction="none"),
        [X, PROBABILITIES.round()],
    ),
    "PairwiseDistance": (lambda lib: lib.nn.PairwiseDistance(3.0, 0.1, True), [X, BACKWARDS]),
    "PoissonNLLLoss": (
        lambda lib: lib.nn.PoissonNLLLoss(False, full=True, eps=0.1, reduction="sum"),
        [PROBABILITIES, np.exp(X)],
    ),
    "SoftMarginLoss": (lambda lib: lib.nn.SoftMarginLoss(reduction="sum"), [X[:, 0], SIGNS]),
    "TripletMarginLoss": (
        lambda lib: lib.nn.TripletMarginLoss(2.0, 3.0, 0.1, True, reduction="none"),
        [X, BACKWARDS, PROBABILITIES],
    ),
    "TripletMarginWithDistanceLoss": (
        lambda lib: lib.nn.TripletMarginWithDistanceLoss(margin=2.0, swap=True, reduction="sum"),
        [X, BACKWARDS, PROBABILITIES],
    ),
    "TripletMarginWithDistanceLoss by a function": (
        lambda lib: lib.nn.TripletMarginWithDistanceLoss(
            distance_function=lib.nn.functional.cosine_similarity
        ),
        [X, BACKWARDS, PROBABILITIES],
    ),
    "Hardshrink": (lambda lib: lib.nn.Hardshrink(0.25), [X]),
    "Softshrink": (lambda lib: lib.nn.Softshrink(0.25), [X]),
    "Threshold": (lambda lib: lib.nn.Threshold(0.25, -1.0), [X]),
    "Softmax2d": (lambda lib: lib.nn.Softmax2d(), [IMAGES]),
}  # fmt: skip
LAZY = {"LazyLinear"}  # what they are called with decides what they become
CONTAINERS = {"Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict"}


def flat(outputs):
    if isinstance(outputs, tuple):
        return [array for output in outputs for array in flat(output)]
    return [outputs.detach().numpy()]


def assert_equal(ours, theirs, rtol=0):
    """Two modules, one of each library, are the same."""
    assert [type(m).__name__ for m in ours.modules()] == [
        type(m).__name__ for m in theirs.modules()
    ]
    assert [m.training for m in ours.modules()] == [m.training for m in theirs.modules()]
    for members in ("named_parameters", "named_buffers"):
        a = dict(getattr(ours, members)(remove_duplicate=False))
        b = dict(getattr(theirs, members)(remove_duplicate=False))
        assert list(a) == list(b)
        for name in a:
            assert a[name].requires_grad == b[name].requires_grad
            assert str(a[name].dtype) == str(b[name].dtype)
            values = a[name].detach().numpy(), b[name].detach().numpy()
            np.testing.assert_allclose(*values, rtol=rtol)


def test_every_layer_is_here():
    layers = {
        name
        for name in nn.__all__
        if isinstance(kind := getattr(nn, name), type)
        and issubclass(kind, nn.Module)
        and name not in {"Module", "RNNBase", "RNNCellBase"}
    }
    assert layers - CONTAINERS - LAZY == {name.split()[0] for name in LAYERS}


@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True")
@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("name", LAYERS)
def test_layers(name, torch):
    make, inputs = LAYERS[name]
    theirs, ours = make(torch), make(tg)
    for there, here in ((theirs, from_torch(theirs)), (to_torch(ours), ours)):
        assert_equal(here, there)
        assert here.extra_repr() == there.extra_repr()
        expected = flat(there(*map(torch.from_numpy, inputs)))
        results = flat(here(*map(tg.from_numpy, inputs)))
        for result, wanted in zip(results, expected, strict=True):
            np.testing.assert_allclose(result, wanted, rtol=1e-5, atol=1e-6)
        assert_equal(here, there, 1e-5)  # running averages, and rows shortened by max_norm, too
    again = to_torch(from_torch(theirs))
    assert repr(again) == repr(theirs)
    assert all(map(torch.equal, again.state_dict().values(), theirs.state_dict().values()))


@pytest.mark.parametrize("bias", [True, False])
def test_lazy_layers(bias, torch):
    """As lazy as before; and what one has become, a linear layer, is carried over as that."""
    for source, target, carried in ((torch, tg, from_torch), (tg, torch, to_torch)):
        layer = source.nn.LazyLinear(2, bias=bias, dtype=source.float64)
        layer.weight = source.nn.UninitializedParameter(False, dtype=source.float64)
        lazy = carried(layer)
        assert type(lazy) is target.nn.LazyLinear
        assert {type(p) for p in lazy.parameters()} == {target.nn.UninitializedParameter}
        for lib, module in ((source, layer), (target, lazy)):
            assert module.weight.dtype == lib.float64
            assert module(lib.ones(4, 3, dtype=lib.float64)).shape == (4, 2)
            assert [p.requires_grad for p in module.parameters()] == [False, True][: 1 + bias]
        assert repr(lazy) == repr(layer)
        assert repr(carried(layer)) == repr(layer)


@pytest.mark.parametrize("name", ["Encoder", "Decoder"])
def test_transformers_without_layers(name, torch):
    """There is none to read the options of; PyTorch makes them, though it cannot call them."""

    def made(lib):
        layer = getattr(lib.nn, f"Transformer{name}Layer")(2, 2, 3, batch_first=True)
        return getattr(lib.nn, f"Transformer{name}")(layer, 0, lib.nn.LayerNorm(2, 0.1))

    theirs, ours = made(torch), made(tg)
    assert_equal(from_torch(theirs), theirs)
    assert_equal(ours, to_torch(ours))


def nested(lib):
    inner = lib.nn.Sequential(
        OrderedDict(norm=lib.nn.LayerNorm(3).eval(), act=lib.nn.ReLU(inplace=True))
    )
    shared = lib.nn.Linear(3, 3)
    net = lib.nn.ModuleDict(
        {
            "rows": lib.nn.ModuleList([shared, inner, shared, lib.nn.Sequential()]),
            "tied": lib.nn.Linear(3, 3, bias=False),
            "list": lib.nn.ParameterList([lib.zeros(2), lib.ones(1, 3)]),
            "dict": lib.nn.ParameterDict({"z": lib.zeros(2), "a": lib.ones(1)}),
        }
    )
    net["tied"].weight = shared.weight
    shared.bias.requires_grad_(False)
    return net.double()


@pytest.mark.parametrize("way", ["in", "out"])
def test_nested_modules(way, torch):
    source = nested(torch if way == "in" else tg)
    target = from_torch(source) if way == "in" else to_torch(source)
    here, there = (target, source) if way == "in" else (source, target)
    assert_equal(here, there)
    assert target["rows"][0] is target["rows"][2]
    assert target["tied"].weight is target["rows"][0].weight
    assert list(target["dict"].keys()) == list(source["dict"].keys())
    assert len(target["list"]) == 2
    assert len(list(target.parameters())) == len(list(source.parameters()))


def test_nothing_is_shared(torch):
    theirs = torch.nn.BatchNorm1d(2)
    ours = from_torch(theirs)
    back = to_torch(ours)
    with torch.no_grad():
        theirs.weight.zero_()
        theirs.running_var.zero_()
    assert ours.weight.tolist() == back.weight.tolist() == [1, 1]
    with tg.no_grad():
        ours.weight.zero_()
        ours.running_var.zero_()
    assert back.weight.tolist() == back.running_var.tolist() == [1, 1]


def test_training_goes_on_the_same(torch):
    """Three steps here and there from the same net and the same Adam."""
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 3))
    optimizer = torch.optim.Adam(theirs.parameters(), lr=0.1)

    def step(lib, net, optimizer):
        optimizer.zero_grad()
        loss = lib.nn.functional.cross_entropy(net(lib.from_numpy(X)), lib.from_numpy(CLASSES))
        loss.backward()
        optimizer.step()
        return loss.item()

    step(torch, theirs, optimizer)
    ours = from_torch(theirs)
    mine = tg.optim.Adam(ours.parameters(), lr=0.5)
    mine.load_state_dict(from_torch(optimizer.state_dict()))
    for _ in range(3):
        assert step(tg, ours, mine) == pytest.approx(step(torch, theirs, optimizer), rel=1e-5)
    back = to_torch(ours)
    optimizer = torch.optim.Adam(back.parameters(), lr=0.5)
    optimizer.load_state_dict(to_torch(mine.state_dict()))
    for _ in range(3):
        assert step(tg, ours, mine) == pytest.approx(step(torch, back, optimizer), rel=1e-5)


def test_random_numbers_and_warnings_are_left_alone(torch):
    theirs, ours = torch.nn.RNN(2, 2), nn.RNN(2, 2)
    theirs.dropout = ours.dropout = 0.5  # which warns in a constructor: there is one layer only
    torch.manual_seed(0)
    tg.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert from_torch(theirs).dropout == to_torch(ours).dropout == 0.5
    a, b = torch.rand(3), tg.rand(3)
    torch.manual_seed(0)
    tg.manual_seed(0)
    assert torch.equal(torch.rand(3), a)
    assert tg.equal(tg.rand(3), b)


@pytest.mark.parametrize(
    "dtype",
    ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"],
)
def test_tensors(dtype, torch):
    for theirs in (
        torch.ones(2, 3, dtype=getattr(torch, dtype)).t(),
        torch.ones((), dtype=getattr(torch, dtype)),
        torch.ones((0, 2), dtype=getattr(torch, dtype)),
    ):
        ours = from_torch(theirs)
        assert type(ours) is tg.Tensor
        assert (ours.shape, ours.dtype) == (tuple(theirs.shape), dtype)
        assert ours.tolist() == theirs.tolist()
        again = to_torch(ours)
        assert again.dtype == theirs.dtype
        assert torch.equal(again, theirs)


def test_flags_of_tensors(torch):
    parameter = torch.nn.Parameter(torch.ones(2), requires_grad=False)
    result = torch.ones(2, requires_grad=True) * 2
    ours = from_torch([parameter, result])
    assert [type(x) for x in ours] == [nn.Parameter, tg.Tensor]
    assert [x.requires_grad for x in ours] == [False, True]
    assert all(x.is_leaf for x in ours)
    theirs = to_torch(ours)
    assert [type(x) for x in theirs] == [torch.nn.Parameter, torch.Tensor]
    assert [x.requires_grad for x in theirs] == [False, True]
    flipped = to_torch(tg.tensor([1.0, 2.0]).flip(0))
    assert flipped.tolist() == [2.0, 1.0]


def test_state_dicts(torch):
    theirs = torch.nn.LSTM(2, 3)
    state = from_torch(theirs.state_dict())
    assert type(state) is OrderedDict
    assert not any(nn.LSTM(2, 3).load_state_dict(state))
    checkpoint = {"epoch": 3, 0: (None, "x", [torch.ones(1)]), "model": theirs.state_dict()}
    ours = from_torch(checkpoint)
    assert list(ours) == list(checkpoint)
    assert ours["epoch"] == 3
    assert ours[0][:2] == (None, "x")
    assert isinstance(ours[0][2][0], tg.Tensor)
    again = to_torch(ours)
    theirs.load_state_dict(again["model"])


def test_what_cannot_be_carried_over(torch):
    class Net(torch.nn.Module):
        pass

    class Ours(nn.Linear):
        pass

    advice = r"cannot be rebuilt.*load_state_dict\(from_torch\(module.state_dict\(\)\)\)"
    for module in (Net(), torch.nn.Module()):
        with pytest.raises(TypeError, match=advice if type(module) is Net else "from_torch"):
            from_torch(module)
    with pytest.raises(TypeError, match=rf"Net \(at 0\.1\).*{advice}"):
        from_torch(torch.nn.Sequential(torch.nn.Sequential(torch.nn.Tanh(), Net())))
    with pytest.raises(TypeError, match=r"Net \(at norm\)"):
        from_torch(torch.nn.TransformerDecoder(torch.nn.TransformerDecoderLayer(2, 1), 0, Net()))
    with pytest.raises(TypeError, match=r"Ours is not a layer of tinygrad_rnn\.nn"):
        to_torch(Ours(1, 1))
    with pytest.raises(TypeError, match=r"Conv3d does not exist in tinygrad_rnn\.nn"):
        from_torch(torch.nn.Conv3d(1, 1, 1))
    for made in (lambda a, b: a - b, torch.nn.functional.fold):
        layer = torch.nn.TripletMarginWithDistanceLoss(distance_function=made)
        with pytest.raises(TypeError, match=r"WithDistanceLoss\.distance_function"):
            from_torch(layer)
    for change in (torch.nn.utils.parametrizations.weight_norm, torch.nn.utils.spectral_norm):
        with pytest.raises(TypeError, match="from_torch: "):
            from_torch(change(torch.nn.Linear(2, 2)))
    extended = nn.Linear(1, 1)
    extended.extra = nn.Parameter([1.0])
    with pytest.raises(TypeError, match="other parameters or buffers than a Linear"):
        to_torch(extended)
    for tensor in (torch.zeros(2, dtype=torch.bfloat16), torch.zeros(2, dtype=torch.complex64)):
        with pytest.raises(TypeError, match="convert them first"):
            from_torch(tensor)
    with pytest.raises(TypeError, match="convert them first"):
        from_torch(torch.eye(2).to_sparse())
    for call, given in ((from_torch, tg.zeros(1)), (from_torch, nn.Tanh()), (from_torch, 3),
                        (to_torch, torch.zeros(1)), (to_torch, "x")):  # fmt: skip
        with pytest.raises(TypeError, match="expected a Module or a Tensor"):
            call(given)


def test_without_pytorch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    for call in (from_torch, to_torch):
        with pytest.raises(ImportError, match="needs PyTorch: pip install torch"):
            call(tg.zeros(1))
