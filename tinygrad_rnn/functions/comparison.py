"""Comparisons and logic: bool tensors, without derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_rnn.engine import primitive
from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.errors import cannot_compute
from tinygrad_rnn.ops.promotion import promoted


def _comparison(ufunc: np.ufunc, sign: str) -> Any:
    fit = promoted(sign, numbers=False)

    def compare(input: Any, other: Any) -> Any:
        if not isinstance(other, Variable | np.ndarray | np.generic | bool | int | float):
            return NotImplemented
        a, b = (x.array if isinstance(x, Variable) else x for x in fit((input, other)))
        try:
            return primitive.make_tensor(np.asarray(ufunc(a, b)), None)
        except ValueError as error:
            raise cannot_compute(sign, error, [a, b], {}) from error

    compare.__doc__ = f"``input {sign} other``, elementwise, as a bool tensor."
    return compare


eq = _comparison(np.equal, "==")
ne = _comparison(np.not_equal, "!=")
lt = _comparison(np.less, "<")
le = _comparison(np.less_equal, "<=")
gt = _comparison(np.greater, ">")
ge = _comparison(np.greater_equal, ">=")
