"""Where everything stands on a sheet, and what the cells hold."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_rnn.bptt.record import Record, expect_record
from tinygrad_rnn.bptt.sheets.blocks import Block, Blocks
from tinygrad_rnn.bptt.sheets.lines import Refused, computed, written
from tinygrad_rnn.compiled.cells import Cell, Formulas, letters
from tinygrad_rnn.compiled.lines import lines
from tinygrad_rnn.compiled.symbols import CannotWrite, Value
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.reading.given import is_inline
from tinygrad_rnn.reading.names import stem
from tinygrad_rnn.reading.roles import OUTER
from tinygrad_rnn.writing.text import width

Array = np.ndarray[Any, Any]
MOST_ELEMENTS, MOST_STEPS, MOST_CELLS = 1024, 64, 100_000
"""Of one array, of a walk, and of a sheet."""
LONGEST = 8192  # characters of a formula, as Excel has it
WALK, AFTER = "walk", "after a step"
"""The sheets with cells that calculate."""
RATE, LOSS, NEW_LOSS = Cell(1, 0), Cell(2, 0), Cell(3, 0)
TOP = 6  # the row in which the blocks begin; the headings of columns stand above
SHARES = "what each step gives to the weights"


@dataclass
class Column:
    """Blocks above each other: those of a time step, the weights, …"""

    heading: str
    first: int
    width: int
    label: int  # characters of the longest label

    @property
    def gap(self) -> int:
        """The empty column behind it."""
        return self.first + self.width


@dataclass
class Plan:
    """A sheet, before it is written.

    Attributes
    ----------
    record : Record
    blocks : list of Block
        All of the sheet `WALK`.
    stepped : list of Block
        Weights after a step of gradient descent; `AFTER` has the forward pass with them.
    after : list of Block
        Those of the blocks that stand on `AFTER` too, in the same cells and with the same formulas.
    after_numbers : dict of ndarray, by value
        What the cells of `AFTER` come to.
    columns : list of Column
    bands : dict of int, by heading
        The row of each.
    rate : float
    fixed : list of str
        Operations that were told something which stays as it was.
    """

    record: Record
    blocks: list[Block]
    rate: float
    stepped: list[Block] = field(default_factory=list)
    after: list[Block] = field(default_factory=list)
    after_numbers: dict[Value, Array] = field(default_factory=dict)
    columns: list[Column] = field(default_factory=list)
    bands: dict[str, int] = field(default_factory=dict)
    fixed: list[str] = field(default_factory=list)
    loss: Block = field(init=False)

    @property
    def leaves(self) -> list[Block]:
        """The numbers that may be changed."""
        return [block for block in self.blocks if block.is_input]


def planned(record: Record, rate: float = 0.1) -> Plan:
    """Lay out the sheet of a walk.

    Raises
    ------
    Refused
        If it is too large, or does what no spreadsheet can.
    """
    expect_record(record, "spreadsheet")
    _check_size(record)
    try:
        blocks = Blocks(record, written(record))
        plan = Plan(record, blocks.all, rate, fixed=blocks.lines.fixed)
        plan.loss = blocks.of(record.root)
        _check_numbers(plan)
        _Layout(plan, blocks).run()
        _formulas(plan, blocks)
        _after(plan, blocks)
    except Refused as error:
        raise Refused(f"spreadsheet: {error}") from None
    except CannotWrite as error:
        raise Refused(
            f"spreadsheet: no formula can compute {error}; write it with other operations"
        ) from None
    return plan


def _check_size(record: Record) -> None:
    if not record.visits:
        raise Refused("spreadsheet: nothing was walked; record the backward by bptt.record(loss)")
    places = [place for place in record.places if not is_inline(place)]
    largest = max(places, key=lambda place: math.prod(place.shape))
    cells = 2 * sum(math.prod(place.shape) for place in places)
    check_steps(len({visit.step for visit in record.visits} - {None}))
    size = math.prod(largest.shape)
    _check_count(size, MOST_ELEMENTS, f"elements in an array of shape {largest.shape}")
    _check_count(cells, MOST_CELLS, "cells")
    if empty := [place for place in places if 0 in place.shape]:
        raise Refused(f"spreadsheet: an array of shape {empty[0].shape} has no cells")


def check_steps(steps: int) -> None:
    """Raise if there are more time steps than a sheet has columns for."""
    _check_count(steps, MOST_STEPS, "time steps")


def _check_count(count: int, most: int, what: str) -> None:
    if count > most:
        raise Refused(
            f"spreadsheet: {count:,} {what} are more than the {most:,} that can be read on a "
            "sheet; take a smaller net, a smaller batch or a shorter sequence"
        )


def _check_numbers(plan: Plan) -> None:
    for block in plan.blocks:
        if not np.isfinite(block.numbers).all():
            raise Refused(
                f"{block.title} holds NaN or infinities, which a spreadsheet does not know; "
                "bptt.diagnose(walk) says where they come from"
            )


class _Layout:
    """Gives every block its cells."""

    def __init__(self, plan: Plan, blocks: Blocks) -> None:
        self.plan, self.blocks, self.roles = plan, blocks, blocks.roles
        self.steps = sorted({b.step for b in plan.blocks if b.step is not None})

    def run(self) -> None:
        """Put the blocks into columns, and these beside each other."""
        parts: dict[Hashable, list[Block]] = defaultdict(list)
        for block in self._in_order():
            parts[self._part(block)].append(block)
        self._bands({step: parts.get(step, []) for step in self.steps}, parts)
        for part in ("left", "top"):
            _stack(parts.get(part, []), TOP)
        self._columns(parts)

    def _in_order(self) -> list[Block]:
        """The blocks of each tensor together: its value, then its gradient."""
        whole: dict[Any, list[Block]] = {}
        for place in self.plan.record.places:
            whole[place] = []
        for block in self.plan.blocks:
            whole[block.of].append(block)
        return [block for group in whole.values() for block in group]

    def _part(self, block: Block) -> Hashable:
        """In which column a block stands."""
        if _is_of_share(block):
            return "top" if block.step is None else block.step
        region = self.roles.regions[block.of]
        if region == "step":
            return block.step
        if region in OUTER:
            return region
        if region in ("left", "bottom") or self.roles.kinds[block.of] == "parameter":
            return "left"
        return "top"

    # -- rows --

    def _bands(self, steps: dict[int, list[Block]], parts: dict[Hashable, list[Block]]) -> None:
        bands: dict[str, None] = {}
        for block in self._in_order():
            if self._part(block) in steps:
                bands.setdefault(self._band(block), None)
        if SHARES in bands:
            bands[SHARES] = bands.pop(SHARES)
        row = TOP
        for band in bands:
            self.plan.bands[band] = row
            here = {
                step: [b for b in blocks if self._band(b) == band] for step, blocks in steps.items()
            }
            row = _aligned(here.values(), self.blocks, row + 1) + 1
        for part in OUTER:
            by_band: dict[int, list[Block]] = defaultdict(list)
            for block in parts.get(part, []):
                by_band[self.plan.bands.get(str(block.layer), TOP)].append(block)
            free = TOP
            for start, blocks in sorted(by_band.items()):
                free = _stack(blocks, max(free, start + 1))

    def _band(self, block: Block) -> str:
        return SHARES if _is_of_share(block) else str(block.layer)

    # -- columns --

    def _columns(self, parts: dict[Hashable, list[Block]]) -> None:
        headings: dict[Hashable, str] = {
            "left": "weights, inputs", "before": "before the first step",
            **{step: f"t = {step}" for step in self.steps},
            "after": "before the first step (reversed)", "top": "result",
        }  # fmt: skip
        if not self.steps:
            headings["top"] = "computed"
        first = 0
        for part, heading in headings.items():
            blocks = parts.get(part, [])
            if not blocks and part not in ("left", *self.steps):
                continue
            column = _column(heading, first, blocks)
            first = column.gap + 1
            self.plan.columns.append(column)
            if part == "left" and any(self._steps(block) for block in blocks):
                self._stepped(blocks)
                column = _column(AFTER, first, self.plan.stepped)
                first = column.gap + 1
                self.plan.columns.append(column)

    def _steps(self, block: Block) -> Block | None:
        """The gradient by which a block's numbers would be changed in a step."""
        is_weight = block.is_input and block.kind == "parameter"
        return self.blocks.gradient(block.of) if is_weight else None

    def _stepped(self, blocks: list[Block]) -> None:
        for block in blocks:
            if gradient := self._steps(block):
                made = Block(
                    block.name, "stepped", "parameter", block.of, block.value,
                    how="= θ − η · ∂L/∂θ", row=block.row, gates=block.gates,
                )  # fmt: skip
                rate = f"${letters(RATE.column)}${RATE.row + 1}"
                made.formulas = [
                    f"={a}-{rate}*{b}" for a, b in zip(block.cells, gradient.cells, strict=True)
                ]
                self.plan.stepped.append(made)


