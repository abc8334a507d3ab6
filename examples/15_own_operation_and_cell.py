"""A recurrent cell of your own: a loop of plain operations, tagged with its time steps.

The cell is a minimal gated unit, h_t = (1 − z) ⊙ h_{t−1} + z ⊙ tanh(x W + h_{t−1} U).
The picture and the split of each gradient by time step come without further work.
"""

from __future__ import annotations

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, viz


def main() -> None:
    rng = np.random.default_rng(0)
    W, U, Wz = (
        tg.tensor(rng.normal(size=shape), requires_grad=True).named(name, "parameter")
        for name, shape in (("W", (1, 2)), ("U", (2, 2)), ("Wz", (1, 2)))
    )
    h = tg.zeros(1, 2, dtype=tg.float64).named("h", "state")
    for value in [1.0, -0.5, 0.25]:
        x = tg.tensor([[value]], dtype=tg.float64).named("x", "input")
        z = tg.sigmoid(x @ Wz).named("z")
        candidate = tg.tanh(x @ W + h @ U).named("c")
        h = ((1 - z) * h + z * candidate).named("h", "state")
    walk = bptt.record((h * h).sum().named("L"))
    for name, parameter in (("W", W), ("U", U), ("Wz", Wz)):
        shares = {t: np.linalg.norm(g) for t, g in bptt.contributions(walk, parameter).items()}
        print(name, "  ".join(f"t={t}: {norm:.4f}" for t, norm in shares.items()))
    viz.draw(walk, title="A minimal gated unit over three steps").save("own_cell.svg")
    print("wrote own_cell.svg")


if __name__ == "__main__":
    main()
