"""
Out to PyTorch and back
=======================

PyTorch is the reference here: functions, layers, weights and numbers are its own. So a net can be
carried over to be trained there, and back to be looked at; and where something of yours differs,
the place can be found.
"""

import numpy as np
import torch

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, nn, viz
from tinygrad_rnn.testing import crosscheck, crosscheck_module, from_torch, three_way, to_torch
from tinygrad_rnn.utils import options

settings = options(
    steps=(200, "of training in PyTorch"), picture=("from_torch.svg", "where the picture goes")
)

# %%
# One function, three witnesses
# -----------------------------
#
# ``lib`` is either library; differences and complex steps need neither's derivatives.


def program(lib, W, U, b):
    h = lib.zeros(2, 3, dtype=lib.float64)
    for t in range(3):
        x = lib.tensor([[0.1 * t, 1.0], [0.5, -0.2 * t]], dtype=lib.float64)
        h = lib.tanh(x @ W + h @ U + b)
    return (h * h).sum()


numbers = np.random.default_rng(1)
inputs = {name: numbers.normal(size=n) for name, n in {"W": (2, 3), "U": (3, 3), "b": 3}.items()}
witnesses = three_way(program, inputs)
print(witnesses)
assert witnesses.ok

# %%
# A layer, step by step
# ---------------------
#
# ``crosscheck_module`` rebuilds a module in PyTorch, with its weights, and compares outputs, all
# gradients, and what every time step gave to each of them.

tg.manual_seed(0)
lstm = nn.LSTM(1, 8, dtype=tg.float64)
check = crosscheck_module(lstm, numbers.normal(size=(6, 2, 1)))
print(check)
assert check.ok

# %%
# Out, trained there, and back
# ----------------------------
#
# A net is made here, learns in PyTorch to say the running sum of what it has read, and comes back.


class Summing(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 8)
        self.head = nn.Linear(8, 1)

    def forward(self, x):
        return self.head(self.lstm(x)[0])


mine = Summing()
lstm, head = to_torch(mine.lstm), to_torch(mine.head)
optimizer = torch.optim.Adam([*lstm.parameters(), *head.parameters()], lr=0.02)
torch.manual_seed(0)
history = bptt.History()
for _ in history.over(range(settings.steps), desc="in PyTorch"):
    x = torch.rand(8, 32, 1)
    loss = ((head(lstm(x)[0]) - x.cumsum(0)) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    history.add(loss=loss.item())
losses = history["loss"]
print(f"mean squared error: {losses[0]:.3f} at first, {losses[-1]:.4f} at last")

mine.lstm, mine.head = from_torch(lstm), from_torch(head)
x = numbers.random((8, 1, 1)).astype(np.float32)
theirs = head(lstm(torch.from_numpy(x))[0]).detach().numpy()
assert np.allclose(mine(tg.tensor(x)).detach(), theirs, atol=1e-5)

# %%
# Back here it can be looked at. Where does the gradient of the last sum come from?

walk = bptt.record(mine(tg.tensor(x))[-1].sum())
picture = viz.draw(walk, title="A net that was trained in PyTorch")
picture.save(settings.picture)
picture

# %%
# Where two programs part
# -----------------------
#
# The GRU of many lecture notes resets the state before the matrix product, PyTorch's after it. Both
# are called GRU. ``crosscheck`` names the first result that the other program never has.


def gru(lib, x, h, w_x, w_h):
    x_r, x_z, x_n = lib.chunk(x @ w_x, 3, -1)
    h_r, h_z, h_n = lib.chunk(h @ w_h, 3, -1)
    r, z = lib.sigmoid(x_r + h_r), lib.sigmoid(x_z + h_z)
    n = lib.tanh(x_n + ((r * h) @ w_h[:, 4:] if lib is tg else r * h_n))
    return (1 - z) * n + z * h


result = crosscheck(gru, *[numbers.normal(size=size) for size in ((1, 2), (1, 2), (2, 6), (2, 6))])
print(result.heading)
assert not result.ok
