"""Single timings: ``pytest tests/benchmarks --benchmark-only``; ratios: ``against_torch.py``."""

from __future__ import annotations

import pytest
from workloads import LSTM, chain

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, viz
from tinygrad_rnn.cli import demo


@pytest.mark.parametrize("library", ["tinygrad_rnn", "torch"])
def test_chain(benchmark, request, library) -> None:
    benchmark(chain, tg if library == "tinygrad_rnn" else request.getfixturevalue(library))


@pytest.mark.parametrize("gates", ["separate", "slices", "chunk"])
@pytest.mark.parametrize("library", ["tinygrad_rnn", "torch"])
def test_lstm(benchmark, request, library, gates) -> None:
    benchmark(LSTM(tg if library == "tinygrad_rnn" else request.getfixturevalue(library), gates))


def test_picture(benchmark) -> None:
    walk = bptt.record(demo.forward()[2])
    benchmark(lambda: viz.draw(walk).svg)
