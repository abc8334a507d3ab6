"""Results that own their memory."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


def owned(forward: Callable[..., Any]) -> Callable[..., Any]:
    """A forward whose result is no view of some array that NumPy made on the way.

    Changes in place ask where in its memory the elements of a result lie; of what NumPy made and
    turned around, as it does for index arrays, nobody could tell later.
    """

    @functools.wraps(forward)
    def computed(*arrays: Any, **parameters: Any) -> Any:
        result = forward(*arrays, **parameters)
        return result if result.base is None else result.copy()

    return computed
