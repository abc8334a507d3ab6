"""Backpropagation through time as data: what a backward walk did, step by step."""

from tinygrad_rnn.autograd import keep_values, scope, step
from tinygrad_rnn.bptt.contributions import contributions
from tinygrad_rnn.bptt.record import Record, Visit, record

__all__ = ["Record", "Visit", "contributions", "keep_values", "record", "scope", "step"]
