"""Random programs of one loop or of an encoder and a decoder, put together from people's habits.

Each can be told its time steps, or left to have them found: what stands in a pass must come out
as of that step. A habit is drawn for each part that programs write in their own ways: the cell,
where inputs come from, what is kept of the states, what the decoder reads, where the loss is.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import nn

N, WORDS = 3, 4  # features of states and inputs; few words, so that they come again

State = tuple[tg.Tensor, ...]
Cell = Callable[[tg.Tensor, State | None], tuple[tg.Tensor, State]]


class Writer:
    """One who writes a program in some habits.

    Attributes
    ----------
    habits : dict of str, by str
        What was drawn.
    length : int
        How many steps the program has.
    """

    def __init__(self, seed: int, *, told: bool, **fixed: str) -> None:
        self.rng, self.told, self.fixed = np.random.default_rng(seed), told, fixed
        self.habits: dict[str, str] = {}
        self.length = 0
        tg.manual_seed(seed)

    def habit(self, what: str, *ways: str) -> str:
        """Draw one of the ways to do something."""
        drawn = ways[self.rng.integers(len(ways))]
        self.habits[what] = self.fixed.get(what, drawn)
        return self.habits[what]

    def step(self) -> AbstractContextManager[Any]:
        """The next time step."""
        self.length += 1
        return tg.step(self.length) if self.told else nullcontext()

    def write(self) -> tg.Tensor:
        """The loss of the program."""
        h, states, terms = self.read()
        if self.habit("decoder", "none", "there") == "there":
            h, terms = self.decode(h, states)
        is_kept = self.habits["kept"] == "rows read"  # nobody would have it from elsewhere
        if self.habit("final state", "read", "not read") == "read" and not is_kept:
            terms = terms.sum() + tg.cat(h).sum()
        return terms.sum()

    # -- the first loop --

    def read(self) -> tuple[State, tg.Tensor, tg.Tensor]:
        """Run over a sequence; the last state, all outputs, and what a loss is made of."""
        length = int(self.rng.integers(3, 6))
        inputs, cell, kept = self.inputs(length), self.cell("encoder"), self.keeping(length)
        out, loss = (
            nn.Linear(N, 2),
            self.habit("loss", "last", "in the loop", "after", "all", "sum"),
        )
        state: Any = self.initial()
        total: Any = tg.zeros(()) if self.rng.integers(2) else 0
        for t in range(length):
            with self.step():
                y, state = cell(inputs(t), kept.state(t, state))
                kept.put(t, y)
                if loss == "in the loop":
                    total = total + (out(y) ** 2).mean()
                elif loss == "sum":
                    total = total + y
        outputs = kept.all()
        if loss == "last":
            total = out(y)
        elif loss == "after":
            scores = [out(h) for h in kept.listed()]
            total = tg.stack(scores).log_softmax(-1)
        elif loss == "all":
            total = out(outputs)
        elif loss == "sum":
            total = out(total)
        return state, outputs, total

    def inputs(self, length: int) -> Callable[[int], tg.Tensor]:
        """Where the inputs come from."""
        words = tg.tensor(self.rng.integers(0, WORDS, length))
        x, way = tg.randn(length, 1, N), self.habit("inputs", *INPUTS)
        embedding, first = nn.Embedding(WORDS, N), nn.Linear(N, N)
        if way == "embedding":
            return lambda t: embedding(words[t]).view(1, -1)
        if way == "embedded at once":
            embedded = embedding(words)
            return lambda t: embedded[t].unsqueeze(0)
        if way == "layer":
            return lambda t: tg.relu(first(x[t]))
        if way == "one hot":
            return lambda t: nn.functional.one_hot(words[t : t + 1], N + 1)[:, :N].float()
        if way == "list":
            xs = [tg.randn(1, N) for _ in range(length)]
            return lambda t: xs[t]
        return lambda t: x[t]

    def initial(self) -> State | None:
        if self.habit("initial", "zeros", "learned", "none") == "learned":
            start = tg.randn(1, N, requires_grad=True)
            return start * 1, tg.tanh(start)
        return (tg.zeros(1, N), tg.zeros(1, N)) if self.habits["initial"] == "zeros" else None

    def keeping(self, length: int) -> Kept:
        return KEEPING[self.habit("kept", *KEEPING)](length)

    # -- cells --

    def cell(self, of: str) -> Cell:
        """A recurrent cell, perhaps with something done to its state besides."""
        kind = self.habit(f"{of} cell", *CELLS)
        cell = CELLS[kind](self.rng)
        extra = self.habit(f"{of} extra", "no", "no", *EXTRAS)
        return EXTRAS[extra](self.rng, cell) if extra in EXTRAS else cell

    # -- the second loop --

    def decode(self, state: State, states: tg.Tensor) -> tuple[State, tg.Tensor]:
        """Go on where the first loop ended."""
        length, cell = int(self.rng.integers(3, 6)), self.cell("decoder")
        fed, attends = self.habit("fed", *FED), self.habit("attends", "no", "dot", "additive")
        out, embedding = nn.Linear(N, WORDS), nn.Embedding(WORDS, N)
        combine, query = nn.Linear(2 * N, N), nn.Linear(N, N)
        y, total = tg.zeros(1, N), tg.zeros(())
        words = self.rng.integers(0, WORDS, length)
        word = tg.tensor([0])
        losses = self.habit("decoder's loss", "in the loop", "+=", "list")
        terms: list[tg.Tensor] = []
        state = (*state, tg.zeros(1, N))[:2]
        for t in range(length):
            with self.step():
                x = y if fed == "output" else embedding(word)
                if attends == "dot":
                    weights = tg.softmax(query(state[0]) @ states.t(), 1)
                    x = combine(tg.cat((x, weights @ states), 1))
                elif attends == "additive":
                    scores = tg.tanh(states + query(state[0])).sum(1)
                    x = tg.relu(combine(tg.cat((x[0], tg.softmax(scores, 0) @ states)))[None])
                h, state = cell(x, state)
                logits = nn.functional.log_softmax(out(h), 1)
                term = nn.functional.nll_loss(logits, tg.tensor([int(words[t])]))
                if losses == "list":
                    terms.append(term)
                elif losses == "+=":
                    total += term
                else:
                    total = total + term
                y = tg.tanh(h) if fed == "output" else y
                word = logits.argmax(1) if fed == "argmax" else tg.tensor([int(words[t])])
        return state, tg.stack(terms) if terms else total


# -- what is kept of the outputs -------------------------------------------------------------------


class Kept:
    """The outputs of all steps in a list."""

    def __init__(self, length: int) -> None:
        self.list: list[tg.Tensor] = []

    def state(self, t: int, state: State | None) -> State | None:
        """The state with which step ``t`` begins, from 0."""
        return state

    def put(self, t: int, y: tg.Tensor) -> None:
        """Keep the output of step ``t``."""
        self.list.append(y)

    def all(self) -> tg.Tensor:
        """All outputs in one tensor."""
        return tg.cat(self.list)

    def listed(self) -> list[tg.Tensor]:
        """One after another."""
        return self.list


class _InTensor(Kept):
    """The outputs are written in place into the rows of a tensor."""

    first = 0

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.tensor = tg.zeros(length + self.first, N)

    def put(self, t: int, y: tg.Tensor) -> None:
        self.tensor[t + self.first] = y[0]

    def all(self) -> tg.Tensor:
        return self.tensor[self.first :]

    def listed(self) -> list[tg.Tensor]:
        return [self.tensor[i] for i in range(self.first, len(self.tensor))]


class _AfterInitial(_InTensor):
    """``hs[t + 1] = h``: the first row is the initial state's."""

    first = 1


