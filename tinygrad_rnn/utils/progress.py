"""How far a loop is."""

from __future__ import annotations

import math
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

_HEIGHTS = "▁▂▃▄▅▆▇█"
_WIDTH = 24  # characters of a curve


def progress(
    iterable: Iterable[T], *, watch: Sequence[float] | None = None, **options: Any
) -> Iterable[T]:
    """The same items, with a bar in the terminal or the notebook while they are gone through.

    The bar is tqdm's (``pip install 'tinygrad_rnn[progress]'``), in a notebook a widget where
    ipywidgets is installed. Where tqdm is missing, or the output goes to a file, nothing is shown.

    Parameters
    ----------
    iterable : iterable
    watch : sequence of float, optional
        A list that the loop appends its losses to: beside the bar stand the latest, and the curve
        of all of them so far.
    **options
        What tqdm takes, such as ``desc="epoch 1"`` or ``total=100``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> losses = []
    >>> for epoch in tg.utils.progress(range(2), desc="epochs", watch=losses):
    ...     losses.append(1 / (epoch + 1))
    """
    if not (sys.stderr.isatty() or _in_a_notebook()):
        return iterable
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # without ipywidgets the bar is a line of text
            from tqdm.auto import tqdm
    except ImportError:
        return iterable
    bar: Iterable[T] = tqdm(iterable, **options)
    return bar if watch is None else _watching(bar, watch)


def _watching(bar: Any, values: Sequence[float]) -> Iterator[Any]:
    due = 0.0  # a curve takes time: no more of them than are shown
    for item in bar:
        yield item
        now = time.monotonic()
        if len(values) and now >= due:
            bar.set_postfix_str(f"{values[-1]:.4g} {curve(values)}", refresh=False)
            due = now + bar.mininterval


def curve(values: Sequence[float], width: int = _WIDTH) -> str:
    """Numbers as a line of bars, each the mean of its share of them, from the least to the most.

    Examples
    --------
    >>> curve([4.0, 3.0, 2.5, 2.0, 1.5, 1.0, 0.5, 0.5])
    '█▆▅▄▃▂▁▁'
    >>> curve([1.0, float("nan"), 2.0])
    '▁ █'
    """
    n, bars = len(values), min(len(values), width)
    shares = [values[i * n // bars : (i + 1) * n // bars] for i in range(bars)]
    means = [sum(share) / len(share) for share in shares]
    finite = [mean for mean in means if math.isfinite(mean)]
    if not finite:
        return " " * bars
    least, span = min(finite), (max(finite) - min(finite)) or 1.0
    top = len(_HEIGHTS) - 1
    return "".join(
        _HEIGHTS[round((mean - least) / span * top)] if math.isfinite(mean) else " "
        for mean in means
    )


def _in_a_notebook() -> bool:
    """Whether a kernel of Jupyter's runs this: its output is shown, though it is no terminal."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and "IPKernelApp" in shell.config
