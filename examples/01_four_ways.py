"""
One net, four ways
==================

A lecture notebook walks two steps of a recurrent net forward with NumPy, under a heading that
promises backpropagation through time, and stops. Here is the rest: the gradients by hand, by the
tape, by PyTorch, and by the NumPy program that the tape writes.
"""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, viz
from tinygrad_rnn.testing import crosscheck
from tinygrad_rnn.utils import options

settings = options(picture=("four_ways.svg", "where the picture goes"))

# %%
# The net
# -------
#
# At each step the state and the input, joined, go through one matrix: h = tanh([h ; x] @ W + b).
# Each state is read out as y = h @ w + b_out, and the loss is the sum of both outputs.

W = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])  # two rows for h, the last for x
b = np.array([0.1, -0.1])
w = np.array([1.0, 2.0])
b_out = 0.1
xs = np.array([[1.0], [2.0]])

h, states, joined = np.zeros(2), [], []
for x in xs:
    joined.append(np.concatenate([h, x]))
    h = np.tanh(joined[-1] @ W + b)
    states.append(h)
    print("h =", h, " y =", h @ w + b_out)

# %%
# By hand
# -------
#
# Backwards, the newest step first. Two things come to each state: ``w`` from its own output, and
# ``dh`` from the step after it. Each step adds its share to the same gradients, because each step
# used the same weights.

dW, db, dw, db_out, dh = np.zeros((3, 2)), np.zeros(2), np.zeros(2), 0.0, np.zeros(2)
for h, hx in zip(reversed(states), reversed(joined)):
    dw += h
    db_out += 1.0
    da = (w + dh) * (1 - h * h)  # back through tanh
    dW += np.outer(hx, da)
    db += da
    dh = (W @ da)[:2]  # what [h ; x] receives: the part of h goes on to the step before
print("dL/dW =", dW, sep="\n")

# %%
# By the tape
# -----------
#
# The same net on tensors. ``lib`` is this package; it will be PyTorch in a moment.


def net(lib, W, b, w, b_out, xs):
    h, loss = lib.zeros(2, dtype=lib.float64), 0
    for x in xs:
        hx = lib.cat([h, x])
        h = lib.tanh(hx @ W + b)
        y = h @ w + b_out
        loss = loss + y
    return loss


given = {"W": W, "b": b, "w": w, "b_out": np.array(b_out), "xs": xs}
leaves = {name: tg.tensor(x, requires_grad=True).named(name) for name, x in given.items()}
with bptt.traced():  # so that tensors are called what the program calls them
    loss = net(tg, **leaves)
walk = bptt.record(loss)  # loss.backward(), and what it did
for name, by_hand in {"W": dW, "b": db, "w": dw, "b_out": db_out}.items():
    assert np.allclose(leaves[name].grad, by_hand)

# %%
# The walk is data. This is what each step gave to the gradient of W:

shares = bptt.contributions(walk, leaves["W"])
for t, share in shares.items():
    print(f"step {t}:", share.round(4), sep="\n")
assert np.allclose(shares[1] + shares[2], dW)

# %%
# The derivation that the walk carried out, first in symbols and then with the numbers in it. Visits
# that write to the same gradient are the whole of backpropagation through time: h₁ receives from
# its own output and from the step after it.

print(bptt.explain(walk, leaves["W"]))

# %%
# And this is the walk as a picture: forward in thin arrows, backward in orange.

picture = viz.draw(walk, title="Two steps, forward and backward")
picture.save(settings.picture)
picture

# %%
# By PyTorch
# ----------
#
# ``crosscheck`` runs a function in both libraries and compares the result and every gradient.

result = crosscheck(net, *given.values())
print(result)
assert result.ok

# %%
# As a program
# ------------
#
# What was written by hand above, the engine can write: from the rules that its walk used, and as
# a program that needs nothing but NumPy.

text = bptt.program(walk)
print(text)

# %%
# Run, it gives the same gradients, those of the inputs included.

program = {}
exec(text, program)
loss, saved = program["forward"](**text.arguments)
for gradient, leaf in zip(program["backward"](1.0, saved), leaves.values()):
    assert np.allclose(gradient, leaf.grad)
print(f"L = {loss:.8f}: by hand, by tape, by PyTorch and by the program, the gradients agree")
