"""How long pictures and players take: a table, with the state of the machine it is from.

Run it by ``python tests/benchmarks/pictures_and_players.py``; pages are timed where there is
Chromium with its driver. Pictures are timed in CPU time, medians of several; what a process or a
page takes by the clock, so that it says something of a machine that has nothing else to do: see the
load.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from browsing import Page, open_chromium
from timing import facts

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, viz
from tinygrad_rnn.cli import samples
from tinygrad_rnn.viz import graphviz_backend

ROUNDS = 9
NODES_PER_STEP = 32  # of a two-layer LSTM
OPERATIONS: dict[str, Any] = {"level": "op", "steps": "all", "max_nodes": 10**6}

FIRST = """
import time
from tinygrad_rnn import bptt, viz
from tinygrad_rnn.cli import samples
walk = bptt.record(samples.unrolled("rnn", steps=2))
start = time.perf_counter()
viz.draw(walk).svg
print(time.perf_counter() - start)
"""
STEP = """
const [to, isPassed, done] = arguments, start = performance.now();
go(to, isPassed);
requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
"""
READY = """
const done = arguments[0];
requestAnimationFrame(() => setTimeout(() => done(performance.now())));
"""
HEAP = "return performance.memory.usedJSHeapSize"


def main() -> None:
    """Print the table."""
    for name, fact in facts().items():
        print(f"{name}: {fact}")
    print(f"load: {load()}\n")
    for what, said in rows():
        print(f"{what:58} {said}", flush=True)
    print(f"\nload: {load()}")


def load() -> str:
    """How many programs wanted to run in the last one, five and fifteen minutes."""
    return " ".join(f"{x:.1f}" for x in os.getloadavg()) if hasattr(os, "getloadavg") else "?"


def rows() -> Iterator[tuple[str, str]]:
    """What was timed, and what came out."""
    yield from first_pictures()
    for kind, options in [("lstm", {"layers": 2, "steps": 31}), ("rnn", {"steps": 250})]:
        yield of_operations(kind, **options)
    yield of_operations("lstm", layers=2, steps=10_000 // NODES_PER_STEP)
    for nodes in (1_000, 10_000):
        walk = bptt.record(samples.unrolled("lstm", layers=2, steps=nodes // NODES_PER_STEP))
        yield f"cells, folded, {nodes:,} nodes", seconds(lambda walk=walk: viz.draw(walk).svg, 3)
        heat = seconds(lambda walk=walk: viz.draw(walk, level="step").svg, 3)
        yield f"heat map, {nodes:,} nodes", heat
    yield from of_the_player()


def first_pictures() -> Iterator[tuple[str, str]]:
    """The first picture of a process, by the clock: Graphviz compiled, and as it was kept."""
    with tempfile.TemporaryDirectory() as cache:
        runs = [
            subprocess.run(
                [sys.executable, "-c", FIRST], check=True, capture_output=True, text=True,
                env={**os.environ, "XDG_CACHE_HOME": cache},
            )
            for _ in range(4)
        ]  # fmt: skip
    compiled, *kept = (float(run.stdout) for run in runs)
    yield "a process's first picture, Graphviz compiled for it", f"{compiled:.3f} s"
    yield "a process's first picture, from then on", f"{statistics.median(kept):.3f} s"


def of_operations(kind: str, **options: Any) -> tuple[str, str]:
    """A picture of every operation, and Graphviz's part in it."""
    walk = bptt.record(samples.unrolled(kind, **options))
    boxes = len(viz.draw(walk, **OPERATIONS)._scene.boxes)
    drawn = seconds(lambda: viz.draw(walk, **OPERATIONS).svg, ROUNDS if boxes < 5000 else 3)
    return f"{kind} {options}, {boxes:,} boxes", f"{drawn}, of which Graphviz {graphviz(walk)}"


def graphviz(walk: bptt.Record) -> str:
    """The CPU time of Graphviz alone in a picture of every operation."""
    spent, run = 0.0, graphviz_backend._in_process

    def timed(source: str, form: str) -> bytes:
        nonlocal spent
        start = time.process_time()
        try:
            return run(source, form)
        finally:
            spent += time.process_time() - start

    graphviz_backend._in_process = timed
    try:
        viz.draw(walk, **OPERATIONS).svg  # noqa: B018
    finally:
        graphviz_backend._in_process = run
    return f"{spent:.3f} s"


def seconds(run: Callable[[], Any], rounds: int) -> str:
    """The median CPU time of a call, and the least."""
    run()
    times = []
    for _ in range(rounds):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return f"{statistics.median(times):.3f} s (least {min(times):.3f})"


def of_the_player() -> Iterator[tuple[str, str]]:
    """A thousand visits: an RNN of 250 steps, in a browser."""
    tg.manual_seed(0)
    output, _ = tg.nn.RNN(1, 2)(tg.randn(250, 1, 1))
    walk = bptt.record((output * output).sum().named("L"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "player.html")
        name = f"player, {len(walk):,} visits"
        yield f"{name}: written", seconds(lambda: viz.play(walk, path), 3)
        yield f"{name}: size", f"{path.stat().st_size / 1e6:.1f} MB"
        browser = open_chromium()
        try:
            for what, said in in_a_browser(browser, path):
                yield f"{name}: {what}", said
        finally:
            browser.quit()


def in_a_browser(browser: Any, path: Path) -> Iterator[tuple[str, str]]:
    """Opening and stepping, each up to the next frame: by the clock, and in CPU time."""
    page = Page(browser, path)
    browser.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    opened, worked = list[float](), list[float]()
    for _ in range(7):
        page.open()
        opened.append(browser.execute_async_script(READY))
        worked.append(spent(browser))
    yield (
        "opened, up to the first frame",
        f"{milliseconds(opened)}, CPU {1000 * statistics.median(worked):.0f}",
    )
    yield "memory of its scripts", f"{page.run(HEAP) / 1e6:.1f} MB"
    for follow, seen in ((False, "everything in view"), (True, "following")):
        page.open().run("document.getElementById('follow').checked = arguments[0]", follow)
        if not follow:
            page.find("#fit").click()
        for what, steps, is_passed in (
            ("a step", range(100, 200), False),
            ("a step of a held key", range(200, 300), True),
            ("from end to end", [1000, 0] * 5, False),
        ):
            before = spent(browser)
            times = [browser.execute_async_script(STEP, step, is_passed) for step in steps]
            worked = 1000 * (spent(browser) - before) / len(steps)
            yield f"{what}, {seen}", f"{milliseconds(times)}, CPU {worked:.1f}"


def spent(browser: Any) -> float:
    """Seconds of CPU time that the page's main thread has taken since it was loaded."""
    metrics = browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return next(each["value"] for each in metrics if each["name"] == "TaskDuration")


def milliseconds(times: list[float]) -> str:
    """Their median, mean and worst."""
    mean, median = statistics.mean(times), statistics.median(times)
    return f"{median:.0f} ms (mean {mean:.0f}, worst {max(times):.0f})"


if __name__ == "__main__":
    main()
