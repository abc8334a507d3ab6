"""Random tensors: PyTorch's, for the same seed (see `tinygrad_rnn.tensor.generator`).

All functions that draw take, by name,

generator
    The `Generator` to draw from; by default the one that `manual_seed` seeds.
dtype
    The type of the elements. By default the default type (`set_default_dtype`), or what the
    function says.
requires_grad
    Whether operations on the new leaf are recorded.
device
    ``"cpu"`` or ``None``: there is no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinygrad_rnn.engine.errors import within_memory
from tinygrad_rnn.operations.arguments import (
    check_flags,
    common_shape,
    integer_of,
    number_of,
    tensor_of,
)
from tinygrad_rnn.operations.dtypes import (
    DTypeLike,
    as_dtype,
    get_default_dtype,
    int64,
)
from tinygrad_rnn.operations.types import on_cpu
from tinygrad_rnn.tensor import Tensor, wrap
from tinygrad_rnn.tensor.creation import shape_of
from tinygrad_rnn.tensor.drawing import bernoulli, multinomial
from tinygrad_rnn.tensor.generator import Generator, arranged, default_generator, source_of

__all__ = [
    "Generator",
    "bernoulli",
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "multinomial",
    "normal",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
    "seed",
    "set_rng_state",
]

Array = np.ndarray[Any, Any]

# -- the default stream ------------------------------------------------------------------------


def manual_seed(seed: int) -> Generator:
    """Seed the default generator; returns it.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.rand(2)
    tensor([0.4963, 0.7682])
    """
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Seed the default generator with a number nobody can foresee; returns the number."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default generator.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(3)
    >>> tg.initial_seed()
    3
    """
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """Where the default generator is; see `Generator.get_state`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> state = tg.get_rng_state()
    >>> x = tg.rand(2)
    >>> tg.set_rng_state(state)
    >>> tg.equal(tg.rand(2), x)
    True
    """
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Let the default generator go on from a state; see `Generator.set_state`."""
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(devices: Any = None, enabled: bool = True, **options: Any) -> Iterator[None]:
    """Let what is drawn inside leave no trace: afterwards the default generator is where it was.

    Parameters
    ----------
    devices
        Without effect: there is one generator.
    enabled : bool
        False: do nothing.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> with tg.random.fork_rng():
    ...     inside = tg.rand(2)
    >>> tg.rand(2).equal(inside)
    True
    """
    state = get_rng_state()
    try:
        yield
    finally:
        if enabled:
            set_rng_state(state)


# -- of given sizes ----------------------------------------------------------------------------


@within_memory
def rand(
    *sizes: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: DTypeLike = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Uniform random numbers from [0, 1).

    Raises
    ------
    RuntimeError
        If ``dtype`` is not a floating-point type.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.rand(3)
    tensor([0.4963, 0.7682, 0.0885])
    """
    like = _blank("rand", sizes, size, dtype)
    return _draw("rand", Generator.uniform, like, generator, requires_grad, device)


