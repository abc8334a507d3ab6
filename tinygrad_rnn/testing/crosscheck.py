"""One function, or one module, with both libraries: whether they agree, and if not where not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tinygrad_rnn.autograd.contexts import keep_values
from tinygrad_rnn.testing.divergence import Divergence, operations, search
from tinygrad_rnn.testing.pairs import Pair, Tolerance, paired
from tinygrad_rnn.testing.pytorch import required_torch
from tinygrad_rnn.testing.runs import (
    OURS,
    Named,
    Run,
    array_of,
    aside,
    both,
    expect_function,
    run,
)
from tinygrad_rnn.testing.traces import Parting, parting, traced
from tinygrad_rnn.writing.text import Report


@dataclass(frozen=True, eq=False, repr=False)
class CrossCheck(Report):
    """The result of `crosscheck`; prints as a table under a verdict.

    Attributes
    ----------
    pairs : tuple of Pair
        Every output and gradient by both libraries, as arrays.
    divergences : tuple of Divergence
        If they differ, or with ``own_scale``: the first operation, forward and backward, that
        differs by itself.
    parting : Parting, optional
        If they differ though no operation does: our first result that PyTorch's run does not have.
    verdict : str
        Whether they agree, and where the two part.
    """

    pairs: tuple[Pair, ...]
    divergences: tuple[Divergence, ...]
    parting: Parting | None
    verdict: str

    numeric = (3,)

    @property
    def heading(self) -> str:
        """The lines above the table."""
        return self.verdict

    @property
    def ok(self) -> bool:
        """Whether everything agrees."""
        return all(pair.ok for pair in self.pairs) and not self.divergences

    @property
    def operation(self) -> str | None:
        """The primitive at which the two part first; ``None`` if none differs by itself."""
        return self.divergences[0].operation if self.divergences else None

    def __getitem__(self, what: str) -> Pair:
        for pair in self.pairs:
            if pair.what == what:
                return pair
        raise KeyError(f"nothing called {what!r} was compared; there are: {self._names()}")

    def _names(self) -> str:
        return ", ".join(pair.what for pair in self.pairs)

    def rows(self) -> list[list[str]]:
        """The table's rows of cells, its header first."""
        head = ["", "shape", "type", "largest difference", "agrees"]
        return [head, *(pair.row() for pair in self.pairs)]


def crosscheck(
    fn: Callable[..., Any],
    *inputs: Any,
    modules: Sequence[Any] = (),
    second_order: bool = False,
    rtol: float | None = None,
    atol: float | None = None,
    own_scale: bool = False,
    seed: int = 0,
) -> CrossCheck:
    """Run a function with this package and with PyTorch, and compare all that comes of it.

    Parameters
    ----------
    fn : callable
        ``fn(lib, *inputs, *modules)``, called with ``lib=tinygrad_rnn`` and with ``lib=torch``. It
        returns tensors or other values, at any depth in tuples, lists and dicts.
    *inputs : arrays, Tensors of either library, or nested lists, tuples and dicts of them
        Each library gets tensors of its own. Arrays of floating-point numbers require grad,
        integers and bools do not; of a Tensor its ``requires_grad`` says so. Anything else, such as
        a Python number, is handed on as it is.
    modules : sequence of Modules, or of pairs (ours, PyTorch's)
        A Module made of the package's layers is rebuilt in PyTorch; for a class of one's own give
        both, which then get our weights. Copies are run: the originals do not change.
    second_order : bool
        Compare second derivatives, too.
    rtol, atol : float, optional
        How far entries may lie apart, as `testing.Tolerance` says; by default 1e-9 and 1e-11 for
        float64, 1e-4 and 1e-5 for float32, 2e-2 both for float16.
    own_scale : bool
        Measure each array by its own largest entry, and each recorded operation whatever the
        results are like. Else what is 1e-11 beside numbers of 1 counts as 0, and no mistake is
        seen in a time step of which so little arrives.
    seed : int
        Where draws of random numbers start, with both libraries.

    Returns
    -------
    CrossCheck
        If only one library raises an exception, that is a difference, too.

    Raises
    ------
    ImportError
        If PyTorch is not installed.
    TypeError
        If a module cannot be rebuilt in PyTorch.
    Exception
        What ``fn`` raises with both libraries.

    Notes
    -----
    Outputs that require grad get random cotangents; a loss, a single number, gets 1. If anything
    differs, each recorded operation is computed again by PyTorch from the inputs that it had here,
    and each visit of the walk from the cotangent that it had here. So the operation that is named
    is wrong by itself. If none is, ``fn`` does something else with each library, and our first
    result that PyTorch's run does not have is named instead.

    Examples
    --------
    >>> torch = __import__("pytest").importorskip("torch")
    >>> import numpy as np
    >>> import tinygrad_rnn as tg
    >>> def cell(lib, x, h, w):
    ...     return lib.relu(x + h @ w)
    >>> x, h, w = np.ones((1, 2)), np.zeros((1, 2)), np.eye(2)
    >>> print(tg.testing.crosscheck(cell, x, h, w))
    crosscheck: agrees with PyTorch
                     shape   type     largest difference  agrees
      output         (1, 2)  float64             0.0e+00  yes
      gradient of x  (1, 2)  float64             0.0e+00  yes
      gradient of h  (1, 2)  float64             0.0e+00  yes
      gradient of w  (2, 2)  float64             0.0e+00  yes
    """
    tolerance = Tolerance(rtol, atol, own_scale)
    return Beside("crosscheck", fn, inputs, modules, tolerance, second_order, seed).report()


