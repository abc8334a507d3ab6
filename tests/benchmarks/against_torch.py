"""Time beside PyTorch, as a ratio: ``python tests/benchmarks/against_torch.py``.

Both run in this process, one thread each, in alternating blocks; the medians are compared. The
garbage collector rests while a block is timed, as `timeit` has it. Absolute times depend on the
machine and its mood; the ratio does much less.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from workloads import LSTM, Recurrent, chain, tape_bytes_per_step

import tinygrad_rnn as tg


def medians(
    ours: Callable[[], Any], theirs: Callable[[], Any], rounds: int = 15, block: int = 6
) -> tuple[float, float]:
    """Median seconds of each, in alternating blocks; the first run of a block is not counted."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for run, collected in zip((ours, theirs), times, strict=True):
            run()
            gc.collect()
            gc.disable()
            for _ in range(block):
                start = time.perf_counter()
                run()
                collected.append(time.perf_counter() - start)
            gc.enable()
    return statistics.median(times[0]), statistics.median(times[1])


def main() -> None:
    torch.set_num_threads(1)
    cases: dict[str, tuple[Callable[[], Any], Callable[[], Any], str]] = {
        "chain of 1,000 elementwise operations on (4, 4)": (
            lambda: chain(tg), lambda: chain(torch), "<= 0.55"
        ),
        "LSTM (50, 16, 32, 32), weights for each gate": (LSTM(tg), LSTM(torch), "<= 0.65"),
        "the same from one product, by slices": (LSTM(tg, "slices"), LSTM(torch, "slices"), ""),
        "the same from one product, by chunk": (LSTM(tg, "chunk"), LSTM(torch, "chunk"), ""),
        **{
            f"{what} of nn.{kind}": (Recurrent(tg, kind), Recurrent(torch, kind), "")
            for what, end in (("50 steps of a loop", "Cell"), ("50 steps", ""))
            for kind in (f"RNN{end}", f"LSTM{end}", f"GRU{end}")
        },
    }  # fmt: skip
    print(f"numpy {np.__version__}, torch {torch.__version__}, one thread each")
    for name, (ours, theirs, aim) in cases.items():
        np.testing.assert_allclose(ours().numpy(), theirs().numpy(), rtol=1e-3, atol=1e-5)
        a, b = medians(ours, theirs)
        print(f"{name:48} {a * 1e3:6.2f} ms  torch {b * 1e3:6.2f} ms  ratio {a / b:.2f}  {aim}")
    print(f"tape of that LSTM: {tape_bytes_per_step(tg) / 1024:.1f} KB per step  <= 25")


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
