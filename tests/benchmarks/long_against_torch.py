"""A loop of very many steps beside PyTorch: ``python tests/benchmarks/long_against_torch.py``.

One forward and one backward of an LSTM written with primitives. Unlike in the other benchmarks
Python's garbage collector is at work, for over so many steps it is part of the price; and each way
runs in processes of its own, one after the other, so that the most memory it had is its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from contextlib import nullcontext
from typing import Any

WAYS = ("torch", "plain", "growing_graph")


def spent(way: str, steps: int, gates: str) -> dict[str, float]:
    """Seconds of CPU time of forward and backward in this process, and its most memory in GB."""
    from workloads import LSTM

    context: Any = nullcontext
    lib: Any
    if way == "torch":
        import torch as lib

        lib.set_num_threads(1)
    else:
        import tinygrad_rnn as lib

        context = lib.autograd.growing_graph if way == "growing_graph" else nullcontext
    LSTM(lib, gates)()  # what is made once does not count
    model = LSTM(lib, gates, steps=steps, batch=1, inputs=8, hidden=8)
    start = time.process_time()
    with context():
        loss = model.forward()
        middle = time.process_time()
        loss.backward()
        end = time.process_time()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"forward": middle - start, "backward": end - middle, "memory": most}


def measured(steps: int, gates: str, rounds: int) -> dict[str, dict[str, float]]:
    """The medians of each way, in turn."""
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way, results in found.items():
            command = [sys.executable, __file__, "--way", way]
            command += ["--steps", str(steps), "--gates", gates]
            results.append(json.loads(subprocess.check_output(command, text=True)))
    return {
        way: {key: statistics.median(each[key] for each in results) for key in results[0]}
        for way, results in found.items()
    }


def main() -> None:
    """Print the table, or what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--gates", choices=("separate", "chunk", "slices"), default="separate")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--way", choices=WAYS, help="run only this one, here")
    options = parser.parse_args()
    if options.way:
        print(json.dumps(spent(options.way, options.steps, options.gates)))
        return
    found = measured(options.steps, options.gates, options.rounds)
    if options.json:
        print(json.dumps({"steps": options.steps, "gates": options.gates, "ways": found}, indent=2))
        return
    theirs = found["torch"]["forward"] + found["torch"]["backward"]
    print(f"LSTM of {options.steps} steps, gates {options.gates}, batch 1, 8 inputs, 8 units")
    for way, (forward, backward, memory) in ((way, each.values()) for way, each in found.items()):
        print(
            f"{way:14} forward {forward:6.2f} s, backward {backward:6.2f} s, "
            f"{(forward + backward) / theirs:.2f} of PyTorch's, {memory:.2f} GB"
        )


if __name__ == "__main__":
    main()
