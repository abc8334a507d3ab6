"""Where in a net something was made, in words."""

from __future__ import annotations

from collections.abc import Sequence

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.writing.text import clean


def layer_of(node: Node, run: int = 1) -> str:
    """The scope, layer, direction and run of a node: "lstm layer 0 reverse"; "" if it has none."""
    scope, _, layer, direction, _ = node.tag
    words = [
        clean(scope),
        "" if layer is None else f"layer {layer}",
        "reverse" if direction == "reverse" else "",
        f"run {run}" if run > 1 else "",
    ]
    return " ".join(word for word in words if word)


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
