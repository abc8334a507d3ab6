"""
Three texts in numbers
======================

What textbooks and papers say of backpropagation through time in formulas, here with numbers in
them: the chapter of *Dive into Deep Learning*, Pascanu, Mikolov and Bengio (2013), and Hochreiter
and Schmidhuber's error carousel (1997). Each formula is written out in NumPy once, beside the one
call that has it of any net.
"""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, nn, viz
from tinygrad_rnn.utils import options

settings = options(
    points=(41, "along each side of the error surface"),
    picture=("error_surface.svg", "where the picture goes"),
)
tg.manual_seed(0)

# %%
# Dive into Deep Learning, "Backpropagation Through Time"
# -------------------------------------------------------
#
# The linear net of its chapter: h_t = W_hx x_t + W_hh h_{t−1}, o_t = W_qh h_t, and a loss that is
# the mean of what each output costs.

T = 6
W_hx, W_hh, W_qh = (
    tg.randn(*size, dtype=tg.float64, requires_grad=True).named(name)
    for name, size in (("W_hx", (3, 2)), ("W_hh", (3, 3)), ("W_qh", (2, 3)))
)
xs, ys = tg.randn(T, 2, dtype=tg.float64), tg.randn(T, 2, dtype=tg.float64)

h, loss, states, outputs = tg.zeros(3, dtype=tg.float64), 0.0, [], []
for x, y in zip(xs, ys):
    h = (W_hx @ x + W_hh @ h).named("h", "state")
    o = W_qh @ h
    loss = loss + ((o - y) ** 2).sum() / T
    states.append(h)
    outputs.append(o)
walk = bptt.record(loss)

# %%
# The gradient of a state: ∂L/∂h_t = Σ_{i=t}^{T} (W_hhᵀ)^{T−i} W_qhᵀ ∂L/∂o_{T+t−i}.

A, Q = W_hh.detach().numpy().T, W_qh.detach().numpy().T
do = [2 * (o - y).detach().numpy() / T for o, y in zip(outputs, ys)]
flow = bptt.flow(walk).series[0]  # the one call
for t in range(1, T + 1):
    terms = (np.linalg.matrix_power(A, T - i) @ Q @ do[T + t - i - 1] for i in range(t, T + 1))
    assert np.allclose(flow.gradient[t], sum(terms))
print(bptt.flow(walk))

# %%
# And of a weight: ∂L/∂W_hh = Σ_t ∂L/∂h_t h_{t−1}ᵀ, a term for each step. At t = 1 h_0 is zero.

shares = bptt.contributions(walk, W_hh)  # the one call
for t in range(2, T + 1):
    assert np.allclose(shares[t], np.outer(flow.gradient[t], states[t - 2].detach()))
assert np.allclose(sum(shares.values()), W_hh.grad)
print(shares)

# %%
# Its figure compares three ways: in full, cut at regular windows, and cut by chance.

chance = [bptt.truncate(walk, 2, windows="random", seed=n).gradient(W_hh) for n in range(400)]
full, regular = W_hh.grad.numpy(), bptt.truncate(walk, 2).gradient(W_hh)
for way, gradient in {"full": full, "regular": regular, "chance": np.mean(chance, 0)}.items():
    off = np.linalg.norm(gradient - full) / np.linalg.norm(full)
    print(f"{way:8} off by {off:.0%}")

# %%
# Pascanu, Mikolov and Bengio: "On the difficulty of training recurrent neural networks"
# --------------------------------------------------------------------------------------
#
# Equations (3) to (5): the gradient as a double sum, over the loss terms E_t, and over the steps k
# at which the weight was used. ∂E_t/∂θ from k is Π_{t ≥ i > k} ∂h_i/∂h_{i−1} times its use at k.

matrix = bptt.contributions(walk, W_hh, by=("loss", "step"))  # the one call
for t, k in matrix:
    if k > 1:
        through_time = np.linalg.matrix_power(A, t - k) @ Q @ do[t - 1]
        assert np.allclose(matrix[t, k], np.outer(through_time, states[k - 2].detach()))
print(matrix)

