"""Random shapes, dims, indices and values: outputs and gradients are PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
from cases import assert_all_same, assert_outcome, assert_same, leaf, outcome, run
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tinygrad_rnn as tg

few = settings(max_examples=60)
shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
filled = hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)
seeds = st.integers(0, 99)

UNARY = ["tanh", "sigmoid", "relu", "neg", "exp", "log"]
BINARY = ["add", "sub", "mul", "div", "pow"]
COMPARISONS = ["eq", "ne", "lt", "le", "gt", "ge"]


def draws(*shapes, seed=0, low=0.5, high=2.0):
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.uniform(low, high, shape)) for shape in shapes]


def agree(torch, fn, arrays, dtype=np.float64):
    assert_all_same(*(run(lib, fn, arrays, dtype) for lib in (tg, torch)))


def same_outcome(torch, fn, arrays, what):
    """Both give the same, and that is returned, or both raise the same (then ``None``)."""

    def call(lib):
        return outcome(lambda: fn(lib, *[lib.from_numpy(a.copy()) for a in arrays]))

    ours, theirs = call(tg), call(torch)
    assert_outcome(ours, theirs, what)
    return None if isinstance(theirs, Exception) else ours


# -- elementwise -------------------------------------------------------------------------------


@few
@given(op=st.sampled_from(UNARY), shape=shapes, seed=seeds)
def test_unary(torch, op, shape, seed):
    agree(torch, lambda lib, x: getattr(lib, op)(x), draws(shape, seed=seed))


@settings(max_examples=150)
@given(
    op=st.sampled_from(BINARY),
    pair=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, min_side=0, max_side=4),
    dtype=st.sampled_from([np.float64, np.float32]),
    seed=seeds,
)
def test_binary_with_broadcasting(torch, op, pair, dtype, seed):
    arrays = draws(*pair.input_shapes, seed=seed)
    agree(torch, lambda lib, a, b: getattr(lib, op)(a, b), arrays, dtype)


@few
@given(
    op=st.sampled_from([*BINARY, *COMPARISONS, "matmul"]), one=shapes, two=shapes
)  # fmt: skip
def test_any_two_shapes(torch, op, one, two):
    arrays = draws(one, two)
    same_outcome(torch, lambda lib, a, b: getattr(lib, op)(a, b), arrays, op)


def hostile(dtype):
    width = np.dtype(dtype).itemsize * 8
    info = np.finfo(dtype)
    special = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, np.inf, -np.inf, np.nan, 1e4, -1e4,
               float(info.max), float(-info.max), float(info.tiny)]  # fmt: skip
    return st.one_of(st.sampled_from(special), st.floats(-50, 50, width=width))


@settings(max_examples=300)
@given(data=st.data(), op=st.sampled_from([*UNARY, *BINARY, *COMPARISONS]))
def test_hostile_values(torch, data, op):
    dtype = data.draw(st.sampled_from([np.float64, np.float32]))
    count = 1 if op in UNARY else 2
    arrays = [np.array(data.draw(hostile(dtype)), dtype) for _ in range(count)]
    # C's pow and square roots disagree about −∞ and −0, and so do the two libraries
    assume(op != "pow" or arrays[1] != 0.5 or not np.signbit(arrays[0]))
    results = []
    for lib in (tg, torch):
        xs = [leaf(lib, a) for a in arrays]
        with np.errstate(all="ignore"):
            y = getattr(lib, op)(*xs)
        if y.requires_grad:
            y.backward()
        results.append([y, *[x.grad for x in xs]])
    eps = float(np.finfo(dtype).eps)
    for ours, theirs in zip(*results, strict=True):
        assert_same(ours, theirs, f"{op} of {arrays}", tolerance=64 * eps)
        if op in ("add", "sub", "mul", "div", "neg"):  # the sign of zeros as well
            sign = np.signbit(theirs.detach().numpy())
            assert np.isnan(ours.detach().numpy()) or np.signbit(ours.detach().numpy()) == sign


# -- products ----------------------------------------------------------------------------------


@settings(max_examples=150)
@given(
    pair=hnp.mutually_broadcastable_shapes(
        signature=np.matmul.signature, max_dims=2, min_side=0, max_side=3
    ),
    dtype=st.sampled_from([np.float64, np.float32]),
    seed=seeds,
)
def test_matmul(torch, pair, dtype, seed):
    arrays = draws(*pair.input_shapes, seed=seed)
    agree(torch, lambda lib, a, b: lib.matmul(a, b), arrays, dtype)


# -- reductions --------------------------------------------------------------------------------


@st.composite
def some_dims(draw, ndim):
    """A set of dims, negative and positive, as an int, a tuple or a list."""
    dims = draw(st.lists(st.integers(0, max(ndim, 1) - 1), unique=True))
    dims = [d - max(ndim, 1) if draw(st.booleans()) else d for d in dims]
    return dims[0] if len(dims) == 1 and draw(st.booleans()) else draw(st.sampled_from(
        [tuple(dims), dims]))  # fmt: skip


@settings(max_examples=120)
@given(data=st.data(), op=st.sampled_from(["sum", "mean"]), shape=shapes, keepdim=st.booleans())
def test_reductions(torch, data, op, shape, keepdim):
    dims = data.draw(st.one_of(st.none(), some_dims(len(shape))))
    agree(torch, lambda lib, x: getattr(lib, op)(x, dim=dims, keepdim=keepdim), draws(shape))


# -- shapes ------------------------------------------------------------------------------------


@few
@given(data=st.data(), shape=shapes)
def test_permute_and_transpose(torch, data, shape):
    order = data.draw(st.permutations(range(len(shape))))
    order = [d - len(shape) if data.draw(st.booleans()) else d for d in order]
    agree(torch, lambda lib, x: lib.permute(x, tuple(order)), draws(shape))
    if shape:
        agree(torch, lambda lib, x: x.transpose(order[0], order[-1]), draws(shape))


@few
@given(data=st.data(), shape=shapes)
def test_reshape(torch, data, shape):
    sizes = list(data.draw(st.permutations(shape)))
    if len(sizes) > 1 and data.draw(st.booleans()):
        sizes[:2] = [sizes[0] * sizes[1]]
    if sizes and data.draw(st.booleans()) and np.prod(sizes) != 0:
        sizes[data.draw(st.integers(0, len(sizes) - 1))] = -1
    agree(torch, lambda lib, x: x.reshape(sizes), draws(shape))
    agree(torch, lambda lib, x: lib.reshape(x, tuple(sizes)), draws(shape))


@few
@given(
    shape=shapes, sizes=st.lists(st.integers(-2, 5), max_size=4),
    op=st.sampled_from(["reshape", "expand"]),
)  # fmt: skip
def test_any_sizes(torch, shape, sizes, op):
    # PyTorch makes tensors of size (0, -1)
    assume(op != "expand" or 0 not in sizes or min(sizes) >= 0)
    same_outcome(torch, lambda lib, x: getattr(x, op)(sizes), draws(shape), f"{op} to {sizes}")


@few
@given(pair=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=3))
def test_expand(torch, pair):
    start, end = pair.input_shapes[0], pair.result_shape
    agree(torch, lambda lib, x: x.expand(end), draws(start))


@few
@given(data=st.data(), shape=hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=2))
def test_squeeze_and_unsqueeze(torch, data, shape):
    n = max(len(shape), 1)
    agree(torch, lambda lib, x: lib.squeeze(x), draws(shape))
    d = data.draw(st.integers(-n, n - 1))
    agree(torch, lambda lib, x: x.squeeze(d), draws(shape))
    d = data.draw(st.integers(-len(shape) - 1, len(shape)))
    agree(torch, lambda lib, x: x.unsqueeze(d), draws(shape))


# -- putting together and taking apart ---------------------------------------------------------


@few
@given(data=st.data(), shape=hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=3))
def test_cat_and_stack(torch, data, shape):
    dim = data.draw(st.integers(0, len(shape) - 1))
    sizes = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=4))
    parts = [(*shape[:dim], n, *shape[dim + 1 :]) for n in sizes]
    signed = dim - data.draw(st.sampled_from([0, len(shape)]))
    agree(torch, lambda lib, *xs: lib.cat(xs, signed), draws(*parts))
    at = data.draw(st.integers(-len(shape) - 1, len(shape)))
    agree(torch, lambda lib, *xs: lib.stack(xs, at), draws(*[shape] * len(sizes)))


@few
@given(data=st.data(), shape=filled, chunks=st.integers(1, 6))
def test_unbind_and_chunk(torch, data, shape, chunks):
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    agree(torch, lambda lib, x: lib.unbind(x, dim), draws(shape))
    agree(torch, lambda lib, x: lib.chunk(x, chunks, dim), draws(shape))
    # only some of the parts are used
    agree(torch, lambda lib, x: lib.chunk(x, chunks, dim)[0] * x.unbind(dim)[-1].sum(),
          draws(shape))  # fmt: skip


# -- indices -----------------------------------------------------------------------------------


@st.composite
def slices(draw, n):
    bounds = st.one_of(st.none(), st.integers(-n - 1, n + 1))
    return slice(draw(bounds), draw(bounds), draw(st.one_of(st.none(), st.integers(1, 3))))


@st.composite
def indices(draw, shape, advanced=True):
    """An index of ``shape``: a tuple of entries, arrays among them if ``advanced``."""
    entries, axis, ellipsis = [], 0, False
    lead = draw(st.sampled_from([(), (1,), (3,), (0,), (2, 1), (2, 3)]))
    while axis < len(shape):
        n, kinds = shape[axis], ["slice", "none", "slice"]
        if n:
            kinds.append("int")
        if not ellipsis:
            kinds += ["ellipsis", "stop"]
        if advanced:
            kinds += ["ints", "ints", "list", "mask", "mask2"]
        kind = draw(st.sampled_from(kinds))
        if kind == "stop":
            break
        if kind == "none":
            if sum(e is None for e in entries) < 3:
                entries.append(None)
            continue
        if kind == "ellipsis":
            entries.append(...)
            ellipsis = True
            axis += draw(st.integers(0, len(shape) - axis))
            continue
        numbers = st.integers(-n, n - 1) if n else st.nothing()
        if kind == "int":
            entries.append(draw(numbers))
        elif kind == "slice":
            entries.append(draw(slices(n)))
        elif kind == "ints":
            chosen = draw(st.sampled_from([lead, (1,), ()])) if n else (0,)
            count = int(np.prod(chosen))
            entry = draw(st.lists(numbers, min_size=count, max_size=count)) if count else []
            entries.append(np.array(entry, np.int64).reshape(chosen))
        elif kind == "list":
            entries.append(draw(st.lists(numbers, min_size=1, max_size=3)) if n else slice(None))
        else:
            size = shape[axis : axis + 2] if kind == "mask2" else (n,)
            count = int(np.prod(size))
            entry = draw(st.lists(st.booleans(), min_size=count, max_size=count))
            entries.append(np.array(entry, bool).reshape(size))
            axis += len(size) - 1
        axis += 1
    if not ellipsis:
        assume(axis <= len(shape))
    return entries[0] if len(entries) == 1 and draw(st.booleans()) else tuple(entries)


def indexed(lib, x, index, tensors):
    """``x[index]``, its arrays as tensors of ``lib`` or (those of integers) as NumPy's."""

    def given_as(i):
        is_tensor = isinstance(i, np.ndarray) and (tensors or i.dtype == bool)
        return lib.from_numpy(i.copy()) if is_tensor else i

    return x[tuple(map(given_as, index)) if isinstance(index, tuple) else given_as(index)]


