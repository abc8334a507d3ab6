"""A primitive: a forward on arrays, and beside it one VJP rule per differentiable input.

A rule is ordinary NumPy arithmetic.  Fed arrays it computes numbers; fed tensors it records a
graph, which is how derivatives of any order come about::

    mul = Primitive("mul", np.multiply, "a b", symbol="*")
    mul.vjp("a", lambda g, b: g * b, formula="g ⊙ b")

A rule's arguments say what the tape keeps for it: ``g`` is the cotangent of the output, ``y`` the
output, an input's name its array; ``a_shape`` (``shapes``: of all) and parameters keep nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from tinygrad_rnn.contributions import FEW_ROWS, Rows
from tinygrad_rnn.engine.graph import Variable, leaf, node, place
from tinygrad_rnn.errors import cannot_compute
from tinygrad_rnn.modes import here
from tinygrad_rnn.versions import apart, current, histories, requires_grad

Fn = Callable[..., Any]
NO_PARAMS: dict[str, Any] = {}
make_tensor: Any = None  # (array, node) -> the tensor users get: tinygrad_rnn.tensor sets it


class Rule:
    """The VJP of one input: ``pull(g, node)`` is what it receives from ``node``.

    ``rows``: it sums over rows, as a weight's gᵀx does, so ``gather`` may let them wait for more.
    """

    def __init__(self, fn: Fn, formula: str, rows: bool, inputs: list[str], index: int = 0) -> None:
        pool, names = [*inputs, "y"], list(inspect.signature(fn).parameters)[1:]
        self.fn, self.formula, self.index = fn, formula, index
        self.kept = frozenset(pool.index(name) for name in names if name in pool)
        self.fetchers = fetchers = [_fetcher(name, pool) for name in names]
        self.pull: Fn = lambda g, at: fn(g, *[fetch(at) for fetch in fetchers])
        if not names:  # the commonest cases, in less time
            self.pull = lambda g, at: fn(g)
        elif len(names) == len(self.kept) == 1:
            (i,) = self.kept
            self.pull = lambda g, at: fn(g, at.saved[i])
        self.gather = self._gather if rows else self.pull

    def _gather(self, g: Any, node: Any) -> Any:
        if g.ndim < 2 or len(g) > FEW_ROWS or len(node.parents[self.index].shape) != 2:
            return self.pull(g, node)
        return Rows(self.fn, g, [fetch(node) for fetch in self.fetchers])


def _fetcher(name: str, pool: list[str]) -> Fn:
    """A function of a node that finds a rule's argument there."""
    stem = name.removesuffix("_shape")
    if name == "shapes":
        return lambda node: [parent.shape for parent in node.parents]
    if stem not in pool:
        return lambda node: node.params[name]
    index = pool.index(stem)
    return lambda node: node.saved[index] if name == stem else node.parents[index].shape


