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


def received(lib: Any, at: np.ndarray, fn: Callable[[Any], Any], *gs: Any) -> Any:
    """What ``x`` receives, equal to ``at``, when the outputs of ``fn(x)`` receive ``gs``."""
    with lib.enable_grad():
        x = lib.from_numpy(at.copy()).to(gs[0].dtype).requires_grad_()
        return lib.autograd.grad(sequence(fn(x)), x, gs, create_graph=True)[0]


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


# -- adding to the table -------------------------------------------------------------------------


def add_case(primitive: str, name: str, fn: Any, arrays: Any, ref: Any, **more: Any) -> None:
    arrays = tuple(np.asarray(a, np.float64) for a in arrays)
    CASES.setdefault(primitive, []).append(Case(primitive, name, fn, arrays, ref, **more))


def signed(*shape: int) -> np.ndarray:
    """Values of both signs, 0.2 or more away from 0."""
    return np.asarray(_RNG.uniform(0.2, 2, shape) * _RNG.choice([-1, 1], shape))


def positive(*shape: int) -> np.ndarray:
    return np.asarray(_RNG.uniform(0.5, 2, shape))
