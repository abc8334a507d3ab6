"""Recurrent layers: a cell unrolled over a sequence, as a literal graph."""

from __future__ import annotations

from typing import Any

from tinygrad_rnn.creation import zeros
from tinygrad_rnn.functions import stack, unsqueeze
from tinygrad_rnn.modes import step
from tinygrad_rnn.nn.cells import (
    NONLINEARITIES,
    check_features,
    check_flags,
    check_nonlinearity,
    check_sizes,
    register_weights,
    rnn_cell,
    weights,
)
from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.tensor import Tensor


class RNN(Module):
    """An Elman network: h_t = tanh(W_ih x_t + b_ih + W_hh h_{t−1} + b_hh), for t = 1 … T.

    Every step is recorded as the operations it consists of, tagged with its time step, so the
    graph of a loss is the network unrolled in time.

    Parameters
    ----------
    input_size, hidden_size : int
        Numbers of features of x_t and of h_t.
    nonlinearity : "tanh" or "relu"
    bias : bool
        Whether there are b_ih and b_hh.
    batch_first : bool
        Whether batches come as (batch, T, features) instead of (T, batch, features).

    Attributes
    ----------
    weight_ih_l0 : Parameter of shape (hidden_size, input_size)
    weight_hh_l0 : Parameter of shape (hidden_size, hidden_size)
    bias_ih_l0, bias_hh_l0 : Parameters of shape (hidden_size,), or None

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> rnn = tg.nn.RNN(3, 2)
    >>> output, h_n = rnn(tg.zeros(5, 1, 3))
    >>> output.shape, h_n.shape
    ((5, 1, 2), (1, 1, 2))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
    ) -> None:
        super().__init__()
        check_sizes("RNN", input_size, hidden_size)
        check_flags("RNN", bias=bias, batch_first=batch_first)
        check_nonlinearity("RNN", nonlinearity)
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        self.nonlinearity, self.batch_first = nonlinearity, batch_first
        register_weights(self, "_l0", input_size, hidden_size, bias)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run a sequence through the network.

        Parameters
        ----------
        input : Tensor of shape (T, batch, input_size), or (T, input_size) without a batch
            (batch, T, input_size) with ``batch_first``.
        hx : Tensor of shape (1, batch, hidden_size) or (1, hidden_size), optional
            The initial state h₀; zeros if absent.

        Returns
        -------
        output : Tensor of shape (T, batch, hidden_size)
            h_t of every step (batch and T exchanged with ``batch_first``).
        h_n : Tensor of shape (1, batch, hidden_size)
            h_T.

        Raises
        ------
        RuntimeError
            If a shape does not fit.
        """
        time = 1 if self.batch_first and input.ndim == 3 else 0
        h = self._initial_state(input, hx, time)
        outputs: list[Any] = []
        f, parameters = NONLINEARITIES[self.nonlinearity], weights(self, "_l0")
        for t in range(1, input.shape[time] + 1):
            with step(t):
                x = (input[:, t - 1] if time else input[t - 1]).named("x", "input")
                h = rnn_cell(x, h, *parameters, f).named("h", "state")
            outputs.append(h)
        return stack(outputs, time), unsqueeze(h, 0)

    def _initial_state(self, input: Tensor, hx: Tensor | None, time: int) -> Any:
        if input.ndim not in (2, 3):
            raise RuntimeError(f"RNN: expected input to be 2D or 3D, got {input.ndim}D instead")
        check_features("RNN", input, self.input_size)
        if input.shape[time] == 0:
            raise RuntimeError("RNN: expected a sequence of at least one time step, got none")
        batch = input.shape[1 - time : 2 - time] if input.ndim == 3 else ()
        with step(0):
            if hx is None:
                return zeros(*batch, self.hidden_size, dtype=input.dtype).named("h", "state")
            expected = (1, *batch, self.hidden_size)
            if hx.shape != expected:
                raise RuntimeError(f"RNN: hx has shape {hx.shape}, expected {expected}")
            return hx[0].named("h", "state")

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        parts = [f"{self.input_size}, {self.hidden_size}"]
        if self.nonlinearity != "tanh":
            parts.append(f"nonlinearity={self.nonlinearity}")
        if not self.bias:
            parts.append("bias=False")
        if self.batch_first:
            parts.append("batch_first=True")
        return ", ".join(parts)
