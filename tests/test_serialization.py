"""Files: what is saved comes back, all or nothing, and what is not ours is refused."""

from __future__ import annotations

import io
import json
import math
import os
import pickle
import stat
import struct
import sys
import zipfile
from collections import Counter, OrderedDict, defaultdict, namedtuple
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tinygrad_rnn as tg
from tinygrad_rnn import nn, serialization

DTYPES = [bool, "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]


def packed(obj):
    file = io.BytesIO()
    tg.save(obj, file)
    return file.getvalue()


def back(obj):
    return tg.load(io.BytesIO(packed(obj)))


def same(a, b):
    """Whether two objects are of the same types and bits throughout."""
    if isinstance(b, np.dtype):  # which comes back as the type of this package that equals it
        return isinstance(a, tg.dtype) and a == b
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return len(a) == len(b) and all(
            same(k, j) and same(v, w) for (k, v), (j, w) in zip(a.items(), b.items(), strict=True)
        )
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, tg.Tensor):
        return a.requires_grad == b.requires_grad and same(a.array, b.array)
    if isinstance(a, np.ndarray | np.generic):
        return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b) or a != a != b
    return a == b


# -- what is saved comes back ------------------------------------------------------------------

ARRAYS = hnp.arrays(
    st.sampled_from([np.dtype(dtype) for dtype in DTYPES]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)
OTHER_ARRAYS = hnp.arrays(
    st.sampled_from(["<U3", "|S2", "<c8", ">f4", "<u8", "<M8[ns]"]),
    hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3),
)
TENSORS = st.builds(
    lambda array, grad, view: tg.from_numpy(array.T if view else array).requires_grad_(
        grad and array.dtype.kind == "f"
    ),
    ARRAYS,
    st.booleans(),
    st.booleans(),
)
KEYS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
LEAVES = st.one_of(
    KEYS,
    st.floats(),
    st.integers(-(2**70), 2**70),
    ARRAYS,
    OTHER_ARRAYS,
    TENSORS,
    st.sampled_from([np.float32(0.1), np.float64(0.1), np.int64(3), np.bool_(True), np.str_("x")]),
    st.sampled_from([np.dtype(dtype) for dtype in DTYPES]),
)
NESTED = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS | st.tuples(KEYS, KEYS), inner, max_size=4)
        | st.dictionaries(st.text(), inner, max_size=4).map(OrderedDict)
    ),
    max_leaves=12,
)


@given(NESTED)
def test_round_trip(obj):
    assert same(back(obj), obj)


@pytest.mark.parametrize(
    "number",
    [2**53, 2**53 + 1, -(2**64), 10**5000, 0.0, -0.0, 5e-324, 1.7976931348623157e308, math.inf,
     -math.inf, math.nan, 0.1, True, False],
    ids=lambda number: f"{number!r}" if number != 10**5000 else "10**5000",
)  # fmt: skip
def test_numbers(number):
    assert same(back([number, {number: number}][0]), number)


def test_strings_of_any_kind():
    for text in ("", "é∂σ", "\ud800", "\0", "a" * 10_000, '{"tensor": 0}'):
        assert back(text) == text


def test_what_looks_like_the_format_is_data():
    for obj in ({"tensor": 0}, {"dict": []}, [{"float": "nan"}], {"tuple": [1]}, {}, [], ()):
        assert same(back(obj), obj)


def test_keys_keep_their_kinds_and_order():
    obj = {2: "a", "2": "b", (1, "x"): "c", None: "d", 1.5: "e", -1: "f"}
    assert list(back(obj).items()) == list(obj.items())


def test_parameters_and_flags():
    frozen = nn.Parameter([1.0], requires_grad=False)
    obj = back([nn.Parameter([1.0, 2.0]), frozen, tg.tensor([3.0], requires_grad=True)])
    assert [type(x) for x in obj] == [nn.Parameter, nn.Parameter, tg.Tensor]
    assert [x.requires_grad for x in obj] == [True, False, True]
    assert all(x.is_leaf and x.grad is None for x in obj)
    (obj[0] * 2).sum().backward()
    assert obj[0].grad.tolist() == [2.0, 2.0]


