"""Cases of every primitive, family by family: what the tests and ``tinygrad-rnn check`` run."""

from tinygrad_rnn.testing.cases import (
    activation,
    elementwise,
    indexing,
    inplace,
    linalg,
    ordering,
    reduction,
    shape,
    windows,
)
from tinygrad_rnn.testing.cases.table import CASES, CATEGORIES, Case

__all__ = [
    "CASES",
    "CATEGORIES",
    "Case",
    "activation",
    "elementwise",
    "indexing",
    "inplace",
    "linalg",
    "ordering",
    "reduction",
    "shape",
    "windows",
]
