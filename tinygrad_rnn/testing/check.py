"""Everything checked at once: what ``tinygrad-rnn check`` runs.

Every primitive, on the table of cases, and every recurrent layer with all its options: against
NumPy, central differences and, where it is installed, PyTorch.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_rnn import nn
from tinygrad_rnn.autograd import grad, gradcheck, gradgradcheck
from tinygrad_rnn.autograd.contexts import no_grad
from tinygrad_rnn.tensor.creation import from_numpy
from tinygrad_rnn.tensor.random import manual_seed
from tinygrad_rnn.testing.asserts import assert_matches_torch
from tinygrad_rnn.testing.cases import CASES, Case
from tinygrad_rnn.testing.cases.table import sequence
from tinygrad_rnn.testing.modules import crosscheck_module
from tinygrad_rnn.testing.pytorch import installed_torch
from tinygrad_rnn.testing.runs import OURS, aside, flat, place
from tinygrad_rnn.utils import progress
from tinygrad_rnn.writing.text import Report

KINDS: dict[str, tuple[str, dict[str, Any]]] = {  # what a row is called, class, options
    "nn.RNN, tanh": ("RNN", {"nonlinearity": "tanh"}),
    "nn.RNN, relu": ("RNN", {"nonlinearity": "relu"}),
    "nn.LSTM": ("LSTM", {}),
    "nn.LSTM, proj_size": ("LSTM", {"proj_size": 2}),
    "nn.GRU": ("GRU", {}),
}
FORMS = ("batched", "unbatched", "packed")
_X, _H, _T, _B = 2, 3, 3, 2  # features, hidden units, time steps, batch
COLUMNS = {
    "forward": "NumPy",
    "gradcheck": "differences",
    "gradgradcheck": "second order",
    "torch": "PyTorch",
}


@dataclass(frozen=True)
class Outcome:
    """What came of all cases of one operation, or of all options of one layer.

    Attributes
    ----------
    name : str
    cases : int
    failures : dict from "forward", "gradcheck", "gradgradcheck", "torch" to tuples of str
        What failed, for each kind of check that was made.
    """

    name: str
    cases: int
    failures: dict[str, tuple[str, ...]]

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not any(self.failures.values())

    def row(self) -> list[str]:
        """Cells of a table."""
        cells = [_verdict(self.failures.get(kind)) for kind in COLUMNS]
        return [self.name, str(self.cases), *cells]


def _verdict(failures: Sequence[str] | None) -> str:
    if failures is None:
        return "–"
    return f"{len(failures)} WRONG" if failures else "ok"


@dataclass(frozen=True, repr=False)
class CheckReport(Report):
    """The result of `check`; prints as a summary table under a verdict."""

    findings: tuple[Outcome, ...]
    verdict: str

    numeric = (1,)

    @property
    def heading(self) -> str:
        """The line above the table."""
        return self.verdict

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return all(finding.ok for finding in self.findings)

    def rows(self) -> list[list[str]]:
        """The table's rows of cells, its header first."""
        return [["", "cases", *COLUMNS.values()], *(finding.row() for finding in self.findings)]

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data, for JSON."""
        return {
            "ok": self.ok,
            "verdict": self.verdict,
            "checked": [
                {"name": f.name, "cases": f.cases, "ok": f.ok, "failures": f.failures}
                for f in self.findings
            ],
        }

    def failures(self) -> list[str]:
        """Every failure, with the name of what failed."""
        return [
            f"{finding.name}, {COLUMNS[kind]}: {text}"
            for finding in self.findings
            for kind, texts in finding.failures.items()
            for text in texts
        ]


def check(
    operations: Sequence[str] | None = None, layers: bool = True, seed: int | None = None
) -> CheckReport:
    """Check operations and recurrent layers against NumPy, central differences and PyTorch.

    Parameters
    ----------
    operations : names of primitives, optional
        All of them by default.
    layers : bool
        Whether to check the recurrent layers: kind × number of layers × directions × bias ×
        batch_first × batched, unbatched and packed input.
    seed : int, optional
        Deal the inputs of each case out anew, and draw others for the layers.

    Raises
    ------
    ValueError
        If there is no such operation, or the seed is negative.

    Examples
    --------
    >>> from tinygrad_rnn.testing.check import check
    >>> check(["tanh", "matmul"], layers=False).ok
    True
    """
    names = list(CASES) if operations is None else list(dict.fromkeys(operations))
    if seed is not None and seed < 0:
        raise ValueError(f"check: the seed must be at least 0, got {seed}")
    if unknown := [name for name in names if name not in CASES]:
        raise ValueError(
            f"check: no operation is called {', '.join(map(repr, unknown))}; there are: "
            f"{', '.join(sorted(CASES))}"
        )
    torch = installed_torch()
    jobs: list[Callable[[], Outcome]] = [_operation_job(name, seed, torch) for name in names]
    jobs += [_layer_job(name, seed or 0, torch) for name in KINDS] if layers else []
    findings = tuple(aside(job) for job in progress(jobs, desc="checking", leave=False))
    wrong = [finding.name for finding in findings if not finding.ok]
    against = f"PyTorch {torch.__version__}" if torch else "no PyTorch, which is not installed"
    verdict = f"WRONG: {', '.join(wrong)}" if wrong else "everything agrees"
    return CheckReport(findings, f"check of {len(findings)} against {against}: {verdict}")


def _failure(check: Callable[..., None], *arguments: Any) -> Iterator[str]:
    """What a check complains of, if it does."""
    try:
        with np.errstate(all="ignore"):
            check(*arguments)
    except Exception as error:
        yield f"{error}" if isinstance(error, AssertionError) else f"{error!r}"


# -- operations --------------------------------------------------------------------------------


def _operation_job(name: str, seed: int | None, torch: Any) -> Callable[[], Outcome]:
    kinds = [kind for kind in COLUMNS if kind != "torch" or torch]

    def job() -> Outcome:
        found = {
            kind: tuple(
                f"{case.name}: {text}"
                for case in CASES[name]
                if kind in case.categories
                for text in _failure(_CHECKS[kind], case, seed)
            )
            for kind in kinds
        }
        return Outcome(name, len(CASES[name]), found)

    return job


def _dealt(case: Case, seed: int | None) -> list[Any]:
    """The inputs of a case; with a seed, their elements in another order."""
    if seed is None:
        return [np.array(a) for a in case.arrays]
    rng = np.random.default_rng(seed)
    return [rng.permutation(a.ravel()).reshape(a.shape) for a in case.arrays]


def _forward(case: Case, seed: int | None) -> None:
    arrays = _dealt(case, seed)
    outputs = sequence(case.fn(OURS, *[from_numpy(a) for a in arrays]))
    expected = sequence(case.ref(*arrays))
    for y, e in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(y.numpy(), e, rtol=1e-12, atol=1e-14)


def _differentiable(case: Case, seed: int | None) -> list[Any]:
    return [from_numpy(a).requires_grad_() for a in _dealt(case, seed)]


def _first_order(case: Case, seed: int | None) -> None:
    gradcheck(lambda *xs: case.fn(OURS, *xs), _differentiable(case, seed), eps=case.eps)


def _second_order(case: Case, seed: int | None) -> None:
    gradgradcheck(lambda *xs: case.fn(OURS, *xs), _differentiable(case, seed), eps=case.eps)


def _beside_torch(case: Case, seed: int | None) -> None:
    arrays = _dealt(case, seed)
    assert_matches_torch(case.fn, *arrays, second_order=True)
    assert_matches_torch(case.fn, *[a.astype(np.float32) for a in arrays])


_CHECKS: dict[str, Callable[[Case, int | None], None]] = {
    "forward": _forward,
    "gradcheck": _first_order,
    "gradgradcheck": _second_order,
    "torch": _beside_torch,
}


# -- recurrent layers --------------------------------------------------------------------------


def _layer_job(name: str, seed: int, torch: Any) -> Callable[[], Outcome]:
    kind, extra = KINDS[name]

    def job() -> Outcome:
        manual_seed(seed)
        rng = np.random.default_rng(seed)
        found: dict[str, list[str]] = {"gradcheck": [], **({"torch": []} if torch else {})}
        grid = list(options())
        for form, given in grid:
            layer = getattr(nn, kind)(_X, _H, **given, **extra, dtype="float64")
            inputs = _inputs(layer, form, rng)
            label = ", ".join([form, *(f"{k}={v}" for k, v in given.items())])
            for which, check in _LAYER_CHECKS.items():
                if which in found:
                    found[which] += [f"{label}: {text}" for text in _failure(check, layer, inputs)]
        return Outcome(name, len(grid), {k: tuple(texts) for k, texts in found.items()})

    return job


def options() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every combination of a form of input and the options that all recurrent layers have."""
    flags = (False, True)
    for form, layers, both, bias, first in itertools.product(FORMS, (1, 2), flags, flags, flags):
        yield (
            form,
            {"num_layers": layers, "bidirectional": both, "bias": bias, "batch_first": first,
             "dropout": 0.0},
        )  # fmt: skip


