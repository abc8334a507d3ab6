"""Types of elements: what operands of different types give is what PyTorch gives."""

from __future__ import annotations

import operator
from itertools import product

import numpy as np
import pytest
from cases import TOLERANCE, assert_outcome, assert_same, leaf, outcome

import tinygrad_rnn as tg

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
FLOATS = DTYPES[-3:]
OPERATIONS = ["add", "sub", "mul", "div", "pow", "eq", "lt"]
NUMBERS = [True, 2, 2.0]


def disagreements(torch, calls):
    """The calls, by name, in which the package and PyTorch differ."""
    wrong = []
    for name, fn in calls.items():
        ours, theirs = (outcome(lambda fn=fn, lib=lib: fn(lib)) for lib in (tg, torch))
        try:
            assert_outcome(ours, theirs)
        except AssertionError:
            wrong.append(f"{name}: {ours!r}, not {theirs!r}")
    return wrong


def operand(lib, dtype, dims):
    return lib.from_numpy(np.full((2,) * dims, 3).astype(dtype))


@pytest.mark.parametrize("dims", [(1, 1), (1, 0), (0, 1), (0, 0)], ids=str)
@pytest.mark.parametrize("op", OPERATIONS)
def test_two_tensors(torch, op, dims):
    calls = {
        f"{op}({one}, {two})": lambda lib, one=one, two=two: getattr(lib, op)(
            operand(lib, one, dims[0]), operand(lib, two, dims[1])
        )
        for one in DTYPES
        for two in DTYPES
    }
    assert disagreements(torch, calls) == []


@pytest.mark.parametrize("op", OPERATIONS)
def test_tensor_and_number(torch, op):
    python = getattr(operator, {"div": "truediv"}.get(op, op))
    calls = {}
    for dtype, number, dims in product(DTYPES, NUMBERS, (0, 1)):
        if op == "pow" and dtype == "bool" and number in (True, 2):
            continue  # PyTorch's shortcuts for exponents 1 and 2 skip its own promotion
        name, a = f"{dtype}, {dims}-d, {number!r}", (dtype, dims)
        calls[f"{name} on the right"] = lambda lib, a=a, n=number: python(operand(lib, *a), n)
        calls[f"{name} on the left"] = lambda lib, a=a, n=number: python(n, operand(lib, *a))
    assert disagreements(torch, calls) == []


@pytest.mark.parametrize("op", ["add", "mul", "div"])
def test_three_operands_in_a_chain(torch, op):
    def fn(lib, dtype, zero_d, number):
        f = getattr(lib, op)
        return f(f(operand(lib, dtype, 1), operand(lib, zero_d, 0)), number)

    calls = {
        f"{one}, {two}, {n!r}": lambda lib, a=(one, two, n): fn(lib, *a)
        for one in DTYPES
        for two in DTYPES
        for n in NUMBERS
    }
    assert disagreements(torch, calls) == []


UNARY = {
    **{name: lambda lib, x, name=name: getattr(lib, name)(x)
       for name in ["exp", "log", "tanh", "sigmoid", "relu", "neg", "sum", "mean"]},
    "sum over a dim": lambda lib, x: x.sum(-1),
    "sum as float32": lambda lib, x: lib.sum(x, dtype=lib.float32),
    "sum as int32": lambda lib, x: lib.sum(x, dtype=lib.int32),
    "matmul": lambda lib, x: x @ x,
    "reshape": lambda lib, x: x.reshape(-1),
    "index": lambda lib, x: x[..., None],
    "cat": lambda lib, x: lib.cat([x, x]),
    "stack": lambda lib, x: lib.stack([x, x]),
    "zeros_like": lambda lib, x: lib.zeros_like(x),
    "ones_like": lambda lib, x: lib.ones_like(x),
    "clone": lambda lib, x: x.clone(),
    "float": lambda lib, x: x.float(),
    "double": lambda lib, x: x.double(),
    "item": lambda lib, x: x.sum().item(),
    "tolist": lambda lib, x: x.tolist(),
    "requires_grad_": lambda lib, x: x.requires_grad_().requires_grad,
    "repr": lambda lib, x: repr(x),
    "bool": lambda lib, x: bool(x.sum()),
}  # fmt: skip


