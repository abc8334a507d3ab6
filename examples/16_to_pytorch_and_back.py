"""The same program in this package and in PyTorch, and how far their gradients differ."""

from __future__ import annotations

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.testing import three_way


def program(lib, W, U, b):
    """Three steps of an RNN; ``lib`` is either library."""
    h = lib.zeros(2, 3, dtype=lib.float64)
    for t in range(3):
        x = lib.tensor([[0.1 * t, 1.0], [0.5, -0.2 * t]], dtype=lib.float64)
        h = lib.tanh(x @ W + h @ U + b)
    return (h * h).sum()


def main() -> None:
    rng = np.random.default_rng(1)
    inputs = {
        "W": rng.normal(size=(2, 3)),
        "U": rng.normal(size=(3, 3)),
        "b": rng.normal(size=3),
    }
    result = three_way(program, inputs)
    print(result)
    print("agree" if result.ok else "DIFFER", f"(tinygrad_rnn {tg.__version__})")


if __name__ == "__main__":
    main()
