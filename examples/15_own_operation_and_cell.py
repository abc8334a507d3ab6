"""
An operation and a cell of one's own
====================================

The package knows some 320 operations and three kinds of cells. Yours is one more: an operation is a
forward and one rule for each input, a cell is a function. Derivatives of any order, pictures,
tables and the compiled program come with them.
"""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, nn, viz
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.testing import assert_gradients
from tinygrad_rnn.utils import options

settings = options(picture=("own_cell.svg", "where the picture goes"))

# %%
# An operation
# ------------
#
# A squashing function whose slope falls off slowly, ``x / (1 + |x|)``, and its slope,
# ``1 / (1 + |x|)²``. What a rule needs are its arguments: the input here, ``y`` where the result is
# enough.

soft = Primitive("soft", lambda x: x / (1 + abs(x)), "x", symbol="soft")
soft.vjp("x", lambda g, x: g / (1 + abs(x)) ** 2, formula="g ⊘ (1 + |x|)²")

# %%
# It is checked against central differences, in the second order, too: the rule is NumPy, so it is
# recorded in turn.

assert_gradients(soft, np.array([-2.0, 0.3, 1.5]), second_order=True)
x = tg.tensor(1.0, requires_grad=True)
(slope,) = tg.autograd.grad(soft(x), x, create_graph=True)
(curvature,) = tg.autograd.grad(slope, x)
print(f"slope {slope.item()} = 1/4, curvature {curvature.item()} = −1/4")

# %%
# A cell
# ------
#
# A minimal gated unit (Zhou et al. 2016, simplified): one gate decides how much of the state is
# renewed, h_t = (1 − z) ⊙ h_{t−1} + z ⊙ soft(x W + h_{t−1} U).


class Gated(nn.Module):
    def __init__(self, inputs, units):
        super().__init__()
        self.W = nn.Parameter(tg.randn(inputs, units, dtype=tg.float64))
        self.U = nn.Parameter(tg.randn(units, units, dtype=tg.float64) / units**0.5)
        self.Wz = nn.Parameter(tg.randn(inputs, units, dtype=tg.float64))

    def step(self, h, x):
        z = tg.sigmoid(x @ self.Wz).named("z")
        h = (1 - z) * h + z * soft(x @ self.W + h @ self.U)
        return h.named("h", "state"), h


tg.manual_seed(0)
cell = Gated(1, 2)
xs = tg.tensor([1.0, -0.5, 0.25, 2.0], dtype=tg.float64).reshape(4, 1, 1)
h0 = tg.zeros(1, 2, dtype=tg.float64)

# %%
# ``scan`` applies a step to a sequence. Whoever looks finds every operation of every step:

last, hs = bptt.scan(cell.step, h0, xs)
walk = bptt.record((hs * hs).sum().named("L"))
for name, parameter in cell.named_parameters():
    shares = bptt.contributions(walk, parameter)
    print(name, "  ".join(f"t={t}: {np.linalg.norm(share):.4f}" for t, share in shares.items()))

# %%
picture = viz.draw(walk, level="cell", title="A gated cell of one's own, over four steps")
picture.save(settings.picture)
picture

# %%
# Written out, and run so
# -----------------------
#
# The backward through time of this cell as NumPy, its own rule included:

text = bptt.program(cell.step, h0, xs[0])
print(text[text.index("def backward") :])

# %%
# With ``compiled=True`` the same loop runs as such a program: the same numbers, in less time.

literal = {name: parameter.grad.clone() for name, parameter in cell.named_parameters()}
cell.zero_grad()
_, hs = bptt.scan(cell.step, h0, xs, compiled=True)
(hs * hs).sum().backward()
for name, parameter in cell.named_parameters():
    assert np.allclose(parameter.grad, literal[name])
print("compiled and literal gradients agree")
