"""The table of cases, and the comparison of two libraries on them and on anything else.

The table itself is `tinygrad_rnn.testing.cases`; `test_primitives` runs all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.testing.cases import CASES, CATEGORIES, Case
from tinygrad_rnn.testing.cases.table import sequence

REGISTRY = dict(Primitive.registry)  # the package's own: before any test registers another


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


# How near PyTorch's numbers between two limits are: of a product and a sum, it rounds once where
# the processor can, as this package does everywhere, and twice on an old one.
ROUNDING = {"float64": 1e-15, "float32": 5e-7, "float16": 1e-3}
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
    elif type(ours) is type(theirs) is float:
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, err_msg=what)
    else:
        assert (type(ours), ours) == (type(theirs), theirs), f"{what}: {ours!r}, not {theirs!r}"
