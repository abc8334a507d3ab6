"""Numbers as pictures print them, and the scale of colours for gradient norms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_rnn.writing.norms import norm as norm

LONGEST_ROW = 4  # a longer vector, or a larger matrix, is printed as its shape and norm
BINS = 6
_NAMED = 4  # parts of a gradient
_ORDINALS = ("first", "second", "third")
_WIDEST_SCALE = 1e-6  # below this part of the largest norm everything is written ≈0


def number(x: Any) -> str:
    """One number, at three decimals where they say something.

    Examples
    --------
    >>> [number(x) for x in (0.53704957, 0.0, 4.8e-4, -123456.0, float("nan"), 7)]
    ['0.537', '0', '4.8e-4', '-1.2e5', 'nan', '7']
    """
    if type(x) is not float:  # which most are
        if isinstance(x, bool | np.bool_):
            return str(bool(x))
        if isinstance(x, int | np.integer):
            return str(int(x)) if abs(int(x)) < 10**6 else _power(float(x))
        if isinstance(x, complex | np.complexfloating):
            return f"{number(x.real)}{'' if x.imag < 0 else '+'}{number(x.imag)}i"
        x = float(x)
    if x == 0:
        return "0"
    if not math.isfinite(x):
        return str(x).replace("inf", "∞")
    return f"{x:.3f}" if 5e-4 <= abs(x) < 99999 else _power(x)


def _power(x: float) -> str:
    mantissa, exponent = f"{x:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def array(a: Any) -> tuple[str, ...]:
    """An array as lines: all of a small one, the shape and the norm of a larger one.

    Examples
    --------
    >>> array(np.array([[1.0, 0.25]]))
    ('[1.000 0.250]',)
    >>> array(np.ones(9))
    ('9  ‖3.000‖',)
    """
    a = np.asarray(a)
    if a.size == 0:
        return (f"{shape(a.shape)} (empty)",)
    if a.ndim == 0:
        return (number(a[()]),)
    rows = a.reshape(a.shape[a.ndim - 2 :]) if a.ndim > 2 and a.size == _last_two(a) else a
    rows = np.atleast_2d(rows)
    if rows.ndim > 2 or max(rows.shape) > LONGEST_ROW or a.dtype.kind not in "biufc":
        return (summary(a),)
    return tuple(f"[{' '.join(number(x) for x in row)}]" for row in rows.tolist())


def summary(a: Any) -> str:
    """The shape and the norm of an array.

    Examples
    --------
    >>> summary(np.ones((3, 3)))
    '3×3  ‖3.000‖'
    """
    return f"{shape(np.shape(a))}  ‖{number(norm(a))}‖"


def _last_two(a: Any) -> int:
    return int(a.shape[-1] * a.shape[-2])


def shape(dimensions: tuple[int, ...]) -> str:
    """A shape in words short enough for a box.

    Examples
    --------
    >>> shape((5, 2)), shape(())
    ('5×2', 'scalar')
    """
    return "×".join(map(str, dimensions)) or "scalar"


def count(number: int, thing: str, things: str | None = None) -> str:
    """A number of things.

    Examples
    --------
    >>> count(1, "time step"), count(5000, "time step"), count(2, "box", "boxes")
    ('1 time step', '5,000 time steps', '2 boxes')
    """
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def ordinal(number: int) -> str:
    """The place of something among others.

    Examples
    --------
    >>> [ordinal(i) for i in (1, 2, 3, 11, 22)]
    ['first', 'second', 'third', '11th', '22nd']
    """
    if number <= len(_ORDINALS):
        return _ORDINALS[number - 1]
    ending = "th" if number // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def agreement(parts: Sequence[tuple[str, float]], whole: float) -> str:
    """How far the parts of a gradient agree: the norm of their sum, by the sum of their norms.

    It is 100 % if all point one way and 0 if they cancel; of many parts the largest are named.

    Examples
    --------
    >>> agreement([("h₂", 3.0), ("y₁", 4.0)], 5.0)
    '‖4.000‖ from y₁, ‖3.000‖ from h₂: together ‖5.000‖, they agree by 71 %'
    """
    most = math.fsum(norm for _, norm in parts)
    if len(parts) < 2 or not most or not math.isfinite(most) or not math.isfinite(whole):
        return ""
    largest = sorted(parts, key=lambda part: -part[1])[:_NAMED]
    said = [f"‖{number(norm)}‖ from {name}" for name, norm in largest]
    said += [f"{len(parts) - _NAMED} more"] if len(parts) > _NAMED else []
    agree = min(100, round(100 * whole / most))
    return f"{', '.join(said)}: together ‖{number(whole)}‖, they agree by {agree} %"


@dataclass(frozen=True, slots=True)
class Scale:
    """Which of six logarithmic bins a gradient norm falls in; 0 is below all of them."""

    low: float
    high: float

    @classmethod
    def of(cls, norms: Iterable[float]) -> Scale | None:
        """The scale of a picture with these norms; ``None`` if none of them is positive."""
        positive = [x for x in norms if 0 < x < math.inf]
        if not positive:
            return None
        high = max(positive)
        return cls(min(x for x in positive if x >= high * _WIDEST_SCALE), high)

    def bin(self, x: float) -> int:
        """The bin, 0 to 6, of a norm.

        Examples
        --------
        >>> scale = Scale(0.01, 10.0)
        >>> [scale.bin(x) for x in (0.0, 0.01, 0.9, 10.0)]
        [0, 1, 4, 6]
        """
        if not math.isfinite(x):
            return BINS
        if x < self.low:
            return 0
        if self.low == self.high:
            return BINS
        part = math.log(x / self.low) / math.log(self.high / self.low)
        return 1 + min(BINS - 1, int(part * BINS * (1 + 1e-12)))


def bin_of(scale: Scale | None, x: float | None) -> int | None:
    """The bin of a norm; ``None`` where there is no norm."""
    if x is None:
        return None
    if scale is None:  # nothing but zeros, or something that is not finite
        return 0 if x == 0 else BINS
    return scale.bin(x)
