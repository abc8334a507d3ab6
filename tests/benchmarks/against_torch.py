"""Time beside PyTorch, as a ratio: ``python tests/benchmarks/against_torch.py``.

Every way of a row runs in this process, in turn with the others; medians are divided by PyTorch's.
With one thread it is CPU time, with two the time by the clock. Absolute times depend on the machine
and its mood; the ratio does much less. Other libraries appear where they are installed.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rows import GROUPS
from timing import facts, medians
from workloads import tape_bytes_per_step

import tinygrad_rnn as tg

PROGRAMS = Path(__file__).parents[1] / "programs" / "tutorials"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = [*GROUPS, "programs", "memory"]
    parser.add_argument("groups", nargs="*", default=names, help=f"of {', '.join(names)}")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each row (default: 2)")
    parser.add_argument("--threads", type=int, choices=(1, 2), help="only one of the tables")
    parser.add_argument("--json", metavar="FILE", help="write all that was measured there")
    options = parser.parse_args()
    unknown = {*options.groups} - {*names}
    if unknown:
        parser.error(f"no such group: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    found: dict[str, Any] = {"facts": facts(), "rows": []}
    print(", ".join(f"{name} {value}" for name, value in found["facts"].items()))
    for threads in [options.threads] if options.threads else [1, 2]:
        print(f"\n{threads} thread{'s, by the clock' if threads > 1 else ', CPU time'}")
        for group in options.groups:
            for name, runs in GROUPS[group]() if group in GROUPS else ():
                times = medians(runs, threads, options.seconds)
                found["rows"].append({"row": name, "threads": threads, "seconds": times})
                print(row(name, times), flush=True)
    if "programs" in options.groups:
        found["programs"] = programs()
    if "memory" in options.groups:
        print(f"tape of an LSTM: {tape_bytes_per_step(tg) / 1024:.1f} KB per step")
    if options.json:
        Path(options.json).write_text(json.dumps(found, indent=2), encoding="utf-8")


def row(name: str, times: dict[str, float]) -> str:
    """A line of the table: ratios, and PyTorch's milliseconds."""
    theirs = times["torch"]
    ratios = [f"{way} {t / theirs:.2f}" for way, t in times.items() if way != "torch"]
    return f"{name:36} {', '.join(ratios):44} torch {theirs * 1e3:.2f} ms"


def programs() -> dict[str, list[float]]:
    """Whole programs: CPU time of their processes, ours and PyTorch's.

    Also without what it takes to start either library, which is most of PyTorch's.
    """
    ways = [[sys.executable, "-m", "tinygrad_rnn", "run"], [sys.executable]]
    with tempfile.TemporaryDirectory() as folder:
        nothing = Path(folder) / "nothing.py"
        nothing.write_text("import torch", encoding="utf-8")
        start = [min(spent([*way, str(nothing)]) for _ in range(3)) for way in ways]
    found = {
        path.stem: [spent([*way, str(path)]) for way in ways]
        for path in sorted(PROGRAMS.glob("*.py"))
    }
    print(f"{len(found)} programs under run, CPU time of the process: {spread(found, [0, 0])}")
    print(f"without the start of either library: {spread(found, start)}")
    return {"start": start, **found}


def spread(found: dict[str, list[float]], start: list[float]) -> str:
    """The ratios' median and extremes."""
    rest = [[max(t - s, 0.01) for t, s in zip(times, start)] for times in found.values()]
    ratios = sorted(ours / theirs for ours, theirs in rest)
    return f"median {statistics.median(ratios):.2f}, {ratios[0]:.2f} to {ratios[-1]:.2f}"


def spent(command: list[str]) -> float:
    """Seconds of CPU time that a command takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
