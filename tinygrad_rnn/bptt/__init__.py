"""Backpropagation through time as data: what a backward walk did, step by step."""

from tinygrad_rnn.bptt.contributions import contributions
from tinygrad_rnn.bptt.flow import Flow, StateFlow, flow
from tinygrad_rnn.bptt.record import Record, Visit, record
from tinygrad_rnn.modes import keep_values, scope, step

__all__ = [
    "Flow",
    "Record",
    "StateFlow",
    "Visit",
    "contributions",
    "flow",
    "keep_values",
    "record",
    "scope",
    "step",
]
