"""An RNN learns to predict a sine wave one step ahead."""

from __future__ import annotations

import os

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import nn, optim


class Predictor(nn.Module):
    """Reads a sequence and says, at each step, what comes next."""

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.rnn = nn.RNN(1, hidden_size)
        self.head = nn.Linear(hidden_size, 1)

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        states, _ = self.rnn(x)
        return self.head(states)


def main(epochs: int = 300, steps: int = 40, rate: float = 0.05) -> float:
    """Train; returns the last loss."""
    tg.manual_seed(0)
    wave = np.sin(np.linspace(0, 4 * np.pi, steps + 1)).astype(np.float32).reshape(-1, 1, 1)
    x, target = tg.from_numpy(wave[:-1]), tg.from_numpy(wave[1:])
    model = Predictor(16)
    optimizer = optim.SGD(model.parameters(), lr=rate)
    for epoch in range(epochs):
        loss = nn.functional.mse_loss(model(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if epoch % 50 == 0 or epoch == epochs - 1:
            print(f"epoch {epoch:3}  mean squared error {loss.item():.5f}")
    return loss.item()


if __name__ == "__main__":
    main(epochs=20 if os.environ.get("TINYGRAD_RNN_SMALL") else 300)
