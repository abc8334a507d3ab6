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
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.errors import cannot_compute, silently
from tinygrad_rnn.engine.graph import Variable, leaf, node, place
from tinygrad_rnn.engine.lanes import lane
from tinygrad_rnn.engine.memory import apart, requires_grad
from tinygrad_rnn.engine.mode import here
from tinygrad_rnn.engine.sums import FEW_ROWS, Rows

if TYPE_CHECKING:
    from tinygrad_rnn.tensor.tensor import Tensor

Fn = Callable[..., Any]


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
    ``view``: the output shares the input's memory; ``arrange(output, inputs)``: its order there;
    ``traits``: what others than the engine need to know.
    """

    registry: ClassVar[dict[str, Primitive]] = {}

    def __init__(
        self, name: str, forward: Fn, inputs: str, *,
        symbol: str = "", prepare: Fn = tuple, view: bool = False, arrange: Fn | None = None,
        traits: Any = None,
    ) -> None:  # fmt: skip
        self.name, self.forward, self.symbol, self.prepare = name, forward, symbol or name, prepare
        self.inputs, self.view, self.arrange = inputs.split(), view, arrange
        self.traits = traits
        unset: list[Any] = [None] * len(self.inputs)
        self.rules, self.pulls, self.gathers = unset[:], unset[:], unset[:]
        self.joint: Rule | None = None
        self.keeps: dict[Any, tuple[bool, ...]] = {}  # also by the bits, as lanes have them
        self.apply = lane(self)
        Primitive.registry[name] = self

    def vjp(self, name: str, fn: Fn, *, formula: str = "", rows: bool = False) -> None:
        """State the rule of one input: what it receives when the output receives ``g``."""
        i = self.inputs.index(name)
        self.rules[i] = rule = Rule(fn, formula, rows, self.inputs, i)
        self.pulls[i], self.gathers[i] = rule.pull, rule.gather

    def joint_vjp(self, fn: Fn, *, formula: str = "") -> None:
        """State one rule for all inputs: it returns what each of them receives."""
        self.joint = Rule(fn, formula, False, self.inputs)

    def general(self, *inputs: Any, **params: Any) -> Tensor:
        """Apply to tensors, arrays and numbers; record if a gradient is wanted."""
        inputs = self.prepare(inputs)
        arrays = [x.array if isinstance(x, Variable) else x for x in inputs]
        output = self.compute(arrays, params)
        wants = tuple([requires_grad(x) for x in inputs])
        if True not in wants or not here.mode.recording:
            return graph.make_tensor(apart(output) if self.view and True in wants else output, None)
        keep = self.keeps[wants] if wants in self.keeps else self._keep(wants)
        saved = tuple([a if kept else None for a, kept in zip((*arrays, output), keep)])
        parents = tuple([place(x) if isinstance(x, Variable) else leaf(x, False) for x in inputs])
        return graph.make_tensor(output, node(self, parents, saved, params, here.mode, output))

    __call__ = general

    def compute(self, arrays: list[Any], params: dict[str, Any]) -> Any:
        """The forward on arrays, and nothing else."""
        try:
            output = np.asanyarray(silently(self.forward, *arrays, **params))
            return output if self.arrange is None else self.arrange(output, arrays)
        except (ValueError, IndexError, TypeError, OverflowError, MemoryError) as error:
            raise cannot_compute(self.name, error, arrays, params) from error

    def _keep(self, wants: tuple[bool, ...]) -> tuple[bool, ...]:
        """Which inputs, and whether the output, the tape keeps if these want gradients."""
        rules = [self.joint] if self.joint else [r for r, want in zip(self.rules, wants) if want]
        if None in rules:
            raise RuntimeError(f"{self.name}: an input that requires grad has no derivative")
        kept = frozenset().union(*[rule.kept for rule in rules if rule])
        keep = tuple(i in kept for i in range(len(wants) + 1)) if kept else ()
        self.keeps[wants] = self.keeps[sum(want << i for i, want in enumerate(wants))] = keep
        return keep