def test_a_result_is_saved_as_a_leaf():
    x = tg.tensor([1.0], requires_grad=True)
    y = back(x * 2)
    assert y.is_leaf
    assert y.requires_grad
    assert y.tolist() == [2.0]


def test_loaded_tensors_can_be_changed():
    x = back(tg.zeros(3))
    x += 1
    assert x.tolist() == [1, 1, 1]
    assert back(tg.zeros(1).expand(4)).add_(1).tolist() == [1] * 4


def test_what_is_shared_is_stored_once_and_shared_again():
    w = nn.Parameter(tg.randn(100, 100))
    array = w.detach().numpy()
    data = packed({"a": w, "b": [w], "c": w.detach(), "d": array})
    assert len(data) < 1.1 * array.nbytes + 1000
    obj = tg.load(io.BytesIO(data))
    assert obj["a"] is obj["b"][0]
    assert obj["c"] is not obj["a"]
    obj["c"].zero_()
    assert not obj["a"].any()
    assert not obj["d"].any()


def test_numbers_do_not_share_memory_by_chance():
    numbers = [np.float64(i) for i in range(200)]
    assert back(numbers) == numbers


def test_tied_weights_of_a_module(tmp_path):
    net = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 5))
    net[1].weight = net[0].weight
    tg.save(net.state_dict(), tmp_path / "net.tg")
    state = tg.load(tmp_path / "net.tg")
    assert isinstance(state, OrderedDict)
    assert np.shares_memory(state["0.weight"].array, state["1.weight"].array)
    other = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 5))
    assert not any(other.load_state_dict(state))
    assert same(other.state_dict(), net.state_dict())


@pytest.mark.parametrize(
    "make",
    [
        lambda params: tg.optim.SGD(params, lr=0.1, momentum=0.9),
        lambda params: tg.optim.Adam(params, lr=0.1, amsgrad=True),
        lambda params: tg.optim.LBFGS(params, lr=0.1),
    ],
    ids=["SGD", "Adam", "LBFGS"],
)
def test_training_goes_on_from_a_checkpoint(make, tmp_path):
    x, y = tg.randn(6, 2), tg.randn(6, 1)

    def train(net, optimizer, steps):
        def closure():
            optimizer.zero_grad()
            loss = ((net(x) - y) ** 2).mean()
            loss.backward()
            return loss

        return [optimizer.step(closure).item() for _ in range(steps)]

    net = nn.Linear(2, 1)
    optimizer = make(net.parameters())
    train(net, optimizer, 3)
    checkpoint = {
        "epoch": 3,
        "model": net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "rng": tg.get_rng_state(),
    }
    tg.save(checkpoint, tmp_path / "checkpoint.tg")
    expected = train(net, optimizer, 3)

    loaded = tg.load(tmp_path / "checkpoint.tg")
    other = nn.Linear(2, 1)
    other.load_state_dict(loaded["model"])
    optimizer = make(other.parameters())
    optimizer.load_state_dict(loaded["optimizer"])
    assert train(other, optimizer, 3) == expected
    tg.set_rng_state(loaded["rng"])


def test_the_format_is_an_npz_and_always_the_same(tmp_path):
    path = tmp_path / "a.tg"
    tg.save({"w": tg.tensor([1.0, 2.0]), "n": [1, (2,)]}, path)
    with np.load(path, allow_pickle=False) as npz:
        assert npz["0"].tolist() == [1.0, 2.0]
        structure = json.loads(npz["tinygrad_rnn.json"])
    assert structure == {
        "format": "tinygrad_rnn",
        "version": 1,
        "tensors": [[0, False, False]],
        "content": {"dict": [["w", {"tensor": 0}], ["n", [1, {"tuple": [2]}]]]},
    }
    assert path.read_bytes() == packed({"w": tg.tensor([1.0, 2.0]), "n": [1, (2,)]})


