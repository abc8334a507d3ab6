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


# -- programs that look odd, and are right ---------------------------------------------------------

ODD = {}


def odd(function):
    ODD[function.__name__] = function
    return function


def _loop(cell, xs, h, start=1, between=lambda t, h: h):
    hs = []
    for t, x in enumerate(xs, start):
        with tg.step(t):
            h = cell(x, between(t, h))
        hs.append(h)
    return hs


def _mse(hs, rng):
    return sum(((h - tg.randn(*h.shape)) ** 2).mean() for h in hs)


@odd
def encoder_then_decoder(rng, B, H):
    encoder, decoder = tg.nn.GRUCell(3, H), tg.nn.GRUCell(2, H)
    h = _loop(encoder, tg.randn(5, B, 3), None)[-1]
    return _mse(_loop(decoder, tg.zeros(4, B, 2), h, 6), rng), [encoder, decoder]


@odd
def decoder_that_begins_anew_and_attends(rng, B, H):
    encoder, decoder = tg.nn.GRUCell(3, H), tg.nn.GRUCell(H, H)
    hs, h, out = tg.stack(_loop(encoder, tg.randn(5, B, 3), None)), tg.zeros(B, H), []
    for t in range(6, 10):
        with tg.step(t):
            weights = tg.softmax((hs * h).sum(-1), 0)  # over time, of the second axis the batch
            h = decoder((weights.unsqueeze(-1) * hs).sum(0), h)
        out.append(h)
    return _mse(out, rng), [encoder, decoder]


@odd
def teacher_forcing_by_chance(rng, B, H):
    cell, head = tg.nn.GRUCell(3, H), tg.nn.Linear(H, 3)
    y, targets, h, loss = tg.zeros(B, 3), tg.randn(8, B, 3), None, 0
    for t in range(1, 9):
        with tg.step(t):
            h = cell(y, h)
            y = head(h)
            loss = loss + ((y - targets[t - 1]) ** 2).mean()
            if rng.random() < 0.5:
                y = targets[t - 1]
    return loss, [cell, head]


@odd
def own_loop_with_teacher_forcing(rng, B, H):
    w, u = (tg.randn(H, H) / H**0.5).requires_grad_(), (tg.randn(H, H) / H**0.5).requires_grad_()
    y, targets, h, loss = tg.zeros(B, H), tg.randn(8, B, H), tg.zeros(B, H), 0
    for t in range(1, 9):
        with tg.step(t):
            h = y = tg.tanh(y @ w + h @ u)
            loss = loss + ((y - targets[t - 1]) ** 2).mean()
            if rng.random() < 0.5:
                y = targets[t - 1]
    return loss, [w, u]


@odd
def learned_first_state(rng, B, H):
    cell, h = tg.nn.RNNCell(3, H), tg.nn.Parameter(tg.zeros(1, H))
    return _mse(_loop(cell, tg.randn(6, B, 3), h.expand(B, H)), rng), [cell]


@odd
def detached_first_state(rng, B, H):
    cell = tg.nn.RNNCell(3, H)
    h = cell(tg.randn(B, 3)).detach()
    return _mse(_loop(cell, tg.randn(6, B, 3), h), rng), [cell]


@odd
def read_backwards(rng, B, H):
    cell, h, hs, xs = tg.nn.LSTMCell(3, H), None, [], tg.randn(6, B, 3)
    for t in range(6, 0, -1):
        with tg.step(t):
            h = cell(xs[t - 1], h)
        hs.append(h[0])
    return _mse(hs, rng), [cell]


@odd
def even_steps(rng, B, H):
    cell, h = tg.nn.GRUCell(3, H), None
    for t in (2, 4, 6, 8):
        with tg.step(t):
            h = cell(tg.randn(B, 3), h)
    return _mse([h], rng), [cell]


@odd
def two_sentences(rng, B, H):
    """A Siamese net: the same cell reads twice, each time from zeros."""
    cell = tg.nn.GRUCell(H, H)
    a, b = (_loop(cell, tg.randn(6, B, H), tg.zeros(B, H))[-1] for _ in range(2))
    return ((a - b) ** 2).mean(), [cell]


@odd
def residual(rng, B, H):
    w, h = (tg.randn(3, H) / 2).requires_grad_(), tg.zeros(B, H)
    for t in range(1, 7):
        with tg.step(t):
            h = h + tg.tanh(tg.randn(B, 3) @ w)
    return _mse([h], rng), [w]


