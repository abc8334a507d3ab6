"""What is timed, row by row: of each the ways to do it, PyTorch's under the name "torch"."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from workloads import LSTM, Recurrent, chain

import tinygrad_rnn as tg
from tinygrad_rnn import bptt

Runs = dict[str, Callable[[], Any]]
SIZES = [(50, 1, 8, 8), (50, 16, 32, 32), (100, 32, 64, 128), (100, 64, 128, 256)]
LITERAL_SIZES = [(50, 1, 8, 8), (50, 16, 32, 32), (50, 32, 64, 128), (50, 64, 128, 256)]


def layers() -> Iterator[tuple[str, Runs]]:
    """Fused layers; the products that any way needs, alone, say how much NumPy's BLAS allows."""
    for size in SIZES:
        for kind in ("LSTM", "GRU", "RNN"):
            runs = {"fused": layer(tg, kind, size, fused=True), "torch": layer(torch, kind, size)}
            if kind == "LSTM":
                runs["products alone"] = products(size)
            yield f"nn.{kind} {size}", runs


def layer(lib: Any, kind: str, size: tuple[int, ...], **options: Any) -> Callable[[], None]:
    """Forward and backward of a layer."""
    steps, batch, inputs, hidden = size
    numbers = np.random.default_rng(0)
    x = lib.tensor(numbers.normal(size=(steps, batch, inputs)).astype("f"), requires_grad=True)
    g = lib.tensor(numbers.normal(size=(steps, batch, hidden)).astype("f"))
    net = getattr(lib.nn, kind)(inputs, hidden, **options)

    def run() -> None:
        net.zero_grad()
        output, _ = net(x)
        output.backward(g)

    return run


def products(size: tuple[int, ...]) -> Callable[[], None]:
    """The matrix products of an LSTM's forward and backward, and nothing else."""
    steps, batch, inputs, hidden = size
    numbers = np.random.default_rng(0)
    x = numbers.normal(size=(steps * batch, inputs)).astype("f")
    w_ih, w_hh = (numbers.normal(size=(n, 4 * hidden)).astype("f") for n in (inputs, hidden))
    turned = np.ascontiguousarray(w_hh.T)
    h = numbers.normal(size=(batch, hidden)).astype("f")
    hs = numbers.normal(size=(steps * batch, hidden)).astype("f")
    z, zs = h @ w_hh, x @ w_ih
    d = h.copy()

    def run() -> None:
        x @ w_ih
        for _ in range(steps):
            np.dot(h, w_hh, z)
        for _ in range(steps):
            np.dot(z, turned, d)
        zs @ w_ih.T
        zs.T @ x
        zs.T @ hs

    return run


# -- a cell of one's own -------------------------------------------------------------------------


def cells() -> Iterator[tuple[str, Runs]]:
    """A gated cell of one's own, in the same lines for all that read like PyTorch."""
    for size in SIZES:
        runs = {
            "scan": gated(tg, size, compiled=True),
            "loop": gated(tg, size),
            "torch": gated(torch, size),
        }
        runs |= {name: of(size) for name, of in OTHERS.items() if find_spec(name)}
        yield f"gated cell {size}", runs


def cell_numbers(size: tuple[int, ...]) -> tuple[list[Any], Any, Any]:
    """Weights, sequence and initial state."""
    steps, batch, inputs, hidden = size
    numbers = np.random.default_rng(0)
    shapes = [(inputs, hidden), (hidden, hidden), (hidden,)] * 2
    weights = [(numbers.normal(size=s) / np.sqrt(s[0])).astype("f") for s in shapes]
    x = numbers.normal(size=(steps, batch, inputs)).astype("f")
    return weights, x, np.zeros((batch, hidden), "f")


def gated(lib: Any, size: tuple[int, ...], compiled: bool = False) -> Callable[[], None]:
    """Forward and backward of a loop, or of a compiled scan."""
    arrays, x, h0 = cell_numbers(size)
    weights = [lib.tensor(a, requires_grad=True) for a in arrays]
    w_z, u_z, b_z, w_c, u_c, b_c = weights
    x, h0 = lib.tensor(x), lib.tensor(h0)

    def step(h: Any, x: Any) -> Any:
        z = lib.sigmoid(x @ w_z + h @ u_z + b_z)
        h = (1 - z) * h + z * lib.tanh(x @ w_c + h @ u_c + b_c)
        return h, h

    def run() -> None:
        for weight in weights:
            weight.grad = None
        if compiled:
            _, output = bptt.scan(step, h0, x, compiled=True)
        else:
            h, every = h0, []
            for x_t in x:
                h, y = step(h, x_t)
                every.append(y)
            output = lib.stack(every)
        (output**2).sum().backward()

    return run


