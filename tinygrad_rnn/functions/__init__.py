"""The operations as users call them: PyTorch's names, arguments and errors.

Each function checks and completes its arguments and applies a primitive from the tables in
`tinygrad_rnn.ops`, where the derivative stands.  Everything takes tensors, NumPy arrays or (where
elementwise) Python numbers, and broadcasts as NumPy does.  The methods and operators of
`Tensor` are these functions.
"""

from tinygrad_rnn.functions.comparison import (
    eq,
    ge,
    gt,
    le,
    lt,
    ne,
)
from tinygrad_rnn.functions.elementwise import (
    add,
    div,
    exp,
    log,
    mul,
    neg,
    pow,
    relu,
    sigmoid,
    sub,
    tanh,
    where,
)
from tinygrad_rnn.functions.indexing import (
    getitem,
)
from tinygrad_rnn.functions.joining import (
    cat,
    chunk,
    stack,
    unbind,
)
from tinygrad_rnn.functions.linalg import (
    linear,
    matmul,
)
from tinygrad_rnn.functions.reduction import (
    mean,
    sum,
)
from tinygrad_rnn.functions.shape import (
    expand,
    permute,
    reshape,
    squeeze,
    transpose,
    unsqueeze,
)

__all__ = [
    "add",
    "cat",
    "chunk",
    "div",
    "eq",
    "exp",
    "expand",
    "ge",
    "getitem",
    "gt",
    "le",
    "linear",
    "log",
    "lt",
    "matmul",
    "mean",
    "mul",
    "ne",
    "neg",
    "permute",
    "pow",
    "relu",
    "reshape",
    "sigmoid",
    "squeeze",
    "stack",
    "sub",
    "sum",
    "tanh",
    "transpose",
    "unbind",
    "unsqueeze",
    "where",
]
