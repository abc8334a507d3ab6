"""Cases of every primitive, and the comparison of two libraries on them.

``CASES[primitive]`` lists calls such as ``fn(lib, x)``: code that means the same with ``lib`` the
package or PyTorch, inputs (float64, away from kinks) and the forward in NumPy.  Whoever adds a
primitive adds its cases here; `test_primitives` checks forward, gradients, second gradients and
agreement with PyTorch on all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.engine.primitive import Primitive

CATEGORIES = ("forward", "gradcheck", "gradgradcheck", "torch")
REGISTRY = dict(Primitive.registry)  # the package's own: before any test registers another


@dataclass(frozen=True)
class Case:
    """One call of one primitive: ``fn(lib, *tensors)``, its inputs, and the same in NumPy."""

    primitive: str
    name: str
    fn: Callable[..., Any]
    arrays: tuple[np.ndarray, ...]
    ref: Callable[..., Any]
    eps: float = 1e-6  # of the central differences
    categories: tuple[str, ...] = CATEGORIES

    def __str__(self) -> str:
        return f"{self.primitive}: {self.name}"


CASES: dict[str, list[Case]] = {}
_RNG = np.random.default_rng(4)


def cases(category: str) -> list[Case]:
    """Every case in one of the `CATEGORIES`."""
    return [case for some in CASES.values() for case in some if category in case.categories]


def missing(registry: Mapping[str, Any]) -> list[str]:
    """What has no case: ``"tanh: gradcheck"`` for each primitive and category without one."""
    return [
        f"{name}: {category}"
        for name in registry
        for category in CATEGORIES
        if not any(category in case.categories for case in CASES.get(name, []))
    ]


# -- running a case in one library -------------------------------------------------------------


class Results(NamedTuple):
    """What a library makes of a case."""

    outputs: list[Any]
    grads: list[Any]  # by backward()
    first: list[Any]  # by grad(create_graph=True)
    second: list[Any]  # by differentiating that, also with respect to the cotangents


def sequence(x: Any) -> list[Any]:
    """A list of one or several results."""
    return list(x) if isinstance(x, tuple | list) else [x]


def leaf(lib: Any, array: Any, dtype: Any = None) -> Any:
    """A leaf of ``lib`` that requires grad, with a copy of ``array``."""
    return lib.from_numpy(np.array(array, dtype)).requires_grad_()


def run(lib: Any, fn: Callable[..., Any], arrays: Any, dtype: Any = np.float64) -> Results:
    """Outputs and gradients of first and second order of ``fn(lib, *tensors)``."""
    rng = np.random.default_rng(7)

    def like(tensors: list[Any]) -> list[Any]:
        draws = [np.asarray(rng.uniform(0.5, 1.5, tuple(t.shape))) for t in tensors]
        return [leaf(lib, d, numpy(t).dtype) for d, t in zip(draws, tensors, strict=True)]

    xs = [leaf(lib, a, dtype) for a in arrays]
    outputs = sequence(fn(lib, *xs))
    lib.autograd.backward(outputs, [v.detach() for v in like(outputs)])
    grads = [x.grad for x in xs]

    outputs = sequence(fn(lib, *xs))
    vs = like(outputs)
    first = lib.autograd.grad(outputs, xs, vs, create_graph=True, materialize_grads=True)
    ws = like(list(first))
    pairs = [(g, w.detach()) for g, w in zip(first, ws, strict=True) if g.requires_grad]
    ends, starts = [g for g, _ in pairs], [w for _, w in pairs]
    second = lib.autograd.grad(ends, [*xs, *vs], starts, materialize_grads=True)
    return Results(outputs, grads, list(first), list(second))


def numpy(tensor: Any) -> np.ndarray:
    """The array of a tensor of either library."""
    return tensor.detach().numpy()


TOLERANCE = {"float64": 1e-11, "float32": 2e-5, "float16": 2e-2}


def assert_same(ours: Any, theirs: Any, what: str = "", tolerance: float | None = None) -> None:
    """Kind, shape, dtype and values of a tensor are those of PyTorch's (also inf and NaN)."""
    if theirs is None or ours is None:
        assert ours is theirs, f"{what}: {ours} is not {theirs}"
        return
    assert isinstance(ours, tg.Tensor), f"{what}: {type(ours)} is no Tensor"
    a, b = numpy(ours), numpy(theirs)
    assert type(a) is np.ndarray, f"{what}: holds {type(a)}, not an array"
    assert (a.shape, a.dtype) == (b.shape, b.dtype), f"{what}: {a!r} is not {b!r}"
    if tolerance is None:
        tolerance = TOLERANCE.get(b.dtype.name, 0)
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=what)


