"""How an applied `Function` lies in the graph, and what the walk finds there.

An application is one node.  A node has one cotangent, so of several outputs each gets a node of
its own on top, which sends what it received as a `Part`; once all have arrived, the Function's
backward is called with the lot.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_rnn.engine.graph import Node, leaf, node, place
from tinygrad_rnn.engine.memory import owner
from tinygrad_rnn.engine.mode import here
from tinygrad_rnn.engine.sums import Part
from tinygrad_rnn.operations.promotion import to_dtype
from tinygrad_rnn.tensor import Tensor, wrap


class Bare:
    """What engine and pictures read of a primitive, outside the registry of operations."""

    view = False
    joint: Any = None
    inputs: Sequence[str] = ()
    rules: Sequence[Any] = ()
    pulls: Sequence[Any] = ()

    def __init__(self, name: str, symbol: str = "") -> None:
        self.name, self.symbol = name, symbol or name

    @property
    def gathers(self) -> Sequence[Any]:
        """The rules of a walk that nobody observes: the same."""
        return self.pulls


class Application(Bare):
    """The primitive of one Function: its joint rule is the Function's backward."""

    def __init__(self, function: Any) -> None:
        super().__init__(function.__name__)
        self.function, self.joint = function, self

    def record(self, ctx: Any, arguments: Sequence[Any], outputs: Sequence[Any]) -> tuple[Any, ...]:
        """The outputs as users get them: at their places in the graph, if a gradient is wanted."""
        live = [i for i, y in enumerate(outputs) if ctx._differentiable(y)]
        dirty = {id(x) for x in ctx._dirty}
        finished = [
            y if id(y) in dirty or not isinstance(y, Tensor) else y.detach() for y in outputs
        ]
        if not live or not here.mode.recording or not any(ctx.needs_input_grad):
            return tuple(finished)
        if dirty:
            raise NotImplementedError(
                f"{self.name}: arguments changed in place (mark_dirty) cannot be recorded; "
                "compute a new tensor instead"
            )
        ctx._live = live
        ctx._outputs = [(y.shape, y.dtype) if isinstance(y, Tensor) else None for y in outputs]
        ctx._dtypes = [x.dtype if isinstance(x, Tensor) else None for x in arguments]
        shown = [i for i, x in enumerate(arguments) if isinstance(x, Tensor | bool | int | float)]
        parents = [
            place(x) if isinstance(x, Tensor) else leaf(x, False)
            for x in (arguments[i] for i in shown)
        ]
        ctx._operands = shown
        saved = self._saved(ctx, arguments, outputs)
        own = _unshared([outputs[i].array for i in live], arguments)
        made = node(self, tuple(parents), saved, {"ctx": ctx}, here.mode, _whole(own))
        for i, array in zip(live, own):
            finished[i] = wrap(array, output_place(made, i, array))
        return tuple(finished)

    def _saved(self, ctx: Any, arguments: Sequence[Any], outputs: Sequence[Any]) -> tuple[Any, ...]:
        """The arrays that forward asked to save; ``ctx`` learns where in the graph they are."""
        for i, x in enumerate(ctx._saved):
            if not (x is None or isinstance(x, Tensor)):
                kind = type(x).__name__
                raise TypeError(
                    f"{self.name}: save_for_backward takes tensors, but argument {i} is of type "
                    f"{kind}; set it as an attribute of ctx"
                )
        given = {id(x) for x in arguments}
        number = {id(outputs[i]): i for i in ctx._live if id(outputs[i]) not in given}
        tensors, ctx._saved = ctx._saved, ()
        ctx._places = [
            None if x is None else number[id(x)] if id(x) in number else place(x) for x in tensors
        ]
        return tuple([None if x is None else x.array for x in tensors])

    def pull(self, g: Any, at: Any) -> list[Any]:
        """What each operand receives: the joint rule."""
        recorded = not isinstance(at, Node)
        ctx = at.params["ctx"]._seen_from(at.node if recorded else at)
        result = self.function._derivative()(ctx, *_incoming(g, ctx))
        grads = self._checked(result if isinstance(result, tuple) else (result,), ctx._dtypes)
        return [
            self._fitted(i, grads[i], parent, ctx._dtypes[i], recorded)
            for i, parent in zip(ctx._operands, at.parents)
        ]

    def _checked(self, grads: tuple[Any, ...], dtypes: list[Any]) -> tuple[Any, ...]:
        expected = len(dtypes)
        if len(grads) < expected or any(grad is not None for grad in grads[expected:]):
            raise RuntimeError(
                f"{self.name}: backward returned an incorrect number of gradients (expected "
                f"{expected}, one for each argument, got {len(grads)})"
            )
        for i, (grad, dtype) in enumerate(zip(grads, dtypes)):
            if not (grad is None or isinstance(grad, Tensor)):
                kind = type(grad).__name__
                raise RuntimeError(
                    f"{self.name}: expected a Tensor or None as gradient, got {kind}"
                )
            if grad is not None and dtype is None:
                raise RuntimeError(
                    f"{self.name}: backward returned a gradient different than None for argument "
                    f"{i}, which is not a tensor"
                )
        return grads

    def _fitted(self, i: int, grad: Any, parent: Node, dtype: Any, recorded: bool) -> Any:
        """A gradient of the argument's type; the walk sums it to the argument's shape."""
        if not parent.requires_grad:
            return None
        if grad is None:
            grad = wrap(np.zeros(parent.shape, dtype), None)
        lead = len(grad.shape) - len(parent.shape)
        if lead < 0 or any(n not in (1, m) for n, m in zip(parent.shape, grad.shape[lead:])):
            raise RuntimeError(
                f"{self.name}: backward returned an invalid gradient at index {i}: its shape is "
                f"{grad.array.shape}, which cannot be that of an argument of shape {parent.shape}"
            )
        return to_dtype(grad if recorded else grad.array, dtype)


