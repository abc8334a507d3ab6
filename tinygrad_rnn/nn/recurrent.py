"""Recurrent layers: cells unrolled over a sequence, as a literal graph.

Every step of every layer is recorded as the operations it consists of, and each of these knows its
layer, direction and time step: 1 … T as in the equations, 0 for the initial state. In a program
that says itself which step it is at (`step`), all of a call is of that one.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from tinygrad_rnn.autograd.contexts import call, layer, step
from tinygrad_rnn.compiled.choice import is_fused
from tinygrad_rnn.engine.mode import here
from tinygrad_rnn.nn.cells import (
    KINDS,
    Shapes,
    State,
    Weights,
    add_weights,
    as_given,
    check_features,
    check_flags,
    check_sizes,
    draw_weights,
    rnn_kind,
    weights_of,
)
from tinygrad_rnn.nn.functional import dropout as drop
from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.nn.utils.rnn import PackedSequence
from tinygrad_rnn.operations import cat, stack
from tinygrad_rnn.operations.dtypes import float32
from tinygrad_rnn.operations.node_names import made_by
from tinygrad_rnn.operations.types import on_cpu
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.collector import growing_graph
from tinygrad_rnn.tensor.creation import zeros

Sequences = TypeVar("Sequences", Tensor, PackedSequence)
"""What goes through a layer comes out in the same form."""
Pair = tuple[Tensor, Tensor]
At = Callable[[int], step]
Packing = tuple[Sequence[int], Tensor | None]
"""How many sequences have each step, and the way back to the callers' order."""
"""The time step in which the t-th element of a sequence, from 0, is read."""