def _is_of_share(block: Block) -> bool:
    return block.what == "share" or (block.what == "aid" and block.key[1][0] == "share")


def _column(heading: str, first: int, blocks: Sequence[Block]) -> Column:
    for block in blocks:
        block.column = first
    wide = max([block.extent[1] for block in blocks], default=1)
    return Column(heading, first, wide, max([width(block.label) for block in blocks], default=0))


def _stack(blocks: Iterable[Block], row: int) -> int:
    """Put blocks below each other; returns the first row that is free."""
    last: Any = None
    for block in blocks:
        row += last is not None and block.of is not last
        block.row, last = row + 1, block.of
        row += 1 + block.extent[0]
    return row


def _aligned(columns: Iterable[Sequence[Block]], blocks: Blocks, row: int) -> int:
    """Put what is alike at several time steps into the same rows; returns the first free one."""
    keyed: list[dict[Hashable, Block]] = []
    order: list[Hashable] = []
    for column in columns:
        counts: Counter[Hashable] = Counter()
        own: dict[Hashable, Block] = {}
        at = -1
        for block in column:
            made_by = getattr(block.of.primitive, "name", "")
            alike = (stem(block.of, blocks.names), made_by, block.key)
            counts[alike] += 1
            key: Hashable = (*alike, counts[alike])
            own[key] = block
            if key in order:
                at = max(at, order.index(key))
            else:
                at += 1
                order.insert(at, key)
        keyed.append(own)
    before: set[Node] = set()
    for key in order:
        here = [own[key] for own in keyed if key in own]
        tensors = {block.of for block in here}
        row += bool(before) and before.isdisjoint(tensors)
        for block in here:
            block.row = row + 1
        row += 1 + max(block.extent[0] for block in here)
        before = tensors
    return row


