"""`torch.nn.modules.rnn`: recurrent layers and cells."""

from tinygrad_rnn.nn.cells import GRUCell, LSTMCell, RNNCell, RNNCellBase
from tinygrad_rnn.nn.recurrent import GRU, LSTM, RNN, RNNBase

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]
