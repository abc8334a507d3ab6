"""Linear algebra, with the names of ``torch.linalg``."""

from tinygrad_rnn.functions.norms import linalg_norm as norm
from tinygrad_rnn.functions.norms import vector_norm

__all__ = ["norm", "vector_norm"]
