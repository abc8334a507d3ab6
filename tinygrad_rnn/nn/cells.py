"""Recurrent cells: one time step, written as its equation.

The equations are functions of an input, the state (a tuple) and the weights; the cells here and
the layers in `tinygrad_rnn.nn.recurrent` both call them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tinygrad_rnn.nn import init
from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.nn.parameter import Parameter
from tinygrad_rnn.operations import chunk, linear, relu, sigmoid, tanh
from tinygrad_rnn.operations.types import on_cpu
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.creation import zeros

State = tuple[Tensor, ...]


def as_given(states: Sequence[Tensor] | None) -> Any:
    """States as users give and get them: one alone, several as a tuple; of none None."""
    return states[0] if states is not None and len(states) == 1 else states and tuple(states)


class Weights(NamedTuple):
    """What one cell has learned; ``None``: it has no biases, no projection."""

    ih: Any
    hh: Any
    b_ih: Any = None
    b_hh: Any = None
    hr: Any = None

    def present(self) -> list[Tensor]:
        """Those that there are."""
        return [each for each in self if each is not None]

    def made_of(self, others: Iterable[Tensor]) -> Weights:
        """Others in the places of these, as many as there are."""
        given = iter(others)
        return Weights(*[None if each is None else next(given) for each in self])


# -- the equations -------------------------------------------------------------------------------


def rnn_tanh_step(x: Any, state: State, w: Weights) -> State:
    """h′ = tanh(W_ih x + b_ih + W_hh h + b_hh)."""
    (h,) = state
    return (tanh(linear(x, w.ih, w.b_ih) + linear(h, w.hh, w.b_hh)).named("h", "state"),)


def rnn_relu_step(x: Any, state: State, w: Weights) -> State:
    """h′ = relu(W_ih x + b_ih + W_hh h + b_hh)."""
    (h,) = state
    return (relu(linear(x, w.ih, w.b_ih) + linear(h, w.hh, w.b_hh)).named("h", "state"),)


def lstm_step(x: Any, state: State, w: Weights) -> State:
    """The long short-term memory (Hochreiter and Schmidhuber 1997, with Gers' forget gate).

    [i f g o] = W_ih x + b_ih + W_hh h + b_hh;  i, f, o through σ, g through tanh
    c′ = f ⊙ c + i ⊙ g
    h′ = o ⊙ tanh(c′), projected by W_hr if there is one (Sak et al. 2014)
    """
    h, c = state
    gates = linear(x, w.ih, w.b_ih) + linear(h, w.hh, w.b_hh)
    i, f, g, o = chunk(gates, 4, -1)
    i, f = sigmoid(i).named("i"), sigmoid(f).named("f")
    g, o = tanh(g).named("g"), sigmoid(o).named("o")
    c = (f * c + i * g).named("c", "state")
    h = o * tanh(c)
    if w.hr is not None:
        h = linear(h, w.hr)
    return h.named("h", "state"), c


def gru_step(x: Any, state: State, w: Weights) -> State:
    """The gated recurrent unit (Cho et al. 2014), with the reset gate after the product.

    r = σ(W_ir x + b_ir + W_hr h + b_hr)
    z = σ(W_iz x + b_iz + W_hz h + b_hz)
    n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn))
    h′ = (1 − z) ⊙ n + z ⊙ h
    """
    (h,) = state
    r_x, z_x, n_x = chunk(linear(x, w.ih, w.b_ih), 3, -1)
    r_h, z_h, n_h = chunk(linear(h, w.hh, w.b_hh), 3, -1)
    r, z = sigmoid(r_x + r_h).named("r"), sigmoid(z_x + z_h).named("z")
    n = tanh(n_x + r * n_h).named("n")
    return ((n + z * (h - n)).named("h", "state"),)


Step = Callable[[Any, State, Weights], State]


class Kind(NamedTuple):
    """A kind of cell: its equation, how many gates' weights are stacked, its state's names."""

    step: Step
    gates: int
    states: tuple[str, ...] = ("h",)


KINDS = {
    "RNN_TANH": Kind(rnn_tanh_step, 1),
    "RNN_RELU": Kind(rnn_relu_step, 1),
    "LSTM": Kind(lstm_step, 4, ("h", "c")),
    "GRU": Kind(gru_step, 3),
}


def rnn_kind(owner: str, nonlinearity: str) -> str:
    """The kind of an RNN with this nonlinearity."""
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"{owner}: nonlinearity must be 'tanh' or 'relu', not {nonlinearity!r}")
    return f"RNN_{nonlinearity.upper()}"


# -- weights -------------------------------------------------------------------------------------


Names = Container[str]
Shapes = Mapping[str, tuple[int, ...]]  # of the weights of one cell, by PyTorch's names


def add_weights(module: Module, suffix: str, shapes: Shapes, dtype: Any) -> None:
    """Give a module the parameters of one cell, under PyTorch's names."""
    for name, shape in shapes.items():
        module.register_parameter(name + suffix, Parameter(zeros(shape, dtype=dtype)))


