"""How large a box is: the one place that knows the type sizes and the space around them."""

from __future__ import annotations

from tinygrad_rnn.viz.scene import (
    Bars,
    Box,
    BoxPart,
    Caption,
    Course,
    Gates,
    Lane,
    Row,
    Strip,
    Weighing,
)
from tinygrad_rnn.viz.text import fitted, width

NAME, EXPRESSION, NOTE, LABEL, VALUE, PILL = 15.0, 12.5, 11.0, 10.5, 12.5, 11.0
LANE, CHIP, GATE, MEAN = 13.0, 11.5, 11.0, 9.5
HEADER, LINE, PAD = 27.0, 16.0, 5.0  # heights: the header, a line, and above and below the lines
BLANK = 32.0  # the height of a line to write on by hand
MARGIN, GAP = 9.0, 7.0  # left and right in a box; between two texts
LANE_HEIGHT, WEIGHT_HEIGHT, GATES_HEIGHT, BARS_HEIGHT = 34.0, 21.0, 36.0, 52.0
ROW_OF_BARS, CAPTION, COURSE = 23.0, 18.0, 26.0
CHIP_PAD, GATE_BAR, STRIP_WIDTH = 6.0, 26.0, 132.0
COURSE_LABEL, COURSE_WIDTH = 32.0, 84.0
CELL_WIDTH = 158.0
_LONGEST_NAME, _LONGEST_EXPRESSION, _NARROWEST = 190.0, 240.0, 104.0
_LONGEST_LANE = 160.0

MOST_SLIVERS = 400  # of a strip, and bars of a row: more would be thinner than can be seen


def fit(box: Box) -> None:
    """Cut the texts that are too long and set the box's size."""
    box.name = fitted(box.name, NAME, _LONGEST_NAME, bold=True)
    box.expression = fitted(box.expression, EXPRESSION, _LONGEST_EXPRESSION)
    for part in box.parts:
        if isinstance(part, Lane):
            part.name = fitted(part.name, LANE, _LONGEST_LANE, bold=True)
            part.expression = fitted(part.expression, EXPRESSION, _LONGEST_LANE)
    header = 2 * MARGIN + width(box.name, NAME, bold=True)
    if box.expression:
        header += GAP + width(box.expression, EXPRESSION)
    if box.note:
        header += 2 * GAP + width(box.note, NOTE)
    if box.visit:
        header += GAP + pill_width(box.visit)
    least = {"initial": 0.0, "tensor": _NARROWEST, "rolled": _NARROWEST}.get(box.style, CELL_WIDTH)
    values = lane_values(box)
    widths = [_width(part, values) for part in box.parts]
    box.width = float(round(max([least, header, *widths]) + 1))
    box.height = HEADER + sum(height(part) for part in box.parts)


def height(part: BoxPart) -> float:
    """The height of a part of a box."""
    if isinstance(part, Row):
        return line(part) * len(part.lines) + PAD
    if isinstance(part, Lane):
        return LANE_HEIGHT if part.tall else WEIGHT_HEIGHT
    heights = {
        Gates: GATES_HEIGHT,
        Bars: ROW_OF_BARS,
        Weighing: BARS_HEIGHT,
        Strip: LANE_HEIGHT,
        Course: COURSE,
        Caption: CAPTION,
    }
    return heights[type(part)]


def line(row: Row) -> float:
    """The height of a line in a row."""
    return BLANK if row.blank else LINE


def lane_middle(box: Box, index: int) -> float:
    """How far below the upper side of a box the middle of a part lies."""
    if not box.parts:
        return box.height / 2
    return HEADER + sum(map(height, box.parts[:index])) + height(box.parts[index]) / 2


def lane_values(box: Box) -> float:
    """Where the values of a box's lanes begin, so that they stand under each other."""
    lanes = [p for p in box.parts if isinstance(p, Lane | Strip)]
    return max(map(_said, lanes), default=0.0) + GAP + 2


def _said(lane: Lane | Strip) -> float:
    """The width of a lane's name, and of its expression if it has one."""
    name = width(lane.name, LANE, bold=True)
    if isinstance(lane, Strip) or not lane.expression:
        return name
    return name + GAP + width(lane.expression, EXPRESSION)


def pill_width(visit: str) -> float:
    """The width of the pill around a visit number."""
    return max(21.0, width(visit, PILL, bold=True) + 13)


def chip_width(chip: str) -> float:
    """The width of the chip around a gradient norm."""
    return width(chip, CHIP, mono=True) + 2 * CHIP_PAD


def gate_width(name: str) -> float:
    """The width of a gate's name and bar."""
    return width(name, GATE, mono=True) + 3 + GATE_BAR


def _width(part: BoxPart, values: float) -> float:
    if isinstance(part, Row):
        longest = max(width(line, VALUE, mono=True) for line in part.lines)
        return 2 * MARGIN + width(part.label, LABEL) + 1.5 * GAP + longest
    if isinstance(part, Lane):
        chip = GAP + chip_width(part.chip) if part.chip else 0.0
        return 2 * MARGIN + values + width(part.value, VALUE, mono=True) + chip
    if isinstance(part, Gates):
        return 2 * MARGIN + sum(gate_width(name) + GAP for name, _, _ in part.means)
    if isinstance(part, Strip):
        return 2 * MARGIN + values + STRIP_WIDTH
    if isinstance(part, Course):
        strip = COURSE_LABEL + COURSE_WIDTH + GAP
        return 2 * MARGIN + strip + width(part.ends, CHIP, mono=True)
    if isinstance(part, Caption):
        return 2 * MARGIN + width(part.text, LABEL)
    if isinstance(part, Weighing):
        return 2 * MARGIN + width(part.caption, LABEL)
    return 0.0