# -- whole modules and other objects -------------------------------------------------------------


class Plain:
    def __init__(self, value):
        self.value = value


class Net(nn.Module):
    """Has a child in two places, tied weights, an activation, a vocabulary and itself."""

    def __init__(self):
        super().__init__()
        self.rnn, self.head = nn.LSTM(3, 4), nn.Linear(4, 3)
        self.same, self.layers = self.rnn, nn.ModuleList([self.head, nn.Dropout(0.5)])
        self.tied = nn.Parameter(tg.zeros(1))
        self.tied = self.head.weight
        self.activation, self.kind, self.vocabulary = tg.tanh, nn.Tanh, Plain({"a": 0})
        self.letters, self.itself = {"a", "b"}, [self]
        self.register_buffer("scale", tg.tensor(2.0), persistent=False)

    def forward(self, x):
        return self.activation(self.head(self.same(x)[0])) * self.scale


def reloaded(obj, **options):
    return tg.load(io.BytesIO(packed(obj)), **options)


def test_a_whole_module():
    net, x = Net(), tg.randn(5, 2, 3)
    again = reloaded(net.eval(), weights_only=False)
    assert type(again) is Net
    assert not again.training
    assert tg.equal(again(x), net(x))
    assert again.same is again.rnn
    assert again.tied is again.layers[0].weight is again.head.weight
    assert (again.activation, again.kind) == (tg.tanh, nn.Tanh)
    assert again.vocabulary.value == {"a": 0}
    assert again.letters == {"a", "b"}
    assert again.itself == [again]
    again(x).sum().backward()
    assert again.tied.grad is not None
    assert again.state_dict().keys() == net.state_dict().keys()


@pytest.mark.parametrize(
    "module",
    [
        nn.GRU(2, 3, 2, bidirectional=True), nn.RNNCell(2, 3), nn.Embedding(4, 2), nn.GELU(),
        nn.BatchNorm1d(2), nn.LayerNorm(2), nn.CrossEntropyLoss(tg.ones(3)), nn.Dropout2d(0.5),
        nn.Sequential(nn.Linear(2, 2), nn.ReLU()), nn.ModuleDict({"a": nn.Identity()}),
        nn.ParameterList([tg.ones(2)]), nn.ParameterDict({"a": tg.ones(2)}),
    ],
    ids=lambda module: type(module).__name__,
)  # fmt: skip
def test_whole_modules_of_every_kind(module):
    again = reloaded({"model": module}, weights_only=False)["model"]
    assert repr(again) == repr(module)
    assert same(again.state_dict(), module.state_dict())


def test_an_object_needs_permission():
    message = r"weights_only=False.*safe_globals\(\[Plain\]\)"
    for options in ({}, {"weights_only": True}, {"weights_only": None}):
        with pytest.raises(UnpicklingError, match=message):
            reloaded(Plain(1), **options)
    with serialization.safe_globals([Plain]):
        assert serialization.get_safe_globals() == [Plain]
        assert reloaded(Plain(1)).value == 1
        with pytest.raises(UnpicklingError):
            reloaded(Plain(nn.Tanh()))
    serialization.add_safe_globals([os.getpid])
    assert reloaded([os.getpid]) == [os.getpid]
    serialization.clear_safe_globals()
    with pytest.raises(TypeError):
        serialization.add_safe_globals([3])
    with pytest.raises(TypeError, match="weights_only"):
        reloaded(1, weights_only="no")


def test_a_chain_of_objects_may_be_long():
    chain = None
    for _ in range(5000):
        chain = Plain(chain)
    again = reloaded(chain, weights_only=False)
    for _ in range(5000):
        again = again.value
    assert again is None


