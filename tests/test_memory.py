"""The tape keeps what the rules asked for, and nothing else."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.nn import functional as F

SIDE = 200
ELEMENTS = SIDE * SIDE
NODE = 4096  # bytes for one operation's node, tensor and parameters; several for compositions

# What an operation on float32 holds, beside its inputs and its output, in bytes per element.
HELD = {
    "add": (lambda x, w: x + w, 0),
    "sub": (lambda x, w: x - w, 0),
    "mul": (lambda x, w: x * w, 0),
    "mul by a number": (lambda x, w: x * 3, 0),
    "div": (lambda x, w: x / w, 0),
    "pow": (lambda x, w: x**2, 0),
    "neg": (lambda x, w: -x, 0),
    "abs": (lambda x, w: x.abs(), 0),
    "exp": (lambda x, w: x.exp(), 0),
    "log": (lambda x, w: x.log(), 0),
    "sqrt": (lambda x, w: x.sqrt(), 0),
    "sin": (lambda x, w: x.sin(), 0),
    "tanh": (lambda x, w: x.tanh(), 0),
    "sigmoid": (lambda x, w: x.sigmoid(), 0),
    "relu": (lambda x, w: x.relu(), 0),
    "erf": (lambda x, w: x.erf(), 0),
    "maximum": (lambda x, w: tg.maximum(x, w), 0),
    "clamp": (lambda x, w: x.clamp(0.1, 0.9), 0),
    "where": (lambda x, w: tg.where(x > 0.5, x, w), 1),  # the condition
    "masked_fill": (lambda x, w: x.masked_fill(x > 0.5, 0.0), 1),
    "matmul": (lambda x, w: x @ w, 0),
    "linear": (lambda x, w: F.linear(x, w, x[0]), 0),
    "sum": (lambda x, w: x.sum(), 0),
    "sum over rows": (lambda x, w: x.sum(0), 0),
    "mean": (lambda x, w: x.mean(), 0),
    "amax": (lambda x, w: x.amax(1), 0),
    "max": (lambda x, w: x.max(1).values, 0),
    "logsumexp": (lambda x, w: x.logsumexp(1), 0),
    "cumsum": (lambda x, w: x.cumsum(0), 0),
    "sort": (lambda x, w: x.sort(1).values, 8),  # the order, int64
    "reshape": (lambda x, w: x.reshape(-1), 0),
    "transpose": (lambda x, w: x.T, 0),
    "expand": (lambda x, w: x.expand(50, SIDE, SIDE), 0),
    "flip": (lambda x, w: x.flip(0), 0),
    "slice": (lambda x, w: x[1:, ::2], 0),
    "chunk": (lambda x, w: x.chunk(4, 1), 0),
    "unbind": (lambda x, w: x.unbind(0), SIDE * 700 / ELEMENTS),  # a node for each part
    "cat": (lambda x, w: tg.cat([x, w]), 0),
    "stack": (lambda x, w: tg.stack([x, w]), 0),
    "index_select": (lambda x, w: x.index_select(0, tg.arange(SIDE)), 0.2),
    "softmax": (lambda x, w: x.softmax(1), 0),
    "log_softmax": (lambda x, w: x.log_softmax(1), 0),
    "gelu": (lambda x, w: F.gelu(x), 0),
    "silu": (lambda x, w: F.silu(x), 0),
    "softplus": (lambda x, w: F.softplus(x), 0),
    "dropout": (lambda x, w: F.dropout(x, 0.5), 4),  # the mask, scaled
    "layer_norm": (lambda x, w: F.layer_norm(x, (SIDE,)), 0),
    "mse_loss": (lambda x, w: F.mse_loss(x, w), 4),  # the difference
    "add_": (lambda x, w: (x * 1).add_(w), 0),
}


@pytest.mark.parametrize("name", HELD)
def test_an_operation_holds_no_more_than_stated(name):
    fn, per_element = HELD[name]
    rng = np.random.default_rng(0)
    x, w = (
        tg.tensor(rng.uniform(0.1, 1, (SIDE, SIDE)).astype("float32"), requires_grad=True)
        for _ in range(2)
    )
    fn(x, w)  # what is made once, such as caches
    gc.collect()
    tracemalloc.start()
    outputs = fn(x, w)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    for y in outputs if isinstance(outputs, tuple) else [outputs]:
        if y.array.base is None or not np.shares_memory(y.array, x.array):
            held -= y.array.nbytes if y.array.base is None else y.array.base.nbytes
    assert held <= per_element * ELEMENTS + 4 * NODE


def test_what_no_rule_asked_for_is_freed_in_the_forward_pass():
    x = tg.tensor(np.ones((SIDE, SIDE), "float32"), requires_grad=True)
    tracemalloc.start()
    y = ((x * 2 + 1).tanh() - 3).sum()  # of all these only tanh's output is needed
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held <= 4 * ELEMENTS + 6 * NODE
    y.backward()


def test_a_walk_frees_what_was_saved():
    x = tg.tensor(np.ones((SIDE, SIDE), "float32"), requires_grad=True)
    tracemalloc.start()
    y = x
    for _ in range(10):
        y = y.tanh()
    loss = y.sum()
    before, _ = tracemalloc.get_traced_memory()
    loss.backward()
    del y
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert before >= 10 * 4 * ELEMENTS
    assert after <= 4 * ELEMENTS + 12 * NODE  # the gradient, and the structure of the graph
