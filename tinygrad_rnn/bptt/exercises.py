"""What an exercise asks: which numbers of a walk are hidden, what rule leads to each, the answers.

On paper and in a spreadsheet the same is asked: this is what both are made of.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tinygrad_rnn.bptt.equations import Chain
from tinygrad_rnn.bptt.pleasant import DECIMALS, dealt
from tinygrad_rnn.bptt.record import Record, expect_record
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.reading.given import is_inline
from tinygrad_rnn.reading.names import expression, stem
from tinygrad_rnn.writing.figures import count
from tinygrad_rnn.writing.formulas import opened
from tinygrad_rnn.writing.text import Report, clean

Array = np.ndarray[Any, Any]
Hide = str | int | Iterable[str | int]

KINDS = ("values", "gradients")
MOST = 400  # numbers that an exercise may ask for
TOLERANCE = 0.02
_LISTED = 30  # names
SMALL = 0.05  # what is smaller need not be relatively right, but to a tenth of a percent


@dataclass(frozen=True, eq=False)
class Task:
    """One tensor that is asked for: its value, or its gradient.

    Attributes
    ----------
    number : int
        From 1.
    place : Node
    kind : {"values", "gradients"}
    name : str
        "h₁" or "∂L/∂h₁".
    hint : str
        The rule that leads to it, and its name.
    answer : ndarray
    """

    number: int
    place: Node
    kind: str
    name: str
    hint: str
    answer: Array

    @property
    def points(self) -> int:
        """One for each number."""
        return int(self.answer.size)


class Exercise(Report):
    """The tasks of a worksheet; it prints as a table of them, with their hints.

    Attributes
    ----------
    record : Record
        With the numbers of the exercise.
    tasks : tuple of Task
        In the order in which one computes them: forward, and then back.
    tolerance : float
        How far off, relatively, an answer may be: see `is_right`.
    hide, seed, nice
        As it was asked for.
    """

    def __init__(
        self,
        record: Record,
        tasks: Sequence[Task],
        hide: Hide,
        *,
        seed: int | None,
        nice: bool,
        tolerance: float,
    ) -> None:
        self.record, self.tasks, self.hide = record, tuple(tasks), _wanted(hide)
        self.seed, self.nice, self.tolerance = seed, nice, tolerance

    @cached_property
    def _chain(self) -> Chain:
        return Chain(self.record)

    def called(self, place: Node) -> str:
        """A tensor's name."""
        return opened(self._chain.called(place))

    def gradient_of(self, place: Node) -> str:
        """The name of its gradient."""
        return self._chain.gradient_of(place)

    @property
    def points(self) -> int:
        """One for each number that is asked for."""
        return sum(task.points for task in self.tasks)

    @property
    def heading(self) -> str:
        """How many tasks, and points, there are."""
        dealt = "" if self.seed is None else f", numbers of seed {self.seed}"
        return f"{count(len(self.tasks), 'task')}, {count(self.points, 'point')}{dealt}"

    numeric = (0, 3)

    def rows(self) -> list[list[str]]:
        """A row for each task."""
        tasks = [[str(t.number), t.name, t.hint, str(t.points)] for t in self.tasks]
        return [["task", "asked for", "hint", "points"], *tasks]

    def task_of(self, place: Node, kind: str) -> Task | None:
        """The task that asks for the value, or the gradient, of a place, if one does."""
        found = (task for task in self.tasks if task.place is place and task.kind == kind)
        return next(found, None)


def allowance(answer: float, tolerance: float) -> float:
    """How far from an answer a number may lie to be right.

    Examples
    --------
    >>> [round(allowance(answer, 0.02), 4) for answer in (-2.0, 0.1, 0.0)]
    [0.04, 0.002, 0.001]
    """
    return tolerance * max(abs(answer), SMALL)


def exercise(
    record: Record,
    hide: Hide = "gradients",
    *,
    seed: int | None = None,
    nice: bool = False,
    tolerance: float = TOLERANCE,
) -> Exercise:
    """What to hide of a walk, and what to ask.

    Parameters
    ----------
    record : Record
    hide : str, int, or several of them
        "gradients" or "values": of all tensors; a name, as in pictures ("h₁", or "h" for those of
        all steps); a time step. Of several, kinds and places go together: ``("gradients", 2)``
        hides the gradients of step 2, and ``("h", "y")`` values and gradients of both.
    seed : int, optional
        Deals out other numbers: each seed makes another exercise of the same net.
    nice : bool
        With numbers of one decimal, such that hand arithmetic stays pleasant (of seed 0, if none
        is given); without it, dealt-out numbers have three decimals.
    tolerance : float
        How far from the answer a number may be and be right: a part of the answer; of answers
        below 0.05 that part of 0.05.

    Returns
    -------
    Exercise

    Raises
    ------
    TypeError
        If it is given no record, or hides something that is no text and no number.
    ValueError
        If there is nothing to hide, or nothing of such a name or step; if that is more than anyone
        would compute; or if no numbers can be dealt out.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor(0.5, requires_grad=True).named("w")
    >>> x = tg.tensor(2.0).named("x")
    >>> walk = tg.bptt.record(tg.tanh(w * x).named("h"))
    >>> print(exercise(walk, "gradients"))
    2 tasks, 2 points
      task  asked for  hint                                      points
         1  ∂h/∂a_h    rule of tanh: ∂h/∂a_h = ∂h/∂h ⊙ (1 − h²)       1
         2  ∂h/∂w      rule of mul: ∂h/∂w = ∂h/∂a_h ⊙ x               1
    """
    expect_record(record, "worksheet")
    if not record.visits:
        raise ValueError("worksheet: nothing was walked; record the backward by bptt.record(loss)")
    if not isinstance(tolerance, int | float) or not 0 < tolerance < 1:
        raise ValueError(f"worksheet: tolerance={tolerance!r} must lie between 0 and 1")
    if nice and seed is None:
        seed = 0
    hide = _wanted(hide)
    hidden = _Hidden(record, hide)  # refused before anything is computed
    if seed is not None:
        record = dealt(record, seed, 1 if nice else DECIMALS)
        hidden = _Hidden(record, hide)
    tasks = [hidden.task(i, *what) for i, what in enumerate(hidden.found, 1)]
    return Exercise(record, tasks, hide, seed=seed, nice=nice, tolerance=tolerance)


