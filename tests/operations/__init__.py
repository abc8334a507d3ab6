"""Calls of every public operation, family by family (see `operations.harness`)."""

from operations import (
    comparison,
    creation,
    dtypes,
    elementwise,
    indexing,
    joining,
    linalg,
    losses,
    nn,
    ordering,
    reduction,
    scattering,
    sets,
    shape,
    signatures,
    ternary,
)
from operations.harness import OPERATIONS, Call, compare

__all__ = [
    "OPERATIONS",
    "Call",
    "compare",
    "comparison",
    "creation",
    "dtypes",
    "elementwise",
    "indexing",
    "joining",
    "linalg",
    "losses",
    "nn",
    "ordering",
    "reduction",
    "scattering",
    "sets",
    "shape",
    "signatures",
    "ternary",
]