HOSTILE_OBJECTS = {
    "no module": ("no_such_module_anywhere", "Net", ModuleNotFoundError),
    "no class": ("json", "Net", AttributeError),
    "a function": ("os", "system", UnpicklingError),
    "with a __del__": ("subprocess", "Popen", UnpicklingError),
    "of C": ("builtins", "dict", UnpicklingError),
    "no name": ("os", "system('true')", UnpicklingError),
    "slots": (__name__, "Strange", UnpicklingError),
}


@pytest.mark.parametrize("what", HOSTILE_OBJECTS)
def test_hostile_objects(what):
    module, name, error = HOSTILE_OBJECTS[what]
    structure = {
        "format": "tinygrad_rnn", "version": 1, "tensors": [], "content": {"object": 0},
        "objects": [[module, name, {"dict": []}]],
    }  # fmt: skip
    file = archive([("tinygrad_rnn.json", json.dumps(structure))])
    with pytest.raises(error, match=r"load|No module"):
        tg.load(io.BytesIO(file), weights_only=False)


def test_hostile_functions():
    for named in (["os", "system"], ["posix", "system"], ["tinygrad_rnn.serialization", "os"]):
        file = io.BytesIO(file_with({"named": named}))
        with pytest.raises((UnpicklingError, ModuleNotFoundError)):
            tg.load(file, weights_only=False)
    key = {"dict": [[{"tuple": [{"object": 0}]}, 1]]}
    structure = {
        "format": "tinygrad_rnn", "version": 1, "tensors": [], "content": key,
        "objects": [[__name__, "Plain", {"dict": []}]],
    }  # fmt: skip
    with pytest.raises(ValueError, match="no known kind"):
        tg.load(
            io.BytesIO(archive([("tinygrad_rnn.json", json.dumps(structure))])),
            weights_only=False,
        )


def test_what_older_programs_pass(tmp_path):
    tg.save([1], tmp_path / "x", _use_new_zipfile_serialization=False, pickle_protocol=4)
    assert tg.load(tmp_path / "x", map_location=lambda storage, location: storage) == [1]
    assert tg.load(tmp_path / "x", map_location={"cuda:0": "cpu"}, mmap=False) == [1]


# -- what cannot be saved ----------------------------------------------------------------------

Point = namedtuple("Point", "x y")


class Strange:
    __slots__ = ("x",)


class WithADel:
    def __del__(self):
        pass


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        (tg.optim.SGD([tg.zeros(1)], lr=1), r"defaultdict at obj.state cannot .* plain dict"),
        (len, "builtin_function_or_method"),
        (lambda: 0, "function"),
        (Strange(), "Strange cannot be saved: its class has __slots__"),
        ([WithADel()], r"WithADel at obj\[0\] cannot be saved: its class has a __del__"),
        ({(1, Plain(1)): 0}, "a key of a dict"),
        ({Plain(1)}, "a key of a dict, or an element of a set"),
        (Plain(lambda: 0), "function at obj.value cannot"),
        (Plain(os.system), "at obj.value cannot be saved"),
        (frozenset({1}), "frozenset cannot"),
        (b"bytes", "bytes cannot"),
        (1j, "complex cannot"),
        (defaultdict(list), "make a plain dict of it"),
        (Counter("aab"), "make a plain dict of it"),
        (Point(1, 2), "make a plain tuple of it"),
        (np.array([None]), "ndarray of object cannot"),
        (np.zeros(2, "f4,i4"), "of .* cannot"),
        (np.ma.zeros(2), "make it a NumPy array"),
        (np.dtype("complex64"), "complex64"),
        ({"path": Path("x")}, "Path"),
    ],
    ids=lambda x: "" if isinstance(x, str) else type(x).__name__,
)
def test_refused(obj, message, tmp_path):
    with pytest.raises(TypeError, match=message):
        tg.save(obj, tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_a_tensor_of_pytorch_is_sent_to_from_torch(torch):
    with pytest.raises(TypeError, match="from_torch"):
        tg.save([torch.zeros(2)], io.BytesIO())


def test_too_deep_and_circular():
    loop: list = []
    loop.append({"again": loop})
    deep: list = []
    for _ in range(200):
        deep = [deep]
    for obj in (loop, deep):
        with pytest.raises(ValueError, match="nested"):
            tg.save(obj, io.BytesIO())
    deep = []
    for _ in range(49):
        deep = {0: (deep,)}
    assert same(back(deep), deep)


# -- all or nothing ----------------------------------------------------------------------------


class Interrupted(BaseException):
    pass


@pytest.mark.parametrize("name", ["fsync", "replace"])
def test_an_interrupted_save_leaves_the_old_file(name, tmp_path, monkeypatch):
    path = tmp_path / "x.tg"
    tg.save("old", path)

    def interrupt(*args):
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(serialization.os, name, interrupt)
        with pytest.raises(Interrupted):
            tg.save("new", path)
    assert tg.load(path) == "old"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(TypeError):
        tg.save(Strange(), path)
    assert tg.load(path) == "old"
    tg.save("new", path)
    assert tg.load(path) == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="modes and links of POSIX")
