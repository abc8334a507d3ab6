"""The functions as methods and operators of a tensor, family by family."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_rnn import functions
from tinygrad_rnn.dtypes import DTypeLike, as_dtype
from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.ops import arithmetic
from tinygrad_rnn.ops.promotion import to_dtype


class Methods(Variable):
    """What `tinygrad_rnn.functions` offers, said of a tensor: ``x.tanh()``, ``x + y``, ``x[0]``."""

    __slots__ = ()

    # -- elementwise --

    add = functions.add
    sub = functions.sub
    mul = functions.mul
    div = functions.div
    pow = functions.pow
    neg = functions.neg
    exp = functions.exp
    log = functions.log
    tanh = functions.tanh
    sigmoid = functions.sigmoid
    relu = functions.relu

    __add__ = __radd__ = arithmetic.add.apply  # the most frequent ones take the shortest way
    __mul__ = __rmul__ = arithmetic.mul.apply
    __sub__ = arithmetic.sub.apply
    __truediv__ = functions.div
    __pow__ = functions.pow
    __neg__ = functions.neg

    def __rsub__(self, other: Any) -> Any:
        return functions.sub(other, self)

    def __rtruediv__(self, other: Any) -> Any:
        return functions.div(other, self)

    def __rpow__(self, other: Any) -> Any:
        return functions.pow(other, self)

    # -- comparison --

    __lt__ = functions.lt
    __le__ = functions.le
    __gt__ = functions.gt
    __ge__ = functions.ge
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> Any:
        return functions.eq(self, other)

    def __ne__(self, other: object) -> Any:
        return functions.ne(self, other)

    # -- linear algebra --

    matmul = functions.matmul
    __matmul__ = functions.matmul

    def __rmatmul__(self, other: Any) -> Any:
        return functions.matmul(other, self)

    # -- reduction --

    sum = functions.sum
    mean = functions.mean

    # -- ordering --

    # -- shape --

    reshape = functions.reshape
    view = functions.reshape
    permute = functions.permute
    expand = functions.expand
    squeeze = functions.squeeze
    unsqueeze = functions.unsqueeze
    swapaxes = functions.transpose

    def transpose(self, dim0: Any, dim1: Any = None) -> Any:
        """The tensor with two axes exchanged; NumPy's ``transpose(dims)`` is accepted too."""
        if dim1 is None:
            return functions.permute(self, dim0)
        return functions.transpose(self, dim0, dim1)

    @property
    def T(self) -> Any:
        """The tensor with its axes reversed."""
        return functions.permute(self, tuple(range(self.array.ndim))[::-1])

    @property
    def mT(self) -> Any:
        """The tensor with its last two axes exchanged."""
        if self.array.ndim < 2:
            raise RuntimeError(f"mT: only of matrices, not of a {self.array.ndim}-d tensor")
        return functions.transpose(self, -1, -2)

    # -- joining and splitting --

    unbind = functions.unbind
    chunk = functions.chunk

    # -- indexing --

    __getitem__ = functions.getitem

    # -- element types --

    def to(self, dtype: DTypeLike) -> Any:
        """The tensor in another element type (itself if it has that type)."""
        if dtype is None:
            return self
        return to_dtype(self, as_dtype(dtype))

    def float(self) -> Any:
        """As float32."""
        return self.to(np.float32)

    def double(self) -> Any:
        """As float64."""
        return self.to(np.float64)
