"""A step and its backward as a NumPy program to read: the loop over time, and nothing clever."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_rnn.compiled.homes import index_text
from tinygrad_rnn.compiled.lines import SAME, Dependence, lines, uses
from tinygrad_rnn.compiled.spans import tiling
from tinygrad_rnn.compiled.symbols import VIEWS, Value
from tinygrad_rnn.compiled.trace import COTANGENT, Traced

_INFIX = {
    "add": ("+", 4), "subtract": ("-", 4), "multiply": ("*", 5), "divide": ("/", 5),
    "matmul": ("@", 5), "power": ("**", 7), "less_equal": ("<=", 2), "less": ("<", 2),
    "greater": (">", 2), "greater_equal": (">=", 2),
}  # fmt: skip
_ATOM, _UNARY = 9, 6
WIDTH = 88
_BREAK = ",\0"  # where a line may be broken


_PUT = [
    "def _put(whole, index, part):",
    "    whole[index] += part",
    "    return whole",
    "",
    "",
]


class _Names:
    """What values are called in the program: each name once."""

    def __init__(self) -> None:
        self._taken = {"np", "t", "T", "forward", "backward", "saved", "len", "range", "reversed"}

    def new(self, wish: str) -> str:
        """A name that is free, near the one wished for."""
        name = re.sub(r"\W", "_", wish.replace(COTANGENT, "d")) or "v"
        if keyword.iskeyword(name) or not name.isidentifier():
            name = f"v_{re.sub('[^A-Za-z0-9_]', '_', name)}"
        free, n = name, 2
        while free in self._taken:
            free, n = f"{name}{n}", n + 1
        self._taken.add(free)
        return free


def program_text(
    step: Traced, title: str, states: Sequence[str], xs: Sequence[str], consts: Sequence[str],
    ys: Sequence[str],
) -> str:  # fmt: skip
    """The program of a traced step, with these names for what it is given and gives."""
    return _Program(step, title, states, xs, consts, ys).text()


class _Program:
    def __init__(
        self, step: Traced, title: str, states: Sequence[str], xs: Sequence[str],
        consts: Sequence[str], ys: Sequence[str],
    ) -> None:  # fmt: skip
        self.step, self.title = step, title
        self.names = names = _Names()
        self.states = [names.new(s) for s in states]
        self.xs = [names.new(x) for x in xs]
        self.consts = [names.new(c) for c in consts]
        self.ys = [names.new(y) for y in ys]
        self.forward = lines([*step.next_states, *step.ys])
        self._dependence = Dependence([], step.consts)
        ends = [*step.d_states, *step.d_xs, *step.d_consts]
        ahead = {v for v in self.forward if not self._is_same(v)}
        self.backward = [v for v in lines(ends) if v not in ahead]
        self.saved = self._saved()
        self.called: dict[Value, str] = {}
        for values, own, index in (
            (step.states, self.states, "[t]"), (step.xs, self.xs, "[t]"),
            (step.consts, self.consts, ""),
        ):  # fmt: skip
            self.called |= {v: f"{name}{index}" for v, name in zip(values, own, strict=True)}
        self.d_states = [names.new(f"d{s}") for s in self.states]
        self.d_ys = [names.new(f"d{y}") for y in self.ys]
        self.called |= dict(zip(step.g_states, self.d_states))
        self.called |= {v: f"{d}[t]" for v, d in zip(step.g_ys, self.d_ys)}

    def _is_same(self, value: Value) -> bool:
        """Whether a value is made of weights and constants only."""
        return self._dependence(value) == SAME

    def _saved(self) -> list[Value]:
        """What the backward reads of the forward, in the order of the program."""
        ends = {d for d in (*self.step.d_states, *self.step.d_xs, *self.step.d_consts) if d}
        read = ends.union(*[v.args for v in self.backward])
        mine = [v for v in self.forward if v in read and not self._is_same(v)]
        return [v for v in mine if v.fn not in ("input", "const")]

    # -- text --

    def text(self) -> str:
        """All of it."""
        head = [f'"""{self.title}: forward and backward through time, in NumPy alone."""', ""]
        body = [*self._forward(), "", "", *self._backward()]
        body = [line.replace(_BREAK, ", ") for line in body]
        helper = _PUT if any("_put(" in line for line in body) else []
        return "\n".join([*head, "import numpy as np", "", "", *helper, *body]) + "\n"

    def _forward(self) -> list[str]:
        step, given = self.step, [*self.xs, *self.states, *self.consts]
        text = [f"def forward({', '.join(given)}):"]
        text += [f"    # {name}: {self._shape(v, 'T, ')}" for v, name in zip(step.xs, self.xs)]
        text += [f"    # {n}: {self._shape(v)}, the initial one" for v, n in zip(
            step.states, self.states)]  # fmt: skip
        text += [f"    # {name}: {self._shape(v)}" for v, name in zip(step.consts, self.consts)]
        text.append(f"    T = len({self.xs[0]})")
        text += [f"    {s} = [{s}]  # {s}[t + 1] is the state after step t" for s in self.states]
        nexts = dict(zip(step.next_states, self.states))
        keep = {v: self.names.new(v.name or "v") for v in self.saved if v not in nexts}
        for v, y in zip(step.ys, self.ys):
            if v in nexts:
                continue
            keep.setdefault(v, y)
        for name in dict.fromkeys([*keep.values(), *self.ys]):
            text.append(f"    {name} = [None] * T")
        text.append("    for t in range(T):")
        body = self._body(self.forward, [*step.next_states, *step.ys], keep, "        ")
        text += body
        for v, s in zip(step.next_states, self.states):
            text.append(f"        {s}.append({self._of(v)})")
            if v not in step.states:
                self.called[v] = f"{s}[t + 1]"
        for v, y in zip(step.ys, self.ys):
            if keep.get(v) != y:
                text.append(f"        {y}[t] = {self._of(v)}")
        nexts = {v: s for v, s in nexts.items() if v not in step.states}
        there = {*step.states, *step.xs, *step.consts, *step.g_states, *step.g_ys, *keep, *nexts}
        self.called = {v: name for v, name in self.called.items() if v in there}
        self.keeps = list(dict.fromkeys([*self.states, *keep.values()]))
        outs = _tuple([f"np.stack({y})" for y in self.ys])
        ends = _tuple([f"{s}[-1]" for s in self.states])
        text.append(f"    saved = {', '.join([*self.xs, *self.consts, *self.keeps])}")
        text.append(f"    return {outs}, {ends}, saved")
        return text

    def _backward(self) -> list[str]:
        step = self.step
        given = [*self.d_ys, *self.d_states]
        text = [f"def backward({', '.join(given)}, saved):"]
        text += [f"    # {d}: ∂L/∂{y}, of every step" for d, y in zip(self.d_ys, self.ys)]
        text += [f"    # {d}: ∂L/∂{s} after the last step" for d, s in zip(
            self.d_states, self.states)]  # fmt: skip
        text.append(f"    {', '.join([*self.xs, *self.consts, *self.keeps])} = saved")
        text.append(f"    T = len({self.xs[0]})")
        d_xs = [self.names.new(f"d{x}") for x in self.xs]
        d_consts = [self.names.new(f"d{c}") for c in self.consts]
        text += [f"    {d} = np.zeros_like({x})" for d, x in zip(d_xs, self.xs)]
        text += [f"    {d} = np.zeros_like({c})" for d, c in zip(d_consts, self.consts)]
        text.append("    for t in reversed(range(T)):")
        ends = [*step.d_states, *step.d_xs, *step.d_consts]
        text += self._body(self.backward, ends, {}, "        ")
        for v, d in zip(step.d_xs, d_xs):
            if v is not None:
                text.append(f"        {d}[t] = {self._of(v)}")
        for v, d in zip(step.d_consts, d_consts):
            if v is not None:
                text.append(f"        {d} += {self._of(v)}")
        after = [
            f"np.zeros_like({d})" if v is None else self._of(v)
            for v, d in zip(step.d_states, self.d_states)
        ]
        text.append(f"        {', '.join(self.d_states)} = {', '.join(after)}")
        rows = [_tuple(names) for names in (d_xs, self.d_states, d_consts)]
        text.append(f"    return {', '.join(rows)}")
        return text

    def _shape(self, value: Value, before: str = "") -> str:
        return f"({before}{', '.join(map(str, value.shape))})"

    def _body(
        self, values: Sequence[Value], ends: Sequence[Value | None], keep: Mapping[Value, str],
        indent: str,
    ) -> list[str]:  # fmt: skip
        """A line for what has a name or is read more than once; the rest stands inside these."""
        count, text, self.written = uses(ends), [], dict[Value, tuple[str, int]]()
        for value in values:
            if value in self.called or value.fn in ("const", "input"):
                continue
            expression = self._expression(value)
            once = count[value] <= 1 and not value.name and value not in keep
            trivial = value.fn in VIEWS and not value.name
            if (once or trivial) and value not in keep and len(expression[0]) < WIDTH:
                self.written[value] = expression
                continue
            if value in keep:
                self.called[value] = f"{keep[value]}[t]"
            else:
                self.called[value] = self.names.new(value.name or "v")
            line = f"{indent}{self.called[value]} = {expression[0]}"
            if len(line) > WIDTH and value.fn == "assemble":
                line = line.replace(_BREAK, f",\n{indent}    ")
            text.append(f"{line}{self._comment(value)}")
        return text

    def _comment(self, value: Value) -> str:
        shape = f"  # {self._shape(value)}"
        return f"{shape}, ∂L/{value.name}" if value.name.startswith(COTANGENT) else shape

    def _of(self, value: Value, above: int = 0) -> str:
        """A value where it is used, in brackets if what stands around binds more."""
        if value in self.called:
            return self.called[value]
        if value.fn == "const":
            return _number(value.sample)
        text, strength = self.written.get(value) or self._expression(value)
        return f"({text})" if strength < above else text

    def _expression(self, value: Value) -> tuple[str, int]:
        fn, args, params = value.fn, value.args, value.params
        if fn in _INFIX:
            sign, strength = _INFIX[fn]
            less = args[-1]
            if fn == "add" and less.fn == "negative" and less not in self.called:
                sign, args = "-", (args[0], less.args[0])
            left, right = self._of(args[0], strength), self._of(args[1], strength + 1)
            return f"{left} {sign} {right}", strength
        if fn == "negative":
            return f"-{self._of(args[0], _UNARY)}", _UNARY
        if fn == "getitem":
            return f"{self._of(args[0], _ATOM)}{index_text(params['index'])}", _ATOM
        if fn == "transpose":
            plain = params["axes"] == tuple(range(len(value.shape)))[::-1]
            how = ".T" if plain else f".transpose{params['axes']}"
            return f"{self._of(args[0], _ATOM)}{how}", _ATOM
        if fn == "reshape":
            return f"{self._of(args[0], _ATOM)}.reshape{params['shape']}", _ATOM
        given = [self._of(arg) for arg in args]
        if fn in ("sum", "max", "min", "mean"):
            axis = params["axis"][0] if len(params["axis"]) == 1 else params["axis"]
            more = ", keepdims=True" if params["keepdims"] else ""
            return f"{self._of(args[0], _ATOM)}.{fn}({axis}{more})", _ATOM
        if fn == "assemble":
            tiles = tiling(value)
            if tiles is not None:
                axis, parts = tiles
                row = _BREAK.join(self._of(part) for _, part in parts)
                return f"np.concatenate([{row}], {axis})", _ATOM
            zero = f"np.zeros({value.shape}, '{value.dtype.char}')"
            for part, index in zip(given, params["indices"], strict=True):
                where = "np.s_" + index_text(index)
                zero = f"_put({zero}, {where}, {part})"
            return zero, _ATOM
        if fn == "concatenate":
            return f"np.concatenate([{', '.join(given)}], {params['axis']})", _ATOM
        if fn == "astype":
            return f"{self._of(args[0], _ATOM)}.astype('{params['dtype'].char}')", _ATOM
        if fn == "broadcast_to":
            return f"np.broadcast_to({given[0]}, {params['shape']})", _ATOM
        return f"np.{fn}({', '.join(given)})", _ATOM


def _tuple(parts: Sequence[str]) -> str:
    return f"({', '.join(parts)}{',' * (len(parts) == 1)})"


def _number(number: Any) -> str:
    array = np.asarray(number)
    if array.ndim == 0:
        text = repr(array.item())
        return f"({text})" if text.startswith("-") else text
    return f"np.array({array.tolist()}, '{array.dtype.char}')"
