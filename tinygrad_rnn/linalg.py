"""Linear algebra, with the names of ``torch.linalg``."""

from tinygrad_rnn.functions.linalg import matmul
from tinygrad_rnn.functions.norms import linalg_norm as norm
from tinygrad_rnn.functions.norms import matrix_norm, vector_norm

__all__ = ["matmul", "matrix_norm", "norm", "vector_norm"]
