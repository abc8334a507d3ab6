"""Schedulers with random options, steps and ways to resume: both libraries set the same rates."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg

Make = Callable[[Any, Any], Any]  # (lr_scheduler, optimizer) -> scheduler

factors = st.sampled_from([0.1, 0.3, 0.5, 0.9, 1.0])
counts = st.integers(1, 6)
last_epochs = st.sampled_from([-1, -1, -1, 0, 1, 3, 4, 5])


def halved(epoch: int) -> float:
    return 0.5**epoch


def plain(draw: Any, last: int) -> Make:
    """A scheduler that depends on the epoch only."""
    f, g, n, m = draw(factors), draw(factors), draw(counts), draw(counts)
    milestones = draw(st.lists(st.integers(0, 7), max_size=3))
    modes = ["triangular", "triangular2", "exp_range"]
    mode, beta = draw(st.sampled_from(modes)), draw(st.booleans())
    strategy, phases = draw(st.sampled_from(["cos", "linear"])), draw(st.booleans())
    return draw(
        st.sampled_from(
            [
                lambda s, o: s.StepLR(o, n, f, last_epoch=last),
                lambda s, o: s.MultiStepLR(o, milestones, f, last_epoch=last),
                lambda s, o: s.ConstantLR(o, f, n, last_epoch=last),
                lambda s, o: s.LinearLR(o, f, g, n, last_epoch=last),
                lambda s, o: s.ExponentialLR(o, f, last_epoch=last),
                lambda s, o: s.CosineAnnealingLR(o, n, 0.01 * m, last_epoch=last),
                lambda s, o: s.LambdaLR(o, halved, last_epoch=last),
                lambda s, o: s.MultiplicativeLR(o, halved, last_epoch=last),
                lambda s, o: s.PolynomialLR(o, n, 0.5 * m, last_epoch=last),
                lambda s, o: s.CosineAnnealingWarmRestarts(o, n, m, 0.01 * n, last_epoch=last),
                lambda s, o: s.CyclicLR(
                    o, 0.05 * n, [0.5, 0.7], n, m, mode, f, cycle_momentum=beta, last_epoch=last
                ),
                lambda s, o: s.OneCycleLR(
                    o,
                    0.3 * n,
                    20 + m,
                    None,
                    None,
                    f,
                    strategy,
                    beta,
                    0.8,
                    0.9,
                    10.0,
                    100.0,
                    phases,
                    last,
                ),
            ]
        )
    )


@st.composite
def schedulers(draw: Any) -> Make:
    last = draw(last_epochs)
    if not draw(st.sampled_from([0, 0, 1])):
        return plain(draw, last)
    parts = [plain(draw, -1) for _ in range(draw(counts) % 3 + 1)]
    if draw(st.booleans()):
        return lambda s, o: s.ChainedScheduler([part(s, o) for part in parts])
    milestones = sorted(draw(st.lists(st.integers(0, 8), min_size=2, max_size=2)))
    milestones = milestones[: len(parts) - draw(st.sampled_from([1, 1, 1, 1, 0]))]
    return lambda s, o: s.SequentialLR(o, [part(s, o) for part in parts], milestones, last)


@st.composite
def programs(draw: Any) -> tuple[Any, ...]:
    acts = st.sampled_from(["step"] * 6 + ["epoch", "set", "resume", "resume", "group"])
    makes = draw(st.lists(schedulers(), min_size=1, max_size=2))
    return makes, draw(st.booleans()), draw(st.lists(acts, min_size=4, max_size=16))


def optimizer_of(lib: Any, begun: bool) -> Any:
    """One of two groups; ``begun``: their rates have been scheduled before."""
    v, w, u = (lib.ones(2, requires_grad=True) for _ in range(3))
    optimizer = lib.optim.SGD([{"params": [v]}, {"params": [w], "lr": 0.5}], lr=0.1, momentum=0.7)
    optimizer.later = u
    for group in optimizer.param_groups if begun else ():
        group.update(initial_lr=0.4, max_lr=2.0, min_lr=0.1, max_momentum=0.9, base_momentum=0.8)
    return optimizer


def run(lib: Any, program: tuple[Any, ...]) -> tuple[list[list[float]], type[Exception] | None]:
    """The rates and momenta after each act, and the type of what was raised at the end."""
    makes, begun, acts = program
    rows: list[list[float]] = []
    optimizer = optimizer_of(lib, begun)
    made: list[Any] = []

    def look() -> None:
        rows.append([g[k] for g in optimizer.param_groups for k in ("lr", "momentum")])
        rows.append([lr for scheduler in made for lr in scheduler.get_last_lr()])
        rows.append([scheduler.last_epoch for scheduler in made])

    try:
        made = [make(lib.optim.lr_scheduler, optimizer) for make in makes]
        look()
        for i, act in enumerate(acts):
            optimizer.step()
            if act == "set":
                optimizer.param_groups[1]["lr"] *= 0.5
            elif act == "group":
                optimizer.add_param_group({"params": [optimizer.later], "lr": 0.2})
            elif act == "resume":
                states = copy.deepcopy([optimizer.state_dict(), *[s.state_dict() for s in made]])
                if len(optimizer.param_groups) == 2:
                    optimizer = optimizer_of(lib, begun)
                    made = [make(lib.optim.lr_scheduler, optimizer) for make in makes]
                for one, state in zip([optimizer, *made], states, strict=True):
                    one.load_state_dict(state)
            for scheduler in made if act != "resume" else ():
                scheduler.step(*([i] if act == "epoch" else []))
            look()
    except Exception as error:
        return rows, type(error)
    return rows, None


def compare(torch: Any, program: tuple[Any, ...]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (ours, error), (theirs, expected) = run(tg, program), run(torch, program)
    assert error == expected, (error, expected)
    for row, twin in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(row, twin, rtol=1e-9, atol=1e-15)


@settings(max_examples=60, deadline=None)
@given(programs())
def test_random_schedules(torch: Any, program: tuple[Any, ...]) -> None:
    compare(torch, program)