def _unshared(arrays: list[Any], arguments: Sequence[Any]) -> list[Any]:
    """Outputs with memory of their own: what changes one in place must not change others unseen."""
    taken = {id(owner(x.array)) for x in arguments if isinstance(x, Tensor)}
    own = []
    for array in arrays:
        own.append(array.copy() if array.base is not None or id(array) in taken else array)
        taken.add(id(owner(array)))
    return own


def _whole(arrays: list[Any]) -> Any:
    """What pictures show as the value of an application: its output, or several in a row."""
    if len(arrays) == 1:
        return arrays[0]
    size = sum(array.size for array in arrays)
    if size > here.mode.keep:  # only the shape will be read
        return np.broadcast_to(0.0, (size,))
    return np.concatenate([array.ravel() for array in arrays])


def saved_tensors(ctx: Any, made: Node) -> tuple[Tensor | None, ...]:
    """The tensors that an application saved, at their places in the graph."""
    if not made.saved:
        return ()
    tensors = []
    for array, where in zip(made.saved, ctx._places, strict=True):
        if isinstance(where, int):  # a node that knew its output would keep both alive for ever
            where = output_place(made, where, array)
        tensors.append(None if array is None else wrap(array, where))
    return tuple(tensors)


def _incoming(g: Any, ctx: Any) -> list[Tensor | None]:
    """The cotangents of all outputs, as backward gets them."""
    arrived: dict[int, Any] = dict(zip(ctx._live, g.gs if isinstance(g, Cotangents) else [g]))
    incoming: list[Tensor | None] = []
    for i, output in enumerate(ctx._outputs):
        c = arrived.get(i)
        if c is not None:
            incoming.append(c if isinstance(c, Tensor) else wrap(_fixed(c), None))
        else:
            zeros = output is not None and ctx._materialize
            incoming.append(wrap(np.zeros(*output), None) if zeros else None)
    return incoming


def _fixed(array: Any) -> Any:
    """A view that cannot be written to: other rules may be given the same cotangent."""
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view


# -- several outputs -----------------------------------------------------------------------------


class Output(Bare):
    """The primitive of one of several outputs: it sends its cotangent as a part of the whole."""

    inputs = ("outputs",)

    def __init__(self, number: int) -> None:
        super().__init__("output", f"{{outputs}}[{number}]")
        self.number, self.pulls = number, [self.pull]

    def pull(self, g: Any, at: Any) -> Part:
        """What the application receives."""
        return Part(g, (self.number, at.parents[0].params["ctx"]), assemble)


_output = functools.cache(Output)


def output_place(made: Node, i: int, array: Any) -> Node:
    """The place of output ``i`` of an application: the application's own, if it is the only one."""
    if len(made.params["ctx"]._live) == 1:
        return made
    return node(_output(i), (made,), (), {}, here.mode, array)


class Cotangents:
    """What the outputs of an application received, by number; as an array, all in a row."""

    def __init__(self, by_number: dict[int, Any], ctx: Any) -> None:
        self.gs = [by_number.get(i) for i in ctx._live]
        self._outputs = [ctx._outputs[i] for i in ctx._live]

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        pairs = zip(self.gs, self._outputs, strict=True)
        whole = [np.zeros(*output) if g is None else np.asarray(g) for g, output in pairs]
        return np.concatenate([array.ravel() for array in whole]).astype(dtype, copy=False)


class _Assemble:
    """Puts the `Part`s of an application together; there may be several of one output."""

    def forward(self, *gs: Any, index: list[Any], shape: tuple[int, ...]) -> Cotangents:
        by_number: dict[int, Any] = {}
        for g, (i, _) in zip(gs, index, strict=True):
            by_number[i] = by_number[i] + g if i in by_number else g
        return Cotangents(by_number, index[0][1])

    __call__ = forward


assemble = _Assemble()


# -- the end of differentiability ----------------------------------------------------------------


class End(Bare):
    """The primitive of a result that depends on its operands in a way nobody can differentiate."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(name)
        self.message, self.joint = message, self

    def pull(self, g: Any, at: Any) -> Any:
        """Refuse."""
        raise RuntimeError(self.message)