def test_modes_and_links_are_kept(tmp_path):
    plain, path, link = tmp_path / "plain", tmp_path / "x", tmp_path / "link"
    plain.write_bytes(b"")
    tg.save(1, path)
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    path.chmod(0o640)
    link.symlink_to(path)
    tg.save(2, link)
    assert link.is_symlink()
    assert tg.load(path) == tg.load(link) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_paths(tmp_path):
    tg.save(1, str(tmp_path / ("n" * 250)))
    assert tg.load(str(tmp_path / ("n" * 250))) == 1
    with pytest.raises(FileNotFoundError, match="no directory"):
        tg.save(1, tmp_path / "missing" / "x")
    with pytest.raises(FileNotFoundError):
        tg.load(tmp_path / "missing")
    for call in (lambda: tg.load(tmp_path), lambda: tg.save(1, tmp_path)):
        with pytest.raises(ValueError, match="is a directory"):
            call()
    for call in (lambda: tg.load(3), lambda: tg.save(1, 3), lambda: tg.save(1, io.StringIO())):
        with pytest.raises(TypeError):
            call()
    if os.path.exists("/dev/null"):
        tg.save(1, "/dev/null")
        assert not os.path.isfile("/dev/null")
        with pytest.raises(ValueError, match="is no file"):
            tg.load("/dev/null")


def test_file_objects(tmp_path):
    with open(tmp_path / "x", "w+b") as file:
        file.write(b"before")
        tg.save([1], file)
        file.seek(6)
        assert tg.load(file) == [1]
        file.seek(0)
        with pytest.raises(ValueError, match="something else before it"):
            tg.load(file)


# -- damaged, foreign and hostile files --------------------------------------------------------

GOOD = packed({"w": tg.arange(12.0).reshape(3, 4), "n": [1, "text", (None,)], "o": tg.ones(2)})


class Bomb:
    def __reduce__(self):
        return os.abort, ()


def archive(members, compression=zipfile.ZIP_STORED):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as file:
        for name, content in members:
            file.writestr(name, content)
    return data.getvalue()


def npy(array=None, header=None, body=None, allow_pickle=True):
    data = io.BytesIO()
    np.lib.format.write_array(data, np.zeros(2) if array is None else array, (1, 0), allow_pickle)
    if header is None:
        return data.getvalue()
    text = header.encode("latin1")
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + (body or b"")


def file_with(content, arrays=(), tensors=(), version=1, form="tinygrad_rnn"):
    structure = {"format": form, "version": version, "tensors": tensors, "content": content}
    text = content if isinstance(content, bytes) else json.dumps(structure)
    members = [("tinygrad_rnn.json", text)]
    return archive(members + [(f"{i}.npy", array) for i, array in enumerate(arrays)])