@pytest.mark.parametrize("name", UNARY)
def test_one_tensor(torch, name):
    calls = {
        f"{dtype}, {dims}-d": lambda lib, a=(dtype, dims): UNARY[name](lib, operand(lib, *a))
        for dtype in DTYPES
        for dims in (0, 1, 2)
    }
    assert disagreements(torch, calls) == []


@pytest.mark.parametrize("name", ["cat", "stack", "matmul"])
def test_mixed_types_put_together(torch, name):
    def fn(lib, one, two):
        a, b = operand(lib, one, 1), operand(lib, two, 1)
        return a @ b if name == "matmul" else getattr(lib, name)([a, b])

    calls = {
        f"{one}, {two}": lambda lib, a=(one, two): fn(lib, *a) for one in DTYPES for two in DTYPES
    }
    assert disagreements(torch, calls) == []


def test_casts(torch):
    values = {"bool": [True], "uint8": [200], "int64": [-3, 300, 2**40],
              "float64": [1.9, -1.9, 0.0, 300.7]}  # fmt: skip
    calls = {
        f"{one} to {two}": lambda lib, one=one, two=two: lib.from_numpy(
            np.array(values[one], one)
        ).to(getattr(lib, two if two != "bool" or lib is not tg else "bool_"))
        for one in values
        for two in DTYPES
        if not (one == "float64" and two in ("uint8", "int8"))  # 300.7 is undefined in C
    }
    assert disagreements(torch, calls) == []


NUMERIC_LIMITS = {
    "int8 + 300": lambda lib: lib.tensor([1], dtype=lib.int8) + 300,
    "int8 + int8 wraps": lambda lib: lib.tensor([100], dtype=lib.int8) + lib.tensor([100],
                                                                             dtype=lib.int8),
    "uint8 + -1": lambda lib: lib.tensor([1], dtype=lib.uint8) + -1,
    "uint8 - 2": lambda lib: lib.tensor([1], dtype=lib.uint8) - 2,
    "-uint8": lambda lib: -lib.tensor([1], dtype=lib.uint8),
    "uint8 * 1000": lambda lib: lib.tensor([3], dtype=lib.uint8) * 1000,
    "1000 - uint8": lambda lib: 1000 - lib.tensor([3], dtype=lib.uint8),
    "int ** -1": lambda lib: lib.tensor([1, 2]) ** -1,
    "int8 < 300": lambda lib: lib.tensor([1], dtype=lib.int8) < 300,
    "int32 + 2**40": lambda lib: lib.tensor([1], dtype=lib.int32) + 2**40,
    "int64 + 2**70": lambda lib: lib.tensor([1]) + 2**70,
    "float32 + 10**400": lambda lib: lib.tensor([1.0]) + 10**400,
    "float32 + 1e300": lambda lib: lib.tensor([1.0]) + 1e300,
    "float32 * 1e300": lambda lib: lib.tensor([1.0]) * 1e300,
    "float16 * 1e10": lambda lib: lib.tensor([1.0], dtype=lib.float16) * 1e10,
    "float16 overflows": lambda lib: lib.tensor([6e4], dtype=lib.float16) * 2,
    "float32 + inf": lambda lib: lib.tensor([1.0]) + float("inf"),
    "float32 * nan": lambda lib: lib.tensor([1.0]) * float("nan"),
    "int + nan": lambda lib: lib.tensor([1]) + float("nan"),
    "int / 0": lambda lib: lib.tensor([1, 0, -1]) / 0,
    "sum of int8 does not wrap": lambda lib: lib.tensor([100, 100], dtype=lib.int8).sum(),
    "sum of bools": lambda lib: lib.tensor([True, True]).sum(),
    "sum of float16": lambda lib: lib.ones(4096, dtype=lib.float16).sum(),
    "mean of float16": lambda lib: lib.ones(70000, dtype=lib.float16).mean(),
    "tensor(2**63)": lambda lib: lib.tensor(2**63),
    "tensor(2**63 - 1)": lambda lib: lib.tensor(2**63 - 1),
    "tensor([2**64])": lambda lib: lib.tensor([2**64]),
    "tensor(300, int8)": lambda lib: lib.tensor(300, dtype=lib.int8),
    "tensor([-1], uint8)": lambda lib: lib.tensor([-1], dtype=lib.uint8),
    "tensor([1.5], int64)": lambda lib: lib.tensor([1.5], dtype=lib.int64),
    "tensor([1e300])": lambda lib: lib.tensor([1e300]),
    "tensor(nan, int64)": lambda lib: lib.tensor(float("nan"), dtype=lib.int64),
    "tensor([inf], int64)": lambda lib: lib.tensor([float("inf")], dtype=lib.int64),
    "tensor([2.0], bool)": lambda lib: lib.tensor([2.0, 0.0]) != 0,
    "large int == float": lambda lib: lib.tensor([2**24 + 1]) == lib.tensor([2.0**24]),
    "large int < float": lambda lib: lib.tensor([2**24]) < lib.tensor([2.0**24 + 2]),
    "float32 == 0.1": lambda lib: lib.tensor([0.1]) == 0.1,
    "float32 tensor == float64 0-d": lambda lib: lib.tensor([0.1]) == lib.tensor(
        0.1, dtype=lib.float64),
    "float32 tensor == float64 tensor": lambda lib: lib.tensor([0.1]) == lib.tensor(
        [0.1], dtype=lib.float64),
    "float16 < 0.1": lambda lib: lib.tensor([0.1], dtype=lib.float16) < 0.1,
}  # fmt: skip


