"""Size, dtype and device: what they print and are equal to, beside PyTorch's."""

from __future__ import annotations

import copy
import pickle
import random

import numpy as np
import pytest

import tinygrad_rnn as tg

NAMES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]

SIZES = {
    "slice": lambda a, b: a[1:],
    "stride": lambda a, b: a[::2],
    "index": lambda a, b: a[-1] if a else None,
    "sum": lambda a, b: a + b,
    "tuple on the right": lambda a, b: a + tuple(b),
    "tuple on the left": lambda a, b: tuple(b) + a,
    "product": lambda a, b: a * 2,
    "product on the left": lambda a, b: 2 * a,
    "numel": lambda a, b: a.numel(),
    "equality": lambda a, b: (a == b, a == tuple(a), a == list(a), a < b),
    "hash": lambda a, b: hash(a) == hash(tuple(a)),
    "text": lambda a, b: (str(a), repr(a), f"{a}", str((a,))),
    "pickle": lambda a, b: pickle.loads(pickle.dumps(a)),
    "copy": lambda a, b: copy.deepcopy(a),
    "unpacked": lambda a, b: [*a, *b],
}  # fmt: skip


@pytest.mark.parametrize("name", SIZES)
def test_sizes_do_what_those_of_torch_do(torch, name):
    draw = random.Random(7)
    for _ in range(20):
        one, two = ([draw.randrange(5) for _ in range(draw.randrange(5))] for _ in range(2))
        ours, theirs = (
            SIZES[name](lib.zeros(one).shape, lib.zeros(two).size()) for lib in (tg, torch)
        )
        assert repr(ours) == repr(theirs)
        assert type(ours).__name__ == type(theirs).__name__


@pytest.mark.parametrize("wrong", [[2.0], 3, "ab", [None]], ids=repr)
def test_sizes_are_integers(torch, wrong):
    for lib in (tg, torch):
        with pytest.raises(TypeError):
            lib.Size(wrong)
    with pytest.raises(TypeError):
        tg.Size([2]) + [1]  # noqa: RUF005


def test_sizes_are_saved_as_tuples(tmp_path):
    tg.save({"shape": tg.zeros(2, 3).shape}, tmp_path / "x")
    assert tg.load(tmp_path / "x") == {"shape": (2, 3)}


@pytest.mark.parametrize("name", NAMES)
def test_types_say_what_those_of_torch_say(torch, name):
    ours, theirs = getattr(tg, name), getattr(torch, name)
    assert (str(ours), repr(ours), f"{ours}") == (str(theirs), repr(theirs), f"{theirs}")
    for what in ("is_floating_point", "is_complex", "is_signed", "itemsize"):
        assert getattr(ours, what) == getattr(theirs, what)
    assert ours.to_real() is ours
    assert repr(tg.zeros(2, dtype=ours)) == repr(torch.zeros(2, dtype=theirs))
    assert tg.zeros(2, dtype=ours).type() == torch.zeros(2, dtype=theirs).type()


@pytest.mark.parametrize("name", NAMES)
def test_types_are_numpys_and_one_object_each(name):
    kind, numpys = getattr(tg, name), np.dtype(name)
    assert isinstance(kind, tg.dtype)
    assert kind == numpys
    assert numpys == kind
    assert hash(kind) == hash(numpys)
    assert kind == numpys.type
    assert numpys.type == kind
    assert kind == name
    assert kind != "complex128"
    assert kind != None  # noqa: E711
    assert numpys in {kind: 0}
    assert kind in {numpys: 0}
    assert kind not in [other for other in map(np.dtype, NAMES) if other != numpys]
    assert np.zeros(2, kind).dtype == numpys
    assert np.zeros(2).astype(kind).dtype == numpys
    for same in (
        tg.zeros(2, dtype=kind).dtype, tg.zeros(2, dtype=name).dtype, tg.dtype(name),
        tg.from_numpy(np.zeros(2, numpys)).dtype, copy.deepcopy(kind), copy.copy(kind),
        pickle.loads(pickle.dumps(kind)), tg.zeros(2).to(kind).dtype,
    ):  # fmt: skip
        assert same is kind
    assert (kind.kind, kind.type, kind.itemsize) == (numpys.kind, numpys.type, numpys.itemsize)


def test_both_names_that_c_has_for_a_type_are_one_type():
    assert tg.from_numpy(np.zeros(2, np.longlong)).dtype is tg.int64
    assert tg.from_numpy(np.zeros(2, np.int64)).dtype is tg.int64