class _ReadAgain(_AfterInitial):
    """``h = hs[t]`` after ``hs[t] = …``: the state goes through the rows."""

    def state(self, t: int, state: State | None) -> State | None:
        return (self.tensor[t : t + 1].clone(), *_none(state)[1:])


class _Stacked(Kept):
    def all(self) -> tg.Tensor:
        return tg.stack(self.list).squeeze(1)


class _Joined(Kept):
    """A tensor that grows by ``cat``."""

    def all(self) -> tg.Tensor:
        joined = tg.empty(0, N)
        for y in self.list:
            joined = tg.cat([joined, y])
        return joined


KEEPING: dict[str, Callable[[int], Kept]] = {
    "list": Kept, "rows": _InTensor, "rows from 1": _AfterInitial, "rows read": _ReadAgain,
    "stack": _Stacked, "joined": _Joined,
}  # fmt: skip
INPUTS = ("embedding", "embedded at once", "layer", "one hot", "list", "part")
FED = ("teacher", "argmax", "output")

# -- cells -----------------------------------------------------------------------------------------


def _of_layer(kind: str) -> Callable[[np.random.Generator], Cell]:
    """A layer called with sequences of one step."""

    def make(rng: np.random.Generator) -> Cell:
        layer = getattr(nn, kind)(N, N)

        def run(x: tg.Tensor, state: State | None) -> tuple[tg.Tensor, State]:
            given: Any = state and tuple(each.unsqueeze(0) for each in state)
            if kind == "LSTM":
                y, new = layer(x.view(1, 1, -1), given)
                return y[0], tuple(each[0] for each in new)
            y, h = layer(x.view(1, 1, -1), given and given[0])
            return y[0], (h[0],)

        return run

    return make


