"""A loop over time, of which every line has its place, and every value its home.

What does not wait for the step before is done for a block of steps at once, before the loop or
after it; results go straight into the buffers where they are needed; buffers, and views of them
step by step, are made once for all calls (the workspace).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tinygrad_rnn.compiled.homes import Home, Storage, index_text, is_view, root
from tinygrad_rnn.compiled.lines import CARRIED, SAME, Dependence, lines
from tinygrad_rnn.compiled.spans import tiling
from tinygrad_rnn.compiled.symbols import AT, VIEWS, Value, is_elementwise

ONCE, BEFORE, INSIDE, AFTER = "once", "before", "inside", "after"
"""Where a line stands: before all, or before, in or after the loop over the steps of a block."""

BATCHED = {
    "sum", "max", "min", "mean", "prod", "concatenate", "assemble", "broadcast_to", "astype",
    "matmul", "where", *VIEWS,
}  # fmt: skip


def is_row_of_table(value: Value) -> bool:
    """Whether rows are looked up in something that is the same at every step."""
    table = value.args[0]
    return (
        value.params["index"] == (AT,) and table.fn == "input" and table.params["role"] == "consts"
    )


@dataclass
class Loop:
    """A loop over time, of which every line has its place and every value its home.

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
                and self.can_batch(value)
                and not any(where[arg] in (INSIDE, AFTER) for arg in args)
            ):
                where[value] = BEFORE
            elif value in carried or not self.can_batch(value):
                where[value] = INSIDE
            else:
                where[value] = AFTER
        for value in reversed(self._lines):
            if where[value] == INSIDE:
                for arg in value.args:
                    if where.get(arg) == AFTER:
                        where[arg] = INSIDE

    def can_batch(self, value: Value) -> bool:
        """Whether it is known how to do it for all steps at once."""
        if value.fn == "matmul":
            return all(len(arg.shape) in (1, 2) for arg in value.args)
        if value.fn == "take":
            return is_row_of_table(value)
        return value.fn in BATCHED or is_elementwise(value)

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
        self._handed_on = {root(after) for after in self._outs}  # of which a part may be carried

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
        last = {}
        for value in order:
            family = [value, *self._parts_of.get(value, ())]
            readers = [reader for each in family for reader in self._read[each]]
            places = [at[root(reader)] for reader in readers if root(reader) in at]
            elsewhere = any(self.where[reader] != self.where[value] for reader in readers)
            ends = value in self._late or value in self._handed_on or elsewhere
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
