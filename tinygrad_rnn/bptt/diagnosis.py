"""What ails a recurrent net, from the record of one backward walk."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterable, Iterator
from itertools import zip_longest

from tinygrad_rnn.bptt.illnesses.axes import mixed_up_axes
from tinygrad_rnn.bptt.illnesses.blocks import blocked_states
from tinygrad_rnn.bptt.illnesses.copies import values_that_come_again
from tinygrad_rnn.bptt.illnesses.cuts import cut_states, never_carried
from tinygrad_rnn.bptt.illnesses.finding import SEVERITIES, Finding
from tinygrad_rnn.bptt.illnesses.leftovers import leftover_gradients
from tinygrad_rnn.bptt.illnesses.losses import misfed_losses
from tinygrad_rnn.bptt.illnesses.numbers import not_finite
from tinygrad_rnn.bptt.illnesses.paths import unused_parameters
from tinygrad_rnn.bptt.illnesses.rates import vanishing_or_exploding
from tinygrad_rnn.bptt.illnesses.symmetry import identical_units
from tinygrad_rnn.bptt.illnesses.units import dead_relus, saturated_gates
from tinygrad_rnn.bptt.illnesses.zeros import zero_gradients
from tinygrad_rnn.bptt.record import Record, expect_record
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.reading.given import role_of
from tinygrad_rnn.reading.names import names
from tinygrad_rnn.reading.roles import parameters
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.writing.text import Report, clean, table

_WIDTHS = (8, 18, 24, 44, 40)  # of the columns
_LONGEST_CELL = 1000  # characters


def diagnose(record: Record, module: Module | Iterable[Tensor] | None = None) -> Diagnosis:
    """Look for what hinders learning: what, where, and what to do.

    Found are dead ReLUs, saturated gates, gradients that vanish or explode, the origin of NaN and
    infinity; states that are detached, set back or multiplied by 0; losses that do not get what
    they expect, and a softmax over samples; batch and time mixed up; units that are the same;
    gradients left over from an earlier walk; gradients that are exactly zero and why, and unused
    parameters.

    Parameters
    ----------
    record : Record
        Of `bptt.record`.
    module : Module or iterable of Tensor, optional
        The net, or its parameters: to find those that the loss does not depend on.

    Returns
    -------
    Diagnosis
        Prints as a table; a sequence of findings, empty if nothing was found.

    Raises
    ------
    TypeError
        If these are not a record, and a module or tensors.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> net = tg.nn.GRU(3, 8)
    >>> output, _ = net(tg.randn(10, 4, 3))
    >>> print(tg.bptt.diagnose(tg.bptt.record((output * output).mean()), net))
    Diagnosis of a walk of 183 visits: nothing found
    """
    expect_record(record, "diagnose")
    given = _parameters(module)
    called: dict[Node, str] = names(record.places, record.called)
    called |= {p.node: name for name, p in given if p.node is not None}
    learned = _learned(record, given)
    leaves = [(called[p], p) for p in record.places if p in learned]
    found = [
        *not_finite(record),
        *dead_relus(record),
        *saturated_gates(record),
        *vanishing_or_exploding(record),
        *(cut := [*cut_states(record)]),
        *(() if cut else [*values_that_come_again(record), *never_carried(record)]),
        *blocked_states(record),
        *mixed_up_axes(record),
        *misfed_losses(record),
        *identical_units(record, leaves),
        *leftover_gradients(record, leaves),
        *unused_parameters(record, given),
        *zero_gradients(record, leaves),
    ]
    found.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return Diagnosis(tuple(found), len(record))


def _learned(record: Record, given: list[tuple[str, Tensor]]) -> set[Node]:
    """The parameters of a graph: those that were given and those of modules, if any were given."""
    learned, known = parameters(record.places, record.root), {p.node for _, p in given}
    return {p for p in learned if not given or p in known or role_of(p) == "parameter"}


def _parameters(module: Module | Iterable[Tensor] | None) -> list[tuple[str, Tensor]]:
    """Parameters by name, whatever was given."""
    if module is None:
        return []
    if isinstance(module, Module):
        return list(module.named_parameters())
    if isinstance(module, Tensor) or not isinstance(module, Iterable):
        found = type(module).__name__
        raise TypeError(f"diagnose: expected a Module or a list of parameters, got {found}")
    named = []
    for i, p in enumerate(module):
        if not isinstance(p, Tensor):
            raise TypeError(f"diagnose: parameter {i} is no Tensor but {type(p).__name__}")
        named.append((p.name or f"parameter {i}", p))
    return named


class Diagnosis(Report):
    """What `diagnose` found: a sequence of findings, the worst first.

    Attributes
    ----------
    findings : tuple of Finding
    """

    def __init__(self, findings: tuple[Finding, ...], visits: int) -> None:
        self.findings, self._visits = findings, visits

    @property
    def heading(self) -> str:
        """The line above the table."""
        count = len(self.findings)
        found = f"{count} finding{'s' * (count != 1)}" if count else "nothing found"
        return f"Diagnosis of a walk of {self._visits} visits: {found}"

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __getitem__(self, index: int) -> Finding:
        return self.findings[index]

    def rows(self) -> list[list[str]]:
        """The table's rows: severity, kind, place, what was seen and what to do."""
        head = ["", "finding", "where", "what was seen", "what to do"]
        found = ((f.severity, f.kind, f.where, f.what, f.advice) for f in self.findings)
        return [head, *([clean(cell, _LONGEST_CELL) for cell in row] for row in found)]

    def __str__(self) -> str:
        if not self.findings:
            return self.heading
        lines = []
        for row in self.rows():
            cells = [textwrap.wrap(cell, w) for cell, w in zip(row, _WIDTHS, strict=True)]
            lines += [list(line) for line in zip_longest(*cells, fillvalue="")]
        return f"{self.heading}\n{table(lines)}"

    def _repr_html_(self) -> str:
        if not self.findings:
            return f"<p>{html.escape(self.heading)}</p>"
        return super()._repr_html_()