def header(descr="'<f8'", order="False", shape="(2,)"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


def pickled_npz():
    data = io.BytesIO()
    np.savez(data, a=np.array([Bomb()], object))
    return data.getvalue()


def plain_npz():
    data = io.BytesIO()
    np.savez(data, a=np.zeros(3))
    return data.getvalue()


def with_entries(count):
    """An archive whose directory lists one member's bytes many times over."""
    data = archive([("tinygrad_rnn.json", "{}"), ("0.npy", npy(np.zeros(1000)))])
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        first, second = file.infolist()
        start = file.start_dir
    entry = data[start : len(data) - 22]
    split = 46 + len(first.filename)
    names = [struct.pack("<5s", f"{i}.npy".encode()) for i in range(count)]
    copies = b"".join(entry[split : split + 46] + name for name in names)
    directory = entry[:split] + copies
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count + 1, count + 1, len(directory), start, 0)
    assert second.filename == "0.npy"
    return data[:start] + directory + end


HOSTILE = {
    "empty": (b"", "it is empty"),
    "one byte": (b"P", "zip"),
    "text": (b"hello world" * 100, "zip"),
    "zeros": (bytes(1000), "zip"),
    "pickle": (pickle.dumps(Bomb()), "it is a pickle"),
    "npy": (npy(), "zip"),
    "npy with pickle": (npy(np.array([Bomb()], object)), "zip"),
    "npz": (plain_npz(), "does not begin with"),
    "npz with pickle": (pickled_npz(), "does not begin with"),
    "empty zip": (archive([]), "does not begin with"),
    "other zip": (archive([("readme.txt", "hello")]), "does not begin with"),
    "path tricks": (
        archive([("tinygrad_rnn.json", "{}"), ("../../evil.npy", npy())]),
        "not numbered",
    ),
    "absolute path": (archive([("/tinygrad_rnn.json", "{}")]), "does not begin with"),
    "other format": (file_with(1, form="other"), "does not say"),
    "no object": (archive([("tinygrad_rnn.json", "[]")]), "does not say"),
    "no content": (archive([("tinygrad_rnn.json", '{"format": "tinygrad_rnn"}')]), "version"),
    "newer": (file_with(1, version=2), "version 2.* reads version 1"),
    "no JSON": (file_with(b"{"), "damaged"),
    "no ASCII": (file_with(b'{"format": "\xff"}'), "damaged"),
    "deep JSON": (file_with(b"[" * 10**5), "nested too deeply"),
    "deep content": (
        file_with(
            b'{"format": "tinygrad_rnn", "version": 1, "tensors": [], "content": '
            + b"[" * 900
            + b"]" * 900
            + b"}"
        ),
        "nested too deeply",
    ),
    "endless number": (file_with(b"1" * 10**6), "damaged"),
    "unknown kind": (file_with({"module": "os"}), "no known kind"),
    "code for a float": (file_with({"float": "__import__('os')"}), "no known kind"),
    "code for an int": (file_with({"int": "__import__('os')"}), "damaged"),
    "object dtype": (file_with({"dtype": "O"}), "dtype object is not supported"),
    "odd dtype": (file_with({"dtype": "f4,f4"}), "damaged"),
    "unhashable key": (file_with({"dict": [[[1], 2]]}), "unhashable"),
    "no pair": (file_with({"dict": [[1]]}), "damaged"),
    "pairs of text": (file_with({"dict": "ab"}), "no known kind"),
    "no such array": (file_with({"array": 5}), "range"),
    "no such tensor": (file_with({"tensor": 0}), "range"),
    "tensor of nothing": (file_with(1, tensors=[[0, True, True]]), "range"),
    "odd tensor": (file_with(1, [npy()], [[0, True, True, True]]), "damaged"),
    "odd flag": (file_with(1, [npy()], [[0, "yes", False]]), "requires_grad_"),
    "integer that requires grad": (
        file_with(1, [npy(np.zeros(2, int))], [[0, True, False]]),
        "floating-point",
    ),
    "tensor of text": (file_with(1, [npy(np.array(["a"]))], [[0, False, False]]), "not supported"),
    "big-endian tensor": (
        file_with(1, [npy(np.zeros(2, ">f4"))], [[0, False, False]]),
        "byte order",
    ),
    "objects": (file_with(1, [npy(np.array([Bomb()], object))]), "wrong header"),
    "records": (file_with(1, [npy(np.zeros(2, "f4,f4"))]), "wrong header"),
    "Fortran order": (file_with(1, [npy(np.ones((2, 3)).T)]), "wrong header"),
    "no array": (file_with(1, [b""]), "wrong header"),
    "cut array": (file_with(1, [npy()[:-1]]), "wrong length"),
    "long array": (file_with(1, [npy() + b"x"]), "wrong length"),
    "huge array": (file_with(1, [npy(header=header(shape="(1000000000000,)"))]), "wrong length"),
    "huge empty array": (
        file_with(1, [npy(header=header(shape=f"(0, {2**62}, {2**62})"))]),
        "damaged",
    ),
    "overflowing array": (
        file_with(1, [npy(header=header(shape=f"({2**32}, {2**32})"))]),
        "wrong length",
    ),
    "negative shape": (file_with(1, [npy(header=header(shape="(-2, -1)"))]), "wrong header"),
    "code for a shape": (
        file_with(1, [npy(header=header(shape="__import__('os').abort()"))]),
        "wrong header",
    ),
    "code for a type": (
        file_with(1, [npy(header=header(descr="__import__('os').abort()"))]),
        "wrong header",
    ),
    "unknown type": (file_with(1, [npy(header=header(descr="'<f3'"))]), "damaged"),
    "compressed": (
        archive([("tinygrad_rnn.json", " " * 10**6)], zipfile.ZIP_DEFLATED),
        "compressed",
    ),
    "overlapping": (with_entries(10), "longer than the file"),
    "something before": (b"x" * 50 + GOOD, "something else before"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files(name, tmp_path):
    data, message = HOSTILE[name]
    with pytest.raises(ValueError, match=f"(?s)not a file that tinygrad_rnn.save wrote.*{message}"):
        tg.load(io.BytesIO(data))
    path = tmp_path / "x.tg"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"x\.tg"):
        tg.load(path)


def test_files_of_pytorch(torch, tmp_path):
    for new in (True, False):
        path = tmp_path / f"{new}.pt"
        torch.save({"w": torch.zeros(2)}, path, _use_new_zipfile_serialization=new)
        with pytest.raises(ValueError, match="pickle"):
            tg.load(path)


def test_an_encrypted_member_is_refused():
    data = bytearray(GOOD)
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(mark) + offset] |= 1
    with pytest.raises(ValueError, match="encrypted"):
        tg.load(io.BytesIO(bytes(data)))


