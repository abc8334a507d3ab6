"""A loop over time as the source of a NumPy program.

What does not wait for the step before is done for a block of steps at once, before the loop or
after it; results go straight into the buffers where they are needed; buffers, and views of them
step by step, are made once for all calls (the workspace).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_rnn.compiled.lines import CARRIED, SAME, Dependence, lines
from tinygrad_rnn.compiled.passes import tiling
from tinygrad_rnn.compiled.readable import is_sigma
from tinygrad_rnn.compiled.symbols import AT, VIEWS, Value, filled, is_elementwise

ONCE, BEFORE, INSIDE, AFTER = "once", "before", "inside", "after"
"""Where a line stands: before all, or before, in or after the loop over the steps of a block."""

BATCHED = {
    "sum", "max", "min", "mean", "prod", "concatenate", "assemble", "broadcast_to", "astype",
    "matmul", "where", *VIEWS,
}  # fmt: skip
INDEXED = ("take", "add_at", "put")


@dataclass(frozen=True)
class Home:
    """Where a value lies: a buffer, and how its rows follow time.

    ``rows``: "steps" (one for each), "block" (of the steps of a block), "pair" (every other),
    "one" (the same at every step), "given" (not in the workspace).  ``later``: rows further on.
    """

    buffer: str
    rows: str
    later: int = 0
    within: str = ""  # an index into a row, or a reshape of it
    within_all: str = ""  # the same of all rows at once

    def row(self) -> str:
        """The row of step t, in the workspace."""
        t = f"t + {self.later}" if self.later else "t"
        index = {
            "steps": f"[{t}, ...]", "block": f"[({t}) % n, ...]", "pair": f"[({t}) % 2, ...]",
            "one": "",
        }  # fmt: skip
        return f"{self.buffer}{index[self.rows]}{self.within}"

    def block(self) -> str:
        """The rows of a block of steps."""
        if self.rows == "one":
            return f"{self.buffer}{self.within_all}"
        ends = f"[lo + {self.later}:hi + {self.later}]" if self.later else "[lo:hi]"
        return f"{self.buffer}{'[:m]' if self.rows == 'block' else ends}{self.within_all}"


class Storage:
    """The buffers of a workspace."""

    def __init__(self) -> None:
        self.buffers: list[tuple[str, str, tuple[int, ...], np.dtype[Any]]] = []
        self._free: dict[Any, list[str]] = defaultdict(list)

    def buffer(self, rows: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> str:
        """A new buffer, or one that was given back."""
        free = self._free[rows, shape, dtype]
        if free:
            return free.pop()
        name = f"{'SBPO'[('steps', 'block', 'pair', 'one').index(rows)]}{len(self.buffers)}"
        self.buffers.append((name, rows, shape, dtype))
        return name

    def give_back(self, name: str) -> None:
        """A buffer of which nothing is needed any more."""
        for known, rows, shape, dtype in self.buffers:
            if known == name:
                self._free[rows, shape, dtype].append(name)

    def forget(self) -> None:
        """Nothing more of what was given back is to be used."""
        self._free.clear()


def root(value: Value) -> Value:
    """What a value is a view of."""
    while value.fn in VIEWS and is_view(value):
        value = value.args[0]
    return value


def is_view(value: Value) -> bool:
    """Whether a value shows its operand's memory, as that lies in a buffer of its own."""
    chain = [value]
    while chain[-1].fn in VIEWS:
        chain.append(chain[-1].args[0])
    start = shown = np.empty(chain.pop().shape, bool)
    for at in reversed(chain):
        shown = _seen(at, shown)
        if not np.may_share_memory(start, shown) or shown.base is None:
            return not start.size
    return True


def _seen(value: Value, array: Any) -> Any:
    if value.fn == "getitem":
        return array[(*value.params["index"], ...)]
    if value.fn == "reshape":
        return array.reshape(value.params["shape"])
    return array.transpose(value.params["axes"])


def index_text(index: Any, batched: bool = False) -> str:
    """An index as it is written."""

    def part(i: Any) -> str:
        if isinstance(i, slice):
            ends = ["" if end is None else str(end) for end in (i.start, i.stop)]
            return ":".join(ends) + ("" if i.step in (None, 1) else f":{i.step}")
        return "..." if i is Ellipsis else str(i)

    parts = ([":"] if batched else []) + [part(i) for i in index]
    return f"[{', '.join(parts)}]" if parts else ""


