"""Modules, and recurrent cells and layers beside PyTorch's."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from cases import ROUNDING

import tinygrad_rnn as tg
from tinygrad_rnn import nn

GRID = list(itertools.product(["tanh", "relu"], [True, False]))


def theirs(torch, module, kind: str, **options):
    """PyTorch's module with the same weights."""
    twin = getattr(torch.nn, kind)(module.input_size, module.hidden_size, **options)
    state = {key: torch.tensor(value.numpy()) for key, value in module.state_dict().items()}
    twin.load_state_dict(state)
    return twin


def assert_same_gradients(ours: nn.Module, twin) -> None:
    pairs = zip(ours.named_parameters(), twin.named_parameters(), strict=True)
    for (name, parameter), (twin_name, twin_parameter) in pairs:
        assert name == twin_name
        np.testing.assert_allclose(
            parameter.grad.numpy(), twin_parameter.grad.numpy(), rtol=2e-4, atol=2e-5, err_msg=name
        )


@pytest.mark.parametrize(("nonlinearity", "bias"), GRID)
@pytest.mark.parametrize("batch", [(), (1,), (3,)])
@pytest.mark.parametrize("given_state", [True, False])
def test_rnn_cell_like_torch(torch, rng, nonlinearity, bias, batch, given_state) -> None:
    cell = nn.RNNCell(3, 4, bias, nonlinearity)
    twin = theirs(torch, cell, "RNNCell", bias=bias, nonlinearity=nonlinearity)
    x = rng.standard_normal((*batch, 3)).astype(np.float32)
    h = rng.standard_normal((*batch, 4)).astype(np.float32) if given_state else None
    xs = [tg.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)]
    ours = cell(xs[0], None if h is None else tg.tensor(h))
    their = twin(xs[1], None if h is None else torch.tensor(h))
    np.testing.assert_allclose(ours.detach().numpy(), their.detach().numpy(), rtol=1e-5, atol=1e-6)
    (ours * ours).sum().backward()
    (their * their).sum().backward()
    assert_same_gradients(cell, twin)
    np.testing.assert_allclose(xs[0].grad.numpy(), xs[1].grad.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("nonlinearity", "bias"), GRID)
@pytest.mark.parametrize(("batch", "batch_first"), [((), False), ((3,), False), ((3,), True)])
@pytest.mark.parametrize("given_state", [True, False])
@pytest.mark.parametrize("steps", [1, 5])
def test_rnn_like_torch(
    torch, rng, nonlinearity, bias, batch, batch_first, given_state, steps
) -> None:
    layer = nn.RNN(3, 4, nonlinearity=nonlinearity, bias=bias, batch_first=batch_first)
    twin = theirs(
        torch, layer, "RNN", bias=bias, nonlinearity=nonlinearity, batch_first=batch_first
    )
    shape = (*batch, steps, 3) if batch_first else (steps, *batch, 3)
    x = rng.standard_normal(shape).astype(np.float32)
    h = rng.standard_normal((1, *batch, 4)).astype(np.float32)
    states = [tg.tensor(h, requires_grad=True), torch.tensor(h, requires_grad=True)]
    xs = [tg.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)]
    ours, ours_n = layer(xs[0], states[0] if given_state else None)
    their, their_n = twin(xs[1], states[1] if given_state else None)
    for a, b in ((ours, their), (ours_n, their_n)):
        assert a.shape == tuple(b.shape)
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-4, atol=1e-5)
    (ours * ours).sum().backward(retain_graph=True)
    ours_n.sum().backward()
    ((their * their).sum() + their_n.sum()).backward()
    assert_same_gradients(layer, twin)
    np.testing.assert_allclose(xs[0].grad.numpy(), xs[1].grad.numpy(), rtol=1e-3, atol=1e-4)
    if given_state:
        np.testing.assert_allclose(
            states[0].grad.numpy(), states[1].grad.numpy(), rtol=1e-3, atol=1e-4
        )


@pytest.mark.parametrize("seed", [0, 1, 12345])
@pytest.mark.parametrize("hidden", [1, 2, 20])
def test_equal_seeds_give_equal_weights(torch, seed, hidden) -> None:
    tg.manual_seed(seed)
    torch.manual_seed(seed)
    for kind in ("RNN", "RNNCell"):
        ours, their = getattr(nn, kind)(10, hidden), getattr(torch.nn, kind)(10, hidden)
        for (name, a), (_, b) in zip(
            ours.named_parameters(), their.named_parameters(), strict=True
        ):
            a, b = a.detach().numpy(), b.detach().numpy()
            unit = ROUNDING["float32"]
            np.testing.assert_allclose(a, b, rtol=unit, atol=unit, err_msg=name)


