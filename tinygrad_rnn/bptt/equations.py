"""The chain rule as a walk applied it: each gradient as the sum of what visits contributed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_rnn.bptt.record import Record, Visit
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.reading.given import is_inline, name_of
from tinygrad_rnn.reading.names import names
from tinygrad_rnn.writing import figures
from tinygrad_rnn.writing.rules import TO_EACH, rule, uses, vjp

Array = np.ndarray[Any, Any]
HEAD, TAIL = 2, 1  # so many stand at the ends of what is folded
SMALL = 8  # arrays of at most so many elements are put into formulas


def folded(things: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any], Sequence[Any]]:
    """A sequence as head, middle and tail; the middle, if any, is too long to be shown.

    Examples
    --------
    >>> folded("abcd"), folded("abcdefg")
    (('abcd', '', ''), ('ab', 'cdef', 'g'))
    """
    if len(things) <= HEAD + TAIL + 1:
        return things, things[:0], things[:0]
    return things[:HEAD], things[HEAD:-TAIL], things[-TAIL:]


@dataclass(frozen=True, eq=False)
class Term:
    """What one visit contributed to a gradient; or, folded, what several did.

    Attributes
    ----------
    visits : tuple of int
        Numbers of visits in the record; none for what the loss began with, or a hook changed.
    steps : tuple of int or None
        The time steps of these visits.
    formula : str
        "∂L/∂p₁ @ wᵀ": the rule in the names of the tensors.
    numbers : str
        The same with numbers for the names; "" if arrays are large or nothing more is said.
    value : ndarray of the receiver's shape
    """

    visits: tuple[int, ...]
    steps: tuple[int | None, ...]
    formula: str
    numbers: str
    value: Array


@dataclass(frozen=True, eq=False)
class Equation:
    """∂L/∂tensor as the sum of what the tensor's consumers sent.

    Attributes
    ----------
    left : str
        "∂L/∂h₁".
    terms : tuple of Term
        In order of time for a parameter, for other tensors in order of the walk.
    value : ndarray of the tensor's shape
        The gradient, as the record has it.
    names : tuple of str
        The names that occur.
    """

    left: str
    terms: tuple[Term, ...]
    value: Array
    names: tuple[str, ...]

    @property
    def shown(self) -> list[Term]:
        """The terms; if they are many, those in the middle as one."""
        head, middle, tail = folded(self.terms)
        shown = [*head, *tail]
        if middle:
            visits = tuple(number for term in middle for number in term.visits)
            steps = tuple(step for term in middle for step in term.steps)
            shown.insert(HEAD, Term(visits, steps, f"… {len(middle)} more", "", _sum(middle)))
        return shown


class Chain:
    """The equations of a recorded walk, made as they are asked for.

    Attributes
    ----------
    loss : str
        What is differentiated.
    names : Names
    consumers : dict
        For each place the visits that sent to it, and as which operand it received.
    """

    def __init__(self, record: Record) -> None:
        self.record = record
        self.names = names(record.places, record.called)
        root, is_number = record.root, math.prod(record.root.shape) == 1
        if not name_of(root):
            self.names[root] = "L" if is_number else "y"
        self.loss = self.called(root) if is_number else "L"
        self.consumers: dict[Node, list[tuple[Visit, int]]] = {}
        for visit in record.visits:
            for operand, parent in enumerate(visit.node.parents):
                if parent.requires_grad:
                    self.consumers.setdefault(parent, []).append((visit, operand))

    def called(self, place: Node, by: Node | None = None) -> str:
        """A place's name, where that of ``by`` is on the left: its layer need not be said."""
        return self.names.atom(place, by)

    def gradient_of(self, place: Node, by: Node | None = None) -> str:
        """The gradient's name: "∂L/∂h₁"."""
        return f"∂{self.loss}/∂{self.called(place, by)}"

    def equation(self, place: Node) -> Equation:
        """The gradient of a place that the walk has reached."""
        value = np.asarray(self.record.gradient(place))
        uses = self.consumers.get(place, [])
        if place.is_leaf:
            uses = sorted(uses, key=lambda use: _time(use[0].step))
        terms = [self._term(visit, operand) for visit, operand in uses]
        terms += self._rest(place, terms, value)
        involved = [place, *(p for visit, _ in uses for p in (visit.node, *visit.node.parents))]
        written = [self.called(p, place) for p in involved if not is_inline(p)]
        known = dict.fromkeys([self.loss, *written])
        return Equation(self.gradient_of(place, place), tuple(terms), value, tuple(known))

    def _term(self, visit: Visit, operand: int) -> Term:
        node, receiver = visit.node, visit.node.parents[operand]
        called = {place: self.called(place, receiver) for place in (node, *node.parents)}
        formula = vjp(node, operand, called, self.gradient_of(node, receiver))
        value = np.asarray(visit.contributions[operand])
        return Term((visit.number,), (visit.step,), formula, self._inserted(visit, operand), value)

    def _inserted(self, visit: Visit, operand: int) -> str:
        """A rule with the numbers of its tensors, where they are few and the rule computes."""
        if rule(visit.node, operand) in ("", "g", TO_EACH):
            return ""
        values = {place: self.record.value(place) for place in uses(visit.node, operand)}
        arrays = [visit.cotangent, *values.values()]
        if any(a is None or np.size(a) > SMALL for a in arrays):
            return ""
        written = {place: array(value) for place, value in values.items()}
        text = vjp(visit.node, operand, written, array(visit.cotangent))
        return "" if "‖" in text else text  # some are so long that only their norm is written

    def _rest(self, place: Node, terms: list[Term], value: Array) -> list[Term]:
        """What the loss began with, or what hooks made of the sum."""
        if place is self.record.root:
            return [Term((), (), "1" if np.all(value == 1) else "as given to record", "", value)]
        total = _sum(terms)
        if np.allclose(total, value, rtol=1e-3, atol=1e-6, equal_nan=True):
            return []
        with np.errstate(invalid="ignore"):
            return [Term((), (), "what a hook changed", "", value - total)]


def _sum(terms: Sequence[Term]) -> Array:
    with np.errstate(all="ignore"):  # ∞ − ∞
        return np.asarray(np.sum([term.value for term in terms], axis=0))


def _time(step: int | None) -> tuple[bool, int]:
    return step is None, step or 0


def array(value: Any) -> str:
    """An array on one line: its numbers, or the shape and norm of a large one."""
    lines = figures.array(value)
    return lines[0] if len(lines) == 1 else f"[{' '.join(lines)}]"


def whole(value: Any) -> list[str]:
    """All of an array as lines, one for each row of its last axis, however large it is.

    Examples
    --------
    >>> whole(np.array([[1.0, -2.0], [30.0, 4.0]]))
    ['[[ 1.000 -2.000]', ' [30.000  4.000]]']
    """
    a = np.asarray(value)
    if a.size == 0 or a.ndim == 0:
        return [array(a)]
    rows = [[figures.number(x) for x in row] for row in a.reshape(-1, a.shape[-1])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [" ".join(x.rjust(n) for x, n in zip(row, widths, strict=True)) for row in rows]
    depth = a.ndim - 1
    for i, line in enumerate(lines):
        ends = [math.prod(a.shape[axis:-1]) for axis in range(depth)]
        before, after = (sum((i + at) % n == 0 for n in ends) for at in (0, 1))
        lines[i] = f"{' ' * (depth - before)}{'[' * before}[{line}]{']' * after}"
    return lines
