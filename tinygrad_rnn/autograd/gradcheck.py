"""Checking gradients against central differences: (f(x + ε) − f(x − ε)) / 2ε."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_rnn.autograd.walks import grad, sequence
from tinygrad_rnn.modes import enable_grad, no_grad
from tinygrad_rnn.tensor import Tensor, wrap

Array = np.ndarray[Any, Any]
Inputs = Tensor | Sequence[Any]


class GradcheckError(RuntimeError):
    """A gradient differs from central differences."""


def jacobians(
    fn: Callable[..., Any], inputs: Inputs, *, eps: float = 1e-6
) -> tuple[list[list[Array]], list[list[Array]]]:
    """∂outputs/∂inputs of a function, by backward walks and by central differences.

    Parameters
    ----------
    fn : callable
        Takes the inputs; returns a tensor or a sequence of tensors.
    inputs : Tensor or sequence
        Those that require grad are differentiated; they are changed by ``eps`` and restored.
    eps : float
        The step of the differences.

    Returns
    -------
    analytical, numerical : lists of lists of arrays
        ``[output][input]``, each of shape (output.numel(), input.numel()).
    """
    xs = sequence(inputs)
    variables = [x for x in xs if isinstance(x, Tensor) and x.requires_grad]
    numerical = _numerical(fn, xs, variables, eps)
    analytical = []
    for output in sequence(fn(*xs)):
        rows: list[list[Array]] = []
        for i in range(output.numel()):
            unit = np.zeros(output.shape, output.dtype)
            unit.flat[i] = 1
            row = (
                grad(output, variables, wrap(unit, None), retain_graph=True, materialize_grads=True)
                if output.requires_grad
                else [wrap(np.zeros(v.shape, v.dtype), None) for v in variables]
            )
            rows.append([g.array.ravel() for g in row if g is not None])
        analytical.append(
            [
                np.array([row[j] for row in rows]).reshape(output.numel(), v.numel())
                for j, v in enumerate(variables)
            ]
        )
    return analytical, numerical


def _numerical(
    fn: Callable[..., Any], xs: list[Any], variables: list[Tensor], eps: float
) -> list[list[Array]]:
    with no_grad():
        sizes = [output.numel() for output in sequence(fn(*xs))]
        result = [[np.zeros((size, v.numel())) for v in variables] for size in sizes]
        for j, variable in enumerate(variables):
            for i in range(variable.numel()):
                for k, slope in enumerate(_slopes(fn, xs, variable.array, i, eps)):
                    result[k][j][:, i] = slope
    return result


def _slopes(fn: Callable[..., Any], xs: list[Any], array: Array, i: int, eps: float) -> list[Array]:
    """The central differences of all outputs with respect to one element."""
    kept = array.flat[i]
    try:
        array.flat[i] = kept + eps
        above = [y.array.ravel().copy() for y in sequence(fn(*xs))]
        array.flat[i] = kept - eps
        below = [y.array.ravel().copy() for y in sequence(fn(*xs))]
    finally:
        array.flat[i] = kept
    return [(a - b) / (2 * eps) for a, b in zip(above, below, strict=True)]


def gradcheck(
    fn: Callable[..., Any],
    inputs: Inputs,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Whether the backward walk of ``fn`` agrees with central differences.

    Parameters
    ----------
    fn : callable
        Takes the inputs; returns a tensor or a sequence of tensors.
    inputs : Tensor or sequence
        float64 for those that require grad: differences of float32 are mostly rounding.
    eps, atol, rtol : float
        Step of the differences, and how far the two may lie apart.
    raise_exception : bool
        Raise, naming the first wrong entry, instead of returning ``False``.

    Raises
    ------
    GradcheckError
        If they disagree.
    ValueError
        If no input requires grad, or one that does is not float64.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([0.5, -1.0], dtype="float64", requires_grad=True)
    >>> tg.autograd.gradcheck(tg.tanh, x)
    True
    """
    variables = [x for x in sequence(inputs) if isinstance(x, Tensor) and x.requires_grad]
    if not variables:
        raise ValueError("gradcheck: none of the inputs requires grad")
    if any(x.dtype != np.float64 for x in variables):
        raise ValueError("gradcheck: inputs that require grad must be float64")
    analytical, numerical = jacobians(fn, inputs, eps=eps)
    for o, (row_a, row_n) in enumerate(zip(analytical, numerical, strict=True)):
        for i, (a, n) in enumerate(zip(row_a, row_n, strict=True)):
            wrong = np.argwhere(~np.isclose(a, n, atol=atol, rtol=rtol, equal_nan=True))
            if len(wrong) and not raise_exception:
                return False
            if len(wrong):
                at = tuple(int(k) for k in wrong[0])
                raise GradcheckError(
                    f"gradcheck: output {o}, input {i}: entry {at} of the Jacobian is {a[at]:.8g} "
                    f"by the backward walk and {n[at]:.8g} by central differences ({len(wrong)} of "
                    f"{a.size} entries differ)"
                )
    return True


def gradgradcheck(fn: Callable[..., Any], inputs: Inputs, **tolerances: Any) -> bool:
    """Whether the second derivatives of ``fn`` agree with central differences of the first.

    The arguments are those of `gradcheck`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([0.5, -1.0], dtype="float64", requires_grad=True)
    >>> tg.autograd.gradgradcheck(tg.sigmoid, x)
    True
    """
    xs = sequence(inputs)
    indices = [i for i, x in enumerate(xs) if isinstance(x, Tensor) and x.requires_grad]
    rng = np.random.default_rng(0)
    with no_grad():
        outputs = sequence(fn(*xs))
    cotangents = [Tensor(rng.standard_normal(y.shape), requires_grad=True) for y in outputs]

    def first(*arguments: Any) -> tuple[Any, ...]:
        given, upstream = arguments[: len(xs)], arguments[len(xs) :]
        ys = sequence(fn(*given))
        variables = [given[i] for i in indices]
        with_grad = [(y, v) for y, v in zip(ys, upstream, strict=True) if y.requires_grad]
        # central differences call this inside no_grad, where nothing can be differentiated
        return grad(
            [y for y, _ in with_grad],
            variables,
            [v for _, v in with_grad],
            create_graph=True,
            materialize_grads=True,
        )

    return gradcheck(enable_grad()(first), [*xs, *cotangents], **tolerances)
