"""The loop over time as loops over elements, for a compiler such as numba's.

NumPy's call costs more than the work as long as there are few elements.  Here a stretch of
elementwise lines becomes one loop, in which what nobody else reads never sees memory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_rnn.compiled.homes import Home, index_text, root, view_text
from tinygrad_rnn.compiled.loop import INSIDE, ONCE
from tinygrad_rnn.compiled.source import Source
from tinygrad_rnn.compiled.spans import tiling
from tinygrad_rnn.compiled.symbols import CannotWrite, Value, is_elementwise

_INFIX = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
_REDUCING = {
    "sum": ("0", "{} + {}"),
    "mean": ("0", "{} + {}"),
    "max": ("-np.inf", "np.maximum({}, {})"),
    "min": ("np.inf", "np.minimum({}, {})"),
}
"""What they begin with, and how each element is taken in."""
_AS_THEY_ARE = ("broadcast_to", "astype")


@dataclass
class Nest:
    """Loops over the elements of one shape, and what is done with each."""

    shape: tuple[int, ...]
    values: list[Value]


class Elements(Source):
    """A loop over time that is written element by element."""

    by_rows = False

    def can_batch(self, value: Value) -> bool:
        """Products only: what is elementwise costs nothing where it is read."""
        return value.fn == "matmul" and super().can_batch(value)

    def _weights(self) -> list[Value]:
        return []  # they are laid out as the function wants them

    def steps(self) -> list[str]:
        """The call of the function that does the steps of a block."""
        self._arrays: dict[str, str] = {}  # what the function is given: an expression, its name
        body = self._body()
        self.function = ""
        if not body:
            return []
        times = "range(hi - 1, lo - 1, -1)" if self.reverse else "range(lo, hi)"
        head = f"def loop_{self.mark}(lo, hi, {', '.join(self._arrays.values())}):"
        lines = [head, f"    for t in {times}:", *[f"        {line}" for line in body]]
        self.function = "\n".join(lines)
        return [f"loop_{self.mark}(lo, hi, {', '.join(self._arrays)})"]

    # -- nests --

    def _body(self) -> list[str]:
        text: list[str] = []
        nest: Nest | None = None
        for value in self._lines:
            if self.where[value] != INSIDE or root(value) is not value:
                continue
            if 0 in value.shape:
                raise CannotWrite("an array without elements")
            if is_elementwise(value) or value.fn in _AS_THEY_ARE:
                if nest is None or not self._fits(value, nest):
                    text += self._nest(nest)
                    nest = Nest(value.shape, [])
                nest.values.append(value)
            else:
                text += self._nest(nest)
                nest = None
                text += self._other(value)
        text += self._nest(nest)
        for after, target in self._next:
            if after is not None and self.homes.get(after) != target:
                text += self._copied(self._array(target, ""), after.shape, after)
        return text

    def _fits(self, value: Value, nest: Nest) -> bool:
        """Whether each element of it needs of the others only what is at the same place."""
        made = {*nest.values}
        elsewhere = [arg for arg in value.args if arg not in made and root(arg) in made]
        wholes = [root(arg) for arg in value.args]
        parts_of = {self._dest[v][0] for v in made if v in self._dest}
        return value.shape == nest.shape and not elsewhere and not parts_of.intersection(wholes)

    def _nest(self, nest: Nest | None) -> list[str]:
        if nest is None:
            return []
        made = {*nest.values}
        body = []
        for value in nest.values:
            name = f"v{value.number}"
            body.append(f"{name} = {self._element(value, nest.shape, made)}")
            if self._is_read_elsewhere(value, made):
                place = self._at(self._array(self.homes[value], ""), value.shape, nest.shape)
                body.append(f"{place} = {name}")
        return _loops(nest.shape, body)

    def _is_read_elsewhere(self, value: Value, made: set[Value]) -> bool:
        if value in self._late or value in self._handed_on or value in self._dest:
            return True
        return any(reader not in made or value not in reader.args for reader in self._read[value])

    def _element(self, value: Value, shape: tuple[int, ...], made: set[Value]) -> str:
        """One element of a value, made of its operands'."""
        fn = value.fn
        given = [
            f"v{arg.number}" if arg in made else self._operand(arg, value, shape)
            for arg in value.args
        ]
        if fn in _INFIX:
            return f"{given[0]} {_INFIX[fn]} {given[1]}"
        if fn == "negative":
            return f"-{given[0]}"
        if fn == "where":
            return f"{given[1]} if {given[0]} else {given[2]}"
        if fn == "broadcast_to":
            return given[0]
        if fn == "astype":
            kind = value.dtype
            return f"{given[0]} != 0" if kind == np.bool_ else f"np.{kind.name}({given[0]})"
        return f"np.{fn}({', '.join(given)})"

    # -- what is not elementwise --

    def _other(self, value: Value) -> list[str]:
        out = self._array(self.homes[value], "")
        if value.fn == "matmul":
            return self._product(value, out)
        if value.fn in _REDUCING and value.dtype.kind == "f":
            return self._reduced(value, out)
        if value.fn == "concatenate":
            return self._concatenated(value)
        if value.fn == "assemble":
            return self._assembled(value, out)
        raise CannotWrite(f"np.{value.fn} element by element")

    def _product(self, value: Value, out: Any) -> list[str]:
        a, b = value.args
        if len(a.shape) not in (1, 2) or len(b.shape) not in (1, 2):
            raise CannotWrite("a product of many matrices element by element")
        rows = [f"i{n}" for n, _ in enumerate(a.shape[:-1])]
        columns = ["j"] * (len(b.shape) - 1)
        x = self._indexed(self._seen(a), [*rows, "k"])
        y = self._indexed(self._seen(b), ["k", *columns])
        z = self._indexed(out, [*rows, *columns])
        inner = f"for j in range({b.shape[1]}):" if columns else ""
        zero = f"np.{value.dtype.name}(0)"
        clear = [inner, f"    {z} = {zero}"] if inner else [f"{z} = {zero}"]
        add = [f"    {inner}", f"        {z} += x * {y}"] if inner else [f"    {z} += x * {y}"]
        body = [*clear, f"for k in range({a.shape[-1]}):", f"    x = {x}", *add]
        return _loops(a.shape[:-1], body)

    def _reduced(self, value: Value, out: Any) -> list[str]:
        (arg,), axes, keep = value.args, value.params["axis"], value.params["keepdims"]
        start, more = _REDUCING[value.fn]
        every = _names(arg.shape)
        rest = ["0" if n in axes else name for n, name in enumerate(every) if keep or n not in axes]
        total, one = self._indexed(out, rest), self._indexed(out, _names(value.shape))
        text = _loops(value.shape, [f"{one} = np.{value.dtype.name}({start})"])
        x = self._indexed(self._seen(arg), every)
        text += _loops(arg.shape, [f"{total} = {more.format(total, x)}"])
        if value.fn == "mean":
            count = math.prod(arg.shape) // math.prod(value.shape)
            text += _loops(value.shape, [f"{one} /= np.{value.dtype.name}({count})"])
        return text

    def _concatenated(self, value: Value) -> list[str]:
        text, axis, at = [], value.params["axis"], 0
        for part in value.args:
            ends = (*[slice(None)] * axis, slice(at, at + part.shape[axis]))
            out = self._array(self.homes[value], index_text((*ends, Ellipsis), self._timed(value)))
            text += self._copied(out, part.shape, part)
            at += part.shape[axis]
        return text

    def _assembled(self, value: Value, out: Any) -> list[str]:
        """Parts that are not computed in their place are put there."""
        text, fills = [], tiling(value) is not None
        if not fills:
            zero = f"np.{value.dtype.name}(0)"
            text += _loops(value.shape, [f"{self._indexed(out, _names(value.shape))} = {zero}"])
        for part, index in zip(value.args, value.params["indices"], strict=True):
            source = part
            while source.fn == "reshape" and source not in self._dest and source not in self.homes:
                source = source.args[0]
            if self._dest.get(source, (None,))[0] is not value:
                path = index_text((*index, Ellipsis), self._timed(value))
                place = self._array(self.homes[value], path)
                text += self._copied(place, part.shape, part, "=" if fills else "+=")
        return text

    def _copied(self, out: Any, shape: tuple[int, ...], value: Value, sign: str = "=") -> list[str]:
        x = self._operand(value, value, shape)
        return _loops(shape, [f"{self._indexed(out, _names(shape))} {sign} {x}"])

    # -- arrays and their elements --

    def _operand(self, arg: Value, of: Value, shape: tuple[int, ...]) -> str:
        if arg.fn == "const":
            name = self.const(arg, self._arg_dtype(of))
            if not self.consts[name].ndim:
                return name
            return self._at((self._given(f"contiguous({name})"), ""), arg.shape, shape)
        return self._at(self._seen(arg), arg.shape, shape)

    def _seen(self, value: Value) -> tuple[str, str]:
        """(the array's name, the index of its step) of a value, or of a view of one."""
        if value.fn == "const":
            return self._given(f"contiguous({self.const(value, value.dtype)})"), ""
        if value in self.same or self.where.get(value) == ONCE:
            return self._given(f"contiguous({self._once(value)})"), ""
        chain, at = [], value
        while at not in self.homes and at not in self._inputs:
            chain.append(at)
            at = at.args[0]
        timed = self._home(at).rows != "one"
        return self._array(self._home(at), "".join(view_text(v, timed) for v in reversed(chain)))

    def _timed(self, value: Value) -> bool:
        return self._home(value).rows != "one"

    def _array(self, home: Home, path: str) -> tuple[str, str]:
        if home.rows == "one":
            return self._fixed(f"{home.buffer}{home.within}{path}"), ""
        whole = f"{home.buffer}{home.within_all}{path}".replace(".reshape(m", ".reshape(-1")
        later = f"t + {home.later}" if home.later else "t"
        if home.rows == "given":
            return self._given(f"contiguous({whole})"), "t"
        index = {"steps": later, "block": "t - lo", "pair": f"({later}) % 2"}[home.rows]
        return self._fixed(whole), index

    def _fixed(self, expression: str) -> str:
        """A view that the workspace holds."""
        name = self.rows.setdefault(f"fixed {expression}", f"a{self.mark}{len(self.rows)}")
        return self._arrays.setdefault(name, name)

    def _given(self, expression: str) -> str:
        return self._arrays.setdefault(expression, f"g{len(self._arrays)}")

    def _at(self, array: tuple[str, str], own: Sequence[int], shape: Sequence[int]) -> str:
        """The element of an array that meets the element at hand of a shape."""
        names = _names(shape)[len(shape) - len(own) :]
        return self._indexed(array, ["0" if n == 1 else name for n, name in zip(own, names)])

    def _indexed(self, array: tuple[str, str], index: Sequence[str]) -> str:
        name, step = array
        parts = [*([step] if step else []), *index]
        return f"{name}[{', '.join(parts)}]" if parts else f"{name}[()]"


def _names(shape: Sequence[int]) -> list[str]:
    return [f"i{n}" for n, _ in enumerate(shape)]


def _loops(shape: Sequence[int], body: Sequence[str]) -> list[str]:
    """Loops over all elements of a shape."""
    text = [f"{'    ' * n}for i{n} in range({size}):" for n, size in enumerate(shape)]
    return text + [f"{'    ' * len(shape)}{line}" for line in body]


def busiest(loops: Sequence[Source]) -> int:
    """The elements of the largest state; of other arrays four times as many count as much."""
    states = [math.prod(v.shape) for each in loops for v, _ in each.carried]
    inside = [math.prod(v.shape) for each in loops for v in each.where if each.where[v] == INSIDE]
    return max([*states, *[size // 4 for size in inside]], default=0)