@pytest.mark.parametrize("name", NUMERIC_LIMITS)
def test_limits(torch, name):
    assert disagreements(torch, {name: NUMERIC_LIMITS[name]}) == []


@pytest.mark.parametrize("number", [300, 2**40, 2**70, 10**400])
def test_exponents_that_do_not_fit_raise(number):
    with pytest.raises((RuntimeError, OverflowError)):
        tg.tensor([1, 2], dtype=tg.int8) ** number


# -- gradients have the type of their tensor ---------------------------------------------------


@pytest.mark.parametrize("dims", [(1, 1), (1, 0), (0, 1), (0, 0)], ids=str)
@pytest.mark.parametrize("op", ["add", "sub", "mul", "div", "pow"])
def test_gradients_of_mixed_types(torch, op, dims):
    for one in FLOATS:
        for two in FLOATS:
            grads = []
            for lib in (tg, torch):
                a = leaf(lib, np.full((2,) * dims[0], 1.5), one)
                b = leaf(lib, np.full((2,) * dims[1], 2.5), two)
                (getattr(lib, op)(a, b) * 0.5).sum().backward()
                grads += [a.grad, b.grad]
            for ours, theirs in zip(grads[:2], grads[2:], strict=True):
                assert_same(ours, theirs, f"{op}: {one}, {two}", TOLERANCE[min(one, two)])


@pytest.mark.parametrize("other", [2, 2.0], ids=repr)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("op", ["add", "sub", "mul", "div", "pow"])
def test_gradients_beside_numbers_and_integers(torch, op, dtype, other):
    for lib in (tg, torch):
        beside = [other, lib.tensor(other), lib.tensor([other])]
        for b in beside:
            for left in (True, False):
                x = leaf(lib, [1.5], dtype)
                y = getattr(lib, op)(b, x) if left and b is not other else getattr(lib, op)(x, b)
                y.sum().backward()
                assert str(x.grad.dtype).removeprefix("torch.") == dtype


def test_gradients_through_casts(torch):
    grads = []
    for lib in (tg, torch):
        x = leaf(lib, [1.5, 2.5], np.float64)
        y = (x.to(lib.float32) * x.to(lib.float16) + x).sum()
        y.backward()
        grads.append((y, x.grad))
    for ours, theirs in zip(*grads, strict=True):
        assert_same(ours, theirs)


def test_cat_of_mixed_types_sends_back_each_type(torch):
    grads = []
    for lib in (tg, torch):
        xs = [leaf(lib, [1.5], dtype) for dtype in FLOATS]
        (lib.cat(xs) ** 2).sum().backward()
        grads.append([x.grad for x in xs])
    for ours, theirs in zip(*grads, strict=True):
        assert_same(ours, theirs)


# -- the default type and names of types -------------------------------------------------------


@pytest.fixture
def default_float64(torch):
    for lib in (tg, torch):
        lib.set_default_dtype(lib.float64)
    yield
    for lib in (tg, torch):
        lib.set_default_dtype(lib.float32)


