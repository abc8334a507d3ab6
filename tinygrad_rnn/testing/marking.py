"""Gradients that somebody else computed, beside the engine's: what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from tinygrad_rnn.bptt import Contributions, Record, contributions, record, truncate
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.testing.pairs import Tolerance

Array = np.ndarray[Any, Any]


def assert_same_gradients(
    loss: Tensor | Record,
    *pairs: tuple[Tensor, Any],
    rtol: float | None = None,
    atol: float | None = None,
) -> None:
    """Fail unless gradients that another program computed are those of this loss.

    Of a wrong one it is said what mistake it looks like: transposed, of the wrong sign, a multiple,
    the share of some time steps only, not carried back through time, not summed over the batch.

    Parameters
    ----------
    loss : Tensor, or Record of one
        The same computation, done here. Of a tensor the backward runs (`bptt.record`).
    *pairs : (Tensor, array)
        A tensor that the loss depends on, and what is to be its gradient: of another engine, of
        homework, of a derivation by hand; numbers, nested lists or arrays.
    rtol, atol : float, optional
        How far entries may lie apart, as `testing.Tolerance` says; by default what is usual for the
        type of the tensor.

    Raises
    ------
    AssertionError
        With a line for each gradient that is wrong.
    TypeError
        If a pair is none, or a gradient is no array of numbers.
    ValueError
        If there is nothing to compare, or a tensor is no part of the loss's graph.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w, x = tg.tensor(0.2, requires_grad=True).named("w"), tg.tensor(0.9)
    >>> for _ in range(3):
    ...     x = w * x
    >>> tg.testing.assert_same_gradients(x, (w, 0.036))
    Traceback (most recent call last):
    AssertionError: gradient of w is 0.036, not 0.108: it is the share of step 1 alone; does each \
step overwrite the one before (= for +=)?
    """
    __tracebackhide__ = True
    if not pairs:
        raise ValueError("assert_same_gradients: give pairs (tensor, its gradient) to compare")
    walk = record(loss, retain_graph=True) if isinstance(loss, Tensor) else loss
    limits = Tolerance(rtol, atol)
    wrong = [line for pair in pairs for line in _faults(walk, pair, limits)]
    if wrong:
        raise AssertionError("\n".join(wrong))


def _faults(walk: Record, pair: tuple[Tensor, Any], limits: Tolerance) -> Iterator[str]:
    """What there is to say of one gradient: nothing if it is right."""
    if not (isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], Tensor)):
        raise TypeError("assert_same_gradients: expected pairs (tensor, its gradient)")
    tensor, said = pair
    shares = contributions(walk, tensor)
    right = np.asarray(shares.total)
    given = _numbers(said, right.dtype)
    if _same(given, right, limits):
        return
    name = tensor.name or f"a tensor of shape {right.shape}"
    if given.shape == right.shape:
        at = limits.worst(given, right) or ()
        where = f"[{', '.join(map(str, at))}]" if at else ""
        seen = f"gradient of {name}{where} is {given[at] + 0.0:.4g}, not {right[at] + 0.0:.4g}"
    else:
        seen = f"gradient of {name} has shape {given.shape}, not {right.shape}"
    guess = next(_guesses(walk, tensor, given, shares, limits), "")
    yield f"{seen}: {guess}" if guess else seen


def _numbers(said: Any, dtype: np.dtype[Any]) -> Array:
    if isinstance(said, Tensor):
        said = said.detach().numpy()
    try:
        return np.asarray(said, dtype)
    except (TypeError, ValueError):
        kind = type(said).__name__
        raise TypeError(
            f"assert_same_gradients: expected an array of numbers, got {kind}"
        ) from None


def _same(given: Array, right: Array, limits: Tolerance) -> bool:
    return given.shape == right.shape and limits.worst(given, right) is None


def _guesses(
    walk: Record, tensor: Tensor, given: Array, shares: Contributions, limits: Tolerance
) -> Iterator[str]:
    """The mistakes that would give just these numbers, the likeliest first."""
    right = np.asarray(shares.total)
    if not right.any():
        return
    if given.ndim > 1 and _same(given.swapaxes(-1, -2), right, limits):
        yield "it is transposed"
    if given.ndim > right.ndim:
        batch = tuple(range(given.ndim - right.ndim))
        if _same(given.sum(axis=batch), right, limits):
            yield "summed over the batch (its first axes) it is right"
    if given.shape == right.shape:
        yield from _multiples(given, right, limits)
        yield from _steps(given, shares, limits)
        yield from _cuts(walk, tensor, given, shares, limits)


def _multiples(given: Array, right: Array, limits: Tolerance) -> Iterator[str]:
    factor = float((given * right).sum() / (right * right).sum())
    if factor and right.size > 1 and _same(given, factor * right, limits):
        if np.isclose(factor, -1):
            yield "its sign is wrong"
        else:
            yield f"it is {factor:.4g} times what is right; a mean for a sum, or the reverse?"
    elif right.size == 1 and _same(given, -right, limits):
        yield "its sign is wrong"


def _steps(given: Array, shares: Contributions, limits: Tolerance) -> Iterator[str]:
    """Gradients that some time steps alone would give."""
    steps = [step for step in shares if step is not None]
    for step in steps:
        if len(steps) > 1 and _same(given, shares[step], limits):
            yield (
                f"it is the share of step {step} alone; does each step overwrite the one before "
                "(= for +=)?"
            )
    whole = np.asarray(shares.total)
    for step in steps:
        if shares[step].any() and _same(given, whole - shares[step], limits):
            yield f"the share of step {step} is missing"
    for count in range(2, len(steps) - 1):
        for kept in (steps[:count], steps[-count:]):
            if _same(given, np.sum([shares[step] for step in kept], axis=0), limits):
                yield f"only steps {kept[0]} to {kept[-1]} have given their share"


def _cuts(
    walk: Record, tensor: Tensor, given: Array, shares: Contributions, limits: Tolerance
) -> Iterator[str]:
    """Gradients of backpropagation that stops after some steps."""
    steps = len([step for step in shares if step is not None])
    with suppress(ValueError, RuntimeError):  # no states, or the graph is freed
        for k in range(1, steps):
            if _same(given, truncate(walk, k).gradient(tensor), limits):
                how = "not at all" if k == 1 else f"{k - 1} steps far at most, by windows of {k}"
                yield f"gradients of the state have come back through time {how}"
