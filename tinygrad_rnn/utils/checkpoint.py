"""Functions whose values PyTorch computes again on the way back, to save memory.

Here they are recorded like any other: the same values, the same gradients, and a graph to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

_OPTIONS = ("preserve_rng_state", "context_fn", "determinism_check", "debug", "early_stop")


def checkpoint(
    function: Callable[..., Any], *args: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """``function(*args, **kwargs)``.

    Parameters
    ----------
    function
    *args
    use_reentrant, preserve_rng_state, context_fn, determinism_check, debug, early_stop
        Without effect: nothing is computed twice.
    **kwargs
        The function's own.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> from tinygrad_rnn.utils.checkpoint import checkpoint
    >>> checkpoint(tg.tanh, tg.zeros(1, requires_grad=True), use_reentrant=False)
    tensor([0.], grad_fn=<TanhBackward0>)
    """
    own = {name: value for name, value in kwargs.items() if name not in _OPTIONS}
    return function(*args, **own)


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """An `nn.Sequential`, or functions one after the other, of an input.

    Parameters
    ----------
    functions : Sequential or sequence of functions
    segments : int
        Into how many parts PyTorch divides them; without effect.
    input
    use_reentrant, preserve_rng_state
        Without effect.
    """
    wrong = set(kwargs) - {"preserve_rng_state"}
    if wrong:
        raise ValueError(f"checkpoint_sequential: unexpected options {', '.join(sorted(wrong))}")
    each: Sequence[Callable[..., Any]] = list(functions)
    for function in each:
        input = function(input)
    return input


__all__ = ["checkpoint", "checkpoint_sequential"]
