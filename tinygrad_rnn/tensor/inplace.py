"""Changes in place as methods: ``x.add_(y)``, ``x += y``, ``x[0] = y``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, cast

import numpy as np

from tinygrad_rnn import operations
from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.operations import composed, indexing
from tinygrad_rnn.operations.arguments import (
    broadcasts,
    check_flags,
    fitting,
    integer_of,
    number_of,
    raw,
)
from tinygrad_rnn.operations.dtypes import DTypeLike, as_dtype
from tinygrad_rnn.operations.indexing import steps
from tinygrad_rnn.operations.inplace import assign, change, overwrite, reshape_in_place
from tinygrad_rnn.tensor.generator import source_of

if TYPE_CHECKING:
    from typing_extensions import Self

    from tinygrad_rnn.tensor.tensor import Tensor

Given = ParamSpec("Given")


def in_place(function: Callable[Given, Tensor]) -> Callable[Given, Tensor]:
    """The method that overwrites a tensor with the function of it."""
    name = f"{function.__name__}_"

    def method(self: Tensor, *arguments: Any, **options: Any) -> Tensor:
        return change(name, function, self, *arguments, **options)

    method.__name__, method.__qualname__ = name, f"InPlace.{name}"
    method.__doc__ = f"`{function.__name__}`, in place: returns the tensor itself."
    return cast("Callable[Given, Tensor]", method)


def reshaped_in_place(function: Callable[Given, Tensor]) -> Callable[Given, Tensor]:
    """The method that makes a tensor the view that the function gives of it."""
    name = f"{function.__name__}_"

    def method(self: Tensor, *arguments: Any, **options: Any) -> Tensor:
        return reshape_in_place(name, function, self, *arguments, **options)

    method.__name__, method.__qualname__ = name, f"InPlace.{name}"
    method.__doc__ = f"`{function.__name__}`, in place: the tensor itself is of another shape."
    return cast("Callable[Given, Tensor]", method)


def _of_its_own_type(function: Callable[Given, Tensor]) -> Callable[Given, Tensor]:
    """`in_place` of a running result, which cannot be asked for in another type."""
    method: Callable[..., Tensor] = in_place(function)

    def checked(self: Any, dim: int, *, dtype: DTypeLike = None) -> Tensor:
        if dtype is not None and as_dtype(dtype) != self.array.dtype:
            raise RuntimeError(
                f"{method.__name__}: dtype {as_dtype(dtype)} does not fit a tensor of "
                f"{self.array.dtype}, which is to be overwritten"
            )
        return method(self, dim)

    return cast("Callable[Given, Tensor]", functools.update_wrapper(checked, method))


class InPlace(Variable):
    """PyTorch's rules hold: what a derivative still needs must not change (a walk notices), a
    leaf that requires grad changes under `no_grad` only, and gradients flow through all others.
    """

    __slots__ = ()

    add_ = in_place(operations.add)
    sub_ = in_place(operations.sub)
    mul_ = in_place(operations.mul)
    div_ = in_place(operations.div)
    true_divide_ = in_place(operations.true_divide)
    addcmul_ = in_place(operations.addcmul)
    addcdiv_ = in_place(operations.addcdiv)
    lerp_ = in_place(operations.lerp)
    floor_divide_ = in_place(operations.floor_divide)
    remainder_ = in_place(operations.remainder)
    fmod_ = in_place(operations.fmod)
    pow_ = in_place(operations.pow)
    neg_ = in_place(operations.neg)
    abs_ = in_place(operations.abs)
    square_ = in_place(operations.square)
    reciprocal_ = in_place(operations.reciprocal)
    sqrt_ = in_place(operations.sqrt)
    rsqrt_ = in_place(operations.rsqrt)

    exp_ = in_place(operations.exp)
    exp2_ = in_place(operations.exp2)
    expm1_ = in_place(operations.expm1)
    log_ = in_place(operations.log)
    log1p_ = in_place(operations.log1p)
    log2_ = in_place(operations.log2)
    log10_ = in_place(operations.log10)
    xlogy_ = in_place(operations.xlogy)
    logit_ = in_place(operations.logit)
    sin_ = in_place(operations.sin)
    cos_ = in_place(operations.cos)
    tan_ = in_place(operations.tan)
    sinh_ = in_place(operations.sinh)
    cosh_ = in_place(operations.cosh)
    asinh_ = in_place(operations.asinh)
    acosh_ = in_place(operations.acosh)
    atanh_ = in_place(operations.atanh)
    tanh_ = in_place(operations.tanh)
    asin_ = in_place(operations.asin)
    acos_ = in_place(operations.acos)
    atan_ = in_place(operations.atan)
    atan2_ = in_place(operations.atan2)
    sigmoid_ = in_place(operations.sigmoid)
    relu_ = in_place(operations.relu)

    sign_ = in_place(operations.sign)
    floor_ = in_place(operations.floor)
    ceil_ = in_place(operations.ceil)
    round_ = in_place(operations.round)
    trunc_ = in_place(operations.trunc)
    erf_ = in_place(operations.erf)
    clamp_ = in_place(operations.clamp)
    clip_ = in_place(operations.clip)
    clamp_min_ = in_place(operations.clamp_min)
    clamp_max_ = in_place(operations.clamp_max)
    nan_to_num_ = in_place(operations.nan_to_num)
    masked_fill_ = in_place(operations.masked_fill)

    eq_ = in_place(operations.eq)
    ne_ = in_place(operations.ne)
    lt_ = in_place(operations.lt)
    le_ = in_place(operations.le)
    gt_ = in_place(operations.gt)
    ge_ = in_place(operations.ge)
    logical_and_ = in_place(operations.logical_and)
    logical_or_ = in_place(operations.logical_or)
    logical_xor_ = in_place(operations.logical_xor)
    logical_not_ = in_place(operations.logical_not)
    bitwise_and_ = in_place(operations.bitwise_and)
    bitwise_or_ = in_place(operations.bitwise_or)
    bitwise_xor_ = in_place(operations.bitwise_xor)
    bitwise_not_ = in_place(operations.bitwise_not)

    addmm_ = in_place(operations.addmm)
    addmv_ = in_place(operations.addmv)
    baddbmm_ = in_place(operations.baddbmm)
    cumsum_ = _of_its_own_type(operations.cumsum)
    cumprod_ = _of_its_own_type(operations.cumprod)
    tril_ = in_place(operations.tril)
    triu_ = in_place(operations.triu)

    fill_diagonal_ = in_place(composed.fill_diagonal)
    index_add_ = in_place(operations.index_add)
    index_copy_ = in_place(operations.index_copy)
    index_fill_ = in_place(operations.index_fill)
    index_put_ = in_place(operations.index_put)
    masked_scatter_ = in_place(operations.masked_scatter)
    scatter_ = in_place(operations.scatter)
    scatter_add_ = in_place(operations.scatter_add)
    scatter_reduce_ = in_place(operations.scatter_reduce)

    __iadd__ = in_place(operations.add)
    __isub__ = in_place(operations.sub)
    __imul__ = in_place(operations.mul)
    __itruediv__ = in_place(operations.div)
    __ipow__ = in_place(operations.pow)
    __ifloordiv__ = in_place(operations.floor_divide)
    __imod__ = in_place(operations.remainder)
    __iand__ = in_place(operations.bitwise_and)
    __ior__ = in_place(operations.bitwise_or)
    __ixor__ = in_place(operations.bitwise_xor)

    unsqueeze_ = reshaped_in_place(operations.unsqueeze)
    squeeze_ = reshaped_in_place(operations.squeeze)
    t_ = reshaped_in_place(operations.t)
    transpose_ = reshaped_in_place(operations.transpose)
    swapaxes_ = reshaped_in_place(operations.swapaxes)

    def copy_(self, other: Any, non_blocking: bool = False) -> Self:
        """Copy the elements of ``other``, broadcast and cast as needed, here, in place."""
        check_flags("copy_", non_blocking=non_blocking)
        value = _checked("copy_", other, self)
        if not broadcasts(np.shape(raw(value)), self.array.shape):
            raise RuntimeError(
                f"copy_: a tensor of shape {np.shape(raw(value))} does not fit one of shape "
                f"{self.array.shape}"
            )
        return overwrite("copy_", self, value)

    def fill_(self, value: Any) -> Self:
        """Set every element to ``value``, a number or a 0-d tensor, in place."""
        value = _checked("fill_", value, self)
        if np.ndim(getattr(value, "array", value)):
            raise RuntimeError(
                f"fill_: expected a number or a 0-d tensor, got {np.shape(raw(value))}"
            )
        return overwrite("fill_", self, value)

    def zero_(self) -> Self:
        """Set every element to 0, in place."""
        return overwrite("zero_", self, 0)

    def uniform_(self, from_: Any = 0.0, to: Any = 1.0, *, generator: Any = None) -> Self:
        """Set the elements to uniform random numbers from [from_, to), in place."""
        low, high = number_of("uniform_", "from_", from_), number_of("uniform_", "to", to)
        drawn = source_of("uniform_", generator).uniform(self.array, low, high)
        return overwrite("uniform_", self, drawn)

    def normal_(self, mean: Any = 0.0, std: Any = 1.0, *, generator: Any = None) -> Self:
        """Set the elements to normally distributed random numbers, in place."""
        m, s = number_of("normal_", "mean", mean), number_of("normal_", "std", std)
        drawn = source_of("normal_", generator).normal(self.array, m, s)
        return overwrite("normal_", self, drawn)

    def exponential_(self, lambd: Any = 1, *, generator: Any = None) -> Self:
        """Set the elements to exponentially distributed numbers of mean 1 / ``lambd``, in place."""
        rate = float(number_of("exponential_", "lambd", lambd))
        drawn = source_of("exponential_", generator).exponential(self.array, rate)
        return overwrite("exponential_", self, drawn)

    def bernoulli_(self, p: Any = 0.5, *, generator: Any = None) -> Self:
        """Set each element to 1 with probability ``p``, a number or a tensor, else to 0."""
        if isinstance(p, Variable):
            if p.array.dtype.kind != "f" or not broadcasts(p.array.shape, self.array.shape):
                raise RuntimeError(
                    f"bernoulli_: probabilities of {p.array.dtype} and shape {p.array.shape} do "
                    f"not fit a tensor of shape {self.array.shape}"
                )
            chance: Any = p.array
        else:
            chance = float(number_of("bernoulli_", "p", p))
        drawn = source_of("bernoulli_", generator).bernoulli(self.array, chance)
        return overwrite("bernoulli_", self, drawn)

    def random_(self, *limits: Any, generator: Any = None) -> Self:
        """Set the elements to random integers: ``random_(to)`` or ``random_(from, to)``.

        They are from 0 or from … to − 1; without ``to`` (or with ``None``) up to the largest
        that the type holds (all smaller ones too, if it is of floats).
        """
        if len(limits) > 2:
            raise TypeError(f"random_: expected at most two limits, got {limits!r:.60}")
        low, high = (None, None, *limits)[-2:]
        first = None if low is None else integer_of("random_", "from", low)
        end = None if high is None else integer_of("random_", "to", high)
        drawn = source_of("random_", generator).integers(self.array, first, end)
        return overwrite("random_", self, drawn)

    def __setitem__(self, index: Any, value: Any) -> None:
        """Overwrite the part at ``index``; gradients flow to the rest and to ``value``."""
        value = _checked("setitem", value, self)
        view, picks = steps("setitem", self.array.ndim, index)
        if picks is None:
            assign("setitem", self, view, value, trim=True)
        else:
            part = self if view is None else indexing.getitem.apply(self, index=view)
            change("setitem", operations.setitem, part, picks, value)


def _checked(name: str, value: Any, x: Any) -> Any:
    """What may be written into a tensor: another one, an array, or a number that fits."""
    if isinstance(value, bool | int | float):
        return fitting(name, value, x.array.dtype)
    if not isinstance(value, Variable | np.ndarray | np.generic):
        raise TypeError(f"{name}: expected a tensor or a number, got {type(value).__name__}")
    return value