class RNNBase(Module):
    """What `RNN`, `LSTM` and `GRU` share; the arguments are described there."""

    fused = False  # also of what was saved before there was such a thing
    __constants__ = (
        "input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout",
        "bidirectional", "proj_size", "mode",
    )  # fmt: skip

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
        fused: bool = False,
    ) -> None:
        super().__init__()
        owner = type(self).__name__
        on_cpu(owner, device)
        check_sizes(owner, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        check_flags(owner, bias=bias, batch_first=batch_first, fused=fused)
        _check_dropout(owner, dropout, num_layers)
        _check_projection(owner, mode, proj_size, hidden_size)
        self.mode, self.input_size, self.hidden_size = mode, input_size, hidden_size
        self.num_layers, self.bias, self.batch_first = num_layers, bias, batch_first
        self.dropout, self.bidirectional, self.proj_size = dropout, bidirectional, proj_size
        self.fused = fused
        for number in range(num_layers):
            for suffix in self._suffixes(number):
                add_weights(self, suffix, self._shapes(number), dtype)
        self.reset_parameters()

    # -- weights --

    def _suffixes(self, number: int) -> list[str]:
        """What the names of a layer's parameters end in, for each direction."""
        return [f"_l{number}", f"_l{number}_reverse"][: 1 + bool(self.bidirectional)]

    def _shapes(self, number: int) -> Shapes:
        """The shapes of the weights that a layer has for each direction."""
        rows, out = KINDS[self.mode].gates * self.hidden_size, self._output_size
        directions = 1 + bool(self.bidirectional)
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (rows, out * directions if number else self.input_size),
            "weight_hh": (rows, out),
        }
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        return shapes

    @property
    def _output_size(self) -> int:
        return self.proj_size or self.hidden_size

    @property
    def all_weights(self) -> list[list[Any]]:
        """The parameters of each layer and direction."""
        return [
            [getattr(self, name + suffix) for name in self._shapes(number)]
            for number in range(self.num_layers)
            for suffix in self._suffixes(number)
        ]

    def reset_parameters(self) -> None:
        """Draw the weights anew, from U(−k, k) with k = 1/√hidden_size."""
        draw_weights(self, self.hidden_size)

    def flatten_parameters(self) -> None:
        """Nothing: here the parameters need not lie side by side in memory."""

    # -- running --

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """Run a batch of sequences, or one sequence, through the layers.

        Parameters
        ----------
        input : Tensor of shape (T, batch, input_size), or PackedSequence
            (batch, T, input_size) with ``batch_first``; (T, input_size) without a batch.
        hx : Tensor of shape (layers · directions, batch, hidden_size), optional
            The initial state h₀ of every layer and direction, zeros if absent; of an LSTM the
            pair (h₀, c₀). Without a batch (layers · directions, hidden_size).

        Returns
        -------
        output : Tensor of shape (T, batch, directions · hidden_size), or PackedSequence
            h_t of the last layer at every step, both directions side by side.
        h_n : Tensor, or the pair (h_n, c_n), of the shape of ``hx``
            The state of every layer and direction after its last step.

        Raises
        ------
        ValueError
            If the input has another number of axes or element type.
        RuntimeError
            If a size does not fit, or there is no time step.
        """
        at = _clock(here.mode.tag.step)
        with (
            growing_graph(),
            call(),
            step(None),
        ):  # what puts states together and hands them on has no step
            if isinstance(input, PackedSequence):
                return self._forward_packed(input, hx, at)
            return self._forward(input, hx, at)

    def _forward(self, input: Tensor, hx: Any, at: At) -> tuple[Tensor, Any]:
        weights = self._weights()
        self._check_input(input, weights)
        time = 1 if self.batch_first and input.ndim == 3 else 0
        steps = input.shape[time]
        if not steps:
            raise RuntimeError(f"{type(self).__name__}: expected at least one time step, got none")
        batch = input.shape[1 - time : 2 - time] if input.ndim == 3 else ()
        if is_fused(self.fused) and self._can_fuse(weights):
            from tinygrad_rnn.nn.fused import forward  # who fuses nothing need not load it

            def literal(x: Tensor, state: Any, own: list[Weights]) -> tuple[Tensor, Any]:
                return self._forward_literal(x, state, batch, own, at)

            output, last = forward(self, input, self._given_states(hx, batch), weights, literal)
            of_state = "StackBackward0" if batch else "SqueezeBackward1"
            return output, self._handed_on(last, output, self._torchs_name(input), of_state)
        return self._forward_literal(input, hx, batch, weights, at)

    def _can_fuse(self, weights: list[Weights]) -> bool:
        """Whether all weights have the shapes that they were made with, and not half precision."""
        if weights[0].ih.array.dtype.itemsize < 4:
            return False  # the order of sums shows there
        shapes = [
            self._shapes(n).values() for n in range(self.num_layers) for _ in self._suffixes(n)
        ]
        return all(
            w.array.shape == shape
            for each, own in zip(weights, shapes)
            for w, shape in zip(each.present(), own, strict=True)
        )

    def _given_states(self, hx: Any, batch: tuple[int, ...]) -> State | None:
        count = self.num_layers * (1 + bool(self.bidirectional))
        sizes = [self._output_size, self.hidden_size][: len(KINDS[self.mode].states)]
        return self._given_state(hx, [(count, *batch, size) for size in sizes])

    def _forward_literal(
        self, input: Tensor, hx: Any, batch: tuple[int, ...], weights: list[Weights], at: At
    ) -> tuple[Tensor, Any]:
        time = 1 if self.batch_first and input.ndim == 3 else 0
        steps = input.shape[time]
        xs = []
        for t in range(steps):
            with at(t):
                xs.append((input[:, t] if time else input[t]).named("x", "input"))
        outputs, last = self._run(xs, None, self._initial(hx, batch, input.dtype), weights, at)
        output = stack(outputs, 0)  # one step after the other in memory, as PyTorch's lie
        states = self._packed_state(last)
        if not batch:
            for state in states if isinstance(states, tuple) else (states,):
                made_by("SqueezeBackward1", state)
        return made_by(self._torchs_name(input), output.transpose(0, 1) if time else output), states

    def _torchs_name(self, input: Tensor) -> str:
        """What PyTorch, which computes a layer in one operation, calls the node of the output."""
        if input.ndim == 2:
            return "SqueezeBackward1"
        if self.batch_first:
            return f"TransposeBackward{0 if self.mode == 'LSTM' else 1}"
        if self.bidirectional:
            return "CatBackward0"
        fast = self.mode == "LSTM" and input.dtype == float32
        return "MkldnnRnnLayerBackward0" if fast else "StackBackward0"

    def _forward_packed(self, input: PackedSequence, hx: Any, at: At) -> tuple[PackedSequence, Any]:
        data, batch_sizes, order, back = input
        weights = self._weights()
        self._check_input(data, weights, packed=True)
        counts = [int(n) for n in batch_sizes.array]
        given = self._given_states(hx, (counts[0],))
        if order is not None and given is not None:
            with step(0):
                given = tuple(s.index_select(1, order) for s in given)

        def literal(x: Tensor, state: Any, own: list[Weights]) -> tuple[Tensor, Any]:
            return self._packed_literal(x, state, (counts, back), own, at)

        # beyond the end of a sequence the state of ReLU may grow out of all bounds
        if is_fused(self.fused) and self._can_fuse(weights) and self.mode != "RNN_RELU":
            from tinygrad_rnn.nn.fused import forward

            output, last = forward(self, data, given, weights, literal, (counts, back))
            states = self._handed_on(last, output, "CatBackward0", "StackBackward0")
        else:
            output, states = literal(data, as_given(given), weights)
        return PackedSequence(output, batch_sizes, order, back), states

    def _packed_literal(
        self, data: Tensor, hx: Any, packing: Packing, weights: list[Weights], at: At
    ) -> tuple[Tensor, Any]:
        counts, back = packing
        xs, start = [], 0
        for t, n in enumerate(counts):
            with at(t):
                xs.append(data[start : start + n].named("x", "input"))
            start += n
        initial = self._initial(hx, (counts[0],), data.dtype)
        outputs, last = self._run(xs, counts, initial, weights, at)
        if back is not None:
            last = [[s.index_select(0, back) for s in states] for states in last]
        return cat(outputs, 0), self._packed_state(last)

    def _handed_on(self, last: list[Tensor], output: Tensor, of_output: str, of_state: str) -> Any:
        """The last states as users get them; and everything called as PyTorch calls it."""
        for state in last:
            made_by(of_state, state)
        made_by(of_output, output)
        return as_given(last)

    def _weights(self) -> list[Weights]:
        """The weights of every layer and direction, as they are now."""
        return [
            weights_of(self, suffix, self._shapes(number))
            for number in range(self.num_layers)
            for suffix in self._suffixes(number)
        ]

    def _run(
        self,
        xs: list[Any],
        counts: Sequence[int] | None,
        initial: list[State],
        weights: list[Weights],
        at: At,
    ) -> tuple[list[Any], list[Any]]:
        """h_t of the last layer, and the last state of every layer and direction."""
        last: list[Any] = []
        for number in range(self.num_layers):
            if number and self.dropout and self.training:
                xs = [drop(x, self.dropout) for x in xs]
            directions = []
            for suffix in self._suffixes(number):
                reverse = suffix.endswith("_reverse")
                with layer(number, "reverse" if reverse else "forward"):
                    w, start = weights[len(last)], initial[len(last)]
                    hs, state = self._unroll(xs, counts, start, w, reverse, at)
                directions.append(hs)
                last.append(state)
            xs = directions[0]
            if self.bidirectional:
                with layer(number, None):
                    xs = _side_by_side(directions[0], directions[1], at)
        return xs, last

    def _unroll(
        self,
        xs: list[Any],
        counts: Sequence[int] | None,
        start: State,
        w: Weights,
        reverse: bool,
        at: At,
    ) -> tuple[list[Any], State]:
        """One layer in one direction: h_t of every step, and the state after the last one."""
        equation, state = KINDS[self.mode].step, start
        if reverse and counts is not None:
            state = _first(start, 0, counts[-1])  # the others join later
        hs: list[Any] = [None] * len(xs)
        ended: list[State] = []
        for t in reversed(range(len(xs))) if reverse else range(len(xs)):
            with at(t):
                if counts is not None:
                    state = _of_those_who_are_here(state, counts[t], start, ended)
                state = equation(xs[t], state, w)
            hs[t] = state[0]
        if ended:  # the shortest sequences ended first and stand last
            state = tuple(cat(parts, 0) for parts in zip(state, *reversed(ended), strict=True))
        return hs, state

    # -- state --

    def _initial(self, hx: Any, batch: tuple[int, ...], dtype: Any) -> list[State]:
        """The initial state of every layer and direction."""
        kind = KINDS[self.mode]
        count = self.num_layers * (1 + bool(self.bidirectional))
        sizes = [self._output_size, self.hidden_size][: len(kind.states)]
        given = self._given_states(hx, batch)
        with step(0):
            if given is None:
                return [
                    tuple(
                        zeros(*batch, size, dtype=dtype).named(name, "state")
                        for name, size in zip(kind.states, sizes, strict=True)
                    )
                    for _ in range(count)
                ]
            return [
                tuple(s[k].named(name, "state") for name, s in zip(kind.states, given, strict=True))
                for k in range(count)
            ]

    def _given_state(self, hx: Any, shapes: list[tuple[int, ...]]) -> State | None:
        owner, names = type(self).__name__, KINDS[self.mode].states
        if hx is None:
            return None
        if len(names) == 1:
            hx = (hx,)
        elif not isinstance(hx, tuple | list) or len(hx) != len(names):
            raise TypeError(f"{owner}: hx must be a tuple of two tensors, (h_0, c_0)")
        for state, name, shape in zip(hx, names, shapes, strict=True):
            if not isinstance(state, Tensor):
                kind = type(state).__name__
                raise TypeError(f"{owner}: the initial {name} must be a Tensor, got {kind}")
            if state.shape != shape:
                raise RuntimeError(
                    f"{owner}: the initial {name} has shape {state.array.shape}, expected {shape}: "
                    "(layers · directions, batch, features), without batch for an input without"
                )
        return tuple(hx)

    def _packed_state(self, last: list[Any]) -> Any:
        """The last states as users get them: one tensor for each of the state's parts."""
        parts = [stack(states, 0) for states in zip(*last, strict=True)]
        return as_given(parts)

    def _check_input(self, input: Any, weights: list[Weights], packed: bool = False) -> None:
        owner = type(self).__name__
        if not isinstance(input, Tensor):
            kind = type(input).__name__
            raise TypeError(f"{owner}: expected a Tensor or a PackedSequence, got {kind}")
        if packed and input.ndim != 2:
            raise RuntimeError(
                f"{owner}: the data of a PackedSequence must have 2 dimensions, (elements of all "
                f"sequences, features), got shape {input.array.shape}; pack a (T, batch, features)"
            )
        if input.ndim not in (2, 3):
            raise ValueError(f"{owner}: expected input to be 2D or 3D, got {input.ndim}D instead")
        dtype = weights[0].ih.array.dtype
        if input.array.dtype != dtype:
            raise ValueError(
                f"{owner}: the input is {input.array.dtype}, the weights are {dtype}; convert one "
                "of them"
            )
        check_features(owner, input, self.input_size)

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        parts = [f"{self.input_size}, {self.hidden_size}"]
        for name, default in (
            ("proj_size", 0), ("num_layers", 1), ("bias", True), ("batch_first", False),
            ("dropout", 0), ("bidirectional", False),
        ):  # fmt: skip
            value = getattr(self, name)
            if value != default:
                parts.append(f"{name}={value}")
        return ", ".join(parts)


