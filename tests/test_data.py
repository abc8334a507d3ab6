"""Data sets, samplers, loaders and collation do what PyTorch's do, in the same order."""

from __future__ import annotations

import importlib
import io
import operator
import re
import sys
import types
import warnings
from collections import OrderedDict, UserDict, defaultdict, deque, namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import bptt
from tinygrad_rnn.utils import progress

Call = Callable[[Any, Any], Any]
Pair = namedtuple("Pair", "a b")


class Numbers(list):
    pass


def plain(x: Any) -> Any:
    """Something that can be compared: tensors as types and numbers, containers with their types."""
    if hasattr(x, "detach"):
        array = x.detach().numpy()
        return ("tensor", array.dtype.name, array.tolist(), x.requires_grad)
    if isinstance(x, dict | UserDict | types.MappingProxyType):
        return (type(x).__name__, {k: plain(v) for k, v in x.items()})
    if isinstance(x, list | tuple | deque):
        return (type(x).__name__, [plain(v) for v in x])
    if hasattr(x, "indices") and hasattr(x, "dataset"):
        return plain(list(x))
    if isinstance(x, np.ndarray):
        return ("array", x.tolist())
    return x


def agree(torch: Any, call: Call, seed: int = 0) -> None:
    """The same outcome, warnings and place in the stream, or the same type of exception."""
    answers = []
    for lib in (tg, torch):
        lib.manual_seed(seed)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                answer = plain(call(lib, lib.utils.data))
            except Exception as error:
                answer = type(error)
        answers.append((answer, len(caught), lib.rand(1).item()))
    assert answers[0] == answers[1]


def streaming(data: Any, length: int | None = None) -> Any:
    """An iterable data set of the numbers below 7."""

    class Stream(data.IterableDataset):
        def __iter__(self) -> Any:
            return iter(range(7))

    class Counted(Stream):
        def __len__(self) -> int:
            return 7

    return Stream() if length is None else Counted()


D = list(range(7))


def loaded(**options: Any) -> Call:
    """Two epochs of a loader over 0 … 6."""

    def call(lib: Any, data: Any) -> Any:
        loader = data.DataLoader(D, **options)
        return [list(loader), list(loader), len(loader)]

    return call


