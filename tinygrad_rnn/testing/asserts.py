"""Assertions for users' own tests: plain functions, for any test runner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from tinygrad_rnn.autograd import GradcheckError, gradcheck, gradgradcheck
from tinygrad_rnn.autograd.contexts import keep_values
from tinygrad_rnn.tensor import Tensor, sequence, wrap
from tinygrad_rnn.testing.crosscheck import crosscheck
from tinygrad_rnn.testing.divergence import search
from tinygrad_rnn.testing.pairs import Tolerance
from tinygrad_rnn.testing.runs import OURS, expect_function, repeatable, run


def assert_matches_torch(
    fn: Callable[..., Any],
    *inputs: Any,
    modules: Sequence[Any] = (),
    second_order: bool = False,
    rtol: float | None = None,
    atol: float | None = None,
    own_scale: bool = False,
    seed: int = 0,
) -> None:
    """Fail unless a function gives the same outputs and gradients with PyTorch.

    Parameters
    ----------
    fn, inputs, modules, second_order, rtol, atol, own_scale, seed
        As in `crosscheck`, which also says what is raised besides.

    Raises
    ------
    AssertionError
        With the whole report: what differs, and the operation at which the two part.

    Examples
    --------
    >>> torch = __import__("pytest").importorskip("torch")
    >>> import numpy as np
    >>> import tinygrad_rnn as tg
    >>> tg.testing.assert_matches_torch(lambda lib, x: lib.softmax(x, -1), np.ones((2, 3)))
    """
    __tracebackhide__ = True
    found = crosscheck(
        fn, *inputs, modules=modules, second_order=second_order,
        rtol=rtol, atol=atol, own_scale=own_scale, seed=seed,
    )  # fmt: skip
    if not found.ok:
        raise AssertionError(str(found))


def assert_gradients(
    fn: Callable[..., Any],
    *inputs: Any,
    second_order: bool = False,
    eps: float = 1e-6,
    rtol: float = 1e-3,
    atol: float = 1e-5,
) -> None:
    """Fail unless the gradients of a function are what central differences say.

    PyTorch is not needed.

    Parameters
    ----------
    fn : callable
        ``fn(*inputs)`` returns a tensor or a sequence of tensors. Its random draws, as of dropout,
        are the same each time.
    *inputs : float64 arrays, or Tensors
        Arrays, and Tensors that require grad, are differentiated; anything else is handed on.
    second_order : bool
        Check second derivatives, too.
    eps, rtol, atol : float
        The step of the differences, and how far entries may lie apart.

    Raises
    ------
    AssertionError
        Naming the first wrong entry, and the operation whose rule is wrong by itself.
    TypeError
        If what is to be differentiated is not float64: differences are mostly rounding then.
    ValueError
        If nothing is to be differentiated.

    Examples
    --------
    >>> import numpy as np
    >>> import tinygrad_rnn as tg
    >>> tg.testing.assert_gradients(lambda x, w: tg.tanh(x @ w), np.ones((1, 2)), np.eye(2))
    """
    __tracebackhide__ = True
    expect_function(fn, "assert_gradients")
    tensors = [_differentiable(i, x) for i, x in enumerate(inputs)]
    if not any(isinstance(x, Tensor) and x.requires_grad for x in tensors):
        raise ValueError(
            "assert_gradients: nothing to differentiate; give float64 arrays, or Tensors that "
            "require grad"
        )
    same_draws = partial(repeatable(lambda lib, *xs: fn(*xs)), OURS)
    try:
        gradcheck(same_draws, tensors, eps=eps, rtol=rtol, atol=atol)
        if second_order:
            gradgradcheck(same_draws, tensors, eps=eps, rtol=rtol, atol=atol)
    except GradcheckError as error:
        raise AssertionError("\n".join([str(error), *_guilty(fn, tensors)])) from None


def _differentiable(i: int, x: Any) -> Any:
    if isinstance(x, np.ndarray) and x.dtype.kind == "f":
        x = wrap(x.copy(), None).requires_grad_()
    if isinstance(x, Tensor) and x.requires_grad and x.dtype != np.float64:
        raise TypeError(
            f"assert_gradients: input {i} must be float64, got {x.array.dtype}: differences of it "
            "are mostly rounding; convert it with double()"
        )
    return x


def _guilty(fn: Callable[..., Any], tensors: list[Any]) -> list[str]:
    """The first operation of the walk whose rule is wrong by itself."""

    def ours(lib: Any, *xs: Any) -> Any:
        return sequence(fn(*xs))

    with keep_values():
        done = run(OURS, ours, tensors)
    return [str(divergence) for divergence in search(None, done, Tolerance()).first]
