"""Two values that should be the same, and when they count as the same."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

TOLERANCES = {"float64": (1e-9, 1e-11), "float32": (1e-4, 1e-5), "float16": (2e-2, 2e-2)}
"""By dtype: rtol, of each entry, and atol, of the largest entry (of 1 if all are smaller)."""


@dataclass(frozen=True)
class Tolerance:
    """How far two arrays may lie apart; ``None``: what `TOLERANCES` says of their dtype.

    Entries a and b agree if |a − b| ≤ rtol·|b| + atol·max(1, |largest entry of b|): in a gradient
    of thousands an entry near 0 is what large terms left when they cancelled. NaN agrees with NaN,
    and integers and bools must be equal.

    With ``own_scale`` there is no 1 in this: an array of 1e-15 is measured by its own largest
    entry. Only what is so small that its type has lost digits of it still counts as 0.
    """

    rtol: float | None = None
    atol: float | None = None
    own_scale: bool = False

    def __post_init__(self) -> None:
        for name, limit in (("rtol", self.rtol), ("atol", self.atol)):
            if limit is not None and not (isinstance(limit, Real) and limit >= 0):
                raise ValueError(f"{name} must be a number that is not negative, got {limit!r}")

    def of(self, dtype: np.dtype[Any]) -> tuple[float, float]:
        """Rtol and atol for arrays of this type."""
        rtol, atol = TOLERANCES.get(dtype.name, (0, 0))
        return rtol if self.rtol is None else self.rtol, atol if self.atol is None else self.atol

    def worst(self, ours: Array, theirs: Array) -> tuple[int, ...] | None:
        """The index of the entry that is farthest off; ``None`` if all agree."""
        gap = gaps(ours, theirs)
        if theirs.dtype.kind == "f":
            rtol, atol = self.of(theirs.dtype)
            size = np.abs(np.where(np.isfinite(theirs), theirs, 0).astype(np.float64))
            scale = np.max(size, initial=_smallest(theirs.dtype) if self.own_scale else 1)
            gap = np.where(gap <= rtol * size + atol * scale, 0, gap)
        if not gap.any():
            return None
        return tuple(int(i) for i in np.unravel_index(np.argmax(gap), gap.shape))


def _smallest(dtype: np.dtype[Any]) -> float:
    """Below this a rounding error may be lost altogether, among numbers of less than all digits."""
    kind = np.finfo(dtype)
    return float(kind.tiny) / float(kind.eps)


def gaps(ours: Array, theirs: Array) -> Array:
    """|a − b| of each entry: 0 where both are NaN or the same infinity, ∞ where only one is."""
    with np.errstate(all="ignore"):
        a, b = ours.astype(np.float64), theirs.astype(np.float64)
        gap = np.abs(a - b)
        same = (ours == theirs) | ((a != a) & (b != b))
    return np.where(same, 0, np.where(np.isnan(gap), np.inf, np.maximum(gap, 5e-324)))


@dataclass(frozen=True, eq=False)
class Pair:
    """One value by each library.

    Attributes
    ----------
    what : str
        Such as "output", "gradient of w", "second-order gradient of w".
    ours, theirs : arrays, or whatever else the libraries gave
        ``None`` for a gradient of what was not used.
    gap : float
        The largest |a − b|; NaN if they cannot be subtracted.
    trouble : str
        How they differ; empty if they agree.
    """

    what: str
    ours: Any
    theirs: Any
    gap: float
    trouble: str

    @property
    def ok(self) -> bool:
        """Whether they agree."""
        return not self.trouble

    def row(self) -> list[str]:
        """Cells of a table: what, shape, type, largest difference, verdict."""
        known = isinstance(self.ours, np.ndarray)
        shape, dtype = (str(self.ours.shape), str(self.ours.dtype)) if known else ("", "")
        gap = "" if np.isnan(self.gap) else f"{self.gap:.1e}"
        return [self.what, shape, dtype, gap, f"NO: {self.trouble}" if self.trouble else "yes"]


def paired(what: str, ours: Any, theirs: Any, tolerance: Tolerance, there: str = "PyTorch") -> Pair:
    """Compare two arrays, or two values of any other kind."""
    if not (isinstance(ours, np.ndarray) and isinstance(theirs, np.ndarray)):
        same = _plain(ours) == _plain(theirs)
        trouble = "" if same else f"{_shown(ours)}, {there} {_shown(theirs)}"
        return Pair(what, ours, theirs, float("nan"), trouble)
    for name in ("shape", "dtype"):
        mine, reference = getattr(ours, name), getattr(theirs, name)
        if mine != reference:
            trouble = f"{name} {mine}, {there} {reference}"
            return Pair(what, ours, theirs, float("nan"), trouble)
    gap = float(np.max(gaps(ours, theirs), initial=0))
    worst = tolerance.worst(ours, theirs)
    if worst is None:
        return Pair(what, ours, theirs, gap, "")
    entry = f" at {worst}" if worst else ""
    trouble = f"{ours[worst]:.8g}{entry}, {there} {theirs[worst]:.8g}"
    return Pair(what, ours, theirs, gap, trouble)


def _plain(x: Any) -> Any:
    """Numbers and texts as they are, sizes and types of elements by what they print."""
    if isinstance(x, np.ndarray):
        return ("array", x.shape, x.tolist())
    return x if x is None or isinstance(x, bool | int | float | str) else _name(x)


def _name(x: Any) -> str:
    return str(x).replace("torch.Size([", "(").replace("])", ")").replace("torch.", "")


def _shown(x: Any) -> str:
    if isinstance(x, np.ndarray):
        return f"a tensor of shape {x.shape}"
    return str(x) if isinstance(x, str) else f"{x!r:.80}"


def written(array: Any) -> str:
    """An array on one line; of a large one, how it begins."""
    array = np.asarray(array)
    if array.size <= 12:
        return " ".join(np.array2string(array, precision=8).split())
    numbers = " ".join(f"{x:.8g}" for x in array.ravel()[:4])
    return f"[{numbers} …] of shape {array.shape}"