def draw_weights(module: Module, hidden_size: int) -> None:
    """Draw all parameters from U(−k, k), k = 1/√hidden_size, in PyTorch's order."""
    bound = 1 / math.sqrt(hidden_size) if hidden_size > 0 else 0.0
    for weight in module.parameters():
        init.uniform_(weight, -bound, bound)


_ROLES = {
    "weight_ih": "ih", "weight_hh": "hh", "bias_ih": "b_ih", "bias_hh": "b_hh", "weight_hr": "hr",
}  # fmt: skip


def weights_of(module: Module, suffix: str, shapes: Shapes, can_do_without: Names = ()) -> Weights:
    """The weights of one cell of a module: its attributes, parameters or what took their place.

    A parameter may have been deleted, and the attribute assigned a tensor that is computed anew
    before every step (dropout of weights, weight normalisation, fast weights), or made a property.
    """
    found, parameters = {}, module._parameters
    for name, shape in shapes.items():
        weight = parameters.get(name + suffix)
        if weight is None:
            weight = getattr(module, name + suffix)
        if not isinstance(weight, Tensor) or weight.array.shape != shape:
            _check_replacement(module, name, suffix, weight, shape, can_do_without)
        found[_ROLES[name]] = weight
    return Weights(**found)


def _check_replacement(
    module: Module, name: str, suffix: str, weight: Any, shape: tuple[int, ...], may_be_none: Names
) -> None:
    """Raise if what took the place of a parameter cannot serve as the weight."""
    what = f"{type(module).__name__}: {name + suffix}"
    if weight is None and name in may_be_none:
        return
    if not isinstance(weight, Tensor):
        kind = type(weight).__name__
        raise TypeError(f"{what} must be a Parameter or Tensor of shape {shape}, got {kind}")
    one_for_all = name.startswith("bias") and weight.array.size == 1
    if weight.array.shape != shape and not one_for_all:
        raise RuntimeError(f"{what} has shape {weight.array.shape}, expected {shape}")


# -- the cells -----------------------------------------------------------------------------------


