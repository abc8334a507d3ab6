"""What each box of a picture says: from a group of places to a box with its parts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.operations.traits import traits_of
from tinygrad_rnn.reading.cells import Section, Wires, are_weights, titles
from tinygrad_rnn.reading.given import given_name, is_inline, role_of
from tinygrad_rnn.reading.layers import Layer, module_of
from tinygrad_rnn.reading.names import expression, stem
from tinygrad_rnn.reading.roles import Roles
from tinygrad_rnn.reading.states import is_gate
from tinygrad_rnn.viz.grouping import Group
from tinygrad_rnn.viz.scene import Bars, Box, Caption, Gates, Lane, Row, Strip, Weighing
from tinygrad_rnn.viz.source import Source
from tinygrad_rnn.writing import figures
from tinygrad_rnn.writing.formulas import LOOSE, bracketed
from tinygrad_rnn.writing.norms import add_to
from tinygrad_rnn.writing.text import clean

_MOST_LANES = 4
_FROZEN = "frozen"  # a weight that needs no gradient
_MOST_CLASSES = 6
_MOST_LINES = 2  # of a value beside cells
_CALL = re.compile(r"\w+\((?=.*\)$)")
_LONGEST_INNER = 48  # characters of an expression that is written into another
_MOST_TERMS = 4  # of a sum that is written out whole
_MOST_TIMES = 1000  # from here on it is not said how often a term comes


class Boxes:
    """Makes boxes, and remembers which part of them shows the gradient of which place."""

    def __init__(
        self,
        source: Source,
        roles: Roles,
        names: dict[Node, str],
        groups: list[Group],
        wires: Wires,
        *,
        values: bool,
        grads: bool,
        order: bool,
    ) -> None:
        self.source, self.roles, self.names, self.groups = source, roles, names, groups
        self.wires = wires
        self.values, self.grads, self.order = values, grads, order
        self.missing: set[str] = set()
        self._outgoing: dict[int, list[Node]] = {}  # by the index of a group
        self.shown: dict[Node, Row | Lane] = {}  # by the place whose whole gradient is shown
        self.group_of = {place: group for group in groups[::-1] for place in group.members}
        self.starts = {(g.members[-1], g.state): g for g in groups if g.state is not None}
        self.cells = any(group.style in ("cell", "weights", "initial") for group in groups)
        self.titles = _titles(groups)

    def box(self, group: Group) -> Box:
        """The box of a group."""
        roles, main = self.roles, self.main(group)
        box = Box(
            index=group.index,
            style=group.style,
            kind=roles.kinds[main],
            region="step" if group.step is not None else roles.regions[main],
            step=group.step,
            band=self._band(group, main),
            name=self.names[main],
            signature="" if main.primitive is None else main.primitive.name,
            visit=self._visits(group) if self.order else "",
        )
        peer = group.state if self.cells else roles.peers.get(main)
        box.peer = None if peer is None else self.group_of[peer].index
        self._fill(box, group, main)
        return box

    def _fill(self, box: Box, group: Group, main: Node) -> None:
        """Put into a box what its style of group shows."""
        fill = {
            "tensor": self._fill_tensor,
            "cell": self._fill_cell,
            "initial": self._fill_initial,
            "weights": self._fill_weights,
            "elided": self._fill_midst if group.depth else self._fill_elided,
            "alike": self._fill_alike,
        }
        fill[group.style](box, group, main)

    def main(self, group: Group) -> Node:
        """The place that a box is named after: the last one that others use."""
        return self.outgoing(group)[-1]

    def outgoing(self, group: Group) -> list[Node]:
        """The members that go out of a group: other groups use them, or they have a name there."""
        if group.index not in self._outgoing:
            found = [place for place in group.members if self._goes_out(place, group)]
            self._outgoing[group.index] = found or group.members[-1:]
        return self._outgoing[group.index]

    def _goes_out(self, place: Node, group: Group) -> bool:
        roles = self.roles
        if place is self.source.root or any(
            self.group_of.get(user) is not group for user, _ in roles.uses[place]
        ):
            return True
        if group.style == "cell" or (group.section is not None and group.section.is_cell):
            return roles.kinds[place] == "state"
        if self._is_attention(group) and not place.is_leaf and are_weights(place):
            return True
        return group.style == "tensor" and bool(given_name(place))

    def _is_attention(self, group: Group) -> bool:
        return group.section is not None and group.section.kind == "attention"

    def source_of(self, node: Node, operand: int) -> Group | None:
        """The group from which a node reads an operand."""
        parent, state = self.read_by(node, operand), self.roles.carried.get((node, operand))
        start = None if state is None else self.starts.get((parent, state))
        return start or self.group_of.get(parent)

    def read_by(self, node: Node, operand: int) -> Node:
        """What a node reads as an operand, whatever it was handed on through."""
        return self.wires.source(node, operand)

    def lane_name(self, place: Node) -> str:
        """The name by which a tensor is found again at other steps."""
        return stem(place, self.names)

    # -- what stands in the kinds of boxes ---------------------------------------------------

    def _fill_tensor(self, box: Box, group: Group, main: Node) -> None:
        outgoing = self.outgoing(group)
        if self._is_attention(group) and self.cells:
            self._fill_attention(box, outgoing)
        elif len(outgoing) > 1:
            box.name, box.signature = module_of(outgoing[-1].tag.scope) or "output", "rest"
            for place in outgoing[-_MOST_LANES:]:
                lane = self._lane(place)
                lane.expression = self._expression(group, place)
                box.parts.append(lane)
            box.parts += self._targets(group) if self.values else []
        else:
            self._fill_single(box, group, main)

    def _fill_attention(self, box: Box, outgoing: list[Node]) -> None:
        """How much of which place of its memory, and what that makes."""
        box.name, box.signature = "attention", "attention"
        for place in outgoing[-_MOST_LANES:]:
            weighs = are_weights(place)
            lane = self._lane(place)
            if not given_name(place):
                lane.name = _part_of_attention(place)
            box.parts.append(lane)
            value = self.source.value(place) if self.values and weighs else None
            if value is not None and np.size(value) > 1 and np.ndim(value):
                axis = place.params["axis"]
                means = np.moveaxis(value, axis[0] if isinstance(axis, tuple) else axis, -1)
                means = means.reshape(-1, means.shape[-1]).mean(0)
                box.parts.append(Weighing([(i, float(x)) for i, x in enumerate(means, 1)]))

    def _fill_single(self, box: Box, group: Group, main: Node) -> None:
        written = self._expression(group, main)
        if written != f"= {box.name}":  # as of ``output[-1]``, which says it all
            box.expression = written
        box.note = self._note(main)
        if self.values:
            value = self.source.value(main)
            shape_only = (f"shape {figures.shape(main.shape)}",)
            box.parts.append(Row("value", shape_only if value is None else self._lines(value)))
            box.parts += self._targets(group)
        if self.grads and main.requires_grad:
            gradient = self._gradient(main)
            row = Row("grad", (self._absent(main),) if gradient is None else self._lines(gradient))
            self._show(main, row, gradient)
            box.parts.append(row)

    def _targets(self, group: Group) -> list[Row]:
        """What losses in a box compare with: classes, which have no boxes of their own."""
        read = ((traits_of(p.primitive).target, p) for p in group.members if not p.is_leaf)
        return [Row("target", (_classes(of(**p.params)),)) for of, p in read if of is not None]

    def _fill_cell(self, box: Box, group: Group, main: Node) -> None:
        assert group.section is not None
        box.name, box.kind, box.signature = self.titles[group.section], "state", "cell"
        box.parts += [self._lane(place) for place in self._states_first(group)]
        gates = self._gates(group)
        if gates and self.values:
            box.parts.append(Gates(gates))

    def _fill_initial(self, box: Box, group: Group, main: Node) -> None:
        value = self.source.value(main) if self.values else None
        if not given_name(main) and group.state is not None:
            box.name = f"{self.lane_name(group.state)}₀"
        if value is not None and not np.any(value):
            box.name += " = 0"
        elif value is not None:
            box.expression = f"= {_short(value)}"
        box.visit = ""

    def _fill_weights(self, box: Box, group: Group, main: Node) -> None:
        users = [user for place in group.members for user, _ in self.roles.uses[place]]
        times = max(len(self.roles.uses[place]) for place in group.members)
        box.kind, box.note = "parameter", f"weights, used ×{times}" if times > 1 else "weights"
        if group.section is not None and group.section in self.titles:
            box.name = self.titles[group.section]
        else:
            box.name = module_of(users[0].tag.scope) or "output"
        scopes = [self.roles.uses[place][0][0].tag.scope for place in group.members]
        several = len(set(scopes)) > 1
        for place, scope in zip(group.members, scopes, strict=True):
            lane = self._lane(place)
            if several and module_of(scope):  # modules in one cell, such as an embedding before it
                told = self.names[place]  # longer, if two modules of that name must be told apart
                is_longer = told.endswith(f".{lane.name}")
                lane.name = told if is_longer else f"{module_of(scope)}.{lane.name}"
            lane.value, lane.tall = figures.shape(place.shape), False
            if self.grads and not place.requires_grad:
                lane.chip = _FROZEN
            box.parts.append(lane)
            shares = self._shares(place) if self.grads else {}
            if len(shares) > 1:
                parts = [(f"t = {step}", share) for step, share in shares.items()]
                lane.ways = figures.agreement(parts, math.nan if lane.norm is None else lane.norm)
                box.parts.append(Bars(lane.name, list(shares.items())))
        if any(isinstance(part, Bars) for part in box.parts):
            box.parts.append(Caption("∂L/∂θ = Σₜ: ‖share‖ of each t"))

    def _fill_elided(self, box: Box, group: Group, main: Node) -> None:
        hidden = len({self.roles.steps[place] for place in group.members})
        assert group.section is not None
        box.kind, box.signature = "operation", "elided"
        name = "" if group.section.is_cell else f"{self.lane_name(main)}: "
        box.name = f"{name}{figures.count(hidden, 'step')} elided"
        if not self.grads:
            return
        strips: dict[str, dict[int, list[float]]] = {}  # by name and step
        for place in self.outgoing(group):
            step = self.roles.steps[place]
            if step is not None and place.requires_grad:
                norms = strips.setdefault(self._strip_name(group, place), {}).setdefault(step, [])
                gradient = self._gradient(place)
                norms += [] if gradient is None else [figures.norm(gradient)]
        known = {name: strip for name, strip in strips.items() if any(strip.values())}
        for name, strip in list(known.items())[:_MOST_LANES]:
            steps = sorted(strip)  # also where they were read from the last to the first
            sizes = [math.hypot(*strip[step]) if strip[step] else None for step in steps]
            box.parts.append(Strip(name, steps, sizes))
        box.parts += [Caption("‖∂‖ at each step")] if known else []

    def _strip_name(self, group: Group, place: Node) -> str:
        """What a tensor that is left out is called in its box, if that does not say it already."""
        if self._is_attention(group) and not given_name(place):
            return _part_of_attention(place)
        is_cell = group.section is not None and group.section.is_cell
        return self.lane_name(place) if given_name(place) or is_cell else ""

    def _fill_midst(self, box: Box, group: Group, main: Node) -> None:
        """What is left out of a graph without time steps, with the gradients at each depth."""
        box.kind, inner = "operation", [place for place in group.members if not place.is_leaf]
        box.name = f"{figures.count(len(inner), 'operation')} left out"
        squares: dict[int, list[float]] = {}
        for place in inner if self.grads else ():
            gradient = self._gradient(place)
            if gradient is not None:
                squares.setdefault(group.depth[place], []).append(figures.norm(gradient))
        if squares:
            at = sorted(squares)
            norms: list[float | None] = [math.hypot(*squares[depth]) for depth in at]
            box.parts.append(Strip("", at, norms, axis="depth"))
            box.parts.append(Caption("‖∂‖ of all at each depth"))

    def _fill_alike(self, box: Box, group: Group, main: Node) -> None:
        """Many tensors of one look: what each is, and the gradient of all together."""
        members = group.members
        box.name = f"{self.names[members[0]]} … {self.names[members[-1]]}"
        box.note, box.signature = f"{len(members)} alike", f"alike {box.signature}"
        if self.values:
            box.parts.append(Row("each", (f"shape {figures.shape(main.shape)}",)))
        gradients = [self._gradient(place) for place in members]
        known = [figures.norm(gradient) for gradient in gradients if gradient is not None]
        if self.grads and known:
            norm = math.hypot(*known)
            row = Row("grad", (f"‖all {len(known)}‖ {figures.number(norm)}",), norm)
            box.parts.append(row)

    def _lines(self, array: Any) -> tuple[str, ...]:
        """An array in a box; beside cells only a few lines of it."""
        lines = figures.array(array)
        return lines if len(lines) <= _MOST_LINES or not self.cells else (figures.summary(array),)

    # -- parts of boxes ----------------------------------------------------------------------

    def _lane(self, place: Node) -> Lane:
        value = self.source.value(place) if self.values else None
        lane = Lane(self.lane_name(place), "" if value is None else _short(value), "")
        if self.grads and place.requires_grad:
            gradient = self._gradient(place)
            if gradient is None:
                lane.chip = self._absent(place)
            else:
                lane.chip = f"‖∂‖ {figures.number(figures.norm(gradient))}"
            self._show(place, lane, gradient)
        return lane

    def _states_first(self, group: Group) -> list[Node]:
        """The states of a cell in the order in which they were made, then what else goes out."""
        outgoing = self.outgoing(group)
        states = [place for place in outgoing if self.roles.kinds[place] == "state"]
        return states + [place for place in outgoing if place not in states][:_MOST_LANES]

    def _gates(self, group: Group) -> list[tuple[str, float, float]]:
        found = []
        outgoing = set(self.outgoing(group))
        for place in group.members:
            ends = traits_of(place.primitive).squashes
            if ends and is_gate(place) and place not in outgoing:
                value = self.source.value(place)
                if value is not None and np.size(value):
                    mean = float(np.mean(value))
                    found.append((given_name(place), float(ends[0]), mean))
        return found

    def _shares(self, parameter: Node) -> dict[int, float]:
        """The norm of what each time step gave to the gradient of a parameter."""
        sent: dict[int, Any] = {}
        for user, operand in self.roles.uses[parameter]:
            step = self.roles.steps[user]
            share = None if step is None else self.source.contribution(user, operand)
            if share is not None and step is not None:
                add_to(sent, step, share)
        return {step: figures.norm(share) for step, share in sorted(sent.items())}

    def _gradient(self, place: Node) -> Any | None:
        gradient = self.source.gradient(place) if place.requires_grad else None
        return None if gradient is None else getattr(gradient, "array", gradient)

    def _absent(self, place: Node) -> str:
        missing = self.source.missing(place)
        self.missing.add(missing)
        return missing

    def _show(self, place: Node, part: Row | Lane, gradient: Any | None) -> None:
        if gradient is not None:
            part.norm = figures.norm(gradient)
            self.shown[place] = part

    # -- words -------------------------------------------------------------------------------

    def _expression(self, group: Group, main: Node) -> str:
        """How a place was computed from those of other groups and those with lanes of their own."""
        if len(group.members) == 1:
            return expression(main, self.names)
        inner, lanes = self.names.copy(), set(self.outgoing(group))
        sums: dict[Node, _Sum] = {}
        for place in group.members:
            if place in self.wires.carries:
                inner[place] = inner[self.wires.carries[place]]
            elif not place.is_leaf:
                said = self._written(place, sums, inner)
                if place is main:
                    return f"= {said}"
                if place not in lanes:
                    inner[place] = said if len(said) <= _LONGEST_INNER else _shortened(said)
        return ""

    def _written(self, place: Node, sums: dict[Node, _Sum], names: dict[Node, str]) -> str:
        """The expression of a place, without "="; of a sum only some terms if they are many."""
        if place.primitive.name == "add":
            sums[place] = _Sum(place, sums)
            if not sums.keys().isdisjoint(place.parents):
                return sums[place].written(names)
        return expression(place, names).removeprefix("= ")

    def _note(self, place: Node) -> str:
        if place.primitive is not None:
            return ""
        kind, times = self.roles.kinds[place], len(self.roles.uses[place])
        if kind == "parameter":
            note = "param" if place.requires_grad else f"param, {_FROZEN}"
            return f"{note}, used ×{times}" if times > 1 else note
        if kind == "state":
            return "initial state"
        given = place.requires_grad or self.roles.steps[place] is not None
        return "input" if given or role_of(place) == "input" else "constant"

    def _visits(self, group: Group) -> str:
        numbers = [self.source.visits[p] for p in group.members if p in self.source.visits]
        if not numbers:
            return ""
        first, last = min(numbers), max(numbers)
        between = "–" if last - first < len(numbers) else "…"  # … with visits elsewhere
        return str(first) if first == last else f"{first}{between}{last}"

    def _band(self, group: Group, main: Node) -> str:
        """The layer in whose band a box stands."""
        section, layer = group.section, Layer.of(main)
        if self.roles.steps[main] is None or self.roles.kinds[main] == "input":
            return ""
        if self.cells:
            return self.titles.get(section, "") if section is not None else ""
        if layer.number is None:
            elided = group.style == "elided" and section is not None
            return clean(section.scope if elided and section is not None else layer.scope)
        return "" if layer.direction is None else str(layer)


def _titles(groups: Iterable[Group]) -> dict[Section, str]:
    """What the cells are called, by the names of what is in them."""
    members: dict[Section, set[str]] = {}
    for group in groups:
        if group.section is not None and group.section.is_cell and group.style != "weights":
            names = members.setdefault(group.section, set())
            names.update(name for place in group.members if (name := given_name(place)))
    return titles(members)


def _part_of_attention(place: Node) -> str:
    return "weights" if are_weights(place) else "context"


def _shortened(said: str) -> str:
    """Of a long expression what was done last: "nll_loss(…)"."""
    call = _CALL.match(said)
    return f"{call[0]}…)" if call else "…"


class _Sum:
    """What members of a group add up one after the other: its first terms, and its last one.

    A term that comes in several ways is there once, with how often: a sum of sums that share their
    terms has more ways than could ever be gone one by one.
    """

    def __init__(self, place: Node, sums: dict[Node, _Sum]) -> None:
        self.times: dict[Node, int] = {}  # by term
        self.cut = False
        for parent in place.parents:
            below = sums.get(parent)
            self.cut = self.cut or (below is not None and below.cut)
            found = below.times if below is not None else {} if is_inline(parent) else {parent: 1}
            for term, times in found.items():
                self.times[term] = min(self.times.get(term, 0) + times, _MOST_TIMES)
        if self.cut or len(self.times) > _MOST_TERMS:
            self.cut, terms = True, list(self.times)
            self.times = {term: self.times[term] for term in (*terms[:2], terms[-1])}

    def written(self, names: dict[Node, str]) -> str:
        """The terms with how often each comes: a + 4·b + c, or a + b + … + d."""
        counted = [_multiple(names[term], times) for term, times in self.times.items()]
        said = list(dict.fromkeys(counted))
        return " + ".join([*said[:-1], "…", said[-1]] if self.cut else said)


def _multiple(name: str, times: int) -> str:
    if times == 1:
        return name
    return f"{'…' if times == _MOST_TIMES else times}·{bracketed(name, LOOSE)}"


def _classes(target: Any) -> str:
    """Some classes, and "–" for what does not count."""
    flat = target.ravel().tolist()  # None where it is masked
    said = ["–" if one is None else str(one) for one in flat[:_MOST_CLASSES]]
    more = f" …]  of {len(flat)}" if len(flat) > _MOST_CLASSES else "]"
    return f"[{' '.join(said)}{more}"


def _short(value: Any) -> str:
    """A value on one line of a cell: very few numbers, or the shape and norm."""
    value = np.asarray(value)
    if value.size <= 2 and value.size:
        flat = " ".join(figures.number(x) for x in value.ravel())
        return f"[{flat}]" if value.ndim else flat
    return figures.array(value.ravel())[0] if value.ndim < 2 else figures.summary(value)
