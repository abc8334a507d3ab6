"""The programs that both libraries run, written once: ``lib`` is tinygrad_rnn or torch."""

from __future__ import annotations

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
    """A literal LSTM of primitives, with all gates in one product and sliced out of it."""

    def __init__(
        self,
        lib: Any,
        steps: int = 50,
        batch: int = 16,
        inputs: int = 32,
        hidden: int = 32,
        gates: str = "slices",
    ):
        rng = np.random.default_rng(0)
        self.lib, self.hidden, self.batch, self.gates = lib, hidden, batch, gates
        self.weights = [
            (rng.standard_normal(shape) * 0.1).astype(np.float32)
            for shape in ((inputs, 4 * hidden), (hidden, 4 * hidden), (4 * hidden,))
        ]
        xs = rng.standard_normal((steps, batch, inputs)).astype(np.float32)
        self.xs = [lib.tensor(x) for x in xs]

    def parts(self, z: Any) -> Any:
        if self.gates == "chunk":
            return z.chunk(4, 1)
        n = self.hidden
        return z[:, :n], z[:, n : 2 * n], z[:, 2 * n : 3 * n], z[:, 3 * n :]

    def forward(self) -> Any:
        lib = self.lib
        w, u, b = self.parameters = [
            lib.tensor(array, requires_grad=True) for array in self.weights
        ]
        h, c = lib.zeros(self.batch, self.hidden), lib.zeros(self.batch, self.hidden)
        for x in self.xs:
            i, f, g, o = self.parts(x @ w + h @ u + b)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        return h.sum()

    def __call__(self) -> Any:
        self.forward().backward()
        return self.parameters[0].grad
