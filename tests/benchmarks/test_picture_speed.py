"""Pictures of large graphs: 1,000 nodes within 0.3 s, 10,000 within 3 s, linear beyond.

Run it by ``pytest tests/benchmarks/test_picture_speed.py --benchmark-only``.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tinygrad_rnn import bptt, viz
from tinygrad_rnn.cli import samples

NODES_PER_STEP = 32  # of a two-layer LSTM


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    """Graphviz's WebAssembly compiles at its first call, which is not what is measured."""
    assert viz.draw(bptt.record(samples.unrolled("rnn", steps=2))).svg


def recorded(nodes: int) -> Any:
    return bptt.record(samples.unrolled("lstm", layers=2, steps=nodes // NODES_PER_STEP))


@pytest.mark.parametrize("nodes", [1_000, 10_000, 20_000])
def test_every_operation(benchmark, nodes) -> None:
    walk = recorded(nodes)
    options: dict[str, Any] = {"level": "op", "steps": "all", "max_nodes": 10**6}
    benchmark.pedantic(lambda: viz.draw(walk, **options).svg, rounds=5)


@pytest.mark.parametrize("nodes", [1_000, 10_000, 100_000])
def test_folded_cells(benchmark, nodes) -> None:
    walk = recorded(nodes)
    benchmark.pedantic(lambda: viz.draw(walk).svg, rounds=3)


@pytest.mark.parametrize("nodes", [10_000, 100_000])
def test_heat_map(benchmark, nodes) -> None:
    walk = recorded(nodes)
    benchmark.pedantic(lambda: viz.draw(walk, level="step").svg, rounds=3)


@pytest.mark.parametrize("module", ["numpy", "tinygrad_rnn"])
def test_import(benchmark, module) -> None:
    """The whole interpreter with one import; what NumPy takes of it stands beside it."""
    benchmark(subprocess.run, [sys.executable, "-c", f"import {module}"], check=True)
