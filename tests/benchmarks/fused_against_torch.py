"""Fused recurrent layers beside PyTorch's: ``python tests/benchmarks/fused_against_torch.py``.

Forward and backward of one layer in float32, interleaved in one process, one thread, CPU time,
medians; a number is our time divided by PyTorch's.  ``--json`` prints all that was measured.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits

import tinygrad_rnn as tg

SIZES = [(50, 1, 8, 8), (50, 16, 32, 32), (100, 32, 64, 128), (100, 64, 128, 256)]
KINDS = ["LSTM", "GRU", "RNN"]


def work(lib: Any, kind: str, size: tuple[int, ...], **options: Any) -> Any:
    """Forward and backward of a layer of one of the libraries."""
    steps, batch, inputs, hidden = size
    numbers = np.random.default_rng(0)
    x = lib.tensor(numbers.normal(size=(steps, batch, inputs)).astype("f"), requires_grad=True)
    g = lib.tensor(numbers.normal(size=(steps, batch, hidden)).astype("f"))
    layer = getattr(lib.nn, kind)(inputs, hidden, **options)

    def run() -> None:
        layer.zero_grad()
        output, _ = layer(x)
        output.backward(g)

    return run


def measured(ours: Any, theirs: Any, seconds: float) -> tuple[float, float]:
    """The medians of both, in seconds of CPU time."""
    times: tuple[list[float], list[float]] = ([], [])
    for run in (ours, theirs):
        run()
        run()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[0]) < 5:
        for run, into in zip((ours, theirs), times):
            start = time.process_time()
            run()
            into.append(time.process_time() - start)
    return statistics.median(times[0]), statistics.median(times[1])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each number (default: 2)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = {}
    for size in SIZES:
        for kind in KINDS:
            ours = work(tg, kind, size, fused=True)
            theirs = work(torch, kind, size)
            with threadpool_limits(1):
                rows[kind, size] = measured(ours, theirs, options.seconds)
    if options.json:
        facts = {"python": sys.version, "numpy": np.__version__, "torch": torch.__version__,
                 "machine": platform.processor() or platform.machine(), "threads": 1}  # fmt: skip
        found = [{"kind": k, "size": s, "ours": a, "torch": b} for (k, s), (a, b) in rows.items()]
        print(json.dumps(facts | {"seconds": found}, indent=2))
        return
    print(f"| (T, batch, inputs, hidden) | {' | '.join(KINDS)} |\n|---|---|---|---|")
    for size in SIZES:
        ratios = [f"{rows[kind, size][0] / rows[kind, size][1]:.2f}" for kind in KINDS]
        print(f"| {size} | {' | '.join(ratios)} |")


if __name__ == "__main__":
    main()
