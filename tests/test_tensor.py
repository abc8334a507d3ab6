"""Tensor: construction, properties, protocols, gradients kept, and every mistake's error."""

from __future__ import annotations

import copy
import gc
import operator
import threading
import weakref
from functools import partial

import numpy as np
import pytest
from cases import assert_outcome, assert_same, leaf, numpy, outcome

import tinygrad_rnn as tg


def both(torch, fn):
    """``fn`` of each library gives the same, or raises the same type; ours is returned."""
    ours, theirs = (outcome(lambda lib=lib: fn(lib)) for lib in (tg, torch))
    assert_outcome(ours, theirs)
    return ours


# -- construction ------------------------------------------------------------------------------

CONSTRUCTED = {
    "a float": lambda lib: lib.tensor(1.5),
    "an int": lambda lib: lib.tensor(3),
    "a bool": lambda lib: lib.tensor(True),
    "a list of ints": lambda lib: lib.tensor([1, 2]),
    "ints and floats": lambda lib: lib.tensor([1, 2.5]),
    "bools and ints": lambda lib: lib.tensor([True, 2]),
    "nested": lambda lib: lib.tensor([[1.0], [2.0]]),
    "a tuple": lambda lib: lib.tensor(((1, 2), (3, 4))),
    "a range": lambda lib: lib.tensor(range(3)),
    "nothing": lambda lib: lib.tensor([]),
    "nested nothing": lambda lib: lib.tensor([[], []]),
    "an array": lambda lib: lib.tensor(np.array([1.0, 2.0])),
    "a float16 array": lambda lib: lib.tensor(np.ones(2, np.float16)),
    "a NumPy scalar": lambda lib: lib.tensor(np.float64(2)),
    "a NumPy float32": lambda lib: lib.tensor(np.float32(2)),
    "a NumPy int32": lambda lib: lib.tensor(np.int32(2)),
    "a list of NumPy scalars": lambda lib: lib.tensor([np.float64(1), np.float64(2)]),
    "a list of 0-d tensors": lambda lib: lib.tensor([lib.tensor(1.0), lib.tensor(2.0)]),
    "nested 0-d tensors": lambda lib: lib.tensor([[lib.tensor(1.0)], [2.0]]),
    "a dtype": lambda lib: lib.tensor([1, 2], dtype=lib.float64),
    "from floats to ints": lambda lib: lib.tensor([1.7, -1.7], dtype=lib.int64),
    "inf and nan": lambda lib: lib.tensor([float("inf"), float("nan")]),
    "zeros": lambda lib: lib.zeros(2, 3),
    "zeros of a tuple": lambda lib: lib.zeros((2, 3)),
    "zeros of a list": lambda lib: lib.zeros([2, 3]),
    "0-d zeros": lambda lib: lib.zeros(()),
    "sizes of an empty list": lambda lib: lib.zeros([]),
    "empty zeros": lambda lib: lib.zeros(2, 0),
    "ones of ints": lambda lib: lib.ones(2, dtype=lib.int64),
    "requires_grad": lambda lib: lib.ones(2, requires_grad=True).requires_grad,
    "no str": lambda lib: lib.tensor("a"),
    "no bytes": lambda lib: lib.tensor([b"a"]),
    "no list of str": lambda lib: lib.tensor(["1", "2"]),
    "no None": lambda lib: lib.tensor(None),
    "no list of None": lambda lib: lib.tensor([None]),
    "no dict": lambda lib: lib.tensor({"a": 1}),
    "no set": lambda lib: lib.tensor({1, 2}),
    "no object": lambda lib: lib.tensor(object()),
    "no ragged rows": lambda lib: lib.tensor([[1, 2], [3]]),
    "no ragged depths": lambda lib: lib.tensor([1, [2]]),
    "no object array": lambda lib: lib.tensor(np.array([1, None])),
    "no integers that require grad": lambda lib: lib.tensor([1, 2], requires_grad=True),
    "no bools that require grad": lambda lib: lib.ones(2, dtype=lib.tensor(True).dtype,
                                                        requires_grad=True),
    "no data": lambda lib: lib.tensor(),
    "no negative size": lambda lib: lib.zeros(-1),
    "no size of a float": lambda lib: lib.zeros(2.0),
    "no size of None": lambda lib: lib.zeros(None),
    "no size of a str": lambda lib: lib.zeros("2"),
    "no size of lists": lambda lib: lib.zeros([2], [3]),
    "no from_numpy of a list": lambda lib: lib.from_numpy([1.0]),
    "no from_numpy of a scalar": lambda lib: lib.from_numpy(np.float64(1)),
    "no from_numpy of str": lambda lib: lib.from_numpy(np.array(["a"])),
    "no zeros_like of a list": lambda lib: lib.zeros_like([1.0]),
    "no ones_like of a number": lambda lib: lib.ones_like(1.0),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
@pytest.mark.parametrize("name", CONSTRUCTED)
def test_construction(torch, name):
    ours = both(torch, CONSTRUCTED[name])
    assert isinstance(ours, Exception) == name.startswith("no ")


def test_tensor_copies_and_from_numpy_shares(torch):
    for lib in (tg, torch):
        array = np.zeros(3)
        copied, shared = lib.tensor(array), lib.from_numpy(array)
        array[0] = 7
        assert copied.tolist() == [0, 0, 0]
        assert shared.tolist() == [7, 0, 0]
        shared.fill_(2)
        assert array.tolist() == [2, 2, 2]
        assert shared.detach().numpy() is array or np.shares_memory(shared.numpy(), array)


@pytest.mark.filterwarnings("ignore:To copy construct:UserWarning")
def test_tensor_of_a_tensor_is_a_new_leaf(torch):
    for lib in (tg, torch):
        x = lib.tensor([1.0], requires_grad=True)
        y = lib.tensor(x * 2)
        assert (y.requires_grad, y.is_leaf, y.tolist()) == (False, True, [2.0])


def test_scalar_results_are_0d_tensors():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    results = [
        x.sum(), x[0], x @ x, x.mean(), tg.tensor(1.0) + 1, -tg.tensor(1.0), 1 / x[0],
        tg.tanh(tg.tensor(1.0)), x.sum() ** 2, x.detach()[0], tg.relu(x[0]),
    ]  # fmt: skip
    for y in results:
        assert type(numpy(y)) is np.ndarray
        assert y.shape == ()


# -- properties, conversions, Python's protocols -----------------------------------------------


@pytest.mark.filterwarnings("ignore:Tensor.mT:UserWarning")  # PyTorch's, which comes once only
def test_mT_of_a_0d_tensor_is_the_tensor_itself(torch):
    x = tg.tensor(2.0)
    with pytest.warns(UserWarning, match="mT: of a 0-d tensor"):
        assert x.mT is x
    assert torch.tensor(2.0).mT.item() == 2


def test_singular_values_of_no_finite_matrix(torch):
    for lib, bad in ((torch, np.nan), (tg, np.nan), (tg, np.inf)):
        x = lib.tensor([[bad, 1.0], [0.0, 1.0]])
        for fn in (lib.linalg.svdvals, lib.linalg.svd, partial(lib.linalg.norm, ord=2)):
            with pytest.raises(lib.linalg.LinAlgError):
                fn(x)
    assert issubclass(tg.linalg.LinAlgError, RuntimeError)


@pytest.mark.parametrize("name", ["inv", "solve", "cholesky"])
def test_what_has_no_inverse_or_root_is_refused(torch, name):
    for lib in (torch, tg):
        given = [lib.zeros(2, 2)] * (2 if name == "solve" else 1)
        with pytest.raises(lib.linalg.LinAlgError, match=f"linalg.{name}"):
            getattr(lib.linalg, name)(*given)


def test_complex_eigenvalues_are_constants():
    W = tg.tensor([[0.0, -0.5], [0.5, 0.0]], requires_grad=True)
    with pytest.raises(RuntimeError, match=r"detach\(\)"):
        tg.linalg.eigvals(W)
    with tg.no_grad():
        values = tg.linalg.eigvals(W)
    assert abs(values).max().item() == values.abs().max().item() == pytest.approx(0.5)
    assert sorted(values.imag.tolist()) == pytest.approx([-0.5, 0.5])
    assert repr(values).startswith("Eigenvalues(real=tensor([0., 0.])")


def t(lib, *shape, dtype="float32"):
    """A tensor of ``shape`` that counts from 1."""
    return lib.from_numpy(np.arange(1, 1 + int(np.prod(shape))).reshape(shape).astype(dtype))


PROTOCOLS = {
    "shape": lambda lib: tuple(t(lib, 2, 3).shape),
    "ndim": lambda lib: t(lib, 2, 3).ndim,
    "dim": lambda lib: t(lib, 2, 3).dim(),
    "numel": lambda lib: t(lib, 2, 3).numel(),
    "size": lambda lib: tuple(t(lib, 2, 3).size()),
    "size of a dim": lambda lib: t(lib, 2, 3).size(-1),
    "size of no dim": lambda lib: t(lib, 2, 3).size(2),
    "size of a 0-d tensor": lambda lib: t(lib).size(0),
    "size of a str": lambda lib: t(lib, 2).size("0"),
    "T": lambda lib: t(lib, 2, 3).T,
    "mT": lambda lib: t(lib, 2, 2, 3).mT,
    "mT of a vector": lambda lib: t(lib, 2).mT,
    "item": lambda lib: t(lib, 1, 1).item(),
    "item of an int": lambda lib: t(lib, 1, dtype="int64").item(),
    "item of several": lambda lib: t(lib, 2).item(),
    "item of none": lambda lib: t(lib, 0).item(),
    "tolist": lambda lib: t(lib, 2, 2).tolist(),
    "tolist of a 0-d tensor": lambda lib: t(lib).tolist(),
    "tolist of a leaf": lambda lib: t(lib, 2).requires_grad_().tolist(),
    "numpy of a leaf": lambda lib: t(lib, 2).requires_grad_().numpy(),
    "numpy of a result": lambda lib: (t(lib, 2).requires_grad_() * 2).numpy(),
    "np.asarray of a leaf": lambda lib: np.asarray(t(lib, 2).requires_grad_()),
    "len": lambda lib: len(t(lib, 3, 2)),
    "len of a 0-d tensor": lambda lib: len(t(lib)),
    "iter": lambda lib: list(t(lib, 2, 2)),
    "iter of a 0-d tensor": lambda lib: list(t(lib)),
    "unpacking": lambda lib: (lambda a, b: a - b)(*t(lib, 2)),
    "bool": lambda lib: bool(t(lib)),
    "bool of one element": lambda lib: bool(t(lib, 1, 1)),
    "bool of several": lambda lib: bool(t(lib, 2)),
    "bool of none": lambda lib: bool(t(lib, 0)),
    "float": lambda lib: float(t(lib, 1)),
    "float of several": lambda lib: float(t(lib, 2)),
    "int": lambda lib: int(t(lib, 1) * 1.75),
    "int of several": lambda lib: int(t(lib, 2)),
    "int of nan": lambda lib: int(t(lib) * float("nan")),
    "index": lambda lib: [10, 20, 30][t(lib, dtype="int64")],
    "index of a bool": lambda lib: [10, 20][lib.tensor(True)],
    "index of a float": lambda lib: [10, 20][t(lib)],
    "index of several": lambda lib: [10, 20][t(lib, 2, dtype="int64")],
    "range": lambda lib: list(range(t(lib, dtype="int64"))),
    "contains": lambda lib: 2.0 in t(lib, 3),
    "contains not": lambda lib: 5.0 in t(lib, 3),
    "format": lambda lib: f"{t(lib):.2f}",
    "format of several": lambda lib: f"{t(lib, 2)}",
    "spec of several": lambda lib: f"{t(lib, 2):.2f}",
    "reversed": lambda lib: list(reversed(t(lib, 3))),
    "hash is identity": lambda lib: len({t(lib, 2), t(lib, 2)}),
    "== number": lambda lib: t(lib, 3) == 2,
    "== None": lambda lib: t(lib, 3) == None,  # noqa: E711
    "!= None": lambda lib: t(lib, 3) != None,  # noqa: E711
    "== str": lambda lib: t(lib, 3) == "a",
    "< str": lambda lib: t(lib, 3) < "a",
    "< None": lambda lib: t(lib, 3) < None,
    "5 > t": lambda lib: t(lib, 3) < 2,
    "eq of wrong shapes": lambda lib: t(lib, 3) == t(lib, 2),
    "== list": lambda lib: t(lib, 3) == [1, 2, 3],
    "float()": lambda lib: t(lib, 2, dtype="int64").float(),
    "double()": lambda lib: t(lib, 2).double(),
    "to itself": lambda lib: (lambda x: x.to(lib.float32) is x)(t(lib, 2)),
    "to None": lambda lib: t(lib, 2).to(None),
    "if": lambda lib: "yes" if t(lib) > 0 else "no",
    "abs is missing or right": lambda lib: t(lib, 2) + 0,
}


@pytest.mark.parametrize("name", PROTOCOLS)
def test_protocol(torch, name):
    both(torch, PROTOCOLS[name])


# -- leaves, detach, requires_grad -------------------------------------------------------------


def test_leaves_and_results():
    x = tg.ones(2, requires_grad=True)
    y = x * 2
    assert (x.is_leaf, x.grad_fn, x.requires_grad) == (True, None, True)
    assert (y.is_leaf, y.grad_fn.primitive.name, y.requires_grad) == (False, "mul", True)
    assert (tg.ones(2) * 2).is_leaf
    assert tg.ones(2).grad is None
    with tg.no_grad():
        z = x * 2
    assert (z.is_leaf, z.requires_grad) == (True, False)


def test_detach_and_data_share_memory_and_clone_does_not(torch):
    for lib in (tg, torch):
        x = lib.ones(2, requires_grad=True)
        detached, data, cloned = (x * 1).detach(), x.data, x.clone()
        assert not detached.requires_grad
        assert not data.requires_grad
        assert cloned.requires_grad
        assert not cloned.is_leaf
        data.fill_(5)
        assert x.tolist() == [5, 5]
        assert cloned.tolist() == [1, 1]
        cloned.sum().backward()
        assert x.grad.tolist() == [1, 1]
        assert x.detach().clone().requires_grad is False


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64", "bool"])
def test_clone_keeps_everything_but_memory(torch, dtype):
    for grad in (False, True):
        if grad and dtype in ("int64", "bool"):
            continue
        x, y = (lib.from_numpy(np.array([0, 1, -0.0]).astype(dtype)).requires_grad_(grad)
                for lib in (tg, torch))  # fmt: skip
        assert_same(x.clone(), y.clone())
        assert not np.shares_memory(numpy(x.clone()), numpy(x))
        assert np.array_equal(np.signbit(numpy(x.clone()).astype(float)),
                              np.signbit(numpy(y.clone()).astype(float)))  # fmt: skip


RULES = {
    "set on a leaf": lambda lib: lib.ones(2).requires_grad_().requires_grad,
    "unset on a leaf": lambda lib: (
        lib.ones(2, requires_grad=True).requires_grad_(False).requires_grad
    ),
    "returns the tensor": lambda lib: (lambda x: x.requires_grad_() is x)(lib.ones(2)),
    "on a result": lambda lib: (lib.ones(2, requires_grad=True) * 2).requires_grad_().requires_grad,
    "unset on a result": lambda lib: (lib.ones(2, requires_grad=True) * 2).requires_grad_(False),
    "ints": lambda lib: lib.tensor([1]).requires_grad_(),
    "ints, False": lambda lib: lib.tensor([1]).requires_grad_(False).requires_grad,
    "by attribute": lambda lib: setattr(lib.tensor([1]), "requires_grad", True),
    "no string": lambda lib: setattr(lib.ones(2), "requires_grad", "yes"),
    "no None": lambda lib: setattr(lib.ones(2), "requires_grad", None),
    "shape is fixed": lambda lib: setattr(lib.ones(2), "ndim", 3),
    "is_leaf is fixed": lambda lib: setattr(lib.ones(2), "is_leaf", False),
}


@pytest.mark.parametrize("name", RULES)
def test_requires_grad_rules(torch, name):
    both(torch, RULES[name])


def test_views_share_memory(torch):
    views = [lambda x: x[0], lambda x: x[0, 1], lambda x: x[:, 1], lambda x: x[..., None],
             lambda x: x.T, lambda x: x.reshape(4), lambda x: x.unbind(0)[1],
             lambda x: x.chunk(2, 1)[1], lambda x: x.squeeze(0), lambda x: x.T[1][0],
             lambda x: x.transpose(0, 1)[0], lambda x: x.detach(), lambda x: x[0][1]]  # fmt: skip
    for view in views:
        results = []
        for lib in (tg, torch):
            x = lib.zeros(2, 2)
            view(x).fill_(5)
            results.append((x, x._version))
        assert_same(results[0][0], results[1][0])
        assert results[0][1] == results[1][1]


@pytest.mark.parametrize("requires_grad", [False, True])
def test_deepcopy_of_a_leaf(torch, requires_grad):
    for lib in (tg, torch):
        x = lib.ones(2, requires_grad=requires_grad)
        y = copy.deepcopy(x)
        y.data.fill_(4)
        assert x.tolist() == [1, 1]
        assert (y.requires_grad, y.is_leaf, y.tolist()) == (requires_grad, True, [4, 4])


def test_data_can_be_replaced(torch):
    for lib in (tg, torch):
        x = lib.ones(2, requires_grad=True)
        x.data = lib.tensor([3.0, 4.0])
        (x * x).sum().backward()
        assert x.grad.tolist() == [6, 8]
        assert x.requires_grad
        assert x.is_leaf
    both(torch, lambda lib: setattr(lib.ones(2), "data", np.ones(2)))
    both(torch, lambda lib: setattr(lib.ones(2), "data", None))


def test_hooks_stay_when_requires_grad_is_switched():
    x = tg.ones(1, requires_grad=True)
    x.register_hook(lambda g: g * 3)
    x.requires_grad_(False)
    x.requires_grad_(True)
    (x * 1).backward()
    assert x.grad.tolist() == [3]


# -- backward and .grad ------------------------------------------------------------------------


def test_gradients_accumulate_in_one_tensor(torch):
    for lib in (tg, torch):
        x = lib.ones(2, requires_grad=True)
        (x * 2).sum().backward()
        first = x.grad
        assert x.grad is first
        (x * 3).sum().backward()
        assert x.grad is first
        assert first.tolist() == [5, 5]
        x.grad = None
        (x * 3).sum().backward()
        assert x.grad is not first
        assert first.tolist() == [5, 5]
        assert (x.grad.requires_grad, x.grad.is_leaf) == (False, True)


@pytest.mark.parametrize("shape", [(), (1,), (3,)])
def test_0d_gradients_accumulate_too(torch, shape):
    for lib in (tg, torch):
        x = lib.ones(shape, requires_grad=True)
        for _ in range(3):
            (x * x).sum().backward()
        x.grad.mul_(2)
        assert numpy(x.grad).ravel().tolist() == [12.0] * x.numel()
        assert tuple(x.grad.shape) == shape


@pytest.mark.parametrize("fn", [
    lambda a, b: (a + b).sum(),
    lambda a, b: (a - b).sum(),
    lambda a, b: (a + b).reshape(-1).sum(),
    lambda a, b: a.sum() + b.sum(),
    lambda a, b: (a.T + b).mean(),
    lambda a, b: a.expand(3, 2, 2).sum() + b.sum(),
    lambda a, b: (a[0] + b[0]).sum() + (a + b).sum(),
    lambda a, b: tg.stack([a, b]).sum(),
    lambda a, b: tg.cat([a, b]).sum(),
    lambda a, b: (a + a + b).sum(),
])  # fmt: skip
@pytest.mark.parametrize("create_graph", [False, True])
def test_grads_are_unshared_and_writable(fn, create_graph):
    a, b = (tg.ones(2, 2, requires_grad=True) for _ in range(2))
    fn(a, b).backward(create_graph=create_graph)
    before = b.grad.tolist()
    for x in (a, b):
        assert numpy(x.grad).flags.writeable
        assert not np.shares_memory(numpy(x.grad), numpy(x))
    assert not np.shares_memory(numpy(a.grad), numpy(b.grad))
    with tg.no_grad():
        a.grad.fill_(100)
        a.grad += 1
    assert b.grad.tolist() == before


def test_the_given_gradient_is_not_shared():
    x, g = tg.ones(2, requires_grad=True), tg.ones(2)
    x.backward(g)
    x.grad.fill_(7)
    assert g.tolist() == [1, 1]
    (got,) = tg.autograd.grad(x, x, g)
    got.fill_(9)
    assert g.tolist() == [1, 1]
    y = x * 1
    y.retain_grad()
    y.backward(g)
    y.grad.fill_(8)
    assert g.tolist() == [1, 1]
    assert x.grad.tolist() == [8, 8]


GRAD_ATTRIBUTE = {
    "a list": lambda lib, x: [1.0, 2.0],
    "an array": lambda lib, x: np.ones(2, np.float32),
    "another shape": lambda lib, x: lib.ones(3),
    "another type": lambda lib, x: lib.ones(2, dtype=lib.float64),
    "a number": lambda lib, x: 1.0,
    "itself": lambda lib, x: x,
    "None": lambda lib, x: None,
    "right": lambda lib, x: lib.ones(2),
}


@pytest.mark.parametrize("name", GRAD_ATTRIBUTE)
def test_setting_grad(torch, name):
    def fn(lib):
        x = lib.tensor([1.0, 2.0], requires_grad=True)
        (x * x).sum().backward()
        try:
            x.grad = GRAD_ATTRIBUTE[name](lib, x)
        except Exception:
            assert x.grad.tolist() == [2.0, 4.0]
            raise
        return x.grad

    both(torch, fn)


def test_a_set_grad_is_added_to(torch):
    for lib in (tg, torch):
        x, g = lib.ones(2, requires_grad=True), lib.ones(2) * 10
        x.grad = g
        assert x.grad is g
        x.sum().backward()
        assert x.grad is g
        assert g.tolist() == [11, 11]


def x2(lib):
    return lib.tensor([1.0, 2.0], requires_grad=True)


def freed(lib):
    y = x2(lib).exp().sum()
    y.backward()
    y.backward()


def freed_in_part(lib):
    x = x2(lib)
    shared = x.exp()
    shared.sum().backward()
    (shared * x).sum().backward()


def freed_by_grad(lib):
    x = x2(lib)
    y = (x * x).sum()
    lib.autograd.grad(y, x)
    lib.autograd.grad(y, x)


def changed_input(lib):
    x, w = x2(lib), lib.tensor([3.0, 4.0])
    y = (x * w).sum()
    w.add_(1)
    y.backward()


def changed_output(lib):
    x = x2(lib)
    y = x.tanh()
    with lib.no_grad():
        y += 1
    y.sum().backward()


def changed_leaf(lib):
    x = x2(lib)
    y = (x * x).sum()
    with lib.no_grad():
        x -= 0.1
    y.backward()


def changed_through_a_view(lib):
    x, w = x2(lib), lib.ones(4)
    y = (x * w[:2]).sum()
    w[1:].fill_(3)
    y.backward()


def changed_through_data(lib):  # which nobody notices, in either library? a detached alias is
    x, w = x2(lib), lib.ones(2)
    y = (x * w).sum()
    w.detach().fill_(3)
    y.backward()


WALKS = {
    "non-scalar": (lambda lib: (x2(lib) * 2).backward(), "shape (2,)"),
    "empty": (lambda lib: x2(lib)[:0].backward(), "shape (0,)"),
    "gradient of another shape": (
        lambda lib: (x2(lib) * 2).backward(lib.ones(3)), "shape (3,)"),
    "gradient that would broadcast": (
        lambda lib: (x2(lib) * 2).backward(lib.ones(1)), "shape (1,)"),
    "0-d gradient": (lambda lib: (x2(lib) * 2).backward(lib.tensor(1.0)), "shape ()"),
    "(1,) gradient of a scalar": (lambda lib: x2(lib).sum().backward(lib.ones(1)), "shape (1,)"),
    "a number as gradient": (lambda lib: x2(lib).sum().backward(1.0), "float"),
    "a list as gradient": (lambda lib: (x2(lib) * 2).backward([1.0, 1.0]), "list"),
    "an array as gradient": (lambda lib: (x2(lib) * 2).backward(np.ones(2)), "ndarray"),
    "no grad": (lambda lib: lib.ones(()).backward(), "require"),
    "a constant result": (lambda lib: (lib.ones(2) * 2).sum().backward(), "require"),
    "ints": (lambda lib: lib.tensor(1).backward(), "require"),
    "freed graph": (freed, "second time"),
    "freed in part": (freed_in_part, "second time"),
    "freed by grad": (freed_by_grad, "second time"),
    "changed input": (changed_input, "inplace"),
    "changed output": (changed_output, "inplace"),
    "changed leaf": (changed_leaf, "inplace"),
    "changed through a view": (changed_through_a_view, "inplace"),
    "changed through detach": (changed_through_data, "inplace"),
    "in place on a leaf": (lambda lib: x2(lib).add_(1), "no_grad"),
    "in place on a leaf, zero_": (lambda lib: x2(lib).zero_(), "no_grad"),
    "retain_grad of a constant": (lambda lib: lib.ones(2).retain_grad(), "require"),
    "hook of a constant": (lambda lib: lib.ones(2).register_hook(print), "require"),
    "hook's wrong shape": (
        lambda lib: hooked(lib, lambda g: lib.ones(3)), "shape (2,)"),
    "hook's wrong kind": (lambda lib: hooked(lib, lambda g: 3.0), "hook"),
    "hook's array": (lambda lib: hooked(lib, lambda g: np.ones(2)), "hook"),
    "grad of a constant": (
        lambda lib: lib.autograd.grad(x2(lib).sum(), lib.ones(2)), "require"),
    "grad of unused": (lambda lib: lib.autograd.grad(x2(lib).sum(), x2(lib)), "unused"),
    "grad of a constant output": (
        lambda lib: lib.autograd.grad(lib.ones(()), x2(lib)), "require"),
    "grad of non-scalar": (
        lambda lib: (lambda x: lib.autograd.grad(x * 2, x))(x2(lib)), "shape (2,)"),
    "grad of a number": (lambda lib: lib.autograd.grad(1.0, x2(lib)), ""),
    "grad for a number": (lambda lib: lib.autograd.grad(x2(lib).sum(), 1.0), ""),
    "grad for None": (lambda lib: lib.autograd.grad(x2(lib).sum(), None), ""),
    "grad for a list of arrays": (
        lambda lib: lib.autograd.grad(x2(lib).sum(), [np.ones(2)]), ""),
    "allow_unused=False with materialize_grads": (
        lambda lib: lib.autograd.grad(x2(lib).sum(), x2(lib), allow_unused=False,
                                      materialize_grads=True), ""),
    "backward of nothing": (lambda lib: lib.autograd.backward([]), None),
}  # fmt: skip


def hooked(lib, hook):
    x = x2(lib)
    x.register_hook(hook)
    (x * 2).sum().backward()


@pytest.mark.parametrize("name", WALKS)
def test_mistakes_raise_what_torch_raises(torch, name):
    fn, message = WALKS[name]
    error = both(torch, fn)
    if message is not None:
        assert isinstance(error, Exception)
        assert message in str(error)


def test_error_in_a_walk_leaves_gradients_alone(torch):
    grads = []
    for lib in (tg, torch):
        x, w = x2(lib), x2(lib)
        y = x.exp()
        z = y * w
        with lib.no_grad():
            y.mul_(2)
        with pytest.raises(RuntimeError):
            (z.sum() + w.sum()).backward()
        grads.append((x.grad, w.grad))
        # and everything still works
        (x * w).sum().backward()
        assert x.grad.tolist() == [1, 2]
        assert lib.is_grad_enabled()
    assert grads[1] == (None, None)
    assert grads[0] == (None, None)


def test_a_raising_hook_leaves_modes_and_gradients_alone(torch):
    def explode(g):
        raise KeyError("hook")

    for lib in (tg, torch):
        for create_graph in (False, True):
            x = x2(lib)
            x.register_hook(explode)
            with pytest.raises(KeyError):
                (x * 2).sum().backward(create_graph=create_graph)
            assert x.grad is None
            assert lib.is_grad_enabled()
            assert (x * 2).requires_grad


def test_a_leaf_made_constant_after_its_use(torch):
    for lib in (tg, torch):
        x, w = x2(lib), x2(lib)
        y = (x * w).sum()
        x.requires_grad_(False)
        y.backward()
        assert w.grad.tolist() == [1, 2]


def test_backward_frees_only_what_it_walked(torch):
    for lib in (tg, torch):
        x = x2(lib)
        shared = x + 1  # saves nothing
        (shared.sum() * 2).backward()
        (shared.sum() * 2).backward()
        assert x.grad.tolist() == [4, 4]


def test_retain_graph(torch):
    for lib in (tg, torch):
        x = x2(lib)
        y = (x * x).sum()
        y.backward(retain_graph=True)
        y.backward()
        assert x.grad.tolist() == [4, 8]
        with pytest.raises(RuntimeError):
            y.backward()
        assert x.grad.tolist() == [4, 8]


@pytest.mark.filterwarnings("ignore:Using backward:UserWarning")
def test_backward_with_create_graph(torch):
    for lib in (tg, torch):
        x = x2(lib)
        (x**3).sum().backward(create_graph=True)
        assert x.grad.requires_grad
        (second,) = lib.autograd.grad(x.grad.sum(), x)
        assert second.tolist() == [6, 12]
        x.grad = None


@pytest.mark.filterwarnings("ignore:Using backward:UserWarning")
def test_gradient_penalty(torch):
    results = []
    for lib in (tg, torch):
        x, w = leaf(lib, [[0.5, -1.0]]), leaf(lib, [[0.3, 0.2], [-0.7, 0.9]])
        y = lib.tanh(x @ w).sum()
        (g,) = lib.autograd.grad(y, x, create_graph=True)
        (y + (g * g).sum()).backward()
        results.append((x.grad, w.grad))
    for ours, theirs in zip(*results, strict=True):
        assert_same(ours, theirs)


def test_walks_of_the_same_root_twice(torch):
    for lib in (tg, torch):
        x = x2(lib)
        y = (x * x).sum()
        lib.autograd.backward([y, y])
        assert x.grad.tolist() == [4, 8]


def test_backward_of_several_with_gradients(torch):
    for lib in (tg, torch):
        x = x2(lib)
        lib.autograd.backward([x * 2, (x * x).sum()], [lib.tensor([1.0, 10.0]), None])
        assert x.grad.tolist() == [4, 24]


def test_a_leaf_as_root(torch):
    for lib in (tg, torch):
        x = lib.tensor(2.0, requires_grad=True)
        x.backward()
        x.backward(lib.tensor(5.0))
        assert x.grad.item() == 6
        (g,) = lib.autograd.grad(x, x)
        assert g.item() == 1


def test_integer_and_wide_cotangents_take_the_type_of_the_output():
    x = tg.ones(2, requires_grad=True)
    (x * 1).backward(tg.ones(2, dtype=tg.float64))
    assert x.grad.dtype == tg.float32


# -- autograd.grad -----------------------------------------------------------------------------


def test_grad_leaves_grad_alone(torch):
    for lib in (tg, torch):
        x = x2(lib)
        (g,) = lib.autograd.grad((x * x).sum(), x)
        assert g.tolist() == [2, 4]
        assert x.grad is None
        assert not g.requires_grad


def test_grad_of_unused(torch):
    for lib in (tg, torch):
        x, z = x2(lib), x2(lib)
        assert lib.autograd.grad(x.sum(), [x, z], allow_unused=True)[1] is None
        zeros = lib.autograd.grad(x.sum(), z, materialize_grads=True)[0]
        assert zeros.tolist() == [0, 0]
        (zeros,) = lib.autograd.grad(x.sum(), z, materialize_grads=True, allow_unused=True)
        assert zeros.tolist() == [0, 0]


def test_grad_of_several_outputs_and_intermediate_inputs(torch):
    results = []
    for lib in (tg, torch):
        x = leaf(lib, [0.5, -0.5])
        h = lib.tanh(x)
        y, z = (h * h).sum(), (h * x).sum()
        results.append([
            *lib.autograd.grad([y, z], [x, h, y], [lib.tensor(2.0, dtype=lib.float64), None],
                               retain_graph=True),
            *lib.autograd.grad(z, [h, h], retain_graph=True),
            *lib.autograd.grad((y, z), (h,)),
        ])  # fmt: skip
    for ours, theirs in zip(*results, strict=True):
        assert_same(ours, theirs)


def test_grad_visits_only_what_lies_between():
    x = x2(tg)
    h = x.exp()
    y = (h * 2).sum()
    tg.autograd.grad(y, h)
    h.sum().backward()  # exp was not visited, so not freed
    assert x.grad is not None


def test_grad_with_hooks_and_retained_intermediates(torch):
    for lib in (tg, torch):
        x = x2(lib)
        h = x * 3
        h.register_hook(lambda g: g * 10)
        assert lib.autograd.grad(h.sum(), h, retain_graph=True)[0].tolist() == [10, 10]
        assert lib.autograd.grad(h.sum(), x, retain_graph=True)[0].tolist() == [30, 30]
        h.retain_grad()
        lib.autograd.grad(h.sum(), x)
        assert h.grad.tolist() == [10, 10]


# -- hooks and retained gradients --------------------------------------------------------------


def test_hooks_see_replace_and_leave(torch):
    for lib in (tg, torch):
        seen = []
        x = x2(lib)
        h = x * 3
        first = h.register_hook(lambda g, seen=seen: seen.append(("first", g.tolist())))
        h.register_hook(lambda g: g * 2)
        h.register_hook(lambda g, seen=seen: seen.append(("last", g.tolist())))
        h.sum().backward(retain_graph=True)
        assert seen == [("first", [1, 1]), ("last", [2, 2])]
        assert x.grad.tolist() == [6, 6]
        first.remove()
        first.remove()
        h.sum().backward()
        assert [name for name, _ in seen] == ["first", "last", "last"]


def test_hooks_of_leaves_are_called_once_with_the_sum(torch):
    for lib in (tg, torch):
        seen = []
        x = x2(lib)
        x.register_hook(lambda g, seen=seen: seen.append(g.tolist()))
        (x * x + x).sum().backward()
        assert seen == [[3, 5]]


def test_many_hooks_made_and_dropped_do_not_replace_each_other(torch):
    for lib in (tg, torch):
        x = lib.ones(1, requires_grad=True)
        for _ in range(50):  # no handle is kept
            x.register_hook(lambda g: g + 1)
        x.sum().backward()
        assert x.grad.tolist() == [51]


def test_a_hook_cannot_corrupt_what_others_receive(torch):
    for lib in (tg, torch):
        x, z = x2(lib), x2(lib)
        h = x + 0
        h.register_hook(lambda g: g.clone().fill_(7))
        (h + z).sum().backward()
        assert (x.grad.tolist(), z.grad.tolist()) == ([7, 7], [1, 1])


def test_hook_must_be_callable(torch):
    for hook in (None, 3, "print"):
        with pytest.raises(TypeError):
            x2(tg).register_hook(hook)


def test_hooks_in_a_recorded_walk_are_differentiated(torch):
    for lib in (tg, torch):
        x = x2(lib)
        h = x * x
        h.register_hook(lambda g: g * g)
        (g,) = lib.autograd.grad((h * x).sum(), x, create_graph=True)
        (second,) = lib.autograd.grad(g.sum(), x)
        # g = 2x·x² + x², so g' = 6x² + 2x
        assert second.tolist() == [8, 28]


def test_retain_grad(torch):
    for lib in (tg, torch):
        x = x2(lib)
        h = x * x
        h.retain_grad()
        h.retain_grad()
        (h * 3).sum().backward(retain_graph=True)
        assert h.grad.tolist() == [3, 3]
        (h * 3).sum().backward()
        assert h.grad.tolist() == [6, 6], "accumulates, as a leaf's"
        x.retain_grad()
        assert x.grad.tolist() == [12, 24]


def test_grad_of_results_is_not_kept(torch):
    for lib in (tg, torch):
        x = x2(lib)
        h = x * x
        h.sum().backward()
        with pytest.warns(UserWarning, match="retain_grad"):
            assert h.grad is None


def test_retained_gradient_is_what_hooks_made_of_it(torch):
    for lib in (tg, torch):
        x = x2(lib)
        h = x * x
        h.retain_grad()
        h.register_hook(lambda g: g * 5)
        h.sum().backward()
        assert h.grad.tolist() == [5, 5]


# -- modes -------------------------------------------------------------------------------------


def test_grad_modes_nest_and_undo_themselves(torch):
    for lib in (tg, torch):
        x = x2(lib)
        assert lib.is_grad_enabled()
        with lib.no_grad():
            assert not (x * 2).requires_grad
            with lib.enable_grad():
                assert (x * 2).requires_grad
                with lib.set_grad_enabled(False):
                    assert not lib.is_grad_enabled()
                assert lib.is_grad_enabled()
            assert not lib.is_grad_enabled()
            assert lib.tensor([1.0], requires_grad=True).requires_grad
        with pytest.raises(KeyError), lib.no_grad():
            raise KeyError
        assert lib.is_grad_enabled()


def test_grad_modes_as_decorators(torch):
    for lib in (tg, torch):
        x = x2(lib)

        @lib.no_grad()
        def constant(y):
            return y * 2 if y.requires_grad else constant(y)

        @lib.enable_grad()
        def recorded(y, *, factor):
            """Doc."""
            return y * factor

        @lib.no_grad
        def bare(y):
            return y * 2

        assert not constant(x).requires_grad
        assert not bare(x).requires_grad
        with lib.no_grad():
            assert recorded(x, factor=3).requires_grad
        assert recorded.__doc__ == "Doc."
        assert lib.is_grad_enabled()


def test_no_grad_around_a_generator(torch):
    for lib in (tg, torch):
        x = x2(lib)

        @lib.no_grad()
        def values(x=x):
            yield x * 2
            yield x * 3

        made = []
        for y in values():
            made.append(y.requires_grad)
            assert (x * 2).requires_grad, "the caller's mode is its own"
        assert made == [False, False]


def test_set_grad_enabled_as_a_call(torch):
    for lib in (tg, torch):
        lib.set_grad_enabled(False)
        try:
            enabled = lib.is_grad_enabled()
        finally:
            lib.set_grad_enabled(True)
        assert enabled is False
        assert lib.is_grad_enabled()


def test_set_grad_enabled_takes_a_bool(torch):
    for wrong in ("no", None, 1.0):
        both(torch, lambda lib, wrong=wrong: lib.set_grad_enabled(wrong) and None)
        assert tg.is_grad_enabled()
        torch.set_grad_enabled(True)


def test_modes_belong_to_a_thread(torch):
    for lib in (tg, torch):
        seen = []
        with lib.no_grad():
            thread = threading.Thread(target=lambda: seen.append(lib.is_grad_enabled()))  # noqa: B023
            thread.start()
            thread.join()
        assert seen == [True]


def test_threads_walk_their_own_graphs():
    results = {}

    def work(k):
        for _ in range(20):
            x = tg.tensor([float(k)], requires_grad=True)
            y = x
            with tg.no_grad() if k % 2 else tg.enable_grad():
                y = y * 2
            for _ in range(20):
                y = tg.tanh(y) + x
            y.sum().backward()
            results.setdefault(k, set()).add(tuple(x.grad.tolist()))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {k: len(v) for k, v in results.items()} == dict.fromkeys(range(4), 1)


# -- changes in place --------------------------------------------------------------------------

IN_PLACE = {
    "add_": lambda lib, x: x.add_(2),
    "add_ alpha": lambda lib, x: x.add_(lib.ones(2), alpha=3),
    "sub_": lambda lib, x: x.sub_(lib.ones(2)),
    "sub_ alpha": lambda lib, x: x.sub_(1, alpha=0.5),
    "mul_": lambda lib, x: x.mul_(2.5),
    "div_": lambda lib, x: x.div_(4),
    "zero_": lambda lib, x: x.zero_(),
    "fill_": lambda lib, x: x.fill_(3),
    "fill_ 0-d": lambda lib, x: x.fill_(lib.tensor(3.0)),
    "copy_": lambda lib, x: x.copy_(lib.tensor([5, 6])),
    "copy_ broadcasts": lambda lib, x: x.copy_(lib.tensor(5.0)),
    "+=": lambda lib, x: operator.iadd(x, 1),
    "float64 vector": lambda lib, x: x.add_(lib.ones(2, dtype=lib.float64)),
    "no larger shape": lambda lib, x: x.add_(lib.ones(3, 2)),
    "no other shape": lambda lib, x: x.mul_(lib.ones(3)),
    "no str": lambda lib, x: x.add_("1"),
    "no None": lambda lib, x: x.mul_(None),
    "no list": lambda lib, x: x.add_([1, 2]),
    "no fill_ with several": lambda lib, x: x.fill_(lib.ones(2)),
    "no fill_ with None": lambda lib, x: x.fill_(None),
    "no fill_ with str": lambda lib, x: x.fill_("3"),
    "no fill_ with a list": lambda lib, x: x.fill_([1, 2]),
    "no copy_ of another shape": lambda lib, x: x.copy_(lib.ones(3)),
    "no copy_ of a list": lambda lib, x: x.copy_([1.0, 2.0]),
    "copy_ of a number": lambda lib, x: x.copy_(1.0),
    "no += str": lambda lib, x: operator.iadd(x, "a"),
}


@pytest.mark.parametrize("dtype", ["float32", "int64"])
@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place(torch, name, dtype):
    def fn(lib):
        x = lib.tensor([1, 2], dtype=getattr(lib, dtype))
        try:
            y = IN_PLACE[name](lib, x)
        except Exception:
            assert x.tolist() == [1, 2], "a failed change changes nothing"
            assert x._version == 0
            raise
        assert y is x
        return x

    assert isinstance(both(torch, fn), Exception) >= name.startswith("no ")


@pytest.mark.parametrize("change", [
    operator.iadd, operator.isub, operator.imul, operator.itruediv,
    lambda a, x: a.copy_(x), lambda a, x: a.fill_(x[0]), lambda a, x: a.add_(x, alpha=2),
])  # fmt: skip
def test_a_change_by_a_tensor_that_requires_grad_loses_no_gradient(torch, change):
    def gradient(lib):
        x, total = x2(lib), lib.ones(2)
        total = change(total, x)
        (total * x).sum().backward()
        return x.grad

    ours, theirs = outcome(lambda: gradient(tg)), gradient(torch)
    if not isinstance(ours, RuntimeError):  # an error is honest, too
        assert_outcome(ours, theirs)


def test_sums_over_a_loop_in_place(torch):
    def gradient(lib):
        x, total = x2(lib), 0
        for t in range(2):
            total += x[t] * (t + 1)
        total.backward()
        return x.grad

    both(torch, gradient)


def test_augmented_operators_keep_identity(torch):
    for lib in (tg, torch):
        x = alias = lib.tensor([4.0, 8.0])
        x += 1
        x -= lib.ones(2)
        x *= 2
        x /= 4
        assert x is alias
        assert x.tolist() == [2, 4]


def test_versions_count_changes(torch):
    for lib in (tg, torch):
        x = lib.ones(2)
        assert x._version == 0
        x.add_(1)
        x[0].fill_(3)
        x.detach().zero_()
        x.reshape(2, 1).mul_(2)
        assert x._version == 4


@pytest.mark.parametrize("fn", [
    lambda lib, x: x.add_(1),
    lambda lib, x: x.mul_(2),
    lambda lib, x: x.zero_(),
    lambda lib, x: x.copy_(lib.ones(2)),
])  # fmt: skip
def test_no_grad_updates_leaves(torch, fn):
    for lib in (tg, torch):
        x = x2(lib)
        with lib.no_grad():
            assert fn(lib, x) is x
        assert x.requires_grad
        assert x.is_leaf
        (x * x).sum().backward()
        assert x.grad.tolist() == (x * 2).tolist()


def test_changes_of_what_no_rule_saved_are_allowed(torch):
    for lib in (tg, torch):
        x, b = x2(lib), lib.ones(2)
        y = (x + b) * 2
        b.fill_(9)
        y.sum().backward()
        assert x.grad.tolist() == [2, 2]


def test_saved_memory_is_freed_at_once():
    gc.disable()
    try:
        x = tg.ones(2, requires_grad=True)
        y = x.exp()
        dead = weakref.ref(y)
        z = (y * 2).sum()
        del y
        z.backward()
        del z
        assert dead() is None
    finally:
        gc.enable()


# -- NumPy's protocols -------------------------------------------------------------------------

A = np.array([[0.5, -1.0], [2.0, 0.25]])
NUMPY = {
    "tanh": (lambda x: np.tanh(x), lambda lib, x: lib.tanh(x)),
    "exp": (lambda x: np.exp(x), lambda lib, x: lib.exp(x)),
    "negative": (lambda x: np.negative(x), lambda lib, x: -x),
    "sum": (lambda x: np.sum(x), lambda lib, x: x.sum()),
    "sum, axis": (lambda x: np.sum(x, axis=0), lambda lib, x: x.sum(0)),
    "sum, keepdims": (
        lambda x: np.sum(x, axis=(0, 1), keepdims=True),
        lambda lib, x: x.sum((0, 1), keepdim=True),
    ),
    "mean": (lambda x: np.mean(x, axis=-1), lambda lib, x: x.mean(-1)),
    "reshape": (lambda x: np.reshape(x, (4,)), lambda lib, x: x.reshape(4)),
    "swapaxes": (lambda x: np.swapaxes(x, 0, 1), lambda lib, x: x.T),
    "moveaxis": (lambda x: np.moveaxis(x, 0, -1), lambda lib, x: x.T),
    "concatenate": (lambda x: np.concatenate([x, x], axis=1), lambda lib, x: lib.cat([x, x], 1)),
    "stack": (lambda x: np.stack([x, x]), lambda lib, x: lib.stack([x, x])),
    "broadcast_to": (lambda x: np.broadcast_to(x, (3, 2, 2)), lambda lib, x: x.expand(3, 2, 2)),
    "matmul": (lambda x: np.matmul(x, x), lambda lib, x: x @ x),
    "array * tensor": (lambda x: A * x, lambda lib, x: lib.from_numpy(A) * x),
    "tensor * array": (lambda x: x * A, lambda lib, x: x * lib.from_numpy(A)),
    "array - tensor": (lambda x: A - x, lambda lib, x: lib.from_numpy(A) - x),
    "array / tensor": (lambda x: A / x, lambda lib, x: lib.from_numpy(A) / x),
    "array @ tensor": (lambda x: A @ x, lambda lib, x: lib.from_numpy(A) @ x),
    "tensor @ array": (lambda x: x @ A, lambda lib, x: x @ lib.from_numpy(A)),
    "array ** tensor": (lambda x: np.abs(A) ** x, lambda lib, x: lib.from_numpy(np.abs(A)) ** x),
    "array - vector": (lambda x: A[:, 0] - x, lambda lib, x: lib.from_numpy(A[:, 0].copy()) - x),
    "float64 * tensor": (lambda x: np.float64(3) * x, lambda lib, x: 3.0 * x),
    "tensor * float64": (lambda x: x * np.float64(3), lambda lib, x: x * 3.0),
    "int64 - tensor": (lambda x: np.int64(3) - x, lambda lib, x: 3 - x),
    "float32 / tensor": (lambda x: np.float32(3) / x, lambda lib, x: 3.0 / x),
    "0-d array * tensor": (lambda x: np.array(3.0) * x, lambda lib, x: 3.0 * x),
}


@pytest.mark.parametrize(("name", "dtype"), [
    (name, dtype) for name in NUMPY for dtype in ("float64", "float32")
    if "@" not in name or dtype == "float64"  # matmul does not promote
])  # fmt: skip
def test_numpy_functions_take_tensors(torch, name, dtype):
    ours, theirs = NUMPY[name]
    x, z = leaf(tg, A + 3, dtype), leaf(torch, A + 3, dtype)
    y, expected = ours(x), theirs(torch, z)
    assert_same(y, expected, name)
    y.sum().backward()
    expected.sum().backward()
    assert_same(x.grad, z.grad, name)


UNKNOWN = {
    "np.sinc": lambda x: np.sinc(x),
    "np.cbrt": lambda x: np.cbrt(x),
    "np.hypot": lambda x: np.hypot(x, x),
    "np.linalg.svd": lambda x: np.linalg.svd(x),
    "np.partition": lambda x: np.partition(x, 1),
    "np.cov": lambda x: np.cov(x),
    "np.sort kind": lambda x: np.sort(x, kind="stable"),
    "np.cumsum dtype": lambda x: np.cumsum(x, dtype=np.float64),
    "np.add.reduce": lambda x: np.add.reduce(x),
    "np.multiply.outer": lambda x: np.multiply.outer(x, x),
    "out=": lambda x: np.add(x, x, out=np.zeros((2, 2))),
    "array += tensor": lambda x: np.zeros((2, 2)).__iadd__(x),
    "where=": lambda x: np.add(x, x, where=np.ones((2, 2), bool)),
    "dtype=": lambda x: np.add(x, x, dtype=np.float64),
    "np.sum where": lambda x: np.sum(x, where=np.ones((2, 2), bool)),
    "np.sum initial": lambda x: np.sum(x, initial=3.0),
    "np.sum out": lambda x: np.sum(x, out=np.zeros(())),
    "np.mean where": lambda x: np.mean(x, where=np.ones((2, 2), bool)),
    "np.concatenate axis=None": lambda x: np.concatenate([x, x], axis=None),
    "np.reshape order": lambda x: np.reshape(x, (4,), order="F"),
    "np.stack out": lambda x: np.stack([x, x], out=np.zeros((2, 2, 2))),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_numpy_functions_and_options_raise(name):
    x = leaf(tg, A)
    with pytest.raises(TypeError):
        UNKNOWN[name](x)
    with pytest.raises(TypeError):
        UNKNOWN[name](x.detach())


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # PyTorch's own
def test_asarray_of_constants(torch):
    for lib in (tg, torch):
        x = lib.tensor([1.0, 2.0])
        assert np.array_equal(np.asarray(x), [1, 2])
        assert np.asarray(x, dtype=np.float64).dtype == np.float64
        assert np.shares_memory(np.asarray(x), x.numpy())
        copy = np.array(x)
        copy[0] = 9
        assert x.tolist() == [1, 2]


class Foreign:
    """A class that knows how to compute with tensors itself."""

    def __radd__(self, other):
        return "radd"

    __rmul__ = __rsub__ = __rtruediv__ = __rpow__ = __rmatmul__ = __radd__


@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "pow"])
def test_complex_numbers_are_refused(name):
    for args in ((tg.ones(2), 1j), (1j, tg.ones(2)), (np.ones(2, complex), tg.ones(2))):
        with pytest.raises(TypeError):
            getattr(operator, name)(*args)


