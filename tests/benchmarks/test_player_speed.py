"""The player of a thousand visits, in a browser: opened within 3 s, a step within 50 ms.

Run it by ``pytest tests/benchmarks/test_player_speed.py --benchmark-only``.
"""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from browsing import Page, open_chromium

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, viz

STEP = """
const done = arguments[1], start = performance.now();
go(arguments[0]);
requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
"""


@pytest.fixture(scope="module")
def walk() -> Any:
    """A literal RNN of one layer over 250 steps: four operations each."""
    tg.manual_seed(0)
    output, _ = tg.nn.RNN(1, 2)(tg.randn(250, 1, 1))
    found = bptt.record((output * output).sum().named("L"))
    assert len(found) >= 1000
    return found


@pytest.fixture(scope="module")
def path(walk, tmp_path_factory) -> Path:
    return viz.play(walk, tmp_path_factory.mktemp("player") / "long.html")


@pytest.fixture(scope="module")
def browser():
    chromium = open_chromium()
    yield chromium
    chromium.quit()


def test_writing(benchmark, walk, tmp_path) -> None:
    benchmark(viz.play, walk, tmp_path / "long.html")


def test_opening(benchmark, browser, path) -> None:
    page = Page(browser, path)
    benchmark.pedantic(page.open, rounds=5)
    assert page.step == 0


@pytest.mark.parametrize("follow", [True, False], ids=["follow", "whole"])
def test_stepping(benchmark, browser, path, follow) -> None:
    page = Page(browser, path).open()
    page.run("document.getElementById('follow').checked = arguments[0]", follow)
    if not follow:
        page.find("#fit").click()
    steps = cycle(range(100, 900))
    times = []
    benchmark.pedantic(
        lambda: times.append(browser.execute_async_script(STEP, next(steps))), rounds=100
    )
    benchmark.extra_info["milliseconds to the next frame, median"] = sorted(times)[50]
    benchmark.extra_info["milliseconds to the next frame, worst"] = max(times)


def test_jumping_over_everything(benchmark, browser, path) -> None:
    Page(browser, path).open()
    ends = cycle([1000, 0])
    benchmark.pedantic(lambda: browser.execute_async_script(STEP, next(ends)), rounds=20)
