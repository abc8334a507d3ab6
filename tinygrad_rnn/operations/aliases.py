"""Other names of the same functions, as PyTorch and NumPy have them."""

from tinygrad_rnn.operations.arithmetic import div, mul, neg, sub
from tinygrad_rnn.operations.comparison import ge, gt, le, lt, ne
from tinygrad_rnn.operations.elementwise import (
    abs,
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    trunc,
)
from tinygrad_rnn.operations.joining import cat, vstack
from tinygrad_rnn.operations.linalg import outer
from tinygrad_rnn.operations.shape import transpose

absolute, negative, fix = abs, neg, trunc
subtract, multiply, divide = sub, mul, div
arccos, arcsin, arctan, arctan2 = acos, asin, atan, atan2
arccosh, arcsinh, arctanh = acosh, asinh, atanh
greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne
concatenate, row_stack, swapdims, ger = cat, vstack, transpose, outer