# -- bad input for every function --------------------------------------------------------------


def m(lib):
    return lib.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)


RAGGED = [[1.0], [1.0, 2.0]]
BINARY = ["add", "sub", "mul", "div", "pow"]
BAD: dict[str, object] = {}
for _op in BINARY:
    for _name, _bad in {"a str": "a", "None": None, "a list": [1.0, 2.0, 3.0], "ragged": RAGGED,
                        "a dict": {}, "an object": object()}.items():  # fmt: skip
        BAD[f"{_op}: {_name}"] = lambda lib, op=_op, bad=_bad: getattr(lib, op)(m(lib), bad)
        BAD[f"{_op}: {_name} on the left"] = lambda lib, op=_op, bad=_bad: getattr(lib, op)(
            bad, m(lib)
        )
    BAD[f"{_op}: shapes"] = lambda lib, op=_op: getattr(lib, op)(m(lib), lib.ones(2))
    BAD[f"{_op}: no argument"] = lambda lib, op=_op: getattr(lib, op)(m(lib))
    BAD[f"{_op}: shapes, 3-d"] = lambda lib, op=_op: getattr(m(lib), op)(lib.ones(4, 3, 3))
for _op in ["exp", "log", "tanh", "sigmoid", "relu", "neg", "sum", "mean"]:
    for _name, _bad in {"a str": "a", "None": None, "a list": [1.0], "ragged": RAGGED}.items():
        BAD[f"{_op}: {_name}"] = lambda lib, op=_op, bad=_bad: getattr(lib, op)(bad)