def same_index(torch, shape, index, tensors=True):
    arrays = draws(shape)
    what = f"x[{index}] of shape {shape}"
    if same_outcome(torch, lambda lib, x: indexed(lib, x, index, tensors), arrays, what) is None:
        return
    agree(torch, lambda lib, x: indexed(lib, x, index, tensors), arrays)
    agree(torch, lambda lib, x: indexed(lib, x, index, tensors) * x.sum(), arrays)


@settings(max_examples=150)
@given(data=st.data(), shape=shapes)
def test_basic_indices(torch, data, shape):
    same_index(torch, shape, data.draw(indices(shape, advanced=False)))


@settings(max_examples=300)
@given(data=st.data(), shape=shapes, tensors=st.booleans())
def test_advanced_indices(torch, data, shape, tensors):
    same_index(torch, shape, data.draw(indices(shape)), tensors)


@few
@given(data=st.data(), shape=filled)
def test_indices_out_of_range(torch, data, shape):
    n = shape[0]
    for wrong in (n, -n - 1, 10**9):
        same_index(torch, shape, wrong)
        same_index(torch, shape, np.array([0, wrong]))
    same_index(torch, shape, np.ones(n + 1, bool))
    same_index(torch, shape, (0,) * (len(shape) + 1))


ROW, COLUMN = np.array([0, 2]), np.array([[1], [0]])
ODD = {
    "an integer, a slice and integers": ((3, 2, 4), (0, slice(None), ROW)),
    "integers, a slice and an integer": ((3, 2, 4), (ROW, slice(None), 3)),
    "integers, a new axis and an integer": ((3, 2, 4), (ROW, None, 0)),
    "an integer, an ellipsis and integers": ((3, 2, 4), (1, ..., ROW)),
    "an integer next to integers": ((3, 2, 4), (slice(None), 1, ROW)),
    "an integer between integers": ((3, 2, 4), (ROW, 1, ROW)),
    "0-d integers, a slice and integers": ((3, 2, 4), (np.array(1), slice(None), ROW)),
    "integers that broadcast": ((3, 2, 4), (ROW, COLUMN, slice(None))),
    "a mask and integers": ((3, 2, 4), (np.array([True, False, True]), slice(None), ROW)),
    "integers that do not broadcast": ((3, 4, 4), (ROW, np.array([0, 1, 2]))),
    "True": ((2, 3), True),
    "False": ((2, 3), False),
    "True and an integer": ((2, 3), (True, 1)),
    "a 0-d mask": ((2, 3), np.array(True)),
    "a 0-d mask of a 0-d tensor": ((), np.array(True)),
    "True of a 0-d tensor": ((), True),
    "an integer of a 0-d tensor": ((), 0),
    "an ellipsis of a 0-d tensor": ((), ...),
    "a slice of a 0-d tensor": ((), slice(None)),
    "two ellipses": ((2, 3, 4), (..., 0, ...)),
    "a list of bools": ((3, 2), [True, False, True]),
    "an empty list": ((3, 2), []),
    "int32": ((3, 2), np.array([2, 0], np.int32)),
    "uint8, which is a mask": ((3, 2), np.array([1, 0, 1], np.uint8)),
    "int8": ((3, 2), np.array([1, 0, 1], np.int8)),
    "int16": ((3, 2), np.array([1, 0, 1], np.int16)),
    "floats": ((3, 2), np.array([1.0, 0.0])),
    "a float": ((3, 2), 1.0),
    "a string": ((3, 2), "0"),
    "an unknown object": ((3, 2), object()),
    "a dictionary": ((3, 2), {0: 1}),
    "a set": ((3, 2), {0, 1}),
    "a negative step": ((3, 2), slice(None, None, -1)),
    "a step of 0": ((3, 2), slice(None, None, 0)),
    "a slice of floats": ((3, 2), slice(0.0, 2.0)),
    "a slice of strings": ((3, 2), slice("a")),
    "a huge slice": ((3, 2), slice(-(10**15), 10**15)),
    "a huge step": ((3, 2), slice(None, None, 10**15)),
    "a NumPy integer": ((3, 2), np.int64(1)),
    "a NumPy float": ((3, 2), np.float64(1.0)),
    "a tuple inside": ((3, 2), ((0, 1), 0)),
}


@pytest.mark.filterwarnings("ignore:.*uint8:UserWarning")
@pytest.mark.parametrize("name", ODD)
def test_odd_indices(torch, name):
    same_index(torch, *ODD[name])


@pytest.mark.parametrize("index", [[[0], [0, 1]], [slice(0, 1)], ["0"], np.array([0.5])], ids=str)
def test_sequences_that_are_no_index(index):
    with pytest.raises((IndexError, TypeError, ValueError)):
        tg.ones(3, 2)[index]


def test_tensors_bound_slices_and_integers(torch):
    for lib in (tg, torch):
        x = lib.ones(5, 2)
        one, three = lib.tensor(1), lib.tensor([3])
        assert tuple(x[one:three].shape) == (2, 2)
        assert tuple(x[one].shape) == (2,)
        assert tuple(x[three].shape) == (1, 2)