def view_text(value: Value, batched: bool) -> str:
    """What stands behind an array to see it as a view."""
    if value.fn == "getitem":
        return index_text((*value.params["index"], Ellipsis), batched)
    if value.fn == "reshape":
        sizes = ", ".join(map(str, value.params["shape"]))
        if not sizes:
            return ".reshape(m)" if batched else ".reshape(())"
        return f".reshape(m, {sizes})" if batched else f".reshape({sizes})"
    axes = value.params["axes"]
    order = (0, *[a + 1 for a in axes]) if batched else axes
    return f".transpose({', '.join(map(str, order))})"


def can_batch(value: Value) -> bool:
    """Whether it is known how to do it for all steps at once."""
    if value.fn == "matmul":
        return all(len(arg.shape) in (1, 2) for arg in value.args)
    if value.fn == "take":
        return is_row_of_table(value)
    return value.fn in BATCHED or is_elementwise(value)


def is_row_of_table(value: Value) -> bool:
    """Whether rows are looked up in something that is the same at every step."""
    table = value.args[0]
    return (
        value.params["index"] == (AT,) and table.fn == "input" and table.params["role"] == "consts"
    )


@dataclass
class Loop:
    """A loop over time, of which every line has its place and its home; it writes itself.

    Attributes
    ----------
    carried : list of (Value, Value or None)
        What a step is given by the one before, and what it hands on.
    homes : dict
        Where what is given lies.
    whole : set of Value
        What of the carried must be there for every step in the end.
    kept : dict of Value to str
        What must be there for every step in the end: "steps" in the workspace, or the name of an
        array outside.
    totals : list of Value
        What is summed over all steps.
    reverse : bool
        Whether time runs backward.
    """

    storage: Storage
    carried: list[tuple[Value, Value | None]]
    homes: dict[Value, Home]
    same: dict[Value, str]
    kept: dict[Value, str]
    totals: list[Value]
    whole: set[Value]
    reverse: bool = False
    mark: str = ""
    consts: dict[str, Any] = field(default_factory=dict)
    where: dict[Value, str] = field(default_factory=dict, init=False)
    rows: dict[str, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._inputs = {value for value, _ in self.carried}
        outs = [after for _, after in self.carried if after is not None]
        self._operands = [arg for total in self.totals for arg in total.args]
        ends = [*outs, *self.kept, *self._operands]
        self._lines = self._needed(ends)
        self._place(set(self._needed(outs)))
        self._readers()
        self._carry()
        self._settle()

    def _needed(self, ends: Iterable[Value]) -> list[Value]:
        """What must be computed for these, oldest first."""
        return [value for value in lines(ends, self._is_given) if not self._is_given(value)]

    def _is_given(self, value: Value) -> bool:
        return (
            value.fn == "const"
            or value in self.homes
            or value in self.same
            or value in self._inputs
        )

    # -- places --

    def _place(self, carried: set[Value]) -> None:
        dependence = Dependence(self._inputs, self.same, self.homes)
        where = self.where
        for value in self._lines:
            how = dependence(value)
            args = [arg for arg in value.args if arg in where]
            if how == SAME:
                where[value] = ONCE
            elif value.fn in VIEWS and is_view(value) and value.args[0] in where:
                where[value] = where[value.args[0]]
            elif (
                how != CARRIED
                and can_batch(value)
                and not any(where[arg] in (INSIDE, AFTER) for arg in args)
            ):
                where[value] = BEFORE
            elif value in carried or not can_batch(value):
                where[value] = INSIDE
            else:
                where[value] = AFTER
        for value in reversed(self._lines):
            if where[value] == INSIDE:
                for arg in value.args:
                    if where.get(arg) == AFTER:
                        where[arg] = INSIDE

    def _readers(self) -> None:
        """Who reads each value, or a view of it; ends count as read after the loop."""
        self._read: dict[Value, list[Value]] = defaultdict(list)
        for value in self._lines:
            for arg in value.args:
                self._read[arg].append(value)
                if root(arg) is not arg:
                    self._read[root(arg)].append(value)
        self._late = {root(value) for value in (*self.kept, *self._operands)} | {
            root(arg) for value in self._lines if self.where[value] == AFTER for arg in value.args
        }

    # -- homes --

    def _carry(self) -> None:
        """Give what is carried its buffers: a row for every step, or two in turn."""
        self.given: dict[Value, Home] = {}
        self._next: list[tuple[Value | None, Home]] = []
        for value, after in self.carried:
            late = {value, after} & self._late or value in self.whole
            rows = "steps" if late else "pair"
            name = self.storage.buffer(rows, value.shape, value.dtype)
            back = bool(late and self.reverse)
            self.given[value] = Home(name, rows, int(back))
            self._next.append((after, Home(name, rows, int(not back))))
        self._outs = {after: home for after, home in reversed(self._next) if after is not None}

    def first_row(self, home: Home) -> str:
        """Where what is carried stands before the first step."""
        if home.rows == "steps":
            return f"{home.buffer}[{'T' if self.reverse else 0}]"
        return f"{home.buffer}[{'(T - 1) % 2' if self.reverse else 0}]"

    def last_row(self, home: Home) -> str:
        """Where it stands after the last one."""
        if home.rows == "steps":
            return f"{home.buffer}[{0 if self.reverse else 'T'}]"
        return f"{home.buffer}[{1 if self.reverse else 'T % 2'}]"

    def _settle(self) -> None:
        """Give every value that is computed a home."""
        self._dests()
        self._temps: list[tuple[Value, Home]] = []
        kept = {root(value): target for value, target in self.kept.items()}
        for place in (BEFORE, INSIDE, AFTER):
            order = [v for v in self._lines if self.where[v] == place and root(v) is v]
            last = self._last(order)
            for i, value in enumerate(order):
                reuse = is_elementwise(value)
                if reuse:
                    self._release(order, i, last)
                if value not in self.homes:
                    self._house(value, place, kept)
                if not reuse:
                    self._release(order, i, last)
            self._temps = []

    def _last(self, order: Sequence[Value]) -> dict[Value, int]:
        """After which of the lines a value is not needed any more."""
        at = {value: i for i, value in enumerate(order)}
        handed_on = {root(after) for after in self._outs}  # of which a part may be carried
        last = {}
        for value in order:
            family = [value, *self._parts_of.get(value, ())]
            readers = [reader for each in family for reader in self._read[each]]
            places = [at[root(reader)] for reader in readers if root(reader) in at]
            elsewhere = any(self.where[reader] != self.where[value] for reader in readers)
            ends = value in self._late or value in handed_on or elsewhere
            last[value] = len(order) if ends else max(places, default=at[value])
        return last

    def _release(self, order: Sequence[Value], i: int, last: dict[Value, int]) -> None:
        """Give back what nobody reads after the i-th line."""
        for value, home in list(self._temps):
            if last[value] <= i and value is not order[i]:
                self.storage.give_back(home.buffer)
                self._temps.remove((value, home))

    def _house(self, value: Value, place: str, kept: dict[Value, str]) -> None:
        if value in self._dest:
            self._house_within(value, place, kept)
            return
        target = kept.get(value)
        if value in self._outs and place == INSIDE:
            self.homes[value] = self._outs[value]
            return
        if target is not None and (target == "steps" or place == INSIDE):
            name = self.storage.buffer("steps", value.shape, value.dtype)
            self.homes[value] = Home(name, "steps")
        elif target is not None:
            self.homes[value] = Home(target, "given")
        else:
            rows = "block" if place != INSIDE or value in self._late else "one"
            home = Home(self.storage.buffer(rows, value.shape, value.dtype), rows)
            self.homes[value] = home
            self._temps.append((value, home))

    def _dests(self) -> None:
        """Which values are computed straight into a part of another."""
        self._dest: dict[Value, tuple[Value, str, str]] = {}
        self._parts_of: dict[Value, list[Value]] = defaultdict(list)
        for value in self._lines:
            if value.fn != "assemble" or tiling(value) is None or self.where[value] == ONCE:
                continue
            for part, index in zip(value.args, value.params["indices"], strict=True):
                one, many = index_text((*index, Ellipsis)), index_text((*index, Ellipsis), True)
                source = part
                while source.fn == "reshape" and len(set(self._read[source])) == 1:
                    source = source.args[0]
                if source is not part:
                    sizes = ", ".join(map(str, source.shape))
                    one, many = f"{one}.reshape({sizes})", f"{many}.reshape(m, {sizes})"
                ok = (
                    self.where.get(source) == self.where[value]
                    and root(source) is source
                    and source not in self._dest
                    and source not in self._outs
                    and source not in self.kept
                    and source.dtype == value.dtype
                    and source.fn != "assemble"
                )
                if ok:
                    self._dest[source] = (value, one, many)
                    self._parts_of[value].append(source)

    def _house_within(self, value: Value, place: str, kept: dict[Value, str]) -> None:
        whole, one, many = self._dest[value]
        if whole not in self.homes:
            self._house(whole, place, kept)
        home = self.homes[whole]
        self.homes[value] = Home(
            home.buffer, home.rows, home.later, home.within + one, home.within_all + many
        )

    # -- writing --

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
        return [
            f"k{value.number} = {plain(value, self._once_arg(value))}"
            for value in self._lines
            if self.where[value] == ONCE
        ]

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
