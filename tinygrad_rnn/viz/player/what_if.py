"""What if a leaf had another value: the engine computes, and the page learns what it is to show.

A *change* names a leaf by its box, an element of it by its place in row-major order, and its new
value: ``[3, 0, 0.25]``.  All changes are relative to the walk that was recorded, so whoever answers
keeps nothing from one question to the next.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from tinygrad_rnn.bptt import Record
from tinygrad_rnn.bptt.rerun import Rerun
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.engine.mode import SMALL
from tinygrad_rnn.viz.build import in_one_line
from tinygrad_rnn.viz.languages import said_in
from tinygrad_rnn.viz.layout import Layout
from tinygrad_rnn.viz.player.flow_plot import plots_of
from tinygrad_rnn.viz.player.walk import Telling
from tinygrad_rnn.viz.player.wording import told_in
from tinygrad_rnn.viz.scene import Edge, Scene
from tinygrad_rnn.viz.svg import flow_look, flow_note, flows_of, head_look
from tinygrad_rnn.viz.ways import Way, labels_of, ways_of
from tinygrad_rnn.writing import figures
from tinygrad_rnn.writing.norms import norm
from tinygrad_rnn.writing.palette import Theme

MOST_CHANGES, MOST_ASKED = 10_000, 2  # boxes: one inspected, one pointed at
Change = tuple[int, int, float]


class WhatIf:
    """Answers to changes of a walk's leaves, in the terms of its page."""

    def __init__(self, record: Record, scene: Scene, layout: Layout, theme: Theme) -> None:
        self.rerun, self.record, self.scene, self.theme = Rerun(record), record, scene, theme
        told = Telling(record, scene)
        self.called, self.index = told.called, told.index
        self.leaves = {told.index[leaf]: leaf for leaf in self.rerun.leaves if leaf in told.index}
        ways = ways_of(scene, layout)
        self._flows = flows_of(ways)
        labels = labels_of(scene, layout, ways)
        self._normed = [label.edge for label in labels if label.edge is not None]
        self._plots = plots_of(record)
        self._loss = _loss(record)

    def offer(self) -> dict[str, Any]:
        """What the page needs to know before anything changes: which leaves, and their numbers."""
        answer = self.answer([])
        return {
            "leaves": {
                index: {
                    "called": self.called[leaf],
                    "shape": list(leaf.shape),
                    "values": _plain(self.record.value(leaf)),
                    "grad": _plain(self.record.gradient(leaf)),
                }
                for index, leaf in self.leaves.items()
                if math.prod(leaf.shape) <= SMALL * SMALL
            },
            "flows": [
                {
                    "bin": way.back.edge.bin,
                    "is_zero": way.back.edge.norm == 0,
                }
                for way in self._flows
            ],
            "plots": [told_in(self.scene.language, plot.label) for plot in self._plots],
            "recorded": {name: answer[name] for name in ("effect", "plots")},
        }

    def answer(
        self, changes: Sequence[Change], visit: int | None = None, why: Collection[int] = ()
    ) -> dict[str, Any]:
        """What the page shows after some changes: everything, or of one visit.

        Then only that visit has its formulas with numbers, and of the zeros only its own and those
        of the boxes ``why`` have their reasons; to look for all takes longer than anything else.

        Raises
        ------
        ValueError
            If a change names what is not there, or what makes the graph refuse to be computed.
        """
        values = self._values(changes)
        record = self.rerun(values)
        told = Telling(record, self.scene, list(self.called.values()))
        return {
            **told.changing(visit, None if visit is None else {*why, *self._visited(visit)}),
            "boxes": [_lines(record, place) for place in told.index],
            "flows": [self._flow(way, told) for way in self._flows],
            "norms": [figures.number(norm(told.sent[_key(edge)])) for edge in self._normed],
            "plots": [plot.line(record) for plot in self._plots],
            "effect": self._effect(values, record),
            "code": self._code(values),
        }

    def _visited(self, visit: int) -> list[int]:
        """The box of a visit; before the first one none."""
        return [self.index[each.node] for each in self.record.visits[max(0, visit - 1) : visit]]

    def _values(self, changes: Sequence[Change]) -> dict[Node, Any]:
        values: dict[Node, Any] = {}
        for index, element, value in changes:
            leaf = self.leaves.get(index)
            if leaf is None:
                raise ValueError(f"box {index} is no leaf that can be changed")
            if leaf not in values:
                values[leaf] = np.array(self.record.value(leaf))
            if not 0 <= element < values[leaf].size:
                raise ValueError(f"{self.called[leaf]} has no element {element}")
            with np.errstate(over="ignore"):
                values[leaf].reshape(-1)[element] = value
        return values

    def _flow(self, way: Way, told: Telling) -> dict[str, Any]:
        """How a flow looks now: attributes of its line and of its head."""
        edge = way.back.edge
        sent = told.sent[_key(edge)]
        size = norm(sent)
        bin = figures.bin_of(self.scene.scale, size) or 0
        look: dict[str, Any] = {
            "note": said_in(
                self.scene.language, flow_note(size, in_one_line(sent, told.lines(sent)))
            ),
            "bin": bin,
        }
        look["is_zero"] = size == 0
        if bin != edge.bin or look["is_zero"] != (edge.norm == 0):
            look["line"] = flow_look(way, bin, self.theme)
            look["head"] = head_look(way, bin, size, self.theme)
        return look

    def _effect(self, values: dict[Node, Any], record: Record) -> dict[str, Any]:
        """What the changes did to the loss, and what the gradient had promised of them."""
        did, promised = _loss(record) - self._loss, 0.0
        for leaf, value in values.items():
            gradient = self.record.gradient(leaf)
            if gradient is None and leaf.requires_grad:
                continue  # no path: the gradient is zero
            if gradient is None:
                promised = math.nan  # nobody asked for it
                break
            moved = np.asarray(value, float) - np.asarray(self.record.value(leaf), float)
            promised += float(np.vdot(moved, gradient))
        return {
            "loss": figures.number(_loss(record)),
            "did": _finite(did),
            "promised": _finite(promised),
            "said": [figures.number(did), figures.number(promised)],
        }

    def _code(self, values: dict[Node, Any]) -> str:
        """The changes as a line of Python."""
        pairs = [
            f"{json.dumps(self.called[leaf], ensure_ascii=False)}: {np.asarray(value).tolist()!r}"
            for leaf, value in values.items()
        ]
        return f"walk = bptt.again(walk, {{{', '.join(pairs)}}})"


def _key(edge: Edge) -> tuple[int, int, int]:
    return edge.source, edge.target, edge.operand


def _loss(record: Record) -> float:
    """What the walk differentiated: the root, weighed by the gradient that it began with."""
    root = record.value(record.root)
    return float(np.vdot(record.visits[0].cotangent, root).real)


def _lines(record: Record, place: Node) -> tuple[str, ...] | None:
    value = record.value(place)
    return None if value is None else figures.array(value)


def _plain(array: Any) -> list[float | None] | None:
    """All elements in a row, as JSON has numbers."""
    return None if array is None else [_finite(float(x)) for x in np.asarray(array).reshape(-1)]


def _finite(x: float) -> float | None:
    return x if math.isfinite(x) else None
