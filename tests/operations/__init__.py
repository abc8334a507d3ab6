"""Calls of every public operation, family by family (see `operations.harness`)."""

from operations import elementwise
from operations.harness import OPERATIONS, Call, compare

__all__ = ["OPERATIONS", "Call", "compare", "elementwise"]
