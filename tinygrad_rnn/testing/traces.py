"""Where two runs part that do different things: by the values that only one of them shows.

Where each operation is right by itself, the two programs must differ. Names tell little, since one
library does in one operation what the other does in three; but as long as they compute the same,
values computed here appear among those computed there. So the runs part at our first value that
PyTorch's run never shows, and from which none follows that it does show.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from tinygrad_rnn.engine.graph import Node, tape
from tinygrad_rnn.errors import origin
from tinygrad_rnn.testing.pairs import Tolerance, written
from tinygrad_rnn.testing.runs import array_of

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Parting:
    """Our first operation whose result PyTorch's run does not have, and what that did instead.

    Attributes
    ----------
    node : Node
    number : int
        Which of our operations it is, from 1.
    theirs : (name, array), or ``None``
        PyTorch's next operation, after those that made the inputs, that we do not have.
    """

    node: Node
    number: int
    theirs: tuple[str, Array] | None

    def __str__(self) -> str:
        text = (
            "So the programs differ. The first result that PyTorch's run does not have: "
            f"{origin(self.node)} (operation {self.number}) makes {written(self.node.value)}"
        )
        if self.theirs is None:
            return text
        return f"{text}; PyTorch's next is {self.theirs[0]}: {written(self.theirs[1])}"


def traced(torch: Any, function: Callable[[], Any]) -> list[tuple[str, Array]]:
    """The name and the result of each of PyTorch's operations while a function runs."""
    seen: list[tuple[str, Array]] = []

    class Trace(import_module("torch.utils._python_dispatch").TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(
            self, op: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            result = op(*args, **(kwargs or {}))
            made = result if isinstance(result, tuple | list) else [result]
            seen.extend(
                (op.overloadpacket.__name__, np.array(array_of(y)))
                for y in made
                if isinstance(y, torch.Tensor) and y.is_floating_point()
            )
            return result

    with Trace():
        function()
    return seen


def parting(
    nodes: Sequence[Node], theirs: Sequence[tuple[str, Array]], tolerance: Tolerance
) -> Parting | None:
    """Where our operations leave a run of PyTorch's; ``None`` if they never do."""
    at = {node: _find(node.value, [y for _, y in theirs], tolerance) for node in nodes}
    shared: set[Node] = set()
    for node in reversed(nodes):
        if at[node] is not None or node in shared:
            shared.add(node)
            shared.update(node.parents)
    for number, node in enumerate(nodes, 1):
        if node in shared or node.value is None:
            continue
        ours = [place.value for place in tape(nodes)]
        known = [i for parent in node.parents if (i := at.get(parent)) is not None]
        for name, y in theirs[max(known, default=-1) + 1 :]:
            if _find(y, ours, tolerance) is None:
                return Parting(node, number, (name, y))
        return Parting(node, number, None)
    return None


def _find(value: Any, among: Sequence[Any], tolerance: Tolerance) -> int | None:
    """The place of an equal array, whatever its shape."""
    if value is None:
        return None
    flat = np.asarray(value).ravel()
    for i, other in enumerate(among):
        fits = other is not None and np.size(other) == flat.size
        if fits and tolerance.worst(flat, np.ravel(other).astype(flat.dtype)) is None:
            return i
    return None
