"""`torch.nn.utils`'s modules, where they are called otherwise here."""

from tinygrad_rnn.nn.utils import clip as clip_grad
from tinygrad_rnn.nn.utils import convert as convert_parameters

__all__ = ["clip_grad", "convert_parameters"]
