"""The functions as methods and operators of a tensor, family by family."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn import operations
from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.operations import (
    aliases,
    arithmetic,
    composed,
    factors,
    joining,
    products,
    ranks,
    running,
    shape,
    statistics,
    systems,
)
from tinygrad_rnn.operations.arguments import check_no_bools
from tinygrad_rnn.tensor import drawing

if TYPE_CHECKING:
    from typing_extensions import Self

    from tinygrad_rnn.tensor.tensor import Tensor


class Methods(Variable):
    """What `operations` offers, said of a tensor: ``x.tanh()``, ``x + y``, ``x[0]``."""

    __slots__ = ()

    # -- elementwise --

    add = operations.add
    addcdiv = operations.addcdiv
    addcmul = operations.addcmul
    sub = operations.sub
    mul = operations.mul
    div = operations.div
    pow = operations.pow
    neg = operations.neg
    exp = operations.exp
    log = operations.log
    tanh = operations.tanh
    sigmoid = operations.sigmoid
    relu = operations.relu
    abs = operations.abs
    acos = operations.acos
    acosh = operations.acosh
    asin = operations.asin
    asinh = operations.asinh
    atan = operations.atan
    atan2 = operations.atan2
    atanh = operations.atanh
    ceil = operations.ceil
    clamp = operations.clamp
    clip = operations.clip
    clamp_max = operations.clamp_max
    clamp_min = operations.clamp_min
    cos = operations.cos
    cosh = operations.cosh
    erf = operations.erf
    exp2 = operations.exp2
    expm1 = operations.expm1
    floor = operations.floor
    floor_divide = operations.floor_divide
    fmod = operations.fmod
    lerp = operations.lerp
    log1p = operations.log1p
    log2 = operations.log2
    log10 = operations.log10
    logaddexp = operations.logaddexp
    logit = operations.logit
    masked_fill = operations.masked_fill
    maximum = operations.maximum
    minimum = operations.minimum
    nan_to_num = operations.nan_to_num
    reciprocal = operations.reciprocal
    remainder = operations.remainder
    round = operations.round
    rsqrt = operations.rsqrt
    sign = operations.sign
    sin = operations.sin
    sinh = operations.sinh
    sqrt = operations.sqrt
    square = operations.square
    tan = operations.tan
    true_divide = operations.true_divide
    trunc = operations.trunc
    xlogy = operations.xlogy

    def where(self, condition: Any, other: Any) -> Tensor:
        """The tensor where the condition holds, else ``other``."""
        return operations.where(condition, self, other)

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

    __truediv__ = operations.div
    __pow__ = operations.pow
    __floordiv__ = operations.floor_divide
    __mod__ = operations.remainder
    __neg__ = operations.neg
    __abs__ = operations.abs

    def __pos__(self) -> Self:
        check_no_bools("+", self)
        return self

    def __rsub__(self, other: Any) -> Tensor:
        return operations.sub(other, self)

    def __rtruediv__(self, other: Any) -> Tensor:
        return operations.div(other, self)

    def __rpow__(self, other: Any) -> Tensor:
        return operations.pow(other, self)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return operations.floor_divide(other, self)

    def __rmod__(self, other: Any) -> Tensor:
        return operations.remainder(other, self)

    # -- activations --

    softmax = operations.softmax
    log_softmax = operations.log_softmax
    prelu = operations.prelu

    # -- comparison --

    eq = operations.eq
    ne = operations.ne
    lt = operations.lt
    le = operations.le
    gt = operations.gt
    ge = operations.ge
    logical_and = operations.logical_and
    logical_or = operations.logical_or
    logical_xor = operations.logical_xor
    logical_not = operations.logical_not
    bitwise_and = operations.bitwise_and
    bitwise_or = operations.bitwise_or
    bitwise_xor = operations.bitwise_xor
    bitwise_not = operations.bitwise_not
    isnan = operations.isnan
    isinf = operations.isinf
    isfinite = operations.isfinite
    isclose = operations.isclose
    allclose = operations.allclose
    equal = operations.equal

    __and__ = __rand__ = operations.bitwise_and
    __or__ = __ror__ = operations.bitwise_or
    __xor__ = __rxor__ = operations.bitwise_xor
    __lt__ = operations.lt
    __le__ = operations.le
    __gt__ = operations.gt
    __ge__ = operations.ge
    __hash__ = object.__hash__

    def __invert__(self) -> Tensor:
        if self.array.dtype.kind == "f":
            raise TypeError(f"~: only of bools and integers, not of {self.array.dtype}")
        return operations.bitwise_not(self)

    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]
        return operations.eq(self, other) if _comparable(other) else NotImplemented

    def __ne__(self, other: object) -> Tensor:  # type: ignore[override]
        return operations.ne(self, other) if _comparable(other) else NotImplemented

    # -- linear algebra --

    matmul = operations.matmul
    mm = operations.mm
    bmm = operations.bmm
    mv = operations.mv
    dot = operations.dot
    addmm = operations.addmm
    addmv = operations.addmv
    baddbmm = operations.baddbmm
    outer = operations.outer
    inner = operations.inner
    trace = operations.trace
    __matmul__ = operations.matmul

    def __rmatmul__(self, other: Any) -> Tensor:
        return operations.matmul(other, self)

    # -- reduction --

    sum = operations.sum
    mean = operations.mean
    prod = operations.prod
    logsumexp = operations.logsumexp
    cumsum = operations.cumsum
    cumprod = operations.cumprod
    var = operations.var
    std = operations.std
    amax = operations.amax
    amin = operations.amin
    argmax = operations.argmax
    argmin = operations.argmin
    all = operations.all
    any = operations.any
    count_nonzero = operations.count_nonzero
    norm = operations.norm

    # -- ordering --

    max = operations.max
    min = operations.min
    median = operations.median
    sort = operations.sort
    argsort = operations.argsort
    topk = operations.topk
    diff = operations.diff
    unique = operations.unique
    unique_consecutive = operations.unique_consecutive

    # -- shape --

    reshape = operations.reshape
    reshape_as = operations.reshape_as
    view = operations.view
    view_as = operations.view_as
    flatten = operations.flatten
    unflatten = operations.unflatten
    ravel = operations.ravel
    squeeze = operations.squeeze
    unsqueeze = operations.unsqueeze
    t = operations.t
    permute = operations.permute
    movedim = operations.movedim
    moveaxis = operations.moveaxis
    swapaxes = operations.swapaxes
    expand = operations.expand
    expand_as = operations.expand_as
    broadcast_to = operations.broadcast_to
    clone = operations.clone
    contiguous = operations.contiguous
    flip = operations.flip
    roll = operations.roll
    repeat = operations.repeat
    repeat_interleave = operations.repeat_interleave
    tile = operations.tile
    tril = operations.tril
    triu = operations.triu
    diag = operations.diag
    diagonal = operations.diagonal

    def is_contiguous(self) -> bool:
        """Whether the elements lie in memory in the order of their indices, without gaps."""
        return bool(self.array.flags.c_contiguous)

    def transpose(self, dim0: Any, dim1: Any = None) -> Tensor:
        """The tensor with two axes exchanged; NumPy's ``transpose(dims)`` is accepted too."""
        if dim1 is None:
            return operations.permute(self, dim0)
        return operations.transpose(self, dim0, dim1)

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
        return operations.transpose(self, -1, -2)

    # -- joining and splitting --

    unbind = operations.unbind
    chunk = operations.chunk
    tensor_split = operations.tensor_split
    split_with_sizes = operations.split_with_sizes

    def split(self, split_size: Any, dim: Any = 0) -> tuple[Tensor, ...]:
        """`split`, whose argument PyTorch calls otherwise here."""
        return operations.split(self, split_size, dim)

    # -- indexing --

    __getitem__ = operations.getitem
    gather = operations.gather
    index_add = operations.index_add
    index_copy = operations.index_copy
    index_fill = operations.index_fill
    index_put = operations.index_put
    index_select = operations.index_select
    masked_scatter = operations.masked_scatter
    masked_select = operations.masked_select
    narrow = operations.narrow
    nonzero = operations.nonzero
    scatter = operations.scatter
    scatter_add = operations.scatter_add
    scatter_reduce = operations.scatter_reduce
    select = operations.select
    take = operations.take
    take_along_dim = operations.take_along_dim

    # -- compositions, and other names of the same --

    unfold = composed.unfold
    erfc = composed.erfc
    frac = composed.frac
    deg2rad = composed.deg2rad
    rad2deg = composed.rad2deg
    fliplr = composed.fliplr
    flipud = composed.flipud
    diagflat = composed.diagflat
    argwhere = composed.argwhere
    bincount = composed.bincount
    nansum = composed.nansum
    nanmean = composed.nanmean
    rot90 = composed.rot90
    diag_embed = shape.diag_embed
    hsplit = joining.hsplit
    vsplit = joining.vsplit
    dsplit = joining.dsplit
    kthvalue = ranks.kthvalue
    mode = ranks.mode
    quantile = ranks.quantile
    nanquantile = ranks.nanquantile
    msort = ranks.msort
    aminmax = ranks.aminmax
    cummax = ranks.cummax
    cummin = ranks.cummin
    logcumsumexp = running.logcumsumexp
    det = systems.det
    inverse = systems.inv
    logdet = systems.logdet
    matrix_exp = systems.matrix_exp
    matrix_power = systems.matrix_power
    pinverse = factors.pinverse
    slogdet = systems.slogdet
    cross = products.cross
    kron = products.kron
    dist = products.dist
    cov = statistics.cov
    corrcoef = statistics.corrcoef
    histc = statistics.histc

    absolute = aliases.absolute
    arccos = aliases.arccos
    arccosh = aliases.arccosh
    arcsin = aliases.arcsin
    arcsinh = aliases.arcsinh
    arctan = aliases.arctan
    arctan2 = aliases.arctan2
    arctanh = aliases.arctanh
    divide = aliases.divide
    fix = aliases.fix
    ger = aliases.ger
    greater = aliases.greater
    greater_equal = aliases.greater_equal
    less = aliases.less
    less_equal = aliases.less_equal
    multiply = aliases.multiply
    negative = aliases.negative
    not_equal = aliases.not_equal
    subtract = aliases.subtract
    swapdims = aliases.swapdims

    # -- draws --

    multinomial = drawing.multinomial
    bernoulli = drawing.bernoulli


def _comparable(x: object) -> bool:
    return isinstance(x, Variable | np.ndarray | np.generic | bool | int | float)
