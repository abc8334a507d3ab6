"""Where the values of a program lie, and how that is written."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_rnn.compiled.symbols import VIEWS, Value


@dataclass(frozen=True)
class Home:
    """Where a value lies: a buffer, and how its rows follow time.

    ``rows``: "steps" (one for each), "block" (of the steps of a block), "pair" (every other),
    "one" (the same at every step), "given" (not in the workspace).  ``later``: rows further on.
    """

    buffer: str
    rows: str
    later: int = 0
    within: str = ""  # an index into a row, or a reshape of it
    within_all: str = ""  # the same of all rows at once

    def row(self) -> str:
        """The row of step t, in the workspace."""
        t = f"t + {self.later}" if self.later else "t"
        index = {
            "steps": f"[{t}, ...]", "block": f"[({t}) % n, ...]", "pair": f"[({t}) % 2, ...]",
            "one": "",
        }  # fmt: skip
        return f"{self.buffer}{index[self.rows]}{self.within}"

    def block(self) -> str:
        """The rows of a block of steps."""
        if self.rows == "one":
            return f"{self.buffer}{self.within_all}"
        ends = f"[lo + {self.later}:hi + {self.later}]" if self.later else "[lo:hi]"
        return f"{self.buffer}{'[:m]' if self.rows == 'block' else ends}{self.within_all}"


class Storage:
    """The buffers of a workspace; ``reuse``: a buffer serves one value after the other."""

    def __init__(self, reuse: bool = True) -> None:
        self._reuse = reuse
        self.buffers: list[tuple[str, str, tuple[int, ...], np.dtype[Any]]] = []
        self._free: dict[Any, list[str]] = defaultdict(list)

    def buffer(self, rows: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> str:
        """A new buffer, or one that was given back."""
        free = self._free[rows, shape, dtype]
        if free:
            return free.pop()
        name = f"{'SBPO'[('steps', 'block', 'pair', 'one').index(rows)]}{len(self.buffers)}"
        self.buffers.append((name, rows, shape, dtype))
        return name

    def give_back(self, name: str) -> None:
        """A buffer of which nothing is needed any more."""
        for known, rows, shape, dtype in self.buffers if self._reuse else ():
            if known == name:
                self._free[rows, shape, dtype].append(name)

    def forget(self) -> None:
        """Nothing more of what was given back is to be used."""
        self._free.clear()


def root(value: Value) -> Value:
    """What a value is a view of."""
    while value.fn in VIEWS and is_view(value):
        value = value.args[0]
    return value


def is_view(value: Value) -> bool:
    """Whether a value shows its operand's memory, as that lies in a buffer of its own."""
    chain = [value]
    while chain[-1].fn in VIEWS:
        chain.append(chain[-1].args[0])
    start = shown = np.empty(chain.pop().shape, bool)
    for at in reversed(chain):
        shown = _seen(at, shown)
        if not np.may_share_memory(start, shown) or shown.base is None:
            return not start.size
    return True


def _seen(value: Value, array: Any) -> Any:
    if value.fn == "getitem":
        return array[(*value.params["index"], ...)]
    if value.fn == "reshape":
        return array.reshape(value.params["shape"])
    return array.transpose(value.params["axes"])


def index_text(index: Any, batched: bool = False) -> str:
    """An index as it is written."""

    def part(i: Any) -> str:
        if isinstance(i, slice):
            ends = ["" if end is None else str(end) for end in (i.start, i.stop)]
            return ":".join(ends) + ("" if i.step in (None, 1) else f":{i.step}")
        return "..." if i is Ellipsis else str(i)

    parts = ([":"] if batched else []) + [part(i) for i in index]
    return f"[{', '.join(parts)}]" if parts else ""


def view_text(value: Value, batched: bool) -> str:
    """What stands behind an array to see it as a view."""
    if value.fn == "getitem":
        return index_text((*value.params["index"], Ellipsis), batched)
    if value.fn == "reshape":
        sizes = ", ".join(map(str, value.params["shape"]))
        if not sizes:
            return ".reshape(m)" if batched else ".reshape(())"
        return f".reshape(m, {sizes})" if batched else f".reshape({sizes})"
    axes = value.params["axes"]
    order = (0, *[a + 1 for a in axes]) if batched else axes
    return f".transpose({', '.join(map(str, order))})"