def _clock(given: int | None) -> At:
    """Steps 1 … T, or the one that the program gives."""
    return lambda t: step(t + 1 if given is None else given)


def _of_those_who_are_here(state: State, n: int, start: State, ended: list[State]) -> State:
    """The state of the ``n`` sequences that have this time step.

    Going forward, sequences end: their last state is put aside. Going back, they join in.
    """
    rows = state[0].shape[0]
    if n < rows:
        ended.append(tuple(s[n:] for s in state))
        return tuple(s[:n] for s in state)
    if n > rows:
        return tuple(cat(pair, 0) for pair in zip(state, _first(start, rows, n), strict=True))
    return state


def _first(start: State, begin: int, end: int) -> State:
    """The initial state of some sequences, called so as that of all is."""
    with step(0):
        return tuple(s[begin:end].named(name, "state") for s, name in zip(start, "hc"))


def _side_by_side(forward: list[Any], backward: list[Any], at: At) -> list[Any]:
    """h_t of both directions at every step."""
    both = []
    for t, pair in enumerate(zip(forward, backward, strict=True)):
        with at(t):
            both.append(cat(pair, -1))
    return both


def _check_dropout(owner: str, dropout: Any, num_layers: int) -> None:
    if isinstance(dropout, bool) or not isinstance(dropout, int | float) or not 0 <= dropout <= 1:
        raise ValueError(
            f"{owner}: dropout must be a number from 0 to 1, the probability of an element being "
            f"zeroed, got {dropout!r}"
        )
    if dropout and num_layers == 1:
        warnings.warn(
            f"{owner}: dropout is applied after all layers but the last, so {dropout} does nothing "
            "with num_layers=1",
            stacklevel=4,
        )


