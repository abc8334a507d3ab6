"""Recurrent programs of every kind, small enough to draw."""

from __future__ import annotations

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.nn import functional as F
from tinygrad_rnn.nn.utils import rnn


def layer(
    kind="LSTM", steps=4, *, layers=1, bidirectional=False, batch=0, given=False, last=False, **more
):
    """A built-in layer below a linear one; the loss is taken at every step, or at the last."""
    tg.manual_seed(0)
    more |= {"bidirectional": bidirectional, "dtype": tg.float64}
    net = getattr(tg.nn, kind)(2, 2, layers, **more)
    directions, size = 1 + bidirectional, more.get("proj_size", 0) or 2
    out = tg.nn.Linear(size * directions, 1, dtype=tg.float64)
    inner = (batch,) if batch else ()
    x = tg.randn(steps, *inner, 2, dtype=tg.float64)
    states = None
    if given:
        first = tg.randn(layers * directions, *inner, size, dtype=tg.float64)
        states = first.requires_grad_().named("h0")
        if kind == "LSTM":
            second = tg.randn(layers * directions, *inner, 2, dtype=tg.float64)
            states = states, second.requires_grad_().named("c0")
    y, _ = net(x, states)
    return ((out(y[-1] if last else y) - 1) ** 2).mean().named("L")


def packed(kind="GRU", **more):
    """Sequences of different lengths."""
    tg.manual_seed(0)
    net = getattr(tg.nn, kind)(1, 2, **more)
    y, _ = net(rnn.pack_sequence([tg.randn(n, 1) for n in (4, 2, 1)]))
    padded, _ = rnn.pad_packed_sequence(y)
    return (padded**2).sum()


def summary(kind="LSTM"):
    """The loss reads the last states, not the output."""
    tg.manual_seed(0)
    _, states = getattr(tg.nn, kind)(1, 2, 2)(tg.randn(3, 1))
    h = states[0] if kind == "LSTM" else states
    return (h**2).sum()


def encoder_decoder(layers=1):
    """What one layer ends with, another begins with."""
    tg.manual_seed(0)
    encoder, decoder = tg.nn.GRU(1, 2, layers), tg.nn.GRU(1, 2, layers)
    _, h = encoder(tg.randn(3, 1, 1))
    y, _ = decoder(tg.randn(3, 1, 1), h)
    return (y**2).sum()


def run_twice():
    """One layer, run over two sequences."""
    tg.manual_seed(0)
    net = tg.nn.RNN(1, 2)
    return sum((net(tg.randn(3, 1))[0] ** 2).sum() for _ in range(2))


class Cells(tg.nn.Module):
    """Embedding, two cells and an output, with a loss at each step."""

    def __init__(self):
        super().__init__()
        self.embedding = tg.nn.Embedding(5, 3)
        self.lower, self.upper = tg.nn.LSTMCell(3, 2), tg.nn.GRUCell(2, 2)
        self.out = tg.nn.Linear(2, 5)

    def forward(self, steps=4):
        h, c, k, loss = tg.zeros(1, 2), tg.zeros(1, 2), tg.zeros(1, 2), 0
        for t in range(1, steps + 1):
            with tg.step(t):
                h, c = self.lower(self.embedding(tg.tensor([t % 5])), (h, c))
                k = self.upper(h, k)
                loss = loss + F.cross_entropy(self.out(k), tg.tensor([(t + 1) % 5]))
        return loss


class Elman(tg.nn.Module):
    """A cell of two linear layers; ``inside``: the loss is summed up in the steps."""

    def __init__(self):
        super().__init__()
        self.i2h, self.h2h, self.out = (tg.nn.Linear(2, n) for n in (2, 2, 1))

    def forward(self, steps=4, inside=True):
        x, h, losses, total = tg.randn(steps, 2), tg.zeros(2), [], 0
        for t in range(steps):
            with tg.step(t + 1):
                h = tg.tanh(self.i2h(x[t]) + self.h2h(h))
                losses.append((self.out(h) - 1) ** 2)
                if inside:
                    total = total + losses[-1]
        return (total if inside else sum(losses)).sum()


