"""Random recurrent nets that have nothing wrong: fresh ones, and a few steps into training."""

from __future__ import annotations

import numpy as np

import tinygrad_rnn as tg

F = tg.nn.functional


class Net(tg.nn.Module):
    """A recurrent net of some kind, with a head: ``net(xs)`` are scores (T, B, classes)."""

    def __init__(self, rng, features, classes) -> None:
        super().__init__()
        self.way = str(rng.choice(WAYS))
        kind = str(rng.choice(["RNN", "LSTM", "GRU"]))
        self.hidden = hidden = width = int(rng.choice([4, 8, 16, 32]))
        if self.way in ("layer", "stacked", "bidirectional", "packed", "batch first", "dropout"):
            deep = self.way in ("stacked", "dropout")
            both = self.way == "bidirectional" or bool(rng.random() < 0.2)
            width = hidden * (1 + both)
            self.rnn = getattr(tg.nn, kind)(
                features, hidden, 2 if deep else 1, bidirectional=both,
                batch_first=self.way == "batch first",
                dropout=0.3 if self.way == "dropout" else 0.0,
            )  # fmt: skip
        elif self.way == "own tensors":
            bound = hidden**-0.5
            self.w = tg.nn.Parameter((tg.rand(features, hidden) * 2 - 1) * bound)
            self.u = tg.nn.Parameter((tg.rand(hidden, hidden) * 2 - 1) * bound)
            self.b = tg.nn.Parameter(tg.zeros(hidden))
        elif self.way == "cat":
            self.i2h = tg.nn.Linear(features + hidden, hidden)
        else:
            kind = "GRU" if self.way == "masked" else kind
            self.cell = getattr(tg.nn, f"{kind}Cell")(features, hidden)
            if self.way == "two cells":
                self.second = getattr(tg.nn, f"{kind}Cell")(hidden, hidden)
            if self.way == "attention":
                self.query = tg.nn.Linear(hidden, 1)
        self.head = tg.nn.Linear(width, classes)

    def forward(self, xs):
        return self.head(getattr(self, f"_{self.way.replace(' ', '_')}", self._layer)(xs))

    def _layer(self, xs):
        return self.rnn(xs)[0]

    def _batch_first(self, xs):
        return self.rnn(xs.transpose(0, 1))[0].transpose(0, 1)

    def _packed(self, xs):
        lengths = [max(1, len(xs) - 2 * i) for i in range(xs.shape[1])]
        packed = tg.nn.utils.rnn.pack_padded_sequence(xs, tg.tensor(lengths))
        return tg.nn.utils.rnn.pad_packed_sequence(self.rnn(packed)[0])[0]

    def _steps(self, xs, step, state):
        hs = []
        for t, x in enumerate(xs, 1):
            with tg.step(t):
                state = step(x, state)
            hs.append(state[0] if isinstance(state, tuple) else state)
        return tg.stack(hs)

    def _zeros(self, xs):
        return tg.zeros(xs.shape[1], self.hidden)

    def _own_tensors(self, xs):
        step = lambda x, h: tg.tanh(x @ self.w + h @ self.u + self.b)  # noqa: E731
        return self._steps(xs, step, self._zeros(xs))

    def _cat(self, xs):
        step = lambda x, h: tg.tanh(self.i2h(tg.cat([x, h], 1)))  # noqa: E731
        return self._steps(xs, step, self._zeros(xs))

    def _cell(self, xs):
        return self._steps(xs, self.cell, None)

    def _two_cells(self, xs):
        lower, upper, hs = None, None, []
        for t, x in enumerate(xs, 1):
            with tg.step(t):
                lower = self.cell(x, lower)
                upper = self.second(lower[0] if isinstance(lower, tuple) else lower, upper)
            hs.append(upper[0] if isinstance(upper, tuple) else upper)
        return tg.stack(hs)

    def _masked(self, xs):
        """Sequences that have ended keep their state."""
        lengths = tg.tensor([len(xs) - i // 2 for i in range(xs.shape[1])])

        h, hs = self._zeros(xs), []
        for t, x in enumerate(xs, 1):
            with tg.step(t):
                alive = (lengths >= t).float().unsqueeze(1)
                h = alive * self.cell(x, h) + (1 - alive) * h
            hs.append(h)
        return tg.stack(hs)

    def _attention(self, xs):
        hs = self._cell(xs)
        weights = tg.softmax(self.query(hs), 0)
        return hs + (weights * hs).sum(0)


WAYS = [
    "layer", "stacked", "bidirectional", "packed", "batch first", "dropout", "own tensors", "cat",
    "cell", "two cells", "masked", "attention",
]  # fmt: skip
LOSSES = ["cross entropy", "nll", "bce", "mse", "last", "soft"]


class Task:
    """A net, data to learn, and the loss that goes with it."""

    def __init__(self, rng) -> None:
        tg.manual_seed(int(rng.integers(1 << 30)))
        self.T, self.B = int(rng.integers(3, 14)), int(rng.integers(2, 7))
        features, self.classes = int(rng.choice([1, 3, 8])), int(rng.integers(2, 6))
        self.net = Net(rng, features, self.classes)
        self.kind = str(rng.choice(LOSSES))
        self.xs = tg.randn(self.T, self.B, features)
        self.y = tg.tensor(rng.integers(0, self.classes, (self.T, self.B)))

    def loss(self):
        scores, y = self.net(self.xs), self.y
        if self.kind == "last":
            return F.cross_entropy(scores[-1], y[-1])
        flat, labels = scores.reshape(-1, self.classes), y.reshape(-1)
        hot = F.one_hot(labels, self.classes).float()
        return {
            "cross entropy": lambda: F.cross_entropy(flat, labels),
            "nll": lambda: F.nll_loss(F.log_softmax(flat, 1), labels),
            "bce": lambda: F.binary_cross_entropy_with_logits(flat, hot),
            "mse": lambda: ((scores.tanh() - hot.reshape(scores.shape)) ** 2).mean(),
            "soft": lambda: -(hot * tg.log(F.softmax(flat, -1) + 1e-8)).sum(1).mean(),
        }[self.kind]()

    def trained(self, steps):
        """The loss after some steps of training."""
        optimizer = tg.optim.Adam(self.net.parameters(), lr=0.01)
        for _ in range(steps):
            optimizer.zero_grad()
            self.loss().backward()
            optimizer.step()
        optimizer.zero_grad()
        return self.loss()


def task(seed):
    return Task(np.random.default_rng(seed))