@pytest.mark.parametrize("size", range(0, len(GOOD), 7))
def test_truncated_files(size):
    with pytest.raises(ValueError, match="load: the file is not"):
        tg.load(io.BytesIO(GOOD[:size]))


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=6))
def test_damaged_files_load_as_they_were_or_not_at_all(changes):
    data = bytearray(GOOD)
    for place, byte in changes:
        data[place] = byte
    try:
        obj = tg.load(io.BytesIO(bytes(data)))
    except ValueError as error:
        assert "damaged" in str(error)  # noqa: PT017
    else:
        assert same(obj, tg.load(io.BytesIO(GOOD)))


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_random_structures(content):
    with pytest.raises(ValueError, match="damaged"):
        tg.load(io.BytesIO(file_with(content)))


# -- safetensors -------------------------------------------------------------------------------


@pytest.fixture
def safetensors():
    return pytest.importorskip("safetensors", reason="pip install tinygrad_rnn[safetensors]")


def test_safetensors_round_trip(safetensors, tmp_path):
    path = tmp_path / "x.safetensors"
    state = {str(dtype): tg.from_numpy(np.ones((2, 3), dtype)) for dtype in DTYPES}
    state |= {"0-d": tg.tensor(1.5), "empty": tg.zeros(0, 3), "view": tg.randn(3, 4).t()}
    tg.save(state, path)
    loaded = tg.load(path)
    assert set(loaded) == set(state)
    assert all(same(loaded[key], state[key]) for key in state)
    loaded["0-d"].add_(1)
    tg.save(OrderedDict(a=np.arange(3, dtype=">i4"), b=nn.Parameter([1.0])), path)
    assert same(tg.load(path)["a"], tg.tensor([0, 1, 2], dtype=tg.int32))
    assert same(tg.load(path)["b"], tg.tensor([1.0]))
    tg.save({}, path)
    assert tg.load(path) == {}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="links of POSIX")
