"""
Vanishing and exploding gradients
=================================

From step to step a gradient is multiplied by a matrix, the Jacobian of the state with respect to
the one before. Its singular values say how much of it can be left, and those of the recurrent
weights bound them. They are measured here in nets that differ in nothing but the size of W_hh.
"""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, nn, viz
from tinygrad_rnn.utils import options

settings = options(
    steps=(40, "of time"), units=(16, "of the net"), picture=("vanishing.svg", "where it goes")
)

# %%
# Three nets
# ----------
#
# An orthogonal matrix turns the state and keeps its length: all its singular values are 1. Times a
# gain, they are all that gain.

GAINS = 0.7, 1.0, 1.4


def net_of(gain):
    tg.manual_seed(0)
    rnn = nn.RNN(1, settings.units, dtype=tg.float64)
    nn.init.orthogonal_(rnn.weight_hh_l0, gain)
    return rnn


def walk_of(rnn, size=0.1):
    """A loss at the last step alone, so that all of its gradient comes through time."""
    tg.manual_seed(1)
    output, _ = rnn(size * tg.randn(settings.steps, 1, dtype=tg.float64))
    return bptt.record(output[-1].sum())


# %%
# J_t = diag(1 − h_t²) W_hh: the slope of tanh is at most 1, so that no J_t stretches anything more
# than W_hh does. ``bound`` is that largest singular value; below 1 the gradient vanishes.

last = settings.steps
walks = {}
for gain in GAINS:
    rnn = net_of(gain)
    walks[gain] = walk_of(rnn)
    factors = bptt.jacobians(walks[gain])
    largest = max(sigma.max() for sigma in factors.singular_values().values())
    radius = np.mean(list(factors.spectral_radius().values()))
    product = np.linalg.norm(factors.between(1, last), 2)
    print(
        f"σ(W_hh) = {tg.linalg.svdvals(rnn.weight_hh_l0)[0].item():.2f}: "
        f"largest σ(J_t) {largest:.3f}, mean radius {radius:.3f}, "
        f"‖∂h_{last}/∂h_1‖ = {product:.1e} ≤ {factors.bound ** (last - 1):.1e}"
    )
    assert largest <= factors.bound * (1 + 1e-9)
    assert product <= factors.bound ** (last - 1) * (1 + 1e-9)

# %%
# The first vanishes, as it must. A bound above 1 promises nothing: the third could grow by
# five hundred thousand, but its states grow as well, and out there tanh is flat. Step by step:

print(bptt.jacobians(walks[0.7]))

# %%
# What a net does with its input matters, too
# -------------------------------------------
#
# The same orthogonal W_hh, which could keep everything. Large inputs saturate the units, and what
# is multiplied is no longer W_hh but next to nothing.

rnn = net_of(1.0)
for size in (0.01, 0.1, 1.0, 10.0):
    factors = bptt.jacobians(walk_of(rnn, size))
    product = np.linalg.norm(factors.between(1, last), 2)
    print(f"inputs of size {size:5}: ‖∂h_{last}/∂h_1‖ = {product:.0e}")

# %%
# Without tanh nothing holds the third net, and the gradient explodes
# -------------------------------------------------------------------

rnn = net_of(1.4)
h = tg.zeros(settings.units, dtype=tg.float64)
for x in 0.1 * tg.randn(settings.steps, 1, dtype=tg.float64):
    h = nn.functional.linear(x, rnn.weight_ih_l0) + nn.functional.linear(h, rnn.weight_hh_l0)
walk = bptt.record(h.sum())
factors = bptt.jacobians(walk)
product = np.linalg.norm(factors.between(2, last), 2)
print(f"‖∂h_{last}/∂h_2‖ = {product:.3e}, 1.4^{last - 2} = {1.4 ** (last - 2):.3e}")
assert np.isclose(product, 1.4 ** (last - 2))

# %%
# One that explodes is cut back before it is used: the direction stays, the length is bounded.

before = nn.utils.clip_grad_norm_([rnn.weight_hh_l0], max_norm=1.0)
after = rnn.weight_hh_l0.grad.norm()
print(f"‖∂L/∂W_hh‖ = {before.item():.1e}, clipped {after.item():.1f}")

# %%
# ``diagnose`` would have said so
# -------------------------------

for finding in [*bptt.diagnose(walks[0.7]), *bptt.diagnose(walk)]:
    print(f"{finding.kind}, {finding.where}: {finding.what}")

# %%
# All three in one walk, and how much of the gradient is left at each step, on one scale:


class Three(nn.Module):
    def __init__(self):
        super().__init__()
        self.shrinking, self.keeping, self.growing = map(net_of, GAINS)

    def forward(self, x):
        return sum(net(x)[0][-1].sum() for net in self.children())


walk = bptt.record(Three()(0.1 * tg.randn(settings.steps, 1, dtype=tg.float64)))
picture = viz.gradient_flow(walk, title="W_hh times 0.7, 1 and 1.4: a loss at the last step")
picture.save(settings.picture)
picture