CALLS: dict[str, Call] = {
    # data sets
    "TensorDataset": lambda lib, data: list(
        data.TensorDataset(lib.arange(3), lib.arange(6.0).reshape(3, 2))
    ),
    "TensorDataset of one": lambda lib, data: list(data.TensorDataset(lib.ones(2))),
    "TensorDataset, several": lambda lib, data: data.TensorDataset(lib.arange(4))[[0, 2]],
    "TensorDataset, lengths": lambda lib, data: data.TensorDataset(lib.ones(2), lib.ones(3)),
    "TensorDataset, index": lambda lib, data: data.TensorDataset(lib.ones(2))[5],
    "TensorDataset, 0-d": lambda lib, data: data.TensorDataset(lib.tensor(1.0)),
    "ConcatDataset": lambda lib, data: [
        data.ConcatDataset([D, "ab", [9]])[i] for i in (0, 6, 7, 9, -1, -2, -10)
    ],
    "ConcatDataset, all": lambda lib, data: list(data.ConcatDataset([D, [], "ab"])),
    "ConcatDataset, below": lambda lib, data: data.ConcatDataset([D, D])[-15],
    "ConcatDataset, above": lambda lib, data: data.ConcatDataset([D, D])[14],
    "ConcatDataset, none": lambda lib, data: data.ConcatDataset([]),
    "ConcatDataset, stream": lambda lib, data: data.ConcatDataset([D, streaming(data)]),
    "ConcatDataset, length": lambda lib, data: len(data.ConcatDataset([D, "ab"])),
    "+": lambda lib, data: len(data.Subset(D, [1]) + data.Subset(D, [2])),
    "+ of streams": lambda lib, data: list(streaming(data) + streaming(data)),
    "ChainDataset, length": lambda lib, data: len(data.ChainDataset([streaming(data, 7)] * 2)),
    "Subset": lambda lib, data: list(data.Subset(D, [3, 1])),
    "Subset, negative": lambda lib, data: data.Subset(D, [3, 1])[-1],
    "Subset, index": lambda lib, data: data.Subset(D, [1, 2])[5],
    "Subset, several": lambda lib, data: data.Subset(data.TensorDataset(lib.arange(4)), [1, 3])[
        [0, 1]
    ],
    "Dataset": lambda lib, data: data.Dataset()[0],
    "Dataset, length": lambda lib, data: len(data.Dataset()),
    "IterableDataset": lambda lib, data: iter(data.IterableDataset()),
    # random_split
    **{
        f"random_split {lengths}": lambda lib, data, lengths=lengths: data.random_split(D, lengths)
        for lengths in [
            [3, 4], [3, 3], [0.5, 0.5], [0.5, 0.4], [0.5, 0.6], [1.5, -0.5], [0, 7], [0.99, 0.01],
            [2.5, 4.5], [], [7], [1.0], [0.3, 0.3, 0.4], [1, 1, 1, 1, 1, 1, 1], [0.25] * 4,
        ]
    },
    "random_split of none": lambda lib, data: data.random_split([], [0, 0]),
    "random_split, tensor": lambda lib, data: data.random_split(D, lib.tensor([3, 4])),
    "random_split, generator": lambda lib, data: data.random_split(
        range(100), [50, 50], lib.Generator().manual_seed(4)
    ),
    "random_split, wrong generator": lambda lib, data: data.random_split(D, [3, 4], generator=3),
    # samplers
    "SequentialSampler": lambda lib, data: list(data.SequentialSampler(D)),
    **{
        f"RandomSampler {options}": lambda lib, data, options=options: [
            list(s := data.RandomSampler(range(50), **options)), list(s), len(s),
        ]
        for options in [
            {}, {"num_samples": 20}, {"num_samples": 50}, {"num_samples": 120},
            {"replacement": True}, {"replacement": True, "num_samples": 100},
            {"replacement": True, "num_samples": 64}, {"replacement": 1}, {"num_samples": 0},
            {"num_samples": -1}, {"num_samples": 2.0},
        ]
    },
    **{
        f"RandomSampler {options}, generator": lambda lib, data, options=options: [
            list(
                data.RandomSampler(
                    range(50), generator=(g := lib.Generator().manual_seed(3)), **options
                )
            ),
            lib.rand(1, generator=g),
        ]
        for options in [
            {}, {"num_samples": 20}, {"num_samples": 100}, {"replacement": True, "num_samples": 99},
        ]
    },
    "RandomSampler of none": lambda lib, data: list(data.RandomSampler([])),
    "SubsetRandomSampler": lambda lib, data: list(data.SubsetRandomSampler("abcdefgh")),
    "SubsetRandomSampler of none": lambda lib, data: list(data.SubsetRandomSampler([])),
    **{
        f"WeightedRandomSampler {args}": lambda lib, data, args=args: [
            list(s := data.WeightedRandomSampler(*args)), list(s), len(s),
        ]
        for args in [
            ([0.1, 0.9, 0.4], 5), ([0.1, 0.9, 0.4], 2, False), ([[0.1, 0.9]], 5), ([1, 2, 3], 40),
            ([0.1, 0.9], 0), ([0.1, 0.9], 2.0), ([0.1, 0.9], 2, 1), ([0.1, 0.9], 5, False),
        ]
    },
    **{
        f"BatchSampler {args}": lambda lib, data, args=args: [
            list(b := data.BatchSampler(*args)), len(b)
        ]
        for args in [
            (range(5), 2, False), (range(5), 2, True), (range(4), 2, True), (range(4), 9, False),
            (range(4), 9, True), ([], 2, False), (range(5), 0, True), (range(5), 2.0, True),
            (range(5), True, True), (range(5), 2, 1),
        ]
    },
    # loaders
    **{
        f"DataLoader {options}": loaded(**options)
        for options in [
            {}, {"batch_size": 3}, {"batch_size": 3, "drop_last": True},
            {"batch_size": 3, "shuffle": True}, {"batch_size": None},
            {"batch_size": None, "shuffle": True}, {"batch_size": 3, "shuffle": True,
            "drop_last": True}, {"batch_size": 2, "sampler": [3, 1, 2]},
            {"batch_sampler": [[1], [2, 3]]}, {"shuffle": 1},
            {"batch_size": 3, "collate_fn": tuple},
            {"batch_size": None, "collate_fn": operator.neg},
            {"batch_size": None, "drop_last": True}, {"batch_size": 0}, {"batch_size": -1},
            {"batch_size": 2.0}, {"shuffle": True, "sampler": D},
            {"batch_sampler": [[1]], "batch_size": 2}, {"batch_sampler": [[1]], "shuffle": True},
            {"batch_sampler": [[1]], "drop_last": True}, {"batch_sampler": [[1]], "sampler": D},
            {"num_workers": -1}, {"timeout": -1}, {"prefetch_factor": 2},
            {"persistent_workers": True}, {"num_workers": 1, "prefetch_factor": -2},
            {"generator": 3}, {"sampler": [9]},
        ]
    },
    "DataLoader, generator": lambda lib, data: [
        list(
            loader := data.DataLoader(
                D, 3, True, generator=(g := lib.Generator().manual_seed(5))
            )
        ),
        list(loader),
        lib.rand(1, generator=g),
    ],
    "DataLoader, generator, in order": lambda lib, data: [
        list(data.DataLoader(D, 3, generator=(g := lib.Generator().manual_seed(5)))),
        lib.rand(1, generator=g),
    ],
    "DataLoader of none": lambda lib, data: list(data.DataLoader([], 3)),
    "DataLoader of none, shuffled": lambda lib, data: list(data.DataLoader([], 3, True)),
    "DataLoader of a dict": lambda lib, data: list(data.DataLoader({0: 1, 1: 2})),
    "DataLoader of a number": lambda lib, data: list(data.DataLoader(3)),
    "DataLoader of tensors": lambda lib, data: list(
        data.DataLoader(
            data.TensorDataset(lib.arange(10), lib.rand(10, 2)), batch_size=4, shuffle=True
        )
    ),
    "DataLoader of a split": lambda lib, data: [
        list(data.DataLoader(part, 3, shuffle=True)) for part in data.random_split(D, [0.6, 0.4])
    ],
    "DataLoader of a tensor": lambda lib, data: list(data.DataLoader(lib.arange(5), 2)),
    "DataLoader with a random sampler": lambda lib, data: list(
        data.DataLoader(D, 2, sampler=data.RandomSampler(D, True, 9))
    ),
    "DataLoader, left half way": lambda lib, data: [
        next(iter(data.DataLoader(D, 2, True))), next(iter(data.DataLoader(D, 2, True)))
    ],
    "DataLoader, only begun": lambda lib, data: [iter(data.DataLoader(D, 2, True)), 0][1],
    "DataLoader, two at once": lambda lib, data: list(
        zip(loader := data.DataLoader(D, 2, True), loader)
    ),
    "DataLoader, random items": lambda lib, data: list(
        data.DataLoader(_Noise(lib), 3, shuffle=True)
    ),
    "DataLoader, eager sampler": lambda lib, data: [
        list(data.DataLoader(D, size, sampler=_Eager(lib))) for size in (None, 2)
    ],
    "DataLoader, __getitems__": lambda lib, data: list(data.DataLoader(_Batched(), 3)),
    "DataLoader of a subset, __getitems__": lambda lib, data: list(
        data.DataLoader(data.Subset(_Batched(), [2, 4, 6]), 2)
    ),
    **{
        f"DataLoader of a stream {options}": lambda lib, data, options=options: list(
            data.DataLoader(streaming(data), **options)
        )
        for options in [
            {}, {"batch_size": 3}, {"batch_size": 3, "drop_last": True}, {"batch_size": None},
            {"shuffle": True}, {"shuffle": False}, {"sampler": D}, {"batch_sampler": [[1]]},
        ]
    },
    **{
        f"length of a stream's DataLoader {options}": lambda lib, data, options=options: len(
            data.DataLoader(streaming(data, 7), **options)
        )
        for options in [{}, {"batch_size": 3}, {"batch_size": 3, "drop_last": True},
                        {"batch_size": None}]
    },
    "length of a stream without": lambda lib, data: len(data.DataLoader(streaming(data), 3)),
}  # fmt: skip


