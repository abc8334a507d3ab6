"""A recorded walk as lines of arithmetic, whose numbers are those of a spreadsheet.

The operations' own forwards and derivative rules run once more, on arrays that write down what is
done with them, and so does the engine's own walk: nothing is derived a second time.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_rnn.bptt.record import Record
from tinygrad_rnn.bptt.told import Index, arrays, exchanged, indices
from tinygrad_rnn.compiled.lines import lines
from tinygrad_rnn.compiled.readable import plainest
from tinygrad_rnn.compiled.symbols import FUNCTIONS, Book, CannotWrite, Symbol, Value, function
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.engine.sums import Part, dense
from tinygrad_rnn.engine.traversal import walk
from tinygrad_rnn.reading.given import is_inline
from tinygrad_rnn.reading.names import distinct_names, names

Array = np.ndarray[Any, Any]
FUNCTIONS["same"] = lambda x, of: x
"""A tensor or gradient, which formulas read where it stands, not what it was made of."""
INFINITE = 1e300
"""What a spreadsheet, which knows no infinity, is given for one."""


class Refused(ValueError):
    """A walk that no spreadsheet can hold.

    Examples
    --------
    >>> raise Refused("np.sort in cells")
    Traceback (most recent call last):
        ...
    tinygrad_rnn.bptt.sheets.lines.Refused: np.sort in cells
    """


@dataclass(frozen=True)
class Sent:
    """What one visit sent to a parent of its node."""

    node: Node
    operand: int
    value: Value


@dataclass
class Lines:
    """A walk, forward and backward, as lines.

    Attributes
    ----------
    leaves : dict of Value, by leaf or index
        The numbers that may be changed.
    values, gradients : dict of Value, by place
    sent : dict of lists of `Sent`, by place
        What each place received, in the order of the walk.
    fixed : list of str
        Operations that were told something which stays as it was: conditions, some integers.
    start : Value
        The gradient with which the walk began.
    book : Book
        Where further lines are written.
    """

    leaves: dict[Node | Index, Value] = field(default_factory=dict)
    values: dict[Node, Value] = field(default_factory=dict)
    gradients: dict[Node, Value] = field(default_factory=dict)
    sent: dict[Node, list[Sent]] = field(default_factory=dict)
    fixed: list[str] = field(default_factory=list)
    start: Value | None = None
    book: Book = field(default_factory=Book)


def written(record: Record) -> Lines:
    """The lines of a walk.

    Raises
    ------
    CannotWrite
        If an operation, or its rule, is not made of arithmetic that can be written down.
    Refused
        If somebody watches a gradient; if the numbers of a constant were not kept.
    """
    called = distinct_names(record.places, names(record.places, record.called))
    told = indices(record.places, called.values())
    try:
        return _Writing(record, told).found()
    except CannotWrite:
        if not told:
            raise
        return _Writing(record, {}).found()  # its integers stay as they were


class Doubles(Book):
    """Lines whose numbers are a spreadsheet's: of double precision, and finite."""

    def const(self, number: Any) -> Value:
        """A number or an array that is always the same."""
        if isinstance(number, float | np.ndarray | np.generic):
            finite = in_doubles(number)
            number = finite if isinstance(number, np.ndarray | np.generic) else float(finite)
        return super().const(number)

    def line(self, fn: str, *args: Value, **params: Any) -> Value:
        """What a function makes of values; there is one precision only."""
        is_precision = fn == "astype" and params["dtype"].kind == args[0].dtype.kind == "f"
        return args[0] if is_precision else super().line(fn, *args, **params)


def in_doubles(array: Any) -> Any:
    """Numbers as they are written out: 0.1 for the float32 that is next to it.

    Examples
    --------
    >>> in_doubles(np.array([0.1, -np.inf], np.float32))
    array([ 1.e-001, -1.e+300])
    """
    exact: Array = np.asarray(array)
    if exact.dtype.kind != "f":
        return exact
    if exact.dtype != np.float64:
        exact = exact.astype(str).astype(np.float64)
    return np.clip(exact, -INFINITE, INFINITE)


class _Arrivals:
    """The notes of a node where each gradient that has arrived is given cells."""

    attentive = True

    def __init__(self, standing: Callable[[Any], Symbol]) -> None:
        self._standing = standing

    def attended(self, g: Any, make: Any) -> Symbol:
        """What the walk goes on with."""
        return self._standing(g)