DEFAULTED = {
    "tensor": lambda lib: lib.tensor([1.0]),
    "zeros": lambda lib: lib.zeros(2),
    "ones": lambda lib: lib.ones(2),
    "eye": lambda lib: lib.eye(2),
    "full": lambda lib: lib.full((2,), 0.1),
    "full of an int": lambda lib: lib.full((2,), 1),
    "arange": lambda lib: lib.arange(0, 1, 0.1),
    "linspace": lambda lib: lib.linspace(0, 1, 4),
    "logspace": lambda lib: lib.logspace(0, 1, 4),
    "as_tensor": lambda lib: lib.as_tensor(0.1),
    "finfo": lambda lib: repr(lib.finfo()),
    "result_type": lambda lib: str(lib.result_type(1, 0.5)).removeprefix("torch."),
    "float()": lambda lib: lib.tensor(1).float(),
    "int + float": lambda lib: lib.tensor([1]) + 0.5,
    "int / int": lambda lib: lib.tensor([1]) / lib.tensor([2]),
    "exp(int)": lambda lib: lib.exp(lib.tensor([1])),
    "float32 + float": lambda lib: lib.tensor([1.0], dtype=lib.float32) + 0.5,
    "sum(float)": lambda lib: lib.tensor([1.0], dtype=lib.float32).sum(),
    "repr of float32": lambda lib: repr(lib.tensor([1.0], dtype=lib.float32)),
    "repr of default": lambda lib: repr(lib.tensor([1.0])),
    "get": lambda lib: str(lib.get_default_dtype()).removeprefix("torch."),
}


@pytest.mark.usefixtures("default_float64")
def test_default_dtype(torch):
    assert disagreements(torch, DEFAULTED) == []


@pytest.mark.parametrize("dtype", ["int64", "bool"])
def test_default_dtype_must_be_floating(torch, dtype):
    theirs = outcome(lambda: torch.set_default_dtype(getattr(torch, dtype)))
    assert type(outcome(lambda: tg.set_default_dtype(dtype))) is type(theirs)
    assert tg.get_default_dtype() == tg.float32


@pytest.mark.parametrize("wrong", ["float31", "complex64", "uint16", "object", "U3", "M8[s]", 3])
def test_unknown_dtypes(wrong):
    for call in (lambda: tg.tensor([1], dtype=wrong), lambda: tg.zeros(2, dtype=wrong),
                 lambda: tg.zeros(2).to(wrong), lambda: tg.set_default_dtype(wrong)):  # fmt: skip
        with pytest.raises(TypeError):
            call()


def test_unsupported_arrays():
    for array in (np.zeros(2, complex), np.array(["a"]), np.array([None]), np.zeros(2, np.uint16),
                  np.zeros(2, "M8[s]"), np.zeros(2, np.longdouble)):  # fmt: skip
        with pytest.raises(TypeError):
            tg.from_numpy(array)
        with pytest.raises(TypeError):
            tg.tensor(array)


def test_foreign_byte_order_is_not_taken_as_is():
    big = np.array([1.0, 2.0], ">f4")
    assert (tg.tensor(big) + tg.tensor([1.0])).tolist() == [2.0, 3.0]
    assert tg.tensor(big).dtype == np.float32
    assert tg.tensor(big).numpy().dtype.isnative


# -- names and devices -------------------------------------------------------------------------


def test_types_have_names_too():
    x = tg.ones(2)
    assert x.type() == "torch.FloatTensor"
    for name in ("DoubleTensor", "torch.DoubleTensor", "float64", np.float64, tg.double):
        assert x.type(name).dtype == tg.float64
    assert x.to("float64").dtype == tg.float64


@pytest.mark.parametrize("device", ["cuda", "cuda:0", "mps", "meta"])
def test_there_is_no_device_but_the_cpu(device):
    x = tg.ones(2)
    for call in (
        lambda: x.to(device), lambda: x.to(device=device), lambda: tg.zeros(2, device=device),
        lambda: tg.tensor([1.0], device=device), lambda: tg.as_tensor([1.0], device=device),
        lambda: tg.rand(2, device=device), lambda: tg.rand_like(x, device=device),
        lambda: tg.arange(2, device=device), lambda: x.new_ones(2, device=device), x.cuda,
    ):  # fmt: skip
        with pytest.raises(RuntimeError, match="'cpu'"):
            call()


def test_casts_to_integers_leave_the_graph():
    x = tg.ones(2, requires_grad=True)
    for y in (x.long(), x.bool(), x.to(tg.uint8), x.type_as(tg.tensor(1))):
        assert not y.requires_grad
