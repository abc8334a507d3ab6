"""PyTorch's random numbers on the CPU: equal seeds give equal numbers, bit for bit.

The stream is that of the Mersenne Twister MT19937: words of 32 bits, of which a draw takes one or,
for 64 bits, two.  Which draws make which numbers was found by experiment with PyTorch 2.13.
NumPy's global random state is never touched.
"""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.errors import silent, silently
from tinygrad_rnn.engine.graph import Variable
from tinygrad_rnn.operations.dtypes import float16, float32, float64, int64, is_floating
from tinygrad_rnn.operations.types import on_cpu

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

Array = np.ndarray[Any, Any]

_STATE = np.dtype(
    [
        ("seed", "<u8"),
        ("left", "<i4"),  # how many words until the next 624 are made, and one
        ("seeded", "<i4"),
        ("next", "<u8"),
        ("words", "<u8", 624),
        ("unused", "<f8"),
        ("spare", "<f8"),
        ("unused too", "<f8"),
        ("has spare", "<i4"),
        ("of float32", "<f4", 2),
    ],
    align=True,
)  # PyTorch's, so that its states can be set here and ours there
_WIDE = 2**28  # from this range on integers are drawn with 64 bits


class Generator:
    """A stream of random numbers of its own.

    The functions of `tinygrad_rnn.tensor.random`, and the methods that fill tensors in place, draw
    from it when they are told to.  Its own drawing methods return NumPy arrays; ``like`` is an
    array whose shape, type and order in memory the result has (its elements do not matter).

    Parameters
    ----------
    device : "cpu"

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> g = tg.Generator().manual_seed(0)
    >>> tg.rand(3, generator=g)
    tensor([0.4963, 0.7682, 0.0885])
    """

    def __init__(self, device: Any = "cpu") -> None:
        on_cpu("Generator", device)
        self.device = "cpu"
        self.manual_seed(67280421310721)  # PyTorch's default

    # -- the stream --

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream again from ``seed``; returns the generator.

        Raises
        ------
        RuntimeError
            If the seed is not an integer.
        ValueError
            If it does not fit 64 bits, with or without a sign.

        Notes
        -----
        As in PyTorch, only the low 32 bits of the seed count.
        """
        try:
            number = operator.index(seed)
        except TypeError:
            raise RuntimeError(f"manual_seed: expected an integer, got {seed!r:.60}") from None
        if not -(2**63) <= number < 2**64:
            raise ValueError(f"manual_seed: {number} does not fit 64 bits")
        self._seed = number % 2**64
        self.__dict__.pop("_stream", None)
        self._spare: float | None = None  # normal numbers come in pairs
        return self

    @cached_property
    def _stream(self) -> np.random.RandomState:
        """The stream; made at the first draw, because importing `numpy.random` takes a while."""
        return np.random.RandomState(self._seed % 2**32)

    def seed(self) -> int:
        """Start the stream from a seed that nobody can foresee; returns the seed."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little"))
        return self._seed

    def initial_seed(self) -> int:
        """The seed that the stream was started from."""
        return self._seed

    def get_state(self) -> Tensor:
        """Where the stream is, as 5056 bytes: a uint8 tensor, which PyTorch understands too."""
        twister = self._stream.get_state(legacy=False)["state"]
        state = np.zeros(1, _STATE)
        state["seed"], state["seeded"], state["words"] = self._seed, 1, twister["key"]
        state["next"], state["left"] = twister["pos"], 625 - twister["pos"]
        if self._spare is not None:
            state["spare"], state["has spare"] = self._spare, 1
        return graph.make_tensor(state.view(np.uint8), None)

    def set_state(self, state: Any) -> None:
        """Go on from where `get_state` was, here or in PyTorch.

        Raises
        ------
        TypeError
            If it is not a uint8 tensor.
        RuntimeError
            If it is not a state.
        """
        if not isinstance(state, Variable) or state.array.dtype != np.uint8:
            raise TypeError(f"set_state: expected a uint8 tensor from get_state, got {state!r:.60}")
        if state.array.shape != (_STATE.itemsize,):
            raise RuntimeError(f"set_state: a state has shape (5056,), not {state.array.shape}")
        given = np.ascontiguousarray(state.array).view(_STATE)[0]
        if given["seeded"] != 1 or not 1 <= given["left"] <= 624 or given["next"] > 624:
            raise RuntimeError("set_state: these bytes are not the state of a generator")
        twister = {"key": given["words"].astype(np.uint32), "pos": 625 - int(given["left"])}
        self._stream.set_state({"bit_generator": "MT19937", "state": twister})
        self._seed = int(given["seed"])
        self._spare = float(given["spare"]) if given["has spare"] else None

    def words(self, count: int) -> Array:
        """The next words of 32 bits, as uint64."""
        return self._stream.randint(0, 2**32, size=count, dtype=np.uint32).astype(np.uint64)

    def long_words(self, count: int) -> Array:
        """Words of 64 bits: two of 32 each, the first the higher."""
        pairs = self.words(2 * count).reshape(-1, 2)
        return pairs[:, 0] << np.uint64(32) | pairs[:, 1]

    def _fractions(self, count: int, digits: int) -> Array:
        """Float64 numbers from [0, 1) with as many binary digits."""
        words = self.long_words(count) if digits > 32 else self.words(count)
        return (words & np.uint64(2**digits - 1)) * 2.0**-digits

    # -- draws --

    def uniform(self, like: Array, low: float = 0.0, high: float = 1.0) -> Array:
        """Numbers from [low, high).

        Raises
        ------
        RuntimeError
            If ``like`` is not of a floating-point type, the limits are not in order, or they or
            their difference do not fit the type.
        """
        kind = _floating("uniform", like)
        most = float(np.finfo(kind).max)
        if not (-most <= low <= high <= most and high - low <= most):
            raise RuntimeError(f"uniform: cannot draw {kind} from [{low}, {high})")
        a, b = np.array([low, high], float64 if kind == float64 else float32)
        fractions = self._fractions(like.size, 53 if kind == float64 else 24)
        drawn = _scaled(fractions, b - a, a, kind)
        drawn[drawn == kind.type(b)] = a  # it is not among them, but rounding may lead to it
        return arranged(drawn, like)

    def normal(self, like: Array, mean: float = 0.0, std: float = 1.0) -> Array:
        """Normally distributed numbers, by Box and Muller's method.

        Raises
        ------
        RuntimeError
            If ``like`` is not of a floating-point type, or ``std`` is negative.
        """
        kind = _floating("normal", like)
        if not std >= 0:
            raise RuntimeError(f"normal: the standard deviation must not be negative, got {std}")
        small = like.size < 16 or not like.flags.c_contiguous
        drawn = self._pairs(like.size) if small else self._blocks(like.size, kind)
        return arranged(_scaled(drawn, std, mean, kind), like)

    def exponential(self, like: Array, rate: float = 1.0) -> Array:
        """Exponentially distributed numbers, of mean 1 / ``rate``.

        Raises
        ------
        RuntimeError
            If ``like`` is not of a floating-point type, or ``rate`` is not positive.
        """
        kind = _floating("exponential", like)
        if not rate > 0:
            raise RuntimeError(f"exponential: the rate must be positive, got {rate}")
        drawn = _log1p(-self._fractions(like.size, 53)) / -rate
        return arranged(drawn.astype(kind), like)

    def _pairs(self, count: int) -> Array:
        """Normal numbers pair by pair, one at a time: half a pair waits for the next call."""
        first = [] if self._spare is None or not count else [self._spare]
        u = self._fractions(count - len(first) + (count - len(first)) % 2, 53).reshape(-1, 2)
        r, turn = np.sqrt(-2 * _log1p(-u[:, 1])), 2 * math.pi * u[:, 0]
        pairs = np.stack([r * _cos(turn), r * _sin(turn)], 1).ravel()
        drawn = np.concatenate([first, pairs])
        if count:
            self._spare = float(drawn[count]) if len(drawn) > count else None
        return drawn[:count]

    def _blocks(self, count: int, kind: np.dtype[Any]) -> Array:
        """Normal numbers in blocks of 16: the last 16 are drawn anew if there is a remainder."""
        digits, whole = 53 if kind == float64 else 24, count - count % 16
        drawn = np.empty(count, float64 if kind == float64 else float32)
        u = self._fractions(whole if kind == float16 else count, digits)
        drawn[:whole] = _block(u[:whole].astype(drawn.dtype))
        if whole < count:
            drawn[-16:] = _block(self._fractions(16, digits).astype(drawn.dtype))
        return drawn.astype(float64)

    def bernoulli(self, like: Array, p: Any) -> Array:
        """1 with probability ``p``, a number or an array for as many elements; else 0.

        Raises
        ------
        RuntimeError
            If ``p`` is not between 0 and 1.
        """
        if not np.all((np.asarray(p) >= 0) & (np.asarray(p) <= 1)):
            raise RuntimeError(f"bernoulli: probabilities must be between 0 and 1, got {p!r:.60}")
        digits = 24 if isinstance(p, np.ndarray) and p.dtype != float64 else 53
        drawn = arranged(self._fractions(like.size, digits), like) < p
        return np.asarray(drawn).astype(like.dtype)

    def integers(self, like: Array, low: int | None = None, high: int | None = None) -> Array:
        """Integers from low … high − 1, by default from 0 or up to the largest of the type.

        Raises
        ------
        RuntimeError
            If there is none, or the type does not hold them all (exactly, if it is of floats).
        """
        kind = like.dtype
        least, most = _range(kind)
        if low is None and high is None:
            draw = self.long_words if kind in (int64, float64) else self.words
            return arranged((draw(like.size) % np.uint64(most + 1)).astype(kind), like)
        first, last = low or 0, most if high is None else high - 1
        if first > last:
            raise RuntimeError(f"random integers: there are none from {first} up to {last}")
        if first < least or last > most:
            raise RuntimeError(f"random integers: {kind} does not hold all of {first} … {last}")
        span = last - first + 1
        drawn = (self.long_words if span >= _WIDE else self.words)(like.size)
        if span < 2**64:
            drawn = drawn % np.uint64(span) + np.uint64(first % 2**64)
        return arranged(drawn.view(int64).astype(kind), like)

    def permutation(self, n: int, kind: np.dtype[Any] = int64) -> Array:
        """The integers 0 … n − 1 in random order, by Fisher and Yates' method.

        Raises
        ------
        RuntimeError
            If the type does not hold them all (and, as in PyTorch, ``n`` itself if of integers).
        """
        if kind.kind == "b" or n > _range(kind)[1] + is_floating(kind):
            raise RuntimeError(f"permutation: {kind} does not hold the integers up to {n}")
        order = list(range(n))
        draws = self.words(max(n - 1, 0)) % np.arange(n, 1, -1, dtype=np.uint64)
        for i, step in enumerate(draws.tolist()):
            order[i], order[i + step] = order[i + step], order[i]
        return np.array(order, int64).astype(kind)

    def multinomial(self, weights: Array, count: int, replacement: bool) -> Array:
        """``count`` indices of each row of weights, an index as often as its weight is large."""
        if replacement and count > 1:
            parts = np.cumsum(weights, -1, dtype=np.promote_types(weights.dtype, float32))
            parts /= parts[:, -1:]
            drawn = self._fractions(len(weights) * count, 53).reshape(-1, count)
            rows = [np.searchsorted(row.astype(float64), u) for row, u in zip(parts, drawn)]
            return np.array(rows, int64).reshape(-1, count)
        waits = arranged(-np.log1p(-self._fractions(weights.size, 53)), weights)
        ranks = silently(
            np.divide, weights, waits.astype(weights.dtype)
        )  # whose wait is over first
        return np.argsort(-ranks, axis=-1, kind="stable")[:, :count]


