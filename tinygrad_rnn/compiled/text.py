"""A program to read: stages that are done once or in a loop over time, and nothing clever."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tinygrad_rnn.compiled.expressions import (
    BREAK,
    HELPERS,
    Body,
    Names,
    commented,
    folded,
    index_alone,
    of_terms,
)
from tinygrad_rnn.compiled.lines import SAME, Dependence, lines
from tinygrad_rnn.compiled.readable import readable
from tinygrad_rnn.compiled.symbols import Value, filled
from tinygrad_rnn.compiled.trace import Traced

# -- what a program is made of -------------------------------------------------------------------


@dataclass(eq=False)
class Variable:
    """Something that a program calls by a name, given or computed.

    Attributes
    ----------
    wish : str
        The name that it should have.
    note : str
        Of what is given, a comment: its shape.
    wanted : bool
        Whether its gradient is computed.
    text : str
        Of a constant, what stands for it.
    """

    wish: str
    note: str = ""
    wanted: bool = True
    text: str = ""


@dataclass(frozen=True)
class Read:
    """A variable where it is used: all of it, some of it, or what a loop left in the end.

    ``index`` may be of the step t, from 0 on, and of T, the number of steps.
    """

    of: Variable
    index: str = ""
    last: bool = False


@dataclass
class Stage:
    """A step that is done once, or again and again.

    Attributes
    ----------
    consts, xs : lists of Read
        What it is given; ``xs`` at every step something else.
    ys : list of Variable
        What it makes; in a loop, arrays with an axis of time in front.
    times : int, or (Variable, int, int)
        How often: so many times, or as often as a variable has elements along an axis, less some;
        0: once.
    states, starts : lists of Variable and of Read
        What is carried, and what it begins with.
    """

    step: Traced
    consts: list[Read]
    ys: list[Variable]
    times: int | tuple[Variable, int, int] = 0
    xs: list[Read] = field(default_factory=list)
    states: list[Variable] = field(default_factory=list)
    starts: list[Read] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.step = readable(self.step)

    def sent(self) -> Iterator[tuple[Read, Value | None, str]]:
        """What the backward computes, for what, and of which kind that is."""
        step = self.step
        yield from zip(self.xs, step.d_xs, ["x"] * len(self.xs), strict=True)
        yield from zip(self.consts, step.d_consts, ["const"] * len(self.consts), strict=True)
        yield from zip(self.starts, step.d_states, ["start"] * len(self.starts), strict=True)


# -- a program -----------------------------------------------------------------------------------


def program_text(
    title: str, arguments: Sequence[Sequence[Variable]], stages: Sequence[Stage],
    results: Sequence[Sequence[Read]], grouped: bool = True, steps: int = 0,
) -> tuple[str, list[str]]:  # fmt: skip
    """The program that computes results and their backward, and the names of its arguments.

    Arguments and results are in groups, each a tuple; if not ``grouped`` one after the other, and
    only the gradients that are wanted are returned. ``steps``: the size that comments call T.
    """
    program = _Program(title, arguments, stages, results, grouped, steps)
    return program.text(), [program.name[v] for v in program.arguments]


class _Program:
    def __init__(
        self, title: str, arguments: Sequence[Sequence[Variable]], stages: Sequence[Stage],
        results: Sequence[Sequence[Read]], grouped: bool, steps: int,
    ) -> None:  # fmt: skip
        self.steps = steps
        self.title, self.groups, self.stages, self.results = title, arguments, stages, results
        self.grouped = grouped
        self.arguments = [v for group in arguments for v in group]
        self.asked = [read for group in results for read in group]
        made = [v for stage in stages for v in (*stage.states, *stage.ys)]
        self.names = Names()
        self.name: dict[Variable, str] = {}
        for v in (*self.arguments, *made):
            self.name[v] = self.name.get(v) or v.text or self.names.new(v.wish)
        asked = {read.of for read in self.asked}
        slopes = sorted((*self.arguments, *made), key=lambda v: v not in asked)
        self.slope: dict[Variable, str] = {}
        for v in slopes:
            self.slope[v] = self.slope.get(v) or self.names.new(f"d{self.name[v]}")
        self.writers = [_Writer(stage, self) for stage in stages]
        self.received = Counter(
            read.of
            for stage in stages
            for read, d, _ in stage.sent()
            if self.flows(read, d) and read.of not in stage.states
        )

    def flows(self, read: Read, d: Value | None) -> bool:
        """Whether a gradient that a stage computes goes anywhere."""
        return d is not None and read.of.wanted and not read.of.text

    def text(self) -> str:
        """All of it."""
        self.counts: dict[Variable, Any] = {}  # what has as many elements as another
        self.counted: Any = None  # by what T was counted last
        forward = [line for writer in self.writers for line in writer.forward()]
        self.counted = None
        backward = [line for writer in reversed(self.writers) for line in writer.backward()]
        backward = [*self._begun(backward), *backward]
        known = [*self.name.values(), *[k for writer in self.writers for k in writer.kept]]
        read = set(re.findall(r"\w+", "\n".join(backward)))
        saved = [name for name in dict.fromkeys(known) if name in read]
        outs = [_tuple([self.of(read) for read in group]) for group in self.results]
        backs = [self._returned(group) for group in self.groups]
        if not self.grouped:
            outs = [self.of(read) for read in self.asked]
            backs = [self.slope[v] for v in self.arguments if v.wanted]
        given = [self.name[v] for v in self.arguments]
        body = [
            *folded("def forward(", given, "):"),
            *[f"    # {self.name[v]}: {v.note}" for v in self.arguments if v.note],
            *forward,
            *folded("    saved = ", saved),
            f"    return {', '.join(outs)}, saved",
            "", "",
            f"def backward({', '.join([*[self.slope[read.of] for read in self.asked], 'saved'])}):",
            *[f"    # {self.slope[r.of]}: {self._said(r)}" for r in self.asked],
            *folded("    ", saved, " = saved"),
            *backward,
            *folded("    return ", backs),
        ]  # fmt: skip
        body = [line.replace(BREAK, ", ") for line in body]
        whole = "\n".join(body)
        helpers = [
            line
            for name, code in HELPERS.items()
            if f"{name}(" in whole
            for line in (*code, "", "")
        ]
        head = [f'"""{self.title}: forward and backward through time, in NumPy alone."""', ""]
        return "\n".join([*head, "import numpy as np", "", "", *helpers, *body]) + "\n"

    def _returned(self, group: Sequence[Variable]) -> str:
        return _tuple([self.slope[v] if v.wanted else "None" for v in group])

    def _said(self, read: Read) -> str:
        name = self.name[read.of]
        in_time = any(read.of in stage.ys and stage.times for stage in self.stages)
        when = " after the last step" if read.last else ", of every step" if in_time else ""
        return f"∂L/∂{name}{when}"

    def of(self, read: Read, times: str = "") -> str:
        """A variable where it is used."""
        name = read.of.text or self.name[read.of]
        return f"{name}[-1]" if read.last else f"{name}{_at(read.index, times)}"

    def is_set(self, read: Read, is_loop: bool) -> bool:
        """Whether a gradient is assigned where it is computed, as there is no other part of it."""
        alone = self.received[read.of] == 1 and not any(read.of is each.of for each in self.asked)
        return alone and not is_loop and not read.index

    def _begun(self, backward: Sequence[str]) -> list[str]:
        """Zeros for gradients that are added up."""
        text, set_at_once = [], set[Variable]()
        for stage in self.stages:
            for read, d, kind in stage.sent():
                if self.flows(read, d) and self.is_set(read, kind != "start" and bool(stage.times)):
                    set_at_once.add(read.of)
        states = {v for stage in self.stages for v in stage.states}
        wanted = [v for v in self.arguments if v.wanted]
        used = set(re.findall(r"\w+", "\n".join(backward)))
        made = [v for stage in self.stages for v in (*stage.states, *stage.ys)]
        asked = {read.of for read in self.asked}
        for v in dict.fromkeys((*wanted, *made)):
            name, slope = self.name[v], self.slope[v]
            if v in asked:
                asks = re.search(rf"\b{slope}\.", "\n".join(backward))  # as no number answers
                text += [f"    {slope} = np.array({slope})"] if self.received[v] or asks else []
            elif v not in set_at_once and (v in wanted or slope in used):
                text.append(f"    {slope} = np.zeros_like({name}{'[-1]' if v in states else ''})")
        return text


def _at(index: str, times: str) -> str:
    """An index in a loop of so many steps."""
    return index.replace("T - 1", str(int(times) - 1)) if times.isdigit() else index


class _Writer:
    """The text of one stage."""

    def __init__(self, stage: Stage, program: _Program) -> None:
        self.stage, self.program, self.step = stage, program, stage.step
        self.is_loop = bool(stage.times)
        step = stage.step
        self.lines = lines([*step.next_states, *step.ys])
        self._dependence = Dependence([], step.consts if self.is_loop else [])
        ends = [*step.d_states, *step.d_xs, *step.d_consts]
        ahead = {v for v in self.lines if not self._is_same(v)}
        self.back = [v for v in lines(ends) if v not in ahead]
        self.times = "T" if isinstance(stage.times, tuple) else str(stage.times)
        self.keep = self._keep()
        self.kept = list(self.keep.values())

    def _counted(self) -> list[str]:
        """The line that says how many steps there are, if they must be counted."""
        if not isinstance(self.stage.times, tuple):
            return []
        of, axis, less = self.stage.times
        counts = self.program.counts
        key = counts.get(of, (of, axis, less)) if not axis else (of, axis, less)
        counts |= dict.fromkeys(self.stage.ys, key)
        if self.program.counted == key:
            return []
        self.program.counted = key
        name = self.program.name[of]
        size = f"{name}.shape[{axis}]" if axis else f"len({name})"
        return [f"    T = {size}" + (f" - {less}" if less else "")]

    def _is_same(self, value: Value) -> bool:
        """Whether a value is made of weights and constants only, so that it is computed again."""
        return self._dependence(value) == SAME

    def _keep(self) -> dict[Value, str]:
        """What the backward reads of the forward, and how it is called."""
        step, names = self.step, self.program.names
        ends = {d for d in (*step.d_states, *step.d_xs, *step.d_consts) if d}
        read = ends.union(*[v.args for v in self.back])
        given = {*step.states, *step.xs, *step.consts}
        keep = {}
        for v in self.lines:
            saved = v in read and not self._is_same(v) and v.fn not in ("input", "const")
            if saved and v not in step.next_states:
                own = self._y_of(v)
                keep[v] = own or names.new(v.name or "v")
        for v in step.ys:
            if v not in step.next_states and v not in given and v.fn != "const":
                keep.setdefault(v, self._y_of(v))
        return keep

    def _y_of(self, value: Value) -> str:
        found = [y for v, y in zip(self.step.ys, self.stage.ys) if v is value]
        return self.program.name[found[0]] if found else ""

    def _given(self) -> dict[Value, str]:
        """What the stage is given, as it is read."""
        stage, step, of = self.stage, self.step, self.program.of
        found = {v: f"{self.program.name[s]}[t]" for v, s in zip(step.states, stage.states)}
        found |= {v: of(read, self.times) for v, read in zip(step.xs, stage.xs)}
        return found | {v: of(read) for v, read in zip(step.consts, stage.consts)}

    def _marked(self, name: str) -> str:
        return f"{name}[t]" if self.is_loop else name

    # -- forward --

    def forward(self) -> list[str]:
        """Its lines in the forward."""
        body = Body(
            self.program.names.inside(),
            self.program.steps,
            self._given(),
            {v: self._marked(k) for v, k in self.keep.items()},
        )
        ends = [*self.step.next_states, *self.step.ys]
        text = body.text(self.lines, ends, "        " if self.is_loop else "    ")
        return self._looped(body, text) if self.is_loop else self._once(body, text)

    def _once(self, body: Body, text: list[str]) -> list[str]:
        for v, y in zip(self.step.ys, self.stage.ys):
            name = self.program.name[y]
            if body.called.get(v) != name:
                text.append(f"    {name} = {body.of(v)}")
        return text

    def _looped(self, body: Body, inner: list[str]) -> list[str]:
        stage, step, name = self.stage, self.step, self.program.name
        states = [name[s] for s in stage.states]
        text = self._counted()
        for s, start in zip(states, stage.starts):
            text.append(
                f"    {s} = [{self.program.of(start)}]  # {s}[t + 1] is the state after step t"
            )
        outs = [name[y] for y in stage.ys]
        text += [f"    {k} = [None] * {self.times}" for k in dict.fromkeys([*self.kept, *outs])]
        text += [f"    for t in range({self.times}):", *inner]
        for v, s in zip(step.next_states, states):
            text.append(f"        {s}.append({body.of(v)})")
            if v not in step.states:
                body.called[v] = f"{s}[t + 1]"
        for v, y in zip(step.ys, outs):
            if self.keep.get(v) != y:
                text.append(f"        {y}[t] = {body.of(v)}")
        return [*text, *[f"    {y} = np.stack({y})" for y in outs]]

    # -- backward --

    def backward(self) -> list[str]:
        """Its lines in the backward."""
        stage, step, slope = self.stage, self.step, self.program.slope
        called = self._given()
        called |= {v: self._marked(k) for v, k in self.keep.items()}
        for v, s in zip(step.next_states, stage.states):
            if v not in step.states:
                called.setdefault(v, f"{self.program.name[s]}[t + 1]")
        called |= {g: slope[s] for g, s in zip(step.g_states, stage.states)}
        called |= {g: self._marked(slope[y]) for g, y in zip(step.g_ys, stage.ys)}
        body = Body(self.program.names.inside(), self.program.steps, called, {})
        ends = [
            d for read, d, kind in stage.sent() if kind == "start" or self.program.flows(read, d)
        ]
        wanted = set(lines(ends))
        inner = body.text([v for v in self.back if v in wanted], ends, self._indent())
        if not self.is_loop:
            return [*inner, *self._sent(body, "const")]
        text = self._counted()
        text += [f"    for t in reversed(range({self.times})):", *inner]
        text += [*self._sent(body, "x"), *self._sent(body, "const")]
        after = {
            slope[s]: f"np.zeros_like({slope[s]})" if d is None else body.of(d)
            for d, s in zip(step.d_states, stage.states)
        }
        after = {name: made for name, made in after.items() if name != made}
        if after:
            text.append(f"        {', '.join(after)} = {', '.join(after.values())}")
        return [*text, *self._started()]

    def _indent(self) -> str:
        return "        " if self.is_loop else "    "

    def _sent(self, body: Body, kind: str) -> list[str]:
        """The gradients of what the stage is given."""
        text = []
        for read, d, its in self.stage.sent():
            if its != kind or d is None or not self.program.flows(read, d):
                continue
            target = self.program.slope[read.of]
            target += "" if read.last else _at(read.index, self.times)
            each = kind == "x" and self.program.received[read.of] == 1
            is_set = each or self.program.is_set(read, self.is_loop)
            if d.fn == "add_at" and d not in body.called and not is_set:
                index = index_alone(filled(d.params["index"], map(body.of, d.args[1:])))
                line = f"np.add.at({target}, {index}, {body.of(d.args[0])})"
            else:
                line = f"{target} {'=' if is_set else '+='} {body.of(d)}"
            why = "" if d in body.called else d.why  # else it is said where it is computed
            text.append(commented(of_terms(f"{self._indent()}{line}"), why))
        return text

    def _started(self) -> list[str]:
        """The gradients of what the states began with."""
        text, program = [], self.program
        for (read, d, _), state in zip(self._starts(), self.stage.states):
            if not program.flows(read, d) or read.of is state:
                continue
            sign = "=" if program.is_set(read, False) else "+="
            target = program.slope[read.of] + ("" if read.last else _at(read.index, self.times))
            text.append(f"    {target} {sign} {program.slope[state]}")
        return text

    def _starts(self) -> list[tuple[Read, Value | None, str]]:
        return [each for each in self.stage.sent() if each[2] == "start"]


def _tuple(parts: Sequence[str]) -> str:
    return f"({', '.join(parts)}{',' * (len(parts) == 1)})"


def shape_text(value: Value, before: str = "") -> str:
    """The sizes of a value, as a comment says them."""
    return f"({before}{', '.join(map(str, value.shape))})"
