"""
Second derivatives through time
===============================

Rules that are fed tensors record a graph, so a gradient can be differentiated like anything else.
That gives the curvature of the loss of a recurrent net: along one direction for the price of two
walks, and in full for a net that is small enough. The second walk can be drawn and played, too.
"""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, nn, viz
from tinygrad_rnn.autograd.functional import hessian, hvp
from tinygrad_rnn.utils import options, progress

settings = options(
    rounds=(60, "of the power iteration"),
    picture=("second_backward.svg", "where the picture goes"),
    player=("second_backward.html", "where the page to step through goes"),
)
tg.manual_seed(0)

# %%
# A net, and its loss as a function of the recurrent weights
# ----------------------------------------------------------

rnn = nn.RNN(1, 4, dtype=tg.float64)
xs, target = tg.randn(12, 1, 1, dtype=tg.float64), tg.randn(1, 4, dtype=tg.float64)
del rnn.weight_hh_l0  # a layer reads its weights as attributes: any tensor may stand there


def loss_of(W):
    rnn.weight_hh_l0 = W
    _, h = rnn(xs)
    return ((h[0] - target) ** 2).sum()


W = tg.randn(4, 4, dtype=tg.float64, requires_grad=True)

# %%
# The Hessian times a direction
# -----------------------------
#
# H v is the gradient of gᵀv. It takes a walk to record g and a second one through that record,
# whatever the size of H.

v = tg.randn(4, 4, dtype=tg.float64)
(g,) = tg.autograd.grad(loss_of(W), W, create_graph=True)
(Hv,) = tg.autograd.grad((g * v).sum(), W)

assert np.allclose(Hv, hvp(loss_of, W, v)[1])  # the same, by name

# %%
# Central differences of gradients have it, too, but for their error:


def gradient_at(W):
    return tg.autograd.grad(loss_of(W), W)[0]


e = 1e-5
by_differences = (gradient_at(W + e * v) - gradient_at(W - e * v)) / (2 * e)
print(f"largest difference: {(Hv - by_differences).abs().max().item():.0e}")
assert np.allclose(Hv, by_differences, atol=1e-6)

# %%
# The sharpest direction
# ----------------------
#
# Products are enough to find the largest eigenvalue: multiply again and again. The Hessian of 16
# weights can still be had in full, and agrees.

v = v / v.norm()
for _ in progress(range(settings.rounds), desc="power iteration"):
    _, Hv = hvp(loss_of, W, v)
    sharpness, v = (v * Hv).sum().item(), Hv / Hv.norm()
H = hessian(loss_of, W).reshape(16, 16)
eigenvalues = np.linalg.eigvalsh(H.numpy())
largest = max(eigenvalues, key=abs)
print(f"curvature by products {sharpness:.6f}, of the whole Hessian {largest:.6f}")
print("eigenvalues:", *(f"{value:.2f}" for value in eigenvalues))
assert np.isclose(sharpness, largest)
assert np.allclose(H, H.T)

# %%
# What the second walk does
# -------------------------
#
# A gradient penalty: P = ‖∂L/∂W‖² flows back through the backward of L. Its operations carry the
# time steps of those that they differentiate, so the second walk can be read by time as well.

w = tg.tensor([[0.5, -0.3], [0.2, 0.4]], dtype=tg.float64, requires_grad=True).named("W")
h = tg.zeros(2, dtype=tg.float64)
for t, value in enumerate((1.0, -0.5), 1):
    with tg.step(t):
        x = tg.tensor([value, 1.0], dtype=tg.float64)
        h = tg.tanh(x + h @ w)
(gradient,) = tg.autograd.grad((h * h).sum(), w, create_graph=True)
walk = bptt.record((gradient * gradient).sum().named("P"))
steps = sorted({visit.step for visit in walk.visits} - {None})
print(f"the second walk: {len(walk)} visits, at the time steps {steps}")
print("∂P/∂W =", walk.gradient(w).round(4).tolist())

# %%
page = viz.play(walk, settings.player, title="The walk back from a gradient penalty")
print(f"wrote {page}: open it in a browser")
picture = viz.draw(walk, level="op", title="The walk back from a gradient penalty")
picture.save(settings.picture)
picture
