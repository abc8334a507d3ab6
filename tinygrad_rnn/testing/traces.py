"""Where two runs part that do different things: by the values that only one of them shows.

Where each operation is right by itself, the two programs must differ. Names tell little, since one
library does in one operation what the other does in three; but as long as they compute the same,
values computed here appear among those computed there. So the runs part at our first value that
PyTorch's run never shows, and from which none follows that it does show.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from tinygrad_rnn.engine.errors import origin
from tinygrad_rnn.engine.graph import Node, tape
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
    """The name and the result of each of PyTorch's operations while a function runs, unrecorded."""
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
                if isinstance(y, torch.Tensor) and y.is_floating_point() and _takes(torch, args)
            )
            return result

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # switching oneDNN off warns that there is no Intel GPU
        step_by_step = torch.backends.mkldnn.flags(enabled=False)  # no whole layers at once
        with step_by_step, torch.no_grad(), Trace():
            function()
    return seen


def _takes(torch: Any, arguments: Any) -> bool:
    """Whether there is a tensor among arguments: what makes zeros takes none."""
    return any(
        isinstance(x, torch.Tensor) or (isinstance(x, list | tuple) and _takes(torch, x))
        for x in arguments
    )


def parting(
    nodes: Sequence[Node], theirs: Sequence[tuple[str, Array]], tolerance: Tolerance
) -> Parting | None:
    """Where our operations leave a run of PyTorch's; ``None`` if they never do."""
    there = _Values([y for _, y in theirs], tolerance)
    at = {node: there.find(node.value) for node in nodes}
    shared: set[Node] = set()  # what PyTorch's run has, and what leads to it
    for node in reversed(nodes):
        if at[node] is not None or node in shared:
            shared.add(node)
            shared.update(node.parents)
    apart = [i for i, node in enumerate(nodes) if node not in shared and node.value is not None]
    if not apart:
        return None
    node = nodes[apart[0]]
    here = _Values([place.value for place in tape(nodes)], tolerance)
    known = [i for parent in node.parents if (i := at.get(parent)) is not None]
    rest = theirs[max(known, default=-1) + 1 :]
    strangers = (found for found in rest if here.find(found[1]) is None)
    return Parting(node, apart[0] + 1, next(strangers, None))


class _Values:
    """Arrays, to find an equal one among them, whatever its shape."""

    def __init__(self, arrays: Sequence[Any], tolerance: Tolerance) -> None:
        self.tolerance = tolerance
        self.of_size: dict[int, tuple[list[int], Any]] = {}
        sizes = [-1 if array is None else np.size(array) for array in arrays]
        for size in {*sizes} - {-1}:
            places = [i for i, n in enumerate(sizes) if n == size]
            self.of_size[size] = places, np.stack([np.ravel(arrays[i]) for i in places])

    def find(self, value: Any) -> int | None:
        """The place of the first that is equal."""
        if value is None or np.size(value) not in self.of_size:
            return None
        places, rows = self.of_size[np.size(value)]
        flat = np.ravel(value)
        rtol, atol = (x / 10 for x in self.tolerance.of(flat.dtype))  # fewer matches by chance
        scale = np.max(np.abs(flat), initial=1, where=np.isfinite(flat))
        equal = np.isclose(rows, flat, rtol, atol * scale, equal_nan=True).all(axis=1)
        return places[int(np.argmax(equal))] if equal.any() else None