def test_types_are_saved(tmp_path):
    tg.save({"a": tg.float64, "b": np.dtype("int8")}, tmp_path / "x")
    loaded = tg.load(tmp_path / "x")
    assert loaded["a"] is tg.float64
    assert loaded["b"] is tg.int8


def test_functions_about_types_give_types(torch):
    for lib in (tg, torch):
        assert lib.get_default_dtype() is lib.float32
        assert lib.promote_types(lib.int8, lib.uint8) is lib.int16
        assert lib.result_type(lib.ones(2), 1) is lib.float32


DEVICES = [("cpu",), ("cpu:0",), ("cpu", 0), ("cpu", 3), ("cpu:12",)]


@pytest.mark.parametrize("given", DEVICES, ids=str)
def test_devices_print_as_in_torch(torch, given):
    ours, theirs = tg.device(*given), torch.device(*given)
    assert (repr(ours), str(ours)) == (repr(theirs), str(theirs))
    assert (ours.type, ours.index) == (theirs.type, theirs.index)
    assert pickle.loads(pickle.dumps(ours)) == copy.deepcopy(ours) == tg.device(ours) == ours
    assert ours == str(theirs)
    assert hash(ours) == hash(str(ours))
    for other in DEVICES:
        assert (ours == tg.device(*other)) == (theirs == torch.device(*other))
    x = tg.ones(2)
    assert x.to(ours) is x
    assert repr(tg.zeros(2, device=ours).device) == "device(type='cpu')"
    assert tg.nn.Linear(2, 2, device=ours).to(ours).weight.device == "cpu"
    with ours:
        assert tg.ones(2).device == tg.device("cpu")


@pytest.mark.parametrize(
    "given", [("cuda",), ("foo",), ("",), ("cpu:x",), ("cpu:-1",), ("cpu:0", 1), (0,), ("CPU",)]
)
def test_other_devices_are_errors(given):
    with pytest.raises(RuntimeError):
        tg.device(*given)


@pytest.mark.parametrize("given", [(None,), (1.5,), ("cpu", "0"), ("cpu", True)], ids=str)
def test_what_is_no_device(torch, given):
    for lib in (tg, torch):
        with pytest.raises(TypeError):
            lib.device(*given)


F = tg.nn.functional
ERRORS = {
    "item": lambda x: x.item(),
    "requires_grad": lambda x: x.long().requires_grad_(),
    "backward": lambda x: x.requires_grad_().tanh().backward(),
    "view": lambda x: x.view(x.shape * 2),
    "zeros": lambda x: tg.zeros(tg.Size([-1, 2])),
    "mse_loss": lambda x: F.mse_loss(x.long(), x.bool()),
    "nll_loss": lambda x: F.nll_loss(x, x.long()),
    "binary_cross_entropy_with_logits": lambda x: F.binary_cross_entropy_with_logits(x, x[:1]),
    "layer_norm": lambda x: F.layer_norm(x, tg.Size([5])),
    "batch_norm": lambda x: F.batch_norm(x, x, x),
    "bilinear": lambda x: F.bilinear(x, x, x),
    "attention": lambda x: F.scaled_dot_product_attention(x[0], x[0], x[0]),
    "attention of types": lambda x: F.scaled_dot_product_attention(x, x.double(), x),
    "ctc_loss": lambda x: F.ctc_loss(x.half(), x, x, x),
    "linear": lambda x: tg.nn.Linear(5, 2)(x),
    "lstm": lambda x: tg.nn.LSTM(5, 2)(x),
    "lstm of types": lambda x: tg.nn.LSTM(3, 2)(x.double()),
    "load_state_dict": lambda x: tg.nn.Linear(2, 2).load_state_dict(
        {"weight": x, "bias": tg.ones(2)}),
    "grad": lambda x: setattr(x, "grad", x.double()),
    "hook": lambda x: (x.requires_grad_().register_hook(lambda g: g[:1].double()),
                       x.sum().backward()),
    "expand": lambda x: x.expand(tg.Size([4, 4])),
    "unused": lambda x: tg.autograd.grad(tg.ones(1, requires_grad=True).sum(), x.requires_grad_()),
    "new_zeros": lambda x: x.new_zeros(x.shape[:1] + tg.Size([-1])),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors_write_sizes_and_types_as_numpy_does(name):
    with pytest.raises((RuntimeError, ValueError, TypeError)) as error:
        ERRORS[name](tg.ones(2, 3))
    assert "torch." not in str(error.value)
