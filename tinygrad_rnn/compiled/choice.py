"""Whether recurrent layers are computed by compiled programs, in one node each."""

from __future__ import annotations

import threading
from types import TracebackType

from tinygrad_rnn.engine.mode import Mode, here


class _Chosen(threading.local):
    fused = False


_chosen = _Chosen()


class fused:
    """Compute the recurrent layers that run inside by compiled programs, one node each.

    Results and gradients are the same but for the order of sums. Whoever looks at the graph, by
    `bptt.record`, in a picture or for a second derivative, finds it operation by operation.

    Parameters
    ----------
    mode : bool

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> lstm = tg.nn.LSTM(2, 3)
    >>> with tg.fused():
    ...     output, _ = lstm(tg.ones(5, 1, 2))
    >>> list(tg.bptt.record(output.sum()).over_time("c"))
    [0, 1, 2, 3, 4, 5]
    """

    def __init__(self, mode: bool = True) -> None:
        if not isinstance(mode, bool):
            raise TypeError(f"fused: expected a bool, got {mode!r}")
        self.mode = mode
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(_chosen.fused)
        _chosen.fused = self.mode

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        _chosen.fused = self._before.pop()


def is_fused(own: bool) -> bool:
    """Whether a layer that was told ``own`` is fused here; none is while lines are looked at."""
    return (own or _chosen.fused) and type(here.mode) is Mode
