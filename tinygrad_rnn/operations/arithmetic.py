"""Elementwise arithmetic, with broadcasting and type promotion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.engine.errors import silent
from tinygrad_rnn.engine.memory import requires_grad
from tinygrad_rnn.operations import node_names
from tinygrad_rnn.operations.arguments import fitting, number_of, raw, tensor_of
from tinygrad_rnn.operations.memory import first_decides
from tinygrad_rnn.operations.operation import Operation, elementwise, in_rules, operation
from tinygrad_rnn.operations.promotion import promoted, to_dtype
from tinygrad_rnn.operations.traits import KEEP_OFF_ZERO, primitive

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

# -- sums and differences --


@operation(
    np.add, "a b",
    symbol="+", prepare=promoted("add"), arrange=first_decides, collects="a b", commutes=True,
)  # fmt: skip
def add(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """Sum, elementwise: ``input + alpha · other``.

    Parameters
    ----------
    input, other : Tensor or number
        Of shapes that broadcast; the result has their common type (see `dtypes`).
    alpha : number
        No float if the result is an integer.

    Raises
    ------
    RuntimeError
        If the shapes do not broadcast, or ``alpha`` does not fit the result's type.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.add(tg.tensor([1.0, 2.0]), 10)
    tensor([11., 12.])
    """
    return (
        _add(input, other)
        if alpha == 1 and alpha is not True
        else _add(*_scaled(add, input, other, alpha))
    )


_add = add.apply
add.vjp("a", lambda g: g, formula="g")
add.vjp("b", lambda g: g, formula="g")
_promoted_difference = promoted("sub")


def _without_bools(inputs: Sequence[Any]) -> Sequence[Any]:
    for x in inputs:
        if isinstance(x, bool) or getattr(x, "dtype", None) == np.bool_:
            raise RuntimeError("sub: bools cannot be subtracted; use != or convert them first")
    return _promoted_difference(inputs)


@operation(
    np.subtract,
    "a b",
    symbol="−",
    prepare=_without_bools,
    arrange=first_decides,
    collects="a",
    node=node_names.number_first("RsubBackward1", "SubBackward0"),
)
def sub(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """Difference, elementwise: ``input − alpha · other``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.sub(tg.tensor([1.0, 2.0]), tg.tensor([[1.0], [3.0]]))
    tensor([[ 0.,  1.],
            [-2., -1.]])
    """
    return (
        _sub(input, other)
        if alpha == 1 and alpha is not True
        else _sub(*_scaled(sub, input, other, alpha))
    )


_sub = sub.apply
sub.vjp("a", lambda g: g, formula="g")
sub.vjp("b", lambda g: -g, formula="−g")


def rsub(input: Any, other: Any, alpha: Any = 1) -> Tensor:
    """Difference the other way round, elementwise: ``other − alpha · input``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.rsub(tg.tensor([1.0, 2.0]), 10)
    tensor([9., 8.])
    """
    return sub(other, input, alpha=alpha)


def _scaled(kind: Operation[..., Tensor], input: Any, other: Any, alpha: Any) -> tuple[Any, Any]:
    """The operands as ``kind`` takes them, the second one multiplied by ``alpha``."""
    name = kind.primitive.name
    factor = number_of(name, "alpha", alpha)
    a, b = kind.primitive.prepare((input, other))
    dtype = (b if isinstance(a, bool | int | float) else a).dtype
    if isinstance(factor, bool) and dtype.kind != "b":
        raise RuntimeError(
            f"{name}: a bool alpha is for bools only, not for {dtype}; use {int(factor)}"
        )
    if dtype.kind != "f" and not isinstance(factor, int):
        raise RuntimeError(f"{name}: alpha {alpha!r} does not fit a result of {dtype}")
    return a, b * (bool(factor) if dtype.kind == "b" else fitting(name, factor, dtype))


@elementwise(np.negative, quiet=False, to_float=False, bools=False, symbol="−")
def neg(input: Any) -> Tensor:
    """Negative, elementwise: ``−input``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.neg(tg.tensor([1.0, -2.0]))
    tensor([-1.,  2.])
    """


neg.vjp("x", lambda g: -g, formula="−g")
# -- products and quotients --


@elementwise(
    np.multiply, quiet=False, to_float=False,
    symbol="*", stops="the other factor is 0", commutes=True,
)  # fmt: skip
def mul(input: Any, other: Any) -> Tensor:
    """Product, elementwise: ``input ⊙ other``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.mul(tg.tensor([1, 2]), 0.5)
    tensor([0.5000, 1.0000])
    """


mul.vjp("a", lambda g, b: g * b, formula="g ⊙ b")
mul.vjp("b", lambda g, a: g * a, formula="g ⊙ a")


@operation(
    silent(np.true_divide), "a b",
    symbol="/", prepare=promoted("div", to_float=True), arrange=first_decides, remedy=KEEP_OFF_ZERO,
    node=node_names.number_first("MulBackward0", "DivBackward0")
)  # fmt: skip
def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """Quotient, elementwise: ``input / other``; of integers it is a float.

    Parameters
    ----------
    input, other : Tensor or number
    rounding_mode : "trunc", "floor" or None
        Rounded towards 0, or down: then integers stay integers, and the derivative is 0.

    Raises
    ------
    RuntimeError
        If integers are divided by 0 and rounded, or the rounding mode is another.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.div(tg.tensor([1, 2]), 4)
    tensor([0.2500, 0.5000])
    >>> tg.div(tg.tensor([-7, 7]), 2, rounding_mode="trunc")
    tensor([-3,  3])
    """
    if rounding_mode is None:
        return div.apply(input, other)
    if rounding_mode == "floor":
        return floor_divide.apply(input, other)
    if rounding_mode == "trunc":
        return trunc_divide.apply(input, other)
    kind = RuntimeError if isinstance(rounding_mode, str) else TypeError
    raise kind(f"div: rounding_mode must be None, 'trunc' or 'floor', got {rounding_mode!r}")


div.vjp("a", lambda g, b: g / b, formula="g / b")
div.vjp("b", lambda g, a, b: -g * (a / b / b), formula="−g ⊙ a / b²")


def true_divide(input: Any, other: Any) -> Tensor:
    """Quotient, elementwise: another name of `div`, without rounding.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.true_divide(tg.tensor([1, 2]), 4)
    tensor([0.2500, 0.5000])
    """
    return div.apply(input, other)


def _whole(forward: Any) -> Any:
    """A division with a whole result or a remainder; integers cannot be divided by 0."""

    def divide(a: Any, b: Any) -> Any:
        if b.dtype.kind != "f" and not b.all() and np.broadcast(a, b).size:
            raise ValueError("ZeroDivisionError: integers cannot be divided by 0")
        return forward(a, b)

    return divide


_WHOLE: dict[str, Any] = {"to_float": False, "bools": False, "numbers": False}


@elementwise(
    _whole(np.floor_divide),
    symbol="//",
    **_WHOLE,
    twin=lambda torch, a, b: torch.div(a, b, rounding_mode="floor"),
    analytic=False,
)
def floor_divide(input: Any, other: Any) -> Tensor:
    """Quotient rounded down, elementwise: ``input // other``; its derivative is 0.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.floor_divide(tg.tensor([-7, 7]), 2)
    tensor([-4,  3])
    """


floor_divide.vjp("a", lambda g: np.zeros_like(g), formula="0")
floor_divide.vjp("b", lambda g: np.zeros_like(g), formula="0")


def _truncated_quotient(a: Any, b: Any) -> Any:
    return np.trunc(a / b) if a.dtype.kind == "f" else (a - np.fmod(a, b)) // b


trunc_divide = primitive(
    "trunc_divide",
    silent(_whole(_truncated_quotient)),
    "a b",
    symbol="trunc({a} / {b})",
    prepare=promoted("trunc_divide", bools=False, numbers=False),
    arrange=first_decides,
    twin=lambda torch, a, b: torch.div(a, b, rounding_mode="trunc"),
    analytic=False,
)
trunc_divide.vjp("a", lambda g: np.zeros_like(g), formula="0")
trunc_divide.vjp("b", lambda g: np.zeros_like(g), formula="0")
_truncated = in_rules(trunc_divide)  # whose derivatives are 0 even where b is 0


@elementwise(_whole(np.remainder), symbol="%", **_WHOLE, analytic=False)
def remainder(input: Any, other: Any) -> Tensor:
    """What `floor_divide` leaves, elementwise: ``input % other``, of the sign of ``other``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.remainder(tg.tensor([-7, 7]), 3)
    tensor([2, 1])
    """


remainder.vjp("a", lambda g: g, formula="g")
remainder.vjp("b", lambda g, a, b: -g * np.floor_divide(a, b), formula="−g ⊙ ⌊a / b⌋")


@elementwise(_whole(np.fmod), **_WHOLE, analytic=False)
def fmod(input: Any, other: Any) -> Tensor:
    """What a division rounded towards 0 leaves, elementwise: it has the sign of ``input``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.fmod(tg.tensor([-7, 7]), 3)
    tensor([-1,  1])
    """


fmod.vjp("a", lambda g: g, formula="g")
fmod.vjp("b", lambda g, a, b: -g * _truncated(a, b), formula="−g ⊙ trunc(a / b)")
# -- powers --


def _power(a: Any, b: Any) -> Any:
    if b.dtype.kind != "i" or not (b < 0).any():
        return np.power(a, b)
    # 1/aᵇ rounded towards 0, where NumPy refuses: only ±1 leave something
    return np.where((b >= 0) | (np.abs(a) == 1), np.power(a, np.abs(b)), 0)


def _power_slope(g: Any, a: Any, b: Any) -> Any:
    """g·b·a^(b−1), and 0 for b = 0 even where that is not finite."""
    none = b == 0
    if not none.any():
        return g * (b * a ** (b - 1))
    if requires_grad(b):  # there is a derivative by b even where b is 0: 1/a, if that is finite
        return g * (b * np.where(none * ((a == 0) + (a != a)), 1, a) ** (b - 1))
    return np.where(none, 0, g * (b * a ** np.where(none, 0, b - 1)))


@operation(
    silent(_power),
    "a b",
    symbol="**",
    prepare=promoted("pow", bools=False, numbers=False),
    arrange=first_decides,
    remedy="keep the base positive and the exponent moderate",
    node=node_names.power,
)
def pow(input: Any, exponent: Any) -> Tensor:
    """Power, elementwise: ``input ** exponent``.

    The derivative with respect to ``input`` at exponent 0 is 0, even at input 0.

    Raises
    ------
    RuntimeError
        If an integer tensor is raised to a negative integer. (Negative integers in a tensor of
        exponents give 1/input rounded towards 0, as in PyTorch.)

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.pow(tg.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    """
    if type(exponent) is int:
        dtype = np.asarray(raw(input)).dtype
        if dtype.kind != "f" and fitting("pow", exponent, dtype) < 0:
            raise RuntimeError(f"pow: an integer to the power {exponent} is none; use floats")
    return pow.apply(input, exponent)


pow.vjp("a", lambda g, a, b: _power_slope(g, a, b), formula="g ⊙ b ⊙ a^(b − 1)")
pow.vjp(
    "b",
    lambda g, a, b, y: g * y * np.log(np.where((a == 0) * (b >= 0), 1, a)),
    formula="g ⊙ y ⊙ ln a",
)
# -- of three operands: on the way from one to another, and products added to something --


def _lerp(start: Any, end: Any, weight: Any) -> Any:
    """From the nearer end, so that weights 0 and 1 give exactly the ends."""
    way = end - start
    return np.where(np.abs(weight) < 0.5, start + weight * way, end - way * (1 - weight))


@operation(
    _lerp,
    "start end weight",
    symbol="lerp({start}, {end}, {weight})",
    arrange=first_decides,
    analytic=False,
)
def lerp(input: Any, end: Any, weight: Any) -> Tensor:
    """``input`` + ``weight`` · (``end`` − ``input``), elementwise: between the two.

    Parameters
    ----------
    input, end : Tensor
        Floating-point, of one type.
    weight : number or Tensor of that type
        0 gives ``input``, 1 gives ``end``.

    Raises
    ------
    RuntimeError
        If the types differ or are no floating-point ones, or the shapes do not broadcast.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.lerp(tg.tensor([0.0, 10.0]), tg.tensor([4.0, 20.0]), 0.25)
    tensor([ 1.0000, 12.5000])
    """
    a, b = tensor_of("lerp", input), tensor_of("lerp", end)
    dtype = a.array.dtype
    is_tensor = isinstance(raw(weight), np.ndarray)
    w: Any = tensor_of("lerp", weight) if is_tensor else float(number_of("lerp", "weight", weight))
    if dtype.kind in "iu" and is_tensor and not w.array.ndim and b.array.dtype == dtype:
        dtype = w.array.dtype  # a number between integers, in its own type
        a, b = to_dtype(a, dtype), to_dtype(b, dtype)
    if dtype.kind != "f":
        raise RuntimeError(f"lerp: only of floating-point tensors, not of {dtype}; convert them")
    if is_tensor and not w.array.ndim:  # counts as a number
        w = to_dtype(w, dtype)
    for what, x in [("end", b), ("weight", w)][: 1 + is_tensor]:
        if x.array.dtype != dtype:
            raise RuntimeError(f"lerp: the {what} must be {dtype} like input, not {x.array.dtype}")
    return lerp.apply(a, b, w)


lerp.vjp("start", lambda g, weight: g * (1 - weight), formula="g ⊙ (1 − weight)")
lerp.vjp("end", lambda g, weight: g * weight, formula="g ⊙ weight")
lerp.vjp("weight", lambda g, start, end: g * (end - start), formula="g ⊙ (end − start)")


def _as_element(value: Any, x: Any) -> Any:
    """A number in the type of ``x``: of integers without its fraction, as in PyTorch."""
    return np.asarray(value).astype(x.dtype)


@operation(
    lambda x, a, b, *, value: x + a * b * _as_element(value, x),
    "x a b",
    symbol="{x} + value·{a} ⊙ {b}",
    collects="x",
    prepare=promoted("addcmul", bools=False, numbers=False),
    arrange=first_decides,
)
def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Tensor:
    """``input`` + ``value`` · ``tensor1`` ⊙ ``tensor2``, elementwise, in their common type.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.addcmul(tg.tensor([1.0, 1.0]), tg.tensor([2.0, 3.0]), tg.tensor([4.0, 5.0]), value=0.5)
    tensor([5.0000, 8.5000])
    """
    return _added(addcmul, input, tensor1, tensor2, value)


addcmul.vjp("x", lambda g: g, formula="g")
addcmul.vjp("a", lambda g, b, value: g * (b * value), formula="g ⊙ value·b")
addcmul.vjp("b", lambda g, a, value: g * (a * value), formula="g ⊙ value·a")

_fit_quotient = promoted("addcdiv", numbers=False)


def _quotients(inputs: Sequence[Any]) -> Sequence[Any]:
    _, a, b = inputs
    if a.dtype.kind != "f" and b.dtype.kind != "f":
        raise RuntimeError(
            f"addcdiv: not defined for a quotient of integers ({a.dtype} and {b.dtype}); convert "
            "one of them to float first"
        )
    return _fit_quotient(inputs)


@operation(
    lambda x, a, b, *, value: x + a / b * _as_element(value, x), "x a b",
    symbol="{x} + value·{a} / {b}", prepare=_quotients, arrange=first_decides, collects="x",
)  # fmt: skip
def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Tensor:
    """``input`` + ``value`` · ``tensor1`` / ``tensor2``, elementwise, in their common type.

    Raises
    ------
    RuntimeError
        If both tensors are of integers.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.addcdiv(tg.tensor([1.0, 1.0]), tg.tensor([2.0, 3.0]), tg.tensor([4.0, 6.0]), value=2)
    tensor([2., 2.])
    """
    return _added(addcdiv, input, tensor1, tensor2, value)


addcdiv.vjp("x", lambda g: g, formula="g")
addcdiv.vjp("a", lambda g, b, value: g * (value / b), formula="g ⊙ value / b")
addcdiv.vjp(
    "b", lambda g, a, b, value: -g * (a / (b * b) * value), formula="−g ⊙ value·a / b²"
)  # fmt: skip


def _added(added: Operation[..., Tensor], *given: Any) -> Tensor:
    kind = added.primitive
    *operands, value = given
    factor = number_of(kind.name, "value", value)
    tensors = kind.prepare([tensor_of(kind.name, x) for x in operands])
    return kind.apply(*tensors, value=fitting(kind.name, factor, tensors[0].dtype))