def _check_projection(owner: str, mode: str, proj_size: int, hidden_size: int) -> None:
    if not proj_size:
        return
    if mode != "LSTM":
        raise ValueError(f"{owner}: proj_size is supported for LSTM only")
    if not 0 < proj_size < hidden_size:
        raise ValueError(
            f"{owner}: proj_size must be positive and less than hidden_size {hidden_size}, got "
            f"{proj_size}"
        )


class RNN(RNNBase):
    """An Elman network: h_t = tanh(W_ih x_t + b_ih + W_hh h_{t−1} + b_hh), for t = 1 … T.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html

    Parameters
    ----------
    input_size, hidden_size : int
        Numbers of features of x_t and of h_t.
    num_layers : int
        Layers on top of each other: h_t of one is x_t of the next.
    nonlinearity : "tanh" or "relu"
    bias : bool
        Whether there are b_ih and b_hh.
    batch_first : bool
        Whether batches come as (batch, T, features) instead of (T, batch, features).
    dropout : float
        The probability with which, in training, an element that passes between layers is zeroed.
    bidirectional : bool
        Whether there is a second set of weights that reads the sequence from its end.
    fused : bool
        Whether to compute the layer by a compiled program, in one node (see `tinygrad_rnn.fused`);
        not of packed sequences.

    Attributes
    ----------
    weight_ih_l[k] : Parameter of shape (hidden_size, input_size)
        For k > 0 (hidden_size, directions · hidden_size); of the reverse direction
        weight_ih_l[k]_reverse, and so on.
    weight_hh_l[k] : Parameter of shape (hidden_size, hidden_size)
    bias_ih_l[k], bias_hh_l[k] : Parameters of shape (hidden_size,)

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> rnn = tg.nn.RNN(3, 2, num_layers=2)
    >>> output, h_n = rnn(tg.zeros(5, 1, 3))
    >>> output.shape, h_n.shape
    (torch.Size([5, 1, 2]), torch.Size([2, 1, 2]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        fused: bool = False,
    ) -> None:
        mode = rnn_kind("RNN", nonlinearity)
        super().__init__(
            mode, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            device=device, dtype=dtype, fused=fused,
        )  # fmt: skip
        self.nonlinearity = nonlinearity

    if TYPE_CHECKING:

        def forward(
            self, input: Sequences, hx: Tensor | None = None
        ) -> tuple[Sequences, Tensor]: ...
        def __call__(  # type: ignore[override]
            self, input: Sequences, hx: Tensor | None = None
        ) -> tuple[Sequences, Tensor]: ...


class LSTM(RNNBase):
    """A long short-term memory (Hochreiter and Schmidhuber 1997; equations in `cells.lstm_step`).

    https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html

    Parameters
    ----------
    input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional :
        As for `RNN`.
    proj_size : int
        Size of a linear projection of h_t, or 0 for none (Sak et al. 2014).

    Attributes
    ----------
    weight_ih_l[k] : Parameter of shape (4·hidden_size, input_size)
        W_ii, W_if, W_ig, W_io below each other; likewise the others.
    weight_hh_l[k] : Parameter of shape (4·hidden_size, proj_size or hidden_size)
    bias_ih_l[k], bias_hh_l[k] : Parameters of shape (4·hidden_size,)
    weight_hr_l[k] : Parameter of shape (proj_size, hidden_size)

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> lstm = tg.nn.LSTM(3, 2, batch_first=True, bidirectional=True)
    >>> output, (h_n, c_n) = lstm(tg.zeros(1, 5, 3))
    >>> output.shape, h_n.shape, c_n.shape
    (torch.Size([1, 5, 4]), torch.Size([2, 1, 2]), torch.Size([2, 1, 2]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
        fused: bool = False,
    ) -> None:
        super().__init__(
            "LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            proj_size, device, dtype, fused,
        )  # fmt: skip

    if TYPE_CHECKING:

        def forward(self, input: Sequences, hx: Pair | None = None) -> tuple[Sequences, Pair]: ...
        def __call__(  # type: ignore[override]
            self, input: Sequences, hx: Pair | None = None
        ) -> tuple[Sequences, Pair]: ...


class GRU(RNNBase):
    """A gated recurrent unit (Cho et al. 2014; equations in `cells.gru_step`).

    https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html

    Parameters
    ----------
    input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional :
        As for `RNN`.

    Attributes
    ----------
    weight_ih_l[k] : Parameter of shape (3·hidden_size, input_size)
        W_ir, W_iz, W_in below each other; likewise the others.
    weight_hh_l[k] : Parameter of shape (3·hidden_size, hidden_size)
    bias_ih_l[k], bias_hh_l[k] : Parameters of shape (3·hidden_size,)

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> gru = tg.nn.GRU(3, 2)
    >>> output, h_n = gru(tg.zeros(5, 3))
    >>> output.shape, h_n.shape
    (torch.Size([5, 2]), torch.Size([1, 2]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        fused: bool = False,
    ) -> None:
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            device=device, dtype=dtype, fused=fused,
        )  # fmt: skip

    if TYPE_CHECKING:

        def forward(
            self, input: Sequences, hx: Tensor | None = None
        ) -> tuple[Sequences, Tensor]: ...
        def __call__(  # type: ignore[override]
            self, input: Sequences, hx: Tensor | None = None
        ) -> tuple[Sequences, Tensor]: ...
