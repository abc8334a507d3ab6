"""Linear algebra, with the names of ``torch.linalg``."""

from tinygrad_rnn.operations.decomposition import LinAlgError, svd, svdvals
from tinygrad_rnn.operations.norms import linalg_norm as norm
from tinygrad_rnn.operations.norms import matrix_norm, vector_norm


def __dir__() -> list[str]:
    return __all__


__all__ = ["LinAlgError", "matrix_norm", "norm", "svd", "svdvals", "vector_norm"]
