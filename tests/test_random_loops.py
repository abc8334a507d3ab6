"""States and time edges of random loops, in lockstep with PyTorch's detach and retain_grad."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from random_loops import KINDS, Loop, before, every, program

import tinygrad_rnn as tg
from tinygrad_rnn import bptt

SEEDS = range(3)  # of each kind
NO_SERIES = (  # loops whose states are not one quantity over all steps
    "attention", "between steps", "buffer", "conditional", "memory", "packed", "truncated by hand",
)  # fmt: skip
NO_TERMS = ("both ways", "one after the other", "several losses", "between steps", "pooled")


def check(found: bptt.Truncation, ours: Loop, want: dict[str, Any]) -> None:
    for name, g in want.items():
        if ours.weights[name].node in found.parameters:
            np.testing.assert_allclose(found.gradient(ours.weights[name]), g, 1e-8, 1e-11)
        else:
            assert not g.any()


def gradients(loop: Loop) -> dict[str, Any]:
    return {
        name: np.zeros(w.shape) if w.grad is None else w.grad.numpy()
        for name, w in loop.weights.items()
    }


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", KINDS)
def test_truncation(torch: Any, kind: str, seed: int) -> None:
    """Windows of every kind; the losses themselves agree, so the programs are the same."""
    loss, ours = program(kind, seed, tg)
    k = 1 + (seed + list(KINDS).index(kind)) % 3
    want, theirs = program(kind, seed, torch, cut=every(k))
    np.testing.assert_allclose(loss.detach().numpy(), want.detach().numpy(), 1e-10)
    want.backward()
    check(bptt.truncate(loss, k), ours, gradients(theirs))
    if theirs.additive and theirs.terms and kind not in NO_TERMS:
        check(bptt.truncate(loss, k, "sliding"), ours, sliding(torch, kind, seed, k))
    draws = np.random.default_rng(seed).random(20) * (k + 1) < 1
    want, theirs = program(
        kind, seed, torch,
        cut=lambda n: n > 0 and bool(draws[n - 1]), weigh=lambda n: (k + 1) / k if n else 1.0,
    )  # fmt: skip
    want.backward()
    check(bptt.truncate(loss, k + 1, "random", seed=seed), ours, gradients(theirs))


def sliding(torch: Any, kind: str, seed: int, k: int) -> dict[str, Any]:
    """Each term of the loss by itself, from states that were detached k steps before."""
    total: dict[str, Any] = {}
    _, loop = program(kind, seed, torch)
    for i, (passed, _) in enumerate(loop.terms):
        _, one = program(kind, seed, torch, cut=before(passed - k + 1))
        one.terms[i][1].backward()
        for name, g in gradients(one).items():
            total[name] = total.get(name, 0) + g
    return total


def states_of(flow: bptt.Flow) -> list[tuple[Any, ...]]:
    return [(s.gradient, s.direct, s.through_time) for s in flow]


def is_all(one: dict[int, Any], other: dict[int, Any]) -> bool:
    return one.keys() == other.keys() and all(
        one[t].shape == other[t].shape and np.allclose(one[t], other[t], 1e-8, 1e-11) for t in one
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", [k for k in KINDS if k not in NO_SERIES])
def test_flow(torch: Any, kind: str, seed: int) -> None:
    """Every state is listed with its gradient and what of it came through time, and no total is."""
    loss, ours = program(kind, seed, tg, named=True)
    want, theirs = program(kind, seed, torch)
    want.backward()
    found = bptt.flow(bptt.record(loss))
    listed = states_of(found)
    for name, states in theirs.states.items():
        if all(state.grad is None for state in states):
            continue
        steps = [state.node.tag.step for state in ours.states[name]]
        zeros = [np.zeros(state.shape) for state in states]
        whole = {
            t: zero if state.grad is None else state.grad.numpy()
            for t, state, zero in zip(steps, states, zeros)
        }
        through = {
            t: sum((copy.grad.numpy() for copy in copies if copy.grad is not None), z)
            for t, copies, z in zip(steps, theirs.read[name], zeros)
        }
        assert any(is_all(whole, g) and is_all(through, on) for g, _, on in listed), name
    for g, direct, through in listed:
        assert is_all({t: direct[t] + through[t] for t in g}, g)
    if kind not in ("teacher by chance",):  # which feeds back what it does not call a state
        assert len(listed) == len(theirs.states)


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "buffer"])
def test_names_change_no_number(kind: str) -> None:
    flows = [
        bptt.flow(bptt.record(program(kind, 1, tg, named=named)[0]))
        for named in (False, True)
    ]  # fmt: skip
    for one, other in zip(*map(states_of, flows), strict=True):
        assert all(is_all(a, b) for a, b in zip(one, other, strict=True))