class _Writing:
    def __init__(self, record: Record, told: Mapping[Node, list[Index]]) -> None:
        self.indices = told
        self.record, self.book, self.lines = record, Doubles(), Lines()
        self.symbols: dict[Node, Any] = {}
        self.copies: dict[Node, Node] = {}
        self._count = 0

    def found(self) -> Lines:
        for place in self.record.places:
            self._write(place)
        self._walk()
        return self._plain()

    # -- forward --

    def _write(self, place: Node) -> None:
        new = self.copies[place] = copy.copy(place)
        new.parents = tuple([self.copies[parent] for parent in place.parents])
        if place.notes is not None and (place.notes.attentive and not place.is_leaf):
            raise Refused(f"{_called(place)}: a hook changes or sees its gradient; remove it")
        arrivals: Any = _Arrivals(self._standing)
        new.notes = arrivals
        symbol = self._leaf(place) if place.is_leaf else self._standing(self._made(place, new))
        self.symbols[place] = symbol
        self.lines.values[place] = symbol.value
        if not place.is_leaf:
            new.saved = (*[self.symbols[parent] for parent in place.parents], symbol)

    def _standing(self, x: Any) -> Symbol:
        """Something that has cells of its own, even if the like of it has been made before."""
        self._count += 1
        return Symbol(self.book, self.book.line("same", self._value(x), of=self._count))

    def _leaf(self, place: Node) -> Symbol:
        value = self.record.value(place)
        if value is None:
            raise Refused(
                f"a constant of shape {place.shape} of which only the shape was kept: run the "
                "program in bptt.keep_values()"
            )
        if is_inline(place):
            number = place.value if not isinstance(place.value, np.ndarray) else value[()]
            return Symbol(self.book, self.book.const(number))
        if value.dtype.kind not in "fiub":
            raise Refused(f"a tensor of {value.dtype}, for which a spreadsheet has no numbers")
        made = self.lines.leaves[place] = self.book.input(in_doubles(value))
        return Symbol(self.book, made)

    def _made(self, place: Node, new: Node) -> Symbol:
        primitive, name = place.primitive, _called(place)
        if not isinstance(primitive, Primitive):
            raise Refused(
                f"{name}: a Function with a backward of its own; write it as a Primitive, or of "
                "operations"
            )
        given = self.indices.get(place, [])
        told: dict[Node | Index, Value] = {at: self.book.input(at.numbers) for at in given}
        symbols = {id(at.numbers): Symbol(self.book, told[at]) for at in given}
        params = exchanged(place.params, symbols)
        decided = [array for array in arrays(place.params, "b") if not array.all()]
        if decided or (not told and any(True for _ in arrays(place.params, "iu"))):
            self.lines.fixed.append(name)
        try:
            made = self._forward(place, params)
            self.lines.leaves |= told
        except CannotWrite:
            if not told:
                raise
            made, params = self._forward(place, place.params), place.params
            self.lines.fixed.append(name)
        new.params = params
        return made

    def _forward(self, place: Node, params: Any) -> Symbol:
        """What an operation makes of symbols."""
        name = _called(place)
        try:
            made = place.primitive.forward(*[self.symbols[at] for at in place.parents], **params)
        except CannotWrite as error:
            raise CannotWrite(f"{name}: {error}") from None
        except (TypeError, AttributeError, ValueError, IndexError) as error:
            raise CannotWrite(f"{name}: no arithmetic of NumPy's ({error})") from error
        if not isinstance(made, Symbol) or made.shape != place.shape:
            raise CannotWrite(f"{name}: numbers that it does not compute by arithmetic")
        return made

    # -- backward --

    def _walk(self) -> None:
        record = self.record
        back = {new: place for place, new in self.copies.items()}
        start = in_doubles(record.visits[0].cotangent)
        at: list[Node] = []

        def seen(new: Node, g: Any, sent: list[Any]) -> None:
            place = back[new]
            at.append(place)
            if not place.is_leaf:
                for operand, c in enumerate(sent):
                    self._note(place, operand, c)
            self.lines.gradients[place] = self._value(g)

        self.lines.start = self.book.input(start)
        root = Symbol(self.book, self.lines.start)
        try:
            walk({self.copies[record.root]: root}, create_graph=True, observer=seen)
        except (CannotWrite, TypeError, AttributeError, ValueError, IndexError) as error:
            waiting = [visit.node for visit in record.visits if visit.node not in set(at)]
            name = _called(waiting[0]) if waiting else "the walk"
            raise CannotWrite(f"{name}: its derivative rule: {_said(error)}") from error

    def _note(self, place: Node, operand: int, c: Any) -> None:
        if c is not None:
            parent = place.parents[operand]
            value = self._value(dense(c, parent.shape) if type(c) is Part else c)
            self.lines.sent.setdefault(parent, []).append(Sent(place, operand, value))

    def _value(self, x: Any) -> Value:
        if isinstance(x, Symbol):
            return x.value
        return self.book.const(getattr(x, "array", x))

    # -- together --

    def _plain(self) -> Lines:
        """All lines in the form in which a reader would write them."""
        old = self.lines
        sent = [one for each in old.sent.values() for one in each]
        roots = [*old.values.values(), *old.gradients.values(), *[one.value for one in sent]]
        every = lines([*old.leaves.values(), old.start, *roots])
        assert old.start is not None
        book = Doubles(1 + every[-1].number)
        new = plainest(book, every)
        return Lines(
            {leaf: new[value] for leaf, value in old.leaves.items()},
            {place: new[value] for place, value in old.values.items()},
            {place: new[value] for place, value in old.gradients.items()},
            {
                place: [Sent(one.node, one.operand, new[one.value]) for one in each]
                for place, each in old.sent.items()
            },
            list(dict.fromkeys(old.fixed)),
            new[old.start],
            book,
        )


def computed(wanted: Iterable[Value], known: Mapping[Value, Any]) -> dict[Value, Any]:
    """The numbers of lines, if some values had others."""
    found: dict[Value, Any] = dict(known)
    for value in lines(wanted):
        if value not in found:
            given = [found[arg] for arg in value.args]
            with np.errstate(all="ignore"):
                found[value] = (
                    function(value.fn)(*given, **value.params) if value.args else value.sample
                )
    return found


def _called(place: Node) -> str:
    return str(getattr(place.primitive, "name", place.primitive))


def _said(error: Exception) -> str:
    text = str(error)
    return text if isinstance(error, CannotWrite) else f"no arithmetic of NumPy's ({text})"