def test_rand_is_torchs_stream(torch) -> None:
    tg.manual_seed(3)
    torch.manual_seed(3)
    for dtype in ("float32", "float64", "float32"):
        ours = tg.rand(5, 3, dtype=dtype).numpy()
        assert np.array_equal(ours, torch.rand(5, 3, dtype=getattr(torch, dtype)).numpy())


def test_numpys_global_random_state_is_not_touched() -> None:
    before = np.random.get_state()[1].copy()
    tg.manual_seed(0)
    tg.rand(10)
    nn.RNN(2, 3)
    assert np.array_equal(np.random.get_state()[1], before)


def test_a_layer_equals_a_loop_over_its_cell(rng) -> None:
    layer, cell = nn.RNN(3, 4), nn.RNNCell(3, 4)
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in layer.state_dict().items()})
    x = tg.tensor(rng.standard_normal((6, 2, 3)).astype(np.float32))
    output, h_n = layer(x)
    h, hs = None, []
    for t in range(6):
        h = cell(x[t], h)
        hs.append(h)
    looped = np.stack([h.detach().numpy() for h in hs])
    np.testing.assert_allclose(output.detach().numpy(), looped, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(h_n[0].detach().numpy(), looped[-1], rtol=1e-6, atol=1e-7)


def test_the_layer_unrolls_literally_with_scopes_and_steps() -> None:
    layer = nn.RNN(1, 2)
    output, _ = layer(tg.ones(3, 1, 1))
    record = tg.bptt.record(output.sum())
    steps = [visit.step for visit in record.visits if visit.node.primitive.name == "tanh"]
    assert steps == [3, 2, 1]
    assert {v.node.tag.scope for v in record.visits if v.step} == {"rnn"}
    names = [v.node.primitive.name for v in record.visits if v.step == 2]
    assert sorted(names) == ["add", "linear", "linear", "tanh"]
    for parameter in layer.parameters():
        shares = tg.bptt.contributions(record, parameter)
        assert list(shares) == [1, 2, 3]
        np.testing.assert_allclose(sum(shares.values()), parameter.grad.numpy(), rtol=1e-6)


def test_layers_keep_no_state() -> None:
    layer = nn.RNN(1, 2)
    x = tg.ones(3, 1, 1)
    first, second = layer(x)[0], layer(x)[0]
    assert np.array_equal(first.detach().numpy(), second.detach().numpy())
    first.sum().backward()
    second.sum().backward()  # a graph of its own


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.RNN(0, 2), ValueError, "input_size"),
        (lambda: nn.RNN(1, 2, bias=1), TypeError, "bias must be a bool"),
        (lambda: nn.RNN(1, 2).load_state_dict(None), TypeError, "names and values"),
        (lambda: nn.RNN(1, -2), ValueError, "hidden_size"),
        (lambda: nn.RNN(1, 2.0), TypeError, "hidden_size must be an int"),
        (lambda: nn.RNN(1, 2, nonlinearity="selu"), ValueError, "'selu'"),
        (lambda: nn.RNN(2, 3)(tg.ones(4, 1, 5)), RuntimeError, r"\(4, 1, 5\).*input_size 2"),
        (lambda: nn.RNN(2, 3)(tg.ones(2)), ValueError, "2D or 3D, got 1D"),
        (lambda: nn.RNN(2, 3)(tg.ones(0, 1, 2)), RuntimeError, "at least one time step"),
        (
            lambda: nn.RNN(2, 3)(tg.ones(4, 1, 2), tg.ones(1, 2, 3)),
            RuntimeError,
            r"initial h has shape \(1, 2, 3\), expected \(1, 1, 3\)",
        ),
        (lambda: nn.RNNCell(2, 3)(tg.ones(1, 1, 2)), ValueError, "1D or 2D, got 3D"),
        (lambda: nn.RNNCell(2, 3)(tg.ones(1, 3)), RuntimeError, "input_size 2"),
        (lambda: nn.RNNCell(2, 3)(tg.ones(1, 2), tg.ones(3)), RuntimeError, "state h has shape"),
        (lambda: nn.RNN(2, 3)(tg.ones(4, 1, 2, dtype="float64")), ValueError, "convert one"),
    ],
)
def test_bad_arguments(make, error, message) -> None:
    with pytest.raises(error, match=message):
        make()