def assert_all_same(ours: Results, theirs: Results, what: str = "") -> None:
    """Outputs, gradients and second gradients are PyTorch's."""
    for field, mine, reference in zip(Results._fields, ours, theirs, strict=True):
        assert len(mine) == len(reference), f"{what}: {field}"
        for i, (a, b) in enumerate(zip(mine, reference, strict=True)):
            assert_same(a, b, f"{what}: {field}[{i}]")


def outcome(fn: Callable[[], Any]) -> Any:
    """What a call returns, or the exception that it raises."""
    try:
        return fn()
    except Exception as error:
        return error


def assert_outcome(ours: Any, theirs: Any, what: str = "") -> None:
    """Both give the same tensors (or other values), or both raise the same type of exception."""
    if isinstance(theirs, NotImplementedError):  # "… not implemented for 'Bool'"
        assert isinstance(ours, RuntimeError), f"{what}: {ours!r}, not {theirs!r}"
    elif isinstance(theirs, Exception):
        assert type(ours) is type(theirs), f"{what}: {ours!r}, not {theirs!r}"
    elif isinstance(theirs, tuple | list) and any(hasattr(t, "detach") for t in theirs):
        assert isinstance(ours, tuple | list), f"{what}: {ours!r}, not {theirs!r}"
        assert len(ours) == len(theirs), f"{what}: {ours!r}, not {theirs!r}"
        for a, b in zip(ours, theirs, strict=True):
            assert_same(a, b, what)
    elif hasattr(theirs, "detach"):
        assert isinstance(ours, tg.Tensor), f"{what}: {ours!r}, not {theirs!r}"
        assert_same(ours, theirs, what)
    else:
        if isinstance(theirs, str):  # types are called float16 here and torch.float16 there
            theirs = theirs.replace("torch.", "").replace("torch.Size(", "(")
        assert (type(ours), ours) == (type(theirs), theirs), f"{what}: {ours!r}, not {theirs!r}"


# -- the table ---------------------------------------------------------------------------------


def _add(primitive: str, name: str, fn: Any, arrays: Any, ref: Any, **more: Any) -> None:
    arrays = tuple(np.asarray(a, np.float64) for a in arrays)
    CASES.setdefault(primitive, []).append(Case(primitive, name, fn, arrays, ref, **more))


def _signed(*shape: int) -> np.ndarray:
    """Values of both signs, 0.2 or more away from 0."""
    return np.asarray(_RNG.uniform(0.2, 2, shape) * _RNG.choice([-1, 1], shape))


def _positive(*shape: int) -> np.ndarray:
    return np.asarray(_RNG.uniform(0.5, 2, shape))


_UNARY = {  # how it is called, what NumPy says, where it is defined
    "tanh": (lambda lib, x: lib.tanh(x), np.tanh, _signed),
    "sigmoid": (lambda lib, x: lib.sigmoid(x), lambda x: 1 / (1 + np.exp(-x)), _signed),
    "relu": (lambda lib, x: lib.relu(x), lambda x: np.where(x > 0, x, 0), _signed),
    "neg": (lambda lib, x: -x, np.negative, _signed),
    "exp": (lambda lib, x: lib.exp(x), np.exp, _signed),
    "log": (lambda lib, x: lib.log(x), np.log, _positive),
}
for _name, (_fn, _ref, _draw) in _UNARY.items():
    for _shape in [(), (5,), (3, 4), (1, 3, 1), (0,), (2, 0, 3)]:
        _add(_name, str(_shape), _fn, [_draw(*_shape)], _ref)
    _add(_name, "of a transposed view", lambda lib, x, f=_fn: f(lib, x.T), [_draw(3, 2)],
         lambda x, r=_ref: r(x.T))  # fmt: skip
    _add(_name, "of every second", lambda lib, x, f=_fn: f(lib, x[:, ::2]), [_draw(2, 5)],
         lambda x, r=_ref: r(x[:, ::2]))  # fmt: skip

