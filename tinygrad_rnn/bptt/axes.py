"""The axes of matplotlib (extra ``matplotlib``) on which results draw themselves."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from tinygrad_rnn.writing.text import clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def axes_for(caller: str, ax: Any) -> Axes:
    """The axes that a caller of ``plot`` gave, or, for ``None``, those of a new figure.

    Raises
    ------
    TypeError
        If it gave something else.
    RuntimeError
        If new ones are wanted and matplotlib is not installed.
    """
    if ax is not None:
        if not (hasattr(ax, "plot") and hasattr(ax, "set_xlabel")):
            raise TypeError(
                f"{caller}: expected axes of matplotlib, got {type(ax).__name__}: give one of "
                "those of plt.subplots(), or None"
            )
        return cast("Axes", ax)
    try:
        pyplot = import_module("matplotlib.pyplot")
    except ImportError as error:
        raise RuntimeError(
            f"{caller} draws by matplotlib: pip install 'tinygrad_rnn[matplotlib]'; the charts of "
            "viz need nothing"
        ) from error
    return cast("Axes", pyplot.subplots()[1])


def called(name: str) -> str:
    r"""A name as a label: matplotlib reads formulas between dollars, and hides what begins with _.

    Examples
    --------
    >>> print(called("_a$b"))
     _a\$b
    """
    line = clean(name).replace("$", r"\$")
    return f" {line}" if line.startswith("_") else line


def steps_on(ax: Axes, label: str) -> None:
    """Say what runs along the axis below: whole numbers, such as time steps."""
    ax.set_xlabel(label)
    if ax.get_xscale() == "linear":
        ticker = import_module("matplotlib.ticker")
        ax.xaxis.set_major_locator(ticker.MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))


def in_decades(ax: Axes, values: Iterable[Any]) -> None:
    """Make the axis at the left logarithmic, if there is anything that it can show; 0 it cannot."""
    known = np.concatenate([np.ravel(np.asarray(x, float)) for x in values] or [np.zeros(0)])
    if np.any((known > 0) & np.isfinite(known)):
        ax.set_yscale("log", nonpositive="mask")
