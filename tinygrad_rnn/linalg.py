"""Linear algebra, with the names of ``torch.linalg``."""

from tinygrad_rnn.operations.decomposition import LinAlgError, svd, svdvals
from tinygrad_rnn.operations.factors import (
    cholesky,
    cond,
    eigh,
    eigvals,
    eigvalsh,
    lstsq,
    matrix_rank,
    pinv,
    qr,
    solve_triangular,
)
from tinygrad_rnn.operations.linalg import matmul
from tinygrad_rnn.operations.norms import linalg_norm as norm
from tinygrad_rnn.operations.norms import matrix_norm, vector_norm
from tinygrad_rnn.operations.products import multi_dot, vecdot
from tinygrad_rnn.operations.systems import det, inv, matrix_exp, matrix_power, slogdet, solve


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "LinAlgError",
    "cholesky",
    "cond",
    "det",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "lstsq",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "vecdot",
    "vector_norm",
]
