"""
What truncation costs
=====================

Long sequences are learned in windows: every k steps the history is cut. What is cut can be
measured. Then three nets learn to repeat what they heard five steps ago, in windows that are too
short, just long enough, and long.
"""

import numpy as np

import tinygrad_rnn as tg
import tinygrad_rnn.nn.functional as F
from tinygrad_rnn import bptt, nn, optim, viz
from tinygrad_rnn.utils import options

settings = options(
    sequences=(200, "that each net learns from"),
    delay=(5, "after which a bit is to be repeated"),
    picture=("truncation.svg", "where the picture goes"),
)
LENGTH, BATCH, UNITS = 60, 32, 32

# %%
# The task, and a net
# -------------------
#
# Random bits come in, and each is asked for again after the delay. Nobody can say it sooner.


def sequence():
    bits = tg.randint(0, 2, (LENGTH, BATCH))
    return F.one_hot(bits, 2).float(), bits


class Echo(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(2, UNITS, fused=True)
        self.head = nn.Linear(UNITS, 2)

    def forward(self, x, h=None):
        output, h = self.rnn(x, h)
        return self.head(output), h


def loss_of(said, bits, first):
    """The loss of what is said from step ``first`` on, of steps that have something to repeat."""
    asked = range(max(first, settings.delay), first + len(said))
    if not asked:
        return None
    then = bits[asked[0] - settings.delay : asked[-1] + 1 - settings.delay]
    return F.cross_entropy(said[asked[0] - first :].flatten(0, 1), then.flatten())


# %%
# Measured
# --------
#
# One walk, and its gradient again with the time edges cut every k steps: by which angle does it
# turn, and how far is it off?

tg.manual_seed(0)
x, bits = sequence()


def walk_of(net):
    return bptt.record(loss_of(net(x)[0], bits, 0))


net = Echo()
walk = walk_of(net)
comparison = bptt.compare_truncation(walk, [1, 3, 6, 20, 60])
print("  k  angle  of W_hh alone")
for row in zip(comparison, comparison.angles(), comparison.angles(net.rnn.weight_hh_l0)):
    print("{:3}  {:4.1f}°  {:4.1f}°".format(*row))
assert comparison[60].angle() == 0.0

# %%
# A window as long as the sequence cuts nothing, one of a single step leaves no time at all. Where
# is it cut, and what arrived at the cut?

cut = bptt.truncate(walk, 6)
for severed in cut.severed[:3]:
    print(severed)

# %%
# Windows may also end by chance, and what comes through counts for more: each draw is off, but
# their mean is the full gradient (Tallec and Ollivier 2017).

W = net.rnn.weight_hh_l0
draws = [bptt.truncate(walk, 6, windows="random", seed=n).gradient(W) for n in range(100)]
full = walk.gradient(W)


def off(gradient):
    return np.linalg.norm(gradient - full) / np.linalg.norm(full)


print(f"one draw is off by {off(draws[0]):.0%}, the mean of 100 by {off(np.mean(draws, 0)):.0%};")
print(f"regular windows of 6 are off by {off(cut.gradient(W)):.0%}, each time")

# %%
# Learned
# -------
#
# The state goes on from window to window, its history does not. Who is always cut before the bit
# that is asked for can only guess: ln 2 = 0.693.


def trained(k):
    tg.manual_seed(0)
    net = Echo()
    optimizer = optim.Adam(net.parameters(), lr=3e-3)
    history = bptt.History()
    for _ in history.over(range(settings.sequences), desc=f"windows of {k}"):
        (x, bits), h = sequence(), None
        for first in range(0, LENGTH, k):
            said, h = net(x[first : first + k], None if h is None else h.detach())
            loss = loss_of(said, bits, first)
            if loss is not None:
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(net.parameters(), 1.0)
                optimizer.step()
                history.add(loss=loss)
    return net, history["loss"][-100:].mean()


nets, reached = {}, {}
for k in (3, 6, 20):
    nets[k], reached[k] = trained(k)
    print(f"windows of {k:2}: loss {reached[k]:.3f}")

# %%
# The angles at the start did not foretell that: much of a first gradient says how to guess evenly,
# for which no time is needed. The net that came no further, in windows of three, is another matter:
# what it could learn from now is what is cut.

W = nets[3].rnn.weight_hh_l0
comparison = bptt.compare_truncation(walk_of(nets[3]), [3, 6, 20])
for k, angle, error in zip(comparison, comparison.angles(W), comparison.relative_errors(W)):
    print(f"windows of {k:2}: {angle:4.1f}° from the whole gradient of W_hh, off by {error:.0%}")

# %%
# A walk that was cut, beside the whole one: nothing comes back from step 4 to step 3, and each tag
# says how much of a gradient is left.

cell = nn.RNNCell(1, 2)


def walk_with(cut):
    h, loss = tg.zeros(2), 0.0
    for t in range(1, 7):
        with tg.step(t):
            h = cell(tg.ones(1), h.detach() if t == cut else h)
            loss = loss + (h**2).sum()
    return bptt.record(loss)


picture = viz.compare(walk_with(None), walk_with(cut=4), names=("whole", "cut"), level="cell")
picture.save(settings.picture)
picture
