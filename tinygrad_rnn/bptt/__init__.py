"""Backpropagation through time as data: what a backward walk did, step by step."""

from tinygrad_rnn.bptt.contributions import Contributions, contributions
from tinygrad_rnn.bptt.jacobians import Jacobians, jacobians
from tinygrad_rnn.bptt.record import Record, Visit, record
from tinygrad_rnn.bptt.truncation import (
    Truncation,
    TruncationComparison,
    compare_truncation,
    truncate,
)
from tinygrad_rnn.modes import keep_values, scope, step

__all__ = [
    "Contributions",
    "Jacobians",
    "Record",
    "Truncation",
    "TruncationComparison",
    "Visit",
    "compare_truncation",
    "contributions",
    "jacobians",
    "keep_values",
    "record",
    "scope",
    "step",
    "truncate",
]