default_generator = Generator()
"""What draws when no generator is given."""


def source_of(name: str, generator: Any) -> Generator:
    """The generator to draw from: the default one for ``None``."""
    if generator is None:
        return default_generator
    if not isinstance(generator, Generator):
        raise TypeError(f"{name}: expected a Generator, got {type(generator).__name__}")
    return generator


def arranged(values: Array, like: Array) -> Array:
    """A flat array in the shape of another, filling it in the order of its memory."""
    if like.flags.c_contiguous:
        return values.reshape(like.shape)
    step = [abs(s) for s in like.strides]
    # axes that repeat one element (stride 0) stay where they are
    outer = iter(sorted((i for i, s in enumerate(step) if s), key=lambda i: -step[i]))
    order = [next(outer) if s else i for i, s in enumerate(step)]
    return values.reshape([like.shape[i] for i in order]).transpose(np.argsort(order))


def _floating(name: str, like: Array) -> np.dtype[Any]:
    kind: np.dtype[Any] = like.dtype
    if not is_floating(kind):
        raise RuntimeError(f"{name}: expected a floating-point type, got {kind}")
    return kind


def _range(kind: np.dtype[Any]) -> tuple[int, int]:
    """The least and the greatest integer of a type, those of floats without gaps between."""
    if kind.kind == "b":
        return 0, 1
    if kind.kind == "f":
        whole = 2 ** (np.finfo(kind).nmant + 1)
        return -whole, whole
    return int(np.iinfo(kind).min), int(np.iinfo(kind).max)