def _inputs(layer: Any, form: str, rng: np.random.Generator) -> list[Any]:
    """An input in a form; batches start from a state that is given, others from zeros."""
    first = layer.batch_first
    x = rng.standard_normal((_B, _T, _X) if first else (_T, _B, _X))
    if form == "unbatched":
        return [x[0] if first else x[:, 0]]
    if form == "packed":
        padded = from_numpy(x).requires_grad_()
        return [nn.utils.rnn.pack_padded_sequence(padded, [_T - 1, _T], first, False)]
    count = layer.num_layers * (2 if layer.bidirectional else 1)
    h = rng.uniform(-1, 1, (count, _B, layer.proj_size or _H))
    return [x, (h, rng.uniform(-1, 1, (count, _B, _H))) if layer.mode == "LSTM" else h]


def _slopes(layer: Any, inputs: list[Any], eps: float = 1e-6) -> None:
    """The slope along one direction, in which inputs, states and weights all change together."""
    rng, leaves = np.random.default_rng(0), dict[str, Any]()
    xs = [place(OURS, x, str(i), leaves) for i, x in enumerate(inputs)]
    variables = [*leaves.values(), *layer.parameters()]

    def total() -> Any:
        ends = [y for _, y in flat(layer(*xs), "") if y is not None and y.dtype == np.float64]
        return sum((y * (1 + 0.1 * i)).sum() for i, y in enumerate(ends, 1))

    directions = [rng.uniform(0.5, 1.5, x.shape) for x in variables]
    gs = grad(total(), variables, materialize_grads=True)
    slope = sum(float(np.sum(g.array * v)) for g, v in zip(gs, directions, strict=True))
    ends = []
    with no_grad():
        for step in (eps, -2 * eps):
            for x, v in zip(variables, directions, strict=True):
                x += from_numpy(step * v)
            ends.append(total().item())
        for x, v in zip(variables, directions, strict=True):
            x += from_numpy(eps * v)
    expected = (ends[0] - ends[1]) / (2 * eps)
    if not np.isclose(slope, expected, rtol=1e-6, atol=1e-6):
        raise AssertionError(
            f"the slope along one direction is {slope:.10g} by the backward walk and "
            f"{expected:.10g} by central differences"
        )


def _module_beside_torch(layer: Any, inputs: list[Any]) -> None:
    found = crosscheck_module(layer, *inputs)
    if not found.ok:
        raise AssertionError(str(found))


_LAYER_CHECKS: dict[str, Callable[[Any, list[Any]], None]] = {
    "gradcheck": _slopes,
    "torch": _module_beside_torch,
}
