"""The table of cases, and what its families are written with.

``CASES[primitive]`` lists calls such as ``fn(lib, x)``: code that means the same with ``lib`` the
package or PyTorch, inputs (float64, away from kinks) and the forward in NumPy.  Whoever adds a
primitive adds its cases here; `check`, and the tests, compare forward, gradients and second
gradients on all of them with NumPy, central differences and PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_rnn.engine.primitive import Primitive

Array = np.ndarray[Any, Any]
CATEGORIES = ("forward", "gradcheck", "gradgradcheck", "torch")


@dataclass(frozen=True)
class Case:
    """One call of one primitive: ``fn(lib, *tensors)``, its inputs, and the same in NumPy."""

    primitive: str
    name: str
    fn: Callable[..., Any]
    arrays: tuple[Array, ...]
    ref: Callable[..., Any]
    eps: float = 1e-6  # of the central differences
    categories: tuple[str, ...] = CATEGORIES

    def __str__(self) -> str:
        return f"{self.primitive}: {self.name}"


CASES: dict[str, list[Case]] = {}
_RNG = np.random.default_rng(4)


def add_case(of: Any, name: str, fn: Any, arrays: Any, ref: Any, **more: Any) -> None:
    """Add a case of an operation, or of the primitive of that name, to the table."""
    primitive = of if isinstance(of, str) else name_of(getattr(of, "primitive", of))
    arrays = tuple(np.asarray(a, np.float64) for a in arrays)
    CASES.setdefault(primitive, []).append(Case(primitive, name, fn, arrays, ref, **more))


def name_of(operation: Any) -> str:
    """The name of a primitive, or of the function that users call."""
    return str(operation.name if isinstance(operation, Primitive) else operation.__name__)


def plain(operation: Any) -> Callable[..., Any]:
    """A call of an operation that both libraries know under its name."""
    return lambda lib, *xs: getattr(lib, operation.__name__)(*xs)


def signed(*shape: int) -> Array:
    """Values of both signs, 0.2 or more away from 0."""
    return np.asarray(_RNG.uniform(0.2, 2, shape) * _RNG.choice([-1, 1], shape))


def positive(*shape: int) -> Array:
    """Values from 0.5 to 2."""
    return np.asarray(_RNG.uniform(0.5, 2, shape))


def sequence(x: Any) -> list[Any]:
    """A list of one or several results."""
    return list(x) if isinstance(x, tuple | list) else [x]


def received(lib: Any, at: Array, fn: Callable[[Any], Any], *gs: Any) -> Any:
    """What ``x`` receives, equal to ``at``, when the outputs of ``fn(x)`` receive ``gs``."""
    with lib.enable_grad():
        x = lib.from_numpy(at.copy()).to(gs[0].dtype).requires_grad_()
        return lib.autograd.grad(sequence(fn(x)), x, gs, create_graph=True)[0]