def _of_cell(kind: str) -> Callable[[np.random.Generator], Cell]:
    def make(rng: np.random.Generator) -> Cell:
        cell = getattr(nn, f"{kind}Cell")(N, N)

        def run(x: tg.Tensor, state: State | None) -> tuple[tg.Tensor, State]:
            new = cell(x, state if kind == "LSTM" or state is None else state[0])
            return (new[0], new) if kind == "LSTM" else (new, (new,))

        return run

    return make


def _weights(*shapes: tuple[int, ...]) -> list[tg.Tensor]:
    return [(tg.randn(*shape) * 0.5).requires_grad_() for shape in shapes]


def _none(state: State | None) -> State:
    return (tg.zeros(1, N),) * 2 if state is None else state


def _by_hand(rng: np.random.Generator) -> Cell:
    """Tanh of two products."""
    u, w, b = _weights((N, N), (N, N), (N,))
    input_first = bool(rng.integers(2))

    def run(x: tg.Tensor, state: State | None) -> tuple[tg.Tensor, State]:
        h = _none(state)[0]
        h = tg.tanh(x @ u + h @ w + b if input_first else h @ w + x @ u + b)
        return h, (h,)

    return run


def _of_one_cat(rng: np.random.Generator) -> Cell:
    """One layer on input and state together."""
    linear = nn.Linear(2 * N, N)

    def run(x: tg.Tensor, state: State | None) -> tuple[tg.Tensor, State]:
        h = tg.tanh(linear(tg.cat((x, _none(state)[0]), 1)))
        return h, (h,)

    return run


def _peephole(rng: np.random.Generator) -> Cell:
    """An LSTM whose gates look at the cell."""
    wx, wh, peep = nn.Linear(N, 4 * N), nn.Linear(N, 4 * N, bias=False), _weights(*[(N,)] * 3)

    def run(x: tg.Tensor, state: State | None) -> tuple[tg.Tensor, State]:
        h, c = _none(state)
        i, f, g, o = (wx(x) + wh(h)).chunk(4, 1)
        i, f = tg.sigmoid(i + peep[0] * c), tg.sigmoid(f + peep[1] * c)
        c = f * c + i * tg.tanh(g)
        h = tg.sigmoid(o + peep[2] * c) * tg.tanh(c)
        return h, (h, c)

    return run


CELLS: dict[str, Callable[[np.random.Generator], Cell]] = {
    **{f"{kind}Cell": _of_cell(kind) for kind in ("RNN", "LSTM", "GRU")},
    **{kind: _of_layer(kind) for kind in ("RNN", "LSTM", "GRU")},
    "by hand": _by_hand, "one cat": _of_one_cat, "peephole": _peephole,
}  # fmt: skip


def _zoneout(rng: np.random.Generator, cell: Cell) -> Cell:
    """Some elements of the state stay as they were."""

    def run(x: tg.Tensor, state: State | None) -> tuple[tg.Tensor, State]:
        old = _none(state)
        _, new = cell(x, old)
        mask = tg.tensor(rng.integers(0, 2, (1, N)), dtype=tg.float32)
        mixed = tuple(mask * a + (1 - mask) * b for a, b in zip(old, new))
        return mixed[0], mixed

    return run


def _masked(rng: np.random.Generator, cell: Cell) -> Cell:
    """Nothing of the new state where a sequence has ended."""

    def run(x: tg.Tensor, state: State | None) -> tuple[tg.Tensor, State]:
        old = _none(state)
        _, new = cell(x, old)
        keep = tg.tensor([[True] if rng.integers(3) else [False]])
        kept = tuple(tg.where(keep, b, a) for a, b in zip(old, new))
        return kept[0], kept

    return run


def _dropped(rng: np.random.Generator, cell: Cell) -> Cell:
    """Dropout on the way to the next step."""

    def run(x: tg.Tensor, state: State | None) -> tuple[tg.Tensor, State]:
        _, new = cell(x, state)
        dropped = tuple(nn.functional.dropout(each, 0.3) for each in new)
        return dropped[0], dropped

    return run


def _residual(rng: np.random.Generator, cell: Cell) -> Cell:
    """The input is added to the output, and that is normalised."""
    norm = nn.LayerNorm(N)

    def run(x: tg.Tensor, state: State | None) -> tuple[tg.Tensor, State]:
        y, new = cell(x, state)
        y = norm(y + x)
        return y, (y, *new[1:])

    return run


EXTRAS = {"zoneout": _zoneout, "masked": _masked, "dropped": _dropped, "residual": _residual}
