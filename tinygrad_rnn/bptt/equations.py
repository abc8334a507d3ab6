"""The chain rule as a walk applied it: each gradient as the sum of what visits contributed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_rnn.bptt.record import Record, Visit
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.writing import figures
from tinygrad_rnn.writing.names import is_inline, names
from tinygrad_rnn.writing.rules import vjp

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
    names : dict
        What every place is called; the loss, if it has no name, L.
    loss : str
        What is differentiated.
    consumers : dict
        For each place the visits that sent to it, and as which operand it received.
    """

    def __init__(self, record: Record) -> None:
        self.record = record
        self.names = names(record.places)
        root = record.root
        if root.notes is None or not root.notes.name:
            self.names[root] = "L" if math.prod(root.shape) == 1 else "y"
        self.loss = self.names[root] if math.prod(root.shape) == 1 else "L"
        self.consumers: dict[Node, list[tuple[Visit, int]]] = {}
        for visit in record.visits:
            for operand, parent in enumerate(visit.node.parents):
                if parent.requires_grad:
                    self.consumers.setdefault(parent, []).append((visit, operand))

    def gradient_of(self, place: Node) -> str:
        """The gradient's name: "∂L/∂h₁"."""
        return f"∂{self.loss}/∂{self.names[place]}"

    def equation(self, place: Node) -> Equation:
        """The gradient of a place that the walk has reached."""
        value = np.asarray(self.record.gradient(place))
        uses = self.consumers.get(place, [])
        if place.is_leaf:
            uses = sorted(uses, key=lambda use: _time(use[0].step))
        terms = [self._term(visit, operand) for visit, operand in uses]
        terms += self._rest(place, terms, value)
        involved = [place, *(p for visit, _ in uses for p in (visit.node, *visit.node.parents))]
        called = dict.fromkeys([self.loss, *(self.names[p] for p in involved if not is_inline(p))])
        return Equation(self.gradient_of(place), tuple(terms), value, tuple(called))

    def _term(self, visit: Visit, operand: int) -> Term:
        node, value = visit.node, np.asarray(visit.contributions[operand])
        formula = vjp(node, operand, self.names, self.gradient_of(node))
        inserted = self._inserted(visit, operand)
        if inserted == array(value):
            inserted = ""
        return Term((visit.number,), (visit.step,), formula, inserted, value)

    def _inserted(self, visit: Visit, operand: int) -> str:
        """A rule with the numbers of its tensors, where they are few."""
        places = dict.fromkeys([visit.node, *visit.node.parents])
        if any(math.prod(place.shape) > SMALL for place in places):
            return ""
        values = {place: self.record.value(place) for place in places}
        if any(value is None for value in values.values()):
            return ""
        written = {place: array(value) for place, value in values.items()}
        return vjp(visit.node, operand, written, array(visit.cotangent))

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
