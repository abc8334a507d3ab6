"""Ctrl-C may come at any moment, and leaves everything as it was."""

import gc
import random
import signal
import sys
from collections.abc import Callable, Iterator

import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn
from tinygrad_rnn.engine.mode import here
from tinygrad_rnn.tensor.collector import growing_graph, resting_collector


@pytest.fixture
def ctrl_c() -> Iterator[Callable[[float], None]]:
    """Something that interrupts the program, as Ctrl-C does, after so many seconds.

    And again, if nothing came of it: the interpreter drops what is raised in a callback of its
    garbage collector, which is where Hypothesis looks on.
    """

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds, 0.1)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@tg.no_grad()
def decorated() -> None:
    pass


@tg.no_grad()
def generator() -> Iterator[int]:
    yield 1
    yield 2


def inside(context: Callable[[], object]) -> Callable[[], None]:
    def work() -> None:
        with context():  # type: ignore[attr-defined]
            pass

    return work


def interrupted_backward() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()


def settings() -> tuple[object, ...]:
    mode = here.mode
    return type(mode), mode.recording, mode.keep, mode.tag[:4], gc.get_threshold()


LAYER, SEQUENCE = nn.LSTM(2, 2, 2, bidirectional=True), tg.zeros(4, 1, 2)
WORK = {
    "no_grad": (inside(tg.no_grad), 2e-4),
    "step": (inside(lambda: tg.step(3)), 2e-4),
    "scope": (inside(lambda: tg.scope("rnn")), 2e-4),
    "keep_values": (inside(tg.bptt.keep_values), 2e-4),
    "detect_anomaly": (inside(tg.autograd.detect_anomaly), 2e-4),
    "decorator": (decorated, 2e-4),
    "generator": (lambda: list(generator()), 2e-4),
    "layer": (lambda: LAYER(SEQUENCE), 5e-3),
    "backward": (interrupted_backward, 1e-3),
    "collector": (inside(resting_collector), 2e-4),
    "growing graph": (inside(growing_graph), 2e-4),
}


@pytest.mark.skipif(
    sys.version_info < (3, 11), reason="Python 3.10 is interrupted between any two instructions"
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", WORK)
def test_an_interrupt_restores_the_mode(name, ctrl_c):
    work, longest = WORK[name]
    draw, before, collecting = random.Random(0), settings(), gc.isenabled()
    for _ in range(300):
        try:
            ctrl_c(draw.uniform(1e-6, longest))
            while True:
                work()
        except KeyboardInterrupt:
            signal.setitimer(signal.ITIMER_REAL, 0)
            if name in ("layer", "decorator", "generator"):  # these need not let go of it first
                assert settings() == before
        assert settings() == before
        assert gc.isenabled() is collecting
