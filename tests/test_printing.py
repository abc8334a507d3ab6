"""How tensors are printed: character by character as PyTorch prints them."""

from __future__ import annotations

import numpy as np
import pytest
from cases import assert_outcome, outcome

import tinygrad_rnn as tg


def both(torch, fn):
    """``fn`` of each library gives the same text, or raises the same type."""
    assert_outcome(*(outcome(lambda lib=lib: fn(lib)) for lib in (tg, torch)))


@pytest.fixture
def options(torch):
    """Sets the options of both libraries; at first, and after the test, the default ones."""

    def set_both(**options):
        for lib in (tg, torch):
            lib.set_printoptions(profile="default")
            lib.set_printoptions(**options)

    set_both()
    yield set_both
    set_both()


PRINTED = {
    "floats": [0.5, -1.25], "whole floats": [1.0, 2.0, -3.0], "one": 0.125, "ints": [1, -20, 300],
    "bools": [True, False], "matrix": [[1.5, 2.0], [-3.25, 4.0]], "one bool": True,
    "trues": [True, True], "cube": [[[1.0, 2.0]], [[3.0, 4.0]]], "int": 7,
    "inf": [1.0, float("inf")], "nan": [float("nan"), 0.5], "large": [1e10, 1.0],
    "small": [1e-6, 1.0], "wide": [1e-3, 1e3], "tiny": [1e-10], "zeros": [0.0, 0.0],
    "empty": [], "empty matrix": [[], []], "negative zero": [-0.0, 1.0], "million": [1e6, 2e6],
    "fraction and large": [123456.789, 0.001], "only inf": [float("inf"), float("-inf")],
    "only nan": [float("nan")], "hundreds": [100.5, 2.25], "whole and inf": [2.0, float("-inf")],
    "big ints": [10**12, -1], "long": [i / 7 for i in range(30)], "long ints": list(range(60)),
    "rows": [[i / 3 + j for i in range(12)] for j in range(3)], "1e8": [1e8], "1e9": [1e9, 2e9],
    "summarised": list(range(1001)), "summarised floats": [i / 3 for i in range(2000)],
    "summarised matrix": [[float(i + j) for i in range(60)] for j in range(60)],
    "long rows": [[i * 1000.5 for i in range(30)], [0.5] * 30],
}  # fmt: skip


@pytest.mark.parametrize("name", PRINTED)
def test_repr(torch, name):
    both(torch, lambda lib: repr(lib.tensor(PRINTED[name])))
    both(torch, lambda lib: str(lib.tensor(PRINTED[name])))


def test_repr_of_other_types_and_places(torch):
    for dtype in ("float64", "float16", "int32", "uint8"):
        both(torch, lambda lib, d=dtype: repr(lib.tensor([1, 2], dtype=getattr(lib, d))))
        both(torch, lambda lib, d=dtype: repr(lib.zeros(0, 2, dtype=getattr(lib, d))))
    both(torch, lambda lib: repr(lib.zeros(0, 3)))
    functions = [
        lambda x: x, lambda x: x * 2, lambda x: x.tanh(), lambda x: x.sum(), lambda x: -x,
        lambda x: x - 1, lambda x: x / 2, lambda x: x.exp(), lambda x: x.log(),
        lambda x: x.relu(), lambda x: x.sigmoid(), lambda x: x.mean(),
    ]  # fmt: skip
    for fn in functions:
        both(torch, lambda lib, fn=fn: repr(fn(lib.ones(2, 2, requires_grad=True))))


# -- many tensors, all options -----------------------------------------------------------------

