"""A loop over time, written as the source of a NumPy program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_rnn.compiled.homes import Home, index_text, root, view_text
from tinygrad_rnn.compiled.loop import AFTER, BEFORE, INSIDE, ONCE, Loop
from tinygrad_rnn.compiled.readable import is_sigma
from tinygrad_rnn.compiled.spans import tiling
from tinygrad_rnn.compiled.symbols import VIEWS, Value, filled, is_elementwise

INDEXED = ("take", "add_at", "put")
WORTH = 8
"""Steps from which on a weight is laid out anew for the product in the loop."""


class Source(Loop):
    """A loop that writes itself."""

    by_rows = True
    """Whether it goes through rows that are made once for every step."""

    function = ""
    """The source of a function that it calls, if any."""

    def text(self) -> list[str]:
        """The loop over blocks of steps, with what stands before, in and after that over steps."""
        starts = "reversed(range(0, T, n))" if self.reverse else "range(0, T, n)"
        text = [f"for lo in {starts}:", "    hi = min(lo + n, T)", "    m = hi - lo"]
        for part in (self.batched("before"), self.steps(), self.batched("after"), self.stored()):
            text += [f"    {line}" for line in part]
        return text

    def steps(self) -> list[str]:
        """The loop over the steps of a block."""
        inside = self.inside()
        if not inside:
            return []
        order = "[::-1]" if self.reverse else ""
        names = [name for key, name in self.rows.items() if key.startswith("step ")]
        targets = [f"({', '.join(names)},)" if names else "_"]
        given: dict[str, list[str]] = {}
        for key, name in self.rows.items():
            if key.startswith("given "):
                buffer, path = _split_given(key.removeprefix("given "))
                given.setdefault(buffer, []).append(f"{name} = {buffer}_t{path}")
        sources = [f"{each}[lo:hi]{order}" for each in (f"rows_{self.mark}", *given)]
        targets += [f"{buffer}_t" for buffer in given]
        source = f"zip({', '.join(sources)})" if given else sources[0]
        body = [*(line for part in given.values() for line in part), *inside]
        return [f"for {', '.join(targets)} in {source}:", *[f"    {line}" for line in body]]

    def const(self, value: Value, dtype: Any) -> str:
        """The name of a constant, in the type of what it is used with."""
        number = value.sample
        if not isinstance(number, np.ndarray | np.generic):
            number = np.array(number, dtype if np.dtype(dtype).kind in "fiu" else None)
        array = np.asarray(number)
        key = f"K{value.number}{array.dtype.name}"
        self.consts[key] = array
        return key

    def _arg_dtype(self, value: Value) -> Any:
        kinds = [arg.dtype for arg in value.args if arg.fn != "const"]
        return np.result_type(*kinds) if kinds else value.dtype

    def row(self, value: Value, of: Value) -> str:
        """A value in one step, as the loop names it."""
        if value.fn == "const":
            return self.const(value, self._arg_dtype(of))
        if value in self.same or self.where.get(value) == ONCE:
            return self._once(value)
        chain, at = [], value
        while at not in self.homes and at not in self._inputs:
            chain.append(at)
            at = at.args[0]
        home = self._home(at)
        path = "".join(view_text(each, False) for each in reversed(chain))
        return self._named(home, path)

    def _home(self, value: Value) -> Home:
        return self.given[value] if value in self.given else self.homes[value]

    def _named(self, home: Home, path: str) -> str:
        if home.rows == "given":
            key = f"{home.buffer}{home.within}{path}"
            return self.rows.setdefault(f"given {key}", f"g{len(self.rows)}")
        expression = f"{home.row()}{path}"
        kind = "fixed" if home.rows == "one" else "step"
        return self.rows.setdefault(
            f"{kind} {expression}", f"{'f' if kind == 'fixed' else 'r'}{self.mark}{len(self.rows)}"
        )

    def _once(self, value: Value) -> str:
        return self.same.get(value) or f"k{value.number}"

    def batch(self, value: Value, rank: int | None = None, of: Value | None = None) -> str:
        """A value in all steps of a block; with axes put in to broadcast with ``rank`` axes."""
        if value.fn == "const":
            return self.const(value, self._arg_dtype(of) if of else value.dtype)
        if value in self.same or self.where.get(value) == ONCE:
            return self._once(value)
        if value in self._inputs or (
            value in self.homes and self.where.get(value) not in (BEFORE, AFTER)
        ):
            text = self._home(value).block()
        elif value in self.homes:
            text = f"b{value.number}"
        else:
            text = f"{self.batch(value.args[0])}{view_text(value, True)}"
        missing = 0 if rank is None else rank - len(value.shape)
        if missing > 0:
            text += f"[:, {', '.join(['None'] * missing)}]"
        return text

    def once(self) -> list[str]:
        """The lines that stand before everything."""
        made = [
            f"k{value.number} = {plain(value, self._once_arg(value))}"
            for value in self._lines
            if self.where[value] == ONCE
        ]
        return made + [
            f"{name} = ascontiguousarray({name}) if T > {WORTH} else {name}"
            for name in dict.fromkeys(self._once(value) for value in self._weights())
        ]

    def _weights(self) -> list[Value]:
        """What multiplies in every step, and does so in less time if its rows are of one piece."""
        products = [v for v in self._lines if v.fn == "matmul" and self.where[v] == INSIDE]
        weights = [v.args[1] for v in products if len(v.args[1].shape) == 2]
        return [w for w in weights if w in self.same or self.where.get(w) == ONCE]

    def _once_arg(self, of: Value) -> list[str]:
        return [
            self.const(arg, self._arg_dtype(of)) if arg.fn == "const" else self._once(arg)
            for arg in of.args
        ]

    def batched(self, place: str) -> list[str]:
        """The lines that stand before or after the loop, for a whole block."""
        text = []
        for value in self._lines:
            if self.where[value] != place or root(value) is not value:
                continue
            name = f"b{value.number}"
            text.append(f"{name} = {self.homes[value].block()}")
            text += said_of(value, self._batched_line(value, name))
        return text

    def _batched_line(self, value: Value, out: str) -> list[str]:
        rank, args, params = len(value.shape), value.args, value.params
        if is_elementwise(value):
            given = [self.batch(arg, rank, value) for arg in args]
            if value.fn == "where":
                return [f"copyto({out}, where({', '.join(given)}))"]
            return [called(value.fn, given, out)]
        if value.fn == "matmul":
            return [self._batched_product(value, out)]
        if value.fn in ("sum", "max", "min", "mean", "prod"):
            axes = tuple(axis + 1 for axis in params["axis"])
            x = self.batch(args[0])
            return [f"np.{value.fn}({x}, axis={axes}, keepdims={params['keepdims']}, out={out})"]
        if value.fn == "concatenate":
            given = [self.batch(arg) for arg in args]
            return [f"concatenate([{', '.join(given)}], {params['axis'] + 1}, out={out})"]
        if value.fn == "assemble":
            return self._assembling(value, out, True)
        if value.fn in VIEWS:
            return [f"copyto({out}, {self.batch(args[0])}{view_text(value, True)})"]
        if value.fn == "take":
            return [f"copyto({out}, {self.batch(args[0])}[{self.batch(args[1])}])"]
        x = self.batch(args[0], rank, value)
        return [f"copyto({out}, {x}, casting='unsafe')"]

    def _batched_product(self, value: Value, out: str) -> str:
        a, b = value.args
        x, y = self.batch(a), self.batch(b)
        ra, rb = len(a.shape), len(b.shape)
        a_same, b_same = self._is_same(a), self._is_same(b)
        if b_same and not a_same and rb == 2:
            if ra == 2 and not self.homes[value].within_all:
                return f"dot({flat(x, a)}, {y}, {flat(out, value)})"
            return f"matmul({x}, {y}, {out})"
        if ra == 1 and rb == 1:
            return f"np.sum({x} * {y}, -1, out={out})"
        if ra == 1:
            x = f"{x}[None]" if a_same else f"{x}[:, None]"
            return f"matmul({x}, {y}, {out}[:, None])"
        if rb == 1:
            y = f"{y}[:, None]" if b_same else f"{y}[:, :, None]"
            return f"matmul({x}, {y}, {out}[:, :, None])"
        return f"matmul({x}, {y}, {out})"

    def _is_same(self, value: Value) -> bool:
        return value.fn == "const" or value in self.same or self.where.get(value) == ONCE

    def _assembling(self, value: Value, out: str, batched: bool) -> list[str]:
        """Parts that are not computed in their place are put there."""
        text, fills = [], tiling(value) is not None
        if not fills:
            text.append(f"{out}[...] = 0")
        for part, index in zip(value.args, value.params["indices"], strict=True):
            source = part
            while source.fn == "reshape" and source not in self._dest and source not in self.homes:
                source = source.args[0]
            if self._dest.get(source, (None,))[0] is value:
                continue
            x = self.batch(part, None, value) if batched else self.row(part, value)
            place = f"{out}{index_text((*index, Ellipsis), batched)}"
            text.append(f"copyto({place}, {x})" if fills else f"add({place}, {x}, {place})")
        return text

    def inside(self) -> list[str]:
        """The lines of one step."""
        text = []
        for value in self._lines:
            if self.where[value] == INSIDE and root(value) is value:
                text += said_of(value, self._line(value))
        for after, target in self._next:
            if after is not None and self.homes.get(after) != target:
                text.append(f"copyto({self._named(target, '')}, {self.row(after, after)})")
        return text

    def _line(self, value: Value) -> list[str]:
        home = self.homes[value]
        out = self._named(home, "")
        args, params = value.args, value.params
        given = [self.row(arg, value) for arg in args] if value.fn != "assemble" else []
        if value.fn == "where":
            return [f"copyto({out}, where({', '.join(given)}))"]
        if is_elementwise(value):
            return [called(value.fn, given, out)]
        if value.fn == "matmul":
            flat = all(len(arg.shape) in (1, 2) for arg in args) and not home.within
            return [f"{'dot' if flat else 'matmul'}({', '.join(given)}, {out})"]
        if value.fn in ("sum", "max", "min", "mean", "prod"):
            return [
                f"np.{value.fn}({given[0]}, axis={params['axis']}, keepdims={params['keepdims']}, "
                f"out={out})"
            ]
        if value.fn == "concatenate":
            return [f"concatenate([{', '.join(given)}], {params['axis']}, out={out})"]
        if value.fn == "assemble":
            return self._assembling(value, out, False)
        if value.fn in VIEWS:
            path = view_text(value, False)
            return [f"copyto({out}, {given[0]}{path})"]
        if value.fn in INDEXED:
            index = index_text(filled(params["index"], given[1 + (value.fn == "put") :]))
            if value.fn == "put":
                return [f"copyto({out}, {given[0]})", f"{out}{index or '[...]'} = {given[1]}"]
            if value.fn == "take":
                return [f"copyto({out}, {given[0]}{index})"]
            return [f"{out}[...] = 0", f"np.add.at({out}, np.s_{index}, {given[0]})"]
        if value.fn in ("cumsum", "cumprod"):
            return [f"np.{value.fn}({given[0]}, axis={params['axis']}, out={out})"]
        return [f"copyto({out}, {given[0]}, casting='unsafe')"]

    def stored(self) -> list[str]:
        """What is summed over the steps of a block, added to the sums."""
        return [
            f"np.add.at(s{total.number}, {self.batch(total.args[1])}, {self.batch(total.args[0])})"
            if total.fn == "total_at"
            else f"s{total.number} += {self._total(total)}"
            for total in self.totals
        ]

    def _total(self, total: Value) -> str:
        given = [self.batch(arg) for arg in total.args]
        if all(self._is_same(arg) for arg in total.args):
            return f"m * ({plain(total, given)})"
        given = [
            f"broadcast_to({x}, (m, *{arg.shape}))" if self._is_same(arg) else x
            for x, arg in zip(given, total.args)
        ]
        if total.fn == "total_product":
            a, b = (flat(x, arg) for x, arg in zip(given, total.args))
            return f"{a}.T.dot({b})"
        if total.fn == "total_outer":
            a, b = (f"{x}.reshape(m, {n})" for x, n in zip(given, total.shape))
            return f"{a}.T.dot({b})"
        if total.fn == "total_rows":
            (value,) = total.args
            return f"ones(m * {value.shape[0]}, '{value.dtype.char}').dot({flat(given[0], value)})"
        return f"{given[0]}.sum(0)"


def flat(text: str, value: Value) -> str:
    """The rows of a matrix in all steps of a block, below each other."""
    rows, columns = value.shape
    return f"{text}.reshape(m * {rows}, {columns})"


def said_of(value: Value, text: Sequence[str]) -> list[str]:
    """Lines with what there is to say of what they make: its name, and whether it is a σ."""
    words = [*([value.name] if value.name else []), *(["σ"] if is_sigma(value) else [])]
    return [*text[:-1], f"{text[-1]}  # {', '.join(words)}"] if words and text else [*text]


def called(fn: str, given: Sequence[str], out: str) -> str:
    """A ufunc's call; NumPy takes a result's place by position in less time, but not of all."""
    place = f"out={out}" if fn in ("maximum", "minimum") else out
    return f"{fn}({', '.join(given)}, {place})"


def plain(value: Value, args: Sequence[str]) -> str:
    """A line as an expression."""
    fn, params = value.fn, value.params
    if fn in VIEWS and fn != "getitem":
        return f"{args[0]}{view_text(value, False)}"
    if fn == "getitem":
        return f"{args[0]}{index_text(params['index'])}"
    if fn in ("sum", "max", "min", "mean", "prod"):
        return f"np.{fn}({args[0]}, axis={params['axis']}, keepdims={params['keepdims']})"
    if fn == "concatenate":
        return f"concatenate([{', '.join(args)}], {params['axis']})"
    if fn == "astype":
        return f"{args[0]}.astype('{params['dtype'].char}')"
    if fn == "broadcast_to":
        return f"broadcast_to({args[0]}, {params['shape']})"
    if fn == "total_rows":
        return f"{args[0]}.sum(0)"
    if fn == "total_product":
        return f"{args[0]}.T @ {args[1]}"
    if fn == "total_outer":
        return f"{args[0]}.reshape(-1, 1) * {args[1]}.reshape(1, -1)"
    if fn == "take":
        return f"{args[0]}{index_text(filled(params['index'], args[1:]))}"
    if fn == "put":
        return f"replaced({', '.join(args)}, index={params['index']})"
    if fn == "add_at":
        return f"added_at({', '.join(args)}, index={params['index']}, shape={params['shape']})"
    if fn in ("cumsum", "cumprod"):
        return f"np.{fn}({args[0]}, axis={params['axis']})"
    if fn == "total":
        return args[0]
    return f"{fn}({', '.join(args)})"


def _split_given(expression: str) -> tuple[str, str]:
    """The array, and what stands behind its name."""
    end = next((i for i, c in enumerate(expression) if not (c.isalnum() or c == "_")), None)
    return (expression, "") if end is None else (expression[:end], expression[end:])
