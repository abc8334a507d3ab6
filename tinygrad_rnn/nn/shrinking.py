"""Functions that set what is small to something else, and softmax over channels, as modules."""

from __future__ import annotations

from tinygrad_rnn.nn import functional as F
from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.tensor import Tensor


class Threshold(Module):
    """x where it is larger than ``threshold``, else ``value``: see `nn.functional.threshold`.

    Parameters
    ----------
    threshold, value : float
    inplace : bool
        Whether to overwrite the input.
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold, self.value, self.inplace = threshold, value, inplace

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        text = f"threshold={self.threshold}, value={self.value}"
        return f"{text}, inplace=True" if self.inplace else text


class Hardshrink(Module):
    """x where it is farther than ``lambd`` from 0, else 0: see `nn.functional.hardshrink`.

    Parameters
    ----------
    lambd : float
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return f"{self.lambd}"


class Softshrink(Module):
    """x moved to 0 by ``lambd``, or as far as there: see `nn.functional.softshrink`.

    Parameters
    ----------
    lambd : float
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return str(self.lambd)


class Tanhshrink(Module):
    """x − tanh x."""

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.tanhshrink(input)


class Softmax2d(Module):
    """`Softmax` over the channels of inputs (batch, channels, height, width), or without batch."""

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: expected 3D or 4D input (got {input.ndim}D input)")
        return F.softmax(input, -3)