for _op in ["sum", "mean"]:
    for _name, _bad in {"too large": 2, "too small": -3, "a str": "0", "a float": 0.0,
                        "a list of str": ["a"], "twice": (0, 0), "twice, negative": (0, -2),
                        "huge": 10**10, "one too large": (0, 5), "a bool": True,
                        "a dict": {}}.items():  # fmt: skip
        BAD[f"{_op} dim: {_name}"] = lambda lib, op=_op, bad=_bad: getattr(m(lib), op)(bad)
    BAD[f"{_op}: unknown option"] = lambda lib, op=_op: getattr(m(lib), op)(dims=0)
    BAD[f"{_op}: keepdim of a str"] = lambda lib, op=_op: getattr(m(lib), op)(0, keepdim="yes")
    BAD[f"{_op}: keepdim of None"] = lambda lib, op=_op: getattr(m(lib), op)(0, keepdim=None)
for _name, _shapes in {"inner sizes": ((2, 3), (2, 3)), "0-d": ((2, 3), ()), "0-d left": ((), (3,)),
                       "vector": ((2, 3), (2,)), "vectors": ((2,), (3,)), "batch": (
                           (2, 2, 3), (3, 3, 2)), "both 0-d": ((), ())}.items():  # fmt: skip
    BAD[f"matmul: {_name}"] = lambda lib, s=_shapes: lib.ones(s[0]) @ lib.ones(s[1])
