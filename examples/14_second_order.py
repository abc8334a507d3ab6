"""The backward of a backward, step by step: how a gradient penalty flows back through time.

The gradient of the loss is itself computed by a recorded walk; its operations carry the time
step of those that they differentiate, so that the player can show the second walk by step, too.
"""

from __future__ import annotations

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, viz


def main() -> None:
    w = tg.tensor([[0.5, -0.3], [0.2, 0.4]], dtype=tg.float64, requires_grad=True)
    w.named("W", "parameter")
    with tg.step(0):
        h = tg.zeros(2, dtype=tg.float64).named("h", "state")
    for t, value in enumerate([1.0, -0.5], 1):
        with tg.step(t):
            x = tg.tensor([value, 1.0], dtype=tg.float64).named("x", "input")
            h = tg.tanh(x + h @ w).named("h", "state")
    (gradient,) = tg.autograd.grad((h * h).sum(), w, create_graph=True)
    penalty = (gradient * gradient).sum().named("P")

    walk = bptt.record(penalty)
    steps = {visit.step for visit in walk.visits}
    print(f"the second walk: {len(walk)} visits, at the time steps {sorted(steps - {None})}")
    print("∂P/∂W =", np.round(walk.gradient(w), 4).tolist())
    page = viz.play(walk, "second_backward.html", title="The walk back from a gradient penalty")
    print(f"wrote {page}: open it in a browser")


if __name__ == "__main__":
    main()
