"""A recorded walk as the player reads it: every number a page will show, as text.

A node's ``states`` are what its gradient was after each contribution: the step at which that came
(``at``), from which node (``from``; null at the start of the walk, and for what hooks made of the
sum), what was ``sent``, the ``sum`` so far and its heat ``bin``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection
from functools import partial
from typing import Any

import numpy as np

from tinygrad_rnn.bptt import Record, Visit
from tinygrad_rnn.bptt.zero import Zeros
from tinygrad_rnn.engine.graph import Node, tape
from tinygrad_rnn.engine.mode import SMALL
from tinygrad_rnn.reading.layers import Layer
from tinygrad_rnn.reading.names import expression, names
from tinygrad_rnn.viz import measure
from tinygrad_rnn.viz.build import boxed_of
from tinygrad_rnn.viz.languages import said_in
from tinygrad_rnn.viz.player.chapters import chapters_of
from tinygrad_rnn.viz.player.filling import fillings
from tinygrad_rnn.viz.player.numbers import in_numbers
from tinygrad_rnn.viz.player.wording import layer_in, told_in
from tinygrad_rnn.viz.scene import Row, Scene
from tinygrad_rnn.writing import figures
from tinygrad_rnn.writing.mathml import Element, mathml
from tinygrad_rnn.writing.norms import add_to, norm
from tinygrad_rnn.writing.rules import vjp

Array = np.ndarray[Any, Any]


def walk_of(record: Record, scene: Scene) -> dict[str, Any]:
    """The nodes and visits of a walk, nodes by the index of their box in the scene."""
    return Telling(record, scene).data()


def boxed(root: Node) -> list[Node]:
    """The places of a graph that have boxes, oldest first: all but numbers in the program."""
    return boxed_of(tape([root]), root)


def make_room(scene: Scene, walk: dict[str, Any]) -> None:
    """Widen boxes to the widest gradient that they will hold at any step."""
    for box, node in zip(scene.boxes.values(), walk["nodes"], strict=True):
        for row in box.parts:
            if isinstance(row, Row) and row.label == "grad" and node["states"]:
                shown, lines = row.lines, (line for s in node["states"] for line in s["sum"])
                row.lines = (max(lines, key=len),) * len(shown)
                measure.fit(box)
                row.lines = shown


class Telling:
    """A walk as dictionaries, lists, texts and whole numbers.

    ``names`` and ``expressions`` are those of ``record.places``, if they are known already.
    """

    def __init__(self, record: Record, scene: Scene, called: list[str] | None = None) -> None:
        self.record, self.scene = record, scene
        self.say = partial(told_in, scene.language)
        if called is None:
            told = names(record.places, record.called)
            called = [told.told(place) for place in record.places]
        self.called = dict(zip(record.places, called, strict=True))
        shown = boxed(record.root)
        self.index = dict(zip(shown, scene.boxes, strict=True))
        self.numbers = {visit.node: visit.number for visit in record.visits}
        self.sums: dict[Node, Array] = {}
        self.states: dict[Node, list[dict[str, Any]]] = {place: [] for place in shown}
        self.sent: dict[tuple[int, int, int], Array] = {}  # from, to and operand of an edge
        self.served: dict[Node, list[int]] = {}  # the operands that receive something
        self._lines: dict[int, tuple[Array, tuple[str, ...]]] = {}
        self._zeros = Zeros(record, self.called)
        self._flow_back()

    def _flow_back(self) -> None:
        """What every place received, and what it had then."""
        self._add(self.record.root, 0, None, self.record.visits[0].cotangent)
        for visit in self.record.visits:
            self.served[visit.node] = served = []
            for operand, sent in enumerate(visit.contributions):
                if sent is not None:
                    to = visit.node.parents[operand]
                    served.append(operand)
                    self.sent[self.index[to], self.index[visit.node], operand] = sent
                    self._add(to, visit.number, visit.node, sent)
        for place in self.states:
            self._complete(place)

    def data(self) -> dict[str, Any]:
        """Everything."""
        root, start = self.record.root, self.record.visits[0].cotangent
        changing = self.changing()
        reached: Counter[Node] = Counter([root])
        visits = [
            {"node": self.index[visit.node], **told, "to": self._receivers(visit, reached)}
            for visit, told in zip(self.record.visits, changing["visits"], strict=True)
        ]
        for visit in visits:
            pairs = zip(visit.pop("numbers"), visit.pop("inserted"), strict=True)
            for send, (text, formula) in zip(visit["to"], pairs, strict=True):
                send |= {"numbers": text, "inserted": formula}
        fixed = map(self._fixed, self.index)
        return {
            "root": self.index[root],
            "start": "1" if (start == 1).all() else " ".join(figures.array(start)),
            "nodes": [a | b for a, b in zip(fixed, changing["nodes"], strict=True)],
            "visits": visits,
            "chapters": [
                chapter | {"title": self.say(chapter["title"])}
                for chapter in chapters_of(self.record)
            ],
            "fillings": changing["fillings"],
        }

    def changing(
        self, shown: int | None = None, asked: Collection[int] | None = None
    ) -> dict[str, Any]:
        """What depends on numbers; of the visits' formulas only those of one, if that is given,
        and if it is told which boxes are asked why, the reasons of their zeros alone.
        """
        return {
            "nodes": [
                self._numbers(place, asked is None or index in asked)
                for place, index in self.index.items()
            ],
            "visits": [
                self._visit(visit, shown in (None, visit.number)) for visit in self.record.visits
            ],
            "fillings": [
                filling | {"bars": [self.say(label) for label in filling["bars"]]}
                for filling in fillings(self.record, self.index)
            ],
        }

    def _visit(self, visit: Visit, with_formulas: bool) -> dict[str, Any]:
        g = visit.cotangent
        told: dict[str, Any] = {"G": self.lines(g), "bin": self._bin(g)}
        if with_formulas:
            told["numbers"] = [self._in_numbers(visit, i) for i in self.served[visit.node]]
            told["inserted"] = [text and mathml(text) for text in told["numbers"]]
        return told

    def _in_numbers(self, visit: Visit, operand: int) -> str | None:
        return in_numbers(visit.node, operand, self.called, visit.cotangent, self.record.value)

    def _receivers(self, visit: Visit, reached: Counter[Node]) -> list[dict[str, Any]]:
        """Those that a visit serves: which, which of their states it makes, and by what rule."""
        served = []
        for operand in self.served[visit.node]:
            to = visit.node.parents[operand]
            formula = vjp(visit.node, operand, self.called, "G")
            served.append(
                {
                    "node": self.index[to],
                    "state": reached[to],
                    "formula": formula,
                    "math": self._math(formula, visit.node, "G"),
                }
            )
            reached[to] += 1
        return served

    def _math(self, formula: str, node: Node, *others: str) -> Element:
        """A formula about a node and its parents, to be set."""
        return mathml(formula, {*(self.called[at] for at in (node, *node.parents)), *others})

    def _add(self, to: Node, at: int, sender: Node | None, sent: Array) -> None:
        add_to(self.sums, to, sent)
        self.states[to].append(
            {
                "at": at,
                "from": None if sender is None else self.index[sender],
                "sent": self.lines(sent),
                **self._sum(self.sums[to]),
            }
        )

    def _complete(self, place: Node) -> None:
        """End with the gradient as the walk had it, which hooks may have made of the sum."""
        final = self.record.gradient(place)
        if final is None:
            return
        states = self.states[place]
        if _differ(self.sums[place], final):
            at = self.numbers.get(place, states[-1]["at"])
            hooked = {"at": at, "from": None, "sent": self.lines(final)}
            states.append(hooked | self._sum(final))
        else:  # the same but for the rounding of another order of summation
            states[-1] |= self._sum(final)

    def _sum(self, total: Array) -> dict[str, Any]:
        return {"sum": self.lines(total), "bin": self._bin(total)}

    def lines(self, array: Array) -> tuple[str, ...]:
        """An array as lines; what arrives alone is its own sum, and is written once."""
        key = id(array)
        if key not in self._lines:
            self._lines[key] = array, figures.array(array)  # who is kept keeps the id
        return self._lines[key][1]

    def _bin(self, gradient: Array) -> int | None:
        return figures.bin_of(self.scene.scale, norm(gradient))

    def _fixed(self, place: Node) -> dict[str, Any]:
        box = self.scene.boxes[self.index[place]]
        said = expression(place, self.called)
        return {
            "id": box.id,
            "name": self.called[place],
            "expression": said,
            "math": said and self._math(said, place),
            "kind": said_in(self.scene.language, box.note or "operation"),
            "shape": self.say(f"shape {figures.shape(place.shape)}" if place.shape else "scalar"),
            "visit": self.numbers.get(place),
            "step": place.tag.step,
            "where": self._where(place),
        }

    def _numbers(self, place: Node, with_reasons: bool) -> dict[str, Any]:
        value, final = self.record.value(place), self.record.gradient(place)
        return {
            "value": [self.say("not kept")] if value is None else _in_full(value),
            "final": None if final is None else _in_full(final),
            "zero": final is not None and norm(final) == 0,
            "why": self._why(place, final, with_reasons),
            "states": self.states[place],
        }

    def _why(
        self, place: Node, final: Array | None, with_reasons: bool
    ) -> list[dict[str, str]] | None:
        """Why nothing came, or zeros only: the reasons, as they are read; none: not looked for."""
        if final is not None and (final.size == 0 or norm(final) != 0):
            return None
        found = self._zeros.why(place) if with_reasons else []
        return [
            {"kind": reason.kind, "what": self.say(reason.what), "where": self.say(reason.where)}
            for reason in found
        ]

    def _where(self, place: Node) -> str:
        step = place.tag.step
        when = [] if step is None else [self.say(f"time step {step}")]
        layer = [layer_in(self.scene.language, word) for word in Layer.of(place).words()]
        return " · ".join([*when, *layer])


def _differ(a: Array, b: Array) -> bool:
    """Whether two arrays differ by more than rounding."""
    with np.errstate(all="ignore"):
        size = max(norm(a), norm(b))
        distance = norm(np.asarray(a) - b)
    precision = np.finfo(b.dtype).eps if b.dtype.kind in "fc" else 0.0
    return math.isfinite(distance) and distance > math.sqrt(precision) * size


def _in_full(a: Array) -> tuple[str, ...]:
    """A row to a line, at four decimals; of a large array the shape and the norm."""
    if a.ndim == 0 or not 0 < a.size <= SMALL:
        return figures.array(a)
    rows = a.reshape(-1, a.shape[-1])
    return tuple(f"[{' '.join(_precise(x) for x in row)}]" for row in rows)


def _precise(x: Any) -> str:
    real = isinstance(x, float | np.floating)
    plain = real and 5e-4 <= abs(float(x)) < 99999
    return f"{x:.4f}" if plain else figures.number(x)
