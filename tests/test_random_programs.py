"""Random programs of many operations: both libraries agree on values, gradients and refusals."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from cases import assert_outcome, assert_same, leaf, numpy, outcome
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg

# How each step makes a tensor from two tensors a, b and a small integer k. No jumps (floor, sign):
# what differs in the last digit before would differ in the first after.
Step = Callable[[Any, Any, Any, int], Any]
STEPS: dict[str, Step] = {
    "add": lambda lib, a, b, k: a + b,
    "sub": lambda lib, a, b, k: a - k * b,
    "mul": lambda lib, a, b, k: a * b,
    "div": lambda lib, a, b, k: a / (b * b + 1),
    "pow": lambda lib, a, b, k: (a * a + 0.5) ** (k / 2),
    "matmul": lambda lib, a, b, k: a @ b,
    "matmul by its transpose": lambda lib, a, b, k: a @ a.transpose(-2, -1),
    "maximum": lambda lib, a, b, k: lib.maximum(a, b + 0.123),
    "minimum": lambda lib, a, b, k: lib.minimum(a + 0.321, b),
    "where": lambda lib, a, b, k: lib.where(a > 0.1234, a, b),
    "clamp": lambda lib, a, b, k: lib.clamp(a, -0.77, 0.1 * k + 0.013),
    "atan2": lambda lib, a, b, k: lib.atan2(a, b * b + 0.3),
    "logaddexp": lambda lib, a, b, k: lib.logaddexp(a, b),
    "xlogy": lambda lib, a, b, k: lib.xlogy(a, b * b + 0.3),
    "lerp": lambda lib, a, b, k: lib.lerp(a, b, 0.3 * k),
    "addcmul": lambda lib, a, b, k: lib.addcmul(a, b, a, value=k),
    "addcdiv": lambda lib, a, b, k: lib.addcdiv(a, b, b * b + 1, value=-k),
    "exp2": lambda lib, a, b, k: lib.exp2(-a * a),
    "asinh": lambda lib, a, b, k: lib.asinh(a),
    "tanh": lambda lib, a, b, k: lib.tanh(a),
    "sigmoid": lambda lib, a, b, k: lib.sigmoid(a),
    "exp": lambda lib, a, b, k: lib.exp(-a * a),
    "log": lambda lib, a, b, k: lib.log(a * a + 0.1),
    "log1p": lambda lib, a, b, k: lib.log1p(a * a),
    "sqrt": lambda lib, a, b, k: lib.sqrt(a * a + k + 0.01),
    "sin": lambda lib, a, b, k: lib.sin(a) + lib.cos(b),
    "erf": lambda lib, a, b, k: lib.erf(a),
    "abs": lambda lib, a, b, k: abs(a + 0.0345),
    "relu": lambda lib, a, b, k: lib.relu(a + 0.0123),
    "square": lambda lib, a, b, k: lib.square(a) * 0.1,
    "masked_fill": lambda lib, a, b, k: a.masked_fill(a > 0.4321, 0.5),
    "sum": lambda lib, a, b, k: a.sum(k - 2),
    "mean": lambda lib, a, b, k: a.mean(dim=k - 2, keepdim=True),
    "prod": lambda lib, a, b, k: a.prod(-1),
    "var": lambda lib, a, b, k: a.var(k - 2, correction=0),
    "amax": lambda lib, a, b, k: a.amax(k - 2),
    "max": lambda lib, a, b, k: a.max(k - 2).values,
    "median": lambda lib, a, b, k: (a * 1).median(-1).values,  # PyTorch's is wrong if expanded
    "sort": lambda lib, a, b, k: a.sort(k - 2, descending=k > 2).values,
    "topk": lambda lib, a, b, k: a.topk(k, -1).values,
    "logsumexp": lambda lib, a, b, k: lib.logsumexp(a, k - 2),
    "softmax": lambda lib, a, b, k: lib.softmax(a, k - 2),
    "cumsum": lambda lib, a, b, k: a.cumsum(k - 2),
    "cumprod": lambda lib, a, b, k: a.cumprod(-1),
    "diff": lambda lib, a, b, k: a.diff(dim=k - 2),
    "norm": lambda lib, a, b, k: lib.linalg.vector_norm(a, dim=-1),
    "reshape": lambda lib, a, b, k: a.reshape(-1, k),
    "flatten": lambda lib, a, b, k: a.flatten(),
    "transpose": lambda lib, a, b, k: a.transpose(k - 2, -1),
    "permute": lambda lib, a, b, k: a.permute(*range(a.ndim)[::-1]),
    "unsqueeze": lambda lib, a, b, k: a.unsqueeze(k - 2),
    "squeeze": lambda lib, a, b, k: a.squeeze(),
    "expand": lambda lib, a, b, k: a.expand(2, *a.shape),
    "repeat": lambda lib, a, b, k: a.repeat(1, k),
    "flip": lambda lib, a, b, k: a.flip(k - 2),
    "roll": lambda lib, a, b, k: a.roll(k, -1),
    "tril": lambda lib, a, b, k: a.tril(k - 2),
    "diagonal": lambda lib, a, b, k: a.diagonal(k - 2),
    "cat": lambda lib, a, b, k: lib.cat([a, b], k - 2),
    "stack": lambda lib, a, b, k: lib.stack([a, b], -1),
    "chunk": lambda lib, a, b, k: a.chunk(2, k - 2)[-1],
    "split": lambda lib, a, b, k: a.split(k, -1)[0],
    "unbind": lambda lib, a, b, k: a.unbind(k - 2)[-1],
    "integer": lambda lib, a, b, k: a[k - 2],
    "slice": lambda lib, a, b, k: a[..., ::k],
    "new axis": lambda lib, a, b, k: a[:, None],
    "mask": lambda lib, a, b, k: a[a > 0.1357],
    "integers": lambda lib, a, b, k: a[lib.tensor([0, -1, k - 2])],
    "columns": lambda lib, a, b, k: a[:, lib.tensor([k - 1, 0, 0])],
    "index_select": lambda lib, a, b, k: a.index_select(-1, lib.tensor([0, a.shape[-1] - 1])),
    "gather": lambda lib, a, b, k: a.gather(-1, a.argsort(-1)),
    "scatter_add": lambda lib, a, b, k: a.scatter_add(-1, lib.zeros_like(b, dtype=lib.int64), b),
    "scatter_reduce": lambda lib, a, b, k: a.scatter_reduce(
        -1, lib.zeros_like(b, dtype=lib.int64), b, "prod" if k == 1 else "mean"
    ),
    "take": lambda lib, a, b, k: a.take(lib.tensor([[0, -1], [k - 1, 0]])),
    "meshgrid": lambda lib, a, b, k: lib.meshgrid(
        a.reshape(-1)[:k], b.reshape(-1)[:2], indexing="ij"
    )[0],
    "singular values": lambda lib, a, b, k: lib.linalg.matrix_norm(
        a + lib.eye(a.shape[-1], dtype=a.dtype) * 3, "nuc"
    ),
    "setitem": lambda lib, a, b, k: _set(a, b, k),
    "setitem of higher rank": lambda lib, a, b, k: _set(a, b[None, :1] * 0.5, k),
    "setitem of a picked row": lambda lib, a, b, k: _set(a, b[None], lib.tensor([-1 % len(a)])),
    "collected in a buffer": lambda lib, a, b, k: _collected(lib, a, b),
    "detached from a buffer": lambda lib, a, b, k: _collected(lib, a, b).detach()[:1] * b,
    "view, then buffer": lambda lib, a, b, k: _view_of_buffer(lib, a, k),
    "add_": lambda lib, a, b, k: (a * 1).add_(b),
    "mul_ of a part": lambda lib, a, b, k: _scaled(a, k),
    "detach": lambda lib, a, b, k: a.detach() * b,
    "einsum": lambda lib, a, b, k: lib.einsum("...i,...i->...", a, b),
    "outer": lambda lib, a, b, k: lib.outer(a, b),
    "gelu": lambda lib, a, b, k: lib.nn.functional.gelu(a),
    "softplus": lambda lib, a, b, k: lib.nn.functional.softplus(a, beta=k),
    "layer_norm": lambda lib, a, b, k: lib.nn.functional.layer_norm(a, a.shape[-1:]),
    "mse_loss": lambda lib, a, b, k: lib.nn.functional.mse_loss(a, b.reshape(a.shape)),
    "cross_entropy": lambda lib, a, b, k: lib.nn.functional.cross_entropy(
        a, lib.zeros(len(a), dtype=lib.int64)
    ),
}


def _set(a: Any, b: Any, k: int) -> Any:
    a = a.clone()
    a[k - 2 if isinstance(k, int) else k] = b
    return a


def _collected(lib: Any, a: Any, b: Any) -> Any:
    """A buffer that was constant before two tensors were written to it."""
    buffer = lib.zeros(2, *a.shape, dtype=a.dtype)
    buffer[0] = a.unsqueeze(0)
    buffer[1] = b
    return buffer


def _view_of_buffer(lib: Any, a: Any, k: int) -> Any:
    buffer = lib.zeros(*a.shape, dtype=a.dtype)
    view, apart = buffer[..., :k], buffer.detach()[..., :k]
    buffer[...] = a[None]
    return view * apart.clone()


def _scaled(a: Any, k: int) -> Any:
    a = a.clone()
    a[0].mul_(k)
    return a


SHAPES = [(), (3,), (2, 3), (3, 3), (2, 1, 3), (4, 2)]
programs = st.lists(
    st.tuples(
        st.sampled_from(sorted(STEPS)), st.integers(0, 30), st.integers(0, 30), st.integers(1, 3)
    ),
    min_size=5,
    max_size=30,
)


def run_beside(libs: tuple[Any, Any], program: list[Any], seed: int) -> None:
    rng = np.random.default_rng(seed)
    arrays = [rng.uniform(-1, 1, shape) for shape in SHAPES]
    leaves = [[leaf(lib, a) for a in arrays] for lib in libs]
    pools: list[list[Any]] = [list(xs) for xs in leaves]
    for number, (name, i, j, k) in enumerate(program):
        what = f"step {number}, {name}"
        made = []
        for lib, pool in zip(libs, pools, strict=True):
            a, b = pool[-1 - i % len(pool)], pool[-1 - j % len(pool)]
            made.append(outcome(functools.partial(STEPS[name], lib, a, b, k)))
        ours, theirs = made
        if isinstance(theirs, Exception):
            assert_outcome(ours, theirs, what)
            continue
        assert not isinstance(ours, Exception), f"{what}: {ours!r}"
        assert_same(ours, theirs, what, 1e-9)
        if theirs.numel() <= 200 and bool(np.all(np.abs(numpy(theirs)) < 50)):
            pools[0].append(ours)
            pools[1].append(theirs)
    grads = []
    for lib, pool, xs in zip(libs, pools, leaves, strict=True):
        total = sum((t * (1 + 0.1 * n)).sum() for n, t in enumerate(pool))
        grads.append(outcome(lambda lib=lib, y=total, xs=xs: lib.autograd.grad(y, xs)))
    if any(isinstance(g, Exception) for g in grads):
        assert_outcome(*grads, "gradients")
        return
    scale = max(float(np.max(np.abs(numpy(g)), initial=1)) for g in grads[1])
    for n, (mine, reference) in enumerate(zip(*grads, strict=True)):
        np.testing.assert_allclose(
            numpy(mine), numpy(reference), rtol=1e-8, atol=1e-11 * scale, err_msg=f"leaf {n}"
        )


@settings(max_examples=300)
@given(programs, st.integers(0, 1000))
def test_random_programs(torch, program, seed):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, of the spread of no elements
        run_beside((tg, torch), program, seed)