def of_jax(size: tuple[int, ...]) -> Callable[[], Any]:
    """By jax.lax.scan, compiled."""
    jax = importlib.import_module("jax")
    weights, x, h0 = cell_numbers(size)

    def loss(weights: Any) -> Any:
        w_z, u_z, b_z, w_c, u_c, b_c = weights

        def step(h: Any, x: Any) -> Any:
            z = jax.nn.sigmoid(x @ w_z + h @ u_z + b_z)
            h = (1 - z) * h + z * jax.numpy.tanh(x @ w_c + h @ u_c + b_c)
            return h, h

        return (jax.lax.scan(step, h0, x)[1] ** 2).sum()

    grad = jax.jit(jax.grad(loss))
    return lambda: jax.block_until_ready(grad(weights))


def of_autograd(size: tuple[int, ...]) -> Callable[[], Any]:
    """By autograd, over plain NumPy."""
    autograd, anp = map(importlib.import_module, ("autograd", "autograd.numpy"))
    weights, x, h0 = cell_numbers(size)

    def loss(weights: Any) -> Any:
        w_z, u_z, b_z, w_c, u_c, b_c = weights
        h, total = h0, 0.0
        for x_t in x:
            z = 1 / (1 + anp.exp(-(anp.dot(x_t, w_z) + anp.dot(h, u_z) + b_z)))
            h = (1 - z) * h + z * anp.tanh(anp.dot(x_t, w_c) + anp.dot(h, u_c) + b_c)
            total = total + anp.sum(h**2)
        return total

    grad = autograd.grad(loss)
    return lambda: grad(weights)


def of_mygrad(size: tuple[int, ...]) -> Callable[[], None]:
    """By MyGrad."""
    mg = importlib.import_module("mygrad")
    arrays, x, h0 = cell_numbers(size)

    def run() -> None:
        w_z, u_z, b_z, w_c, u_c, b_c = map(mg.tensor, arrays)
        h, total = mg.tensor(h0), 0.0
        for x_t in x:
            z = 1 / (1 + mg.exp(-(mg.matmul(x_t, w_z) + mg.matmul(h, u_z) + b_z)))
            h = (1 - z) * h + z * mg.tanh(mg.matmul(x_t, w_c) + mg.matmul(h, u_c) + b_c)
            total = total + mg.sum(h**2)
        total.backward()

    return run


OTHERS = {"jax": of_jax, "autograd": of_autograd, "mygrad": of_mygrad}


# -- whole steps of training ---------------------------------------------------------------------


def training() -> Iterator[tuple[str, Runs]]:
    """A character model: embedding, LSTM, head, cross entropy, clipping, Adam."""
    for batch, hidden in ((1, 64), (16, 64), (32, 128)):
        yield (
            f"training, batch {batch}, hidden {hidden}",
            {
                "fused": characters(tg, batch, hidden, fused=True),
                "literal": characters(tg, batch, hidden),
                "torch": characters(torch, batch, hidden),
            },
        )


def characters(lib: Any, batch: int, hidden: int, **options: Any) -> Callable[[], None]:
    """One window of truncated backpropagation through time, optimizer included."""
    lib.manual_seed(0)
    nn, signs, steps = lib.nn, 50, 25
    embedding, head = nn.Embedding(signs, 16), nn.Linear(hidden, signs)
    lstm = nn.LSTM(16, hidden, **options)
    parameters = [p for net in (embedding, lstm, head) for p in net.parameters()]
    optimizer = lib.optim.Adam(parameters, lr=5e-3)
    numbers = np.random.default_rng(0)
    x, y = (lib.tensor(numbers.integers(0, signs, (steps, batch))) for _ in range(2))
    state: Any = None

    def run() -> None:
        nonlocal state
        output, state = lstm(embedding(x), state)
        state = tuple(s.detach() for s in state)
        loss = nn.functional.cross_entropy(head(output).reshape(-1, signs), y.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()

    return run


# -- operation by operation ----------------------------------------------------------------------


def literal() -> Iterator[tuple[str, Runs]]:
    """Loops of primitives, of which every operation is a node."""
    for steps, batch, inputs, hidden in LITERAL_SIZES:
        shape = {"steps": steps, "batch": batch, "inputs": inputs, "hidden": hidden}
        name = f"LSTM of primitives {(steps, batch, inputs, hidden)}"
        yield name, {"literal": LSTM(tg, **shape), "torch": LSTM(torch, **shape)}
    for gates in ("slices", "chunk"):
        name = f"LSTM (50, 16, 32, 32), gates by {gates}"
        yield name, {"literal": LSTM(tg, gates), "torch": LSTM(torch, gates)}
    yield (
        "1,000 operations on (4, 4)",
        {"literal": lambda: chain(tg), "torch": lambda: chain(torch)},
    )
    for kind in ("RNNCell", "LSTMCell", "GRUCell"):
        yield (
            f"50 steps of nn.{kind}",
            {"literal": Recurrent(tg, kind), "torch": Recurrent(torch, kind)},
        )


GROUPS = {"layers": layers, "cells": cells, "training": training, "literal": literal}