@within_memory
def randn(
    *sizes: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: DTypeLike = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Normal random numbers with mean 0 and variance 1.

    Raises
    ------
    RuntimeError
        If ``dtype`` is not a floating-point type.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.randn(3)
    tensor([ 1.5410, -0.2934, -2.1788])
    """
    like = _blank("randn", sizes, size, dtype)
    return _draw("randn", Generator.normal, like, generator, requires_grad, device)


@within_memory
def randint(
    *limits_and_size: Any,
    low: Any = None,
    high: Any = None,
    size: Any = None,
    generator: Generator | None = None,
    dtype: DTypeLike = int64,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Random integers: ``randint(high, size)`` or ``randint(low, high, size)``.

    Parameters
    ----------
    low, high : int
        The numbers are from low (default 0) … high − 1.
    size : tuple of ints

    Raises
    ------
    RuntimeError
        If there is no such number, or ``dtype`` does not hold them all.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.randint(10, (5,))
    tensor([4, 9, 3, 0, 3])
    """
    given = list(limits_and_size)
    if size is None and given:
        size = given.pop()
    if not isinstance(size, tuple | list):
        raise TypeError(f"randint: the size must be a tuple of integers, got {size!r:.60}")
    like = _blank("randint", (), size, dtype)
    first, end = _limits("randint", given, low, high)

    def draw(source: Generator, like: Array) -> Array:
        return source.integers(like, first, end)

    return _draw("randint", draw, like, generator, requires_grad, device)


@within_memory
def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike = int64,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """The integers 0 … n − 1 in random order.

    Raises
    ------
    RuntimeError
        If ``n`` is negative, or ``dtype`` does not hold the integers.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.randperm(5)
    tensor([4, 0, 1, 3, 2])
    """
    count, kind = integer_of("randperm", "n", n), as_dtype(dtype)
    if count < 0:
        raise RuntimeError(f"randperm: n must not be negative, got {count}")

    def draw(source: Generator, like: Array) -> Array:
        return source.permutation(count, kind)

    return _draw("randperm", draw, np.empty(0, kind), generator, requires_grad, device)


# -- of the shape of another tensor ------------------------------------------------------------


@within_memory
def rand_like(
    input: Any,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """`rand` of the shape and, unless ``dtype`` is given, of the type of ``input``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.rand_like(tg.zeros(1, 2))
    tensor([[0.4963, 0.7682]])
    """
    like = _blank_like("rand_like", input, dtype)
    return _draw("rand_like", Generator.uniform, like, generator, requires_grad, device)


@within_memory
def randn_like(
    input: Any,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """`randn` of the shape and, unless ``dtype`` is given, of the type of ``input``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.randn_like(tg.zeros(1, 2))
    tensor([[ 1.5410, -0.2934]])
    """
    like = _blank_like("randn_like", input, dtype)
    return _draw("randn_like", Generator.normal, like, generator, requires_grad, device)


@within_memory
def randint_like(
    input: Any,
    *limits: Any,
    low: Any = None,
    high: Any = None,
    generator: Generator | None = None,
    dtype: DTypeLike = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """`randint` of the shape and, unless ``dtype`` is given, of the type of ``input``.

    ``randint_like(input, high)`` or ``randint_like(input, low, high)``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.randint_like(tg.zeros(1, 2), 10)
    tensor([[4., 9.]])
    """
    like = _blank_like("randint_like", input, dtype)
    first, end = _limits("randint_like", list(limits), low, high)

    def draw(source: Generator, like: Array) -> Array:
        return source.integers(like, first, end)

    return _draw("randint_like", draw, like, generator, requires_grad, device)


# -- of given distributions --------------------------------------------------------------------


@within_memory
def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Normal random numbers, with a mean and a standard deviation for all or for each of them.

    Parameters
    ----------
    mean, std : Tensor or number
        Tensors broadcast to the shape of the result, which has the type of ``mean``.
    size : tuple of ints, optional
        For numbers only: the shape of the result. ``dtype``, ``requires_grad`` go with it.

    Raises
    ------
    RuntimeError
        If a standard deviation is negative.

    Notes
    -----
    The result is a constant: PyTorch lets gradients of zero flow back to ``mean`` and ``std``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.normal(tg.tensor([0.0, 100.0]), 2.0)
    tensor([ 3.0820, 99.4131])
    """
    if size is not None:
        m, s = number_of("normal", "mean", mean), number_of("normal", "std", std)
        like = _blank("normal", (), size, dtype)

        def draw(source: Generator, like: Array) -> Array:
            return source.normal(like, m, s)

        return _draw("normal", draw, like, generator, requires_grad, device)
    if not isinstance(mean, Tensor) and not isinstance(std, Tensor):
        raise TypeError("normal: a mean and a std that are numbers need a size")
    if dtype is not None or requires_grad:
        raise TypeError("normal: dtype and requires_grad go with a size only")
    on_cpu("normal", device)
    scale: Any = 1.0
    if isinstance(std, Tensor):
        common, scale = 1.0, std.array  # of all numbers, and then of each
        if not np.all(std.array >= 0):
            raise RuntimeError("normal: standard deviations must not be negative")
    else:
        common = number_of("normal", "std", std)
    shift = mean.array if isinstance(mean, Tensor) else number_of("normal", "mean", mean)
    shape = common_shape("normal", np.shape(shift), np.shape(scale))
    kind = (mean if isinstance(mean, Tensor) else std).dtype
    drawn = source_of("normal", generator).normal(np.empty(shape, kind), 0.0, common)
    scaled = np.asarray(drawn * scale).astype(kind, copy=False)
    return wrap(np.asarray(scaled + shift), None)


# -- what they share ---------------------------------------------------------------------------


def _blank(name: str, sizes: tuple[Any, ...], size: Any, dtype: DTypeLike) -> Array:
    """An array of the shape and type that a function was asked for."""
    kind = get_default_dtype() if dtype is None else as_dtype(dtype)
    return np.empty(shape_of(name, sizes, size), kind)


def _blank_like(name: str, input: Any, dtype: DTypeLike) -> Array:
    """An array of the shape, order in memory and type of a tensor."""
    x = tensor_of(name, input).array
    return arranged(np.empty(x.size, x.dtype if dtype is None else as_dtype(dtype)), x)


def _limits(name: str, given: list[Any], low: Any, high: Any) -> tuple[int, int]:
    """Low and high of ``(high)``, ``(low, high)`` and of keywords."""
    if len(given) == 1 and high is None:
        high = given.pop()
    elif len(given) == 1 and low is None:
        low = given.pop()
    elif len(given) == 2 and low is high is None:
        low, high = given.pop(0), given.pop()
    if given or high is None:
        raise TypeError(f"{name}: expected high, or low and high")
    first = integer_of(name, "low", 0 if low is None else low)
    return first, integer_of(name, "high", high)


def _draw(
    name: str,
    draw: Callable[[Generator, Array], Array],
    like: Array,
    generator: Generator | None,
    requires_grad: bool,
    device: Any,
) -> Tensor:
    """A new tensor of what ``draw`` draws, in the likeness of an array."""
    on_cpu(name, device)
    check_flags(name, requires_grad=requires_grad)
    made = wrap(draw(source_of(name, generator), like), None)
    return made.requires_grad_() if requires_grad else made