def cells(steps=4):
    tg.manual_seed(0)
    return Cells()(steps)


def elman(steps=4, inside=True):
    tg.manual_seed(0)
    return Elman()(steps, inside)


def rnn_cell(steps=3):
    """A cell of one kind, whose states are stacked at the end."""
    tg.manual_seed(0)
    cell, h, found = tg.nn.RNNCell(1, 2), tg.zeros(1, 2), []
    for t in range(steps):
        with tg.step(t):
            h = cell(tg.randn(1, 1), h)
            found.append(h)
    return tg.stack(found).sum()


def _weights(*shapes):
    rng = np.random.default_rng(0)
    return [tg.tensor(rng.normal(size=s) / 2, dtype=tg.float64, requires_grad=True) for s in shapes]


def _inputs(steps, *shape):
    rng = np.random.default_rng(1)
    return [tg.tensor(rng.normal(size=shape), dtype=tg.float64) for _ in range(steps)]


def plain_lstm(steps=3, layers=1):
    """Gates written out; nothing has a name."""
    sizes = [(2, 8), (2, 8), (8,)] * layers
    parameters = _weights(*sizes)
    zero = tg.zeros(2, dtype=tg.float64)
    hs, cs, loss = [zero] * layers, [zero] * layers, 0
    for t, x in enumerate(_inputs(steps, 2), 1):
        with tg.step(t):
            y = x
            for n in range(layers):
                w, u, b = parameters[3 * n : 3 * n + 3]
                i, f, g, o = ((y @ w + hs[n] @ u + b)[2 * k : 2 * k + 2] for k in range(4))
                cs[n] = tg.sigmoid(f) * cs[n] + tg.sigmoid(i) * tg.tanh(g)
                hs[n] = y = tg.sigmoid(o) * tg.tanh(cs[n])
            loss = loss + (y**2).sum()
    return loss


def swap(steps=4):
    """a of one step comes from b of the last one, and b from a."""
    a, b = _weights((2,), (2,))
    w, u = _weights((2, 2), (2, 2))
    for t in range(steps):
        with tg.step(t):
            a, b = tg.tanh(b @ w), tg.sigmoid(a @ u)
    return (a * b).sum()


def skip(steps=6):
    """h of t comes from h of t−1 and of t−3."""
    (w,) = _weights((2, 2))
    hs = [tg.zeros(2, dtype=tg.float64) for _ in range(3)]
    for t, x in enumerate(_inputs(steps, 2), 1):
        with tg.step(t):
            hs.append(tg.tanh(hs[-1] @ w + hs[-3] + x))
    return hs[-1].sum()


def attention(steps=5):
    """Each step looks at all states before it."""
    w, q = _weights((2, 2), (2,))
    hs = [tg.zeros(2, dtype=tg.float64)]
    for t, x in enumerate(_inputs(steps, 2), 1):
        with tg.step(t):
            past = tg.stack(hs)
            context = tg.softmax(past @ q, 0) @ past
            hs.append(tg.tanh(hs[-1] @ w + context + x))
    return (hs[-1] ** 2).sum()


def several_losses(steps=4):
    """A loss at each step, one of the weights, and one of the last state."""
    w, v = _weights((2, 2), (2, 1))
    h, losses = tg.zeros(2, dtype=tg.float64), []
    for t, x in enumerate(_inputs(steps, 2), 1):
        with tg.step(t):
            h = tg.tanh(h @ w + x)
            losses.append(((h @ v - 1) ** 2).mean())
    return tg.stack(losses).mean() + 0.1 * (w**2).sum() + h.sum()


def fed_back(steps=4, teacher=False):
    """The output of a step, or what it should have been, is the input of the next."""
    w, u, v = _weights((1, 2), (2, 2), (2, 1))
    h, y, loss = tg.zeros(2, dtype=tg.float64), tg.ones(1, dtype=tg.float64), 0
    for t, target in enumerate(_inputs(steps, 1), 1):
        with tg.step(t):
            h = tg.tanh(y @ w + h @ u)
            y = h @ v
            loss = loss + ((y - target) ** 2).sum()
        y = target if teacher else y
    return loss


