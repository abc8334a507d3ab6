"""Several programs timed in turn, in one process, so that all meet the same mood of the machine."""

from __future__ import annotations

import gc
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch
from threadpoolctl import threadpool_info, threadpool_limits

WARM, BLOCK = 40, 6  # runs before the first that counts, and runs that are timed together
LONG = 0.3  # seconds from which on one of each has to do
LIBRARIES = ("numpy", "torch", "numba", "jax", "autograd", "mygrad")


def medians(
    runs: Mapping[str, Callable[[], Any]], threads: int, seconds: float
) -> dict[str, float]:
    """Median seconds of each: CPU time of one thread, or by the clock if there are several.

    The garbage collector rests meanwhile, as `timeit` has it; between blocks it works, and the
    first run of a block, which finds the processor's caches full of that, does not count.
    """
    clock = time.process_time if threads == 1 else time.perf_counter
    times: dict[str, list[float]] = {name: [] for name in runs}
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    with threadpool_limits(threads):
        is_long = {name: _warmed(run) > LONG for name, run in runs.items()}
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(min(times.values(), key=len)) < 3:
            for name, run in runs.items():
                gc.collect()
                gc.disable()
                run()
                for _ in range(1 if is_long[name] else BLOCK):
                    start = clock()
                    run()
                    times[name].append(clock() - start)
                gc.enable()
    torch.set_num_threads(before)
    return {name: statistics.median(each) for name, each in times.items()}


def _warmed(run: Callable[[], Any]) -> float:
    """Seconds of a first run; then some more, until what compiles itself has done so."""
    start = time.perf_counter()
    run()
    first = time.perf_counter() - start
    for _ in range(1 if first > LONG else WARM):
        run()
    return first


def facts() -> dict[str, Any]:
    """The machine, and what runs on it."""
    found: dict[str, Any] = {"python": sys.version.split()[0], "cores": os.cpu_count()}
    found["machine"] = _processor()
    found["blas"] = sorted(
        {f"{each['internal_api']} for {each.get('architecture')}" for each in threadpool_info()}
    )
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
        return names[0]
    except (OSError, IndexError):
        return platform.processor() or platform.machine()