class RNNCellBase(Module):
    """What `RNNCell`, `LSTMCell` and `GRUCell` share."""

    __constants__: tuple[str, ...] = ("input_size", "hidden_size", "bias")

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, kind: str, dtype: Any = None
    ) -> None:
        super().__init__()
        check_sizes(type(self).__name__, input_size=input_size, hidden_size=hidden_size)
        check_flags(type(self).__name__, bias=bias)
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        self._kind = kind
        rows = KINDS[kind].gates * hidden_size
        weights = {"weight_ih": (rows, input_size), "weight_hh": (rows, hidden_size)}
        biases = {"bias_ih": (rows,), "bias_hh": (rows,)}
        self._shapes: Shapes = {**weights, **biases}
        add_weights(self, "", self._shapes if bias else weights, dtype)
        for name in () if bias else biases:
            self.register_parameter(name, None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew."""
        draw_weights(self, self.hidden_size)

    def _next(self, input: Tensor, given: State | None) -> State:
        """One step from a state, or from zeros."""
        name, kind = type(self).__name__, KINDS[self._kind]
        if not isinstance(input, Tensor):
            raise TypeError(f"{name}: expected a Tensor, got {type(input).__name__}")
        if input.ndim not in (1, 2):
            raise ValueError(f"{name}: expected input to be 1D or 2D, got {input.ndim}D instead")
        check_features(name, input, self.input_size)
        shape = (*input.shape[:-1], self.hidden_size)
        if given is None:
            given = tuple(
                zeros(shape, dtype=input.dtype).named(state, "state") for state in kind.states
            )
        for state, called in zip(given, kind.states, strict=True):
            check_state(name, called, state, shape)
        return kind.step(input, given, self._weights())

    def _weights(self) -> Weights:
        """The weights, as they are now."""
        return weights_of(self, "", self._shapes, ("bias_ih", "bias_hh"))

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        parts = [f"{self.input_size}, {self.hidden_size}"]
        if not self.bias:
            parts.append("bias=False")
        if self._kind == "RNN_RELU":
            parts.append("nonlinearity=relu")
        return ", ".join(parts)


class RNNCell(RNNCellBase):
    """One step of an Elman network: h′ = tanh(W_ih x + b_ih + W_hh h + b_hh).

    https://docs.pytorch.org/docs/stable/generated/torch.nn.RNNCell.html

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

    __constants__ = ("input_size", "hidden_size", "bias", "nonlinearity")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        on_cpu("RNNCell", device)
        kind = rnn_kind("RNNCell", nonlinearity)
        super().__init__(input_size, hidden_size, bias, kind, dtype)
        self.nonlinearity = nonlinearity

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
        (h,) = self._next(input, None if hx is None else (hx,))
        return h


class LSTMCell(RNNCellBase):
    """One step of a long short-term memory: h′, c′ from x, h, c (see `lstm_step`).

    https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html

    Parameters
    ----------
    input_size, hidden_size : int
        Numbers of features of x and of h and c.
    bias : bool
        Whether there are b_ih and b_hh.

    Attributes
    ----------
    weight_ih : Parameter of shape (4·hidden_size, input_size)
        W_ii, W_if, W_ig, W_io below each other.
    weight_hh : Parameter of shape (4·hidden_size, hidden_size)
    bias_ih, bias_hh : Parameters of shape (4·hidden_size,), or None

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> cell = tg.nn.LSTMCell(3, 2)
    >>> h, c = cell(tg.zeros(5, 3))
    >>> h.shape, c.shape
    (torch.Size([5, 2]), torch.Size([5, 2]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        on_cpu("LSTMCell", device)
        super().__init__(input_size, hidden_size, bias, "LSTM", dtype)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """One step.

        Parameters
        ----------
        input : Tensor of shape (batch, input_size) or (input_size,)
        hx : (h, c), each of shape (batch, hidden_size) or (hidden_size,), optional
            The previous state; zeros if absent.

        Returns
        -------
        h, c : Tensors of these shapes
        """
        if hx is not None and (not isinstance(hx, tuple | list) or len(hx) != 2):
            raise TypeError("LSTMCell: hx must be a tuple of two tensors, (h, c)")
        h, c = self._next(input, None if hx is None else tuple(hx))
        return h, c


class GRUCell(RNNCellBase):
    """One step of a gated recurrent unit: h′ from x and h (see `gru_step`).

    https://docs.pytorch.org/docs/stable/generated/torch.nn.GRUCell.html

    Parameters
    ----------
    input_size, hidden_size : int
        Numbers of features of x and of h.
    bias : bool
        Whether there are b_ih and b_hh.

    Attributes
    ----------
    weight_ih : Parameter of shape (3·hidden_size, input_size)
        W_ir, W_iz, W_in below each other.
    weight_hh : Parameter of shape (3·hidden_size, hidden_size)
    bias_ih, bias_hh : Parameters of shape (3·hidden_size,), or None

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> cell = tg.nn.GRUCell(3, 2)
    >>> cell(tg.zeros(5, 3)).shape
    torch.Size([5, 2])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        on_cpu("GRUCell", device)
        super().__init__(input_size, hidden_size, bias, "GRU", dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """One step; shapes as for `RNNCell`."""
        (h,) = self._next(input, None if hx is None else (hx,))
        return h


# -- checks --------------------------------------------------------------------------------------


def check_flags(owner: str, **flags: Any) -> None:
    """Raise unless every flag is a bool (a number in its place is often a misplaced size)."""
    for name, flag in flags.items():
        if not isinstance(flag, bool):
            raise TypeError(f"{owner}: {name} must be a bool, got {flag!r}")


def check_sizes(owner: str, **sizes: Any) -> None:
    """Raise unless all sizes are positive integers."""
    for name, size in sizes.items():
        if not isinstance(size, int) or isinstance(size, bool):
            raise TypeError(f"{owner}: {name} must be an int, got {type(size).__name__}")
        if size < 1:
            raise ValueError(f"{owner}: {name} must be greater than zero, got {size}")


def check_features(owner: str, input: Tensor, input_size: int) -> None:
    """Raise unless the last size of an input is the number of features it should have."""
    if input.shape[-1] != input_size:
        raise RuntimeError(
            f"{owner}: input has shape {input.array.shape}, expected its last size to be "
            f"input_size {input_size}"
        )


def check_state(owner: str, name: str, state: Any, shape: tuple[int, ...]) -> None:
    """Raise unless a given state is a tensor of the right shape."""
    if not isinstance(state, Tensor):
        raise TypeError(f"{owner}: the state {name} must be a Tensor, got {type(state).__name__}")
    if state.shape != shape:
        raise RuntimeError(
            f"{owner}: the state {name} has shape {state.array.shape}, expected {shape}"
        )
