"""Layers that put something around an input: zeros, a number, or its own elements again."""

from __future__ import annotations

import operator
from collections.abc import Sequence

from tinygrad_rnn.nn import functional as F
from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.tensor import Tensor


class _Pad(Module):
    """What they have in common: how many elements go to each end of the last axes."""

    axes, mode = 1, "constant"

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        ends = 2 * self.axes
        given = padding if isinstance(padding, Sequence) else (padding,) * ends
        if len(given) != ends:
            raise ValueError(
                f"{type(self).__name__}: padding must be a number or {ends} of them, two for each "
                f"of the last axes, got {padding!r}"
            )
        self.padding = tuple(map(operator.index, given))

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return str(self.padding)


class ConstantPad1d(_Pad):
    """A number in front of and behind an input, along its last axis.

    Parameters
    ----------
    padding : int or tuple of two
        How many in front and behind.
    value : number

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.ConstantPad1d((2, 0), 0.5)(tg.ones(1, 2))  # before a causal convolution
    tensor([[0.5000, 0.5000, 1.0000, 1.0000]])
    """

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return f"padding={self.padding}, value={self.value}"


class ConstantPad2d(ConstantPad1d):
    """`ConstantPad1d` along the last two axes; padding is (left, right, top, bottom)."""

    axes = 2


class ZeroPad1d(ConstantPad1d):
    """Zeros in front of and behind an input, along its last axis.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.ZeroPad1d((1, 0))(tg.ones(1, 2))
    tensor([[0., 1., 1.]])
    """

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return str(self.padding)


class ZeroPad2d(ZeroPad1d):
    """`ZeroPad1d` along the last two axes; padding is (left, right, top, bottom)."""

    axes = 2


class ReflectionPad1d(_Pad):
    """An input mirrored at its ends.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.ReflectionPad1d(1)(tg.tensor([[1.0, 2.0, 3.0]]))
    tensor([[2., 1., 2., 3., 2.]])
    """

    mode = "reflect"


class ReflectionPad2d(ReflectionPad1d):
    """`ReflectionPad1d` along the last two axes; padding is (left, right, top, bottom)."""

    axes = 2


class ReplicationPad1d(_Pad):
    """The elements at the ends of an input again.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.ReplicationPad1d(1)(tg.tensor([[1.0, 2.0, 3.0]]))
    tensor([[1., 1., 2., 3., 3.]])
    """

    mode = "replicate"


class ReplicationPad2d(ReplicationPad1d):
    """`ReplicationPad1d` along the last two axes; padding is (left, right, top, bottom)."""

    axes = 2


class CircularPad1d(_Pad):
    """What comes after the end of an input if it begins again there.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.CircularPad1d(1)(tg.tensor([[1.0, 2.0, 3.0]]))
    tensor([[3., 1., 2., 3., 1.]])
    """

    mode = "circular"


class CircularPad2d(CircularPad1d):
    """`CircularPad1d` along the last two axes; padding is (left, right, top, bottom)."""

    axes = 2
