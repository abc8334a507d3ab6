"""
Sine waves, two LSTM cells and LBFGS
====================================

A classic among PyTorch's examples: two LSTM cells learn to continue sine waves. Every iteration of
LBFGS sees all waves at full length, and then the net goes on by itself, fed with what it said.
"""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, nn, optim, viz
from tinygrad_rnn.utils import options

settings = options(
    rounds=(8, "calls of LBFGS's step, of 20 iterations each"),
    length=(100, "of a wave that is learned"),
    units=(24, "in each of the two cells"),
    picture=("sine.svg", "where the picture goes"),
)
tg.manual_seed(0)

# %%
# Waves
# -----
#
# Of one period, 20 steps, and any phase. A few are kept to test with. LBFGS wants double precision.

numbers = np.random.default_rng(0)
time = np.arange(settings.length + 41) + numbers.integers(-80, 80, size=(16, 1))
waves = tg.tensor(np.sin(2 * np.pi * time / 20)[..., None]).transpose(0, 1)  # (T, waves, 1)
train, test = waves[:, 3:], waves[:, :3]

# %%
# The net
# -------
#
# Two cells and a readout, one time step at a time. ``scan`` applies a step to a whole sequence,
# ``compiled`` as one program for both ways through time.


class Forecaster(nn.Module):
    def __init__(self, units):
        super().__init__()
        self.units = units
        self.lower = nn.LSTMCell(1, units, dtype=tg.float64)
        self.upper = nn.LSTMCell(units, units, dtype=tg.float64)
        self.readout = nn.Linear(units, 1, dtype=tg.float64)

    def step(self, state, x):
        h1, c1, h2, c2 = state
        h1, c1 = self.lower(x, (h1, c1))
        h2, c2 = self.upper(h1, (h2, c2))
        return (h1, c1, h2, c2), self.readout(h2)

    def forward(self, xs, ahead=0):
        state = (tg.zeros(xs.shape[1], self.units, dtype=tg.float64),) * 4
        state, said = bptt.scan(self.step, state, xs, compiled=True)
        further = [said[-1]]
        for _ in range(ahead):  # from here on it reads what it has said
            state, y = self.step(state, further[-1])
            further.append(y)
        return tg.cat([said, tg.stack(further[1:])]) if ahead else said


net = Forecaster(settings.units)
optimizer = optim.LBFGS(net.parameters(), lr=0.8)
history = bptt.History()

# %%
# Learning
# --------
#
# LBFGS calls the loss as often as it wants to.


def closure():
    optimizer.zero_grad()
    said = net(train[: settings.length - 1])
    loss = nn.functional.mse_loss(said, train[1 : settings.length])
    loss.backward()
    history.add(loss=loss)
    return loss


for _ in history.over(range(settings.rounds), desc="LBFGS"):
    optimizer.step(closure)
losses = history["loss"]
print(f"mean squared error: {losses[0]:.4f} at first, {losses[-1]:.1e} after {len(losses)} passes")

# %%
# Going on alone
# --------------
#
# Forty steps, two periods, that it has never seen, of waves that it has never seen.

with tg.no_grad():
    continued = net(test[: settings.length], ahead=40)[settings.length - 1 :]
error = (continued - test[settings.length :]).abs().amax((1, 2))
for ahead in (1, 10, 20, 40):
    print(f"{ahead:2} steps ahead it is off by {error[ahead - 1].item():.3f} at most")

# %%
# Where what it says comes from
# -----------------------------
#
# The gradient of the last word alone, on its way back through both cells. The program above was
# one operation; who looks gets every step of it.

walk = bptt.record(net(test[:40])[-1].sum())
picture = viz.gradient_flow(walk)
picture.save(settings.picture)
picture
