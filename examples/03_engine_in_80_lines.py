"""
An engine in 80 lines
=====================

What does it take to differentiate a recurrent net? A list of what was computed, one rule for each
operation, and a loop that goes through the list backwards. Here they are written from nothing, and
then grown, in three steps, towards the design of this package.
"""

import itertools

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, viz
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.utils import options

settings = options(picture=("engine.svg", "where the picture goes"))

# %%
# What a forward pass leaves behind
# ---------------------------------
#
# A number that was computed remembers by which operation, and of which inputs. It is also counted:
# whatever was made later has a higher number, so that no sorting of the graph is ever needed.

count = itertools.count()


class Tensor:
    __array_ufunc__ = None  # array @ tensor is ours to compute

    def __init__(self, array, operation=None, inputs=()):
        self.array = np.asarray(array, dtype=float)
        self.operation, self.inputs, self.number = operation, inputs, next(count)

    shape = property(lambda self: self.array.shape)
    T = property(lambda self: transpose(self))

    def __add__(self, other):
        return add(self, other)

    def __mul__(self, other):
        return multiply(self, other)

    def __rsub__(self, other):
        return add(other, multiply(self, -1.0))

    def __matmul__(self, other):
        return matmul(self, other)

    def __rmatmul__(self, other):
        return matmul(other, self)

    def sum(self, axis):
        return sum_of_rows(self)

    __radd__, __rmul__ = __add__, __mul__


# %%
# One operation, one place
# ------------------------
#
# An operation is its forward, and for each input a rule: given the gradient ``g`` of the result
# ``y``, the gradient of that input. Both are ordinary arithmetic.


class Operation:
    def __init__(self, forward, *rules):
        self.forward, self.rules = forward, rules

    def __call__(self, *inputs):
        inputs = [x if isinstance(x, Tensor) else Tensor(x) for x in inputs]
        return Tensor(self.forward(*[x.array for x in inputs]), self, inputs)


add = Operation(np.add, lambda g, y, a, b: g, lambda g, y, a, b: g)
multiply = Operation(np.multiply, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a)
matmul = Operation(np.matmul, lambda g, y, a, b: g @ b.T, lambda g, y, a, b: a.T @ g)
tanh = Operation(np.tanh, lambda g, y, x: g * (1 - y * y))
transpose = Operation(np.transpose, lambda g, y, x: g.T)
sum_of_rows = Operation(lambda x: x.sum(0), lambda g, y, x: g * np.ones(x.shape))

# %%
# The loop
# --------
#
# All that leads to the loss, newest first. When a tensor's turn comes, everything that used it has
# already had its own, so its gradient is complete, and can be handed on.


def tape(loss):
    found, todo = set(), [loss]
    while todo:
        tensor = todo.pop()
        if tensor not in found:
            found.add(tensor)
            todo.extend(tensor.inputs)
    return sorted(found, key=lambda tensor: -tensor.number)


def backward(loss, seen=lambda tensor: tensor.array):
    gradients = {loss: seen(Tensor(1.0))}
    for y in tape(loss):
        for x, rule in zip(y.inputs, y.operation.rules if y.operation else ()):
            share = summed_to(x.shape, rule(gradients[y], seen(y), *map(seen, y.inputs)))
            gradients[x] = gradients[x] + share if x in gradients else share
    return gradients


# %%
# A bias of shape (3,) that was added to a batch of shape (2, 3) was used twice, and what comes back
# is a sum over the batch. That belongs to no single rule, so the engine does it for all of them.


def summed_to(shape, gradient):
    while len(gradient.shape) > len(shape):
        gradient = gradient.sum(0)
    return gradient


# %%
# That is the engine. It differentiates a recurrent net through time, without a word about time:
# ``W`` is used at every step, so every step adds its share.


def loss_of(tanh, xs, W, U, b):
    h = np.zeros((2, 3))
    for x in xs:
        h = tanh(x @ U + h @ W + b)
    return h.sum(0).sum(0)


numbers = np.random.default_rng(0)
xs = numbers.normal(size=(4, 2, 1))  # 4 steps, a batch of 2, 1 feature
values = {"W": numbers.normal(size=(3, 3)), "U": numbers.normal(size=(1, 3)), "b": np.zeros(3)}
mine = {name: Tensor(value) for name, value in values.items()}
loss = loss_of(tanh, xs, **mine)
gradients = backward(loss)
print(gradients[mine["W"]])

# %%
# This package on the same net:

leaves = {name: tg.tensor(value, requires_grad=True).named(name) for name, value in values.items()}
walk = bptt.record(loss_of(tg.tanh, tg.tensor(xs), **leaves))
for name in values:
    assert np.allclose(gradients[mine[name]], leaves[name].grad), name
print(leaves["W"].grad)

# %%
# Growing, first: rules are recorded
# ----------------------------------
#
# A rule is arithmetic. Fed arrays it computes numbers; fed tensors it records a graph, as any
# arithmetic on tensors does. So a second derivative needs no second rule: show the rules the
# tensors themselves, and the gradients are tensors, which can be differentiated again. Here is a
# product of the Hessian, whose 81 numbers are never computed, with a matrix V.

V = numbers.normal(size=(3, 3))
slope = backward(loss, seen=lambda tensor: tensor)[mine["W"]]
product = backward((slope * V).sum(0).sum(0))[mine["W"]]


def loss_of_W(W):
    return loss_of(tg.tanh, tg.tensor(xs), W, leaves["U"], leaves["b"])


_, expected = tg.autograd.functional.hvp(loss_of_W, leaves["W"].detach(), tg.tensor(V))
assert np.allclose(product, expected)
print(product)

# %%
# Second: what a rule needs is stated
# -----------------------------------
#
# Every rule above is shown y and all inputs, so that nothing can be freed before the end. A rule of
# the package has what it needs for its arguments, and only that is kept: of a tanh its result.

squash = Primitive("squash", np.tanh, "x")
squash.vjp("x", lambda g, y: g * (1 - y * y), formula="g ⊙ (1 − y²)")

x = tg.tensor([0.5, 1.0], requires_grad=True)
y = squash(x)
kept = [array for array in y.grad_fn.saved if array is not None]
print("kept for the way back:", kept)
assert len(kept) == 1
assert kept[0] is y.array

# %%
# Third: the loop is watched
# --------------------------
#
# The loop of the package tells an observer what it does. That is all that tables, pictures and the
# player are made of: whose turn it was, what had come to it, and what it handed on.

for visit in walk.visits[2:6]:
    print(f"visit {visit.number}: {visit.node.primitive.name} at step {visit.step}")

# %%
picture = viz.draw(walk, title="What the loop did")
picture.save(settings.picture)
picture

# %%
# What else the package does and these lines do not: it frees what was kept, notices when that was
# changed meanwhile, and makes one product of a weight's gradients where nobody looks at each.
# ``docs/engine.md`` is the guide to its source.