def backwards(steps=4):
    """A loop from the last step to the first."""
    (w,) = _weights((2, 2))
    h, xs = tg.zeros(2, dtype=tg.float64), _inputs(steps, 2)
    for t in reversed(range(steps)):
        with tg.step(t):
            h = tg.tanh(h @ w + xs[t])
    return h.sum()


def buffer(steps=4):
    """States are written into a buffer, in place."""
    (w,) = _weights((2, 2))
    h, out = tg.zeros(2, dtype=tg.float64), tg.zeros(steps, 2, dtype=tg.float64)
    for t, x in enumerate(_inputs(steps, 2)):
        with tg.step(t):
            h = tg.tanh(h @ w + x)
            out[t] = h
    return (out**2).sum()


def second_walk(steps=2):
    """The graph of a gradient, of which another gradient is taken."""
    (w,) = _weights((2, 2))
    h = tg.zeros(2, dtype=tg.float64)
    for t, x in enumerate(_inputs(steps, 2), 1):
        with tg.step(t):
            h = tg.tanh(h @ w + x)
    (slope,) = tg.autograd.grad((h**2).sum(), [w], create_graph=True)
    return (slope**2).sum()


def gated(steps=3):
    """A hand-written cell whose gates and state have names, below an output with a name."""
    w, u, v = _weights((2, 2), (2, 2), (2, 1))
    h, loss = tg.ones(2, dtype=tg.float64).named("h0"), 0
    for t, x in enumerate(_inputs(steps, 2), 1):
        with tg.step(t):
            z = tg.sigmoid(x.named("x") @ w).named("z")
            h = (z * h + (1 - z) * tg.tanh(h @ u)).named("h")
            y = (h @ v).named("y")
            e = ((y - 1) ** 2).sum().named("e")
        loss = loss + e
    return loss.named("L")


LAYERS = {
    "LSTM": layer,
    "LSTM of one step": lambda: layer(steps=1),
    "LSTM of two steps, two layers": lambda: layer(steps=2, layers=2),
    "LSTM of nine": lambda: layer(steps=9),
    "LSTM of fifty": lambda: layer(steps=50, layers=2, last=True),
    "RNN": lambda: layer("RNN"),
    "GRU, batch": lambda: layer("GRU", 3, batch=3),
    "LSTM, projected": lambda: layer(steps=3, proj_size=1),
    "LSTM, given states": lambda: layer(steps=3, layers=2, given=True),
    "GRU, given states, both ways": lambda: layer("GRU", 3, bidirectional=True, given=True),
    "GRU, both ways, two layers": lambda: layer("GRU", 3, layers=2, bidirectional=True),
    "LSTM, both ways": lambda: layer(steps=3, bidirectional=True),
    "RNN, both ways, of fifty": lambda: layer("RNN", 50, bidirectional=True, layers=2),
    "GRU, dropout": lambda: layer("GRU", 3, layers=2, dropout=0.5),
    "packed GRU": packed,
    "packed LSTM, both ways": lambda: packed("LSTM", bidirectional=True),
    "packed RNN, two layers": lambda: packed("RNN", num_layers=2),
    "last states": summary,
    "encoder and decoder": encoder_decoder,
    "encoder and decoder of two layers": lambda: encoder_decoder(2),
    "run twice": run_twice,
}
LOOPS = {
    "cells": cells,
    "cells, twelve steps": lambda: cells(12),
    "Elman": elman,
    "Elman, loss outside": lambda: elman(inside=False),
    "Elman, twenty steps": lambda: elman(20),
    "RNN cell": rnn_cell,
    "plain LSTM": plain_lstm,
    "two plain LSTMs": lambda: plain_lstm(layers=2),
    "swap": swap,
    "skip": skip,
    "attention": attention,
    "attention, twelve steps": lambda: attention(12),
    "several losses": several_losses,
    "fed back": fed_back,
    "teacher": lambda: fed_back(teacher=True),
    "backwards": backwards,
    "backwards, twelve steps": lambda: backwards(12),
    "buffer": buffer,
    "second walk": second_walk,
    "gated": gated,
}
NETWORKS = LAYERS | LOOPS
