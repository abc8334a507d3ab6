"""Results that are numbers: tables to read, arrays to go on with."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_rnn.writing.text import Report

Array = np.ndarray[Any, Any]


class Measured(Report):
    """A report whose numbers ``np.asarray`` gives; a subclass has ``numpy``.

    Examples
    --------
    >>> class Norms(Measured):
    ...     def numpy(self):
    ...         return np.array([0.5, 0.25], np.float32)
    >>> np.asarray(Norms())
    array([0.5 , 0.25], dtype=float32)
    """

    def numpy(self) -> Array:
        """The numbers as an array."""
        raise NotImplementedError

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        array = self.numpy()
        return array if dtype is None else array.astype(dtype, copy=False)
