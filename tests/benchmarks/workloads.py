"""The programs that both libraries run, written once: ``lib`` is tinygrad_rnn or torch."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np


def chain(lib: Any, operations: int = 999) -> Any:
    """A chain of small elementwise operations on (4, 4): y = tanh(y * w + b), over and over."""
    x, w, b = (
        lib.tensor(np.full((4, 4), value, np.float32), requires_grad=True)
        for value in (0.5, 1.01, 0.01)
    )
    y = x
    for _ in range(operations // 3):
        y = lib.tanh(y * w + b)
    loss = y.sum()
    loss.backward()
    return w.grad


class LSTM:
    """An LSTM written with primitives: i, f, g, o from x and h, c = f·c + i·g, h = o·tanh(c).

    ``gates`` says how the four pre-activations come about: "separate", each from weights of its
    own, as in the equations; or from one product of all, taken apart by "chunk" or "slices".
    """

    def __init__(
        self,
        lib: Any,
        gates: str = "separate",
        *,
        steps: int = 50,
        batch: int = 16,
        inputs: int = 32,
        hidden: int = 32,
    ) -> None:
        rng = np.random.default_rng(0)
        self.lib, self.gates, self.batch, self.hidden = lib, gates, batch, hidden
        copies, width = (4, hidden) if gates == "separate" else (1, 4 * hidden)
        self.weights = [
            (rng.standard_normal(shape) * 0.1).astype(np.float32)
            for _ in range(copies)
            for shape in ((inputs, width), (hidden, width), (width,))
        ]
        self.xs = [
            lib.tensor(x) for x in rng.standard_normal((steps, batch, inputs)).astype(np.float32)
        ]

    def forward(self) -> Any:
        """The loss; the parameters are new leaves in every run."""
        lib, n = self.lib, self.hidden
        self.parameters = [lib.tensor(array, requires_grad=True) for array in self.weights]
        cells = [self.parameters[k : k + 3] for k in range(0, len(self.parameters), 3)]
        h, c = lib.zeros(self.batch, n), lib.zeros(self.batch, n)
        for x in self.xs:
            zs = [x @ w + h @ u + b for w, u, b in cells]
            if self.gates == "chunk":
                zs = zs[0].chunk(4, 1)
            elif self.gates == "slices":
                zs = [zs[0][:, k : k + n] for k in range(0, 4 * n, n)]
            i, f, g, o = zs[0].sigmoid(), zs[1].sigmoid(), zs[2].tanh(), zs[3].sigmoid()
            c = f * c + i * g
            h = o * c.tanh()
        return h.sum()

    def __call__(self) -> Any:
        """Forward and backward; returns a gradient."""
        self.forward().backward()
        return self.parameters[0].grad


class Recurrent:
    """Forward and backward of an `nn` layer, or of a loop over its cell (``"LSTMCell"``)."""

    def __init__(
        self, lib: Any, kind: str, *, steps: int = 50, batch: int = 16, size: int = 32
    ) -> None:
        lib.manual_seed(0)
        self.lib, self.steps = lib, steps
        self.module = getattr(lib.nn, kind)(size, size)
        self.state = lib.zeros(batch, size)
        rng = np.random.default_rng(0)
        self.x = lib.tensor(rng.standard_normal((steps, batch, size)).astype(np.float32))

    def __call__(self) -> Any:
        """Run; returns a gradient."""
        self.module.zero_grad()
        name = type(self.module).__name__
        if not name.endswith("Cell"):
            output, _ = self.module(self.x)
            h = output[-1]
        else:
            state = (self.state, self.state) if name == "LSTMCell" else self.state
            for t in range(self.steps):
                state = self.module(self.x[t], state)
            h = state[0] if name == "LSTMCell" else state
        h.sum().backward()
        return next(self.module.parameters()).grad


def tape_bytes_per_step(lib: Any, steps: int = 50) -> float:
    """What the graph of that LSTM holds per time step, parameters aside."""
    model = LSTM(lib, steps=steps)
    model.forward()  # what is made once stays out of the count
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    loss = model.forward()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del loss
    return (after - before) / steps