def test_safetensors_behind_a_link(safetensors, tmp_path):
    """As in caches of downloads: the name of the link counts."""
    link, file = tmp_path / "x.safetensors", tmp_path / "0123abcd"
    link.symlink_to(file)
    tg.save({"a": tg.ones(1)}, link)
    assert tg.load(link)["a"].tolist() == [1.0]
    with pytest.raises(ValueError, match="damaged"):
        tg.load(file)


def test_safetensors_and_pytorch(safetensors, torch, tmp_path):
    library = pytest.importorskip("safetensors.torch")
    theirs = torch.nn.LSTM(2, 3)
    library.save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    ours = nn.LSTM(2, 3)
    ours.load_state_dict(tg.load(tmp_path / "theirs.safetensors"))
    for key, value in theirs.state_dict().items():
        assert (ours.state_dict()[key].numpy() == value.numpy()).all()
    tg.save(ours.state_dict(), tmp_path / "ours.safetensors")
    loaded = library.load_file(tmp_path / "ours.safetensors")
    assert all(torch.equal(loaded[key], value) for key, value in theirs.state_dict().items())
    half = {"x": torch.zeros(2, dtype=torch.bfloat16)}
    library.save_file(half, tmp_path / "half.safetensors")
    with pytest.raises(ValueError, match=r"BF16.* not supported"):
        tg.load(tmp_path / "half.safetensors")


def test_safetensors_refuses(safetensors, tmp_path):
    path = tmp_path / "x.safetensors"
    for obj in ([1], tg.zeros(1), {1: tg.zeros(1)}, {"a": {"b": tg.zeros(1)}}, {"a": 1}):
        with pytest.raises(TypeError, match=r"a \.safetensors file takes"):
            tg.save(obj, path)
    with pytest.raises(TypeError, match="not supported"):
        tg.save({"a": np.array([None])}, path)
    assert not list(tmp_path.iterdir())
    for data in (b"", b"x" * 100, struct.pack("<Q", 2**60) + b"{}", GOOD, pickle.dumps(Bomb())):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"is not a \.safetensors file"):
            tg.load(path)
    with pytest.raises(FileNotFoundError):
        tg.load(tmp_path / "missing.safetensors")


def test_without_safetensors(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    path = tmp_path / "x.safetensors"
    with pytest.raises(ImportError, match=r"pip install tinygrad_rnn\[safetensors\]"):
        tg.save({"a": tg.zeros(1)}, path)
    assert not path.exists()
    path.write_bytes(b"")
    with pytest.raises(ImportError, match=r"pip install tinygrad_rnn\[safetensors\]"):
        tg.load(path)


def test_the_state_of_every_kind_of_scheduler(tmp_path):
    optimizer = tg.optim.SGD([tg.nn.Parameter(tg.ones(1))], lr=0.1)
    scheduler = tg.optim.lr_scheduler.MultiStepLR(optimizer, [1, 3, 3])
    tg.save(scheduler.state_dict(), tmp_path / "state")
    scheduler.load_state_dict(tg.load(tmp_path / "state"))
    rates = []
    for _ in range(5):
        optimizer.step()
        scheduler.step()
        rates += scheduler.get_last_lr()
    np.testing.assert_allclose(rates, [0.01, 0.01, 1e-4, 1e-4, 1e-4])