@dataclass
class Beside:
    """One function with both libraries; ``names``: of the inputs, if not what it calls them."""

    caller: str
    fn: Callable[..., Any]
    inputs: Sequence[Any]
    modules: Sequence[Any]
    tolerance: Tolerance
    second_order: bool
    seed: int
    names: Sequence[str] | None = None

    def __post_init__(self) -> None:
        expect_function(self.fn, self.caller)
        self.torch = required_torch(self.caller)
        self.mine, self.twins = both(self.caller, self.modules)
        with keep_values():
            self.ours = self._run(OURS, self.mine)
        self.theirs = self._run(self.torch, self.twins)
        same_stage = self.ours.stage == self.theirs.stage
        if self.ours.error is not None and self.theirs.error is not None and same_stage:
            raise self.ours.error

    def _run(self, lib: Any, modules: Sequence[Any]) -> Run:
        with lib.enable_grad():
            return self._run_as_it_is(lib, modules)

    def _run_as_it_is(self, lib: Any, modules: Sequence[Any]) -> Run:
        def go() -> Run:
            return run(
                lib, self.fn, self.inputs, modules,
                names=self.names, second_order=self.second_order, seed=self.seed,
            )  # fmt: skip

        result: Run = aside(go)
        return result

    def report(self, more: Sequence[Pair] = ()) -> CrossCheck:
        """Compare the runs; ``more`` has been compared already."""
        pairs = (*_pairs(self.ours, self.theirs, self.tolerance), *more)
        wrong = [pair for pair in pairs if not pair.ok]
        agrees = CrossCheck(pairs, (), None, f"{self.caller}: agrees with PyTorch")
        if not wrong and not self.tolerance.own_scale:
            return agrees
        if self.ours.error is not None or self.theirs.error is not None:
            return CrossCheck(pairs, (), None, f"{self.caller}: {self._who_raises()}")
        found = search(self.torch, self.ours, self.tolerance, self.second_order)
        if not wrong and not found.first:
            return agrees
        differ = f"{len(wrong)} of {len(pairs)} DIFFER from PyTorch"
        hidden = "what comes of it agrees with PyTorch, but an operation DIFFERS on its own scale"
        lines = [f"{self.caller}: {differ if wrong else hidden}"]
        lines += map(str, found.first)
        right, parting = _RIGHT, None
        if found.unchecked:
            lines.append(f"not checked by themselves: {', '.join(found.unchecked)}")
            right = _REST_IS_RIGHT
        if not found.first:
            outputs_agree = all(pair.ok for pair in pairs if pair.what in self.ours.outputs)
            parting = None if outputs_agree else self._parting()
            lines.append(right + (str(parting) if parting else _WALKS if outputs_agree else _REST))
        return CrossCheck(pairs, found.first, parting, "\n".join(lines))

    def _who_raises(self) -> str:
        if self.theirs.error is None:
            return "this package raises an exception, PyTorch does not"
        if self.ours.error is None:
            return "PyTorch raises an exception, this package does not"
        return "both raise an exception, but not at the same stage"

    def _parting(self) -> Parting | None:
        nodes = operations(self.ours.outputs.values())
        there = traced(self.torch, lambda: self._run_as_it_is(self.torch, self.twins))
        return parting(nodes, there, self.tolerance)


_RIGHT = "each recorded operation agrees with PyTorch's on the same inputs. "
_REST_IS_RIGHT = "look there first: each other operation agrees with PyTorch's on the same inputs. "
_WALKS = (
    "So do the outputs: they come about in other ways, or the walks differ in what is between the "
    "operations, such as detached tensors, hooks, or the adding up of contributions"
)
_REST = (
    "PyTorch's run has each of their results, too: the difference is in what is not recorded, such "
    "as integers and what no gradient flows through"
)


def _pairs(ours: Run, theirs: Run, tolerance: Tolerance) -> list[Pair]:
    pairs = []
    if ours.error is not None or theirs.error is not None:
        pairs.append(paired("what is raised", _raised(ours), _raised(theirs), tolerance))
    stages = (("", "outputs"), ("gradient of ", "first"), ("second-order gradient of ", "second"))
    for prefix, stage in stages:
        a, b = getattr(ours, stage), getattr(theirs, stage)
        if a and b:
            pairs += _beside(prefix, a, b, tolerance)
    return pairs


def _beside(prefix: str, ours: Named, theirs: Named, tolerance: Tolerance) -> list[Pair]:
    pairs = []
    for name in dict.fromkeys([*ours, *theirs]):
        a, b = ours.get(name, "nothing"), theirs.get(name, "nothing")
        pair = paired(prefix + name, array_of(a), array_of(b), tolerance)
        wants = [getattr(y, "requires_grad", False) for y in (a, b)]
        if pair.ok and not prefix and wants[0] != wants[1]:
            trouble = f"requires_grad {wants[0]}, PyTorch {wants[1]}"
            pair = Pair(pair.what, pair.ours, pair.theirs, pair.gap, trouble)
        pairs.append(pair)
    return pairs


def _raised(done: Run) -> str:
    if done.error is None:
        return "nothing"
    text = str(done.error).strip().split("\n")[0]
    return f"{type(done.error).__name__} ({done.stage}): {text}"
