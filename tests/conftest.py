"""What all tests share: the reference, the random numbers, and hypothesis's settings."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

import tinygrad_rnn as tg
from tinygrad_rnn.compiled import native

collect_ignore = ["benchmarks/against_torch.py"]  # a program, which imports torch
collect_ignore_glob = ["programs/tutorials/*", "programs/varied/*"]  # they, too

settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests are called the same in every process: pytest-xdist's workers compare their names."""
    passing = [item.nodeid for item in items if " at 0x" in item.nodeid]
    if passing:
        raise pytest.UsageError(f"named after a place in memory, give ids: {passing}")


def pytest_collection_finish() -> None:
    """What pytest has collected stays: Python's collector need not go through it again and again,
    which takes a second each time.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def torch() -> Any:
    """PyTorch, the reference, on one thread; tests that ask for it skip where it is missing."""
    module = pytest.importorskip(
        "torch", reason="PyTorch is the reference of this test: pip install torch==2.13.0"
    )
    module.set_num_threads(1)
    return module


@pytest.fixture(scope="session", autouse=True)
def nothing_compiled_meanwhile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """numba compiles where a test is about that, and keeps nothing in the user's folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(native, "CALLS", sys.maxsize)
        yield


@pytest.fixture(autouse=True)
def the_world_as_it_was() -> Iterator[None]:
    """A test draws the same random numbers whatever ran before it, and leaves no setting behind."""
    tg.manual_seed(0)
    if "torch" in sys.modules and sys.modules["torch"] is not None:
        sys.modules["torch"].default_generator.manual_seed(0)
    before = settings_of_the_world()
    yield
    assert settings_of_the_world() == before


def settings_of_the_world() -> dict[str, Any]:
    """What a test could change for those after it."""
    return {
        "default dtype": tg.get_default_dtype(),
        "recording": tg.is_grad_enabled(),
        "printing": tg.get_printoptions(),
        "NumPy's errors": np.geterr(),
        "NumPy's printing": np.get_printoptions(),
        "folder": os.getcwd(),
    }


@pytest.fixture
def rng() -> np.random.Generator:
    """The same random numbers in every test."""
    return np.random.default_rng(2013)
