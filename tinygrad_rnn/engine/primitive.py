"""A primitive: a forward on arrays, and beside it one VJP rule per differentiable input.

A rule is ordinary NumPy arithmetic.  Fed arrays it computes numbers; fed tensors it records a
graph, which is how derivatives of any order come about::

    mul = Primitive("mul", np.multiply, "a b", symbol="*")
    mul.vjp("a", lambda g, b: g * b, formula="g ⊙ b")
    mul.vjp("b", lambda g, a: g * a, formula="g ⊙ a")

A rule's arguments say what the tape keeps, if that input needs a gradient: ``g`` is the
cotangent of the output (∂L/∂output), ``y`` the output, another input's name its array;
``a_shape`` (or ``shapes``, of all) keeps nothing, nor does the name of a forward parameter.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tinygrad_rnn.engine.graph import Leaf, Node, Variable, here, place

Pull = Callable[[Any, Any], Any]
NO_PARAMS: dict[str, Any] = {}
_result: Callable[[Any, Any], Any]


def results_are(make: Callable[[Any, Any], Any]) -> None:
    """Let ``make(array, node)`` turn a forward's output into the tensor that users get."""
    global _result
    _result = make


def result(array: Any, node: Any) -> Any:
    """A tensor with this array at this place in the graph."""
    return _result(array, node)


class Rule:
    """The VJP of one input: ``pull(g, node)`` is what that input receives from ``node``.

    ``rows`` marks the rule of a weight, such as gᵀx, that sums over the leading axis of its
    arguments: fed the rows of many time steps at once it gives the sum of what it gives for
    each, so ``gather(g, node)`` may hold them back until enough have come together.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        formula: str,
        rows: bool,
        inputs: Sequence[str],
        index: int = 0,
    ) -> None:
        pool, names = [*inputs, "y"], list(inspect.signature(fn).parameters)[1:]
        fetchers = [_fetcher(name, pool) for name in names]
        self.fn, self.formula, self.fetchers, self.index = fn, formula, fetchers, index
        self.kept = frozenset(pool.index(name) for name in names if name in pool)
        self.pull: Pull = lambda g, node: fn(g, *[fetch(node) for fetch in fetchers])
        if not names:  # the common cases, in less time
            self.pull = lambda g, node: fn(g)
        elif len(names) == 1 and self.kept:
            (i,) = self.kept
            self.pull = lambda g, node: fn(g, node.saved[i])
        elif len(names) == 1:
            (fetch,) = fetchers
            self.pull = lambda g, node: fn(g, fetch(node))
        self.gather = self._gather if rows else self.pull

    def _gather(self, g: Any, node: Any) -> Any:
        if g.ndim < 2 or len(node.parents[self.index].shape) != 2:
            return self.pull(g, node)
        return Rows(self, g, [fetch(node) for fetch in self.fetchers])


def _fetcher(name: str, pool: list[str]) -> Callable[[Any], Any]:
    """A function of a node that finds a rule's argument there."""
    if name in pool:
        index = pool.index(name)
        return lambda node: node.saved[index]
    if name == "shapes":
        return lambda node: [parent.shape for parent in node.parents]
    if name.removesuffix("_shape") in pool:
        index = pool.index(name.removesuffix("_shape"))
        return lambda node: node.parents[index].shape
    return lambda node: node.params[name]


@dataclass(slots=True, eq=False)
class Rows:
    """A contribution that waits to be summed, over its rows, with those of other steps."""

    rule: Rule
    g: Any
    arguments: list[Any]
    shape: ClassVar[None] = None  # unlike any parent's: the walk sets it aside


@dataclass(slots=True, eq=False)
class Part:
    """A cotangent that fills ``index`` of its parent and is zero elsewhere.

    Slices of one tensor, such as x[t] in a time loop, are put together by ``assemble`` once,
    when the parent is visited: the cost of a loop stays linear in its length.
    """

    g: Any
    index: Any
    assemble: Primitive
    shape: ClassVar[None] = None


