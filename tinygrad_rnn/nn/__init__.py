"""Neural networks: modules, parameters, recurrent cells and layers."""

from tinygrad_rnn.nn import functional
from tinygrad_rnn.nn.cells import RNNCell
from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.nn.parameter import Parameter
from tinygrad_rnn.nn.recurrent import RNN

__all__ = ["RNN", "Module", "Parameter", "RNNCell", "functional"]
