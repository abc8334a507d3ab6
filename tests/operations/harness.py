"""Calls of every public operation, to be made in both libraries and compared.

``OPERATIONS[name]`` lists calls ``fn(lib, *tensors)``: code that means the same with ``lib`` the
package or PyTorch. Floating-point arrays become leaves that require grad, others constants. A
call may also be one that both must refuse. `test_operations` compares outputs (kind, shape,
dtype, values, whether they require grad), gradients, and the type of exceptions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from cases import assert_outcome, assert_same, leaf, outcome

Fn = Callable[..., Any]


@dataclass(frozen=True)
class Call:
    """One call of one operation."""

    operation: str
    label: str
    fn: Fn
    arrays: tuple[np.ndarray, ...]
    tolerance: float | None = None  # where rounding accumulates; else by dtype

    def __str__(self) -> str:
        return f"{self.operation}: {self.label}"


OPERATIONS: dict[str, list[Call]] = {}
_RNG = np.random.default_rng(11)


def call(operation: str, label: str, fn: Fn, *arrays: Any, tolerance: float | None = None) -> None:
    """Add a call to the table; numbers and lists become float32 or int64 arrays."""
    made = tuple(_array(a) for a in arrays)
    OPERATIONS.setdefault(operation, []).append(Call(operation, label, fn, made, tolerance))


def _array(a: Any) -> np.ndarray:
    if isinstance(a, np.ndarray):
        return a
    array = np.asarray(a)
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def draw(*shape: int, dtype: Any = np.float32, low: float = -2, high: float = 2) -> np.ndarray:
    """Random numbers of a shape and type."""
    if np.dtype(dtype).kind == "b":
        return np.asarray(_RNG.random(shape) < 0.5)
    if np.dtype(dtype).kind in "iu":
        low = max(low, 0) if np.dtype(dtype).kind == "u" else low
        return np.asarray(_RNG.integers(int(low), int(high) + 1, shape)).astype(dtype)
    return np.asarray(_RNG.uniform(low, high, shape)).astype(dtype)


INF, NAN = float("inf"), float("nan")
EXTREMES = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 1e4, -1e4, 1e30, -1e30, 1e-40, INF, -INF, NAN]
SHAPES: list[tuple[int, ...]] = [(), (1,), (4,), (2, 3), (3, 1, 2), (0,), (2, 0, 3)]
DTYPES = ["float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]


def compare(fn: Fn, arrays: Iterable[np.ndarray], torch: Any, what: str, tolerance: Any) -> None:
    """Make a call in both libraries; outputs, gradients and exceptions must agree."""
    import tinygrad_rnn as tg

    answers, inputs = [], []
    for lib in (tg, torch):
        xs = [leaf(lib, a) if a.dtype.kind == "f" else lib.from_numpy(a.copy()) for a in arrays]
        with np.errstate(all="ignore"):
            answers.append(outcome(lambda lib=lib, xs=xs: fn(lib, *xs)))
        inputs.append(xs)
    ours, theirs = answers
    if isinstance(theirs, Exception) or not tensors(theirs):
        assert_outcome(_plain(ours), _plain(theirs), what)
        return
    if isinstance(ours, Exception):
        raise AssertionError(f"{what}: refused, but PyTorch computes it") from ours
    mine, reference = tensors(ours), tensors(theirs)
    assert len(mine) == len(reference), f"{what}: {ours!r}, not {theirs!r}"
    for a, b in zip(mine, reference, strict=True):
        assert_same(a, b, what, tolerance)
        assert a.requires_grad == b.requires_grad, f"{what}: requires_grad is {a.requires_grad}"
    grads = [
        outcome(lambda given=given: gradients(*given))
        for given in zip((tg, torch), answers, inputs, strict=True)
    ]
    if any(isinstance(g, Exception) for g in grads):  # both must refuse
        assert_outcome(*grads, f"{what}: gradients")
        return
    for i, (a, b) in enumerate(zip(*grads, strict=True)):
        assert_same(a, b, f"{what}: gradient of input {i}", tolerance)


def gradients(lib: Any, answer: Any, inputs: list[Any]) -> list[Any]:
    """What the inputs that require grad receive from all outputs that do."""
    rng = np.random.default_rng(5)
    ends, cotangents = [], []
    for y in tensors(answer):
        if y.requires_grad:
            array = y.detach().numpy()
            ends.append(y)
            draws = np.asarray(rng.uniform(0.5, 1.5, array.shape)).astype(array.dtype)
            cotangents.append(lib.from_numpy(draws))
    wanted = [x for x in inputs if x.requires_grad]
    if not ends or not wanted:
        return []
    return list(lib.autograd.grad(ends, wanted, cotangents, allow_unused=True))


def tensors(answer: Any) -> list[Any]:
    if isinstance(answer, tuple | list):
        return [t for part in answer for t in tensors(part)]
    return [answer] if hasattr(answer, "detach") else []


def _plain(answer: Any) -> Any:
    """Lists for tuples: whether there are no tensors in a list or in a tuple is all the same."""
    return list(answer) if isinstance(answer, tuple) else answer