class Primitive:
    """A forward with its derivative rules, and the symbol that pictures write for it.

    ``forward`` takes the arrays of ``inputs`` (names separated by blanks; ``"*xs"``: any number)
    and keyword parameters.  ``prepare`` makes the inputs fit each other (type promotion).
    """

    registry: ClassVar[dict[str, Primitive]] = {}

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        inputs: str,
        *,
        symbol: str = "",
        prepare: Callable[[Sequence[Any]], Sequence[Any]] = lambda inputs: inputs,
    ) -> None:
        self.name, self.forward, self.symbol = name, forward, symbol or name
        self.inputs, self.prepare = inputs.split(), prepare
        self.rules: list[Rule | None] = [None] * len(self.inputs)
        self.pulls: list[Any] = [None] * len(self.inputs)
        self.gathers: list[Any] = [None] * len(self.inputs)
        self.joint: Rule | None = None
        self._keeps: dict[int, tuple[bool, ...]] = {}
        self.apply = _lane(self)
        Primitive.registry[name] = self

    def vjp(
        self, name: str, fn: Callable[..., Any], *, formula: str = "", rows: bool = False
    ) -> None:
        """State the rule of one input: what it receives when the output receives ``g``."""
        index = self.inputs.index(name)
        self.rules[index] = rule = Rule(fn, formula, rows, self.inputs, index)
        self.pulls[index], self.gathers[index] = rule.pull, rule.gather

    def joint_vjp(self, fn: Callable[..., Sequence[Any]], *, formula: str = "") -> None:
        """State one rule for all inputs: it returns what each of them receives."""
        self.joint = Rule(fn, formula, False, self.inputs)

    def general(self, *inputs: Any, **params: Any) -> Any:
        """Apply to tensors, arrays and numbers; record if a gradient is wanted."""
        inputs = tuple(self.prepare(inputs))
        arrays = [x.array if isinstance(x, Variable) else x for x in inputs]
        try:
            output = np.asarray(self.forward(*arrays, **params))
        except (ValueError, IndexError, TypeError) as error:
            raise self._explained(error, arrays, params) from error
        mode, needs = here.mode, 0
        for i, x in enumerate(inputs):
            if isinstance(x, Variable) and x.node is not None and x.node.requires_grad:
                needs |= 1 << i
        if not needs or not mode.recording:
            return _result(output, None)
        keep = self._keep(needs, len(inputs) + 1)
        saved = [a if kept else None for a, kept in zip((*arrays, output), keep, strict=True)]
        parents = [place(x) if isinstance(x, Variable) else Leaf(x, False) for x in inputs]
        return _result(output, Node(self, tuple(parents), tuple(saved), params, mode, output))

    __call__ = general

    def _keep(self, needs: int, size: int) -> tuple[bool, ...]:
        """Whether the tape keeps each input, and the output, if the inputs in the bit set
        ``needs`` need gradients."""
        if needs not in self._keeps:
            rules = [rule for i, rule in enumerate(self.rules) if needs >> i & 1]
            if self.joint is not None:
                rules = [self.joint]
            if None in rules:
                raise RuntimeError(f"{self.name}: an input that requires grad has no derivative")
            kept = frozenset().union(*[rule.kept for rule in rules if rule])
            self._keeps[needs] = tuple(i in kept for i in range(size))
        return self._keeps[needs]

    def _explained(self, error: Exception, arrays: list[Any], params: dict[str, Any]) -> Exception:
        shapes = " and ".join(str(np.shape(a)) for a in arrays)
        extra = "".join(f", {key}={value!r}" for key, value in params.items())
        kind = RuntimeError if isinstance(error, ValueError) else type(error)
        return kind(f"{self.name}: cannot work on shape {shapes}{extra}: {error}")


def _lane(self: Primitive) -> Callable[..., Any]:
    """`general` for the plain case (one or two tensors of one dtype, a gradient is wanted) in
    half its time; anything else, and any error, goes to `general`, which explains."""
    forward, keeps, general = self.forward, self._keeps, self.general
    ndarray, asarray = np.ndarray, np.asarray

    def unary(x: Any, **params: Any) -> Any:
        mode = here.mode
        try:
            a, p = x.array, x.node
            keep_x, keep_y = keeps[p.requires_grad]
            output = (forward(a, **params) if params else forward(a)) if mode.recording else None
        except Exception:  # not a tensor, no gradient wanted, first use, or an error
            output = None
        if output is None:
            return general(x, **params)
        if type(output) is not ndarray:
            output = asarray(output)
        saved = (a if keep_x else None, output if keep_y else None)
        return _result(output, Node(self, (p,), saved, params, mode, output))

    def binary(x: Any, y: Any) -> Any:
        mode = here.mode
        try:
            a, b, p, q = x.array, y.array, x.node or place(x), y.node or place(y)
            keep_a, keep_b, keep_y = keeps[p.requires_grad + 2 * q.requires_grad]
            output = forward(a, b) if a.dtype is b.dtype and mode.recording else None
        except Exception:
            output = None
        if output is None:
            return general(x, y)
        if type(output) is not ndarray:
            output = asarray(output)
        saved = (a if keep_a else None, b if keep_b else None, output if keep_y else None)
        return _result(output, Node(self, (p, q), saved, NO_PARAMS, mode, output))

    if self.inputs[0].startswith("*") or len(self.inputs) > 2:
        return general
    return unary if len(self.inputs) == 1 else binary