class _Noise:
    """Items that draw random numbers themselves."""

    def __init__(self, lib: Any) -> None:
        self.lib = lib

    def __getitem__(self, i: int) -> Any:
        return self.lib.rand(2)

    def __len__(self) -> int:
        return 7


class _Eager:
    """A sampler that draws when the loop begins."""

    def __init__(self, lib: Any) -> None:
        self.lib = lib

    def __iter__(self) -> Any:
        return iter(self.lib.randperm(7).tolist())


class _Batched:
    def __getitems__(self, indices: list[int]) -> list[int]:
        return [-i for i in indices]

    def __len__(self) -> int:
        return 7


@pytest.mark.parametrize("what", CALLS)
def test_calls(torch, what) -> None:
    for seed in range(3):
        agree(torch, CALLS[what], seed)


@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 100, 1000])
def test_shuffling(torch, n) -> None:
    for seed in range(10):
        agree(
            torch,
            lambda lib, data: [list(d := data.DataLoader(range(n), 8, True)), lib.rand(3), list(d)],
            seed,
        )
        agree(torch, lambda lib, data: data.random_split(range(n), [n // 2, n - n // 2]), seed)


def test_negative_lengths_are_refused() -> None:
    """PyTorch splits 7 items into −1 and 8, so that the first part has 6."""
    with pytest.raises(ValueError, match="-1"):
        tg.utils.data.random_split(D, [-1, 8])


def test_workers_are_this_process() -> None:
    tg.manual_seed(0)
    expected = [x.tolist() for x in tg.utils.data.DataLoader(D, 3, True)]
    tg.manual_seed(0)
    loader = tg.utils.data.DataLoader(
        D, 3, True, num_workers=2, prefetch_factor=4, persistent_workers=True, timeout=5,
        pin_memory=True, worker_init_fn=print, multiprocessing_context="fork",
    )  # fmt: skip
    assert [x.tolist() for x in loader] == expected


# -- collation -----------------------------------------------------------------------------------

BATCHES: dict[str, Callable[[Any], Any]] = {
    "ints": lambda lib: [1, 2],
    "floats": lambda lib: [1.0, 2.0],
    "bools": lambda lib: [True, False],
    "int and float": lambda lib: [1, 2.5],
    "float and int": lambda lib: [2.5, 1],
    "a large int": lambda lib: [2**70],
    "strings": lambda lib: ["a", "b"],
    "bytes": lambda lib: [b"a"],
    "float32": lambda lib: [np.float32(1), np.float32(2)],
    "float64": lambda lib: [np.float64(1)],
    "int32": lambda lib: [np.int32(3)],
    "bool_": lambda lib: [np.bool_(True)],
    "0-d array": lambda lib: [np.array(1.0), np.array(2.0)],
    "arrays": lambda lib: [np.array([1, 2]), np.array([3, 4])],
    "arrays of other shapes": lambda lib: [np.array([1, 2]), np.array([3])],
    "arrays of strings": lambda lib: [np.array(["a"])],
    "arrays of objects": lambda lib: [np.array([None])],
    "datetime": lambda lib: [np.datetime64("2020-01-01")],
    "tuples": lambda lib: [(1, 2.0), (3, 4.0)],
    "lists": lambda lib: [[1, 2], [3, 4]],
    "list and tuple": lambda lib: [[1, 2], (3, 4)],
    "other lengths": lambda lib: [[1, 2], [3]],
    "other lengths, tuples": lambda lib: [(1,), (1, 2)],
    "named tuples": lambda lib: [Pair(1, 2.0), Pair(3, 4.0)],
    "dicts": lambda lib: [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}],
    "other keys": lambda lib: [{"a": 1}, {"b": 2}],
    "more keys": lambda lib: [{"a": 1}, {"a": 2, "b": 2}],
    "ordered": lambda lib: [OrderedDict(a=1), OrderedDict(a=2)],
    "defaultdict": lambda lib: [defaultdict(int, a=1)],
    "UserDict": lambda lib: [UserDict(a=1)],
    "mappingproxy": lambda lib: [types.MappingProxyType({"a": 1})],
    "own list": lambda lib: [Numbers([1, 2]), Numbers([3, 4])],
    "deque": lambda lib: [deque([1, 2])],
    "range": lambda lib: [range(2), range(2)],
    "set": lambda lib: [{1, 2}],
    "None": lambda lib: [None],
    "object": lambda lib: [object()],
    "none": lambda lib: [],
    "empty": lambda lib: [(), ()],
    "empty lists": lambda lib: [[], []],
    "empty dict": lambda lib: [{}],
    "tensors": lambda lib: [lib.ones(2), lib.zeros(2)],
    "0-d tensors": lambda lib: [lib.tensor(1), lib.tensor(2)],
    "tensors of other shapes": lambda lib: [lib.ones(2), lib.ones(3)],
    "tensors of other types": lambda lib: [lib.ones(2), lib.ones(2, dtype=lib.int64)],
    "leaves": lambda lib: [lib.ones(2, requires_grad=True)],
    "parameters": lambda lib: [lib.nn.Parameter(lib.ones(1))],
    "nested": lambda lib: [
        (lib.ones(1), ("x", {"k": [1, 2]})),
        (lib.ones(1), ("y", {"k": [3, 4]})),
    ],
}


@pytest.mark.parametrize("what", BATCHES)
@pytest.mark.parametrize("name", ["default_collate", "default_convert"])
def test_collation(torch, name, what) -> None:
    if name == "default_convert" and what == "object":
        return  # the same object, which nothing equals but itself
    agree(torch, lambda lib, data: getattr(data, name)(BATCHES[what](lib)))


# -- progress ------------------------------------------------------------------------------------


class _Terminal:
    def __init__(self, is_one: bool) -> None:
        self.is_one = is_one

    def isatty(self) -> bool:
        return self.is_one


@pytest.mark.parametrize("shown_in", ["terminal", "notebook", "console", "file"])
@pytest.mark.parametrize("installed", [True, False])
def test_progress(monkeypatch, shown_in, installed) -> None:
    shown: list[Any] = []

    def bar(iterable: Any, **options: Any) -> Any:
        shown.append(options)
        return iterable

    monkeypatch.setitem(sys.modules, "tqdm", types.ModuleType("tqdm") if installed else None)
    auto = types.SimpleNamespace(tqdm=bar) if installed else None
    monkeypatch.setitem(sys.modules, "tqdm.auto", auto)
    shell = types.SimpleNamespace(config={"IPKernelApp": {}} if shown_in == "notebook" else {})
    if shown_in in ("notebook", "console"):
        ipython = types.SimpleNamespace(get_ipython=lambda: shell)
        monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setattr(sys, "stderr", _Terminal(shown_in == "terminal"))
    assert list(progress(range(3), desc="epoch")) == [0, 1, 2]
    is_shown = installed and shown_in in ("terminal", "notebook")
    assert shown == ([{"desc": "epoch"}] if is_shown else [])


class _Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("seconds", [0.0, 1000.0], ids=["slow", "quick"])
def test_a_large_picture_shows_how_far_it_is(monkeypatch, seconds) -> None:
    """While it is made, in several bars, of which none stays; one that is soon there shows none."""
    pytest.importorskip("tqdm", reason="the bar is tqdm's")
    module = importlib.import_module("tinygrad_rnn.utils.progress")
    monkeypatch.setattr(module, "_PATIENCE", seconds)
    monkeypatch.setattr(sys, "stderr", _Screen())
    w = h = tg.tensor(0.5, requires_grad=True)
    for _ in range(1001):
        h = (h * w).tanh()
    svg = tg.viz.draw(bptt.record(h), level="op", steps="all", max_nodes=5000).svg
    assert svg.count("<text") > 5000
    said = sys.stderr.getvalue()
    stages = {"reading the graph", "writing beside wires", "painting boxes"}
    assert set(re.findall(r"[a-z][a-z ]+(?=:)", said)) == (set() if seconds else stages)
    assert not said or said.endswith("\r")  # wiped
