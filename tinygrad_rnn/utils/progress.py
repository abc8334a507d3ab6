"""How far a loop is."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, TypeVar

T = TypeVar("T")


def progress(iterable: Iterable[T], **options: Any) -> Iterable[T]:
    """The same items, with a bar in the terminal while they are gone through.

    The bar is tqdm's (``pip install 'tinygrad_rnn[progress]'``). Where tqdm is missing, or the
    output goes to a file, nothing is shown.

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
    if not sys.stderr.isatty():
        return iterable
    try:
        from tqdm import tqdm
    except ImportError:
        return iterable
    bar: Iterable[T] = tqdm(iterable, **options)
    return bar