_BINARY = {
    "add": (lambda lib, a, b: a + b, np.add, _signed),
    "sub": (lambda lib, a, b: a - b, np.subtract, _signed),
    "mul": (lambda lib, a, b: a * b, np.multiply, _signed),
    "div": (lambda lib, a, b: a / b, np.true_divide, _positive),
    "pow": (lambda lib, a, b: a**b, np.power, _positive),
}
_PAIRS = [
    ((), ()), ((3,), (3,)), ((), (2, 3)), ((2, 3), ()), ((3, 1), (1, 4)), ((2, 1, 3), (3,)),
    ((3,), (2, 1, 3)), ((1,), (4,)), ((1, 1), (3,)), ((0, 3), (1, 3)), ((2, 1), (0,)),
]  # fmt: skip
for _name, (_fn, _ref, _draw) in _BINARY.items():
    for _one, _two in _PAIRS:
        _add(_name, f"{_one}, {_two}", _fn, [_draw(*_one), _draw(*_two)], _ref)
    _add(_name, "with itself", lambda lib, x, f=_fn: f(lib, x, x), [_draw(2, 3)],
         lambda x, r=_ref: r(x, x))  # fmt: skip
    _add(_name, "number on the right", lambda lib, x, f=_fn: f(lib, x, 2.5), [_positive(2, 3)],
         lambda x, r=_ref: r(x, 2.5))  # fmt: skip
    _add(_name, "number on the left", lambda lib, x, f=_fn: f(lib, 3, x), [_draw(3)],
         lambda x, r=_ref: r(3, x))  # fmt: skip
    _add(_name, "views", lambda lib, a, b, f=_fn: f(lib, a.T, b[1::2]), [_draw(2, 3), _draw(6, 2)],
         lambda a, b, r=_ref: r(a.T, b[1::2]))  # fmt: skip
_add("pow", "integer powers of negatives", lambda lib, x: x**3, [[-2.0, -0.5, 1.5]],
     lambda x: x**3)  # fmt: skip

