"""The same in half the time; nothing here changes a result.

A lane is for one, two or three tensors of one type of elements, if a gradient is wanted, from a
primitive's second use on: the first finds out what the tape keeps.  Whatever else comes, an error
to explain included, goes the general way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.graph import node, place
from tinygrad_rnn.engine.memory import current, histories
from tinygrad_rnn.engine.mode import here

if TYPE_CHECKING:
    from tinygrad_rnn.engine.primitive import Primitive
    from tinygrad_rnn.tensor.tensor import Tensor

    Lane = Callable[..., Tensor]

NO_PARAMS: dict[str, Any] = {}
ndarray = np.ndarray


def lane(primitive: Primitive) -> Lane:
    """The quickest way to apply a primitive."""
    lanes = [_unary, _binary, _ternary]
    count = len(primitive.inputs)
    if primitive.inputs[0].startswith("*") or count > len(lanes):
        return primitive.general
    return lanes[count - 1](primitive)


def _unary(self: Primitive) -> Lane:
    forward, keeps, general = self.forward, self.keeps, self.general

    def apply(x: Any, **params: Any) -> Tensor:
        mode = here.mode
        try:
            if histories and mode.recording:
                current(x)
            a, p = x.array, x.node
            k = keeps[p.requires_grad]
            output = (forward(a, **params) if params else forward(a)) if mode.recording else None
        except Exception:
            output = None
        if output is None:
            return general(x, **params)
        if type(output) is not ndarray:
            output = np.asarray(output)
        saved = (a if k[0] else None, output if k[1] else None) if k else ()
        made = node(self, (p,), saved, params or NO_PARAMS, mode, output)
        return graph.make_tensor(output, made)

    return apply


def each(self: Primitive, x: Any, settings: Sequence[dict[str, Any]]) -> tuple[Tensor, ...]:
    """A primitive of one input, applied with each of several settings: parts of a tensor."""
    mode, at = here.mode, current(x)
    if not (at and at.requires_grad and mode.recording and self.keeps.get(True) == ()):
        return tuple([self.general(x, **params) for params in settings])
    array, parents, read, make_tensor = x.array, (at,), self.forward, graph.make_tensor
    parts = [(read(array, **params), params) for params in settings]
    return tuple([make_tensor(y, node(self, parents, (), params, mode, y)) for y, params in parts])


def _binary(self: Primitive) -> Lane:
    forward, keeps, general, arrange = self.forward, self.keeps, self.general, self.arrange

    def apply(x: Any, y: Any) -> Tensor:
        mode = here.mode
        try:
            if histories and mode.recording:
                current(x)
                current(y)
            a, b, p, q = x.array, y.array, x.node or place(x), y.node or place(y)
            k = keeps[p.requires_grad + 2 * q.requires_grad]
            output = forward(a, b) if a.dtype == b.dtype and mode.recording else None
            if arrange is not None and not a.flags.c_contiguous and output is not None:
                output = arrange(output, (a, b))
        except Exception:
            output = None
        if output is None:
            return general(x, y)
        if type(output) is not ndarray:
            output = np.asarray(output)
        saved = (a if k[0] else None, b if k[1] else None, output if k[2] else None) if k else ()
        made = node(self, (p, q), saved, NO_PARAMS, mode, output)
        return graph.make_tensor(output, made)

    return apply


def _ternary(self: Primitive) -> Lane:
    forward, keeps, general, arrange = self.forward, self.keeps, self.general, self.arrange

    def apply(x: Any, y: Any, z: Any, **params: Any) -> Tensor:
        mode = here.mode
        try:
            if histories and mode.recording:
                current(x)
                current(y)
                current(z)
            a, b, c = x.array, y.array, z.array
            p, q, r = x.node or place(x), y.node or place(y), z.node or place(z)
            k = keeps[p.requires_grad + 2 * q.requires_grad + 4 * r.requires_grad]
            alike = a.dtype == b.dtype == c.dtype
            output = forward(a, b, c, **params) if alike and mode.recording else None
            if arrange is not None and not a.flags.c_contiguous and output is not None:
                output = arrange(output, (a, b, c))
        except Exception:
            output = None
        if output is None:
            return general(x, y, z, **params)
        if type(output) is not ndarray:
            output = np.asarray(output)
        saved: Any = (a if k[0] else None, b if k[1] else None) if k else ()
        if k:
            saved += (c if k[2] else None, output if k[3] else None)
        made = node(self, (p, q, r), saved, params or NO_PARAMS, mode, output)
        return graph.make_tensor(output, made)

    return apply