@odd
def steps_without_memory(rng, B, H):
    """A head applied step by step is no recurrence."""
    net, hs = tg.nn.Sequential(tg.nn.Linear(H, H), tg.nn.Tanh(), tg.nn.Linear(H, H)), []
    for t in range(1, 6):
        with tg.step(t):
            hs.append(net(tg.randn(B, H)))
    return _mse(hs, rng), [net]


@odd
def clockwork(rng, B, H):
    w, u = (tg.randn(H, H) / H).requires_grad_(), (tg.randn(H, H) / H).requires_grad_()
    fast = slow = tg.zeros(B, H)
    for t in range(1, 9):
        with tg.step(t):
            if t % 2:
                slow = tg.tanh(slow @ w + fast)
            fast = tg.tanh(fast @ u + slow + tg.randn(B, H))
    return _mse([fast], rng), [w, u]


@odd
def weights_by_feature_over_time(rng, B, H):
    rnn, query = tg.nn.GRU(3, H), tg.nn.Linear(H, H)
    hs = rnn(tg.randn(7, B, 3))[0]
    return _mse([(tg.softmax(query(hs), 0) * hs).sum(0)], rng), [rnn, query]


@odd
def columns_are_samples(rng, B, H):
    """Weights stand on the left, so that the axis of classes is the first."""
    w, v = (tg.randn(H, 3) / 2).requires_grad_(), (tg.randn(4, H) / H).requires_grad_()
    p = tg.softmax(v @ tg.tanh(w @ tg.randn(3, B)), 0)
    return -tg.log(p[0]).mean(), [w, v]


@odd
def pooled_over_time(rng, B, H):
    rnn, head = tg.nn.LSTM(3, H), tg.nn.Linear(H, 2)
    hs = rnn(tg.randn(7, B, 3))[0]
    y = tg.tensor(rng.integers(0, 2, B))
    return F.cross_entropy(head(hs.mean(0)), y), [rnn, head]


@odd
def batch_first_and_pooled(rng, B, H):
    rnn, head = tg.nn.LSTM(3, H, batch_first=True), tg.nn.Linear(H, 2)
    hs = rnn(tg.randn(B, 7, 3))[0]
    y = tg.tensor(rng.integers(0, 2, B))
    pooled = hs[:, -1] if rng.random() < 0.5 else hs.mean(1)
    return F.cross_entropy(head(pooled), y), [rnn, head]


@odd
def copying_with_blanks(rng, B, H):
    """Inputs are zeros for most of the time."""
    w, u = (tg.randn(H, H) / H).requires_grad_(), (tg.randn(H, H) / H).requires_grad_()
    xs = tg.cat([tg.randn(2, B, H), tg.zeros(6, B, H)])
    cell = lambda x, h: tg.tanh(x @ w + h @ u)  # noqa: E731
    return _mse(_loop(cell, xs, tg.zeros(B, H))[-2:], rng), [w, u]


@odd
def two_losses_of_one_walk(rng, B, H):
    rnn = tg.nn.GRU(3, H)
    hs = rnn(tg.randn(5, B, 3))[0]
    ((hs**2).mean()).backward(retain_graph=True)
    rnn.zero_grad()
    return _mse(list(hs), rng), [rnn]


@odd
def zeros_in_the_last_layer(rng, B, H):
    rnn, head = tg.nn.GRU(3, H), tg.nn.Linear(H, 3)
    tg.nn.init.zeros_(head.weight)
    tg.nn.init.eye_(rnn.weight_hh_l0[:H].detach())
    y = tg.tensor(rng.integers(0, 3, B))
    hs = rnn(tg.randn(5, B, 3))[0]
    return F.cross_entropy(head(hs[-1]) + hs[-1, :, :3], y), [rnn, head]


@odd
def embedded_words(rng, B, H):
    words, rnn, head = tg.nn.Embedding(9, 3), tg.nn.GRU(3, H), tg.nn.Linear(H, 9)
    ids = tg.tensor(rng.integers(0, 9, (6, B)))
    scores = head(rnn(words(ids))[0])
    return F.cross_entropy(scores[:-1].permute(0, 2, 1), ids[1:]), [words, rnn, head]


@odd
def a_random_walk_of_states(rng, B, H):
    """Noise on the state, dropped units, a state normalised, a gate in front."""
    cell, norm, gate = tg.nn.RNNCell(3, H), tg.nn.LayerNorm(H), tg.nn.Linear(H, H)
    between = (
        lambda t, h: h + tg.randn(B, H) * 0.1,
        lambda t, h: F.dropout(h, 0.5),
        lambda t, h: norm(h),
        lambda t, h: h * tg.sigmoid(gate(h)),
    )[int(rng.integers(4))]
    return _mse(_loop(cell, tg.randn(6, B, 3), tg.zeros(B, H), between=between), rng), [cell]
