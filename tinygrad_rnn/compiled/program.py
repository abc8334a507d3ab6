"""A step and its backward, compiled: two functions over whole sequences."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_rnn.compiled.elements import Elements, busiest
from tinygrad_rnn.compiled.homes import Home, Storage, root, view_text
from tinygrad_rnn.compiled.lines import SAME, Dependence, lines
from tinygrad_rnn.compiled.native import MOST, contiguous, is_installed, loaded
from tinygrad_rnn.compiled.passes import apart, quicker
from tinygrad_rnn.compiled.source import Source, plain
from tinygrad_rnn.compiled.symbols import FUNCTIONS, Value
from tinygrad_rnn.compiled.totals import TOTALS, total
from tinygrad_rnn.compiled.trace import Traced

BLOCK = 1 << 18
"""Elements that the buffers of a block of steps may have together."""

IDLE = 4
"""Workspaces of one length, and lengths, that are kept for the next call."""
_BY_NAME = (
    "empty",
    "ones",
    "zeros",
    "dot",
    "copyto",
    "where",
    "concatenate",
    "broadcast_to",
    "ascontiguousarray",
)


@dataclass
class Program:
    """What was compiled for one kind of step, shapes and types.

    Attributes
    ----------
    source : str
        The text of the program.
    rewritten : function
        Gives the same program with its loops over elements compiled by numba; None if it cannot.
    form : object
        Of what goes out; whoever asks for the program may keep it here.
    calls : int
        How often it has been asked for.
    """

    source: str
    namespace: dict[str, Any]
    differentiates: bool
    rewritten: Callable[[], Program | None]
    form: Any = None
    calls: int = 0
    # a lock to enter again: the garbage collector may give a workspace back at any moment
    _pool: dict[int, list[Any]] = field(default_factory=dict)
    _lock: Any = field(default_factory=threading.RLock)

    def workspace(self, steps: int) -> Any:
        """Buffers for so many steps, for the caller alone until they are given back."""
        with self._lock:
            free = self._pool.get(steps)
            if free:
                return free.pop()
        return self.namespace["workspace"](steps)

    def give_back(self, steps: int, workspace: Any) -> None:
        """Let others use a workspace."""
        with self._lock:
            if steps not in self._pool and len(self._pool) >= IDLE:
                self._pool.pop(next(iter(self._pool)))
            idle = self._pool.setdefault(steps, [])
            if len(idle) < IDLE:
                idle.append(workspace)

    def try_out(self, step: Traced) -> None:
        """Run once, of two steps of the numbers that it was traced with."""
        xs = [np.stack([x.sample] * 2) for x in step.xs]
        states, consts = ([x.sample for x in group] for group in (step.states, step.consts))
        workspace = self.workspace(2)
        ys, ends = self.forward(workspace, xs, states, consts)
        if self.differentiates:
            self.backward(workspace, xs, consts, ys, ends)
        self.give_back(2, workspace)

    def forward(self, workspace: Any, xs: Any, states: Any, consts: Any) -> tuple[Any, Any]:
        """(what goes out, the last state), of whole sequences."""
        with np.errstate(all="ignore"):
            found: tuple[Any, Any] = self.namespace["forward"](workspace, *xs, *states, *consts)
        return found

    def backward(
        self, workspace: Any, xs: Any, consts: Any, g_ys: Any, g_states: Any
    ) -> tuple[Any, Any, Any]:
        """The cotangents of (what comes in, the initial state, what is always the same)."""
        with np.errstate(all="ignore"):
            found: tuple[Any, Any, Any] = self.namespace["backward"](
                workspace, *xs, *consts, *g_ys, *g_states
            )
        return found


Wants = tuple[Sequence[bool], bool, Sequence[bool]]
"""Whether derivatives are wanted: by what comes in, by any initial state, by the weights."""


def compiled(
    step: Traced, want_xs: Sequence[bool], want_states: bool, want_consts: Sequence[bool]
) -> Program:
    """Compile a traced step, with the derivatives that somebody wants."""
    wants = want_xs, want_states, want_consts
    text = _Text(step, wants)
    few = is_installed() and busiest(text.loops) <= MOST
    return _program(text, lambda: _further(step, wants) if few else None)


def _further(step: Traced, wants: Wants) -> Program | None:
    try:
        return by_elements(step, wants)
    except Exception:  # whatever the compiler stumbles over: the NumPy program goes on
        return None


def by_elements(step: Traced, wants: Wants) -> Program:
    """The same, with loops over elements that numba compiles.

    Raises
    ------
    CannotWrite
        If something in the step is not for loops over elements.
    """
    text = _Text(step, wants, Elements)
    program = _program(text, lambda: None)
    functions = [f for loop in text.loops if (f := loop.function)]
    program.namespace |= loaded(functions, text.consts) | {"contiguous": contiguous}
    program.try_out(step)
    return program


def _program(text: _Text, rewritten: Callable[[], Program | None]) -> Program:
    source = text.source()
    namespace = {
        name: found
        for name, found in vars(np).items()
        if isinstance(found, np.ufunc) or name in _BY_NAME
    }
    namespace |= {"np": np, "added_at": FUNCTIONS["add_at"], "replaced": FUNCTIONS["put"]}
    namespace |= text.consts
    exec(compile(source, "<program of one step>", "exec"), namespace)
    return Program(source, namespace, text.wanted, rewritten)


class _Text:
    """The text of a program, on the way."""

    def __init__(self, step: Traced, wants: Wants, kind: type[Source] = Source) -> None:
        want_xs, want_states, want_consts = wants
        self.step, self.kind = step, kind
        self.wanted = any(want_xs) or want_states or any(want_consts)
        self.consts: dict[str, Any] = {}
        self.storage = Storage(reuse=kind.by_rows)
        self._improve(want_xs, want_consts)
        self.same = {value: f"w{i}" for i, value in enumerate(step.consts)}
        self.xs = {value: Home(f"x{i}", "given") for i, value in enumerate(step.xs)}
        self.loops = [self._forward()]
        if self.wanted:
            self.loops.append(self._backward())

    def _improve(self, want_xs: Sequence[bool], want_consts: Sequence[bool]) -> None:
        step, book = self.step, self.step.book
        count, outs = len(step.next_states), len(step.ys)
        d_xs = [d if want else None for d, want in zip(step.d_xs, want_xs, strict=True)]
        d_consts = [d if want else None for d, want in zip(step.d_consts, want_consts, strict=True)]
        roots = [*step.next_states, *step.ys, *step.d_states, *d_xs, *d_consts]
        if not self.wanted:
            roots = [*step.next_states, *step.ys]
        improve = quicker if self.kind.by_rows else apart
        roots = improve(
            book, roots,
            Dependence(step.states, step.consts), Dependence(step.g_states, step.consts),
            slice(count + outs, 2 * count + outs),
        )  # fmt: skip
        it = iter(roots)
        self.next_states: Any = [next(it) for _ in range(count)]
        self.ys: Any = [next(it) for _ in range(outs)]
        if self.wanted:
            none = [book.const(np.zeros(g.shape, g.dtype)) for g in step.g_states]
            self.d_states = [next(it) or zero for zero in none]
            self.d_xs = [next(it) for _ in step.d_xs]
            self.d_consts = [None if d is None else total(book, d) for d in it]

    def _saved(self) -> list[Value]:
        """What the backward reads of the forward."""
        step = self.step
        sums = [arg for t in self._totals() for arg in t.args]
        own = set(lines([*self.next_states, *self.ys]))
        same = Dependence([], step.consts)
        read = lines([*self.d_states, *self.d_xs, *sums], own.__contains__)
        kept = {root(v) for v in read if v in own and same(v) != SAME and v.fn != "const"}
        return sorted(kept, key=lambda value: value.number)

    def _totals(self) -> list[Value]:
        return [v for v in lines(self.d_consts) if v.fn in TOTALS]

    def _forward(self) -> Source:
        self.saved = self._saved() if self.wanted else []
        kept: dict[Value, str] = {v: "steps" for v in self.saved if v.fn != "input"}
        states, nexts = self.step.states, [root(v) for v in self.next_states]
        outs = {root(y) for y in self.ys}
        whole = {
            value
            for value, after in zip(states, nexts, strict=True)
            if self.wanted or {value, after} & outs
        }
        for i, y in enumerate(self.ys):
            at = root(y)
            is_carried = at in self.next_states  # not just a part of it
            if at.fn not in ("input", "const") and not is_carried and at not in kept:
                kept[at] = f"y{i}" if at is y else "steps"
        loop = self.kind(
            self.storage, list(zip(states, self.next_states)), dict(self.xs), dict(self.same),
            kept, [], whole, mark="f", consts=self.consts,
        )  # fmt: skip
        self.storage.forget()
        return loop

    def _backward(self) -> Source:
        step, forward = self.step, self.loops[0]
        homes = dict(self.xs)
        for i, value in enumerate(step.g_ys):
            homes[value] = Home(f"gy{i}", "given")
        homes |= forward.given
        homes |= {value: forward.homes[value] for value in self.saved if value.fn != "input"}
        kept: dict[Value, str] = {}
        for i, d in enumerate(self.d_xs):
            if d is not None and root(d) not in homes and root(d).fn not in ("input", "const"):
                kept.setdefault(root(d), f"dx{i}" if root(d) is d else "steps")
        return self.kind(
            self.storage, list(zip(step.g_states, self.d_states)), homes, dict(self.same), kept,
            self._totals(), set(), reverse=True, mark="b", consts=self.consts,
        )  # fmt: skip

    # -- text --

    def source(self) -> str:
        """The whole program."""
        self.bodies = [loop.text() for loop in self.loops]  # they name their rows
        functions = [self._forward_text()]
        if self.wanted:
            functions.append(self._backward_text())
        return "\n\n".join([self._workspace_text(), *functions]) + "\n"

    def _names(self) -> list[str]:
        names = ["T", "n", *[name for name, *_ in self.storage.buffers]]
        for loop in self.loops:
            names += [name for key, name in loop.rows.items() if key.startswith("fixed")]
            names += [f"rows_{loop.mark}"] if loop.by_rows else []
        return names

    def _workspace_text(self) -> str:
        elements = sum(math.prod(s) for _, rows, s, _ in self.storage.buffers if rows == "block")
        text = ["def workspace(T):", f"    n = min(T, {max(1, BLOCK // max(1, elements))})"]
        heads = {"steps": "T + 1, ", "block": "n, ", "pair": "2, ", "one": ""}
        for name, rows, shape, dtype in self.storage.buffers:
            sizes = heads[rows] + "".join(f"{size}, " for size in shape)
            text.append(f"    {name} = empty(({sizes}), '{dtype.char}')")
        for loop in self.loops:
            step = []
            for key, name in loop.rows.items():
                kind, expression = key.split(" ", 1)
                if kind == "fixed":
                    text.append(f"    {name} = {expression}")
                elif kind == "step":
                    step.append(expression)
            if loop.by_rows:
                row = "".join(f"{expression}, " for expression in step)
                text.append(f"    rows_{loop.mark} = [({row}) for t in range(T)]")
        text.append(f"    return {', '.join(self._names())}")
        return "\n".join(text)

    def _forward_text(self) -> str:
        loop, step, body = self.loops[0], self.step, self.bodies[0]
        given = [f"x{i}" for i, _ in enumerate(step.xs)]
        given += [f"i{i}" for i, _ in enumerate(step.states)] + list(self.same.values())
        text = [f"{', '.join(self._names())} = ws", *loop.once()]
        text += [f"{loop.first_row(home)} = i{i}" for i, home in enumerate(loop.given.values())]
        text += self._outsides(loop)
        text += body
        text.append("lo, hi, m = 0, T, T")
        ys = [self._whole(loop, y, f"y{i}") for i, y in enumerate(self.ys)]
        ends = [f"{loop.last_row(home)}.copy()" for home in loop.given.values()]
        text.append(f"return ({_row(ys)}), ({_row(ends)})")
        return "\n    ".join([f"def forward(ws, {', '.join(given)}):", *text])

    def _outsides(self, loop: Source) -> list[str]:
        """Arrays of their own for what goes out."""
        return [
            f"{target} = empty((T, {''.join(f'{n}, ' for n in value.shape)}), '{value.dtype.char}')"
            for value, target in loop.kept.items()
            if target != "steps" and loop.where.get(value) in ("before", "after")
        ]

    def _whole(self, loop: Source, value: Value, target: str) -> str:
        """Something of all steps, in an array that nobody else has."""
        at = root(value)
        if value is at and loop.homes.get(at) == Home(target, "given"):
            return target
        if loop._is_same(value):
            name = loop.batch(value)
            return f"np.array(broadcast_to({name}, (T, *{value.shape})))"
        chain = []
        while value is not at:
            chain.append(value)
            value = value.args[0]
        path = "".join(view_text(each, True) for each in reversed(chain))
        return f"{loop._home(at).block()}{path}.copy()"

    def _backward_text(self) -> str:
        loop, step, body = self.loops[1], self.step, self.bodies[1]
        given = [f"x{i}" for i, _ in enumerate(step.xs)] + list(self.same.values())
        given += [f"gy{i}" for i, _ in enumerate(step.g_ys)]
        given += [f"gs{i}" for i, _ in enumerate(step.g_states)]
        text = [f"{', '.join(self._names())} = ws", *loop.once()]
        text += [f"{loop.first_row(home)} = gs{i}" for i, home in enumerate(loop.given.values())]
        text += [f"s{t.number} = zeros({t.shape}, '{t.dtype.char}')" for t in loop.totals]
        text += self._outsides(loop)
        text += body
        text.append("lo, hi, m = 0, T, T")
        dxs = [
            "None" if d is None else self._whole(loop, d, f"dx{i}") for i, d in enumerate(self.d_xs)
        ]
        ends = [f"{loop.last_row(home)}.copy()" for home in loop.given.values()]
        names = {t: f"s{t.number}" for t in loop.totals}
        for value in lines(self.d_consts, names.__contains__):
            if value not in names and value.fn != "const":
                args = [
                    loop.const(arg, value.dtype) if arg.fn == "const" else names[arg]
                    for arg in value.args
                ]
                names[value] = f"t{value.number}"
                text.append(f"t{value.number} = {plain(value, args)}")
        dcs = ["None" if d is None else names[d] for d in self.d_consts]
        text.append(f"return ({_row(dxs)}), ({_row(ends)}), ({_row(dcs)})")
        return "\n    ".join([f"def backward(ws, {', '.join(given)}):", *text])


def _row(names: Sequence[str]) -> str:
    return "".join(f"{name}, " for name in names)
