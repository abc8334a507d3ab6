"""The same gradients three ways: this engine, differences (central and complex), PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_rnn import autograd
from tinygrad_rnn.autograd.contexts import keep_values
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.creation import tensor
from tinygrad_rnn.testing.complex_step import complex_step, obstacle
from tinygrad_rnn.testing.pytorch import installed_torch
from tinygrad_rnn.testing.runs import OURS, expect_function, repeatable
from tinygrad_rnn.writing.text import Report, clean

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Comparison:
    """One input's gradient: how far differences and PyTorch lie from the engine.

    Errors are relative: the largest difference of two entries, divided by the largest entry.
    ``None`` where there was nothing to compare with.
    """

    name: str
    gradient: Array
    differences_error: float
    torch_error: float | None
    complex_error: float | None


@dataclass(frozen=True, repr=False)
class ThreeWay(Report):
    """The result of `three_way`; prints as a table.

    ``obstacle`` is the operation for which there is no complex step, or empty.
    """

    comparisons: tuple[Comparison, ...]
    differences_tolerance: float
    torch_tolerance: float
    obstacle: str = ""

    numeric = (2, 3, 4)

    @property
    def ok(self) -> bool:
        """Whether every gradient agrees (comparisons with NaN do not)."""
        return all(
            c.differences_error <= self.differences_tolerance
            and all(
                error is None or error <= self.torch_tolerance
                for error in (c.torch_error, c.complex_error)
            )
            for c in self.comparisons
        )

    @property
    def worst_differences_error(self) -> float:
        """The largest relative error against central differences."""
        return float(np.max([c.differences_error for c in self.comparisons]))

    @property
    def worst_torch_error(self) -> float | None:
        """The largest relative error against PyTorch (``None`` without it)."""
        errors = [c.torch_error for c in self.comparisons if c.torch_error is not None]
        return float(np.max(errors)) if errors else None

    @property
    def worst_complex_error(self) -> float | None:
        """The largest relative error against complex steps (``None`` without them)."""
        errors = [c.complex_error for c in self.comparisons if c.complex_error is not None]
        return float(np.max(errors)) if errors else None

    def rows(self) -> list[list[str]]:
        """The table's rows of cells, its header first."""
        columns = ["vs central differences", "vs complex step", "vs PyTorch"]
        rows = [["gradient of", "shape", *columns]]
        for c in self.comparisons:
            cells = [
                f"{c.differences_error:.1e}",
                f"none for {self.obstacle}"
                if c.complex_error is None
                else f"{c.complex_error:.1e}",
                "not installed" if c.torch_error is None else f"{c.torch_error:.1e}",
            ]
            rows.append([clean(c.name), str(c.gradient.shape), *cells])
        return rows


def three_way(
    fn: Callable[..., Any],
    inputs: Mapping[str, Array],
    *,
    differences_tolerance: float = 1e-6,
    torch_tolerance: float = 1e-10,
) -> ThreeWay:
    """Compare the gradients of a function by the engine, by differences and by PyTorch.

    Where every operation can be computed with complex numbers, complex steps (see `complex_step`)
    are compared as well: exact to the last digits, where central differences lose half of them.

    Parameters
    ----------
    fn : callable
        ``fn(lib, *tensors)`` computes a tensor with one element with the functions of ``lib``,
        which is this package or torch. Its random draws, as of dropout, are the same each time.
    inputs : mapping from names to float64 arrays
        All of them are differentiated.
    differences_tolerance, torch_tolerance : float
        The largest relative errors that count as agreement with central differences, and with
        PyTorch and complex steps.

    Returns
    -------
    ThreeWay
        PyTorch's errors are ``None`` where torch is not installed, those of complex steps where
        an operation, its ``obstacle``, has none.

    Raises
    ------
    TypeError
        If an input is not float64: differences of float32 are mostly rounding; if there is none.
    ValueError
        If the function returns anything but one number that depends on an input.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_rnn.testing import three_way
    >>> result = three_way(lambda lib, x: lib.tanh(x).sum(), {"x": np.array([0.5, -1.0])})
    >>> result.ok
    True
    """
    expect_function(fn, "three_way")
    if not isinstance(inputs, Mapping) or not inputs:
        raise TypeError(
            f"three_way: inputs must be a dict from names to arrays, got {inputs!r:.80}"
        )
    arrays = {str(name): np.array(array) for name, array in inputs.items()}
    for name, array in arrays.items():
        if array.dtype != np.float64:
            raise TypeError(f"three_way: input {name!r} must be float64, got {array.dtype}")
    seeded = repeatable(fn)
    tensors = [tensor(array, requires_grad=True) for array in arrays.values()]
    with keep_values():
        output = seeded(OURS, *tensors)
    if not isinstance(output, Tensor) or output.numel() != 1:
        got = (
            f"a tensor of shape {output.array.shape}"
            if isinstance(output, Tensor)
            else repr(output)
        )
        raise ValueError(
            f"three_way: the function must return a single number, such as a sum, got {got:.80}"
        )
    if not output.requires_grad:
        raise ValueError("three_way: what the function returns does not depend on any input")
    analytical, numerical = autograd.jacobians(lambda *xs: seeded(OURS, *xs), tensors)
    barred = obstacle(output)
    steps = [] if barred else complex_step(output, tensors)
    theirs = _torch_gradients(seeded, list(arrays.values()))
    comparisons = []
    for i, (name, array) in enumerate(arrays.items()):
        ours = analytical[0][i].reshape(array.shape)
        comparisons.append(
            Comparison(
                name,
                ours,
                relative_error(ours, numerical[0][i].reshape(array.shape)),
                relative_error(ours, theirs[i]) if theirs is not None else None,
                relative_error(ours, steps[i]) if steps else None,
            )
        )
    return ThreeWay(tuple(comparisons), differences_tolerance, torch_tolerance, barred)


def _torch_gradients(fn: Callable[..., Any], arrays: list[Array]) -> list[Array] | None:
    """The gradients by PyTorch, or ``None`` where it is not installed."""
    torch = installed_torch()
    if torch is None:
        return None
    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    fn(torch, *tensors).backward()
    return [
        np.zeros(array.shape) if tensor.grad is None else tensor.grad.numpy()
        for array, tensor in zip(arrays, tensors, strict=True)
    ]


def relative_error(a: Array, b: Array) -> float:
    """The largest |a − b| over the largest |b|; just the former where b is 0."""
    if a.size == 0:
        return 0.0
    scale = float(np.max(np.abs(b)))
    return float(np.max(np.abs(a - b))) / (scale or 1.0)