def _block(u: Array) -> Array:
    """Box and Muller's method on blocks of 16: cosines in the first half, sines in the second."""
    log, cos, sin = (_log, _cos, _sin) if u.dtype == float64 else (np.log, np.cos, np.sin)
    blocks = u.reshape(-1, 16)
    r, turn = np.sqrt(-2 * log(1 - blocks[:, :8])), u.dtype.type(2 * math.pi) * blocks[:, 8:]
    return np.concatenate([r * cos(turn), r * sin(turn)], 1).ravel()


def _libm(function: Callable[[float], float]) -> Callable[[Array], Array]:
    """A function of each element, by the C library as in PyTorch: NumPy may differ in a bit."""
    return lambda x: np.fromiter(map(function, x.ravel().tolist()), float, x.size).reshape(x.shape)


_log, _log1p, _cos, _sin = _libm(math.log), _libm(math.log1p), _libm(math.cos), _libm(math.sin)


@silent
def _scaled(x: Array, scale: Any, shift: Any, kind: np.dtype[Any]) -> Array:
    """The sum x · scale + shift, rounded once as in PyTorch (a fused multiply-add)."""
    a, b = float(scale), float(shift)
    y = x if (a, b) == (1, 0) else x * a + b
    if kind == float16:
        return y.astype(float32).astype(float16)
    if kind == float32 or y is x:
        return y.astype(kind)  # of products of float32 numbers float64 loses nothing
    product = x * a
    (x1, x2), (a1, a2) = _halves(x), _halves(a)
    lost = ((x1 * a1 - product) + x1 * a2 + x2 * a1) + x2 * a2  # in rounding the product
    rest = y - product
    lost += (product - (y - rest)) + (b - rest)  # in rounding the sum
    return np.where(np.isfinite(lost), y + lost, y)


def _halves(x: Any) -> tuple[Any, Any]:
    """A float64 number as a sum of two of half the digits (Dekker, 1971), whose products are exact.

    https://doi.org/10.1007/BF01397083
    """
    big = x * 134217729.0  # 2²⁷ + 1
    high = big - (big - x)
    return high, x - high
