"""tinygrad_rnn: automatic differentiation from scratch, to see backpropagation through time.

>>> import tinygrad_rnn as tg
>>> w = tg.tensor(0.2, requires_grad=True)
>>> x = tg.tensor(0.9)
>>> for t in range(1, 4):
...     with tg.step(t):
...         x = w * x
>>> x.backward()
>>> w.grad
tensor(0.1080)
"""

from tinygrad_rnn import autograd, bptt, nn, testing, viz
from tinygrad_rnn.creation import from_numpy, ones, ones_like, tensor, zeros, zeros_like
from tinygrad_rnn.dtypes import (
    bool_,
    float16,
    float32,
    float64,
    get_default_dtype,
    int8,
    int16,
    int32,
    int64,
    set_default_dtype,
    uint8,
)
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
from tinygrad_rnn.modes import (
    enable_grad,
    is_grad_enabled,
    keep_values,
    no_grad,
    scope,
    set_grad_enabled,
    step,
)
from tinygrad_rnn.random import Generator, manual_seed, rand
from tinygrad_rnn.tensor import Tensor

__version__ = "0.1.0"

__all__ = [
    "Generator",
    "Tensor",
    "add",
    "autograd",
    "bool_",
    "bptt",
    "cat",
    "chunk",
    "div",
    "enable_grad",
    "eq",
    "exp",
    "expand",
    "float16",
    "float32",
    "float64",
    "from_numpy",
    "ge",
    "get_default_dtype",
    "gt",
    "int8",
    "int16",
    "int32",
    "int64",
    "is_grad_enabled",
    "keep_values",
    "le",
    "linear",
    "log",
    "lt",
    "manual_seed",
    "matmul",
    "mean",
    "mul",
    "ne",
    "neg",
    "nn",
    "no_grad",
    "ones",
    "ones_like",
    "permute",
    "pow",
    "rand",
    "relu",
    "reshape",
    "scope",
    "set_default_dtype",
    "set_grad_enabled",
    "sigmoid",
    "squeeze",
    "stack",
    "step",
    "sub",
    "sum",
    "tanh",
    "tensor",
    "testing",
    "transpose",
    "uint8",
    "unbind",
    "unsqueeze",
    "viz",
    "where",
    "zeros",
    "zeros_like",
]
