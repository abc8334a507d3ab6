"""Arithmetic and mathematical functions of each element."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.functions.arguments import tensor_of
from tinygrad_rnn.ops import activation, arithmetic
from tinygrad_rnn.ops.promotion import promoted

_add, _sub, _mul = arithmetic.add.apply, arithmetic.sub.apply, arithmetic.mul.apply
_tanh, _sigmoid = activation.tanh.apply, activation.sigmoid.apply


def add(input: Any, other: Any) -> Any:
    """Sum, elementwise: ``input + other``.

    Parameters
    ----------
    input, other : Tensor or number
        Of shapes that broadcast; the result has their common type (see `dtypes`).

    Raises
    ------
    RuntimeError
        If the shapes do not broadcast.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.add(tg.tensor([1.0, 2.0]), 10)
    tensor([11., 12.])
    """
    return _add(input, other)


def sub(input: Any, other: Any) -> Any:
    """Difference, elementwise: ``input − other``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.sub(tg.tensor([1.0, 2.0]), tg.tensor([[1.0], [3.0]]))
    tensor([[ 0.,  1.],
            [-2., -1.]])
    """
    return _sub(input, other)


def mul(input: Any, other: Any) -> Any:
    """Product, elementwise: ``input ⊙ other``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.mul(tg.tensor([1, 2]), 0.5)
    tensor([0.5000, 1.0000])
    """
    return _mul(input, other)


def div(input: Any, other: Any) -> Any:
    """Quotient, elementwise: ``input / other``; of integers it is a float.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.div(tg.tensor([1, 2]), 4)
    tensor([0.2500, 0.5000])
    """
    return arithmetic.div.apply(input, other)


def pow(input: Any, exponent: Any) -> Any:
    """Power, elementwise: ``input ** exponent``.

    The derivative with respect to ``input`` at exponent 0 is 0, even at input 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.pow(tg.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    """
    if type(exponent) is int and _is_integer(input):
        limits = np.iinfo(input.array.dtype)
        if not limits.min <= exponent <= limits.max:
            raise RuntimeError(f"pow: the exponent {exponent} does not fit {input.array.dtype}")
    return arithmetic.power.apply(input, exponent)


def _is_integer(input: Any) -> bool:
    return isinstance(input, Variable) and input.array.dtype.kind in "iu"


def neg(input: Any) -> Any:
    """Negative, elementwise: ``−input``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.neg(tg.tensor([1.0, -2.0]))
    tensor([-1.,  2.])
    """
    return arithmetic.neg.apply(input)


def exp(input: Any) -> Any:
    """Exponential, elementwise.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.exp(tg.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    return arithmetic.exp.apply(input)


def log(input: Any) -> Any:
    """Natural logarithm, elementwise: −inf at 0, NaN below.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.log(tg.tensor([1.0, 10.0]))
    tensor([0.0000, 2.3026])
    """
    return arithmetic.log.apply(input)


def tanh(input: Any) -> Any:
    """Hyperbolic tangent, elementwise; its derivative is 1 − tanh².

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.tanh(tg.tensor([0.6, 0.5]))
    tensor([0.5370, 0.4621])
    """
    return _tanh(input)


def sigmoid(input: Any) -> Any:
    """Logistic function σ(x) = 1 / (1 + e⁻ˣ), elementwise, without overflow at any x.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.sigmoid(tg.tensor([-10000.0, 0.0, 10000.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    return _sigmoid(input)


def relu(input: Any) -> Any:
    """max(x, 0), elementwise; the derivative at 0 is 0, as in PyTorch.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.relu(tg.tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 2.])
    """
    return activation.relu.apply(input)


def where(condition: Any, input: Any, other: Any) -> Any:
    """``input`` where the condition holds, else ``other``; elementwise, broadcast.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([-1.0, 2.0])
    >>> tg.where(x > 0, x, 0)
    tensor([0., 2.])
    """
    c = tensor_of("where", condition)
    if c.array.dtype.kind != "b":
        raise RuntimeError(f"where: the condition must be a bool tensor, got {c.array.dtype}")
    return arithmetic.where.general(c, *promoted("where", numbers=False)((input, other)))