# -- formulas ------------------------------------------------------------------------------------


def _formulas(plan: Plan, blocks: Blocks) -> None:
    def cell(value: Value, i: int) -> Cell | None:
        home = blocks.home(value)
        return None if home is None else home.cell(i)

    formulas = Formulas(cell)
    shares: dict[Node, list[list[Cell]]] = defaultdict(list)
    for block in plan.blocks:
        if block.what == "share":
            shares[block.of].append(block.cells)
    for block in plan.blocks:
        begins = block.what == "gradient" and block.of is plan.record.root
        if block.is_input or begins:
            continue
        own = blocks.home(block.value) is block
        if terms := shares.get(block.of, []) if block.what == "gradient" else []:
            block.formulas = [f"={'+'.join(map(str, cells))}" for cells in zip(*terms)]
            continue
        try:
            block.formulas = [
                formulas.of(block.value, i, own=own) for i in range(math.prod(block.shape))
            ]
        except CannotWrite as error:
            raise CannotWrite(f"{block.label}: {error}") from None
        longest = max(map(len, block.formulas))
        if longest > LONGEST:
            raise Refused(f"{block.title}: a formula of {longest:,} characters is too long")
    reach = formulas.reach()
    for block in plan.leaves:
        block.reach = reach.get(block.value)


def _after(plan: Plan, blocks: Blocks) -> None:
    """The forward pass with other weights."""
    forward = set(lines(blocks.lines.values.values()))
    plan.after = [
        b for b in plan.blocks
        if b.value in forward and b.what in ("leaf", "value", "aid") and _is_forward(b)
    ]  # fmt: skip
    new = {
        stepped.value: stepped.numbers - plan.rate * _numbers(blocks.gradient(stepped.of))
        for stepped in plan.stepped
    }
    plan.after_numbers = computed([block.value for block in plan.after], new)


def _is_forward(block: Block) -> bool:
    return block.what != "aid" or block.key[1][-1] in ("leaf", "value")


def _numbers(block: Block | None) -> Any:
    return 0 if block is None else block.numbers
