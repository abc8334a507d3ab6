"""Lines of a program as the formulas of a spreadsheet's cells.

Each element of an array is a cell, or is written into the formula of one that has a cell.  What
only moves elements costs nothing: it is looked up, and the formula reads the cell that is meant.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from tinygrad_rnn.compiled.expressions import INFIX
from tinygrad_rnn.compiled.symbols import CannotWrite, Value, filled, function, is_elementwise

Array = np.ndarray[Any, Any]

_SIGNS = {
    **{fn: both for fn, both in INFIX.items() if fn not in ("matmul", "bitwise_and", "bitwise_or")},
    "power": ("^", 7), "equal": ("=", 2), "not_equal": ("<>", 2),
}  # fmt: skip
_ATOM, _UNARY, _TIMES, _PLUS = 9, 5, 5, 4
_FUNCTIONS = {
    "exp": "EXP({})", "log": "LN({})", "sqrt": "SQRT({})", "absolute": "ABS({})",
    "fabs": "ABS({})", "sign": "SIGN({})", "tanh": "TANH({})", "sinh": "SINH({})",
    "cosh": "COSH({})", "sin": "SIN({})", "cos": "COS({})", "tan": "TAN({})",
    "arctan": "ATAN({})", "arcsin": "ASIN({})", "arccos": "ACOS({})", "arcsinh": "ASINH({})",
    "arccosh": "ACOSH({})", "arctanh": "ATANH({})", "log10": "LOG10({})", "log2": "LOG({},2)",
    "exp2": "POWER(2,{})", "log1p": "LN(1+{})", "floor": "INT({})", "trunc": "TRUNC({})",
    "maximum": "MAX({},{})", "minimum": "MIN({},{})", "fmax": "MAX({},{})", "fmin": "MIN({},{})",
    "remainder": "MOD({},{})", "where": "IF({},{},{})", "clip": "MAX({1},MIN({0},{2}))",
    "bitwise_and": "AND({},{})", "bitwise_or": "OR({},{})", "logical_and": "AND({},{})",
    "logical_or": "OR({},{})", "invert": "NOT({})", "logical_not": "NOT({})",
    "floor_divide": "INT(({})/({}))", "positive": "{}", "arctan2": "ATAN2({1},{0})",
}  # fmt: skip
_FUNCTIONS |= dict.fromkeys(("isnan", "isinf"), "FALSE") | {"isfinite": "TRUE"}
"""What a spreadsheet calls them; it has neither NaN nor infinities."""
_COMPOSED = {
    "square": ("{}^2", 7, _ATOM), "reciprocal": ("1/{}", _TIMES, _TIMES + 1),
    "expm1": ("EXP({})-1", _PLUS, 0), "sigmoid": ("1/(1+EXP(-{}))", _TIMES, _ATOM),
    "ceil": ("-INT(-{})", _UNARY, _ATOM), "negative": ("-{}", _UNARY, _ATOM),
    "fmod": ("{0}-{1}*TRUNC({0}/{1})", _PLUS, _ATOM),
    "logaddexp": ("MAX({0},{1})+LN(1+EXP(-ABS(({0})-({1}))))", _PLUS, 0),
}  # fmt: skip
"""Formulas, how tightly they bind, and how tightly their operands must."""
_TOGETHER = {"sum": "SUM", "mean": "AVERAGE", "max": "MAX", "min": "MIN", "prod": "PRODUCT"}
_RUNNING = {"cumsum": "SUM", "cumprod": "PRODUCT"}
MOVING = ("getitem", "reshape", "transpose", "broadcast_to", "astype", "same")
"""What makes no numbers of its own."""
_FEW = 6  # terms that are written out, which reads better than a function of ranges
_MOST_ARGUMENTS = 250  # of a function


def gathers(value: Value) -> int:
    """How many elements of an operand make one of the result; 0: it is not made of several."""
    if value.fn == "matmul":
        return value.args[0].shape[-1]
    if value.fn in _TOGETHER or value.fn in _RUNNING:
        return math.prod(value.args[0].shape) // max(1, math.prod(value.shape))
    return 0


class Cell(NamedTuple):
    """Where a number stands, counted from 0."""

    row: int
    column: int

    def __str__(self) -> str:
        return f"{letters(self.column)}{self.row + 1}"


def letters(column: int) -> str:
    """What a spreadsheet calls a column.

    Examples
    --------
    >>> letters(0), letters(25), letters(26), letters(702)
    ('A', 'Z', 'AA', 'AAA')
    """
    text, rest = "", column + 1
    while rest:
        rest, last = divmod(rest - 1, 26)
        text = chr(ord("A") + last) + text
    return text


class _Text(NamedTuple):
    text: str
    binds: int = _ATOM


class Formulas:
    """Writes formulas of values, some of which stand in cells.

    Parameters
    ----------
    cell : function of (value, place)
        The cell of an element, numbered as in C order; ``None`` if the value has no cells.

    Examples
    --------
    >>> from tinygrad_rnn.compiled.symbols import Book
    >>> book = Book()
    >>> x, w = (book.input(np.ones(2)) for _ in range(2))
    >>> y = book.line("tanh", book.line("matmul", x, w))
    >>> Formulas(lambda value, i: {x: Cell(0, i), w: Cell(1, i)}.get(value)).of(y, 0)
    '=TANH(A1*A2+B1*B2)'
    """

    def __init__(self, cell: Callable[[Value, int], Cell | None]) -> None:
        self._cell = cell
        self._maps: dict[Value, Array] = {}
        self._moves: dict[Value, _Moves] = {}

    def of(self, value: Value, i: int, *, own: bool = True) -> str:
        """The formula of an element; with ``own`` that of its own cell, which it does not read."""
        if value.dtype.kind == "b":
            return f"=IF({self._written(value, i, own).text},1,0)"
        return f"={self._written(value, i, own).text}"

    def reach(self) -> dict[Value, int]:
        """Of the integers that formulas read so far: how many places they can point to, from 0."""
        found: dict[Value, int] = {}
        for moves in self._moves.values():
            if moves.may_change:
                index = moves.index
                while index.fn in MOVING:
                    (index,) = index.args
                found[index] = min(moves.size, found.get(index, moves.size))
        return found

    def _written(self, value: Value, i: int, own: bool = False) -> _Text:
        if not own and (cell := self._cell(value, i)) is not None:
            return _Text(str(cell))
        fn = value.fn
        if fn == "const":
            return _number(np.asarray(value.sample).flat[i])
        if fn in MOVING:
            return self._moved(value, i)
        if fn in _TOGETHER or fn in _RUNNING:
            return self._together(value, i)
        if fn == "outer":
            a, b = value.args
            rows, columns = divmod(i, b.shape[0])
            return self._signed("multiply", self._written(a, rows), self._written(b, columns))
        if is_elementwise(value) or fn == "sigmoid":
            return self._elementwise(value, i)
        how = getattr(self, f"_{fn}", None)
        if how is None:
            raise CannotWrite(f"np.{fn} in cells")
        found: _Text = how(value, i)
        return found

    # -- what is elementwise --

    def _elementwise(self, value: Value, i: int) -> _Text:
        given = [self._written(*self._met(value, arg, i)) for arg in value.args]
        fn = value.fn
        if fn in _SIGNS:
            return self._signed(fn, *given)
        if fn in _COMPOSED:
            text, binds, needed = _COMPOSED[fn]
            return _Text(text.format(*[_bracketed(one, needed) for one in given]), binds)
        if fn not in _FUNCTIONS:
            raise CannotWrite(f"np.{fn} in cells")
        if fn == "where" and given[0].text in ("TRUE", "FALSE"):  # decided, whatever is changed
            return given[1 if given[0].text == "TRUE" else 2]
        return _Text(_FUNCTIONS[fn].format(*[one.text for one in given]))

    def _met(self, value: Value, arg: Value, i: int) -> tuple[Value, int]:
        """The element of an operand that meets one of the result."""
        if arg.shape == value.shape:
            return arg, i
        every = np.broadcast_to(_places(arg.shape), value.shape)
        return arg, int(every.flat[i])

    def _signed(self, fn: str, a: _Text, b: _Text) -> _Text:
        sign, binds = _SIGNS[fn]
        if fn == "power":
            return _Text(f"{_bracketed(a, _ATOM)}^{_bracketed(b, _ATOM)}", binds)
        further = fn in ("subtract", "divide") or binds == 2
        right = _bracketed(b, binds + further)
        right = f"({right})" if right.startswith("-") else right
        return _Text(f"{_bracketed(a, binds + (binds == 2))}{sign}{right}", binds)

    # -- what only moves elements --

    def _moved(self, value: Value, i: int) -> _Text:
        if value.fn == "astype" and value.dtype.kind in "iu" and value.args[0].dtype.kind == "f":
            return _Text(f"TRUNC({self._written(value.args[0], i).text})")
        if value.fn == "astype" and value.dtype.kind == "b":
            return _Text(f"{_bracketed(self._written(value.args[0], i), 3)}<>0", 2)
        if value.fn == "astype" and value.args[0].dtype.kind == "b":
            return _Text(f"IF({self._written(value.args[0], i).text},1,0)")
        return self._written(value.args[0], self._source(value, i))

    def _source(self, value: Value, i: int) -> int:
        """Which element of its operand one of a view is."""
        if value.fn in ("astype", "same"):
            return i
        if value not in self._maps:
            places = _places(value.args[0].shape)
            self._maps[value] = np.asarray(function(value.fn)(places, **value.params)).reshape(-1)
        return int(self._maps[value][i])

    def _seen(self, value: Value, i: int) -> Cell | None:
        """The cell of an element that is moved at most."""
        while (cell := self._cell(value, i)) is None:
            if value.fn not in MOVING or value.dtype != value.args[0].dtype:
                return None
            value, i = value.args[0], self._source(value, i)
        return cell

    def _concatenate(self, value: Value, i: int) -> _Text:
        arg, at = self._joined(value, i)
        return self._written(value.args[arg], at)

    def _joined(self, value: Value, i: int) -> tuple[int, int]:
        if value not in self._maps:
            ends = np.cumsum([0, *[math.prod(arg.shape) for arg in value.args]])
            parts = [_places(arg.shape) + end for arg, end in zip(value.args, ends)]
            self._maps[value] = np.concatenate(parts, value.params["axis"]).reshape(-1)
        at = int(self._maps[value][i])
        for n, arg in enumerate(value.args):
            size = math.prod(arg.shape)
            if at < size:
                return n, at
            at -= size
        raise AssertionError

    def _assemble(self, value: Value, i: int) -> _Text:
        terms = []
        for part, index in zip(value.args, value.params["indices"], strict=True):
            there = _places(value.shape)[index].reshape(-1)
            terms += [self._written(part, int(p)) for p in np.flatnonzero(there == i)]
        return self._added(terms)

    # -- where arrays of integers point --

    def _take(self, value: Value, i: int) -> _Text:
        moves = self._moving(value, value.args[0].shape)
        at = moves.at(i)
        if at is None:
            return self._written(value.args[0], int(moves.fixed[i]))
        places = [int(moves.of(k)[i]) for k in range(moves.size)]
        index = self._written(moves.index, at)
        found = self._run([self._seen(value.args[0], p) for p in places])
        if found and found.is_line:
            return _Text(f"INDEX({found},{index.text}+1)")
        choices = ",".join(self._written(value.args[0], p).text for p in places)
        return _Text(f"CHOOSE({index.text}+1,{choices})")

    def _add_at(self, value: Value, i: int) -> _Text:
        return self._added([given for given, _ in self._pointed(value, 0, i)])

    def _put(self, value: Value, i: int) -> _Text:
        made = self._written(value.args[0], i)
        for part, condition in self._pointed(value, 1, i, alone=True):
            made = _Text(f"IF({condition},{part.text},{made.text})") if condition else part
        return made

    def _pointed(
        self, value: Value, first: int, i: int, alone: bool = False
    ) -> Iterator[tuple[_Text, str]]:
        """The elements of a part that are put at a place, if they are, and on what condition."""
        part = value.args[first]
        moves = self._moving(value, value.shape, first)
        for p in range(math.prod(moves.shape)):
            at = moves.at(p)
            source = self._met(Value("", (), {}, np.empty(moves.shape), -1), part, p)
            if at is None:
                if moves.fixed[p] == i:
                    yield self._written(*source), ""
                continue
            for k in range(moves.size):
                if moves.of(k)[p] == i:
                    given = self._written(*source)
                    condition = f"{self._written(moves.index, at).text}={k}"
                    yield given if alone else _Text(f"IF({condition},{given.text},0)"), condition

    def _moving(self, value: Value, shape: Sequence[int], first: int = 0) -> _Moves:
        if value not in self._moves:
            arrays = value.args[first + 1 :]
            self._moves[value] = _Moves(arrays, value.params["index"], shape)
        return self._moves[value]

    # -- what is made of many elements --

    def _matmul(self, value: Value, i: int) -> _Text:
        a, b = value.args
        left, right = _places(a.shape), _places(b.shape)
        left = left[None] if left.ndim == 1 else left
        right = right[:, None] if right.ndim == 1 else right
        lead = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
        left = np.broadcast_to(left, (*lead, *left.shape[-2:]))
        right = np.broadcast_to(right, (*lead, *right.shape[-2:]))
        *at, row, column = map(int, np.unravel_index(i, (*lead, left.shape[-2], right.shape[-1])))
        firsts, seconds = left[tuple(at)][row], right[tuple(at)][:, column]
        return self._product(a, [*map(int, firsts)], b, [*map(int, seconds)])

    def _product(self, a: Value, firsts: list[int], b: Value, seconds: list[int]) -> _Text:
        terms: list[_Text] = []
        if len(firsts) > _FEW:
            ones = [self._seen(a, p) for p in firsts]
            others = [self._seen(b, q) for q in seconds]
            terms = [_times(*each) for each in _stretches(ones, others)]
        return self._added(terms or [
            self._signed("multiply", self._written(a, p), self._written(b, q))
            for p, q in zip(firsts, seconds, strict=True)
        ])  # fmt: skip

    def _together(self, value: Value, i: int) -> _Text:
        (arg,) = value.args
        if value.fn in _RUNNING:
            name, axis = _RUNNING[value.fn], value.params["axis"]
            index: list[Any] = list(np.unravel_index(i, value.shape))
            index[axis] = slice(index[axis] + 1)
            places = _places(arg.shape)[tuple(index)].tolist()
        else:
            name = _TOGETHER[value.fn]
            if value not in self._maps:
                kept = function(value.fn)(np.zeros(arg.shape), value.params["axis"], True).shape
                self._maps[value] = np.broadcast_to(_places(kept), arg.shape).reshape(-1)
            places = np.flatnonzero(self._maps[value] == i).tolist()
        if len(places) == 1:
            return self._written(arg, places[0])
        cells = self._run([self._seen(arg, p) for p in places])
        if cells:
            return _Text(f"{name}({cells})")
        terms = [self._written(arg, p) for p in places]
        if name == "SUM" and len(terms) <= _FEW:
            return self._added(terms)
        return _Text(_called(name, [term.text for term in terms]))

    def _added(self, terms: Sequence[_Text]) -> _Text:
        terms = [term for term in terms if term.text != "0"]
        if not terms:
            return _Text("0")
        total = terms[0]
        for term in terms[1:]:
            total = self._signed("add", total, term)
        return total

    def _run(self, cells: Sequence[Cell | None]) -> _Range | None:
        """The range that cells fill, if they do, one by one as a row or a column, or all of it."""
        known = [cell for cell in cells if cell is not None]
        if len(known) < len(cells) or len(known) < 2:
            return None
        first, last = known[0], known[-1]
        rows, columns = last.row - first.row + 1, last.column - first.column + 1
        every = [
            (r, c)
            for r in range(first.row, last.row + 1)
            for c in range(first.column, last.column + 1)
        ]
        return _Range(first, last) if rows * columns == len(known) and every == known else None


class _Range(NamedTuple):
    first: Cell
    last: Cell

    def __str__(self) -> str:
        return f"{self.first}:{self.last}"

    @property
    def lies(self) -> bool:
        return self.first.row == self.last.row

    @property
    def is_line(self) -> bool:
        """Whether it is a part of one row or of one column."""
        return self.lies or self.first.column == self.last.column


class _Moves:
    """Where an index with arrays points, which of them may change, and what then."""

    def __init__(self, arrays: Sequence[Value], index: Sequence[Any], shape: Sequence[int]) -> None:
        self._arrays, self._pattern, self._whole = arrays, index, shape
        moving = [array for array in arrays if not _is_constant(array)]
        if len(moving) > 1:
            raise CannotWrite("an index of several arrays in cells")
        self._moving = moving[0] if moving else None
        self._of: dict[int, Array] = {}
        self.shape = self._pointing(np.asarray([a.sample for a in moving[:1]]).reshape(-1)).shape
        if self._moving is None:
            self.fixed = self._pointing(None).reshape(-1)

    @property
    def may_change(self) -> bool:
        """Whether any of them points elsewhere if a leaf is changed."""
        return self._moving is not None

    @property
    def index(self) -> Value:
        """The array that may change."""
        assert self._moving is not None
        return self._moving

    @cached_property
    def size(self) -> int:
        """How long the axis is along which it points."""
        axis, arrays = 0, iter(self._arrays)
        for part in self._pattern:
            if isinstance(part, str) and next(arrays) is self._moving:
                break
            axis += part is not None
        return self._whole[axis]

    def of(self, k: int) -> Array:
        """Where all point if the array that may change were k everywhere."""
        if k not in self._of:
            self._of[k] = self._pointing(np.full(self.index.shape, k)).reshape(-1)
        return self._of[k]

    @cached_property
    def _which(self) -> Array:
        which = np.zeros(math.prod(self.shape), int)
        for j in range(math.prod(self.index.shape)):
            one = np.zeros(self.index.shape, int)
            one.flat[j] = 1
            which[self._pointing(one).reshape(-1) != self.of(0)] = j
        return which

    def at(self, p: int) -> int | None:
        """Which element of the array that may change says where one points; ``None``: none."""
        if self._moving is None:
            return None
        return int(self._which[p]) if self.size > 1 else 0

    def _pointing(self, moving: Array | None) -> Array:
        arrays = [
            np.reshape(moving, array.shape) if array is self._moving and moving is not None
            else np.asarray(array.sample)
            for array in self._arrays
        ]  # fmt: skip
        return np.asarray(_places(self._whole)[filled(self._pattern, arrays)])


def _is_constant(value: Value) -> bool:
    waiting = [value]
    while waiting:
        at = waiting.pop()
        if at.fn == "input":
            return False
        waiting += at.args
    return True


def _places(shape: Sequence[int]) -> Array:
    return np.arange(math.prod(shape)).reshape(shape)


def _stretches(
    ones: Sequence[Cell | None], others: Sequence[Cell | None]
) -> list[tuple[_Range, _Range]]:
    """The ranges of which two runs of cells are made, if each is a line of several cells."""
    pairs = [(a, b) for a, b in zip(ones, others, strict=True) if a is not None and b is not None]
    if len(pairs) < len(ones):
        return []
    found, ways = [[pairs[0]]], None
    for (a, b), pair in pairwise(pairs):
        before, ways = ways, (_way(a, pair[0]), _way(b, pair[1]))
        if None not in ways and (len(found[-1]) == 1 or ways == before):
            found[-1].append(pair)
        else:
            found.append([pair])
    if min(map(len, found)) < 2:
        return []
    return [(_Range(a, c), _Range(b, d)) for (a, b), *_, (c, d) in found]


def _way(one: Cell, other: Cell) -> str | None:
    """Where a cell lies beside another: only to the right, and below, can a range go on."""
    return {(0, 1): "across", (1, 0): "down"}.get((other.row - one.row, other.column - one.column))


def _times(one: _Range, other: _Range) -> _Text:
    """The sum of the products of two lines."""
    if one.lies == other.lies:
        return _Text(f"SUMPRODUCT({one},{other})")
    return _Text(f"MMULT({one},{other})" if one.lies else f"MMULT({other},{one})")


def _bracketed(given: _Text, needed: int) -> str:
    return given.text if given.binds >= needed else f"({given.text})"


def _number(number: Any) -> _Text:
    if isinstance(number, bool | np.bool_):
        return _Text("TRUE" if number else "FALSE")
    plain = number == 0 or 1e-4 <= abs(number) < 1e15
    text = (
        np.format_float_positional(float(number), trim="-")
        if plain
        else repr(float(number)).upper()
    )
    return _Text(text, _UNARY if text.startswith("-") else _ATOM)


def _called(name: str, arguments: list[str]) -> str:
    """A function of many arguments, some of which it may have to be given together."""
    if name == "AVERAGE" and len(arguments) > _MOST_ARGUMENTS:
        return f"{_called('SUM', arguments)}/{len(arguments)}"
    while len(arguments) > _MOST_ARGUMENTS:
        starts = range(0, len(arguments), _MOST_ARGUMENTS)
        some = [arguments[n : n + _MOST_ARGUMENTS] for n in starts]
        arguments = [f"{name}({','.join(group)})" for group in some]
    return f"{name}({','.join(arguments)})"