# -- Module -----------------------------------------------------------------------------------


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.RNN(2, 3)
        self.scale = nn.Parameter([1.0])
        self.note = "plain"

    def forward(self, x):
        return self.rnn(x)[0] * self.scale


def test_parameters_are_found_once_and_in_order() -> None:
    model = Tagger()
    names = [name for name, _ in model.named_parameters()]
    assert names == [
        "scale", "rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0", "rnn.bias_hh_l0",
    ]  # fmt: skip
    model.tied = model.scale
    assert len(list(model.parameters())) == 5
    assert list(model.state_dict())[:2] == ["scale", "tied"]


def test_attributes_move_between_kinds() -> None:
    model = Tagger()
    with pytest.raises(TypeError, match="cannot assign"):
        model.scale = 3
    model.scale = None
    assert model.scale is None
    assert "scale" not in model.state_dict()
    del model.rnn
    assert not hasattr(model, "rnn")
    with pytest.raises(AttributeError, match="'Tagger' object has no attribute 'nothing'"):
        _ = model.nothing


def test_super_init_is_required() -> None:
    class Forgetful(nn.Module):
        def __init__(self) -> None:
            self.w = nn.Parameter([1.0])

    with pytest.raises(AttributeError, match=r"super\(\).__init__"):
        Forgetful()


def test_state_dict_round_trip_and_errors() -> None:
    a, b = Tagger(), Tagger()
    b.load_state_dict(a.state_dict())
    for x, y in zip(a.parameters(), b.parameters(), strict=True):
        assert np.array_equal(x.detach().numpy(), y.detach().numpy())
    before = b.scale.item()
    bad = a.state_dict() | {"extra": tg.ones(1), "scale": tg.ones(2)}
    del bad["rnn.bias_hh_l0"]
    with pytest.raises(RuntimeError) as caught:
        b.load_state_dict(bad)
    for part in ("extra", "rnn.bias_hh_l0", "scale", "(2,)", "(1,)"):
        assert part in str(caught.value)
    assert b.scale.item() == before
    missing, unexpected = b.load_state_dict({"other": tg.ones(1)}, strict=False)
    assert "scale" in missing
    assert unexpected == ["other"]


def test_scopes_follow_the_attribute_names() -> None:
    model = Tagger()
    loss = model(tg.ones(2, 1, 2)).sum()
    record = tg.bptt.record(loss)
    assert {"tagger.rnn", "tagger"} <= {visit.node.tag.scope for visit in record.visits}


def test_zero_grad_and_train() -> None:
    model = Tagger()
    model(tg.ones(2, 1, 2)).sum().backward()
    model.zero_grad(set_to_none=False)
    assert model.scale.grad.tolist() == [0.0]
    model.zero_grad()
    assert model.scale.grad is None
    assert not model.eval().rnn.training


def test_repr() -> None:
    assert repr(Tagger()) == "Tagger(\n  (rnn): RNN(2, 3)\n)"
    assert repr(nn.RNNCell(2, 3, False, "relu")) == "RNNCell(2, 3, bias=False, nonlinearity=relu)"


def test_modules_can_be_copied_and_pickled() -> None:
    import copy
    import pickle

    model = Tagger()
    model(tg.ones(2, 1, 2)).sum().backward()
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        for a, b in zip(model.named_parameters(), twin.named_parameters(), strict=True):
            assert a[0] == b[0]
            assert type(b[1]) is nn.Parameter
            assert np.array_equal(a[1].detach().numpy(), b[1].detach().numpy())
            assert b[1].grad is None
            assert not np.shares_memory(a[1].array, b[1].array)
    with pytest.raises(RuntimeError, match="detach"):
        copy.deepcopy(model.scale * 2)


def test_slices_of_an_input_that_needs_gradients_belong_to_their_steps() -> None:
    x = tg.ones(3, 1, 2, requires_grad=True)
    record = tg.bptt.record(nn.RNN(2, 2)(x)[0].sum())
    steps = [v.step for v in record.visits if v.node.primitive.name == "getitem"]
    assert steps == [3, 2, 1]
