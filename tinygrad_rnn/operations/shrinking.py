"""Functions that set what is small to 0, or to another number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinygrad_rnn.operations.activation import tanh
from tinygrad_rnn.operations.arguments import number_of, tensor_of
from tinygrad_rnn.operations.arithmetic import sub
from tinygrad_rnn.operations.elementwise import abs, clamp, where
from tinygrad_rnn.operations.inplace import change
from tinygrad_rnn.operations.node_names import made_by

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """X where it is larger than ``threshold``, else ``value``; elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.threshold(tg.tensor([0.5, 2.0]), 1.0, -1.0)
    tensor([-1.,  2.])
    """
    bound = number_of("threshold", "threshold", threshold)
    instead = number_of("threshold", "value", value)

    def chosen(x: Any) -> Tensor:
        return made_by("ThresholdBackward0", where(x <= bound, instead, x))

    x = tensor_of("threshold", input)
    return change("threshold_", chosen, x) if inplace else chosen(x)


def hardshrink(input: Any, lambd: float = 0.5) -> Tensor:
    """X where it is farther than ``lambd`` from 0, else 0; elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.hardshrink(tg.tensor([0.25, -2.0]))
    tensor([ 0., -2.])
    """
    x, bound = _float("hardshrink", input), number_of("hardshrink", "lambd", lambd)
    return made_by("HardshrinkBackward0", where(abs(x) <= bound, 0, x))


def softshrink(input: Any, lambd: float = 0.5) -> Tensor:
    """X moved to 0 by ``lambd``, or as far as there; elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.softshrink(tg.tensor([0.25, -2.0]))
    tensor([ 0.0000, -1.5000])
    """
    x, bound = _float("softshrink", input), number_of("softshrink", "lambd", lambd)
    if bound < 0:
        raise RuntimeError(f"softshrink: lambd must not be negative, got {lambd}")
    moved = sub(x, clamp(x, -bound, bound))
    return made_by("SoftshrinkBackward0", moved)


def tanhshrink(input: Any) -> Tensor:
    """X − tanh x, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.functional.tanhshrink(tg.tensor([0.0, 2.0]))
    tensor([0.0000, 1.0360])
    """
    x = tensor_of("tanhshrink", input)
    return sub(x, tanh(x))


def _float(name: str, input: Any) -> Any:
    x = tensor_of(name, input)
    if x.array.dtype.kind != "f":
        raise RuntimeError(f"{name}: only defined for floating-point tensors, not {x.array.dtype}")
    return x
