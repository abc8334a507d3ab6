"""
A stacked net is a grid
=======================

Three layers, three time steps, ReLU: a blog post runs this net in PyTorch, and then computes its
states by hand, as three numbers. They are nine, layer by time. Here they are computed again, by
hand and by the net, together with what backpropagation makes of them.
"""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, nn, viz
from tinygrad_rnn.utils import options

settings = options(picture=("grid.svg", "where the picture goes"))

# %%
# The net
# -------
#
# For the same seed the weights are PyTorch's, and so is what is printed.

tg.manual_seed(0)
rnn = nn.RNN(1, 1, num_layers=3, nonlinearity="relu")
data = tg.tensor([1.0, 2.0, 3.0]).reshape(3, 1, 1)
output, hn = rnn(data)
print(hn)

# %%
# By hand
# -------
#
# The state of layer k at time t has two neighbours: the layer below at the same time, and its own
# layer one step earlier. PyTorch has two biases, which are added:
#
# h = relu(w_ih · below + b_ih + w_hh · before + b_hh)

w = {name: parameter.item() for name, parameter in rnn.named_parameters()}
z, h = np.zeros((3, 4)), np.zeros((4, 4))  # h[0] is the data, h[k + 1] layer k; column 0 is t = 0
h[0, 1:] = [1.0, 2.0, 3.0]
for t in (1, 2, 3):
    for k in (0, 1, 2):
        below = w[f"weight_ih_l{k}"] * h[k, t] + w[f"bias_ih_l{k}"]
        before = w[f"weight_hh_l{k}"] * h[k + 1, t - 1] + w[f"bias_hh_l{k}"]
        z[k, t] = below + before
        h[k + 1, t] = max(z[k, t], 0.0)
for k in (0, 1, 2):
    cells = (f"{z[k, t]:9.6f} → {h[k + 1, t]:.6f}" for t in (1, 2, 3))
    print(f"layer {k}:", "   ".join(cells))

# %%
# The post has −1.56 → 0, 0.0027 → 0.0027 and −0.7641 → 0. These are no cells of the grid:
#
# * it goes up one layer and on one time step at once, so that layer 1 sees x₂ = 2 where its input
#   is the state of layer 0;
# * the recurrent weight of layer 1 multiplies the state of layer 0, not layer 1's own.
#
# Two of the three are right in the end, because ReLU makes the same zero of any negative number.
# The middle one is not, and contradicts what the post has printed two lines above.

r = {name: round(number, 4) for name, number in w.items()}  # as the post has them
in_the_post = r["weight_ih_l1"] * 2 + r["weight_hh_l1"] * 0 + r["bias_ih_l1"] + r["bias_hh_l1"]
print(f"the post {in_the_post:.4f}; layer 1 at t = 2 {h[2, 2]:.4f}, at t = 3 {h[2, 3]:.4f}")
assert np.isclose(in_the_post, 0.0027)
assert np.allclose(hn.view(-1).detach(), h[1:, 3], atol=1e-6)

# %%
# The net agrees with the grid, state by state.

walk = bptt.record(hn.sum())
for k in (0, 1, 2):
    states = [state.item() for state in walk.over_time("h", layer=k).values()]
    assert np.allclose(states, h[k + 1, 1:], atol=1e-6)

# %%
# Backward
# --------
#
# In the picture a box is a layer at one time step. What flows back is zero wherever a ReLU is off:
# layers 0 and 2 are dead, and only layer 1 hands its gradient on through time.

picture = viz.draw(walk, level="cell", title="Three layers, three steps, two of them dead")
picture.save(settings.picture)
picture

# %%
# Layer 1 is then a net of one number, h_t = w h_{t−1} + …, and the gradient of its last state can
# be written down: h₂ + w h₁ for the weight, and 1 + w + w² for the bias.

w_hh = w["weight_hh_l1"]
by_hand = h[2, 2] + w_hh * h[2, 1], 1 + w_hh + w_hh**2
print(f"by hand {by_hand[0]:.6f} and {by_hand[1]:.6f}")
print(f"by tape {rnn.weight_hh_l1.grad.item():.6f} and {rnn.bias_hh_l1.grad.item():.6f}")
assert np.allclose(by_hand, [rnn.weight_hh_l1.grad.item(), rnn.bias_hh_l1.grad.item()])
print(bptt.contributions(walk, rnn.weight_hh_l1))

# %%
# Could it learn?
# ---------------
#
# The post goes on to a loss on the output, which is the top layer's. That layer is dead: all twelve
# gradients are exactly zero, and no training will ever change them. ``diagnose`` says so.

rnn.zero_grad()
output, _ = rnn(data)
walk = bptt.record(nn.functional.mse_loss(output.view(-1), tg.tensor([2.0, 3.0, 4.0])))
assert not any(parameter.grad.any() for parameter in rnn.parameters())
for finding in bptt.diagnose(walk):
    print(f"{finding.kind}, {finding.where}: {finding.advice}")