BAD |= {
    "matmul: number": lambda lib: m(lib) @ 2.0,
    "matmul: number on the left": lambda lib: 2.0 @ m(lib),
    "matmul: list": lambda lib: m(lib) @ [1.0, 2.0, 3.0],
    "matmul: None": lambda lib: lib.matmul(m(lib), None),
    "matmul: types": lambda lib: m(lib) @ lib.ones(3, dtype=lib.float64),
    "matmul: ints": lambda lib: m(lib) @ lib.ones(3, dtype=lib.int64),
    "reshape: size": lambda lib: m(lib).reshape(4),
    "reshape: two unknown": lambda lib: m(lib).reshape(-1, -1),
    "reshape: no divisor": lambda lib: m(lib).reshape(-1, 4),
    "reshape: −2": lambda lib: m(lib).reshape(-2, 3),
    "reshape: −6": lambda lib: m(lib).reshape(-6),
    "reshape: float": lambda lib: m(lib).reshape(2.0, 3),
    "reshape: str": lambda lib: m(lib).reshape("6"),
    "reshape: None": lambda lib: m(lib).reshape(None),
    "reshape: −1 of nothing": lambda lib: lib.zeros(0).reshape(-1, 0),
    "reshape: huge": lambda lib: m(lib).reshape(10**12),
    "reshape: list and number": lambda lib: m(lib).reshape([2], 3),
    "reshape: list input": lambda lib: lib.reshape([1.0], (1,)),
    "permute: too few": lambda lib: m(lib).permute(0),
    "permute: twice": lambda lib: m(lib).permute(0, 0),
    "permute: range": lambda lib: m(lib).permute(0, 2),
    "permute: str": lambda lib: m(lib).permute("0", "1"),
    "permute: none": lambda lib: m(lib).permute(()),
    "transpose: range": lambda lib: m(lib).transpose(0, 2),
    "transpose: float": lambda lib: m(lib).transpose(0.0, 1),
    "transpose: None": lambda lib: lib.transpose(m(lib), None, 1),
    "transpose: 0-d": lambda lib: lib.ones(()).transpose(0, 0),
    "transpose: one dim": lambda lib: lib.transpose(m(lib), 0),
    "expand: size": lambda lib: m(lib).expand(4, 3),
    "expand: fewer": lambda lib: m(lib).expand(3),
    "expand: −1 leading": lambda lib: m(lib).expand(-1, 2, 3),
    "expand: −2": lambda lib: lib.ones(1).expand(-2),
    "expand: negative leading": lambda lib: lib.ones(1).expand(-3, 1),
    "expand: str": lambda lib: m(lib).expand("2", 3),
    "expand: to 0": lambda lib: m(lib).expand(0, 3),
    "squeeze: range": lambda lib: m(lib).squeeze(2),
    "squeeze: str": lambda lib: m(lib).squeeze("0"),
    "squeeze: twice": lambda lib: lib.ones(1, 1).squeeze((0, 0)),
    "squeeze: several": lambda lib: lib.ones(1, 2, 1).squeeze((0, 2)),
    "squeeze: none": lambda lib: lib.ones(1, 2, 1).squeeze(()),
    "unsqueeze: range": lambda lib: m(lib).unsqueeze(3),
    "unsqueeze: low": lambda lib: m(lib).unsqueeze(-4),
    "unsqueeze: None": lambda lib: m(lib).unsqueeze(None),
    "cat: nothing": lambda lib: lib.cat([]),
    "cat: sizes": lambda lib: lib.cat([m(lib), lib.ones(2, 2)]),
    "cat: ranks": lambda lib: lib.cat([m(lib), lib.ones(3)]),
    "cat: 0-d": lambda lib: lib.cat([lib.ones(()), lib.ones(())]),
    "cat: dim": lambda lib: lib.cat([m(lib), m(lib)], 2),
    "cat: dim of a str": lambda lib: lib.cat([m(lib)], "0"),
    "cat: dim of None": lambda lib: lib.cat([m(lib)], None),
    "cat: numbers": lambda lib: lib.cat([1.0, 2.0]),
    "cat: mixed with numbers": lambda lib: lib.cat([m(lib), 2.0]),
    "cat: None": lambda lib: lib.cat(None),
    "cat: a str": lambda lib: lib.cat("ab"),
    "cat: an empty vector beside a matrix": lambda lib: lib.cat([lib.zeros(0), lib.ones(2, 3)]),
    "cat: an empty vector later": lambda lib: lib.cat([lib.ones(2, 3), lib.zeros(0)], 1),
    "stack: nothing": lambda lib: lib.stack([]),
    "stack: sizes": lambda lib: lib.stack([m(lib), lib.ones(2, 2)]),
    "stack: broadcast": lambda lib: lib.stack([m(lib), lib.ones(2, 1)]),
    "stack: dim": lambda lib: lib.stack([m(lib)], 3),
    "stack: numbers": lambda lib: lib.stack([1.0, 2.0]),
    "stack: None": lambda lib: lib.stack([m(lib), None]),
    "unbind: 0-d": lambda lib: lib.ones(()).unbind(),
    "unbind: dim": lambda lib: m(lib).unbind(2),
    "unbind: str": lambda lib: m(lib).unbind("0"),
    "chunk: 0": lambda lib: m(lib).chunk(0),
    "chunk: −1": lambda lib: m(lib).chunk(-1),
    "chunk: float": lambda lib: m(lib).chunk(2.0),
    "chunk: None": lambda lib: m(lib).chunk(None),
    "chunk: dim": lambda lib: m(lib).chunk(2, 2),
    "chunk: 0-d": lambda lib: lib.ones(()).chunk(1),
    "chunk: huge": lambda lib: m(lib).chunk(10**15),
    "chunk: empty": lambda lib: lib.zeros(0, 2).chunk(3),
    "index: range": lambda lib: m(lib)[2],
    "index: too many": lambda lib: m(lib)[0, 0, 0],
    "index: 0-d": lambda lib: lib.ones(())[0],
    "index: mask": lambda lib: m(lib)[lib.tensor([True, False, True])],
    "assignment to a tuple": lambda lib: setattr(m(lib), "shape", 3),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
@pytest.mark.parametrize("name", BAD)
def test_bad_input(torch, name):
    both(torch, BAD[name])


LINEAR = {
    "right": lambda F, x, w, b: F(x, w, b),
    "no bias": lambda F, x, w, b: F(x, w, None),
    "a vector": lambda F, x, w, b: F(x[0], w, b),
    "bias of one": lambda F, x, w, b: F(x, w, b[:1]),
    "vector of weights": lambda F, x, w, b: F(x, w[0]),
    "vector of weights and a bias": lambda F, x, w, b: F(x, w[0], b[0]),
    "weight transposed": lambda F, x, w, b: F(x, w.T, b),
    "weight of rank 3": lambda F, x, w, b: F(x, w[None], b),
    "weight None": lambda F, x, w, b: F(x, None, b),
    "0-d input": lambda F, x, w, b: F(x[0, 0], w, b),
    "a list": lambda F, x, w, b: F([1.0], w, b),
    "wrong bias": lambda F, x, w, b: F(x, w, b[:3]),
    "bias is a number": lambda F, x, w, b: F(x, w, 1.0),
    "bias of another type": lambda F, x, w, b: F(x, w, b.double()),
    "input of another type": lambda F, x, w, b: F(x.double(), w),
}


@pytest.mark.parametrize("name", LINEAR)
def test_linear(torch, name):
    def call(lib):
        F = lib.linear if lib is tg else lib.nn.functional.linear
        return LINEAR[name](F, lib.ones(2, 3), lib.ones(4, 3), lib.ones(4))

    both(torch, call)


MESSAGES = [
    (lambda x, y: x + y, RuntimeError, "add"),
    (lambda x, y: x - y, RuntimeError, "sub"),
    (lambda x, y: x * y, RuntimeError, "mul"),
    (lambda x, y: x / y, RuntimeError, "div"),
    (lambda x, y: x**y, RuntimeError, "pow"),
    (lambda x, y: x == y, RuntimeError, "=="),
    (lambda x, y: x @ y, RuntimeError, "matmul"),
    (lambda x, y: tg.cat([x, y], 1), RuntimeError, "cat"),
    (lambda x, y: tg.stack([x, y]), RuntimeError, "stack"),
    (lambda x, y: tg.linear(x, y), RuntimeError, "linear"),
]


@pytest.mark.parametrize("grad", [False, True])
@pytest.mark.parametrize(("fn", "error", "name"), MESSAGES, ids=[name for *_, name in MESSAGES])
def test_messages_name_operation_and_shapes(fn, error, name, grad):
    x, y = tg.ones(2, 3), tg.ones(4, 5)
    if grad:
        x.requires_grad_()
        y.requires_grad_()
    with pytest.raises(error) as caught:
        fn(x, y)
    for part in (name, "(2, 3)", "(4, 5)"):
        assert part in str(caught.value)


@pytest.mark.parametrize(("fn", "name"), [
    (lambda x: x.reshape(4), "reshape"), (lambda x: x.expand(4, 3), "expand"),
    (lambda x: x[2], "getitem"), (lambda x: x[0, 0, 0], "getitem"),
])  # fmt: skip
def test_messages_name_operation_and_shape(fn, name):
    with pytest.raises((RuntimeError, IndexError)) as caught:
        fn(tg.ones(2, 3, requires_grad=True))
    assert name in str(caught.value)
    assert "(2, 3)" in str(caught.value)


def test_errors_leave_the_graph_usable():
    x, w = m(tg), m(tg)
    y = x * w
    for wrong in (lambda: y + tg.ones(7), lambda: y @ y, lambda: y[9], lambda: y.reshape(5),
                  lambda: tg.cat([y, tg.ones(1)])):  # fmt: skip
        with pytest.raises((RuntimeError, IndexError)):
            wrong()
    y.sum().backward()
    assert x.grad.tolist() == w.tolist()
    assert tg.is_grad_enabled()


@pytest.mark.parametrize("other", [1.0, np.float64(1), [1.0, 2.0], np.array([1.0, 2.0]), 1, True])
def test_numpy_compares_tensors_with_anything(other):
    x = tg.tensor([1.0, 2.0])
    for pair in ((x, other), (other, x)):
        arrays = [np.asarray(operand) for operand in pair]
        np.testing.assert_array_equal(np.isclose(*pair).numpy(), np.isclose(*arrays))
        assert np.allclose(*pair) == np.allclose(*arrays)
        assert np.allclose(*pair, atol=2) == np.allclose(*arrays, atol=2)
        assert np.array_equal(*pair) == np.array_equal(*arrays)