for _one, _two in [
    ((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((1, 1), (1, 1)),
    ((3,), (2, 3, 4)), ((2, 4, 3), (3,)), ((2, 4, 3), (3, 2)), ((4, 3), (2, 3, 2)),
    ((2, 4, 3), (2, 3, 2)), ((2, 1, 4, 3), (3, 3, 2)), ((1, 4, 3), (2, 1, 3, 2)),
    ((3,), (2, 1, 3, 2)), ((2, 2, 4, 3), (3,)),
    ((0,), (0,)), ((2, 0), (0, 3)), ((0, 3), (3, 2)), ((2, 3), (3, 0)), ((2, 3, 0), (0, 4)),
    ((2, 0), (0,)), ((0,), (0, 2)), ((0, 2, 3), (3, 2)), ((0, 2, 3), (1, 3, 2)),
]:  # fmt: skip
    _add("matmul", f"{_one} @ {_two}", lambda lib, a, b: a @ b, [_signed(*_one), _signed(*_two)],
         np.matmul)  # fmt: skip
_add("matmul", "of transposed views", lambda lib, a, b: a.T @ b.T, [_signed(3, 2), _signed(4, 3)],
     lambda a, b: a.T @ b.T)  # fmt: skip
_add("matmul", "a matrix with itself", lambda lib, a: a @ a, [_signed(3, 3)], lambda a: a @ a)


def linear(lib: Any, x: Any, weight: Any, bias: Any = None) -> Any:
    """The affine map of either library."""
    return (lib if lib is tg else lib.nn.functional).linear(x, weight, bias)


def _linear_ref(x: Any, w: Any, b: Any) -> Any:
    return x @ w.T + b


for _one in [(3,), (2, 3), (1, 3), (4, 2, 3), (0, 3), (2, 0, 3)]:
    _add("linear", f"{_one}", linear, [_signed(*_one), _signed(4, 3), _signed(4)], _linear_ref)
_add("linear", "no features", linear, [_signed(2, 2, 0), _signed(4, 0), _signed(4)], _linear_ref)

for _name, _ref in [("sum", np.sum), ("mean", np.mean)]:
    for _shape, _dim, _keep in [
        ((), None, False), ((), 0, True), ((4,), 0, False), ((4,), -1, True),
        ((2, 3), None, False), ((2, 3), 0, False), ((2, 3), -1, True), ((2, 3, 4), (0, 2), False),
        ((2, 3, 4), (-1, 0), True), ((1, 3, 1), 0, False), ((0, 3), 1, False), ((2, 0), 0, True),
    ]:  # fmt: skip
        _axis = None if not _shape else _dim
        _add(_name, f"{_shape}, dim={_dim}, keepdim={_keep}",
             lambda lib, x, n=_name, d=_dim, k=_keep:
                getattr(lib, n)(x) if d is None else getattr(lib, n)(x, dim=d, keepdim=k),
             [_signed(*_shape)],
             lambda x, r=_ref, d=_axis, k=_keep: r(x, axis=d, keepdims=k))  # fmt: skip
    _add(_name, "of a transposed view", lambda lib, x, n=_name: getattr(lib, n)(x.T, 0),
         [_signed(2, 3)], lambda x, r=_ref: r(x.T, 0))  # fmt: skip

for _one, _two in [
    ((), (1, 1)), ((1,), ()), ((6,), (2, 3)), ((2, 3), (3, -1)), ((2, 3), (-1,)), ((0,), (2, 0)),
    ((1, 6), (3, 1, 2)),
]:  # fmt: skip
    _add("reshape", f"{_one} → {_two}", lambda lib, x, s=_two: lib.reshape(x, s), [_signed(*_one)],
         lambda x, s=_two: x.reshape(s))  # fmt: skip
_add("reshape", "of a transposed view", lambda lib, x: x.T.reshape(-1), [_signed(2, 3)],
     lambda x: x.T.reshape(-1))  # fmt: skip
_add("reshape", "squeeze", lambda lib, x: x.squeeze(-1), [_signed(2, 1)], lambda x: x[:, 0])
_add("reshape", "unsqueeze", lambda lib, x: x.unsqueeze(-2), [_signed(2, 3)], lambda x: x[:, None])

for _shape, _dims in [
    ((), ()), ((3,), (0,)), ((2, 3), (1, 0)), ((2, 3, 4), (2, 0, 1)), ((2, 1, 3), (-1, 0, -2)),
    ((0, 2), (1, 0)),
]:  # fmt: skip
    _add("permute", f"{_shape} to {_dims}", lambda lib, x, d=_dims: lib.permute(x, d),
         [_signed(*_shape)], lambda x, d=_dims: np.transpose(x, d))  # fmt: skip
_add("permute", "transpose", lambda lib, x: lib.transpose(x, 0, -1), [_signed(2, 3, 4)],
     lambda x: x.swapaxes(0, -1))  # fmt: skip

for _one, _two in [
    ((), (3,)), ((1,), (4,)), ((3,), (2, 3)), ((2, 1, 3), (2, 4, 3)), ((1, 1), (2, 3)),
    ((1, 3), (0, 3)), ((2, 3), (2, 3)),
]:  # fmt: skip
    _add("expand", f"{_one} → {_two}", lambda lib, x, s=_two: x.expand(s), [_signed(*_one)],
         lambda x, s=_two: np.broadcast_to(x, s))  # fmt: skip
_add("expand", "−1 keeps a size", lambda lib, x: x.expand(2, -1, 4), [_signed(3, 1)],
     lambda x: np.broadcast_to(x, (2, 3, 4)))  # fmt: skip

for _dim, _shapes in [
    (0, [(2,), (3,)]), (1, [(2, 1), (2, 3)]), (-2, [(1, 2), (3, 2), (2, 2)]), (0, [(2, 2)]),
    (0, [(2, 3), (0, 3)]), (0, [(0,), (0,)]), (1, [(2, 2, 3), (2, 1, 3)]),
]:  # fmt: skip
    _add("cat", f"{_shapes}, dim={_dim}", lambda lib, *xs, d=_dim: lib.cat(xs, d),
         [_signed(*s) for s in _shapes], lambda *xs, d=_dim: np.concatenate(xs, d))  # fmt: skip
_add("cat", "a tensor with itself", lambda lib, x: lib.cat([x, x.T], -1), [_signed(2, 2)],
     lambda x: np.concatenate([x, x.T], -1))  # fmt: skip

for _dim, _shape in [(0, ()), (0, (3,)), (1, (2, 3)), (-1, (2, 3)), (-3, (2, 3)), (0, (0,))]:
    _add("stack", f"{_shape}, dim={_dim}", lambda lib, *xs, d=_dim: lib.stack(xs, d),
         [_signed(*_shape) for _ in range(2)], lambda *xs, d=_dim: np.stack(xs, d))  # fmt: skip
_add("stack", "a tensor with itself", lambda lib, x: lib.stack([x, x, x]), [_signed(2)],
     lambda x: np.stack([x, x, x]))  # fmt: skip

INDICES: dict[str, tuple[tuple[int, ...], Any]] = {
    "integer": ((3, 2), 1),
    "negative integer": ((3, 2), -1),
    "integer of a vector": ((4,), 2),
    "two integers": ((3, 2), (0, 1)),
    "slice": ((5,), slice(1, 4)),
    "slice with a step": ((5, 2), slice(None, None, 2)),
    "empty slice": ((3,), slice(2, 1)),
    "ellipsis": ((2, 3, 2), (..., 1)),
    "new axes": ((2, 3), (None, 1, None)),
    "nothing": ((2, 3), ()),
    "new axis of a 0-d tensor": ((), None),
    "mask": ((2, 3), np.array([[True, False, True], [False, True, False]])),
    "mask of one axis": ((3, 2), np.array([True, False, True])),
    "mask that selects nothing": ((3, 2), np.zeros(3, bool)),
    "integers, repeated": ((4,), np.array([1, 1, 3, -1])),
    "matrix of integers": ((4, 2), np.array([[0, 1], [1, 1]])),
    "pairs of integers": ((3, 3), (np.array([0, 0, 2]), np.array([1, 1, 2]))),
    "integers apart": ((3, 2, 3), (np.array([0, 2]), slice(None), np.array([1, 1]))),
    "integers beside a slice": ((2, 4), (slice(None), np.array([3, 0, 3]))),
    "integers and a new axis": ((3, 2), (np.array([2, 2]), None)),
    "no integers": ((3, 2), np.zeros(0, np.int64)),
}


def as_index(lib: Any, index: Any) -> Any:
    """An index with its arrays as tensors of ``lib``."""
    if isinstance(index, tuple):
        return tuple(as_index(lib, i) for i in index)
    return lib.from_numpy(index) if isinstance(index, np.ndarray) else index


def _placed(lib: Any, *gs: Any, parts: Callable[[Any], Any], shape: tuple[int, ...]) -> Any:
    """The gradient that ``parts(zeros)`` receives, as a function of its cotangents ``gs``."""
    with lib.enable_grad():
        x = lib.zeros(shape, dtype=gs[0].dtype, requires_grad=True)
        return lib.autograd.grad(sequence(parts(x)), x, gs, create_graph=True)[0]


def _placed_ref(*gs: Any, index: Any, shape: tuple[int, ...]) -> Any:
    total = np.zeros(shape)
    for g, i in zip(gs, index, strict=True):
        np.add.at(total, i, g)
    return total


for _name, (_shape, _index) in INDICES.items():
    _picks = any(
        isinstance(i, np.ndarray) for i in (_index if isinstance(_index, tuple) else [_index])
    )
    _read, _put = ("take", "add_at") if _picks else ("getitem", "add_slices")
    _add(_read, _name, lambda lib, x, i=_index: x[as_index(lib, i)], [_signed(*_shape)],
         lambda x, i=_index: x[i])  # fmt: skip
    _add(_put, _name,
         lambda lib, g, i=_index, s=_shape:
            _placed(lib, g, parts=lambda x: x[as_index(lib, i)], shape=s),
         [_signed(*np.empty(_shape)[_index].shape)],
         lambda g, i=_index, s=_shape: _placed_ref(g, index=[i], shape=s))  # fmt: skip
_add("getitem", "unbind", lambda lib, x: lib.unbind(x, -1), [_signed(2, 3)],
     lambda x: [x[:, i] for i in range(3)])  # fmt: skip
_add("add_slices", "overlapping slices",
     lambda lib, *gs: _placed(lib, *gs, parts=lambda x: [x[0], x[:2], x[1:]], shape=(3, 2)),
     [_signed(2), _signed(2, 2), _signed(2, 2)],
     lambda *gs: _placed_ref(*gs, index=[0, slice(2), slice(1, None)], shape=(3, 2)))  # fmt: skip
_add("add_at", "overlapping parts of both kinds",
     lambda lib, *gs: _placed(lib, *gs, parts=lambda x: [x[0], x[1:], x[[2, 2]]], shape=(3, 2)),
     [_signed(2), _signed(2, 2), _signed(2, 2)],
     lambda *gs: _placed_ref(*gs, index=[0, slice(1, None), [2, 2]], shape=(3, 2)))  # fmt: skip

for _shape, _chunks, _dim in [((4,), 2, 0), ((5, 2), 3, 0), ((2, 6), 4, -1), ((2, 3), 9, 1),
                              ((3, 0), 2, 1), ((1,), 1, 0)]:  # fmt: skip
    _n = -(-_shape[_dim] // _chunks) or 1
    _cuts = list(range(_n, _shape[_dim], _n))
    _count = len(_cuts) + 1 if _shape[_dim] else _chunks
    _add("narrow", f"chunk({_shape}, {_chunks}, {_dim})",
         lambda lib, x, c=_chunks, d=_dim: lib.chunk(x, c, d), [_signed(*_shape)],
         lambda x, c=_cuts, n=_count, d=_dim:
            np.split(x, c, d) if x.size else [x] * n)  # fmt: skip
_add("add_spans", "chunks",
     lambda lib, *gs: _placed(lib, *gs, parts=lambda x: lib.chunk(x, 2, -1), shape=(2, 3)),
     [_signed(2, 2), _signed(2, 1)],
     lambda a, b: np.concatenate([a, b], 1))  # fmt: skip
_add("add_spans", "overlapping chunks",
     lambda lib, *gs: _placed(
         lib, *gs, parts=lambda x: [*lib.chunk(x, 2), *lib.chunk(x, 4, -1)[1:2]], shape=(2, 4)),
     [_signed(1, 4), _signed(1, 4), _signed(2, 1)],
     lambda a, b, c: np.concatenate([a, b]) + np.pad(c, ((0, 0), (1, 2))))  # fmt: skip

# linear, so exact with large steps at such numbers: differences of float32 are mostly rounding
_EXACT = {"eps": 0.25}
_add("cast", "to float32", lambda lib, x: x.to(lib.float32), [[-1.5, 0.25]], lambda x: x, **_EXACT)
_add("cast", "there and back", lambda lib, x: x.to(lib.float32).to(lib.float64), [0.75],
     lambda x: x, **_EXACT)  # fmt: skip
_add("cast", "in a product", lambda lib, x: x.to(lib.float32) * x, [[[0.5, -2.0]]],
     lambda x: x * x, **_EXACT)  # fmt: skip
_add("cast", "empty", lambda lib, x: x.to(lib.float32), [np.zeros((0, 2))], lambda x: x, **_EXACT)

for _shape in [(), (3,), (2, 0)]:
    _add("clone", str(_shape), lambda lib, x: x.clone() * x, [_signed(*_shape)], lambda x: x * x)
_add("clone", "negative zero", lambda lib, x: x.clone(), [[-0.0, 1.0]], lambda x: x)

_TRUTH = np.array([[True], [False]])
for _a, _b in [((), ()), ((2, 3), (3,)), ((2, 1), (1, 3)), ((2, 0), ())]:
    _add("where", f"{_a}, {_b}",
         lambda lib, a, b: lib.where(lib.tensor(_TRUTH), a, b), [_signed(*_a), _signed(*_b)],
         lambda a, b: np.where(_TRUTH, a, b))  # fmt: skip
_add("where", "a number", lambda lib, a: lib.where(a > 0, a, 0.0), [_signed(5)],
     lambda a: np.where(a > 0, a, 0.0))  # fmt: skip