OPTIONS = [
    {}, {}, {}, {"precision": 2}, {"precision": 8}, {"precision": 0}, {"sci_mode": True},
    {"sci_mode": False}, {"linewidth": 40}, {"linewidth": 1}, {"linewidth": 200, "precision": 6},
    {"threshold": 5}, {"threshold": 0, "edgeitems": 1}, {"threshold": 3, "edgeitems": 0},
    {"threshold": 10, "edgeitems": 2, "sci_mode": True}, {"profile": "short"}, {"profile": "full"},
    {"profile": "full", "precision": 1}, {"threshold": 20, "linewidth": 30},
]  # fmt: skip
DTYPES = ["float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]
ODDITIES = [np.nan, np.inf, -np.inf, 0, -0.0, 1e-320, 1e308, 65504, 1e8, 1e8 + 0.5, 1e-4, 9.999e-5]


def random_shape(rng):
    if rng.random() < 0.05:
        return (int(rng.integers(990, 1100)),)
    sizes = rng.choice([0, 1, 2, 3, 4, 7, 8, 13, 30], rng.integers(0, 5),
                       p=[0.03, 0.12, 0.15, 0.2, 0.15, 0.1, 0.1, 0.1, 0.05])  # fmt: skip
    return tuple(sizes.tolist()) if np.prod(sizes) < 5000 else (3, 4)


def random_array(rng):
    """Of any type, and of magnitudes that need every way of writing numbers."""
    dtype, shape = rng.choice(DTYPES), random_shape(rng)
    if dtype == "bool":
        return np.asarray(rng.random(shape) < 0.5)
    if not dtype.startswith("f"):
        limits, size = np.iinfo(dtype), 10 ** int(rng.integers(1, 19))
        low, high = max(limits.min, -size), min(limits.max, size)
        return np.asarray(rng.integers(low, high, shape, dtype=dtype, endpoint=True))
    x = rng.normal(size=shape)
    x = [
        x,
        x * 10.0 ** rng.uniform(-12, 12, shape),
        np.round(x * 10.0 ** rng.integers(0, 10)),
        x * 10.0 ** rng.integers(-9, 9),
        np.round(x, int(rng.integers(0, 5))),
        np.where(rng.random(shape) < 0.5, 0, x),
        x * 0,
    ][rng.integers(7)]
    if rng.random() < 0.3:
        x = np.where(rng.random(shape) < 0.3, rng.choice(ODDITIES, shape), x)
    with np.errstate(all="ignore"):
        return np.asarray(x).astype(dtype)


@pytest.mark.parametrize("seed", range(8))
def test_random_tensors(seed, torch, options):
    rng = np.random.default_rng(seed)
    for _ in range(50):
        array, chosen, place = random_array(rng), OPTIONS[rng.integers(len(OPTIONS))], rng.random()
        options(**chosen)
        texts = []
        for lib in (tg, torch):
            x = lib.from_numpy(array.copy())
            if array.dtype.kind == "f" and place < 0.4:
                x.requires_grad_()
                x = -x if place < 0.2 else x
            texts.append(repr(x))
        assert texts[0] == texts[1], f"{chosen}, {array.dtype}, {array.shape}"


# -- suffixes and options ----------------------------------------------------------------------


def test_suffixes_go_to_the_next_line_where_they_do_not_fit(torch):
    for n in range(1, 30):
        both(torch, lambda lib, n=n: repr(lib.ones(n) / 8))
        both(torch, lambda lib, n=n: repr(lib.full((n,), 0.125, requires_grad=True)))
        both(torch, lambda lib, n=n: repr(lib.full((n,), 0.125, requires_grad=True) * 2))


@pytest.mark.parametrize(
    "fn",
    [
        lambda lib, x: x[None].double(),
        lambda lib, x: x[lib.tensor([0, 1])],
        lambda lib, x: lib.addmm(x, x, x),
        lambda lib, x: x.tanh(),
    ],
)
def test_names_of_nodes(torch, fn):
    def name(lib):
        return repr(fn(lib, lib.ones(2, 2, requires_grad=True))).rpartition("grad_fn=")[2]

    both(torch, name)


def test_options_by_name(torch, options):
    options(precision=3, linewidth=60)
    assert tg.get_printoptions() == torch._tensor_str.get_printoptions()
    options(sci_mode=True)
    for lib in (tg, torch):
        lib.set_printoptions(edgeitems=5)  # sci_mode is not kept
    assert tg.get_printoptions() == torch._tensor_str.get_printoptions()


def test_options_inside_a_block_only():
    before = tg.get_printoptions()

    def block():
        with tg.printoptions(precision=1, profile="short"):
            assert repr(tg.tensor(0.25)) == "tensor(0.2)"
            raise KeyError

    with pytest.raises(KeyError):
        block()
    assert tg.get_printoptions() == before


def test_unknown_options_raise():
    with pytest.raises(ValueError, match="profile"):
        tg.set_printoptions(profile="long")
    with pytest.raises(TypeError, match="precision"):
        tg.set_printoptions(precision="4")
