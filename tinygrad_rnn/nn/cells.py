"""Recurrent cells: one time step, written as its equation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tinygrad_rnn.creation import zeros
from tinygrad_rnn.functions import linear, relu, tanh
from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.nn.parameter import Parameter
from tinygrad_rnn.random import uniform_
from tinygrad_rnn.tensor import Tensor

NONLINEARITIES: dict[str, Callable[[Any], Any]] = {"tanh": tanh, "relu": relu}


def rnn_cell(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, f: Any) -> Any:
    """h′ = f(W_ih x + b_ih + W_hh h + b_hh), for rows x and h.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.RNNCell.html
    """
    return f(linear(x, w_ih, b_ih) + linear(h, w_hh, b_hh))


def check_nonlinearity(owner: str, nonlinearity: str) -> None:
    """Raise if there is no such nonlinearity."""
    if nonlinearity not in NONLINEARITIES:
        raise ValueError(f"{owner}: nonlinearity must be 'tanh' or 'relu', not {nonlinearity!r}")


def check_flags(owner: str, **flags: Any) -> None:
    """Raise unless every flag is a bool (a number in its place is often a misplaced size)."""
    for name, flag in flags.items():
        if not isinstance(flag, bool):
            raise TypeError(f"{owner}: {name} must be a bool, got {flag!r}")


def check_sizes(owner: str, input_size: int, hidden_size: int) -> None:
    """Raise unless both sizes are positive integers."""
    for name, size in (("input_size", input_size), ("hidden_size", hidden_size)):
        if not isinstance(size, int) or isinstance(size, bool):
            raise TypeError(f"{owner}: {name} must be an int, got {type(size).__name__}")
        if size < 1:
            raise ValueError(f"{owner}: {name} must be greater than zero, got {size}")


def check_features(owner: str, input: Tensor, input_size: int) -> None:
    """Raise unless the last size of an input is the number of features it should have."""
    if input.shape[-1] != input_size:
        raise RuntimeError(
            f"{owner}: input has shape {input.shape}, expected its last size to be input_size "
            f"{input_size}"
        )


class RNNCell(Module):
    """One step of an Elman network: h′ = tanh(W_ih x + b_ih + W_hh h + b_hh).

    Parameters
    ----------
    input_size, hidden_size : int
        Numbers of features of x and of h.
    bias : bool
        Whether there are b_ih and b_hh.
    nonlinearity : "tanh" or "relu"

    Attributes
    ----------
    weight_ih : Parameter of shape (hidden_size, input_size)
    weight_hh : Parameter of shape (hidden_size, hidden_size)
    bias_ih, bias_hh : Parameters of shape (hidden_size,), or None
        All drawn from U(−k, k) with k = 1/√hidden_size, as PyTorch draws them.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> cell = tg.nn.RNNCell(1, 2)
    >>> cell(tg.tensor([0.5]))
    tensor([-0.0792,  0.7340], grad_fn=<TanhBackward0>)
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh"
    ) -> None:
        super().__init__()
        check_sizes("RNNCell", input_size, hidden_size)
        check_flags("RNNCell", bias=bias)
        check_nonlinearity("RNNCell", nonlinearity)
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        self.nonlinearity = nonlinearity
        register_weights(self, "", input_size, hidden_size, bias)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """One step.

        Parameters
        ----------
        input : Tensor of shape (batch, input_size) or (input_size,)
        hx : Tensor of shape (batch, hidden_size) or (hidden_size,), optional
            The previous state; zeros if absent.

        Returns
        -------
        Tensor of the shape of ``hx``

        Raises
        ------
        RuntimeError
            If a shape does not fit.
        """
        if input.ndim not in (1, 2):
            raise RuntimeError(f"RNNCell: expected input to be 1D or 2D, got {input.ndim}D instead")
        if hx is None:
            hx = zeros(*input.shape[:-1], self.hidden_size, dtype=input.dtype).named("h", "state")
        expected = (*input.shape[:-1], self.hidden_size)
        check_features("RNNCell", input, self.input_size)
        if hx.shape != expected:
            raise RuntimeError(f"RNNCell: hx has shape {hx.shape}, expected {expected}")
        f = NONLINEARITIES[self.nonlinearity]
        return rnn_cell(input, hx, *weights(self, ""), f)

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        parts = [f"{self.input_size}, {self.hidden_size}"]
        if not self.bias:
            parts.append("bias=False")
        if self.nonlinearity != "tanh":
            parts.append(f"nonlinearity={self.nonlinearity}")
        return ", ".join(parts)


def register_weights(
    module: Module, suffix: str, input_size: int, hidden_size: int, bias: bool
) -> None:
    """Give a module PyTorch's weights of one cell, drawn in PyTorch's order."""
    shapes: dict[str, tuple[int, ...]] = {
        "weight_ih": (hidden_size, input_size),
        "weight_hh": (hidden_size, hidden_size),
    }
    if bias:
        shapes |= {"bias_ih": (hidden_size,), "bias_hh": (hidden_size,)}
    bound = 1 / math.sqrt(hidden_size)
    for name, shape in shapes.items():
        value = uniform_(zeros(*shape), -bound, bound)
        module.register_parameter(name + suffix, Parameter(value))
    if not bias:
        for name in ("bias_ih", "bias_hh"):
            module.register_parameter(name + suffix, None)


def weights(module: Module, suffix: str) -> tuple[Any, Any, Any, Any]:
    """W_ih, W_hh, b_ih and b_hh of a cell."""
    w_ih, w_hh, b_ih, b_hh = (
        getattr(module, name + suffix) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    return w_ih, w_hh, b_ih, b_hh