# %%
# Section 2.1: if the largest singular value of W_hh times the steepest slope is below 1, gradients
# vanish for certain; a product of factors is at most the bound to that power.

rnn = nn.RNN(2, 8, dtype=tg.float64)
factors = bptt.jacobians(rnn, tg.randn(30, 2, dtype=tg.float64))  # the one call
sigma = np.linalg.svd(rnn.weight_hh_l0.detach().numpy(), compute_uv=False)[0]
assert np.isclose(factors.bound, sigma)
for s in (25, 20, 10, 1):
    norm, most = np.linalg.norm(factors.between(s, 30), 2), factors.bound ** (30 - s)
    print(f"‖∂h_30/∂h_{s}‖ = {norm:.1e} ≤ {factors.bound:.2f}^{30 - s} = {most:.1e}")
    assert norm <= most

# %%
# Equation (9), the regulariser Ω: at each step, how far the error is from keeping its norm on its
# way back. It is zero for an orthogonal net, and being part of a graph it trains.


def omega_of(W):
    h = [tg.ones(2, dtype=tg.float64, requires_grad=True)]
    for _ in range(10):
        h.append(W @ h[-1])
    return bptt.vanishing_penalty((h[-1] ** 2).sum(), h)  # the one call


turn = tg.tensor([[0.6, -0.8], [0.8, 0.6]], dtype=tg.float64, requires_grad=True)
for size in (1.0, 0.9, 0.5):
    omega, expected = omega_of(size * turn).item(), 10 * (1 - size) ** 2
    print(f"W_hh = {size} · a rotation: Ω = {omega:.4f}, 10 · (1 − {size})² = {expected:.4f}")
    assert np.isclose(omega, expected)

# %%
# Figure 6, the wall: the error of a single unit after fifty steps, over its weight and its bias.

w, b = (
    tg.tensor(x, dtype=tg.float64, requires_grad=True).named(name)
    for name, x in {"w": 5.0, "b": -2.0}.items()
)


def error():
    x = tg.tensor(0.5, dtype=tg.float64)
    for _ in range(50):
        x = w * tg.sigmoid(x) + b
    return (tg.sigmoid(x) - 0.7) ** 2


surface = bptt.error_surface(error, w, b, (4, 7), (-3, -1.5), points=settings.points)
ratio = surface.steepness.max() / np.median(surface.steepness)
print(f"at the wall {ratio:.0f} times as steep as in the median")
assert ratio > 20

# %%
picture = viz.error_surface(surface)  # the one call
picture.save(settings.picture)
picture

# %%
# Hochreiter and Schmidhuber: the constant error carousel
# -------------------------------------------------------
#
# c_t = f ⊙ c_{t−1} + i ⊙ g. Along c alone, an error is multiplied by the forget gates and nothing
# else: no weight, no slope of a squashing function.

lstm = nn.LSTM(2, 4, dtype=tg.float64)
output, _ = lstm(tg.randn(30, 2, dtype=tg.float64))
walk = bptt.record(output[-1].sum())
kept = bptt.jacobians(walk).along("c")  # the one call
gates = np.prod([gate.reshape(-1) for gate in walk.over_time("f").values()], axis=0)
assert np.allclose(kept, np.diag(gates))
print("the product of all forget gates:", gates)

# %%
# The LSTM of 1997 had no forget gate: f is 1, and an error that comes to the cell stays as it is,
# however long. That is the constant in its name. Opened wide, the gates come as close as one likes.

with tg.no_grad():
    for bias in (0.0, 3.0, 10.0, 40.0):
        lstm.bias_ih_l0[4:8] = bias  # i, f, g, o have four each
        kept = bptt.jacobians(lstm, tg.randn(30, 2, dtype=tg.float64)).along("c")
        print(f"forget bias {bias:4}: ∂c_30/∂c_0 along c = {np.diag(kept).mean():.4f}")
assert np.allclose(kept, np.eye(4))

# %%
# It was trained with a gradient that goes along the carousel and nowhere else: its gates learn, but
# send nothing back through time. How much that leaves out:

print(bptt.truncate(walk, along="c"))  # the one call