class Primitive:
    """A forward on the arrays of ``inputs`` (``"*xs"``: any number) and keyword parameters, with
    its derivative rules.  ``symbol``: what pictures write; ``prepare`` makes the inputs fit;
    ``view``: the output shares the input's memory; ``arrange(output, inputs)``: its order there.
    """

    registry: ClassVar[dict[str, Primitive]] = {}

    def __init__(
        self, name: str, forward: Fn, inputs: str, *,
        symbol: str = "", prepare: Fn = tuple, view: bool = False, arrange: Fn | None = None,
    ) -> None:  # fmt: skip
        self.name, self.forward, self.symbol, self.prepare = name, forward, symbol or name, prepare
        self.inputs, self.view, self.arrange = inputs.split(), view, arrange
        unset: list[Any] = [None] * len(self.inputs)
        self.rules, self.pulls, self.gathers = unset[:], unset[:], unset[:]
        self.joint: Rule | None = None
        self._keeps: dict[Any, tuple[bool, ...]] = {}  # also by the bits, for the lanes
        self.apply = _lane(self)
        Primitive.registry[name] = self

    def vjp(self, name: str, fn: Fn, *, formula: str = "", rows: bool = False) -> None:
        """State the rule of one input: what it receives when the output receives ``g``."""
        i = self.inputs.index(name)
        self.rules[i] = rule = Rule(fn, formula, rows, self.inputs, i)
        self.pulls[i], self.gathers[i] = rule.pull, rule.gather

    def joint_vjp(self, fn: Fn, *, formula: str = "") -> None:
        """State one rule for all inputs: it returns what each of them receives."""
        self.joint = Rule(fn, formula, False, self.inputs)

    def general(self, *inputs: Any, **params: Any) -> Any:
        """Apply to tensors, arrays and numbers; record if a gradient is wanted."""
        inputs = self.prepare(inputs)
        arrays = [x.array if isinstance(x, Variable) else x for x in inputs]
        try:
            with np.errstate(all="ignore"):  # ∞ − ∞ is NaN without a word, as in PyTorch
                output = np.asarray(self.forward(*arrays, **params))
            if self.arrange is not None:
                output = self.arrange(output, arrays)
        except (ValueError, IndexError, TypeError, OverflowError, MemoryError) as error:
            raise cannot_compute(self.name, error, arrays, params) from error
        wants = tuple([requires_grad(x) for x in inputs])
        if True not in wants or not here.mode.recording:
            return make_tensor(apart(output) if self.view and True in wants else output, None)
        keep = self._keeps[wants] if wants in self._keeps else self._keep(wants)
        saved = tuple([a if kept else None for a, kept in zip((*arrays, output), keep)])
        parents = tuple([place(x) if isinstance(x, Variable) else leaf(x, False) for x in inputs])
        shown = output.copy() if self.view and output.size <= here.mode.keep else output
        return make_tensor(output, node(self, parents, saved, params, here.mode, shown))

    __call__ = general

    def _keep(self, wants: tuple[bool, ...]) -> tuple[bool, ...]:
        """Which inputs, and whether the output, the tape keeps if these want gradients."""
        rules = [self.joint] if self.joint else [r for r, want in zip(self.rules, wants) if want]
        if None in rules:
            raise RuntimeError(f"{self.name}: an input that requires grad has no derivative")
        kept = frozenset().union(*[rule.kept for rule in rules if rule])
        keep = tuple(i in kept for i in range(len(wants) + 1)) if kept else ()
        self._keeps[wants] = self._keeps[sum(want << i for i, want in enumerate(wants))] = keep
        return keep


def _lane(self: Primitive) -> Fn:
    """`general` in half its time, for one or two tensors of one dtype if a gradient is wanted."""
    forward, keeps, general, ndarray = self.forward, self._keeps, self.general, np.ndarray
    view, arrange = self.view, self.arrange

    def unary(x: Any, **params: Any) -> Any:
        mode = here.mode
        try:
            if histories and mode.recording:
                current(x)
            a, p = x.array, x.node
            k = keeps[p.requires_grad]
            output = (forward(a, **params) if params else forward(a)) if mode.recording else None
        except Exception:  # not a tensor, no gradient wanted, first use, or an error to explain
            output = None
        if output is None:
            return general(x, **params)
        output = output if type(output) is ndarray else np.asarray(output)
        saved = (a if k[0] else None, output if k[1] else None) if k else ()
        shown = output.copy() if view and output.size <= mode.keep else output
        return make_tensor(output, node(self, (p,), saved, params or NO_PARAMS, mode, shown))

    def binary(x: Any, y: Any) -> Any:
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
        output = output if type(output) is ndarray else np.asarray(output)
        saved = (a if k[0] else None, b if k[1] else None, output if k[2] else None) if k else ()
        return make_tensor(output, node(self, (p, q), saved, NO_PARAMS, mode, output))

    if self.inputs[0].startswith("*") or len(self.inputs) > 2:
        return general
    return unary if len(self.inputs) == 1 else binary
