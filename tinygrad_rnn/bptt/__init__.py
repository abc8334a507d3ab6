"""Backpropagation through time as data: what a backward walk did, step by step."""

from tinygrad_rnn.bptt.contributions import Contributions, contributions
from tinygrad_rnn.bptt.diagnose import Diagnosis, diagnose
from tinygrad_rnn.bptt.explain import Explanation, explain
from tinygrad_rnn.bptt.flow import Flow, StateFlow, flow
from tinygrad_rnn.bptt.illnesses.finding import Finding
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
    "Diagnosis",
    "Explanation",
    "Finding",
    "Flow",
    "Jacobians",
    "Record",
    "StateFlow",
    "Truncation",
    "TruncationComparison",
    "Visit",
    "compare_truncation",
    "contributions",
    "diagnose",
    "explain",
    "flow",
    "jacobians",
    "keep_values",
    "record",
    "scope",
    "step",
    "truncate",
]
