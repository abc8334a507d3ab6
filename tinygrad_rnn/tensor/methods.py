"""The functions as methods and operators of a tensor, family by family."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn import operations as functions
from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.operations import arithmetic, shape
from tinygrad_rnn.operations.arguments import check_no_bools
from tinygrad_rnn.tensor.elements import Elements

if TYPE_CHECKING:
    from typing_extensions import Self

    from tinygrad_rnn.tensor.tensor import Tensor


class Methods(Elements):
    """What `operations` offers, said of a tensor: ``x.tanh()``, ``x + y``, ``x[0]``."""

    __slots__ = ()

    # -- elementwise --

    add = functions.add
    addcdiv = functions.addcdiv
    addcmul = functions.addcmul
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
    abs = functions.abs
    acos = functions.acos
    acosh = functions.acosh
    asin = functions.asin
    asinh = functions.asinh
    atan = functions.atan
    atan2 = functions.atan2
    atanh = functions.atanh
    ceil = functions.ceil
    clamp = functions.clamp
    clip = functions.clip
    clamp_max = functions.clamp_max
    clamp_min = functions.clamp_min
    cos = functions.cos
    cosh = functions.cosh
    erf = functions.erf
    exp2 = functions.exp2
    expm1 = functions.expm1
    floor = functions.floor
    floor_divide = functions.floor_divide
    fmod = functions.fmod
    lerp = functions.lerp
    log1p = functions.log1p
    log2 = functions.log2
    log10 = functions.log10
    logaddexp = functions.logaddexp
    logit = functions.logit
    masked_fill = functions.masked_fill
    maximum = functions.maximum
    minimum = functions.minimum
    nan_to_num = functions.nan_to_num
    reciprocal = functions.reciprocal
    remainder = functions.remainder
    round = functions.round
    rsqrt = functions.rsqrt
    sign = functions.sign
    sin = functions.sin
    sinh = functions.sinh
    sqrt = functions.sqrt
    square = functions.square
    tan = functions.tan
    true_divide = functions.true_divide
    trunc = functions.trunc
    xlogy = functions.xlogy

    def where(self, condition: Any, other: Any) -> Tensor:
        """The tensor where the condition holds, else ``other``."""
        return functions.where(condition, self, other)

    if TYPE_CHECKING:

        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
    else:  # the most frequent ones take the shortest way
        __add__ = __radd__ = arithmetic.add.apply
        __mul__ = __rmul__ = arithmetic.mul.apply
        __sub__ = arithmetic.sub.apply

    __truediv__ = functions.div
    __pow__ = functions.pow
    __floordiv__ = functions.floor_divide
    __mod__ = functions.remainder
    __neg__ = functions.neg
    __abs__ = functions.abs

    def __pos__(self) -> Self:
        check_no_bools("+", self)
        return self

    def __rsub__(self, other: Any) -> Tensor:
        return functions.sub(other, self)

    def __rtruediv__(self, other: Any) -> Tensor:
        return functions.div(other, self)

    def __rpow__(self, other: Any) -> Tensor:
        return functions.pow(other, self)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return functions.floor_divide(other, self)

    def __rmod__(self, other: Any) -> Tensor:
        return functions.remainder(other, self)

    # -- activations --

    softmax = functions.softmax
    log_softmax = functions.log_softmax
    prelu = functions.prelu

    # -- comparison --

    eq = functions.eq
    ne = functions.ne
    lt = functions.lt
    le = functions.le
    gt = functions.gt
    ge = functions.ge
    logical_and = functions.logical_and
    logical_or = functions.logical_or
    logical_xor = functions.logical_xor
    logical_not = functions.logical_not
    bitwise_and = functions.bitwise_and
    bitwise_or = functions.bitwise_or
    bitwise_xor = functions.bitwise_xor
    bitwise_not = functions.bitwise_not
    isnan = functions.isnan
    isinf = functions.isinf
    isfinite = functions.isfinite
    isclose = functions.isclose
    allclose = functions.allclose
    equal = functions.equal

    __and__ = __rand__ = functions.bitwise_and
    __or__ = __ror__ = functions.bitwise_or
    __xor__ = __rxor__ = functions.bitwise_xor
    __lt__ = functions.lt
    __le__ = functions.le
    __gt__ = functions.gt
    __ge__ = functions.ge
    __hash__ = object.__hash__

    def __invert__(self) -> Tensor:
        if self.array.dtype.kind == "f":
            raise TypeError(f"~: only of bools and integers, not of {self.array.dtype}")
        return functions.bitwise_not(self)

    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]
        return functions.eq(self, other) if _comparable(other) else NotImplemented

    def __ne__(self, other: object) -> Tensor:  # type: ignore[override]
        return functions.ne(self, other) if _comparable(other) else NotImplemented

    # -- linear algebra --

    matmul = functions.matmul
    mm = functions.mm
    bmm = functions.bmm
    mv = functions.mv
    dot = functions.dot
    addmm = functions.addmm
    addmv = functions.addmv
    baddbmm = functions.baddbmm
    outer = functions.outer
    inner = functions.inner
    trace = functions.trace
    __matmul__ = functions.matmul

    def __rmatmul__(self, other: Any) -> Tensor:
        return functions.matmul(other, self)

    # -- reduction --

    sum = functions.sum
    mean = functions.mean
    prod = functions.prod
    logsumexp = functions.logsumexp
    cumsum = functions.cumsum
    cumprod = functions.cumprod
    var = functions.var
    std = functions.std
    amax = functions.amax
    amin = functions.amin
    argmax = functions.argmax
    argmin = functions.argmin
    all = functions.all
    any = functions.any
    count_nonzero = functions.count_nonzero
    norm = functions.norm

    # -- ordering --

    max = functions.max
    min = functions.min
    median = functions.median
    sort = functions.sort
    argsort = functions.argsort
    topk = functions.topk
    diff = functions.diff
    unique = functions.unique

    # -- shape --

    reshape = functions.reshape
    reshape_as = functions.reshape_as
    view = functions.view
    view_as = functions.view_as
    flatten = functions.flatten
    unflatten = functions.unflatten
    ravel = functions.ravel
    squeeze = functions.squeeze
    unsqueeze = functions.unsqueeze
    t = functions.t
    permute = functions.permute
    movedim = functions.movedim
    moveaxis = functions.moveaxis
    swapaxes = functions.swapaxes
    expand = functions.expand
    expand_as = functions.expand_as
    broadcast_to = functions.broadcast_to
    clone = functions.clone
    contiguous = functions.contiguous
    flip = functions.flip
    roll = functions.roll
    repeat = functions.repeat
    repeat_interleave = functions.repeat_interleave
    tile = functions.tile
    tril = functions.tril
    triu = functions.triu
    diag = functions.diag
    diagonal = functions.diagonal

    def is_contiguous(self) -> bool:
        """Whether the elements lie in memory in the order of their indices, without gaps."""
        return bool(self.array.flags.c_contiguous)

    def transpose(self, dim0: Any, dim1: Any = None) -> Tensor:
        """The tensor with two axes exchanged; NumPy's ``transpose(dims)`` is accepted too."""
        if dim1 is None:
            return functions.permute(self, dim0)
        return functions.transpose(self, dim0, dim1)

    @property
    def T(self) -> Tensor:
        """The tensor with its axes reversed."""
        return shape.permute.apply(self, dims=tuple(range(self.array.ndim))[::-1])

    @property
    def mT(self) -> Tensor:
        """The tensor with its last two axes exchanged."""
        if not self.array.ndim:
            warnings.warn("mT: of a 0-d tensor it is the tensor itself, deprecated", stacklevel=2)
            return self  # type: ignore[return-value]
        if self.array.ndim < 2:
            raise RuntimeError(f"mT: only of matrices, not of a {self.array.ndim}-d tensor")
        return functions.transpose(self, -1, -2)

    # -- joining and splitting --

    unbind = functions.unbind
    chunk = functions.chunk
    tensor_split = functions.tensor_split
    split_with_sizes = functions.split_with_sizes

    def split(self, split_size: Any, dim: Any = 0) -> tuple[Tensor, ...]:
        """`split`, whose argument PyTorch calls otherwise here."""
        return functions.split(self, split_size, dim)

    # -- indexing --

    __getitem__ = functions.getitem
    gather = functions.gather
    index_add = functions.index_add
    index_put = functions.index_put
    index_select = functions.index_select
    masked_select = functions.masked_select
    narrow = functions.narrow
    nonzero = functions.nonzero
    scatter = functions.scatter
    scatter_add = functions.scatter_add
    scatter_reduce = functions.scatter_reduce
    select = functions.select
    take = functions.take
    take_along_dim = functions.take_along_dim


def _comparable(x: object) -> bool:
    return isinstance(x, Variable | np.ndarray | np.generic | bool | int | float)
