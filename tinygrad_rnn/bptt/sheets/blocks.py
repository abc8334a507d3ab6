"""What a sheet shows: each tensor, its gradient, and what that is made of, as blocks of cells."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import Any

import numpy as np

from tinygrad_rnn.bptt.record import Record
from tinygrad_rnn.bptt.sheets.lines import Lines, Sent
from tinygrad_rnn.bptt.told import Index
from tinygrad_rnn.compiled.cells import MOVING, Cell, gathers
from tinygrad_rnn.compiled.lines import lines
from tinygrad_rnn.compiled.symbols import Value
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.reading.gates import COLUMNS, Gates, gates_of
from tinygrad_rnn.reading.given import is_inline
from tinygrad_rnn.reading.layers import Layer
from tinygrad_rnn.reading.names import Names, distinct_names, expression, names
from tinygrad_rnn.reading.roles import Roles, roles_of
from tinygrad_rnn.writing.formulas import bracketed
from tinygrad_rnn.writing.rules import rule, vjp
from tinygrad_rnn.writing.text import clean

Array = np.ndarray[Any, Any]
_HEAVY, _HEAVIEST, _FEW = 2, 16, 6
"""The most cells that a part of a formula reads: of one that is written twice, of any other; and
the most numbers that are each computed where they are put together."""

_NARROWEST = 2
"""Gates of fewer numbers stand side by side."""
OUTSIDE = Layer()


@dataclass(eq=False)
class Block:
    """The cells of one array.

    Attributes
    ----------
    name : str
        What pictures call its tensor: no other block of the same ``what`` has this name.
    what : str
        "leaf" or "value" (of a tensor), "gradient", "share" (what one time step gives to a
        gradient), "part" (what one use gives), "aid" (a number on the way), "stepped" (a weight
        after a step of gradient descent).
    kind : str
        Of its tensor: "parameter", "input", "state", "operation" or "loss".
    of : Node
    step : int or None
    layer : Layer
    value : Value
        The line of which it shows the numbers.
    how : str
        In names: "= tanh(a₁)", of a gradient "= ∂L/∂h₁ ⊙ (1 − h₁²)".
    rule : str
        Of a gradient: the operation and its derivative rule, "tanh: g ⊙ (1 − y²)".
    is_input : bool
        Whether its numbers may be changed.
    gates : Gates or None
        Of what it holds several.
    type : str
        Of a leaf: what its numbers are in the program, such as "float32".
    reach : int or None
        Of integers that point to something: to how many places, from 0.
    row, column : int
        Where its first cell stands, from 0.
    formulas : list of str
        Of its cells, in C order; of numbers none.
    """

    name: str
    what: str
    kind: str
    of: Node
    value: Value
    how: str = ""
    rule: str = ""
    is_input: bool = False
    step: int | None = None
    layer: Layer = OUTSIDE
    key: tuple[Any, ...] = ()
    gates: Gates | None = None
    type: str = "float64"
    reach: int | None = None
    row: int = 0
    column: int = 0
    formulas: list[str] = field(default_factory=list)

    @property
    def shape(self) -> tuple[int, ...]:
        """The array's."""
        return self.value.shape

    @cached_property
    def extent(self) -> tuple[int, int]:
        """How many rows and columns of cells it takes: matrices stand one below the other."""
        return _extent(self.shape, self.parts)

    @cached_property
    def parts(self) -> int:
        """Into how many that stand one below the other its columns are divided."""
        if self.gates is None or self.gates.axis != COLUMNS:
            return 1
        gates = len(self.gates.names)
        return gates if self.shape[-1] >= _NARROWEST * gates else 1

    @property
    def cells(self) -> list[Cell]:
        """Where its elements stand, in C order."""
        return cells_from(Cell(self.row, self.column), self.shape, self.parts)

    def cell(self, i: int) -> Cell:
        """Where one element stands, numbered in C order."""
        return _cell(Cell(self.row, self.column), i, self.extent, self.parts)

    @property
    def signs(self) -> dict[Cell, str]:
        """The names of gates, beside the first row of each."""
        if self.gates is None or (self.parts == 1 and self.gates.axis == COLUMNS):
            return {}
        (rows, columns), names = self.extent, self.gates.names
        return {
            Cell(self.row + k * rows // len(names), self.column + columns): name
            for k, name in enumerate(names)
        }

    @property
    def numbers(self) -> Array:
        """What its cells hold, or come to, unless somebody changes something."""
        return np.asarray(self.value.sample, np.float64)

    @property
    def title(self) -> str:
        """Its name, as it stands above its cells."""
        if self.what in ("leaf", "value"):
            return self.name
        if self.what == "stepped":
            return f"new {self.name}"
        if self.what == "aid":
            return f"{self.value.fn} for {self.name}"
        gradient = gradient_of(self.name)
        return gradient if self.what == "gradient" else f"{gradient} {self.name_of_part}"

    name_of_part = ""

    @property
    def label(self) -> str:
        """All that stands above its cells."""
        return f"{self.title} {self.how}".rstrip()

    def __repr__(self) -> str:
        return f"Block({self.label!r} {self.shape} at {self.cell(0)})"


def cells_from(first: Cell, shape: tuple[int, ...], parts: int = 1) -> list[Cell]:
    """Where the elements of an array stand, in C order: its last axis runs across.

    If that is divided into ``parts``, these stand one below the other.

    Examples
    --------
    >>> print(*cells_from(Cell(1, 2), (2, 3)))
    C2 D2 E2 C3 D3 E3
    >>> print(*cells_from(Cell(1, 2), (6,), parts=2))
    C2 D2 E2 C3 D3 E3
    """
    extent = _extent(shape, parts)
    return [_cell(first, i, extent, parts) for i in range(math.prod(shape))]


def _extent(shape: tuple[int, ...], parts: int) -> tuple[int, int]:
    *lead, last = shape or (1,)
    return math.prod(lead) * parts, last // parts


def _cell(first: Cell, i: int, extent: tuple[int, int], parts: int) -> Cell:
    rows, columns = extent[0] // parts, extent[1]
    row, column = divmod(i, columns * parts)
    part, column = divmod(column, columns)
    return Cell(first.row + part * rows + row, first.column + column)


def gradient_of(name: str) -> str:
    """∂L/∂h₁, of h₁."""
    return f"∂L/∂{bracketed(name, ' ⊙·/−;')}"


class Blocks:
    """All blocks of a walk, in the order in which they can be computed.

    Attributes
    ----------
    all : list of Block
    roles : Roles
    stepped : dict of Block, by place
        Weights after a step of gradient descent; their formulas are made where they are laid out.
    """

    def __init__(self, record: Record, found: Lines) -> None:
        self.record, self.lines = record, found
        self.roles: Roles = roles_of(record.places, record.root)
        self.names: Names = names(record.places, record.called)
        self.all: list[Block] = []
        self._home: dict[Value, Block] = {}
        self._called = distinct_names(record.places, self.names)
        self._gates = gates_of(record.places, self.names)
        for place in record.places:
            if not is_inline(place):
                self._add_place(place)
        for place in record.places[::-1]:
            if place in found.gradients:
                self._add_gradient(place)
        self._aid()

    def home(self, value: Value) -> Block | None:
        """The block in whose cells the numbers of a value stand."""
        return self._home.get(value)

    def gradient(self, place: Node) -> Block | None:
        """The block of a place's gradient, if one came there."""
        return self._of.get((place, "gradient"))

    def of(self, place: Node) -> Block:
        """The block of a place's value."""
        return self._of[place, "value"]

    @cached_property
    def _of(self) -> dict[tuple[Node, str], Block]:
        return {
            (block.of, "value" if block.what == "leaf" else block.what): block
            for block in self.all
            if block.what in ("leaf", "value", "gradient") and block.key[0] != "index"
        }

    # -- forward --

    @cached_property
    def _told(self) -> dict[Node, list[Index]]:
        """The integers that an operation was told, and that may be changed."""
        found: dict[Node, list[Index]] = defaultdict(list)
        for index in self.lines.leaves:
            if isinstance(index, Index):
                found[index.node].append(index)
        return found

    def _add_place(self, place: Node) -> None:
        for index in self._told[place]:
            value = self.lines.leaves[index]
            block = self._new(place, "leaf", value, index.name, key=("index", index.name))
            block.type = index.numbers.dtype.name
        what = "leaf" if place.is_leaf else "value"
        how = expression(place, self.names)
        block = self._new(place, what, self.lines.values[place], self._called[place], how=how)
        if place.is_leaf:
            block.type = np.asarray(self.record.value(place)).dtype.name

    def _new(
        self, place: Node, what: str, value: Value, name: str, *, key: tuple[Any, ...] = ("",),
        **more: Any,
    ) -> Block:  # fmt: skip
        kind = self.roles.kinds[place]
        if key[0] == "index":
            kind = "input"
        block = Block(
            name, what, kind, place, value,
            is_input=what == "leaf", step=self.roles.steps[place], layer=self._layer(place),
            key=(*key, what), gates=self._gates_in(place, value), **more,
        )  # fmt: skip
        self.all.append(block)
        self._home.setdefault(value, block)
        return block

    def _gates_in(self, place: Node, value: Value) -> Gates | None:
        """Of a tensor itself, and of what has its shape: an index that it was told has not."""
        return self._gates.get(place) if value.shape == place.shape else None

    def _layer(self, place: Node) -> Layer:
        return Layer.of(self.roles.peers.get(place, place))

    # -- backward --

    def _add_gradient(self, place: Node) -> None:
        sent = self.lines.sent.get(place, [])
        value = self.lines.gradients[place]
        how, said = self._how(sent)
        is_weight = self.roles.kinds[place] == "parameter" and place.is_leaf
        if shares := self._shares(place, sent) if is_weight else []:
            value, how = self._sum(shares), f"= sum over {len(shares)} steps"
        elif len(sent) > 1:
            for n, one in enumerate(sent):
                self._part(place, n, one)
        block = self._new(place, "gradient", value, self._called[place], how=how, rule=said)
        if place is self.record.root:
            block.how = "with which the walk begins"

    def _how(self, sent: Sequence[Sent]) -> tuple[str, str]:
        """A gradient in names, and the rules by which it comes."""
        said = "; ".join(dict.fromkeys(filter(None, map(_rule, sent))))
        if len(sent) == 1:
            return f"= {self._vjp(sent[0])}", said
        return (f"= sum over {len(sent)} uses" if sent else ""), said

    def _vjp(self, one: Sent) -> str:
        written = {at: self.names.told(at, one.node) for at in (one.node, *one.node.parents)}
        return vjp(one.node, one.operand, written, gradient_of(self.names.told(one.node)))

    def _part(self, place: Node, n: int, one: Sent) -> None:
        """What one use gives, unless that is just a gradient that has its cells."""
        if one.value in self._home or one.value.fn in (*MOVING, "const", "assemble"):
            return
        block = self._new(
            place, "part", one.value, self._called[place], key=("part", n),
            how=f"= {self._vjp(one)}", rule=_rule(one),
        )  # fmt: skip
        block.name_of_part = f"from {clean(self.names.told(one.node))}"

    def _sum(self, values: Iterable[Value]) -> Value:
        return reduce(lambda a, b: self.lines.book.line("add", a, b), values)

    def _shares(self, place: Node, sent: Sequence[Sent]) -> list[Value]:
        """What each time step gives to a weight, as blocks, if it is more than one."""
        by_step: dict[int | None, list[Sent]] = defaultdict(list)
        for one in sent:
            by_step[one.node.tag.step].append(one)
        if len(by_step) < 2:
            return []
        shares = []
        for step, group in sorted(by_step.items(), key=lambda item: (item[0] is None, item[0])):
            value = self._sum([one.value for one in group])
            how, said = self._how(group)
            block = self._new(
                place, "share", value, self._called[place], key=("share", self._called[place]),
                how=how, rule=said,
            )  # fmt: skip
            block.step = step
            block.name_of_part = "outside of time" if step is None else f"from t = {step}"
            shares.append(value)
        return shares

    # -- numbers on the way --

    def _aid(self) -> None:
        """Give cells to what would make formulas long, or be written many times."""
        roots = [block.value for block in self.all]
        heavy = self._heavy(roots)
        with_aids: list[Block] = []
        for block in self.all:
            for value in self._inside(block):
                if value in heavy and value not in self._home:
                    aid = Block(
                        block.name, "aid", block.kind, block.of, value, step=block.step,
                        layer=block.layer, key=("aid", block.key),
                        gates=self._gates_in(block.of, value),
                    )  # fmt: skip
                    self._home[value] = aid
                    with_aids.append(aid)
            with_aids.append(block)
        self.all = with_aids

    def _inside(self, block: Block) -> list[Value]:
        """The lines that a block's formulas would hold."""
        return lines([block.value], until=lambda at: at is not block.value and at in self._home)

    def _heavy(self, roots: Iterable[Value]) -> set[Value]:
        """Values that should have cells of their own."""
        every = lines(roots)
        readers: Counter[Value] = Counter()
        for value in every:
            readers.update(set(value.args))
        weight: dict[Value, int] = {}
        heavy: set[Value] = set()
        for value in every:
            for arg in value.args:
                if gathers(value) > _FEW and weight[arg] > 1:
                    heavy.add(arg)
                    weight[arg] = 1
            own = self._weight(value, weight)
            is_made = value.fn not in (*MOVING, "const", "input") and value not in self._home
            if is_made and own > (_HEAVY if readers[value] > 1 else _HEAVIEST):
                heavy.add(value)
            weight[value] = 1 if value in heavy or value in self._home else own
        return heavy

    def _weight(self, value: Value, weight: dict[Value, int]) -> int:
        """How many cells a formula of one of its elements reads."""
        return max(1, gathers(value)) * sum(weight[arg] for arg in value.args) or 1


def _rule(one: Sent) -> str:
    stated = rule(one.node, one.operand)
    return f"{one.node.primitive.name}: {stated}" if stated else ""