class _Hidden:
    """What of a walk is to be hidden: places, each with a kind."""

    def __init__(self, record: Record, hide: Hide) -> None:
        self.record, self.chain = record, Chain(record)
        self._names = self.chain.names
        wanted = _wanted(hide)
        kinds = [kind for kind in KINDS if kind in wanted] or list(KINDS)
        where = [one for one in wanted if one not in KINDS]
        places = self._places(where) if where else record.places
        self.found = self._computed(places, kinds)
        size = sum(math.prod(place.shape) for place, _ in self.found)
        if not size:
            raise ValueError(f"worksheet: hide={hide!r} hides nothing that is computed")
        if size > MOST:
            raise ValueError(
                f"worksheet: hide={hide!r} hides {size:,} numbers, and nobody computes more than "
                f"{MOST}: hide names or time steps, or take a smaller net"
            )

    def _computed(self, places: list[Node], kinds: list[str]) -> list[tuple[Node, str]]:
        """What of these is computed by rules: in the order in which one would compute it."""
        forward = [(at, "values") for at in places if not at.is_leaf]
        back = [(at, "gradients") for at in reversed(places) if at is not self.record.root]
        return [what for what in (*forward, *back) if what[1] in kinds and self._is_asked(*what)]

    def _is_asked(self, place: Node, kind: str) -> bool:
        """Whether there are numbers to be found: nobody computes infinities by hand."""
        known = self._known(place, kind)
        return known is not None and known.dtype.kind == "f" and bool(np.isfinite(known).all())

    def _known(self, place: Node, kind: str) -> Array | None:
        return self.record.value(place) if kind == "values" else self.record.gradient(place)

    def _places(self, where: list[str | int]) -> list[Node]:
        """The places of some names and time steps."""
        boxed = [place for place in self.record.places if not is_inline(place)]
        chosen: set[Node] = set()
        for one in where:
            found = {place for place in boxed if self._is_meant(place, one)}
            if not found:
                raise ValueError(self._missing(one, boxed))
            chosen |= found
        return [place for place in boxed if place in chosen]

    def _is_meant(self, place: Node, one: str | int) -> bool:
        if isinstance(one, int):
            return place.tag.step == one
        names = self._names
        return one in (names[place], names.told(place), names.atom(place), stem(place, names))

    def _missing(self, one: str | int, boxed: list[Node]) -> str:
        if isinstance(one, int):
            steps = {place.tag.step for place in boxed if place.tag.step is not None}
            there = ", ".join(map(str, sorted(steps))) or "none"
            return f"worksheet: there is no time step {one}; there are: {there}"
        names = list(dict.fromkeys(self._names.told(place) for place in boxed))
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        there = ", ".join(names[:_LISTED]) + more
        return f"worksheet: nothing is called {clean(one)!r}; there are: {there}"

    def task(self, number: int, place: Node, kind: str) -> Task:
        """What is asked of a place."""
        asked = self._value_task if kind == "values" else self._gradient_task
        return Task(number, place, kind, *asked(place), np.asarray(self._known(place, kind)))

    def _value_task(self, place: Node) -> tuple[str, str]:
        """A value's name, and how it is computed."""
        called = {at: self.chain.called(at, place) for at in (place, *place.parents)}
        name = opened(self.chain.called(place))
        made = expression(place, called)
        return name, f"{clean(place.primitive.name)}: {opened(called[place])} {made}"

    def _gradient_task(self, place: Node) -> tuple[str, str]:
        """A gradient's name, and the sum of what comes there by which rules."""
        equation = self.chain.equation(place)
        terms = [term.formula for term in equation.shown]
        uses = [clean(v.node.primitive.name) for v, _ in self.chain.consumers.get(place, ())]
        rules = " and ".join(dict.fromkeys(uses)) or "the loss"
        said = f"rule of {rules}" if len(uses) < 2 else f"sum over {len(uses)} uses, by {rules}"
        return self.chain.gradient_of(place), f"{said}: {equation.left} = {' + '.join(terms)}"


def _wanted(hide: Hide) -> list[str | int]:
    """What is to be hidden, as a list of kinds, names and steps."""
    several = isinstance(hide, Iterable) and not isinstance(hide, str)
    wanted: list[Any] = list(hide) if several else [hide]  # type: ignore[arg-type]
    if not wanted or any(isinstance(one, bool) or not isinstance(one, str | int) for one in wanted):
        raise TypeError(
            f"worksheet: hide={hide!r}: give 'gradients', 'values', names, or time steps"
        )
    return wanted
