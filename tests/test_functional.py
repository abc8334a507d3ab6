"""`autograd.functional`: values, nesting, requires_grad and errors are PyTorch's."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from cases import assert_same, outcome

import tinygrad_rnn as tg

A, B = np.array([1.0, -2.0]), np.array([0.3, 0.4, -0.5])
NAMES = ["jacobian", "hessian", "vjp", "jvp", "vhp", "hvp"]
OF_SCALARS = ["hessian", "vhp", "hvp"]

# Functions of one tensor x or of two, x and y: ``fn(lib, x)``, ``fn(lib, x, y)``.
ONE = {
    "elementwise": lambda lib, x: lib.exp(x) * x,
    "two outputs": lambda lib, x: (x * x, lib.exp(x).sum()),
    "a tuple of one": lambda lib, x: (x * x,),
    "linear": lambda lib, x: 3 * x,
    "identity": lambda lib, x: x,
    "constant": lambda lib, x: lib.ones(2).double(),
    "a constant beside": lambda lib, x: (x * x, lib.ones(2).double()),
    "independent": lambda lib, x: lib.ones(2).double().requires_grad_() * 2,
    "of integers": lambda lib, x: lib.from_numpy(np.array([1, 2])),
    "cubes": lambda lib, x: (x**3).sum(),
    "bilinear": lambda lib, x: x[0] * x[1],
    "of one element": lambda lib, x: (x**3).sum().reshape(1),
    "linear sum": lambda lib, x: (3 * x).sum(),
    "constant scalar": lambda lib, x: lib.ones(()).double(),
    "independent scalar": lambda lib, x: lib.ones(()).double().requires_grad_() * 2,
    "first element": lambda lib, x: x[0],
    "kept out": lambda lib, x: (x.detach() * x).sum(),
    "a list": lambda lib, x: [x.sum()],
    "a number": lambda lib, x: 3,
    "nothing": lambda lib, x: None,
    "something else beside": lambda lib, x: (x, 3),
}
TWO = {
    "outer product": lambda lib, x, y: (x.reshape(2, 1) * y, x.sum()),
    "one unused": lambda lib, x, y: lib.exp(x),
    "product of sums": lambda lib, x, y: (x**3).sum() * (y**2).sum(),
    "sum of sums": lambda lib, x, y: (x**3).sum() + lib.exp(y).sum(),
    "one unused, scalar": lambda lib, x, y: (x**3).sum(),
}
OPTIONS = [
    {},
    {"create_graph": True},
    {"strict": True},
    {"strict": True, "create_graph": True},
    {"vectorize": True},
]


def tensor(lib: Any, array: Any, requires_grad: bool = False) -> Any:
    return lib.from_numpy(np.array(array)).requires_grad_(requires_grad)


def call(lib: Any, name: str, fn: Any, inputs: Any, v: Any = (), **options: Any) -> Any:
    function = getattr(lib.autograd.functional, name)
    return outcome(lambda: function(lambda *xs: fn(lib, *xs), inputs, *v, **options))


def ones(lib: Any, *shapes: Any) -> Any:
    made = tuple(tensor(lib, np.linspace(0.5, 1.5, int(np.prod(s))).reshape(s)) for s in shapes)
    return made[0] if len(made) == 1 else made


def assert_nested(ours: Any, theirs: Any, what: str) -> None:
    """The same nesting of tuples, tensors and requires_grad, or the same type of exception."""
    if isinstance(theirs, Exception):
        assert type(ours) is type(theirs), f"{what}: {ours!r}, not {theirs!r}"
    elif isinstance(theirs, tuple):
        assert isinstance(ours, tuple), f"{what}: {ours!r}, not {theirs!r}"
        assert len(ours) == len(theirs), what
        for a, b in zip(ours, theirs, strict=True):
            assert_nested(a, b, what)
    else:
        assert_same(ours, theirs, what)
        assert ours.requires_grad == theirs.requires_grad, what


def compare(torch: Any, name: str, fn: Any, make: Any, **options: Any) -> None:
    """``make(lib)``: inputs, and perhaps v."""
    results = []
    for lib in (tg, torch):
        inputs, *v = make(lib)
        results.append(call(lib, name, fn, inputs, v, **options))
    assert_nested(*results, f"{name} {options}")


def product_shapes(torch: Any, name: str, fn: Any, *arrays: Any) -> list[Any]:
    """What v must look like."""
    if name in ("jacobian", "hessian"):
        return []
    if name != "vjp":
        return [a.shape for a in arrays]
    y = outcome(lambda: fn(torch, *[tensor(torch, a) for a in arrays]))
    ys = y if isinstance(y, tuple) else (y,)
    return [tuple(t.shape) for t in ys if isinstance(t, torch.Tensor)] or [()]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_as_torch(name, options, torch):
    if "vectorize" in options and name not in ("jacobian", "hessian"):
        return
    for fns, arrays in ((ONE, (A,)), (TWO, (A, B))):
        for fn in fns.values():
            shapes = product_shapes(torch, name, fn, *arrays)

            def make(lib, arrays=arrays, shapes=shapes):
                inputs = tuple(tensor(lib, a) for a in arrays)
                v = [ones(lib, *shapes)] if shapes else []
                return (inputs[0] if len(inputs) == 1 else inputs, *v)

            compare(torch, name, fn, make, **options)


INPUTS = {
    "a tuple of one": lambda lib: (tensor(lib, A),),
    "a leaf": lambda lib: tensor(lib, A, True),
    "a list": lambda lib: [tensor(lib, A)],
    "a number": lambda lib: 3.0,
    "a number beside": lambda lib: (tensor(lib, A), 3.0),
    "integers": lambda lib: tensor(lib, [1, 2]),
    "of no axes": lambda lib: tensor(lib, 2.0),
    "of one element": lambda lib: tensor(lib, [2.0]),
    "float32": lambda lib: tensor(lib, A.astype(np.float32)),
    "the same twice": lambda lib: (lambda x: (x, x))(tensor(lib, A, True)),
}


@pytest.mark.parametrize("inputs", INPUTS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("create_graph", [False, True])
def test_inputs(name, inputs, create_graph, torch):
    def fn(lib, x, y=None):
        return (x**3).sum() + (0 if y is None else (x * y * y).sum())

    def make(lib):
        given = INPUTS[inputs](lib)
        if name in ("jacobian", "hessian"):
            return (given,)
        shapes = [tuple(x.shape) for x in (given if isinstance(given, tuple) else (given,))
                  if hasattr(x, "shape")]  # fmt: skip
        return given, ones(lib, ()) if name == "vjp" else ones(lib, *shapes or [()])

    compare(torch, name, fn, make, create_graph=create_graph)


VECTORS = {
    "left out": lambda lib: [],
    "None": lambda lib: [None],
    "another size": lambda lib: [tensor(lib, B)],
    "too many": lambda lib: [(tensor(lib, A), tensor(lib, A))],
    "a tuple": lambda lib: [(tensor(lib, A),)],
    "a number": lambda lib: [1.0],
    "float32": lambda lib: [tensor(lib, A.astype(np.float32))],
    "integers": lambda lib: [tensor(lib, [1, 2])],
    "requires grad": lambda lib: [tensor(lib, A, True)],
}


@pytest.mark.parametrize("v", VECTORS)
@pytest.mark.parametrize("name", NAMES[2:])
@pytest.mark.parametrize("array", [A, A[:1], A[0]], ids=["two", "one", "no axes"])
def test_vectors(name, v, array, torch):
    fn = ONE["cubes"] if name in OF_SCALARS else ONE["elementwise"]
    for create_graph in (False, True):
        compare(
            torch, name, fn, lambda lib: (tensor(lib, array), *VECTORS[v](lib)),
            create_graph=create_graph,
        )  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_results_lead_back_to_what_the_inputs_came_from(name, torch):
    fn = ONE["cubes"] if name in OF_SCALARS else ONE["elementwise"]
    grads = []
    for lib in (tg, torch):
        x = tensor(lib, A, True)
        v = [] if name in ("jacobian", "hessian") else [tensor(lib, A)]
        result = call(lib, name, fn, x * 2, v, create_graph=True)
        result = result[1] if isinstance(result, tuple) else result
        (result * result).sum().backward()
        grads.append(x.grad)
    assert_same(*grads)


@pytest.mark.parametrize("name", NAMES)
def test_grad_of_leaves_is_left_alone_and_the_mode_does_not_matter(name):
    x = tensor(tg, A, True)
    fn = ONE["cubes"] if name in OF_SCALARS else ONE["elementwise"]
    v = [] if name in ("jacobian", "hessian") else [tensor(tg, A)]
    with tg.no_grad():
        inside = call(tg, name, fn, x, v)
        assert not tg.is_grad_enabled()
    outside = call(tg, name, fn, x, v)
    assert repr(inside) == repr(outside)
    assert not isinstance(outside, Exception)
    assert x.grad is None


@pytest.mark.parametrize("name", NAMES[:2])
def test_strict_does_not_go_with_vectorize(name, torch):
    def make(lib):
        return (tensor(lib, A),)

    compare(torch, name, ONE["cubes"], make, strict=True, vectorize=True)


def test_matrices():
    rng = np.random.default_rng(0)
    w, x = tensor(tg, rng.standard_normal((3, 2))), tensor(tg, rng.standard_normal((4, 3)))
    jw, jx = tg.autograd.functional.jacobian(lambda w, x: x @ w, (w, x))
    assert (jw.shape, jx.shape) == ((4, 2, 3, 2), (4, 2, 4, 3))
    np.testing.assert_allclose(jw.numpy(), np.einsum("ik,jl->ijkl", x.numpy(), np.eye(2)))
    np.testing.assert_allclose(jx.numpy(), np.einsum("kj,il->ijlk", w.numpy(), np.eye(4)))


def test_products_are_those_of_the_whole_matrices():
    f = tg.autograd.functional
    x, v, u = tensor(tg, B), tensor(tg, B + 1), tensor(tg, A)

    def fn(x):
        return tg.stack([(x * x).sum(), tg.exp(x).sum() * x[0]])

    whole = f.jacobian(fn, x).numpy()
    np.testing.assert_allclose(f.jvp(fn, x, v)[1].numpy(), whole @ v.numpy())
    np.testing.assert_allclose(f.vjp(fn, x, u)[1].numpy(), u.numpy() @ whole)
    whole = f.hessian(lambda x: fn(x)[1], x).numpy()
    np.testing.assert_allclose(f.hvp(lambda x: fn(x)[1], x, v)[1].numpy(), whole @ v.numpy())
    np.testing.assert_allclose(f.vhp(lambda x: fn(x)[1], x, v)[1].numpy(), v.numpy() @ whole)


@pytest.mark.parametrize(("name", "option"), [
    ("jacobian", "strategy"), ("hessian", "outer_jacobian_strategy"),
])  # fmt: skip
def test_there_is_reverse_mode_only(name, option, torch):
    for lib in (tg, torch):
        forward = call(lib, name, ONE["cubes"], tensor(lib, A), **{option: "forward-mode"})
        assert isinstance(forward, NotImplementedError)
    other = call(tg, name, ONE["cubes"], tensor(tg, A), **{option: "sideways"})
    assert isinstance(other, ValueError)


def test_empty_outputs_have_empty_jacobians():
    """PyTorch raises, because it has nothing to stack."""
    assert tg.autograd.functional.jacobian(lambda x: x[:0], tensor(tg, A)).shape == (0, 2)


def test_a_jacobian_of_an_own_function():
    class Square(tg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            return 2 * g * ctx.saved_tensors[0]

    f = tg.autograd.functional
    x = tensor(tg, A)
    assert f.jacobian(Square.apply, x).tolist() == [[2.0, 0.0], [0.0, -4.0]]
    assert f.hessian(lambda x: Square.apply(x).sum(), x).tolist() == [[2.0, 0.0], [0.0, 2.0]]
    assert f.jvp(Square.apply, x, x)[1].tolist() == [2.0, 8.0]


def test_threads_with_different_modes():
    """Each thread gets its own mode back."""
    seen = []

    def work(recording: bool) -> None:
        with tg.set_grad_enabled(recording):
            for _ in range(50):
                tg.autograd.functional.jacobian(lambda x: x * x, tensor(tg, A))
                seen.append(tg.is_grad_enabled() == recording)

    threads = [threading.Thread(target=work, args=(i % 2 == 0,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 200
    assert all(seen)
