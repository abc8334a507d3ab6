"""The layers of a net: where something was made, and how that is spelled."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.writing.text import clean


class Layer(NamedTuple):
    """Which recurrent layer: a module or scope, a layer of its stack, a direction.

    ``run`` counts from 1 the times that it was unrolled over the same time steps.

    Examples
    --------
    >>> str(Layer("encoder.lstm", 0, "reverse"))
    'encoder.lstm, layer 0, reverse'
    >>> str(Layer())
    'loop'
    """

    scope: str = ""
    number: int | None = None
    direction: str | None = None
    run: int = 1

    @staticmethod
    def of(place: Node, run: int = 1) -> Layer:
        """Where a place was made."""
        scope, _, number, direction = place.tag[:4]
        return _known(scope, number, direction, run)

    @property
    def whatever_run(self) -> Layer:
        """The layer itself, however often it was run: what `of` gives for its places."""
        return self._replace(run=1)

    def words(self) -> list[str]:
        """What there is to say of it: the one spelling of layers."""
        words = [
            clean(self.scope),
            "" if self.number is None else f"layer {self.number}",
            "reverse" if self.direction == "reverse" else "",
            f"run {self.run}" if self.run > 1 else "",
        ]
        return [word for word in words if word]

    def __str__(self) -> str:
        return ", ".join(self.words() if clean(self.scope) else ["loop", *self.words()])

    @property
    def spoken(self) -> str:
        """Inside a sentence, or before time steps: "lstm layer 0 reverse"; "" outside of any."""
        return " ".join(self.words())

    def is_meant_by(
        self, scope: str | None, number: int | None, direction: str | None, run: int | None = None
    ) -> bool:
        """Whether a user means it, who gives the end of a module's dotted name and whatever else.

        ``None`` is any.
        """
        return (
            (scope is None or f".{self.scope}".endswith(f".{scope}"))
            and number in (None, self.number)
            and direction in (None, self.direction)
            and run in (None, self.run)
        )


@lru_cache(1024)  # a net has few layers, and many places in each
def _known(scope: str, number: int | None, direction: str | None, run: int) -> Layer:
    return Layer(scope, number, direction, run)


def module_of(scope: str) -> str:
    """The last part of a scope's dotted name, made safe to write; of a number what it is of, too.

    Examples
    --------
    >>> module_of("encoder.lstm"), module_of("net.head.0")
    ('lstm', 'head.0')
    """
    parts = clean(scope).split(".")
    first = len(parts) - 1
    while first and parts[first].isdigit():
        first -= 1
    return ".".join(parts[first:])


def moments(steps: Sequence[int | None]) -> str:
    """Time steps as runs.

    Examples
    --------
    >>> moments([3, 1, 2, 7]), moments([4]), moments([None])
    ('t = 1–3, 7', 't = 4', '')
    """
    runs: list[list[int]] = []
    for step in sorted({step for step in steps if step is not None}):
        if runs and step == runs[-1][-1] + 1:
            runs[-1].append(step)
        else:
            runs.append([step])
    words = [str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs]
    return f"t = {', '.join(words)}" if words else ""


def where(layer: str, steps: Sequence[int | None]) -> str:
    """A layer and time steps: "rnn layer 2, t = 1–3"."""
    return ", ".join(word for word in (layer, moments(steps)) if word)
