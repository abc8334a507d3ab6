"""How far a loop is."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Collection, Iterable
from typing import Any, TypeVar

T = TypeVar("T")

_PATIENCE = 0.25  # seconds without a bar


def progress(iterable: Iterable[T], **options: Any) -> Iterable[T]:
    """The same items, with a bar in the terminal or the notebook while they are gone through.

    The bar is tqdm's (``pip install 'tinygrad_rnn[progress]'``), in a notebook a widget where
    ipywidgets is installed. Where tqdm is missing, or the output goes to a file, nothing is shown.

    Parameters
    ----------
    iterable : iterable
    **options
        What tqdm takes, such as ``desc="epoch 1"`` or ``total=100``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> for epoch in tg.utils.progress(range(2), desc="epochs"):
    ...     pass
    """
    if not (sys.stderr.isatty() or in_a_notebook()):
        return iterable
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # without ipywidgets the bar is a line of text
            from tqdm.auto import tqdm
    except ImportError:
        return iterable
    bar: Iterable[T] = tqdm(iterable, **options)
    return bar


def progress_if_long(items: Collection[T], desc: str, many: int = 2000) -> Iterable[T]:
    """The same items, with a bar that comes only if they are many and slow, and then goes away.

    For work that is quick as a rule, and of which nothing is worth keeping on the screen.
    """
    if len(items) < many:
        return items
    return progress(items, desc=desc, delay=_PATIENCE, leave=False)


def in_a_notebook() -> bool:
    """Whether a kernel of Jupyter's runs this: its output is shown, though it is no terminal."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and "IPKernelApp" in shell.config
